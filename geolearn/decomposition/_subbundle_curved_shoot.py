"""Geodesics of principal subbundles on curved spaces, and spectra of points there.

Units are those of `_subbundle_curved_kernels`. A curve is brought back onto the space
after each step; where its energy changes by more than a thousandth, it is followed
again with half the step.
"""

# kernels: _subbundle_curved_kernels=ebf4a534 _subbundle_kernels=454d50b1
# kernels: _subbundle_law=1079772d

import math
from functools import cache

import numpy as np
from numba import prange, types

from geolearn.decomposition._subbundle_curved_kernels import (
    CURVED_SLOPE,
    MEASURE,
    METER,
    Space,
    curved_slope,
    from_coordinates,
    make_around,
    measure_hyperboloid,
    measure_sphere,
    onto_space,
    onto_tangent,
)
from geolearn.decomposition._subbundle_eigen import eigenpairs
from geolearn.decomposition._subbundle_kernels import make_room
from geolearn.decomposition._subbundle_law import (
    DRIFT,
    DRIFTED,
    FINE,
    ROW,
    SOLVER,
    Law,
    copy,
    count_steps,
    entry,
    follow_all,
)
from geolearn.decomposition._subbundle_weights import SKIN
from geolearn.utils._jit import POINT, POINTS, TABLE, first_class, kernel


@kernel
def _step(
    slope, eigenpairs, measure, space, around, h, euler, p, y, v, f, pace, flat, room,
    work,
):  # fmt: skip
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
        status = slope(eigenpairs, measure, space, around, x, z, pace, flat, room, u, g)
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
    slope, eigenpairs, measure, space, around, n, euler, line, patient, room, flat,
    state, work, out, facts,
):  # fmt: skip
    """Follow one curve from `state` in n steps; fill out and facts.

    An impatient run returns as soon as the energy has changed too much.
    """
    p, y, v, f = state[0], state[1], work[0], work[1]
    h, last = 1.0 / n, out.shape[0] - 2
    every = n // (last - 1)
    status, energy, drift, pace, speed = FINE, 0.0, 0.0, 0.0, 0.0
    for i in range(n + 1):
        turns = 2 if line and i == 0 else 1
        for turn in range(turns):  # the speed is that of the projected momentum
            if turn == 1:
                pace = speed
            status = slope(
                eigenpairs, measure, space, around, p, y, pace, flat, room, v, f
            )
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
            copy(p, out[i // every])
        if drift > DRIFT and not patient:
            break
        if line:
            for a in range(y.shape[0]):
                y[a] = v[a] / space.scale
        if i == n:
            break
        status = _step(
            slope, eigenpairs, measure, space, around, h, euler, p, y, v, f, pace,
            flat, room, work[2:],
        )  # fmt: skip
        if status != FINE:
            break
        onto_space(space.kappa, p)
        onto_tangent(space.kappa, p, y)
    if status == FINE:
        copy(p, out[last])
        copy(y, out[last + 1])
        if drift > DRIFT:
            status = DRIFTED
    facts[0] = status


@kernel
def _look(slope, eigenpairs, measure, space, around, room, flat, state, out, facts):
    """Fill velocity and force at one point, and its spectrum where out has room."""
    d = state.shape[1]
    room.facts[0], room.facts[1] = np.nan, 0.0
    room.values[0] = np.nan
    p, eta, v, f = state[0], state[1], out[0], out[1]
    line = 1.0 if out.shape[0] > 2 else 0.0  # spectra need no force
    facts[0] = slope(eigenpairs, measure, space, around, p, eta, line, flat, room, v, f)
    facts[1], facts[2], facts[3] = room.facts[2], room.facts[0], room.facts[1]
    if out.shape[0] == 2 or math.isnan(room.values[0]):
        return
    from_coordinates(space.kappa, p, room.mean, out[2])
    for a in range(d - 1):
        out[3, a] = room.values[a]
        for i in range(d - 1):
            flat[0, i] = room.vectors[i, a]
        from_coordinates(space.kappa, p, flat[0], out[4 + a])


@kernel
def _visit(
    slope, eigenpairs, measure, points, weights, numbers, steps, state, out, facts
):
    """Follow one curve in `steps` steps, or look at its start if that is none.

    The rows of out are positions at equal times, then position and momentum at the
    end, and facts start with status, drift and time reached. Without steps they are
    velocity, force, mean, eigenvalues and vectors, and (status, speed, distance to
    the nearest sample, effective sample size). `state` is position and momentum;
    `numbers` are curvature, scale, kind, support, rank, limit, skin, and whether the
    method is Euler's, the curve follows a line field and whatever its energy.
    """
    d, n = points.shape
    law = Law(int(numbers[2]), numbers[3], int(numbers[4]), numbers[5], numbers[6])
    space = Space(numbers[0], numbers[1], points, weights, law)
    around, room = make_around(n, d), make_room(d - 1, d - 1)
    flat = np.empty((3, d - 1))
    if steps == 0:
        _look(slope, eigenpairs, measure, space, around, room, flat, state, out, facts)
        return
    euler, line, patient = numbers[7] > 0.0, numbers[8] > 0.0, numbers[9] > 0.0
    _follow(
        slope, eigenpairs, measure, space, around, steps, euler, line, patient, room,
        flat, state, np.zeros((8, d)), out, facts,
    )  # fmt: skip


@kernel(parallel=True)
def _each(
    visit, slope, eigenpairs, measure, points, weights, numbers, steps, states, out,
    facts,
):  # fmt: skip
    """Run `_visit` for each row."""
    for i in prange(states.shape[0]):
        visit(
            slope, eigenpairs, measure, points, weights, numbers,
            steps[i], states[i], out[i], facts[i],
        )  # fmt: skip


_FIELD = (types.FunctionType(CURVED_SLOPE), SOLVER, METER, POINTS, POINT, POINT)
_CUBE = types.float64[:, :, ::1]
_VISIT = types.void(*_FIELD, types.int64, TABLE, TABLE, ROW)
_EACH = (types.FunctionType(_VISIT), *_FIELD, types.int64[::1], _CUBE, _CUBE, TABLE)


@cache
def _compiled(sphere):
    """Return driver, kernel of a row, slope and measure."""
    measure = measure_sphere if sphere else measure_hyperboloid
    return (
        entry(_each, *_EACH),
        first_class(_visit, *_VISIT.args),
        first_class(curved_slope, *CURVED_SLOPE.args),
        first_class(measure, *MEASURE.args),
    )


def _run(field, options, steps, base, eta, height):
    """Return the rows (m, height, d) and the facts (m, 4) of `_visit`."""
    m, d = base.shape
    out, facts = np.full((m, height, d), np.nan), np.zeros((m, 4))
    kappa, scale, points, weights, *law = field
    driver, visit, slope, measure = _compiled(kappa > 0.0)
    driver(
        *(visit, slope, eigenpairs(d - 1), measure),
        *(points, weights, np.array([kappa, scale, *law, *options], dtype=float)),
        *(steps, np.stack([base, eta], axis=1), out, facts),
    )
    return out, facts


def _lengths(kappa, p, y):
    """Return the lengths of the tangent parts of y."""
    signs = np.ones(p.shape[1])
    signs[0] = kappa
    y = y - kappa * (p * signs * y).sum(axis=1, keepdims=True) * p
    if kappa < 0.0:  # the time of a tangent vector follows from the rest
        y[:, 0] = (p[:, 1:] * y[:, 1:]).sum(axis=1) / p[:, 0]
    return np.sqrt(np.maximum((y * signs * y).sum(axis=1), 0.0))


def curved_shoot_all(field, base, eta, step, records, euler, line):
    """Return paths (m, records + 1, d), ends (m, 2, d) and facts (m, 3).

    `field` is curvature, scale, points (d, n), weights, kind, support, rank and limit.
    """

    def follow(rows, attempt):
        p, y = base[rows], eta[rows]
        steps = (1 + attempt) * count_steps(_lengths(field[0], p, y), step, records)
        options = (SKIN, euler, line, attempt)
        out, facts = _run(field, options, steps, p, y, records + 3)
        return out, facts[:, :3]

    return follow_all(follow, base, eta, records)


def curved_slopes(field, base, eta):
    """Return velocity (m, d), force (m, d), status (m,) and speed (m,)."""
    out, facts = _look_at(field, base, eta, 2)
    return out[:, 0], out[:, 1], facts[:, 0], facts[:, 1]


def curved_spectra(field, base):
    """Return means (m, d), tangent vectors, values, vectors and facts (m, 2)."""
    d = base.shape[1]
    out, facts = _look_at(field, base, np.zeros_like(base), 3 + d)
    vectors = np.ascontiguousarray(out[:, 4:].swapaxes(1, 2))
    return out[:, 2].copy(), out[:, 3, : d - 1], vectors, facts[:, 2:]


def _look_at(field, base, eta, height):
    steps = np.zeros(len(base), dtype=np.int64)
    return _run(field, (0.0,) * 4, steps, base, eta, height)


__all__ = ["curved_shoot_all", "curved_slopes", "curved_spectra"]
