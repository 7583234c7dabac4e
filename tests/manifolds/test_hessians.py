"""Hessians of half the squared distance, and adjoints of differentials of log.

Both are compared with differences along geodesics on every manifold that has them,
with 50-digit numbers at the ends of their range, and with each other.
"""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.manifolds import (
    SPD,
    BlockToeplitz,
    Euclidean,
    Grassmann,
    Hyperboloid,
    KleinBall,
    PlanarShapes,
    PoincareBall,
    ProductManifold,
    SiegelBall,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    convert_hyperbolic,
)
from geolearn.manifolds._hessians import negative_factors, positive_factors
from tests.manifolds.own_manifolds import PlainSphere

EPS = np.finfo(float).eps
STEP = 1e-3  # fourth-order differences: truncation 1e-12, rounding 1e-10 in second

FLAT = [
    Euclidean(3),
    Torus(2),
    SPD(3, "log_euclidean", alpha=2.0, beta=-0.5),
    SPD(2, "log_cholesky"),
    SPD(2, "log_cholesky", power=-0.5),
    SPD(2, "cholesky"),
    SPD(2, "euclidean"),
    SPD(2, "power_euclidean"),
    SPD(1),
    SPD(1, "bures_wasserstein"),
    SpecialOrthogonal(2),
    Grassmann(2, 1),
    SiegelBall(1),
]
CURVED = [
    Sphere(2),
    Sphere(4, radius=2.5),
    Hyperboloid(2),
    Hyperboloid(4, curvature=-2.5),
    PoincareBall(3, curvature=-0.3),
    KleinBall(3),
    SPD(2),
    SPD(3, alpha=0.5, beta=0.3),
    SPD(3, power=0.5),
    SPD(2, power=-2.0),
    PlanarShapes(3),
    PlanarShapes(5),
    Grassmann(3, 1),
    Grassmann(3, 2),
    Grassmann(4, 2),
    Grassmann(5, 2),
    Grassmann(5, 3),
    SpecialOrthogonal(3),
    SpecialOrthogonal(4),
    SpecialOrthogonal(5),
    SiegelBall(2),
    SiegelBall(3),
    BlockToeplitz(2, 2),
    ProductManifold([Sphere(2), Hyperboloid(2), Torus(1)], scales=[2.0, 0.5, 1.0]),
    ProductManifold([SPD(2), PlanarShapes(4)], scales=[0.3, 4.0]),
]
WITH = [*FLAT, *CURVED, Sphere(1), Hyperboloid(1)]
WITHOUT = [
    PlainSphere(2),
    Stiefel(4, 2),
    SPD(2, "bures_wasserstein"),
    SPD(2, "bures_wasserstein", power=0.5),
    SPD(2, "stein"),
    ProductManifold([Euclidean(1), Stiefel(4, 2)]),
]


def every(manifolds):
    return pytest.mark.parametrize("manifold", manifolds, ids=repr)


def pair(manifold, seed, share=0.7):
    """Return two points at a share of the injectivity radius, up to 1.5 scales."""
    x = manifold.random_point(1, random_state=seed)[0]
    v = manifold.random_tangent(x, random_state=seed + 1)
    length = share * min(manifold.injectivity_radius, 2.0 * manifold._length_scale)
    return x, manifold.exp(x, length / manifold.norm(x, v) * v)


def differences(f, h):
    """Return the first and second derivative at 0, both of fourth order."""
    values = [f(k * h) for k in (-2, -1, 0, 1, 2)]
    first = (8.0 * (values[3] - values[1]) - (values[4] - values[0])) / (12.0 * h)
    inner, outer = values[3] + values[1], values[4] + values[0]
    return first, (16.0 * inner - outer - 30.0 * values[2]) / (12.0 * h**2)


def numerical_hessian(manifold, x, y, directions):
    """Return second derivatives along unit speed geodesics through x."""
    h = STEP * manifold._length_scale

    def half_square(t):
        return manifold.dist(manifold.exp_vector(x, t * directions), y) ** 2 / 2.0

    return differences(half_square, h)[1]


def numerical_adjoint(manifold, x, y):
    """Return the transposed Jacobian of y -> log_x(y) in orthonormal frames."""
    h = STEP * manifold._length_scale

    def log(t):
        return manifold.log_vector(x, manifold.exp_vector(y, t * np.eye(manifold.dim)))

    return differences(log, h)[0]


def adjoint(manifold, x, y):
    """Return the matrix of `_log_adjoint`, in the frames at x and y."""
    w = manifold.vector_to_tangent(x, np.eye(manifold.dim))
    return manifold.tangent_to_vector(y, manifold._log_adjoint(x, y, w)).T


@every(WITH)
def test_hessian_is_the_second_derivative_along_geodesics(manifold):
    assert manifold.has_hessian
    rng = np.random.default_rng(0)
    for seed in range(2):
        x, y = pair(manifold, seed)
        H = manifold.hess_half_sqdist(x, y)
        assert_array_equal(H, H.T)
        # Mixed second derivatives follow from those along general directions.
        u = rng.standard_normal((manifold.dim + 8, manifold.dim))
        u = np.concatenate([np.eye(manifold.dim), u])
        u /= np.linalg.norm(u, axis=-1, keepdims=True)
        found = np.einsum("ki,ij,kj->k", u, H, u)
        assert_allclose(found, numerical_hessian(manifold, x, y, u), atol=1e-7)


@every(WITH)
def test_adjoint_is_that_of_the_differential_of_log(manifold):
    for seed in range(2):
        x, y = pair(manifold, seed)
        exact = numerical_adjoint(manifold, x, y)
        assert_allclose(adjoint(manifold, x, y), exact, atol=1e-8)


@every(WITH)
def test_the_direction_of_the_point_has_eigenvalue_one(manifold):
    x, y = pair(manifold, 5, share=0.95)
    v = manifold.log_vector(x, y)
    assert_allclose(manifold.hess_half_sqdist(x, y) @ v, v, rtol=1e-8, atol=1e-10)
    velocity = manifold.log(x, y)
    back = manifold._log_adjoint(x, y, velocity)
    assert_allclose(
        manifold.norm(y, back - manifold.transport(x, y, velocity)), 0.0, atol=1e-9
    )


@every(WITH)
def test_signs_of_curvature(manifold):
    x, y = pair(manifold, 6)
    values = np.linalg.eigvalsh(manifold.hess_half_sqdist(x, y))
    low, high = manifold.sectional_curvature_bounds
    if high <= 0.0:
        assert values[0] > 1.0 - 1e-10
    if low >= 0.0:
        assert values[-1] < 1.0 + 1e-10
    if manifold.is_flat or manifold.dim == 1:
        assert_array_equal(values, 1.0)
    else:
        assert np.max(np.abs(values - 1.0)) > 1e-3


@every(CURVED)
def test_determinant_of_the_adjoint_is_the_inverse_volume_density(manifold):
    x, y = pair(manifold, 7)
    sign, logarithm = np.linalg.slogdet(adjoint(manifold, x, y))
    assert sign in (-1.0, 1.0)  # orientations of frames are free
    expected = -manifold.log_volume_density(x, y)
    assert_allclose(logarithm, expected, rtol=1e-8, atol=1e-10)


@every(WITH)
def test_coincident_and_close_points(manifold):
    x = manifold.random_point(1, random_state=8)[0]
    eye = np.eye(manifold.dim)
    rounding = 1e-7 if isinstance(manifold, BlockToeplitz) else 1e-12
    assert_allclose(manifold.hess_half_sqdist(x, x), eye, atol=rounding)
    w = manifold.random_tangent(x, random_state=9)
    assert_allclose(manifold._log_adjoint(x, x, w), w, rtol=1e-8, atol=1e-10)
    for share in (1e-9, 1e-4):
        y = pair(manifold, 8, share)[1]
        H = manifold.hess_half_sqdist(x, y)
        strongest = 2.0 * share**2  # |K| d^2 / 3 at most, and rounding
        assert_allclose(H, eye, atol=strongest + rounding)


@every(WITH)
def test_broadcasting(manifold):
    x = np.stack([pair(manifold, k)[0] for k in (0, 2, 4)])
    y = np.stack([pair(manifold, 0, share)[1] for share in (0.3, 0.6)])
    w = manifold.random_tangent(x, random_state=0)
    d = manifold.dim
    keep = (x.copy(), y.copy(), w.copy())
    one = manifold.hess_half_sqdist(x[0], y[1])
    assert one.shape == (d, d)
    many = manifold.hess_half_sqdist(x[0], y)
    assert many.shape == (2, d, d)
    assert_allclose(many[1], one, rtol=1e-10, atol=1e-12)
    table = manifold.hess_half_sqdist(x[:1, None], y[None])
    assert table.shape == (1, 2, d, d)
    assert_allclose(table[0], many, rtol=1e-10, atol=1e-12)
    moved = manifold._log_adjoint(x[0], y[:, None], np.stack([w[0], 2.0 * w[0]]))
    assert moved.shape == (2, 2, *manifold.point_shape)
    assert_allclose(moved[:, 1], 2.0 * moved[:, 0], rtol=1e-8, atol=1e-10)
    single = manifold._log_adjoint(x[0], y[1], w[0])
    assert_allclose(moved[1, 0], single, rtol=1e-8, atol=1e-10)
    assert manifold.hess_half_sqdist(x[:0], y[0]).shape == (0, d, d)
    for before, after in zip(keep, (x, y, w), strict=True):
        assert_array_equal(before, after)


@every([Euclidean(2), Sphere(2), SPD(2), PlanarShapes(4)])
def test_single_precision_and_writable(manifold):
    x, y = pair(manifold, 0)
    H = manifold.hess_half_sqdist(x.astype(np.float32), y.astype(np.float32))
    assert H.dtype == np.float32
    H = manifold.hess_half_sqdist(x, y)
    H[0, 0] = 2.0


@every(WITHOUT)
def test_manifolds_without_say_so(manifold):
    assert not manifold.has_hessian
    x = manifold.random_point(2, random_state=0) if manifold.dim > 3 else None
    x = np.stack([manifold.origin] * 2) if x is None else x
    with pytest.raises(ValueError, match="Hessian of squared distances"):
        manifold.hess_half_sqdist(x[0], x[1])
    with pytest.raises(ValueError, match="Hessian of squared distances"):
        manifold._log_adjoint(x[0], x[1], x[0])


def test_flags():
    assert Stiefel(2, 1).has_hessian == Stiefel(2, 1).is_flat
    assert not ProductManifold([Sphere(2), PlainSphere(2)]).has_hessian


# Invariances.


@settings(max_examples=20)
@given(seed=st.integers(0, 2**31))
def test_rotations_of_the_sphere(seed):
    sphere = Sphere(3)
    x, y = pair(sphere, seed % 1000)
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))[0]
    H, G = sphere.hess_half_sqdist(x, y), sphere.hess_half_sqdist(Q @ x, Q @ y)
    assert_allclose(np.linalg.eigvalsh(H), np.linalg.eigvalsh(G), atol=1e-12)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**31))
def test_congruences_of_spd_matrices(seed):
    manifold = SPD(3)
    x, y = manifold.random_point(2, random_state=seed)
    A = np.random.default_rng(seed).normal(size=(3, 3)) + 3.0 * np.eye(3)

    def moved(p):
        return A @ p @ A.T

    H = manifold.hess_half_sqdist(x, y)
    G = manifold.hess_half_sqdist(moved(x), moved(y))
    assert_allclose(np.linalg.eigvalsh(H), np.linalg.eigvalsh(G), rtol=1e-9)
    w = manifold.random_tangent(x, random_state=seed)
    image = manifold._log_adjoint(moved(x), moved(y), moved(w))
    expected = moved(manifold._log_adjoint(x, y, w))
    scale = np.abs(expected).max()
    assert_allclose(image / scale, expected / scale, atol=1e-9)


def test_models_of_hyperbolic_space_agree():
    hyperboloid, poincare, klein = Hyperboloid(3), PoincareBall(3), KleinBall(3)
    x, y = hyperboloid.random_point(2, random_state=0)
    H = hyperboloid.hess_half_sqdist(x, y)
    for name, ball in (("poincare", poincare), ("klein", klein)):
        p, q = (convert_hyperbolic(z, "hyperboloid", name) for z in (x, y))
        assert_allclose(ball.hess_half_sqdist(p, q), H, rtol=1e-11, atol=1e-12)


def test_the_sign_and_order_of_a_hessian_by_hand():
    # Distance 1 along the first spatial axis: coth across, 1 along.
    x, y = np.array([1.0, 0.0, 0.0]), np.array([math.cosh(1.0), math.sinh(1.0), 0.0])
    expected = np.diag([1.0, 1.0 / math.tanh(1.0)])
    assert_allclose(Hyperboloid(2).hess_half_sqdist(x, y), expected, atol=1e-15)
    # A quarter of a great circle: t cot(t) = 0 across; w across is stretched by pi/2.
    east, north, west = np.eye(3)[0], np.eye(3)[2], np.eye(3)[1]
    sphere = Sphere(2)
    values = np.linalg.eigvalsh(sphere.hess_half_sqdist(east, north))
    assert_allclose(values, [0.0, 1.0], atol=1e-15)
    assert_allclose(sphere._log_adjoint(east, north, west), math.pi / 2 * west, 1e-15)
    # l = (2, 0): t = 1 on the off-diagonal coordinate.
    H = SPD(2).hess_half_sqdist(np.eye(2), np.diag([math.exp(2.0), 1.0]))
    assert_allclose(H, np.diag([1.0, 1.0 / math.tanh(1.0), 1.0]), atol=1e-15)


# The ends of the range.


def test_spd_ties_of_eigenvalues():
    manifold, eye = SPD(3), np.eye(3)
    assert_allclose(manifold.hess_half_sqdist(eye, 5.0 * eye), np.eye(6), atol=1e-14)
    w = np.array([[1.0, 2.0, 0.0], [2.0, 0.0, 1.0], [0.0, 1.0, 3.0]])
    # Commuting with the log: transported by the scale, with no factor.
    assert_allclose(manifold._log_adjoint(eye, 5.0 * eye, w), 5.0 * w, rtol=1e-14)
    # A tie of two, in a basis in which it is not visible.
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for split in (0.0, 1e-15, 1e-9):
        y = Q @ np.diag(np.exp([1.0, 1.0 + split, -1.0])) @ Q.T
        values = np.linalg.eigvalsh(manifold.hess_half_sqdist(eye, (y + y.T) / 2.0))
        t = 1.0 / math.tanh(1.0)
        assert_allclose(values, [1.0, 1.0, 1.0, 1.0, t, t], rtol=1e-8, atol=1e-12)


def test_spd_far_and_ill_conditioned():
    manifold = SPD(2)
    x, y = np.diag([1e-6, 1.0]), np.diag([1e6, 1.0])
    H = manifold.hess_half_sqdist(x, y)
    t = 0.5 * math.log(1e12)
    assert_allclose(H, np.diag([1.0, t / math.tanh(t), 1.0]), rtol=1e-12, atol=1e-12)
    w = np.array([[0.0, 1e-3], [1e-3, 0.0]])
    moved = manifold._log_adjoint(x, y, w)
    # sqrt(1e12) of the transport, t / sinh(t) of the curvature
    expected = 1e-3 * 1e6 * t / math.sinh(t)
    assert_allclose(moved, [[0.0, expected], [expected, 0.0]], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("radius", [1e-9, 1e-4, 1.0, 6.0, 12.0])
def test_hyperbolic_points_far_out(radius):
    plane = Hyperboloid(2)
    a, b = (plane.exp_vector(plane.origin, [s, 0.3 * s]) for s in (radius, -radius))
    distance = mp.mpf(2 * radius) * mp.sqrt(1 + mp.mpf(0.3) ** 2)
    values = np.linalg.eigvalsh(plane.hess_half_sqdist(a, b))
    expected = [1.0, float(distance * mp.coth(distance))]
    # Points at radius r are known to eps exp(r).
    assert_allclose(values, expected, rtol=1e-15 * math.exp(radius) + 1e-14)


@pytest.mark.parametrize("gap", [1e-2, 1e-5, 1e-9])
def test_sphere_near_the_antipode(gap):
    sphere = Sphere(2)
    x = np.array([1.0, 0.0, 0.0])
    y = np.array([-math.cos(gap), math.sin(gap), 0.0])
    values = np.linalg.eigvalsh(sphere.hess_half_sqdist(x, y))
    t = math.pi - gap
    assert_allclose(values, [-t / math.tan(gap), 1.0], rtol=1e-13)
    moved = sphere._log_adjoint(x, y, np.array([0.0, 0.0, 1.0]))
    assert_allclose(moved, [0.0, 0.0, t / math.sin(gap)], rtol=1e-13)


@pytest.mark.parametrize("gap", [1e-2, 1e-5, 1e-9])
def test_velocities_near_the_antipode_lose_digits_with_the_gap_only(gap):
    # Transport once magnified rounding by the square of the inverse gap.
    sphere = Sphere(3)
    for seed in range(5):
        x = sphere.random_point(1, random_state=seed)[0]
        u = sphere.random_tangent(x, random_state=seed + 1)
        y = sphere.exp(x, (math.pi - gap) / sphere.norm(x, u) * u)
        v, back = sphere.log(x, y), -sphere.log(y, x)
        assert_allclose(sphere.transport(x, y, v), back, atol=50 * EPS / gap)
        assert_allclose(sphere._log_adjoint(x, y, v), back, atol=50 * EPS / gap)


def test_subspaces_with_two_angles_near_a_quarter_turn():
    gap = 1e-6  # of each angle; the root is their sum, pi - 2 gap
    x, eye = np.eye(4)[:, :2], np.eye(2)
    y = np.concatenate([math.sin(gap) * eye, math.cos(gap) * eye])
    values = np.linalg.eigvalsh(Grassmann(4, 2).hess_half_sqdist(x, y))
    t = math.pi - 2.0 * gap
    assert_allclose(values, [-t / math.tan(2.0 * gap), 1.0, 1.0, 1.0], rtol=1e-13)


def test_cut_loci_are_refused():
    with pytest.raises(ValueError, match="antipodal"):
        Sphere(2).hess_half_sqdist([1.0, 0.0, 0.0], [-1.0, 0.0, 0.0])
    flipped = np.diag([-1.0, -1.0, 1.0])
    with pytest.raises(ValueError, match="angle of pi"):
        SpecialOrthogonal(3).hess_half_sqdist(np.eye(3), flipped)
    with pytest.raises(ValueError, match="orthogonal"):
        Grassmann(3, 1).hess_half_sqdist(np.eye(3)[:, :1], np.eye(3)[:, 1:2])


@pytest.mark.parametrize("t", [0.0, 1e-300, 1e-9, 1e-4, 0.2, 0.3, 1.0, 2.4, 2.6, 3.1])
def test_factors_of_positive_curvature(t):
    hessian, adjoint = positive_factors(np.array(t))
    exact = mp.mpf(t)
    if t > 0.0:
        assert_allclose(hessian, float(exact * mp.cot(exact)), rtol=1e-13)
        assert_allclose(adjoint, float(exact / mp.sin(exact)), rtol=1e-13)
    else:
        assert (hessian, adjoint) == (1.0, 1.0)
    # Near pi the gap is what counts.
    gap = 1e-12
    near = positive_factors(np.array(math.pi), np.array(gap))
    assert_allclose(near, [-math.pi / gap, math.pi / gap], rtol=1e-15)


@pytest.mark.parametrize(
    "t", [0.0, 1e-300, 1e-9, 1e-4, 0.2, 0.3, 1.0, 30.0, 700.0, 5000.0]
)
def test_factors_of_negative_curvature(t):
    for sign in (-1.0, 1.0):
        hessian, adjoint = negative_factors(np.array(sign * t))
        exact = mp.mpf(t)
        if t > 0.0:
            assert_allclose(hessian, float(exact * mp.coth(exact)), rtol=1e-15)
            assert_allclose(adjoint, float(exact / mp.sinh(exact)), rtol=1e-14)
        else:
            assert (hessian, adjoint) == (1.0, 1.0)
