"""Iterative means of SPD matrices: exactness, certificates, bad conditioning."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq

from geolearn.manifolds.spd import _mean_bures, _mean_factors, _mean_spectra
from geolearn.manifolds.spd._mean_affine import affine_mean
from geolearn.manifolds.spd._mean_bures import bures_mean
from geolearn.manifolds.spd._mean_inductive import geodesic_point
from geolearn.manifolds.spd._mean_pass import AffineProblem
from geolearn.manifolds.spd._mean_stein import stein_mean
from tests.peers import pyriemann
from tests.reference import spd_means as reference

MEANS = [affine_mean, bures_mean, stein_mean]
A = np.array([[2.0, 1.0], [1.0, 2.0]])
B = np.diag([1.0, 3.0])
C = np.array([[4.0, -1.0], [-1.0, 1.0]])


def function(S, f):
    values, V = np.linalg.eigh(S)
    return (V * f(values)[..., None, :]) @ np.swapaxes(V, -1, -2)


def symmetric(S):
    return 0.5 * (S + np.swapaxes(S, -1, -2))


def sample(n_samples, n, spread=0.3, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((n, n)) + 2.0 * np.eye(n)
    S = spread * symmetric(rng.standard_normal((n_samples, n, n)))
    return symmetric(mixing @ function(S, np.exp) @ mixing.T)


def classes(n_samples, n, spread, seed=0):
    """Sample around five distant centres, a few matrices far out in scale."""
    rng = np.random.default_rng(seed)
    X = sample(n_samples, n, 0.2, seed)
    for c in range(5):
        F = function(spread * symmetric(rng.standard_normal((n, n))), np.exp)
        X[c::5] = F @ X[c::5] @ F.T
    X[: n_samples // 20] *= 100.0
    return symmetric(X)


def equal(X):
    return np.full(len(X), 1.0 / len(X))


def weights(n_samples, seed=1):
    w = np.random.default_rng(seed).uniform(0.2, 1.0, n_samples)
    return w / w.sum()


def gradient(M, X, weight):
    """Return the gradient of half the variance by the textbook."""
    inverse = function(M, lambda v: v**-0.5)
    return np.tensordot(weight, function(symmetric(inverse @ X @ inverse), np.log), 1)


def affine_distance(P, Q):
    inverse = function(P, lambda v: v**-0.5)
    return np.linalg.norm(np.log(np.linalg.eigvalsh(symmetric(inverse @ Q @ inverse))))


# Worked numbers of 12 digits, from 60-digit arithmetic.
@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        (affine_mean, (1.848309093755, 0.019352226212, 1.623307767514)),
        (bures_mean, (2.096394279627, 0.026739598995, 1.804194674709)),
        (stein_mean, (1.835655733320, 0.030186341032, 1.634789770606)),
    ],
)
def test_worked_means(mean, expected):
    X = np.stack([A, B, C])
    result = mean(X, equal(X), tol=1e-13)
    assert result.converged
    M = result.mean
    assert_allclose((M[0, 0], M[0, 1], M[1, 1]), expected, rtol=0, atol=2e-12)
    assert_array_equal(M, M.T)


def test_worked_dispersion_and_midpoint():
    X = np.stack([A, B, C])
    assert_allclose(affine_mean(X, equal(X)).variance, 0.945001283512, rtol=1e-11)
    middle = [[1.388730149659, 0.462910049886], [0.462910049886, 2.314550249431]]
    assert_allclose(affine_mean(X[:2], equal(X[:2])).mean, middle, rtol=1e-11)
    assert_allclose(geodesic_point(A, B, 0.5), middle, rtol=1e-11)


def test_the_default_start_of_three_matrices_needs_newton():
    X = np.stack([A, B, C])
    assert affine_mean(X, equal(X), max_iter=0).gradient_norm > 1e-3


@pytest.mark.parametrize(("n_samples", "n", "spread"), [(5, 3, 0.3), (4, 4, 1.0)])
@pytest.mark.parametrize("mean", MEANS)
def test_against_sixty_digits(mean, n_samples, n, spread):
    X, w = sample(n_samples, n, spread), weights(n_samples)
    result = mean(X, w, tol=1e-12)
    truth = getattr(reference, mean.__name__)(X, w, result.mean)
    truth = truth[0] if isinstance(truth, tuple) else truth
    assert result.converged
    # condition numbers reach 1e3, and the Bures-Wasserstein criterion squares them
    atol = 1e-9 if mean is bures_mean else 1e-11
    assert reference.relative_error(result.mean, truth) < atol


@pytest.mark.parametrize("tol", [1.0, 0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_gradient_norm_bounds_the_distance_to_the_mean(spread, tol):
    X, w = sample(6, 3, spread, seed=3), weights(6)
    truth, variance = reference.affine_mean(X, w, affine_mean(X, w).mean)
    result = affine_mean(X, w, tol=tol)
    assert result.converged
    assert result.gradient_norm <= tol
    distance = reference.relative_error(result.mean, truth)
    assert distance <= result.gradient_norm + 1e-13
    assert np.linalg.norm(gradient(result.mean, X, w)) <= tol + 1e-13
    # half the variance is convex and has its least value at the mean
    assert_allclose(
        result.variance, variance, rtol=1e-11, atol=2.0 * result.gradient_norm**2
    )


@pytest.mark.parametrize(
    "X",
    [sample(40, 8), sample(40, 8, 1.0), sample(7, 20, 1.0), classes(60, 6, 1.0)],
    ids=["near", "wide", "few", "classes"],
)
def test_logarithms_at_the_affine_mean_sum_to_zero(X):
    w = weights(len(X))
    result = affine_mean(X, w, tol=1e-9)
    assert result.converged
    assert np.linalg.norm(gradient(result.mean, X, w)) < 2e-9
    inverse = function(result.mean, lambda v: v**-0.5)
    lam = np.log(np.linalg.eigvalsh(symmetric(inverse @ X @ inverse)))
    assert_allclose(result.variance, w @ np.sum(lam**2, axis=1), rtol=1e-9)


@pytest.mark.parametrize("X", [sample(30, 6, 1.0), classes(60, 6, 0.7)])
def test_fixed_points(X):
    w = weights(len(X))
    M = bures_mean(X, w, tol=1e-10).mean
    R, inverse = (function(M, lambda v, p=p: v**p) for p in (0.5, -0.5))
    maps = inverse @ function(symmetric(R @ X @ R), np.sqrt) @ inverse
    assert_allclose(np.tensordot(w, maps, 1), np.eye(6), atol=1e-7)
    M = stein_mean(X, w, tol=1e-10).mean
    image = np.linalg.inv(np.tensordot(w, np.linalg.inv(0.5 * (M + X)), 1))
    assert affine_distance(M, image) < 1e-9


def test_variances_are_mean_squared_distances():
    X, w = sample(20, 5, 0.8), weights(20)
    result = bures_mean(X, w)
    R = function(result.mean, np.sqrt)
    roots = function(symmetric(R @ X @ R), np.sqrt)
    d2 = np.trace(result.mean + X - 2.0 * roots, axis1=1, axis2=2)
    assert_allclose(result.variance, w @ d2, rtol=1e-10)
    result = stein_mean(X, w)
    M = result.mean
    logdet = [np.linalg.slogdet(Z)[1] for Z in (0.5 * (M + X), X, M)]
    d2 = logdet[0] - 0.5 * (logdet[1] + logdet[2])
    assert_allclose(result.variance, w @ d2, rtol=1e-10)


@pytest.mark.parametrize("mean", MEANS)
def test_variance_of_close_matrices_keeps_its_digits(mean):
    # Differences of traces and determinants would be noise of either sign.
    X = np.stack([(1.0 + 1e-7) * A, (1.0 - 1e-7) * A])
    expected = {affine_mean: 2e-14, bures_mean: 4.0 * 0.25e-14, stein_mean: 2e-14 / 8}
    assert_allclose(mean(X, equal(X)).variance, expected[mean], rtol=1e-5)


@pytest.mark.parametrize("mean", MEANS)
def test_commuting_matrices(mean):
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    D, w = np.exp(rng.standard_normal((9, 4))), weights(9)
    X = symmetric((Q * D[:, None, :]) @ Q.T)
    expected = {
        affine_mean: np.exp(w @ np.log(D)),
        bures_mean: (w @ np.sqrt(D)) ** 2,
        stein_mean: [
            brentq(lambda m, d=d: w @ (2.0 * m / (m + d)) - 1.0, 1e-3, 1e3, xtol=1e-15)
            for d in D.T
        ],
    }[mean]
    result = mean(X, w, tol=1e-12)
    assert_allclose(Q.T @ result.mean @ Q, np.diag(expected), atol=1e-11)


def test_two_diagonal_matrices():
    X = np.stack([np.diag([1.0, 4.0]), np.diag([9.0, 1.0])])
    assert_allclose(affine_mean(X, equal(X)).mean, np.diag([3.0, 2.0]), atol=1e-14)
    assert_allclose(bures_mean(X, equal(X)).mean, np.diag([4.0, 2.25]), atol=1e-12)
    assert_allclose(stein_mean(X, equal(X)).mean, np.diag([3.0, 2.0]), atol=1e-9)


@given(seed=st.integers(0, 1000), n=st.integers(1, 5), n_samples=st.integers(1, 8))
def test_congruence_and_inversion(seed, n, n_samples):
    X, w = sample(n_samples, n, 0.7, seed), weights(n_samples, seed)
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((n, n)) + 3.0 * np.eye(n)
    for mean in (affine_mean, stein_mean):
        M = mean(X, w, tol=1e-10).mean
        moved = mean(symmetric(W @ X @ W.T), w, tol=1e-10).mean
        assert affine_distance(symmetric(W @ M @ W.T), moved) < 1e-8
        inverse = mean(symmetric(np.linalg.inv(X)), w, tol=1e-10).mean
        assert affine_distance(symmetric(np.linalg.inv(M)), inverse) < 1e-8


@given(seed=st.integers(0, 1000), n=st.integers(1, 5), n_samples=st.integers(1, 8))
def test_rotation_order_and_determinant(seed, n, n_samples):
    X, w = sample(n_samples, n, 0.7, seed), weights(n_samples, seed)
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    order = rng.permutation(n_samples)
    for mean in MEANS:
        M = mean(X, w, tol=1e-10).mean
        rotated = mean(symmetric(Q @ X @ Q.T)[order], w[order], tol=1e-10).mean
        assert_allclose(rotated, Q @ M @ Q.T, atol=1e-8 * np.abs(M).max())
    logdet = np.linalg.slogdet(affine_mean(X, w).mean)[1]
    assert_allclose(logdet, w @ np.linalg.slogdet(X)[1], atol=1e-8)


@pytest.mark.parametrize("scale", [1e-300, 1e-29, 1e-12, 1e12, 1e29, 1e290])
@pytest.mark.parametrize("mean", MEANS)
def test_units_do_not_matter(mean, scale):
    # EEG covariances in V^2: absolute thresholds stop there after one step.
    X = sample(12, 4, 0.8)
    plain, scaled = mean(X, equal(X)), mean(scale * X, equal(X))
    assert scaled.converged
    assert scaled.n_iter == plain.n_iter
    assert_allclose(scaled.mean / scale, plain.mean, rtol=1e-9)


@pytest.mark.parametrize("mean", MEANS)
def test_integer_weights_are_repetitions(mean):
    X, count = sample(6, 4, 0.8), np.array([1, 2, 3, 1, 2, 1])
    repeated = np.repeat(X, count, axis=0)
    one = mean(X, count / count.sum(), tol=1e-11)
    other = mean(repeated, equal(repeated), tol=1e-11)
    assert_allclose(one.mean, other.mean, rtol=1e-9)
    assert_allclose(one.variance, other.variance, rtol=1e-9)


@pytest.mark.parametrize("mean", MEANS)
def test_warm_start(mean):
    X = sample(30, 6, 0.8)
    cold = mean(X, equal(X))
    warm = mean(X, equal(X), init=cold.mean)
    assert cold.n_iter > 1
    assert warm.n_iter <= 1
    near = mean(X[:-3], equal(X[:-3]), init=cold.mean)
    assert near.n_iter <= cold.n_iter
    assert_allclose(near.mean, mean(X[:-3], equal(X[:-3])).mean, rtol=1e-6)


@pytest.mark.parametrize("mean", MEANS)
def test_far_start(mean):
    X = sample(12, 4, 0.8)
    far = mean(X, equal(X), init=1e6 * np.diag([1.0, 10.0, 100.0, 1e-3]))
    assert far.converged
    assert_allclose(far.mean, mean(X, equal(X)).mean, rtol=1e-6)


@pytest.mark.parametrize("mean", MEANS)
def test_one_matrix_equal_matrices_and_size_one(mean):
    X = sample(1, 5)
    for stack in (X, np.repeat(X, 7, axis=0)):
        result = mean(stack, equal(stack))
        assert result.converged
        assert result.n_iter == 0
        assert_allclose(result.mean, X[0], rtol=1e-13)
        assert 0.0 <= result.variance < 1e-24 * np.trace(X[0])
    numbers = np.exp(np.random.default_rng(0).standard_normal((6, 1, 1)))
    result = mean(numbers, weights(6), tol=1e-13)
    assert result.converged
    if mean is not stein_mean:
        closed = {
            affine_mean: np.exp(weights(6) @ np.log(numbers[:, 0, 0])),
            bures_mean: (weights(6) @ np.sqrt(numbers[:, 0, 0])) ** 2,
        }
        assert_allclose(result.mean[0, 0], closed[mean], rtol=1e-14)
        assert result.n_iter == 0


def test_two_matrices_need_no_step():
    X, w = sample(2, 6, 1.0), np.array([0.85, 0.15])
    result = affine_mean(X, w)
    assert result.n_iter == 0
    assert_allclose(result.mean, geodesic_point(X[0], X[1], 0.15), rtol=1e-10)


@pytest.mark.parametrize("mean", MEANS)
def test_threads_give_the_same_bits(mean, monkeypatch):
    monkeypatch.setattr(_mean_spectra, "_WORTH_THREADS", 0.0)
    X, w = sample(300, 9, 0.8), weights(300)
    one, two = mean(X, w, n_jobs=1), mean(X, w, n_jobs=2)
    assert_array_equal(one.mean, two.mean)
    assert one[1:] == two[1:]


@pytest.mark.parametrize("mean", MEANS)
def test_chunks_do_not_matter(mean, monkeypatch):
    X, w = sample(60, 5, 0.8), weights(60)
    whole = mean(X, w, tol=1e-12)
    monkeypatch.setattr(_mean_factors, "_CHUNK_BYTES", 8 * 25 * 7)
    parts = mean(X, w, tol=1e-12)
    assert parts.n_iter == whole.n_iter
    assert_allclose(parts.mean, whole.mean, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mean", [affine_mean, bures_mean])
def test_hessian_of_a_part_of_the_samples(mean, monkeypatch):
    # Period 5 of the classes: a fixed stride would see one class only.
    X = classes(200, 4, 0.7)
    whole = mean(X, equal(X), tol=1e-10)
    monkeypatch.setattr(_mean_spectra, "_HESSIAN_BYTES", 8 * 16 * 40)
    monkeypatch.setattr(_mean_factors, "_CHUNK_BYTES", 8 * 16 * 33)
    part = mean(X, equal(X), tol=1e-10)
    assert part.converged
    assert whole.n_iter < part.n_iter <= 20
    assert_allclose(part.mean, whole.mean, rtol=1e-7)
    if mean is affine_mean:
        assert np.linalg.norm(gradient(part.mean, X, equal(X))) < 2e-10


def test_newton_is_quadratic_where_gradient_steps_diverge():
    X = sample(40, 8, 1.7)
    norms = [
        affine_mean(X, equal(X), init=X[0], max_iter=k, tol=1e-9).gradient_norm
        for k in range(7)
    ]
    assert affine_mean(X, equal(X)).variance > 50.0
    fast = [b / a**2 for a, b in pairwise(norms) if 1e-9 < b < 0.1]
    assert fast
    assert max(fast) < 1.0
    assert norms[-1] < 1e-9


def test_few_steps_are_enough():
    for spread, steps in ((0.3, 2), (1.0, 3)):
        X = sample(100, 10, spread)
        result = affine_mean(X, equal(X))
        assert result.converged
        assert result.n_iter <= steps
    # The plain fixed-point maps take 6 and 25 steps here.
    X = sample(100, 10, 0.3)
    assert bures_mean(X, equal(X)).n_iter <= 3
    assert stein_mean(X, equal(X)).n_iter <= 5


@pytest.mark.parametrize("mean", MEANS)
def test_too_few_steps_are_reported(mean):
    X = sample(10, 4, 1.0)
    result = mean(X, equal(X), max_iter=1)
    assert not result.converged
    assert result.n_iter == 1
    assert result.gradient_norm > 1e-8
    assert np.linalg.eigvalsh(result.mean).min() > 0.0


@pytest.mark.parametrize("mean", MEANS)
def test_a_tolerance_below_rounding_is_reported_with_the_value_reached(mean):
    X = sample(10, 4, 1.0)
    result = mean(X, equal(X), tol=1e-18, max_iter=200)
    assert not result.converged
    assert 0.0 < result.gradient_norm < 1e-11
    assert result.n_iter < 40


def rotated(n_samples, n, condition, seed=0):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((n_samples, n, n)))[0]
    return symmetric((Q * np.geomspace(1.0, condition, n)) @ np.swapaxes(Q, 1, 2))


@pytest.mark.parametrize(("condition", "bound"), [(1e8, 1e-9), (1e12, 1e-5)])
def test_ill_conditioned_matrices_against_sixty_digits(condition, bound):
    # Rounding the factor of a sample moves its small eigenvalues by that much:
    # the condition number times 1e-16, and less in the mean.
    X = rotated(6, 4, condition)
    result = affine_mean(X, equal(X), tol=1e-11)
    assert result.converged
    assert reference.affine_gradient_norm(result.mean, X, equal(X)) < bound


def test_factored_form_reaches_rounding_at_condition_1e12():
    # Eigenvalues of the whitened matrices stall near 1e-7 here.
    X = rotated(30, 22, 1e12)
    result = affine_mean(X, equal(X), tol=5e-13)
    assert result.converged
    assert result.gradient_norm <= 5e-13
    problem = AffineProblem(X, equal(X), None)
    L = np.linalg.cholesky(problem.stack.matrices(slice(0, 1))[0])
    plain, factored = problem.evaluate(L), problem.evaluate(L, factored=True)
    assert plain.noise > 1e4 * factored.noise


def test_doubtful_eigenvalues_do_not_decide_convergence(monkeypatch):
    X, passes = rotated(30, 22, 1e12), []
    evaluate = AffineProblem.evaluate

    def record(problem, L, factored=False):
        passes.append(evaluate(problem, L, factored))
        return passes[-1]

    monkeypatch.setattr(AffineProblem, "evaluate", record)
    assert affine_mean(X, equal(X)).converged
    assert not passes[0].factored
    assert passes[-1].factored

    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((22, 22)))[0]
    F = Q * np.geomspace(1.0, 1e6, 22)
    for stack, trusted in ((symmetric(F @ sample(9, 22) @ F.T), False), (X, True)):
        problem = _mean_bures._Problem(stack, equal(stack), None)
        point = problem.evaluate(*np.linalg.eigh(stack.mean(axis=0)))
        assert problem.accurate(point, 1e-8) is trusted


def test_scaled_stacks_have_entries_of_one_magnitude():
    X, D = sample(6, 4, 0.8), np.array([1e-6, 1e-3, 1.0, 1e3])
    stack = _mean_factors.ScaledStack(D[:, None] * X * D, equal(X), None)
    chunk = stack.matrices(slice(0, 6))
    diagonals = np.diagonal(chunk, axis1=1, axis2=2)
    assert 1e-2 < diagonals.min() < diagonals.max() < 1e2
    back = stack.scale[:, None] * chunk * stack.scale
    assert_array_equal(back, D[:, None] * X * D)  # powers of two


def test_channels_of_different_units():
    # Square-root whitening is off by 1e-3 here.
    X, D = sample(6, 4, 0.8), np.array([1e-6, 1e-3, 1.0, 1e3])
    result = affine_mean(symmetric(D[:, None] * X * D), equal(X), tol=1e-12)
    assert result.converged
    back = result.mean / D[:, None] / D
    assert_allclose(back, affine_mean(X, equal(X), tol=1e-12).mean, rtol=1e-12)
    truth, _ = reference.affine_mean(X, equal(X), back)
    assert reference.relative_error(back, truth) < 1e-12
    stein = stein_mean(symmetric(D[:, None] * X * D), equal(X), tol=1e-11).mean
    assert_allclose(
        stein / D[:, None] / D, stein_mean(X, equal(X), tol=1e-11).mean, rtol=1e-9
    )


def test_bures_mean_of_ill_conditioned_matrices():
    X = rotated(5, 3, 1e7)
    result = bures_mean(X, equal(X))
    assert result.converged
    truth = reference.bures_mean(X, equal(X), result.mean, goal=1e-20)
    # relative in all directions although eigenvalues span seven decades
    assert reference.relative_error(result.mean, truth) < 1e-5


def test_a_singular_matrix_is_named():
    X = sample(5, 3)
    X[3] = np.diag([1.0, 1.0, 0.0])
    for mean in (affine_mean, stein_mean):
        with pytest.raises(ValueError, match="Matrix 3 of X is not positive definite"):
            mean(X, equal(X))


def test_samples_are_not_changed():
    X = sample(8, 4)
    X.flags.writeable = False
    w, init = equal(X), X[0].copy()
    for mean in MEANS:
        mean(X, w, init=init)
    assert_array_equal(init, X[0])


def test_agreement_with_pyriemann():
    peer = pyriemann("geometry.mean")
    X, w = sample(50, 6, 0.5), weights(50)
    assert_allclose(
        affine_mean(X, w).mean, peer.mean_riemann(X, sample_weight=w), rtol=1e-6
    )
    assert_allclose(
        bures_mean(X, w).mean, peer.mean_wasserstein(X, sample_weight=w), rtol=1e-6
    )
    assert_allclose(
        stein_mean(X, w).mean,
        peer.mean_logdet(X, sample_weight=w, tol=1e-10),
        rtol=1e-5,
    )
