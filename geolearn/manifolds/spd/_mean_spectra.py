"""Eigendecompositions of a pass over the samples, kept for products with a Hessian."""

import numpy as np

from geolearn.manifolds.spd._forms import symmetrise
from geolearn.manifolds.spd._mean_kernels import (
    n_segments,
    spectral_apply,
    spectral_sums,
)
from geolearn.utils._threads import numba_threads

__all__ = ["Spectra", "spread_out"]

_HESSIAN_BYTES = 2**28  # of eigenvectors kept
_WORTH_THREADS = 5e7  # operations; for fewer, idle threads burn more than they do
_GOLDEN = 0.6180339887498949


class Spectra:
    """Sum functions of matrices in one pass and keep their eigenvectors.

    When the eigenvectors take too much memory, those of a part of the samples are
    kept, and the Hessian is that of the part.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,)
        Positive weights of sum 1.
    n : int
        Size of the matrices.
    n_jobs : int or None
        Number of threads.

    Attributes
    ----------
    exact : bool
        Whether all eigenvectors are kept.
    f : ndarray of shape (n_samples, n)
        Values of the function on the eigenvalues of all samples.
    """

    def __init__(self, weight: np.ndarray, n: int, n_jobs: int | None):
        n_samples = len(weight)
        self._n_jobs = n_jobs
        self._weight = weight
        self._kept = spread_out(n_samples, max(1, _HESSIAN_BYTES // (8 * n * n)))
        self.exact = len(self._kept) == n_samples
        self.f = np.empty((n_samples, n))
        self._rows = np.empty((len(self._kept) * n, n))
        self._kept_weight = weight[self._kept] / weight[self._kept].sum()

    def take(self, chunk: slice, f: np.ndarray, V: np.ndarray) -> np.ndarray:
        """Take in a chunk and return the sum of w_i V_i diag(f_i) V_i^T over it."""
        n_samples, n = f.shape
        self.f[chunk] = f
        first, last = np.searchsorted(self._kept, (chunk.start, chunk.stop))
        kept = self._rows[first * n : last * n]
        rows = kept if self.exact else np.empty((n_samples * n, n))
        partial = np.empty((n_segments(n_samples, n), n, n))
        with self._threads(2 * f.size * n**2):
            spectral_sums(V, f, self._weight[chunk], rows, partial)
        if not self.exact:
            chosen = self._kept[first:last] - chunk.start
            kept.reshape(-1, n, n)[:] = rows.reshape(-1, n, n)[chosen]
        return partial.sum(axis=0)

    def apply(self, kind: int, S: np.ndarray) -> np.ndarray:
        """Return the sum of w_i V_i (m(f_i) * V_i^T S V_i) V_i^T; see the kernel."""
        n = S.shape[0]
        f = self.f if self.exact else self.f[self._kept]
        partial = np.empty((n_segments(len(f), n), n, n))
        with self._threads(8 * f.size * n**2):
            spectral_apply(kind, S, self._rows, f, self._kept_weight, partial)
        return symmetrise(partial.sum(axis=0))

    def _threads(self, operations):
        return numba_threads(self._n_jobs if operations > _WORTH_THREADS else 1)


def spread_out(n_samples: int, n_kept: int) -> np.ndarray:
    """Return at most `n_kept` indices, evenly spread but of no fixed period."""
    if n_kept >= n_samples:
        return np.arange(n_samples)
    i = np.arange(n_kept)
    return ((i + (i * _GOLDEN) % 1.0) * (n_samples / n_kept)).astype(np.intp)
