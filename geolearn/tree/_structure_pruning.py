"""Minimal cost-complexity pruning of a tree in arrays."""

import heapq

import numpy as np

from geolearn.utils._jit import kernel


@kernel(nogil=True)
def weakest_links(left, right, risk, largest):
    """Collapse the weakest links one by one, up to a cost of `largest` a leaf.

    Returns the costs, the risks of the tree before and after each step, and which
    nodes have been collapsed.
    """
    n = left.shape[0]
    parent = np.full(n, -1, np.intp)
    branch, leaves = risk.copy(), np.ones(n, np.intp)
    gone, collapsed = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    link = np.full(n, np.inf)
    for t in range(n - 1, -1, -1):  # children follow parents
        if left[t] >= 0:
            parent[left[t]] = parent[right[t]] = t
            branch[t] = branch[left[t]] + branch[right[t]]
            leaves[t] = leaves[left[t]] + leaves[right[t]]
            link[t] = max(0.0, (risk[t] - branch[t]) / (leaves[t] - 1))
    queue = [(link[t], t) for t in range(n)]
    heapq.heapify(queue)
    costs, risks = [0.0], [branch[0]]
    stack = np.empty(n, np.intp)
    while len(queue) > 0 and queue[0][0] <= largest and queue[0][0] < np.inf:
        cost, t = heapq.heappop(queue)
        if gone[t] or collapsed[t] or cost != link[t]:
            continue  # an outdated entry
        collapsed[t] = True
        stack[0], size = t, 1
        while size > 0:
            size -= 1
            node = stack[size]
            if left[node] >= 0 and (node == t or not collapsed[node]):
                gone[left[node]] = gone[right[node]] = True
                stack[size], stack[size + 1] = left[node], right[node]
                size += 2
        branch[t], leaves[t] = risk[t], 1
        up = parent[t]
        while up >= 0:
            branch[up] = branch[left[up]] + branch[right[up]]
            leaves[up] = leaves[left[up]] + leaves[right[up]]
            link[up] = max(0.0, (risk[up] - branch[up]) / (leaves[up] - 1))
            heapq.heappush(queue, (link[up], up))
            up = parent[up]
        costs.append(cost)
        risks.append(branch[0])
    return np.array(costs), np.array(risks), collapsed, gone


def _links(tree, largest):
    share = tree.weighted_n_node_samples / tree.weighted_n_node_samples[0]
    return weakest_links(
        tree.children_left, tree.children_right, share * tree.impurity, largest
    )


def pruning_path(tree):
    """Return the costs at which subtrees collapse, and the risks after that.

    Parameters
    ----------
    tree : ProductTree
        Tree.

    Returns
    -------
    costs : ndarray of shape (n_steps,)
        Values of the complexity parameter, from 0.
    risks : ndarray of shape (n_steps,)
        Total impurity of the leaves.
    """
    costs, risks, _, _ = _links(tree, np.inf)
    return costs, risks


def pruned(tree, ccp_alpha):
    """Return the smallest subtree that is optimal at a cost of `ccp_alpha` a leaf.

    Parameters
    ----------
    tree : ProductTree
        Tree.
    ccp_alpha : float
        Cost of a leaf.

    Returns
    -------
    ProductTree
        The pruned tree, or `tree` itself for 0.
    """
    if ccp_alpha == 0.0:
        return tree
    _, _, _, gone = _links(tree, ccp_alpha)
    return tree.reordered(np.flatnonzero(~gone))
