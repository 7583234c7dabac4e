"""Generators of point clouds whose geodesic distances are known."""

from geolearn.datasets._rolls import make_clustered_roll, make_swiss_roll
from geolearn.datasets._tree import make_branching_tree

__all__ = ["make_branching_tree", "make_clustered_roll", "make_swiss_roll"]
