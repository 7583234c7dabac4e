"""TreeEmbedding: exact edges, closed forms, many digits, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from geolearn.embedding import TreeEmbedding
from geolearn.embedding._tree_embedding_graph import read_edges, spanning_tree
from geolearn.embedding._tree_embedding_layout import (
    exact_distances,
    scale_for_distortion,
)
from geolearn.metrics import (
    average_distortion,
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
    with pytest.warns(UserWarning, match="cycles: 1 of 3"):
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
