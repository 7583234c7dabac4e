"""Score how far the neighbourhood of a point is from flat space."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from geolearn.diagnostics import local_intrinsic_dimension
from geolearn.graph._precomputed import is_precomputed
from geolearn.topology._euclidicity_bank import ModelBank
from geolearn.topology._euclidicity_input import (
    check_n_neighbors,
    check_new,
    check_radii,
    check_training,
    set_pairwise_tags,
)
from geolearn.topology._euclidicity_lists import AnnulusGrid
from geolearn.topology._euclidicity_scores import each_chunk
from geolearn.topology._euclidicity_work import (
    Comparison,
    Growth,
    profile_chunk,
    score_chunk,
)
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context

__all__ = ["Euclidicity"]

_HIGHEST_AUTO_DIM = 10  # beyond, samples of any size say little on the dimension
_HIGHEST_AUTO_DEGREE = 2  # that of the compiled engine


class Euclidicity(OutlierMixin, BaseEstimator):
    r"""Score how far the neighbourhood of each point is from flat space [1]_.

    The points in an annulus :math:`r < \lVert x - q \rVert \le s` around a query q
    of a d-dimensional manifold look like a uniform sample of a flat annulus. The
    score is the mean, over a grid of inner radii r and outer radii s, of the
    bottleneck distance between the Vietoris-Rips persistence diagrams of the two,
    over s. It is small on manifolds and large at singularities: where pieces cross,
    branch, pinch, or differ in dimension. It is also large at the boundary.

    Parameters
    ----------
    n_neighbors : int, default=50
        Number K of nearest points, at positive distance, from which the radii of
        each point are taken where `radii` is None; at least 4. With `radii` it
        serves ``intrinsic_dim="auto"`` only.
    intrinsic_dim : int or "auto", default="auto"
        Dimension d of the flat model, one for all points. "auto" takes the median
        over the sample of `geolearn.diagnostics.local_intrinsic_dimension`, rounded,
        at least 1 and at most 10 and the number of features. Set it for spaces of
        pieces of different dimension.
    radii : tuple of 4 floats or None, default=None
        The grid (r_min, r_max, s_min, s_max), in the unit of the data, with
        0 <= r_min <= r_max, 0 < s_min <= s_max and r_min < s_max. None takes for
        each point r_min, the distance of its nearest neighbour; r_max = s_min, that
        of its neighbour round((K + 1) / 3) + 1; and s_max, that of its neighbour K.
    n_steps : int, default=10
        Number of equidistant values of each radius, at least 1, which takes the
        smaller ones.
    max_degree : int or None, default=None
        Highest degree of homology. None takes min(d - 1, 2). Degrees above 2 need
        gudhi (``pip install geolearn[topology]``).
    model : {"annulus", "interval"}, default="annulus"
        "annulus" compares with uniform draws of as many points from the flat
        annulus. "interval" compares with the fixed diagram that is empty but for the
        pair (r, s) in degree max(1, d - 1), and is not random; where `max_degree` is
        lower, the pair counts with ``combine="pooled"`` only.
    n_model_samples : int, default=4
        Number M of draws for each number of points and ratio of radii, where
        ``model="annulus"``.
    normalize : bool, default=True
        Whether distances are divided by s. Without it, scores have the unit of the
        data and grow with the radii: with `radii` None they rank places by sparsity
        rather than singularity.
    null_correction : bool, default=False
        Whether the mean distance between draws of the model is subtracted in each
        degree. The score of flat data is then near 0. Needs M >= 2 and
        ``model="annulus"``.
    combine : {"max", "pooled"}, default="max"
        Distance of a cell: the largest over the degrees, or that of the diagrams of
        all degrees thrown together, as the authors' code does.
    min_points : int, default=2
        Annuli of fewer points are left out, at least 1; one point has no edge and
        the distance 0 from its model.
    max_points : int, default=100
        Of annuli of more points, those first in a random order of the sample are
        kept, at least 2. The cost grows as the third power. `min_points` counts
        before.
    metric : str, callable or Manifold, default="euclidean"
        Distance between points, as in `geolearn.metrics.pairwise_distances`, or
        "precomputed". Pass unit rows and "euclidean" for cosine similarity.
    contamination : float or "auto", default="auto"
        Share of singular points in (0, 0.5], which sets the threshold of `predict`.
        "auto" is Tukey's fence: the upper quartile plus 1.5 times the distance of
        the quartiles.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws of the models and the random order of the sample. Pass an
        int for reproducible results.
    n_jobs : int or None, default=None
        Number of joblib's workers, threads by default; None means 1, or what an
        enclosing `joblib.parallel_config` grants, -1 all cores. The result does not
        depend on it, nor on the backend.
    verbose : int, default=0
        1 reports every 4096 points through the module logger.

    Attributes
    ----------
    euclidicity_ : ndarray of shape (n_samples,)
        Scores of the sample, larger where it is more singular; NaN where no annulus
        has enough points, or fewer than 4 neighbours are distinct.
    n_valid_cells_ : ndarray of int of shape (n_samples,)
        Number of annuli that a score is the mean of.
    offset_ : float
        Threshold of `score_samples` below which a point is an outlier.
    intrinsic_dim_ : int
        Dimension of the model.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features_in\_,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    PersistentDimension : Local dimension from the same annuli.
    vietoris_rips_persistence : Persistence diagrams of a small cloud.
    geolearn.diagnostics.local_intrinsic_dimension : Dimension of each point.

    Notes
    -----
    The score departs from the authors' code in that it uses all pairs of radii,
    compares the degrees one by one, stops at the highest degree that a flat annulus
    has, averages M seeded draws, leaves out annuli without points instead of counting
    0, and divides by s. Levels depend on d and the number of neighbours: compare them
    within a data set. Pieces that touch tangentially are seen at radii of their own
    size only.

    References
    ----------
    .. [1] J. von Rohrscheidt, B. Rieck, "Topological singularity detection at multiple
       scales", Proceedings of Machine Learning Research 202, 2023, arXiv:2210.00069.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.topology import Euclidicity
    >>> t = np.linspace(-1.0, 1.0, 100)
    >>> X = np.concatenate([np.column_stack([t, 0 * t]), np.column_stack([0 * t, t])])
    >>> cross = Euclidicity(20, intrinsic_dim=1, random_state=0).fit(X)
    >>> middle, side = -cross.score_samples([[0.0, 0.0], [0.5, 0.0]])
    >>> bool(middle > 1.5 * side)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "intrinsic_dim": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "radii": ["array-like", None],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "max_degree": [Interval(Integral, 0, None, closed="left"), None],
        "model": [StrOptions({"annulus", "interval"})],
        "n_model_samples": [Interval(Integral, 1, None, closed="left")],
        "normalize": ["boolean"],
        "null_correction": ["boolean"],
        "combine": [StrOptions({"max", "pooled"})],
        "min_points": [Interval(Integral, 1, None, closed="left")],
        "max_points": [Interval(Integral, 2, None, closed="left")],
        "metric": [str, callable, HasMethods(["dist"])],
        "contamination": [
            StrOptions({"auto"}),
            Interval(Real, 0.0, 0.5, closed="right"),
        ],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_neighbors=50,
        *,
        intrinsic_dim="auto",
        radii=None,
        n_steps=10,
        max_degree=None,
        model="annulus",
        n_model_samples=4,
        normalize=True,
        null_correction=False,
        combine="max",
        min_points=2,
        max_points=100,
        metric="euclidean",
        contamination="auto",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_neighbors = n_neighbors
        self.intrinsic_dim = intrinsic_dim
        self.radii = radii
        self.n_steps = n_steps
        self.max_degree = max_degree
        self.model = model
        self.n_model_samples = n_model_samples
        self.normalize = normalize
        self.null_correction = null_correction
        self.combine = combine
        self.min_points = min_points
        self.max_points = max_points
        self.metric = metric
        self.contamination = contamination
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Score the points of a sample against the sample itself.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Sample, or the distances within it if ``metric="precomputed"``.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        Euclidicity
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of range or does not fit the others or the data.
        ImportError
            If `max_degree` is above 2 and gudhi is not installed.

        Warns
        -----
        UserWarning
            If there are no more than `n_neighbors` points, or a point has no annulus
            with enough points.
        """
        self._check_parameters()
        self._index = check_training(self, X)
        n_samples = self._index.n_samples
        self._grid = AnnulusGrid(
            check_n_neighbors(self.n_neighbors, n_samples, self.radii is None),
            check_radii(self.radii),
            *(self.n_steps, self.min_points, self.max_points),
        )
        self.intrinsic_dim_ = self._choose_dim()
        self._how = self._choose_comparison()
        rng = check_random_state(self.random_state)
        seed = int(rng.randint(np.iinfo(np.int32).max))
        self._priority = rng.permutation(n_samples)
        self._bank = ModelBank.empty(
            *(seed, self.intrinsic_dim_, self._how.max_degree, self.n_model_samples),
            *(self.null_correction, self._how.pooled),
        )
        growth = self._growth()
        scores, n_valid = self._run(score_chunk, self._index.points, growth)
        self._bank = growth.bank
        self.euclidicity_, self.n_valid_cells_ = scores, n_valid
        self.offset_ = self._choose_offset()
        return self

    def fit_predict(self, X, y=None):
        """Score a sample and tell its outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Sample, or the distances within it if ``metric="precomputed"``.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        ndarray of shape (n_samples,)
            -1 for outliers, which are singular or have no score, else 1.
        """
        self.fit(X)
        return np.where(-self.euclidicity_ >= self.offset_, 1, -1)

    def score_samples(self, X):
        """Return the negative scores of points, their neighbours being the sample's.

        Points of the sample at distance 0 from a query are not its neighbours: for
        points of the sample these are the scores that `fit` found.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_samples)
            Queries, or their distances from the sample if ``metric="precomputed"``.

        Returns
        -------
        ndarray of shape (n_queries,)
            Negative scores: smaller where a point is more singular; NaN where it has
            no annulus with enough points.
        """
        check_is_fitted(self)
        return -self._run(score_chunk, check_new(self, X), self._growth())[0]

    def decision_function(self, X):
        """Return `score_samples` less `offset_`: negative for outliers.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_samples)
            Queries, or their distances from the sample if ``metric="precomputed"``.

        Returns
        -------
        ndarray of shape (n_queries,)
            Differences; NaN where a point has no score.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Tell which points are outliers.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_samples)
            Queries, or their distances from the sample if ``metric="precomputed"``.

        Returns
        -------
        ndarray of shape (n_queries,)
            -1 for outliers, which are singular or have no score, else 1.
        """
        return np.where(self.decision_function(X) >= 0.0, 1, -1)

    def profile(self, X):
        """Return what the score of each point is made of, annulus by annulus.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_samples)
            Queries, or their distances from the sample if ``metric="precomputed"``.

        Returns
        -------
        Bunch
            Arrays with a column for each of the C = n_steps^2 annuli; inner radii
            ascend slowly, outer ones fast:

            - ``inner_radius``, ``outer_radius`` : of shape (n_queries, C);
            - ``n_points`` : of shape (n_queries, C), before thinning, 0 where the
              inner radius is not smaller than the outer;
            - ``distance`` : of shape (n_queries, C, max_degree + 1), mean bottleneck
              distances in each degree, in the unit of the data;
            - ``combined`` : of shape (n_queries, C), combined over the degrees. The
              score is their mean, over ``outer_radius`` if `normalize`;
            - ``top_degree`` : of shape (n_queries, C), highest degree with a class.

            Void annuli have NaN distances and ``top_degree`` -1.
        """
        check_is_fitted(self)
        found = self._run(profile_chunk, check_new(self, X), self._growth())
        inner, outer, n_points, distance, top = found
        return Bunch(
            inner_radius=inner,
            outer_radius=outer,
            n_points=n_points,
            distance=np.ascontiguousarray(distance[:, :, :-1]),
            combined=np.ascontiguousarray(distance[:, :, -1]),
            top_degree=top,
        )

    def _check_parameters(self):
        if self.null_correction and self.model == "interval":
            raise ValueError(
                "null_correction=True subtracts distances between random draws, and "
                "model='interval' has none; pass model='annulus'."
            )
        if self.null_correction and self.n_model_samples < 2:
            raise ValueError(
                "null_correction=True compares draws of the model with each other: "
                f"n_model_samples={self.n_model_samples} must be at least 2."
            )

    def _choose_dim(self):
        """Return the dimension of the model."""
        points = self._index.points
        precomputed = is_precomputed(self.metric)
        n_features = np.inf if precomputed else int(np.prod(points.shape[1:]))
        if not isinstance(self.intrinsic_dim, str):
            if self.intrinsic_dim > n_features:
                raise ValueError(
                    f"intrinsic_dim={self.intrinsic_dim} must be at most the number "
                    f"of features, {n_features}."
                )
            return int(self.intrinsic_dim)
        if (points == points[0]).all():  # one point, or all distances 0
            return 1
        with warnings.catch_warnings():  # few neighbours: `fit` warns of them
            warnings.simplefilter("ignore", UserWarning)
            dims = local_intrinsic_dimension(
                points,
                n_neighbors=max(self._grid.n_neighbors, 3),
                n_jobs=self.n_jobs,
                metric=self._index.metric,
            )
        dims = dims[~np.isnan(dims)]
        dim = np.rint(np.median(dims)) if dims.size else 1.0
        return int(np.clip(dim, 1.0, min(_HIGHEST_AUTO_DIM, n_features)))

    def _choose_comparison(self):
        max_degree = self.max_degree
        if max_degree is None:
            max_degree = min(self.intrinsic_dim_ - 1, _HIGHEST_AUTO_DEGREE)
        return Comparison(
            self.intrinsic_dim_,
            int(max_degree),
            self.model == "interval",
            self.combine == "pooled",
            bool(self.normalize),
        )

    def _choose_offset(self):
        scores = self.euclidicity_[~np.isnan(self.euclidicity_)]
        if not scores.size:
            return np.nan
        if self.contamination != "auto":
            return float(np.percentile(-scores, 100.0 * self.contamination))
        lower, upper = np.percentile(scores, [25.0, 75.0])
        return float(-(upper + 1.5 * (upper - lower)))

    def _growth(self):
        return Growth(self._how, self._bank, self._grid, self.n_jobs)

    def _run(self, work, X, growth):
        return each_chunk(
            *(work, self._index, X, self._grid, self._priority),
            prepare=growth,
            n_jobs=self.n_jobs,
            progress=Progress(self.verbose, __name__),
        )

    def __sklearn_tags__(self):
        return set_pairwise_tags(super().__sklearn_tags__(), self.metric)
