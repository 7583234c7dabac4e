"""HyperbolicDiffusionDistance: worked numbers, slow reference, landmarks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.embedding import HyperbolicDiffusionDistance, _hyperbolic_diffusion
from tests.reference import hyperbolic_embedding as reference

PAIR = np.array([[0.0, 1.0], [1.0, 0.0]])


def graph(n=40, seed=0):
    A = np.triu(np.random.default_rng(seed).uniform(size=(n, n)) < 0.1, 1) * 1.0
    A[np.arange(n - 1), np.arange(1, n)] = 1.0
    return A + A.T


@pytest.mark.parametrize(
    ("n_scales", "wanted"),
    [(1, 0.53614592), (2, 1.55125365), (3, 2.75726327), (4, 3.91290439)],
)
def test_two_nodes(n_scales, wanted):
    found = HyperbolicDiffusionDistance(n_scales).fit_transform(PAIR)
    assert_allclose(found, wanted * PAIR, rtol=1e-8)


@pytest.mark.parametrize("A", [graph(), 50.0 * graph()])
@pytest.mark.parametrize(("n_scales", "alpha"), [(1, 0.5), (4, 0.5), (6, 0.3)])
def test_graphs_agree_with_matrix_exponentials(A, n_scales, alpha):
    model = HyperbolicDiffusionDistance(n_scales, alpha=alpha).fit(A)
    wanted = reference.diffusion_distance(A, n_scales, alpha)
    assert_allclose(model.distances_, wanted, atol=1e-7)
    assert_array_equal(model.distances_, model.distances_.T)


def test_landmarks_are_columns(monkeypatch):
    A = graph()
    whole = HyperbolicDiffusionDistance().fit(A).distances_
    for limit in (100, 10):  # by whole operators, by blocks of rows
        monkeypatch.setattr(_hyperbolic_diffusion, "_ALL_UP_TO", limit)
        part = HyperbolicDiffusionDistance(n_landmarks=7, random_state=0).fit(A)
        assert_allclose(part.distances_, whole[:, part.landmark_indices_], atol=1e-10)


def test_distances_of_samples():
    X = np.random.default_rng(0).normal(size=(30, 2))
    D = np.linalg.norm(X[:, None] - X, axis=-1)
    given = HyperbolicDiffusionDistance(1, affinity="distance", epsilon=0.7).fit(D)
    W = np.exp(-(D**2) / 0.7)
    W = W / np.outer(W.sum(axis=1), W.sum(axis=1))
    psi = np.sqrt(W / W.sum(axis=1, keepdims=True))
    wanted = 2.0 * np.arcsinh(2.0 * np.linalg.norm(psi[:, None] - psi, axis=-1))
    assert_allclose(given.distances_, wanted, atol=1e-6)
    own = HyperbolicDiffusionDistance(
        1, affinity="distance", metric="euclidean", epsilon=0.7
    ).fit(X)
    assert_allclose(own.distances_, given.distances_, atol=1e-6)


def test_isolated_nodes_and_bad_graphs():
    A = np.zeros((3, 3))
    A[:2, :2] = PAIR
    with pytest.warns(UserWarning, match="1 nodes have no edge"):
        found = HyperbolicDiffusionDistance().fit(A).distances_
    assert_allclose(found[:2, :2], 3.91290439 * PAIR, rtol=1e-8)
    with pytest.raises(ValueError, match=r"transpose|symmetric"):
        HyperbolicDiffusionDistance().fit([[0.0, 1.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="Negative"):
        HyperbolicDiffusionDistance().fit(-PAIR)
