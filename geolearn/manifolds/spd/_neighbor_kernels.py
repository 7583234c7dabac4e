"""Volume densities of many pairs from their log-eigenvalues."""

import math

import numpy as np
from numba import prange, types

from geolearn.utils._jit import POINTS, first_class, kernel
from geolearn.utils._threads import numba_threads

__all__ = ["log_volume_of"]

_NEAR = 1.0  # below it sinh(x) / x comes from its series, above from exponentials
_LARGEST = 1e200  # a product is taken to its logarithm before it overflows
_STEEPEST = 200.0  # beyond, log(sinh(x) / x) is taken by itself


@kernel
def _quotient(x, near, far):
    """Return sinh(x) / x for 0 <= x; near = exp(-x), far = exp(x)."""
    if x < _NEAR:
        s = x * x
        p = 1.0 / 121645100408832000.0
        p = p * s + 1.0 / 355687428096000.0
        p = p * s + 1.0 / 1307674368000.0
        p = p * s + 1.0 / 6227020800.0
        p = p * s + 1.0 / 39916800.0
        p = p * s + 1.0 / 362880.0
        p = p * s + 1.0 / 5040.0
        p = p * s + 1.0 / 120.0
        p = p * s + 1.0 / 6.0
        return p * s  # less one
    return (far - near) / (2.0 * x) - 1.0


@kernel(parallel=True)
def _log_volume(mu, out):
    n = mu.shape[1]
    for row in prange(mu.shape[0]):
        r = np.intp(row)
        half = np.empty(n)
        power = np.empty(n)
        for i in range(n):
            half[i] = 0.5 * mu[r, i]
            power[i] = math.exp(half[i])
        total = 0.0
        excess = 0.0  # of the product over one: digits of small densities
        for i in range(n):
            for j in range(i):
                x = abs(half[i] - half[j])
                if x > _STEEPEST:
                    total += x - math.log(2.0 * x)
                    continue
                ratio = power[i] / power[j]
                large = max(ratio, 1.0 / ratio)
                q = _quotient(x, 1.0 / large, large)
                excess = excess + q + excess * q
                if excess > _LARGEST:
                    total += math.log1p(excess)
                    excess = 0.0
        out[r] = total + math.log1p(excess)


def log_volume_of(mu, n_jobs):
    """Return the sum over pairs of log(sinh(x) / x), x half a difference of mu.

    Parameters
    ----------
    mu : ndarray of shape (n_pairs, n)
        Log-eigenvalues of each pair, in any order.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    ndarray of shape (n_pairs,)
        Logarithms of the volume density of the affine-invariant metric.
    """
    out = np.empty(len(mu))
    driver = first_class(_log_volume, POINTS, types.float64[::1])
    with numba_threads(n_jobs):
        driver(np.ascontiguousarray(mu), out)
    return out
