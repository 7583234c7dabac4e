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
"""

# kernels: _persistence_bits=3a347fca _persistence_edges=b664ac4a

import numpy as np
from numba import types

from geolearn.topology._persistence_bits import BITS, grown, lowest
from geolearn.topology._persistence_edges import EDGES, merge_lengths
from geolearn.utils._jit import POINTS, kernel

__all__ = ["LOW", "low_degrees", "lowest_degree"]

LOW = types.Tuple([types.float64[::1], types.float64[:, ::1], types.int64[:, ::1]])(
    *(POINTS, types.intp, types.intp, *EDGES.return_type, types.boolean)
)


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


@kernel(nogil=True, forceinline=True)
def _read(marks, u, w, state, out):
    """Add the living loops of edge uw to `out`, settling its ended ones."""
    _born, ended, relations = state
    for k in range(out.size):
        rest = marks[u, w, k] & ended[k]
        while rest:
            slot = BITS * k + lowest(rest)
            rest &= rest - 1
            for j in range(out.size):
                marks[u, w, j] ^= relations[slot, j]
    for k in range(out.size):
        out[k] ^= marks[u, w, k]


@kernel(nogil=True)
def _youngest(mark, born):
    """Return the slot of the loop born last, -1 if there is none."""
    slot = -1
    for k in range(mark.size):
        rest = mark[k]
        while rest:
            candidate = BITS * k + lowest(rest)
            rest &= rest - 1
            if slot < 0 or born[candidate] > born[slot]:
                slot = candidate
    return slot


@kernel(nogil=True)
def _end_loop(slot, mark, ended, relations):
    """Note that the loop in `slot` is now the sum of the others in `mark`."""
    k, bit = slot // BITS, 1 << (slot % BITS)
    for dead in range(relations.shape[0]):
        if relations[dead, k] & bit:
            for j in range(mark.size):
                relations[dead, j] ^= mark[j]
    for j in range(mark.size):
        relations[slot, j] = mark[j]
    ended[k] |= bit


@kernel(nogil=True, forceinline=True)
def _spread(adjacent, left, todo, roots):
    """Return the number of components, given what the first root is next to."""
    words = left.size
    n_roots = 1
    k = 0
    while True:
        while k < words:
            if not todo[k]:
                k += 1
                continue
            x = BITS * k + lowest(todo[k])
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
        k = 0
        while k < words and not left[k]:
            k += 1
        if k == words:
            return n_roots
        bit = left[k] & -left[k]
        roots[n_roots] = BITS * k + lowest(bit)
        n_roots += 1
        left[k] ^= bit
        todo[k] = bit


@kernel(nogil=True, forceinline=True)
def _components(adjacent, lune, left, todo, roots):
    """Store the first point of each component of a lune; return their number."""
    words = lune.size
    first = 0
    while not lune[first]:
        first += 1
    root = BITS * first + lowest(lune[first])
    roots[0] = root
    remaining = 0
    for k in range(words):
        todo[k] = lune[k] & adjacent[root, k]
        left[k] = lune[k] ^ todo[k]
        remaining |= left[k]
    if not remaining:
        return 1
    todo[first] &= todo[first] - 1  # the root itself
    return _spread(adjacent, left, todo, roots)


@kernel(nogil=True)
def _new_state(words):
    """Return empty slots of loops: their numbers, who ended, what they equal now."""
    born = np.empty(BITS * words, dtype=np.int64)
    for slot in range(born.size):
        born[slot] = -1
    ended = np.zeros(words, dtype=np.int64)
    relations = np.zeros((BITS * words, words), dtype=np.int64)
    return born, ended, relations


@kernel(nogil=True)
def _free_ended(marks, state, heads, tails, rank):
    """Free the slots of ended loops, of which edges up to `rank` are rid; return one.

    Some loop has ended.
    """
    born, ended, _relations = state
    scratch = np.zeros(ended.size, dtype=np.int64)
    for r in range(2 * rank):
        u, v = heads[r // 2], tails[r // 2]
        if r % 2:
            u, v = v, u
        _read(marks, u, v, state, scratch)
    free = 0
    for slot in range(born.size):
        if (ended[slot // BITS] >> (slot % BITS)) & 1:
            free = slot
            born[slot] = -1  # what it equals is written when its next loop ends
    for k in range(ended.size):
        ended[k] = 0
    return free


@kernel(nogil=True)
def _wider(marks, state):
    """Return marks and slots with one word more."""
    born, ended, relations = state
    n, words = marks.shape[0], ended.size
    wider = np.zeros((n, n, words + 1), dtype=np.int64)
    for u in range(n):
        for v in range(n):
            for k in range(words):
                wider[u, v, k] = marks[u, v, k]
    new_born, new_ended, new_relations = _new_state(words + 1)
    for k in range(words):
        new_ended[k] = ended[k]
    for slot in range(born.size):
        new_born[slot] = born[slot]
        for k in range(words):
            new_relations[slot, k] = relations[slot, k]
    return wider, (new_born, new_ended, new_relations)


@kernel(nogil=True)
def _free_slot(marks, state, heads, tails, rank):
    """Return marks and slots with a free one, and its number."""
    born, ended, _relations = state
    n_ended = 0
    for slot in range(born.size):
        if born[slot] < 0:
            return marks, state, slot
        n_ended += (ended[slot // BITS] >> (slot % BITS)) & 1
    if 2 * n_ended < born.size:
        marks, state = _wider(marks, state)
        return marks, state, born.size
    return marks, state, _free_ended(marks, state, heads, tails, rank)


@kernel(nogil=True)
def _end_loops(marks, u, v, roots, n_roots, state, mark, loops, length):
    """End the loops that run between components of the lune of uv.

    Returns
    -------
    int
        Number of components that end none, moved to the front of `roots`.
    """
    born, ended, relations = state
    n_left = 0
    words = mark.size
    relation = np.empty(words, dtype=np.int64)
    for k in range(1, n_roots):
        for j in range(words):
            relation[j] = mark[j]
        _read(marks, u, roots[k], state, relation)
        _read(marks, v, roots[k], state, relation)
        slot = _youngest(relation, born)
        if slot < 0:
            roots[n_left] = roots[k]
            n_left += 1
            continue
        if (mark[slot // BITS] >> (slot % BITS)) & 1:
            for j in range(words):
                mark[j] ^= relation[j]
        _end_loop(slot, relation, ended, relations)
        loops[born[slot], 1] = length
    return n_left


@kernel(nogil=True, forceinline=True)
def _note(births, n_births, rank, roots, n_roots):
    """Append the triangles on an edge that enclose voids."""
    if n_births + n_roots > births.shape[0]:
        births = grown(births)  # there are fewer roots than rows
    for k in range(n_roots):
        births[n_births + k, 0] = rank
        births[n_births + k, 1] = roots[k]
    return births, n_births + n_roots


@kernel(nogil=True)
def lowest_degree(D, start, stop, heads, tails, lengths, voids):
    """Return the diagram of degree 0, without edges, in place of `low_degrees`."""
    births = np.empty((0, 2), dtype=np.int64)
    return merge_lengths(D, start, stop), np.empty((0, 2)), births


@kernel(nogil=True)
def low_degrees(D, start, stop, heads, tails, lengths, voids):
    """Return the diagrams of degrees 0 and 1, and the births in degree 2.

    Parameters
    ----------
    D : ndarray of shape (n_all, n_all)
        Not used, as the edges are given.
    start, stop : int
        The points that are meant are start, ..., stop - 1.
    heads, tails, lengths : ndarray of shape (m,)
        Edges among them, shortest first; points count from `start`.
    voids : bool
        Whether births in degree 2 are wanted.

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
    n = stop - start
    words = (n + BITS - 1) // BITS
    adjacent = np.zeros((n, words), dtype=np.int64)
    lune = np.empty(words, dtype=np.int64)
    left, todo = np.empty(words, dtype=np.int64), np.empty(words, dtype=np.int64)
    word, bit = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    roots, parent = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for v in range(n):
        word[v], bit[v] = v // BITS, 1 << (v % BITS)
        adjacent[v, word[v]] = bit[v]  # with itself
        parent[v] = v
    merges, n_merges = np.empty(max(n - 1, 0)), 0
    loops, n_loops = np.empty((lengths.size, 2)), 0
    births, n_births = np.empty((n, 2), dtype=np.int64), np.intp(0)
    marks, mark = np.empty((n, n, 1), dtype=np.int64), np.zeros(1, dtype=np.int64)
    state = _new_state(np.intp(1))
    n_alive = 0
    for rank in range(lengths.size):
        u, v = heads[rank], tails[rank]
        for k in range(mark.size):
            mark[k] = 0
        common = 0
        for k in range(words):
            lune[k] = adjacent[u, k] & adjacent[v, k]
            common |= lune[k]
        if common:
            if n_alive or voids:
                n_roots = _components(adjacent, lune, left, todo, roots)
                if n_alive:
                    _read(marks, u, roots[0], state, mark)
                    _read(marks, v, roots[0], state, mark)
                if n_roots > 1:
                    n_left = _end_loops(
                        marks, u, v, roots, n_roots, state, mark, loops, lengths[rank]
                    )
                    n_alive -= n_roots - 1 - n_left
                    if voids:
                        births, n_births = _note(births, n_births, rank, roots, n_left)
        elif _join(parent, u, v):
            merges[n_merges] = lengths[rank]
            n_merges += 1
        else:
            marks, state, slot = _free_slot(marks, state, heads, tails, rank)
            if state[1].size > mark.size:
                mark = np.zeros(state[1].size, dtype=np.int64)
            loops[n_loops, 0], loops[n_loops, 1] = lengths[rank], np.inf
            state[0][slot] = n_loops
            mark[slot // BITS] = 1 << (slot % BITS)
            n_loops += 1
            n_alive += 1
        for k in range(mark.size):
            marks[u, v, k] = mark[k]
            marks[v, u, k] = mark[k]
        adjacent[u, word[v]] |= bit[v]
        adjacent[v, word[u]] |= bit[u]
    return merges[:n_merges], loops[:n_loops], births[:n_births]
