"""Projection onto the span of points of any manifold: Newton on unit weights.

The unknowns are a point x and weights of unit norm with Z(x) weights = 0; this chart
of homogeneous weights stays regular where their sum vanishes.
"""

from typing import NamedTuple

import numpy as np

from geolearn.decomposition._affine_span_local import solve_rows

__all__ = ["Solution", "correct", "descend_all"]

_DEGENERATE = 1e10  # condition of the equations beyond which a stratum is singular
_FEASIBLE = 1e-13  # residual of the barycentric equation, in units of the spread
_ALMOST = 1e-9  # residual that is accepted where rounding stops the corrector
_STALLED = 1e-8  # gradient that is accepted where rounding stops the descent
_LOOSE, _LOOSEST = 1e-2, 1e-3  # residual on the way, over the squared gradient
_DIVERGED = 2.0  # growth of a residual beyond which the corrector gives up
_MAX_CORRECTIONS = 8
_MAX_HALVINGS = 12
_ARMIJO = 1e-4
_ROUNDING = 1e-14  # relative rise of the objective that is only rounding
_LARGEST_TURN = 0.5  # change of unit weights in a step of the corrector
_TURN = 1.0  # and in one of the descent
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
    basis: np.ndarray  # of the tangent space of the span, orthonormal
    back: np.ndarray  # changes of the weights for unit steps along it
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


def correct(local, x, weights, which, lengths, tol, *, free=False):
    """Move x to a point with Z(x) weights = 0.

    Where the Hessian is singular the span folds over its weights; with `free` weights
    of unit norm take part in the least change, which passes folds.

    Returns
    -------
    tuple
        Points, weights, Z, Hessians and where the corrector succeeded.
    """
    x, weights = x.copy(), weights.copy()
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
        if free:
            step, change = _least_change(
                H[rows], Z[rows], weights[rows], gap, spread[rows]
            )
            weights[rows] = _unit(weights[rows] + _cap(change, _LARGEST_TURN))
        else:
            step = solve_rows(H[rows], gap[..., None])[..., 0]
        x[rows] = local.move(x[rows], _cap(step, longest[rows, None]))
    ok = residual <= np.maximum(tol, _ALMOST * spread)
    return x, weights, Z, H, ok


def _least_change(H, Z, weights, gap, spread):
    """Solve H dx - Z dweights = gap by the least dx / spread and dweights."""
    N = _complement(weights)
    ZN = Z @ N
    square = (spread**2)[:, None, None]
    product = square * (H @ H) + ZN @ np.swapaxes(ZN, 1, 2)
    y = solve_rows(product, gap[..., None])
    step = (square * (H @ y))[..., 0]
    return step, -(N @ (np.swapaxes(ZN, 1, 2) @ y))[..., 0]


def _unit(weights):
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def _trial(local, y, x, weights, which, lengths, tol):
    """Correct points and evaluate them; return a state and where it is valid."""
    x, weights, Z, H, ok = correct(local, x, weights, which, lengths, tol, free=True)
    v, Hy = local.target(x, y)
    ok &= np.isfinite(v).all(axis=1) & np.isfinite(weights).all(axis=1)
    ok &= np.isfinite(H).all(axis=(1, 2)) & np.isfinite(Hy).all(axis=(1, 2))
    mask = ok[:, None, None]
    weights = np.where(ok[:, None], weights, np.eye(local.size)[0])
    Q, back, regular = _tangent_space(
        np.where(mask, Z, 0.0),
        np.where(mask, H, np.eye(local.dim)),
        weights,
        lengths.spread[which],
    )
    secant = np.zeros((len(x), local.size, local.size))
    return State(which, x, weights, Q, back, v, Hy, secant), ok & regular


def _tangent_space(Z, H, weights, spread):
    """Return an orthonormal basis of the span at points, and changes of weights.

    Pairs (dx, dweights) of null vectors of [H, -Z] are tangent, also where H is
    singular.
    """
    n = H.shape[1]
    N = _complement(weights)
    joint = np.concatenate([spread[:, None, None] * H, -(Z @ N)], axis=2)
    V, R = np.linalg.qr(np.swapaxes(joint, 1, 2), mode="complete")
    sizes = np.abs(np.diagonal(R, axis1=1, axis2=2))
    regular = sizes.min(axis=1) * _DEGENERATE > sizes.max(axis=1)
    V = V[:, :, n:]
    Q, R = np.linalg.qr(spread[:, None, None] * V[:, :n])
    k = Q.shape[2]
    back = solve_rows(R, np.broadcast_to(np.eye(k), (len(R), k, k)).copy())
    back = N @ V[:, n:] @ back
    finite = np.isfinite(back).all(axis=(1, 2))
    return Q, np.where(finite[:, None, None], back, 0.0), regular & finite


def _complement(weights):
    """Return orthonormal bases of the complements of unit vectors, by mirrors."""
    mirror = weights.copy()
    mirror[:, 0] += np.where(mirror[:, 0] < 0.0, -1.0, 1.0)
    squares = np.sum(mirror**2, axis=1)
    product = mirror[:, :, None] * mirror[:, None, 1:]
    return np.eye(weights.shape[1])[:, 1:] - 2.0 * product / squares[:, None, None]


def _direction(state, lengths):
    """Return the step to the minimum of a quadratic model on the span."""
    Q, back = state.basis, state.back
    QT = np.swapaxes(Q, 1, 2)
    gradient = (QT @ state.target[..., None])[..., 0]
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


def _image(state):
    """Return velocities of points for changes of the weights; NaN at folds."""
    N = _complement(state.weights)
    NT = np.swapaxes(N, 1, 2)
    k = N.shape[2]
    unit = np.broadcast_to(np.eye(k), (len(N), k, k)).copy()
    return state.basis @ solve_rows(NT @ state.back, unit) @ NT


def _gradient(image, state):
    """Return the gradient in the weights."""
    return -np.einsum("nik,ni->nk", image, state.target)


def _bend(old, new):
    """Update the secant part by the symmetric rank-one formula."""
    moved = new.weights - old.weights
    image = _image(new)
    known = np.einsum("nik,nk->ni", image, moved)
    known = np.einsum("nij,nj->ni", new.curvature, known)
    known = np.einsum("nik,ni->nk", image, known)
    wanted = _gradient(image, new) - _gradient(_image(old), old) - known
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
        weights = _unit(state.weights[rows] + _cap(t * move.change[rows], _TURN))
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
    x, weights, *_, found = correct(
        local,
        state.x,
        state.weights,
        state.which,
        lengths,
        np.where(ok, tol, np.inf),
        free=True,
    )
    distance = np.full(len(y), np.inf)
    rows = np.flatnonzero(ok & found)
    distance[rows] = np.linalg.norm(local.target(x[rows], y[rows])[0], axis=1)
    return Solution(x, weights, distance, converged & found)
