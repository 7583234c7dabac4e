"""Stein, Thompson, Kullback-Leibler and Jeffreys: no geodesics, some means."""

import numpy as np

from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds.spd._affine import AffineInvariant
from geolearn.manifolds.spd._charts import PowerChart
from geolearn.manifolds.spd._flat import Flat
from geolearn.manifolds.spd._geometry import Geometry, explain_nan
from geolearn.manifolds.spd._mean_stein import stein_mean
from geolearn.metrics.spd import pencil_distance, pencil_table

__all__ = ["Divergence", "Stein"]

_KINDS = {"kullback_leibler_reversed": "kullback_leibler"}
_SQUARES = ("kullback_leibler", "kullback_leibler_reversed", "jeffreys")


class Divergence(Geometry):
    """A function of the eigenvalues of A^-1 B.

    Parameters
    ----------
    name : str
        "thompson", "kullback_leibler", "kullback_leibler_reversed" or "jeffreys".
    n : int
        Size of the matrices.
    """

    def __init__(self, name, n):
        super().__init__(name)
        self.n = n
        self.divergence = name in _SQUARES
        self._kind = _KINDS.get(name, name)
        self._swapped = name in _KINDS

    def distance(self, A, B, squared=False, n_jobs=None):
        """Return values of matrices paired by broadcasting."""
        pair = (B, A) if self._swapped else (A, B)
        result = pencil_distance(*pair, self._kind, squared=squared, n_jobs=n_jobs)
        return explain_nan(result, A, B)

    def table(self, X, Y, squared=False, n_jobs=None, out=None):
        """Return all values between X and Y."""
        options = {"squared": squared, "n_jobs": n_jobs}
        if not self._swapped:
            result = pencil_table(X, Y, self._kind, out=out, **options)
        else:
            table = pencil_table(
                X if Y is None else Y, None if Y is None else X, self._kind, **options
            ).T
            result = np.empty(table.shape) if out is None else out
            result[...] = table
        return explain_nan(result, X, X if Y is None else Y)

    def mean(self, X, weight, *, init, tol, max_iter, n_jobs):
        """Return the matrix M with the least weighted sum of values (X_i, M)."""
        if self.name == "thompson":
            raise self._lacks(
                "mean here; choose another metric_mean",
                "affine_invariant, log_euclidean, stein",
            )
        arithmetic = np.tensordot(weight, X, axes=1)
        harmonic = None
        if self.name != "kullback_leibler":
            chart = Flat("harmonic", PowerChart(self.n, -1.0))
            harmonic = chart.mean(
                X, weight, init=None, tol=tol, max_iter=0, n_jobs=n_jobs
            ).mean
        if self.name == "kullback_leibler":
            M = arithmetic
        elif self.name == "kullback_leibler_reversed":
            M = harmonic
        else:
            affine = AffineInvariant(self.n)
            M = affine.exp(arithmetic, 0.5 * affine.log(arithmetic, harmonic))
        variance = float(weight @ self.distance(X, M, n_jobs=n_jobs))
        return FrechetMean(M, variance, 0, 0.0, True)


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
