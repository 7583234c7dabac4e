"""The graph of a heat-geodesic embedding and the way of new points into it."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.sparse.csgraph import connected_components as sparse_components

from geolearn.graph import (
    NeighborIndex,
    alpha_decay_affinity,
    check_affinity,
    connect_components,
    connected_components,
    fuzzy_affinity,
    gaussian_knn_affinity,
    nearest_neighbors,
)
from geolearn.graph._precomputed import is_precomputed

AFFINITIES = ("alpha_decay", "gaussian_knn", "umap", "precomputed")


@dataclass(frozen=True)
class Nodes:
    """Distinct samples: node j is sample ``first[j]``, sample i is node ``of[i]``."""

    first: np.ndarray
    of: np.ndarray

    @property
    def are_samples(self) -> bool:
        """Whether no two samples coincide."""
        return self.first.shape[0] == self.of.shape[0]


@dataclass(frozen=True)
class HeatGraph:
    """A neighbour graph over the nodes, with what new points need."""

    W: csr_array
    n_components: int
    labels: np.ndarray
    bandwidths: np.ndarray | None
    index: NeighborIndex | None


def distinct_nodes(X, *, precomputed: bool, is_affinity: bool = False) -> Nodes:
    """Group samples that coincide: equal rows, or distance 0 if `precomputed`."""
    n = X.shape[0]
    if is_affinity:
        return Nodes(np.arange(n), np.arange(n))
    if precomputed:
        labels = _zero_distance_groups(X)
    else:
        _, labels = np.unique(X, axis=0, return_inverse=True)
        labels = labels.ravel()
    # number the groups by their first sample, so that distinct rows keep their order
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return Nodes(first[order], rank[group.ravel()])


def _zero_distance_groups(D):
    """Label the samples that are at distance 0 from each other."""
    if issparse(D):
        D = csr_array(D)
        rows = np.repeat(np.arange(D.shape[0]), np.diff(D.indptr))
        columns = D.indices
        zero = D.data == 0
        rows, columns = rows[zero], columns[zero]
    else:
        rows, columns = np.nonzero(D == 0)
    pairs = csr_array((np.ones(rows.size), (rows, columns)), shape=D.shape)
    return sparse_components(pairs, directed=False)[1]


def restrict(X, nodes: Nodes, *, pairwise: bool):
    """Keep the first sample of every node."""
    if nodes.are_samples:
        return X
    if pairwise:
        X = X if isinstance(X, np.ndarray) else csr_array(X)
        return X[nodes.first][:, nodes.first]
    return X[nodes.first]


def build_graph(
    X,
    *,
    affinity,
    n_neighbors,
    decay,
    threshold,
    anisotropy,
    metric,
    metric_params,
    knn_method,
    disconnected,
    random_state,
    n_jobs,
) -> HeatGraph:
    """Build the affinity graph of distinct samples and settle its components."""
    search = {
        "metric": metric,
        "metric_params": metric_params,
        "knn_method": knn_method,
        "random_state": random_state,
        "n_jobs": n_jobs,
    }
    bandwidths = None
    if is_precomputed(affinity):
        W = check_affinity(X)
    elif isinstance(affinity, str) and affinity == "alpha_decay":
        W, bandwidths = alpha_decay_affinity(
            X,
            n_neighbors,
            decay=decay,
            threshold=threshold,
            anisotropy=anisotropy,
            **search,
        )
    elif isinstance(affinity, str):
        build = {"gaussian_knn": gaussian_knn_affinity, "umap": fuzzy_affinity}
        W = build[affinity](X, n_neighbors, **search)
    else:
        W = _called_affinity(affinity, X)
    index = None
    if not is_precomputed(affinity):
        index = NeighborIndex.build(X, metric=metric, metric_params=metric_params)
        if bandwidths is None:
            bandwidths = _bandwidths(X, n_neighbors, search)
    n_components, labels = connected_components(W)
    if n_components > 1:
        W, n_components, labels = _settle_components(
            W, labels, X, index, disconnected, metric, metric_params, n_jobs
        )
    return HeatGraph(W, n_components, labels, bandwidths, index)


def _called_affinity(affinity, X):
    W = check_affinity(affinity(X))
    if W.shape[0] != X.shape[0]:
        raise ValueError(
            f"affinity(X) returned a graph of {W.shape[0]} nodes for {X.shape[0]} "
            "distinct samples; it must return one node for each row of its argument."
        )
    return W


def _bandwidths(X, n_neighbors, search):
    """Return the distance of every node to its k-th nearest other node."""
    search = dict(search)
    distances, _ = nearest_neighbors(
        X,
        min(n_neighbors, X.shape[0] - 1),  # the graph has warned of it
        method=search.pop("knn_method"),
        **search,
    )
    return distances[:, -1].copy()


def _settle_components(
    W, labels, X, index, disconnected, metric, metric_params, n_jobs
):
    """Warn of, reject or connect the components of a disconnected graph."""
    sizes = np.sort(np.bincount(labels))[::-1]
    shown = ", ".join(map(str, sizes[:5])) + (", ..." if sizes.size > 5 else "")
    message = (
        f"The neighbour graph has {sizes.size} connected components of sizes {shown}"
    )
    if disconnected == "error":
        raise ValueError(
            f'{message}; raise n_neighbors, or set disconnected="connect" or '
            '"saturate".'
        )
    if disconnected == "connect":
        if index is None:
            raise ValueError(
                'disconnected="connect" needs distances between samples, which '
                'affinity="precomputed" does not have; connect the graph or use '
                '"saturate".'
            )
        W = connect_components(
            W, labels, X, metric=metric, metric_params=metric_params, n_jobs=n_jobs
        )
        return W, *connected_components(W)
    warnings.warn(
        f"{message}; distances between components carry no information and are set "
        'to one large value. Raise n_neighbors, or set disconnected="connect".',
        UserWarning,
        stacklevel=5,
    )
    return W, sizes.size, labels
