"""Labelled representations: the classes, their means and their scatter."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from geolearn.diagnostics._spectrum import check_representation


class Classes(NamedTuple):
    """Rows sorted by class.

    Parameters
    ----------
    labels : ndarray of shape (n_classes,)
        Classes.
    rows : list of ndarray
        Rows of each class.
    means : ndarray of shape (n_classes, n_features)
        Mean of each class.
    """

    labels: np.ndarray
    rows: list
    means: np.ndarray


def _check_known(y):
    """Raise if rows have no class, or classes that have no order."""
    if y.dtype.kind not in "fO":
        return
    unknown = [label is None or not _equals(label, label) for label in y]
    if any(unknown):
        row = unknown.index(True)
        raise ValueError(
            f"y[{row}]={y[row]!s} is no class ({sum(unknown)} of {y.size} rows have "
            "none); drop such rows of Z and y."
        )
    kinds = sorted({"str" if isinstance(label, str) else "number" for label in y})
    if len(kinds) > 1:
        raise ValueError(
            "y mixes strings and other labels, which cannot be sorted; pass "
            "np.asarray(y).astype(str)."
        )


def _equals(a, b):
    try:
        return bool(a == b)
    except TypeError:  # the missing value of pandas
        return False


def split_classes(Z, y) -> tuple[np.ndarray, Classes]:
    """Validate a labelled table and split it by class."""
    Z = check_representation(Z)
    y = column_or_1d(y)
    check_consistent_length(Z, y)
    _check_known(y)
    check_classification_targets(y)
    labels, codes = np.unique(y, return_inverse=True)
    if labels.size < 2:
        raise ValueError(
            f"y has {labels.size} class; at least 2 classes are needed to compare."
        )
    order = np.argsort(codes.reshape(-1), kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(codes.reshape(-1)))[:-1])
    means = np.array([Z[own].mean(axis=0) for own in rows])
    return Z, Classes(labels, rows, means)
