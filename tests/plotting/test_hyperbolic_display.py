"""Decision regions in the Poincaré disk: geometry of splits, colours, messages."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from geolearn.ensemble import (
    HyperbolicHistGradientBoostingClassifier,
    HyperbolicRandomForestClassifier,
)
from geolearn.manifolds import axial_coordinates, convert_hyperbolic
from geolearn.plotting import HyperbolicDecisionDisplay
from geolearn.plotting._hyperbolic_geometry import geodesic, geometry_of, trees_of
from geolearn.plotting._palette import COLORS
from geolearn.preprocessing import AxialCoordinates
from geolearn.tree import (
    HyperbolicDecisionTreeClassifier,
    HyperbolicDecisionTreeRegressor,
    ProductSpaceDecisionTreeClassifier,
)
from tests.hyperbolic import make_labels, make_points

draw = HyperbolicDecisionDisplay.from_estimator
X = make_points(150, 2, radius=3.0)
Y = np.array(["a", "b", "c"])[make_labels(X)]
TREE = HyperbolicDecisionTreeClassifier(max_depth=4, random_state=0).fit(X, Y)
QUICK = {"grid_resolution": 41}


def to_model(points, model, curvature, time_axis=0):
    H = points / np.sqrt(-curvature)
    if model == "hyperboloid":
        return np.insert(H[:, 1:], time_axis, H[:, 0], axis=1)
    return convert_hyperbolic(H, "hyperboloid", model, curvature)


# Geometry


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("t", [-3.0, 0.0, 0.4, 20.0])
def test_geodesic_lies_on_the_level_set(axis, t):
    curve = geodesic(axis, t, -0.7, 1.2)
    if abs(t) == 20.0:
        # The whole geodesic has smaller coordinates along the other axis.
        assert_allclose(np.linalg.norm(curve[[0, -1]], axis=1), 1.0, rtol=1e-12)
        assert_allclose(curve[:, axis], np.sign(t), atol=1e-8)
        return
    s = axial_coordinates(curve[1:-1], "poincare")
    assert_allclose(s[:, axis], t, rtol=1e-9, atol=1e-12)
    assert (s[:, 1 - axis] > -0.7).all()
    assert (s[:, 1 - axis] < 1.2).all()


def test_geodesics_are_circles_at_right_angles_to_the_boundary():
    t = 0.8
    curve = geodesic(0, t, -np.inf, np.inf)
    assert_allclose(np.linalg.norm(curve[[0, -1]], axis=1), 1.0, rtol=1e-14)
    center = 1.0 / np.tanh(t)
    radii = np.hypot(curve[:, 0] - center, curve[:, 1])
    assert_allclose(radii, np.sqrt(center**2 - 1.0), rtol=1e-12)


def test_geodesic_outside_of_the_cell_is_left_out():
    # {s_0 = 1} only has |s_1| < artanh(1 / cosh(1)) = 0.77
    assert geodesic(0, 1.0, 0.8, 2.0) is None
    assert geodesic(0, 1.0, -2.0, -0.8) is None
    assert geodesic(0, 1.0, 0.7, 2.0) is not None


@pytest.mark.parametrize("model", ["hyperboloid", "poincare", "klein"])
@pytest.mark.parametrize("curvature", [-1.0, -4.0])
def test_splits_bound_the_regions(model, curvature):
    time_axis = 1
    Z = to_model(X, model, curvature, time_axis)
    tree = HyperbolicDecisionTreeClassifier(
        model=model, curvature=curvature, time_axis=time_axis, random_state=0
    ).fit(Z, Y)
    display = draw(tree, Z, Y, **QUICK)
    radius = 1.0 / np.sqrt(-curvature)
    assert display.radius == radius
    assert len(display.splits) == len(tree.split_hyperplanes_())
    # Every arc separates two leaves all along, and ends in the cell that it splits.
    for curve in display.splits:
        middle = curve[1:-1:9]
        normal = np.gradient(curve, axis=0)[1:-1:9, ::-1] * [1.0, -1.0]
        step = 1e-5 * radius * normal / np.linalg.norm(normal, axis=1, keepdims=True)
        inside = np.linalg.norm(middle, axis=1) < 0.999 * radius
        leaves = [
            tree.apply(geometry_of(tree).from_disk((middle + sign * step)[inside]))
            for sign in (-1.0, 1.0)
        ]
        assert (leaves[0] != leaves[1]).all()


def test_points_are_drawn_where_they_are():
    display = draw(TREE, X, Y, **QUICK)
    offsets = np.asarray(display.scatter_.get_offsets())
    disk = convert_hyperbolic(X, "hyperboloid", "poincare")
    assert_allclose(np.sort(offsets, axis=0), np.sort(disk, axis=0), rtol=1e-12)
    assert np.linalg.norm(offsets, axis=1).max() < 1.0


# Regions


def test_regions_have_the_colours_of_the_classes():
    display = draw(TREE, X, Y, region_alpha=1.0, grid_resolution=61)
    image = display.image_.get_array()
    assert image.shape == (61, 61, 3)
    center = TREE.predict([[1.0, 0.0, 0.0]])[0]
    assert_allclose(image[30, 30], to_rgb(COLORS["abc".index(center)]), atol=1e-7)
    codes = display.response
    steps = (np.arange(61) + 0.5) * 2.0 / 61 - 1.0
    for i, j in ((30, 45), (10, 25), (50, 40)):  # rows are from below
        point = convert_hyperbolic([steps[j], steps[i]], "poincare", "hyperboloid")
        assert TREE.predict([point])[0] == "abc"[codes[i, j]]


def test_probabilities_mix_colours():
    forest = HyperbolicRandomForestClassifier(5, max_depth=2, random_state=0).fit(X, Y)
    display = draw(forest, response_method="predict_proba", region_alpha=1.0, **QUICK)
    proba = forest.predict_proba([[1.0, 0.0, 0.0]])[0]
    expected = proba @ [to_rgb(c) for c in COLORS[:3]]
    assert_allclose(display.image_.get_array()[20, 20], expected, rtol=1e-6)
    assert display.splits_ is None


def test_regression_has_a_scale():
    y = np.tanh(X[:, 1])
    tree = HyperbolicDecisionTreeRegressor(max_depth=3).fit(X, y)
    display = draw(tree, X, y, label_name="height", **QUICK)
    assert display.legend_ is None
    assert display.colorbar_.ax.get_ylabel() == "height"
    assert_allclose(display.image_.get_clim(), (y.min(), y.max()))
    assert display.image_.get_clim() == display.scatter_.get_clim()


def test_legend_lists_classes_and_other_labels():
    display = draw(TREE, X, np.where(Y == "c", "new", Y), **QUICK)
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["a", "b", "c", "new"]
    assert draw(TREE, legend=False, **QUICK).legend_ is None


def test_without_points_and_without_labels():
    assert draw(TREE, **QUICK).scatter_ is None
    assert len(draw(TREE, X, **QUICK).scatter_.get_offsets()) == 150


# Estimators


def test_trees_of_forests_on_request():
    forest = HyperbolicRandomForestClassifier(5, max_depth=2, random_state=0).fit(X, Y)
    n = sum(len(splits) for splits in forest.split_hyperplanes_())
    assert len(draw(forest, splits=True, **QUICK).splits) == n
    assert draw(forest, **QUICK).splits == []
    assert draw(TREE, splits=False, **QUICK).splits == []
    boosted = HyperbolicHistGradientBoostingClassifier(max_iter=2).fit(X, Y)
    assert draw(boosted, splits=True, **QUICK).splits == []


def test_pipelines_and_searches():
    pipe = make_pipeline(
        AxialCoordinates(), DecisionTreeClassifier(max_depth=4, random_state=0)
    ).fit(X, Y)
    expected = draw(TREE, **QUICK)
    display = draw(pipe, **QUICK)
    assert_array_equal(display.response, expected.response)
    for a, b in zip(display.splits, expected.splits, strict=True):
        assert_array_equal(a, b)
    search = GridSearchCV(pipe, {"decisiontreeclassifier__max_depth": [4]}, cv=2)
    assert len(draw(search.fit(X, Y), **QUICK).splits) == len(expected.splits)
    # Thresholds of scaled coordinates are not drawn.
    scaled = make_pipeline(
        AxialCoordinates(), StandardScaler(), DecisionTreeClassifier(max_depth=2)
    ).fit(X, Y)
    assert draw(scaled, **QUICK).splits == []


def test_product_space_trees_of_one_plane():
    tree = ProductSpaceDecisionTreeClassifier(
        [(-4.0, 2)], max_depth=4, random_state=0
    ).fit(X / 2.0, Y)
    display = draw(tree, X / 2.0, Y, **QUICK)
    expected = draw(TREE, **QUICK)
    assert (display.response == expected.response).mean() > 0.97  # ties of splits
    assert len(display.splits) == np.sum(tree.tree_.children_left >= 0)
    both = ProductSpaceDecisionTreeClassifier([(-1.0, 2), (0.0, 1)], max_depth=2)
    both.fit(np.hstack([X, X[:, :1]]), Y)
    with pytest.raises(ValueError, match="not that of a hyperbolic plane"):
        draw(both, **QUICK)


def test_any_other_estimator_with_a_model():
    other = LogisticRegression().fit(X, Y)
    with pytest.raises(
        ValueError, match="LogisticRegression does not say which points"
    ):
        draw(other)
    display = draw(other, model="hyperboloid", curvature=-1.0, **QUICK)
    assert display.splits == []
    assert display.ax_.get_title() == "LogisticRegression"


# Drawing


def test_trees_on_other_features_are_not_drawn_as_geodesics():
    """Thresholds of ambient columns were taken for axial coordinates."""
    for model, points in (
        ("hyperboloid", X),
        ("poincare", to_model(X, "poincare", -1)),
    ):
        tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(points, Y)
        display = draw(tree, model=model, curvature=-1.0, splits=True, **QUICK)
        assert display.splits == []
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    own = draw(make_pipeline(AxialCoordinates(), tree).fit(X, Y), **QUICK)
    assert_allclose(own.splits, draw(TREE, **QUICK).splits)


@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_members_of_other_ensembles_draw_their_own_splits(unit):
    """Thresholds of small clouds are scaled; the members know by how much."""
    tree = HyperbolicDecisionTreeClassifier(
        curvature=-(unit**-2.0), max_depth=4, random_state=0
    )
    options = {"model": "hyperboloid", "curvature": tree.curvature, "splits": True}
    alone = draw(tree.fit(unit * X, Y), **QUICK).splits
    for ensemble in (
        VotingClassifier([("one", tree), ("two", make_pipeline(tree))]),
        BaggingClassifier(tree, 2, bootstrap=False, random_state=0),
    ):
        splits = draw(ensemble.fit(unit * X, Y), **options, **QUICK).splits
        assert len(splits) == 2 * len(alone)
        assert_allclose(splits[: len(alone)], alone, atol=1e-5 * unit)
    stages = GradientBoostingClassifier(n_estimators=2, max_depth=1, random_state=0)
    model = make_pipeline(AxialCoordinates(curvature=tree.curvature), stages)
    assert len(draw(model.fit(unit * X, Y), splits=True, **QUICK).splits) == 6


def test_members_of_bagging_know_their_columns():
    bag = BaggingClassifier(
        DecisionTreeClassifier(max_depth=1), 8, max_features=1, random_state=0
    )
    model = make_pipeline(AxialCoordinates(), bag).fit(X, Y)
    axes = [axis[0] for _, _, axis, _ in trees_of(model)]
    assert axes == [columns[0] for columns in bag.estimators_features_]
    assert set(axes) == {0, 1}


def test_drawing_on_given_axes():
    figure, ax = plt.subplots()
    display = draw(
        TREE, X, Y, ax=ax, name="", split_params={"linewidths": 3.0}, **QUICK
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert ax.get_title() == ""
    assert display.splits_.get_linewidths() == [3.0]
    assert ax.get_aspect() == 1.0
    figure.canvas.draw()


def test_bad_arguments():
    with pytest.raises(NotFittedError):
        draw(HyperbolicDecisionTreeClassifier())
    solid = HyperbolicDecisionTreeClassifier().fit(
        make_points(), make_labels(make_points())
    )
    with pytest.raises(ValueError, match="hyperboloid model have 3 columns, not 4"):
        draw(solid)
    with pytest.raises(ValueError, match="response_method='decision'"):
        draw(TREE, response_method="decision")
    with pytest.raises(ValueError, match="no predict_proba"):
        draw(
            HyperbolicDecisionTreeRegressor().fit(X, X[:, 1]),
            response_method="predict_proba",
        )
    with pytest.raises(ValueError, match="several outputs"):
        draw(
            HyperbolicDecisionTreeClassifier().fit(X, np.column_stack([Y, Y])), **QUICK
        )
    with pytest.raises(ValueError, match="grid_resolution=1"):
        draw(TREE, grid_resolution=1)
    with pytest.raises(TypeError, match="palette or cmap"):
        draw(TREE, X, Y, c="red", **QUICK)
    with pytest.raises(ValueError, match="response has shape"):
        HyperbolicDecisionDisplay(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="probabilities of 2 classes"):
        HyperbolicDecisionDisplay(np.zeros((2, 2, 2)))


def test_names_of_columns_are_kept():
    """Prediction on the grid warned of missing names."""
    table = pd.DataFrame(X, columns=["time", "x", "y"])
    model = HyperbolicDecisionTreeClassifier(max_depth=2).fit(table, Y)
    assert draw(model, table, Y, **QUICK).response.shape == (41, 41)


def test_boosting_of_one_class_can_be_drawn():
    model = HyperbolicHistGradientBoostingClassifier(max_iter=2).fit(X, ["a"] * len(X))
    display = draw(model, response_method="predict_proba", **QUICK)
    assert_array_equal(display.response, np.ones((41, 41, 1)))


def test_points_off_the_model_are_not_drawn():
    with pytest.raises(ValueError, match="not on the hyperboloid"):
        draw(TREE, X + 1.0, Y, **QUICK)
    with pytest.raises(ValueError, match="splits='some' must be"):
        draw(TREE, X, Y, splits="some", **QUICK)
