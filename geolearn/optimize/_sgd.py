"""Stress minimisation by stochastic gradient steps on pairs, diagonal by diagonal.

Each epoch updates every pair once. In a random order of the points, offset s
holds the pairs (i, i + s mod n); offsets come in random order, pairs within one
in sequence. That reads memory in order, and up to s pairs in a row touch 2s
different points: their updates commute, so a block of them runs as vector code
and gives the result of one after the other.
"""

import numpy as np
from numba import prange

from geolearn.utils._jit import kernel
from geolearn.utils._threads import numba_threads

# Pairs updated together; the buffers of a block stay in the first-level cache.
_BLOCK = 256

# Points whose rows of D are gathered together: 16 fill whole cache lines of R.
_GATHER = 16


@kernel(parallel=True)
def _gather_diagonals(A, order, R):
    """Fill R[s - 1, i] = A[order[i], order[i + s mod n]]."""
    half, n = R.shape
    for b in prange((n + _GATHER - 1) // _GATHER):
        first = np.intp(b) * _GATHER
        last = min(n, first + _GATHER)
        for s in range(1, half + 1):
            for i in range(first, last):
                j = i + s
                if j >= n:
                    j -= n
                R[s - 1, i] = A[order[i], order[j]]


@kernel
def _step_block(Y, i, j, m, d, w, weighted, eta, tiny, diff, g):
    """Update the m pairs (i + k, j + k), whose 2m points are all different."""
    for k in range(m):
        g[k] = 0.0
    for c in range(Y.shape[0]):
        yi = Y[c, i : i + m]
        yj = Y[c, j : j + m]
        row = diff[c]
        for k in range(m):
            delta = yi[k] - yj[k]
            row[k] = delta
            g[k] += delta * delta
    for k in range(m):
        r = np.sqrt(g[k])
        mu = min(1.0, eta * w[k]) if weighted else min(1.0, eta)
        # Coincident points have no direction to move in: the pair is skipped.
        g[k] = 0.5 * mu * (r - d[k]) / r if r > tiny else 0.0
    for c in range(Y.shape[0]):
        yi = Y[c, i : i + m]
        yj = Y[c, j : j + m]
        row = diff[c]
        for k in range(m):
            step = g[k] * row[k]
            yi[k] -= step
            yj[k] += step


@kernel
def _sgd_epoch(Y, R, Q, weighted, offsets, eta, tiny):
    """Update every pair once; Y has shape (p, n), Q is read if `weighted`."""
    p, n = Y.shape
    diff = np.empty((p, _BLOCK))
    g = np.empty(_BLOCK)
    for o in range(offsets.size):
        s = offsets[o]
        # For even n the last offset meets each of its pairs twice.
        stop = n if 2 * s < n else n // 2
        i = 0
        while i < stop:
            wrapped = i >= n - s
            j = i + s - n if wrapped else i + s
            m = min(_BLOCK, s, stop - i if wrapped else min(stop, n - s) - i)
            d = R[s - 1, i : i + m]
            w = Q[s - 1, i : i + m] if weighted else d
            _step_block(Y, i, j, m, d, w, weighted, eta, tiny, diff, g)
            i += m


def learning_rates(n_epochs, lowest_weight, highest_weight, epsilon):
    """Return the geometric schedule from 1 / w_min down to epsilon / w_max."""
    first = 1.0 / lowest_weight
    last = epsilon / highest_weight
    return np.geomspace(first, last, n_epochs) if n_epochs > 1 else np.array([first])


def diagonals(A, order, n_jobs=None):
    """Return the (n // 2, n) array R[s - 1, i] = A[order[i], order[i + s mod n]]."""
    n = A.shape[0]
    R = np.empty((n // 2, n), dtype=A.dtype)
    with numba_threads(n_jobs):
        _gather_diagonals(A, order, R)
    return R


def sgd(D, W, Y, rates, *, tiny, rng, n_jobs=None, progress=None):
    """Return the layout after one epoch of pair updates for each learning rate.

    The epochs run on one thread, so that the result depends on `rng` only; the
    threads of `n_jobs` serve the copy. `D` and `W` (or None) are (n, n), `Y` is
    (n, p). The copies take half of an n x n array each.
    """
    n = D.shape[0]
    order = rng.permutation(n)
    visits = [1 + rng.permutation(n // 2) for _ in rates]
    R = diagonals(D, order, n_jobs)
    weighted = W is not None
    Q = diagonals(W, order, n_jobs) if weighted else R
    Yt = np.ascontiguousarray(Y[order].T, dtype=np.float64)
    for epoch, (rate, offsets) in enumerate(zip(rates, visits, strict=True)):
        _sgd_epoch(Yt, R, Q, weighted, offsets, rate, tiny)
        if progress is not None:
            progress("SGD epoch %d of %d", epoch + 1, len(rates), level=2)
    out = np.empty((n, Yt.shape[0]))
    out[order] = Yt.T
    return out
