"""Hyperbolic extremely randomised trees: scikit-learn's on axial coordinates."""

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
)

from geolearn.preprocessing.composition import (
    AxialComposition,
    LeafMethods,
    ProbabilityMethods,
)

__all__ = [
    "HyperbolicExtraTreesClassifier",
    "HyperbolicExtraTreesRegressor",
]


class HyperbolicExtraTreesClassifier(
    ProbabilityMethods, LeafMethods, AxialComposition, ClassifierMixin, BaseEstimator
):
    """Classify points of hyperbolic space by extremely randomised trees [1]_.

    Splits are totally geodesic hyperplanes perpendicular to the axes, drawn uniformly
    in geodesic length, the best of the axes tried. The ensemble is scikit-learn's on
    `geolearn.preprocessing.AxialCoordinates`.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    HyperbolicHistGradientBoostingClassifier : Boosted trees, often more accurate.
    geolearn.tree.HyperbolicDecisionTreeClassifier : A single tree.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
       Learning 63, 2006, doi:10.1007/s10994-006-6226-1, here on axial coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.ensemble import HyperbolicExtraTreesClassifier
    >>> from geolearn.manifolds import Hyperboloid
    >>> X = Hyperboloid(2).random_point(200, random_state=0)
    >>> y = X[:, 1] > X[:, 2]
    >>> model = HyperbolicExtraTreesClassifier(n_estimators=20, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    """

    _wrapped = ExtraTreesClassifier
    _family = "forest"
    _delegated = (
        "classes_",
        "n_classes_",
        "n_outputs_",
        "feature_importances_",
        "estimators_",
        "estimators_samples_",
        "oob_score_",
        "oob_decision_function_",
    )

    def __init__(
        self,
        n_estimators=100,
        *,
        model="hyperboloid",
        curvature=-1.0,
        time_axis=0,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features="sqrt",
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=False,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        class_weight=None,
        ccp_alpha=0.0,
        max_samples=None,
        monotonic_cst=None,
    ):
        self._store(locals())


class HyperbolicExtraTreesRegressor(
    LeafMethods, AxialComposition, RegressorMixin, BaseEstimator
):
    """Predict numbers at points of hyperbolic space by extremely randomised trees [1]_.

    Splits are totally geodesic hyperplanes perpendicular to the axes, drawn uniformly
    in geodesic length, the best of the axes tried. The ensemble is scikit-learn's on
    `geolearn.preprocessing.AxialCoordinates`.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    HyperbolicHistGradientBoostingRegressor : Boosted trees, often more accurate.
    geolearn.tree.HyperbolicDecisionTreeRegressor : A single tree.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
       Learning 63, 2006, doi:10.1007/s10994-006-6226-1, here on axial coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.ensemble import HyperbolicExtraTreesRegressor
    >>> from geolearn.manifolds import Hyperboloid
    >>> X = Hyperboloid(2).random_point(200, random_state=0)
    >>> y = np.tanh(X[:, 1])
    >>> model = HyperbolicExtraTreesRegressor(n_estimators=20, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    """

    _wrapped = ExtraTreesRegressor
    _family = "forest"
    _delegated = (
        "n_outputs_",
        "feature_importances_",
        "estimators_",
        "estimators_samples_",
        "oob_score_",
        "oob_prediction_",
    )

    def __init__(
        self,
        n_estimators=100,
        *,
        model="hyperboloid",
        curvature=-1.0,
        time_axis=0,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=1.0,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=False,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        ccp_alpha=0.0,
        max_samples=None,
        monotonic_cst=None,
    ):
        self._store(locals())
