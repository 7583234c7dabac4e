"""Block-Toeplitz covariance matrices by their reflection coefficients."""

import math
from functools import cached_property
from typing import Any

import numpy as np

from geolearn import linalg
from geolearn.manifolds._levinson import (
    blocks_to_matrix,
    from_reflections,
    matrix_to_blocks,
    to_reflections,
)
from geolearn.manifolds._pointwise import finish
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.product import ProductManifold
from geolearn.manifolds.siegel import SiegelBall
from geolearn.manifolds.spd import SPD
from geolearn.utils.validation import check_integer

__all__ = ["BlockToeplitz"]

_FLOOR = 1e-10  # of the eigenvalues of projected matrices, relative to the largest


class BlockToeplitz(Manifold):
    r"""Represent symmetric positive definite block-Toeplitz matrices [1]_.

    Block (i, j) of a point is :math:`\Gamma(i - j)`, the lagged covariance of a
    stationary series. The block Levinson recursion [2]_ turns the matrix into
    :math:`\Gamma(0)` and the reflection matrices :math:`\Omega_1, \dots,
    \Omega_{p-1}`, the normalised partial correlations of samples 1, ..., p - 1 steps
    apart, which are free: any positive definite matrix with any matrices of singular
    values below one. The squared distance is

    .. math:: p\, d_{AI}^2(\Gamma(0), \Gamma'(0)) +
        \sum_{k=1}^{p-1} (p - k)\, d_S^2(\Omega_k, \Omega'_k),

    with the affine-invariant distance of `SPD` and that of `SiegelBall`; the weights
    are those of the determinant, :math:`\log\det R = p \log\det \Gamma(0) +
    \sum_k (p - k) \log\det(I - \Omega_k \Omega_k^\top)`. The cost is that of p
    problems of the size of a block instead of one of size p blocks.

    Points and tangent vectors are the whole symmetric matrices, so that the manifold
    can replace `SPD` in estimators. `to_coordinates` and `from_coordinates` convert.

    Parameters
    ----------
    n_blocks : int
        Number p of blocks in a row, at least 1: the order of the augmented
        covariances.
    block_size : int
        Size d of the blocks, at least 1: the number of channels.

    See Also
    --------
    geolearn.covariance.AugmentedCovariances : Gives such matrices with
        ``toeplitz=True``.
    SiegelBall : The space of the reflection matrices.
    Manifold : The methods.

    Notes
    -----
    The distance is unchanged by rotations of the channels, permutations among them,
    but not by other linear maps: their effect on the reflection matrices depends on
    the matrix. One factor for all channels changes :math:`\Gamma(0)` only.

    Departures from [1]_: affine and Siegel terms are both squared, and means take
    weights.

    References
    ----------
    .. [1] I. Carrara, T. Papadopoulo, "Enhancing computational efficiency of motor
       imagery BCI classification with block-Toeplitz augmented covariance matrices
       and Siegel metric", 2024, arXiv:2406.16909.
    .. [2] B. Jeuris, R. Vandebril, "The Kähler mean of block-Toeplitz matrices with
       Toeplitz structured blocks", SIAM J. Matrix Anal. Appl. 37, 2016,
       doi:10.1137/15M102112X.

    Examples
    --------
    Autoregressive series of unit variance, whose reflection coefficients are 0.6 and
    0.3:

    >>> manifold = BlockToeplitz(2, 1)
    >>> A, B = [[1.0, 0.6], [0.6, 1.0]], [[1.0, 0.3], [0.3, 1.0]]
    >>> float(manifold.dist(A, B).round(10))
    0.3836275764
    """

    def __init__(self, n_blocks: int, block_size: int):
        self.n_blocks = check_integer(n_blocks, "n_blocks")
        self.block_size = check_integer(block_size, "block_size")
        p, d = self.n_blocks, self.block_size
        self.point_shape = (p * d, p * d)
        self.dim = d * (d + 1) // 2 + (p - 1) * d**2
        self.sectional_curvature_bounds = self._product.sectional_curvature_bounds

    @cached_property
    def _product(self):
        p, d = self.n_blocks, self.block_size
        balls = [SiegelBall(d)] * (p - 1)
        return ProductManifold([SPD(d), *balls], [float(p - k) for k in range(p)])

    def __getstate__(self):
        state = dict(self.__dict__)
        state.pop("_product", None)  # follows from the parameters
        return state

    def to_coordinates(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the reflection coefficients of matrices.

        Parameters
        ----------
        X : array_like of shape (..., n_blocks * block_size, n_blocks * block_size)
            Points.

        Returns
        -------
        gamma0 : ndarray of shape (..., block_size, block_size)
            Diagonal blocks.
        omega : ndarray of shape (..., n_blocks - 1, block_size, block_size)
            Reflection matrices, of singular values below one.

        Raises
        ------
        ValueError
            If a matrix is not positive definite.
        """
        x, _ = self._arrays(X)
        return self._reflections(x)[:2]

    def from_coordinates(self, gamma0: Any, omega: Any) -> np.ndarray:
        """Return the matrices of given reflection coefficients.

        Parameters
        ----------
        gamma0 : array_like of shape (..., block_size, block_size)
            Symmetric positive definite matrices.
        omega : array_like of shape (..., n_blocks - 1, block_size, block_size)
            Matrices of singular values below one.

        Returns
        -------
        ndarray of shape (..., n_blocks * block_size, n_blocks * block_size)
            Points.

        Raises
        ------
        ValueError
            If the shapes are wrong.
        """
        gamma0 = np.asarray(gamma0, dtype=np.float64)
        omega = np.asarray(omega, dtype=np.float64)
        p, d = self.n_blocks, self.block_size
        if gamma0.shape[-2:] != (d, d) or omega.shape[-3:] != (p - 1, d, d):
            raise ValueError(
                f"{self!r} needs gamma0 of shape (..., {d}, {d}) and omega of shape "
                f"(..., {p - 1}, {d}, {d}), got {gamma0.shape} and {omega.shape}."
            )
        return blocks_to_matrix(from_reflections(gamma0, omega)[0])

    # The chart: flat arrays of the coordinates, which are points of the product.

    def _blocks(self, x):
        return matrix_to_blocks(x, self.n_blocks, self.block_size)

    def _reflections(self, x, moved=None):
        blocks = self._blocks(x)
        moved = None if moved is None else self._blocks(moved)
        omega, derivative, valid = to_reflections(blocks, moved)
        if not np.all(valid):
            first = np.argwhere(~np.atleast_1d(valid))[0]
            raise ValueError(
                f"Matrix {', '.join(map(str, first))} is not positive definite on "
                f"{self!r}; use AugmentedCovariances(toeplitz=True) with ridge or "
                f"shrinkage, or reduce the order."
            )
        first = None if moved is None else moved[..., 0, :, :]
        return blocks[..., 0, :, :], omega, first, derivative

    def _chart(self, x):
        return _join(*self._reflections(x)[:2])

    def _push(self, x, v):
        """Return coordinates of points, and of tangent vectors at them."""
        x, v = np.broadcast_arrays(x, v)
        gamma0, omega, first, rest = self._reflections(x, v)
        return _join(gamma0, omega), _join(first, rest)

    def _cut(self, c):
        d, p = self.block_size, self.n_blocks
        lead = c.shape[:-1]
        first = c[..., : d * d].reshape(*lead, d, d)
        return first, c[..., d * d :].reshape(*lead, p - 1, d, d)

    def _unchart(self, c):
        return blocks_to_matrix(from_reflections(*self._cut(c))[0])

    def _pull(self, c, w):
        """Return the tangent vectors of given coordinates."""
        c, w = np.broadcast_arrays(c, w)
        _, derivative = from_reflections(*self._cut(c), *self._cut(w))
        return blocks_to_matrix(derivative)

    # Primitives.

    def _exp(self, x, v):
        return self._unchart(self._product._exp(*self._push(x, v)))

    def _log(self, x, y):
        c = self._chart(x)
        return self._pull(c, self._product._log(c, self._chart(y)))

    def _dist(self, x, y):
        return self._product._dist(self._chart(x), self._chart(y))

    def _inner(self, x, u, v):
        c, u = self._push(x, u)
        return self._product._inner(c, u, self._push(x, v)[1])

    def _transport(self, x, y, v):
        c, w = self._push(x, v)
        end = self._chart(y)
        return self._pull(end, self._product._transport(c, end, w))

    def _log_volume_density(self, x, y):
        return self._product._log_volume_density(self._chart(x), self._chart(y))

    def _hess_half_sqdist(self, x, y):
        return self._product._hess_half_sqdist(self._chart(x), self._chart(y))

    def _log_adjoint(self, x, y, w):
        c, w = self._push(x, w)
        end = self._chart(y)
        return self._pull(end, self._product._log_adjoint(c, end, w))

    def _tangent_to_vector(self, x, v):
        return self._product._tangent_to_vector(*self._push(x, v))

    def _vector_to_tangent(self, x, w):
        c = self._chart(x)
        return self._pull(c, self._product._vector_to_tangent(c, w))

    def _random_point(self, n_samples, rng):
        return self._unchart(self._product._random_point(n_samples, rng))

    def _project_tangent(self, x, v):
        return blocks_to_matrix(self._blocks(v)) + np.zeros_like(x)

    def _project(self, x):
        x = blocks_to_matrix(self._blocks(x))
        valid = self._definite(x)
        if np.all(valid):
            return x
        # A multiple of the identity keeps the blocks Toeplitz.
        values = linalg.eigvalsh(x)
        largest = np.max(np.abs(values), axis=-1)
        floor = _FLOOR * np.where(largest > 0.0, largest, 1.0)
        lift = np.where(valid, 0.0, floor - values[..., 0])
        return x + lift[..., None, None] * np.eye(x.shape[-1])

    def _definite(self, x):
        return to_reflections(self._blocks(x))[2]

    def _membership(self, x, atol):
        blocks = self._blocks(x)
        size = np.sqrt(np.sum(x**2, axis=(-2, -1)))
        off = np.sqrt(np.sum((x - blocks_to_matrix(blocks)) ** 2, axis=(-2, -1)))
        deviation = off / np.where(size > 0.0, size, 1.0)
        definite = to_reflections(blocks)[2]
        if not np.all(definite):
            deviation = np.where(definite, deviation, self._deviation(x))
        return (deviation <= atol) & definite, np.asarray(deviation)

    def _solve_mean(self, X, weight, starts, tol, max_iter):
        init = None if starts.init is None else self._chart(starts.init)
        result = self._product._solve_mean(
            self._chart(X), weight, starts._replace(init=init), tol, max_iter
        )
        return result._replace(mean=self._unchart(result.mean))

    # Whole data sets: every matrix is factored once.

    def check_points(self, X: Any, *, atol: float = 1e-6) -> np.ndarray:
        """Check that matrices are block-Toeplitz and positive definite.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_blocks * block_size, \
                n_blocks * block_size)
            Matrices.
        atol : float, default=1e-6
            Difference from block-Toeplitz form that is tolerated and silently
            averaged away, relative to the size of the matrix. Indefinite matrices
            are never tolerated.

        Returns
        -------
        ndarray of shape (n_samples, n_blocks * block_size, n_blocks * block_size)
            Contiguous float64 matrices of exact form.

        Raises
        ------
        ValueError
            If the shape is wrong, there is no sample, an entry is NaN or infinite,
            or a matrix is not of the form or not positive definite; the message
            names the first such matrix and the remedy.
        """
        try:
            return super().check_points(X, atol=atol)
        except ValueError:
            SPD(self.point_shape[0]).check_points(X)  # names remedies if indefinite
            raise

    def log_vector(self, base_point: Any, point: Any) -> np.ndarray:
        """Return orthonormal coordinates of logarithms.

        Parameters
        ----------
        base_point : array_like of shape (..., n_blocks * block_size, \
                n_blocks * block_size)
            Points x.
        point : array_like of shape (..., n_blocks * block_size, \
                n_blocks * block_size)
            Points y.

        Returns
        -------
        ndarray of shape (..., dim)
            Coordinates of log_x(y), of Euclidean length dist(x, y): those of the
            diagonal block, then those of the reflection matrices.

        Raises
        ------
        ValueError
            If a matrix is not positive definite.
        """
        x, y, dtype = self._arrays(base_point, point)
        c = self._chart(x)
        w = self._product._log(c, self._chart(y))
        return finish(self._product._tangent_to_vector(c, w), dtype)

    def _distance_table(self, X, Y=None, squared=False, n_jobs=None, out=None):
        X = self._product._cloud(self._chart(X), "X")
        Y = None if Y is None else self._product._cloud(self._chart(Y), "Y")
        D = self._product.pairwise_distances(X, Y, n_jobs=n_jobs, out=out)
        return np.square(D, out=D) if squared else D


def _join(first, rest):
    lead = np.broadcast_shapes(first.shape[:-2], rest.shape[:-3])
    first = np.broadcast_to(first, (*lead, *first.shape[-2:]))
    rest = np.broadcast_to(rest, (*lead, *rest.shape[-3:]))
    parts = [(first, first.shape[-2:]), (rest, rest.shape[-3:])]
    return np.concatenate(
        [a.reshape(*lead, math.prod(shape)) for a, shape in parts], axis=-1
    )
