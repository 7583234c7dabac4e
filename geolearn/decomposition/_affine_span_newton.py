"""Projection onto the span of points of any manifold: Newton on unit weights.

The unknowns are a point x and weights of unit norm with Z(x) weights = 0; this chart
of homogeneous weights stays regular where their sum vanishes.
"""

from typing import NamedTuple

import numpy as np

from geolearn.decomposition._affine_span_local import solve_rows

__all__ = ["Solution", "correct", "descend_all"]

_DEGENERATE = 1e10  # condition of the Hessian beyond which a stratum is degenerate
_FEASIBLE = 1e-13  # residual of the barycentric equation, in units of the spread
_ALMOST = 1e-9  # residual that is accepted where rounding stops the corrector
_STALLED = 1e-8  # gradient that is accepted where rounding stops the descent
_LOOSE, _LOOSEST = 1e-2, 1e-3  # residual on the way, over the squared gradient
_DIVERGED = 2.0  # growth of a residual beyond which the corrector gives up
_MAX_CORRECTIONS = 8
_MAX_HALVINGS = 12
_ARMIJO = 1e-4
_ROUNDING = 1e-14  # relative rise of the objective that is only rounding
_SMALLEST_CURVATURE = 0.1  # eigenvalues of the model are at least this


class Solution(NamedTuple):
    """Stack of critical points of the distance to a span."""

    x: np.ndarray
    weights: np.ndarray  # of unit norm
    distance: np.ndarray
    converged: np.ndarray


class Move(NamedTuple):
    """Stack of steps of a descent."""

    gradient: np.ndarray  # lengths
    step: np.ndarray  # of the points
    change: np.ndarray  # of the weights
    slope: np.ndarray


class State(NamedTuple):
    """Stack of points of the span and what the next step needs."""

    which: np.ndarray  # number of the set of references
    x: np.ndarray
    weights: np.ndarray
    image: np.ndarray  # H^-1 Z: velocities of x for changes of the weights
    target: np.ndarray
    curvature: np.ndarray
    secant: np.ndarray  # part of the Hessian that comes from the bending of the span

    def take(self, rows):
        return State(*(a[rows] for a in self))

    def put(self, rows, other):
        for mine, theirs in zip(self, other, strict=True):
            mine[rows] = theirs


def _cap(steps, longest):
    size = np.linalg.norm(steps, axis=-1, keepdims=True)
    return steps * np.minimum(1.0, longest / np.where(size > 0.0, size, 1.0))


def correct(local, x, weights, which, lengths, tol):
    """Move x to a point with Z(x) weights = 0; return Z, H and success as well."""
    x = x.copy()
    n = len(x)
    Z = np.full((n, local.dim, local.size), np.nan)
    H = np.full((n, local.dim, local.dim), np.nan)
    residual = np.full(n, np.inf)
    rows = np.arange(n)
    tol = np.broadcast_to(tol, n)
    spread, longest = lengths.spread[which], lengths.correction[which]
    for _ in range(_MAX_CORRECTIONS):
        Z[rows], H[rows] = local.at(x[rows], weights[rows], which[rows])
        gap = np.einsum("nik,nk->ni", Z[rows], weights[rows])
        before, now = residual[rows], np.linalg.norm(gap, axis=1)
        residual[rows] = np.where(np.isfinite(now), now, np.inf)
        at_rounding = (now < _ALMOST * spread[rows]) & (now > 0.5 * before)
        more = (now > tol[rows]) & ~at_rounding & (now < _DIVERGED * before)
        rows, gap = rows[more], gap[more]
        if not len(rows):
            break
        step = solve_rows(H[rows], gap[..., None])[..., 0]
        x[rows] = local.move(x[rows], _cap(step, longest[rows, None]))
    ok = residual <= np.maximum(tol, _ALMOST * spread)
    return x, Z, H, ok


def _regular(Z, H, T):
    """Tell where the Hessian is far enough from singular."""
    size = np.linalg.norm(T, axis=(1, 2)) * np.linalg.norm(H, axis=(1, 2))
    return size < _DEGENERATE * np.linalg.norm(Z, axis=(1, 2))


def _trial(local, y, x, weights, which, lengths, tol):
    """Correct points and evaluate them; return a state and where it is valid."""
    x, Z, H, ok = correct(local, x, weights, which, lengths, tol)
    v, Hy = local.target(x, y)
    H = np.where(ok[:, None, None], H, np.eye(local.dim))
    T = solve_rows(H, Z)
    ok &= np.isfinite(T).all(axis=(1, 2)) & np.isfinite(v).all(axis=1)
    ok &= _regular(Z, H, T)
    secant = np.zeros((len(x), local.size, local.size))
    return State(which, x, weights, T, v, Hy, secant), ok


def _complement(weights):
    """Return orthonormal bases of the complements of unit vectors, by mirrors."""
    mirror = weights.copy()
    mirror[:, 0] += np.where(mirror[:, 0] < 0.0, -1.0, 1.0)
    squares = np.sum(mirror**2, axis=1)
    product = mirror[:, :, None] * mirror[:, None, 1:]
    return np.eye(weights.shape[1])[:, 1:] - 2.0 * product / squares[:, None, None]


def _direction(state, lengths):
    """Return the step to the minimum of a quadratic model on the span."""
    N = _complement(state.weights)
    Q, R = np.linalg.qr(state.image @ N)
    QT = np.swapaxes(Q, 1, 2)
    gradient = (QT @ state.target[..., None])[..., 0]
    # Coordinates in the tangent space of the span: weights move by N R^-1 s.
    back = solve_rows(R, np.broadcast_to(np.eye(R.shape[1]), R.shape).copy())
    back = N @ np.where(np.isfinite(back), back, 0.0)
    A = QT @ state.curvature @ Q + np.swapaxes(back, 1, 2) @ state.secant @ back
    A = np.where(np.isfinite(A), A, 0.0)
    values, vectors = np.linalg.eigh((A + np.swapaxes(A, 1, 2)) / 2.0)
    values = np.maximum(np.abs(values), _SMALLEST_CURVATURE)
    s = np.einsum("nij,ni->nj", vectors, gradient) / values
    s = _cap(np.einsum("nij,nj->ni", vectors, s), lengths.target)
    step = np.einsum("nij,nj->ni", Q, s)
    change = np.einsum("nij,nj->ni", back, s)
    slope = np.sum(s * gradient, axis=1)
    return Move(np.linalg.norm(gradient, axis=1), step, change, slope)


def _gradient(state):
    """Return the gradient in the weights."""
    return -np.einsum("nik,ni->nk", state.image, state.target)


def _bend(old, new):
    """Update the secant part by the symmetric rank-one formula."""
    moved = new.weights - old.weights
    known = np.einsum("nik,nk->ni", new.image, moved)
    known = np.einsum("nij,nj->ni", new.curvature, known)
    known = np.einsum("nik,ni->nk", new.image, known)
    wanted = _gradient(new) - _gradient(old) - known
    gap = wanted - np.einsum("nij,nj->ni", old.secant, moved)
    slope = np.sum(gap * moved, axis=1)
    size = np.linalg.norm(gap, axis=1) * np.linalg.norm(moved, axis=1)
    safe = np.abs(slope) > 1e-3 * size
    update = gap[:, :, None] * gap[:, None, :]
    update = update / np.where(safe, slope, 1.0)[:, None, None]
    return old.secant + np.where(safe[:, None, None], update, 0.0)


def _search(local, y, state, move, tol, slack, lengths):
    """Halve steps until the distance falls; return new states and which moved."""
    new = State(*(a.copy() for a in state))
    before = np.sum(state.target**2, axis=1) / 2.0
    before = before * (1.0 + _ROUNDING) + slack
    moved = np.zeros(len(y), dtype=bool)
    rows, t = np.arange(len(y)), 1.0
    for _ in range(_MAX_HALVINGS):
        weights = state.weights[rows] + t * move.change[rows]
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        x = local.move(state.x[rows], t * move.step[rows])
        trial, ok = _trial(
            local, y[rows], x, weights, state.which[rows], lengths, tol[rows]
        )
        value = np.sum(trial.target**2, axis=1) / 2.0
        ok &= value <= before[rows] - _ARMIJO * t * move.slope[rows]
        new.put(rows[ok], trial.take(ok))
        moved[rows[ok]] = True
        rows = rows[~ok]
        if not len(rows):
            break
        t /= 2.0
    return new, moved


def descend_all(local, y, x, weights, which, lengths, tol, max_iter):
    """Project stacks of points from stacks of starting points of the span."""
    spread = lengths.spread[which]
    tight = _FEASIBLE * spread
    state, ok = _trial(local, y, x, weights, which, lengths, tight)
    active = np.flatnonzero(ok)
    slack, before = np.zeros(len(active)), np.full(len(active), np.inf)
    converged = np.zeros(len(y), dtype=bool)
    for _ in range(max_iter):
        if not len(active):
            break
        here = state.take(active)
        move = _direction(here, lengths)
        distance = np.linalg.norm(here.target, axis=1)
        size = np.maximum(distance, spread[active])
        done = move.gradient <= tol * size
        done |= (move.gradient <= _STALLED * size) & (move.gradient > 0.5 * before)
        converged[active[done]] = True
        more = ~done & np.isfinite(move.slope)
        active, here, slack = active[more], here.take(more), slack[more]
        move = Move(*(a[more] for a in move))
        if not len(active):
            break
        # Far from the solution the barycentric equation need not hold to all digits.
        loose = np.clip(
            _LOOSE * move.gradient**2 / size[more],
            tight[active],
            _LOOSEST * spread[active],
        )
        new, moved = _search(local, y[active], here, move, loose, slack, lengths)
        stalled = ~moved & (move.gradient <= _STALLED * size[more])
        converged[active[stalled]] = True
        new = new.take(moved)
        new = new._replace(secant=_bend(here.take(moved), new))
        active = active[moved]
        slack, before = (loose * distance[more])[moved], move.gradient[moved]
        state.put(active, new)
    return _polish(local, y, state, ok, converged, lengths, tight)


def _polish(local, y, state, ok, converged, lengths, tol):
    """Let the barycentric equation hold to all digits."""
    x, *_, found = correct(
        local, state.x, state.weights, state.which, lengths, np.where(ok, tol, np.inf)
    )
    distance = np.full(len(y), np.inf)
    rows = np.flatnonzero(ok & found)
    distance[rows] = np.linalg.norm(local.target(x[rows], y[rows])[0], axis=1)
    return Solution(x, state.weights, distance, converged & found)
