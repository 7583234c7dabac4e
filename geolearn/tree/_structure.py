"""The nodes of a fitted tree as arrays, and what is read from them."""
# kernels: _builder_sides=46e99f3e

import numpy as np
from scipy import sparse

from geolearn.tree._builder_sides import is_left
from geolearn.utils._jit import kernel


@kernel(nogil=True)
def descend(Z, circular, feature, threshold, left, right, start, stop, leaves):
    """Fill leaves[start:stop] with the leaves that rows of features reach.

    Arrays apart make the compiler branch, and processors run ahead of branches;
    side by side, it selects, and every step waits for memory (twice the time).
    """
    for i in range(start, stop):
        node = 0
        while left[node] >= 0:
            f = feature[node]
            if is_left(Z[i, f], threshold[node], circular[f]):
                node = left[node]
            else:
                node = right[node]
        leaves[i] = node


@kernel(nogil=True)
def add_values(leaves, value, start, stop, only, out):
    """Add the values of leaves to rows; rows with `only` false rest."""
    for i in range(start, stop):
        if only.shape[0] == 0 or only[i]:
            for k in range(value.shape[1]):
                out[i, k] += value[leaves[i], k]


@kernel(nogil=True)
def _preorder(left, right):
    """Return nodes in the order root, left subtree, right subtree."""
    order = np.empty(left.shape[0], np.intp)
    stack = np.empty(left.shape[0], np.intp)
    stack[0], size, n = 0, 1, 0
    while size > 0:
        size -= 1
        node = stack[size]
        order[n] = node
        n += 1
        if left[node] >= 0:
            stack[size] = right[node]
            stack[size + 1] = left[node]
            size += 2
    return order[:n]


@kernel(nogil=True)
def _depths(left, right):
    """Return the number of splits above each node; children follow parents."""
    depths = np.zeros(left.shape[0], np.intp)
    for node in range(left.shape[0]):
        if left[node] >= 0:
            depths[left[node]] = depths[right[node]] = depths[node] + 1
    return depths


class ProductTree:
    """Hold the nodes of a product-space tree in arrays.

    Nodes of depth-first trees are numbered in preorder, those of best-first trees
    as they were made; parents come before children.

    Parameters
    ----------
    arrays : dict of ndarray
        The arrays named below, one row a node.
    features : SplitFeatures
        Features that splits may use.

    Attributes
    ----------
    children_left, children_right : ndarray of int of shape (node_count,)
        Nodes of the two sides; -1 at leaves.
    feature : ndarray of int of shape (node_count,)
        Split features, positions in those of the signature; -2 at leaves.
    threshold : ndarray of shape (node_count,)
        Coordinates, axial coordinates or angles in [0, pi) at which they split; -2
        at leaves.
    impurity, weighted_n_node_samples : ndarray of shape (node_count,)
        Impurity and weight of the training samples that reach a node.
    n_node_samples : ndarray of int of shape (node_count,)
        Number of training samples with positive weight that reach a node.
    value : ndarray of shape (node_count, n_outputs, n_values)
        Class frequencies, or means with n_values 1.
    component, base_axis, axis : ndarray of int of shape (node_count,)
        Component of the signature that is split, the axis from which angles are
        measured (0 through the origin, -1 if there is none) and the axis along
        which the hyperplane moves; -2 at leaves.
    circular : ndarray of bool of shape (node_count,)
        Whether the left side is the half-circle [threshold, threshold + pi) of the
        angle from base axis to axis, rather than coordinate <= threshold.
    """

    NODE_ARRAYS = (
        "children_left",
        "children_right",
        "feature",
        "threshold",
        "impurity",
        "n_node_samples",
        "weighted_n_node_samples",
        "value",
    )

    def __init__(self, arrays, features):
        for name in self.NODE_ARRAYS:
            setattr(self, name, arrays[name])
        self.features = features
        leaf = self.feature < 0
        used = np.maximum(self.feature, 0)
        self.component = np.where(leaf, -2, features.component[used])
        self.base_axis = np.where(leaf, -2, features.base[used])
        self.axis = np.where(leaf, -2, features.axis[used])
        self.circular = ~leaf & features.circular[used]

    @property
    def node_count(self):
        """Number of nodes."""
        return len(self.feature)

    @property
    def n_leaves(self):
        """Number of leaves."""
        return int(np.count_nonzero(self.children_left < 0))

    @property
    def max_depth(self):
        """Number of splits on the longest way to a leaf."""
        return int(_depths(self.children_left, self.children_right).max())

    @property
    def n_features(self):
        """Number of features that splits may use."""
        return len(self.features.axis)

    def apply(self, Z, start=0, stop=None):
        """Return the leaves that rows of features reach, between start and stop."""
        if Z.shape[1] != self.n_features:  # compiled code would read past the end
            raise ValueError(
                f"Z has {Z.shape[1]} features, but the tree splits {self.n_features}; "
                f"fit the estimator again after a change of its parameters."
            )
        leaves = np.empty(len(Z), np.intp)
        descend(
            Z,
            self.features.circular,
            self.feature,
            self.threshold,
            self.children_left,
            self.children_right,
            start,
            len(Z) if stop is None else stop,
            leaves,
        )
        return leaves

    def add_to(self, out, Z, start, stop, only):
        """Add the flattened values of the leaves to rows of `out`."""
        value = self.value.reshape(self.node_count, -1)
        add_values(self.apply(Z, start, stop), value, start, stop, only, out)

    def decision_path(self, Z):
        """Return a sparse indicator of the nodes that rows of features visit."""
        parent = np.full(self.node_count, -1, np.intp)
        inner = np.flatnonzero(self.children_left >= 0)
        parent[self.children_left[inner]] = inner
        parent[self.children_right[inner]] = inner
        node, rows = self.apply(Z), np.arange(len(Z))
        visited_rows, visited = [], []
        while len(rows):
            visited_rows.append(rows)
            visited.append(node)
            node = parent[node]
            rows, node = rows[node >= 0], node[node >= 0]
        i, j = np.concatenate(visited_rows), np.concatenate(visited)
        ones = np.ones(len(i), np.intp)
        path = sparse.csr_matrix((ones, (i, j)), shape=(len(Z), self.node_count))
        path.sort_indices()
        return path

    def compute_feature_importances(self, normalize=True):
        """Return the weighted impurity decrease of each feature."""
        inner = np.flatnonzero(self.children_left >= 0)
        mass = self.weighted_n_node_samples * self.impurity
        left, right = self.children_left[inner], self.children_right[inner]
        decrease = mass[inner] - mass[left] - mass[right]
        total = np.bincount(self.feature[inner], decrease, self.n_features)
        total = total / self.weighted_n_node_samples[0]
        scale = total.sum()
        return total / scale if normalize and scale > 0.0 else total

    def reordered(self, nodes):
        """Return the tree of some nodes, parents first, leaves where children miss."""
        number = np.full(self.node_count, -1, np.intp)
        number[nodes] = np.arange(len(nodes))
        arrays = {name: getattr(self, name)[nodes] for name in self.NODE_ARRAYS}
        for name in ("children_left", "children_right"):
            old = arrays[name]
            arrays[name] = np.where(old >= 0, number[old], -1)
        leaf = arrays["children_left"] < 0
        arrays["feature"][leaf] = -2
        arrays["threshold"][leaf] = -2.0
        return ProductTree(arrays, self.features)


def make_tree(ints, numbers, value, features, preorder):
    """Return the tree of the nodes that `grow` made.

    Parameters
    ----------
    ints : ndarray of int of shape (n_nodes, n_columns)
        Integers of the nodes.
    numbers : ndarray of shape (n_nodes, n_columns)
        Numbers of the nodes.
    value : ndarray of shape (n_nodes, n_outputs, n_values)
        Values.
    features : SplitFeatures
        Features.
    preorder : bool
        Whether to number the nodes in preorder.

    Returns
    -------
    ProductTree
        The tree.
    """
    if preorder:
        nodes = _preorder(ints[:, 0], ints[:, 1])
        number = np.empty(len(nodes) + 1, np.int64)
        number[nodes] = np.arange(len(nodes))
        number[-1] = -1  # where leaves point
        ints, numbers, value = ints[nodes], numbers[nodes], value[nodes]
        ints[:, :2] = number[ints[:, :2]]
    left, right = ints[:, 0].astype(np.intp), ints[:, 1].astype(np.intp)
    leaf = left < 0
    arrays = {
        "children_left": left,
        "children_right": right,
        "feature": np.where(leaf, -2, ints[:, 2]),
        "threshold": np.where(leaf, -2.0, numbers[:, 0]),
        "impurity": numbers[:, 1].copy(),
        "n_node_samples": ints[:, 3].copy(),
        "weighted_n_node_samples": numbers[:, 2].copy(),
        "value": value,
    }
    return ProductTree(arrays, features)
