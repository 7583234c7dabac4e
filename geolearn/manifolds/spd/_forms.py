"""Symmetric matrices without factorisations: forms, coordinates, differences."""

import numpy as np

from geolearn.manifolds.special import sinhc

__all__ = [
    "ASYMMETRY",
    "compose",
    "divided_log",
    "divided_power",
    "gram",
    "nearest_definite",
    "not_positive_definite",
    "scale_columns",
    "symmetrise",
    "transpose",
    "unvec",
    "vec",
]

ASYMMETRY = 1e-8  # relative; beyond it a matrix is wrong, not rounded

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


def gram(K):
    """Return K K^T, exactly symmetric."""
    return symmetrise(K @ transpose(K))


def compose(V, values):
    """Return V diag(values) V^T, exactly symmetric."""
    return symmetrise(scale_columns(V, values) @ transpose(V))


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


def nearest_definite(X, floor, bad):
    """Return symmetric matrices with eigenvalues of at least a share of the largest.

    Only those marked as bad are changed; they become the nearest ones in Frobenius
    norm.
    """
    bad = np.asarray(bad)
    if not bad.any():
        return X
    values, vectors = np.linalg.eigh(X[bad])
    largest = np.abs(values).max(axis=-1, keepdims=True)
    if not (largest > 0.0).all():
        raise ValueError(
            "A matrix of zeros has no scale, hence no nearest positive definite "
            "matrix: remove it, or add a multiple of the identity."
        )
    X = np.array(X)
    X[bad] = compose(vectors, np.maximum(values, floor * largest))
    return X


def not_positive_definite(A, bad, name=""):
    """Return the error that names the first bad matrix of a stack."""
    A = np.asarray(A)
    position = tuple(int(i) for i in np.argwhere(bad)[0]) if np.ndim(bad) else ()
    first = A[position]
    if not np.isfinite(first).all():
        return ValueError(f"{name or _name(position)} contains NaN or infinity.")
    smallest = np.linalg.eigvalsh(first)[0]
    return ValueError(
        f"{name or _name(position)} is not positive definite (smallest eigenvalue "
        f"{smallest:.3g}, largest entry {np.abs(first).max():.3g}); use "
        f"estimator='oas' or 'lwf', shrinkage or ridge, or reduce order."
    )


def _name(position):
    if not position:
        return "the matrix"
    return f"matrix {position[0] if len(position) == 1 else position}"
