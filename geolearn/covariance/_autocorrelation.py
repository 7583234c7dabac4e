"""Linear dependence of a series on its own past."""

import numpy as np
from numba import prange

from geolearn.covariance._series import (
    check_longer,
    check_series,
    refuse_constant,
    unit_range,
)
from geolearn.utils._jit import kernel
from geolearn.utils._threads import numba_threads
from geolearn.utils.validation import check_integer


@kernel(parallel=True)
def _correlate(S, out):
    for r in prange(S.shape[0]):
        x = S[r]
        n = x.shape[0]
        power = 0.0
        for t in range(n):
            power += x[t] * x[t]
        for k in range(out.shape[1]):
            product = 0.0
            for t in range(n - k - 1):
                product += x[t] * x[t + k + 1]
            out[r, k] = product / power if power > 0.0 else 0.0


def autocorrelation(X, max_lag=30, *, average=True, n_jobs=None) -> np.ndarray:
    r"""Compute the autocorrelation of a signal.

    With s the series less its mean,
    :math:`\rho(\tau) = \sum_t s_t s_{t + \tau} / \sum_t s_t^2`, where the first sum
    has the n_times - :math:`\tau` terms that exist.

    Parameters
    ----------
    X : array_like of shape (n_trials, n_channels, n_times)
        Trials.
    max_lag : int, default=30
        Largest delay, in samples; less than n_times.
    average : bool, default=True
        Whether to average over channels and trials.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all cores. The result does not depend
        on it.

    Returns
    -------
    ndarray of shape (max_lag,) or (n_trials, n_channels, max_lag)
        Autocorrelation in [-1, 1] at the delays 1, ..., `max_lag`; at index k that
        of delay k + 1.

    Raises
    ------
    ValueError
        If the trials are too short or hold NaN, or if a channel is constant.

    See Also
    --------
    mutual_information : Dependence of any kind.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import autocorrelation
    >>> X = np.array([[[1.0, -1.0, 1.0, -1.0]]])
    >>> autocorrelation(X, max_lag=3)
    array([-0.75,  0.5 , -0.25])
    """
    X = check_series(X)
    max_lag = check_integer(max_lag, "max_lag")
    check_longer(X, max_lag + 1, "max_lag", max_lag)
    refuse_constant(X, "autocorrelation")
    out = np.empty((X.shape[0] * X.shape[1], max_lag))
    S = unit_range(X)
    S = S - S.mean(axis=2, keepdims=True)
    with numba_threads(n_jobs):
        _correlate(S.reshape(-1, X.shape[2]), out)
    return out.mean(axis=0) if average else out.reshape(*X.shape[:2], max_lag)
