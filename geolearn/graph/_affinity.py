"""Affinities with a kernel of the distance: alpha-decay and Gaussian."""

import numpy as np
from scipy import sparse

from geolearn.graph._laplacian import check_affinity
from geolearn.graph._neighbors import (
    NeighborIndex,
    check_n_neighbors,
    check_points,
    is_euclidean,
    nearest_neighbors,
    use_approximate,
)
from geolearn.graph._precomputed import is_precomputed

# Neighbours asked for beyond the k-th before rows are searched by radius: with
# decay=40 the radius is 1.057 bandwidths, which holds few further points.
_EXTRA_NEIGHBORS = 6
# Of approximate neighbours, k times as many are cheaper than exact searches.
_APPROXIMATE_FACTOR = 3
# A point at one bandwidth has a mean weight of at least exp(-1)/2. Above this
# threshold the graph would lose its own k-th neighbours.
LARGEST_THRESHOLD = float(np.exp(-1.0) / 2)
# The radius is widened by rounding; the threshold decides on the weight.
_RADIUS_SLACK = 1.0 + 1e-12
# Width of the kernel and size of the rescaled cloud in the Gaussian graph.
_GAUSSIAN_WIDTH = 0.1
_GAUSSIAN_SIZE = 10.0


def alpha_decay_affinity(
    X,
    n_neighbors=10,
    *,
    decay=40.0,
    threshold=1e-4,
    anisotropy=0.0,
    metric="euclidean",
    metric_params=None,
    knn_method="auto",
    random_state=None,
    n_jobs=None,
) -> tuple[sparse.csr_array, np.ndarray]:
    r"""Build the alpha-decay affinity, a kernel with adaptive bandwidths [1]_.

    With :math:`\varepsilon_i` the distance of :math:`x_i` to its k-th nearest
    other point,

    .. math::

        a_{ij} = \exp\bigl(-(d(x_i, x_j) / \varepsilon_i)^\alpha\bigr), \qquad
        K = (A + A^\top) / 2, \quad K_{ii} = 1,

    where entries of A and of K below the threshold are dropped. All points that
    pass the threshold are found, not only the k nearest. For large
    :math:`\alpha` this is nearly the unweighted graph of the k nearest neighbours.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
        Points without duplicate rows; or their distances if `metric` is
        "precomputed", dense or as a sparse graph of nearest neighbours, of which
        entries that are not stored count as far.
    n_neighbors : int, default=10
        Number k of neighbours, which sets the bandwidths.
    decay : float, default=40.0
        Exponent :math:`\alpha > 0`. Small values (2) reach far: up to
        :math:`(-\ln\theta)^{1/\alpha}` bandwidths.
    threshold : float, default=1e-4
        :math:`\theta` in [0, exp(-1)/2], below which a weight is dropped. 0 gives
        a dense matrix.
    anisotropy : float, default=0.0
        Exponent a in [0, 1] of the density correction
        :math:`K_{ij} / (q_i q_j)^a` with :math:`q_i = \sum_j K_{ij}` (diagonal
        included). 0 keeps the density in the graph, 1 removes it.
    metric : str, callable or Manifold, default="euclidean"
        Distance between rows, as in `geolearn.metrics`, or "precomputed".
    metric_params : dict, default=None
        Further arguments of the metric.
    knn_method : {"auto", "exact", "approximate"}, default="auto"
        Search of the neighbours, see `nearest_neighbors`.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximate search.
    n_jobs : int, default=None
        Number of threads; None means 1.

    Returns
    -------
    W : csr_array of shape (n_samples, n_samples)
        K without its diagonal: symmetric, with sorted indices.
    bandwidths : ndarray of shape (n_samples,)
        The :math:`\varepsilon_i`, in the units of the distance.

    Raises
    ------
    ValueError
        If a bandwidth is 0, that is if more than `n_neighbors` rows coincide, or
        if a parameter is out of range.

    See Also
    --------
    alpha_decay_weights : Weights of new points on the training points.

    Notes
    -----
    The second cut, of K, acts on the weights before the density correction, which
    is a cut of the corrected weights relative to :math:`\sqrt{K_{ii} K_{jj}}`. An
    absolute threshold on corrected weights, which are of the order of
    :math:`(2k)^{-2a}`, would empty the graph at large `n_neighbors`.

    References
    ----------
    .. [1] K. Moon et al., "Visualizing structure and transitions in
       high-dimensional biological data", Nature Biotechnology 37, 2019,
       doi:10.1038/s41587-019-0336-3.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import alpha_decay_affinity
    >>> X = np.array([[0.0], [1.0], [3.0], [6.0], [10.0], [15.0]])
    >>> W, bandwidths = alpha_decay_affinity(X, n_neighbors=2, decay=2)
    >>> bandwidths
    array([3., 2., 3., 4., 5., 9.])
    >>> W[[0]].toarray().round(4)
    array([[0.    , 0.8368, 0.3679, 0.0619, 0.0092, 0.0311]])
    """
    check_kernel(decay, threshold)
    if not 0 <= anisotropy <= 1:
        raise ValueError(f"anisotropy must lie in [0, 1], got {anisotropy!r}.")
    index = NeighborIndex.build(X, metric=metric, metric_params=metric_params)
    k = check_n_neighbors(n_neighbors, index.n_samples)
    first = _first_search(index, k, knn_method, random_state, n_jobs)
    bandwidths = first[0][:, k - 1].copy()
    _check_bandwidths(bandwidths, k)
    A = _directed_kernel(index, first, bandwidths, decay, threshold, n_jobs)
    K = sparse.csr_array(A + A.T) * 0.5
    kept = threshold <= K.data
    if anisotropy > 0:
        q = 1.0 + np.asarray(K.sum(axis=1)).ravel()
        scale = q**-anisotropy
        rows = np.repeat(np.arange(q.size), np.diff(K.indptr))
        K.data *= scale[rows] * scale[K.indices]
    K.data[~kept] = 0.0
    return check_affinity(K), bandwidths


def check_kernel(decay, threshold) -> None:
    """Validate the parameters of the alpha-decay kernel."""
    if not 0 < decay < np.inf:
        raise ValueError(f"decay must be positive and finite, got {decay!r}.")
    if not 0 <= threshold <= LARGEST_THRESHOLD:
        raise ValueError(
            f"threshold must lie in [0, exp(-1)/2 = {LARGEST_THRESHOLD:.3f}], above "
            f"which the graph loses its nearest neighbours; got {threshold!r}."
        )


def _check_bandwidths(bandwidths, k):
    zero = np.flatnonzero(bandwidths == 0)
    if zero.size:
        raise ValueError(
            f"{zero.size} bandwidth(s) are 0: row {zero[0]} coincides with "
            f"n_neighbors={k} or more other rows. Collapse identical rows first "
            "(np.unique(X, axis=0)), or raise n_neighbors."
        )


def reach(decay, threshold) -> float:
    """Return the search radius in bandwidths."""
    if threshold == 0:
        return np.inf
    return (-np.log(threshold)) ** (1.0 / decay) * _RADIUS_SLACK


def _first_search(index, k, knn_method, random_state, n_jobs):
    """Search k neighbours and some more, so that few rows need a radius."""
    most = index.n_samples - 1
    X, metric, params = index.points, index.metric, index.metric_params
    if use_approximate(knn_method, X, metric, params):
        return nearest_neighbors(
            X,
            min(max(k + _EXTRA_NEIGHBORS, _APPROXIMATE_FACTOR * k), most),
            metric=metric,
            metric_params=params,
            method="approximate",
            random_state=random_state,
            n_jobs=n_jobs,
        )
    if index.stores_graph:
        return index.neighbors(k)
    return index.neighbors(min(k + _EXTRA_NEIGHBORS, most), n_jobs=n_jobs)


def _directed_kernel(index, first, bandwidths, decay, threshold, n_jobs):
    """Return A, the kernel of each row with its own bandwidth, diagonal left out."""
    distances, indices = first
    n = index.n_samples
    radii = bandwidths * reach(decay, threshold)
    if index.stores_graph:
        short = np.ones(n, dtype=bool)
    else:
        short = (distances[:, -1] <= radii) & (distances.shape[1] < n - 1)
    inside = (distances <= radii[:, None]) & ~short[:, None]
    rows, columns = [np.nonzero(inside)[0]], [indices[inside]]
    lengths = [distances[inside]]
    if short.any():
        searched = np.flatnonzero(short)
        indptr, found, gaps = index.within(radii[short], rows=searched, n_jobs=n_jobs)
        rows.append(np.repeat(searched, np.diff(indptr)))
        columns.append(found)
        lengths.append(gaps)
    row = np.concatenate(rows)
    weights = decay_kernel(np.concatenate(lengths), bandwidths[row], decay, threshold)
    return sparse.csr_array((weights, (row, np.concatenate(columns))), shape=(n, n))


def decay_kernel(distances, bandwidths, decay, threshold) -> np.ndarray:
    """Return exp(-(d / eps)^decay), 0 where it is below the threshold."""
    with np.errstate(over="ignore", under="ignore"):  # far: the weight is 0
        weights = np.exp(-((distances / bandwidths) ** decay))
    weights[weights < threshold] = 0.0
    return weights


def gaussian_knn_affinity(
    X,
    n_neighbors=10,
    *,
    metric="euclidean",
    metric_params=None,
    knn_method="auto",
    random_state=None,
    n_jobs=None,
) -> sparse.csr_array:
    r"""Build a graph of nearest neighbours with one Gaussian width for all.

    The cloud is scaled to :math:`z = x\, n^{1/\min(d, 3)} / (10 R)` with R half the
    diagonal of its bounding box, so that the spacing of n points in at most three
    dimensions stays comparable; then :math:`w_{ij} = \exp(-\|z_i - z_j\|^2 / 0.1)`
    for j among the k nearest others of i, and :math:`W = (w + w^\top) / 2`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Points of a Euclidean space, not all equal.
    n_neighbors : int, default=10
        Number k of neighbours, not counting the point itself.
    metric : str, callable or Manifold, default="euclidean"
        Must be the Euclidean distance: the scale is that of a bounding box. Use
        `alpha_decay_affinity` for others.
    metric_params : dict, default=None
        Further arguments of the metric.
    knn_method : {"auto", "exact", "approximate"}, default="auto"
        Search of the neighbours, see `nearest_neighbors`.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximate search.
    n_jobs : int, default=None
        Number of threads; None means 1.

    Returns
    -------
    W : csr_array of shape (n_samples, n_samples)
        Symmetric affinity with empty diagonal and sorted indices. Weights that
        underflow are absent, so far outliers may be isolated.

    Raises
    ------
    ValueError
        If the metric is not Euclidean or all points coincide.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import gaussian_knn_affinity
    >>> W = gaussian_knn_affinity(np.array([[0.0], [1.0], [3.0]]), n_neighbors=1)
    >>> W.toarray().round(4)
    array([[0.    , 0.6703, 0.    ],
           [0.6703, 0.    , 0.1009],
           [0.    , 0.1009, 0.    ]])
    """
    if is_precomputed(metric) or not is_euclidean(metric, metric_params):
        raise ValueError(
            f"gaussian_knn_affinity needs Euclidean points, got metric={metric!r}; "
            "use alpha_decay_affinity, which takes any metric."
        )
    X = check_points(X, metric, metric_params)
    n, d = X.shape
    k = check_n_neighbors(n_neighbors, n)
    half_diagonal = 0.5 * float(np.linalg.norm(np.ptp(X, axis=0)))
    if half_diagonal == 0:
        raise ValueError("All points of X coincide: their cloud has no size.")
    distances, indices = nearest_neighbors(
        X, k, method=knn_method, random_state=random_state, n_jobs=n_jobs
    )
    # The distances are scaled instead of the points.
    scale = n ** (1.0 / min(d, 3)) / (_GAUSSIAN_SIZE * half_diagonal)
    with np.errstate(under="ignore"):
        weights = np.exp(-((distances * scale) ** 2) / _GAUSSIAN_WIDTH)
    rows = np.repeat(np.arange(n), k)
    w = sparse.csr_array((weights.ravel(), (rows, indices.ravel())), shape=(n, n))
    return check_affinity((w + w.T) * 0.5)


__all__ = ["alpha_decay_affinity", "gaussian_knn_affinity"]
