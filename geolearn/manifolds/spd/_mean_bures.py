"""The Bures-Wasserstein mean of symmetric positive definite matrices."""

import numpy as np

from geolearn.manifolds._mean import FrechetMean

__all__ = ["bures_mean"]


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
        Start.
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
    M = np.tensordot(weight, X, axes=1) if init is None else init
    n = M.shape[0]
    trace = float(weight @ np.trace(X, axis1=1, axis2=2))
    n_iter = 0
    while True:
        values, V = np.linalg.eigh(M)
        root = (V * np.sqrt(values)) @ V.T
        inverse = (V / np.sqrt(values)) @ V.T
        lam, U = np.linalg.eigh(root @ X @ root)
        T = (U * np.sqrt(lam)[:, None, :]) @ np.swapaxes(U, 1, 2)
        T = np.tensordot(weight, T, axes=1)
        variance = float(trace + np.trace(M) - 2.0 * np.trace(T))
        R = inverse @ T @ inverse
        norm = float(np.linalg.norm(R - np.eye(n)) / np.sqrt(n))
        if norm <= tol or n_iter >= max_iter:
            break
        M = R @ M @ R
        M = 0.5 * (M + M.T)
        n_iter += 1
    return FrechetMean(M, max(variance, 0.0), n_iter, norm, norm <= tol)
