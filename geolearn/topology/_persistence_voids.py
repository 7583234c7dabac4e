"""Kernels of Vietoris-Rips persistence in degree 2, by coboundaries.

The triangles that enclose voids are known. Each is reduced: its coboundary is a
set of tetrahedra, and while the first of them pairs with a triangle that encloses
nothing, the coboundary of that triangle is added.

A tetrahedron belongs to its longest edge e and is named by the two other points,
which stand in an order of the lune of e:

- If some point of the lune is next to all others (an apex), it comes first, and
  triangle (e, w) pairs with tetrahedron (e, apex, w). The other tetrahedra of e
  vanish with these, since the lune is a cone and the set a cocycle: they are never
  stored. Most edges have an apex.
- Else the order is that of a search of the lune: a point w found from x pairs (e, w)
  with (e, x, w), and the first points of components are the triangles that end a
  loop or enclose a void.

The keys of tetrahedra, (rank of e, later point, earlier point), are in an order of
the filtration, in which these pairs are apparent.
"""

# kernels: _persistence_bits=3a347fca

import numpy as np
from numba import types

from geolearn.topology._persistence_bits import BITS, grown, lowest
from geolearn.utils._jit import kernel

__all__ = ["VOIDS", "no_voids", "void_pairs"]

_LENGTHS, _INDICES = types.float64[::1], types.int64[::1]
VOIDS = types.float64[:, ::1](
    *(types.intp, _INDICES, _INDICES, _LENGTHS, types.int64[:, ::1])
)
_SEARCHED = -1  # in place of the apex of a lune that has none


@kernel(nogil=True)
def _apex(adjacent, lune, left):
    """Return a point of the lune next to all others, -1 if there is none."""
    words = lune.size
    for k in range(words):
        left[k] = lune[k]
    for k in range(words):
        while left[k]:
            bit = left[k] & -left[k]
            left[k] ^= bit
            w = BITS * k + lowest(bit)
            apart = lune[k] & ~adjacent[w, k] & ~bit
            for j in range(words):
                if j != k:
                    apart |= lune[j] & ~adjacent[w, j]
            if not apart:
                return w
    return -1


@kernel(nogil=True)
def _search(adjacent, lune, left, todo, orders, row):
    """Fill in the order of a search of the lune, and who found each point."""
    point, position, finder = row, row + 1, row + 2
    words = lune.size
    for k in range(words):
        left[k] = lune[k]
        todo[k] = 0
    place = 0
    for first in range(words):
        while left[first]:
            bit = left[first] & -left[first]
            left[first] ^= bit
            todo[first] = bit
            orders[finder, BITS * first + lowest(bit)] = -1
            k = first
            while k < words:
                if not todo[k]:
                    k += 1
                    continue
                x = BITS * k + lowest(todo[k])
                todo[k] &= todo[k] - 1
                orders[point, place] = x
                orders[position, x] = place
                for j in range(words):
                    new = adjacent[x, j] & left[j]
                    left[j] ^= new
                    todo[j] |= new
                    if new and j < k:
                        k = j
                    while new:
                        orders[finder, BITS * j + lowest(new)] = place
                        new &= new - 1
                place += 1


@kernel(nogil=True)
def _lunes(n, heads, tails, first):
    """Return ranks of edges, and apex or search order of lunes from rank `first`.

    Returns
    -------
    ranks : ndarray of shape (n, n), int32
        Number of each edge in order of length; m for pairs that are no edge.
    apexes : ndarray of shape (n, n), int32
        Apex of the lune of each edge, -1 where there is none, n where unknown.
    table : ndarray of shape (m,), int32
        First row of each edge in the following, -1 if its lune has an apex.
    orders : ndarray of shape (n_rows, n), int32
        Three rows for each lune: points in order of the search, place of each point
        in it, and place of the point that found each, -1 for the first of a
        component.
    """
    m = heads.size
    words = (n + BITS - 1) // BITS
    adjacent = np.zeros((n, words), dtype=np.int64)
    lune = np.empty(words, dtype=np.int64)
    left, todo = np.empty(words, dtype=np.int64), np.empty(words, dtype=np.int64)
    ranks = np.empty((n, n), dtype=np.int32)
    apexes = np.empty((n, n), dtype=np.int32)
    table = np.empty(m, dtype=np.int32)
    for i in range(n):
        for j in range(n):
            ranks[i, j] = m
            apexes[i, j] = n
    for rank in range(m):
        table[rank] = -1
    orders = np.empty((3 * n, n), dtype=np.int32)
    n_rows = np.intp(0)
    for rank in range(m):
        u, v = heads[rank], tails[rank]
        ranks[u, v] = rank
        ranks[v, u] = rank
        if rank >= first:
            common = 0
            for k in range(words):
                lune[k] = adjacent[u, k] & adjacent[v, k]
                common |= lune[k]
            if common:
                apex = _apex(adjacent, lune, left)
                apexes[u, v] = apex
                apexes[v, u] = apex
                if apex < 0:
                    if n_rows == orders.shape[0]:
                        orders = grown(orders)
                    _search(adjacent, lune, left, todo, orders, n_rows)
                    table[rank] = n_rows
                    n_rows += 3
        adjacent[u, v // BITS] |= 1 << (v % BITS)
        adjacent[v, u // BITS] |= 1 << (u % BITS)
    return ranks, apexes, table, orders


@kernel(nogil=True)
def _with_room(array, size):
    """Return the array, or a larger copy of it if it has no `size` entries."""
    if size <= array.size:
        return array
    larger = np.empty(max(size, 2 * array.size), dtype=np.int64)
    for k in range(array.size):
        larger[k] = array[k]
    return larger


@kernel(nogil=True)
def _push(heap, size, key):
    """Add a key to the heap; return the heap, which may have moved."""
    heap = _with_room(heap, size + 1)
    child = size
    while child > 0:
        parent = (child - 1) // 2
        if heap[parent] <= key:
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = key
    return heap


@kernel(nogil=True)
def _pop(heap, size):
    """Take the smallest key, which stands in heap[0], off the heap."""
    size -= 1
    key = heap[size]
    root = 0
    while True:
        child = 2 * root + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[root] = heap[child]
        root = child
    heap[root] = key
    return size


@kernel(nogil=True)
def _pop_odd(heap, size):
    """Return the smallest key that is in the heap an odd number of times, or -1."""
    while size:
        key = heap[0]
        odd = False
        while size and heap[0] == key:
            size = _pop(heap, size)
            odd = not odd
        if odd:
            return key, size
    return -1, 0


@kernel(nogil=True)
def _key(lunes, rank, apex, y, z):
    """Return the key of an edge's tetrahedron, -1 for one that is not stored."""
    table, orders = lunes[2], lunes[3]
    base = orders.shape[1] + 1
    if apex == _SEARCHED:
        position = table[rank] + 1
        i, j = orders[position, y], orders[position, z]
        return (rank * base + max(i, j)) * base + min(i, j)
    if apex == y:
        return (rank * base + z + 1) * base
    if apex == z:
        return (rank * base + y + 1) * base
    return -1


@kernel(nogil=True)
def _add_coboundary(heap, size, lunes, rank, a, b, w):
    """Push the tetrahedra on the triangle of longest edge ab and point w."""
    ranks, apexes = lunes[0], lunes[1]
    n, m = ranks.shape[0], lunes[2].size
    searched = apexes[a, b] == _SEARCHED
    for x in range(n):
        at_a, at_b, at_w = ranks[a, x], ranks[b, x], ranks[w, x]
        longest = max(at_a, at_b, at_w)
        if longest >= m:  # no edge, which holds for a, b and w themselves
            continue
        if longest < rank:
            if not searched:
                continue
            key = _key(lunes, rank, apexes[a, b], w, x)
        elif longest == at_a:
            key = _key(lunes, np.int64(longest), apexes[a, x], b, w)
        elif longest == at_b:
            key = _key(lunes, np.int64(longest), apexes[b, x], a, w)
        else:
            key = _key(lunes, np.int64(longest), apexes[w, x], a, b)
        if key >= 0:
            heap = _push(heap, size, key)
            size += 1
    return heap, size


@kernel(nogil=True)
def _reduce(heap, size, lunes, heads, tails, pivots, starts, entries, n_columns):
    """Reduce a coboundary until its first tetrahedron is new.

    Returns
    -------
    heap : ndarray
        The rest of the coboundary, in its first `size` entries.
    size : int
        Its size.
    key : int
        The first tetrahedron, -1 if none is left.
    """
    table, orders = lunes[2], lunes[3]
    base = orders.shape[1] + 1
    while True:
        key, size = _pop_odd(heap, size)
        if key < 0:
            return heap, size, key
        upper = key // base
        earlier = key - upper * base
        rank = upper // base
        later = upper - rank * base
        row = table[rank]
        w = later - 1
        if row >= 0:
            w = orders[row, later]
            heap = _push(heap, size, key)
            size += 1
            if orders[row + 2, w] != earlier:
                owner = 0
                while owner < n_columns and pivots[owner] != key:
                    owner += 1
                if owner == n_columns:
                    return heap, size, key
                for k in range(starts[owner], starts[owner + 1]):
                    heap = _push(heap, size, entries[k])
                    size += 1
                continue
        heap, size = _add_coboundary(
            heap, size, lunes, rank, heads[rank], tails[rank], w
        )


@kernel(nogil=True)
def no_voids(n, heads, tails, lengths, births):
    """Return no pairs, in place of `void_pairs`."""
    return np.empty((0, 2))


@kernel(nogil=True)
def void_pairs(n, heads, tails, lengths, births):
    """Return births and deaths of voids, births increasing.

    Parameters
    ----------
    n : int
        Number of points.
    heads, tails : ndarray of shape (m,), int64
        Edges, in order of length.
    lengths : ndarray of shape (m,)
        Their lengths.
    births : ndarray of shape (k, 2), int64
        Rank of the longest edge and opposite point of the triangles that enclose
        voids, increasing.

    Returns
    -------
    ndarray of shape (k, 2)
        The pairs, also those of equal birth and death; death inf if there is none.
    """
    n_births = births.shape[0]
    pairs = np.empty((n_births, 2))
    if not n_births:
        return pairs
    lunes = _lunes(n, heads, tails, births[0, 0])
    heap = np.empty(8 * n, dtype=np.int64)
    entries = np.empty(8 * n, dtype=np.int64)
    pivots = np.empty(n_births, dtype=np.int64)
    starts = np.zeros(n_births + 1, dtype=np.int64)
    n_columns = np.intp(0)
    for i in range(n_births - 1, -1, -1):
        rank, w = births[i, 0], births[i, 1]
        size = np.intp(0)
        heap, size = _add_coboundary(
            heap, size, lunes, rank, heads[rank], tails[rank], w
        )
        heap, size, key = _reduce(
            heap, size, lunes, heads, tails, pivots, starts, entries, n_columns
        )
        pairs[i, 0], pairs[i, 1] = lengths[rank], np.inf
        if key < 0:
            continue
        pairs[i, 1] = lengths[key // ((n + 1) * (n + 1))]
        stop = starts[n_columns] + size
        entries = _with_room(entries, stop)
        for k in range(size):
            entries[starts[n_columns] + k] = heap[k]
        pivots[n_columns] = key
        starts[n_columns + 1] = stop
        n_columns += 1
    return pairs
