"""Slow translations of SPD matrices, one matrix at a time, from the definitions."""

import numpy as np
from scipy.linalg import expm, logm, solve_continuous_lyapunov, sqrtm


def function(f, A):
    """f of a symmetric matrix by its eigenvalues."""
    values, V = np.linalg.eigh(A)
    return V * f(values) @ V.T


def power(A, t):
    return function(lambda a: a**t, A)


def affine_mean(X, weight=None, *, n_iter=100):
    """The Karcher flow with step 1, for concentrated matrices."""
    weight = np.full(len(X), 1.0 / len(X)) if weight is None else weight / weight.sum()
    M = sum(w * A for w, A in zip(weight, X, strict=True))
    for _ in range(n_iter):
        R, W = power(M, 0.5), power(M, -0.5)
        G = sum(w * function(np.log, W @ A @ W) for w, A in zip(weight, X, strict=True))
        M = R @ function(np.exp, G) @ R
    return 0.5 * (M + M.T)


def cholesky_chart(A):
    """Strict lower triangle and logarithms of the diagonal of the factor."""
    L = np.linalg.cholesky(A)
    return np.tril(L, -1) + np.diag(np.log(np.diag(L)))


def from_cholesky_chart(C):
    L = np.tril(C, -1) + np.diag(np.exp(np.diag(C)))
    return L @ L.T


def normalise_affine(X, M, B, factor):
    """Group translation to the identity, power, group translation to B."""
    L = np.linalg.inv(np.linalg.cholesky(M))
    F = np.linalg.cholesky(B)
    return np.array([F @ power(L @ A @ L.T, factor) @ F.T for A in X])


def normalise_affine_symmetric(X, M, B, factor):
    W, F = np.linalg.inv(np.real(sqrtm(M))), np.real(sqrtm(B))
    return np.array([F @ power(W @ A @ W, factor) @ F for A in X])


def normalise_log_euclidean(X, M, B, factor):
    return np.array([expm(factor * (logm(A) - logm(M)).real + logm(B).real) for A in X])


def normalise_log_cholesky(X, M, B, factor):
    C, D = cholesky_chart(M), cholesky_chart(B)
    return np.array(
        [from_cholesky_chart(factor * (cholesky_chart(A) - C) + D) for A in X]
    )


def bures_log(P, A):
    """Logarithm by the optimal map."""
    R = np.real(sqrtm(P))
    W = np.linalg.inv(R)
    T = W @ np.real(sqrtm(R @ A @ R)) @ W
    return (T - np.eye(len(P))) @ P + P @ (T - np.eye(len(P)))


def bures_exp(P, S):
    """Exponential, and the smallest eigenvalue of I + L with L P + P L = S."""
    L = solve_continuous_lyapunov(P, S)
    E = np.eye(len(P)) + L
    return E @ P @ E, np.linalg.eigvalsh(0.5 * (E + E.T))[0]


def bures_carry(P, Q, S, *, n_steps=2000):
    """Parallel transport from P to Q, which commute, by small steps.

    On each step of the geodesic the vector is lifted to the square root of the base
    point, S = Y R + R Y^T with R P^{-1/2} horizontal, and projected again.
    """
    for t in np.arange(n_steps) / n_steps:
        here, there = _commuting(P, Q, t), _commuting(P, Q, t + 1.0 / n_steps)
        R, R_next = np.real(sqrtm(here)), np.real(sqrtm(there))
        lift = solve_continuous_lyapunov(here, S) @ R  # tangent to F at F = R
        # the projection of the constant lift on the horizontal space K R_next
        S = lift @ R_next.T + R_next @ lift.T
    return S


def _commuting(P, Q, t):
    R = (1.0 - t) * np.real(sqrtm(P)) + t * np.real(sqrtm(Q))
    return R @ R


def normalise_bures(X, M, B, factor):
    """By way of the identity, with the closed transports of the specification."""
    m, V = np.linalg.eigh(M)
    b, U = np.linalg.eigh(B)
    out, margins = [], []
    for A in X:
        S = V.T @ bures_log(M, A) @ V * np.sqrt(2.0 / (m[:, None] + m))
        S = factor * V @ S @ V.T
        S = U @ (U.T @ S @ U * np.sqrt((b[:, None] + b) / 2.0)) @ U.T
        moved, margin = bures_exp(B, S)
        out.append(moved)
        margins.append(margin)
    return np.array(out), np.array(margins)
