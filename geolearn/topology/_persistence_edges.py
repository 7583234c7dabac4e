"""Kernels that sort the edges between points, and the minimum spanning tree."""

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["enclosing_radius", "merge_lengths", "sorted_edges"]

_MOVES = 8  # an entry, after which insertion gives way to heaps
_LARGEST = np.finfo(np.float64).max
_HALF, _LOW = 32, 2**32 - 1  # two points in one number


@kernel(nogil=True)
def enclosing_radius(D):
    """Return the radius of the smallest ball around a point that holds all points.

    From there on the complex is a cone.
    """
    # From the same triangle as the edges, should D be symmetric up to rounding.
    n = D.shape[0]
    farthest = np.zeros(n)
    for i in range(n):
        own = farthest[i]
        for j in range(i + 1, n):
            length = D[i, j]
            own = max(own, length)
            farthest[j] = max(farthest[j], length)
        farthest[i] = own
    return farthest.min()


@kernel(nogil=True)
def _before(x, i, y, j):
    """Tell whether (x, i) precedes (y, j)."""
    return x < y or (x == y and i < j)


@kernel(nogil=True)
def _sift(values, codes, start, root, stop):
    """Restore the order of a heap with the largest entry first."""
    value, code = values[start + root], codes[start + root]
    while True:
        child = 2 * root + 1
        if child >= stop:
            break
        c = start + child
        if child + 1 < stop and _before(
            values[c], codes[c], values[c + 1], codes[c + 1]
        ):
            c += 1
            child += 1
        if not _before(value, code, values[c], codes[c]):
            break
        values[start + root] = values[c]
        codes[start + root] = codes[c]
        root = child
    values[start + root] = value
    codes[start + root] = code


@kernel(nogil=True)
def _heap_sort(values, codes, start, stop):
    """Sort a range by value, ties by code."""
    n = stop - start
    for root in range(n // 2 - 1, -1, -1):
        _sift(values, codes, start, root, n)
    for last in range(n - 1, 0, -1):
        end = start + last
        values[start], values[end] = values[end], values[start]
        codes[start], codes[end] = codes[end], codes[start]
        _sift(values, codes, start, 0, last)


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
        start = 0
        for stop in stops:
            _heap_sort(values, codes, start, stop)
            start = stop


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
def merge_lengths(D):
    """Return the edge lengths of a minimum spanning tree, decreasing (Prim)."""
    n = D.shape[0]
    lengths = np.empty(max(n - 1, 0))
    gap = np.full(n, np.inf)
    outside = np.arange(n)
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
            gap[j] = min(gap[j], D[current, j])
            if gap[j] < best:
                nearest, best = j, gap[j]
        if best == np.inf:
            nearest = outside[0]
        lengths[step] = best
        current = nearest
    lengths.sort()
    return lengths[::-1].copy()
