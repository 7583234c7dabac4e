"""Errors at the door name the sample, the amount and the remedy."""

import numpy as np
import pytest

from geolearn.manifolds import Euclidean, Hyperboloid, PoincareBall, Sphere, Torus
from geolearn.manifolds import ProductManifold as Product
from geolearn.utils.validation import (
    check_integer,
    check_points,
    check_positive,
    check_sample_weight,
)
from tests.manifolds.own_manifolds import AffineInvariant


def test_first_offending_sample_amount_and_remedy():
    X = Sphere(2).random_point(6, random_state=0)
    X[3] *= 1.01
    X[5] *= 2.0
    message = (
        r"X\[3\] is not on Sphere\(2\): it is off by 1\.0e-02 \(relative, tolerance "
        r"1\.0e-06\); 2 of 6 points are off, the worst by 1\.0e\+00\. Call X = "
        r"manifold\.project\(X\) first\."
    )
    with pytest.raises(ValueError, match=message):
        check_points(Sphere(2), X)
    fixed = check_points(Sphere(2), Sphere(2).project(X))
    np.testing.assert_allclose(np.linalg.norm(fixed, axis=1), 1.0, rtol=1e-15)
    with pytest.raises(ValueError, match=r"queries\[0\] is not on Sphere"):
        check_points(Sphere(2), X[3:4], name="queries")


def test_small_deviations_are_projected_and_the_input_is_kept():
    X = Sphere(2, radius=1e6).random_point(4, random_state=0) * (1 + 1e-8)
    before = X.copy()
    checked = check_points(Sphere(2, radius=1e6), X)
    np.testing.assert_allclose(np.linalg.norm(checked, axis=1), 1e6, rtol=1e-15)
    assert np.array_equal(X, before)
    with pytest.raises(ValueError, match="is not on"):
        check_points(Sphere(2, radius=1e6), X, atol=1e-9)


def test_output_is_contiguous_double_precision():
    X = np.asfortranarray(Sphere(2).random_point(4, random_state=0), dtype=np.float32)
    checked = check_points(Sphere(2), X)
    assert checked.dtype == np.float64
    assert checked.flags.c_contiguous
    assert check_points(Euclidean(2), [[1, 2], [3, 4]]).dtype == np.float64


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("manifold", [Euclidean(2), Sphere(1), Torus(2)], ids=repr)
def test_not_finite(manifold, value):
    X = manifold.random_point(4, random_state=0)
    X[2, 1] = value
    message = r"Input contains NaN or infinity\. .* X\[2\]"
    with pytest.raises(ValueError, match=message):
        check_points(manifold, X)


def test_wrong_shapes():
    with pytest.raises(
        ValueError, match=r"\(5, 4\), .* point_shape \(3,\): expected \(n_samples, 3\)"
    ):
        check_points(Sphere(2), np.zeros((5, 4)))
    with pytest.raises(ValueError, match=r"Use X\[np\.newaxis\] for a single point"):
        check_points(Sphere(2), [1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r"expected \(n_samples, 2, 2\)"):
        check_points(AffineInvariant(2), np.zeros((5, 4)))
    with pytest.raises(ValueError, match=r"0 samples of Sphere\(2\)"):
        check_points(Sphere(2), np.zeros((0, 3)))


def test_wrong_types():
    with pytest.raises(TypeError, match="complex"):
        check_points(Euclidean(1), [[1j]])
    with pytest.raises(TypeError, match="cannot be read as real numbers"):
        check_points(Euclidean(1), [["a"]])


def test_hyperboloid_deviation_is_relative_to_time():
    space = Hyperboloid(2)
    X = space.random_ball(5, 8.0, random_state=0)
    X[1, 0] *= 1.003
    with pytest.raises(ValueError, match=r"X\[1\] .* off by 3\.0e-03"):
        check_points(space, X)
    lower = -space.random_point(2, random_state=0)
    with pytest.raises(ValueError, match=r"X\[0\] is not on"):
        check_points(space, lower)


def test_the_ball_is_open():
    disk = PoincareBall(2, curvature=-4.0)
    with pytest.raises(
        ValueError, match=r"X\[1\] .* 0\.0e\+00 \(relative\) beyond its open"
    ):
        check_points(disk, [[0.1, 0.0], [0.5, 0.0]])
    with pytest.raises(ValueError, match=r"X\[0\] .* off by 2\.0e-01"):
        check_points(disk, [[0.6, 0.0]])
    inside = disk.project([[0.1, 0.0], [0.6, 0.0]])
    assert np.array_equal(inside[0], [0.1, 0.0])
    assert disk.belongs(inside).all()


def test_every_real_vector_is_on_the_torus_and_is_wrapped():
    checked = check_points(Torus(1), [[7.0], [-4.0]])
    np.testing.assert_allclose(checked[:, 0], [7 - 2 * np.pi, 2 * np.pi - 4])


def test_products_check_their_factors():
    product = Product([Sphere(1), PoincareBall(1)])
    assert check_points(product, [[0.6, 0.8, 0.5]]).shape == (1, 3)
    with pytest.raises(ValueError, match=r"X\[0\] .* off by 4\.0e\+00"):
        check_points(product, [[3.0, 4.0, 0.5]])
    with pytest.raises(ValueError, match=r"X\[0\]"):
        check_points(product, [[0.6, 0.8, 1.0]])


def test_far_hyperbolic_points_warn():
    radius = np.array([5.0, 31.0])
    X = np.stack([np.cosh(radius), np.sinh(radius)], axis=1)
    with pytest.warns(UserWarning, match=r"up to 31\.0 radii of curvature"):
        check_points(Hyperboloid(1), X)
    with pytest.warns(UserWarning, match=r"up to 31\.0 radii"):
        check_points(Product([Hyperboloid(1), Euclidean(1)]), np.c_[X, radius])
    with pytest.warns(UserWarning, match="up to 3"):
        check_points(PoincareBall(1), [[1 - 1e-14]])


def test_sample_weight():
    np.testing.assert_allclose(check_sample_weight(None, 4), 0.25)
    np.testing.assert_allclose(check_sample_weight([1, 3], 2), [0.25, 0.75])
    huge = check_sample_weight([1.5e308, 1.5e308], 2)
    np.testing.assert_allclose(huge, 0.5)
    with pytest.raises(ValueError, match=r"sample_weight\[0\] is -1"):
        check_sample_weight([-1.0, 1.0], 2)


def test_numbers():
    assert check_integer(np.int32(3), "k") == 3
    assert check_integer(0, "k", minimum=0) == 0
    assert check_positive(np.float32(0.5), "t") == 0.5
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        check_integer(0, "k")
    with pytest.raises(TypeError, match=r"k must be an integer, got 1\.5"):
        check_integer(1.5, "k")
    with pytest.raises(ValueError, match="t must be positive and finite, got nan"):
        check_positive(float("nan"), "t")
    with pytest.raises(TypeError, match="t must be a number, got True"):
        check_positive(True, "t")
