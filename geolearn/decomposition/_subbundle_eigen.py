"""Eigenpairs of small symmetric matrices inside kernels, decreasing.

Up to eight columns: Jacobi's rotations in cyclic order, on the matrix over its trace.
They need no gap between eigenvalues and leave a zero row alone. Beyond: LAPACK.
"""

import math

import numpy as np
from numba import types

from geolearn.utils._jit import TABLE, first_class, kernel

JACOBI_COLUMNS = 8
_SWEEPS = 30
_EPS = 2.0**-53
_TINY = 1e-290  # below it products of entries underflow


@kernel
def _rotate_all(A, E):
    """Annul each entry above the diagonal by a rotation, applied to E's columns too.

    Tells whether there was any to annul.
    """
    n = A.shape[0]
    rotated = False
    for p in range(n - 1):
        for q in range(p + 1, n):
            apq = A[p, q]
            scale = math.sqrt(abs(A[p, p] * A[q, q]))
            if not (abs(apq) > _EPS * scale and abs(apq) > _TINY):
                continue
            rotated = True
            theta = 0.5 * (A[q, q] - A[p, p]) / apq
            t = 1.0 / (abs(theta) + math.sqrt(theta * theta + 1.0))
            if theta < 0.0:
                t = -t
            c = 1.0 / math.sqrt(t * t + 1.0)
            s = t * c
            A[p, p] -= t * apq
            A[q, q] += t * apq
            A[p, q] = 0.0
            A[q, p] = 0.0
            for i in range(n):
                if i != p and i != q:
                    x, y = A[i, p], A[i, q]
                    A[i, p] = A[p, i] = c * x - s * y
                    A[i, q] = A[q, i] = s * x + c * y
            for i in range(n):
                x, y = E[i, p], E[i, q]
                E[i, p] = c * x - s * y
                E[i, q] = s * x + c * y
    return rotated


@kernel
def _few_eigenpairs(A, values, E):
    """Fill values, decreasing, and the columns of E, up to `JACOBI_COLUMNS`."""
    n = A.shape[0]
    trace = 0.0
    for i in range(n):
        trace += A[i, i]
        values[i] = 0.0
        for j in range(n):
            E[i, j] = 1.0 if i == j else 0.0
    if not trace > 0.0:
        return
    for i in range(n):
        for j in range(n):
            A[i, j] /= trace
    for _ in range(_SWEEPS):
        if not _rotate_all(A, E):
            break
    for i in range(n):
        values[i] = max(A[i, i], 0.0) * trace
    for a in range(1, n):  # insertion sort; equal values keep their order
        b = a
        while b > 0 and values[b - 1] < values[b]:
            values[b - 1], values[b] = values[b], values[b - 1]
            for i in range(n):
                E[i, b - 1], E[i, b] = E[i, b], E[i, b - 1]
            b -= 1


@kernel
def _eigenpairs(A, values, E):
    """Fill values, decreasing, and the columns of E for any number of columns."""
    n = A.shape[0]
    if n <= JACOBI_COLUMNS:
        _few_eigenpairs(A, values, E)
        return
    lam, V = np.linalg.eigh(A)
    for a in range(n):
        values[a] = max(lam[n - 1 - a], 0.0)
        for i in range(n):
            E[i, a] = V[i, n - 1 - a]


EIGENPAIRS = types.void(TABLE, types.float64[::1], TABLE)


def eigenpairs(n):
    """Return the kernel for matrices of at most n columns, which it overwrites.

    Called through a pointer: LAPACK is compiled where it is needed, and once.
    """
    function = _few_eigenpairs if n <= JACOBI_COLUMNS else _eigenpairs
    return first_class(function, *EIGENPAIRS.args)
