"""Slow hyperbolic embeddings, written from the formulas."""

import mpmath
import numpy as np
from scipy.linalg import expm


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
