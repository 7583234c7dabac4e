"""The mean of symmetric positive definite matrices under the Stein divergence.

The fixed-point map M -> (sum w_i ((M + X_i) / 2)^-1)^-1 of [1]_ halves the error at
best, since even for equal samples it stops half way. Anderson's extrapolation [2]_
of its logarithms takes a third of the passes.

References
----------
.. [1] S. Sra, "Positive definite matrices and the S-divergence", Proc. Amer. Math.
   Soc. 144, 2016, doi:10.1090/proc/12953, arXiv:1110.1773.
.. [2] H. F. Walker, P. Ni, "Anderson acceleration for fixed-point iterations", SIAM
   J. Numer. Anal. 49, 2011, doi:10.1137/10078356X.
"""

from typing import NamedTuple

import numpy as np

from geolearn.linalg import cholesky, congruence, triangular_inverse
from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds.spd._mean_factors import (
    ScaledStack,
    arithmetic_harmonic_start,
    moved_factor,
)
from geolearn.metrics.spd import pencil_distance
from geolearn.utils._threads import matrix_threads

__all__ = ["stein_mean"]

_RELAXATION = 2.0  # for equal samples the plain step goes half way
_CANCELLATION = 1e-6  # variance below which the determinants leave no accuracy
_LARGEST_MOVE = 3.0  # affine-invariant: beyond it secants say little
_MEMORY = 10  # differences that the extrapolation combines
_ROUNDING = 1e-12  # criteria below may be noise
_PATIENCE = 6  # steps without progress after which rounding is to blame


def stein_mean(
    X: np.ndarray,
    weight: np.ndarray,
    *,
    init: np.ndarray | None = None,
    tol: float = 1e-8,
    max_iter: int = 50,
    n_jobs: int | None = None,
) -> FrechetMean:
    """Minimise the weighted mean of squared Stein distances.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n, n)
        Symmetric positive definite matrices.
    weight : ndarray of shape (n_samples,)
        Positive weights of sum 1.
    init : ndarray of shape (n, n), default=None
        Start; None means the geometric mean of the arithmetic and harmonic means of
        the matrices brought to determinant 1.
    tol : float, default=1e-8
        Largest affine-invariant distance from the mean to its image under the
        fixed-point map.
    max_iter : int, default=50
        Largest number of steps.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    FrechetMean
        Mean, variance, number of steps, affine-invariant distance to the image
        under the fixed-point map and whether it is within `tol`.
    """
    with matrix_threads(n_jobs):
        stack = ScaledStack(X, weight, n_jobs)
        L = arithmetic_harmonic_start(stack) if init is None else stack.factor(init)
        point, n_iter = _solve(stack, L, tol, max_iter)
        variance = _variance(stack, point)
    return FrechetMean(
        stack.unscaled(point.L),
        variance,
        n_iter,
        point.criterion,
        bool(point.criterion <= tol),
    )


class _Point(NamedTuple):
    """Hold what a pass has found at the mean L L^T, in the frame of L."""

    L: np.ndarray
    step: np.ndarray  # logarithm of the image under the fixed-point map
    criterion: float
    half: float  # weighted mean of log det((I + Z_i) / 2)


def _evaluate(stack, L):
    """Pass over the samples Z_i = L^-1 X_i L^-T at the mean L L^T."""
    n = len(L)
    W, identity = triangular_inverse(L), np.eye(n)
    K, half = np.zeros((n, n)), 0.0
    for chunk in stack.slices:
        weight = stack.weight[chunk]
        Z = congruence(W, stack.matrices(chunk), n_jobs=stack.n_jobs)
        Z += identity
        Z *= 0.5
        factors, _ = cholesky(Z, n_jobs=stack.n_jobs)
        half += float(weight @ _log_dets(factors))
        rows = triangular_inverse(factors, n_jobs=stack.n_jobs)
        rows *= np.sqrt(weight)[:, None, None]
        rows = rows.reshape(-1, n)
        K += rows.T @ rows
    values, V = np.linalg.eigh(K)
    logs = -np.log(values)
    return _Point(L, (V * logs) @ V.T, float(np.linalg.norm(logs)), half)


def _log_dets(factors):
    return 2.0 * np.log(np.diagonal(factors, axis1=-2, axis2=-1)).sum(axis=-1)


def _variance(stack, point):
    level = sum(
        float(stack.weight[chunk] @ _log_dets(stack.factors(chunk)))
        for chunk in stack.slices
    )
    value = point.half - 0.5 * (level - float(_log_dets(point.L)))
    if value > _CANCELLATION:
        return value
    M = stack.unscaled(point.L)
    total = 0.0
    for chunk in stack.slices:
        d = pencil_distance(
            M, stack.X[chunk], "stein", squared=True, n_jobs=stack.n_jobs
        )
        total += float(stack.weight[chunk] @ d)
    return total


def _solve(stack, L, tol, max_iter):
    point = best = _evaluate(stack, L)
    memory, plain = _Extrapolation(L), False
    n_iter = stalled = 0
    while best.criterion > tol and n_iter < max_iter and stalled < _PATIENCE:
        if plain:
            following = _evaluate(stack, moved_factor(point.L, point.step))
        else:
            following = _evaluate(stack, memory.proposal(point))
        n_iter += 1
        falls = following.criterion < point.criterion
        if plain:  # it converges from everywhere, if not monotonically
            memory = _Extrapolation(following.L)
        if falls or plain:
            point = following
        plain = not (falls or plain)
        # Among rounding errors, the lowest of many draws keeps falling a little.
        share = 0.99 if best.criterion > _ROUNDING else 0.5
        gains = following.criterion < share * best.criterion
        stalled = 0 if gains else stalled + 1
        if point.criterion < best.criterion:
            best = point
    return best, n_iter


class _Extrapolation:
    """Combine the last steps so that their residuals cancel."""

    def __init__(self, L: np.ndarray):
        self._base, self._inverse = L, triangular_inverse(L)
        self._points: list[np.ndarray] = []  # logarithms in the frame of L
        self._residuals: list[np.ndarray] = []

    def proposal(self, point: _Point) -> np.ndarray:
        """Take in a point and return the factor of the next one."""
        H = _logarithm(self._inverse @ point.L)
        image = _logarithm(self._inverse @ moved_factor(point.L, point.step))
        self._points = [*self._points, H][-_MEMORY - 1 :]
        self._residuals = [*self._residuals, image - H][-_MEMORY - 1 :]
        x, f = H, image - H
        if len(self._points) > 1:
            dx = np.stack([x - y for y in self._points[:-1]])
            df = np.stack([f - g for g in self._residuals[:-1]])
            basis = df.reshape(len(df), -1).T
            gamma = np.linalg.lstsq(basis, f.ravel(), rcond=1e-12)[0]
            x = x - np.tensordot(gamma, dx, axes=1)
            f = f - np.tensordot(gamma, df, axes=1)
        move = x + _RELAXATION * f - H
        move *= min(1.0, _LARGEST_MOVE / max(float(np.linalg.norm(move, 2)), 1e-300))
        return moved_factor(self._base, H + move)


def _logarithm(F):
    """Return the logarithm of F F^T."""
    U, sigma, _ = np.linalg.svd(F)
    return (U * (2.0 * np.log(sigma))) @ U.T
