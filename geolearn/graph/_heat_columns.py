"""Entrywise-accurate columns of exp(-t L) by a blocked three-term recurrence.

Logarithms of heat need small *relative* errors in entries far below machine
epsilon. The recurrence T_{k+1} = 2 M T_k - T_{k-1} on sparse unit vectors has
that property: the support of T_k grows by one hop a step while the weight of
T_k decays in step, so that every entry is summed from its leading term on.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from geolearn.utils._jit import kernel

# Columns of a block: wide blocks vectorise better, narrow ones stay in cache.
WIDE_BLOCK = 64
NARROW_BLOCK = 32
WIDE_BLOCK_MAX_NODES = 20_000
# Progress and interrupts are served between kernel calls of a few blocks each.
FEWEST_BLOCKS_PER_CALL = 4
NODES_PER_CALL = 100_000
SMALLEST_NORMAL = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class OrderedOperator:
    """A sparse symmetric operator with its nodes in a cache-friendly order.

    Nodes are sorted by connected component and, within one, by reverse
    Cuthill-McKee; `indices` count from the start of the row's component.
    """

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    first: np.ndarray  # smallest neighbour (or self) of a row, in its component
    last: np.ndarray  # one past the largest
    order: np.ndarray  # order[new] = old
    component_start: np.ndarray  # (n_components + 1,)


@dataclass(frozen=True)
class Block:
    """Sources of one component whose columns are computed together."""

    sources: np.ndarray  # positions within the component
    columns: np.ndarray  # where the caller wants them
    start: int
    stop: int


def order_operator(M) -> OrderedOperator:
    """Sort the nodes of the symmetric operator `M` and localise its indices."""
    n = M.shape[0]
    n_components, labels = connected_components(M, directed=False)
    position = np.empty(n, dtype=np.intp)
    position[reverse_cuthill_mckee(csr_matrix(M), symmetric_mode=True)] = np.arange(n)
    order = np.lexsort((position, labels))
    component_start = np.searchsorted(labels[order], np.arange(n_components + 1))
    M = csr_array(M[order][:, order])
    M.sort_indices()
    counts = np.diff(M.indptr)
    offset = component_start[labels[order]]
    indices = M.indices.astype(np.int64) - np.repeat(offset, counts)
    own = np.arange(n) - offset
    first, last = own.copy(), own + 1
    rows = np.flatnonzero(counts)
    if rows.size:
        first[rows] = np.minimum(own[rows], indices[M.indptr[rows]])
        last[rows] = np.maximum(own[rows], indices[M.indptr[rows + 1] - 1]) + 1
    return OrderedOperator(
        M.indptr.astype(np.int64),
        indices,
        M.data.astype(np.float64),
        first,
        last,
        order,
        component_start,
    )


def plan_blocks(operator: OrderedOperator, sources: np.ndarray) -> list[Block]:
    """Group `sources` by component and position into blocks of columns."""
    n = operator.order.shape[0]
    width = WIDE_BLOCK if n <= WIDE_BLOCK_MAX_NODES else NARROW_BLOCK
    rank = np.empty(n, dtype=np.int64)
    rank[operator.order] = np.arange(n)
    columns = np.argsort(rank[sources], kind="stable")
    ranks = rank[sources][columns]
    blocks = []
    cuts = np.searchsorted(ranks, operator.component_start)
    for c in range(cuts.shape[0] - 1):
        start, stop = operator.component_start[c : c + 2]
        for low in range(cuts[c], cuts[c + 1], width):
            high = min(low + width, cuts[c + 1])
            blocks.append(
                Block(ranks[low:high] - start, columns[low:high], int(start), int(stop))
            )
    return blocks


@kernel(fastmath={"contract"})
def _advance_row(indptr, indices, data, row, i, ahead, behind, current, previous):
    """Overwrite previous[i] with ahead * (M current)[i] + behind * previous[i]."""
    # Four neighbours a pass: one load and one store of the target for four
    # multiply-adds, and a loop over columns that LLVM turns into vectors.
    target = previous[i]
    width = target.shape[0]
    for b in range(width):
        target[b] = behind * target[b]
    p = indptr[row]
    end = indptr[row + 1]
    while p + 4 <= end:
        m0 = ahead * data[p]
        m1 = ahead * data[p + 1]
        m2 = ahead * data[p + 2]
        m3 = ahead * data[p + 3]
        x0 = current[indices[p]]
        x1 = current[indices[p + 1]]
        x2 = current[indices[p + 2]]
        x3 = current[indices[p + 3]]
        for b in range(width):
            target[b] += m0 * x0[b] + m1 * x1[b] + m2 * x2[b] + m3 * x3[b]
        p += 4
    while p < end:
        m0 = ahead * data[p]
        x0 = current[indices[p]]
        for b in range(width):
            target[b] += m0 * x0[b]
        p += 1


@kernel
def _grow(first, last, start, lo, hi):
    """Extend the row range [lo, hi) by the neighbours of its rows."""
    new_lo, new_hi = lo, hi
    for i in range(lo, hi):
        new_lo = min(new_lo, first[start + i])
        new_hi = max(new_hi, last[start + i])
    return new_lo, new_hi


@kernel
def _find_unconverged(T, Y, weights, tol, hint):
    """Return the first row, from `hint` on, whose last term still matters, or -1."""
    n = T.shape[0]
    for q in range(n):
        i = (q + hint) % n
        for a in range(weights.shape[0]):
            weight = weights[a]
            if weight == 0.0:  # the series of this time has underflowed
                continue
            for b in range(T.shape[1]):
                value = Y[a, i, b]
                if not (value > 0.0 and weight * abs(T[i, b]) <= tol * value):
                    return i
    return -1


@kernel(fastmath={"contract"})
def _sum_series(
    indptr, indices, data, first, last, start, stop, sources, weights, step, tol,
    complete,
):  # fmt: skip
    """Sum the series of one block of sources; see `columns_of_series`.

    Two steps are fused in one sweep over the rows: a row is advanced to step
    k + 2 as soon as all its neighbours stand at step k + 1, while they are in
    cache.
    """
    n = stop - start
    width = sources.shape[0]
    n_series, n_terms = weights.shape
    ahead, behind = step
    even = np.zeros((n, width))  # T_0, T_2, ...
    odd = np.zeros((n, width))  # T_1, T_3, ...
    Y = np.zeros((n_series, n, width))
    lo, hi = n, 0
    for b in range(width):
        i = sources[b]
        even[i, b] = 1.0
        for a in range(n_series):
            Y[a, i, b] = weights[a, 0]
        lo = min(lo, i)
        hi = max(hi, i + 1)
    hint = 0
    passed = 0
    k = 0
    while k + 1 < n_terms:
        lo1, hi1 = _grow(first, last, start, lo, hi)
        lo, hi = _grow(first, last, start, lo1, hi1)
        lead = 1.0 if k == 0 else ahead  # T_1 = M T_0
        back = 0.0 if k == 0 else behind
        q = lo
        for i in range(lo1, hi1):
            _advance_row(indptr, indices, data, start + i, i, lead, back, even, odd)
            while q < hi and last[start + q] <= i + 1:
                _finish_row(
                    indptr, indices, data, start + q, q, step, odd, even, Y, weights, k
                )
                q += 1
        while q < hi:
            _finish_row(
                indptr, indices, data, start + q, q, step, odd, even, Y, weights, k
            )
            q += 1
        k += 2
        if tol > 0.0 and lo == 0 and hi == n and (passed > 0 or k % 4 == 0):
            if k < n_terms:
                bad = _find_unconverged(even, Y, weights[:, k], tol, hint)
                if bad < 0:
                    bad = _find_unconverged(odd, Y, weights[:, k - 1], tol, hint)
                if bad < 0:
                    passed += 1
                else:
                    passed = 0
                    hint = bad
            # two passing sweeps in a row are four passing terms
            if passed == 2:
                return Y, k, True
    return Y, min(k, n_terms - 1), complete


@kernel(fastmath={"contract"})
def _finish_row(indptr, indices, data, row, i, step, odd, even, Y, weights, k):
    """Advance a row to step k + 2 and add its terms k + 1 and k + 2 to the sums."""
    ahead, behind = step
    _advance_row(indptr, indices, data, row, i, ahead, behind, odd, even)
    for a in range(weights.shape[0]):
        w1 = weights[a, k + 1]
        w2 = weights[a, k + 2] if k + 2 < weights.shape[1] else 0.0
        for b in range(even.shape[1]):
            Y[a, i, b] += w1 * odd[i, b] + w2 * even[i, b]


@kernel(parallel=True)
def _run_blocks(
    indptr, indices, data, first, last, order, starts, stops, source_ptr, sources,
    columns, weights, step, tol, complete, out, terms, converged, underflows,
):  # fmt: skip
    """Fill out[:, column, :] for every source of every block."""
    for block in prange(starts.shape[0]):
        start, stop = starts[block], stops[block]
        low, high = source_ptr[block], source_ptr[block + 1]
        Y, k, ok = _sum_series(
            indptr, indices, data, first, last, start, stop, sources[low:high],
            weights, step, tol, complete,
        )  # fmt: skip
        terms[block] = k
        converged[block] = ok
        count = 0
        for a in range(weights.shape[0]):
            for b in range(high - low):
                row = out[a, columns[low + b]]
                for i in range(stop - start):
                    value = Y[a, i, b]
                    if not value >= SMALLEST_NORMAL:
                        value = SMALLEST_NORMAL
                        count += 1
                    row[order[start + i]] = value
        underflows[block] = count


@dataclass(frozen=True)
class SeriesColumns:
    """Columns of a matrix series, a row of `values` for each source."""

    values: np.ndarray  # (n_series, n_sources, n)
    n_terms: int  # highest degree used
    converged: bool
    n_underflows: int  # entries of a component that were raised to the tiniest


def columns_of_series(M, weights, sources, *, step, tol, complete=True, report=None):
    """Sum ``sum_k weights[a, k] T_k`` on unit vectors, block by block.

    Parameters
    ----------
    M : sparse array of shape (n, n)
        Symmetric operator with non-negative off-diagonal entries.
    weights : ndarray of shape (n_series, n_terms)
        Non-negative weight of every term.
    sources : ndarray of shape (n_sources,)
        Nodes whose unit vectors are the input.
    step : tuple of two floats
        (alpha, beta) of T_{k+1} = alpha M T_k + beta T_{k-1}, T_1 = M T_0.
    tol : float
        Stop when the last terms of every entry of the component are below
        `tol` times the entry; 0 sums all terms.
    complete : bool, default=True
        Whether the sum of all terms counts as converged: not if weights above zero
        were cut off.
    report : callable, optional
        Called with the fraction of blocks done.

    Returns
    -------
    SeriesColumns
        ``values[a, s]`` is row (and column) ``sources[s]`` of series `a`,
        positive within the component of the source and exactly 0 outside.
    """
    operator = order_operator(M)
    blocks = plan_blocks(operator, np.asarray(sources, dtype=np.int64))
    n = M.shape[0]
    values = np.zeros((weights.shape[0], len(sources), n))
    totals = np.zeros(3, dtype=np.int64)  # terms, unconverged blocks, underflows
    n_together = max(FEWEST_BLOCKS_PER_CALL, NODES_PER_CALL // n)
    for low in range(0, len(blocks), n_together):
        chunk = blocks[low : low + n_together]
        terms = np.zeros(len(chunk), dtype=np.int64)
        converged = np.zeros(len(chunk), dtype=np.bool_)
        underflows = np.zeros(len(chunk), dtype=np.int64)
        _run_blocks(
            operator.indptr,
            operator.indices,
            operator.data,
            operator.first,
            operator.last,
            operator.order,
            np.array([b.start for b in chunk]),
            np.array([b.stop for b in chunk]),
            np.cumsum([0] + [b.sources.shape[0] for b in chunk]),
            np.concatenate([b.sources for b in chunk]),
            np.concatenate([b.columns for b in chunk]),
            weights,
            step,
            tol,
            complete,
            values,
            terms,
            converged,
            underflows,
        )
        totals[0] = max(totals[0], terms.max())
        totals[1] += np.count_nonzero(~converged)
        totals[2] += underflows.sum()
        if report is not None:
            report((low + len(chunk)) / len(blocks))
    return SeriesColumns(values, int(totals[0]), not totals[1], int(totals[2]))
