"""Agreement with geomstats on regular pairs, up to its conventions.

The released version 2.8.0 runs on NumPy below 2.4. Near coincident points, cut loci
and far out in hyperbolic space it loses digits that ours keep; see
`test_precision.py`.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geolearn.manifolds import (
    SPD,
    Grassmann,
    Hyperboloid,
    Manifold,
    PoincareBall,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
)
from tests.peers import geomstats

spd = geomstats("geometry.spd_matrices")
triangular = geomstats("geometry.positive_lower_triangular_matrices")
pullback = geomstats("geometry.pullback_metric")
mean = geomstats("learning.frechet_mean")
Grassmannian = geomstats("geometry.grassmannian").Grassmannian
TheirBall = geomstats("geometry.poincare_ball").PoincareBall
TheirHyperboloid = geomstats("geometry.hyperboloid").Hyperboloid
TheirRotations = geomstats("geometry.special_orthogonal").SpecialOrthogonal
TheirSphere = geomstats("geometry.hypersphere").Hypersphere
TheirStiefel = geomstats("geometry.stiefel").Stiefel


def spd_space(metric):
    space = spd.SPDMatrices(3, equip=False)
    space.equip_with_metric(metric)
    return space


class LogCholeskyMetric(pullback.PullbackDiffeoMetric):
    """Their metric of Cholesky factors, pulled back."""

    def __init__(self, space):
        image = triangular.PositiveLowerTriangularMatrices(space.n, equip=False)
        image.equip_with_metric(triangular.CholeskyMetric)
        super().__init__(space, spd.CholeskyMap(), image)


def same(x):
    return x


def same_vector(x, v):
    return v


def projector(x):
    return x @ np.swapaxes(x, -1, -2)


def projector_vector(x, v):
    moved = v @ np.swapaxes(x, -1, -2)
    return moved + np.swapaxes(moved, -1, -2)


class Case(NamedTuple):
    """A manifold in both libraries, and how theirs follows from ours."""

    ours: Manifold
    theirs: Any
    factor: float = 1.0  # of their distances
    point: Any = same
    vector: Any = same_vector
    transports: bool = True


CASES = {
    "sphere": Case(Sphere(3), TheirSphere(3)),
    "circle": Case(Sphere(1), TheirSphere(1)),
    "hyperboloid": Case(Hyperboloid(3), TheirHyperboloid(3)),
    "poincare": Case(PoincareBall(2), TheirBall(2), transports=False),
    "affine": Case(SPD(3), spd_space(spd.SPDAffineMetric)),
    "log_euclidean": Case(
        SPD(3, "log_euclidean"), spd_space(spd.SPDLogEuclideanMetric)
    ),
    "log_cholesky": Case(
        SPD(3, "log_cholesky"), spd_space(LogCholeskyMetric), transports=False
    ),
    "bures_wasserstein": Case(
        SPD(3, "bures_wasserstein"),
        spd_space(spd.SPDBuresWassersteinMetric),
        transports=False,
    ),
    "grassmann": Case(
        Grassmann(5, 2), Grassmannian(5, 2), math.sqrt(2), projector, projector_vector
    ),
    "planes": Case(
        Grassmann(4, 3), Grassmannian(4, 3), math.sqrt(2), projector, projector_vector
    ),
    "rotations": Case(SpecialOrthogonal(3), TheirRotations(3)),
    "rotations_4": Case(SpecialOrthogonal(4), TheirRotations(4)),
    "frames": Case(Stiefel(5, 2), TheirStiefel(5, 2), transports=False),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def pairs(manifold):
    """Return regular pairs: neither close, nor far apart, nor at the cut locus."""
    x = manifold.random_normal(6, scale=0.2, random_state=0)
    v = manifold.random_tangent(x, random_state=1)
    w = manifold.random_tangent(x, random_state=2)
    longest = min(0.4, 0.7 * manifold.injectivity_radius)
    lengths = longest * np.linspace(0.3, 1.0, 6) / manifold.norm(x, v)
    v = manifold._per_point(lengths) * v
    return x, v, w, manifold.exp(x, v)


def test_distances(case):
    x, _, _, y = pairs(case.ours)
    theirs = case.theirs.metric.dist(case.point(x), case.point(y))
    assert_allclose(case.factor * case.ours.dist(x, y), theirs, rtol=1e-8)


def test_inner_products(case):
    x, v, w, _ = pairs(case.ours)
    v, w = case.ours.project_tangent(x, v), case.ours.project_tangent(x, w)
    theirs = case.theirs.metric.inner_product(
        case.vector(x, v), case.vector(x, w), case.point(x)
    )
    ours = case.factor**2 * case.ours.inner(x, v, w)
    assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_exponentials(case):
    x, v, _, y = pairs(case.ours)
    theirs = case.theirs.metric.exp(case.vector(x, v), case.point(x))
    assert_allclose(case.point(y), theirs, atol=1e-8)


def test_logarithms(case):
    x, _, _, y = pairs(case.ours)
    theirs = case.theirs.metric.log(case.point(y), case.point(x))
    ours = case.vector(x, case.ours.log(x, y))
    assert_allclose(ours, theirs, atol=1e-7)


def test_transports(case):
    if not case.transports:
        pytest.skip("geomstats has no closed form")
    x, v, w, y = pairs(case.ours)
    theirs = case.theirs.metric.parallel_transport(
        case.vector(x, w), case.point(x), direction=case.vector(x, v)
    )
    ours = case.vector(y, case.ours.transport(x, y, w))
    assert_allclose(ours, theirs, atol=1e-7)


def test_means(case):
    X = case.ours.random_normal(4, scale=0.15, random_state=3)
    weight = np.arange(1.0, 5.0)
    descent = mean.AdaptiveGradientDescent(max_iter=32, epsilon=1e-6)
    theirs = descent.minimize(case.theirs, case.point(X), weights=weight / weight.sum())
    ours = case.point(case.ours.frechet_mean(X, weight))
    assert_allclose(ours, theirs, atol=1e-5)
