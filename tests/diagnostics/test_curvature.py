"""Curvature by quadratic fits."""

import numpy as np
import pytest

from geolearn.diagnostics import second_order_curvature
from geolearn.manifolds import Sphere
from tests.reference import diagnostics as reference


@pytest.fixture(scope="module")
def sphere():
    return Sphere(2).random_point(2000, random_state=0)


@pytest.fixture(scope="module")
def paraboloid():
    u = np.random.default_rng(0).uniform(-1.0, 1.0, size=(400, 2))
    return np.column_stack([u, u[:, 0] ** 2 - u[:, 1], u[:, 0] * u[:, 1], 0.0 * u])


def test_values_on_spheres(sphere):
    for radius, k, expected in ((1, 10, 1.005), (1, 30, 1.013), (2, 30, 0.507)):
        found = second_order_curvature(radius * sphere, intrinsic_dim=2, n_neighbors=k)
        assert found.mean_absolute.mean() == pytest.approx(expected, abs=0.003)
        np.testing.assert_array_equal(found.mean_absolute, found.max_normal)
        # The norm is sqrt(2) / R where both curvatures are 1 / R.
        assert found.norm.mean() == pytest.approx(np.sqrt(2) * expected, rel=0.02)
    three = Sphere(3).random_point(4000, random_state=0)
    found = second_order_curvature(
        three, queries=three[:500], intrinsic_dim=3, n_neighbors=40
    )
    assert found.mean_absolute.mean() == pytest.approx(1.033, abs=0.01)


def test_empty_features_dilute_the_mean_only(sphere):
    padded = np.hstack([sphere, np.zeros((2000, 7))])
    options = {"queries": padded[:200], "intrinsic_dim": 2, "n_neighbors": 30}
    found = second_order_curvature(padded, **options)
    assert found.mean_absolute.mean() == pytest.approx(1.01 / 8, abs=0.003)
    occupied = second_order_curvature(padded, normals="occupied", **options)
    np.testing.assert_allclose(occupied.mean_absolute, found.max_normal, rtol=1e-12)
    np.testing.assert_allclose(found.max_normal, 8 * found.mean_absolute, rtol=1e-12)


def test_fits_follow_the_formulas(paraboloid):
    found = second_order_curvature(paraboloid, intrinsic_dim=2, n_neighbors=20)
    for i in range(0, 400, 40):
        kappa = np.abs(reference.principal_curvatures(paraboloid, i, 2, 20))
        assert found.mean_absolute[i] == pytest.approx(kappa.mean(), rel=1e-8)
        assert found.max_normal[i] == pytest.approx(kappa.mean(axis=1).max(), rel=1e-8)
        assert found.norm[i] == pytest.approx(np.sqrt((kappa**2).sum()), rel=1e-8)
        near = np.sort(np.linalg.norm(paraboloid - paraboloid[i], axis=1))
        assert found.radius[i] == pytest.approx(near[20])


def test_many_features_give_the_same(paraboloid):
    frame = np.linalg.qr(np.random.default_rng(0).normal(size=(60, 6)))[0]
    rotated = paraboloid @ frame.T + 5.0
    options = {"intrinsic_dim": 2, "n_neighbors": 12, "normals": "occupied"}
    few = second_order_curvature(paraboloid, **options)
    many = second_order_curvature(rotated, **options)
    for a, b in zip(few, many, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-15, 1e15])
def test_curvature_is_in_one_over_the_unit(paraboloid, unit):
    one = second_order_curvature(paraboloid, intrinsic_dim=2)
    other = second_order_curvature(unit * paraboloid, intrinsic_dim=2)
    np.testing.assert_allclose(unit * other.mean_absolute, one.mean_absolute, rtol=1e-8)
    np.testing.assert_allclose(unit * other.norm, one.norm, rtol=1e-8)
    np.testing.assert_allclose(other.radius, unit * one.radius, rtol=1e-12)


def test_flat_data_have_no_curvature():
    rng = np.random.default_rng(0)
    plane = rng.uniform(size=(300, 2)) @ rng.normal(size=(2, 15))
    assert second_order_curvature(plane, intrinsic_dim=2).norm.max() < 1e-10
    full = second_order_curvature(plane[:, :2], intrinsic_dim=2)
    assert full.norm.max() == 0.0
    line = np.outer(np.arange(80.0), [1.0, 2.0, 3.0])
    # A line taken for a surface has no second tangent direction.
    assert second_order_curvature(line, intrinsic_dim=2).norm.max() < 1e-10


def test_queries_threads_and_repeats_do_not_matter(paraboloid):
    one = second_order_curvature(paraboloid, intrinsic_dim=2)
    two = second_order_curvature(paraboloid, intrinsic_dim=2, n_jobs=2)
    again = second_order_curvature(
        np.vstack([paraboloid, paraboloid[:50]]), intrinsic_dim=2
    )
    asked = second_order_curvature(paraboloid, queries=paraboloid[:7], intrinsic_dim=2)
    for a, b, c, e in zip(one, two, again, asked, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(c, np.append(a, a[:50]), rtol=1e-9)
        np.testing.assert_allclose(e, a[:7], rtol=1e-9)


def test_points_of_small_samples_may_be_queries(sphere):
    X = sphere[:20]
    rows = second_order_curvature(X, intrinsic_dim=2)
    asked = second_order_curvature(X, queries=X, intrinsic_dim=2)
    assert np.isfinite(rows.norm).all()
    np.testing.assert_allclose(asked, rows, rtol=1e-9)
    with pytest.warns(UserWarning, match="n_neighbors=20 is more than the 19"):
        clipped = second_order_curvature(X, queries=X, intrinsic_dim=2, n_neighbors=20)
    np.testing.assert_array_equal(clipped, asked)


def test_the_dimension_is_estimated(sphere):
    found = second_order_curvature(sphere, n_neighbors=30)
    given = second_order_curvature(sphere, n_neighbors=30, intrinsic_dim=2)
    np.testing.assert_array_equal(found.norm, given.norm)


def test_too_few_neighbours_are_refused(sphere):
    with pytest.raises(ValueError, match="5 unknowns and needs 10 neighbours"):
        second_order_curvature(sphere, intrinsic_dim=2, n_neighbors=9)
    with pytest.raises(ValueError, match="an int from 1 to the 3 features"):
        second_order_curvature(sphere, intrinsic_dim=4)
    with pytest.raises(ValueError, match=r"an int from 1 to .* got True"):
        second_order_curvature(sphere, intrinsic_dim=True)
    with pytest.raises(ValueError, match="normals='some' is unknown"):
        second_order_curvature(sphere, intrinsic_dim=2, normals="some")
    with (
        pytest.warns(UserWarning, match="n_neighbors=10 is more than the 7"),
        pytest.raises(ValueError, match="take more samples"),
    ):
        second_order_curvature(sphere[:8], intrinsic_dim=2)
