"""Eigenvalues and determinants of pairs of SPD matrices, eight pairs at a time."""

import numpy as np

from geolearn.linalg._eigen import ql_values, scale_lanes, tridiagonalise
from geolearn.linalg._factor import congruence_of, factor, scratch
from geolearn.linalg._jacobi import divide_lower, jacobi_squares
from geolearn.linalg._lanes import gather, load, splat, store, store_row
from geolearn.linalg._tasks import members
from geolearn.utils._jit import kernel

# kernels: _eigen=b1e5c55d _factor=fc413b09 _jacobi=eaaa07a1 _lanes=3ffc2f52
# kernels: _tasks=a0a5f9e8

__all__ = [
    "inverse_pivots",
    "mean_log_determinants",
    "pencil_eigenvalues",
    "quotient_values",
]


@kernel
def _pack_lower(X, chosen, C):
    for i in range(X.shape[1]):
        for j in range(i + 1):
            store(C, i, j, gather(X, chosen, i, j))


@kernel
def pencil_eigenvalues(first, last, A, a, B, b, out, values):
    """Fill values (results, n) with the eigenvalues of W (B - X) W^T, not sorted.

    A (2 m, n, n) holds m lower triangular matrices W and then m matrices X. A result
    is NaN where a number is not finite.
    """
    n = A.shape[1]
    m = A.shape[0] // 2
    C = scratch(n, n)
    T = scratch(n, n)
    W = scratch(n, n)
    X = scratch(n, n)
    work = np.empty((5, n, 8))
    d = work[0]
    e = work[1]
    back = np.empty(8)
    packed = (-1, -1, -1, -1, -1, -1, -1, -1)
    for g in range(first, last):
        chosen = members(a, g)
        if chosen != packed:  # one matrix against many is packed once
            c0, c1, c2, c3, c4, c5, c6, c7 = chosen
            matrices = (c0 + m, c1 + m, c2 + m, c3 + m, c4 + m, c5 + m, c6 + m, c7 + m)
            _pack_lower(A, chosen, W)
            _pack_lower(A, matrices, X)
            packed = chosen
        chosen = members(b, g)
        for i in range(n):
            for j in range(i + 1):
                x = gather(B, chosen, i, j) - load(X, i, j)
                store(C, i, j, x)
                store(C, j, i, x)
        congruence_of(W, C, T, True)
        scale_lanes(C, back)
        tridiagonalise(C, d, e, work[2], work[3], work[4])
        ql_values(d, e)
        for t in range(min(8, a.shape[0] - 8 * g)):
            for i in range(n):
                values[8 * g + t, i] = d[i, t] * back[t]


@kernel
def quotient_values(first, last, A, a, B, b, out, values):
    """Fill values (results, n) with the singular values of K^-1 L, not sorted.

    A and B hold the lower triangular matrices K and L.
    """
    n = A.shape[1]
    K = scratch(n, n)
    M = scratch(n, n)
    squares = np.empty((n, 8))
    back = np.empty(8)
    for g in range(first, last):
        _pack_lower(A, members(a, g), K)
        _pack_lower(B, members(b, g), M)
        for i in range(n):
            for j in range(i + 1, n):
                store(M, i, j, splat(0.0))
        divide_lower(K, M)
        scale_lanes(M, back)
        jacobi_squares(M, squares)
        for t in range(min(8, a.shape[0] - 8 * g)):
            for i in range(n):
                values[8 * g + t, i] = np.sqrt(squares[i, t]) * back[t]


@kernel
def inverse_pivots(first, last, A, a, B, b, out, values):
    """Fill values (results, n) with the inverse diagonals of Cholesky factors.

    A row is NaN where a matrix is not positive definite.
    """
    n = A.shape[1]
    C = scratch(n, n)
    status = np.empty((1, 8))
    for g in range(first, last):
        _pack_lower(A, members(a, g), C)
        store_row(status, 0, factor(C))
        for t in range(min(8, a.shape[0] - 8 * g)):
            for i in range(n):
                x = 1.0 / C[i, i, t]
                values[8 * g + t, i] = np.nan if status[0, t] > 0.0 else x


@kernel
def mean_log_determinants(first, last, A, a, B, b, out, values):
    """Fill values (results, 1) with log det((X + Y) / 2) - (log det X + log det Y) / 2.

    A and B hold the matrices X and Y, out[x, 0] and out[y, 1] the inverse diagonals of
    the Cholesky factors of A[x] and B[y]. Each pivot of the mean, divided by the
    geometric mean of those of X and Y, is at least one, so that no large numbers
    cancel. A result is NaN where the mean is not positive definite.
    """
    n = A.shape[1]
    C = scratch(n, n)
    products = np.empty((-(-n // 4), 8))
    status = np.empty((1, 8))
    half = splat(0.5)
    for g in range(first, last):
        left = members(a, g)
        right = members(b, g)
        for i in range(n):
            for j in range(i + 1):
                x = gather(A, left, i, j) + gather(B, right, i, j)
                store(C, i, j, x * half)
        store_row(status, 0, factor(C))
        # Four ratios at a time do not overflow, at a quarter of the logarithms.
        for k in range(products.shape[0]):
            product = splat(1.0)
            for j in range(4 * k, min(4 * k + 4, n)):
                x = load(C, j, j)
                x = x * gather(out, left, 0, j) * x * gather(out, right, 1, j)
                product = product * x
            store_row(products, k, product)
        for t in range(min(8, a.shape[0] - 8 * g)):
            total = 0.0
            for k in range(products.shape[0]):
                total += np.log(products[k, t])
            values[8 * g + t, 0] = np.nan if status[0, t] > 0.0 else total
