"""Hyperbolic trees are those of the definition, at any radius and curvature."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import mean_squared_error
from sklearn.tree import DecisionTreeRegressor, export_text, plot_tree

from geolearn.manifolds import convert_hyperbolic
from geolearn.tree import (
    HyperbolicDecisionTreeClassifier,
    HyperbolicDecisionTreeRegressor,
    ProductSpaceDecisionTreeClassifier,
    ProductSpaceDecisionTreeRegressor,
)
from tests.hyperbolic import lift, make_labels, make_points
from tests.reference.hyperbolic_tree import grow, midpoint_angle

MODELS = ("hyperboloid", "poincare", "klein")
TREES = {
    "gini": HyperbolicDecisionTreeClassifier,
    "entropy": HyperbolicDecisionTreeClassifier,
    "squared_error": HyperbolicDecisionTreeRegressor,
}


def assert_same_tree(first, second, rtol=1e-6):
    assert_array_equal(first.tree_.children_left, second.tree_.children_left)
    assert_array_equal(first.tree_.feature, second.tree_.feature)
    a, b = first.split_hyperplanes_(), second.split_hyperplanes_()
    assert_allclose([h.threshold for h in a], [h.threshold for h in b], rtol=rtol)


# Worked numbers of the specification


def eight_points():
    space = [(-1.2, -2), (-0.4, 0.6), (1.7, 0.2), (-0.8, -1.2)]
    space += [(1.1, 2.5), (0.4, -1.8), (-1.4, 2.4), (0.3, -2.6)]
    return lift(space), np.array([0, 1, 1, 1, 1, 2, 1, 0])


@pytest.mark.parametrize("model", MODELS)
def test_worked_tree(model):
    X, y = eight_points()
    X = convert_hyperbolic(X, "hyperboloid", model)
    tree = HyperbolicDecisionTreeClassifier(model=model, max_depth=2, random_state=0)
    tree.fit(X, y)
    root, child = tree.split_hyperplanes_()
    assert (root.node, root.axis, child.node, child.axis) == (0, 1, 1, 0)
    assert_allclose([root.threshold, child.threshold], [-0.951286, 0.150271], atol=5e-7)
    assert_allclose(np.tanh(root.threshold), -0.740365, atol=5e-7)
    nodes = tree.tree_
    gains = []
    for k in (0, 1):
        left, right = nodes.children_left[k], nodes.children_right[k]
        sides = [
            nodes.weighted_n_node_samples[c] * nodes.impurity[c] for c in (left, right)
        ]
        gains.append(nodes.impurity[k] - sum(sides) / nodes.weighted_n_node_samples[k])
    assert_allclose(gains, [0.364583, 0.444444], atol=5e-7)
    right = nodes.children_right[0]
    assert_allclose(nodes.value[right, 0], [0.0, 1.0, 0.0])


def test_worked_midpoint_angle():
    # s = 0.3 and 1.1 meet at 0.7, u = 0.6043677771
    a, b = np.arctan2(1.0, np.tanh([1.1, 0.3]))
    assert_allclose(midpoint_angle(a, b), 1.0271714134, rtol=1e-9)
    assert_allclose(1.0 / np.tan(midpoint_angle(a, b)), 0.6043677771, rtol=1e-9)


# The definition, searched exhaustively in the angles of the paper


def compare(fitted, k, node, planes, curvature=-1.0):
    """Walk both trees; return the number of splits compared."""
    left = fitted.tree_.children_left[k]
    if fitted.tree_.impurity[k] < 1e-12:
        # With weights, scikit-learn may split a pure node by a rounding error.
        assert node is None
        return 0
    assert (node is None) == (left < 0)
    if node is None:
        return 0
    axis, angle, _, *sides = node
    assert planes[k].axis == axis
    u = 1.0 / np.tan(angle)
    t = np.arctanh(u) / np.sqrt(-curvature)
    assert_allclose(planes[k].threshold, t, rtol=1e-6, atol=1e-6 / np.sqrt(-curvature))
    assert_allclose(planes[k].angle, angle, rtol=1e-6)
    right = fitted.tree_.children_right[k]
    return 1 + sum(
        compare(fitted, child, side, planes, curvature)
        for child, side in zip((left, right), sides, strict=True)
    )


@pytest.mark.parametrize("criterion", TREES)
@pytest.mark.parametrize("seed", range(8))
def test_equals_an_exhaustive_search(criterion, seed):
    curvature = (-1.0, -0.25, -4.0)[seed % 3]
    X = make_points(60, 2 + seed % 2, seed=seed, curvature=curvature)
    rng = np.random.default_rng(seed)
    y = rng.normal(size=60) if criterion == "squared_error" else make_labels(X)
    w = rng.uniform(0.5, 1.5, size=60)  # no two splits have equal gains
    tree = TREES[criterion](
        curvature=curvature,
        criterion=criterion,
        max_depth=4,
        min_samples_leaf=5,
        random_state=0,
    ).fit(X, y, sample_weight=w)
    planes = {h.node: h for h in tree.split_hyperplanes_()}
    reference = grow(X, y, w, criterion, 4, 5)
    assert compare(tree, 0, reference, planes, curvature) >= 4


@pytest.mark.parametrize("criterion", TREES)
@pytest.mark.parametrize("radius", [2.0, 20.0])
def test_equals_the_product_space_tree(criterion, radius):
    X = make_points(300, 4, radius=radius, curvature=-0.25)
    rng = np.random.default_rng(0)
    y = rng.normal(size=300) if criterion == "squared_error" else make_labels(X)
    w = rng.uniform(0.5, 1.5, size=300)
    params = {"criterion": criterion, "min_samples_leaf": 12, "random_state": 0}
    other = ProductSpaceDecisionTreeClassifier
    if criterion == "squared_error":
        other = ProductSpaceDecisionTreeRegressor
    tree = TREES[criterion](curvature=-0.25, **params).fit(X, y, sample_weight=w)
    product = other([(-0.25, 4)], **params).fit(X, y, sample_weight=w)
    assert tree.get_n_leaves() > 5
    assert_array_equal(tree.tree_.children_left, product.tree_.children_left)
    assert_array_equal(tree.tree_.feature, product.tree_.feature)
    assert_allclose(
        tree.tree_.threshold, product.tree_.threshold, rtol=1e-6, atol=1e-6 * radius
    )
    assert_allclose(tree.predict(X), product.predict(X), rtol=1e-10, atol=1e-12)


# Splits as hyperplanes


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("time_axis", [0, 2])
def test_normals_separate_the_points_of_the_nodes(model, time_axis):
    H = make_points(dim=3, curvature=-0.5)
    y = make_labels(H)
    X = convert_hyperbolic(H, "hyperboloid", model, -0.5)
    ambient = H
    if model == "hyperboloid":
        X = ambient = np.insert(H[:, 1:], time_axis, H[:, 0], axis=1)
    tree = HyperbolicDecisionTreeClassifier(
        model=model, curvature=-0.5, time_axis=time_axis, random_state=0
    ).fit(X, y)
    form = np.ones(4)
    form[time_axis if model == "hyperboloid" else 0] = -1.0
    visits = tree.decision_path(X).toarray().astype(bool)
    for node, axis, t, angle, normal in tree.split_hyperplanes_():
        assert_allclose(normal @ (form * normal), 1.0, rtol=1e-12)
        assert_allclose(1.0 / np.tan(angle), np.tanh(t * np.sqrt(0.5)), rtol=1e-12)
        assert 0 <= axis < 3
        left = tree.tree_.children_left[node]
        side = ambient @ (form * normal) <= 0.0
        assert_array_equal(visits[visits[:, node], left], side[visits[:, node]])


# Radius and curvature


def mse_at(radius, coordinates):
    s = np.random.default_rng(0).uniform(0.0, radius, size=400)
    X = np.column_stack([np.cosh(s), np.sinh(s), np.zeros(400)])
    y = np.sin(s)
    if coordinates == "klein":
        model, Z = DecisionTreeRegressor(random_state=0), X[:, 1:] / X[:, :1]
    else:
        model, Z = HyperbolicDecisionTreeRegressor(random_state=0), X
    model.fit(Z[:300], y[:300])
    return mean_squared_error(y[300:], model.predict(Z[300:]))


@pytest.mark.parametrize("radius", [10.0, 15.0, 20.0, 30.0])
def test_far_points_are_told_apart(radius):
    # Klein ratios in single precision end at a radius of about 8.
    assert mse_at(radius, "axial") < 8e-3
    assert mse_at(radius, "klein") > (1e-2 if radius == 10.0 else 0.1)


@pytest.mark.parametrize("scale", [1e-140, 1e-15, 1e-5, 1e15, 1e35, 1e140])
def test_units_do_not_matter(scale):
    X = make_points()
    y = make_labels(X)
    expected = HyperbolicDecisionTreeClassifier(random_state=0).fit(X, y)
    tree = HyperbolicDecisionTreeClassifier(
        curvature=-((1.0 / scale) ** 2), random_state=0
    ).fit(scale * X, y)
    assert_array_equal(tree.predict(scale * X), expected.predict(X))
    assert_array_equal(tree.tree_.feature, expected.tree_.feature)
    assert_allclose(
        [h.threshold / scale for h in tree.split_hyperplanes_()],
        [h.threshold for h in expected.split_hyperplanes_()],
        rtol=1e-6,
        atol=1e-7,
    )


def test_tiny_clouds_are_scaled_by_a_power_of_two():
    rng = np.random.default_rng(0)
    space = 1e-9 * rng.normal(size=(100, 2))
    X = lift(space)
    y = (space[:, 0] > 0).astype(int)
    tree = HyperbolicDecisionTreeClassifier(random_state=0).fit(X, y)
    assert tree.score(X, y) == 1.0
    assert tree.get_n_leaves() == 2
    assert np.log2(tree.feature_scale_) % 1.0 == 0.0
    assert tree.feature_scale_ > 1e6
    (split,) = tree.split_hyperplanes_()
    below, above = space[y == 0, 0].max(), space[y == 1, 0].min()
    assert_allclose(split.threshold, 0.5 * (below + above), rtol=1e-4)
    ordinary = HyperbolicDecisionTreeClassifier().fit(make_points(), np.arange(200) % 2)
    assert ordinary.feature_scale_ == 1.0


# Invariances


@pytest.mark.parametrize("criterion", TREES)
def test_models_give_the_same_tree(criterion):
    X = make_points(radius=3.0)
    y = make_labels(X)
    trees = []
    for model in MODELS:
        tree = TREES[criterion](model=model, criterion=criterion, random_state=0)
        trees.append(tree.fit(convert_hyperbolic(X, "hyperboloid", model), y))
    assert_same_tree(trees[0], trees[1])
    assert_same_tree(trees[0], trees[2])


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31))
def test_permuted_and_reflected_axes(seed):
    rng = np.random.default_rng(seed)
    X, y = make_points(80, seed=seed), rng.normal(size=80)
    order, signs = rng.permutation(3), rng.choice([-1.0, 1.0], size=3)
    moved = np.hstack([X[:, :1], (signs * X[:, 1:])[:, order]])
    params = {"max_depth": 4, "min_samples_leaf": 5, "random_state": 0}
    first = HyperbolicDecisionTreeRegressor(**params).fit(X, y)
    second = HyperbolicDecisionTreeRegressor(**params).fit(moved, y)
    assert_allclose(first.predict(X), second.predict(moved), rtol=1e-12)


def test_integer_weights_are_repeated_rows():
    X = make_points()
    rng = np.random.default_rng(0)
    y, w = rng.normal(size=200), rng.integers(0, 4, size=200)
    params = {"max_depth": 3, "random_state": 0}
    weighted = HyperbolicDecisionTreeRegressor(**params).fit(X, y, sample_weight=w)
    repeated = HyperbolicDecisionTreeRegressor(**params)
    repeated.fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    assert_same_tree(weighted, repeated)


def test_order_of_rows_and_subsets_do_not_matter():
    X = make_points()
    y = np.random.default_rng(0).normal(size=200)
    order = np.random.default_rng(1).permutation(200)
    params = {"min_samples_leaf": 5, "random_state": 0}
    first = HyperbolicDecisionTreeRegressor(**params).fit(X, y)
    second = HyperbolicDecisionTreeRegressor(**params).fit(X[order], y[order])
    assert_same_tree(first, second, rtol=1e-12)
    assert_array_equal(first.predict(X)[:7], first.predict(X[:7]))


def test_full_trees_fit_the_training_set():
    X = make_points(radius=20.0)
    y = np.random.default_rng(0).integers(0, 5, size=200)
    assert HyperbolicDecisionTreeClassifier(random_state=0).fit(X, y).score(X, y) == 1.0


# Degenerate data


def test_duplicates_constant_axes_one_class_one_sample():
    X = np.tile(make_points(1), (10, 1))
    y = np.arange(10) % 2
    tree = HyperbolicDecisionTreeClassifier().fit(X, y)
    assert tree.get_n_leaves() == 1
    assert tree.split_hyperplanes_() == []
    assert_allclose(tree.predict_proba(X[:1]), [[0.5, 0.5]])
    one = HyperbolicDecisionTreeClassifier().fit(make_points(5), ["a"] * 5)
    assert one.predict_proba(make_points(5)).shape == (5, 1)
    single = HyperbolicDecisionTreeRegressor().fit(make_points(1), [3.0])
    assert single.predict(make_points(1)).tolist() == [3.0]
    origin = HyperbolicDecisionTreeRegressor().fit([[1.0, 0.0]] * 3, [1.0, 2.0, 3.0])
    assert origin.predict([[1.0, 0.0]]).tolist() == [2.0]


def test_missing_values_as_in_scikit_learn():
    X = make_points(400, seed=2)
    y = (X[:, 1] > 0).astype(int)
    X[::3, 3] = np.nan
    tree = HyperbolicDecisionTreeClassifier(random_state=0).fit(X, y)
    assert tree.score(X, y) > 0.99  # the other axes are known in these rows
    assert np.isfinite([h.threshold for h in tree.split_hyperplanes_()]).all()
    tags = (
        tree.__sklearn_tags__().input_tags,
        tree.estimator_.__sklearn_tags__().input_tags,
    )
    assert tags[0].allow_nan is tags[1].allow_nan is True


def test_points_off_the_model_are_refused_in_fit_and_predict():
    X = make_points()
    tree = HyperbolicDecisionTreeRegressor().fit(X, X[:, 1])
    for call in (lambda Z: tree.fit(Z, X[:, 1]), tree.predict, tree.apply):
        with pytest.raises(ValueError, match="not on the hyperboloid of curvature -1"):
            call(2.0 * X)
    with pytest.raises(ValueError, match="'curvature' parameter of HyperbolicDecision"):
        HyperbolicDecisionTreeRegressor(curvature=0.0).fit(X, X[:, 1])
    with pytest.raises(ValueError, match="'max_depth' parameter of HyperbolicDecision"):
        HyperbolicDecisionTreeRegressor(max_depth=0).fit(X, X[:, 1])


# scikit-learn's tools for trees


def test_export_and_plot_of_the_wrapped_tree():
    X = make_points()
    tree = HyperbolicDecisionTreeClassifier(max_depth=2).fit(X, make_labels(X))
    text = export_text(tree.estimator_, feature_names=["axial0", "axial1", "axial2"])
    assert "axial" in text
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert len(plot_tree(tree.estimator_, ax=ax)) >= 5
    plt.close(figure)


def test_pruning_path_agrees_with_pruned_trees():
    X = make_points()
    y = make_labels(X)
    tree = HyperbolicDecisionTreeClassifier(random_state=0)
    path = tree.cost_complexity_pruning_path(X, y)
    assert not hasattr(tree, "estimator_")
    assert path.ccp_alphas[0] == 0.0
    alpha = 0.5 * (path.ccp_alphas[-2] + path.ccp_alphas[-3])
    full = tree.fit(X, y).get_n_leaves()
    assert 1 < tree.set_params(ccp_alpha=alpha).fit(X, y).get_n_leaves() < full
    assert tree.get_depth() >= 1


def test_several_outputs():
    X = make_points()
    y = np.column_stack([make_labels(X), make_labels(X, 2, seed=1)])
    tree = HyperbolicDecisionTreeClassifier(random_state=0).fit(X, y)
    assert tree.predict(X).shape == (200, 2)
    assert [p.shape for p in tree.predict_proba(X)] == [(200, 3), (200, 2)]
    logs = tree.predict_log_proba(X)
    assert_allclose(np.exp(logs[0]), tree.predict_proba(X)[0])
    assert [c.tolist() for c in tree.classes_] == [[0, 1, 2], [0, 1]]
    numbers = HyperbolicDecisionTreeRegressor().fit(X, X[:, 1:])
    assert numbers.predict(X).shape == (200, 3)
