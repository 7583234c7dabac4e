import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse.csgraph import dijkstra

from geolearn.datasets import make_branching_tree
from tests.reference import datasets as reference

# Last point of the benchmark's own scripts: seed 42, 5 branches of 500 points,
# 10 features, noise level 0.5.
GOLDEN_TREE = [2.4036272182931437, 36.85673192621746, 14.637241058481266]


def test_tree_matches_reference():
    data = make_branching_tree(
        3,
        25,
        4,
        noise=0.2,
        random_state=11,
        return_geodesics=True,
        return_X_y=False,
    )
    X, clean, parent = reference.tree(11, 3, 25, 4, 0.2)
    assert set(data) == {"X", "y", "clean", "parent", "graph", "geodesics"}
    assert_allclose(data.X, X, rtol=1e-12, atol=1e-12)
    assert_allclose(data.clean, clean, rtol=1e-12, atol=1e-12)
    assert_array_equal(data.parent, parent)
    assert_array_equal(data.y, np.arange(75) // 25)
    expected = reference.union_graph_distances(clean, 10)
    assert_allclose(data.geodesics, expected, rtol=1e-12)


def test_published_input():
    X, _ = make_branching_tree(5, 500, 10, noise=0.5, random_state=42)
    assert_array_equal(X[-1, :3], GOLDEN_TREE)


def test_forms_agree():
    kwargs = {"n_per_branch": 20, "noise": 0.1, "random_state": 0}
    X, y = make_branching_tree(**kwargs)
    X2, y2, G = make_branching_tree(return_geodesics=True, **kwargs)
    data = make_branching_tree(return_X_y=False, **kwargs)
    assert X.shape == (100, 10)
    assert X.flags.c_contiguous
    for other in (X2, data.X):
        assert_array_equal(X, other)
    assert_array_equal(y, y2)
    assert_array_equal(y, data.y)
    assert_allclose(G[3], dijkstra(data.graph, indices=3), rtol=1e-15)


def test_noise_is_ten_times_nominal():
    data = make_branching_tree(5, 400, noise=0.3, random_state=0, return_X_y=False)
    # 20 000 normal numbers: five standard errors are 2.5 %.
    assert abs((data.X - data.clean).std() / 3.0 - 1.0) < 0.025


def test_geodesics_form_a_metric():
    data = make_branching_tree(
        4, 30, 6, random_state=2, return_geodesics=True, return_X_y=False
    )
    G = data.geodesics
    chords = np.linalg.norm(data.clean[:, None] - data.clean, axis=-1)
    assert_allclose(G, G.T, rtol=1e-14)
    assert not np.diag(G).any()
    assert (chords - 1e-12 <= G).all()
    assert (G[:, None, :] + G[None, :, :] >= G[:, :, None] - 1e-9).all()


@pytest.mark.parametrize("n_features", [1, 2])
def test_disconnected_graph_is_joined_along_the_walks(n_features):
    # One neighbour leaves pairs of points apart: infinite distances, if unmended.
    data = make_branching_tree(
        3,
        40,
        n_features,
        n_neighbors=1,
        random_state=0,
        return_geodesics=True,
        return_X_y=False,
    )
    assert np.isinf(reference.union_graph_distances(data.clean, 1)).any()
    assert np.isfinite(data.geodesics).all()
    child = np.arange(1, 120)
    steps = np.linalg.norm(data.clean[child] - data.clean[data.parent[child]], axis=1)
    assert_allclose(data.graph[child, data.parent[child]], steps, rtol=1e-12)


def test_tiny_trees():
    X, y, G = make_branching_tree(1, 1, 2, random_state=0, return_geodesics=True)
    assert X.shape == (1, 2)
    assert_array_equal(G, [[0.0]])
    X, y, G = make_branching_tree(3, 1, 2, random_state=0, return_geodesics=True)
    assert_array_equal(y, [0, 1, 2])
    assert np.isfinite(G).all()


def test_random_state_kinds():
    kwargs = {"n_per_branch": 5, "noise": 0.1}
    X, _ = make_branching_tree(random_state=5, **kwargs)
    again, _ = make_branching_tree(random_state=np.random.RandomState(5), **kwargs)
    other, _ = make_branching_tree(random_state=6, **kwargs)
    assert_array_equal(X, again)
    assert not np.allclose(X, other)


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"n_branches": 0}, ValueError),
        ({"n_branches": "5"}, TypeError),
        ({"n_per_branch": 0}, ValueError),
        ({"n_features": 0}, ValueError),
        ({"n_neighbors": 0}, ValueError),
        ({"noise": -0.1}, ValueError),
        ({"noise": np.inf}, ValueError),
    ],
)
def test_errors(kwargs, error):
    with pytest.raises(error, match=next(iter(kwargs))):
        make_branching_tree(**kwargs)
