"""Sorting once, and the rows of one tree out of the sorted features."""

from typing import NamedTuple

import numpy as np

from geolearn.tree._builder import Limits, Sample, Work, grow
from geolearn.utils._jit import kernel

# Below this share of features tried at a node it is cheaper to sort these than to
# partition all; a sort costs about this many partitions.
SORT_COST = 4.0


class Presorted(NamedTuple):
    """Features of the training samples, and their order."""

    Z: np.ndarray  # (n_features, n_samples)
    circular: np.ndarray  # (n_features,) of bool
    order: np.ndarray  # (n_features, n_samples), empty if not sorted


@kernel(nogil=True)
def _finish(Z, circular, order):
    """Put samples of equal value in order of rows, and mark those that leave."""
    n = order.shape[0]
    start = 0
    for p in range(1, n + 1):
        if p < n and abs_if(Z[order[p]], circular) == abs_if(Z[order[start]], circular):
            continue
        if p - start > 1:
            order[start:p] = np.sort(order[start:p])
        start = p
    if circular:
        for p in range(n):
            if not np.signbit(Z[order[p]]):
                order[p] = ~order[p]


@kernel(nogil=True)
def abs_if(z, circular):
    """Return the value by which a feature is sorted."""
    return abs(z) if circular else z


@kernel(nogil=True)
def _select(Z, circular, order, weight, out_order, out_values):
    """Copy the sorted rows without the samples of weight zero."""
    for f in range(order.shape[0]):
        q = 0
        for p in range(order.shape[1]):
            entry = order[f, p]
            i = entry if entry >= 0 else ~entry
            if weight[i] > 0.0:
                out_order[f, q] = entry
                out_values[f, q] = abs_if(Z[f, i], circular[f])
                q += 1


def presort(Z, circular, max_features):
    """Sort every feature, unless sorting at the nodes is cheaper.

    Parameters
    ----------
    Z : ndarray of shape (n_features, n_samples)
        Features, contiguous.
    circular : ndarray of bool of shape (n_features,)
        Features on circles.
    max_features : int
        Features tried at a node.

    Returns
    -------
    Presorted
        The features and their order.
    """
    n_features, n = Z.shape
    if max_features * SORT_COST < n_features:
        return Presorted(Z, circular, np.empty((0, n), np.int32))
    order = np.empty(Z.shape, np.int32)
    for f in range(n_features):
        order[f] = np.argsort(np.abs(Z[f]) if circular[f] else Z[f])
        _finish(Z[f], circular[f], order[f])
    return Presorted(Z, circular, order)


def _work(presorted, weight, n_columns, seed):
    """Return the scratch arrays of one tree."""
    Z, circular, order = presorted
    n_features = len(Z)
    kept = int(np.count_nonzero(weight))
    rows = len(order) or 1
    own_order = np.empty((rows, kept), np.int32)
    own_values = np.empty((rows, kept))
    if len(order):
        _select(Z, circular, order, weight, own_order, own_values)
    else:
        own_order[0] = np.flatnonzero(weight)
    here = 0 if len(order) else kept
    return Work(
        own_order,
        own_values,
        np.empty(kept, np.int32),
        np.empty(kept),
        np.empty(len(weight), np.int8),
        np.empty(n_columns),
        np.empty(n_columns),
        np.arange(n_features),
        np.array([seed], dtype=np.int64),
        np.empty(here, np.int32),
        np.empty(here),
    )


def grow_tree(presorted, target, weight, criterion, limits, seed):
    """Grow one tree.

    Parameters
    ----------
    presorted : Presorted
        Features.
    target : tuple of (codes, y, n_columns)
        Columns of the class weights, of shape (n_samples, n_outputs), or targets of
        regression; the other is empty. A node stores n_columns numbers.
    weight : ndarray of shape (n_samples,)
        Non-negative weights, not all zero.
    criterion : int
        GINI, ENTROPY or SQUARES.
    limits : Limits
        When to stop.
    seed : int
        At least 1 and below 2^32.

    Returns
    -------
    tuple of ndarray
        Integers, numbers and values of the nodes.
    """
    codes, y, n_columns = target
    unit = bool(weight.min() == 1.0 == weight.max())
    work = _work(presorted, weight, n_columns, seed)
    sample = Sample(presorted.Z, presorted.circular, codes, y, weight, unit, criterion)
    return grow(sample, limits, work, n_columns)


__all__ = ["Limits", "Presorted", "grow_tree", "presort"]
