"""What all generators share: checks of real parameters, form of the answer."""

from numbers import Real

import numpy as np
from sklearn.utils import check_scalar


def check_real(value, name, include_boundaries="left"):
    """Raise unless `value` is a finite real number that is not negative."""
    check_scalar(value, name, Real, min_val=0.0, include_boundaries=include_boundaries)
    if not np.isfinite(value):
        raise ValueError(f"{name}={value} must be finite.")


def answer(data, return_X_y):
    """Return the Bunch, or its (X, y) or (X, y, geodesics) as a tuple."""
    if not return_X_y:
        return data
    return tuple(data[key] for key in ("X", "y", "geodesics") if key in data)
