"""Augmented covariances: values without the embedding, choices, bad input."""

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import covariance as peer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ParameterGrid, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from geolearn.covariance import (
    AugmentedCovariances,
    Covariances,
    DelayEmbedding,
    TangentSpace,
    _estimation,
    augmentation_grid,
)
from tests.reference.covariance import embed, ledoit_wolf, sample_covariance

pytestmark = pytest.mark.kernels

NAMES = ("scm", "cov", "lwf", "oas", "corr")
# Windows that overlap, that share a sample, and that lie apart.
PAIRS = [(1, 1), (2, 1), (2, 9), (3, 4), (5, 3), (4, 14), (3, 24), (2, 40), (3, 25)]


def trials(n_trials=3, n_channels=2, n_times=60, seed=0):
    rng = np.random.default_rng(seed)
    X = np.cumsum(rng.normal(size=(n_trials, n_channels, n_times)), axis=2)
    return 0.3 * X + rng.normal(size=X.shape)


def estimate(X, order, lag, estimator="scm", **options):
    options = {"ridge": 0.0, **options}
    model = AugmentedCovariances(order, lag, estimator=estimator, **options)
    return model.fit_transform(X)


def expected(name, z):
    if name == "corr":
        return np.corrcoef(z)
    if name in ("scm", "cov"):
        return sample_covariance(z, dropped=int(name == "cov"))
    if name == "lwf":
        return ledoit_wolf(z)[0]
    return peer.oas((z - z.mean(axis=1, keepdims=True)).T, assume_centered=True)[0]


def assert_close(C, wanted, tol=1e-13):
    """Compare entries in units of the deviations of their row and column."""
    scale = np.sqrt(np.diag(wanted))
    assert_allclose(
        C / scale[:, None] / scale, wanted / scale[:, None] / scale, atol=tol
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("order", "lag"), PAIRS)
def test_values_are_those_of_the_embedding(order, lag, name):
    X = trials() + 5.0
    C = estimate(X, order, lag, name)
    assert_array_equal(C, np.swapaxes(C, 1, 2))
    for x, c in zip(X, C, strict=True):
        assert_close(c, expected(name, embed(x, order, lag)))


@given(
    seed=st.integers(0, 2**31),
    order=st.integers(2, 6),
    lag=st.integers(1, 15),
    name=st.sampled_from(["lwf", "oas"]),
    assume_centered=st.booleans(),
)
def test_any_order_and_lag(seed, order, lag, name, assume_centered):
    n_times = (order - 1) * lag + 2 + seed % 30
    X = trials(1, 2, n_times, seed)
    C = estimate(X, order, lag, name, assume_centered=assume_centered)[0]
    z = embed(X[0], order, lag)
    if not assume_centered:
        z = z - z.mean(axis=1, keepdims=True)
    function = peer.ledoit_wolf if name == "lwf" else peer.oas
    assert_close(C, function(z.T, assume_centered=True)[0], tol=1e-12)


@pytest.mark.parametrize(("order", "lag"), PAIRS[1:5])
def test_uncentred_formula_of_the_paper(order, lag):
    X = trials() + 1.0
    C = estimate(X, order, lag, assume_centered=True)
    for x, c in zip(X, C, strict=True):
        z = embed(x, order, lag)
        assert_close(c, z @ z.T / z.shape[1])


@pytest.mark.parametrize("name", NAMES)
def test_order_one_is_covariances(name):
    X = trials(4, 3, 50)
    for lag in (1, 70):
        assert_array_equal(
            estimate(X, 1, lag, name), Covariances(name).fit_transform(X)
        )


def test_worked_values():
    X = [[[1, 2, 4, 3, 5, 7, 6, 8]]]
    wanted = [[1.25, 0.875, 0.5], [0.875, 2.1875, 0.875], [0.5, 0.875, 1.25]]
    assert_allclose(estimate(X, 3, 2)[0], wanted, rtol=1e-15)


@pytest.mark.parametrize("where", [0, 3, 56, 59])
@pytest.mark.parametrize("size", [1e3, 1e8])
def test_artefact_at_an_end_costs_no_digits(where, size):
    # The window that misses the artefact has a small variance: subtracting the
    # artefact's square, or centring by the whole trial, would destroy it.
    X = trials(1)
    X[0, 0, where] += size
    for name in ("scm", "lwf"):
        C = estimate(X, 3, 2, name)[0]
        assert_close(C, expected(name, embed(X[0], 3, 2)), tol=1e-12)


def test_step_before_the_last_window():
    X = trials(1, 2, 60)
    X[0, :, :3] += 1e7
    C = estimate(X, 3, 2)[0]
    assert_close(C, sample_covariance(embed(X[0], 3, 2)), tol=1e-12)


@given(seed=st.integers(0, 2**31), name=st.sampled_from(NAMES))
def test_permuted_channels_permute_the_blocks(seed, name):
    X = trials(1, 3, 60, seed)
    channels = np.random.default_rng(seed).permutation(3)
    rows = np.concatenate([channels, channels + 3, channels + 6])
    C = estimate(X, 3, 2, name)
    permuted = estimate(X[:, channels], 3, 2, name)
    assert_allclose(permuted, C[:, rows][:, :, rows], rtol=1e-10, atol=1e-12)


@given(seed=st.integers(0, 2**31), exponent=st.integers(-200, 200))
def test_scale_is_exact_in_powers_of_two(seed, exponent):
    X = trials(1, 2, 60, seed)
    C = estimate(X, 3, 4, "lwf")
    scaled = estimate(np.ldexp(X, exponent), 3, 4, "lwf")
    assert_array_equal(scaled, np.ldexp(C, 2 * exponent))


@given(seed=st.integers(0, 2**31))
def test_reversed_time_reverses_the_blocks(seed):
    X = trials(1, 2, 60, seed)
    rows = np.array([4, 5, 2, 3, 0, 1])
    forward, backward = estimate(X, 3, 5), estimate(X[:, :, ::-1], 3, 5)
    assert_allclose(backward, forward[:, rows][:, :, rows], rtol=1e-10, atol=1e-12)


def test_same_as_the_embedding_estimator():
    X = trials(3, 4, 100)
    Z = DelayEmbedding(3, 2).fit_transform(X)
    wanted = Covariances("oas").fit_transform(Z)
    assert_allclose(estimate(X, 3, 2, "oas"), wanted, rtol=1e-11, atol=1e-13)


def test_shrinkage_ridge_and_callable():
    X = trials()
    C = estimate(X, 3, 2)
    mu = np.trace(C, axis1=1, axis2=2)[:, None, None] / 6 * np.eye(6)
    shrunk = estimate(X, 3, 2, shrinkage=0.5, ridge=0.25)
    assert_allclose(shrunk, 0.5 * C + 0.75 * mu, rtol=1e-12, atol=1e-14)
    own = estimate(X, 3, 2, lambda z: np.cov(z, bias=True))
    assert_allclose(own, C, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("toeplitz", [False, True])
def test_threads_and_precision_of_the_input(toeplitz):
    X = trials(9, 3, 80).astype(np.float32)
    C = estimate(X, 3, 2, toeplitz=toeplitz)
    assert C.dtype == np.float64
    assert_array_equal(estimate(X, 3, 2, toeplitz=toeplitz, n_jobs=2), C)
    doubled = X.astype(np.float64)
    doubled.setflags(write=False)
    assert_array_equal(estimate(doubled, 3, 2, toeplitz=toeplitz), C)


def test_overlapping_windows_need_no_embedding(monkeypatch):
    X = trials(1, 2, 60)
    calls = []
    if hasattr(_estimation._embedded_gram, "py_func"):
        pytest.skip("needs plain Python kernels")
    monkeypatch.setattr(_estimation, "_embedded_gram", lambda *a: calls.append(a))
    estimate(X, 3, 2)
    assert not calls


# Choices.


def test_rules_set_order_and_lag():
    X = trials(2, 2, 300)
    model = AugmentedCovariances(2, "mutual_information", max_lag=12).fit(X)
    assert model.order_ == 2
    assert 1 <= model.lag_ <= 12
    assert model.mutual_information_.shape == (12,)
    assert model.cao_e1_ is None
    other = DelayEmbedding(2, "mutual_information", max_lag=12).fit(X)
    assert (other.order_, other.lag_) == (model.order_, model.lag_)
    fixed = AugmentedCovariances(3, 2).fit(X)
    assert (fixed.order_, fixed.lag_, fixed.mutual_information_) == (3, 2, None)
    assert fixed.n_features_in_ == 2


def test_rules_that_do_not_combine():
    with pytest.raises(ValueError, match="MDOP chooses both"):
        AugmentedCovariances("mdop", "autocorrelation").fit(trials())


def test_augmentation_grid():
    grid = augmentation_grid([1, 2, 4, 4], (1, 5, 9), n_channels=8, n_times=80)
    assert grid == [
        {"order": [1], "lag": [1]},
        {"order": [2], "lag": [1, 5, 9]},
        {"order": [4], "lag": [1, 5]},
    ]
    for pair in ParameterGrid(augmentation_grid(range(1, 9), range(1, 9), 3, 70)):
        left = 70 - (pair["order"] - 1) * pair["lag"]
        assert left >= 2 * 3 * pair["order"]
    full = augmentation_grid(2, 3, 1, 50, step="a", params={"svc__C": [1, 2]})
    assert full == [{"a__order": [2], "a__lag": [3], "svc__C": [1, 2]}]
    with pytest.raises(ValueError, match=r"No pair of orders=\[3\].*n_times=20"):
        augmentation_grid(3, 1, 8, 20)
    with pytest.raises(TypeError, match="each of lags must be an integer"):
        augmentation_grid(3, 1.5, 8, 20)
    with pytest.raises(ValueError, match="orders must hold"):
        augmentation_grid([], 1, 8, 20)


def test_nested_search_computes_each_pair_once_a_fold(tmp_path):
    X = np.concatenate([trials(8, 2, 80, 0), np.diff(trials(8, 2, 81, 1))])
    y = np.repeat([0, 1], 8)
    memory = joblib.Memory(tmp_path, verbose=0)
    steps = AugmentedCovariances(), TangentSpace(), LogisticRegression()
    pipeline = make_pipeline(*steps, memory=memory)
    params = {"logisticregression__C": [0.1, 10.0]}
    grid = augmentation_grid(
        [1, 2], [1, 2], 2, 80, step="augmentedcovariances", params=params
    )
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=1)
    search.fit(X, y)
    # 3 pairs on 2 folds and a refit; two cached steps each.
    assert len(list(tmp_path.rglob("output.pkl"))) == (3 * 2 + 1) * 2
    assert search.best_params_["augmentedcovariances__order"] in (1, 2)
    assert cross_val_score(search, X, y, cv=2).min() > 0.9


# Bad input.


def test_too_few_samples_for_the_matrix():
    X = trials(2, 3, 20)
    message = r"T'=14.*n_times=20.*n=order \* n_channels=21.*'oas'.*ridge.*reduce"
    with pytest.raises(ValueError, match=message):
        AugmentedCovariances(7, 1).fit(X)
    for options in ({"ridge": 0.1}, {"shrinkage": 0.1}, {"estimator": "lwf"}):
        C = AugmentedCovariances(7, 1, **options).fit_transform(X)
        assert np.linalg.eigvalsh(C).min() > 0
    # T' = n is singular as well once the mean is removed.
    AugmentedCovariances(2, 1).fit(X[:, :, :8])
    with pytest.raises(ValueError, match=r"T'=6.*n=order \* n_channels=6"):
        AugmentedCovariances(2, 1).fit(X[:, :, :7])
    AugmentedCovariances(2, 1, assume_centered=True).fit(X[:, :, :7])


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"toeplitz": True}, "Use shrinkage or ridge,"),
        ({"estimator": "corr"}, "Use ridge,"),
    ],
)
def test_advice_goes_with_the_other_parameters(options, advice):
    # "estimator='oas'" is refused with toeplitz, and shrinkage with "corr".
    with pytest.raises(ValueError, match=advice):
        AugmentedCovariances(16, 1, **options).fit(trials(2, 3, 30))
    X = trials(2, 3, 30)
    X[1, 1] = 7.3
    with pytest.raises(ValueError, match="shrinkage or ridge") as caught:
        AugmentedCovariances(2, 1, **options).fit_transform(X)
    assert "'oas'" not in str(caught.value)


@pytest.mark.parametrize("lag", [19, 25])
def test_span_beyond_the_trial(lag):
    with pytest.raises(ValueError, match=rf"order=2 and lag={lag} span"):
        AugmentedCovariances(2, lag, ridge=1.0).fit(trials(2, 3, 20))
    AugmentedCovariances(2, 18, ridge=1.0).fit_transform(trials(2, 3, 20))


@pytest.mark.parametrize("name", ["order", "lag"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "many", None])
def test_order_and_lag_are_positive_integers(name, value):
    with pytest.raises(InvalidParameterError, match=name):
        AugmentedCovariances(**{name: value}).fit(trials())


def test_shorter_trials_at_predict():
    X = trials(3, 3, 60)
    model = AugmentedCovariances(2, 3).fit(X)
    assert model.transform(X[:, :, :20]).shape == (3, 6, 6)
    with pytest.warns(UserWarning, match="leave 11 samples for 6 x 6"):
        model.transform(X[:, :, :14])
    with pytest.raises(ValueError, match="T'=6"):
        model.transform(X[:, :, :9])
    with pytest.raises(ValueError, match="2 features"):
        model.transform(X[:, :2])


def test_constant_channels_and_windows_are_named():
    X = trials(3, 2, 60)
    X[1, 1] = 7.3
    with pytest.raises(ValueError, match=r"channel 1 of trial X\[1\] is constant"):
        AugmentedCovariances(3, 2).fit_transform(X)
    X = trials(3, 2, 60)
    X[2, 0, 4:] = 7.3
    with pytest.raises(ValueError, match=r"channel 0 of trial X\[2\].* after delay 2"):
        AugmentedCovariances(3, 2).fit_transform(X)
    assert_close(
        estimate(X, 3, 2, "lwf")[2], ledoit_wolf(embed(X[2], 3, 2))[0], tol=1e-12
    )


@pytest.mark.parametrize("method", ["fit", "transform"])
def test_nan_is_named(method):
    X = trials()
    model = AugmentedCovariances(2, 1).fit(X)
    X[2, 1, 59] = np.nan
    with pytest.raises(ValueError, match=r"NaN.*X\[2\], channel 1"):
        getattr(model, method)(X)
