"""Persistent homology of small clouds, and singular points of data."""

from geolearn.topology._annulus import sample_annulus
from geolearn.topology._bottleneck import bottleneck_distance
from geolearn.topology._persistence import vietoris_rips_persistence

__all__ = [
    "bottleneck_distance",
    "sample_annulus",
    "vietoris_rips_persistence",
]
