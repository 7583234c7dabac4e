"""Hyperbolic decision trees: scikit-learn's trees on axial coordinates."""

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import check_is_fitted

from geolearn.preprocessing.composition import (
    AxialComposition,
    LeafMethods,
    ProbabilityMethods,
)

__all__ = ["HyperbolicDecisionTreeClassifier", "HyperbolicDecisionTreeRegressor"]


class _TreeMethods(LeafMethods):
    """Give a composition what single trees have."""

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        """Return the values of `ccp_alpha` at which the tree changes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all alike.

        Returns
        -------
        Bunch
            ``ccp_alphas``, increasing from 0, and ``impurities``, the total impurity
            of the leaves after pruning with each.
        """
        fresh = clone(self)
        Z, _ = fresh._training_features(X)
        return fresh._inner().cost_complexity_pruning_path(Z, y, sample_weight)

    def get_depth(self):
        """Return the number of splits on the longest way to a leaf.

        Returns
        -------
        int
            Depth.
        """
        check_is_fitted(self)
        return self.estimator_.get_depth()

    def get_n_leaves(self):
        """Return the number of leaves.

        Returns
        -------
        int
            Number of leaves.
        """
        check_is_fitted(self)
        return self.estimator_.get_n_leaves()


class HyperbolicDecisionTreeClassifier(
    ProbabilityMethods, _TreeMethods, AxialComposition, ClassifierMixin, BaseEstimator
):
    """Classify points of hyperbolic space by a decision tree [1]_.

    Every split is a totally geodesic hyperplane perpendicular to a coordinate axis,
    at the geodesic midpoint of two training points. The tree is scikit-learn's on
    `geolearn.preprocessing.AxialCoordinates`, and keeps all of its features: pruning,
    missing values, weights of samples and classes, several outputs, monotonic
    constraints.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    geolearn.ensemble.HyperbolicRandomForestClassifier : Many such trees.
    geolearn.tree.ProductSpaceDecisionTreeClassifier : The same on products of spaces.

    References
    ----------
    .. [1] P. Chlenski, E. Turok, A. Moretti, I. Pe'er, "Fast hyperboloid decision
       tree algorithms", ICLR 2024, arXiv:2310.13841. Splits and midpoints are those
       of the paper; everything else is scikit-learn's.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.tree import HyperbolicDecisionTreeClassifier
    >>> from geolearn.manifolds import Hyperboloid
    >>> X = Hyperboloid(2).random_point(200, random_state=0)
    >>> y = X[:, 1] > X[:, 2]
    >>> model = HyperbolicDecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    >>> int(model.get_n_leaves())
    4
    >>> node, axis, t, angle, normal = model.split_hyperplanes_()[0]
    >>> node, axis, normal.shape
    (0, 0, (3,))
    """

    _wrapped = DecisionTreeClassifier
    _family = "tree"
    _delegated = (
        "classes_",
        "n_classes_",
        "n_outputs_",
        "max_features_",
        "feature_importances_",
        "tree_",
    )

    def __init__(
        self,
        *,
        model="hyperboloid",
        curvature=-1.0,
        time_axis=0,
        criterion="gini",
        splitter="best",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        class_weight=None,
        ccp_alpha=0.0,
        monotonic_cst=None,
    ):
        self._store(locals())


class HyperbolicDecisionTreeRegressor(
    _TreeMethods, AxialComposition, RegressorMixin, BaseEstimator
):
    """Predict numbers at points of hyperbolic space by a decision tree [1]_.

    Every split is a totally geodesic hyperplane perpendicular to a coordinate axis,
    at the geodesic midpoint of two training points. The tree is scikit-learn's on
    `geolearn.preprocessing.AxialCoordinates`, and keeps all of its features: pruning,
    missing values, weights of samples, several outputs, monotonic
    constraints.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    geolearn.ensemble.HyperbolicRandomForestRegressor : Many such trees.
    geolearn.tree.ProductSpaceDecisionTreeRegressor : The same on products of spaces.

    References
    ----------
    .. [1] P. Chlenski, E. Turok, A. Moretti, I. Pe'er, "Fast hyperboloid decision
       tree algorithms", ICLR 2024, arXiv:2310.13841. Splits and midpoints are those
       of the paper; everything else is scikit-learn's.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.tree import HyperbolicDecisionTreeRegressor
    >>> from geolearn.manifolds import Hyperboloid
    >>> X = Hyperboloid(2).random_point(200, random_state=0)
    >>> y = np.tanh(X[:, 1])
    >>> model = HyperbolicDecisionTreeRegressor(max_depth=3, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _wrapped = DecisionTreeRegressor
    _family = "tree"
    _delegated = ("n_outputs_", "max_features_", "feature_importances_", "tree_")

    def __init__(
        self,
        *,
        model="hyperboloid",
        curvature=-1.0,
        time_axis=0,
        criterion="squared_error",
        splitter="best",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        ccp_alpha=0.0,
        monotonic_cst=None,
    ):
        self._store(locals())
