"""The sphere of any dimension and radius, in ambient coordinates."""

import math

import numpy as np

from geolearn.manifolds._constant_curvature import ConstantCurvature
from geolearn.manifolds._hessians import positive_factors
from geolearn.manifolds.special import BEYOND, log_sinc_to_pi, sinc
from geolearn.utils.validation import check_positive

__all__ = ["Sphere"]

_ANTIPODAL = 1e-12  # angle to the antipode below which directions are noise
_CANCELLED = 1e-8  # norm of an average of unit vectors that is only rounding


class Sphere(ConstantCurvature):
    """Represent the sphere of `dim` dimensions in R^(dim + 1).

    Distances are great-circle lengths, ``radius`` times the angle. They keep full
    relative precision from coincident to antipodal points.

    Parameters
    ----------
    dim : int
        Dimension of the surface, at least 1; points have dim + 1 coordinates.
    radius : float, default=1.0
        Radius, positive. The curvature is 1 / radius^2.

    See Also
    --------
    Manifold : The methods.

    Examples
    --------
    >>> sphere = Sphere(2)
    >>> north, east = [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]
    >>> float(sphere.dist(north, east) / np.pi)
    0.5
    >>> sphere.geodesic(north, east, [0.0, 1 / 3, 1.0]).round(3)
    array([[0.   , 0.   , 1.   ],
           [0.5  , 0.   , 0.866],
           [1.   , 0.   , 0.   ]])
    """

    def __init__(self, dim: int, radius: float = 1.0):
        self.radius = check_positive(radius, "radius")
        self._define(dim, 1, 1.0 / self.radius**2)

    def kernel_metric(self) -> tuple[str, dict]:
        """Name the compiled kernel of `geolearn.metrics` for this distance.

        Returns
        -------
        tuple of (str, dict)
            ``("sphere", {"radius": radius})``.
        """
        return "sphere", {"radius": self.radius}

    @property
    def _length_scale(self):
        return self.radius

    def _origin(self):
        origin = np.zeros(self.dim + 1)
        origin[0] = self.radius
        return origin

    def _project(self, x):
        return x * (self.radius / _positive_norm(x))

    def _deviation(self, x):
        return np.abs(np.linalg.norm(x, axis=-1) / self.radius - 1.0)

    def _project_tangent(self, x, v):
        return v - _dot(x, v) / self.radius**2 * x

    def _half_chords(self, x, y):
        """Return |x - y| and |x + y|, the two legs of the half angle."""
        return np.linalg.norm(x - y, axis=-1), np.linalg.norm(x + y, axis=-1)

    def _dist(self, x, y):
        apart, together = self._half_chords(x, y)
        return 2.0 * self.radius * np.arctan2(apart, together)

    def _exp(self, x, v):
        angle = np.linalg.norm(v, axis=-1, keepdims=True) / self.radius
        return self._project(np.cos(angle) * x + sinc(angle) * v)

    def _log(self, x, y):
        apart, together = self._half_chords(x, y)
        self._refuse_antipodes(apart, together)
        distance = 2.0 * self.radius * np.arctan2(apart, together)
        # The projected difference keeps its digits where y - cos(angle) x cancels.
        difference = y - x
        direction = difference - _dot(difference, x) / self.radius**2 * x
        return distance[..., None] / _positive_norm(direction) * direction

    def _transport(self, x, y, v):
        apart, together = self._half_chords(x, y)
        self._refuse_antipodes(apart, together)
        # radius^2 + <x, y> without cancellation near the antipode; <x, v> is zero, but
        # for rounding that <y, v> would divide by the square of the gap
        factor = 2.0 * _dot(x + y, v) / together[..., None] ** 2
        return v - factor * (x + y)

    def _refuse_antipodes(self, apart, together):
        close = 2.0 * np.arctan2(together, apart) < _ANTIPODAL
        if np.any(close):
            raise ValueError(
                f"{int(np.sum(close))} pair(s) of points are antipodal on {self!r}: "
                f"no shortest geodesic is distinguished."
            )

    def _factors(self, x, y):
        apart, together = self._half_chords(x, y)
        angle = 2.0 * np.arctan2(apart, together)
        return positive_factors(angle, 2.0 * np.arctan2(together, apart))

    def _log_volume_density(self, x, y):
        apart, together = self._half_chords(x, y)
        angle = 2.0 * np.arctan2(apart, together)
        complement = 2.0 * np.arctan2(together, apart)
        return (self.dim - 1) * self._log_sinc(angle, complement)

    def _log_volume_of_distance(self, distances):
        angle = np.minimum(distances / self.radius, math.pi)
        return (self.dim - 1) * self._log_sinc(angle, math.pi - angle)

    def _log_sinc(self, angle, complement):
        if self.dim == 1:  # a circle is flat, also at its cut point
            return np.zeros_like(angle)
        return log_sinc_to_pi(angle, complement)

    def _fill_log_volume(self, X, Y, distances, log_volume, symmetric):
        super()._fill_log_volume(X, Y, distances, log_volume, symmetric)
        # pi - d / radius has lost digits there; the points have not.
        i, j = np.nonzero(distances > BEYOND * self.radius)
        for part in self._row_blocks(len(i), 4):
            log_volume[i[part], j[part]] = self._log_volume_density(
                X[i[part]], Y[j[part]]
            )

    def _tangent_to_vector(self, x, v):
        return self._reflect(x, v)[..., 1:]

    def _vector_to_tangent(self, x, w):
        padded = np.concatenate([np.zeros((*w.shape[:-1], 1)), w], axis=-1)
        return self._reflect(x, padded)

    def _reflect(self, x, v):
        """Swap x / radius and plus or minus the first axis by a reflection.

        The sign is chosen so that the mirror is never ill-defined.
        """
        mirror = x / self.radius
        mirror[..., 0] += np.where(mirror[..., 0] < 0.0, -1.0, 1.0)
        return v - 2.0 * _dot(mirror, v) / _dot(mirror, mirror) * mirror

    def _random_point(self, n_samples, rng):
        return self._project(rng.standard_normal((n_samples, self.dim + 1)))

    def _mean_start(self, X, weight):
        average = weight @ X
        if np.linalg.norm(average) < _CANCELLED * self.radius:
            raise ValueError(
                f"The Fréchet mean on {self!r} is not identifiable: the points "
                f"average to zero. Pass init or n_init > 1 for a local minimum."
            )
        return self._project(average)


def _dot(u, v):
    return np.sum(u * v, axis=-1, keepdims=True)


def _positive_norm(v):
    norm = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.where(norm > 0.0, norm, 1.0)
