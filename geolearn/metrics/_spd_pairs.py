"""Values of pairs of matrices by index: what one matrix needs is prepared once.

The functions of this module get a stack X with indices a, and a stack Y with indices b,
and return one row for each pair (X[a[r]], Y[b[r]]).
"""

import numpy as np

from geolearn.linalg import cholesky, triangular_inverse
from geolearn.linalg._tasks import run
from geolearn.metrics._spd_kernels import (
    inverse_pivots,
    mean_log_determinants,
    pencil_eigenvalues,
    quotient_values,
)
from geolearn.utils._threads import matrix_threads

__all__ = ["LogEigenvalues", "SteinSquares", "raise_not_positive_definite"]

_EPS = np.finfo(np.float64).eps
# Eigenvalues 1 + delta below this part of the largest have lost too many digits.
_SMALLEST_RATIO = 1e-5
# Size up to which Jacobi rotations of eight matrices are faster than LAPACK.
_JACOBI = 24
# Bytes of the arrays that hold one matrix for each of many pairs.
_BLOCK_BYTES = 2**25
# Relative error up to which log-determinants are subtracted.
_STEIN_TOLERANCE = 1e-12


def raise_not_positive_definite(X, status, name="X"):
    """Raise for the first matrix with a status other than zero.

    Parameters
    ----------
    X : ndarray of shape (..., n, n)
        Symmetric matrices.
    status : ndarray of shape (...)
        Zero where a matrix is positive definite, as `cholesky` returns it.
    name : str, default="X"
        Name of the argument for the message.

    Raises
    ------
    ValueError
        If any status is not zero; names the matrix and its smallest eigenvalue.
    """
    bad = np.flatnonzero(np.ravel(status))
    if not bad.size:
        return
    n = np.shape(X)[-1]
    matrix = np.reshape(X, (-1, n, n))[bad[0]]
    if not np.isfinite(matrix).all():
        raise ValueError(
            f"{name}: matrix {bad[0]} contains NaN or infinity; remove it or repair "
            "its entries."
        )
    with matrix_threads(None):
        smallest = np.linalg.eigvalsh(matrix)[0]
    raise ValueError(
        f"{name}: matrix {bad[0]} is not positive definite (smallest eigenvalue "
        f"{smallest:.3g}, largest diagonal entry {np.diag(matrix).max():.3g}); use "
        "estimator='oas' or 'lwf', shrinkage or ridge, or reduce order."
    )


def _factors(X, name, n_jobs):
    L, status = cholesky(X, n_jobs=n_jobs)
    raise_not_positive_definite(X, status, name)
    return L


def blocks(count, n):
    """Return slices of `count` pairs, each some n x n matrices of bounded size."""
    step = max(64, _BLOCK_BYTES // (8 * n * n) // 8 * 8)
    return [slice(k, min(k + step, count)) for k in range(0, count, step)]


def _quotient_values(K, L):
    """Return the singular values of K^-1 L for lower triangular factors, descending."""
    M = np.empty_like(L)
    for i in range(L.shape[-1]):  # forward substitution, no product with an inverse
        known = np.einsum("rk,rkj->rj", K[:, i, :i], M[:, :i])
        M[:, i] = (L[:, i] - known) / K[:, i, i, None]
    with matrix_threads(None):
        return np.linalg.svd(M, compute_uv=False)


def quotient_logarithms(K, a, L, b, n_jobs):
    """Return 2 log of the singular values of K[a]^-1 L[b] for lower triangular factors.

    Parameters
    ----------
    K : ndarray of shape (m, n, n)
        Cholesky factors.
    a : ndarray of int of shape (pairs,)
        Which of `K` belongs to each pair.
    L : ndarray of shape (m', n, n)
        Cholesky factors.
    b : ndarray of int of shape (pairs,)
        Which of `L` belongs to each pair.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    ndarray of shape (pairs, n)
        In any order.
    """
    n = K.shape[1]
    values = np.empty((len(a), n))
    if n <= _JACOBI:
        unused = np.empty((0, 0, 0))
        work = 30 * len(a) * n**3
        run(quotient_values, K, a, L, b, unused, values, n_jobs, work)
    else:
        for part in blocks(len(a), n):
            values[part] = _quotient_values(K[a[part]], L[b[part]])
    return 2.0 * np.log(np.maximum(values, np.finfo(np.float64).tiny))


class LogEigenvalues:
    """Logarithms of the eigenvalues of X[a]^-1 Y[b], ascending or in any order."""

    def __init__(self, X, Y, names, n_jobs):
        self.X, self.Y, self.names, self.n_jobs = X, Y, names, n_jobs
        W = triangular_inverse(_factors(X, names[0], n_jobs), n_jobs=n_jobs)
        self._inverses_and_matrices = np.concatenate([W, X])

    def __call__(self, a, b):
        """Return an array of shape (pairs, n)."""
        n = self.X.shape[1]
        delta = np.empty((len(a), n))
        unused = np.empty((0, 0, 0))
        work = 3 * len(a) * n**3
        run(
            *(pencil_eigenvalues, self._inverses_and_matrices, a, self.Y, b),
            *(unused, delta, self.n_jobs, work),
        )
        lowest = 1.0 + delta.min(axis=1)
        highest = 1.0 + delta.max(axis=1)
        exact = lowest >= _SMALLEST_RATIO * np.maximum(1.0, highest)
        if exact.all():
            return np.log1p(delta, out=delta)
        mu = np.log1p(delta, out=delta, where=exact[:, None])
        mu[~exact] = self._by_singular_values(a[~exact], b[~exact])
        return mu

    def _by_singular_values(self, a, b):
        used_a, place_a = np.unique(a, return_inverse=True)
        used_b, place_b = np.unique(b, return_inverse=True)
        K = _factors(self.X[used_a], self.names[0], self.n_jobs)
        L, status = cholesky(self.Y[used_b], n_jobs=self.n_jobs)
        if status.any():
            failed = np.zeros(len(self.Y), dtype=np.intp)
            failed[used_b] = status
            raise_not_positive_definite(self.Y, failed, self.names[1])
        return quotient_logarithms(K, place_a, L, place_b, self.n_jobs)


class SteinSquares:
    """Squared Stein distances by log-determinants, near pairs by log-eigenvalues."""

    def __init__(self, X, Y, names, n_jobs):
        self.X, self.Y, self.names, self.n_jobs = X, Y, names, n_jobs
        n = X.shape[1]
        self._pivots = np.ones((max(len(X), len(Y)), 2, n))
        self._pivots[: len(X), 0] = self._inverse_pivots(X, names[0])
        if Y is X:
            self._pivots[: len(X), 1] = self._pivots[: len(X), 0]
        else:
            self._pivots[: len(Y), 1] = self._inverse_pivots(Y, names[1])
        self._logarithms = None

    def _inverse_pivots(self, X, name):
        n = X.shape[1]
        index = np.arange(len(X), dtype=np.intp)
        values = np.empty((len(X), n))
        unused = np.empty((0, 0, 0))
        work = len(X) * n**3 // 3
        run(
            *(inverse_pivots, X, index, unused, index[:0]),
            *(unused, values, self.n_jobs, work),
        )
        raise_not_positive_definite(X, np.isnan(values).any(axis=1), name)
        return values

    def __call__(self, a, b):
        """Return an array of shape (pairs,)."""
        n = self.X.shape[1]
        values = np.empty((len(a), 1))
        work = len(a) * n**3 // 3
        run(
            *(mean_log_determinants, self.X, a, self.Y, b),
            *(self._pivots, values, self.n_jobs, work),
        )
        values = values[:, 0]
        # n pivots, some four roundings each; the product of far ones may overflow.
        smallest = 4 * n * _EPS / _STEIN_TOLERANCE
        near = np.flatnonzero(~((values > smallest) & (values < np.inf)))
        if near.size:
            if self._logarithms is None:
                self._logarithms = LogEigenvalues(
                    self.X, self.Y, self.names, self.n_jobs
                )
            values[near] = stein_sum(self._logarithms(a[near], b[near]))
        return values


def log_cosh(x):
    """Return log cosh x, for large and for small x without loss."""
    size = np.abs(x)
    with np.errstate(over="ignore"):
        small = np.log1p(2.0 * np.sinh(0.5 * np.minimum(size, 350.0)) ** 2)
    return np.where(size > 350.0, size - np.log(2.0), small)


def stein_sum(mu):
    """Return the sum of log cosh(mu / 2) over the last axis."""
    return np.sum(log_cosh(0.5 * mu), axis=-1)
