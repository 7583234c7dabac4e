"""The local covariance and the gradient of the Hamiltonian, for many features.

Arrays of samples are (m, d), and the work is in matrix products. Directions beyond
the span of the local samples have no part in the gradient.
"""

# kernels: _subbundle_weights=c3d57322

import math

import numpy as np

from geolearn.decomposition._subbundle_weights import PULL, R2, W, weigh
from geolearn.utils._jit import kernel

_SUMS = {"reassoc", "contract"}  # plain sums: rounding only
_NULL = 1e-14  # relative eigenvalue below which a direction is outside the span


@kernel(fastmath=_SUMS)
def _offsets(m, X, rows, p, Y, r2):
    """Fill the offsets of samples from p and their squares."""
    for i in range(m):
        row = rows[i]
        s = 0.0
        for a in range(p.shape[0]):
            y = X[row, a] - p[a]
            Y[i, a] = y
            s += y * y
        r2[i] = s


@kernel(fastmath=_SUMS)
def _centre(m, Y, w, pull, mean, mean_pull):
    """Fill both means of the offsets and subtract the first."""
    d = Y.shape[1]
    for a in range(d):
        mean[a], mean_pull[a] = 0.0, 0.0
    for i in range(m):
        if w[i] > 0.0 or pull[i] > 0.0:
            for a in range(d):
                mean[a] += w[i] * Y[i, a]
                mean_pull[a] += pull[i] * Y[i, a]
    for i in range(m):
        for a in range(d):
            Y[i, a] -= mean[a]


@kernel
def _weighted_rows(m, Z, w):
    """Return the rows sqrt(w_i) z_i of samples that have a weight."""
    d = Z.shape[1]
    count = 0
    for i in range(m):
        count += w[i] > 0.0
    B = np.empty((count, d))
    row = 0
    for i in range(m):
        if w[i] > 0.0:
            s = np.sqrt(w[i])
            for a in range(d):
                B[row, a] = s * Z[i, a]
            row += 1
    return B


@kernel
def weighted_offsets(samples, near, p, kind, support, room):
    """Fill means and facts; return weighted centred rows, none without weights."""
    m = near.rows[near.rows.shape[0] - 1]
    w, Z = near.columns[W], near.offsets
    _offsets(m, samples.points, near.rows, p, Z, near.columns[R2])
    if not weigh(near, kind, support, room.facts):
        return np.empty((0, p.shape[0]))
    _centre(m, Z, w, near.columns[PULL], room.mean, room.pull)
    return _weighted_rows(m, Z, w)


@kernel
def sums_finite(B):
    """Tell whether the sum of all entries is finite."""
    total = 0.0
    for i in range(B.shape[0]):
        for a in range(B.shape[1]):
            total += B[i, a]
    return math.isfinite(total)


@kernel
def all_eigenpairs(eigenpairs, B):
    """Return the eigenpairs of B'B with directions in the span of the rows."""
    m, d = B.shape
    r = min(m, d)
    values = np.empty(r)
    U = np.empty((r, r))
    if m >= d:
        eigenpairs(np.dot(B.T, B), values, U)
        return values, U
    eigenpairs(np.dot(B, B.T), values, U)
    E = np.dot(B.T, U)
    for a in range(r):
        inside = values[a] > _NULL * values[0]
        scale = 1.0 / np.sqrt(values[a]) if inside else 0.0
        for i in range(d):
            E[i, a] *= scale
    return values, E


@kernel
def full_resolvent(values, E, k, eta, G):
    """Fill the columns of G from all eigenpairs."""
    d, r = E.shape
    for i in range(d):
        for a in range(k):
            G[i, a] = 0.0
    for b in range(k, r):
        alpha = 0.0
        for i in range(d):
            alpha += E[i, b] * eta[i]
        for a in range(k):
            gap = values[a] - values[b]
            c = alpha / gap if gap > 0.0 else 0.0
            for i in range(d):
                G[i, a] += c * E[i, b]


@kernel
def products(m, k, Z, V, G, alpha, q):
    """Fill q_i, the sum over a < k of alpha_a (e_a' z_i) (g_a' z_i)."""
    d = Z.shape[1]
    both = np.empty((d, 2 * k))
    for i in range(d):
        for a in range(k):
            both[i, a], both[i, k + a] = V[i, a], G[i, a]
    X = np.dot(Z[:m], both)
    for i in range(m):
        q[i] = 0.0
        for a in range(k):
            q[i] += alpha[a] * X[i, a] * X[i, k + a]


@kernel(fastmath=_SUMS)
def third_moment(m, Z, w, pull, q, mean, mean_pull, force):
    """Fill minus the weighted sum of q_i (u_i - mean u)."""
    s = 0.0
    t = 0.0
    for i in range(m):
        s += w[i] * q[i]
        x = pull[i] * q[i]
        t += x
        for a in range(Z.shape[1]):
            force[a] -= x * Z[i, a]
    for a in range(Z.shape[1]):
        force[a] += s * mean_pull[a] - t * mean[a]
