"""Wrapped normals: samples, densities that integrate to one, and bad input."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal, norm

from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    KleinBall,
    PoincareBall,
    ProductManifold,
    Sphere,
    WrappedNormal,
)
from geolearn.metrics import pairwise_distances

COV = np.array([[0.5, 0.2], [0.2, 0.3]])


def polar_grid(space, center, radius, n_radii=400, n_angles=128):
    """Points of the ball around `center` with quadrature weights for the volume."""
    nodes, weights = np.polynomial.legendre.leggauss(n_radii)
    r = 0.5 * radius * (nodes + 1.0)
    turn = 2.0 * np.pi * np.arange(n_angles) / n_angles
    v = r[:, None, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    scale = abs(space.sectional_curvature_bounds[0]) ** -0.5
    sine = np.sinh if space.sectional_curvature_bounds[0] < 0 else np.sin
    area = scale * sine(r / scale) * 0.5 * radius * weights * 2.0 * np.pi / n_angles
    X = space.exp_vector(center, v.reshape(-1, 2))
    return X, np.repeat(area, n_angles)


@pytest.mark.parametrize("curvature", [-1.0, -2.5])
def test_density_on_the_hyperbolic_plane_integrates_to_one(curvature):
    space = Hyperboloid(2, curvature)
    mean = space.exp_vector(space.origin, [0.7, -0.4])
    normal = WrappedNormal(mean, COV, curvature)
    # Around a point that is not the mean, where nothing is symmetric.
    X, weights = polar_grid(space, space.origin, 8.0, n_angles=1024)
    assert_allclose(np.sum(weights * np.exp(normal.logpdf(X))), 1.0, rtol=1e-8)


@pytest.mark.parametrize(("spread", "rtol"), [(0.05, 1e-8), (1.0, 1e-3), (6.0, 5e-3)])
def test_density_on_the_sphere_integrates_to_one(spread, rtol):
    # Wide normals wrap around; their density has an integrable pole, at the
    # antipode of the mean and at the mean.
    sphere = Sphere(2, radius=1.5)
    mean = sphere.exp_vector(sphere.origin, [1.0, 3.0])
    normal = WrappedNormal(mean, spread * COV, curvature=1.5**-2)
    X, weights = polar_grid(sphere, mean, math.pi * 1.5)
    assert_allclose(np.sum(weights * np.exp(normal.logpdf(X))), 1.0, rtol=rtol)


def test_wide_normal_on_a_circle():
    # The wrapped normal of directional statistics, summed over turns.
    normal = WrappedNormal([0.0, 2.0], 9.0, manifold=Sphere(1, radius=2.0))
    angle = np.linspace(-3.0, 3.0, 13)
    X = 2.0 * np.column_stack([-np.sin(angle), np.cos(angle)])
    turns = 4.0 * np.pi * np.arange(-9, 10)
    expected = norm(scale=3.0).pdf(2.0 * angle[:, None] + turns).sum(axis=1)
    assert_allclose(np.exp(normal.logpdf(X)), expected, rtol=1e-12)
    antipode = np.exp(normal.logpdf([[0.0, -2.0]]))
    expected = norm(scale=3.0).pdf(2.0 * np.pi + turns).sum()
    assert_allclose(antipode, expected, rtol=1e-12)


def test_flat_space_is_the_normal_distribution():
    mean = np.array([1.0, -2.0])
    normal = WrappedNormal(mean, COV, curvature=0.0)
    X = np.random.default_rng(0).standard_normal((20, 2))
    assert_allclose(
        normal.logpdf(X), multivariate_normal(mean, COV).logpdf(X), rtol=1e-12
    )
    assert normal.manifold == Euclidean(2)


def test_density_formula_at_a_known_point():
    # mean at radius 1 on the first axis, point at radius 2: log N(1) - log(sinh(1))
    mean = [np.cosh(1.0), np.sinh(1.0), 0.0]
    point = [[np.cosh(2.0), np.sinh(2.0), 0.0]]
    expected = -0.5 / 0.25 - math.log(2.0 * math.pi * 0.25) - math.log(math.sinh(1.0))
    assert_allclose(WrappedNormal(mean, 0.25).logpdf(point), [expected], rtol=1e-13)


@pytest.mark.parametrize("curvature", [-1.0, -0.25, 0.0, 1.0, 4.0])
def test_moments(curvature):
    n_columns = 2 if curvature == 0.0 else 3
    start = np.zeros(n_columns)
    start[0] = 1.0 if curvature == 0.0 else abs(curvature) ** -0.5
    space = WrappedNormal(start, 1.0, curvature).manifold
    origin = space.origin
    mean = space.exp_vector(origin, [0.3, 0.4])
    normal = WrappedNormal(mean, 0.09 * COV, curvature)
    X = normal.rvs(40_000, random_state=0)
    assert space.belongs(X).all()
    back = space.transport(mean, origin, space.log(mean, X))
    v = space.tangent_to_vector(origin, back)
    # five standard errors of 40 000 draws
    assert_allclose(v.mean(axis=0), 0.0, atol=5 * 0.22 / 200)
    assert_allclose(np.cov(v.T), 0.09 * COV, atol=5 * 0.09 * 0.7 / 200)


def test_samples_follow_the_density():
    # Entropy: the mean of -logpdf over samples has a closed form but for the volume.
    normal = WrappedNormal([1.25, 0.75, 0.0], COV)
    X = normal.rvs(20_000, random_state=0)
    r = pairwise_distances(X, normal.mean[None], metric="hyperboloid")[:, 0]
    expected = 1.0 + math.log(2.0 * math.pi) + 0.5 * math.log(np.linalg.det(COV))
    entropy = -normal.logpdf(X) - np.log(np.sinh(r) / r)
    assert_allclose(entropy.mean(), expected, atol=5 / math.sqrt(20_000))


def models(cov):
    hyperboloid, ball, klein = Hyperboloid(2), PoincareBall(2), KleinBall(2)
    v = np.array([0.8, -0.3])
    return [
        WrappedNormal(space.exp_vector(space.origin, v), cov, manifold=space)
        for space in (hyperboloid, ball, klein)
    ]


def test_the_models_of_hyperbolic_space_agree():
    normals = models(COV)
    draws = [normal.rvs(50, random_state=1) for normal in normals]
    X = draws[0]
    in_ball, in_klein = X[:, 1:] / (1.0 + X[:, :1]), X[:, 1:] / X[:, :1]
    assert_allclose(draws[1], in_ball, rtol=1e-9, atol=1e-12)
    assert_allclose(draws[2], in_klein, rtol=1e-9, atol=1e-12)
    expected = normals[0].logpdf(X)
    assert_allclose(normals[1].logpdf(in_ball), expected, rtol=1e-8)
    assert_allclose(normals[2].logpdf(in_klein), expected, rtol=1e-8)


def test_products():
    factors = [Hyperboloid(2), Euclidean(1), Sphere(2)]
    space = ProductManifold(factors, scales=[1.0, 1.0, 4.0])
    rng = np.random.default_rng(0)
    root = rng.standard_normal((5, 5))
    cov = root @ root.T / 50.0
    mean = space.exp_vector(space.origin, [0.2, 0.4, 1.0, 0.5, -0.8])
    normal = WrappedNormal(mean, cov, manifold=space)
    X = normal.rvs(30_000, random_state=0)
    v = space.transport(mean, space.origin, space.log(mean, X))
    coordinates = space.tangent_to_vector(space.origin, v)
    largest = np.max(np.diag(cov))
    assert_allclose(np.cov(coordinates.T), cov, atol=5 * 1.5 * largest / 173)
    expected = multivariate_normal(np.zeros(5), cov).logpdf(coordinates)
    expected -= space.log_volume_density(mean, X)
    assert_allclose(normal.logpdf(X), expected, rtol=1e-7)
    nested = ProductManifold([ProductManifold(factors[:2]), factors[2]], [1.0, 4.0])
    same = WrappedNormal(mean, cov, manifold=nested)
    assert_allclose(same.logpdf(X[:50]), normal.logpdf(X[:50]), rtol=1e-12)
    assert_allclose(same.rvs(9, 0), normal.rvs(9, 0), rtol=1e-12)


def test_independent_factors_add_up_even_where_they_wrap():
    sphere, plane = Sphere(2), Hyperboloid(2)
    a = WrappedNormal(sphere.origin, 4.0, manifold=sphere)
    b = WrappedNormal(plane.origin, 0.5, manifold=plane)
    both = WrappedNormal(
        np.concatenate([sphere.origin, plane.origin]),
        [4.0, 4.0, 0.5, 0.5],
        manifold=ProductManifold([sphere, plane]),
    )
    X = both.rvs(30, random_state=0)
    assert_allclose(both.logpdf(X), a.logpdf(X[:, :3]) + b.logpdf(X[:, 3:]), rtol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_isometries_of_the_sphere_and_signs_of_axes(seed):
    rng = np.random.default_rng(seed)
    sphere = Sphere(3)
    mean, point = sphere.random_point(2, random_state=seed % 2**32)
    normal = WrappedNormal(mean, 1.3, manifold=sphere)
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    turned = WrappedNormal(turn @ mean, 1.3, manifold=sphere)
    assert_allclose(
        turned.logpdf([turn @ point]), normal.logpdf([point]), rtol=1e-8, atol=1e-10
    )
    flip = np.array([1.0, -1.0, 1.0, 1.0])
    skew = np.diag([0.1, 0.2, 0.3]) + 0.05
    mirrored = skew * np.outer(flip[1:], flip[1:])
    assert_allclose(
        WrappedNormal(flip * mean, mirrored, manifold=sphere).logpdf([flip * point]),
        WrappedNormal(mean, skew, manifold=sphere).logpdf([point]),
        rtol=1e-7,
        atol=1e-9,
    )


@pytest.mark.parametrize("height", [-0.5, -0.999999, -1.0 + 1e-12])
def test_transport_behind_the_equator_is_along_the_meridian(height):
    # The meridian keeps its direction; the axis across it stays as it is.
    mean = np.array([height, math.sqrt(1.0 - height**2), 0.0])
    normal = WrappedNormal(mean, [1e-4, 1e-8], manifold=Sphere(2))
    along = np.array([-mean[1], mean[0], 0.0])
    X = normal.rvs(200, random_state=0)
    across = np.abs(X[:, 2])
    assert across.max() < 5e-4
    assert np.abs(X @ along).max() > 1e-2


def test_mean_at_the_antipode_of_the_pole():
    normal = WrappedNormal([-1.0, 0.0, 0.0], 0.01, curvature=1.0)
    X = normal.rvs(5000, random_state=0)
    assert_allclose(np.cov(X[:, 1:].T), 0.01 * np.eye(2), atol=1e-3)
    assert np.isfinite(normal.logpdf(X)).all()


def test_special_points():
    normal = WrappedNormal([1.0, 0.0, 0.0], 1.0, curvature=1.0)
    at_mean, at_antipode = normal.logpdf([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert_allclose(at_mean, -math.log(2.0 * math.pi), rtol=1e-14)
    assert at_antipode == math.inf


def test_far_from_the_origin():
    space = Hyperboloid(2)
    mean = space.exp_vector(space.origin, [20.0, 0.0])
    normal = WrappedNormal(mean, 0.5)
    X = space.exp_vector(mean, np.array([[1.0, 0.0], [0.0, 2.0]]))
    r = np.array([1.0, 2.0])
    expected = -(r**2) - math.log(math.pi) - np.log(np.sinh(r) / r)
    assert_allclose(normal.logpdf(X), expected, atol=1e-6)


def test_repeatable_picklable_and_printed():
    mean = [1.25, 0.75, 0.0]
    normal = WrappedNormal(mean, [0.1, 0.2])
    copy = pickle.loads(pickle.dumps(normal))
    assert_array_equal(normal.rvs(4, random_state=2), copy.rvs(4, random_state=2))
    stream = np.random.RandomState(2)
    assert_array_equal(normal.rvs(4, random_state=2), normal.rvs(4, stream))
    assert repr(normal).startswith("WrappedNormal([1.25, 0.75, 0.0], [[0.1, 0.0]")
    assert normal.rvs().shape == (1, 3)
    assert mean == [1.25, 0.75, 0.0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, 1.0, 0.0],), ValueError, r"mean\[0\] is not on Hyperboloid\(2\)"),
        (([1.0, 0.0], np.eye(2)), ValueError, r"shape \(1,\) or \(1, 1\)"),
        (([1.0, 0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), ValueError, "eigenvalue is -1"),
        (([1.0, 0.0, 0.0], [[1.0, 2.0], [0.0, 1.0]]), ValueError, "symmetric"),
        (([1.0, 0.0, 0.0], 0.0), ValueError, "positive definite"),
        (([1.0, 0.0, 0.0], np.nan), ValueError, "cov contains NaN"),
        (([[1.0, 0.0, 0.0]],), ValueError, r"got shape \(1, 3\)"),
        (([1.0],), ValueError, r"got shape \(1,\)"),
    ],
)
def test_bad_parameters(arguments, error, message):
    with pytest.raises(error, match=message):
        WrappedNormal(*arguments)


def test_bad_spaces_and_points():
    with pytest.raises(ValueError, match="leave one out"):
        WrappedNormal([1.0, 0.0], 1.0, -1.0, manifold=Hyperboloid(1))
    with pytest.raises(TypeError, match="must be a Manifold"):
        WrappedNormal([1.0, 0.0], manifold="sphere")
    with pytest.raises(ValueError, match="not of constant curvature"):
        WrappedNormal(np.eye(2), manifold=SPD(2))
    normal = WrappedNormal([1.0, 0.0])
    with pytest.raises(ValueError, match=r"X\[1\] is not on Hyperboloid"):
        normal.logpdf([[1.0, 0.0], [3.0, 0.0]])
    with pytest.raises(ValueError, match="size"):
        normal.rvs(0)
    torus = ProductManifold([Sphere(1)] * 4)
    wide = WrappedNormal(torus.origin, 1e4, manifold=torus)
    with pytest.raises(ValueError, match="lower cov"):
        wide.logpdf(torus.origin[None])
