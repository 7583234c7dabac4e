"""Local dimension, effective rank and other health measures of a representation."""

from geolearn.diagnostics._aggregate import aggregate_dimension
from geolearn.diagnostics._alpha_req import alpha_req
from geolearn.diagnostics._centroid_nuclear_norm import centroid_nuclear_norm
from geolearn.diagnostics._curvature import (
    SecondOrderCurvature,
    second_order_curvature,
)
from geolearn.diagnostics._effective_rank import participation_ratio, rankme
from geolearn.diagnostics._feature_split import feature_split_stability
from geolearn.diagnostics._local_dimension import local_intrinsic_dimension
from geolearn.diagnostics._local_pca_dimension import local_pca_dimension
from geolearn.diagnostics._manifold_capacity import (
    ManifoldCapacity,
    manifold_capacity,
)
from geolearn.diagnostics._mst_uniformity import mst_uniformity
from geolearn.diagnostics._neural_collapse import NeuralCollapse, neural_collapse
from geolearn.diagnostics._report import Diagnostic, RepresentationReport
from geolearn.diagnostics._two_nn import two_nn_dimension

__all__ = [
    "Diagnostic",
    "ManifoldCapacity",
    "NeuralCollapse",
    "RepresentationReport",
    "SecondOrderCurvature",
    "aggregate_dimension",
    "alpha_req",
    "centroid_nuclear_norm",
    "feature_split_stability",
    "local_intrinsic_dimension",
    "local_pca_dimension",
    "manifold_capacity",
    "mst_uniformity",
    "neural_collapse",
    "participation_ratio",
    "rankme",
    "second_order_curvature",
    "two_nn_dimension",
]
