"""Decision trees on hyperbolic, spherical and flat spaces and on their products."""

from geolearn.tree._product import (
    ProductSpaceDecisionTreeClassifier,
    ProductSpaceDecisionTreeRegressor,
)

__all__ = [
    "ProductSpaceDecisionTreeClassifier",
    "ProductSpaceDecisionTreeRegressor",
]
