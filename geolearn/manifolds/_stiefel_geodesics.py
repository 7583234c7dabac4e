"""Geodesics of the Stiefel manifolds, in the coordinates of their first point.

The columns of the first point X and k of their complement Q span all that a geodesic
reaches; k = min(p, n - p). A tangent vector is D = X A + Q B with A skew, and

    exp_X(D) = [X Q] e^S [e^((1 - 2 beta) A); 0],   S = [2 beta A, -B^T; B, 0],

for the metric beta tr(A^T A) + tr(B^T B): beta is 1/2 for the canonical metric and 1
for the Euclidean one. All these spaces are naturally reductive, so that transport
and the differential of exp are exponentials of constant operators as well. Arrays
are stacks: A of shape (N, p, p), B of shape (N, k, p).
"""

import numpy as np

from geolearn.manifolds._rotations import rotation, skew_part, transpose

__all__ = [
    "differential",
    "end_point",
    "generator",
    "log_density",
    "pack",
    "squared_length",
    "transport_coordinates",
    "unpack",
    "velocity",
]

_TERMS = 18  # of the exponential series for operators of norm 1; 1 / 19! < 1e-17
_DIRECTIONS = 2**19  # complex numbers in each temporary of a stack of differentials


def squared_length(A, B, beta):
    """Return the squared Riemannian lengths of tangent vectors."""
    return beta * np.sum(A * A, axis=(-2, -1)) + np.sum(B * B, axis=(-2, -1))


def generator(A, B, beta):
    """Return the skew matrices S."""
    k = B.shape[-2]
    zero = np.zeros((*B.shape[:-1], k))
    return np.block([[2.0 * beta * A, -transpose(B)], [B, zero]])


def end_point(A, B, beta):
    """Return the end points in coordinates, [X Q]^T exp_X(X A + Q B)."""
    frame = rotation(generator(A, B, beta))[..., : A.shape[-1]]
    return frame if beta == 0.5 else frame @ rotation((1.0 - 2.0 * beta) * A)


def velocity(A, B, beta):
    """Return the velocities at the end points in coordinates of the first frame."""
    moved = rotation(generator(A, B, beta)) @ np.concatenate([A, B], axis=-2)
    return moved if beta == 0.5 else moved @ rotation((1.0 - 2.0 * beta) * A)


def pack(A, B):
    """Return the free entries of A and B as vectors of shape (..., m)."""
    i, j = np.tril_indices(A.shape[-1], -1)
    return np.concatenate([A[..., i, j], B.reshape(*B.shape[:-2], -1)], axis=-1)


def unpack(free, k, p):
    """Return A and B from their free entries."""
    i, j = np.tril_indices(p, -1)
    A = np.zeros((*free.shape[:-1], p, p))
    A[..., i, j] = free[..., : len(i)]
    return A - transpose(A), free[..., len(i) :].reshape(*free.shape[:-1], k, p)


def differential(A, B, beta):
    """Return the frames at the end points and the differentials of exp there.

    Returns
    -------
    frame : ndarray of shape (N, p + k, p + k)
        Rotations whose first p columns are the end points.
    jacobian : ndarray of shape (N, m, m)
        Free entries of the motion of the end point in its frame; column c belongs
        to the free entry c of the tangent vector.
    log_rest : ndarray of shape (N,)
        Logarithm of the determinant for the motion along one direction orthogonal
        to X and Q.
    """
    parts = [
        _differential(A[rows], B[rows], beta) for rows in _stacks(A.shape[0], B.shape)
    ]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def _stacks(n_pairs, shape):
    k, p = shape[-2:]
    size = (p * (p - 1) // 2 + k * p) * (p + k) ** 2
    step = max(1, _DIRECTIONS // size)
    return [slice(i, i + step) for i in range(0, max(n_pairs, 1), step)]


def _differential(A, B, beta):
    k, p = B.shape[-2:]
    dA, dB = unpack(np.eye(p * (p - 1) // 2 + k * p), k, p)
    angles, U = np.linalg.eigh(-1j * generator(A, B, beta))
    frame = _recompose(U, np.exp(1j * angles))
    turned = _motion(angles, U, generator(dA, dB, beta))
    first, below = turned[..., :p, :p], turned[..., p:, :p]
    # phi(S) = (e^S - I) / S carries vectors from outside the span
    phi = np.exp(0.5j * angles) * np.sinc(0.5 * angles / np.pi)
    rest = _recompose(U, phi)[..., :p, :p]
    if beta != 0.5:
        factor = 1.0 - 2.0 * beta
        own, V = np.linalg.eigh(-1j * factor * A)
        end = _recompose(V, np.exp(1j * own))
        frame[..., :p] = frame[..., :p] @ end
        right = end[..., None, :, :]
        first = transpose(right) @ first @ right + _motion(own, V, factor * dA)
        below = below @ right
    jacobian = transpose(pack(first, below))
    return frame, jacobian, np.linalg.slogdet(rest)[1]


def _recompose(U, values):
    return ((U * values[..., None, :]) @ np.conj(transpose(U))).real


def _motion(angles, U, directions):
    """Return e^-S (d e^S) for S = U diag(i angles) U^H and each direction of dS."""
    half = 0.5 * (angles[..., :, None] - angles[..., None, :])
    factor = np.exp(-1j * half) * np.sinc(half / np.pi)
    U = U[..., None, :, :]
    inner = np.conj(transpose(U)) @ directions @ U
    return (U @ (factor[..., None, :, :] * inner) @ np.conj(transpose(U))).real


def log_density(A, B, beta, n_rest):
    """Return the logarithm of the volume density; `n_rest` is n - p - k."""
    _, jacobian, log_rest = differential(A, B, beta)
    return np.linalg.slogdet(jacobian)[1] + n_rest * log_rest


def transport_coordinates(A, B, beta, a, b, r):
    """Transport X a + Q b + r along the geodesics with velocity X A + Q B.

    Returns the top and bottom of the result in the frame [X Q], and the rest. In
    the frame that moves by e^S on the left and e^((1 - 2 beta) A) on the right the
    covariant derivative is constant:

        a' = -(2 beta - 1/2) [A, a] + (B^T b - b^T B) / 2,
        b' = -beta (B a - b A),   r' = beta r A.
    """
    length = np.sqrt(np.max(squared_length(A, B, beta), initial=0.0))
    n_steps = max(1, int(np.ceil(3.0 * length)))  # each of norm at most 1
    for _ in range(n_steps):
        a_term, b_term = a, b
        for j in range(1, _TERMS + 1):
            a_term, b_term = _derivative(A, B, beta, a_term, b_term)
            a_term, b_term = (t / (j * n_steps) for t in (a_term, b_term))
            a, b = a + a_term, b + b_term
    moved = rotation(generator(A, B, beta)) @ np.concatenate([a, b], axis=-2)
    end = rotation((1.0 - 2.0 * beta) * A)
    p = A.shape[-1]
    rest = r @ rotation((1.0 - beta) * A)  # e^(beta A) e^((1 - 2 beta) A)
    return moved[..., :p, :] @ end, moved[..., p:, :] @ end, rest


def _derivative(A, B, beta, a, b):
    turn = skew_part(A @ a)  # [A, a] = A a - (A a)^T for skew matrices
    exchange = skew_part(transpose(B) @ b)
    return exchange - (4.0 * beta - 1.0) * turn, beta * (b @ A - B @ a)
