"""Samples near a point, from inside a kernel: a tree of boxes in flat arrays.

Samples are permuted so that a node is a range; the tree is complete, and the two
halves of a node are split at the median of its longest side. Where boxes do not help
(many coordinates) the tree is one leaf, and the search a pass over all samples.
"""

import numpy as np

from geolearn.utils._jit import kernel

_LEAF = 16  # samples in a leaf, at least
_MOST_SPLIT_FEATURES = 15  # above it every box is near every point
_DEEPEST = 40


def build_tree(X):
    """Return order (n,), bounds (nodes, 2) and boxes (nodes, 2, d) of the tree."""
    from sklearn.neighbors import KDTree

    n, d = X.shape
    leaf = _LEAF if d <= _MOST_SPLIT_FEATURES else n
    _, order, nodes, boxes = map(np.asarray, KDTree(X, leaf_size=leaf).get_arrays())
    bounds = np.column_stack([nodes["idx_start"], nodes["idx_end"]]).astype(np.int64)
    return order.astype(np.int64), bounds, np.ascontiguousarray(boxes.swapaxes(0, 1))


@kernel
def _nearest_in_box(boxes, node, p):
    """Return the squared distance from p to a box."""
    total = 0.0
    for a in range(p.shape[0]):
        gap = max(boxes[node, 0, a] - p[a], p[a] - boxes[node, 1, a], 0.0)
        total += gap * gap
    return total


@kernel
def _farthest_in_box(boxes, node, p):
    """Return the squared distance from p to the farthest corner of a box."""
    total = 0.0
    for a in range(p.shape[0]):
        gap = max(boxes[node, 1, a] - p[a], p[a] - boxes[node, 0, a])
        total += gap * gap
    return total


@kernel(fastmath={"reassoc", "contract"})
def _squared_distance(X, i, p):
    """Return the squared distance from p to X[i]."""
    total = 0.0
    for a in range(p.shape[0]):
        gap = X[i, a] - p[a]
        total += gap * gap
    return total


@kernel
def nearest(X, bounds, boxes, p):
    """Return the squared distance from p to the nearest row of X."""
    best = np.inf
    inner = bounds.shape[0] // 2
    stack = np.empty(2 * _DEEPEST, dtype=np.int64)
    stack[0] = 0
    size = 1
    while size > 0:
        size -= 1
        node = stack[size]
        if not _nearest_in_box(boxes, node, p) < best:
            continue
        if node >= inner:
            for i in range(bounds[node, 0], bounds[node, 1]):
                best = min(best, _squared_distance(X, i, p))
            continue
        left, right = 2 * node + 1, 2 * node + 2
        if _nearest_in_box(boxes, left, p) < _nearest_in_box(boxes, right, p):
            left, right = right, left
        stack[size], stack[size + 1] = left, right  # the nearer box comes off first
        size += 2
    return best


@kernel
def within(X, bounds, boxes, p, r2, found):
    """Write the rows of X at squared distance <= r2 from p to `found`; count them."""
    count = 0
    inner = bounds.shape[0] // 2
    stack = np.empty(2 * _DEEPEST, dtype=np.int64)
    stack[0] = 0
    size = 1
    while size > 0:
        size -= 1
        node = stack[size]
        if _nearest_in_box(boxes, node, p) > r2:
            continue
        if _farthest_in_box(boxes, node, p) <= r2:
            for i in range(bounds[node, 0], bounds[node, 1]):
                found[count] = i
                count += 1
        elif node >= inner:
            for i in range(bounds[node, 0], bounds[node, 1]):
                if _squared_distance(X, i, p) <= r2:
                    found[count] = i
                    count += 1
        else:
            stack[size], stack[size + 1] = 2 * node + 2, 2 * node + 1
            size += 2
    return count
