"""Cholesky factors, triangular inverses and congruences of eight matrices at a time.

Arrays have shape (n, n, 8), the last axis over matrices. All products are sums over k
of P[i, k] Q[j, k], computed in tiles of 3 x 2 that fill the registers of any processor
with vectors; indices beyond the end are clamped to the last row, which is then computed
twice.
"""

import numpy as np

from geolearn.linalg._lanes import load, select, splat, square_root, store
from geolearn.utils._jit import kernel

# kernels: _lanes=3ffc2f52

__all__ = ["congruence_of", "factor", "invert", "multiply_lower", "scratch", "tile"]

_EPS = np.finfo(np.float64).eps
# Pivots of singular covariances, of average references of 2 to 64 mixed channels,
# were below 64 units of their diagonal entries, whatever the number of channels.
_LEAST_UNITS = 128


@kernel
def scratch(n, m):
    """Return zeros of shape (n, m, 8), or (n, m + 1, 8), that begin on a cache line.

    The number of columns is odd where it matters: rows whose distances are multiples of
    a large power of two compete for the same places of the cache.
    """
    if m > 16:
        m |= 1
    raw = np.zeros(n * m * 8 + 8)
    skip = (-(raw.ctypes.data // 8)) % 8
    return raw[skip : skip + n * m * 8].reshape((n, m, 8))


@kernel
def tile(P, i0, i1, i2, Q, j0, j1, start, stop):
    """Return the six sums over k of P[i, k] Q[j, k], row by row."""
    a00 = splat(0.0)
    a01 = splat(0.0)
    a10 = splat(0.0)
    a11 = splat(0.0)
    a20 = splat(0.0)
    a21 = splat(0.0)
    for k in range(start, stop):
        p0 = load(P, i0, k)
        p1 = load(P, i1, k)
        p2 = load(P, i2, k)
        q0 = load(Q, j0, k)
        q1 = load(Q, j1, k)
        a00 = a00 + p0 * q0
        a01 = a01 + p0 * q1
        a10 = a10 + p1 * q0
        a11 = a11 + p1 * q1
        a20 = a20 + p2 * q0
        a21 = a21 + p2 * q1
    return a00, a01, a10, a11, a20, a21


@kernel
def _subtract(C, i, j, stop):
    # C[i:i+3, j:j+2] -= sum over k < stop of C[i:i+3, k] C[j:j+2, k]
    last = C.shape[0] - 1
    i1 = min(i + 1, last)
    i2 = min(i + 2, last)
    j1 = min(j + 1, last)
    a00, a01, a10, a11, a20, a21 = tile(C, i, i1, i2, C, j, j1, 0, stop)
    a00 = load(C, i, j) - a00
    a01 = load(C, i, j1) - a01
    a10 = load(C, i1, j) - a10
    a11 = load(C, i1, j1) - a11
    a20 = load(C, i2, j) - a20
    a21 = load(C, i2, j1) - a21
    store(C, i, j, a00)
    store(C, i, j1, a01)
    store(C, i1, j, a10)
    store(C, i1, j1, a11)
    store(C, i2, j, a20)
    store(C, i2, j1, a21)


@kernel
def _finish_column(A, j, bound, status):
    pivot = load(A, j, j)
    good = pivot > bound
    first = ~good & (status <= splat(0.0))
    status = select(first, splat(j + 1.0), status)
    root = square_root(select(good, pivot, splat(1.0)))
    store(A, j, j, root)
    inverse = splat(1.0) / root
    for i in range(j + 1, A.shape[0]):
        store(A, i, j, load(A, i, j) * inverse)
    return status


@kernel
def factor(A):
    """Replace the lower triangles by Cholesky factors; the rest becomes rubbish.

    Returns one plus the index of the first pivot that is not above max(n, 128) times
    the rounding unit times its diagonal entry, and 0 where there is none: scaling rows
    and columns changes nothing. The factors of the failing matrices are rubbish.
    """
    n = A.shape[0]
    small = splat(max(n, _LEAST_UNITS) * _EPS)
    status = splat(0.0)
    for j in range(0, n, 2):
        # Columns are untouched until their turn.
        bound = load(A, j, j) * small
        j1 = min(j + 1, n - 1)
        next_bound = load(A, j1, j1) * small
        if j > 0:
            for i in range(j, n, 3):
                _subtract(A, i, j, j)
        status = _finish_column(A, j, bound, status)
        if j + 1 < n:
            x = load(A, j + 1, j)
            for i in range(j + 1, n):
                store(A, i, j + 1, load(A, i, j + 1) - load(A, i, j) * x)
            status = _finish_column(A, j + 1, next_bound, status)
    return status


@kernel
def _put(W, V, i, j, v):
    store(W, i, j, v)
    store(V, j, i, v)


@kernel
def invert(L, W, V):
    """Write the inverses of lower triangular L to W and their transposes to V.

    The strictly upper triangles of W and lower triangles of V must be zero before.
    """
    n = L.shape[0]
    one = splat(1.0)
    for i in range(n):
        _put(W, V, i, i, one / load(L, i, i))
    for j in range(0, n - 1, 2):
        x = -(load(W, j, j) * load(L, j + 1, j)) * load(W, j + 1, j + 1)
        _put(W, V, j + 1, j, x)
        for i in range(j + 2, n, 3):
            i1 = min(i + 1, n - 1)
            i2 = min(i + 2, n - 1)
            a00, a01, a10, a11, a20, a21 = tile(L, i, i1, i2, V, j, j + 1, j, i)
            x = -load(W, i, i)
            a00 = a00 * x
            a01 = a01 * x
            _put(W, V, i, j, a00)
            _put(W, V, i, j + 1, a01)
            if i + 1 < n:
                x = -load(W, i1, i1)
                y = load(L, i1, i)
                a10 = (a10 + y * a00) * x
                a11 = (a11 + y * a01) * x
                _put(W, V, i1, j, a10)
                _put(W, V, i1, j + 1, a11)
            if i + 2 < n:
                x = -load(W, i2, i2)
                y = load(L, i2, i)
                z = load(L, i2, i1)
                _put(W, V, i2, j, (a20 + y * a00 + z * a10) * x)
                _put(W, V, i2, j + 1, (a21 + y * a01 + z * a11) * x)


@kernel
def _set(C, i0, i1, i2, j0, j1, sums):
    store(C, i0, j0, sums[0])
    store(C, i0, j1, sums[1])
    store(C, i1, j0, sums[2])
    store(C, i1, j1, sums[3])
    store(C, i2, j0, sums[4])
    store(C, i2, j1, sums[5])


@kernel
def multiply_lower(P, Q, out, triangular):
    """Write the lower triangles of P Q^T to `out`; Q may be lower triangular."""
    n = out.shape[0]
    for i in range(0, n, 3):
        i1 = min(i + 1, n - 1)
        i2 = min(i + 2, n - 1)
        for j in range(0, i2 + 1, 2):
            j1 = min(j + 1, n - 1)
            stop = j1 + 1 if triangular else n
            _set(out, i, i1, i2, j, j1, tile(P, i, i1, i2, Q, j, j1, 0, stop))


@kernel
def congruence_of(W, X, T, triangular):
    """Replace the lower triangles of symmetric X by those of W X W^T.

    T is scratch. Triangular W have zeros above the diagonal, which are skipped.
    """
    n = X.shape[0]
    for i in range(0, n, 3):
        i1 = min(i + 1, n - 1)
        i2 = min(i + 2, n - 1)
        stop = i2 + 1 if triangular else n
        for j in range(0, n, 2):
            j1 = min(j + 1, n - 1)
            _set(T, i, i1, i2, j, j1, tile(W, i, i1, i2, X, j, j1, 0, stop))
    multiply_lower(T, W, X, triangular)
