"""Weighted Fréchet means: exactness, identifiability, convergence, warnings."""

import math
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from geolearn.manifolds import (
    Euclidean,
    FrechetMean,
    Hyperboloid,
    PoincareBall,
    ProductManifold,
    Sphere,
    Torus,
    poincare_to_hyperboloid,
)


def objective(manifold, x, X, weight=None):
    return np.average(manifold.dist(x, X) ** 2, weights=weight)


def test_euclidean_mean_is_the_weighted_average():
    X = np.random.default_rng(0).standard_normal((20, 3))
    w = np.random.default_rng(1).uniform(size=20)
    expected = np.average(X, axis=0, weights=w)
    assert_allclose(Euclidean(3).frechet_mean(X, w), expected, rtol=1e-13)
    result = Euclidean(3).frechet_mean(X, w, return_result=True)
    assert isinstance(result, FrechetMean)
    assert result.n_iter == 0
    assert result.variance == pytest.approx(objective(Euclidean(3), expected, X, w))


def test_sphere_mean_of_a_triangle_is_its_centre():
    centre = Sphere(2).frechet_mean(np.eye(3))
    assert_allclose(centre, np.full(3, 3**-0.5), rtol=1e-12)


def test_weights_count_like_repetitions():
    sphere = Sphere(3)
    X = sphere.random_normal(10, scale=0.3, random_state=0)
    repeats = np.array([1, 2, 3, 0, 1, 1, 2, 5, 1, 1])
    expected = sphere.frechet_mean(np.repeat(X, repeats, axis=0))
    assert_allclose(sphere.frechet_mean(X, repeats), expected, atol=1e-9)
    assert_allclose(sphere.frechet_mean(X, 1e300 * repeats), expected, atol=1e-9)
    assert_allclose(sphere.frechet_mean(X, 1e-300 * repeats), expected, atol=1e-9)


@pytest.mark.parametrize("manifold", [Sphere(2), Hyperboloid(2), Torus(2)], ids=repr)
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, -1.0, 3.0], r"sample_weight\[1\] is -1"),
        ([0.0, 0.0, 0.0], "zero for every sample"),
        ([1.0, np.nan, 1.0], r"sample_weight\[1\] is nan"),
        ([1.0, np.inf, 1.0], r"sample_weight\[1\] is inf"),
        ([1.0, 1.0], r"shape \(3,\), got \(2,\)"),
    ],
)
def test_wrong_weights(manifold, weight, message):
    X = manifold.random_normal(3, scale=0.1, random_state=0)
    with pytest.raises(ValueError, match=message):
        manifold.frechet_mean(X, weight)


def test_wrong_arguments():
    sphere = Sphere(2)
    X = np.eye(3)
    with pytest.raises(ValueError, match="0 samples"):
        sphere.frechet_mean(np.zeros((0, 3)))
    with pytest.raises(ValueError, match=r"X\[0\] is not on Sphere"):
        sphere.frechet_mean(2 * X)
    with pytest.raises(ValueError, match=r"init\[0\] is not on Sphere"):
        sphere.frechet_mean(X, init=np.ones(3))
    with pytest.raises(ValueError, match="n_init must be at least 1"):
        sphere.frechet_mean(X, n_init=0)
    with pytest.raises(TypeError, match="max_iter must be an integer"):
        sphere.frechet_mean(X, max_iter=2.5)
    with pytest.raises(ValueError, match="tol must be positive"):
        sphere.frechet_mean(X, tol=0.0)


def test_antipodes_have_no_mean_but_local_minima():
    sphere = Sphere(2)
    X = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="not identifiable"):
        sphere.frechet_mean(X)
    with pytest.raises(ValueError, match="not identifiable"):
        sphere.frechet_mean(X, init=X[0])  # on the cut locus of the other
    with pytest.warns(UserWarning, match="may not be unique"):
        equator = sphere.frechet_mean(X, init=[0.0, 1.0, 0.0])
    assert_allclose(equator, [0.0, 1.0, 0.0], atol=1e-12)


def test_spread_out_points_on_the_sphere_warn_unless_restarted():
    circle = Sphere(1)
    angles = np.array([-0.1, 0.0, 0.1, 2.6, -2.6])
    X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    with pytest.warns(UserWarning, match=r"certain only within 1\.57.*n_init"):
        circle.frechet_mean(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        best = circle.frechet_mean(X, n_init=5, random_state=0, return_result=True)
    grid = np.linspace(-np.pi, np.pi, 20001)
    points = np.stack([np.cos(grid), np.sin(grid)], axis=1)
    values = np.mean(circle.dist(points[:, None], X) ** 2, axis=1)
    assert best.variance <= values.min() + 1e-7


def test_restarts_find_a_better_minimum():
    circle = Sphere(1)
    angles = np.array([-2.0, 0.0, 0.0, 2.0])  # also a minimum at pi / 2
    X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    with pytest.warns(UserWarning, match="may not be unique"):
        trapped = circle.frechet_mean(X, init=X[3], return_result=True)
    best = circle.frechet_mean(
        X, init=X[3], n_init=4, random_state=0, return_result=True
    )
    assert best.variance < trapped.variance - 0.1
    again = circle.frechet_mean(
        X, init=X[3], n_init=4, random_state=0, return_result=True
    )
    assert np.array_equal(best.mean, again.mean)


@pytest.mark.parametrize("spread", [1.0, 3.0, 6.0])
def test_curvature_step_converges_for_spread_hyperbolic_data(spread):
    space = Hyperboloid(4)
    X = space.random_ball(50, spread, random_state=0)
    result = space.frechet_mean(X, return_result=True)
    assert result.converged
    assert result.n_iter < 60  # the plain step takes hundreds or never ends
    nearby = space.exp(
        result.mean, space.random_tangent(np.tile(result.mean, (20, 1)), scale=1e-2)
    )
    assert all(objective(space, y, X) > result.variance for y in nearby)


def test_plain_step_would_be_slow(monkeypatch):
    space = Hyperboloid(4)
    X = space.random_ball(50, 6.0, random_state=0)
    start = X[0]
    quick = space.frechet_mean(X, init=start, return_result=True)
    monkeypatch.setattr("geolearn.manifolds._mean._State.step_size", lambda self: 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        plain = space.frechet_mean(X, init=start, return_result=True)
    assert plain.n_iter > 1.5 * quick.n_iter


def test_mean_moves_with_boosts():
    plane = Hyperboloid(2)
    X = plane.random_ball(20, 2.0, random_state=0)
    boost = np.eye(3)
    boost[:2, :2] = [[math.cosh(1), math.sinh(1)], [math.sinh(1), math.cosh(1)]]
    assert_allclose(
        plane.frechet_mean(X @ boost.T), boost @ plane.frechet_mean(X), atol=1e-8
    )


def test_both_hyperbolic_models_have_the_same_mean():
    ball, sheet = PoincareBall(3, curvature=-2.0), Hyperboloid(3, curvature=-2.0)
    X = ball.random_ball(30, 2.0, random_state=0)
    expected = sheet.frechet_mean(poincare_to_hyperboloid(X, curvature=-2.0))
    mean = ball.frechet_mean(X)
    assert_allclose(poincare_to_hyperboloid(mean, curvature=-2.0), expected, atol=1e-9)


def test_units_do_not_matter():
    X = Sphere(2).random_normal(15, scale=0.3, random_state=0)
    expected = Sphere(2).frechet_mean(X)
    for radius in (1e-15, 1e15):
        mean = Sphere(2, radius=radius).frechet_mean(radius * X)
        assert_allclose(mean / radius, expected, atol=1e-9)
    X = Hyperboloid(2).random_normal(15, random_state=0)
    expected = Hyperboloid(2).frechet_mean(X)
    for scale in (1e-15, 1e15):
        mean = Hyperboloid(2, curvature=-(scale**-2)).frechet_mean(scale * X)
        assert_allclose(mean / scale, expected, atol=1e-9)


def test_order_of_the_samples_does_not_matter():
    space = Hyperboloid(2)
    X = space.random_normal(15, random_state=0)
    assert_allclose(space.frechet_mean(X[::-1]), space.frechet_mean(X), atol=1e-9)


def test_single_precision_data_give_a_single_precision_mean():
    X = Sphere(2).random_normal(15, scale=0.3, random_state=0)
    mean = Sphere(2).frechet_mean(X.astype(np.float32))
    assert mean.dtype == np.float32
    assert_allclose(mean, Sphere(2).frechet_mean(X), atol=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_torus_mean_is_the_global_minimum(seed):
    torus = Torus(1)
    rng = np.random.default_rng(seed)
    X = rng.uniform(-np.pi, np.pi, (rng.integers(2, 12), 1))
    weight = rng.uniform(0.1, 1.0, len(X))
    result = torus.frechet_mean(X, weight, return_result=True)
    grid = np.linspace(-np.pi, np.pi, 40001)[:, None]
    values = np.average(torus.dist(grid[:, None], X) ** 2, axis=1, weights=weight)
    assert result.variance <= values.min() + 1e-12
    assert_allclose(result.variance, values.min(), atol=1e-7)
    gradient = np.average(torus.log(result.mean, X), axis=0, weights=weight)
    assert_allclose(gradient, 0.0, atol=1e-14)


def test_torus_mean_treats_coordinates_apart_and_wraps():
    X = np.array([[3.1, 0.2], [-3.1, 0.4], [3.0 + 2 * np.pi, 0.0]])
    mean = Torus(2).frechet_mean(X)
    first = 3.1 + np.mean([0.0, 2 * np.pi - 6.2, -0.1])
    assert_allclose(mean, [first - 2 * np.pi if first > np.pi else first, 0.2])
    one = Torus(1).frechet_mean(X[:, :1])
    assert_allclose(mean[0], one[0], rtol=1e-15)


def test_torus_mean_of_many_equal_angles_keeps_its_digits():
    X = np.full((1000, 1), 3.0) + 1e-9 * np.arange(1000)[:, None]
    assert_allclose(Torus(1).frechet_mean(X), 3.0 + 1e-9 * 499.5, rtol=1e-15)


def test_opposite_angles_warn():
    with pytest.warns(UserWarning, match="not unique.*coordinate 1") as record:
        mean = Torus(2).frechet_mean([[0.0, 0.0], [0.1, np.pi]])
    assert record[0].filename == __file__
    assert_allclose(np.abs(mean), [0.05, np.pi / 2])


def test_product_mean_is_that_of_the_factors():
    factors = [Sphere(2), Hyperboloid(2), Torus(1), Euclidean(2)]
    product = ProductManifold(factors, scales=[1.0, 2.0, 3.0, 4.0])
    X = product.random_normal(20, scale=0.3, random_state=0)
    w = np.random.default_rng(0).uniform(size=20)
    result = product.frechet_mean(X, w, init=X[0], return_result=True)
    parts = zip(product.split(result.mean), product.split(X), factors, strict=True)
    for mean, part, factor in parts:
        assert_allclose(mean, factor.frechet_mean(part, w), atol=1e-8)
    assert_allclose(result.variance, objective(product, result.mean, X, w))
    assert result.converged
    assert 0 < result.n_iter < 50
