import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from geolearn.graph import _components as module
from geolearn.graph import (
    alpha_decay_affinity,
    check_affinity,
    connect_components,
    connected_components,
)
from geolearn.metrics import pairwise_distances
from tests.reference import graph as reference


def blobs(seed, sizes=(6, 1, 9, 4), width=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(sum(sizes), width))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    X[:, 0] += 30 * rng.permutation(len(sizes))[labels]
    order = rng.permutation(len(X))
    labels = labels[order]
    W = (labels[:, None] == labels) * 1.0
    return X[order], W


def added(W, connected):
    i, j = np.nonzero(np.triu((connected - check_affinity(W)).toarray()))
    return sorted(zip(i.tolist(), j.tolist(), strict=True))


def test_labels_in_order_of_first_nodes():
    W = np.zeros((6, 6))
    W[0, 3] = W[3, 0] = W[1, 5] = W[5, 1] = 1e-300
    n_components, labels = connected_components(W)
    assert n_components == 4
    assert_array_equal(labels, [0, 1, 2, 0, 3, 1])
    assert connected_components(sparse.csr_matrix(W))[0] == 4


@given(seed=st.integers(0, 1000))
def test_bridges_are_the_spanning_tree(seed):
    X, W = blobs(seed)
    D = pairwise_distances(X)
    labels = connected_components(W)[1]
    connected = connect_components(W, labels, X)
    assert added(W, connected) == reference.bridges(D, labels)
    assert connected_components(connected)[0] == 1
    new = connected - check_affinity(W)
    assert_allclose(new.data[new.data > 0], np.exp(-1))
    assert_array_equal(connected.toarray(), connected.toarray().T)
    from_distances = connect_components(W, None, D, metric="precomputed")
    assert_array_equal(from_distances.toarray(), connected.toarray())


@pytest.mark.parametrize("largest_small_component", [0, 3, 64])
def test_every_search_finds_the_same_edges(monkeypatch, largest_small_component):
    X, _ = blobs(0, (40, 3, 30, 20, 5, 1))
    W, _ = alpha_decay_affinity(X, 2)
    labels = connected_components(W)[1]
    expected = reference.bridges(pairwise_distances(X), labels)
    monkeypatch.setattr(module, "_MAX_SMALL", largest_small_component)
    assert added(W, connect_components(W, labels, X)) == expected
    monkeypatch.setattr(module, "suits_tree", lambda *a: False)
    for n_jobs in (1, 2):
        assert added(W, connect_components(W, labels, X, n_jobs=n_jobs)) == expected


def test_curved_metric():
    X, W = blobs(0, width=3)
    X = reference.hyperboloid(X / 10)
    D = pairwise_distances(X, metric="hyperboloid")
    labels = connected_components(W)[1]
    connected = connect_components(W, labels, X, metric="hyperboloid")
    assert added(W, connected) == reference.bridges(D, labels)


def test_ties_close_no_cycle():
    # The corners of a square: four equal candidates, three edges.
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    for metric, points in (("euclidean", X), ("precomputed", pairwise_distances(X))):
        connected = connect_components(np.zeros((4, 4)), None, points, metric=metric)
        assert connected.nnz == 6
        assert connected_components(connected)[0] == 1


def test_a_connected_graph_stays():
    W = np.ones((4, 4)) - np.eye(4)
    assert_array_equal(connect_components(W, None, np.eye(4)).toarray(), W)


def test_errors():
    X, W = blobs(0)
    labels = connected_components(W)[1]
    with pytest.raises(ValueError, match="20 nodes, but X has 19 rows"):
        connect_components(W, labels, X[:-1])
    with pytest.raises(ValueError, match=r"labels have shape \(3,\)"):
        connect_components(W, labels[:3], X)
    with pytest.raises(ValueError, match="sparse distance graph"):
        connect_components(W, labels, sparse.csr_array(W), metric="precomputed")
    with pytest.raises(ValueError, match="square"):
        connect_components(W, labels, X, metric="precomputed")
    D = np.where(W > 0, 1.0, np.inf)
    with pytest.raises(ValueError, match="infinitely far apart"):
        connect_components(W, labels, D, metric="precomputed")
