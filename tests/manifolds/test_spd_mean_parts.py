"""Parts of the means of SPD matrices: kernels, the bound of a step, streams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.manifolds.spd._mean_affine import _REMAINDER, affine_mean
from geolearn.manifolds.spd._mean_inductive import InductiveMean, geodesic_point
from geolearn.manifolds.spd._mean_kernels import (
    BURES,
    LOGARITHM,
    spectral_apply,
    spectral_sums,
)
from tests.manifolds.test_spd_means import (
    affine_distance,
    equal,
    function,
    rotated,
    sample,
    symmetric,
    weights,
)
from tests.reference import spd_means as reference


@pytest.mark.kernels
@pytest.mark.parametrize("n", [1, 2, 5, 12])
@pytest.mark.parametrize("segments", [1, 3])
def test_kernels_against_plain_products(n, segments):
    rng = np.random.default_rng(n)
    V = np.linalg.qr(rng.standard_normal((17, n, n)))[0]
    lam, w, S = rng.standard_normal((17, n)), weights(17), symmetric(V[0])
    if n > 1:
        lam[:, 1] = lam[:, 0] + rng.choice([0.0, 1e-15, 1e-9, 1e-5, 1e-3], 17)
    rows, partial = np.empty((17 * n, n)), np.empty((segments, n, n))
    spectral_sums(V, lam, w, rows, partial)
    expected = np.tensordot(w, (V * lam[:, None, :]) @ np.swapaxes(V, 1, 2), 1)
    assert_allclose(partial.sum(0), expected, atol=1e-14)
    assert_array_equal(rows.reshape(17, n, n), np.swapaxes(V, 1, 2))

    u = lam[:, :, None] - lam[:, None, :]
    far = np.where(np.abs(u) < 1e-7, 1.0, u)
    h = np.where(np.abs(u) < 1e-7, 1.0, 0.5 * far / np.tanh(0.5 * far))
    sigma = np.exp(lam)
    p = sigma[:, :, None] * sigma[:, None, :] / (sigma[:, :, None] + sigma[:, None, :])
    for kind, f, factor in ((LOGARITHM, lam, h), (BURES, sigma, p)):
        spectral_apply(kind, S, rows, f, w, partial)
        T = factor * (np.swapaxes(V, 1, 2) @ S @ V)
        expected = np.tensordot(w, V @ T @ np.swapaxes(V, 1, 2), 1)
        # h next to the switch to its series: 1e-16 / 1e-4
        assert_allclose(partial.sum(0), expected, atol=1e-11)


@pytest.mark.kernels
def test_kernels_guard_their_divisions():
    rows, partial = np.eye(3), np.empty((1, 3, 3))
    S, w = np.ones((3, 3)), np.ones(1)
    spectral_apply(LOGARITHM, S, rows, np.zeros((1, 3)), w, partial)
    assert_array_equal(partial[0], S)
    spectral_apply(BURES, S, rows, np.zeros((1, 3)), w, partial)
    assert_array_equal(partial[0], np.zeros((3, 3)))


@pytest.mark.kernels
@given(seed=st.integers(0, 10_000), n=st.integers(2, 6))
def test_bound_of_the_remainder_of_a_step(seed, n):
    # log(e^{-S/2} e^Y e^{-S/2}) = Y - H[S] + remainder
    rng = np.random.default_rng(seed)
    y = np.sort(rng.uniform(-4.0, 4.0, n)) * rng.uniform(0.1, 1.0)
    S = symmetric(rng.standard_normal((n, n)))
    S *= 0.02 / np.linalg.norm(S)
    half = function(-0.5 * S, np.exp)
    moved = function(symmetric(half @ np.diag(np.exp(y)) @ half), np.log)
    partial = np.empty((1, n, n))
    spectral_apply(LOGARITHM, S, np.eye(n), y[None], np.ones(1), partial)
    remainder = np.linalg.norm(moved - np.diag(y) + partial[0])
    assert remainder <= _REMAINDER * (y[-1] - y[0]) * 0.02**2 * 1.01 + 1e-13


def test_inductive_mean_of_two_and_of_commuting_matrices():
    X, w = sample(2, 5, 1.0), np.array([1.0, 3.0])
    stream = InductiveMean().update(X, w)
    assert stream.weight == 4.0
    assert_allclose(stream.mean, affine_mean(X, w / 4.0).mean, rtol=1e-9)
    D = np.exp(np.random.default_rng(0).standard_normal((9, 4)))
    diagonals = D[:, :, None] * np.eye(4)
    w = weights(9)
    expected = np.diag(np.exp(w @ np.log(D)))
    assert_allclose(InductiveMean().update(diagonals, w).mean, expected, atol=1e-13)


def test_inductive_mean_goes_on_from_its_state():
    X, w = sample(9, 4, 0.8), weights(9)
    w[3] = 0.0
    whole = InductiveMean().update(X, w)
    first = InductiveMean().update(X[:4], w[:4])
    rest = InductiveMean(first.mean, first.weight).update(X[4:], w[4:])
    assert_array_equal(whole.mean, rest.mean)
    assert whole.weight == rest.weight
    assert_allclose(
        whole.mean, InductiveMean().update(X[w > 0], w[w > 0]).mean, rtol=1e-14
    )


def test_inductive_mean_over_many_rounds_tends_to_the_affine_mean():
    X = sample(6, 4, 0.8)
    M = affine_mean(X, equal(X)).mean
    errors = [
        affine_distance(
            InductiveMean().update(np.tile(X, (k, 1, 1)), np.ones(6 * k)).mean, M
        )
        for k in (1, 10, 20, 40)
    ]
    assert errors[1] < 0.2 * errors[0]
    assert_allclose(np.array(errors[1:-1]) / errors[2:], 2.0, rtol=0.1)  # O(1 / k)


def test_geodesic_point_of_ill_conditioned_matrices():
    X = rotated(2, 3, 1e8)  # eigenvalues of the whitened matrix are off by 1e-4
    M = geodesic_point(X[0], X[1], 0.3)
    d = reference.affine_distance(X[0], X[1])
    assert_allclose(reference.affine_distance(X[0], M), 0.3 * d, rtol=1e-9)
    assert_allclose(reference.affine_distance(X[1], M), 0.7 * d, rtol=1e-9)
