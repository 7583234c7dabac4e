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
from geolearn.decomposition._bsa import BarycentricSubspaceAnalysis
from geolearn.decomposition._geodesic_analysis import PrincipalGeodesicAnalysis
from geolearn.decomposition._tangent_pca import TangentPCA

__all__ = [
    "AffineSpanProjection",
    "BarycentricSubspaceAnalysis",
    "PrincipalGeodesicAnalysis",
    "TangentPCA",
    "affine_span_index",
    "affine_span_project",
    "barycenter",
    "barycentric_weights",
    "log_matrix",
    "unexplained_variance",
]
