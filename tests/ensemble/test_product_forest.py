"""Forests on product spaces: averages, bootstrap, out-of-bag scores, threads."""

import logging
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, balanced_accuracy_score, r2_score

from geolearn.ensemble import (
    ProductSpaceRandomForestClassifier,
    ProductSpaceRandomForestRegressor,
)
from geolearn.tree import ProductSpaceDecisionTreeClassifier
from tests.tree.product_data import SIGNATURES, linear_features, points

pytestmark = pytest.mark.kernels

SIGNATURE = SIGNATURES["mixed"]


def labelled(n=150, seed=0, n_classes=3):
    X = points(SIGNATURE, n, seed=seed)
    noise = np.random.default_rng(seed).normal(size=n)
    score = X[:, 1] + X[:, 4] + X[:, 6] + 0.3 * noise
    return X, np.digitize(
        score, np.quantile(score, np.arange(1, n_classes) / n_classes)
    )


def classifier(**options):
    options = {"n_estimators": 8, "random_state": 0, **options}
    return ProductSpaceRandomForestClassifier(SIGNATURE, **options)


def regressor(**options):
    options = {"n_estimators": 8, "random_state": 0, **options}
    return ProductSpaceRandomForestRegressor(SIGNATURE, **options)


def test_predictions_are_means_of_the_trees():
    X, y = labelled()
    forest = classifier().fit(X, y)
    trees = [tree.predict_proba(X) for tree in forest.estimators_]
    proba = forest.predict_proba(X)
    np.testing.assert_allclose(proba, np.mean(trees, axis=0), rtol=1e-14)
    np.testing.assert_array_equal(forest.predict(X), proba.argmax(axis=1))
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(forest.predict_log_proba(X), np.log(proba))
    leaves = forest.apply(X)
    assert leaves.shape == (150, 8)
    np.testing.assert_array_equal(leaves[:, 3], forest.estimators_[3].apply(X))
    path, ends = forest.decision_path(X)
    assert path.shape == (150, ends[-1])
    np.testing.assert_array_equal(
        path[:, ends[3] : ends[4]].toarray(),
        forest.estimators_[3].decision_path(X).toarray(),
    )
    np.testing.assert_allclose(forest.feature_importances_.sum(), 1.0)

    numbers = regressor().fit(X, X[:, :2])
    means = np.mean([tree.predict(X) for tree in numbers.estimators_], axis=0)
    np.testing.assert_allclose(numbers.predict(X), means, rtol=1e-12, atol=1e-14)


def test_each_tree_is_that_of_its_bootstrap_counts():
    X, y = labelled()
    forest = classifier(max_features=None).fit(X, y)
    for tree in forest.estimators_:
        drawn = np.random.RandomState(tree.random_state).randint(0, 150, 150)
        counts = np.bincount(drawn, minlength=150)
        assert tree.tree_.n_node_samples[0] == np.count_nonzero(counts)
        assert tree.tree_.weighted_n_node_samples[0] == 150.0
        rows = np.repeat(np.arange(150), counts)
        # All features, and no ties: the tree of the repeated rows has its leaves.
        alone = ProductSpaceDecisionTreeClassifier(SIGNATURE, random_state=1)
        alone.fit(X[rows], y[rows])
        np.testing.assert_array_equal(alone.predict(X[rows]), tree.predict(X[rows]))
    assert len({tree.tree_.threshold[0] for tree in forest.estimators_}) > 1


@pytest.mark.parametrize("make", [classifier, regressor])
def test_bits_do_not_depend_on_the_number_of_threads(make):
    X, y = labelled()
    weight = np.random.default_rng(1).uniform(size=150)
    one = make(n_jobs=1, oob_score=True, n_estimators=30).fit(X, y, weight)
    two = make(n_jobs=2, oob_score=True, n_estimators=30).fit(X, y, weight)
    for a, b in zip(one.estimators_, two.estimators_, strict=True):
        np.testing.assert_array_equal(a.tree_.threshold, b.tree_.threshold)
        np.testing.assert_array_equal(a.tree_.value, b.tree_.value)
    assert one.oob_score_ == two.oob_score_
    np.testing.assert_array_equal(one.predict(X), two.predict(X))
    name = "predict_proba" if make is classifier else "predict"
    np.testing.assert_array_equal(
        getattr(one, name)(X), getattr(two.set_params(n_jobs=3), name)(X)
    )
    again = pickle.loads(pickle.dumps(two))
    np.testing.assert_array_equal(getattr(again, name)(X), getattr(one, name)(X))


def test_out_of_bag_predictions_by_hand():
    X, y = labelled()
    forest = classifier(n_estimators=40, oob_score=True).fit(X, y)
    sums, votes = np.zeros((150, 3)), np.zeros(150)
    for tree in forest.estimators_:
        drawn = np.random.RandomState(tree.random_state).randint(0, 150, 150)
        out = np.setdiff1d(np.arange(150), drawn)
        sums[out] += tree.predict_proba(X[out])
        votes[out] += 1
    expected = sums / votes[:, None]
    np.testing.assert_allclose(forest.oob_decision_function_, expected, rtol=1e-12)
    assert forest.oob_score_ == accuracy_score(y, expected.argmax(axis=1))
    scored = classifier(n_estimators=40, oob_score=balanced_accuracy_score).fit(X, y)
    assert scored.oob_score_ == balanced_accuracy_score(y, expected.argmax(axis=1))

    z = np.column_stack([X[:, 1], X[:, 4]])
    numbers = regressor(n_estimators=40, oob_score=True).fit(X, z)
    assert numbers.oob_prediction_.shape == (150, 2)
    assert numbers.oob_score_ == r2_score(z, numbers.oob_prediction_)
    two = classifier(n_estimators=40, oob_score=accuracy_on_first)
    two.fit(X, np.column_stack([y, y > 0]))
    assert two.oob_decision_function_.shape == (150, 3, 2)
    assert two.oob_score_ > 0.5
    share = np.mean(
        two.set_params(oob_score=True).fit(X, np.column_stack([y, y])).oob_score_
    )
    assert share > 0.5


def accuracy_on_first(truth, guess):
    return accuracy_score(truth[:, 0], guess[:, 0])


def test_samples_in_every_bag_have_no_out_of_bag_prediction():
    X, y = labelled()
    with pytest.warns(
        UserWarning, match="samples are in the bootstrap sample of every"
    ):
        forest = classifier(n_estimators=2, oob_score=True).fit(X, y)
    missing = np.isnan(forest.oob_decision_function_).all(axis=1)
    assert 0 < missing.sum() < 150
    known = forest.oob_decision_function_[~missing].argmax(axis=1)
    assert forest.oob_score_ == accuracy_score(y[~missing], known)


def test_scikit_learn_predicts_as_well():
    signature = [(-1.0, 3), (0.0, 1)]
    X = points(signature, 300, seed=1)
    S = linear_features(X, signature)
    y = np.sin(2.0 * S[:, 0]) + S[:, 1] * S[:, 3]
    own = ProductSpaceRandomForestRegressor(signature, 40, random_state=0)
    peer = RandomForestRegressor(40, random_state=0)
    scores = [
        own.fit(X[:200], y[:200]).score(X[200:], y[200:]),
        peer.fit(S[:200], y[:200]).score(S[200:], y[200:]),
    ]
    assert abs(scores[0] - scores[1]) < 0.02
    c = np.digitize(y, [-0.5, 0.5])
    own = ProductSpaceRandomForestClassifier(signature, 40, random_state=0)
    peer = RandomForestClassifier(40, random_state=0)
    scores = [
        own.fit(X[:200], c[:200]).score(X[200:], c[200:]),
        peer.fit(S[:200], c[:200]).score(S[200:], c[200:]),
    ]
    assert abs(scores[0] - scores[1]) < 0.05


def test_a_warm_start_continues_the_same_forest():
    X, y = labelled()
    whole = classifier(n_estimators=6, oob_score=True)
    part = classifier(n_estimators=2, warm_start=True).fit(X, y)
    part.set_params(n_estimators=6, oob_score=True)
    with pytest.warns(UserWarning, match="bootstrap sample of every"):
        whole.fit(X, y)
    with pytest.warns(UserWarning, match="bootstrap sample of every"):
        part.fit(X, y)
    np.testing.assert_array_equal(whole.predict_proba(X), part.predict_proba(X))
    assert whole.oob_score_ == part.oob_score_
    with pytest.raises(ValueError, match="n_estimators=3 must be at least the 6 trees"):
        part.set_params(n_estimators=3).fit(X, y)
    part.set_params(n_estimators=6, oob_score=False)
    with pytest.warns(UserWarning, match="grows no new trees"):
        part.fit(X, y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.arange(150) % 40}, "classes of y changed"),
        ({"y": np.array(["a", "b", "c"] * 50)}, "classes of y changed"),
        ({"y": np.arange(300).reshape(150, 2) % 3}, "outputs of y changed from 1 to 2"),
        ({"planes": "axis"}, "planes and special_dims changed"),
        ({"signature": [(0.0, 8)]}, "signature changed"),
    ],
)
def test_a_warm_start_refuses_another_problem(change, message):
    """Trees of more classes or features wrote and read past the ends of arrays."""
    X, y = labelled()
    forest = classifier(warm_start=True, planes="all", special_dims=True).fit(X, y)
    before = forest.predict_proba(X)
    options = {"y": y, **change}
    y = options.pop("y")
    forest.set_params(n_estimators=16, **options)
    with pytest.raises(ValueError, match=message):
        forest.fit(X, y)
    np.testing.assert_array_equal(forest.predict_proba(X), before)
    forest.set_params(warm_start=False)
    assert forest.fit(X, y).predict(X).shape == y.shape


def test_the_size_of_bootstrap_samples():
    X, y = labelled()
    for size, n in ((20, 20), (0.2, 30), (None, 150)):
        forest = classifier(max_samples=size).fit(X, y)
        assert forest.estimators_[0].tree_.weighted_n_node_samples[0] == n
    with pytest.raises(ValueError, match="max_samples=151 must be at most"):
        classifier(max_samples=151).fit(X, y)
    with pytest.raises(ValueError, match="max_samples=20 is the size"):
        classifier(max_samples=20, bootstrap=False).fit(X, y)
    with pytest.raises(ValueError, match="oob_score needs samples"):
        classifier(oob_score=True, bootstrap=False).fit(X, y)


def test_without_bootstrap_integer_weights_are_repeated_rows():
    X, y = labelled()
    counts = np.random.default_rng(1).integers(0, 3, 150)
    rows = np.repeat(np.arange(150), counts)
    forest = classifier(bootstrap=False)
    weighted = clone(forest).fit(X, y, counts).predict_proba(X)
    repeated = clone(forest).fit(X[rows], y[rows]).predict_proba(X)
    np.testing.assert_array_equal(weighted, repeated)


@pytest.mark.parametrize("class_weight", ["balanced", "balanced_subsample", {0: 5.0}])
def test_class_weights(class_weight):
    X, y = labelled()
    rare = np.concatenate([np.flatnonzero(y > 0), np.flatnonzero(y == 0)[:5]])
    X, y = X[rare], y[rare]
    forest = classifier(class_weight=class_weight).fit(X, y)
    n_root = [tree.tree_.weighted_n_node_samples[0] for tree in forest.estimators_]
    shares = np.array([tree.tree_.value[0, 0] for tree in forest.estimators_])
    if class_weight == "balanced_subsample":
        # Every bag is balanced over the classes that it holds.
        held = shares > 0.0
        expected = held / held.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(shares, expected, rtol=1e-12)
    elif class_weight == "balanced":
        assert np.all(np.abs(shares[:, 1:] - 1 / 3) < 0.2)
        assert np.std(n_root) > 0.0
    else:
        drawn = np.random.RandomState(forest.estimators_[0].random_state).randint(
            0, len(y), len(y)
        )
        weight = np.where(y[drawn] == 0, 5.0, 1.0)
        np.testing.assert_allclose(n_root[0], weight.sum())


def test_few_of_many_features_are_sorted_at_the_nodes():
    # 1 of 12 features: the other way to the same splits.
    rng = np.random.default_rng(0)
    signature = [(0.0, 8), (1.0, 4)]
    X = points(signature, 200)
    y = rng.normal(size=200)
    forest = ProductSpaceRandomForestRegressor(
        signature, n_estimators=5, max_features=1, bootstrap=False, random_state=0
    )
    # The mean of five equal numbers rounds.
    np.testing.assert_allclose(forest.fit(X, y).predict(X), y, rtol=1e-15)


def test_progress_is_logged(caplog):
    X, y = labelled(50)
    with caplog.at_level(logging.INFO, logger="geolearn"):
        classifier(verbose=0).fit(X, y)
        assert not caplog.messages
        classifier(verbose=2).fit(X, y)
    assert any("tree 8 of 8" in message for message in caplog.messages)
    assert "8 trees on 50 samples" in caplog.messages[-1]
