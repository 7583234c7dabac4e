"""The local covariance and the gradient of the Hamiltonian, for many features.

Arrays of samples are (m, d), and the work is in matrix products. Directions beyond
the span of the local samples have no part in the gradient.
"""

# kernels: _subbundle_block=75bff2e0 _subbundle_weights=60339236

import numpy as np

from geolearn.decomposition._subbundle_block import covariance, leading, resolvent
from geolearn.decomposition._subbundle_weights import weigh
from geolearn.utils._jit import kernel

_SUMS = {"reassoc", "contract"}  # plain sums: rounding only
_NULL = 1e-14  # relative eigenvalue below which a direction is outside the span


@kernel(fastmath=_SUMS)
def _offsets(C, p, Y, r2):
    """Fill the offsets of samples from p and their squares."""
    m, d = C.shape
    for i in range(m):
        s = 0.0
        for a in range(d):
            y = C[i, a] - p[a]
            Y[i, a] = y
            s += y * y
        r2[i] = s


@kernel(fastmath=_SUMS)
def _centre(Y, w, pull, mean, mean_pull):
    """Fill both means of the offsets and subtract the first."""
    m, d = Y.shape
    mean[:] = 0.0
    mean_pull[:] = 0.0
    for i in range(m):
        if w[i] > 0.0 or pull[i] > 0.0:
            for a in range(d):
                mean[a] += w[i] * Y[i, a]
                mean_pull[a] += pull[i] * Y[i, a]
    for i in range(m):
        for a in range(d):
            Y[i, a] -= mean[a]


@kernel
def _weighted_rows(Z, w):
    """Return the rows sqrt(w_i) z_i of samples that have a weight."""
    m, d = Z.shape
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
def weighted_offsets(near, p, kind, support, room):
    """Fill means and facts; return weighted centred rows, none without weights."""
    _offsets(near.coordinates, p, near.offsets, near.r2)
    if not weigh(near, kind, support, room.facts):
        return np.empty((0, p.shape[0]))
    _centre(near.offsets, near.w, near.pull, room.mean, room.pull)
    return _weighted_rows(near.offsets, near.w)


@kernel
def all_eigenpairs(B):
    """Return the eigenpairs of B'B with directions in the span of the rows."""
    m, d = B.shape
    r = min(m, d)
    values = np.zeros(r)
    E = np.zeros((d, r))
    if m < d:
        G = np.dot(B, B.T)
        lam, U = np.linalg.eigh(G)
        for a in range(r):
            values[a] = max(lam[r - 1 - a], 0.0)
        U = np.ascontiguousarray(U[:, ::-1])
        E[:, :] = np.dot(B.T, U)
        for a in range(r):
            inside = values[a] > _NULL * values[0]
            scale = 1.0 / np.sqrt(values[a]) if inside else 0.0
            for i in range(d):
                E[i, a] *= scale
        return values, E
    lam, U = np.linalg.eigh(np.dot(B.T, B))
    for a in range(r):
        values[a] = max(lam[r - 1 - a], 0.0)
        for i in range(d):
            E[i, a] = U[i, r - 1 - a]
    return values, E


@kernel
def _full_resolvent(values, E, k, eta, G):
    """Fill the columns of G from all eigenpairs."""
    d, r = E.shape
    G[:, :] = 0.0
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
def gradient(near, p, eta, kind, support, k, with_force, V, room, velocity, force):
    """Fill velocity and force; return the leading k + 1 eigenvalues, or none.

    V holds the guess for the leading vectors and receives them.
    """
    d = p.shape[0]
    b = V.shape[1]
    values = np.zeros(b)
    B = weighted_offsets(near, p, kind, support, room)
    if B.shape[0] == 0 or not np.isfinite(np.sum(B)):
        return values[:0]
    if k == d:
        velocity[:] = eta
        force[:] = 0.0
        return values
    G = np.empty((d, k))
    S = covariance(B)
    if b >= d // 2 or not (
        leading(S, B, k, V, values)
        and (not with_force or resolvent(S, B, values, V, k, eta, G))
    ):
        lam, E = all_eigenpairs(B)
        if lam.shape[0] < k:
            return values[:0]
        values[:] = 0.0
        for a in range(min(b, lam.shape[0])):
            values[a] = lam[a]
            for i in range(d):
                V[i, a] = E[i, a]
        _full_resolvent(lam, E, k, eta, G)
    top = np.ascontiguousarray(V[:, :k])
    alpha = np.dot(top.T, eta)
    velocity[:] = np.dot(top, alpha)
    force[:] = 0.0
    if not with_force:
        return values
    near.spare[:] = _products(near.offsets, top, G, alpha)
    _third_moment(near, room, force)
    return values


@kernel
def _products(Z, top, G, alpha):
    """Return q_i, the sum over a of alpha_a (e_a' z_i) (g_a' z_i)."""
    X = np.dot(Z, top)
    Y = np.dot(Z, G)
    q = np.zeros(Z.shape[0])
    for i in range(Z.shape[0]):
        for a in range(alpha.shape[0]):
            q[i] += alpha[a] * X[i, a] * Y[i, a]
    return q


@kernel(fastmath=_SUMS)
def _third_moment(near, room, force):
    """Fill minus the weighted sum of q_i (u_i - mean u), q in `spare`."""
    q, Z = near.spare, near.offsets
    s = 0.0
    t = 0.0
    force[:] = 0.0
    for i in range(q.shape[0]):
        s += near.w[i] * q[i]
        x = near.pull[i] * q[i]
        t += x
        for a in range(Z.shape[1]):
            force[a] -= x * Z[i, a]
    for a in range(Z.shape[1]):
        force[a] += s * room.pull[a] - t * room.mean[a]
