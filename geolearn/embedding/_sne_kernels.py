"""Sums over pairs of stochastic neighbour embedding, without storing the pairs.

Points are columns of a table (`_sne_objective_sums`), so that loops over many points
run through contiguous memory. For one point y and a chunk of points x, `_measure`
fills distances, `_profile` the kernel, its slope and its derivative in the scale, and
`_pull` sums forces. The slope w is phi'(d) / d times the factor between log_y(x) and
x - y (or x + y) up to a normal vector, which is removed from the sum at the end:
nothing is divided by a vanishing distance.

On the hyperboloid log_y(x) is d / sinh(d) (x - y - 2 q y), with q = sinh(d / 2)^2 a sum
of two positive terms in the lengths and directions of the spatial parts.

Kernels that are exponentials are summed relative to the largest term of the row, so
that rows far from all others do not underflow.
"""

import math

import numpy as np
from numba import prange

from geolearn.utils._jit import kernel

# Kernels as functions of what is measured: the squared chord s^2, also the flat
# distance (1 / (1 + s^2 / tau), exp(-s^2 / (2 tau))); the arc of the sphere; q.
INVERSE, GAUSS, ARC_STUDENT, ARC_BROWNIAN = 0, 1, 2, 3
SINH_INVERSE, SINH_STUDENT, SINH_BROWNIAN = 4, 5, 6

WIDTH = 256  # points in a chunk: the buffers stay in the fastest cache
N_BUFFERS = 7
_ROWS = 32  # points that one task sums for, with the same buffers

# Columns of a row of sums: phi of the term that counts as 1 (or the sum of P phi), sum
# of the kernel, sum of its derivative in log(tau), sum of w 2 q, and the forces.
PHI, SUM, SLOPE, NORMAL, FORCE = 0, 1, 2, 3, 4

_CUT = 1e-8  # sin(d) on the sphere is no smaller, or counts as without direction
_TINY = 1e-300  # kernels are no smaller in logarithms
_LOWEST = -708.0  # exponents below count as minus infinity

# Adding it rounds to an integer, which is then found in the lowest bits.
_ROUNDER = 1.5 * 2.0**52
_BIAS = np.int64(1023)
_LOG2 = math.log(2.0)
_LOG2_HIGH = 2977044471.0 / 2.0**32  # products with exponents are exact
_LOG2_LOW = 1.908214929270587816144e-10
_ROOT_HALF = np.float64(math.sqrt(0.5)).view(np.int64)


@kernel(fastmath={"contract"})
def _exponential(v, shift, work, m):
    """Replace v by exp(shift - v), v >= shift; v may be infinite."""
    bits = work.view(np.int64)
    for k in range(m):
        work[k] = max(shift - v[k], _LOWEST) * (1.0 / _LOG2) + _ROUNDER
    for k in range(m):
        x = max(shift - v[k], _LOWEST)
        n = work[k] - _ROUNDER
        r = (x - n * _LOG2_HIGH) - n * _LOG2_LOW
        p = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
        p = 1.0 / 39916800.0 + r * p
        p = 1.0 / 3628800.0 + r * p
        p = 1.0 / 362880.0 + r * p
        p = 1.0 / 40320.0 + r * p
        p = 1.0 / 5040.0 + r * p
        p = 1.0 / 720.0 + r * p
        p = 1.0 / 120.0 + r * p
        p = 1.0 / 24.0 + r * p
        p = 1.0 / 6.0 + r * p
        p = 0.5 + r * p
        p = 1.0 + r * (1.0 + r * p)
        v[k] = p if x > _LOWEST else 0.0
    for k in range(m):
        bits[k] = (bits[k] + _BIAS) << np.int64(52)
    for k in range(m):
        v[k] *= work[k]


@kernel(fastmath={"contract"})
def _odd(s):
    """Return artanh(z) / z at s = z^2, arctan(z) / z at s = -z^2, for s up to 0.04."""
    p = 1.0 / 21.0 + s * (1.0 / 23.0)
    p = 1.0 / 19.0 + s * p
    p = 1.0 / 17.0 + s * p
    p = 1.0 / 15.0 + s * p
    p = 1.0 / 13.0 + s * p
    p = 1.0 / 11.0 + s * p
    p = 1.0 / 9.0 + s * p
    p = 1.0 / 7.0 + s * p
    p = 1.0 / 5.0 + s * p
    p = 1.0 / 3.0 + s * p
    return 1.0 + s * p


@kernel(fastmath={"contract"})
def _logarithm(y, small, e, m):
    """Replace y > 0 by log(y); small is (y - 1) / (y + 1), used for y near 1."""
    bits = y.view(np.int64)
    for k in range(m):
        exponent = (bits[k] - _ROOT_HALF) >> np.int64(52)
        bits[k] -= exponent << np.int64(52)
        e[k] = np.float64(exponent)
    for k in range(m):
        z = small[k] if e[k] == 0.0 else (y[k] - 1.0) / (y[k] + 1.0)
        s = z * z
        y[k] = e[k] * _LOG2_HIGH + (2.0 * z * _odd(s) + e[k] * _LOG2_LOW)


@kernel(fastmath={"contract"})
def _arc(x, c, d, m):
    """Fill d with 2 atan2(sqrt(x), sqrt(c)), halving the angle thrice."""
    for k in range(m):
        t = math.sqrt(x[k] + c[k]) + math.sqrt(c[k])
        t = math.sqrt(x[k]) / t
        t = t / (1.0 + math.sqrt(1.0 + t * t))
        t = t / (1.0 + math.sqrt(1.0 + t * t))
        d[k] = 16.0 * t * _odd(-t * t)


@kernel
def _distance(x, d, work, m, e):
    """Fill d with 2 asinh(sqrt(x))."""
    for k in range(m):
        root = math.sqrt(x[k])
        cosh = math.sqrt(1.0 + x[k])
        d[k] = root + cosh
        work[k] = root / (1.0 + cosh)
    _logarithm(d, work, e, m)
    for k in range(m):
        d[k] *= 2.0


@kernel(fastmath={"contract"})
def _cotangent(z):
    """Return (1 / d - cot(d)) / d at z = d^2, or (coth(d) - 1 / d) / d at z = -d^2.

    Taylor series, the coefficients 2^(2 n) |B_2n| / (2 n)!, for z up to 1 / 4.
    """
    p = 2.2805151204592183e-10 + z * 2.3106432599002624e-11
    p = 2.2507846516808994e-9 + z * p
    p = 2.221460878997968e-8 + z * p
    p = 2.1925947851873778e-7 + z * p
    p = 2.164404280806397e-6 + z * p
    p = 2.1377799155576935e-5 + z * p
    p = 0.00021164021164021165 + z * p
    p = 0.0021164021164021165 + z * p
    p = 0.022222222222222223 + z * p
    return 0.3333333333333333 + z * p


@kernel
def _profile_flat(code, x, v, w, h, tau, m):
    inverse = 1.0 / tau
    if code == GAUSS:
        for k in range(m):
            t = 0.5 * inverse * x[k]
            v[k] = t
            w[k] = inverse
            h[k] = -t
        return
    chord = 4.0 * inverse if code == SINH_INVERSE else inverse
    for k in range(m):
        u = 1.0 / (1.0 + chord * x[k])
        v[k] = u
        w[k] = 2.0 * inverse * u
        h[k] = u - 1.0


@kernel
def _profile_student(d, ratio, v, w, h, tau, m):
    inverse = 1.0 / tau
    for k in range(m):
        u = 1.0 / (1.0 + inverse * d[k] * d[k])
        v[k] = u
        w[k] = 2.0 * inverse * u * ratio[k]
        h[k] = u - 1.0


@kernel
def _profile_arc(code, x, c, v, w, h, d, work, tau, dim, m):
    """Fill v, w and h; c becomes -1 where x - y is summed, 1 where x + y is."""
    _arc(x, c, d, m)
    for k in range(m):
        sin = 0.5 * math.sqrt(x[k] * c[k])
        flat = 1.0 if x[k] < c[k] else 0.0  # without direction at antipodes
        work[k] = d[k] / sin if sin > _CUT else flat
    if code == ARC_STUDENT:
        _profile_student(d, work, v, w, h, tau, m)
    else:
        half = 0.5 * (dim - 1.0)
        for k in range(m):
            sin = max(0.5 * math.sqrt(x[k] * c[k]), _CUT)
            reciprocal = 1.0 / max(d[k], _CUT)
            direct = (reciprocal - 0.25 * (c[k] - x[k]) / sin) * reciprocal
            z = d[k] * d[k]
            slope = direct if z > 0.25 else _cotangent(min(z, 0.25))
            w[k] = (1.0 / tau - half * slope) * work[k]
            v[k] = sin * reciprocal
            work[k] = (v[k] - 1.0) / (v[k] + 1.0)
            h[k] = -0.5 * z / tau
        # the exponents go where the slopes were computed from
        _logarithm(v, work, d, m)
        for k in range(m):
            v[k] = half * v[k] - h[k]
    for k in range(m):
        c[k] = -1.0 if x[k] < c[k] else 1.0


@kernel
def _profile_sinh(code, x, v, w, h, d, work, tau, dim, m):
    _distance(x, d, work, m, v)
    for k in range(m):
        sinh = 2.0 * math.sqrt(x[k] * (1.0 + x[k]))
        work[k] = d[k] / sinh if sinh > 0.0 else 1.0
    if code == SINH_STUDENT:
        _profile_student(d, work, v, w, h, tau, m)
        return
    half = 0.5 * (dim - 1.0)
    for k in range(m):
        z = d[k] * d[k]
        reciprocal = 1.0 / max(d[k], _CUT)
        coth = (0.5 + x[k]) / math.sqrt(max(x[k], _CUT) * (1.0 + x[k]))
        direct = (coth - reciprocal) * reciprocal
        slope = direct if z > 0.25 else _cotangent(-min(z, 0.25))
        w[k] = (1.0 / tau + half * slope) * work[k]
        v[k] = 1.0 / work[k]
        work[k] = (v[k] - 1.0) / (v[k] + 1.0)
        h[k] = -0.5 * z / tau
    _logarithm(v, work, d, m)
    for k in range(m):
        v[k] = half * v[k] - h[k]


@kernel(fastmath={"contract"})
def _add_squares(row, y, x):
    for k in range(row.shape[0]):
        x[k] += (row[k] - y) * (row[k] - y)


@kernel
def _measure(code, T, a, b, y, x, c):
    """Fill x with squared chords or with q, and c with squared sums for arcs."""
    m = b - a
    for k in range(m):
        x[k] = 0.0
    if code >= SINH_INVERSE:
        dim = (T.shape[0] - 2) // 2
        for r in range(dim, 2 * dim):
            _add_squares(T[r, a:b], y[r], x)
        rho = T[2 * dim, a:b]
        time = T[2 * dim + 1, a:b]
        sigma, y0 = y[2 * dim], y[2 * dim + 1]
        for k in range(m):
            product = rho[k] * sigma
            apart = rho[k] - sigma
            radial = apart * apart / (2.0 * (1.0 + time[k] * y0 + product))
            x[k] = radial + 0.25 * product * x[k]
        return
    for r in range(T.shape[0]):
        _add_squares(T[r, a:b], y[r], x)
    if code in (ARC_STUDENT, ARC_BROWNIAN):
        for k in range(m):
            c[k] = 0.0
        for r in range(T.shape[0]):
            _add_squares(T[r, a:b], -y[r], c)


@kernel
def _profile(code, B, tau, dim, m):
    """Fill B[2], B[3], B[4] with kernel or phi, slope and derivative in log(tau)."""
    x, c, v, w, h = B[0], B[1], B[2], B[3], B[4]
    if code in (ARC_STUDENT, ARC_BROWNIAN):
        _profile_arc(code, x, c, v, w, h, B[5], B[6], tau, dim, m)
    elif code in (SINH_STUDENT, SINH_BROWNIAN):
        _profile_sinh(code, x, v, w, h, B[5], B[6], tau, dim, m)
    else:
        _profile_flat(code, x, v, w, h, tau, m)


@kernel
def is_exponential(code):
    """Tell whether `_profile` returns phi instead of the kernel."""
    return code in (GAUSS, ARC_BROWNIAN, SINH_BROWNIAN)


@kernel(fastmath={"reassoc", "contract"})
def _total(v, m):
    total = 0.0
    for k in range(m):
        total += v[k]
    return total


@kernel(fastmath={"reassoc", "contract"})
def _dot(u, v, m):
    total = 0.0
    for k in range(m):
        total += u[k] * v[k]
    return total


@kernel(fastmath={"reassoc", "contract"})
def _force(row, y, g, m):
    total = 0.0
    for k in range(m):
        total += g[k] * (row[k] - y)
    return total


@kernel(fastmath={"reassoc", "contract"})
def _force_signed(row, y, sign, g, m):
    total = 0.0
    for k in range(m):
        total += g[k] * (row[k] + sign[k] * y)
    return total


@kernel
def _pull(code, T, a, b, y, g, B, out):
    """Add to a row of sums the differences to y, weighted by g."""
    m = b - a
    n_forces = out.shape[0] - FORCE
    if code >= SINH_INVERSE:
        out[NORMAL] += 2.0 * _dot(g, B[0], m)
    if code in (ARC_STUDENT, ARC_BROWNIAN):
        for r in range(n_forces):
            out[FORCE + r] += _force_signed(T[r, a:b], y[r], B[1], g, m)
    else:
        for r in range(n_forces):
            out[FORCE + r] += _force(T[r, a:b], y[r], g, m)


@kernel
def _lowest(v, m):
    low = np.inf
    for k in range(m):
        low = min(low, v[k])
    return low


@kernel(fastmath={"reassoc", "contract"})
def _inverse_chunk(T, count, a, b, y, inverse, out):
    """Add the sums of a chunk for the kernel INVERSE in three coordinates."""
    t0, t1, t2 = T[0, a:b], T[1, a:b], T[2, a:b]
    y0, y1, y2 = y[0], y[1], y[2]
    number = count[a:b]
    total = square = f0 = f1 = f2 = 0.0
    for k in range(b - a):
        d0 = t0[k] - y0
        d1 = t1[k] - y1
        d2 = t2[k] - y2
        u = 1.0 / (1.0 + inverse * (d0 * d0 + d1 * d1 + d2 * d2))
        nu = number[k] * u
        g = nu * u
        total += nu
        square += g
        f0 += g * d0
        f1 += g * d1
        f2 += g * d2
    out[SUM] += total
    out[SLOPE] += square - total
    out[FORCE] += 2.0 * inverse * f0
    out[FORCE + 1] += 2.0 * inverse * f1
    out[FORCE + 2] += 2.0 * inverse * f2


@kernel(fastmath={"reassoc", "contract"})
def _weigh(v, w, h, count):
    """Weigh w by count v; return the sums of count v and of count v h."""
    total = slope = 0.0
    for k in range(count.shape[0]):
        t = v[k] * count[k]
        w[k] *= t
        total += t
        slope += t * h[k]
    return total, slope


@kernel
def add_repulsion(code, T, count, a, b, y, tau, dim, B, out):
    """Add to a row of sums the columns a to b of T, that many points each.

    Parameters
    ----------
    code : int
        Kernel.
    T, count : arrays of shape (n_rows, n) and (n,)
        Table of points, or of centres of groups, and how many points each is.
    a, b : int
        Range of at most `WIDTH` columns.
    y : array of shape (n_rows,)
        Column of the point that is repelled.
    tau, dim : float
        Scale of the kernel, dimension of the target.
    B : array of shape (N_BUFFERS, WIDTH)
        Buffers.
    out : array of shape (FORCE + n_forces,)
        Sums; those that are exponentials count relative to exp(-out[PHI]).
    """
    m = b - a
    if m <= 0:
        return
    if code == INVERSE and T.shape[0] == 3:
        _inverse_chunk(T, count, a, b, y, 1.0 / tau, out)
        return
    _measure(code, T, a, b, y, B[0], B[1])
    _profile(code, B, tau, dim, m)
    v, w, h = B[2], B[3], B[4]
    if is_exponential(code):
        low = _lowest(v, m)
        if low < out[PHI]:
            shrink = math.exp(low - out[PHI])
            for r in range(SUM, out.shape[0]):
                out[r] *= shrink
            out[PHI] = low
        _exponential(v, out[PHI], B[5], m)
    total, slope = _weigh(v, w, h, count[a:b])
    out[SUM] += total
    out[SLOPE] += slope
    _pull(code, T, a, b, y, w, B, out)


@kernel(fastmath={"reassoc", "contract"})
def _inverse_attraction(T, p, a, b, y, inverse, out):
    """Add the weighted sums of a chunk for the kernel INVERSE in three coordinates."""
    t0, t1, t2 = T[0, a:b], T[1, a:b], T[2, a:b]
    y0, y1, y2 = y[0], y[1], y[2]
    total = product = f0 = f1 = f2 = 0.0
    for k in range(b - a):
        d0 = t0[k] - y0
        d1 = t1[k] - y1
        d2 = t2[k] - y2
        g = p[k] / (1.0 + inverse * (d0 * d0 + d1 * d1 + d2 * d2))
        total += p[k]
        product += g
        f0 += g * d0
        f1 += g * d1
        f2 += g * d2
    out[SUM] += total
    out[SLOPE] += product - total
    out[FORCE] += 2.0 * inverse * f0
    out[FORCE + 1] += 2.0 * inverse * f1
    out[FORCE + 2] += 2.0 * inverse * f2


@kernel
def _add_attraction(code, T, p, a, b, y, tau, dim, want_cost, B, out):
    """Add the columns a to b of T with weights p[:b - a]."""
    m = b - a
    if code == INVERSE and T.shape[0] == 3:
        _inverse_attraction(T, p, a, b, y, 1.0 / tau, out)
        if want_cost:
            _measure(code, T, a, b, y, B[0], B[1])
            for k in range(m):
                B[2, k] = math.log1p(B[0, k] / tau)
            out[PHI] += _dot(p, B[2], m)
        return
    _measure(code, T, a, b, y, B[0], B[1])
    _profile(code, B, tau, dim, m)
    v, w, h = B[2], B[3], B[4]
    out[SUM] += _total(p, m)
    out[SLOPE] += _dot(p, h, m)
    if want_cost:
        if not is_exponential(code):
            for k in range(m):
                v[k] = -math.log(max(v[k], _TINY))
        out[PHI] += _dot(p, v, m)
    for k in range(m):
        w[k] *= p[k]
    _pull(code, T, a, b, y, w, B, out)


@kernel
def _start(code, T, i, y, row):
    """Fill y with a column and clear the row of sums."""
    for r in range(T.shape[0]):
        y[r] = T[r, i]
    row[:] = 0.0
    row[PHI] = np.inf if is_exponential(code) else 0.0


@kernel(parallel=True)
def repulsion(code, T, tau, dim, out):
    """Fill the rows of sums over all other points, for each column of T."""
    n = T.shape[1]
    count = np.ones(n)
    for block in prange((n + _ROWS - 1) // _ROWS):
        B, y = np.empty((N_BUFFERS, WIDTH)), np.empty(T.shape[0])
        first = np.intp(block) * _ROWS
        for i in range(first, min(first + _ROWS, n)):
            row = out[i]
            _start(code, T, i, y, row)
            for a in range(0, i, WIDTH):
                b = min(a + WIDTH, i)
                add_repulsion(code, T, count, a, b, y, tau, dim, B, row)
            for a in range(i + 1, n, WIDTH):
                b = min(a + WIDTH, n)
                add_repulsion(code, T, count, a, b, y, tau, dim, B, row)


@kernel(parallel=True)
def attraction(code, T, indptr, indices, data, tau, dim, want_cost, out):
    """Fill the rows of sums weighted by sparse probabilities; PHI sums p phi."""
    n = T.shape[1]
    points = T.T.copy()  # the coordinates of a point are fetched together
    for block in prange((n + _ROWS - 1) // _ROWS):
        B, y = np.empty((N_BUFFERS, WIDTH)), np.empty(T.shape[0])
        near = np.empty((T.shape[0], WIDTH))
        first = np.intp(block) * _ROWS
        for i in range(first, min(first + _ROWS, n)):
            row = out[i]
            _start(code, T, i, y, row)
            row[PHI] = 0.0
            stop = indptr[i + 1]
            for a in range(indptr[i], stop, WIDTH):
                m = min(WIDTH, stop - a)
                p, chosen = data[a : a + m], indices[a : a + m]
                for k in range(m):
                    for r in range(T.shape[0]):
                        near[r, k] = points[chosen[k], r]
                _add_attraction(code, near, p, 0, m, y, tau, dim, want_cost, B, row)


@kernel(parallel=True)
def dense_attraction(code, T, P, tau, dim, want_cost, out):
    """Fill the rows of sums weighted by the rows of P; PHI sums p phi."""
    n = T.shape[1]
    for block in prange((n + _ROWS - 1) // _ROWS):
        B, y = np.empty((N_BUFFERS, WIDTH)), np.empty(T.shape[0])
        first = np.intp(block) * _ROWS
        for i in range(first, min(first + _ROWS, n)):
            row = out[i]
            _start(code, T, i, y, row)
            row[PHI] = 0.0
            for a in range(0, n, WIDTH):
                b = min(a + WIDTH, n)
                p = P[i, a:b]
                _add_attraction(code, T, p, a, b, y, tau, dim, want_cost, B, row)
