"""Exact minimum spanning trees without the table of all distances."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from geolearn.diagnostics._neighborhoods import Sample
from geolearn.graph._neighbors import NeighborIndex
from geolearn.graph._precomputed import dense_neighbors, is_precomputed

# Nearly all edges of the tree join points that are this near in rank.
_N_NEIGHBORS = 15
# Distances of a block of a precomputed table: 32 MiB.
_BLOCK_VALUES = 2**22


def spanning_tree_lengths(sample: Sample, n_jobs=None) -> np.ndarray:
    """Return the lengths of the edges of a minimum spanning tree.

    Boruvka's algorithm: every component takes its shortest edge to another one. The
    edge is read off lists of nearest neighbours. Where a list ends within its own
    component, it may hide a shorter edge; such components wait until others have
    grown around them, or are searched against all other points.
    """
    n = sample.searcher.n_samples
    k = min(_N_NEIGHBORS, n - 1)
    distances, neighbors = sample.searcher.neighbors(k, n_jobs=n_jobs)
    labels, lengths = np.arange(n), []
    n_components = n
    while n_components > 1:
        ends, sizes, bounds = _shortest_listed(distances, neighbors, labels)
        best, owners = _per_component(sizes, labels, n_components)
        hidden = _per_component(bounds, labels, n_components)[0]
        sure = best <= hidden
        if not sure.any():
            chosen = _cheapest(bounds < best[labels], labels, n_components)
            rows = np.flatnonzero((labels == chosen) & (bounds < best[chosen]))
            far, found = _outside(sample, labels != chosen, rows, n_jobs)
            nearest = int(np.argmin(far))
            if far[nearest] < best[chosen]:
                best[chosen], owners[chosen] = far[nearest], rows[nearest]
                ends[rows[nearest]] = found[nearest]
            sure[chosen] = True
        own = np.flatnonzero(sure)
        joined, added = _join(own, labels[ends[owners[own]]], best[own], n_components)
        lengths.append(added)
        labels = joined[labels]
        n_components = int(joined.max()) + 1
    return np.concatenate(lengths) if lengths else np.empty(0)


def _shortest_listed(distances, neighbors, labels):
    """Return the end and length of each point's first foreign edge.

    Where there is none in the list, the length is infinite, and the third array
    holds the last distance, below which no foreign edge can be; else it is infinite.
    """
    foreign = labels[neighbors] != labels[:, None]
    first = np.argmax(foreign, axis=1)
    rows = np.arange(labels.size)
    known = foreign[rows, first]
    sizes = np.where(known, distances[rows, first], np.inf)
    bounds = np.where(known, np.inf, distances[:, -1])
    return neighbors[rows, first].copy(), sizes, bounds


def _per_component(values, labels, n_components):
    """Return the smallest value of each component and the point that has it."""
    order = np.lexsort((values, labels))
    starts = np.searchsorted(labels[order], np.arange(n_components))
    return values[order[starts]], order[starts]


def _cheapest(open_points, labels, n_components):
    """Return the component with the fewest points whose list hides an edge."""
    return int(np.argmin(np.bincount(labels[open_points], minlength=n_components)))


def _outside(sample, outside, rows, n_jobs):
    """Return distance and index of the nearest of other points for some rows."""
    searcher, others = sample.searcher, np.flatnonzero(outside)
    if is_precomputed(searcher.metric):
        step = max(1, _BLOCK_VALUES // others.size)
        parts = [
            dense_neighbors(
                searcher.points[np.ix_(rows[i : i + step], others)], 1, skip_self=False
            )
            for i in range(0, rows.size, step)
        ]
        distances, found = (
            np.concatenate(part)[:, 0] for part in zip(*parts, strict=True)
        )
    else:
        points = searcher.points[others]
        tree = None if searcher.tree is None else cKDTree(points)
        index = NeighborIndex(points, searcher.metric, searcher.metric_params, tree)
        distances, found = index.query(searcher.points[rows], 1, n_jobs=n_jobs)
        distances, found = distances[:, 0], found[:, 0]
    return distances, others[found]


def _join(own, other, sizes, n_components):
    """Merge components along edges; return new labels and the lengths used.

    Equal lengths may close a cycle: a spanning forest of the edges drops one. Their
    ranks are its weights, since SciPy takes a weight of 0 for no edge.
    """
    low, high = np.minimum(own, other), np.maximum(own, other)
    order = np.lexsort((sizes, high, low))
    low, high, sizes = low[order], high[order], sizes[order]
    first = np.ones(low.size, dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    low, high, sizes = low[first], high[first], sizes[first]
    ascending = np.argsort(sizes, kind="stable")
    weights = np.empty(sizes.size)
    weights[ascending] = np.arange(1.0, sizes.size + 1.0)
    shape = (n_components, n_components)
    graph = sparse.csr_array((weights, (low, high)), shape=shape)
    forest = csgraph.minimum_spanning_tree(graph)
    _, joined = csgraph.connected_components(forest, directed=False)
    return joined, sizes[ascending[forest.data.astype(np.intp) - 1]]
