"""The augmented covariance method as one classifier."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, StratifiedKFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._augmentation_grid import feasible_pairs
from geolearn.covariance._augmentation_search import search_augmentation
from geolearn.covariance._augmented import AugmentedCovariances
from geolearn.covariance._delays import LAG_RULES, ORDER_RULES, select_delays
from geolearn.covariance._input import StackInput, check_labels, check_stack
from geolearn.covariance._mdm import MDM
from geolearn.covariance._tangent_space import TangentSpace
from geolearn.manifolds import BlockToeplitz
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context
from geolearn.utils.validation import check_sample_weight

__all__ = ["AugmentedCovarianceClassifier"]

_GRID = range(1, 11)  # orders and lags that the paper searches
_SVM_GRID = {"C": [0.5, 1.0, 1.5], "kernel": ["linear", "rbf"]}  # the paper's
_AXES = ("n_trials", "n_channels", "n_times")


def _inner_has(method):
    def check(self):
        model = self.pipeline_[-1] if hasattr(self, "pipeline_") else self._model()
        return hasattr(model, method)

    return check


class AugmentedCovarianceClassifier(StackInput, ClassifierMixin, BaseEstimator):
    """Classify multichannel trials by the augmented covariance method [1]_.

    Each trial is embedded in delay coordinates, so that its covariance matrix holds
    temporal as well as spatial information; the matrices are classified in the
    tangent space at their Riemannian mean, or by their distances to class means.
    Order and lag of the embedding, and the parameters of the inner model, are chosen
    on the training trials only: by cross-validation, or by the rules of dynamical
    systems. Score the estimator on other trials, e.g. with
    :func:`sklearn.model_selection.cross_val_score`, which then nests the choice:
    scores of folds that also chose order and lag are optimistic.

    The same as an explicit pipeline is ``make_pipeline(AugmentedCovariances(order,
    lag), TangentSpace(), SVC())``.

    Parameters
    ----------
    order : int, {"grid", "cao", "cao_saturation", "mdop"} or sequence of int, \
            default="grid"
        Number p of delayed copies of each channel. ``"grid"`` tries 1 to 10, a
        sequence the orders in it. The other names choose by :func:`select_delays`.
    lag : int, {"grid", "mutual_information", "autocorrelation", \
            "autocorrelation_zero", "mdop"} or sequence of int, default="grid"
        Delay between copies, in samples. ``"grid"`` tries 1 to 10, a sequence the
        lags in it; the other names choose by :func:`select_delays`. Pairs whose
        matrices would be larger than half the number of embedded samples are left
        out of grids.
    classifier : {"svm", "mdm"} or estimator, default="svm"
        ``"svm"``: support vector machine on tangent vectors. ``"mdm"``: minimum
        distance to the class means, :class:`MDM`. A classifier of scikit-learn is
        fitted to tangent vectors.
    param_grid : dict or list of dict, default=None
        Parameters of `classifier` to try, as for
        :class:`sklearn.model_selection.GridSearchCV`. None tries the paper's grid
        for ``"svm"`` (C in {0.5, 1, 1.5}, linear and rbf kernel), and nothing for
        others.
    estimator : str or callable, default="scm"
        Covariance estimator, as in :class:`AugmentedCovariances`.
    shrinkage : float, default=None
        As in :class:`AugmentedCovariances`.
    ridge : float, default=0.0
        As in :class:`AugmentedCovariances`.
    metric : str, default="affine_invariant"
        Geometry of the matrices, as in :class:`TangentSpace`. ``"block_toeplitz"``
        is the follow-up [2]_: block-Toeplitz matrices in the geometry of
        :class:`geolearn.manifolds.BlockToeplitz`, at a cost that grows with
        ``order * n_channels ** 3`` only. It weighs the lagged information less, and
        can be less accurate (see the user guide).
    metric_params : dict, default=None
        Further parameters of the metric.
    cv : int, splitter or iterable, default=3
        Folds of the choice; an int makes stratified shuffled ones.
    scoring : str or callable, default=None
        Score to maximise; None takes the accuracy.
    random_state : int, RandomState instance or None, default=None
        Shuffles the folds. Pass an int for reproducible results.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.
    verbose : int, default=0
        1 reports every pair of order and lag.

    Attributes
    ----------
    order_ : int
        Order used.
    lag_ : int
        Lag used, in samples.
    best_params_ : dict
        Parameters of the inner model that were chosen.
    best_score_ : float
        Mean score of the choice over the folds; NaN where there was one candidate.
    cv_results_ : dict of ndarray
        Scores of all candidates, with their ``order``, ``lag`` and ``params``; empty
        where there was one candidate.
    orders_ : ndarray of int of shape (n_orders,)
        Orders that were tried.
    lags_ : ndarray of int of shape (n_lags,)
        Lags that were tried.
    score_surface_ : ndarray of shape (n_orders, n_lags)
        Best mean score of each order and lag; NaN where not tried. Order 1 has the
        same score for all lags.
    pipeline_ : Pipeline
        Covariances, tangent space (except for ``"mdm"``) and classifier, fitted to
        all training trials.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of channels seen during :term:`fit`.

    See Also
    --------
    AugmentedCovariances : The matrices.
    TangentSpace : Their tangent vectors.

    Notes
    -----
    The full grid has up to 100 pairs; the covariances, means and tangent vectors of a
    pair and fold are computed once for all parameter sets. Matrices have
    ``n_channels * order`` rows, and the time grows with their cube: with more than
    about 20 channels, pass shorter sequences.

    References
    ----------
    .. [1] I. Carrara, T. Papadopoulo, "Classification of BCI-EEG based on augmented
       covariance matrix", 2023, arXiv:2302.04508.
    .. [2] I. Carrara, T. Papadopoulo, "Enhancing computational efficiency of motor
       imagery BCI classification with block-Toeplitz augmented covariance matrices
       and Siegel metric", 2024, arXiv:2406.16909.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from geolearn.covariance import AugmentedCovarianceClassifier
    >>> from geolearn.datasets import make_autoregressive_trials
    >>> X, y = make_autoregressive_trials(n_trials_per_class=40, random_state=0)
    >>> plain = AugmentedCovarianceClassifier(order=1, lag=1, random_state=0)
    >>> bool(cross_val_score(plain, X, y, cv=2).mean() < 0.7)
    True
    >>> model = AugmentedCovarianceClassifier(order=[1, 2, 4], lag=1, random_state=0)
    >>> bool(cross_val_score(model, X, y, cv=2).mean() > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "order": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"grid", *ORDER_RULES}),
            "array-like",
        ],
        "lag": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"grid", *LAG_RULES}),
            "array-like",
        ],
        "classifier": [StrOptions({"svm", "mdm"}), HasMethods(["fit", "predict"])],
        "param_grid": [dict, list, None],
        "estimator": [str, callable],
        "shrinkage": [Interval(Real, 0, 1, closed="both"), None],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "metric": [str],
        "metric_params": [dict, None],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        order="grid",
        lag="grid",
        *,
        classifier="svm",
        param_grid=None,
        estimator="scm",
        shrinkage=None,
        ridge=0.0,
        metric="affine_invariant",
        metric_params=None,
        cv=3,
        scoring=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.order = order
        self.lag = lag
        self.classifier = classifier
        self.param_grid = param_grid
        self.estimator = estimator
        self.shrinkage = shrinkage
        self.ridge = ridge
        self.metric = metric
        self.metric_params = metric_params
        self.cv = cv
        self.scoring = scoring
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Choose order, lag and inner parameters, then fit to all trials.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials.
        y : array_like of shape (n_trials,)
            Class labels.
        sample_weight : array_like of shape (n_trials,), default=None
            Weights of the trials in means and in the classifier.
        groups : array_like of shape (n_trials,), default=None
            Sessions or subjects, for a `cv` that splits by groups.

        Returns
        -------
        AugmentedCovarianceClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` or `y` is unusable, there is one class, no pair of order and lag
            fits the length of the trials, or the covariances are not positive
            definite: the message names the first such trial and the remedy.
        """
        X = check_stack(self, X, reset=True, axes=_AXES)
        self.classes_, codes = check_labels(self, X, y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class, {self.classes_[0]!r}; the classifier needs at "
                f"least 2 classes."
            )
        y = self.classes_[codes]
        if sample_weight is not None:
            check_sample_weight(sample_weight, len(X))
            # Not normalised: weights multiply C of a support vector machine.
            sample_weight = np.asarray(sample_weight, dtype=np.float64)
        pairs = self._pairs(X)
        candidates = list(ParameterGrid(self._param_grid()))
        if not candidates:
            raise ValueError(
                f"param_grid={self.param_grid!r} holds no candidate; give at least one "
                f"value of each parameter, or {{}} to tune none."
            )
        self.orders_ = np.unique([order for order, _ in pairs])
        self.lags_ = np.unique([lag for _, lag in pairs])
        self.score_surface_ = np.full((len(self.orders_), len(self.lags_)), np.nan)
        self.cv_results_ = {}
        self.best_score_ = np.nan
        if len(pairs) == len(candidates) == 1:
            (self.order_, self.lag_), self.best_params_ = pairs[0], candidates[0]
        else:
            self._search(X, y, pairs, candidates, sample_weight, groups)
        self.pipeline_ = self._fit_pipeline(X, y, sample_weight)
        return self

    def predict(self, X):
        """Predict class labels.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials with the channels of :meth:`fit`; their length may differ.

        Returns
        -------
        ndarray of shape (n_trials,)
            Labels.
        """
        X = self._trials(X)
        return self.pipeline_.predict(X)

    @available_if(_inner_has("predict_proba"))
    def predict_proba(self, X):
        """Estimate class probabilities; only if the inner classifier does.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials, n_classes)
            Probabilities in the order of `classes_`.
        """
        X = self._trials(X)
        return self.pipeline_.predict_proba(X)

    @available_if(_inner_has("decision_function"))
    def decision_function(self, X):
        """Return confidence scores; only if the inner classifier does.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,) or (n_trials, n_classes)
            Scores; with two classes, positive for ``classes_[1]``.
        """
        X = self._trials(X)
        return self.pipeline_.decision_function(X)

    # Steps of fit.

    def _pairs(self, X):
        """Return the candidates (order, lag), cheapest first."""
        orders, lags = _values(self.order), _values(self.lag)
        if orders is None and lags is not None and len(lags) > 1:
            raise ValueError(
                f"order={self.order!r} chooses one order for one lag, but "
                f"lag={self.lag!r} is a grid; pass an int or a rule as lag."
            )
        if orders is None or lags is None:
            choice = select_delays(
                X,
                self.order if orders is None else orders[0],
                self.lag if lags is None else lags[0],
                n_jobs=self.n_jobs,
            )
            orders = [choice.order] if orders is None else orders
            lags = [choice.lag] if lags is None else lags
        if len(orders) * len(lags) == 1:
            return [(orders[0], lags[0])]  # its covariances tell what is wrong
        return sorted(feasible_pairs(orders, lags, X.shape[1], X.shape[2]))

    def _model(self):
        if isinstance(self.classifier, str):
            if self.classifier == "svm":
                return SVC()
            return MDM(n_jobs=self.n_jobs)
        return clone(self.classifier)

    def _param_grid(self):
        if self.param_grid is not None:
            return self.param_grid
        return _SVM_GRID if self.classifier == "svm" else {}

    def _parts(self, order, lag, n_channels):
        """Return unfitted covariances, tangent space or None, and inner model."""
        toeplitz = self.metric.replace("-", "_") == "block_toeplitz"
        covariances = AugmentedCovariances(
            order,
            lag,
            estimator=self.estimator,
            shrinkage=self.shrinkage,
            ridge=self.ridge,
            toeplitz=toeplitz,
            n_jobs=self.n_jobs,
        )
        geometry = {
            "metric": BlockToeplitz(order, n_channels) if toeplitz else self.metric,
            "metric_params": self.metric_params,
        }
        model = self._model()
        if isinstance(self.classifier, str) and self.classifier == "mdm":
            return covariances, None, model.set_params(**geometry)
        tangent_space = TangentSpace(**geometry, n_jobs=self.n_jobs)
        return covariances, tangent_space, model

    def _search(self, X, y, pairs, candidates, sample_weight, groups):
        cv = self.cv
        if isinstance(cv, Integral):
            # The seed is drawn here, so that all folds of one fit are the same.
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            cv = StratifiedKFold(cv, shuffle=True, random_state=seed)
        cv = check_cv(cv, y, classifier=True)
        result = search_augmentation(
            X,
            y,
            pairs,
            candidates,
            lambda order, lag: self._parts(order, lag, X.shape[1]),
            folds=list(cv.split(X, y, groups)),
            scorer=check_scoring(self._model(), scoring=self.scoring),
            sample_weight=sample_weight,
            progress=Progress(self.verbose, __name__),
        )
        self.order_, self.lag_, self.best_params_, self.cv_results_ = result
        scores = self.cv_results_["mean_test_score"]
        self.best_score_ = float(np.nanmax(scores))
        rows = np.searchsorted(self.orders_, self.cv_results_["order"])
        columns = np.searchsorted(self.lags_, self.cv_results_["lag"])
        np.fmax.at(self.score_surface_, (rows, columns), scores)
        if self.orders_[0] == 1:  # the lag means nothing, and is tried once
            self.score_surface_[0] = np.nanmax(self.score_surface_[0])

    def _fit_pipeline(self, X, y, sample_weight):
        # Step by step: a pipeline routes weights in two ways, by global settings.
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        covariances, tangent_space, model = self._parts(
            self.order_, self.lag_, self.n_features_in_
        )
        features = covariances.fit_transform(X)
        steps = [("augmented_covariances", covariances)]
        if tangent_space is not None:
            tangent_space.set_output(transform="default")
            features = tangent_space.fit(features, **weight).transform(features)
            steps.append(("tangent_space", tangent_space))
        model.set_params(**self.best_params_).fit(features, y, **weight)
        return Pipeline([*steps, ("classifier", model)])

    def _trials(self, X):
        check_is_fitted(self)
        return check_stack(self, X, reset=False, axes=_AXES)


def _values(choice):
    """Return the values of a grid as a list, or None for a rule."""
    if isinstance(choice, str):
        return list(_GRID) if choice == "grid" else None
    values = np.atleast_1d(choice)
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iu":
        raise ValueError(
            f"order and lag take a name, an integer or a sequence of integers, got "
            f"{choice!r}."
        )
    if values.min() < 1:
        raise ValueError(f"order and lag must be at least 1, got {choice!r}.")
    return [int(value) for value in values]
