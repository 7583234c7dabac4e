"""The kernel perceptron on products of spaces of constant curvature."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from geolearn.manifolds._signature import (
    check_signature,
    component_columns,
    product_space,
)
from geolearn.utils._sklearn import Interval, _fit_context
from geolearn.utils.validation import check_points, check_positive, check_sample_weight

# Relative distance from the space that rounding of float32 or float64 may cause.
_SINGLE, _DOUBLE = 1e-3, 1e-6

_BLOCK = 2048  # rows of the kernel matrix that are made at a time for new samples


def _is_single(X):
    return getattr(X, "dtype", None) == np.float32


def _unit_parts(X, signature):
    """Return the coordinates of each component in the unit model."""
    columns = component_columns(signature)
    return [
        X[:, start:stop] * (abs(curvature) ** 0.5 if curvature else 1.0)
        for (curvature, _), (start, stop) in zip(signature, columns, strict=True)
    ]


def _largest_norms(parts):
    """Return the largest Euclidean norm of the points of each component."""
    return [float(np.linalg.norm(part, axis=1).max()) for part in parts]


def _kernel(parts, others, signature, weights, norms):
    """Return the kernel matrix 1 + sum_c w_c k_c of points in the unit model."""
    total = np.ones((len(parts[0]), len(others[0])))
    rows = zip(signature, parts, others, weights, norms, strict=True)
    for (curvature, _), x, y, weight, rho in rows:
        if curvature < 0.0:
            product = x[:, 1:] @ y[:, 1:].T - x[:, :1] * y[:, 0]
            k = np.arcsinh(product / rho**2)
        elif curvature > 0.0:
            k = np.arcsin(np.clip(x @ y.T, -1.0, 1.0))
        else:
            k = x @ y.T
        total += weight * k
    return total


def _train(K, sign, weight, max_iter, patience):
    """Return the coefficients of the best epoch, its errors and the epochs run.

    In an epoch, every misclassified sample adds its weight to its coefficient.
    """
    alpha = np.zeros(len(sign))
    best, fewest, since = alpha, np.inf, 0
    for epoch in range(max_iter + 1):
        wrong = sign * (K @ (alpha * sign)) <= 0.0
        errors = float(weight[wrong].sum())
        since += 1
        if errors < fewest:
            best, fewest, since = alpha, errors, 0
        if epoch == max_iter or errors == 0.0 or since >= patience:
            break
        alpha = alpha + np.where(wrong, weight, 0.0)
    return best * sign, fewest, epoch


class ProductSpacePerceptron(ClassifierMixin, BaseEstimator):
    """Classify points of a product space by a kernel perceptron [1]_.

    With the points of each component in the unit model, the kernel is
    ``1 + sum_c w_c k_c(x, y)``: ``<x, y>`` in flat space, ``arcsin <x, y>`` on a
    sphere, and ``arsinh(<x, y>_L / rho^2)`` on a hyperboloid, <., .>_L the Lorentz
    product and rho the largest Euclidean norm of the training points. The last one
    is not positive definite, so that training need not end without errors. There is
    one perceptron for each class against the others, or one for two classes.

    In an epoch, all misclassified samples are counted once more. Training ends
    without errors, when their number has not fallen for `patience` epochs, or after
    `max_iter` epochs; the epoch with the fewest errors is kept.

    Parameters
    ----------
    signature : sequence of (curvature, dim) pairs
        Components: negative curvature is a hyperboloid and positive curvature a
        sphere, of dim + 1 columns each; zero is flat space of dim columns.
    weights : array-like of shape (n_components,) or None, default=None
        Positive weights w of the components; None takes ones.
    max_iter : int, default=1000
        Largest number of epochs.
    patience : int, default=5
        Number of epochs without fewer errors after which training ends.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    dual_coef_ : ndarray of shape (n_problems, n_kept)
        Signed coefficients of the training samples; one row for two classes.
    support_points_ : ndarray of shape (n_kept, n_features)
        Training samples with a coefficient that is not zero.
    n_iter_ : int
        Largest number of epochs of a problem.
    n_features_in_ : int
        Number of columns seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if `X` had names that are all strings.

    See Also
    --------
    geolearn.tree.ProductSpaceDecisionTreeClassifier : Trees on such points.

    References
    ----------
    .. [1] P. Tabaghi, C. Pan, E. Chien, J. Peng, O. Milenković, "Linear classifiers
       in product space forms", 2021, arXiv:2102.10204.

    Examples
    --------
    >>> from geolearn.datasets import make_product_mixture
    >>> from geolearn.linear_model import ProductSpacePerceptron
    >>> signature = [(-1.0, 2), (1.0, 2)]
    >>> X, y = make_product_mixture(signature, 200, random_state=0)
    >>> perceptron = ProductSpacePerceptron(signature, patience=100)
    >>> perceptron.fit(X, y).score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "signature": ["array-like", None],
        "weights": ["array-like", None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, signature=None, *, weights=None, max_iter=1000, patience=5):
        self.signature = signature
        self.weights = weights
        self.max_iter = max_iter
        self.patience = patience

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Train on labelled points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points; the coordinates of the components stand side by side.
        y : array-like of shape (n_samples,)
            Labels, of at least two classes.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights; an integer weight is that many equal samples.

        Returns
        -------
        ProductSpacePerceptron
            The fitted estimator.

        Raises
        ------
        ValueError
            If the signature does not fit the columns, points are off their space,
            there is only one class, or a weight is not allowed.
        """
        single = _is_single(X)
        X, y = validate_data(self, X, y, dtype=np.float64, order="C")
        check_classification_targets(y)
        self._define_features(X.shape[1])
        X = self._features(X, single)
        weight = np.ones(len(X))
        if sample_weight is not None:  # as given: integers add up without rounding
            check_sample_weight(sample_weight, len(X))
            weight = np.asarray(sample_weight, dtype=np.float64)
        counts = weight > 0.0
        X, weight = X[counts], weight[counts]
        self.classes_, codes = np.unique(np.asarray(y)[counts], return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has {len(self.classes_)} class with positive weight; a perceptron "
                f"separates at least 2 classes."
            )
        parts = _unit_parts(X, self._signature)
        self._norms = _largest_norms(parts)
        K = self._kernel_of(parts, parts)
        positive = range(len(self.classes_)) if len(self.classes_) > 2 else [1]
        fits = [
            _train(
                K,
                np.where(codes == k, 1.0, -1.0),
                weight,
                self.max_iter,
                self.patience,
            )
            for k in positive
        ]
        coefficients = np.array([fit[0] for fit in fits])
        kept = np.any(coefficients != 0.0, axis=0)
        self.dual_coef_ = np.ascontiguousarray(coefficients[:, kept])
        self.support_points_ = X[kept]
        self.n_iter_ = max(fit[2] for fit in fits)
        return self

    def decision_function(self, X):
        """Return the signed scores of points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Score of each class against the others; for two classes that of
            ``classes_[1]``.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If points are off their space or the number of columns differs.
        """
        check_is_fitted(self)
        single = _is_single(X)
        X = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        X = self._features(X, single)
        support = _unit_parts(self.support_points_, self._signature)
        scores = np.empty((X.shape[0], len(self.dual_coef_)))
        for start in range(0, X.shape[0], _BLOCK):
            rows = slice(start, start + _BLOCK)
            parts = _unit_parts(X[rows], self._signature)
            scores[rows] = self._kernel_of(parts, support) @ self.dual_coef_.T
        return scores if len(self.classes_) > 2 else scores[:, 0]

    def predict(self, X):
        """Return the labels of the highest scores.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If points are off their space or the number of columns differs.
        """
        scores = self.decision_function(X)
        best = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0.0) * 1
        return self.classes_[best]

    def _features(self, X, single):
        """Return validated rows as points of the product space; a hook."""
        atol = _SINGLE if single else _DOUBLE
        return check_points(self._manifold, X, atol=atol)

    def _define_features(self, n_columns):
        """Assign the components and their weights; a hook."""
        self._signature = check_signature(self.signature, n_columns)
        self._manifold = product_space(self._signature)
        n_components = len(self._signature)
        weights = np.ones(n_components) if self.weights is None else self.weights
        self._weights = [check_positive(w, "each of weights") for w in weights]
        if len(self._weights) != n_components:
            raise ValueError(
                f"weights has {len(self._weights)} values, but signature has "
                f"{n_components} components; pass one for each."
            )

    def _kernel_of(self, parts, others):
        return _kernel(parts, others, self._signature, self._weights, self._norms)
