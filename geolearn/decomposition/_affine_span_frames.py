"""Spans in spaces of constant curvature: closed forms in a frame at the first point.

A span is a copy of the model space of its own dimension. Points are written as
(c, q) in the frame at x_0: c is 1, cos or cosh of the distance to x_0, and q has the
length of that distance, its sin or its sinh. Lengths are in radii of curvature.
"""

import numpy as np

from geolearn.manifolds import Euclidean, Hyperboloid, Sphere
from geolearn.manifolds.special import sinc, sinhc

__all__ = ["SpanFrame", "unfold"]

_FAR_CUT = 1e-9  # angle to the antipode below which a weight takes its limit
_ORTHOGONAL = 1e-12  # cosine of the distance that is only rounding
_AT_INFINITY = 1e-12  # share of a sum of weights that is only rounding


def unfold(manifold):
    """Return a model space of constant curvature and the maps to it and back.

    Returns
    -------
    tuple or None
        Model, map from points and map to points; None where there is none.
    """
    from geolearn.manifolds import SPD, KleinBall, PoincareBall
    from geolearn.manifolds.spd._flat import Flat

    if isinstance(manifold, Euclidean | Sphere | Hyperboloid):
        return manifold, np.asarray, np.asarray
    if isinstance(manifold, KleinBall | PoincareBall):
        model = Hyperboloid(manifold.dim, curvature=manifold.curvature)
        return model, manifold._lift, manifold._lower
    if isinstance(manifold, SPD) and isinstance(manifold._geometry, Flat):
        chart = manifold._geometry.chart
        return Euclidean(manifold.dim), chart.coordinates, chart.matrix
    return None


class SpanFrame:
    """Write points relative to the span of references.

    Parameters
    ----------
    model : Euclidean, Sphere or Hyperboloid
        Surrounding space.
    references : ndarray of shape (k + 1, n_coordinates)
        Independent points, k at most the dimension of the space.

    Attributes
    ----------
    reduced : Manifold
        The span as a space of its own, of dimension k and unit radius; None if k = 0.
    points : ndarray of shape (k + 1, n_reduced)
        References in it.
    """

    def __init__(self, model, references):
        self.model, self.base = model, references[0]
        self.sign = int(np.sign(model._curvature))
        self.scale = 1.0 if self.sign == 0 else model._length_scale
        k = len(references) - 1
        c, q = self.coordinates(references)
        self.basis, self.triangle = np.linalg.qr(q[1:].T)
        inside = np.vstack([np.zeros(k), self.triangle.T])
        self.heights = c
        if k == 0:
            self.reduced, self.points = None, None
        elif self.sign == 0:
            self.reduced, self.points = Euclidean(k), inside
        else:
            self.reduced = Sphere(k) if self.sign > 0 else Hyperboloid(k)
            self.points = np.column_stack([c, inside])

    def coordinates(self, X):
        """Return c and q of points."""
        model, base = self.model, self.base
        if self.sign == 0:
            return np.ones(len(X)), X - base
        if self.sign > 0:
            q = model._tangent_to_vector(base, X - base) / self.scale
            return X @ base / self.scale**2, q
        h = model._half_sinh_squared(base, X)
        space = (X[:, 1:] - base[1:]) - 2.0 * h[:, None] * base[1:]
        tangent = model._with_tangent_time(base, space / self.scale)
        return 1.0 + 2.0 * h, model._tangent_to_vector(base, tangent)

    def restore(self, c, p):
        """Return points with heights c and coordinates p in the basis of the span."""
        q = p @ self.basis.T
        if self.sign == 0:
            return self.base + q
        tangent = self.model._vector_to_tangent(self.base, self.scale * q)
        return self.model._project(c[:, None] * self.base + tangent)

    def project(self, X):
        """Return projections, distances, weights and whether all is well defined."""
        c, q = self.coordinates(X)
        p = q @ self.basis
        across = np.linalg.norm(q - p @ self.basis.T, axis=1)
        if self.sign == 0:
            coefficients = np.linalg.solve(self.triangle, p.T).T
            first = 1.0 - coefficients.sum(axis=1)
            weights = np.column_stack([first, coefficients])
            return self.restore(c, p), across, weights, np.ones(len(X), dtype=bool)
        if self.sign > 0:
            along = np.hypot(c, np.linalg.norm(p, axis=1))
            unique = along > _ORTHOGONAL
            distance = np.arctan2(across, along)
            c, p = np.where(unique, c, 1.0), np.where(unique[:, None], p, 0.0)
            along = np.where(unique, along, 1.0)
        else:
            along = np.hypot(1.0, across)
            distance = np.arcsinh(across)
            unique = np.ones(len(X), dtype=bool)
        c, p = c / along, p / along[:, None]
        weights, regular = self.weights(c, p)
        return self.restore(c, p), self.scale * distance, weights, unique & regular

    def slopes(self, X, others):
        """Return cosines between residuals and other points, positive on their side."""
        q, toward = self.coordinates(X)[1], self.coordinates(others)[1]
        across = q - (q @ self.basis) @ self.basis.T
        size = np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(toward, axis=1)
        return across @ toward.T / np.where(size > 0.0, size, 1.0)

    def weights(self, c, p):
        """Return barycentric weights of points of the span, NaN for infinite ones."""
        others = np.linalg.solve(self.triangle, p.T).T
        first = c - others @ self.heights[1:]
        a = np.column_stack([first, others])
        here = np.column_stack([c, p])[:, None]
        angle = self.reduced._dist(here, self.points)
        if self.sign > 0:
            regular = np.all(angle <= np.pi - _FAR_CUT, axis=1)
            terms = np.where(angle <= np.pi - _FAR_CUT, a * sinc(angle), 0.0)
        else:
            regular = np.ones(len(c), dtype=bool)
            terms = a * sinhc(angle)
        return sum_to_one(terms), regular


def sum_to_one(terms):
    """Divide rows by their sums; rows whose sum is only rounding become NaN."""
    total = terms.sum(axis=-1, keepdims=True)
    size = np.abs(terms).sum(axis=-1, keepdims=True)
    finite = np.abs(total) > _AT_INFINITY * size
    return np.where(finite, terms / np.where(finite, total, 1.0), np.nan)
