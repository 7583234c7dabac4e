"""Manifolds are values: compared, hashed, copied, printed, cloned, grid-searched."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from geolearn import manifolds
from geolearn.manifolds import (
    Euclidean,
    Hyperboloid,
    Manifold,
    PoincareBall,
    ProductManifold,
    Sphere,
    Torus,
    get_manifold,
)

VALUES = {
    "Euclidean(3)": Euclidean(3),
    "Sphere(2)": Sphere(2),
    "Sphere(2, radius=2.5)": Sphere(np.int64(2), np.float64(2.5)),
    "Hyperboloid(2)": Hyperboloid(2),
    "Hyperboloid(2, curvature=-2.0)": Hyperboloid(2, curvature=-2),
    "PoincareBall(4, curvature=-0.5)": PoincareBall(4, curvature=-0.5),
    "Torus(1)": Torus(1),
    "ProductManifold((Sphere(2), Torus(1)))": ProductManifold([Sphere(2), Torus(1)]),
    "ProductManifold((Sphere(2),), scales=(2.0,))": ProductManifold(
        (Sphere(2),), scales=[2]
    ),
}


class Logs(TransformerMixin, BaseEstimator):
    """Map points to their logarithms at the mean."""

    def __init__(self, manifold=None):
        self.manifold = manifold

    def fit(self, X, y=None):
        manifold = get_manifold(self.manifold, X.shape[1])
        self.mean_ = manifold.frechet_mean(manifold.project(X))
        return self

    def transform(self, X):
        manifold = get_manifold(self.manifold, X.shape[1])
        return manifold.log(self.mean_, manifold.project(X))


@pytest.mark.parametrize("text", VALUES)
def test_repr_evaluates_to_an_equal_object(text):
    value = VALUES[text]
    assert repr(value) == text
    again = eval(text, vars(manifolds))
    assert again == value
    assert hash(again) == hash(value)


@pytest.mark.parametrize("value", VALUES.values(), ids=repr)
def test_copies_are_equal(value):
    for same in (copy.copy(value), copy.deepcopy(value)):
        assert same == value
    restored = pickle.loads(pickle.dumps(value))
    assert restored == value
    x = value.random_point(3, random_state=0)
    assert np.array_equal(restored.log(x[0], x[1:]), value.log(x[0], x[1:]))
    assert type(value)(**value.get_params()) == value


def test_all_values_differ():
    assert len(set(VALUES.values())) == len(VALUES)
    assert Sphere(2) == Sphere(2, radius=1)
    assert Sphere(2) != Sphere(3)
    assert Hyperboloid(2) != PoincareBall(2)
    assert Sphere(2) != "Sphere(2)"
    assert ProductManifold([Sphere(2)]) == ProductManifold((Sphere(2),))


def test_objects_cannot_be_changed():
    sphere = Sphere(2)
    with pytest.raises(AttributeError, match="immutable"):
        sphere.radius = 2.0
    with pytest.raises(AttributeError, match="immutable"):
        del sphere.radius
    with pytest.raises(TypeError, match=r"Replace the whole object"):
        sphere.set_params(radius=2.0)
    with pytest.raises(TypeError, match="cannot set size"):
        sphere.set_params(size=2.0)
    assert sphere.set_params(**sphere.get_params()) is sphere
    assert sphere == Sphere(2)


def test_arrays_as_parameters_compare_by_value():
    class Ellipsoid(Sphere):
        def __init__(self, dim, axes):
            super().__init__(dim)
            self.axes = axes

    one, two = (Ellipsoid(2, np.array([1.0, 2.0, 3.0])) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != Ellipsoid(2, np.array([1.0, 2.0, 4.0]))


def test_estimators_holding_a_manifold_can_be_cloned():
    estimator = Logs(Sphere(2, radius=2.0))
    copied = clone(estimator)
    assert copied.manifold == estimator.manifold
    assert copied.get_params()["manifold__radius"] == 2.0
    assert copied.set_params(**copied.get_params()).manifold == Sphere(2, radius=2.0)
    product = Logs(ProductManifold([Sphere(2), Torus(1)]))
    assert clone(product).manifold == product.manifold
    assert "Sphere(2, radius=2.0)" in repr(estimator)
    assert pickle.loads(pickle.dumps(estimator)).manifold == estimator.manifold


def test_grid_search_over_manifolds():
    X = Sphere(2).random_normal(40, scale=0.3, random_state=0)
    y = (X[:, 1] > 0).astype(int)
    search = GridSearchCV(
        make_pipeline(Logs("euclidean"), LogisticRegression()),
        {"logs__manifold": ["euclidean", Sphere(2), Sphere(2, radius=2.0)]},
        cv=3,
        error_score="raise",
    ).fit(X, y)
    assert search.best_score_ > 0.9
    assert len(search.cv_results_["params"]) == 3


@pytest.mark.parametrize(
    ("name", "n_features", "expected"),
    [
        ("euclidean", 3, Euclidean(3)),
        ("sphere", 3, Sphere(2)),
        ("hyperboloid", 3, Hyperboloid(2)),
        ("poincare", 3, PoincareBall(3)),
        ("torus", 3, Torus(3)),
        (Sphere(2, radius=2.0), 3, Sphere(2, radius=2.0)),
    ],
)
def test_get_manifold(name, n_features, expected):
    assert get_manifold(name, n_features) == expected
    assert get_manifold(name, n_features).point_shape == (n_features,)


def test_get_manifold_refuses():
    with pytest.raises(ValueError, match=r"Unknown manifold 'globe'; known names are"):
        get_manifold("globe", 3)
    with pytest.raises(ValueError, match=r"point_shape \(3,\), but the data have 4"):
        get_manifold(Sphere(2), 4)
    with pytest.raises(ValueError, match="at least 2 coordinates"):
        get_manifold("sphere", 1)
    with pytest.raises(TypeError, match=r"Create an instance first, e\.g\. Sphere"):
        get_manifold(Sphere, 3)
    with pytest.raises(TypeError, match="a name or a Manifold instance, got None"):
        get_manifold(None, 3)
    with pytest.raises(ValueError, match="n_features must be at least 1"):
        get_manifold("euclidean", 0)


@pytest.mark.parametrize(
    ("create", "error", "message"),
    [
        (lambda: Sphere(0), ValueError, "dim must be at least 1"),
        (lambda: Sphere(2.0), TypeError, "dim must be an integer"),
        (lambda: Torus(True), TypeError, "dim must be an integer"),
        (lambda: Sphere(2, radius=0.0), ValueError, "radius must be positive"),
        (lambda: Sphere(2, radius=np.inf), ValueError, "radius must be positive"),
        (lambda: Sphere(2, radius="1"), TypeError, "radius must be a number"),
        (lambda: Hyperboloid(2, curvature=0.0), ValueError, "negative number, got 0"),
        (lambda: Hyperboloid(2, curvature=1.0), ValueError, "negative number, got 1"),
        (lambda: PoincareBall(2, curvature=None), TypeError, "negative number"),
        (lambda: ProductManifold([]), ValueError, "at least one manifold"),
        (lambda: ProductManifold(Sphere(2)), TypeError, "must be a sequence"),
        (lambda: ProductManifold(["sphere"]), TypeError, "Manifold instances"),
        (
            lambda: ProductManifold([Sphere(2)], [1, 2]),
            ValueError,
            "1 manifolds, got 2",
        ),
        (lambda: ProductManifold([Sphere(2)], [0.0]), ValueError, "scales must be pos"),
    ],
)
def test_constructors_refuse(create, error, message):
    with pytest.raises(error, match=message):
        create()


def test_the_base_class_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Manifold()


@pytest.mark.parametrize(
    ("manifold", "expected"),
    [
        (Euclidean(2), ("euclidean", {})),
        (Sphere(2, radius=2.0), ("sphere", {"radius": 2.0})),
        (Hyperboloid(2, curvature=-2.0), ("hyperboloid", {"curvature": -2.0})),
        (PoincareBall(2), ("poincare", {"curvature": -1.0})),
        (Torus(2), ("torus", {})),
    ],
    ids=repr,
)
def test_kernel_metric(manifold, expected):
    assert manifold.kernel_metric() == expected
    nested = ProductManifold([ProductManifold([manifold, Sphere(1)]), Euclidean(1)])
    x = nested.random_point(6, random_state=0)
    table = nested.pairwise_distances(x)
    assert nested.kernel_metric()[0] == "product"
    np.testing.assert_allclose(table, nested.dist(x[:, None], x), atol=1e-7)
