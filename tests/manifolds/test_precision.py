"""Digits that are kept where textbook formulas lose them, against 50-digit values.

The bounds are the precision targets: relative 1e-13 for regular pairs, absolute
20 eps cosh(r) on the hyperboloid, and what each model can represent elsewhere.
"""

import math

import mpmath as mp
import numpy as np
import pytest

from geolearn.manifolds import Hyperboloid, PoincareBall, Sphere
from tests.reference import manifolds as reference

EPS = np.finfo(float).eps


def relative(value, exact):
    return float(abs((mp.mpf(float(value)) - exact) / exact))


@pytest.mark.parametrize(
    "angle", [1e-8, 1e-4, 1e-2, 1.0, 2.0, 3.0, math.pi - 1e-4, math.pi - 1e-8]
)
def test_sphere(angle):
    sphere = Sphere(4)
    rng = np.random.RandomState(0)
    x = sphere.random_point(6, random_state=rng)
    u = sphere.random_tangent(x, random_state=rng)
    y = sphere.exp(x, angle * u / sphere.norm(x, u)[:, None])
    logs = sphere.log(x, y)
    for a, b, d, v in zip(x, y, sphere.dist(x, y), logs, strict=True):
        exact = reference.sphere_dist(a, b)
        assert relative(d, exact) < 1e-15
        gap = [
            p - q
            for p, q in zip(reference.exact(v), reference.sphere_log(a, b), strict=True)
        ]
        # Near the antipode the direction is only known to eps over the gap left.
        bound = 1e-14 + 10 * EPS / (math.pi - angle)
        assert reference.norm(gap) / exact < bound


@pytest.mark.parametrize("tiny", [1e-15, 1e-100])
def test_sphere_resolves_the_smallest_angles(tiny):
    # (1, t, 0) is of unit length to 1e-30, so the angle is t.
    distance = Sphere(2).dist([1.0, 0.0, 0.0], [1.0, tiny, 0.0])
    assert relative(distance, mp.mpf(tiny)) < 1e-15


def test_sphere_density_near_the_antipode():
    x = np.array([1.0, 0.0, 0.0])
    for gap in (1e-3, 1e-9, 1e-14):
        y = np.array([-1.0, gap, 0.0])  # unit to gap^2 / 2, angle pi - atan(gap)
        y = y / np.linalg.norm(y) if gap > 1e-8 else y
        with mp.workdps(40):
            angle = mp.pi - mp.atan(mp.mpf(gap))
            exact = mp.log(mp.sin(angle) / angle)
        assert relative(Sphere(2).log_volume_density(x, y), exact) < 1e-14
        table = Sphere(2).pairwise_distances(x[None], y[None], return_log_volume=True)
        assert relative(table[1][0, 0], exact) < 1e-14


@pytest.mark.parametrize(
    ("radius", "distance", "printed"),
    # The last column is the error in the specification's table, doubled for other
    # draws; None where only the target holds.
    [
        (10.0, 1.0, 4e-15),
        (15.0, 3.0, 3e-14),
        (0.5, 1e-6, 4e-22),
        (5.0, 1e-3, None),
        (20.0, 1.0, None),
        (2.0, 18.0, None),
        (25.0, 0.1, None),
        (1e-8, 1e-8, 1e-23),
        (1e-8, 3e-8, 4e-23),
    ],
)
def test_hyperboloid(radius, distance, printed):
    space = Hyperboloid(3)
    rng = np.random.default_rng(0)
    for _ in range(6):
        x, y = reference.hyperboloid_pair(rng, 3, radius, distance)
        farthest = max(np.arcsinh(np.linalg.norm(p[1:])) for p in (x, y))
        bound = 20 * EPS * math.cosh(farthest)
        exact = reference.hyperboloid_dist(x, y)
        error = abs(float(mp.mpf(float(space.dist(x, y))) - exact))
        assert error < (printed or bound)
        vector = reference.exact(space.log(x, y))
        truth = reference.hyperboloid_log(x, y)
        gap = [p - q for p, q in zip(vector, truth, strict=True)]
        assert mp.sqrt(abs(reference.lorentz(gap, gap))) < bound * max(distance, 1.0)


def test_hyperboloid_of_very_different_radii_along_one_ray():
    # The exterior product must use the shorter spatial part, or q drowns in noise.
    space = Hyperboloid(3)
    u = np.array([0.6, 0.0, 0.8])
    x = space.project(np.concatenate([[0.0], math.sinh(20.0) * u]))
    y = space.project(np.concatenate([[0.0], math.sinh(30.0) * u]))
    exact = reference.hyperboloid_dist(x, y)
    assert relative(space.dist(x, y), exact) < 1e-13
    assert space.dist(x, y) == space.dist(y, x)


@pytest.mark.parametrize("radius", [1e-6, 1.0, 8.0, 20.0])
def test_transport_of_the_hyperboloid(radius):
    # In ambient coordinates it loses a factor exp(radius) next to the origin.
    space = Hyperboloid(3)
    rng = np.random.default_rng(2)
    for _ in range(6):
        x, y = reference.hyperboloid_pair(rng, 3, radius, min(radius, 5.0))
        for point in (y, space.origin):
            farthest = max(np.arcsinh(np.linalg.norm(p[1:])) for p in (x, point))
            for start, end in ((x, point), (point, x)):
                v = space.random_tangent(start, random_state=rng.integers(1000))
                truth = reference.hyperboloid_transport(start, end, v)
                found = reference.exact(space.transport(start, end, v))
                frames = [reference.hyperboloid_frame(end, u) for u in (truth, found)]
                error = reference.norm([a - b for a, b in zip(*frames, strict=True)])
                assert error < 20 * EPS * math.cosh(farthest)


@pytest.mark.parametrize(
    ("separation", "gap"),
    [(1e-10, 0.5), (1e-6, 0.5), (1e-3, 0.5), (1.0, 0.5), (4.0, 0.9)],
)
def test_poincare_ball(separation, gap):
    ball = PoincareBall(3)
    rng = np.random.default_rng(1)
    for _ in range(6):
        x, u = rng.standard_normal((2, 3))
        x *= (1 - gap) / np.linalg.norm(x)
        u = ball.vector_to_tangent(x, separation * u / np.linalg.norm(u))
        y = ball.exp(x, u)
        exact = reference.poincare_dist(x, y)
        rounding = 1e-15 / (1 - np.linalg.norm(y))
        assert relative(ball.dist(x, y), exact) < 4 * rounding
        truth = reference.poincare_log(x, y)
        difference = [
            p - q for p, q in zip(reference.exact(ball.log(x, y)), truth, strict=True)
        ]
        assert reference.norm(difference) / reference.norm(truth) < 4 * rounding


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_poincare_ball_near_its_boundary(gap):
    ball = PoincareBall(3)
    rng = np.random.default_rng(2)
    x = rng.standard_normal((6, 3))
    x *= (1 - gap) / np.linalg.norm(x, axis=1, keepdims=True)
    y = rng.uniform(-0.5, 0.5, (6, 3))
    for a, b in zip(x, y, strict=True):
        exact = reference.poincare_dist(a, b)
        # intrinsic: one rounding of x changes 1 - |x| by that much
        assert relative(ball.dist(a, b), exact) < 2 * EPS / gap


@pytest.mark.parametrize("curvature", [-1e-30, -1e-4, -1e4, -1e30])
def test_hyperbolic_distances_scale_with_curvature(curvature):
    scale = 1 / math.sqrt(-curvature)
    x, y = np.array([[0.3, 0.1], [0.2, -0.6]])
    expected = PoincareBall(2).dist(x, y) * scale
    ball = PoincareBall(2, curvature=curvature)
    assert ball.dist(scale * x, scale * y) == pytest.approx(expected, rel=1e-13)
    sheet = Hyperboloid(2, curvature=curvature)
    a, b = Hyperboloid(2).random_point(2, random_state=0)
    expected = Hyperboloid(2).dist(a, b) * scale
    assert sheet.dist(scale * a, scale * b) == pytest.approx(expected, rel=1e-13)
