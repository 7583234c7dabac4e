"""Reading of the data files that ship with the package."""

from importlib.resources import files

import numpy as np


def read_arrays(name):
    """Return the arrays of `data/<name>.npz` as a dictionary of fresh arrays."""
    path = files("geolearn.datasets").joinpath("data", f"{name}.npz")
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def read_description(name):
    """Return the text of `data/<name>.rst`: content, origin, licence, citation."""
    path = files("geolearn.datasets").joinpath("data", f"{name}.rst")
    return path.read_text(encoding="utf-8")
