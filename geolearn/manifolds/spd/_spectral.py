"""Functions of SPD matrices that stay accurate when these are ill-conditioned."""

import numpy as np

from geolearn import linalg
from geolearn.manifolds.special import sinhc

__all__ = [
    "compose",
    "divided_log",
    "divided_power",
    "eigen",
    "factor",
    "inverse_factor",
    "not_positive_definite",
    "rotate",
    "scale_columns",
    "symmetrise",
    "transpose",
    "unvec",
    "vec",
]

# Beyond this ratio eigenvalues come from the singular values of the Cholesky
# factor, whose relative error grows with the root of the condition number.
_ILL_CONDITIONED = 1e6
_ROOT_TWO = np.sqrt(2.0)


def transpose(A):
    """Return transposes of the last two axes."""
    return np.swapaxes(A, -1, -2)


def symmetrise(A):
    """Return the symmetric parts."""
    return 0.5 * (A + transpose(A))


def scale_columns(V, values):
    """Return V diag(values)."""
    return V * values[..., None, :]


def compose(V, values):
    """Return V diag(values) V^T, exactly symmetric."""
    return symmetrise(scale_columns(V, values) @ transpose(V))


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


def not_positive_definite(A, bad):
    """Return the error that names the first bad matrix of a stack."""
    A = np.asarray(A)
    position = tuple(int(i) for i in np.argwhere(bad)[0]) if np.ndim(bad) else ()
    first = A[position]
    if not np.isfinite(first).all():
        return ValueError(f"{_name(position)} contains NaN or infinity.")
    smallest = np.linalg.eigvalsh(first)[0]
    return ValueError(
        f"{_name(position)} is not positive definite (smallest eigenvalue "
        f"{smallest:.3g}, largest entry {np.abs(first).max():.3g}); use "
        f"estimator='oas' or 'lwf', shrinkage or ridge, or reduce order."
    )


def _name(position):
    if not position:
        return "the matrix"
    return f"matrix {position[0] if len(position) == 1 else position}"


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


def _half_log_ratio(a, b):
    """Return log(a / b) / 2 without cancellation, and the ratio (a-b) / (a+b)."""
    tau = (a - b) / (a + b)
    near = np.abs(tau) < 0.5
    direct = 0.5 * (np.log(a) - np.log(b))
    return np.where(near, np.arctanh(np.where(near, tau, 0.0)), direct), tau


def divided_log(a):
    """Return the divided differences of the logarithm at all pairs of values."""
    x, y = a[..., :, None], a[..., None, :]
    half, tau = _half_log_ratio(x, y)
    equal = tau == 0.0
    quotient = np.where(equal, 1.0, half / np.where(equal, 1.0, tau))
    return 2.0 * quotient / (x + y)


def divided_power(a, theta):
    """Return the divided differences of the power at all pairs of values."""
    x, y = a[..., :, None], a[..., None, :]
    half, _ = _half_log_ratio(x, y)
    mean = np.sqrt(x) * np.sqrt(y)
    return theta * mean ** (theta - 1.0) * sinhc(theta * half) / sinhc(half)


def vec(S):
    """Return the upper triangle row by row, off-diagonal entries times sqrt 2."""
    rows, columns = np.triu_indices(S.shape[-1])
    return S[..., rows, columns] * np.where(rows == columns, 1.0, _ROOT_TWO)


def unvec(w, n):
    """Return the symmetric matrices with given `vec`."""
    rows, columns = np.triu_indices(n)
    entries = w / np.where(rows == columns, 1.0, _ROOT_TWO)
    S = np.empty((*w.shape[:-1], n, n))
    S[..., rows, columns] = entries
    S[..., columns, rows] = entries
    return S
