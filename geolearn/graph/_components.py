"""Connected components of a graph, and the shortest edges that join them."""

from functools import partial

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from geolearn.graph._laplacian import check_affinity
from geolearn.graph._neighbors import suits_tree
from geolearn.graph._precomputed import check_distances, is_precomputed, row_blocks
from geolearn.metrics import pairwise_distances_blocks
from geolearn.metrics._resolve import resolve_metric

# Weight of an added edge: what the alpha-decay kernel gives to a point at
# exactly one bandwidth.
_BRIDGE_WEIGHT = np.exp(-1.0)
# Components up to this size are left behind by a search of size + 1 neighbours.
_MAX_SMALL = 64


def connected_components(W) -> tuple[int, np.ndarray]:
    """Label the connected components of a graph.

    Parameters
    ----------
    W : array-like or sparse matrix of shape (n_samples, n_samples)
        Affinity; a non-zero entry is an edge in both directions.

    Returns
    -------
    n_components : int
        Number of components; an isolated node is one.
    labels : ndarray of int, shape (n_samples,)
        Component of every node, numbered in the order of their first nodes.

    Examples
    --------
    >>> from geolearn.graph import connected_components
    >>> n_components, labels = connected_components(
    ...     [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    ... )
    >>> n_components, labels
    (2, array([0, 1, 0]))
    """
    W = sparse.csr_array(W)
    n_components, labels = csgraph.connected_components(W, directed=False)
    # SciPy promises no order: number them by first node.
    _, first = np.unique(labels, return_index=True)
    rank = np.empty(n_components, dtype=np.intp)
    rank[np.argsort(first)] = np.arange(n_components)
    return int(n_components), rank[labels]


def connect_components(
    W, labels, X, *, metric="euclidean", metric_params=None, n_jobs=None
) -> sparse.csr_array:
    """Join the components of a graph by their shortest connecting edges.

    The added edges form a minimum spanning tree over the components, where the
    distance of two components is that of their nearest members; each gets the
    weight exp(-1), which the alpha-decay kernel gives at one bandwidth. Memory
    stays bounded: a KD-tree serves Euclidean points of at most 10 features, others
    are compared in blocks, and the largest component is never searched from.

    Parameters
    ----------
    W : array-like or sparse matrix of shape (n_samples, n_samples)
        Symmetric non-negative affinity.
    labels : array-like of int of shape (n_samples,) or None
        Components to join; None finds those of `W`.
    X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
        Points, or their distances when `metric` is "precomputed".
    metric : str, callable or Manifold, default="euclidean"
        Distance between rows of `X`, as in `geolearn.metrics`, or "precomputed".
    metric_params : dict, default=None
        Further arguments of the metric.
    n_jobs : int, default=None
        Number of threads; None means 1.

    Returns
    -------
    W : csr_array of shape (n_samples, n_samples)
        Connected affinity with ``n_components - 1`` more edges.

    Raises
    ------
    ValueError
        If the shapes of `W`, `X` and `labels` disagree, if precomputed distances
        are sparse, or if two components are infinitely far apart.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import connect_components
    >>> X = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> W = np.zeros((4, 4))
    >>> W[0, 1] = W[1, 0] = W[2, 3] = W[3, 2] = 1.0
    >>> connect_components(W, None, X).toarray().round(2)
    array([[0.  , 1.  , 0.  , 0.  ],
           [1.  , 0.  , 0.37, 0.  ],
           [0.  , 0.37, 0.  , 1.  ],
           [0.  , 0.  , 1.  , 0.  ]])
    """
    W = check_affinity(W)
    n = W.shape[0]
    if sparse.issparse(X):
        raise ValueError(
            "connect_components needs distances between components, which a sparse "
            "distance graph does not hold; pass the points or dense distances."
        )
    if is_precomputed(metric):
        X = check_distances(X)
    else:
        X = resolve_metric(metric, metric_params).validate(X, None)[0]
    labels = connected_components(W)[1] if labels is None else np.asarray(labels)
    if X.shape[0] != n or labels.shape != (n,):
        raise ValueError(
            f"W has {n} nodes, but X has {X.shape[0]} rows and labels have shape "
            f"{labels.shape}."
        )
    edges: list[tuple[int, int]] = []
    labels = np.unique(labels, return_inverse=True)[1]
    search = _search_tree
    if not suits_tree(X, metric, metric_params):
        search = partial(
            _search_blocks, metric=metric, metric_params=metric_params, n_jobs=n_jobs
        )
    while labels.max(initial=0) > 0:
        candidates = _shortest_exits(X, labels, search)
        labels = _merge(labels, candidates, edges)
    if not edges:
        return W
    i, j = np.array(edges).T
    weights = np.full(i.size, _BRIDGE_WEIGHT)
    bridges = sparse.coo_array((weights, (i, j)), shape=W.shape)
    return check_affinity(W + bridges + bridges.T)


def _shortest_exits(X, labels, search):
    """Return the shortest edge (i, j), i < j, out of each smaller component."""
    rows = np.flatnonzero(labels != np.argmax(np.bincount(labels)))
    lengths, nearest = search(X, labels, rows)
    if not np.isfinite(lengths).any():
        raise ValueError("The components are infinitely far apart: no edge joins them.")
    # Ties broken by the pair of indices, the same from both ends of an edge.
    low, high = np.minimum(rows, nearest), np.maximum(rows, nearest)
    order = np.lexsort((high, low, lengths))
    _, first = np.unique(labels[rows][order], return_index=True)
    chosen = order[np.sort(first)]
    chosen = chosen[np.isfinite(lengths[chosen])]
    return list(zip(low[chosen].tolist(), high[chosen].tolist(), strict=True))


def _search_tree(X, labels, rows):
    """Find the nearest point of another component for Euclidean points."""
    lengths = np.empty(rows.size)
    nearest = np.empty(rows.size, dtype=np.intp)
    own = labels[rows]
    sizes = np.bincount(labels)
    # Of size + 1 neighbours (with itself) one at least is in another component.
    small = np.flatnonzero(sizes[own] <= _MAX_SMALL)
    if small.size:
        k = int(sizes[own[small]].max()) + 1
        gaps, found = cKDTree(X).query(X[rows[small]], k)
        first = (labels[found] != own[small, None]).argmax(axis=1)
        at = np.arange(small.size)
        lengths[small], nearest[small] = gaps[at, first], found[at, first]
    for component in np.unique(own[sizes[own] > _MAX_SMALL]):
        members = np.flatnonzero(own == component)
        others = np.flatnonzero(labels != component)
        gaps, found = cKDTree(X[others]).query(X[rows[members]])
        lengths[members], nearest[members] = gaps, others[found]
    return lengths, nearest


def _search_blocks(X, labels, rows, metric, metric_params, n_jobs):
    """Find the nearest point of another component by comparing with all points."""
    lengths = np.empty(rows.size)
    nearest = np.empty(rows.size, dtype=np.intp)
    for block, D in _blocks(X, rows, metric, metric_params, n_jobs):
        D[labels[rows[block], None] == labels[None, :]] = np.inf
        nearest[block] = D.argmin(axis=1)
        lengths[block] = D[np.arange(D.shape[0]), nearest[block]]
    return lengths, nearest


def _blocks(X, rows, metric, metric_params, n_jobs):
    if is_precomputed(metric):
        return row_blocks(X, rows)
    return pairwise_distances_blocks(
        X[rows], X, metric, metric_params=metric_params, n_jobs=n_jobs
    )


def _merge(labels, candidates, edges):
    """Append the candidates, shortest first, that close no cycle; relabel."""
    parent = np.arange(labels.max() + 1)

    def root(c):
        while parent[c] != c:
            parent[c] = parent[parent[c]]
            c = parent[c]
        return c

    for i, j in candidates:
        a, b = root(labels[i]), root(labels[j])
        if a != b:
            parent[max(a, b)] = min(a, b)
            edges.append((i, j))
    roots = np.array([root(c) for c in range(parent.size)])
    return np.unique(roots[labels], return_inverse=True)[1]


__all__ = ["connect_components", "connected_components"]
