"""Affinities of calibrated Brownian motion, row by row, and exact heat kernels."""

from itertools import pairwise

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import eval_legendre


def weights(beta, d, log_volume):
    """Return the normalised exp(-beta d^2 - log_volume / 2)."""
    exponent = -beta * (d**2 - d.min() ** 2) - 0.5 * log_volume
    w = np.exp(exponent - exponent.max())
    return w / w.sum()


def entropy(p):
    """Return the entropy in nats."""
    p = p[p > 0]
    return -np.sum(p * np.log(p))


def largest_root(d, log_volume, perplexity, *, n_grid=1500):
    """Return the largest beta with the perplexity, or None: scan a grid, then solve."""

    def excess(log_beta):
        return entropy(weights(np.exp(log_beta), d, log_volume)) - np.log(perplexity)

    unit = np.mean(d**2)
    grid = np.linspace(np.log(1e9 / unit), np.log(1e-9 / unit), n_grid)
    for high, low in pairwise(grid):
        if excess(low) >= 0 > excess(high):
            return np.exp(brentq(excess, low, high, xtol=1e-14, rtol=1e-14))
    return None


def conditional(D, perplexity, log_volume=None):
    """Return conditional affinities and times of all pairs."""
    n = len(D)
    P, time = np.zeros((n, n)), np.empty(n)
    for i in range(n):
        others = np.arange(n) != i
        a = np.zeros(n - 1) if log_volume is None else log_volume[i, others]
        beta = largest_root(D[i, others], a, perplexity)
        assert beta is not None
        P[i, others] = weights(beta, D[i, others], a)
        time[i] = 0.5 / beta
    return P, time


def heat_kernel_sphere(r, t):
    """Return the density on S^2 of Brownian motion of duration t, times 4 pi."""
    degrees = np.arange(200)
    factors = (2 * degrees + 1) * np.exp(-0.5 * t * degrees * (degrees + 1))
    return factors @ eval_legendre(degrees[:, None], np.cos(np.atleast_1d(r)))


def heat_kernel_plane(r, t):
    """Return the density on H^2 up to a factor that depends on t only."""

    def integrand(u, r):
        s = r + u * u  # the singularity at s = r is removed
        # cosh s - cosh r = 2 sinh((s + r) / 2) sinh((s - r) / 2)
        product = 2.0 * np.sinh(0.5 * (s + r)) * np.sinh(0.5 * u * u)
        ratio = u / np.sqrt(product) if u > 0 else 1.0 / np.sqrt(np.sinh(s))
        return 2.0 * s * np.exp(-s * s / (2.0 * t)) * ratio

    values = [quad(integrand, 1e-9, 6.0, args=(x,), limit=200)[0] for x in r]
    return np.array(values)
