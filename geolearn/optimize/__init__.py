"""Solvers that several estimators share: multidimensional scaling."""

from geolearn.optimize._classical import classical_mds
from geolearn.optimize._mds import MDSResult, metric_mds
from geolearn.optimize._placement import place_points

__all__ = ["MDSResult", "classical_mds", "metric_mds", "place_points"]
