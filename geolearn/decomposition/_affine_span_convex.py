"""Projection onto barycentres of weights that are not negative: an active set.

As in non-negative least squares [1]_, references enter one by one where they lower
the distance, each time followed by a projection onto the span of those present and,
where weights turn negative, by a step back to the boundary of the simplex. Under
curvature the projections are those of the curved spans. Samples with the same
references present go together.

.. [1] C. L. Lawson, R. J. Hanson, "Solving least squares problems", 1974, chapter 23,
   doi:10.1137/1.9781611971217.
"""

import numpy as np

from geolearn.decomposition._affine_span_frames import SpanFrame, unfold
from geolearn.decomposition._affine_span_local import local_of, solve_rows
from geolearn.decomposition._affine_span_project import (
    AffineSpanProjection,
    project_points,
)

__all__ = ["project_hull"]

_NO_GAIN = 1e-10  # slope, relative to the lengths that make it, that is rounding
_NEGATIVE = 1e-13  # weight below zero that is rounding
_RISE = 1e-9  # relative rise of the distance that is rounding


def project_hull(manifold, X, references):
    """Project valid points onto the barycentres of non-negative weights.

    Parameters
    ----------
    manifold : Manifold
        Any manifold.
    X : ndarray of shape (n_samples, ...)
        Points.
    references : ndarray of shape (k + 1, ...)
        Independent points.

    Returns
    -------
    AffineSpanProjection
        As that of `affine_span_project`, with weights in the simplex.
    """
    size = len(references)
    distances = manifold._dist(X[:, None], references[None])
    nearest = np.argmin(distances, axis=1)
    best = AffineSpanProjection(
        references[nearest],
        distances[np.arange(len(X)), nearest],
        np.eye(size)[nearest],
        np.ones(len(X), dtype=bool),
    )
    rows = np.arange(len(X))
    for _ in range(3 * size):
        gains = _gains(manifold, X, references, best, rows)
        entering = np.argmax(gains, axis=1)
        more = gains[np.arange(len(rows)), entering] > _NO_GAIN
        rows, entering = rows[more], entering[more]
        if not len(rows):
            return best
        better = _enter(manifold, X, references, best, rows, entering)
        best.converged[rows[~better]] = False
        rows = rows[better]
    best.converged[rows] = False
    return best


def _groups(support):
    """Yield the distinct rows of a table of booleans and where they stand."""
    patterns, place = np.unique(support, axis=0, return_inverse=True)
    place = place.reshape(-1)
    for i, pattern in enumerate(patterns):
        yield np.flatnonzero(pattern), np.flatnonzero(place == i)


def _gains(manifold, X, references, best, rows):
    """Return slopes at which absent references lower the distance, without units."""
    support = best.weights[rows] > 0.0
    gains = np.zeros(support.shape)
    unfolded = unfold(manifold)
    for present, part in _groups(support):
        absent = np.setdiff1d(np.arange(len(references)), present)
        if not len(absent):
            continue
        chosen = rows[part]
        if unfolded is not None and len(present) <= manifold.dim + 1:
            model, unfolding, _ = unfolded
            frame = SpanFrame(model, unfolding(references[present]))
            slopes = frame.slopes(unfolding(X[chosen]), unfolding(references[absent]))
        else:
            slopes = _slopes(manifold, X[chosen], references, best, chosen)[:, absent]
        gains[part[:, None], absent] = np.nan_to_num(slopes, nan=0.0)
    return gains


def _slopes(manifold, y, references, best, rows):
    local = local_of(manifold, references[None])
    x, which = best.projection[rows], np.zeros(len(rows), dtype=np.intp)
    Z, H = local.at(x, best.weights[rows], which)
    finite = np.isfinite(H).all(axis=(1, 2))
    H = np.where(finite[:, None, None], H, np.eye(local.dim))
    T = solve_rows(H, Z)
    v, _ = local.target(x, y)
    slopes = np.einsum("nik,ni->nk", T, v)
    far = np.maximum(np.linalg.norm(v, axis=1), np.max(np.linalg.norm(Z, axis=1)))
    size = np.linalg.norm(T, axis=1) * far[:, None]
    return slopes / np.where(size > 0.0, size, 1.0)


def _enter(manifold, X, references, best, rows, entering):
    """Let one reference enter each row; tell where the distance fell."""
    weights = best.weights[rows].copy()
    support = weights > 0.0
    support[np.arange(len(rows)), entering] = True
    pending, better = np.arange(len(rows)), np.zeros(len(rows), dtype=bool)
    while len(pending):
        again = []
        for present, part in _groups(support[pending]):
            part = pending[part]
            found = project_points(
                manifold,
                X[rows[part]],
                references[present],
                start_weights=weights[part][:, present],
            )
            inside = np.all(found.weights >= -_NEGATIVE, axis=1) & found.converged
            _accept(best, rows[part], present, found, inside, better, part)
            outside = ~inside & np.isfinite(found.weights).all(axis=1)
            out, wanted = part[outside], found.weights[outside]
            if len(out):
                # Weights of negative sum have changed their signs: the new one is
                # positive before they are divided by the sum.
                new = np.searchsorted(present, entering[out])
                new = wanted[np.arange(len(out)), np.minimum(new, len(present) - 1)]
                wanted = np.where(new < 0.0, -1.0, 1.0)[:, None] * wanted
                moved = _step_back(weights[out][:, present], wanted)
                weights[out[:, None], present] = moved
                support[out[:, None], present] = moved > 0.0
                again.append(out[support[out].any(axis=1)])
        pending = np.concatenate(again) if again else np.zeros(0, dtype=np.intp)
    return better


def _accept(best, rows, present, found, inside, better, part):
    """Store projections with valid weights that are not farther than before."""
    nearer = found.distance <= best.distance[rows] * (1.0 + _RISE)
    good = inside & nearer
    kept, weights = rows[good], np.zeros((int(good.sum()), best.weights.shape[1]))
    weights[:, present] = np.maximum(found.weights[good], 0.0)
    best.projection[kept], best.distance[kept] = (
        found.projection[good],
        found.distance[good],
    )
    best.weights[kept] = weights / weights.sum(axis=1, keepdims=True)
    better[part[good]] = True


def _step_back(weights, wanted):
    """Go from weights towards others up to the first that vanishes."""
    falls = wanted < 0.0
    ratio = np.where(falls, weights / np.where(falls, weights - wanted, 1.0), np.inf)
    first = np.argmin(ratio, axis=1)
    rows = np.arange(len(weights))
    t = np.minimum(ratio[rows, first], 1.0)[:, None]
    moved = np.maximum(weights + t * (wanted - weights), 0.0)
    moved[rows, first] = 0.0
    return moved
