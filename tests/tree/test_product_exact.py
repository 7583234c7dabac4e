"""Product-space trees against exhaustive search and against scikit-learn."""

from itertools import islice

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from geolearn.tree import (
    HyperbolicDecisionTreeClassifier,
    HyperbolicDecisionTreeRegressor,
    ProductSpaceDecisionTreeClassifier,
    ProductSpaceDecisionTreeRegressor,
)
from tests.reference import tree as reference
from tests.tree.product_data import SIGNATURES, linear_features, points, targets

pytestmark = pytest.mark.kernels

CRITERIA = ("gini", "entropy", "squared_error")
LINEAR = {
    name: signature
    for name, signature in SIGNATURES.items()
    if all(curvature <= 0.0 for curvature, _ in signature)
}
LINEAR["mixed"] = [(-0.25, 2), (0.0, 2), (-3.0, 1)]


def model(signature, criterion, **options):
    regression = criterion == "squared_error"
    cls = (
        ProductSpaceDecisionTreeRegressor
        if regression
        else ProductSpaceDecisionTreeClassifier
    )
    return cls(signature, criterion=criterion, random_state=0, **options)


def assert_same(tree, node, expected, rows_at):
    """Compare a subtree with the nested tuples of the reference."""
    rows = expected[0] if len(expected) == 1 else expected[2]
    np.testing.assert_array_equal(rows_at[node], rows)
    if len(expected) == 1:
        assert tree.children_left[node] == -1
        assert tree.feature[node] == -2
        return
    feature, threshold, _, left, right = expected
    assert tree.feature[node] == feature
    np.testing.assert_allclose(tree.threshold[node], threshold, rtol=1e-6)
    assert_same(tree, tree.children_left[node], left, rows_at)
    assert_same(tree, tree.children_right[node], right, rows_at)


def tie_free(signature, criterion, n_outputs, weighted, n=40):
    """Yield points, targets and weights without ties, and the exhaustive tree."""
    for seed in range(60):
        X = points(signature, n, seed=seed)
        y, weight = targets(criterion, n, n_outputs, seed=seed + 100)
        weight = weight if weighted else np.ones(n)
        columns = reference.features(X, signature)
        try:
            expected = reference.grow(
                columns, y.reshape(n, -1), weight, criterion, 3, min_leaf=5
            )
        except reference.Tie:
            continue
        yield X, y, weight, expected


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("name", SIGNATURES)
def test_exhaustive_search_finds_the_same_tree(name, criterion, weighted, n_outputs):
    signature = SIGNATURES[name]
    cases = list(islice(tie_free(signature, criterion, n_outputs, weighted), 3))
    assert len(cases) == 3
    for X, y, weight, expected in cases:
        fitted = model(signature, criterion, max_depth=3, min_samples_leaf=5)
        fitted.fit(X, y, weight if weighted else None)
        path = fitted.decision_path(X).toarray().astype(bool)
        rows_at = [np.flatnonzero(path[:, t]) for t in range(path.shape[1])]
        assert_same(fitted.tree_, 0, expected, rows_at)
        for t, rows in enumerate(rows_at):
            own = y.reshape(len(y), -1)[rows]
            np.testing.assert_allclose(
                fitted.tree_.impurity[t],
                reference.impurity(own, weight[rows], criterion),
                rtol=1e-12,
                atol=1e-14,
            )
            assert fitted.tree_.n_node_samples[t] == len(rows)
            np.testing.assert_allclose(
                fitted.tree_.weighted_n_node_samples[t], weight[rows].sum()
            )


def assert_like_sklearn(tree, peer):
    for name in ("children_left", "children_right", "feature", "n_node_samples"):
        np.testing.assert_array_equal(getattr(tree, name), getattr(peer, name))
    np.testing.assert_allclose(tree.impurity, peer.impurity, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        tree.weighted_n_node_samples, peer.weighted_n_node_samples
    )
    np.testing.assert_allclose(tree.value, peer.value, rtol=1e-9, atol=1e-12)
    # scikit-learn's features are float32: a threshold is off by half an ulp.
    np.testing.assert_allclose(tree.threshold, peer.threshold, rtol=1e-6, atol=1e-6)


# Leaves of ten samples: two features rarely part so many in the same way.
OPTIONS = {
    "depth": {"max_depth": 6, "min_samples_leaf": 10},
    "deep": {"min_samples_leaf": 10},
    "split": {"min_samples_split": 0.1, "min_samples_leaf": 0.02},
    "weight": {"min_weight_fraction_leaf": 0.04},
    "leaves": {"max_leaf_nodes": 9, "min_samples_leaf": 10},
    "decrease": {"min_impurity_decrease": 4e-3, "min_samples_leaf": 10},
    "pruned": {"ccp_alpha": 5e-3, "min_samples_leaf": 10},
}


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("name", LINEAR)
def test_scikit_learn_grows_the_same_tree(name, criterion, options, n_outputs):
    signature, n = LINEAR[name], 300
    X = points(signature, n, seed=3)
    y, weight = targets(criterion, n, n_outputs, seed=4)
    regression = criterion == "squared_error"
    peer_class = DecisionTreeRegressor if regression else DecisionTreeClassifier
    peer = peer_class(criterion=criterion, random_state=0, **options)
    S = linear_features(X, signature)
    peer.fit(S, y, weight)
    fitted = model(signature, criterion, **options).fit(X, y, weight)
    assert fitted.tree_.node_count > 5
    assert_like_sklearn(fitted.tree_, peer.tree_)
    np.testing.assert_array_equal(fitted.apply(X), peer.apply(S))
    np.testing.assert_array_equal(
        fitted.decision_path(X).toarray(), peer.decision_path(S).toarray()
    )
    np.testing.assert_allclose(fitted.predict(X), peer.predict(S), rtol=1e-9)
    np.testing.assert_allclose(
        fitted.feature_importances_, peer.feature_importances_, rtol=1e-7, atol=1e-12
    )
    assert fitted.get_depth() == peer.get_depth()
    assert fitted.get_n_leaves() == peer.get_n_leaves()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_pruning_path_is_that_of_scikit_learn(criterion):
    signature, n = LINEAR["mixed"], 200
    X = points(signature, n, seed=5)
    y, weight = targets(criterion, n, 1, seed=6)
    regression = criterion == "squared_error"
    peer_class = DecisionTreeRegressor if regression else DecisionTreeClassifier
    options = {"min_samples_leaf": 5, "random_state": 0}
    peer = peer_class(criterion=criterion, **options)
    expected = peer.cost_complexity_pruning_path(
        linear_features(X, signature), y, weight
    )
    fitted = model(signature, criterion, min_samples_leaf=5)
    path = fitted.cost_complexity_pruning_path(X, y, weight)
    np.testing.assert_allclose(path.ccp_alphas, expected.ccp_alphas, atol=1e-12)
    np.testing.assert_allclose(path.impurities, expected.impurities, rtol=1e-9)
    for alpha in path.ccp_alphas[[2, len(path.ccp_alphas) // 2, -1]]:
        alpha = float(alpha) * (1.0 + 1e-9)
        own = model(signature, criterion, min_samples_leaf=5, ccp_alpha=alpha)
        peer.set_params(ccp_alpha=alpha).fit(linear_features(X, signature), y, weight)
        assert_like_sklearn(own.fit(X, y, weight).tree_, peer.tree_)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 3.5, 2: 0.25}])
def test_class_weights_are_those_of_scikit_learn(criterion, class_weight):
    signature, n = LINEAR["mixed"], 200
    X = points(signature, n, seed=7)
    y, weight = targets(criterion, n, 1, seed=8)
    options = {
        "criterion": criterion,
        "min_samples_leaf": 5,
        "class_weight": class_weight,
        "random_state": 0,
    }
    peer = DecisionTreeClassifier(**options)
    peer.fit(linear_features(X, signature), y, weight)
    fitted = ProductSpaceDecisionTreeClassifier(signature, **options)
    assert_like_sklearn(fitted.fit(X, y, weight).tree_, peer.tree_)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("curvature", [-1.0, -0.3])
def test_the_hyperbolic_estimators_grow_the_same_tree(criterion, curvature):
    signature, n = [(curvature, 3)], 300
    X = points(signature, n, seed=9)
    y, weight = targets(criterion, n, 2, seed=10)
    regression = criterion == "squared_error"
    peer_class = (
        HyperbolicDecisionTreeRegressor
        if regression
        else HyperbolicDecisionTreeClassifier
    )
    options = {"criterion": criterion, "min_samples_leaf": 10, "random_state": 0}
    peer = peer_class(curvature=curvature, **options).fit(X, y, weight)
    fitted = model(signature, criterion, min_samples_leaf=10).fit(X, y, weight)
    assert_like_sklearn(fitted.tree_, peer.tree_)
    np.testing.assert_array_equal(fitted.apply(X), peer.apply(X))


def gain(y, weight, mask):
    y, share = y[:, None], weight[mask].sum() / weight.sum()
    left = reference.impurity(y[mask], weight[mask], "gini")
    right = reference.impurity(y[~mask], weight[~mask], "gini")
    return reference.impurity(y, weight, "gini") - share * left - (1.0 - share) * right


@pytest.mark.parametrize("seed", [71, 99, 231])
def test_weights_of_many_magnitudes_do_not_hide_the_best_split(seed):
    """Rounding of the heavy samples' squares, over a light side, won the search."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 3)), rng.integers(0, 3, 30)
    weight = 10.0 ** rng.uniform(-16.0, 0.0, 30)
    stump = model([(0.0, 3)], "gini", max_depth=1).fit(X, y, weight).tree_
    found = gain(y, weight, X[:, stump.feature[0]] <= stump.threshold[0])
    best = max(
        gain(y, weight, column <= threshold)
        for column in X.T
        for threshold in reference.thresholds(column, False)
    )
    assert found == pytest.approx(best, abs=1e-12)
