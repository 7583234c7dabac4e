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
from geolearn.decomposition._local_pca import LocalPCA
from geolearn.decomposition._principal_subbundle import PrincipalSubbundle
from geolearn.decomposition._subbundle_bandwidth import bandwidth_score
from geolearn.decomposition._subbundle_functions import (
    principal_subbundle_exp,
    principal_subbundle_hamiltonian,
)
from geolearn.decomposition._subbundle_logarithm import principal_subbundle_log
from geolearn.decomposition._tangent_pca import TangentPCA

__all__ = [
    "AffineSpanProjection",
    "BarycentricSubspaceAnalysis",
    "LocalPCA",
    "PrincipalGeodesicAnalysis",
    "PrincipalSubbundle",
    "TangentPCA",
    "affine_span_index",
    "affine_span_project",
    "bandwidth_score",
    "barycenter",
    "barycentric_weights",
    "log_matrix",
    "principal_subbundle_exp",
    "principal_subbundle_hamiltonian",
    "principal_subbundle_log",
    "unexplained_variance",
]
