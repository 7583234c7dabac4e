"""Hyperbolic points, and a disguise in which scikit-learn can check estimators.

scikit-learn's checks make arbitrary tables, whose rows are not hyperbolic points.
`disguise` returns a copy of an estimator, of a test-only subclass, that lifts each
row to the hyperboloid by its axial coordinates. The lift is a bijection of rows and
points, so that what a check knows about rows holds for the points.
"""

import functools
import inspect

import numpy as np
from sklearn.utils.validation import validate_data

# Methods whose first argument is X.
_METHODS = (
    "fit",
    "fit_transform",
    "transform",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "apply",
    "decision_path",
    "cost_complexity_pruning_path",
)


def make_points(n_samples=200, dim=3, *, seed=0, radius=2.0, curvature=-1.0):
    """Return points of the hyperboloid in random directions, up to a radius."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(n_samples, dim))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    r = radius * rng.uniform(size=(n_samples, 1))
    return np.hstack([np.cosh(r), np.sinh(r) * direction]) / np.sqrt(-curvature)


def make_labels(X, n_classes=3, *, seed=0):
    """Return noisy labels that follow the first and the last spatial column."""
    rng = np.random.default_rng(seed)
    score = X[:, 1] + np.abs(X[:, -1]) + 0.3 * rng.normal(size=len(X))
    return np.digitize(score, np.quantile(score, np.arange(1, n_classes) / n_classes))


def lift(rows):
    """Return hyperboloid points whose spatial columns are the rows, NaN included."""
    rows = np.asarray(rows, dtype=np.float64)
    unit = np.maximum(np.nanmax(np.abs(rows), axis=1, initial=1.0), 1.0)[:, None]
    square = np.nansum((rows / unit) ** 2, axis=1, keepdims=True)
    return np.hstack([unit * np.sqrt(unit**-2.0 + square), rows])


def disguise(estimator):
    """Return a copy of an estimator that takes rows of scikit-learn's checks."""
    cls = _disguised_class(type(estimator))
    return cls(**estimator.get_params(deep=False))


@functools.cache
def _disguised_class(cls):
    body = {
        "__doc__": f"{cls.__name__} of lifted rows.",
        "__module__": __name__,
        **{m: _lifting(cls, m) for m in _METHODS if hasattr(cls, m)},
    }
    if hasattr(cls, "inverse_transform"):
        body["inverse_transform"] = _lowering(cls)
    lifted = type(f"Lifted{cls.__name__}", (cls,), body)
    globals()[lifted.__name__] = lifted  # pickle looks the class up here
    return lifted


def _lowering(cls):
    def inverse_transform(self, X):
        """Return the rows that were lifted to points."""
        self.n_features_in_ += 1
        try:
            return cls.inverse_transform(self, X)[:, 1:]
        finally:
            self.n_features_in_ -= 1

    return inverse_transform


def _lifting(cls, name):
    method = getattr(cls, name)
    if name in ("transform", "fit_transform"):  # the heir is wrapped for set_output
        method = inspect.getattr_static(cls, name)
        method = getattr(method, "__wrapped__", method)

    @functools.wraps(method)
    def lifting(self, X, *args, **kwargs):
        if vars(self).get("_lifting"):  # a call from within
            return method(self, X, *args, **kwargs)
        fits = name.startswith("fit")
        tags = self.__sklearn_tags__()
        if not fits and tags.requires_fit and not hasattr(self, "estimator_"):
            return method(self, X, *args, **kwargs)  # says that it is not fitted
        finite = "allow-nan" if tags.input_tags.allow_nan else True
        rows = validate_data(
            self, X, reset=fits, dtype=np.float64, ensure_all_finite=finite
        )
        # The lifted points have another number of columns, without names.
        names = self.__dict__.pop("feature_names_in_", None)
        if hasattr(self, "n_features_in_"):
            self.n_features_in_ += 1
        self._lifting = True
        try:
            return method(self, lift(rows), *args, **kwargs)
        finally:
            del self._lifting
            if hasattr(self, "n_features_in_"):
                self.n_features_in_ -= 1
            if names is not None:
                self.feature_names_in_ = names

    return lifting
