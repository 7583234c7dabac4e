"""The spanning tree and its scaled length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolearn.diagnostics import (
    aggregate_dimension,
    local_intrinsic_dimension,
    mst_uniformity,
)
from geolearn.diagnostics._neighborhoods import distinct_sample
from geolearn.diagnostics._spanning_tree import spanning_tree_lengths
from geolearn.manifolds import Torus
from tests.reference import diagnostics as reference


def length(X, **options):
    """Return the length of the tree: in dimension 1 nothing is divided off."""
    return mst_uniformity(X, intrinsic_dim=1, **options)


@pytest.mark.parametrize("n_features", [1, 2, 5, 20])
def test_the_tree_is_shortest(n_features):
    X = np.random.default_rng(n_features).normal(size=(250, n_features))
    D = reference.distances(X, X)
    expected = reference.spanning_tree_length(D)
    assert length(X) == pytest.approx(expected, rel=1e-12)
    assert length(D, metric="precomputed") == pytest.approx(expected, rel=1e-12)
    assert length(X, n_jobs=2) == length(X)
    assert len(spanning_tree_lengths(distinct_sample(X))) == 249


@pytest.mark.parametrize("metric", ["euclidean", "precomputed", "cityblock"])
def test_clusters_that_lists_of_neighbours_do_not_leave(metric):
    rng = np.random.default_rng(0)
    sizes = (60, 20, 17, 40, 3, 1)
    X = np.vstack([rng.normal(size=(n, 2)) + rng.normal(size=2) * 200.0 for n in sizes])
    D = reference.distances(X, X)
    if metric == "cityblock":
        D = np.abs(X[:, None] - X[None]).sum(axis=2)
    expected = reference.spanning_tree_length(D)
    found = length(D if metric == "precomputed" else X, metric=metric)
    assert found == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 2**31), st.integers(2, 70), st.integers(1, 3), st.integers(2, 9))
def test_ties_close_no_cycle(seed, n, n_features, n_values):
    X = np.random.default_rng(seed).integers(n_values, size=(n, n_features)) * 1.0
    X[0] = -1.0  # at least two distinct points
    D = reference.distances(X, X)
    expected = reference.spanning_tree_length(D)
    assert length(X) == pytest.approx(expected, rel=1e-12)
    assert length(D, metric="precomputed") == pytest.approx(expected, rel=1e-12)


def test_points_that_the_metric_does_not_tell_apart():
    torus = Torus(1)
    angles = np.array([[0.0], [2.0 * np.pi], [1.0], [3.0]])
    assert length(angles, metric=torus) == pytest.approx(3.0)


def test_constant_of_the_uniform_square():
    rng = np.random.default_rng(0)
    for n, repeats, tolerance in ((500, 12, 0.01), (2000, 4, 0.008)):
        values = [
            mst_uniformity(rng.uniform(size=(n, 2)), intrinsic_dim=2)
            for _ in range(repeats)
        ]
        assert np.mean(values) == pytest.approx(0.656, abs=tolerance)


def test_clusters_and_repeats_are_less_uniform():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(600, 2))
    uniform = mst_uniformity(X, intrinsic_dim=2)
    repeated = mst_uniformity(np.repeat(X[:300], 2, axis=0), intrinsic_dim=2)
    assert repeated == pytest.approx(uniform / np.sqrt(2.0), rel=0.1)
    assert mst_uniformity(X**4, intrinsic_dim=2) < 0.8 * uniform


def test_scale_and_dimension():
    X = np.random.default_rng(0).uniform(size=(400, 3))
    value = mst_uniformity(X, intrinsic_dim=3)
    assert mst_uniformity(1e-12 * X, intrinsic_dim=3) == pytest.approx(1e-12 * value)
    assert value == pytest.approx(length(X) / 400 ** (2 / 3))
    estimate = aggregate_dimension(local_intrinsic_dimension(X))
    assert mst_uniformity(X) == mst_uniformity(X, intrinsic_dim=estimate)


def test_bad_input_is_named():
    from scipy import sparse

    with pytest.raises(ValueError, match="intrinsic_dim must be a number"):
        mst_uniformity(np.eye(3), intrinsic_dim=0.5)
    with pytest.raises(ValueError, match="All points are equal"):
        mst_uniformity(np.ones((4, 2)), intrinsic_dim=2)
    with (
        pytest.warns(UserWarning, match="no estimate"),
        pytest.raises(ValueError, match=r"8 points .* equally far; pass intrinsic_dim"),
    ):
        mst_uniformity(np.eye(8))
    with pytest.raises(ValueError, match=r"3 distinct points .* pass intrinsic_dim"):
        mst_uniformity(np.eye(3))
    graph = sparse.csr_array(np.ones((3, 3)))
    with pytest.raises(ValueError, match="instead of a sparse graph"):
        mst_uniformity(graph, metric="precomputed")
