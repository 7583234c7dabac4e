"""The Bures-Wasserstein mean (barycentre) of symmetric positive definite matrices.

The fixed-point map M -> R M R of [1]_, where R is the weighted mean of the optimal
maps from M, decreases the variance from everywhere; near the mean a Newton step
replaces it.

References
----------
.. [1] P. C. Álvarez-Esteban, E. del Barrio, J. A. Cuesta-Albertos, C. Matrán, "A
   fixed-point approach to barycenters in Wasserstein space", J. Math. Anal. Appl.
   441, 2016, doi:10.1016/j.jmaa.2016.04.045.
"""

from typing import NamedTuple

import numpy as np

from geolearn.linalg import congruence, eigh
from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds.spd._forms import compose, symmetrise
from geolearn.manifolds.spd._mean_factors import definite_factors, left_singular, slices
from geolearn.manifolds.spd._mean_kernels import BURES
from geolearn.manifolds.spd._mean_newton import conjugate_gradients
from geolearn.manifolds.spd._mean_spectra import Spectra
from geolearn.metrics.spd import bures_wasserstein_distance
from geolearn.utils._threads import matrix_threads

__all__ = ["bures_mean"]

_NEWTON_FROM = 0.4  # criterion below which the quadratic model is tried
_LARGEST_STEP = 0.7  # spectral norm of a step I + K that stays well inside the domain
_DOUBTFUL = 1e-2  # criterion below which a failed step means rounding errors
_PATIENCE = 6  # steps without progress after which rounding is to blame
_CHECKED = 8  # samples decomposed twice before the result is believed
_EPS = float(np.finfo(float).eps)
_CANCELLATION = 1e-6  # share of the traces below which they leave no accuracy
_PLAIN_EXPONENT = 100.0  # of two, of the traces: beyond it products could overflow


def bures_mean(
    X: np.ndarray,
    weight: np.ndarray,
    *,
    init: np.ndarray | None = None,
    tol: float = 1e-8,
    max_iter: int = 50,
    n_jobs: int | None = None,
) -> FrechetMean:
    """Minimise the weighted mean of squared Bures-Wasserstein distances.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n, n)
        Symmetric positive definite matrices.
    weight : ndarray of shape (n_samples,)
        Positive weights of sum 1.
    init : ndarray of shape (n, n), default=None
        Start; None means the arithmetic mean.
    tol : float, default=1e-8
        Largest norm of R - I divided by the square root of n, where R is the
        weighted mean of the optimal maps.
    max_iter : int, default=50
        Largest number of steps.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    FrechetMean
        Mean, variance, number of steps, norm of R - I over the square root of n
        and whether it is within `tol`.
    """
    with matrix_threads(n_jobs):
        problem = _Problem(X, weight, n_jobs)
        M = np.tensordot(weight, X, axes=1) if init is None else init
        L = np.linalg.cholesky(M / problem.unit)
        point = problem.evaluate(*_spectrum(L))
        point, n_iter = _solve(problem, point, tol, max_iter)
        M = problem.unit * compose(point.Q, point.m)
        variance = problem.variance(point, M)
    return FrechetMean(
        M, variance, n_iter, point.criterion, bool(point.criterion <= tol)
    )


class _Point(NamedTuple):
    """Hold what a pass has found at Q diag(m) Q^T, in the basis Q.

    The pass is made at another multiple of the matrix; `m` is the best multiple.
    """

    Q: np.ndarray
    m: np.ndarray
    scale: float  # ratio of the square roots of the two multiples
    C: np.ndarray  # mean of (F^T X_i F)^(1/2), F = Q diag(m)^(1/2)
    R: np.ndarray  # mean of the optimal maps
    criterion: float
    factored: bool


class _Problem:
    """Hold the samples, and the eigenvectors of the last pass."""

    def __init__(self, X, weight, n_jobs):
        self.X, self.weight, self.n_jobs = X, weight, n_jobs
        self.trace = float(weight @ np.trace(X, axis1=1, axis2=2))
        exponent = np.round(np.log2(self.trace))
        # Only a power of two leaves the digits as they are.
        self.unit = np.exp2(exponent) if abs(exponent) > _PLAIN_EXPONENT else 1.0
        self.spectra = Spectra(weight, X.shape[1], n_jobs)

    def evaluate(self, m, Q, factored=False) -> _Point:
        """Pass over the samples at Q diag(m) Q^T."""
        F = np.ascontiguousarray((Q * np.sqrt(m)).T)
        C = np.zeros_like(Q)
        for chunk in slices(*self.X.shape[:2]):
            sigma, V = self._roots(F, self.X[chunk], chunk.start, factored)
            C += self.spectra.take(chunk, sigma, V)
        scale = float(np.trace(C) / m.sum())
        m, C = scale**2 * m, scale * symmetrise(C)
        R = C / np.sqrt(m)[:, None] / np.sqrt(m)
        criterion = _size(R - np.eye(len(m)))
        return _Point(Q, m, scale, C, R, criterion, factored)

    def _roots(self, F, X, first, factored):
        """Decompose (F X_i F^T)^(1/2); the factored form loses half as many digits."""
        X = X if self.unit == 1.0 else X / self.unit
        if factored:
            factors = definite_factors(X, first, self.n_jobs)
            V, sigma = left_singular(F, factors, self.n_jobs)
            return sigma, V
        Z = congruence(F, X, n_jobs=self.n_jobs)
        values, V = eigh(Z, n_jobs=self.n_jobs)
        return np.sqrt(np.maximum(values, 0.0)), V

    def accurate(self, point, tol):
        """Tell whether the roots of the last pass allow the tolerance.

        The worst samples are decomposed in both forms; ordinary ones are not.
        """
        sigma = self.spectra.f
        ratio = sigma.min(axis=1) / sigma.max(axis=1)
        worst = np.argsort(ratio)[:_CHECKED]
        if point.factored or ratio[worst[0]] ** 2 * tol >= _EPS:
            return True
        root = np.sqrt(point.m)
        F = np.ascontiguousarray((point.Q * root).T)
        C = [
            (V * s[:, None, :]) @ np.swapaxes(V, 1, 2)
            for s, V in (
                self._roots(F, self.X[worst], 0, form) for form in (False, True)
            )
        ]
        errors = [_size(D / root[:, None] / root) for D in C[1] - C[0]]
        return bool(max(errors) <= tol)

    def variance(self, point, M):
        """Return the weighted mean of squared distances to the mean."""
        value = self.trace + self.unit * (point.m.sum() - 2.0 * np.trace(point.C))
        if value > _CANCELLATION * self.trace:
            return float(value)
        total = 0.0
        for chunk in slices(*self.X.shape[:2]):
            d = bures_wasserstein_distance(
                M, self.X[chunk], squared=True, n_jobs=self.n_jobs
            )
            total += float(self.weight[chunk] @ d)
        return total


def _size(A):
    return float(np.linalg.norm(A) / np.sqrt(len(A)))


def _solve(problem, point, tol, max_iter):
    best, n_iter, stalled = point, 0, 0
    newton = True
    while stalled < _PATIENCE:
        if best.criterion <= tol:
            if problem.accurate(best, tol):
                break
            best = point = problem.evaluate(best.m, best.Q, factored=True)
            newton = True
            continue
        if n_iter >= max_iter:
            break
        K = _newton(problem, point, tol) if newton else None
        tried = K is not None
        if K is None:
            K = point.R - np.eye(len(point.m))
        following = problem.evaluate(*_moved(point, K), factored=point.factored)
        n_iter += 1
        falls = following.criterion < 0.9 * point.criterion
        stalled = 0 if _gains(following, best) else stalled + 1
        if following.criterion < best.criterion:
            best = following
        if not falls and not point.factored and point.criterion < _DOUBTFUL:
            best = point = problem.evaluate(best.m, best.Q, factored=True)
            newton, stalled = True, 0
            continue
        # After a Newton step that failed the plain map follows: it decreases the
        # variance for certain.
        newton = falls or not tried
        if newton:
            point = following
    return best, n_iter


def _gains(following, best):
    wanted = 0.9 if best.criterion < _DOUBTFUL else 1.0
    return following.criterion < wanted * best.criterion


def _spectrum(F):
    """Return the eigenvalues, ascending, and eigenvectors of F F^T."""
    U, sigma, _ = np.linalg.svd(F)
    return sigma[::-1] ** 2, U[:, ::-1]


def _moved(point, K):
    """Return the eigendecomposition of (I + K) M (I + K)."""
    m, U = _spectrum((np.eye(len(K)) + K) * np.sqrt(point.m))
    return m, point.Q @ U


def _newton(problem, point, tol):
    """Return the step K of Newton's method on the manifold, or None.

    With F^T K F = B * p, p_ab = m_a m_b / (m_a + m_b), the variance along
    (I + tK) M (I + tK) has a quadratic model in B whose operator is the mean of the
    samples' operators plus a term of I - R.
    """
    if point.criterion > _NEWTON_FROM:
        return None
    m = point.m
    root = np.sqrt(m)[:, None] * np.sqrt(m)
    p = m[:, None] * m / (m[:, None] + m)
    bend = (np.eye(len(m)) - point.R) / root

    def apply(B):
        J = p * B
        # The eigenvectors are those of the pass; parallel sums scale as sigma does.
        return point.scale * problem.spectra.apply(BURES, B) + p * (bend @ J + J @ bend)

    def target(B):
        # error of the quadratic model, in the norm of the criterion
        length = _size(p * B / root)
        return max(0.2 * tol, 0.1 * point.criterion * length)

    floor = 1e-12 if problem.spectra.exact else 1e-3
    B, _ = conjugate_gradients(
        apply,
        point.C - np.diag(m),
        lambda A: A / p,
        target,
        floor,
        norm=lambda A: _size(A / root),
    )
    if B is None:
        return None
    K = p * B / root
    return K if np.linalg.norm(K, 2) <= _LARGEST_STEP else None
