"""Kernels of the search for references in constant curvature.

The residual vectors of the samples, lengths through sn, have products with that of
a candidate c which come in two ways: from a table of half chords (`chords` has
rows) less the products of the factors of the references so far, or from the
residual vectors themselves (`factors`, then the table is empty). Adding c leaves
the square s_j - r_cj^2 / s_c of sample j.

`form` holds (curvature sign, code of p, p, unit): distances are multiplied by the
unit before the power p is taken, so that no power underflows.
"""

import math

import numpy as np
from numba import prange

from geolearn.utils._jit import kernel

BLOCK = 128  # samples evaluated at once: rows of this length stay in the cache
STEP = 64  # the same where a search may stop between blocks
GROUP = 16  # candidates that share the blocks they read
_ZERO = 64.0 * 2.220446049250313e-16  # relative squares below are rounding
_TIE = 1.0 - 1e-12  # a later subset wins only if it is better by more
_DEPENDENT = 1e-12  # relative square below which a candidate lies in the span
_HALF_PI = 0.5 * math.pi
_HALVED = 9400.0  # below sinh(8 arcsinh(sqrt(1/2)))^2
SQUARE, LINEAR, ROOT, POWER = 2.0, 1.0, 0.5, 0.0  # codes of p


@kernel
def _arcsines(x):
    """Replace squares of sines in [0, 1] by angles, to 2e-16 relative.

    The polynomial, best in the sense of Chebyshev on [0, 1/2], is that of
    arcsin(sqrt(z)) / sqrt(z). Unlike a call per number, the loop vectorises.
    """
    for t in range(x.shape[0]):
        s = x[t]
        z = min(s, 1.0 - s)
        v = 0.8892904367638688 * z + -3.278933156739812
        v = v * z + 5.7579408313146985
        v = v * z - 6.229299875397985
        v = v * z + 4.6420689099888435
        v = v * z - 2.4908808126226116
        v = v * z + 1.0082016650534187
        v = v * z - 0.2968705430689824
        v = v * z + 0.07871611357002127
        v = v * z - 0.002601537848299688
        v = v * z + 0.013191002571753903
        v = v * z + 0.01380344589589198
        v = v * z + 0.017364281439103527
        v = v * z + 0.022371584779320355
        v = v * z + 0.030381963396751827
        v = v * z + 0.044642856762615
        v = v * z + 0.07500000000401816
        v = v * z + 0.16666666666664987
        v = v * z + 1.0
        a = math.sqrt(z) * v
        x[t] = _HALF_PI - a if s > 0.5 else a


@kernel
def _hyperbolic_arcsines(x):
    """Replace squares of hyperbolic sines by their arguments, to 1e-15 relative.

    The argument is halved three times, by sinh(d / 2)^2 = s / (2 + 2 sqrt(1 + s)),
    which leaves squares up to 1/2 for a polynomial as in `_arcsines`.
    """
    largest = 0.0
    for t in range(x.shape[0]):
        largest = max(largest, x[t])
    if largest > _HALVED:
        for t in range(x.shape[0]):
            x[t] = math.asinh(math.sqrt(x[t]))
        return
    for t in range(x.shape[0]):
        z = x[t]
        z = z / (2.0 + 2.0 * math.sqrt(1.0 + z))
        z = z / (2.0 + 2.0 * math.sqrt(1.0 + z))
        z = z / (2.0 + 2.0 * math.sqrt(1.0 + z))
        v = -0.00020680025628310556 * z + 0.0010606408374181453
        v = v * z - 0.002699299291838134
        v = v * z + 0.004693297594973469
        v = v * z - 0.006539416803970992
        v = v * z + 0.00813160800211172
        v = v * z - 0.009696245603826549
        v = v * z + 0.01153944655553136
        v = v * z - 0.013963122414889353
        v = v * z + 0.017352591649646934
        v = v * z - 0.022372147025410054
        v = v * z + 0.03038194388833152
        v = v * z - 0.0446428571272873
        v = v * z + 0.07499999999977017
        v = v * z - 0.16666666666666533
        v = v * z + 1.0
        x[t] = 8.0 * math.sqrt(z) * v


@kernel
def costs(x, form):
    """Replace squares s of sn(d) by (unit d)^p, in place."""
    sign, code, p, unit = form[0], form[1], form[2], form[3]
    if sign > 0.0:
        _arcsines(x)
    elif sign < 0.0:
        _hyperbolic_arcsines(x)
    elif code == SQUARE:
        for t in range(x.shape[0]):
            x[t] *= unit * unit
        return
    else:
        for t in range(x.shape[0]):
            x[t] = math.sqrt(x[t])
    if code == SQUARE:
        for t in range(x.shape[0]):
            x[t] = (unit * x[t]) * (unit * x[t])
    elif code == LINEAR:
        for t in range(x.shape[0]):
            x[t] *= unit
    elif code == ROOT:
        for t in range(x.shape[0]):
            x[t] = math.sqrt(unit * x[t])
    else:
        for t in range(x.shape[0]):
            x[t] = (unit * x[t]) ** p


@kernel(fastmath={"reassoc"})
def _weighted_sum(w, x):
    """Return a sum of nonnegative terms: any order is right to n eps."""
    total = 0.0
    for t in range(x.shape[0]):
        total += w[t] * x[t]
    return total


@kernel
def _residual_squares(row, at, own, sign, factors, coefficients, s, floor, inv, x):
    """Fill x with the squares that remain of a block of samples.

    `row` and `at` are the half chords of the candidate and of the base to the
    samples, `own` that between candidate and base; `inv` is 1 / s_c.
    """
    n = x.shape[0]
    if row.shape[0] > 0:
        slope = 1.0 - 2.0 * sign * own
        for t in range(n):
            x[t] = 2.0 * (own - row[t] + slope * at[t])
    else:
        for t in range(n):
            x[t] = 0.0
    for level in range(factors.shape[0]):
        coefficient = coefficients[level]
        factor = factors[level]
        for t in range(n):
            x[t] += coefficient * factor[t]
    for t in range(n):
        v = s[t] - x[t] * x[t] * inv
        x[t] = 0.0 if v < floor[t] else v
    if sign > 0.0:
        for t in range(n):
            x[t] = min(x[t], 1.0)


@kernel(parallel=True)
def additions(
    chords, candidates, base, factors, sign, s, dependent, w, floor, form, out
):
    """Fill out[i] with the unexplained variance if candidates[i] is added.

    Parameters
    ----------
    chords : ndarray of shape (n, n) or (0, 0)
        Half chords squared of the samples.
    candidates : ndarray of int of shape (n_candidates,)
        Sample numbers.
    base : ndarray of shape (n,) or (0,)
        Half chords squared of the first reference to all samples.
    factors : ndarray of shape (n_factors, n)
        Factors or residual vectors, a sample a column.
    sign : float
        Factor of the products of `factors`: -1 beside a table, else 1.
    s : ndarray of shape (n,)
        Squares that remain of the samples.
    dependent : float
        Candidates of this square or less lie in the span: their value is inf.
    w : ndarray of shape (n,)
        Weights of the samples.
    floor : ndarray of shape (n,)
        Squares below are zero.
    form : ndarray of shape (4,)
        See the head of the file.
    out : ndarray of shape (n_candidates,)
        Receives the values.
    """
    n_samples, n_rows = s.shape[0], candidates.shape[0]
    n_factors = factors.shape[0]
    table = chords.shape[0] > 0
    for group in prange((n_rows + GROUP - 1) // GROUP):
        first = np.intp(group) * GROUP
        last = min(first + GROUP, n_rows)
        x = np.empty(BLOCK)
        coefficients = np.empty((GROUP, n_factors))
        for i in range(first, last):
            out[i] = 0.0 if s[candidates[i]] > dependent else np.inf
            for level in range(n_factors):
                coefficients[i - first, level] = sign * factors[level, candidates[i]]
        for j in range(0, n_samples, BLOCK):
            stop = min(j + BLOCK, n_samples)
            for i in range(first, last):
                c = candidates[i]
                if out[i] == np.inf:
                    continue
                block = x[: stop - j]
                _residual_squares(
                    chords[c, j:stop] if table else base[:0],
                    base[j:stop] if table else base[:0],
                    base[c] if table else 0.0,
                    form[0],
                    factors[:, j:stop],
                    coefficients[i - first],
                    s[j:stop],
                    floor[j:stop],
                    1.0 / s[c],
                    block,
                )
                costs(block, form)
                out[i] += _weighted_sum(w[j:stop], block)


@kernel(parallel=True)
def singles(chords, w, form, out):
    """Fill out[i] with the sum of w_j (unit d_ij)^p, up to d = pi on the sphere."""
    n = chords.shape[1]
    doubled = form.copy()
    doubled[3] *= 2.0  # d is twice the arc of the half chord
    for i in prange(chords.shape[0]):
        x = np.empty(BLOCK)
        out[i] = 0.0
        for j in range(0, n, BLOCK):
            stop = min(j + BLOCK, n)
            block = x[: stop - j]
            block[:] = chords[i, j:stop]
            if form[0] > 0.0:
                for t in range(stop - j):
                    block[t] = min(block[t], 1.0)
            costs(block, doubled)
            out[i] += _weighted_sum(w[j:stop], block)


@kernel
def _lower_bounds(x, form, y):
    """Fill y with bounds from below of the costs of squares x; p is 1 or 2."""
    # arcsin(a)^2 >= a^2 and arcsinh(a)^2 >= a^2 / (1 + a^2 / 3)
    third = 1.0 / 3.0 if form[0] < 0.0 else 0.0
    unit = form[3]
    for t in range(x.shape[0]):
        y[t] = unit * unit * x[t] / (1.0 + third * x[t])
    if form[1] == LINEAR:
        for t in range(x.shape[0]):
            y[t] = math.sqrt(y[t])


@kernel
def _evaluate(row, at, own, form, factors, coefficients, s, inv, w, limit, buffers):
    """Return the unexplained variance with one more reference, or inf from `limit` on.

    `s` has the squares and the floors as rows.
    """
    n = w.shape[0]
    x, y = buffers[0], buffers[1]
    cheap = form[0] != 0.0 and (form[1] == SQUARE or form[1] == LINEAR)
    total, low = 0.0, 0.0
    for j in range(0, n, STEP):
        stop = min(j + STEP, n)
        block = x[j:stop]
        _residual_squares(
            row[j:stop],
            at[j:stop],
            own,
            form[0],
            factors[:, j:stop],
            coefficients,
            s[0, j:stop],
            s[1, j:stop],
            inv,
            block,
        )
        if cheap:
            _lower_bounds(block, form, y[j:stop])
            low += _weighted_sum(w[j:stop], y[j:stop])
            if low * _TIE >= limit:
                return np.inf
        else:
            costs(block, form)
            total += _weighted_sum(w[j:stop], block)
            if total >= limit:
                return np.inf
    if cheap:
        for j in range(0, n, STEP):
            stop = min(j + STEP, n)
            costs(x[j:stop], form)
            total += _weighted_sum(w[j:stop], x[j:stop])
            if total >= limit:
                return np.inf
    return total


@kernel
def _least_parent(subset, binomials, values):
    """Return the least of `values` over the subsets that lack one element."""
    size = subset.shape[0]
    least = np.inf
    for gone in range(size):
        rank = 0
        for i in range(size):
            if i != gone:
                rank += binomials[subset[i], i + 1 if i < gone else i]
        least = min(least, values[rank])
    return least


@kernel
def _rank(subset, binomials):
    """Return the place of an ascending subset in colexicographic order."""
    rank = 0
    for i in range(subset.shape[0]):
        rank += binomials[subset[i], i + 1]
    return rank


@kernel
def _factor(row, at, own, form, n_factors, place, factors, squares):
    """Append the factor of a reference, and the squares that it leaves.

    Returns False for a reference that depends on the former ones.
    """
    pivot = squares[n_factors, place]
    if pivot <= squares[-1, 0]:
        return False
    slope = 1.0 - 2.0 * form[0] * own
    inv = 1.0 / math.sqrt(pivot)
    floor = squares[-2]
    new = factors[n_factors]
    for j in range(row.shape[0]):
        new[j] = 2.0 * (own - row[j] + slope * at[j])
    for level in range(n_factors):
        coefficient = factors[level, place]
        for j in range(row.shape[0]):
            new[j] -= coefficient * factors[level, j]
    for j in range(row.shape[0]):
        new[j] *= inv
        v = squares[n_factors, j] - new[j] * new[j]
        squares[n_factors + 1, j] = 0.0 if v < floor[j] else v
    return True


@kernel
def _leaves(table, at, places, subset, form, factors, squares, w, limit, auv):
    """Try every last element of a subset; return the best value below `limit`.

    `subset` holds all elements but the last; the best last one is written there.
    `auv` is (binomials, values of smaller subsets, values to fill).
    """
    binomials, values, store = auv
    k = subset.shape[0] - 1
    m = table.shape[0]
    best, winner = np.inf, -1
    factors = factors[: k - 1]
    s = np.empty((2, w.shape[0]))
    s[0] = squares[k - 1]
    s[1] = squares[-2]
    coefficients = np.empty(k - 1)
    buffers = np.empty((2, w.shape[0]))
    for c in range(subset[k - 1] + 1, m):
        place = places[c]
        pivot = s[0, place]
        if pivot <= squares[-1, 0]:
            continue
        subset[k] = c
        low = _least_parent(subset, binomials, values) if values.shape[0] > 0 else 0.0
        if low >= limit:
            continue
        for level in range(k - 1):
            coefficients[level] = -factors[level, place]
        value = low + _evaluate(
            table[c],
            at,
            at[place],
            form,
            factors,
            coefficients,
            s,
            1.0 / pivot,
            w,
            limit - low,
            buffers,
        )
        if store.shape[0] > 0:
            store[_rank(subset, binomials)] = value
        elif value < limit:
            best, winner = value, c
            limit = value * _TIE
    subset[k] = winner
    return best


@kernel
def _search_base(chords, columns, a, k, bound, w, form, auv, best):
    """Search the subsets whose least element is `a`; return the value of the best."""
    m, n = chords.shape
    at = chords[a]
    places = columns
    table = chords
    squares = np.zeros((k + 2, n))  # by level, then the floors and the bound
    for j in range(n):
        squares[0, j] = max(4.0 * at[j] * (1.0 - form[0] * at[j]), 0.0)
    if k > 1:  # far samples first, so that sums pass the limit early
        order = np.argsort(-squares[0] * w)
        at, w = at[order], w[order]
        squares[0] = squares[0][order]
        places = np.empty(n, np.intp)
        places[order] = np.arange(n)
        places = places[columns]
        table = np.empty((m, n))
        for c in range(a, m):
            for j in range(n):
                table[c, j] = chords[c, order[j]]
    squares[-2] = _ZERO * squares[0]
    squares[-1] = _DEPENDENT * squares[0].max()
    factors = np.empty((k - 1, n))
    subset = np.empty(k + 1, np.intp)
    subset[0] = a
    value, limit = np.inf, bound
    depth = 1
    if k > 1:
        subset[1] = a
    while depth > 0:
        if depth == k:
            found = _leaves(
                table, at, places, subset, form, factors, squares, w, limit, auv
            )
            if found < limit:
                value, limit = found, found * _TIE
                best[:] = subset
            depth -= 1
            continue
        subset[depth] += 1
        b = subset[depth]
        if b > m - 1 - (k - depth):
            depth -= 1
        elif _factor(
            table[b], at, at[places[b]], form, depth - 1, places[b], factors, squares
        ):
            depth += 1
            if depth < k:
                subset[depth] = b
    return value


@kernel(parallel=True)
def subsets(chords, columns, start, k, bound, w, form, auv, values, best):
    """Search the subsets of k + 1 candidates with least elements from `start` on.

    Parameters
    ----------
    chords : ndarray of shape (m, n)
        Half chords squared of candidates and samples.
    columns : ndarray of int of shape (m,)
        Sample number of each candidate.
    start : int
        First of the least elements, of which there are as many as `values`.
    k : int
        At least 1.
    bound : float
        Values from here on are not wanted.
    w, form
        As in `additions`.
    auv : tuple of ndarrays
        Binomials, and values of the subsets of k candidates that are added (the
        best of a subset's parents), or an empty array; and an array that receives
        the values of all subsets in colexicographic order, or an empty one.
    values : ndarray of shape (n_bases,)
        Receives the best value by least element, or inf.
    best : ndarray of int of shape (n_bases, k + 1)
        Receives the subsets.
    """
    for i in prange(values.shape[0]):
        values[i] = _search_base(
            chords, columns, start + np.intp(i), k, bound, w, form, auv, best[i]
        )
