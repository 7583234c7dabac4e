"""scikit-learn's conventions for barycentric subspaces, beyond tests/test_common.py.

Matrices and distances come to the common checks in
disguise; here are our own versions of what the checks do not do with them.
"""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from geolearn.datasets import load_cities
from geolearn.decomposition import BarycentricSubspaceAnalysis
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, PlanarShapes, Sphere
from tests.covariance.common import disguise, make_matrices

BSA = BarycentricSubspaceAnalysis
SPACES = {
    "euclidean": (Euclidean(3), 2),
    "sphere": (Sphere(3, radius=2.0), 2),
    "hyperboloid": (Hyperboloid(2, curvature=-0.5), 1),
    "spd": (SPD(2), 1),
    "log-euclidean": (SPD(2, metric="log-euclidean"), 1),
    "planar_shapes": (PlanarShapes(4), 1),
}
every_space = pytest.mark.parametrize("name", SPACES)


class ByDistances(BarycentricSubspaceAnalysis):
    """Tell scikit-learn's checks, which look at `metric`, to pass distances."""

    metric = "precomputed"


def make_points(name, n=14, seed=0):
    """Return a manifold, points on it and a number of components."""
    manifold, k = SPACES[name]
    X = manifold.random_normal(n, scale=0.4, random_state=seed)
    return manifold, np.asarray(X), k


def fitted(name, **options):
    manifold, X, k = make_points(name)
    return BSA(k, manifold=manifold, **options).fit(X), X


@pytest.mark.filterwarnings("ignore:The subspace fills the manifold:UserWarning")
@parametrize_with_checks(
    [
        ByDistances(n_components=1, manifold="precomputed"),
        ByDistances(n_components=1, manifold="precomputed", curvature=-1.0),
        disguise(
            BSA(n_components=1, manifold="spd", search="greedy", n_screen=1),
            kind="matrices",
        ),
    ]
)
def test_disguised_estimator(estimator, check):
    matrices = estimator.manifold == "spd"
    if matrices and "sample_weight_equivalence" in check.func.__name__:
        pytest.skip("lifts to matrices of order 30; test_bsa.py weighs small ones")
    check(estimator)


@pytest.mark.parametrize(
    ("manifold", "matrices", "pairwise"),
    [
        ("sphere", False, False),
        ("spd", True, False),
        ("planar_shapes", True, False),
        (SPD(3), True, False),
        (Sphere(3), False, False),
        ("precomputed", False, True),
    ],
    ids=str,
)
def test_tags_follow_the_manifold(manifold, matrices, pairwise):
    tags = sklearn.utils.get_tags(BSA(manifold=manifold))
    assert tags.input_tags.three_d_array == matrices
    assert tags.input_tags.two_d_array == (not matrices)
    assert tags.input_tags.pairwise == pairwise
    assert not tags.target_tags.required
    assert not tags.non_deterministic


@every_space
def test_clones_and_pickles_answer_alike(name):
    model, X = fitted(name)
    for other in (clone(model).fit(X), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.transform(X), model.transform(X))
        np.testing.assert_array_equal(other.distance(X), model.distance(X))


@every_space
def test_fit_transform_is_transform(name):
    model, X = fitted(name)
    np.testing.assert_array_equal(clone(model).fit_transform(X), model.embedding_)
    np.testing.assert_allclose(model.transform(X), model.embedding_, atol=1e-9)
    np.testing.assert_allclose(model.distance(X), model.residuals_, atol=1e-9)
    np.testing.assert_allclose(model.embedding_.sum(axis=1), 1.0, rtol=1e-12)


@every_space
def test_a_sample_does_not_depend_on_the_others(name):
    model, X = fitted(name)
    every = np.random.default_rng(0).permutation(len(X))[:6]
    for method in (model.transform, model.distance, model.reconstruct):
        np.testing.assert_allclose(
            method(X[every]), method(X)[every], rtol=1e-8, atol=1e-9
        )


@every_space
@pytest.mark.parametrize("strategy", ["forward", "flag", "pure"])
def test_the_bits_do_not_depend_on_threads(name, strategy):
    manifold, X, k = make_points(name, n=9)
    one, two = (
        BSA(k, manifold=manifold, strategy=strategy, n_jobs=n).fit(X) for n in (1, 2)
    )
    np.testing.assert_array_equal(one.reference_indices_, two.reference_indices_)
    np.testing.assert_array_equal(one.embedding_, two.embedding_)
    np.testing.assert_array_equal(one.unexplained_variance_, two.unexplained_variance_)


@every_space
def test_the_order_of_samples_does_not_matter(name):
    model, X = fitted(name)
    order = np.random.default_rng(1).permutation(len(X))
    other = clone(model).fit(X[order])
    np.testing.assert_array_equal(
        order[other.reference_indices_], model.reference_indices_
    )
    np.testing.assert_allclose(
        other.unexplained_variance_, model.unexplained_variance_, rtol=1e-8, atol=1e-15
    )


@every_space
def test_read_only_and_single_precision(name):
    manifold, X, k = make_points(name)
    X.setflags(write=False)
    before = X.copy()
    model = BSA(k, manifold=manifold).fit(X)
    model.transform(X)
    np.testing.assert_array_equal(X, before)
    single = X.astype(np.float32)
    other = clone(model).set_params(references=model.reference_indices_).fit(single)
    assert other.embedding_.dtype == np.float64
    np.testing.assert_allclose(other.distance(single), model.distance(X), atol=2e-5)


@every_space
def test_flattened_rows(name):
    model, X = fitted(name)
    rows = X.reshape(len(X), -1)
    other = clone(model).fit(rows)
    assert other.n_features_in_ == rows.shape[1]
    assert other.references_.shape[1:] == X.shape[1:]
    np.testing.assert_array_equal(other.transform(rows), model.transform(X))
    assert other.reconstruct(rows).shape == rows.shape
    assert other.inverse_transform(other.embedding_).shape == rows.shape
    assert model.inverse_transform(model.embedding_).shape == X.shape


@every_space
@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_containers(name, container):
    pytest.importorskip(container)
    model, X = fitted(name)
    with sklearn.config_context(transform_output=container):
        again = clone(model).fit(X)
        frames = [again.transform(X), clone(model).fit_transform(X)]
        back = again.inverse_transform(frames[0])
    names = [f"barycentricsubspaceanalysis{i}" for i in range(len(model.references_))]
    for frame in frames:
        assert list(frame.columns) == names
        np.testing.assert_allclose(np.asarray(frame), model.embedding_, atol=1e-9)
    assert isinstance(back, np.ndarray)


def test_names_of_features():
    pandas = pytest.importorskip("pandas")
    _, X, _ = make_points("euclidean")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    model = BSA(1).fit(frame)
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    assert list(model.get_feature_names_out()) == [
        "barycentricsubspaceanalysis0",
        "barycentricsubspaceanalysis1",
    ]
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame.rename(columns={"a": "z"}))


@pytest.mark.parametrize("method", ["transform", "distance", "reconstruct", "score"])
def test_methods_before_fit(method):
    with pytest.raises(NotFittedError):
        getattr(BSA(), method)(np.eye(3))


def test_metadata_is_routed():
    _, X, k = make_points("euclidean", n=30)
    weight = np.random.default_rng(0).uniform(size=30) ** 4
    expected = BSA(k).fit(X, sample_weight=weight)
    assert list(expected.reference_indices_) != list(BSA(k).fit(X).reference_indices_)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = BSA(k).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(FunctionTransformer(), routed)
        pipeline.fit(X, sample_weight=weight)
    np.testing.assert_array_equal(pipeline[-1].embedding_, expected.embedding_)


def test_coordinates_of_matrices_classify():
    X, y = make_matrices(n_samples=40, n=3, seed=1)
    model = make_pipeline(BSA(1, manifold="spd"), LogisticRegression())
    assert cross_val_score(model, X, y, cv=4).mean() > 0.7


def test_search_over_components_and_manifolds():
    X = SPD(2).random_normal(24, scale=0.3, random_state=0)
    grid = {
        "manifold": [SPD(2), SPD(2, metric="log-euclidean")],
        "n_components": [0, 1, 2],
    }
    search = GridSearchCV(BSA(), grid, cv=3, error_score="raise").fit(X)
    assert search.best_params_["n_components"] == 2
    scores = search.cv_results_["mean_test_score"].reshape(2, 3)
    assert (np.diff(scores, axis=1) > 0.0).all()
    assert isinstance(search.best_estimator_, BSA)


def test_search_over_given_distances():
    X = load_cities().data
    D = Sphere(2).pairwise_distances(X)
    grid = {"n_components": [0, 1]}
    model = BSA(manifold="precomputed", curvature=1.0)
    by_distances = GridSearchCV(model, grid, cv=4).fit(D)
    by_points = GridSearchCV(BSA(manifold="sphere"), grid, cv=4).fit(X)
    np.testing.assert_allclose(
        by_distances.cv_results_["mean_test_score"],
        by_points.cv_results_["mean_test_score"],
        rtol=1e-10,
    )


@pytest.mark.parametrize("name", sorted(BSA().get_params()))
def test_parameters_are_validated(name):
    with pytest.raises((ValueError, TypeError), match=name):
        BSA(1).set_params(**{name: object()}).fit(np.eye(4))


def test_progress_is_logged(caplog):
    with caplog.at_level("INFO", logger="geolearn"):
        BSA(1).fit(np.eye(4))
        assert not caplog.records
        BSA(1, verbose=1).fit(np.eye(4))
    assert any("references" in r.getMessage() for r in caplog.records)
