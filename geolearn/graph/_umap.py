"""Neighbours in the form that umap-learn takes, in any metric of geolearn."""

from typing import Any

import numpy as np

from geolearn.graph._neighbors import nearest_neighbors
from geolearn.graph._precomputed import is_precomputed
from geolearn.metrics._resolve import resolve_metric


def to_umap_knn(
    X,
    n_neighbors=15,
    *,
    metric="euclidean",
    metric_params=None,
    method="auto",
    search_index=False,
    random_state=None,
    n_jobs=None,
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Compute the neighbours that ``umap.UMAP(precomputed_knn=...)`` takes.

    umap-learn then draws the neighbour graph of any metric of geolearn, Manifold
    instances included, with distances computed in float64.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
        Points, or their distances if `metric` is "precomputed". Pass the same array
        to ``UMAP.fit``.
    n_neighbors : int, default=15
        Number of neighbours as umap-learn counts them, with the sample itself as
        the first. Give UMAP the same number or a smaller one.
    metric : str, callable or Manifold, default="euclidean"
        Distance between rows, as in `geolearn.metrics`, or "precomputed".
    metric_params : dict, default=None
        Further arguments of the metric.
    method : {"auto", "exact", "approximate"}, default="auto"
        Search of the neighbours, see `nearest_neighbors`.
    search_index : bool, default=False
        Whether to build the pynndescent index that ``UMAP.transform`` needs for
        new points. Compiling it takes some seconds for a curved metric.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximate search and the search index.
    n_jobs : int, default=None
        Number of threads; None means 1.

    Returns
    -------
    indices : ndarray of int32 of shape (n_samples, n_neighbors)
        Neighbours in increasing distance, the sample itself first.
    distances : ndarray of shape (n_samples, n_neighbors)
        Their distances, the first column 0.
    search_index : pynndescent.NNDescent or None
        Index for new points. With None umap-learn warns that its `transform` is
        not available.

    Raises
    ------
    ValueError
        If `n_neighbors` is less than 2, or a search index is wanted for precomputed
        distances or for a metric without a compiled kernel.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import to_umap_knn
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.8, 0.6]])
    >>> indices, distances, _ = to_umap_knn(X, 2, metric="sphere")
    >>> indices
    array([[0, 3],
           [1, 3],
           [2, 1],
           [3, 0]], dtype=int32)
    """
    if n_neighbors < 2:
        raise ValueError(
            f"n_neighbors={n_neighbors} counts the sample itself and must be >= 2."
        )
    if search_index and is_precomputed(metric):
        raise ValueError("There is no search index over precomputed distances.")
    distances, indices = nearest_neighbors(
        X,
        n_neighbors - 1,
        metric=metric,
        metric_params=metric_params,
        method=method,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    n = indices.shape[0]
    indices = np.column_stack([np.arange(n), indices]).astype(np.int32)
    distances = np.column_stack([np.zeros(n), distances])
    index = None
    if search_index:
        from geolearn.graph._approximate import build_index

        resolved = resolve_metric(metric, metric_params)
        index = build_index(
            resolved.validate(X, None)[0],
            n_neighbors,
            resolved,
            random_state=random_state,
            n_jobs=n_jobs,
            same_distances=True,
        )
    return indices, distances, index


__all__ = ["to_umap_knn"]
