"""The affine-invariant metrics, <U, V>_P = alpha tr(P^-1 U P^-1 V) + beta tr tr."""

import numpy as np

from geolearn import linalg
from geolearn.manifolds._hessians import negative_factors
from geolearn.manifolds.spd._forms import (
    compose,
    gram,
    scale_columns,
    symmetrise,
    transpose,
    unvec,
    vec,
)
from geolearn.manifolds.spd._geometry import Geometry
from geolearn.manifolds.spd._mean_affine import affine_mean
from geolearn.manifolds.spd._spectral import (
    factor,
    inverse_factor,
)
from geolearn.manifolds.special import log_sinhc
from geolearn.metrics.spd import pencil_distance, pencil_table

__all__ = ["AffineInvariant", "polar_rotation", "stretch", "unstretch"]

# Below this ratio the eigenvalues of a whitened matrix come from singular values.
_ILL_WHITENED = 1e-5


def stretch(S, alpha, beta):
    """Map S to T with |T|^2 = alpha |S|^2 + beta tr(S)^2."""
    if beta != 0.0:
        n = S.shape[-1]
        excess = (np.sqrt(1.0 + n * beta / alpha) - 1.0) / n
        S = S + excess * _trace(S) * np.eye(n)
    return S if alpha == 1.0 else np.sqrt(alpha) * S


def unstretch(T, alpha, beta):
    """Undo `stretch`."""
    S = T if alpha == 1.0 else T / np.sqrt(alpha)
    if beta != 0.0:
        n = S.shape[-1]
        root = np.sqrt(1.0 + n * beta / alpha)
        S = S - (root - 1.0) / (n * root) * _trace(S) * np.eye(n)
    return S


def _trace(S):
    return np.trace(S, axis1=-2, axis2=-1)[..., None, None]


def polar_rotation(L):
    """Return the orthogonal R with R L^-1 = P^-1/2 and L R^T = P^1/2."""
    U, _, Vt = np.linalg.svd(L)
    return U @ Vt


class AffineInvariant(Geometry):
    """Compute with Cholesky whitening, which does not mix scales of channels.

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
    has_hessian = True

    def __init__(self, n, alpha=1.0, beta=0.0):
        super().__init__("affine_invariant")
        self.n, self.alpha, self.beta = n, alpha, beta
        self.curvature = (0.0, 0.0) if n == 1 else (-0.5 / alpha, 0.0)

    def distance(self, A, B, squared=False, n_jobs=None):
        """Return distances of matrices paired by broadcasting."""
        return pencil_distance(
            A, B, "affine_invariant", squared=squared, n_jobs=n_jobs, **self._family
        )

    def table(self, X, Y, squared=False, n_jobs=None, out=None):
        """Return all distances between X and Y."""
        options = {"squared": squared, "n_jobs": n_jobs, "out": out, **self._family}
        return pencil_table(X, Y, "affine_invariant", **options)

    @property
    def _family(self):
        return {"alpha": self.alpha, "beta": self.beta}

    def _pencil(self, P, Q, n_jobs=None):
        """Return L, L^-1 and the eigenvectors and log-eigenvalues of L^-1 Q L^-T."""
        L, W = inverse_factor(P, n_jobs)
        # The difference form is exact for nearby matrices.
        delta, U = linalg.eigh(
            linalg.congruence(W, Q - P, n_jobs=n_jobs), n_jobs=n_jobs
        )
        low, high = 1.0 + delta[..., 0], 1.0 + delta[..., -1]
        poor = np.asarray(~(low > _ILL_WHITENED * np.maximum(1.0, high)))
        if not poor.any():
            return L, W, U, np.log1p(delta)
        shape = U.shape
        K = np.broadcast_to(factor(Q, n_jobs), shape)[poor]
        V, S, _ = np.linalg.svd(np.broadcast_to(W, shape)[poor] @ K)
        U, delta = np.array(U), np.array(delta)
        delta[poor] = 0.0
        mu = np.log1p(delta)
        U[poor], mu[poor] = V, 2.0 * np.log(S)
        return L, W, U, mu

    def exp(self, P, V):
        """Return L exp(L^-1 V L^-T) L^T."""
        L, W = inverse_factor(P)
        s, U = linalg.eigh(linalg.congruence(W, V))
        return gram(scale_columns(L @ U, np.exp(0.5 * s)))

    def log(self, P, Q):
        """Return L log(L^-1 Q L^-T) L^T."""
        L, _, U, mu = self._pencil(P, Q)
        return compose(L @ U, mu)

    def inner(self, P, U, V):
        """Return alpha tr(P^-1 U P^-1 V) + beta tr(P^-1 U) tr(P^-1 V)."""
        _, W = inverse_factor(P)
        X, Y = (linalg.congruence(W, T) for T in (U, V))
        return self._product(X, Y)

    def norm(self, P, V):
        """Return lengths at P."""
        _, W = inverse_factor(P)
        X = linalg.congruence(W, V)
        return np.sqrt(np.maximum(self._product(X, X), 0.0))

    def _product(self, X, Y):
        product = self.alpha * np.sum(X * Y, axis=(-2, -1))
        if self.beta != 0.0:
            product = product + self.beta * (_trace(X) * _trace(Y))[..., 0, 0]
        return product

    def transport(self, P, Q, V):
        """Return E V E^T, E = (Q P^-1)^1/2."""
        L, W, U, mu = self._pencil(P, Q)
        E = L @ scale_columns(U, np.exp(0.5 * mu)) @ transpose(U) @ W
        return linalg.congruence(E, V)

    def hessian(self, P, Q):
        """Return t coth(t) on eigenvectors, t half a difference of eigenvalues."""
        L, _, U, mu = self._pencil(P, Q)
        # Differences of eigenvalues ignore alpha and beta, which change no direction
        # across: `stretch` acts on the diagonal of the eigenbasis only.
        vectors = polar_rotation(L) @ U
        i, j = np.triu_indices(self.n)
        a, b = transpose(vectors)[..., i, :], transpose(vectors)[..., j, :]
        products = a[..., :, None] * b[..., None, :]
        basis = vec(symmetrise(products)) * np.where(i == j, 1.0, np.sqrt(2.0))[:, None]
        values = negative_factors(0.5 * (mu[..., i] - mu[..., j]))[0]
        return symmetrise(transpose(basis) @ (values[..., None] * basis))

    def log_adjoint(self, P, Q, V):
        """Return V times t / sinh(t) in the eigenbasis, transported to Q."""
        L, W, U, mu = self._pencil(P, Q)
        half = 0.5 * mu
        factors = negative_factors(half[..., :, None] - half[..., None, :])[1]
        S = linalg.congruence(transpose(U), linalg.congruence(W, V))
        return linalg.congruence(scale_columns(L @ U, np.exp(half)), factors * S)

    def log_volume(self, P, Q):
        """Return the sum over pairs of log(sinh(x) / x), x half a difference."""
        mu = self._pencil(P, Q)[3]
        i, j = np.triu_indices(mu.shape[-1], 1)
        return np.sum(log_sinhc(0.5 * (mu[..., i] - mu[..., j])), axis=-1)

    def to_vector(self, P, V):
        """Return vec of P^-1/2 V P^-1/2, whitened by L^-1 and then rotated."""
        L, W = inverse_factor(P)
        S = linalg.congruence(polar_rotation(L), linalg.congruence(W, V))
        return vec(stretch(S, self.alpha, self.beta))

    def from_vector(self, P, w):
        """Undo `to_vector`."""
        L = factor(P)
        S = unstretch(unvec(w, self.n), self.alpha, self.beta)
        return linalg.congruence(L, linalg.congruence(transpose(polar_rotation(L)), S))

    def log_vector(self, P, Q, n_jobs=None):
        """Return vec of log(P^-1/2 Q P^-1/2)."""
        L, _, U, mu = self._pencil(P, Q, n_jobs)
        return vec(stretch(compose(polar_rotation(L) @ U, mu), self.alpha, self.beta))

    def exp_vector(self, P, w, n_jobs=None):
        """Undo `log_vector`."""
        L = factor(P)
        S = unstretch(unvec(w, self.n), self.alpha, self.beta)
        s, U = linalg.eigh(S, n_jobs=n_jobs)
        return gram(
            scale_columns(L @ (transpose(polar_rotation(L)) @ U), np.exp(0.5 * s))
        )

    def mean(self, X, weight, *, init, tol, max_iter, n_jobs):
        """Return the mean, which is the same for every alpha and beta."""
        options = {"init": init, "max_iter": max_iter, "n_jobs": n_jobs}
        if self.alpha == 1.0 and self.beta == 0.0:
            return affine_mean(X, weight, tol=tol, **options)
        scale = np.sqrt(self.alpha + max(0.0, self.n * self.beta))
        result = affine_mean(X, weight, tol=tol / scale, **options)
        logs = self.log_vector(result.mean, X, n_jobs)
        return result._replace(
            variance=float(weight @ np.sum(logs**2, axis=-1)),
            gradient_norm=float(np.linalg.norm(weight @ logs)),
        )
