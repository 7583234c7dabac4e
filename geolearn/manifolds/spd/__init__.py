"""Symmetric positive definite matrices under fifteen metrics."""

from geolearn.manifolds.spd._spd import SPD

__all__ = ["SPD"]
