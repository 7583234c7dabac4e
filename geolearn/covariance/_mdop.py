"""Order and lag by maximising derivatives on projection (MDOP)."""

from typing import NamedTuple

import numpy as np
from numba import prange

from geolearn.covariance._mutual_information import mutual_information
from geolearn.covariance._rules import first_minimum
from geolearn.covariance._series import (
    check_longer,
    check_series,
    refuse_constant,
    unit_range,
)
from geolearn.utils._jit import kernel
from geolearn.utils._threads import numba_threads
from geolearn.utils.validation import check_integer

# Growth of the distance that makes a neighbour a false one.
_RATIO = 2.0
# Share of false neighbours that is small enough to stop.
_FEW_FALSE = 0.05
# Ratios inside these bounds may be multiplied eight at a time before the logarithm.
_SMALL, _LARGE = 1e-35, 1e35
_FACTORS = 8


class MDOPDelays(NamedTuple):
    """Delays found by maximising derivatives on projection.

    Attributes
    ----------
    order : int
        Mean of `orders`, rounded half to even; at least 1.
    lag : int
        Mean of `lags`, rounded half to even; 0 is possible.
    orders : ndarray of shape (n_trials,)
        Number of cycles in each trial.
    lags : ndarray of shape (n_trials,)
        Rounded mean of the first `orders` delays of each trial.
    delays : list of ndarray
        For each trial the delay of every coordinate found, in samples; the first
        is 0, and there is one more than cycles.
    channels : list of ndarray
        For each trial the channels of these coordinates.
    false_neighbors : list of ndarray
        For each trial the share of false neighbours after every cycle.
    """

    order: int
    lag: int
    orders: np.ndarray
    lags: np.ndarray
    delays: list
    channels: list
    false_neighbors: list


@kernel
def _add_squares(a, b, weight, squared):
    for k in range(a.shape[0]):
        difference = a[k] - b[k]
        squared[k] += weight * (difference * difference)


@kernel
def _keep_smaller(squared, j, best, nearest):
    for k in range(squared.shape[0]):
        better = squared[k] < best[k]
        best[k] = squared[k] if better else best[k]
        nearest[k] = j + k if better else nearest[k]


@kernel
def _nearest(S, weights, channels, delays, m, n, window, best, nearest):
    # Nearest neighbours among the first n points of an embedding of m coordinates,
    # more than `window` samples away: squared distance (inf if none) and index.
    best[:n] = np.inf
    nearest[:n] = 0
    squared = np.empty(n)
    for offset in range(1 - n, n):
        if abs(offset) <= window:
            continue
        low, high = max(0, -offset), min(n, n - offset)
        part = squared[low:high]
        part[:] = 0.0
        for c in range(m):
            x = S[channels[c], delays[c] :]
            _add_squares(
                x[low:high],
                x[low + offset : high + offset],
                weights[channels[c]],
                part,
            )
        _keep_smaller(part, low + offset, best[low:high], nearest[low:high])


@kernel
def _multiply_ratios(a, b, scale, product):
    # Multiply products by |a - b| * scale where that is of moderate size; returns
    # the number of those that are not. A selection, so that the loop vectorises.
    outside = 0
    for t in range(a.shape[0]):
        ratio = abs(a[t] - b[t]) * scale
        moderate = (ratio > _SMALL) & (ratio < _LARGE)
        product[t] *= ratio if moderate else 1.0
        outside += 0 if moderate else 1
    return outside


@kernel
def _add_extremes(a, b, scale, beta, zeros):
    # The logarithms of the ratios that were not multiplied; counts those that are 0.
    for t in range(a.shape[0]):
        ratio = abs(a[t] - b[t]) * scale
        if ratio == 0.0:
            zeros[t] += 1
        elif not _SMALL < ratio < _LARGE:
            beta[t] += np.log10(ratio)


@kernel
def _beta(x, weight, n, best, nearest, beta):
    # beta[tau] = mean of log10(|x_{i + tau} - x_{j + tau}| / distance of i and j).
    n_delays = beta.shape[0]
    product = np.ones(n_delays)
    zeros = np.zeros(n_delays, dtype=np.int64)
    beta[:] = 0.0
    factors, used = 0, 0
    for i in range(n):
        if best[i] == 0.0 or best[i] == np.inf:
            continue
        scale = np.sqrt(weight / best[i])
        a, b = x[i : i + n_delays], x[nearest[i] : nearest[i] + n_delays]
        if _multiply_ratios(a, b, scale, product) > 0:
            _add_extremes(a, b, scale, beta, zeros)
        used += 1
        factors += 1
        if factors == _FACTORS:
            for t in range(n_delays):
                beta[t] += np.log10(product[t])
                product[t] = 1.0
            factors = 0
    for t in range(n_delays):
        total, count = beta[t] + np.log10(product[t]), used - zeros[t]
        beta[t] = total / count if count > 0 else -np.inf


@kernel
def _false_share(old, new, n):
    # Old and new squared distances to the nearest neighbours.
    near, false = 0, 0
    for i in range(n):
        if old[i] < 1.0 / _RATIO**2:
            near += 1
            if new[i] > _RATIO**2 * old[i]:
                false += 1
    return false / near if near > 0 else 1.0


@kernel
def _best_start(S, weights, n, window, beta, best, nearest):
    # First and second channel and delay of the largest beta over all pairs.
    n_channels = S.shape[0]
    channels, delays = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    largest, first, second, delay = -np.inf, 0, 0, 0
    for a in range(n_channels):
        channels[0] = a
        _nearest(S, weights, channels, delays, 1, n, window, best, nearest)
        for c in range(n_channels):
            _beta(S[c], weights[c], n, best, nearest, beta)
            t = np.argmax(beta)
            if beta[t] > largest:
                largest, first, second, delay = beta[t], a, c, t
    return first, second, delay


@kernel
def _best_next(S, weights, n, beta, best, nearest):
    # Channel and delay of the largest beta.
    largest, channel, delay = -np.inf, 0, 0
    for c in range(S.shape[0]):
        _beta(S[c], weights[c], n, best, nearest, beta)
        t = np.argmax(beta)
        if beta[t] > largest:
            largest, channel, delay = beta[t], c, t
    return channel, delay


@kernel
def _embed_trial(S, weights, window, max_delay, channels, delays, false):
    # Fill channels[0..m], delays[0..m] and false[0..m-1]; returns the cycles m.
    n_times = S.shape[1]
    beta = np.empty(max_delay + 1)
    old, new, near = np.empty(n_times), np.empty(n_times), np.empty(n_times)
    nearest = np.empty(n_times, dtype=np.int64)
    n = n_times
    delays[0] = 0
    for cycle in range(false.shape[0]):
        m = cycle + 1
        n_searched = n - max_delay
        if cycle == 0:
            channels[0], channels[1], delays[1] = _best_start(
                S, weights, n_searched, window, beta, near, nearest
            )
            _nearest(S, weights, channels, delays, 1, n, window, old, nearest)
        else:
            _nearest(S, weights, channels, delays, m, n_searched, window, near, nearest)
            channels[m], delays[m] = _best_next(
                S, weights, n_searched, beta, near, nearest
            )
        n = min(n, n_times - delays[m])
        _nearest(S, weights, channels, delays, m + 1, n, window, new, nearest)
        false[cycle] = _false_share(old, new, n)
        if false[cycle] <= _FEW_FALSE or (
            cycle > 0 and false[cycle] > false[cycle - 1]
        ):
            return m
        old[:n] = new[:n]
    return false.shape[0]


@kernel(parallel=True)
def _embed_trials(S, weights, windows, max_delay, channels, delays, false, cycles):
    for r in prange(S.shape[0]):
        cycles[r] = _embed_trial(
            S[r], weights[r], windows[r], max_delay, channels[r], delays[r], false[r]
        )


def mdop(
    X, max_delay=50, *, max_cycles=50, theiler=None, max_lag=30, n_jobs=None
) -> MDOPDelays:
    r"""Find delays by maximising derivatives on projection (MDOP) [1]_.

    Coordinates :math:`s^{(c)}_{i + \tau}` are appended to an embedding Y one by one.
    With j the nearest neighbour of point i, more than w samples away, each cycle
    takes the channel c and the delay :math:`\tau` that maximise

    .. math::

        \beta_{Y, c}(\tau) = \operatorname{mean}_i \log_{10}
        \frac{|s^{(c)}_{i + \tau} - s^{(c)}_{j + \tau}|}{\|Y_i - Y_j\|},

    which separates neighbours the most. The first cycle tries every channel as Y.
    Channels are standardised. The search stops when at most 5 % of the neighbours
    nearer than 1/2 are false, that is when their distance more than doubled; or when
    this share rises.

    Parameters
    ----------
    X : array_like of shape (n_trials, n_channels, n_times)
        Trials.
    max_delay : int, default=50
        Largest delay of a coordinate, in samples. At least
        2 (max_delay + w) + 2 samples are needed.
    max_cycles : int, default=50
        Largest number of cycles.
    theiler : int, default=None
        Theiler window w, in samples; by default, in each trial, the largest over
        its channels of the delays at the first minimum of the mutual information.
    max_lag : int, default=30
        Largest delay of the mutual information.
    n_jobs : int, default=None
        Number of threads, which share the trials; None means 1, -1 all cores. The
        result does not depend on it.

    Returns
    -------
    MDOPDelays
        Named tuple with the order and lag of a uniform embedding, averaged over
        trials, and with the delays of each trial.

    Raises
    ------
    ValueError
        If the trials are too short or hold NaN, or if a channel is constant.

    See Also
    --------
    select_delays : Choose order and lag of a delay embedding.

    Notes
    -----
    An embedding with unequal delays over some channels is summed up by two numbers:
    the order of a trial is its number m of cycles, its lag the mean of the first m
    delays, 0 included, rounded half to even. Differences and distances that are 0
    are skipped. The time for each cycle is proportional to n_times squared times the
    number of coordinates; the memory to that of the input.

    References
    ----------
    .. [1] C. Nichkawde, "Optimal state-space reconstruction using derivatives on
       projected manifold", Phys. Rev. E 87, 2013, doi:10.1103/PhysRevE.87.022905.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import mdop
    >>> X = np.sin(np.arange(500) / 6.1)[np.newaxis, np.newaxis]
    >>> found = mdop(X, theiler=10)
    >>> found.order, found.delays[0]
    (2, array([ 0, 34, 50]))
    """
    X = check_series(X)
    max_delay = check_integer(max_delay, "max_delay")
    max_cycles = check_integer(max_cycles, "max_cycles")
    refuse_constant(X, "nearest neighbours")
    windows = _theiler_windows(X, theiler, max_lag, n_jobs)
    check_longer(X, 2 * (max_delay + int(windows.max())) + 2, "max_delay", max_delay)
    n_trials = len(X)
    channels = np.zeros((n_trials, max_cycles + 1), dtype=np.int64)
    delays = np.zeros_like(channels)
    false = np.zeros((n_trials, max_cycles))
    cycles = np.zeros(n_trials, dtype=np.int64)
    S = unit_range(X)
    weights = 1.0 / S.var(axis=2, ddof=1)  # not by division: ties remain ties
    with numba_threads(n_jobs):
        _embed_trials(S, weights, windows, max_delay, channels, delays, false, cycles)
    lags = np.array(
        [np.rint(d[:m].mean()) for d, m in zip(delays, cycles, strict=True)]
    ).astype(np.int64)
    return MDOPDelays(
        int(np.rint(cycles.mean())),
        int(np.rint(lags.mean())),
        cycles,
        lags,
        [d[: m + 1] for d, m in zip(delays, cycles, strict=True)],
        [c[: m + 1] for c, m in zip(channels, cycles, strict=True)],
        [f[:m] for f, m in zip(false, cycles, strict=True)],
    )


def _theiler_windows(X, theiler, max_lag, n_jobs):
    """Return the Theiler window of each trial."""
    if theiler is not None:
        return np.full(len(X), check_integer(theiler, "theiler", minimum=0))
    information = mutual_information(X, max_lag, average=False, n_jobs=n_jobs)
    return np.array(
        [max(first_minimum(channel)[0] for channel in trial) for trial in information]
    )
