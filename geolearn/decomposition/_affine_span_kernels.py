"""Kernel of the affine-invariant metric: weighted Hessians from spectra."""

import math

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["weighted_hessians"]

_ROOT_TWO = math.sqrt(2.0)
_SMALL = 1e-4  # below it t coth(t) is its series


@kernel
def weighted_hessians(U, mu, weights, out):
    """Fill rows with logarithms and the weighted sum of Hessians beside them.

    U (n_rows, m, n, n) and mu (n_rows, m, n) are spectra of whitened logarithms of m
    points. Row r of out, of shape (dim, m + dim), gets the coordinates of the
    logarithms in m columns, then the sum of weights[r, i] times the Hessian of half
    the squared distance to point i.
    """
    n_rows, m, n = mu.shape
    dim = n * (n + 1) // 2
    w = np.empty(dim)
    for r in range(n_rows):
        out[r] = 0.0
        for i in range(m):
            for a in range(n):
                for b in range(a, n):
                    # The symmetric product of eigenvectors a and b, of unit length.
                    place = 0
                    for p in range(n):
                        for q in range(p, n):
                            left = U[r, i, p, a] * U[r, i, q, b]
                            right = U[r, i, q, a] * U[r, i, p, b]
                            value = 0.5 * (left + right)
                            if a != b:
                                value *= _ROOT_TWO
                            if p != q:
                                value *= _ROOT_TWO
                            w[place] = value
                            place += 1
                    if a == b:
                        for p in range(dim):
                            out[r, p, i] += mu[r, i, a] * w[p]
                    t = 0.5 * (mu[r, i, a] - mu[r, i, b])
                    factor = 1.0 + t * t / 3.0 if abs(t) < _SMALL else t / math.tanh(t)
                    factor *= weights[r, i]
                    for p in range(dim):
                        part = factor * w[p]
                        for q in range(p, dim):
                            out[r, p, m + q] += part * w[q]
        for p in range(dim):
            for q in range(p):
                out[r, p, m + q] = out[r, q, m + p]
