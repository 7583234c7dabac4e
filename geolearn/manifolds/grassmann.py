"""The manifold of subspaces of fixed dimension."""

import math
from typing import Any

import numpy as np

from geolearn.manifolds._grassmann_table import fill_tables
from geolearn.manifolds._hessians import positive_factors, scale_pairs
from geolearn.manifolds._orthonormal import (
    OrthonormalColumns,
    Reflector,
    first_pair,
    polished,
    residual,
)
from geolearn.manifolds._pointwise import finish
from geolearn.manifolds._rotations import transpose
from geolearn.manifolds.special import log_sinc, log_sinc_to_pi

__all__ = ["Grassmann"]

_ORTHOGONAL = 1e-12  # angle to pi / 2 below which directions are noise
_NO_GAP = 1e-8  # eigenvalue gap of an average projector that is only rounding


class Grassmann(OrthonormalColumns):
    """Represent the subspaces of dimension `p` of R^n.

    A point is an n x p matrix X with orthonormal columns and stands for the span of
    these: X and X Q are the same point for orthogonal Q, at distance zero. A tangent
    vector is an n x p matrix U with X^T U = 0; it belongs to the representative X,
    and U Q is the same vector at X Q.

    The metric is <U, V> = tr(U^T V), so that the distance is the Euclidean length of
    the vector of principal angles [1]_ [2]_, and an angle between two lines of R^n is
    their distance. Libraries that represent subspaces by their projectors X X^T with
    the metric of matrices report sqrt(2) times these distances.

    Parameters
    ----------
    n : int
        Dimension of the surrounding space, at least 2.
    p : int
        Dimension of the subspaces, between 1 and n - 1. The manifold has
        p (n - p) dimensions.

    See Also
    --------
    Manifold : The methods.
    Stiefel : Orthonormal frames that are not identified.

    References
    ----------
    .. [1] A. Edelman, T. Arias, S. Smith, "The geometry of algorithms with
       orthogonality constraints", SIAM J. Matrix Anal. Appl. 20, 1998,
       arXiv:physics/9806030.
    .. [2] T. Bendokat, R. Zimmermann, P.-A. Absil, "A Grassmann manifold handbook:
       basic geometry and computational aspects", Adv. Comput. Math. 50, 2024,
       arXiv:2011.13699.

    Examples
    --------
    >>> import numpy as np
    >>> planes = Grassmann(3, 2)
    >>> floor = np.eye(3)[:, :2]
    >>> tilted = np.array([[1.0, 0.0], [0.0, np.cos(0.3)], [0.0, np.sin(0.3)]])
    >>> float(planes.dist(floor, tilted).round(12))
    0.3
    >>> turned = tilted @ np.array([[0.0, -1.0], [1.0, 0.0]])  # the same plane
    >>> bool(planes.dist(tilted, turned) < 1e-15)
    True
    """

    def __init__(self, n: int, p: int):
        self._define(n, p, "it would be a single point; lower p")
        self.dim = self.p * (self.n - self.p)
        self.injectivity_radius = math.pi / 2.0
        low, high = (0.0, 2.0) if self._n_angles > 1 else (1.0, 1.0)
        self.sectional_curvature_bounds = (0.0, 0.0) if self.dim == 1 else (low, high)

    @property
    def _n_angles(self):
        """Number of principal angles that can differ from zero."""
        return min(self.p, self.n - self.p)

    def principal_angles(self, x: Any, y: Any) -> np.ndarray:
        """Return the principal angles between subspaces.

        Parameters
        ----------
        x : array_like of shape (..., n, p)
            Points.
        y : array_like of shape (..., n, p)
            Points.

        Returns
        -------
        ndarray of shape (..., p)
            Angles in [0, pi / 2] in descending order; at most min(p, n - p) of them
            are not zero. Their absolute error is that of rounding at any size.

        Examples
        --------
        >>> import numpy as np
        >>> x, y = np.eye(4)[:, :2], np.eye(4)[:, 1:3]
        >>> (Grassmann(4, 2).principal_angles(x, y) / np.pi).round(12)
        array([0.5, 0. ])
        """
        x, y, dtype = self._arrays(x, y)
        angles = self._angles(x, y)[0]
        padding = [(0, 0)] * (angles.ndim - 1) + [(0, self.p - self._n_angles)]
        return finish(np.pad(angles, padding), dtype)

    def _angles(self, x, y):
        """Return the largest angles, descending, and their complements."""
        cosines = np.linalg.svd(transpose(x) @ y, compute_uv=False)
        sines = np.linalg.svd(residual(x, y), compute_uv=False)
        cosines = cosines[..., : -self._n_angles - 1 : -1]
        sines = sines[..., : self._n_angles]
        return np.arctan2(sines, cosines), np.arctan2(cosines, sines)

    def _dist(self, x, y):
        return np.linalg.norm(self._angles(x, y)[0], axis=-1)

    def _exp(self, x, v):
        left, size, right = np.linalg.svd(v, full_matrices=False)
        cosines, sines = np.cos(size)[..., None, :], np.sin(size)[..., None, :]
        return polished(((x @ transpose(right)) * cosines + left * sines) @ right)

    def _geodesic(self, x, y):
        """Return (U, angles, V, turn) of the shortest geodesics.

        The velocity is U diag(angles) V^T, and the geodesic ends at the
        representative y turn^T of y.
        """
        left, cosines, right = np.linalg.svd(transpose(x) @ y)
        self._refuse_orthogonal(cosines[..., -1])
        # sin / (1 + cos) = tan of half the angle has no flat end, unlike sin and cos.
        halves = (residual(x, y) @ transpose(right)) / (1.0 + cosines)[..., None, :]
        u, tangents, w = np.linalg.svd(halves, full_matrices=False)
        return u, 2.0 * np.arctan(tangents), left @ transpose(w), left @ right

    def _refuse_orthogonal(self, smallest_cosine):
        wrong = smallest_cosine < _ORTHOGONAL
        if np.any(wrong):
            raise ValueError(
                f"A direction of one subspace is orthogonal to the other ("
                f"{first_pair(wrong)}) on {self!r}: no shortest geodesic is "
                f"distinguished. dist is defined; move one of the points for log."
            )

    def _log(self, x, y):
        u, angles, v, _ = self._geodesic(x, y)
        return (u * angles[..., None, :]) @ transpose(v)

    def _transport(self, x, y, v):
        u, angles, right, turn = self._geodesic(x, y)
        along = transpose(u) @ v
        half = np.sin(0.5 * angles)[..., None]
        # cos - 1 without cancellation; the end point is y turn^T
        moved = v - (x @ right) @ (np.sin(angles)[..., None] * along)
        moved = (moved - u @ (2.0 * half**2 * along)) @ turn
        return self._project_tangent(y, moved)

    def _project_tangent(self, x, v):
        return v - x @ (transpose(x) @ v)

    def _log_volume_density(self, x, y):
        return self._log_volume_of_angles(*self._angles(x, y))

    def _log_volume_of_angles(self, angles, complements):
        i, j = np.triu_indices(self._n_angles, 1)
        total = angles[..., i] + angles[..., j]
        missing = complements[..., i] + complements[..., j]  # pi - total
        pairs = log_sinc_to_pi(total, missing)
        pairs = pairs + log_sinc(angles[..., i] - angles[..., j])
        single = np.sum(log_sinc(angles), axis=-1)
        return np.sum(pairs, axis=-1) + abs(self.n - 2 * self.p) * single

    def _scaled(self, x, y, w, which):
        velocity = Reflector.at(x).apply(self._log(x, y))[..., self.p :, :]
        angles, rest = self._angles(x, y)
        total = angles[..., :, None] + angles[..., None, :]
        missing = rest[..., :, None] + rest[..., None, :]  # pi - total
        factors = [
            positive_factors(angles[..., :, None] - angles[..., None, :])[which],
            positive_factors(total, missing)[which],
            positive_factors(angles)[which],
        ]
        left, _, right = np.linalg.svd(velocity)
        shape = (*w.shape[:-1], self.n - self.p, self.p)
        C = transpose(left) @ w.reshape(shape) @ transpose(right)
        W = left @ scale_pairs(C, *factors) @ right
        return W.reshape(*W.shape[:-2], self.dim)

    def _tangent_to_vector(self, x, v):
        w = Reflector.at(x).apply(v)[..., self.p :, :]
        return w.reshape(*w.shape[:-2], self.dim)

    def _vector_to_tangent(self, x, w):
        padded = np.zeros((*w.shape[:-1], self.n, self.p))
        padded[..., self.p :, :] = w.reshape(*w.shape[:-1], self.n - self.p, self.p)
        return Reflector.at(x).apply(padded)

    def _mean_start(self, X, weight):
        spread = np.sqrt(weight)[:, None, None] * X
        columns = np.moveaxis(spread, 0, 1).reshape(self.n, -1)
        values, vectors = np.linalg.eigh(columns @ columns.T)
        if values[-self.p] - values[-self.p - 1] < _NO_GAP:
            raise ValueError(
                f"The Fréchet mean on {self!r} is not identifiable: eigenvalues "
                f"{self.p} and {self.p + 1} of the average projector are equal. Pass "
                f"init or n_init > 1 for a local minimum."
            )
        return vectors[:, : -self.p - 1 : -1]

    def _distance_table(self, X, Y=None, n_jobs=None, out=None):
        """Return all distances; Y=None stands for X."""
        if out is None:
            out = np.empty((len(X), len(X if Y is None else Y)))
        fill_tables(self, X, Y, [_length], [out], n_jobs)
        return out

    def _fill_log_volume(self, X, Y, distances, log_volume, symmetric):
        functions = [self._log_volume_of_angles]
        other = None if symmetric else Y
        fill_tables(self, X, other, functions, [log_volume], None)


def _length(angles, complements):
    return np.linalg.norm(angles, axis=-1)
