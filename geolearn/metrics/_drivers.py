"""Jitted loops that apply any row kernel: pairwise tables and nearest rows.

Row kernels arrive as first-class functions of type ROW, so that each loop is compiled
once for all metrics. Every loop exists twice, serial and parallel over rows: the serial
one never starts numba's thread pool. Both write disjoint parts of the result, which is
therefore the same for any number of threads.
"""

import numpy as np
from numba import prange, types

from geolearn.utils._jit import (
    POINT,
    POINTS,
    ROW,
    TABLE,
    first_class,
    kernel,
)
from geolearn.utils._threads import numba_threads, resolve_threads

_ROW = types.FunctionType(ROW)
_INDEX = types.Array(types.intp, 1, "C", readonly=True)
_INDEX_TABLE = types.intp[:, ::1]

# Rows and columns of the tiles of a symmetric table: a tile of 128 KiB stays in the
# second-level cache until it is copied to both of its places.
_TILE = 128
# Below this number of coordinate pairs the start of the threads costs more than it
# saves (a parallel region takes some 30 to 100 microseconds).
_PARALLEL_WORK = 2_000_000


@kernel
def _fill(row, X, Y, params, out):
    for i in range(X.shape[0]):
        row(X, i, Y, params, out)


@kernel(parallel=True)
def _fill_parallel(row, X, Y, params, out):
    for i in prange(X.shape[0]):
        row(X, np.intp(i), Y, params, out)  # prange counts in uint64: cast


@kernel
def _fill_tile(row, X, a, b, params, scratch, out):
    # Tile (a, b) of the symmetric table, and its mirror image.
    n = X.shape[0]
    i0, i1 = a * _TILE, min((a + 1) * _TILE, n)
    j0, j1 = b * _TILE, min((b + 1) * _TILE, n)
    Y = X[j0:j1]
    for i in range(i0, i1):
        row(X[i0:i1], i - i0, Y, params, scratch)
    for i in range(i0, i1):
        first = i + 1 if a == b else j0
        for j in range(first, j1):
            out[i, j] = scratch[i - i0, j - j0]
    for j in range(j0, j1):
        last = j if a == b else i1
        for i in range(i0, last):
            out[j, i] = scratch[i - i0, j - j0]


@kernel
def _fill_symmetric(row, X, params, tiles, out):
    scratch = np.empty((_TILE, _TILE))
    for t in range(tiles.shape[0]):
        _fill_tile(row, X, tiles[t, 0], tiles[t, 1], params, scratch, out)
    for i in range(X.shape[0]):
        out[i, i] = 0.0


@kernel(parallel=True)
def _fill_symmetric_parallel(row, X, params, tiles, out):
    for t in prange(tiles.shape[0]):
        scratch = np.empty((_TILE, _TILE))
        _fill_tile(row, X, tiles[t, 0], tiles[t, 1], params, scratch, out)
    for i in range(X.shape[0]):
        out[i, i] = 0.0


@kernel
def _after(d, j, e, k):
    # The order of the results: by distance, then by index.
    return d > e or (d == e and j > k)


@kernel
def _sift_down(distances, indices, length):
    # Restore the heap (last in order at the top) after its top was replaced.
    at = 0
    d = distances[0]
    j = indices[0]
    while True:
        child = 2 * at + 1
        if child >= length:
            break
        if child + 1 < length and _after(
            distances[child + 1], indices[child + 1], distances[child], indices[child]
        ):
            child += 1
        if not _after(distances[child], indices[child], d, j):
            break
        distances[at] = distances[child]
        indices[at] = indices[child]
        at = child
    distances[at] = d
    indices[at] = j


@kernel
def _sort_heap(distances, indices):
    for length in range(distances.shape[0] - 1, 0, -1):
        d = distances[0]
        j = indices[0]
        distances[0] = distances[length]
        indices[0] = indices[length]
        distances[length] = d
        indices[length] = j
        _sift_down(distances, indices, length)


@kernel
def _fill_heap(values, labels, skip, distances, indices):
    # The first len(distances) of (values[j], labels[j]), without label skip, the last
    # of them at the top. Empty places carry (inf, largest label): any entry is before.
    k = distances.shape[0]
    for t in range(k):
        distances[t] = np.inf
        indices[t] = np.iinfo(np.intp).max
    for j in range(values.shape[0]):
        label = labels[j]
        if label != skip and _after(distances[0], indices[0], values[j], label):
            distances[0] = values[j]
            indices[0] = label
            _sift_down(distances, indices, k)


@kernel
def _smallest(values, labels, skip, distances, indices):
    _fill_heap(values, labels, skip, distances, indices)
    _sort_heap(distances, indices)


@kernel
def _nearest_among(row, X, i, Y, params, candidates, skip, distances, indices):
    # The nearest rows of Y[candidates], by the metric's own kernel.
    near = np.empty((candidates.shape[0], Y.shape[1]))
    for t in range(candidates.shape[0]):
        near[t] = Y[candidates[t]]
    values = np.empty((1, candidates.shape[0]))
    row(X[i : i + 1], np.intp(0), near, params, values)
    _smallest(values[0], candidates, skip, distances, indices)


@kernel
def _nearest_filtered(
    row, X, i, Y, params, labels, skip, keys, slack_x, slack_y, distances, indices
):
    # keys[j] is within slack_x + slack_y[j] of an increasing function of the computed
    # distance of X[i] and Y[j]: k pairs are below the k-th smallest upper bound, and
    # no pair whose lower bound is above it can belong to the result.
    n = keys.shape[0]
    upper = np.empty(n)
    for j in range(n):
        upper[j] = keys[j] + slack_y[j]
    _fill_heap(upper, labels, skip, distances, indices)
    limit = distances[0] + 2.0 * slack_x
    count = 0
    for j in range(n):
        if keys[j] - slack_y[j] <= limit:
            count += 1
    candidates = np.empty(count, dtype=np.intp)
    count = 0
    for j in range(n):
        if keys[j] - slack_y[j] <= limit:
            candidates[count] = j
            count += 1
    _nearest_among(row, X, i, Y, params, candidates, skip, distances, indices)


@kernel
def _select(D, labels, skip, distances, indices):
    for i in range(D.shape[0]):
        _smallest(D[i], labels, skip[i], distances[i], indices[i])


@kernel
def _nearest(row, X, Y, params, labels, skip, scratch, distances, indices):
    for i in range(X.shape[0]):
        row(X, i, Y, params, scratch)
        _smallest(scratch[i], labels, skip[i], distances[i], indices[i])


@kernel(parallel=True)
def _nearest_parallel(row, X, Y, params, labels, skip, scratch, distances, indices):
    for i in prange(X.shape[0]):
        row(X, np.intp(i), Y, params, scratch)
        _smallest(scratch[i], labels, skip[i], distances[i], indices[i])


@kernel
def _rank(row, X, Y, params, candidates, skip, distances, indices):
    for i in range(X.shape[0]):
        _nearest_among(
            row, X, i, Y, params, candidates[i], skip[i], distances[i], indices[i]
        )


@kernel
def _filter(
    row, X, Y, params, labels, skip, keys, slack_x, slack_y, distances, indices
):
    for i in range(X.shape[0]):
        d, j = distances[i], indices[i]
        _nearest_filtered(
            row, X, i, Y, params, labels, skip[i], keys[i], slack_x[i], slack_y, d, j
        )


@kernel(parallel=True)
def _filter_parallel(
    row, X, Y, params, labels, skip, keys, slack_x, slack_y, distances, indices
):
    for i in prange(X.shape[0]):
        t = np.intp(i)
        d, j = distances[i], indices[i]
        _nearest_filtered(
            row, X, t, Y, params, labels, skip[i], keys[i], slack_x[i], slack_y, d, j
        )


def threads_for(work: int, n_jobs: int | None) -> int:
    """Return the number of threads that `work` coordinate pairs are worth."""
    n_threads = resolve_threads(n_jobs)
    return n_threads if work >= _PARALLEL_WORK else 1


def compiled_row(row):
    """Return the row kernel compiled for the signature of the drivers."""
    return first_class(row, *ROW.args)


def fill(row, X, Y, params, out, n_jobs):
    """Fill out[i, j] with the distances of X[i] to Y[j]."""
    row = compiled_row(row)
    types_ = (_ROW, POINTS, POINTS, POINT, TABLE)
    if threads_for(X.shape[0] * Y.size, n_jobs) == 1:
        first_class(_fill, *types_)(row, X, Y, params, out)
        return
    with numba_threads(n_jobs):
        first_class(_fill_parallel, *types_)(row, X, Y, params, out)


def fill_symmetric(row, X, params, out, n_jobs):
    """Fill out with the distances within X: half of the work, exactly symmetric."""
    row = compiled_row(row)
    n_tiles = -(-X.shape[0] // _TILE)
    tiles = np.column_stack(np.triu_indices(n_tiles)).astype(np.intp)
    tiles = np.ascontiguousarray(tiles)
    types_ = (_ROW, POINTS, POINT, _INDEX_TABLE, TABLE)
    if threads_for(X.shape[0] * X.size // 2, n_jobs) == 1:
        first_class(_fill_symmetric, *types_)(row, X, params, tiles, out)
        return
    with numba_threads(n_jobs):
        first_class(_fill_symmetric_parallel, *types_)(row, X, params, tiles, out)


def select(D, skip, distances, indices):
    """Keep the smallest entries of each row of the table D, except column skip[i]."""
    labels = np.arange(D.shape[1], dtype=np.intp)
    types_ = (TABLE, _INDEX, _INDEX, TABLE, _INDEX_TABLE)
    first_class(_select, *types_)(D, labels, skip, distances, indices)


def nearest(row, X, Y, params, skip, distances, indices, n_jobs, block_rows):
    """Find the nearest rows of Y by computing all distances, in blocks of rows."""
    row = compiled_row(row)
    labels = np.arange(Y.shape[0], dtype=np.intp)
    types_ = (
        *(_ROW, POINTS, POINTS, POINT, _INDEX, _INDEX),
        *(TABLE, TABLE, _INDEX_TABLE),
    )
    n = X.shape[0]
    block_rows = min(block_rows, n)
    scratch = np.empty((block_rows, Y.shape[0]))
    serial = threads_for(block_rows * Y.size, n_jobs) == 1
    driver = first_class(_nearest if serial else _nearest_parallel, *types_)

    def run(start):
        rows = slice(start, min(start + block_rows, n))
        driver(
            *(row, X[rows], Y, params, labels, skip[rows]),
            *(scratch, distances[rows], indices[rows]),
        )

    if serial:
        for start in range(0, n, block_rows):
            run(start)
        return
    with numba_threads(n_jobs):
        for start in range(0, n, block_rows):
            run(start)


def rank(row, X, Y, params, candidates, skip, distances, indices):
    """Find the nearest of the rows Y[candidates[i]] of each X[i]."""
    types_ = (
        *(_ROW, POINTS, POINTS, POINT, _INDEX_TABLE, _INDEX),
        *(TABLE, _INDEX_TABLE),
    )
    first_class(_rank, *types_)(
        compiled_row(row), X, Y, params, candidates, skip, distances, indices
    )


def filtered(
    row, X, Y, params, skip, keys, slack_x, slack_y, distances, indices, n_jobs
):
    """Find the nearest rows of Y among those that the keys do not exclude."""
    labels = np.arange(Y.shape[0], dtype=np.intp)
    types_ = (
        *(_ROW, POINTS, POINTS, POINT, _INDEX, _INDEX, TABLE, POINT, POINT),
        *(TABLE, _INDEX_TABLE),
    )
    arguments = (
        *(compiled_row(row), X, Y, params, labels, skip, keys),
        *(slack_x, slack_y, distances, indices),
    )
    if threads_for(keys.size, n_jobs) == 1:
        first_class(_filter, *types_)(*arguments)
        return
    with numba_threads(n_jobs):
        first_class(_filter_parallel, *types_)(*arguments)
