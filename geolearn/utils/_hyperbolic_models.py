"""The coordinates in which points of hyperbolic space are given."""

__all__ = ["HYPERBOLIC_MODELS"]

HYPERBOLIC_MODELS = ("hyperboloid", "poincare", "klein")
