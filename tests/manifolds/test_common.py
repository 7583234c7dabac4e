"""Laws that every manifold obeys, one parametrised suite for all of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from geolearn.manifolds import (
    SPD,
    Euclidean,
    Grassmann,
    Hyperboloid,
    KleinBall,
    PlanarShapes,
    PoincareBall,
    ProductManifold,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    check_manifold,
)
from tests.manifolds.own_manifolds import AffineInvariant, PlainSphere

MANIFOLDS = [
    Euclidean(3),
    Sphere(1),
    Sphere(2),
    Sphere(5, radius=2.5),
    Hyperboloid(1),
    Hyperboloid(2),
    Hyperboloid(4, curvature=-2.5),
    PoincareBall(2),
    PoincareBall(3, curvature=-0.3),
    KleinBall(2),
    KleinBall(3, curvature=-0.3),
    Torus(1),
    Torus(3),
    ProductManifold([Sphere(2), Hyperboloid(2), Torus(1)], scales=[1.0, 0.5, 2.0]),
    ProductManifold([AffineInvariant(2), Euclidean(2)]),
    ProductManifold([PoincareBall(2)]),
    AffineInvariant(2),
    AffineInvariant(1),
    PlainSphere(3),
    SPD(1),
    SPD(2),
    SPD(3, alpha=0.5, beta=0.3),
    SPD(2, power=0.5),
    SPD(2, "polar_affine"),
    SPD(2, "log_euclidean"),
    SPD(3, "log_euclidean", alpha=2.0, beta=-0.5),
    SPD(2, "log_cholesky"),
    SPD(3, "log_cholesky", power=-0.5),
    SPD(1, "bures_wasserstein"),
    SPD(2, "bures_wasserstein"),
    SPD(3, "bures_wasserstein"),
    SPD(2, "bures_wasserstein", power=0.5),
    SPD(2, "bures_wasserstein", metric_matrix=[[2.0, 0.5], [0.5, 1.0]]),
    SPD(2, "bures_wasserstein", power=2.0, metric_matrix=[[2.0, 0.5], [0.5, 1.0]]),
    SPD(3, "cholesky"),
    SPD(2, "euclidean"),
    SPD(3, "power_euclidean"),
    SPD(2, "harmonic"),
    ProductManifold([SPD(2), Sphere(2)]),
    SpecialOrthogonal(2),
    SpecialOrthogonal(3),
    SpecialOrthogonal(5),
    ProductManifold([SpecialOrthogonal(3), Euclidean(3)], scales=[2.0, 1.0]),
    Grassmann(2, 1),
    Grassmann(3, 1),
    Grassmann(3, 2),
    Grassmann(5, 2),
    Grassmann(5, 4),
    PlanarShapes(3),
    PlanarShapes(5),
    ProductManifold([PlanarShapes(4), Euclidean(2)], scales=[3.0, 1.0]),
    Stiefel(2, 1),
    Stiefel(3, 1),
    Stiefel(3, 2),
    Stiefel(5, 2),
    Stiefel(3, 1, metric="euclidean"),
    Stiefel(3, 2, metric="euclidean"),
    Stiefel(5, 2, metric="euclidean"),
]
EXTREME = [
    Sphere(3, radius=1e-15),
    Sphere(2, radius=1e15),
    Hyperboloid(3, curvature=-1e30),
    Hyperboloid(2, curvature=-1e-30),
    PoincareBall(3, curvature=-1e30),
    PoincareBall(2, curvature=-1e-30),
    KleinBall(3, curvature=-1e30),
    KleinBall(2, curvature=-1e-30),
]
seeds = settings(deadline=None, derandomize=True, max_examples=10)


def every_manifold(function):
    return pytest.mark.parametrize("manifold", MANIFOLDS, ids=repr)(function)


def pairs(manifold, seed, n=6):
    """Return points, tangent vectors inside the injectivity radius, end points."""
    x = manifold.random_point(n, random_state=seed)
    v = manifold.random_tangent(x, random_state=seed + 1)
    longest = 0.9 * min(manifold.injectivity_radius, 3.0 * manifold._length_scale)
    lengths = longest * np.random.default_rng(seed).uniform(0.01, 1.0, n)
    v = manifold._per_point(lengths / manifold.norm(x, v)) * v
    return x, v, manifold.exp(x, v)


@pytest.mark.parametrize("manifold", MANIFOLDS + EXTREME, ids=repr)
def test_check_manifold_finds_nothing(manifold):
    report = check_manifold(manifold, random_state=0, n_points=6)
    assert report.passed
    assert len(report.results) >= 20


@every_manifold
@seeds
@given(seed=st.integers(0, 2**31))
def test_exp_and_log_are_inverse(manifold, seed):
    x, v, y = pairs(manifold, seed)
    scale = manifold._length_scale
    assert_allclose(
        manifold.dist(manifold.exp(x, manifold.log(x, y)), y) / scale, 0.0, atol=1e-10
    )  # eps cosh(r)^2 on hyperbolic points
    assert_allclose(manifold.norm(x, manifold.log(x, y) - v) / scale, 0.0, atol=1e-10)
    assert_allclose(manifold.norm(x, manifold.log(x, y)), manifold.dist(x, y))
    assert np.all(manifold.belongs(y))


@every_manifold
@seeds
@given(seed=st.integers(0, 2**31))
def test_dist_is_a_metric(manifold, seed):
    x, _, y = pairs(manifold, seed)
    z = x[::-1]
    d = manifold.dist(x, y)
    # eps times the condition number of the powers
    rtol = 1e-10 if getattr(manifold, "power", None) else 1e-12
    assert_allclose(manifold.dist(y, x), d, rtol=rtol)
    assert_allclose(manifold.dist(x, x), 0.0, atol=1e-7 * manifold._length_scale)
    assert np.all(d <= manifold.dist(x, z) + manifold.dist(z, y) + 1e-12)


@every_manifold
@seeds
@given(seed=st.integers(0, 2**31))
def test_transport_is_isometric_and_keeps_velocities(manifold, seed):
    x, _, y = pairs(manifold, seed)
    u, w = (manifold.random_tangent(x, random_state=seed + k) for k in (2, 3))
    moved_u, moved_w = manifold.transport(x, y, u), manifold.transport(x, y, w)
    # 16 rungs of the default ladder amplify rounding; 1e-9 elsewhere
    rtol = 1e-6
    assert_allclose(
        manifold.inner(y, moved_u, moved_w), manifold.inner(x, u, w), rtol, 1e-6
    )
    assert_allclose(manifold.norm(y, moved_u), manifold.norm(x, u), rtol)
    velocity = manifold.transport(x, y, manifold.log(x, y))
    assert_allclose(
        manifold.norm(y, velocity + manifold.log(y, x)) / manifold.dist(x, y),
        0.0,
        atol=1e-6,
    )
    assert_allclose(
        manifold.norm(x, manifold.transport(y, x, moved_u) - u), 0, atol=1e-6
    )


@every_manifold
@seeds
@given(seed=st.integers(0, 2**31))
def test_volume_density_is_symmetric_and_one_at_coincidence(manifold, seed):
    x, _, y = pairs(manifold, seed)
    forth, back = manifold.log_volume_density(x, y), manifold.log_volume_density(y, x)
    assert_allclose(
        forth, back, rtol=1e-7, atol=1e-8
    )  # differences where no closed form
    assert_allclose(manifold.log_volume_density(x, x), 0.0, atol=1e-8)
    if manifold.is_flat:
        assert np.all(forth == 0.0)


@every_manifold
def test_curvature_fixes_the_density_of_close_points(manifold):
    low, high = manifold.sectional_curvature_bounds
    if low != high or isinstance(manifold, PlainSphere | Stiefel):
        pytest.skip("no closed form, or curvature not constant")
    x = manifold.random_point(20, random_state=0)
    v = manifold.random_tangent(x, scale=1e-4 * manifold._length_scale, random_state=1)
    ricci = (manifold.dim - 1) * low
    expected = -ricci / 6 * manifold.norm(x, v) ** 2
    assert_allclose(manifold.log_volume_density(x, manifold.exp(x, v)), expected, 1e-7)


@every_manifold
def test_coordinates_are_isometric(manifold):
    x = manifold.random_point(7, random_state=0)
    v, w = (manifold.random_tangent(x, random_state=k) for k in (1, 2))
    a, b = manifold.tangent_to_vector(x, v), manifold.tangent_to_vector(x, w)
    assert a.shape == (7, manifold.dim)
    assert_allclose(np.sum(a * b, axis=-1), manifold.inner(x, v, w), atol=1e-10)
    assert_allclose(manifold.vector_to_tangent(x, a), v, rtol=1e-9, atol=1e-12)
    assert_allclose(manifold.project_tangent(x, v), v, rtol=1e-9, atol=1e-12)


@every_manifold
def test_geodesic_has_constant_speed(manifold):
    x, _, y = pairs(manifold, 3)
    t = np.linspace(0.0, 1.0, 5)
    points = manifold.geodesic(x, y, t[:, None])
    assert points.shape == (5, 6, *manifold.point_shape)
    d = manifold.dist(x, y)
    assert_allclose(manifold.dist(points[1], points[4]), 0.75 * d)
    assert_allclose(manifold.dist(x, points[2]), 0.5 * d)
    one = manifold.geodesic(x[0], y[0], t)
    assert_allclose(one, points[:, 0], rtol=1e-12, atol=1e-14)


@every_manifold
def test_operations_broadcast(manifold):
    x, v, y = pairs(manifold, 4)
    shape = manifold.point_shape
    assert manifold.exp(x[0], v[0]).shape == shape
    assert manifold.dist(x[0], y[0]).shape == ()
    assert manifold.exp(x[0], np.stack([v[0], 2 * v[0]])).shape == (2, *shape)
    assert manifold.log(x[:, None], y[None]).shape == (6, 6, *shape)
    u = manifold.random_tangent(x[0], random_state=0)
    assert manifold.transport(x[0], y, u).shape == (6, *shape)
    assert manifold.project_tangent(x, v[0]).shape == (6, *shape)
    assert manifold.log_volume_density(x[:, None], y[None]).shape == (6, 6)
    assert manifold.tangent_to_vector(x[0], u).shape == (manifold.dim,)
    assert manifold.vector_to_tangent(x, np.zeros(manifold.dim)).shape == (6, *shape)
    assert manifold.norm(x[:, None], v[:, None]).shape == (6, 1)
    table = manifold.dist(x[:, None], y[None])
    assert_allclose(table[2, 3], manifold.dist(x[2], y[3]), rtol=1e-12)


@every_manifold
def test_arguments_are_not_modified(manifold):
    x, v, y = pairs(manifold, 5)
    for array in (x, v, y):
        array.setflags(write=False)
    w = np.zeros(manifold.dim)
    w.setflags(write=False)
    manifold.exp(x, v), manifold.log(x, y), manifold.project(x), manifold.retract(x, v)
    manifold.transport(x, y, v), manifold.tangent_to_vector(x, v)
    manifold.vector_to_tangent(x, w), manifold.check_points(x)


@every_manifold
def test_single_precision_in_and_out(manifold):
    x, v, y = pairs(manifold, 6)
    x32, v32, y32 = (a.astype(np.float32) for a in (x, v, y))
    for result in [
        manifold.exp(x32, v32),
        manifold.log(x32, y32),
        manifold.dist(x32, y32),
        manifold.inner(x32, v32, v32),
        manifold.transport(x32, y32, v32),
        manifold.log_volume_density(x32, y32),
        manifold.project(x32),
        manifold.random_tangent(x32, random_state=0),
    ]:
        assert result.dtype == np.float32
    assert manifold.dist(x32, y).dtype == np.float64
    assert_allclose(manifold.dist(x32, y32), manifold.dist(x, y), rtol=1e-3, atol=1e-4)


@every_manifold
def test_retraction_agrees_with_exp_to_first_order(manifold):
    x, v, _ = pairs(manifold, 7)
    errors = [
        np.max(manifold.dist(manifold.retract(x, t * v), manifold.exp(x, t * v)))
        for t in (1e-2, 1e-3)
    ]
    assert errors[1] <= 0.02 * errors[0] + 1e-12


@every_manifold
def test_wrong_trailing_shape_names_point_shape(manifold):
    good = manifold.origin
    bad = np.zeros((4, manifold.point_shape[0] + 1))
    with pytest.raises(ValueError, match="point_shape"):
        manifold.dist(bad, good)
    with pytest.raises(ValueError, match=r"dim = "):
        manifold.vector_to_tangent(good, np.zeros(manifold.dim + 1))


@every_manifold
def test_midpoint_is_the_mean_of_two(manifold):
    x = manifold.random_point(1, random_state=0)[0]
    v = manifold.random_tangent(x, random_state=1)
    length = 0.4 * min(manifold.injectivity_radius, 2.0, 8.0 * manifold._length_scale)
    y = manifold.exp(x, length / manifold.norm(x, v) * v)
    result = manifold.frechet_mean(np.stack([x, y]), tol=1e-10, return_result=True)
    assert_allclose(
        manifold.dist(result.mean, manifold.geodesic(x, y, 0.5)), 0, atol=1e-9
    )
    assert_allclose(result.variance, length**2 / 4)
    assert result.converged
    third = manifold.frechet_mean(np.stack([x, y]), [2.0, 1.0], tol=1e-10)
    assert_allclose(manifold.dist(third, manifold.geodesic(x, y, 1 / 3)), 0, atol=1e-9)


@every_manifold
def test_gradient_vanishes_at_the_mean(manifold):
    x = manifold.random_normal(
        30,
        scale=0.15
        * min(1.0, manifold.injectivity_radius, 5.0 * manifold._length_scale),
        random_state=0,
    )
    mean = manifold.frechet_mean(x, tol=1e-10)
    gradient = manifold.log(mean, x).mean(axis=0)
    assert manifold.norm(mean, gradient) < 1e-9
    same = manifold.frechet_mean(np.repeat(x, 2, axis=0), tol=1e-10)
    assert_allclose(manifold.dist(mean, same), 0.0, atol=1e-9)


@every_manifold
def test_mean_of_one_point_is_the_point(manifold):
    x = manifold.random_point(1, random_state=0)
    assert_allclose(manifold.dist(manifold.frechet_mean(x), x[0]), 0.0, atol=1e-7)


@every_manifold
def test_distance_tables(manifold):
    x = manifold.random_point(9, random_state=0)
    y = manifold.random_point(5, random_state=1)
    expected = manifold.dist(x[:, None], y[None])
    table, log_volume = manifold.pairwise_distances(x, y, return_log_volume=True)
    assert_allclose(table, expected, rtol=1e-10)
    assert_allclose(
        log_volume,
        manifold.log_volume_density(x[:, None], y[None]),
        rtol=1e-7,
        atol=1e-9,
    )
    square, own = manifold.pairwise_distances(x, return_log_volume=True)
    assert np.all(np.diag(square) == 0.0)
    assert_allclose(square, square.T, rtol=1e-12)
    assert_allclose(
        own, manifold.log_volume_density(x[:, None], x[None]), rtol=1e-7, atol=1e-8
    )
    distances, indices, near = manifold.kneighbors(
        x, y, n_neighbors=3, return_log_volume=True
    )
    assert_allclose(distances, np.sort(expected, axis=1)[:, :3], rtol=1e-10)
    assert np.array_equal(indices, np.argsort(expected, axis=1)[:, :3])
    rows = np.arange(9)[:, None]
    assert_allclose(near, log_volume[rows, indices], rtol=1e-7, atol=1e-9)
    own_distances, own_indices = manifold.kneighbors(x, n_neighbors=2)
    assert np.all(own_indices != rows)
    assert np.all(own_distances[:, 0] <= own_distances[:, 1])


@every_manifold
def test_membership(manifold):
    x = manifold.random_point(4, random_state=0)
    assert manifold.belongs(x).all()
    assert manifold.belongs(x[0])
    assert manifold.belongs(manifold.origin)
    assert manifold.check_points(x).shape == x.shape
    broken = x.copy()
    broken[2].flat[0] = np.nan
    assert manifold.belongs(broken).tolist() == [True, True, False, True]


@every_manifold
def test_not_converging_is_said_with_both_numbers(manifold):
    x = manifold.random_normal(
        20,
        scale=0.2 * min(1.0, manifold.injectivity_radius, 5.0 * manifold._length_scale),
        random_state=0,
    )
    if manifold.frechet_mean(x, init=x[0], return_result=True).n_iter <= 1:
        pytest.skip("closed form, or one step suffices")
    with pytest.warns(ConvergenceWarning, match=r"gradient norm .* wanted") as record:
        result = manifold.frechet_mean(
            x, init=x[0], max_iter=1, return_result=True, tol=1e-14
        )
    assert record[0].filename == __file__ or isinstance(manifold, ProductManifold)
    assert not result.converged
    assert result.n_iter == 1


def test_flags():
    assert Euclidean(2).is_flat
    assert Torus(2).is_flat
    assert not Sphere(2).is_flat
    hadamard = {repr(m): m.is_hadamard for m in MANIFOLDS}
    assert hadamard["Hyperboloid(2)"]
    assert hadamard["PoincareBall(2)"]
    assert hadamard["Euclidean(3)"]
    assert not hadamard["Torus(3)"]
    assert not hadamard["Sphere(2)"]
    product = ProductManifold([Sphere(2), Hyperboloid(2)], scales=[4.0, 0.5])
    assert product.injectivity_radius == pytest.approx(2 * math.pi)
    assert product.sectional_curvature_bounds == (-2.0, 0.25)
    assert not product.is_hadamard
