"""Intrinsic dimension around each point, from the local spectrum."""

import numpy as np

from geolearn.diagnostics._checks import check_choice, check_number
from geolearn.diagnostics._neighborhoods import (
    check_k,
    check_queries,
    distinct_sample,
    warn_undefined,
)

_DEFAULTS = {"share": 0.95, "ratio": 0.05, "participation": None}
# A share that is exactly reached may be missed by rounding.
_ROUNDING = 1e-12


def local_pca_dimension(
    X, *, queries=None, n_neighbors=50, criterion="share", threshold=None, n_jobs=None
) -> np.ndarray:
    r"""Estimate the dimension around each point from the local spectrum [1]_.

    The eigenvalues :math:`\lambda_1 \ge \lambda_2 \ge \dots` of the covariance of a
    sample and its nearest neighbours tell how many directions they fill:

    - "share": the smallest number of eigenvalues whose sum reaches `threshold` of
      the sum of all;
    - "ratio": the number of eigenvalues above `threshold` times the largest [1]_;
    - "participation": :math:`(\sum \lambda)^2 / \sum \lambda^2`, not an integer.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Sample in Euclidean space. Repeated rows are counted once.
    queries : array-like of shape (n_queries, n_features), default=None
        Where the dimension is wanted; None means the rows of `X`.
    n_neighbors : int, default=50
        Number of neighbours besides the point, at least 3. They fill at most as many
        directions.
    criterion : {"share", "ratio", "participation"}, default="share"
        How many eigenvalues count, see above.
    threshold : float or None, default=None
        In [0, 1). None means 0.95 for "share" and 0.05 for "ratio";
        "participation" has none.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all. The result does not depend on it.

    Returns
    -------
    dimensions : ndarray of shape (n_queries,)
        Dimension around each query, NaN where all neighbours are the same point.

    Raises
    ------
    ValueError
        If a parameter is invalid or the data are.

    Warns
    -----
    UserWarning
        If there are fewer than `n_neighbors` other distinct points, or an estimate
        is NaN.

    See Also
    --------
    local_intrinsic_dimension : Estimates from distances, in any metric.
    geolearn.decomposition.LocalPCA : The spectra and tangent spaces themselves.

    Notes
    -----
    A curved manifold bends into further directions: with the wider neighbourhoods
    that noise asks for, the number grows above the dimension. The spectra come from
    `geolearn.decomposition.LocalPCA` with ``n_neighbors + 1`` neighbours, which count
    a sample as its own: a query outside the sample has one more neighbour, and is not
    a point of the covariance itself.

    References
    ----------
    .. [1] K. Fukunaga, D. R. Olsen, "An algorithm for finding intrinsic dimensionality
       of data", IEEE Transactions on Computers C-20(2), 1971,
       doi:10.1109/T-C.1971.223208.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import local_pca_dimension
    >>> plane = np.random.default_rng(0).uniform(size=(500, 2)) @ np.eye(2, 4)
    >>> np.unique(local_pca_dimension(plane))
    array([2.])
    """
    from geolearn.decomposition import LocalPCA

    check_choice("criterion", criterion, tuple(_DEFAULTS))
    if threshold is None:
        threshold = _DEFAULTS[criterion]
    elif criterion == "participation":
        raise ValueError(
            f"threshold={threshold!r} has no meaning for criterion='participation'; "
            "leave it None."
        )
    else:
        threshold = check_number("threshold", threshold, 0.0, 1.0)
    sample = distinct_sample(X)
    targets = check_queries(sample, queries)
    k = check_k(n_neighbors, sample, None)
    pca = LocalPCA(1, n_neighbors=k + 1, n_jobs=n_jobs).set_output(transform="default")
    spectra = pca.fit_transform(sample.searcher.points)
    if targets is not None:
        spectra = pca.transform(targets)
    dimensions = _count(np.maximum(spectra, 0.0), criterion, threshold)
    if targets is None:
        dimensions = dimensions[sample.inverse]
    warn_undefined(dimensions, "all its neighbours are the same point.")
    return dimensions


def _count(spectra, criterion, threshold):
    largest = spectra[:, :1]
    none = largest[:, 0] == 0.0
    # Relative to the largest, squares of eigenvalues neither under- nor overflow.
    shares = spectra / np.where(largest == 0.0, 1.0, largest)
    if criterion == "participation":
        squares = np.where(none, 1.0, np.einsum("ij,ij->i", shares, shares))
        values = shares.sum(axis=1) ** 2 / squares
    elif criterion == "ratio":
        values = np.count_nonzero(shares > threshold, axis=1).astype(np.float64)
    else:
        reached = np.cumsum(shares, axis=1)
        wanted = (threshold - _ROUNDING) * reached[:, -1:]
        values = 1.0 + np.count_nonzero(reached < wanted, axis=1)
    values[none] = np.nan
    return values
