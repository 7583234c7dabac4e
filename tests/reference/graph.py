"""Slow, dense graph constructions written from the formulas."""

import itertools

import numpy as np
from scipy.optimize import brentq


def distances(X, Y=None):
    Y = X if Y is None else Y
    return np.array([[np.sqrt(((x - y) ** 2).sum()) for y in Y] for x in X])


def neighbors(D, k):
    """Return distances and indices of the k nearest others, ties by index."""
    n = D.shape[0]
    order = [sorted((D[i, j], j) for j in range(n) if j != i)[:k] for i in range(n)]
    return (
        np.array([[d for d, _ in row] for row in order]),
        np.array([[j for _, j in row] for row in order]),
    )


def decay(d, eps, alpha, theta):
    a = np.exp(-((d / eps) ** alpha))
    return a if a >= theta else 0.0


def alpha_decay(D, k, alpha=40.0, theta=1e-4, anisotropy=0.0):
    """Return W and the bandwidths for a matrix of distances."""
    n = D.shape[0]
    eps = neighbors(D, k)[0][:, -1]
    A = np.array(
        [[decay(D[i, j], eps[i], alpha, theta) for j in range(n)] for i in range(n)]
    )
    K = (A + A.T) / 2
    np.fill_diagonal(K, 1.0)
    q = K.sum(axis=1)
    K[theta > K] = 0.0
    W = K / np.outer(q, q) ** anisotropy
    np.fill_diagonal(W, 0.0)
    return W, eps


def alpha_decay_weights(D, eps, k, alpha=40.0, theta=1e-4):
    """Return pi for distances D of queries to training points."""
    pi = np.zeros_like(D)
    for x, row in enumerate(D):
        if (row == 0).any():
            pi[x] = row == 0
        else:
            eps_x = np.sort(row)[k - 1]
            for j, d in enumerate(row):
                w = decay(d, eps_x, alpha, theta) + decay(d, eps[j], alpha, theta)
                pi[x, j] = w / 2 if w / 2 >= theta else 0.0
        pi[x] /= pi[x].sum()
    return pi


def gaussian_knn(X, k):
    n, d = X.shape
    R = 0.5 * np.sqrt(((X.max(axis=0) - X.min(axis=0)) ** 2).sum())
    Z = (X - X.mean(axis=0)) * n ** (1 / min(d, 3)) / (10 * R)
    D = distances(Z)
    w = np.zeros((n, n))
    for i, row in enumerate(neighbors(D, k)[1]):
        for j in row:
            w[i, j] = np.exp(-(D[i, j] ** 2) / 0.1)
    return (w + w.T) / 2


def fuzzy(D, k):
    """Return UMAP's graph over k others; the rows must have no ties."""
    n = D.shape[0]
    P = np.zeros((n, n))
    for i, (d, near) in enumerate(zip(*neighbors(D, k), strict=True)):
        rho = d[d > 0].min()

        def surplus(log_sigma, d=d, rho=rho):
            p = np.exp(-np.maximum(0, d - rho) / np.exp(log_sigma))
            return p.sum() - np.log2(k + 1)

        # The scale of the root is that of the gaps: bracket 40 e-folds around it.
        centre = np.log((d - rho).mean())
        sigma = np.exp(brentq(surplus, centre - 20, centre + 20, xtol=1e-14))
        P[i, near] = np.exp(-np.maximum(0, d - rho) / sigma)
    return P + P.T - P * P.T


def laplacian(W, normalized):
    d = W.sum(axis=1)
    if not normalized:
        return np.diag(d) - W
    L = np.zeros_like(W)
    for i, j in itertools.product(range(d.size), repeat=2):
        if d[i] > 0 and d[j] > 0:
            L[i, j] = (i == j) - W[i, j] / np.sqrt(d[i] * d[j])
    return L


def bridges(D, labels):
    """Return the edges of Kruskal's spanning forest over the components."""
    labels, edges = np.array(labels), []
    pairs = [(D[i, j], i, j) for i, j in itertools.combinations(range(len(labels)), 2)]
    for _, i, j in sorted(pairs):
        if labels[i] != labels[j]:
            edges.append((i, j))
            labels[labels == labels[j]] = labels[i]
    return sorted(edges)


def hyperboloid(V):
    """Lift rows to the unit hyperboloid, time coordinate first."""
    return np.column_stack([np.sqrt(1 + (V**2).sum(axis=1)), V])
