"""Exponential, logarithm, distance and the other operations on single points.

A manifold implements the primitives, whose names start with an underscore; they
receive float64 arrays of the right trailing shape, whose leading axes broadcast.
The public methods convert and check their arguments, call the primitives, and
return float32 for float32. Everything that is not primitive is derived.
"""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from geolearn.manifolds._value import ValueObject

__all__ = ["PointOperations", "finish"]


class PointOperations(ValueObject, ABC):
    """Give a manifold its pointwise operations; see `Manifold`."""

    dim: int
    point_shape: tuple[int, ...]
    injectivity_radius: float = math.inf
    sectional_curvature_bounds: tuple[float, float] = (-math.inf, math.inf)

    @property
    def is_flat(self) -> bool:
        """Whether the curvature vanishes."""
        return self.sectional_curvature_bounds == (0.0, 0.0)

    @property
    def is_hadamard(self) -> bool:
        """Whether no curvature is positive and geodesics never meet again."""
        return (
            self.sectional_curvature_bounds[1] <= 0.0
            and self.injectivity_radius == math.inf
        )

    @property
    def origin(self) -> np.ndarray:
        """A distinguished point."""
        return self._origin()

    # Primitives.

    @abstractmethod
    def _exp(self, x, v): ...

    @abstractmethod
    def _log(self, x, y): ...

    @abstractmethod
    def _project(self, x): ...

    @abstractmethod
    def _project_tangent(self, x, v): ...

    @abstractmethod
    def _transport(self, x, y, v): ...

    def _inner(self, x, u, v):
        return np.sum(u * v, axis=self._point_axes)

    # Defaults of the operations that may have closed forms.

    def _origin(self):
        start = np.zeros(self.point_shape)
        np.fill_diagonal(start.reshape(self.point_shape[0], -1), 1.0)
        return self._project(start)

    def _norm(self, x, v):
        return np.sqrt(np.maximum(self._inner(x, v, v), 0.0))

    def _dist(self, x, y):
        return self._norm(x, self._log(x, y))

    def _retract(self, x, v):
        return self._project(x + v)

    # Helpers.

    @property
    def _point_axes(self):
        return tuple(range(-len(self.point_shape), 0))

    def _per_point(self, values):
        """Append axes to per-point numbers so that they multiply points."""
        return np.asarray(values)[(..., *(None,) * len(self.point_shape))]

    @property
    def _length_scale(self):
        """Length at which curvature is felt; 1 where that is not known."""
        low, high = self.sectional_curvature_bounds
        strongest = max(abs(low), abs(high))
        return 1.0 / math.sqrt(strongest) if 0.0 < strongest < math.inf else 1.0

    def _arrays(self, *arrays: Any) -> tuple:
        """Return the arrays in float64 and the dtype of the result."""
        converted = [np.asarray(array) for array in arrays]
        n_axes = len(self.point_shape)
        for array in converted:
            if array.ndim < n_axes or array.shape[array.ndim - n_axes :] != tuple(
                self.point_shape
            ):
                raise ValueError(
                    f"An array of shape {array.shape} cannot hold points or tangent "
                    f"vectors of {self!r}: the last axes must be point_shape "
                    f"{tuple(self.point_shape)}."
                )
        single = all(array.dtype in (np.float32, np.float16) for array in converted)
        return (
            *(array.astype(np.float64, copy=False) for array in converted),
            np.float32 if single else np.float64,
        )

    # Public operations on points and tangent vectors.

    def exp(self, base_point: Any, tangent_vec: Any) -> np.ndarray:
        r"""Follow the geodesic that starts with a given velocity for unit time.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        tangent_vec : array_like of shape (..., \*point_shape)
            Vectors v tangent at x.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Points exp_x(v).
        """
        x, v, dtype = self._arrays(base_point, tangent_vec)
        return finish(self._exp(x, v), dtype)

    def log(self, base_point: Any, point: Any) -> np.ndarray:
        r"""Return the initial velocity of the shortest geodesic between points.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        point : array_like of shape (..., \*point_shape)
            Points y.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Vectors v tangent at x with exp_x(v) = y and norm dist(x, y).

        Raises
        ------
        ValueError
            If the shortest geodesic is not unique, where the manifold can tell
            (antipodes on the sphere).
        """
        x, y, dtype = self._arrays(base_point, point)
        return finish(self._log(x, y), dtype)

    def dist(self, x: Any, y: Any) -> np.ndarray:
        r"""Return the length of the shortest path between points.

        Parameters
        ----------
        x : array_like of shape (..., \*point_shape)
            Points.
        y : array_like of shape (..., \*point_shape)
            Points.

        Returns
        -------
        ndarray of shape (...)
            Geodesic distances.
        """
        x, y, dtype = self._arrays(x, y)
        return finish(self._dist(x, y), dtype)

    def inner(self, base_point: Any, u: Any, v: Any) -> np.ndarray:
        r"""Return the Riemannian inner product of tangent vectors.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        u : array_like of shape (..., \*point_shape)
            Vectors tangent at x.
        v : array_like of shape (..., \*point_shape)
            Vectors tangent at x.

        Returns
        -------
        ndarray of shape (...)
            Inner products.
        """
        x, u, v, dtype = self._arrays(base_point, u, v)
        return finish(self._inner(x, u, v), dtype)

    def norm(self, base_point: Any, tangent_vec: Any) -> np.ndarray:
        r"""Return the Riemannian length of tangent vectors.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        tangent_vec : array_like of shape (..., \*point_shape)
            Vectors tangent at x.

        Returns
        -------
        ndarray of shape (...)
            Lengths.
        """
        x, v, dtype = self._arrays(base_point, tangent_vec)
        return finish(self._norm(x, v), dtype)

    def geodesic(self, x: Any, y: Any, t: Any) -> np.ndarray:
        r"""Return points of the shortest geodesic from `x` to `y`.

        Parameters
        ----------
        x : array_like of shape (..., \*point_shape)
            Points at time 0.
        y : array_like of shape (..., \*point_shape)
            Points at time 1.
        t : array_like of float
            Times, of any sign, which broadcast against the leading axes of the
            points.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Points exp_x(t log_x y).
        """
        x, y, dtype = self._arrays(x, y)
        t = self._per_point(np.asarray(t, dtype=np.float64))
        return finish(self._exp(x, t * self._log(x, y)), dtype)

    def transport(self, x: Any, y: Any, tangent_vec: Any) -> np.ndarray:
        r"""Transport tangent vectors parallel along the shortest geodesic.

        Manifolds without a closed form use 16 rungs of the pole ladder [1]_,
        which is exact on symmetric spaces and of second order elsewhere.

        Parameters
        ----------
        x : array_like of shape (..., \*point_shape)
            Points where the vectors are tangent.
        y : array_like of shape (..., \*point_shape)
            Points of destination.
        tangent_vec : array_like of shape (..., \*point_shape)
            Vectors tangent at `x`.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Vectors tangent at `y`, of the same lengths and angles.

        Raises
        ------
        ValueError
            If the shortest geodesic is not unique, where the manifold can tell.

        References
        ----------
        .. [1] M. Lorenzi, X. Pennec, "Efficient parallel transport of deformations
           in time series of images: from Schild's to pole ladder", J. Math.
           Imaging Vis. 50, 2014, doi:10.1007/s10851-013-0470-3.
        """
        x, y, v, dtype = self._arrays(x, y, tangent_vec)
        return finish(self._transport(x, y, v), dtype)

    def retract(self, base_point: Any, tangent_vec: Any) -> np.ndarray:
        r"""Move along tangent vectors cheaply, `exp` to first order.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        tangent_vec : array_like of shape (..., \*point_shape)
            Vectors v tangent at x.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Points of the manifold, project(x + v) unless stated otherwise.
        """
        x, v, dtype = self._arrays(base_point, tangent_vec)
        return finish(self._retract(x, v), dtype)

    def project(self, X: Any) -> np.ndarray:
        r"""Move points of the surrounding space onto the manifold.

        Parameters
        ----------
        X : array_like of shape (..., \*point_shape)
            Points near the manifold.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Points of the manifold; points that were on it stay, up to rounding.
        """
        x, dtype = self._arrays(X)
        return finish(self._project(x), dtype)

    def project_tangent(self, base_point: Any, vec: Any) -> np.ndarray:
        r"""Move vectors of the surrounding space into the tangent space.

        Parameters
        ----------
        base_point : array_like of shape (..., \*point_shape)
            Points x.
        vec : array_like of shape (..., \*point_shape)
            Any vectors.

        Returns
        -------
        ndarray of shape (..., \*point_shape)
            Vectors tangent at x; vectors that were tangent stay, up to rounding.
        """
        x, v, dtype = self._arrays(base_point, vec)
        return finish(self._project_tangent(x, v), dtype)

    def kernel_metric(self) -> tuple[str, dict] | None:
        """Name the compiled kernel of `geolearn.metrics` for this distance.

        Returns
        -------
        tuple of (str, dict) or None
            Name of a registered metric and its parameters; None, the default, lets
            distances be computed in blocks by `dist`.
        """
        return None


def finish(result, dtype):
    """Return the result of a primitive in the dtype of its arguments."""
    return np.asarray(result).astype(dtype, copy=False)[()]
