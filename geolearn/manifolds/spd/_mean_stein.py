"""The mean of symmetric positive definite matrices under the Stein divergence."""

import numpy as np

from geolearn.manifolds._mean import FrechetMean

__all__ = ["stein_mean"]


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
        Start.
    tol : float, default=1e-8
        Largest affine-invariant distance to the next iterate of the fixed-point
        map.
    max_iter : int, default=50
        Largest number of steps.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    FrechetMean
        Mean, variance, number of steps, affine-invariant distance to the next
        iterate and whether it is within `tol`.
    """
    M = np.tensordot(weight, X, axes=1) if init is None else init
    n_iter = 0
    logdet = float(weight @ np.linalg.slogdet(X)[1])
    while True:
        middle = 0.5 * (M + X)
        inverse = np.tensordot(weight, np.linalg.inv(middle), axes=1)
        L = np.linalg.cholesky(M)
        # The next iterate is the inverse of `inverse`; in the frame of M:
        values, V = np.linalg.eigh(L.T @ inverse @ L)
        norm = float(np.linalg.norm(np.log(values)))
        if norm <= tol or n_iter >= max_iter:
            break
        M = L @ (V / values) @ V.T @ L.T
        M = 0.5 * (M + M.T)
        n_iter += 1
    halves = float(weight @ np.linalg.slogdet(middle)[1])
    variance = halves - 0.5 * (logdet + float(np.linalg.slogdet(M)[1]))
    return FrechetMean(M, max(variance, 0.0), n_iter, norm, norm <= tol)
