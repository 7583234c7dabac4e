"""Loops over groups of eight matrices, on one thread or several.

A task works on the groups first .. last - 1 of a list of results: result r is made of
the matrices A[a[r]] and B[b[r]]. The last group is filled up with its last member.
"""

import numpy as np
from numba import prange, types

from geolearn.linalg._eigen import (
    form_basis,
    ql_values,
    ql_vectors,
    scale_lanes,
    tridiagonalise,
)
from geolearn.linalg._factor import (
    congruence_of,
    factor,
    invert,
    multiply_lower,
    scratch,
)
from geolearn.linalg._lanes import gather, load, scatter, splat, store, store_row
from geolearn.utils._jit import first_class, kernel
from geolearn.utils._threads import numba_threads, resolve_threads

# kernels: _eigen=b1e5c55d _factor=fc413b09 _lanes=3ffc2f52

__all__ = [
    "STACK",
    "TASK",
    "cholesky_task",
    "congruence_task",
    "inverse_task",
    "pack",
    "recompose_task",
    "run",
    "unpack",
    "values_task",
    "vectors_task",
]

STACK = types.Array(types.float64, 3, "C", readonly=True)
INDEX = types.Array(types.intp, 1, "C", readonly=True)
TASK = types.void(
    *(types.intp, types.intp, STACK, INDEX, STACK, INDEX),
    *(types.float64[:, :, ::1], types.float64[:, ::1]),
)
# Below this number of multiplications, about a millisecond, threads cost more than
# they save.
_PARALLEL_WORK = 10_000_000
# Parts of the work a thread: a thread that is held up leaves the rest to the others.
_PARTS = 4


@kernel
def members(index, g):
    """Return the eight matrices of group g."""
    last = index.shape[0] - 1
    k = 8 * g
    return (
        index[k],
        index[min(k + 1, last)],
        index[min(k + 2, last)],
        index[min(k + 3, last)],
        index[min(k + 4, last)],
        index[min(k + 5, last)],
        index[min(k + 6, last)],
        index[min(k + 7, last)],
    )


@kernel
def pack(X, chosen, C):
    """Copy the lower triangles of X[chosen] to C (n, n, 8)."""
    for i in range(X.shape[1]):
        for j in range(i + 1):
            store(C, i, j, gather(X, chosen, i, j))


@kernel
def pack_symmetric(X, chosen, C):
    """Copy the lower triangles of X[chosen] to both triangles of C (n, n, 8)."""
    for i in range(X.shape[1]):
        for j in range(i + 1):
            x = gather(X, chosen, i, j)
            store(C, i, j, x)
            store(C, j, i, x)


@kernel
def pack_full(X, chosen, C):
    """Copy all entries of X[chosen] to C (n, n, 8)."""
    for i in range(X.shape[1]):
        for j in range(X.shape[1]):
            store(C, i, j, gather(X, chosen, i, j))


@kernel
def _unpack_full_group(C, g, out, symmetric):
    n = C.shape[0]
    k = 8 * g
    chosen = (k, k + 1, k + 2, k + 3, k + 4, k + 5, k + 6, k + 7)
    for i in range(n):
        for j in range(i + 1):
            scatter(out, chosen, i, j, load(C, i, j))
        for j in range(i + 1, n):
            x = load(C, j, i) if symmetric else splat(0.0)
            scatter(out, chosen, i, j, x)


@kernel
def unpack(C, g, out, symmetric):
    """Copy lower triangles to out[8 g:]; the upper ones are their mirror or zero."""
    n = C.shape[0]
    count = out.shape[0] - 8 * g
    if count >= 8:
        _unpack_full_group(C, g, out, symmetric)
        return
    for t in range(count):
        r = 8 * g + t
        for i in range(n):
            for j in range(i + 1):
                out[r, i, j] = C[i, j, t]
            for j in range(i + 1, n):
                out[r, i, j] = C[j, i, t] if symmetric else 0.0


@kernel
def cholesky_task(first, last, A, a, B, b, out, values):
    """Factor; values (results, 1) is the status."""
    n = A.shape[1]
    C = scratch(n, n)
    status = np.empty((1, 8))
    for g in range(first, last):
        pack(A, members(a, g), C)
        store_row(status, 0, factor(C))
        unpack(C, g, out, False)
        for t in range(min(8, a.shape[0] - 8 * g)):
            values[8 * g + t, 0] = status[0, t]
            if status[0, t] > 0.0:
                out[8 * g + t] = np.nan


@kernel
def inverse_task(first, last, A, a, B, b, out, values):
    """Invert lower triangular matrices."""
    n = A.shape[1]
    C = scratch(n, n)
    W = scratch(n, n)
    V = scratch(n, n)
    for g in range(first, last):
        pack(A, members(a, g), C)
        invert(C, W, V)
        unpack(W, g, out, False)


@kernel
def congruence_task(first, last, A, a, B, b, out, values):
    """Compute A B A^T for symmetric B."""
    n = A.shape[1]
    C = scratch(n, n)
    W = scratch(n, n)
    T = scratch(n, n)
    for g in range(first, last):
        pack_full(A, members(a, g), W)
        pack_symmetric(B, members(b, g), C)
        congruence_of(W, C, T, False)
        unpack(C, g, out, True)


@kernel
def recompose_task(first, last, A, a, B, b, out, values):
    """Compute A diag(values) A^T."""
    n = A.shape[1]
    C = scratch(n, n)
    W = scratch(n, n)
    T = scratch(n, n)
    for g in range(first, last):
        chosen = members(a, g)
        pack_full(A, chosen, W)
        for i in range(n):
            for j in range(n):
                for t in range(8):
                    C[i, j, t] = W[i, j, t] * values[chosen[t], j]
        multiply_lower(C, W, T, False)
        unpack(T, g, out, True)


@kernel
def sort_column(d, t, order):
    """Fill `order` with the ranks that sort d[:, t] ascending."""
    for i in range(d.shape[0]):
        x = d[i, t]
        j = i
        while j > 0 and d[order[j - 1], t] > x:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i


@kernel
def values_task(first, last, A, a, B, b, out, values):
    """Compute eigenvalues."""
    n = A.shape[1]
    C = scratch(n, n)
    work = np.empty((5, n, 8))
    d = work[0]
    e = work[1]
    back = np.empty(8)
    order = np.empty(n, dtype=np.intp)
    for g in range(first, last):
        pack(A, members(a, g), C)
        scale_lanes(C, back)
        tridiagonalise(C, d, e, work[2], work[3], work[4])
        ql_values(d, e)
        for t in range(min(8, a.shape[0] - 8 * g)):
            sort_column(d, t, order)
            for i in range(n):
                values[8 * g + t, i] = d[order[i], t] * back[t]


@kernel
def unpack_vectors(Z, d, back, g, orders, out, values):
    """Copy sorted eigenvalues, and eigenvectors from rows to columns."""
    n = d.shape[0]
    count = min(8, out.shape[0] - 8 * g)
    for t in range(count):
        sort_column(d, t, orders[t])
        r = 8 * g + t
        for i in range(n):
            values[r, i] = d[orders[t, i], t] * back[t]
        bad = np.isnan(back[t])
        for k in range(n):
            for i in range(n):
                out[r, k, i] = np.nan if bad else Z[orders[t, i], k, t]


@kernel
def vectors_task(first, last, A, a, B, b, out, values):
    """Compute eigenvalues and eigenvectors."""
    n = A.shape[1]
    C = scratch(n, n)
    Z = scratch(n, n)
    rotations = scratch(16 * n, 1).reshape((2, 8 * n, 8))
    work = np.empty((5, n, 8))
    d = work[0]
    e = work[1]
    back = np.empty(8)
    orders = np.empty((8, n), dtype=np.intp)
    for g in range(first, last):
        pack(A, members(a, g), C)
        scale_lanes(C, back)
        tridiagonalise(C, d, e, work[2], work[3], work[4])
        form_basis(C, work[2], Z)
        ql_vectors(d, e, Z, rotations[0], rotations[1])
        unpack_vectors(Z, d, back, g, orders, out, values)


@kernel(parallel=True)
def _run_parallel(task, n_parts, n_groups, A, a, B, b, out, values):
    for k in prange(n_parts):
        part = np.intp(k)
        first = part * n_groups // n_parts
        last = (part + 1) * n_groups // n_parts
        task(first, last, A, a, B, b, out, values)


def run(task, A, a, B, b, out, values, n_jobs, work):
    """Run a task over all results; `work` is the number of its multiplications."""
    n_groups = -(-a.shape[0] // 8)
    if n_groups == 0 or A.shape[1] == 0:
        return
    compiled = first_class(task, *TASK.args)
    with np.errstate(all="ignore"):  # of the kernels without JIT
        if resolve_threads(n_jobs) == 1 or work < _PARALLEL_WORK or n_groups < 2:
            compiled(0, n_groups, A, a, B, b, out, values)
            return
        driver = first_class(
            *(_run_parallel, types.FunctionType(TASK), types.intp, types.intp),
            *TASK.args[2:],
        )
        with numba_threads(n_jobs) as n_threads:
            n_parts = min(n_groups, _PARTS * n_threads)
            driver(compiled, n_parts, n_groups, A, a, B, b, out, values)
