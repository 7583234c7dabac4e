"""Curves of a field by an adaptive method of order eight, for comparison."""

import numpy as np
from scipy.integrate import DOP853

_RTOL = 1e-11
_ATOL = 1e-13  # over the bandwidth
_STRIDE = 0.5  # longest step over the bandwidth, or gaps of the data are jumped
_FINE, _DRIFTED, _SINGULAR = 0, 2, 3
_DRIFT = 1e-3


def _square(velocity):
    return float((velocity**2).sum())


def follow_precisely(slopes, p, y, path, end, facts, *, unit=1.0, energy_of=_square):
    """Follow one curve; fill path, end = (p, y), facts = (status, drift, reached).

    Parameters
    ----------
    slopes : callable
        Takes positions and momenta, each (1, d); returns velocity, force and status.
    p, y : ndarray of shape (d,)
        Where the curve starts.
    path : ndarray of shape (n_records + 1, d)
        Filled with positions at equal times; NaN stays where they are not reached.
    end : ndarray of shape (2, d)
        Filled with position and momentum at time 1.
    facts : ndarray of shape (3,)
        Filled with status, relative change of the energy and time reached.
    unit : float, default=1.0
        The bandwidth.
    energy_of : callable, default=_square
        Takes velocities (1, d); returns the squared length.
    """
    d = len(p)
    times = np.linspace(0.0, 1.0, len(path))
    facts[:] = _SINGULAR, 0.0, 0.0
    if not (np.isfinite(p).all() and np.isfinite(y).all()):
        return

    def field(_, state):
        velocity, force, _ = slopes(state[None, :d].copy(), state[None, d:].copy())
        return np.concatenate([velocity[0], force[0]])

    velocity, _, status = slopes(p[None].copy(), y[None].copy())
    facts[0] = status[0]
    if status[0] != _FINE:
        return
    path[0] = p
    energy = energy_of(velocity)
    solver = DOP853(
        field,
        0.0,
        np.concatenate([p, y]),
        1.0,
        rtol=_RTOL,
        atol=_ATOL * unit,
        max_step=_STRIDE * unit / np.sqrt(energy) if energy > 0.0 else np.inf,
    )
    while solver.status == "running":
        solver.step()
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            facts[0] = _SINGULAR
            return
        at = solver.y[None, :d].copy(), solver.y[None, d:].copy()
        velocity, _, status = slopes(*at)
        facts[0] = status[0]
        if status[0] != _FINE:
            return
        if energy > 0.0:
            facts[1] = max(facts[1], abs(energy_of(velocity) / energy - 1.0))
        facts[2] = solver.t
        passed = (times > solver.t_old) & (times <= solver.t)
        path[passed] = solver.dense_output()(times[passed])[:d].T
    end[0], end[1] = solver.y[:d], solver.y[d:]
    if facts[1] > _DRIFT:
        facts[0] = _DRIFTED
