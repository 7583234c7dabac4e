"""Slow multidimensional scaling, written from the formulas."""

import numpy as np


def distances(Y):
    return np.sqrt(((Y[:, None] - Y) ** 2).sum(axis=-1))


def stress(D, Y, W=None):
    """sum_{i<j} w_ij (|y_i - y_j| - D_ij)^2 by a loop over the pairs."""
    total = 0.0
    for i in range(len(D)):
        for j in range(i):
            w = 1.0 if W is None else W[i, j]
            total += w * (np.linalg.norm(Y[i] - Y[j]) - D[i, j]) ** 2
    return total


def stress_1(D, Y, W=None):
    W = np.ones_like(D) if W is None else W
    below = np.tril_indices(len(D), -1)
    return np.sqrt(stress(D, Y, W) / np.sum((W * D**2)[below]))


def classical(D, k):
    """Eigenpairs of -1/2 J D^2 J with the centring matrix written out."""
    n = len(D)
    J = np.eye(n) - np.ones((n, n)) / n
    values, vectors = np.linalg.eigh(-0.5 * J @ D**2 @ J)
    values, vectors = values[::-1][:k], vectors[:, ::-1][:, :k]
    return vectors * np.sqrt(np.maximum(values, 0.0)), values


def sgd_epoch(D, W, Y, order, offsets, rate):
    """One epoch of pair updates, one pair at a time, in the documented order."""
    Y = Y.copy()
    n = len(Y)
    seen = set()
    for s in offsets:
        for i in range(n):
            a, b = order[i], order[(i + s) % n]
            if frozenset((a, b)) in seen:  # half of the last offset for even n
                continue
            seen.add(frozenset((a, b)))
            delta = Y[a] - Y[b]
            r = np.linalg.norm(delta)
            if r == 0.0:
                continue
            mu = min(1.0, rate * (1.0 if W is None else W[a, b]))
            move = mu * (r - D[a, b]) / (2.0 * r) * delta
            Y[a] -= move
            Y[b] += move
    assert len(seen) == n * (n - 1) // 2
    return Y


def guttman(D, W, Y):
    """The exact minimum of the majorising quadratic, V^+ B(Y) Y."""
    n = len(D)
    W = np.ones((n, n)) if W is None else W
    W = W - np.diag(np.diag(W))
    V = np.diag(W.sum(axis=1)) - W
    d = distances(Y)
    ratio = W * np.divide(D, d, out=np.zeros((n, n)), where=d > 0)
    B = np.diag(ratio.sum(axis=1)) - ratio
    return np.linalg.pinv(V) @ B @ Y


def bound(D, W, Y, Z):
    """The majorising quadratic q(Z) at Y."""
    n = len(D)
    below = np.tril_indices(n, -1)
    W = W - np.diag(np.diag(W))
    V = np.diag(W.sum(axis=1)) - W
    d = distances(Y)
    ratio = W * np.divide(D, d, out=np.zeros((n, n)), where=d > 0)
    B = np.diag(ratio.sum(axis=1)) - ratio
    constant = np.sum((W * D**2)[below])
    return constant + np.trace(Z.T @ V @ Z) - 2.0 * np.trace(Z.T @ B @ Y)


def place(d, landmarks, w, y, n_iter):
    """Single-point majorisation of one point."""
    for _ in range(n_iter):
        r = np.linalg.norm(y - landmarks, axis=1)
        unit = np.where(r[:, None] > 0, (y - landmarks) / np.where(r, r, 1)[:, None], 0)
        y = (w[:, None] * (landmarks + d[:, None] * unit)).sum(axis=0) / w.sum()
    return y


def aligned(A, B):
    """A after the orthogonal map and shift that bring it nearest to B."""
    a, b = A - A.mean(axis=0), B - B.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    return a @ u @ vt + B.mean(axis=0)
