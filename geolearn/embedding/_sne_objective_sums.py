"""Attraction and repulsion of all points: compiled, by a tree, or by any manifold."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from geolearn.embedding import _sne_kernels as kernels
from geolearn.embedding._sne_tree import tree_repulsion
from geolearn.manifolds import Euclidean, Hyperboloid, Sphere
from geolearn.utils._threads import numba_threads

# Kernel codes by the sign of the curvature.
CODES = {
    0: {
        "student": kernels.INVERSE,
        "student_chordal": kernels.INVERSE,
        "brownian": kernels.GAUSS,
    },
    1: {
        "student": kernels.ARC_STUDENT,
        "student_chordal": kernels.INVERSE,
        "brownian": kernels.ARC_BROWNIAN,
        "vmf": kernels.GAUSS,
    },
    -1: {
        "student": kernels.SINH_STUDENT,
        "student_chordal": kernels.SINH_INVERSE,
        "brownian": kernels.SINH_BROWNIAN,
    },
}

_BLOCK_NUMBERS = 2**20  # float64 numbers in each temporary of a block of rows
N_COORDINATES = 3  # tables of fewer are filled up with zeros: one kernel for all


class Sums(NamedTuple):
    """Hold what attraction and repulsion contribute to the objective.

    Parameters
    ----------
    attraction : ndarray of shape (n_samples, ...)
        Sums of p_ij phi'(d) / d log_i(j).
    repulsion : ndarray of shape (n_samples, ...)
        The same with q_ij.
    cost : float
        Sum of p phi, plus the logarithm of the normaliser times the sum of p.
    p_slope : float
        Sum of p times the derivative of phi in the logarithm of the scale.
    q_slope : float
        The same with q.
    """

    attraction: np.ndarray
    repulsion: np.ndarray
    cost: float
    p_slope: float
    q_slope: float


def curvature_sign(target):
    """Return 0, 1 or -1 for a target with compiled kernels, None for others."""
    if isinstance(target, Euclidean):
        return 0
    if isinstance(target, Sphere) and target.radius == 1.0:
        return 1
    if isinstance(target, Hyperboloid) and target.curvature == -1.0:
        return -1
    return None


def has_tree(target):
    """Tell whether a tree can sum the repulsion between points of a target."""
    sign = curvature_sign(target)
    return sign in (0, 1) and target.point_shape[0] <= N_COORDINATES


def table_of(Y, sign):
    """Return points as columns, for the hyperboloid with directions and lengths."""
    if sign >= 0:
        T = np.zeros((max(N_COORDINATES, Y.shape[1]), Y.shape[0]))
        T[: Y.shape[1]] = Y.T
        return T
    space = Y[:, 1:].T
    square = np.sum(space**2, axis=0)
    rho = np.sqrt(square)
    direction = space / np.where(rho > 0.0, rho, 1.0)
    return np.vstack([space, direction, rho, np.sqrt(1.0 + square)])


def tangent(rows, Y, sign):
    """Return the sums of logarithms at the points from the rows of sums."""
    force = rows[:, kernels.FORCE :]
    if sign >= 0:
        force = force[:, : Y.shape[1]]
        if sign == 0:
            return force.copy()
        square = np.sum(Y * Y, axis=1, keepdims=True)
        return force - np.sum(force * Y, axis=1, keepdims=True) / square * Y
    space = force - rows[:, kernels.NORMAL, None] * Y[:, 1:]
    time = np.sqrt(1.0 + np.sum(Y[:, 1:] ** 2, axis=1))
    along = np.sum(Y[:, 1:] * space, axis=1) / time
    return np.column_stack([along, space])


def compiled_sums(P, Y, target, kernel, scale, *, want_cost, angle, n_jobs):
    """Return the sums on a plane, sphere or hyperboloid of curvature 0, 1 or -1.

    Parameters
    ----------
    P : ndarray or csr_array of shape (n_samples, n_samples)
        Joint probabilities.
    Y : ndarray of shape (n_samples, n_coordinates)
        Points.
    target : Manifold
        Where the points lie.
    kernel : str
        Kernel of the embedding.
    scale : float
        Scale of the kernel.
    want_cost : bool
        Whether to sum the cost; else only the logarithm of the normaliser is in it.
    angle : float or None
        Accuracy of the tree that sums the repulsion; None sums over all pairs.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    Sums
        The sums.
    """
    sign = curvature_sign(target)
    code, dim = CODES[sign][kernel], float(target.dim)
    T = table_of(Y, sign)
    n_forces = target.dim if sign < 0 else T.shape[0]
    pull = np.empty((len(Y), kernels.FORCE + n_forces))
    push = np.empty_like(pull)
    with numba_threads(n_jobs):
        if sparse.issparse(P):
            kernels.attraction(
                code, T, P.indptr, P.indices, P.data, scale, dim, want_cost, pull
            )
        else:
            kernels.dense_attraction(code, T, P, scale, dim, want_cost, pull)
        if angle is None:
            kernels.repulsion(code, T, scale, dim, push)
        else:
            tree_repulsion(code, T, Y.shape[1], scale, dim, angle, push)
    z, log_z = _normalise(push, code)
    p_sum = float(pull[:, kernels.SUM].sum())
    return Sums(
        tangent(pull, Y, sign),
        tangent(push, Y, sign) / z,
        float(pull[:, kernels.PHI].sum() + p_sum * log_z),
        float(pull[:, kernels.SLOPE].sum()),
        float(push[:, kernels.SLOPE].sum() / z),
    )


def _normalise(push, code):
    """Bring the rows of repulsion to one unit; return the sum and log(normaliser)."""
    log_unit = 0.0
    if kernels.is_exponential(code):
        phi = push[:, kernels.PHI]
        log_unit = -float(phi.min())
        push[:, kernels.SUM :] *= np.exp(-log_unit - phi)[:, None]
    z = push[:, kernels.SUM].sum()  # zero where the scale is absurdly small
    return z, log_unit + np.log(z)


def manifold_sums(P, Y, target, scale, want_cost):
    """Return the sums of the kernel "student" on any manifold, in blocks of rows.

    Parameters
    ----------
    P : ndarray or csr_array of shape (n_samples, n_samples)
        Joint probabilities.
    Y : ndarray of shape (n_samples, ...)
        Points.
    target : Manifold
        Where the points lie; its `log` is used, and its `norm` for distances.
    scale : float
        Scale of the kernel.
    want_cost : bool
        Whether to sum the cost.

    Returns
    -------
    Sums
        The sums.
    """
    n = len(Y)
    pull, push = np.zeros(Y.shape), np.zeros(Y.shape)
    z = p_sum = cost = p_slope = q_slope = 0.0
    n_rows = max(1, _BLOCK_NUMBERS // max(1, Y.size))
    for start in range(0, n, n_rows):
        rows = np.arange(start, min(start + n_rows, n))
        p = P[rows[0] : rows[-1] + 1]
        p = p.toarray() if sparse.issparse(p) else p
        others = np.ones((len(rows), n), dtype=bool)
        others[np.arange(len(rows)), rows] = False
        i, j = np.nonzero(others)
        p = p[others]
        vec = target.log(Y[rows[i]], Y[j])
        t = target.dist(Y[rows[i]], Y[j]) ** 2 / scale
        k = 1.0 / (1.0 + t)
        weight = np.zeros((len(rows), n))
        for weights, total in ((p * k, pull), (k * k, push)):
            weight[others] = weights
            full = np.zeros((len(rows), n, *Y.shape[1:]))
            full[others] = vec
            total[rows] = np.einsum("ij,ij...->i...", weight, full) * (2.0 / scale)
        z += float(k.sum())
        p_sum += float(p.sum())
        p_slope += float(np.sum(p * (k - 1.0)))
        q_slope += float(np.sum(k * (k - 1.0)))
        if want_cost:
            cost += float(np.sum(p * np.log1p(t)))
    return Sums(pull, push / z, cost + p_sum * float(np.log(z)), p_slope, q_slope / z)
