"""Forests and boosting on hyperbolic, spherical and flat spaces and products."""

from geolearn.ensemble._hyperbolic_boosting import (
    HyperbolicHistGradientBoostingClassifier,
    HyperbolicHistGradientBoostingRegressor,
)
from geolearn.ensemble._hyperbolic_extra_trees import (
    HyperbolicExtraTreesClassifier,
    HyperbolicExtraTreesRegressor,
)
from geolearn.ensemble._hyperbolic_forest import (
    HyperbolicRandomForestClassifier,
    HyperbolicRandomForestRegressor,
)
from geolearn.ensemble._product_forest import (
    ProductSpaceRandomForestClassifier,
    ProductSpaceRandomForestRegressor,
)

__all__ = [
    "HyperbolicExtraTreesClassifier",
    "HyperbolicExtraTreesRegressor",
    "HyperbolicHistGradientBoostingClassifier",
    "HyperbolicHistGradientBoostingRegressor",
    "HyperbolicRandomForestClassifier",
    "HyperbolicRandomForestRegressor",
    "ProductSpaceRandomForestClassifier",
    "ProductSpaceRandomForestRegressor",
]
