"""Slow, plain versions of the generators, point by point from the definitions."""

import heapq
import math

import numpy as np


def householder_rotation(dim, rng):
    """Product of mirrors; each takes a random direction to a coordinate axis."""
    product = np.eye(dim)
    signs = []
    for k in range(dim - 1):
        x = rng.normal(size=dim - k)
        sign = math.copysign(1.0, x[0])
        axis = np.zeros(dim - k)
        axis[0] = 1.0
        normal = x + sign * math.sqrt(float(np.sum(x**2))) * axis
        normal /= math.sqrt(float(np.sum(normal**2)))
        mirror = np.eye(dim)
        mirror[k:, k:] -= 2.0 * np.outer(normal, normal)
        product = product @ mirror
        signs.append(sign)
    product = np.diag([*signs, 1.0]) @ product
    if np.linalg.det(product) < 0:
        product[-1] *= -1.0
    return product


def roll(seed, n, noise, width, dim, clustered=False, rotate=False):
    """Return the points, the roll parameters and the heights."""
    rng = np.random.RandomState(seed)
    if clustered:
        first = rng.normal(size=n // 2)
        second = rng.normal(size=n - n // 2)
        s = [7 + z for z in first] + [12 + z for z in second]
    else:
        s = [3 * math.pi / 2 * (1 + 2 * u) for u in rng.rand(1, n)[0]]
    h = [width * u for u in rng.rand(1, n)[0]]
    X = np.zeros((n, dim))
    turn = householder_rotation(dim, rng) if rotate else np.eye(dim)
    for i in range(n):
        point = (s[i] * math.cos(s[i]), h[i], s[i] * math.sin(s[i]))
        for axis in range(3):
            X[i] += point[axis] * turn[axis]
    return X + noise * rng.randn(n, dim), np.array(s), np.array(h)


def tree(seed, n_branches, n_per_branch, dim, noise):
    """Return the noisy points, the clean points and the parents."""
    rng = np.random.RandomState(seed)
    clean, parent = [], []
    for branch in range(n_branches):
        root = rng.randint(n_per_branch) if branch else None
        steps = -1 + 2 * rng.rand(n_per_branch, dim)
        offset = np.zeros(dim) if root is None else clean[root]
        walked = np.zeros(dim)
        for j in range(n_per_branch):
            parent.append(len(clean) - 1 if j else (-1 if root is None else root))
            walked = walked + steps[j]
            clean.append(walked + offset)
    clean = np.array(clean)
    rng.normal(0, 0, clean.shape)
    return clean + rng.normal(0, 10 * noise, clean.shape), clean, np.array(parent)


def union_graph_distances(points, k):
    """Shortest paths from every point, by Dijkstra's method on lists."""
    n = len(points)
    D = np.array([[math.dist(p, q) for q in points] for p in points])
    edges = [set() for _ in range(n)]
    for i in range(n):
        others = sorted((D[i, j], j) for j in range(n) if j != i)
        for _, j in others[:k]:
            edges[i].add(j)
            edges[j].add(i)
    return np.array([_from_source(i, edges, D) for i in range(n)])


def _from_source(source, edges, D):
    best = np.full(len(edges), np.inf)
    best[source] = 0.0
    queue = [(0.0, source)]
    while queue:
        length, i = heapq.heappop(queue)
        if length > best[i]:
            continue
        for j in edges[i]:
            if length + D[i, j] < best[j]:
                best[j] = length + D[i, j]
                heapq.heappush(queue, (best[j], j))
    return best
