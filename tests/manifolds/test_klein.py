"""The Klein ball is isometric to the hyperboloid, and conversions are exact."""

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.manifolds import (
    Hyperboloid,
    KleinBall,
    PoincareBall,
    convert_hyperbolic,
    get_manifold,
    poincare_to_hyperboloid,
)

MODELS = ("hyperboloid", "poincare", "klein")
CURVATURES = (-1.0, -0.25, -4.0)


def klein(X, curvature=-1.0):
    return convert_hyperbolic(X, "hyperboloid", "klein", curvature)


@pytest.fixture(params=CURVATURES)
def spaces(request):
    curvature = request.param
    H, B = Hyperboloid(3, curvature=curvature), KleinBall(3, curvature=curvature)
    X, Y = (H.random_point(10, random_state=seed) for seed in (0, 1))
    return H, B, X, Y


def test_distances_are_those_of_the_hyperboloid(spaces):
    H, B, X, Y = spaces
    c = H.curvature
    assert_allclose(B.dist(klein(X, c), klein(Y, c)), H.dist(X, Y), rtol=1e-12)


def test_exponential_maps_agree(spaces):
    H, B, X, _ = spaces
    c = H.curvature
    w = np.random.default_rng(0).normal(size=(10, 3))
    end = H.exp(X, H.vector_to_tangent(X, w))
    A = klein(X, c)
    assert_allclose(B.exp(A, B.vector_to_tangent(A, w)), klein(end, c), rtol=1e-10)


def test_transport_agrees(spaces):
    H, B, X, Y = spaces
    c = H.curvature
    A, C = klein(X, c), klein(Y, c)
    w = np.random.default_rng(0).normal(size=(10, 3))
    moved = H.transport(X, Y, H.vector_to_tangent(X, w))
    result = B.tangent_to_vector(C, B.transport(A, C, B.vector_to_tangent(A, w)))
    assert_allclose(result, H.tangent_to_vector(Y, moved), rtol=1e-9, atol=1e-12)


def test_geodesics_are_chords(spaces):
    H, B, X, Y = spaces
    A, C = klein(X, H.curvature), klein(Y, H.curvature)
    middle = B.exp(A, 0.5 * B.log(A, C))
    across = np.cross(C - A, middle - A)
    assert_allclose(across, 0.0, atol=1e-13)


def test_means_agree():
    H, B = Hyperboloid(2), KleinBall(2)
    X = H.random_point(30, random_state=0)
    assert_allclose(B.frechet_mean(klein(X)), klein(H.frechet_mean(X)), atol=1e-8)


@pytest.mark.parametrize("step", [1e-12, 1e-6, 1e-2, 1.0])
@pytest.mark.parametrize("gap", [0.5, 1e-3, 1e-9])
def test_distance_is_exact_for_the_ball_points(gap, step):
    x = (1.0 - gap) * np.array([0.6, 0.8])
    y = x + step * gap * np.array([-0.3, 0.2])
    with mp.workdps(60):
        a, b = ([mp.mpf(float(v)) for v in p] for p in (x, y))
        inner = 1 - a[0] * b[0] - a[1] * b[1]
        norms = (1 - a[0] ** 2 - a[1] ** 2) * (1 - b[0] ** 2 - b[1] ** 2)
        expected = float(mp.acosh(inner / mp.sqrt(norms)))
    # |x| itself is rounded before it is subtracted from 1
    assert_allclose(KleinBall(2).dist(x, y), expected, rtol=1e-13 + 1e-15 / gap)


def test_points_near_and_beyond_the_boundary():
    B = KleinBall(2)
    assert_array_equal(B.belongs([[0.6, 0.79], [0.6, 0.8], [0.0, 2.0]]), [1, 0, 0])
    with pytest.raises(ValueError, match="is not on KleinBall"):
        B.check_points([[0.0, 1.0]])
    inside = B.project([[0.0, 3.0], [0.0, 0.5]])
    assert_allclose(inside, [[0.0, 1.0 - 1e-9], [0.0, 0.5]], rtol=1e-15)
    with pytest.warns(RuntimeWarning, match="closer to the boundary than double"):
        far = B.exp([0.0, 0.0], [40.0, 0.0])
    assert B.belongs(far)


def test_get_manifold():
    assert get_manifold("klein", 3) == KleinBall(3)
    assert repr(KleinBall(2, -4.0)) == "KleinBall(2, curvature=-4.0)"


# Conversions


def test_worked_point():
    x = [2.5, 1.0, 2.0, -0.5]
    p = [0.28571429, 0.57142857, -0.14285714]
    assert_allclose(convert_hyperbolic(x, "hyperboloid", "klein"), [0.4, 0.8, -0.2])
    assert_allclose(convert_hyperbolic(x, "hyperboloid", "poincare"), p, rtol=1e-7)


@pytest.mark.parametrize("curvature", CURVATURES)
@pytest.mark.parametrize("source", MODELS)
@pytest.mark.parametrize("target", MODELS)
def test_there_and_back(source, target, curvature):
    X = Hyperboloid(3, curvature=curvature).random_point(20, random_state=0)
    points = convert_hyperbolic(X, "hyperboloid", source, curvature)
    there = convert_hyperbolic(points, source, target, curvature)
    direct = convert_hyperbolic(X, "hyperboloid", target, curvature)
    assert_allclose(there, direct, rtol=1e-11)
    back = convert_hyperbolic(there, target, source, curvature)
    assert_allclose(back, points, rtol=1e-11)


def test_agrees_with_the_function_of_the_ball():
    P = PoincareBall(3, curvature=-2.0).random_point(10, random_state=0)
    assert_allclose(
        convert_hyperbolic(P, "poincare", "hyperboloid", -2.0),
        poincare_to_hyperboloid(P, curvature=-2.0),
        rtol=1e-13,
    )


def test_conversion_keeps_the_type_shape_and_input():
    X = np.array([1.25, 0.75], dtype=np.float32)
    assert convert_hyperbolic(X, "hyperboloid", "klein").dtype == np.float32
    stack = np.tile([1.25, 0.75], (2, 3, 1))
    assert convert_hyperbolic(stack, "hyperboloid", "poincare").shape == (2, 3, 1)
    assert convert_hyperbolic([0, 0], "klein", "klein").dtype == np.float64


def test_bad_conversions():
    with pytest.raises(ValueError, match="target='disk' is unknown"):
        convert_hyperbolic([0.0], "klein", "disk")
    with pytest.raises(ValueError, match="1 points of X are not inside the klein ball"):
        convert_hyperbolic([[0.0], [2.0]], "klein", "poincare", -0.25)
    with pytest.raises(ValueError, match="curvature must be a negative number"):
        convert_hyperbolic([0.0], "klein", "poincare", 0.0)


@pytest.mark.parametrize("model", ["klein", "poincare"])
def test_points_beyond_all_squares_are_on_the_boundary(model):
    """Their norm overflowed, and they were shown at the origin."""
    X = [[5e200, 3e200, 4e200], [1.25, 0.75, 0.0]]
    shown = convert_hyperbolic(X, "hyperboloid", model, -0.25)
    assert_allclose(shown[0], [1.2, 1.6], rtol=1e-12)
    assert_allclose(
        shown[1], convert_hyperbolic(X[1], "hyperboloid", model, -0.25), rtol=1e-15
    )


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[np.inf, 1.0, 0.0]], "infinity"),
        ([[1.0]], "at least 2 numbers"),
        (1.0, "rows of numbers"),
    ],
)
def test_what_is_no_point_of_the_hyperboloid(X, message):
    with pytest.raises(ValueError, match=message):
        convert_hyperbolic(X, "hyperboloid" if np.ndim(X) else "klein", "poincare")
