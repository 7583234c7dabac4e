"""Geodesic filtering and the discriminant analysis behind it."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from geolearn.covariance import MDM, FgMDM, TangentSpace
from geolearn.covariance._discriminant import discriminant_rows, orthonormal_rows
from geolearn.manifolds import SPD
from tests.covariance.common import make_matrices
from tests.peers import pyriemann

SHAPES = [(100, 10, 2), (30, 55, 2), (40, 300, 3), (400, 36, 4), (40, 36, 3)]


def clouds(n_samples, n_features, n_classes):
    rng = np.random.default_rng(0)
    y = np.arange(n_samples) % n_classes
    V = rng.normal(size=(n_samples, n_features)) * rng.uniform(0.1, 3.0, n_features)
    return V + 0.5 * rng.normal(size=(n_classes, n_features))[y], y


@pytest.mark.parametrize("shape", SHAPES)
def test_discriminant_rows_are_those_of_scikit_learn(shape):
    V, y = clouds(*shape)
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(V, y)
    W = discriminant_rows(V, y, shape[2], np.full(len(V), 0.7))
    scale = np.abs(lda.coef_).max()
    np.testing.assert_allclose(W, lda.coef_, atol=1e-11 * scale)


@pytest.mark.parametrize("shape", [(60, 10, 2), (40, 300, 3)])
def test_discriminant_rows_see_only_ratios_of_weights(shape):
    V, y = clouds(*shape)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(V))
    weight[::6] = 0.0
    W = discriminant_rows(V, y, shape[2], weight)
    kept = weight > 0.0
    without = discriminant_rows(V[kept], y[kept], shape[2], 1e-6 * weight[kept])
    np.testing.assert_allclose(W, without, rtol=1e-9, atol=1e-12)
    uneven = discriminant_rows(V, y, shape[2], np.ones(len(V)))
    assert not np.allclose(W, uneven, rtol=1e-2)


def test_weighted_shrinkage_is_the_variance_of_the_weighted_covariance():
    # Slow form of the definition, for one class and a second one far away.
    rng = np.random.default_rng(0)
    V = rng.normal(size=(12, 4)) * [1.0, 2.0, 3.0, 4.0]
    p = rng.uniform(size=12)
    p /= p.sum()
    Z = V - p @ V
    s = np.sqrt(p @ Z**2)
    Z /= s
    C = (Z * p[:, None]).T @ Z
    beta = sum(p[i] ** 2 * np.sum((np.outer(Z[i], Z[i]) - C) ** 2) for i in range(12))
    mu = np.trace(C) / 4
    shrinkage = min(beta, np.sum((C - mu * np.eye(4)) ** 2))
    shrinkage /= np.sum((C - mu * np.eye(4)) ** 2)
    assert 0.05 < shrinkage < 1.0
    S = np.diag(s) @ ((1 - shrinkage) * C + shrinkage * mu * np.eye(4)) @ np.diag(s)
    both = np.concatenate([V, V + 5.0])  # the same covariance twice
    W = discriminant_rows(both, np.repeat([0, 1], 12), 2, np.concatenate([p, p]))
    np.testing.assert_allclose(W @ S, np.full((1, 4), 5.0), rtol=1e-10)


def test_copies_give_finite_rows():
    # Without spread the covariance is singular: the least-norm solution.
    V = np.repeat([[0.0, 0.0, 1.0], [3.0, 4.0, 1.0]], 5, axis=0)
    W = discriminant_rows(V, np.repeat([0, 1], 5), 2, np.ones(10))
    assert np.isfinite(W).all()


def test_orthonormal_rows_make_the_projector():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(3, 10))
    F = orthonormal_rows(W)
    np.testing.assert_allclose(F @ F.T, np.eye(3), atol=1e-14)
    projector = W.T @ np.linalg.pinv(W @ W.T) @ W
    np.testing.assert_allclose(F.T @ F, projector, atol=1e-12)
    W[2] = W[0] - W[1] + 1e-9  # rounding is no direction
    assert orthonormal_rows(W).shape == (2, 10)


@pytest.mark.parametrize("metric", ["affine_invariant", "log_euclidean"])
def test_definition(metric):
    X, y = make_matrices(40, 4)
    model = FgMDM(metric).fit(X, y)
    ts = TangentSpace(metric).fit(X)
    V = ts.transform(X)
    W = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(V, y).coef_
    filtered = V @ W.T @ np.linalg.pinv(W @ W.T) @ W
    inner = MDM(metric).fit(ts.inverse_transform(filtered), y)
    np.testing.assert_allclose(model.means_, inner.means_, rtol=1e-7, atol=1e-9)
    new, _ = make_matrices(10, 4, seed=1)
    points = ts.inverse_transform(ts.transform(new) @ W.T @ np.linalg.pinv(W @ W.T) @ W)
    np.testing.assert_allclose(model.transform(new), inner.transform(points), rtol=1e-6)
    np.testing.assert_allclose(model.reference_, SPD(4, metric).frechet_mean(X))


def test_filtering_helps_where_noise_is_large():
    # Classes differ in one entry; the others are noise of five times the spread.
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    V = rng.normal(size=(200, 36))
    V[:, 0] = 0.4 * V[:, 0] + (y - 0.5)
    manifold = SPD(8, "log_euclidean")
    X = manifold.exp_vector(np.eye(8), 0.5 * V)
    train, test = slice(0, 140), slice(140, 200)
    plain = MDM().fit(X[train], y[train]).score(X[test], y[test])
    filtered = FgMDM().fit(X[train], y[train]).score(X[test], y[test])
    assert filtered > plain
    assert filtered > 0.8


def test_three_classes_have_two_directions():
    X, _ = make_matrices(45, 4)
    y = np.arange(45) % 3
    model = FgMDM().fit(X, y)
    assert model.coef_.shape == (3, 10)
    assert model.filter_.shape == (2, 10)
    assert model.predict_proba(X).shape == (45, 3)
    assert model.get_feature_names_out().tolist() == ["fgmdm_0", "fgmdm_1", "fgmdm_2"]


def test_classes_need_two_trials():
    X, y = make_matrices(10, 3)
    with pytest.raises(ValueError, match="only 1 class: 0"):
        FgMDM().fit(X, np.zeros(10))
    y = y.copy()
    y[y == 1] = [2, 1, 1, 1, 1]
    with pytest.raises(ValueError, match="class 2 has 1"):
        FgMDM().fit(X, y)
    weight = np.ones(10)
    weight[[1, 3, 5, 7]] = 0.0
    with pytest.raises(ValueError, match="class 1 has 1"):
        FgMDM().fit(X, np.arange(10) % 2, sample_weight=weight)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_agrees_with_pyriemann(n_classes):
    classification = pyriemann("classification")
    X, _ = make_matrices(60, 5)
    y = np.arange(60) % n_classes
    y = np.where((X[:, 0, 0] > 2.0) & (y == 0), n_classes - 1, y)
    ours, theirs = FgMDM().fit(X, y), classification.FgMDM().fit(X, y)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), atol=1e-5)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
