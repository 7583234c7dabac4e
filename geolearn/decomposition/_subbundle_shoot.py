"""Geodesics of principal subbundles: one curve after another, or in parallel.

Lengths are in units of the bandwidth. A curve is stopped where it leaves the support
of the data or the rank is not defined. Its energy is constant in theory: where it
changes by more than a thousandth, the curve is followed again with half the step.
"""

# kernels: _subbundle_block=ab348755 _subbundle_kernels=ba323aa1
# kernels: _subbundle_law=ace28727 _subbundle_weights=c3d57322

import math

import numpy as np
from numba import prange, types

from geolearn.decomposition._subbundle_block import GUARDS
from geolearn.decomposition._subbundle_eigen import eigenpairs
from geolearn.decomposition._subbundle_kernels import make_room
from geolearn.decomposition._subbundle_law import (
    BOUNDS,
    BOXES,
    DRIFTED,
    FINE,
    ROW,
    SINGULAR,
    SLOPE,
    SOLVER,
    Law,
    finite,
    square,
)
from geolearn.decomposition._subbundle_slope import slope
from geolearn.decomposition._subbundle_slope_high import slope_high, spectrum_high
from geolearn.decomposition._subbundle_weights import SKIN, Samples, make_list, padded
from geolearn.utils._jit import POINT, POINTS, TABLE, first_class, kernel

FEW_FEATURES = 24  # up to it loops over samples beat matrix products
FEWEST_STEPS = 4
_MOST_STEPS = 10_000_000
_DRIFT = 1e-3
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
    slope, eigenpairs, samples, near, law, base, eta, n, every, euler, line, patient,
    V, room, work, out, facts,
):  # fmt: skip
    """Follow one curve in n steps; fill out and facts.

    An impatient run returns as soon as the energy has changed too much.
    """
    p, y, v, f, u, g = work[0], work[1], work[2], work[3], work[4], work[5]
    _copy(base, p)
    _copy(eta, y)
    h = 1.0 / n
    last = out.shape[0] - 2
    status = FINE
    energy, growth, drift = 0.0, 1.0, 0.0
    for i in range(n + 1):
        turns = 2 if line and i == 0 else 1
        for turn in range(turns):  # the speed is that of the projected momentum
            rays = line and turn == turns - 1
            status = slope(eigenpairs, samples, near, law, p, y, rays, V, room, v, f)
            if turns == 2 and turn == 0:
                _copy(v, y)
        if status != FINE:
            break
        now = square(v)
        if i == 0:
            energy = now
        elif now != energy and energy > _AT_REST * square(eta):
            growth *= now / energy
            drift = max(drift, abs(growth - 1.0))
            _restore(math.sqrt(energy / now), y, v, f)
        facts[1], facts[2] = drift, i * h
        if i % every == 0:
            _copy(p, out[i // every])
        if drift > _DRIFT and not patient:
            break
        if line:
            _copy(v, y)
        if i == n:
            break
        status = _step(
            slope, eigenpairs, samples, near, law, h, euler, line, V, room,
            p, y, v, f, u, g, work[6:],
        )  # fmt: skip
        if status != FINE:
            break
    if status == FINE:
        _copy(p, out[last])
        _copy(y, out[last + 1])
        if drift > _DRIFT:
            status = DRIFTED
    facts[0] = status


@kernel
def _law(numbers, skin):
    """Return the law of an array of numbers."""
    return Law(int(numbers[0]), numbers[1], int(numbers[2]), numbers[3], skin)


@kernel
def shoot(
    slope, eigenpairs, points, weights, bounds, boxes, numbers, base, eta, out, facts
):
    """Follow one curve, with half the step where the energy asks for it.

    Fills out with positions at equal times, then position and momentum at the end,
    and facts = (status, drift, time reached); `numbers` are those of `look`, then
    step, and whether the method is Euler's and the curve follows a line field.
    """
    _fill(out, np.nan)
    facts[0], facts[1], facts[2] = SINGULAR, 0.0, 0.0
    if not (finite(base) and finite(eta)):
        return
    size = 0.0
    for a in range(base.shape[0]):
        size = math.hypot(size, eta[a])
    step, euler, line = numbers[4], numbers[5] > 0.0, numbers[6] > 0.0
    records = out.shape[0] - 3
    n = int(min(max(math.ceil(size / step), FEWEST_STEPS), _MOST_STEPS))
    every = (n + records - 1) // records
    n = every * records
    samples = Samples(points, weights, bounds, boxes)
    law = _law(numbers, SKIN)
    near, V, room = _prepare(points.shape[0], base.shape[0], law.rank)
    work = np.zeros((10, base.shape[0]))
    for attempt in range(2):
        _follow(
            slope, eigenpairs, samples, near, law, base, eta, n, every, euler, line,
            attempt == 1, V, room, work, out, facts,
        )  # fmt: skip
        if facts[1] <= _DRIFT:
            return
        if attempt == 0:
            _fill(out, np.nan)
            n, every = 2 * n, 2 * every


@kernel
def look(
    slope, eigenpairs, points, weights, bounds, boxes, numbers, base, eta, out, facts
):
    """Fill velocity and force at one point, and its spectrum where out has room.

    The rows of out are velocity, force, mean, eigenvalues and vectors, facts are
    (status, distance to the nearest sample, effective sample size), and `numbers`
    kind, support, rank and limit.
    """
    d = base.shape[0]
    samples = Samples(points, weights, bounds, boxes)
    law = _law(numbers, 0.0)
    near, V, room = _prepare(points.shape[0], d, law.rank)
    work = np.empty((2, d))
    _copy(base, work[0])
    _copy(eta, work[1])
    _fill(out, np.nan)
    room.facts[0], room.facts[1] = np.nan, 0.0
    if room.values.shape[0] > 0:
        room.values[0] = np.nan
    facts[0] = slope(
        eigenpairs, samples, near, law, work[0], work[1], False, V, room,
        out[0], out[1],
    )  # fmt: skip
    facts[1], facts[2] = room.facts[0], room.facts[1]
    if out.shape[0] == 2 or np.isnan(room.values[0]):
        return
    for a in range(d):
        out[2, a] = base[a] + room.mean[a]
        out[3, a] = room.values[a]
        for i in range(d):
            out[4 + a, i] = room.vectors[i, a]


@kernel(parallel=True)
def _each(
    one, slope, eigenpairs, points, weights, bounds, boxes, numbers, base, eta, out,
    facts,
):  # fmt: skip
    """Run `shoot`, `look` or `spectrum_high` for each row."""
    for i in prange(base.shape[0]):
        one(
            slope, eigenpairs, points, weights, bounds, boxes, numbers,
            base[i], eta[i], out[i], facts[i],
        )  # fmt: skip


_FIELD = (types.FunctionType(SLOPE), SOLVER, POINTS, POINT, BOUNDS, BOXES, POINT)
_ONE = types.void(*_FIELD, POINT, POINT, TABLE, ROW)
_EACH = (
    *(types.FunctionType(_ONE), *_FIELD),
    *(POINTS, POINTS, types.float64[:, :, ::1], TABLE),
)


def _run(one, samples, numbers, base, eta, height):
    """Return the rows (m, height, d) and the facts (m, 3) of `one`."""
    m, d = base.shape
    few = d <= FEW_FEATURES
    out, facts = np.empty((m, height, d)), np.zeros((m, 3))
    first_class(_each, *_EACH)(
        first_class(one, *_ONE.args),
        first_class(slope if few else slope_high, *SLOPE.args),
        eigenpairs(d),
        *samples,
        np.array(numbers, dtype=np.float64),
        *(base, eta, out, facts),
    )
    return out, facts


def shoot_all(samples, law, base, eta, step, records, euler, line):
    """Return paths (m, records + 1, d), ends (m, 2, d) and facts (m, 3)."""
    numbers = (*law, step, euler, line)
    out, facts = _run(shoot, samples, numbers, base, eta, records + 3)
    return out[:, :-2], out[:, -2:], facts


def slopes(samples, law, base, eta):
    """Return velocity (m, d), force (m, d) and status (m,)."""
    out, facts = _run(look, samples, law, base, eta, 2)
    return out[:, 0], out[:, 1], facts[:, 0]


def spectra(samples, law, base, r):
    """Return means (m, d), values (m, r), vectors (m, d, r) and facts (m, 2)."""
    one = look if base.shape[1] <= FEW_FEATURES else spectrum_high
    out, facts = _run(one, samples, law, base, np.zeros_like(base), 4 + r)
    vectors = np.ascontiguousarray(out[:, 4:].swapaxes(1, 2))
    return out[:, 2], out[:, 3, :r], vectors, facts[:, 1:]
