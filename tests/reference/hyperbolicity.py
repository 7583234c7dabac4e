"""Distortion, hyperbolicity and curvature by loops over their definitions."""

import itertools

import numpy as np


def cycle(n):
    """Distances of a cycle of n nodes with edges of length one."""
    steps = np.abs(np.arange(n)[:, None] - np.arange(n))
    return np.minimum(steps, n - steps).astype(float)


def random_tree(n, rng):
    """Distances of a random tree with random edge lengths, and its adjacency."""
    D = np.zeros((n, n))
    A = np.zeros((n, n))
    for i in range(1, n):
        parent = rng.integers(i)
        length = rng.uniform(0.5, 2.0)
        D[i, :i] = D[parent, :i] + length
        D[:i, i] = D[i, :i]
        A[i, parent] = A[parent, i] = length
    return D, A


def delta_at(D, p):
    """Hyperbolicity at one base point."""
    n = len(D)

    def product(x, y):
        return (D[x, p] + D[y, p] - D[x, y]) / 2

    return max(
        min(product(x, y), product(y, z)) - product(x, z)
        for x, y, z in itertools.product(range(n), repeat=3)
    )


def four_point_delta(D):
    """Half the difference of the two largest of three sums, at most."""
    worst = 0.0
    for x, y, z, w in itertools.combinations(range(len(D)), 4):
        sums = sorted([D[x, y] + D[z, w], D[x, z] + D[y, w], D[x, w] + D[y, z]])
        worst = max(worst, (sums[2] - sums[1]) / 2)
    return worst


def xi(D, m, b, c, a):
    """The triangle statistic of Gu et al."""
    law = D[a, m] ** 2 + D[b, c] ** 2 / 4 - (D[a, b] ** 2 + D[a, c] ** 2) / 2
    return law / (2 * D[a, m])


def curvature_values(D, A):
    """Triples (m, b, c) in order, and the mean of xi over all a but m."""
    n = len(D)
    triples, values = [], []
    for m in range(n):
        for b, c in itertools.combinations(np.flatnonzero(A[m]), 2):
            triples.append((m, b, c))
            values.append(np.mean([xi(D, m, b, c, a) for a in range(n) if a != m]))
    return np.array(values), np.array(triples)


def distortions(D, G, ignore_zero=False):
    """Average and worst-case distortion."""
    pairs = [
        (D[i, j], G[i, j])
        for i, j in itertools.combinations(range(len(D)), 2)
        if not (ignore_zero and D[i, j] == 0)
    ]
    average = np.mean([abs(d - g) / g for d, g in pairs])
    contraction = max(g / d if d > 0 else np.inf for d, g in pairs)
    return average, max(d / g for d, g in pairs) * contraction


def mean_average_precision(D, A):
    """The definition by balls around each node."""
    scores = []
    for a in range(len(D)):
        neighbors = set(np.flatnonzero(A[a])) - {a}
        if not neighbors:
            continue
        precisions = []
        for b in neighbors:
            ball = set(np.flatnonzero(D[a] <= D[a, b])) - {a}
            precisions.append(len(ball & neighbors) / len(ball))
        scores.append(np.mean(precisions))
    return np.mean(scores)
