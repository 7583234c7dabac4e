"""For authors: hyperbolic estimators made of scikit-learn's.

A class that names a scikit-learn estimator of tables and lists its parameters
becomes that estimator on axial coordinates, with points in and predictions out.
"""

import functools
import inspect
import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from geolearn.preprocessing._axial_coordinates import (
    GEOMETRY_CONSTRAINTS,
    axial_features,
)
from geolearn.preprocessing._composition_docs import write_docstring
from geolearn.utils._sklearn import _fit_context
from geolearn.utils._small_data import KnownParameters, validate_table

__all__ = [
    "AxialComposition",
    "LeafMethods",
    "ProbabilityMethods",
    "SplitHyperplane",
]

# scikit-learn's trees take values closer than 1e-7 for equal and hold them in
# single precision; outside of these sizes features are scaled by a power of two.
_SMALL, _LARGE = 1e-3, 1e30


class SplitHyperplane(NamedTuple):
    """Describe a split of a tree as a totally geodesic hyperplane.

    Points x go to the left child where the Lorentz product <normal, x> is not
    positive, which is where their axial coordinate is at most the threshold.

    Attributes
    ----------
    node : int
        Number of the node in its tree.
    axis : int
        Axis that the hyperplane is perpendicular to, counted from 0 among the
        spatial columns.
    threshold : float
        Axial coordinate t of the hyperplane, a geodesic length.
    angle : float
        Angle with cotangent tanh(t / R), in [pi / 4, 3 pi / 4], as used in the
        paper on hyperboloid trees.
    normal : ndarray of shape (dim + 1,)
        Normal vector of Lorentz length one: sinh(t / R) in the time coordinate and
        cosh(t / R) along the axis. Columns are those of hyperboloid data, with time
        at `time_axis`, and time first for the other models.
    """

    node: int
    axis: int
    threshold: float
    angle: float
    normal: np.ndarray


class _Delegated:
    """Read an attribute of the fitted estimator."""

    def __init__(self, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        if "estimator_" not in vars(instance):
            raise AttributeError(
                f"{type(instance).__name__} has {self.name!r} only after fit."
            )
        return getattr(instance.estimator_, self.name)


@functools.cache
def _parameter_names(cls):
    return tuple(inspect.signature(cls).parameters)


class AxialComposition(KnownParameters):
    """Run a scikit-learn estimator on the axial coordinates of hyperbolic points.

    A derived class sets ``_wrapped``, the class of the estimator, and ``_delegated``,
    the names of its fitted attributes, and has an ``__init__`` that lists `model`,
    `curvature`, `time_axis` and the parameters of the wrapped class and stores them
    with ``self._store(locals())``. In its docstring, "{parameters}" and
    "{attributes}" are filled from a table if it sets ``_family``.

    See Also
    --------
    geolearn.preprocessing.AxialCoordinates : The same as a step of a pipeline.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, RegressorMixin
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from geolearn.preprocessing.composition import AxialComposition
    >>> class HyperbolicNeighbors(AxialComposition, RegressorMixin, BaseEstimator):
    ...     _wrapped = KNeighborsRegressor
    ...
    ...     def __init__(
    ...         self, *, model="hyperboloid", curvature=-1.0, time_axis=0, n_neighbors=5
    ...     ):
    ...         self._store(locals())
    >>> model = HyperbolicNeighbors(model="klein", n_neighbors=1)
    >>> model.fit([[0.0], [0.5]], [1.0, 2.0]).predict([[0.4]]).tolist()
    [2.0]
    """

    _wrapped: ClassVar[Any]
    _delegated: ClassVar[tuple[str, ...]] = ()
    _family: ClassVar[str] = ""
    _parameter_constraints: ClassVar[dict]
    model: str
    curvature: float
    time_axis: int

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "_wrapped" not in vars(cls):
            return
        constraints = getattr(cls._wrapped, "_parameter_constraints", {})
        own = _parameter_names(cls)
        cls._parameter_constraints = {
            **{name: constraints[name] for name in own if name in constraints},
            **GEOMETRY_CONSTRAINTS,
        }
        for name in cls._delegated:
            setattr(cls, name, _Delegated(name))
        if cls._family:
            kind = "classifier" if is_classifier(cls._wrapped()) else "regressor"
            write_docstring(cls, (cls._family, kind), cls._delegated)

    def _store(self, parameters):
        """Store the arguments of the constructor, given as its ``locals()``."""
        for name, value in parameters.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def _inner(self):
        """Return the wrapped estimator with the parameters of this one."""
        names = _parameter_names(self._wrapped)
        own = (name for name in names if hasattr(self, name))
        return self._wrapped(**{name: getattr(self, name) for name in own})

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = self._inner().__sklearn_tags__()
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.target_tags = inner.target_tags
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        tags.non_deterministic = inner.non_deterministic
        return tags

    def _features(self, X, *, reset):
        """Validate points and return their axial coordinates."""
        allow_nan = self.__sklearn_tags__().input_tags.allow_nan
        X = validate_table(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            order="C",
            ensure_all_finite="allow-nan" if allow_nan else True,
        )
        return axial_features(self, X)

    def _training_features(self, X, scale=None):
        """Return the features of training points and the factor in them."""
        Z = self._features(X, reset=True)
        scale = _scale_of(Z) if scale is None else scale
        return Z if scale == 1.0 else Z * scale, scale

    def _new_features(self, X):
        """Return the features of points after `fit`, as the estimator knows them."""
        check_is_fitted(self)
        Z = self._features(X, reset=False)
        return Z if self.feature_scale_ == 1.0 else Z * self.feature_scale_

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the estimator to hyperbolic points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; boosting takes one output.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all alike.

        Returns
        -------
        AxialComposition
            The fitted estimator.

        Raises
        ------
        ValueError
            If points are off the model, infinite, or NaN where the wrapped
            estimator does not take missing values.
        """
        again = getattr(self, "warm_start", False) and hasattr(self, "estimator_")
        inner = self._inner()
        Z, scale = self._training_features(X, self.feature_scale_ if again else None)
        if again:
            inner = self.estimator_.set_params(**inner.get_params(deep=False))
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.estimator_ = inner.fit(Z, y, **weight)
        self.feature_scale_ = scale
        return self

    def predict(self, X):
        """Predict the targets of points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers.
        """
        Z = self._new_features(X)
        return self.estimator_.predict(Z)

    def split_hyperplanes_(self):
        """Return the splits of the fitted trees as geodesic hyperplanes.

        Returns
        -------
        list of SplitHyperplane
            A named tuple (node, axis, threshold, angle, normal) for each split, in the
            order of the nodes. For ensembles a list of such lists, one for each tree.
            Splits that only set missing values apart are left out.
        """
        check_is_fitted(self)
        tables = [self._hyperplanes(*table) for table in _split_tables(self.estimator_)]
        return tables[0] if hasattr(self.estimator_, "tree_") else tables

    def _hyperplanes(self, nodes, axes, thresholds):
        radius = 1.0 / math.sqrt(-self.curvature)
        hyperboloid = self.model == "hyperboloid"
        n_columns = self.n_features_in_ + (0 if hyperboloid else 1)
        time = self.time_axis % n_columns if hyperboloid else 0
        finite = np.isfinite(thresholds)
        thresholds = thresholds[finite] / self.feature_scale_
        axes = axes[finite].astype(np.intp)
        normals = np.zeros((axes.size, n_columns))
        normals[:, time] = np.sinh(thresholds / radius)
        columns = np.delete(np.arange(n_columns), time)[axes]
        normals[np.arange(axes.size), columns] = np.cosh(thresholds / radius)
        angles = np.arctan2(1.0, np.tanh(thresholds / radius))
        rows = zip(
            nodes[finite].tolist(),
            axes.tolist(),
            thresholds.tolist(),
            angles.tolist(),
            normals,
            strict=True,
        )
        return [SplitHyperplane(*row) for row in rows]


def _scale_of(Z):
    """Return the power of two that brings features to a size that trees resolve."""
    largest = float(np.nanmax(np.abs(Z), initial=0.0))
    if largest == 0.0 or _SMALL <= largest <= _LARGE:
        return 1.0
    return 2.0 ** min(-math.frexp(largest)[1], 1000)


def _split_tables(estimator):
    """Yield the split nodes of each tree, their features and thresholds."""
    if hasattr(estimator, "_predictors"):  # histogram boosting has no public view
        for trees in estimator._predictors:
            for nodes in (tree.nodes for tree in trees):
                split = (nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)
                chosen = np.flatnonzero(split)
                table = nodes[chosen]
                yield chosen, table["feature_idx"], table["num_threshold"]
        return
    members = [estimator] if hasattr(estimator, "tree_") else estimator.estimators_
    for tree in (member.tree_ for member in members):
        chosen = np.flatnonzero(tree.children_left >= 0)
        yield chosen, tree.feature[chosen], tree.threshold[chosen]


class ProbabilityMethods:
    """Give a composition the probabilities of classes."""

    _new_features: Any
    estimator_: Any

    def predict_proba(self, X):
        """Return probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or list of such
            Probabilities in the order of `classes_`, a list for several outputs.
        """
        Z = self._new_features(X)
        return self._of_classes(self.estimator_.predict_proba(Z))

    def _of_classes(self, proba):
        """Drop the second column that boosting gives a single class."""
        if isinstance(proba, list) or proba.shape[1] <= len(self.estimator_.classes_):
            return proba
        return np.ones((len(proba), 1))

    def predict_log_proba(self, X):
        """Return logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or list of such
            Logarithms, minus infinity where a class has no probability.
        """
        proba = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            if isinstance(proba, list):
                return [np.log(p) for p in proba]
            return np.log(proba)


class LeafMethods:
    """Give a composition the ways of points through its trees."""

    _new_features: Any
    estimator_: Any

    def apply(self, X):
        """Return the leaves that points reach.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.

        Returns
        -------
        ndarray of int of shape (n_samples,) or (n_samples, n_estimators)
            Numbers of nodes, of a forest in each tree.
        """
        Z = self._new_features(X)
        return self.estimator_.apply(Z)

    def decision_path(self, X):
        """Return the nodes that points visit.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.

        Returns
        -------
        sparse matrix of shape (n_samples, n_nodes) or tuple
            Ones where a point visits a node, in CSR format. Of a forest a tuple: this
            matrix for the nodes of all trees side by side, and the columns at which
            the trees start.
        """
        Z = self._new_features(X)
        return self.estimator_.decision_path(Z)
