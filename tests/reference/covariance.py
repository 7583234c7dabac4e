"""Covariance matrices of trials from their definitions, one product at a time."""

import numpy as np
from scipy.linalg import sqrtm


def embed(x, order, lag):
    """Return the rows x_c(t + i lag), i outer, c inner."""
    length = x.shape[1] - (order - 1) * lag
    return np.array(
        [row[i * lag : i * lag + length] for i in range(order) for row in x],
        dtype=np.float64,
    )


def sample_covariance(z, dropped=0):
    z = z - z.mean(axis=1, keepdims=True)
    return sum(np.outer(v, v) for v in z.T) / (z.shape[1] - dropped)


def ledoit_wolf(z):
    """Return the shrunk matrix and its weight, with all n^2 T' products."""
    n, length = z.shape
    z = z - z.mean(axis=1, keepdims=True)
    S = sample_covariance(z)
    mu = np.trace(S) / n
    delta = np.sum((S - mu * np.eye(n)) ** 2) / n
    beta = sum(np.sum((np.outer(v, v) - S) ** 2) for v in z.T) / (n * length**2)
    weight = min(beta, delta) / delta if delta > 0 else 0.0
    return (1 - weight) * S + weight * mu * np.eye(n), weight


def lagged(x, k):
    """Return the biased covariance of x(t + k) with x(t)."""
    x = x - x.mean(axis=1, keepdims=True)
    T = x.shape[1]
    return sum(np.outer(x[:, t + k], x[:, t]) for t in range(T - k)) / T


def block_toeplitz(blocks):
    """Return the matrix whose block (i, j) is blocks[i - j], transposed above."""
    p = len(blocks)
    rows = [
        [blocks[i - j] if i >= j else blocks[j - i].T for j in range(p)]
        for i in range(p)
    ]
    return np.block(rows)


def inverse_root(A):
    return np.linalg.inv(np.real(sqrtm(A)))


def reflections(R, d):
    """Return Gamma(0) and the reflection matrices by solving every normal system."""
    p = len(R) // d
    gamma = [R[k * d : (k + 1) * d, :d] for k in range(p)]
    omegas = []
    for step in range(p - 1):
        F = K = gamma[0]
        cross = gamma[step + 1].T
        if step:
            inner = np.linalg.inv(R[: step * d, : step * d])
            r = np.hstack([gamma[k].T for k in range(1, step + 1)])
            b = np.hstack([gamma[k] for k in range(step, 0, -1)])
            F = gamma[0] - r @ inner @ r.T
            K = gamma[0] - b @ inner @ b.T
            cross = cross - r @ inner @ b.T
        omegas.append(inverse_root(F) @ cross @ inverse_root(K))
    return gamma[0], omegas


def siegel_distance(x, y):
    """Return the norm of the inverse hyperbolic tangents after moving x to zero."""
    eye = np.eye(len(x))
    moved = (
        inverse_root(eye - x @ x.T)
        @ (y - x)
        @ np.linalg.inv(eye - x.T @ y)
        @ np.real(sqrtm(eye - x.T @ x))
    )
    return np.linalg.norm(np.arctanh(np.linalg.svd(moved, compute_uv=False)))


def block_toeplitz_distance(R, S, d):
    p = len(R) // d
    (gamma, omegas), (delta, psis) = reflections(R, d), reflections(S, d)
    logs = np.log(np.real(np.linalg.eigvals(np.linalg.solve(gamma, delta))))
    total = p * np.sum(logs**2)
    for k, (x, y) in enumerate(zip(omegas, psis, strict=True), start=1):
        total += (p - k) * siegel_distance(x, y) ** 2
    return np.sqrt(total)
