"""Block-Toeplitz augmented covariances, and estimators on their geometry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from geolearn.covariance import (
    MDM,
    AugmentedCovariances,
    Covariances,
    SPDKNeighborsClassifier,
    TangentSpace,
)
from geolearn.manifolds import BlockToeplitz
from tests.reference.covariance import block_toeplitz, lagged

pytestmark = pytest.mark.kernels


def trials(n_trials=3, n_channels=2, n_times=60, seed=0):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(size=(n_trials, n_channels, n_times)), axis=2)


def estimate(X, order, lag=1, **options):
    model = AugmentedCovariances(order, lag, toeplitz=True, **options)
    return model.fit_transform(X)


@pytest.mark.parametrize(("order", "lag"), [(1, 1), (2, 1), (3, 4), (5, 3), (3, 29)])
def test_values_are_those_of_the_definition(order, lag):
    X = trials() + 100.0
    C = estimate(X, order, lag)
    assert_array_equal(C, np.swapaxes(C, 1, 2))
    for x, c in zip(X, C, strict=True):
        wanted = block_toeplitz([lagged(x, k * lag) for k in range(order)])
        assert_allclose(c, wanted, rtol=0, atol=1e-13 * np.abs(wanted).max())


@given(
    seed=st.integers(0, 2**31),
    n_channels=st.integers(1, 3),
    order=st.integers(1, 6),
    lag=st.integers(1, 8),
)
def test_matrices_are_positive_definite(seed, n_channels, order, lag):
    # Averaging the blocks of the plain estimate does not guarantee that.
    n_times = max((order - 1) * lag + 2, n_channels * order + 1)
    C = estimate(trials(2, n_channels, n_times, seed), order, lag)
    assert np.linalg.eigvalsh(C).min() > -1e-14 * np.abs(C).max()


def test_order_one_is_covariances_up_to_rounding():
    X = trials()
    assert_allclose(estimate(X, 1), Covariances().fit_transform(X), rtol=1e-13)


def test_other_estimators():
    X = trials()
    C = estimate(X, 3)
    assert_allclose(estimate(X, 3, estimator="cov"), C * 60 / 59, rtol=1e-13)
    scale = np.sqrt(np.einsum("nii->ni", C))
    correlation = C / scale[:, :, None] / scale[:, None, :]
    assert_allclose(estimate(X, 3, estimator="corr"), correlation, rtol=1e-12)
    mu = np.trace(C, axis1=1, axis2=2)[:, None, None] / 6 * np.eye(6)
    mixed = estimate(X, 3, shrinkage=0.5, ridge=0.5)
    assert_allclose(mixed, 0.5 * C + mu, rtol=1e-13)
    raw = estimate(X, 2, assume_centered=True)
    moments = X @ np.swapaxes(X, 1, 2) / 60
    assert_allclose(raw[:, 2:, 2:], moments, rtol=1e-13)


@pytest.mark.parametrize("estimator", ["lwf", "oas", np.cov])
def test_other_estimators_are_refused(estimator):
    with pytest.raises(ValueError, match=r"toeplitz=True needs .* shrinkage or ridge"):
        estimate(trials(), 2, estimator=estimator)


def test_too_few_samples():
    # The biased estimate is that of the trial between zeros: longer than T'.
    X = trials(2, 3, 10)
    assert np.linalg.eigvalsh(estimate(X, 4)).min() > 0
    with pytest.raises(ValueError, match=r"T'=14 .*n=order \* n_channels=15"):
        estimate(X, 5)
    estimate(X, 5, ridge=1e-3)


def two_classes():
    """Return trials of two classes whose covariances agree and dynamics differ."""
    rng = np.random.default_rng(0)
    e = rng.normal(size=(40, 3, 220))
    y = np.repeat([0, 1], 20)
    phi = np.where(y == 0, 0.2, 0.7)[:, None]
    for t in range(1, 220):
        e[:, :, t] = phi * e[:, :, t - 1] + np.sqrt(1 - phi**2) * e[:, :, t]
    mixing = np.linalg.qr(rng.normal(size=(3, 3)))[0] * 1e-6  # volts
    return mixing @ e[:, :, 20:], y


@pytest.mark.parametrize(
    "steps",
    [
        [MDM(BlockToeplitz(3, 3))],
        [SPDKNeighborsClassifier(metric=BlockToeplitz(3, 3))],
        [TangentSpace(BlockToeplitz(3, 3)), LogisticRegression()],
        [TangentSpace("affine_invariant"), LogisticRegression()],
    ],
    ids=["mdm", "neighbours", "tangent", "affine"],
)
def test_estimators_take_the_geometry(steps):
    X, y = two_classes()
    covariances = AugmentedCovariances(3, toeplitz=True)
    assert cross_val_score(make_pipeline(covariances, *steps), X, y, cv=3).min() > 0.9
    plain = cross_val_score(make_pipeline(Covariances(), MDM()), X, y, cv=3)
    assert plain.max() < 0.85


def test_tangent_vectors_invert_and_have_the_distance_as_norm():
    X, _ = two_classes()
    manifold = BlockToeplitz(2, 3)
    R = estimate(X, 2)
    tangent = TangentSpace(manifold).fit(R)
    vectors = tangent.transform(R)
    assert vectors.shape == (40, manifold.dim)
    distances = manifold.dist(tangent.reference_, R)
    assert_allclose(np.linalg.norm(vectors, axis=1), distances, rtol=1e-10)
    back = tangent.inverse_transform(vectors)
    assert_allclose(back, R, rtol=0, atol=1e-11 * np.abs(R).max())


def test_plain_augmented_covariances_are_refused_by_the_geometry():
    X, y = two_classes()
    plain = AugmentedCovariances(3).fit_transform(X)
    with pytest.raises(ValueError, match=r"off by .*project"):
        MDM(BlockToeplitz(3, 3)).fit(plain, y)
