"""Whether projections are means: negative eigenvalues of the weighted variance."""

import numpy as np

from geolearn.decomposition._affine_span import affine_span_index
from geolearn.decomposition._affine_span_frames import SpanFrame, unfold
from geolearn.manifolds.special import sinc, sinhc

__all__ = ["hessian_index"]

_BLOCK_NUMBERS = 2**21  # entries of the Hessians at a time, 16 MiB


def hessian_index(manifold, x, references, weights):
    """Return numbers of negative eigenvalues of the weighted variances.

    Returns
    -------
    ndarray of int of shape (n,)
        -1 where the weights are not finite.
    """
    out = np.full(len(x), -1)
    finite = np.isfinite(weights).all(axis=1)
    out[finite] = 0  # flat, or a minimum for non-negative weights
    rows = finite & ~(manifold.is_hadamard & (weights >= 0.0).all(axis=1))
    rows = np.flatnonzero(rows)
    if manifold.is_flat or len(references) == 1 or not len(rows):
        return out
    unfolded = unfold(manifold)
    if unfolded is not None and len(references) <= manifold.dim:
        model, unfolding, _ = unfolded
        frame = SpanFrame(model, unfolding(references))
        c, q = frame.coordinates(unfolding(x[rows]))
        inside = frame.reduced.project(np.column_stack([c, q @ frame.basis]))
        out[rows] = _indices(frame.reduced, inside, frame.points, weights[rows])
        across = _across(frame, inside, weights[rows])
        out[rows] += (manifold.dim - frame.reduced.dim) * (across < 0.0)
    else:
        out[rows] = _indices(manifold, x[rows], references, weights[rows])
    return out


def _indices(manifold, x, references, weights):
    step = max(1, _BLOCK_NUMBERS // (len(references) * manifold.dim**2))
    blocks = [slice(i, i + step) for i in range(0, len(x), step)]
    return np.concatenate(
        [affine_span_index(manifold, x[b], references, weights[b]) for b in blocks]
    )


def _across(frame, inside, weights):
    """Return the eigenvalue of the Hessians across the span."""
    angle = frame.reduced.dist(inside[:, None], frame.points[None])
    if frame.sign > 0:
        ratio = np.cos(angle) / sinc(np.minimum(angle, np.pi))
    else:
        ratio = np.cosh(angle) / sinhc(angle)
    return np.sum(weights * ratio, axis=1)
