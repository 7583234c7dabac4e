"""Slow factorisations of one matrix, written from their definitions."""

import mpmath
import numpy as np


def cholesky(A):
    """Return (L, status) by the recursion over columns; L is None where it fails."""
    n = len(A)
    bounds = max(n, 128) * np.finfo(float).eps * np.diag(A)
    L = np.zeros((n, n))
    for j in range(n):
        pivot = A[j, j] - L[j, :j] @ L[j, :j]
        if not pivot > bounds[j]:
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


def log_eigenvalues(A, B, digits=60):
    """Return the logarithms of the eigenvalues of A^-1 B as numbers of many digits."""
    with mpmath.workdps(digits):
        a, b = mpmath.matrix(A.tolist()), mpmath.matrix(B.tolist())
        inverse = mpmath.cholesky(a) ** -1
        M = inverse * b * inverse.T
        values = mpmath.eigsy((M + M.T) / 2, eigvals_only=True)
        return [mpmath.log(value) for value in values]


def pencil_distances(A, B, digits=60):
    """Return {kind: distance} of many digits, by the textbook formulas."""
    mu = log_eigenvalues(A, B, digits)
    with mpmath.workdps(digits):
        return {
            "affine_invariant": mpmath.sqrt(sum(m * m for m in mu)),
            "stein": mpmath.sqrt(sum(mpmath.log(mpmath.cosh(m / 2)) for m in mu)),
            "thompson": max(abs(m) for m in mu),
            "kullback_leibler": sum(mpmath.exp(-m) - 1 + m for m in mu) / 2,
            "jeffreys": sum(mpmath.cosh(m) - 1 for m in mu),
        }


def bures_wasserstein(A, B, digits=60):
    """Return tr A + tr B - 2 tr (A^1/2 B A^1/2)^1/2, rooted, of many digits."""
    with mpmath.workdps(digits):
        a, b = mpmath.matrix(A.tolist()), mpmath.matrix(B.tolist())
        L = mpmath.cholesky(b)
        M = L.T * a * L
        squares = mpmath.eigsy((M + M.T) / 2, eigvals_only=True)
        trace = sum(a[i, i] + b[i, i] for i in range(len(A)))
        return mpmath.sqrt(trace - 2 * sum(mpmath.sqrt(s) for s in squares))
