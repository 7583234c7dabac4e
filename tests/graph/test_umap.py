"""umap-learn: its graph is ours, and it runs on our neighbours."""

import warnings

import numpy as np
import pytest
from numba import config
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.graph import fuzzy_affinity, nearest_neighbors, to_umap_knn
from geolearn.metrics import pairwise_distances
from tests.reference import graph as reference

X = np.random.default_rng(0).normal(size=(120, 3))
HYPERBOLIC = reference.hyperboloid(X)


class Curved:
    """A manifold that names its kernel."""

    def dist(self, x, y):
        raise AssertionError("the kernel must be used")

    def kernel_metric(self):
        return "hyperboloid", {"curvature": -1.0}


@pytest.fixture(scope="module")
def umap():
    if config.DISABLE_JIT:
        pytest.skip("umap-learn needs the compiler")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of its own imports
        return pytest.importorskip("umap")


@pytest.mark.parametrize("metric", ["euclidean", "hyperboloid", Curved()])
def test_form(metric):
    points = X if metric == "euclidean" else HYPERBOLIC
    indices, distances, index = to_umap_knn(points, 8, metric=metric)
    expected = nearest_neighbors(points, 7, metric=metric)
    assert index is None
    assert indices.shape == distances.shape == (120, 8)
    assert indices.dtype == np.int32
    assert_array_equal(indices[:, 0], np.arange(120))
    assert_array_equal(indices[:, 1:], expected[1])
    assert_array_equal(distances[:, 0], 0)
    assert_array_equal(distances[:, 1:], expected[0])


def test_precomputed():
    D = pairwise_distances(HYPERBOLIC, metric="hyperboloid")
    found = to_umap_knn(D, 8, metric="precomputed")
    expected = to_umap_knn(HYPERBOLIC, 8, metric="hyperboloid")
    assert_array_equal(found[0], expected[0])
    assert_allclose(found[1], expected[1], rtol=1e-12)


def test_errors():
    with pytest.raises(ValueError, match="counts the sample itself"):
        to_umap_knn(X, 1)
    with pytest.raises(ValueError, match="no search index over precomputed"):
        to_umap_knn(np.zeros((5, 5)), 3, metric="precomputed", search_index=True)


@pytest.mark.slow
@pytest.mark.parametrize("k", [3, 9, 14])
def test_the_fuzzy_graph_is_that_of_umap(umap, k):
    indices, distances, _ = to_umap_knn(X, k + 1)
    theirs, _, _ = umap.umap_.fuzzy_simplicial_set(
        X,
        k + 1,
        np.random.RandomState(0),
        "euclidean",
        knn_indices=indices,
        knn_dists=distances,
    )
    # Their sums are solved to 1e-5 and stored in float32.
    assert_allclose(fuzzy_affinity(X, k).toarray(), theirs.toarray(), atol=2e-5)


# Two far clouds on the hyperboloid.
FAR = reference.hyperboloid(X + np.repeat([[0.0], [9.0]], 60, axis=0))


@pytest.mark.slow
def test_umap_runs_on_hyperbolic_points(umap):
    knn = to_umap_knn(FAR, 10, metric=Curved())
    model = umap.UMAP(
        n_neighbors=10,
        precomputed_knn=knn,
        init="random",
        n_epochs=100,
        random_state=0,
        n_jobs=1,
    )
    with pytest.warns(UserWarning, match="not an NNDescent object"):
        embedding = model.fit_transform(FAR)
    assert_array_equal(model.knn_indices, knn[0])
    theirs = model.graph_.toarray()
    ours = fuzzy_affinity(FAR, 9, metric="hyperboloid").toarray()
    kept = (theirs > 0) | (ours > 0.011)  # it drops edges that no epoch samples
    assert_allclose(ours[kept], theirs[kept], atol=2e-5)
    # Neighbours in the embedding are of the same cloud.
    near = nearest_neighbors(embedding.astype(np.float64), 5)[1]
    assert np.mean((near < 60) == (np.arange(120)[:, None] < 60)) > 0.95


class Recorder:
    """Stand for pynndescent.NNDescent, which compiles half a minute for a metric."""

    def __init__(self, data, **options):
        self.data, self.options = data, options


@pytest.mark.skipif(config.DISABLE_JIT, reason="pynndescent needs the compiler")
@pytest.mark.parametrize(
    ("metric", "params", "points"),
    [
        ("hyperboloid", {"curvature": -1.0}, HYPERBOLIC),
        (Curved(), {"curvature": -1.0}, HYPERBOLIC),
        ("sphere", {"radius": 1.0}, X / np.linalg.norm(X, axis=1, keepdims=True)),
        ("euclidean", {}, X),
    ],
)
def test_search_index_measures_the_metric(monkeypatch, metric, params, points):
    monkeypatch.setattr("pynndescent.NNDescent", Recorder)
    index = to_umap_knn(points, 10, metric=metric, search_index=True)[2]
    assert_array_equal(
        index.data, points.astype(np.float32)
    )  # queries come as they are
    function, given = index.options["metric"], index.options["metric_kwds"]
    if metric == "euclidean":
        assert (function, given) == ("euclidean", None)
        return
    assert given == params
    name = metric if isinstance(metric, str) else "hyperboloid"
    expected = pairwise_distances(points[:1], points[1:2], name)[0, 0]
    assert_allclose(function(points[0], points[1], *given.values()), expected)
