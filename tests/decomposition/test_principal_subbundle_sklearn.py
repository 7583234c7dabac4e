"""PrincipalSubbundle as an estimator: output, copies, pipelines, searches."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from geolearn.decomposition import PrincipalSubbundle
from geolearn.manifolds import Sphere

QUICK = {"bandwidth": 0.25}


def band(n=120, noise=0.02, seed=0):
    """Return noisy points of a bent band, and their position along it."""
    rng = np.random.default_rng(seed)
    t, h = rng.uniform(-1.2, 1.2, n), rng.uniform(0.0, 1.0, n)
    X = np.column_stack([np.sin(t), h, np.cos(t)])
    return X + noise * rng.normal(size=X.shape), t


@pytest.fixture(scope="module")
def fitted():
    X, _ = band()
    return PrincipalSubbundle(**QUICK).fit(X), X


def test_columns_have_names(fitted):
    pandas = pytest.importorskip("pandas")
    _, X = fitted
    frame = pandas.DataFrame(X, columns=list("abc"))
    names = ["principalsubbundle0", "principalsubbundle1"]
    model = PrincipalSubbundle(**QUICK).set_output(transform="pandas")
    out = model.fit_transform(frame)
    assert list(out.columns) == names == list(model.get_feature_names_out())
    assert list(model.transform(frame[:3]).columns) == names
    assert list(model.feature_names_in_) == list("abc")
    distances = model.distance(frame[:2], frame[2:4])
    assert isinstance(distances, np.ndarray)
    assert isinstance(model.log(frame[:2]), np.ndarray)


def test_base_points_need_no_names():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(band()[0], columns=["a", "b", "c"])
    model = PrincipalSubbundle(**QUICK).fit(X)
    surface = model.reconstruct(0.3, bases=model.base_point_[None])
    np.testing.assert_array_equal(
        model.reconstruct(0.3, bases=X.iloc[:2])[0], X.iloc[0]
    )
    np.testing.assert_array_equal(surface[0], model.base_point_)
    with pytest.raises(ValueError, match="bases has 2 features, but 3"):
        model.reconstruct(bases=[[0.0, 0.0]])


def test_global_pandas_output_does_not_reach_inside(fitted):
    pytest.importorskip("pandas")
    model, X = fitted
    with sklearn.config_context(transform_output="pandas"):
        out = PrincipalSubbundle(**QUICK).fit_transform(X)
        assert np.isfinite(model.score(X))
        assert np.isfinite(model.residuals(X[:3] + 0.01)).all()
    np.testing.assert_array_equal(out.to_numpy(), model.transform(X))


def test_copies_answer_alike_and_hold_no_compiled_code(fitted):
    model, X = fitted
    fresh = pickle.loads(pickle.dumps(PrincipalSubbundle(**QUICK).fit(X)))
    model.transform(X[:1])
    copy = pickle.loads(pickle.dumps(model))
    new = X[:5] + 0.01
    np.testing.assert_array_equal(copy.transform(new), model.transform(new))
    np.testing.assert_array_equal(fresh.transform(new), model.transform(new))
    assert b"numba" not in pickle.dumps(model)
    manifold = Sphere(2)
    assert clone(PrincipalSubbundle(manifold=manifold)).manifold is manifold


def test_parameters_and_data_stay_as_they_were(fitted):
    _, X = fitted
    model = PrincipalSubbundle(base_point=[0.0, 0.5, 1.0], n_components="auto")
    before, kept = model.get_params(), X.copy()
    X.flags.writeable = False
    model.fit_transform(X)
    X.flags.writeable = True
    np.testing.assert_array_equal(X, kept)
    assert model.get_params() == before


def test_rows_are_charted_on_their_own(fitted):
    model, X = fitted
    new = X[:6] + 0.01
    whole = model.transform(new)
    parts = np.concatenate([model.transform(row[None]) for row in new[::-1]])[::-1]
    np.testing.assert_array_equal(whole, parts)


def test_a_pipeline_transforms_and_regresses():
    X, t = band()
    line = make_pipeline(
        StandardScaler(), PrincipalSubbundle(bandwidth=0.6), KNeighborsRegressor(3)
    )
    assert line.fit(X[:90], t[:90]).score(X[90:], t[90:]) > 0.95
    alone = make_pipeline(StandardScaler(), PrincipalSubbundle(bandwidth=0.6)).fit(X)
    assert alone.transform(X[:4]).shape == (4, 2)
    back = alone.inverse_transform(alone.transform(X[:4]))
    assert np.abs(back - X[:4]).max() < 0.4  # noise and smoothing


def test_grid_search_over_bandwidths_minimises_the_residual():
    X, _ = band(90, noise=0.05)
    grid = {"bandwidth": [0.1, 0.3, 0.9]}
    search = GridSearchCV(PrincipalSubbundle(), grid, cv=2, error_score="raise")
    with (
        pytest.warns(UserWarning, match="spacing|effective number"),
        pytest.warns(UserWarning, match="get no coordinates"),
    ):
        search.fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert search.best_params_ == {"bandwidth": 0.3}
    assert -(0.15**2) < scores[1] < 0.0


def test_metadata_routing_brings_weights():
    X, _ = band(60)
    weight = np.linspace(0.5, 2.0, 60)
    with sklearn.config_context(enable_metadata_routing=True):
        model = PrincipalSubbundle(**QUICK).set_fit_request(sample_weight=True)
        line = make_pipeline(model).fit(X, sample_weight=weight)
    alone = PrincipalSubbundle(**QUICK).fit(X, sample_weight=weight)
    np.testing.assert_array_equal(line[0].spectrum_, alone.spectrum_)
    plain = PrincipalSubbundle(**QUICK).fit(X)
    assert not np.array_equal(plain.spectrum_, alone.spectrum_)


def test_float32_is_computed_in_float64(fitted):
    model, X = fitted
    V = PrincipalSubbundle(**QUICK).fit_transform(X.astype(np.float32))
    assert V.dtype == np.float64
    np.testing.assert_allclose(V, model.transform(X), atol=1e-4)
