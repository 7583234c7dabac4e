"""Neighbours at positive distance, the input of all local estimators."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from geolearn.diagnostics._checks import check_count
from geolearn.graph._neighbors import NeighborIndex, check_n_neighbors
from geolearn.graph._precomputed import is_precomputed, row_blocks

# Queries searched at a time: their distances and indices stay below 100 MB.
BLOCK = 10_000
# Below three neighbours no unbiased estimate exists.
MIN_NEIGHBORS = 3


class Neighborhoods(NamedTuple):
    """Sorted neighbours of a block of queries.

    Parameters
    ----------
    distances : ndarray of shape (n_queries, n_neighbors)
        Positive distances in increasing order, NaN behind the last.
    counts : ndarray of int of shape (n_queries,)
        Number of distances that are not NaN.
    indices : ndarray of int of shape (n_queries, n_neighbors)
        Rows of `Sample.searcher`; arbitrary where the distance is NaN.
    """

    distances: np.ndarray
    counts: np.ndarray
    indices: np.ndarray


class Sample(NamedTuple):
    """The distinct points of a data set.

    Parameters
    ----------
    searcher : NeighborIndex
        Searches the distinct points.
    rows : ndarray of int of shape (n_distinct,)
        Row of the data set that each of them is.
    inverse : ndarray of int of shape (n_samples,)
        Distinct point that each row of the data set equals.
    """

    searcher: NeighborIndex
    rows: np.ndarray
    inverse: np.ndarray


def distinct_sample(X, metric="euclidean", metric_params=None) -> Sample:
    """Validate data and build the search among its distinct points.

    Repeated points say nothing on the dimension of a continuous distribution, and
    their distances of 0 have no logarithm. A sparse distance graph stays as it is.
    """
    index = NeighborIndex.build(X, metric=metric, metric_params=metric_params)
    if index.stores_graph:
        rows = np.arange(index.n_samples)
        return Sample(index, rows, rows)
    if is_precomputed(metric):
        first = _first_at_zero(index.points)
    else:
        first = _first_equal(index.points.reshape(index.n_samples, -1))
    rows, inverse = np.unique(first, return_inverse=True)
    if isinstance(metric, str) and metric in ("seuclidean", "mahalanobis"):
        metric_params = _params_of_sample(index.points[rows], metric, metric_params)
        index = replace(index, metric_params=metric_params)
    if rows.size < index.n_samples:
        if is_precomputed(metric):
            index = NeighborIndex(index.points[np.ix_(rows, rows)], metric)
        else:
            points, tree = index.points[rows], index.tree
            if tree is not None:
                tree = type(tree)(points)
            index = NeighborIndex(points, metric, metric_params, tree)
    return Sample(index, rows, inverse.reshape(-1))


def _params_of_sample(points, metric, metric_params):
    """Complete the parameters of a metric that takes them from the data.

    scikit-learn would take them from whatever rows one search compares.
    """
    params = dict(metric_params or {})
    if params or points.shape[0] < 2:
        return params
    if metric == "seuclidean":
        V = points.var(axis=0, ddof=1)
        params["V"] = np.where(V > 0.0, V, 1.0)  # constant features have no distance
    else:
        V = np.atleast_2d(np.cov(points, rowvar=False))
        params["VI"] = np.linalg.pinv(V, hermitian=True)
    return params


def _first_at_zero(D):
    """Return for every row the first row at distance 0 from it, or itself."""
    first = np.arange(D.shape[0])
    for block, values in row_blocks(D):
        local = np.arange(values.shape[0])
        values[local, local + block.start] = 0.0
        first[block] = np.argmax(values == 0.0, axis=1)
    return first[first]  # zero distances may fail to be transitive by round-off


def _first_equal(X):
    """Return for every row the first row that equals it."""
    first = np.arange(X.shape[0])
    order = np.argsort(X[:, 0], kind="stable")
    tie = np.diff(X[order, 0]) == 0.0
    tied = np.sort(order[np.append(tie, False) | np.append(False, tie)])
    if tied.size:
        rows = np.ascontiguousarray(X[tied]) + 0.0  # -0.0 becomes 0.0
        keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
        _, start, inverse = np.unique(keys, return_index=True, return_inverse=True)
        first[tied] = tied[start[inverse.reshape(-1)]]
    return first


def check_k(n_neighbors, sample, queries) -> int:
    """Validate the number of neighbours and clip it to what there is."""
    check_count("n_neighbors", n_neighbors, MIN_NEIGHBORS)
    return check_n_neighbors(
        n_neighbors, sample.searcher.n_samples, skip_self=queries is None
    )


def search(
    sample: Sample, queries, k: int, n_jobs=None
) -> Iterator[tuple[slice, Neighborhoods]]:
    """Yield the k nearest points at positive distance, block by block of queries.

    The queries are the distinct points themselves if `queries` is None. A query
    that equals a point of the sample is not its own neighbour.
    """
    index = sample.searcher
    if queries is None and index.tree is None:
        # Distances to itself may be round-off here: it is left out by its index.
        found = index.neighbors(k, n_jobs=n_jobs)
        yield slice(0, index.n_samples), _positive(*found, k)
        return
    points = index.points if queries is None else queries
    most = min(k + 1, index.n_samples)
    for start in range(0, points.shape[0], BLOCK):
        block = slice(start, min(start + BLOCK, points.shape[0]))
        found = index.query(points[block], most, n_jobs=n_jobs)
        yield block, _positive(*found, k)


def _positive(distances, indices, k):
    """Shift the distances of 0 out of sorted rows and keep the k that follow."""
    n_zeros = np.count_nonzero(distances == 0.0, axis=1)
    columns = n_zeros[:, None] + np.arange(min(k, distances.shape[1]))
    beyond = columns >= distances.shape[1]
    np.minimum(columns, distances.shape[1] - 1, out=columns)
    distances = np.take_along_axis(distances, columns, axis=1)
    distances[beyond] = np.nan
    indices = np.take_along_axis(indices, columns, axis=1)
    return Neighborhoods(distances, np.count_nonzero(~beyond, axis=1), indices)


def log_ratios(sample: Sample, n_jobs=None) -> np.ndarray:
    """Return ln(second / first distance) for each distinct point, NaN if unknown."""
    values = np.empty(sample.searcher.n_samples)
    for block, found in search(sample, None, 2, n_jobs):
        values[block] = np.log(found.distances[:, 1] / found.distances[:, 0])
    return values


def check_queries(sample: Sample, queries):
    """Validate queries against the sample; None stays None."""
    if queries is None:
        return None
    if is_precomputed(sample.searcher.metric) and not sample.searcher.stores_graph:
        queries = np.asarray(queries)
        if queries.ndim == 2 and queries.shape[1] == sample.inverse.size:
            queries = queries[:, sample.rows]
    return sample.searcher.check_queries(queries)


def warn_undefined(values, reason) -> None:
    """Warn once of the NaN among the values of the queries."""
    n_missing = int(np.count_nonzero(np.isnan(values)))
    if n_missing:
        first = int(np.argmax(np.isnan(values)))
        warnings.warn(
            f"{n_missing} of {values.size} points have no estimate (NaN), the first "
            f"is {first}: {reason}",
            UserWarning,
            stacklevel=3,
        )
