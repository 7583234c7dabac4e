"""Planar shapes: worked values, symmetries, triangles as a sphere, all digits."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.datasets import load_hand_shapes
from geolearn.manifolds import PlanarShapes, Sphere, get_manifold
from tests.reference import planar_shapes as reference

EPS = np.finfo(float).eps
APEXES = np.array([[0.5, 0.8], [0.2, 0.6], [0.9, 1.2]])
seeds = given(seed=st.integers(0, 2**31))


def triangles():
    base = np.tile([[0.0, 0.0], [1.0, 0.0]], (3, 1, 1))
    return PlanarShapes(3).project(np.concatenate([base, APEXES[:, None]], axis=1))


def turn(angle):
    angle = np.asarray(angle)[..., None, None]
    c, s = np.cos(angle), np.sin(angle)
    return np.block([[c, s], [-s, c]])


def pair(shapes, distance, seed=0):
    """Return configurations at a known distance, the second turned at random."""
    rng = np.random.default_rng(seed)
    x = shapes.random_point(1, random_state=seed)[0]
    v = shapes.random_tangent(x, random_state=seed + 1)
    v *= distance / shapes.norm(x, v)
    y = shapes.exp(x, v)
    return x, v, y, y @ turn(rng.uniform(0.0, 2.0 * math.pi))


def test_worked_distances():
    x = triangles()
    expected = [0.244190627923, 0.274493346197, 0.495488775553]
    found = PlanarShapes(3).dist(x[[0, 0, 1]], x[[1, 2, 2]])
    assert_allclose(found, expected, rtol=2e-12)
    table = PlanarShapes(3).pairwise_distances(x)
    assert_allclose(table[[0, 0, 1], [1, 2, 2]], expected, rtol=2e-12)


def to_sphere(x):
    """Return points of the sphere of radius 1/2 (Hopf map of Jacobi coordinates)."""
    z = x[..., 0] + 1j * x[..., 1]
    a = (z[..., 1] - z[..., 0]) / math.sqrt(2.0)
    b = (2.0 * z[..., 2] - z[..., 0] - z[..., 1]) / math.sqrt(6.0)
    cross = 2.0 * a * np.conj(b)
    height = np.abs(a) ** 2 - np.abs(b) ** 2
    return 0.5 * np.stack([cross.real, cross.imag, height], axis=-1)


@seeds
def test_triangles_are_the_sphere_of_radius_one_half(seed):
    shapes, sphere = PlanarShapes(3), Sphere(2, radius=0.5)
    x = shapes.random_point(12, random_state=seed)
    p = to_sphere(x)
    assert_allclose(np.linalg.norm(p, axis=-1), 0.5, rtol=1e-14)
    d = shapes.dist(x[:, None], x)
    assert_allclose(d, sphere.dist(p[:, None], p), atol=1e-14)
    t = np.linspace(-0.5, 1.5, 5)
    on_shapes = to_sphere(shapes.geodesic(x[0], x[1], t))
    assert_allclose(on_shapes, sphere.geodesic(p[0], p[1], t), atol=1e-12)
    volume = shapes.log_volume_density(x[:6], x[6:])
    # The logarithm varies like the inverse of the distance to the cut locus.
    assert_allclose(volume, sphere.log_volume_density(p[:6], p[6:]), 1e-9, 1e-12)
    # Traces and determinants do not depend on frames.
    H, G = (m.hess_half_sqdist(q[:6], q[6:]) for m, q in ((shapes, x), (sphere, p)))
    assert_allclose(np.linalg.det(H), np.linalg.det(G), rtol=1e-8)
    assert_allclose(np.trace(H, axis1=1, axis2=2), np.trace(G, axis1=1, axis2=2), 1e-8)


def test_triangles_have_the_same_mean_as_on_the_sphere():
    x = triangles()
    mean = PlanarShapes(3).frechet_mean(x)
    on_sphere = Sphere(2, radius=0.5).frechet_mean(to_sphere(x))
    assert_allclose(to_sphere(mean), on_sphere, atol=1e-9)


@seeds
def test_turned_representatives(seed):
    shapes = PlanarShapes(5)
    x, y = shapes.random_point(2, random_state=seed)
    angles = np.random.default_rng(seed).uniform(0.0, 2.0 * math.pi, 2)
    R, S = turn(angles)
    assert_allclose(shapes.dist(x @ R, y @ S), shapes.dist(x, y), rtol=1e-13)
    assert shapes.dist(x, x @ R) < 4 * EPS
    # Vectors belong to the representative at which they are asked for.
    v = shapes.log(x, y)
    assert_allclose(shapes.log(x, y @ S), v, atol=1e-13)
    assert_allclose(shapes.log(x @ R, y), v @ R, atol=1e-13)
    w = shapes.random_tangent(x, random_state=seed)
    moved = shapes.transport(x, y, w)
    assert_allclose(shapes.transport(x, y @ S, w), moved @ S, atol=1e-12)
    assert_allclose(shapes.transport(x @ R, y, w @ R), moved, atol=1e-12)
    assert_allclose(shapes.project_tangent(y, moved), moved, atol=1e-13)
    # Coordinates and Hessians belong to the shape.
    assert_allclose(
        shapes.log_vector(x @ R, y @ S), shapes.log_vector(x, y), atol=1e-13
    )
    H = shapes.hess_half_sqdist(x, y)
    assert_allclose(shapes.hess_half_sqdist(x @ R, y @ S), H, rtol=1e-9, atol=1e-12)


@seeds
def test_reflections_and_relabelling_are_isometries(seed):
    shapes = PlanarShapes(6)
    x, y = shapes.random_point(2, random_state=seed)
    d = shapes.dist(x, y)
    mirror, order = np.diag([1.0, -1.0]), np.random.default_rng(seed).permutation(6)
    assert_allclose(shapes.dist(x @ mirror, y @ mirror), d, rtol=1e-13)
    assert_allclose(shapes.dist(x[order], y[order]), d, rtol=1e-13)
    # A mirrored figure is another shape, unlike a turned one.
    assert shapes.dist(x, x @ mirror) > 1e-3


@pytest.mark.parametrize("distance", [1e-9, 1e-4, 1.0])
def test_logs_are_horizontal_whatever_their_length(distance):
    shapes = PlanarShapes(7)
    for seed in range(5):
        x, _, _, y = pair(shapes, distance, seed)
        v = shapes.log(x, y) / distance
        assert_allclose(v.sum(axis=0), 0.0, atol=1e-14 + 4 * EPS / distance)
        assert_allclose(np.sum(v * x), 0.0, atol=1e-14)
        assert_allclose(np.sum(v * (x @ turn(math.pi / 2))), 0.0, atol=1e-14)


def test_curvature_of_complex_and_real_planes():
    # d^2 of the ends of two short vectors shrinks by K |u ^ v|^2 / 3.
    shapes, t = PlanarShapes(5), 1e-2
    x = shapes.origin
    u = shapes.random_tangent(x, random_state=0)
    u = u / shapes.norm(x, u)
    turned = u @ turn(math.pi / 2)
    w = shapes.random_tangent(x, random_state=1)
    for direction in (u, turned):
        w = w - np.sum(w * direction) * direction
    w = w / shapes.norm(x, w)
    for v, curvature in ((turned, 4.0), (w, 1.0)):
        square = shapes.dist(shapes.exp(x, t * u), shapes.exp(x, t * v)) ** 2
        assert_allclose(3.0 * (2.0 * t**2 - square) / t**4, curvature, rtol=1e-3)


def test_transport_turns_with_right_angles():
    # Multiplication by i is parallel.
    shapes = PlanarShapes(5)
    x, y = shapes.random_point(2, random_state=3)
    w = shapes.random_tangent(x, random_state=1)
    quarter = turn(math.pi / 2)
    assert_allclose(
        shapes.transport(x, y, w @ quarter),
        shapes.transport(x, y, w) @ quarter,
        atol=1e-14,
    )


@pytest.mark.parametrize("distance", [1e-12, 1e-8, 1e-4, 0.1, 1.0, 1.5, 1.57])
def test_digits_of_regular_pairs(distance):
    shapes = PlanarShapes(6)
    for seed in range(5):
        x, _, near, turned = pair(shapes, distance, seed)
        for y in (near, turned):
            exact = reference.dist(x, y)
            assert abs(mp.mpf(float(shapes.dist(x, y))) - exact) < 4 * EPS
            bound = 8 * EPS / (math.pi / 2 - distance)
            assert reference.gap(shapes.log(x, y), reference.log(x, y)) < bound
        # The landmarks themselves carry this many digits of a short distance.
        assert_allclose(float(exact), distance, rtol=8 * EPS / min(distance, 1.0))


def test_smallest_distances():
    x = PlanarShapes(4).origin
    v = PlanarShapes(4).random_tangent(x, random_state=0)
    v /= np.linalg.norm(v)
    for tiny in (1e-15, 1e-12):
        y = x + tiny * v  # of unit norm to tiny^2; its digits are those of y - x
        exact = float(reference.dist(x, y))
        assert_allclose(PlanarShapes(4).dist(x, y), exact, rtol=1e-3, atol=EPS / 2)
    assert PlanarShapes(4).dist(x, x) == 0.0
    assert_array_equal(PlanarShapes(4).log(x, x), 0.0)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_near_the_cut_locus(gap):
    shapes = PlanarShapes(4)
    for seed in range(5):
        x, v, _, y = pair(shapes, math.pi / 2 - gap, seed)
        exact = reference.dist(x, y)
        assert_allclose(shapes.dist(x, y), float(exact), rtol=4 * EPS)
        volume = shapes.log_volume_density(x, y)
        wanted = float(reference.log_volume(exact, 4))
        assert_allclose(volume, wanted, atol=8 * EPS / gap)
        assert_allclose(shapes.log(x, y), v, atol=16 * EPS / gap)
        # i u is nearly conjugate: the Hessian there is 2 t cot(2 t).
        least = np.linalg.eigvalsh(shapes.hess_half_sqdist(x, y))[0]
        with mp.workdps(50):
            assert_allclose(
                least, float(2 * exact * mp.cot(2 * exact)), rtol=8 * EPS / gap
            )


def test_gaps_to_the_cut_locus_that_landmarks_resolve():
    # Two pairs of landmarks: the product of the figures is the gap, to all digits.
    shapes, gap = PlanarShapes(4), 1e-10
    x, y = np.zeros((2, 4, 2))
    x[:2, 0] = [1.0, -1.0]
    y[:, 0] = [gap, -gap, 1.0, -1.0]  # of norm sqrt(2) to gap^2
    x, y = x / math.sqrt(2.0), y / math.sqrt(2.0)
    t = math.pi - 2.0 * gap
    volume = math.log(2.0 * gap / t) - 2.0 * math.log(t / 2.0)
    assert_allclose(shapes.log_volume_density(x, y), volume, rtol=1e-14)
    values = np.linalg.eigvalsh(shapes.hess_half_sqdist(x, y))
    assert_allclose(values[0], -t / math.tan(2.0 * gap), rtol=1e-13)


def test_tables_keep_digits_everywhere():
    shapes = PlanarShapes(5)
    x = shapes.random_point(1, random_state=0)[0]
    u = shapes.random_tangent(x, random_state=1)
    u /= shapes.norm(x, u)
    far = math.pi / 2 - 1e-7
    lengths = np.array([0.0, 1e-9, 1e-5, 9e-3, 1.1e-2, 0.5, 1.2, far])
    Y = shapes.exp(x, lengths[:, None, None] * u) @ turn(np.arange(8.0))
    table, volume = shapes.pairwise_distances(x[None], Y, return_log_volume=True)
    assert_allclose(table[0], lengths, rtol=2e-12, atol=4 * EPS)
    assert_allclose(volume[0], shapes.log_volume_density(x, Y), rtol=1e-11, atol=1e-20)
    assert_allclose(volume[0, -1], math.log(2e-7 / (2 * far)) + 4 * math.log(1 / far))
    own = shapes.pairwise_distances(Y)
    assert_array_equal(own, own.T)
    assert_array_equal(np.diag(own), 0.0)
    assert_allclose(own, np.abs(lengths[:, None] - lengths), rtol=1e-11, atol=1e-15)


def test_tables_of_several_tiles(monkeypatch):
    monkeypatch.setattr("geolearn.manifolds.planar_shapes._TILE_NUMBERS", 16)
    shapes = PlanarShapes(4)
    X, Y = shapes.random_point(11, random_state=0), shapes.random_point(6)
    X[7] = X[2]
    assert_allclose(
        shapes.pairwise_distances(X, Y), shapes.dist(X[:, None], Y), rtol=1e-13
    )
    own = shapes.pairwise_distances(X)
    assert_allclose(own, shapes.dist(X[:, None], X), rtol=1e-13, atol=EPS)
    assert_array_equal(own, own.T)
    assert_array_equal(own, shapes.pairwise_distances(X, n_jobs=2))


def test_orthogonal_shapes():
    shapes = PlanarShapes(4)
    z = np.fft.fft(np.eye(4))[:, 1:3] / 2.0  # orthogonal, centred
    x, y = (np.stack([w.real, w.imag], axis=-1) for w in z.T)
    assert_allclose(shapes.dist(x, y), math.pi / 2, rtol=EPS)
    assert shapes.log_volume_density(x, y) < -30.0
    for operation in (
        lambda: shapes.log(np.stack([y, x]), y),
        lambda: shapes.transport(np.stack([y, x]), y, np.zeros((4, 2))),
        lambda: shapes.hess_half_sqdist(np.stack([y, x]), y),
    ):
        with pytest.raises(ValueError, match=r"largest distance pi / 2.*the pair 1\)"):
            operation()
    with pytest.raises(ValueError, match="not identifiable"):
        shapes.frechet_mean(np.stack([x, y]))


def test_mean_start_is_the_best_aligned_average():
    hands = load_hand_shapes()
    shapes = PlanarShapes(22)
    weight = np.full(52, 1 / 52)
    start = shapes._mean_start(hands.planar, weight)
    mean = shapes.frechet_mean(hands.planar)
    assert shapes.dist(start, mean) < 0.02  # 6 % of the spread
    # The start minimises the sum of squared sines: no small move lowers it.
    best = np.sum(np.sin(shapes.dist(start, hands.planar)) ** 2)
    for v in shapes.random_tangent(np.tile(start, (5, 1, 1)), random_state=0):
        moved = shapes.exp(start, 1e-3 * v)
        assert np.sum(np.sin(shapes.dist(moved, hands.planar)) ** 2) > best
    turns = turn(np.random.default_rng(0).uniform(0.0, 6.3, 52))
    again = shapes.frechet_mean(hands.planar @ turns)
    assert shapes.dist(again, mean) < 1e-9


def test_membership_and_its_remedy():
    shapes = PlanarShapes(5)
    raw = np.random.default_rng(0).normal(size=(6, 5, 2))
    assert not shapes.belongs(raw).any()
    with pytest.raises(ValueError, match=r"X\[0\].*manifold\.project"):
        shapes.check_points(raw)
    x = shapes.project(raw)
    assert shapes.belongs(x, atol=1e-15).all()
    assert_allclose(shapes.project(7.0 + 3.0 * raw), x, atol=1e-14)
    assert_allclose(shapes.check_points(x + 1e-8).sum(axis=1), 0.0, atol=1e-14)
    # Off by the shift times the root of the number of landmarks, or by the scale.
    assert_allclose(
        shapes._deviation(x + np.array([1e-3, 0.0])), math.sqrt(5) * 1e-3, 1e-5
    )
    assert_allclose(shapes._deviation(1.25 * x), 0.2)
    assert not shapes.belongs(np.zeros((5, 2)))
    assert not shapes.belongs(np.ones((5, 2)))
    with pytest.raises(ValueError, match=r"All landmarks coincide in 1 config"):
        shapes.project(np.stack([raw[0], np.ones((5, 2))]))


def test_construction():
    assert PlanarShapes(22).dim == 40
    assert PlanarShapes(3).sectional_curvature_bounds == (4.0, 4.0)
    assert PlanarShapes(4).sectional_curvature_bounds == (1.0, 4.0)
    assert PlanarShapes(4).injectivity_radius == math.pi / 2
    with pytest.raises(ValueError, match="n_landmarks"):
        PlanarShapes(2)
    assert get_manifold("planar_shapes", (7, 2)) == PlanarShapes(7)
    with pytest.raises(ValueError, match=r"\(n_samples, n_landmarks, 2\)"):
        get_manifold("planar_shapes", (7, 3))
    with pytest.raises(ValueError, match=r"\(n_samples, n_landmarks, 2\)"):
        get_manifold("planar_shapes", 7)
