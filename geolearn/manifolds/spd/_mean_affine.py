"""The affine-invariant (Karcher) mean of symmetric positive definite matrices."""

import numpy as np

from geolearn.manifolds._mean import FrechetMean

__all__ = ["affine_mean"]

_MAX_HALVINGS = 40


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
        Start.
    tol : float, default=1e-8
        Largest length of the gradient, which bounds the affine-invariant distance
        to the mean.
    max_iter : int, default=50
        Largest number of steps.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    FrechetMean
        Mean, variance, number of steps, length of the gradient and whether it is
        within `tol`.
    """
    M = np.tensordot(weight, X, axes=1) if init is None else init
    state = _evaluate(M, X, weight)
    n_iter = 0
    while state[2] > tol and n_iter < max_iter:
        L, G, norm, variance, mean_h = state
        step = G / mean_h
        for _ in range(_MAX_HALVINGS):
            values, V = np.linalg.eigh(step)
            trial = L @ (V * np.exp(values)) @ V.T @ L.T
            following = _evaluate(0.5 * (trial + trial.T), X, weight)
            if following[2] < norm or following[3] < variance * (1.0 - 1e-14):
                break
            step = 0.5 * step
        else:
            break
        M, state = 0.5 * (trial + trial.T), following
        n_iter += 1
    return FrechetMean(M, state[3], n_iter, state[2], bool(state[2] <= tol))


def _evaluate(M, X, weight):
    L = np.linalg.cholesky(M)
    W = np.linalg.inv(L)
    Z = W @ X @ W.T
    values, V = np.linalg.eigh(0.5 * (Z + np.swapaxes(Z, 1, 2)))
    values = np.log(values)
    logs = (V * values[:, None, :]) @ np.swapaxes(V, 1, 2)
    G = np.tensordot(weight, logs, axes=1)
    variance = float(weight @ np.sum(values**2, axis=1))
    u = values[:, :, None] - values[:, None, :]
    safe = np.where(np.abs(u) < 1e-8, 1.0, u)
    h = np.where(np.abs(u) < 1e-8, 1.0, 0.5 * safe / np.tanh(0.5 * safe))
    mean_h = float(weight @ h.mean(axis=(1, 2)))
    return L, G, float(np.linalg.norm(G)), variance, mean_h
