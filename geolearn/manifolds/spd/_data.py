"""Operations of `SPD` on data sets: membership, coordinates, tables, means."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds._pointwise import finish
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.spd._chunks import in_chunks, pieces
from geolearn.manifolds.spd._forms import (
    ASYMMETRY,
    nearest_definite,
    not_positive_definite,
    symmetrise,
    transpose,
)
from geolearn.manifolds.spd._geometry import finite_exponential
from geolearn.utils.validation import (
    check_integer,
    check_positive,
    check_sample_weight,
)

__all__ = ["DataOperations"]

_FLOOR = 1e-12  # of projected eigenvalues, relative to the largest


class DataOperations(Manifold):
    """Apply a geometry of n x n matrices to whole stacks; see `SPD`."""

    n: int
    metric: str
    _geometry: Any  # geolearn.manifolds.spd._geometry.Geometry

    def dist(self, x: Any, y: Any, *, squared: bool = False) -> np.ndarray:
        """Return distances of matrices paired by broadcasting.

        Parameters
        ----------
        x : array_like of shape (..., n, n)
            SPD matrices. "bures_wasserstein" and "euclidean" take semidefinite ones.
        y : array_like of shape (..., n, n)
            SPD matrices; leading axes broadcast against those of `x`.
        squared : bool, default=False
            Whether to return squared distances, as in `pairwise_distances`.

        Returns
        -------
        ndarray of shape (...)
            Distances, or divergences.

        Raises
        ------
        ValueError
            If the metric has no distance in closed form, or a matrix is not positive
            definite where the metric needs that.
        """
        x, y, dtype = self._arrays(x, y)
        return finish(self._geometry.distance(x, y, squared), dtype)

    def log_vector(
        self, base_point: Any, point: Any, *, n_jobs: int | None = None
    ) -> np.ndarray:
        """Return orthonormal coordinates of logarithms, fused and in chunks.

        Parameters
        ----------
        base_point : array_like of shape (..., n, n)
            SPD matrices P.
        point : array_like of shape (..., n, n)
            SPD matrices Q; leading axes broadcast against those of P.
        n_jobs : int, default=None
            Number of threads; None means 1 and -1 all cores. The result does not
            depend on it.

        Returns
        -------
        ndarray of shape (..., dim)
            Coordinates of log_P(Q) in the frame of `tangent_to_vector`, of Euclidean
            length dist(P, Q).

        Raises
        ------
        ValueError
            If the metric has no logarithm, or a matrix is not positive definite.
        """
        x, y, dtype = self._arrays(base_point, point)

        def log_vector(x, y):
            return self._geometry.log_vector(x, y, n_jobs)

        with _small_matrices(n_jobs):
            return finish(in_chunks(log_vector, [x, y], [2, 2]), dtype)

    def exp_vector(
        self, base_point: Any, vector: Any, *, n_jobs: int | None = None
    ) -> np.ndarray:
        """Return the matrices whose logarithms have given coordinates.

        Parameters
        ----------
        base_point : array_like of shape (..., n, n)
            SPD matrices P.
        vector : array_like of shape (..., dim)
            Coordinates in the frame of `tangent_to_vector`; leading axes broadcast
            against those of P.
        n_jobs : int, default=None
            Number of threads; None means 1 and -1 all cores. The result does not
            depend on it.

        Returns
        -------
        ndarray of shape (..., n, n)
            SPD matrices Q with ``log_vector(P, Q)`` equal to `vector`.

        Raises
        ------
        ValueError
            If the metric has no exponential, the geodesic leaves the SPD matrices or
            the range of float64, the last axis of `vector` is not of length `dim`, or
            P is not positive definite.
        """
        x, w, dtype = self._coordinate_arrays(base_point, vector)

        def exp_vector(x, w):
            geometry = self._geometry
            return finite_exponential(geometry.exp_vector, self.metric, x, w, n_jobs)

        with _small_matrices(n_jobs):
            return finish(in_chunks(exp_vector, [x, w], [2, 1]), dtype)

    def pairwise_distances(  # more options than the base class
        self,
        X: Any,
        Y: Any = None,
        *,
        squared: bool = False,
        return_log_volume: bool = False,
        n_jobs: int | None = None,
        out: np.ndarray | None = None,
    ) -> Any:
        """Return the table of distances between two sets of matrices.

        Each matrix is factored once. Flat metrics are computed on their
        coordinates, close pairs from differences.

        Parameters
        ----------
        X : array_like of shape (n_x, n, n)
            SPD matrices.
        Y : array_like of shape (n_y, n, n), default=None
            SPD matrices; None takes `X` and halves the work.
        squared : bool, default=False
            Whether to return squared distances. The divergences
            "kullback_leibler", "kullback_leibler_reversed" and "jeffreys" are of the
            kind of squared distances, and are the same either way.
        return_log_volume : bool, default=False
            Whether to return the table of `log_volume_density` too.
        n_jobs : int, default=None
            Number of threads; None means 1 and -1 all cores. The result does not
            depend on it.
        out : ndarray of shape (n_x, n_y), default=None
            C-contiguous float64 array that receives the distances.

        Returns
        -------
        distances : ndarray of shape (n_x, n_y)
            Distances; the diagonal is exactly zero when `Y` is None.
        log_volume : ndarray of shape (n_x, n_y)
            Logarithms of the volume density, if asked for.

        Raises
        ------
        ValueError
            If the metric has no distance in closed form, or a matrix is not positive
            definite where the metric needs that.
        """
        X = self._cloud(X, "X")
        Y = None if Y is None else self._cloud(Y, "Y")
        if return_log_volume and not squared and self._is_affine:
            from geolearn.manifolds.spd._neighbors import affine_tables  # compiles

            return affine_tables(self._geometry, X, Y, n_jobs, out)
        distances = self._distance_table(X, Y, squared, n_jobs, out)
        if not return_log_volume:
            return distances
        log_volume = np.zeros_like(distances)
        if not self.is_flat:
            other = X if Y is None else Y
            self._fill_log_volume(X, other, distances, log_volume, Y is None)
        return distances, log_volume

    def frechet_mean(  # type: ignore[override]  # unique: no further starts
        self,
        X: Any,
        sample_weight: Any = None,
        *,
        init: Any = None,
        tol: float = 1e-8,
        max_iter: int = 50,
        return_result: bool = False,
        n_jobs: int | None = None,
    ) -> "np.ndarray | FrechetMean":
        """Return the matrix with the least weighted sum of squared distances.

        Closed forms for the flat metrics. Newton's method with conjugate gradients
        for the affine-invariant metrics, fixed points for Bures-Wasserstein and
        Stein. For the divergences the mean M minimises the weighted sum of
        d(X_i, M): the arithmetic mean ("kullback_leibler"), the harmonic one
        ("kullback_leibler_reversed") or the geometric mean of both ("jeffreys").

        Parameters
        ----------
        X : array_like of shape (n_samples, n, n)
            SPD matrices. The Euclidean metric takes semidefinite ones too.
        sample_weight : array_like of shape (n_samples,), default=None
            Non-negative weights, of any sum; None weighs all matrices alike.
        init : array_like of shape (n, n), default=None
            Start of the iteration; None lets the method choose. Closed forms need
            none.
        tol : float, default=1e-8
            Stop when the criterion is at most `tol`: for the affine-invariant
            metrics the length of the gradient, which bounds the distance to the
            mean; for Bures-Wasserstein the Frobenius norm of the average optimal
            map less the identity, over the root of n; for Stein the
            affine-invariant length of a step. All are the same in all units.
        max_iter : int, default=50
            Largest number of steps.
        return_result : bool, default=False
            Whether to return the diagnostics with the mean.
        n_jobs : int, default=None
            Number of threads; None means 1 and -1 all cores.

        Returns
        -------
        ndarray of shape (n, n) or FrechetMean
            The mean; with `return_result` a named tuple of `mean`, `variance` (the
            weighted mean of squared distances, or of divergences), `n_iter` (0 for
            closed forms), `gradient_norm` (the criterion) and `converged`.

        Raises
        ------
        ValueError
            If the metric has no mean ("thompson", "bogoliubov_kubo_mori"), `X` is
            empty or holds NaN, infinity or a matrix that is not symmetric positive
            definite, a weight is negative, or all are zero.

        Warns
        -----
        ConvergenceWarning
            If the criterion is above `tol` after `max_iter` steps.
        """
        dtype = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
        X = self._checked(X, definite=self._geometry.needs_definite)
        weight = check_sample_weight(sample_weight, len(X))
        max_iter = check_integer(max_iter, "max_iter", minimum=0)
        check_positive(tol, "tol")
        if init is not None:
            init = self._checked(np.asarray(init)[None], name="init")[0]
        used = weight > 0.0
        if not used.all():
            X, weight = X[used], weight[used]
        result = self._mean(X, weight, init, tol, max_iter, n_jobs)
        result = result._replace(mean=result.mean.astype(dtype, copy=False))
        return result if return_result else result.mean

    def _mean(self, X, weight, init, tol, max_iter, n_jobs=None):
        with _small_matrices(n_jobs):
            result = self._geometry.mean(
                X, weight, init=init, tol=tol, max_iter=max_iter, n_jobs=n_jobs
            )
        if not result.converged:
            warnings.warn(
                f"The Fréchet mean on {self!r} stopped after {result.n_iter} steps "
                f"with gradient norm {result.gradient_norm:.1e}, wanted {tol:.1e}. "
                f"Raise max_iter or tol, or start from init=the mean of another "
                f"metric.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return result

    def _solve_mean(self, X, weight, starts, tol, max_iter):
        return self._mean(X, weight, starts.init, tol, max_iter)

    # Hooks of geolearn.metrics, so that its functions are as fast as the methods.

    def _distance_table(self, X, Y=None, squared=False, n_jobs=None, out=None):
        """Return all distances; Y=None stands for X."""
        with _small_matrices(n_jobs):
            return self._geometry.table(X, Y, squared, n_jobs, out)

    def _flat_coordinates(self):
        """Return the function to vectors of the same distances, or None."""
        return self._geometry.coordinates if self._geometry.charted else None

    # Hooks of the neighbour search.

    @property
    def _is_affine(self):
        from geolearn.manifolds.spd._neighbors import is_affine  # compiles

        return is_affine(self._geometry)

    def _pair_evaluator(self, X, Y, with_volume, n_jobs):
        if not self._is_affine:
            return super()._pair_evaluator(X, Y, with_volume, n_jobs)
        from geolearn.manifolds.spd._neighbors import AffinePairs  # compiles

        return AffinePairs(self._geometry, X, Y, with_volume, n_jobs)

    def _tangents(self, sample, X, n_jobs):
        if not self._is_affine:
            return super()._tangents(sample, X, n_jobs)
        from geolearn.manifolds.spd._neighbors import affine_tangents  # compiles

        return affine_tangents(self._geometry, sample, X, n_jobs)

    # Membership.

    def check_points(self, X: Any, *, atol: float = ASYMMETRY) -> np.ndarray:
        """Check that matrices are symmetric positive definite.

        Parameters
        ----------
        X : array_like of shape (n_samples, n, n)
            Matrices.
        atol : float, default=1e-8
            Asymmetry that is tolerated and silently removed, relative to the largest
            entry of the matrix. Indefinite matrices are never tolerated: a pivot of
            the Cholesky factorisation must be above max(n, 128) times the rounding unit
            times its diagonal entry, whatever the units of the channels.

        Returns
        -------
        ndarray of shape (n_samples, n, n)
            Contiguous float64 matrices, exactly symmetric.

        Raises
        ------
        ValueError
            If the shape is wrong, there is no sample, an entry is NaN or infinite, or
            a matrix is not symmetric or not positive definite; the message names the
            first such matrix and remedies.
        """
        return self._checked(X, atol=atol)

    def project(self, X: Any, *, floor: float | None = None) -> np.ndarray:
        """Return symmetric parts, with eigenvalues raised where they are too small.

        Parameters
        ----------
        X : array_like of shape (..., n, n)
            Matrices.
        floor : float, default=None
            Smallest eigenvalue allowed, relative to the largest absolute eigenvalue
            of the matrix, in (0, 1]. None changes only matrices that are not
            positive definite in double precision, with a floor of 1e-12.

        Returns
        -------
        ndarray of shape (..., n, n)
            SPD matrices, the nearest in Frobenius norm with such eigenvalues.

        Raises
        ------
        ValueError
            If an entry is NaN or infinite, or a matrix is zero.
        """
        x, dtype = self._arrays(X)
        if not np.isfinite(x).all():
            raise ValueError("Input contains NaN or infinity; it has no projection.")
        return finish(self._project(x, floor), dtype)

    def _project(self, x, floor=None):
        x = symmetrise(x)
        if floor is None:
            return nearest_definite(x, _FLOOR, ~self._definite(x))
        values = np.linalg.eigvalsh(x)
        low = values[..., 0] < floor * np.abs(values).max(axis=-1)
        return nearest_definite(x, floor, low | ~self._definite(x))

    def _checked(self, X, *, atol=ASYMMETRY, definite=True, name="X"):
        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 3 or X.shape[1:] != self.point_shape or len(X) == 0:
            hint = ""
            if X.shape == self.point_shape:
                hint = f" Use {name}[np.newaxis] for a single matrix."
            raise ValueError(
                f"{name} has shape {X.shape}, but points of {self!r} have point_shape "
                f"{self.point_shape}: expected (n_samples, {self.n}, {self.n}) with at "
                f"least one sample.{hint}"
            )
        off = np.concatenate(
            [_asymmetry(X[rows]) for rows in pieces(len(X), X[0].nbytes)]
        )
        # NaN where an entry is, and where infinities meet
        if not (off <= atol).all():
            raise self._off_manifold(X, off <= atol, atol, name)
        if off.any():
            X = symmetrise(X)
        if definite:
            valid = self._definite(X)
            if not valid.all():
                raise self._off_manifold(X, valid, atol, name)
        return X

    def _off_manifold(self, X, valid, atol, name):
        """Return the error about the first invalid matrix."""
        first = int(np.argmin(valid))
        where = name if name == "init" else f"matrix {first}"
        if not np.isfinite(X[first]).all():
            return ValueError(
                f"Input contains NaN or infinity: {where} of {name} does."
                if name != "init"
                else "init contains NaN or infinity."
            )
        off = float(_asymmetry(X[first]))
        if off > min(atol, ASYMMETRY):
            count = f"; {int((~valid).sum())} of {len(X)} matrices are affected"
            return ValueError(
                f"{where} is not symmetric: entries differ from their mirror images "
                f"by up to {off:.1e} of the largest entry{count}. Pass (X + "
                f"np.swapaxes(X, -1, -2)) / 2 if that is rounding."
            )
        return not_positive_definite(X, ~valid, name if name == "init" else "")

    def _membership(self, x, atol):
        deviation = _asymmetry(x)
        valid = (deviation <= min(atol, ASYMMETRY)) & self._definite(x)
        return valid, deviation

    @staticmethod
    def _definite(x):
        """Return which symmetric matrices have a Cholesky factor."""
        from geolearn.linalg import cholesky  # compiles

        return np.asarray(cholesky(x)[1] == 0)


def _small_matrices(n_jobs):
    """Give the threads to numba, and one to BLAS, whose own do not help."""
    from geolearn.utils._threads import matrix_threads  # compiles

    return matrix_threads(n_jobs)


def _asymmetry(x):
    """Return differences from the mirror image, relative to the largest entry."""
    largest = np.abs(x).max(axis=(-2, -1))
    with np.errstate(invalid="ignore"):  # infinity less infinity is NaN: not valid
        off = np.abs(x - transpose(x)).max(axis=(-2, -1))
        return off / np.where(largest > 0.0, largest, 1.0)
