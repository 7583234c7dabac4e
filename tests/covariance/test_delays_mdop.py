"""Delays by maximising derivatives on projection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.covariance import _mdop as module
from geolearn.covariance import mdop, mutual_information
from tests.reference import delays as reference

pytestmark = pytest.mark.kernels


def trials(kind, n_times=80, seed=0, shape=(2, 2)):
    X = np.random.default_rng(seed).normal(size=(*shape, n_times))
    if kind == "walk":
        X = X.cumsum(axis=2)
    if kind == "counts":
        X = np.round(2 * X.cumsum(axis=2))
    return X


def assert_same(actual, trial, delays, channels, false):
    assert_array_equal(actual.delays[trial], delays)
    assert_array_equal(actual.channels[trial], channels)
    assert_allclose(actual.false_neighbors[trial], false, rtol=1e-13)


@pytest.mark.parametrize("kind", ["noise", "walk", "counts"])
@pytest.mark.parametrize("window", [0, 4])
def test_against_the_formulas(kind, window):
    X = trials(kind)
    found = mdop(X, 15, theiler=window)
    for r, x in enumerate(X):
        expected = reference.derivatives_on_projection(x, window, 15)
        assert_same(found, r, *expected)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32 - 1), n_channels=st.integers(1, 3))
def test_many_trials_against_the_formulas(seed, n_channels):
    X = trials("noise", 60, seed, (1, n_channels))
    expected = reference.derivatives_on_projection(X[0], 1, 8)
    assert_same(mdop(X, 8, theiler=1), 0, *expected)


@pytest.mark.parametrize("x", [1e-200, 1e-40])
def test_ratios_of_extreme_size(x):
    # Products of such differences underflow; their logarithms do not.
    s = np.where(np.arange(80) % 7 == 0, 1.0, 0.0)
    s += x * np.random.default_rng(0).normal(size=80)
    Y, nothing = s[:, None], np.ones(1)
    squared, index = reference.neighbours(Y[:70], nothing, 0)
    actual = np.empty(11)
    module._beta(s, 1.0, 70, squared, index, actual)
    expected = reference.beta(Y, nothing, s, 0, 10)
    if x == 1e-40:  # a square of 1e-400 is a distance of 0
        assert np.isfinite(actual).all()
    assert_allclose(actual, expected, rtol=1e-12, atol=1e-15)


def test_results_by_trial():
    X = trials("walk", 80, shape=(5, 2))
    found = mdop(X, 10, theiler=2)
    for r in range(5):
        m = found.orders[r]
        assert len(found.delays[r]) == len(found.channels[r]) == m + 1
        assert len(found.false_neighbors[r]) == m
        assert found.delays[r][0] == 0
        assert found.lags[r] == round(np.mean(found.delays[r][:m]))
    assert found.order == round(np.mean(found.orders))
    assert found.lag == round(np.mean(found.lags))
    single = mdop(X[3:4], 10, theiler=2)
    assert_same(single, 0, found.delays[3], found.channels[3], found.false_neighbors[3])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([0.4, 0.4, 0.4, 0.6], [0.9, 0.5, 0.8, 9.0], 1 / 3),  # 0.8 / 0.4 is 2: true
        ([0.6, 0.7], [9.0, 9.0], 1.0),  # no near neighbour at all
        ([0.0, 0.0], [0.0, 0.1], 0.5),
    ],
)
def test_share_of_false_neighbours(old, new, expected):
    old, new = np.square(old), np.square(new)
    assert module._false_share(old, new, len(old)) == expected


def test_stops():
    X = trials("noise", 90, shape=(5, 2))
    found = mdop(X, 10, theiler=1)
    for f in found.false_neighbors:
        falling = np.diff(f) <= 0
        assert falling[:-1].all()
        assert f[-1] <= 0.05 or not falling[-1]
        assert (f[:-1] > 0.05).all()
    capped = mdop(X, 10, max_cycles=2, theiler=1)
    assert_array_equal(capped.orders, np.minimum(found.orders, 2))


def test_theiler_window_from_the_mutual_information():
    t = np.arange(200) / 6.1
    rng = np.random.default_rng(0)
    X = np.stack([np.sin(t), np.sin(0.6 * t)])[None] + 0.1 * rng.normal(
        size=(2, 2, 200)
    )
    information = mutual_information(X, 30, average=False)
    windows = [max(np.argmax(np.diff(c) >= 0) + 1 for c in t) for t in information]
    assert_array_equal(module._theiler_windows(X, None, 30, None), windows)
    found = mdop(X, 15)
    for r, w in enumerate(windows):
        single = mdop(X[r : r + 1], 15, theiler=int(w))
        assert_same(
            single, 0, found.delays[r], found.channels[r], found.false_neighbors[r]
        )


def test_two_sines_use_both_channels():
    t = np.arange(250) / 6.1
    X = np.stack([np.sin(t), np.sin(np.sqrt(2) * t)])[None]
    found = mdop(X, 20, theiler=12)
    assert set(found.channels[0]) == {0, 1}


def assert_same_results(actual, expected):
    for r in range(len(expected.orders)):
        assert_same(
            actual,
            r,
            expected.delays[r],
            expected.channels[r],
            expected.false_neighbors[r],
        )


def test_units_shifts_and_signs_do_not_matter():
    X = np.round(trials("noise", 70, shape=(2, 2)) * 2**20)  # exact sums, no ties
    expected = mdop(X, 12, theiler=2)
    for Z in (2.0**-500 * X, 2.0**700 * X, X + 2.0**25, X * [[4.0], [0.5]], -X):
        assert_same_results(mdop(Z, 12, theiler=2), expected)


def test_threads_do_not_matter():
    X = trials("walk", 90, shape=(3, 2))
    assert_same_results(mdop(X, 12, n_jobs=2), mdop(X, 12))


def test_duplicated_values():
    s = np.random.default_rng(0).normal(size=50)
    X = np.concatenate([s, s])[None, None]
    found = mdop(X, 10, theiler=0)
    assert_same(found, 0, *reference.derivatives_on_projection(X[0], 0, 10))


def test_shortest_trials():
    X = trials("noise", 28)
    found = mdop(X, 10, theiler=3)  # 2 (10 + 3) + 2
    for r in range(2):
        assert_same(found, r, *reference.derivatives_on_projection(X[r], 3, 10))
    with pytest.raises(ValueError, match="max_delay=10 needs trials of at least 28"):
        mdop(X[:, :, :27], 10, theiler=3)


def test_bad_input():
    X = trials("noise")
    with pytest.raises(ValueError, match="max_delay must be at least 1"):
        mdop(X, 0)
    with pytest.raises(ValueError, match="max_cycles must be at least 1"):
        mdop(X, 5, max_cycles=0)
    with pytest.raises(ValueError, match="theiler must be at least 0"):
        mdop(X, 5, theiler=-1)
    with pytest.raises(TypeError, match="theiler must be an integer"):
        mdop(X, 5, theiler="auto")
    X[1, 0] = 2.0
    with pytest.raises(ValueError, match=r"Channel 0 is constant in trial X\[1\]"):
        mdop(X, 5)


def test_the_first_of_equal_channels_is_taken():
    X = np.repeat(trials("noise", shape=(2, 1)), 3, axis=1)
    for channels in mdop(X, 15, theiler=1).channels:
        assert_array_equal(channels, 0)
