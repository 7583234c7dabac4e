"""Searches in constant curvature: brute force, worked numbers, invariances, limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.decomposition import _bsa_search
from geolearn.decomposition._bsa_search import (
    GramProblem,
    VectorProblem,
    sample_problem,
    search_samples,
)
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, PoincareBall, Sphere
from tests.reference import barycentric_search as slow

pytestmark = pytest.mark.kernels

SPACES = [
    Euclidean(3),
    Sphere(2),
    Sphere(4, radius=2.0),
    Hyperboloid(2),
    Hyperboloid(5, curvature=-0.5),
]
POWERS = (2.0, 1.0, 0.5, 0.1, 3.0)
STRATEGIES = ("forward", "backward", "pure", "flag", "forward_backward")


def points(manifold, n, seed=0):
    """Return points of moderate spread; on the sphere some are far away."""
    if isinstance(manifold, Sphere):
        return manifold.random_point(n, random_state=seed)
    return manifold.random_normal(n, scale=0.8, random_state=seed)


def six_points():
    """Return the six points of the sphere of the specification."""
    degrees = [(0, 0), (20, 10), (45, -5), (80, 5), (100, -15), (60, 40)]
    a, b = np.deg2rad(degrees).T
    return np.column_stack([np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)])


def by_hand(table, k, strategy):
    if strategy == "forward_backward":
        n, dim = len(table.usable), table.manifold.dim
        longest = max(k, n - 1 if n <= dim + 1 else dim - 1)
        return slow.backward(table, k, slow.forward(table, longest))
    return getattr(slow, strategy)(table, k)


# Specification, section 6, item 7.
WORKED = {
    (2.0, "forward"): ([2, 0], [0.479534867, 0.125709333423]),
    (2.0, "flag"): ([2, 0], [0.479534867, 0.125709333423]),
    (2.0, "pure"): ([1, 3], [0.708460473, 0.080558280744]),
    (2.0, "backward"): ([3, 1], [0.691757577, 0.080558280744]),
    (1.0, "forward"): ([2, 0], [None, 0.227875958039]),
    (1.0, "pure"): ([1, 3], [None, 0.209413937716]),
    (1.0, "backward"): ([1, 3], [None, 0.209413937716]),
}


@pytest.mark.parametrize("precomputed", [False, True])
@pytest.mark.parametrize("key", WORKED, ids=str)
def test_worked_numbers(key, precomputed):
    p, strategy = key
    problem = VectorProblem(six_points(), Sphere(2))
    problem = problem.gram() if precomputed else problem
    found = search_samples(problem, 1, strategy=strategy, p=p)
    indices, values = WORKED[key]
    assert found.indices.tolist() == indices
    if values[0] is not None:
        assert_allclose(found.unexplained[0], values[0], atol=6e-10)
    assert_allclose(found.unexplained[1], values[1], atol=6e-13)
    assert found.converged


def test_single_points_of_the_worked_example():
    U = [1.189602163, 0.708460473, 0.479534867, 0.691757577, 1.27201996, 0.755461031]
    problem = VectorProblem(six_points(), Sphere(2))
    found = [np.mean(problem.residuals([i]) ** 2) for i in range(6)]
    assert_allclose(found, U, atol=6e-10)


@pytest.mark.parametrize("vectors", [False, True], ids=["table", "vectors"])
@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("manifold", SPACES, ids=str)
def test_brute_force(manifold, p, vectors, monkeypatch):
    if vectors:
        monkeypatch.setattr(_bsa_search, "GRAM_MAX", 0)
    X = points(manifold, 9, seed=int(10 * p))
    weight = np.random.default_rng(0).uniform(0.2, 1.0, 9)
    weight[4] = 0.0
    table = slow.Table(manifold, X, weight, p)
    problem = VectorProblem(X, manifold)
    for k in range(min(3, manifold.dim)):
        for strategy in STRATEGIES:
            found = search_samples(
                problem, k, strategy=strategy, p=p, sample_weight=weight
            )
            expected = by_hand(table, k, strategy)
            assert found.indices.tolist() == expected, (k, strategy)
            assert_allclose(found.unexplained, table.nested(expected), rtol=1e-8)
            exact = strategy in ("pure", "backward", "flag")
            assert found.search == ("exhaustive" if exact else "greedy")


def test_four_references():
    manifold, k = Hyperboloid(5, curvature=-0.5), 3
    X = points(manifold, 9, 3)
    table = slow.Table(manifold, X, np.ones(9), 1.0)
    for strategy in ("pure", "flag", "backward"):
        found = search_samples(VectorProblem(X, manifold), k, strategy=strategy, p=1.0)
        assert found.indices.tolist() == by_hand(table, k, strategy)


@pytest.mark.parametrize("manifold", SPACES[:3], ids=str)
def test_first_pair(manifold):
    X = points(manifold, 10, seed=5)
    table = slow.Table(manifold, X, np.ones(10), 2.0)
    found = search_samples(VectorProblem(X, manifold), 2, first="pair")
    assert found.indices.tolist() == slow.forward(table, 2, "pair")
    alone = search_samples(VectorProblem(X, manifold), 0, first="pair")
    assert alone.indices.tolist() == slow.forward(table, 0)


@settings(max_examples=15)
@given(
    st.sampled_from(SPACES),
    st.sampled_from(POWERS),
    st.integers(1, 3),
    st.integers(0, 1000),
)
def test_order_of_the_strategies(manifold, p, k, seed):
    problem = VectorProblem(points(manifold, 10, seed), manifold)
    found = {
        s: search_samples(problem, k, strategy=s, p=p).unexplained for s in STRATEGIES
    }
    for values in found.values():
        assert np.all(np.diff(values) <= 1e-12 * values[0])
        assert found["pure"][-1] <= values[-1] + 1e-10 * values[0]
        assert found["flag"].sum() <= values.sum() * (1.0 + 1e-10)


@settings(max_examples=15)
@given(st.sampled_from(SPACES), st.sampled_from(POWERS), st.integers(0, 1000))
def test_greedy_search_ends_where_no_exchange_helps(manifold, p, seed):
    k = min(2, manifold.dim - 1)
    X = points(manifold, 12, seed)
    problem, table = VectorProblem(X, manifold), slow.Table(manifold, X, np.ones(12), p)
    for strategy, value in (("pure", table), ("flag", lambda o: table.nested(o).sum())):
        found = search_samples(problem, k, strategy=strategy, search="greedy", p=p)
        best = search_samples(problem, k, strategy=strategy, search="exhaustive", p=p)
        order = found.indices.tolist()
        assert found.search == "greedy"
        assert found.converged
        assert value(best.indices) <= value(order) * (1.0 + 1e-9)
        for i in range(k + 1):
            for c in set(range(12)) - set(order):
                assert (
                    value([*order[:i], c, *order[i + 1 :]]) > value(order) * 0.9999999
                )
    forward, backward = (
        search_samples(problem, k, strategy=s, search="greedy", p=p).unexplained
        for s in ("forward", "backward")
    )
    assert found.unexplained.sum() <= forward.sum() * (1.0 + 1e-9)
    assert found.unexplained.sum() <= backward.sum() * (1.0 + 1e-9)


@given(st.sampled_from(SPACES), st.sampled_from(STRATEGIES), st.integers(0, 1000))
def test_weights_are_repetitions(manifold, strategy, seed):
    rng = np.random.default_rng(seed)
    X, times = points(manifold, 8, seed), rng.integers(0, 4, 8)
    times[:3] = 1
    repeated = np.repeat(np.arange(8), times)
    one = search_samples(
        VectorProblem(X, manifold), 1, strategy=strategy, sample_weight=times
    )
    two = search_samples(VectorProblem(X[repeated], manifold), 1, strategy=strategy)
    assert_array_equal(one.indices, repeated[two.indices])
    assert_allclose(one.unexplained, two.unexplained, rtol=1e-9, atol=1e-14)


@given(st.sampled_from(SPACES), st.sampled_from(STRATEGIES), st.integers(0, 1000))
def test_permuted_samples(manifold, strategy, seed):
    X = points(manifold, 11, seed)
    order = np.random.default_rng(seed).permutation(11)
    one = search_samples(VectorProblem(X, manifold), 1, strategy=strategy, p=1.0)
    two = search_samples(VectorProblem(X[order], manifold), 1, strategy=strategy, p=1.0)
    assert_allclose(one.unexplained[-1], two.unexplained[-1], rtol=1e-9)
    if strategy != "pure":  # whose order is that of the samples
        assert_array_equal(one.indices, order[two.indices])


@pytest.mark.parametrize("manifold", SPACES, ids=str)
def test_distances_and_products_serve_as_well_as_points(manifold):
    X = points(manifold, 12, seed=1)
    D = manifold.pairwise_distances(X)
    curvature = manifold.sectional_curvature_bounds[0]
    angle = D * abs(curvature) ** 0.5
    K = {1: np.cos, 0: lambda a: X @ X.T, -1: lambda a: -np.cosh(a)}
    problems = [
        VectorProblem(X, manifold),
        GramProblem.from_distances(D, curvature),
        GramProblem(K[int(np.sign(curvature))](angle), curvature),
    ]
    for strategy in STRATEGIES:
        one, *others = (search_samples(q, 1, strategy=strategy) for q in problems)
        for other in others:
            assert_array_equal(one.indices, other.indices)
            assert_allclose(one.unexplained, other.unexplained, rtol=1e-7)


def test_distances_keep_the_digits_of_tight_clusters():
    manifold = Sphere(3)
    center = manifold.origin
    v = 1e-7 * np.random.default_rng(0).normal(size=(12, 3))
    X = manifold.exp_vector(center, v)
    flat = search_samples(VectorProblem(v, Euclidean(3)), 2, strategy="pure")
    D = Euclidean(3).pairwise_distances(v)
    for problem in (VectorProblem(X, manifold), GramProblem.from_distances(D, 1.0)):
        found = search_samples(problem, 2, strategy="pure")
        assert_array_equal(found.indices, flat.indices)
        assert_allclose(found.unexplained, flat.unexplained, rtol=1e-6)


@pytest.mark.parametrize("vectors", [False, True], ids=["table", "vectors"])
@pytest.mark.parametrize("p", POWERS)
def test_threads_change_nothing(p, vectors, monkeypatch):
    if vectors:
        monkeypatch.setattr(_bsa_search, "GRAM_MAX", 0)
    manifold = Hyperboloid(3)
    problem = VectorProblem(points(manifold, 20, 2), manifold)
    for strategy in STRATEGIES[1:4]:
        one, two = (
            search_samples(problem, 2, strategy=strategy, p=p, n_jobs=n) for n in (1, 2)
        )
        assert_array_equal(one.indices, two.indices)
        assert_array_equal(one.unexplained, two.unexplained)


@pytest.mark.parametrize("unit", [1e-15, 1e15])
def test_units(unit):
    X = points(Euclidean(4), 10)
    for strategy in STRATEGIES:
        for p in (0.5, 2.0):
            one, two = (
                search_samples(
                    VectorProblem(u * X, Euclidean(4)), 2, strategy=strategy, p=p
                )
                for u in (1.0, unit)
            )
            assert_array_equal(one.indices, two.indices)
            assert_allclose(two.unexplained, unit**p * one.unexplained, rtol=1e-9)


def test_high_powers_do_not_underflow():
    X = 1e-5 * points(Euclidean(2), 12)
    one, two = (
        search_samples(VectorProblem(u * X, Euclidean(2)), 1, strategy="pure", p=60.0)
        for u in (1.0, 1e5)
    )
    assert_array_equal(one.indices, two.indices)


def test_one_point_of_the_sphere_is_not_its_antipode():
    X = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.1, 0.0, -0.99]])
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    for problem in (
        VectorProblem(X, Sphere(2)),
        VectorProblem(X, Sphere(2)).gram(),
        sample_problem(Sphere(2), X),
    ):
        assert_allclose(problem.residuals([0])[1], np.pi)
        assert search_samples(problem, 0).indices.tolist() == [2]
        # Antipodes span no great circle.
        pair = search_samples(problem, 1, strategy="pure")
        assert pair.indices.tolist() != [0, 1]


@pytest.mark.parametrize("p", [2.0, 0.1])
def test_spanned_samples_leave_exactly_nothing(p):
    rng = np.random.default_rng(0)
    line = rng.normal(size=(12, 1)) * rng.normal(size=5) + 3.0
    found = search_samples(VectorProblem(line, Euclidean(5)), 1, strategy="pure", p=p)
    assert found.unexplained[1] == 0.0
    assert found.indices.tolist() == [0, 1]


def test_duplicates_are_never_chosen_together():
    X = np.repeat(points(Sphere(3), 5), 3, axis=0)
    problem = VectorProblem(X, Sphere(3))
    for strategy in STRATEGIES:
        for search in ("greedy", "exhaustive"):
            found = search_samples(problem, 2, strategy=strategy, search=search)
            assert len(set(found.indices // 3)) == 3
            assert not np.any(found.indices % 3)  # ties: the lowest index


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_more_references_than_dimensions(strategy):
    X = points(Euclidean(2), 7)
    X[1] = X[0]
    found = search_samples(VectorProblem(X, Euclidean(2)), 4, strategy=strategy)
    assert len(set(found.indices)) == 5
    assert not {0, 1} <= set(found.indices)
    assert_array_equal(found.unexplained[2:], 0.0)
    with pytest.raises(ValueError, match="n_components=6 needs at least 7 distinct"):
        search_samples(VectorProblem(X, Euclidean(2)), 6, strategy=strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_single_distinct_point(strategy):
    problem = VectorProblem(np.ones((4, 2)), Euclidean(2))
    found = search_samples(problem, 0, strategy=strategy)
    assert found.indices.tolist() == [0]
    assert found.unexplained.tolist() == [0.0]
    with pytest.raises(
        ValueError, match="2 distinct samples of positive weight, got 1"
    ):
        search_samples(problem, 1, strategy=strategy)


def test_zero_weight_is_absence():
    X = points(Hyperboloid(2), 12)
    weight = np.ones(12)
    weight[[0, 5, 6]] = 0.0
    kept = np.flatnonzero(weight)
    for strategy in STRATEGIES:
        one = search_samples(
            VectorProblem(X, Hyperboloid(2)), 1, strategy=strategy, sample_weight=weight
        )
        two = search_samples(
            VectorProblem(X[kept], Hyperboloid(2)), 1, strategy=strategy
        )
        assert_array_equal(one.indices, kept[two.indices])
        assert_array_equal(one.unexplained, two.unexplained)


@pytest.mark.parametrize("vectors", [False, True], ids=["table", "vectors"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_and_exchange_come_close_to_all_candidates(strategy, vectors, monkeypatch):
    if vectors:
        monkeypatch.setattr(_bsa_search, "GRAM_MAX", 0)
    problem = VectorProblem(points(Sphere(4), 60), Sphere(4))
    some, again = (
        search_samples(problem, 2, strategy=strategy, n_candidates=15, random_state=0)
        for _ in range(2)
    )
    everything = search_samples(problem, 2, strategy=strategy, search="greedy")
    assert_array_equal(some.indices, again.indices)
    levels = slice(None) if strategy == "flag" else slice(-1, None)
    one, two = (np.sum(s.unexplained[levels]) for s in (some, everything))
    assert one <= 1.02 * two


def test_pool_of_duplicates_holds_each_once():
    X = np.repeat(points(Euclidean(3), 6), 5, axis=0)
    found = search_samples(
        VectorProblem(X, Euclidean(3)), 2, n_candidates=20, random_state=0
    )
    assert len(set(found.indices // 5)) == 3


def test_balls_and_flat_matrices_are_unfolded():
    ball = PoincareBall(3)
    X = points(ball, 10)
    lifted = Hyperboloid(3).exp_vector(
        Hyperboloid(3).origin, ball.log_vector(ball.origin, X)
    )
    one = search_samples(sample_problem(ball, X), 2, strategy="pure")
    two = search_samples(VectorProblem(lifted, Hyperboloid(3)), 2, strategy="pure")
    assert_array_equal(one.indices, two.indices)
    assert_allclose(one.unexplained, two.unexplained, rtol=1e-9)
    spd = SPD(2, metric="log-euclidean")
    assert isinstance(sample_problem(spd, points(spd, 5)), VectorProblem)
    with pytest.raises(ValueError, match="has no closed form for spans"):
        VectorProblem(points(SPD(2), 5), SPD(2))


def test_inputs_stay_as_they_are():
    D = Sphere(2).pairwise_distances(points(Sphere(2), 10))
    before = D.copy()
    D.flags.writeable = False
    weight = np.ones(10)
    weight.flags.writeable = False
    search_samples(GramProblem.from_distances(D, 1.0), 1, sample_weight=weight)
    GramProblem(np.cos(D), 1.0)
    assert_array_equal(D, before)
