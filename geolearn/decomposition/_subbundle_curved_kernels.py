"""Velocity and force of the curves of a principal subbundle on a curved space.

The space has unit radius of curvature, and curvature kappa, 1 or -1; lengths along it
are in units of the bandwidth, `scale` times the radius. The moments of the logarithms
are taken in coordinates at the point: its reflection to an end of the first axis, or
its boost to the origin, gives an orthonormal frame. There the mathematics is that of
flat space, but for one term: logarithms of samples change with the point by the
Hessian of the squared distance instead of the identity.
"""

# kernels: _subbundle_eigen=35fe36cb _subbundle_kernels=62377a26
# kernels: _subbundle_weights=60339236

import math
from typing import NamedTuple

import numpy as np
from numba import types

from geolearn.decomposition._subbundle_eigen import eigenpairs
from geolearn.decomposition._subbundle_kernels import (
    Room,
    _centre,
    _covariance,
    gradient,
)
from geolearn.decomposition._subbundle_weights import (
    SKIN,
    Neighbours,
    squared_radius,
    weigh,
)
from geolearn.utils._jit import POINT, POINTS, kernel

_GAP = 1e-3  # relative gap below which the rank is not defined
_FINE, _LEFT, _SINGULAR = 0, 1, 3
_ROUNDING = 16 * 2.0**-53
_ANTIPODE = 1e-24  # squared cosine of half the angle, below which directions are noise


class Space(NamedTuple):
    """A curved space, the samples and the numbers that define the field."""

    kappa: float
    scale: float  # the bandwidth over the radius of curvature
    points: np.ndarray  # (n, d)
    weights: np.ndarray  # (n,)
    kind: int
    support: float
    rank: int
    limit: float  # distance to the data beyond which a curve is stopped


class Around(NamedTuple):
    """Samples around an anchor; offsets are logarithms in coordinates at a point."""

    near: Neighbours
    bend: np.ndarray  # (m,) Hessian across the geodesic, minus 1
    half: np.ndarray  # (m,) squared (hyperbolic) sine of half the angle
    work: np.ndarray  # (m,)


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
def _half_sines(X, p, q):
    """Fill the squared sines of half the angles from p to samples on the sphere."""
    for i in range(X.shape[1]):
        q[i] = 0.0
    for a in range(X.shape[0]):
        x = p[a]
        for i in range(X.shape[1]):
            gap = X[a, i] - x
            q[i] += gap * gap
    for i in range(X.shape[1]):
        q[i] = min(0.25 * q[i], 1.0)


@kernel
def _half_hyperbolic_sines(X, p, q, along, across):
    """Fill the squared hyperbolic sines of half the distances.

    For spatial parts a of p and b with a.b >= 0 they are |a - b|^2 + |a ^ b|^2 over
    2 (1 + a0 b0 + a.b): a sum of positive terms, which does not cancel far out.
    """
    d, m = X.shape
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


@kernel
def _angles(kappa, q, square):
    """Fill the squared distances over the radius."""
    for i in range(q.shape[0]):
        root = math.sqrt(q[i])
        if kappa < 0.0:
            angle = 2.0 * math.asinh(root)
        elif q[i] < 0.5:
            angle = 2.0 * math.asin(root)
        else:
            angle = 2.0 * math.atan2(root, math.sqrt(1.0 - q[i]))
        square[i] = angle * angle


@kernel
def logarithms(space, around, p):
    """Fill squared distances, logarithms and Hessians of the listed samples at p."""
    near, q, bend = around.near, around.half, around.bend
    X, L, r2 = near.coordinates, near.offsets, near.r2
    kappa, d = space.kappa, p.shape[0]
    if kappa > 0.0:
        _half_sines(X, p, q)
    else:
        _half_hyperbolic_sines(X, p, q, bend, around.work)
    _angles(kappa, q, r2)
    e = -1.0 if p[0] < 0.0 else 1.0
    part = 1.0 / (1.0 + e * p[0])
    for i in range(q.shape[0]):
        sine = 2.0 * math.sqrt(q[i] * (1.0 - kappa * q[i]))
        ratio = math.sqrt(r2[i]) / sine if sine > 0.0 else 1.0
        if kappa > 0.0 and 1.0 - q[i] < _ANTIPODE:
            ratio = 0.0
        bend[i] = ratio * (1.0 - 2.0 * kappa * q[i]) - 1.0
        around.work[i] = ratio / space.scale
        r2[i] /= space.scale * space.scale
    if kappa > 0.0:
        for i in range(q.shape[0]):
            q[i] = (2.0 * q[i] - e * (X[0, i] - p[0])) * part
    else:
        for i in range(q.shape[0]):
            gap = 0.0  # of times, without cancellation
            for a in range(1, d):
                gap += (X[a, i] - p[a]) * (X[a, i] + p[a])
            q[i] = -(2.0 * q[i] + gap / (X[0, i] + p[0])) * part
    for a in range(1, d):
        x = p[a]
        for i in range(q.shape[0]):
            L[a - 1, i] = around.work[i] * (X[a, i] - x + x * q[i])


@kernel
def list_around(space, p, skin):
    """Return the list that serves all points within `skin` of p."""
    n, d = space.points.shape
    X = space.points.T.copy()
    q, square, work = np.empty(n), np.empty(n), np.empty(n)
    if space.kappa > 0.0:
        _half_sines(X, p, q)
    else:
        _half_hyperbolic_sines(X, p, q, square, work)
    _angles(space.kappa, q, square)
    close = math.inf
    for i in range(n):
        square[i] /= space.scale * space.scale
        close = min(close, square[i])
    close = math.sqrt(close) + skin
    reach = math.sqrt(squared_radius(space.kind, space.support, close * close)) + skin
    m = 0
    for i in range(n):
        if square[i] <= reach * reach:
            m += 1
    coordinates, weight = np.empty((d, m)), np.empty(m)
    j = 0
    for i in range(n):
        if square[i] <= reach * reach:
            weight[j] = space.weights[i]
            for a in range(d):
                coordinates[a, j] = X[a, i]
            j += 1
    spare = np.empty(m)
    near = Neighbours(
        p.copy(),
        coordinates,
        np.empty((d - 1, m)),
        weight,
        np.empty(m),
        np.empty(m),
        np.empty(m),
        spare,
        spare.view(np.int64),
    )
    return Around(near, np.empty(m), np.empty(m), np.empty(m))


@kernel
def _serves(space, around, p):
    """Tell whether p is within the skin of the list's anchor."""
    anchor = around.near.anchor
    X = np.empty((p.shape[0], 1))
    X[:, 0] = anchor
    q, square, work = np.empty(1), np.empty(1), np.empty(1)
    if space.kappa > 0.0:
        _half_sines(X, p, q)
    else:
        _half_hyperbolic_sines(X, p, q, square, work)
    _angles(space.kappa, q, square)
    return square[0] <= (SKIN * space.scale) ** 2


@kernel
def moments(space, around, p, room):
    """Fill the local mean and eigenpairs at p; False where no sample has a weight."""
    near = around.near
    logarithms(space, around, p)
    if not weigh(near, space.kind, space.support, room.facts):
        return False
    _centre(near.offsets, near.w, near.pull, room.mean, room.pull)
    _covariance(near.offsets, near.w, near.spare, room.covariance)
    total = 0.0
    for a in range(room.covariance.shape[0]):
        for b in range(room.covariance.shape[0]):
            total += abs(room.covariance[a, b])
    if not total < np.inf:
        return False
    eigenpairs(room.covariance, room.values, room.vectors)
    return True


@kernel
def _bending(around, room, k, force):
    """Add the weighted sum of what the Hessians differ from the identity by.

    The derivative of q_i by z_i is y_i; only its part across the geodesic counts.
    """
    Z, w = around.near.offsets, around.near.w
    dim, m = Z.shape
    terms = min(k, dim - k)
    L, y = np.empty(dim), np.empty(dim)
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


@kernel
def _judge(space, room, velocity, force):
    """Return the status of a point from its spectrum."""
    k, dim = space.rank, velocity.shape[0]
    if room.facts[0] > space.limit or room.facts[1] < k + 1:
        return _LEFT
    if k < dim and not room.values[k - 1] > 0.0:
        return _SINGULAR
    if k < dim and room.values[k - 1] - room.values[k] < _GAP * room.values[k - 1]:
        return _SINGULAR
    for a in range(dim):
        if not (math.isfinite(velocity[a]) and math.isfinite(force[a])):
            return _SINGULAR
    return _FINE


ROW, TABLE = types.float64[::1], types.float64[:, ::1]
_NEAR = types.NamedTuple((ROW, TABLE, TABLE, *(ROW,) * 5, types.int64[::1]), Neighbours)
AROUND = types.NamedTuple((_NEAR, ROW, ROW, ROW), Around)
_ROOM = types.NamedTuple((ROW,) * 3 + (TABLE,) * 4 + (ROW,), Room)
_NUMBERS = (types.intp, types.float64, types.intp, types.float64)
SPACE = types.NamedTuple(
    (types.float64, types.float64, POINTS, POINT, *_NUMBERS), Space
)
CURVED_SLOPE = types.Tuple((AROUND, types.intp, types.float64))(
    SPACE, AROUND, ROW, ROW, types.float64, _ROOM, ROW, ROW
)


@kernel
def curved_slope(space, around, p, eta, line, room, velocity, force):
    """Fill the derivatives of p and eta; return the list, a status and the speed.

    p and eta are brought onto the space first, so that the stages of an integrator
    may leave it. A line field, of rank 1, needs no force: `line` is then the speed
    and eta a velocity that gives the sign; else `line` is 0.
    """
    kappa, dim = space.kappa, p.shape[0] - 1
    for a in range(p.shape[0]):
        if not (abs(p[a]) < np.inf and abs(eta[a]) < np.inf):
            return around, _SINGULAR, 0.0
    onto_space(kappa, p)
    onto_tangent(kappa, p, eta)
    if not _serves(space, around, p):
        around = list_around(space, p, SKIN)
    if not moments(space, around, p, room):
        return around, _LEFT, 0.0
    y, v, f = np.empty(dim), np.empty(dim), np.empty(dim)
    to_coordinates(p, eta, y)
    gradient(around.near, room, y, space.rank, line == 0.0, v, f)
    if line == 0.0 and space.rank < dim:
        _bending(around, room, space.rank, f)
    speed = math.sqrt(np.dot(v, v))
    if line > 0.0:
        for a in range(dim):
            v[a] *= line / speed if speed > 0.0 else 0.0
    from_coordinates(kappa, p, v, velocity)
    from_coordinates(kappa, p, f, force)
    if line == 0.0:
        # The derivative of a tangent vector leaves the tangent space.
        turn = kappa * space.scale * np.dot(y, v)
        for a in range(p.shape[0]):
            force[a] -= turn * p[a]
    for a in range(p.shape[0]):
        velocity[a] *= space.scale
    return around, _judge(space, room, v, f), speed
