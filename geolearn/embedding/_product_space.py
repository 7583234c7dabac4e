"""Embedding of distances in products of spaces of constant curvature."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from geolearn.embedding._distance_input import DistanceInputMixin
from geolearn.embedding._product_input import (
    check_distances,
    check_numbers,
    check_range,
    largest_finite,
    warn_skipped,
)
from geolearn.embedding._product_loss import (
    FullLoss,
    SampledLoss,
    component_table,
    mean_distortion,
)
from geolearn.embedding._product_placement import place
from geolearn.embedding._product_start import random_start, scaling_start
from geolearn.manifolds._signature import check_signature, product_space
from geolearn.optimize import RiemannianAdam
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context

# Above this many points each step takes a sample of the pairs.
_ALL_PAIRS_UP_TO = 5000

# How often the learning rate falls to three tenths before the loss is at rest: the
# kinks of the loss keep points a step away from their places.
_N_DECAYS = 6

_EXACT = 1e-12  # loss of a pair that rounding explains
_REPORT_EVERY = 100


class ProductSpaceEmbedding(
    DistanceInputMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Embed distances in a product of hyperbolic, flat and spherical spaces [1]_.

    Minimises the sum over pairs of ``|d(x_i, x_j)^2 / D_ij^2 - 1|`` by Riemannian
    Adam [2]_, with gradients in closed form. Pairs at distance zero or infinity
    count for nothing. New samples are placed by their distances from the training
    samples, which stay where they are.

    Up to 5000 samples every step takes all pairs. Beyond, it takes the pairs with
    the 10 nearest samples of each and 50 others drawn anew, weighted so that loss
    and gradient are right on average.

    Parameters
    ----------
    signature : sequence of (curvature, dim) pairs, default=((-1.0, 2),)
        Components: negative curvature is a hyperboloid and positive curvature a
        sphere, of dim + 1 columns each; zero is flat space of dim columns.
        Curvatures have the unit of one over squared distances: for (1.0, 2), the
        sphere of radius 1, no two points are farther apart than pi.
    metric : str, callable or Manifold, default="precomputed"
        "precomputed", where `X` holds distances, or the distance between samples: a
        name of `geolearn.metrics` or scikit-learn, a function, a manifold.
    metric_params : dict or None, default=None
        Further arguments of the metric.
    optimizer : {"radam", "ramsgrad"}, default="radam"
        Riemannian Adam, or its variant that never forgets a large gradient.
    learning_rate : float, default=0.01
        Length of the first steps, positive, in units of the largest distance.
        Where the loss comes to rest, it falls to three tenths, six times.
    burn_in : float, default=0.1
        Share of `max_iter`, in [0, 1), with a tenth of the learning rate.
    max_iter : int, default=5000
        Largest number of steps.
    tol : float, default=1e-6
        Relative fall of the loss, in the mean over 25 steps, that counts as rest.
    init : {"hmds", "random"}, default="hmds"
        "hmds" scales each component in turn to what the ones before it leave of the
        squared distances: hyperbolic, classical or spherical multidimensional
        scaling. "random" is normal vectors at the origin.
    random_state : int, RandomState instance or None, default=None
        Draws random starts and pairs. Pass an int for reproducible results.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.
    verbose : int, default=0
        1 logs the loss every 100 steps.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_columns)
        Points of the product space; distances are in the units of those given.
    manifold_ : ProductManifold
        The product space.
    loss_curve_ : ndarray of shape (n_iter,)
        Loss before each step; estimates above 5000 samples.
    n_iter_ : int
        Number of steps.
    distortion_ : float
        Average over the pairs that count of ``|d - D| / D``.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    select_signature : Choice of the components.
    HyperbolicMDS : Exact embedding in one hyperbolic space.
    geolearn.optimize.RiemannianAdam : The optimizer.

    References
    ----------
    .. [1] A. Gu, F. Sala, B. Gunel, C. Ré, "Learning mixed-curvature
       representations in product spaces", ICLR 2019.
    .. [2] G. Bécigneul, O.-E. Ganea, "Riemannian adaptive optimization methods",
       ICLR 2019, arXiv:1810.00760.

    Examples
    --------
    A cycle of 24 nodes is a great circle:

    >>> import numpy as np
    >>> from geolearn.embedding import ProductSpaceEmbedding
    >>> steps = np.abs(np.subtract.outer(np.arange(24), np.arange(24)))
    >>> D = np.minimum(steps, 24 - steps) / 12
    >>> sphere = ProductSpaceEmbedding([(np.pi**2, 2)], random_state=0).fit(D)
    >>> sphere.embedding_.shape, sphere.distortion_ < 1e-3
    ((24, 3), True)
    """

    _parameter_constraints: ClassVar[dict] = {
        "signature": ["array-like"],
        "metric": [str, callable, HasMethods("dist")],
        "metric_params": [dict, None],
        "optimizer": [StrOptions({"radam", "ramsgrad"})],
        "learning_rate": [Interval(Real, 0.0, None, closed="neither")],
        "burn_in": [Interval(Real, 0.0, 1.0, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "init": [StrOptions({"hmds", "random"})],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        signature=((-1.0, 2),),
        *,
        metric="precomputed",
        metric_params=None,
        optimizer="radam",
        learning_rate=0.01,
        burn_in=0.1,
        max_iter=5000,
        tol=1e-6,
        init="hmds",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.signature = signature
        self.metric = metric
        self.metric_params = metric_params
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.burn_in = burn_in
        self.max_iter = max_iter
        self.tol = tol
        self.init = init
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def _n_features_out(self):
        return self.embedding_.shape[1]

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Embed the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Samples, or their distances if `metric` is "precomputed"; infinite
            distances are left out.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        ProductSpaceEmbedding
            The fitted estimator.

        Raises
        ------
        ValueError
            If the signature is not a sequence of pairs, given distances are not
            symmetric and non-negative with zero diagonal, all are infinite, or the
            largest is over 60 radii of a hyperbolic component.

        Warns
        -----
        UserWarning
            If distances are infinite.
        ConvergenceWarning
            If the loss has not come to rest after `max_iter` steps.
        """
        signature = check_signature(self.signature)
        X = self._validated(X, ensure_min_samples=2)
        D = self._mutual_distances(X)
        self._X_fit = None if self._is_precomputed else X
        self._scale = largest_finite(D)
        if self._scale == 0.0 and np.isinf(D).any():
            raise ValueError(
                "X has no finite distance between samples that differ, so that "
                "there is nothing to embed; check how the distances were made."
            )
        check_range(signature, self._scale)
        warn_skipped(D)
        self.manifold_ = product_space(signature)
        self._define_scaled(signature)
        rng = check_random_state(self.random_state)
        self._descend(D, self._start(D, rng), rng)
        self.distortion_ = mean_distortion(
            self._points, D, self._scale, self._components, self.n_jobs
        )
        self.embedding_ = self.manifold_.project(self._points * self._unit)
        return self

    def fit_transform(self, X, y=None):
        """Embed the samples and return the embedding.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Samples, or their distances if `metric` is "precomputed".
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            The attribute `embedding_`.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        return self.fit(X).embedding_

    def transform(self, X):
        """Place samples by their distances from the training samples.

        Each is placed where the loss of its pairs is least, as far as descents from
        the nearest training samples and from beyond them can tell: samples much
        farther out than the training samples may get worse places. One at distance
        zero from a training sample is put in its place.

        Parameters
        ----------
        X : array-like of shape (n_new, n_features) or (n_new, n_fit)
            New samples, or their distances from all samples of `fit` if `metric`
            is "precomputed"; infinite distances are left out.

        Returns
        -------
        ndarray of shape (n_new, n_columns)
            Points; each depends on its own sample only.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If a distance is NaN or negative, all of a sample are infinite, or `X`
            has another number of columns than in `fit`.
        """
        check_is_fitted(self)
        D = self._validated(X, reset=False)
        if not self._is_precomputed:
            D = self._distances(D, self._X_fit)
        check_numbers(D)
        lost = np.isinf(D).all(axis=1)
        if lost.any():
            raise ValueError(
                f"Input X contains only infinity (inf) in row {int(lost.argmax())}: "
                f"that sample has no place. Leave it out."
            )
        warn_skipped(D)
        scaled = place(
            self._scaled_manifold,
            self._points,
            D,
            self._unit,
            self._components,
            self.n_jobs,
        )
        Y = self.manifold_.project(scaled * self._unit)
        nearest = D.argmin(axis=1)
        same = D[np.arange(len(D)), nearest] == 0.0
        Y[same] = self.embedding_[nearest[same]]
        return Y

    def _validated(self, X, **options):
        if self._is_precomputed:
            options["ensure_all_finite"] = False
        return validate_data(self, X, dtype=np.float64, order="C", **options)

    def _mutual_distances(self, X):
        if self._is_precomputed:
            check_distances(X)
            return X
        return self._distances(X)

    @property
    def _unit(self):
        """Distances are divided by this; the largest one, if it is positive."""
        return self._scale if self._scale > 0.0 else 1.0

    def _define_scaled(self, signature):
        """Assign the space in which the largest distance is 1."""
        scaled = tuple((K * self._unit**2, dim) for K, dim in signature)
        self._scaled_signature = scaled
        self._scaled_manifold = product_space(scaled)
        self._components = component_table(scaled)

    def _start(self, D, rng):
        n = D.shape[0]
        if self._scale == 0.0:
            return np.tile(self._scaled_manifold.origin, (n, 1))
        if self.init == "random":
            return random_start(self._scaled_manifold, self._scaled_signature, n, rng)
        return scaling_start(
            self._scaled_manifold, self._scaled_signature, D / self._unit, rng
        )

    def _descend(self, D, start, rng):
        """Assign points, loss curve and number of steps."""
        n = D.shape[0]
        sampled = n > _ALL_PAIRS_UP_TO
        arguments = (D, self._unit, self._components, self.n_jobs)
        objective = SampledLoss(*arguments, rng) if sampled else FullLoss(*arguments)
        progress = Progress(self.verbose, __name__)

        def report(step, loss):
            if step % _REPORT_EVERY == 1:
                progress("step %d, loss %.6g", step, loss)

        adam = RiemannianAdam(
            self._scaled_manifold,
            learning_rate=self.learning_rate,
            amsgrad=self.optimizer == "ramsgrad",
            n_jobs=self.n_jobs,
        )
        result = adam.minimize(
            objective,
            start,
            max_iter=self.max_iter,
            tol=self.tol,
            n_decays=_N_DECAYS,
            burn_in=int(self.burn_in * self.max_iter),
            target=_EXACT * n * (n - 1) / 2,
            stochastic=sampled,
            callback=report,
        )
        self._points = result.point
        self.loss_curve_ = result.loss_curve
        self.n_iter_ = result.n_iter
        if not result.converged:
            self._warn_unfinished()

    def _warn_unfinished(self):
        window = self.loss_curve_[-50:]
        fall = 1.0 - window[-25:].mean() / max(window[:25].mean(), 1e-300)
        warnings.warn(
            f"ProductSpaceEmbedding did not come to rest in max_iter={self.max_iter} "
            f"steps: over the last 50, the mean loss fell by {fall:.2g}, wanted is "
            f"tol={self.tol:g} at all {_N_DECAYS + 1} learning rates. Raise max_iter, "
            f"learning_rate or tol.",
            ConvergenceWarning,
            stacklevel=4,
        )
