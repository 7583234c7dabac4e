"""The fuzzy graph of UMAP: neighbour weights calibrated to a perplexity-like sum."""

import numpy as np
from numba import prange
from scipy import sparse

from geolearn.graph._laplacian import check_affinity
from geolearn.graph._neighbors import nearest_neighbors
from geolearn.utils._jit import kernel
from geolearn.utils._threads import numba_threads

# sigma_i is at least this share of the mean distance, as in umap-learn: where many
# neighbours tie with the nearest, the equation for sigma_i has no solution.
_MIN_SIGMA = 1e-3
# Bisection halves the bracket to the last bits of float64.
_MAX_HALVINGS = 64
_MAX_DOUBLINGS = 1100  # the exponent range of float64


@kernel
def _weight_sum(distances, rho, sigma):
    total = 0.0
    for j in range(distances.shape[0]):
        gap = distances[j] - rho
        total += np.exp(-gap / sigma) if gap > 0.0 else 1.0
    return total


@kernel
def _solve_sigma(distances, rho, target):
    """Return sigma with sum_j exp(-max(0, d_j - rho) / sigma) = target, 0 if none."""
    k = distances.shape[0]
    ties = 0
    gap = 0.0  # mean gap of the others: the scale of sigma
    for j in range(k):
        if distances[j] > rho:
            gap += distances[j] - rho
        else:
            ties += 1
    if ties >= target or ties == k:
        return 0.0
    low = 0.0
    high = gap / (k - ties)
    for _ in range(_MAX_DOUBLINGS):
        if _weight_sum(distances, rho, high) >= target:
            break
        low = high
        high *= 2.0
    for _ in range(_MAX_HALVINGS):
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        if _weight_sum(distances, rho, middle) >= target:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@kernel(parallel=True)
def _calibrate(distances, target, mean_distance, weights):
    n, k = distances.shape
    for i in prange(n):
        row = distances[i]
        rho = 0.0
        mean = 0.0
        for j in range(k):
            mean += row[j]
            if rho == 0.0 and row[j] > 0.0:
                rho = row[j]
        mean /= k + 1  # the point itself counts, at distance 0
        sigma = _solve_sigma(row, rho, target)
        sigma = max(sigma, _MIN_SIGMA * (mean if rho > 0.0 else mean_distance))
        for j in range(k):
            gap = row[j] - rho
            weights[i, j] = np.exp(-gap / sigma) if gap > 0.0 else 1.0


def fuzzy_affinity(
    X,
    n_neighbors=10,
    *,
    metric="euclidean",
    metric_params=None,
    knn_method="auto",
    random_state=None,
    n_jobs=None,
) -> sparse.csr_array:
    r"""Build the fuzzy neighbour graph of UMAP [1]_.

    With :math:`\rho_i` the distance of :math:`x_i` to its nearest neighbour at a
    positive distance, the k nearest others get the weights

    .. math::

        p_{ij} = \exp\bigl(-\max(0, d_{ij} - \rho_i) / \sigma_i\bigr), \qquad
        \textstyle\sum_j p_{ij} = \log_2(k + 1),

    and the graph is the fuzzy union :math:`W = P + P^\top - P \circ P^\top`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
        Points, or distances if `metric` is "precomputed". Duplicate rows are
        neighbours of weight 1.
    n_neighbors : int, default=10
        Number k of neighbours, not counting the point itself. umap-learn counts
        it: its graph with ``n_neighbors=k + 1`` is this one.
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
        Symmetric affinity with weights in (0, 1], empty diagonal, sorted indices.

    Notes
    -----
    As in umap-learn, :math:`\sigma_i` is at least a thousandth of the mean
    distance, of the row or, if all its distances are 0, of the data.

    References
    ----------
    .. [1] L. McInnes, J. Healy, J. Melville, "UMAP: Uniform Manifold Approximation
       and Projection for Dimension Reduction", 2018, arXiv:1802.03426.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import fuzzy_affinity
    >>> X = np.array([[0.0], [1.0], [3.0], [4.5]])
    >>> fuzzy_affinity(X, n_neighbors=2).toarray().round(3)
    array([[0.   , 1.   , 0.585, 0.   ],
           [1.   , 0.   , 0.828, 0.585],
           [0.585, 0.828, 0.   , 1.   ],
           [0.   , 0.585, 1.   , 0.   ]])
    """
    distances, indices = nearest_neighbors(
        X,
        n_neighbors,
        metric=metric,
        metric_params=metric_params,
        method=knn_method,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    n, k = distances.shape
    weights = np.empty((n, k))
    with numba_threads(n_jobs):
        mean = float(distances.sum() / (n * (k + 1)))
        _calibrate(distances, np.log2(k + 1), mean, weights)
    rows = np.repeat(np.arange(n), k)
    P = sparse.csr_array((weights.ravel(), (rows, indices.ravel())), shape=(n, n))
    transposed = sparse.csr_array(P.T)
    larger, smaller = P.maximum(transposed), P.minimum(transposed)
    # p + q - p q, in a form that leaves weights of 1 exact.
    return check_affinity(larger + (smaller - smaller.multiply(larger)))


__all__ = ["fuzzy_affinity"]
