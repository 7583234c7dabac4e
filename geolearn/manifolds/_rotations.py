"""Exponentials, logarithms and angles of stacks of rotations of any dimension.

Everything starts from the difference of two rotations. The skew part of X^T Y is
that of X^T (Y - X), and I - sym(X^T Y) is half (Y - X)^T (Y - X), so that close
rotations lose no digit. Rotations of the plane and of space have closed forms;
from dimension 4 on, symmetric eigenproblems take the place of Schur forms: log Q is
a smooth function of the symmetric part of Q times its skew part. The two
eigenvectors of each angle need no pairing then.
"""

import numpy as np

from geolearn import linalg
from geolearn.manifolds.special import sinc

__all__ = [
    "cross_matrix",
    "logarithm",
    "quaternion",
    "rotation",
    "rotation_angles",
    "skew_part",
    "transpose",
]

_CLOSE = 1.0  # of 4 sum(1 - cos): every angle is below 42 degrees
_FAR = 1.9  # 1 - cos of 154 degrees, beyond which X + Y tells more than Y - X
_QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])


def transpose(x):
    """Return the transposed matrices."""
    return np.swapaxes(x, -1, -2)


def skew_part(x):
    """Return the antisymmetric parts of matrices."""
    return (x - transpose(x)) / 2.0


def _axial(a):
    """Return the vectors w with a = cross_matrix(w)."""
    return np.stack([a[..., 2, 1], a[..., 0, 2], a[..., 1, 0]], axis=-1)


def cross_matrix(w):
    """Return the matrices of the cross products by vectors of space."""
    a = np.zeros((*w.shape[:-1], 3, 3))
    a[..., 2, 1], a[..., 0, 2], a[..., 1, 0] = w[..., 0], w[..., 1], w[..., 2]
    return a - transpose(a)


def rotation(a):
    """Return the exponentials of skew matrices."""
    n = a.shape[-1]
    if n <= 3:  # Rodrigues
        angle = np.sqrt(np.sum(a * a, axis=(-2, -1)) / 2.0)[..., None, None]
        return np.eye(n) + sinc(angle) * a + sinc(angle / 2.0) ** 2 / 2.0 * (a @ a)
    squares, V = linalg.eigh(transpose(a) @ a)
    angles = np.sqrt(np.maximum(squares, 0.0))
    even = (V * np.cos(angles)[..., None, :]) @ transpose(V)
    odd = (V * sinc(angles)[..., None, :]) @ (transpose(V) @ a)
    return even + odd


def rotation_angles(x, y, n_jobs=None):
    """Return the angles of X^T Y in descending order, and what lacks to pi.

    Each of the floor(n / 2) angles is in [0, pi].
    """
    n = x.shape[-1]
    difference = y - x
    if n <= 3:
        sine = _axial_norm(skew_part(transpose(x) @ difference))
        cosine = 1.0 - np.sum(difference * difference, axis=(-2, -1)) / 4.0
        angles = np.arctan2(sine, cosine)[..., None]
        return angles, np.arctan2(sine, -cosine)[..., None]
    return _general_angles(*np.broadcast_arrays(x, y, difference), n_jobs)


def _general_angles(x, y, difference, n_jobs):
    close = np.sum(difference * difference, axis=(-2, -1)) < _CLOSE
    squares = transpose(difference) @ difference / 2.0
    if np.any(close):
        # sin^2 for 1 - cos: free of the squared errors of inexact rotations
        sine = skew_part(transpose(x[close]) @ difference[close])
        squares[close] = transpose(sine) @ sine
    values = linalg.eigvalsh(squares, n_jobs=n_jobs)[..., ::-1]
    divisor = np.where(close, 1.0, 2.0)[..., None]
    angles = divisor * np.arcsin(np.sqrt(np.clip(values / divisor, 0.0, 1.0)))
    rest = np.pi - angles
    far = values[..., 0] > _FAR
    if np.any(far):  # the arcsine loses digits up to half of them at pi
        sums = np.linalg.svd(x[far] + y[far], compute_uv=False)[..., ::-1]
        obtuse = values[far] > 1.0
        gaps = 2.0 * np.arcsin(np.minimum(sums / 2.0, 1.0))
        rest[far] = np.where(obtuse, gaps, rest[far])
        angles[far] = np.where(obtuse, np.pi - gaps, angles[far])
    return _pair(angles), _pair(rest)


def _axial_norm(a):
    return np.sqrt(np.sum(a * a, axis=(-2, -1)) / 2.0)


def _pair(angles):
    """Merge the two values of each angle; the zero of odd dimensions is dropped.

    Their mean square is free of the first-order error of inexact rotations.
    """
    n = angles.shape[-1] // 2 * 2
    return np.hypot(angles[..., 0:n:2], angles[..., 1:n:2]) / np.sqrt(2.0)


def quaternion(x, y):
    """Return the unit quaternions, scalars first, of X^T Y in space.

    All products of two components are known; the row of the largest square is
    taken, which is precise for all angles, also the vanishing and the half turns.
    """
    q = transpose(x) @ y
    turn = 2.0 * _axial(skew_part(transpose(x) @ (y - x)))
    d = np.diagonal(q, axis1=-2, axis2=-1)
    trace = np.sum(d, axis=-1, keepdims=True)
    squares = np.concatenate([1.0 + trace, 1.0 - trace + 2.0 * d], axis=-1)
    sums = np.stack(
        [
            q[..., 2, 1] + q[..., 1, 2],
            q[..., 0, 2] + q[..., 2, 0],
            q[..., 1, 0] + q[..., 0, 1],
        ],
        axis=-1,
    )
    # Products 0i, and jk at the place of the remaining axis
    products = np.stack(
        [
            np.stack(
                [squares[..., 0], turn[..., 0], turn[..., 1], turn[..., 2]], axis=-1
            ),
            np.stack(
                [turn[..., 0], squares[..., 1], sums[..., 2], sums[..., 1]], axis=-1
            ),
            np.stack(
                [turn[..., 1], sums[..., 2], squares[..., 2], sums[..., 0]], axis=-1
            ),
            np.stack(
                [turn[..., 2], sums[..., 1], sums[..., 0], squares[..., 3]], axis=-1
            ),
        ],
        axis=-2,
    )
    largest = np.argmax(squares, axis=-1)[..., None, None]
    row = np.take_along_axis(products, largest, axis=-2)[..., 0, :]
    return row / np.linalg.norm(row, axis=-1, keepdims=True)


def logarithm(x, y):
    """Return the shortest skew A with exp(A) = X^T Y, and what lacks to a half turn.

    The second is pi less the largest angle; where it vanishes, a logarithm of the
    other sense is as short.
    """
    n = x.shape[-1]
    if n == 2:
        difference = y - x
        sine = skew_part(transpose(x) @ difference)[..., 1, 0]
        cosine = 1.0 - np.sum(difference * difference, axis=(-2, -1)) / 4.0
        angle = np.arctan2(sine, cosine)[..., None, None]
        return angle * _QUARTER, np.arctan2(np.abs(sine), -cosine)
    if n == 3:
        q = quaternion(x, y)
        scalar, axis = q[..., :1], q[..., 1:]
        half_sine = np.linalg.norm(axis, axis=-1, keepdims=True)
        angle = 2.0 * np.arctan2(half_sine, np.abs(scalar))
        direction = axis / np.where(half_sine > 0.0, half_sine, 1.0)
        gap = 2.0 * np.arctan2(np.abs(scalar), half_sine)[..., 0]
        return cross_matrix(np.where(scalar < 0.0, -angle, angle) * direction), gap
    return _general_logarithm(*np.broadcast_arrays(x, y))


def _general_logarithm(x, y):
    difference = y - x
    versines, V = linalg.eigh(transpose(difference) @ difference / 2.0)
    far = versines[..., -1] > _FAR
    angles = 2.0 * np.arcsin(np.sqrt(np.clip(versines / 2.0, 0.0, 1.0)))
    gap = np.asarray(np.pi - angles[..., -1])
    factor = 1.0 / np.where(far[..., None], 1.0, sinc(angles))
    skew = skew_part(transpose(x) @ difference)
    logs = skew_part((V * factor[..., None, :]) @ (transpose(V) @ skew))
    if np.any(far):
        logs[far], gap[far] = _far_logarithm(x[far], y[far])
    return logs, gap


def _far_logarithm(x, y):
    """Return twice the logarithms of the square roots, which turn by less, and gaps.

    The root of Q is the orthogonal factor of I + Q.
    """
    total = x + y
    doubled = skew_part(transpose(x) @ total) + transpose(total) @ total / 2.0
    U, cosines, Vt = np.linalg.svd(doubled)
    halves = np.arccos(np.minimum(cosines / 2.0, 1.0))
    skew = skew_part(U @ Vt)
    # Near pi the sines that the root really has, near 0 the smooth quotient
    sines = np.linalg.norm(transpose(U) @ skew, axis=-1)
    near = (cosines < 1.0) & (sines > 0.0)
    factor = np.where(near, halves / np.where(near, sines, 1.0), 1.0 / sinc(halves))
    logs = 2.0 * skew_part((U * factor[..., None, :]) @ (transpose(U) @ skew))
    return logs, np.pi - 2.0 * halves[..., -1]
