"""Digits that SPD metrics keep on ill-conditioned and on nearly equal matrices.

The bounds are the precision targets, relative 1e-12 + 40 eps kappa, with the
exceptions that the targets grant: eps |log A| / d for the log-Euclidean and
eps sqrt(kappa) / d for the log-Cholesky distance of nearly equal matrices.
"""

import mpmath as mp
import numpy as np
import pytest

from geolearn.manifolds import SPD
from tests.reference import spd as reference

EPS = np.finfo(float).eps
METRICS = [
    "affine_invariant",
    "log_euclidean",
    "log_cholesky",
    "cholesky",
    "bures_wasserstein",
    "stein",
    "euclidean",
    "power_euclidean",
    "harmonic",
    "kullback_leibler",
    "jeffreys",
    "thompson",
]


def conditioned(kappa, n, rng):
    """Return an SPD matrix with eigenvalues between 1 / kappa and 1."""
    U = np.linalg.qr(rng.standard_normal((n, n)))[0]
    values = np.concatenate([[1.0, 1 / kappa], kappa ** -rng.random(n - 2)])
    A = (U * values) @ U.T
    return (A + A.T) / 2


def relative(value, exact):
    return float(abs((mp.mpf(float(value)) - exact) / exact))


@pytest.mark.parametrize("kappa", [10.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("metric", METRICS)
def test_distances_of_unrelated_matrices(metric, kappa):
    rng = np.random.default_rng(0)
    manifold = SPD(4, metric)
    for _ in range(3):
        A, B = conditioned(kappa, 4, rng), conditioned(kappa, 4, rng)
        exact = reference.DISTANCES[metric](A, B)
        bound = 1e-12 + 40 * EPS * kappa
        assert relative(manifold.dist(A, B), exact) < bound
        table = manifold.pairwise_distances(A[None], B[None])
        assert relative(table[0, 0], exact) < bound


@pytest.mark.parametrize("kappa", [10.0, 1e6])
@pytest.mark.parametrize("distance", [1e-5, 1e-9])
@pytest.mark.parametrize("metric", METRICS)
def test_distances_of_nearly_equal_matrices(metric, distance, kappa):
    rng = np.random.default_rng(1)
    A = conditioned(kappa, 4, rng)
    B = SPD(4).exp_vector(A, distance * rng.standard_normal(10))
    manifold = SPD(4, metric)
    exact = reference.DISTANCES[metric](A, B)
    granted = {
        "log_euclidean": 40 * EPS * (4 + np.log(kappa)) * kappa / distance,
        "log_cholesky": 40 * EPS * np.sqrt(kappa) / distance,
        "cholesky": 40 * EPS * np.sqrt(kappa) / distance,
        "power_euclidean": 40 * EPS * np.sqrt(kappa) / distance,
        "harmonic": 40 * EPS * kappa / distance,
    }
    bound = 1e-12 + 40 * EPS * kappa + granted.get(metric, 0.0)
    assert relative(manifold.dist(A, B), exact) < bound
    assert manifold.dist(A, A) == 0.0


@pytest.mark.parametrize("kappa", [10.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("metric", reference.VECTORS)
def test_coordinates(metric, kappa):
    rng = np.random.default_rng(2)
    A, B = conditioned(kappa, 3, rng), conditioned(kappa, 3, rng)
    exact = np.array([float(w) for w in reference.VECTORS[metric](A, B)])
    manifold = SPD(3, metric)
    value = manifold.log_vector(A, B)
    bound = (1e-12 + 40 * EPS * kappa) * np.linalg.norm(exact)
    assert np.linalg.norm(value - exact) < bound
    back = manifold.exp_vector(A, value)
    assert np.linalg.norm(back - B) < 1e-12 + 40 * EPS * kappa


@pytest.mark.parametrize("kappa", [10.0, 1e4, 1e8, 1e12])
def test_bures_wasserstein_logarithm(kappa):
    rng = np.random.default_rng(3)
    A, B = conditioned(kappa, 3, rng), conditioned(kappa, 3, rng)
    exact = reference.doubles(reference.bures_log(A, B))
    value = SPD(3, "bures_wasserstein").log(A, B)
    bound = (1e-12 + 40 * EPS * kappa) * np.linalg.norm(exact)
    assert np.linalg.norm(value - exact) < bound


@pytest.mark.parametrize("distance", [1e-3, 1e-7, 1e-12])
@pytest.mark.parametrize("metric", ["affine_invariant", "bures_wasserstein"])
def test_logarithms_of_nearly_equal_matrices(metric, distance):
    """Logarithms are taken of differences, so that no digit cancels."""
    rng = np.random.default_rng(4)
    A = conditioned(10.0, 3, rng)
    B = SPD(3).exp_vector(A, distance * rng.standard_normal(6))
    B = (B + B.T) / 2
    manifold = SPD(3, metric)
    exact = reference.DISTANCES[metric](A, B)
    assert relative(np.linalg.norm(manifold.log_vector(A, B)), exact) < 1e-12
    assert relative(manifold.norm(A, manifold.log(A, B)), exact) < 1e-12


def test_badly_scaled_channels():
    """Cholesky whitening does not mix the units of channels."""
    rng = np.random.default_rng(5)
    units = np.array([1e-4, 1e-2, 1.0, 1e2])
    plain = np.stack([conditioned(10.0, 4, rng) for _ in range(12)])
    scaled = plain * np.outer(units, units)
    manifold = SPD(4)
    d = manifold.dist(plain[0], plain[1])
    assert abs(manifold.dist(scaled[0], scaled[1]) / d - 1) < 1e-12
    mean = manifold.frechet_mean(plain, tol=1e-12)
    other = manifold.frechet_mean(scaled, tol=1e-12) / np.outer(units, units)
    assert np.abs(other / mean - 1).max() < 1e-10


@pytest.mark.parametrize("gap", [0.0, 1e-16, 1e-12, 1e-6, 1e-2, 1.0])
@pytest.mark.parametrize("unit", [1e-29, 1.0, 1e29])
def test_differentials_of_close_eigenvalues(gap, unit):
    """Divided differences neither cancel nor know an absolute scale."""
    A = unit * np.diag([1.0, 1.0 + gap, 3.0])
    V = unit * np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    with mp.workdps(60):
        a, b = mp.mpf(A[0, 0]), mp.mpf(A[1, 1])
        slope = (mp.log(b) - mp.log(a)) / (b - a) if a != b else 1 / a
        root = (mp.sqrt(b) - mp.sqrt(a)) / (b - a) if a != b else 1 / (2 * mp.sqrt(a))
        log = mp.sqrt(2) * slope * unit
        power = 2 * mp.sqrt(2) * root * unit
    assert relative(SPD(3, "log_euclidean").norm(A, V), log) < 1e-14
    assert relative(SPD(3, "power_euclidean").norm(A, V), power) < 1e-14


def test_logarithm_of_graded_matrices():
    """The Cholesky factor keeps small eigenvalues that the matrix hides."""
    scale = np.array([1.0, 1e-3, 1e-7])
    A = conditioned(10.0, 3, np.random.default_rng(6)) * np.outer(scale, scale)
    value = SPD(3, "log_euclidean").log_vector(np.eye(3), A)
    exact = np.array([float(w) for w in reference.log_euclidean_vector(np.eye(3), A)])
    assert np.abs(value - exact).max() < 1e-9
