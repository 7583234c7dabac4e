"""Diagrams of many small clouds in flat arrays, own engine or optional library."""

from typing import NamedTuple

import numpy as np
from numba import types

from geolearn.topology._annulus import annulus_points, stream_key
from geolearn.topology._euclidicity_kernels import INDEX, members
from geolearn.topology._persistence import vietoris_rips_persistence
from geolearn.topology._persistence_edges import enclosing_radius, slice_edges
from geolearn.topology._persistence_kernels import PARTS, engine, lasts
from geolearn.utils._jit import POINT, first_class, kernel
from geolearn.utils._tables import read_only

# kernels: _annulus=cfd883c2 _euclidicity_kernels=ecf845ff _persistence_edges=b664ac4a
# kernels: _persistence_kernels=a921eeec

__all__ = ["Diagrams", "join", "model_diagrams", "portions", "slice_diagrams"]

_OWN_DEGREE = 2  # highest degree of the compiled engine
_TABLE_VALUES = 2**20  # distances among neighbours held by a job: 8 MiB


class Diagrams(NamedTuple):
    """Hold the persistence diagrams of many clouds, without the essential class."""

    pairs: np.ndarray  # (n, 2) of each cloud, degree 0 first, deaths decreasing there
    starts: np.ndarray  # (n_clouds * n_degrees + 1,) where each diagram starts
    n_degrees: int
    n_draws: int  # consecutive clouds that are draws of one model

    def frozen(self) -> "Diagrams":
        """Return read-only views, so that kernels see one type of array."""
        return self._replace(pairs=read_only(self.pairs), starts=read_only(self.starts))


def join(parts) -> Diagrams:
    """Join the diagrams of several sets of clouds."""
    sizes = [np.diff(part.starts) for part in parts]
    return parts[0]._replace(
        pairs=np.concatenate([part.pairs for part in parts]),
        starts=_starts(np.concatenate(sizes)),
    )


def portions(sizes):
    """Yield ranges of clouds whose tables fit the limit, at least one a range."""
    start, total = 0, 0
    for q, n in enumerate(sizes):
        if total and total + n * n > _TABLE_VALUES:
            yield slice(start, q)
            start, total = q, 0
        total += n * n
    yield slice(start, len(sizes))


@kernel(nogil=True)
def _with_room(pairs, size):
    # A larger copy of the table if it has fewer rows.
    if size <= pairs.shape[0]:
        return pairs
    larger = np.empty((2 * size, 2))
    for k in range(pairs.shape[0]):
        larger[k, 0], larger[k, 1] = pairs[k, 0], pairs[k, 1]
    return larger


@kernel(nogil=True)
def _with_merges(pairs, count, merges):
    # Append the diagram of degree 0, deaths decreasing.
    n = merges.size
    pairs = _with_room(pairs, count + n)
    for k in range(n):
        pairs[count + k, 0], pairs[count + k, 1] = 0.0, merges[n - 1 - k]
    return pairs, count + n


@kernel(nogil=True)
def _with_lasting(pairs, count, found):
    # Append the pairs that last.
    pairs = _with_room(pairs, count + found.shape[0])
    for k in range(found.shape[0]):
        if lasts(found[k, 0], found[k, 1]):
            pairs[count, 0], pairs[count, 1] = found[k, 0], found[k, 1]
            count += 1
    return pairs, count


@kernel(nogil=True)
def _table(q, indptr, starts, tables):
    n = indptr[q + 1] - indptr[q]
    return tables[starts[q] : starts[q] + n * n].reshape(n, n)


@kernel(nogil=True)
def _cloud(table, low, priority, max_points):
    # Distances among the points from `low` on that remain after thinning.
    places = members(priority, max_points)
    D = np.empty((places.shape[0], places.shape[0]))
    for a in range(places.shape[0]):
        for b in range(places.shape[0]):
            D[a, b] = table[low + places[a], low + places[b]]
    return D


@kernel(nogil=True)
def _of_slices(
    edges,
    low_degrees,
    void_pairs,
    slices,
    indptr,
    priority,
    starts,
    tables,
    max_points,
    max_degree,
):
    """Return the pairs of all slices, and where each diagram starts."""
    n_slices = slices.shape[0]
    pairs, count = np.empty((16 * n_slices, 2)), np.intp(0)
    ends = np.zeros(n_slices * (max_degree + 1) + 1, dtype=np.intp)
    before, is_sorted = -1, False
    for k in range(n_slices):
        q, low, high = slices[k, 0], slices[k, 1], slices[k, 2]
        if q != before:
            table = _table(q, indptr, starts, tables)
            before, is_sorted = q, False
        D, start, stop = table, low, high
        shared = table.shape[0] <= max_points
        if not shared:
            order = priority[indptr[q] + low : indptr[q] + high]
            D = _cloud(table, low, order, max_points)
            start, stop = np.intp(0), np.intp(D.shape[0])
        cap = enclosing_radius(D, start, stop) if max_degree > 0 else 0.0
        if not is_sorted:  # the slices of a query share the sorting
            alone = not shared or k + 1 == n_slices or slices[k + 1, 0] != q
            heads, tails, lengths = edges(D, cap if alone else np.inf)
            is_sorted = shared
        u, v, length = slice_edges(heads, tails, lengths, start, stop, cap)
        merges, loops, births = low_degrees(
            D, start, stop, u, v, length, max_degree > 1
        )
        pairs, count = _with_merges(pairs, count, merges)
        at = k * (max_degree + 1) + 1
        ends[at] = count
        if max_degree > 0:
            pairs, count = _with_lasting(pairs, count, loops)
            ends[at + 1] = count
        if max_degree > 1:
            voids = void_pairs(stop - start, u, v, length, births)
            pairs, count = _with_lasting(pairs, count, voids)
            ends[at + 2] = count
    return pairs[:count], ends


_SLICES = types.Array(types.intp, 2, "C", readonly=True)
_OF_SLICES = (*PARTS, _SLICES, INDEX, INDEX, INDEX, POINT, types.intp, types.intp)


@kernel(nogil=True)
def _fill_models(seed, dim, clouds, n_bins, starts, tables):
    # Distances among the points of draw m of the model (n, b).
    for k in range(clouds.shape[0]):
        n, b, m = clouds[k, 0], clouds[k, 1], clouds[k, 2]
        P = np.empty((n, dim))
        annulus_points(stream_key(seed, dim, n, b, m), b / n_bins, 1.0, P)
        D = tables[starts[k] : starts[k] + n * n].reshape(n, n)
        for i in range(n):
            D[i, i] = 0.0
            for j in range(i):
                total = 0.0
                for c in range(dim):
                    total += (P[i, c] - P[j, c]) ** 2
                D[i, j] = np.sqrt(total)
                D[j, i] = D[i, j]


def slice_diagrams(
    slices, indptr, priority, starts, tables, max_points, max_degree
) -> Diagrams:
    """Compute the diagrams of slices of lists of neighbours.

    Parameters
    ----------
    slices : ndarray of intp of shape (n_slices, 3)
        Query, first and last place in its list, as the kernel `slices` returns.
    indptr, priority : ndarray of intp
        Fields of `Lists`.
    starts : ndarray of intp of shape (n_queries,)
        Where the distances among the neighbours of each query start in `tables`.
    tables : ndarray
        These distances, row by row.
    max_points : int
        Slices of more points are thinned.
    max_degree : int
        Highest degree.

    Returns
    -------
    Diagrams
        The diagrams; a slice is a model of one draw.
    """
    if max_degree > _OWN_DEGREE:
        clouds = (
            _cloud(
                _table(q, indptr, starts, tables),
                low,
                priority[indptr[q] + low : indptr[q] + high],
                max_points,
            )
            for q, low, high in slices
        )
        return _by_library(clouds, max_degree)
    run = first_class(_of_slices, *_OF_SLICES)
    arrays = slices, indptr, priority, starts, tables
    found = run(*engine(max_degree), *arrays, max_points, max_degree)
    return Diagrams._make((*found, max_degree + 1, 1))


def model_diagrams(seed, dim, keys, n_bins, n_draws, max_degree) -> Diagrams:
    """Compute the diagrams of uniform draws from flat annuli of outer radius 1.

    Parameters
    ----------
    seed : int
        Seed of the counter-based streams.
    dim : int
        Dimension of the annuli.
    keys : ndarray of intp of shape (n_keys, 2)
        Number of points, and bin b of the inner radius b / n_bins.
    n_bins : int
        Number of bins.
    n_draws : int
        Draws for each key.
    max_degree : int
        Highest degree.

    Returns
    -------
    Diagrams
        The diagrams, draws of a key one after the other.
    """
    draws = np.tile(np.arange(n_draws), keys.shape[0])
    clouds = np.column_stack([np.repeat(keys, n_draws, axis=0), draws])
    parts = []
    for rows in portions(clouds[:, 0]):
        part = clouds[rows]
        indptr, starts = (_starts(part[:, 0] ** power) for power in (1, 2))
        tables = np.empty(starts[-1])
        with np.errstate(over="ignore"):  # the random stream wraps around, uncompiled
            _fill_models(seed, dim, part, n_bins, starts, tables)
        # Each cloud is the whole list of a query of its own: nothing is thinned.
        n = part[:, 0]
        whole = np.column_stack([np.arange(n.size), np.zeros_like(n), n])
        order = np.arange(indptr[-1])
        found = indptr, order, starts[:-1], tables, n.max(initial=0), max_degree
        parts.append(slice_diagrams(whole, *found))
    return join(parts)._replace(n_draws=n_draws)


def _starts(sizes):
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)


def _by_library(clouds, max_degree):
    diagrams = [np.empty((0, 2))]
    for D in clouds:
        first, *others = vietoris_rips_persistence(
            D, max_degree=max_degree, metric="precomputed"
        )
        finite = first[np.isfinite(first[:, 1])]
        diagrams += [finite[::-1], *others]  # it sorts by birth and death
    starts = _starts([len(diagram) for diagram in diagrams[1:]])
    return Diagrams(np.concatenate(diagrams), starts, max_degree + 1, 1)
