"""Conjugate gradients for the Newton equation of the affine-invariant mean."""

import numpy as np

from geolearn.manifolds.spd._forms import symmetrise

__all__ = ["conjugate_gradients", "newton_step"]

_MAX_PRODUCTS = 40
_FORCING = 0.3  # share of the expected error of the step that the solver may add


def newton_step(problem, point, curvature: float, tol: float):
    """Solve H[S] = G as exactly as the quadratic model deserves.

    Parameters
    ----------
    problem : AffineProblem
        Samples.
    point : AffinePoint
        Gradient and operator at the current mean.
    curvature : float
        Expected gradient after the exact step, over the squared length of the step.
    tol : float
        Wanted length of the gradient.

    Returns
    -------
    step : ndarray of shape (n, n)
        Symmetric S in the frame of the factor.
    residual : float
        Norm of G - H[S].
    """
    n = len(point.G)
    identity = np.eye(n) / n
    mean_h = point.mean_h

    def precondition(A):
        trace = np.trace(A) * identity  # H maps multiples of the identity to themselves
        return (A - trace) / mean_h + trace

    def target(S):
        return max(0.2 * tol, _FORCING * curvature * float(np.sum(S * S)))

    floor = 1e-12 if problem.exact else 1e-3
    return conjugate_gradients(
        problem.apply_hessian, point.G, precondition, target, floor
    )


def conjugate_gradients(apply, G, precondition, target, floor, norm=np.linalg.norm):
    """Solve a positive definite equation on symmetric matrices.

    Parameters
    ----------
    apply : callable
        The operator.
    G : ndarray of shape (n, n)
        Right-hand side.
    precondition : callable
        Approximate inverse of the operator.
    target : callable
        Norm of the residual at which to stop, given the solution so far.
    floor : float
        Smallest ratio of norms of residuals that is worth the effort.
    norm : callable, default=np.linalg.norm
        Norm of residuals.

    Returns
    -------
    solution : ndarray of shape (n, n) or None
        None where the operator turns out not to be positive definite.
    residual : float
        Norm of the residual.
    """
    S = np.zeros_like(G)
    r = G
    size = first = float(norm(G))
    z = precondition(r)
    p, rz = z, float(np.sum(r * z))
    for _ in range(_MAX_PRODUCTS):
        if size <= max(target(S), floor * first):
            break
        q = apply(p)
        curvature = float(np.sum(p * q))
        if not curvature > 0.0:
            return None, size
        S = S + (rz / curvature) * p
        r = r - (rz / curvature) * q
        size = float(norm(r))
        z = precondition(r)
        rz, before = float(np.sum(r * z)), rz
        p = z + (rz / before) * p
    return symmetrise(S), size
