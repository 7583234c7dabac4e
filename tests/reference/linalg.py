"""Slow factorisations of one matrix, written from their definitions."""

import numpy as np


def cholesky(A):
    """Return (L, status) by the recursion over columns; L is None where it fails."""
    n = len(A)
    bound = n * np.finfo(float).eps * np.diag(A).max()
    L = np.zeros((n, n))
    for j in range(n):
        pivot = A[j, j] - L[j, :j] @ L[j, :j]
        if not pivot > bound:
            return None, j + 1
        L[j, j] = np.sqrt(pivot)
        for i in range(j + 1, n):
            L[i, j] = (A[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
    return L, 0


def random_spd(rng, count, n, condition=10.0):
    """Return SPD matrices with eigenvalues from 1 to `condition`, log-uniform."""
    Q = np.linalg.qr(rng.standard_normal((count, n, n)))[0]
    values = condition ** rng.uniform(0.0, 1.0, (count, n))
    values[:, 0] = 1.0
    values[:, -1] = condition if n > 1 else 1.0
    A = (Q * values[:, None]) @ np.swapaxes(Q, 1, 2)
    return 0.5 * (A + np.swapaxes(A, 1, 2))
