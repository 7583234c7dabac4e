"""Compiled loops over the annuli of queries: slices of sorted lists of neighbours."""

import numpy as np
from numba import types

from geolearn.utils._jit import POINT, POINTS, ROW, first_class, kernel

__all__ = ["INDEX", "count_and_mark", "local_tables", "members", "slices"]


@kernel
def _first_beyond(distances, radius):
    # Number of sorted distances <= radius.
    low, high = 0, distances.shape[0]
    while low < high:
        middle = (low + high) // 2
        if distances[middle] <= radius:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _limit(priority, n_wanted):
    # Largest priority among the n_wanted smallest, by quickselect.
    values = np.empty(priority.shape[0], dtype=np.intp)
    for t in range(values.shape[0]):
        values[t] = priority[t]
    first, last, place = 0, values.shape[0] - 1, n_wanted - 1
    while first < last:
        pivot = values[place]
        i, j = first, last
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if j < place:
            first = i
        if place < i:
            last = j
    return values[place]


@kernel(nogil=True)
def count_and_mark(
    indptr, distances, priority, inner, outer, min_points, max_points, counts, used
):
    """Count the points of each annulus; mark those that remain after thinning.

    Parameters
    ----------
    indptr : ndarray of intp of shape (n_queries + 1,)
        Where the list of each query starts.
    distances : ndarray of shape (n_listed,)
        Distances, sorted in each list.
    priority : ndarray of intp of shape (n_listed,)
        Places of the points in a random order: the first ones remain.
    inner, outer : ndarray of shape (n_queries, n_steps)
        Radii.
    min_points, max_points : int
        An annulus of fewer points is void, one of more is thinned.
    counts : ndarray of intp of shape (n_queries, n_steps**2)
        Filled with the numbers of points, 0 where inner >= outer.
    used : ndarray of bool of shape (n_listed,)
        Set for the points of annuli that remain.
    """
    n_steps = inner.shape[1]
    for q in range(inner.shape[0]):
        start = indptr[q]
        near = distances[start : indptr[q + 1]]
        order = priority[start : indptr[q + 1]]
        before = -1
        for i in range(n_steps):
            low = _first_beyond(near, inner[q, i])
            for j in range(n_steps):
                if inner[q, i] >= outer[q, j]:
                    continue
                high = _first_beyond(near, outer[q, j])
                n = high - low
                counts[q, i * n_steps + j] = n
                here = low * (near.shape[0] + 1) + high
                if n < min_points or here == before:
                    continue
                before = here
                limit = _limit(order[low:high], max_points) if n > max_points else -1
                for t in range(low, high):
                    if n <= max_points or order[t] <= limit:
                        used[start + t] = True


@kernel(nogil=True)
def slices(indptr, distances, inner, outer, counts, min_points, owner):
    """Find the distinct annuli, as slices of the lists of neighbours.

    Parameters
    ----------
    indptr, distances, inner, outer, counts : ndarray
        Fields of `Lists`.
    min_points : int
        An annulus of fewer points is void.
    owner : ndarray of intp of shape (n_queries, n_steps**2)
        Filled with the number of the slice of each cell, -1 for a void one.

    Returns
    -------
    ndarray of intp of shape (n_slices, 3)
        Query, first and last (exclusive) place in its list.
    """
    n_steps = inner.shape[1]
    found = np.empty((owner.size, 3), dtype=np.intp)
    n_found = 0
    low = np.empty(n_steps, dtype=np.intp)
    high = np.empty(n_steps, dtype=np.intp)
    for q in range(inner.shape[0]):
        near = distances[indptr[q] : indptr[q + 1]]
        for i in range(n_steps):
            low[i] = _first_beyond(near, inner[q, i])
            high[i] = _first_beyond(near, outer[q, i])
        for i in range(n_steps):
            for j in range(n_steps):
                cell = i * n_steps + j
                owner[q, cell] = -1
                if inner[q, i] >= outer[q, j] or counts[q, cell] < min_points:
                    continue
                # Radii ascend: the cells of one slice are neighbours in the grid.
                left, above = cell - 1, cell - n_steps
                if j > 0 and high[j] == high[j - 1] and owner[q, left] >= 0:
                    owner[q, cell] = owner[q, left]
                elif i > 0 and low[i] == low[i - 1] and owner[q, above] >= 0:
                    owner[q, cell] = owner[q, above]
                else:
                    found[n_found, 0] = q
                    found[n_found, 1] = low[i]
                    found[n_found, 2] = high[j]
                    owner[q, cell] = n_found
                    n_found += 1
    return found[:n_found].copy()


@kernel(nogil=True)
def members(priority, max_points):
    """Return the places in a slice that remain after thinning.

    Parameters
    ----------
    priority : ndarray of intp of shape (n,)
        Priorities of the points of the slice.
    max_points : int
        Largest number that remains.

    Returns
    -------
    ndarray of intp of shape (min(n, max_points),)
        Places in ascending order.
    """
    n = priority.shape[0]
    limit = _limit(priority, max_points) if n > max_points else 0
    places = np.empty(min(n, max_points), dtype=np.intp)
    count = 0
    for t in range(n):
        if n <= max_points or priority[t] <= limit:
            places[count] = t
            count += 1
    return places


@kernel(nogil=True)
def _fill_tables(row, points, params, indptr, indices, starts, out):
    for q in range(indptr.shape[0] - 1):
        rows = indices[indptr[q] : indptr[q + 1]]
        n = rows.shape[0]
        near = np.empty((n, points.shape[1]))
        for t in range(n):
            for c in range(points.shape[1]):
                near[t, c] = points[rows[t], c]
        scratch = np.empty((1, n))
        table = out[starts[q] : starts[q] + n * n].reshape(n, n)
        for t in range(n):
            table[t, t] = 0.0
            # Half of the pairs, so that the table is symmetric in any metric.
            row(near[t : t + 1], np.intp(0), near[t + 1 :], params, scratch)
            for u in range(t + 1, n):
                table[t, u] = scratch[0, u - t - 1]
                table[u, t] = scratch[0, u - t - 1]


_ROW = types.FunctionType(ROW)
INDEX = types.Array(types.intp, 1, "C", readonly=True)
_FILL = (_ROW, POINTS, POINT, INDEX, INDEX, INDEX, types.float64[::1])


def local_tables(row, points, params, indptr, indices, starts, out):
    """Fill the distances among the listed neighbours of each query.

    Parameters
    ----------
    row : Dispatcher
        Row kernel of the metric.
    points : ndarray of shape (n_samples, n_features)
        Sample.
    params : ndarray
        Numbers of the metric.
    indptr, indices : ndarray of intp
        Lists in CSR layout.
    starts : ndarray of intp of shape (n_queries,)
        Where the table of each query starts in `out`.
    out : ndarray of float64
        Filled with the tables, row by row.
    """
    row = first_class(row, *ROW.args)
    first_class(_fill_tables, *_FILL)(row, points, params, indptr, indices, starts, out)
