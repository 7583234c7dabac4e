"""HyperbolicDiffusionDistance: worked numbers, slow reference, landmarks."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from geolearn.embedding import (
    HyperbolicDiffusionDistance,
    _hyperbolic_diffusion,
    _hyperbolic_diffusion_heat,
)
from geolearn.graph import select_landmarks
from geolearn.metrics import graph_map, pairwise_distances
from tests.reference import hyperbolic_embedding as reference

PAIR = np.array([[0.0, 1.0], [1.0, 0.0]])


def graph(n=40, seed=0):
    A = np.triu(np.random.default_rng(seed).uniform(size=(n, n)) < 0.1, 1) * 1.0
    A[np.arange(n - 1), np.arange(1, n)] = 1.0
    return A + A.T


@pytest.mark.parametrize(
    ("n_scales", "wanted"),
    [(1, 0.53614592), (2, 1.55125365), (3, 2.75726327), (4, 3.91290439)],
)
def test_two_nodes(n_scales, wanted):
    found = HyperbolicDiffusionDistance(n_scales).fit_transform(PAIR)
    assert_allclose(found, wanted * PAIR, rtol=1e-8)


@pytest.mark.parametrize("A", [graph(), 50.0 * graph()])
@pytest.mark.parametrize(("n_scales", "alpha"), [(1, 0.5), (4, 0.5), (6, 0.3)])
def test_graphs_agree_with_matrix_exponentials(A, n_scales, alpha):
    model = HyperbolicDiffusionDistance(n_scales, alpha=alpha).fit(A)
    wanted = reference.diffusion_distance(A, n_scales, alpha)
    assert_allclose(model.distances_, wanted, atol=1e-7)
    assert_array_equal(model.distances_, model.distances_.T)


def test_landmarks_are_columns(monkeypatch):
    A = graph()
    whole = HyperbolicDiffusionDistance().fit(A).distances_
    for limit in (100, 10):  # by whole operators, by blocks of rows
        monkeypatch.setattr(_hyperbolic_diffusion, "_ALL_UP_TO", limit)
        part = HyperbolicDiffusionDistance(n_landmarks=7, random_state=0).fit(A)
        assert_allclose(part.distances_, whole[:, part.landmark_indices_], atol=1e-10)


def test_distances_of_samples():
    X = np.random.default_rng(0).normal(size=(30, 2))
    D = np.linalg.norm(X[:, None] - X, axis=-1)
    given = HyperbolicDiffusionDistance(1, affinity="distance", epsilon=0.7).fit(D)
    W = np.exp(-(D**2) / 0.7)
    W = W / np.outer(W.sum(axis=1), W.sum(axis=1))
    psi = np.sqrt(W / W.sum(axis=1, keepdims=True))
    wanted = 2.0 * np.arcsinh(2.0 * np.linalg.norm(psi[:, None] - psi, axis=-1))
    assert_allclose(given.distances_, wanted, atol=1e-6)
    own = HyperbolicDiffusionDistance(
        1, affinity="distance", metric="euclidean", epsilon=0.7
    ).fit(X)
    assert_allclose(own.distances_, given.distances_, atol=1e-6)


def test_isolated_nodes_and_bad_graphs():
    A = np.zeros((3, 3))
    A[:2, :2] = PAIR
    with pytest.warns(UserWarning, match="1 nodes have no edge"):
        found = HyperbolicDiffusionDistance().fit(A).distances_
    assert_allclose(found[:2, :2], 3.91290439 * PAIR, rtol=1e-8)
    with pytest.raises(ValueError, match=r"transpose|symmetric"):
        HyperbolicDiffusionDistance().fit([[0.0, 1.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="Negative"):
        HyperbolicDiffusionDistance().fit(-PAIR)


def of_samples(*args, **options):
    return HyperbolicDiffusionDistance(*args, affinity="distance", **options)


def samples(seed, n=14):
    return np.random.default_rng(seed).normal(size=(n, 2))


@given(st.integers(0, 2**32 - 1))
def test_order_of_nodes_does_not_matter(seed):
    A = graph(12, seed)
    order = np.random.default_rng(seed).permutation(len(A))
    table = np.ix_(order, order)
    one = HyperbolicDiffusionDistance().fit(A).distances_
    two = HyperbolicDiffusionDistance().fit(A[table]).distances_
    assert_allclose(two, one[table], atol=1e-10)
    D = pairwise_distances(samples(seed))
    one = of_samples(epsilon=0.3).fit(D[:12, :12]).distances_
    two = of_samples(epsilon=0.3).fit(D[:12, :12][table]).distances_
    assert_allclose(two, one[table], atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_units_of_samples_do_not_matter(seed, unit):
    D = pairwise_distances(samples(seed))
    one, two = of_samples().fit(D), of_samples().fit(unit * D)
    assert_allclose(two.epsilon_, unit**2 * one.epsilon_, rtol=1e-12)
    assert_allclose(two.distances_, one.distances_, atol=1e-6)
    assert_allclose(one.epsilon_, np.median(D[D > 0.0] ** 2), rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_it_is_a_metric(seed):
    D = HyperbolicDiffusionDistance().fit(graph(12, seed)).distances_
    assert_array_equal(np.diagonal(D), 0.0)
    assert (D[:, :, None] + D[None] - D[:, None] >= -1e-12).all()


@pytest.mark.parametrize("epsilon", [0.1, 2.0, 30.0])
@pytest.mark.parametrize("n_scales", [1, 4])
def test_samples_against_many_digits(n_scales, epsilon):
    D = pairwise_distances(samples(0, 9))
    D = (D + D.T) / 2
    found = of_samples(n_scales, alpha=0.4, epsilon=epsilon).fit(D).distances_
    wanted = reference.diffusion_distance_of_samples(D, epsilon, n_scales, 0.4)
    assert_allclose(found, wanted, atol=1e-6)


def test_samples_that_coincide_have_no_distance():
    X = samples(0)
    X[3] = X[5] = X[1]
    D = of_samples(metric="euclidean").fit(X).distances_
    assert_array_equal(D[1, [3, 5]], 0.0)
    assert_allclose(D[1], D[3], atol=1e-6)
    one = of_samples(metric="euclidean", n_landmarks=4, random_state=0).fit(X)
    same = pairwise_distances(X)[:, one.landmark_indices_] == 0.0
    assert_array_equal(one.distances_ == 0.0, same)
    assert_array_equal(of_samples().fit(np.zeros((3, 3))).distances_, 0.0)
    assert of_samples().fit(np.zeros((3, 3))).epsilon_ == 1.0


def test_clusters_and_rank_one_operators():
    # far clusters: heat of each is its stationary law, from any node of it
    D = np.kron(1.0 - np.eye(2), np.full((3, 3), 100.0))
    found = (
        of_samples(epsilon=1.0).fit(D + 1e-9 * (1 - np.eye(6)) * (D == 0)).distances_
    )
    k = np.arange(4)
    apart = 2.0 * np.arcsinh(2.0 ** (1 - k / 2) * np.sqrt(2.0)).sum()
    assert_allclose(found[:3, 3:], apart, rtol=1e-7)


def test_karate_club():
    A, _ = reference.karate_club()
    model = HyperbolicDiffusionDistance().fit(A)
    wanted = reference.diffusion_distance(A, 4, 0.5)
    assert_allclose(model.distances_, wanted, atol=1e-7)
    assert graph_map(model.distances_, A) > 0.95
    networkx = pytest.importorskip("networkx")
    club = networkx.karate_club_graph()
    assert_array_equal(networkx.to_numpy_array(club, weight=None), A)
    weighted = networkx.to_numpy_array(club)
    assert_array_equal(
        HyperbolicDiffusionDistance().fit(club).distances_,
        HyperbolicDiffusionDistance().fit(weighted).distances_,
    )


def test_neighbours_of_a_balanced_tree_come_first():
    A = reference.balanced_tree(3, 3)
    A = A + A.T
    assert graph_map(HyperbolicDiffusionDistance().fit(A).distances_, A) == 1.0


@pytest.mark.parametrize(
    "form", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array]
)
def test_sparse_graphs(form):
    A = graph()
    dense = HyperbolicDiffusionDistance().fit(A).distances_
    found = HyperbolicDiffusionDistance().fit(form(A)).distances_
    assert_allclose(found, dense, atol=1e-12)


def test_loops_change_nothing():
    A = graph()
    looped = HyperbolicDiffusionDistance().fit(A + np.diag(np.arange(40.0)))
    plain = HyperbolicDiffusionDistance().fit(A)
    assert_allclose(looped.distances_, plain.distances_, atol=1e-9)


def test_extreme_weights():
    A = np.diag([1e6, 1e-6], 1)
    D = HyperbolicDiffusionDistance().fit(A + A.T).distances_
    assert D[0, 1] < 1e-6
    apart = 2.0 * np.arcsinh(2.0 ** (1 - np.arange(4) / 2) * np.sqrt(1.5)).sum()
    assert 9.0 < D[0, 2] < 2.0 * apart
    many = HyperbolicDiffusionDistance(1000).fit(PAIR).distances_
    few = HyperbolicDiffusionDistance(100).fit(PAIR).distances_
    assert_allclose(many, few, rtol=1e-12)  # the series has converged


def test_copies_behave_alike():
    A, X = graph(), samples(0)
    for model, data in (
        (HyperbolicDiffusionDistance(n_landmarks=5, random_state=0), A),
        (of_samples(metric="cityblock", n_landmarks=5, random_state=0), X),
    ):
        before = data.copy()
        first = model.fit(data).distances_
        assert_array_equal(
            clone(model).set_params(n_jobs=2).fit(data).distances_, first
        )
        assert_array_equal(pickle.loads(pickle.dumps(model)).distances_, first)
        assert_array_equal(data, before)
        assert first.shape == (len(data), 5)
        names = model.get_feature_names_out()
        assert list(names) == [f"hyperbolicdiffusiondistance{i}" for i in range(5)]
        chosen = select_landmarks(
            5, n_samples=len(data), random_state=np.random.RandomState(0)
        )
        assert_array_equal(model.landmark_indices_, chosen)


def test_many_nodes_take_landmarks(monkeypatch):
    monkeypatch.setattr(_hyperbolic_diffusion, "_ALL_UP_TO", 30)
    monkeypatch.setattr(_hyperbolic_diffusion, "_N_LANDMARKS", 6)
    auto = HyperbolicDiffusionDistance(random_state=0).fit(graph())
    assert auto.distances_.shape == (40, 6)
    whole = HyperbolicDiffusionDistance(n_landmarks=None).fit(graph())
    assert_allclose(
        auto.distances_, whole.distances_[:, auto.landmark_indices_], atol=1e-10
    )
    monkeypatch.setattr(_hyperbolic_diffusion, "_BLOCK_VALUES", 100)  # rows at a time
    monkeypatch.setattr(_hyperbolic_diffusion_heat, "_BLOCK_VALUES", 100)
    blocks = HyperbolicDiffusionDistance(random_state=0).fit(graph())
    assert_allclose(blocks.distances_, auto.distances_, atol=1e-10)
    with pytest.raises(ValueError, match="n_landmarks=41 must be at most"):
        HyperbolicDiffusionDistance(n_landmarks=41).fit(graph())


@pytest.mark.parametrize("work", [1e-9, 1e9])
def test_sparse_and_dense_powers_agree(monkeypatch, work):
    A = 30.0 * graph()
    monkeypatch.setattr(_hyperbolic_diffusion_heat, "_DENSE_GAIN", work)
    found = HyperbolicDiffusionDistance(3).fit(A).distances_
    assert_allclose(found, reference.diffusion_distance(A, 3, 0.5), atol=1e-7)


def test_bad_distances():
    D = pairwise_distances(samples(0))
    for unit in (1e-160, 1e160):
        with pytest.raises(ValueError, match="squares over- or underflow"):
            of_samples().fit(unit * D)
    with pytest.raises(ValueError, match="Negative"):
        of_samples().fit(-D)
    with pytest.raises(ValueError, match="differ by"):
        of_samples().fit(np.triu(D))
    with pytest.raises(ValueError, match="from itself"):
        of_samples().fit(D + 1.0)
    split = np.where(np.kron(np.eye(2), np.ones((7, 7))) > 0, D, np.inf)
    with pytest.raises(ValueError, match="2 connected components"):
        of_samples().fit(split)
    with pytest.raises(ValueError, match="square"):
        of_samples().fit(D[:, :3])
    for options in ({"n_scales": 0}, {"n_scales": 1001}, {"alpha": 1.0}):
        with pytest.raises(ValueError, match="parameter of Hyperbolic"):
            HyperbolicDiffusionDistance(**options).fit(PAIR)


def test_long_times_take_several_series():
    heat = _hyperbolic_diffusion_heat.GraphHeat(sparse.csr_array(1e3 * graph()), 2)
    for P in heat.rows([0, 3]):  # exp(-t L) of one series would be 0
        assert_allclose(P, 1.0 / 40.0, rtol=1e-9)
