"""Covariance matrices of trials: values, accuracy, regularisation, bad input."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn import covariance as peer
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from geolearn.covariance import Covariances, _estimation
from geolearn.manifolds.spd import _chunks
from tests.peers import pyriemann
from tests.reference.covariance import ledoit_wolf, sample_covariance

pytestmark = pytest.mark.kernels

NAMES = ("scm", "cov", "lwf", "oas", "corr")
SHAPES = [(1, 1, 2), (3, 1, 7), (2, 4, 30), (2, 9, 5), (2, 20, 33)]


def trials(n_trials=3, n_channels=4, n_times=40, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(n_channels, n_channels)) + 2 * np.eye(n_channels)
    return mixing @ rng.normal(size=(n_trials, n_channels, n_times))


def expected(name, x):
    if name == "corr":
        return np.corrcoef(x).reshape(len(x), len(x))
    if name in ("scm", "cov"):
        return sample_covariance(x, dropped=int(name == "cov"))
    if name == "lwf":
        return ledoit_wolf(x)[0]
    return peer.oas((x - x.mean(axis=1, keepdims=True)).T, assume_centered=True)[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values_are_those_of_the_definitions(name, shape):
    X = trials(*shape)
    C = Covariances(name).fit_transform(X)
    assert C.shape == (shape[0], shape[1], shape[1])
    for x, c in zip(X, C, strict=True):
        wanted = expected(name, x)
        assert_allclose(c, wanted, rtol=0, atol=1e-14 * np.abs(wanted).max())
    assert_array_equal(C, np.swapaxes(C, 1, 2))


@pytest.mark.parametrize(("name", "of_peer"), [("lwf", "ledoit_wolf"), ("oas", "oas")])
def test_shrinkage_is_that_of_scikit_learn(name, of_peer):
    X = trials(5, 12, 60)
    C = Covariances(name).fit_transform(X)
    for x, c in zip(X, C, strict=True):
        wanted = getattr(peer, of_peer)(x.T)[0]
        assert_allclose(c, wanted, rtol=0, atol=5e-15 * np.abs(wanted).max())


@pytest.mark.parametrize("name", NAMES)
def test_pyriemann_agrees(name):
    estimation = pyriemann("estimation")
    X = trials(4, 6, 80)
    wanted = estimation.Covariances(name).fit_transform(X)
    assert_allclose(Covariances(name).fit_transform(X), wanted, rtol=1e-12, atol=1e-13)


def test_worked_values():
    x = np.array([[[1.0, 2.0, 3.0, 6.0], [1.0, 0.0, 0.0, 3.0]]])
    assert_array_equal(Covariances().fit_transform(x), [[[3.5, 1.75], [1.75, 1.5]]])
    raw = Covariances(assume_centered=True).fit_transform(x)
    assert_array_equal(raw, [[[12.5, 4.75], [4.75, 2.5]]])
    assert_allclose(Covariances("cov").fit_transform(x)[0, 0, 0], 14 / 3, rtol=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("exponent", [-330, -50, 50, 330])
def test_scale_is_exact_in_powers_of_two(name, exponent):
    # The weights of Ledoit and Wolf are ratios of fourth powers, which would
    # underflow: volts, nanovolts and worse give the same digits.
    X = trials()
    C = Covariances(name).fit_transform(X)
    scaled = Covariances(name).fit_transform(np.ldexp(X, exponent))
    factor = 0 if name == "corr" else 2 * exponent
    assert_array_equal(scaled, np.ldexp(C, factor))


@pytest.mark.parametrize("name", NAMES)
def test_volts_are_as_good_as_microvolts(name):
    X = trials(4, 6, 200)
    C = Covariances(name).fit_transform(X)
    small = Covariances(name).fit_transform(1e-15 * X)
    unit = 1.0 if name == "corr" else 1e-30
    assert np.linalg.eigvalsh(small).min() > 0
    assert_allclose(small, unit * C, rtol=1e-12, atol=1e-14 * unit * np.abs(C).max())


@pytest.mark.parametrize("name", NAMES)
def test_offsets_do_not_cost_digits(name):
    X = np.round(trials(2, 5, 64) * 2**20) / 2**20  # sums with 2^20 are exact
    C = Covariances(name).fit_transform(X)
    shifted = Covariances(name).fit_transform(X + 2.0**20)
    assert_allclose(shifted, C, rtol=1e-13, atol=1e-13 * np.abs(C).max())


@given(seed=st.integers(0, 2**31), name=st.sampled_from(NAMES))
def test_permuted_channels_permute_the_matrix(seed, name):
    X = trials(2, 5, 30, seed)
    order = np.random.default_rng(seed).permutation(5)
    C = Covariances(name).fit_transform(X)
    permuted = Covariances(name).fit_transform(X[:, order])
    assert_allclose(permuted, C[:, order][:, :, order], rtol=1e-12, atol=1e-13)


@given(seed=st.integers(0, 2**31), name=st.sampled_from(["scm", "cov", "lwf", "oas"]))
def test_rotated_channels_rotate_the_matrix(seed, name):
    X = trials(2, 5, 30, seed)
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0]
    rotated = Covariances(name).fit_transform(Q @ X)
    C = Covariances(name).fit_transform(X)
    assert_allclose(rotated, Q @ C @ Q.T, rtol=1e-11, atol=1e-11)


@given(seed=st.integers(0, 2**31), name=st.sampled_from(NAMES))
def test_order_of_samples_does_not_matter(seed, name):
    X = trials(2, 5, 30, seed)
    order = np.random.default_rng(seed).permutation(30)
    C = Covariances(name).fit_transform(X)
    shuffled = Covariances(name).fit_transform(X[:, :, order])
    assert_allclose(shuffled, C, rtol=1e-12, atol=1e-13)


def test_fixed_shrinkage_and_ridge():
    X = trials()
    S = Covariances("cov").fit_transform(X)
    mu = np.trace(S, axis1=1, axis2=2)[:, None, None] / 4 * np.eye(4)
    shrunk = Covariances("cov", shrinkage=0.25).fit_transform(X)
    assert_allclose(shrunk, 0.75 * S + 0.25 * mu, rtol=1e-14)
    ridged = Covariances("cov", shrinkage=0.25, ridge=0.5).fit_transform(X)
    assert_allclose(ridged, 0.75 * S + 0.75 * mu, rtol=1e-14)
    assert_array_equal(Covariances(shrinkage=0).fit_transform(X), _scm(X))
    identity = Covariances(shrinkage=1.0).fit_transform(X)
    assert_allclose(identity, mu * (39 / 40), rtol=1e-14)


def _scm(X):
    return Covariances().fit_transform(X)


def test_callable_receives_one_trial():
    seen = []

    def second_moment(x):
        seen.append(x.shape)
        x *= 1.0  # it may write into what it receives
        return x @ x.T

    X = trials(3, 4, 20).astype(np.float32)
    before = X.copy()
    C = Covariances(second_moment, ridge=0.5).fit_transform(X)
    assert seen == [(4, 20)] * 3
    assert_array_equal(X, before)
    M = np.array([x @ x.T for x in X.astype(np.float64)])
    trace = np.trace(M, axis1=1, axis2=2)[:, None, None]
    assert_allclose(C, M + 0.5 * trace / 4 * np.eye(4), rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x[0], r"returned an array of shape \(20,\)"),
        (lambda x: np.full((4, 4), np.nan), "NaN or infinity"),
        (lambda x: np.triu(np.ones((4, 4))), "not symmetric"),
    ],
)
def test_bad_callables_are_named(function, message):
    with pytest.raises(ValueError, match=message):
        Covariances(function).fit_transform(trials(1, 4, 20))


def test_single_precision_is_computed_in_double():
    X = trials().astype(np.float32)
    C = Covariances("lwf").fit_transform(X)
    assert C.dtype == np.float64
    assert_array_equal(C, Covariances("lwf").fit_transform(X.astype(np.float64)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_any_layout_and_memory_maps(tmp_path, dtype):
    X = np.round(100 * trials(7, 3, 20)).astype(dtype)
    wanted = Covariances("lwf").fit_transform(X)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    frozen = X.copy()
    frozen.setflags(write=False)
    strided = np.ascontiguousarray(X.transpose(2, 0, 1)).transpose(1, 2, 0)
    for other in (mapped, frozen, strided, X.tolist()):
        assert_array_equal(Covariances("lwf").fit_transform(other), wanted)
    assert_array_equal(X, mapped)


@pytest.mark.parametrize("name", NAMES)
def test_chunks_and_threads_change_no_bit(monkeypatch, name):
    X = trials(11, 5, 20).astype(np.float32)
    wanted = Covariances(name).fit_transform(X)
    assert_array_equal(Covariances(name, n_jobs=2).fit_transform(X), wanted)
    monkeypatch.setattr(_chunks, "_CHUNK_BYTES", 3000)
    assert_array_equal(Covariances(name).fit_transform(X), wanted)
    bad = X.copy()
    bad[9, 2] = 1.0
    if name not in ("lwf", "oas"):
        with pytest.raises(ValueError, match=r"channel 2 of trial X\[9\]"):
            Covariances(name).fit_transform(bad)
    bad[8, 3, 0] = np.nan
    with pytest.raises(ValueError, match=r"NaN.*X\[8\], channel 3"):
        Covariances(name).fit(bad)


def test_sums_are_accurate():
    # The only kernel that may reorder operations.
    row = np.random.default_rng(0).lognormal(3.0, 2.0, 10_001)
    exact = math.fsum(row) / len(row)
    assert_allclose(_estimation._mean(row, 0.0), exact, rtol=1e-13)


@pytest.mark.parametrize("name", ["scm", "cov", "corr"])
def test_constant_channel_is_named(name):
    X = trials()
    X[2, 1] = 0.1  # its mean is not exactly 0.1
    with pytest.raises(
        ValueError, match=r"channel 1 of trial X\[2\] is constant \(0.1\)"
    ):
        Covariances(name).fit(X).transform(X)


@pytest.mark.parametrize(
    "options",
    [
        {"estimator": "lwf"},
        {"estimator": "oas"},
        {"shrinkage": 0.01},
        {"ridge": 1e-6},
        {"assume_centered": True},
    ],
    ids=str,
)
def test_regularised_constant_channel_passes(options):
    X = trials()
    X[2, 1] = 0.1
    C = Covariances(**options).fit_transform(X)
    assert np.linalg.eigvalsh(C).min() > 0


@pytest.mark.parametrize("name", NAMES)
def test_nothing_helps_constant_trials(name):
    X = trials()
    X[1] = [[0.0], [1.0], [2.0], [3.0]]
    with pytest.raises(ValueError, match=r"channel 0 of trial X\[1\] is constant"):
        Covariances(name, ridge=0.1).fit_transform(X)


def test_zero_channel_about_zero_is_named():
    X = trials()
    X[0, 3] = 0.0
    with pytest.raises(ValueError, match=r"channel 3 of trial X\[0\]"):
        Covariances(assume_centered=True).fit_transform(X)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_nan_and_infinity_are_named(bad, method):
    X = trials()
    model = Covariances("lwf").fit(X)
    X[1, 2, 5] = bad
    with pytest.raises(ValueError, match=r"NaN or infinity.*X\[1\], channel 2"):
        getattr(model, method)(X)


def test_overflow_is_named():
    with pytest.raises(ValueError, match=r"trial X\[0\] overflows.*Rescale"):
        Covariances().fit_transform(1e200 * trials())


def test_unknown_estimator_is_refused_with_the_list():
    with pytest.raises(InvalidParameterError, match=r"estimator.*'lwf'"):
        Covariances("mcd").fit(trials())


@pytest.mark.parametrize("estimator", ["lwf", "oas", "corr", np.cov])
def test_shrinkage_needs_a_plain_estimator(estimator):
    with pytest.raises(ValueError, match=r"shrinkage=0\.1 applies to"):
        Covariances(estimator, shrinkage=0.1).fit(trials())


@pytest.mark.parametrize(
    "options", [{"shrinkage": 1.5}, {"ridge": -1.0}, {"n_jobs": "two"}], ids=str
)
def test_parameters_are_checked(options):
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        Covariances(**options).fit(trials())


def test_single_samples_are_refused():
    with pytest.raises(ValueError, match=r"n_times=1, but .* at least 2"):
        Covariances().fit_transform(trials(2, 2, 1))
    one = Covariances(assume_centered=True).fit_transform(trials(2, 2, 1))
    assert one.shape == (2, 2, 2)


def test_stateless_but_faithful_to_its_channels():
    X = trials()
    unfitted = Covariances().transform(X)
    model = Covariances().fit(X)
    assert model.n_features_in_ == 4
    assert_array_equal(model.transform(X[:, :, :25]), _scm(X[:, :, :25]))
    assert_array_equal(unfitted, model.transform(X))
    with pytest.raises(ValueError, match=r"3 features.*expecting 4"):
        model.transform(X[:, :3])
    with pytest.raises(TypeError, match="weight"):
        Covariances().fit_transform(X, weight=1)


def test_clone_pickle_and_global_pandas_output():
    X = trials()
    model = Covariances("oas", ridge=0.1).fit(X)
    with config_context(transform_output="pandas"):
        C = model.transform(X)
        assert isinstance(C, np.ndarray)
        assert_array_equal(clone(model).fit_transform(X), C)
    assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), C)
