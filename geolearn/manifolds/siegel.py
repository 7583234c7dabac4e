"""The ball of matrices of spectral norm below one, under the Siegel metric."""

from typing import Any

import numpy as np

from geolearn.manifolds.base import Manifold
from geolearn.manifolds.special import log_sinhc
from geolearn.utils.validation import check_integer

__all__ = ["SiegelBall"]

# Where matrices outside are put: distance 10.7 from the origin.
_INSIDE = 1.0 - 1e-9
# The largest hyperbolic tangent below one.
_LARGEST = 1.0 - 2.0**-53


def _transpose(A):
    return np.swapaxes(A, -1, -2)


class SiegelBall(Manifold):
    r"""Represent the real n x n matrices whose singular values are below one.

    The metric is :math:`\langle U, V \rangle_\Omega = \mathrm{tr}((I - \Omega
    \Omega^\top)^{-1} U (I - \Omega^\top \Omega)^{-1} V^\top)`, that of the symmetric
    space SO(n, n) / SO(n) x SO(n), for which the maps

    .. math:: \Phi_\Omega(\Psi) = (I - \Omega\Omega^\top)^{-1/2} (\Psi - \Omega)
        (I - \Omega^\top \Psi)^{-1} (I - \Omega^\top \Omega)^{1/2}

    are isometries that move :math:`\Omega` to 0. Distances from 0 are the norm of the
    inverse hyperbolic tangents of the singular values [1]_. For n = 1 it is a line:
    reflection coefficients of scalar time series.

    Parameters
    ----------
    n : int
        Number of rows and columns of the matrices, at least 1.

    See Also
    --------
    Manifold : The methods.
    BlockToeplitz : Covariance matrices of stationary series, built on this ball.

    Notes
    -----
    Distances come from singular values of :math:`(I - \Omega\Omega^\top)^{-1/2}
    (\Psi - \Omega) (I - \Psi^\top\Psi)^{-1/2}`, which are the hyperbolic sines of those
    wanted: no digits are lost for near matrices, nor for far ones. `check_points`
    refuses matrices of norm one and above, and `project` shortens their singular
    values to 1 - 1e-9.

    References
    ----------
    .. [1] B. Jeuris, R. Vandebril, "The Kähler mean of block-Toeplitz matrices with
       Toeplitz structured blocks", SIAM J. Matrix Anal. Appl. 37, 2016,
       doi:10.1137/15M102112X.

    Examples
    --------
    >>> ball = SiegelBall(1)
    >>> float(ball.dist([[0.3]], [[0.6]]).round(10))
    0.3836275764
    """

    def __init__(self, n: int):
        self.n = check_integer(n, "n")
        self.dim = self.n**2
        self.point_shape = (self.n, self.n)
        # The roots of the symmetric space have squared length 2.
        self.sectional_curvature_bounds = (0.0 if self.n == 1 else -2.0, 0.0)

    def _origin(self):
        return np.zeros(self.point_shape)

    def _left_power(self, x, power):
        """Return (I - x x^T)^power."""
        U, s, _ = np.linalg.svd(x)
        return (U * ((1.0 - s) * (1.0 + s))[..., None, :] ** power) @ _transpose(U)

    def _both_powers(self, x, power):
        """Return (I - x x^T)^power and (I - x^T x)^power."""
        U, s, Vt = np.linalg.svd(x)
        factor = ((1.0 - s) * (1.0 + s))[..., None, :] ** power
        V = _transpose(Vt)
        return (U * factor) @ _transpose(U), (V * factor) @ Vt

    def _sines(self, x, y):
        """Return a matrix whose singular values are sinh of those of the logarithm."""
        left = self._left_power(x, -0.5)
        right = self._left_power(_transpose(y), -0.5)
        return left @ (y - x) @ right

    def _dist(self, x, y):
        sines = np.linalg.svd(self._sines(x, y), compute_uv=False)
        return np.sqrt(np.sum(np.arcsinh(sines) ** 2, axis=-1))

    def _inner(self, x, u, v):
        return np.sum(self._at_origin(x, u) * self._at_origin(x, v), axis=(-2, -1))

    def _at_origin(self, x, v):
        left, right = self._both_powers(x, -0.5)
        return left @ v @ right

    def _from_origin(self, x, v):
        left, right = self._both_powers(x, 0.5)
        return left @ v @ right

    def _move(self, x, y):
        """Return the image of y under the isometry that moves x to zero."""
        inverse = np.linalg.inv(np.eye(self.n) - _transpose(x) @ y)
        left, right = self._left_power(x, -0.5), self._left_power(_transpose(x), 0.5)
        return left @ (y - x) @ inverse @ right

    def _log_at_origin(self, x, y):
        """Return the logarithm at x of y, moved to the origin."""
        lengths = np.arcsinh(np.linalg.svd(self._sines(x, y), compute_uv=False))
        U, _, Vt = np.linalg.svd(self._move(x, y))
        return (U * lengths[..., None, :]) @ Vt

    def _exp_from_origin(self, x, v):
        """Return exp at x of a vector that was moved to the origin."""
        U, s, Vt = np.linalg.svd(v)
        end = (U * np.minimum(np.tanh(s), _LARGEST)[..., None, :]) @ Vt
        return self._move(-x, end)

    def _log(self, x, y):
        return self._from_origin(x, self._log_at_origin(x, y))

    def _exp(self, x, v):
        return self._exp_from_origin(x, self._at_origin(x, v))

    def _transport(self, x, y, v):
        end = self._move(x, y)
        moved = self._from_origin(end, self._at_origin(x, v))
        # The differential at `end` of the isometry that moves the origin to x
        eye = np.eye(self.n)
        left, right = self._both_powers(x, 0.5)
        before = left @ np.linalg.inv(eye + end @ _transpose(x))
        return before @ moved @ np.linalg.inv(eye + _transpose(x) @ end) @ right

    def _log_volume_density(self, x, y):
        s = np.arcsinh(np.linalg.svd(self._sines(x, y), compute_uv=False))
        i, j = np.triu_indices(self.n, 1)
        roots = log_sinhc(s[..., i] - s[..., j]) + log_sinhc(s[..., i] + s[..., j])
        return np.sum(roots, axis=-1)

    def _tangent_to_vector(self, x, v):
        moved = self._at_origin(x, v)
        return moved.reshape(*moved.shape[:-2], self.dim)

    def _vector_to_tangent(self, x, w):
        return self._from_origin(x, w.reshape(*w.shape[:-1], self.n, self.n))

    def _project(self, x):
        norms = np.linalg.svd(x, compute_uv=False)[..., 0]
        outside = norms >= 1.0
        if not np.any(outside):
            return x
        U, s, Vt = np.linalg.svd(x)
        inside = (U * np.minimum(s, _INSIDE)[..., None, :]) @ Vt
        return np.where(outside[..., None, None], inside, x)

    def _project_tangent(self, x, v):
        return v + np.zeros_like(x)

    def _deviation(self, x):
        norms = np.linalg.svd(x, compute_uv=False)[..., 0]
        return np.maximum(norms - 1.0, 0.0)

    def _membership(self, x, atol):
        # An open set: a matrix of norm one is infinitely far away.
        inside = np.linalg.svd(x, compute_uv=False)[..., 0] < 1.0
        return inside, np.asarray(self._deviation(x))

    def _random_point(self, n_samples, rng):
        # Singular values of the same size for every n
        w = rng.standard_normal((n_samples, self.n, self.n)) / np.sqrt(self.n)
        return self._exp_from_origin(self._origin(), w)

    def log_vector(self, base_point: Any, point: Any) -> np.ndarray:
        """Return orthonormal coordinates of logarithms.

        Parameters
        ----------
        base_point : array_like of shape (..., n, n)
            Points x.
        point : array_like of shape (..., n, n)
            Points y.

        Returns
        -------
        ndarray of shape (..., dim)
            Coordinates of log_x(y), row by row, of Euclidean length dist(x, y).
        """
        x, y, dtype = self._arrays(base_point, point)
        moved = self._log_at_origin(x, y)
        return moved.reshape(*moved.shape[:-2], self.dim).astype(dtype, copy=False)
