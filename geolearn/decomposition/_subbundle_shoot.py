"""Geodesics of principal subbundles: one curve after another, or in parallel.

Lengths are in units of the bandwidth. A curve is stopped where it leaves the support
of the data or the rank is not defined. Its energy is constant in theory: where it
changes by more than a thousandth, the curve is followed again with half the step.
"""

# kernels: _subbundle_slope=ecdb9749 _subbundle_weights=60339236

import math

import numpy as np
from numba import prange, types

from geolearn.decomposition._subbundle_slope import (
    BOUNDS,
    BOXES,
    SLOPE,
    SPECTRUM,
    TABLE,
    Law,
    room_for,
    slope,
    spectrum,
)
from geolearn.decomposition._subbundle_weights import Samples, no_list
from geolearn.utils._jit import POINT, POINTS, first_class, kernel

FEWEST_STEPS = 4
_MOST_STEPS = 10_000_000
_DRIFT = 1e-3
_AT_REST = 1e-24  # squared share of a momentum in the subspace that is rounding
_FINE, _LEFT, _DRIFTED, _SINGULAR = 0, 1, 2, 3


@kernel
def _runge_kutta(slope, samples, near, law, h, p, y, v, f, line, V, room, x, z, u, g):
    """Take one classical step from slopes v and f; they are overwritten."""
    d = p.shape[0]
    for a in range(d):
        x[0, a], z[0, a] = p[a], y[a]
        x[1, a], z[1, a] = v[a], f[a]
    for stage in range(3):
        ahead = h if stage == 2 else 0.5 * h
        weight = 1.0 if stage == 2 else 2.0
        for a in range(d):
            p[a] = x[0, a] + ahead * v[a]
            y[a] = z[0, a] + ahead * f[a]
        near, status = slope(samples, near, law, p, y, line, V, room, u, g)
        if status != _FINE:
            return near, status
        for a in range(d):
            v[a], f[a] = u[a], g[a]
            x[1, a] += weight * u[a]
            z[1, a] += weight * g[a]
    for a in range(d):
        p[a] = x[0, a] + h / 6.0 * x[1, a]
        y[a] = z[0, a] + h / 6.0 * z[1, a]
    return near, _FINE


@kernel
def _symplectic_euler(slope, samples, near, law, h, p, y, v, f, line, V, room):
    """Move with the velocity, then change the momentum by the force found there."""
    for a in range(p.shape[0]):
        p[a] += h * v[a]
    near, status = slope(samples, near, law, p, y, line, V, room, v, f)
    for a in range(p.shape[0]):
        y[a] += h * f[a]
    return near, status


@kernel
def _restore(scale, y, v, f):
    """Scale the momentum, which gives the curve back the energy it started with.

    Velocities are linear and forces quadratic in it.
    """
    for a in range(y.shape[0]):
        y[a] *= scale
        v[a] *= scale
        f[a] *= scale * scale


@kernel
def _follow(
    slope, samples, law, base, eta, n, every, euler, line, patient, path, end, facts
):
    """Follow one curve in n steps; fill path, end = (p, y) and facts.

    An impatient run returns as soon as the energy has changed too much.
    """
    d = base.shape[0]
    p, y = base.copy(), eta.copy()
    v, f, u, g = np.zeros(d), np.zeros(d), np.zeros(d), np.zeros(d)
    x, z = np.empty((2, d)), np.empty((2, d))
    V, room = room_for(d, law.rank)
    near = no_list(d)
    h = 1.0 / n
    status = _FINE
    energy, growth, drift = 0.0, 1.0, 0.0
    for i in range(n + 1):
        if line and i == 0:  # the speed is that of the projected momentum
            near, status = slope(samples, near, law, p, y, False, V, room, v, f)
            y[:] = v
        near, status = slope(samples, near, law, p, y, line, V, room, v, f)
        if status != _FINE:
            break
        now = np.dot(v, v)
        if i == 0:
            energy = now
        elif now != energy and energy > _AT_REST * np.dot(eta, eta):
            growth *= now / energy
            drift = max(drift, abs(growth - 1.0))
            _restore(math.sqrt(energy / now), y, v, f)
        facts[1], facts[2] = drift, i * h
        if i % every == 0:
            path[i // every] = p
        if drift > _DRIFT and not patient:
            break
        if line:
            y[:] = v
        if i == n:
            break
        if euler:
            near, status = _symplectic_euler(
                slope, samples, near, law, h, p, y, v, f, line, V, room
            )
        else:
            near, status = _runge_kutta(
                slope, samples, near, law, h, p, y, v, f, line, V, room, x, z, u, g
            )
        if status != _FINE:
            break
    if status == _FINE:
        end[0], end[1] = p, y
        if drift > _DRIFT:
            status = _DRIFTED
    facts[0] = status


@kernel
def _shoot_one(
    slope, samples, law, base, eta, step, records, euler, line, path, end, facts
):
    """Follow one curve, with half the step where the energy asks for it."""
    path[:] = np.nan
    end[:] = np.nan
    size = 0.0
    for a in range(base.shape[0]):
        if not (math.isfinite(base[a]) and math.isfinite(eta[a])):
            facts[0], facts[1], facts[2] = _SINGULAR, 0.0, 0.0
            return
        size = math.hypot(size, eta[a])
    n = int(min(max(math.ceil(size / step), FEWEST_STEPS), _MOST_STEPS))
    every = (n + records - 1) // records
    n = every * records
    facts[0], facts[1], facts[2] = _SINGULAR, 0.0, 0.0
    for attempt in range(2):
        patient = attempt == 1
        _follow(
            slope,
            samples,
            law,
            base,
            eta,
            n,
            every,
            euler,
            line,
            patient,
            path,
            end,
            facts,
        )
        if facts[1] <= _DRIFT:
            return
        if not patient:
            path[:] = np.nan
            end[:] = np.nan
            n, every = 2 * n, 2 * every


@kernel(parallel=True)
def _shoot_all(
    slope, points, weights, bounds, boxes, kind, support, rank, limit,
    base, eta, step, records, euler, line, paths, ends, facts,
):  # fmt: skip
    """Fill paths (m, records + 1, d), ends (m, 2, d), facts (m, 3)."""
    samples = Samples(points, weights, bounds, boxes)
    law = Law(kind, support, rank, limit)
    for i in prange(base.shape[0]):
        _shoot_one(
            slope, samples, law, base[i], eta[i], step, records, euler, line,
            paths[i], ends[i], facts[i],
        )  # fmt: skip


@kernel
def _slope_at(slope, samples, law, p, eta, velocity, force, facts):
    """Fill velocity, force and facts = (status,) at one point."""
    d = p.shape[0]
    V, room = room_for(d, law.rank)
    velocity[:] = np.nan
    force[:] = np.nan
    _, facts[0] = slope(
        samples, no_list(d), law, p.copy(), eta.copy(), False, V, room, velocity, force
    )


@kernel(parallel=True)
def _slopes(
    slope, points, weights, bounds, boxes, kind, support, rank, limit,
    base, eta, velocity, force, facts,
):  # fmt: skip
    """Fill velocity (m, d), force (m, d) and facts (m, 1)."""
    samples = Samples(points, weights, bounds, boxes)
    law = Law(kind, support, rank, limit)
    for i in prange(base.shape[0]):
        _slope_at(slope, samples, law, base[i], eta[i], velocity[i], force[i], facts[i])


@kernel(parallel=True)
def _spectra(
    spectrum, points, weights, bounds, boxes, kind, support, rank, limit,
    base, means, values, vectors, facts,
):  # fmt: skip
    """Fill means (m, d), values (m, r), vectors (m, d, r) and facts (m, 2)."""
    samples = Samples(points, weights, bounds, boxes)
    law = Law(kind, support, rank, limit)
    for i in prange(base.shape[0]):
        spectrum(samples, law, base[i], means[i], values[i], vectors[i], facts[i])


_DATA = (POINTS, POINT, BOUNDS, BOXES, types.intp, types.float64, types.intp)
_CUBE = types.float64[:, :, ::1]
_SHOOT = (
    *(types.FunctionType(SLOPE), *_DATA, types.float64, POINTS, POINTS),
    *(types.float64, types.intp, types.boolean, types.boolean, _CUBE, _CUBE, TABLE),
)
_SLOPES = (
    *(types.FunctionType(SLOPE), *_DATA, types.float64, POINTS, POINTS),
    *(TABLE, TABLE, TABLE),
)
_SPECTRA = (
    *(types.FunctionType(SPECTRUM), *_DATA, types.float64, POINTS),
    *(TABLE, TABLE, _CUBE, TABLE),
)


def shoot_all(*arguments):
    """Run `_shoot_all` with its slope."""
    first_class(_shoot_all, *_SHOOT)(first_class(slope, *SLOPE.args), *arguments)


def slopes(*arguments):
    """Run `_slopes` with its slope."""
    first_class(_slopes, *_SLOPES)(first_class(slope, *SLOPE.args), *arguments)


def spectra(*arguments):
    """Run `_spectra` with its spectrum."""
    function = first_class(spectrum, *SPECTRUM.args)
    first_class(_spectra, *_SPECTRA)(function, *arguments)
