"""The kernels as `metric=` of pynndescent, umap-learn and scikit-learn."""

import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from packaging.version import Version
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from geolearn.metrics import get_metric, kneighbors, pairwise_distances, sphere
from tests.metrics.samples import CASES, IDS, points


def keywords(name, params):
    """Return the keyword arguments of the scalar kernel."""
    metric = get_metric(name)
    if name == "product":
        return {"signature": metric.pack(metric.options(params))}
    return dict(params)


def frozen(X, dtype):
    X = X.astype(dtype)
    X.flags.writeable = False
    return X


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
def test_scikit_learn_neighbors(name, params, dtype):
    X = points(name, 40, 3, np.random.default_rng(0), **params)
    search = NearestNeighbors(
        n_neighbors=5,
        metric=get_metric(name).distance,
        metric_params=keywords(name, params),
    ).fit(frozen(X, dtype))
    distances, indices = search.kneighbors()
    expected = kneighbors(X, metric=name, metric_params=params)
    tolerance = 1e-13 if dtype == np.float64 else 1e-5
    assert_allclose(distances, expected[0], rtol=tolerance)
    assert_array_equal(indices, expected[1])


def test_scikit_learn_ball_tree_and_classifier():
    X = points("sphere", 60, 2, np.random.default_rng(1))
    y = X[:, 0] > 0
    model = KNeighborsClassifier(3, metric=sphere.distance, algorithm="ball_tree")
    assert model.fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
def test_compiled_callers(name, params, dtype):
    # pynndescent, umap-learn and hdbscan call the metric from compiled code, with or
    # without its parameters, on rows of read-only arrays.
    distance = get_metric(name).distance
    arguments = tuple(keywords(name, params).values())

    @numba.njit
    def caller(X):
        out = np.empty((X.shape[0], X.shape[0]), dtype=np.float32)
        for i in range(X.shape[0]):
            for j in range(X.shape[0]):
                out[i, j] = distance(X[i], X[j], *arguments)
        return out

    X = points(name, 8, 3, np.random.default_rng(2), **params)
    D = pairwise_distances(X, metric=name, metric_params=params)
    assert_allclose(caller(frozen(X, dtype)), D, rtol=1e-4, atol=1e-4)


# The last case of every metric: with parameters where it has some.
EVERY_METRIC = list({name: (name, params) for name, params in CASES}.values())
EVERY_ID = [name for name, _ in EVERY_METRIC]
# pynndescent compiles itself anew for each metric, up to a minute long: no parameter,
# a number, and an array. `test_compiled_callers` has all metrics.
COSTLY_NAMES = {"euclidean", "hyperboloid", "product"}
COSTLY = [case for case in EVERY_METRIC if case[0] in COSTLY_NAMES]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "params"), COSTLY, ids=[name for name, _ in COSTLY])
def test_pynndescent(name, params):
    import pynndescent
    from pynndescent import NNDescent

    X = points(name, 200, 3, np.random.default_rng(3), **params)
    D = pairwise_distances(X, metric=name, metric_params=params)
    _, exact = kneighbors(X, n_neighbors=5, metric=name, metric_params=params)
    # Its old versions take writeable float32 arrays only, whatever the metric.
    old = Version(pynndescent.__version__) < Version("0.6")
    for dtype in (np.float32, np.float64):
        index = NNDescent(
            X.astype(dtype) if old else frozen(X, dtype),
            metric=get_metric(name).distance,
            metric_kwds=keywords(name, params),
            n_neighbors=6,
            random_state=0,
        )
        found, distances = index.neighbor_graph
        true = np.take_along_axis(D, found, axis=1)
        assert_allclose(distances, true, rtol=1e-3, atol=1e-3)
        # the search is approximate: it may miss a few of the nearest
        hits = [
            np.isin(row, near).sum() for row, near in zip(found, exact, strict=True)
        ]
        assert np.mean(hits) > 0.9 * 5


@pytest.mark.slow
# umap-learn warns of its own: the seed overrides n_jobs, small data have no index.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("name", "params"), EVERY_METRIC, ids=EVERY_ID)
def test_umap(name, params):
    umap = pytest.importorskip("umap")
    X = points(name, 40, 2, np.random.default_rng(4), **params)
    for dtype in (np.float32, np.float64):
        model = umap.UMAP(
            n_neighbors=5,
            metric=get_metric(name).distance,
            metric_kwds=keywords(name, params),
            n_epochs=5,
            random_state=0,
            init="random",
        )
        assert np.isfinite(model.fit_transform(frozen(X, dtype))).all()
