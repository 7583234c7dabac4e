"""Orthonormal frames: both metrics, against 60 digits and against each other."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geolearn.manifolds import SpecialOrthogonal, Sphere, Stiefel, get_manifold
from geolearn.manifolds._frames import FrameOperations
from tests.reference import subspaces as reference

SIZES = [(2, 1), (3, 1), (3, 2), (4, 2), (4, 3), (5, 3), (7, 2), (12, 3)]
every_size = pytest.mark.parametrize(("n", "p"), SIZES)
METRICS = ["canonical", "euclidean"]
every_metric = pytest.mark.parametrize("metric", METRICS)
seeds = settings(deadline=None, derandomize=True, max_examples=15)


def planted(manifold, length, n_points, seed=0):
    """Return points, tangent vectors of a given length, and where these lead."""
    rng = np.random.RandomState(seed)
    x = manifold.random_point(n_points, random_state=rng)
    v = manifold.random_tangent(x, random_state=rng)
    v *= (length / manifold.norm(x, v))[:, None, None]
    return x, v, manifold.exp(x, v)


def transport_along(manifold, x, v, w, n_steps):
    """Integrate the equation of parallel transport in the surrounding space.

    W' = -Y sym(Y'^T W) - (1 - beta) (I - Y Y^T) (Y' W^T + W Y'^T) Y with the
    midpoint rule; an independent formula for the connection.
    """
    weight = 0.5 if manifold.metric == "canonical" else 0.0

    def slope(t, w):
        step = 1e-5
        y = manifold.exp(x, t * v)
        speed = manifold.exp(x, (t + step) * v) - manifold.exp(x, (t - step) * v)
        speed /= 2 * step
        inner = speed.T @ w
        outer = (speed @ w.T + w @ speed.T) @ y
        outer -= y @ (y.T @ outer)
        return -y @ (inner + inner.T) / 2 - weight * outer

    h = 1.0 / n_steps
    for k in range(n_steps):
        half = w + h / 2 * slope(k * h, w)
        w = w + h * slope((k + 0.5) * h, half)
    return w


@every_metric
@pytest.mark.parametrize(("n", "p"), [(3, 1), (3, 2), (5, 2), (5, 3), (8, 3)])
@pytest.mark.parametrize("length", [1e-6, 1.0, 3.0, 20.0])
def test_exp_has_all_digits(n, p, metric, length):
    manifold = Stiefel(n, p, metric)
    x, v, y = planted(manifold, length, 1)
    exact = reference.stiefel_exp(x[0], v[0], metric)
    assert_allclose(y[0], exact, rtol=0, atol=3e-15 * (1 + length))


@every_metric
@every_size
@pytest.mark.parametrize("length", [1e-3, 1.0, 2.0, 2.5, 2.8, 3.0])
def test_logarithms_are_recovered(n, p, metric, length):
    manifold = Stiefel(n, p, metric)
    if length >= manifold.injectivity_radius:
        pytest.skip("beyond the injectivity radius")
    x, v, y = planted(manifold, length, 20)
    error = manifold.norm(x, manifold.log(x, y) - v)
    # Near conjugate points logarithms are as ill-conditioned as the density tells.
    assert np.max(error) < 1e-12 * max(1.0, 1e-2 / (math.pi - length) ** 2)
    assert_allclose(manifold.dist(x, y), length, rtol=1e-12)
    assert_allclose(manifold.dist(y, x), length, rtol=1e-12)


@every_metric
def test_small_distances_keep_their_digits(metric):
    manifold = Stiefel(6, 3, metric)
    x = np.eye(6)[:, :3]
    w = np.random.default_rng(0).standard_normal(manifold.dim)
    for size in (1e-4, 1e-8, 1e-12):
        v = manifold.vector_to_tangent(x, size * w / np.linalg.norm(w))
        assert_allclose(manifold.dist(x, x + v), size, rtol=max(size, 1e-11))
    assert manifold.dist(x, x) == 0.0
    assert not manifold.log(x, x).any()


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_all_but_one_column_are_the_rotations(n):
    frames, rotations = Stiefel(n, n - 1), SpecialOrthogonal(n)
    x, y = rotations.random_point(2, random_state=3)
    v = rotations.random_tangent(x, random_state=0)
    a, b, u = (m[:, :-1] for m in (x, y, v))
    assert_allclose(frames.dist(a, b), rotations.dist(x, y))
    assert_allclose(frames.log(a, b), rotations.log(x, y)[:, :-1], atol=1e-13)
    assert_allclose(frames.exp(a, u), rotations.exp(x, v)[:, :-1], atol=1e-14)
    assert_allclose(frames.inner(a, u, u), rotations.inner(x, v, v))
    moved = rotations.transport(x, y, v)[:, :-1]
    assert_allclose(frames.transport(a, b, u), moved, atol=1e-13)
    density = rotations.log_volume_density(x, y)
    assert_allclose(frames.log_volume_density(a, b), density, atol=1e-12)


@every_metric
@pytest.mark.parametrize("n", [2, 3, 6])
def test_one_column_is_the_sphere(n, metric):
    frames, sphere = Stiefel(n, 1, metric), Sphere(n - 1)
    x, y = sphere.random_point(2, random_state=0)
    v = sphere.random_tangent(x, random_state=1)
    a, b, u = (m[:, None] for m in (x, y, v))
    assert_allclose(frames.dist(a, b), sphere.dist(x, y))
    assert_allclose(frames.log(a, b)[:, 0], sphere.log(x, y), atol=1e-14)
    moved = frames.transport(a, b, u)[:, 0]
    assert_allclose(moved, sphere.transport(x, y, v), atol=1e-14)
    density = sphere.log_volume_density(x, y)
    assert_allclose(frames.log_volume_density(a, b), density, atol=1e-14)
    assert_allclose(frames.dist(a, -a), math.pi)
    with pytest.raises(ValueError, match="equally short for the pair"):
        frames.log(a, -a)


@every_metric
@every_size
def test_transport_is_exact(n, p, metric):
    manifold = Stiefel(n, p, metric)
    x, v, y = planted(manifold, 2.0, 2)
    w = manifold.random_tangent(x, random_state=1)
    moved = manifold.transport(x, y, w)
    product = manifold.inner(y, moved, manifold.transport(x, y, v))
    assert_allclose(product, manifold.inner(x, w, v), atol=1e-12)
    assert_allclose(manifold.transport(x, y, v), -manifold.log(y, x), atol=1e-11)
    coarse, fine = (
        transport_along(manifold, x[0], v[0], w[0], n_steps) for n_steps in (60, 120)
    )
    assert_allclose((4 * fine - coarse) / 3, moved[0], atol=2e-5)


@every_metric
@every_size
def test_volume_density_is_the_determinant_of_exp(n, p, metric):
    manifold = Stiefel(n, p, metric)
    x, _, y = planted(manifold, 2.0, 2)
    numerical = FrameOperations._log_volume_density(manifold, x, y)
    closed = manifold.log_volume_density(x, y)
    assert_allclose(closed, numerical, atol=1e-9)
    assert_allclose(closed, manifold.log_volume_density(y, x), atol=1e-11)
    assert_allclose(manifold.log_volume_density(x, x), 0.0, atol=1e-13)


@every_metric
@pytest.mark.parametrize(("n", "p"), [(4, 2), (5, 3), (7, 3)])
@seeds
@given(seed=st.integers(0, 2**31))
def test_rotations_of_space_and_of_columns_are_isometries(n, p, metric, seed):
    manifold = Stiefel(n, p, metric)
    rng = np.random.RandomState(seed)
    length = rng.uniform(0.1, 2.7)
    x, v, y = (part[0] for part in planted(manifold, length, 1, seed))
    left = np.linalg.qr(rng.standard_normal((n, n)))[0]
    right = np.linalg.qr(rng.standard_normal((p, p)))[0]
    log = manifold.log(left @ x @ right, left @ y @ right)
    assert_allclose(log, left @ v @ right, atol=1e-11)
    density = manifold.log_volume_density(x, y)
    turned = manifold.log_volume_density(left @ x @ right, left @ y @ right)
    assert_allclose(turned, density, atol=1e-10)


@every_metric
@pytest.mark.parametrize(("n", "p"), [(4, 2), (5, 3)])
def test_uniform_pairs_are_symmetric_and_obey_the_triangle(n, p, metric):
    # Many are beyond the injectivity radius, where nothing is proven.
    manifold = Stiefel(n, p, metric)
    x = manifold.random_point(16, random_state=0)
    forth = manifold.dist(x[:, None], x[None])
    assert_allclose(forth, forth.T, rtol=1e-10, atol=1e-14)
    detour = np.min(forth[:, :, None] + forth[None], axis=1)
    assert np.all(forth <= detour + 1e-12)
    table = manifold.pairwise_distances(x)
    assert_allclose(table, forth, rtol=1e-10, atol=1e-14)
    assert np.array_equal(table, table.T)
    part = manifold.pairwise_distances(x[:3], x[5:9])
    assert_allclose(part, forth[:3, 5:9], rtol=1e-12)


@pytest.mark.parametrize(("n", "p"), [(4, 2), (6, 3)])
def test_the_metrics_bound_each_other(n, p):
    # The canonical length is between 1 / sqrt(2) and 1 of the Euclidean one.
    x, y = Stiefel(n, p).random_point(60, random_state=0).reshape(2, 30, n, p)
    canonical, euclidean = (Stiefel(n, p, m).dist(x, y) for m in METRICS)
    assert np.all(canonical <= euclidean + 1e-12)
    assert np.all(euclidean <= math.sqrt(2) * canonical + 1e-12)
    assert np.all(np.linalg.norm(x - y, axis=(1, 2)) <= euclidean)


@every_metric
def test_means(metric):
    manifold = Stiefel(5, 2, metric)
    center = manifold.random_point(1, random_state=0)[0]
    x = manifold.random_normal(30, center, scale=0.1, random_state=1)
    result = manifold.frechet_mean(x, return_result=True)
    assert result.converged
    gradient = manifold.log(result.mean, x).mean(axis=0)
    assert manifold.norm(result.mean, gradient) < 1e-9
    assert manifold.dist(result.mean, center) < 0.2
    with pytest.raises(ValueError, match="not identifiable"):
        manifold.frechet_mean(np.stack([center, -center]))


@every_metric
def test_pairs_without_a_known_geodesic_are_named(metric, monkeypatch):
    monkeypatch.setattr("geolearn.manifolds._stiefel_log._ALIGNMENTS", 1)
    monkeypatch.setattr("geolearn.manifolds._stiefel_log._NEWTON_STEPS", 1)
    monkeypatch.setattr("geolearn.manifolds._stiefel_log._STARTS", 1)
    manifold = Stiefel(5, 2, metric)
    x = manifold.random_point(4, random_state=0)
    y = np.stack([x[0], x[1], x[0]])
    for operation in (manifold.dist, manifold.log):
        with pytest.raises(ValueError, match=r"found for 1 of 3 .*first the pair 1"):
            operation(x[0], y)
    with pytest.raises(ValueError, match=r"first the pair \(0, 1\).*project"):
        manifold.pairwise_distances(x)


def test_newton_finishes_what_alignments_do_not(monkeypatch):
    manifold = Stiefel(6, 3)
    x, v, y = planted(manifold, 2.5, 10)
    monkeypatch.setattr("geolearn.manifolds._stiefel_log._ALIGNMENTS", 3)
    assert np.max(manifold.norm(x, manifold.log(x, y) - v)) < 1e-12


def test_hard_euclidean_pairs_follow_the_metrics(monkeypatch):
    manifold = Stiefel(6, 3, "euclidean")
    x = manifold.random_point(60, random_state=0)
    # Newton's method from the canonical logarithm leads astray for this pair.
    there, back = manifold.dist(x[29], x[37]), manifold.dist(x[37], x[29])
    assert_allclose(there, back, rtol=1e-12)
    assert there < 4.99


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 3), r"SpecialOrthogonal\(3\)"),
        ((1, 1), "two components"),
        ((2, 3), "p=3 must be below n=2"),
        ((3, 2, "embedded"), "canonical"),
    ],
)
def test_parameters_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        Stiefel(*arguments)


def test_values_and_names():
    manifold = Stiefel(5, 2, metric="euclidean")
    assert repr(manifold) == "Stiefel(5, 2, metric='euclidean')"
    assert manifold != Stiefel(5, 2)
    x = manifold.random_point(3, random_state=0)
    assert get_manifold(manifold, x.shape[1:]) is manifold
    assert Stiefel(4, 3).sectional_curvature_bounds == (0.0, 0.5)
    assert Stiefel(4, 2).injectivity_radius == math.sqrt(0.8) * math.pi
    assert not manifold.belongs(1.01 * x).any()
