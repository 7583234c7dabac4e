"""Searches for references by trying everything, from the definitions."""

from itertools import combinations, permutations

import numpy as np

from geolearn.manifolds import Euclidean, Hyperboloid, Sphere

EPS = np.finfo(float).eps


def tangents(manifold, X, base):
    """Return the vectors at a point whose lengths are sn of the distances."""
    v = manifold.log_vector(base, X)
    if isinstance(manifold, Euclidean):
        return v
    scale = manifold.radius if isinstance(manifold, Sphere) else 1.0
    if isinstance(manifold, Hyperboloid):
        scale = (-manifold.curvature) ** -0.5
    angle = np.linalg.norm(v, axis=1, keepdims=True) / scale
    sn = np.sin(angle) if isinstance(manifold, Sphere) else np.sinh(angle)
    return v / scale * np.divide(sn, angle, out=np.ones_like(sn), where=angle > 0.0)


def span_distances(manifold, X, indices):
    """Return the distances to the span of X[indices]; None if these are dependent."""
    first, *others = indices
    if not others:
        return manifold.dist(X[first], X)
    q = tangents(manifold, X, X[first])
    size = np.linalg.norm(q, axis=1)
    _, singular, basis = np.linalg.svd(q[others], full_matrices=False)
    if singular[-1] < 1e-6 * size.max():
        return None
    rest = np.linalg.norm(q - q @ basis.T @ basis, axis=1)
    rest[rest**2 < 64.0 * EPS * size**2] = 0.0
    rest[list(indices)] = 0.0
    if isinstance(manifold, Euclidean):
        return rest
    if isinstance(manifold, Sphere):
        return manifold.radius * np.arcsin(np.minimum(rest, 1.0))
    return np.arcsinh(rest) / np.sqrt(-manifold.curvature)


class Table:
    """The unexplained variances of all subsets, by sorted tuple of indices."""

    def __init__(self, manifold, X, weight, p):
        self.manifold, self.X, self.p = manifold, X, p
        self.weight = weight / np.sum(weight)
        self.usable = [int(i) for i in np.flatnonzero(self.weight > 0.0)]
        self.known = {}

    def __call__(self, indices):
        key = tuple(sorted(int(i) for i in indices))
        if key not in self.known:
            d = span_distances(self.manifold, self.X, key)
            self.known[key] = np.inf if d is None else float(self.weight @ d**self.p)
        return self.known[key]

    def nested(self, order):
        return np.array([self(order[: i + 1]) for i in range(len(order))])


def forward(table, k, first="mean"):
    order = [min(table.usable, key=lambda c: table([c]))]
    if first == "pair" and k > 0:
        order = sorted(pure(table, 1), key=lambda c: table([c]))
    while len(order) < k + 1:
        rest = [c for c in table.usable if c not in order]
        order.append(min(rest, key=lambda c: table([*order, c])))
    return order


def pure(table, k):
    return list(min(combinations(table.usable, k + 1), key=table))


def backward(table, k, start=None):
    left, order = list(pure(table, k) if start is None else start), []
    while len(left) > 1:
        gone = min(left, key=lambda c: table([i for i in left if i != c]))
        left.remove(gone)
        order.append(gone)
    return (left + order[::-1])[: k + 1]


def flag(table, k):
    lists = permutations(table.usable, k + 1)
    return list(min(lists, key=lambda order: table.nested(order).sum()))
