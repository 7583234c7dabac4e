"""Information that a series holds about its own delayed copy."""

from numbers import Integral

import numpy as np
from numba import prange

from geolearn.covariance._series import (
    check_longer,
    check_series,
    refuse_constant,
    unit_range,
)
from geolearn.utils._jit import kernel
from geolearn.utils._threads import numba_threads
from geolearn.utils.validation import check_integer

# Cells of fewer points are not tested for uniformity and not halved.
SMALLEST_CELL = 10
# Up to this size the test has two sub-cells, beyond it four.
_FEW = 20
# Upper 10 % points of the chi-squared distribution with 1 and 3 degrees of freedom.
_CHI2_TWO = 2.706
_CHI2_FOUR = 6.251
# Halves that wait: at most one for each halving of a list.
_STACK = 128
ADAPTIVE = "adaptive"


@kernel
def _is_uniform(values, low, high):
    # Whether the sorted values[low:high] pass a chi-squared test of uniformity.
    m = high - low
    if m < SMALLEST_CELL:
        return True
    k, bound = (2, _CHI2_TWO) if m < _FEW else (4, _CHI2_FOUR)
    first = values[low]
    width = (values[high - 1] - first) / k
    expected = np.rint(m / k)
    statistic = 0.0
    start = low
    for i in range(1, k + 1):
        end = high  # of the last sub-cell, whatever the rounding of its edge
        if i < k:
            edge = first + i * width
            end = start + np.searchsorted(values[start:high], edge, side="right")
        statistic += (end - start - expected) ** 2 / expected
        if end == high:
            break
        start = end
    return statistic < bound


@kernel
def _bisect(values, ends):
    # Halve sorted values until each cell is uniform; returns the number of cells,
    # of which cell b ends before ends[b].
    stack = np.empty((_STACK, 2), dtype=np.int64)
    stack[0, 0], stack[0, 1] = 0, values.shape[0]
    waiting, n_cells = 1, 0
    while waiting > 0:
        waiting -= 1
        low, high = stack[waiting, 0], stack[waiting, 1]
        if _is_uniform(values, low, high):
            ends[n_cells] = high
            n_cells += 1
        else:
            middle = low + (high - low) // 2
            stack[waiting, 0], stack[waiting, 1] = middle, high
            stack[waiting + 1, 0], stack[waiting + 1, 1] = low, middle
            waiting += 2
    return n_cells


@kernel
def _series_information(x, order, bins, logs, out):
    # out[k] = mutual information in bits of x_t and x_{t + k + 1}.
    n = order.shape[0]
    values = x[order]
    ends = np.empty(n, dtype=np.int64)
    if bins == 0:
        n_cells = _bisect(values, ends)
    else:
        n_cells = bins
        for b in range(bins):
            ends[b] = (b + 1) * n // bins
    edges = values[ends[:n_cells] - 1]
    # The cell of a delayed value: the first with value <= edge, or the last.
    cell = np.searchsorted(edges[: n_cells - 1], x, side="left")
    size = np.empty(n_cells, dtype=np.int64)
    for b in range(n_cells):
        size[b] = ends[b] - (ends[b - 1] if b > 0 else 0)
    counts = np.zeros(n_cells, dtype=np.int64)
    for k in range(out.shape[0]):
        total = 0.0
        start = 0
        for a in range(n_cells):
            for i in range(start, ends[a]):
                counts[cell[order[i] + k + 1]] += 1
            for i in range(start, ends[a]):
                b = cell[order[i] + k + 1]
                count = counts[b]
                if count > 0:
                    information = logs[count] - logs[size[a]] - logs[size[b]] + logs[n]
                    total += count * information
                    counts[b] = 0
            start = ends[a]
        out[k] = total / n


@kernel(parallel=True)
def _information(X, orders, bins, logs, out):
    for r in prange(X.shape[0]):
        _series_information(X[r], orders[r], bins, logs, out[r])


def mutual_information(
    X, max_lag=30, *, bins=ADAPTIVE, average=True, n_jobs=None
) -> np.ndarray:
    r"""Compute the mutual information of a signal and its delayed copy, in bits.

    With n = n_times - `max_lag`, the first n values of a series are divided into
    cells of neighbouring values. With :math:`c_b` the number of values in cell b
    and :math:`n_{ab}(\tau)` the number of times t < n with :math:`s_t` in cell a
    and :math:`s_{t + \tau}` in cell b,

    .. math::

        I(\tau) = \sum_{ab} \frac{n_{ab}}{n} \log_2 \frac{n\, n_{ab}}{c_a c_b}.

    A delay at the first minimum makes the coordinates of a delay embedding as
    independent as they first become [1]_.

    Parameters
    ----------
    X : array_like of shape (n_trials, n_channels, n_times)
        Trials.
    max_lag : int, default=30
        Largest delay, in samples. At least 10 samples must remain:
        n_times >= max_lag + 10.
    bins : "adaptive" or int, default="adaptive"
        Cells: "adaptive" halves the sorted values until a chi-squared test at the
        10 % level finds each part uniform, or it has fewer than 10 values; an
        integer gives that number of cells with equally many values.
    average : bool, default=True
        Whether to average over channels and trials.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all cores. The result does not depend
        on it.

    Returns
    -------
    ndarray of shape (max_lag,) or (n_trials, n_channels, max_lag)
        Information at the delays 1, ..., `max_lag`; at index k that of delay k + 1.

    Raises
    ------
    ValueError
        If the trials are too short or hold NaN, if a channel is constant, or if
        `bins` is neither "adaptive" nor an integer from 1 to n.

    See Also
    --------
    autocorrelation : The linear counterpart.
    select_delays : Choose order and lag of a delay embedding.

    Notes
    -----
    Values beyond the last edge belong to the last cell. Both axes have the cells of
    the undelayed values, so that the counts of the delayed ones differ slightly from
    :math:`c_b`, and small negative values of :math:`I` are possible. Equal values
    are sorted by time.

    References
    ----------
    .. [1] A. M. Fraser, H. L. Swinney, "Independent coordinates for strange
       attractors from mutual information", Phys. Rev. A 33, 1986,
       doi:10.1103/PhysRevA.33.1134.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import mutual_information
    >>> X = np.sin(2 * np.pi * np.arange(1000) / 40)[np.newaxis, np.newaxis]
    >>> information = mutual_information(X, max_lag=20)
    >>> int(np.argmax(information)) + 1  # half a period
    20
    """
    X = check_series(X)
    max_lag = check_integer(max_lag, "max_lag")
    check_longer(X, max_lag + SMALLEST_CELL, "max_lag", max_lag)
    n = X.shape[2] - max_lag
    n_bins = _check_bins(bins, n)
    refuse_constant(X, "mutual information")
    logs = np.log2(np.maximum(np.arange(n + 1), 1))
    out = np.empty((X.shape[0] * X.shape[1], max_lag))
    S = unit_range(X).reshape(-1, X.shape[2])
    orders = np.argsort(S[:, :n], axis=1, kind="stable")
    with numba_threads(n_jobs):
        _information(S, orders, n_bins, logs, out)
    return out.mean(axis=0) if average else out.reshape(*X.shape[:2], max_lag)


def _check_bins(bins, n):
    """Return the number of cells, 0 for adaptive ones."""
    if isinstance(bins, str) and bins == ADAPTIVE:
        return 0
    if not isinstance(bins, Integral) or isinstance(bins, bool) or not 1 <= bins <= n:
        raise ValueError(
            f"bins={bins!r} must be 'adaptive' or an integer from 1 to n_times - "
            f"max_lag = {n}."
        )
    return int(bins)
