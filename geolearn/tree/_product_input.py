"""What product-space trees and forests do before and after growing."""

import math
import threading
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from geolearn.manifolds._signature import check_signature
from geolearn.tree._builder import ENTROPY, GINI, SQUARES, Limits
from geolearn.tree._product_features import (
    check_components,
    features_of,
    split_features,
)
from geolearn.utils._sklearn import Interval, RealNotInt, StrOptions
from geolearn.utils._small_data import KnownParameters, validate_table

_CRITERIA = {
    "gini": GINI,
    "entropy": ENTROPY,
    "log_loss": ENTROPY,
    "squared_error": SQUARES,
}
_UNLIMITED = 2**31 - 1
_LARGEST = 1e100  # of weights and targets, and its inverse the smallest


class Target(NamedTuple):
    """Hold targets as the builder takes them.

    Attributes
    ----------
    codes : ndarray of int of shape (n_samples, n_outputs)
        Columns of the class weights of a node; empty for regression.
    y : ndarray of shape (n_samples, n_outputs)
        Targets of regression; empty for classes.
    n_columns : int
        Numbers that a node stores.
    """

    codes: np.ndarray
    y: np.ndarray
    n_columns: int


def random_seed(rng):
    """Draw the seed of one tree.

    Parameters
    ----------
    rng : RandomState
        Source of randomness.

    Returns
    -------
    int
        At least 1 and below 2^31 - 1.
    """
    return int(rng.randint(1, _UNLIMITED))


_reused = threading.local()


def seed_of(random_state):
    """Draw the seed of one tree from the parameter `random_state`.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Source of randomness.

    Returns
    -------
    int
        What `random_seed` returns for ``check_random_state(random_state)``.
    """
    if not isinstance(random_state, Integral):
        return random_seed(check_random_state(random_state))
    # A new generator asks the system for entropy before it takes the seed.
    if not hasattr(_reused, "rng"):
        _reused.rng = np.random.RandomState(0)
    _reused.rng.seed(random_state)
    return random_seed(_reused.rng)


class ProductSpaceInput(KnownParameters):
    """Turn points into features, and parameters into limits of growth."""

    _parameter_constraints: ClassVar[dict] = {
        "signature": ["array-like", None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_split": [
            Interval(Integral, 2, None, closed="left"),
            Interval(RealNotInt, 0.0, 1.0, closed="right"),
        ],
        "min_samples_leaf": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0.0, 1.0, closed="neither"),
        ],
        "min_weight_fraction_leaf": [Interval(Real, 0.0, 0.5, closed="both")],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0.0, 1.0, closed="right"),
            StrOptions({"sqrt", "log2"}),
            None,
        ],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "min_impurity_decrease": [Interval(Real, 0.0, None, closed="left")],
        "ccp_alpha": [Interval(Real, 0.0, None, closed="left")],
        "planes": [StrOptions({"axis", "all"})],
        "special_dims": ["boolean"],
        "random_state": ["random_state"],
    }
    signature: Any
    planes: str
    special_dims: bool

    def _features(self, X, single):
        """Return the features of validated rows; a hook."""
        check_components(X, self._components, single)
        return features_of(X, self._components, self.split_features_)

    def _define_features(self, n_columns):
        """Assign the components and their features; a hook."""
        self._components = check_signature(self.signature, n_columns)
        self.split_features_ = split_features(
            self._components, self.planes, self.special_dims
        )

    def _read_training(self, X, y):
        """Validate both and return features and targets of shape (n, n_outputs)."""
        single = _is_single(X)
        if sparse.issparse(y):
            raise TypeError(
                "Sparse data was passed for y, but dense targets are required; pass "
                "y.toarray()."
            )
        X, y = validate_table(
            self, X, y, dtype=np.float64, order="C", multi_output=True
        )
        if y.ndim == 2 and y.shape[1] == 1:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please "
                "change the shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=4,
            )
        self._define_features(X.shape[1])
        y = y.reshape(len(y), -1)
        self.n_outputs_ = y.shape[1]
        return self._features(X, single), y

    def _read_points(self, X):
        """Validate points to predict at and return their features."""
        check_is_fitted(self)
        single = _is_single(X)
        X = validate_table(self, X, dtype=np.float64, order="C", reset=False)
        return self._features(X, single)

    def _limits(self, n, weight):
        """Return the limits of growth for n samples of given weights."""
        split, leaf = self.min_samples_split, self.min_samples_leaf
        if not isinstance(split, Integral):
            split = max(2, math.ceil(split * n))
        if not isinstance(leaf, Integral):
            leaf = math.ceil(leaf * n)
        total = float(weight.sum())
        return Limits(
            _UNLIMITED if self.max_depth is None else int(self.max_depth),
            int(split),
            int(leaf),
            float(self.min_weight_fraction_leaf * total),
            float(self.min_impurity_decrease),
            self._max_features(),
            0 if self.max_leaf_nodes is None else int(self.max_leaf_nodes),
            total,
        )

    def _max_features(self):
        n_features, wanted = len(self.split_features_.axis), self.max_features
        if wanted is None:
            return n_features
        if wanted == "sqrt":
            return max(1, int(math.sqrt(n_features)))
        if wanted == "log2":
            return max(1, int(math.log2(n_features)))
        if isinstance(wanted, Integral):
            return min(int(wanted), n_features)
        return max(1, int(wanted * n_features))

    def _read_weight(self, sample_weight, X):
        """Return sample weights, ones if None."""
        if sample_weight is None:
            return np.ones(len(X))
        weight = np.array(sample_weight, dtype=np.float64)
        if weight.shape != (len(X),):
            raise ValueError(
                f"sample_weight must have shape ({len(X)},), one weight a sample, got "
                f"{weight.shape}."
            )
        _check_weights(weight, "sample_weight")
        if not np.any(weight > 0.0):
            raise ValueError(
                "sample_weight is zero for every sample; give at least one a weight."
            )
        return weight

    def _criterion(self):
        return _CRITERIA[self.criterion]


class ClassTargets:
    """Encode classes, and decode frequencies."""

    criterion: str
    class_weight: Any
    n_outputs_: int

    def _encode(self, y):
        """Store the classes of each output and return their codes."""
        self.classes_, codes = [], np.empty(y.shape, np.int32)
        for o in range(self.n_outputs_):
            classes, codes[:, o] = _classes_and_codes(y[:, o])
            self.classes_.append(classes)
        if y.dtype.kind not in "biu":  # which are classes anyway
            check_classification_targets(y)
        counts = [len(classes) for classes in self.classes_]
        self.n_classes_ = counts
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        codes += self._starts[:-1].astype(np.int32)
        if self.n_outputs_ == 1:
            self.classes_, self.n_classes_ = self.classes_[0], counts[0]
        return Target(codes, np.empty((0, 0)), int(self._starts[-1]))

    def _weigh_classes(self, weight, y, class_weight):
        """Return sample weights times class weights."""
        if class_weight is None:
            return weight
        if self.n_outputs_ == 1:
            y = y[:, 0]
        weight = weight * compute_sample_weight(class_weight, y)
        _check_weights(weight, "class_weight (times sample_weight)")
        if not np.any(weight > 0.0):
            raise ValueError(
                "The product of sample_weight and class_weight is zero for every "
                "sample; give at least one class present in y a weight."
            )
        return weight

    def _shape_values(self, value):
        """Return frequencies (n_nodes, n_outputs, n_values) from class weights."""
        if self.n_outputs_ == 1:
            return (value / value.sum(axis=1, keepdims=True))[:, None, :]
        shares = np.zeros((len(value), self.n_outputs_, max(self.n_classes_)))
        for o in range(self.n_outputs_):
            own = value[:, self._starts[o] : self._starts[o + 1]]
            shares[:, o, : own.shape[1]] = own / own.sum(axis=1, keepdims=True)
        return shares

    def _probabilities(self, shares):
        """Return an array, or one for each output, from (n, n_outputs, n_values)."""
        if self.n_outputs_ == 1:
            return np.ascontiguousarray(shares[:, 0, :])
        return [
            np.ascontiguousarray(shares[:, o, :count])
            for o, count in enumerate(self.n_classes_)
        ]

    def _labels(self, shares):
        """Return the classes of the largest frequencies."""
        winners = np.argmax(shares, axis=2)
        if self.n_outputs_ == 1:
            return self.classes_.take(winners[:, 0])
        columns = [c.take(winners[:, o]) for o, c in enumerate(self.classes_)]
        return np.stack(columns, axis=1)


class NumberTargets:
    """Pass numbers through."""

    criterion: str
    n_outputs_: int

    def _encode(self, y):
        """Return targets of regression."""
        try:
            y = np.ascontiguousarray(y, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"y must hold numbers: {error}") from error
        largest = float(np.abs(y).max())
        if largest > 0.0 and not 1.0 / _LARGEST <= largest <= _LARGEST:
            raise ValueError(
                f"the largest size in y is {largest:g}, and squares would leave the "
                f"range of double precision; divide y by it."
            )
        return Target(np.empty((0, 0), np.int32), y, self.n_outputs_)

    def _weigh_classes(self, weight, y, class_weight):
        """Return the weights; numbers have no classes."""
        return weight

    def _shape_values(self, value):
        """Return means of shape (n_nodes, n_outputs, 1)."""
        return value[:, :, None].copy()

    def _numbers(self, means):
        """Return targets from (n, n_outputs, 1)."""
        return np.ascontiguousarray(
            means[:, 0, 0] if self.n_outputs_ == 1 else means[:, :, 0]
        )


def _classes_and_codes(labels):
    """Return the sorted classes and the place of each label among them."""
    if labels.dtype.kind in "iu":
        low, high = int(labels.min()), int(labels.max())
        span = high - low + 1
        if span <= len(labels) and low > -_UNLIMITED and high < _UNLIMITED:
            offsets = labels.astype(np.intp) - low
            present = np.bincount(offsets, minlength=span) > 0
            classes = (np.flatnonzero(present) + low).astype(labels.dtype)
            return classes, (np.cumsum(present) - 1)[offsets]
    try:
        return np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise TypeError(
            f"y mixes labels that cannot be sorted ({error}); convert all to one type, "
            f"such as str."
        ) from error


def _check_weights(weight, name):
    """Refuse weights that are negative or not finite, or whose squares are not."""
    bad = np.flatnonzero(~(weight >= 0.0) | np.isinf(weight))
    if bad.size:
        raise ValueError(
            f"{name} must be finite and non-negative, but that of sample {bad[0]} is "
            f"{weight[bad[0]]:g}; remove the sample or change its weight."
        )
    largest = float(weight.max())
    if largest > 0.0 and not 1.0 / _LARGEST <= largest <= _LARGEST:
        raise ValueError(
            f"the largest of {name} is {largest:g}, and squares would leave the range "
            f"of double precision; divide all weights by it, which changes no split."
        )


def _is_single(X):
    dtype = getattr(X, "dtype", None)
    if dtype is None:
        dtypes = getattr(X, "dtypes", None)  # of a table
        return dtypes is not None and all(str(d).lower() == "float32" for d in dtypes)
    return dtype == np.float32
