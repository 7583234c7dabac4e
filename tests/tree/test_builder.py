"""The kernels of the builder, each against its definition."""

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolearn.tree import _builder, _builder_order, _builder_sides, _builder_sweeps
from geolearn.tree._product_features import half_angles, split_features
from geolearn.tree._structure import make_tree

pytestmark = pytest.mark.kernels


@given(st.integers(0, 2**31), st.integers(0, 200), st.sampled_from([3, 10**9]))
def test_pairs_are_sorted_stably(seed, n, n_values):
    rng = np.random.default_rng(seed)
    a = int(rng.integers(0, n + 1))
    keys = rng.integers(0, n_values, size=n).astype(float)
    entries = np.arange(n, dtype=np.int32)
    expected = a + np.argsort(keys[a:], kind="stable")
    outside = keys[:a].copy()
    before = keys.copy()
    _builder_sweeps.sort_pairs(keys, entries, a, n, np.empty(n), np.empty(n, np.int32))
    np.testing.assert_array_equal(entries[a:], expected)
    np.testing.assert_array_equal(keys[a:], before[expected])
    np.testing.assert_array_equal(keys[:a], outside)


def test_presort_keeps_rows_of_equal_values_and_marks_who_leaves():
    z = np.array([0.5, -0.2, 0.5, 0.0, -0.0, 1.0, -1.0])
    Z = np.vstack([z, z])
    order = _builder_order.presort(Z, np.array([False, True]), 2).order
    assert order[0].tolist() == [6, 1, 3, 4, 0, 2, 5]
    # By size; those of positive sign start on the left side and leave it.
    assert order[1].tolist() == [~3, 4, 1, ~0, ~2, ~5, 6]


def test_the_sign_tells_the_half_and_the_size_the_angle():
    angles = np.array([0.0, 0.3, 3.1, math.pi, -3.1, -0.3, -1e-300])
    z = half_angles(np.cos(angles), np.sin(angles))
    # sin(pi) is positive in doubles: 3.14... is just below pi.
    np.testing.assert_allclose(
        np.abs(z),
        [0.0, 0.3, 3.1, 0.0, math.pi - 3.1, math.pi - 0.3, math.pi],
        atol=1e-15,
    )
    assert np.signbit(z).tolist() == [False] * 3 + [True] * 4
    z = half_angles(np.array([-1.0, -1.0, 1.0, 0.0]), np.array([0.0, -0.0, -0.0, 0.0]))
    assert z.tolist() == [0.0] * 4
    assert np.signbit(z).tolist() == [True, True, False, False]


@given(st.floats(0.0, math.pi), st.floats(-math.pi, math.pi))
def test_half_circles_are_half_circles(threshold, angle):
    z = half_angles(np.cos(angle), np.sin(angle))
    behind = math.remainder(angle - threshold, 2.0 * math.pi)
    if 1e-9 < abs(behind) < math.pi - 1e-9:
        assert _builder_sides.is_left(float(z), threshold, True) == (behind > 0.0)


@pytest.mark.parametrize("circular", [False, True])
@given(st.lists(st.floats(0.0, math.pi), min_size=2, max_size=6, unique=True))
def test_thresholds_part_neighbours(circular, values):
    # Also where values are a rounding error apart.
    values = [*values, *(np.nextafter(v, 1.0) for v in values[:2])]
    values = np.unique(values)
    n = len(values)
    for p in range(1, n):
        t = _builder_sides.threshold_between(values, 0, n, p, circular)
        if circular:
            assert values[p - 1] < t <= values[p]
        else:
            assert values[p - 1] <= t < values[p]
    if circular:
        t = _builder_sides.threshold_between(values, 0, n, n, True)
        assert 0.0 <= t < math.pi
        # All in one half go the same way.
        sides = [bool(_builder_sides.is_left(v, t, True)) for v in values]
        assert len(set(sides)) == 1 or t == 0.0


def test_random_draws_are_uniform_and_repeatable():
    state = np.array([12345], dtype=np.int64)
    draws = [_builder.draw(state, 7) for _ in range(14000)]
    counts = np.bincount(draws, minlength=7)
    assert np.all(np.abs(counts - 2000) < 200)
    assert 0 < state[0] < 2**32
    state[0] = 12345
    assert [_builder.draw(state, 7) for _ in range(50)] == draws[:50]


@given(st.integers(0, 2**31), st.integers(1, 60))
def test_the_heap_pops_in_order_of_gain(seed, n):
    rng = np.random.default_rng(seed)
    numbers = np.zeros((n, 4))
    numbers[:, _builder.GAIN] = rng.integers(0, 5, size=n)
    heap, size = np.empty(n, np.int64), 0
    ints = np.zeros((n, 7), np.int64)
    for node in rng.permutation(n):
        size = _builder.push(heap, size, ints, numbers, node, True)
    expected = [(-numbers[t, _builder.GAIN], t) for t in range(n)]
    heapq.heapify(expected)
    while size:
        node = _builder.pop(heap, size, numbers, True)
        size -= 1
        assert node == heapq.heappop(expected)[1]


@given(st.integers(0, 2**31), st.integers(1, 50))
def test_partition_is_stable(seed, n):
    rng = np.random.default_rng(seed)
    a = int(rng.integers(0, n))
    samples = rng.permutation(n).astype(np.int32)
    order = np.where(rng.random(n) < 0.5, samples, ~samples).astype(np.int32)
    values = rng.normal(size=n)
    mark = rng.integers(0, 2, size=n).astype(np.int8)
    left = mark[samples[a:]].astype(bool)
    expected = np.concatenate([order[a:][left], order[a:][~left]])
    expected_values = np.concatenate([values[a:][left], values[a:][~left]])
    spare = np.empty(n, np.int32), np.empty(n)
    _builder.partition(order, values, a, n, mark, *spare)
    np.testing.assert_array_equal(order[a:], expected)
    np.testing.assert_array_equal(values[a:], expected_values)


@pytest.mark.parametrize("criterion", [0, 1, 2])
@pytest.mark.parametrize("max_leaves", [0, 11])
def test_sorting_at_nodes_makes_the_same_tree(criterion, max_leaves, monkeypatch):
    rng = np.random.default_rng(0)
    n = 120
    Z = np.vstack([rng.normal(size=(2, n)), rng.uniform(-math.pi, math.pi, (3, n))])
    Z[1] = np.round(Z[1], 1)  # equal values
    circular = np.array([False, False, True, True, True])
    codes = rng.integers(0, 3, size=(n, 1)).astype(np.int32)
    y = rng.normal(size=(n, 2))
    if criterion == _builder.SQUARES:
        target = (np.empty((0, 0), np.int32), y, 2)
    else:
        target = (codes, np.empty((0, 0)), 3)
    weight = rng.uniform(size=n) * (rng.uniform(size=n) < 0.8)
    limits = _builder.Limits(50, 2, 1, 0.0, 0.0, 2, max_leaves, float(weight.sum()))
    results = []
    for cost in (0.0, 100.0):
        monkeypatch.setattr(_builder_order, "SORT_COST", cost)
        presorted = _builder_order.presort(Z, circular, 2)
        assert len(presorted.order) == (0 if cost == 0.0 else 5)
        results.append(
            _builder_order.grow_tree(presorted, target, weight, criterion, limits, 7)
        )
    for one, other in zip(*results, strict=True):
        leaf = results[0][0][:, 0] < 0
        one, other = one[~leaf], other[~leaf]
        np.testing.assert_allclose(one[:, :4], other[:, :4], rtol=1e-10, atol=1e-12)


def test_preorder_numbers_left_subtrees_first():
    #      0
    #   1     2
    #        3 4
    ints = np.zeros((5, 7), np.int64)
    ints[:, 0] = [1, -1, 3, -1, -1]
    ints[:, 1] = [2, -1, 4, -1, -1]
    ints[[0, 2], :2] = [[2, 1], [3, 4]]  # the root's left child is node 2
    ints[:, 2] = [0, -2, 0, -2, -2]
    numbers, value = np.arange(20.0).reshape(5, 4), np.arange(5.0)[:, None, None]
    features = split_features(((0.0, 1),), "axis", False)
    tree = make_tree(ints, numbers, value, features, preorder=True)
    assert tree.children_left.tolist() == [1, 2, -1, -1, -1]
    assert tree.children_right.tolist() == [4, 3, -1, -1, -1]
    assert tree.value.ravel().tolist() == [0, 2, 3, 4, 1]
    assert tree.max_depth == 2
    assert tree.n_leaves == 3
