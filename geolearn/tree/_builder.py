"""Growth of one tree from features sorted once, in compiled loops.

A node is a range [start, stop) of every row of `order`, which lists its samples by
increasing value of a feature. Splitting partitions all rows stably, so that nothing
is sorted again. Where few of many features are tried at a node, it is cheaper to
keep one list of samples and to sort the features that are tried.
"""
# kernels: _builder_sides=46e99f3e, _builder_sweeps=f02e26fb

import math
from typing import NamedTuple

import numpy as np

from geolearn.tree._builder_sides import is_left, threshold_between
from geolearn.tree._builder_sweeps import (
    sort_pairs,
    sweep_entropy,
    sweep_gini,
    sweep_squares,
    xlogx,
)
from geolearn.utils._jit import kernel

GINI, ENTROPY, SQUARES = 0, 1, 2
# Columns of the integers and of the numbers of the nodes.
LEFT, RIGHT, FEATURE, COUNT, START, STOP, DEPTH = 0, 1, 2, 3, 4, 5, 6
THRESHOLD, IMPURITY, WEIGHT, GAIN = 0, 1, 2, 3
NONE = -2  # the feature of a leaf
_MASK = 0xFFFFFFFF
_ROUNDING = 4e-15  # several units in the last place
_SLACK = 1e-12  # relative; sums over 1e5 samples lose three digits
_SMALLEST = 5e-324


class Sample(NamedTuple):
    """What a tree is fitted to; samples of weight zero are left out of `order`."""

    Z: np.ndarray  # (n_features, n_samples); on circles the sign is the half
    circular: np.ndarray  # (n_features,) of bool
    codes: np.ndarray  # (n_samples, n_outputs) columns of the class weights
    y: np.ndarray  # (n_samples, n_outputs) targets of regression
    weight: np.ndarray  # (n_samples,)
    unit: bool  # all weights are one
    criterion: int


class Limits(NamedTuple):
    """When to stop."""

    max_depth: int
    min_split: int
    min_leaf: int
    min_weight: float
    min_decrease: float
    max_features: int
    max_leaves: int  # 0: no limit, depth first; else best first
    total: float  # weight of all samples


class Work(NamedTuple):
    """Scratch arrays of one tree."""

    order: np.ndarray  # (n_features or 1, n) sorted samples, see the sweeps
    values: np.ndarray  # (n_features or 1, n) their values
    spare_order: np.ndarray  # (n,)
    spare_values: np.ndarray  # (n,)
    goes_left: np.ndarray  # (n_samples,) of bool
    left: np.ndarray  # (n_columns,)
    right: np.ndarray  # (n_columns,)
    features: np.ndarray  # (n_features,) a permutation
    state: np.ndarray  # (1,) of the random numbers, in [1, 2^32)
    row_order: np.ndarray  # (n,) a feature sorted at its node, else empty
    row_values: np.ndarray  # (n,)


@kernel(nogil=True)
def draw(state, n):
    """Return an integer below n: xorshift, 32 bits in a signed 64-bit integer."""
    x = state[0]
    x ^= (x << 13) & _MASK
    x ^= x >> 17
    x ^= (x << 5) & _MASK
    state[0] = x
    return x % n


@kernel(nogil=True)
def sort_feature(sample, work, f, a, b):
    """Write the samples of a node by increasing value of feature f."""
    for p in range(a, b):
        i = work.order[0, p]
        z = sample.Z[f, i]
        if sample.circular[f]:
            i = i if math.copysign(1.0, z) < 0.0 else ~i
            z = abs(z)
        work.row_order[p] = i
        work.row_values[p] = z
    sort_pairs(
        work.row_values, work.row_order, a, b, work.spare_values, work.spare_order
    )


@kernel(nogil=True)
def is_constant(order, values, a, b, circular):
    """Say whether the samples of a node agree in a feature."""
    if values[a] < values[b - 1]:
        return False
    if circular:
        for p in range(a + 1, b):
            if (order[p] < 0) != (order[a] < 0):
                return False
    return True


@kernel(nogil=True)
def rounding_of_scores(sample, mean, impurity, weight):
    """Return a bound of what rounding does to the scores of a node."""
    if sample.criterion == SQUARES:  # rounding of sums, and of the targets
        error = 0.0
        for o in range(mean.shape[0]):
            error += _SLACK * impurity + _ROUNDING * abs(mean[o]) * math.sqrt(impurity)
        return error * weight
    scale = _SLACK * weight * sample.codes.shape[1]
    if sample.criterion == ENTROPY:
        scale *= 1.0 + abs(math.log2(weight))
    return scale


@kernel(nogil=True)
def best_split(sample, limits, work, mean, a, b, weight, slack):
    """Try features in random order; return score, feature and threshold."""
    best, feature, threshold = -math.inf, NONE, 0.0
    n_features = work.features.shape[0]
    presorted = work.row_order.shape[0] == 0
    visited = 0
    for k in range(n_features):
        j = k + draw(work.state, n_features - k)
        f = work.features[j]
        work.features[j] = work.features[k]
        work.features[k] = f
        circular = sample.circular[f]
        if presorted:
            order, values = work.order[f], work.values[f]
        else:
            sort_feature(sample, work, f, a, b)
            order, values = work.row_order, work.row_values
        if is_constant(order, values, a, b, circular):
            continue
        # fmt: off
        if sample.criterion == GINI:
            score, position = sweep_gini(
                order, values, a, b, circular, sample.codes, sample.weight,
                sample.unit, mean, limits, slack, work.left, work.right)
        elif sample.criterion == ENTROPY:
            score, position = sweep_entropy(
                order, values, a, b, circular, sample.codes, sample.weight,
                sample.unit, mean, limits, slack, work.left, work.right)
        else:
            score, position = sweep_squares(
                order, values, a, b, circular, sample.y, sample.weight,
                sample.unit, mean, weight, limits, slack, work.left)
        # fmt: on
        if score > best + slack:
            best, feature = score, f
            threshold = threshold_between(values, a, b, position, circular)
        visited += 1
        if visited >= limits.max_features:
            break
    return best, feature, threshold


@kernel(nogil=True)
def decrease(score, sample, total, impurity, weight):
    """Turn the score of a split into its impurity decrease."""
    if sample.criterion == SQUARES:
        return score / (weight * sample.y.shape[1])
    n_outputs = sample.codes.shape[1]
    if sample.criterion == GINI:
        return impurity - 1.0 + score / (weight * n_outputs)
    inner = -n_outputs * xlogx(weight)
    for k in range(total.shape[0]):
        inner += xlogx(total[k])
    return (score - inner) / (weight * n_outputs)


@kernel(nogil=True)
def may_split(limits, ints, numbers, node):
    """Say whether a node is worth a search."""
    count = ints[node, COUNT]
    if ints[node, DEPTH] >= limits.max_depth or numbers[node, IMPURITY] <= 0.0:
        return False
    if count < limits.min_split or count < 2 * limits.min_leaf:
        return False
    return numbers[node, WEIGHT] >= 2.0 * limits.min_weight


@kernel(nogil=True)
def search(sample, limits, work, ints, numbers, value, node):
    """Find the split of a node; leave it a leaf where none is allowed."""
    if not may_split(limits, ints, numbers, node):
        return
    a, b, weight = ints[node, START], ints[node, STOP], numbers[node, WEIGHT]
    impurity = numbers[node, IMPURITY]
    slack = rounding_of_scores(sample, value[node], impurity, weight)
    score, feature, threshold = best_split(
        sample, limits, work, value[node], a, b, weight, slack
    )
    if feature == NONE:
        return
    share = weight / limits.total
    gain = share * decrease(score, sample, value[node], impurity, weight)
    if gain + _ROUNDING * share * impurity < limits.min_decrease:
        return
    numbers[node, GAIN] = gain
    numbers[node, THRESHOLD] = threshold
    ints[node, FEATURE] = feature


@kernel(nogil=True)
def measure_classes(sample, members, a, b, side, mark, total, numbers, node):
    """Sum the class weights of the samples on one side; set weight and impurity."""
    n_outputs = sample.codes.shape[1]
    for k in range(total.shape[0]):
        total[k] = 0.0
    count, weight = 0, 0.0
    for p in range(a, b):
        i = members[p]
        if i < 0:
            i = ~i
        if mark[i] != side:
            continue
        w = 1.0 if sample.unit else sample.weight[i]
        count += 1
        weight += w
        for o in range(n_outputs):
            total[sample.codes[i, o]] += w
    n_present, inner = 0, 0.0
    for k in range(total.shape[0]):
        if total[k] > 0.0:
            n_present += 1
        if sample.criterion == GINI:
            inner += (total[k] / weight) ** 2
        else:
            inner -= xlogx(total[k] / weight)
    impurity = 1.0 - inner / n_outputs
    if sample.criterion == ENTROPY:
        impurity = inner / n_outputs
    numbers[node, WEIGHT] = weight
    numbers[node, IMPURITY] = 0.0 if n_present == n_outputs else impurity
    return count


@kernel(nogil=True)
def measure_targets(sample, members, a, b, side, mark, start, mean, numbers, node):
    """Set mean, weight and variance of the targets on one side, in two passes.

    `start` is the mean of the parent, from which sums are taken.
    """
    n_outputs = sample.y.shape[1]
    count, weight, varies, first = 0, 0.0, False, -1
    for o in range(n_outputs):
        mean[o] = 0.0
    for p in range(a, b):
        i = members[p]
        if i < 0:
            i = ~i
        if mark[i] != side:
            continue
        w = 1.0 if sample.unit else sample.weight[i]
        first = i if first < 0 else first
        count += 1
        weight += w
        for o in range(n_outputs):
            mean[o] += w * (sample.y[i, o] - start[o])
            varies = varies or sample.y[i, o] != sample.y[first, o]
    impurity = 0.0
    for o in range(n_outputs):
        mean[o] = start[o] + mean[o] / weight if varies else sample.y[first, o]
    if varies:
        for p in range(a, b):
            i = members[p]
            if i < 0:
                i = ~i
            if mark[i] == side:
                w = 1.0 if sample.unit else sample.weight[i]
                for o in range(n_outputs):
                    impurity += w * (sample.y[i, o] - mean[o]) ** 2
        impurity = max(impurity / (weight * n_outputs), _SMALLEST)
    numbers[node, WEIGHT] = weight
    numbers[node, IMPURITY] = impurity
    return count


@kernel(nogil=True)
def measure(sample, work, ints, numbers, value, node, a, b, side, start):
    """Set what a new node needs from its samples, those marked `side`."""
    if sample.criterion == SQUARES:
        count = measure_targets(
            sample, work.order[0], a, b, side, work.goes_left, start, value[node],
            numbers, node,
        )  # fmt: skip
    else:
        count = measure_classes(
            sample, work.order[0], a, b, side, work.goes_left, value[node], numbers,
            node,
        )  # fmt: skip
    ints[node, LEFT] = ints[node, RIGHT] = -1
    ints[node, FEATURE] = NONE
    ints[node, COUNT] = count


@kernel(nogil=True)
def partition(order, values, a, b, mark, spare_order, spare_values):
    """Move the marked samples of a range to its front, keeping their order."""
    q, r = a, 0
    for p in range(a, b):
        entry, x = order[p], values[p]
        left = int(mark[entry if entry >= 0 else ~entry])
        order[q], values[q] = entry, x
        spare_order[r], spare_values[r] = entry, x
        q += left
        r += 1 - left
    for p in range(r):
        order[q + p], values[q + p] = spare_order[p], spare_values[p]


@kernel(nogil=True)
def divide(sample, limits, work, ints, numbers, value, node, child):
    """Make the children `child` and `child + 1` of a node that has a split."""
    a, b, f = ints[node, START], ints[node, STOP], ints[node, FEATURE]
    threshold, circular = numbers[node, THRESHOLD], sample.circular[f]
    Z = sample.Z[f]
    for p in range(a, b):
        i = work.order[0, p]
        if i < 0:
            i = ~i
        work.goes_left[i] = is_left(Z[i], threshold, circular)
    ints[node, LEFT], ints[node, RIGHT] = child, child + 1
    for side in range(2):
        c = child + side
        measure(sample, work, ints, numbers, value, c, a, b, 1 - side, value[node])
        ints[c, DEPTH] = ints[node, DEPTH] + 1
    middle = a + ints[child, COUNT]
    ints[child, START], ints[child, STOP] = a, middle
    ints[child + 1, START], ints[child + 1, STOP] = middle, b
    if not (
        may_split(limits, ints, numbers, child)
        or may_split(limits, ints, numbers, child + 1)
    ):
        return  # two leaves: nobody will read the rows
    for row in range(work.order.shape[0]):
        partition(
            work.order[row], work.values[row], a, b, work.goes_left,
            work.spare_order, work.spare_values,
        )  # fmt: skip


@kernel(nogil=True)
def push(heap, size, ints, numbers, node, best_first):
    """Add a node: to a stack, or to a heap by gain, ties by number."""
    heap[size] = node
    if not best_first:
        return size + 1
    child = size
    while child > 0:
        parent = (child - 1) // 2
        if not ahead(numbers, heap[child], heap[parent]):
            break
        heap[child], heap[parent] = heap[parent], heap[child]
        child = parent
    return size + 1


@kernel(nogil=True)
def ahead(numbers, one, other):
    """Say whether the first node is to be divided before the other."""
    if numbers[one, GAIN] != numbers[other, GAIN]:
        return numbers[one, GAIN] > numbers[other, GAIN]
    return one < other


@kernel(nogil=True)
def pop(heap, size, numbers, best_first):
    """Return the next node and remove it; the caller lowers the size."""
    if not best_first:
        return heap[size - 1]
    top = heap[0]
    size -= 1
    heap[0] = heap[size]
    parent = 0
    while 2 * parent + 1 < size:
        child = 2 * parent + 1
        if child + 1 < size and ahead(numbers, heap[child + 1], heap[child]):
            child += 1
        if not ahead(numbers, heap[child], heap[parent]):
            break
        heap[child], heap[parent] = heap[parent], heap[child]
        parent = child
    return top


@kernel(nogil=True)
def enlarged(array, n_rows):
    """Return a copy with more rows."""
    larger = np.empty((n_rows, array.shape[1]), array.dtype)
    larger[: array.shape[0]] = array
    return larger


@kernel(nogil=True)
def longer(array, n):
    """Return a longer copy."""
    result = np.empty(n, array.dtype)
    result[: array.shape[0]] = array
    return result


@kernel(nogil=True)
def grow(sample, limits, work, n_columns):
    """Grow a tree; return its integers, numbers and values, one row a node."""
    capacity = 31
    ints = np.empty((capacity, 7), np.int64)
    numbers = np.empty((capacity, 4))
    value = np.empty((capacity, n_columns))
    heap = np.empty(capacity, np.int64)
    n = work.order.shape[1]
    best_first = limits.max_leaves > 0
    ints[0, START], ints[0, STOP], ints[0, DEPTH] = 0, n, 0
    start = np.zeros(n_columns)
    if sample.criterion == SQUARES:
        i = work.order[0, 0]
        start[:] = sample.y[i if i >= 0 else ~i]
    work.goes_left[:] = 1
    measure(sample, work, ints, numbers, value, 0, 0, n, 1, start)
    search(sample, limits, work, ints, numbers, value, 0)
    n_nodes, n_leaves, size = 1, 1, 0
    if ints[0, FEATURE] != NONE:
        size = push(heap, size, ints, numbers, 0, best_first)
    while size > 0 and (not best_first or n_leaves < limits.max_leaves):
        node = pop(heap, size, numbers, best_first)
        size -= 1
        if n_nodes + 2 > capacity:
            capacity = 2 * capacity + 1
            ints, numbers = enlarged(ints, capacity), enlarged(numbers, capacity)
            value = enlarged(value, capacity)
            heap = longer(heap, capacity)
        divide(sample, limits, work, ints, numbers, value, node, n_nodes)
        # Depth first goes left first: the stack returns what came last.
        for side in range(2):
            c = n_nodes + (side if best_first else 1 - side)
            search(sample, limits, work, ints, numbers, value, c)
            if ints[c, FEATURE] != NONE:
                size = push(heap, size, ints, numbers, c, best_first)
        n_nodes += 2
        n_leaves += 1
    if best_first:  # nodes that were not reached before the limit
        for p in range(size):
            ints[heap[p], FEATURE] = NONE
    return ints[:n_nodes], numbers[:n_nodes], value[:n_nodes]
