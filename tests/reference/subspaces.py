"""Subspaces and frames by textbook formulas, in arithmetic of 60 digits.

The doubles that the library takes are exact numbers here; columns that are
orthonormal to rounding only are orthonormalised exactly first.
"""

import mpmath as mp
import numpy as np

DIGITS = 60


def matrix(a):
    return mp.matrix([[mp.mpf(float(value)) for value in row] for row in a])


def doubles(a):
    return np.array([[float(a[i, j]) for j in range(a.cols)] for i in range(a.rows)])


def orthonormal(a):
    """Return the polar factor of a matrix of full rank."""
    u, _, v = mp.svd_r(matrix(a), full_matrices=False)
    return u * v


def principal_angles(x, y):
    """Return the angles between the spans, ascending, as arccos of cosines."""
    with mp.workdps(DIGITS):
        cosines = mp.svd_r(orthonormal(x).T * orthonormal(y), compute_uv=False)
        return [mp.acos(min(c, mp.mpf(1))) for c in cosines]


def grassmann_dist(x, y):
    with mp.workdps(DIGITS):
        return mp.sqrt(mp.fsum(a**2 for a in principal_angles(x, y)))


def stiefel_exp(x, v, metric):
    """Return exp by the formulas of Edelman, Arias and Smith."""
    with mp.workdps(DIGITS):
        x = orthonormal(x)
        n, p = x.rows, x.cols
        v = matrix(v)
        along = x.T * v
        along = (along - along.T) / 2
        v = x * along + v - x * (x.T * v)
        identity = mp.eye(p)
        if metric == "euclidean":
            big = blocks(along, -v.T * v, identity, along)
            pair = join(x, v) * exponential(big)
            return doubles(pair[:, :p] * exponential(-along))
        across = v - x * along
        left = across * x.T - x * across.T + x * along * x.T
        assert left.rows == n
        return doubles(exponential(left) * x)


def exponential(a):
    """Return the matrix exponential by a scaled and squared series."""
    squarings = 30
    a = a / mp.mpf(2) ** squarings
    term = result = mp.eye(a.rows)
    for k in range(1, 9):
        term = term * a / k
        result = result + term
    for _ in range(squarings):
        result = result * result
    return result


def join(a, b):
    out = mp.zeros(a.rows, a.cols + b.cols)
    out[:, : a.cols], out[:, a.cols :] = a, b
    return out


def blocks(a, b, c, d):
    upper, lower = join(a, b), join(c, d)
    out = mp.zeros(upper.rows + lower.rows, upper.cols)
    out[: upper.rows, :], out[upper.rows :, :] = upper, lower
    return out
