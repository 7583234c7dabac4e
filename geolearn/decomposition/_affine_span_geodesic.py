"""Projection onto the geodesics through two points of any manifold."""

import numpy as np

from geolearn.decomposition._affine_span_newton import Solution, correct

__all__ = ["descend_geodesics"]

_STATIONS = 12  # starting points on a geodesic that may close
_SMALLEST_CURVATURE = 0.1
_MAX_HALVINGS = 16
_ARMIJO = 1e-4
_ROUNDING = 1e-14
_STALLED = 1e-8
_FEASIBLE = 1e-13


def descend_geodesics(local, y, which, lengths, tol, max_iter):
    """Project rows of points onto the geodesics through their two references."""
    x = _start(local, y, which)
    spread = lengths.spread[which]
    u, Z, v, H = _evaluate(local, x, y, which)
    active = np.flatnonzero(np.isfinite(v).all(axis=1) & np.isfinite(u).all(axis=1))
    converged = np.zeros(len(y), dtype=bool)
    before = np.full(len(active), np.inf)
    for _ in range(max_iter):
        along = np.einsum("ni,ni->n", u[active], v[active])
        distance = np.linalg.norm(v[active], axis=1)
        size = np.maximum(distance, spread[active])
        done = np.abs(along) <= tol * size
        done |= (np.abs(along) <= _STALLED * size) & (np.abs(along) > 0.5 * before)
        converged[active[done]] = True
        active, along, size = active[~done], along[~done], size[~done]
        if not len(active):
            break
        bend = np.einsum("ni,nij,nj->n", u[active], H[active], u[active])
        s = along / np.maximum(np.abs(bend), _SMALLEST_CURVATURE)
        s = np.clip(s, -lengths.target, lengths.target)
        value = distance[~done] ** 2 / 2.0
        moved = np.zeros(len(active), dtype=bool)
        pending = np.arange(len(active))
        for _ in range(_MAX_HALVINGS):
            rows = active[pending]
            trial = local.move(x[rows], s[pending, None] * u[rows])
            found = _evaluate(local, trial, y[rows], which[rows])
            now = np.sum(found[2] ** 2, axis=1) / 2.0
            bound = value[pending] * (1.0 + _ROUNDING)
            ok = now <= bound - _ARMIJO * s[pending] * along[pending]
            x[rows[ok]] = trial[ok]
            for mine, theirs in zip((u, Z, v, H), found, strict=True):
                mine[rows[ok]] = theirs[ok]
            moved[pending[ok]] = True
            pending = pending[~ok]
            if not len(pending):
                break
            s[pending] /= 2.0
        stalled = ~moved & (np.abs(along) <= _STALLED * size)
        converged[active[stalled]] = True
        active, before = active[moved], np.abs(along)[moved]
    return _finish(local, x, u, Z, y, which, converged, lengths)


def _start(local, y, which):
    """Return the nearest reference, or station where geodesics may close."""
    manifold = local.manifold
    stations = local.references
    if np.isfinite(manifold.injectivity_radius):
        first = local.references[:, 0]
        direction = manifold._log(first, local.references[:, 1])
        length = manifold._norm(first, direction)
        times = np.arange(_STATIONS) / _STATIONS * 2.0 - 1.0
        times = 0.5 + times * manifold.injectivity_radius / length[:, None]
        steps = manifold._per_point(times) * direction[:, None]
        more = manifold._exp(first[:, None], steps)
        stations = np.concatenate([stations, more], axis=1)
    if len(stations) == 1:
        distances = manifold._dist(y[:, None], stations)
    else:
        distances = manifold._dist(y[:, None], stations[which])
    return stations[which, np.argmin(distances, axis=1)]


def _evaluate(local, x, y, which):
    """Return unit velocities, logarithms, and the target with its Hessian."""
    Z = local.logs(x, which)
    # Collinear, and a difference as long as the references are apart.
    u = Z[:, :, 1] - Z[:, :, 0]
    size = np.linalg.norm(u, axis=1, keepdims=True)
    u = u / np.where(size > 0.0, size, 1.0)
    return u, Z, *local.target(x, y)


def _finish(local, x, u, Z, y, which, converged, lengths):
    along = np.einsum("ni,nik->nk", u, Z)
    weights = np.stack([along[:, 1], -along[:, 0]], axis=1)
    size = np.linalg.norm(weights, axis=1, keepdims=True)
    weights = weights / np.where(size > 0.0, size, 1.0)
    tol = _FEASIBLE * lengths.spread[which]
    x, *_, found = correct(local, x, weights, which, lengths, tol)
    distance = np.linalg.norm(local.target(x, y)[0], axis=1)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    return Solution(x, weights, distance, converged & found)
