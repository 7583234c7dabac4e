import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import pairwise_distances as sklearn_distances
from sklearn.neighbors import kneighbors_graph

from geolearn.graph import NeighborIndex, nearest_neighbors
from geolearn.graph._approximate import (
    _exact_distances,
    approximate_neighbors,
    distinct_others,
)
from geolearn.graph._neighbors import use_approximate
from geolearn.manifolds import SPD
from geolearn.metrics import pairwise_distances
from geolearn.metrics._resolve import resolve_metric
from tests.reference import graph as reference

RNG = np.random.default_rng(0)
FLAT = RNG.normal(size=(60, 3))  # searched by a tree
WIDE = RNG.normal(size=(60, 12))  # searched by comparison with all
HYPERBOLIC = reference.hyperboloid(RNG.normal(size=(60, 3)))


class Shifted:
    """A manifold without a compiled kernel."""

    def dist(self, x, y):
        return np.abs(x - y).sum(axis=-1)

    def kernel_metric(self):
        return None


class Curved:
    """A manifold that names its kernel."""

    def dist(self, x, y):
        raise AssertionError("the kernel must be used")

    def kernel_metric(self):
        return "hyperboloid", {"curvature": -2.0}


def check_same(found, distances, indices, rtol=1e-12):
    assert_array_equal(found[1], indices)
    assert_allclose(found[0], distances, rtol=rtol)
    assert found[0].dtype == np.float64
    assert found[1].dtype == np.intp


@pytest.mark.parametrize("X", [FLAT, WIDE], ids=["tree", "all pairs"])
@pytest.mark.parametrize("k", [1, 7, 59])
def test_agree_with_brute_force(X, k):
    check_same(nearest_neighbors(X, k), *reference.neighbors(reference.distances(X), k))


@pytest.mark.parametrize(
    "name", ["affine_invariant", "log_euclidean", "bures_wasserstein"]
)
@pytest.mark.parametrize("n", [3, 5], ids=["tree if flat", "all pairs"])
def test_matrices(name, n):
    manifold = SPD(n, name)
    X = manifold.random_point(40, random_state=0)
    D = manifold.pairwise_distances(X)
    expected = reference.neighbors(D, 5)
    check_same(nearest_neighbors(X, 5, metric=manifold), *expected)
    index = NeighborIndex.build(X, metric=manifold)
    indices, distances = index.query(X[:3], 6)[::-1]
    assert_array_equal(indices[:, 1:], expected[1][:3])
    assert_array_equal(indices[:, 0], [0, 1, 2])
    radius = distances[:, -1] * (1 + 1e-9)
    found = index.within(radius, rows=np.arange(3))[1].reshape(3, 5)
    assert_array_equal(found, np.sort(expected[1][:3], axis=1))


@pytest.mark.parametrize(
    ("X", "metric", "params"),
    [
        (HYPERBOLIC, "hyperboloid", None),
        (HYPERBOLIC, Shifted(), None),
        (FLAT, "cityblock", None),
        (FLAT, "minkowski", {"p": 3}),
        (FLAT, lambda x, y: float(np.abs(x - y).max()), None),
    ],
    ids=["hyperboloid", "manifold", "cityblock", "minkowski", "callable"],
)
def test_any_metric(X, metric, params):
    D = pairwise_distances(X, metric=metric, metric_params=params)
    found = nearest_neighbors(X, 5, metric=metric, metric_params=params)
    check_same(found, *reference.neighbors(D, 5))


def test_manifold_uses_its_kernel():
    X = HYPERBOLIC / np.sqrt(2.0)
    D = pairwise_distances(X, metric="hyperboloid", metric_params={"curvature": -2.0})
    check_same(nearest_neighbors(X, 4, metric=Curved()), *reference.neighbors(D, 4))


@pytest.mark.parametrize("X", [FLAT, WIDE], ids=["tree", "all pairs"])
def test_queries(X):
    train, new = X[:40], X[40:]
    distances, indices = nearest_neighbors(new, 6, Y=train)
    D = sklearn_distances(new, train)
    assert_array_equal(indices, np.argsort(D, axis=1)[:, :6])
    assert_allclose(distances, np.sort(D, axis=1)[:, :6], rtol=1e-7)
    index = NeighborIndex.build(train)
    copy = pickle.loads(pickle.dumps(index))
    for row in range(new.shape[0]):  # a row does not depend on the others
        alone = copy.query(new[row : row + 1], 6)
        assert_array_equal(alone[0][0], distances[row])
        assert_array_equal(alone[1][0], indices[row])
    # A training point finds itself.
    assert_array_equal(index.query(train, 1)[1].ravel(), np.arange(40))


def test_a_pickle_holds_no_compiled_code():
    for X, metric in ((FLAT, "euclidean"), (HYPERBOLIC, "hyperboloid")):
        index = NeighborIndex.build(X, metric=metric)
        index.neighbors(3)
        assert b"numba" not in pickle.dumps(index)


@pytest.mark.parametrize("copies", [2, 9])
@pytest.mark.parametrize("width", [2, 12])
def test_duplicates_are_neighbours_and_never_the_row_itself(copies, width):
    X = np.repeat(RNG.normal(size=(8, width)), copies, axis=0)
    distances, indices = nearest_neighbors(X, 4)
    assert (indices != np.arange(X.shape[0])[:, None]).all()
    assert all(np.unique(row).size == 4 for row in indices)
    assert_array_equal(
        distances == 0, np.arange(4) < np.full((8 * copies, 1), copies - 1)
    )


@pytest.mark.parametrize("scale", [1e-15, 1e15])
@pytest.mark.parametrize("X", [FLAT, WIDE], ids=["tree", "all pairs"])
def test_units(X, scale):
    distances, indices = nearest_neighbors(X, 5)
    scaled = nearest_neighbors(X * scale, 5)
    check_same(scaled, distances * scale, indices)


@given(seed=st.integers(0, 1000), width=st.sampled_from([2, 11]))
def test_permutation(seed, width):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(25, width))
    order = rng.permutation(25)
    distances, indices = nearest_neighbors(X, 4)
    permuted = nearest_neighbors(X[order], 4)
    assert_allclose(permuted[0], distances[order], rtol=1e-12)
    assert_array_equal(order[permuted[1]], indices[order])


@pytest.mark.parametrize("X", [FLAT, WIDE], ids=["tree", "all pairs"])
def test_threads_do_not_matter(X):
    one, two = nearest_neighbors(X, 5, n_jobs=1), nearest_neighbors(X, 5, n_jobs=2)
    assert_array_equal(one[0], two[0])
    assert_array_equal(one[1], two[1])


def test_precomputed_dense_and_sparse_agree_with_features():
    D = pairwise_distances(FLAT)
    expected = nearest_neighbors(FLAT, 6)
    check_same(nearest_neighbors(D, 6, metric="precomputed"), *expected)
    G = kneighbors_graph(FLAT, 8, mode="distance")
    with_self = kneighbors_graph(FLAT, 9, mode="distance", include_self=True)
    assert (with_self.data == 0).sum() == 60  # explicit zeros on the diagonal
    for graph in (G, sparse.csr_array(G), sparse.coo_array(G), G.tocsc(), with_self):
        check_same(nearest_neighbors(graph, 6, metric="precomputed"), *expected)


def test_precomputed_is_not_changed():
    D = pairwise_distances(FLAT)
    G = kneighbors_graph(FLAT, 8, mode="distance", include_self=True)
    before, data = D.copy(), G.data.copy()
    D.flags.writeable = False
    nearest_neighbors(D, 6, metric="precomputed")
    nearest_neighbors(G, 6, metric="precomputed")
    assert_array_equal(D, before)
    assert_array_equal(G.data, data)


def test_explicit_zeros_of_a_sparse_graph_are_duplicates():
    X = np.array([[0.0], [0.0], [1.0], [3.0]])
    G = kneighbors_graph(X, 2, mode="distance")
    assert (G.data == 0).any()
    distances, indices = nearest_neighbors(G, 2, metric="precomputed")
    assert_allclose(distances, [[0, 1], [0, 1], [1, 1], [2, 3]])
    assert_array_equal(indices[:3], [[1, 2], [0, 2], [0, 1]])


def test_ties_go_by_index():
    rng = np.random.default_rng(0)
    D = rng.integers(1, 4, size=(60, 60)).astype(float)
    found = nearest_neighbors(D, 9, metric="precomputed")
    check_same(found, *reference.neighbors(D, 9))
    found = nearest_neighbors(sparse.csr_array(D), 9, metric="precomputed")
    check_same(found, *reference.neighbors(D, 9))
    X = rng.integers(2, size=(60, 12)).astype(float)
    found = nearest_neighbors(X, 9)
    check_same(found, *reference.neighbors(reference.distances(X), 9))


def test_infinite_distances_are_allowed_where_they_are_not_needed():
    D = pairwise_distances(FLAT[:6])
    D[:3, 3:] = D[3:, :3] = np.inf
    assert nearest_neighbors(D, 2, metric="precomputed")[0].max() < np.inf
    with pytest.raises(ValueError, match=r"Row 0.*fewer than n_neighbors=3 finite"):
        nearest_neighbors(D, 3, metric="precomputed")


@pytest.mark.parametrize(
    ("D", "message"),
    [
        (np.zeros((3, 2)), r"square matrix .*\(3, 2\)"),
        (np.zeros(3), "must be a matrix"),
        (np.array([[0, np.nan], [1, 0]]), "contain NaN"),
        (np.array([[0, -1.0], [1, 0]]), "non-negative, the smallest is -1"),
        (sparse.csr_array(np.array([[0, -1.0], [1, 0]])), "non-negative"),
        (sparse.csr_array((3, 2)), "square"),
        (sparse.csr_array((3, 3)), "stores 0 neighbours of row 0"),
    ],
)
def test_bad_precomputed(D, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbors(D, 1, metric="precomputed")


def test_bad_arguments():
    with pytest.raises(ValueError, match="positive int"):
        nearest_neighbors(FLAT, 0)
    with pytest.raises(ValueError, match="positive int"):
        nearest_neighbors(FLAT, 2.5)
    with pytest.raises(ValueError, match="method"):
        nearest_neighbors(FLAT, 2, method="fast")
    with pytest.raises(ValueError, match="no neighbours"):
        nearest_neighbors(FLAT[:1], 1)
    with pytest.raises(ValueError, match="NaN"):
        nearest_neighbors(np.array([[0.0], [np.nan]]), 1)
    with pytest.raises(ValueError, match="Y must be None"):
        nearest_neighbors(np.zeros((2, 2)), 1, Y=FLAT, metric="precomputed")
    with pytest.raises(ValueError, match=r"\(2,\) features.*\(3,\)"):
        nearest_neighbors(FLAT[:, :2], 1, Y=FLAT)
    graph = kneighbors_graph(FLAT, 3, mode="distance")
    index = NeighborIndex.build(graph, metric="precomputed")
    with pytest.raises(ValueError, match="sparse distance graph"):
        index.query(np.zeros((1, 60)), 1)


def test_too_many_neighbours_warn():
    with pytest.warns(UserWarning, match="n_neighbors=60.*n_neighbors=59 is used"):
        distances, _ = nearest_neighbors(FLAT, 60)
    assert distances.shape == (60, 59)
    with pytest.warns(UserWarning, match="60"):
        assert nearest_neighbors(FLAT[:2], 61, Y=FLAT)[0].shape == (2, 60)


@pytest.mark.parametrize("kind", ["tree", "all pairs", "dense", "sparse"])
@pytest.mark.parametrize("rows", [None, np.array([3, 40, 41])])
def test_within(kind, rows):
    X = WIDE if kind == "all pairs" else FLAT
    D = pairwise_distances(X)
    radii = np.linspace(0.1, 1.2 * np.median(D), 60)[rows if rows is not None else ...]
    if kind == "dense":
        index = NeighborIndex.build(D, metric="precomputed")
    elif kind == "sparse":
        index = NeighborIndex.build(sparse.csr_array(D), metric="precomputed")
    else:
        index = NeighborIndex.build(X)
    indptr, indices, distances = index.within(radii, rows=rows)
    for place, i in enumerate(range(60) if rows is None else rows):
        part = slice(indptr[place], indptr[place + 1])
        expected = np.flatnonzero((D[i] <= radii[place]) & (np.arange(60) != i))
        assert_array_equal(indices[part], expected)
        assert_allclose(distances[part], D[i, expected], rtol=1e-12)


def test_automatic_method():
    few, many = np.empty((100, 50)), np.empty((50_001, 50))
    assert not use_approximate("auto", few, "euclidean")
    assert use_approximate("auto", many, "euclidean")
    assert not use_approximate("auto", many[:, :10], "euclidean")
    # float32 candidates can lose far hyperbolic points: only on request.
    assert not use_approximate("auto", many, "hyperboloid")
    assert use_approximate("approximate", few, "hyperboloid")
    assert not use_approximate("approximate", few, "precomputed")


def test_exact_search_leaves_pynndescent_alone(fresh_python):
    code = (
        "import sys, numpy as np; from geolearn.graph import nearest_neighbors;"
        "nearest_neighbors(np.eye(4), 2); print('pynndescent' in sys.modules)"
    )
    assert fresh_python(code) == "False"


@pytest.mark.kernels
@pytest.mark.parametrize("metric", ["euclidean", "hyperboloid", "cosine"])
def test_distances_of_candidates(metric):
    candidates = RNG.integers(60, size=(60, 4))
    resolved = resolve_metric(metric)
    D = pairwise_distances(HYPERBOLIC, metric=metric)
    for n_jobs in (1, 2):
        found = _exact_distances(HYPERBOLIC, candidates, resolved, n_jobs)
        expected = np.take_along_axis(D, candidates, axis=1)
        assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_unusable_candidates_are_masked():
    candidates = np.array([[1, 0, 2, 2], [1, -1, 0, 2], [0, 1, 1, 1]])
    expected = [[1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]]
    found = distinct_others(candidates, np.arange(len(candidates)))
    assert_array_equal(found, np.array(expected, dtype=bool))


class FakeIndex:
    """pynndescent when it fails: -1, repeated and wrong neighbours."""

    def __init__(self, X, width):
        n = X.shape[0]
        indices = np.random.default_rng(1).integers(n, size=(n, width))
        indices[::3, 1:] = -1
        indices[1::3] = indices[1::3, :1]
        # All the true neighbours, out of order, with the row itself and a gap.
        indices[2::3, 2:] = nearest_neighbors(X, width - 2)[1][2::3, ::-1]
        indices[2::3, 0], indices[2::3, 1] = np.arange(n)[2::3], -1
        self.neighbor_graph = indices.astype(np.int32), None


@pytest.mark.parametrize("X", [WIDE, np.repeat(WIDE[:6], 10, axis=0)])
def test_incomplete_rows_are_completed_exactly(monkeypatch, X):
    monkeypatch.setattr(
        "geolearn.graph._approximate.build_index",
        lambda X, n_neighbors, *a, **k: FakeIndex(X, n_neighbors),
    )
    found = approximate_neighbors(X, 5, metric="euclidean")
    check_same(found, *nearest_neighbors(X, 5))


def test_no_kernel_no_approximation():
    for metric in (Shifted(), lambda x, y: 0.0, "dice"):
        with pytest.raises(ValueError, match=r"no compiled kernel.*method='exact'"):
            nearest_neighbors(FLAT, 2, metric=metric, method="approximate")


@pytest.mark.slow
@pytest.mark.skipif(config.DISABLE_JIT, reason="pynndescent needs the compiler")
def test_approximate_neighbours():
    rng = np.random.default_rng(0)
    # A cloud far from the origin and in small units: float32 would merge its points.
    X = (rng.normal(size=(2000, 12)) + 1e8) * 1e-15
    exact = nearest_neighbors(X, 10, method="exact")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = {"method": "approximate", "random_state": 0}
        distances, indices = nearest_neighbors(X, 10, **options)
    hits = [np.intersect1d(*rows).size for rows in zip(indices, exact[1], strict=True)]
    assert np.mean(hits) / 10 > 0.98
    assert (np.diff(distances, axis=1) >= 0).all()
    same = indices == exact[1]
    assert_array_equal(distances[same], exact[0][same])  # the float64 distances
    again = nearest_neighbors(X, 10, **options, n_jobs=2)
    assert_array_equal(again[1], indices)
    assert_array_equal(again[0], distances)
    # Many duplicates: complete rows all the same.
    Y = np.repeat(X[:40], 30, axis=0)
    distances, indices = nearest_neighbors(Y, 10, **options)
    assert distances.max() == 0
    assert indices.min() >= 0
    # The monotone stand-ins of the sphere and of the simplex.
    S = X - X.mean(axis=0)
    S /= np.linalg.norm(S, axis=1, keepdims=True)
    for metric, points in (
        ("sphere", S),
        ("fisher_rao", S**2 / (S**2).sum(1)[:, None]),
    ):
        found = nearest_neighbors(points, 10, metric=metric, **options)
        exact = nearest_neighbors(points, 10, metric=metric)
        assert np.mean(found[1] == exact[1]) > 0.95
