"""Riemannian Adam against plain Adam, a slow reference and the invariances."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    PoincareBall,
    ProductManifold,
    Sphere,
    convert_hyperbolic,
)
from geolearn.optimize import RiemannianAdam
from tests.reference.product_embedding import adam_on_a_line, riemannian_adam

pytestmark = pytest.mark.kernels

MANIFOLDS = {
    "flat": Euclidean(3),
    "hyperboloid": Hyperboloid(2),
    "steep": Hyperboloid(3, curvature=-4.0),
    "sphere": Sphere(2),
    "small_sphere": Sphere(3, radius=0.5),
    "product": ProductManifold(
        [Hyperboloid(2, curvature=-0.25), Euclidean(2), Sphere(2, radius=2.0)],
        scales=[1.0, 3.0, 0.5],
    ),
    "nested": ProductManifold(
        [ProductManifold([Sphere(1), Euclidean(1)], scales=[2.0, 1.0]), Hyperboloid(2)],
        scales=[0.5, 1.0],
    ),
    "ball": PoincareBall(2),
    "spd": SPD(2),
    "mixed": ProductManifold([PoincareBall(2), Sphere(2)]),
}
COMPILED = ["flat", "hyperboloid", "steep", "sphere", "small_sphere", "product"]


def gradients(manifold, X, t):
    """Return tangent vectors that depend on the points and the step only."""
    rng = np.random.default_rng(t)
    ambient = rng.normal(size=X.shape) + 0.5
    if X.ndim == 3:
        ambient = ambient + np.swapaxes(ambient, 1, 2)
    return manifold.project_tangent(X, ambient)


def run(adam, X, n_steps=30, rate=None):
    for t in range(n_steps):
        X = adam.step(X, gradients(adam.manifold, X, t), learning_rate=rate)
    return X


@pytest.mark.parametrize("amsgrad", [False, True])
def test_a_line_is_adam(amsgrad):
    rng = np.random.default_rng(0)
    x, gradient = rng.normal(size=(7, 1)), rng.normal(size=(50, 7, 1))
    adam = RiemannianAdam(Euclidean(1), learning_rate=0.05, amsgrad=amsgrad)
    y = x
    for g in gradient:
        y = adam.step(y, g)
    expected = adam_on_a_line(x, gradient, rate=0.05, amsgrad=amsgrad)
    assert_allclose(y, expected, rtol=1e-13)


def test_first_steps_by_hand():
    # t = 1: m / (1 - beta_1) = g and v / (1 - beta_2) = g^2: a step of the rate.
    # t = 2 with g = 2, -1: m = (0.09 * 2 - 0.1) / 0.19... written out.
    adam = RiemannianAdam(Euclidean(1), learning_rate=0.1)
    x = adam.step([[1.0]], [[2.0]])
    assert_allclose(x, [[0.9]], atol=1e-9)
    x = adam.step(x, [[-1.0]])
    m, v = (0.9 * 0.2 - 0.1) / 0.19, (0.999 * 0.004 + 0.001) / (1 - 0.999**2)
    assert_allclose(x, [[0.9 - 0.1 * m / np.sqrt(v)]], atol=1e-9)


@pytest.mark.parametrize("name", MANIFOLDS)
@pytest.mark.parametrize("amsgrad", [False, True])
def test_slow_reference(name, amsgrad):
    manifold = MANIFOLDS[name]
    X = manifold.random_point(6, random_state=0)
    adam = RiemannianAdam(manifold, learning_rate=0.03, amsgrad=amsgrad)
    expected = riemannian_adam(
        manifold, X, lambda x, t: gradients(manifold, x, t), 30, 0.03, amsgrad=amsgrad
    )
    assert_allclose(run(adam, X), expected, rtol=1e-9, atol=1e-11)
    assert adam.n_steps_ == 30


@pytest.mark.parametrize("name", COMPILED)
def test_points_stay_on_the_manifold_and_moments_tangent(name):
    manifold = MANIFOLDS[name]
    X = manifold.random_point(20, random_state=1)
    before = X.copy()
    adam = RiemannianAdam(manifold, learning_rate=0.1)
    Y = run(adam, X)
    assert_array_equal(X, before)
    assert manifold.belongs(Y, atol=1e-14).all()
    m = adam.first_moment_
    assert_allclose(manifold.project_tangent(Y, m), m, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", COMPILED)
def test_the_moment_is_transported_along_the_step(name):
    manifold = MANIFOLDS[name]
    X = manifold.random_point(20, random_state=1)
    g = gradients(manifold, X, 0)
    adam = RiemannianAdam(manifold, learning_rate=0.4)
    Y = adam.step(X, g)
    expected = manifold.transport(X, Y, 0.1 * g)
    assert_allclose(adam.first_moment_, expected, rtol=1e-10, atol=1e-11)


def test_the_first_step_has_the_length_of_the_rate():
    manifold = MANIFOLDS["product"]
    X = manifold.random_point(9, random_state=0)
    Y = RiemannianAdam(manifold, learning_rate=0.2).step(X, gradients(manifold, X, 0))
    parts = zip(manifold.manifolds, manifold.split(X), manifold.split(Y), strict=True)
    for (factor, x, y), scale in zip(parts, manifold.scales, strict=True):
        # In the metric of the factor in the product, of length sqrt(scale) d, the
        # vector 0.2 g / |g| has length 0.2.
        assert_allclose(np.sqrt(scale) * factor.dist(x, y), 0.2, rtol=1e-6)


def test_ball_and_hyperboloid_take_the_same_steps():
    plane, ball = Hyperboloid(2), PoincareBall(2)
    X = plane.random_point(5, random_state=0)
    target = plane.random_point(5, random_state=1)
    P, T = (convert_hyperbolic(x, "hyperboloid", "poincare") for x in (X, target))
    a, b = (RiemannianAdam(m, learning_rate=0.05) for m in (plane, ball))
    for _ in range(20):
        X, P = a.step(X, -plane.log(X, target)), b.step(P, -ball.log(P, T))
    assert_allclose(convert_hyperbolic(X, "hyperboloid", "poincare"), P, rtol=1e-8)


def test_far_out_steps_keep_their_length():
    plane = Hyperboloid(2)
    x = plane.exp(plane.origin, [0.0, 12.0, 9.0])  # radius 15
    g = plane.vector_to_tangent(x, [0.3, -0.4])
    y = RiemannianAdam(plane, learning_rate=0.25).step(x, g)
    # A rounding of the coordinates is exp(15) eps = 4e-10 long there.
    assert_allclose(plane.dist(x, y), 0.25, rtol=1e-7)


@pytest.mark.parametrize("name", ["product", "mixed"])
def test_threads_do_not_change_a_bit(name):
    manifold = MANIFOLDS[name]
    X = manifold.random_point(101, random_state=0)
    one = run(RiemannianAdam(manifold, n_jobs=1), X)
    two = run(RiemannianAdam(manifold, n_jobs=2), X)
    assert_array_equal(one, two)


def test_points_do_not_see_each_other():
    manifold = MANIFOLDS["product"]
    X = manifold.random_point(4, random_state=0)
    g = gradients(manifold, X, 0)
    together = RiemannianAdam(manifold).step(X, g)
    for i in range(4):
        assert_array_equal(RiemannianAdam(manifold).step(X[i], g[i]), together[i])


def test_pickled_in_the_middle():
    manifold = MANIFOLDS["product"]
    X = manifold.random_point(4, random_state=0)
    adam = RiemannianAdam(manifold)
    X = run(adam, X, 3)
    copy = pickle.loads(pickle.dumps(adam))
    assert_array_equal(run(adam, X, 3), run(copy, X, 3))


def test_minimize_finds_a_mean_and_keeps_the_best():
    manifold = MANIFOLDS["product"]
    data = manifold.exp(
        manifold.origin,
        0.3 * gradients(manifold, np.tile(manifold.origin, (15, 1)), 3),
    )

    def objective(x):
        loss = float(np.sum(manifold.dist(x, data) ** 2))
        return loss, -2.0 * manifold.log(x, data).sum(axis=0)

    adam = RiemannianAdam(manifold, learning_rate=0.1)
    seen = []
    result = adam.minimize(
        objective,
        manifold.origin,
        n_decays=6,
        max_iter=3000,
        tol=1e-9,
        callback=lambda n, loss: seen.append((n, loss)),
    )
    assert result.converged
    assert result.loss == result.loss_curve.min() == objective(result.point)[0]
    assert [n for n, _ in seen] == list(range(1, result.n_iter + 1))
    mean = manifold.frechet_mean(data)
    assert manifold.dist(result.point, mean) < 1e-5


def test_minimize_stops_at_max_iter_and_at_the_target():
    line = Euclidean(1)
    adam = RiemannianAdam(line)
    result = adam.minimize(lambda x: (float(x[0] ** 2), 2.0 * x), [1.0], max_iter=7)
    assert (result.n_iter, result.converged) == (7, False)
    assert adam.n_steps_ == 6
    result = adam.minimize(lambda x: (float(x[0] ** 2), 2.0 * x), [1.0], target=0.9)
    assert result.converged
    assert result.loss <= 0.9 < result.loss_curve[-2]


def test_burn_in_takes_a_tenth():
    line = Euclidean(1)
    points = []

    def objective(x):
        points.append(x[0])
        return float(x[0]), np.ones(1)

    adam = RiemannianAdam(line, learning_rate=0.1)
    adam.minimize(objective, [0.0], max_iter=5, burn_in=2)
    assert_allclose(np.diff(points), [-0.01, -0.01, -0.1, -0.1], rtol=1e-6)


def test_kinks_need_decays():
    # |x - 1/3| from 0 at rate 0.1: a constant rate stays about a step away.
    adam = RiemannianAdam(Euclidean(1), learning_rate=0.1)

    def objective(x):
        return float(abs(x[0] - 1 / 3)), np.sign(x - 1 / 3)

    fine = adam.minimize(objective, [0.0], n_decays=6, max_iter=5000)
    assert fine.converged
    assert fine.loss < 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"betas": (0.9, 1.0)}, "betas=.* in \\[0, 1\\)"),
        ({"betas": (0.9,)}, "betas=.*two numbers"),
        ({"epsilon": -1.0}, "epsilon must be positive"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        RiemannianAdam(Euclidean(1), **options)


def test_bad_calls():
    with pytest.raises(TypeError, match="manifold must be a Manifold"):
        RiemannianAdam("sphere")
    adam = RiemannianAdam(Euclidean(2))
    with pytest.raises(ValueError, match="one tangent vector for each point"):
        adam.step(np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="gradient contains NaN or infinity"):
        adam.step(np.zeros(2), [np.nan, 0.0])
    adam.step(np.zeros((3, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="call reset"):
        adam.step(np.zeros((4, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="The loss is nan after 0 steps"):
        adam.minimize(lambda x: (np.nan, x), np.zeros(2))
