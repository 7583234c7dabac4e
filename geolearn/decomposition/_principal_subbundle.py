"""Principal subbundles: charts, distances and surfaces from local PCA."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from geolearn.decomposition._principal_subbundle_chart import TrainingChart
from geolearn.decomposition._principal_subbundle_fit import fit_field
from geolearn.decomposition._principal_subbundle_geometry import SubbundleGeometry
from geolearn.decomposition._principal_subbundle_input import (
    check_new,
    check_training,
    distinct_samples,
)
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context


class PrincipalSubbundle(
    SubbundleGeometry,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    r"""Chart, measure and reconstruct a surface that noisy points lie near [1]_.

    At every point p of the space, on the data or off them, samples get the weights
    :math:`w_i \propto \exp(-d(x_i, p)^2 / 2 \sigma^2)`, and their weighted principal
    directions span the plane :math:`E_p` of `n_components` dimensions: the principal
    subbundle. Its shortest curves, those that are tangent to it everywhere, leave a
    base point in all directions of its plane and sweep out a smooth surface, the
    principal submanifold. The initial velocity of the curve that ends nearest to a
    sample are the coordinates of the sample: geodesic normal coordinates, whose
    length is the distance from the base point along the surface. No neighbour graph
    is measured, so that noise makes no short cut.

    Parameters
    ----------
    n_components : int or "auto", default=2
        Dimension k of the surface, at most that of the space. "auto" takes the most
        frequent number of local eigenvalues above :math:`\sigma^2 / 2`.
    manifold : str or Manifold, default="euclidean"
        Space of the samples: "euclidean", "sphere" or "hyperboloid", or an instance
        of `Euclidean`, `Sphere` or `Hyperboloid` with its curvature. Samples on the
        latter two are in ambient coordinates.
    bandwidth : float or "auto", default="auto"
        Standard deviation :math:`\sigma` of the weights, in units of the data. "auto"
        minimises the predicted error of the planes, see `bandwidth_score`.
    kernel : {"gaussian", "tapered"}, default="gaussian"
        Weights: Gaussian, or a Gaussian that a smooth factor takes to zero at
        `support` bandwidths, which visits fewer samples.
    support : float or None, default=None
        Radius in bandwidths beyond which weights are zero, above 1. None takes 6 for
        "gaussian", where what is cut is below rounding of the integrator, and 4 for
        "tapered".
    base_point : "central", int or array-like of shape (n_features,), default="central"
        Where the curves start: the sample with the smallest mean distance on a
        neighbour graph, the index of a sample, or a point.
    center_base : bool or {"mean", "ridge"}, default=False
        Whether to move the base point towards the middle of the noise. "mean", or
        True, replaces it by the local mean once; "ridge" goes on, across the plane
        only, until the local mean lies in the plane. Both shift the point by about
        :math:`k \sigma^2 / 2R` towards the centre of a curvature of radius R. The base
        points that :meth:`reconstruct` takes are moved, too.
    base_bandwidth : float or None, default=None
        Bandwidth of that step, if there is one; None takes that of the curves. A
        smaller one has less bias.
    integrator : {"rk4", "dop853", "symplectic_euler"}, default="rk4"
        How curves are computed. "dop853" is SciPy's adaptive method, slow and to
        compare with; "symplectic_euler" is of first order.
    step : float, default=0.25
        Length of a step in bandwidths, positive.
    radius : float or None, default=None
        Length of the longest curves of `init` "fan" and of :meth:`reconstruct`. None
        takes the largest distance of a sample from the base point for the former,
        and four bandwidths for the latter.
    n_directions : int, default=64
        Number of directions of a fan of curves.
    init : {"graph", "fan"}, default="graph"
        Where the search for coordinates starts: at those of a neighbour, outwards
        from the base point on the graph of 8 neighbours, or at the nearest point of a
        fan of curves.
    n_neighbors : int, default=10
        Number of neighbours in the graph of :meth:`distance` with `method` "graph".
    epsilon : float, default=1.0
        Share of steps across the plane in the edges of :meth:`distance` with
        `method` "graph", in (0, 1]: their squared length is divided by it.
    max_iter : int, default=15
        Largest number of steps of the search for coordinates.
    tol : float, default=1e-5
        The search ends with a step below `tol` bandwidths, less than 1.
    store_jacobian : bool, default=True
        Whether to keep first and second derivatives of the chart at the training
        samples, ``n * d * k * (k + 1)`` numbers for up to 5000 of them, with which
        new samples are charted in fewer steps.
    random_state : int, RandomState instance or None, default=None
        Draws the samples on which `bandwidth` "auto" and `base_point` "central" look
        when there are many. Pass an int for reproducible results.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all cores. Results do not depend on it.
    verbose : int, default=0
        0 is silent, 1 reports the steps.

    Attributes
    ----------
    bandwidth_ : float
        Bandwidth in use.
    n_components_ : int
        Dimension k of the surface.
    bandwidth_scores_ : ndarray of shape (n_candidates, 2) or None
        Bandwidths that "auto" tried and their scores, predicted errors of the planes
        in radians; None for a given bandwidth.
    base_point_ : ndarray of shape (n_features,)
        Where the curves start.
    base_frame_ : ndarray of shape (n_features, n_components\_)
        Orthonormal basis of the plane there, by decreasing eigenvalue; the entry of
        largest size of each column is positive.
    spectrum_ : ndarray of shape (min(dim, 10),)
        Medians over samples of the local eigenvalues divided by the squared
        bandwidth: near 1 along the surface, small across it.
    embedding_ : ndarray of shape (n_samples, n_components\_)
        Coordinates of the training samples; set by :meth:`fit_transform` only.
    residuals_ : ndarray of shape (n_samples,)
        Their distances from the ends of their curves; set by :meth:`fit_transform`
        only.
    status_ : ndarray of shape (n_samples,), dtype int8
        0 for success, 1 if the curve left the data or the sample is not connected
        with the base point, 2 if the search did not converge, 3 if tangent and normal
        eigenvalues met; set by :meth:`fit_transform` only.
    n_iter_ : int
        Largest number of curves that were tried for a training sample, at least 1; it
        charts the samples if that was not done.
    manifold_ : Manifold
        Space of the samples.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features_in\_,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    LocalPCA : Local spectra and tangent bases of samples, without curves.
    bandwidth_score : Predicted error of the planes.
    principal_subbundle_exp : Curves without an estimator.
    sklearn.manifold.Isomap : Distances measured along a neighbour graph.

    Notes
    -----
    Equal samples count as one of their summed weight, and the order of the samples
    does not matter. Samples that are far from the base point in a strongly curved
    closed surface have several shortest curves, such as antipodes on a sphere; the
    coordinates are then one local solution. Coordinates keep distances from the base
    point only, unless the surface is flat within itself.

    :meth:`score` is the mean of :meth:`score_samples`, so that
    `sklearn.model_selection.GridSearchCV` can choose the bandwidth by the distance
    of held-out samples from the surface. It cannot choose `n_components`: more
    dimensions always come nearer.

    The constant in the exponent of the weights, their centring at the local mean, the
    integrator and the solver are choices of this implementation.

    References
    ----------
    .. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles
       for dimension reduction", 2023, arXiv:2307.03128.

    Examples
    --------
    A half turn of a cylinder, which its chart unrolls:

    >>> import numpy as np
    >>> from geolearn.decomposition import PrincipalSubbundle
    >>> t, h = np.meshgrid(np.linspace(0.0, np.pi, 24), np.linspace(0.0, 1.0, 9))
    >>> X = np.column_stack([np.cos(t.ravel()), np.sin(t.ravel()), h.ravel()])
    >>> model = PrincipalSubbundle(n_components=2, bandwidth=0.3)
    >>> chart = model.fit_transform(X)
    >>> chart.shape, int(model.status_.max())
    ((216, 2), 0)
    >>> ends = chart[[0, 23]]
    >>> bool(abs(np.linalg.norm(ends[1] - ends[0]) / np.pi - 1.0) < 0.05)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        # Which manifolds are supported is said in a message of its own.
        "manifold": [str, HasMethods(["exp", "log", "dist"])],
        "bandwidth": [
            Interval(Real, 0.0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "kernel": [StrOptions({"gaussian", "tapered"})],
        "support": [Interval(Real, 1.0, None, closed="neither"), None],
        "base_point": [StrOptions({"central"}), Integral, "array-like"],
        "center_base": ["boolean", StrOptions({"mean", "ridge"})],
        "base_bandwidth": [Interval(Real, 0.0, None, closed="neither"), None],
        "integrator": [StrOptions({"rk4", "dop853", "symplectic_euler"})],
        "step": [Interval(Real, 0.0, None, closed="neither")],
        "radius": [Interval(Real, 0.0, None, closed="neither"), None],
        "n_directions": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"graph", "fan"})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "epsilon": [Interval(Real, 0.0, 1.0, closed="right")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, 1.0, closed="neither")],
        "store_jacobian": ["boolean"],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=2,
        *,
        manifold="euclidean",
        bandwidth="auto",
        kernel="gaussian",
        support=None,
        base_point="central",
        center_base=False,
        base_bandwidth=None,
        integrator="rk4",
        step=0.25,
        radius=None,
        n_directions=64,
        init="graph",
        n_neighbors=10,
        epsilon=1.0,
        max_iter=15,
        tol=1e-5,
        store_jacobian=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.manifold = manifold
        self.bandwidth = bandwidth
        self.kernel = kernel
        self.support = support
        self.base_point = base_point
        self.center_base = center_base
        self.base_bandwidth = base_bandwidth
        self.integrator = integrator
        self.step = step
        self.radius = radius
        self.n_directions = n_directions
        self.init = init
        self.n_neighbors = n_neighbors
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.tol = tol
        self.store_jacobian = store_jacobian
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def _n_features_out(self):
        return self.n_components_

    @property
    def n_iter_(self):
        """Largest number of curves that were tried for a training sample."""
        check_is_fitted(self)
        return max(1, int(self._training.found(self).n_iter.max()))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Choose bandwidth and base point; the samples are not charted yet.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, at least ``n_components + 2`` distinct ones.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, of any sum; None weighs all samples alike. A sample
            of weight 0 is left out.

        Returns
        -------
        PrincipalSubbundle
            The fitted estimator. The first :meth:`transform` charts the training
            samples, once, if :meth:`fit_transform` did not.

        Raises
        ------
        ValueError
            If `X` is not finite or not on the manifold, if there are too few samples
            for `n_components`, if it exceeds the dimension of the space or of the
            data, if `base_point` is not near the data, or if the bandwidth reaches a
            third of the injectivity radius of the manifold.

        Warns
        -----
        UserWarning
            If too few samples weigh at the base point, and the bandwidth is enlarged;
            if the bandwidth is below the spacing of the data; if the subspace at the
            base point is not defined.
        """
        self._fit(X, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, sample_weight=None):
        """Fit, and chart the training samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, see :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            The attribute ``embedding_``: coordinates, NaN for samples whose status in
            ``status_`` is 1 or 3.

        Raises
        ------
        ValueError
            As :meth:`fit`.

        Warns
        -----
        UserWarning
            As :meth:`fit`, and if samples are not connected with the base point, or
            get no coordinates for another reason.
        ConvergenceWarning
            If the search for coordinates did not converge for some samples.
        """
        X, rows = self._fit(X, sample_weight)
        found = self._training.place(self, X, rows)
        self.embedding_ = found.v
        self.residuals_ = found.residual
        self.status_ = found.status
        return self.embedding_

    def _fit(self, X, sample_weight):
        """Set the fitted attributes; return the samples and their distinct rows."""
        progress = Progress(self.verbose, __name__)
        X, self.manifold_ = check_training(self, X)
        samples = distinct_samples(X, sample_weight)
        rng = check_random_state(self.random_state)
        self._seed = int(rng.randint(2**31 - 1))
        fitted = fit_field(self, X, samples, self.manifold_, rng)
        self._field = fitted.field
        self.bandwidth_ = fitted.field.bandwidth
        self.n_components_ = fitted.field.rank
        self.bandwidth_scores_ = fitted.scores
        self.base_point_, self.base_frame_ = fitted.base, fitted.frame
        self.spectrum_ = fitted.spectrum
        self._training = TrainingChart(
            samples.points,
            self._field,
            self.base_point_,
            self.base_frame_,
            self._seed,
        )
        for name in ("embedding_", "residuals_", "status_"):  # of an earlier fit
            vars(self).pop(name, None)
        progress(
            "%d samples, %d components, bandwidth %.4g",
            len(samples.points),
            self.n_components_,
            self.bandwidth_,
        )
        return X, samples.rows

    def transform(self, X):
        """Return the coordinates of samples in the chart.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples. Rows that equal a training sample get its coordinates, to the
            last bit.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Coordinates; the norm of a row is the distance from ``base_point_`` along
            the surface. NaN for samples that are far from the training samples or not
            connected with the base point. A row depends on its own sample only.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, not on the manifold or has other features.

        Warns
        -----
        UserWarning
            If training samples get no coordinates, at the first call after
            :meth:`fit`.
        ConvergenceWarning
            If the search did not converge for some of them, at that call.
        """
        check_is_fitted(self)
        return self._chart_of(check_new(self, X)).v

    def inverse_transform(self, X):
        """Return the points of the surface that have given coordinates.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Coordinates; rows with NaN are answered by NaN.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Points; NaN where the curve leaves the data.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If the shape is wrong or an entry infinite.
        """
        return self.exp(X)

    def residuals(self, X):
        """Return the distances of samples from the surface.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distances, NaN where :meth:`transform` has NaN.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, not on the manifold or has other features.
        """
        check_is_fitted(self)
        return self._chart_of(check_new(self, X)).residual

    def score_samples(self, X):
        """Return minus the squared distances of samples from the surface.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Scores, finite. The surface contains ``base_point_``, whose distance is
            taken for samples without coordinates.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, not on the manifold or has other features.
        """
        check_is_fitted(self)
        X = check_new(self, X)
        distance = self._chart_of(X).residual.copy()
        lost = np.isnan(distance)
        if lost.any():
            distance[lost] = self.manifold_.dist(X[lost], self.base_point_)
        return -(distance**2)

    def score(self, X, y=None):
        """Return the mean of :meth:`score_samples`, to be maximised.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        float
            Minus the mean squared distance from the surface.
        """
        return float(np.mean(self.score_samples(X)))

    def _chart_of(self, X):
        """Return coordinates, residuals and status of checked samples."""
        return self._training.place(self, X)
