"""The largest root of the entropy equation, against scanning for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geolearn.graph._brownian_kernels import calibrate, fill_weights
from geolearn.manifolds import Sphere
from tests.reference import brownian as reference

pytestmark = pytest.mark.kernels
NO_VOLUME = np.empty((0, 0))


def calibrated(d, log_volume, perplexity):
    """Return beta and the weights of one row."""
    D = np.array(d, dtype=float)[None]
    L = NO_VOLUME if log_volume is None else np.array(log_volume, dtype=float)[None]
    beta, unit = calibrate(D, L, False, np.log(perplexity), None)
    return beta[0] / unit[0] ** 2, fill_weights(D, L, False, beta, None)[0]


@pytest.mark.parametrize("dim", [3, 50, 784])
def test_largest_root_on_spheres(dim):
    # In high dimension the entropy rises at first: weights grow with distance.
    rng = np.random.default_rng(dim)
    X = np.concatenate(
        [rng.normal(size=(20, dim)) + 3.0 * rng.normal(size=dim) for _ in range(3)]
    )
    X /= np.linalg.norm(X, axis=1)[:, None]
    D, L = Sphere(dim - 1).pairwise_distances(X, return_log_volume=True)
    found = 0
    for i in range(0, 60, 12):
        others = np.arange(60) != i
        d, a = D[i, others], L[i, others]
        expected = reference.largest_root(d, a, 12.0)
        beta, p = calibrated(d, a, 12.0)
        if expected is None:
            assert beta == 0.0
            continue
        found += 1
        assert_allclose(beta, expected, rtol=1e-8)
        assert_allclose(reference.entropy(p), np.log(12.0), atol=1e-10)
    assert found


@given(st.integers(0, 10**6), st.sampled_from([-1.0, 1.0]))
def test_root_with_noisy_densities(seed, sign):
    rng = np.random.default_rng(seed)
    d = rng.gamma(3.0, size=40) + 0.1
    a = sign * rng.uniform(0.2, 2.0) * d**2 + 0.1 * rng.normal(size=40)
    expected = reference.largest_root(d, a, 8.0)
    beta, p = calibrated(d, a, 8.0)
    if expected is None:
        assert beta == 0.0
    else:
        assert_allclose(beta, expected, rtol=1e-7)
        assert_allclose(reference.entropy(p), np.log(8.0), rtol=0, atol=1e-10)


def test_nearest_weigh_most_at_the_largest_root():
    # A far group of large extra weight makes a second root at a smaller beta.
    d = np.concatenate([np.linspace(1.0, 1.2, 10), np.linspace(9.0, 14.0, 10)])
    a = np.concatenate([np.zeros(10), np.full(10, -400.0)])
    beta, p = calibrated(d, a, 5.0)
    assert_allclose(beta, reference.largest_root(d, a, 5.0), rtol=1e-8)
    assert p[0] == p.max()


def test_time_zero_and_exponentials():
    d = np.linspace(0.0, 60.0, 50)
    _, p = calibrated(d, None, 2.0)
    assert_allclose(p, reference.weights(*solved(d, 2.0)), rtol=1e-9, atol=1e-300)


def solved(d, perplexity):
    zeros = np.zeros_like(d)
    return reference.largest_root(d, zeros, perplexity), d, zeros
