"""Metrics on curved spaces: compiled kernels, and the loops that apply them.

Each metric is a public module with two kernels: ``distance(x, y)``, which pynndescent,
umap-learn and scikit-learn take as ``metric=``, and ``distance_row``, which the
functions below take. Nothing is compiled on import.
"""

from geolearn.metrics import (
    euclidean,
    fisher_rao,
    hyperboloid,
    poincare,
    product,
    sphere,
    torus,
)
from geolearn.metrics._curvature import curvature_statistic
from geolearn.metrics._distortion import (
    average_distortion,
    graph_map,
    worst_case_distortion,
)
from geolearn.metrics._hyperbolic_distances import hyperbolic_distances
from geolearn.metrics._hyperbolicity import delta_hyperbolicity
from geolearn.metrics._neighbors import kneighbors
from geolearn.metrics._pairwise import pairwise_distances, pairwise_distances_blocks
from geolearn.metrics._quality import distance_correlation_score
from geolearn.metrics._rank_quality import continuity, trustworthiness
from geolearn.metrics._registry import Metric, Parameter, get_metric, metric_names

__all__ = [
    "Metric",
    "Parameter",
    "average_distortion",
    "continuity",
    "curvature_statistic",
    "delta_hyperbolicity",
    "distance_correlation_score",
    "euclidean",
    "fisher_rao",
    "get_metric",
    "graph_map",
    "hyperbolic_distances",
    "hyperboloid",
    "kneighbors",
    "metric_names",
    "pairwise_distances",
    "pairwise_distances_blocks",
    "poincare",
    "product",
    "sphere",
    "torus",
    "trustworthiness",
    "worst_case_distortion",
]
