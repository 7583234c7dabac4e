"""Rotations: closed forms, quaternions, precision at coincidence and half turns."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from geolearn.manifolds import SpecialOrthogonal, Sphere, check_manifold
from geolearn.metrics import pairwise_distances
from tests.reference import rotations as reference

EPS = np.finfo(float).eps
PI = math.pi
SIZES = [2, 3, 4, 5, 8]
seeds = settings(deadline=None, derandomize=True, max_examples=10)

# Coincident, generic, repeated and opposite angles, one and several half turns
ANGLES = [
    (3, [1e-15]),
    (3, [1e-10]),
    (3, [1e-6]),
    (3, [1.0]),
    (3, [3.0]),
    (3, [PI - 1e-3]),
    (3, [PI - 1e-9]),
    (3, [PI - 1e-11]),
    (2, [1e-10]),
    (2, [2.0]),
    (2, [PI - 1e-9]),
    (4, [1e-10, 1e-12]),
    (4, [1e-9, 1.0]),
    (4, [1.0, 1.0]),
    (4, [2.69, 2.71]),
    (4, [3.0, 3.0]),
    (4, [PI - 1e-11, 1e-5]),
    (5, [1e-10, 1e-10]),
    (5, [1.0, 1.0 + 1e-9]),
    (5, [PI - 1e-9, 1.0]),
    (5, [3.1, 1e-9]),
    (7, [1e-8, 1e-9, 1e-10]),
    (8, [PI - 1e-6, 2.5, 1.0, 1.0]),
]


def relative(value, exact):
    return float(abs((mp.mpf(float(value)) - exact) / exact))


def planar(n, angles):
    """Return the rotation by given angles in the planes of pairs of axes."""
    a = np.zeros((n, n))
    for k, angle in enumerate(angles):
        a[2 * k + 1, 2 * k], a[2 * k, 2 * k + 1] = angle, -angle
    return expm(a)


@pytest.mark.parametrize(("n", "angles"), ANGLES)
def test_all_digits_are_kept(n, angles):
    space = SpecialOrthogonal(n)
    x, y = reference.pair(n, angles, np.random.default_rng(0))
    exact = reference.dist(x, y)
    assert relative(space.dist(x, y), exact) < 1e-15
    assert relative(space.pairwise_distances(x[None], y[None])[0, 0], exact) < 1e-14
    log = reference.doubles(reference.log(x, y))
    assert space.norm(x, space.log(x, y) - log) / exact < 1e-14
    density = reference.log_density(x, y)
    if n > 2:
        assert relative(space.log_volume_density(x, y), density) < 1e-14
    assert_allclose(space.exp(x, space.log(x, y)), y, rtol=0, atol=1e-14)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_several_near_half_turns_lose_what_the_points_do_not_know(gap):
    space = SpecialOrthogonal(5)
    x, y = reference.pair(5, [PI - gap, PI - 2 * gap], np.random.default_rng(1))
    assert relative(space.dist(x, y), reference.dist(x, y)) < 1e-15
    log = reference.doubles(reference.log(x, y))
    assert space.norm(x, space.log(x, y) - log) < 20 * EPS / gap
    density = reference.log_density(x, y)
    assert relative(space.log_volume_density(x, y), density) < 20 * EPS / gap


def test_table_of_close_and_far_rotations():
    space = SpecialOrthogonal(3)
    rng = np.random.default_rng(2)
    x = space.random_point(1, random_state=0)[0]
    angles = np.array([0.0, 1e-12, 1e-5, 0.9e-2, 1.1e-2, 1.0, PI - 1e-7])
    v = rng.standard_normal((7, 3))
    v *= (angles / np.linalg.norm(v, axis=1))[:, None]
    # quaternions of either sign and with each component the largest
    flips = Rotation.from_rotvec(PI * np.vstack([np.zeros(3), np.eye(3)])).as_matrix()
    for flip in flips:
        X = flip @ space.exp_vector(x, v)
        expected = space.dist(X[:, None], X[None])
        table = space.pairwise_distances(X)
        assert_allclose(table, expected, rtol=1e-13, atol=0)
        assert np.array_equal(table, table.T)
        assert np.all(np.diag(table) == 0.0)
        assert_allclose(space.pairwise_distances(X, X[::2]), expected[:, ::2], 1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_tables_do_not_depend_on_threads_blocks_or_the_way_in(n, monkeypatch):
    space = SpecialOrthogonal(n)
    X, Y = (space.random_point(40, random_state=k) for k in (0, 1))
    table = space.pairwise_distances(X)
    assert np.array_equal(space.pairwise_distances(X, n_jobs=2), table)
    assert np.array_equal(pairwise_distances(X, metric=space), table)
    assert np.array_equal(table, table.T)
    assert_allclose(space._distance_table(X), table, rtol=0, atol=0)
    out = np.empty((40, 40))
    assert space.pairwise_distances(X, Y, out=out) is out
    assert_allclose(out, space.dist(X[:, None], Y[None]), rtol=1e-13)
    for name in ("special_orthogonal._BLOCK_NUMBERS", "_clouds._BLOCK_NUMBERS"):
        monkeypatch.setattr(f"geolearn.manifolds.{name}", 200)
    assert np.array_equal(space.pairwise_distances(X), table)
    assert np.array_equal(space.pairwise_distances(X, Y), out)


def test_the_angle_is_the_distance():
    space = SpecialOrthogonal(3)
    x, y = (space.random_point(30, random_state=k) for k in (0, 1))
    turns = Rotation.from_matrix(np.swapaxes(x, 1, 2) @ y)
    assert_allclose(space.dist(x, y), turns.magnitude(), rtol=1e-13)
    assert_allclose(space.log_vector(x, y), turns.as_rotvec(), rtol=1e-11)
    w = turns.as_rotvec()
    moved = (Rotation.from_matrix(x) * Rotation.from_rotvec(w)).as_matrix()
    assert_allclose(space.exp_vector(x, w), moved, atol=1e-14)


@pytest.mark.parametrize("n", SIZES)
def test_exp_is_that_of_matrices(n):
    space = SpecialOrthogonal(n)
    x = space.random_point(3, random_state=0)
    v = space.random_tangent(x, scale=1.5, random_state=1)
    expected = [a @ expm(a.T @ b) for a, b in zip(x, v, strict=True)]
    assert_allclose(space.exp(x, v), expected, rtol=0, atol=1e-13)
    far = space.exp(x, 1e4 * v)  # the product rounds 1e4 v, nothing drifts
    assert np.linalg.norm(np.swapaxes(far, 1, 2) @ far - np.eye(n)) < 1e-13
    assert np.array_equal(space.exp(x, 0 * v), space.exp(x, 0 * v))


def test_worked_value():
    space = SpecialOrthogonal(3)
    y = Rotation.from_rotvec([0.6, 0.0, 0.8]).as_matrix()
    value = space.log_volume_density(np.eye(3), y)
    assert_allclose(value, -0.0840390117, rtol=0, atol=0.51e-10)
    assert_allclose(value, 2 * math.log(2 * math.sin(0.5)), rtol=1e-14)


def test_rotations_of_space_are_the_sphere_of_quaternions_modulo_sign():
    rng = np.random.default_rng(0)
    sphere, space = Sphere(3, radius=2.0), SpecialOrthogonal(3)
    p, q = (2 * Rotation.random(40, random_state=rng).as_quat() for _ in range(2))
    q *= np.where(np.sum(p * q, axis=1) < 0, -1, 1)[:, None]  # the closer of the two
    x, y = (Rotation.from_quat(a).as_matrix() for a in (p, q))
    assert_allclose(space.dist(x, y), sphere.dist(p, q), rtol=1e-13)
    assert_allclose(
        space.log_volume_density(x, y), sphere.log_volume_density(p, q), rtol=1e-12
    )
    middle = Rotation.from_quat(sphere.geodesic(p, q, 0.3)).as_matrix()
    assert_allclose(space.geodesic(x, y, 0.3), middle, atol=1e-14)


def test_density_integrates_to_the_volume():
    space = SpecialOrthogonal(3)
    x = space.random_point(1, random_state=0)[0]

    def shell(r):
        y = space.exp_vector(x, [0.0, r, 0.0])
        return 4 * PI * r**2 * math.exp(space.log_volume_density(x, y))

    # half the sphere of radius 2: 2 pi^2 2^3 / 2
    assert_allclose(quad(shell, 0, PI - 1e-9)[0], 8 * PI**2, rtol=1e-8)


@pytest.mark.parametrize("n", SIZES)
def test_ricci_curvature_fixes_the_density_of_close_rotations(n):
    space = SpecialOrthogonal(n)
    x = space.random_point(5, random_state=0)
    v = space.random_tangent(x, scale=1e-4, random_state=1)
    expected = -(n - 2) / 12 * space.norm(x, v) ** 2
    assert_allclose(space.log_volume_density(x, space.exp(x, v)), expected, rtol=1e-6)


@pytest.mark.parametrize("n", [3, 4, 6])
def test_curvature_bounds_are_sharp(n):
    space = SpecialOrthogonal(n)
    frame = space.vector_to_tangent(np.eye(n), np.eye(space.dim))
    pairs = [np.linalg.qr(np.random.default_rng(k).standard_normal((space.dim, 2)))[0]
             for k in range(200)]  # fmt: skip
    if n > 3:
        first = np.zeros((n, n))
        first[1, 0], first[3, 2] = math.sqrt(0.5), math.sqrt(0.5)
        second = np.zeros((n, n))
        second[2, 0], second[3, 1] = math.sqrt(0.5), -math.sqrt(0.5)
        pairs.append(
            np.stack(
                [space.tangent_to_vector(np.eye(n), a - a.T) for a in (first, second)],
                axis=1,
            )
        )
    values = []
    for u, v in (p.T for p in pairs):
        a, b = np.tensordot(u, frame, axes=1), np.tensordot(v, frame, axes=1)
        bracket = a @ b - b @ a
        values.append(np.sum(bracket**2) / 8)
    low, high = space.sectional_curvature_bounds
    assert min(values) >= low - 1e-12
    assert max(values) <= high + 1e-12
    assert max(values) == pytest.approx(high, rel=1e-12)
    if n > 3:
        a, b = planar(n, [1e-3]), planar(n, [0.0, 1e-3])
        assert_allclose(a @ b, b @ a, atol=1e-15)  # a flat of dimension 2
        assert low == 0.0


@pytest.mark.parametrize("n", SIZES)
@seeds
@given(seed=st.integers(0, 2**31))
def test_multiplication_from_both_sides_is_isometric(n, seed):
    space = SpecialOrthogonal(n)
    rng = np.random.RandomState(seed)
    x, y, left, right = space.random_point(4, random_state=rng)
    v = space.random_tangent(x, random_state=rng)
    a, b, w = (left @ z @ right for z in (x, y, v))
    assert_allclose(space.dist(a, b), space.dist(x, y), rtol=1e-13)
    assert_allclose(space.dist(x.T, y.T), space.dist(x, y), rtol=1e-13)
    assert_allclose(space.exp(a, w), left @ space.exp(x, v) @ right, atol=1e-13)
    assert_allclose(space.inner(a, w, w), space.inner(x, v, v), rtol=1e-13)
    assert_allclose(
        space.log_volume_density(a, b), space.log_volume_density(x, y), 1e-10
    )
    gap = PI - np.max(np.abs(np.angle(np.linalg.eigvals(x.T @ y))))
    bound = 1e-13 / gap
    assert_allclose(space.log(a, b), left @ space.log(x, y) @ right, atol=bound)
    moved = left @ space.transport(x, y, v) @ right
    assert_allclose(space.transport(a, b, w), moved, atol=10 * bound)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_half_turns_are_the_cut_locus(n):
    space = SpecialOrthogonal(n)
    x = space.random_point(1, random_state=0)[0]
    y = x @ planar(n, [PI])
    assert space.dist(x, y) == pytest.approx(PI, rel=1e-15)
    z = np.stack([x, y])
    with pytest.raises(ValueError, match=r"1 pair\(s\) of rotations .* angle of pi"):
        space.log(x, z)
    with pytest.raises(ValueError, match="no shortest geodesic is distinguished"):
        space.transport(x, y, np.zeros((n, n)))
    assert_allclose(space.pairwise_distances(z), [[0, PI], [PI, 0]], rtol=1e-15)
    if n > 2:  # the sphere of radius 2 is at a quarter of its turn
        expected = reference.log_density(x, x @ planar(n, [PI - 1e-12]))
        assert_allclose(space.log_volume_density(x, y), float(expected), rtol=1e-10)
    near = x @ planar(n, [PI - 1e-11])
    assert_allclose(space.exp(x, space.log(x, near)), near, atol=1e-13)


def test_exact_half_turns():
    assert SpecialOrthogonal(2).dist(np.eye(2), -np.eye(2)) == PI
    assert SpecialOrthogonal(4).dist(np.eye(4), -np.eye(4)) == PI * math.sqrt(2)
    with pytest.raises(ValueError, match="angle of pi"):
        SpecialOrthogonal(4).log(np.eye(4), -np.eye(4))
    # two half turns are conjugate, a single one is not
    assert SpecialOrthogonal(4).log_volume_density(np.eye(4), -np.eye(4)) == -math.inf
    assert SpecialOrthogonal(2).log_volume_density(np.eye(2), -np.eye(2)) == 0.0
    flips = np.stack([np.diag(s) for s in ([1.0, 1, 1], [1, -1, -1], [-1, 1, -1])])
    table = SpecialOrthogonal(3).pairwise_distances(flips)
    assert_allclose(table, PI * (1 - np.eye(3)), rtol=1e-15)


@pytest.mark.parametrize("n", SIZES)
def test_projection_is_the_nearest_rotation(n):
    space = SpecialOrthogonal(n)
    rng = np.random.default_rng(n)
    A = rng.standard_normal((20, n, n))
    R = space.project(A)
    assert space.belongs(R, atol=1e-13).all()
    assert_allclose(np.linalg.det(R), 1.0, rtol=1e-13)
    best = np.linalg.norm(A - R, axis=(1, 2))
    for scale in (1e-3, 1e-1, 1.0):
        others = space.exp(R, space.random_tangent(R, scale=scale, random_state=0))
        assert np.all(np.linalg.norm(A - others, axis=(1, 2)) >= best)
    # U diag(1, ..., det) V^T: reflections turn the direction of least weight
    mirror = np.diag([*np.arange(n, 1.0, -1.0), -0.1])
    assert_allclose(space.project(mirror), np.eye(n), atol=1e-14)
    assert np.isfinite(space.project(np.zeros((n, n)))).all()


def test_uniform_rotations():
    space = SpecialOrthogonal(3)
    X = space.random_point(4000, random_state=0)
    fixed = space.random_point(1, random_state=1)[0]
    angles = space.dist(fixed, X)
    assert kstest(angles, lambda t: (t - np.sin(t)) / PI).pvalue > 0.01
    assert np.abs(X.mean(axis=0)).max() < 0.05
    X = SpecialOrthogonal(4).random_point(4000, random_state=0)
    assert_allclose(np.linalg.det(X), 1.0, rtol=1e-12)
    assert np.abs(X.mean(axis=0)).max() < 0.05
    assert_allclose((X**2).mean(axis=0), 0.25, atol=0.02)


def test_mean_of_turns_about_one_axis_is_that_of_the_angles():
    space = SpecialOrthogonal(3)
    angles = np.array([-0.5, 0.1, 0.7, 1.1])
    weight = np.array([1.0, 2.0, 0.0, 4.0])
    axis = np.array([2.0, -1.0, 2.0]) / 3
    X = Rotation.from_rotvec(angles[:, None] * axis).as_matrix()
    expected = Rotation.from_rotvec(np.average(angles, weights=weight) * axis)
    mean = space.frechet_mean(X, weight)
    assert_allclose(mean, expected.as_matrix(), atol=1e-10)


@pytest.mark.parametrize("n", SIZES)
def test_mean_is_equivariant_and_stationary(n):
    space = SpecialOrthogonal(n)
    # more planes, longer tangent vectors
    scale = 0.5 / math.sqrt(space.dim)
    X = space.random_normal(30, scale=scale, random_state=0)
    left, right = space.random_point(2, random_state=1)
    result = space.frechet_mean(X, return_result=True)
    assert result.converged
    assert result.n_iter < 12
    gradient = space.log(result.mean, X).mean(axis=0)
    assert space.norm(result.mean, gradient) < 1e-10
    moved = space.frechet_mean(left @ X @ right)
    assert_allclose(moved, left @ result.mean @ right, atol=1e-9)
    inverse = space.frechet_mean(np.swapaxes(X, 1, 2))
    assert_allclose(inverse, result.mean.T, atol=1e-9)


def test_means_that_are_not_unique():
    space = SpecialOrthogonal(3)
    flips = np.stack([np.diag(s) for s in ([1.0, 1, 1], [1, -1, -1])])
    with pytest.raises(ValueError, match="several rotations are nearest"):
        space.frechet_mean(flips)
    X = Rotation.from_rotvec([[0, 0, 0], [0, 0, 2.0], [0, 0, -2.0]]).as_matrix()
    with pytest.warns(UserWarning, match=r"certain only within 1\.57"):
        space.frechet_mean(X)


def test_membership_tells_reflections_apart():
    space = SpecialOrthogonal(3)
    X = space.random_point(4, random_state=0)
    Q = X.copy()
    Q[2, :, 0] *= -1
    assert space.belongs(Q).tolist() == [True, True, False, True]
    with pytest.raises(ValueError, match=r"X\[2\] is orthogonal but its determinant"):
        space.check_points(Q)
    with pytest.raises(ValueError, match="not on SpecialOrthogonal"):
        space.check_points(1.1 * X)
    with pytest.raises(ValueError, match="not on SpecialOrthogonal"):
        space.check_points(1.1 * Q)
    with pytest.raises(ValueError, match=r"X\[2\] is orthogonal but its determinant"):
        space.frechet_mean(Q)
    noisy = X + 1e-8 * np.random.default_rng(0).standard_normal(X.shape)
    clean = space.check_points(noisy)
    assert np.abs(np.swapaxes(clean, 1, 2) @ clean - np.eye(3)).max() < 1e-14
    assert space.belongs(space.project(Q)).all()


def test_size():
    with pytest.raises(ValueError, match="n must be at least 2, got 1"):
        SpecialOrthogonal(1)
    with pytest.raises(TypeError, match="n must be an integer"):
        SpecialOrthogonal(3.0)
    assert [SpecialOrthogonal(n).dim for n in SIZES] == [1, 3, 6, 10, 28]
    assert SpecialOrthogonal(2).is_flat
    assert not SpecialOrthogonal(2).is_hadamard
    assert SpecialOrthogonal(3).injectivity_radius == PI
    assert repr(SpecialOrthogonal(3)) == "SpecialOrthogonal(3)"
    assert np.array_equal(SpecialOrthogonal(3).origin, np.eye(3))


@pytest.mark.parametrize("n", SIZES)
def test_the_checker_finds_nothing_on_long_vectors(n):
    assert check_manifold(SpecialOrthogonal(n), radius=2.5, random_state=3).passed


def test_orders_of_coordinates():
    plane, space = SpecialOrthogonal(2), SpecialOrthogonal(4)
    turn = planar(2, [0.3])
    assert_allclose(plane.log_vector(np.eye(2), turn), [0.3], rtol=1e-14)
    rows = space.vector_to_tangent(np.eye(4), np.arange(1.0, 7.0))
    assert rows[1, 0] == 1
    assert rows[2, :2].tolist() == [2, 3]
    assert rows[3, :3].tolist() == [4, 5, 6]
    assert np.array_equal(rows, -rows.T)
