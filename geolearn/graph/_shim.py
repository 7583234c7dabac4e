"""Distances until geolearn.metrics provides them (removed then)."""

import numpy as np


def pairwise_distances_blocks(
    X, Y=None, metric="euclidean", *, metric_params=None, block_mib=64, n_jobs=None
):
    from scipy.spatial.distance import cdist

    Y = X if Y is None else Y
    step = max(1, int(block_mib * 2**17 // max(1, Y.shape[0])))
    for start in range(0, X.shape[0], step):
        rows = slice(start, min(start + step, X.shape[0]))
        yield rows, cdist(X[rows], Y, metric, **(metric_params or {}))


def pairwise_distances(X, Y=None, metric="euclidean", **options):
    return np.concatenate(
        [b for _, b in pairwise_distances_blocks(X, Y, metric, **options)]
    )


def kneighbors(
    X, Y=None, n_neighbors=5, metric="euclidean", *, metric_params=None, n_jobs=None
):
    distances = pairwise_distances(X, Y, metric, metric_params=metric_params)
    if Y is None:
        np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    return np.take_along_axis(distances, order, axis=1), order
