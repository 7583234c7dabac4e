"""Subspaces: closed forms, digits, invariances, tables and means."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import subspace_angles

from geolearn.manifolds import Grassmann, SpecialOrthogonal, Sphere, get_manifold
from geolearn.manifolds._frames import FrameOperations
from tests.reference import subspaces as reference

SIZES = [(2, 1), (3, 1), (3, 2), (5, 2), (5, 3), (6, 3), (7, 5), (12, 4)]
every_size = pytest.mark.parametrize(("n", "p"), SIZES)
seeds = settings(deadline=None, derandomize=True, max_examples=15)


def planted(n, p, angles, seed=0, turned=True):
    """Return representatives of two subspaces with given principal angles."""
    rng = np.random.RandomState(seed)
    frame = SpecialOrthogonal(n).random_point(1, random_state=rng)[0]
    angles = np.concatenate([angles, np.zeros(p - len(angles))])
    y = frame[:, :p] * np.cos(angles)
    moved = np.count_nonzero(angles)
    y[:, :moved] += frame[:, p : p + moved] * np.sin(angles[:moved])
    turns = [np.linalg.qr(rng.standard_normal((p, p)))[0] for _ in range(2)]
    return (frame[:, :p] @ turns[0], y @ turns[1]) if turned else (frame[:, :p], y)


def relative(value, exact):
    return abs(float((value - exact) / exact))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("angles", "bound"),
    [
        ((0.3, 1.1), 1e-14),
        ((1e-8, 1e-8), 2e-8),  # 1e-16 of rounded columns; arccos gives nothing
        ((1e-4, 1e-8), 2e-12),
        ((1.0, 1e-8), 1e-14),
        ((math.pi / 2 - 1e-8, 0.5), 1e-14),
        ((math.pi / 2, math.pi / 2 - 1e-12), 1e-14),
    ],
)
def test_distances_have_the_digits_of_their_points(angles, bound, seed):
    x, y = planted(5, 2, angles, seed)
    assert relative(Grassmann(5, 2).dist(x, y), math.hypot(*angles)) < bound
    exact = reference.grassmann_dist(x, y)
    # The spans of the rounded columns are other subspaces: 1e-16 each
    assert relative(Grassmann(5, 2).dist(x, y), exact) < bound


def test_aligned_representatives_keep_all_digits():
    x, y = planted(6, 3, (3e-9, 2e-9, 1e-9), turned=False)
    exact = reference.grassmann_dist(x, y)
    assert relative(Grassmann(6, 3).dist(x, y), exact) < 1e-14
    assert Grassmann(6, 3).dist(x, x) == 0.0
    assert not Grassmann(6, 3).log(x, x).any()


@every_size
def test_angles_agree_with_scipy(n, p):
    manifold = Grassmann(n, p)
    x, y = manifold.random_point(2, random_state=1)
    angles = manifold.principal_angles(x, y)
    assert angles.shape == (p,)
    # SciPy gives the root of eps for angles that vanish
    assert_allclose(angles, subspace_angles(x, y), atol=3e-8)
    assert np.all(angles[manifold._n_angles :] == 0.0)


def test_printed_volume_density():
    x, y = planted(5, 2, (0.3, 1.1))
    value = Grassmann(5, 2).log_volume_density(x, y)
    assert_allclose(value, -0.6857023602, rtol=0.0, atol=0.51e-10)


@every_size
def test_volume_density_is_the_determinant_of_exp(n, p):
    manifold = Grassmann(n, p)
    x = manifold.random_point(3, random_state=0)
    v = manifold.random_tangent(x, random_state=1)
    y = manifold.exp(x, v / manifold.norm(x, v)[:, None, None])
    numerical = FrameOperations._log_volume_density(manifold, x, y)
    closed = manifold.log_volume_density(x, y)
    assert_allclose(closed, numerical, atol=1e-9)
    assert_allclose(closed, manifold.log_volume_density(y, x), atol=1e-13)


@every_size
def test_ricci_curvature_fixes_the_density_of_close_points(n, p):
    # Gr(n, p) is Einstein with constant n - 2.
    manifold = Grassmann(n, p)
    x = manifold.random_point(5, random_state=0)
    v = manifold.random_tangent(x, scale=1e-3, random_state=1)
    expected = -(n - 2) / 6 * manifold.norm(x, v) ** 2
    value = manifold.log_volume_density(x, manifold.exp(x, v))
    assert_allclose(value, expected, rtol=1e-4, atol=1e-15)


def test_density_at_and_near_conjugate_points():
    manifold = Grassmann(4, 2)
    x = np.eye(4)[:, :2]
    assert manifold.log_volume_density(x, np.eye(4)[:, 2:]) == -math.inf
    gap = 1e-9  # both angles are pi / 2 - gap, to gap^3
    y = gap * np.eye(4)[:, :2] + np.eye(4)[:, 2:]
    expected = math.log(2 * gap / (math.pi - 2 * gap))
    assert_allclose(manifold.log_volume_density(x, y), expected, rtol=1e-14)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_lines_are_points_of_the_sphere_up_to_sign(n):
    lines, sphere = Grassmann(n, 1), Sphere(n - 1)
    x, y = sphere.random_point(2, random_state=0)
    y *= np.sign(x @ y)
    for sign in (1.0, -1.0):
        assert_allclose(lines.dist(x[:, None], sign * y[:, None]), sphere.dist(x, y))
        log = lines.log(x[:, None], sign * y[:, None])[:, 0]
        assert_allclose(log, sphere.log(x, y), atol=1e-15)
    v = sphere.random_tangent(x, random_state=1)
    moved = lines.transport(x[:, None], y[:, None], v[:, None])[:, 0]
    assert_allclose(moved, sphere.transport(x, y, v), atol=1e-14)
    density = lines.log_volume_density(x[:, None], y[:, None])
    assert_allclose(density, sphere.log_volume_density(x, y), atol=1e-15)


@every_size
@seeds
@given(seed=st.integers(0, 2**31))
def test_rotations_and_representatives_do_not_matter(n, p, seed):
    manifold = Grassmann(n, p)
    rng = np.random.RandomState(seed)
    x, y = manifold.random_point(2, random_state=rng)
    v = manifold.random_tangent(x, random_state=rng)
    rotation = np.linalg.qr(rng.standard_normal((n, n)))[0]
    a, b = (np.linalg.qr(rng.standard_normal((p, p)))[0] for _ in range(2))
    x2, y2, v2 = rotation @ x @ a, rotation @ y @ b, rotation @ v @ a
    assert_allclose(manifold.dist(x2, y2), manifold.dist(x, y), rtol=1e-12)
    density = manifold.log_volume_density(x, y)
    assert_allclose(manifold.log_volume_density(x2, y2), density, atol=1e-10)
    tiny = 1e-7 / (math.pi / 2 - manifold.principal_angles(x, y)[0]) ** 2 * 1e-6
    log = rotation @ manifold.log(x, y) @ a
    assert_allclose(manifold.log(x2, y2), log, atol=tiny)
    moved = rotation @ manifold.transport(x, y, v) @ b
    assert_allclose(manifold.transport(x2, y2, v2), moved, atol=10 * tiny)


@pytest.mark.parametrize("gap", [1e-2, 1e-6, 1e-9])
def test_logarithms_near_the_cut_locus(gap):
    x, y = planted(6, 3, (math.pi / 2 - gap, 1.2, 1e-5))
    manifold = Grassmann(6, 3)
    v = manifold.log(x, y)
    assert_allclose(x.T @ v, 0.0, atol=1e-15)
    assert_allclose(manifold.norm(x, v), manifold.dist(x, y), rtol=1e-14)
    assert manifold.dist(manifold.exp(x, v), y) < 1e-15 / gap + 1e-14
    sines = np.linalg.svd(v, compute_uv=False)
    assert_allclose(sines, (math.pi / 2 - gap, 1.2, 1e-5), rtol=1e-10)


def test_transport_ends_at_the_representative_of_the_caller():
    x, y = planted(7, 3, (1.3, 0.8, 0.2))
    manifold = Grassmann(7, 3)
    u, v = manifold.random_tangent(np.stack([x, x]), random_state=0)
    moved = manifold.transport(x, y, np.stack([u, v]))
    assert_allclose(y.T @ moved, 0.0, atol=1e-15)
    assert_allclose(np.sum(moved[0] * moved[1]), np.sum(u * v), atol=1e-13)
    velocity = manifold.transport(x, y, manifold.log(x, y))
    assert_allclose(velocity, -manifold.log(y, x), atol=1e-14)


def test_orthogonal_directions_are_the_cut_locus():
    manifold = Grassmann(4, 2)
    x = np.eye(4)[:, :2]
    y = np.stack([x, np.eye(4)[:, 1:3]])
    assert_allclose(manifold.dist(x, y), [0.0, math.pi / 2])
    for operation in (manifold.log, lambda a, b: manifold.transport(a, b, 0.0 * a)):
        with pytest.raises(ValueError, match=r"1 of 2 pair.*first the pair 1"):
            operation(x, y)


@every_size
def test_tables(n, p):
    manifold = Grassmann(n, p)
    x = manifold.random_point(40, random_state=0)
    near = manifold.random_normal(30, x[0], scale=0.01, random_state=1)
    points = np.concatenate([x, near, near[:3], np.eye(n)[None, :, :p]])
    expected = manifold.dist(points[:, None], points[None])
    table, density = manifold.pairwise_distances(points, return_log_volume=True)
    far = expected > 1e-14
    assert_allclose(table[far], expected[far], rtol=1e-13)
    assert np.all(table[~far] < 1e-14)
    assert np.array_equal(table, table.T)
    assert np.array_equal(density, density.T)
    closed = manifold.log_volume_density(points[:, None], points[None])
    assert_allclose(density, closed, rtol=1e-10, atol=1e-14)
    rectangle = manifold.pairwise_distances(points[:50], points[50:])
    assert_allclose(rectangle, table[:50, 50:], rtol=1e-13, atol=1e-15)
    threads = manifold.pairwise_distances(points, n_jobs=2)
    assert np.array_equal(threads, table)


def test_tables_of_many_tiles(monkeypatch):
    monkeypatch.setattr("geolearn.manifolds._grassmann_table._TILE_NUMBERS", 200)
    manifold = Grassmann(5, 2)
    x = manifold.random_point(23, random_state=0)
    table, density = manifold.pairwise_distances(x, return_log_volume=True)
    off = ~np.eye(23, dtype=bool)
    expected = manifold.dist(x[:, None], x[None])
    assert_allclose(table[off], expected[off], rtol=1e-13)
    closed = manifold.log_volume_density(x[:, None], x[None])
    assert_allclose(density[off], closed[off], rtol=1e-11)


def test_mean_starts_at_the_leading_eigenvectors():
    manifold = Grassmann(6, 2)
    center = manifold.random_point(1, random_state=0)[0]
    x = manifold.random_normal(50, center, scale=0.1, random_state=1)
    mean = manifold.frechet_mean(x)
    assert manifold.norm(mean, manifold.log(mean, x).mean(axis=0)) < 1e-9
    rng = np.random.default_rng(0)
    turned = x @ np.linalg.qr(rng.standard_normal((50, 2, 2)))[0]
    assert manifold.dist(manifold.frechet_mean(turned), mean) < 1e-8
    axes = np.eye(3)[:, :, None]  # three orthogonal lines: every line is as good
    with pytest.raises(ValueError, match="not identifiable"):
        Grassmann(3, 1).frechet_mean(axes)


def test_uniform_points_have_isotropic_projectors():
    x = Grassmann(5, 2).random_point(4000, random_state=0)
    projector = np.mean(x @ np.swapaxes(x, 1, 2), axis=0)
    assert_allclose(projector, 0.4 * np.eye(5), atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((3, 3), "single point"), ((3, 4), "p=4"), ((1, 1), "p=1"), ((3, 0), "p")],
)
def test_sizes_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        Grassmann(*arguments)


def test_membership_and_names():
    manifold = Grassmann(5, 2)
    x = manifold.random_point(3, random_state=0)
    assert get_manifold(manifold, x.shape[1:]) is manifold
    assert repr(manifold) == "Grassmann(5, 2)"
    off = 1.001 * x
    assert not manifold.belongs(off).any()
    with pytest.raises(ValueError, match=r"off by 1.0e-03"):
        manifold.check_points(off)
    with pytest.raises(ValueError, match="linearly dependent"):
        manifold.project(np.ones((5, 2)))
