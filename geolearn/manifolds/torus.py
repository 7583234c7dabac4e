"""The flat torus of angles."""

import math
import warnings

import numpy as np

from geolearn.manifolds.base import Manifold
from geolearn.manifolds.special import wrap
from geolearn.utils.validation import check_integer

__all__ = ["Torus"]

_TIE = 1e-10  # relative difference of variances that cannot be told apart


class Torus(Manifold):
    """Represent the flat torus of `dim` angles in radians.

    Coordinates count modulo 2 pi, so that every real vector is a point; results
    lie in [-pi, pi]. The distance is the Euclidean norm of the wrapped differences.

    Parameters
    ----------
    dim : int
        Number of angles, at least 1.

    See Also
    --------
    Manifold : The methods.

    Notes
    -----
    `frechet_mean` is exact: the least of the n local minima of each coordinate,
    found in O(n log n). It warns when two of them are equally good. Between points
    that are exactly opposite in a coordinate, `log` takes one of the two ways.

    Examples
    --------
    >>> clock = Torus(1)
    >>> float(clock.dist([3.0], [-3.0]).round(6))
    0.283185
    """

    def __init__(self, dim: int):
        self.dim = check_integer(dim, "dim")
        self.point_shape = (self.dim,)
        self.injectivity_radius = math.pi
        self.sectional_curvature_bounds = (0.0, 0.0)

    def kernel_metric(self) -> tuple[str, dict]:
        """Name the compiled kernel of `geolearn.metrics` for this distance.

        Returns
        -------
        tuple of (str, dict)
            ``("torus", {})``.
        """
        return "torus", {}

    def _origin(self):
        return np.zeros(self.dim)

    def _project(self, x):
        return wrap(x)

    def _deviation(self, x):
        return np.zeros(x.shape[:-1])

    def _project_tangent(self, x, v):
        return v + np.zeros_like(x)

    def _exp(self, x, v):
        return wrap(x + v)

    def _log(self, x, y):
        return wrap(y - x)

    def _dist(self, x, y):
        return np.linalg.norm(wrap(y - x), axis=-1)

    def _transport(self, x, y, v):
        return v + np.zeros_like(x) + np.zeros_like(y)  # broadcasts

    def _log_volume_density(self, x, y):
        return np.zeros(np.broadcast_shapes(x.shape, y.shape)[:-1])

    def _tangent_to_vector(self, x, v):
        return v + np.zeros_like(x)

    def _vector_to_tangent(self, x, w):
        return w + np.zeros_like(x)

    def _random_point(self, n_samples, rng):
        return rng.uniform(-math.pi, math.pi, (n_samples, self.dim))

    def _closed_form_mean(self, X, weight):
        X = wrap(X)
        order = np.argsort(X, axis=0, kind="stable")
        angles, weight = np.take_along_axis(X, order, axis=0), weight[order]
        means, variances = _means_over_cuts(angles, weight)
        best = np.argmin(variances, axis=0)
        mean = np.take_along_axis(means, best[None], axis=0)
        apart = np.abs(wrap(means - mean)) > 1e-6
        least = np.take_along_axis(variances, best[None], axis=0)
        tied = apart & (variances - least <= _TIE * (least + 1e-300))
        if tied.any():
            warnings.warn(
                f"The Fréchet mean on {self!r} is not unique: several means are "
                f"equally good in coordinate {int(np.argmax(tied.any(axis=0)))}.",
                UserWarning,
                stacklevel=6,
            )
        # One correction from the mean itself, where no digits cancel.
        correction = np.sum(weight * wrap(angles - mean), axis=0)
        return wrap(mean[0] + correction)


def _means_over_cuts(angles, weight):
    """Return the mean and variance of sorted angles for each cut of the circle.

    Cut k unrolls the circle so that the first k angles come last, 2 pi higher.
    Every local minimum of the variance on the circle is one of these means.
    """
    turn = 2.0 * math.pi
    raised = np.cumsum(weight, axis=0) - weight  # total weight before each angle
    moment = np.cumsum(weight * angles, axis=0) - weight * angles
    first = np.sum(weight * angles, axis=0)
    means = first + turn * raised
    second = np.sum(weight * angles**2, axis=0) + 2.0 * turn * moment
    variances = second + turn**2 * raised - means**2
    return wrap(means), variances
