"""Diagrams of many small clouds in flat arrays, own engine or optional library."""

from typing import NamedTuple

import numpy as np

from geolearn.topology._annulus import annulus_points, stream_key
from geolearn.topology._euclidicity_kernels import members
from geolearn.topology._persistence import vietoris_rips_persistence
from geolearn.topology._persistence_kernels import (
    rips_diagrams,
    rips_slice,
    sorted_edges,
)
from geolearn.utils._jit import kernel
from geolearn.utils._tables import read_only

# kernels: _annulus=cfd883c2 _euclidicity_kernels=ad337fd1 _persistence_edges=ec8354e7
# kernels: _persistence_kernels=dabc4551

__all__ = ["Diagrams", "join", "model_diagrams", "slice_diagrams"]

_OWN_DEGREE = 2  # highest degree of the compiled engine


class Diagrams(NamedTuple):
    """Hold the persistence diagrams of many clouds, without the essential class."""

    deaths: np.ndarray  # (n,) degree 0, decreasing in each cloud
    death_ptr: np.ndarray  # (n_clouds + 1,)
    pairs: np.ndarray  # (n, 2) degrees 1 and above, in this order in each cloud
    pair_ptr: np.ndarray  # (n_clouds * (n_degrees - 1) + 1,)
    n_degrees: int
    n_draws: int  # consecutive clouds that are draws of one model

    def frozen(self) -> "Diagrams":
        """Return read-only views, so that kernels see one type of array."""
        return self._replace(
            deaths=read_only(self.deaths),
            death_ptr=read_only(self.death_ptr),
            pairs=read_only(self.pairs),
            pair_ptr=read_only(self.pair_ptr),
        )


def join(parts) -> Diagrams:
    """Join the diagrams of several sets of clouds."""
    return Diagrams(
        np.concatenate([part.deaths for part in parts]),
        _joined_ends([part.death_ptr for part in parts]),
        np.concatenate([part.pairs for part in parts]),
        _joined_ends([part.pair_ptr for part in parts]),
        parts[0].n_degrees,
        parts[0].n_draws,
    )


def _joined_ends(parts):
    sizes = [np.diff(ends) for ends in parts]
    return np.cumsum(np.concatenate([[0], *sizes])).astype(np.intp)


@kernel
def _appended(table, count, rows):
    # A larger copy of the table if the rows do not fit.
    n = count + rows.shape[0]
    if n > table.shape[0]:
        larger = np.empty((2 * n, 2))
        larger[:count] = table[:count]
        table = larger
    table[count:n] = rows
    return table


@kernel
def _store(found, cloud, max_degree, deaths, death_ptr, pairs, pair_ptr):
    # Store the diagrams of one cloud; return the pairs, in a larger table if full.
    deaths[death_ptr[cloud] : death_ptr[cloud + 1]] = found[0]
    at = cloud * max_degree
    if max_degree > 0:
        count = pair_ptr[at]
        pairs = _appended(pairs, count, found[1])
        pair_ptr[at + 1] = count + found[1].shape[0]
    if max_degree > 1:
        count = pair_ptr[at + 1]
        pairs = _appended(pairs, count, found[2])
        pair_ptr[at + 2] = count + found[2].shape[0]
    return pairs


@kernel(nogil=True)
def _cloud(table, low, priority, max_points):
    # Distances among the points from `low` on that remain after thinning.
    places = members(priority, max_points)
    D = np.empty((places.shape[0], places.shape[0]))
    for a in range(places.shape[0]):
        for b in range(places.shape[0]):
            D[a, b] = table[low + places[a], low + places[b]]
    return D


@kernel
def _table(q, indptr, starts, tables):
    n = indptr[q + 1] - indptr[q]
    return tables[starts[q] : starts[q] + n * n].reshape(n, n)


@kernel(nogil=True)
def _of_slices(slices, indptr, priority, starts, tables, max_points, max_degree):
    n_slices = slices.shape[0]
    death_ptr = np.zeros(n_slices + 1, dtype=np.intp)
    for k in range(n_slices):
        n = min(slices[k, 2] - slices[k, 1], max_points)
        death_ptr[k + 1] = death_ptr[k] + n - 1
    deaths = np.empty(death_ptr[n_slices])
    pair_ptr = np.zeros(n_slices * max_degree + 1, dtype=np.intp)
    pairs = np.empty((8 * n_slices, 2))
    before = -1
    table = np.empty((0, 0))
    heads, tails, lengths = sorted_edges(table, np.inf)
    for k in range(n_slices):
        q, low, high = slices[k, 0], slices[k, 1], slices[k, 2]
        if q != before:
            table = _table(q, indptr, starts, tables)
            if table.shape[0] <= max_points and max_degree > 0:
                heads, tails, lengths = sorted_edges(table, np.inf)
            before = q
        if table.shape[0] <= max_points:  # the slices of a query share the sorting
            found = rips_slice(table, heads, tails, lengths, low, high, max_degree)
        else:
            order = priority[indptr[q] + low : indptr[q] + high]
            found = rips_diagrams(_cloud(table, low, order, max_points), max_degree)
        pairs = _store(found, k, max_degree, deaths, death_ptr, pairs, pair_ptr)
    return deaths, death_ptr, pairs[: pair_ptr[-1]].copy(), pair_ptr


@kernel(nogil=True)
def _model_cloud(seed, dim, n, b, n_bins, m):
    # Distances among the points of draw m.
    P = np.empty((n, dim))
    annulus_points(stream_key(seed, dim, n, b, m), b / n_bins, 1.0, P)
    D = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            total = 0.0
            for c in range(dim):
                total += (P[i, c] - P[j, c]) ** 2
            D[i, j] = np.sqrt(total)
            D[j, i] = D[i, j]
    return D


@kernel(nogil=True)
def _of_models(seed, dim, keys, n_bins, n_draws, max_degree):
    n_clouds = keys.shape[0] * n_draws
    death_ptr = np.zeros(n_clouds + 1, dtype=np.intp)
    for k in range(n_clouds):
        death_ptr[k + 1] = death_ptr[k] + keys[k // n_draws, 0] - 1
    deaths = np.empty(death_ptr[n_clouds])
    pair_ptr = np.zeros(n_clouds * max_degree + 1, dtype=np.intp)
    pairs = np.empty((8 * n_clouds, 2))
    for k in range(n_clouds):
        n, b = keys[k // n_draws, 0], keys[k // n_draws, 1]
        D = _model_cloud(seed, dim, n, b, n_bins, k % n_draws)
        found = rips_diagrams(D, max_degree)
        pairs = _store(found, k, max_degree, deaths, death_ptr, pairs, pair_ptr)
    return deaths, death_ptr, pairs[: pair_ptr[-1]].copy(), pair_ptr


def slice_diagrams(slices, lists, starts, tables, max_points, max_degree) -> Diagrams:
    """Compute the diagrams of slices of lists of neighbours.

    Parameters
    ----------
    slices : ndarray of intp of shape (n_slices, 3)
        Query, first and last place in its list, as the kernel `slices` returns.
    lists : Lists
        Lists of neighbours.
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
                _table(q, lists.indptr, starts, tables),
                low,
                lists.priority[lists.indptr[q] + low : lists.indptr[q] + high],
                max_points,
            )
            for q, low, high in slices
        )
        return _by_library(clouds, max_degree, 1)
    arrays = _of_slices(
        *(slices, lists.indptr, lists.priority, starts, tables),
        *(max_points, max_degree),
    )
    return Diagrams._make((*arrays, max_degree + 1, 1))


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
    if max_degree > _OWN_DEGREE:
        clouds = (
            _model_cloud(seed, dim, n, b, n_bins, m)
            for n, b in keys
            for m in range(n_draws)
        )
        return _by_library(clouds, max_degree, n_draws)
    with np.errstate(over="ignore"):  # the random stream wraps around, uncompiled
        arrays = _of_models(seed, dim, keys, n_bins, n_draws, max_degree)
    return Diagrams._make((*arrays, max_degree + 1, n_draws))


def _by_library(clouds, max_degree, n_draws):
    deaths, pairs = [np.empty(0)], [np.empty((0, 2))]
    for D in clouds:
        first, *others = vietoris_rips_persistence(
            D, max_degree=max_degree, metric="precomputed"
        )
        finite = first[np.isfinite(first[:, 1]), 1]
        deaths.append(np.sort(finite)[::-1])
        pairs.extend(others)
    sizes = ([len(part) for part in parts[1:]] for parts in (deaths, pairs))
    death_ptr, pair_ptr = (np.cumsum([0, *n]).astype(np.intp) for n in sizes)
    flat = np.concatenate(deaths), death_ptr, np.concatenate(pairs), pair_ptr
    return Diagrams._make((*flat, max_degree + 1, n_draws))
