"""Principal components of the neighbourhood of each point."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from geolearn.decomposition._local_pca_search import (
    LocalComponents,
    Neighborhood,
    components_in_blocks,
)
from geolearn.graph._neighbors import NeighborIndex
from geolearn.utils._sklearn import Interval, RealNotInt, StrOptions, _fit_context


class LocalPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Analyse the principal components of the neighbourhood of each point [1]_.

    Near a k-dimensional surface the first k local components span the tangent space,
    and the local spectrum shows dimension, noise and curvature. `transform` returns
    the spectrum, at any point of the space; bases, means and ranks are attributes for
    the training samples and come from `local_pca` for other points.

    Parameters
    ----------
    n_components : int, float or "auto", default="auto"
        Rank of the tangent spaces. A number between 0 and 1 takes at each point the
        fewest components that explain more than that share of the local variance.
        "auto" decides at each point: with Gaussian weights the number of eigenvalues
        above half the squared bandwidth, to which they are close along the surface;
        with uniform weights the place of the largest ratio of consecutive
        eigenvalues, after a tenth of the largest one is added to all and a zero is
        appended. Both are the same for data in other units.
    n_neighbors : int or None, default=30
        Number of nearest training samples that make up a neighbourhood; a training
        sample counts as its own neighbour. None sets no limit, and needs `radius`.
    radius : float or None, default=None
        Largest distance of a neighbour, in the units of the samples. Both limits
        hold where both are given: the `n_neighbors` nearest of the samples within
        `radius`. None sets no limit.
    weights : {"uniform", "gaussian"}, default="uniform"
        Weights of the neighbours: all alike, or exp(-r^2 / (2 bandwidth^2)) at the
        distance r from the point.
    bandwidth : float or None, default=None
        Bandwidth of Gaussian weights, in the units of the samples. None takes a
        third of `radius`, or of the distance to the farthest neighbour if `radius` is
        None. `bandwidth_score` helps to choose one.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. The result does not depend on it.

    Attributes
    ----------
    eigenvalues_ : ndarray of shape (n_samples, n_eigenvalues)
        Local spectra, decreasing: variances, not divided by n - 1.
        There are ``min(n_features, n_neighbors)`` of them, with `n_neighbors`
        None ``min(n_features, n_samples)``.
    components_ : ndarray of shape (n_samples, largest rank, n_features)
        Orthonormal bases of the tangent spaces as rows, by decreasing eigenvalue.
        Rows beyond the rank of a sample are zero. The entry of largest size of each
        row is positive, which makes results repeatable but is no orientation: bases
        of close points may differ by signs and rotations.
    means_ : ndarray of shape (n_samples, n_features)
        Local means.
    ranks_ : ndarray of int of shape (n_samples,)
        Number of components; less than an integer `n_components` where neighbours
        span fewer dimensions, and 0 where all are the same point.
    n_components_ : int
        Largest rank.
    n_eff_ : ndarray of shape (n_samples,)
        Effective number of neighbours: 1 over the sum of the squared weights.
    bandwidths_ : ndarray of shape (n_samples,)
        Bandwidths of Gaussian weights; for uniform weights the one with the same
        tangent eigenvalues, the root of their mean.
    radii_ : ndarray of shape (n_samples,)
        Distances to the farthest neighbour.
    n_neighbors_ : int or None
        Number of neighbours that was used, at most `n_samples`.
    n_features_in_ : int
        Number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in\_,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    bandwidth_score : Predict the error of tangent spaces for a bandwidth.

    Notes
    -----
    ``components_[i].T @ components_[i]`` projects onto the tangent space at sample i.
    With ``n_components=n_features`` the last rows are normal directions.

    Queries are treated in blocks of at most 10 000, so that the memory beyond the
    result is that of the neighbour lists of a block. Up to 10 features neighbours come
    from a KD-tree, beyond from blocks of all distances.

    References
    ----------
    .. [1] K. Fukunaga, D. R. Olsen, "An algorithm for finding intrinsic dimensionality
       of data", IEEE Transactions on Computers C-20(2), 1971,
       doi:10.1109/T-C.1971.223208.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.decomposition import LocalPCA
    >>> t = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    >>> X = np.column_stack([np.cos(t), np.sin(t)])
    >>> pca = LocalPCA(n_neighbors=9).fit(X)
    >>> bool((pca.ranks_ == 1).all())
    True
    >>> pca.components_[0].round(6) + 0.0  # the tangent at (1, 0)
    array([[0., 1.]])
    >>> pca.transform([[1.0, 0.0]]).round(3)
    array([[0.007, 0.   ]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0.0, 1.0, closed="neither"),
            StrOptions({"auto"}),
        ],
        "n_neighbors": [Interval(Integral, 2, None, closed="left"), None],
        "radius": [Interval(Real, 0.0, None, closed="neither"), None],
        "weights": [StrOptions({"uniform", "gaussian"})],
        "bandwidth": [Interval(Real, 0.0, None, closed="neither"), None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_components="auto",
        *,
        n_neighbors=30,
        radius=None,
        weights="uniform",
        bandwidth=None,
        n_jobs=None,
    ):
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.weights = weights
        self.bandwidth = bandwidth
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Index the samples and analyse their neighbourhoods.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, at least two.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        LocalPCA
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` is not finite, `n_components` is above the number of features or
            that of neighbours less one, both `n_neighbors` and `radius` are None, or
            `bandwidth` is given for uniform weights.

        Warns
        -----
        UserWarning
            If there are fewer than `n_neighbors` samples; all are neighbours then.
        """
        X = validate_data(self, X, dtype=np.float64, order="C", ensure_min_samples=2)
        self._check_limits(*X.shape)
        self.n_neighbors_ = self._used_neighbors(len(X))
        self._n_eigenvalues = min(X.shape[1], self.n_neighbors_ or len(X))
        self._index = NeighborIndex.build(X)
        local = self._analyse(X)
        self.eigenvalues_ = local.eigenvalues
        self.components_ = local.components
        self.means_ = local.means
        self.ranks_ = local.ranks
        self.n_components_ = local.components.shape[1]
        self.n_eff_ = local.n_eff
        self.bandwidths_ = local.bandwidths
        self.radii_ = local.radii
        return self

    def _check_limits(self, n_samples, n_features):
        if self.n_neighbors is None and self.radius is None:
            raise ValueError(
                "n_neighbors=None and radius=None set no limit to neighbourhoods; set "
                "one of them."
            )
        if self.bandwidth is not None and self.weights == "uniform":
            raise ValueError(
                f"bandwidth={self.bandwidth} is that of weights='gaussian', but "
                f"weights='uniform'; set weights='gaussian' or bandwidth=None."
            )
        k = self.n_components
        if not isinstance(k, Integral):
            return
        if k > n_features:
            raise ValueError(
                f"n_components={k} must be at most n_features={n_features}; lower "
                f"n_components."
            )
        most = min(self.n_neighbors or n_samples, n_samples)
        if k > most - 1:
            raise ValueError(
                f"n_components={k} needs at least {k + 1} neighbours, but there are "
                f"{most} (n_neighbors={self.n_neighbors}, n_samples={n_samples}); "
                f"raise n_neighbors or lower n_components."
            )

    def _used_neighbors(self, n_samples):
        if self.n_neighbors is None or self.n_neighbors <= n_samples:
            return self.n_neighbors
        warnings.warn(
            f"n_neighbors={self.n_neighbors} is above n_samples={n_samples}: each "
            f"neighbourhood holds all samples. Lower n_neighbors.",
            UserWarning,
            stacklevel=3,
        )
        return n_samples

    def _analyse(self, Q):
        neighborhood = Neighborhood(
            self.n_neighbors_,
            self.radius,
            self.weights == "gaussian",
            self.bandwidth,
        )
        k = self.n_components
        if isinstance(k, Integral):
            k = int(k)
        return components_in_blocks(
            self._index, Q, neighborhood, k, self._n_eigenvalues, self.n_jobs
        )

    def fit_transform(self, X, y=None):
        """Index the samples and return their local spectra.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, at least two.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        ndarray of shape (n_samples, n_eigenvalues)
            ``eigenvalues_``, what `transform` returns for the same samples.
        """
        return self.fit(X).eigenvalues_.copy()

    def transform(self, X):
        """Return the local spectra at any points.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Points, whose neighbours are training samples.

        Returns
        -------
        ndarray of shape (n_queries, n_eigenvalues)
            Eigenvalues, decreasing; NaN for points without neighbours.

        Warns
        -----
        UserWarning
            If points have no training sample within `radius`.
        """
        return self._local_pca(X).eigenvalues

    def local_pca(self, X) -> LocalComponents:
        """Return all that is known of the neighbourhoods of any points.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Points, whose neighbours are training samples.

        Returns
        -------
        LocalComponents
            Named tuple (means, eigenvalues, components, ranks, n_eff, bandwidths,
            radii), with shapes and meaning as the attributes of the estimator. For
            points without neighbours, rank, effective number and components are zero,
            the rest NaN.

        Warns
        -----
        UserWarning
            If points have no training sample within `radius`.
        """
        return self._local_pca(X)

    def _local_pca(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        local = self._analyse(X)
        empty = np.flatnonzero(local.n_eff == 0.0)
        if empty.size:
            warnings.warn(
                f"{empty.size} of {len(X)} points, X[{empty[0]}] the first, have no "
                f"sample within radius={self.radius}: their spectra are NaN. Raise "
                f"radius, or set radius=None.",
                UserWarning,
                stacklevel=3,
            )
        return local

    @property
    def _n_features_out(self):
        return self._n_eigenvalues
