"""Checks of square tables of distances, and of graphs that go with them."""

from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse
from scipy.sparse.csgraph import connected_components

from geolearn.utils._tables import worst_asymmetry

_ASYMMETRY = 1e-8  # relative to the largest distance


def check_distance_table(D, name: str, n_samples: int | None = None) -> np.ndarray:
    """Return a square table of distances as contiguous float64, or say what is wrong.

    Parameters
    ----------
    D : array-like of shape (n_samples, n_samples)
        Distances: finite, symmetric, not negative, zero on the diagonal.
    name : str
        Name for the error messages.
    n_samples : int, default=None
        Number of rows wanted; None takes any.

    Returns
    -------
    ndarray of shape (n_samples, n_samples)
        The distances; not a copy where none is needed.

    Raises
    ------
    ValueError
        If a condition is not met.
    """
    D = np.ascontiguousarray(D, dtype=np.float64)
    if D.ndim != 2 or D.shape[0] != D.shape[1] or D.size == 0:
        raise ValueError(
            f"{name} must be a square table of distances, got shape {D.shape}; compute "
            f"one from points with geolearn.metrics.pairwise_distances."
        )
    n = D.shape[0]
    if n_samples is not None and n != n_samples:
        raise ValueError(
            f"{name} has {n} rows, but {n_samples} are needed: pass tables of the "
            f"same points in the same order."
        )
    if not np.isfinite(D).all():
        _raise_not_finite(D, name)
    if np.min(D) < 0.0:
        i, j = np.unravel_index(np.argmin(D), D.shape)
        raise ValueError(
            f"{name} holds negative distances, the lowest {name}[{i}, {j}]="
            f"{D[i, j]:.3g}; pass distances, not similarities."
        )
    worst = int(np.argmax(np.diagonal(D)))
    if D[worst, worst] != 0.0:
        raise ValueError(
            f"{name} must be zero on its diagonal, but {name}[{worst}, {worst}]="
            f"{D[worst, worst]:.3g}; set it to zero or pass distances, not "
            f"similarities."
        )
    limit = _ASYMMETRY * float(np.max(D))
    gap, i, j = worst_asymmetry(D, limit)
    if gap > limit:
        raise ValueError(
            f"{name} is not symmetric: {name}[{i}, {j}] and its mirror image differ by "
            f"{gap:.3g}; take ({name} + {name}.T) / 2."
        )
    return D


def _raise_not_finite(D, name):
    if np.isnan(D).any():
        raise ValueError(
            f"{name} contains NaN; leave out those points or compute the missing "
            f"distances."
        )
    n_components = connected_components(csr_array(np.isfinite(D)), directed=False)[0]
    if n_components == 1:
        i, j = np.argwhere(np.isinf(D))[0]
        raise ValueError(
            f"{name} contains infinity, first at {name}[{i}, {j}], though finite "
            f"distances connect all points; complete them by shortest paths."
        )
    raise ValueError(
        f"{name} contains infinity: the points fall into {n_components} components "
        f"without a finite distance; treat the components one by one or connect them."
    )


def check_graph(graph, name: str, n_samples: int) -> csr_array:
    """Return the edges of an undirected graph without loops as a sparse table.

    Parameters
    ----------
    graph : array-like or sparse matrix of shape (n_samples, n_samples)
        Non-zero entries are edges, in one direction at least.
    name : str
        Name for the error messages.
    n_samples : int
        Number of nodes.

    Returns
    -------
    csr_array of shape (n_samples, n_samples)
        Symmetric table with sorted indices and without a diagonal.

    Raises
    ------
    ValueError
        If the shape is wrong or an entry is NaN.
    """
    given: Any = graph if issparse(graph) else np.asarray(graph)
    table: Any = coo_array(given)
    if table.shape != (n_samples, n_samples):
        raise ValueError(
            f"{name} has shape {table.shape}, but there are {n_samples} points: pass "
            f"an adjacency table of shape ({n_samples}, {n_samples})."
        )
    if np.isnan(table.data.astype(np.float64)).any():
        raise ValueError(f"{name} contains NaN; set entries without an edge to zero.")
    rows, columns = table.row, table.col
    kept = (table.data != 0) & (rows != columns)
    rows, columns = rows[kept], columns[kept]
    both = (np.concatenate([rows, columns]), np.concatenate([columns, rows]))
    edges: Any = coo_array((np.ones(2 * len(rows)), both), shape=table.shape)
    edges = csr_array(edges)  # adds up what is given twice
    edges.sort_indices()
    return edges
