"""Decision trees by exhaustive search, from the definitions.

Every feature, every threshold, every side is written out by a mask; nothing is
sorted once, updated or shared.
"""

import numpy as np


def features(X, signature):
    """Return a list of (values, is_circular) of axis splits, textbook formulas."""
    result, start = [], 0
    for curvature, dim in signature:
        if curvature == 0.0:
            for d in range(dim):
                result.append((X[:, start + d], False))
            start += dim
            continue
        time, space = X[:, start], X[:, start + 1 : start + dim + 1]
        radius = 1.0 / np.sqrt(abs(curvature))
        for d in range(dim):
            if curvature < 0.0:
                result.append((radius * np.arctanh(space[:, d] / time), False))
            else:
                result.append((np.arctan2(space[:, d], time), True))
        start += dim + 1
    return result


def left_side(values, threshold, circular):
    """Return the mask of {x <= t}, or of the half-circle [t, t + pi)."""
    if not circular:
        return values <= threshold
    return np.mod(values - threshold, 2.0 * np.pi) < np.pi


def thresholds(values, circular):
    """Return the midpoints of the gaps between distinct values."""
    if not circular:
        distinct = np.unique(values)
        return 0.5 * (distinct[1:] + distinct[:-1])
    distinct = np.unique(np.mod(values, np.pi))
    following = np.append(distinct[1:], distinct[0] + np.pi)
    return np.mod(0.5 * (distinct + following), np.pi)


def impurity(y, w, criterion):
    """Return the mean impurity over the columns of y."""
    total = 0.0
    for column in y.T:
        if criterion == "squared_error":
            mean = np.sum(w * column) / w.sum()
            total += np.sum(w * (column - mean) ** 2) / w.sum()
            continue
        p = np.array([w[column == c].sum() for c in np.unique(column)]) / w.sum()
        p = p[p > 0.0]
        total += 1.0 - np.sum(p**2) if criterion == "gini" else -np.sum(p * np.log2(p))
    return total / y.shape[1]


class Tie(Exception):
    """Two splits have the same gain, and the definition does not choose."""


def best_split(columns, y, w, criterion, min_leaf=1, min_weight=0.0):
    """Return (gain, feature, threshold, mask) of the best split, or None."""
    best, second, whole = None, -np.inf, impurity(y, w, criterion)
    for f, (values, circular) in enumerate(columns):
        for threshold in thresholds(values, circular):
            mask = left_side(values, threshold, circular)
            if min(mask.sum(), (~mask).sum()) < min_leaf:
                continue
            if min(w[mask].sum(), w[~mask].sum()) < min_weight:
                continue
            share = w[mask].sum() / w.sum()
            gain = (
                whole
                - share * impurity(y[mask], w[mask], criterion)
                - (1.0 - share) * impurity(y[~mask], w[~mask], criterion)
            )
            if best is None or gain > best[0]:
                second = -np.inf if best is None else best[0]
                best = gain, f, threshold, mask
            else:
                second = max(second, gain)
    if best is not None and best[0] - second < 1e-10:
        raise Tie
    return best


def grow(columns, y, w, criterion, max_depth, min_leaf=1, min_weight=0.0):
    """Return a nested (feature, threshold, rows, left, right) or leaf (rows,)."""
    rows = np.arange(len(y))
    return _grow(columns, y, w, rows, criterion, max_depth, min_leaf, min_weight)


def _grow(columns, y, w, rows, criterion, depth, min_leaf, min_weight):
    if depth == 0 or all(len(np.unique(column)) == 1 for column in y[rows].T):
        return (rows,)
    own = [(values[rows], circular) for values, circular in columns]
    split = best_split(own, y[rows], w[rows], criterion, min_leaf, min_weight)
    if split is None:
        return (rows,)
    _, feature, threshold, mask = split
    return (
        feature,
        threshold,
        rows,
        *(
            _grow(columns, y, w, part, criterion, depth - 1, min_leaf, min_weight)
            for part in (rows[mask], rows[~mask])
        ),
    )
