"""One pass over the samples: gradient, variance and Hessian of the affine mean."""

from typing import NamedTuple

import numpy as np

from geolearn.linalg import congruence, eigh, triangular_inverse
from geolearn.manifolds.spd._mean_factors import ScaledStack
from geolearn.manifolds.spd._mean_kernels import (
    LOGARITHM,
    n_segments,
    spectral_apply,
    spectral_sums,
)

__all__ = ["AffinePoint", "AffineProblem"]

_HESSIAN_BYTES = 2**28  # of eigenvectors kept for products with the Hessian
_MEAN_H_SAMPLES = 128  # samples from which the mean of h is estimated
_GOLDEN = 0.6180339887498949
_EPS = float(np.finfo(float).eps)


class AffinePoint(NamedTuple):
    """Hold what a pass has found at the mean L L^T, in the frame of L."""

    L: np.ndarray
    G: np.ndarray  # weighted mean of the logarithms
    gradient_norm: float
    variance: float
    spread: float  # weighted mean of the ranges of the logarithms' eigenvalues
    mean_h: float
    noise: float  # estimated rounding error of G
    factored: bool


class AffineProblem:
    """Hold the samples, and the eigenvectors of the last pass.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n, n)
        Symmetric positive definite matrices.
    weight : ndarray of shape (n_samples,)
        Positive weights of sum 1.
    n_jobs : int or None
        Number of threads.
    """

    def __init__(self, X, weight, n_jobs):
        self.stack = ScaledStack(X, weight, n_jobs)
        self.X, self.weight, self.n_jobs = X, weight, n_jobs
        n_samples, n = X.shape[:2]
        self._kept = _spread_out(n_samples, max(1, _HESSIAN_BYTES // (8 * n * n)))
        self.exact = len(self._kept) == n_samples
        self._lam = np.empty((n_samples, n))
        self._rows = np.empty((len(self._kept) * n, n))
        self._kept_weight = weight[self._kept] / weight[self._kept].sum()

    def evaluate(self, L, factored=False) -> AffinePoint:
        """Pass over the samples at the mean L L^T.

        The factored form takes singular values of L^-1 L_i instead of eigenvalues
        of L^-1 X_i L^-T, and loses half as many digits.
        """
        W = triangular_inverse(L)
        G = np.zeros_like(L)
        for chunk in self.stack.slices:
            lam, V = (self._singular if factored else self._eigen)(W, chunk)
            if lam is None:
                return self.evaluate(L, factored=True)
            self._lam[chunk] = lam
            G += self._gather(V, lam, chunk)
        G = 0.5 * (G + G.T)
        lam, weight = self._lam, self.weight
        ranges = lam.max(axis=1) - lam.min(axis=1)
        return AffinePoint(
            L,
            G,
            float(np.linalg.norm(G)),
            float(weight @ np.sum(lam * lam, axis=1)),
            float(weight @ ranges),
            self._mean_h(),
            _noise(L, W, weight, ranges, factored),
            factored,
        )

    def _eigen(self, W, chunk):
        Z = congruence(W, self.stack.matrices(chunk), n_jobs=self.n_jobs)
        values, V = eigh(Z, n_jobs=self.n_jobs)
        if not values.min() > 0.0:  # rounding has swallowed the small eigenvalues
            return None, None
        return np.log(values), V

    def _singular(self, W, chunk):
        V, sigma, _ = np.linalg.svd(W @ self.stack.factors(chunk))
        return 2.0 * np.log(sigma), V

    def _gather(self, V, lam, chunk):
        n_samples, n = lam.shape
        first, last = np.searchsorted(self._kept, (chunk.start, chunk.stop))
        kept = self._rows[first * n : last * n]
        rows = kept if self.exact else np.empty((n_samples * n, n))
        partial = np.empty((n_segments(n_samples, n), n, n))
        spectral_sums(V, lam, self.weight[chunk], rows, partial)
        if not self.exact:
            chosen = self._kept[first:last] - chunk.start
            kept.reshape(-1, n, n)[:] = rows.reshape(-1, n, n)[chosen]
        return partial.sum(axis=0)

    def apply_hessian(self, S):
        """Return H[S] at the last point passed."""
        n = S.shape[0]
        lam = self._lam if self.exact else self._lam[self._kept]
        partial = np.empty((n_segments(len(lam), n), n, n))
        spectral_apply(LOGARITHM, S, self._rows, lam, self._kept_weight, partial)
        H = partial.sum(axis=0)
        return 0.5 * (H + H.T)

    def _mean_h(self):
        # mean over a few samples and a != b: only a preconditioner
        n_samples, n = self._lam.shape
        if n == 1:
            return 1.0
        lam = self._lam[_spread_out(n_samples, _MEAN_H_SAMPLES)]
        half = 0.5 * np.abs(lam[:, :, None] - lam[:, None, :])
        half = half[half > 1e-6]
        excess = np.sum(half / np.tanh(half) - 1.0)
        return 1.0 + float(excess) / (len(lam) * n * (n - 1))


def _spread_out(n_samples, n_kept):
    """Return at most `n_kept` indices, evenly spread but of no fixed period."""
    if n_kept >= n_samples:
        return np.arange(n_samples)
    i = np.arange(n_kept)
    return ((i + (i * _GOLDEN) % 1.0) * (n_samples / n_kept)).astype(np.intp)


def _noise(L, W, weight, ranges, factored):
    """Estimate the rounding error of G, errors of the samples being independent."""
    size = np.abs(W) @ np.abs(L)
    if not factored:
        size = size @ size.T
    exponent = 0.5 * ranges if factored else ranges
    with np.errstate(over="ignore"):
        return _EPS * float(size.max() * np.linalg.norm(weight * np.exp(exponent)))
