"""Slow hyperbolic embeddings, written from the formulas."""

import mpmath
import numpy as np
from scipy.linalg import expm
from scipy.sparse.csgraph import shortest_path

# Friendships in a karate club: W. W. Zachary, "An information flow model for conflict
# and fission in small groups", Journal of Anthropological Research 33, 1977,
# doi:10.1086/jar.33.4.3629752. Later friends of each of 34 members, counted from 0.
KARATE = {
    0: (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31),
    1: (2, 3, 7, 13, 17, 19, 21, 30),
    2: (3, 7, 8, 9, 13, 27, 28, 32),
    3: (7, 12, 13),
    4: (6, 10),
    5: (6, 10, 16),
    6: (16,),
    8: (30, 32, 33),
    9: (33,),
    13: (33,),
    14: (32, 33),
    15: (32, 33),
    18: (32, 33),
    19: (33,),
    20: (32, 33),
    22: (32, 33),
    23: (25, 27, 29, 32, 33),
    24: (25, 27, 31),
    25: (31,),
    26: (29, 33),
    27: (33,),
    28: (31, 33),
    29: (32, 33),
    30: (32, 33),
    31: (32, 33),
    32: (33,),
}


def karate_club():
    """Adjacency of the karate club, and its path lengths."""
    A = np.zeros((34, 34))
    for i, friends in KARATE.items():
        A[i, list(friends)] = A[list(friends), i] = 1.0
    return A, shortest_path(A, unweighted=True)


def cycle(n):
    """Path lengths of a cycle."""
    steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return np.minimum(steps, n - steps).astype(float)


def star(m):
    """Distances of a star, the centre first."""
    D = np.full((m + 1, m + 1), 2.0)
    D[0], D[:, 0] = 1.0, 1.0
    np.fill_diagonal(D, 0.0)
    return D


def balanced_tree(branching, height):
    """Adjacency of a balanced tree, from parents to children."""
    edges, level, n = [], [0], 1
    for _ in range(height):
        below = []
        for v in level:
            for _ in range(branching):
                edges.append((v, n))
                below.append(n)
                n += 1
        level = below
    A = np.zeros((n, n))
    A[tuple(np.array(edges).T)] = 1.0
    return A


def h_mds(D, n_components):
    """All eigenpairs of -cosh(D), the largest positive ones kept."""
    values, vectors = np.linalg.eigh(-np.cosh(D))
    keep = np.argsort(-values)[:n_components]
    space = vectors[:, keep] * np.sqrt(values[keep])
    return space, values[keep]


def sarkar_distances(A, tau, digits):
    """Distances of Sarkar's layout in the disk, in many digits; node 0 is the root."""
    with mpmath.workdps(digits):
        n = len(A)
        z = [mpmath.mpc(0)] * n
        up = [None] * n  # direction towards the parent, in the frame of the node
        for v in range(n):  # parents have smaller numbers
            children = np.flatnonzero(A[v])
            c = len(children)
            for k, child in enumerate(children):
                if up[v] is None:
                    angle = 2 * mpmath.pi * k / c
                else:
                    angle = up[v] + 2 * mpmath.pi * (k + 1) / (c + 1)
                w = mpmath.tanh(tau * A[v, child] / 2) * mpmath.expj(angle)
                z[child] = (w + z[v]) / (1 + mpmath.conj(z[v]) * w)
                a = z[child]
                up[child] = mpmath.arg((z[v] - a) / (1 - mpmath.conj(a) * z[v]))
        D = np.zeros((n, n))
        for i in range(n):
            for j in range(i):
                gap = abs((z[i] - z[j]) / (1 - mpmath.conj(z[i]) * z[j]))
                D[i, j] = D[j, i] = float(2 * mpmath.atanh(gap))
    return D


def diffusion_distance(A, n_scales, alpha):
    """Hyperbolic diffusion distances of a graph by matrix exponentials."""
    L = np.diag(A.sum(axis=1)) - A
    total = np.zeros_like(L)
    for k in range(n_scales):
        psi = np.sqrt(np.maximum(expm(-L * 2.0**-k), 0.0))
        gap = np.linalg.norm(psi[:, None] - psi, axis=-1)
        total += 2.0 * np.arcsinh(2.0 ** (1 - k * alpha) * gap)
    return total


def diffusion_distance_of_samples(D, epsilon, n_scales, alpha, digits=60):
    """Hyperbolic diffusion distances of samples, their roots in many digits."""
    n = len(D)
    with mpmath.workdps(digits):
        W = mpmath.matrix(n, n)
        for i in range(n):
            for j in range(n):
                W[i, j] = mpmath.exp(-(mpmath.mpf(float(D[i, j])) ** 2) / epsilon)
        row = [mpmath.fsum(W[i, j] for j in range(n)) for i in range(n)]
        for i in range(n):
            for j in range(n):
                W[i, j] /= row[i] * row[j]
        root = [mpmath.sqrt(mpmath.fsum(W[i, j] for j in range(n))) for i in range(n)]
        for i in range(n):
            for j in range(n):
                W[i, j] /= root[i] * root[j]
        values, vectors = mpmath.eigsy(W)
        total = np.zeros((n, n))
        for k in range(n_scales):
            powers = [mpmath.mpf(max(v, 0)) ** (mpmath.mpf(2) ** -k) for v in values]
            P = vectors * mpmath.diag(powers) * vectors.T
            psi = np.array(
                [
                    [
                        float(mpmath.sqrt(max(P[i, j] * root[j] / root[i], 0)))
                        for j in range(n)
                    ]
                    for i in range(n)
                ]
            )
            gap = np.linalg.norm(psi[:, None] - psi, axis=-1)
            total += 2.0 * np.arcsinh(2.0 ** (1 - k * alpha) * gap)
    return total
