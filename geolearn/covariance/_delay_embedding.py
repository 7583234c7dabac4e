"""Delay embedding of trials."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._delays import (
    LAG_RULES,
    ORDER_RULES,
    check_length,
    check_rules,
    select_delays,
)
from geolearn.covariance._input import StackInput
from geolearn.covariance._trials import check_finite_trials, check_trials
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context

_POSITIVE = Interval(Integral, 1, None, closed="left")


class DelayEmbedding(
    StackInput,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Append delayed copies of the channels to each trial.

    With order p and lag :math:`\tau`, the sample :math:`x_t` of a trial becomes
    :math:`(x_t, x_{t + \tau}, \dots, x_{t + (p - 1)\tau})`, the oldest first, for
    every t for which all exist. The covariance of the result holds the correlations
    within and between channels at the delays :math:`0, \tau, \dots, (p - 1)\tau`
    [1]_; `AugmentedCovariances` computes it without the embedded trials.

    Parameters
    ----------
    order : int or {"cao", "cao_saturation", "mdop"}, default=4
        Number p of copies, or the rule that chooses it, see `select_delays`.
    lag : int or str, default=1
        Delay :math:`\tau` in samples, or the rule that chooses it:
        "mutual_information", "autocorrelation", "autocorrelation_zero" or "mdop", see
        `select_delays`.
    max_order : int, default=30
        Largest order that Cao's rules consider.
    max_lag : int, default=30
        Largest lag that the rules consider.
    n_jobs : int, default=None
        Number of threads of the rules; None means 1, -1 all cores. The result does
        not depend on it.

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
    select_delays : The choice of order and lag.

    References
    ----------
    .. [1] I. Carrara, T. Papadopoulo, "Classification of BCI-EEG based on augmented
       covariance matrix", 2023, arXiv:2302.04508.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import DelayEmbedding
    >>> X = np.array([[[1, 2, 4, 3, 5, 7, 6, 8]]])
    >>> DelayEmbedding(order=3, lag=2).fit_transform(X)
    array([[[1., 2., 4., 3.],
            [4., 3., 5., 7.],
            [5., 7., 6., 8.]]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "order": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({*ORDER_RULES}),
        ],
        "lag": [Interval(Integral, 1, None, closed="left"), StrOptions({*LAG_RULES})],
        "max_order": [Interval(Integral, 1, None, closed="left")],
        "max_lag": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(self, order=4, lag=1, *, max_order=30, max_lag=30, n_jobs=None):
        self.order = order
        self.lag = lag
        self.max_order = max_order
        self.max_lag = max_lag
        self.n_jobs = n_jobs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Choose order and lag.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials. They are used for the choice only: integers need none.
        y : None
            Ignored.

        Returns
        -------
        DelayEmbedding
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter is out of range, if order and lag cannot be combined, if
            the trials are too short for them or hold NaN, or if a channel is
            constant and order or lag is to be chosen.
        """
        X = check_trials(self, X, reset=True)
        check_finite_trials(X)
        choice = select_delays(
            X,
            *check_rules(self.order, self.lag),
            max_order=self.max_order,
            max_lag=self.max_lag,
            n_jobs=self.n_jobs,
        )
        self.order_, self.lag_ = choice.order, choice.lag
        self.mutual_information_ = choice.mutual_information
        self.autocorrelation_ = choice.autocorrelation
        self.cao_e1_ = choice.cao_e1
        return self

    def transform(self, X):
        """Embed trials.

        Parameters
        ----------
        X : array_like of shape (n_trials, n_channels, n_times)
            Trials, with the channels of `fit`; n_times may differ.

        Returns
        -------
        ndarray of shape (n_trials, order * n_channels, n_times - (order - 1) * lag)
            Embedded trials: row k * n_channels + c is channel c advanced by
            k times the lag. float32 for float32 input, else float64.

        Raises
        ------
        ValueError
            If the trials have other channels, are too short, or hold NaN.
        """
        check_is_fitted(self)
        X = check_trials(self, X, reset=False)
        check_finite_trials(X)
        n_trials, n_channels, n_times = X.shape
        left = check_length(n_times, self.order_, self.lag_)
        out = np.empty((n_trials, self.order_, n_channels, left), dtype=X.dtype)
        for k in range(self.order_):
            out[:, k] = X[:, :, k * self.lag_ : k * self.lag_ + left]
        return out.reshape(n_trials, self.order_ * n_channels, left)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the rows of an embedded trial.

        Parameters
        ----------
        input_features : array_like of str of shape (n_channels,), default=None
            Names of the channels; by default "ch0", "ch1", ...

        Returns
        -------
        ndarray of str objects of shape (order * n_channels,)
            Names "{channel}_t{k}" of channel and copy, k = 0 the oldest.

        Raises
        ------
        ValueError
            If the number of names is not that of the channels.
        """
        check_is_fitted(self)
        if input_features is None:
            input_features = [f"ch{c}" for c in range(self.n_features_in_)]
        if len(input_features) != self.n_features_in_:
            raise ValueError(
                f"input_features has {len(input_features)} names, but "
                f"n_features_in_={self.n_features_in_} channels were seen in fit."
            )
        return np.array(
            [f"{name}_t{k}" for k in range(self.order_) for name in input_features],
            dtype=object,
        )
