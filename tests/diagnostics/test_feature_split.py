"""Agreement of distances from two halves of the features."""

import numpy as np
import pytest

from geolearn.diagnostics import feature_split_stability
from geolearn.diagnostics._feature_split import _split_correlation
from tests.reference import diagnostics as reference

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(400, 64))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_one_split_follows_its_formula(metric):
    Z = NOISE[:40, :9] + np.arange(40)[:, None] / 10.0
    order = np.random.default_rng(1).permutation(9)
    expected = reference.split_correlation(Z, np.sort(order[:4]), metric)
    assert _split_correlation(Z, order, metric) == pytest.approx(expected, rel=1e-10)


def test_ties_share_their_rank():
    Z = np.random.default_rng(0).integers(3, size=(30, 8)) * 1.0 + np.eye(30, 8)
    expected = reference.split_correlation(Z, np.arange(4), "euclidean")
    found = _split_correlation(Z, np.arange(8), "euclidean")
    assert found == pytest.approx(expected, rel=1e-10)


def test_worked_numbers():
    low_rank = RNG.normal(size=(400, 5)) @ RNG.normal(size=(5, 64))
    # Between 0.85 and 0.91 for other draws of the data.
    assert feature_split_stability(low_rank, random_state=0) == pytest.approx(
        0.90, abs=0.015
    )
    few = {"n_splits": 10, "random_state": 0}
    assert abs(feature_split_stability(NOISE, **few)) < 0.006
    centre = 1.5 * RNG.normal(size=64)
    clusters = NOISE + np.where(np.arange(400) % 2, 1.0, -1.0)[:, None] * centre
    assert feature_split_stability(clusters, **few) == pytest.approx(0.74, abs=0.02)


def test_seeds_threads_and_units():
    Z = NOISE[:100] + np.linspace(0.0, 3.0, 100)[:, None]
    options = {"n_splits": 4, "random_state": 3}
    value = feature_split_stability(Z, **options)
    assert feature_split_stability(Z, n_jobs=2, **options) == value
    assert feature_split_stability(1e200 * Z, **options) == pytest.approx(value)
    other = feature_split_stability(Z, n_splits=4, random_state=4)
    assert other != value
    few = feature_split_stability(Z, max_samples=50, **options)
    assert few != value
    assert few == pytest.approx(value, abs=0.1)
    whole = feature_split_stability(Z, max_samples=None, **options)
    assert whole == value


def test_rows_of_zeros_have_a_distance():
    Z = NOISE[:20].copy()
    Z[:2] = 0.0
    assert np.isfinite(feature_split_stability(Z, n_splits=3, random_state=0))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="halves need at least 2"):
        feature_split_stability(NOISE[:, :1])
    with pytest.raises(ValueError, match="nothing to correlate"):
        feature_split_stability(np.ones((5, 4)))
    with pytest.raises(ValueError, match="n_splits must be an int"):
        feature_split_stability(NOISE, n_splits=0)
    with pytest.raises(ValueError, match="max_samples must be an int of at least 3"):
        feature_split_stability(NOISE, max_samples=2)
    with pytest.raises(ValueError, match="metric='l1' is unknown"):
        feature_split_stability(NOISE, metric="l1")
