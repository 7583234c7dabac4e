"""Sums over samples of functions of matrices given by their eigendecompositions.

Eigenvectors are stored in the rows, so that the sums over samples are products of
two long matrices, which BLAS forms at full speed.
"""

import numpy as np
from numba import prange

from geolearn.utils._jit import kernel

__all__ = ["BURES", "LOGARITHM", "n_segments", "spectral_apply", "spectral_sums"]

LOGARITHM, BURES = 0, 1
_BLOCK_ENTRIES = 16384  # of a block of matrices, which stays in the second cache
_SEGMENTS = 32  # sums of their own: the result does not depend on the threads
_NEAR = 1e-4  # difference of logarithms below which u/2 coth(u/2) is its series


def n_segments(n_samples: int, n: int) -> int:
    """Return into how many separate sums a chunk is divided."""
    block = max(1, _BLOCK_ENTRIES // (n * n))
    return max(1, min(_SEGMENTS, -(-n_samples // block)))


@kernel(parallel=True)
def spectral_sums(V, f, weight, rows, partial):
    """Store eigenvectors in rows and sum w_i V_i diag(f_i) V_i^T by segments.

    `V` holds eigenvectors in columns, `rows` of shape (n_samples n, n) gets them in
    rows, and partial[s] gets the sum over segment s.
    """
    n_samples, n = f.shape
    segments = partial.shape[0]
    block = max(1, _BLOCK_ENTRIES // (n * n))
    for s in prange(segments):
        start = s * n_samples // segments
        stop = (s + 1) * n_samples // segments
        scaled = np.empty((block * n, n))
        product = np.empty((n, n))
        total = np.zeros((n, n))
        for first in range(start, stop, block):
            last = min(first + block, stop)
            for i in range(first, last):
                at = (i - first) * n
                for a in range(n):
                    factor = weight[i] * f[i, a]
                    for b in range(n):
                        x = V[i, b, a]
                        rows[i * n + a, b] = x
                        scaled[at + a, b] = factor * x
            m = (last - first) * n
            np.dot(scaled[:m].T, rows[first * n : last * n], product)
            total += product
        partial[s] = total


@kernel
def _log_ratios(lam, i, w, T):
    """Multiply T by w h(u), h(u) = u/2 coth(u/2), u the differences of lam[i]."""
    n = lam.shape[1]
    d = np.exp(lam[i] - lam[i].max())
    for a in range(n):
        for b in range(n):
            u = lam[i, a] - lam[i, b]
            near = abs(u) < _NEAR
            gap = 1.0 if near else d[a] - d[b]
            far = 0.5 * u * (d[a] + d[b]) / gap
            T[a, b] *= w * (1.0 + u * u / 12.0 if near else far)


@kernel
def _parallel_sums(sigma, i, w, T):
    """Multiply T by w s_a s_b / (s_a + s_b), s = sigma[i]."""
    n = sigma.shape[1]
    for a in range(n):
        for b in range(n):
            x, y = sigma[i, a], sigma[i, b]
            T[a, b] *= w * (x * y / (x + y) if x + y > 0.0 else 0.0)


@kernel(parallel=True)
def spectral_apply(kind, S, rows, f, weight, partial):
    """Sum w_i V_i (m(f_i) * V_i^T S V_i) V_i^T by segments, * entry by entry.

    The factor m is h of the differences (LOGARITHM) or the parallel sum (BURES).
    """
    n_samples, n = f.shape
    segments = partial.shape[0]
    block = max(1, _BLOCK_ENTRIES // (n * n))
    for s in prange(segments):
        start = s * n_samples // segments
        stop = (s + 1) * n_samples // segments
        left = np.empty((block * n, n))
        T = np.empty((n, n))
        product = np.empty((n, n))
        total = np.zeros((n, n))
        for first in range(start, stop, block):
            last = min(first + block, stop)
            m = (last - first) * n
            np.dot(rows[first * n : last * n], S, left[:m])
            for i in range(first, last):
                at = (i - first) * n
                Q = rows[i * n : (i + 1) * n]
                np.dot(left[at : at + n], Q.T, T)
                if kind == LOGARITHM:
                    _log_ratios(f, i, weight[i], T)
                else:
                    _parallel_sums(f, i, weight[i], T)
                np.dot(T, Q, left[at : at + n])
            np.dot(rows[first * n : last * n].T, left[:m], product)
            total += product
        partial[s] = total
