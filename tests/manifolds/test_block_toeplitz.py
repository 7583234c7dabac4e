"""Block-Toeplitz matrices and the Siegel ball."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from geolearn.manifolds import (
    SPD,
    BlockToeplitz,
    SiegelBall,
    check_manifold,
)
from tests.reference.covariance import (
    block_toeplitz_distance,
    reflections,
    siegel_distance,
)

MANIFOLDS = [
    SiegelBall(1),
    SiegelBall(2),
    SiegelBall(4),
    BlockToeplitz(1, 3),
    BlockToeplitz(2, 1),
    BlockToeplitz(4, 1),
    BlockToeplitz(2, 2),
    BlockToeplitz(3, 3),
]
SIEGEL_TERM = 0.383627576357  # artanh 0.6 - artanh 0.3
seeds = settings(max_examples=20)


def autoregressive(phi, p):
    """Return the covariances of p samples of an AR(1) series of unit variance."""
    i = np.arange(p)
    return phi ** np.abs(i[:, None] - i).astype(float)


@pytest.mark.parametrize("manifold", MANIFOLDS, ids=repr)
def test_check_manifold_finds_nothing(manifold):
    assert check_manifold(manifold, random_state=0, n_points=6).passed


@seeds
@given(seed=st.integers(0, 2**31), p=st.integers(1, 4), d=st.integers(1, 3))
def test_reflections_are_those_of_the_normal_equations(seed, p, d):
    manifold = BlockToeplitz(p, d)
    R = manifold.random_point(random_state=seed)[0]
    gamma0, omega = manifold.to_coordinates(R)
    wanted, omegas = reflections(R, d)
    assert_allclose(gamma0, wanted, rtol=1e-14, atol=1e-15)
    assert_allclose(omega, np.reshape(omegas, (p - 1, d, d)), atol=1e-8)
    assert np.all(np.linalg.svd(omega, compute_uv=False) < 1.0)
    back = manifold.from_coordinates(gamma0, omega)
    assert_allclose(back, R, rtol=0, atol=1e-13 * np.abs(R).max())


@seeds
@given(seed=st.integers(0, 2**31), p=st.integers(1, 4), d=st.integers(1, 3))
def test_determinant_is_that_of_the_coordinates(seed, p, d):
    manifold = BlockToeplitz(p, d)
    rng = np.random.default_rng(seed)
    omega = rng.uniform(-0.4, 0.4, (p - 1, d, d)) / d
    root = np.eye(d) + 0.3 * rng.normal(size=(d, d)) / d
    R = manifold.from_coordinates(root @ root.T, omega)
    gamma0, omega = manifold.to_coordinates(R)
    total = p * np.linalg.slogdet(gamma0)[1]
    for k in range(1, p):
        inside = np.eye(d) - omega[k - 1] @ omega[k - 1].T
        total += (p - k) * np.linalg.slogdet(inside)[1]
    assert_allclose(total, np.linalg.slogdet(R)[1], rtol=0, atol=1e-13)


@seeds
@given(seed=st.integers(0, 2**31), p=st.integers(1, 3), d=st.integers(1, 3))
def test_distance_is_that_of_the_definition(seed, p, d):
    manifold = BlockToeplitz(p, d)
    R, S = manifold.random_normal(2, scale=0.5, random_state=seed)
    assert_allclose(manifold.dist(R, S), block_toeplitz_distance(R, S, d), rtol=1e-7)


@seeds
@given(seed=st.integers(0, 2**31), n=st.integers(1, 4))
def test_siegel_distance_is_that_of_the_definition(seed, n):
    x, y = SiegelBall(n).random_point(2, random_state=seed)
    assert_allclose(SiegelBall(n).dist(x, y), siegel_distance(x, y), rtol=1e-8)


def test_siegel_distance_of_near_and_far_points():
    ball = SiegelBall(2)
    x = np.diag([0.5, -0.25])
    near = x + np.array([[0.0, 1e-12], [0.0, 0.0]])
    # (1 - s^2) of row and column scale a small step.
    wanted = (near - x)[0, 1] / np.sqrt((1 - 0.25) * (1 - 0.0625))
    assert_allclose(ball.dist(x, near), wanted, rtol=1e-12)
    far = np.diag([np.tanh(12.0), 0.0])
    assert_allclose(ball.dist(-far, far), 24.0, rtol=1e-6)
    assert ball.dist(x, x) == 0.0


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_worked_values_of_autoregressive_series(p):
    A, B = autoregressive(0.6, p), autoregressive(0.3, p)
    affine = [0.0, 0.596895247018, 0.841542794126, 1.029173923932][p - 1]
    assert_allclose(SPD(p).dist(A, B), affine, atol=1e-12)
    # The first reflection coefficient is phi, the others vanish.
    gamma0, omega = BlockToeplitz(p, 1).to_coordinates(A)
    assert_allclose(gamma0, [[1.0]])
    assert_allclose(omega.ravel(), [0.6, 0.0, 0.0][: p - 1], atol=1e-15)
    wanted = np.sqrt(p - 1) * SIEGEL_TERM
    assert_allclose(BlockToeplitz(p, 1).dist(A, B), wanted, atol=2e-12)


def test_siegel_ball_of_numbers_is_the_line():
    ball = SiegelBall(1)
    assert ball.is_flat
    x = np.array([0.6, -0.2, 0.9]).reshape(3, 1, 1)
    mean = ball.frechet_mean(x, [1.0, 2.0, 0.5])
    wanted = np.tanh(np.average(np.arctanh(x.ravel()), weights=[1.0, 2.0, 0.5]))
    assert_allclose(mean, [[wanted]], rtol=1e-9)


def test_mean_of_scalar_series_is_that_of_each_coefficient():
    manifold = BlockToeplitz(4, 1)
    X = manifold.random_point(5, random_state=0)
    weight = np.arange(5.0)  # the first does not count
    gamma0, omega = manifold.to_coordinates(X)
    result = manifold.frechet_mean(X, weight, return_result=True)
    mean0, mean = manifold.to_coordinates(result.mean)
    wanted = np.exp(np.average(np.log(gamma0), axis=0, weights=weight))
    assert_allclose(mean0, wanted, rtol=1e-8)
    wanted = np.tanh(np.average(np.arctanh(omega), axis=0, weights=weight))
    assert_allclose(mean, wanted, rtol=1e-8)
    squares = manifold.dist(result.mean, X) ** 2
    assert_allclose(result.variance, np.average(squares, weights=weight), rtol=1e-8)
    assert result.converged


def test_mean_balances_the_logarithms():
    manifold = BlockToeplitz(3, 2)
    X = manifold.random_normal(8, scale=0.5, random_state=1)
    mean = manifold.frechet_mean(X, tol=1e-12)
    assert np.linalg.norm(manifold.log_vector(mean, X).mean(axis=0)) < 1e-8
    again = manifold.frechet_mean(X[::-1], tol=1e-12, init=mean)
    assert_allclose(again, mean, rtol=0, atol=1e-9 * np.abs(mean).max())


def test_siegel_mean_is_found_in_few_steps():
    ball = SiegelBall(3)
    X = ball.random_normal(20, scale=1.2, random_state=0)
    weight = np.linspace(0.0, 1.0, 20)
    result = ball.frechet_mean(X, weight, tol=1e-12, return_result=True)
    logs = ball.log_vector(result.mean, X)
    assert np.linalg.norm(np.average(logs, axis=0, weights=weight)) < 1e-11
    assert result.converged
    assert result.n_iter <= 20
    squares = ball.dist(result.mean, X) ** 2
    assert_allclose(result.variance, np.average(squares, weights=weight), rtol=1e-10)
    # Far from the origin 1 - s^2 has fewer digits: 1e-16 exp(2 distance).
    moved = ball.frechet_mean(ball._move(X[0], X), weight, tol=1e-8)
    assert_allclose(moved, ball._move(X[0], result.mean), atol=1e-7)
    with pytest.warns(ConvergenceWarning, match="stopped after 1 steps"):
        ball.frechet_mean(X, max_iter=1)


@seeds
@given(seed=st.integers(0, 2**31))
def test_rotations_and_units_of_channels_are_isometries(seed):
    manifold = BlockToeplitz(3, 2)
    X = manifold.random_normal(2, scale=0.7, random_state=seed)
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(2, 2)))[0]
    W = np.kron(np.eye(3), Q)
    D = manifold.dist(*X)
    assert_allclose(manifold.dist(*(W @ X @ W.T)), D, rtol=1e-9)
    assert_allclose(manifold.dist(*(1e-12 * X)), D, rtol=1e-9)


def test_tables_and_vectors_agree_with_distances():
    manifold = BlockToeplitz(3, 2)
    X = manifold.random_normal(6, random_state=0)
    table = manifold.pairwise_distances(X)
    assert_allclose(table, manifold.dist(X[:, None], X[None]), rtol=1e-9, atol=1e-12)
    assert_array_equal(np.diag(table), np.zeros(6))
    rectangular = manifold.pairwise_distances(X[:2], X)
    assert_allclose(rectangular, table[:2], rtol=1e-9, atol=1e-12)
    vectors = manifold.log_vector(X[0], X)
    assert_allclose(np.linalg.norm(vectors, axis=1), table[0], rtol=1e-9, atol=1e-12)
    logs = manifold.tangent_to_vector(X[0], manifold.log(X[0], X))
    assert_allclose(logs, vectors, rtol=0, atol=1e-9)
    assert_allclose(manifold.exp_vector(X[0], vectors), X, rtol=1e-8, atol=1e-9)
    distances, indices = manifold.kneighbors(X, n_neighbors=2)
    assert_allclose(distances, np.sort(table)[:, 1:3], rtol=1e-9)
    assert not np.any(indices == np.arange(6)[:, None])


def test_one_block_is_the_affine_geometry():
    X = SPD(3).random_point(4, random_state=0)
    table = BlockToeplitz(1, 3).pairwise_distances(X)
    assert_allclose(table, SPD(3).pairwise_distances(X), rtol=1e-12)


def test_projection_repairs_and_leaves_alone():
    manifold = BlockToeplitz(3, 2)
    X = manifold.random_normal(3, random_state=0)
    assert_allclose(manifold.project(X), X, rtol=0, atol=1e-15 * np.abs(X).max())
    rng = np.random.default_rng(0)
    wild = rng.normal(size=(5, 6, 6)) - 2.0 * np.eye(6)
    projected = manifold.project(wild)
    assert manifold.belongs(projected).all()
    assert np.linalg.eigvalsh(projected).min() > 0.0
    # The shift is that of the eigenvalues: no farther than needed.
    R = autoregressive(0.5, 3)
    R[0, 2] = R[2, 0] = 2.0
    lift = BlockToeplitz(3, 1).project(R) - R
    assert_allclose(lift, lift[0, 0] * np.eye(3), atol=1e-15)
    assert_allclose(lift[0, 0], -np.linalg.eigvalsh(R)[0], rtol=1e-8)
    zero = BlockToeplitz(3, 1).project(np.zeros((3, 3)))
    assert BlockToeplitz(3, 1).belongs(zero)
    assert SiegelBall(2).belongs(SiegelBall(2).project(3.0 * np.eye(2)))


def test_points_off_the_manifold_are_named():
    manifold = BlockToeplitz(2, 2)
    X = manifold.random_point(3, random_state=0)
    wrong = X.copy()
    wrong[1, 0, 0] *= 2.0
    with pytest.raises(ValueError, match=r"X\[1\] is not on BlockToeplitz\(2, 2\)"):
        manifold.check_points(wrong)
    singular = np.broadcast_to(np.ones((4, 4)), (2, 4, 4))
    with pytest.raises(ValueError, match=r"matrix 0 is not positive definite.*'oas'"):
        manifold.check_points(singular)
    with pytest.raises(ValueError, match=r"X\[0\] is not on BlockToeplitz"):
        manifold.frechet_mean(singular)
    with pytest.raises(ValueError, match="Matrix 0 is not positive definite"):
        manifold.dist(-X, X)
    with pytest.raises(ValueError, match=r"X\[0\] is not on SiegelBall\(2\)"):
        SiegelBall(2).check_points(np.eye(2)[None])
    with pytest.raises(ValueError, match=r"gamma0 of shape"):
        manifold.from_coordinates(np.eye(2), np.zeros((2, 2, 2)))


@pytest.mark.parametrize("arguments", [(0, 2), (2, 0)])
def test_sizes_are_checked(arguments):
    with pytest.raises(ValueError, match="at least 1"):
        BlockToeplitz(*arguments)


def test_value_objects():
    manifold = BlockToeplitz(3, 2)
    X = manifold.random_point(2, random_state=0)
    before = X.copy()
    manifold.dist(*X)  # fills caches
    copy = pickle.loads(pickle.dumps(manifold))
    assert copy == manifold == clone(manifold)
    assert copy.dist(*X) == manifold.dist(*X)
    assert manifold != BlockToeplitz(2, 3)
    assert repr(manifold) == "BlockToeplitz(3, 2)"
    assert_array_equal(X, before)
