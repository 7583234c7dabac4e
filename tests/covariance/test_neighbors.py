"""Nearest neighbours among SPD matrices."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from geolearn.covariance import SPDKNeighborsClassifier
from geolearn.covariance import _neighbors as module
from geolearn.manifolds import SPD
from tests.covariance.common import make_matrices
from tests.peers import pyriemann

METRICS = [
    "affine_invariant",
    "log_euclidean",
    "log_cholesky",
    "cholesky",
    "bures_wasserstein",
    "stein",
    "thompson",
    "euclidean",
    "power_euclidean",
]


def table(manifold, X, Y):
    """Return distances from one matrix to another at a time."""
    return np.array([[manifold.dist(x, y) for y in Y] for x in X])


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_are_those_of_sorted_distances(metric):
    X, y = make_matrices(25, 4)
    new, _ = make_matrices(7, 4, seed=1)
    knn = SPDKNeighborsClassifier(4, metric=metric).fit(X, y)
    D = table(SPD(4, metric), new, X)
    order = np.argsort(D, axis=1, kind="stable")[:, :4]
    distances, indices = knn.kneighbors(new)
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(
        distances, np.take_along_axis(D, order, axis=1), rtol=1e-8, atol=1e-12
    )
    np.testing.assert_array_equal(knn.kneighbors(new, return_distance=False), indices)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("metric", ["affine_invariant", "log_euclidean"])
def test_votes_are_those_of_scikit_learn(metric, weights):
    X, y = make_matrices(40, 3)
    new, _ = make_matrices(20, 3, seed=1)
    new[:5] = X[:5]  # at distance zero
    manifold = SPD(3, metric)
    D, E = manifold.pairwise_distances(X), manifold.pairwise_distances(new, X)
    E[E < 1e-12] = 0.0
    peer = KNeighborsClassifier(4, metric="precomputed", weights=weights).fit(D, y)
    knn = SPDKNeighborsClassifier(4, metric=metric, weights=weights).fit(X, y)
    np.testing.assert_allclose(
        knn.predict_proba(new), peer.predict_proba(E), rtol=1e-7, atol=1e-12
    )
    np.testing.assert_array_equal(knn.predict(new), peer.predict(E))


@pytest.mark.parametrize("metric", ["affine_invariant", "log_euclidean", "stein"])
def test_training_matrices_skip_themselves_but_find_copies(metric):
    X, y = make_matrices(10, 3)
    X[7] = X[2]
    knn = SPDKNeighborsClassifier(3, metric=metric).fit(X, y)
    distances, indices = knn.kneighbors()
    assert not (indices == np.arange(10)[:, None]).any()
    assert (indices[2, 0], indices[7, 0]) == (7, 2)
    assert (distances[2, 0], distances[7, 0]) == (0.0, 0.0)
    with pytest.raises(ValueError, match=r"n_neighbors=10.*n_samples=9"):
        knn.kneighbors(n_neighbors=10)


def test_blocks_do_not_change_the_result(monkeypatch):
    X, y = make_matrices(30, 4)
    knn = SPDKNeighborsClassifier(3, metric="stein").fit(X, y)
    whole, within = knn.kneighbors(X), knn.kneighbors()
    monkeypatch.setattr(module, "_BLOCK_NUMBERS", 70)  # two rows at a time
    for first, second in zip(whole, knn.kneighbors(X), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-14)
    for first, second in zip(within, knn.kneighbors(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("metric", ["affine_invariant", "euclidean", "log_euclidean"])
def test_units_do_not_change_neighbours(metric):
    X, y = make_matrices(20, 4)
    expected = SPDKNeighborsClassifier(3, metric=metric).fit(X, y).kneighbors()[1]
    for unit in (1e-29, 1e20):
        knn = SPDKNeighborsClassifier(3, metric=metric).fit(unit * X, y)
        np.testing.assert_array_equal(knn.kneighbors()[1], expected)


def test_too_few_matrices():
    X, y = make_matrices(4, 3)
    with pytest.raises(ValueError, match=r"n_neighbors=5.*n_samples=4"):
        SPDKNeighborsClassifier().fit(X, y)
    knn = SPDKNeighborsClassifier(2).fit(X, y)
    with pytest.raises(ValueError, match="at least 1"):
        knn.kneighbors(X, n_neighbors=0)
    with pytest.raises(TypeError, match="integer"):
        knn.kneighbors(X, n_neighbors=1.5)


def test_ties_go_to_the_first_class():
    X = np.array([np.diag([1.0, d]) for d in (1.0, 4.0)])
    knn = SPDKNeighborsClassifier(2, metric="euclidean").fit(X, ["b", "a"])
    assert knn.predict([np.diag([1.0, 2.0])]).tolist() == ["a"]


def test_agrees_with_pyriemann():
    classification = pyriemann("classification")
    X, y = make_matrices(40, 4)
    new, _ = make_matrices(20, 4, seed=1)
    peer = classification.KNearestNeighbor(n_neighbors=5, metric="riemann").fit(X, y)
    knn = SPDKNeighborsClassifier(5, metric="riemann").fit(X, y)
    np.testing.assert_array_equal(knn.predict(new), peer.predict(new))
