"""Geodesics of principal subbundles on curved spaces, and spectra of points there.

Units are those of `_subbundle_curved_kernels`. A curve is brought back onto the space
after each step; where its energy changes by more than a thousandth, it is followed
again with half the step.
"""

# kernels: _subbundle_curved_kernels=f57d4cd6 _subbundle_kernels=62377a26

import math

import numpy as np
from numba import prange, types

from geolearn.decomposition._subbundle_curved_kernels import (
    CURVED_SLOPE,
    TABLE,
    Space,
    curved_slope,
    from_coordinates,
    list_around,
    moments,
    onto_space,
    onto_tangent,
    product,
)
from geolearn.decomposition._subbundle_kernels import make_room
from geolearn.utils._jit import POINT, POINTS, first_class, kernel

FEWEST_STEPS = 4
_MOST_STEPS = 10_000_000
_DRIFT = 1e-3
_FINE, _DRIFTED, _SINGULAR = 0, 2, 3


@kernel
def _step(slope, space, around, h, euler, p, y, v, f, line, room, work):
    """Take a step from the derivatives v and f at p and y."""
    d = p.shape[0]
    x, z, u, g = work[0], work[1], work[2], work[3]
    sum_v, sum_f = work[4], work[5]
    if euler:
        for a in range(d):
            p[a] += h * v[a]
            x[a], z[a] = p[a], y[a]
        around, status, _ = slope(space, around, x, z, line, room, u, g)
        for a in range(d):
            y[a] += h * g[a]
        return around, status
    for a in range(d):
        sum_v[a], sum_f[a] = v[a], f[a]
        u[a], g[a] = v[a], f[a]
    for stage in range(3):
        ahead = h if stage == 2 else 0.5 * h
        weight = 1.0 if stage == 2 else 2.0
        for a in range(d):
            x[a] = p[a] + ahead * u[a]
            z[a] = y[a] + ahead * g[a]
        around, status, _ = slope(space, around, x, z, line, room, u, g)
        if status != _FINE:
            return around, status
        for a in range(d):
            sum_v[a] += weight * u[a]
            sum_f[a] += weight * g[a]
    for a in range(d):
        p[a] += h / 6.0 * sum_v[a]
        y[a] += h / 6.0 * sum_f[a]
    return around, _FINE


@kernel
def _follow(slope, space, base, eta, n, every, euler, line, patient, path, end, facts):
    """Follow one curve in n steps; fill path, end = (p, y) and facts.

    An impatient run returns as soon as the energy has changed too much.
    """
    d = base.shape[0]
    p, y = base.copy(), eta.copy()
    v, f, work = np.zeros(d), np.zeros(d), np.zeros((6, d))
    room = make_room(d - 1, d - 1)
    around = list_around(space, p, 0.0)
    h = 1.0 / n
    status, energy, drift, pace = _FINE, 0.0, 0.0, 0.0
    for i in range(n + 1):
        around, status, speed = slope(space, around, p, y, pace, room, v, f)
        if status == _FINE and line and i == 0:
            pace = speed  # the speed is that of the projected momentum
            around, status, _ = slope(space, around, p, y, pace, room, v, f)
        if status != _FINE:
            break
        if i == 0:
            energy = speed * speed
        elif not line and speed * speed != energy:
            drift = max(drift, abs(speed * speed / energy - 1.0))
        facts[1], facts[2] = drift, i * h
        if i % every == 0:
            path[i // every] = p
        if drift > _DRIFT and not patient:
            break
        if line:
            for a in range(d):
                y[a] = v[a] / space.scale
        if i == n:
            break
        around, status = _step(
            slope, space, around, h, euler, p, y, v, f, pace, room, work
        )
        if status != _FINE:
            break
        onto_space(space.kappa, p)
        onto_tangent(space.kappa, p, y)
    if status == _FINE:
        end[0], end[1] = p, y
        if drift > _DRIFT:
            status = _DRIFTED
    facts[0] = status


@kernel
def _shoot_one(slope, space, base, eta, step, records, euler, line, path, end, facts):
    """Follow one curve, with half the step where the energy asks for it."""
    path[:] = np.nan
    end[:] = np.nan
    facts[0], facts[1], facts[2] = _SINGULAR, 0.0, 0.0
    for a in range(base.shape[0]):
        if not (math.isfinite(base[a]) and math.isfinite(eta[a])):
            return
    p, y = base.copy(), eta.copy()
    onto_space(space.kappa, p)
    onto_tangent(space.kappa, p, y)
    size = math.sqrt(max(product(space.kappa, y, y), 0.0))
    n = int(min(max(math.ceil(size / step), FEWEST_STEPS), _MOST_STEPS))
    every = (n + records - 1) // records
    n = every * records
    for attempt in range(2):
        _follow(
            slope, space, p, y, n, every, euler, line, attempt == 1, path, end, facts
        )
        if facts[1] <= _DRIFT:
            return
        if attempt == 0:
            path[:] = np.nan
            end[:] = np.nan
            n, every = 2 * n, 2 * every


@kernel(parallel=True)
def _shoot_all(
    slope, kappa, scale, points, weights, kind, support, rank, limit,
    base, eta, step, records, euler, line, paths, ends, facts,
):  # fmt: skip
    """Fill paths (m, records + 1, d), ends (m, 2, d), facts (m, 3)."""
    space = Space(kappa, scale, points, weights, kind, support, rank, limit)
    for i in prange(base.shape[0]):
        _shoot_one(
            slope, space, base[i], eta[i], step, records, euler, line,
            paths[i], ends[i], facts[i],
        )  # fmt: skip


@kernel
def _slope_at(slope, space, p, eta, velocity, force, facts):
    """Fill velocity, force and facts = (status,) at one point."""
    d = p.shape[0]
    x, y, v, f = p.copy(), eta.copy(), np.empty(d), np.empty(d)
    velocity[:] = np.nan
    force[:] = np.nan
    room = make_room(d - 1, d - 1)
    _, status, speed = slope(space, list_around(space, x, 0.0), x, y, 0.0, room, v, f)
    facts[0], facts[1] = status, speed
    if speed >= 0.0 and room.facts[1] > 0.0:
        velocity[:] = v
        force[:] = f


@kernel(parallel=True)
def _slopes(
    slope, kappa, scale, points, weights, kind, support, rank, limit,
    base, eta, velocity, force, facts,
):  # fmt: skip
    """Fill velocity (m, d), force (m, d), and status and speed (m, 2)."""
    space = Space(kappa, scale, points, weights, kind, support, rank, limit)
    for i in prange(base.shape[0]):
        _slope_at(slope, space, base[i], eta[i], velocity[i], force[i], facts[i])


@kernel
def _spectrum(space, p, mean, values, vectors, facts):
    """Fill the local principal components at one point."""
    d = p.shape[0]
    mean[:] = np.nan
    values[:] = np.nan
    vectors[:] = np.nan
    room = make_room(d - 1, d - 1)
    column = np.empty(d)
    if moments(space, list_around(space, p, 0.0), p, room):
        from_coordinates(space.kappa, p, room.mean, mean)
        for a in range(d - 1):
            values[a] = room.values[a]
            from_coordinates(
                space.kappa, p, np.ascontiguousarray(room.vectors[:, a]), column
            )
            for i in range(d):
                vectors[i, a] = column[i]
    facts[:] = room.facts


@kernel(parallel=True)
def curved_spectra(
    kappa, scale, points, weights, kind, support, rank, limit,
    base, means, values, vectors, facts,
):  # fmt: skip
    """Fill means (m, d), tangent vectors, and values, vectors and facts (m, 2)."""
    space = Space(kappa, scale, points, weights, kind, support, rank, limit)
    for i in prange(base.shape[0]):
        _spectrum(space, base[i], means[i], values[i], vectors[i], facts[i])


_FIELD = (
    *(types.float64, types.float64, POINTS, POINT),
    *(types.intp, types.float64, types.intp, types.float64),
)
_SHOOT = (
    types.FunctionType(CURVED_SLOPE),
    *_FIELD,
    *(POINTS, POINTS, types.float64, types.intp, types.boolean, types.boolean),
    *(types.float64[:, :, ::1], types.float64[:, :, ::1], TABLE),
)
_SLOPES = (types.FunctionType(CURVED_SLOPE), *_FIELD, POINTS, POINTS, *(TABLE,) * 3)


def _with_slope(driver, signature, arguments):
    slope = first_class(curved_slope, *CURVED_SLOPE.args)
    first_class(driver, *signature)(slope, *arguments)


def curved_shoot_all(*arguments):
    """Run the driver of curves with its slope; arguments as there."""
    _with_slope(_shoot_all, _SHOOT, arguments)


def curved_slopes(*arguments):
    """Run the driver of slopes with its slope; arguments as there."""
    _with_slope(_slopes, _SLOPES, arguments)


__all__ = ["FEWEST_STEPS", "curved_shoot_all", "curved_slopes", "curved_spectra"]
