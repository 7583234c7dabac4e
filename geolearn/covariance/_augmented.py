"""Covariance matrices of delay-embedded trials as a transformer."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._delays import (
    LAG_RULES,
    ORDER_RULES,
    DelayChoice,
    check_length,
    check_rules,
    select_delays,
)
from geolearn.covariance._input import StackInput
from geolearn.covariance._trials import (
    ESTIMATORS,
    check_finite_trials,
    check_regularisation,
    check_trials,
    covariance_stack,
    is_regularised,
)
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context

__all__ = ["AugmentedCovariances"]

_TOEPLITZ_ESTIMATORS = ("scm", "cov", "corr")


class AugmentedCovariances(
    StackInput,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Turn each trial into the covariance matrix of its delayed channels [1]_.

    With order p and lag :math:`\tau`, the sample :math:`x_t` of d channels becomes
    :math:`z_t = (x_t, x_{t + \tau}, \dots, x_{t + (p - 1)\tau})`, the oldest first,
    for the :math:`T' = T - (p - 1)\tau` samples t for which all exist. The
    covariance of z holds the correlations in space and in time: block (i, j)
    estimates that of :math:`x_{t + i\tau}` with :math:`x_{t + j\tau}`. Order 1 is
    `Covariances`.

    Parameters
    ----------
    order : int or {"cao", "cao_saturation", "mdop"}, default=4
        Number p of copies of the channels, or the rule that chooses it from the
        training trials, see `select_delays`.
    lag : int or str, default=1
        Delay :math:`\tau` in samples, or the rule that chooses it:
        "mutual_information", "autocorrelation", "autocorrelation_zero" or "mdop", see
        `select_delays`.
    max_order : int, default=30
        Largest order that Cao's rules consider.
    max_lag : int, default=30
        Largest lag that the rules consider.
    estimator : {"scm", "cov", "lwf", "oas", "corr"} or callable, default="scm"
        What is estimated from the T' samples of z, as in `Covariances`. A callable
        receives the embedded trial, an array of shape (order * n_channels, T').
    assume_centered : bool, default=False
        Whether to take the means for zero; else each row of z loses its own mean.
    shrinkage : float in [0, 1] or None, default=None
        Weight of a fixed shrinkage for "scm" and "cov", as in `Covariances`.
    ridge : float, default=0.0
        Adds ``ridge * tr(C) / n`` to the diagonal of the result C, at least 0.
    toeplitz : bool, default=False
        Whether to estimate a block-Toeplitz matrix [2]_: block (i, j) is
        :math:`\Gamma(i - j)` with :math:`\Gamma(k) = \frac1T \sum_t
        x_{t + k\tau} x_t^\top`, where x has lost its mean and the sum is over the
        :math:`T - k\tau` samples that exist, so that the matrix is positive
        semidefinite. For `geolearn.manifolds.BlockToeplitz`; "scm", "cov" and
        "corr" only.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all cores. The result does not depend
        on it.

    Attributes
    ----------
    order_ : int
        Order in use.
    lag_ : int
        Lag in use, in samples.
    mutual_information_ : ndarray of shape (max_lag,) or None
        Mean mutual information in bits at the lags 1, ..., max_lag; None unless it
        chose the lag.
    autocorrelation_ : ndarray of shape (max_lag,) or None
        Mean autocorrelation at these lags; None unless it chose the lag.
    cao_e1_ : ndarray of shape (n_orders,) or None
        Mean of Cao's statistic at the orders 1, 2, ...; None unless it chose the
        order.
    n_features_in_ : int
        Number of channels seen during :term:`fit`.

    See Also
    --------
    augmentation_grid : Orders and lags to search over.
    DelayEmbedding : The embedded trials themselves.
    geolearn.manifolds.BlockToeplitz : Geometry of the block-Toeplitz variant.

    Notes
    -----
    The embedded trials are not made: lagged products are shared by the blocks along
    a diagonal, so that the time is that of p products of d channels. Input in
    float32 is computed in float64, in chunks of 64 MB of trials.

    Departures from [1]_: the mean is removed (`assume_centered` is the paper's
    formula), all T' samples are used, and the oldest copy comes first. The
    authors' programs drop `lag` samples more for orders above 1; pass
    ``X[..., :-lag]`` to reproduce them. The order of the copies is a permutation,
    which matters for the Cholesky metrics only.

    References
    ----------
    .. [1] I. Carrara, T. Papadopoulo, "Classification of BCI-EEG based on augmented
       covariance matrix", 2023, arXiv:2302.04508.
    .. [2] I. Carrara, T. Papadopoulo, "Enhancing computational efficiency of motor
       imagery BCI classification with block-Toeplitz augmented covariance matrices
       and Siegel metric", 2024, arXiv:2406.16909.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import AugmentedCovariances
    >>> X = np.array([[[1, 2, 4, 3, 5, 7, 6, 8]]])
    >>> AugmentedCovariances(order=3, lag=2).fit_transform(X).round(4)
    array([[[1.25  , 0.875 , 0.5   ],
            [0.875 , 2.1875, 0.875 ],
            [0.5   , 0.875 , 1.25  ]]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "order": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({*ORDER_RULES}),
        ],
        "lag": [Interval(Integral, 1, None, closed="left"), StrOptions({*LAG_RULES})],
        "max_order": [Interval(Integral, 1, None, closed="left")],
        "max_lag": [Interval(Integral, 1, None, closed="left")],
        "estimator": [StrOptions(set(ESTIMATORS)), callable],
        "assume_centered": ["boolean"],
        "shrinkage": [Interval(Real, 0, 1, closed="both"), None],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "toeplitz": ["boolean"],
        "n_jobs": [Integral, None],
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
        """Choose order and lag, and check that the trials are long enough.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials.
        y : None
            Ignored.

        Returns
        -------
        AugmentedCovariances
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter is out of range or does not go with another, `X` has
            another shape, NaN or infinity, or the trials are too short: the span
            ``(order - 1) * lag`` must leave 2 samples, and more than
            ``order * n_channels`` where nothing regularises the covariance.
        """
        check_regularisation(self.estimator, self.shrinkage)
        if self.toeplitz and self.estimator not in _TOEPLITZ_ESTIMATORS:
            raise ValueError(
                f"toeplitz=True needs estimator 'scm', 'cov' or 'corr', got "
                f"{self.estimator!r}. Regularise with shrinkage or ridge instead."
            )
        X = check_trials(self, X, reset=True)
        check_finite_trials(X)
        choice = self._choose(X)
        self.order_, self.lag_ = choice.order, choice.lag
        self.mutual_information_ = choice.mutual_information
        self.autocorrelation_ = choice.autocorrelation
        self.cao_e1_ = choice.cao_e1
        self._n_times = X.shape[2]
        self._check_samples(X)
        return self

    def transform(self, X):
        """Return the augmented covariance matrix of each trial.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials, with the channels of `fit`; n_times may differ.

        Returns
        -------
        ndarray of shape (n_trials, order * n_channels, order * n_channels)
            Exactly symmetric matrices in float64. Row k * n_channels + c belongs to
            channel c advanced by k times the lag.

        Raises
        ------
        ValueError
            If `X` has other channels, another shape, NaN or infinity, the trials
            are too short, or a channel of a trial is constant and nothing
            regularises its variance of zero.

        Warns
        -----
        UserWarning
            If the trials are shorter than those of `fit` and leave fewer than twice
            as many samples as the matrices have rows.
        """
        check_is_fitted(self)
        X = check_trials(self, X, reset=False)
        length = self._check_samples(X)
        n = self.order_ * X.shape[1]
        if X.shape[2] < self._n_times and length < 2 * n:
            warnings.warn(
                f"The trials have n_times={X.shape[2]}, fewer than the "
                f"{self._n_times} of fit, and order={self.order_}, lag={self.lag_} "
                f"leave {length} samples for {n} x {n} matrices: they are poorly "
                f"determined. Use longer trials, or a smaller order.",
                UserWarning,
                stacklevel=2,
            )
        return covariance_stack(
            X,
            self.order_,
            self.lag_,
            estimator=self.estimator,
            assume_centered=self.assume_centered,
            shrinkage=self.shrinkage,
            ridge=self.ridge,
            toeplitz=self.toeplitz,
            n_jobs=self.n_jobs,
        )

    def _choose(self, X):
        order, lag = check_rules(self.order, self.lag)
        if not (isinstance(order, str) or isinstance(lag, str)):
            return DelayChoice(order, lag)
        return select_delays(
            X,
            order,
            lag,
            max_order=self.max_order,
            max_lag=self.max_lag,
            n_jobs=self.n_jobs,
        )

    def _remedies(self):
        """Return the ways of regularising that the other parameters allow."""
        if self.estimator == "corr":
            return "ridge"
        if self.toeplitz:
            return "shrinkage or ridge"
        return "estimator='oas' or 'lwf', shrinkage or ridge"

    def _check_samples(self, X):
        """Return the number of embedded samples; raise if the matrix is singular."""
        n_channels, n_times = X.shape[1:]
        length = check_length(n_times, self.order_, self.lag_)
        if is_regularised(self.estimator, self.shrinkage, self.ridge):
            return length
        n = self.order_ * n_channels
        # Biased lagged covariances are those of the trial between zeros.
        available = length
        if self.toeplitz:
            available = n_times + (self.order_ - 1) * self.lag_
        if available - (not self.assume_centered) < n:
            raise ValueError(
                f"order={self.order_}, lag={self.lag_} leave T'={available} samples of "
                f"trials with n_times={n_times}, but the covariance matrices have "
                f"n=order * n_channels={n} rows and would be singular: "
                f"estimator={self.estimator!r} needs T' > n. Use {self._remedies()}, "
                f"reduce order or lag, or use longer trials."
            )
        return length
