"""Factorisations of stacks of small matrices."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from geolearn.linalg._tasks import (
    cholesky_task,
    congruence_task,
    inverse_task,
    recompose_task,
    run,
    values_task,
    vectors_task,
)
from geolearn.utils._threads import matrix_threads

__all__ = [
    "cholesky",
    "congruence",
    "eigh",
    "eigvalsh",
    "recompose",
    "triangular_inverse",
]

# Eight larger matrices no longer fit into the second-level cache: LAPACK and BLAS are
# faster, one matrix at a time.
_LAPACK_VECTORS = 240
_LAPACK_VALUES = 400
_BLAS = 128

_NO_MATRICES = np.empty((0, 0, 0))
_NO_INDEX = np.empty(0, dtype=np.intp)
_NO_VALUES = np.empty((0, 0))


def flat_stack(X):
    """Return the matrices as one C-contiguous float64 stack (m, n, n)."""
    X = np.asarray(X)
    if X.ndim < 2 or X.shape[-1] != X.shape[-2]:
        raise ValueError(
            f"matrices must have shape (..., n, n), got {X.shape}; pass square "
            "matrices in the last two axes."
        )
    n = X.shape[-1]
    # A size of -1 is ambiguous for an empty stack.
    return np.ascontiguousarray(X, dtype=np.float64).reshape(
        int(np.prod(X.shape[:-2], dtype=np.intp)), n, n
    )


def pair_indices(first, second):
    """Return the broadcast shape, and which matrices each of its places takes.

    Parameters
    ----------
    first : tuple of int
        Leading shape of the first stack.
    second : tuple of int
        Leading shape of the second stack.

    Returns
    -------
    tuple of (tuple of int, ndarray of int, ndarray of int)
        Common shape and two flat index arrays.
    """
    shape = np.broadcast_shapes(first, second)
    indices = [
        np.ascontiguousarray(
            np.broadcast_to(
                np.arange(int(np.prod(s, dtype=np.intp)), dtype=np.intp).reshape(s),
                shape,
            )
        ).ravel()
        for s in (first, second)
    ]
    return shape, indices[0], indices[1]


def _run_unary(task, X, out, values, n_jobs, factor):
    n = X.shape[-1]
    index = np.arange(len(X), dtype=np.intp)
    work = int(factor * len(X) * n**3)
    run(task, X, index, _NO_MATRICES, _NO_INDEX, out, values, n_jobs, work)


def _in_threads(function, count, n_jobs):
    # Large matrices: Python threads, which NumPy lets run side by side. `function`
    # gets a slice of the results.
    with matrix_threads(n_jobs) as n_threads:
        n_parts = min(n_threads, count)
        ends = [count * k // n_parts for k in range(n_parts + 1)]
        parts = [slice(*ends[k : k + 2]) for k in range(n_parts)]
        if n_parts == 1:
            return [function(parts[0])]
        with ThreadPoolExecutor(n_parts) as pool:
            return list(pool.map(function, parts))


def _finite_or_zero(X):
    finite = np.isfinite(X).all(axis=(-2, -1))
    return finite, np.where(finite[:, None, None], X, 0.0)


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
        above max(n, 128) times the rounding unit times its diagonal entry.
    """
    flat = flat_stack(X)
    L = np.empty_like(flat)
    status = np.empty((len(flat), 1))
    _run_unary(cholesky_task, flat, L, status, n_jobs, 1 / 3)
    shape = np.shape(X)
    return L.reshape(shape), status.astype(np.intp).reshape(shape[:-2])


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
    flat = flat_stack(X)
    shape = np.shape(X)
    if shape[-1] > _LAPACK_VECTORS and len(flat):
        finite, clean = _finite_or_zero(flat)
        results = _in_threads(lambda s: np.linalg.eigh(clean[s]), len(flat), n_jobs)
        values = np.concatenate([r[0] for r in results])
        vectors = np.concatenate([r[1] for r in results])
        values[~finite] = np.nan
        vectors[~finite] = np.nan
    else:
        vectors = np.empty_like(flat)
        values = np.empty(flat.shape[:2])
        _run_unary(vectors_task, flat, vectors, values, n_jobs, 9)
    return values.reshape(shape[:-1]), vectors.reshape(shape)


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
    flat = flat_stack(X)
    shape = np.shape(X)
    if shape[-1] > _LAPACK_VALUES and len(flat):
        finite, clean = _finite_or_zero(flat)
        results = _in_threads(lambda s: np.linalg.eigvalsh(clean[s]), len(flat), n_jobs)
        values = np.concatenate(results)
        values[~finite] = np.nan
    else:
        values = np.empty(flat.shape[:2])
        out = np.empty((0, 0, 0))
        _run_unary(values_task, flat, out, values, n_jobs, 4 / 3)
    return values.reshape(shape[:-1])


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
    flat = flat_stack(L)
    W = np.empty_like(flat)
    _run_unary(inverse_task, flat, W, np.empty((0, 0)), n_jobs, 1 / 3)
    return W.reshape(np.shape(L))


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
    A, B = flat_stack(W), flat_stack(X)
    shape, a, b = pair_indices(np.shape(W)[:-2], np.shape(X)[:-2])
    n = A.shape[-1]
    if B.shape[-1] != n:
        raise ValueError(
            f"W and X must be of the same size, got n={n} and n={B.shape[-1]}; pass "
            "matrices of one size."
        )
    out = np.empty((len(a), n, n))

    def multiply(part):
        left = A[a[part]]
        product = left @ B[b[part]] @ np.swapaxes(left, 1, 2)
        out[part] = 0.5 * (product + np.swapaxes(product, 1, 2))

    if n > _BLAS and len(a):
        _in_threads(multiply, len(a), n_jobs)
    else:
        work = 3 * len(a) * n**3
        run(congruence_task, A, a, B, b, out, np.empty((0, 0)), n_jobs, work)
    return out.reshape(*shape, n, n)


def recompose(
    values: np.ndarray, vectors: np.ndarray, *, n_jobs: int | None = None
) -> np.ndarray:
    """Return V diag(values) V^T, exactly symmetric.

    Parameters
    ----------
    values : ndarray of shape (..., n)
        One number a column of V, such as a function of the eigenvalues.
    vectors : ndarray of shape (..., n, n)
        Matrices V with the same leading axes.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    ndarray of shape (..., n, n)
        Symmetric matrices.
    """
    flat = flat_stack(vectors)
    scale = np.ascontiguousarray(values, dtype=np.float64).reshape(flat.shape[:2])
    out = np.empty_like(flat)
    _run_unary(recompose_task, flat, out, scale, n_jobs, 1)
    return out.reshape(np.shape(vectors))
