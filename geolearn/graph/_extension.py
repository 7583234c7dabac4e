"""Weights of new points on the points of an alpha-decay graph."""

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from geolearn.graph._affinity import check_kernel, decay_kernel, reach
from geolearn.graph._neighbors import NeighborIndex, check_n_neighbors
from geolearn.graph._precomputed import sort_rows

# Points whose bandwidths differ by at most this factor share a tree.
_BAND = np.sqrt(2.0)


def alpha_decay_weights(
    X,
    index,
    bandwidths,
    n_neighbors=10,
    *,
    decay=40.0,
    threshold=1e-4,
    n_jobs=None,
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    r"""Weight the training points for new points, as the alpha-decay graph does.

    With :math:`\varepsilon_x` the distance of a query x to its k-th nearest
    training point,

    .. math::

        w_{xj} = \tfrac12 \bigl(e^{-(d(x, x_j) / \varepsilon_x)^\alpha}
        + e^{-(d(x, x_j) / \varepsilon_j)^\alpha}\bigr), \qquad
        \pi_{xj} = w_{xj} / \textstyle\sum_l w_{xl},

    both halves and their mean dropped below the threshold. A query that coincides
    with training points has equal weights on these and none elsewhere.

    Parameters
    ----------
    X : array-like of shape (n_queries, n_features) or (n_queries, n_samples)
        New points, or their distances to the training points if the index is over
        precomputed distances.
    index : NeighborIndex
        Index over the training points.
    bandwidths : ndarray of shape (n_samples,)
        Bandwidths of the training points, from `alpha_decay_affinity`.
    n_neighbors : int, default=10
        Number k of neighbours, as in the training graph.
    decay : float, default=40.0
        Exponent :math:`\alpha`, as in the training graph.
    threshold : float, default=1e-4
        Smallest weight in [0, exp(-1)/2], as in the training graph.
    n_jobs : int, default=None
        Number of threads; None means 1.

    Returns
    -------
    weights : csr_array of shape (n_queries, n_samples)
        The :math:`\pi_{xj}`: non-negative rows of sum 1. No row is empty: the
        nearest training point lies within :math:`\varepsilon_x`, so that it has
        :math:`w \ge e^{-1}/2`, the largest threshold allowed.
    query_bandwidths : ndarray of shape (n_queries,)
        The :math:`\varepsilon_x`; 0 if x coincides with k training points.
    neighbors : ndarray of int of shape (n_queries, n_neighbors)
        The k nearest training points of each query.

    Raises
    ------
    ValueError
        If `X` does not fit the index or a parameter is out of range.

    Notes
    -----
    The search is exact and row by row: the weights of a query do not depend on
    the other queries. A query far outside the data sees many training points at
    nearly the same distance, hence weights them all.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import NeighborIndex, alpha_decay_weights
    >>> index = NeighborIndex.build(np.array([[0.0], [1.0], [3.0]]))
    >>> weights, query_bandwidths, _ = alpha_decay_weights(
    ...     [[1.0], [2.0]], index, np.array([1.0, 1.0, 2.0]), n_neighbors=2
    ... )
    >>> weights.toarray().round(3)
    array([[0.  , 1.  , 0.  ],
           [0.  , 0.35, 0.65]])
    >>> query_bandwidths
    array([1., 1.])
    """
    check_kernel(decay, threshold)
    X = index.check_queries(X)
    bandwidths = np.asarray(bandwidths, dtype=np.float64)
    if bandwidths.shape != (index.n_samples,):
        raise ValueError(
            f"bandwidths must have shape ({index.n_samples},), got {bandwidths.shape}."
        )
    k = check_n_neighbors(n_neighbors, index.n_samples, skip_self=False)
    ratio = reach(decay, threshold)
    if index.tree is not None and np.isfinite(ratio):
        found = _tree_pairs(X, index, bandwidths, k, ratio, n_jobs)
    else:
        found = _block_pairs(X, index, bandwidths, k, ratio, n_jobs)
    rows, columns, distances, query_bandwidths, neighbors = found
    with np.errstate(divide="ignore", invalid="ignore"):  # coincident: see below
        near = decay_kernel(distances, query_bandwidths[rows], decay, threshold)
    weights = near + decay_kernel(distances, bandwidths[columns], decay, threshold)
    weights *= 0.5
    weights[weights < threshold] = 0.0
    coincident = distances == 0
    touched = np.zeros(X.shape[0], dtype=bool)
    touched[rows[coincident]] = True
    weights = np.where(touched[rows], coincident, weights)
    pi = sparse.csr_array(
        (weights, (rows, columns)), shape=(X.shape[0], index.n_samples)
    )
    pi.eliminate_zeros()
    pi.sort_indices()
    sums = np.asarray(pi.sum(axis=1)).ravel()
    pi.data /= np.repeat(sums, np.diff(pi.indptr))
    return pi, query_bandwidths, neighbors


def _block_pairs(X, index, bandwidths, k, ratio, n_jobs):
    """Compare all pairs in blocks; return those that may have a weight."""
    parts = []
    query_bandwidths = np.empty(X.shape[0])
    neighbors = np.empty((X.shape[0], k), dtype=np.intp)
    for block, D in index.blocks(X, n_jobs):
        nearest = np.argpartition(D, k - 1, axis=1)[:, :k]
        gaps, nearest = sort_rows(np.take_along_axis(D, nearest, axis=1), nearest)
        neighbors[block], query_bandwidths[block] = nearest, gaps[:, -1]
        farthest = np.maximum(gaps[:, -1:], bandwidths[None, :]) * ratio
        own, columns = np.nonzero(farthest >= D)
        parts.append((own + block.start, columns, D[own, columns]))
    rows, columns, distances = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    return rows, columns, distances, query_bandwidths, neighbors


def _tree_pairs(X, index, bandwidths, k, ratio, n_jobs):
    """Search one tree for each band of similar bandwidths, so that radii are tight."""
    distances, neighbors = index.query(X, k, n_jobs=n_jobs)
    query_bandwidths = distances[:, -1].copy()
    band = np.floor(np.log(bandwidths / bandwidths.min()) / np.log(_BAND))
    parts = []
    for value in np.unique(band):
        members = np.flatnonzero(band == value)
        points = index.points[members]
        part = NeighborIndex(points, index.metric, index.metric_params, cKDTree(points))
        radii = np.maximum(query_bandwidths, bandwidths[members].max()) * ratio
        indptr, columns, gaps = part.within(radii, X=X, n_jobs=n_jobs)
        rows = np.repeat(np.arange(X.shape[0]), np.diff(indptr))
        columns = members[columns]
        limit = np.maximum(query_bandwidths[rows], bandwidths[columns]) * ratio
        kept = gaps <= limit
        parts.append((rows[kept], columns[kept], gaps[kept]))
    rows, columns, gaps = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, columns, gaps, query_bandwidths, neighbors


__all__ = ["alpha_decay_weights"]
