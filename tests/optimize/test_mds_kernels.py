"""The compiled steps of multidimensional scaling against the formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.optimize import place_points
from geolearn.optimize._checks import check_dissimilarity, check_weights
from geolearn.optimize._sgd import _sgd_epoch, diagonals, learning_rates, sgd
from geolearn.optimize._smacof import _solve_bound, raw_stress, smacof
from geolearn.utils._tables import read_only
from tests.reference import mds as reference

pytestmark = pytest.mark.kernels

RNG = np.random.default_rng(0)
TINY = 1e-12


def problem(n, p, weighted, seed=0):
    """Random symmetric D, W or None, and a start."""
    rng = np.random.default_rng(seed)
    D = rng.uniform(0.5, 2.0, (n, n))
    W = rng.uniform(0.1, 3.0, (n, n)) if weighted else None
    D = np.triu(D, 1) + np.triu(D, 1).T
    W = W if W is None else np.triu(W, 1) + np.triu(W, 1).T
    return D, W, rng.normal(size=(n, p))


@pytest.mark.parametrize("n", [2, 127, 129])  # one tile, and one of a second
def test_extent_is_that_of_the_entries_off_the_diagonal(n):
    D, _, _ = problem(n, 1, False)
    D[0, 1] = D[1, 0] = 0.0
    above = D[np.triu_indices(n, 1)]
    extent = check_dissimilarity(D)[1]
    assert extent.smallest == 0.0
    assert extent.largest == above.max()
    assert extent.smallest_positive == above[above > 0].min(initial=np.inf)


@pytest.mark.parametrize(("i", "j"), [(0, 5), (128, 127), (140, 130), (5, 140)])
def test_every_pair_is_compared_with_its_mirror_image(i, j):
    W = np.ones((141, 141))
    np.fill_diagonal(W, np.inf)  # never looked at
    check_weights(W, 141)
    W[i, j] = 1.001
    message = rf"weights must be symmetric; weights\[{i}, {j}\]=1.001"
    low, high = sorted((i, j))
    message += rf"|weights\[{low}, {high}\]"
    with pytest.raises(ValueError, match=message):
        check_weights(W, 141)


@pytest.mark.parametrize("n", [2, 3, 20, 21])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_diagonals_follow_the_order(n, dtype):
    A = np.arange(n * n, dtype=dtype).reshape(n, n)
    order = np.random.default_rng(0).permutation(n)
    R = diagonals(A, order)
    assert R.dtype == dtype
    for s in range(1, n // 2 + 1):
        for i in range(n):
            assert R[s - 1, i] == A[order[i], order[(i + s) % n]]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("n", [2, 3, 12, 13])
def test_sgd_epoch_updates_one_pair_after_the_other(n, p, weighted):
    D, W, Y = problem(n, p, weighted)
    rng = np.random.default_rng(1)
    order, offsets = rng.permutation(n), 1 + rng.permutation(n // 2)
    R = diagonals(D, order)
    Q = diagonals(W, order) if weighted else R
    Yt = np.ascontiguousarray(Y[order].T)
    _sgd_epoch(Yt, R, Q, weighted, offsets, 0.7, TINY)
    got = np.empty_like(Y)
    got[order] = Yt.T
    wanted = reference.sgd_epoch(D, W, Y, order, offsets, 0.7)
    # Updates of one block commute; only the sum of squares may round otherwise.
    assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


def test_sgd_epoch_in_blocks_of_more_than_one_cache_block():
    # n > 2 * 256, so that blocks are full, cut by the wrap and cut by the end.
    n = 521
    D, _, Y = problem(n, 2, False)
    order, offsets = np.arange(n), np.array([260, 259, 3])
    R = diagonals(D, order)
    Yt = np.ascontiguousarray(Y.T)
    _sgd_epoch(Yt, R, R, False, offsets, 0.5, TINY)
    wanted = Y.copy()
    for s in offsets:
        for i in range(n):
            j = (i + s) % n
            delta = wanted[i] - wanted[j]
            r = np.linalg.norm(delta)
            move = 0.5 * (r - D[i, j]) / (2 * r) * delta
            wanted[i] -= move
            wanted[j] += move
    assert_allclose(Yt.T, wanted, rtol=1e-10, atol=1e-12)


def test_sgd_skips_coincident_points_and_keeps_the_centre():
    D, _, Y = problem(6, 2, False)
    Y[3] = Y[1]
    got = sgd(D, None, Y, np.array([0.1]), tiny=TINY, rng=np.random.RandomState(0))
    assert np.isfinite(got).all()
    assert_allclose(got.mean(axis=0), Y.mean(axis=0), atol=1e-14)
    alone = np.zeros((2, 2))
    got = sgd(
        np.array([[0.0, 1.0], [1.0, 0.0]]),
        None,
        alone,
        np.array([1.0]),
        tiny=TINY,
        rng=np.random.RandomState(0),
    )
    assert_array_equal(got, alone)


def test_learning_rates_fall_from_the_weakest_to_the_strongest_pair():
    rates = learning_rates(15, 0.5, 4.0, 1e-3)
    assert rates.size == 15
    assert_allclose(rates[[0, -1]], [2.0, 2.5e-4])
    assert_allclose(rates[1:] / rates[:-1], (rates[1] / rates[0]))
    assert_array_equal(learning_rates(1, 0.5, 4.0, 1e-3), [2.0])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("p", [1, 2, 5])
def test_raw_stress_is_the_sum_over_pairs(p, weighted):
    D, W, Y = problem(15, p, weighted)
    if weighted:
        np.fill_diagonal(W, np.nan)  # the diagonal is never used
    got = raw_stress(D, W, Y, tiny=TINY)
    assert_allclose(got, reference.stress(D, Y, W), rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_raw_stress_adds_up_over_several_cache_blocks(weighted):
    D, W, Y = problem(300, 2, weighted)
    below = np.tril_indices(300, -1)
    squares = (reference.distances(Y) - D) ** 2
    wanted = np.sum((squares * W if weighted else squares)[below])
    assert_allclose(raw_stress(D, W, Y, tiny=TINY), wanted, rtol=1e-12)


def test_unit_weight_step_is_the_guttman_transform():
    D, _, Y = problem(9, 2, False)
    Y -= Y.mean(axis=0)
    limits = {"max_iter": 1, "tol": 0.0, "total": 1.0, "tiny": TINY}
    got, *_ = smacof(D, None, Y, **limits)
    assert_allclose(got, reference.guttman(D, None, Y), rtol=1e-10, atol=1e-12)


def test_weighted_step_solved_to_the_end_is_the_guttman_transform(monkeypatch):
    monkeypatch.setattr("geolearn.optimize._smacof._GRADIENT_FALL", 1e-13)
    D, W, Y = problem(9, 2, True)
    Y -= Y.mean(axis=0)
    limits = {"max_iter": 1, "tol": 0.0, "total": 1.0, "tiny": TINY}
    got, *_ = smacof(D, W, Y, **limits)
    got -= got.mean(axis=0)
    assert_allclose(got, reference.guttman(D, W, Y), rtol=1e-9, atol=1e-10)


@given(seed=st.integers(0, 10**6), steps=st.integers(1, 8))
def test_every_conjugate_gradient_step_lowers_the_bound(seed, steps):
    D, W, Y = problem(8, 2, True, seed)
    degrees = W.sum(axis=1)
    wanted = reference.guttman(D, W, Y)
    V = np.diag(degrees) - W
    pull = np.ascontiguousarray((V @ (wanted - Y)).T)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geolearn.optimize._smacof._MAX_CG", steps)
        Z = Y + _solve_bound(W, degrees, pull).T
    assert_allclose(reference.bound(D, W, Y, Y), reference.stress(D, Y, W))
    assert reference.bound(D, W, Y, Z) <= reference.bound(D, W, Y, Y) * (1 + 1e-12)
    assert reference.stress(D, Z, W) <= reference.bound(D, W, Y, Z) * (1 + 1e-12)


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 9),
    p=st.integers(1, 3),
    weighted=st.booleans(),
    spread=st.floats(0.0, 4.0),
)
def test_majorisation_never_raises_the_stress(seed, n, p, weighted, spread):
    D, W, Y = problem(n, p, weighted, seed)
    W = W if W is None else W**spread
    limits = {"tol": 0.0, "total": 1.0, "tiny": TINY}
    before = reference.stress(D, Y, W)
    for _ in range(6):
        Y, *_ = smacof(D, W, Y, max_iter=1, **limits)
        after = reference.stress(D, Y, W)
        assert after <= before * (1 + 1e-12) + 1e-28  # of squares of order 1
        before = after


def test_majorisation_reports_the_stress_of_what_it_returns():
    D, W, Y = problem(10, 2, True)
    for max_iter in (1, 2, 500):
        limits = {"max_iter": max_iter, "tol": 1e-9, "total": 50.0, "tiny": TINY}
        got, stress, steps, gain = smacof(D, W, Y, **limits)
        assert_allclose(stress, reference.stress(D, got, W), rtol=1e-12)
        assert steps <= max_iter
        assert (gain <= 50e-9) == (max_iter == 500)


def test_points_without_distance_stay_finite_in_majorisation():
    D, W, Y = problem(6, 2, True)
    Y[:] = Y[0]
    for weights in (None, W):
        limits = {"max_iter": 3, "tol": 0.0, "total": 1.0, "tiny": TINY}
        got, stress, *_ = smacof(D, weights, Y, **limits)
        assert np.isfinite(got).all()
        assert np.isfinite(stress)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("p", [1, 2, 4])
def test_placement_steps_are_the_formula(p, weighted):
    landmarks = RNG.normal(size=(7, p))
    D = RNG.uniform(0.2, 2.0, (5, 7))
    W = RNG.uniform(0.0, 2.0, (5, 7)) if weighted else None
    start = RNG.normal(size=(5, p))
    start[0] = landmarks[2]  # no direction away from this landmark
    got = place_points(D, landmarks, start, weights=W, n_iter=4)
    for i in range(5):
        w = W[i] if weighted else np.ones(7)
        wanted = reference.place(D[i], landmarks, w, start[i], 4)
        assert_allclose(got[i], wanted, rtol=1e-10)


def test_kernels_take_read_only_and_single_precision():
    D, _, Y = problem(10, 2, False)
    single = read_only(D.astype(np.float32))
    a = raw_stress(single, None, Y, tiny=TINY)
    # float32 D differ by 6e-8 of their size from D.
    assert_allclose(a, raw_stress(D, None, Y, tiny=TINY), rtol=1e-6)
    rates = np.array([0.5, 0.1])
    run = {"tiny": TINY, "rng": 0}
    layouts = [
        sgd(A, None, Y, rates, **{**run, "rng": np.random.RandomState(0)})
        for A in (D, single)
    ]
    assert_allclose(*layouts, rtol=1e-4, atol=1e-5)
