"""Minimum distance to mean: distances, decisions, probabilities."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from geolearn.covariance import MDM
from geolearn.manifolds import SPD
from tests.covariance.common import make_matrices
from tests.peers import pyriemann

METRICS = [
    "affine_invariant",
    "log_euclidean",
    "log_cholesky",
    "bures_wasserstein",
    "stein",
    "euclidean",
]


def three_classes(n_samples=45, n=4):
    X, _ = make_matrices(n_samples, n, seed=3)
    y = np.arange(n_samples) % 3
    D = np.eye(n) + 0.8 * np.diag(np.arange(n) == 1) * (y[:, None, None] == 2)
    return D @ X @ D, y


@pytest.mark.parametrize("metric", METRICS)
def test_means_distances_and_scale(metric):
    X, y = make_matrices()
    weight = np.random.default_rng(0).uniform(0.2, 1.0, len(X))
    mdm = MDM(metric).fit(X, y, sample_weight=weight)
    manifold = SPD(4, metric)
    D = mdm.transform(X)
    pooled = 0.0
    for c in range(2):
        own = y == c
        mean = manifold.frechet_mean(X[own], weight[own])
        np.testing.assert_allclose(mdm.means_[c], mean, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(D[:, c], manifold.dist(X, mean), atol=1e-7)
        pooled += weight[own] @ manifold.dist(X[own], mean) ** 2
    assert mdm.scale_ == pytest.approx(np.sqrt(pooled / weight.sum()), rel=1e-6)
    np.testing.assert_array_equal(mdm.predict(X), D.argmin(axis=1))


def test_worked_example_of_commuting_matrices():
    # Means are geometric: diag(3, 2) and diag(1, 1); distances are those of logs.
    X = np.array([np.diag(d) for d in ([1.0, 4], [9.0, 1], [1.0, 1], [1.0, 1])])
    mdm = MDM().fit(X, [1, 1, 5, 5])
    np.testing.assert_allclose(mdm.means_, [np.diag([3.0, 2.0]), np.eye(2)], atol=1e-12)
    new = np.diag([2.0, 1.0])[None]
    d = [np.hypot(np.log(1.5), np.log(2.0)), np.log(2.0)]
    np.testing.assert_allclose(mdm.transform(new), [d], rtol=1e-10)
    # Two matrices at distance hypot(log 3, log 2) from their mean and two at zero.
    variance = 0.5 * (np.log(3.0) ** 2 + np.log(2.0) ** 2)
    assert mdm.scale_ == pytest.approx(np.sqrt(variance), rel=1e-10)
    expected = softmax(-np.square(d) / (2.0 * variance))
    np.testing.assert_allclose(mdm.predict_proba(new), [expected], rtol=1e-10)
    raw = MDM(proba="raw").fit(X, [1, 1, 5, 5]).predict_proba(new)
    np.testing.assert_allclose(raw, [softmax(-np.square(d))], rtol=1e-10)


def test_decision_function_of_two_and_of_three_classes():
    X, y = make_matrices()
    mdm = MDM().fit(X, y)
    scores = mdm.decision_function(X)
    D = mdm.transform(X)
    np.testing.assert_allclose(scores, D[:, 0] ** 2 - D[:, 1] ** 2)
    np.testing.assert_array_equal(mdm.predict(X), (scores > 0.0).astype(int))
    assert roc_auc_score(y, scores) > 0.8
    X, y = three_classes()
    mdm = MDM().fit(X, y)
    np.testing.assert_allclose(mdm.decision_function(X), -(mdm.transform(X) ** 2))
    P = mdm.predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1.0)
    np.testing.assert_array_equal(P.argmax(axis=1), mdm.predict(X))


def test_scaled_probabilities_do_not_saturate_with_the_size():
    # The same separation per channel: d^2 and s^2 both grow with n^2.
    shares = {}
    for n in (5, 20):
        rng = np.random.default_rng(0)
        G = rng.normal(size=(60, n, 4 * n))
        G[::2] *= 1.3
        X = G @ np.swapaxes(G, 1, 2) / (4 * n)
        y = np.arange(60) % 2
        for proba in ("scaled", "raw"):
            P = MDM(proba=proba).fit(X, y).predict_proba(X)
            shares[proba, n] = np.mean(P.max(axis=1) > 0.999)
    assert shares["scaled", 20] == 0.0
    assert shares["raw", 20] > shares["raw", 5]


def test_probability_without_spread_is_one_hot():
    X = np.array([np.eye(2), 2.0 * np.eye(2)])
    mdm = MDM().fit(X, [0, 1])
    assert mdm.scale_ < 1e-12
    new = [1.1 * np.eye(2), np.sqrt(2.0) * np.eye(2)]
    P = mdm.predict_proba(new)
    np.testing.assert_array_equal(P[0], [1.0, 0.0])
    assert np.isfinite(P).all()


def test_different_metrics_for_mean_and_distance():
    X, y = make_matrices()
    first = MDM("stein", metric_mean="logeuclid").fit(X, y)
    second = MDM({"mean": "logeuclid", "distance": "logdet"}).fit(X, y)
    expected = SPD(4, "log_euclidean").frechet_mean(X[y == 1])
    np.testing.assert_allclose(first.means_[1], expected, rtol=1e-12)
    np.testing.assert_array_equal(first.transform(X), second.transform(X))
    d = SPD(4, "stein").dist(X, first.means_[y])
    assert first.scale_ == pytest.approx(np.sqrt(np.mean(d**2)))


def test_wrong_dictionaries():
    X, y = make_matrices()
    for options in (
        {"metric": {"mean": "riemann"}},
        {"metric": {"mean": "riemann", "map": "riemann"}},
        {
            "metric": {"mean": "riemann", "distance": "riemann"},
            "metric_mean": "riemann",
        },
    ):
        with pytest.raises(ValueError, match="keys 'mean' and 'distance'"):
            MDM(**options).fit(X, y)
    with pytest.raises(ValueError, match="riemannn"):
        MDM("riemannn").fit(X, y)


@pytest.mark.parametrize(
    "params", [{"foo": 1.0}, {"metric": "stein"}, {"n": 3}, {1: 2}]
)
def test_unknown_metric_params_are_named(params):
    # Not "SPD.__init__() got an unexpected keyword argument".
    with pytest.raises(ValueError, match=r"metric_params has the key .*alpha, beta"):
        MDM(metric_params=params).fit(*make_matrices())


def test_names_of_the_distances():
    X, y = make_matrices()
    mdm = MDM().fit(X, np.array(["left", "right"])[y])
    assert mdm.get_feature_names_out().tolist() == ["mdm_left", "mdm_right"]


def test_one_class_warns():
    X, _ = make_matrices()
    with pytest.warns(UserWarning, match="only the class rest"):
        mdm = MDM().fit(X, ["rest"] * len(X))
    assert mdm.predict(X[:2]).tolist() == ["rest"] * 2
    assert mdm.decision_function(X).shape == (len(X), 1)
    np.testing.assert_array_equal(mdm.predict_proba(X), 1.0)


def test_a_class_of_zero_weight_is_refused_by_name():
    X, y = make_matrices()
    with pytest.raises(ValueError, match="every sample of class 1"):
        MDM().fit(X, y, sample_weight=1.0 - y)


def test_singular_matrices_are_allowed_by_bures_wasserstein_alone():
    rng = np.random.default_rng(0)
    G = rng.normal(size=(20, 4, 2))
    X = G @ np.swapaxes(G, 1, 2)
    y = np.arange(20) % 2
    regular = X + np.eye(4)
    mdm = MDM("bures_wasserstein").fit(regular, y)
    M = mdm.means_[0]
    # tr sqrt(G G^T M) is the sum of the singular values of chol(M)^T G.
    cross = np.linalg.svd(np.linalg.cholesky(M).T @ G, compute_uv=False).sum(axis=1)
    squares = np.trace(X, axis1=1, axis2=2) + np.trace(M) - 2.0 * cross
    np.testing.assert_allclose(mdm.transform(X)[:, 0], np.sqrt(squares))
    for metric in ("affine_invariant", "stein", "log_euclidean", "log_cholesky"):
        mdm = MDM(metric).fit(regular, y)
        with pytest.raises(ValueError, match=r"not positive definite.*'oas' or 'lwf'"):
            mdm.predict(X)


@pytest.mark.parametrize("metric", METRICS)
def test_agrees_with_pyriemann(metric):
    classification = pyriemann("classification")
    spelling = {
        "affine_invariant": "riemann",
        "log_euclidean": "logeuclid",
        "log_cholesky": "logchol",
        "bures_wasserstein": "wasserstein",
        "stein": "logdet",
        "euclidean": "euclid",
    }[metric]
    X, y = three_classes()
    ours, theirs = MDM(spelling).fit(X, y), classification.MDM(spelling).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    # Their iterations stop early, that for the Stein mean 2e-5 off.
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), atol=5e-5)
    raw = MDM(spelling, proba="raw").fit(X, y).predict_proba(X)
    np.testing.assert_allclose(raw, theirs.predict_proba(X), atol=5e-5)
