"""TreeEmbedding: exact edges, closed forms, many digits, bad input."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.sparse.csgraph import shortest_path
from sklearn.base import clone

from geolearn.embedding import TreeEmbedding
from geolearn.embedding._tree_embedding_graph import read_edges, spanning_tree
from geolearn.embedding._tree_embedding_layout import (
    exact_distances,
    scale_for_distortion,
)
from geolearn.metrics import (
    average_distortion,
    graph_map,
    pairwise_distances,
    worst_case_distortion,
)
from tests.reference import hyperbolic_embedding as reference

TAXA = {
    "animals": ["vertebrates", "arthropods", "molluscs"],
    "vertebrates": ["mammals", "birds", "fish"],
    "mammals": ["cat", "whale", "bat"],
    "birds": ["owl", "penguin"],
    "fish": ["salmon"],
    "arthropods": ["insects", "spiders"],
    "insects": ["bee", "ant"],
    "molluscs": ["snail", "squid"],
}


def taxonomy():
    names = list(dict.fromkeys(n for k, v in TAXA.items() for n in [k, *v]))
    A = np.zeros((len(names), len(names)))
    for parent, children in TAXA.items():
        for child in children:
            A[names.index(parent), names.index(child)] = 1.0
    return A


def hyperbolic(X):
    return pairwise_distances(X, metric="hyperboloid")


@pytest.mark.parametrize("m", [1, 2, 5])
def test_star(m):
    A = np.zeros((m + 1, m + 1))
    A[0, 1:] = 1.0
    tree, j = TreeEmbedding(scale=2.0).fit(A), np.arange(m)
    angle = np.pi * np.abs(np.subtract.outer(j, j)) / m
    wanted = 2.0 * np.arcsinh(np.sinh(2.0) * np.abs(np.sin(angle)))
    assert_allclose(hyperbolic(tree.embedding_)[1:, 1:], wanted, atol=1e-12)


def test_path_is_isometric():
    A = np.diag([1.0, 0.5, 2.0, 1.5], k=1)
    for root in (0, 2, "center"):
        tree = TreeEmbedding(scale=2.0, root=root).fit(A)
        D = shortest_path(A, directed=False)
        assert_allclose(hyperbolic(tree.embedding_) / 2.0, D, atol=1e-9)
        assert_allclose(tree.distances(), D, atol=1e-12)


def test_published_balanced_tree():
    A = reference.balanced_tree(3, 3)
    tree = spanning_tree(read_edges(A), 40, 0)
    tau = scale_for_distortion(0.1, 4, 1.0)
    assert round(tau, 3) == 23.769
    D, found = shortest_path(A, directed=False), exact_distances(tree, tau)
    assert round(average_distortion(found / tau, D), 4) == 0.0129
    assert worst_case_distortion(found / tau, D) < 1.1
    wanted = reference.sarkar_distances(A, tau, digits=150)
    assert_allclose(found, wanted, rtol=1e-12)
    with pytest.raises(ValueError, match="scale at most 12"):
        TreeEmbedding(scale=None).fit(A)


def test_taxonomy_has_exact_edges_and_bounded_distortion():
    A = taxonomy()
    D = shortest_path(A, directed=False)
    tree = TreeEmbedding().fit(A)
    assert_allclose(tree.scale_ * tree.depth_.max(), 24.0)
    edges = np.nonzero(A)
    found = hyperbolic(tree.embedding_) / tree.scale_
    assert np.abs(found - D)[edges].max() <= tree.expected_error_ + 1e-13 < 1e-8
    assert_allclose(found, tree.distances(), atol=1e-8)
    loose = TreeEmbedding(scale=None, epsilon=1.0).fit(A)
    assert worst_case_distortion(loose.distances(), D) <= 2.0


def test_all_forms_of_a_tree_are_alike():
    A = taxonomy()
    wanted = TreeEmbedding().fit_transform(A)
    for form in (A + A.T, sparse.csr_array(A), sparse.csc_matrix(A.T)):
        assert_allclose(TreeEmbedding().fit_transform(form), wanted)
    networkx = pytest.importorskip("networkx")
    graph = networkx.from_numpy_array(A + A.T)
    assert_allclose(TreeEmbedding().fit_transform(graph), wanted)


def test_far_trees_cycles_and_bad_edges():
    A = taxonomy()
    with pytest.warns(UserWarning, match="radius 27"):
        TreeEmbedding(scale=9.0).fit(A)
    with pytest.raises(ValueError, match="radius 39"):
        TreeEmbedding(scale=13.0).fit(A)
    with pytest.warns(UserWarning, match="cycles or loops: 1 of 3"):
        TreeEmbedding().fit(np.ones((3, 3)) - np.eye(3))
    with pytest.raises(ValueError, match="2 components, the largest with 2"):
        TreeEmbedding().fit([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="Negative"):
        TreeEmbedding().fit([[0.0, -1.0], [0.0, 0.0]])
    zero = sparse.csr_array(([0.0], ([0], [1])), shape=(2, 2))
    with pytest.raises(ValueError, match="positive"):
        TreeEmbedding().fit(zero)
    with pytest.raises(ValueError, match="differ"):
        TreeEmbedding().fit([[0.0, 1.0], [2.0, 0.0]])
    with pytest.raises(ValueError, match="root=5"):
        TreeEmbedding(root=5).fit([[0.0, 1.0], [0.0, 0.0]])


def random_tree(seed, n=14):
    """Weights of a random tree, from parents to children; node 0 is the root."""
    rng = np.random.default_rng(seed)
    A = np.zeros((n, n))
    for v in range(1, n):
        A[rng.integers(v), v] = rng.uniform(0.5, 2.0)
    return A


@given(st.integers(0, 2**32 - 1))
def test_numbers_of_nodes_only_order_siblings(seed):
    A = random_tree(seed)
    order = np.random.default_rng(seed).permutation(len(A))
    shuffled = A[np.ix_(order, order)]
    root = int(np.flatnonzero(order == 0)[0])
    one = TreeEmbedding(scale=1.5).fit(A)
    two = TreeEmbedding(scale=1.5, root=root).fit(shuffled)
    assert_allclose(two.depth_, one.depth_[order])
    known = one.parent_[order]
    assert_array_equal(np.where(known < 0, -1, order[two.parent_]), known)
    by_level = spanning_tree(read_edges(A), len(A), 0).order  # siblings in order
    three = TreeEmbedding(scale=1.5).fit(A[np.ix_(by_level, by_level)])
    assert_allclose(three.embedding_, one.embedding_[by_level], rtol=1e-12)
    D, found = shortest_path(A, directed=False), one.distances()
    assert_array_equal(found, found.T)
    assert (found <= D * (1.0 + 1e-12)).all()  # only shortened
    edge = A > 0.0
    assert_allclose(found[edge], A[edge], rtol=1e-12)
    assert_allclose(hyperbolic(one.embedding_) / 1.5, found, atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_units_go_into_the_scale(seed, unit):
    A = random_tree(seed)
    one, two = TreeEmbedding().fit(A), TreeEmbedding().fit(unit * A)
    assert_allclose(two.scale_ * unit, one.scale_, rtol=1e-12)
    assert_allclose(two.embedding_[:, 0], one.embedding_[:, 0], rtol=1e-9)
    assert_allclose(two.distances(), unit * one.distances(), rtol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_the_centre_has_the_least_radius(seed):
    A = random_tree(seed)
    D = shortest_path(A, directed=False)
    tree = TreeEmbedding(root="center").fit(A)
    assert_allclose(tree.depth_.max(), D.max(axis=1).min())
    assert_allclose(tree.depth_, D[tree.root_])


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
def test_the_guarantee_holds_for_weighted_trees(epsilon):
    for seed in range(5):
        A = random_tree(seed)
        tree = spanning_tree(read_edges(A), len(A), 0)
        degree = int(((A + A.T) > 0).sum(axis=1).max())
        tau = scale_for_distortion(epsilon, degree, A[A > 0].min())
        found = exact_distances(tree, tau) / tau
        D = shortest_path(A, directed=False)
        assert worst_case_distortion(found, D) <= 1.0 + epsilon
    # of both bounds the second decides where epsilon is huge
    beta = np.pi / 3.6
    alpha = 2.0 * np.pi / 3.0 - 2.0 * beta
    wanted = -2.0 * np.log(np.tan(alpha / 2.0)) / 0.5
    assert_allclose(scale_for_distortion(1e9, 3, 0.5), wanted, rtol=1e-7)


def test_the_largest_degree_sets_the_scale():
    path = TreeEmbedding(scale=None, epsilon=1.0).fit(np.diag([2.0, 3.0], k=1))
    assert_allclose(path.scale_, scale_for_distortion(1.0, 2, 2.0), rtol=1e-12)


def test_errors_of_coordinates_grow_as_told():
    A = reference.balanced_tree(2, 4)
    one, large = TreeEmbedding().fit(A), TreeEmbedding().fit(1024.0 * A)
    assert large.expected_error_ == 1024.0 * one.expected_error_ > 0.0
    errors = []
    for radius in (8.0, 14.0, 20.0, 24.0):
        tree = TreeEmbedding(scale=radius / 4.0).fit(A)
        found = hyperbolic(tree.embedding_) / tree.scale_
        errors.append(np.abs(found - tree.distances()).max())
        assert errors[-1] <= 10.0 * tree.expected_error_ + 1e-13
    assert errors[1] < 1e-11
    assert errors[3] < 1e-8
    assert errors[3] > errors[1]


def test_far_trees_tell_what_is_lost():
    with pytest.warns(UserWarning, match="exact to rounding. Take scale at most 24,"):
        TreeEmbedding(scale=30.0).fit(np.diag([1.0], k=1))
    with pytest.warns(UserWarning, match=r"miss distances of neighbours by up to \d"):
        far = TreeEmbedding(scale=7.5).fit(reference.balanced_tree(3, 4))
    assert far.expected_error_ > 1e-12
    D = shortest_path(reference.balanced_tree(3, 4), directed=False)
    assert average_distortion(far.distances(), D) < 0.05
    assert graph_map(far.distances(), D == 1.0) == 1.0


def test_deep_trees_do_not_recurse():
    n = 3000
    path = sparse.diags_array([np.ones(n - 1)], offsets=[1], shape=(n, n)).tocsr()
    tree = TreeEmbedding().fit(path)
    assert_allclose(tree.depth_, np.arange(n))
    assert_allclose(tree.distances()[0], np.arange(n), rtol=1e-9)
    assert_allclose(tree.embedding_[-1, 0], np.cosh(24.0), rtol=1e-9)


def test_breadth_first_tree_of_a_graph():
    A, D = reference.karate_club()
    with pytest.warns(UserWarning, match="cycles or loops: 45 of 78 edges"):
        tree = TreeEmbedding().fit(A)
    assert_array_equal(tree.depth_, D[0])  # shortest paths from the root
    nodes = np.arange(1, 34)
    assert (A[nodes, tree.parent_[nodes]] == 1.0).all()
    with pytest.warns(UserWarning, match="1 of 2 edges"):
        TreeEmbedding().fit([[1.0, 1.0], [0.0, 0.0]])


def test_one_node_and_one_edge():
    for scale in ("float64", None, 2.0):
        lone = TreeEmbedding(scale=scale).fit([[0.0]])
        assert_array_equal(lone.embedding_, [[1.0, 0.0, 0.0]])
        assert_array_equal(lone.distances(), [[0.0]])
    pair = TreeEmbedding(scale=None, epsilon=0.1).fit([[0.0, 3.0], [0.0, 0.0]])
    assert_allclose(pair.distances(), [[0.0, 3.0], [3.0, 0.0]])


def test_copies_behave_alike():
    A = taxonomy()
    tree = TreeEmbedding(root=np.int64(2)).fit(A)
    assert tree.root_ == 2
    for other in (pickle.loads(pickle.dumps(tree)), clone(tree).fit(A)):
        assert_array_equal(other.embedding_, tree.embedding_)
        assert_array_equal(other.distances(), tree.distances())
    names = [f"treeembedding{i}" for i in range(3)]
    assert list(tree.get_feature_names_out()) == names
    assert TreeEmbedding(root=True).fit(A).root_ == 1  # an integer to Python
    assert not hasattr(tree, "transform")


@pytest.mark.parametrize("kind", ["undirected", "directed"])
def test_networkx_graphs(kind):
    networkx = pytest.importorskip("networkx")
    edges = [("r", "a", 1.0), ("r", "b", 2.0), ("b", "c", 0.5)]
    graph = networkx.DiGraph() if kind == "directed" else networkx.Graph()
    graph.add_weighted_edges_from(edges)
    A = np.zeros((4, 4))
    A[0, 1], A[0, 2], A[2, 3] = 1.0, 2.0, 0.5
    assert_array_equal(
        TreeEmbedding().fit(graph).embedding_, TreeEmbedding().fit(A).embedding_
    )
    unweighted = networkx.Graph([(0, 1), (0, 2), (2, 3)])
    assert_array_equal(
        TreeEmbedding(scale=2.0).fit(unweighted).embedding_,
        TreeEmbedding(scale=2.0).fit((A > 0).astype(float)).embedding_,
    )
    with pytest.raises(ValueError, match="parallel edges"):
        TreeEmbedding().fit(networkx.MultiGraph([(0, 1), (0, 1)]))
    graph.add_edge("x", "y", weight=1.0)
    with pytest.raises(ValueError, match="2 components, the largest with 4 of 6"):
        TreeEmbedding().fit(graph)


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "NaN"), (np.inf, "infinity"), (-1.0, r"X\[0, 1\]=-1")],
)
def test_bad_lengths(value, message):
    for form in (np.asarray, sparse.csr_array):
        with pytest.raises(ValueError, match=message):
            TreeEmbedding().fit(form([[0.0, value], [0.0, 0.0]]))


def test_bad_shapes_and_options():
    with pytest.raises(ValueError, match=r"square .* got shape \(2, 3\)"):
        TreeEmbedding().fit(np.ones((2, 3)))
    for options in ({"scale": 0.0}, {"epsilon": 0.0}, {"root": -1}, {"root": "top"}):
        with pytest.raises(ValueError, match="parameter of TreeEmbedding"):
            TreeEmbedding(**options).fit(taxonomy())
