"""Neighbours of many points whose distances are expensive: candidates, then ranks."""

import numpy as np

from geolearn.graph._approximate import build_index, distinct_others
from geolearn.manifolds import Grassmann
from geolearn.metrics._resolve import ManifoldMetric, resolve_metric

__all__ = ["approximate_neighbors_of_points", "needs_candidates"]

_MOST_EXACT = 20_000
# Candidates for each neighbour; more where curvature makes the coordinates differ
# much from the distances: beyond this many radii of curvature.
_FACTOR = 2
_FACTOR_WIDE = 3
_WIDE = 4.0
_SAMPLE = 500
_BLOCK_PAIRS = 2**20


def needs_candidates(X, manifold) -> bool:
    """Tell whether an exact search of the points would take too long."""
    return len(X) > _MOST_EXACT and isinstance(resolve_metric(manifold), ManifoldMetric)


def approximate_neighbors_of_points(
    X, manifold, k, with_volume, random_state=None, n_jobs=None
):
    """Find approximate neighbours of points among each other.

    Candidates are neighbours by the Euclidean distance of coordinates in float32;
    they are ranked by the distance of the manifold in float64. Rows that miss
    candidates are searched exactly.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Valid points.
    manifold : Manifold
        Their manifold.
    k : int
        Number of neighbours.
    with_volume : bool
        Whether to return log volume densities.
    random_state : int, RandomState instance or None, default=None
        Seeds the search.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    tuple of ndarray of shape (n_samples, k)
        Distances, indices and, if wanted, log volume densities.
    """
    n = len(X)
    coordinates, wide = _coordinates(X, manifold, n_jobs)
    n_candidates = min((_FACTOR_WIDE if wide else _FACTOR) * k, n - 1)
    options = {"random_state": random_state, "n_jobs": n_jobs}
    euclidean = resolve_metric("euclidean")
    index = build_index(coordinates, n_candidates + 1, euclidean, **options)
    candidates = index.neighbor_graph[0].astype(np.intp)
    del index, coordinates
    evaluate = manifold._pair_evaluator(X, X, with_volume, n_jobs)
    distances, indices = np.empty((n, k)), np.empty((n, k), dtype=np.intp)
    volumes = np.empty((n, k) if with_volume else (0, 0))
    missing = []
    step = max(1, _BLOCK_PAIRS // n_candidates)
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        d, j, v, short = _ranked(evaluate, rows, candidates[rows], k)
        distances[rows], indices[rows] = d, j
        if with_volume:
            volumes[rows] = v
        missing.append(short)
    for i in np.concatenate(missing):
        found = manifold.kneighbors(
            X[i, None], X, k + 1, return_log_volume=with_volume, n_jobs=n_jobs
        )
        others = np.flatnonzero(found[1][0] != i)[:k]
        distances[i], indices[i] = found[0][0, others], found[1][0, others]
        if with_volume:
            volumes[i] = found[2][0, others]
    return (distances, indices, volumes) if with_volume else (distances, indices)


def _ranked(evaluate, rows, candidates, k):
    """Return the nearest of the candidates of some rows, and rows with too few."""
    usable = distinct_others(candidates, rows)
    own, place = np.nonzero(usable)
    values, volumes = evaluate(rows[own], candidates[own, place])
    table = np.full(candidates.shape, np.inf)
    table[own, place] = values
    order = np.lexsort((candidates, table), axis=1)[:, :k]
    d, j = (np.take_along_axis(T, order, axis=1) for T in (table, candidates))
    v = np.empty((0, 0))
    if volumes.size:
        carried = np.zeros(candidates.shape)
        carried[own, place] = volumes
        v = np.take_along_axis(carried, order, axis=1)
    return d, j, v, rows[usable.sum(axis=1) < k]


def _coordinates(X, manifold, n_jobs):
    """Return vectors whose distances resemble the geodesic ones; whether roughly."""
    if manifold.injectivity_radius == np.inf:
        T = manifold._tangents(X[:: -(-len(X) // _SAMPLE)], X, n_jobs).vectors
        size = np.sqrt(np.mean(np.einsum("ij,ij->i", T, T)))
        return T, bool(size > _WIDE * manifold._length_scale)
    if isinstance(manifold, Grassmann):  # frames of one subspace differ
        X = X @ np.swapaxes(X, -1, -2)
    return X.reshape(len(X), -1), True
