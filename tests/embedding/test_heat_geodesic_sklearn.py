"""HeatGeodesicEmbedding among the tools of scikit-learn."""

import logging
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from geolearn.embedding import HeatGeodesicEmbedding
from geolearn.manifolds import Sphere
from geolearn.metrics import pairwise_distances

N = 60
NAMES = ["heatgeodesicembedding0", "heatgeodesicembedding1"]


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).uniform(size=(N, 3)) * [4.0, 2.0, 1.0]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:240], y[:240]


def embedder(**options):
    defaults = {"n_neighbors": 6, "t": 5.0, "mds_max_iter": 3000, "random_state": 0}
    return HeatGeodesicEmbedding(**{**defaults, **options})


def test_parameters():
    heat = embedder(metric=Sphere(2), mds_weights="heat")
    assert repr(heat).startswith("HeatGeodesicEmbedding(")
    assert clone(heat).get_params()["mds_weights"] == "heat"
    assert set(HeatGeodesicEmbedding().get_params()) <= set(heat.get_params())
    weights = np.ones((3, 3))
    assert_array_equal(clone(embedder(mds_weights=weights)).mds_weights, weights)
    heat.set_params(t=[1.0, 2.0], n_landmarks=7)
    assert heat.t == [1.0, 2.0]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(X, library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({name: X[:, i] for i, name in enumerate("abc")})
    heat = embedder().set_output(transform=library)
    Y = heat.fit_transform(frame)
    assert isinstance(Y, frames.DataFrame)
    assert list(Y.columns) == NAMES
    assert_array_equal(heat.feature_names_in_, ["a", "b", "c"])
    assert_array_equal(heat.get_feature_names_out(), NAMES)
    assert isinstance(heat.embedding_, np.ndarray)
    assert isinstance(heat.transform(frame), frames.DataFrame)
    assert_array_equal(np.asarray(heat.transform(frame)), heat.embedding_)
    assert_array_equal(heat.embedding_, embedder().fit(X).embedding_)
    with pytest.raises(ValueError, match="feature names should match"):
        heat.transform(frame[["a", "c", "b"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        heat.transform(X)


@pytest.mark.parametrize("options", [{}, {"n_landmarks": 12}], ids=str)
def test_pandas_output_set_globally(X, options):
    pandas = pytest.importorskip("pandas")
    expected = embedder(**options).fit(X)
    with config_context(transform_output="pandas"):
        heat = embedder(**options)
        Y = heat.fit_transform(X)
        assert isinstance(Y, pandas.DataFrame)
        assert isinstance(heat.transform(X), pandas.DataFrame)
        assert isinstance(heat.embedding_, np.ndarray)
        assert isinstance(heat.dissimilarity(), np.ndarray)
    assert_array_equal(heat.embedding_, expected.embedding_)


def test_lists(X):
    heat = embedder().fit(X.tolist())
    assert_array_equal(heat.embedding_, embedder().fit(X).embedding_)
    assert_array_equal(heat.transform(X.tolist()), heat.embedding_)


def test_fit_transform_is_fit(X):
    for options in ({}, {"n_landmarks": 12}, {"extension": "average"}):
        heat = embedder(**options)
        Y = heat.fit_transform(X)
        assert_array_equal(Y, heat.embedding_)
        assert_array_equal(Y, embedder(**options).fit(X).transform(X))


def test_pipeline_of_digits(digits):
    X, y = digits
    model = make_pipeline(
        StandardScaler(), PCA(50), HeatGeodesicEmbedding(random_state=0)
    )
    Y = model.fit_transform(X[:180])
    assert Y.shape == (180, 2)
    # PCA.transform rounds otherwise than PCA.fit_transform
    assert_array_equal(model.transform(X[:180]), Y)
    model = make_pipeline(model, KNeighborsClassifier(5))
    assert model.fit(X[:180], y[:180]).score(X[180:], y[180:]) > 0.6


@pytest.mark.filterwarnings("ignore:The neighbour graph has")
def test_grid_search(digits):
    X, y = digits
    model = make_pipeline(
        embedder(n_components=3, mds_tol=1e-5), KNeighborsClassifier(3)
    )
    grid = {
        "heatgeodesicembedding__t": [5.0, "relaxation", [5.0, 20.0]],
        "heatgeodesicembedding__metric": ["euclidean", "cosine"],
    }
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    assert search.best_score_ > 0.6
    scores = cross_val_score(search.best_estimator_, X, y, cv=3)
    assert_allclose(scores.mean(), search.best_score_)


def test_grid_search_over_manifolds():
    rng = np.random.default_rng(0)
    V = rng.standard_normal((90, 3))
    V /= np.linalg.norm(V, axis=1)[:, None]
    y = V[:, 2] > 0
    model = make_pipeline(embedder(), KNeighborsClassifier(3))
    grid = {"heatgeodesicembedding__metric": [Sphere(2), "sphere", "euclidean"]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(V, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] == scores[1]
    assert scores.min() > 0.7


@pytest.mark.filterwarnings("ignore:The neighbour graph has")
def test_cross_validation_of_precomputed_distances(digits):
    X, y = digits
    model = make_pipeline(embedder(), KNeighborsClassifier(3))
    expected = cross_val_score(model, X, y, cv=3, error_score="raise")
    model.set_params(heatgeodesicembedding__metric="precomputed")
    D = pairwise_distances(X)
    assert_allclose(cross_val_score(model, D, y, cv=3, error_score="raise"), expected)


def test_columns_and_unions(X):
    part = ColumnTransformer([("heat", embedder(), [0, 1])], remainder="passthrough")
    Y = part.fit_transform(X)
    assert Y.shape == (N, 3)
    assert_array_equal(Y[:, :2], embedder().fit_transform(X[:, :2]))
    assert_array_equal(part.transform(X), Y)
    union = FeatureUnion([("heat", embedder()), ("pca", PCA(1))]).fit(X)
    assert_array_equal(
        union.get_feature_names_out(),
        [*(f"heat__{name}" for name in NAMES), "pca__pca0"],
    )
    assert union.transform(X).shape == (N, 3)


def holds_compiled_code(thing, seen):
    if id(thing) in seen:
        return False
    seen.add(id(thing))
    if type(thing).__module__.startswith("numba"):
        return True
    children = []
    if isinstance(thing, dict):
        children = list(thing.values())
    elif isinstance(thing, list | tuple):
        children = list(thing)
    elif hasattr(thing, "__dict__") and not isinstance(thing, type | logging.Logger):
        children = list(vars(thing).values())
    return any(holds_compiled_code(child, seen) for child in children)


@pytest.mark.parametrize(
    "options",
    [{}, {"n_landmarks": 12}, {"t": [2.0, 9.0]}, {"metric": Sphere(2)}],
    ids=str,
)
def test_pickled_copies(X, options):
    if "metric" in options:
        X = X / np.linalg.norm(X, axis=1)[:, None]
    heat = embedder(**options).fit(X[10:])
    copy = pickle.loads(pickle.dumps(heat))
    assert_array_equal(copy.transform(X), heat.transform(X))
    assert_array_equal(copy.dissimilarity(X), heat.dissimilarity(X))
    assert_array_equal(copy.score_samples(X), heat.score_samples(X))
    assert not holds_compiled_code(heat, set())
    assert b"numba" not in pickle.dumps(heat)


def test_verbose_reports_through_logging(X, caplog, capsys):
    with caplog.at_level(logging.INFO, logger="geolearn"):
        embedder(verbose=1, n_landmarks=12).fit(X)
    text = caplog.text
    for word in ("graph of 60 nodes", "diffusion time", "landmarks scaled", "done"):
        assert word in text
    assert all(record.name.startswith("geolearn.") for record in caplog.records)
    assert capsys.readouterr().out == ""


def test_silent_by_default(X, caplog, capsys):
    with caplog.at_level(logging.DEBUG):
        embedder().fit(X).transform(X)
    assert [r for r in caplog.records if r.name.startswith("geolearn")] == []
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
