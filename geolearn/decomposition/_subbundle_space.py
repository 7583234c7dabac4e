"""Distances in the space of a field, by chords of its ambient space."""

import numpy as np


def curvature(field) -> float:
    """Return the sectional curvature of the space of a field."""
    manifold = getattr(field, "manifold", None)
    return 0.0 if manifold is None else manifold.sectional_curvature_bounds[0]


def metric_of(field):
    """Return the metric that searches among points of the space of a field."""
    return "euclidean" if curvature(field) == 0.0 else field.manifold


def lowered(field, vectors):
    """Return vectors (..., d, ...) along axis 1 paired by the ambient product."""
    if curvature(field) >= 0.0:
        return vectors
    paired = vectors.copy()
    paired[:, 0] *= -1.0  # time comes first
    return paired


def squared_gap(field, points, targets) -> np.ndarray:
    """Return squared chords; nearest in them is nearest in the manifold too."""
    gap = targets - points
    return np.maximum(np.einsum("mi,mi->m", gap, lowered(field, gap)), 0.0)


def distance_of_gap(field, squared) -> np.ndarray:
    """Return the distances in the manifold that belong to squared chords."""
    chord = np.sqrt(squared)
    K = curvature(field)
    if K == 0.0:
        return chord
    root = np.sqrt(abs(K))
    if K > 0.0:
        return 2.0 / root * np.arcsin(np.minimum(root * chord / 2.0, 1.0))
    return 2.0 / root * np.arcsinh(root * chord / 2.0)
