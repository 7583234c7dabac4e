"""Embeddings of samples in few dimensions."""

from geolearn.embedding._heat_geodesic import HeatGeodesicEmbedding
from geolearn.embedding._hyperbolic_mds import HyperbolicMDS
from geolearn.embedding._metric_mds import MetricMDS
from geolearn.embedding._tree_embedding import TreeEmbedding

__all__ = ["HeatGeodesicEmbedding", "HyperbolicMDS", "MetricMDS", "TreeEmbedding"]
