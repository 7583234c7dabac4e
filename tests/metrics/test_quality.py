"""Row-wise correlation of distance tables."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import pearsonr, spearmanr

from geolearn.metrics import distance_correlation_score, pairwise_distances
from tests.reference.metrics import rank_rows


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    return pairwise_distances(X[:, :2]), pairwise_distances(X)


def test_against_scipy_row_by_row(tables):
    D, G = tables
    for method, correlation in [("pearson", pearsonr), ("spearman", spearmanr)]:
        rows = [correlation(d, g).statistic for d, g in zip(D, G, strict=True)]
        score = distance_correlation_score(D, G, method=method)
        assert_allclose(score, np.mean(rows), rtol=1e-13)


def test_spearman_is_pearson_of_the_average_ranks(tables):
    D, G = (np.round(table, 1) for table in tables)  # many ties
    assert len(np.unique(D[0])) < len(D)
    score = distance_correlation_score(D, G, method="spearman")
    ranks = distance_correlation_score(rank_rows(D), rank_rows(G))
    assert_allclose(score, ranks, rtol=1e-13)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_float32_and_units(tables, method):
    D, G = tables
    score = distance_correlation_score(D, G, method=method)
    narrow = distance_correlation_score(D.astype(np.float32), G, method=method)
    assert_allclose(narrow, score, rtol=1e-6)
    for unit in (1e-15, 1e15, 1e-200, 1e200):
        scaled = distance_correlation_score(unit * D, G, method=method)
        assert_allclose(scaled, score, rtol=1e-12)


def test_float32_with_an_offset_is_summed_in_float64():
    # In float32 the mean of these rows has lost the digits of their differences.
    rng = np.random.default_rng(1)
    D = (1e4 + rng.standard_normal((5, 20_000))).astype(np.float32)
    G = rng.standard_normal(D.shape)
    expected = np.mean(
        [pearsonr(d.astype(float), g).statistic for d, g in zip(D, G, strict=True)]
    )
    assert_allclose(distance_correlation_score(D, G), expected, rtol=1e-9)


def test_blocks_do_not_change_the_score(tables, monkeypatch):
    whole = distance_correlation_score(*tables)
    monkeypatch.setattr("geolearn.metrics._quality._BLOCK_BYTES", 8 * 60 * 7)
    assert_allclose(distance_correlation_score(*tables), whole, rtol=1e-14)


def test_perfect_and_reversed(tables):
    _, G = tables
    assert distance_correlation_score(G, G) <= 1.0
    assert_allclose(distance_correlation_score(3 * G + 1, G), 1.0, rtol=1e-14)
    assert_allclose(distance_correlation_score(-G, G), -1.0, rtol=1e-14)
    monotone = distance_correlation_score(np.exp(G), G, method="spearman")
    assert_allclose(monotone, 1.0, rtol=1e-14)


def test_constant_rows():
    G = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [5.0, 5.0, 5.0]])
    D = G.copy()
    with pytest.warns(UserWarning, match="1 of 3 rows of G are constant"):
        assert_allclose(distance_correlation_score(D, G), 1.0)
    D[0] = 0.0
    with pytest.warns(UserWarning, match="1 of 2 rows of D are constant"):
        assert_allclose(distance_correlation_score(D[:2], G[:2]), 0.5)
    with pytest.raises(ValueError, match="All rows of G are constant"):
        distance_correlation_score(D, np.ones((3, 3)))


def test_errors(tables):
    D, G = tables
    with pytest.raises(ValueError, match="method='kendall'"):
        distance_correlation_score(D, G, method="kendall")
    with pytest.raises(ValueError, match=r"shapes \(60, 60\) and \(60, 59\)"):
        distance_correlation_score(D, G[:, 1:])
    with pytest.raises(ValueError, match="D contains NaN or infinity"):
        distance_correlation_score(np.where(D > 1, np.inf, D), G)
