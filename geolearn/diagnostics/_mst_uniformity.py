"""How evenly points fill their space, by the length of their spanning tree."""

import numpy as np

from geolearn.diagnostics._aggregate import aggregate_dimension
from geolearn.diagnostics._checks import check_number
from geolearn.diagnostics._local_dimension import local_intrinsic_dimension
from geolearn.diagnostics._neighborhoods import MIN_NEIGHBORS, distinct_sample
from geolearn.diagnostics._spanning_tree import spanning_tree_lengths

# Neighbours for the dimension, where it is not given.
_N_NEIGHBORS = 50


def mst_uniformity(
    Z, *, intrinsic_dim=None, metric="euclidean", metric_params=None, n_jobs=None
) -> float:
    r"""Compute the scaled length of the minimum spanning tree.

    For n points with a density f on a space of dimension m the length of the tree
    grows as :math:`n^{(m-1)/m} \int f^{(m-1)/m}` times a constant of m [2]_. Divided by
    that power of n it is largest for the uniform density, and falls with clusters,
    repeated points, and points that collapse to fewer dimensions; a training
    objective makes it large [1]_.

    Parameters
    ----------
    Z : array-like of shape (n_samples, ...) or (n_samples, n_samples)
        Points, or their distances (a square table) if `metric` is "precomputed".
    intrinsic_dim : float or None, default=None
        Dimension m, at least 1. None estimates it by `local_intrinsic_dimension` of
        50 neighbours, geometric mean; give the same number for all sets that are to
        be compared.
    metric : str, callable or Manifold, default="euclidean"
        Distance between points, as in `geolearn.metrics`, or "precomputed".
    metric_params : dict, default=None
        Further arguments of the metric. Without them "seuclidean" and "mahalanobis"
        take the variances and covariances of the distinct points.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all. The result does not depend on it.

    Returns
    -------
    uniformity : float
        Length over :math:`n^{(m-1)/m}`, in the unit of the distance: about 0.65 for
        uniform points in the unit square.

    Raises
    ------
    ValueError
        If `intrinsic_dim` is below 1 or None and cannot be estimated, all points are
        equal, or the distances are a sparse graph.

    Notes
    -----
    The length is proportional to the unit of the data: compare sets of the same
    scale, for instance rows of length 1. The tree is exact for any number of points.
    It grows from lists of 15 neighbours, so that memory is linear in n, and time is
    that of the search for neighbours, with one more search for every cluster that is
    far from the rest.

    References
    ----------
    .. [1] J. Mordacq, D. Loiseaux, V. Kalogeiton, S. Oudot, "T-REGS: Minimum spanning
       tree regularization for self-supervised learning", Advances in Neural
       Information Processing Systems 38, 2025, arXiv:2510.23484.
    .. [2] J. M. Steele, "Growth rates of Euclidean minimal spanning trees with power
       weighted edges", Annals of Probability 16, 1988, doi:10.1214/aop/1176991596.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import mst_uniformity
    >>> rng = np.random.default_rng(0)
    >>> round(mst_uniformity(rng.uniform(size=(2000, 2)), intrinsic_dim=2), 2)
    0.65
    >>> clusters = rng.uniform(size=(2000, 2)) / 4 + rng.integers(2, size=(2000, 1)) / 2
    >>> round(mst_uniformity(clusters, intrinsic_dim=2), 2)
    0.24
    """
    if intrinsic_dim is not None:
        intrinsic_dim = check_number("intrinsic_dim", intrinsic_dim, 1.0, np.inf)
    sample = distinct_sample(Z, metric, metric_params)
    if sample.searcher.stores_graph:
        raise ValueError(
            "mst_uniformity needs the distances of all pairs; pass points or a dense "
            "table instead of a sparse graph."
        )
    if sample.searcher.n_samples < 2:
        raise ValueError("All points are equal; their spanning tree has no length.")
    if intrinsic_dim is None:
        n = sample.searcher.n_samples
        if n <= MIN_NEIGHBORS:
            raise ValueError(
                f"The dimension of {n} distinct points cannot be estimated; pass "
                "intrinsic_dim."
            )
        dimensions = local_intrinsic_dimension(
            Z,
            n_neighbors=min(_N_NEIGHBORS, n - 1),
            metric=metric,
            metric_params=metric_params,
            n_jobs=n_jobs,
        )
        if np.isnan(dimensions).all():
            raise ValueError(
                f"The dimension of {n} points cannot be estimated, whose neighbours "
                "are all equally far; pass intrinsic_dim."
            )
        intrinsic_dim = max(1.0, aggregate_dimension(dimensions))
    length = float(spanning_tree_lengths(sample, n_jobs).sum())
    return length / sample.inverse.size ** (1.0 - 1.0 / intrinsic_dim)
