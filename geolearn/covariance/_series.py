"""What the statistics of delays share: checks of trials, as single series."""

import numpy as np

from geolearn.covariance._input import refuse_not_finite

__all__ = ["check_longer", "check_series", "refuse_constant", "unit_range"]


def check_series(X) -> np.ndarray:
    """Return trials as a contiguous float64 array, checked for shape and finiteness.

    Parameters
    ----------
    X : array_like of shape (n_trials, n_channels, n_times)
        Trials.

    Returns
    -------
    ndarray of shape (n_trials, n_channels, n_times)
        The data; not a copy if `X` is such an array already.

    Raises
    ------
    ValueError
        If `X` does not have three axes, is empty, or holds NaN or infinity.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    if X.ndim != 3 or min(X.shape) == 0:
        raise ValueError(
            f"X has shape {X.shape}; expected (n_trials, n_channels, n_times), none of "
            f"them 0. Use X[np.newaxis] for a single trial."
        )
    refuse_not_finite(np.isfinite(X).all(axis=(1, 2)), "trials")
    return X


def refuse_constant(X, purpose) -> None:
    """Raise if a channel is constant in some trial: its statistics do not exist."""
    constant = X.max(axis=2) == X.min(axis=2)
    if constant.any():
        trial, channel = np.argwhere(constant)[0]
        raise ValueError(
            f"Channel {channel} is constant in trial X[{trial}] "
            f"({int(constant.sum())} such series), which leaves its {purpose} "
            f"undefined. Remove the channel or the trial, or give order and lag as "
            f"integers."
        )


def check_longer(X, least, parameter, value) -> None:
    """Raise if the trials have fewer than `least` samples."""
    if X.shape[2] < least:
        raise ValueError(
            f"{parameter}={value} needs trials of at least {least} samples, got "
            f"n_times={X.shape[2]}; lower {parameter} or use longer trials."
        )


def unit_range(X) -> np.ndarray:
    """Return each series times the power of 2 that makes its range about 1.

    The scaling is exact and keeps ties between differences, which centring would
    break. Squared differences neither overflow nor underflow, whatever the units.
    """
    # Half the range is finite even if the largest numbers have both signs.
    half = 0.5 * X.max(axis=2, keepdims=True) - 0.5 * X.min(axis=2, keepdims=True)
    return np.ldexp(X, -np.frexp(half)[1])
