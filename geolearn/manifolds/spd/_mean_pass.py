"""One pass over the samples: gradient, variance and Hessian of the affine mean."""

from typing import NamedTuple

import numpy as np

from geolearn.linalg import congruence, eigh, triangular_inverse
from geolearn.manifolds.spd._mean_factors import chunk_factors, slices
from geolearn.manifolds.spd._mean_kernels import (
    LOGARITHM,
    n_segments,
    spectral_apply,
    spectral_sums,
)

__all__ = ["AffinePoint", "AffineProblem"]

_HESSIAN_BYTES = 2**28  # of eigenvectors kept for products with the Hessian
_MEAN_H_SAMPLES = 128  # samples from which the mean of h is estimated
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
        self.X, self.weight, self.n_jobs = X, weight, n_jobs
        n_samples, n = X.shape[:2]
        kept = max(1, _HESSIAN_BYTES // (8 * n * n))
        self._stride = -(-n_samples // kept)
        self.exact = self._stride == 1
        self._lam = np.empty((n_samples, n))
        self._rows = np.empty((-(-n_samples // self._stride) * n, n))
        kept_weight = weight[:: self._stride]
        self._kept_weight = kept_weight / kept_weight.sum()

    def evaluate(self, L, factored=False) -> AffinePoint:
        """Pass over the samples at the mean L L^T.

        The factored form takes singular values of L^-1 L_i instead of eigenvalues
        of L^-1 X_i L^-T, and loses half as many digits.
        """
        W = triangular_inverse(L)
        G = np.zeros_like(L)
        for chunk in slices(*self.X.shape[:2]):
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
        Z = congruence(W, self.X[chunk], n_jobs=self.n_jobs)
        values, V = eigh(Z, n_jobs=self.n_jobs)
        if not values.min() > 0.0:  # rounding has swallowed the small eigenvalues
            return None, None
        return np.log(values), V

    def _singular(self, W, chunk):
        factors = chunk_factors(self.X, chunk, self.n_jobs)
        V, sigma, _ = np.linalg.svd(W @ factors)
        return 2.0 * np.log(sigma), V

    def _gather(self, V, lam, chunk):
        n_samples, n = lam.shape
        first = -(-chunk.start // self._stride)
        if self.exact:
            rows = self._rows[chunk.start * n : chunk.stop * n]
        else:
            rows = np.empty((n_samples * n, n))
        partial = np.empty((n_segments(n_samples, n), n, n))
        spectral_sums(V, lam, self.weight[chunk], rows, partial)
        if not self.exact:
            kept = rows.reshape(-1, n, n)[
                first * self._stride - chunk.start :: self._stride
            ]
            self._rows.reshape(-1, n, n)[first : first + len(kept)] = kept
        return partial.sum(axis=0)

    def apply_hessian(self, S):
        """Return H[S] at the last point passed."""
        n = S.shape[0]
        lam = self._lam[:: self._stride]
        partial = np.empty((n_segments(len(lam), n), n, n))
        spectral_apply(
            LOGARITHM,
            S,
            self._rows,
            np.ascontiguousarray(lam),
            self._kept_weight,
            partial,
        )
        H = partial.sum(axis=0)
        return 0.5 * (H + H.T)

    def _mean_h(self):
        # mean over a few samples and a != b: only a preconditioner
        n_samples, n = self._lam.shape
        if n == 1:
            return 1.0
        lam = self._lam[:: -(-n_samples // _MEAN_H_SAMPLES)]
        half = 0.5 * np.abs(lam[:, :, None] - lam[:, None, :])
        half = half[half > 1e-6]
        excess = np.sum(half / np.tanh(half) - 1.0)
        return 1.0 + float(excess) / (len(lam) * n * (n - 1))


def _noise(L, W, weight, ranges, factored):
    """Estimate the rounding error of G, errors of the samples being independent."""
    size = np.abs(W) @ np.abs(L)
    if not factored:
        size = size @ size.T
    exponent = 0.5 * ranges if factored else ranges
    with np.errstate(over="ignore"):
        return _EPS * float(size.max() * np.linalg.norm(weight * np.exp(exponent)))
