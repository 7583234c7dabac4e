"""The parts of product-space trees, for those who build ensembles of them.

`ProductSpaceInput` reads points and parameters, `ClassTargets` and `NumberTargets`
read targets and shape predictions, `presort` sorts the features once, and
`random_seed` draws what `ProductSpaceDecisionTreeClassifier._make` needs beside them.
"""

from geolearn.tree._builder_order import presort
from geolearn.tree._product import log_probabilities
from geolearn.tree._product_input import (
    ClassTargets,
    NumberTargets,
    ProductSpaceInput,
    Target,
    random_seed,
)

__all__ = [
    "ClassTargets",
    "NumberTargets",
    "ProductSpaceInput",
    "Target",
    "log_probabilities",
    "presort",
    "random_seed",
]
