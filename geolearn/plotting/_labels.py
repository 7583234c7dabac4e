"""What labels mean for the colours: categories, a continuous scale, or missing."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

_MAX_INTEGER_CATEGORIES = 20  # more distinct whole numbers read as a scale
_KINDS = ("auto", "categorical", "continuous")


@dataclass
class Labels:
    """Labels of the points, ready to be coloured.

    Exactly one of `codes` and `values` is set; both are None without labels.
    """

    name: str | None = None
    categories: list[Any] = field(default_factory=list)
    codes: np.ndarray | None = None  # (n,) positions in categories, -1 missing
    values: np.ndarray | None = None  # (n,) float64, NaN missing


def read_labels(labels, n_samples: int, kind: str = "auto") -> Labels:
    """Sort labels into categories or take them as numbers.

    Parameters
    ----------
    labels : array-like of shape (n_samples,) or None
        Labels; None, NaN, NaT and infinities are missing.
    n_samples : int
        Number of points.
    kind : {"auto", "categorical", "continuous"}, default="auto"
        "auto" takes numbers as continuous, unless they are whole and have at
        most 20 distinct values; everything else is categorical.

    Returns
    -------
    Labels
        The labels read.

    Raises
    ------
    ValueError
        If the labels do not fit the points, or are not numbers and `kind` is
        "continuous".
    """
    if kind not in _KINDS:
        raise ValueError(f"kind={kind!r} must be one of {list(_KINDS)}.")
    if labels is None:
        return Labels()
    name = getattr(labels, "name", None)
    name = None if name is None else str(name)
    order = _category_order(labels)
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.shape[0] != n_samples:
        raise ValueError(
            f"labels have shape {array.shape}, but the embedding has {n_samples} "
            f"points; pass one label for each point, shape ({n_samples},)."
        )
    ordered = order is not None and kind != "continuous"
    values = None if ordered else _as_numbers(array)
    if kind == "continuous" and values is None:
        raise ValueError(
            f"kind='continuous' needs labels that are numbers, not of type "
            f"{array.dtype}; use kind='categorical' or convert them."
        )
    if kind == "categorical" or values is None or _few_whole(values, kind):
        categories, codes = _as_categories(array, order)
        return Labels(name, categories, codes=codes)
    return Labels(name, values=values)


def _category_order(labels):
    """Categories of a pandas Categorical or of a Series of them, else None."""
    categories = getattr(getattr(labels, "dtype", None), "categories", None)
    if categories is None or not hasattr(categories, "__array__"):
        return None
    return list(categories)


def _as_numbers(array):
    """Return the array as float64 with NaN where missing, None if not numeric."""
    if array.dtype.kind not in "iufO":
        return None
    if array.dtype.kind == "O":
        missing = _missing(array)
        numeric = (int, float, np.integer, np.floating)
        for label in array[~missing]:
            if isinstance(label, bool) or not isinstance(label, numeric):
                return None
        if missing.all():
            return None
        array = np.where(missing, np.nan, array)
    values = array.astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _few_whole(values, kind):
    if kind == "continuous":
        return False
    present = values[~np.isnan(values)]
    whole = not np.any(present != np.floor(present))
    return whole and np.unique(present).size <= _MAX_INTEGER_CATEGORIES


def _missing(array):
    """Return where labels are None, NaN, NaT, NA or infinite."""
    if array.dtype.kind == "f":
        return ~np.isfinite(array)
    if array.dtype.kind in "mM":
        return np.isnat(array)
    if array.dtype.kind != "O":
        return np.zeros(array.shape, dtype=bool)
    return np.fromiter((_is_missing(x) for x in array), dtype=bool, count=array.size)


def _is_missing(label):
    if label is None:
        return True
    if isinstance(label, float | np.floating):
        return not np.isfinite(label)
    # pandas' NA refuses to be a truth value; NaT differs from itself.
    return type(label).__name__ in ("NAType", "NaTType") or (
        isinstance(label, np.datetime64) and np.isnat(label)
    )


def _as_categories(array, order):
    """Return the sorted categories that occur and the code of each label."""
    missing = _missing(array)
    codes = np.full(array.shape, -1, dtype=np.intp)
    if array.dtype.kind != "O" and order is None:
        distinct, codes[~missing] = np.unique(array[~missing], return_inverse=True)
        return [_plain(label) for label in distinct], codes
    present = [_plain(label) for label in array[~missing]]
    distinct = set(present)
    if order is not None:
        categories = [c for c in map(_plain, order) if c in distinct]
    else:
        try:
            categories = sorted(distinct)
        except TypeError:  # a mixture, such as numbers and strings
            categories = sorted(distinct, key=lambda c: (type(c).__name__, str(c)))
    position = {category: code for code, category in enumerate(categories)}
    codes[~missing] = [position[label] for label in present]
    return categories, codes


def _plain(label):
    """Return a NumPy scalar as the Python value, a whole float as an integer."""
    if isinstance(label, np.datetime64 | np.timedelta64):
        return label
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, float) and label.is_integer():
        return int(label)
    return label
