"""Sarkar's layout of a rooted tree in the hyperbolic plane."""

import math
from itertools import pairwise

import numpy as np

from geolearn.manifolds import Hyperboloid

# Share of the angle between neighbouring edges that a cone around each leaves
# unused, as in the reference implementation.
_CONE_SHARE = 1.2


def scale_for_distortion(epsilon, max_degree, shortest):
    """Return the factor tau(epsilon) with worst-case distortion 1 + epsilon.

    Each edge gets a cone of half-angle beta; long enough edges keep a subtree in
    its cone, and cones of siblings alpha apart.
    """
    beta = math.pi / (_CONE_SHARE * max_degree)
    alpha = 2.0 * math.pi / max_degree - 2.0 * beta
    wide = (1.0 + epsilon) / epsilon * -2.0 * math.log(math.tan(beta / 2.0))
    apart = -2.0 * math.log(math.tan(alpha / 2.0))
    return max(wide, apart) / shortest


def directions(tree):
    """Return the angle of the edge to each node in the frame of its parent."""
    theta = np.zeros(tree.order.size)
    nodes = tree.order[1:]
    parent, slot = tree.parent[nodes], tree.slot[nodes]
    below_root = tree.level[nodes] == 1
    # elsewhere one of the equal angles is taken by the edge upwards, at pi
    shares = tree.n_children[parent] + ~below_root
    turns = 2.0 * np.pi * (slot + ~below_root) / shares
    theta[nodes] = turns + np.where(below_root, 0.0, np.pi)
    return theta


def frame_coordinates(tree, scale):
    """Return points of the hyperboloid, level by level.

    The frame of a node is that of its parent, turned towards the node and moved
    there; its first column is the point.
    """
    n = tree.order.size
    theta, length = directions(tree), scale * tree.length
    frames = np.empty((n, 3, 3))
    frames[tree.order[0]] = np.eye(3)
    bounds = np.searchsorted(tree.level[tree.order], np.arange(1, tree.level.max() + 2))
    for start, stop in pairwise(bounds):
        nodes = tree.order[start:stop]
        c, s = np.cos(theta[nodes]), np.sin(theta[nodes])
        C, S = np.cosh(length[nodes]), np.sinh(length[nodes])
        step = np.zeros((nodes.size, 3, 3))  # rotation times boost
        step[:, 0, 0], step[:, 0, 1] = C, S
        step[:, 1, 0], step[:, 1, 1], step[:, 1, 2] = c * S, c * C, -s
        step[:, 2, 0], step[:, 2, 1], step[:, 2, 2] = s * S, s * C, c
        frames[nodes] = frames[tree.parent[nodes]] @ step
    points = frames[:, :, 0].copy()
    points[:, 0] = np.sqrt(1.0 + np.sum(points[:, 1:] ** 2, axis=1))
    return points


def _side(a, b, angle):
    """Return the side opposite to an angle between sides a and b."""
    return 2.0 * np.arcsinh(
        np.sqrt(
            np.sinh((a - b) / 2.0) ** 2
            + np.sinh(a) * np.sinh(b) * np.sin(angle / 2.0) ** 2
        )
    )


def largest_error(tree, scale, points):
    """Measure by how much coordinates miss edges and distances of siblings.

    Both are known in closed form; far pairs have the errors of the edges between.
    """
    plane, error = Hyperboloid(2), 0.0
    length, nodes = scale * tree.length, tree.order[1:]
    if nodes.size:
        found = plane.dist(points[nodes], points[tree.parent[nodes]])
        error = float(np.abs(found - length[nodes]).max())
    second = nodes[tree.slot[nodes] > 0]
    if second.size:
        place = np.empty(tree.order.size, dtype=np.intp)
        place[tree.order] = np.arange(tree.order.size)
        before = tree.order[place[second] - 1]
        theta = directions(tree)
        wanted = _side(length[second], length[before], theta[second] - theta[before])
        found = plane.dist(points[second], points[before])
        error = max(error, float(np.abs(found - wanted).max()))
    return error


def _preorder(tree):
    """Return places that make each subtree a contiguous range, and its size."""
    n = tree.order.size
    size = np.ones(n, dtype=np.intp)
    for v in tree.order[:0:-1]:
        size[tree.parent[v]] += size[v]
    place, free = np.zeros(n, dtype=np.intp), np.ones(n, dtype=np.intp)
    for v in tree.order[1:]:
        p = tree.parent[v]
        place[v] = place[p] + free[p]
        free[p] += size[v]
    return place, size


def _seen_from_parent(r, phi, length, theta):
    """Turn polar coordinates around a node into those around its parent.

    sinh(length + ...) is written without cancellation for points behind the node.
    """
    half = np.cos(phi / 2.0) ** 2
    along = np.sinh(length - r) + 2.0 * np.cosh(length) * np.sinh(r) * half
    across = np.sinh(r) * np.sin(phi)
    return np.arcsinh(np.hypot(along, across)), np.arctan2(across, along) + theta


def exact_distances(tree, scale):
    """Return all distances of the layout, to rounding, at any radius.

    The distance of two nodes is computed from their polar coordinates around their
    lowest common ancestor, where their directions differ by a sizeable angle; those
    around the root differ by less than rounding in deep trees.
    """
    n = tree.order.size
    place, size = _preorder(tree)
    theta, length = directions(tree), scale * tree.length
    r, phi, D = np.zeros(n), np.zeros(n), np.zeros((n, n))
    pending = [[] for _ in range(n)]  # ranges of subtrees already seen from a node
    for v in tree.order[::-1]:
        start, stop = place[v], place[v] + size[v]
        D[start, start + 1 : stop] = r[start + 1 : stop]
        for a, b in pending[v]:
            rest = slice(start + 1, a)  # subtrees of earlier siblings
            D[rest, a:b] = _side(
                r[rest, None], r[a:b], np.subtract.outer(phi[rest], phi[a:b])
            )
        if tree.parent[v] >= 0:
            own = slice(start, stop)
            r[own], phi[own] = _seen_from_parent(r[own], phi[own], length[v], theta[v])
            pending[tree.parent[v]].append((start, stop))
    D += D.T
    return D[np.ix_(place, place)]
