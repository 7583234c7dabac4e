"""Distances between symmetric positive definite matrices.

The affine-invariant distance, Stein, Thompson, Kullback-Leibler and Jeffreys
divergences are functions of the logarithms mu of the eigenvalues of A^-1 B.
"""

import numpy as np

from geolearn.linalg._stacks import flat_stack, pair_indices
from geolearn.metrics._spd_bures import BuresSquares
from geolearn.metrics._spd_pairs import (
    LogEigenvalues,
    SteinSquares,
    raise_not_positive_definite,
    stein_sum,
)

__all__ = [
    "bures_wasserstein_distance",
    "bures_wasserstein_table",
    "log_eigenvalues",
    "pencil_distance",
    "pencil_table",
    "raise_not_positive_definite",
]

_KINDS = ("affine_invariant", "stein", "thompson", "kullback_leibler", "jeffreys")
_DIVERGENCES = ("kullback_leibler", "jeffreys")
# Half-width of the Taylor series of exp, and its terms: 0.5^14 / 15! is below rounding.
_SERIES = 0.5
_TERMS = 14
# Pairs whose eigenvalues are held at a time.
_BLOCK_BYTES = 2**24


class _Evaluation:
    """Evaluate pairs (A[i], B[j]); the smaller stack is the one that is factored."""

    def __init__(self, method, A, B, names, n_jobs):
        self.swapped = len(B) < len(A)
        first, second = (B, A) if self.swapped else (A, B)
        names = names[::-1] if self.swapped else names
        self.method = method(first, second, names, n_jobs)

    def __call__(self, i, j):
        return self.method(j, i) if self.swapped else self.method(i, j)


def _check_kind(kind):
    if kind not in _KINDS:
        raise ValueError(f"kind={kind!r} is unknown; use one of {', '.join(_KINDS)}.")


def _check_sizes(A, B, names):
    if A.shape[-1] != B.shape[-1]:
        raise ValueError(
            f"{names[0]} and {names[1]} must hold matrices of one size, got "
            f"n={A.shape[-1]} and n={B.shape[-1]}."
        )


def _excess(x):
    """Return exp(x) - 1 - x without cancellation."""
    t = np.clip(x, -_SERIES, _SERIES)
    series = np.zeros_like(t)
    for k in range(_TERMS, 2, -1):
        series = (1.0 + series) * t / k
    return np.where(np.abs(x) > _SERIES, np.expm1(x) - x, 0.5 * t * t * (1.0 + series))


def _reduce(mu, kind, alpha, beta):
    if kind == "affine_invariant":
        value = alpha * np.sum(mu**2, axis=-1)
        return value + beta * np.sum(mu, axis=-1) ** 2 if beta else value
    if kind == "stein":
        return stein_sum(mu)
    if kind == "thompson":
        return np.max(np.abs(mu), axis=-1) ** 2
    if kind == "kullback_leibler":
        return 0.5 * np.sum(_excess(-mu), axis=-1)
    return np.sum(2.0 * np.sinh(0.5 * mu) ** 2, axis=-1)  # jeffreys


def _pencil(A, B, names, kind, alpha, beta, squared, n_jobs):
    """Return the function of two index arrays that evaluates pairs."""
    root = not squared and kind not in _DIVERGENCES
    method = SteinSquares if kind == "stein" else LogEigenvalues
    evaluation = _Evaluation(method, A, B, names, n_jobs)

    def evaluate(i, j):
        value = evaluation(i, j)
        if kind != "stein":
            mu = -value if evaluation.swapped else value
            value = _reduce(mu, kind, alpha, beta)
        return np.sqrt(value) if root else value

    return evaluate


def _bures(A, B, names, squared, n_jobs):
    evaluation = _Evaluation(BuresSquares, A, B, names, n_jobs)

    def evaluate(i, j):
        value = evaluation(i, j)
        return value if squared else np.sqrt(value)

    return evaluate


def _step(n):
    return max(64, _BLOCK_BYTES // (8 * max(n, 1)) // 8 * 8)


def _paired(A, B, make):
    """Evaluate pairs by broadcasting; `make` prepares two flat stacks."""
    first, second = flat_stack(A), flat_stack(B)
    _check_sizes(first, second, ("A", "B"))
    shape, i, j = pair_indices(np.shape(A)[:-2], np.shape(B)[:-2])
    out = np.empty(len(i))
    if len(i):
        evaluate = make(first, first if A is B else second)
        step = _step(first.shape[-1])
        for k in range(0, len(i), step):
            out[k : k + step] = evaluate(i[k : k + step], j[k : k + step])
    return out.reshape(shape)[()]


def _row_pairs(first, last, n_y, half):
    """Return the index pairs of some rows of a table, the upper triangle if `half`."""
    rows = np.arange(first, last, dtype=np.intp)
    begin = rows + 1 if half else np.zeros_like(rows)
    counts = n_y - begin
    i = np.repeat(rows, counts)
    ends = np.cumsum(counts)
    j = np.arange(len(i), dtype=np.intp) - np.repeat(ends - counts - begin, counts)
    return i, j


def _table(X, Y, out, symmetric, make):
    """Fill a table; `make` prepares two flat stacks."""
    first = flat_stack(X)
    second = first if Y is None else flat_stack(Y)
    _check_sizes(first, second, ("X", "Y"))
    shape = (len(first), len(second))
    if out is None:
        out = np.empty(shape)
    elif out.shape != shape:
        raise ValueError(f"out must have shape {shape}, got {out.shape}.")
    if not out.size:
        return out
    half = symmetric and Y is None
    evaluate = make(first, second)
    # The factored matrix stays the same along the pairs.
    turned = shape[1] < shape[0]
    n_rows, n_columns = shape[::-1] if turned else shape
    step = max(1, _step(first.shape[-1]) // n_columns)
    for k in range(0, n_rows, step):
        i, j = _row_pairs(k, min(k + step, n_rows), n_columns, half)
        if turned:
            i, j = j, i
        values = evaluate(i, j)
        out[i, j] = values
        if half:
            out[j, i] = values
    if Y is None:
        np.fill_diagonal(out, 0.0)
    return out


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

    Raises
    ------
    ValueError
        If a matrix is not positive definite, or the sizes of the matrices differ.
    """
    first, second = flat_stack(A), flat_stack(B)
    _check_sizes(first, second, ("A", "B"))
    shape, i, j = pair_indices(np.shape(A)[:-2], np.shape(B)[:-2])
    n = first.shape[-1]
    if not len(i):
        return np.empty((*shape, n))
    evaluation = _Evaluation(LogEigenvalues, first, second, ("A", "B"), n_jobs)
    mu = evaluation(i, j)
    mu = np.sort(-mu if evaluation.swapped else mu, axis=-1)
    return mu.reshape(*shape, n)


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

    Raises
    ------
    ValueError
        If a matrix is not positive definite, or the sizes of the matrices differ, or
        `kind` is unknown.
    """
    _check_kind(kind)
    return _paired(
        A,
        B,
        lambda X, Y: _pencil(X, Y, ("A", "B"), kind, alpha, beta, squared, n_jobs),
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

    Raises
    ------
    ValueError
        If a matrix is not positive definite, or the sizes of the matrices differ, or
        `kind` is unknown.
    """
    _check_kind(kind)
    return _table(
        X,
        Y,
        out,
        kind != "kullback_leibler",
        lambda X, Y: _pencil(X, Y, ("X", "Y"), kind, alpha, beta, squared, n_jobs),
    )


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

    Raises
    ------
    ValueError
        If a matrix is not positive semidefinite, or the sizes of the matrices differ.
    """
    return _paired(A, B, lambda X, Y: _bures(X, Y, ("A", "B"), squared, n_jobs))


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

    Raises
    ------
    ValueError
        If a matrix is not positive semidefinite, or the sizes of the matrices differ.
    """
    return _table(
        X, Y, out, True, lambda X, Y: _bures(X, Y, ("X", "Y"), squared, n_jobs)
    )
