"""Kernels that sort the edges between points, and the minimum spanning tree."""

import numpy as np
from numba import types

from geolearn.utils._jit import POINTS, kernel

__all__ = [
    "EDGES",
    "enclosing_radius",
    "merge_lengths",
    "no_edges",
    "slice_edges",
    "sorted_edges",
]

_INDICES = types.int64[::1]
EDGES = types.Tuple([_INDICES, _INDICES, types.float64[::1]])(POINTS, types.float64)

_MOVES = 8  # an entry, after which insertion gives way to heaps
_LARGEST = np.finfo(np.float64).max
_HALF, _LOW = 32, 2**32 - 1  # two points in one number


@kernel(nogil=True)
def enclosing_radius(D, start, stop):
    """Return the radius of the smallest ball around a point that holds all points.

    From there on the complex of the points start, ..., stop - 1 is a cone.
    """
    # From the same triangle as the edges, should D be symmetric up to rounding.
    n = stop - start
    farthest = np.zeros(n)
    for i in range(n):
        own = farthest[i]
        for j in range(i + 1, n):
            length = D[start + i, start + j]
            own = max(own, length)
            farthest[j] = max(farthest[j], length)
        farthest[i] = own
    radius = np.inf
    for i in range(n):
        radius = min(radius, farthest[i])
    return radius


@kernel(nogil=True)
def _before(x, i, y, j):
    """Tell whether (x, i) precedes (y, j)."""
    return x < y or (x == y and i < j)


@kernel(nogil=True)
def _heap_sort(values, codes, start, stop):
    """Sort a range by value, ties by code."""
    n = stop - start
    # First each entry that has children sinks, then each that the largest replaces.
    for step in range(n // 2 - 1, -n, -1):
        root, size = step, n
        if step < 0:
            root, size = 0, n + step
            end = start + size
            values[start], values[end] = values[end], values[start]
            codes[start], codes[end] = codes[end], codes[start]
        value, code = values[start + root], codes[start + root]
        while 2 * root + 1 < size:
            c = start + 2 * root + 1
            if 2 * root + 2 < size and _before(
                values[c], codes[c], values[c + 1], codes[c + 1]
            ):
                c += 1
            if not _before(value, code, values[c], codes[c]):
                break
            values[start + root] = values[c]
            codes[start + root] = codes[c]
            root = c - start
        values[start + root] = value
        codes[start + root] = code


@kernel(nogil=True)
def _sort_buckets(values, codes, stops):
    """Sort entries that stand in their buckets, in each in order of codes."""
    # Most entries are at most some places off; ties cost no move, clusters many.
    budget = _MOVES * values.size
    for i in range(1, values.size):
        value = values[i]
        if values[i - 1] <= value:
            continue
        code = codes[i]
        j = i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            codes[j] = codes[j - 1]
            j -= 1
        values[j] = value
        codes[j] = code
        budget -= i - j
        if budget < 0:
            break
    if budget < 0:
        start = np.intp(0)
        for k in range(stops.size):
            _heap_sort(values, codes, start, stops[k])
            start = stops[k]


@kernel(nogil=True)
def sorted_edges(D, cap):
    """Return the pairs of points at most `cap` apart, shortest first.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances; those above the diagonal are read.
    cap : float
        Longest length. Infinite distances are no edges.

    Returns
    -------
    heads, tails : ndarray of shape (m,), int64
        Points of each edge, heads < tails.
    lengths : ndarray of shape (m,)
        Lengths, increasing; ties in order of (head, tail).
    """
    n = D.shape[0]
    cap = min(cap, _LARGEST)
    found = np.empty(n * (n - 1) // 2 + 1)
    places = np.empty(found.size, dtype=np.int64)
    m = 0
    shortest, longest = np.inf, 0.0
    for i in range(n):
        for j in range(i + 1, n):
            length = D[i, j]
            found[m] = length  # overwritten if it is too long: no branch
            places[m] = (i << _HALF) | j
            m += length <= cap
    for k in range(m):
        shortest = min(shortest, found[k])
        longest = max(longest, found[k])
    scale = 0.0
    if longest > shortest:
        scale = m / (longest - shortest)
    if not scale < np.inf:  # lengths that differ by denormal numbers
        scale = 0.0
    stops = np.zeros(m + 2, dtype=np.int64)
    for k in range(m):
        stops[int((found[k] - shortest) * scale) + 1] += 1
    for k in range(1, m + 2):
        stops[k] += stops[k - 1]
    lengths = np.empty(m)
    codes = np.empty(m, dtype=np.int64)
    for k in range(m):
        bucket = int((found[k] - shortest) * scale)
        place = stops[bucket]
        stops[bucket] += 1
        lengths[place] = found[k]
        codes[place] = places[k]
    _sort_buckets(lengths, codes, stops)
    heads = np.empty(m, dtype=np.int64)
    tails = np.empty(m, dtype=np.int64)
    for k in range(m):
        heads[k] = codes[k] >> _HALF
        tails[k] = codes[k] & _LOW
    return heads, tails, lengths


@kernel(nogil=True)
def no_edges(D, cap):
    """Return no edges, in place of `sorted_edges`."""
    nothing = np.empty(0, dtype=np.int64)
    return nothing, nothing, np.empty(0)


@kernel(nogil=True)
def slice_edges(heads, tails, lengths, start, stop, cap):
    """Return the edges among the points start, ..., stop - 1, which count from 0.

    Sorting is most of the work on small clouds: slices share it.

    Parameters
    ----------
    heads, tails, lengths : ndarray of shape (m,)
        Edges, as `sorted_edges` returns.
    start, stop : int
        The slice.
    cap : float
        Longest length.

    Returns
    -------
    heads, tails, lengths : ndarray of shape (k,)
        The edges, shortest first.
    """
    size = min((stop - start) * (stop - start - 1) // 2, lengths.size)
    u, v = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    length = np.empty(size)
    m = 0
    for k in range(lengths.size):
        if lengths[k] > cap:
            break
        if start <= heads[k] and tails[k] < stop:
            u[m], v[m], length[m] = heads[k] - start, tails[k] - start, lengths[k]
            m += 1
    return u[:m], v[:m], length[:m]


@kernel(nogil=True)
def merge_lengths(D, start, stop):
    """Return the edge lengths of a minimum spanning tree, increasing (Prim).

    It spans the points start, ..., stop - 1.
    """
    n = stop - start
    lengths = np.empty(max(n - 1, 0))
    steps = np.empty(lengths.size, dtype=np.int64)
    gap = np.empty(n)
    outside = np.empty(n, dtype=np.int64)
    for i in range(n):
        gap[i] = np.inf
        outside[i] = i
    current = 0
    for step in range(n - 1):
        left = n - 1 - step
        # The newly joined point leaves the list of points outside the tree.
        k = 0
        while outside[k] != current:
            k += 1
        outside[k] = outside[left]
        nearest, best = 0, np.inf
        for k in range(left):
            j = outside[k]
            gap[j] = min(gap[j], D[start + current, start + j])
            if gap[j] < best:
                nearest, best = j, gap[j]
        if best == np.inf:
            nearest = outside[0]
        lengths[step], steps[step] = best, step
        current = nearest
    _heap_sort(lengths, steps, np.intp(0), lengths.size)
    return lengths
