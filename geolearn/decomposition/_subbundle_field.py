"""The field of local principal subspaces of points in Euclidean space.

The subspaces are defined at every point of the ambient space [1]_; curves that stay
tangent to them are the geodesics of a sub-Riemannian geometry. Everything is computed
in units of the bandwidth, about a fixed origin near the data, so that results follow
a change of units.

References
----------
.. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles for
   dimension reduction", 2023, arXiv:2307.03128.
"""

import math
from typing import Any

import numpy as np

from geolearn.decomposition._subbundle_geometry import FieldGeometry
from geolearn.decomposition._subbundle_integrate import follow_precisely
from geolearn.decomposition._subbundle_search import build_tree
from geolearn.decomposition._subbundle_shoot import (
    FEW_FEATURES,
    shoot_all,
    slopes,
    spectra,
)
from geolearn.decomposition._subbundle_types import LocalSpectra, Shot
from geolearn.decomposition._subbundle_weights import GAUSSIAN, TAPERED
from geolearn.manifolds import Euclidean
from geolearn.utils._threads import matrix_threads
from geolearn.utils.validation import check_integer, check_positive, check_sample_weight

KERNELS = {"gaussian": GAUSSIAN, "tapered": TAPERED}
SUPPORTS = {"gaussian": 6.0, "tapered": 4.0}
INTEGRATORS = ("rk4", "dop853", "symplectic_euler")
_SPACING_QUERIES = 5000  # rows whose neighbours tell the spacing of larger data
_FEWEST_VECTORS = 10  # eigenpairs returned for many features


class EuclideanField(FieldGeometry):
    """Local principal subspaces of rank k at every point of Euclidean space.

    Built by `euclidean_field`.

    Attributes
    ----------
    points : ndarray of shape (n, d)
        Samples of positive weight.
    weights : ndarray of shape (n,)
        Their weights.
    bandwidth : float
        Standard deviation sigma of the kernel.
    kernel : {"gaussian", "tapered"}
        Weight of a sample by its distance.
    support : float
        Distance over the bandwidth where weights vanish.
    rank : int
        Dimension k of the subspaces.
    spacing : float
        99 % quantile of the distances of samples to their nearest neighbour.
    origin : ndarray of shape (d,)
        Origin of the scaled coordinates.
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
        scaled = (points - self.origin) / bandwidth
        order, bounds, boxes = build_tree(scaled)
        self._samples = (scaled[order], weights[order], bounds, boxes)

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

    @property
    def _law(self):
        # A curve is stopped farther from the samples than twice the bandwidth, or
        # twice their spacing: noise in many dimensions keeps every point away.
        limit = 2.0 * max(1.0, self.spacing / self.bandwidth)
        return (KERNELS[self.kernel], self.support, self.rank, limit)

    def _to_scaled(self, Q):
        Q = np.atleast_2d(np.asarray(Q, dtype=np.float64))
        return np.ascontiguousarray((Q - self.origin) / self.bandwidth)

    def _momenta(self, eta):
        eta = np.atleast_2d(np.asarray(eta, dtype=np.float64))
        return np.ascontiguousarray(eta / self.bandwidth)

    def local_pca(self, Q, n_jobs=None) -> LocalSpectra:
        """Return the local principal components at points.

        Parameters
        ----------
        Q : array_like of shape (m, d)
            Points, anywhere.
        n_jobs : int or None, default=None
            Number of threads; -1 means all.

        Returns
        -------
        LocalSpectra
            All eigenpairs up to 24 features, the leading ones beyond.
        """
        P = self._to_scaled(Q)
        d = P.shape[1]
        r = d if d <= FEW_FEATURES else min(d, max(self.rank + 1, _FEWEST_VECTORS))
        with matrix_threads(n_jobs):
            means, values, vectors, facts = spectra(self._samples, self._law, P, r)
        s = self.bandwidth
        return LocalSpectra(
            means * s + self.origin,
            values * s * s,
            vectors,
            facts[:, 1],
            facts[:, 0] * s,
        )

    def frame(self, Q, n_jobs=None) -> np.ndarray:
        """Return bases of the subspaces, the largest entry of a column positive.

        Parameters
        ----------
        Q : array_like of shape (m, d)
            Points, anywhere.
        n_jobs : int or None, default=None
            Number of threads; -1 means all.

        Returns
        -------
        ndarray of shape (m, d, k)
            Orthonormal columns, by decreasing eigenvalue.
        """
        F = self.local_pca(Q, n_jobs).vectors[:, :, : self.rank]
        row = np.abs(F).argmax(axis=1)
        largest = np.take_along_axis(F, row[:, None], axis=1)
        return F * np.where(largest < 0.0, -1.0, 1.0)

    def _slopes(self, P, eta):
        velocity, force, status = slopes(self._samples, self._law, P, eta)
        return velocity, force, status.astype(np.int8)

    def hamiltonian(self, P, eta, n_jobs=None):
        """Return the Hamiltonian and its flow.

        Parameters
        ----------
        P : array_like of shape (m, d)
            Positions.
        eta : array_like of shape (m, d)
            Momenta.
        n_jobs : int or None, default=None
            Number of threads; -1 means all.

        Returns
        -------
        H : ndarray of shape (m,)
            Half the squared length of the projected momentum.
        velocity, force : ndarray of shape (m, d)
            Derivatives of position and momentum by time; NaN without samples near.
        """
        P, eta = np.broadcast_arrays(self._to_scaled(P), self._momenta(eta))
        with matrix_threads(n_jobs):
            velocity, force, _ = self._slopes(
                np.ascontiguousarray(P), np.ascontiguousarray(eta)
            )
        velocity, force = velocity * self.bandwidth, force * self.bandwidth
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
        """Follow geodesics for unit time.

        Parameters
        ----------
        base : array_like of shape (d,) or (m, d)
            Where the curves start.
        eta : array_like of shape (m, d)
            Momenta at the start.
        step : float, default=0.25
            Longest step over the bandwidth.
        integrator : {"rk4", "dop853", "symplectic_euler"}, default="rk4"
            Order 4 with fixed steps, order 8 with error control, or order 1.
        record : int or None, default=None
            Number of equal stretches of time whose end positions are kept.
        momentum : bool, default=False
            Of rank 1, curves follow the line field, and their covectors are the
            velocities. True integrates the momentum nevertheless.
        n_jobs : int or None, default=None
            Number of threads; -1 means all.

        Returns
        -------
        Shot
            End points, covectors, status and the path, if asked for.
        """
        if integrator not in INTEGRATORS:
            raise ValueError(
                f"integrator must be one of {INTEGRATORS}, got {integrator!r}."
            )
        y = self._momenta(eta)
        p = np.ascontiguousarray(np.broadcast_to(self._to_scaled(base), y.shape))
        records = 1 if record is None else check_integer(record, "record")
        with matrix_threads(n_jobs):
            if integrator == "dop853":
                paths, ends, facts = self._follow_precisely(p, y, records)
            else:
                line = self.rank == 1 and not momentum
                euler = integrator == "symplectic_euler"
                options = (check_positive(step, "step"), records, euler, line)
                paths, ends, facts = shoot_all(self._samples, self._law, p, y, *options)
        s = self.bandwidth
        return Shot(
            ends[:, 0] * s + self.origin,
            ends[:, 1] * s,
            facts[:, 0].astype(np.int8),
            facts[:, 1],
            facts[:, 2],
            None if record is None else paths * s + self.origin,
        )

    def _follow_precisely(self, p, y, records):
        m, d = y.shape
        paths, ends = np.full((m, records + 1, d), np.nan), np.full((m, 2, d), np.nan)
        facts = np.empty((m, 3))
        for i in range(m):
            follow_precisely(self._slopes, p[i], y[i], paths[i], ends[i], facts[i])
        return paths, ends, facts


def _spacing(X):
    """Return the 99 % quantile of the distances to the nearest neighbour."""
    from sklearn.neighbors import NearestNeighbors

    rows = X[:: -(-len(X) // _SPACING_QUERIES)]
    distance, _ = NearestNeighbors(n_neighbors=2).fit(X).kneighbors(rows)
    return float(np.quantile(distance[:, 1], 0.99))


def _affine_rank(X):
    """Return the dimension of the affine hull of the rows, up to rounding."""
    Z = X - X.mean(axis=0)
    scale = np.abs(Z).max(initial=0.0)
    if scale == 0.0:
        return 0
    s = np.linalg.svd(np.linalg.qr(Z / scale, mode="r"), compute_uv=False)
    # The mean of large coordinates is known to their rounding only.
    noise = np.finfo(float).eps * max(1.0, np.abs(X).max() / scale)
    return int((s > max(X.shape) * noise * s[0]).sum())


def euclidean_field(
    X: np.ndarray,
    *,
    n_components: int,
    bandwidth: float,
    kernel: str = "gaussian",
    support: float | None = None,
    sample_weight: Any = None,
) -> EuclideanField:
    """Build the field of local principal subspaces of samples.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Samples.
    n_components : int
        Rank k, from 1 to d.
    bandwidth : float
        Standard deviation sigma of the kernel, in the units of `X`.
    kernel : {"gaussian", "tapered"}, default="gaussian"
        exp(-r^2 / 2 sigma^2), or that times (1 - r^2 / c^2 sigma^2)^3.
    support : float or None, default=None
        Distance c over the bandwidth where weights vanish; None is 6 for the
        Gaussian kernel and 4 for the tapered one.
    sample_weight : array_like of shape (n,) or None, default=None
        Weights of the samples, not negative.

    Returns
    -------
    EuclideanField
        The field.

    Raises
    ------
    ValueError
        If a parameter is out of range, there are fewer than k + 2 samples of
        positive weight, or these span less than k dimensions.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    k = check_integer(n_components, "n_components")
    bandwidth = check_positive(bandwidth, "bandwidth")
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {tuple(KERNELS)}, got {kernel!r}.")
    c = SUPPORTS[kernel] if support is None else check_positive(support, "support")
    d = X.shape[1]
    if k > d:
        raise ValueError(
            f"n_components={k} must be at most the number of features {d}; lower "
            "n_components."
        )
    weights = check_sample_weight(sample_weight, len(X))
    X, weights = X[weights > 0.0], weights[weights > 0.0]
    if len(X) < k + 2:
        raise ValueError(
            f"n_components={k} needs at least {k + 2} samples of positive weight, got "
            f"{len(X)}; lower n_components or add samples."
        )
    rank = _affine_rank(X)
    if rank < k:
        raise ValueError(
            f"rank n_components={k} exceeds the dimension of the data, which span "
            f"{rank}; lower n_components."
        )
    weights = weights / weights.max()
    if not math.isfinite(np.abs(X).max() / bandwidth):
        raise ValueError(f"bandwidth={bandwidth} is too small for the data; raise it.")
    return EuclideanField(X, weights, bandwidth, kernel, c, k, _spacing(X))
