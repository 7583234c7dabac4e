"""Rules that read an order or a lag off a curve."""

import numpy as np

__all__ = [
    "first_maximum",
    "first_minimum",
    "first_nonpositive",
    "first_saturated",
]

# Cao's statistic has saturated where it exceeds the first and changes by less than
# the second.
_LEVEL, _CHANGE = 0.5, 0.05


def first_minimum(curve) -> tuple[int, bool]:
    """Return the first lag whose successor is not smaller, and whether it exists.

    Parameters
    ----------
    curve : ndarray of shape (max_lag,)
        Values at the lags 1, ..., max_lag.

    Returns
    -------
    lag : int
        The lag; max_lag if the curve decreases throughout.
    found : bool
        Whether there is such a lag.
    """
    return _first(np.diff(curve) >= 0, len(curve))


def first_nonpositive(curve) -> tuple[int, bool]:
    """Return the first lag with a value <= 0 (or max_lag), and whether it exists."""
    return _first(np.asarray(curve) <= 0, len(curve))


def first_maximum(curve) -> tuple[int, bool]:
    """Return the first order at an inner local maximum, and whether it exists.

    The value exceeds the one before and is not exceeded by the one after.
    """
    steps = np.diff(curve)
    lag, found = _first((steps[:-1] > 0) & (steps[1:] <= 0), len(curve) - 1)
    return lag + 1, found


def first_saturated(curve) -> tuple[int, bool]:
    """Return the first order at which E1 has stopped to change, and if it exists."""
    curve = np.asarray(curve)
    flat = (curve[:-1] > _LEVEL) & (np.abs(np.diff(curve)) <= _CHANGE)
    return _first(flat, len(curve))


def _first(condition, otherwise):
    hits = np.flatnonzero(condition)
    return (int(hits[0]) + 1, True) if hits.size else (otherwise, False)
