"""Projection onto affine spans: which method serves which manifold."""

from typing import NamedTuple

import numpy as np

from geolearn.decomposition._affine_span_frames import SpanFrame, sum_to_one, unfold
from geolearn.decomposition._affine_span_geodesic import descend_geodesics
from geolearn.decomposition._affine_span_local import local_of, span_lengths
from geolearn.decomposition._affine_span_newton import (
    Solution,
    correct,
    descend_all,
)
from geolearn.decomposition._affine_span_null import least_null_weights

__all__ = ["AffineSpanProjection", "project_pairs", "project_points", "project_sets"]

_ROWS = 4096  # samples in one stack
_ANTIPODAL = 1e-12  # relative gap to the cut locus that is only rounding
_WARM = 1e-10  # residual at starting points, in units of the spread
_TOL = 1e-12
_MAX_ITER = 100


class AffineSpanProjection(NamedTuple):
    r"""Hold the projections of points onto an affine span.

    Parameters
    ----------
    projection : ndarray of shape (n_samples, \*point_shape)
        Nearest points of the span.
    distance : ndarray of shape (n_samples,)
        Distances from the points to the span.
    weights : ndarray of shape (n_samples, n_references)
        Barycentric weights of the projections, which sum to 1; NaN where they lie at
        infinity.
    converged : ndarray of shape (n_samples,)
        Whether the projection is unique and was found.
    """

    projection: np.ndarray
    distance: np.ndarray
    weights: np.ndarray
    converged: np.ndarray


def project_points(manifold, X, references, **options):
    """Project valid points onto the span of valid references, without a word.

    Parameters
    ----------
    manifold : Manifold
        Any manifold.
    X : ndarray of shape (n_samples, ...)
        Points.
    references : ndarray of shape (k + 1, ...)
        Independent points.
    **options : dict
        See `project_pairs`.

    Returns
    -------
    AffineSpanProjection
        What `affine_span_project` returns.
    """
    which = np.zeros(len(X), dtype=np.intp)
    return project_pairs(manifold, X, references[None], which, **options)


def project_sets(manifold, X, references, **options):
    """Project all points onto the spans of many sets of references.

    Iterations run over all pairs at once, which pays where samples are few.

    Parameters
    ----------
    manifold : Manifold
        Any manifold.
    X : ndarray of shape (n_samples, ...)
        Points.
    references : ndarray of shape (n_sets, k + 1, ...)
        Sets of independent points.
    **options : dict
        See `project_pairs`.

    Returns
    -------
    AffineSpanProjection
        As that of `affine_span_project`, with a leading axis for the sets.
    """
    m, n = len(references), len(X)
    which = np.repeat(np.arange(m), n)
    if _closed(manifold, references):
        parts = [project_points(manifold, X, row) for row in references]
        return AffineSpanProjection(*map(np.stack, zip(*parts, strict=True)))
    tiled = np.tile(X, (m, *(1,) * (X.ndim - 1)))
    result = project_pairs(manifold, tiled, references, which, **options)
    return AffineSpanProjection(*(a.reshape(m, n, *a.shape[1:]) for a in result))


def project_pairs(
    manifold,
    X,
    references,
    which,
    *,
    start_weights=None,
    all_starts=False,
    tol=_TOL,
    max_iter=_MAX_ITER,
):
    """Project each point onto the span of its own set of references.

    Parameters
    ----------
    manifold : Manifold
        Any manifold.
    X : ndarray of shape (n_rows, ...)
        Points.
    references : ndarray of shape (n_sets, k + 1, ...)
        Sets of independent points.
    which : ndarray of int of shape (n_rows,)
        Set of each point.
    start_weights : ndarray of shape (n_rows, k + 1), default=None
        Weights near those of the projections; closed forms need none.
    all_starts : bool, default=False
        Whether to try all starts for all samples, not only for those that fail.
    tol : float, default=1e-12
        Gradient at which iterations end, relative to the distance or the size of the
        set of references, whichever is larger.
    max_iter : int, default=100
        Largest number of steps from one start.

    Returns
    -------
    AffineSpanProjection
        Projections of the rows.
    """
    n, k = len(X), references.shape[1] - 1
    if k == 0 or _closed(manifold, references):
        return _row_by_row(manifold, X, references, which)
    result = AffineSpanProjection(
        X.copy(), np.zeros(n), np.full((n, k + 1), np.nan), np.zeros(n, dtype=bool)
    )
    local = local_of(manifold, references)
    if k >= manifold.dim:  # points stay where they are
        weights = least_null_weights(local.logs(X, which), k + 1 - manifold.dim)
        return result._replace(
            weights=weights, converged=np.isfinite(weights).all(axis=1)
        )
    lengths = span_lengths(local)
    for i in range(0, n, _ROWS):
        rows = slice(i, i + _ROWS)
        if k == 1:
            part = descend_geodesics(
                local, X[rows], which[rows], lengths, tol, max_iter
            )
        else:
            starts = Starts(
                None if start_weights is None else start_weights[rows], all_starts
            )
            part = _best(local, X[rows], which[rows], lengths, starts, tol, max_iter)
        result.projection[rows], result.distance[rows] = part.x, part.distance
        result.weights[rows], result.converged[rows] = part.weights, part.converged
    return result._replace(weights=sum_to_one(result.weights))


def _closed(manifold, references):
    """Tell whether spans have closed forms."""
    return references.shape[1] - 1 <= manifold.dim and unfold(manifold) is not None


def _row_by_row(manifold, X, references, which):
    """Use closed forms, one set after the other."""
    if len(references) == 1:
        return _by_formula(manifold, X, references[0])
    n, size = len(X), references.shape[1]
    result = AffineSpanProjection(
        X.copy(), np.zeros(n), np.zeros((n, size)), np.zeros(n, dtype=bool)
    )
    for j in np.unique(which):
        rows = np.flatnonzero(which == j)
        part = _by_formula(manifold, X[rows], references[j])
        for mine, theirs in zip(result, part, strict=True):
            mine[rows] = theirs
    return result


def _by_formula(manifold, X, references):
    if len(references) == 1:
        distance = manifold._dist(references[0], X)
        projection = np.broadcast_to(references[0], X.shape).copy()
        unique = distance < manifold.injectivity_radius * (1.0 - _ANTIPODAL)
        return AffineSpanProjection(projection, distance, np.ones((len(X), 1)), unique)
    model, unfolding, folding = unfold(manifold)
    result = SpanFrame(model, unfolding(references)).project(unfolding(X))
    return AffineSpanProjection(folding(result[0]), *result[1:])


class Starts(NamedTuple):
    """Say where descents begin."""

    weights: np.ndarray | None
    all: bool


def _best(local, X, which, lengths, starts, tol, max_iter):
    """Return the best of the critical points that the starts lead to."""
    n = len(X)
    best = Solution(
        X.copy(),
        np.full((n, local.size), np.nan),
        np.full(n, np.inf),
        np.zeros(n, dtype=bool),
    )
    for rows, x, weights in _starting_points(local, X, which, best, starts, lengths):
        found = descend_all(
            local, X[rows], x, weights, which[rows], lengths, tol, max_iter
        )
        mine = best.converged[rows]
        better = found.converged & ~mine
        better |= (found.converged == mine) & (found.distance < best.distance[rows])
        for old, new in zip(best, found, strict=True):
            old[rows[better]] = new[better]
    return best


def _starting_points(local, X, which, best, starts, lengths):
    """Yield rows that need a start, points of the span and their unit weights."""
    size = local.size

    def needy():
        return np.arange(len(X)) if starts.all else np.flatnonzero(~best.converged)

    if starts.weights is not None:
        norms = np.linalg.norm(starts.weights, axis=1, keepdims=True)
        weights = starts.weights / np.where(norms > 0.0, norms, np.nan)
        rows = np.flatnonzero(np.isfinite(weights).all(axis=1))
        first = np.argmax(np.abs(weights[rows]), axis=1)
        x, *_, ok = correct(
            local,
            local.references[which[rows], first],
            weights[rows],
            which[rows],
            lengths,
            _WARM * lengths.spread[which[rows]],
        )
        yield rows[ok], x[ok], weights[rows[ok]]
    order = np.argsort(
        local.manifold._dist(X[:, None], local.others(which)), axis=1, kind="stable"
    )
    for j in range(size):
        rows = needy()
        if not len(rows):
            return
        first = order[rows, j]
        yield rows, local.references[which[rows], first], np.eye(size)[first]
    rows = needy()
    if len(rows):
        sets = np.unique(which[rows])
        mean, found = barycenters_of_sets(local, sets, lengths)
        place = np.searchsorted(sets, which[rows])
        rows, place = rows[found[place]], place[found[place]]
        yield rows, mean[place], np.full((len(rows), size), size**-0.5)


def barycenters_of_sets(local, sets, lengths):
    """Return barycentres of equal weights of sets, and which were found."""
    weights = np.full((len(sets), local.size), local.size**-0.5)
    x, *_, ok = correct(
        local,
        local.references[sets, 0],
        weights,
        sets,
        lengths,
        _WARM * lengths.spread[sets],
    )
    return x, ok
