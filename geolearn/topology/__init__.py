"""Persistent homology of small clouds, and singular points of data."""

from geolearn.topology._annulus import sample_annulus
from geolearn.topology._bottleneck import bottleneck_distance
from geolearn.topology._euclidicity import Euclidicity
from geolearn.topology._persistence import vietoris_rips_persistence
from geolearn.topology._persistent_dimension import PersistentDimension

__all__ = [
    "Euclidicity",
    "PersistentDimension",
    "bottleneck_distance",
    "sample_annulus",
    "vietoris_rips_persistence",
]
