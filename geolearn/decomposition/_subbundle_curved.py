"""Principal subbundles of data on spheres and hyperboloids [1]_.

References
----------
.. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles for
   dimension reduction", 2023, arXiv:2307.03128, Section 5.
"""

from typing import Any

import numpy as np

from geolearn.decomposition._subbundle_curved_shoot import (
    curved_shoot_all,
    curved_slopes,
    curved_spectra,
)
from geolearn.decomposition._subbundle_geometry import FieldGeometry
from geolearn.decomposition._subbundle_integrate import follow_precisely
from geolearn.decomposition._subbundle_space import lowered
from geolearn.decomposition._subbundle_types import LocalSpectra, Shot
from geolearn.graph import nearest_neighbors
from geolearn.manifolds import Hyperboloid, Sphere, get_manifold
from geolearn.utils._threads import matrix_threads
from geolearn.utils.validation import check_integer, check_positive, check_sample_weight

__all__ = ["ConstantCurvatureField", "curved_field"]

KERNELS = ("gaussian", "tapered")
SUPPORTS = {"gaussian": 6.0, "tapered": 4.0}
INTEGRATORS = ("rk4", "dop853", "symplectic_euler")
_SPACING_QUERIES = 5000


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
        self._scaled = np.ascontiguousarray(points.T / manifold._length_scale)
        for array in (self.points, self.weights, self._scaled):
            array.flags.writeable = False

    @property
    def dim(self) -> int:
        """Number d of ambient coordinates."""
        return self.points.shape[1]

    def with_bandwidth(self, bandwidth) -> "ConstantCurvatureField":
        """Return the field of the same samples at another bandwidth."""
        return ConstantCurvatureField(
            self.points,
            self.weights,
            check_bandwidth(bandwidth, self.manifold),
            self.kernel,
            self.support,
            self.rank,
            self.spacing,
            self.manifold,
        )

    @property
    def _numbers(self):
        """What the kernels know of the field, in their units."""
        return (
            1.0 if isinstance(self.manifold, Sphere) else -1.0,
            self.bandwidth / self.manifold._length_scale,
            self._scaled,
            self.weights,
            KERNELS.index(self.kernel),
            self.support,
            self.rank,
            max(2.0, 2.0 * self.spacing / self.bandwidth),
        )

    def _positions(self, Q):
        Q = np.atleast_2d(np.asarray(Q, dtype=np.float64))
        return np.ascontiguousarray(Q / self.manifold._length_scale)

    def _momenta(self, eta):
        eta = np.atleast_2d(np.asarray(eta, dtype=np.float64))
        return np.ascontiguousarray(eta / self.bandwidth)

    def local_pca(self, Q, n_jobs=None) -> LocalSpectra:
        """Return the local principal components at the rows of `Q`."""
        P, s = self._positions(Q), self.bandwidth
        with matrix_threads(n_jobs):
            mean, values, vectors, facts = curved_spectra(self._numbers, P)
        known = np.isfinite(mean).all(axis=1)
        mean[known] = self.manifold.exp(np.atleast_2d(Q)[known], mean[known] * s)
        return LocalSpectra(
            mean, values * s**2, vectors, facts[:, 1].copy(), facts[:, 0] * s
        )

    def frame(self, Q, n_jobs=None) -> np.ndarray:
        """Return tangent frames (m, d, k), the largest entry of a column positive."""
        F = self.local_pca(Q, n_jobs).vectors[:, :, : self.rank]
        row = np.abs(F).argmax(axis=1)
        largest = np.take_along_axis(F, row[:, None], axis=1)
        return F * np.where(largest < 0.0, -1.0, 1.0)

    def _slopes(self, P, eta, n_jobs=None):
        """Return derivatives, status and speed in the units of the kernels."""
        with matrix_threads(n_jobs):
            return curved_slopes(self._numbers, P, eta)

    def hamiltonian(self, P, eta, n_jobs=None):
        """Return H (m,), velocity (m, d) and force (m, d) at positions and momenta.

        The force is the time derivative of the momentum in ambient coordinates; its
        tangent part is minus the gradient of H.
        """
        base, eta = np.broadcast_arrays(self._positions(P), self._momenta(eta))
        velocity, force, _, speed = self._slopes(
            np.ascontiguousarray(base), np.ascontiguousarray(eta), n_jobs
        )
        velocity *= self.manifold._length_scale
        return 0.5 * (speed * self.bandwidth) ** 2, velocity, force * self.bandwidth

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
        positions are kept. `momentum` follows the momentum also where the rank is 1,
        whose curves are integral curves of the line field and do not need it.
        """
        if integrator not in INTEGRATORS:
            raise ValueError(
                f"integrator must be one of {INTEGRATORS}, got {integrator!r}."
            )
        eta = self._momenta(eta)
        base = np.ascontiguousarray(np.broadcast_to(self._positions(base), eta.shape))
        records = 1 if record is None else check_integer(record, "record")
        if integrator == "dop853":
            paths, ends, facts = self._solve_all(base, eta, records)
        else:
            euler, line = integrator != "rk4", self.rank == 1 and not momentum
            options = (check_positive(step, "step"), records, euler, line)
            with matrix_threads(n_jobs):
                paths, ends, facts = curved_shoot_all(
                    self._numbers, base, eta, *options
                )
        R = self.manifold._length_scale
        return Shot(
            ends[:, 0] * R,
            ends[:, 1] * self.bandwidth,
            facts[:, 0].astype(np.int8),
            facts[:, 1].copy(),
            facts[:, 2].copy(),
            None if record is None else paths * R,
        )

    def _solve_all(self, base, eta, records):
        m, d = eta.shape
        paths, ends = np.empty((m, records + 1, d)), np.empty((m, 2, d))
        facts = np.empty((m, 3))
        for i in range(m):
            self._solve(base[i], eta[i], paths[i], ends[i], facts[i])
        return paths, ends, facts

    def _solve(self, base, eta, path, end, facts):
        """Follow one curve by an adaptive integrator of order 8."""
        path[:], end[:] = np.nan, np.nan
        follow_precisely(
            lambda P, y: self._slopes(P, y)[:3],
            base,
            eta,
            path,
            end,
            facts,
            unit=self.bandwidth / self.manifold._length_scale,
            energy_of=lambda v: float((v * lowered(self, v)).sum()),
        )
        known = np.isfinite(path).all(axis=1)
        if not known.any():
            return
        R, project = self.manifold._length_scale, self.manifold.project
        path[known] = project(path[known] * R) / R
        if np.isfinite(end).all():
            scaled = project(end[:1] * R)
            end[0] = scaled[0] / R
            end[1] = self.manifold.project_tangent(scaled[0], end[1])


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
    bandwidth = check_bandwidth(bandwidth, manifold)
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {KERNELS}, got {kernel!r}.")
    c = SUPPORTS[kernel] if support is None else check_positive(support, "support")
    if k > manifold.dim:
        raise ValueError(
            f"n_components={k} must be at most the dimension {manifold.dim} of "
            f"{manifold!r}; lower n_components."
        )
    weights = check_sample_weight(sample_weight, len(X))
    X, weights = X[weights > 0.0], weights[weights > 0.0]
    if len(X) < k + 2:
        raise ValueError(
            f"n_components={k} needs at least {k + 2} samples of positive weight, got "
            f"{len(X)}; lower n_components or add samples."
        )
    weights = weights / weights.max()
    return ConstantCurvatureField(
        X, weights, bandwidth, kernel, c, k, _spacing(X, manifold), manifold
    )


def _spacing(X, manifold):
    """Return the 99 % quantile of the distances to the nearest neighbour."""
    rows = X[:: -(-len(X) // _SPACING_QUERIES)]
    distance, _ = nearest_neighbors(rows, 2, Y=X, metric=manifold)
    return float(np.quantile(distance[:, 1], 0.99))


def check_bandwidth(bandwidth, manifold) -> float:
    """Refuse bandwidths at which samples at the cut locus of a point count."""
    bandwidth = check_positive(bandwidth, "bandwidth")
    if bandwidth >= manifold.injectivity_radius / 3.0:
        raise ValueError(
            f"bandwidth={bandwidth:g} must be below a third of the injectivity radius "
            f"{manifold.injectivity_radius:g} of {manifold!r}, or samples at the cut "
            f"locus of a point count there; lower bandwidth."
        )
    return bandwidth
