"""What the simply connected spaces of constant curvature share."""

import math
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from geolearn.manifolds._hessians import (
    HESSIAN,
    across,
    low_rank,
    negative_factors,
    units,
)
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.special import log_sinhc
from geolearn.utils.validation import check_integer, check_positive

_GRID_SIZE = 8193
_NEGLIGIBLE = 40.0  # densities below exp(-40) of the largest carry no mass


class ConstantCurvature(Manifold):
    """Derive densities and uniform balls from one number, the curvature."""

    _curvature: float

    def _define(self, dim, n_extra, curvature):
        """Assign what follows from dimension and curvature; for constructors."""
        self.dim = check_integer(dim, "dim")
        self.point_shape = (self.dim + n_extra,)
        self._curvature = curvature
        self.sectional_curvature_bounds = (curvature, curvature)
        self.injectivity_radius = (
            math.pi / math.sqrt(curvature) if curvature > 0.0 else math.inf
        )

    def random_ball(
        self,
        n_samples: int = 1,
        radius: float = 1.0,
        center: Any = None,
        *,
        random_state: Any = None,
    ) -> np.ndarray:
        r"""Draw uniformly, by Riemannian volume, from a geodesic ball.

        Parameters
        ----------
        n_samples : int, default=1
            Number of points.
        radius : float, default=1.0
            Radius of the ball, a geodesic length; at most `injectivity_radius`.
        center : array_like of shape point_shape, default=None
            Centre of the ball; None takes the `origin`.
        random_state : int, RandomState instance or None, default=None
            Source of randomness. Pass an int for reproducible results.

        Returns
        -------
        ndarray of shape (n_samples, \*point_shape)
            Independent points.

        Raises
        ------
        ValueError
            If the radius is not positive or above the injectivity radius.
        """
        n_samples = check_integer(n_samples, "n_samples")
        radius = check_positive(radius, "radius")
        if radius > self.injectivity_radius * (1 + 1e-12):
            raise ValueError(
                f"radius={radius:g} must be at most the injectivity radius "
                f"{self.injectivity_radius:g} of {self!r}."
            )
        rng = check_random_state(random_state)
        direction = rng.standard_normal((n_samples, self.dim))
        direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
        lengths = ball_radii(rng.random_sample(n_samples), self, radius)
        center = self.origin if center is None else center
        vectors = lengths[:, None] * direction
        return self.exp(center, self.vector_to_tangent(center, vectors))

    def _log_volume_of_distance(self, distances):
        """Return the log volume density of points at given distances."""
        return (self.dim - 1) * log_sinhc(distances * math.sqrt(-self._curvature))

    def _log_volume_density(self, x, y):
        return self._log_volume_of_distance(self._dist(x, y))

    def _factors(self, x, y):
        """Return the factors of Hessians and of adjoints across the geodesic."""
        return negative_factors(self._dist(x, y) / self._length_scale)

    def _hess_half_sqdist(self, x, y):
        if self.is_flat:
            return super()._hess_half_sqdist(x, y)
        u = units(self._tangent_to_vector(x, self._log(x, y)))
        factor = self._factors(x, y)[HESSIAN]
        if self.dim == 1:  # nothing is across
            factor = np.ones_like(factor)
        return low_rank(factor, u[..., None, :], 1.0 - factor[..., None])

    def _scaled(self, x, y, w, which):
        u = units(self._tangent_to_vector(x, self._log(x, y)))
        factor = self._factors(x, y)[which]
        return w + (factor - 1.0)[..., None] * across(u, w)

    def _fill_log_volume(self, X, Y, distances, log_volume, symmetric):
        for rows in self._row_blocks(len(X), len(Y)):
            log_volume[rows] = self._log_volume_of_distance(distances[rows])


def ball_radii(uniform, manifold, radius):
    """Turn uniform numbers into distances from the centre of a uniform ball.

    The density of the distance is the area of the sphere of that radius: the power
    dim - 1 of r, sin(r) or sinh(r) in units of the radius of curvature. Its
    distribution function is inverted by interpolation over the part that carries
    mass.
    """
    power, scale = manifold.dim - 1, manifold._length_scale
    if power == 0 or manifold._curvature == 0.0:
        return radius * uniform ** (1.0 / manifold.dim)
    top = radius / scale
    if manifold._curvature < 0.0:
        low, high = math.asinh(math.sinh(top) * math.exp(-_NEGLIGIBLE / power)), top
    else:
        largest = math.sin(min(top, math.pi / 2))
        low = math.asin(largest * math.exp(-_NEGLIGIBLE / power))
        high = min(top, math.pi - low)
    grid = np.linspace(low, high, _GRID_SIZE)
    area = np.sinh(grid) if manifold._curvature < 0.0 else np.sin(grid)
    density = (area / area.max()) ** power
    cumulative = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return scale * np.interp(uniform * cumulative[-1], cumulative, grid)
