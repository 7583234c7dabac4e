"""Values worked out by hand or printed in the specification, to all digits."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import gamma

from geolearn.manifolds import (
    Hyperboloid,
    PoincareBall,
    ProductManifold,
    Sphere,
    Torus,
    hyperboloid_to_poincare,
    poincare_to_hyperboloid,
)
from tests.manifolds.own_manifolds import AffineInvariant, BuresWasserstein

# Ten digits are printed in the specification: half a unit of the last one.
PRINTED = {"rtol": 0.0, "atol": 0.51e-10}
A = np.array([[2.0, 0.5], [0.5, 1.0]])
B = np.array([[1.0, -0.3], [-0.3, 3.0]])
V = np.array([[0.3, 0.1], [0.1, -0.2]])


def entries(matrix):
    return [matrix[0, 0], matrix[0, 1], matrix[1, 1]]


def test_hyperbolic_plane():
    plane = Hyperboloid(2)
    x = np.array([math.cosh(1), math.sinh(1), 0.0])
    y = np.array([math.cosh(2), 0.0, math.sinh(2)])
    assert_allclose(plane.dist(x, y), 2.4444289499, **PRINTED)
    assert_allclose(plane.log_volume_density(x, y), 0.8499117207, **PRINTED)
    log = [-2.2210271073, -2.9162869619, 1.5503111488]
    assert_allclose(plane.log(x, y), log, **PRINTED)
    assert_allclose(plane.dist(x, y), math.acosh(math.cosh(1) * math.cosh(2)), 1e-14)


def test_poincare_disk():
    disk = PoincareBall(2)
    x, y, v = np.array([0.5, 0.0]), np.array([0.0, 0.5]), np.array([0.1, 0.2])
    assert_allclose(disk.dist(x, y), 1.6806997724, **PRINTED)
    assert_allclose(disk.log(x, y), [-0.5404455619, 0.3242673371], **PRINTED)
    assert_allclose(disk.exp(x, v), [0.6117716513, 0.1688654015], **PRINTED)
    assert_allclose(disk.transport(x, y, v), [0.1823529412, 0.1294117647], **PRINTED)


def test_affine_invariant_metric_through_the_base_class():
    # exp, log, inner and projections are given; the rest is derived.
    spd = AffineInvariant(2)
    assert_allclose(spd.dist(A, B), 1.5426995090, **PRINTED)
    assert_allclose(spd.log_volume_density(A, B), 0.1809800325, atol=1e-9)
    transported = [0.1204514442, 0.1485843801, -0.7830763892]
    assert_allclose(entries(spd.transport(A, B, V)), transported, rtol=1e-9)
    identity, stretched = np.eye(2), np.diag([math.e, 1 / math.e])
    assert_allclose(
        spd.log_volume_density(identity, stretched), math.log(math.sinh(1)), atol=1e-9
    )


def test_bures_wasserstein_metric_through_the_base_class():
    spd = BuresWasserstein()
    assert_allclose(spd.dist(A, B), 0.9640082235, **PRINTED)
    assert_allclose(spd.log_volume_density(A, B), -0.1321285386, atol=1e-9)
    identity = np.eye(2)
    assert_allclose(
        spd.log_volume_density(identity, np.diag([4.0, 1.0])),
        math.log(3 / math.sqrt(10)),
        atol=1e-9,
    )


def test_default_transport_is_of_second_order_off_symmetric_spaces(monkeypatch):
    spd = BuresWasserstein()
    errors = []
    for rungs in (4, 8, 16):
        monkeypatch.setattr("geolearn.manifolds._frames._LADDER_RUNGS", rungs)
        errors.append(abs(spd.norm(B, spd.transport(A, B, V)) - spd.norm(A, V)))
    assert errors[2] < 1e-4
    assert math.log2(errors[0] / errors[1]) > 1.7
    assert math.log2(errors[1] / errors[2]) > 1.7


def test_sphere_by_hand():
    sphere = Sphere(2, radius=2.0)
    x, y = np.array([2.0, 0.0, 0.0]), np.array([0.0, 2.0, 0.0])
    assert_allclose(sphere.dist(x, y), math.pi, rtol=1e-15)
    assert_allclose(sphere.log(x, y), [0.0, math.pi, 0.0], rtol=1e-15)
    assert_allclose(sphere.exp(x, [0.0, 0.0, math.pi]), [0.0, 0.0, 2.0], atol=1e-15)
    assert_allclose(
        sphere.transport(x, y, [0.0, 1.0, 3.0]), [-1.0, 0.0, 3.0], atol=1e-15
    )
    expected = math.log(math.sin(math.pi / 2) / (math.pi / 2))
    assert_allclose(sphere.log_volume_density(x, y), expected, rtol=1e-14)


def test_antipodes():
    sphere = Sphere(2, radius=3.0)
    x = sphere.random_point(1, random_state=0)[0]
    assert sphere.dist(x, -x) == 3.0 * math.pi
    assert sphere.log_volume_density(x, -x) == -math.inf
    assert Sphere(1).log_volume_density([1.0, 0.0], [-1.0, 0.0]) == 0.0
    with pytest.raises(ValueError, match="antipodal"):
        sphere.log(x, -x)
    with pytest.raises(ValueError, match=r"1 pair\(s\)"):
        sphere.transport(np.stack([x, x]), np.stack([x, -x]), np.zeros(3))


def test_torus_by_hand():
    torus = Torus(2)
    x, y = np.array([3.0, 0.0]), np.array([-3.0, 1.0])
    gap = 2 * math.pi - 6.0
    assert_allclose(torus.log(x, y), [gap, 1.0], rtol=1e-14)
    assert_allclose(torus.dist(x, y), math.hypot(gap, 1.0), rtol=1e-14)
    assert_allclose(torus.exp(x, [1.0, 0.0]), [4.0 - 2 * math.pi, 0.0], rtol=1e-14)
    assert torus.injectivity_radius == math.pi


@pytest.mark.parametrize("dim", [1, 2, 3, 6])
def test_density_integrates_to_the_volume_of_the_sphere(dim):
    sphere = Sphere(dim, radius=2.0)
    x = sphere.random_point(1, random_state=0)[0]
    u = sphere.random_tangent(x, random_state=1)
    u = u / sphere.norm(x, u)

    def shell(r):
        return math.exp(sphere.log_volume_density(x, sphere.exp(x, r * u))) * r ** (
            dim - 1
        )

    area = 2 * math.pi ** (dim / 2) / gamma(dim / 2)
    volume = area * quad(shell, 0.0, 2 * math.pi, epsabs=1e-11)[0]
    exact = 2 * math.pi ** ((dim + 1) / 2) / gamma((dim + 1) / 2) * 2.0**dim
    assert_allclose(volume, exact, rtol=1e-9)


@pytest.mark.parametrize(
    "manifold",
    [Hyperboloid(2, curvature=-4.0), PoincareBall(2, curvature=-4.0)],
    ids=repr,
)
def test_density_integrates_to_the_area_of_a_hyperbolic_disk(manifold):
    x = manifold.random_point(1, random_state=0)[0]
    u = manifold.random_tangent(x, random_state=1)
    u = u / manifold.norm(x, u)

    def circle(r):
        return math.exp(manifold.log_volume_density(x, manifold.exp(x, r * u))) * r

    area = 2 * math.pi * quad(circle, 0.0, 1.5)[0]
    assert_allclose(area, 2 * math.pi / 4 * (math.cosh(3.0) - 1), rtol=1e-9)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_rotations_are_isometries_of_the_sphere(dim):
    sphere = Sphere(dim, radius=1.5)
    rng = np.random.default_rng(dim)
    rotation = np.linalg.qr(rng.standard_normal((dim + 1, dim + 1)))[0]
    x, y = (
        sphere.random_point(20, random_state=0),
        sphere.random_point(20, random_state=1),
    )
    v = sphere.random_tangent(x, random_state=2)
    turned = [a @ rotation.T for a in (x, y, v)]
    assert_allclose(sphere.dist(*turned[:2]), sphere.dist(x, y), rtol=1e-12)
    assert_allclose(sphere.log(*turned[:2]), sphere.log(x, y) @ rotation.T, atol=1e-12)
    assert_allclose(
        sphere.transport(*turned), sphere.transport(x, y, v) @ rotation.T, atol=1e-12
    )


def test_boosts_are_isometries_of_the_hyperboloid():
    space = Hyperboloid(3, curvature=-0.5)
    x, y = (
        space.random_point(20, random_state=0),
        space.random_point(20, random_state=1),
    )
    v = space.random_tangent(x, random_state=2)
    boost = np.eye(4)
    boost[:2, :2] = [[math.cosh(0.7), math.sinh(0.7)], [math.sinh(0.7), math.cosh(0.7)]]
    moved = [a @ boost.T for a in (x, y, v)]
    assert_allclose(space.dist(*moved[:2]), space.dist(x, y), rtol=1e-12)
    assert_allclose(space.log(*moved[:2]), space.log(x, y) @ boost.T, atol=1e-11)
    assert_allclose(
        space.transport(*moved), space.transport(x, y, v) @ boost.T, atol=1e-11
    )
    assert_allclose(
        space.log_volume_density(*moved[:2]), space.log_volume_density(x, y), 1e-12
    )


@pytest.mark.parametrize("curvature", [-1.0, -3.0, -0.1])
def test_the_two_hyperbolic_models_agree(curvature):
    ball, sheet = PoincareBall(3, curvature), Hyperboloid(3, curvature)
    p, q = ball.random_point(20, random_state=0), ball.random_point(20, random_state=1)
    x, y = (poincare_to_hyperboloid(a, curvature=curvature) for a in (p, q))
    assert sheet.belongs(x, atol=1e-13).all()
    assert_allclose(hyperboloid_to_poincare(x, curvature=curvature), p, rtol=1e-13)
    assert_allclose(sheet.dist(x, y), ball.dist(p, q), rtol=1e-12)
    assert_allclose(
        sheet.log_volume_density(x, y), ball.log_volume_density(p, q), rtol=1e-12
    )
    middle = sheet.geodesic(x, y, 0.3)
    assert_allclose(
        hyperboloid_to_poincare(middle, curvature=curvature),
        ball.geodesic(p, q, 0.3),
        rtol=1e-11,
        atol=1e-13,
    )
    # Frames correspond, and with them transported coordinates.
    w = np.random.default_rng(0).standard_normal((20, 3))
    moved = [
        m.tangent_to_vector(b, m.transport(a, b, m.vector_to_tangent(a, w)))
        for m, a, b in [(ball, p, q), (sheet, x, y)]
    ]
    assert_allclose(moved[0], moved[1], rtol=1e-9, atol=1e-11)


def test_conversion_of_one_point_and_of_single_precision():
    point = np.array([0.25, -0.5], dtype=np.float32)
    lifted = poincare_to_hyperboloid(point)
    assert lifted.dtype == np.float32
    assert lifted.shape == (3,)
    assert_allclose(hyperboloid_to_poincare(lifted), point, rtol=1e-6)
    with pytest.raises(ValueError, match="inside the ball of radius 1"):
        poincare_to_hyperboloid([1.0, 0.0])
    with pytest.raises(ValueError, match="curvature must be a negative number"):
        hyperboloid_to_poincare([1.0, 0.0], curvature=1.0)


def test_far_points_of_the_two_models_convert_without_loss():
    radius = np.array([5.0, 10.0, 15.0])
    sheet = np.stack([np.cosh(radius), np.sinh(radius)], axis=1)
    ball = hyperboloid_to_poincare(sheet)[:, 0]
    assert_allclose(ball, np.tanh(radius / 2), rtol=1e-15)
    back = poincare_to_hyperboloid(ball[:, None])
    # 1 - |x| has lost eps / (1 - |x|), which is the ball's doing
    assert_allclose(back, sheet, rtol=1e-16 / (1 - ball[-1]))


def test_exp_at_the_edge_of_the_ball_warns_and_stays_inside():
    disk = PoincareBall(2)
    with pytest.warns(RuntimeWarning, match="Use Hyperboloid"):
        far = disk.exp([0.5, 0.0], [100.0, 0.0])
    assert disk.belongs(far)
    assert np.isfinite(disk.dist([0.0, 0.0], far))


def test_product_of_one_factor_is_the_factor():
    product, sphere = ProductManifold([Sphere(2)]), Sphere(2)
    x, y = (
        sphere.random_point(5, random_state=0),
        sphere.random_point(5, random_state=1),
    )
    v = sphere.random_tangent(x, random_state=2)
    assert_allclose(product.dist(x, y), sphere.dist(x, y), rtol=1e-15)
    assert np.array_equal(product.log(x, y), sphere.log(x, y))
    assert np.array_equal(product.exp(x, v), sphere.exp(x, v))
    assert np.array_equal(product.transport(x, y, v), sphere.transport(x, y, v))
    assert product.sectional_curvature_bounds == (1.0, 1.0)
    assert product.dim == 2


def test_product_adds_scaled_squares():
    sphere, plane = Sphere(2), Hyperboloid(2)
    product = ProductManifold([sphere, plane], scales=[2.0, 3.0])
    x, y = (
        product.random_point(5, random_state=0),
        product.random_point(5, random_state=1),
    )
    (a, p), (b, q) = product.split(x), product.split(y)
    assert a.shape == (5, 3)
    expected = np.sqrt(2 * sphere.dist(a, b) ** 2 + 3 * plane.dist(p, q) ** 2)
    assert_allclose(product.dist(x, y), expected, rtol=1e-14)
    density = sphere.log_volume_density(a, b) + plane.log_volume_density(p, q)
    assert_allclose(product.log_volume_density(x, y), density, rtol=1e-14)
    assert np.array_equal(product.join([a, p]), x)


def test_product_of_matrices_splits_into_matrices():
    product = ProductManifold([AffineInvariant(2), Sphere(1)])
    assert product.point_shape == (6,)
    matrices, directions = product.split(product.random_point(3, random_state=0))
    assert matrices.shape == (3, 2, 2)
    assert directions.shape == (3, 2)
    one = product.join([matrices, directions[0]])  # leading axes broadcast
    assert one.shape == (3, 6)
    with pytest.raises(ValueError, match="has 2 factors, got 1"):
        product.join([matrices])
    with pytest.raises(ValueError, match="last axis must have length 6"):
        product.split(np.zeros((3, 5)))
