"""Symmetric positive definite matrices under fifteen metrics and their families."""

from geolearn.manifolds.spd._inner import kernel_inner
from geolearn.manifolds.spd._spd import SPD

__all__ = ["SPD", "kernel_inner"]
