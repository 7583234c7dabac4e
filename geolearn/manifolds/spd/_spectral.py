"""Functions of SPD matrices that stay accurate when these are ill-conditioned."""

import numpy as np

from geolearn import linalg
from geolearn.manifolds.spd._forms import not_positive_definite, transpose

__all__ = ["eigen", "factor", "inverse_factor", "rotate"]

# Beyond this ratio eigenvalues come from the singular values of the Cholesky
# factor, whose relative error grows with the root of the condition number.
_ILL_CONDITIONED = 1e6


def rotate(V, A):
    """Return V^T A V for symmetric A, exactly symmetric."""
    return linalg.congruence(transpose(V), A)


def factor(A, n_jobs=None):
    """Return Cholesky factors; raise for matrices that have none."""
    L, status = linalg.cholesky(A, n_jobs=n_jobs)
    if np.any(status):
        raise not_positive_definite(A, np.asarray(status) != 0)
    return L


def inverse_factor(A, n_jobs=None):
    """Return Cholesky factors and their inverses."""
    L = factor(A, n_jobs)
    return L, linalg.triangular_inverse(L, n_jobs=n_jobs)


def eigen(A, n_jobs=None):
    """Return eigenvalues and eigenvectors of SPD matrices.

    Where the condition number is above 1e6 they come from the singular value
    decomposition of the Cholesky factor. Values ascend either way.
    """
    values, vectors = linalg.eigh(A, n_jobs=n_jobs)
    # NaN compares as False, and fails in the Cholesky factorisation
    poor = ~(values[..., 0] * _ILL_CONDITIONED > values[..., -1])
    if not np.any(poor):
        return values, vectors
    if np.ndim(poor) == 0:
        U, S, _ = np.linalg.svd(factor(A, n_jobs))
        return S[::-1] ** 2, U[:, ::-1]
    L, status = linalg.cholesky(A[poor], n_jobs=n_jobs)
    if np.any(status):
        failed = poor.copy()
        failed[poor] = status != 0
        raise not_positive_definite(A, failed)
    U, S, _ = np.linalg.svd(L)
    values, vectors = np.array(values), np.array(vectors)
    values[poor], vectors[poor] = S[..., ::-1] ** 2, U[..., ::-1]
    return values, vectors
