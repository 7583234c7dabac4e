"""Intrinsic dimension around each point, from the distances of its neighbours."""

import numpy as np

from geolearn.diagnostics._checks import check_choice
from geolearn.diagnostics._local_pca_dimension import local_pca_dimension
from geolearn.diagnostics._neighborhoods import (
    MIN_NEIGHBORS,
    check_k,
    check_queries,
    distinct_sample,
    log_ratios,
    search,
    warn_undefined,
)

# Added to the ratios of distances by the code of LDReg.
_LDREG_FLOOR = 1e-4


def local_intrinsic_dimension(
    X,
    *,
    queries=None,
    method="mle",
    n_neighbors=50,
    metric="euclidean",
    metric_params=None,
    n_jobs=None,
) -> np.ndarray:
    r"""Estimate the intrinsic dimension around each point.

    In dimension d the number of points within distance r grows as :math:`r^d`.
    With the distances :math:`\delta_1 \le \dots \le \delta_k` from a point to its
    nearest neighbours, itself and its duplicates excluded, the methods are

    - "mle": :math:`(k - 2) / \sum_{j<k} \ln(\delta_k / \delta_j)`, the maximum
      likelihood estimate [1]_ corrected to be unbiased;
    - "mle_biased": the same with :math:`k - 1`, as in the paper [1]_;
    - "ldreg": :math:`-k / \sum_{j<k} \ln(\delta_j / \delta_k + 10^{-4})`, as the
      code of [2]_ does;
    - "mom": :math:`\bar\delta / (\delta_k - \bar\delta)` with :math:`\bar\delta`
      the mean over j < k, the moments of [2]_;
    - "mom_all": the same with the mean over all j, which is larger;
    - "twonn": :math:`(k - 1) / \sum_j \ln \mu_j` over the k neighbours, where
      :math:`\mu_j` is the ratio of the distances from neighbour j to its own second
      and first neighbour in the sample [3]_;
    - "pca": the number of principal components of the neighbourhood with 95 % of its
      variance, see `local_pca_dimension`; for Euclidean data only.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...) or (n_samples, n_samples)
        Sample: rows, points of a manifold, or their distances (square, or a sparse
        graph) if `metric` is "precomputed".
    queries : array-like of shape (n_queries, ...), default=None
        Where the dimension is wanted: points, or their distances to the sample, of
        shape (n_queries, n_samples). None means the rows of `X`. A query that
        belongs to the sample has the same dimension either way.
    method : str, default="mle"
        Estimator, one of the names above.
    n_neighbors : int, default=50
        Number of neighbours k, at least 3. Few are noisy (the relative standard
        error is about :math:`k^{-1/2}`), many see curvature and borders.
    metric : str, callable or Manifold, default="euclidean"
        Distance between points, as in `geolearn.metrics`, or "precomputed".
    metric_params : dict, default=None
        Further arguments of the metric. Without them "seuclidean" and "mahalanobis"
        take the variances and covariances of the distinct points.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all. The result does not depend on it.

    Returns
    -------
    dimensions : ndarray of shape (n_queries,)
        Dimension around each query, positive; NaN where fewer than 3 distinct
        neighbours remain or all are equally far.

    Raises
    ------
    ValueError
        If `method` is unknown or does not suit `metric` or `metric_params`,
        `n_neighbors` is below 3, or the data are invalid.

    Warns
    -----
    UserWarning
        If there are fewer than `n_neighbors` other distinct points, or an estimate
        is NaN.

    See Also
    --------
    aggregate_dimension : One number for all points.
    two_nn_dimension : One number from the two nearest neighbours of all points.
    local_pca_dimension : Dimensions from the local spectrum, with its options.

    References
    ----------
    .. [1] E. Levina, P. J. Bickel, "Maximum likelihood estimation of intrinsic
       dimension", Advances in Neural Information Processing Systems 17, 2004.
    .. [2] H. Huang, R. J. G. B. Campello, S. M. Erfani, X. Ma, M. E. Houle,
       J. Bailey, "LDReg: Local dimensionality regularized self-supervised
       learning", International Conference on Learning Representations, 2024,
       arXiv:2401.10474.
    .. [3] E. Facco, M. d'Errico, A. Rodriguez, A. Laio, "Estimating the intrinsic
       dimension of datasets by a minimal neighborhood information", Scientific
       Reports 7, 2017, doi:10.1038/s41598-017-11873-y.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import aggregate_dimension
    >>> from geolearn.diagnostics import local_intrinsic_dimension
    >>> plane = np.random.default_rng(0).uniform(size=(2000, 2))
    >>> X = np.column_stack([plane, plane.sum(axis=1)])
    >>> dimensions = local_intrinsic_dimension(X)
    >>> dimensions.shape, round(aggregate_dimension(dimensions))
    ((2000,), 2)
    """
    check_choice("method", method, (*_METHODS, "pca"))
    if method == "pca":
        if not (isinstance(metric, str) and metric == "euclidean"):
            raise ValueError(
                f"method='pca' needs coordinates and metric='euclidean', got "
                f"metric={metric!r}; take another method."
            )
        if metric_params:
            raise ValueError(
                f"metric_params={metric_params!r} has no use for method='pca', which "
                "has no metric to choose; leave it None."
            )
        return local_pca_dimension(
            X, queries=queries, n_neighbors=n_neighbors, n_jobs=n_jobs
        )
    sample = distinct_sample(X, metric, metric_params)
    targets = check_queries(sample, queries)
    k = check_k(n_neighbors, sample, targets)
    ratios = log_ratios(sample, n_jobs) if method == "twonn" else None
    n_targets = sample.searcher.n_samples if targets is None else targets.shape[0]
    dimensions = np.empty(n_targets)
    for block, found in search(sample, targets, k, n_jobs):
        with np.errstate(divide="ignore", invalid="ignore"):
            values = _METHODS[method](found, ratios)
        values[found.counts < MIN_NEIGHBORS] = np.nan
        values[~np.isfinite(values)] = np.nan
        dimensions[block] = values
    if targets is None:
        dimensions = dimensions[sample.inverse]
    warn_undefined(
        dimensions,
        "at least 3 neighbours at different positive distances are needed; raise "
        "n_neighbors or drop repeated points.",
    )
    return dimensions


def _last(found):
    last = np.maximum(found.counts - 1, 0)[:, None]
    return np.take_along_axis(found.distances, last, axis=1)


def _log_sum(found):
    """Return the sum of ln(delta_k / delta_j), which is 0 for j = k."""
    return np.nansum(np.log(_last(found) / found.distances), axis=1)


def _mle(found, _):
    return (found.counts - 2) / _log_sum(found)


def _mle_biased(found, _):
    return (found.counts - 1) / _log_sum(found)


def _ldreg(found, _):
    last = _last(found)
    terms = np.log(found.distances / last + _LDREG_FLOOR)
    terms[np.arange(terms.shape[0]), np.maximum(found.counts - 1, 0)] = 0.0
    values = -found.counts / np.nansum(terms, axis=1)
    values[found.distances[:, 0] == last[:, 0]] = np.nan
    return values


def _moments(found, n_terms, total):
    mean, last = total / n_terms, _last(found)[:, 0]
    values = mean / (last - mean)
    values[found.distances[:, 0] == last] = np.nan
    return values


def _mom(found, _):
    total = np.nansum(found.distances, axis=1) - _last(found)[:, 0]
    return _moments(found, found.counts - 1, total)


def _mom_all(found, _):
    return _moments(found, found.counts, np.nansum(found.distances, axis=1))


def _two_nn(found, ratios):
    terms = np.where(np.isnan(found.distances), np.nan, ratios[found.indices])
    return (np.count_nonzero(~np.isnan(terms), axis=1) - 1) / np.nansum(terms, axis=1)


_METHODS = {
    "mle": _mle,
    "mle_biased": _mle_biased,
    "ldreg": _ldreg,
    "mom": _mom,
    "mom_all": _mom_all,
    "twonn": _two_nn,
}
