"""Metrics pulled back by powers and by congruences."""

import numpy as np

from geolearn import linalg
from geolearn.manifolds.spd._affine import polar_rotation
from geolearn.manifolds.spd._forms import (
    compose,
    divided_power,
    transpose,
)
from geolearn.manifolds.spd._geometry import Geometry
from geolearn.manifolds.spd._spectral import (
    eigen,
    inverse_factor,
    rotate,
)

__all__ = ["CongruenceMap", "PowerMap", "PulledBack"]

_LARGEST_RATIO = 1e15  # of eigenvalues that double precision tells apart


class PowerMap:
    """A to A^theta, whose metric is divided by theta^2.

    Parameters
    ----------
    theta : float
        Exponent, not zero.
    """

    def __init__(self, theta):
        self.theta = theta
        self.scale = theta

    def forward(self, A, n_jobs=None):
        """Return A^theta."""
        return self._power(A, self.theta, n_jobs)

    def backward(self, B, n_jobs=None):
        """Return B^(1 / theta)."""
        return self._power(B, 1.0 / self.theta, n_jobs)

    def _power(self, A, theta, n_jobs):
        a, U = eigen(A, n_jobs)
        ratio = np.max((a[..., -1] / a[..., 0]) ** abs(theta), initial=1.0)
        if ratio > _LARGEST_RATIO:
            raise ValueError(
                f"power={self.theta:g} takes a matrix to condition number "
                f"{ratio:.1e}, beyond double precision: bring power closer to zero."
            )
        return compose(U, a**theta)

    def push(self, A, V):
        """Return the differential of `forward`."""
        a, U = eigen(A)
        return linalg.congruence(U, divided_power(a, self.theta) * rotate(U, V))

    def pull(self, A, W):
        """Undo `push`."""
        a, U = eigen(A)
        return linalg.congruence(U, rotate(U, W) / divided_power(a, self.theta))


class CongruenceMap:
    """A to G^-1/2 A G^-1/2.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        SPD matrix G.
    """

    scale = 1.0

    def __init__(self, matrix):
        self._L, self._W = inverse_factor(matrix)
        self._R = polar_rotation(self._L)

    def forward(self, A, n_jobs=None):
        """Whiten by the Cholesky factor, then rotate."""
        return linalg.congruence(self._R, linalg.congruence(self._W, A, n_jobs=n_jobs))

    def backward(self, B, n_jobs=None):
        """Undo `forward`."""
        return linalg.congruence(self._L, linalg.congruence(transpose(self._R), B))

    def push(self, A, V):
        """Return the differential of `forward`, which is linear."""
        return self.forward(V) + np.zeros_like(A)

    def pull(self, A, W):
        """Undo `push`."""
        return self.backward(W) + np.zeros_like(A)


class PulledBack(Geometry):
    """The metric that makes a map an isometry up to its scale.

    Parameters
    ----------
    base : Geometry
        Metric of the images.
    map : PowerMap or CongruenceMap
        The map.
    """

    def __init__(self, base, map):
        super().__init__(base.name)
        self.base, self.map = base, map
        self.curvature = tuple(map.scale**2 * bound for bound in base.curvature)
        for flag in ("complete", "closed_transport", "charted", "has_hessian"):
            setattr(self, flag, getattr(base, flag))

    def _unscale(self, distances, squared, out=None):
        factor = self.map.scale**2 if squared else abs(self.map.scale)
        return np.divide(distances, factor, out=out)

    def distance(self, A, B, squared=False, n_jobs=None):
        """Return distances of matrices paired by broadcasting."""
        A, B = (self.map.forward(C, n_jobs) for C in (A, B))
        return self._unscale(self.base.distance(A, B, squared, n_jobs), squared)

    def table(self, X, Y, squared=False, n_jobs=None, out=None):
        """Return all distances between X and Y."""
        X = self.map.forward(X, n_jobs)
        Y = None if Y is None else self.map.forward(Y, n_jobs)
        result = self.base.table(X, Y, squared, n_jobs, out)
        return self._unscale(result, squared, out=result)

    def coordinates(self, X, n_jobs=None):
        """Return vectors with the same distances, if the base metric has them."""
        return self.base.coordinates(self.map.forward(X, n_jobs), n_jobs) / (
            self.map.scale
        )

    def exp(self, P, V):
        """Return the exponential, mapped there and back."""
        image = self.base.exp(self.map.forward(P), self.map.push(P, V))
        return self.map.backward(image)

    def log(self, P, Q):
        """Return the logarithm, mapped there and back."""
        return self.map.pull(P, self.base.log(self.map.forward(P), self.map.forward(Q)))

    def transport(self, P, Q, V):
        """Return transported vectors, mapped there and back."""
        start, end = self.map.forward(P), self.map.forward(Q)
        return self.map.pull(Q, self.base.transport(start, end, self.map.push(P, V)))

    def hessian(self, P, Q):
        """Return the Hessian at the images, in the frame that is mapped along."""
        return self.base.hessian(self.map.forward(P), self.map.forward(Q))

    def log_adjoint(self, P, Q, V):
        """Return adjoints, mapped there and back."""
        start, end = self.map.forward(P), self.map.forward(Q)
        moved = self.base.log_adjoint(start, end, self.map.push(P, V))
        return self.map.pull(Q, moved)

    def log_volume(self, P, Q):
        """Return the density at the images: isometries keep it."""
        return self.base.log_volume(self.map.forward(P), self.map.forward(Q))

    def to_vector(self, P, V):
        """Return the coordinates of the images."""
        w = self.base.to_vector(self.map.forward(P), self.map.push(P, V))
        return w / self.map.scale

    def from_vector(self, P, w):
        """Undo `to_vector`."""
        V = self.base.from_vector(self.map.forward(P), self.map.scale * w)
        return self.map.pull(P, V)

    def log_vector(self, P, Q, n_jobs=None):
        """Return the coordinates of the images."""
        P, Q = self.map.forward(P), self.map.forward(Q, n_jobs)
        return self.base.log_vector(P, Q, n_jobs) / self.map.scale

    def exp_vector(self, P, w, n_jobs=None):
        """Undo `log_vector`."""
        P = self.map.forward(P)
        image = self.base.exp_vector(P, self.map.scale * w, n_jobs)
        return self.map.backward(image, n_jobs)

    def mean(self, X, weight, *, init, tol, max_iter, n_jobs):
        """Return the mean of the images, mapped back."""
        scale = abs(self.map.scale)
        result = self.base.mean(
            self.map.forward(X, n_jobs),
            weight,
            init=None if init is None else self.map.forward(init),
            tol=tol * scale,
            max_iter=max_iter,
            n_jobs=n_jobs,
        )
        return result._replace(
            mean=self.map.backward(result.mean),
            variance=result.variance / scale**2,
            gradient_norm=result.gradient_norm / scale,
        )
