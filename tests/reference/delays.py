"""Slow statistics of delays, written from the formulas, one series at a time."""

import numpy as np


def cells(ordered):
    """Sizes of the adaptive cells of sorted values, left to right."""
    m = len(ordered)
    if m < 10:
        return [m]
    k, bound = (2, 2.706) if m < 20 else (4, 6.251)
    low, high = ordered[0], ordered[-1]
    expected = round(m / k)  # half to even
    statistic, used = 0.0, 0
    for i in range(1, k + 1):
        edge = low + i * ((high - low) / k) if i < k else high
        below = int(np.sum(ordered <= edge))
        statistic += (below - used - expected) ** 2 / expected
        used = below
        if used == m:
            break
    if statistic < bound:
        return [m]
    return cells(ordered[: m // 2]) + cells(ordered[m // 2 :])


def equal_cells(n, bins):
    ends = [(b + 1) * n // bins for b in range(bins)]
    return list(np.diff([0, *ends]))


def information(s, max_lag, bins=None):
    """I(1..max_lag) in bits from the full table of joint counts."""
    n = len(s) - max_lag
    order = sorted(range(n), key=lambda t: (s[t], t))
    ordered = s[order]
    sizes = np.array(cells(ordered) if bins is None else equal_cells(n, bins))
    edges = ordered[np.cumsum(sizes) - 1]
    row = np.empty(n, dtype=int)
    row[order] = np.repeat(np.arange(len(sizes)), sizes)
    q = sizes / n
    values = []
    for tau in range(1, max_lag + 1):
        P = np.zeros((len(sizes), len(sizes)))
        for t in range(n):
            column = 0
            while column < len(sizes) - 1 and s[t + tau] > edges[column]:
                column += 1
            P[row[t], column] += 1.0 / n
        a, b = np.nonzero(P)
        values.append(np.sum(P[a, b] * np.log2(P[a, b] / (q[a] * q[b]))))
    return np.array(values)


def correlation(s, max_lag):
    """rho(1..max_lag)."""
    s = s - s.mean()
    lags = range(1, max_lag + 1)
    return np.array([np.sum(s[:-k] * s[k:]) for k in lags]) / np.sum(s * s)


def expansion(s, D, lag):
    """Cao's a(D), with the full table of distances."""
    n = len(s) - D * lag
    Y = np.stack([s[k * lag : k * lag + n] for k in range(D)], axis=1)
    squared = np.zeros((n, n))
    for k in range(D):
        squared += (Y[:, None, k] - Y[None, :, k]) ** 2
    ratios = []
    for i in range(n):
        row = np.where(squared[i] > 0, squared[i], np.inf)
        j = int(np.argmin(row))
        if np.isfinite(row[j]):
            step = s[i + D * lag] - s[j + D * lag]
            ratios.append(np.hypot(np.sqrt(row[j]), step) / np.sqrt(row[j]))
    return np.mean(ratios)


def cao(s, lag, n_orders):
    a = [expansion(s, D, lag) for D in range(1, n_orders + 2)]
    return np.array(a[1:]) / np.array(a[:-1])


def neighbours(Y, weights, window):
    """Squared distance and index of the nearest point outside the window."""
    n = len(Y)
    squared, index = np.full(n, np.inf), np.zeros(n, dtype=int)
    for i in range(n):
        for j in range(n):
            if abs(i - j) > window:
                total = 0.0
                for a, b, weight in zip(Y[i], Y[j], weights, strict=True):
                    total += weight * (a - b) ** 2
                if total < squared[i]:
                    squared[i], index[i] = total, j
    return squared, index


def beta(Y, weights, x, window, max_delay):
    n = len(Y) - max_delay
    squared, index = neighbours(Y[:n], weights, window)
    values = []
    for tau in range(max_delay + 1):
        logs = []
        for i in range(n):
            up = abs(x[i + tau] - x[index[i] + tau])
            down = np.sqrt(squared[i])
            if up > 0 and 0 < down < np.inf:
                logs.append(np.log10(up / down))
        values.append(np.mean(logs) if logs else -np.inf)
    return np.array(values)


def false_share(old, new):
    near = old < 0.5
    if not near.any():
        return 1.0
    return np.mean(new[near] > 2.0 * old[near])


def derivatives_on_projection(x, window, max_delay=50, max_cycles=50):
    """Delays, channels and shares of false neighbours of one trial.

    Distances are those of the standardised channels: differences are divided by the
    standard deviations, not the values, so that integers keep their ties.
    """
    n_channels, n_times = x.shape
    variance = x.var(axis=1, ddof=1)
    delays, channels, false = [0], [], []
    Y = None
    while True:
        trials = []
        for a in range(n_channels) if Y is None else [None]:
            start = x[a][:, None] if Y is None else Y
            weights = 1.0 / variance[[a] if Y is None else channels]
            for c in range(n_channels):
                b = beta(start, weights, x[c], window, max_delay)
                b -= 0.5 * np.log10(variance[c])
                trials.append((b.max(), a, c, int(np.argmax(b))))
        largest = max(t[0] for t in trials)
        _, a, c, tau = next(t for t in trials if t[0] == largest)
        if Y is None:
            channels.append(a)
            Y = x[a][:, None]
        old = np.sqrt(neighbours(Y, 1.0 / variance[channels], window)[0])
        n = min(len(Y), n_times - tau)
        Y = np.column_stack([Y[:n], x[c][tau : tau + n]])
        delays.append(tau)
        channels.append(c)
        new = np.sqrt(neighbours(Y, 1.0 / variance[channels], window)[0])
        false.append(false_share(old[:n], new))
        rises = len(false) > 1 and false[-1] > false[-2]
        if false[-1] <= 0.05 or rises or len(false) == max_cycles:
            return delays, channels, false
