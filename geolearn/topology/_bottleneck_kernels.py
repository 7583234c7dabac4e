"""Kernels of the exact bottleneck distance between small persistence diagrams.

Points left to the diagonal cost half their persistence, pairs of points the
maximum norm of their difference. At a cost t the points that the diagonal does not
take, those of half persistence above t, must find partners. By the theorem of
Mendelsohn and Dulmage it suffices that those of one diagram can all be matched,
and, separately, those of the other: the distance is the larger of two thresholds.

Each starts from a lower bound. Points are matched in turn by augmenting paths; where
one finds no partner, the threshold rises to the least value at which one of the
points tried on the way gets a further edge, or may be left to the diagonal.
"""

import numpy as np
from numba import types

from geolearn.utils._jit import POINTS, kernel

__all__ = ["PAIRS", "bottleneck_deaths", "bottleneck_pairs"]

PAIRS = types.float64(POINTS, POINTS)


@kernel(nogil=True)
def bottleneck_deaths(a, b):
    """Return the bottleneck distance of two diagrams whose births are all 0.

    Pairs matched in order, up to some prefix, are optimal: an exchange of partners
    that cross never helps.

    Parameters
    ----------
    a, b : ndarray of shape (n_a,), (n_b,)
        Finite deaths, decreasing.

    Returns
    -------
    float
        The distance.
    """
    n_both = min(a.size, b.size)
    matched, best = 0.0, np.inf
    for k in range(n_both):
        best = min(best, max(matched, 0.5 * max(a[k], b[k])))
        matched = max(matched, abs(a[k] - b[k]))
        if matched >= best:
            return best
    rest = 0.0
    if a.size > n_both:
        rest = 0.5 * a[n_both]
    elif b.size > n_both:
        rest = 0.5 * b[n_both]
    return min(best, max(matched, rest))


@kernel(nogil=True)
def _fill_costs(P, Q, costs, half_p, half_q):
    """Fill in all costs, row by row; return the largest of the points' least ones."""
    for i in range(P.shape[0]):
        half_p[i] = 0.5 * (P[i, 1] - P[i, 0])
    bound = 0.0
    for j in range(Q.shape[0]):
        half_q[j] = 0.5 * (Q[j, 1] - Q[j, 0])
        cheapest = half_q[j]
        for i in range(P.shape[0]):
            cost = max(abs(P[i, 0] - Q[j, 0]), abs(P[i, 1] - Q[j, 1]))
            cheapest = min(cheapest, cost)
            costs[i * Q.shape[0] + j] = cost
        bound = max(bound, cheapest)
    for i in range(P.shape[0]):
        cheapest = half_p[i]
        for j in range(Q.shape[0]):
            cheapest = min(cheapest, costs[i * Q.shape[0] + j])
        bound = max(bound, cheapest)
    return bound


@kernel(nogil=True)
def _augment(costs, strides, half, start, t, scratch):
    """Find a partner for one point, moving others; tell whether there is one.

    The path stands on an explicit stack: it may be as long as the diagram.
    """
    partner, reached, path, edge = scratch[0], scratch[1], scratch[2], scratch[3]
    down, right = strides
    n_others = costs.size // half.size
    for j in range(n_others):
        reached[j] = 0
    depth = 0
    path[0], edge[0] = start, 0
    while depth >= 0:
        i, j = path[depth], edge[depth]
        if j == n_others:
            depth -= 1
            continue
        edge[depth] = j + 1
        if costs[i * down + j * right] > t or reached[j]:
            continue
        reached[j] = 1
        holder = partner[j]
        if holder < 0 or half[holder] <= t:
            while depth >= 0:  # each point on the path takes the edge it tried last
                partner[edge[depth] - 1] = path[depth]
                depth -= 1
            return True
        depth += 1
        path[depth], edge[depth] = holder, 0
    return False


@kernel(nogil=True)
def _next_cost(costs, strides, half, i, reached, best):
    """Return the lesser of `best` and what gives point i a way out."""
    down, right = strides
    best = min(best, half[i])
    for j in range(costs.size // half.size):
        if not reached[j]:
            best = min(best, costs[i * down + j * right])
    return best


@kernel(nogil=True)
def _threshold(costs, strides, half, t, scratch):
    """Return the least cost from t at which all that must find partners do."""
    partner, reached = scratch[0], scratch[1]
    n_others = costs.size // half.size
    for j in range(n_others):
        partner[j] = -1
    for i in range(half.size):
        while half[i] > t and not _augment(costs, strides, half, i, t, scratch):
            higher = _next_cost(costs, strides, half, i, reached, np.inf)
            for j in range(n_others):
                if reached[j]:
                    holder = partner[j]
                    higher = _next_cost(costs, strides, half, holder, reached, higher)
            t = higher
    return t


@kernel(nogil=True)
def bottleneck_pairs(P, Q):
    """Return the bottleneck distance of two diagrams of finite points.

    Parameters
    ----------
    P, Q : ndarray of shape (n_p, 2), (n_q, 2)
        Births and deaths, deaths at least births.

    Returns
    -------
    float
        The distance.
    """
    n_p, n_q = P.shape[0], Q.shape[0]
    half_p, half_q = np.empty(n_p), np.empty(n_q)
    costs = np.empty(n_p * n_q)
    t = _fill_costs(P, Q, costs, half_p, half_q)
    if n_p and n_q:
        scratch = np.empty((4, max(n_p, n_q) + 1), dtype=np.int64)
        one = np.intp(1)
        t = _threshold(costs, (n_q, one), half_p, t, scratch)
        t = _threshold(costs, (one, n_q), half_q, t, scratch)
    return t
