"""What the estimator of barycentric subspaces refuses, and what it warns of."""

import warnings

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.exceptions import ConvergenceWarning

from geolearn.datasets import load_cities
from geolearn.decomposition import BarycentricSubspaceAnalysis
from geolearn.decomposition._bsa_distances import DistanceFrame
from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    Sphere,
    Stiefel,
    Torus,
)

BSA = BarycentricSubspaceAnalysis
CITIES = load_cities().data
D = Sphere(2).pairwise_distances(CITIES)
ROUND = {"manifold": "precomputed", "curvature": 1.0}


def raises(match, X, *, sample_weight=None, **options):
    with pytest.raises(ValueError, match=match):
        BSA(**options).fit(X, sample_weight=sample_weight)


# Samples.


@pytest.mark.parametrize("manifold", ["euclidean", "sphere"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(manifold, value):
    X = CITIES.copy()
    X[3, 1] = value
    raises("NaN or infinity.*X\\[3\\]", X, manifold=manifold)


def test_no_samples():
    raises("0 sample", np.empty((0, 3)))


@pytest.mark.parametrize(
    ("manifold", "X", "match"),
    [
        ("sphere", CITIES * (1.0 + 1e-5), "X\\[0\\] is not on Sphere\\(2\\)"),
        (
            "hyperboloid",
            CITIES + np.array([3.0, 0.0, 0.0]),
            "not on Hyperboloid\\(2\\)",
        ),
        ("spd", np.stack([np.eye(2), np.diag([1.0, -0.5])]), "eigenvalue.*-0.5"),
        ("planar_shapes", np.ones((5, 4, 2)), "PlanarShapes\\(4\\)"),
        ("spd", np.ones((5, 9)), "square matrices.*9 features"),
        (SPD(3), np.ones((5, 4)), "SPD\\(3\\)"),
        ("nowhere", CITIES, "Unknown manifold 'nowhere'"),
    ],
)
def test_points_off_the_manifold(manifold, X, match):
    raises(match, X, manifold=manifold)


def test_small_deviations_are_removed():
    model = BSA(1, manifold="sphere").fit(CITIES * (1.0 + 1e-7))
    np.testing.assert_allclose(np.linalg.norm(model.references_, axis=1), 1.0, 1e-15)


@pytest.mark.parametrize("manifold", ["euclidean", "sphere"])
def test_too_few_distinct_samples(manifold):
    X = np.repeat(CITIES[:2], 5, axis=0)
    raises(
        r"n_components=2 needs at least 3 distinct samples.*got 2 \(n_samples=10\)",
        X,
        manifold=manifold,
    )
    raises("at least 2 distinct", D[:1, :1], n_components=1, **ROUND)
    weight = np.r_[np.ones(2), np.zeros(48)]
    raises("positive weight", CITIES, manifold=manifold, sample_weight=weight)
    raises("positive weight", D, sample_weight=weight, **ROUND)
    assert BSA(0, manifold=manifold).fit(X[:3]).residuals_.max() == 0.0


@pytest.mark.parametrize("strategy", ["forward", "pure", "flag"])
def test_samples_of_a_line_hold_no_plane(strategy):
    X = np.linspace(0.0, 1.0, 9)[:, None] * [1.0, 2.0, 2.0]
    raises("lower n_components", X, strategy=strategy)
    distances = Euclidean(3).pairwise_distances(X)
    raises("lower n_components", distances, manifold="precomputed", strategy=strategy)


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (-np.ones(50), "non-negative"),
        (np.zeros(50), "zero for every sample"),
        (np.ones(3), "shape"),
        (np.full(50, np.nan), "finite"),
    ],
)
def test_weights(weight, match):
    raises(match, CITIES, sample_weight=weight)


# References.


@pytest.mark.parametrize(
    ("manifold", "references", "match"),
    [
        (
            "sphere",
            [[1.0, 0, 0], [-1.0, 0, 0]],
            "cut locus",
        ),
        ("sphere", np.eye(3)[[0, 1, 0]], "depend"),
        ("euclidean", [[0.0, 0, 0], [1.0, 1, 1], [2.0, 2, 2]], "depend"),
        ("sphere", [[2.0, 0, 0]], r"references\[0\] is not on"),
        ("sphere", np.ones((2, 4)), "references has shape"),
        ("sphere", [0, 50], r"references\[1\]=50"),
        ("sphere", [-1, 2], r"references\[0\]=-1"),
        ("sphere", [3, 3], "twice"),
    ],
)
def test_given_references(manifold, references, match):
    raises(match, CITIES, manifold=manifold, references=references)


def test_orthogonal_shapes_span_nothing():
    z = np.array([[1.0, 0.0], [-0.5, np.sqrt(0.75)], [-0.5, -np.sqrt(0.75)]])
    z /= np.linalg.norm(z)
    raises("cut", z[None], manifold="planar_shapes", references=[z, z * [1.0, -1.0]])


def test_samples_may_be_named():
    model = BSA(manifold="sphere", references=[4, 7]).fit(CITIES)
    np.testing.assert_array_equal(model.reference_indices_, [4, 7])
    np.testing.assert_allclose(model.residuals_[[4, 7]], 0.0, atol=1e-15)
    assert model.search_ == "given"
    by_distances = BSA(references=[4, 7], **ROUND).fit(D)
    np.testing.assert_allclose(by_distances.embedding_, model.embedding_, atol=1e-9)


# Parameters that contradict one another.


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"p": 0.0}, "p"),
        ({"p": -1.0}, "p"),
        ({"n_components": -1}, "n_components"),
        ({"n_components": 1.5}, "n_components"),
        ({"strategy": "sideways"}, "strategy"),
        ({"references": "all"}, "references"),
        ({"curvature": 1.0}, "curvature=1.0 is that of manifold='precomputed'"),
        ({"references": "free", "strategy": "forward_backward"}, "backward"),
        ({"references": "free", "convex": True}, "convex"),
        ({"references": "free", "n_components": 4}, "n_components=4"),
        ({"strategy": "backward", "n_components": 3}, "below the dimension 3"),
    ],
)
def test_parameters(options, match):
    raises(match, CITIES, **options)


def test_free_references_need_points():
    raises("looks for references among points", D, convex=True, **ROUND)
    raises("needs points", D, references="free", **ROUND)
    raises("indices of samples", D, references=np.eye(3), **ROUND)


def test_manifold_classes_are_no_manifolds():
    with pytest.raises(TypeError, match="Create an instance"):
        BSA(manifold=Sphere).fit(CITIES)


# Methods.


def test_inverse_transform_checks_weights():
    model = BSA(1, manifold="sphere").fit(CITIES)
    with pytest.raises(ValueError, match="3 columns, but there are 2 references"):
        model.inverse_transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match="sum"):
        model.inverse_transform([[1.0, -1.0]])
    with pytest.raises(ValueError, match="NaN"):
        model.inverse_transform([[1.0, np.nan]])


@pytest.mark.parametrize("method", ["transform", "distance", "reconstruct", "score"])
def test_new_samples_are_checked(method):
    model = BSA(1, manifold="sphere").fit(CITIES)
    call = getattr(model, method)
    with pytest.raises(ValueError, match="not on Sphere"):
        call(2.0 * CITIES)
    with pytest.raises(ValueError, match="features"):
        call(np.eye(4))
    bad = CITIES.copy()
    bad[0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        call(bad)


# Warnings: each once, with the number of samples.


def once(category, match, function, *arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(*arguments)
    assert len(caught) == 1, [str(w.message) for w in caught]
    assert caught[0].category is category
    assert match in str(caught[0].message)
    return result


def test_antipodes_of_a_single_reference():
    X = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    model = BSA(manifold="sphere", references=X[:1])
    once(UserWarning, "1 of 3 projections are not unique", model.fit, X)
    np.testing.assert_allclose(model.residuals_, [0.0, np.pi, np.pi / 2.0])
    np.testing.assert_array_equal(model.converged_, [True, False, True])
    np.testing.assert_array_equal(model.embedding_, np.ones((3, 1)))


def test_samples_orthogonal_to_the_span():
    X = np.eye(4)
    model = BSA(manifold="sphere", references=X[:2])
    once(UserWarning, "2 of 4 projections are not unique", model.fit, X)
    np.testing.assert_allclose(model.residuals_[2:], np.pi / 2.0)
    np.testing.assert_allclose(model.embedding_[2:], [[1.0, 0.0]] * 2, atol=1e-12)
    assert not model.converged_[2:].any()


def test_projections_on_the_cut_locus_of_a_reference():
    def at(angle):
        return [np.cos(angle), np.sin(angle), 0.0]

    model = BSA(manifold="sphere", references=[at(0.0), at(1.0)])
    X = np.array([at(0.0), at(1.0), at(np.pi + 1e-10)])
    once(UserWarning, "1 of 3", model.fit, X)
    np.testing.assert_allclose(model.embedding_[2], [0.0, 1.0], atol=1e-9)
    np.testing.assert_array_equal(model.converged_, [True, True, False])


def test_weights_at_infinity():
    def point(s):
        return np.array([np.cos(s), *[np.sin(s) / np.sqrt(2.0)] * 2, 0.0])

    def total(s):  # of a_i sn(theta_i) / theta_i
        return np.sum(point(s)[:3] * np.sinc(np.arccos(point(s)[:3]) / np.pi))

    y = point(brentq(total, 5.0, 6.2, xtol=1e-15))[None]
    model = BSA(manifold="sphere", references=np.eye(4)[:3])
    once(UserWarning, "1 of 1 projections lie at infinity", model.fit, y)
    assert np.isnan(model.embedding_).all()
    assert model.hessian_index_[0] == -1
    reconstructed = once(UserWarning, "at infinity", model.reconstruct, y)
    np.testing.assert_allclose(reconstructed, y, atol=1e-12)
    assert once(UserWarning, "at infinity", model.distance, y)[0] < 1e-12


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("strategy", ["forward", "pure", "flag"])
def test_the_subspace_may_fill_the_manifold(k, strategy):
    model = BSA(k, manifold="sphere", strategy=strategy, search="greedy")
    once(UserWarning, "fills the manifold", model.fit, CITIES)
    np.testing.assert_allclose(model.residuals_, 0.0, atol=1e-12)
    np.testing.assert_allclose(model.unexplained_variance_[2:], 0.0, atol=1e-24)
    np.testing.assert_allclose(model.embedding_.sum(axis=1), 1.0, rtol=1e-10)
    np.testing.assert_allclose(model.reconstruct(CITIES), CITIES, atol=1e-12)


def test_projections_that_do_not_converge():
    X = SPD(3).random_normal(20, scale=1.0, random_state=0)
    model = BSA(manifold="spd", references=X[:3], max_iter=1)
    once(ConvergenceWarning, "projections did not converge", model.fit, X)
    assert not model.converged_.all()
    assert np.isfinite(model.residuals_).all()


# Manifolds without a Hessian.


def test_manifolds_without_a_hessian():
    manifold = Stiefel(4, 2)
    assert not manifold.has_hessian
    X = np.asarray(manifold.random_normal(8, scale=0.2, random_state=0))
    model = BSA(1, manifold=manifold).fit(X)
    assert model.hessian_index_ is None
    assert model.converged_.all()
    assert (model.distance(X) <= manifold.dist(X, model.references_[0]) + 1e-9).all()


def test_the_torus_has_spans():
    X = np.asarray(Torus(3).random_normal(12, scale=0.3, random_state=0))
    model = BSA(1, manifold="torus").fit(X)
    flat = BSA(1).fit(X)
    np.testing.assert_array_equal(model.reference_indices_, flat.reference_indices_)
    np.testing.assert_allclose(model.residuals_, flat.residuals_, atol=1e-8)


# Distances instead of points.


@pytest.mark.parametrize(
    "manifold",
    [Sphere(3), Sphere(3, radius=2.0), Hyperboloid(3, curvature=-0.5), Euclidean(3)],
    ids=str,
)
@pytest.mark.parametrize("k", [0, 1, 2])
@pytest.mark.parametrize("strategy", ["forward", "flag"])
def test_distances_do_instead_of_points(manifold, k, strategy):
    X = np.asarray(manifold.random_normal(30, scale=0.6, random_state=0))
    train, new = X[:20], X[20:]
    options = {"n_components": k, "strategy": strategy, "p": 1.5}
    points = BSA(manifold=manifold, **options).fit(train)
    curvature = manifold.sectional_curvature_bounds[0]
    given = BSA(manifold="precomputed", curvature=curvature, **options)
    given.fit(manifold.pairwise_distances(train))
    np.testing.assert_array_equal(given.reference_indices_, points.reference_indices_)
    for name in ("embedding_", "residuals_", "unexplained_variance_"):
        np.testing.assert_allclose(
            getattr(given, name), getattr(points, name), rtol=1e-6, atol=1e-7
        )
    np.testing.assert_array_equal(given.hessian_index_ > 0, points.hessian_index_ > 0)
    between = manifold.pairwise_distances(new, train)
    for method in ("transform", "distance", "score_samples"):
        np.testing.assert_allclose(
            getattr(given, method)(between),
            getattr(points, method)(new),
            rtol=1e-6,
            atol=1e-7,
        )
    assert given.references_ is None


def test_distances_know_no_points():
    model = BSA(1, **ROUND).fit(D)
    assert not hasattr(model, "inverse_transform")
    assert not hasattr(model, "reconstruct")
    with pytest.raises(AttributeError, match="reconstruct"):
        model.reconstruct(D)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda D: D[:10], "square"),
        (lambda D: D + np.eye(50), "from itself is 0"),
        (lambda D: D + np.triu(np.ones((50, 50)), 1), "symmetric"),
        (lambda D: -D, "[Nn]egative"),
        (lambda D: 2.0 * D, "at most 3.14159"),
        (lambda D: np.where(D.max() == D, np.nan, D), "NaN"),
        (lambda D: np.where(D.max() == D, np.inf, D), "infinity"),
    ],
)
def test_bad_distances(change, match):
    raises(match, change(D), n_components=1, **ROUND)


def test_new_distances_are_checked():
    model = BSA(1, **ROUND).fit(D)
    with pytest.raises(ValueError, match="features"):
        model.transform(D[:3, :10])
    with pytest.raises(ValueError, match="at most"):
        model.transform(2.0 * D)


def test_distances_that_no_space_has():
    model = BSA(1, manifold="precomputed")
    once(UserWarning, "of 50 samples have distances from the ref", model.fit, D**2)
    assert np.isfinite(model.embedding_).all()
    assert np.isfinite(model.residuals_).all()


@pytest.mark.parametrize("curvature", [1.0, 0.25, 0.0, -2.0])
def test_frames_keep_distances(curvature):
    manifold = Euclidean(4)
    if curvature != 0.0:
        manifold = Hyperboloid(4, curvature=min(curvature, -1.0))
    if curvature > 0.0:
        manifold = Sphere(4, radius=curvature**-0.5)
    X = np.asarray(manifold.random_normal(12, scale=0.5, random_state=0))
    distances = manifold.pairwise_distances(X)
    frame = DistanceFrame(distances[:3, :3], curvature)
    points, possible = frame.place(distances[:, :3])
    assert possible.all()
    np.testing.assert_allclose(
        frame.manifold.pairwise_distances(points, frame.references),
        distances[:, :3],
        atol=1e-7,
    )
    np.testing.assert_allclose(points[:3], frame.references, atol=1e-7)
    assert frame.manifold.belongs(points).all()
