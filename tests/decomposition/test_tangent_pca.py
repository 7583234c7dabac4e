"""Principal components of tangent vectors, and exact principal geodesics."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.utils import get_tags

from geolearn.decomposition import PrincipalGeodesicAnalysis, TangentPCA
from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    PlanarShapes,
    PoincareBall,
    Sphere,
    hyperboloid_to_poincare,
)
from tests.decomposition.test_bsa_free import six_points

EVERY_MANIFOLD = [
    Euclidean(4),
    Sphere(3, radius=2.0),
    Hyperboloid(3, curvature=-0.5),
    PoincareBall(3),
    SPD(3),
    SPD(3, metric="log-euclidean"),
    SPD(3, metric="log-cholesky"),
    PlanarShapes(5),
]
CURVED_ALIKE = [*EVERY_MANIFOLD[:4], *EVERY_MANIFOLD[5:7]]


def cloud(manifold, n=40, scale=0.4, seed=0):
    """Return points of unequal spread in the directions of a frame."""
    rng = np.random.default_rng(seed)
    w = scale * rng.normal(size=(n, manifold.dim)) * 0.8 ** np.arange(manifold.dim)
    if isinstance(manifold, PlanarShapes):
        w *= 0.4  # within the ball in which the mean is certainly unique
    return manifold.exp_vector(manifold.origin, w)


def numbers(model):
    """Return the fitted arrays."""
    return {k: v for k, v in vars(model).items() if isinstance(v, np.ndarray)}


@pytest.mark.parametrize("n_components", [None, 2, 0.8])
@pytest.mark.parametrize("n", [3, 30])
def test_flat_tangent_pca_is_pca(n_components, n):
    X = np.random.default_rng(0).normal(size=(n, 4)) * [3.0, 2.0, 1.0, 0.5] + 5.0
    ours = TangentPCA(n_components).fit(X)
    theirs = PCA(n_components, svd_solver="full").fit(X)
    assert ours.n_components_ == theirs.n_components_
    real = theirs.singular_values_ > 1e-8  # n centred samples have rank n - 1
    for name in ("explained_variance_", "explained_variance_ratio_", "mean_"):
        a, b = getattr(ours, name), getattr(theirs, name)
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(
        ours.singular_values_, theirs.singular_values_, atol=1e-12
    )
    np.testing.assert_allclose(
        ours.components_[real], theirs.components_[real], atol=1e-12
    )
    scores = ours.transform(X)
    np.testing.assert_allclose(
        scores[:, real], theirs.transform(X)[:, real], atol=1e-12
    )
    np.testing.assert_allclose(
        ours.inverse_transform(scores), theirs.inverse_transform(scores), atol=1e-10
    )


@pytest.mark.parametrize("manifold", EVERY_MANIFOLD, ids=repr)
def test_all_components_give_samples_back(manifold):
    X = cloud(manifold)
    model = TangentPCA(manifold=manifold).fit(X)
    scores = model.transform(X)
    distances = manifold.dist(model.mean_, X)
    np.testing.assert_allclose(np.linalg.norm(scores, axis=1), distances, rtol=1e-7)
    assert np.max(manifold.dist(model.reconstruct(X), X)) < 1e-7
    assert model.score(X) > -1e-13
    variance = np.mean(scores**2, axis=0) * len(X) / (len(X) - 1)
    np.testing.assert_allclose(model.explained_variance_, variance, rtol=1e-9)
    assert np.all(np.diff(variance) < 1e-12)
    inner = manifold.inner(
        model.mean_, model.components_[:, None], model.components_[None]
    )
    np.testing.assert_allclose(inner, np.eye(manifold.dim), atol=1e-12)


@pytest.mark.parametrize("kind", [TangentPCA, PrincipalGeodesicAnalysis])
@pytest.mark.parametrize("manifold", CURVED_ALIKE, ids=repr)
def test_points_of_the_subspace_stay(kind, manifold):
    X = cloud(manifold)
    model = kind(2, manifold=manifold).fit(X)
    scores = model.transform(X)
    np.testing.assert_array_equal(clone(model).fit_transform(X), scores)
    inside = model.reconstruct(X)
    np.testing.assert_allclose(model.transform(inside), scores, atol=1e-11)
    np.testing.assert_allclose(model.inverse_transform(scores), inside, atol=1e-12)
    np.testing.assert_allclose(
        model.score_samples(X), -(manifold.dist(inside, X) ** 2), rtol=1e-12
    )
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(X), scores)


@pytest.mark.parametrize("kind", [TangentPCA, PrincipalGeodesicAnalysis])
@pytest.mark.parametrize("manifold", CURVED_ALIKE, ids=repr)
def test_weights_count_samples(kind, manifold):
    X = cloud(manifold, n=12)
    weight = np.array([1, 2, 3] * 3 + [0, 0, 2])
    # Draws of the starts depend on the number of samples.
    model = kind(2, manifold=manifold).fit(X, sample_weight=weight)
    many = kind(2, manifold=manifold).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(model.transform(X), many.transform(X), atol=1e-7)
    np.testing.assert_allclose(
        model.explained_variance_ratio_, many.explained_variance_ratio_, rtol=1e-7
    )


@pytest.mark.parametrize("manifold", CURVED_ALIKE, ids=repr)
def test_exact_residuals_are_those_of_projections(manifold):
    X = cloud(manifold, scale=0.8)
    model = PrincipalGeodesicAnalysis(2, manifold=manifold).fit(X)
    left = -model.score(X)
    np.testing.assert_allclose(model.unexplained_variance_[-1], left, rtol=1e-9)
    tangent = TangentPCA(2, manifold=manifold, tol=1e-12).fit(X)
    assert left <= -tangent.score(X) * (1.0 + 1e-9)
    # No other coordinates give a nearer point.
    scores = model.transform(X)
    for shift in 1e-4 * np.concatenate([np.eye(2), -np.eye(2)]):
        moved = manifold.dist(model.inverse_transform(scores + shift), X) ** 2
        assert np.all(moved >= -model.score_samples(X) - 1e-13)


def test_one_component_scores_are_signed_lengths():
    X = cloud(Sphere(3), scale=0.8)
    model = PrincipalGeodesicAnalysis(1, manifold="sphere").fit(X)
    lengths = Sphere(3).dist(model.mean_, model.reconstruct(X))
    np.testing.assert_allclose(np.abs(model.transform(X)[:, 0]), lengths, atol=1e-14)


def test_six_points():
    X = six_points()
    pga = PrincipalGeodesicAnalysis(1, manifold="sphere").fit(X)
    np.testing.assert_allclose(
        pga.unexplained_variance_, [0.436263309389, 0.081924923952], atol=6e-13
    )
    # What the tangent space leaves; its great circle leaves 0.081988 on the sphere.
    tangent = TangentPCA(manifold="sphere", tol=1e-13).fit(X)
    left = tangent.explained_variance_[1] * 5 / 6
    assert abs(left - 0.086481079281) < 6e-13
    normal = np.cross(tangent.mean_, tangent.components_[0])
    assert abs(np.mean(np.arcsin(X @ normal) ** 2) - 0.0819882066922) < 6e-13


def test_models_of_hyperbolic_space_agree():
    X = cloud(Hyperboloid(3), scale=1.0)
    ball = hyperboloid_to_poincare(X)
    for kind in (TangentPCA, PrincipalGeodesicAnalysis):
        a = kind(2, manifold="hyperboloid").fit(X)
        b = kind(2, manifold="poincare").fit(ball)
        np.testing.assert_allclose(
            np.abs(a.transform(X)), np.abs(b.transform(ball)), atol=1e-7
        )
        np.testing.assert_allclose(
            a.explained_variance_, b.explained_variance_, rtol=1e-8
        )


@pytest.mark.parametrize(
    "estimator",
    [
        TangentPCA(2, manifold="spd"),
        TangentPCA(2, manifold=PlanarShapes(5)),
        PrincipalGeodesicAnalysis(2, manifold=SPD(3, metric="log-euclidean")),
    ],
    ids=repr,
)
def test_samples_with_two_axes(estimator):
    manifold = estimator.manifold
    X = cloud(SPD(3) if isinstance(manifold, str) else manifold)
    expected = clone(estimator).fit_transform(X)
    tags = get_tags(estimator).input_tags
    assert tags.three_d_array
    assert not tags.two_d_array
    X.setflags(write=False)
    model = clone(estimator).fit(X)
    np.testing.assert_array_equal(model.transform(X), expected)
    np.testing.assert_allclose(model.transform(X[::-1])[::-1], expected, atol=1e-13)
    np.testing.assert_allclose(model.transform(X[3:5]), expected[3:5], atol=1e-13)
    prefix = type(estimator).__name__.lower()
    assert list(model.get_feature_names_out()) == [f"{prefix}0", f"{prefix}1"]
    assert model.n_features_in_ == X.shape[1]
    assert model.inverse_transform(expected).shape == X.shape
    pytest.importorskip("pandas")
    table = clone(estimator).set_output(transform="pandas").fit_transform(X)
    np.testing.assert_array_equal(table.to_numpy(), expected)
    with sklearn.config_context(transform_output="pandas"):
        scores = cross_val_score(clone(estimator), X, cv=3, error_score="raise")
    assert np.all(scores < 0.0)
    with pytest.raises(NotFittedError):
        clone(estimator).transform(X)
    with pytest.raises(ValueError, match="columns, but there are 2 components"):
        model.inverse_transform(expected[:, :1])
    bad = X.copy()
    bad[4, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"X\[4\]"):
        clone(estimator).fit(bad)
    with pytest.raises(ValueError, match="sample_weight"):
        clone(estimator).fit(X, sample_weight=np.zeros(len(X)))


@pytest.mark.parametrize("manifold", EVERY_MANIFOLD[4:], ids=repr)
def test_flattened_matrices(manifold):
    X = cloud(manifold)
    rows = X.reshape(len(X), -1)
    a = TangentPCA(2, manifold=manifold).fit(X)
    b = TangentPCA(2, manifold=manifold).fit(rows)
    np.testing.assert_array_equal(a.transform(X), b.transform(rows))
    assert a.reconstruct(X).shape == X.shape
    assert b.reconstruct(rows).shape == rows.shape


def test_manifolds_without_closed_form_are_refused():
    X = cloud(SPD(3))
    with pytest.raises(ValueError, match="use TangentPCA"):
        PrincipalGeodesicAnalysis(manifold="spd").fit(X)


def test_too_many_components():
    X = cloud(Sphere(3))
    with pytest.raises(ValueError, match="n_components=4 must be at most"):
        TangentPCA(4, manifold="sphere").fit(X)
    with pytest.raises(ValueError, match="n_components=4 must be at most"):
        PrincipalGeodesicAnalysis(4, manifold="sphere").fit(X)


def test_equal_samples_leave_nothing():
    X = np.tile(Sphere(2).origin, (5, 1))
    for kind in (TangentPCA, PrincipalGeodesicAnalysis):
        model = kind(2, manifold="sphere").fit(X)
        np.testing.assert_allclose(model.explained_variance_ratio_, 0.0)
        assert np.isfinite(model.components_).all()
        np.testing.assert_allclose(model.transform(X), 0.0, atol=1e-15)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_units(scale):
    X = np.random.default_rng(0).normal(size=(20, 3)) * [3.0, 2.0, 1.0]
    for kind in (TangentPCA, PrincipalGeodesicAnalysis):
        a, b = kind(2).fit(X), kind(2).fit(scale * X)
        np.testing.assert_allclose(
            b.transform(scale * X), scale * a.transform(X), rtol=1e-9
        )


def test_orthogonal_samples_have_scores_zero():
    t = np.linspace(-0.5, 0.5, 11)
    X = np.column_stack([np.cos(t), np.sin(t), 0.0 * t])
    model = PrincipalGeodesicAnalysis(1, manifold="sphere").fit(X)
    assert np.all(model.transform([[0.0, 0.0, 1.0]]) == 0.0)
