import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neighbors import kneighbors_graph

from geolearn.graph import fuzzy_affinity, nearest_neighbors
from geolearn.graph._fuzzy import _calibrate
from geolearn.metrics import pairwise_distances
from tests.reference import graph as reference

pytestmark = pytest.mark.kernels

X = np.random.default_rng(0).normal(size=(50, 3))


@pytest.mark.parametrize("k", [2, 5, 20, 49])
def test_agree_with_the_formula(k):
    expected = reference.fuzzy(pairwise_distances(X), k)
    assert_allclose(fuzzy_affinity(X, k).toarray(), expected, rtol=1e-9, atol=1e-12)


def test_one_neighbour_is_the_unweighted_graph():
    W = fuzzy_affinity(X, 1).toarray()
    nearest = nearest_neighbors(X, 1)[1].ravel()
    expected = np.zeros((50, 50))
    expected[np.arange(50), nearest] = expected[nearest, np.arange(50)] = 1
    assert_array_equal(W, expected)


@given(seed=st.integers(0, 1000), scale=st.sampled_from([1e-15, 1.0, 1e15]))
def test_permuted_and_scaled(seed, scale):
    order = np.random.default_rng(seed).permutation(50)
    W = fuzzy_affinity(X, 5).toarray()
    found = fuzzy_affinity(X[order] * scale, 5).toarray()
    assert_allclose(found, W[np.ix_(order, order)], rtol=1e-9)


def test_kinds_of_input_and_threads():
    W = fuzzy_affinity(X, 5).toarray()
    assert_array_equal(fuzzy_affinity(X, 5, n_jobs=2).toarray(), W)
    D = pairwise_distances(X)
    found = fuzzy_affinity(D, 5, metric="precomputed").toarray()
    assert_allclose(found, W, rtol=1e-9)
    G = kneighbors_graph(X, 5, mode="distance")
    found = fuzzy_affinity(G, 5, metric="precomputed").toarray()
    assert_allclose(found, W, rtol=1e-9)


def test_rows_sum_to_the_target():
    distances, _ = nearest_neighbors(X, 12)
    weights = np.empty_like(distances)
    _calibrate(distances, np.log2(13), distances.mean(), weights)
    assert_allclose(weights.sum(axis=1), np.log2(13), rtol=1e-12)
    assert_array_equal(weights[:, 0], 1)


def test_ties_and_duplicates():
    # All at the same distance: no equation for sigma, all weights 1.
    same = np.ones((2, 4))
    weights = np.empty_like(same)
    _calibrate(same, np.log2(5), 0.8, weights)
    assert_array_equal(weights, 1)
    # Four ties of five: sigma at its lower bound, a thousandth of the mean.
    tied = np.array([[1.0, 1.0, 1.0, 1.0, 1.001]])
    weights = np.empty_like(tied)
    _calibrate(tied, np.log2(6), 0.8, weights)
    assert_array_equal(weights[0, :4], 1)
    assert_allclose(weights[0, 4], np.exp(-1e-3 / (1e-3 * 5.001 / 6)), rtol=1e-9)
    # Only duplicates: rho is 0, and so are all distances.
    W = fuzzy_affinity(np.repeat(X[:4], 10, axis=0), 5)
    assert set(W.data) == {1.0}
    weights = np.empty((1, 3))
    _calibrate(np.array([[0.0, 0.0, 2.0]]), np.log2(4), 1.0, weights)
    assert_array_equal(weights, 1)  # rho is the nearest positive distance
    everything_equal = fuzzy_affinity(np.zeros((6, 2)), 3)
    assert set(everything_equal.data) == {1.0}


def test_weights_are_an_affinity():
    W = fuzzy_affinity(X, 8)
    assert_array_equal(W.toarray(), W.toarray().T)
    assert W.data.min() > 0
    assert W.data.max() <= 1
    assert (W.toarray().max(axis=1) == 1).all()  # the nearest neighbour
    with pytest.warns(UserWarning, match="n_neighbors=50"):
        fuzzy_affinity(X, 50)
