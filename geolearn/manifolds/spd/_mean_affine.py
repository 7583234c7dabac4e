"""The affine-invariant (Karcher) mean of symmetric positive definite matrices.

Newton's method with conjugate gradients in the frame of the current mean [1]_.

References
----------
.. [1] R. Ferreira, J. Xavier, J. P. Costeira, V. Barroso, "Newton algorithms for
   Riemannian distance related problems on connected locally symmetric manifolds",
   IEEE J. Sel. Top. Signal Process. 7, 2013, doi:10.1109/JSTSP.2013.2261799.
"""

import numpy as np

from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds.spd._mean_factors import (
    arithmetic_harmonic_start,
    geodesic_factor,
    moved_factor,
)
from geolearn.manifolds.spd._mean_newton import newton_step
from geolearn.manifolds.spd._mean_pass import AffinePoint, AffineProblem
from geolearn.utils._threads import matrix_threads

__all__ = ["affine_mean"]

_ARMIJO = 1e-4
_MAX_HALVINGS = 12
# For logarithms with eigenvalues at most u apart, the gradient after a step S
# differs from its linear model by at most 0.18 u ||S||^2 (found by maximising over
# S for n <= 6; u sqrt(2)/8 in the limit of large u for n = 2).
_REMAINDER = 0.2
# Part of the remainder that the samples leave after cancelling, before it is seen.
_FIRST_CURVATURE = 1e-3
_NOISY = 100.0  # gradients below this many rounding errors need the factored form


def affine_mean(
    X: np.ndarray,
    weight: np.ndarray,
    *,
    init: np.ndarray | None = None,
    tol: float = 1e-8,
    max_iter: int = 50,
    n_jobs: int | None = None,
) -> FrechetMean:
    """Minimise the weighted mean of squared affine-invariant distances.

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
        Largest length of the gradient. It bounds the affine-invariant distance to
        the mean, since half the variance is 1-strongly convex.
    max_iter : int, default=50
        Largest number of steps.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    FrechetMean
        Mean, variance, number of steps, bound of the length of the gradient and
        whether it is within `tol`.
    """
    with matrix_threads(n_jobs):
        problem = AffineProblem(X, weight, n_jobs)
        L = _start(problem.stack, init)
        result = _solve(problem, L, tol, max_iter)
    return result._replace(mean=problem.stack.unscaled(result.mean))


def _start(stack, init):
    n_samples = len(stack.X)
    if init is not None:
        return stack.factor(init)
    if n_samples == 1:
        return stack.factor(stack.X[0])
    if n_samples == 2:
        L, K = stack.factors(slice(0, 2))
        return geodesic_factor(L, K, float(stack.weight[1]))
    return arithmetic_harmonic_start(stack)


def _solve(problem, L, tol, max_iter):
    """Return the result with the factor of the scaled mean in place of the mean."""
    point = problem.evaluate(L)
    n_iter = 0
    curvature = _FIRST_CURVATURE * point.spread
    while True:
        trusted = point.factored or point.noise <= 0.1 * tol
        if trusted and point.gradient_norm <= tol:
            break
        if not trusted and point.gradient_norm <= max(tol, _NOISY * point.noise):
            point = problem.evaluate(point.L, factored=True)
            continue
        if n_iter >= max_iter:
            break
        S, residual = newton_step(problem, point, curvature, tol)
        length = float(np.linalg.norm(S))
        bound = residual + _REMAINDER * point.spread * length**2
        if problem.exact and bound <= tol and point.noise <= 0.1 * tol:
            return _last_step(point, S, bound, n_iter + 1)
        following = _line_search(problem, point, S, residual, curvature, tol)
        if following is not None:
            change = (following.gradient_norm - residual) / length**2
            curvature = min(max(change, 0.1 * curvature), _REMAINDER * following.spread)
            point = following
            n_iter += 1
        elif point.factored:
            break
        else:
            point = problem.evaluate(point.L, factored=True)
    return _result(
        point.L, point.variance, n_iter, point.gradient_norm, point.gradient_norm <= tol
    )


def _last_step(point, S, bound, n_iter):
    """Take a step after which the gradient is below the tolerance for certain."""
    variance = point.variance - float(np.sum(point.G * S))
    return _result(moved_factor(point.L, S), variance, n_iter, bound, True)


def _result(L, variance, n_iter, gradient_norm, converged):
    return FrechetMean(L, variance, n_iter, gradient_norm, bool(converged))


def _line_search(problem, point: AffinePoint, S, residual, curvature, tol):
    """Return the first acceptable point along S, or None at the rounding level."""
    slope = float(np.sum(point.G * S))
    step = 1.0
    for _ in range(_MAX_HALVINGS):
        expected = residual + curvature * float(np.sum(S * S))
        noisy = point.noise > 0.1 * tol and expected <= _NOISY * point.noise
        following = problem.evaluate(
            moved_factor(point.L, step * S), factored=point.factored or noisy
        )
        if _accept(point, following, step * slope):
            return following
        if point.gradient_norm <= _NOISY * point.noise:
            return None
        step *= 0.5
    return None


def _accept(point, following, slope):
    fall = 0.5 * (point.variance - following.variance)
    ceiling = 1e-12 * point.variance  # falls below it may be rounding
    if fall >= _ARMIJO * slope and slope > ceiling:
        return True
    return following.gradient_norm <= 0.9 * point.gradient_norm and fall >= -ceiling
