"""Nearest neighbours, exact or approximate, in any metric of geolearn."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from geolearn.graph._precomputed import (
    check_distances,
    dense_neighbors,
    is_precomputed,
    row_blocks,
    sort_rows,
    sparse_neighbors,
    without_self,
)
from geolearn.metrics import kneighbors, pairwise_distances_blocks
from geolearn.metrics._resolve import FlatMetric, KernelMetric, resolve_metric
from geolearn.utils._threads import resolve_threads

# A KD-tree visits a small part of the data up to about this dimension.
_MAX_TREE_FEATURES = 10
# "auto" searches exactly up to this size, where it takes seconds at most.
_MAX_EXACT_SAMPLES = 50_000
# Rows of one radius query: its result is held as Python integers.
_RADIUS_ROWS = 2048


def check_points(X, metric, metric_params=None) -> np.ndarray:
    """Validate the points of a metric: finite, float64, in its space."""
    return resolve_metric(metric, metric_params).validate(X, None)[0]


def is_euclidean(metric, metric_params=None) -> bool:
    """Tell whether `metric` is the plain Euclidean distance."""
    resolved = resolve_metric(metric, metric_params)
    return isinstance(resolved, KernelMetric) and resolved.metric.name == "euclidean"


def row_metric(metric, metric_params=None) -> dict:
    """Return the metric of what `check_points` returns, as keyword arguments.

    The points of a manifold with a flat chart become Euclidean coordinates.
    """
    if not is_precomputed(metric):
        resolved = resolve_metric(metric, metric_params)
        if isinstance(resolved, FlatMetric):
            return {"metric": "euclidean", "metric_params": None}
    return {"metric": metric, "metric_params": metric_params}


def suits_tree(X, metric, metric_params=None) -> bool:
    """Tell whether a KD-tree searches these points exactly and fast."""
    if is_precomputed(metric) or not is_euclidean(metric, metric_params):
        return False
    return X.shape[1] <= _MAX_TREE_FEATURES


def check_n_neighbors(n_neighbors, n_available, *, skip_self=True) -> int:
    """Validate the number of neighbours and clip it to what there is."""
    if not isinstance(n_neighbors, Integral) or n_neighbors < 1:
        raise ValueError(f"n_neighbors must be a positive int, got {n_neighbors!r}.")
    most = n_available - 1 if skip_self else n_available
    if most < 1:
        raise ValueError(f"Found {n_available} sample(s): no neighbours to search for.")
    if n_neighbors > most:
        warnings.warn(
            f"n_neighbors={n_neighbors} is more than the {most} other points there "
            f"are; n_neighbors={most} is used.",
            UserWarning,
            stacklevel=3,
        )
    return min(int(n_neighbors), most)


@dataclass(frozen=True, eq=False)
class NeighborIndex:
    """Search the rows of a data set exactly, now or after pickling.

    Build it with `NeighborIndex.build`. It holds arrays only (and a KD-tree for
    Euclidean data of at most 10 features), so it pickles without compiled code.
    What is found for a query does not depend on the other queries of the call.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_features) or csr_array
        Rows that are searched, or their precomputed distances.
    metric : str, callable or Manifold
        Distance between rows, or "precomputed".
    metric_params : dict or None
        Further arguments of the metric.
    tree : cKDTree or None
        Tree over `points`; None compares with all points.
    """

    points: Any
    metric: Any = "euclidean"
    metric_params: dict | None = None
    tree: cKDTree | None = None

    @classmethod
    def build(cls, X, *, metric="euclidean", metric_params=None) -> "NeighborIndex":
        """Validate data and build the structure that searches them.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...) or (n_samples, n_samples)
            Rows or other points of a manifold to search, or their distances if
            `metric` is "precomputed": a square matrix, or a sparse graph of the
            distances to the nearest points as
            `sklearn.neighbors.kneighbors_graph` returns with ``mode="distance"``.
        metric : str, callable or Manifold, default="euclidean"
            Distance between rows, as in `geolearn.metrics`, or "precomputed".
        metric_params : dict, default=None
            Further arguments of the metric.

        Returns
        -------
        index : NeighborIndex
            Searchable structure.
        """
        if is_precomputed(metric):
            D = check_distances(X)
            return cls(without_self(D) if sparse.issparse(D) else D, metric)
        X = check_points(X, metric, metric_params)
        tree = cKDTree(X) if suits_tree(X, metric, metric_params) else None
        return cls(X, metric, metric_params, tree)

    @property
    def n_samples(self) -> int:
        """Number of rows that are searched."""
        return self.points.shape[0]

    @property
    def stores_graph(self) -> bool:
        """Whether only a sparse distance graph is known."""
        return sparse.issparse(self.points)

    def neighbors(self, n_neighbors, *, n_jobs=None) -> tuple[np.ndarray, np.ndarray]:
        """Find the nearest other rows of every row.

        Parameters
        ----------
        n_neighbors : int
            Number of neighbours, less than `n_samples`.
        n_jobs : int, default=None
            Number of threads; None means 1.

        Returns
        -------
        distances : ndarray of shape (n_samples, n_neighbors)
            Distances in increasing order.
        indices : ndarray of shape (n_samples, n_neighbors)
            Neighbours; the row itself is left out by index, so that a duplicate
            of it is a neighbour at distance 0.
        """
        if self.tree is not None:
            return self._tree_neighbors(n_neighbors, n_jobs)
        if self.stores_graph:
            return sparse_neighbors(self.points, n_neighbors)
        if is_precomputed(self.metric):
            return dense_neighbors(self.points, n_neighbors, skip_self=True)
        return kneighbors(
            self.points, n_neighbors=n_neighbors, n_jobs=n_jobs, **self._row_metric
        )

    @property
    def _row_metric(self):
        return row_metric(self.metric, self.metric_params)

    def _tree_neighbors(self, k, n_jobs):
        distances, indices = self.tree.query(
            self.points, np.arange(1, k + 2), workers=resolve_threads(n_jobs)
        )
        others = indices != np.arange(self.n_samples)[:, None]
        # Among more than k duplicates the row itself may be missing.
        others[others.all(axis=1), -1] = False
        shape = self.n_samples, k
        return sort_rows(
            distances[others].reshape(shape), indices[others].reshape(shape)
        )

    def query(self, X, n_neighbors, *, n_jobs=None) -> tuple[np.ndarray, np.ndarray]:
        """Find the rows nearest to new points.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_samples)
            New points, or their distances to the indexed rows.
        n_neighbors : int
            Number of neighbours, at most `n_samples`.
        n_jobs : int, default=None
            Number of threads; None means 1.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors)
            Distances in increasing order.
        indices : ndarray of shape (n_queries, n_neighbors)
            Indexed rows.
        """
        X = self.check_queries(X)
        if self.tree is not None:
            found = self.tree.query(
                X, np.arange(1, n_neighbors + 1), workers=resolve_threads(n_jobs)
            )
            return sort_rows(*found)
        if is_precomputed(self.metric):
            return dense_neighbors(X, n_neighbors, skip_self=False)
        return kneighbors(
            X, self.points, n_neighbors, n_jobs=n_jobs, **self._row_metric
        )

    def check_queries(self, X) -> np.ndarray:
        """Validate new points against the indexed ones.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_samples)
            New points, or their distances to the indexed rows.

        Returns
        -------
        X : ndarray of float64
            The same, C-contiguous.
        """
        if self.stores_graph:
            raise ValueError(
                "New points cannot be compared with a sparse distance graph; fit on "
                "points or on dense distances."
            )
        if is_precomputed(self.metric):
            X, unit = check_distances(X, square=False), "distances"
        else:
            X, unit = check_points(X, self.metric, self.metric_params), "features"
        if X.shape[1:] != self.points.shape[1:]:
            raise ValueError(
                f"Queries have {X.shape[1:]} {unit}, the indexed points "
                f"{self.points.shape[1:]}."
            )
        return X

    def within(
        self, radii, *, X=None, rows=None, n_jobs=None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find all rows within a radius of each query, in CSR layout.

        Parameters
        ----------
        radii : ndarray of shape (n_queries,)
            Largest distance for each query, inclusive.
        X : ndarray of shape (n_queries, n_features), default=None
            Points as returned by `check_queries`. None searches from indexed
            rows, each of which is not its own neighbour.
        rows : ndarray of int of shape (n_queries,), default=None
            Indexed rows to search from when `X` is None; None means all.
        n_jobs : int, default=None
            Number of threads; None means 1.

        Returns
        -------
        indptr : ndarray of shape (n_queries + 1,)
            ``indices[indptr[i]:indptr[i + 1]]`` belong to query i.
        indices : ndarray of shape (n_found,)
            Rows found, increasing within a query.
        distances : ndarray of shape (n_found,)
            Their distances.
        """
        if X is None and rows is None:
            rows = np.arange(self.n_samples)
        counts, indices, distances = [], [], []
        for block, own, columns, lengths in self._hits(radii, X, rows, n_jobs):
            if X is None:
                others = rows[block][own] != columns
                own, columns, lengths = own[others], columns[others], lengths[others]
            counts.append(np.bincount(own, minlength=block.stop - block.start))
            indices.append(columns)
            distances.append(lengths)
        return (
            np.cumsum(np.concatenate([[0], *counts])).astype(np.intp),
            np.concatenate([np.empty(0, dtype=np.intp), *indices]),
            np.concatenate([np.empty(0), *distances]),
        )

    def blocks(self, X, n_jobs=None) -> Iterator[tuple[slice, np.ndarray]]:
        """Compute the distances of new points to all indexed rows in blocks.

        Parameters
        ----------
        X : ndarray of shape (n_queries, n_features) or (n_queries, n_samples)
            Points as returned by `check_queries`.
        n_jobs : int, default=None
            Number of threads; None means 1.

        Yields
        ------
        block : slice
            Queries of the block.
        D : ndarray of shape (n_block, n_samples)
            Their distances, which may be overwritten.
        """
        if is_precomputed(self.metric):
            yield from row_blocks(X)
            return
        yield from pairwise_distances_blocks(
            X, self.points, n_jobs=n_jobs, **self._row_metric
        )

    def _hits(self, radii, X, rows, n_jobs):
        """Yield (block, query within block, found row, distance), queries sorted."""
        if self.stores_graph:
            yield from _graph_hits(self.points, radii, rows)
            return
        if self.tree is not None:
            queries = self.points[rows] if X is None else X
            yield from self._tree_hits(queries, radii, n_jobs)
            return
        if X is None and is_precomputed(self.metric):
            blocks = row_blocks(self.points, rows)
        else:
            blocks = self.blocks(self.points[rows] if X is None else X, n_jobs)
        for block, D in blocks:
            own, columns = np.nonzero(radii[block, None] >= D)
            yield block, own, columns, D[own, columns]

    def _tree_hits(self, queries, radii, n_jobs):
        workers = resolve_threads(n_jobs)
        for start in range(0, queries.shape[0], _RADIUS_ROWS):
            block = slice(start, min(start + _RADIUS_ROWS, queries.shape[0]))
            found = self.tree.query_ball_point(
                queries[block], radii[block], workers=workers, return_sorted=True
            )
            sizes = np.array([len(hits) for hits in found])
            own = np.repeat(np.arange(sizes.size), sizes)
            columns = np.fromiter(chain.from_iterable(found), np.intp, own.size)
            gap = queries[block][own] - self.points[columns]
            yield block, own, columns, np.sqrt(np.einsum("ij,ij->i", gap, gap))


def _graph_hits(G, radii, rows):
    part = G[rows]
    own = np.repeat(np.arange(rows.size), np.diff(part.indptr))
    inside = part.data <= radii[own]
    yield (
        slice(0, rows.size),
        own[inside],
        part.indices[inside].astype(np.intp),
        part.data[inside],
    )


def use_approximate(method, X, metric, metric_params=None) -> bool:
    """Decide between exact and approximate neighbours of a table of points."""
    if method not in ("auto", "exact", "approximate"):
        raise ValueError(
            f"method must be 'auto', 'exact' or 'approximate', got {method!r}."
        )
    if is_precomputed(metric) or method == "exact":
        return False
    if method == "approximate":
        return True
    if X.shape[0] <= _MAX_EXACT_SAMPLES:
        return False
    return is_euclidean(metric, metric_params) and X.shape[1] > _MAX_TREE_FEATURES


def nearest_neighbors(
    X,
    n_neighbors,
    *,
    Y=None,
    metric="euclidean",
    metric_params=None,
    method="auto",
    random_state=None,
    n_jobs=None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of every row.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...) or (n_samples, n_samples)
        Points (rows, or matrices of a manifold such as `SPD`), or their distances
        if `metric` is "precomputed": a matrix, or a sparse graph of the distances
        to the nearest points as `sklearn.neighbors.kneighbors_graph` returns with
        ``mode="distance"`` (explicit zeros are distances of 0, missing entries are
        far).
    n_neighbors : int
        Number of neighbours, not counting the point itself.
    Y : array-like of shape (n_points, n_features), default=None
        Points to search. None searches `X` itself and leaves each row out of its
        own neighbours, by index: duplicates of it stay, at distance 0.
    metric : str, callable or Manifold, default="euclidean"
        Distance between rows, as in `geolearn.metrics`, or "precomputed".
    metric_params : dict, default=None
        Further arguments of the metric.
    method : {"auto", "exact", "approximate"}, default="auto"
        "exact" takes a KD-tree for Euclidean data of at most 10 features, else it
        compares all pairs in blocks. "approximate" takes candidates from
        pynndescent, which works in float32, and computes and sorts their
        distances anew in float64; it serves searches of `X` in itself. "auto" is
        approximate for Euclidean data of more than 50 000 rows and 10 features.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximate search. With an int the result is the same for any
        `n_jobs`.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all.

    Returns
    -------
    distances : ndarray of shape (n_samples, n_neighbors)
        Distances in increasing order.
    indices : ndarray of shape (n_samples, n_neighbors)
        Neighbours, ties in the order of their indices. Of points that tie for the
        last place a KD-tree keeps any, always the same.

    Raises
    ------
    ValueError
        If the data are not finite, precomputed distances are not square, negative
        or NaN, or a sparse graph holds fewer than `n_neighbors` entries in a row.

    Warns
    -----
    UserWarning
        If there are fewer than `n_neighbors` points to find; all are returned.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import nearest_neighbors
    >>> X = np.array([[0.0], [1.0], [3.0]])
    >>> distances, indices = nearest_neighbors(X, 1)
    >>> distances.ravel(), indices.ravel()
    (array([1., 1., 2.]), array([1, 0, 1]))
    """
    options = {"metric": metric, "metric_params": metric_params}
    if Y is not None:
        if is_precomputed(metric):
            raise ValueError("Y must be None when metric is 'precomputed'.")
        use_approximate(method, np.empty((0, 0)), metric)  # checks the name
        index = NeighborIndex.build(Y, **options)
        k = check_n_neighbors(n_neighbors, index.n_samples, skip_self=False)
        return index.query(X, k, n_jobs=n_jobs)
    if not is_precomputed(metric):
        X = check_points(X, metric, metric_params)
        options = row_metric(metric, metric_params)
    if use_approximate(method, X, metric, metric_params):
        from geolearn.graph._approximate import approximate_neighbors

        k = check_n_neighbors(n_neighbors, X.shape[0])
        return approximate_neighbors(
            X, k, random_state=random_state, n_jobs=n_jobs, **options
        )
    index = NeighborIndex.build(X, **options)
    k = check_n_neighbors(n_neighbors, index.n_samples)
    return index.neighbors(k, n_jobs=n_jobs)


__all__ = ["NeighborIndex", "nearest_neighbors"]
