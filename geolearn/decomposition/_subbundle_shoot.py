"""Geodesics of principal subbundles: one curve after another, or in parallel.

Lengths are in units of the bandwidth. A curve is stopped where it leaves the support
of the data or the rank is not defined. Its energy is constant in theory: where it
changes by more than a thousandth, the curve is followed again with half the step.
"""

# kernels: _subbundle_kernels=454d50b1 _subbundle_law=1079772d
# kernels: _subbundle_weights=c3d57322

import math
from functools import cache

import numpy as np
from numba import prange, types

from geolearn.decomposition._subbundle_eigen import eigenpairs
from geolearn.decomposition._subbundle_kernels import make_room
from geolearn.decomposition._subbundle_law import (
    BOUNDS,
    BOXES,
    DRIFT,
    DRIFTED,
    FINE,
    ROW,
    SLOPE,
    SOLVER,
    Law,
    copy,
    count_steps,
    entry,
    follow_all,
    square,
)
from geolearn.decomposition._subbundle_slope import slope
from geolearn.decomposition._subbundle_slope_high import slope_high, spectrum_high
from geolearn.decomposition._subbundle_weights import SKIN, Samples, make_list, padded
from geolearn.utils._jit import POINT, POINTS, TABLE, first_class, kernel

# That of _subbundle_block: kernels keep the constants of their own file only.
GUARDS = 2
FEW_FEATURES = 24  # up to it loops over samples beat matrix products
_AT_REST = 1e-24  # squared share of a momentum in the subspace that is rounding


@kernel
def _prepare(n, d, k):
    """Return a list of samples, the guess for leading vectors and room for results."""
    if d <= FEW_FEATURES:
        near = make_list(n, d, d, d, padded(n))
        V, r = np.empty((0, 0)), d
    else:
        near = make_list(n, d, 0, n, d)
        V, r = np.zeros((d, min(d, k + GUARDS))), 0
    return near, V, make_room(r, d)


@kernel
def _step(
    slope, eigenpairs, samples, near, law, h, euler, line, V, room, p, y, v, f, u, g,
    sums,
):  # fmt: skip
    """Step from the slopes v and f, which are overwritten.

    Either the classical Runge-Kutta step, or the symplectic one of Euler: move with
    the velocity, then change the momentum by the force found there.
    """
    d = p.shape[0]
    for a in range(d):
        sums[0, a], sums[1, a] = p[a], y[a]
        sums[2, a], sums[3, a] = v[a], f[a]
    for stage in range(1 if euler else 3):
        ahead = h if euler or stage == 2 else 0.5 * h
        weight = 1.0 if stage == 2 else 2.0
        for a in range(d):
            p[a] = sums[0, a] + ahead * v[a]
            if not euler:
                y[a] = sums[1, a] + ahead * f[a]
        status = slope(eigenpairs, samples, near, law, p, y, line, V, room, u, g)
        if status != FINE:
            return status
        for a in range(d):
            v[a], f[a] = u[a], g[a]
            sums[2, a] += weight * u[a]
            sums[3, a] += weight * g[a]
    for a in range(d):
        if euler:
            y[a] += h * f[a]
        else:
            p[a] = sums[0, a] + h / 6.0 * sums[2, a]
            y[a] = sums[1, a] + h / 6.0 * sums[3, a]
    return FINE


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
    slope, eigenpairs, samples, near, law, n, euler, line, patient, V, room, state,
    work, out, facts,
):  # fmt: skip
    """Follow one curve from `state` in n steps; fill out and facts.

    An impatient run returns as soon as the energy has changed too much.
    """
    p, y, v, f, u, g = state[0], state[1], work[0], work[1], work[2], work[3]
    h, last = 1.0 / n, out.shape[0] - 2
    every = n // (last - 1)
    status = FINE
    energy, least, growth, drift = 0.0, _AT_REST * square(y), 1.0, 0.0
    for i in range(n + 1):
        turns = 2 if line and i == 0 else 1
        for turn in range(turns):  # the speed is that of the projected momentum
            rays = line and turn == turns - 1
            status = slope(eigenpairs, samples, near, law, p, y, rays, V, room, v, f)
            if turns == 2 and turn == 0:
                copy(v, y)
        if status != FINE:
            break
        now = square(v)
        if i == 0:
            energy = now
        elif now != energy and energy > least:
            growth *= now / energy
            drift = max(drift, abs(growth - 1.0))
            _restore(math.sqrt(energy / now), y, v, f)
        facts[1], facts[2] = drift, i * h
        if i % every == 0:
            copy(p, out[i // every])
        if drift > DRIFT and not patient:
            break
        if line:
            copy(v, y)
        if i == n:
            break
        status = _step(
            slope, eigenpairs, samples, near, law, h, euler, line, V, room,
            p, y, v, f, u, g, work[4:],
        )  # fmt: skip
        if status != FINE:
            break
    if status == FINE:
        copy(p, out[last])
        copy(y, out[last + 1])
        if drift > DRIFT:
            status = DRIFTED
    facts[0] = status


@kernel
def _look(slope, eigenpairs, samples, near, law, V, room, state, out, facts):
    """Fill velocity and force at one point, and its spectrum where out has room."""
    room.facts[0], room.facts[1] = np.nan, 0.0
    if room.values.shape[0] > 0:
        room.values[0] = np.nan
    p, eta = state[0], state[1]
    v, f = out[0], out[1]
    line = out.shape[0] > 2  # spectra need no force
    facts[0] = slope(eigenpairs, samples, near, law, p, eta, line, V, room, v, f)
    facts[1], facts[2] = room.facts[0], room.facts[1]
    if out.shape[0] == 2 or math.isnan(room.values[0]):
        return
    for a in range(p.shape[0]):
        out[2, a] = p[a] + room.mean[a]
        out[3, a] = room.values[a]
        for i in range(p.shape[0]):
            out[4 + a, i] = room.vectors[i, a]


@kernel
def _visit(
    slope, eigenpairs, points, weights, bounds, boxes, numbers, steps, state, out, facts
):
    """Follow one curve in `steps` steps, or look at its start if that is none.

    The rows of out are positions at equal times, then position and momentum at the
    end, and facts are (status, drift, time reached). Without steps they are velocity,
    force, mean, eigenvalues and vectors, and (status, distance to the nearest sample,
    effective sample size). `state` is position and momentum; `numbers` are kind,
    support, rank, limit, skin, and whether the method is Euler's, the curve follows a
    line field and whatever its energy.
    """
    samples = Samples(points, weights, bounds, boxes)
    law = Law(int(numbers[0]), numbers[1], int(numbers[2]), numbers[3], numbers[4])
    n, d = points.shape
    if d <= FEW_FEATURES:
        near = make_list(n, d, d, d, padded(n))
        V, room = np.empty((0, 0)), make_room(d, d)
    else:
        near = make_list(n, d, 0, n, d)
        V, room = np.zeros((d, min(d, law.rank + GUARDS))), make_room(0, d)
    if steps == 0:
        _look(slope, eigenpairs, samples, near, law, V, room, state, out, facts)
        return
    euler, line, patient = numbers[5] > 0.0, numbers[6] > 0.0, numbers[7] > 0.0
    _follow(
        slope, eigenpairs, samples, near, law, steps, euler, line, patient, V, room,
        state, np.zeros((8, d)), out, facts,
    )  # fmt: skip


@kernel(parallel=True)
def _each(
    visit, slope, eigenpairs, points, weights, bounds, boxes, numbers, steps, states,
    out, facts,
):  # fmt: skip
    """Run `_visit` or `spectrum_high` for each row."""
    for i in prange(states.shape[0]):
        visit(
            slope, eigenpairs, points, weights, bounds, boxes, numbers,
            steps[i], states[i], out[i], facts[i],
        )  # fmt: skip


_FIELD = (types.FunctionType(SLOPE), SOLVER, POINTS, POINT, BOUNDS, BOXES, POINT)
_CUBE = types.float64[:, :, ::1]
_VISIT = types.void(*_FIELD, types.int64, TABLE, TABLE, ROW)
_EACH = (types.FunctionType(_VISIT), *_FIELD, types.int64[::1], _CUBE, _CUBE, TABLE)


@cache
def _compiled(few, high_spectrum):
    """Return driver, kernel of a row and slope."""
    return (
        entry(_each, *_EACH),
        first_class(spectrum_high if high_spectrum else _visit, *_VISIT.args),
        first_class(slope if few else slope_high, *SLOPE.args),
    )


def _run(high_spectrum, samples, numbers, steps, base, eta, height):
    """Return the rows (m, height, d) and the facts (m, 3) of a kernel."""
    m, d = base.shape
    out, facts = np.full((m, height, d), np.nan), np.zeros((m, 3))
    driver, *parts = _compiled(d <= FEW_FEATURES, high_spectrum)
    driver(
        *parts,
        eigenpairs(d),
        *samples,
        np.array(numbers, dtype=np.float64),
        *(steps, np.stack([base, eta], axis=1), out, facts),
    )
    return out, facts


def shoot_all(samples, law, base, eta, step, records, euler, line):
    """Return paths (m, records + 1, d), ends (m, 2, d) and facts (m, 3)."""

    def follow(rows, attempt):
        steps = count_steps(np.linalg.norm(eta[rows], axis=1), step, records)
        numbers = (*law, SKIN, euler, line, attempt)
        at = ((1 + attempt) * steps, base[rows], eta[rows])
        return _run(False, samples, numbers, *at, records + 3)

    return follow_all(follow, base, eta, records)


def slopes(samples, law, base, eta):
    """Return velocity (m, d), force (m, d) and status (m,)."""
    out, facts = _look_at(False, samples, law, base, eta, 2)
    return out[:, 0], out[:, 1], facts[:, 0]


def spectra(samples, law, base, r):
    """Return means (m, d), values (m, r), vectors (m, d, r) and facts (m, 2)."""
    high, rest = base.shape[1] > FEW_FEATURES, np.zeros_like(base)
    out, facts = _look_at(high, samples, law, base, rest, 4 + r)
    vectors = np.ascontiguousarray(out[:, 4:].swapaxes(1, 2))
    return out[:, 2], out[:, 3, :r], vectors, facts[:, 1:]


def _look_at(high_spectrum, samples, law, base, eta, height):
    numbers, steps = (*law, *(0.0,) * 4), np.zeros(len(base), dtype=np.int64)
    return _run(high_spectrum, samples, numbers, steps, base, eta, height)
