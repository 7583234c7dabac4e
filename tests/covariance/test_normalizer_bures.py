"""SPDNormalizer on the Bures-Wasserstein metric and its domain."""

import numpy as np
import pytest

from geolearn.covariance import SPDNormalizer
from geolearn.manifolds import SPD
from tests.covariance.test_normalizer import EPS, EXACT, make_matrices, other_matrix
from tests.reference import transfer

pytestmark = pytest.mark.filterwarnings("ignore:The Fréchet mean:UserWarning")
NAME = "bures_wasserstein"


@pytest.mark.parametrize("bias", [None, other_matrix()], ids=["identity", "bias"])
@pytest.mark.parametrize("power", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("matrix", [None, other_matrix(7)], ids=["plain", "general"])
def test_the_result_has_the_mean_and_the_dispersion_that_were_asked_for(
    matrix, power, bias
):
    X = make_matrices()
    weight = np.random.default_rng(2).random(len(X))
    options = {"metric": NAME, "power": power, "metric_matrix": matrix, **EXACT}
    normalizer = SPDNormalizer(scale=0.4, bias=bias, **options)
    Z = normalizer.fit_transform(X, sample_weight=weight)
    again = SPDNormalizer(**options).fit(Z, sample_weight=weight)
    v = normalizer.variance_
    target = np.eye(4) if bias is None else bias
    np.testing.assert_allclose(again.mean_, target, rtol=0, atol=1e-13)
    np.testing.assert_allclose(again.variance_, 0.16 * v / (v + EPS), rtol=1e-13)
    # distances from the mean change by one factor
    geometry = SPD(4, NAME, power=power, metric_matrix=matrix)
    before = geometry.pairwise_distances(X, normalizer.mean_[None])
    after = geometry.pairwise_distances(Z, target[None])
    np.testing.assert_allclose(after, before * 0.4 / np.sqrt(v + EPS), atol=1e-12)


def test_transform_is_the_definition():
    X, B = make_matrices(8), other_matrix()
    normalizer = SPDNormalizer(NAME, scale=0.4, bias=B).fit(X)
    factor = 0.4 / np.sqrt(normalizer.variance_ + EPS)
    expected, margins = transfer.normalise_bures(X, normalizer.mean_, B, factor)
    assert margins.min() > 0.0
    np.testing.assert_allclose(normalizer.transform(X), expected, rtol=0, atol=1e-12)


def test_closed_transport_is_the_limit_of_small_steps():
    M = other_matrix()
    S = make_matrices(1, seed=3)[0] - np.eye(4)
    m, V = np.linalg.eigh(M)
    closed = V @ (V.T @ S @ V * np.sqrt(2.0 / (m[:, None] + m))) @ V.T
    errors = [
        np.abs(transfer.bures_carry(M, np.eye(4), S, n_steps=k) - closed).max()
        for k in (50, 100)
    ]
    assert errors[1] < 1e-3
    np.testing.assert_allclose(errors[0] / errors[1], 2.0, rtol=0.05)  # first order


def test_metric_matrix_is_a_change_of_frame():
    X, Q = make_matrices(), other_matrix(7)
    L = np.linalg.cholesky(Q)
    W = np.linalg.inv(L)
    general = SPDNormalizer(NAME, metric_matrix=Q, bias=Q, scale=0.4).fit(X)
    plain = SPDNormalizer(NAME, scale=0.4).fit(W @ X @ W.T)
    np.testing.assert_allclose(general.variance_, plain.variance_, rtol=1e-10)
    np.testing.assert_allclose(
        general.transform(X), L @ plain.transform(W @ X @ W.T) @ L.T, atol=1e-9
    )


def wide(n=3):
    """A set that leaves the domain: one small matrix among large ones."""
    X = np.repeat(4.0 * np.eye(n)[None], 10, axis=0)
    X[:5] *= 1.21
    X[3] = 1e-3 * np.eye(n)
    return X


def test_wide_data_are_refused_and_named():
    normalizer = SPDNormalizer(NAME).fit(wide())
    with pytest.raises(
        ValueError, match=r"1 of 10 matrices .* is -\d\.\d+ for X\[3\]\. Lower scale"
    ):
        normalizer.transform(wide())
    # an independent computation says so too
    factor = 1.0 / np.sqrt(normalizer.variance_ + EPS)
    _, margins = transfer.normalise_bures(wide(), normalizer.mean_, np.eye(3), factor)
    assert np.flatnonzero(margins <= 0.0).tolist() == [3]


def test_the_domain_is_checked_at_any_bias():
    X, B = make_matrices(20, spread=1.0), 0.05 * other_matrix()
    normalizer = SPDNormalizer(NAME, bias=B, scale=1.0).fit(X)
    factor = 1.0 / np.sqrt(normalizer.variance_ + EPS)
    _, margins = transfer.normalise_bures(X, normalizer.mean_, B, factor)
    outside = np.flatnonzero(margins <= 0.0)
    assert 0 < outside.size < 20
    with pytest.raises(ValueError, match=rf"{outside.size} of 20.* X\[{outside[0]}\]"):
        normalizer.transform(X)
    inside = np.flatnonzero(margins > 0.0)
    assert np.isfinite(normalizer.transform(X[inside])).all()


def test_wide_data_are_clipped_on_request():
    normalizer = SPDNormalizer(NAME, on_domain_error="clip").fit(wide())
    with pytest.warns(UserWarning, match=r"1 of 10 matrices.*X\[3\]") as caught:
        Z = normalizer.transform(wide())
    assert caught[0].filename == __file__
    np.testing.assert_allclose(Z[3], 1e-12 * np.eye(3), rtol=1e-9, atol=0)
    others = np.arange(10) != 3
    factor = 1.0 / np.sqrt(normalizer.variance_ + EPS)
    expected, _ = transfer.normalise_bures(
        wide()[others], normalizer.mean_, np.eye(3), factor
    )
    np.testing.assert_allclose(Z[others], expected, rtol=0, atol=1e-12)


def test_wide_data_pass_with_a_smaller_scale():
    for options in ({"scale": 0.3}, {"with_std": False, "bias": 9.0 * np.eye(3)}):
        normalizer = SPDNormalizer(NAME, **EXACT, **options).fit(wide())
        again = SPDNormalizer(NAME, **EXACT).fit(normalizer.transform(wide()))
        target = options.get("bias", np.eye(3))
        np.testing.assert_allclose(again.mean_, target, rtol=0, atol=1e-12)


def test_the_domain_is_that_of_the_bias():
    """The identity is passed on the way only: not every move through it must exist."""
    options = {"with_std": False, **EXACT}
    with pytest.raises(ValueError, match="too far from the mean"):
        SPDNormalizer(NAME, **options).fit_transform(wide())
    Z = SPDNormalizer(NAME, bias=4.0 * np.eye(3), **options).fit_transform(wide())
    again = SPDNormalizer(NAME, **EXACT).fit(Z)
    np.testing.assert_allclose(again.mean_, 4.0 * np.eye(3), rtol=0, atol=1e-12)


def test_small_units_are_reported():
    """The metric depends on units: eps swallows the dispersion of EEG in volts."""
    with pytest.warns(UserWarning, match="bring X to larger units"):
        SPDNormalizer(NAME).fit(1e-12 * make_matrices())
    X = make_matrices()
    small = SPDNormalizer(NAME, eps=0.0, scale=0.4).fit(1e-12 * X)
    expected = SPDNormalizer(NAME, eps=0.0, scale=0.4).fit_transform(X)
    # the transports of M and c M differ: same mean and dispersion, other matrices
    Z = small.transform(1e-12 * X)
    again = SPDNormalizer(NAME, **EXACT).fit(Z)
    np.testing.assert_allclose(again.variance_, 0.16, rtol=1e-5)
    np.testing.assert_allclose(Z, expected, rtol=0, atol=1e-5)


def test_metric_matrix_is_checked():
    X = make_matrices(5)
    with pytest.raises(ValueError, match=r"metric_matrix has shape \(2, 2\)"):
        SPDNormalizer(NAME, metric_matrix=np.eye(2)).fit(X)
    with pytest.raises(ValueError, match="metric_matrix is not a valid matrix"):
        SPDNormalizer(NAME, metric_matrix=-np.eye(4)).fit(X)
