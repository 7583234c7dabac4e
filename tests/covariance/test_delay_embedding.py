"""The transformer that appends delayed copies of the channels."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from geolearn.covariance import DelayEmbedding, select_delays
from geolearn.covariance import _delay_embedding as module

SERIES = [1, 2, 4, 3, 5, 7, 6, 8]


def trials(n_trials=6, n_channels=3, n_times=120, seed=0):
    noise = np.random.default_rng(seed).normal(size=(n_trials, n_channels, n_times + 5))
    return sum(noise[:, :, k : k + n_times] for k in range(6))


X = trials()


def test_worked_example():
    Z = DelayEmbedding(3, 2).fit_transform(np.array(SERIES)[None, None])
    assert_array_equal(Z, [[[1, 2, 4, 3], [4, 3, 5, 7], [5, 7, 6, 8]]])
    covariance = np.cov(Z[0], ddof=0)
    expected = [[1.25, 0.875, 0.5], [0.875, 2.1875, 0.875], [0.5, 0.875, 1.25]]
    assert_allclose(covariance, expected, rtol=1e-14)


@pytest.mark.parametrize(("order", "lag"), [(1, 1), (1, 9), (2, 5), (4, 1), (5, 3)])
def test_definition(order, lag):
    Z = DelayEmbedding(order, lag).fit_transform(X)
    left = 120 - (order - 1) * lag
    assert Z.shape == (6, 3 * order, left)
    for t in (0, left - 1):
        parts = [X[:, :, t + k * lag] for k in range(order)]
        assert_array_equal(Z[:, :, t], np.concatenate(parts, axis=1))


def test_order_1_copies():
    Z = DelayEmbedding(1).fit_transform(X)
    assert_array_equal(Z, X)
    assert not np.shares_memory(Z, X)


def test_names():
    embedding = DelayEmbedding(2, 3).fit(X[:, :2])
    names = ["ch0_t0", "ch1_t0", "ch0_t1", "ch1_t1"]
    assert embedding.get_feature_names_out().tolist() == names
    assert embedding.get_feature_names_out().dtype == object
    named = embedding.get_feature_names_out(np.array(["C3", "C4"])).tolist()
    assert named == ["C3_t0", "C4_t0", "C3_t1", "C4_t1"]
    with pytest.raises(ValueError, match=r"3 names, but n_features_in_=2"):
        embedding.get_feature_names_out(["C3", "Cz", "C4"])


def test_names_follow_the_rows():
    Z = DelayEmbedding(3, 2).fit(X)
    rows = dict(zip(Z.get_feature_names_out(), Z.transform(X)[0], strict=True))
    assert_array_equal(rows["ch2_t1"], X[0, 2, 2:118])


def test_attributes_of_given_integers():
    embedding = DelayEmbedding(3, 2).fit(X)
    assert (embedding.order_, embedding.lag_, embedding.n_features_in_) == (3, 2, 3)
    assert embedding.mutual_information_ is None
    assert embedding.autocorrelation_ is None
    assert embedding.cao_e1_ is None


def test_selection():
    embedding = DelayEmbedding("cao", "mutual_information", max_order=9, max_lag=12)
    embedding.fit(X)
    choice = select_delays(X, "cao", "mutual_information", max_order=9, max_lag=12)
    assert (embedding.order_, embedding.lag_) == choice[:2]
    assert_array_equal(embedding.mutual_information_, choice.mutual_information)
    assert embedding.mutual_information_.shape == (12,)
    assert_array_equal(embedding.cao_e1_, choice.cao_e1)
    assert embedding.cao_e1_.shape == (9,)
    embedding.set_params(order=2, lag="autocorrelation_zero").fit(X)
    assert embedding.lag_ == 6  # windows of 6 samples: rho(6) is 0 up to noise
    assert embedding.autocorrelation_.shape == (12,)
    assert embedding.mutual_information_ is None
    assert embedding.cao_e1_ is None


def test_selection_uses_the_training_trials_only(monkeypatch):
    embedding = DelayEmbedding(2, "mutual_information").fit(X)
    lag = embedding.lag_

    def fail(*args, **kwargs):
        raise AssertionError("transform must not choose")

    monkeypatch.setattr(module, "select_delays", fail)
    Z = embedding.transform(np.random.default_rng(1).normal(size=(2, 3, 50)))
    assert Z.shape == (2, 6, 50 - lag)
    assert embedding.lag_ == lag


def test_mdop():
    embedding = DelayEmbedding("mdop", "mdop", max_lag=20).fit(X)
    assert (embedding.order_, embedding.lag_) == select_delays(
        X, "mdop", "mdop", max_lag=20
    )[:2]


def test_trials_are_independent():
    embedding = DelayEmbedding(3, 2).fit(X)
    Z = embedding.transform(X)
    assert_array_equal(embedding.transform(X[[4, 1]]), Z[[4, 1]])
    assert_array_equal(embedding.fit_transform(X), Z)


def test_input_is_kept_and_precision_too():
    data = X.astype(np.float32)
    data.flags.writeable = False
    before = data.copy()
    Z = DelayEmbedding(2).fit_transform(data)
    assert Z.dtype == np.float32
    assert_array_equal(data, before)
    assert DelayEmbedding(2).fit_transform(X).dtype == np.float64
    assert DelayEmbedding(2).fit_transform(X.astype(int)).dtype == np.float64
    listed = DelayEmbedding(2).fit_transform(X.tolist())
    assert_array_equal(listed, DelayEmbedding(2).fit_transform(X))


def test_volts():
    small = DelayEmbedding("cao", "mutual_information").fit(1e-15 * X)
    large = DelayEmbedding("cao", "mutual_information").fit(1e15 * X)
    assert (small.order_, small.lag_) == (large.order_, large.lag_)


def test_clone_and_pickle():
    embedding = DelayEmbedding("cao", 2, n_jobs=1).fit(X)
    assert clone(embedding).get_params() == embedding.get_params()
    copy = pickle.loads(pickle.dumps(embedding))
    assert_array_equal(copy.transform(X), embedding.transform(X))
    assert_array_equal(copy.cao_e1_, embedding.cao_e1_)


def test_global_pandas_output():
    with config_context(transform_output="pandas"):
        Z = DelayEmbedding(2).fit_transform(X)
    assert isinstance(Z, np.ndarray)
    assert Z.shape == (6, 6, 119)


def power(Z):
    return np.log(np.var(Z, axis=2))


def test_pipeline_and_grid_search():
    from sklearn.linear_model import LogisticRegression

    y = np.arange(6) % 2
    model = make_pipeline(
        DelayEmbedding(), FunctionTransformer(power), LogisticRegression()
    )
    grid = {
        "delayembedding__order": [1, 3, "cao_saturation"],
        "delayembedding__lag": [1, "autocorrelation_zero"],
    }
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert search.cv_results_["mean_test_score"].shape == (6,)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"order": 0}, "'order' parameter"),
        ({"order": 1.5}, "'order' parameter"),
        ({"order": "Cao"}, "'order' parameter"),
        ({"order": True}, "order"),
        ({"lag": 0}, "'lag' parameter"),
        ({"lag": "ami"}, "'lag' parameter"),
        ({"max_lag": 0}, "'max_lag' parameter"),
        ({"max_order": 2.0}, "'max_order' parameter"),
        ({"order": "mdop", "lag": "autocorrelation"}, "order='mdop' .* lag='autoc"),
        ({"order": 120}, "order=120 and lag=1 span 120 samples, .* n_times=120"),
        ({"order": 2, "lag": 119}, "at least 121 are needed"),
        ({"lag": "mutual_information", "max_lag": 111}, "max_lag=111 needs trials"),
    ],
)
def test_bad_parameters(parameters, match):
    with pytest.raises((ValueError, TypeError), match=match):
        DelayEmbedding(**parameters).fit(X)


def test_constant_channels():
    flat = X.copy()
    flat[3, 1] = 7.0
    with pytest.raises(ValueError, match=r"Channel 1 is constant in trial X\[3\]"):
        DelayEmbedding("cao").fit(flat)
    assert DelayEmbedding(2).fit_transform(flat).shape == (6, 6, 119)


def test_bad_data():
    embedding = DelayEmbedding(4, 10)
    with pytest.raises(NotFittedError):
        embedding.transform(X)
    with pytest.raises(NotFittedError):
        embedding.get_feature_names_out()
    with pytest.raises(ValueError, match="expected three axes"):
        embedding.fit(X[0])
    bad = X.copy()
    bad[2, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinity\. .* trial is X\[2\]"):
        embedding.fit(bad)
    embedding.fit(X)
    with pytest.raises(ValueError, match=r"2 features, but .* 3 features"):
        embedding.transform(X[:, :2])
    assert embedding.transform(X[:, :, :32]).shape == (6, 12, 2)
    with pytest.raises(ValueError, match="n_times=31: at least 32 are needed"):
        embedding.transform(X[:, :, :31])
