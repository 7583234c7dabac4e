"""Sorted lists of neighbours, the radii of each query, and what annuli use of them."""

from typing import NamedTuple

import numpy as np

from geolearn.graph import NeighborIndex
from geolearn.graph._precomputed import is_precomputed
from geolearn.metrics import pairwise_distances
from geolearn.topology._euclidicity_input import FEWEST_NEIGHBORS
from geolearn.topology._euclidicity_kernels import count_and_mark
from geolearn.utils._tables import read_only

__all__ = ["AnnulusGrid", "Lists", "grid_lists", "levels"]

# A distance below this share of the largest of the list is 0: rounding of metrics
# that do not return exactly 0 for equal points.
_ZERO = 1e-12
# Beyond the largest radius, so that rounding in the search misses no point; the
# distances that it returns decide.
_MARGIN = 1e-9
_FARTHEST = 1e150  # squares of larger distances overflow
_TABLE_VALUES = 2**22  # distances in one table of a search by radius: 32 MiB


class AnnulusGrid(NamedTuple):
    """Hold what determines the annuli of a query."""

    n_neighbors: int
    radii: np.ndarray | None
    n_steps: int
    min_points: int
    max_points: int


class Lists(NamedTuple):
    """Hold, in CSR layout, the neighbours that the annuli of some queries use.

    Neighbours of a query are in increasing order of their distances.
    """

    indptr: np.ndarray  # (Q + 1,)
    distances: np.ndarray  # (n_used,)
    indices: np.ndarray  # (n_used,) rows of the sample
    priority: np.ndarray  # (n_used,) their places in the order of thinning
    inner: np.ndarray  # (Q, n_steps) radii
    outer: np.ndarray  # (Q, n_steps)
    counts: np.ndarray  # (Q, n_steps**2) points of each annulus, 0 for r >= s
    few: np.ndarray  # (Q,) whether there are too few distinct neighbours

    def part(self, rows: slice) -> "Lists":
        """Return the lists of a range of queries."""
        first, last = self.indptr[rows.start], self.indptr[rows.stop]
        return Lists(
            self.indptr[rows.start : rows.stop + 1] - first,
            self.distances[first:last],
            self.indices[first:last],
            self.priority[first:last],
            *(field[rows] for field in self[4:]),
        )


def levels(first, last, n_steps):
    """Return `n_steps` equidistant numbers for each pair, the last one exactly."""
    # As np.linspace, but each row is independent of the others to the last bit.
    step = (last - first) / max(n_steps - 1, 1)
    values = first[:, None] + np.arange(n_steps) * step[:, None]
    if n_steps > 1:
        values[:, -1] = last
    return values


def grid_lists(index, X, grid: AnnulusGrid, priority, n_jobs) -> Lists:
    """Search the sample; return what the annuli around the queries use.

    Parameters
    ----------
    index : NeighborIndex
        The sample.
    X : ndarray
        Queries.
    grid : AnnulusGrid
        Radii, and limits of the numbers of points.
    priority : ndarray of intp of shape (n_samples,)
        Random order of the sample: the first points of an annulus remain.
    n_jobs : int or None
        Number of threads of the search.

    Returns
    -------
    Lists
        Of all queries.
    """
    if grid.radii is None:
        indptr, distances, indices, few = _nearest(index, X, grid.n_neighbors, n_jobs)
        bounds = _radii_of_each(indptr, distances)
        bounds[few] = 0.0  # r = s everywhere: no annulus
        return _used(indptr, distances, indices, priority, bounds, few, grid)
    step = max(1, _TABLE_VALUES // index.n_samples)
    parts = []
    for start in range(0, X.shape[0], step):
        block = X[start : start + step]
        indptr, distances, indices = _within(index, block, grid.radii[3], n_jobs)
        bounds = np.tile(grid.radii, (block.shape[0], 1))
        few = np.zeros(block.shape[0], dtype=bool)
        parts.append(_used(indptr, distances, indices, priority, bounds, few, grid))
    shift = np.cumsum([0, *(part.indptr[-1] for part in parts)])
    indptr = [part.indptr[:-1] + s for part, s in zip(parts, shift[:-1], strict=True)]
    return Lists(
        np.concatenate([*indptr, shift[-1:]]).astype(np.intp),
        *(
            np.concatenate([part[i] for part in parts])
            for i in range(1, len(Lists._fields))
        ),
    )


def _used(indptr, distances, indices, priority, bounds, few, grid):
    """Keep of the lists what the annuli use after thinning."""
    inner = levels(bounds[:, 0], bounds[:, 1], grid.n_steps)
    outer = levels(bounds[:, 2], bounds[:, 3], grid.n_steps)
    counts = np.zeros((few.shape[0], grid.n_steps**2), dtype=np.intp)
    used = np.zeros(distances.shape[0], dtype=np.bool_)
    order = priority[indices]
    count_and_mark(
        *map(read_only, (indptr, distances, order, inner, outer)),
        *(grid.min_points, grid.max_points, counts, used),
    )
    kept = np.concatenate([[0], np.cumsum(used)])[indptr].astype(np.intp)
    listed = distances[used], indices[used], order[used]
    return Lists(kept, *listed, inner, outer, counts, few)


def _nearest(index, X, k, n_jobs):
    """Find the k nearest points at positive distance of each query, or all there are.

    Returns their CSR layout and the queries with too few distinct neighbours.
    """
    n_queries, n = X.shape[0], index.n_samples
    distances = np.full((n_queries, k), np.inf)
    indices = np.zeros((n_queries, k), dtype=np.intp)
    counts = np.zeros(n_queries, dtype=np.intp)
    open_rows, asked = np.arange(n_queries), min(k + 1, n)
    while open_rows.size:
        block = X if open_rows.size == n_queries else X[open_rows]  # spare a copy
        d, j = index.query(block, asked, n_jobs=n_jobs)
        positive = d > _ZERO * d[:, -1:]
        n_zero = asked - positive.sum(axis=1)
        done = (asked - n_zero >= k) | (asked == n)
        rows, zeros = open_rows[done], n_zero[done]
        take = np.minimum(zeros[:, None] + np.arange(k), asked - 1)
        distances[rows] = np.take_along_axis(d[done], take, axis=1)
        indices[rows] = np.take_along_axis(j[done], take, axis=1)
        counts[rows] = np.minimum(asked - zeros, k)
        open_rows, asked = open_rows[~done], min(2 * asked, n)
    few = _have_few(index, distances, indices, counts)
    listed = np.arange(k) < counts[:, None]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    return indptr, distances[listed], indices[listed], few


def _have_few(index, distances, indices, counts):
    """Tell for each query whether fewer than 4 of its neighbours are distinct."""
    k = distances.shape[1]
    steps = np.diff(distances, axis=1) > 0.0
    listed = np.arange(1, k) < counts[:, None]
    # Neighbours at different distances are distinct; others have to be compared.
    n_distinct = (counts > 0) + (steps & listed).sum(axis=1)
    for i in np.flatnonzero(n_distinct < min(FEWEST_NEIGHBORS, k + 1)):
        if counts[i] >= FEWEST_NEIGHBORS:
            D = local_distances(index, indices[i, : counts[i]])
            equal = np.tril(_ZERO * distances[i, counts[i] - 1] >= D, -1)
            n_distinct[i] = (~equal.any(axis=1)).sum()
    return n_distinct < FEWEST_NEIGHBORS


def local_distances(index: NeighborIndex, rows):
    """Return the distances between some rows of the sample."""
    if is_precomputed(index.metric):
        D = index.points[np.ix_(rows, rows)]
        D = np.triu(D, 1)
        return D + D.T
    return pairwise_distances(index.points[rows], metric=index.metric)


def _radii_of_each(indptr, distances):
    """Return r_min, r_max = s_min and s_max of each query from its neighbours."""
    counts = np.diff(indptr)
    # The reference counts the query among its k + 1 neighbours.
    middle = np.rint((counts + 1) / 3).astype(np.intp) + 1
    padded = np.append(distances, 0.0)
    first, last = indptr[:-1], indptr[1:]
    at = np.minimum(first + np.minimum(middle, counts) - 1, distances.size)
    r_min, split, s_max = padded[first], padded[at], padded[last - 1]
    return np.column_stack([r_min, split, split, s_max])


def _within(index, X, radius, n_jobs):
    """Find all points at positive distance up to a radius, sorted, in CSR layout."""
    reach = np.full(X.shape[0], min(radius * (1.0 + _MARGIN), _FARTHEST))
    indptr, indices, distances = index.within(reach, X=X, n_jobs=n_jobs)
    own = np.repeat(np.arange(X.shape[0]), np.diff(indptr))
    keep = distances > _ZERO * radius
    own, indices, distances = own[keep], indices[keep], distances[keep]
    order = np.lexsort((indices, distances, own))
    counts = np.bincount(own, minlength=X.shape[0])
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    return indptr, distances[order], indices[order].astype(np.intp)
