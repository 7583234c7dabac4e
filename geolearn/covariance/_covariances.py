"""Covariance matrices of trials as a transformer."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from geolearn.covariance._estimation import NAMES, check_trials, covariance_stack
from geolearn.covariance._input import StackInput
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context

__all__ = ["Covariances"]


class Covariances(
    StackInput, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Turn each trial into the covariance matrix of its channels."""

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [StrOptions(set(NAMES)), callable],
        "assume_centered": ["boolean"],
        "shrinkage": [Interval(Real, 0, 1, closed="both"), None],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [None, int],
    }

    def __init__(
        self,
        estimator="scm",
        *,
        assume_centered=False,
        shrinkage=None,
        ridge=0.0,
        n_jobs=None,
    ):
        self.estimator = estimator
        self.assume_centered = assume_centered
        self.shrinkage = shrinkage
        self.ridge = ridge
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Record the number of channels."""
        check_trials(self, X, reset=True)
        return self

    def transform(self, X):
        """Return the covariance matrix of each trial."""
        X = check_trials(self, X, reset=False)
        return covariance_stack(
            X,
            estimator=self.estimator,
            assume_centered=self.assume_centered,
            shrinkage=self.shrinkage,
            ridge=self.ridge,
            n_jobs=self.n_jobs,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
