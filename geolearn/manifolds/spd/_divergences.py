"""Stein, Thompson, Kullback-Leibler and Jeffreys: no geodesics, some means."""

import numpy as np

from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds.spd._affine import AffineInvariant
from geolearn.manifolds.spd._charts import PowerChart
from geolearn.manifolds.spd._geometry import Geometry
from geolearn.manifolds.spd._mean_stein import stein_mean
from geolearn.metrics.spd import pencil_distance, pencil_table

__all__ = ["Divergence", "Reversed", "Stein"]


class Divergence(Geometry):
    """A function of the eigenvalues of A^-1 B.

    Parameters
    ----------
    name : str
        "stein", "thompson", "kullback_leibler" or "jeffreys".
    n : int
        Size of the matrices.
    """

    def __init__(self, name, n):
        super().__init__(name)
        self.n = n

    def distance(self, A, B, squared=False, n_jobs=None):
        """Return values of matrices paired by broadcasting."""
        return pencil_distance(A, B, self.name, squared=squared, n_jobs=n_jobs)

    def table(self, X, Y, squared=False, n_jobs=None, out=None):
        """Return all values between X and Y."""
        return pencil_table(X, Y, self.name, squared=squared, n_jobs=n_jobs, out=out)

    def mean(self, X, weight, *, init, tol, max_iter, n_jobs):
        """Return the matrix M with the least weighted sum of values (X_i, M)."""
        M = self._center(X, weight, n_jobs)
        variance = float(weight @ self.distance(X, M, n_jobs=n_jobs))
        return FrechetMean(M, variance, 0, 0.0, True)

    def _center(self, X, weight, n_jobs):
        if self.name == "thompson":
            others = "affine_invariant, log_euclidean, stein"
            raise self._lacks("mean here; choose another metric for means", others)
        arithmetic = np.tensordot(weight, X, axes=1)
        if self.name == "kullback_leibler":
            return arithmetic
        harmonic = _harmonic(X, weight, n_jobs)
        affine = AffineInvariant(self.n)  # Jeffreys: the geometric mean of both
        return affine.exp(arithmetic, 0.5 * affine.log(arithmetic, harmonic))


class Reversed(Divergence):
    """The Kullback-Leibler divergence with its arguments swapped.

    Parameters
    ----------
    n : int
        Size of the matrices.
    """

    def __init__(self, n):
        super().__init__("kullback_leibler_reversed", n)
        self._forward = Divergence("kullback_leibler", n)

    def distance(self, A, B, squared=False, n_jobs=None):
        """Return values of matrices paired by broadcasting."""
        return self._forward.distance(B, A, squared, n_jobs)

    def table(self, X, Y, squared=False, n_jobs=None, out=None):
        """Return all values between X and Y."""
        pair = (X, None) if Y is None else (Y, X)
        table = self._forward.table(*pair, squared, n_jobs).T
        if out is None:
            return np.ascontiguousarray(table)
        out[...] = table
        return out

    def _center(self, X, weight, n_jobs):
        return _harmonic(X, weight, n_jobs)


class Stein(Divergence):
    """The root of the symmetric Stein divergence.

    Parameters
    ----------
    n : int
        Size of the matrices.
    """

    def __init__(self, n):
        super().__init__("stein", n)

    def mean(self, X, weight, *, init, tol, max_iter, n_jobs):
        """Return the mean, by its fixed point."""
        return stein_mean(
            X, weight, init=init, tol=tol, max_iter=max_iter, n_jobs=n_jobs
        )


def _harmonic(X, weight, n_jobs):
    chart = PowerChart(X.shape[-1], -1.0)
    return chart.matrix(weight @ chart.coordinates(X, n_jobs), inside=True)
