"""Flat space."""

import numpy as np

from geolearn.manifolds._constant_curvature import ConstantCurvature

__all__ = ["Euclidean"]


class Euclidean(ConstantCurvature):
    """Represent the Euclidean space of `dim` dimensions.

    Parameters
    ----------
    dim : int
        Dimension, at least 1.

    See Also
    --------
    Manifold : The methods.

    Examples
    --------
    >>> space = Euclidean(2)
    >>> space.frechet_mean([[0.0, 0.0], [2.0, 4.0]])
    array([1., 2.])
    """

    def __init__(self, dim: int):
        self._define(dim, 0, 0.0)

    def kernel_metric(self) -> tuple[str, dict]:
        """Name the compiled kernel of `geolearn.metrics` for this distance.

        Returns
        -------
        tuple of (str, dict)
            ``("euclidean", {})``.
        """
        return "euclidean", {}

    def _origin(self):
        return np.zeros(self.dim)

    def _exp(self, x, v):
        return x + v

    def _log(self, x, y):
        return y - x

    def _transport(self, x, y, v):
        return v + np.zeros_like(x) + np.zeros_like(y)  # broadcasts

    def _project(self, x):
        return x

    def _project_tangent(self, x, v):
        return v + np.zeros_like(x)

    def _log_volume_density(self, x, y):
        return np.zeros(np.broadcast_shapes(x.shape, y.shape)[:-1])

    def _tangent_to_vector(self, x, v):
        return v + np.zeros_like(x)

    def _vector_to_tangent(self, x, w):
        return w + np.zeros_like(x)

    def _random_point(self, n_samples, rng):
        return rng.standard_normal((n_samples, self.dim))

    def _closed_form_mean(self, X, weight):
        return weight @ X
