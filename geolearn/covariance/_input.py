"""The door of the estimators of trials and of SPD matrices."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from geolearn.covariance._scan import asymmetry, refuse_asymmetric
from geolearn.manifolds.spd._forms import symmetrise

__all__ = [
    "StackInput",
    "check_labels",
    "check_matrices",
    "check_stack",
    "refuse_not_finite",
]


class StackInput:
    """Declare input of shape (n, p, q): trials or matrices.

    A mixin for estimators; stands before the mixins of scikit-learn.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def check_stack(estimator, X, *, reset, axes, finite=True):
    """Return a contiguous float64 stack, checked for shape, NaN and infinity.

    Parameters
    ----------
    estimator : estimator
        Receives `n_features_in_`, the length of the second axis, if `reset`.
    X : array_like of shape (n_samples, p, q)
        Trials or matrices.
    reset : bool
        Whether to set `n_features_in_`; otherwise it is compared.
    axes : tuple of str
        Names of the three axes for the messages, e.g.
        ``("n_trials", "n_channels", "n_times")``.
    finite : bool, default=True
        Whether to look for NaN and infinity.

    Returns
    -------
    ndarray of shape (n_samples, p, q)
        The data; not a copy if `X` is such an array already.

    Raises
    ------
    ValueError
        If `X` does not have three axes, is empty, or holds NaN or infinity: the
        message names the first bad sample; or if p differs from that of `fit`.
    """
    if isinstance(X, np.ndarray):
        _check_axes(X, axes)  # before the second axis is counted
    X = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=np.float64,
        order="C",
        allow_nd=True,
        ensure_all_finite=False,
    )
    _check_axes(X, axes)
    if min(X.shape) == 0:
        raise ValueError(f"X has shape {X.shape}: every one of {axes} must be >= 1.")
    if finite:
        refuse_not_finite(np.isfinite(X).all(axis=(1, 2)))
    return X


def refuse_not_finite(finite, noun="samples"):
    """Raise unless all samples are finite, and name the first that is not."""
    if not finite.all():
        raise ValueError(
            f"Input X contains NaN or infinity: {int((~finite).sum())} of "
            f"{len(finite)} {noun} do, the first is X[{int(np.argmin(finite))}]. "
            f"Remove or interpolate them first."
        )


def _check_axes(X, axes):
    if X.ndim != 3:
        raise ValueError(
            f"X has shape {X.shape}; expected three axes ({', '.join(axes)}). "
            f"Use X[np.newaxis] for a single sample."
        )


def check_matrices(estimator, X, *, reset):
    """Return a float64 stack of finite, symmetric square matrices.

    Asymmetry up to 1e-8 of the largest entry is removed silently. Positive
    definiteness is checked by the metric that needs it.

    Parameters
    ----------
    estimator : estimator
        As in `check_stack`.
    X : array_like of shape (n_matrices, n, n)
        Matrices.
    reset : bool
        As in `check_stack`.

    Returns
    -------
    ndarray of shape (n_matrices, n, n)
        Exactly symmetric matrices; the input is not modified.

    Raises
    ------
    ValueError
        As `check_stack`, and if the matrices are not square or not symmetric.
    """
    axes = ("n_matrices", "n", "n")
    X = check_stack(estimator, X, reset=reset, axes=axes, finite=False)
    if X.shape[1] != X.shape[2]:
        raise ValueError(
            f"X has shape {X.shape}, but {type(estimator).__name__} needs square "
            f"matrices (n_matrices, n, n). Turn trials into matrices with "
            f"Covariances() or AugmentedCovariances() first."
        )
    off, largest = asymmetry(X)
    refuse_not_finite(~np.isnan(off))
    refuse_asymmetric(off, largest, "X[{}]", "(X + np.swapaxes(X, 1, 2)) / 2")
    return symmetrise(X) if off.any() else X


def check_labels(estimator, X, y):
    """Return the classes and the class of each sample.

    Parameters
    ----------
    estimator : estimator
        Named in the messages.
    X : ndarray of shape (n_samples, ...)
        Samples; only their number matters.
    y : array_like of shape (n_samples,)
        Labels of classes, numbers or strings.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Distinct labels in ascending order.
    codes : ndarray of int of shape (n_samples,)
        Positions of the labels in `classes`.

    Raises
    ------
    ValueError
        If `y` is missing, not a vector of labels, or of another length than `X`.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            f"the target y is None."
        )
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_consistent_length(X, y)
    check_classification_targets(y)
    return np.unique(y, return_inverse=True)
