"""Get the embedded points out of an estimator."""

from typing import Any

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def final_estimator(estimator):
    """Unwrap a search over parameters and take the last step of a pipeline."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def embed(estimator, X=None) -> tuple[Any, Any]:
    """Return the embedded points and the names of their columns, or None.

    Parameters
    ----------
    estimator : estimator object
        Fitted or not, see :meth:`EmbeddingDisplay.from_estimator`.
    X : array-like or None
        Samples to embed; None takes the `embedding_` of the fit.

    Returns
    -------
    embedding : array-like of shape (n_samples, n_columns)
        As the estimator returned it.
    names : ndarray or None
        Names of the output features, where the estimator tells them.

    Raises
    ------
    NotFittedError
        If `X` is None and the estimator is not fitted.
    ValueError
        If the estimator has no `embedding_`, or cannot embed `X`.
    """
    final = final_estimator(estimator)
    label = type(final).__name__
    if X is None:
        check_is_fitted(estimator)
        if not hasattr(final, "embedding_"):
            raise ValueError(f"{label} keeps no embedding_; pass X to be transformed.")
        return final.embedding_, _names(final)
    if is_fitted(estimator):
        if not hasattr(estimator, "transform"):
            raise ValueError(
                f"this fitted {label} has no transform for X; pass X=None to "
                "draw its embedding_, or an unfitted estimator to embed X."
            )
        return estimator.transform(X), _names(estimator)
    fitted = clone(estimator)
    if hasattr(fitted, "fit_transform"):
        return fitted.fit_transform(X), _names(fitted)
    return embed(fitted.fit(X))


def is_fitted(estimator):
    """Tell whether scikit-learn takes the estimator for fitted."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _names(estimator):
    # A pipeline has the method even if one of its steps has not.
    try:
        return estimator.get_feature_names_out()
    except (AttributeError, TypeError, ValueError, NotImplementedError):
        return None
