"""The three problems that a search for references can be posed on.

Each has `n_samples` and tells the distances of all samples to the affine span of
some of them, ``residuals(indices)``, in the units of the user's distances.
"""

from typing import Any

import numpy as np

__all__ = ["GramProblem", "ProjectionProblem", "VectorProblem"]


def chords_of_distances(D, curvature):
    """Return sn(d / 2)^2 in units of curvature: precise where 1 - cos(d) cancels."""
    if curvature == 0.0:
        return 0.25 * D**2
    half = 0.5 * np.sqrt(abs(curvature)) * D
    return np.sin(half) ** 2 if curvature > 0.0 else np.sinh(half) ** 2


def length_scale(curvature):
    """Return the length that the kernels' unit of distance stands for."""
    return 1.0 if curvature == 0.0 else 1.0 / np.sqrt(abs(curvature))


def distances_of_squares(s, curvature):
    """Turn squared sines, distances or hyperbolic sines into distances."""
    s = np.maximum(s, 0.0)
    if curvature > 0.0:
        d = np.arcsin(np.sqrt(np.minimum(s, 1.0)))
    else:
        d = np.sqrt(s) if curvature == 0.0 else np.arcsinh(np.sqrt(s))
    return length_scale(curvature) * d


class GramProblem:
    """Hold samples of a space of constant curvature by their inner products.

    Parameters
    ----------
    K : ndarray of shape (n_samples, n_samples)
        Products of the samples in units of curvature: cos(d) on the unit sphere,
        -cosh(d) on the unit hyperboloid; for curvature 0 any products whose
        polarisation gives the squared distances.
    curvature : float
        Sectional curvature.
    """

    def __init__(self, K: np.ndarray, curvature: float):
        diagonal = np.diag(K)
        if curvature == 0.0:
            chords = 0.25 * (diagonal[:, None] + diagonal - 2.0 * K)
        else:
            chords = 0.5 * (1.0 - K if curvature > 0.0 else -1.0 - K)
        self._store(np.maximum(chords, 0.0), curvature)

    @classmethod
    def from_distances(cls, D: np.ndarray, curvature: float) -> "GramProblem":
        """Keep the digits of small distances, which their cosines lose.

        Parameters
        ----------
        D : ndarray of shape (n_samples, n_samples)
            Distances.
        curvature : float
            Sectional curvature.

        Returns
        -------
        GramProblem
            The problem.
        """
        self = cls.__new__(cls)
        self._store(chords_of_distances(D, curvature), curvature)
        return self

    def _store(self, chords, curvature):
        self.chords = chords
        self.curvature = float(curvature)
        self.n_samples = len(chords)

    def _kernel(self, a):
        """Return the products of the samples' sn-tangent vectors at sample `a`."""
        h, sign = self.chords, np.sign(self.curvature)
        at = h[a]
        return 2.0 * (at[:, None] + at - h - 2.0 * sign * at[:, None] * at)

    def residuals(self, indices: Any) -> np.ndarray:
        """Return the distances of all samples to the span of some.

        Parameters
        ----------
        indices : sequence of int
            The references.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distances.
        """
        first, *others = indices
        if not others:
            h = self.chords[first]
            if self.curvature > 0.0:  # up to pi, not to pi / 2
                d = 2.0 * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
                return length_scale(self.curvature) * d
            root = np.sqrt(h)
            d = 2.0 * (root if self.curvature == 0.0 else np.arcsinh(root))
            return length_scale(self.curvature) * d
        R = self._kernel(first)
        floor = 64.0 * np.finfo(float).eps * np.diag(R)
        for c in others:
            if R[c, c] > 0.0:
                R = R - np.outer(R[:, c] / R[c, c], R[c])
        s = np.diag(R).copy()
        s[s < floor] = 0.0
        s[list(indices)] = 0.0
        return distances_of_squares(s, self.curvature)


class ProjectionProblem:
    """Hold samples of any manifold; distances are those of projections.

    Parameters
    ----------
    manifold : Manifold
        The manifold.
    X : ndarray of shape (n_samples, ...)
        Points on it.
    """

    def __init__(self, manifold: Any, X: np.ndarray):
        self.manifold = manifold
        self.X = X
        self.n_samples = len(X)

    def residuals(self, indices: Any) -> np.ndarray:
        """Return the distances of all samples to the affine span of some.

        Parameters
        ----------
        indices : sequence of int
            The references.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distances.
        """
        from geolearn.decomposition._affine_span import affine_span_project

        indices = list(indices)
        if len(indices) == 1:
            return self.manifold.dist(self.X[indices[0]], self.X)
        d = affine_span_project(self.manifold, self.X, self.X[indices]).distance
        d[indices] = 0.0
        return d


class VectorProblem:
    """Hold points of a simply connected space of constant curvature.

    Parameters
    ----------
    points : ndarray of shape (n_samples, ...)
        Points.
    manifold : Manifold
        A manifold whose `sectional_curvature_bounds` agree.
    """

    def __init__(self, points: np.ndarray, manifold: Any):
        self.points = points
        self.manifold = manifold
        self.curvature = float(manifold.sectional_curvature_bounds[0])
        self.n_samples = len(points)

    def gram(self) -> GramProblem:
        """Return the same problem by its table of distances.

        Returns
        -------
        GramProblem
            The problem; its memory is 8 n_samples^2 bytes.
        """
        D = self.manifold.pairwise_distances(self.points)
        return GramProblem.from_distances(D, self.curvature)

    def residuals(self, indices: Any) -> np.ndarray:
        """Return the distances of all samples to the span of some.

        Parameters
        ----------
        indices : sequence of int
            The references.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distances.
        """
        indices = list(indices)
        first, *others = indices
        if not others:
            return self.manifold.dist(self.points[first], self.points)
        Q, cosine = self.tangents(first)
        basis, R = np.linalg.qr(Q[others].T)
        size = np.abs(np.diag(R))
        basis = basis[:, size > 1e-12 * max(size.max(), 1e-300)]
        along = Q @ basis
        rest = np.linalg.norm(Q - along @ basis.T, axis=1)
        rest[rest**2 < 64.0 * np.finfo(float).eps * np.sum(Q**2, axis=1)] = 0.0
        rest[indices] = 0.0
        if self.curvature <= 0.0:
            return distances_of_squares(rest**2, self.curvature)
        inside = np.hypot(cosine, np.linalg.norm(along, axis=1))
        return length_scale(self.curvature) * np.arctan2(rest, inside)

    def tangents(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Map the samples to the tangent space of one, lengths through sn.

        Parameters
        ----------
        index : int
            Sample at whose tangent space.

        Returns
        -------
        vectors : ndarray of shape (n_samples, dim)
            Coordinates in units of curvature.
        cosines : ndarray of shape (n_samples,)
            Cosine of the distance, in units of curvature; 1 without curvature.
        """
        base, scale = self.points[index], length_scale(self.curvature)
        distance = self.manifold.dist(base, self.points)
        Q = np.zeros((self.n_samples, self.manifold.dim))
        # At the antipode the direction is undefined and the sine is zero.
        near = distance < self.manifold.injectivity_radius * (1.0 - 1e-11)
        Q[near] = self.manifold.log_vector(base, self.points[near]) / scale
        if self.curvature == 0.0:
            return Q, np.ones(self.n_samples)
        angle = distance / scale
        if self.curvature > 0.0:
            Q *= np.sinc(angle / np.pi)[:, None]
            return Q, np.cos(angle)
        Q *= np.where(angle > 0.0, np.sinh(angle) / np.where(angle > 0, angle, 1), 1)[
            :, None
        ]
        return Q, np.cosh(angle)
