"""Velocity and force of the curves of a principal subbundle on a curved space.

The space has unit radius of curvature, and curvature kappa, 1 or -1; lengths along it
are in units of the bandwidth, `scale` times the radius. The moments of the logarithms
are taken in coordinates at the point: its reflection to an end of the first axis, or
its boost to the origin, gives an orthonormal frame. There the mathematics is that of
flat space, but for one term: logarithms of samples change with the point by the
Hessian of the squared distance instead of the identity.
"""

# kernels: _subbundle_kernels=454d50b1 _subbundle_law=1079772d
# kernels: _subbundle_weights=c3d57322

import math
from typing import NamedTuple

import numpy as np
from numba import types

from geolearn.decomposition._subbundle_kernels import (
    centre,
    covariance,
    gradient,
    solve,
)
from geolearn.decomposition._subbundle_law import (
    LAW,
    LEFT,
    NEAR,
    ROOM,
    ROW,
    SINGULAR,
    SOLVER,
    Law,
    finite,
    judge,
    square,
)
from geolearn.decomposition._subbundle_weights import (
    PULL,
    R2,
    SPARE,
    WEIGHT,
    Neighbours,
    W,
    make_list,
    padded,
    squared_radius,
    weigh,
)
from geolearn.utils._jit import POINT, POINTS, TABLE, kernel

_ROUNDING = 16 * 2.0**-53
_ANTIPODE = 1e-24  # squared cosine of half the angle, below which directions are noise


class Space(NamedTuple):
    """A curved space, the samples and the numbers that define the field."""

    kappa: float
    scale: float  # the bandwidth over the radius of curvature
    points: np.ndarray  # (d, n)
    weights: np.ndarray  # (n,)
    law: Law


class Around(NamedTuple):
    """Samples around an anchor; offsets are logarithms in coordinates at a point."""

    near: Neighbours
    anchor: np.ndarray  # (d, 1)
    bend: np.ndarray  # (room,) Hessian across the geodesic, minus 1
    half: np.ndarray  # (room,) squared (hyperbolic) sine of half the angle
    work: np.ndarray  # (room,)


@kernel
def make_around(n, d):
    """Return room for lists of n samples that serves no point."""
    size = padded(n)
    near = make_list(n, d, d, d - 1, size)
    near.rows[n] = -1
    return Around(
        near, np.empty((d, 1)), np.empty(size), np.empty(size), np.empty(size)
    )


@kernel
def product(kappa, u, v):
    """Return the product of ambient vectors."""
    total = kappa * u[0] * v[0]
    for a in range(1, u.shape[0]):
        total += u[a] * v[a]
    return total


@kernel
def onto_space(kappa, p):
    """Move p onto the space."""
    square = 0.0
    for a in range(1, p.shape[0]):
        square += p[a] * p[a]
    if kappa < 0.0:
        # Along the ray from 0, as boosts ask for, unless there is only rounding.
        norm = p[0] * p[0] - square
        if norm > 0.0 and abs(norm - 1.0) > _ROUNDING * square:
            for a in range(1, p.shape[0]):
                p[a] /= math.sqrt(norm)
            square /= norm
        p[0] = math.sqrt(1.0 + square)
        return
    length = math.sqrt(square + p[0] * p[0])
    for a in range(p.shape[0]):
        p[a] /= length


@kernel
def onto_tangent(kappa, p, y):
    """Remove from y what is not tangent at p."""
    along = kappa * product(kappa, p, y)
    for a in range(p.shape[0]):
        y[a] -= along * p[a]
    if kappa < 0.0:  # the time of a tangent vector follows from the rest
        total = 0.0
        for a in range(1, p.shape[0]):
            total += p[a] * y[a]
        y[0] = total / p[0]


@kernel
def to_coordinates(p, y, c):
    """Fill the coordinates of a tangent vector at p."""
    e = -1.0 if p[0] < 0.0 else 1.0
    factor = e * y[0] / (1.0 + e * p[0])
    for a in range(c.shape[0]):
        c[a] = y[a + 1] - factor * p[a + 1]


@kernel
def from_coordinates(kappa, p, c, y):
    """Fill the tangent vector at p of given coordinates."""
    e = -1.0 if p[0] < 0.0 else 1.0
    along = 0.0
    for a in range(c.shape[0]):
        along += p[a + 1] * c[a]
    y[0] = -kappa * e * along
    for a in range(c.shape[0]):
        y[a + 1] = c[a] - kappa * along / (1.0 + e * p[0]) * p[a + 1]


@kernel
def measure_sphere(m, X, p, q, angles, spare):
    """Fill squared sines of half the angles from p to m samples, and squared angles."""
    for i in range(m):
        q[i] = 0.0
    for a in range(X.shape[0]):
        x = p[a]
        for i in range(m):
            gap = X[a, i] - x
            q[i] += gap * gap
    for i in range(m):
        q[i] = min(0.25 * q[i], 1.0)
    for i in range(m):
        root = math.sqrt(q[i])
        if q[i] < 0.5:
            angle = 2.0 * math.asin(root)
        else:
            angle = 2.0 * math.atan2(root, math.sqrt(1.0 - q[i]))
        angles[i] = angle * angle


@kernel
def measure_hyperboloid(m, X, p, q, along, across):
    """Fill squared hyperbolic sines of half the distances, and in `along` the squares.

    For spatial parts a of p and b with a.b >= 0 they are |a - b|^2 + |a ^ b|^2 over
    2 (1 + a0 b0 + a.b): a sum of positive terms, which does not cancel far out.
    """
    d = X.shape[0]
    square = 0.0
    for a in range(1, d):
        square += p[a] * p[a]
    inverse = 1.0 / square if square > 0.0 else 0.0
    for i in range(m):
        q[i], along[i], across[i] = 0.0, 0.0, 0.0
    for a in range(1, d):
        for i in range(m):
            gap = X[a, i] - p[a]
            q[i] += gap * gap
            along[i] += gap * p[a]
    for a in range(1, d):
        for i in range(m):
            gap = X[a, i] - p[a] - along[i] * inverse * p[a]
            across[i] += gap * gap
    for i in range(m):
        inner = square + along[i]
        if inner >= 0.0:
            wedge = square * across[i]
            q[i] = 0.5 * (q[i] + wedge) / (1.0 + p[0] * X[0, i] + inner)
        else:
            other = q[i] + 2.0 * inner - square  # |b|^2 = |b - a|^2 + 2 a.b - |a|^2
            x, y = square / (1.0 + p[0]), max(other, 0.0) / (1.0 + X[0, i])
            q[i] = 0.5 * (x + y + x * y - inner)
    for i in range(m):
        distance = 2.0 * math.asinh(math.sqrt(q[i]))
        along[i] = distance * distance


@kernel
def _logarithms(measure, space, around, p):
    """Fill squared distances, logarithms and Hessians of the listed samples at p."""
    near, q, bend = around.near, around.half, around.bend
    X, L, r2 = near.coordinates, near.offsets, near.columns[R2]
    kappa, d = space.kappa, p.shape[0]
    m = near.rows[near.rows.shape[0] - 1]
    measure(m, X, p, q, r2, bend)
    e = -1.0 if p[0] < 0.0 else 1.0
    part = 1.0 / (1.0 + e * p[0])
    for i in range(m):
        sine = 2.0 * math.sqrt(q[i] * (1.0 - kappa * q[i]))
        ratio = math.sqrt(r2[i]) / sine if sine > 0.0 else 1.0
        if kappa > 0.0 and 1.0 - q[i] < _ANTIPODE:
            ratio = 0.0
        bend[i] = ratio * (1.0 - 2.0 * kappa * q[i]) - 1.0
        around.work[i] = ratio / space.scale
        r2[i] /= space.scale * space.scale
    if kappa > 0.0:
        for i in range(m):
            q[i] = (2.0 * q[i] - e * (X[0, i] - p[0])) * part
    else:
        for i in range(m):
            gap = 0.0  # of times, without cancellation
            for a in range(1, d):
                gap += (X[a, i] - p[a]) * (X[a, i] + p[a])
            q[i] = -(2.0 * q[i] + gap / (X[0, i] + p[0])) * part
    for a in range(1, d):
        x = p[a]
        for i in range(m):
            L[a - 1, i] = around.work[i] * (X[a, i] - x + x * q[i])


@kernel
def _list_around(measure, space, around, p):
    """List the samples that serve all points within the skin of p."""
    d, n = space.points.shape
    law, X, near = space.law, space.points, around.near
    square, reach2 = near.columns[R2], math.inf
    measure(n, X, p, around.half, square, around.bend)
    for i in range(n):
        square[i] /= space.scale * space.scale
        reach2 = min(reach2, square[i])
    close = math.sqrt(reach2) + law.skin
    reach = math.sqrt(squared_radius(law.kind, law.support, close * close)) + law.skin
    m = 0
    for i in range(n):
        if square[i] <= reach * reach:
            near.columns[WEIGHT, m] = space.weights[i]
            for a in range(d):
                near.coordinates[a, m] = X[a, i]
            m += 1
    for a in range(d):
        around.anchor[a, 0] = p[a]
    near.rows[near.rows.shape[0] - 1] = m


@kernel
def _serves(measure, space, around, p):
    """Tell whether p is within the skin of the list's anchor."""
    near, squares = around.near, around.near.columns[R2]
    m = near.rows[near.rows.shape[0] - 1]
    if m < 0:
        return False
    measure(1, around.anchor, p, around.half, squares, around.bend)
    return squares[0] <= (space.law.skin * space.scale) ** 2


@kernel
def _moments(eigenpairs, measure, space, around, p, room):
    """Fill the local mean and eigenpairs at p; False where no sample has a weight."""
    near = around.near
    m = near.rows[near.rows.shape[0] - 1]
    w, L = near.columns[W], near.offsets
    _logarithms(measure, space, around, p)
    if not weigh(near, space.law.kind, space.law.support, room.facts):
        return False
    centre(m, L, w, near.columns[PULL], room.mean, room.pull)
    covariance(m, L, w, near.columns[SPARE], room.covariance)
    return solve(eigenpairs, room)


@kernel
def _bending(around, room, k, force):
    """Add the weighted sum of what the Hessians differ from the identity by.

    The derivative of q_i by z_i is y_i; only its part across the geodesic counts.
    """
    Z, w = around.near.offsets, around.near.columns[W]
    dim, m = Z.shape[0], around.near.rows[around.near.rows.shape[0] - 1]
    terms = min(k, dim - k)
    L, y = room.covariance[0], room.covariance[1]  # no longer needed
    for i in range(m):
        if w[i] == 0.0:
            continue
        square = 0.0
        for a in range(dim):
            L[a] = Z[a, i] + room.mean[a]
            square += L[a] * L[a]
            y[a] = 0.0
        if not square > 0.0:
            continue
        for j in range(terms):
            left, right = 0.0, 0.0
            for a in range(dim):
                left += room.left[j, a] * Z[a, i]
                right += room.right[j, a] * Z[a, i]
            for a in range(dim):
                y[a] += right * room.left[j, a] + left * room.right[j, a]
        along = 0.0
        for a in range(dim):
            along += L[a] * y[a]
        along /= square
        factor = w[i] * around.bend[i]
        for a in range(dim):
            force[a] += factor * (y[a] - along * L[a])


AROUND = types.NamedTuple((NEAR, TABLE, ROW, ROW, ROW), Around)
SPACE = types.NamedTuple((types.float64, types.float64, POINTS, POINT, LAW), Space)
MEASURE = types.void(types.int64, POINTS, ROW, ROW, ROW, ROW)
METER = types.FunctionType(MEASURE)
CURVED_SLOPE = types.intp(
    SOLVER, METER, SPACE, AROUND, ROW, ROW, types.float64, TABLE, ROOM, ROW, ROW
)


@kernel
def curved_slope(
    eigenpairs, measure, space, around, p, eta, line, work, room, velocity, force
):
    """Fill the derivatives of p and eta; return a status, the speed goes to the facts.

    p and eta are brought onto the space first, so that the stages of an integrator
    may leave it. A line field, of rank 1, needs no force: `line` is then the speed
    and eta a velocity that gives the sign; else `line` is 0.
    """
    kappa, rank = space.kappa, space.law.rank
    if not (finite(p) and finite(eta)):
        return SINGULAR
    onto_space(kappa, p)
    onto_tangent(kappa, p, eta)
    if not _serves(measure, space, around, p):
        _list_around(measure, space, around, p)
    if not _moments(eigenpairs, measure, space, around, p, room):
        return LEFT
    y, v, f = work[0], work[1], work[2]
    to_coordinates(p, eta, y)
    gradient(around.near, room, y, rank, line == 0.0, v, f)
    if line == 0.0 and rank < y.shape[0]:
        _bending(around, room, rank, f)
    speed = math.sqrt(square(v))
    room.facts[2] = speed
    if line > 0.0:
        for a in range(v.shape[0]):
            v[a] *= line / speed if speed > 0.0 else 0.0
    from_coordinates(kappa, p, v, velocity)
    from_coordinates(kappa, p, f, force)
    if line == 0.0:
        # The derivative of a tangent vector leaves the tangent space.
        turn = 0.0
        for a in range(y.shape[0]):
            turn += kappa * space.scale * y[a] * v[a]
        for a in range(p.shape[0]):
            force[a] -= turn * p[a]
    for a in range(p.shape[0]):
        velocity[a] *= space.scale
    return judge(room.facts, room.values, space.law, v, f)
