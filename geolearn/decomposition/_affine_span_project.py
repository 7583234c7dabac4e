"""Projection onto affine spans: which method serves which manifold."""

import warnings
from typing import NamedTuple

import numpy as np

from geolearn.decomposition._affine_span_frames import SpanFrame, sum_to_one, unfold
from geolearn.decomposition._affine_span_local import Local
from geolearn.decomposition._affine_span_newton import (
    Solution,
    correct,
    descend_all,
    lengths_of,
)
from geolearn.decomposition._affine_span_null import least_null_weights

__all__ = ["AffineSpanProjection", "project_points"]

_ROWS = 4096  # samples in one stack
_ANTIPODAL = 1e-12
_TOL = 1e-10
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


def project_points(
    manifold,
    X,
    references,
    *,
    start_weights=None,
    all_starts=False,
    tol=_TOL,
    max_iter=_MAX_ITER,
):
    """Project valid points onto the span of valid references, without a word.

    Parameters
    ----------
    manifold : Manifold
        Any manifold.
    X : ndarray of shape (n_samples, ...)
        Points.
    references : ndarray of shape (k + 1, ...)
        Independent points.
    start_weights : ndarray of shape (n_samples, k + 1), default=None
        Weights near those of the projections; closed forms need none.
    all_starts : bool, default=False
        Whether to try all starts for all samples, not only for those that fail.
    tol, max_iter
        Of the iterations.

    Returns
    -------
    AffineSpanProjection
        What `affine_span_project` returns.
    """
    k = len(references) - 1
    if k == 0:
        return _single(manifold, X, references)
    unfolded = unfold(manifold)
    if unfolded is not None and k <= manifold.dim:
        model, unfolding, folding = unfolded
        result = SpanFrame(model, unfolding(references)).project(unfolding(X))
        return AffineSpanProjection(folding(result[0]), *result[1:])
    if k >= manifold.dim:
        return _filled(manifold, X, references)
    parts = [
        _general(
            manifold,
            X[rows],
            references,
            None if start_weights is None else start_weights[rows],
            all_starts,
            tol,
            max_iter,
        )
        for rows in (slice(i, i + _ROWS) for i in range(0, len(X), _ROWS))
    ]
    return AffineSpanProjection(*map(np.concatenate, zip(*parts, strict=True)))


def _single(manifold, X, references):
    distance = manifold._dist(references[0], X)
    projection = np.broadcast_to(references[0], X.shape).copy()
    unique = distance < manifold.injectivity_radius * (1.0 - _ANTIPODAL)
    return AffineSpanProjection(projection, distance, np.ones((len(X), 1)), unique)


def _filled(manifold, X, references):
    """Leave points where they are: the span is the whole manifold."""
    Z = Local(manifold, references).logs(X)
    weights = least_null_weights(Z, Z.shape[2] - min(Z.shape[1:]))
    return AffineSpanProjection(
        X.copy(), np.zeros(len(X)), weights, np.isfinite(weights).all(axis=1)
    )


def _general(manifold, X, references, start_weights, all_starts, tol, max_iter):
    local = Local(manifold, references)
    lengths = lengths_of(manifold, references)
    best = Solution(
        X.copy(),
        np.full((len(X), local.size), np.nan),
        np.full(len(X), np.inf),
        np.zeros(len(X), dtype=bool),
    )
    for rows, x, weights in _starts(local, X, best, start_weights, all_starts, lengths):
        found = descend_all(local, X[rows], x, weights, lengths, tol, max_iter)
        better = (found.distance < best.distance[rows]) & (
            found.converged | ~best.converged[rows]
        ) | (found.converged & ~best.converged[rows])
        for mine, theirs in zip(best, found, strict=True):
            mine[rows[better]] = theirs[better]
    return AffineSpanProjection(
        best.x, best.distance, sum_to_one(best.weights), best.converged
    )


def _starts(local, X, best, start_weights, all_starts, lengths):
    """Yield rows that need a start, points of the span and their unit weights."""
    manifold, references = local.manifold, local.references
    size = local.size
    if start_weights is not None:
        weights = start_weights / np.linalg.norm(start_weights, axis=1, keepdims=True)
        rows = np.flatnonzero(np.isfinite(weights).all(axis=1))
        first = np.argmax(np.abs(weights[rows]), axis=1)
        x, _, _, ok = correct(local, references[first], weights[rows], lengths, 1e-13)
        yield rows[ok], x[ok], weights[rows[ok]]
    order = np.argsort(manifold._dist(X[:, None], references[None]), axis=1)
    for j in range(size):
        rows = np.arange(len(X)) if all_starts else np.flatnonzero(~best.converged)
        if not len(rows):
            return
        first = order[rows, j]
        yield rows, references[first], np.eye(size)[first]
    rows = np.arange(len(X)) if all_starts else np.flatnonzero(~best.converged)
    if len(rows):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mean = manifold.frechet_mean(references)
        except ValueError:
            return
        yield (
            rows,
            np.repeat(mean[None], len(rows), axis=0),
            np.full((len(rows), size), size**-0.5),
        )
