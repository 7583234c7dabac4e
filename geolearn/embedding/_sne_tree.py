"""Repulsion over the cells of a tree, after Barnes and Hut, in three coordinates.

Points are sorted along a Morton curve, so that a cell is a range of points and the
walk through the tree touches memory in order. A leaf walks the tree once for all its
points: cells that are small, seen from the nearest point of the leaf's box, count as
that many points at their centre, and the collected list is summed over like any chunk
of points. The size of a cell is twice the distance from its centre to the farthest
corner of the box of its points, so that repeated points are one exact cell. Kernels of
the arc are not smooth at antipodes: there, cells are opened like near ones.
"""

# kernels: _sne_kernels=e2cc2a5c

import numpy as np
from numba import prange

from geolearn.embedding._sne_kernels import (
    ARC_BROWNIAN,
    ARC_STUDENT,
    N_BUFFERS,
    PHI,
    WIDTH,
    add_repulsion,
    is_exponential,
)
from geolearn.utils._jit import kernel

_LEAF = 16  # points in a leaf, unless more share a key
_BITS = 62  # of a key, for all coordinates together
_MOST_BITS = 50  # of one coordinate

# Columns of the tables of nodes: centre, box and squared size; range of points, and
# the node that follows the subtree.
_CENTRE, _LOW, _HIGH, _SIZE = 0, 3, 6, 9
_START, _STOP, _NEXT = 0, 1, 2


@kernel(parallel=True)
def _keys(T, dim, keys):
    """Interleave the leading bits of the coordinates, of equal cells of a cube."""
    bits = min(_BITS // dim, _MOST_BITS)
    low = np.empty(dim)
    extent = 0.0
    for r in range(dim):
        low[r] = T[r].min()
        extent = max(extent, T[r].max() - low[r])
    extent = extent if extent > 0.0 else 1.0
    last = 2.0**bits - 1.0
    for i in prange(T.shape[1]):
        key = np.int64(0)
        for r in range(dim):
            cell = np.int64(min((T[r, i] - low[r]) / extent * 2.0**bits, last))
            for b in range(bits):
                bit = (cell >> np.int64(b)) & np.int64(1)
                key |= bit << np.int64(b * dim + r)
        keys[i] = key


@kernel
def _split(keys, dim, ranges):
    """Fill the ranges of the nodes in depth-first order; return their number."""
    n = keys.shape[0]
    starts, stops = [0], [n]
    n_nodes = 0
    while len(starts) > 0:
        start, stop = starts.pop(), stops.pop()
        ranges[n_nodes, _START], ranges[n_nodes, _STOP] = start, stop
        n_nodes += 1
        differing = keys[start] ^ keys[stop - 1]
        if stop - start <= _LEAF or differing == 0:
            continue
        shift = np.int64(0)
        while differing >> (shift + dim) > 0:
            shift += dim
        end = stop
        for i in range(stop - 1, start, -1):
            if keys[i] >> shift != keys[i - 1] >> shift:
                starts.append(i)
                stops.append(end)
                end = i
        starts.append(start)
        stops.append(end)
    return n_nodes


@kernel
def _link(ranges, n_points):
    """Fill the node that follows each subtree: the first that starts where it stops."""
    n_nodes = ranges.shape[0]
    first = np.full(n_points + 1, n_nodes)
    for k in range(n_nodes - 1, -1, -1):
        first[ranges[k, _START]] = k
    for k in range(n_nodes):
        stop = ranges[k, _STOP]
        ranges[k, _NEXT] = first[stop] if stop < n_points else n_nodes


@kernel
def _summarise(T, ranges, nodes):
    """Fill centres, boxes and sizes, children before parents."""
    for k in range(ranges.shape[0] - 1, -1, -1):
        start, stop, after = ranges[k, _START], ranges[k, _STOP], ranges[k, _NEXT]
        for r in range(3):
            total, low, high = 0.0, np.inf, -np.inf
            if after == k + 1:
                for i in range(start, stop):
                    total += T[r, i]
                    low, high = min(low, T[r, i]), max(high, T[r, i])
                total = total / (stop - start)
            else:
                child = k + 1
                while child < after:
                    number = ranges[child, _STOP] - ranges[child, _START]
                    total += nodes[child, _CENTRE + r] * number
                    low = min(low, nodes[child, _LOW + r])
                    high = max(high, nodes[child, _HIGH + r])
                    child = ranges[child, _NEXT]
                total = total / (stop - start)
            # repeated points have the centre exactly
            nodes[k, _CENTRE + r] = min(max(total, low), high)
            nodes[k, _LOW + r], nodes[k, _HIGH + r] = low, high
        square = 0.0  # of the distance to the farthest corner of the box
        for r in range(3):
            centre = nodes[k, _CENTRE + r]
            reach = max(nodes[k, _HIGH + r] - centre, centre - nodes[k, _LOW + r])
            square += reach * reach
        nodes[k, _SIZE] = 4.0 * square


@kernel
def _distance(nodes, leaf, k, sign):
    """Return the squared distance of the box of a leaf to sign times a centre."""
    total = 0.0
    for r in range(3):
        centre = sign * nodes[k, _CENTRE + r]
        apart = max(nodes[leaf, _LOW + r] - centre, centre - nodes[leaf, _HIGH + r])
        apart = max(apart, 0.0)
        total += apart * apart
    return total


@kernel
def _flush(code, T, start, stop, cells, number, m, tau, dim, B, out):
    """Sum over the collected cells for the points of a leaf."""
    y = np.empty(3)
    for i in range(start, stop):
        for r in range(3):
            y[r] = T[r, i]
        add_repulsion(code, cells, number, 0, m, y, tau, dim, B, out[i])


@kernel
def _among(code, T, ones, start, stop, tau, dim, B, out):
    """Sum over the other points of the own leaf."""
    y = np.empty(3)
    for i in range(start, stop):
        for r in range(3):
            y[r] = T[r, i]
        for a in range(start, i, WIDTH):
            b = min(a + WIDTH, i)
            add_repulsion(code, T, ones, a, b, y, tau, dim, B, out[i])
        for a in range(i + 1, stop, WIDTH):
            b = min(a + WIDTH, stop)
            add_repulsion(code, T, ones, a, b, y, tau, dim, B, out[i])


@kernel
def _walk(code, T, ranges, nodes, leaf, angle, tau, dim, B, out):
    """Sum over all cells but the own leaf for the points of a leaf."""
    start, stop = ranges[leaf, _START], ranges[leaf, _STOP]
    cells, number = np.empty((3, WIDTH)), np.empty(WIDTH)
    n_nodes = ranges.shape[0]
    is_arc = code in (ARC_STUDENT, ARC_BROWNIAN)
    m = 0
    k = 0
    while k < n_nodes:
        first, last, after = ranges[k, _START], ranges[k, _STOP], ranges[k, _NEXT]
        if first <= start and stop <= last:
            k = after if k == leaf else k + 1
            continue
        distance = _distance(nodes, leaf, k, 1.0)
        if is_arc:
            distance = min(distance, _distance(nodes, leaf, k, -1.0))
        if nodes[k, _SIZE] <= angle * angle * distance:
            if m == WIDTH:
                _flush(code, T, start, stop, cells, number, m, tau, dim, B, out)
                m = 0
            for r in range(3):
                cells[r, m] = nodes[k, _CENTRE + r]
            number[m] = last - first
            m += 1
            k = after
        elif after == k + 1:
            for j in range(first, last):
                if m == WIDTH:
                    _flush(code, T, start, stop, cells, number, m, tau, dim, B, out)
                    m = 0
                for r in range(3):
                    cells[r, m] = T[r, j]
                number[m] = 1.0
                m += 1
            k = after
        else:
            k += 1
    _flush(code, T, start, stop, cells, number, m, tau, dim, B, out)


@kernel(parallel=True)
def _all_leaves(code, T, ranges, nodes, leaves, angle, tau, dim, out):
    ones = np.ones(T.shape[1])
    for a in prange(leaves.shape[0]):
        leaf = leaves[a]
        start, stop = ranges[leaf, _START], ranges[leaf, _STOP]
        out[start:stop] = 0.0
        out[start:stop, PHI] = np.inf if is_exponential(code) else 0.0
        B = np.empty((N_BUFFERS, WIDTH))
        _among(code, T, ones, start, stop, tau, dim, B, out)
        _walk(code, T, ranges, nodes, leaf, angle, tau, dim, B, out)


def build(T, n_coordinates):
    """Return the order of the points along the curve and the tables of the tree.

    Parameters
    ----------
    T : ndarray of shape (3, n)
        Points as columns.
    n_coordinates : int
        Number of coordinates that are not all zero, at least 1.

    Returns
    -------
    order : ndarray of int of shape (n,)
        Points in the order of the tree.
    sorted_T : ndarray of shape (3, n)
        Points in that order.
    ranges : ndarray of int of shape (n_nodes, 3)
        First point, last point + 1, and the node after the subtree; depth first.
    nodes : ndarray of shape (n_nodes, 10)
        Centre, lower and upper corner of the box, squared size.
    """
    n = T.shape[1]
    keys = np.empty(n, dtype=np.int64)
    _keys(T, n_coordinates, keys)
    order = np.argsort(keys, kind="stable")
    ranges = np.empty((2 * n, 3), dtype=np.int64)
    ranges = ranges[: _split(keys[order], n_coordinates, ranges)]
    _link(ranges, n)
    sorted_T = np.ascontiguousarray(T[:, order])
    nodes = np.empty((len(ranges), 10))
    _summarise(sorted_T, ranges, nodes)
    return order, sorted_T, ranges, nodes


def tree_repulsion(code, T, n_coordinates, tau, dim, angle, out):
    """Fill the rows of sums over all other points, distant ones cell by cell.

    Parameters
    ----------
    code : int
        Kernel, a function of the flat or chordal distance.
    T : ndarray of shape (3, n)
        Points as columns.
    n_coordinates : int
        Number of coordinates that are not all zero.
    tau, dim : float
        Scale of the kernel, dimension of the target.
    angle : float
        Largest ratio of the size of a cell to its distance.
    out : ndarray of shape (n, n_sums)
        Sums, as `_sne_kernels.repulsion` fills them.
    """
    order, sorted_T, ranges, nodes = build(T, n_coordinates)
    leaves = np.flatnonzero(ranges[:, _NEXT] == np.arange(1, len(ranges) + 1))
    sorted_out = np.empty_like(out)
    _all_leaves(code, sorted_T, ranges, nodes, leaves, angle, tau, dim, sorted_out)
    out[order] = sorted_out
