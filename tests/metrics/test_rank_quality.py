"""Trustworthiness and continuity against the definition and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import manifold

from geolearn.manifolds import Hyperboloid
from geolearn.metrics import continuity, hyperbolic_distances, trustworthiness
from geolearn.metrics import pairwise_distances as distances


def points(n=60, dim=5, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim))


def ranks(D):
    """Return the rank of every point among the others, row by row."""
    out = np.zeros(D.shape, dtype=int)
    for i in range(len(D)):
        others = [j for j in range(len(D)) if j != i]
        others.sort(key=lambda j: (D[i, j], j))
        out[i, others] = range(1, len(D))
    return out


def definition(D_X, D_Y, k):
    n = len(D_X)
    r, shown = ranks(D_X), ranks(D_Y)
    excess = sum(
        r[i, j] - k
        for i in range(n)
        for j in range(n)
        if i != j and shown[i, j] <= k < r[i, j]
    )
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * excess


@pytest.mark.parametrize("k", [1, 5, 29])
def test_equals_scikit_learn_on_euclidean_data(k):
    X = points()
    Y = X[:, :2] + 0.3 * points(dim=2, seed=1)
    D_X, D_Y = distances(X), distances(Y)
    there = manifold.trustworthiness(X, Y, n_neighbors=k)
    back = manifold.trustworthiness(Y, X, n_neighbors=k)
    assert_allclose(trustworthiness(D_X, D_Y, k), there, rtol=1e-14)
    assert_allclose(continuity(D_X, D_Y, n_neighbors=k), back, rtol=1e-14)
    assert 0.0 < there < 1.0
    assert there != back


def test_default_is_five_neighbours():
    D_X, D_Y = distances(points()), distances(points(dim=2, seed=3))
    assert trustworthiness(D_X, D_Y) == trustworthiness(D_X, D_Y, 5)
    assert continuity(D_X, D_Y) == continuity(D_X, D_Y, 5)
    assert continuity(D_X, D_Y) == trustworthiness(D_Y, D_X)


@given(st.integers(3, 14), st.integers(1, 6), st.integers(0, 99), st.integers(1, 4))
def test_equals_the_definition_with_ties(n, k, seed, largest):
    if 2 * k >= n:
        return
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(2):  # few distinct distances, zero among them
        D = np.triu(rng.integers(0, largest, size=(n, n), endpoint=True), 1)
        tables.append((D + D.T).astype(float))
    expected = definition(*tables, k)
    assert_allclose(trustworthiness(*tables, k), expected, rtol=1e-13, atol=1e-13)
    assert_allclose(continuity(*tables[::-1], k), expected, rtol=1e-13, atol=1e-13)


def test_ties_go_to_the_lower_index():
    # In D_X all are equally far, and the ranks follow the index.
    D_X = 1.0 - np.eye(5)
    D_Y = np.array(
        [
            [0.0, 5.0, 5.0, 5.0, 1.0],
            [5.0, 0.0, 2.0, 5.0, 5.0],
            [5.0, 2.0, 0.0, 5.0, 5.0],
            [5.0, 5.0, 5.0, 0.0, 3.0],
            [1.0, 5.0, 5.0, 3.0, 0.0],
        ]
    )
    # shown: 0 -> 4 (rank 4), 1 -> 2 (2), 2 -> 1 (2), 3 -> 4 (4), 4 -> 0 (1)
    expected = 1 - 2 / (5 * (10 - 3 - 1)) * (3 + 1 + 1 + 3 + 0)
    assert_allclose(trustworthiness(D_X, D_Y, 1), expected, rtol=1e-14)
    # neighbours in D_X: 0 -> 1 and all others -> 0; ranks in D_Y by value, then index
    expected = 1 - 2 / 30 * ((2 - 1) + (2 - 1) + (2 - 1) + (2 - 1) + 0)
    assert_allclose(continuity(D_X, D_Y, 1), expected, rtol=1e-14)


def test_extremes_are_one_and_zero():
    D = distances(points())
    opposite = (D.max() + 1.0 - D) * (1.0 - np.eye(len(D)))
    for k in (1, 7, 29):
        assert trustworthiness(D, np.sqrt(D), k) == 1.0
        assert_allclose(trustworthiness(D, opposite, k), 0.0, atol=1e-15)
        assert_allclose(continuity(D, opposite, k), 0.0, atol=1e-15)


def test_only_the_order_counts():
    D_X, D_Y = distances(points()), distances(points(dim=2, seed=3))
    expected = trustworthiness(D_X, D_Y)
    for unit in (1e-200, 1e200):
        assert trustworthiness(unit * D_X, D_Y**3) == expected
    shuffled = np.random.default_rng(0).permutation(len(D_X))
    square = np.ix_(shuffled, shuffled)
    assert_allclose(trustworthiness(D_X[square], D_Y[square]), expected, rtol=1e-14)


def test_any_metric_on_either_side():
    X = Hyperboloid(2).random_point(40, random_state=0)
    D = distances(X, metric="hyperboloid")
    ball = hyperbolic_distances(X[:, 1:] / (1.0 + X[:, :1]), model="poincare")
    assert trustworthiness(D, ball) == 1.0
    assert trustworthiness(D, distances(X[:, 1:])) < 1.0


def test_blocks_types_and_inputs(monkeypatch):
    D_X, D_Y = distances(points()), distances(points(dim=2, seed=3))
    expected = trustworthiness(D_X, D_Y), continuity(D_X, D_Y)
    copies = D_X.copy(), D_Y.copy()
    for table in (D_X, D_Y):
        table.setflags(write=False)
    monkeypatch.setattr("geolearn.metrics._rank_quality._BLOCK_BYTES", 8 * 60 * 7)
    assert (trustworthiness(D_X, D_Y), continuity(D_X, D_Y)) == expected
    assert trustworthiness(D_X.tolist(), np.asfortranarray(D_Y)) == expected[0]
    assert isinstance(expected[0], float)
    assert_array_equal(D_X, copies[0])
    assert_array_equal(D_Y, copies[1])


@pytest.mark.parametrize("score", [trustworthiness, continuity])
def test_bad_input(score):
    D, E = distances(points(10)), distances(points(10, seed=1))
    with pytest.raises(ValueError, match=r"n_neighbors=5 must be less than n_s.* = 5;"):
        score(D, E, 5)
    with pytest.raises(ValueError, match="n_neighbors must be at least 1"):
        score(D, E, 0)
    with pytest.raises(TypeError, match="n_neighbors must be an integer"):
        score(D, E, 2.0)
    with pytest.raises(ValueError, match="D_Y has 9 rows, but 10 are needed"):
        score(D, E[:9, :9], 2)
    for name, tables in (("D_X", lambda T: (T, E)), ("D_Y", lambda T: (D, T))):
        with pytest.raises(ValueError, match=f"{name} must be a square table"):
            score(*tables(D[:, :8]), 2)
        for value, message in [
            (np.nan, "contains NaN"),
            (np.inf, "contains infinity"),
            (-1.0, "holds negative distances"),
            (2e3, "is not symmetric"),
        ]:
            bad = D.copy()
            bad[2, 3] = value
            with pytest.raises(ValueError, match=f"{name} {message}"):
                score(*tables(bad), 2)
        with pytest.raises(ValueError, match=f"{name} must be zero on its diagonal"):
            score(*tables(D + np.eye(10)), 2)
