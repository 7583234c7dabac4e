"""Geodesics of principal subbundles on curved spaces, and spectra of points there.

Units are those of `_subbundle_curved_kernels`. A curve is brought back onto the space
after each step; where its energy changes by more than a thousandth, it is followed
again with half the step.
"""

# kernels: _subbundle_curved_kernels=fec54d60 _subbundle_kernels=ba323aa1
# kernels: _subbundle_law=ace28727 _subbundle_weights=c3d57322

import math

import numpy as np
from numba import prange, types

from geolearn.decomposition._subbundle_curved_kernels import (
    CURVED_SLOPE,
    Space,
    curved_slope,
    from_coordinates,
    make_around,
    onto_space,
    onto_tangent,
    product,
)
from geolearn.decomposition._subbundle_eigen import eigenpairs
from geolearn.decomposition._subbundle_kernels import make_room
from geolearn.decomposition._subbundle_law import (
    DRIFTED,
    FINE,
    ROW,
    SINGULAR,
    SOLVER,
    Law,
    finite,
)
from geolearn.decomposition._subbundle_weights import SKIN
from geolearn.utils._jit import POINT, POINTS, TABLE, first_class, kernel

FEWEST_STEPS = 4
_MOST_STEPS = 10_000_000
_DRIFT = 1e-3


@kernel
def _copy(x, y):
    for a in range(x.shape[0]):
        y[a] = x[a]


@kernel
def _fill(table, value):
    for i in range(table.shape[0]):
        for a in range(table.shape[1]):
            table[i, a] = value


@kernel
def _step(
    slope, eigenpairs, space, around, h, euler, p, y, v, f, pace, flat, room, work
):
    """Take a step from the derivatives v and f at p and y."""
    d = p.shape[0]
    x, z, u, g = work[0], work[1], work[2], work[3]
    sum_v, sum_f = work[4], work[5]
    for a in range(d):
        sum_v[a], sum_f[a] = v[a], f[a]
        u[a], g[a] = v[a], f[a]
    for stage in range(1 if euler else 3):
        ahead = h if euler or stage == 2 else 0.5 * h
        weight = 1.0 if stage == 2 else 2.0
        for a in range(d):
            x[a] = p[a] + ahead * u[a]
            z[a] = y[a] if euler else y[a] + ahead * g[a]
        status = slope(eigenpairs, space, around, x, z, pace, flat, room, u, g)
        if status != FINE:
            return status
        for a in range(d):
            sum_v[a] += weight * u[a]
            sum_f[a] += weight * g[a]
    for a in range(d):
        if euler:
            p[a] += h * v[a]
            y[a] += h * g[a]
        else:
            p[a] += h / 6.0 * sum_v[a]
            y[a] += h / 6.0 * sum_f[a]
    return FINE


@kernel
def _follow(
    slope, eigenpairs, space, around, n, every, euler, line, patient, room, flat,
    work, out, facts,
):  # fmt: skip
    """Follow one curve from the first two rows of `work` in n steps.

    Fills out and facts. An impatient run returns as soon as the energy has changed
    too much.
    """
    p, y, v, f = work[2], work[3], work[4], work[5]
    _copy(work[0], p)
    _copy(work[1], y)
    h = 1.0 / n
    last = out.shape[0] - 2
    status, energy, drift, pace, speed = FINE, 0.0, 0.0, 0.0, 0.0
    for i in range(n + 1):
        turns = 2 if line and i == 0 else 1
        for turn in range(turns):  # the speed is that of the projected momentum
            if turn == 1:
                pace = speed
            status = slope(eigenpairs, space, around, p, y, pace, flat, room, v, f)
            if status != FINE:
                break
            if turn == 0:
                speed = room.facts[2]
        if status != FINE:
            break
        if i == 0:
            energy = speed * speed
        elif not line and speed * speed != energy:
            drift = max(drift, abs(speed * speed / energy - 1.0))
        facts[1], facts[2] = drift, i * h
        if i % every == 0:
            _copy(p, out[i // every])
        if drift > _DRIFT and not patient:
            break
        if line:
            for a in range(y.shape[0]):
                y[a] = v[a] / space.scale
        if i == n:
            break
        status = _step(
            slope, eigenpairs, space, around, h, euler, p, y, v, f, pace, flat, room,
            work[6:],
        )  # fmt: skip
        if status != FINE:
            break
        onto_space(space.kappa, p)
        onto_tangent(space.kappa, p, y)
    if status == FINE:
        _copy(p, out[last])
        _copy(y, out[last + 1])
        if drift > _DRIFT:
            status = DRIFTED
    facts[0] = status


@kernel
def _space(numbers, points, weights, skin):
    """Return the space of an array of numbers."""
    law = Law(int(numbers[2]), numbers[3], int(numbers[4]), numbers[5], skin)
    return Space(numbers[0], numbers[1], points, weights, law)


@kernel
def shoot_curved(slope, eigenpairs, points, weights, numbers, base, eta, out, facts):
    """Follow one curve, with half the step where the energy asks for it.

    Fills out with positions at equal times, then position and momentum at the end,
    and facts = (status, drift, time reached); `numbers` are those of `look_curved`,
    then step, and whether the method is Euler's and the curve follows a line field.
    """
    d = base.shape[0]
    _fill(out, np.nan)
    facts[0], facts[1], facts[2] = SINGULAR, 0.0, 0.0
    if not (finite(base) and finite(eta)):
        return
    space = _space(numbers, points, weights, SKIN)
    work, flat = np.zeros((12, d)), np.zeros((3, d - 1))
    around, room = make_around(points.shape[1], d), make_room(d - 1, d - 1)
    _copy(base, work[0])
    _copy(eta, work[1])
    onto_space(space.kappa, work[0])
    onto_tangent(space.kappa, work[0], work[1])
    size = math.sqrt(max(product(space.kappa, work[1], work[1]), 0.0))
    step, euler, line = numbers[6], numbers[7] > 0.0, numbers[8] > 0.0
    records = out.shape[0] - 3
    n = int(min(max(math.ceil(size / step), FEWEST_STEPS), _MOST_STEPS))
    every = (n + records - 1) // records
    n = every * records
    for attempt in range(2):
        _follow(
            slope, eigenpairs, space, around, n, every, euler, line, attempt == 1,
            room, flat, work, out, facts,
        )  # fmt: skip
        if facts[1] <= _DRIFT:
            return
        if attempt == 0:
            _fill(out, np.nan)
            n, every = 2 * n, 2 * every


@kernel
def look_curved(slope, eigenpairs, points, weights, numbers, base, eta, out, facts):
    """Fill velocity and force at one point, and its spectrum where out has room.

    The rows of out are velocity, force, mean, eigenvalues and vectors, facts are
    (status, speed, distance to the nearest sample, effective sample size), and
    `numbers` curvature, scale, kind, support, rank and limit.
    """
    d = base.shape[0]
    space = _space(numbers, points, weights, 0.0)
    work, flat = np.empty((5, d)), np.empty((3, d - 1))
    around, room = make_around(points.shape[1], d), make_room(d - 1, d - 1)
    _copy(base, work[0])
    _copy(eta, work[1])
    _fill(out, np.nan)
    room.facts[0], room.facts[1] = np.nan, 0.0
    room.values[0] = np.nan
    facts[0] = slope(
        eigenpairs, space, around, work[0], work[1], 0.0, flat, room, work[2], work[3]
    )
    facts[1], facts[2], facts[3] = room.facts[2], room.facts[0], room.facts[1]
    if math.isnan(room.values[0]):
        return
    _copy(work[2], out[0])
    _copy(work[3], out[1])
    if out.shape[0] == 2:
        return
    from_coordinates(space.kappa, work[0], room.mean, out[2])
    for a in range(d - 1):
        out[3, a] = room.values[a]
        for i in range(d - 1):
            flat[0, i] = room.vectors[i, a]
        from_coordinates(space.kappa, work[0], flat[0], out[4 + a])


@kernel(parallel=True)
def _each(one, slope, eigenpairs, points, weights, numbers, base, eta, out, facts):
    """Run `shoot_curved` or `look_curved` for each row."""
    for i in prange(base.shape[0]):
        one(
            slope, eigenpairs, points, weights, numbers,
            base[i], eta[i], out[i], facts[i],
        )  # fmt: skip


_FIELD = (types.FunctionType(CURVED_SLOPE), SOLVER, POINTS, POINT, POINT)
_ONE = types.void(*_FIELD, POINT, POINT, TABLE, ROW)
_EACH = (
    *(types.FunctionType(_ONE), *_FIELD),
    *(POINTS, POINTS, types.float64[:, :, ::1], TABLE),
)


def _run(one, field, numbers, base, eta, height):
    """Return the rows (m, height, d) and the facts (m, 4) of `one`."""
    m, d = base.shape
    out, facts = np.empty((m, height, d)), np.zeros((m, 4))
    kappa, scale, points, weights, *law = field
    first_class(_each, *_EACH)(
        first_class(one, *_ONE.args),
        first_class(curved_slope, *CURVED_SLOPE.args),
        eigenpairs(d - 1),
        *(points, weights, np.array([kappa, scale, *law, *numbers], dtype=float)),
        *(base, eta, out, facts),
    )
    return out, facts


def curved_shoot_all(field, base, eta, step, records, euler, line):
    """Return paths (m, records + 1, d), ends (m, 2, d) and facts (m, 3).

    `field` is curvature, scale, points (d, n), weights, kind, support, rank and limit.
    """
    numbers = (step, euler, line)
    out, facts = _run(shoot_curved, field, numbers, base, eta, records + 3)
    return out[:, :-2], out[:, -2:], facts[:, :3]


def curved_slopes(field, base, eta):
    """Return velocity (m, d), force (m, d), status (m,) and speed (m,)."""
    out, facts = _run(look_curved, field, (), base, eta, 2)
    return out[:, 0], out[:, 1], facts[:, 0], facts[:, 1]


def curved_spectra(field, base):
    """Return means (m, d), tangent vectors, values, vectors and facts (m, 2)."""
    d = base.shape[1]
    out, facts = _run(look_curved, field, (), base, np.zeros_like(base), 3 + d)
    vectors = np.ascontiguousarray(out[:, 4:].swapaxes(1, 2))
    return out[:, 2].copy(), out[:, 3, : d - 1], vectors, facts[:, 2:]


__all__ = ["FEWEST_STEPS", "curved_shoot_all", "curved_slopes", "curved_spectra"]
