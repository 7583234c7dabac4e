"""The support vector machine with Riemannian kernels."""

import warnings

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils import get_tags

from geolearn.covariance import RiemannianSVC, TangentSpace
from geolearn.covariance import _svc as module
from geolearn.manifolds import SPD
from tests.covariance.common import make_matrices


def three_classes(n_samples=60, n=4):
    X, _ = make_matrices(n_samples, n)
    y = np.arange(n_samples) % 3
    D = np.eye(n) + np.diag(np.arange(n) == 1) * (y[:, None, None] == 2)
    return D @ X @ D, y


@pytest.mark.parametrize(
    "metric", ["affine_invariant", "log_euclidean", "log_cholesky", "bures_wasserstein"]
)
@pytest.mark.parametrize("shape", ["ovr", "ovo"])
def test_linear_kernel_is_a_linear_machine_on_tangent_vectors(metric, shape):
    X, y = three_classes()
    options = {"C": 0.7, "tol": 1e-10, "decision_function_shape": shape}
    model = RiemannianSVC(metric, **options).fit(X, y)
    peer = make_pipeline(TangentSpace(metric), SVC(kernel="linear", **options))
    peer.fit(X, y)
    new, _ = make_matrices(20, 4, seed=1)
    np.testing.assert_allclose(
        model.decision_function(new), peer.decision_function(new), atol=1e-6
    )
    np.testing.assert_array_equal(model.predict(new), peer.predict(new))
    np.testing.assert_array_equal(model.support_, peer[-1].support_)
    np.testing.assert_array_equal(model.n_support_, peer[-1].n_support_)


def test_affine_kernel_is_the_trace_of_products_of_logarithms():
    X, y = make_matrices(20, 4)
    model = RiemannianSVC().fit(X, y)
    values, vectors = np.linalg.eigh(model.reference_)
    W = (vectors / np.sqrt(values)) @ vectors.T
    logs = []
    for x in X:
        values, vectors = np.linalg.eigh(W @ x @ W)
        logs.append((vectors * np.log(values)) @ vectors.T)
    K = np.einsum("aij,bji->ab", logs, logs)
    peer = SVC(kernel="precomputed").fit(K, y)
    np.testing.assert_allclose(
        model.decision_function(X), peer.decision_function(K), atol=1e-3
    )


@pytest.mark.parametrize("metric", ["log_euclidean", "log_cholesky"])
def test_gaussian_kernel(metric):
    X, y = three_classes()
    new, _ = make_matrices(20, 4, seed=1)
    manifold = SPD(4, metric)
    D2 = manifold.pairwise_distances(X) ** 2
    model = RiemannianSVC(metric, kernel="gaussian", tol=1e-10).fit(X, y)
    variance = np.mean(manifold.dist(X, manifold.frechet_mean(X)) ** 2)
    assert model.gamma_ == pytest.approx(1.0 / variance, rel=1e-8)
    peer = SVC(kernel="precomputed", tol=1e-10).fit(np.exp(-D2 / variance), y)
    K = np.exp(-(manifold.pairwise_distances(new, X) ** 2) / variance)
    np.testing.assert_allclose(
        model.decision_function(new), peer.decision_function(K), atol=1e-6
    )
    given = RiemannianSVC(metric, kernel="gaussian", gamma=0.3).fit(X, y)
    assert given.gamma_ == 0.3


@pytest.mark.parametrize(
    ("metric", "gamma", "warns"),
    [
        ("log_euclidean", 0.123, False),
        ("log_cholesky", 0.123, False),
        ("power_euclidean", 0.123, False),
        ("euclidean", 0.123, False),
        ("affine_invariant", 1.0, True),
        ("bures_wasserstein", 1.0, True),
        # n = 5: 1/2, 1, 3/2, and everything from 2 on
        ("stein", 0.5, False),
        ("stein", 1.0, False),
        ("stein", 1.5, False),
        ("stein", 2.0, False),
        ("logdet", 2.345, False),
        ("stein", 0.25, True),
        ("stein", 1.75, True),
        ("stein", 0.1, True),
    ],
)
def test_warning_of_kernels_that_need_not_be_positive(metric, gamma, warns):
    X, y = make_matrices(20, 5)
    model = RiemannianSVC(metric, kernel="gaussian", gamma=gamma)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert [w.category for w in caught] == [UserWarning] * warns
    if warns:
        assert "positive definite" in str(caught[0].message)
        assert caught[0].filename == __file__


def test_stein_warning_recommends_the_nearest_factor():
    X, y = make_matrices(20, 5)
    with pytest.warns(UserWarning, match=r"Use gamma=1\.5, or metric='log_euclidean'"):
        RiemannianSVC("stein", kernel="gaussian", gamma=1.6).fit(X, y)
    with pytest.warns(UserWarning, match=r"Use gamma=0\.5, or"):
        RiemannianSVC("stein", kernel="gaussian", gamma=0.01).fit(X, y)


def test_cross_validation_does_not_take_matrices_for_kernels():
    X, y = make_matrices(30, 4)
    assert not get_tags(RiemannianSVC()).input_tags.pairwise
    scores = cross_val_score(RiemannianSVC(), X, y, cv=3, error_score="raise")
    assert scores.mean() > 0.7


def test_weights_and_class_weights():
    X, y = make_matrices(40, 4)
    weight = np.where(y == 1, 10.0, 1.0)
    plain = RiemannianSVC(C=0.01).fit(X, y)
    heavy = RiemannianSVC(C=0.01, class_weight={1: 10.0}).fit(X, y)
    assert np.mean(heavy.predict(X)) > np.mean(plain.predict(X))
    reference = SPD(4).frechet_mean(X, weight)
    model = RiemannianSVC(C=0.01).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.reference_, reference, rtol=1e-6)
    with pytest.raises(ValueError, match="every sample of class 1"):
        RiemannianSVC().fit(X, y, sample_weight=1.0 - y)


def test_support_vectors_are_indices_of_the_training_matrices():
    X, y = make_matrices(40, 4)
    weight = np.ones(40)
    weight[:10] = 0.0
    model = RiemannianSVC().fit(X, y, sample_weight=weight)
    assert model.support_.min() >= 10
    without = RiemannianSVC().fit(X[10:], y[10:])
    np.testing.assert_allclose(
        model.decision_function(X), without.decision_function(X), atol=1e-9
    )
    np.testing.assert_array_equal(model.support_matrices_, X[model.support_])
    assert model.dual_coef_.shape == (1, len(model.support_))
    assert model.intercept_.shape == (1,)


def test_blocks_do_not_change_the_result(monkeypatch):
    X, y = three_classes()
    model = RiemannianSVC("log_euclidean", kernel="gaussian").fit(X, y)
    whole = model.decision_function(X)
    monkeypatch.setattr(module, "_BLOCK_NUMBERS", 130)  # two rows at a time
    np.testing.assert_allclose(model.decision_function(X), whole, rtol=1e-12)


def test_metric_of_the_mean_and_identical_matrices():
    X, y = make_matrices(20, 4)
    model = RiemannianSVC(metric_mean="log_euclidean").fit(X, y)
    expected = SPD(4, "log_euclidean").frechet_mean(X)
    np.testing.assert_allclose(model.reference_, expected)
    same = np.repeat(X[:1], 6, axis=0)
    model = RiemannianSVC("log_euclidean", kernel="gaussian")
    assert model.fit(same, np.arange(6) % 2).gamma_ == 1.0


def test_metrics_without_tangent_space_have_only_the_gaussian_kernel():
    X, y = make_matrices(20, 4)
    with pytest.raises(ValueError, match="has no logarithm"):
        RiemannianSVC("stein").fit(X, y)


def test_probabilities_by_calibration():
    X, y = make_matrices(40, 4)
    P = CalibratedClassifierCV(RiemannianSVC(), cv=3).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1.0)
