"""Solvers that several estimators share: multidimensional scaling, Riemannian Adam."""

from geolearn.optimize._adam import AdamResult, RiemannianAdam
from geolearn.optimize._classical import classical_mds
from geolearn.optimize._mds import MDSResult, metric_mds
from geolearn.optimize._placement import place_points

__all__ = [
    "AdamResult",
    "MDSResult",
    "RiemannianAdam",
    "classical_mds",
    "metric_mds",
    "place_points",
]
