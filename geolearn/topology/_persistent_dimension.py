"""Local dimension from the homology of annuli."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from geolearn.topology._euclidicity_input import (
    check_n_neighbors,
    check_new,
    check_radii,
    check_training,
    set_pairwise_tags,
)
from geolearn.topology._euclidicity_lists import AnnulusGrid
from geolearn.topology._euclidicity_scores import each_chunk
from geolearn.topology._euclidicity_work import top_chunk
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context

__all__ = ["PersistentDimension"]

_FEWEST_POINTS = 2  # of an annulus; one point has no edge
_SEED = 0  # of the order in which annuli of many points are thinned


class PersistentDimension(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""Tell the dimension around each point by the homology of its annuli [1]_.

    Around a point of a d-dimensional manifold an annulus :math:`r < \lVert x - q
    \rVert \le s` has the shape of a sphere of dimension d - 1, whose highest
    homology has degree d - 1. The dimension of an annulus is one plus the highest
    degree in which a class of its Vietoris-Rips persistence lives longer than
    `threshold` times s, and 1 without any; that of a point is the largest, or the
    mean, over a grid of radii.

    Parameters
    ----------
    n_neighbors : int, default=50
        Number of nearest points from which the radii of each point are taken where
        `radii` is None, as by `Euclidicity`; at least 4.
    radii : tuple of 4 floats or None, default=None
        The grid (r_min, r_max, s_min, s_max) of radii for all points, in the unit of
        the data, as in `Euclidicity`.
    n_steps : int, default=6
        Number of equidistant values of each radius, at least 1, which takes the
        smaller ones.
    max_degree : int, default=2
        Highest degree of homology: dimensions up to max_degree + 1 are told apart.
        Degrees above 2 need gudhi (``pip install geolearn[topology]``).
    threshold : float, default=0.1
        Lifetime over s that a class has to exceed. At 0 the noise of sampling counts,
        and the largest dimension is too large.
    aggregate : {"max", "mean"}, default="max"
        How the dimensions of the annuli are joined.
    max_points : int, default=100
        Of annuli of more points, those first in a fixed random order of the sample
        are kept, at least 2.
    metric : str, callable or Manifold, default="euclidean"
        Distance between points, as in `geolearn.metrics.pairwise_distances`, or
        "precomputed".
    n_jobs : int or None, default=None
        Number of joblib's workers, threads by default; None means 1, or what an
        enclosing `joblib.parallel_config` grants, -1 all cores. The result does not
        depend on it.
    verbose : int, default=0
        1 reports every 4096 points through the module logger.

    Attributes
    ----------
    dimension_ : float
        Median of the dimensions of the points of the sample.
    local_dimension_ : ndarray of shape (n_samples,)
        Dimensions of the points of the sample; NaN where no annulus has two points.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features_in\_,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    Euclidicity : Compare the same annuli with flat ones.
    geolearn.diagnostics.local_intrinsic_dimension : Dimension from distances alone.

    Notes
    -----
    The authors' code takes the mean of the highest degrees without adding one,
    counts void annuli as -1, and has no threshold.

    References
    ----------
    .. [1] J. von Rohrscheidt, B. Rieck, "Topological singularity detection at multiple
       scales", Proceedings of Machine Learning Research 202, 2023, arXiv:2210.00069.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.topology import PersistentDimension
    >>> t = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    >>> circle = np.column_stack([np.cos(t), np.sin(t)])
    >>> PersistentDimension(20).fit(circle).dimension_
    1.0
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "radii": ["array-like", None],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "max_degree": [Interval(Integral, 0, None, closed="left")],
        "threshold": [Interval(Real, 0.0, None, closed="left")],
        "aggregate": [StrOptions({"max", "mean"})],
        "max_points": [Interval(Integral, 2, None, closed="left")],
        "metric": [str, callable, HasMethods(["dist"])],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_neighbors=50,
        *,
        radii=None,
        n_steps=6,
        max_degree=2,
        threshold=0.1,
        aggregate="max",
        max_points=100,
        metric="euclidean",
        n_jobs=None,
        verbose=0,
    ):
        self.n_neighbors = n_neighbors
        self.radii = radii
        self.n_steps = n_steps
        self.max_degree = max_degree
        self.threshold = threshold
        self.aggregate = aggregate
        self.max_points = max_points
        self.metric = metric
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Store the sample, and tell the dimension around each of its points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Sample, or the distances within it if ``metric="precomputed"``.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        PersistentDimension
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter is out of range or does not fit the data.
        ImportError
            If `max_degree` is above 2 and gudhi is not installed.

        Warns
        -----
        UserWarning
            If there are no more than `n_neighbors` points, or a point has no annulus
            of two points.
        """
        self._index = check_training(self, X)
        n_samples = self._index.n_samples
        self._grid = AnnulusGrid(
            check_n_neighbors(self.n_neighbors, n_samples, self.radii is None),
            check_radii(self.radii),
            *(self.n_steps, _FEWEST_POINTS, self.max_points),
        )
        self._priority = np.random.RandomState(_SEED).permutation(n_samples)
        self.local_dimension_ = self._dimensions(self._index.points)
        known = self.local_dimension_[~np.isnan(self.local_dimension_)]
        self.dimension_ = float(np.median(known)) if known.size else np.nan
        return self

    def fit_transform(self, X, y=None):
        """Return the dimension around each point of a sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Sample, or the distances within it if ``metric="precomputed"``.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        ndarray of shape (n_samples, 1)
            Dimensions; NaN where no annulus has two points.
        """
        return self.fit(X).local_dimension_[:, None]

    def transform(self, X):
        """Return the dimension of the sample around each query.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_samples)
            Queries, or their distances from the sample if ``metric="precomputed"``.

        Returns
        -------
        ndarray of shape (n_queries, 1)
            Dimensions; NaN where no annulus has two points.
        """
        check_is_fitted(self)
        return self._dimensions(check_new(self, X))[:, None]

    def _dimensions(self, X):
        options = int(self.max_degree), float(self.threshold), self.aggregate
        (dimensions,) = each_chunk(
            *(top_chunk, self._index, X, self._grid, self._priority),
            prepare=lambda lists: options,
            n_jobs=self.n_jobs,
            progress=Progress(self.verbose, __name__),
        )
        return dimensions

    @property
    def _n_features_out(self):
        return 1

    def __sklearn_tags__(self):
        return set_pairwise_tags(super().__sklearn_tags__(), self.metric)
