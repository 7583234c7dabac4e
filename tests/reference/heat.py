"""Slow heat kernels and dissimilarities, written from the formulas."""

import mpmath as mp
import numpy as np


def affinity_of_example():
    """The alpha-decay affinity of (0, 1, 3, 6, 10, 15), k = 2, alpha = 2."""
    x = np.array([0.0, 1.0, 3.0, 6.0, 10.0, 15.0])
    bandwidths = np.array([3.0, 2.0, 3.0, 4.0, 5.0, 9.0])
    A = np.exp(-((np.abs(x[:, None] - x) / bandwidths[:, None]) ** 2))
    A[A < 1e-4] = 0.0
    K = (A + A.T) / 2
    K[K < 1e-4] = 0.0
    np.fill_diagonal(K, 0.0)
    return K


def dense_laplacian(W, normalization):
    d = W.sum(axis=1)
    if normalization == "combinatorial":
        return np.diag(d) - W
    return np.eye(len(d)) - W / np.sqrt(np.outer(d, d))


def exact_heat_columns(W, t, sources, *, digits=200):
    """Columns of exp(-t L) of the normalised Laplacian, by uniformisation.

    All terms of the Poisson series of the non-negative matrix
    Delta^-1/2 W Delta^-1/2 are summed in `digits`-digit arithmetic.
    """
    n = len(W)
    with mp.workdps(digits):
        degrees = [mp.fsum(mp.mpf(float(v)) for v in row if v) for row in W]
        neighbours = [
            [
                (j, mp.mpf(float(W[i, j])) / mp.sqrt(degrees[i] * degrees[j]))
                for j in np.flatnonzero(W[i])
            ]
            for i in range(n)
        ]
        t = mp.mpf(float(t))
        columns = []
        for source in sources:
            vector = [mp.mpf(int(i == source)) for i in range(n)]
            total = [mp.exp(-t) * v for v in vector]
            weight = mp.exp(-t)
            k = 0
            while True:
                k += 1
                vector = [
                    mp.fsum(m * vector[j] for j, m in neighbours[i]) for i in range(n)
                ]
                weight *= t / k
                terms = [weight * v for v in vector]
                total = [a + b for a, b in zip(total, terms, strict=True)]
                if k > n and all(
                    b <= mp.mpf(10) ** -25 * a
                    for a, b in zip(total, terms, strict=True)
                ):
                    break
            columns.append(total)
        return columns


def dense_dissimilarity(H, t, sigma=1.0, mean="arithmetic", floor=0.0, power=1.0):
    n = len(H)
    D = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            if mean == "arithmetic":
                volume = np.log((H[i, i] + H[j, j]) / 2 + floor)
            else:
                volume = (np.log(H[i, i] + floor) + np.log(H[j, j] + floor)) / 2
            squared = 4 * t * (sigma * volume - np.log(H[i, j] + floor))
            D[i, j] = max(squared, 0.0) ** (power / 2)
    return D


def dense_triplet(D):
    n = len(D)
    return np.array([[np.linalg.norm(D[i] - D[j]) for j in range(n)] for i in range(n)])
