"""Other libraries that the tests compare with, where they are installed."""

import warnings

import numpy as np
import pytest


def pyriemann(module):
    """Return a module of pyRiemann, or skip.

    pyRiemann 0.12 declares no lowest NumPy, but uses attributes of NumPy 2.
    """
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":
        pytest.skip("pyRiemann 0.12 runs on NumPy 2 only", allow_module_level=True)
    return pytest.importorskip(f"pyriemann.{module}", minversion=None)


def geomstats(module):
    """Return a module of geomstats, or skip.

    geomstats 2.8.0 imports a function that NumPy 2.4 no longer has; its next
    version does not.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an old-fashioned importer
        return pytest.importorskip(
            f"geomstats.{module}", minversion=None, exc_type=ImportError
        )
