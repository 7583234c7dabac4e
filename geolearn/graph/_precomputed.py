"""Neighbours read off precomputed distances, dense or sparse."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

_BLOCK_VALUES = 2**22  # 32 MiB of float64 at a time


def is_precomputed(value) -> bool:
    """Tell whether a metric or an affinity is the string "precomputed"."""
    return isinstance(value, str) and value == "precomputed"


def check_distances(D, *, square=True):
    """Validate precomputed distances; return a float64 ndarray or csr_array.

    Explicit zeros of a sparse matrix are distances of 0 and stay; entries that
    are not stored are unknown, hence far.
    """
    if sparse.issparse(D):
        D = sparse.csr_array(D, dtype=np.float64, copy=True)
        D.sum_duplicates()
        values = D.data
    else:
        D = values = np.ascontiguousarray(D, dtype=np.float64)
        if D.ndim != 2:
            raise ValueError(
                f"Precomputed distances must be a matrix, got an array of shape "
                f"{D.shape}."
            )
    if square and D.shape[0] != D.shape[1]:
        raise ValueError(
            "Precomputed distances must be a square matrix (n_samples, n_samples), "
            f"got shape {D.shape}."
        )
    if values.size:
        lowest = values.min()  # NaN if any is
        if np.isnan(lowest):
            raise ValueError("Precomputed distances contain NaN.")
        if lowest < 0:
            raise ValueError(
                f"Precomputed distances must be non-negative, the smallest is "
                f"{lowest:.3g}."
            )
    return D


def row_blocks(D, rows=None) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield copies of blocks of the rows of `D` (of all, or of `rows`)."""
    n_rows = D.shape[0] if rows is None else rows.size
    step = max(1, _BLOCK_VALUES // max(1, D.shape[1]))
    for start in range(0, n_rows, step):
        block = slice(start, min(start + step, n_rows))
        yield block, D[block].copy() if rows is None else D[rows[block]]


def _smallest(D, k):
    """Return the k smallest entries of every row, ties by index."""
    if k < D.shape[1]:
        columns = np.argpartition(D, k - 1, axis=1)[:, :k]
        last = np.take_along_axis(D, columns, axis=1).max(axis=1)
        # argpartition breaks a tie at the k-th place arbitrarily.
        tied = np.flatnonzero((last[:, None] >= D).sum(axis=1) > k)
        columns[tied] = np.argsort(D[tied], axis=1, kind="stable")[:, :k]
    else:
        columns = np.broadcast_to(np.arange(k), D.shape)
    return sort_rows(np.take_along_axis(D, columns, axis=1), columns)


def sort_rows(distances, indices) -> tuple[np.ndarray, np.ndarray]:
    """Sort every row by distance, then by index."""
    order = np.lexsort((indices, distances), axis=1)
    return (
        np.take_along_axis(distances, order, axis=1),
        np.take_along_axis(indices, order, axis=1).astype(np.intp, copy=False),
    )


def dense_neighbors(D, k, *, skip_self) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest columns of every row of dense distances."""
    distances = np.empty((D.shape[0], k))
    indices = np.empty((D.shape[0], k), dtype=np.intp)
    for block, values in row_blocks(D):
        if skip_self:
            local = np.arange(values.shape[0])
            values[local, local + block.start] = np.inf
        distances[block], indices[block] = _smallest(values, k)
    if np.isinf(distances[:, -1]).any():
        row = int(np.argmax(np.isinf(distances[:, -1])))
        raise ValueError(
            f"Row {row} of the precomputed distances has fewer than "
            f"n_neighbors={k} finite entries; lower n_neighbors."
        )
    return distances, indices


def without_self(G):
    """Drop the diagonal of a sparse distance graph; keep its explicit zeros."""
    rows = np.repeat(np.arange(G.shape[0]), np.diff(G.indptr))
    keep = rows != G.indices
    counts = np.bincount(rows[keep], minlength=G.shape[0])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_array((G.data[keep], G.indices[keep], indptr), shape=G.shape)


def sparse_neighbors(G, k) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest stored entries of every row of a graph without diagonal."""
    counts = np.diff(G.indptr)
    if counts.size and counts.min() < k:
        row = int(np.argmin(counts))
        raise ValueError(
            f"The precomputed distance graph stores {counts[row]} neighbours of row "
            f"{row} besides itself, but n_neighbors={k}; compute the graph with "
            "more neighbours or lower n_neighbors."
        )
    rows = np.repeat(np.arange(G.shape[0]), counts)
    order = np.lexsort((G.indices, G.data, rows))
    place = np.arange(order.size) - np.repeat(G.indptr[:-1], counts)
    order, rows, place = order[place < k], rows[place < k], place[place < k]
    distances = np.empty((G.shape[0], k))
    indices = np.empty((G.shape[0], k), dtype=np.intp)
    distances[rows, place] = G.data[order]
    indices[rows, place] = G.indices[order]
    return distances, indices


__all__ = [
    "check_distances",
    "dense_neighbors",
    "is_precomputed",
    "row_blocks",
    "sort_rows",
    "sparse_neighbors",
    "without_self",
]
