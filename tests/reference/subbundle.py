"""Principal subbundles in plain NumPy, one point at a time."""

import numpy as np


def kernel_weights(X, p, sigma, kernel="gaussian", support=4.0, sample_weight=None):
    """Return the normalised weights and u_i = psi_i (x_i - p)."""
    r2 = ((X - p) ** 2).sum(axis=1)
    K = np.exp(-(r2 - r2.min()) / (2 * sigma**2))
    psi = np.full(len(X), 1 / sigma**2)
    if kernel == "tapered":
        inside = r2 < (support * sigma) ** 2
        K = np.where(inside, K * (1 - r2 / (support * sigma) ** 2) ** 3, 0.0)
        psi[inside] += 6 / ((support * sigma) ** 2 - r2[inside])
    if sample_weight is not None:
        K = K * sample_weight
    return K / K.sum(), psi[:, None] * (X - p)


def local_pca(X, p, sigma, **options):
    """Return mean, eigenvalues (decreasing), eigenvectors, n_eff."""
    w, _ = kernel_weights(X, p, sigma, **options)
    mean = w @ X
    Z = X - mean
    eigenvalues, E = np.linalg.eigh((Z.T * w) @ Z)
    return mean, eigenvalues[::-1], E[:, ::-1], 1 / (w**2).sum()


def hamiltonian(X, p, eta, sigma, k, **options):
    """Return H, velocity and force of the principal subbundle of rank k."""
    w, u = kernel_weights(X, p, sigma, **options)
    mean, eigenvalues, E, _ = local_pca(X, p, sigma, **options)
    Z = X - mean
    velocity = E[:, :k] @ (E[:, :k].T @ eta)
    q = np.zeros(len(X))
    for a in range(k):
        g = np.zeros(len(p))
        for b in range(k, len(p)):
            g += (E[:, b] @ eta) / (eigenvalues[a] - eigenvalues[b]) * E[:, b]
        q += (E[:, a] @ eta) * (Z @ E[:, a]) * (Z @ g)
    force = -(w * q) @ (u - w @ u)
    return 0.5 * velocity @ velocity, velocity, force


def exponential(X, p, eta, sigma, k, n_steps, **options):
    """Return position and momentum at time 1 by classical Runge-Kutta steps."""
    h = 1.0 / n_steps
    state = np.concatenate([p, eta])
    d = len(p)

    def slope(s):
        _, velocity, force = hamiltonian(X, s[:d], s[d:], sigma, k, **options)
        return np.concatenate([velocity, force])

    for _ in range(n_steps):
        a = slope(state)
        b = slope(state + h / 2 * a)
        c = slope(state + h / 2 * b)
        e = slope(state + h * c)
        state = state + h / 6 * (a + 2 * b + 2 * c + e)
    return state[:d], state[d:]


def fibonacci_sphere(n):
    """Return n points spread evenly on the unit sphere."""
    i = np.arange(n)
    z = 1 - 2 * (i + 0.5) / n
    angle = np.pi * (1 + np.sqrt(5)) * (i + 0.5)
    r = np.sqrt(1 - z**2)
    return np.column_stack([r * np.cos(angle), r * np.sin(angle), z])
