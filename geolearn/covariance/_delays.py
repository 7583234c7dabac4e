"""Choice of the order and the lag of a delay embedding."""

import warnings
from typing import NamedTuple

import numpy as np

from geolearn.covariance._autocorrelation import autocorrelation
from geolearn.covariance._cao import cao_statistic
from geolearn.covariance._mdop import MDOPDelays, mdop
from geolearn.covariance._mutual_information import ADAPTIVE, mutual_information
from geolearn.covariance._rules import (
    first_maximum,
    first_minimum,
    first_nonpositive,
    first_saturated,
)
from geolearn.covariance._series import check_series
from geolearn.utils.validation import check_integer

ORDER_RULES = ("cao", "cao_saturation", "mdop")
LAG_RULES = ("mutual_information", "autocorrelation", "autocorrelation_zero", "mdop")
# The authors' largest delay of MDOP.
_MDOP_DELAY = 50


class DelayChoice(NamedTuple):
    """A chosen order and lag, and the curves that led to it.

    Attributes
    ----------
    order : int
        Number of delayed copies, at least 1.
    lag : int
        Delay between the copies, in samples, at least 1.
    mutual_information : ndarray of shape (max_lag,) or None
        Information in bits at the lags 1, ..., max_lag, if it chose the lag.
    autocorrelation : ndarray of shape (max_lag,) or None
        Autocorrelation at the lags 1, ..., max_lag, if it chose the lag.
    cao_e1 : ndarray of shape (n_orders,) or None
        Cao's statistic at the orders 1, ..., n_orders, if it chose the order.
    mdop : MDOPDelays or None
        What MDOP found, if it chose the order or the lag.
    """

    order: int
    lag: int
    mutual_information: np.ndarray | None = None
    autocorrelation: np.ndarray | None = None
    cao_e1: np.ndarray | None = None
    mdop: MDOPDelays | None = None


def select_delays(
    X, order, lag, *, max_order=30, max_lag=30, bins=ADAPTIVE, n_jobs=None
) -> DelayChoice:
    r"""Choose order and lag of a delay embedding from trials.

    The statistics are computed for each channel of each trial and averaged; a rule
    then reads the choice off the mean curve.

    Parameters
    ----------
    X : array_like of shape (n_trials, n_channels, n_times)
        Trials, of the training set only.
    order : int or {"cao", "cao_saturation", "mdop"}
        Number of delayed copies, or the rule that chooses it:

        - "cao": the first inner local maximum of Cao's :math:`E_1`; if there is
          none, as "cao_saturation" [1]_.
        - "cao_saturation": the first D with :math:`E_1(D) > 0.5` and
          :math:`|E_1(D + 1) - E_1(D)| \le 0.05`; if there is none, the largest D
          with a warning.
        - "mdop": see `mdop`.
    lag : int or str
        Delay between the copies in samples, or the rule that chooses it:

        - "mutual_information": the first :math:`\tau` with
          :math:`I(\tau + 1) \ge I(\tau)`, or `max_lag` with a warning.
        - "autocorrelation": the same for the autocorrelation.
        - "autocorrelation_zero": the first :math:`\tau` with
          :math:`\rho(\tau) \le 0`, or `max_lag` with a warning.
        - "mdop": see `mdop`.

        "mdop" can be combined with itself or with an integer.
    max_order : int, default=30
        Largest order that Cao's rules consider.
    max_lag : int, default=30
        Largest lag that the rules consider, and largest Theiler window of MDOP.
    bins : "adaptive" or int, default="adaptive"
        Cells of the mutual information, see `mutual_information`.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all cores. The result does not depend
        on it.

    Returns
    -------
    DelayChoice
        Named tuple (order, lag, mutual_information, autocorrelation, cao_e1, mdop);
        None for what was not computed.

    Raises
    ------
    ValueError
        If a rule is unknown, if the two cannot be combined, if the trials are too
        short for the choice or hold NaN, or if a channel is constant.
    TypeError
        If `order` or `lag` is neither a string nor an integer.

    Warns
    -----
    RuntimeWarning
        If a rule finds nothing up to `max_order` or `max_lag`, and if the choice of
        MDOP is clipped: to a lag of at least 1, and to an order p with
        :math:`n_{channels}\, p \le T' / 2`, where T' is the number of samples left.

    Notes
    -----
    MDOP searches delays up to 50 samples; fewer if n_times < 2 (51 + max_lag), that
    is n_times / 2 - 1 - max_lag.

    References
    ----------
    .. [1] I. Carrara, T. Papadopoulo, "Classification of BCI-EEG based on augmented
       covariance matrix", 2023, arXiv:2302.04508.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import select_delays
    >>> t = np.arange(400) / 6.1
    >>> X = np.stack([np.sin(t), np.cos(t)])[np.newaxis]
    >>> choice = select_delays(X, "cao_saturation", "autocorrelation_zero")
    >>> choice.order, choice.lag
    (2, 10)
    """
    X = check_series(X)
    order, lag = check_rules(order, lag)
    max_order = check_integer(max_order, "max_order")
    max_lag = check_integer(max_lag, "max_lag")
    found = {}
    if "mdop" in (order, lag):
        found["mdop"] = _run_mdop(X, max_lag, n_jobs)
    if lag == "mdop":
        lag = _at_least_one(found["mdop"].lag)
    elif isinstance(lag, str):
        lag = _choose_lag(X, lag, max_lag, bins, n_jobs, found)
    if order == "mdop":
        order = _at_most_half(found["mdop"].order, lag, X.shape)
    elif isinstance(order, str):
        found["cao_e1"] = cao_statistic(X, lag, max_order, n_jobs=n_jobs)
        order = _choose_order(found["cao_e1"], order)
    check_length(X.shape[2], order, lag)
    return DelayChoice(order, lag, **found)


def check_rules(order, lag):
    """Return order and lag, integers as int; raise if they cannot be combined.

    Parameters
    ----------
    order, lag : int or str
        As in `select_delays`.

    Returns
    -------
    tuple
        The pair.

    Raises
    ------
    ValueError, TypeError
        As in `select_delays`.
    """
    order = _check_rule(order, "order", ORDER_RULES)
    lag = _check_rule(lag, "lag", LAG_RULES)
    both = isinstance(order, str) and isinstance(lag, str)
    if both and (order == "mdop") != (lag == "mdop"):
        raise ValueError(
            f"order={order!r} cannot be combined with lag={lag!r}: MDOP chooses both "
            f"together. Use 'mdop' for both, or an integer for one of them."
        )
    return order, lag


def check_length(n_times, order, lag) -> int:
    """Return the number of samples that an embedding leaves; raise if below 2."""
    left = n_times - (order - 1) * lag
    if left < 2:
        raise ValueError(
            f"order={order} and lag={lag} span {(order - 1) * lag + 1} samples, but "
            f"the trials have n_times={n_times}: at least {(order - 1) * lag + 2} are "
            f"needed. Lower order or lag, or use longer trials."
        )
    return left


def _check_rule(value, name, rules):
    if isinstance(value, str):
        if value not in rules:
            raise ValueError(
                f"{name}={value!r} must be a positive integer or one of "
                f"{', '.join(map(repr, rules))}."
            )
        return value
    return check_integer(value, name)


def _choose_lag(X, rule, max_lag, bins, n_jobs, found):
    if rule == "mutual_information":
        curve = mutual_information(X, max_lag, bins=bins, n_jobs=n_jobs)
        found["mutual_information"] = curve
        lag, success = first_minimum(curve)
        missing = "minimum of the mutual information"
    else:
        curve = autocorrelation(X, max_lag, n_jobs=n_jobs)
        found["autocorrelation"] = curve
        if rule == "autocorrelation":
            lag, success = first_minimum(curve)
            missing = "minimum of the autocorrelation"
        else:
            lag, success = first_nonpositive(curve)
            missing = "zero of the autocorrelation"
    if not success:
        _warn(
            f"No {missing} was found up to max_lag={max_lag}; lag={lag} is used. "
            f"Raise max_lag, or give the lag as an integer."
        )
    return lag


def _choose_order(curve, rule):
    if rule == "cao":
        order, success = first_maximum(curve)
        if success:
            return order
    order, success = first_saturated(curve)
    if not success:
        _warn(
            f"Cao's statistic has no maximum and does not saturate up to order "
            f"{len(curve)}, which is used. Raise max_order or the length of the "
            f"trials, or give the order as an integer."
            if rule == "cao"
            else f"Cao's statistic does not saturate up to order {len(curve)}, which "
            f"is used. Raise max_order or the length of the trials, or give the order "
            f"as an integer."
        )
    return order


def _run_mdop(X, max_lag, n_jobs):
    feasible = X.shape[2] // 2 - 1 - max_lag
    if feasible < 1:
        raise ValueError(
            f"MDOP with max_lag={max_lag} needs trials of at least "
            f"{2 * (max_lag + 2)} samples, got n_times={X.shape[2]}; lower max_lag or "
            f"give order and lag as integers."
        )
    return mdop(X, min(_MDOP_DELAY, feasible), max_lag=max_lag, n_jobs=n_jobs)


def _at_least_one(lag):
    if lag < 1:
        _warn("MDOP found lag 0 on average; lag=1 is used.")
    return max(lag, 1)


def _at_most_half(order, lag, shape):
    """Lower an order until the channels of the embedding are half its samples."""
    _, n_channels, n_times = shape
    # p channels <= (n_times - (p - 1) lag) / 2
    largest = max(1, (n_times + lag) // (2 * n_channels + lag))
    if order > largest:
        _warn(
            f"MDOP found order {order}, but trials of n_channels={n_channels} and "
            f"n_times={n_times} allow at most {largest} at lag={lag}, which is used: "
            f"{n_channels} * order must not exceed half the samples left."
        )
    return min(order, largest)


def _warn(message):
    warnings.warn(message, RuntimeWarning, stacklevel=4)
