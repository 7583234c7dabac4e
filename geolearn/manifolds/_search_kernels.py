"""Loops of the neighbour search by lower bounds; see `geolearn.manifolds._search`."""

import numpy as np
from numba import prange, types

from geolearn.utils._jit import POINT, TABLE, first_class, kernel
from geolearn.utils._threads import numba_threads

__all__ = ["lower_bounds", "merge", "next_candidates", "sort_found"]

_INDEX = types.Array(types.intp, 1, "C", readonly=True)
_INDEX_TABLE = types.intp[:, ::1]


@kernel
def _after(d, j, e, k):
    # The order of the results: by distance, then by index.
    return d > e or (d == e and j > k)


@kernel
def _replace_top(keys, labels, extras, length, key, label, extra):
    """Put a new entry in the place of the last in order, which is at the top."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= length:
            break
        if child + 1 < length and _after(
            keys[child + 1], labels[child + 1], keys[child], labels[child]
        ):
            child += 1
        if not _after(keys[child], labels[child], key, label):
            break
        keys[at] = keys[child]
        labels[at] = labels[child]
        extras[at] = extras[child]
        at = child
    keys[at] = key
    labels[at] = label
    extras[at] = extra


@kernel(parallel=True)
def _lower_bounds(table, squares_x, squares_y, slack_x, slack_y, rounding, skip):
    for row in prange(table.shape[0]):
        i = np.intp(row)
        for j in range(table.shape[1]):
            total = squares_x[i] + squares_y[j]
            square = total - 2.0 * table[i, j] - rounding * total
            table[i, j] = np.sqrt(max(square, 0.0)) - slack_x[i] - slack_y[j]
        if skip[i] >= 0:
            table[i, skip[i]] = np.inf


@kernel(parallel=True)
def _next_candidates(table, rows, limits, chosen):
    size = chosen.shape[1]
    for row in prange(rows.shape[0]):
        r = np.intp(row)
        i = rows[r]
        keys = np.full(size, np.inf)
        labels = chosen[r]
        labels[:] = -1
        for j in range(table.shape[1]):
            key = table[i, j]
            if key < keys[0] and key <= limits[i]:
                _replace_top(keys, labels, keys, size, key, j, key)
        for t in range(size):
            if labels[t] >= 0:
                table[i, labels[t]] = np.inf  # taken


@kernel(parallel=True)
def _merge(rows, starts, labels, keys, extras, distances, indices, volumes):
    k = distances.shape[1]
    with_volume = volumes.shape[0] > 0
    for row in prange(rows.shape[0]):
        r = np.intp(row)
        i = rows[r]
        d = distances[i]
        carried = volumes[i] if with_volume else d
        for t in range(starts[r], starts[r + 1]):
            if _after(d[0], indices[i, 0], keys[t], labels[t]):
                extra = extras[t] if with_volume else keys[t]
                _replace_top(d, indices[i], carried, k, keys[t], labels[t], extra)


@kernel(parallel=True)
def _sort_found(distances, indices, volumes):
    with_volume = volumes.shape[0] > 0
    for row in prange(distances.shape[0]):
        i = np.intp(row)
        d, j = distances[i], indices[i]
        carried = volumes[i] if with_volume else d
        for length in range(d.shape[0] - 1, 0, -1):
            key, label, extra = d[0], j[0], carried[0]
            last_key, last_label, last_extra = d[length], j[length], carried[length]
            _replace_top(d, j, carried, length, last_key, last_label, last_extra)
            d[length] = key
            j[length] = label
            carried[length] = extra


def lower_bounds(table, squares, slacks, rounding, skip, n_jobs):
    """Turn inner products of tangent vectors into lower bounds of distances.

    Parameters
    ----------
    table : ndarray of shape (n_x, n_y)
        Inner products; overwritten. Entry (i, skip[i]) becomes infinite.
    squares : tuple of ndarray
        Squared lengths of the two sets of vectors.
    slacks : tuple of ndarray
        What bounds the errors of vectors and distances, for each of the two sets.
    rounding : float
        Relative error of the squared distances of vectors.
    skip : ndarray of shape (n_x,)
        Column to leave out, or -1.
    n_jobs : int or None
        Number of threads.
    """
    types_ = (TABLE, POINT, POINT, POINT, POINT, types.float64, _INDEX)
    with numba_threads(n_jobs):
        first_class(_lower_bounds, *types_)(table, *squares, *slacks, rounding, skip)


def next_candidates(table, rows, limits, size, n_jobs):
    """Return the next columns of some rows in the order of their bounds.

    Parameters
    ----------
    table : ndarray of shape (n_x, n_y)
        Lower bounds; those that are returned become infinite.
    rows : ndarray of shape (n_rows,)
        Rows that are searched on.
    limits : ndarray of shape (n_x,)
        Largest bound of interest in each row.
    size : int
        Largest number of columns a row.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    ndarray of shape (n_rows, size)
        Columns in any order, -1 where there are no more.
    """
    chosen = np.empty((len(rows), size), dtype=np.intp)
    driver = first_class(_next_candidates, TABLE, _INDEX, POINT, _INDEX_TABLE)
    with numba_threads(n_jobs):
        driver(table, rows, limits, chosen)
    return chosen


def merge(rows, starts, labels, keys, extras, found, n_jobs):
    """Keep the nearest of what was found before and the new entries of some rows.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Rows of `found`.
    starts : ndarray of shape (n_rows + 1,)
        Entries starts[r] to starts[r + 1] belong to rows[r].
    labels, keys, extras : ndarray of shape (n_entries,)
        Index, distance and log volume density; the last may be empty.
    found : tuple of ndarray of shape (n_x, k)
        Distances, indices and log volume densities (or of shape (0, 0)) as heaps.
    n_jobs : int or None
        Number of threads.
    """
    types_ = (_INDEX, _INDEX, _INDEX, POINT, POINT, TABLE, _INDEX_TABLE, TABLE)
    with numba_threads(n_jobs):
        first_class(_merge, *types_)(rows, starts, labels, keys, extras, *found)


def sort_found(found, n_jobs):
    """Sort the heaps of `merge` by distance, then by index."""
    driver = first_class(_sort_found, TABLE, _INDEX_TABLE, TABLE)
    with numba_threads(n_jobs):
        driver(*found)
