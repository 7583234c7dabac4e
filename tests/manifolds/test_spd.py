"""SPD matrices: printed values and identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geolearn.manifolds import SPD
from geolearn.manifolds._frames import FrameOperations
from tests.manifolds.spd_cases import (
    COMPLETE,
    EQUIVARIANT,
    RIEMANNIAN,
    TWELVE,
    WITH_DISTANCE,
    WITH_MEAN,
    A,
    B,
    X,
    cloud,
    entries,
    seeds,
)

# Printed values.


@pytest.mark.parametrize(
    ("metric", "expected"),
    {
        "affine_invariant": 1.12481662230598,
        "log_euclidean": 1.09861228866811,
        "log_cholesky": 0.860364171127,
        "cholesky": 0.963811282427,
        "bures_wasserstein": 0.718808198654,
        "stein": 0.392620274346,
        "thompson": 0.795365461224,
        "euclidean": 2.0,
        "power_euclidean": 1.464101615138,
        "kullback_leibler": 1.0 / 3.0,
    }.items(),
)
def test_printed_distances(metric, expected):
    manifold = SPD(2, metric)
    assert_allclose(manifold.dist(A, B), expected, **TWELVE)
    assert_allclose(manifold.pairwise_distances(X)[0, 1], expected, **TWELVE)


@pytest.mark.parametrize(
    ("metric", "expected"),
    {
        "affine_invariant": (1.848309093755, 0.019352226212, 1.623307767514),
        "log_euclidean": (1.856485773672, 0.025745013535, 1.616313385363),
        "log_cholesky": (2.0, 0.097631072938, 1.504765913201),
        "bures_wasserstein": (2.096394279627, 0.026739598995, 1.804194674709),
        # The specification prints ...733220; 40 digits give ...73331983.
        "stein": (1.835655733320, 0.030186341032, 1.634789770606),
        "harmonic": (1.5, 0.0, 9.0 / 7.0),
    }.items(),
)
def test_printed_means(metric, expected):
    mean = SPD(2, metric).frechet_mean(X, tol=1e-13, max_iter=200)
    assert_allclose(entries(mean), expected, **TWELVE)


def test_printed_dispersion_and_midpoint():
    result = SPD(2).frechet_mean(X, tol=1e-12, return_result=True)
    assert_allclose(result.variance, 0.945001283512, **TWELVE)
    middle = SPD(2).geodesic(A, B, 0.5)
    printed = (1.388730149659, 0.462910049886, 2.314550249431)
    assert_allclose(entries(middle), printed, **TWELVE)


def test_printed_tangent_vectors():
    expected = {
        "affine_invariant": (-0.520688918745, -0.850281443764, 0.520688918745),
        "log_euclidean": (-0.549306144334, -0.776836199212, 0.549306144334),
        "log_cholesky": (-0.346573590280, 0.346573590280, -0.707106781187),
    }
    for metric, vector in expected.items():
        assert_allclose(SPD(2, metric).log_vector(A, B), vector, **TWELVE)
    vector = SPD(2, "bures_wasserstein").log_vector(A, B)
    # the eigenvectors have no sign
    vector[1] = abs(vector[1])
    printed = (0.336306209562, 0.534522483825, -0.343320657910)
    assert_allclose(vector, printed, **TWELVE)


TABLE = {
    "affine_invariant": (
        1.5426995090,
        0.1809800325,
        (-1.5437059517, -0.7418335372, 0.8459063389),
        (2.3240316105, 0.6047900094, 0.8290663106),
        (0.1204514442, 0.1485843801, -0.7830763892),
    ),
    "log_euclidean": (
        1.5388485045,
        0.0,
        (-1.5658823317, -0.6884216862, 0.8837004544),
        (2.3245103806, 0.6013997902, 0.8271363644),
        (0.1097625688, 0.1755691793, -0.7672006427),
    ),
    "log_cholesky": (
        0.9530250162,
        0.0,
        (-1.3862943611, -1.0975508639, 0.5893418802),
        (2.3236684855, 0.6063098349, 0.8299880062),
        (0.15, 0.0216941738, -0.7955879329),
    ),
    "bures_wasserstein": (
        0.9640082235,
        -0.1321285386,
        (-1.2941078697, -0.6376028636, 1.3647960147),
        (2.3128571429, 0.5973214286, 0.8132142857),
        None,
    ),
}


@pytest.mark.parametrize("metric", TABLE)
def test_printed_table_of_maps(metric):
    ten = {"rtol": 0.0, "atol": 0.51e-10}
    P = np.array([[2.0, 0.5], [0.5, 1.0]])
    Q = np.array([[1.0, -0.3], [-0.3, 3.0]])
    V = np.array([[0.3, 0.1], [0.1, -0.2]])
    manifold = SPD(2, metric)
    distance, density, log, exp, transported = TABLE[metric]
    assert_allclose(manifold.dist(P, Q), distance, **ten)
    assert_allclose(manifold.log_volume_density(P, Q), density, **ten)
    assert_allclose(entries(manifold.log(P, Q)), log, **ten)
    assert_allclose(entries(manifold.exp(P, V)), exp, **ten)
    if transported is not None:
        assert_allclose(entries(manifold.transport(P, Q, V)), transported, **ten)


def test_printed_densities_of_diagonal_matrices():
    stretched = np.diag([np.e, 1 / np.e])
    assert_allclose(SPD(2).dist(np.eye(2), stretched), np.sqrt(2))
    density = SPD(2).log_volume_density(np.eye(2), stretched)
    assert_allclose(density, np.log(np.sinh(1.0)), rtol=1e-14)
    bures = SPD(2, "bures_wasserstein")
    assert_allclose(bures.dist(np.eye(2), np.diag([4.0, 1.0])), 1.0, rtol=1e-14)
    density = bures.log_volume_density(np.eye(2), np.diag([4.0, 1.0]))
    assert_allclose(density, np.log(3 / np.sqrt(10)), rtol=1e-14)


def test_order_of_autoregressive_processes():
    # Unit-variance AR(1) with coefficients 0.6 and 0.3, orders 1 to 4.
    printed = (0.0, 0.596895247018, 0.841542794126, 1.029173923932)
    for p, expected in enumerate(printed, start=1):
        lags = np.abs(np.subtract.outer(np.arange(p), np.arange(p)))
        assert_allclose(SPD(p).dist(0.6**lags, 0.3**lags), expected, **TWELVE)


# Identities.


@pytest.mark.parametrize("metric", EQUIVARIANT)
@seeds
@given(seed=st.integers(0, 2**31))
def test_congruence_and_inversion_are_isometries(metric, seed):
    P, Q = cloud(2, 4, seed)
    W = np.random.default_rng(seed).standard_normal((4, 4)) + 3 * np.eye(4)
    manifold = SPD(4, metric)
    expected = manifold.dist(P, Q)
    assert_allclose(manifold.dist(W @ P @ W.T, W @ Q @ W.T), expected, rtol=1e-10)
    inverted = manifold.dist(np.linalg.inv(Q), np.linalg.inv(P))
    assert_allclose(inverted, expected, rtol=1e-10)  # swapped: KL is not symmetric


@pytest.mark.parametrize("metric", [m for m in WITH_DISTANCE if "cholesky" not in m])
def test_rotations_and_permutations_are_isometries(metric):
    P, Q = cloud(2, 4)
    U = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    manifold = SPD(4, metric)
    expected = manifold.dist(P, Q)
    assert_allclose(manifold.dist(U @ P @ U.T, U @ Q @ U.T), expected, rtol=1e-10)
    order = [2, 0, 3, 1]
    permuted = (M[np.ix_(order, order)] for M in (P, Q))
    assert_allclose(manifold.dist(*permuted), expected, rtol=1e-12)


@pytest.mark.parametrize("metric", RIEMANNIAN)
@seeds
@given(seed=st.integers(0, 2**31))
def test_coordinates_measure_distances(metric, seed):
    manifold = SPD(4, metric)
    P, Q = cloud(2, 4, seed, scale=0.2)
    v = manifold.log_vector(P, Q)
    V = manifold.log(P, Q)
    d = manifold.dist(P, Q)
    assert v.shape == (10,)
    assert_allclose(np.linalg.norm(v), d, rtol=1e-10)
    assert_allclose(manifold.norm(P, V), d, rtol=1e-10)
    assert_allclose(manifold.tangent_to_vector(P, V), v, atol=1e-10 * d)
    assert_allclose(manifold.vector_to_tangent(P, v), V, atol=1e-10)
    assert_allclose(manifold.exp_vector(P, v), Q, rtol=1e-10, atol=1e-11)
    assert_allclose(manifold.exp(P, V), Q, rtol=1e-10, atol=1e-11)
    assert_allclose(manifold.dist(P, Q, squared=True), d**2, rtol=1e-12)


@pytest.mark.parametrize("metric", RIEMANNIAN)
def test_gradient_vanishes_at_the_mean(metric):
    manifold = SPD(5, metric)
    matrices, weight = cloud(20, 5), np.arange(20.0)
    result = manifold.frechet_mean(matrices, weight, return_result=True, tol=1e-11)
    gradient = weight @ manifold.log_vector(result.mean, matrices) / weight.sum()
    assert np.linalg.norm(gradient) < 1e-9
    squares = manifold.dist(result.mean, matrices) ** 2
    assert_allclose(result.variance, weight @ squares / weight.sum(), rtol=1e-10)
    # zero weights drop their matrices, and weights may have any sum
    again = manifold.frechet_mean(matrices[1:], 7 * weight[1:], tol=1e-11)
    assert_allclose(again, result.mean, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("metric", WITH_MEAN)
def test_means_minimise_their_objective(metric):
    manifold = SPD(3, metric)
    matrices = cloud(6, 3)
    result = manifold.frechet_mean(matrices, return_result=True, tol=1e-10)
    assert result.converged
    rng = np.random.default_rng(0)
    for _ in range(5):
        V = rng.standard_normal((3, 3))
        moved = SPD(3).exp(result.mean, 1e-3 * (V + V.T))
        values = manifold.dist(matrices, moved, squared=True)
        assert values.mean() > result.variance


def test_determinant_of_means():
    matrices = cloud(9, 4)
    expected = np.exp(np.mean(np.linalg.slogdet(matrices)[1]))
    for metric in ("affine_invariant", "log_euclidean", "log_cholesky"):
        mean = SPD(4, metric).frechet_mean(matrices, tol=1e-11)
        assert_allclose(np.linalg.det(mean), expected, rtol=1e-10)


def test_commuting_matrices():
    pair = np.stack([np.diag([1.0, 4.0]), np.diag([9.0, 1.0])])
    for metric in ("affine_invariant", "log_euclidean"):
        assert_allclose(SPD(2, metric).frechet_mean(pair), np.diag([3.0, 2.0]), 1e-9)
    bures = SPD(2, "bures_wasserstein").frechet_mean(pair)
    assert_allclose(bures, np.diag([4.0, 2.25]), 1e-9, 1e-12)


def test_near_matrices_have_stein_distances_of_the_affine_kind():
    Q = SPD(3).exp(cloud(1, 3)[0], 1e-4 * np.diag([1.0, 2.0, 3.0]))
    P = cloud(1, 3)[0]
    ratio = 8 * (SPD(3, "stein").dist(P, Q) / SPD(3).dist(P, Q)) ** 2
    assert_allclose(ratio, 1.0, rtol=1e-6)


def test_one_dimensional_metrics_coincide():
    p, q = np.array([[2.0]]), np.array([[7.0]])
    for metric in COMPLETE:
        assert_allclose(
            SPD(1, metric).dist(p, q),
            np.log(3.5) * (0.5 if metric == "log_cholesky" else 1.0),
            rtol=1e-14,
        )
        assert SPD(1, metric).is_flat


def test_weighted_mean_of_two_lies_on_the_geodesic():
    P, Q = cloud(2, 3)
    for metric in RIEMANNIAN:
        manifold = SPD(3, metric)
        mean = manifold.frechet_mean([P, Q], [3.0, 1.0], tol=1e-12)
        assert_allclose(mean, manifold.geodesic(P, Q, 0.25), rtol=1e-9, atol=1e-10)


def test_bures_wasserstein_transport():
    manifold = SPD(3, "bures_wasserstein")
    P, Q = cloud(2, 3)
    U, V = (manifold.random_tangent(P, random_state=k) for k in (0, 1))
    moved = manifold.transport(P, Q, np.stack([U, V]))
    for a, S in enumerate((U, V)):
        inner = manifold.inner(Q, moved[a], moved)
        assert_allclose(inner, manifold.inner(P, S, np.stack([U, V])), rtol=1e-8)
    # The pole ladder is another way there, of second order.
    ladder = FrameOperations._transport(manifold, P, Q, U)
    assert manifold.norm(Q, ladder - moved[0]) < 1e-3 * manifold.norm(P, U)
    # From the identity the closed form: entries times sqrt((m_a + m_b) / 2).
    m, W = np.linalg.eigh(Q)
    factors = np.sqrt(0.5 * np.add.outer(m, m))
    expected = W @ (factors * (W.T @ U @ W)) @ W.T
    assert_allclose(manifold.transport(np.eye(3), Q, U), expected, rtol=1e-7, atol=1e-9)
