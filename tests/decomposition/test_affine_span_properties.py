"""Affine spans: identities and invariances on several manifolds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geolearn.decomposition import (
    affine_span_index,
    affine_span_project,
    barycenter,
    barycentric_weights,
    log_matrix,
    unexplained_variance,
)
from geolearn.decomposition._affine_span_frames import unfold
from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    PlanarShapes,
    PoincareBall,
    ProductManifold,
    SpecialOrthogonal,
    Sphere,
    Torus,
)
from tests.reference.affine_span import hyperbolic_projection, nearest_barycenter

CASES = [
    (Euclidean(4), 1.0),
    (Sphere(4), 0.4),
    (Sphere(4, radius=3.0), 1.2),
    (Hyperboloid(4), 1.0),
    (Hyperboloid(4, curvature=-2.0), 0.7),
    (PoincareBall(3), 0.8),
    (SPD(2), 0.6),
    (SPD(3), 0.5),
    (SPD(3, alpha=2.0, beta=0.5), 0.5),
    (SPD(3, "log_euclidean"), 0.7),
    (SPD(3, "log_cholesky"), 0.7),
    (SPD(3, power=0.5), 0.5),
    (PlanarShapes(4), 0.15),
    (PlanarShapes(6), 0.1),
    (Torus(4), 0.2),
    (ProductManifold([Sphere(2), Hyperboloid(2)]), 0.4),
    (SpecialOrthogonal(3), 0.25),
]
IDS = [f"{manifold!r}" for manifold, _ in CASES]


def draw(manifold, scale, n, seed=0):
    return manifold.random_normal(n, scale=scale, random_state=seed)


def differences(manifold, x, y):
    return np.max(manifold.dist(x, y))


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize(("manifold", "scale"), CASES, ids=IDS)
class TestProjection:
    def test_is_critical(self, manifold, scale, k):
        """Z lambda = 0, and log y is orthogonal to the span."""
        X = draw(manifold, scale, 12)
        references, Y = X[: k + 1], X[k + 1 :]
        result = affine_span_project(manifold, Y, references)
        assert result.converged.all()
        np.testing.assert_allclose(result.weights.sum(axis=1), 1.0, rtol=1e-12)
        x = result.projection
        np.testing.assert_allclose(manifold.dist(x, Y), result.distance, atol=1e-10)
        Z = log_matrix(manifold, x, references)
        size = np.linalg.norm(Z, axis=(1, 2)) * np.linalg.norm(result.weights, axis=1)
        residual = np.linalg.norm(np.einsum("nik,nk->ni", Z, result.weights), axis=1)
        assert np.all(residual < 1e-11 * size)
        H = np.einsum(
            "nk,nkij->nij",
            result.weights,
            manifold.hess_half_sqdist(x[:, None], references),
        )
        v = manifold.tangent_to_vector(x, manifold.log(x, Y))
        for i in range(len(Y)):
            complement = np.linalg.svd(result.weights[i][None])[2][1:].T
            Q = np.linalg.qr(np.linalg.solve(H[i], Z[i] @ complement))[0]
            assert np.linalg.norm(Q.T @ v[i]) < 1e-9 * (1.0 + np.linalg.norm(v[i]))

    def test_permutation(self, manifold, scale, k):
        X = draw(manifold, scale, 10, seed=1)
        order = np.arange(k + 1)[::-1]
        one = affine_span_project(manifold, X[3:], X[: k + 1])
        two = affine_span_project(manifold, X[3:], X[order])
        np.testing.assert_allclose(two.weights[:, order], one.weights, atol=1e-8)
        np.testing.assert_allclose(two.distance, one.distance, rtol=1e-9)

    def test_references_project_to_themselves(self, manifold, scale, k):
        X = draw(manifold, scale, k + 1, seed=2)
        result = affine_span_project(manifold, X, X)
        np.testing.assert_allclose(result.distance, 0.0, atol=1e-11)
        np.testing.assert_allclose(result.weights, np.eye(k + 1), atol=1e-9)

    def test_rows_are_independent(self, manifold, scale, k):
        X = draw(manifold, scale, 9, seed=3)
        whole = affine_span_project(manifold, X[3:], X[: k + 1])
        part = affine_span_project(manifold, X[5:6], X[: k + 1])
        np.testing.assert_allclose(part.distance, whole.distance[2:3], rtol=1e-9)

    def test_weights_come_back(self, manifold, scale, k):
        X = draw(manifold, scale, 9, seed=4)
        references = X[: k + 1]
        result = affine_span_project(manifold, X[3:], references)
        weights = barycentric_weights(manifold, result.projection, references)
        np.testing.assert_allclose(weights, result.weights, rtol=1e-6, atol=1e-7)
        index = affine_span_index(
            manifold, result.projection, references, result.weights
        )
        assert (index == 0).all()
        back = barycenter(manifold, references, result.weights)
        assert differences(manifold, back, result.projection) < 1e-8


@pytest.mark.parametrize(
    ("manifold", "scale"),
    [(SPD(2), 0.6), (PlanarShapes(5), 0.15), (SPD(2, "bures_wasserstein"), 0.1)],
)
def test_no_weights_nearby_do_better(manifold, scale):
    """A direct search over weights finds no nearer barycentre."""
    X = draw(manifold, scale, 5, seed=5)
    result = affine_span_project(manifold, X[3:4], X[:2])
    found = nearest_barycenter(manifold, X[3], X[:2], result.weights[0])
    np.testing.assert_allclose(result.distance[0], found, rtol=1e-9)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_determinant(sign, k):
    """The identity of section 2.4 links det Omega and the distance."""
    manifold = Sphere(4) if sign > 0 else Hyperboloid(4)
    X = draw(manifold, 0.7, 8, seed=k)
    references, Y = X[: k + 1], X[k + 1 :]
    J = np.diag([1.0 if sign > 0 else -1.0, 1, 1, 1, 1])
    angles = manifold.dist(Y[:, None], references)
    sn = np.sin if sign > 0 else np.sinh
    factors = np.prod((angles / sn(angles)) ** 2, axis=1)
    Z = log_matrix(manifold, Y, references)
    distance = affine_span_project(manifold, Y, references).distance
    gram = np.abs(np.linalg.det(references @ J @ references.T))
    np.testing.assert_allclose(
        np.linalg.det(np.swapaxes(Z, 1, 2) @ Z),
        factors * gram * sn(distance) ** 2,
        rtol=1e-9,
    )


class TestIsometries:
    @staticmethod
    def compare(manifold, X, moved):
        one = affine_span_project(manifold, X[3:], X[:3])
        two = affine_span_project(manifold, moved[3:], moved[:3])
        np.testing.assert_allclose(two.weights, one.weights, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(two.distance, one.distance, rtol=1e-8, atol=1e-12)

    @given(st.integers(0, 1000))
    def test_rotations(self, seed):
        X = draw(Sphere(5), 0.5, 6, seed)
        Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((6, 6)))[0]
        self.compare(Sphere(5), X, X @ Q)

    @given(st.integers(0, 1000))
    def test_lorentz_maps(self, seed):
        space = Hyperboloid(3)
        X = draw(space, 0.8, 6, seed)
        boost, b = np.eye(4), np.random.default_rng(seed).uniform(-1.0, 1.0)
        boost[:2, :2] = [[np.cosh(b), np.sinh(b)], [np.sinh(b), np.cosh(b)]]
        self.compare(space, X, X @ boost)

    @settings(max_examples=10)
    @given(st.integers(0, 100))
    def test_congruences(self, seed):
        X = draw(SPD(3), 0.5, 6, seed)
        A = np.random.default_rng(seed).standard_normal((3, 3)) + 2.0 * np.eye(3)
        self.compare(SPD(3), X, A @ X @ A.T)

    @settings(max_examples=10)
    @given(st.integers(0, 100))
    def test_turned_shapes(self, seed):
        X = draw(PlanarShapes(5), 0.1, 6, seed)
        angles = np.random.default_rng(seed).uniform(0.0, 6.0, 6)
        c, s = np.cos(angles), np.sin(angles)
        turn = np.moveaxis(np.array([[c, -s], [s, c]]), 2, 0)
        self.compare(PlanarShapes(5), X, X @ turn)

    @pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
    def test_units(self, scale):
        X = draw(SPD(3), 0.5, 6)
        self.compare(SPD(3), X, scale * X)

    def test_metric_scale(self):
        X = draw(Sphere(3), 0.5, 9)
        one = unexplained_variance(Sphere(3), X[2:], X[:2], p=3.0)
        two = unexplained_variance(Sphere(3, radius=7.0), 7 * X[2:], 7 * X[:2], p=3.0)
        np.testing.assert_allclose(two, 7.0**3 * one, rtol=1e-12)


class TestKnownSpans:
    def test_other_points_of_the_same_span(self):
        for manifold in (Sphere(4), Hyperboloid(4)):
            X = draw(manifold, 0.6, 12)
            other = barycenter(
                manifold, X[:3], [[0.5, 0.5, 0.2], [1.0, 0.4, -0.2], [0.1, 0.2, 1.0]]
            )
            one = affine_span_project(manifold, X[3:], X[:3])
            two = affine_span_project(manifold, X[3:], other)
            np.testing.assert_allclose(two.distance, one.distance, rtol=1e-10)
            assert not np.allclose(two.weights, one.weights)

    @pytest.mark.parametrize("k", [1, 2])
    def test_commuting_matrices_are_vectors(self, k):
        logs = np.random.default_rng(0).standard_normal((10, 3))
        Q = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
        X = (Q * np.exp(logs)[:, None]) @ Q.T
        matrices = affine_span_project(SPD(3), X[3:], X[: k + 1])
        vectors = affine_span_project(Euclidean(3), logs[3:], logs[: k + 1])
        np.testing.assert_allclose(matrices.weights, vectors.weights, atol=1e-10)
        np.testing.assert_allclose(matrices.distance, vectors.distance, rtol=1e-10)

    def test_triangles_are_a_sphere(self):
        """The Hopf map takes them to the sphere of radius one half."""
        X = draw(PlanarShapes(3), 0.2, 12)
        a = (X[:, 1] - X[:, 0]) / np.sqrt(2.0)
        b = (2.0 * X[:, 2] - X[:, 0] - X[:, 1]) / np.sqrt(6.0)
        a, b = a @ [1.0, 1j], b @ [1.0, 1j]
        product = a * np.conj(b)
        hopf = np.stack(
            [product.real, product.imag, (abs(a) ** 2 - abs(b) ** 2) / 2], 1
        )
        one = affine_span_project(PlanarShapes(3), X[2:], X[:2])
        two = affine_span_project(Sphere(2, radius=0.5), hopf[2:], hopf[:2])
        np.testing.assert_allclose(one.distance, two.distance, rtol=1e-10)
        np.testing.assert_allclose(one.weights, two.weights, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("k", [1, 2, 3])
    @pytest.mark.parametrize(
        ("manifold", "scale"),
        [(Sphere(4), 0.6), (Hyperboloid(4), 1.0), (Euclidean(4), 1)],
    )
    def test_general_route_agrees_with_closed_forms(self, manifold, scale, k):
        general = ProductManifold([manifold])
        assert unfold(general) is None
        X = draw(manifold, scale, 40)
        one = affine_span_project(manifold, X[4:], X[: k + 1])
        two = affine_span_project(general, X[4:], X[: k + 1])
        assert two.converged.all()
        np.testing.assert_allclose(two.distance, one.distance, rtol=0.0, atol=1e-10)
        assert differences(manifold, two.projection, one.projection) < 1e-10
        size = np.abs(one.weights).max(axis=1, keepdims=True)
        assert np.max(np.abs(two.weights - one.weights) / size) < 1e-9

    def test_shrinking_references(self):
        """The span tends to the geodesic subspace at first order."""
        manifold = SPD(3)
        w = np.random.default_rng(0).standard_normal((2, 6))
        x0, y = np.eye(3), draw(manifold, 0.5, 1)
        gaps = []
        for eps in (1e-1, 1e-2, 1e-3):
            vectors = manifold.vector_to_tangent(x0, np.vstack([np.zeros(6), eps * w]))
            references = manifold.exp(x0, vectors)
            result = affine_span_project(manifold, y, references)
            assert result.converged.all()
            coordinates = eps * result.weights[0, 1:] @ w
            limit = manifold.exp(x0, manifold.vector_to_tangent(x0, coordinates))
            gaps.append(manifold.dist(limit, result.projection[0]))
        orders = np.log10(np.array(gaps[:-1]) / gaps[1:])
        np.testing.assert_allclose(orders, 1.0, atol=0.1)

    @pytest.mark.parametrize("radius", [2.0, 4.0, 6.0])
    def test_sixty_digits_far_out(self, radius):
        space = Hyperboloid(3)
        rng = np.random.default_rng(0)
        directions = rng.standard_normal((7, 3))
        directions *= radius / np.linalg.norm(directions, axis=1, keepdims=True)
        X = space.exp(space.origin, space.vector_to_tangent(space.origin, directions))
        result = affine_span_project(space, X[3:], X[:3])
        for i in range(4):
            distance, weights = hyperbolic_projection(X[3 + i], X[:3])
            assert abs(result.distance[i] - distance) < 1e-14 * np.cosh(radius)
            error = np.max(np.abs(result.weights[i] - weights)) / np.abs(weights).max()
            assert error < 1e-9

    def test_nearby_references_far_out(self):
        """Frames at the first reference keep the digits of small differences."""
        space = Hyperboloid(3)
        base = space.exp(space.origin, [0.0, 5.0, 0.0, 0.0])
        w = 1e-3 * np.random.default_rng(0).standard_normal((6, 3))
        X = space.exp(base, space.vector_to_tangent(base, w))
        result = affine_span_project(space, X[3:], X[:3])
        for i in range(3):
            distance, weights = hyperbolic_projection(X[3 + i], X[:3])
            assert abs(result.distance[i] - distance) < 1e-13
            np.testing.assert_allclose(result.weights[i], weights, rtol=1e-8, atol=1e-8)
