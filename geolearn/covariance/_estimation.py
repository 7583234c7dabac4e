"""Kernels of the covariance matrices of trials and of their delayed copies.

The embedded series z_t = (x_t; x_{t+lag}; ...) is never made. Block (i, j) of the sum
of z_t z_t^T adds the products x_{s+k lag} x_s^T, k = i - j, over a window of s. The
windows of one k share a core; the rest is cut at multiples of the lag and added up
from either end. Nothing is subtracted, so nothing cancels, and the cost is that of
`order` products of d channels instead of the order (order + 1) / 2 of the embedding.
"""

import numpy as np
from numba import prange, types

from geolearn.utils._jit import first_class, kernel
from geolearn.utils._threads import matrix_threads

__all__ = ["NON_FINITE", "covariance_kernel"]

NON_FINITE = -1

_TRIALS = types.Array(types.float64, 3, "C", readonly=True)
_STACK = types.float64[:, :, ::1]
_STATUS = types.int64[::1]
_FLAGS = types.UniTuple(types.boolean, 3)
_NUMBERS = types.UniTuple(types.float64, 3)
_INT = types.int64
_ARGUMENTS = (_TRIALS, _INT, _INT, _INT, _FLAGS, _NUMBERS, _STACK, _STACK, _STATUS)

# Rows of a Gram matrix computed at a time: entries above the diagonal are skipped,
# and OpenBLAS does not pack operands of products this small (1.5 times faster).
_ROWS = 8
# Samples transposed at a time.
_COLUMNS = 16
# A window's own mean may take this share of a sum of squares about the trial's mean;
# beyond it the subtraction would cancel, and the window is centred first.
_LARGEST_SHARE = 0.9

_LEDOIT_WOLF, _ORACLE = 1, 2
_RULES = {"lwf": _LEDOIT_WOLF, "oas": _ORACLE}


@kernel(fastmath={"reassoc", "contract"})
def _mean(row, origin):
    """Return the mean of row - origin."""
    total = 0.0
    for t in range(row.shape[0]):
        total += row[t] - origin
    return total / row.shape[0]


@kernel
def _channel_means(x, start, stop, out):
    """Fill out with the means of x[:, start:stop]; constants are kept exactly."""
    for c in range(x.shape[0]):
        origin = x[c, start]
        out[c] = origin + _mean(x[c, start:stop], origin)


@kernel
def _gram(Z, S):
    """Fill the lower triangle of S with that of Z Z^T."""
    n = Z.shape[0]
    for start in range(0, n, _ROWS):
        stop = min(start + _ROWS, n)
        product = np.dot(Z[start:stop], Z[:stop].T)
        for r in range(stop - start):
            row, out = product[r], S[start + r]
            for j in range(start + r + 1):
                out[j] = row[j]


@kernel
def _centered(x, start, stop, mean, Z):
    """Fill Z with the channels of x[:, start:stop] less their means."""
    for c in range(x.shape[0]):
        row, out, m = x[c, start:stop], Z[c], mean[c]  # loops from 0 vectorise
        for t in range(row.shape[0]):
            out[t] = row[t] - m


@kernel
def _centered_rows(x, mean, Z):
    """Fill Z with the transpose of x less the means of its channels."""
    d, T = x.shape
    for start in range(0, T, _COLUMNS):
        stop = min(start + _COLUMNS, T)
        block = Z[start:stop]
        for c in range(d):
            row, m = x[c, start:stop], mean[c]
            for t in range(row.shape[0]):
                block[t, c] = row[t] - m


@kernel
def _products(Z, k, start, stop):
    """Return the sum of Z[s + k] Z[s]^T over start <= s < stop."""
    return np.dot(Z[start + k : stop + k].T, Z[start:stop])


@kernel
def _add_block(S, i, j, block):
    d = block.shape[0]
    for r in range(d):
        for c in range(d):
            S[i * d + r, j * d + c] += block[r, c]


@kernel
def _delayed_gram(Z, order, lag, S):
    """Fill the lower blocks of S with the Gram matrix of the delayed rows of Z."""
    length = Z.shape[0] - (order - 1) * lag
    S[:] = 0.0
    for k in range(order):
        last = order - 1 - k  # windows begin at 0, lag, ..., last * lag
        core = _products(Z, k * lag, last * lag, length)
        tail = np.zeros_like(core)
        _add_block(S, k, 0, core)
        for j in range(1, last + 1):
            end = length + j * lag
            tail += _products(Z, k * lag, end - lag, end)
            _add_block(S, j + k, j, core)
            _add_block(S, j + k, j, tail)
        head = np.zeros_like(core)
        for j in range(last - 1, -1, -1):
            head += _products(Z, k * lag, j * lag, (j + 1) * lag)
            _add_block(S, j + k, j, head)


@kernel
def _remove_means(S, mean, shift, length):
    """Subtract the outer product of the means; tell whether digits survive it."""
    order, d = mean.shape
    for i in range(order * d):
        own = mean[i // d, i % d] - shift[i % d]
        if not length * own * own <= _LARGEST_SHARE * S[i, i]:
            return False
    for i in range(order * d):
        factor = length * (mean[i // d, i % d] - shift[i % d])
        for j in range(i + 1):
            S[i, j] -= factor * (mean[j // d, j % d] - shift[j % d])
    return True


@kernel
def _embedded_gram(x, mean, lag, length, S):
    """Fill the lower triangle of S from the centred embedding of one trial."""
    order, d = mean.shape
    Z = np.empty((order * d, length))
    for i in range(order):
        _centered(x, i * lag, i * lag + length, mean[i], Z[i * d : (i + 1) * d])
    _gram(Z, S)


@kernel
def _scatter(x, lag, length, assume_centered, mean, Z, S):
    """Fill the lower triangle of S with the sums of products; mean with the means."""
    order, d = mean.shape
    mean[:] = 0.0
    if not assume_centered:
        for i in range(order):
            _channel_means(x, i * lag, i * lag + length, mean[i])
    if order == 1:
        centred = Z.reshape(d, length)
        _centered(x, 0, length, mean[0], centred)
        _gram(centred, S)
        return
    if (order - 1) * lag < length:
        shift = np.zeros(d)
        if not assume_centered:
            _channel_means(x, 0, x.shape[1], shift)
        _centered_rows(x, shift, Z)
        _delayed_gram(Z, order, lag, S)
        if assume_centered or _remove_means(S, mean, shift, length):
            return
    _embedded_gram(x, mean, lag, length, S)


@kernel
def _lagged_scatter(x, order, lag, assume_centered, Z, S):
    """Fill the lower blocks of S with those of a block-Toeplitz matrix."""
    d, T = x.shape
    shift = np.zeros(d)
    if not assume_centered:
        _channel_means(x, 0, T, shift)
    _centered_rows(x, shift, Z)
    S[:] = 0.0
    for k in range(order):
        block = _products(Z, k * lag, 0, T - k * lag)
        for j in range(order - k):
            _add_block(S, j + k, j, block)


@kernel
def _dispersion(S, mu):
    """Return |S / mu - I|^2 / n from the lower triangle; mu = tr(S) / n."""
    n = S.shape[0]
    total = 0.0
    for i in range(n):
        total += (S[i, i] / mu - 1.0) ** 2
        for j in range(i):
            total += 2.0 * (S[i, j] / mu) ** 2
    return total / n


@kernel
def _fourth_powers(x, mean, lag, length, trace):
    """Return the sum over t of (|z_t|^2 / trace)^2 of the centred embedding."""
    order, d = mean.shape
    squares = np.zeros(length)
    for i in range(order):
        for c in range(d):
            m = mean[i, c]
            row = x[c, i * lag : i * lag + length]
            for t in range(length):
                squares[t] += (row[t] - m) ** 2
    total = 0.0
    for t in range(length):
        total += (squares[t] / trace) ** 2
    return total


@kernel
def _shrinkage(x, mean, lag, length, rule, S, mu):
    """Return the weight of the identity by Ledoit and Wolf, or the oracle's.

    Both are ratios: everything is in units of mu, so that no scale of the data
    over- or underflows, and |S|^2 / n - mu^2 is summed without cancellation.
    """
    n = S.shape[0]
    delta = _dispersion(S, mu)
    if rule == _ORACLE:
        if delta == 0.0:
            return 1.0
        return min(1.0, (delta + 1.0 + n) / ((length + 1) * delta))
    fourth = _fourth_powers(x, mean, lag, length, n * mu)
    beta = min(delta, (n * fourth / length - delta - 1.0) / length)
    return beta / delta if beta > 0.0 else 0.0


@kernel
def _correlate(S):
    """Divide the lower triangle of S by the deviations, which are positive."""
    n = S.shape[0]
    scale = np.empty(n)
    for i in range(n):
        scale[i] = np.sqrt(S[i, i])
    for i in range(n):
        for j in range(i):
            S[i, j] = S[i, j] / scale[i] / scale[j]
        S[i, i] = 1.0


@kernel
def _finish(S, weight, ridge):
    """Mix the lower triangle with the identity, mirror it, and check the diagonal.

    Return 0 if all is well, one plus the first row without variance, or NON_FINITE.
    """
    n = S.shape[0]
    trace = 0.0
    for i in range(n):
        trace += S[i, i]
    lift = (weight + ridge) * (trace / n)
    for i in range(n):
        for j in range(i):
            S[i, j] *= 1.0 - weight
            S[j, i] = S[i, j]
        S[i, i] = (1.0 - weight) * S[i, i] + lift
    if not np.isfinite(trace + lift):
        return NON_FINITE
    for i in range(n):
        if not S[i, i] > 0.0:
            return i + 1
    return 0


@kernel
def _one(x, order, lag, rule, flags, numbers, Z, S):
    """Fill S with the covariance matrix of one trial; return its status."""
    assume_centered, correlate, toeplitz = flags
    dropped, weight, ridge = numbers
    d, T = x.shape
    length = T if toeplitz else T - (order - 1) * lag
    mean = np.empty((order, d))
    if toeplitz:
        _lagged_scatter(x, order, lag, assume_centered, Z, S)
    else:
        _scatter(x, lag, length, assume_centered, mean, Z, S)
    n = S.shape[0]
    trace = 0.0
    for i in range(n):
        for j in range(i + 1):
            S[i, j] /= length - dropped
        trace += S[i, i]
    if rule > 0 and 0.0 < trace < np.inf:
        weight = _shrinkage(x, mean, lag, length, rule, S, trace / n)
    if correlate:
        for i in range(n):  # a constant channel has no correlations
            if not S[i, i] > 0.0:
                return i + 1 if np.isfinite(trace) else NON_FINITE
        _correlate(S)
    return _finish(S, weight, ridge)


@kernel(parallel=True)
def _fill(X, order, lag, rule, flags, numbers, Z, out, status):
    n_workers = Z.shape[0]
    for worker in prange(n_workers):
        for i in range(np.intp(worker), X.shape[0], n_workers):
            status[i] = _one(
                X[i], order, lag, rule, flags, numbers, Z[np.intp(worker)], out[i]
            )


def covariance_kernel(
    X,
    order,
    lag,
    *,
    estimator,
    assume_centered,
    shrinkage,
    ridge,
    toeplitz,
    n_jobs,
    out,
):
    """Fill out with the covariance matrices of float64 trials; return their status.

    The status is 0, NON_FINITE where the trial or its covariance is not finite, or
    one plus the first row of the embedding that is constant and not regularised.
    """
    n_trials, d, T = X.shape
    status = np.empty(n_trials, dtype=np.int64)
    flags = (bool(assume_centered), estimator == "corr", bool(toeplitz))
    weight = 0.0 if shrinkage is None else float(shrinkage)
    numbers = (float(estimator == "cov"), weight, float(ridge))
    first_class(_fill, *_ARGUMENTS)
    # Plain Python kernels would warn of what the status reports.
    with matrix_threads(n_jobs) as n_threads, np.errstate(all="ignore"):
        scratch = np.empty((min(n_threads, n_trials), T, d))
        rule = _RULES.get(estimator, 0)
        _fill(X, order, lag, rule, flags, numbers, scratch, out, status)
    return status
