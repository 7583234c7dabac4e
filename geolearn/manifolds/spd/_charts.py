"""Isometries between flat metrics of SPD matrices and Euclidean vectors."""

import numpy as np

from geolearn import linalg
from geolearn.manifolds.spd._affine import stretch, unstretch
from geolearn.manifolds.spd._forms import (
    compose,
    divided_log,
    divided_power,
    gram,
    scale_columns,
    symmetrise,
    transpose,
    unvec,
    vec,
)
from geolearn.manifolds.spd._geometry import leaves_domain
from geolearn.manifolds.spd._spectral import (
    eigen,
    factor,
    inverse_factor,
    rotate,
)

__all__ = ["CholeskyChart", "LinearChart", "LogChart", "PowerChart"]


class _Chart:
    """What charts have in common."""

    def embed(self, A, n_jobs=None):
        """Return vectors with the same distances, for tables."""
        return self.coordinates(A, n_jobs)

    def difference(self, A, B, n_jobs=None):
        """Return the coordinates of B less those of A."""
        return self.coordinates(B, n_jobs) - self.coordinates(A)


class LinearChart(_Chart):
    """The entries themselves: the Euclidean metric.

    Parameters
    ----------
    n : int
        Size of the matrices.
    """

    complete = False
    needs_definite = False

    def __init__(self, n):
        self.n = n

    def coordinates(self, A, n_jobs=None):
        """Return vec(A)."""
        return vec(A)

    def embed(self, A, n_jobs=None):
        """Return all entries: distances are exact, as nothing is scaled by sqrt 2."""
        return A.reshape(*A.shape[:-2], -1)

    def difference(self, A, B, n_jobs=None):
        """Return vec(B - A)."""
        return vec(B - A)

    def matrix(self, z, n_jobs=None, inside=False):
        """Return the matrix; raise unless positive definite."""
        A = unvec(z, self.n)
        if inside:
            return A
        bad = linalg.cholesky(A, n_jobs=n_jobs)[1] != 0
        if np.any(bad):
            raise leaves_domain("euclidean", bad, "the sum is not positive definite")
        return A

    def push(self, A, V):
        """Return vec(V)."""
        return vec(V + np.zeros_like(A))

    def pull(self, A, w):
        """Return the symmetric matrix."""
        return unvec(w, self.n) + np.zeros_like(A)


class _Spectral(_Chart):
    """Charts that are functions of the eigenvalues."""

    needs_definite = True

    def __init__(self, n):
        self.n = n

    def push(self, A, V):
        """Return the differential of the coordinates at A."""
        a, U = eigen(A)
        return self._vec(linalg.congruence(U, self._divided(a) * rotate(U, V)))

    def pull(self, A, w):
        """Undo `push`."""
        a, U = eigen(A)
        return linalg.congruence(U, rotate(U, self._unvec(w)) / self._divided(a))


class LogChart(_Spectral):
    """The matrix logarithm, stretched by alpha and beta: log-Euclidean metrics.

    Parameters
    ----------
    n : int
        Size of the matrices.
    alpha : float
        Weight of the Frobenius part.
    beta : float
        Weight of the trace part.
    """

    complete = True

    def __init__(self, n, alpha=1.0, beta=0.0):
        super().__init__(n)
        self.alpha, self.beta = alpha, beta

    def _vec(self, S):
        return vec(stretch(S, self.alpha, self.beta))

    def _unvec(self, w):
        return unstretch(unvec(w, self.n), self.alpha, self.beta)

    def _divided(self, a):
        return divided_log(a)

    def coordinates(self, A, n_jobs=None):
        """Return vec(log A)."""
        a, U = eigen(A, n_jobs)
        return self._vec(compose(U, np.log(a)))

    def matrix(self, z, n_jobs=None, inside=False):
        """Return the exponential."""
        s, U = linalg.eigh(self._unvec(z), n_jobs=n_jobs)
        return gram(scale_columns(U, np.exp(0.5 * s)))


class PowerChart(_Spectral):
    """A power over its exponent: power-Euclidean metrics.

    Parameters
    ----------
    n : int
        Size of the matrices.
    theta : float
        Exponent, not zero.
    """

    complete = False

    def __init__(self, n, theta):
        super().__init__(n)
        self.theta = theta

    def _vec(self, S):
        return vec(S) / self.theta

    def _unvec(self, w):
        return self.theta * unvec(w, self.n)

    def _divided(self, a):
        return divided_power(a, self.theta)

    def coordinates(self, A, n_jobs=None):
        """Return vec(A^theta) / theta."""
        a, U = eigen(A, n_jobs)
        return self._vec(compose(U, a**self.theta))

    def matrix(self, z, n_jobs=None, inside=False):
        """Return the root; raise unless positive definite."""
        S = self._unvec(z)
        bad = False if inside else linalg.cholesky(S, n_jobs=n_jobs)[1] != 0
        if np.any(bad):
            reason = f"A^{self.theta:g} is not positive definite at its end"
            raise leaves_domain("power_euclidean", bad, reason)
        a, U = eigen(S, n_jobs)
        return gram(scale_columns(U, a ** (0.5 / self.theta)))


class CholeskyChart(_Chart):
    """The Cholesky factor: diagonal, then strict lower part row by row.

    Parameters
    ----------
    n : int
        Size of the matrices.
    logarithmic : bool
        Whether the diagonal is taken by its logarithms.
    """

    needs_definite = True

    def __init__(self, n, logarithmic):
        self.n, self.complete = n, logarithmic
        self._diagonal = np.arange(n)
        self._lower = np.tril_indices(n, -1)

    def _stack(self, L, diagonal):
        i, j = self._lower
        return np.concatenate([diagonal, L[..., i, j]], axis=-1)

    def _triangle(self, z, diagonal):
        leading = np.broadcast_shapes(z.shape[:-1], diagonal.shape[:-1])
        L = np.zeros((*leading, self.n, self.n))
        L[..., self._lower[0], self._lower[1]] = z[..., self.n :]
        L[..., self._diagonal, self._diagonal] = diagonal
        return L

    def _on_diagonal(self, L):
        return np.diagonal(L, axis1=-2, axis2=-1)

    def coordinates(self, A, n_jobs=None):
        """Return the entries of the factor."""
        L = factor(A, n_jobs)
        diagonal = self._on_diagonal(L)
        return self._stack(L, np.log(diagonal) if self.complete else diagonal)

    def matrix(self, z, n_jobs=None, inside=False):
        """Return L L^T; raise if a diagonal entry is not positive."""
        diagonal = z[..., : self.n]
        if self.complete:
            diagonal = np.exp(diagonal)
        elif not inside and not (diagonal > 0.0).all():
            bad = ~(diagonal > 0.0).all(axis=-1)
            reason = "the diagonal of the factor is not positive at its end"
            raise leaves_domain("cholesky", bad, reason)
        L = self._triangle(z, diagonal)
        return gram(L)

    def push(self, A, V):
        """Return the entries of X = L (L^-1 V L^-T)_1/2, where V = L X^T + X L^T."""
        L, W = inverse_factor(A)
        half = np.tril(linalg.congruence(W, V))
        half[..., self._diagonal, self._diagonal] *= 0.5
        X = L @ half
        diagonal = self._on_diagonal(X)
        return self._stack(X, diagonal / self._scale(L))

    def pull(self, A, w):
        """Undo `push`."""
        L = factor(A)
        X = self._triangle(w, w[..., : self.n] * self._scale(L))
        return 2.0 * symmetrise(X @ transpose(L))

    def _scale(self, L):
        return self._on_diagonal(L) if self.complete else 1.0
