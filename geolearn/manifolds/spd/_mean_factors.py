"""Lower triangular factors of means: updates, geodesics and cheap starts."""

import numpy as np

from geolearn.linalg import cholesky, triangular_inverse

__all__ = ["arithmetic_harmonic_start", "geodesic_factor", "moved_factor", "slices"]

_CHUNK_BYTES = 2**22  # of one array of matrices that a pass holds at a time


def slices(n_samples: int, n: int) -> list[slice]:
    """Divide samples into chunks whose working memory is bounded."""
    size = max(1, _CHUNK_BYTES // (8 * n * n))
    return [slice(i, min(i + size, n_samples)) for i in range(0, n_samples, size)]


def lower(F):
    """Return the lower triangular L of positive diagonal with L L^T = F F^T."""
    R = np.linalg.qr(F.T, mode="r")
    return np.ascontiguousarray((R * np.where(np.diag(R) < 0.0, -1.0, 1.0)[:, None]).T)


def moved_factor(L: np.ndarray, S: np.ndarray) -> np.ndarray:
    """Return the lower triangular factor of L exp(S) L^T.

    The product itself is not formed: its condition number is squared.
    """
    values, V = np.linalg.eigh(S)
    return lower((L @ V) * np.exp(0.5 * values))


def geodesic_factor(L: np.ndarray, K: np.ndarray, t: float) -> np.ndarray:
    """Return the factor of the point at t on the geodesic from L L^T to K K^T."""
    U, sigma, _ = np.linalg.svd(triangular_inverse(L) @ K)
    return lower((L @ U) * sigma**t)


def arithmetic_harmonic_start(
    X: np.ndarray, weight: np.ndarray, n_jobs: int | None
) -> np.ndarray:
    """Return a factor of the geometric mean of the arithmetic and harmonic means.

    The two err by opposite terms of second order. Matrices are brought to
    determinant 1 first, and the mean gets the geometric mean of the determinants,
    which the affine-invariant mean has: outliers in scale do no harm.
    """
    n_samples, n = X.shape[:2]
    arithmetic, harmonic = np.zeros((n, n)), np.zeros((n, n))
    level = 0.0
    for chunk in slices(n_samples, n):
        factors = chunk_factors(X, chunk, n_jobs)
        logs = 2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).mean(axis=1)
        level += float(weight[chunk] @ logs)
        scale = np.exp(logs)
        arithmetic += np.tensordot(weight[chunk] / scale, X[chunk], axes=1)
        rows = triangular_inverse(factors, n_jobs=n_jobs)
        rows = rows * np.sqrt(weight[chunk] * scale)[:, None, None]
        rows = rows.reshape(-1, n)
        harmonic += rows.T @ rows
    L = np.linalg.cholesky(0.5 * (arithmetic + arithmetic.T))
    values, V = np.linalg.eigh(L.T @ harmonic @ L)
    # The harmonic mean is the smaller one; rounding may hide it.
    L = lower((L @ V) * np.maximum(values, 1.0) ** -0.25)
    return L * np.exp(0.5 * level)


def chunk_factors(X: np.ndarray, chunk: slice, n_jobs: int | None) -> np.ndarray:
    """Return Cholesky factors of a chunk of matrices.

    Raises
    ------
    ValueError
        If a matrix is not positive definite.
    """
    factors, status = cholesky(X[chunk], n_jobs=n_jobs)
    if np.any(status):
        bad = chunk.start + int(np.flatnonzero(status)[0])
        raise ValueError(
            f"Matrix {bad} of X is not positive definite; add a ridge to it or drop it."
        )
    return factors
