"""Points of a span from their weights: critical points of the weighted variance."""

import numpy as np

from geolearn.decomposition._affine_span_frames import SpanFrame, unfold
from geolearn.decomposition._affine_span_local import local_of, span_lengths
from geolearn.decomposition._affine_span_newton import correct

__all__ = ["barycenters", "negative_directions"]

_FEASIBLE = 1e-13
_SETTLED = 1e-9  # change of the variance that counts
_MAX_DESCENTS = 60


def barycenters(manifold, references, weights):
    """Return barycentres for rows of weights of sum one, and which were found."""
    if len(references) == 1:
        found = np.ones(len(weights), dtype=bool)
        return np.repeat(references, len(weights), axis=0), found
    unfolded = unfold(manifold)
    if unfolded is None:
        return _critical(manifold, references, weights)
    model, unfolding, folding = unfolded
    points = unfolding(references)
    if model.is_flat and model.injectivity_radius == np.inf:
        return folding(weights @ points), np.ones(len(weights), dtype=bool)
    if len(references) > model.dim + 1:
        x, found = _critical(model, points, weights)
        return folding(x), found
    frame = SpanFrame(model, points)
    x, found = _critical(frame.reduced, frame.points, weights)
    return folding(frame.restore(x[:, 0], x[:, 1:])), found


def _critical(manifold, references, weights):
    """Return the critical points of least variance that the starts lead to."""
    local = local_of(manifold, references[None])
    lengths = span_lengths(local)
    which = np.zeros(len(weights), dtype=np.intp)
    best = np.full((len(weights), *manifold.point_shape), np.nan)
    variance = np.full(len(weights), np.inf)
    settled = np.zeros(len(weights), dtype=bool)
    order = np.argsort(-np.abs(weights), axis=1, kind="stable")
    # Minima first; saddles, by the corrector alone, where there seems to be none.
    for attempt in range(2 * local.size):
        descending = attempt < local.size
        rows = np.flatnonzero(~settled if descending else np.isinf(variance))
        if not len(rows):
            continue
        start = references[order[rows, attempt % local.size]]
        x = _tangent_mean(local, start, weights[rows])
        if descending:
            x = _descend(local, x, weights[rows], lengths)
        x, _, Z, H, ok = correct(
            local, x, weights[rows], which[rows], lengths, _FEASIBLE * lengths.spread
        )
        value = np.einsum("nk,nik->n", weights[rows], Z**2)
        better = ok & (value < variance[rows] - _SETTLED * np.abs(value))
        best[rows[better]], variance[rows[better]] = x[better], value[better]
        H = np.where(ok[:, None, None], H, np.eye(local.dim))
        settled[rows[ok & (negative_directions(H) == 0)]] = True
    return best, np.isfinite(variance)


def _tangent_mean(local, x, weights):
    """Return exponentials of weighted sums of logarithms."""
    step = np.einsum(
        "nik,nk->ni", local.logs(x, np.zeros(len(x), dtype=np.intp)), weights
    )
    moved = local.move(x, step)
    return np.where(np.isfinite(moved), moved, x)


def _descend(local, x, weights, lengths):
    """Lower the variance by Newton steps with absolute curvatures."""
    x = x.copy()
    rows, zeros = np.arange(len(x)), np.zeros(len(x), dtype=np.intp)
    for _ in range(_MAX_DESCENTS):
        Z, H = local.at(x[rows], weights[rows], zeros[rows])
        ok = np.isfinite(Z).all(axis=(1, 2)) & np.isfinite(H).all(axis=(1, 2))
        rows, Z, H = rows[ok], Z[ok], H[ok]
        if not len(rows):
            break
        gap = np.einsum("nik,nk->ni", Z, weights[rows])
        values, U = np.linalg.eigh(H)
        values = np.maximum(np.abs(values), 0.1)
        step = np.einsum("nij,nj->ni", U, np.einsum("nij,ni->nj", U, gap) / values)
        size = np.linalg.norm(step, axis=1, keepdims=True)
        step *= np.minimum(1.0, lengths.correction[0] / np.where(size > 0.0, size, 1.0))
        x[rows] = local.move(x[rows], step)
        rows = rows[size[:, 0] > 1e-3 * lengths.spread[0]]
        if not len(rows):
            break
    return x


def negative_directions(H):
    """Return numbers of negative eigenvalues of stacks of symmetric matrices."""
    return np.sum(np.linalg.eigvalsh(H) < 0.0, axis=-1)
