"""Distances between SPD matrices: many digits, worked numbers, invariances, errors."""

from functools import partial

import mpmath
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.metrics.spd import (
    bures_wasserstein_distance,
    bures_wasserstein_table,
    log_eigenvalues,
    pencil_distance,
    pencil_table,
    raise_not_positive_definite,
)
from tests.peers import pyriemann
from tests.reference import linalg as reference
from tests.reference.linalg import random_spd

pytestmark = pytest.mark.kernels
EPS = np.finfo(float).eps
SEEDS = st.integers(0, 2**32 - 1)
KINDS = ["affine_invariant", "stein", "thompson", "kullback_leibler", "jeffreys"]
SYMMETRIC = [kind for kind in KINDS if kind != "kullback_leibler"]
DISTANCES = {
    **{kind: partial(pencil_distance, kind=kind) for kind in KINDS},
    "bures_wasserstein": bures_wasserstein_distance,
}
TABLES = {
    **{kind: partial(pencil_table, kind=kind) for kind in KINDS},
    "bures_wasserstein": bures_wasserstein_table,
}
A = np.array([[2.0, 1.0], [1.0, 2.0]])
B = np.diag([1.0, 3.0])
C = np.array([[4.0, -1.0], [-1.0, 1.0]])


def relative_error(computed, true):
    with mpmath.workdps(60):
        return float(abs(mpmath.mpf(float(computed)) - true) / abs(true))


def near_pair(rng, n, condition, d):
    """Return two matrices at about affine-invariant distance d."""
    (first,) = random_spd(rng, 1, n, condition)
    L = np.linalg.cholesky(first)
    S = rng.standard_normal((n, n))
    S = S + S.T
    second = first + L @ (S * (d / np.linalg.norm(S))) @ L.T
    return first, 0.5 * (second + second.T)


def scaled_pair(rng, n, spread):
    """Return two matrices of channels in units that differ by `spread`."""
    s = spread ** np.linspace(-0.5, 0.5, n)
    return random_spd(rng, 2, n, 10.0) * np.outer(s, s)


def test_worked_numbers():
    # Twelve digits, computed once in 50-digit arithmetic from the definitions.
    expected = {
        "affine_invariant": 1.12481662230598,
        "stein": 0.392620274346,
        "thompson": 0.795365461224,
        "kullback_leibler": 1.0 / 3.0,
        "bures_wasserstein": 0.718808198654,
    }
    for name, value in expected.items():
        assert_allclose(DISTANCES[name](A, B), value, rtol=3e-12)
    mu = log_eigenvalues(A, B)
    assert_allclose(np.exp(mu), [0.451416229645, 2.215250437022], rtol=3e-12)


def test_diagonal_matrices():
    first, second = np.diag([1.0, 4.0, 9.0]), np.diag([np.e, 4.0, 9.0 * np.e**3])
    assert_allclose(log_eigenvalues(first, second), [0.0, 1.0, 3.0], atol=1e-15)
    assert_allclose(pencil_distance(first, second, "affine_invariant"), np.sqrt(10.0))
    assert_allclose(pencil_distance(first, second, "thompson"), 3.0)
    roots = np.sqrt(np.diag(first)) - np.sqrt(np.diag(second))
    d = bures_wasserstein_distance(first, second)
    assert_allclose(d, np.sqrt(np.sum(roots**2)), rtol=1e-14)
    # One number: every metric with a logarithm is the difference of logarithms.
    assert_allclose(log_eigenvalues([[2.0]], [[10.0]]), [np.log(5.0)], rtol=1e-15)
    assert_allclose(bures_wasserstein_distance([[1.0]], [[9.0]]), 2.0, rtol=1e-15)


# Largest relative errors. A rounding of the entries alone changes the distance by some
# 1e-16 times the condition number. Exponentials of the eigenvalues lose more.
UNRELATED = [(1e1, 1e-13), (1e4, 1e-13), (1e8, 2e-10), (1e10, 1e-8), (1e12, 1e-6)]


@pytest.mark.parametrize(("condition", "bound"), UNRELATED)
def test_digits_of_unrelated_pairs(condition, bound):
    rng = np.random.default_rng(0)
    for _ in range(4):
        X = random_spd(rng, 2, 6, condition)
        true = reference.pencil_distances(*X)
        for kind in KINDS:
            error = relative_error(pencil_distance(*X, kind), true[kind])
            limit = bound * (100.0 if kind in ("kullback_leibler", "jeffreys") else 5.0)
            assert error < (bound if kind == "affine_invariant" else limit), kind
            entry = TABLES[kind](X, None)[0, 1]
            assert_allclose(entry, pencil_distance(*X, kind), rtol=limit)
        d = bures_wasserstein_distance(*X)
        assert relative_error(d, reference.bures_wasserstein(*X)) < 1e-12 + bound


def test_digits_of_badly_scaled_channels():
    rng = np.random.default_rng(0)
    for _ in range(4):
        X = scaled_pair(rng, 6, 1e6)
        true = reference.pencil_distances(*X)
        for kind in KINDS:  # the scaling commutes with everything that is computed
            assert relative_error(pencil_distance(*X, kind), true[kind]) < 1e-13, kind
        d = bures_wasserstein_distance(*X)
        assert relative_error(d, reference.bures_wasserstein(*X)) < 1e-12


@pytest.mark.parametrize("d", [1e-1, 1e-3, 1e-5, 1e-9, 1e-10])
@pytest.mark.parametrize(("condition", "bound"), [(10.0, 1e-14), (1e6, 5e-11)])
def test_digits_of_near_pairs(condition, bound, d):
    rng = np.random.default_rng(1)
    for _ in range(2):
        X = np.array(near_pair(rng, 5, condition, d))
        true = reference.pencil_distances(*X)
        for kind in KINDS:
            assert relative_error(pencil_distance(*X, kind), true[kind]) < bound, kind
            assert relative_error(TABLES[kind](X, X)[0, 1], true[kind]) < bound, kind
        true = reference.bures_wasserstein(*X)
        assert relative_error(bures_wasserstein_distance(*X), true) < bound
        assert relative_error(bures_wasserstein_table(X, None)[1, 0], true) < bound


def test_far_pairs_do_not_overflow():
    tiny, huge = 1e-150 * np.eye(3), 1e150 * np.eye(3)
    mu = 300.0 * np.log(10.0)
    for first, second in ((tiny, huge), (huge, tiny)):
        d = pencil_distance(first, second, "affine_invariant")
        assert_allclose(d, np.sqrt(3.0) * mu, rtol=1e-13)
        square = pencil_distance(first, second, "stein", squared=True)
        assert_allclose(square, 3.0 * (0.5 * mu - np.log(2.0)), rtol=1e-13)
        assert_allclose(bures_wasserstein_distance(first, second), np.sqrt(3e150))
    X = random_spd(np.random.default_rng(0), 2, 4, 1e3)
    unscaled = log_eigenvalues(*X)
    for s in (1e-130, 1e130):
        mu = log_eigenvalues(X[0] / s, X[1] * s)
        assert_allclose(mu, unscaled + 2.0 * np.log(s), rtol=1e-13)


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 11])
def test_tables_hold_the_distances(name, n):
    rng = np.random.default_rng(n)
    X, Y = random_spd(rng, 10, n), random_spd(rng, 4, n)
    table = TABLES[name](X, Y)
    assert table.shape == (10, 4)
    assert_allclose(table, DISTANCES[name](X[:, None], Y[None]), rtol=1e-11)
    assert_allclose(
        TABLES[name](Y, X), DISTANCES[name](Y[:, None], X[None]), rtol=1e-11
    )
    single = [[DISTANCES[name](x, y) for y in Y] for x in X]
    assert_allclose(table, single, rtol=1e-11)
    square = TABLES[name](X, None)
    assert_array_equal(np.diag(square), np.zeros(10))
    off = ~np.eye(10, dtype=bool)
    assert_allclose(square[off], TABLES[name](X, X)[off], rtol=1e-11)
    if name != "kullback_leibler":
        assert_array_equal(square, square.T)


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("condition", [10.0, 1e9])
def test_a_matrix_is_at_distance_zero_from_itself(name, condition):
    X = random_spd(np.random.default_rng(0), 9, 5, condition)
    assert_array_equal(DISTANCES[name](X, X), np.zeros(9))
    assert_array_equal(DISTANCES[name](X, X.copy()), np.zeros(9))
    assert_array_equal(np.diag(TABLES[name](X, X.copy())), np.zeros(9))


@pytest.mark.parametrize("name", DISTANCES)
def test_broadcasting(name):
    X = random_spd(np.random.default_rng(0), 6, 4)
    distance = DISTANCES[name]
    assert np.ndim(distance(X[0], X[1])) == 0
    assert distance(X, X[0]).shape == (6,)
    assert distance(X[0], X).shape == (6,)
    nested = X.reshape(2, 3, 4, 4)
    assert distance(nested, X[:3]).shape == (2, 3)
    assert_allclose(distance(nested, X[0]).ravel(), distance(X, X[0]))
    assert distance(X[:0], X[:0]).shape == (0,)
    assert TABLES[name](X[:0], X).shape == (0, 6)
    if name not in ("bures_wasserstein", "kullback_leibler"):
        assert_allclose(distance(X[0], X), distance(X, X[0]), rtol=1e-12)


def test_log_eigenvalues_are_sorted_and_antisymmetric():
    X = random_spd(np.random.default_rng(0), 9, 5, 1e3)
    mu = log_eigenvalues(X, X[0])
    assert mu.shape == (9, 5)
    assert np.all(np.diff(mu, axis=1) >= 0.0)
    assert_allclose(log_eigenvalues(X[0], X), -mu[:, ::-1], atol=1e-12)
    for x, row in zip(X[1:], mu[1:], strict=True):
        expected = np.log(np.linalg.eigvals(np.linalg.solve(x, X[0])).real)
        assert_allclose(row, np.sort(expected), atol=1e-10)
    assert log_eigenvalues(X[:0], X[0]).shape == (0, 5)


def test_options():
    X = random_spd(np.random.default_rng(0), 7, 3)
    mu = log_eigenvalues(X[:, None], X)
    family = {"kind": "affine_invariant", "alpha": 2.0, "beta": 0.5}
    squares = 2.0 * np.sum(mu**2, axis=-1) + 0.5 * np.sum(mu, axis=-1) ** 2
    assert_allclose(pencil_table(X, X, squared=True, **family), squares, atol=1e-13)
    assert_allclose(pencil_table(X, None, **family), np.sqrt(squares), atol=1e-7)
    assert_allclose(pencil_distance(X, X[0], squared=True, **family), squares[:, 0])
    for name in [*SYMMETRIC[:3], "bures_wasserstein"]:
        square = DISTANCES[name](X, X[0], squared=True)
        assert_allclose(square, DISTANCES[name](X, X[0]) ** 2, rtol=1e-12)
    for kind in ("kullback_leibler", "jeffreys"):  # are no distances
        value = pencil_distance(X, X[0], kind)
        assert_array_equal(pencil_distance(X, X[0], kind, squared=True), value)
    for name, table in TABLES.items():
        out = np.empty((7, 7))
        assert table(X, None, out=out) is out
        assert_array_equal(out, TABLES[name](X, None))


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="one thread without JIT")
@pytest.mark.parametrize("name", DISTANCES)
def test_threads_and_order_do_not_matter(name):
    rng = np.random.default_rng(0)
    X, y = random_spd(rng, 3000, 16), random_spd(rng, 1, 16)[0]
    values = DISTANCES[name](X, y)
    order = rng.permutation(3000)
    assert_array_equal(DISTANCES[name](X, y, n_jobs=2), values)
    assert_array_equal(DISTANCES[name](X[order], y, n_jobs=2), values[order])
    table = TABLES[name](X[:150], None)
    assert_array_equal(TABLES[name](X[:150], None, n_jobs=2), table)
    part = order[order < 150][:120]
    moved = TABLES[name](X[part], None)
    # Which of two matrices is factored depends on their order: last digits differ.
    assert_allclose(moved, table[np.ix_(part, part)], rtol=1e-11)


@pytest.mark.parametrize("name", DISTANCES)
def test_inputs_are_left_alone(name):
    X = random_spd(np.random.default_rng(0), 9, 4)
    X.setflags(write=False)
    before = X.copy()
    DISTANCES[name](X, X[3])
    TABLES[name](X, None)
    assert_array_equal(X, before)
    strided = np.asfortranarray(X)
    assert_array_equal(DISTANCES[name](strided, X[3]), DISTANCES[name](X, X[3]))
    single = X.astype(np.float32)
    expected = DISTANCES[name](single.astype(float), X[3])
    assert_array_equal(DISTANCES[name](single, X[3]), expected)


@pytest.mark.parametrize("name", KINDS)
def test_the_first_bad_matrix_is_named(name):
    X = np.stack([np.eye(4)] * 20)
    X[17, 2, 2] = -0.25
    message = r"matrix 17 is not positive definite \(smallest eigenvalue -0.25.*'oas'"
    for call in (
        lambda: DISTANCES[name](X, np.eye(4)),
        lambda: DISTANCES[name](np.eye(4), X),
        lambda: DISTANCES[name](X, X),
        lambda: TABLES[name](X, None),
        lambda: TABLES[name](X, X[:3]),
        lambda: TABLES[name](X[:3], X),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    X[17] = np.ones((4, 4))  # semidefinite
    with pytest.raises(ValueError, match="matrix 17 is not positive definite"):
        DISTANCES[name](X, np.eye(4))
    X[17, 0, 0] = np.nan
    with pytest.raises(ValueError, match="matrix 17 contains NaN"):
        DISTANCES[name](X, np.eye(4))
    with pytest.raises(ValueError, match=r"^B: matrix 0 is not positive definite"):
        DISTANCES[name](np.eye(4), -np.eye(4))


def test_names_sizes_and_kinds_are_checked():
    with pytest.raises(ValueError, match=r"^patterns: matrix 1 is not positive"):
        raise_not_positive_definite(np.zeros((2, 3, 3)), np.array([0, 1]), "patterns")
    raise_not_positive_definite(np.zeros((2, 3, 3)), np.array([0, 0]))
    with pytest.raises(ValueError, match="kind='airm' is unknown"):
        pencil_distance(A, B, "airm")
    with pytest.raises(ValueError, match="one size"):
        pencil_table(A[None], np.eye(3)[None], "stein")
    with pytest.raises(ValueError, match=r"shape \(\.\.\., n, n\)"):
        bures_wasserstein_distance(np.zeros((2, 3)), A)
    with pytest.raises(ValueError, match="out must have shape"):
        bures_wasserstein_table(A[None], None, out=np.empty((2, 2)))


def test_singular_matrices_have_bures_wasserstein_distances():
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((6, 5, 2))
    X = factors @ np.swapaxes(factors, 1, 2)  # rank two
    X[3] = np.eye(5)
    X[4] = 0.0
    X[5] = np.diag([1.0, 0.0, 0.0, 0.0, 0.0])
    table = bures_wasserstein_table(X, None)
    for i, j in np.ndindex(6, 6):
        values, vectors = np.linalg.eigh(X[i])
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        inner = np.linalg.eigvalsh(root @ X[j] @ root)
        cross = np.sum(np.sqrt(np.maximum(inner, 0.0)))
        square = np.trace(X[i]) + np.trace(X[j]) - 2.0 * cross
        # The formula above loses half of the digits.
        assert_allclose(table[i, j], np.sqrt(max(square, 0.0)), atol=1e-6)
        d = bures_wasserstein_distance(X[i], X[j])
        assert_allclose(d, table[i, j], rtol=1e-12, atol=1e-14)
    assert_allclose(table[4, 5], 1.0, rtol=1e-14)
    assert_allclose(table[3, 5], 2.0, rtol=1e-14)
    assert_array_equal(bures_wasserstein_distance(X, X.copy()), np.zeros(6))
    X[2] = np.diag([1.0, 1.0, 1.0, 1.0, -0.5])
    for call in (
        lambda: bures_wasserstein_table(X, None),
        lambda: bures_wasserstein_distance(X, np.eye(5)),
        lambda: bures_wasserstein_distance(np.eye(5), X),
    ):
        with pytest.raises(ValueError, match="matrix 2 is not positive semidefinite"):
            call()


@given(seed=SEEDS, n=st.integers(1, 6), exponent=st.floats(-14.0, 14.0))
def test_invariances(seed, n, exponent):
    rng = np.random.default_rng(seed)
    X = random_spd(rng, 2, n, 30.0)
    G = rng.standard_normal((n, n)) + 3.0 * np.eye(n)
    rotation = np.linalg.qr(G)[0]
    moved = G @ X @ G.T * 10.0**exponent
    turned = rotation @ X @ rotation.T
    turned = 0.5 * (turned + np.swapaxes(turned, 1, 2))
    bound = 1e-11 * np.linalg.cond(G) ** 2
    for kind in KINDS:
        d = pencil_distance(*X, kind)
        assert_allclose(pencil_distance(*moved, kind), d, rtol=bound)
    for kind in SYMMETRIC:
        inverse = np.linalg.inv(X)
        assert_allclose(
            pencil_distance(*inverse, kind), pencil_distance(*X, kind), rtol=1e-11
        )
        assert_allclose(
            pencil_distance(*X[::-1], kind), pencil_distance(*X, kind), rtol=1e-11
        )
    d = bures_wasserstein_distance(*X)
    assert_allclose(bures_wasserstein_distance(*turned), d, rtol=1e-11)
    assert_allclose(bures_wasserstein_distance(*X[::-1]), d, rtol=1e-11)
    scale = 10.0**exponent
    assert_allclose(
        bures_wasserstein_distance(*(scale * X)), d * scale**0.5, rtol=1e-11
    )


@given(seed=SEEDS, n=st.integers(2, 5))
def test_relations_between_metrics(seed, n):
    rng = np.random.default_rng(seed)
    X = random_spd(rng, 3, n, 100.0)
    for kind in ("affine_invariant", "stein", "thompson"):
        D = pencil_table(X, None, kind)
        assert D[0, 1] <= (D[0, 2] + D[2, 1]) * (1.0 + 1e-12)
    D = bures_wasserstein_table(X, None)
    assert D[0, 1] <= (D[0, 2] + D[2, 1]) * (1.0 + 1e-12)
    both = pencil_distance(X[0], X[1], "kullback_leibler")
    both = both + pencil_distance(X[1], X[0], "kullback_leibler")
    assert_allclose(pencil_distance(X[0], X[1], "jeffreys"), both, rtol=1e-11)
    near = np.array(near_pair(rng, n, 10.0, 1e-5))
    ratio = pencil_distance(*near, "affine_invariant", squared=True)
    ratio = ratio / pencil_distance(*near, "stein", squared=True)
    assert_allclose(ratio, 8.0, rtol=1e-8)


@pytest.mark.parametrize("kind", ["affine_invariant", "stein"])
def test_agreement_with_a_peer(kind):
    distance = pyriemann("geometry.distance")
    X = random_spd(np.random.default_rng(0), 12, 7)
    name = {"affine_invariant": "riemann", "stein": "logdet"}[kind]
    table = distance.pairwise_distance(X, metric=name)
    assert_allclose(pencil_table(X, None, kind), table, atol=1e-7)
