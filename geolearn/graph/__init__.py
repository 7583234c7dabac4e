"""Neighbour graphs, affinities, Laplacians and heat diffusion."""

from geolearn.graph._affinity import alpha_decay_affinity, gaussian_knn_affinity
from geolearn.graph._brownian import (
    BrownianAffinities,
    brownian_affinities,
    brownian_affinities_to,
)
from geolearn.graph._components import connect_components, connected_components
from geolearn.graph._dissimilarity import (
    denoise_dissimilarity,
    heat_geodesic_dissimilarity,
)
from geolearn.graph._extension import alpha_decay_weights
from geolearn.graph._fuzzy import fuzzy_affinity
from geolearn.graph._heat import heat_kernel
from geolearn.graph._landmarks import select_landmarks
from geolearn.graph._laplacian import check_affinity, degrees, graph_laplacian
from geolearn.graph._neighbors import NeighborIndex, nearest_neighbors
from geolearn.graph._relaxation import relaxation_time
from geolearn.graph._time import DiffusionTime, select_diffusion_time
from geolearn.graph._umap import to_umap_knn

__all__ = [
    "BrownianAffinities",
    "DiffusionTime",
    "NeighborIndex",
    "alpha_decay_affinity",
    "alpha_decay_weights",
    "brownian_affinities",
    "brownian_affinities_to",
    "check_affinity",
    "connect_components",
    "connected_components",
    "degrees",
    "denoise_dissimilarity",
    "fuzzy_affinity",
    "gaussian_knn_affinity",
    "graph_laplacian",
    "heat_geodesic_dissimilarity",
    "heat_kernel",
    "nearest_neighbors",
    "relaxation_time",
    "select_diffusion_time",
    "select_landmarks",
    "to_umap_knn",
]
