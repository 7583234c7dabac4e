"""Free references: worked numbers, derivatives, invariances and limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from geolearn.decomposition import TangentPCA, affine_span_project
from geolearn.decomposition._bsa_free import free_references
from geolearn.decomposition._bsa_free_flag import Cloud, start_flag
from geolearn.decomposition._bsa_free_general import fit_general, span_gradient
from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    PoincareBall,
    Sphere,
    hyperboloid_to_poincare,
)

STRATEGIES = ["forward", "backward", "pure", "flag"]


def six_points():
    """Return six points of the sphere by longitude and latitude in degrees."""
    table = [(0, 0), (20, 10), (45, -5), (80, 5), (100, -15), (60, 40)]
    lon, lat = np.radians(np.array(table)).T
    columns = [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    return np.column_stack(columns)


# Computed once with independent optimisers from many starts, to the printed digits.
GOLDEN = {
    "forward": (0.436263309389, 0.081924923952),
    "flag": (0.436643344561, 0.080860792146),
}


@pytest.mark.parametrize("strategy", GOLDEN)
def test_six_points(strategy):
    fit = free_references(Sphere(2), six_points(), 1, strategy=strategy)
    np.testing.assert_allclose(fit.unexplained, GOLDEN[strategy], rtol=0, atol=6e-13)
    assert fit.converged


@pytest.mark.parametrize("strategy", ["pure", "backward"])
def test_best_great_circle_of_six_points(strategy):
    fit = free_references(Sphere(2), six_points(), 1, strategy=strategy)
    assert abs(fit.unexplained[1] - 0.080384828772) < 6e-13


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_euclidean_flags_are_those_of_principal_components(strategy):
    X = np.random.default_rng(0).normal(size=(50, 5)) * [3, 2, 1, 0.5, 0.2] + 7.0
    values = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    fit = free_references(Euclidean(5), X, 4, strategy=strategy)
    tails = [values[i:].sum() for i in range(5)]
    np.testing.assert_allclose(fit.unexplained, tails, rtol=1e-10)


SPACES = [
    Euclidean(4),
    Sphere(4),
    Sphere(3, radius=2.5),
    Hyperboloid(2),
    Hyperboloid(5, curvature=-0.3),
]


def cloud_on(manifold, n=30, scale=0.7, seed=0):
    """Return points of unequal spread, away from the origin of coordinates."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(n, manifold.dim)) * 0.7 ** np.arange(manifold.dim)
    start = manifold.exp_vector(manifold.origin, rng.normal(size=manifold.dim))
    return manifold.exp_vector(start, scale * manifold._length_scale * w)


@pytest.mark.parametrize("p", [2.0, 3.0, 1.0, 0.5])
@pytest.mark.parametrize("levels", [[0], [1], [2], [0, 1, 2]])
@pytest.mark.parametrize("space", [Euclidean(4), Sphere(4), Hyperboloid(4)], ids=repr)
def test_gradient_against_differences(space, levels, p):
    X = cloud_on(space)
    weight = np.random.default_rng(1).dirichlet(np.ones(len(X)))
    cloud = Cloud(space, X, weight, p, eps=0.1)
    frame = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    flag = cloud.at(X[0], frame)
    found = cloud.evaluate(flag, levels).gradient
    h = 1e-5
    for a in range(len(found)):
        for b in range(a + 1, 5):
            turns = np.zeros(found.shape)
            turns[a, b] = h
            up = cloud.evaluate(cloud.turn(flag, turns), levels).value
            down = cloud.evaluate(cloud.turn(flag, -turns), levels).value
            assert abs((up - down) / (2 * h) - found[a, b]) < 1e-8


@pytest.mark.parametrize("space", [Euclidean(4), Sphere(4), Hyperboloid(4)], ids=repr)
def test_turns_keep_the_basis_orthonormal(space):
    cloud = Cloud(space, cloud_on(space), np.full(30, 1 / 30), 2.0)
    flag = start_flag(cloud, cloud.X[0])
    rng = np.random.default_rng(0)
    for _ in range(20):
        flag = cloud.turn(flag, np.triu(0.3 * rng.normal(size=(3, 5)), 1))
    np.testing.assert_allclose(flag.frame.T @ flag.frame, np.eye(4), atol=1e-13)
    exact = cloud.at(flag.base, flag.frame)
    np.testing.assert_allclose(flag.Y, exact.Y, atol=1e-12)


@pytest.mark.parametrize("p", [2.0, 1.0])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_unexplained_is_that_of_the_references(space, strategy, p):
    X = cloud_on(space)
    k = min(2, space.dim - 1)
    fit = free_references(space, X, k, strategy=strategy, p=p)
    assert fit.converged
    assert fit.references.shape == (k + 1, *space.point_shape)
    for i in range(k + 1):
        if i == 0:
            d = space.dist(fit.references[0], X)
        else:
            d = affine_span_project(space, X, fit.references[: i + 1]).distance
        np.testing.assert_allclose(np.mean(d**p), fit.unexplained[i], rtol=1e-8)
    assert np.all(np.diff(fit.unexplained) < 0.0)


@pytest.mark.parametrize(
    ("space", "p"),
    [*((space, 2.0) for space in SPACES), (SPACES[0], 1.0), (SPACES[1], 0.5)],
    ids=repr,
)
def test_each_strategy_is_best_at_its_own(space, p):
    X = cloud_on(space, n=20)
    k = min(2, space.dim - 1)
    U = {
        s: free_references(space, X, k, strategy=s, p=p, random_state=0).unexplained
        for s in STRATEGIES
    }
    slack = 1.0 + (1e-7 if p == 2.0 else 1e-5)  # smoothed distances
    for other in U.values():
        assert U["forward"][0] <= other[0] * slack
        assert U["pure"][k] <= other[k] * slack
        assert U["flag"].sum() <= other.sum() * slack
    np.testing.assert_array_equal(U["pure"], U["backward"])


@pytest.mark.parametrize("strategy", ["pure", "flag"])
@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_no_random_span_is_better(space, strategy):
    X = cloud_on(space, scale=0.5)
    fit = free_references(space, X, 1, strategy=strategy)
    rng = np.random.default_rng(0)
    for size in (0.3, 1e-2, 1e-3):
        for _ in range(10):
            w = size * space._length_scale * rng.normal(size=(2, space.dim))
            moved = space.exp_vector(fit.references, w)
            d = affine_span_project(space, X, moved).distance
            value, best = np.mean(d**2), fit.unexplained[1]
            if strategy == "flag":
                value += np.mean(space.dist(moved[0], X) ** 2)
                best += fit.unexplained[0]
            assert value >= best * (1.0 - 1e-12)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rotations_change_nothing(strategy):
    X = cloud_on(Sphere(4))
    Q = np.linalg.qr(np.random.default_rng(3).normal(size=(5, 5)))[0]
    a = free_references(Sphere(4), X, 2, strategy=strategy)
    b = free_references(Sphere(4), X @ Q.T, 2, strategy=strategy)
    np.testing.assert_allclose(a.unexplained, b.unexplained, rtol=1e-10)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_boosts_change_nothing(strategy):
    X = cloud_on(Hyperboloid(3))
    boost = np.eye(4)
    boost[:2, :2] = [[np.cosh(1.5), np.sinh(1.5)], [np.sinh(1.5), np.cosh(1.5)]]
    a = free_references(Hyperboloid(3), X, 2, strategy=strategy)
    b = free_references(Hyperboloid(3), X @ boost, 2, strategy=strategy)
    np.testing.assert_allclose(a.unexplained, b.unexplained, rtol=1e-9)


@given(
    scale=st.floats(0.1, 10.0),
    p=st.sampled_from([2.0, 3.0, 1.0]),
    sign=st.sampled_from([-1, 0, 1]),
)
@settings(max_examples=15)
def test_lengths_scale(scale, p, sign):
    kinds = {
        1: (Sphere(3), Sphere(3, radius=scale)),
        0: (Euclidean(3), Euclidean(3)),
        -1: (Hyperboloid(3), Hyperboloid(3, curvature=-1.0 / scale**2)),
    }
    one, other = kinds[sign]
    X = cloud_on(one)
    a = free_references(one, X, 1, p=p)
    b = free_references(other, scale * X, 1, p=p)
    np.testing.assert_allclose(b.unexplained, scale**p * a.unexplained, rtol=1e-7)


@pytest.mark.parametrize("p", [2.0, 1.0, 0.5])
def test_weights_count_samples(p):
    X = cloud_on(Sphere(3), n=10)
    weight = np.array([0, 3, 1, 2, 1, 1, 2, 0, 1, 1])
    a = free_references(Sphere(3), X, 1, p=p, sample_weight=weight)
    b = free_references(Sphere(3), np.repeat(X, weight, axis=0), 1, p=p)
    np.testing.assert_allclose(a.unexplained, b.unexplained, rtol=1e-6)


def spread_on_s4(c):
    """Return 200 points of S^4 with tangent standard deviations c (1, .6, .35, .2)."""
    w = c * np.random.default_rng(0).normal(size=(200, 4)) * [1.0, 0.6, 0.35, 0.2]
    return Sphere(4).exp_vector(Sphere(4).origin, w)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_small_clouds_are_flat(strategy):
    for c, bound in ((0.05, 2e-3), (0.005, 2e-5), (5e-7, 1e-8)):
        X = spread_on_s4(c)
        L = Sphere(4).log_vector(Sphere(4).frechet_mean(X), X)
        values = np.linalg.svd(L)[1] ** 2 / 200
        tails = [values[i:].sum() for i in range(4)]
        fit = free_references(Sphere(4), X, 3, strategy=strategy)
        np.testing.assert_allclose(fit.unexplained, tails, rtol=bound)


def test_wide_clouds_leave_less_than_their_tangents():
    X = spread_on_s4(0.8)
    L = Sphere(4).log_vector(Sphere(4).frechet_mean(X, n_init=3), X)
    values = np.linalg.svd(L)[1] ** 2 / 200
    fit = free_references(Sphere(4), X, 3)
    assert 1.2 < values[1:].sum() / fit.unexplained[1] < 1.4


@pytest.mark.parametrize("space", [Sphere(2), Hyperboloid(2), Euclidean(2)], ids=repr)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_points_of_one_geodesic_are_explained(space, strategy):
    X = space.geodesic(*cloud_on(space, n=2), np.linspace(-0.5, 1.5, 9))
    fit = free_references(space, X, 1, strategy=strategy)
    assert fit.unexplained[1] < 1e-24


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_full_dimension_and_one_point(space):
    X = cloud_on(space, scale=0.3)
    fit = free_references(space, X, space.dim)
    assert fit.unexplained[-1] == 0.0
    assert fit.references.shape == (space.dim + 1, *space.point_shape)
    mean = space.frechet_mean(X, tol=1e-12)
    for strategy in STRATEGIES:
        fit = free_references(space, X, 0, strategy=strategy)
        assert space.dist(fit.references[0], mean) < 1e-7 * space._length_scale


def test_medians_sit_on_repeated_points():
    rng = np.random.default_rng(0)
    X = Sphere(2).random_normal(9, scale=0.5, random_state=0)
    heap = np.tile(X[:1], (10, 1))  # more than half: the geometric median
    fit = free_references(Sphere(2), np.concatenate([heap, X[1:]]), 0, p=1.0)
    assert Sphere(2).dist(fit.references[0], X[0]) < 1e-6
    # A third in each of two heaps, the rest about: powers below 1 go through both.
    line = np.concatenate([np.tile(X[:1], (10, 1)), np.tile(X[1:2], (10, 1))])
    noise = Sphere(2).random_point(10, random_state=rng.integers(99))
    fit = free_references(
        Sphere(2), np.concatenate([line, noise]), 1, p=0.5, strategy="pure"
    )
    d = affine_span_project(Sphere(2), X[:2], fit.references).distance
    assert np.max(d) < 1e-6


def test_balls_and_flat_metrics_are_their_models():
    X = cloud_on(Hyperboloid(3))
    a = free_references(Hyperboloid(3), X, 1)
    b = free_references(PoincareBall(3), hyperboloid_to_poincare(X), 1)
    np.testing.assert_allclose(a.unexplained, b.unexplained, rtol=1e-9)
    np.testing.assert_allclose(
        hyperboloid_to_poincare(a.references), b.references, atol=1e-7
    )
    logs = np.random.default_rng(0).normal(size=(20, 3)) * [2.0, 1.0, 0.5]
    matrices = np.exp(logs)[:, :, None] * np.eye(3)
    a = free_references(Euclidean(3), logs, 1, p=1.0)
    b = free_references(SPD(3, metric="log-euclidean"), matrices, 1, p=1.0)
    np.testing.assert_allclose(a.unexplained, b.unexplained, rtol=1e-9)


@pytest.mark.parametrize("p", [2.0, 1.0])
@pytest.mark.parametrize("manifold", [SPD(2), Sphere(3)], ids=repr)
def test_general_gradient_against_differences(manifold, p):
    rng = np.random.default_rng(0)
    X = manifold.exp_vector(manifold.origin, 0.3 * rng.normal(size=(8, 3)))
    R = manifold.exp_vector(manifold.origin, 0.5 * rng.normal(size=(2, 3)))
    weight = np.full(8, 1 / 8)
    G = manifold.tangent_to_vector(R, span_gradient(manifold, X, R, weight, p)[1])
    h = 1e-5
    for i in range(2):
        for e in h * np.eye(3):
            values = []
            for sign in (1.0, -1.0):
                moved = R.copy()
                moved[i] = manifold.exp_vector(R[i], sign * e)
                values.append(span_gradient(manifold, X, moved, weight, p)[0])
            slope = (values[0] - values[1]) / (2 * h)
            assert abs(slope - G[i] @ e / h) < 1e-8


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_general_route_agrees_with_closed_forms(strategy):
    X = cloud_on(Sphere(2), n=12, scale=0.5)
    weight = np.full(12, 1 / 12)
    ours = fit_general(Sphere(2), X, 1, strategy, 2.0, weight, 200, 1e-10)
    exact = free_references(Sphere(2), X, 1, strategy=strategy)
    level = 0 if strategy == "forward" else 1
    if strategy == "flag":
        a, b = ours.unexplained.sum(), exact.unexplained.sum()
    else:
        a, b = ours.unexplained[level], exact.unexplained[level]
    np.testing.assert_allclose(a, b, rtol=1e-4)


def test_affine_invariant_references():
    w = 0.5 * np.random.default_rng(0).normal(size=(10, 3)) * [1.0, 0.6, 0.3]
    X = SPD(2).exp_vector(SPD(2).origin, w)
    forward = free_references(SPD(2), X, 1)
    pure = free_references(SPD(2), X, 1, strategy="pure")
    assert pure.unexplained[1] <= forward.unexplained[1]
    tangent = TangentPCA(1, manifold="spd").fit(X)
    assert forward.unexplained[1] <= -tangent.score(X)


def test_what_is_refused():
    X = cloud_on(Sphere(3))
    with pytest.raises(ValueError, match="strategy='forward_backward'"):
        free_references(Sphere(3), X, 1, strategy="forward_backward")
    with pytest.raises(ValueError, match="n_components=4 must be at most"):
        free_references(Sphere(3), X, 4)
    with pytest.warns(ConvergenceWarning, match="max_iter=1 steps"):
        fit = free_references(Sphere(3), X, 1, max_iter=1)
    assert not fit.converged
