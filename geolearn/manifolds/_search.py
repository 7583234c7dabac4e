"""Exact nearest neighbours on Hadamard manifolds by distances of tangent vectors.

Where no curvature is positive, logarithms at any base point g do not increase
distances: |log_g(x) - log_g(y)| <= d(x, y), with equality for y = g. A matrix product
gives these lower bounds for all pairs. Distances are evaluated in the order of the
bounds until the bounds exceed the k-th distance found, so that the result is that of
sorting all distances.
"""

from typing import Any, NamedTuple

import numpy as np

from geolearn.manifolds._mean import descend

__all__ = ["PointPairs", "Tangents", "hadamard_neighbors", "point_tangents"]

_EPS = float(np.finfo(np.float64).eps)
_BLOCK_BYTES = 2**25
# Candidates of the later rounds, as part of k, and their least number.
_PART = 3
_LEAST = 32
# Any base point is valid, one in the middle gives the best bounds.
_BASE_SAMPLES = 500
_BASE_TOLERANCE = 0.1
_BASE_STEPS = 4
# Relative error that logarithms and distances are trusted to stay below.
_TRUST = 1e-8


class Tangents(NamedTuple):
    """Orthonormal coordinates of logarithms, and what bounds their errors."""

    vectors: np.ndarray
    slack: np.ndarray


def nearest_by_bounds(
    X: Tangents, Y: Tangents, evaluate: Any, k: int, within: bool, n_jobs=None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the k nearest of the points Y of each point of X, exactly.

    Parameters
    ----------
    X : Tangents
        Of the points whose neighbours are wanted.
    Y : Tangents
        Of the points that are searched, at the same base point.
    evaluate : callable
        Takes indices i and j of pairs; returns their distances and log volume
        densities, or an empty array instead of the latter.
    k : int
        Number of neighbours.
    within : bool
        Whether `Y` is `X` and each point is left out of its own list.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    distances : ndarray of shape (n_x, k)
        In ascending order.
    indices : ndarray of shape (n_x, k)
        Ties in the order of the indices.
    log_volume : ndarray of shape (n_x, k) or (0, 0)
        Log volume densities, if `evaluate` gives them.
    """
    n_x, n_y = len(X.vectors), len(Y.vectors)
    step = max(1, _BLOCK_BYTES // (8 * n_y))
    parts = []
    for start in range(0, n_x, step):
        rows = np.arange(start, min(start + step, n_x), dtype=np.intp)
        table = _bounds(X, Y, rows, within, n_jobs)
        parts.append(_search_block(table, rows, evaluate, k, n_jobs))
        del table
    distances, indices, volumes = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    return distances, indices, volumes


def _bounds(X, Y, rows, within, n_jobs):
    from geolearn.manifolds._search_kernels import lower_bounds

    part = X.vectors[rows]
    table = part @ Y.vectors.T
    squares = tuple(np.einsum("ij,ij->i", T, T) for T in (part, Y.vectors))
    # Twice the roundings of a sum of products, and some of the square root.
    rounding = 4.0 * (part.shape[1] + 8) * _EPS
    skip = rows if within else np.full(len(rows), -1, dtype=np.intp)
    slacks = (X.slack[rows], Y.slack)
    lower_bounds(table, squares, slacks, rounding, skip, n_jobs)
    return table


def _search_block(table, rows, evaluate, k, n_jobs):
    from geolearn.manifolds._search_kernels import merge, next_candidates, sort_found

    n = len(rows)
    found = (np.full((n, k), np.inf), np.full((n, k), np.iinfo(np.intp).max))
    volumes = None
    active = np.arange(n, dtype=np.intp)
    size = k + min(_LEAST, k)
    while active.size:
        limits = np.ascontiguousarray(found[0][:, 0])
        size = min(size, table.shape[1])
        chosen = next_candidates(table, active, limits, size, n_jobs)
        valid = chosen >= 0
        counts = valid.sum(axis=1)
        labels = chosen[valid]
        keys, extras = evaluate(np.repeat(rows[active], counts), labels)
        if volumes is None:
            volumes = np.empty((n, k) if extras.size else (0, 0))
        starts = np.concatenate([[0], np.cumsum(counts)])
        merge(active, starts, labels, keys, extras, (*found, volumes), n_jobs)
        active = active[counts == size]
        size = max(_LEAST, k // _PART) if size >= k else 2 * size
    sort_found((*found, volumes), n_jobs)
    return (*found, volumes)


class Unordered:
    """Evaluate each unordered pair once, so that distances are exactly symmetric."""

    def __init__(self, evaluate, n):
        self.evaluate, self.n = evaluate, n

    def __call__(self, i, j):
        """Return distances and log volume densities of pairs of one set of points."""
        keys = np.minimum(i, j) * self.n + np.maximum(i, j)
        pairs, inverse = np.unique(keys, return_inverse=True)
        distances, volumes = self.evaluate(*np.divmod(pairs, self.n))
        return distances[inverse], volumes[inverse] if volumes.size else volumes


def hadamard_neighbors(manifold, X, Y, k, with_volume, n_jobs=None):
    """Return the k nearest points on a Hadamard manifold; Y=None stands for X.

    Parameters
    ----------
    manifold : Manifold
        Manifold without positive curvature.
    X : ndarray of shape (n_x, ...)
        Points whose neighbours are wanted.
    Y : ndarray of shape (n_y, ...) or None
        Points that are searched; None leaves each point of X out of its own list.
    k : int
        Number of neighbours.
    with_volume : bool
        Whether to evaluate log volume densities too.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    tuple of ndarray of shape (n_x, k)
        Distances, indices and log volume densities (of shape (0, 0) without them).
    """
    others = X if Y is None else Y
    evaluate = manifold._pair_evaluator(X, others, with_volume, n_jobs)
    if Y is None:
        evaluate = Unordered(evaluate, len(X))
    sample = others[:: -(-len(others) // _BASE_SAMPLES)]
    tangents = manifold._tangents(sample, others, n_jobs)
    queries = tangents if Y is None else manifold._tangents(sample, X, n_jobs)
    return nearest_by_bounds(queries, tangents, evaluate, k, Y is None, n_jobs)


class PointPairs:
    """Evaluate pairs by the pointwise operations of a manifold, in blocks."""

    def __init__(self, manifold, X, Y, with_volume):
        self.manifold, self.X, self.Y, self.with_volume = manifold, X, Y, with_volume

    def __call__(self, i, j):
        """Return distances and log volume densities, or an empty array."""
        m = self.manifold
        blocks = m._row_blocks(len(i), 1)
        distances = np.empty(len(i))
        volumes = np.empty(len(i) if self.with_volume else 0)
        for rows in blocks:
            x, y = self.X[i[rows]], self.Y[j[rows]]
            distances[rows] = m._dist(x, y)
            if self.with_volume:
                volumes[rows] = m._log_volume_density(x, y)
        return distances, volumes


def point_tangents(manifold, sample, X):
    """Return logarithms at a rough mean of a sample, by pointwise operations."""
    weight = np.full(len(sample), 1.0 / len(sample))
    start = manifold._mean_start(sample, weight)
    base = descend(manifold, sample, weight, start, _BASE_TOLERANCE, _BASE_STEPS).mean
    blocks = manifold._row_blocks(len(X), 1)
    vectors = np.concatenate([manifold.log_vector(base, X[rows]) for rows in blocks])
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return Tangents(vectors, _TRUST * (manifold._length_scale + lengths))
