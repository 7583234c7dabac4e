"""Samples that are known by their distances from references only.

Distances from the k + 1 references of a span, and between them, determine a sample
up to a turn around the span. So references are placed in the model space of dimension
k + 1 of the given curvature, and every sample in the half of it that lies on one side
of their span; projections and weights there are those of the unknown points.
"""

import numpy as np

from geolearn.decomposition._bsa_search_problems import length_scale
from geolearn.manifolds import Euclidean, Hyperboloid, Sphere

__all__ = ["DistanceFrame"]

_IN_SPAN = 64.0 * np.finfo(float).eps  # share of a squared length that is rounding
_IMPOSSIBLE = 1e-6  # share of a squared length by which no such point exists


class DistanceFrame:
    """Place references, and samples beside their span.

    Parameters
    ----------
    D : ndarray of shape (k + 1, k + 1)
        Distances between the references.
    curvature : float
        Sectional curvature of the space that they live in.

    Attributes
    ----------
    manifold : Euclidean, Sphere or Hyperboloid
        Model space of dimension k + 1.
    references : ndarray of shape (k + 1, n_coordinates)
        Points of it.

    Raises
    ------
    ValueError
        If there are no independent references with these distances.
    """

    def __init__(self, D, curvature):
        k = len(D) - 1
        self.curvature = curvature
        self._sign = float(np.sign(curvature))
        self._scale = length_scale(curvature)
        self.manifold = _model(curvature, k + 1)
        self._chords = _half_chords(D, curvature)
        inner = self._products(self._chords[1:, 0], self._chords[1:, 1:])
        try:
            self._triangle = np.linalg.cholesky(inner)
        except np.linalg.LinAlgError as error:
            raise ValueError(
                f"The distances of the {k + 1} references are not those of "
                f"independent points of a space of curvature {curvature:g}; lower "
                f"n_components, or correct curvature."
            ) from error
        across = np.zeros(k)
        others = self._points(self._chords[0, 1:], self._triangle, across)
        first = self._points(np.zeros(1), np.zeros((1, k)), np.zeros(1))
        self.references = np.concatenate([first, others])

    def place(self, D):
        """Return points with given distances from the references.

        Parameters
        ----------
        D : ndarray of shape (n, k + 1)
            Distances.

        Returns
        -------
        points : ndarray of shape (n, n_coordinates)
            Points of the model space.
        possible : ndarray of bool of shape (n,)
            Whether they have these distances; the others are points of the span
            that come near.
        """
        chords = _half_chords(D, self.curvature)
        h = chords[:, 0]
        inner = self._products(h, chords[:, 1:])
        p = np.linalg.solve(self._triangle, inner.T).T
        square = 4.0 * h * (1.0 - self._sign * h)
        rest = square - np.sum(p**2, axis=1)
        across = np.sqrt(np.where(rest > _IN_SPAN * square, rest, 0.0))
        return self._points(h, p, across), rest >= -_IMPOSSIBLE * square

    def _products(self, h, chords):
        """Return products of sn-tangent vectors at x_0 with those of x_1, ..., x_k."""
        at = self._chords[0, 1:]
        h = h[:, None]
        return 2.0 * (h + at - chords - 2.0 * self._sign * h * at)

    def _points(self, h, p, across):
        """Return points from half chords, coordinates in the span and across it."""
        q = np.column_stack([p, across])
        if self._sign == 0.0:
            return q
        if self._sign < 0.0:
            height = np.sqrt(1.0 + np.sum(q**2, axis=1))
        else:
            height = 1.0 - 2.0 * h
        return self.manifold.project(self._scale * np.column_stack([height, q]))


def _model(curvature, dim):
    if curvature > 0.0:
        return Sphere(dim, radius=curvature**-0.5)
    return Hyperboloid(dim, curvature=curvature) if curvature < 0.0 else Euclidean(dim)


def _half_chords(D, curvature):
    """Return squares of sn(d / 2) in units of curvature."""
    half = 0.5 * D / length_scale(curvature)
    if curvature != 0.0:
        half = np.sin(half) if curvature > 0.0 else np.sinh(half)
    return half**2
