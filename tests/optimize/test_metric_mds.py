"""Metric multidimensional scaling as a whole: optima, invariances, errors."""

import logging
import warnings

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from geolearn.optimize import classical_mds, metric_mds
from tests.reference import mds as reference

SOLVERS = ["auto", "sgd", "smacof", "classical"]


def heat_geodesic_example():
    """Six points on a line, heat at t = 2 with the volume term, all dense."""
    x = np.array([0.0, 1.0, 3.0, 6.0, 10.0, 15.0])
    bandwidth = np.array([3.0, 2.0, 3.0, 4.0, 5.0, 9.0])
    A = np.exp(-((np.abs(x[:, None] - x) / bandwidth[:, None]) ** 2))
    A[A < 1e-4] = 0.0
    W = (A + A.T) / 2.0
    np.fill_diagonal(W, 0.0)
    d = W.sum(axis=1)
    L = np.eye(6) - W / np.sqrt(np.outer(d, d))
    H = scipy.linalg.expm(-2.0 * L)
    h = np.diagonal(H)
    D = np.sqrt(8.0 * np.abs(np.log((h[:, None] + h) / 2.0) - np.log(H)))
    np.fill_diagonal(D, 0.0)
    return (D + D.T) / 2.0


def cloud(n=40, d=3, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, d)) * np.arange(d, 0, -1)
    return X, reference.distances(X)


def noisy(n=40, seed=0):
    """Dissimilarities that no configuration has exactly."""
    rng = np.random.default_rng(seed)
    _, D = cloud(n, 4, seed)
    E = np.triu(rng.uniform(0.8, 1.25, (n, n)), 1)
    return D * (E + E.T)


def test_worked_example():
    # Specification of the heat-geodesic embedding, section 7: row 0 of D, the
    # global minimum of the stress in the plane, and the classical eigenvalues.
    D = heat_geodesic_example()
    row = [1.06567251, 1.79997762, 2.92967286, 3.72913387, 3.63861348]
    assert_allclose(D[0, 1:], row, atol=5e-9)
    best = min(
        (metric_mds(D, 2, random_state=s, tol=1e-12, max_iter=5000) for s in range(3)),
        key=lambda r: r.stress,
    )
    assert_allclose(best.stress, 0.068786, atol=5e-7)
    assert_allclose(reference.stress(D, best.embedding), 0.492768, atol=5e-7)
    _, values = classical_mds(D, 5)
    wanted = [13.495371, 2.038165, 0.781557, 0.558893, 0.483598]
    assert_allclose(values, wanted, atol=5e-7)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("n", "d"), [(5, 2), (40, 3), (260, 2)])
def test_euclidean_configurations_are_recovered(solver, n, d):
    X, D = cloud(n, d)
    result = metric_mds(D, d, solver=solver, random_state=0)
    assert result.stress < 1e-7
    assert result.converged
    assert_allclose(reference.aligned(result.embedding, X), X, atol=1e-6)


def test_more_dimensions_than_the_data_have_stay_empty():
    _, D = cloud(30, 2)
    result = metric_mds(D, 4, random_state=0)
    assert_allclose(reference.distances(result.embedding), D, atol=1e-6)
    assert_allclose(result.embedding[:, 2:], 0.0, atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_result_is_consistent(solver, weighted):
    D = noisy(30)
    W = np.random.default_rng(1).uniform(0.5, 2.0, D.shape)
    W = W + W.T if weighted else None
    result = metric_mds(D, 2, weights=W, solver=solver, random_state=0)
    Y = result.embedding
    assert_allclose(result.stress, reference.stress_1(D, Y, W), rtol=1e-10)
    assert_allclose(Y.mean(axis=0), 0.0, atol=1e-12)
    covariance = Y.T @ Y
    assert covariance[0, 0] >= covariance[1, 1]
    assert_allclose(covariance[0, 1], 0.0, atol=1e-10 * covariance[0, 0])
    assert (Y[np.abs(Y).argmax(axis=0), [0, 1]] > 0).all()
    assert result.n_iter == 0 if solver == "classical" else result.n_iter >= 1


def test_solvers_improve_on_one_another():
    D = noisy(80)
    stress = {s: metric_mds(D, solver=s, random_state=0).stress for s in SOLVERS}
    assert stress["auto"] <= stress["sgd"] * (1 + 1e-12)
    assert stress["sgd"] < stress["classical"]
    assert stress["smacof"] < stress["classical"]


@pytest.mark.parametrize("seed", range(3))
def test_stress_is_not_worse_than_that_of_scikit_learn(seed):
    from sklearn.manifold import smacof

    D = noisy(60, seed)
    peer = min(
        smacof(D, n_components=2, n_init=1, random_state=s, normalized_stress=False)[1]
        for s in range(4)
    )
    ours = reference.stress(D, metric_mds(D, random_state=0).embedding)
    # Both end in local minima, which differ by up to a per cent for such noise.
    assert ours <= peer * 1.01


def test_uneven_weights_are_fitted_better_than_by_the_exact_sweeps():
    # 1 / D^2: where majorisation alone is slow, in the words of the literature.
    D = noisy(60)
    W = 1.0 / (D + np.eye(60)) ** 2
    result = metric_mds(D, weights=W, random_state=0)
    Y, _ = classical_mds(D, 2)
    for _ in range(300):
        Y = reference.guttman(D, W, Y)
    assert result.converged
    assert result.stress <= reference.stress_1(D, Y, W) * (1 + 1e-3)


def test_constant_weights_change_nothing():
    D = noisy(30)
    plain = metric_mds(D, tol=1e-12, max_iter=3000, random_state=0)
    W = np.full(D.shape, 7.0)
    weighed = metric_mds(D, weights=W, tol=1e-12, max_iter=3000, random_state=0)
    assert_allclose(weighed.stress, plain.stress, rtol=1e-6)


def test_pairs_of_weight_zero_are_ignored():
    X, D = cloud(30, 2)
    W = np.ones_like(D)
    W[3, 7] = W[7, 3] = 0.0
    D[3, 7] = D[7, 3] = 50.0
    result = metric_mds(D, weights=W, random_state=0, tol=1e-14, max_iter=5000)
    assert result.stress < 1e-5
    assert_allclose(reference.aligned(result.embedding, X), X, atol=1e-3)


def test_infinite_weights_on_the_diagonal_are_ignored():
    D = noisy(20)
    with np.errstate(divide="ignore"):
        W = 1.0 / D
    assert np.isinf(W[0, 0])
    got = metric_mds(D, weights=W, random_state=0)
    np.fill_diagonal(W, 0.0)
    wanted = metric_mds(D, weights=W, random_state=0)
    assert_array_equal(got.embedding, wanted.embedding)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), n=st.integers(6, 30))
def test_order_of_the_points_does_not_matter(seed, n):
    rng = np.random.default_rng(seed)
    D = noisy(n, seed)
    P = rng.permutation(n)
    start = classical_mds(D, 2)[0]
    options = {"solver": "smacof", "tol": 1e-10, "max_iter": 20}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        a = metric_mds(D, init=start, random_state=0, **options)
        b = metric_mds(D[np.ix_(P, P)], init=start[P], random_state=1, **options)
    # The starts are shaken by 1e-6 of their extent; 20 steps may amplify it.
    assert_allclose(b.stress, a.stress, rtol=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_units_do_not_matter(solver, scale):
    D = noisy(40)
    D[5] = D[:, 5] = 0.0  # a point on all others: zero distances are skipped
    a = metric_mds(D, solver=solver, random_state=0)
    b = metric_mds(D * scale, solver=solver, random_state=0)
    assert_allclose(b.stress, a.stress, rtol=1e-6)
    extent = np.abs(a.embedding).max()
    assert_allclose(b.embedding / scale, a.embedding, atol=1e-4 * extent)
    assert b.n_iter == a.n_iter


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_units_of_the_weights_do_not_matter(scale):
    D = noisy(30)
    W = 1.0 / (D + np.eye(30))
    a = metric_mds(D, weights=W, random_state=0)
    b = metric_mds(D, weights=W * scale, random_state=0)
    assert_allclose(b.stress, a.stress, rtol=1e-6)


@pytest.mark.parametrize("solver", ["auto", "smacof"])
@pytest.mark.parametrize("weighted", [False, True])
def test_threads_and_repetition_give_the_same_bits(solver, weighted):
    D = noisy(300)
    W = 1.0 / (D + np.eye(300)) if weighted else None
    runs = [
        metric_mds(D, weights=W, solver=solver, random_state=3, n_jobs=n_jobs)
        for n_jobs in (1, 2, 1)
    ]
    for other in runs[1:]:
        assert_array_equal(other.embedding, runs[0].embedding)
        assert other.stress == runs[0].stress


def test_single_precision_is_computed_in_double():
    D = noisy(50)
    a = metric_mds(D, random_state=0)
    b = metric_mds(D.astype(np.float32), random_state=0)
    assert b.embedding.dtype == np.float64
    assert_allclose(b.stress, a.stress, rtol=1e-5)


def test_input_is_neither_written_nor_needs_to_be_contiguous():
    D = noisy(25)
    D.flags.writeable = False
    a = metric_mds(D, random_state=0)
    assert_array_equal(
        metric_mds(np.asfortranarray(D), random_state=0).embedding, a.embedding
    )
    wide = np.zeros((25, 50))
    wide[:, ::2] = D
    assert_array_equal(metric_mds(wide[:, ::2], random_state=0).embedding, a.embedding)
    assert_array_equal(metric_mds(D.tolist(), random_state=0).embedding, a.embedding)


def test_duplicates_stay_together():
    X, _ = cloud(20, 2)
    D = reference.distances(np.vstack([X, X]))
    Y = metric_mds(D, random_state=0).embedding
    assert_allclose(Y[:20], Y[20:], atol=1e-6)
    D = noisy(20)
    D = np.block([[D, D], [D, D]])
    Y = metric_mds(D, random_state=0, tol=1e-12, max_iter=5000).embedding
    assert_allclose(Y[:20], Y[20:], atol=1e-2)


def test_points_that_fall_together_in_projection_are_separated():
    # Two poles above and below the centre of a large ring: both are projected to
    # the centre, a stationary place that is no minimum.
    angle = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    ring = np.column_stack([3 * np.cos(angle), 3 * np.sin(angle), 0 * angle])
    D = reference.distances(np.vstack([ring, [[0, 0, 1.0], [0, 0, -1.0]]]))
    start, _ = classical_mds(D, 2)
    assert_allclose(start[12], start[13], atol=1e-8)
    for solver in ("auto", "sgd", "smacof"):
        Y = metric_mds(D, solver=solver, random_state=0).embedding
        assert np.linalg.norm(Y[12] - Y[13]) > 0.3


def test_a_start_on_one_point_is_left():
    _, D = cloud(20, 2)
    start = np.zeros((20, 2))
    result = metric_mds(D, init=start, solver="smacof", random_state=0)
    assert result.stress < 0.2
    assert_array_equal(start, 0.0)


def test_an_exact_start_is_kept():
    X, D = cloud(15, 2)
    result = metric_mds(D, init=X, solver="smacof", random_state=0)
    assert_allclose(reference.aligned(result.embedding, X), X, atol=1e-12)


def test_zero_dissimilarities_give_zero():
    result = metric_mds(np.zeros((5, 5)), 2)
    assert_array_equal(result.embedding, np.zeros((5, 2)))
    assert result.stress == 0.0
    assert result.converged


def test_smallest_problem():
    result = metric_mds([[0.0, 3.0], [3.0, 0.0]], 1, random_state=0)
    assert_allclose(np.sort(result.embedding.ravel()), [-1.5, 1.5])


def test_simplex_is_not_a_trap():
    D = 1.0 - np.eye(12)  # all eigenvalues equal
    # The start is any plane of the eigenspace, by the BLAS: some need many steps.
    result = metric_mds(D, 2, max_iter=3000, random_state=0)
    assert np.isfinite(result.embedding).all()
    # 0.34730528: the best and the median of 50 random starts of scikit-learn's
    # smacof with eps=1e-10; other local minima are within 1 %.
    assert 0.34730 < result.stress < 0.3508


def test_stop_at_max_iter_warns_with_both_values():
    with pytest.warns(ConvergenceWarning, match=r"max_iter=2 .*wanted tol=1e-07"):
        result = metric_mds(noisy(30), solver="smacof", max_iter=2, random_state=0)
    assert not result.converged
    assert result.n_iter == 2


def test_epochs_depend_on_the_spread_of_the_weights():
    D = noisy(20)
    even, uneven = np.ones_like(D), np.ones_like(D)
    uneven[0, 1] = uneven[1, 0] = 1000.0
    runs = {"solver": "sgd", "random_state": 0}
    assert metric_mds(D, **runs).n_iter == 15
    assert metric_mds(D, weights=even, **runs).n_iter == 15
    assert metric_mds(D, weights=uneven, **runs).n_iter == 60
    assert metric_mds(D, weights=uneven, n_epochs=4, **runs).n_iter == 4


def test_weights_over_many_decades_leave_the_schedule_short():
    _, D = cloud(60, 4)
    W = np.exp(-((D / D.max()) ** 2) / 0.01)
    assert W.min() < 1e-40
    run = {"weights": W, "random_state": 0}
    stress = metric_mds(D, solver="sgd", **run).stress
    assert stress < 1.05 * metric_mds(D, tol=1e-10, max_iter=3000, **run).stress


def test_progress_is_logged(caplog):
    caplog.set_level(logging.INFO, logger="geolearn")
    metric_mds(noisy(20), random_state=0)
    assert not caplog.records
    metric_mds(noisy(20), random_state=0, verbose=1)
    few = len(caplog.records)
    metric_mds(noisy(20), random_state=0, verbose=2)
    assert 1 <= few < 10 < len(caplog.records)


def asymmetric(D):
    D[1, 2] += 0.5
    return D


def changed(D, i, j, value):
    D[i, j] = D[j, i] = value
    return D


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda D: D[:5], r"D must be square.*\(5, 6\)"),
        (lambda D: D[0], "D must be a 2-D array"),
        (lambda D: D[:1, :1], "at least 2"),
        (asymmetric, r"D must be symmetric; D\[1, 2\].*differ by 0\.5"),
        (lambda D: changed(D, 0, 1, np.nan), "D must be finite; 2 entries"),
        (lambda D: changed(D, 0, 1, np.inf), "disconnected graph"),
        (lambda D: changed(D, 0, 1, -1.0), "D must be non-negative"),
        (lambda D: changed(D, 2, 2, 1.0), r"zero diagonal; D\[2, 2\]=1"),
        (lambda D: changed(D, 2, 2, np.nan), r"zero diagonal; D\[2, 2\]=nan"),
        (lambda D: D * 1e200, "rescale D"),
        (lambda D: D * 1e-200, "rescale D"),
    ],
)
def test_bad_dissimilarities_are_refused(change, message):
    D = change(noisy(6))
    with pytest.raises(ValueError, match=message):
        metric_mds(D, 2)
    with pytest.raises(ValueError, match=message):
        classical_mds(D, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 0}, r"n_components=0 .*\[1, 5\]"),
        ({"n_components": 6}, r"n_components=6 .*\[1, 5\]"),
        ({"n_components": 1.5}, "n_components=1.5"),
        ({"solver": "sparse"}, "solver='sparse' must be one of auto"),
        ({"init": "random"}, "init='random'"),
        ({"init": np.zeros((5, 2))}, r"init must have shape .*\(6, 2\)"),
        ({"init": np.full((6, 2), np.nan)}, "init must be finite"),
        ({"init": np.zeros((6, 2)), "solver": "classical"}, "has no start"),
        ({"max_iter": 0}, "max_iter=0"),
        ({"n_epochs": 0}, "n_epochs=0"),
        ({"tol": -1.0}, "tol=-1.0"),
        ({"tol": np.nan}, "tol=nan"),
        ({"weights": np.ones((5, 5))}, r"weights must have the shape of D, \(6, 6\)"),
        ({"weights": -np.ones((6, 6))}, "weights must be non-negative"),
        ({"weights": np.full((6, 6), np.nan)}, "weights must be finite"),
        ({"weights": np.triu(np.ones((6, 6)))}, "weights must be symmetric"),
        ({"weights": np.eye(6)}, "weights leave point 0 without"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        metric_mds(noisy(6), **options)


def test_complex_dissimilarities_are_refused():
    with pytest.raises(TypeError, match="real numbers"):
        metric_mds(np.eye(3) * 1j)


def test_rounding_asymmetry_is_accepted():
    D = noisy(10)
    D[1, 2] *= 1 + 1e-12
    assert metric_mds(D, random_state=0).stress > 0
