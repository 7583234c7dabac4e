"""SPD data sets: refusals, tables, chunks, projections, units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from geolearn import metrics
from geolearn.manifolds import SPD, ProductManifold, Sphere
from geolearn.manifolds.spd._names import METRICS
from geolearn.utils.validation import check_points
from tests.manifolds.spd_cases import (
    RIEMANNIAN,
    WITH_DISTANCE,
    WITH_MEAN,
    A,
    B,
    X,
    cloud,
)

# Refusals.


@pytest.mark.parametrize("metric", [m for m in METRICS if m not in RIEMANNIAN])
def test_what_is_missing_names_what_is_not(metric):
    manifold = SPD(2, metric)
    calls = [
        lambda: manifold.log(A, B),
        lambda: manifold.exp(A, B),
        lambda: manifold.log_vector(A, B),
        lambda: manifold.transport(A, B, B),
        lambda: manifold.log_volume_density(A, B),
    ]
    if metric == "bogoliubov_kubo_mori":
        calls += [lambda: manifold.dist(A, B), lambda: manifold.pairwise_distances(X)]
    if metric not in WITH_MEAN:
        calls += [lambda: manifold.frechet_mean(X)]
    for call in calls:
        with pytest.raises(ValueError, match=r"has no .*affine_invariant"):
            call()


@pytest.mark.parametrize(
    "metric", ["affine_invariant", "log_euclidean", "log_cholesky"]
)
def test_exponentials_beyond_double_precision_are_refused(metric):
    manifold = SPD(2, metric)
    w = np.array([[0.1, 0.2, 0.3], [2e3, 0.0, 0.0]])
    message = "vector 1 is not finite under metric='.*too long"
    with pytest.raises(ValueError, match=message):  # not infinity and NaN
        manifold.exp_vector(A, w)
    with pytest.raises(ValueError, match=message):
        manifold.exp(A, manifold.vector_to_tangent(A, w))
    with pytest.raises(ValueError, match="vector is not finite"):
        manifold.geodesic(A, B, 1e4)


@pytest.mark.parametrize("metric", ["thompson", "bogoliubov_kubo_mori"])
def test_advice_for_missing_means_needs_no_parameter_of_estimators(metric):
    with pytest.raises(ValueError, match="has no mean") as caught:
        SPD(2, metric).frechet_mean(X)
    assert "metric_mean" not in str(caught.value)


@pytest.mark.parametrize(
    "metric", ["bures_wasserstein", "euclidean", "cholesky", "power_euclidean"]
)
def test_geodesics_may_leave_metrics_that_are_not_complete(metric):
    manifold = SPD(2, metric)
    away = np.stack([np.zeros((2, 2)), np.diag([-9.0, 0.0])])
    with pytest.raises(ValueError, match=r"vector 1 leaves the SPD .*affine_invariant"):
        manifold.exp(np.eye(2), away)
    with pytest.raises(ValueError, match="tangent vector leaves the SPD"):
        manifold.exp_vector(np.eye(2), [-9.0, 0.0, 0.0])


SINGULAR = np.stack([np.eye(3)] * 17 + [np.diag([1.0, 2.0, 0.0])] * 2)


@pytest.mark.parametrize("metric", WITH_DISTANCE)
def test_indefinite_matrices_are_named(metric):
    bad = SINGULAR - np.diag([0.0, 0.0, 0.1]) * (np.arange(19) > 16)[:, None, None]
    manifold = SPD(3, metric)
    message = r"matrix 17 is not positive (semi)?definite \(smallest eigenvalue .*'oas'"
    with pytest.raises(ValueError, match=message):
        manifold.check_points(bad)
    assert manifold.belongs(bad).tolist() == [True] * 17 + [False] * 2
    if metric == "euclidean":
        return
    with pytest.raises(ValueError, match=message):
        manifold.dist(2 * np.eye(3), bad)
    with pytest.raises(ValueError, match=message):
        manifold.pairwise_distances(bad)
    if metric in WITH_MEAN:
        with pytest.raises(ValueError, match=message):
            manifold.frechet_mean(bad)
    if metric in RIEMANNIAN:
        with pytest.raises(ValueError, match=message):
            manifold.log_vector(2 * np.eye(3), bad)


@pytest.mark.parametrize(
    "metric", [m for m in WITH_DISTANCE if m not in {"euclidean", "bures_wasserstein"}]
)
def test_singular_matrices_are_named(metric):
    with pytest.raises(ValueError, match="matrix 17 is not positive definite"):
        SPD(3, metric).dist(2 * np.eye(3), SINGULAR)


def test_distances_of_semidefinite_matrices():
    P, Q = np.diag([1.0, 4.0, 0.0]), np.diag([0.0, 1.0, 0.0])
    assert_allclose(SPD(3, "bures_wasserstein").dist(P, Q), np.sqrt(2.0), rtol=1e-12)
    assert_allclose(SPD(3, "euclidean").dist(P, Q), np.sqrt(10.0), rtol=1e-12)
    mean = SPD(3, "euclidean").frechet_mean(np.stack([P, Q]))
    assert_allclose(mean, np.diag([0.5, 2.5, 0.0]))


def test_membership_errors():
    manifold = SPD(2)
    wrong = np.stack([A, [[1.0, 0.1], [0.2, 1.0]]])
    with pytest.raises(ValueError, match="matrix 1 is not symmetric"):
        manifold.check_points(wrong)
    with pytest.raises(ValueError, match="NaN or infinity: matrix 1"):
        manifold.check_points(np.stack([A, [[1.0, np.nan], [np.nan, 1.0]]]))
    with pytest.raises(ValueError, match="NaN or infinity: matrix 1"):
        manifold.check_points(np.stack([A, [[np.inf, 0.0], [0.0, 1.0]]]))
    with pytest.raises(ValueError, match=r"expected \(n_samples, 2, 2\)"):
        manifold.check_points(np.ones((3, 2, 3)))
    with pytest.raises(ValueError, match=r"X\[np.newaxis\]"):
        manifold.check_points(A)
    with pytest.raises(ValueError, match="at least one sample"):
        manifold.check_points(np.empty((0, 2, 2)))
    rounded = np.stack([A, A + np.diag([1e-9], 1)])
    checked = manifold.check_points(rounded)
    assert np.array_equal(checked, np.swapaxes(checked, 1, 2))
    assert rounded[1, 0, 1] != rounded[1, 1, 0]


@pytest.mark.parametrize("weight", [[1.0, -1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0]])
def test_weights_are_checked(weight):
    with pytest.raises(ValueError, match="sample_weight"):
        SPD(2).frechet_mean(X, weight)


def test_start_of_the_mean_is_checked_and_used():
    exact = SPD(2).frechet_mean(X, tol=1e-12)
    result = SPD(2).frechet_mean(X, init=exact, return_result=True)
    assert result.n_iter == 0
    with pytest.raises(ValueError, match="init is not positive definite"):
        SPD(2).frechet_mean(X, init=-np.eye(2))


@pytest.mark.parametrize("metric", ["affine_invariant", "bures_wasserstein", "stein"])
def test_means_that_do_not_converge_say_so(metric):
    with pytest.warns(ConvergenceWarning, match=r"norm .* wanted 1.0e-10. Raise"):
        result = SPD(2, metric).frechet_mean(
            X, tol=1e-10, max_iter=1, return_result=True
        )
    assert not result.converged


def test_power_beyond_double_precision():
    P = np.diag([1e12, 1.0])
    with pytest.raises(ValueError, match="power=2 takes a matrix to condition"):
        SPD(2, power=2.0).dist(P, np.eye(2))


# Tables, chunks, threads, types.


@pytest.mark.parametrize("metric", WITH_DISTANCE)
def test_tables(metric):
    manifold = SPD(3, metric)
    P, Q = cloud(7, 3), cloud(4, 3, seed=1)
    for squared in (False, True):
        expected = manifold.dist(P[:, None], Q[None], squared=squared)
        table = manifold.pairwise_distances(P, Q, squared=squared)
        assert_allclose(table, expected, rtol=1e-11)
        out = np.empty((7, 4))
        again = manifold.pairwise_distances(P, Q, squared=squared, n_jobs=2, out=out)
        assert again is out
        assert np.array_equal(out, table)
        own = manifold.pairwise_distances(P, squared=squared)
        expected = manifold.dist(P[:, None], P[None], squared=squared)
        off = ~np.eye(7, dtype=bool)
        assert_allclose(own[off], expected[off], rtol=1e-11)
        assert np.all(np.diag(own) == 0.0)


@pytest.mark.parametrize("metric", RIEMANNIAN)
def test_chunks_and_threads_do_not_change_results(metric, monkeypatch):
    manifold = SPD(3, metric)
    P, Q = cloud(1, 3)[0], cloud(50, 3, seed=1, scale=0.2)
    vectors = manifold.log_vector(P, Q)
    back = manifold.exp_vector(P, vectors)
    monkeypatch.setattr("geolearn.manifolds.spd._chunks._CHUNK_BYTES", 7 * 72)
    for n_jobs in (None, 2):
        again = manifold.log_vector(P, Q, n_jobs=n_jobs)
        assert_allclose(again, vectors, rtol=1e-12, atol=1e-14)
        matrices = manifold.exp_vector(P, vectors, n_jobs=n_jobs)
        assert_allclose(matrices, back, rtol=1e-12, atol=1e-14)
    one_to_one = manifold.log_vector(Q, Q[::-1])
    assert_allclose(one_to_one[3], manifold.log_vector(Q[3], Q[46]), atol=1e-13)


def test_coordinates_keep_single_precision():
    P = cloud(3, 3).astype(np.float32)
    vectors = SPD(3).log_vector(P[0], P)
    assert vectors.dtype == np.float32
    assert SPD(3).exp_vector(P[0], vectors).dtype == np.float32
    assert SPD(3).frechet_mean(P).dtype == np.float32
    with pytest.raises(ValueError, match="dim = 6"):
        SPD(3).exp_vector(P[0], np.zeros(5))


def test_projection():
    manifold = SPD(2)
    assert np.array_equal(manifold.project(X), X)
    moved = manifold.project(np.diag([4.0, -1.0]) * 1e-12)
    assert_allclose(moved, np.diag([4e-12, 4e-24]), atol=1e-26)
    floored = manifold.project(np.diag([4.0, 1e-3]), floor=0.25)
    assert_allclose(floored, np.diag([4.0, 1.0]))
    with pytest.raises(ValueError, match="zeros"):
        manifold.project(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="NaN"):
        manifold.project(np.full((2, 2), np.nan))


@pytest.mark.parametrize("metric", RIEMANNIAN)
def test_random_points(metric):
    manifold = SPD(3, metric)
    points = manifold.random_point(20, random_state=0)
    assert points.shape == (20, 3, 3)
    assert manifold.belongs(points).all()
    assert np.array_equal(points, manifold.random_point(20, random_state=0))
    near = manifold.random_normal(500, points[0], scale=1e-3, random_state=1)
    logs = manifold.log_vector(points[0], near)
    assert_allclose(logs.std(axis=0), 1e-3, rtol=0.15)


def test_product_with_other_manifolds():
    product = ProductManifold([SPD(2, "stein"), Sphere(2)])
    P, s = np.stack([A, B]), np.eye(3)[:2]
    points = product.join([P, s])
    expected = np.hypot(SPD(2, "stein").dist(A, B), np.pi / 2)
    assert_allclose(product.dist(points[0], points[1]), expected)
    mean = ProductManifold([SPD(2), Sphere(2)]).frechet_mean(points)
    assert_allclose(mean[:4].reshape(2, 2), SPD(2).frechet_mean(P), atol=1e-8)


@pytest.mark.parametrize("factor", [1e-29, 1e-12, 1e29])
@pytest.mark.parametrize("metric", [*RIEMANNIAN, "stein"])
def test_units_of_volts(metric, factor):
    """EEG in volts has eigenvalues near 1e-29: no absolute tolerance anywhere."""
    manifold = SPD(3, metric)
    matrices = cloud(8, 3, scale=0.3)
    P, Q = matrices[:2]
    power = {
        "euclidean": 1.0,
        "power_euclidean": 0.5,
        "harmonic": -1.0,
        "bures_wasserstein": 0.5,
        "cholesky": 0.5,
    }.get(metric, 0.0)
    if metric != "log_cholesky":
        expected = manifold.dist(P, Q) * factor**power
        assert_allclose(manifold.dist(factor * P, factor * Q), expected, rtol=1e-9)
        mean = manifold.frechet_mean(factor * matrices, tol=1e-11)
        expected = factor * manifold.frechet_mean(matrices, tol=1e-11)
        assert_allclose(mean, expected, rtol=1e-8, atol=1e-9 * factor)
    checked = manifold.check_points(factor * matrices)
    assert np.array_equal(checked, factor * matrices)
    if metric != "stein":
        V = manifold.log(factor * P, factor * Q)
        moved = manifold.exp(factor * P, V)
        assert_allclose(moved / factor, Q, rtol=1e-9, atol=1e-10)
        w = manifold.log_vector(factor * P, factor * Q)
        back = manifold.vector_to_tangent(factor * P, w)
        assert_allclose(back / factor, V / factor, rtol=1e-9, atol=1e-10)


# The functions of geolearn.metrics.


@pytest.mark.parametrize("metric", WITH_DISTANCE)
def test_metric_functions_use_the_tables(metric, monkeypatch):
    """pairwise_distances and kneighbors never broadcast one pair at a time."""
    manifold = SPD(3, metric)
    P, Q = cloud(12, 3), cloud(9, 3, seed=1)
    expected = manifold.pairwise_distances(P, Q)
    own = manifold.pairwise_distances(P)

    def forbidden(*args, **options):
        raise AssertionError("distances were broadcast")

    monkeypatch.setattr(SPD, "dist", forbidden)
    assert_allclose(metrics.pairwise_distances(P, Q, manifold), expected, rtol=1e-12)
    assert_allclose(metrics.pairwise_distances(P, metric=manifold), own, rtol=1e-12)
    blocks = metrics.pairwise_distances_blocks(P, Q, manifold, block_mib=2e-4, n_jobs=2)
    parts = [block for _, block in blocks]
    assert len(parts) > 1
    assert_allclose(np.concatenate(parts), expected, rtol=1e-11)
    distances, indices = metrics.kneighbors(P, Q, 4, manifold)
    order = np.argsort(expected, axis=1)[:, :4]
    assert np.array_equal(indices, order)
    assert_allclose(distances, np.take_along_axis(expected, order, 1), rtol=1e-11)
    distances, indices = metrics.kneighbors(P, n_neighbors=3, metric=manifold)
    np.fill_diagonal(own, np.inf)
    assert np.array_equal(indices, np.argsort(own, axis=1)[:, :3])


def test_close_pairs_of_flat_tables_are_computed_from_differences():
    P = cloud(1, 4)[0]
    near = np.stack([P, P + 1e-12 * np.eye(4)])
    table = SPD(4, "euclidean").pairwise_distances(near)
    assert_allclose(table[0, 1], 2e-12, rtol=1e-3)


def test_points_are_checked_at_the_door_of_estimators():
    with pytest.raises(ValueError, match="matrix 1 is not positive definite"):
        check_points(SPD(2), np.stack([A, -A]))
    with pytest.raises(ValueError, match="matrix 1 is not symmetric"):
        check_points(SPD(2), np.stack([A, np.triu(A)]))
    assert np.array_equal(check_points(SPD(2), X), X)
