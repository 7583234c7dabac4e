"""Embeddings of samples in few dimensions."""

from geolearn.embedding._heat_geodesic import HeatGeodesicEmbedding
from geolearn.embedding._hyperbolic_diffusion import HyperbolicDiffusionDistance
from geolearn.embedding._hyperbolic_mds import HyperbolicMDS
from geolearn.embedding._metric_mds import MetricMDS
from geolearn.embedding._product_space import ProductSpaceEmbedding
from geolearn.embedding._rie_sne import RieSNE
from geolearn.embedding._signature_selection import (
    SelectedSignature,
    select_signature,
)
from geolearn.embedding._sne_objective import sne_objective
from geolearn.embedding._tree_embedding import TreeEmbedding

__all__ = [
    "HeatGeodesicEmbedding",
    "HyperbolicDiffusionDistance",
    "HyperbolicMDS",
    "MetricMDS",
    "ProductSpaceEmbedding",
    "RieSNE",
    "SelectedSignature",
    "TreeEmbedding",
    "select_signature",
    "sne_objective",
]
