"""Rules that read order and lag off the curves, and their combinations."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from geolearn.covariance import (
    DelayChoice,
    MDOPDelays,
    autocorrelation,
    cao_statistic,
    mdop,
    mutual_information,
    select_delays,
)
from geolearn.covariance import _delays as module
from geolearn.covariance import _rules as rules


def oscillators(n_trials=4, n_channels=2, n_times=300, seed=0):
    """Noisy damped oscillations with a period of 20 samples."""
    e = np.random.default_rng(seed).normal(size=(n_trials, n_channels, n_times + 100))
    X = np.zeros_like(e)
    for t in range(2, e.shape[2]):
        X[..., t] = 1.8 * np.cos(0.1 * np.pi) * X[..., t - 1] - 0.81 * X[..., t - 2]
        X[..., t] += e[..., t]
    return X[:, :, 100:]


X = oscillators()


@pytest.mark.parametrize(
    ("rule", "curve", "expected"),
    [
        ("first_minimum", [3, 2, 1, 2, 0], (3, True)),
        ("first_minimum", [3, 2, 2, 1], (2, True)),  # not smaller is enough
        ("first_minimum", [1, 2], (1, True)),
        ("first_minimum", [3, 2, 1], (3, False)),
        ("first_minimum", [3], (1, False)),
        ("first_nonpositive", [0.5, 0.0, -1], (2, True)),
        ("first_nonpositive", [0.5, 0.1], (2, False)),
        ("first_maximum", [0.1, 0.9, 0.8, 1.0, 0.9], (2, True)),
        ("first_maximum", [0.9, 0.1, 0.5, 0.5, 0.4], (3, True)),
        ("first_maximum", [0.9, 0.8, 0.7], (3, False)),  # the ends do not count
        ("first_maximum", [0.1, 0.8, 0.9], (3, False)),
        ("first_maximum", [0.1, 0.8], (2, False)),
        ("first_maximum", [0.1], (1, False)),
        ("first_saturated", [0.1, 0.4, 0.42, 0.8, 0.85], (4, True)),
        ("first_saturated", [0.5, 0.5, 0.6], (3, False)),  # 0.5 does not exceed 0.5
        ("first_saturated", [0.6, 0.7, 0.8], (3, False)),
        ("first_saturated", [0.9, 0.87], (1, True)),
    ],
)
def test_rules(rule, curve, expected):
    curve = np.array(curve, dtype=float)
    if rule == "first_saturated":  # differences of exactly 0.05 up to rounding
        curve = np.where(curve == 0.85, 0.8499999, curve)
    assert getattr(rules, rule)(curve) == expected


def test_integers_need_no_statistics():
    choice = select_delays(np.ones((1, 1, 10)), np.int64(3), 2)
    assert choice == DelayChoice(3, 2)
    assert type(choice.order) is int
    assert choice[2:] == (None, None, None, None)


def test_mutual_information_and_cao():
    choice = select_delays(X, "cao", "mutual_information")
    information = mutual_information(X)
    assert_array_equal(choice.mutual_information, information)
    assert choice.lag == rules.first_minimum(information)[0] == 5  # a quarter period
    E1 = cao_statistic(X, choice.lag)
    assert_array_equal(choice.cao_e1, E1)
    assert choice.order == rules.first_maximum(E1)[0]
    assert choice.autocorrelation is None
    assert choice.mdop is None


@pytest.mark.parametrize(
    ("rule", "expected"), [("autocorrelation", 10), ("autocorrelation_zero", 6)]
)
def test_autocorrelation(rule, expected):
    choice = select_delays(X, 2, rule)
    assert choice.lag == expected
    assert choice.order == 2
    assert_array_equal(choice.autocorrelation, autocorrelation(X))
    assert choice.mutual_information is None
    assert choice.cao_e1 is None


def test_bins():
    choice = select_delays(X, 2, "mutual_information", bins=8)
    assert_array_equal(choice.mutual_information, mutual_information(X, bins=8))


def test_both_rules_of_cao():
    saturation = select_delays(X, "cao_saturation", 2)
    E1 = cao_statistic(X, 2)
    assert_array_equal(saturation.cao_e1, E1)
    assert saturation.order == rules.first_saturated(E1)[0]
    maximum = select_delays(X, "cao", 2)
    assert maximum.order == rules.first_maximum(E1)[0]
    assert saturation.order != maximum.order


def test_mdop():
    choice = select_delays(X, "mdop", "mdop")
    found = mdop(X)
    assert isinstance(choice.mdop, MDOPDelays)
    assert (choice.order, choice.lag) == (found.order, found.lag)
    assert_array_equal(choice.mdop.orders, found.orders)
    assert select_delays(X, "mdop", 3)[:2] == (found.order, 3)
    assert select_delays(X, 2, "mdop")[:2] == (2, found.lag)


def test_mdop_of_short_trials_searches_fewer_delays():
    short = X[:, :, :130]
    found = select_delays(short, 1, "mdop").mdop
    assert_array_equal(found.lags, mdop(short, 130 // 2 - 1 - 30).lags)
    full = select_delays(X[:, :, :162], 1, "mdop").mdop
    assert_array_equal(full.lags, mdop(X[:, :, :162], 50).lags)
    with pytest.raises(ValueError, match="max_lag=30 needs trials of at least 64"):
        select_delays(X[:, :, :63], 1, "mdop")
    assert select_delays(X[:, :, :64], "mdop", 1).mdop.delays[0].max() <= 1


def fake(order=2, lag=3):
    return lambda X, *args, **kwargs: MDOPDelays(order, lag, None, None, [], [], [])


def test_lag_zero_of_mdop(monkeypatch):
    monkeypatch.setattr(module, "mdop", fake(lag=0))
    with pytest.warns(RuntimeWarning, match="MDOP found lag 0 on average; lag=1"):
        choice = select_delays(X, 3, "mdop")
    assert choice.lag == 1
    assert choice.mdop.lag == 0


@pytest.mark.parametrize("shape", [(1, 2, 300), (1, 40, 300), (1, 200, 300)])
@pytest.mark.parametrize("lag", [1, 4])
def test_order_of_mdop_leaves_twice_as_many_samples(monkeypatch, shape, lag):
    monkeypatch.setattr(module, "mdop", fake(order=50, lag=lag))
    _, d, n_times = shape
    data = np.random.default_rng(0).normal(size=shape)
    orders = np.arange(1, 51)
    fits = orders[d * orders <= (n_times - (orders - 1) * lag) / 2]
    largest = fits.max() if fits.size else 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        choice = select_delays(data, "mdop", "mdop")
    assert choice.order == largest
    assert len(caught) == (largest < 50)
    for w in caught:
        assert w.category is RuntimeWarning
        assert f"at most {largest} at lag={lag}" in str(w.message)


@pytest.mark.parametrize(
    ("order", "lag"),
    [
        ("mdop", "mutual_information"),
        ("mdop", "autocorrelation"),
        ("cao", "mdop"),
        ("cao_saturation", "mdop"),
    ],
)
def test_mdop_cannot_be_mixed(order, lag):
    with pytest.raises(ValueError, match=f"order='{order}' .* with lag='{lag}'"):
        select_delays(X, order, lag)


def ramps(n_times=100):
    return np.linspace(0, 1, n_times)[None, None] ** 2


@pytest.mark.parametrize(
    ("lag", "what"),
    [
        ("mutual_information", "No minimum of the mutual information .* max_lag=4"),
        ("autocorrelation", "No minimum of the autocorrelation .* max_lag=4; lag=4"),
        ("autocorrelation_zero", "No zero of the autocorrelation .* max_lag=4"),
    ],
)
def test_no_lag_is_found(lag, what):
    with pytest.warns(RuntimeWarning, match=what) as caught:
        choice = select_delays(ramps(), 1, lag, max_lag=4)
    assert choice.lag == 4
    assert caught[0].filename == __file__


@pytest.mark.parametrize("rule", ["cao", "cao_saturation"])
def test_no_order_is_found(monkeypatch, rule):
    rising = np.array([0.1, 0.3, 0.6, 0.8])
    monkeypatch.setattr(module, "cao_statistic", lambda *a, **k: rising)
    with pytest.warns(
        RuntimeWarning, match="not saturate up to order 4, which is"
    ) as c:
        assert select_delays(X, rule, 1).order == 4
    assert c[0].filename == __file__


def test_saturation_where_there_is_no_maximum(monkeypatch):
    rising = np.array([0.1, 0.6, 0.8, 0.81, 0.82])
    monkeypatch.setattr(module, "cao_statistic", lambda *a, **k: rising)
    assert select_delays(X, "cao", 1).order == 3


@pytest.mark.parametrize(
    ("order", "lag", "error", "match"),
    [
        (0, 1, ValueError, "order must be at least 1, got 0"),
        (1, 0, ValueError, "lag must be at least 1, got 0"),
        (1.5, 1, TypeError, "order must be an integer, got 1.5"),
        (1, None, TypeError, "lag must be an integer, got None"),
        (True, 1, TypeError, "order must be an integer, got True"),
        ("caos", 1, ValueError, "order='caos' .* 'cao', 'cao_saturation', 'mdop'"),
        (1, "cao", ValueError, "lag='cao' .* one of 'mutual_information', "),
        (300, 1, ValueError, "order=300 and lag=1 span 300 .* at least 301"),
        (2, 299, ValueError, "n_times=300: at least 301 are needed"),
    ],
)
def test_bad_parameters(order, lag, error, match):
    with pytest.raises(error, match=match):
        select_delays(X, order, lag)


def test_longest_span():
    assert select_delays(X, 299, 1)[:2] == (299, 1)
    assert select_delays(X, 2, 298)[:2] == (2, 298)


def test_selection_from_constant_channels_fails_by_name():
    flat = X.copy()
    flat[1, 0] = 0.0
    for order, lag in [("cao", 1), (2, "mutual_information"), ("mdop", "mdop")]:
        with pytest.raises(ValueError, match=r"Channel 0 is constant in trial X\[1\]"):
            select_delays(flat, order, lag)


def test_threads_and_order_of_trials_do_not_matter():
    for order, lag in [("cao", "mutual_information"), ("mdop", "mdop")]:
        expected = select_delays(X, order, lag)
        assert select_delays(X, order, lag, n_jobs=2)[:2] == expected[:2]
        assert select_delays(X[::-1], order, lag)[:2] == expected[:2]
        assert select_delays(1e-12 * X, order, lag)[:2] == expected[:2]
