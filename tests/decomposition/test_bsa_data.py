"""Barycentric subspaces of cities and of hands, as a user would look for them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from geolearn.datasets import load_cities, load_hand_shapes
from geolearn.decomposition import BarycentricSubspaceAnalysis
from geolearn.manifolds import PlanarShapes, Sphere

BSA = BarycentricSubspaceAnalysis


@pytest.fixture(scope="module")
def cities():
    return load_cities()


@pytest.fixture(scope="module")
def hands():
    return load_hand_shapes()


def test_a_great_circle_through_two_cities(cities):
    model = BSA(1, manifold="sphere", strategy="pure").fit(cities.data)
    assert model.search_ == "exhaustive"
    pole = np.cross(*model.references_)
    pole /= np.linalg.norm(pole)
    np.testing.assert_allclose(
        model.residuals_, np.abs(np.arcsin(cities.data @ pole)), atol=1e-12
    )
    rng = np.random.default_rng(0)
    for i, j in rng.permuted(np.tile(np.arange(50), (200, 1)), axis=1)[:, :2]:
        other = np.cross(cities.data[i], cities.data[j])
        other /= np.linalg.norm(other)
        U = np.mean(np.arcsin(cities.data @ other) ** 2)
        assert model.unexplained_variance_[1] * (1.0 - 1e-12) <= U


def test_kilometres(cities):
    earth = Sphere(2, radius=6371.0)
    model = BSA(1, manifold=earth).fit(6371.0 * cities.data)
    unit = BSA(1, manifold="sphere").fit(cities.data)
    assert list(model.reference_indices_) == list(unit.reference_indices_)
    np.testing.assert_allclose(model.residuals_, 6371.0 * unit.residuals_, rtol=1e-9)


def test_inhabitants_weigh(cities):
    model = BSA(0, manifold="sphere", p=1.0)
    model.fit(cities.data, sample_weight=cities.population)
    D = Sphere(2).pairwise_distances(cities.data)
    median = np.argmin(D @ cities.population)
    assert list(model.reference_indices_) == [median]


def test_hands_between_two_hands(hands):
    shapes = PlanarShapes(22)
    model = BSA(1, manifold=shapes).fit(hands.planar)
    assert model.converged_.all()
    assert (model.hessian_index_ == 0).all()
    assert model.explained_variance_ratio_[0] > 0.3
    back = model.inverse_transform(model.embedding_)
    np.testing.assert_allclose(
        shapes.dist(back, model.reconstruct(hands.planar)), 0.0, atol=1e-7
    )
    # A span of dimension one is the geodesic through both references.
    x, y = model.references_
    t = np.linspace(-1.5, 2.5, 2001)
    arc = shapes.exp(x, t[:, None, None] * shapes.log(x, y))
    nearest = np.min(shapes.dist(hands.planar[:, None], arc[None]), axis=1)
    np.testing.assert_allclose(model.residuals_, nearest, atol=2e-6)


def test_coordinates_tell_the_poses(hands):
    model = make_pipeline(BSA(1, manifold="planar_shapes"), LogisticRegression(C=100.0))
    scores = cross_val_score(model, hands.planar, hands.target, cv=4)
    assert scores.mean() > 0.75
