"""Factorisations of stacks against LAPACK, definitions and the ends of their range."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.linalg import (
    cholesky,
    congruence,
    eigh,
    eigvalsh,
    recompose,
    triangular_inverse,
)
from tests.reference import linalg as reference

pytestmark = pytest.mark.kernels
EPS = np.finfo(float).eps
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 13, 22]
# Without JIT these alone take half a minute.
LARGE = [40] if numba.config.DISABLE_JIT else [64, 88, 128]
# Both ends of what recordings hold, and scales whose squares leave the doubles.
SCALES = [1e-29, 1e29, 1e-200, 1e200, 1e-300, 1e300]
SEEDS = st.integers(0, 2**32 - 1)


def symmetric(rng, count, n):
    A = rng.standard_normal((count, n, n))
    return A + np.swapaxes(A, 1, 2)


def transposed(A):
    return np.swapaxes(A, -1, -2)


def check_eigen(X, values, vectors):
    """Check backward stability, matrix by matrix: errors of some n units."""
    n = X.shape[-1]
    size = np.abs(X).max(axis=(-2, -1), initial=0.0)[..., None]
    size = np.where(size > 0.0, size, 1.0)
    Y = X / size[..., None]  # the products of the check must not overflow
    w = values / size
    bound = 10 * n * EPS
    assert_allclose(
        transposed(vectors) @ vectors, np.broadcast_to(np.eye(n), X.shape), atol=bound
    )
    assert_allclose(Y @ vectors, vectors * w[..., None, :], atol=bound * n**0.5)
    assert np.all(np.diff(values, axis=-1) >= 0.0)
    assert_allclose(w, np.linalg.eigvalsh(Y), atol=bound * n**0.5)


@pytest.mark.parametrize("n", [*SIZES, *LARGE])
def test_eigenvectors(n):
    X = symmetric(np.random.default_rng(n), 11 if n < 64 else 3, n)
    before = X.copy()
    values, vectors = eigh(X)
    assert_array_equal(X, before)
    check_eigen(X, values, vectors)
    assert_allclose(eigvalsh(X), values, atol=100 * n * EPS)


def test_large_matrices_go_to_lapack():
    X = symmetric(np.random.default_rng(0), 3, 410)
    X[1, 5, 3] = np.nan
    values, vectors = eigh(X, n_jobs=2)
    check_eigen(X[::2], values[::2], vectors[::2])
    only_values = eigvalsh(X, n_jobs=2)
    assert_allclose(only_values[::2], values[::2], atol=1e-10)
    for bad in (values[1], vectors[1], only_values[1]):
        assert np.isnan(bad).all()
    W = np.random.default_rng(1).standard_normal((2, 1, 130, 130))
    Y = symmetric(np.random.default_rng(2), 3, 130)
    product = congruence(W, Y, n_jobs=2)
    assert_allclose(product, W @ Y @ transposed(W), atol=1e-9)
    assert_array_equal(product, transposed(product))
    assert congruence(W[:0], Y[0]).shape == (0, 1, 130, 130)
    assert eigh(X[:0])[1].shape == (0, 410, 410)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 17])
def test_stacks_of_any_length(count):
    X = symmetric(np.random.default_rng(count), count, 4)
    values, vectors = eigh(X)
    assert values.shape == (count, 4)
    assert vectors.shape == (count, 4, 4)
    check_eigen(X, values, vectors)
    assert_allclose(recompose(values, vectors), X, atol=1e-14)
    spd = X @ X + np.eye(4)
    L, status = cholesky(spd)
    assert status.shape == (count,)
    assert_allclose(L @ transposed(L), spd, rtol=1e-13, atol=1e-13)
    assert_allclose(triangular_inverse(L) @ L - np.eye(4), 0.0 * X, atol=1e-13)
    assert congruence(L, X).shape == X.shape


def test_leading_axes():
    X = symmetric(np.random.default_rng(0), 6, 3)
    values, vectors = eigh(X)
    nested_values, nested_vectors = eigh(X.reshape(2, 3, 3, 3))
    assert_array_equal(nested_values, values.reshape(2, 3, 3))
    assert_array_equal(nested_vectors, vectors.reshape(2, 3, 3, 3))
    single_values, single_vectors = eigh(X[4])
    assert_array_equal(single_values, values[4])
    assert_array_equal(single_vectors, vectors[4])
    assert_array_equal(eigvalsh(X[4]), eigvalsh(X)[4])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("n", [3, 8, 13])
def test_units_do_not_matter(n, scale):
    X = symmetric(np.random.default_rng(n), 9, n) * scale
    values, vectors = eigh(X)
    check_eigen(X, values, vectors)
    assert_allclose(eigvalsh(X) / scale, values / scale, atol=1e-13)
    if 1e-100 < scale < 1e100:
        spd = reference.random_spd(np.random.default_rng(n), 9, n, 1e4) * scale
        L, status = cholesky(spd)
        assert not status.any()
        assert_allclose(L @ transposed(L) / scale, spd / scale, rtol=1e-13, atol=1e-10)


def special_matrices(n):
    """Return matrices on which QL iterations have failed."""
    one = np.ones(n)
    steps = np.arange(n) - n // 2
    graded = 10.0 ** -np.arange(0, 2 * n, 2)
    off = np.diag(one[1:], 1)
    Q = np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0]
    pairs = (Q * np.repeat([1.0, 2.0], n)[:n]) @ Q.T
    return np.array(
        [
            np.zeros((n, n)),
            np.eye(n),
            np.ones((n, n)),  # rank one
            np.diag(steps.astype(float)),
            off + off.T,  # zero diagonal
            np.diag(np.abs(steps).astype(float)) + off + off.T,  # Wilkinson
            np.sqrt(np.outer(graded, graded)) * (1.0 + np.eye(n)),
            np.sqrt(np.outer(graded, graded))[::-1, ::-1] * (1.0 + np.eye(n)),
            np.kron(np.eye(n)[: n // 2 + 1, : n // 2 + 1], np.ones((2, 2)))[:n, :n],
            0.5 * (pairs + pairs.T),
            np.eye(n)[::-1],
            1e-170 * np.ones((n, n)) + np.eye(n),
            # Squares among the subnormal numbers have few digits.
            3e-161 * (np.ones((n, n)) - np.eye(n)) + np.eye(n)[:1].T @ np.eye(n)[:1],
        ]
    )


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12, 21, 40])
def test_repeated_zero_and_graded_eigenvalues(n):
    X = special_matrices(n)
    values, vectors = eigh(X)
    check_eigen(X, values, vectors)
    assert_allclose(eigvalsh(X), values, atol=100 * n * EPS * n)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_matrix_leaves_the_others_alone(bad):
    rng = np.random.default_rng(0)
    X = reference.random_spd(rng, 8, 6)
    broken = X.copy()
    broken[3, 4, 2] = broken[3, 2, 4] = bad
    others = np.arange(8) != 3
    for function in (eigh, cholesky):
        for right, wrong in zip(function(X), function(broken), strict=True):
            assert_array_equal(wrong[others], right[others])
    assert_array_equal(eigvalsh(broken)[others], eigvalsh(X)[others])
    assert np.isnan(eigvalsh(broken)[3]).all()
    assert np.isnan(eigh(broken)[0][3]).all()
    assert np.isnan(eigh(broken)[1][3]).all()
    L, status = cholesky(broken)
    assert status[3] > 0
    assert np.isnan(L[3]).all()


def test_results_do_not_depend_on_neighbours_or_threads():
    # Work enough for two threads, which the kernels without JIT would take minutes for.
    count = 32 if numba.config.DISABLE_JIT else 160
    X = symmetric(np.random.default_rng(0), count, 20)
    order = np.random.default_rng(1).permutation(count)
    values, vectors = eigh(X)
    for n_jobs in (1, 2):
        shuffled_values, shuffled_vectors = eigh(X[order], n_jobs=n_jobs)
        assert_array_equal(shuffled_values, values[order])
        assert_array_equal(shuffled_vectors, vectors[order])
        assert_array_equal(eigvalsh(X[order], n_jobs=n_jobs), eigvalsh(X)[order])
        single = np.array([eigvalsh(x) for x in X])
        assert_array_equal(single, eigvalsh(X))
    spd = X @ X
    assert_array_equal(cholesky(spd[order], n_jobs=2)[0], cholesky(spd)[0][order])
    assert_array_equal(
        congruence(X[0], spd[order], n_jobs=2), congruence(X[0], spd)[order]
    )


@pytest.mark.parametrize("n", [*SIZES, 30])
def test_cholesky_against_the_definition(n):
    X = reference.random_spd(np.random.default_rng(n), 9, n, 1e3)
    L, status = cholesky(X)
    assert not status.any()
    for A, factor in zip(X, L, strict=True):
        assert_allclose(factor, reference.cholesky(A)[0], rtol=1e-11, atol=1e-12 * 1e3)
    assert_array_equal(L, np.tril(L))
    assert_allclose(L @ transposed(L), X, atol=1e3 * 10 * n * EPS)


def test_cholesky_tells_the_failing_pivot():
    X = np.stack([np.eye(5)] * 10)
    X[1, 2, 2] = 0.0
    X[2, 4, 4] = -1.0
    X[3] = 1.0
    X[4, 0, 0] = 0.0
    X[5] *= -1.0
    X[6, 3, 3] = 4 * EPS  # a small unit
    X[7, 3, 2] = X[7, 2, 3] = 1.0 - 50 * EPS  # pivot of 100 rounding units
    X[8, 3, 2] = X[8, 2, 3] = 1.0 - 80 * EPS
    L, status = cholesky(X)
    expected = [reference.cholesky(A)[1] for A in X]
    assert expected == [0, 3, 5, 2, 1, 1, 0, 4, 0, 0]
    assert_array_equal(status, expected)
    assert np.issubdtype(status.dtype, np.integer)
    assert_array_equal(np.isnan(L).all(axis=(1, 2)), status > 0)
    assert_array_equal(np.isnan(L).any(axis=(1, 2)), status > 0)


def test_only_lower_triangles_are_read():
    X = reference.random_spd(np.random.default_rng(0), 9, 7)
    rubbish = np.tril(X) + np.triu(np.full(X.shape, np.nan), 1)
    assert_array_equal(cholesky(rubbish)[0], cholesky(X)[0])
    assert_array_equal(eigh(rubbish)[1], eigh(X)[1])
    assert_array_equal(eigvalsh(rubbish), eigvalsh(X))


@pytest.mark.parametrize("n", [*SIZES, 30])
def test_products(n):
    rng = np.random.default_rng(n)
    X = symmetric(rng, 9, n)
    W = rng.standard_normal((9, n, n))
    product = congruence(W, X)
    assert_allclose(product, W @ X @ transposed(W), rtol=1e-10, atol=1e-11 * n**2)
    assert_array_equal(product, transposed(product))
    L = cholesky(reference.random_spd(rng, 9, n))[0]
    inverse = triangular_inverse(L)
    assert_array_equal(inverse, np.tril(inverse))
    assert_allclose(inverse @ L, np.broadcast_to(np.eye(n), L.shape), atol=1e-12)
    values = rng.standard_normal((9, n))
    rebuilt = recompose(values, W)
    assert_array_equal(rebuilt, transposed(rebuilt))
    assert_allclose(rebuilt, (W * values[:, None]) @ transposed(W), atol=1e-12 * n**2)


def test_congruence_broadcasts():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((3, 1, 4, 4))
    X = symmetric(rng, 5, 4)
    product = congruence(W, X)
    assert product.shape == (3, 5, 4, 4)
    assert_allclose(product, W @ X @ transposed(W), atol=1e-12)
    assert_allclose(congruence(W[0, 0], X[0]), W[0, 0] @ X[0] @ W[0, 0].T, atol=1e-12)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"shape \(..., n, n\)"):
        eigh(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="same size"):
        congruence(np.eye(2), np.eye(3))


@given(seed=SEEDS, n=st.integers(1, 9), exponent=st.floats(0.0, 8.0))
def test_invariances(seed, n, exponent):
    rng = np.random.default_rng(seed)
    X = reference.random_spd(rng, 3, n, 10.0**exponent)
    values, vectors = eigh(X)
    size = values[:, -1:]
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    bound = 100 * n * EPS
    assert_allclose(eigvalsh(congruence(Q, X)) / size, values / size, atol=bound)
    assert_allclose(eigvalsh(-X)[:, ::-1] / size, -values / size, atol=bound)
    assert_allclose(eigvalsh(8.0 * X), 8.0 * eigvalsh(X), rtol=0.0)
    assert_allclose(
        recompose(values, vectors) / size[..., None], X / size[..., None], atol=bound
    )
    logarithm = 2.0 * np.log(np.diagonal(cholesky(X)[0], axis1=1, axis2=2)).sum(axis=1)
    expected = np.log(values).sum(axis=1)
    assert_allclose(logarithm, expected, atol=bound * n * 10.0**exponent)


def test_units_of_channels_decide_nothing():
    # Volts beside millimetres: variances 18 orders of magnitude apart.
    series = np.random.default_rng(3).standard_normal((5, 6, 20))
    X = series @ np.swapaxes(series, 1, 2)
    units = 2.0 ** np.arange(-20, 11, 6)
    factors, status = cholesky(X * units[:, None] * units)
    assert not status.any()
    assert_allclose(factors, cholesky(X)[0] * units[:, None], rtol=1e-13)


@pytest.mark.parametrize("n", [2, 3, 8, 22, 64])
def test_rank_deficient_covariances_are_found_whatever_the_units(n):
    rng = np.random.default_rng(n)
    mixing = rng.standard_normal((n, n))
    series = mixing @ rng.standard_normal((40, n, 4 * n))
    series -= series.mean(axis=1, keepdims=True)  # average reference
    X = series @ np.swapaxes(series, 1, 2)
    assert (cholesky(X)[1] == n).all()
    units = 2.0 ** rng.integers(-20, 10, n)
    assert (cholesky(X * units[:, None] * units)[1] == n).all()
