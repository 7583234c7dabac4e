"""Eigenvalues and eigenvectors of eight symmetric matrices at a time.

Householder reflections make the matrices tridiagonal, from the last row upwards;
the QL iteration with Wilkinson's shift finds the eigenvalues. All eight matrices
take the same steps: where one has found its eigenvalue and another has not, it
works on its next one meanwhile. Entries below rounding are set to zero, which
splits a matrix; a sweep starts anew in each part.
"""

import numpy as np

from geolearn.linalg._lanes import (
    absolute,
    any_lane,
    load,
    load_row,
    select,
    splat,
    square_root,
    store,
    store_row,
)
from geolearn.utils._jit import kernel

# kernels: _lanes=3ffc2f52

__all__ = [
    "form_basis",
    "ql_values",
    "ql_vectors",
    "scale_lanes",
    "tridiagonalise",
]

_EPS = np.finfo(np.float64).eps
# Entries of the tridiagonal form below this part of the largest are rounding errors of
# no consequence; it lets eigenvalues that are exactly zero converge.
_NEGLIGIBLE = 1e-22
# Sums of squares below this are zero: reflections made of them are not orthogonal.
_TINY = 1e-290
# Matrices whose largest entry is outside 2**-200 .. 2**200 are scaled.
_EXPONENT = 200
_MAX_SWEEPS = 30  # an eigenvalue
# Sweeps whose rotations are collected before they are applied to the eigenvectors.
_BATCH = 8


@kernel
def scale_lanes(A, back):
    """Scale matrices out of range, by powers of two, and set bad ones to zero.

    Fills `back` (8,) with the factors of the eigenvalues: powers of two, or NaN where
    a matrix is not finite.
    """
    n = A.shape[0]
    largest = splat(0.0)
    broken = splat(0.0)
    for i in range(n):
        for j in range(i + 1):
            x = absolute(load(A, i, j))
            largest = select(x > largest, x, largest)
            broken = broken + (x - x)
    finite = broken <= splat(0.0)
    row = np.empty((1, 8))
    store_row(row, 0, select(finite, largest, splat(np.nan)))
    factor = np.ones((1, 8))
    plain = True
    for t in range(8):
        back[t] = 1.0
        if not np.isfinite(row[0, t]):
            back[t] = np.nan
            plain = False
        elif row[0, t] > 0.0:
            exponent = int(np.floor(np.log2(row[0, t])))
            if abs(exponent) > _EXPONENT:
                exponent = min(max(exponent, -1000), 1000)
                back[t] = 2.0**exponent
                factor[0, t] = 2.0**-exponent
                plain = False
    if plain:
        return
    f = load_row(factor, 0)
    for i in range(n):
        for j in range(i + 1):
            store(A, i, j, select(finite, load(A, i, j) * f, splat(0.0)))


@kernel
def _reflector(A, i, inverse_h):
    # Row i becomes v, with (I - v v^T / h) row = (0, ..., 0, e); returns e.
    squares = splat(0.0)
    more = splat(0.0)
    for k in range(0, i - 2, 2):
        x = load(A, i, k)
        y = load(A, i, k + 1)
        squares = squares + x * x
        more = more + y * y
    if i % 2 == 0 and i > 1:
        x = load(A, i, i - 2)
        squares = squares + x * x
    squares = squares + more
    alpha = load(A, i, i - 1)
    needed = squares > splat(_TINY)
    norm = square_root(squares + alpha * alpha)
    size = absolute(alpha)
    h = norm * (norm + size)
    signed = select(alpha < splat(0.0), -norm, norm)
    inverse = splat(1.0) / select(needed, h, splat(1.0))
    store_row(inverse_h, i, select(needed, inverse, splat(0.0)))
    store(A, i, i - 1, select(needed, alpha + signed, alpha))
    return select(needed, -signed, alpha)


@kernel
def _update_and_multiply(A, i, before, q, p):
    # The pending update A -= w q^T + q w^T, w = row `before`, of the leading i rows,
    # and p = A v with v = row i, in one pass over the lower triangle.
    for j in range(0, i - 1, 2):
        w0 = load(A, before, j)
        w1 = load(A, before, j + 1)
        q0 = load_row(q, j)
        q1 = load_row(q, j + 1)
        v0 = load(A, i, j)
        v1 = load(A, i, j + 1)
        s0 = splat(0.0)
        s1 = splat(0.0)
        for k in range(j):
            w = load(A, before, k)
            qk = load_row(q, k)
            v = load(A, i, k)
            a = load(A, j, k) - w0 * qk - q0 * w
            b = load(A, j + 1, k) - w1 * qk - q1 * w
            store(A, j, k, a)
            store(A, j + 1, k, b)
            s0 = s0 + a * v
            s1 = s1 + b * v
            store_row(p, k, load_row(p, k) + (a * v0 + b * v1))
        a = load(A, j, j) - (w0 * q0 + q0 * w0)
        b = load(A, j + 1, j) - w1 * q0 - q1 * w0
        c = load(A, j + 1, j + 1) - (w1 * q1 + q1 * w1)
        store(A, j, j, a)
        store(A, j + 1, j, b)
        store(A, j + 1, j + 1, c)
        store_row(p, j, s0 + (a * v0 + b * v1))
        store_row(p, j + 1, s1 + (b * v0 + c * v1))
    if i % 2 == 1:
        j = i - 1
        w0 = load(A, before, j)
        q0 = load_row(q, j)
        v0 = load(A, i, j)
        s0 = splat(0.0)
        for k in range(j):
            a = load(A, j, k) - w0 * load_row(q, k) - q0 * load(A, before, k)
            store(A, j, k, a)
            s0 = s0 + a * load(A, i, k)
            store_row(p, k, load_row(p, k) + a * v0)
        a = load(A, j, j) - (w0 * q0 + q0 * w0)
        store(A, j, j, a)
        store_row(p, j, s0 + a * v0)


@kernel
def tridiagonalise(A, d, e, inverse_h, p, q):
    """Reduce the lower triangles to diagonals d and off-diagonals e, both (n, 8).

    Row i of A becomes the reflector v_i of length i, with 1 / h_i in `inverse_h`.
    The arrays p and q (n, 8) are scratch; e[n - 1] is zero.
    """
    n = A.shape[0]
    half = splat(0.5)
    for k in range(n):
        store_row(q, k, splat(0.0))
    store_row(e, n - 1, splat(0.0))
    for i in range(n - 1, 0, -1):
        before = min(i + 1, n - 1)
        w0 = load(A, before, i)
        q0 = load_row(q, i)
        for k in range(i):
            x = load(A, i, k) - w0 * load_row(q, k) - q0 * load(A, before, k)
            store(A, i, k, x)
        store_row(d, i, load(A, i, i) - (w0 * q0 + q0 * w0))
        store_row(e, i - 1, _reflector(A, i, inverse_h))
        _update_and_multiply(A, i, before, q, p)
        inverse = load_row(inverse_h, i)
        s = splat(0.0)
        for k in range(i):
            s = s + load_row(p, k) * load(A, i, k)
        s = s * inverse * inverse * half
        for k in range(i):
            store_row(q, k, load_row(p, k) * inverse - s * load(A, i, k))
    store_row(d, 0, load(A, 0, 0))


@kernel
def form_basis(A, inverse_h, Z):
    """Write the transposed product of the reflectors to Z.

    Z[a, k] is component k of the basis vector a in which A is tridiagonal.
    """
    n = A.shape[0]
    zero = splat(0.0)
    for i in range(n):
        for k in range(n):
            store(Z, i, k, zero)
        store(Z, i, i, splat(1.0))
    for i in range(2, n):
        h = load_row(inverse_h, i)
        for a in range(0, i - 1, 2):
            s0 = zero
            s1 = zero
            for k in range(i):
                v = load(A, i, k)
                s0 = s0 + load(Z, a, k) * v
                s1 = s1 + load(Z, a + 1, k) * v
            s0 = s0 * h
            s1 = s1 * h
            for k in range(i):
                v = load(A, i, k)
                store(Z, a, k, load(Z, a, k) - s0 * v)
                store(Z, a + 1, k, load(Z, a + 1, k) - s1 * v)
        if i % 2 == 1:
            s0 = zero
            for k in range(i):
                s0 = s0 + load(Z, i - 1, k) * load(A, i, k)
            s0 = s0 * h
            for k in range(i):
                store(Z, i - 1, k, load(Z, i - 1, k) - s0 * load(A, i, k))


@kernel
def _largest_square(d, e):
    # The square of a norm of the tridiagonal matrices.
    largest = splat(0.0)
    for i in range(d.shape[0]):
        x = absolute(load_row(d, i)) + absolute(load_row(e, i))
        largest = select(x > largest, x, largest)
    return largest * largest


@kernel
def _values_sweep(d, e, low, sigma):
    # One QL step on rows low .. n - 1 without square roots, after Pal, Walker and
    # Kahan: c and s are squares of cosine and sine, e holds squares.
    n = d.shape[0]
    one = splat(1.0)
    zero = splat(0.0)
    tiny = splat(_TINY)
    c = one
    s = zero
    gamma = load_row(d, n - 1) - sigma
    p = gamma * gamma
    below = zero
    for i in range(n - 2, low - 1, -1):
        b = load_row(e, i)
        alpha = load_row(d, i)
        r = p + b
        positive = r > zero
        inverse = one / select(positive, r, one)
        if i < n - 2:
            store_row(e, i + 1, s * r)
        previous_c = c
        regular = p > tiny * r
        ratio = r / select(regular, p, one)
        c = select(positive, p * inverse, one)
        s = b * inverse
        previous = gamma
        gamma = c * (alpha - sigma) - s * previous
        x = previous + select(b <= zero, sigma, alpha - gamma)
        alone = (b <= zero) & (below <= zero)  # found already: no rounding
        store_row(d, i + 1, select(alone, load_row(d, i + 1), x))
        below = b
        usual = gamma * gamma * select(positive, ratio, one)
        p = select(regular | ~positive, usual, previous_c * b)
    store_row(e, low, s * p)
    store_row(d, low, select(below <= zero, load_row(d, low), gamma + sigma))


@kernel
def _next_shift(d, e, low, floor, squared):
    # Set the negligible among e[low:] to zero. Each matrix works on the first part
    # that is left: its shift is the eigenvalue of (d0, e; e, d1) nearer to d0.
    eps = splat(_EPS * _EPS)
    zero = splat(0.0)
    n = d.shape[0]
    first = load_row(d, n - 1)
    d0 = first
    d1 = first
    square = zero
    for i in range(n - 2, low - 1, -1):
        second = first
        first = load_row(d, i)
        x = load_row(e, i)
        y = x if squared else x * x
        keep = y > eps * absolute(first * second) + floor
        store_row(e, i, select(keep, x, zero))
        d0 = select(keep, first, d0)
        d1 = select(keep, second, d1)
        square = select(keep, y, square)
    half = (d1 - d0) * splat(0.5)
    root = square_root(half * half + square)
    denominator = half + select(half < zero, -root, root)
    denominator = select(square > zero, denominator, splat(1.0))
    return d0 - square / denominator


@kernel
def _first_row(e, low):
    # The first row from `low` where an off-diagonal is left.
    zero = splat(0.0)
    while low < e.shape[0] - 1 and not any_lane(absolute(load_row(e, low)) > zero):
        low += 1
    return low


@kernel
def _mark_unfinished(d, e, low):
    # Never reached in practice: QL takes two or three sweeps an eigenvalue.
    for i in range(low, d.shape[0] - 1):
        left = absolute(load_row(e, i)) > splat(0.0)
        for k in range(low, d.shape[0]):
            store_row(d, k, select(left, splat(np.nan), load_row(d, k)))


@kernel
def ql_values(d, e):
    """Replace d (n, 8) by the eigenvalues of tridiagonal matrices, not sorted.

    e (n, 8) holds the off-diagonals, the last of them zero, and is destroyed.
    """
    n = d.shape[0]
    floor = _largest_square(d, e) * splat(_NEGLIGIBLE * _NEGLIGIBLE)
    for i in range(n):
        x = load_row(e, i)
        store_row(e, i, x * x)
    low = 0
    for _ in range(_MAX_SWEEPS * n):
        sigma = _next_shift(d, e, low, floor, True)
        low = _first_row(e, low)
        if low >= n - 1:
            return
        _values_sweep(d, e, low, sigma)
    _mark_unfinished(d, e, low)


@kernel
def _vectors_sweep(d, e, low, sigma, C, S, at):
    # One implicit QL step on rows low .. n - 1; rotation i goes to row at + i of C, S.
    n = d.shape[0]
    one = splat(1.0)
    zero = splat(0.0)
    c = one
    s = one
    p = zero
    g = zero
    below = zero  # the old e[i + 1]; zero starts a new part
    for i in range(n - 2, low - 1, -1):
        start = absolute(below) <= zero
        d1 = load_row(d, i + 1)
        d0 = load_row(d, i)
        below = load_row(e, i)
        c = select(start, one, c)
        s = select(start, one, s)
        p = select(start, zero, p)
        g = select(start, d1 - sigma, g)
        f = s * below
        b = c * below
        r = square_root(f * f + g * g)
        # Without a rotation no sign may change: the next part keeps its e[i - 1].
        turning = (absolute(f) > zero) & (r > zero)
        r = select(turning, r, g)
        store_row(e, i + 1, select(start, zero, r))
        inverse = one / select(turning, r, one)
        s = select(turning, f * inverse, zero)
        c = select(turning, g * inverse, one)
        g = d1 - p
        r = (d0 - g) * s + splat(2.0) * c * b
        p = s * r
        store_row(d, i + 1, g + p)
        g = c * r - b
        store_row(C, at + i, c)
        store_row(S, at + i, s)
    store_row(d, low, load_row(d, low) - p)
    store_row(e, low, g)


@kernel
def _rotate_columns(Z, k0, k1, k2, k3, C, S, at, low):
    # The rotations of a sweep on four columns of Z; one row stays in registers.
    n = Z.shape[0]
    z0 = load(Z, n - 1, k0)
    z1 = load(Z, n - 1, k1)
    z2 = load(Z, n - 1, k2)
    z3 = load(Z, n - 1, k3)
    for i in range(n - 2, low - 1, -1):
        c = load_row(C, at + i)
        s = load_row(S, at + i)
        y0 = load(Z, i, k0)
        y1 = load(Z, i, k1)
        y2 = load(Z, i, k2)
        y3 = load(Z, i, k3)
        store(Z, i + 1, k0, s * y0 + c * z0)
        store(Z, i + 1, k1, s * y1 + c * z1)
        store(Z, i + 1, k2, s * y2 + c * z2)
        store(Z, i + 1, k3, s * y3 + c * z3)
        z0 = c * y0 - s * z0
        z1 = c * y1 - s * z1
        z2 = c * y2 - s * z2
        z3 = c * y3 - s * z3
    store(Z, low, k0, z0)
    store(Z, low, k1, z1)
    store(Z, low, k2, z2)
    store(Z, low, k3, z3)


@kernel
def _rotate(Z, C, S, starts, count):
    last = Z.shape[0] - 1
    for k in range(0, last + 1, 4):
        k1 = min(k + 1, last)
        k2 = min(k + 2, last)
        k3 = min(k + 3, last)
        for t in range(count):
            _rotate_columns(Z, k, k1, k2, k3, C, S, t * (last + 1), starts[t])


@kernel
def ql_vectors(d, e, Z, C, S):
    """Replace d by eigenvalues and rotate the rows of Z into eigenvectors.

    C and S (8 n, 8) are scratch for cosines and sines.
    """
    n = d.shape[0]
    floor = _largest_square(d, e) * splat(_NEGLIGIBLE * _NEGLIGIBLE)
    starts = np.zeros(_BATCH, dtype=np.intp)
    count = 0
    low = 0
    for _ in range(_MAX_SWEEPS * n):
        sigma = _next_shift(d, e, low, floor, False)
        low = _first_row(e, low)
        if low >= n - 1:
            break
        _vectors_sweep(d, e, low, sigma, C, S, count * n)
        starts[count] = low
        count += 1
        if count == _BATCH:
            _rotate(Z, C, S, starts, count)
            count = 0
    _rotate(Z, C, S, starts, count)
    _mark_unfinished(d, e, low)
