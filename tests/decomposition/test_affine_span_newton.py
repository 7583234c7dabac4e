"""Affine spans: the solver of general manifolds, its stacks and its kernel."""

import numpy as np
import pytest

from geolearn.decomposition import affine_span_project, barycenter, log_matrix
from geolearn.decomposition._affine_span_kernels import weighted_hessians
from geolearn.decomposition._affine_span_local import Local, local_of, span_lengths
from geolearn.decomposition._affine_span_newton import Solution
from geolearn.decomposition._affine_span_project import (
    Starts,
    _starting_points,
    project_points,
    project_sets,
)
from geolearn.manifolds import (
    SPD,
    Hyperboloid,
    PlanarShapes,
    ProductManifold,
    Sphere,
    Stiefel,
)

pytestmark = pytest.mark.kernels


def test_kernel_sums_hessians():
    """In the frame after Cholesky whitening; equal eigenvalues included."""
    X = SPD(3).random_normal(4, scale=0.7, random_state=0)
    X[1] = 2.0 * X[0]
    weights = np.array([[0.7, -0.4, 1.1]])
    fused = local_of(SPD(3), X[None, 1:])
    plain = Local(SPD(3), X[None, 1:])
    x, which = X[:1], np.zeros(1, dtype=np.intp)
    for y in (X[2:3], X[:1], X[1:2]):
        (v, H), (w, G) = fused.target(x, y), plain.target(x, y)
        np.testing.assert_allclose(np.linalg.norm(v), np.linalg.norm(w), atol=1e-14)
        np.testing.assert_allclose(
            np.linalg.eigvalsh(H), np.linalg.eigvalsh(G), rtol=1e-12
        )
        np.testing.assert_allclose(H[0] @ v[0], v[0], rtol=1e-12, atol=1e-14)
    (Z, H), (Y, G) = fused.at(x, weights, which), plain.at(x, weights, which)
    np.testing.assert_allclose(Z[0].T @ Z[0], Y[0].T @ Y[0], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        Z[0].T @ H[0] @ Z[0], Y[0].T @ G[0] @ Y[0], rtol=1e-12, atol=1e-14
    )


def test_kernel_series_meets_formula():
    for gap in (1e-9, 1.9e-4, 2.1e-4):
        mu = np.array([[[0.0, gap]]])
        out = np.empty((1, 3, 4))
        weighted_hessians(np.eye(2)[None, None], mu, np.ones((1, 1)), out)
        np.testing.assert_allclose(
            np.diag(out[0, :, 1:]), [1.0, 1.0 + gap**2 / 12.0, 1.0], rtol=1e-15
        )


@pytest.mark.parametrize(
    "manifold", [Sphere(3), SPD(3), PlanarShapes(4), SPD(2, alpha=3.0, beta=-0.5)]
)
def test_numerical_hessians(manifold):
    X = manifold.random_normal(6, scale=0.3, random_state=1)
    local = Local(manifold, X[None])
    exact = local.hessians(X[:3], X[3:])
    local.exact = False
    np.testing.assert_allclose(local.hessians(X[:3], X[3:]), exact, atol=1e-6)


def test_manifolds_without_a_hessian():
    manifold = SPD(2, "bures_wasserstein")
    assert not manifold.has_hessian
    X = manifold.random_normal(8, scale=0.1, random_state=0)
    result = affine_span_project(manifold, X[2:], X[:2])
    assert result.converged.all()
    closer = manifold.geodesic(X[0], X[1], np.linspace(-0.5, 1.5, 4001))
    grid = manifold.dist(X[2:, None], closer).min(axis=1)
    inside = (result.weights > -0.5).all(axis=1)
    assert inside.any()
    np.testing.assert_allclose(result.distance[inside], grid[inside], rtol=1e-5)
    assert np.all(result.distance[inside] <= grid[inside] + 1e-12)


@pytest.mark.parametrize(
    "manifold", [SPD(2), PlanarShapes(4), Sphere(3), ProductManifold([Hyperboloid(3)])]
)
@pytest.mark.parametrize("k", [0, 1, 2])
def test_many_sets_at_once(manifold, k):
    X = manifold.random_normal(9, scale=0.25, random_state=2)
    sets = np.array([[0, 1, 2], [3, 1, 0], [4, 2, 5]])[:, : k + 1]
    together = project_sets(manifold, X, X[sets])
    for i, chosen in enumerate(sets):
        alone = project_points(manifold, X, X[chosen])
        np.testing.assert_allclose(together.distance[i], alone.distance, atol=1e-11)
        np.testing.assert_allclose(together.weights[i], alone.weights, atol=1e-8)
        assert together.converged[i].all()


def test_warm_starts_and_all_starts_agree():
    manifold = SPD(3)
    X = manifold.random_normal(20, scale=0.5, random_state=3)
    cold = project_points(manifold, X[3:], X[:3])
    warm = project_points(manifold, X[3:], X[:3], start_weights=cold.weights)
    every = project_points(manifold, X[3:], X[:3], all_starts=True)
    for other in (warm, every):
        np.testing.assert_allclose(other.distance, cold.distance, rtol=1e-10)
        np.testing.assert_allclose(other.weights, cold.weights, atol=1e-8)


def test_the_first_start_is_the_nearest_reference():
    manifold = SPD(3)
    X = manifold.random_normal(9, scale=0.5, random_state=4)
    local = local_of(manifold, X[None, :3])
    unsolved = Solution(X[3:], np.ones((6, 3)), np.ones(6), np.zeros(6, dtype=bool))
    starts = _starting_points(
        local,
        X[3:],
        np.zeros(6, dtype=np.intp),
        unsolved,
        Starts(None, False),
        span_lengths(local),
    )
    rows, x, weights = next(starts)
    nearest = np.argmin(manifold.dist(X[3:, None], X[:3]), axis=1)
    assert rows.tolist() == list(range(6))
    np.testing.assert_array_equal(x, X[nearest])
    np.testing.assert_array_equal(weights, np.eye(3)[nearest])


def test_wide_references_pass_folds():
    """Where the Hessian is singular the span goes on."""
    manifold = Sphere(4)
    X = manifold.random_normal(60, scale=1.0, random_state=0)
    closed = affine_span_project(manifold, X[3:], X[:3])
    general = project_points(ProductManifold([manifold]), X[3:], X[:3])
    assert general.converged.all()
    np.testing.assert_allclose(general.distance, closed.distance, atol=1e-9)
    shapes = PlanarShapes(8)
    Y = shapes.random_normal(60, scale=0.2, random_state=0)
    assert project_points(shapes, Y[4:], Y[:4]).converged.all()


def test_one_bad_sample_does_not_stop_the_others():
    """It lies on the cut locus of the nearest reference and of all points there."""
    shapes = PlanarShapes(3)
    X = shapes.random_normal(5, scale=0.1, random_state=0)
    z = X[0] @ [1.0, 1j]
    basis = np.linalg.svd(np.stack([z, np.ones(3)]).conj())[2][2]
    opposite = np.stack([basis.conj().real, basis.conj().imag], axis=1)
    Y = np.stack([*X[2:], shapes.project(opposite)])
    assert shapes.dist(Y[-1], X[0]) > np.pi / 2 - 1e-9
    result = project_points(shapes, Y, X[:2])
    clean = project_points(shapes, Y[:-1], X[:2])
    np.testing.assert_array_equal(result.distance[:-1], clean.distance)
    assert np.isfinite(result.distance[-1])


class TestBarycenter:
    def test_negative_weights_on_matrices(self):
        X = SPD(3).random_normal(3, scale=0.3, random_state=0)
        weights = np.array([[1.4, -0.7, 0.3], [0.2, 0.2, 0.6], [2.0, 2.0, -3.0]])
        x = barycenter(SPD(3), X, weights)
        Z = log_matrix(SPD(3), x, X)
        residual = np.einsum("nik,nk->ni", Z, weights / weights.sum(1)[:, None])
        assert np.max(np.abs(residual)) < 1e-12
        np.testing.assert_allclose(barycenter(SPD(3), X, -weights), x, rtol=1e-12)

    def test_positive_weights_give_the_mean(self):
        for manifold in (SPD(3), Sphere(3), Hyperboloid(3), PlanarShapes(5)):
            X = manifold.random_normal(4, scale=0.15, random_state=1)
            w = np.array([0.1, 0.2, 0.3, 0.4])
            x = (
                barycenter(manifold, X[:3] if manifold.dim < 4 else X, w[:3])
                if manifold.dim < 4
                else barycenter(manifold, X, w)
            )
            mean = manifold.frechet_mean(
                X[:3] if manifold.dim < 4 else X,
                sample_weight=w[:3] if manifold.dim < 4 else w,
                tol=1e-13,
            )
            assert manifold.dist(x, mean) < 1e-7

    def test_the_near_arc_is_chosen(self):
        x = barycenter(Sphere(2), np.eye(3)[:2], [0.5, 0.5])
        np.testing.assert_allclose(x, [0.5**0.5, 0.5**0.5, 0.0], rtol=1e-13)

    @pytest.mark.parametrize(
        ("references", "data", "least"), [(0.6, 0.8, 99), (1.2, 1.5, 90)]
    )
    def test_round_trips_on_the_sphere(self, references, data, least):
        """Of 100 random cases; all those with a positive definite Hessian."""
        manifold, n_back = Sphere(4), 0
        for i in range(100):
            center = manifold.random_point(1, random_state=i)[0]
            X = manifold.random_ball(3, references, center, random_state=1000 + i)
            y = manifold.random_ball(1, data, center, random_state=2000 + i)
            result = affine_span_project(manifold, y, X)
            back = barycenter(manifold, X, result.weights)
            n_back += manifold.dist(back, result.projection)[0] < 1e-8
        assert n_back >= least

    def test_round_trips_in_hyperbolic_space(self):
        manifold, n_back = Hyperboloid(4), 0
        for i in range(100):
            X = manifold.random_normal(4, scale=0.5, random_state=i)
            result = affine_span_project(manifold, X[3:], X[:3])
            back = barycenter(manifold, X[:3], result.weights)
            n_back += manifold.dist(back, result.projection)[0] < 1e-8
        assert n_back == 100


def test_frames_are_those_of_the_manifold():
    """Z has the coordinates that tangent_to_vector gives."""
    manifold = Stiefel(3, 1)
    X = manifold.random_normal(3, scale=0.2, random_state=0)
    Z = log_matrix(manifold, X[2], X[:2])
    wanted = manifold.tangent_to_vector(X[2], manifold.log(X[2], X[0]))
    np.testing.assert_allclose(Z[:, 0], wanted, rtol=1e-12)
