"""Lower triangular factors of means: updates, geodesics and cheap starts."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from geolearn.linalg import cholesky, triangular_inverse
from geolearn.manifolds.spd._chunks import pieces
from geolearn.manifolds.spd._forms import gram, symmetrise
from geolearn.utils._threads import resolve_threads

__all__ = [
    "ScaledStack",
    "arithmetic_harmonic_start",
    "definite_factors",
    "geodesic_factor",
    "left_singular",
    "moved_factor",
    "slices",
]

_CHUNK_BYTES = 2**22  # of one array of matrices that a pass holds at a time
_TINY = np.finfo(float).tiny
_PLAIN_EXPONENT = 30.0  # of two: diagonal entries that need no scaling


def slices(n_samples: int, n: int) -> list[slice]:
    """Divide samples into chunks whose working memory is bounded."""
    return pieces(n_samples, 8 * n * n, _CHUNK_BYTES)


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


def left_singular(
    W: np.ndarray, factors: np.ndarray, n_jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return left singular vectors (columns) and singular values of W L_i."""
    threads = resolve_threads(n_jobs)
    if threads == 1 or len(factors) < threads:
        V, sigma, _ = np.linalg.svd(W @ factors)
        return V, sigma
    with ThreadPoolExecutor(threads) as pool:  # LAPACK releases the interpreter
        parts = list(
            pool.map(
                lambda part: np.linalg.svd(W @ part)[:2],
                np.array_split(factors, threads),
            )
        )
    return np.concatenate([V for V, _ in parts]), np.concatenate([s for _, s in parts])


def definite_factors(X: np.ndarray, first: int, n_jobs: int | None) -> np.ndarray:
    """Return Cholesky factors of matrices that are definite, by however little.

    Raises
    ------
    ValueError
        If a matrix is not positive definite; it is counted from `first`.
    """
    factors, status = cholesky(X, n_jobs=n_jobs)
    for i in np.flatnonzero(status):  # definite, but for the margin asked there
        try:
            factors[i] = np.linalg.cholesky(X[i])
        except np.linalg.LinAlgError as error:
            raise ValueError(
                f"Matrix {first + i} of X is not positive definite; add a ridge to it "
                "or drop it."
            ) from error
    return factors


class ScaledStack:
    """Hand out chunks of matrices D^-1 X_i D^-1 with entries of common magnitude.

    D is a diagonal of powers of two: no rounding. The affine-invariant mean of the
    chunks is D^-1 M D^-1. Without it, eigenvalues of channels of
    different units cancel.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n, n)
        Symmetric positive definite matrices.
    weight : ndarray of shape (n_samples,)
        Positive weights of sum 1.
    n_jobs : int or None
        Number of threads.
    """

    def __init__(self, X: np.ndarray, weight: np.ndarray, n_jobs: int | None):
        self.X, self.weight, self.n_jobs = X, weight, n_jobs
        diagonals = np.diagonal(X, axis1=1, axis2=2)
        exponents = weight @ np.log2(np.maximum(diagonals, _TINY))
        self.scale = np.exp2(np.round(0.5 * exponents))
        self.plain = bool(np.max(np.abs(exponents)) <= _PLAIN_EXPONENT)
        if self.plain:
            self.scale = np.ones(X.shape[1])

    @property
    def slices(self) -> list[slice]:
        """Chunks of samples."""
        return slices(*self.X.shape[:2])

    def matrices(self, chunk: slice) -> np.ndarray:
        """Return scaled matrices."""
        X = self.X[chunk]
        return X if self.plain else X / self.scale[:, None] / self.scale

    def factors(self, chunk: slice) -> np.ndarray:
        """Return Cholesky factors of scaled matrices."""
        return definite_factors(self.matrices(chunk), chunk.start, self.n_jobs)

    def factor(self, M: np.ndarray) -> np.ndarray:
        """Return the Cholesky factor of one matrix after scaling."""
        return np.linalg.cholesky(M / self.scale[:, None] / self.scale)

    def unscaled(self, L: np.ndarray) -> np.ndarray:
        """Return the matrix whose scaled factor is L."""
        return gram(self.scale[:, None] * L)


def arithmetic_harmonic_start(stack: ScaledStack) -> np.ndarray:
    """Return a factor of the geometric mean of the arithmetic and harmonic means.

    The two err by opposite terms of second order. Matrices are brought to
    determinant 1 first, and the mean gets the geometric mean of the determinants,
    which the affine-invariant mean has: outliers in scale do no harm.
    """
    n = stack.X.shape[1]
    arithmetic, harmonic = np.zeros((n, n)), np.zeros((n, n))
    level = 0.0
    for chunk in stack.slices:
        factors, weight = stack.factors(chunk), stack.weight[chunk]
        logs = 2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).mean(axis=1)
        level += float(weight @ logs)
        scale = np.exp(logs)
        arithmetic += np.tensordot(weight / scale, stack.matrices(chunk), axes=1)
        rows = triangular_inverse(factors, n_jobs=stack.n_jobs)
        rows *= np.sqrt(weight * scale)[:, None, None]
        rows = rows.reshape(-1, n)
        harmonic += rows.T @ rows
    L = np.linalg.cholesky(symmetrise(arithmetic))
    values, V = np.linalg.eigh(L.T @ harmonic @ L)
    # The harmonic mean is the smaller one; rounding may hide it.
    L = lower((L @ V) * np.maximum(values, 1.0) ** -0.25)
    return L * np.exp(0.5 * level)
