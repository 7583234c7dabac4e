"""Factorisations of stacks of small matrices."""

import numpy as np

__all__ = ["cholesky", "congruence", "eigh", "eigvalsh", "triangular_inverse"]


def cholesky(
    X: np.ndarray, *, n_jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Factor each matrix as L L^T and report those that are not positive definite.

    Parameters
    ----------
    X : ndarray of shape (..., n, n)
        Symmetric matrices; only the lower triangles are read.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    factors : ndarray of shape (..., n, n)
        Lower triangular factors L with positive diagonals; NaN where the
        factorisation fails.
    status : ndarray of int of shape (...)
        0 where L is valid, else one plus the index of the first pivot that is not
        above n times the rounding unit times the largest diagonal entry.
    """
    n = X.shape[-1]
    flat = np.ascontiguousarray(X, dtype=np.float64).reshape(-1, n, n)
    L = np.full(flat.shape, np.nan)
    status = np.zeros(len(flat), dtype=np.intp)
    for k, A in enumerate(flat):
        bound = n * np.finfo(float).eps * np.diag(A).max()
        work = np.tril(A).copy()
        for j in range(n):
            pivot = work[j, j] - work[j, :j] @ work[j, :j]
            if not pivot > bound:
                status[k] = j + 1
                break
            work[j, j] = np.sqrt(pivot)
            work[j + 1 :, j] -= work[j + 1 :, :j] @ work[j, :j]
            work[j + 1 :, j] /= work[j, j]
        else:
            L[k] = work
    return L.reshape(X.shape), status.reshape(X.shape[:-2])


def eigh(X: np.ndarray, *, n_jobs: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues in ascending order and orthonormal eigenvectors.

    Parameters
    ----------
    X : ndarray of shape (..., n, n)
        Symmetric matrices; only the lower triangles are read.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    values : ndarray of shape (..., n)
        Eigenvalues.
    vectors : ndarray of shape (..., n, n)
        Eigenvectors in the columns.
    """
    values, vectors = np.linalg.eigh(X)
    return values, vectors


def eigvalsh(X: np.ndarray, *, n_jobs: int | None = None) -> np.ndarray:
    """Return eigenvalues in ascending order.

    Parameters
    ----------
    X : ndarray of shape (..., n, n)
        Symmetric matrices; only the lower triangles are read.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    ndarray of shape (..., n)
        Eigenvalues.
    """
    return np.linalg.eigvalsh(X)


def triangular_inverse(L: np.ndarray, *, n_jobs: int | None = None) -> np.ndarray:
    """Invert lower triangular matrices.

    Parameters
    ----------
    L : ndarray of shape (..., n, n)
        Lower triangular matrices with non-zero diagonals.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    ndarray of shape (..., n, n)
        Lower triangular inverses.
    """
    return np.tril(np.linalg.inv(L))


def congruence(
    W: np.ndarray, X: np.ndarray, *, n_jobs: int | None = None
) -> np.ndarray:
    """Return W X W^T for symmetric X, exactly symmetric.

    Parameters
    ----------
    W : ndarray of shape (..., n, n)
        Matrices; leading axes broadcast against those of `X`.
    X : ndarray of shape (..., n, n)
        Symmetric matrices.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    ndarray of shape (..., n, n)
        Symmetric matrices.
    """
    product = W @ X @ np.swapaxes(W, -1, -2)
    return 0.5 * (product + np.swapaxes(product, -1, -2))
