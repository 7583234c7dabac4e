"""The Bures-Wasserstein metric, in the eigenbasis of the base point."""

import math

import numpy as np

from geolearn import linalg
from geolearn.manifolds.spd._forms import (
    gram,
    scale_columns,
    symmetrise,
    transpose,
    unvec,
    vec,
)
from geolearn.manifolds.spd._geometry import Geometry, leaves_domain
from geolearn.manifolds.spd._mean_bures import bures_mean
from geolearn.manifolds.spd._spectral import (
    eigen,
    factor,
    rotate,
)
from geolearn.metrics.spd import bures_wasserstein_distance, bures_wasserstein_table

__all__ = ["BuresWasserstein"]

# Beyond this ratio the eigenvalues of C^2 come from singular values.
_ILL_CONDITIONED = 1e6
_STEPS = 32  # of the transport: errors near 1e-8 for eigenvalues that change 10 times


class BuresWasserstein(Geometry):
    """Compute with the solution of Gamma P + P Gamma = V.

    Parameters
    ----------
    n : int
        Size of the matrices.
    """

    closed_transport = False

    def __init__(self, n):
        super().__init__("bures_wasserstein")
        self.n = n
        self.curvature = (0.0, 0.0) if n == 1 else (0.0, math.inf)

    def distance(self, A, B, squared=False, n_jobs=None):
        """Return distances of matrices paired by broadcasting."""
        return bures_wasserstein_distance(A, B, squared=squared, n_jobs=n_jobs)

    def table(self, X, Y, squared=False, n_jobs=None, out=None):
        """Return all distances between X and Y."""
        return bures_wasserstein_table(X, Y, squared=squared, n_jobs=n_jobs, out=out)

    def exp(self, P, V):
        """Return (I + Gamma) P (I + Gamma), if I + Gamma is positive definite."""
        d, U = eigen(P)
        return self._move(d, U, rotate(U, V) / _sums(d))

    def exp_vector(self, P, w, n_jobs=None):
        """Undo `log_vector`."""
        d, U = eigen(P)
        return self._move(d, U, unvec(w, self.n) * np.sqrt(2.0 / _sums(d)), n_jobs)

    def _move(self, d, U, gamma, n_jobs=None):
        step = np.eye(self.n) + gamma
        bad = linalg.cholesky(step, n_jobs=n_jobs)[1] != 0
        if np.any(bad):
            reason = "I + Gamma is not positive definite, where Gamma P + P Gamma = V"
            raise leaves_domain(self.name, bad, reason)
        return gram(scale_columns(U @ step, np.sqrt(d)))

    def _displacement(self, P, Q, n_jobs=None):
        """Return d, U and X = D^1/2 Gamma D^1/2 in the eigenbasis of P.

        X = C - D without the subtraction, where C = (D^1/2 Q D^1/2)^1/2: it solves
        C X + X D = D^1/2 (Q - D) D^1/2.
        """
        d, U = eigen(P, n_jobs)
        root = np.sqrt(d)
        weights = root[..., :, None] * root[..., None, :]
        right = linalg.congruence(transpose(U), Q - P, n_jobs=n_jobs) * weights
        squares, W = linalg.eigh(
            right + np.eye(self.n) * d[..., None] ** 2, n_jobs=n_jobs
        )
        # NaN compares as False, and fails in the Cholesky factorisation
        poor = np.asarray(~(squares[..., 0] * _ILL_CONDITIONED > squares[..., -1]))
        sigma = np.sqrt(np.maximum(squares, 0.0))
        if poor.any():
            W, sigma = np.array(W), np.array(sigma)
            K = np.broadcast_to(factor(Q, n_jobs), W.shape)[poor]
            basis = np.broadcast_to(scale_columns(U, root), W.shape)[poor]
            _, sigma[poor], Wt = np.linalg.svd(transpose(K) @ basis)
            W[poor] = transpose(Wt)
        # In the eigenbases of C on the left and of D on the right.
        X = (transpose(W) @ right) / (sigma[..., :, None] + d[..., None, :])
        return d, U, symmetrise(W @ X)

    def log(self, P, Q):
        """Return Gamma P + P Gamma, where I + Gamma maps P to Q."""
        d, U, X = self._displacement(P, Q)
        root = np.sqrt(d)
        gamma = X / (root[..., :, None] * root[..., None, :])
        return linalg.congruence(U, gamma * _sums(d))

    def log_vector(self, P, Q, n_jobs=None):
        """Return vec of Gamma_ij sqrt((d_i + d_j) / 2) in the eigenbasis of P."""
        d, _, X = self._displacement(P, Q, n_jobs)
        inverse = 1.0 / d
        return vec(X * np.sqrt(0.5 * _sums(inverse)))

    def to_vector(self, P, V):
        """Return vec of V_ij / sqrt(2 (d_i + d_j)) in the eigenbasis of P."""
        d, U = eigen(P)
        return vec(rotate(U, V) / np.sqrt(2.0 * _sums(d)))

    def from_vector(self, P, w):
        """Undo `to_vector`."""
        d, U = eigen(P)
        return linalg.congruence(U, unvec(w, self.n) * np.sqrt(2.0 * _sums(d)))

    def transport(self, P, Q, V):
        """Integrate the transport equation along the geodesic.

        The geodesic is M(t) M(t)^T with M = (I + t Gamma) P^1/2. The lift K M of a
        tangent vector, K symmetric, is parallel when d(K M)/dt is vertical:
        K' S + S K' = -(K N + N^T K) with S = M M^T and N = Gamma P (I + t Gamma).
        In the eigenbasis of P, by the classical Runge-Kutta method of fourth order.
        """
        d, U, X = self._displacement(P, Q)
        root = np.sqrt(d)
        gamma = X / (root[..., :, None] * root[..., None, :])
        K = rotate(U, V) / _sums(d)
        h = 1.0 / _STEPS
        slope = _transport_slope(gamma, d, 0.0)
        for i in range(_STEPS):
            middle = _transport_slope(gamma, d, (i + 0.5) * h)
            end = _transport_slope(gamma, d, (i + 1.0) * h)
            k1 = slope(K)
            k2 = middle(K + 0.5 * h * k1)
            k3 = middle(K + 0.5 * h * k2)
            k4 = end(K + h * k3)
            K = K + h / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)
            slope = end
        S = rotate(U, Q)
        KS = K @ S
        return linalg.congruence(U, KS + transpose(KS))

    def log_volume(self, P, Q):
        """Return the closed form, from three sets of eigenvalues."""
        a, b = eigen(P)[0], eigen(Q)[0]
        kappa = np.linalg.svd(transpose(factor(Q)) @ factor(P), compute_uv=False)
        i, j = np.triu_indices(self.n, 1)

        def log_sum(x):
            return np.log(x[..., i] + x[..., j])

        return np.sum(log_sum(kappa) - 0.5 * (log_sum(a) + log_sum(b)), axis=-1)

    def mean(self, X, weight, *, init, tol, max_iter, n_jobs):
        """Return the barycentre."""
        return bures_mean(
            X, weight, init=init, tol=tol, max_iter=max_iter, n_jobs=n_jobs
        )


def _transport_slope(gamma, d, t):
    """Return the function from K to K' at time t of the geodesic."""
    step = np.eye(d.shape[-1]) + t * gamma
    N = (gamma * d[..., None, :]) @ step
    s, W = eigen(symmetrise(scale_columns(step, d) @ step))
    sums = _sums(s)

    def slope(K):
        KN = K @ N
        right = rotate(W, -(KN + transpose(KN)))
        return linalg.congruence(W, right / sums)

    return slope


def _sums(d):
    return d[..., :, None] + d[..., None, :]
