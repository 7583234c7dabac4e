"""Metric multidimensional scaling as an estimator that places new samples."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from geolearn.embedding._distance_input import LandmarkInputMixin, choose_landmarks
from geolearn.optimize import metric_mds
from geolearn.optimize._placement import placement
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context

# Above this many samples no n x n array is made: landmarks are embedded instead.
_ALL_UP_TO = 10_000
_N_LANDMARKS = 1_000

# Majorisation steps of a new sample; it stops earlier when it rests.
_PLACEMENT_STEPS = 100

# Rows of given distances that are placed at a time.
_ROWS = 4096


def _inverse_distances(D, smallest):
    """Return 1 / D with distances below `smallest` raised to it."""
    return 1.0 / np.maximum(D, smallest, dtype=np.float64)


def _smallest_positive(D):
    return min((row[row > 0.0].min(initial=np.inf) for row in D), default=np.inf)


def _start(init, n, n_components, chosen):
    """Return the rows of a given start that belong to the landmarks."""
    if isinstance(init, str):
        return init
    start = np.asarray(init, dtype=np.float64)
    if start.shape != (n, n_components):
        raise ValueError(
            f"init must have shape (n_samples, n_components)=({n}, {n_components}); "
            f"got {start.shape}."
        )
    return start[chosen]


def _place_among(D, landmarks, weights, n_jobs):
    """Place points by distances D from centred landmarks, the better of two starts.

    One start solves |y - Y_l|^2 = D_l^2, linear after subtracting the mean over
    l, by least squares; it is exact for Euclidean distances. The other is the
    nearest landmark, which helps where far distances are distorted. A point at
    distance zero from landmarks goes to their mean.
    """
    squares = np.sum(landmarks**2, axis=1) - np.square(D, dtype=np.float64)
    squares -= squares.mean(axis=1, keepdims=True)
    linear = 0.5 * squares @ np.linalg.pinv(landmarks).T
    options = {"weights": weights, "n_iter": _PLACEMENT_STEPS, "n_jobs": n_jobs}
    Y, loss = placement(D, landmarks, linear, **options)
    near, near_loss = placement(D, landmarks, landmarks[D.argmin(axis=1)], **options)
    better = near_loss <= loss
    Y[better] = near[better]
    for i in np.flatnonzero((D == 0.0).any(axis=1)):
        Y[i] = landmarks[D[i] == 0.0].mean(axis=0)
    return Y


class MetricMDS(
    LandmarkInputMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Embed samples so that distances between them are kept [1]_.

    Minimises the stress ``sum_{i<j} w_ij (|y_i - y_j| - D_ij)^2`` over the embedding
    y by `geolearn.optimize.metric_mds`, starting from classical scaling. New
    samples are placed by their distances from the training samples, which stay
    where they are.

    Above 10 000 samples (`n_landmarks`), a random subset is embedded and the
    rest is placed like new samples [2]_, so that time and memory grow linearly.

    Parameters
    ----------
    n_components : int, default=2
        Dimension of the embedding; below the number of embedded samples.
    metric : str, callable or Manifold, default="euclidean"
        Distance D: a name of `geolearn.metrics` or scikit-learn, a function of
        two samples, a manifold, or "precomputed", where `X` holds distances.
    metric_params : dict or None, default=None
        Further arguments of the metric.
    n_landmarks : int, "auto" or None, default="auto"
        Number of samples that are embedded by their mutual distances, at most
        all. "auto" takes all up to 10 000 samples and 1000 beyond; None takes
        all, with 8 n^2 bytes for the distances and 4 n^2 for the solver.
    solver : {"auto", "sgd", "smacof", "classical"}, default="auto"
        "sgd" is the stochastic gradient, "smacof" majorisation, "auto" the first
        polished by the second, "classical" the eigenvectors alone.
    weights : {"inverse_distance"}, array-like of shape (n_samples, n_samples) or \
            None, default=None
        Weights w. None weighs all pairs alike. "inverse_distance" is w = 1 / D,
        where zero distances count as the smallest positive one: it favours near
        pairs. An array applies to the training samples; new samples are then
        placed with equal weights.
    init : "classical" or array-like of shape (n_samples, n_components), \
            default="classical"
        Where to start.
    max_iter : int, default=300
        Largest number of majorisation steps.
    tol : float, default=1e-7
        Majorisation stops when a step lowers the stress by at most `tol` times
        sum_{i<j} w_ij D_ij^2.
    n_epochs : int or None, default=None
        Sweeps of the stochastic gradient; None means 15, or 60 if the largest
        weight is over 100 times the smallest positive one.
    random_state : int, RandomState instance or None, default=None
        Draws landmarks and the order of the updates. Pass an int for
        reproducible results, also across any `n_jobs`.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all.
    verbose : int, default=0
        1 logs the stages, 2 every sweep.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components)
        Coordinates in the units of the distances, along principal axes; the
        entry of largest modulus in each column is positive.
    stress_ : float
        Stress-1 of the landmarks' embedding, the root of the relative weighted
        squared error: 0 is perfect, 0.05 good, above 0.2 poor.
    n_iter_ : int
        Number of sweeps over the pairs; 0 for the classical solution.
    dissimilarity_ : ndarray of shape (n_landmarks, n_landmarks)
        Distances that were embedded.
    landmark_indices_ : ndarray of shape (n_landmarks,)
        Samples that were embedded by their mutual distances; all of them unless
        landmarks are in use.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `X` had names that are all strings.

    References
    ----------
    .. [1] J. de Leeuw, "Applications of convex analysis to multidimensional
       scaling", Recent Developments in Statistics, 1977.
    .. [2] V. de Silva, J. B. Tenenbaum, "Sparse multidimensional scaling using
       landmark points", technical report, Stanford University, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.embedding import MetricMDS
    >>> X = np.random.default_rng(0).normal(size=(50, 3)) * [3.0, 2.0, 0.1]
    >>> mds = MetricMDS(n_components=2, random_state=0).fit(X)
    >>> mds.embedding_.shape, mds.stress_ < 0.01
    ((50, 2), True)
    >>> mds.transform(X[:5] + 0.01).shape
    (5, 2)
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "metric": [str, callable, HasMethods("dist")],
        "metric_params": [dict, None],
        "n_landmarks": [
            Interval(Integral, 2, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "solver": [StrOptions({"auto", "sgd", "smacof", "classical"})],
        "weights": [StrOptions({"inverse_distance"}), "array-like", None],
        "init": [StrOptions({"classical"}), "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "n_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=2,
        *,
        metric="euclidean",
        metric_params=None,
        n_landmarks="auto",
        solver="auto",
        weights=None,
        init="classical",
        max_iter=300,
        tol=1e-7,
        n_epochs=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.metric = metric
        self.metric_params = metric_params
        self.n_landmarks = n_landmarks
        self.solver = solver
        self.weights = weights
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.n_epochs = n_epochs
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
            Samples, or their distances if `metric` is "precomputed".
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        MetricMDS
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` is not finite, if given distances are not symmetric and
            non-negative with zero diagonal, or if `n_components` or
            `n_landmarks` does not fit the number of samples.
        """
        X = self._validated(X, ensure_min_samples=2)
        n = X.shape[0]
        if self._is_precomputed and X.shape[1] != n:
            raise ValueError(
                f"X must be a square matrix of distances for metric='precomputed'; "
                f"got shape {X.shape}."
            )
        rng = check_random_state(self.random_state)
        chosen = choose_landmarks(
            self.n_landmarks,
            n,
            all_up_to=_ALL_UP_TO,
            otherwise=_N_LANDMARKS,
            random_state=rng,
        )
        D = self._mutual_distances(X, chosen)
        self._smallest = _smallest_positive(D) if self._is_weighted_inversely else None
        result = metric_mds(
            D,
            self.n_components,
            weights=self._mutual_weights(D, n, chosen),
            solver=self.solver,
            init=_start(self.init, n, self.n_components, chosen),
            max_iter=self.max_iter,
            tol=self.tol,
            n_epochs=self.n_epochs,
            random_state=rng,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        self.landmark_indices_ = chosen
        self.dissimilarity_ = D
        self.stress_ = result.stress
        self.n_iter_ = result.n_iter
        self._landmarks = X[chosen] if not self._is_precomputed else None
        self._landmark_embedding = result.embedding
        self.embedding_ = self._with_the_rest(X, chosen)
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
        ndarray of shape (n_samples, n_components)
            The attribute `embedding_`.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        return self.fit(X).embedding_

    def transform(self, X):
        """Place samples by their distances from the training samples.

        A sample at distance zero from training samples is put in their place.

        Parameters
        ----------
        X : array-like of shape (n_new, n_features) or (n_new, n_fit)
            New samples, or their distances from all samples of `fit` if `metric`
            is "precomputed".

        Returns
        -------
        ndarray of shape (n_new, n_components)
            Coordinates; each depends on its own sample only.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite or has another number of columns than in `fit`.
        """
        check_is_fitted(self)
        return self._place(self._validated(X, reset=False))

    def _validated(self, X, **options):
        if self._is_precomputed:
            options |= {"ensure_non_negative": True, "dtype": [np.float64, np.float32]}
        return validate_data(self, X, order="C", **({"dtype": np.float64} | options))

    @property
    def _is_weighted_inversely(self):
        return isinstance(self.weights, str)

    def _mutual_weights(self, D, n, chosen):
        if self.weights is None:
            return None
        if self._is_weighted_inversely:
            # Without a positive distance there is nothing to weigh.
            if not np.isfinite(self._smallest):
                return None
            return _inverse_distances(D, self._smallest)
        W = np.asarray(self.weights)
        if W.shape != (n, n):
            raise ValueError(
                f"weights must have shape (n_samples, n_samples)=({n}, {n}); got "
                f"{W.shape}."
            )
        return W if chosen.size == n else W[np.ix_(chosen, chosen)]

    def _with_the_rest(self, X, chosen):
        """Return the embedding of all samples, those outside `chosen` placed."""
        n = X.shape[0]
        if chosen.size == n:
            return self._landmark_embedding
        rest = np.setdiff1d(np.arange(n), chosen)
        given = not (self.weights is None or self._is_weighted_inversely)
        W = np.asarray(self.weights)[np.ix_(rest, chosen)] if given else None
        embedding = np.empty((n, self.n_components))
        embedding[chosen] = self._landmark_embedding
        embedding[rest] = self._place(X[rest], W)
        return embedding

    def _place(self, X, weights=None):
        """Return coordinates of rows by their distances, block by block."""
        out = np.empty((X.shape[0], self._landmark_embedding.shape[1]))
        for rows, D in self._distance_blocks(X, _ROWS):
            W = None if weights is None else weights[rows]
            if self._is_weighted_inversely and np.isfinite(self._smallest):
                W = _inverse_distances(D, self._smallest)
            out[rows] = _place_among(D, self._landmark_embedding, W, self.n_jobs)
        return out
