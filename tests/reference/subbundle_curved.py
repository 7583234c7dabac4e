"""Principal subbundles on known manifolds, slow and from the formulas."""

import numpy as np


def local_moments(manifold, X, weights, p, sigma, taper=None):
    """Return logarithms, weights, pulls and moments in tangent coordinates at p."""
    L = manifold.log_vector(p, X)
    r2 = np.sum(L**2, axis=1)
    w = weights * np.exp(-0.5 * (r2 - r2.min()) / sigma**2)
    psi = np.full(len(X), 1.0 / sigma**2)
    if taper is not None:
        c2 = (taper * sigma) ** 2
        w = w * np.maximum(1.0 - r2 / c2, 0.0) ** 3
        psi = psi + 6.0 / np.where(r2 < c2, c2 - r2, np.inf)
    w = w / w.sum()
    m = w @ L
    S = (L - m).T @ (w[:, None] * (L - m))
    return L, w, psi, m, S


def slope(manifold, X, weights, p, eta, k, sigma, taper=None):
    """Return H, velocity and covariant force in tangent coordinates at p."""
    L, w, psi, m, S = local_moments(manifold, X, weights, p, sigma, taper)
    lam, E = np.linalg.eigh(S)
    lam, E = lam[::-1], E[:, ::-1]
    alpha = E.T @ manifold.tangent_to_vector(p, eta)
    u = psi[:, None] * L
    u = u - w @ u
    gradient = np.zeros(len(m))
    for i in range(len(X)):
        z, q, y = L[i] - m, 0.0, np.zeros(len(m))
        for a in range(k):
            g = E[:, k:] @ (alpha[k:] / (lam[a] - lam[k:]))
            q += alpha[a] * (E[:, a] @ z) * (g @ z)
            y += alpha[a] * ((g @ z) * E[:, a] + (E[:, a] @ z) * g)
        gradient += w[i] * (q * u[i] - manifold.hess_half_sqdist(p, X[i]) @ y)
    velocity = E[:, :k] @ alpha[:k]
    return 0.5 * alpha[:k] @ alpha[:k], velocity, -gradient
