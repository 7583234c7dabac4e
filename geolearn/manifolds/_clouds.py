"""Operations on data sets: membership, means, distance tables, neighbours."""

from typing import Any

import numpy as np

from geolearn.manifolds._hessians import HessianOperations
from geolearn.manifolds._mean import FrechetMean, mean_of_points, solve_mean
from geolearn.manifolds._search import (
    PointPairs,
    hadamard_neighbors,
    point_tangents,
)
from geolearn.utils.validation import check_points

# Of the injectivity radius: below it, densities lose no digits through the distance.
_SAFE_PART = 0.75
_BLOCK_NUMBERS = 2**22  # 32 MiB of float64 in each temporary of a block


class CloudOperations(HessianOperations):
    """Apply a manifold to whole data sets."""

    def check_points(self, X: Any, *, atol: float = 1e-6) -> np.ndarray:
        r"""Check that the samples lie on the manifold, and remove rounding errors.

        Parameters
        ----------
        X : array_like of shape (n_samples, \*point_shape)
            Samples.
        atol : float, default=1e-6
            Deviation that is tolerated and silently projected away, relative to
            the size of the point. Open domains tolerate none.

        Returns
        -------
        ndarray of shape (n_samples, \*point_shape)
            Contiguous float64 points on the manifold.

        Raises
        ------
        ValueError
            If the shape is wrong, there is no sample, an entry is NaN or infinite,
            or a sample is off the manifold; the message names the first such
            sample and the remedy.
        """
        return check_points(self, X, atol=atol)

    def belongs(self, X: Any, *, atol: float = 1e-6) -> np.ndarray:
        r"""Tell which points lie on the manifold.

        Parameters
        ----------
        X : array_like of shape (..., \*point_shape)
            Points of the surrounding space.
        atol : float, default=1e-6
            Deviation that is tolerated, relative to the size of the point.

        Returns
        -------
        ndarray of bool of shape (...)
            Whether each point is finite and on the manifold.
        """
        x, _ = self._arrays(X)
        finite = np.isfinite(x).all(axis=self._point_axes)
        safe = np.where(self._per_point(finite), x, self.origin)
        return (finite & self._membership(safe, atol)[0])[()]

    def frechet_mean(
        self,
        X: Any,
        sample_weight: Any = None,
        *,
        init: Any = None,
        n_init: int = 1,
        tol: float = 1e-10,
        max_iter: int = 256,
        random_state: Any = None,
        return_result: bool = False,
    ) -> "np.ndarray | FrechetMean":
        r"""Return the point with the least weighted sum of squared distances.

        Closed forms where there are some (Euclidean, exact search on the torus,
        each factor of a product); else gradient descent along geodesics with the
        step 2 / (1 + z), where z bounds the Hessian by the lowest curvature, halved
        while the objective rises.

        Parameters
        ----------
        X : array_like of shape (n_samples, \*point_shape)
            Points of the manifold.
        sample_weight : array_like of shape (n_samples,), default=None
            Non-negative weights, of any sum; None weighs all points alike.
        init : array_like of shape point_shape, default=None
            Start of the descent; None takes a projected average.
        n_init : int, default=1
            Number of starts: the first is `init`, the others are samples drawn
            without replacement; the best local minimum is returned. More than one
            pays where the mean may not be unique.
        tol : float, default=1e-10
            Stop when the gradient is at most `tol` times the larger of the mean
            distance and the radius of curvature.
        max_iter : int, default=256
            Largest number of steps of each descent.
        random_state : int, RandomState instance or None, default=None
            Draws the further starts. Pass an int for reproducible results.
        return_result : bool, default=False
            Whether to return the diagnostics with the mean.

        Returns
        -------
        ndarray of shape point_shape or FrechetMean
            The mean; with `return_result` a named tuple of `mean`, `variance` (the
            weighted mean of squared distances), `n_iter`, `gradient_norm` and
            `converged`.

        Raises
        ------
        ValueError
            If `X` is empty or not on the manifold, a weight is negative, all are
            zero, or the mean cannot be identified, e.g. for antipodes.

        Warns
        -----
        ConvergenceWarning
            If the gradient is above the tolerance after `max_iter` steps.
        UserWarning
            If the points are too far apart for uniqueness and `n_init` is 1.
        """
        return mean_of_points(
            self,
            X,
            sample_weight,
            init=init,
            n_init=n_init,
            tol=tol,
            max_iter=max_iter,
            random_state=random_state,
            return_result=return_result,
        )

    def pairwise_distances(
        self,
        X: Any,
        Y: Any = None,
        *,
        return_log_volume: bool = False,
        n_jobs: int | None = None,
        out: np.ndarray | None = None,
    ) -> Any:
        r"""Return the table of distances between two sets of points.

        Parameters
        ----------
        X : array_like of shape (n_x, \*point_shape)
            Points.
        Y : array_like of shape (n_y, \*point_shape), default=None
            Points; None takes `X` and halves the work.
        return_log_volume : bool, default=False
            Whether to return the table of `log_volume_density` too.
        n_jobs : int, default=None
            Number of threads; -1 uses all.
        out : ndarray of shape (n_x, n_y), default=None
            C-contiguous float64 array that receives the distances.

        Returns
        -------
        distances : ndarray of shape (n_x, n_y)
            Distances; the diagonal is exactly zero when `Y` is None.
        log_volume : ndarray of shape (n_x, n_y)
            Logarithms of the volume density, if asked for.
        """
        from geolearn.metrics import pairwise_distances  # numba loads when needed

        symmetric = Y is None
        X = self._cloud(X, "X")
        Y = None if symmetric else self._cloud(Y, "Y")
        distances = pairwise_distances(X, Y, metric=self, n_jobs=n_jobs, out=out)
        if not return_log_volume:
            return distances
        Y = X if symmetric else Y
        log_volume = np.zeros_like(distances)
        if not self.is_flat:
            self._fill_log_volume(X, Y, distances, log_volume, symmetric)
        return distances, log_volume

    def kneighbors(
        self,
        X: Any,
        Y: Any = None,
        n_neighbors: int = 5,
        *,
        return_log_volume: bool = False,
        n_jobs: int | None = None,
    ) -> tuple[np.ndarray, ...]:
        r"""Return the nearest points of one set for each point of another.

        The search is exact and its memory is bounded. On Hadamard manifolds without
        a faster way, distances of logarithms at a base point bound distances from
        below, and only pairs are evaluated that the bounds leave in question.

        Parameters
        ----------
        X : array_like of shape (n_x, \*point_shape)
            Points whose neighbours are wanted.
        Y : array_like of shape (n_y, \*point_shape), default=None
            Candidates; None searches in `X`, leaving each point itself out.
        n_neighbors : int, default=5
            Number of neighbours k.
        return_log_volume : bool, default=False
            Whether to return `log_volume_density` of the pairs too.
        n_jobs : int, default=None
            Number of threads; -1 uses all.

        Returns
        -------
        distances : ndarray of shape (n_x, k)
            Distances in ascending order.
        indices : ndarray of int of shape (n_x, k)
            Rows of `Y` (or `X`).
        log_volume : ndarray of shape (n_x, k)
            Logarithms of the volume density, if asked for.
        """
        from geolearn.metrics._neighbors import (
            find_neighbors,
        )  # numba loads when needed

        X = self._cloud(X, "X")
        Y = None if Y is None else self._cloud(Y, "Y")
        with_volume = return_log_volume and not self.is_flat
        distances, indices, log_volume = find_neighbors(
            X, Y, n_neighbors, self, with_volume=with_volume, n_jobs=n_jobs
        )
        if not return_log_volume:
            return distances, indices
        if log_volume.size:
            return distances, indices, log_volume
        log_volume = np.zeros_like(distances)
        if not self.is_flat:
            other = X if Y is None else Y
            self._fill_neighbor_volume(X, other, distances, indices, log_volume)
        return distances, indices, log_volume

    def _cloud(self, X, name):
        """Return a set of points in float64, checking its shape only."""
        X = self._arrays(X)[0]
        if X.ndim != len(self.point_shape) + 1:
            raise ValueError(
                f"{name} has shape {X.shape}; expected a first axis of samples and "
                f"then point_shape {tuple(self.point_shape)} of {self!r}."
            )
        return X

    # Hooks.

    def _deviation(self, x):
        """Return how far each point is off, relative to its size."""
        axes = self._point_axes
        size = np.sqrt(np.sum(x**2, axis=axes))
        off = np.sqrt(np.sum((x - self._project(x)) ** 2, axis=axes))
        return off / np.where(size > 0.0, size, 1.0)

    def _membership(self, x, atol):
        """Return which finite points are on the manifold, and the deviations."""
        deviation = np.asarray(self._deviation(x))
        return deviation <= atol, deviation

    def _check_range(self, x):
        """Warn about points whose coordinates cannot carry their position."""

    def _closed_form_mean(self, X, weight):
        """Return the exact mean, or None where it needs iterations."""
        return None

    def _solve_mean(self, X, weight, starts, tol, max_iter):
        return solve_mean(self, X, weight, starts, tol, max_iter)

    def _mean_start(self, X, weight):
        return self._project(np.tensordot(weight, X, axes=1))

    def _nearest(self, X, Y, k, with_volume, n_jobs):
        """Return distances, indices and log volumes, or None without a fast way."""
        if not self.is_hadamard:
            return None
        return hadamard_neighbors(self, X, Y, k, with_volume, n_jobs)

    def _pair_evaluator(self, X, Y, with_volume, n_jobs):
        """Return a function of indices of pairs, to distances and log volumes."""
        return PointPairs(self, X, Y, with_volume)

    def _tangents(self, sample, X, n_jobs):
        """Return logarithms at a point amid the sample, and bounds of their errors."""
        return point_tangents(self, sample, X)

    def _fill_log_volume(self, X, Y, distances, log_volume, symmetric):
        """Fill a table of log volume densities, whose distances are known."""
        for rows in self._row_blocks(len(X), len(Y)):
            first = rows.start if symmetric else 0
            block = self._log_volume_density(X[rows, None], Y[None, first:])
            log_volume[rows, first:] = block
            if symmetric:
                log_volume[first:, rows] = block.T
        if symmetric:
            np.fill_diagonal(log_volume, 0.0)

    def _fill_neighbor_volume(self, X, Y, distances, indices, log_volume):
        """Fill log volume densities of neighbours, whose distances are known."""
        of_distance = getattr(self, "_log_volume_of_distance", None)
        if of_distance is not None and np.max(distances) < _SAFE_PART * (
            self.injectivity_radius
        ):
            log_volume[...] = of_distance(distances)
            return
        for rows in self._row_blocks(len(X), distances.shape[1]):
            log_volume[rows] = self._log_volume_density(X[rows, None], Y[indices[rows]])

    def _row_blocks(self, n_rows, n_columns):
        size = n_columns * int(np.prod(self.point_shape)) or 1
        step = max(1, _BLOCK_NUMBERS // size)
        return [slice(i, min(i + step, n_rows)) for i in range(0, n_rows, step)]
