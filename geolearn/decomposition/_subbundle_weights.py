"""Weights of samples around a point, on a list that serves a stretch of a curve.

Lengths are in units of the bandwidth. A list holds every sample that has a weight at
any point within `SKIN` of its anchor. A plain cut of the Gaussian would make the
energy of a curve drift, since its gradient knows nothing of samples that enter and
leave; so the weight falls smoothly to zero over the outermost sixth of the squared
radius, where it is below exp(-15) with the default support, and the derivative of
that is part of the gradient.
"""

# kernels: _subbundle_search=cb81b20f

import math
from typing import NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_search import nearest, within
from geolearn.utils._jit import kernel

GAUSSIAN, TAPERED = 0, 1
SKIN = 0.5
FLAT = 4.0  # squared distance to the data up to which the radius is constant
_OUTER = 1.0 / 6.0  # share of the squared radius over which the Gaussian is let go

# exp(x) = 2**k exp(r) with ln 2 in two parts, and Taylor's series for abs(r) < 0.35.
_LOG2E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the nearest integer below
_LOWEST = -700.0
_PAGE = 512  # numbers whose distance in memory makes them compete for the cache


class Samples(NamedTuple):
    """The samples in the order of their tree, over the bandwidth."""

    points: np.ndarray
    weights: np.ndarray
    bounds: np.ndarray
    boxes: np.ndarray


class Neighbours(NamedTuple):
    """Samples around an anchor and room for what is computed from them.

    There is room for all samples, so that a list is replaced in place.
    """

    anchor: np.ndarray  # (d,)
    rows: np.ndarray  # (n + 1,) of the samples of the list; the last is their number
    coordinates: np.ndarray  # (d, room), or none for many features
    offsets: np.ndarray  # (d, room) or (room, d), about p, then about their mean
    columns: np.ndarray  # (5, room), see below
    bits: np.ndarray  # the memory of the spare column, as integers


# `PULL` is minus twice the derivative of the weight by the squared distance.
WEIGHT, R2, W, PULL, SPARE = 0, 1, 2, 3, 4


@kernel
def squared_radius(kind, support, nearest2):
    """Return the squared radius beyond which weights vanish."""
    c2 = support * support
    if kind == TAPERED:
        return c2
    return c2 + max(0.0, nearest2 - min(FLAT, 0.5 * c2))


@kernel
def padded(n):
    """Return the length of rows for n numbers that do not share cache lines."""
    return n // _PAGE * _PAGE + _PAGE + 9 * 8


@kernel
def make_list(n, d, copied, height, width):
    """Return room for lists of n samples that serves no point.

    Coordinates are `copied` rows, and offsets of shape (height, width).
    """
    size = padded(n)
    columns = np.empty((5, size))
    anchor = np.empty(d)
    for a in range(d):
        anchor[a] = np.nan
    return Neighbours(
        anchor,
        np.empty(n + 1, dtype=np.int64),
        np.empty((copied, size)),
        np.empty((height, width)),
        columns,
        columns[SPARE].view(np.int64),
    )


@kernel
def list_samples(samples, near, p, kind, support, skin):
    """List the samples that serve all points within `skin` of p."""
    close = math.sqrt(nearest(samples.points, samples.bounds, samples.boxes, p))
    reach = math.sqrt(squared_radius(kind, support, (close + skin) ** 2)) + skin
    rows = near.rows
    m = within(samples.points, samples.bounds, samples.boxes, p, reach * reach, rows)
    rows[rows.shape[0] - 1] = m
    for a in range(p.shape[0]):
        near.anchor[a] = p[a]
    for i in range(m):
        near.columns[WEIGHT, i] = samples.weights[rows[i]]
    for i in range(m):
        for a in range(near.coordinates.shape[0]):
            near.coordinates[a, i] = samples.points[rows[i], a]


@kernel
def serves(near, p, skin):
    """Tell whether p is within the skin of the list's anchor."""
    total = 0.0
    for a in range(p.shape[0]):
        gap = p[a] - near.anchor[a]
        total += gap * gap
    return total <= skin * skin


@kernel
def minimum(values, n):
    """Return the smallest of n entries, infinity of none."""
    a, b, c, d = np.inf, np.inf, np.inf, np.inf
    last = n - n % 4
    for i in range(0, last, 4):  # four chains, for the latency of min
        a = values[i] if values[i] < a else a
        b = values[i + 1] if values[i + 1] < b else b
        c = values[i + 2] if values[i + 2] < c else c
        d = values[i + 3] if values[i + 3] < d else d
    for i in range(last, n):
        a = values[i] if values[i] < a else a
    return min(min(a, b), min(c, d))


@kernel
def _exponentials(m, r2, shift, out, spare, bits):
    """Set out to exp(-(r2 - shift) / 2), in loops that vectorise."""
    for i in range(m):
        x = -0.5 * (r2[i] - shift)
        x = x if x > _LOWEST else _LOWEST
        k = x * _LOG2E + _ROUND
        spare[i] = k
        k -= _ROUND
        r = (x - k * _LN2_HIGH) - k * _LN2_LOW
        s = 1.0 / 479001600.0
        s = s * r + 1.0 / 39916800.0
        s = s * r + 1.0 / 3628800.0
        s = s * r + 1.0 / 362880.0
        s = s * r + 1.0 / 40320.0
        s = s * r + 1.0 / 5040.0
        s = s * r + 1.0 / 720.0
        s = s * r + 1.0 / 120.0
        s = s * r + 1.0 / 24.0
        s = s * r + 1.0 / 6.0
        s = s * r + 0.5
        s = s * r + 1.0
        out[i] = s * r + 1.0
    for i in range(m):
        bits[i] = (bits[i] + 1023) << 52
    for i in range(m):
        out[i] *= spare[i]


@kernel(fastmath={"reassoc", "contract"})  # plain sums: rounding only
def _normalise(m, w, pull):
    """Divide both by the sum of w; return the effective sample size, 0 of none."""
    total = 0.0
    squares = 0.0
    for i in range(m):
        total += w[i]
        squares += w[i] * w[i]
    if not total > 0.0:
        return 0.0
    scale = 1.0 / total
    for i in range(m):
        w[i] *= scale
        pull[i] *= scale
    return total * total / squares


@kernel
def weigh(near, kind, support, facts):
    """Fill columns W, of sum 1, and PULL from R2; False where all weights vanish.

    The distance to the nearest sample and the effective sample size go to `facts`.
    """
    m = near.rows[near.rows.shape[0] - 1]
    weight, r2 = near.columns[WEIGHT], near.columns[R2]
    w, pull = near.columns[W], near.columns[PULL]
    nearest2 = minimum(r2, m)
    _exponentials(m, r2, nearest2, w, near.columns[SPARE], near.bits)
    outer = squared_radius(kind, support, nearest2)
    if kind == TAPERED:
        scale = 1.0 / outer
        for i in range(m):
            t = 1.0 - r2[i] * scale
            t = t if t > 0.0 else 0.0
            e = w[i] * weight[i] * t * t
            w[i] = e * t
            pull[i] = e * (t + 6.0 * scale)
    else:
        width = _OUTER * support * support
        scale = 1.0 / width
        inner = outer - width
        for i in range(m):
            u = (r2[i] - inner) * scale
            u = u if u > 0.0 else 0.0
            u = u if u < 1.0 else 1.0
            e = w[i] * weight[i]
            s = e * (1.0 - u) * (1.0 - u) * (1.0 + 2.0 * u)
            w[i] = s
            pull[i] = s + 12.0 * e * u * (1.0 - u) * scale
    facts[0] = math.sqrt(nearest2)
    facts[1] = _normalise(m, w, pull)
    return facts[1] > 0.0
