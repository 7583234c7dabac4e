"""Euclidicity among the tools of scikit-learn, and on other workers."""

import logging
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from geolearn.manifolds import Sphere
from geolearn.topology import Euclidicity, PersistentDimension


@pytest.fixture(scope="module")
def cross():
    """Two crossing lines, and whether a point is near the crossing."""
    t = np.random.default_rng(0).uniform(-1.0, 1.0, size=(2, 60))
    X = np.concatenate(
        [np.column_stack([t[0], 0 * t[0]]), np.column_stack([0 * t[1], t[1]])]
    )
    return X, np.abs(X).max(axis=1) < 0.1


def estimator(**options):
    defaults = {"n_neighbors": 15, "intrinsic_dim": 2, "n_steps": 3, "random_state": 0}
    return Euclidicity(**{**defaults, **options})


@pytest.fixture(scope="module")
def fitted(cross):
    return estimator().fit(cross[0])


def test_parameters():
    model = estimator(metric=Sphere(2), radii=(0.1, 0.2, 0.3, 0.4))
    assert clone(model).get_params() == model.get_params()
    assert repr(model).startswith("Euclidicity(")
    assert model.set_params(n_steps=7).n_steps == 7


def test_offset_and_labels(cross, fitted):
    X, _ = cross
    scores = fitted.euclidicity_
    lower, upper = np.percentile(scores, [25, 75])
    assert_allclose(fitted.offset_, -(upper + 1.5 * (upper - lower)), rtol=1e-14)
    assert_array_equal(fitted.decision_function(X), -scores - fitted.offset_)
    assert_array_equal(fitted.predict(X) == -1, -scores < fitted.offset_)
    for share in (0.1, 0.5):
        model = estimator(contamination=share)
        labels = model.fit_predict(X)
        assert model.offset_ == np.percentile(-scores, 100 * share)
        assert (labels == -1).mean() == pytest.approx(share, abs=0.01)
        assert_array_equal(labels, model.fit(X).predict(X))


def test_pickle(cross, fitted):
    X, _ = cross
    copy = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(copy.score_samples(X), -fitted.euclidicity_)


def test_scoring_leaves_the_estimator_as_it_is(cross, fitted):
    X, _ = cross
    before = pickle.dumps(fitted)
    fitted.score_samples(3.0 * X[:5])  # needs models that the sample did not
    fitted.profile(X[:5])
    assert pickle.dumps(fitted) == before


def test_seeds(cross):
    X, _ = cross
    first = estimator(random_state=1).fit(X).euclidicity_
    assert_array_equal(estimator(random_state=1).fit(X).euclidicity_, first)
    assert not np.allclose(estimator(random_state=2).fit(X).euclidicity_, first)
    free = estimator(random_state=None).fit(X)
    assert_array_equal(free.score_samples(X), -free.euclidicity_)
    fixed = [estimator(model="interval", random_state=s).fit(X) for s in (1, 2)]
    assert_array_equal(fixed[0].euclidicity_, fixed[1].euclidicity_)


def test_frames(cross):
    pandas = pytest.importorskip("pandas")
    X, _ = cross
    frame = pandas.DataFrame(X, columns=["a", "b"])
    model = estimator().fit(frame)
    assert_array_equal(model.feature_names_in_, ["a", "b"])
    assert_array_equal(model.score_samples(frame), -model.euclidicity_)
    column = PersistentDimension(15, n_steps=3).set_output(transform="pandas")
    found = column.fit_transform(frame)
    assert list(found.columns) == ["persistentdimension0"]
    assert_array_equal(column.transform(frame), found)


def test_tags():
    tags = get_tags(estimator(metric="precomputed"))
    assert tags.input_tags.pairwise
    assert tags.input_tags.positive_only
    assert tags.estimator_type == "outlier_detector"
    tags = get_tags(estimator())
    assert not tags.input_tags.pairwise
    assert not tags.input_tags.sparse
    assert not tags.non_deterministic


def test_pipeline_and_grid_search(cross):
    X, y = cross
    pipeline = make_pipeline(StandardScaler(), estimator(intrinsic_dim=1))
    pipeline.set_params(euclidicity__contamination=0.1)
    assert (pipeline.fit_predict(X) == -1).sum() == 12

    def score(model, X, y):
        return roc_auc_score(y, -model.score_samples(X))

    search = GridSearchCV(
        pipeline,
        {"euclidicity__n_neighbors": [8, 20]},
        scoring=score,
        cv=[(np.arange(120), np.arange(120))],
    ).fit(X, y)
    by_hand = [
        score(estimator(n_neighbors=k, intrinsic_dim=1).fit(X), X, y) for k in (8, 20)
    ]
    assert search.best_score_ == pytest.approx(max(by_hand), abs=0.02)
    assert search.best_score_ > 0.8


@pytest.mark.parametrize("radii", [None, (0.01, 0.2, 0.2, 0.5)], ids=str)
def test_threads(cross, radii):
    X, _ = cross
    options = {"radii": radii, "max_points": 12, "null_correction": True}
    expected = estimator(**options).fit(X)
    for n_jobs in (2, 3, -1):
        model = estimator(**options, n_jobs=n_jobs).fit(X)
        assert_array_equal(model.euclidicity_, expected.euclidicity_)
        assert_array_equal(model.score_samples(X[:3]), -expected.euclidicity_[:3])


def test_processes(cross, fitted):
    X, _ = cross
    with joblib.parallel_config(backend="loky", n_jobs=2):
        model = estimator().fit(X)
    assert_array_equal(model.euclidicity_, fitted.euclidicity_)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_dask(cross, fitted):
    distributed = pytest.importorskip("dask.distributed")
    X, _ = cross
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    )
    with cluster, distributed.Client(cluster), joblib.parallel_config(backend="dask"):
        model = estimator().fit(X)
        dimension = PersistentDimension(15, n_steps=3).fit(X)
    assert_array_equal(model.euclidicity_, fitted.euclidicity_)
    expected = PersistentDimension(15, n_steps=3).fit(X)
    assert_array_equal(dimension.local_dimension_, expected.local_dimension_)


def test_chunks_do_not_matter(cross, fitted, monkeypatch):
    X, _ = cross
    module = "geolearn.topology._euclidicity_scores."
    for name, value in {"_BLOCK": 50, "_CHUNK": 7}.items():
        monkeypatch.setattr(module + name, value)
    monkeypatch.setattr("geolearn.topology._euclidicity_diagrams._TABLE_VALUES", 500)
    monkeypatch.setattr("geolearn.topology._euclidicity_bank._KEYS_OF_A_JOB", 3)
    assert_array_equal(estimator().fit(X).euclidicity_, fitted.euclidicity_)
    grid = {"radii": (0.01, 0.2, 0.2, 0.5), "max_points": 12}
    expected = estimator(**grid).fit(X).euclidicity_
    monkeypatch.setattr("geolearn.topology._euclidicity_lists._TABLE_VALUES", 1000)
    assert_array_equal(estimator(**grid).fit(X).euclidicity_, expected)


def test_progress(cross, caplog, monkeypatch):
    X, _ = cross
    monkeypatch.setattr("geolearn.topology._euclidicity_scores._BLOCK", 50)
    with caplog.at_level(logging.INFO, logger="geolearn"):
        estimator().fit(X)
        assert not caplog.records
        estimator(verbose=1).fit(X)
        PersistentDimension(15, n_steps=3, verbose=1).fit(X)
    told = [record.getMessage().split("  ")[-1] for record in caplog.records]
    assert told == 2 * [f"{n} of 120 points" for n in (50, 100, 120)]
