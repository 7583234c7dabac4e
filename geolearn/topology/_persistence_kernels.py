"""Kernels of Vietoris-Rips persistence in degrees 0 to 2, on sorted edges.

Edges enter one at a time, in order of length, ties in order of position. The
simplices that enter with an edge uv are uv joined with the simplices of its lune:
the flag complex of the common neighbours of u and v among shorter edges. So the
homology changes by the reduced homology of the lune, one degree up by two:

- an empty lune joins two components, or gives birth to a loop;
- of a lune of k components, k - 1 each end a loop or give birth to a void;
- a lune with a loop ends a void, or gives birth in degree 3;
- a lune with a vertex next to all its others changes nothing.

Degree 1 carries, for each edge, the set of living loops that it represents, as
bits (an annotation): a loop of edges is a boundary when its sets cancel. Degree 2
reduces the coboundaries of the few triangles that give birth to voids.

Sets of vertices are bits of int64 words, 63 a word: signs stay out of the way.
"""

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["enclosing_radius", "rips_diagrams", "rips_slice", "sorted_edges"]

_BITS = 63
# Ties leave pairs of the size of rounding errors.
_ROUNDING = 1.0 + 1e-12
_SMALL = 24  # bucket that insertion sorts without counting its moves
# 2**k modulo 67 differs for all k < 66.
_BIT_INDEX = np.zeros(67, dtype=np.int64)
for _k in range(_BITS):
    _BIT_INDEX[2**_k % 67] = _k


@kernel(nogil=True)
def _lowest(word):
    """Return the index of the lowest bit of a positive word."""
    return _BIT_INDEX[(word & -word) % 67]


@kernel(nogil=True)
def _grown(array):
    """Return a copy with twice the rows."""
    larger = np.empty((2 * array.shape[0], array.shape[1]), dtype=array.dtype)
    larger[: array.shape[0]] = array
    return larger


@kernel(nogil=True)
def enclosing_radius(D):
    """Return the radius of the smallest ball around a point that holds all points.

    From there on the complex is a cone.
    """
    n = D.shape[0]
    radius = np.inf
    for i in range(n):
        farthest = 0.0
        for j in range(n):
            farthest = max(farthest, D[i, j])
        radius = min(radius, farthest)
    return radius


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
def _sort_range(values, codes, start, stop):
    """Sort a range that is in order of codes by value, ties by code."""
    budget = _SMALL * (stop - start)  # ties cost no move, clusters too many
    for i in range(start + 1, stop):
        value, code = values[i], codes[i]
        j = i
        while j > start and values[j - 1] > value:
            values[j] = values[j - 1]
            codes[j] = codes[j - 1]
            j -= 1
        values[j] = value
        codes[j] = code
        budget -= i - j
        if budget < 0:
            _heap_sort(values, codes, start, stop)
            return


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
    m = 0
    shortest, longest = np.inf, 0.0
    for i in range(n):
        for j in range(i + 1, n):
            if D[i, j] <= cap and D[i, j] < np.inf:
                m += 1
                shortest = min(shortest, D[i, j])
                longest = max(longest, D[i, j])
    scale = 0.0
    if longest > shortest:
        scale = m / (longest - shortest)
    if not scale < np.inf:  # lengths that differ by denormal numbers
        scale = 0.0
    starts = np.zeros(m + 2, dtype=np.int64)
    for i in range(n):
        for j in range(i + 1, n):
            if D[i, j] <= cap and D[i, j] < np.inf:
                starts[int((D[i, j] - shortest) * scale) + 1] += 1
    for k in range(1, m + 2):
        starts[k] += starts[k - 1]
    lengths = np.empty(m)
    codes = np.empty(m, dtype=np.int64)
    for i in range(n):
        for j in range(i + 1, n):
            if D[i, j] <= cap and D[i, j] < np.inf:
                bucket = int((D[i, j] - shortest) * scale)
                place = starts[bucket]
                starts[bucket] += 1
                lengths[place] = D[i, j]
                codes[place] = i * n + j
    start = 0
    for k in range(m + 1):
        if starts[k] > start + 1:
            _sort_range(lengths, codes, start, starts[k])
        start = starts[k]
    heads = np.empty(m, dtype=np.int64)
    tails = np.empty(m, dtype=np.int64)
    for k in range(m):
        heads[k] = codes[k] // n
        tails[k] = codes[k] - heads[k] * n
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


@kernel(nogil=True)
def _find(parent, i):
    """Return the root of a point's component; halve the path to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel(nogil=True)
def _join(parent, u, v):
    """Merge the components of u and v; tell whether they were two."""
    i, j = _find(parent, u), _find(parent, v)
    parent[i] = j
    return i != j


@kernel(nogil=True)
def _read(marks, u, w, ended, relations, out):
    """Add the living loops of edge uw to `out`, settling its ended ones."""
    entry = marks[u, w]
    for k in range(entry.size):
        rest = entry[k] & ended[k]
        while rest:
            slot = _BITS * k + _lowest(rest)
            rest &= rest - 1
            for j in range(entry.size):
                entry[j] ^= relations[slot, j]
    for k in range(entry.size):
        out[k] ^= entry[k]


@kernel(nogil=True)
def _youngest(mark, born):
    """Return the slot of the loop born last, -1 if there is none."""
    slot = -1
    for k in range(mark.size):
        rest = mark[k]
        while rest:
            candidate = _BITS * k + _lowest(rest)
            rest &= rest - 1
            if slot < 0 or born[candidate] > born[slot]:
                slot = candidate
    return slot


@kernel(nogil=True)
def _end_loop(slot, mark, ended, relations):
    """Note that the loop in `slot` is now the sum of the others in `mark`."""
    k, bit = slot // _BITS, 1 << (slot % _BITS)
    for dead in range(relations.shape[0]):
        if relations[dead, k] & bit:
            for j in range(mark.size):
                relations[dead, j] ^= mark[j]
    relations[slot] = mark
    ended[k] |= bit


@kernel(nogil=True)
def _components(adjacent, lune, left, todo, roots):
    """Store the first point of each component of a lune; return their number."""
    words = lune.size
    for k in range(words):
        left[k] = lune[k]
        todo[k] = 0
    n_roots = 0
    first = 0
    while True:
        while first < words and not left[first]:
            first += 1
        if first == words:
            return n_roots
        bit = left[first] & -left[first]
        roots[n_roots] = _BITS * first + _lowest(bit)
        n_roots += 1
        left[first] ^= bit
        todo[first] = bit
        k = first
        while k < words:
            if not todo[k]:
                k += 1
                continue
            x = _BITS * k + _lowest(todo[k])
            todo[k] &= todo[k] - 1
            remaining = 0
            for j in range(words):
                new = adjacent[x, j] & left[j]
                left[j] ^= new
                todo[j] |= new
                remaining |= left[j]
                if new and j < k:
                    k = j
            if not remaining:
                return n_roots


@kernel(nogil=True)
def _new_state(words):
    """Return empty slots of loops: their numbers, who ended, what they equal now."""
    born = np.full(_BITS * words, -1)
    ended = np.zeros(words, dtype=np.int64)
    relations = np.zeros((_BITS * words, words), dtype=np.int64)
    return born, ended, relations


@kernel(nogil=True)
def _free_slot(marks, state, heads, tails, rank):
    """Return marks and slots with a free one, and its number."""
    born, ended, relations = state
    n_slots = born.size
    n_ended = 0
    for slot in range(n_slots):
        if born[slot] < 0:
            return marks, state, slot
        n_ended += (ended[slot // _BITS] >> (slot % _BITS)) & 1
    if 2 * n_ended >= n_slots:
        scratch = np.zeros(ended.size, dtype=np.int64)
        for r in range(rank):
            _read(marks, heads[r], tails[r], ended, relations, scratch)
            _read(marks, tails[r], heads[r], ended, relations, scratch)
        free = -1
        for slot in range(n_slots):
            if (ended[slot // _BITS] >> (slot % _BITS)) & 1:
                born[slot] = -1
                free = slot
        ended[:] = 0
        relations[:] = 0
        return marks, state, free
    n, words = marks.shape[0], ended.size + 1
    wider = np.zeros((n, n, words), dtype=np.int64)
    wider[:, :, : words - 1] = marks
    new = _new_state(words)
    new[0][:n_slots] = born
    new[1][: words - 1] = ended
    new[2][:n_slots, : words - 1] = relations
    return wider, new, n_slots


@kernel(nogil=True)
def _end_loops(marks, u, v, roots, n_roots, state, mark, loops, length):
    """End the loops that run between components of the lune of uv.

    Returns
    -------
    int
        Number of components that end none, moved to the front of `roots`.
    """
    born, ended, relations = state
    _read(marks, u, roots[0], ended, relations, mark)
    _read(marks, v, roots[0], ended, relations, mark)
    n_left = 0
    relation = np.empty_like(mark)
    for k in range(1, n_roots):
        relation[:] = mark
        _read(marks, u, roots[k], ended, relations, relation)
        _read(marks, v, roots[k], ended, relations, relation)
        slot = _youngest(relation, born)
        if slot < 0:
            roots[n_left] = roots[k]
            n_left += 1
            continue
        if (mark[slot // _BITS] >> (slot % _BITS)) & 1:
            mark ^= relation
        _end_loop(slot, relation, ended, relations)
        loops[born[slot], 1] = length
    return n_left


@kernel(nogil=True)
def _low_degrees(n, heads, tails, lengths, voids):
    """Return the diagrams of degrees 0 and 1, and the births in degree 2.

    Returns
    -------
    merges : ndarray of shape (n - n_components,)
        Lengths at which components merge, increasing.
    loops : ndarray of shape (k, 2)
        Births and deaths of degree 1, births increasing.
    births : ndarray of shape (k, 2), int64
        Rank of the edge and opposite point of the triangles that enclose a void,
        increasing; empty unless `voids`.
    """
    words = (n + _BITS - 1) // _BITS
    adjacent = np.zeros((n, words), dtype=np.int64)
    lune = np.empty(words, dtype=np.int64)
    left, todo = np.empty_like(lune), np.empty_like(lune)
    roots = np.empty(n, dtype=np.int64)
    parent = np.arange(n)
    merges, n_merges = np.empty(max(n - 1, 0)), 0
    loops, n_loops = np.empty((n, 2)), 0
    births, n_births = np.empty((n, 2), dtype=np.int64), 0
    marks = np.empty((n, n, 1), dtype=np.int64)
    mark = np.zeros(1, dtype=np.int64)
    state = _new_state(1)
    n_alive = 0
    for rank in range(lengths.size):
        u, v = heads[rank], tails[rank]
        mark[:] = 0
        common = 0
        for k in range(words):
            lune[k] = adjacent[u, k] & adjacent[v, k]
            common |= lune[k]
        if common:
            if n_alive or voids:
                n_roots = _components(adjacent, lune, left, todo, roots)
                if n_alive:
                    n_left = _end_loops(
                        marks, u, v, roots, n_roots, state, mark, loops, lengths[rank]
                    )
                    n_alive -= n_roots - 1 - n_left
                else:
                    n_left = n_roots - 1
                    roots[:n_left] = roots[1:n_roots]
                if voids and n_left:
                    while n_births + n_left > births.shape[0]:
                        births = _grown(births)
                    births[n_births : n_births + n_left, 0] = rank
                    births[n_births : n_births + n_left, 1] = roots[:n_left]
                    n_births += n_left
        elif _join(parent, u, v):
            merges[n_merges] = lengths[rank]
            n_merges += 1
        else:
            marks, state, slot = _free_slot(marks, state, heads, tails, rank)
            if state[1].size > mark.size:
                mark = np.zeros(state[1].size, dtype=np.int64)
            if n_loops == loops.shape[0]:
                loops = _grown(loops)
            loops[n_loops] = lengths[rank], np.inf
            state[0][slot] = n_loops
            mark[slot // _BITS] = 1 << (slot % _BITS)
            n_loops += 1
            n_alive += 1
        marks[u, v] = mark
        marks[v, u] = mark
        adjacent[u, v // _BITS] |= 1 << (v % _BITS)
        adjacent[v, u // _BITS] |= 1 << (u % _BITS)
    return merges[:n_merges], _lasting(loops[:n_loops]), births[:n_births]


@kernel(nogil=True)
def _lasting(pairs):
    """Return the pairs that live longer than rounding errors."""
    kept = 0
    out = np.empty_like(pairs)
    for k in range(pairs.shape[0]):
        if pairs[k, 1] > pairs[k, 0] * _ROUNDING:
            out[kept] = pairs[k]
            kept += 1
    return out[:kept]


@kernel(nogil=True)
def diagrams_of_edges(n, heads, tails, lengths, max_degree):
    """Return (merges decreasing, loops, voids) of sorted edges on n points."""
    merges, loops, births = _low_degrees(n, heads, tails, lengths, max_degree > 1)
    voids = np.empty((0, 2))
    return merges[::-1].copy(), loops, voids


@kernel(nogil=True)
def rips_diagrams(D, max_degree):
    """Return the persistence of a finite metric space in degrees 0 to 2.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances, symmetric; any strides.
    max_degree : int
        0, 1 or 2. Diagrams of higher degrees are empty.

    Returns
    -------
    merges : ndarray of shape (n - 1,)
        Deaths in degree 0, decreasing, without the component that never dies.
    loops, voids : ndarray of shape (k, 2)
        Births and deaths in degrees 1 and 2, births increasing.
    """
    if max_degree < 1 or D.shape[0] < 3:
        return merge_lengths(D), np.empty((0, 2)), np.empty((0, 2))
    return rips_diagrams_below(D, enclosing_radius(D), max_degree)


@kernel(nogil=True)
def rips_diagrams_below(D, cap, max_degree):
    """Return the diagrams of the complex without edges longer than `cap`.

    As `rips_diagrams`, but components that never merge are missing from the first
    array, and what never dies below the enclosing radius has death inf.
    """
    cap = min(cap, enclosing_radius(D))
    heads, tails, lengths = sorted_edges(D, cap)
    return diagrams_of_edges(D.shape[0], heads, tails, lengths, max_degree)


@kernel(nogil=True)
def rips_slice(D, heads, tails, lengths, start, stop, max_degree):
    """Return the diagrams of the points start, ..., stop - 1.

    Sorting is most of the work on small clouds: slices share it.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances.
    heads, tails, lengths : ndarray of shape (m,)
        ``sorted_edges(D, np.inf)``.
    start, stop : int
        The slice.
    max_degree : int
        0, 1 or 2.

    Returns
    -------
    tuple of ndarray
        As `rips_diagrams`.
    """
    n = stop - start
    block = D[start:stop, start:stop]
    if max_degree < 1 or n < 3:
        return merge_lengths(block), np.empty((0, 2)), np.empty((0, 2))
    cap = enclosing_radius(block)
    size = n * (n - 1) // 2
    u, v = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    length = np.empty(size)
    m = 0
    for k in range(lengths.size):
        if lengths[k] > cap:
            break
        if start <= heads[k] and tails[k] < stop:
            u[m], v[m], length[m] = heads[k] - start, tails[k] - start, lengths[k]
            m += 1
    return diagrams_of_edges(n, u[:m], v[:m], length[:m], max_degree)
