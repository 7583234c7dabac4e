"""Cao's test of the embedding dimension."""

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

# Points that one task searches the neighbours of; its tables stay in the cache.
_BLOCK = 256
# An average over fewer points than this says nothing.
FEWEST_POINTS = 10


@kernel
def _advance(a, b, j, squared, best, nearest):
    # One more coordinate: add its squared differences, and keep the smallest sums
    # that are not 0. Branches are selections, so that the loop vectorises.
    for k in range(a.shape[0]):
        difference = a[k] - b[k]
        v = squared[k] + difference * difference
        squared[k] = v
        old = best[k]
        better = (v > 0.0) & (v < old)
        best[k] = v if better else old
        nearest[k] = j + k if better else nearest[k]


@kernel
def _block_sums(x, lag, i0, i1, sums, counts):
    # For D = 1, 2, ...: the sum of sqrt(q^2 + next difference^2) / q over the points
    # i0 <= i < i1 whose nearest other point exists, and the number of these points.
    n_times, n_orders = x.shape[0], sums.shape[0]
    best = np.full((n_orders, i1 - i0), np.inf)
    nearest = np.zeros((n_orders, i1 - i0), dtype=np.int64)
    squared = np.empty(i1 - i0)
    for offset in range(1 - i1, n_times - lag - i0):
        if offset == 0:
            continue
        squared[:] = 0.0
        low = max(i0, -offset)
        for D in range(n_orders):
            n_points = n_times - (D + 1) * lag
            high = min(i1, n_points, n_points - offset)
            if high <= low:
                break
            first, last = low + D * lag, high + D * lag
            _advance(
                x[first:last],
                x[first + offset : last + offset],
                low + offset,
                squared[low - i0 : high - i0],
                best[D, low - i0 : high - i0],
                nearest[D, low - i0 : high - i0],
            )
    for D in range(n_orders):
        shift = (D + 1) * lag
        sums[D], counts[D] = 0.0, 0
        for i in range(i0, min(i1, n_times - shift)):
            q = best[D, i - i0]
            if q < np.inf:
                step = x[i + shift] - x[nearest[D, i - i0] + shift]
                sums[D] += np.sqrt(q + step * step) / np.sqrt(q)
                counts[D] += 1


@kernel(parallel=True)
def _expansion_sums(S, lag, n_blocks, sums, counts):
    n_points = S.shape[1] - lag
    for task in prange(S.shape[0] * n_blocks):
        t = np.int64(task)
        r, block = t // n_blocks, t % n_blocks
        i0 = block * _BLOCK
        i1 = min(i0 + _BLOCK, n_points)
        _block_sums(S[r], lag, i0, i1, sums[r, block], counts[r, block])


def cao_statistic(X, lag, max_order=30, *, average=True, n_jobs=None) -> np.ndarray:
    r"""Compute Cao's statistic :math:`E_1`, which tells the embedding dimension [1]_.

    Let :math:`q_i` be the distance of the i-th point of the D-dimensional delay
    embedding to its nearest neighbour j at a positive distance, and

    .. math::

        a(D) = \operatorname{mean}_i
        \frac{\sqrt{q_i^2 + (s_{i + D\tau} - s_{j + D\tau})^2}}{q_i},
        \qquad E_1(D) = \frac{a(D + 1)}{a(D)}.

    a(D) is large while neighbours are neighbours by projection only. :math:`E_1`
    approaches 1 at the dimension that unfolds the attractor; for noise it keeps
    growing slowly.

    Parameters
    ----------
    X : array_like of shape (n_trials, n_channels, n_times)
        Trials.
    lag : int
        Delay :math:`\tau` between coordinates, in samples.
    max_order : int, default=30
        Largest dimension D. Fewer are computed if the trials are short: a(D + 1)
        needs 10 points, so D is at most (n_times - 10) // lag - 1.
    average : bool, default=True
        Whether to average over channels and trials.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all cores. The result does not depend
        on it.

    Returns
    -------
    ndarray of shape (n_orders,) or (n_trials, n_channels, n_orders)
        :math:`E_1(1), \dots, E_1(n_{orders})`, n_orders <= `max_order`.

    Raises
    ------
    ValueError
        If the trials are too short for dimension 1 or hold NaN, or if a channel is
        constant.

    See Also
    --------
    select_delays : Choose order and lag of a delay embedding.

    Notes
    -----
    Neighbours are searched exhaustively, for all dimensions in one pass: the time is
    proportional to n_times squared times `max_order` for each series, the memory to
    that of the input. Among neighbours at the same distance the earliest counts.

    References
    ----------
    .. [1] L. Cao, "Practical method for determining the minimum embedding dimension
       of a scalar time series", Physica D 110, 1997,
       doi:10.1016/S0167-2789(97)00118-8.

    Examples
    --------
    Two dimensions unfold a sine to a circle:

    >>> import numpy as np
    >>> from geolearn.covariance import cao_statistic
    >>> X = np.sin(np.arange(2000) / 6.1)[np.newaxis, np.newaxis]
    >>> cao_statistic(X, lag=9, max_order=3).round(2)
    array([0.  , 0.97, 0.95])
    """
    X = check_series(X)
    lag = check_integer(lag, "lag")
    max_order = check_integer(max_order, "max_order")
    check_longer(X, 2 * lag + FEWEST_POINTS, "lag", lag)
    refuse_constant(X, "nearest neighbours")
    n_trials, n_channels, n_times = X.shape
    n_orders = min(max_order, (n_times - FEWEST_POINTS) // lag - 1)
    n_blocks = -(-(n_times - lag) // _BLOCK)
    shape = (n_trials * n_channels, n_blocks, n_orders + 1)
    sums, counts = np.empty(shape), np.empty(shape, dtype=np.int64)
    with numba_threads(n_jobs):
        _expansion_sums(unit_range(X).reshape(-1, n_times), lag, n_blocks, sums, counts)
    total = counts.sum(axis=1)
    _refuse_repetition(total.min(axis=1) == 0, n_channels, lag)
    expansion = sums.sum(axis=1) / total
    E1 = expansion[:, 1:] / expansion[:, :-1]
    return E1.mean(axis=0) if average else E1.reshape(n_trials, n_channels, n_orders)


def _refuse_repetition(without, n_channels, lag):
    if without.any():
        trial, channel = divmod(int(np.argmax(without)), n_channels)
        raise ValueError(
            f"Channel {channel} of trial X[{trial}] is constant where its embedding "
            f"with lag={lag} looks, so that no point has a neighbour at a positive "
            f"distance. Remove the channel or the trial, or give the order as an "
            f"integer."
        )
