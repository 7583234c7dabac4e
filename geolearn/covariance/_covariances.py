"""Covariance matrices of trials as a transformer."""

from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import BaseEstimator, TransformerMixin

from geolearn.covariance._input import StackInput
from geolearn.covariance._trials import (
    ESTIMATORS,
    check_finite_trials,
    check_regularisation,
    check_trials,
    covariance_stack,
)
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context

__all__ = ["Covariances"]


class Covariances(
    StackInput,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Turn each trial into the covariance matrix of its channels.

    With samples :math:`x_t`, t = 1, ..., T, of n channels and their mean
    :math:`\bar x`, the matrix is :math:`S = \frac1T \sum_t (x_t - \bar x)
    (x_t - \bar x)^\top`, or one of its regularised forms.

    Parameters
    ----------
    estimator : {"scm", "cov", "lwf", "oas", "corr"} or callable, default="scm"
        What is estimated:

        - "scm": the sample covariance S.
        - "cov": S T / (T - 1), the unbiased one.
        - "lwf": S shrunk towards tr(S) / n times the identity by the weight of
          Ledoit and Wolf [1]_.
        - "oas": the same with the weight of Chen et al. [2]_.
        - "corr": the correlation matrix.
        - a function that takes a float64 array of shape (n_channels, n_times) and
          returns a symmetric array of shape (n_channels, n_channels).
    assume_centered : bool, default=False
        Whether to take the mean for zero. A callable receives the trial as it is
        in either case.
    shrinkage : float in [0, 1] or None, default=None
        Weight l of a fixed shrinkage, S to (1 - l) S + l tr(S) / n I; for "scm" and
        "cov" only. Samples of a time series are correlated, so that the weights of
        "lwf" and "oas" tend to be too small: a weight of one's own may do better.
    ridge : float, default=0.0
        Adds ``ridge * tr(S) / n`` to the diagonal of the result, at least 0.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all cores. The result does not depend
        on it. A callable is called in one thread.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels seen during :term:`fit`.

    See Also
    --------
    AugmentedCovariances : Covariances of delayed copies of the channels.
    TangentSpace : What comes next in a pipeline.

    Notes
    -----
    The transformer is stateless: `fit` only records the number of channels.
    Input in float32 is computed in float64, and the result is float64. Trials are
    read in chunks of 64 MB, so that memory maps of any size work.

    With no more samples than channels, "scm", "cov" and "corr" are singular. So
    they are with channels that depend on each other, as after common average
    reference; the metrics that need positive definite matrices then say which
    trial it is.

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional
       covariance matrices", J. Multivariate Anal. 88, 2004,
       doi:10.1016/S0047-259X(03)00096-4.
    .. [2] Y. Chen, A. Wiesel, Y. C. Eldar, A. O. Hero, "Shrinkage algorithms for
       MMSE covariance estimation", IEEE Trans. Signal Process. 58, 2010,
       doi:10.1109/TSP.2010.2053029.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import Covariances
    >>> X = np.array([[[1.0, 2.0, 3.0, 6.0], [1.0, 0.0, 0.0, 3.0]]])
    >>> Covariances().fit_transform(X)
    array([[[3.5 , 1.75],
            [1.75, 1.5 ]]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [StrOptions(set(ESTIMATORS)), callable],
        "assume_centered": ["boolean"],
        "shrinkage": [Interval(Real, 0, 1, closed="both"), None],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [Integral, None],
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Record the number of channels.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials.
        y : None
            Ignored.

        Returns
        -------
        Covariances
            The transformer.

        Raises
        ------
        ValueError
            If a parameter is out of range, `shrinkage` is given with an estimator
            that has none, or `X` has another shape, NaN or infinity.
        """
        check_regularisation(self.estimator, self.shrinkage)
        check_finite_trials(check_trials(self, X, reset=True))
        return self

    def transform(self, X):
        """Return the covariance matrix of each trial.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials, with the channels of `fit`; n_times may differ.

        Returns
        -------
        ndarray of shape (n_trials, n_channels, n_channels)
            Exactly symmetric matrices in float64.

        Raises
        ------
        ValueError
            If `X` has other channels, another shape, NaN or infinity, or a channel
            of a trial is constant and nothing regularises its variance of zero.
        """
        return self._transform(check_trials(self, X, reset=False))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, **fit_params):
        """Return the covariance matrix of each trial, reading the trials once.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials.
        y : None
            Ignored.
        **fit_params : dict
            None are known.

        Returns
        -------
        ndarray of shape (n_trials, n_channels, n_channels)
            As `transform`.

        Raises
        ------
        ValueError
            As `fit` and `transform`.
        TypeError
            If there are any `fit_params`.
        """
        if fit_params:
            raise TypeError(
                f"Covariances.fit_transform has no parameters {sorted(fit_params)}."
            )
        return self._transform(check_trials(self, X, reset=True))

    def _transform(self, X):
        return covariance_stack(
            X,
            estimator=self.estimator,
            assume_centered=self.assume_centered,
            shrinkage=self.shrinkage,
            ridge=self.ridge,
            toeplitz=False,
            n_jobs=self.n_jobs,
        )
