"""Conjugate gradients for the Newton equation of the affine-invariant mean."""

import numpy as np

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


def conjugate_gradients(apply, G, precondition, target, floor):
    """Solve a positive definite equation on symmetric matrices."""
    S = np.zeros_like(G)
    r = G
    norm = first = float(np.linalg.norm(G))
    z = precondition(r)
    p, rz = z, float(np.sum(r * z))
    for _ in range(_MAX_PRODUCTS):
        if norm <= max(target(S), floor * first):
            break
        q = apply(p)
        alpha = rz / float(np.sum(p * q))
        S = S + alpha * p
        r = r - alpha * q
        norm = float(np.linalg.norm(r))
        z = precondition(r)
        rz, before = float(np.sum(r * z)), rz
        p = z + (rz / before) * p
    return 0.5 * (S + S.T), norm
