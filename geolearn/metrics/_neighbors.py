"""Exact nearest rows in bounded memory."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from geolearn.metrics import _candidates, _drivers
from geolearn.metrics._pairwise import blocks
from geolearn.metrics._resolve import KernelMetric, ManifoldMetric, resolve_metric
from geolearn.utils._memory import allocate

_BLOCK_MIB = 64


def kneighbors(
    X,
    Y=None,
    n_neighbors: int = 5,
    metric: Any = "euclidean",
    *,
    metric_params: Mapping[str, Any] | None = None,
    n_jobs: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find for each row of `X` its nearest rows of `Y`, exactly.

    The result is that of sorting all distances (computed in float64 by the metric's
    kernel), ties by index, whatever the size of the input and the number of threads.
    The memory beyond the result is at most some 64 MiB, or one row of distances.

    Parameters
    ----------
    X : array-like of shape (n_x, n_columns)
        Points whose neighbours are wanted, finite.
    Y : array-like of shape (n_y, n_columns), default=None
        Points among which they are searched. None searches `X` itself and leaves each
        row out of its own list (the row with its index: duplicates of it are found).
    n_neighbors : int, default=5
        Number of neighbours k, at most ``n_y``, or ``n_x - 1`` for ``Y=None``.
    metric : str, manifold or callable, default="euclidean"
        As in `pairwise_distances`.
    metric_params : dict, default=None
        Parameters of the metric.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. Small inputs run on one. The
        result does not depend on it.

    Returns
    -------
    distances : ndarray of shape (n_x, n_neighbors)
        Distances in ascending order, float64.
    indices : ndarray of shape (n_x, n_neighbors)
        Rows of `Y`; equal distances are in the order of their indices.

    Raises
    ------
    ValueError
        If `n_neighbors` is out of its range, a row is not a point of the metric's
        space, a parameter is out of its range, or the metric is unknown.
    TypeError
        If `n_neighbors` is not an integer, or `metric` is neither a name, a manifold
        nor a callable.
    MemoryError
        If the result does not fit in the available memory.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import kneighbors
    >>> distances, indices = kneighbors(np.array([[0.0], [1.0], [3.0]]), n_neighbors=1)
    >>> indices.ravel(), distances.ravel()
    (array([1, 0, 1]), array([1., 1., 2.]))
    """
    options = {"metric_params": metric_params, "n_jobs": n_jobs}
    return find_neighbors(X, Y, n_neighbors, metric, **options)[:2]


def find_neighbors(
    X, Y, n_neighbors, metric, *, metric_params=None, with_volume=False, n_jobs=None
):
    """Find neighbours as `kneighbors`, with log volume densities where they are free.

    Parameters
    ----------
    X : array-like of shape (n_x, n_columns)
        As in `kneighbors`.
    Y : array-like of shape (n_y, n_columns) or None
        As in `kneighbors`.
    n_neighbors : int
        As in `kneighbors`.
    metric : str, manifold or callable
        As in `kneighbors`.
    metric_params : dict, default=None
        As in `kneighbors`.
    with_volume : bool, default=False
        Whether log volume densities are wanted.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    distances : ndarray of shape (n_x, n_neighbors)
        As `kneighbors`.
    indices : ndarray of shape (n_x, n_neighbors)
        As `kneighbors`.
    log_volume : ndarray of shape (n_x, n_neighbors) or (0, 0)
        Log volume densities, if wanted and a by-product of the search.
    """
    resolved = resolve_metric(metric, metric_params)
    X, Y = resolved.validate(X, Y)
    n_x = X.shape[0]
    n_y = n_x if Y is None else Y.shape[0]
    _check_n_neighbors(n_neighbors, n_y, Y is None)
    if isinstance(resolved, ManifoldMetric) and hasattr(resolved.manifold, "_nearest"):
        nearest = resolved.manifold._nearest(X, Y, n_neighbors, with_volume, n_jobs)
        if nearest is not None:
            return nearest
    remedy = "Lower n_neighbors, or search the rows of X in parts."
    distances = allocate((n_x, n_neighbors), "kneighbors", remedy)
    indices = np.empty((n_x, n_neighbors), dtype=np.intp)
    # The row that is left out of each list; -1 leaves out none.
    skip = np.arange(n_x, dtype=np.intp) if Y is None else np.full(n_x, -1, np.intp)
    if isinstance(resolved, KernelMetric):
        others = X if Y is None else Y
        _candidates.nearest(resolved, X, others, skip, distances, indices, n_jobs)
    else:
        for part, block in blocks(resolved, X, Y, _BLOCK_MIB, n_jobs):
            _drivers.select(block, skip[part], distances[part], indices[part])
    return distances, indices, np.empty((0, 0))


def _check_n_neighbors(n_neighbors, n_y, within):
    if not isinstance(n_neighbors, Integral) or isinstance(n_neighbors, bool):
        raise TypeError(f"n_neighbors={n_neighbors!r} must be an integer.")
    most = n_y - 1 if within else n_y
    if not 1 <= n_neighbors <= most:
        where = f"the {n_y} rows of X less the row itself" if within else f"{n_y} rows"
        raise ValueError(
            f"n_neighbors={n_neighbors} must lie between 1 and {most} ({where}); lower "
            "n_neighbors or give more rows."
        )
