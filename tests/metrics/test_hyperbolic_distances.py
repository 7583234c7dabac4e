"""Distances of three models, and their accuracy far from the origin."""

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.manifolds import KleinBall, convert_hyperbolic
from geolearn.metrics import hyperbolic_distances, pairwise_distances

pytestmark = pytest.mark.kernels

MODELS = ("hyperboloid", "poincare", "klein")


def cloud(n, radius, seed=0, dim=3, curvature=-1.0):
    """Points of the hyperboloid at radii up to `radius` radii of curvature."""
    rng = np.random.default_rng(seed)
    direction = rng.standard_normal((n, dim))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    r = rng.uniform(0.0, radius, (n, 1))
    return np.hstack([np.cosh(r), np.sinh(r) * direction]) / np.sqrt(-curvature)


def exact(X, Y):
    """Distances on the unit hyperboloid from spatial columns, to 60 digits."""
    with mpmath.workdps(60):

        def lift(x):
            space = [mpmath.mpf(float(value)) for value in x[1:]]
            return [mpmath.sqrt(1 + sum(v * v for v in space)), *space]

        def product(x, y):
            return x[0] * y[0] - sum(a * b for a, b in zip(x[1:], y[1:], strict=True))

        X, Y = [lift(x) for x in X], [lift(y) for y in Y]
        table = [[mpmath.acosh(max(product(x, y), 1)) for y in Y] for x in X]
        return np.array([[float(d) for d in row] for row in table])


# Radius and largest absolute error wanted.
@pytest.mark.parametrize(
    ("radius", "bound"), [(9, 3e-14), (16, 4e-11), (24, 9e-9), (32, 3e-5)]
)
@pytest.mark.parametrize("kind", ["apart", "bundle"])
def test_accuracy_on_the_hyperboloid(radius, bound, kind):
    rng = np.random.default_rng(0)
    direction = rng.standard_normal((12, 3))
    r = np.full((12, 1), float(radius))
    if kind == "bundle":  # rays that part at all depths, as in embeddings of trees
        depth = rng.uniform(0.0, radius, (12, 1))
        direction = np.array([1.0, 0.3, 0.2]) + np.exp(-depth) * direction
        r = rng.uniform(0.5 * radius, radius, (12, 1))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    X = np.hstack([np.cosh(r), np.sinh(r) * direction])
    error = np.abs(hyperbolic_distances(X) - exact(X, X))
    assert error.max() < bound


@pytest.mark.parametrize("curvature", [-1.0, -0.3, -5.0])
def test_models_agree(curvature):
    X = cloud(12, 5.0, curvature=curvature)
    Y = cloud(7, 5.0, seed=1, curvature=curvature)
    root = np.sqrt(-curvature)
    expected = exact(root * X, root * Y) / root
    for model in MODELS:
        points, others = (
            convert_hyperbolic(A, "hyperboloid", model, curvature) for A in (X, Y)
        )
        options = {"model": model, "curvature": curvature}
        D = hyperbolic_distances(points, others, **options)
        # Klein coordinates are rounded by 1e-16 exp(2 r) = 2e-12
        assert_allclose(D, expected, rtol=1e-10, atol=1e-11 / root)
        within = hyperbolic_distances(points, **options)
        assert_array_equal(within, within.T)
        assert_array_equal(np.diag(within), 0.0)
        two = hyperbolic_distances(points, n_jobs=2, **options)
        assert_array_equal(within, two)


def test_klein_matches_the_manifold_near_and_far():
    ball = KleinBall(2)
    rng = np.random.default_rng(0)
    X = 0.99 * ball.project(rng.uniform(-0.7, 0.7, (10, 2)))
    Y = X + 1e-9 * rng.standard_normal(X.shape)
    D = hyperbolic_distances(X, Y, model="klein")
    assert_allclose(D, ball.dist(X[:, None], Y[None]), rtol=1e-13)
    assert hyperbolic_distances([[0.3, 0.1]], [[0.3, 0.1]], model="klein")[0, 0] == 0.0


@pytest.mark.parametrize("model", ["hyperboloid", "poincare"])
def test_the_registered_metrics_are_used(model):
    X = convert_hyperbolic(cloud(6, 3.0), "hyperboloid", model)
    assert_array_equal(
        hyperbolic_distances(X, model=model), pairwise_distances(X, metric=model)
    )


@pytest.mark.parametrize(
    ("X", "options", "error", "message"),
    [
        ([[0.0, 0.0]], {"model": "half-plane"}, ValueError, "model='half-plane'"),
        ([[0.6, 0.8], [1.0, 1.0]], {"model": "klein"}, ValueError, "2 points of X"),
        ([[0.6, np.nan]], {"model": "klein"}, ValueError, "NaN"),
        ([0.6, 0.1], {"model": "klein"}, ValueError, "reshape"),
        ([[0.1]], {"model": "klein", "curvature": 1.0}, ValueError, "negative"),
        ([[0.1]], {"model": "klein", "curvature": "a"}, TypeError, "number"),
        ([[0.1]], {"model": "klein", "Y": [[0.1, 0.2]]}, ValueError, "one space"),
        ([[3.0, 0.0]], {}, ValueError, "X"),
        ([[3.0, 0.0]], {"model": "poincare"}, ValueError, "X"),
    ],
)
def test_bad_input(X, options, error, message):
    with pytest.raises(error, match=message):
        hyperbolic_distances(X, **options)
