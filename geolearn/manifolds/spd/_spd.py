"""The manifold of symmetric positive definite matrices under many metrics."""

import warnings
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from geolearn import linalg
from geolearn.manifolds._frames import FrameOperations
from geolearn.manifolds._pointwise import finish
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.spd._build import build_geometry, canonical_parameters
from geolearn.manifolds.spd._spectral import (
    compose,
    not_positive_definite,
    symmetrise,
    transpose,
    unvec,
)
from geolearn.utils.validation import check_integer, check_positive, check_sample_weight

__all__ = ["SPD", "nearest_definite"]

_ASYMMETRY = 1e-8  # relative; beyond it a matrix is wrong, not rounded
_FLOOR = 1e-12  # of projected eigenvalues, relative to the largest
# Metrics that are not complete: points are drawn well inside, and lengths of tests
# of general manifolds stay below the distance to the boundary.
_INNER_SCALE = 0.3
_INNER_LENGTH = 0.1


class SPD(Manifold):
    r"""Represent symmetric positive definite matrices under a chosen metric.

    Parameters
    ----------
    n : int
        Size of the matrices.
    metric : str, default="affine_invariant"
        Name of the metric.
    alpha : float, default=1.0
        Weight of the Frobenius inner product.
    beta : float, default=0.0
        Weight of the product of traces.
    power : float, default=None
        Exponent.
    metric_matrix : array_like of shape (n, n), default=None
        SPD matrix of the generalised Bures-Wasserstein metric.
    """

    def __init__(
        self,
        n: int,
        metric: str = "affine_invariant",
        *,
        alpha: float = 1.0,
        beta: float = 0.0,
        power: float | None = None,
        metric_matrix: Any = None,
    ):
        self.n = check_integer(n, "n")
        parameters = canonical_parameters(
            self.n, metric, alpha, beta, power, metric_matrix
        )
        for name, value in parameters.items():
            setattr(self, name, value)
        self.dim = self.n * (self.n + 1) // 2
        self.point_shape = (self.n, self.n)
        self.sectional_curvature_bounds = self._geometry.curvature

    @cached_property
    def _geometry(self):
        return build_geometry(**self.get_params())

    @property
    def is_hadamard(self) -> bool:
        """Whether the manifold is complete and no curvature is positive."""
        return self._geometry.complete and self.sectional_curvature_bounds[1] <= 0.0

    @property
    def _length_scale(self):
        return super()._length_scale if self._geometry.complete else _INNER_LENGTH

    # Primitives.

    def _exp(self, x, v):
        return self._geometry.exp(x, v)

    def _log(self, x, y):
        return self._geometry.log(x, y)

    def _inner(self, x, u, v):
        return self._geometry.inner(x, u, v)

    def _norm(self, x, v):
        return self._geometry.norm(x, v)

    def _dist(self, x, y):
        return self._geometry.distance(x, y)

    def _transport(self, x, y, v):
        if self._geometry.closed_transport:
            return self._geometry.transport(x, y, v)
        return FrameOperations._transport(self, x, y, v)

    def _log_volume_density(self, x, y):
        return self._geometry.log_volume(x, y)

    def _tangent_to_vector(self, x, v):
        return self._geometry.to_vector(x, v)

    def _vector_to_tangent(self, x, w):
        return self._geometry.from_vector(x, w)

    def _project_tangent(self, x, v):
        return symmetrise(v) + np.zeros_like(x)

    def _project(self, x):
        return nearest_definite(x, _FLOOR)

    def _random_point(self, n_samples, rng):
        w = rng.standard_normal((n_samples, self.dim))
        if self._geometry.complete:
            return self._geometry.exp_vector(np.eye(self.n), w)
        s, U = linalg.eigh(_INNER_SCALE * unvec(w, self.n))
        return compose(U, np.exp(s))

    # Data sets.

    def log_vector(self, base_point, point, *, n_jobs=None):
        """Return coordinates of logarithms."""
        x, y, dtype = self._arrays(base_point, point)
        return finish(self._geometry.log_vector(x, y, n_jobs), dtype)

    def exp_vector(self, base_point, vector, *, n_jobs=None):
        """Return exponentials of coordinates."""
        x, dtype = self._arrays(base_point)
        w = np.asarray(vector, dtype=np.float64)
        return finish(self._geometry.exp_vector(x, w, n_jobs), dtype)

    def pairwise_distances(  # type: ignore[override]
        self,
        X,
        Y=None,
        *,
        squared=False,
        return_log_volume=False,
        n_jobs=None,
        out=None,
    ):
        """Return the table of distances between two sets of points."""
        X = self._cloud(X, "X")
        other = X if Y is None else self._cloud(Y, "Y")
        distances = self._geometry.table(
            X, None if Y is None else other, squared, n_jobs, out
        )
        if not return_log_volume:
            return distances
        log_volume = np.zeros_like(distances)
        if not self.is_flat:
            self._fill_log_volume(X, other, distances, log_volume, Y is None)
        return distances, log_volume

    def frechet_mean(  # type: ignore[override]
        self,
        X,
        sample_weight=None,
        *,
        init=None,
        tol=1e-8,
        max_iter=50,
        return_result=False,
        n_jobs=None,
    ):
        """Return the weighted Fréchet mean."""
        dtype = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
        X = self.check_points(X)
        weight = check_sample_weight(sample_weight, len(X))
        max_iter = check_integer(max_iter, "max_iter", minimum=0)
        check_positive(tol, "tol")
        if init is not None:
            init = self.check_points(np.asarray(init)[None])[0]
        used = weight > 0.0
        if not used.all():
            X, weight = X[used], weight[used]
        result = self._geometry.mean(
            X, weight, init=init, tol=tol, max_iter=max_iter, n_jobs=n_jobs
        )
        if not result.converged:
            self._warn_unconverged(result, tol)
        result = result._replace(mean=result.mean.astype(dtype, copy=False))
        return result if return_result else result.mean

    def _warn_unconverged(self, result, tol):
        warnings.warn(
            f"The Fréchet mean on {self!r} stopped after {result.n_iter} steps with "
            f"gradient norm {result.gradient_norm:.1e}, wanted {tol:.1e}. Raise "
            f"max_iter or tol.",
            ConvergenceWarning,
            stacklevel=3,
        )

    def _solve_mean(self, X, weight, starts, tol, max_iter):
        result = self._geometry.mean(
            X, weight, init=starts.init, tol=tol, max_iter=max_iter, n_jobs=None
        )
        if not result.converged:
            self._warn_unconverged(result, tol)
        return result

    def check_points(self, X, *, atol=_ASYMMETRY):
        """Check that matrices are symmetric positive definite."""
        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 3 or X.shape[1:] != self.point_shape or len(X) == 0:
            raise ValueError(
                f"X has shape {X.shape}, but {self!r} needs (n_samples, {self.n}, "
                f"{self.n}) with at least one sample."
            )
        finite = np.isfinite(X).all(axis=(1, 2))
        if not finite.all():
            raise ValueError(
                f"Input contains NaN or infinity. The first such matrix is "
                f"X[{np.argmin(finite)}]."
            )
        off = np.abs(X - transpose(X)).max(axis=(1, 2))
        wrong = off > atol * np.abs(X).max(axis=(1, 2))
        if wrong.any():
            first = int(np.argmax(wrong))
            raise ValueError(
                f"X[{first}] is not symmetric: entries differ from their mirror "
                f"images by up to {off[first]:.3g}."
            )
        X = symmetrise(X) if off.any() else X
        if self._geometry.needs_definite:
            status = linalg.cholesky(X)[1]
            if status.any():
                raise not_positive_definite(X, status != 0)
        return X

    def _membership(self, x, atol):
        largest = np.abs(x).max(axis=(-2, -1))
        off = np.abs(x - transpose(x)).max(axis=(-2, -1))
        deviation = off / np.where(largest > 0.0, largest, 1.0)
        definite = linalg.cholesky(x)[1] == 0
        return (deviation <= min(atol, _ASYMMETRY)) & definite, deviation


def nearest_definite(X, floor):
    """Return symmetric parts with eigenvalues of at least a share of the largest."""
    X = symmetrise(X)
    bad = np.asarray(linalg.cholesky(X)[1] != 0)
    if not bad.any():
        return X
    values, vectors = np.linalg.eigh(X[bad])
    largest = np.abs(values).max(axis=-1, keepdims=True)
    if not (largest > 0.0).all():
        raise ValueError("A matrix of zeros has no nearest positive definite matrix.")
    X[bad] = compose(vectors, np.maximum(values, floor * largest))
    return X
