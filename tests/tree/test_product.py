"""Product-space trees: worked numbers, exact fits, invariances and refusals."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state

from geolearn.tree import (
    ProductSpaceDecisionTreeClassifier,
    ProductSpaceDecisionTreeRegressor,
)
from geolearn.tree._product_input import _classes_and_codes, random_seed, seed_of
from tests.tree.product_data import SIGNATURES, points, targets

pytestmark = pytest.mark.kernels


def hyperboloid(space, radius=1.0):
    space = np.asarray(space, dtype=float)
    time = np.sqrt(radius**2 + np.sum(space**2, axis=1))
    return np.column_stack([time, space])


def same_tree(one, other, *, scale=1.0):
    for name in ("children_left", "children_right", "feature"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    inner = one.feature >= 0
    np.testing.assert_allclose(
        other.threshold[inner], scale * one.threshold[inner], rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(one.value, other.value, rtol=1e-10, atol=1e-12)


def test_the_tree_of_eight_points():
    space = [(-1.2, -2), (-0.4, 0.6), (1.7, 0.2), (-0.8, -1.2)]
    space += [(1.1, 2.5), (0.4, -1.8), (-1.4, 2.4), (0.3, -2.6)]
    y = [0, 1, 1, 1, 1, 2, 1, 0]
    # Worked by hand in the specification; digits are those given there.
    tree = ProductSpaceDecisionTreeClassifier([(-1.0, 2)], random_state=0)
    tree = tree.fit(hyperboloid(space), y).tree_
    assert tree.axis[0] == 2
    assert tree.component[0] == 0
    assert tree.base_axis[0] == 0
    np.testing.assert_allclose(tree.threshold[0], -0.951286, atol=5e-7)
    right = tree.children_right[0]
    assert tree.feature[right] == -2
    np.testing.assert_allclose(tree.value[right, 0], [0, 1, 0])
    left = tree.children_left[0]
    assert tree.axis[left] == 1
    np.testing.assert_allclose(tree.threshold[left], 0.150271, atol=5e-7)
    gains = [
        tree.impurity[t]
        - sum(
            tree.weighted_n_node_samples[c] * tree.impurity[c]
            for c in (tree.children_left[t], tree.children_right[t])
        )
        / tree.weighted_n_node_samples[t]
        for t in (0, left)
    ]
    np.testing.assert_allclose(gains, [0.364583, 0.444444], atol=5e-7)


def test_the_circle():
    a = np.array([0.8, -1.4, -2.8, -3.0, 1.9, 2.6, 0.7])
    y = np.array([0.9, -0.7, -1.3, -0.6, 0.0, -2.3, -0.2])
    X = np.column_stack([np.cos(a), np.sin(a)])
    fitted = ProductSpaceDecisionTreeRegressor([(1.0, 1)], max_depth=1).fit(X, y)
    tree = fitted.tree_
    np.testing.assert_allclose(tree.threshold[0], 2.25, rtol=1e-14)
    assert tree.circular[0]
    leaves = fitted.apply(X)
    np.testing.assert_array_equal(
        np.flatnonzero(leaves == tree.children_left[0]), [1, 2, 3, 5]
    )
    np.testing.assert_allclose(tree.value[1:, 0, 0], [-1.225, 0.233333], atol=5e-7)
    np.testing.assert_allclose(tree.impurity[0], 0.88, atol=1e-12)
    shares = tree.weighted_n_node_samples[1:] / 7
    np.testing.assert_allclose(
        tree.impurity[0] - shares @ tree.impurity[1:], 0.520833, atol=5e-7
    )


def test_the_midpoint_far_out_is_that_of_lengths():
    # Between 9 and 10 the mean of the ratios would be 9.2831.
    X = hyperboloid(np.sinh([[9.0], [10.0]]))
    tree = ProductSpaceDecisionTreeRegressor([(-1.0, 1)]).fit(X, [0.0, 1.0]).tree_
    np.testing.assert_allclose(tree.threshold[0], 9.5, rtol=1e-14)


@pytest.mark.parametrize("planes", ["axis", "all"])
@pytest.mark.parametrize("name", SIGNATURES)
def test_full_trees_fit_any_points(name, planes):
    signature = SIGNATURES[name]
    for seed in range(4):
        X = points(signature, 120, seed=seed)
        y, _ = targets("gini", 120, 1, seed=seed)
        full = ProductSpaceDecisionTreeClassifier(signature, planes=planes)
        assert full.fit(X, y).score(X, y) == 1.0
        z, _ = targets("squared_error", 120, 2, seed=seed)
        full = ProductSpaceDecisionTreeRegressor(signature, planes=planes).fit(X, z)
        np.testing.assert_array_equal(full.predict(X), z)


@given(st.integers(0, 2**31), st.integers(2, 40), st.integers(1, 12))
def test_points_on_a_coarse_circle_keep_their_sides(seed, n, n_angles):
    # Axes, antipodes and duplicates: angles 0, pi / 2 and pi are hit exactly.
    rng = np.random.default_rng(seed)
    a = 2.0 * np.pi * rng.integers(0, n_angles, size=n) / n_angles
    distinct = np.unique(a, return_inverse=True)[1]
    X = np.column_stack([np.cos(a), np.sin(a)])
    X[np.abs(X) < 1e-9] = 0.0
    y = rng.permutation(n_angles)[distinct]
    full = ProductSpaceDecisionTreeClassifier([(1.0, 1)], random_state=0).fit(X, y)
    assert full.score(X, y) == 1.0


def test_neighbouring_doubles_are_told_apart():
    low = 1.0
    values = [low, np.nextafter(low, 2.0), np.nextafter(np.nextafter(low, 2.0), 2.0)]
    y = [0.0, 1.0, 2.0]
    flat = ProductSpaceDecisionTreeRegressor([(0.0, 1)])
    X = np.array(values)[:, None]
    np.testing.assert_array_equal(flat.fit(X, y).predict(X), y)
    # A mean of the largest doubles does not overflow.
    X = np.array([[-1.7e308], [1.6e308], [1.7e308]])
    np.testing.assert_array_equal(flat.fit(X, y).predict(X), y)


@pytest.mark.parametrize("radius", [30.0, 400.0, 700.0])
def test_points_far_out_on_an_axis_are_told_apart(radius):
    """Squares overflowed beyond 355 radii, and the points were refused."""
    rng = np.random.default_rng(0)
    s, axis = np.sort(rng.uniform(radius - 1.0, radius, 50)), rng.integers(0, 2, 50)
    X = np.column_stack([np.cosh(s), np.sinh(s) * axis, np.sinh(s) * (1 - axis)])
    tree = ProductSpaceDecisionTreeRegressor([(-1.0, 2)]).fit(X, np.sin(6.0 * s))
    np.testing.assert_array_equal(tree.predict(X), np.sin(6.0 * s))
    with pytest.raises(ValueError, match="not on the hyperboloid"):
        tree.predict(X * [1.0, 1.0, 1.0 + 1e-5])


def test_one_is_no_share_of_samples():
    X = points([(-1.0, 2)], 20)
    tree = ProductSpaceDecisionTreeRegressor([(-1.0, 2)], min_samples_split=1)
    with pytest.raises(ValueError, match="'min_samples_split' parameter"):
        tree.fit(X, np.arange(20.0))


def test_radius_thirty():
    # The radius test: error of a forest-free tree far below that of float32 ratios,
    # which is 0.42 at this radius, with variance 0.5.
    rng = np.random.default_rng(0)
    s = rng.uniform(0.0, 30.0, size=400)
    X, y = hyperboloid(np.column_stack([np.sinh(s), 0.1 * s])), np.sin(s)
    tree = ProductSpaceDecisionTreeRegressor([(-1.0, 2)], random_state=0)
    tree.fit(X[:300], y[:300])
    assert np.mean((tree.predict(X[300:]) - y[300:]) ** 2) < 2e-2
    np.testing.assert_array_equal(tree.predict(X[:300]), y[:300])


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("name", ["mixed", "small_sphere", "hyperbolic"])
def test_invariances(name, criterion):
    signature, n = SIGNATURES[name], 150
    X = points(signature, n, seed=1)
    y, weight = targets(criterion, n, 1, seed=2)
    options = {"criterion": criterion, "min_samples_leaf": 5, "random_state": 0}
    tree = ProductSpaceDecisionTreeClassifier(signature, **options)
    reference = tree.fit(X, y, weight).tree_
    order = np.random.default_rng(3).permutation(n)
    same_tree(reference, clone(tree).fit(X[order], y[order], weight[order]).tree_)
    same_tree(reference, clone(tree).fit(X, y, 3.0 * weight).tree_)
    same_tree(reference, pickle.loads(pickle.dumps(tree)).tree_)
    same_tree(reference, tree.fit(X, y, weight).tree_)
    # Scaling a component with its radius scales lengths, and leaves angles alone.
    scaled = [(K / 4.0, d) for K, d in signature]
    other = ProductSpaceDecisionTreeClassifier(scaled, **options)
    other = other.fit(2.0 * X, y, weight).tree_
    lengths = np.where(reference.circular, 1.0, 2.0)[reference.feature >= 0]
    same_tree(reference, other, scale=lengths)


def test_integer_weights_are_repeated_rows():
    signature, n = SIGNATURES["mixed"], 80
    X = points(signature, n, seed=4)
    counts = np.random.default_rng(5).integers(0, 4, size=n)
    for kind in ("gini", "entropy", "squared_error"):
        y, _ = targets(kind, n, 1, seed=6)
        cls = ProductSpaceDecisionTreeClassifier
        if kind == "squared_error":
            cls = ProductSpaceDecisionTreeRegressor
        tree = cls(signature, criterion=kind, random_state=0)
        weighted = clone(tree).fit(X, y, counts).tree_
        rows = np.repeat(np.arange(n), counts)
        same_tree(weighted, clone(tree).fit(X[rows], y[rows]).tree_)


@pytest.mark.parametrize("factor", [1e-15, 1e15])
def test_units_do_not_matter(factor):
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = X[:, 0] + X[:, 1] ** 2
    tree = ProductSpaceDecisionTreeRegressor([(0.0, 3)], random_state=0)
    reference = clone(tree).fit(X, y).tree_
    other = clone(tree).fit(factor * X, factor * y).tree_
    np.testing.assert_array_equal(reference.feature, other.feature)
    inner = reference.feature >= 0
    np.testing.assert_allclose(
        other.threshold[inner], factor * reference.threshold[inner], rtol=1e-12
    )
    np.testing.assert_allclose(other.value, factor * reference.value, rtol=1e-9)


def test_features_of_all_planes_and_heights():
    signature = [(-1.0, 3), (0.0, 2), (1.0, 2)]
    X = points(signature, 60)
    y, _ = targets("gini", 60, 1)
    tree = ProductSpaceDecisionTreeClassifier(
        signature, planes="all", special_dims=True
    ).fit(X, y)
    features = tree.split_features_
    listed = list(zip(features.component, features.base, features.axis, strict=True))
    assert listed == [
        *[(0, 0, 1), (0, 0, 2), (0, 0, 3), (0, 1, 2), (0, 1, 3), (0, 2, 3)],
        *[(1, -1, 1), (1, -1, 2), (1, 1, 2)],
        *[(2, 0, 1), (2, 0, 2), (2, 1, 2)],
        *[(0, -1, 0), (2, -1, 0)],
    ]
    assert features.circular.tolist() == [False] * 3 + [True] * 3 + [
        *[False, False, True],
        *[True, True, True],
        *[False, False],
    ]
    assert tree.feature_importances_.shape == (14,)


def test_a_hyperplane_through_the_origin_needs_all_planes():
    signature = [(-1.0, 2)]
    X = points(signature, 300, seed=2)
    y = X[:, 1] > X[:, 2]
    stump = ProductSpaceDecisionTreeClassifier(signature, max_depth=1)
    assert stump.fit(X, y).score(X, y) < 0.9
    stump.set_params(planes="all").fit(X, y)
    assert stump.score(X, y) == 1.0
    assert (stump.tree_.base_axis[0], stump.tree_.axis[0]) == (1, 2)


def test_a_ball_needs_special_dims():
    signature = [(1.0, 2)]
    X = points(signature, 300, seed=2)
    y = X[:, 0] > 0.5
    stump = ProductSpaceDecisionTreeClassifier(signature, max_depth=1)
    assert stump.fit(X, y).score(X, y) < 0.95
    assert stump.set_params(special_dims=True).fit(X, y).score(X, y) == 1.0


def test_probabilities_and_labels():
    signature, n = SIGNATURES["mixed"], 100
    X = points(signature, n)
    names = np.array(["low", "middle", "high"])
    y = names[targets("gini", n, 1)[0]]
    tree = ProductSpaceDecisionTreeClassifier(signature, max_depth=3).fit(X, y)
    proba = tree.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    np.testing.assert_array_equal(tree.predict(X), tree.classes_[proba.argmax(axis=1)])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(tree.predict_log_proba(X), np.log(proba))
    two = np.column_stack([y, y == "low"]).astype(object)
    tree.fit(X, two)
    assert [p.shape for p in tree.predict_proba(X)] == [(n, 3), (n, 2)]
    assert tree.predict(X).shape == (n, 2)
    assert tree.n_classes_ == [3, 2]
    assert len(tree.predict_log_proba(X)) == 2


def test_one_class_one_sample_and_constant_features():
    signature = SIGNATURES["mixed"]
    X = points(signature, 5)
    tree = ProductSpaceDecisionTreeClassifier(signature)
    assert tree.fit(X, ["a"] * 5).predict_proba(X).shape == (5, 1)
    assert tree.get_depth() == 0
    assert tree.feature_importances_.tolist() == [0.0] * 6
    assert tree.fit(X[:1], ["a"]).predict(X).tolist() == ["a"] * 5
    same = np.repeat(X[:1], 4, axis=0)
    assert tree.fit(same, [0, 1, 1, 1]).get_n_leaves() == 1
    assert tree.predict(same).tolist() == [1] * 4


def test_it_works_in_pipelines_and_searches():
    signature = SIGNATURES["mixed"]
    X = points(signature, 120, seed=1)
    y = X[:, 1] > 0.0
    tree = ProductSpaceDecisionTreeClassifier(signature, random_state=0)
    assert cross_val_score(make_pipeline(tree), X, y).mean() > 0.9
    search = GridSearchCV(tree, {"max_depth": [1, 3], "planes": ["axis", "all"]}, cv=3)
    assert search.fit(X, y).best_score_ > 0.9
    table = pytest.importorskip("pandas").DataFrame(X)
    np.testing.assert_array_equal(
        tree.fit(table, y).predict(table), tree.fit(X, y).predict(X)
    )


def test_single_precision_points_are_taken():
    signature = [(-1.0, 2), (1.0, 2)]
    X = points(signature, 50, spread=20.0).astype(np.float32)
    tree = ProductSpaceDecisionTreeRegressor(signature)
    tree.fit(X, np.arange(50.0))
    np.testing.assert_array_equal(tree.predict(X), np.arange(50.0))
    off = X.astype(np.float64)
    off[:, 0] *= 1.0 + 1e-4
    tree.fit(off.astype(np.float32), np.arange(50.0))
    with pytest.raises(ValueError, match="not on the hyperboloid of curvature -1"):
        tree.fit(off, np.arange(50.0))


@pytest.mark.parametrize(
    ("signature", "change", "message"),
    [
        (None, None, r"signature=None: say which columns .* \[\(0.0, 6\)\]"),
        (3, None, "signature"),
        ([], None, "no component"),
        ([(-1.0, 2.5)], None, r"signature\[0\]=\(-1.0, 2.5\) must be a pair"),
        ([(-1.0,)], None, r"signature\[0\]"),
        ([(np.inf, 2)], None, r"signature\[0\]"),
        ([(-1.0, 2), (1.0, 3)], None, "6 columns, but .* needs 7"),
        ([(-4.0, 2), (1.0, 2)], None, "not on the hyperboloid of curvature -4"),
        ([(-1.0, 2), (2.0, 2)], None, "columns 3 to 5 .* not on the sphere"),
        ([(-1.0, 2), (1.0, 2)], (0, -1.0), r"X\[7\] is on the lower sheet"),
        ([(-1.0, 2), (1.0, 2)], (1, np.nan), "NaN"),
        ([(-1.0, 2), (1.0, 2)], (1, np.inf), "infinity"),
        ([(-1.0, 2), (1.0, 2)], (4, 5.0), "in row 7.*project"),
    ],
)
def test_bad_points_and_signatures(signature, change, message):
    X = points([(-1.0, 2), (1.0, 2)], 20)
    if change is not None:
        X[7, change[0]] = change[1]
    with pytest.raises(ValueError, match=message):
        ProductSpaceDecisionTreeRegressor(signature).fit(X, np.arange(20.0))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(20), "zero for every sample"),
        (-np.ones(20), "sample_weight must be .* that of sample 0 is -1"),
        (np.full(20, np.nan), "finite"),
        (np.full(20, 1e200), "largest of sample_weight is 1e.200"),
        (np.full(20, 1e-200), "largest of sample_weight is 1e-200"),
        (np.ones(19), r"shape \(20,\)"),
    ],
)
def test_bad_weights(weight, message):
    X = points([(-1.0, 2)], 20)
    with pytest.raises(ValueError, match=message):
        ProductSpaceDecisionTreeRegressor([(-1.0, 2)]).fit(X, np.arange(20.0), weight)


def test_points_are_checked_when_predicting_too():
    X = points([(-1.0, 2)], 20)
    tree = ProductSpaceDecisionTreeRegressor([(-1.0, 2)]).fit(X, np.arange(20.0))
    with pytest.raises(ValueError, match="not on the hyperboloid"):
        tree.predict(X + 0.1)


def test_classes_without_weight_are_an_error():
    X = points([(-1.0, 2)], 20)
    tree = ProductSpaceDecisionTreeClassifier([(-1.0, 2)], class_weight={0: 0.0, 1: 0})
    with pytest.raises(ValueError, match="class_weight is zero for every"):
        tree.fit(X, np.arange(20) % 2)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, 1e200])
def test_bad_class_weights_are_an_error(value):
    """Negative ones and NaN left rows of the sorted features uninitialised."""
    X = points([(-1.0, 2)], 20)
    tree = ProductSpaceDecisionTreeClassifier(
        [(-1.0, 2)], class_weight={0: value, 1: 1.0}
    )
    with pytest.raises(ValueError, match="class_weight"):
        tree.fit(X, np.arange(20) % 2)


@pytest.mark.parametrize("size", [1e-200, 1e160])
def test_targets_whose_squares_are_out_of_range_are_an_error(size):
    """They gave a single leaf in silence."""
    X = points([(-1.0, 2)], 20)
    tree = ProductSpaceDecisionTreeRegressor([(-1.0, 2)])
    with pytest.raises(ValueError, match="largest size in y"):
        tree.fit(X, size * np.arange(20.0))
    assert tree.fit(X, np.zeros(20)).get_n_leaves() == 1


def test_sparse_and_mixed_labels_are_errors_that_say_so():
    X = points([(-1.0, 2)], 20)
    tree = ProductSpaceDecisionTreeClassifier([(-1.0, 2)])
    with pytest.raises(TypeError, match="Sparse data was passed for y"):
        tree.fit(X, sparse.csr_array(np.eye(20)))
    with pytest.raises(TypeError, match="y mixes labels that cannot be sorted"):
        tree.fit(X, np.array(["a", 1] * 10, dtype=object))


def test_the_sign_of_zero_does_not_matter():
    X = points([(1.0, 2)], 100)
    X[:2] = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    tree = ProductSpaceDecisionTreeClassifier([(1.0, 2)], planes="all", random_state=0)
    tree.fit(X, np.arange(100) % 4)
    new = np.concatenate([np.eye(3), -np.eye(3)]) + 0.0
    np.testing.assert_array_equal(
        tree.apply(new), tree.apply(np.where(new == 0.0, -0.0, new))
    )


def test_shares_of_samples_are_rounded_up():
    X = np.random.default_rng(0).normal(size=(150, 1))
    tree = ProductSpaceDecisionTreeRegressor([(0.0, 1)], min_samples_leaf=0.0173)
    tree = tree.fit(X, np.sin(9.0 * X[:, 0])).tree_  # 0.0173 * 150 = 2.595
    assert tree.n_node_samples.min() == 3
    tree = ProductSpaceDecisionTreeRegressor([(0.0, 1)], min_samples_split=0.0173)
    tree = tree.fit(X, np.sin(9.0 * X[:, 0])).tree_
    inner = tree.feature >= 0
    assert tree.n_node_samples[inner].min() == 3
    assert tree.n_node_samples[~inner].max() == 2


def test_max_features_counts_features_that_are_not_constant():
    X = np.random.default_rng(0).normal(size=(100, 4))
    X[:, 3] = 1.0
    y = X[:, 0]
    roots = {}
    for max_features in (1, 2, 3, None):
        roots[max_features] = [
            ProductSpaceDecisionTreeRegressor(
                [(0.0, 4)], max_features=max_features, max_depth=1, random_state=seed
            )
            .fit(X, y)
            .tree_.feature[0]
            for seed in range(60)
        ]
    assert set(roots[None]) == {0}
    assert set(roots[3]) == {0}  # the constant one is not counted
    assert len(set(roots[2])) == 2  # of the other two, the better one
    assert set(roots[1]) == {0, 1, 2}
    # The best feature is among k of three with probability k / 3.
    assert abs(roots[1].count(0) - 20) < 12
    assert abs(roots[2].count(0) - 40) < 12


@pytest.mark.parametrize("state", [0, 7, np.int64(3), 2**32 - 1])
def test_seeds_are_those_of_a_new_generator(state):
    seed_of(5)
    expected = random_seed(check_random_state(state))
    assert seed_of(state) == seed_of(state) == expected
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(seed_of, [state] * 4)) == [expected] * 4


def test_seeds_of_generators_advance_them():
    one, two = np.random.RandomState(4), np.random.RandomState(4)
    assert [seed_of(one) for _ in range(3)] == [random_seed(two) for _ in range(3)]
    with pytest.raises(ValueError, match="Seed must be between"):
        seed_of(-1)
    with pytest.raises(ValueError, match="cannot be used to seed"):
        seed_of("first")


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-20, 20), min_size=1),
    st.sampled_from(["int64", "int8", "uint16", "uint64", "float64", "str"]),
)
def test_classes_and_codes_are_those_of_sorting(labels, dtype):
    labels = np.array(labels, dtype=np.int64).astype(dtype)
    classes, codes = _classes_and_codes(labels)
    expected, places = np.unique(labels, return_inverse=True)
    np.testing.assert_array_equal(classes, expected)
    assert classes.dtype == expected.dtype
    np.testing.assert_array_equal(codes, places)


def test_predicting_after_a_fit_that_failed_does_not_read_past_the_features():
    X = points(SIGNATURES["mixed"], 60)
    y = np.arange(60) % 3
    tree = ProductSpaceDecisionTreeClassifier(SIGNATURES["mixed"], planes="all")
    tree.fit(X, y).set_params(planes="axis")
    with pytest.raises(ValueError, match="sample_weight"):
        tree.fit(X, y, sample_weight=-np.ones(60))
    with pytest.raises(ValueError, match="has 6 features, but the tree splits 9"):
        tree.predict(X)
