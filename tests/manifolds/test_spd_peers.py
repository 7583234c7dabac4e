"""Agreement with pyRiemann, by its own names, where it is right."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geolearn.manifolds import SPD
from tests.peers import pyriemann

distance = pyriemann("geometry.distance")
geodesic = pyriemann("geometry.geodesic")
mean = pyriemann("geometry.mean")
tangent = pyriemann("geometry.tangentspace")

X = SPD(4).random_normal(6, scale=0.4, random_state=0)
P, Q = X[:2]
U, V = (np.random.default_rng(k).standard_normal((4, 4)) for k in (0, 1))
U, V = 0.1 * (U + U.T), 0.1 * (V + V.T)


@pytest.mark.parametrize("name", sorted(distance.distance_functions))
def test_distances(name):
    manifold = SPD(4, name)
    theirs = distance.distance_functions[name]
    assert_allclose(manifold.dist(P, Q), theirs(P, Q), rtol=1e-10)
    # the root of a difference of traces is 1e-8 on their diagonals
    table = distance.pairwise_distance(X, metric=name)
    assert_allclose(manifold.pairwise_distances(X), table, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("power", [-0.7, 0.3, 2.0])
def test_power_euclidean_distance(power):
    # their squared distance divides by abs(power), which is not the square
    expected = distance.distance_poweuclid(P, Q, p=power)
    actual = SPD(4, "poweuclid", power=power).dist(P, Q)
    assert_allclose(actual, expected, rtol=1e-10)


@pytest.mark.parametrize(
    "name",
    [
        "chol",
        "euclid",
        "harmonic",
        "kullback_sym",
        "logdet",
        "logchol",
        "logeuclid",
        "riemann",
        "wasserstein",
    ],
)
def test_means(name):
    weight = np.arange(1.0, 7.0)
    options = {"tol": 1e-10, "maxiter": 200}
    if name in {"chol", "euclid", "harmonic", "kullback_sym", "logchol", "logeuclid"}:
        options = {}
    expected = mean.mean_functions[name](X, sample_weight=weight, **options)
    actual = SPD(4, name).frechet_mean(X, weight, tol=1e-11, max_iter=200)
    assert_allclose(actual, expected, rtol=1e-6, atol=1e-8)


def test_power_euclidean_mean():
    expected = mean.mean_poweuclid(X, p=0.3)
    assert_allclose(SPD(4, "poweuclid", power=0.3).frechet_mean(X), expected, 1e-10)


@pytest.mark.parametrize("name", sorted(tangent.log_map_functions))
def test_maps(name):
    manifold = SPD(4, name)
    # by default theirs leaves out the roots of P on both sides
    riemann = name == "riemann"
    logs = tangent.log_map(X, P, metric=name, **({"C12": True} if riemann else {}))
    assert_allclose(manifold.log(P, X), logs, rtol=1e-8, atol=1e-10)
    options = {"Cm12": True} if riemann else {}
    points = tangent.exp_map(np.stack([U, V]), P, metric=name, **options)
    assert_allclose(manifold.exp(P, np.stack([U, V])), points, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", sorted(tangent.innerproduct_functions))
def test_inner_products(name):
    expected = tangent.innerproduct(U, V, P, metric=name)
    assert_allclose(SPD(4, name).inner(P, U, V), expected, rtol=1e-8)


@pytest.mark.parametrize("name", sorted(tangent.transport_functions))
def test_transports(name):
    expected = tangent.transport(np.stack([U, V]), P, Q, metric=name)
    actual = SPD(4, name).transport(P, Q, np.stack([U, V]))
    assert_allclose(actual, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    "name", sorted(set(geodesic.geodesic_functions) - {"thompson"})
)
def test_geodesics(name):
    # their Thompson geodesic is one of many
    expected = geodesic.geodesic(P, Q, 0.3, metric=name)
    assert_allclose(SPD(4, name).geodesic(P, Q, 0.3), expected, rtol=1e-8, atol=1e-10)


def test_affine_tangent_vectors():
    # under the other metrics theirs are not orthonormal
    expected = tangent.tangent_space(X, P, metric="riemann")
    assert_allclose(SPD(4).log_vector(P, X), expected, rtol=1e-9, atol=1e-11)
