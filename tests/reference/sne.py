"""Stochastic neighbour embedding from its definition, pair by pair in tables."""

import numpy as np
from scipy.special import logsumexp


def log_kernel(D, theta, kernel, scale, sign):
    """Return the log kernel of distances D, `theta` the log volume densities."""
    if kernel == "student":
        return -np.log1p(D**2 / scale)
    if kernel == "student_chordal":
        half = {0: D / 2.0, 1: np.sin(D / 2.0), -1: np.sinh(D / 2.0)}[sign]
        return -np.log1p(4.0 * half**2 / scale)
    if kernel == "brownian":
        return -(D**2) / (2.0 * scale) - theta / 2.0
    return (np.cos(D) - 1.0) / scale


def divergence(Y, P, manifold, kernel, scale, sign):
    """Return sum p log(p / q) over ordered pairs."""
    D = manifold.dist(Y[:, None], Y[None])
    off = ~np.eye(len(Y), dtype=bool)
    theta = np.zeros_like(D)
    theta[off] = manifold.log_volume_density(
        np.broadcast_to(Y[:, None], (len(Y), *Y.shape))[off],
        np.broadcast_to(Y[None], (len(Y), *Y.shape))[off],
    )
    log_q = log_kernel(D, theta, kernel, scale, sign)[off]
    log_q = log_q - logsumexp(log_q)
    p = P[off]
    return np.sum(p[p > 0.0] * (np.log(p[p > 0.0]) - log_q[p > 0.0]))


def gradient(Y, P, manifold, kernel, scale, sign, step=1e-5):
    """Return the gradient in orthonormal coordinates, by central differences."""
    result = np.empty((len(Y), manifold.dim))
    for i in range(len(Y)):
        for c in range(manifold.dim):
            values = []
            for h in (step, -step):
                moved = Y.copy()
                axis = manifold.vector_to_tangent(Y[i], h * np.eye(manifold.dim)[c])
                moved[i] = manifold.exp(Y[i], axis)
                values.append(divergence(moved, P, manifold, kernel, scale, sign))
            result[i, c] = (values[0] - values[1]) / (2.0 * step)
    return result


def scale_derivative(Y, P, manifold, kernel, scale, sign, step=1e-5):
    """Return the derivative in the logarithm of the scale, by central differences."""
    above = divergence(Y, P, manifold, kernel, scale * np.exp(step), sign)
    below = divergence(Y, P, manifold, kernel, scale * np.exp(-step), sign)
    return (above - below) / (2.0 * step)


def joint(n, rng, density=0.4):
    """Return random symmetric joint probabilities."""
    P = rng.random((n, n)) * (rng.random((n, n)) < density)
    P[np.arange(n), (np.arange(n) + 1) % n] += 0.1  # no empty row
    P = P + P.T
    np.fill_diagonal(P, 0.0)
    return P / P.sum()
