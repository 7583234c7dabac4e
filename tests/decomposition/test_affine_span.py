"""Affine spans: worked numbers, edge cases and errors."""

import warnings

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.exceptions import ConvergenceWarning

from geolearn.decomposition import (
    affine_span_index,
    affine_span_project,
    barycenter,
    barycentric_weights,
    log_matrix,
    unexplained_variance,
)
from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    KleinBall,
    PlanarShapes,
    PoincareBall,
    Sphere,
)

AXES = np.eye(3)
POINT = np.array([1.0, 2.0, 2.0]) / 3.0
MATRICES = np.array([np.eye(2), [[2, 1], [1, 2]], [[1, -0.5], [-0.5, 2]]])


def triangles():
    apexes = ([0.5, 0.8], [0.2, 0.6], [0.9, 1.2])
    raw = [[[0.0, 0.0], [1.0, 0.0], apex] for apex in apexes]
    return PlanarShapes(3).project(np.array(raw))


def close(value, wanted):
    """Compare to the twelve digits of worked numbers."""
    np.testing.assert_allclose(value, wanted, rtol=0.0, atol=1.5e-12)


class TestWorkedNumbers:
    """The numbers of the specification, all digits."""

    def test_great_circle(self):
        result = affine_span_project("sphere", POINT[None], AXES[:2])
        close(result.projection[0], np.array([1.0, 2.0, 0.0]) / np.sqrt(5.0))
        close(result.distance, np.arcsin(2.0 / 3.0))
        close(result.distance, 0.729727656227)
        close(result.weights[0], [0.295167235301, 0.704832764699])
        assert result.converged.all()

    def test_logarithms(self):
        Z = log_matrix("sphere", POINT, AXES[:2])
        close(
            Z.T @ Z,
            [[1.51526108714, -0.327397373642], [-0.327397373642, 0.707396508611]],
        )
        close(np.linalg.det(Z.T @ Z), 0.964701362409)
        close(np.linalg.svd(Z, compute_uv=False), [1.277216129114, 0.769010113901])

    @pytest.mark.parametrize(
        ("angle", "weights", "index"),
        [
            (2.0, [-0.273239544735, 1.273239544735], 0),
            (4.0, [0.515493029823, 0.484506970177], 1),
        ],
    )
    def test_around_the_circle(self, angle, weights, index):
        x = np.array([np.cos(angle), np.sin(angle), 0.0])
        close(barycentric_weights("sphere", x, AXES[:2]), weights)
        close(affine_span_project("sphere", x[None], AXES[:2]).weights[0], weights)
        assert affine_span_index("sphere", x, AXES[:2], weights) == index
        back = barycenter("sphere", AXES[:2], weights)
        assert np.allclose(back, x, rtol=0.0, atol=1e-11) == (index == 0)

    def test_three_references_fill_the_sphere(self):
        with pytest.warns(UserWarning, match="fills the manifold"):
            result = affine_span_project("sphere", POINT[None], AXES)
        close(result.distance, 0.0)
        close(result.weights[0], [0.177676645244, 0.411161677378, 0.411161677378])
        H = np.einsum(
            "k,kij->ij", result.weights[0], Sphere(2).hess_half_sqdist(POINT, AXES)
        )
        close(np.linalg.eigvalsh(H), [0.816660721676, 0.87927895452])

    def test_hyperbolic_plane(self):
        references = [[1.0, 0.0, 0.0], [np.cosh(1.0), np.sinh(1.0), 0.0]]
        direction = np.array([np.cos(0.5), np.sin(0.5)])
        y = [[np.cosh(1.2), *(np.sinh(1.2) * direction)]]
        result = affine_span_project(Hyperboloid(2), y, references)
        close(result.distance, 0.671953468791)
        close(np.arcsinh(result.projection[0, 1]), 0.932162959831)
        close(result.weights[0], [0.067837040169, 0.932162959831])

    def test_matrices(self):
        y = np.array([[[3.0, 0.5], [0.5, 1.0]]])
        two = affine_span_project("spd", y, MATRICES[:2])
        close(two.weights[0], [0.318618535623, 0.681381464377])
        close(
            two.projection[0],
            [[1.556991715887, 0.556991715887], [0.556991715887, 1.556991715887]],
        )
        close(two.distance, 0.847875093152)
        three = affine_span_project("spd", y, MATRICES)
        # In 40 digits; the specification's own differ by 6e-12.
        close(
            three.weights[0], [0.690140731543786, 0.632194506084598, -0.322335237628384]
        )
        close(three.distance, 0.807982184489)
        close(
            barycenter("spd", MATRICES, [1.0, 1.0, 1.0]),
            [[1.178173923017, 0.07924283503], [0.07924283503, 1.480505310184]],
        )

    def test_triangles(self):
        X = triangles()
        result = affine_span_project("planar_shapes", X[2:], X[:2])
        close(result.weights[0], [1.971048005141, -0.971048005141])
        close(result.distance, 0.143890651778)

    def test_variance_of_a_mean_is_that_of_powers(self):
        X = np.stack([POINT, AXES[2]])
        d = np.array([np.arcsin(2.0 / 3.0), np.pi / 2.0])
        with pytest.warns(UserWarning, match="not unique"):
            value = unexplained_variance("sphere", X, AXES[:2], p=1.5)
        close(value, np.mean(d**1.5))
        value = unexplained_variance("sphere", X[:1], AXES[:2], sample_weight=[7.0])
        close(value, d[0] ** 2)


class TestEdges:
    """What section 5 of the specification asks for."""

    def test_one_reference_spans_itself_not_its_antipode(self):
        result = affine_span_project("sphere", -POINT[None] + 0.0, AXES[:1])
        close(result.distance, np.pi - np.arccos(1.0 / 3.0))
        close(result.weights, [[1.0]])

    def test_antipode_of_the_only_reference(self):
        with pytest.warns(UserWarning, match="not unique"):
            result = affine_span_project("sphere", -AXES[:1], AXES[:1])
        close(result.distance, np.pi)
        assert not result.converged[0]

    def test_orthogonal_to_the_span(self):
        with pytest.warns(UserWarning, match="1 of 2 projections"):
            result = affine_span_project("sphere", AXES[1:], AXES[:2])
        close(result.distance, [0.0, np.pi / 2.0])
        close(result.projection[1], AXES[0])
        close(result.weights[1], [1.0, 0.0])
        assert result.converged.tolist() == [True, False]

    def test_antipode_of_a_reference_in_the_span(self):
        with pytest.warns(UserWarning, match="cut locus"):
            result = affine_span_project("sphere", -AXES[:1], AXES[:2])
        close(result.distance, 0.0)
        assert not result.converged[0]

    def test_weights_at_infinity(self):
        c, d = np.cos(0.8), np.sin(0.8)
        references = np.array([[1.0, 0, 0, 0], [c, d, 0, 0], [c, 0, d, 0]])

        def point(s):
            side = -np.sin(s) / np.sqrt(2.0)
            return np.array([np.cos(s), side, side, 0.0])

        def total(s):
            a = np.linalg.solve(references[:, :3].T, point(s)[:3])
            angle = np.arccos(references @ point(s))
            return np.sum(a * np.sin(angle) / angle)

        x = point(brentq(total, 0.5, 2.5, xtol=1e-15))[None]
        with pytest.warns(UserWarning, match="at infinity"):
            result = affine_span_project("sphere", x, references)
        assert np.isnan(result.weights).all()
        close(result.distance, 0.0)
        close(result.projection, x)
        assert result.converged.all()
        assert np.isnan(barycentric_weights("sphere", x[0], references)).all()

    def test_more_references_than_dimensions(self):
        references = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
        with pytest.warns(UserWarning, match="fills the manifold"):
            result = affine_span_project("euclidean", [[0.5, 0.5]], references)
        close(result.weights, [[0.25, 0.25, 0.25, 0.25]])
        close(result.projection, [[0.5, 0.5]])
        close(result.distance, 0.0)

    @pytest.mark.parametrize("wrong", [[0, 0], [0, 1, 0], [0, 2, 1]])
    def test_dependent_references_are_named(self, wrong):
        line = np.array([[0.0, 0, 0], [1, 1, 1], [2, 2, 2]])
        with pytest.raises(ValueError, match=r"references\[0.*affinely dependent"):
            affine_span_project("euclidean", np.ones((1, 3)), line[wrong])

    def test_a_reference_on_the_geodesic_of_others(self):
        references = SPD(3).geodesic(np.eye(3), np.diag([1.0, 2.0, 3.0]), [0, 0.3, 1])
        with pytest.raises(ValueError, match="affinely dependent"):
            affine_span_project("spd", references[:1], references)

    def test_antipodal_references_are_named(self):
        references = [AXES[1], AXES[0], -AXES[1]]
        with pytest.raises(ValueError, match=r"references\[0\] and references\[2\]"):
            affine_span_project("sphere", AXES, references)

    def test_points_off_the_span_have_no_weights(self):
        with pytest.raises(ValueError, match="off the affine span"):
            barycentric_weights("sphere", POINT, AXES[:2])

    def test_bad_input(self):
        with pytest.raises(ValueError, match="NaN"):
            affine_span_project("sphere", [[np.nan, 0.0, 1.0]], AXES[:2])
        with pytest.raises(ValueError, match="not on Sphere"):
            affine_span_project("sphere", [[2.0, 0.0, 0.0]], AXES[:2])
        with pytest.raises(ValueError, match="references\\[1\\] is not on"):
            affine_span_project("sphere", AXES, [AXES[0], 2.0 * AXES[1]])
        with pytest.raises(ValueError, match="last axis must have length 2"):
            barycenter("sphere", AXES[:2], [1.0, 1.0, 1.0])
        with pytest.raises(ValueError, match="nonzero sum"):
            barycenter("sphere", AXES[:2], [1.0, -1.0])
        with pytest.raises(ValueError, match="p must be positive"):
            unexplained_variance("sphere", AXES, AXES[:2], p=0.0)
        with pytest.raises(ValueError, match="0 samples"):
            affine_span_project("sphere", np.empty((0, 3)), AXES[:2])

    def test_stalled_projections_are_flagged_once(self):
        # References almost at the cut locus of one another.
        shapes = PlanarShapes(5)
        X = shapes.random_normal(10, scale=0.6, random_state=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = affine_span_project(shapes, X[3:], X[:3])
        found = [w for w in caught if w.category is ConvergenceWarning]
        assert len(found) == (not result.converged.all())
        assert np.isfinite(result.distance).all()

    def test_inputs_stay(self):
        X, references = POINT[None].copy(), AXES[:2].copy()
        for a in (X, references):
            a.setflags(write=False)
        affine_span_project("sphere", X, references)
        affine_span_project("sphere", X, references, convex=True)
        barycenter("sphere", references, [1.0, 2.0])


class TestShapes:
    """Leading axes broadcast."""

    def test_points_and_weights(self):
        x = np.stack([POINT, AXES[0], AXES[2]])
        assert log_matrix("sphere", x[:, None], AXES[:2]).shape == (3, 1, 2, 2)
        weights = np.array([[[0.5, 0.5]], [[1.0, 0.0]]])
        points = barycenter("sphere", AXES[:2], weights)
        assert points.shape == (2, 1, 3)
        assert affine_span_index("sphere", points, AXES[:2], weights).shape == (2, 1)
        close(barycentric_weights("sphere", points, AXES[:2]), weights)

    def test_logarithms_at_a_cut_locus_are_nan(self):
        Z = log_matrix("sphere", np.stack([POINT, -AXES[0]]), AXES[:2])
        assert np.isfinite(Z[0]).all()
        assert np.isnan(Z[1]).all()

    def test_names_and_models_agree(self):
        ball = PoincareBall(3, curvature=-2.0)
        X = ball.random_normal(9, random_state=0)
        klein, hyperboloid = (
            KleinBall(3, curvature=-2.0),
            Hyperboloid(3, curvature=-2.0),
        )
        wanted = affine_span_project(ball, X[3:], X[:3])
        lifted = ball._lift(X)
        for model, points in ((hyperboloid, lifted), (klein, klein._lower(lifted))):
            result = affine_span_project(model, points[3:], points[:3])
            np.testing.assert_allclose(result.distance, wanted.distance, rtol=1e-9)
            np.testing.assert_allclose(result.weights, wanted.weights, rtol=1e-8)
        assert np.allclose(ball.dist(wanted.projection, X[3:]), wanted.distance)

    def test_flat_line(self):
        result = affine_span_project(Euclidean(1), [[5.0]], [[2.0]])
        close(result.distance, 3.0)
