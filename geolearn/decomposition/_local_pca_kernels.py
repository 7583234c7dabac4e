"""Principal components of many small neighbourhoods, one query at a time."""

import math

import numpy as np
from numba import prange, types

from geolearn.decomposition._subbundle_eigen import EIGENPAIRS, eigenpairs
from geolearn.utils._jit import POINT, POINTS, TABLE, first_class, kernel

__all__ = ["local_components"]

_EPS = 2.0**-52
# Directions found through products of samples are lost below this share of the
# largest eigenvalue.
_GRAM_FLOOR = 1e-12


@kernel(fastmath={"reassoc", "contract"})
def _dot(x, y):
    total = 0.0
    for j in range(x.shape[0]):
        total += x[j] * y[j]
    return total


@kernel
def _weigh(X, q, rows, sigma, weights):
    """Fill normalised weights; return sigma, n_eff and the largest distance."""
    n, d = rows.shape[0], q.shape[0]
    nearest, farthest = math.inf, 0.0
    for j in range(n):
        square = 0.0
        for a in range(d):
            gap = X[rows[j], a] - q[a]
            square += gap * gap
        weights[j] = square
        nearest, farthest = min(nearest, square), max(farthest, square)
    extent = math.sqrt(farthest)
    if sigma < 0.0:
        sigma = -sigma * extent
    total, squares = 0.0, 0.0
    for j in range(n):
        w = 1.0
        if sigma > 0.0:
            w = math.exp(-0.5 * (weights[j] - nearest) / (sigma * sigma))
        weights[j] = w
        total += w
        squares += w * w
    for j in range(n):
        weights[j] /= total
    return sigma, total * total / squares, extent


@kernel
def _center(X, rows, weights, mean, Z):
    """Fill the mean and, as columns, the deviations times the roots of weights."""
    d, n = Z.shape
    first = rows[0]
    for a in range(d):
        # From a sample, so that a large offset does not round.
        center, total = X[first, a], 0.0
        for j in range(n):
            Z[a, j] = X[rows[j], a] - center
            total += weights[j] * Z[a, j]
        mean[a] = center + total
        for j in range(n):
            Z[a, j] -= total
    for j in range(n):
        weights[j] = math.sqrt(weights[j])
    for a in range(d):
        for j in range(n):
            Z[a, j] *= weights[j]


@kernel
def _products(Z, A):
    for a in range(Z.shape[0]):
        for b in range(a + 1):
            A[a, b] = A[b, a] = _dot(Z[a], Z[b])


@kernel
def _sign(row):
    """Make the entry of largest size positive."""
    best = 0
    for a in range(1, row.shape[0]):
        if abs(row[a]) > abs(row[best]):
            best = a
    if row[best] < 0.0:
        for a in range(row.shape[0]):
            row[a] = -row[a]


@kernel
def _orthonormalize(components, c):
    """Make row c a unit vector across the rows before it."""
    row = components[c]
    for b in range(c):
        along = _dot(row, components[b])
        for a in range(row.shape[0]):
            row[a] -= along * components[b, a]
    length = math.sqrt(_dot(row, row))
    for a in range(row.shape[0]):
        row[a] /= length


@kernel
def _spectrum(eigenpairs, Z, size, eigenvalues, components):
    """Fill the spectrum and leading components; those without spread stay 0."""
    d, n = Z.shape
    m = min(n, d)
    A, E, values = np.empty((m, m)), np.empty((m, m)), np.empty(m)
    Y = Z.T.copy() if d > n else Z
    _products(Y, A)
    eigenpairs(A, values, E)
    floor = max(d * _EPS, _GRAM_FLOOR if d > n else 0.0) * values[0]
    floor = max(floor, (4.0 * _EPS * size) ** 2)  # the rounding of coordinates
    for a in range(min(m, eigenvalues.shape[0])):
        eigenvalues[a] = values[a] if values[a] > floor else 0.0
    for c in range(min(m, components.shape[0])):
        if values[c] <= floor:
            break
        if d > n:
            for j in range(n):
                for a in range(d):
                    components[c, a] += E[j, c] * Y[j, a]
            _orthonormalize(components, c)
        else:
            for a in range(d):
                components[c, a] = E[a, c]
        _sign(components[c])


@kernel
def _one(eigenpairs, X, q, rows, sigma, mean, eigenvalues, components, scales):
    n, d = rows.shape[0], q.shape[0]
    weights, Z = np.empty(n), np.empty((d, n))
    scales[0], scales[1], scales[2] = _weigh(X, q, rows, sigma, weights)
    _center(X, rows, weights, mean, Z)
    size = 0.0
    for a in range(d):
        size = max(size, abs(mean[a]))
    _spectrum(eigenpairs, Z, size, eigenvalues, components)


@kernel(parallel=True)
def _local_components(
    one, eigenpairs, X, Q, rows, stops, sigma, mean, eigenvalues, components, scales
):
    """Fill what is known of each query; rows of queries without samples stay.

    ``rows[stops[i]:stops[i + 1]]`` are the neighbours of query i. `sigma` is 0 for
    uniform weights, or the bandwidth, or minus its share of the distance to the
    farthest neighbour. `scales` holds the bandwidth, the effective sample size and
    the distance to the farthest neighbour.
    """
    for i in prange(Q.shape[0]):
        near = rows[stops[i] : stops[i + 1]]
        if near.shape[0] > 0:
            one(
                eigenpairs, X, Q[i], near, sigma,
                mean[i], eigenvalues[i], components[i], scales[i],
            )  # fmt: skip


_LIST = types.Array(types.int64, 1, "C", readonly=True)
_ROW = types.float64[::1]
_SOLVER = types.FunctionType(EIGENPAIRS)
_ONE = types.void(_SOLVER, POINTS, POINT, _LIST, types.float64, _ROW, _ROW, TABLE, _ROW)
_SIGNATURE = (
    *(types.FunctionType(_ONE), _SOLVER, POINTS, POINTS, _LIST, _LIST, types.float64),
    *(TABLE, TABLE, types.float64[:, :, ::1], TABLE),
)


def local_components(X, *arguments):
    """Run the driver, compiled once for read-only and other arrays."""
    one, solver = first_class(_one, *_ONE.args), eigenpairs(X.shape[1])
    first_class(_local_components, *_SIGNATURE)(one, solver, X, *arguments)
