"""Flags of spans in the unit spaces of constant curvature, and their criteria.

A flag is a point, the base, and an orthonormal basis of its tangent space: the span of
level i is that of the base and the first i directions. Points are written as
y = (c, q): c is 1, cos or cosh of the distance to the base, and q, in the basis, has
the length of that distance, its sine or its hyperbolic sine. Turning direction a
towards direction b by an angle t changes the square of the residual of the levels
a, ..., b - 1 by -2 t y_a y_b, in every curvature and also for a = 0, where the turn is
a step of the base. So one gradient serves all spaces and all levels.
"""

from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._affine_span_frames import SpanFrame

__all__ = ["Cloud", "Criterion", "Flag", "start_flag"]

_LEAST_COSINE = 1e-12  # points orthogonal to a span pull without bound


class Flag(NamedTuple):
    """A base, a basis of its tangent space, and the samples in that basis."""

    base: np.ndarray
    frame: np.ndarray  # (dim, dim), columns
    Y: np.ndarray  # (n_samples, dim + 1)


class Criterion(NamedTuple):
    """Value and gradient of a sum of levels, and a model of the Hessian.

    The model is one matrix for each direction b, over the directions a that turn
    towards it: the mean of the weighted squares of y_a less that of y_b. `bound` has
    the sum in place of the difference.
    """

    value: float
    gradient: np.ndarray  # (n_rows, dim + 1)
    hessian: np.ndarray  # (dim + 1, n_rows, n_rows)
    bound: np.ndarray  # (dim + 1, n_rows, n_rows)


class Cloud:
    """Weighted samples of a unit space, and powers of their distances.

    Parameters
    ----------
    model : Euclidean, Sphere or Hyperboloid
        Space of curvature 0, 1 or -1.
    X : ndarray of shape (n_samples, n_coordinates)
        Points.
    weight : ndarray of shape (n_samples,)
        Weights that sum to one.
    p : float
        Power of the distances.
    eps : float, default=0.0
        Distances d are smoothed to sqrt(d^2 + eps^2).
    """

    def __init__(self, model: Any, X: Any, weight: Any, p: float, eps: float = 0.0):
        self.model, self.X, self.weight = model, X, weight
        self.p, self.eps = p, eps
        self.sign = int(np.sign(model._curvature))
        self.dim = model.dim

    def smoothed(self, eps):
        """Return the same samples with another smoothing."""
        return Cloud(self.model, self.X, self.weight, self.p, eps)

    def at(self, base, frame):
        """Return the flag of a base and a basis in the manifold's frame there."""
        Y = np.empty((len(self.X), self.dim + 1))
        if self.sign > 0:  # one product with the frame in the surrounding space
            Y[:, 0] = self.X @ base
            axes = self.model._vector_to_tangent(base, frame.T)
            np.matmul(self.X - base, axes.T, out=Y[:, 1:])
        else:
            Y[:, 0], q = SpanFrame(self.model, base[None]).coordinates(self.X)
            np.matmul(q, frame, out=Y[:, 1:])
        return Flag(base, frame, Y)

    def distances(self, Y, level):
        """Return distances to a span, with their sines and cosines."""
        sn = _lengths(Y[:, level + 1 :])
        if self.sign == 0:
            return sn, sn, np.ones(len(sn))
        if self.sign < 0:
            return np.arcsinh(sn), sn, np.hypot(1.0, sn)
        # A single point has no antipode in its span; greater spans have.
        cn = Y[:, 0] if level == 0 else _lengths(Y[:, : level + 1])
        return np.arctan2(sn, cn), sn, cn

    def unexplained(self, flag, level):
        """Return the weighted mean of the powers of distances to a span."""
        return float(self.weight @ self.distances(flag.Y, level)[0] ** self.p)

    def part(self, rows):
        """Return some of the samples as a cloud."""
        weight = self.weight[rows]
        return Cloud(self.model, self.X[rows], weight / weight.sum(), self.p, self.eps)

    def evaluate(self, flag, levels):
        """Return the sum of smoothed criteria of some levels, with derivatives."""
        n_rows = min(max(levels) + 1, self.dim)
        square = (self.dim + 1, n_rows, n_rows)
        parts = np.zeros((n_rows, self.dim + 1)), np.zeros(square), np.zeros(square)
        value = sum(self._add_level(flag.Y, level, *parts) for level in levels)
        return Criterion(value, *parts)

    def _slopes(self, d, sn, cn):
        """Return the power of each distance and its derivative by sn^2, times cn."""
        square = d**2 + self.eps**2
        if self.p == 2.0:
            power, slope = square, np.ones(len(d))
        else:
            tiny = np.finfo(float).tiny
            power = square ** (0.5 * self.p)
            slope = 0.5 * self.p * np.maximum(square, tiny) ** (0.5 * self.p - 1.0)
        positive = sn > 0.0
        ratio = np.where(positive, d / np.where(positive, sn, 1.0), 1.0)
        return power, slope, slope * ratio

    def _add_level(self, Y, level, gradient, hessian, bound):
        """Add the terms of one level to the tables; return its value."""
        d, sn, cn = self.distances(Y, level)
        power, slope, pull = self._slopes(d, sn, cn)
        value = float(self.weight @ power)
        out = Y[:, level + 1 :]
        if level >= self.dim:
            return value
        if level == 0:
            # cn may vanish or be negative: the product with y_0 / cn = 1 may not.
            gradient[0, 1:] -= 2.0 * (self.weight * pull) @ out
            steep = 2.0 * float(self.weight @ (slope if self.sign >= 0 else pull * cn))
            hessian[1:, 0, 0] += steep
            bound[1:, 0, 0] += steep
            return value
        g = self.weight * pull / np.maximum(cn, _LEAST_COSINE)
        inside = Y[:, : level + 1]
        weighted = g[:, None] * inside
        gradient[: level + 1, level + 1 :] -= 2.0 * weighted.T @ out
        squares = 2.0 * weighted.T @ inside
        gained = np.ones(level + 1)
        gained[0] = self.sign  # a step of the base
        gained = np.diag(gained)
        for table, sign in ((hessian, -gained), (bound, np.abs(gained))):
            lost = 2.0 * (g @ out**2)[:, None, None]
            table[level + 1 :, : level + 1, : level + 1] += squares + lost * sign
        return value

    def weights_of_level(self, flag, level):
        """Return the weights of the squares in the quadratic model of a level."""
        d, sn, cn = self.distances(flag.Y, level)
        pull = self._slopes(d, sn, cn)[2]
        return self.weight * pull / np.maximum(np.abs(cn), _LEAST_COSINE)

    def turn(self, flag, turns):
        """Turn directions a towards directions b by the angles of a table."""
        rotation = cayley(turns, self.dim)
        if not np.any(turns[0]):
            Y = flag.Y.copy()
            Y[:, 1:] = flag.Y[:, 1:] @ rotation
            return Flag(flag.base, flag.frame @ rotation, Y)
        base, frame = self.shift(flag.base, flag.frame, flag.frame @ turns[0, 1:])
        return self.at(base, frame @ rotation)

    def shift(self, base, frame, w):
        """Move the base along a tangent vector and take the basis along."""
        model = self.model
        moved = model._exp(base, model._vector_to_tangent(base, w))
        tangents = model._vector_to_tangent(base, frame.T)
        carried = model._tangent_to_vector(
            moved, model._transport(base, moved, tangents)
        ).T
        # One step of Newton for the polar factor stops the drift.
        return moved, carried @ (1.5 * np.eye(self.dim) - 0.5 * carried.T @ carried)

    def gauge(self, flag, level, blocks):
        """Return the rotation inside blocks that diagonalises the quadratic model."""
        rotation = np.eye(self.dim + 1)
        g = self.weights_of_level(flag, level)
        for low, high in blocks:
            if high - low < 2:
                continue
            part = flag.Y[:, low:high]
            vectors = np.linalg.eigh((g[:, None] * part).T @ part)[1][:, ::-1]
            rotation[low:high, low:high] = vectors
        return rotation


def _lengths(Y):
    return np.sqrt(np.einsum("ij,ij->i", Y, Y))


def cayley(turns, dim):
    """Return the rotation of the directions 1, ..., dim that a table asks for."""
    skew = np.zeros((dim, dim))
    rows = turns[1:, 1:]
    skew[:, : len(rows)] = rows.T
    skew[: len(rows)] -= rows
    if not np.any(skew):
        return np.eye(dim)
    one = np.eye(dim)
    return np.linalg.solve(one - 0.5 * skew, one + 0.5 * skew)


def start_flag(cloud, base):
    """Return the flag of principal directions at a base."""
    flag = cloud.at(base, np.eye(cloud.dim))
    q = flag.Y[:, 1:]
    vectors = np.linalg.eigh((cloud.weight[:, None] * q).T @ q)[1][:, ::-1]
    return Flag(base, vectors, np.column_stack([flag.Y[:, 0], q @ vectors]))
