"""Intrinsic dimension of a whole sample from the two nearest neighbours."""

import numpy as np

from geolearn.diagnostics._checks import check_choice, check_number
from geolearn.diagnostics._neighborhoods import distinct_sample, log_ratios


def two_nn_dimension(
    X,
    *,
    method="fit",
    discard_fraction=0.1,
    metric="euclidean",
    metric_params=None,
    n_jobs=None,
) -> float:
    r"""Estimate one intrinsic dimension from the two nearest neighbours [1]_.

    Where the density is nearly constant within the distance of the second
    neighbour, the ratio :math:`\mu = \delta_2 / \delta_1` of the distances from a
    point to its second and first neighbour has the distribution function
    :math:`1 - \mu^{-d}`, whatever the density.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...) or (n_samples, n_samples)
        Sample: rows, points of a manifold, or their distances (square, or a sparse
        graph) if `metric` is "precomputed".
    method : {"fit", "mle"}, default="fit"
        "fit" takes the slope of the line through the origin that fits
        :math:`-\ln(1 - i/N)` to the i-th smallest of the N values of
        :math:`\ln \mu`. "mle" is :math:`(N - 1) / \sum \ln \mu`, which is unbiased
        under the model and less robust to large ratios.
    discard_fraction : float, default=0.1
        Share of the largest ratios that "fit" leaves out, in [0, 1): outliers and
        sparse regions. The largest ratio never counts, its ordinate is infinite.
    metric : str, callable or Manifold, default="euclidean"
        Distance between points, as in `geolearn.metrics`, or "precomputed".
    metric_params : dict, default=None
        Further arguments of the metric. Without them "seuclidean" and "mahalanobis"
        take the variances and covariances of the distinct points.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all. The result does not depend on it.

    Returns
    -------
    dimension : float
        Estimated dimension.

    Raises
    ------
    ValueError
        If a parameter is out of range, or fewer than 3 distinct points with
        different distances to their two nearest neighbours remain.

    See Also
    --------
    local_intrinsic_dimension : A dimension for every point.

    Notes
    -----
    Repeated points are counted once. The estimate sees the smallest scale of the
    data: noise that is larger than the distance between neighbours adds its own
    dimension. Repeat it on random subsets of the rows, whose neighbours are
    farther, and trust a dimension that does not change.

    References
    ----------
    .. [1] E. Facco, M. d'Errico, A. Rodriguez, A. Laio, "Estimating the intrinsic
       dimension of datasets by a minimal neighborhood information", Scientific
       Reports 7, 2017, doi:10.1038/s41598-017-11873-y.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import two_nn_dimension
    >>> X = np.random.default_rng(0).uniform(size=(2000, 3)) @ np.eye(3, 6)
    >>> round(two_nn_dimension(X), 1)
    2.9
    """
    check_choice("method", method, ("fit", "mle"))
    discard_fraction = check_number("discard_fraction", discard_fraction, 0.0, 1.0)
    sample = distinct_sample(X, metric, metric_params)
    if sample.searcher.n_samples < 3:
        raise ValueError(
            f"Found {sample.searcher.n_samples} distinct points; the two nearest "
            "neighbours need at least 3."
        )
    values = log_ratios(sample, n_jobs)
    values = np.sort(values[~np.isnan(values)])
    if values.size < 3 or values[-1] == 0.0:
        raise ValueError(
            "No point has its second neighbour farther than the first: the data lie "
            "on a lattice or repeat points. Drop repeated points, or add noise of "
            "the size of the rounding."
        )
    if method == "mle":
        return float((values.size - 1) / values.sum())
    kept = min(int((1.0 - discard_fraction) * values.size), values.size - 1)
    if kept < 1:
        raise ValueError(
            f"discard_fraction={discard_fraction} leaves none of {values.size} ratios; "
            "lower it, or take method='mle'."
        )
    x, ranks = values[:kept], np.arange(1, kept + 1)
    y = -np.log1p(-ranks / values.size)
    squares = float(x @ x)
    if squares == 0.0:
        raise ValueError(
            f"All ratios that discard_fraction={discard_fraction} keeps are 1; lower "
            "it, or take method='mle'."
        )
    return float(x @ y) / squares
