"""Decision trees on products of spaces of constant curvature."""

from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MultiOutputMixin,
    RegressorMixin,
)
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from geolearn.tree._builder_order import grow_tree, presort
from geolearn.tree._product_input import (
    ClassTargets,
    NumberTargets,
    ProductSpaceInput,
    seed_of,
)
from geolearn.tree._structure import make_tree
from geolearn.tree._structure_pruning import pruned, pruning_path
from geolearn.utils._sklearn import StrOptions, _fit_context

__all__ = ["ProductSpaceDecisionTreeClassifier", "ProductSpaceDecisionTreeRegressor"]


class _ProductSpaceTree(ProductSpaceInput, MultiOutputMixin, BaseEstimator):
    """Grow one tree; share what classifiers and regressors have in common."""

    def _grow(self, X, y, sample_weight, ccp_alpha):
        """Read the data and return the tree."""
        Z, y = self._read_training(X, y)
        target = self._encode(y)
        weight = self._read_weight(sample_weight, Z)
        weight = self._weigh_classes(weight, y, getattr(self, "class_weight", None))
        limits = self._limits(len(Z), weight)
        presorted = presort(
            np.ascontiguousarray(Z.T),
            self.split_features_.circular,
            limits.max_features,
        )
        seed = seed_of(self.random_state)
        return self._make(presorted, target, weight, limits, seed, ccp_alpha)

    def _make(self, presorted, target, weight, limits, seed, ccp_alpha):
        """Grow a tree from sorted features."""
        ints, numbers, value = grow_tree(
            presorted, target, weight, self._criterion(), limits, seed
        )
        tree = make_tree(
            ints,
            numbers,
            self._shape_values(value),
            self.split_features_,
            preorder=limits.max_leaves == 0,
        )
        return pruned(tree, ccp_alpha)

    def _fit(self, X, y, sample_weight):
        self.tree_ = self._grow(X, y, sample_weight, self.ccp_alpha)
        self.max_features_ = self._max_features()
        return self

    def _leaf_values(self, X):
        leaves = self.apply(X)
        return self.tree_.value[leaves]

    def apply(self, X):
        """Return the leaf that each point reaches.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            Numbers of nodes of `tree_`.
        """
        Z = self._read_points(X)
        return self.tree_.apply(Z)

    def decision_path(self, X):
        """Return which nodes each point visits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        sparse matrix of shape (n_samples, n_nodes)
            Ones where a point visits a node, in CSR format.
        """
        Z = self._read_points(X)
        return self.tree_.decision_path(Z)

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        """Return the values of `ccp_alpha` at which the tree changes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.
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
        from sklearn.base import clone

        fresh = clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight)
        costs, risks = pruning_path(fresh.tree_)
        return Bunch(ccp_alphas=costs, impurities=risks)

    def get_depth(self):
        """Return the number of splits on the longest way to a leaf.

        Returns
        -------
        int
            Depth.
        """
        check_is_fitted(self)
        return self.tree_.max_depth

    def get_n_leaves(self):
        """Return the number of leaves.

        Returns
        -------
        int
            Number of leaves.
        """
        check_is_fitted(self)
        return self.tree_.n_leaves

    @property
    def feature_importances_(self):
        """Total impurity decrease of each feature, summing to one."""
        check_is_fitted(self)
        return self.tree_.compute_feature_importances()


class ProductSpaceDecisionTreeClassifier(
    ClassTargets, ClassifierMixin, _ProductSpaceTree
):
    """Classify points of a product of curved spaces by a decision tree [1]_.

    Every split is a totally geodesic hyperplane of one component. In flat components
    it is a threshold of a coordinate; in hyperbolic ones a threshold of an axial
    coordinate, placed half way, in geodesic length, between two training points; on
    spheres a great hypersphere that contains all axes but two, found by a sweep
    around the circle of these.

    Parameters
    ----------
    signature : sequence of (curvature, dim) pairs
        Components in the order of the columns of `X`: hyperboloids (negative
        curvature) and spheres (positive) of dim + 1 columns, flat spaces (zero) of
        dim columns, e.g. ``[(-1.0, 2), (0.0, 3), (1.0, 2)]``.
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        Impurity of a node; the last two are the same, in bits. Several outputs are
        averaged.
    max_depth : int or None, default=None
        Largest number of splits above a leaf; None grows until leaves are pure.
    min_samples_split : int or float, default=2
        Least number of samples of a node that is split; a float is a share of all.
    min_samples_leaf : int or float, default=1
        Least number of samples of a leaf; a float is a share of all.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight of a leaf, in [0, 0.5].
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        Number of features, not constant in the node, tried at a split; a float is
        a share of all and None takes all.
    max_leaf_nodes : int or None, default=None
        Largest number of leaves; if given, the split of largest gain comes first.
    min_impurity_decrease : float, default=0.0
        Least gain of a split, weighted by the share of samples at the node.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of classes, as in scikit-learn.
    ccp_alpha : float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    planes : {"axis", "all"}, default="axis"
        "all" adds splits by hyperplanes that contain the origin of a component (the
        pole of a sphere) and separate by the angle in the plane of two axes.
    special_dims : bool, default=False
        Add the first column of curved components as a coordinate: its thresholds
        are balls around the origin, which are not geodesic.
    random_state : int, RandomState instance or None, default=None
        Orders features, which decides between equal splits and under
        `max_features`. Pass an int for reproducible results.

    Attributes
    ----------
    tree_ : ProductTree
        Nodes as arrays: ``feature, threshold, children_left, children_right,
        impurity, n_node_samples, weighted_n_node_samples, value, component,
        base_axis, axis, circular``.
    split_features_ : SplitFeatures
        Arrays ``component, base, axis, circular`` that describe the features
        which splits may use.
    classes_ : ndarray of shape (n_classes,) or list of such
        Labels in ascending order, a list for several outputs.
    n_classes_ : int or list of int
        Number of classes.
    n_outputs_ : int
        Number of outputs.
    max_features_ : int
        Number of features tried at a split.
    feature_importances_ : ndarray of shape (n_split_features,)
        Total impurity decrease of each feature, summing to one.
    n_features_in_ : int
        Number of columns of `X`.

    See Also
    --------
    ProductSpaceDecisionTreeRegressor : The same for numbers.
    geolearn.ensemble.ProductSpaceRandomForestClassifier : Many such trees.

    Notes
    -----
    Splits follow axes, so that rotations and boosts of a component change the tree;
    centre the data. Points are computed in double precision; points in single
    precision may be off their space by 1e-3 of their size instead of 1e-6.

    References
    ----------
    .. [1] P. Chlenski, Q. Chu, R. Khan, K. Du, A. Moretti, I. Pe'er,
       "Mixed-curvature decision trees and random forests", ICML 2025,
       arXiv:2410.13879. Here spherical thresholds are placed on the circle, and
       tested alike in training and prediction, so that training points keep their
       sides.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.tree import ProductSpaceDecisionTreeClassifier
    >>> angles = np.array([0.3, 1.2, 2.9, -2.9, -1.0, -0.4])
    >>> X = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> y = ["a", "a", "b", "b", "b", "a"]
    >>> circle = ProductSpaceDecisionTreeClassifier([(1.0, 1)], max_depth=1).fit(X, y)
    >>> circle.predict(X).tolist()
    ['a', 'a', 'b', 'b', 'b', 'a']
    >>> float(circle.tree_.threshold[0].round(4))
    2.4416
    """

    _parameter_constraints: ClassVar[dict] = {
        **ProductSpaceInput._parameter_constraints,
        "criterion": [StrOptions({"gini", "entropy", "log_loss"})],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        signature=None,
        *,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        class_weight=None,
        ccp_alpha=0.0,
        planes="axis",
        special_dims=False,
        random_state=None,
    ):
        self.signature = signature
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.planes = planes
        self.special_dims = special_dims
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Grow the tree.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all alike.

        Returns
        -------
        ProductSpaceDecisionTreeClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If the signature does not fit the columns, points are off their space,
            or weights are negative or all zero.
        """
        return self._fit(X, y, sample_weight)

    def predict(self, X):
        """Return the class that is most frequent in the leaf of each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        """
        return self._labels(self._leaf_values(X))

    def predict_proba(self, X):
        """Return the class frequencies in the leaf of each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or list of such
            Probabilities in the order of `classes_`, a list for several outputs.
        """
        return self._probabilities(self._leaf_values(X))

    def predict_log_proba(self, X):
        """Return the logarithms of the class frequencies in the leaves.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or list of such
            Logarithms, minus infinity for absent classes.
        """
        return log_probabilities(self.predict_proba(X))


class ProductSpaceDecisionTreeRegressor(
    NumberTargets, RegressorMixin, _ProductSpaceTree
):
    """Predict numbers on a product of curved spaces by a decision tree [1]_.

    Splits are those of `ProductSpaceDecisionTreeClassifier`; leaves predict means.

    Parameters
    ----------
    signature : sequence of (curvature, dim) pairs
        Components in the order of the columns of `X`: hyperboloids (negative
        curvature) and spheres (positive) of dim + 1 columns, flat spaces (zero) of
        dim columns, e.g. ``[(-1.0, 2), (0.0, 3), (1.0, 2)]``.
    criterion : {"squared_error"}, default="squared_error"
        Impurity of a node, the variance; several outputs are averaged.
    max_depth : int or None, default=None
        Largest number of splits above a leaf; None grows until targets are equal.
    min_samples_split : int or float, default=2
        Least number of samples of a node that is split; a float is a share of all.
    min_samples_leaf : int or float, default=1
        Least number of samples of a leaf; a float is a share of all.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight of a leaf, in [0, 0.5].
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        Number of features, not constant in the node, tried at a split; a float is
        a share of all and None takes all.
    max_leaf_nodes : int or None, default=None
        Largest number of leaves; if given, the split of largest gain comes first.
    min_impurity_decrease : float, default=0.0
        Least gain of a split, weighted by the share of samples at the node.
    ccp_alpha : float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    planes : {"axis", "all"}, default="axis"
        "all" adds splits by hyperplanes that contain the origin of a component (the
        pole of a sphere) and separate by the angle in the plane of two axes.
    special_dims : bool, default=False
        Add the first column of curved components as a coordinate: its thresholds
        are balls around the origin, which are not geodesic.
    random_state : int, RandomState instance or None, default=None
        Orders features, which decides between equal splits and under
        `max_features`. Pass an int for reproducible results.

    Attributes
    ----------
    tree_ : ProductTree
        Nodes as arrays: ``feature, threshold, children_left, children_right,
        impurity, n_node_samples, weighted_n_node_samples, value, component,
        base_axis, axis, circular``.
    split_features_ : SplitFeatures
        Arrays ``component, base, axis, circular`` that describe the features
        which splits may use.
    n_outputs_ : int
        Number of outputs.
    max_features_ : int
        Number of features tried at a split.
    feature_importances_ : ndarray of shape (n_split_features,)
        Total impurity decrease of each feature, summing to one.
    n_features_in_ : int
        Number of columns of `X`.

    See Also
    --------
    ProductSpaceDecisionTreeClassifier : The same for classes.
    geolearn.ensemble.ProductSpaceRandomForestRegressor : Many such trees.

    References
    ----------
    .. [1] P. Chlenski, Q. Chu, R. Khan, K. Du, A. Moretti, I. Pe'er,
       "Mixed-curvature decision trees and random forests", ICML 2025,
       arXiv:2410.13879.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.tree import ProductSpaceDecisionTreeRegressor
    >>> angles = np.array([0.8, -1.4, -2.8, -3.0, 1.9, 2.6, 0.7])
    >>> X = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> y = [0.9, -0.7, -1.3, -0.6, 0.0, -2.3, -0.2]
    >>> circle = ProductSpaceDecisionTreeRegressor([(1.0, 1)], max_depth=1).fit(X, y)
    >>> float(circle.tree_.threshold[0].round(6))
    2.25
    >>> circle.predict(X[:2]).round(6)
    array([ 0.233333, -1.225   ])
    """

    _parameter_constraints: ClassVar[dict] = {
        **ProductSpaceInput._parameter_constraints,
        "criterion": [StrOptions({"squared_error"})],
    }

    def __init__(
        self,
        signature=None,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        ccp_alpha=0.0,
        planes="axis",
        special_dims=False,
        random_state=None,
    ):
        self.signature = signature
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.ccp_alpha = ccp_alpha
        self.planes = planes
        self.special_dims = special_dims
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Grow the tree.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all alike.

        Returns
        -------
        ProductSpaceDecisionTreeRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the signature does not fit the columns, points are off their space,
            or weights are negative or all zero.
        """
        return self._fit(X, y, sample_weight)

    def predict(self, X):
        """Return the mean target in the leaf of each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Means.
        """
        return self._numbers(self._leaf_values(X))


def log_probabilities(probabilities):
    """Return logarithms of probabilities.

    Parameters
    ----------
    probabilities : ndarray or list of ndarray
        Probabilities, a list for several outputs.

    Returns
    -------
    ndarray or list of ndarray
        Logarithms, minus infinity at zero.
    """
    with np.errstate(divide="ignore"):
        if isinstance(probabilities, list):
            return [np.log(p) for p in probabilities]
        return np.log(probabilities)
