"""Forests on hyperbolic, spherical and flat spaces and on their products."""

from geolearn.ensemble._product_forest import (
    ProductSpaceRandomForestClassifier,
    ProductSpaceRandomForestRegressor,
)

__all__ = [
    "ProductSpaceRandomForestClassifier",
    "ProductSpaceRandomForestRegressor",
]
