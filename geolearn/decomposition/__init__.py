"""Principal subspaces of data on manifolds."""

from geolearn.decomposition._affine_span import (
    AffineSpanProjection,
    affine_span_index,
    affine_span_project,
    barycenter,
    barycentric_weights,
    log_matrix,
    unexplained_variance,
)

__all__ = [
    "AffineSpanProjection",
    "affine_span_index",
    "affine_span_project",
    "barycenter",
    "barycentric_weights",
    "log_matrix",
    "unexplained_variance",
]
