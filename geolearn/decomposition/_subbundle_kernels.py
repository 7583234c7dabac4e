"""The local covariance and the gradient of the Hamiltonian, for few features.

Arrays of samples are (d, m), so that every loop runs over samples and vectorises.
The gradient is that of eta' P(p) eta / 2 in closed form: only gaps between the
eigenvalues of the two blocks occur, so that equal ones inside a block do no harm.
"""

# kernels: _subbundle_weights=c3d57322

from typing import NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_weights import PULL, R2, SPARE, W, weigh
from geolearn.utils._jit import kernel

_SUMS = {"reassoc", "contract"}  # plain sums: rounding only


class Room(NamedTuple):
    """What is known at one point."""

    mean: np.ndarray  # (d,), relative to the point
    pull: np.ndarray  # (d,), weighted mean of -grad log K
    values: np.ndarray  # (d,)
    vectors: np.ndarray  # (d, d)
    covariance: np.ndarray  # (d, d)
    left: np.ndarray  # (terms, d)
    right: np.ndarray  # (terms, d)
    alpha: np.ndarray  # (d,), momentum in the basis of the vectors
    facts: np.ndarray  # distance to the nearest sample, effective sample size, speed


@kernel
def make_room(n, d):
    """Return room for the results at a point of d coordinates, n of them in loops."""
    return Room(
        np.empty(d),
        np.empty(d),
        np.empty(n),
        np.empty((n, n)),
        np.empty((n, n)),
        np.empty((n, n)),
        np.empty((n, n)),
        np.empty(d),
        np.zeros(3),
    )


@kernel
def _offsets(m, C, p, Y, r2):
    """Fill the offsets of samples from p and their squares."""
    d = C.shape[0]
    for a in range(d):
        x = p[a]
        for i in range(m):
            Y[a, i] = C[a, i] - x
    if d == 3:
        for i in range(m):
            r2[i] = Y[0, i] * Y[0, i] + Y[1, i] * Y[1, i] + Y[2, i] * Y[2, i]
        return
    for i in range(m):
        r2[i] = Y[0, i] * Y[0, i]
    for a in range(1, d):
        for i in range(m):
            r2[i] += Y[a, i] * Y[a, i]


@kernel(fastmath=_SUMS)
def centre(m, Y, w, pull, mean, mean_pull):
    """Fill both means of the offsets and subtract the first."""
    d = Y.shape[0]
    for a in range(d):
        s = 0.0
        t = 0.0
        for i in range(m):
            s += w[i] * Y[a, i]
            t += pull[i] * Y[a, i]
        mean[a] = s
        mean_pull[a] = t
        for i in range(m):
            Y[a, i] -= s


@kernel(fastmath=_SUMS)
def _covariance_of_three(m, Z, w, S):
    """Fill the covariance of centred samples of three coordinates in one pass."""
    xx, yy, zz, xy, xz, yz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(m):
        x, y, z = w[i] * Z[0, i], w[i] * Z[1, i], w[i] * Z[2, i]
        xx += x * Z[0, i]
        xy += x * Z[1, i]
        xz += x * Z[2, i]
        yy += y * Z[1, i]
        yz += y * Z[2, i]
        zz += z * Z[2, i]
    S[0, 0], S[1, 1], S[2, 2] = xx, yy, zz
    S[0, 1] = S[1, 0] = xy
    S[0, 2] = S[2, 0] = xz
    S[1, 2] = S[2, 1] = yz


@kernel(fastmath=_SUMS)
def covariance(m, Z, w, spare, S):
    """Fill the covariance of centred samples."""
    d = Z.shape[0]
    for a in range(d):
        for i in range(m):
            spare[i] = w[i] * Z[a, i]
        for b in range(a, d):
            s = 0.0
            for i in range(m):
                s += spare[i] * Z[b, i]
            S[a, b] = s
            S[b, a] = s


@kernel
def solve(eigenpairs, room):
    """Fill the eigenpairs of the covariance; False where it is not finite."""
    total = 0.0
    for a in range(room.covariance.shape[0]):
        for b in range(room.covariance.shape[0]):
            total += abs(room.covariance[a, b])
    if not total < np.inf:
        return False
    eigenpairs(room.covariance, room.values, room.vectors)
    return True


@kernel
def local_pca(eigenpairs, near, p, kind, support, room):
    """Fill the local mean and eigenpairs; False where no sample has a weight.

    The offsets of the list are then centred and its weights sum to one.
    """
    m = near.rows[near.rows.shape[0] - 1]
    w, spare, Y = near.columns[W], near.columns[SPARE], near.offsets
    _offsets(m, near.coordinates, p, Y, near.columns[R2])
    if not weigh(near, kind, support, room.facts):
        return False
    centre(m, Y, w, near.columns[PULL], room.mean, room.pull)
    if p.shape[0] == 3:
        _covariance_of_three(m, Y, w, room.covariance)
    else:
        covariance(m, Y, w, spare, room.covariance)
    return solve(eigenpairs, room)


@kernel
def _factors(values, E, alpha, k, left, right):
    """Fill rows x_j, y_j with q_i = sum_j (x_j' z_i) (y_j' z_i); return their number.

    The sum over pairs a <= k < b of alpha_a alpha_b / (lambda_a - lambda_b) e_a e_b'
    is grouped by the smaller block.
    """
    d = E.shape[0]
    terms = min(k, d - k)
    for j in range(terms):
        for i in range(d):
            right[j, i] = 0.0
        inner = j if k <= d - k else k + j
        for i in range(d):
            left[j, i] = E[i, inner]
        first, last = (k, d) if k <= d - k else (0, k)
        for o in range(first, last):
            gap = abs(values[inner] - values[o])
            c = alpha[inner] * alpha[o] / gap if gap > 0.0 else 0.0
            for i in range(d):
                right[j, i] += c * E[i, o]
    return terms


@kernel(fastmath=_SUMS)
def _product_of_three(m, Z, left, right, q):
    """Add up the products of `_factors` for samples of three coordinates."""
    for i in range(m):
        x, y, z = Z[0, i], Z[1, i], Z[2, i]
        q[i] = (left[0, 0] * x + left[0, 1] * y + left[0, 2] * z) * (
            right[0, 0] * x + right[0, 1] * y + right[0, 2] * z
        )


@kernel(fastmath=_SUMS)
def _products(m, Z, left, right, terms, r2, q):
    """Fill q_i from the rows of `_factors`; r2 is overwritten."""
    d = Z.shape[0]
    for i in range(m):
        q[i] = 0.0
    for j in range(terms):
        for i in range(m):
            r2[i] = 0.0
        for a in range(d):
            c = left[j, a]
            for i in range(m):
                r2[i] += c * Z[a, i]
        for a in range(d):
            c = right[j, a]
            for i in range(m):
                q[i] += c * Z[a, i] * r2[i]


@kernel(fastmath=_SUMS)
def _third_moment(m, Z, w, pull, q, mean, mean_pull, force):
    """Fill minus the weighted sum of q_i (u_i - mean u)."""
    d = Z.shape[0]
    s = 0.0
    t = 0.0
    for i in range(m):
        s += w[i] * q[i]
        t += pull[i] * q[i]
        q[i] *= pull[i]
    for a in range(d):
        x = 0.0
        for i in range(m):
            x += q[i] * Z[a, i]
        force[a] = s * mean_pull[a] - t * mean[a] - x


@kernel
def gradient(near, room, eta, k, with_force, velocity, force):
    """Fill velocity and force, or zero for it, after `local_pca`."""
    d = eta.shape[0]
    if k == d:
        for i in range(d):
            velocity[i] = eta[i]
            force[i] = 0.0
        return
    alpha = room.alpha
    for a in range(d):
        s = 0.0
        for i in range(d):
            s += room.vectors[i, a] * eta[i]
        alpha[a] = s
    for i in range(d):
        s = 0.0
        for a in range(k):
            s += room.vectors[i, a] * alpha[a]
        velocity[i] = s
        force[i] = 0.0
    if not with_force:
        return
    terms = _factors(room.values, room.vectors, alpha, k, room.left, room.right)
    m = near.rows[near.rows.shape[0] - 1]
    w, q, Z = near.columns[W], near.columns[SPARE], near.offsets
    if d == 3:
        _product_of_three(m, Z, room.left, room.right, q)
    else:
        _products(m, Z, room.left, room.right, terms, near.columns[R2], q)
    _third_moment(m, Z, w, near.columns[PULL], q, room.mean, room.pull, force)
