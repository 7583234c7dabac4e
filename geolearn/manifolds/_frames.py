"""Orthonormal coordinates of tangent spaces, and what is derived from them.

Numerical defaults for volume density and transport, and random vectors.
"""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from geolearn.manifolds._pointwise import PointOperations, finish
from geolearn.utils.validation import check_integer

_LADDER_RUNGS = 16  # even, so that the reflections of the pole ladder cancel
# Fourth-order differences: truncation h^4 and rounding 1e-16 / h balance here.
_DIFFERENCE_STEP = 1e-3


class FrameOperations(PointOperations):
    """Give a manifold isometric coordinates, a volume density and sampling."""

    def tangent_to_vector(self, base_point: Any, tangent_vec: Any) -> np.ndarray:
        r"""Return coordinates of tangent vectors in an orthonormal frame.

        The Euclidean inner product of the coordinates is the Riemannian one of the
        vectors. The frame is a fixed function of the base point.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        tangent_vec : array_like of shape (..., \*point_shape)
            Vectors tangent at x.

        Returns
        -------
        ndarray of shape (..., dim)
            Coordinates.
        """
        x, v, dtype = self._arrays(base_point, tangent_vec)
        return self._tangent_to_vector(x, v).astype(dtype, copy=False)

    def vector_to_tangent(self, base_point: Any, vector: Any) -> np.ndarray:
        r"""Return the tangent vectors with given orthonormal coordinates.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        vector : array_like of shape (..., dim)
            Coordinates in the frame of `tangent_to_vector`.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Vectors tangent at x.

        Raises
        ------
        ValueError
            If the last axis of `vector` is not of length `dim`.
        """
        x, w, dtype = self._coordinate_arrays(base_point, vector)
        return self._vector_to_tangent(x, w).astype(dtype, copy=False)

    def _coordinate_arrays(self, base_point, vector):
        """Return point and coordinates in float64, and the dtype of the result."""
        x, dtype = self._arrays(base_point)
        w = np.asarray(vector)
        if w.ndim == 0 or w.shape[-1] != self.dim:
            raise ValueError(
                f"Coordinates of tangent vectors of {self!r} need a last axis of "
                f"length dim = {self.dim}, got shape {w.shape}."
            )
        if w.dtype != np.float32:
            dtype = np.float64
        return x, w.astype(np.float64, copy=False), dtype

    def log_vector(self, base_point: Any, point: Any) -> np.ndarray:
        r"""Return orthonormal coordinates of logarithms.

        The same as `tangent_to_vector` of `log`, which some manifolds compute in
        one go.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        point : array_like of shape (..., \*point_shape)
            Points y.

        Returns
        -------
        ndarray of shape (..., dim)
            Coordinates of log_x(y), of Euclidean length dist(x, y).

        Raises
        ------
        ValueError
            If the shortest geodesic is not unique, where the manifold can tell.
        """
        return self.tangent_to_vector(base_point, self.log(base_point, point))

    def exp_vector(self, base_point: Any, vector: Any) -> np.ndarray:
        r"""Return the exponentials of tangent vectors given by coordinates.

        The same as `exp` of `vector_to_tangent`; undoes `log_vector`.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        vector : array_like of shape (..., dim)
            Coordinates in the frame of `tangent_to_vector`.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Points.

        Raises
        ------
        ValueError
            If the last axis of `vector` is not of length `dim`.
        """
        return self.exp(base_point, self.vector_to_tangent(base_point, vector))

    def log_volume_density(self, x: Any, y: Any) -> np.ndarray:
        r"""Return the logarithm of the volume density of the exponential map.

        The density is the determinant of the differential of exp_x at log_x(y) in
        orthonormal frames: Riemannian volume at y over Lebesgue volume in normal
        coordinates at x. It is symmetric, 1 where x = y, below 1 under positive
        and above 1 under negative curvature. Manifolds without a closed form use
        central differences of fourth order, with errors near 1e-11.

        Parameters
        ----------
        x : array_like of shape (..., \*point_shape)
            Points.
        y : array_like of shape (..., \*point_shape)
            Points.

        Returns
        -------
        ndarray of shape (...)
            Logarithms of the density; minus infinity at conjugate points.
        """
        x, y, dtype = self._arrays(x, y)
        return finish(self._log_volume_density(x, y), dtype)

    def random_point(
        self, n_samples: int = 1, *, random_state: Any = None
    ) -> np.ndarray:
        r"""Draw points, uniformly where the volume is finite.

        Manifolds of infinite volume draw a wrapped normal of unit scale at the
        `origin`. Manifolds of one's own project Gaussian matrices unless they say
        how to draw.

        Parameters
        ----------
        n_samples : int, default=1
            Number of points.
        random_state : int, RandomState instance or None, default=None
            Source of randomness. Pass an int for reproducible results.

        Returns
        -------
        ndarray of shape (n_samples, \*point_shape)
            Independent points.
        """
        n_samples = check_integer(n_samples, "n_samples")
        return self._random_point(n_samples, check_random_state(random_state))

    def random_normal(
        self,
        n_samples: int = 1,
        mean: Any = None,
        *,
        scale: float = 1.0,
        random_state: Any = None,
    ) -> np.ndarray:
        r"""Draw from the wrapped normal distribution.

        Parameters
        ----------
        n_samples : int, default=1
            Number of points.
        mean : array_like of shape point_shape, default=None
            Centre; None takes the `origin`.
        scale : float, default=1.0
            Standard deviation of each orthonormal coordinate of the tangent vector
            at the centre whose exponential is the sample.
        random_state : int, RandomState instance or None, default=None
            Source of randomness. Pass an int for reproducible results.

        Returns
        -------
        ndarray of shape (n_samples, \*point_shape)
            Independent points.
        """
        n_samples = check_integer(n_samples, "n_samples")
        rng = check_random_state(random_state)
        center = self.origin if mean is None else mean
        vectors = scale * rng.standard_normal((n_samples, self.dim))
        return self.exp(center, self.vector_to_tangent(center, vectors))

    def random_tangent(
        self,
        base_point: Any,
        *,
        scale: float = 1.0,
        random_state: Any = None,
    ) -> np.ndarray:
        r"""Draw one Gaussian tangent vector at each base point.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        scale : float, default=1.0
            Standard deviation of each orthonormal coordinate.
        random_state : int, RandomState instance or None, default=None
            Source of randomness. Pass an int for reproducible results.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Vectors tangent at x.
        """
        x, dtype = self._arrays(base_point)
        rng = check_random_state(random_state)
        leading = x.shape[: x.ndim - len(self.point_shape)]
        vectors = scale * rng.standard_normal((*leading, self.dim))
        return self._vector_to_tangent(x, vectors).astype(dtype, copy=False)

    # Numerical defaults.

    @property
    def _closed_form_transport(self):
        """Whether `transport` is exact rather than climbed rung by rung."""
        return type(self)._transport is not FrameOperations._transport

    def _random_point(self, n_samples, rng):
        return self._project(rng.standard_normal((n_samples, *self.point_shape)))

    def _frame(self, x):
        """Return an orthonormal frame at x, of shape (..., dim, *point_shape).

        The tangential parts of the ambient unit vectors span the tangent space;
        the leading eigenvectors of their Gram matrix orthonormalise them.
        """
        shape = tuple(self.point_shape)
        size = int(np.prod(shape))
        x = np.expand_dims(x, -len(shape) - 1)
        spanning = self._project_tangent(x, np.eye(size).reshape(size, *shape))
        gram = self._inner(
            np.expand_dims(x, -len(shape) - 1),
            np.expand_dims(spanning, -len(shape) - 1),
            np.expand_dims(spanning, -len(shape) - 2),
        )
        values, vectors = np.linalg.eigh((gram + np.swapaxes(gram, -1, -2)) / 2)
        vectors = vectors[..., -self.dim :] / np.sqrt(values[..., None, -self.dim :])
        flat = spanning.reshape(*spanning.shape[: -len(shape)], size)
        frame = np.swapaxes(vectors, -1, -2) @ flat
        return frame.reshape(*frame.shape[:-1], *shape)

    def _tangent_to_vector(self, x, v):
        axis = -len(self.point_shape) - 1
        return self._inner(
            np.expand_dims(x, axis), self._frame(x), np.expand_dims(v, axis)
        )

    def _vector_to_tangent(self, x, w):
        return np.sum(
            self._per_point(w) * self._frame(x), axis=-len(self.point_shape) - 1
        )

    def _log_volume_density(self, x, y):
        v = self._log(x, y)
        center = np.expand_dims(self._exp(x, v), -len(self.point_shape) - 1)
        x, v = (np.expand_dims(a, -len(self.point_shape) - 1) for a in (x, v))
        h = _DIFFERENCE_STEP * self._length_scale
        frame = self._vector_to_tangent(x, np.eye(self.dim))

        def shifted(step):
            # Through log, so that quotient manifolds and wrapped angles work.
            return self._log(center, self._exp(x, v + step * frame))

        columns = 8.0 * (shifted(h) - shifted(-h)) - (shifted(2 * h) - shifted(-2 * h))
        jacobian = self._tangent_to_vector(center, columns / (12.0 * h))
        return np.linalg.slogdet(jacobian)[1]

    def _transport(self, x, y, v):
        """Climb the pole ladder from x to y."""
        direction = self._log(x, y)
        length = self._norm(x, direction)
        rung = np.where(length > 0.0, length, self._length_scale) / _LADDER_RUNGS
        size = self._norm(x, v)
        factor = self._per_point(rung / np.where(size > 0.0, size, 1.0))
        pole = self._exp(x, factor * v)
        for k in range(_LADDER_RUNGS):
            middle = self._exp(x, (k + 0.5) / _LADDER_RUNGS * direction)
            pole = self._exp(middle, -self._log(middle, pole))
        return self._log(y, pole) / factor
