"""Data for 3-D estimators, and a disguise in which scikit-learn can check them.

scikit-learn's checks make 2-D data. `disguise` returns a copy of an estimator, of
a test-only subclass, that takes such data: its methods validate rows as
scikit-learn expects, lift each row to a matrix or to a trial, and go on. The lift is
smooth and injective, so what a check knows about rows (order, subsets, weights,
classes) holds for the lifted samples.
"""

import functools
import inspect

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from tests.covariance.estimators import MATRIX_ESTIMATORS, TRIAL_ESTIMATORS

N_CLASSES = 2

# Methods whose first argument is X.
_METHODS = (
    "fit",
    "partial_fit",
    "fit_transform",
    "fit_predict",
    "transform",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "score",
    "kneighbors",
)
_LIFTED_TIMES = 240


def kind_of(estimator):
    """Return "matrices" or "trials", by the list that holds the class."""
    if any(type(estimator) is type(e) for e in MATRIX_ESTIMATORS):
        return "matrices"
    assert any(type(estimator) is type(e) for e in TRIAL_ESTIMATORS)
    return "trials"


def make_matrices(n_samples=30, n=4, *, seed=0, spread=0.4):
    """Return SPD matrices of two classes and their labels, alternating."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % N_CLASSES
    E = rng.normal(size=(n_samples, n, n))
    L = np.eye(n) + spread * np.tril(E) / np.sqrt(n)
    L[:, 0, 0] *= np.where(y == 0, 1.0, 2.0)
    return L @ np.swapaxes(L, 1, 2), y


def make_trials(n_samples=24, n_channels=3, n_times=120, *, seed=0):
    """Return autocorrelated trials of two classes, and their labels, alternating."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % N_CLASSES
    e = rng.normal(size=(n_samples, n_channels, n_times + 20))
    X = np.zeros_like(e)
    phi = np.where(y == 0, 0.3, 0.7)[:, None]
    for t in range(1, e.shape[2]):
        X[:, :, t] = phi * X[:, :, t - 1] + e[:, :, t]
    mixing = np.eye(n_channels) + 0.3 * rng.normal(size=(n_channels, n_channels))
    return np.ascontiguousarray(mixing @ X[:, :, 20:]), y


def make_data(estimator, **options):
    """Return samples of the kind that an estimator takes, and labels."""
    make = make_matrices if kind_of(estimator) == "matrices" else make_trials
    return make(**options)


def lift_to_matrices(rows):
    """Return diag(exp(arcsinh(x))) for each row x, positive for x of any size."""
    return np.exp(np.arcsinh(rows))[:, :, None] * np.eye(rows.shape[1])


def lift_to_trials(rows):
    """Return one noisy carrier a feature, of amplitude exp(arcsinh(x) / 2).

    The second half of the trial is smoother for larger x, so that temporal
    statistics depend on the row too. The carriers are the same in every call.
    """
    noise = np.random.default_rng(0).normal(size=(rows.shape[1], _LIFTED_TIMES))
    smooth = np.apply_along_axis(np.convolve, 1, noise, np.ones(4) / 4.0, mode="same")
    share = 0.5 + np.arctan(rows)[:, :, None] / np.pi
    carriers = (1.0 - share) * noise + share * smooth
    return np.exp(0.5 * np.arcsinh(rows))[:, :, None] * carriers


def disguise(estimator, kind=None):
    """Return a copy of an estimator that takes rows of scikit-learn's checks."""
    cls = _disguised_class(type(estimator), kind or kind_of(estimator))
    return cls(**estimator.get_params(deep=False))


@functools.cache
def _disguised_class(cls, kind):
    lift = lift_to_matrices if kind == "matrices" else lift_to_trials
    name = f"Lifted{cls.__name__}"
    body = {
        "__doc__": f"{cls.__name__} of lifted rows.",
        "__module__": __name__,
        "__sklearn_tags__": _two_dimensional(cls),
        **{m: _lifting(cls, m, lift) for m in _METHODS if hasattr(cls, m)},
    }
    # Outputs with three axes declare auto_wrap_output_keys=None; so must heirs.
    wrapped = getattr(cls, "_sklearn_auto_wrap_output_keys", ())
    options = {} if wrapped else {"auto_wrap_output_keys": None}
    if not hasattr(cls, "_sklearn_auto_wrap_output_keys"):
        options = {}
    lifted = type(name, (cls,), body, **options)
    globals()[name] = lifted  # pickle looks the class up here
    return lifted


def _two_dimensional(cls):
    def __sklearn_tags__(self):
        tags = cls.__sklearn_tags__(self)
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = False
        return tags

    return __sklearn_tags__


def _lifting(cls, name, lift):
    method = getattr(cls, name)
    condition = getattr(inspect.getattr_static(cls, name), "check", None)
    if condition is not None:  # a method under `available_if`
        method = inspect.getattr_static(cls, name).fn
    if name in ("transform", "fit_transform"):  # the heir is wrapped for set_output
        method = getattr(method, "__wrapped__", method)

    @functools.wraps(method)
    def lifting(self, X, *args, **kwargs):
        if isinstance(X, np.ndarray) and X.ndim == 3:  # a call from within
            return method(self, X, *args, **kwargs)
        fits = name.startswith("fit")
        fits |= name == "partial_fit" and not hasattr(self, "n_features_in_")
        rows = validate_data(self, X, reset=fits, dtype=[np.float64, np.float32])
        # The lifted samples have no names, of which the inner call would warn.
        names = self.__dict__.pop("feature_names_in_", None)
        try:
            return method(self, lift(rows).astype(rows.dtype), *args, **kwargs)
        finally:
            if names is not None:
                self.feature_names_in_ = names

    return lifting if condition is None else available_if(condition)(lifting)
