"""Calibration of rows of affinities: the time at which a row has a given entropy.

With the distances d_j of one sample to the others, gaps g_j = d_j^2 - min d^2 and
logarithms a_j of a further factor, the weights are exp(a_j - beta g_j). Their entropy
H has the derivative Cov(g, a) - beta Var(g) with respect to beta: it falls where
weights fall with distance, but may rise before where a grows with distance. The
wanted root is the largest.
"""

import math

import numpy as np
from numba import prange, types

from geolearn.utils._jit import TABLE, first_class, kernel
from geolearn.utils._threads import numba_threads

__all__ = ["calibrate", "fill_weights"]

_TABLE_IN = types.Array(types.float64, 2, "C", readonly=True)
_ROWS = types.float64[::1]

# exp by reduction to |r| <= log(2) / 2 and the Taylor polynomial of degree 12, whose
# error is 2e-16; adding the shifter rounds to an integer, which its low bits then hold.
_SHIFTER = 6755399441055744.0  # 1.5 * 2^52
_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_LOWEST = -700.0  # exp is a normal number above it

_TOLERANCE = 1e-12  # of the entropy, in nats; rounding is some 1e-14
_TIE = 1e-12  # squared distances that differ by less, relatively, are equal
_SLACK = 2.0  # log of how much heavier than the nearest a sample may be at the start
_SMALLEST = 1e-12  # of the start: below it the root counts as zero
_FLAT_STEP = math.log(16.0)
_CURVED_STEP = math.log(2.0)  # small, so that no maximum is jumped over


@kernel
def _exponentials(x, whole, bits, out):
    """Fill out with exp(x) for _LOWEST <= x <= 0; `bits` is the memory of `whole`."""
    n = x.shape[0]
    for j in range(n):
        shifted = x[j] * _LOG2_E + _SHIFTER
        whole[j] = shifted
        k = shifted - _SHIFTER
        r = (x[j] - k * _LN2_HIGH) - k * _LN2_LOW
        p = 1.0 / 479001600.0
        p = p * r + 1.0 / 39916800.0
        p = p * r + 1.0 / 3628800.0
        p = p * r + 1.0 / 362880.0
        p = p * r + 1.0 / 40320.0
        p = p * r + 1.0 / 5040.0
        p = p * r + 1.0 / 720.0
        p = p * r + 1.0 / 120.0
        p = p * r + 1.0 / 24.0
        p = p * r + 1.0 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        out[j] = p * r + 1.0
    for j in range(n):
        bits[j] = (bits[j] + 1023) << 52
    for j in range(n):
        out[j] *= whole[j]


# Sums of thousands of terms of one sign, or whose size the entropy bounds: the order
# changes the entropy by some 1e-14.
@kernel(fastmath={"reassoc", "contract"})
def _moments(weight, logarithm, gap):
    z = 0.0
    zl = 0.0
    zg = 0.0
    zgl = 0.0
    for j in range(gap.shape[0]):
        w = weight[j]
        wl = w * logarithm[j]
        z += w
        zl += wl
        zg += w * gap[j]
        zgl += wl * gap[j]
    return z, zl, zg, zgl


@kernel
def _weigh(beta, gap, extra, logarithm, whole, bits, weight):
    """Fill weight with exp(extra - beta gap), the largest 1, and their logarithms."""
    top = -np.inf
    for j in range(gap.shape[0]):
        logarithm[j] = extra[j] - beta * gap[j]
        top = max(top, logarithm[j])
    for j in range(gap.shape[0]):
        logarithm[j] = max(logarithm[j] - top, _LOWEST)
    _exponentials(logarithm, whole, bits, weight)


@kernel
def _entropy(beta, gap, extra, logarithm, whole, bits, weight):
    """Return the entropy and its derivative with respect to log beta."""
    _weigh(beta, gap, extra, logarithm, whole, bits, weight)
    z, zl, zg, zgl = _moments(weight, logarithm, gap)
    return math.log(z) - zl / z, beta * (zgl / z - (zg / z) * (zl / z))


@kernel
def _collect(D, log_volume, i, own, gap, extra, place):
    """Gather what carries weight in row i; return their number and the unit.

    Gaps are in units of the square of a power of two near the largest distance.
    """
    count = 0
    nearest = np.inf
    farthest = 0.0
    for j in range(D.shape[1]):
        a = -0.5 * log_volume[i, j] if log_volume.shape[0] > 0 else 0.0
        d = D[i, j]
        if (own and i == j) or not (d < np.inf and abs(a) < np.inf):
            continue
        gap[count] = d
        extra[count] = a
        place[count] = j
        count += 1
        nearest = min(nearest, d)
        farthest = max(farthest, d)
    unit = 1.0
    if farthest > 0.0:
        unit = math.ldexp(1.0, math.frexp(farthest)[1])
    nearest = nearest / unit
    for t in range(count):
        d = gap[t] / unit
        g = (d - nearest) * (d + nearest)
        gap[t] = g if g > _TIE * nearest * nearest else 0.0
    return count, unit


@kernel
def _limit(gap, extra):
    """Return the entropy for beta to infinity, and the largest extra of the nearest."""
    top = -np.inf
    for j in range(gap.shape[0]):
        if gap[j] == 0.0:
            top = max(top, extra[j])
    z = 0.0
    zl = 0.0
    for j in range(gap.shape[0]):
        if gap[j] == 0.0:
            w = math.exp(extra[j] - top)
            z += w
            zl += w * (extra[j] - top)
    return math.log(z) - zl / z, top


@kernel
def _start(gap, extra, top):
    """Return a beta at which no sample is much heavier than the nearest ones."""
    total = 0.0
    beta = 0.0
    for j in range(gap.shape[0]):
        total += gap[j]
        if gap[j] > 0.0:
            beta = max(beta, (extra[j] - top - _SLACK) / gap[j])
    return max(beta, gap.shape[0] / total)


@kernel
def _refine(low, high, target, h, slope, gap, extra, logarithm, whole, bits, weight):
    """Return beta in [low, high], where the entropy falls through the target.

    h and slope are those at `high`.
    """
    beta = high
    for step in range(200):
        following = 0.0
        if slope < 0.0 and step % 8 < 7:  # now and then a bisection
            following = beta * math.exp(max(min((target - h) / slope, 50.0), -50.0))
        if not low < following < high:
            following = math.sqrt(low * high)
        if following == beta:
            break
        beta = following
        h, slope = _entropy(beta, gap, extra, logarithm, whole, bits, weight)
        if abs(h - target) <= _TOLERANCE:
            break
        if h > target:
            low = beta
        else:
            high = beta
    return beta


@kernel
def _below_maximum(low, high, target, h, slope, gap, extra, logarithm, whole, bits, w):
    """Return the root right of a maximum between low and high, or 0.

    The entropy rises at low, falls at high and is below the target at both; h and
    slope are those at `high`.
    """
    while high > low * (1.0 + 1e-9):
        beta = math.sqrt(low * high)
        h_new, slope_new = _entropy(beta, gap, extra, logarithm, whole, bits, w)
        if h_new >= target:
            work = (gap, extra, logarithm, whole, bits, w)
            return _refine(beta, high, target, h, slope, *work)
        if slope_new > 0.0:
            low = beta
        else:
            high, h, slope = beta, h_new, slope_new
    return 0.0


@kernel
def _descend(high, smallest, longest, target, h, slope, work):
    """Return the largest root below `high`, where the entropy falls; 0 if none."""
    while h < target - _TOLERANCE:
        step = min((h - target) / slope, longest) if slope < 0.0 else longest
        low = high * math.exp(-step)
        if low < smallest:
            return 0.0
        h_low, slope_low = _entropy(low, *work)
        if h_low >= target:
            return _refine(low, high, target, h, slope, *work)
        if slope_low > 0.0:
            return _below_maximum(low, high, target, h, slope, *work)
        high, h, slope = low, h_low, slope_low
    return high


@kernel
def _root(gap, extra, curved, target, logarithm, whole, bits, weight):
    """Return the largest beta of entropy `target`; infinity or 0 if there is none."""
    limit, top = _limit(gap, extra)
    if limit >= target - _TOLERANCE:  # more than the perplexity are nearest
        return np.inf
    work = (gap, extra, logarithm, whole, bits, weight)
    longest = _CURVED_STEP if curved else _FLAT_STEP
    start = _start(gap, extra, top)
    beta = start
    low = 0.0
    h, slope = _entropy(beta, *work)
    while h > target or slope > _TOLERANCE:
        low = beta if h > target else 0.0
        step = (target - h) / slope if slope < 0.0 else longest
        beta *= math.exp(max(min(step, longest), _CURVED_STEP))
        if beta > 1e300:
            return np.inf
        h, slope = _entropy(beta, *work)
    if low > 0.0:
        return _refine(low, beta, target, h, slope, *work)
    if curved:
        h0, slope0 = _entropy(1e-30 * start, *work)
        if h0 < target and slope0 <= 0.0:
            return 0.0
    return _descend(beta, _SMALLEST * start, longest, target, h, slope, work)


@kernel(parallel=True)
def _calibrate(D, log_volume, own, target, beta, unit):
    n = D.shape[1]
    for row in prange(D.shape[0]):
        i = np.intp(row)
        gap = np.empty(n)
        extra = np.empty(n)
        place = np.empty(n, dtype=np.intp)
        count, unit[i] = _collect(D, log_volume, i, own, gap, extra, place)
        beta[i] = 0.0
        if count > 0:
            logarithm = np.empty(count)
            weight = np.empty(count)
            whole = np.empty(count)
            bits = whole.view(np.int64)
            curved = log_volume.shape[0] > 0
            beta[i] = _root(
                *(gap[:count], extra[:count], curved, target),
                *(logarithm, whole, bits, weight),
            )


@kernel
def _nearest_only(gap, extra, place, count):
    """Keep the nearest samples, which share all weight as beta tends to infinity."""
    kept = 0
    for t in range(count):
        if gap[t] == 0.0:
            gap[kept] = 0.0
            extra[kept] = extra[t]
            place[kept] = place[t]
            kept += 1
    return kept


@kernel(parallel=True)
def _fill_weights(D, log_volume, own, beta, out):
    n = D.shape[1]
    for row in prange(D.shape[0]):
        i = np.intp(row)
        gap = np.empty(n)
        extra = np.empty(n)
        place = np.empty(n, dtype=np.intp)
        count, _ = _collect(D, log_volume, i, own, gap, extra, place)
        b = beta[i]
        if b == np.inf:
            count = _nearest_only(gap, extra, place, count)
            b = 0.0
        logarithm = np.empty(count)
        weight = np.empty(count)
        whole = np.empty(count)
        bits = whole.view(np.int64)
        _weigh(b, gap[:count], extra[:count], logarithm, whole, bits, weight)
        total = _moments(weight, logarithm, gap[:count])[0]
        out[i] = 0.0
        for t in range(count):
            if logarithm[t] > _LOWEST:
                out[i, place[t]] = weight[t] / total


_INPUTS = (_TABLE_IN, _TABLE_IN, types.boolean)


def calibrate(D, log_volume, own, target, n_jobs):
    """Find for each row the largest beta at which its weights have an entropy.

    Parameters
    ----------
    D : ndarray of shape (n_rows, n_columns)
        Distances; infinite ones carry no weight.
    log_volume : ndarray of shape (n_rows, n_columns) or (0, 0)
        The weights are exp(-beta D^2 - log_volume / 2), none where it is infinite.
    own : bool
        Whether entry (i, i) carries no weight.
    target : float
        Entropy in nats.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    beta : ndarray of shape (n_rows,)
        In units of 1 / unit^2; infinite where more samples are nearest than the
        entropy allows, 0 where no beta > 0 gives it.
    unit : ndarray of shape (n_rows,)
        Powers of two.
    """
    beta, unit = np.empty(len(D)), np.empty(len(D))
    driver = first_class(_calibrate, *_INPUTS, types.float64, _ROWS, _ROWS)
    with numba_threads(n_jobs), np.errstate(all="ignore"):
        driver(D, log_volume, own, target, beta, unit)
    return beta, unit


def fill_weights(D, log_volume, own, beta, n_jobs, out=None):
    """Return the normalised weights at the `beta` of `calibrate`.

    Parameters
    ----------
    D : ndarray of shape (n_rows, n_columns)
        As in `calibrate`.
    log_volume : ndarray of shape (n_rows, n_columns) or (0, 0)
        As in `calibrate`.
    own : bool
        As in `calibrate`.
    beta : ndarray of shape (n_rows,)
        As returned by `calibrate`.
    n_jobs : int or None
        Number of threads.
    out : ndarray of shape (n_rows, n_columns), default=None
        Array for the result, not that of an input.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Rows sum to one.
    """
    out = np.empty(D.shape) if out is None else out
    driver = first_class(_fill_weights, *_INPUTS, _ROWS, TABLE)
    with numba_threads(n_jobs), np.errstate(all="ignore"):
        driver(D, log_volume, own, beta, out)
    return out
