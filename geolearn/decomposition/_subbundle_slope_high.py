"""Velocity and force of curves, and spectra of points, for many features."""

# kernels: _subbundle_block=3c9cc4df _subbundle_kernels=454d50b1
# kernels: _subbundle_kernels_high=c54b70f5 _subbundle_law=1079772d
# kernels: _subbundle_weights=c3d57322

import numpy as np

from geolearn.decomposition._subbundle_block import covariance, leading, resolvent
from geolearn.decomposition._subbundle_kernels import make_room
from geolearn.decomposition._subbundle_kernels_high import (
    all_eigenpairs,
    full_resolvent,
    products,
    sums_finite,
    third_moment,
    weighted_offsets,
)
from geolearn.decomposition._subbundle_law import (
    LEFT,
    SINGULAR,
    along_line,
    finite,
    judge,
)
from geolearn.decomposition._subbundle_weights import (
    PULL,
    SPARE,
    Samples,
    W,
    list_samples,
    make_list,
    serves,
)
from geolearn.utils._jit import kernel


@kernel
def _project(V, k, eta, alpha, velocity):
    """Fill the coefficients and the part of eta in the first k columns of V."""
    for i in range(eta.shape[0]):
        velocity[i] = 0.0
    for a in range(k):
        alpha[a] = 0.0
        for i in range(eta.shape[0]):
            alpha[a] += V[i, a] * eta[i]
        for i in range(eta.shape[0]):
            velocity[i] += V[i, a] * alpha[a]


@kernel
def slope_high(eigenpairs, samples, near, law, p, eta, line, V, room, velocity, force):
    """Fill velocity and force as the slope for few features does.

    V holds the guess for the leading vectors and receives them.
    """
    d, b, k = p.shape[0], V.shape[1], law.rank
    if not (finite(p) and finite(eta)):
        return SINGULAR
    if not serves(near, p, law.skin):
        list_samples(samples, near, p, law.kind, law.support, law.skin)
    B = weighted_offsets(samples, near, p, law.kind, law.support, room)
    if B.shape[0] == 0 or not sums_finite(B):
        return LEFT
    for i in range(d):
        velocity[i], force[i] = eta[i], 0.0
    values = np.zeros(b)
    if k == d:
        return judge(room.facts, values, law, velocity, force)
    G = np.empty((d, k))
    S = covariance(B)
    if b >= d // 2 or not (
        leading(eigenpairs, S, B, k, V, values)
        and (line or resolvent(S, B, values, V, k, eta, G))
    ):
        lam, E = all_eigenpairs(eigenpairs, B)
        if lam.shape[0] < k:
            return LEFT
        for a in range(b):
            inside = a < lam.shape[0]
            values[a] = lam[a] if inside else 0.0
            for i in range(d if inside else 0):
                V[i, a] = E[i, a]
        full_resolvent(lam, E, k, eta, G)
    _project(V, k, eta, room.alpha, velocity)
    if line:
        along_line(eta, velocity)
    else:
        m = near.rows[near.rows.shape[0] - 1]
        w, q, Z = near.columns[W], near.columns[SPARE], near.offsets
        products(m, k, Z, V, G, room.alpha, q)
        third_moment(m, Z, w, near.columns[PULL], q, room.mean, room.pull, force)
    return judge(room.facts, values, law, velocity, force)


@kernel
def spectrum_high(
    slope, eigenpairs, points, weights, bounds, boxes, numbers, steps, state, out, facts
):
    """Fill the leading local principal components at one point.

    Arguments are those of the kernel for few features, without steps.
    """
    n, d = points.shape
    p = state[0]
    samples = Samples(points, weights, bounds, boxes)
    kind, support = int(numbers[0]), numbers[1]
    near, room = make_list(n, d, 0, n, d), make_room(0, d)
    list_samples(samples, near, p, kind, support, 0.0)
    B = weighted_offsets(samples, near, p, kind, support, room)
    facts[1], facts[2] = room.facts[0], room.facts[1]
    if B.shape[0] == 0 or not sums_finite(B):
        return
    values, E = all_eigenpairs(eigenpairs, B)
    for i in range(d):
        out[2, i] = p[i] + room.mean[i]
    for a in range(out.shape[0] - 4):
        inside = a < values.shape[0]
        out[3, a] = values[a] if inside else 0.0
        for i in range(d):
            out[4 + a, i] = E[i, a] if inside else 0.0
