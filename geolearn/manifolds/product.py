"""Products of manifolds with scaled metrics."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds.base import Manifold
from geolearn.utils.validation import check_positive

__all__ = ["ProductManifold"]


class ProductManifold(Manifold):
    """Combine manifolds into their Cartesian product.

    A point is the concatenation of the flattened points of the factors, so that
    points are vectors whatever the factors are; `split` and `join` convert. The
    metric is the sum of the metrics of the factors, each times its scale.

    Parameters
    ----------
    manifolds : sequence of Manifold
        Factors, at least one.
    scales : sequence of float, default=None
        Positive factors s_k of the metrics: squared distances are
        sum_k s_k d_k^2. None takes 1 for each.

    See Also
    --------
    Manifold : The methods.

    Examples
    --------
    >>> from geolearn.manifolds import Euclidean, Sphere
    >>> cylinder = ProductManifold([Sphere(1), Euclidean(1)])
    >>> float(cylinder.dist([1.0, 0.0, 0.0], [1.0, 0.0, 2.0]))
    2.0
    >>> cylinder.sectional_curvature_bounds
    (0.0, 1.0)
    """

    def __init__(
        self, manifolds: Sequence[Manifold], scales: Sequence[float] | None = None
    ):
        self.manifolds = _check_factors(manifolds)
        self.scales = _check_scales(scales, len(self.manifolds))
        factors = list(zip(self.manifolds, self._weights, strict=True))
        sizes = [math.prod(manifold.point_shape) for manifold in self.manifolds]
        self.dim = sum(manifold.dim for manifold in self.manifolds)
        self.point_shape = (sum(sizes),)
        self.injectivity_radius = min(
            math.sqrt(scale) * manifold.injectivity_radius
            for manifold, scale in factors
        )
        bounds = [
            bound / scale
            for manifold, scale in factors
            for bound in manifold.sectional_curvature_bounds
        ]
        mixed = [0.0] if len(factors) > 1 else []  # planes across factors are flat
        self.sectional_curvature_bounds = (min(bounds + mixed), max(bounds + mixed))

    @property
    def _weights(self):
        return (1.0,) * len(self.manifolds) if self.scales is None else self.scales

    def kernel_metric(self) -> tuple[str, dict] | None:
        """Name the compiled kernel of `geolearn.metrics` for this distance.

        Returns
        -------
        tuple of (str, dict) or None
            ``("product", {"factors": [(name, n_columns, parameters), ...],
            "scales": scales})``, or None if a factor has no kernel; then distances
            are computed in blocks by `dist`.
        """
        factors = []
        for manifold in self.manifolds:
            kernel = manifold.kernel_metric()
            if kernel is None:
                return None
            factors.append((kernel[0], manifold.point_shape[0], kernel[1]))
        return "product", {"factors": factors, "scales": list(self._weights)}

    def split(self, X: Any) -> list[np.ndarray]:
        r"""Return the points or tangent vectors of the factors.

        Parameters
        ----------
        X : array_like of shape (..., point_shape[0])
            Points or tangent vectors of the product.

        Returns
        -------
        list of ndarray of shape (..., \*point_shape of the factor)
            One array for each factor.
        """
        X = np.asarray(X)
        if X.ndim == 0 or X.shape[-1] != self.point_shape[0]:
            raise ValueError(
                f"An array of shape {X.shape} cannot hold points or tangent vectors "
                f"of {self!r}: the last axis must have length {self.point_shape[0]}."
            )
        return self._split(X, [m.point_shape for m in self.manifolds])

    def join(self, parts: Sequence[Any]) -> np.ndarray:
        r"""Combine points or tangent vectors of the factors.

        Parameters
        ----------
        parts : sequence of array_like of shape (..., \*point_shape of the factor)
            One array for each factor; leading axes broadcast.

        Returns
        -------
        ndarray of shape (..., point_shape[0])
            Points or tangent vectors of the product.
        """
        if len(parts) != len(self.manifolds):
            raise ValueError(
                f"{self!r} has {len(self.manifolds)} factors, got {len(parts)} parts."
            )
        pairs = zip(self.manifolds, parts, strict=True)
        return self._join([manifold._arrays(part)[0] for manifold, part in pairs])

    def _split(self, X, shapes):
        ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
        blocks = np.split(X, ends, axis=-1)
        return [
            block.reshape(*block.shape[:-1], *shape)
            for block, shape in zip(blocks, shapes, strict=True)
        ]

    def _join(self, parts):
        flat = [
            part.reshape(*part.shape[: part.ndim - len(manifold.point_shape)], -1)
            for manifold, part in zip(self.manifolds, parts, strict=True)
        ]
        leading = np.broadcast_shapes(*(part.shape[:-1] for part in flat))
        return np.concatenate(
            [np.broadcast_to(part, (*leading, part.shape[-1])) for part in flat],
            axis=-1,
        )

    def _map(self, primitive, *arrays):
        """Call a primitive of every factor on its parts of the arrays."""
        shapes = [manifold.point_shape for manifold in self.manifolds]
        parts = zip(*(self._split(array, shapes) for array in arrays), strict=True)
        return [
            getattr(manifold, primitive)(*part)
            for manifold, part in zip(self.manifolds, parts, strict=True)
        ]

    def _weighted_sum(self, values):
        pairs = zip(self._weights, values, strict=True)
        return sum(scale * value for scale, value in pairs)

    def _origin(self):
        return self._join([manifold.origin for manifold in self.manifolds])

    def _exp(self, x, v):
        return self._join(self._map("_exp", x, v))

    def _log(self, x, y):
        return self._join(self._map("_log", x, y))

    def _transport(self, x, y, v):
        return self._join(self._map("_transport", x, y, v))

    def _project(self, x):
        return self._join(self._map("_project", x))

    def _project_tangent(self, x, v):
        return self._join(self._map("_project_tangent", x, v))

    def _retract(self, x, v):
        return self._join(self._map("_retract", x, v))

    def _inner(self, x, u, v):
        return self._weighted_sum(self._map("_inner", x, u, v))

    def _norm(self, x, v):
        return self._root_sum(self._map("_norm", x, v))

    def _dist(self, x, y):
        return self._root_sum(self._map("_dist", x, y))

    def _root_sum(self, lengths):
        return np.sqrt(self._weighted_sum([length**2 for length in lengths]))

    def _log_volume_density(self, x, y):
        return sum(self._map("_log_volume_density", x, y))

    @property
    def has_hessian(self) -> bool:
        """Whether `hess_half_sqdist` is available, in every factor."""
        return all(manifold.has_hessian for manifold in self.manifolds)

    def _hess_half_sqdist(self, x, y):
        # In orthonormal frames scales of the metric cancel.
        blocks = self._map("_hess_half_sqdist", x, y)
        result = np.zeros((*self._leading(x, y), self.dim, self.dim))
        start = 0
        for block in blocks:
            part = slice(start, start + block.shape[-1])
            result[..., part, part] = block
            start = part.stop
        return result

    def _log_adjoint(self, x, y, w):
        return self._join(self._map("_log_adjoint", x, y, w))

    def _tangent_to_vector(self, x, v):
        coordinates = self._map("_tangent_to_vector", x, v)
        pairs = zip(self._weights, coordinates, strict=True)
        return np.concatenate([math.sqrt(s) * w for s, w in pairs], axis=-1)

    def _vector_to_tangent(self, x, w):
        points = self._split(x, [manifold.point_shape for manifold in self.manifolds])
        vectors = self._split(w, [(manifold.dim,) for manifold in self.manifolds])
        return self._join(
            [
                manifold._vector_to_tangent(point, vector / math.sqrt(scale))
                for manifold, point, vector, scale in zip(
                    self.manifolds, points, vectors, self._weights, strict=True
                )
            ]
        )

    def _random_point(self, n_samples, rng):
        return self._join([m._random_point(n_samples, rng) for m in self.manifolds])

    def _solve_mean(self, X, weight, starts, tol, max_iter):
        shapes = [manifold.point_shape for manifold in self.manifolds]
        inits = [None] * len(shapes)
        if starts.init is not None:
            inits = self._split(starts.init, shapes)
        triples = zip(self.manifolds, self._split(X, shapes), inits, strict=True)
        results = [
            manifold._solve_mean(
                part, weight, starts._replace(init=init), tol, max_iter
            )
            for manifold, part, init in triples
        ]
        squares = [result.gradient_norm**2 for result in results]
        return FrechetMean(
            self._join([result.mean for result in results]),
            self._weighted_sum([result.variance for result in results]),
            max(result.n_iter for result in results),
            math.sqrt(self._weighted_sum(squares)),
            all(result.converged for result in results),
        )

    def _deviation(self, x):
        return np.max(self._map("_deviation", x), axis=0)

    def _membership(self, x, atol):
        shapes = [manifold.point_shape for manifold in self.manifolds]
        pairs = zip(self.manifolds, self._split(x, shapes), strict=True)
        results = [manifold._membership(part, atol) for manifold, part in pairs]
        valid = np.all([result[0] for result in results], axis=0)
        return valid, np.max([result[1] for result in results], axis=0)

    def _check_range(self, x):
        self._map("_check_range", x)


def _check_factors(manifolds):
    if isinstance(manifolds, Manifold):
        raise TypeError(f"manifolds must be a sequence, got {manifolds!r}.")
    factors = tuple(manifolds)
    if not factors:
        raise ValueError("manifolds must hold at least one manifold.")
    for factor in factors:
        if not isinstance(factor, Manifold):
            raise TypeError(f"manifolds must hold Manifold instances, got {factor!r}.")
    return factors


def _check_scales(scales, n_factors):
    if scales is None:
        return None
    checked = tuple(check_positive(scale, "each of scales") for scale in scales)
    if len(checked) != n_factors:
        raise ValueError(
            f"scales must have one value for each of the {n_factors} manifolds, got "
            f"{len(checked)}."
        )
    return checked
