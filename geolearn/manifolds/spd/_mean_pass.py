"""One pass over the samples: gradient, variance and Hessian of the affine mean."""

from typing import NamedTuple

import numpy as np

from geolearn.linalg import congruence, eigh, triangular_inverse
from geolearn.manifolds.spd._forms import symmetrise
from geolearn.manifolds.spd._mean_factors import ScaledStack, left_singular
from geolearn.manifolds.spd._mean_kernels import LOGARITHM
from geolearn.manifolds.spd._mean_spectra import Spectra, spread_out

__all__ = ["AffinePoint", "AffineProblem"]

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
        self.stack = ScaledStack(X, weight, n_jobs)
        self.X, self.weight, self.n_jobs = X, weight, n_jobs
        self._spectra = Spectra(weight, X.shape[1], n_jobs)
        self.exact = self._spectra.exact

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
            G += self._spectra.take(chunk, lam, V)
        G = symmetrise(G)
        lam, weight = self._spectra.f, self.weight
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
        V, sigma = left_singular(W, self.stack.factors(chunk), self.n_jobs)
        return 2.0 * np.log(sigma), V

    def apply_hessian(self, S):
        """Return H[S] at the last point passed."""
        return self._spectra.apply(LOGARITHM, S)

    def _mean_h(self):
        # mean over a few samples and a != b: only a preconditioner
        n_samples, n = self._spectra.f.shape
        if n == 1:
            return 1.0
        lam = self._spectra.f[spread_out(n_samples, _MEAN_H_SAMPLES)]
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
