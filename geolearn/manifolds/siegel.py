"""The ball of matrices of spectral norm below one, under the Siegel metric."""

from typing import Any

import numpy as np

from geolearn import linalg
from geolearn.manifolds._hessians import negative_factors, scale_pairs
from geolearn.manifolds._mean import FrechetMean, improves
from geolearn.manifolds._mean import _warn as warn_of_mean
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.special import coth_minus_inverse, log_sinhc
from geolearn.utils.validation import check_integer

__all__ = ["SiegelBall"]

# Where matrices outside are put: distance 10.7 from the origin.
_INSIDE = 1.0 - 1e-9
# The largest hyperbolic tangent below one.
_LARGEST = 1.0 - 2.0**-53
_MAX_HALVINGS = 40


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
        squares, U = linalg.eigh(x @ _transpose(x))
        # A matrix on the boundary has infinite powers, not NaN.
        return (U * np.maximum(1.0 - squares, 0.0)[..., None, :] ** power) @ _transpose(
            U
        )

    def _both_powers(self, x, power):
        """Return (I - x x^T)^power and (I - x^T x)^power."""
        return self._left_power(x, power), self._left_power(_transpose(x), power)

    def _squared_sines(self, x, y):
        """Return a matrix whose eigenvalues are sinh^2 of the lengths wanted.

        Its left singular vectors are those of the logarithm. Squaring costs no
        digits, since squared lengths are smooth functions of the eigenvalues.
        """
        left = self._left_power(x, -0.5)
        right = self._left_power(_transpose(y), -0.5)
        sines = left @ (y - x) @ right
        return sines @ _transpose(sines)

    def _lengths(self, x, y):
        squares = linalg.eigvalsh(self._squared_sines(x, y))
        return np.arcsinh(np.sqrt(np.maximum(squares, 0.0)))

    def _dist(self, x, y):
        return np.sqrt(np.sum(self._lengths(x, y) ** 2, axis=-1))

    def _inner(self, x, u, v):
        return np.sum(self._at_origin(x, u) * self._at_origin(x, v), axis=(-2, -1))

    def _norm(self, x, v):
        return np.linalg.norm(self._at_origin(x, v), axis=(-2, -1))

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
        return left @ (y - x) @ (inverse @ right)

    def _log_at_origin(self, x, y):
        """Return the logarithm at x of y, moved to the origin."""
        squares, U = linalg.eigh(self._squared_sines(x, y))
        sines = np.sqrt(np.maximum(squares, 0.0))
        # length / tanh(length)
        factor = np.hypot(1.0, sines) * np.arcsinh(sines)
        factor = np.where(sines > 0.0, factor / np.where(sines > 0.0, sines, 1.0), 1.0)
        return (U * factor[..., None, :]) @ (_transpose(U) @ self._move(x, y))

    def _exp_from_origin(self, x, v):
        """Return exp at x of a vector that was moved to the origin."""
        squares, U = linalg.eigh(v @ _transpose(v))
        length = np.sqrt(np.maximum(squares, 0.0))
        factor = np.minimum(np.tanh(length), _LARGEST)
        factor = np.where(
            length > 0.0, factor / np.where(length > 0.0, length, 1.0), 1.0
        )
        end = (U * factor[..., None, :]) @ (_transpose(U) @ v)
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
        s = self._lengths(x, y)
        i, j = np.triu_indices(self.n, 1)
        roots = log_sinhc(s[..., i] - s[..., j]) + log_sinhc(s[..., i] + s[..., j])
        return np.sum(roots, axis=-1)

    def _scaled(self, x, y, w, which):
        left, lengths, right = np.linalg.svd(self._log_at_origin(x, y))
        factors = [
            negative_factors(lengths[..., :, None] + sign * lengths[..., None, :])
            for sign in (-1.0, 1.0)
        ]
        C = _transpose(left) @ w.reshape(*w.shape[:-1], self.n, self.n)
        C = C @ _transpose(right)
        W = left @ scale_pairs(C, *(f[which] for f in factors), lengths) @ right
        return W.reshape(*W.shape[:-2], self.dim)

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

    def _solve_mean(self, X, weight, starts, tol, max_iter):
        """Descend at the origin, where points are moved once a step.

        The mean is unique. The step is the inverse of the mean over all directions
        and points of the Hessian, shortened while the objective rises.
        """
        x = np.tensordot(weight, X, axes=1) if starts.init is None else starts.init
        state = _MeanState(self, x, X, weight)
        n_iter = 0
        while not state.converged(tol) and n_iter < max_iter:
            following = _lower(self, state, X, weight)
            if following is None:  # rounding level
                break
            state = following
            n_iter += 1
        result = FrechetMean(
            state.x, state.variance, n_iter, state.gradient_norm, state.converged(tol)
        )
        if not result.converged:
            warn_of_mean(self, X, weight, result, 1, tol)
        return result

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


class _MeanState:
    """Objective, gradient and mean Hessian at one matrix, moved to the origin."""

    def __init__(self, ball, x, X, weight):
        self.x, self.scale = x, ball._length_scale
        moved = ball._move(x, X)
        squares, U = linalg.eigh(moved @ _transpose(moved))
        s = np.minimum(np.sqrt(np.maximum(squares, 0.0)), _LARGEST)
        lengths = np.arctanh(s)
        factor = np.where(s > 0.0, lengths / np.where(s > 0.0, s, 1.0), 1.0)
        weighted = weight[:, None, None] * (U * factor[:, None, :])
        self.descent = np.einsum("nij,nkj,nkl->il", weighted, U, moved, optimize=True)
        self.gradient_norm = float(np.linalg.norm(self.descent))
        distances = np.linalg.norm(lengths, axis=-1)
        self.mean_distance = float(weight @ distances)
        self.variance = float(weight @ distances**2)
        i, j = np.triu_indices(ball.n, 1)
        roots = [np.ones_like(s), *(_hessian(lengths, i, j, sign) for sign in (1, -1))]
        self.hessian = float(weight @ np.mean(np.concatenate(roots, axis=-1), axis=-1))

    def converged(self, tol):
        return self.gradient_norm <= tol * max(self.scale, self.mean_distance)


def _hessian(lengths, i, j, sign):
    """Return t coth(t) for the roots t of the points."""
    t = lengths[..., i] + sign * lengths[..., j]
    return 1.0 + t * coth_minus_inverse(t)


def _lower(ball, state, X, weight):
    """Return the next state of the descent, None if no step is short enough."""
    step = 1.0 / state.hessian
    for _ in range(_MAX_HALVINGS):
        x = ball._exp_from_origin(state.x, step * state.descent)
        following = _MeanState(ball, x, X, weight)
        if improves(following, state):
            return following
        step /= 2.0
    return None
