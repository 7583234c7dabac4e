"""Random forests on products of spaces of constant curvature."""

from typing import ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import r2_score

from geolearn.ensemble._product_forest_base import ProductSpaceForest
from geolearn.tree import (
    ProductSpaceDecisionTreeClassifier,
    ProductSpaceDecisionTreeRegressor,
)
from geolearn.tree.builder import ClassTargets, NumberTargets, log_probabilities
from geolearn.utils._sklearn import StrOptions, _fit_context

__all__ = ["ProductSpaceRandomForestClassifier", "ProductSpaceRandomForestRegressor"]


def mean_accuracy(truth, guess):
    """Return the share of right labels, over all outputs."""
    return float(np.mean(truth == guess))


class ProductSpaceRandomForestClassifier(
    ClassTargets, ClassifierMixin, ProductSpaceForest
):
    """Classify points of a product of curved spaces by a random forest [1]_.

    Trees are `geolearn.tree.ProductSpaceDecisionTreeClassifier`, grown on bootstrap
    samples; predictions are the mean of their class frequencies. Features are
    sorted once for all trees.

    Parameters
    ----------
    signature : sequence of (curvature, dim) pairs
        Components in the order of the columns of `X`: hyperboloids (negative
        curvature) and spheres (positive) of dim + 1 columns, flat spaces (zero) of
        dim columns, e.g. ``[(-1.0, 2), (0.0, 3), (1.0, 2)]``.
    n_estimators : int, default=100
        Number of trees.
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
    max_features : int, float, {"sqrt", "log2"} or None, default="sqrt"
        Number of features, not constant in the node, tried at a split; a float is
        a share of all and None takes all.
    max_leaf_nodes : int or None, default=None
        Largest number of leaves; if given, the split of largest gain comes first.
    min_impurity_decrease : float, default=0.0
        Least gain of a split, weighted by the share of samples at the node.
    bootstrap : bool, default=True
        Whether each tree sees a sample drawn with replacement, or all.
    max_samples : int, float or None, default=None
        Size of bootstrap samples, or its share of n_samples; None draws n_samples.
    oob_score : bool or callable, default=False
        Whether to score samples by the trees that have not seen them; a callable
        ``score(y_true, y_pred)`` replaces the accuracy,
        which is averaged over outputs.
    class_weight : dict, list, "balanced", "balanced_subsample" or None, default=None
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
        Draws bootstrap samples and features. Pass an int for reproducible results.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.
    verbose : int, default=0
        1 reports the forest, 2 every tree.
    warm_start : bool, default=False
        Whether another `fit` adds trees to those there are.

    Attributes
    ----------
    estimators_ : list of ProductSpaceDecisionTreeClassifier
        Trees.
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
        Mean impurity decrease of each feature, summing to one.
    oob_score_ : float
        Score of the out-of-bag predictions, if `oob_score`.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes[, n_outputs])
        Out-of-bag class frequencies, NaN for samples that every tree has seen.
    n_features_in_ : int
        Number of columns of `X`.

    See Also
    --------
    ProductSpaceRandomForestRegressor : The same for numbers.

    Notes
    -----
    Bootstrap samples are integer weights; `sample_weight` multiplies them, and does
    not change what is drawn. Features are drawn at every node, as in scikit-learn;
    the reference draws them once a tree.

    References
    ----------
    .. [1] P. Chlenski, Q. Chu, R. Khan, K. Du, A. Moretti, I. Pe'er,
       "Mixed-curvature decision trees and random forests", ICML 2025,
       arXiv:2410.13879.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.ensemble import ProductSpaceRandomForestClassifier
    >>> from geolearn.manifolds import Hyperboloid
    >>> X = Hyperboloid(2).random_point(200, random_state=0)
    >>> y = X[:, 1] > 0.0
    >>> forest = ProductSpaceRandomForestClassifier(
    ...     [(-1.0, 2)], n_estimators=20, oob_score=True, random_state=0
    ... ).fit(X, y)
    >>> round(forest.oob_score_, 2)
    0.99
    """

    _tree_class = ProductSpaceDecisionTreeClassifier
    _default_score = staticmethod(mean_accuracy)
    _parameter_constraints: ClassVar[dict] = {
        **ProductSpaceForest._parameter_constraints,
        "criterion": [StrOptions({"gini", "entropy", "log_loss"})],
        "class_weight": [
            dict,
            list,
            StrOptions({"balanced", "balanced_subsample"}),
            None,
        ],
    }

    def __init__(
        self,
        signature=None,
        n_estimators=100,
        *,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features="sqrt",
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=True,
        max_samples=None,
        oob_score=False,
        class_weight=None,
        ccp_alpha=0.0,
        planes="axis",
        special_dims=False,
        random_state=None,
        n_jobs=None,
        verbose=0,
        warm_start=False,
    ):
        self.signature = signature
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.planes = planes
        self.special_dims = special_dims
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Grow the trees.

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
        ProductSpaceRandomForestClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If the signature does not fit the columns, points are off their space,
            weights are negative or all zero, or parameters contradict each other.

        Warns
        -----
        UserWarning
            If out-of-bag predictions are wanted and a sample is in every bootstrap
            sample, or a warm start grows nothing.
        """
        return self._fit(X, y, sample_weight)

    def predict(self, X):
        """Return the class of the largest mean frequency.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        """
        Z = self._read_points(X)
        return self._labels(self._average(Z))

    def predict_proba(self, X):
        """Return the mean class frequencies in the leaves of each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or list of such
            Probabilities in the order of `classes_`, a list for several outputs.
        """
        Z = self._read_points(X)
        return self._probabilities(self._average(Z))

    def predict_log_proba(self, X):
        """Return the logarithms of the mean class frequencies.

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

    def _out_of_bag(self, shares, y, known):
        values = np.moveaxis(shares, 1, 2)
        one = self.n_outputs_ == 1
        self.oob_decision_function_ = values[:, :, 0] if one else values
        guess = self._labels(shares[known])
        return (y[known, 0] if one else y[known]), guess


class ProductSpaceRandomForestRegressor(
    NumberTargets, RegressorMixin, ProductSpaceForest
):
    """Predict numbers on a product of curved spaces by a random forest [1]_.

    Trees are `geolearn.tree.ProductSpaceDecisionTreeRegressor`, grown on bootstrap
    samples; predictions are the mean of theirs. Features are sorted once for all
    trees.

    Parameters
    ----------
    signature : sequence of (curvature, dim) pairs
        Components in the order of the columns of `X`: hyperboloids (negative
        curvature) and spheres (positive) of dim + 1 columns, flat spaces (zero) of
        dim columns, e.g. ``[(-1.0, 2), (0.0, 3), (1.0, 2)]``.
    n_estimators : int, default=100
        Number of trees.
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
    max_features : int, float, {"sqrt", "log2"} or None, default=1.0
        Number of features, not constant in the node, tried at a split; a float is
        a share of all and None takes all.
    max_leaf_nodes : int or None, default=None
        Largest number of leaves; if given, the split of largest gain comes first.
    min_impurity_decrease : float, default=0.0
        Least gain of a split, weighted by the share of samples at the node.
    bootstrap : bool, default=True
        Whether each tree sees a sample drawn with replacement, or all.
    max_samples : int, float or None, default=None
        Size of bootstrap samples, or its share of n_samples; None draws n_samples.
    oob_score : bool or callable, default=False
        Whether to score samples by the trees that have not seen them; a callable
        ``score(y_true, y_pred)`` replaces the coefficient of determination.
    ccp_alpha : float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    planes : {"axis", "all"}, default="axis"
        "all" adds splits by hyperplanes that contain the origin of a component (the
        pole of a sphere) and separate by the angle in the plane of two axes.
    special_dims : bool, default=False
        Add the first column of curved components as a coordinate: its thresholds
        are balls around the origin, which are not geodesic.
    random_state : int, RandomState instance or None, default=None
        Draws bootstrap samples and features. Pass an int for reproducible results.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.
    verbose : int, default=0
        1 reports the forest, 2 every tree.
    warm_start : bool, default=False
        Whether another `fit` adds trees to those there are.

    Attributes
    ----------
    estimators_ : list of ProductSpaceDecisionTreeRegressor
        Trees.
    split_features_ : SplitFeatures
        Arrays ``component, base, axis, circular`` that describe the features
        which splits may use.
    n_outputs_ : int
        Number of outputs.
    max_features_ : int
        Number of features tried at a split.
    feature_importances_ : ndarray of shape (n_split_features,)
        Mean impurity decrease of each feature, summing to one.
    oob_score_ : float
        Score of the out-of-bag predictions, if `oob_score`.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Out-of-bag predictions, NaN for samples that every tree has seen.
    n_features_in_ : int
        Number of columns of `X`.

    See Also
    --------
    ProductSpaceRandomForestClassifier : The same for classes.

    References
    ----------
    .. [1] P. Chlenski, Q. Chu, R. Khan, K. Du, A. Moretti, I. Pe'er,
       "Mixed-curvature decision trees and random forests", ICML 2025,
       arXiv:2410.13879.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.ensemble import ProductSpaceRandomForestRegressor
    >>> from geolearn.manifolds import Sphere
    >>> X = Sphere(2).random_point(500, random_state=0)
    >>> y = X[:, 1] - X[:, 2]
    >>> forest = ProductSpaceRandomForestRegressor([(1.0, 2)], random_state=0)
    >>> bool(forest.fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.97)
    True
    """

    _tree_class = ProductSpaceDecisionTreeRegressor
    _default_score = staticmethod(r2_score)
    _parameter_constraints: ClassVar[dict] = {
        **ProductSpaceForest._parameter_constraints,
        "criterion": [StrOptions({"squared_error"})],
    }

    def __init__(
        self,
        signature=None,
        n_estimators=100,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=1.0,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=True,
        max_samples=None,
        oob_score=False,
        ccp_alpha=0.0,
        planes="axis",
        special_dims=False,
        random_state=None,
        n_jobs=None,
        verbose=0,
        warm_start=False,
    ):
        self.signature = signature
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.ccp_alpha = ccp_alpha
        self.planes = planes
        self.special_dims = special_dims
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Grow the trees.

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
        ProductSpaceRandomForestRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the signature does not fit the columns, points are off their space,
            weights are negative or all zero, or parameters contradict each other.

        Warns
        -----
        UserWarning
            If out-of-bag predictions are wanted and a sample is in every bootstrap
            sample, or a warm start grows nothing.
        """
        return self._fit(X, y, sample_weight)

    def predict(self, X):
        """Return the mean prediction of the trees.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Means.
        """
        Z = self._read_points(X)
        return self._numbers(self._average(Z))

    def _out_of_bag(self, means, y, known):
        self.oob_prediction_ = self._numbers(means)
        return self._numbers(y[known][:, :, None]), self._numbers(means[known])
