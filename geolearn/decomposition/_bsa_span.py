"""The fitted subspace: where new samples come in and projections come out."""

import warnings

import numpy as np

from geolearn.decomposition._bsa_distances import DistanceFrame
from geolearn.decomposition._bsa_index import hessian_index
from geolearn.decomposition._bsa_projection import project, warn_of_projections

__all__ = ["Span"]


class Span:
    """Project valid samples on the span of references.

    Parameters
    ----------
    manifold : Manifold or None
        Space of the samples; None if they are rows of distances.
    references : ndarray of shape (k + 1, ...) or None
        Points of it.
    indices : ndarray of int of shape (k + 1,) or None
        Columns of distances from the references.
    D : ndarray of shape (k + 1, k + 1) or None
        Distances between the references.
    curvature : float
        Sectional curvature of the space of given distances.
    p : float
        Power of the distances that make up variances.
    **options : dict
        `convex`, `tol` and `max_iter` of projections.

    Attributes
    ----------
    space : Manifold
        Where projections are made: `manifold`, or the space of a `DistanceFrame`.
    references : ndarray of shape (k + 1, ...)
        Points of it.
    """

    def __init__(
        self, manifold, references, *, indices=None, D=None, curvature=0.0, p, **options
    ):
        self.manifold, self.p, self.options = manifold, p, options
        self.space, self.references = manifold, references
        if manifold is None:
            self._indices = indices
            self._frame = DistanceFrame(D, curvature)
            self.space, self.references = self._frame.manifold, self._frame.references

    def points(self, X):
        """Return points of the space; one warning counts impossible distances."""
        if self.manifold is not None:
            return X
        points, possible = self._frame.place(X[:, self._indices])
        if not possible.all():
            warnings.warn(
                f"{int(np.sum(~possible))} of {len(X)} samples have distances from the "
                f"references that no point of a space of curvature "
                f"{self._frame.curvature:g} has; they are taken as points of the span. "
                f"Correct curvature, or the distances.",
                UserWarning,
                stacklevel=5,
            )
        return points

    def project(self, points):
        """Return projections of points, and tell how many failed."""
        result = project(self.space, points, self.references, **self.options)
        warn_of_projections(self.space, result)
        return result

    def nested_variances(self, points, weight):
        """Return the unexplained variances of the spans of the first references."""
        spans = (self.references[: i + 1] for i in range(len(self.references)))
        residuals = (
            project(self.space, points, span, **self.options).distance for span in spans
        )
        return np.array([weight @ r**self.p for r in residuals])

    def index(self, result):
        """Return the Hessian indices of projections, None without Hessians."""
        if not self.space.has_hessian:
            return None
        return hessian_index(
            self.space, result.projection, self.references, result.weights
        )
