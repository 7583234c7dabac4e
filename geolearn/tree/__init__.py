"""Decision trees on hyperbolic, spherical and flat spaces and on their products."""

from geolearn.tree._hyperbolic import (
    HyperbolicDecisionTreeClassifier,
    HyperbolicDecisionTreeRegressor,
)
from geolearn.tree._product import (
    ProductSpaceDecisionTreeClassifier,
    ProductSpaceDecisionTreeRegressor,
)

__all__ = [
    "HyperbolicDecisionTreeClassifier",
    "HyperbolicDecisionTreeRegressor",
    "ProductSpaceDecisionTreeClassifier",
    "ProductSpaceDecisionTreeRegressor",
]
