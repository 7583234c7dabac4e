"""Logarithms of the Stiefel manifolds in the coordinates of their first point.

Given W = [X Q]^T Y, find A and B with `end_point` (A, B) = W. For the canonical
metric, W is completed to a rotation whose logarithm has a vanishing last block
(Zimmermann, arXiv:1604.05054); the step towards it solves a Sylvester equation that
accounts for the Baker-Campbell-Hausdorff series (Zimmermann and Hüper,
arXiv:2103.12046). Newton's method with the exact differential of exp finishes where
that is slow. The Euclidean logarithm is found by Newton's method from the canonical
one, and by following the metrics in between where that fails.
"""

import numpy as np

from geolearn.manifolds._rotations import logarithm, rotation, skew_part, transpose
from geolearn.manifolds._stiefel_geodesics import (
    differential,
    end_point,
    generator,
    pack,
    squared_length,
    unpack,
    velocity,
)

__all__ = ["shortest"]

_VANISHED = 1e-13  # norm of the last block of the logarithm
_ALIGNMENTS = 60  # steps before Newton's method takes over
_SMALLEST = 0.3  # of the divisors of the Sylvester equation, 1 at coincidence
_NEWTON_STEPS = 30
_LONGEST_STEP = 0.7
_NOISE = 1e-15
_QUADRATIC = 1e-9  # a step after which the error is its square
_FOUND = 1e-11  # distance of the end point that proves a geodesic right
_ROUNDING = 1e-9  # relative excess over an upper bound that is none
_METRICS_BETWEEN = (15, 63)  # on the path to the Euclidean metric, in turn
_STARTS = 8  # random starts where all else fails


def shortest(W, beta, injectivity_radius):
    """Return (A, B, gap) of the shortest geodesics found to the points W.

    `gap` is the distance of the largest angle of the completed rotation to pi, zero
    where two senses are equally short, and NaN where no geodesic was found. Shorter
    geodesics than the injectivity radius are certainly the shortest.
    """
    A, B, gap = _canonical(W)
    found = _verified(A, B, W, 0.5)
    if not found.all():
        lost = np.flatnonzero(~found)
        A[lost], B[lost], _ = _restarted(W[lost], 0.5)
    if beta == 0.5:
        return A, B, np.where(_verified(A, B, W, beta), gap, np.nan)
    A, B, found = _euclidean(A, B, W, beta, injectivity_radius)
    return A, B, np.where(found, gap, np.nan)


def _verified(A, B, W, beta):
    off = np.linalg.norm(end_point(A, B, beta) - W, axis=(-2, -1))
    return off < _FOUND


def _canonical(W):
    """Return (A, B, gap) of the canonical logarithms, wrong where not found."""
    n_pairs, q, p = W.shape
    V = _complete(W)
    logs = np.empty((n_pairs, q, q))
    gap = np.empty(n_pairs)
    active = np.arange(n_pairs)
    for _ in range(_ALIGNMENTS):
        logs[active], gap[active] = logarithm(np.eye(q), V)
        free = logs[active][:, p:, p:]
        moving = np.linalg.norm(free, axis=(-2, -1)) > _VANISHED
        V, active, free = V[moving], active[moving], free[moving]
        if not len(active):
            break
        turn = rotation(_alignment(logs[active][:, p:, :p], free))
        V = np.concatenate([V[..., :p], V[..., p:] @ turn], axis=-1)
    A, B = logs[:, :p, :p].copy(), logs[:, p:, :p].copy()
    if len(active):
        A[active], B[active] = _newton(A[active], B[active], W[active], 0.5)
        gap[active] = np.pi  # of another rotation than the last one above
    return A, B, gap


def _complete(W):
    """Return the rotations with first columns W that are nearest to the identity."""
    p = W.shape[-1]
    Q = np.linalg.qr(W, mode="complete")[0][..., p:]
    left, size, right = np.linalg.svd(Q[..., p:, :])
    Q = Q @ transpose(right)
    V = np.concatenate([W, Q @ transpose(left)], axis=-1)
    signs = np.ones_like(size)
    signs[..., -1] = np.where(np.linalg.det(V) < 0.0, -1.0, 1.0)
    return np.concatenate([W, (Q * signs[..., None, :]) @ transpose(left)], axis=-1)


def _alignment(B, C):
    """Solve S G + G S = C with S = B B^T / 12 - I / 2."""
    values, R = np.linalg.eigh(B @ transpose(B))
    values = 0.5 - values / 12.0
    divisor = np.maximum(values[..., :, None] + values[..., None, :], _SMALLEST)
    return skew_part(R @ (transpose(R) @ -C @ R / divisor) @ transpose(R))


def _newton(A, B, W, beta, n_steps=None):
    """Improve solutions of end_point(A, B) = W; what does not converge stays off."""
    k, p = B.shape[-2:]
    free = pack(A, B)
    active = np.arange(len(W))
    for _ in range(n_steps or _NEWTON_STEPS):
        frame, jacobian, _ = differential(*unpack(free[active], k, p), beta)
        ahead = transpose(frame) @ W[active]
        target = pack(skew_part(ahead[..., :p, :]), ahead[..., p:, :])
        step = _solve(jacobian, target)
        size = np.linalg.norm(step, axis=-1)
        shrink = np.minimum(1.0, _LONGEST_STEP / np.maximum(size, _LONGEST_STEP))
        shrink[size < _NOISE] = 0.0  # tiny solutions have more digits than this
        free[active] += shrink[:, None] * step
        active = active[size > _QUADRATIC]
        if not len(active):
            break
    return unpack(free, k, p)


def _solve(jacobian, target):
    try:
        return np.linalg.solve(jacobian, target[..., None])[..., 0]
    except np.linalg.LinAlgError:  # a conjugate point on the way
        return (np.linalg.pinv(jacobian) @ target[..., None])[..., 0]


def _euclidean(A, B, W, beta, injectivity_radius):
    """Return (A, B, found) from the canonical logarithms."""
    best = _newton(A, B, W, beta)
    length = _length(*best, W, beta)
    # The canonical geodesic is a path too: what is longer is not the shortest.
    path = _length(A, B, W, beta, generated_by=0.5)
    bound = np.maximum(injectivity_radius, (1.0 + _ROUNDING) * path)
    # Forth and back, so that distances are symmetric where nothing proves them
    rows = np.flatnonzero(~(length < injectivity_radius))
    if len(rows):
        _keep_shorter(best, length, _backward(A[rows], B[rows], W[rows], beta), rows)
    for n_between in _METRICS_BETWEEN:
        rows = np.flatnonzero(~(length <= bound))
        if len(rows):
            other = _followed(A[rows], B[rows], W[rows], beta, n_between)
            _keep_shorter(best, length, other, rows)
    rows = np.flatnonzero(~(length <= bound))
    if len(rows):
        _keep_shorter(best, length, _restarted(W[rows], beta), rows)
    return *best, (length <= bound) & (length < np.inf)


def _backward(A, B, W, beta):
    """Return solutions that come from the reversed geodesics, and their lengths.

    The frame of the end point is V, in which the first point is V^T [I; 0].
    """
    p = W.shape[-1]
    V = rotation(generator(A, B, 0.5))
    start = -(transpose(V) @ velocity(A, B, 0.5))
    there = transpose(V[..., :p, :])
    back = _newton(start[..., :p, :], start[..., p:, :], there, beta)
    found = -V @ velocity(*back, beta)
    A, B = skew_part(found[..., :p, :]), found[..., p:, :]
    return A, B, _length(A, B, W, beta)


def _followed(A, B, W, beta, n_between):
    """Follow solutions from the canonical metric to another, and their lengths."""
    for between in np.linspace(0.5, beta, n_between + 2)[1:-1]:
        A, B = _newton(A, B, W, between, n_steps=2)
    A, B = _newton(A, B, W, beta)
    return A, B, _length(A, B, W, beta)


def _length(A, B, W, beta, generated_by=None):
    """Return the lengths of paths, infinite where they end at another point.

    They are geodesics of the same metric unless another is given.
    """
    length = np.sqrt(squared_length(A, B, beta))
    return np.where(_verified(A, B, W, generated_by or beta), length, np.inf)


def _keep_shorter(best, length, other, rows):
    A, B, lengths = other
    better = lengths < length[rows]
    best[0][rows[better]], best[1][rows[better]] = A[better], B[better]
    length[rows[better]] = lengths[better]


def _restarted(W, beta):
    """Return the shortest solutions from random starts, and their lengths."""
    n_pairs, q, p = W.shape
    k = q - p
    best = np.zeros((n_pairs, p, p)), np.zeros((n_pairs, k, p))
    length = np.full(n_pairs, np.inf)
    rng = np.random.default_rng(0)
    for _ in range(_STARTS):
        start = unpack(rng.standard_normal(p * (p - 1) // 2 + k * p), k, p)
        scale = np.pi / np.sqrt(squared_length(*start, beta))
        A, B = (np.repeat(scale * part[None], n_pairs, axis=0) for part in start)
        A, B = _newton(A, B, W, beta)
        other = A, B, _length(A, B, W, beta)
        _keep_shorter(best, length, other, np.arange(n_pairs))
    return *best, length
