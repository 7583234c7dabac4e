"""Axial coordinates: worked numbers, precision at any radius, missing values."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.manifolds import (
    Hyperboloid,
    axial_coordinates,
    convert_hyperbolic,
    from_axial_coordinates,
)

pytestmark = pytest.mark.kernels

MODELS = ("hyperboloid", "poincare", "klein")
X = np.array([[2.5, 1.0, 2.0, -0.5]])
S = np.array([[0.5 * np.log(7 / 3), np.log(3.0), -0.5 * np.log(1.5)]])


def far_points(radius, n=20, dim=3, seed=0):
    v = np.random.default_rng(seed).normal(size=(n, dim))
    space = np.sinh(radius) * v / np.linalg.norm(v, axis=1, keepdims=True)
    return np.hstack([np.sqrt(1.0 + np.sum(space**2, 1, keepdims=True)), space])


# Worked numbers of the specification.


@pytest.mark.parametrize("model", MODELS)
def test_worked_point(model):
    points = convert_hyperbolic(X, "hyperboloid", model)
    assert_allclose(axial_coordinates(points, model), S, rtol=1e-15)
    printed = [[0.42364893, 1.09861229, -0.20273255]]
    assert_allclose(axial_coordinates(points, model), printed, rtol=1e-7)


def test_worked_point_of_another_curvature():
    time = np.sqrt(4.0 + np.sum(X[:, 1:] ** 2))
    assert_allclose(time, 3.04138127, rtol=1e-8)
    Y = np.hstack([[[time]], X[:, 1:]])
    expected = [[0.68295986, 1.57713213, -0.33180910]]
    assert_allclose(axial_coordinates(Y, curvature=-0.25), expected, rtol=1e-7)


def test_worked_angles():
    # cot(theta) = u = tanh(s)
    theta = np.arctan2(1.0, np.tanh(axial_coordinates(X)))
    assert_allclose(theta, [[1.19028995, 0.89605538, 1.76819189]], rtol=1e-8)


def test_worked_distance_to_a_hyperplane():
    s, others = axial_coordinates(X)[0, 0], np.sum(X[0, 2:] ** 2)
    distance = np.arcsinh(np.sqrt(1.0 + others) * np.sinh(s - 0.4))
    assert_allclose(distance, 0.0541650680, rtol=1e-8)
    # No point of the hyperplane is nearer: points (x_0, x_0 tanh 0.4, b, c).
    b, c = np.meshgrid(np.linspace(1.5, 2.5, 201), np.linspace(-1.0, 0.0, 201))
    time = np.cosh(0.4) * np.sqrt(1.0 + b**2 + c**2)
    plane = np.stack([time, np.tanh(0.4) * time, b, c], axis=-1).reshape(-1, 4)
    nearest = Hyperboloid(3).dist(X[0], plane).min()
    assert distance <= nearest <= 1.001 * distance


def test_worked_midpoints():
    assert_allclose(np.tanh(0.5 * (0.3 + 1.1)), 0.6043677771, rtol=1e-9)
    naive = 0.5 * (np.tanh(0.3) + np.tanh(1.1))
    assert_allclose(naive, 0.5459058171, rtol=1e-9)
    assert_allclose(np.arctanh(0.5 * (np.tanh(9.0) + np.tanh(10.0))), 9.2831, atol=5e-5)
    # The axial midpoint is equidistant from both, on the axis.
    on_axis = [[np.cosh(s), np.sinh(s), 0.0] for s in (0.3, 0.7, 1.1)]
    d = Hyperboloid(2).dist(on_axis[1], on_axis)
    assert_allclose(d[0], d[2], rtol=1e-14)


# Precision


def exact(space, radius=1):
    """Return axial coordinates of spatial columns to 60 digits."""
    with mp.workdps(400):
        x = [mp.mpf(float(v)) for v in space]
        total = mp.mpf(radius) ** 2 + sum(v**2 for v in x)
        return [float(radius * mp.asinh(v / mp.sqrt(total - v**2))) for v in x]


@pytest.mark.parametrize("radius", [1e-12, 1e-3, 1.0, 9.0, 20.0, 30.0, 300.0])
def test_hyperboloid_form_is_exact_at_any_radius(radius):
    Y = far_points(radius)
    Y[::2, 1] *= 1e-6  # near a plane of two axes
    expected = [exact(row[1:]) for row in Y]
    assert_allclose(axial_coordinates(Y), expected, rtol=1e-15 * 3)


@pytest.mark.parametrize("radius", [1e-12, 1e-3, 1.0, 9.0, 20.0, 30.0])
def test_ball_form_is_exact_for_the_ball_point(radius):
    P = convert_hyperbolic(far_points(radius), "hyperboloid", "poincare")
    for p, s in zip(P, axial_coordinates(P, "poincare"), strict=True):
        with mp.workdps(60):
            q = [mp.mpf(float(v)) for v in p]
            rest = [sum(v**2 for v in q) - w**2 for w in q]
            expected = [
                float(mp.log(((1 + v) ** 2 + r) / ((1 - v) ** 2 + r)) / 2)
                for v, r in zip(q, rest, strict=True)
            ]
        assert_allclose(s, expected, rtol=1e-14)


def test_squares_of_large_coordinates_do_not_overflow():
    Y = 1e300 * far_points(2.0)
    unit = Y[:, 1:] / 1e300
    others = np.sqrt(np.sum(unit**2, axis=1, keepdims=True) - unit**2)
    assert_allclose(axial_coordinates(Y), np.arcsinh(unit / others), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-140, 1e-15, 1e15, 1e140])
def test_scaling_points_and_radius_scales_the_coordinates(scale):
    Y = far_points(2.0)
    result = axial_coordinates(scale * Y, curvature=-((1.0 / scale) ** 2))
    assert_allclose(result, scale * axial_coordinates(Y), rtol=1e-13)


# Structure


@given(
    s=st.lists(st.floats(-0.8, 0.8), min_size=2, max_size=5),
    curvature=st.floats(-9.0, -0.1),
    model=st.sampled_from(MODELS),
)
def test_the_inverse(s, curvature, model):
    s = np.array([s]) / np.sqrt(len(s)) / np.sqrt(-curvature)
    points = from_axial_coordinates(s, model, curvature)
    result = axial_coordinates(points, model, curvature)
    assert_allclose(result, s, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("time_axis", [0, 1, 2, 3, -1])
def test_time_axis(time_axis):
    space = [[1.0, 2.0, -0.5]]
    Y = np.insert(space, time_axis % 4, 2.5, axis=1)
    assert_array_equal(axial_coordinates(Y, time_axis=time_axis), axial_coordinates(X))
    back = from_axial_coordinates(S, time_axis=time_axis)
    assert_allclose(back, Y, rtol=1e-14)


def test_input_is_not_modified_and_may_be_a_list():
    Y = far_points(1.0)
    before = Y.copy()
    axial_coordinates(Y)
    assert_array_equal(Y, before)
    assert_array_equal(axial_coordinates(Y.tolist()), axial_coordinates(Y))


def test_missing_values():
    Y = np.repeat(X, 4, axis=0)
    Y[1, 2] = Y[2, 0] = Y[3, 0] = Y[3, 1] = np.nan
    s = axial_coordinates(Y)
    assert_allclose(s[1], [S[0, 0], np.nan, S[0, 2]], rtol=1e-14)
    assert_allclose(s[2], S[0], rtol=1e-14)  # time is not needed
    assert np.isnan(s[3]).all()  # without time the others are not known
    U = convert_hyperbolic(X, "hyperboloid", "klein")
    U[0, 1] = np.nan
    assert_allclose(axial_coordinates(U, "klein"), [[S[0, 0], np.nan, S[0, 2]]])
    P = convert_hyperbolic(X, "hyperboloid", "poincare")
    P[0, 1] = np.nan
    assert np.isnan(axial_coordinates(P, "poincare")).all()


def test_missing_value_far_out():
    Y = far_points(30.0)
    Y[:, 2] = np.nan
    s = axial_coordinates(Y)
    assert_allclose(s[:, 0], np.arctanh(Y[:, 1] / Y[:, 0]), rtol=1e-12)
    on_axis = [[np.cosh(30.0), np.sinh(30.0), np.nan]]
    assert np.isfinite(axial_coordinates(on_axis)[0, 0])


def test_bad_arguments():
    with pytest.raises(ValueError, match="model='ball' is unknown; choose one of"):
        axial_coordinates(X, "ball")
    with pytest.raises(ValueError, match="curvature must be a negative number, got 1"):
        axial_coordinates(X, curvature=1.0)
    with pytest.raises(ValueError, match="time_axis=4 is not among the 4 columns"):
        axial_coordinates(X, time_axis=4)
    with pytest.raises(ValueError, match=r"S\[1\] is not the row of axial coordinates"):
        from_axial_coordinates([[0.0, 0.0], [2.0, 2.0]])


@pytest.mark.parametrize("radius", [356.0, 709.0])
def test_far_points_on_an_axis_keep_their_coordinate(radius):
    """The unit that kept squares finite made the radius of curvature vanish."""
    points = [[np.cosh(radius), 0.0, -np.sinh(radius), 0.0]]
    assert_allclose(axial_coordinates(points), [[0.0, -radius, 0.0]], rtol=1e-15)
