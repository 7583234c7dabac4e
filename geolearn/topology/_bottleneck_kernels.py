"""Kernels of the exact bottleneck distance between small persistence diagrams.

Points left to the diagonal cost half their persistence, pairs of points the
maximum norm of their difference. At a cost t the points that the diagonal does not
take, those of half persistence above t, must find partners. By the theorem of
Mendelsohn and Dulmage it suffices that those of one diagram can all be matched,
and, separately, those of the other: two small searches of augmenting paths.
"""

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["bottleneck_deaths", "bottleneck_pairs"]


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
def _half_persistence(P):
    """Return what it costs to leave each point to the diagonal."""
    out = np.empty(P.shape[0])
    for i in range(P.shape[0]):
        out[i] = 0.5 * (P[i, 1] - P[i, 0])
    return out


@kernel(nogil=True)
def _augment(costs, transposed, start, t, partner, reached, path, edge):
    """Find a partner for one point, moving others; tell whether there is one.

    The path stands on an explicit stack: it may be as long as the diagram.
    """
    depth = 0
    path[0], edge[0] = start, 0
    while depth >= 0:
        i, j = path[depth], edge[depth]
        if j == partner.size:
            depth -= 1
            continue
        edge[depth] += 1
        cost = costs[j, i] if transposed else costs[i, j]
        if cost > t or reached[j]:
            continue
        reached[j] = True
        if partner[j] < 0:
            while depth >= 0:  # each point on the path takes the edge it tried last
                partner[edge[depth] - 1] = path[depth]
                depth -= 1
            return True
        depth += 1
        path[depth], edge[depth] = partner[j], 0
    return False


@kernel(nogil=True)
def _all_matched(costs, transposed, half, t):
    """Tell whether all points that the diagonal does not take find partners."""
    n_other = costs.shape[0] if transposed else costs.shape[1]
    partner = np.full(n_other, -1)
    reached = np.empty(n_other, dtype=np.bool_)
    path = np.empty(n_other + 1, dtype=np.int64)
    edge = np.empty(n_other + 1, dtype=np.int64)
    for i in range(half.size):
        if half[i] > t:
            reached[:] = False
            if not _augment(costs, transposed, i, t, partner, reached, path, edge):
                return False
    return True


@kernel(nogil=True)
def _feasible(costs, half_p, half_q, t):
    """Tell whether some matching costs at most t."""
    return _all_matched(costs, False, half_p, t) and _all_matched(
        costs, True, half_q, t
    )


@kernel(nogil=True)
def _lower_bound(costs, half_p, half_q):
    """Return what the cheapest choice of each point by itself costs at most."""
    bound = 0.0
    for i in range(half_p.size):
        cheapest = half_p[i]
        for j in range(half_q.size):
            cheapest = min(cheapest, costs[i, j])
        bound = max(bound, cheapest)
    for j in range(half_q.size):
        cheapest = half_q[j]
        for i in range(half_p.size):
            cheapest = min(cheapest, costs[i, j])
        bound = max(bound, cheapest)
    return bound


@kernel(nogil=True)
def _candidates(costs, half_p, half_q, low, high):
    """Return the costs above `low` and at most `high`, sorted."""
    out = np.empty(costs.size + half_p.size + half_q.size)
    size = 0
    for i in range(half_p.size):
        for j in range(half_q.size):
            if low < costs[i, j] <= high:
                out[size] = costs[i, j]
                size += 1
    for half in (half_p, half_q):
        for k in range(half.size):
            if low < half[k] <= high:
                out[size] = half[k]
                size += 1
    out = out[:size]
    out.sort()
    return out


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
    half_p, half_q = _half_persistence(P), _half_persistence(Q)
    high = 0.0
    for half in (half_p, half_q):
        for k in range(half.size):
            high = max(high, half[k])
    if not half_p.size or not half_q.size:
        return high
    costs = np.empty((P.shape[0], Q.shape[0]))
    for i in range(P.shape[0]):
        for j in range(Q.shape[0]):
            costs[i, j] = max(abs(P[i, 0] - Q[j, 0]), abs(P[i, 1] - Q[j, 1]))
    low = _lower_bound(costs, half_p, half_q)
    if low == high or _feasible(costs, half_p, half_q, low):
        return low
    values = _candidates(costs, half_p, half_q, low, high)
    first, last = 0, values.size - 1  # the largest half persistence is feasible
    while first < last:
        middle = (first + last) // 2
        if _feasible(costs, half_p, half_q, values[middle]):
            last = middle
        else:
            first = middle + 1
    return values[first]
