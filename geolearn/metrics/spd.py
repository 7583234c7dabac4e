"""Distances between symmetric positive definite matrices.

The affine-invariant distance, Stein, Thompson, Kullback-Leibler and Jeffreys
divergences are functions of the logarithms mu of the eigenvalues of A^-1 B.
"""

import numpy as np

from geolearn.linalg import cholesky, congruence, triangular_inverse

__all__ = [
    "bures_wasserstein_distance",
    "bures_wasserstein_table",
    "log_eigenvalues",
    "pencil_distance",
    "pencil_table",
]


def log_eigenvalues(A, B, *, n_jobs=None):
    """Return the logarithms of the eigenvalues of A^-1 B, ascending.

    Parameters
    ----------
    A : ndarray of shape (..., n, n)
        SPD matrices; leading axes broadcast against those of `B`.
    B : ndarray of shape (..., n, n)
        SPD matrices.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    ndarray of shape (..., n)
        Log-eigenvalues mu.
    """
    W = triangular_inverse(cholesky(A)[0])
    return np.log1p(np.linalg.eigvalsh(congruence(W, B - A)))


def _reduce(mu, kind, alpha, beta):
    if kind == "affine_invariant":
        return alpha * np.sum(mu**2, axis=-1) + beta * np.sum(mu, axis=-1) ** 2
    if kind == "stein":
        return np.sum(np.log1p(2.0 * np.sinh(mu / 4.0) ** 2), axis=-1)
    if kind == "thompson":
        return np.max(np.abs(mu), axis=-1) ** 2
    if kind == "kullback_leibler":
        return 0.5 * np.sum(np.expm1(-mu) + mu, axis=-1)
    return np.sum(2.0 * np.sinh(mu / 2.0) ** 2, axis=-1)  # jeffreys


def pencil_distance(A, B, kind, *, alpha=1.0, beta=0.0, squared=False, n_jobs=None):
    """Return the distances of matrices paired by broadcasting.

    Parameters
    ----------
    A : ndarray of shape (..., n, n)
        SPD matrices.
    B : ndarray of shape (..., n, n)
        SPD matrices; leading axes broadcast against those of `A`.
    kind : {"affine_invariant", "stein", "thompson", "kullback_leibler", "jeffreys"}
        Function of the log-eigenvalues. The last two are divergences, which are
        returned as they are, never squared or rooted.
    alpha : float, default=1.0
        Weight of the sum of squares, "affine_invariant" only.
    beta : float, default=0.0
        Weight of the squared sum, "affine_invariant" only.
    squared : bool, default=False
        Whether to return squared distances; ignored for divergences.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    ndarray of shape (...)
        Distances.
    """
    value = _reduce(log_eigenvalues(A, B, n_jobs=n_jobs), kind, alpha, beta)
    return (
        value if squared or kind in ("kullback_leibler", "jeffreys") else np.sqrt(value)
    )


def pencil_table(
    X, Y, kind, *, alpha=1.0, beta=0.0, squared=False, n_jobs=None, out=None
):
    """Fill the table of distances between all matrices of `X` and of `Y`.

    Parameters
    ----------
    X : ndarray of shape (n_x, n, n)
        SPD matrices.
    Y : ndarray of shape (n_y, n, n) or None
        SPD matrices; None stands for `X`, halves the work where the distance is
        symmetric and makes the diagonal exactly zero.
    kind : {"affine_invariant", "stein", "thompson", "kullback_leibler", "jeffreys"}
        As in `pencil_distance`.
    alpha : float, default=1.0
        As in `pencil_distance`.
    beta : float, default=0.0
        As in `pencil_distance`.
    squared : bool, default=False
        As in `pencil_distance`.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.
    out : ndarray of shape (n_x, n_y), default=None
        C-contiguous float64 array for the result.

    Returns
    -------
    ndarray of shape (n_x, n_y)
        Distances.
    """
    other = X if Y is None else Y
    table = pencil_distance(
        X[:, None], other[None], kind, alpha=alpha, beta=beta, squared=squared
    )
    if Y is None:
        np.fill_diagonal(table, 0.0)
    if out is None:
        return table
    out[...] = table
    return out


def bures_wasserstein_distance(A, B, *, squared=False, n_jobs=None):
    """Return Bures-Wasserstein distances of matrices paired by broadcasting.

    Parameters
    ----------
    A : ndarray of shape (..., n, n)
        Symmetric positive semidefinite matrices.
    B : ndarray of shape (..., n, n)
        Symmetric positive semidefinite matrices.
    squared : bool, default=False
        Whether to return squared distances.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    ndarray of shape (...)
        Distances.
    """
    K, L = cholesky(A)[0], cholesky(B)[0]
    P, _, Qt = np.linalg.svd(np.swapaxes(L, -1, -2) @ K)
    value = np.sum((K - L @ (P @ Qt)) ** 2, axis=(-2, -1))
    return value if squared else np.sqrt(value)


def bures_wasserstein_table(X, Y, *, squared=False, n_jobs=None, out=None):
    """Fill the table of Bures-Wasserstein distances between `X` and `Y`.

    Parameters
    ----------
    X : ndarray of shape (n_x, n, n)
        Symmetric positive semidefinite matrices.
    Y : ndarray of shape (n_y, n, n) or None
        Symmetric positive semidefinite matrices; None stands for `X`.
    squared : bool, default=False
        Whether to return squared distances.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.
    out : ndarray of shape (n_x, n_y), default=None
        C-contiguous float64 array for the result.

    Returns
    -------
    ndarray of shape (n_x, n_y)
        Distances.
    """
    other = X if Y is None else Y
    table = bures_wasserstein_distance(X[:, None], other[None], squared=squared)
    if Y is None:
        np.fill_diagonal(table, 0.0)
    if out is None:
        return table
    out[...] = table
    return out
