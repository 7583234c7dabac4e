"""Hyperbolic space in the Poincaré ball, and its map to the hyperboloid."""

import math
from typing import Any

import numpy as np

from geolearn.manifolds._ball import Ball
from geolearn.manifolds.hyperboloid import negative_curvature

__all__ = ["PoincareBall", "hyperboloid_to_poincare", "poincare_to_hyperboloid"]


class PoincareBall(Ball):
    """Represent hyperbolic space by the open ball of radius 1/sqrt(-curvature).

    The metric is the Euclidean one times ``(2 / (1 - |x|**2))**2`` at curvature -1.
    Relative errors grow like the rounding error over the distance to the boundary,
    which is intrinsic to the model: hyperbolic radius 21 is 1e-9 from the boundary.
    Points far out are better kept in `Hyperboloid`.

    Parameters
    ----------
    dim : int
        Dimension, at least 1.
    curvature : float, default=-1.0
        Sectional curvature, negative.

    See Also
    --------
    Manifold : The methods.
    Hyperboloid : The same geometry with more room for far points.
    poincare_to_hyperboloid : Change of model.

    Notes
    -----
    Nothing is clipped silently. `check_points` refuses points on or outside the
    boundary, `project` moves them to 1 - 1e-9 of its radius, and `exp` warns when
    the result is closer to the boundary than double precision resolves.

    Examples
    --------
    >>> disk = PoincareBall(2)
    >>> float(disk.dist([0.5, 0.0], [0.0, 0.5]).round(10))
    1.6806997724
    """

    _radius_factor = 2.0

    def kernel_metric(self) -> tuple[str, dict]:
        """Name the compiled kernel of `geolearn.metrics` for this distance.

        Returns
        -------
        tuple of (str, dict)
            ``("poincare", {"curvature": curvature})``.
        """
        return "poincare", {"curvature": self.curvature}

    def _conformal(self, x):
        return 2.0 / self._gap(x)

    def _inner(self, x, u, v):
        return np.sum(u * v, axis=-1) * self._conformal(x)[..., 0] ** 2

    def _norm(self, x, v):
        return np.linalg.norm(v, axis=-1) * self._conformal(x)[..., 0]

    def _dist(self, x, y):
        # Subtract before scaling: scaling first rounds both points separately.
        apart = self._root * np.linalg.norm(y - x, axis=-1)
        gaps = (self._gap(x) * self._gap(y))[..., 0]
        return 2.0 / self._root * np.arcsinh(apart / np.sqrt(gaps))

    def _log(self, x, y):
        difference = y - x
        square = -self.curvature * np.sum(difference**2, axis=-1, keepdims=True)
        gap = self._gap(x)
        # Numerator of the Möbius difference (-x) + y
        direction = gap * difference - square * x
        norm = np.linalg.norm(direction, axis=-1, keepdims=True)
        length = self._dist(x, y)[..., None] * gap / 2.0
        return length / np.where(norm > 0.0, norm, 1.0) * direction

    def _exp(self, x, v):
        norm = np.linalg.norm(v, axis=-1, keepdims=True)
        reach = np.tanh(0.5 * self._root * self._conformal(x) * norm)
        step = reach / (self._root * np.where(norm > 0.0, norm, 1.0)) * v
        return self._keep_inside(self._add(x, step))

    def _add(self, x, y):
        """Return the Möbius sum."""
        c = -self.curvature
        product = 2.0 * c * np.sum(x * y, axis=-1, keepdims=True)
        x_square, y_square = (c * np.sum(p**2, axis=-1, keepdims=True) for p in (x, y))
        total = (1.0 + product + y_square) * x + self._gap(x) * y
        # The denominator vanishes only where y is opposite x on the boundary.
        denominator = 1.0 + product + x_square * y_square
        return total / np.where(denominator > 0.0, denominator, 1.0)

    def _transport(self, x, y, v):
        ratio = self._gap(y) / self._gap(x)
        return ratio * self._gyrate(y, -x, v)

    def _gyrate(self, a, b, v):
        """Rotate v by the gyration gyr[a, b]."""
        c = -self.curvature

        def dot(p, q):
            return np.sum(p * q, axis=-1, keepdims=True)

        ab, av, bv, aa, bb = dot(a, b), dot(a, v), dot(b, v), dot(a, a), dot(b, b)
        along_a = -(c**2) * av * bb + c * bv + 2.0 * c**2 * ab * bv
        along_b = -(c**2) * bv * aa - c * av
        denominator = 1.0 + 2.0 * c * ab + c**2 * aa * bb
        return v + 2.0 * (along_a * a + along_b * b) / denominator

    def _tangent_to_vector(self, x, v):
        return self._conformal(x) * v

    def _vector_to_tangent(self, x, w):
        return w / self._conformal(x)

    def _lift(self, x):
        return poincare_to_hyperboloid(x, curvature=self.curvature)

    def _lower(self, x):
        return hyperboloid_to_poincare(x, curvature=self.curvature)


def hyperboloid_to_poincare(X: Any, *, curvature: float = -1.0) -> np.ndarray:
    """Map points of the hyperboloid to the Poincaré ball, an isometry.

    Parameters
    ----------
    X : array_like of shape (..., dim + 1)
        Points of ``Hyperboloid(dim, curvature)``.
    curvature : float, default=-1.0
        Sectional curvature of both models, negative.

    Returns
    -------
    ndarray of shape (..., dim)
        Points of ``PoincareBall(dim, curvature)``.

    Raises
    ------
    ValueError
        If the curvature is not negative.

    See Also
    --------
    poincare_to_hyperboloid : The inverse.

    Examples
    --------
    >>> hyperboloid_to_poincare([1.25, 0.75]).round(12)
    array([0.33333333])
    """
    root = math.sqrt(-negative_curvature(curvature))
    X = _floating(X)
    space = X[..., 1:].astype(np.float64)
    scaled = np.linalg.norm(root * space, axis=-1, keepdims=True)
    return (space / (1.0 + np.hypot(1.0, scaled))).astype(X.dtype, copy=False)


def poincare_to_hyperboloid(X: Any, *, curvature: float = -1.0) -> np.ndarray:
    """Map points of the Poincaré ball to the hyperboloid, an isometry.

    Parameters
    ----------
    X : array_like of shape (..., dim)
        Points of ``PoincareBall(dim, curvature)``.
    curvature : float, default=-1.0
        Sectional curvature of both models, negative.

    Returns
    -------
    ndarray of shape (..., dim + 1)
        Points of ``Hyperboloid(dim, curvature)``.

    Raises
    ------
    ValueError
        If the curvature is not negative, or a point is not inside the ball.

    See Also
    --------
    hyperboloid_to_poincare : The inverse.

    Examples
    --------
    >>> poincare_to_hyperboloid([1 / 3])
    array([1.25, 0.75])
    """
    root = math.sqrt(-negative_curvature(curvature))
    X = _floating(X)
    points = X.astype(np.float64)
    norm = root * np.linalg.norm(points, axis=-1, keepdims=True)
    if not np.all(norm < 1.0):
        raise ValueError(
            f"Points must lie inside the ball of radius {1.0 / root:g}; the farthest "
            f"has norm {np.max(norm) / root:g}."
        )
    return lift_from_poincare(points, norm, root).astype(X.dtype, copy=False)


def lift_from_poincare(points, norm, root):
    """Return points of the hyperboloid; `norm` is theirs in units of the ball."""
    gap = (1.0 - norm) * (1.0 + norm)
    time = (1.0 + norm**2) / (gap * root)
    return np.concatenate([time, 2.0 * points / gap], axis=-1)


def _floating(X):
    X = np.asarray(X)
    return X if X.dtype == np.float32 else X.astype(np.float64)
