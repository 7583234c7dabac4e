"""How much an embedding stretches distances, and whether it keeps neighbours."""

import warnings

import numpy as np
from numba import prange, types

from geolearn.metrics._distance_table import check_distance_table, check_graph
from geolearn.utils._jit import POINTS, TABLE, first_class, kernel
from geolearn.utils._threads import numba_threads

_INDEX = types.Array(types.intp, 1, "C", readonly=True)
_VECTOR = types.float64[::1]


@kernel(parallel=True)
def _compare_rows(D, G, ignore_zero, out):
    """Fill out[i] with count, sum of errors, largest expansion and contraction.

    Of the pairs i < j; the other columns of `out` count true distances of zero.
    """
    n = D.shape[0]
    for i in prange(n):
        count = 0.0
        total = 0.0
        longest = 0.0
        shortest = np.inf
        zeros = 0.0
        for j in range(i + 1, n):
            d = D[i, j]
            g = G[i, j]
            if ignore_zero and d == 0.0:
                continue
            if g == 0.0:
                zeros += 1.0
                continue
            ratio = d / g
            count += 1.0
            total += abs(d - g) / g
            longest = max(longest, ratio)
            shortest = min(shortest, ratio)
        out[i, 0] = count
        out[i, 1] = total
        out[i, 2] = longest
        out[i, 3] = shortest
        out[i, 4] = zeros


@kernel(parallel=True)
def _precision_rows(D, indptr, indices, out):
    """Fill out[i] with the average precision of the neighbours of node i."""
    n = D.shape[0]
    for i in prange(n):
        first = indptr[i]
        degree = indptr[i + 1] - first
        near = np.empty(degree)
        for t in range(degree):
            near[t] = D[i, indices[first + t]]
        near = np.sort(near)
        ranked = np.sort(D[i])
        own = D[i, i]
        total = 0.0
        for t in range(degree):
            among = np.searchsorted(near, near[t], side="right")
            rank = np.searchsorted(ranked, near[t], side="right")
            if own <= near[t]:
                rank -= 1  # the node itself
            total += among / rank
        out[i] = total / max(degree, 1)


def _compare(D, G, ignore_zero, n_jobs):
    G = check_distance_table(G, "G")
    D = check_distance_table(D, "D", G.shape[0])
    if len(D) < 2:
        raise ValueError("D has one point, so no pair; pass at least two points.")
    out = np.empty((len(D), 5))
    with numba_threads(n_jobs):
        first_class(_compare_rows, POINTS, POINTS, types.boolean, TABLE)(
            D, G, bool(ignore_zero), out
        )
    n_zero = int(out[:, 4].sum())
    if n_zero:
        raise ValueError(
            f"G is zero for {n_zero} pairs of different points: distortion is relative "
            f"to the true distance. Merge duplicate points first."
        )
    if not out[:, 0].any():
        raise ValueError(
            "D is zero for all pairs and ignore_zero=True leaves none; the embedding "
            "has collapsed."
        )
    return out


def average_distortion(
    D, G, *, ignore_zero: bool = False, n_jobs: int | None = None
) -> float:
    r"""Average the relative error of distances over all pairs.

    The mean over i < j of \|D_ij - G_ij\| / G_ij: 0 for an isometry, 1 for a collapsed
    embedding. It depends on the scale of `D`.

    Parameters
    ----------
    D : array-like of shape (n, n)
        Distances of the embedding.
    G : array-like of shape (n, n)
        True distances, positive off the diagonal, in the same units.
    ignore_zero : bool, default=False
        Whether pairs with D_ij = 0 are left out, as some published figures do;
        otherwise they count with their error, 1.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. The result does not depend
        on it.

    Returns
    -------
    float
        Average distortion, not negative.

    Raises
    ------
    ValueError
        If a table is not one of finite symmetric distances, the tables differ in
        shape, or `G` is zero for two different points.

    See Also
    --------
    worst_case_distortion : Largest stretch times largest shrinkage.
    graph_map : Whether neighbours stay neighbours.

    References
    ----------
    .. [1] F. Sala, C. De Sa, A. Gu, C. Ré, "Representation tradeoffs for hyperbolic
       embeddings", ICML 2018, arXiv:1804.03329.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import average_distortion
    >>> G = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [2.0, 2.0, 0.0]])
    >>> average_distortion(1.5 * G, G)
    0.5
    """
    rows = _compare(D, G, ignore_zero, n_jobs)
    return float(rows[:, 1].sum() / rows[:, 0].sum())


def worst_case_distortion(
    D, G, *, ignore_zero: bool = False, n_jobs: int | None = None
) -> float:
    """Multiply the largest expansion of a distance by the largest contraction.

    The product of max(D_ij / G_ij) and max(G_ij / D_ij): 1 for an isometry up to
    scale, infinite if different points coincide.

    Parameters
    ----------
    D : array-like of shape (n, n)
        Distances of the embedding.
    G : array-like of shape (n, n)
        True distances, positive off the diagonal.
    ignore_zero : bool, default=False
        Whether pairs with D_ij = 0 are left out, as some published figures do.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. The result does not depend
        on it.

    Returns
    -------
    float
        Distortion, at least 1.

    Raises
    ------
    ValueError
        If a table is not one of finite symmetric distances, the tables differ in
        shape, or `G` is zero for two different points.

    See Also
    --------
    average_distortion : Mean relative error.

    References
    ----------
    .. [1] F. Sala, C. De Sa, A. Gu, C. Ré, "Representation tradeoffs for hyperbolic
       embeddings", ICML 2018, arXiv:1804.03329.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import worst_case_distortion
    >>> G = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [2.0, 2.0, 0.0]])
    >>> worst_case_distortion(1.5 * G, G)
    1.0
    >>> D = np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 2.0], [1.0, 2.0, 0.0]])
    >>> worst_case_distortion(D, G)
    4.0
    """
    rows = _compare(D, G, ignore_zero, n_jobs)
    shortest = float(rows[:, 3].min())
    if shortest == 0.0:
        return np.inf
    return float(rows[:, 2].max()) / shortest


def graph_map(D, graph, *, n_jobs: int | None = None) -> float:
    """Average over the nodes the precision with which neighbours are found [1]_.

    For a node a and each of its neighbours b, take the ball around a through b in the
    distances `D`: the precision is the share of neighbours of a among its nodes
    other than a. The mean over the neighbours b, then over the nodes a, is 1 if in
    `D` all neighbours of every node come before all other nodes.

    Parameters
    ----------
    D : array-like of shape (n, n)
        Distances of the embedding.
    graph : array-like or sparse matrix of shape (n, n)
        Undirected graph: non-zero entries, in one direction at least, are edges.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. The result does not depend
        on it.

    Returns
    -------
    float
        Mean average precision in (0, 1]. Nodes without a neighbour are left out, with
        a warning. Nodes at equal distance come together, so that a collapsed
        embedding is not rewarded.

    Raises
    ------
    ValueError
        If `D` is not a table of finite symmetric distances, the shapes differ, or
        there is no edge.

    See Also
    --------
    average_distortion : Mean relative error of the distances.

    References
    ----------
    .. [1] A. Gu, F. Sala, B. Gunel, C. Ré, "Learning mixed-curvature representations
       in product spaces", ICLR 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import graph_map
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> D = np.abs(x[:, None] - x)
    >>> path = np.eye(4, k=1)
    >>> graph_map(D, path)
    1.0
    >>> cycle = path + np.eye(4, k=3)
    >>> round(graph_map(D, cycle), 4)
    0.9167
    """
    D = check_distance_table(D, "D")
    edges = check_graph(graph, "graph", len(D))
    degrees = np.diff(edges.indptr)
    n_isolated = int(np.sum(degrees == 0))
    if n_isolated == len(D):
        raise ValueError("graph has no edge; pass the adjacency of a graph with edges.")
    if n_isolated:
        warnings.warn(
            f"{n_isolated} of {len(D)} nodes have no neighbour and were left out.",
            UserWarning,
            stacklevel=2,
        )
    out = np.empty(len(D))
    with numba_threads(n_jobs):
        first_class(_precision_rows, POINTS, _INDEX, _INDEX, _VECTOR)(
            D, edges.indptr.astype(np.intp), edges.indices.astype(np.intp), out
        )
    return float(out[degrees > 0].mean())
