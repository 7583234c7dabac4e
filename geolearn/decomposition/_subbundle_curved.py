"""Principal subbundles of data on spheres and hyperboloids [1]_.

References
----------
.. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles for
   dimension reduction", 2023, arXiv:2307.03128, Section 5.
"""

from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_geometry import FieldGeometry
from geolearn.decomposition._subbundle_types import (
    ENERGY_DRIFT,
    LEFT_SUPPORT,
    OK,
    SINGULAR,
    LocalSpectra,
    Shot,
)
from geolearn.graph import nearest_neighbors
from geolearn.manifolds import Hyperboloid, Sphere, get_manifold
from geolearn.utils.validation import check_integer, check_positive

__all__ = ["ConstantCurvatureField", "curved_field"]

KERNELS = ("gaussian", "tapered")
SUPPORTS = {"gaussian": 6.0, "tapered": 4.0}
FEWEST_STEPS = 4
_GAP = 1e-3  # smallest relative gap between the blocks
_DRIFT = 1e-3  # largest relative change of the energy


class _Local(NamedTuple):
    """Moments of the logarithms at m points, in tangent coordinates."""

    logs: np.ndarray  # (m, n, dim)
    mean: np.ndarray
    eigenvalues: np.ndarray
    vectors: np.ndarray
    n_eff: np.ndarray
    nearest: np.ndarray
    weights: np.ndarray
    pull: np.ndarray


class ConstantCurvatureField(FieldGeometry):
    """Local principal subspaces of rank k at every point of a sphere or hyperboloid.

    Built by `curved_field`. Points, vectors and momenta are in ambient coordinates,
    momenta as the tangent vectors that the metric turns them into; frames are
    orthonormal for the metric. The mean in `LocalSpectra` is the point to which the
    mean of the logarithms leads.
    """

    def __init__(
        self, points, weights, bandwidth, kernel, support, rank, spacing, manifold
    ):
        self.points = points
        self.weights = weights
        self.bandwidth = bandwidth
        self.kernel = kernel
        self.support = support
        self.rank = rank
        self.spacing = spacing
        self.manifold = manifold

    @property
    def dim(self) -> int:
        """Number d of ambient coordinates."""
        return self.points.shape[1]

    def with_bandwidth(self, bandwidth):
        """Return the field of the same samples at another bandwidth."""
        _check_bandwidth(bandwidth, self.manifold)
        return ConstantCurvatureField(
            self.points,
            self.weights,
            float(bandwidth),
            self.kernel,
            self.support,
            self.rank,
            self.spacing,
            self.manifold,
        )

    def _local(self, P):
        sigma = self.bandwidth
        distance = np.stack([self.manifold.dist(p, self.points) for p in P])
        r2 = (distance / sigma) ** 2
        nearest = r2.min(axis=1)
        W = np.exp(-0.5 * (r2 - nearest[:, None])) * self.weights
        W[r2 > nearest[:, None] + self.support**2] = 0.0
        pull = W.copy()
        if self.kernel == "tapered":
            c2 = self.support**2
            t = np.maximum(1.0 - r2 / c2, 0.0)
            pull = W * t**2 * (t + 6.0 / c2)
            W = W * t**3
        total = W.sum(axis=1, keepdims=True)
        empty = total[:, 0] == 0.0
        total[empty] = 1.0
        W, pull = W / total, pull / total
        # Samples without weight may be antipodes, which have no logarithm.
        X = np.where((W > 0.0)[..., None], self.points, P[:, None])
        L = (
            np.stack(
                [self.manifold.log_vector(p, x) for p, x in zip(P, X, strict=True)]
            )
            / sigma
        )
        mean = np.einsum("mn,mni->mi", W, L)
        Z = L - mean[:, None]
        eigenvalues, E = np.linalg.eigh(np.einsum("mn,mni,mnj->mij", W, Z, Z))
        n_eff = np.where(empty, 0.0, 1.0 / np.where(empty, 1.0, (W**2).sum(axis=1)))
        eigenvalues = np.maximum(eigenvalues[:, ::-1], 0.0)
        return _Local(
            L, mean, eigenvalues, E[:, :, ::-1], n_eff, np.sqrt(nearest), W, pull
        )

    def _gradient(self, P, eta):
        """Return velocity, covariant force and status in tangent coordinates."""
        k = self.rank
        local = self._local(P)
        E, lam = local.vectors, local.eigenvalues
        Z = local.logs - local.mean[:, None]
        alpha = np.einsum("mia,mi->ma", E, eta)
        velocity = np.einsum("mia,ma->mi", E[:, :, :k], alpha[:, :k])
        gap = lam[:, :k, None] - lam[:, None, k:]
        ratio = alpha[:, None, k:] / np.where(gap > 0, gap, 1.0)
        G = np.einsum("mab,mib->mia", ratio, E[:, :, k:])
        along, across = Z @ E[:, :, :k], Z @ G
        q = np.einsum("ma,mna,mna->mn", alpha[:, :k], along, across)
        pull = np.einsum("mn,mni->mi", local.pull, local.logs)
        force = -np.einsum("mn,mni->mi", local.pull * q, local.logs)
        force += (local.weights * q).sum(axis=1)[:, None] * pull
        y = np.einsum("ma,mna,mia->mni", alpha[:, :k], across, E[:, :, :k])
        y += np.einsum("ma,mna,mia->mni", alpha[:, :k], along, G)
        force += np.einsum("mn,mni->mi", local.weights, self._hessians(local.logs, y))
        status = np.zeros(len(P), dtype=np.int8)
        if k < lam.shape[1]:
            status[lam[:, k - 1] - lam[:, k] < _GAP * lam[:, k - 1]] = SINGULAR
        limit = max(2.0, 2.0 * self.spacing / self.bandwidth)
        status[(local.nearest > limit) | (local.n_eff < k + 1)] = LEFT_SUPPORT
        return velocity, force, status

    def _hessians(self, L, y):
        """Apply the Hessians of half the squared distances to vectors."""
        length = np.linalg.norm(L, axis=-1, keepdims=True)
        u = L / np.where(length > 0.0, length, 1.0)
        angle = length * self.bandwidth / self.manifold._length_scale
        safe = np.where(angle > 1e-8, angle, 1.0)
        tangent = np.tan(safe) if self._kappa > 0 else np.tanh(safe)
        factor = np.where(angle > 1e-8, safe / tangent, 1.0)
        along = np.sum(u * y, axis=-1, keepdims=True) * u
        return factor * y + (1.0 - factor) * along

    @property
    def _kappa(self):
        return 1.0 if isinstance(self.manifold, Sphere) else -1.0

    def local_pca(self, Q, n_jobs=None) -> LocalSpectra:
        """Return the local principal components at the rows of `Q`."""
        Q, M, s = np.atleast_2d(Q), self.manifold, self.bandwidth
        local = self._local(Q)
        vectors = M.vector_to_tangent(
            Q[:, None], np.ascontiguousarray(local.vectors.transpose(0, 2, 1))
        )
        mean = M.exp(Q, M.vector_to_tangent(Q, local.mean * s))
        mean[local.n_eff == 0.0] = np.nan
        return LocalSpectra(
            mean,
            local.eigenvalues * s**2,
            vectors.transpose(0, 2, 1),
            local.n_eff,
            local.nearest * s,
        )

    def frame(self, Q, n_jobs=None) -> np.ndarray:
        """Return tangent frames (m, d, k), the largest entry of a column positive."""
        F = self.local_pca(Q, n_jobs).vectors[:, :, : self.rank]
        row = np.abs(F).argmax(axis=1)
        largest = np.take_along_axis(F, row[:, None], axis=1)
        return F * np.where(largest < 0.0, -1.0, 1.0)

    def _ambient(self, P, eta):
        """Return velocity, ambient force and status; P need not be on the manifold."""
        M, s = self.manifold, self.bandwidth
        P = M.project(P)
        eta = M.project_tangent(P, eta)
        velocity, force, status = self._gradient(P, M.tangent_to_vector(P, eta) / s)
        velocity = M.vector_to_tangent(P, velocity * s)
        force = M.vector_to_tangent(P, force * s)
        # The derivative of a tangent vector has the curvature of the surface in it.
        bend = M.inner(P, eta, velocity) / M._length_scale**2
        return velocity, force - self._kappa * bend[:, None] * P, status

    def hamiltonian(self, P, eta, n_jobs=None):
        """Return H (m,), velocity (m, d) and force (m, d) at positions and momenta."""
        P = np.atleast_2d(P)
        velocity, force, _ = self._ambient(P, np.atleast_2d(eta))
        return 0.5 * self.manifold.inner(P, velocity, velocity), velocity, force

    def shoot(
        self,
        base,
        eta,
        *,
        step=0.25,
        integrator="rk4",
        record=None,
        momentum=False,
        n_jobs=None,
    ) -> Shot:
        """Follow geodesics from `base` with momenta `eta` for unit time."""
        M = self.manifold
        eta = np.atleast_2d(np.asarray(eta, dtype=np.float64)).copy()
        p = np.broadcast_to(np.atleast_2d(base), eta.shape).copy()
        m = len(eta)
        records = 1 if record is None else int(record)
        speed = M.norm(p, M.project_tangent(p, eta)).max(initial=0.0) / self.bandwidth
        n = max(FEWEST_STEPS, int(np.ceil(speed / step)))
        n = -(-n // records) * records
        h = 1.0 / n
        path = np.full((m, records + 1, self.dim), np.nan)
        status = np.zeros(m, dtype=np.int8)
        drift, reached, energy = np.zeros(m), np.zeros(m), np.zeros(m)
        live = np.arange(m)
        for i in range(n + 1):
            v, f, s = self._ambient(p[live], eta[live])
            H = 0.5 * M.inner(p[live], v, v)
            if i == 0:
                energy[:] = np.where(H > 0.0, H, 1.0)
            drift[live] = np.maximum(drift[live], np.abs(H / energy[live] - 1.0))
            status[live] = s
            reached[live] = i * h
            keep = s == OK
            live, v, f = live[keep], v[keep], f[keep]
            if i % (n // records) == 0:
                path[live, i // (n // records)] = p[live]
            if i == n or not len(live):
                break
            x, y = p[live], eta[live]
            v2, f2, _ = self._ambient(x + h / 2 * v, y + h / 2 * f)
            v3, f3, _ = self._ambient(x + h / 2 * v2, y + h / 2 * f2)
            v4, f4, _ = self._ambient(x + h * v3, y + h * f3)
            p[live] = M.project(x + h / 6 * (v + 2 * v2 + 2 * v3 + v4))
            eta[live] = M.project_tangent(
                p[live], y + h / 6 * (f + 2 * f2 + 2 * f3 + f4)
            )
        lost = (status == LEFT_SUPPORT) | (status == SINGULAR)
        p[lost], eta[lost] = np.nan, np.nan
        status[(status == OK) & (drift > _DRIFT)] = ENERGY_DRIFT
        return Shot(p, eta, status, drift, reached, None if record is None else path)


def curved_field(
    X: np.ndarray,
    manifold: Any,
    *,
    n_components: int,
    bandwidth: float,
    kernel: str = "gaussian",
    support: float | None = None,
    sample_weight: Any = None,
) -> ConstantCurvatureField:
    """Build the field of local principal subspaces of points on a manifold."""
    X = np.ascontiguousarray(X, dtype=np.float64)
    manifold = get_manifold(manifold, X.shape[1])
    if not isinstance(manifold, Sphere | Hyperboloid):
        raise ValueError(
            f"manifold={manifold!r} must be a Sphere or a Hyperboloid; map other data "
            f"to vectors first."
        )
    k = check_integer(n_components, "n_components")
    bandwidth = check_positive(bandwidth, "bandwidth")
    _check_bandwidth(bandwidth, manifold)
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {KERNELS}, got {kernel!r}.")
    c = SUPPORTS[kernel] if support is None else check_positive(support, "support")
    if k > manifold.dim:
        raise ValueError(
            f"n_components={k} must be at most the dimension {manifold.dim} of "
            f"{manifold!r}; lower n_components."
        )
    if len(X) < k + 2:
        raise ValueError(
            f"n_components={k} needs at least {k + 2} samples, got {len(X)}; lower "
            f"n_components."
        )
    weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight)
    X, weights = X[weights > 0.0], weights[weights > 0.0] / weights.max()
    lengths, _ = nearest_neighbors(X, 1, metric=manifold)
    spacing = float(np.quantile(lengths, 0.99))
    return ConstantCurvatureField(
        X, weights, bandwidth, kernel, c, k, spacing, manifold
    )


def _check_bandwidth(bandwidth, manifold):
    if bandwidth >= manifold.injectivity_radius / 3.0:
        raise ValueError(
            f"bandwidth={bandwidth:g} must be below a third of the injectivity radius "
            f"{manifold.injectivity_radius:g} of {manifold!r}, or samples at the cut "
            f"locus of a point count there; lower bandwidth."
        )
