"""Neighbour graphs, affinities, Laplacians and heat diffusion."""

from geolearn.graph._affinity import alpha_decay_affinity
from geolearn.graph._components import connect_components, connected_components
from geolearn.graph._laplacian import check_affinity, degrees, graph_laplacian
from geolearn.graph._neighbors import NeighborIndex, nearest_neighbors

__all__ = [
    "NeighborIndex",
    "alpha_decay_affinity",
    "check_affinity",
    "connect_components",
    "connected_components",
    "degrees",
    "graph_laplacian",
    "nearest_neighbors",
]
