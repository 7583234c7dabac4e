"""Velocity and force of the curves of a principal subbundle, and spectra of points.

Lengths are in units of the bandwidth. The parts that depend on the number of features
meet here; what follows curves calls `slope` through a pointer.
"""

# kernels: _subbundle_block=75bff2e0 _subbundle_kernels=62377a26
# kernels: _subbundle_kernels_high=52facf75 _subbundle_weights=60339236

import math
from typing import NamedTuple

import numpy as np
from numba import types

from geolearn.decomposition._subbundle_block import GUARDS
from geolearn.decomposition._subbundle_kernels import (
    Room,
    gradient,
    local_pca,
    make_room,
)
from geolearn.decomposition._subbundle_kernels_high import (
    all_eigenpairs,
    weighted_offsets,
)
from geolearn.decomposition._subbundle_kernels_high import gradient as gradient_high
from geolearn.decomposition._subbundle_weights import (
    SKIN,
    Neighbours,
    Samples,
    list_samples,
    serves,
)
from geolearn.utils._jit import POINT, POINTS, kernel

FEW_FEATURES = 24  # up to it loops over samples beat matrix products
_GAP = 1e-3  # relative gap below which the rank is not defined
_FINE, _LEFT, _SINGULAR = 0, 1, 3


class Law(NamedTuple):
    """Numbers that define the field, over the bandwidth."""

    kind: int
    support: float
    rank: int
    limit: float  # distance to the data beyond which a curve is stopped


# The slope is compiled once and called through a pointer: inlined into every kernel
# below it would take minutes to compile.
ROW, TABLE = types.float64[::1], types.float64[:, ::1]
BOUNDS = types.Array(types.int64, 2, "C", readonly=True)
BOXES = types.Array(types.float64, 3, "C", readonly=True)
SAMPLES = types.NamedTuple((POINTS, POINT, BOUNDS, BOXES), Samples)
_NEAR = types.NamedTuple((ROW, TABLE, TABLE, *(ROW,) * 5, types.int64[::1]), Neighbours)
_ROOM = types.NamedTuple((ROW,) * 3 + (TABLE,) * 4 + (ROW,), Room)
LAW = types.NamedTuple((types.intp, types.float64, types.intp, types.float64), Law)
SLOPE = types.Tuple((_NEAR, types.intp))(
    SAMPLES, _NEAR, LAW, ROW, ROW, types.boolean, TABLE, _ROOM, ROW, ROW
)


@kernel
def _judge(facts, values, law, d, velocity, force):
    """Return the status of a point from its spectrum."""
    k = law.rank
    if facts[0] > law.limit or facts[1] < k + 1:
        return _LEFT
    if k < d:
        if not values[k - 1] > 0.0:
            return _SINGULAR
        if values[k - 1] - values[k] < _GAP * values[k - 1]:
            return _SINGULAR
    for a in range(d):
        if not (math.isfinite(velocity[a]) and math.isfinite(force[a])):
            return _SINGULAR
    return _FINE


@kernel
def slope(samples, near, law, p, eta, line, V, room, velocity, force):
    """Fill velocity and force at (p, eta); return the list of samples and a status.

    A line field, of rank 1, needs no force: eta is then the last velocity, which
    gives speed and sign.
    """
    d = p.shape[0]
    few = d <= FEW_FEATURES
    for a in range(d):
        if not (abs(p[a]) < np.inf and abs(eta[a]) < np.inf):
            return near, _SINGULAR
    if not serves(near, p):
        near = list_samples(samples, p, law.kind, law.support, SKIN, few)
    k = law.rank
    if few:
        if not local_pca(near, p, law.kind, law.support, room):
            return near, _LEFT
        gradient(near, room, eta, k, not line, velocity, force)
        values = room.values
    else:
        values = gradient_high(
            near, p, eta, law.kind, law.support, k, not line, V, room, velocity, force
        )
        if values.shape[0] == 0:
            return near, _LEFT
    if line:
        speed = math.sqrt(np.dot(eta, eta))
        size = math.sqrt(np.dot(velocity, velocity))
        scale = speed / size if size > 0.0 else 0.0
        for a in range(d):
            velocity[a] *= scale
    return near, _judge(room.facts, values, law, d, velocity, force)


@kernel
def room_for(d, k):
    """Return the guess for leading vectors and the room for results."""
    few = d <= FEW_FEATURES
    V = np.zeros((0, 0)) if few else np.zeros((d, min(d, k + GUARDS)))
    return V, make_room(d if few else 0, d)


@kernel
def spectrum(samples, law, p, mean, values, vectors, facts):
    """Fill the leading local principal components at one point."""
    d = p.shape[0]
    r = values.shape[0]
    few = d <= FEW_FEATURES
    near = list_samples(samples, p, law.kind, law.support, 0.0, few)
    _, room = room_for(d, law.rank)
    facts[0], facts[1] = np.nan, 0.0
    mean[:] = np.nan
    values[:] = np.nan
    vectors[:] = np.nan
    if few:
        if local_pca(near, p, law.kind, law.support, room):
            mean[:] = p + room.mean
            values[:] = room.values[:r]
            vectors[:] = room.vectors[:, :r]
        facts[:] = room.facts
        return
    B = weighted_offsets(near, p, law.kind, law.support, room)
    facts[:] = room.facts
    if B.shape[0] > 0 and np.isfinite(np.sum(B)):
        mean[:] = p + room.mean
        lam, E = all_eigenpairs(B)
        for a in range(r):
            inside = a < lam.shape[0]
            values[a] = lam[a] if inside else 0.0
            for i in range(d):
                vectors[i, a] = E[i, a] if inside else 0.0


# Filled rows: mean, eigenvalues, vectors, facts.
SPECTRUM = types.void(SAMPLES, LAW, POINT, ROW, ROW, TABLE, ROW)
