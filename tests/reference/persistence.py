"""Persistent homology by reduction of whole matrices; matchings one by one."""

import itertools

import numpy as np


def distances(X):
    return np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=-1))


def rips(D, max_degree, longest=np.inf):
    """Return sorted diagrams of degrees 0 to `max_degree`, zero lengths left out."""
    n = len(D)
    simplices = [
        (max((D[i, j] for i, j in itertools.combinations(s, 2)), default=0.0), s)
        for size in range(1, max_degree + 3)
        for s in itertools.combinations(range(n), size)
    ]
    simplices = sorted((t, len(s), s) for t, s in simplices if t <= longest)
    place = {s: k for k, (_, _, s) in enumerate(simplices)}
    owner, killed, diagrams = {}, set(), [[] for _ in range(max_degree + 1)]
    for k, (t, size, s) in enumerate(simplices):
        column = {place[s[:i] + s[i + 1 :]] for i in range(size)} if size > 1 else set()
        while column and max(column) in owner:
            column ^= owner[max(column)]
        if column:
            low = max(column)
            owner[low] = column
            killed |= {low, k}
            birth = simplices[low][0]
            if t > birth * (1 + 1e-12):
                diagrams[size - 2].append((birth, t))
    for k, (t, size, _) in enumerate(simplices):
        if k not in killed and size <= max_degree + 1:
            diagrams[size - 1].append((t, np.inf))
    return [np.array(sorted(diagram)).reshape(-1, 2) for diagram in diagrams]


def bottleneck(P, Q):
    """Return the least cost over all matchings of two finite diagrams."""
    if len(P) == 0:
        return max(((death - birth) / 2 for birth, death in Q), default=0.0)
    birth, death = P[0]
    best = max((death - birth) / 2, bottleneck(P[1:], Q))
    for j, (other_birth, other_death) in enumerate(Q):
        cost = max(abs(birth - other_birth), abs(death - other_death))
        if cost < best:
            rest = np.delete(Q, j, axis=0)
            best = min(best, max(cost, bottleneck(P[1:], rest)))
    return best
