"""Mutual information, autocorrelation and Cao's statistic of trials."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.covariance import _cao as cao_module
from geolearn.covariance import autocorrelation, cao_statistic, mutual_information
from tests.reference import delays as reference

pytestmark = pytest.mark.kernels

STATISTICS = {
    "information": lambda X, **o: mutual_information(X, 8, **o),
    "information of bins": lambda X, **o: mutual_information(X, 8, bins=5, **o),
    "autocorrelation": lambda X, **o: autocorrelation(X, 8, **o),
    "cao": lambda X, **o: cao_statistic(X, 2, 6, **o),
}
SLOW = {
    "information": lambda s: reference.information(s, 8),
    "information of bins": lambda s: reference.information(s, 8, 5),
    "autocorrelation": lambda s: reference.correlation(s, 8),
    "cao": lambda s: reference.cao(s, 2, 6),
}


def series(kind, n_times=90, seed=0, shape=(2, 2)):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(*shape, n_times))
    if kind == "noise":
        return noise
    if kind == "walk":
        return noise.cumsum(axis=2)
    if kind == "skewed":
        return np.exp(3 * noise)
    assert kind == "counts"  # a quantised signal: many ties, many duplicates
    return np.round(2 * noise.cumsum(axis=2))


def each(X, slow):
    return np.array([[slow(channel) for channel in trial] for trial in X])


@pytest.fixture(params=STATISTICS)
def name(request):
    return request.param


@pytest.mark.parametrize("kind", ["noise", "walk", "skewed", "counts"])
def test_against_the_formulas(name, kind):
    X = series(kind)
    actual = STATISTICS[name](X, average=False)
    assert_allclose(actual, each(X, SLOW[name]), rtol=1e-12, atol=1e-13)


@given(seed=st.integers(0, 2**32 - 1), n_times=st.integers(19, 60))
def test_cells_against_the_recursion(seed, n_times):
    rng = np.random.default_rng(seed)
    s = rng.choice([rng.normal(size=n_times), np.round(rng.normal(size=n_times), 1)])
    actual = mutual_information(s[None, None], 5)
    assert_allclose(actual, reference.information(s, 5), rtol=1e-12, atol=1e-13)


def test_average_is_over_channels_and_trials(name):
    X = series("walk", shape=(3, 2))
    single = STATISTICS[name](X, average=False)
    assert single.shape[:2] == (3, 2)
    assert_allclose(STATISTICS[name](X), single.mean(axis=(0, 1)), rtol=1e-14)


@pytest.mark.parametrize("scale", [2.0**-600, 1e-15, 1e15, 2.0**900])
def test_units_do_not_matter(name, scale):
    X = series("noise")
    assert_allclose(STATISTICS[name](scale * X), STATISTICS[name](X), rtol=1e-9)


@settings(max_examples=10)
@given(shift=st.integers(-(2**40), 2**40))
def test_shifts_do_not_matter(shift):
    X = series("counts", 60, shape=(1, 1))
    for name in STATISTICS:
        expected = STATISTICS[name](X)
        # the mean of the autocorrelation rounds to 2**40 * 1e-16
        assert_allclose(STATISTICS[name](X + shift), expected, rtol=1e-3, atol=1e-4)
        if name != "autocorrelation":
            assert_array_equal(STATISTICS[name](X + shift), expected)


def test_autocorrelation_and_neighbours_ignore_the_sign():
    X = series("walk")
    assert_allclose(autocorrelation(-X, 8), autocorrelation(X, 8), rtol=1e-13)
    assert_array_equal(cao_statistic(-X, 2), cao_statistic(X, 2))


def test_threads_do_not_matter(name):
    X = series("walk", 120, shape=(3, 2))
    one = STATISTICS[name](X, average=False, n_jobs=1)
    assert_array_equal(STATISTICS[name](X, average=False, n_jobs=2), one)


def test_inputs_are_kept(name):
    X = series("walk")
    X.flags.writeable = False
    before = X.copy()
    STATISTICS[name](X)
    STATISTICS[name](X.astype(np.float32).tolist())
    assert_array_equal(X, before)


def test_white_noise_has_neither_information_nor_correlation():
    X = np.random.default_rng(0).normal(size=(1, 1, 20_000))
    assert_allclose(autocorrelation(X, 5), 0.0, atol=0.03)
    # the bias of k x k cells is (k - 1)^2 / (2 n ln 2)
    bias = (8 - 1) ** 2 / (2 * 20_000 * np.log(2))
    assert_allclose(mutual_information(X, 5, bins=8), bias, atol=1.5e-3)


@pytest.mark.parametrize("phi", [0.5, 0.9])
def test_autoregression(phi):
    rng = np.random.default_rng(0)
    e = rng.normal(size=(20, 2, 5200))
    X = np.zeros_like(e)
    for t in range(1, X.shape[2]):
        X[:, :, t] = phi * X[:, :, t - 1] + e[:, :, t]
    X = X[:, :, 200:]
    lags = np.arange(1, 6)
    assert_allclose(autocorrelation(X, 5), phi**lags, atol=0.015)
    # a Gaussian pair of correlation rho shares -log2(1 - rho^2) / 2 bits
    information = mutual_information(X, 5, bins=20)
    assert_allclose(information, -0.5 * np.log2(1 - phi ** (2 * lags)), atol=0.06)


def test_periodic_signals():
    t = np.arange(4000)
    X = np.sin(2 * np.pi * t / 40)[None, None]
    rho = autocorrelation(X, 40)[:40]
    lags = np.arange(1, 41)
    # over whole periods the products sum to cos; the ends are missing
    assert_allclose(rho, np.cos(2 * np.pi * lags / 40), atol=0.012)
    information = mutual_information(np.sin(t / 6.4)[None, None], 20)
    assert int(np.argmax(information)) + 1 == 20  # half of 40.2: minus the signal


def test_identity_has_the_entropy_of_its_cells():
    s = np.tile(np.random.default_rng(0).permutation(64), 3).astype(float)
    information = mutual_information(s[None, None], 64, bins=16)
    assert_allclose(information[63], 4.0, rtol=1e-12)  # log2(16)


def test_one_cell_holds_no_information():
    X = series("noise", 40)
    assert_allclose(mutual_information(X, 5, bins=1), 0.0, atol=1e-14)


def test_cao_of_a_line_and_a_circle():
    # On a straight line every distance grows by sqrt(2), then sqrt(3/2) ...
    line = np.arange(60.0)[None, None]
    D = np.arange(1, 6)
    growth = np.sqrt((D + 1) / D)
    assert_allclose(cao_statistic(line, 1, 4), growth[1:] / growth[:-1], rtol=1e-12)
    circle = np.sin(np.arange(300) / 6.1)[None, None]
    E1 = cao_statistic(circle, 9, 4)
    assert E1[0] < 0.5
    assert (E1[1:] > 0.9).all()


def test_cao_skips_neighbours_at_distance_zero():
    # A repeated signal has a copy of every point at distance 0.
    s = np.random.default_rng(0).normal(size=40)
    twice = np.concatenate([s, s])[None, None]
    E1 = cao_statistic(twice, 1, 5)
    assert np.isfinite(E1).all()
    assert_allclose(E1, reference.cao(twice[0, 0], 1, 5), rtol=1e-12)


def test_cao_stops_where_points_run_out():
    X = series("noise", 90)
    E1 = cao_statistic(X, 10)
    assert E1.shape == (7,)  # a(8) needs 10 points: 90 - 8 * 10
    assert_allclose(E1[:3], cao_statistic(X, 10, 3), rtol=1e-14)
    assert cao_statistic(X[:, :, :89], 10).shape == (6,)


def test_cao_in_blocks_of_points():
    X = series("walk", cao_module._BLOCK + 17, shape=(1, 1))
    expected = reference.cao(X[0, 0], 3, 2)
    assert_allclose(cao_statistic(X, 3, 2), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda X: mutual_information(X[0]), "X\\[np.newaxis\\]"),
        (lambda X: mutual_information(X[:0]), "none of them 0"),
        (lambda X: mutual_information(X, 81), "at least 91 samples, got n_times=90"),
        (lambda X: mutual_information(X, 0), "max_lag must be at least 1, got 0"),
        (lambda X: mutual_information(X, 8, bins=0), "bins=0 must be 'adaptive' or"),
        (lambda X: mutual_information(X, 8, bins=83), "from 1 to n_times"),
        (lambda X: mutual_information(X, 8, bins="even"), "bins='even' must be"),
        (lambda X: mutual_information(X, 8, bins=True), "bins=True must be"),
        (lambda X: autocorrelation(X, 90), "at least 91 samples"),
        (lambda X: cao_statistic(X, 41), "lag=41 needs trials of at least 92"),
        (lambda X: cao_statistic(X, 0), "lag must be at least 1"),
        (lambda X: cao_statistic(X, 1, 0), "max_order must be at least 1"),
    ],
)
def test_bad_parameters(call, match):
    with pytest.raises(ValueError, match=match):
        call(series("noise"))


def test_types_of_parameters():
    X = series("noise")
    with pytest.raises(TypeError, match=r"max_lag must be an integer, got 2\.5"):
        mutual_information(X, 2.5)
    with pytest.raises(TypeError, match="lag must be an integer, got True"):
        cao_statistic(X, True)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_values_are_named(name, value):
    X = series("noise", shape=(4, 2))
    X[2, 1, 5] = value
    with pytest.raises(ValueError, match=r"NaN or infinity: 1 of 4 .* is X\[2\]"):
        STATISTICS[name](X)


def test_constant_channels_are_named(name):
    X = series("noise", shape=(4, 3))
    X[2, 1] = 1e-29
    with pytest.raises(ValueError, match=r"Channel 1 is constant in trial X\[2\]"):
        STATISTICS[name](X)


def test_nearly_constant_channels():
    # Constant but for the end, where the embedding of dimension 1 does not look.
    X = np.zeros((1, 2, 50))
    X[0, 0] = np.arange(50)
    X[0, 1, -1] = 1.0
    assert np.isfinite(mutual_information(X, 5)).all()
    assert np.isfinite(autocorrelation(X, 5)).all()
    with pytest.raises(ValueError, match=r"Channel 1 of trial X\[0\] is constant wh"):
        cao_statistic(X, 1)


def test_extreme_values_do_not_overflow(name):
    X = series("noise")
    X = X / np.abs(X).max() * np.finfo(float).max
    assert_allclose(
        STATISTICS[name](X), STATISTICS[name](X * 2.0**-1000), rtol=1e-12, atol=1e-14
    )
