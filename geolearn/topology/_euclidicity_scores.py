"""Queries in chunks: lists of neighbours, diagrams of their annuli, and a result."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from geolearn.graph import NeighborIndex
from geolearn.graph._precomputed import is_precomputed
from geolearn.metrics._resolve import KernelMetric, resolve_metric
from geolearn.topology._euclidicity_diagrams import (
    Diagrams,
    portions,
    slice_diagrams,
)
from geolearn.topology._euclidicity_input import warn_undefined
from geolearn.topology._euclidicity_kernels import local_tables, slices
from geolearn.topology._euclidicity_lists import (
    AnnulusGrid,
    Lists,
    grid_lists,
    local_distances,
)
from geolearn.utils._tables import read_only

__all__ = ["annulus_diagrams", "each_chunk", "in_threads"]

_BLOCK = 4096  # queries whose lists are held at a time
_CHUNK = 256  # queries of a job at most
_SMALLEST_CHUNK = 16


def each_chunk(work, index, X, grid, priority, *, prepare, n_jobs, progress) -> tuple:
    """Do some work for all queries, in parallel over chunks of them.

    Parameters
    ----------
    work : callable
        Called with the index, a grid, the lists of a chunk and what `prepare`
        returns; gives arrays with one row for each query.
    index : NeighborIndex
        The sample.
    X : ndarray
        Queries.
    grid : AnnulusGrid
        Radii, and limits of the numbers of points.
    priority : ndarray of intp of shape (n_samples,)
        Random order of the sample, for thinning.
    prepare : callable
        Called in this process with the lists of a block of chunks.
    n_jobs : int or None
        Number of joblib's workers.
    progress : Progress
        Told of every block.

    Returns
    -------
    tuple of ndarray
        What `work` gives, of all queries.

    Warns
    -----
    UserWarning
        If a query has no annulus.
    """
    n_queries = X.shape[0]
    light = replace(index, tree=None)  # the jobs do not search
    workers = effective_n_jobs(n_jobs)
    results, n_few, n_void = [], 0, 0
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        for start in range(0, n_queries, _BLOCK):
            stop = min(start + _BLOCK, n_queries)
            lists = grid_lists(index, X[start:stop], grid, priority, n_jobs)
            void = (lists.counts < grid.min_points).all(axis=1)
            n_few += int(lists.few.sum())
            n_void += int((void & ~lists.few).sum())
            prepared = prepare(lists)
            results += parallel(
                delayed(work)(light, grid, lists.part(rows), prepared)
                for rows in _chunks(stop - start, workers)
            )
            progress("%d of %d points", stop, n_queries)
    warn_undefined(n_few, n_void, n_queries, grid.min_points)
    return tuple(np.concatenate(column) for column in zip(*results, strict=True))


def _chunks(n, workers):
    size = min(_CHUNK, max(_SMALLEST_CHUNK, -(-n // (2 * workers))))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def in_threads(n_jobs):
    """Return a parallel `map` for work whose results all are wanted here."""

    def pool(function, arguments):
        # sharedmem: also under a backend of processes or of other machines.
        return Parallel(n_jobs=n_jobs, require="sharedmem")(
            delayed(function)(argument) for argument in arguments
        )

    return pool


def annulus_diagrams(
    index: NeighborIndex, grid: AnnulusGrid, lists: Lists, max_degree: int
) -> Iterator[tuple[slice, Lists, np.ndarray, Diagrams]]:
    """Compute the diagrams of the annuli of some queries, a few at a time.

    Parameters
    ----------
    index : NeighborIndex
        The sample.
    grid : AnnulusGrid
        Radii, and limits of the numbers of points.
    lists : Lists
        Lists of the queries.
    max_degree : int
        Highest degree.

    Yields
    ------
    rows : slice
        Queries.
    part : Lists
        Their lists.
    owner : ndarray of intp of shape (n_rows, n_steps**2)
        Number of the diagram of each cell, -1 for void ones.
    store : Diagrams
        The diagrams.
    """
    for rows in portions(np.diff(lists.indptr)):
        part = lists.part(rows)
        part = Lists(*map(read_only, part))
        owner = np.empty(part.counts.shape, dtype=np.intp)
        found = slices(
            *(part.indptr, part.distances, part.inner, part.outer, part.counts),
            *(grid.min_points, owner),
        )
        starts, tables = _tables(index, part)
        store = slice_diagrams(
            *(found, part.indptr, part.priority, starts, tables),
            *(grid.max_points, max_degree),
        )
        yield rows, part, owner, store.frozen()


def _tables(index, lists):
    """Return the distances among the neighbours of each query, and their places."""
    sizes = np.diff(lists.indptr)
    starts = np.concatenate([[0], np.cumsum(sizes**2)]).astype(np.intp)
    tables = np.empty(starts[-1])
    resolved = None if is_precomputed(index.metric) else resolve_metric(index.metric)
    if isinstance(resolved, KernelMetric):
        local_tables(
            *(resolved.row, index.points, resolved.params, lists.indptr),
            *(lists.indices, starts[:-1], tables),
        )
    else:
        for q, (first, last) in enumerate(pairwise(starts)):
            if last > first:
                rows = lists.indices[lists.indptr[q] : lists.indptr[q + 1]]
                tables[first:last] = local_distances(index, rows).ravel()
    return starts[:-1], tables
