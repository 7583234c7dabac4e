"""The objective of stochastic neighbour embedding on a target manifold."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from geolearn.manifolds import Euclidean, Hyperboloid, Manifold, Sphere, get_manifold
from geolearn.manifolds.special import log_sinc, log_sinhc
from geolearn.utils.validation import check_points, check_positive

__all__ = ["SNEObjective", "SNEValue", "sne_objective"]

KERNELS = ("student", "student_chordal", "brownian", "vmf")
METHODS = ("exact", "barnes_hut")

_BLOCK_NUMBERS = 2**20  # float64 numbers in each temporary of a block of rows


class SNEValue(NamedTuple):
    """Hold the value and the derivatives of the objective.

    Parameters
    ----------
    kl : float
        Divergence of q from the joint probabilities without exaggeration; 0.0 if
        it was not asked for.
    gradient : ndarray of shape (n_samples, ...)
        Riemannian gradient, tangent vectors at the points.
    dkl_dlogscale : float
        Derivative in the logarithm of the scale.
    """

    kl: float
    gradient: np.ndarray
    dkl_dlogscale: float


def _curvature_sign(target):
    """Return 0, 1 or -1 for the targets with kernels of their own, else None."""
    if isinstance(target, Euclidean):
        return 0
    if isinstance(target, Sphere) and target.radius == 1.0:
        return 1
    if isinstance(target, Hyperboloid) and target.curvature == -1.0:
        return -1
    return None


def _profile(d, sign, dim, kernel, scale):
    """Return phi, phi' / d and the derivative of phi in log(scale)."""
    sin = {0: np.copy, 1: np.sin, -1: np.sinh}[sign or 0](d)
    near = d < 1e-4
    safe = np.where(near, 1.0, d)
    ratio = np.where(near, 1.0, sin / safe)
    if kernel == "student" or (sign == 0 and kernel == "student_chordal"):
        return np.log1p(d**2 / scale), 2.0 / (scale + d**2), -(d**2) / (scale + d**2)
    if kernel == "student_chordal":
        s2 = 4.0 * (np.sin(d / 2) if sign == 1 else np.sinh(d / 2)) ** 2
        return np.log1p(s2 / scale), 2.0 * ratio / (scale + s2), -s2 / (scale + s2)
    if kernel == "vmf":
        versine = 2.0 * np.sin(d / 2) ** 2 / scale
        return versine, ratio / scale, -versine
    half = d**2 / (2.0 * scale)
    phi, slope = half.copy(), np.full_like(d, 1.0 / scale)
    if sign:
        log_theta = (log_sinc if sign == 1 else log_sinhc)(d)
        phi += 0.5 * (dim - 1) * log_theta
        cot = np.where(
            near,
            -sign / 3.0,
            (1.0 / np.tan(safe) if sign == 1 else 1.0 / np.tanh(safe)) / safe
            - 1.0 / safe**2,
        )
        slope += 0.5 * (dim - 1) * cot
    return phi, slope, -half


class SNEObjective:
    """Evaluate the divergence and its Riemannian gradient for fixed affinities.

    Parameters
    ----------
    P : ndarray or csr_array of shape (n_samples, n_samples)
        Symmetric joint probabilities with zero diagonal and sum 1.
    target : Manifold
        Where the points lie.
    kernel : {"student", "student_chordal", "brownian", "vmf"}
        Kernel of the embedding.
    method : {"exact", "barnes_hut"}, default="exact"
        How the repulsion is summed.
    angle : float, default=0.5
        Largest size of a cell, seen from a point, that counts as one point.
    n_jobs : int or None, default=None
        Number of threads.
    """

    def __init__(self, P, *, target, kernel, method="exact", angle=0.5, n_jobs=None):
        self.P = P
        self.target, self.kernel = target, kernel
        self.method, self.angle, self.n_jobs = method, angle, n_jobs
        p = P.data if sparse.issparse(P) else P
        p = p[p > 0.0]
        self._entropy = float(np.sum(p * np.log(p)))

    def __call__(self, Y, scale=1.0, exaggeration=1.0, want_kl=True):
        """Return the objective at points Y of the target."""
        n = Y.shape[0]
        sign, dim = _curvature_sign(self.target), self.target.dim
        attract, repel = np.zeros(Y.shape), np.zeros(Y.shape)
        z = cost = p_slope = q_slope = 0.0
        rows = max(1, _BLOCK_NUMBERS // (n * int(np.prod(Y.shape[1:]))))
        for start in range(0, n, rows):
            block = slice(start, min(start + rows, n))
            P = self.P[block]
            P = P.toarray() if sparse.issparse(P) else P
            d = self.target.dist(Y[block, None], Y[None])
            vec = self.target.log(Y[block, None], Y[None])
            phi, slope, dlog = _profile(d, sign, dim, self.kernel, scale)
            k = np.exp(-phi)
            k[np.arange(len(k)), np.arange(start, block.stop)] = 0.0
            attract[block] = np.einsum("ij,ij...->i...", P * slope, vec)
            repel[block] = np.einsum("ij,ij...->i...", k * slope, vec)
            z += k.sum()
            cost += np.sum(P * phi)
            p_slope += np.sum(P * dlog)
            q_slope += np.sum(k * dlog)
        gradient = -2.0 * (exaggeration * attract - repel / z)
        kl = float(self._entropy + cost + np.log(z)) if want_kl else 0.0
        return SNEValue(kl, gradient, float(exaggeration * p_slope - q_slope / z))


def sne_objective(
    Y: Any,
    P: Any,
    *,
    target: "str | Manifold" = "euclidean",
    kernel: str = "student",
    scale: float = 1.0,
    exaggeration: float = 1.0,
) -> SNEValue:
    """Return the objective of stochastic neighbour embedding and its gradient.

    Parameters
    ----------
    Y : array_like of shape (n_samples, ...)
        Points of the target.
    P : array_like or sparse array of shape (n_samples, n_samples)
        Symmetric joint probabilities.
    target : str or Manifold, default="euclidean"
        Where the points lie.
    kernel : {"student", "student_chordal", "brownian", "vmf"}, default="student"
        Kernel of the embedding.
    scale : float, default=1.0
        Scale tau of the kernel.
    exaggeration : float, default=1.0
        Factor of `P` in the derivatives.

    Returns
    -------
    SNEValue
        Named tuple of `kl`, `gradient` and `dkl_dlogscale`.
    """
    Y = np.asarray(Y, dtype=np.float64)
    manifold = get_manifold(target, Y.shape[1:])
    Y = check_points(manifold, Y, name="Y")
    scale = check_positive(scale, "scale")
    P = sparse.csr_array(P) if sparse.issparse(P) else np.asarray(P, float)  # type: ignore[call-overload]
    return SNEObjective(P, target=manifold, kernel=kernel)(Y, scale, exaggeration)
