"""Other libraries that the tests compare with, where they are installed."""

import numpy as np
import pytest


def pyriemann(module):
    """Return a module of pyRiemann, or skip.

    pyRiemann 0.12 declares no lowest NumPy, but uses attributes of NumPy 2.
    """
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":
        pytest.skip("pyRiemann 0.12 runs on NumPy 2 only", allow_module_level=True)
    return pytest.importorskip(f"pyriemann.{module}", minversion=None)
