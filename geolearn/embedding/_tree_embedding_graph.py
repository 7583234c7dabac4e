"""Weighted trees read from adjacency matrices and graphs."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

_ASYMMETRY = 1e-8  # tolerated between the two weights of an edge


class RootedTree(NamedTuple):
    """A tree in breadth-first order; siblings are neighbours in that order."""

    order: np.ndarray  # nodes, the root first
    parent: np.ndarray  # of each node, -1 for the root
    length: np.ndarray  # of the edge to the parent, 0 for the root
    slot: np.ndarray  # place among the siblings, from 0
    n_children: np.ndarray
    level: np.ndarray  # number of edges from the root
    depth: np.ndarray  # sum of their lengths


def is_graph(X):
    """Tell whether `X` offers the interface of a networkx graph."""
    return callable(getattr(X, "edges", None)) and hasattr(X, "nodes")


def graph_adjacency(graph):
    """Return the weights of a networkx graph as an array; absent weights are 1.

    Edges of a directed graph stand in one direction, others in both.
    """
    index = {node: i for i, node in enumerate(graph)}
    edges = list(graph.edges(data="weight", default=1.0))
    rows = np.array([index[a] for a, _, _ in edges], dtype=np.intp)
    columns = np.array([index[b] for _, b, _ in edges], dtype=np.intp)
    weights = np.array([w for _, _, w in edges], dtype=np.float64)
    if np.unique(rows * len(index) + columns).size < rows.size:
        raise ValueError(
            "X has parallel edges; pass a simple graph, for example networkx.Graph(X)."
        )
    if not graph.is_directed():
        apart = rows != columns
        rows, columns, weights = (
            np.concatenate([rows, columns[apart]]),
            np.concatenate([columns, rows[apart]]),
            np.concatenate([weights, weights[apart]]),
        )
    shape = (len(index), len(index))
    return sparse.coo_array((weights, (rows, columns)), shape=shape).tocsr()


def read_edges(X):
    """Return the undirected edges (i, j, weight), i <= j, of a checked adjacency.

    An edge may be given in one direction or, with one weight, in both.
    """
    n = X.shape[0]
    if X.ndim != 2 or X.shape[1] != n:
        raise ValueError(
            f"X must be a square adjacency matrix (n_nodes, n_nodes); got shape "
            f"{X.shape}."
        )
    A = sparse.coo_array(X)
    rows, columns, weights = A.row.astype(np.intp), A.col.astype(np.intp), A.data
    wrong = np.flatnonzero(~(weights > 0.0))
    if wrong.size:
        k = wrong[0]
        kind = "Negative values in data: " if weights[k] < 0.0 else ""
        raise ValueError(
            f"{kind}X[{rows[k]}, {columns[k]}]={weights[k]:.3g}, but lengths of edges "
            "are positive. Contract edges of length 0; leave out what is no edge."
        )
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    by_pair = np.lexsort((high, low))
    low, high, weights = low[by_pair], high[by_pair], weights[by_pair]
    again = np.zeros(low.size, dtype=bool)
    again[1:] = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    second = np.flatnonzero(again)
    gap = np.abs(weights[second] - weights[second - 1])
    if gap.size and (gap > _ASYMMETRY * weights[second]).any():
        k = second[int(np.argmax(gap > _ASYMMETRY * weights[second]))]
        raise ValueError(
            f"X[{low[k]}, {high[k]}] and X[{high[k]}, {low[k]}] differ: "
            f"{weights[k - 1]:.6g} and {weights[k]:.6g}. Give each edge one length, in "
            "one direction or in both."
        )
    once = ~again
    return low[once], high[once], weights[once]


def spanning_tree(edges, n, root):
    """Return the breadth-first tree from the root; warn if edges are left out."""
    low, high, weights = edges
    A = sparse.coo_array((weights, (low, high)), shape=(n, n)).tocsr()
    A = A + A.T
    A.sort_indices()
    _raise_disconnected(A)  # loops may stay: no search walks them
    left_out = weights.size - (n - 1)
    if left_out:
        warnings.warn(
            f"The graph has cycles or loops: {left_out} of {weights.size} edges are "
            "not in the breadth-first tree that is embedded. Pass a spanning tree to "
            "choose.",
            UserWarning,
            stacklevel=4,
        )
    if root == "center":
        root = _center(_rooted(A, 0))
    return _rooted(A, root)


def _raise_disconnected(A):
    n_components, labels = csgraph.connected_components(A, directed=False)
    if n_components == 1:
        return
    sizes = np.bincount(labels)
    first = int(np.argmax(labels == sizes.argmax()))
    raise ValueError(
        f"The graph is not connected: it has {n_components} components, the largest "
        f"with {sizes.max()} of {labels.size} nodes. Embed that one: labels = "
        f"geolearn.graph.connected_components(X)[1]; keep = labels == labels[{first}]; "
        f"X = X[keep][:, keep]. Or join the components by edges."
    )


def _rooted(A, root):
    """Return the breadth-first tree of a connected graph with sorted indices."""
    n = A.shape[0]
    order, parent = csgraph.breadth_first_order(A, root, directed=False)
    order, parent = order.astype(np.intp), parent.astype(np.intp)
    parent[root] = -1
    above = parent[order[1:]]
    length = np.zeros(n)
    length[order[1:]] = A[above, order[1:]] if n > 1 else 0.0
    first = np.ones(n - 1, dtype=bool)
    first[1:] = above[1:] != above[:-1]
    place = np.arange(n - 1)
    slot = np.zeros(n, dtype=np.intp)
    slot[order[1:]] = place - np.maximum.accumulate(np.where(first, place, 0))
    level = np.zeros(n, dtype=np.intp)
    depth = np.zeros(n)
    for v in order[1:]:
        level[v] = level[parent[v]] + 1
        depth[v] = depth[parent[v]] + length[v]
    n_children = np.bincount(above, minlength=n)
    return RootedTree(order, parent, length, slot, n_children, level, depth)


def _center(tree):
    """Return the node whose farthest node is nearest, on a longest path."""
    n = tree.order.size
    inner = tree.order[1:]
    T = sparse.coo_array(
        (tree.length[inner], (tree.parent[inner], inner)), shape=(n, n)
    ).tocsr()
    first = int(tree.depth.argmax())
    from_first, before = csgraph.dijkstra(
        T, directed=False, indices=first, return_predecessors=True
    )
    node = int(from_first.argmax())
    total = from_first[node]
    best, radius = node, total
    while node != first:
        node = int(before[node])
        reach = max(from_first[node], total - from_first[node])
        if reach < radius:
            best, radius = node, reach
    return best
