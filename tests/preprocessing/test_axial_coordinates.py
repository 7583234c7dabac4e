"""AxialCoordinates: the door, names of columns, missing values, pipelines."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from geolearn.manifolds import axial_coordinates, convert_hyperbolic
from geolearn.preprocessing import AxialCoordinates
from tests.hyperbolic import make_labels, make_points

MODELS = ("hyperboloid", "poincare", "klein")


def test_transform_is_the_function():
    X = make_points(curvature=-4.0)
    before = X.copy()
    axial = AxialCoordinates(curvature=-4.0)
    expected = axial_coordinates(X, curvature=-4.0)
    assert_array_equal(axial.fit(X).transform(X), expected)
    assert_array_equal(axial.fit_transform(X), expected)
    assert_array_equal(axial.transform(X[3:5]), expected[3:5])
    assert_array_equal(X, before)
    assert axial.n_features_in_ == 4


@pytest.mark.parametrize("model", MODELS)
def test_inverse_transform(model):
    X = convert_hyperbolic(make_points(), "hyperboloid", model)
    axial = AxialCoordinates(model=model)
    assert_allclose(axial.inverse_transform(axial.fit_transform(X)), X, rtol=1e-11)


def test_inverse_transform_refuses_what_is_no_point():
    axial = AxialCoordinates().fit(make_points())
    with pytest.raises(
        ValueError, match=r"X has shape \(2, 4\); expected \(n_samples, 3"
    ):
        axial.inverse_transform(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="must be less than 1"):
        axial.inverse_transform([[3.0, 3.0, 3.0]])
    with pytest.raises(ValueError, match="infinity"):
        axial.inverse_transform([[np.inf, 0.0, 0.0]])


def test_time_may_be_anywhere():
    X = make_points()
    turned = AxialCoordinates(time_axis=-1).fit_transform(np.roll(X, -1, axis=1))
    assert_array_equal(turned, AxialCoordinates().fit_transform(X))


# Names and containers


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_output_has_names(container):
    axial = AxialCoordinates().set_output(transform=container)
    frame = axial.fit_transform(make_points())
    assert list(frame.columns) == ["axial0", "axial1", "axial2"]
    assert type(frame).__module__.startswith(container)


def test_names_in_and_out():
    frame = pd.DataFrame(make_points(), columns=list("tabc"))
    axial = AxialCoordinates().fit(frame)
    assert axial.get_feature_names_out().tolist() == ["axial0", "axial1", "axial2"]
    assert axial.feature_names_in_.tolist() == list("tabc")
    with pytest.raises(ValueError, match="feature names"):
        axial.transform(frame[list("abct")])
    with pytest.raises(NotFittedError):
        AxialCoordinates().get_feature_names_out()


def test_global_pandas_output():
    with sklearn.config_context(transform_output="pandas"):
        model = make_pipeline(AxialCoordinates(), DecisionTreeClassifier())
        X = make_points()
        assert model.fit(X, make_labels(X)).score(X, make_labels(X)) == 1.0


def test_is_stateless():
    X = make_points()
    assert_array_equal(AxialCoordinates().transform(X), axial_coordinates(X))
    copy = clone(AxialCoordinates(model="klein", curvature=-2.0))
    assert copy.get_params() == {
        "model": "klein",
        "curvature": -2.0,
        "time_axis": 0,
        "check_input": True,
    }


# The door


@pytest.mark.parametrize("radius", [1e-9, 1.0, 9.0, 17.0, 30.0, 300.0])
def test_points_at_any_distance_pass(radius):
    X = make_points(radius=radius)
    assert np.abs(AxialCoordinates().fit_transform(X)).max() <= radius * (1 + 1e-12)
    with np.errstate(over="ignore"):
        X = X * (1.0 + 1e-8)
    AxialCoordinates().fit(X)


def test_points_off_the_hyperboloid():
    X = make_points(20)
    X[7, 0] *= 1.0 + 1e-5
    with pytest.raises(
        ValueError,
        match=r"1 of 20 points are not on the hyperboloid of curvature -1 \(largest "
        r"relative error 1\.0e-05 .*first such row is X\[7\]\)\. Set curvature",
    ):
        AxialCoordinates().fit(X)
    AxialCoordinates().fit(X.astype(np.float32))  # within the digits of float32
    loose = AxialCoordinates(check_input=False).fit_transform(X)
    assert_array_equal(loose, axial_coordinates(X))


def test_single_precision_is_computed_in_double():
    X = make_points(radius=5.0).astype(np.float32)
    result = AxialCoordinates().fit_transform(X)
    assert result.dtype == np.float64
    assert_array_equal(result, axial_coordinates(X.astype(np.float64)))
    X[0, 0] *= 1.01
    with pytest.raises(ValueError, match=r"tolerance 0\.001"):
        AxialCoordinates().fit(X)


def test_the_error_finds_the_parameters_that_fit():
    X = make_points(curvature=-4.0)
    with pytest.raises(ValueError, match=r"They fit time_axis=0, curvature=-4\.$"):
        AxialCoordinates().fit(X)
    with pytest.raises(ValueError, match=r"They fit time_axis=3\.$"):
        AxialCoordinates(curvature=-4.0).fit(np.roll(X, -1, axis=1))
    with pytest.raises(ValueError, match=r"model='poincare' or model='klein'\.$"):
        AxialCoordinates().fit([[0.5, 0.1], [0.3, 0.2]])


def test_lower_sheet():
    X = make_points(10)
    X[4] *= -1.0
    with pytest.raises(ValueError, match=r"1 of 10 points are on the lower sheet"):
        AxialCoordinates().fit(X)


@pytest.mark.parametrize("model", ["poincare", "klein"])
def test_balls_are_open(model):
    X = np.array([[0.1, 0.2], [2.5, 0.0], [0.0, -3.0]])
    message = rf"2 of 3 points are not inside the {model} ball of radius 2, .* norm 3;"
    with pytest.raises(ValueError, match=message):
        AxialCoordinates(model=model, curvature=-0.25).fit(X)
    X = [[2.0 * (1.0 - 1e-14), 0.0]]
    with pytest.warns(UserWarning, match=r"1 of 1 points are within a relative 1e-12"):
        AxialCoordinates(model=model, curvature=-0.25).fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"curvature": 0.0}, "'curvature' parameter"),
        ({"curvature": 2}, "'curvature' parameter"),
        ({"model": "ball"}, "'model' parameter"),
        ({"time_axis": 0.5}, "'time_axis' parameter"),
        ({"time_axis": 4}, "time_axis=4 is not among the 4 columns"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        AxialCoordinates(**params).fit(make_points())


def test_infinity_and_too_few_columns():
    X = make_points()
    X[0, 1] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        AxialCoordinates().fit(X)
    with pytest.raises(ValueError, match=r"n_features=1 is too few"):
        AxialCoordinates().fit([[1.0], [1.0]])


# Missing values


def test_missing_values_pass_and_points_with_them_are_checked():
    X = make_points()
    whole = AxialCoordinates().fit_transform(X)
    X[0, 2] = np.nan
    s = AxialCoordinates().fit_transform(X)
    assert_allclose(s[0, [0, 2]], whole[0, [0, 2]], rtol=1e-12)
    assert np.isnan(s[0, 1])
    assert_array_equal(s[1:], whole[1:])
    X[0, 1] = 2.0 * X[0, 0]  # no value of the missing column makes this a point
    with pytest.raises(ValueError, match="not on the hyperboloid"):
        AxialCoordinates().fit(X)
    P = np.array([[np.nan, 1.2]])
    with pytest.raises(ValueError, match="not inside the poincare ball"):
        AxialCoordinates(model="poincare").fit(P)


def test_grid_search_over_the_geometry():
    X = make_points()
    y = make_labels(X)
    search = GridSearchCV(
        make_pipeline(AxialCoordinates(), DecisionTreeClassifier(random_state=0)),
        {
            "axialcoordinates__check_input": [True, False],
            "decisiontreeclassifier__max_depth": [1, 4],
        },
        cv=3,
    ).fit(X, y)
    assert search.best_params_["decisiontreeclassifier__max_depth"] == 4
