"""Hyperbolic space on the upper sheet of a hyperboloid."""

import math
import warnings

import numpy as np

from geolearn.manifolds._constant_curvature import ConstantCurvature
from geolearn.manifolds.special import sinhc
from geolearn.utils.validation import check_positive

__all__ = ["Hyperboloid"]

LARGEST_RADIUS = 30.0  # in radii of curvature; all tangential digits end near 36


class Hyperboloid(ConstantCurvature):
    """Represent hyperbolic space of `dim` dimensions and negative curvature.

    Points x in R^(dim + 1) satisfy <x, x> = 1 / curvature and x_0 > 0 for the
    Lorentz product <a, b> = -a_0 b_0 + a_1 b_1 + ... + a_dim b_dim. Distances and
    logarithms avoid its cancellation: their absolute error at hyperbolic radius r
    is of the order of the rounding error times cosh(r), that of the coordinates
    themselves.

    Parameters
    ----------
    dim : int
        Dimension, at least 1; points have dim + 1 coordinates, time first.
    curvature : float, default=-1.0
        Sectional curvature, negative.

    See Also
    --------
    Manifold : The methods.
    PoincareBall : The same geometry in a ball.
    hyperboloid_to_poincare : Change of model.

    Notes
    -----
    Beyond 30 radii of curvature from the origin, double precision cannot hold the
    direction of a point; `check_points` warns.

    Examples
    --------
    >>> plane = Hyperboloid(2)
    >>> x = [np.cosh(1.0), np.sinh(1.0), 0.0]
    >>> float(np.round(plane.dist(plane.origin, x), 12))
    1.0
    """

    def __init__(self, dim: int, curvature: float = -1.0):
        self.curvature = negative_curvature(curvature)
        self._define(dim, 1, self.curvature)

    def kernel_metric(self) -> tuple[str, dict]:
        """Name the compiled kernel of `geolearn.metrics` for this distance.

        Returns
        -------
        tuple of (str, dict)
            ``("hyperboloid", {"curvature": curvature})``.
        """
        return "hyperboloid", {"curvature": self.curvature}

    @property
    def _root(self):
        """Square root of minus the curvature, which scales lengths to 1."""
        return math.sqrt(-self.curvature)

    def _origin(self):
        return self._with_time(np.zeros(self.dim))

    def _with_time(self, space):
        """Prepend the time coordinate that belongs to spatial coordinates."""
        squared = np.sum(space**2, axis=-1, keepdims=True) - 1.0 / self.curvature
        return np.concatenate([np.sqrt(squared), space], axis=-1)

    def _with_tangent_time(self, x, space):
        """Prepend the time coordinate that makes a vector tangent at x."""
        time = np.sum(x[..., 1:] * space, axis=-1, keepdims=True) / self._time(x)
        return np.concatenate([time, space], axis=-1)

    def _time(self, x):
        """Return x_0 recomputed from the spatial part."""
        return np.sqrt(
            np.sum(x[..., 1:] ** 2, axis=-1, keepdims=True) - 1.0 / self.curvature
        )

    def _project(self, x):
        return self._with_time(x[..., 1:])

    def _deviation(self, x):
        time = self._time(x)[..., 0]
        return np.abs(x[..., 0] - time) / time

    def _check_range(self, x):
        farthest = float(np.max(np.arcsinh(self._root * _norm(x[..., 1:]))))
        if farthest > LARGEST_RADIUS:
            warn_far(self, farthest)

    def _project_tangent(self, x, v):
        product = np.sum(x[..., 1:] * v[..., 1:], axis=-1) - x[..., 0] * v[..., 0]
        space = v[..., 1:] - self.curvature * product[..., None] * x[..., 1:]
        return self._with_tangent_time(x, space)

    def _half_sinh_squared(self, x, y):
        """Return q = sinh(d / 2)^2 in units of curvature, a sum of positive terms.

        For spatial parts a, b with a.b >= 0, q is |a - b|^2 + |a ^ b|^2 over
        2 (1 + x0 y0 + a.b), and the exterior product is that of a - b with the
        shorter of a and b; for a.b < 0, the terms of x0 y0 - a.b - 1 = 2 q are
        positive one by one.
        """
        a, b = self._root * x[..., 1:], self._root * y[..., 1:]
        difference = self._root * (x[..., 1:] - y[..., 1:])
        a_square, b_square = _square(a), _square(b)
        x0, y0 = np.sqrt(1.0 + a_square), np.sqrt(1.0 + b_square)
        product = np.sum(a * b, axis=-1)

        shorter = np.where((a_square < b_square)[..., None], a, b)
        pivot = np.minimum(a_square, b_square)
        along = np.sum(difference * shorter, axis=-1)
        along = along / np.where(pivot > 0.0, pivot, 1.0)
        across = difference - along[..., None] * shorter
        near = _square(difference) + pivot * _square(across)
        near = near / (2.0 * (1.0 + x0 * y0 + np.maximum(product, 0.0)))

        x_excess, y_excess = a_square / (1.0 + x0), b_square / (1.0 + y0)
        far = 0.5 * (x_excess + y_excess + x_excess * y_excess - product)
        return np.where(product >= 0.0, near, far)

    def _dist(self, x, y):
        return 2.0 / self._root * np.arcsinh(np.sqrt(self._half_sinh_squared(x, y)))

    def _exp(self, x, v):
        r = self._root * self._norm(x, v)[..., None]
        return self._with_time(np.cosh(r) * x[..., 1:] + sinhc(r) * v[..., 1:])

    def _log(self, x, y):
        q = self._half_sinh_squared(x, y)[..., None]
        # alpha / sinh(alpha) for alpha = 2 asinh(sqrt(q))
        ratio = 1.0 / sinhc(2.0 * np.arcsinh(np.sqrt(q)))
        a, b = x[..., 1:], y[..., 1:]
        return self._with_tangent_time(x, ratio * ((b - a) - 2.0 * q * a))

    def _transport(self, x, y, v):
        """Go through the origin, where only the holonomy of the triangle is left.

        In the frames of `_tangent_to_vector` the transport is the Cayley transform of
        the skew map T = (a b^T - b a^T) / (2 + 2 q + x_0 + y_0): the rotation in the
        plane of the spatial parts by the area of the triangle of origin, x and y. No
        large numbers cancel, as they do in ambient coordinates.
        """
        q = self._half_sinh_squared(x, y)[..., None]
        a, b = self._root * x[..., 1:], self._root * y[..., 1:]
        scale = 2.0 + 2.0 * q + self._root * (self._time(x) + self._time(y))
        # T is that of any two of a, b and b - a: the shorter ones round less.
        difference = self._root * (y[..., 1:] - x[..., 1:])
        near = (_square(difference) < np.maximum(_square(a), _square(b)))[..., None]
        shorter = (_square(a) < _square(b))[..., None]
        first = np.where(near & ~shorter, -difference, a)
        second = np.where(near & shorter, difference, b)

        def skew(w):
            left = np.sum(first * w, axis=-1, keepdims=True)
            right = np.sum(second * w, axis=-1, keepdims=True)
            return (first * right - second * left) / scale

        w = self._tangent_to_vector(x, v)
        once = skew(w)
        twice = skew(once)
        # T^2 is -t^2 on the plane of a and b, t the tangent of half the angle.
        t_square = _wedge_square(first, second)[..., None] / scale**2
        return self._vector_to_tangent(y, w + 2.0 * (once + twice) / (1.0 + t_square))

    def _inner(self, x, u, v):
        # Through the coordinates at the origin: the Lorentz product of large
        # vectors cancels twice as many digits.
        return np.sum(
            self._tangent_to_vector(x, u) * self._tangent_to_vector(x, v), axis=-1
        )

    def _tangent_to_vector(self, x, v):
        """Transport to the origin, where the frame is the spatial axes."""
        a, time = self._root * x[..., 1:], self._root * self._time(x)
        along = np.sum(a * v[..., 1:], axis=-1, keepdims=True)
        return v[..., 1:] - along / (time * (1.0 + time)) * a

    def _vector_to_tangent(self, x, w):
        a, time = self._root * x[..., 1:], self._root * self._time(x)
        along = np.sum(a * w, axis=-1, keepdims=True)
        return self._with_tangent_time(x, w + along / (1.0 + time) * a)

    def _random_point(self, n_samples, rng):
        scaled = rng.standard_normal((n_samples, self.dim)) / self._root
        origin = self._origin()
        return self._exp(origin, self._vector_to_tangent(origin, scaled))

    def _mean_start(self, X, weight):
        average = weight @ X
        lorentz = average[0] ** 2 - np.sum(average[1:] ** 2)
        if not lorentz > 0.0:  # cancelled far from the origin
            return self._project(average)
        return self._project(average / (self._root * math.sqrt(lorentz)))


def negative_curvature(curvature):
    """Return the curvature as a float, or explain the convention."""
    try:
        return -check_positive(-curvature, "-curvature")
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"curvature must be a negative number, got {curvature!r}; -1 / R^2 has "
            f"radius of curvature R."
        ) from None


def warn_far(manifold, farthest):
    """Warn about points whose coordinates have lost their direction."""
    warnings.warn(
        f"Points lie up to {farthest:.1f} radii of curvature from the origin of "
        f"{manifold!r}; beyond {LARGEST_RADIUS:g} double precision loses their "
        f"position. Rescale the data or take a curvature closer to zero.",
        UserWarning,
        stacklevel=4,
    )


def _wedge_square(a, b):
    """Return |a|^2 |b|^2 - (a.b)^2 as a sum of positive terms."""
    shorter = (_square(a) < _square(b))[..., None]
    a, b = np.where(shorter, a, b), np.where(shorter, b, a)
    pivot = _square(a)
    along = np.sum(a * b, axis=-1) / np.where(pivot > 0.0, pivot, 1.0)
    return pivot * _square(b - along[..., None] * a)


def _norm(v):
    return np.linalg.norm(v, axis=-1)


def _square(v):
    return np.sum(v**2, axis=-1)
