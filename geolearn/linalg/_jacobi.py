"""Singular values of eight matrices at a time to high relative accuracy."""

import numpy as np

from geolearn.linalg._lanes import (
    absolute,
    any_lane,
    load,
    select,
    splat,
    square_root,
    store,
    store_row,
)
from geolearn.utils._jit import kernel

# kernels: _lanes=3ffc2f52

__all__ = ["divide_lower", "jacobi_squares"]

_EPS = np.finfo(np.float64).eps
# Cosines of the angles between rows below this change no singular value by more than a
# rounding: they enter squared.
_ORTHOGONAL = 1e-9
_MAX_SWEEPS = 40


@kernel
def divide_lower(K, L):
    """Replace L by K^-1 L, both lower triangular, by substitution."""
    n = K.shape[0]
    for i in range(n):
        inverse = splat(1.0) / load(K, i, i)
        for j in range(i + 1):
            x = load(L, i, j)
            for k in range(j, i):
                x = x - load(K, i, k) * load(L, k, j)
            store(L, i, j, x * inverse)


@kernel
def _products(M, p, q):
    # The squared lengths of two rows and their inner product.
    a = splat(0.0)
    b = splat(0.0)
    c = splat(0.0)
    for k in range(M.shape[0]):
        x = load(M, p, k)
        y = load(M, q, k)
        a = a + x * x
        b = b + y * y
        c = c + x * y
    return a, b, c


@kernel
def _turn(M, p, q):
    # Make two rows orthogonal, the longer one first; returns whether they were not.
    one = splat(1.0)
    zero = splat(0.0)
    a, b, c = _products(M, p, q)
    apart = c * c > splat(_ORTHOGONAL * _ORTHOGONAL) * a * b
    wrong = a < b
    if not any_lane(apart | wrong):
        return False
    zeta = (b - a) / select(apart, c + c, one)
    t = one / (absolute(zeta) + square_root(one + zeta * zeta))
    t = select(apart, select(zeta < zero, -t, t), zero)
    cosine = one / square_root(one + t * t)
    sine = cosine * t
    # Rows in the wrong order change places.
    first = select(wrong, sine, cosine)
    second = select(wrong, cosine, -sine)
    third = select(wrong, cosine, sine)
    fourth = select(wrong, -sine, cosine)
    for k in range(M.shape[0]):
        x = load(M, p, k)
        y = load(M, q, k)
        store(M, p, k, first * x + second * y)
        store(M, q, k, third * x + fourth * y)
    return any_lane(apart)


@kernel
def jacobi_squares(M, squares):
    """Fill `squares` (n, 8) with the squared singular values; M is destroyed."""
    n = M.shape[0]
    for _ in range(_MAX_SWEEPS):
        moved = False
        for p in range(n - 1):
            for q in range(p + 1, n):
                if _turn(M, p, q):
                    moved = True
        if not moved:
            break
    for p in range(n):
        a = splat(0.0)
        for k in range(n):
            x = load(M, p, k)
            a = a + x * x
        store_row(squares, p, a)
