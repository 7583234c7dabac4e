"""Covariance matrices of delay-embedded trials as a transformer."""

from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._estimation import NAMES, check_trials, covariance_stack
from geolearn.covariance._input import StackInput
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context

__all__ = ["AugmentedCovariances"]


class AugmentedCovariances(
    StackInput, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Turn each trial into the covariance matrix of its delayed channels."""

    _parameter_constraints: ClassVar[dict] = {
        "order": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"cao", "mdop"}),
        ],
        "lag": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"mutual_information", "autocorrelation", "mdop"}),
        ],
        "max_order": [Interval(Integral, 1, None, closed="left")],
        "max_lag": [Interval(Integral, 1, None, closed="left")],
        "estimator": [StrOptions(set(NAMES)), callable],
        "assume_centered": ["boolean"],
        "shrinkage": [Interval(Real, 0, 1, closed="both"), None],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "toeplitz": ["boolean"],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        order=4,
        lag=1,
        *,
        max_order=30,
        max_lag=30,
        estimator="scm",
        assume_centered=False,
        shrinkage=None,
        ridge=0.0,
        toeplitz=False,
        n_jobs=None,
    ):
        self.order = order
        self.lag = lag
        self.max_order = max_order
        self.max_lag = max_lag
        self.estimator = estimator
        self.assume_centered = assume_centered
        self.shrinkage = shrinkage
        self.ridge = ridge
        self.toeplitz = toeplitz
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Choose order and lag, and record the number of channels."""
        X = check_trials(self, X, reset=True)
        order, lag = self.order, self.lag
        if isinstance(order, str) or isinstance(lag, str):
            from geolearn.covariance._delays import select_delays

            choice = select_delays(
                X,
                order,
                lag,
                max_order=self.max_order,
                max_lag=self.max_lag,
                n_jobs=self.n_jobs,
            )
            order, lag = choice.order, choice.lag
        self.order_, self.lag_ = int(order), int(lag)
        return self

    def transform(self, X):
        """Return the augmented covariance matrix of each trial."""
        check_is_fitted(self)
        X = check_trials(self, X, reset=False)
        return covariance_stack(
            X,
            self.order_,
            self.lag_,
            estimator=self.estimator,
            assume_centered=self.assume_centered,
            shrinkage=self.shrinkage,
            ridge=self.ridge,
            n_jobs=self.n_jobs,
        )
