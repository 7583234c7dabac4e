"""What a metric of SPD matrices offers to the manifold; the plain defaults."""

import math

import numpy as np

from geolearn.manifolds.spd._names import EXPONENTIAL, HESSIAN, MEAN

__all__ = ["Geometry", "finite_exponential", "leaves_domain"]


class Geometry:
    """One metric on n x n matrices; arrays are float64 and broadcast.

    A geometry that lacks an operation says so and names metrics that have it.

    Parameters
    ----------
    name : str
        Name for the error messages.
    """

    curvature: tuple[float, float] = (-math.inf, math.inf)
    complete = False  # whether exp is defined on all tangent vectors
    needs_definite = True  # whether means need strictly positive matrices
    closed_transport = True
    charted = False  # whether there are coordinates of the same distances
    has_hessian = False

    def __init__(self, name):
        self.name = name

    def _lacks(self, what, others=EXPONENTIAL):
        return ValueError(
            f"metric={self.name!r} has no {what}; metrics that have one: {others}."
        )

    def distance(self, A, B, squared=False, n_jobs=None):
        """Return distances of matrices paired by broadcasting."""
        raise self._lacks("distance in closed form", MEAN)

    def table(self, X, Y, squared=False, n_jobs=None, out=None):
        """Return all distances between X and Y (None stands for X)."""
        raise self._lacks("distance in closed form", MEAN)

    def exp(self, P, V):
        """Return the exponential at P of V."""
        raise self._lacks("exponential map")

    def log(self, P, Q):
        """Return the logarithm at P of Q."""
        raise self._lacks("logarithm")

    def inner(self, P, U, V):
        """Return inner products at P."""
        return np.sum(self.to_vector(P, U) * self.to_vector(P, V), axis=-1)

    def norm(self, P, V):
        """Return lengths at P."""
        return np.linalg.norm(self.to_vector(P, V), axis=-1)

    def transport(self, P, Q, V):
        """Return V transported from P to Q."""
        raise self._lacks("parallel transport")

    def log_volume(self, P, Q):
        """Return logarithms of the volume density."""
        raise self._lacks("exponential map, hence no volume density")

    def hessian(self, P, Q):
        """Return Hessians at P of half the squared distance to Q."""
        raise self._lacks("Hessian of squared distances", HESSIAN)

    def log_adjoint(self, P, Q, V):
        """Return the adjoint of the differential of Q -> log_P(Q) at V."""
        raise self._lacks("Hessian of squared distances", HESSIAN)

    def to_vector(self, P, V):
        """Return orthonormal coordinates at P."""
        raise self._lacks("inner product on tangent vectors")

    def from_vector(self, P, w):
        """Return tangent vectors with given coordinates."""
        raise self._lacks("inner product on tangent vectors")

    def log_vector(self, P, Q, n_jobs=None):
        """Return coordinates of logarithms."""
        return self.to_vector(P, self.log(P, Q))

    def exp_vector(self, P, w, n_jobs=None):
        """Return exponentials of coordinates."""
        return self.exp(P, self.from_vector(P, w))

    def mean(self, X, weight, *, init, tol, max_iter, n_jobs):
        """Return the FrechetMean of valid matrices under positive weights."""
        raise self._lacks("mean here; choose another metric for means", MEAN)


def finite_exponential(exponential, name, *arguments):
    """Return exponentials, or raise and name the first that is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        Q = exponential(*arguments)
    bad = ~np.isfinite(Q).all(axis=(-2, -1))
    if np.any(bad):
        raise ValueError(
            f"The exponential of tangent vector{_first(bad)} is not finite under "
            f"metric={name!r}: the vector is too long for float64, or holds NaN. "
            f"Shorten it."
        )
    return Q


def _first(bad):
    """Return the place of the first bad item, with a blank before it."""
    if not np.ndim(bad):
        return ""
    position = tuple(int(i) for i in np.argwhere(bad)[0])
    return f" {position[0] if len(position) == 1 else position}"


def leaves_domain(name, bad, reason):
    """Return the error for geodesics that end before their time."""
    return ValueError(
        f"The geodesic along tangent vector{_first(bad)} leaves the SPD matrices under "
        f"metric={name!r} ({reason}): shorten it, or use a metric that is complete: "
        f"affine_invariant, log_euclidean or log_cholesky."
    )
