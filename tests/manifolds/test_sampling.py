"""Distributions of random points, and their reproducibility."""

import math

import numpy as np
import pytest
from scipy import stats

from geolearn.manifolds import Euclidean, Hyperboloid, PoincareBall, Sphere, Torus
from tests.manifolds.own_manifolds import PlainSphere

SPACES = [
    Euclidean(3),
    Sphere(1),
    Sphere(3, radius=2.0),
    Hyperboloid(1),
    Hyperboloid(2, curvature=-2.0),
    Hyperboloid(5),
    PoincareBall(3),
]
P_VALUE = 1e-3  # the seeds are fixed, so that a failure is not chance


def ball_volume(manifold, radius):
    """Return the distribution function of the radius up to a factor, by summation."""
    r = np.linspace(0.0, radius, 20001)
    scale, power = manifold._length_scale, manifold.dim - 1
    curvature = manifold.sectional_curvature_bounds[0]
    profile = {0: lambda t: t, 1: np.sin, -1: np.sinh}[int(np.sign(curvature))]
    area = profile(r / scale) ** power
    return r, np.concatenate([[0.0], np.cumsum(area[1:] + area[:-1])])


@pytest.mark.parametrize("manifold", SPACES, ids=repr)
def test_uniform_balls(manifold):
    radius = 0.9 * min(manifold.injectivity_radius, 4.0)
    center = manifold.random_point(1, random_state=1)[0]
    X = manifold.random_ball(4000, radius, center, random_state=0)
    distances = manifold.dist(center, X)
    assert distances.max() <= radius * (1 + 1e-9)
    r, volume = ball_volume(manifold, radius)
    uniform = np.interp(distances, r, volume / volume[-1])
    assert stats.kstest(uniform, "uniform").pvalue > P_VALUE
    directions = manifold.tangent_to_vector(center, manifold.log(center, X))
    directions /= distances[:, None]
    assert np.abs(directions.mean(axis=0)).max() < 4 / math.sqrt(4000)


def test_uniform_ball_is_the_uniform_distribution_on_the_whole_sphere():
    X = Sphere(2).random_ball(4000, math.pi, random_state=0)
    assert stats.kstest(X[:, 2], "uniform", args=(-1, 2)).pvalue > P_VALUE
    assert stats.kstest(X[:, 0], "uniform", args=(-1, 2)).pvalue > P_VALUE


def test_balls_far_out_and_in_high_dimension_stay_accurate():
    X = Hyperboloid(200).random_ball(2000, 10.0, random_state=0)
    distances = Hyperboloid(200).dist(Hyperboloid(200).origin, X)
    # density e^((m - 1) r): 10 - r is exponential of rate 199
    assert stats.kstest(199 * (10.0 - distances), "expon").pvalue > P_VALUE


@pytest.mark.parametrize("manifold", [Sphere(2, radius=3.0), PlainSphere(2)], ids=repr)
def test_uniform_points_on_the_sphere(manifold):
    X = manifold.random_point(4000, random_state=0)
    height = X[:, 1] / np.linalg.norm(X[0])
    assert stats.kstest(height, "uniform", args=(-1, 2)).pvalue > P_VALUE


def test_uniform_points_on_the_torus():
    X = Torus(2).random_point(4000, random_state=0)
    args = (-math.pi, 2 * math.pi)
    assert stats.kstest(X[:, 1], "uniform", args=args).pvalue > P_VALUE


@pytest.mark.parametrize(
    "manifold",
    [Euclidean(3), Hyperboloid(3, curvature=-0.5), PoincareBall(3), Sphere(3)],
    ids=repr,
)
def test_wrapped_normal(manifold):
    center = manifold.random_point(1, random_state=2)[0]
    X = manifold.random_normal(4000, center, scale=0.2, random_state=0)
    w = manifold.tangent_to_vector(center, manifold.log(center, X)) / 0.2
    assert stats.kstest(w[:, 0], "norm").pvalue > P_VALUE
    assert stats.kstest(np.sum(w**2, axis=1), "chi2", args=(3,)).pvalue > P_VALUE


def test_random_tangents_are_isotropic():
    space = Hyperboloid(2, curvature=-3.0)
    x = space.random_point(3000, random_state=0)
    v = space.random_tangent(x, scale=2.0, random_state=1)
    assert stats.kstest(space.norm(x, v) ** 2 / 4, "chi2", args=(2,)).pvalue > P_VALUE
    assert np.abs(space.project_tangent(x, v) - v).max() < 1e-9


@pytest.mark.parametrize("manifold", [*SPACES, Torus(2)], ids=repr)
def test_seeds_fix_the_draw(manifold):
    for draw in (manifold.random_point, manifold.random_normal):
        first, second = draw(3, random_state=7), draw(3, random_state=7)
        assert first.shape == (3, *manifold.point_shape)
        assert np.array_equal(first, second)
        generator = np.random.RandomState(7)
        assert np.array_equal(first, draw(3, random_state=generator))
        assert not np.array_equal(first, draw(3, random_state=generator))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="at most the injectivity radius"):
        Sphere(2).random_ball(3, 4.0)
    with pytest.raises(ValueError, match="radius must be positive"):
        Hyperboloid(2).random_ball(3, -1.0)
    with pytest.raises(ValueError, match="n_samples must be at least 1"):
        Sphere(2).random_point(0)
    with pytest.raises(TypeError, match="n_samples must be an integer"):
        Sphere(2).random_normal(2.5)
