"""What the two models of hyperbolic space in a ball share."""

import math
import warnings
from typing import ClassVar

import numpy as np

from geolearn.manifolds._constant_curvature import ConstantCurvature
from geolearn.manifolds.hyperboloid import (
    LARGEST_RADIUS,
    Hyperboloid,
    negative_curvature,
    warn_far,
)

__all__ = ["Ball"]

# Where points outside are put: half the digits left. The hyperbolic radius is 10.7
# in the Klein ball and 21.4 in the Poincaré ball.
_INSIDE = 1.0 - 1e-9


class Ball(ConstantCurvature):
    """Define membership and range of the open ball of radius 1/sqrt(-curvature).

    Subclasses define the metric, and the maps `_lift` to the hyperboloid and `_lower`
    back.
    """

    # Hyperbolic radius of a point at norm u of the unit ball, over artanh(u).
    _radius_factor: ClassVar[float]

    def __init__(self, dim: int, curvature: float = -1.0):
        self.curvature = negative_curvature(curvature)
        self._define(dim, 0, self.curvature)

    @property
    def _root(self):
        """Square root of minus the curvature, which scales the ball to 1."""
        return math.sqrt(-self.curvature)

    def _share(self, x):
        """Return the norm of points in units of the ball, with an axis for it."""
        return self._root * np.linalg.norm(x, axis=-1, keepdims=True)

    def _gap(self, x):
        """Return 1 - |u|^2 of points u in units of the ball, without cancellation."""
        share = self._share(x)
        return (1.0 - share) * (1.0 + share)

    def _origin(self):
        return np.zeros(self.dim)

    def _project(self, x):
        share = self._share(x)
        outside = share >= 1.0
        return np.where(outside, x * (_INSIDE / np.where(outside, share, 1.0)), x)

    def _deviation(self, x):
        return np.maximum(self._share(x)[..., 0] - 1.0, 0.0)

    def _membership(self, x, atol):
        # An open set: a point on the boundary is infinitely far away.
        return self._share(x)[..., 0] < 1.0, np.asarray(self._deviation(x))

    def _check_range(self, x):
        farthest = float(self._radius_factor * np.arctanh(np.max(self._share(x))))
        if farthest > LARGEST_RADIUS:
            warn_far(self, farthest)

    def _project_tangent(self, x, v):
        return v + np.zeros_like(x)

    def _keep_inside(self, x):
        share = self._share(x)
        limit = 1.0 - np.finfo(float).eps
        outside = share > limit
        if np.any(outside):
            radius = self._radius_factor * math.atanh(limit)
            warnings.warn(
                f"{int(np.sum(outside))} result(s) of exp on {self!r} are closer to "
                f"the boundary than double precision resolves and were put at "
                f"hyperbolic radius {radius:.0f}. Use Hyperboloid for points that far.",
                RuntimeWarning,
                stacklevel=4,
            )
            x = np.where(outside, x * (limit / np.where(outside, share, 1.0)), x)
        return x

    def _random_point(self, n_samples, rng):
        scaled = rng.standard_normal((n_samples, self.dim)) / self._root
        origin = self._origin()
        return self._exp(origin, self._vector_to_tangent(origin, scaled))

    def _mean_start(self, X, weight):
        model = Hyperboloid(self.dim, curvature=self.curvature)
        return self._project(self._lower(model._mean_start(self._lift(X), weight)))
