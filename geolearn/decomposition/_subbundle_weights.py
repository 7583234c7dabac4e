"""Weights of samples around a point, on a list that serves a stretch of a curve.

Lengths are in units of the bandwidth. A list holds every sample that has a weight at
any point within `SKIN` of its anchor. A plain cut of the Gaussian would make the
energy of a curve drift, since its gradient knows nothing of samples that enter and
leave; so the weight falls smoothly to zero over the outermost sixth of the squared
radius, where it is below exp(-15) with the default support, and the derivative of
that is part of the gradient.
"""

# kernels: _subbundle_search=dc1d7e75

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


class Samples(NamedTuple):
    """The samples in the order of their tree, over the bandwidth."""

    points: np.ndarray
    weights: np.ndarray
    bounds: np.ndarray
    boxes: np.ndarray


class Neighbours(NamedTuple):
    """Samples around an anchor and room for what is computed from them."""

    anchor: np.ndarray
    coordinates: np.ndarray  # (m, d), or (d, m) for few features
    offsets: np.ndarray  # alike: the samples about p, then about their mean
    weight: np.ndarray
    r2: np.ndarray
    w: np.ndarray
    pull: np.ndarray  # minus twice the derivative of the weight by r2
    spare: np.ndarray
    bits: np.ndarray  # the memory of `spare`, as integers


@kernel
def squared_radius(kind, support, nearest2):
    """Return the squared radius beyond which weights vanish."""
    c2 = support * support
    if kind == TAPERED:
        return c2
    return c2 + max(0.0, nearest2 - min(FLAT, 0.5 * c2))


@kernel
def list_samples(samples, p, kind, support, skin, by_feature):
    """Return the list that serves all points within `skin` of p."""
    n, d = samples.points.shape
    close = math.sqrt(nearest(samples.points, samples.bounds, samples.boxes, p))
    reach = math.sqrt(squared_radius(kind, support, (close + skin) ** 2)) + skin
    found = np.empty(n, dtype=np.int64)
    m = within(samples.points, samples.bounds, samples.boxes, p, reach * reach, found)
    weight = np.empty(m)
    for i in range(m):
        weight[i] = samples.weights[found[i]]
    if by_feature:
        coordinates = np.empty((d, m))
        for i in range(m):
            for a in range(d):
                coordinates[a, i] = samples.points[found[i], a]
    else:
        coordinates = np.empty((m, d))
        for i in range(m):
            for a in range(d):
                coordinates[i, a] = samples.points[found[i], a]
    spare = np.empty(m)
    return Neighbours(
        p.copy(),
        coordinates,
        np.empty_like(coordinates),
        weight,
        np.empty(m),
        np.empty(m),
        np.empty(m),
        spare,
        spare.view(np.int64),
    )


@kernel
def no_list(d):
    """Return a list that serves no point."""
    spare = np.empty(0)
    return Neighbours(
        np.full(d, np.nan),
        np.empty((0, 0)),
        np.empty((0, 0)),
        np.empty(0),
        np.empty(0),
        np.empty(0),
        np.empty(0),
        spare,
        spare.view(np.int64),
    )


@kernel
def serves(neighbours, p):
    """Tell whether p is within the skin of the list's anchor."""
    total = 0.0
    for a in range(p.shape[0]):
        gap = p[a] - neighbours.anchor[a]
        total += gap * gap
    return total <= SKIN * SKIN


@kernel
def minimum(values):
    """Return the smallest entry, infinity of none."""
    a, b, c, d = np.inf, np.inf, np.inf, np.inf
    n = values.shape[0]
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
def _exponentials(r2, shift, out, spare, bits):
    """Set out to exp(-(r2 - shift) / 2), in loops that vectorise."""
    for i in range(r2.shape[0]):
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
    for i in range(r2.shape[0]):
        bits[i] = (bits[i] + 1023) << 52
    for i in range(r2.shape[0]):
        out[i] *= spare[i]


@kernel(fastmath={"reassoc", "contract"})  # plain sums: rounding only
def _normalise(w, pull):
    """Divide both by the sum of w; return the effective sample size, 0 of none."""
    total = 0.0
    squares = 0.0
    for i in range(w.shape[0]):
        total += w[i]
        squares += w[i] * w[i]
    if not total > 0.0:
        return 0.0
    scale = 1.0 / total
    for i in range(w.shape[0]):
        w[i] *= scale
        pull[i] *= scale
    return total * total / squares


@kernel
def weigh(neighbours, kind, support, facts):
    """Fill w, of sum 1, and pull from r2; False where no sample has a weight.

    The distance to the nearest sample and the effective sample size go to `facts`.
    """
    r2, w, pull = neighbours.r2, neighbours.w, neighbours.pull
    weight = neighbours.weight
    nearest2 = minimum(r2)
    _exponentials(r2, nearest2, w, neighbours.spare, neighbours.bits)
    outer = squared_radius(kind, support, nearest2)
    if kind == TAPERED:
        scale = 1.0 / outer
        for i in range(r2.shape[0]):
            t = 1.0 - r2[i] * scale
            t = t if t > 0.0 else 0.0
            e = w[i] * weight[i] * t * t
            w[i] = e * t
            pull[i] = e * (t + 6.0 * scale)
    else:
        width = _OUTER * support * support
        scale = 1.0 / width
        inner = outer - width
        for i in range(r2.shape[0]):
            u = (r2[i] - inner) * scale
            u = u if u > 0.0 else 0.0
            u = u if u < 1.0 else 1.0
            e = w[i] * weight[i]
            s = e * (1.0 - u) * (1.0 - u) * (1.0 + 2.0 * u)
            w[i] = s
            pull[i] = s + 12.0 * e * u * (1.0 - u) * scale
    facts[0] = math.sqrt(nearest2)
    facts[1] = _normalise(w, pull)
    return facts[1] > 0.0
