"""Hyperbolic space in the Klein ball, and changes between the three models."""

import math
from typing import Any

import numpy as np

from geolearn.manifolds._ball import Ball
from geolearn.manifolds.hyperboloid import Hyperboloid, negative_curvature
from geolearn.manifolds.poincare import hyperboloid_to_poincare, lift_from_poincare
from geolearn.manifolds.special import sinhc
from geolearn.utils._hyperbolic_models import HYPERBOLIC_MODELS

__all__ = ["KleinBall", "convert_hyperbolic"]

_FAR = 1e150  # radii of curvature; the square is finite


class KleinBall(Ball):
    """Represent hyperbolic space by a ball whose chords are the geodesics.

    The ball has the radius R = 1/sqrt(-curvature); a point x of the hyperboloid is
    shown at R times the ratio of its spatial part and its time. Half of the radius
    that the Poincaré ball resolves is lost: hyperbolic radius 10.7 is 1e-9 from the
    boundary. Points far out are better kept in `Hyperboloid`.

    Parameters
    ----------
    dim : int
        Dimension, at least 1.
    curvature : float, default=-1.0
        Sectional curvature, negative.

    See Also
    --------
    Manifold : The methods.
    Hyperboloid : The same geometry with room for far points.
    convert_hyperbolic : Change of model.

    Notes
    -----
    Nothing is clipped silently. `check_points` refuses points on or outside the
    boundary, `project` moves them to 1 - 1e-9 of its radius, and `exp` warns when
    the result is closer to the boundary than double precision resolves.

    Examples
    --------
    >>> disk = KleinBall(2)
    >>> float(disk.dist([0.0, 0.0], [0.8, 0.0]).round(10))
    1.0986122887
    """

    _radius_factor = 1.0

    def _gamma(self, x):
        """Return the time coordinate in units of R."""
        return 1.0 / np.sqrt(self._gap(x))

    def _along(self, x, v):
        """Return gamma times <u, v>."""
        product = np.sum(self._root * x * v, axis=-1, keepdims=True)
        return self._gamma(x) * product

    def _inner(self, x, u, v):
        euclidean = np.sum(u * v, axis=-1)
        radial = (self._along(x, u) * self._along(x, v))[..., 0]
        return (euclidean + radial) / self._gap(x)[..., 0]

    def _norm(self, x, v):
        # hypot, since the square of a far tangent vector may overflow
        length = np.linalg.norm(v, axis=-1)
        return self._gamma(x)[..., 0] * np.hypot(length, self._along(x, v)[..., 0])

    def _sinh_dist(self, x, y):
        """Return sinh(d), a sum of positive terms.

        With w = y - x it is gamma_x sqrt(|w|^2 + gamma_y^2 <w, y>^2) in units of R,
        from cosh(d) = gamma_x gamma_y (1 - <x, y>).
        """
        w = self._root * (y - x)
        length = np.linalg.norm(w, axis=-1)
        return self._gamma(x)[..., 0] * np.hypot(length, self._along(y, w)[..., 0])

    def _dist(self, x, y):
        return np.arcsinh(self._sinh_dist(x, y)) / self._root

    def _log(self, x, y):
        d = np.arcsinh(self._sinh_dist(x, y))[..., None]
        # The chord has the length gamma_x sinh(d) / gamma_y in the metric at x.
        return self._gamma(y) / (self._gamma(x) * sinhc(d)) * (y - x)

    def _exp(self, x, v):
        r = self._root * self._norm(x, v)[..., None]
        # sinh(r) / r and cosh(r), both over cosh(r), so that nothing overflows
        ratio = np.tanh(r) / np.where(r > 0.0, r, 1.0)
        ratio = np.where(r > 0.0, ratio, 1.0)
        turn = self._root * self._gamma(x) * self._along(x, v)
        return self._keep_inside(x + ratio / (1.0 + ratio * turn) * v)

    def _transport(self, x, y, v):
        lifted = Hyperboloid(self.dim, curvature=self.curvature)
        a, b = self._lift(x), self._lift(y)
        moved = lifted._transport(a, b, lifted._vector_to_tangent(a, self._frame(x, v)))
        return self._vector_to_tangent(y, lifted._tangent_to_vector(b, moved))

    def _lift(self, x):
        return _lift(x, self._gap(x), self._root)

    def _lower(self, x):
        return _lower(x, self._root)

    def _frame(self, x, v):
        u = self._root * x
        gamma = self._gamma(x)
        along = np.sum(u * v, axis=-1, keepdims=True)
        return gamma * (v + gamma**2 / (1.0 + gamma) * along * u)

    def _tangent_to_vector(self, x, v):
        return self._frame(x, v)

    def _vector_to_tangent(self, x, w):
        u = self._root * x
        gamma = self._gamma(x)
        along = np.sum(u * w, axis=-1, keepdims=True)
        return (w - gamma / (1.0 + gamma) * along * u) / gamma


def convert_hyperbolic(
    X: Any, source: str, target: str, curvature: float = -1.0
) -> np.ndarray:
    """Map points from one model of hyperbolic space to another, an isometry.

    Parameters
    ----------
    X : array_like of shape (..., n_columns)
        Points of the model `source`: n_columns is dim + 1 for the hyperboloid, time
        first, and dim for the balls, which have the radius 1/sqrt(-curvature). The
        time coordinate is recomputed from the others.
    source : {"hyperboloid", "poincare", "klein"}
        Model of `X`.
    target : {"hyperboloid", "poincare", "klein"}
        Model of the result.
    curvature : float, default=-1.0
        Sectional curvature of both models, negative.

    Returns
    -------
    ndarray of shape (..., n_columns)
        Points of the model `target`, float32 if `X` is.

    Raises
    ------
    ValueError
        If a model is unknown, the curvature is not negative, a coordinate is infinite,
        or a point of a ball is not inside it.

    See Also
    --------
    hyperboloid_to_poincare : The same for this pair.
    axial_coordinates : Coordinates for decision trees.

    Notes
    -----
    Digits are lost towards the boundary of a ball: a relative 1e-16 of its radius
    is a length of about 1e-16 exp(r) at hyperbolic radius r in the Poincaré ball,
    and 1e-16 exp(2 r) in the Klein ball.

    Examples
    --------
    >>> from geolearn.manifolds import convert_hyperbolic
    >>> convert_hyperbolic([2.5, 1.0, 2.0, -0.5], "hyperboloid", "klein")
    array([ 0.4,  0.8, -0.2])
    >>> convert_hyperbolic([0.4, 0.8, -0.2], "klein", "poincare").round(8)
    array([ 0.28571429,  0.57142857, -0.14285714])
    """
    root = math.sqrt(-negative_curvature(curvature))
    for name, model in (("source", source), ("target", target)):
        if model not in HYPERBOLIC_MODELS:
            raise ValueError(
                f"{name}={model!r} is unknown; choose one of "
                f"{', '.join(HYPERBOLIC_MODELS)}."
            )
    X = np.asarray(X)
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    X = X.astype(np.float64)
    if np.isinf(X).any():
        raise ValueError("X contains infinity; coordinates of points are finite.")
    if X.ndim == 0 or (source == "hyperboloid" and X.shape[-1] < 2):
        raise ValueError(
            f"X has shape {X.shape}, but points of the {source} model are rows of "
            f"{'at least 2 numbers, time first' if X.ndim else 'numbers'}."
        )
    if source == target:
        return X.astype(dtype, copy=False)
    if source == "hyperboloid":
        X = _within(X, _FAR / root)
        if target == "poincare":
            result = hyperboloid_to_poincare(X, curvature=curvature)
        else:
            result = _lower(X, root)
        return result.astype(dtype, copy=False)
    norm = np.linalg.norm(root * X, axis=-1, keepdims=True)
    if np.any(norm >= 1.0):
        raise ValueError(
            f"{int(np.sum(norm >= 1.0))} points of X are not inside the {source} ball "
            f"of radius {1.0 / root:g}; the farthest has norm {np.max(norm) / root:g}. "
            f"Scale them into the ball, or pass the curvature of the model."
        )
    gap = (1.0 - norm) * (1.0 + norm)
    if target == "klein":
        result = 2.0 * X / (1.0 + norm**2)
    elif target == "poincare":
        result = X / (1.0 + np.sqrt(gap))
    elif source == "klein":
        result = _lift(X, gap, root)
    else:  # what the function of the ball returns, but NaN passes
        result = lift_from_poincare(X, norm, root)
    return result.astype(dtype, copy=False)


def _within(X, size):
    """Shrink rows to a size whose square is finite; balls do not see the difference."""
    largest = np.max(np.abs(X), axis=-1, keepdims=True, initial=0.0)
    if not np.any(largest > size):
        return X
    return X * np.where(largest > size, size / np.maximum(largest, size), 1.0)


def _lift(x, gap, root):
    """Return the points of the hyperboloid that the Klein ball shows at x."""
    time = 1.0 / np.sqrt(gap)
    return np.concatenate([time / root, time * x], axis=-1)


def _lower(x, root):
    """Return where the Klein ball shows points of the hyperboloid."""
    space = x[..., 1:]
    return space / np.hypot(1.0, np.linalg.norm(root * space, axis=-1, keepdims=True))
