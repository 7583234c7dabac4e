"""Hyperbolic estimators keep all that the wrapped scikit-learn classes have."""

import inspect
import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from geolearn.ensemble import (
    HyperbolicExtraTreesClassifier,
    HyperbolicExtraTreesRegressor,
    HyperbolicHistGradientBoostingClassifier,
    HyperbolicHistGradientBoostingRegressor,
    HyperbolicRandomForestClassifier,
    HyperbolicRandomForestRegressor,
)
from geolearn.preprocessing import AxialCoordinates
from geolearn.tree import (
    HyperbolicDecisionTreeClassifier,
    HyperbolicDecisionTreeRegressor,
)
from tests.hyperbolic import make_labels, make_points

SMALL = {
    HyperbolicDecisionTreeClassifier: {},
    HyperbolicDecisionTreeRegressor: {},
    HyperbolicRandomForestClassifier: {"n_estimators": 5},
    HyperbolicRandomForestRegressor: {"n_estimators": 5},
    HyperbolicExtraTreesClassifier: {"n_estimators": 5},
    HyperbolicExtraTreesRegressor: {"n_estimators": 5},
    HyperbolicHistGradientBoostingClassifier: {"max_iter": 5},
    HyperbolicHistGradientBoostingRegressor: {"max_iter": 5},
}
ALL = pytest.mark.parametrize("cls", SMALL, ids=lambda cls: cls.__name__)
FORESTS = [c for c in SMALL if "n_estimators" in SMALL[c]]
BOOSTING = [c for c in SMALL if "max_iter" in SMALL[c]]
GEOMETRY = ("model", "curvature", "time_axis")
# What scikit-learn has, and the compositions leave out; `score` and routing are
# inherited, and fitted attributes are tested below.
LEFT_OUT = {"get_metadata_routing"}

X = make_points()
Y = make_labels(X)


def small(cls, **params):
    return cls(**SMALL[cls], random_state=0, **params)


# Nothing of scikit-learn is lost


@ALL
def test_parameters_and_defaults_are_those_of_the_wrapped_class(cls):
    wrapped = cls._wrapped().get_params()
    own = cls().get_params()
    geometry = {name: own.pop(name) for name in GEOMETRY}
    assert geometry == {"model": "hyperboloid", "curvature": -1.0, "time_axis": 0}
    # Newer versions of scikit-learn may add parameters, which are then left out.
    assert own == {name: wrapped[name] for name in own}
    if tuple(map(int, sklearn.__version__.split(".")[:2])) <= (1, 9):
        assert set(own) == set(wrapped)


@ALL
def test_public_methods_are_those_of_the_wrapped_class(cls):
    names = {name for name in dir(cls._wrapped) if not name.startswith("_")}
    assert names - LEFT_OUT <= set(dir(cls))


@ALL
def test_constructors_are_explicit(cls):
    parameters = inspect.signature(cls).parameters.values()
    kinds = {p.kind for p in parameters}
    assert kinds <= {
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    }
    for name in GEOMETRY:
        assert (
            inspect.signature(cls).parameters[name].kind
            is inspect.Parameter.KEYWORD_ONLY
        )
    assert "{" not in cls.__doc__.split("Examples")[0].replace('{"', "")
    for p in parameters:
        assert f"\n{p.name} : " in cls.__doc__


@ALL
def test_fitted_attributes_are_those_of_the_wrapped_class(cls):
    model = small(cls).fit(X, Y)
    if hasattr(model, "oob_score"):
        model.set_params(oob_score=True, bootstrap=True, n_estimators=30).fit(X, Y)
    for name in cls._delegated:
        assert f"\n{name} : " in cls.__doc__
        assert not hasattr(cls(), name)
        value, expected = getattr(model, name), getattr(model.estimator_, name)
        assert type(value) is type(expected)
    public = {n for n in vars(model.estimator_) if n.endswith("_") and n[0] != "_"}
    hidden = {"n_features_in_", "estimator_", "is_categorical_"}
    assert public - hidden <= set(cls._delegated)
    assert model.n_features_in_ == 4


# The same as a pipeline


@ALL
@pytest.mark.parametrize("weighted", [False, True])
def test_pipeline_of_axial_coordinates_is_identical(cls, weighted):
    weight = np.random.default_rng(0).uniform(size=200) if weighted else None
    model = small(cls).fit(X, Y, sample_weight=weight)
    inner = cls._wrapped(**SMALL[cls], random_state=0)
    pipe = make_pipeline(AxialCoordinates(), inner)
    pipe.fit(X, Y, **{f"{pipe.steps[-1][0]}__sample_weight": weight})
    new = make_points(100, seed=1)
    for method in ("predict", "predict_proba", "decision_function"):
        assert hasattr(model, method) == hasattr(pipe, method)
        if hasattr(model, method):
            expected = getattr(pipe, method)(new)
            assert_array_equal(getattr(model, method)(new), expected)
    if hasattr(model, "predict_log_proba"):
        with np.errstate(divide="ignore"):
            expected = np.log(pipe.predict_proba(new))
        assert_array_equal(model.predict_log_proba(new), expected)
    if hasattr(model, "apply"):
        Z = pipe[:-1].transform(new)
        assert_array_equal(model.apply(new), inner.apply(Z))
        path, expected = model.decision_path(new), inner.decision_path(Z)
        if isinstance(path, tuple):
            assert_array_equal(path[1], expected[1])
            path, expected = path[0], expected[0]
        assert_array_equal(path.toarray(), expected.toarray())
    assert model.score(new, make_labels(new)) == pipe.score(new, make_labels(new))


@pytest.mark.parametrize("cls", BOOSTING, ids=lambda cls: cls.__name__)
def test_staged_predictions_end_at_the_prediction(cls):
    model = small(cls).fit(X, Y)
    stages = list(model.staged_predict(X))
    assert len(stages) == model.n_iter_ == 5
    assert_array_equal(stages[-1], model.predict(X))
    if is_classifier(model):
        assert_array_equal(
            list(model.staged_predict_proba(X))[-1], model.predict_proba(X)
        )
        assert_array_equal(
            list(model.staged_decision_function(X))[-1], model.decision_function(X)
        )


# Tools around estimators


@ALL
def test_clone_pickle_and_search(cls):
    model = small(cls, curvature=-4.0, model="klein")
    assert clone(model).get_params() == model.get_params()
    K = X[:, 1:] / X[:, :1] / 2.0
    model.fit(K, Y)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.predict(K), model.predict(K))
    assert is_classifier(model) == cls.__name__.endswith("Classifier")
    assert is_regressor(model) == cls.__name__.endswith("Regressor")
    search = GridSearchCV(small(cls), {"min_samples_leaf": [5, 80]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"min_samples_leaf": 5}
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


@ALL
def test_metadata_routing(cls):
    weight = np.random.default_rng(0).uniform(size=200)
    with sklearn.config_context(enable_metadata_routing=True):
        model = small(cls).set_fit_request(sample_weight=True)
        pipe = make_pipeline(FunctionTransformer(), model)
        pipe.fit(X, Y, sample_weight=weight)
    expected = small(cls).fit(X, Y, sample_weight=weight)
    assert_array_equal(pipe.predict(X), expected.predict(X))


@ALL
def test_names_of_columns(cls):
    import pandas as pd

    frame = pd.DataFrame(X, columns=list("tabc"))
    model = small(cls).fit(frame, Y)
    assert model.feature_names_in_.tolist() == list("tabc")
    assert_array_equal(model.predict(frame), small(cls).fit(X, Y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("cbat")])
    with pytest.raises(ValueError, match=f"{cls.__name__} is expecting 4 features"):
        model.fit(X, Y).predict(X[:, :3])
    assert not hasattr(model, "feature_names_in_")


@ALL
def test_user_classes_may_derive(cls):
    class Fixed(cls):
        def __init__(self, random_state=0):
            super().__init__(random_state=random_state, **SMALL[cls])

    model = Fixed().fit(X, Y)
    assert_array_equal(model.predict(X), small(cls).fit(X, Y).predict(X))


@pytest.mark.parametrize("cls", FORESTS, ids=lambda cls: cls.__name__)
def test_forests(cls):
    model = small(cls, n_jobs=1).fit(X, Y)
    assert_array_equal(small(cls, n_jobs=2).fit(X, Y).predict(X), model.predict(X))
    grown = cls(n_estimators=2, random_state=0, warm_start=True).fit(X, Y)
    first = grown.estimators_[0]
    grown.set_params(n_estimators=5).fit(X, Y)
    assert len(grown.estimators_) == 5
    assert grown.estimators_[0] is first
    assert_array_equal(grown.predict(X), model.predict(X))
    bagged = cls(n_estimators=40, bootstrap=True, oob_score=True, random_state=0)
    bagged.fit(X, Y)
    assert 0.5 < bagged.oob_score_ < 1.0
    assert_allclose(bagged.feature_importances_.sum(), 1.0)
    assert bagged.feature_importances_.shape == (3,)


def test_out_of_bag_warning_of_few_trees():
    model = HyperbolicRandomForestClassifier(2, oob_score=True, random_state=0)
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        model.fit(X, Y)


@pytest.mark.parametrize("cls", SMALL, ids=lambda cls: cls.__name__)
def test_monotonic_constraints(cls):
    y = (X[:, 1] + 0.5 * X[:, 2] > 0).astype(int)
    model = small(cls, monotonic_cst=[1, 0, 0]).fit(X, y)
    s = np.linspace(-2.0, 2.0, 101)
    line = np.column_stack([np.cosh(s), np.sinh(s), 0.0 * s, 0.0 * s])
    rises = model.predict_proba(line)[:, 1] if is_classifier(model) else None
    rises = model.predict(line) if rises is None else rises
    assert (np.diff(rises) >= 0.0).all()


@pytest.mark.parametrize("cls", [c for c in SMALL if c.__name__.endswith("Classifier")])
def test_class_weights(cls):
    y = (np.arange(200) % 10 == 0).astype(int)
    plain = small(cls, max_depth=2).fit(X, y).predict_proba(X)[:, 1].mean()
    heavy = small(cls, max_depth=2, class_weight="balanced").fit(X, y)
    assert heavy.predict_proba(X)[:, 1].mean() > 2.0 * plain


@pytest.mark.parametrize("cls", SMALL, ids=lambda cls: cls.__name__)
def test_missing_values(cls):
    Z = make_points(400, seed=3)
    y = (Z[:, 1] > 0).astype(int)
    Z[::4, 3] = np.nan
    model = small(cls, **({} if cls in BOOSTING else {"max_features": None}))
    allowed = model._inner().__sklearn_tags__().input_tags.allow_nan
    if not allowed:  # extremely randomised trees of older versions
        with pytest.raises(ValueError, match="NaN"):
            model.fit(Z, y)
        return
    prediction = model.fit(Z, y).predict(Z)
    assert np.mean((prediction > 0.5) == y) > 0.9
    Z[0, 1] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.predict(Z)


@pytest.mark.parametrize("cls", FORESTS + BOOSTING, ids=lambda cls: cls.__name__)
def test_splits_of_every_tree(cls):
    model = small(cls, curvature=-0.25).fit(2.0 * X, Y)
    trees = model.split_hyperplanes_()
    n_outputs = 3 if cls is HyperbolicHistGradientBoostingClassifier else 1
    assert len(trees) == 5 * n_outputs
    for node, axis, t, angle, normal in trees[0]:
        assert node >= 0
        assert 0 <= axis < 3
        assert_allclose(np.tanh(t / 2.0), 1.0 / np.tan(angle), rtol=1e-12)
        assert_allclose(normal[[0, axis + 1]], [np.sinh(t / 2.0), np.cosh(t / 2.0)])
        assert np.count_nonzero(normal) <= 2


def test_boosting_splits_are_thresholds_of_the_wrapped_trees():
    # A stump: everything right of the hyperplane has one value.
    y = (np.arcsinh(X[:, 1] / np.sqrt(1.0 + X[:, 2] ** 2 + X[:, 3] ** 2)) > 0.3) * 1.0
    model = HyperbolicHistGradientBoostingRegressor(max_iter=1, max_leaf_nodes=2)
    ((split,),) = model.fit(X, y).split_hyperplanes_()
    assert split.axis == 0
    assert abs(split.threshold - 0.3) < 0.1
    form = np.array([-1.0, 1.0, 1.0, 1.0])
    left = X @ (form * split.normal) <= 0.0
    assert len(np.unique(model.predict(X)[left])) == 1
    assert len(np.unique(model.predict(X)[~left])) == 1


def test_cross_validation_of_strings():
    labels = np.array(["genus", "family", "order"])[Y]
    scores = cross_val_score(small(HyperbolicRandomForestClassifier), X, labels, cv=3)
    assert scores.min() > 0.6


def test_boosting_gives_one_class_one_column():
    """scikit-learn's has two, though ``classes_`` has one entry."""
    X = make_points(60)
    model = HyperbolicHistGradientBoostingClassifier(max_iter=3).fit(X, ["a"] * 60)
    assert_array_equal(model.predict_proba(X), np.ones((60, 1)))
    assert_array_equal(model.predict_log_proba(X), np.zeros((60, 1)))
    assert [p.shape for p in model.staged_predict_proba(X)] == [(60, 1)] * 3
