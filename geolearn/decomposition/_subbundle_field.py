"""The field of local principal subspaces of points in Euclidean space.

The subspaces are defined at every point of the ambient space [1]_; curves that stay
tangent to them are the geodesics of a sub-Riemannian geometry. Everything is computed
in units of the bandwidth, about a fixed origin near the data, so that results follow
a change of units exactly.

References
----------
.. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles for
   dimension reduction", 2023, arXiv:2307.03128.
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
from geolearn.manifolds import Euclidean
from geolearn.utils.validation import check_integer, check_positive

KERNELS = ("gaussian", "tapered")
SUPPORTS = {"gaussian": 6.0, "tapered": 4.0}
FEWEST_STEPS = 4
_GAP = 1e-3  # smallest relative gap between the blocks
_DRIFT = 1e-3  # largest relative change of the energy
_SPACING_QUERIES = 5000


class _Local(NamedTuple):
    mean: np.ndarray
    eigenvalues: np.ndarray
    vectors: np.ndarray
    n_eff: np.ndarray
    nearest: np.ndarray
    weights: np.ndarray
    pull: np.ndarray


class EuclideanField(FieldGeometry):
    """Local principal subspaces of rank k at every point of Euclidean space.

    Built by `euclidean_field`; arrays are read-only.
    """

    def __init__(self, points, weights, bandwidth, kernel, support, rank, spacing):
        self.points = points
        self.weights = weights
        self.bandwidth = bandwidth
        self.kernel = kernel
        self.support = support
        self.rank = rank
        self.spacing = spacing
        self.origin = points.mean(axis=0)
        self._scaled = np.ascontiguousarray((points - self.origin) / bandwidth)

    @property
    def dim(self) -> int:
        """Dimension d of the ambient space."""
        return self.points.shape[1]

    @property
    def manifold(self) -> Euclidean:
        """Space of the points."""
        return Euclidean(self.dim)

    def with_bandwidth(self, bandwidth) -> "EuclideanField":
        """Return the field of the same samples at another bandwidth."""
        return EuclideanField(
            self.points,
            self.weights,
            check_positive(bandwidth, "bandwidth"),
            self.kernel,
            self.support,
            self.rank,
            self.spacing,
        )

    def _to_scaled(self, Q):
        return np.ascontiguousarray((np.atleast_2d(Q) - self.origin) / self.bandwidth)

    def _local(self, P):
        Y = self._scaled[None] - P[:, None]
        r2 = (Y**2).sum(axis=2)
        nearest = r2.min(axis=1)
        W = np.exp(-0.5 * (r2 - nearest[:, None])) * self.weights
        pull = W.copy()
        if self.kernel == "tapered":
            c2 = self.support**2
            t = np.maximum(1.0 - r2 / c2, 0.0)
            pull = W * t**2 * (t + 6.0 / c2)
            W = W * t**3
        total = W.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            W, pull = W / total, pull / total
            mean = (W[..., None] * Y).sum(axis=1)
            Z = Y - mean[:, None]
            S = np.einsum("mn,mni,mnj->mij", W, Z, Z)
        empty = ~np.isfinite(S).all(axis=(1, 2))
        S[empty] = 0.0
        eigenvalues, E = np.linalg.eigh(S)
        n_eff = np.where(empty, 0.0, 1.0 / np.where(empty, 1.0, (W**2).sum(axis=1)))
        return (
            _Local(
                mean,
                np.maximum(eigenvalues[:, ::-1], 0.0),
                E[:, :, ::-1],
                n_eff,
                np.sqrt(nearest),
                W,
                pull,
            ),
            Y,
            Z,
        )

    def _gradient(self, P, eta):
        k = self.rank
        local, Y, Z = self._local(P)
        alpha = np.einsum("mia,mi->ma", local.vectors, eta)
        top = local.vectors[:, :, :k]
        velocity = np.einsum("mia,ma->mi", top, alpha[:, :k])
        lam = local.eigenvalues
        gap = lam[:, :k, None] - lam[:, None, k:]
        G = np.einsum(
            "mab,mib->mia",
            alpha[:, None, k:] / np.where(gap > 0, gap, 1.0),
            local.vectors[:, :, k:],
        )
        q = np.einsum("ma,mna,mna->mn", alpha[:, :k], Z @ top, Z @ G)
        pull = np.einsum("mn,mni->mi", local.pull, Y)
        force = -np.einsum("mn,mni->mi", local.pull * q, Y)
        force += (local.weights * q).sum(axis=1)[:, None] * pull
        status = np.zeros(len(P), dtype=np.int8)
        if k < self.dim:
            status[lam[:, k - 1] - lam[:, k] < _GAP * lam[:, k - 1]] = SINGULAR
        limit = max(2.0, 2.0 * self.spacing / self.bandwidth)
        status[(local.nearest > limit) | (local.n_eff < k + 1)] = LEFT_SUPPORT
        return velocity, force, status

    def local_pca(self, Q, n_jobs=None) -> LocalSpectra:
        """Return the local principal components at the rows of `Q`."""
        P = self._to_scaled(Q)
        local, _, _ = self._local(P)
        s = self.bandwidth
        return LocalSpectra(
            (local.mean + P) * s + self.origin,
            local.eigenvalues * s**2,
            local.vectors,
            local.n_eff,
            local.nearest * s,
        )

    def frame(self, Q, n_jobs=None) -> np.ndarray:
        """Return tangent frames (m, d, k), the largest entry of a column positive."""
        F = self.local_pca(Q, n_jobs).vectors[:, :, : self.rank]
        row = np.abs(F).argmax(axis=1)
        largest = np.take_along_axis(F, row[:, None], axis=1)
        return F * np.where(largest < 0.0, -1.0, 1.0)

    def hamiltonian(self, P, eta, n_jobs=None):
        """Return H (m,), velocity (m, d) and force (m, d) at positions and momenta."""
        s = self.bandwidth
        velocity, force, _ = self._gradient(self._to_scaled(P), np.atleast_2d(eta) / s)
        velocity, force = velocity * s, force * s
        return 0.5 * (velocity**2).sum(axis=1), velocity, force

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
        """Follow geodesics from `base` with momenta `eta` for unit time.

        `base` is one point (d,) or a point a row (m, d); `step` is the length of a
        step over the bandwidth; `record` the number of equal time steps whose
        positions are kept.
        """
        eta = np.atleast_2d(np.asarray(eta, dtype=np.float64)) / self.bandwidth
        p = np.broadcast_to(self._to_scaled(base), eta.shape).copy()
        m, _ = eta.shape
        records = 1 if record is None else int(record)
        speed = np.sqrt((eta**2).sum(axis=1)).max(initial=0.0)
        n = max(FEWEST_STEPS, int(np.ceil(speed / step)))
        n = -(-n // records) * records
        h = 1.0 / n
        path = np.full((m, records + 1, self.dim), np.nan)
        status = np.zeros(m, dtype=np.int8)
        drift, reached, energy = np.zeros(m), np.zeros(m), np.zeros(m)
        live = np.arange(m)
        for i in range(n + 1):
            v, f, s = self._gradient(p[live], eta[live])
            H = 0.5 * (v**2).sum(axis=1)
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
            v2, f2, _ = self._gradient(x + h / 2 * v, y + h / 2 * f)
            v3, f3, _ = self._gradient(x + h / 2 * v2, y + h / 2 * f2)
            v4, f4, _ = self._gradient(x + h * v3, y + h * f3)
            p[live] = x + h / 6 * (v + 2 * v2 + 2 * v3 + v4)
            eta[live] = y + h / 6 * (f + 2 * f2 + 2 * f3 + f4)
        lost = (status == LEFT_SUPPORT) | (status == SINGULAR)
        p[lost], eta[lost] = np.nan, np.nan
        status[(status == OK) & (drift > _DRIFT)] = ENERGY_DRIFT
        s = self.bandwidth
        return Shot(
            p * s + self.origin,
            eta * s,
            status,
            drift,
            reached,
            None if record is None else path * s + self.origin,
        )


def _spacing(X):
    """Return the 99 % quantile of the distances to the nearest neighbour."""
    from sklearn.neighbors import NearestNeighbors

    rows = X[:: -(-len(X) // _SPACING_QUERIES)]
    distance, _ = NearestNeighbors(n_neighbors=2).fit(X).kneighbors(rows)
    return float(np.quantile(distance[:, 1], 0.99))


def euclidean_field(
    X: np.ndarray,
    *,
    n_components: int,
    bandwidth: float,
    kernel: str = "gaussian",
    support: float | None = None,
    sample_weight: Any = None,
) -> EuclideanField:
    """Build the field of local principal subspaces of the rows of `X`."""
    X = np.ascontiguousarray(X, dtype=np.float64)
    k = check_integer(n_components, "n_components")
    bandwidth = check_positive(bandwidth, "bandwidth")
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {KERNELS}, got {kernel!r}.")
    c = SUPPORTS[kernel] if support is None else check_positive(support, "support")
    n, d = X.shape
    if k > d:
        raise ValueError(
            f"n_components={k} must be at most the number of features {d}; lower "
            "n_components."
        )
    if n < k + 2:
        raise ValueError(
            f"n_components={k} needs at least {k + 2} samples, got {n}; lower "
            "n_components."
        )
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, float)
    keep = weights > 0.0
    X, weights = X[keep], weights[keep] / weights.max()
    return EuclideanField(X, weights, bandwidth, kernel, c, k, _spacing(X))
