"""Hyperbolic random forests: scikit-learn's on axial coordinates."""

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
)

from geolearn.preprocessing.composition import (
    AxialComposition,
    LeafMethods,
    ProbabilityMethods,
)

__all__ = [
    "HyperbolicRandomForestClassifier",
    "HyperbolicRandomForestRegressor",
]


class HyperbolicRandomForestClassifier(
    ProbabilityMethods, LeafMethods, AxialComposition, ClassifierMixin, BaseEstimator
):
    """Classify points of hyperbolic space by a random forest [1]_, [2]_.

    The trees are hyperbolic decision trees: splits are totally geodesic hyperplanes
    perpendicular to the axes, at geodesic midpoints. The forest is scikit-learn's on
    `geolearn.preprocessing.AxialCoordinates`: bootstrap samples, axes drawn at each
    split, predictions averaged over trees.

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
    .. [1] P. Chlenski, E. Turok, A. Moretti, I. Pe'er, "Fast hyperboloid decision
       tree algorithms", ICLR 2024, arXiv:2310.13841. Its forests try all axes at
       each split and vote; these are scikit-learn's.
    .. [2] P. Chlenski, I. Pe'er, "Even faster hyperbolic random forests: a
       Beltrami-Klein wrapper approach", 2025, arXiv:2506.04360.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.ensemble import HyperbolicRandomForestClassifier
    >>> from geolearn.manifolds import Hyperboloid
    >>> X = Hyperboloid(2).random_point(200, random_state=0)
    >>> y = X[:, 1] > X[:, 2]
    >>> model = HyperbolicRandomForestClassifier(n_estimators=20, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    """

    _wrapped = RandomForestClassifier
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
        bootstrap=True,
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


class HyperbolicRandomForestRegressor(
    LeafMethods, AxialComposition, RegressorMixin, BaseEstimator
):
    """Predict numbers at points of hyperbolic space by a random forest [1]_, [2]_.

    The trees are hyperbolic decision trees: splits are totally geodesic hyperplanes
    perpendicular to the axes, at geodesic midpoints. The forest is scikit-learn's on
    `geolearn.preprocessing.AxialCoordinates`: bootstrap samples, axes drawn at each
    split, predictions averaged over trees.

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
    .. [1] P. Chlenski, E. Turok, A. Moretti, I. Pe'er, "Fast hyperboloid decision
       tree algorithms", ICLR 2024, arXiv:2310.13841. Its forests try all axes at
       each split and vote; these are scikit-learn's.
    .. [2] P. Chlenski, I. Pe'er, "Even faster hyperbolic random forests: a
       Beltrami-Klein wrapper approach", 2025, arXiv:2506.04360.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.ensemble import HyperbolicRandomForestRegressor
    >>> from geolearn.manifolds import Hyperboloid
    >>> X = Hyperboloid(2).random_point(200, random_state=0)
    >>> y = np.tanh(X[:, 1])
    >>> model = HyperbolicRandomForestRegressor(n_estimators=20, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    """

    _wrapped = RandomForestRegressor
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
        bootstrap=True,
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
