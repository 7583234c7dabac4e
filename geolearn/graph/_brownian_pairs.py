"""Distances and volume densities of the pairs of samples that carry affinity."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from geolearn.graph._brownian_candidates import (
    approximate_neighbors_of_points,
    needs_candidates,
)
from geolearn.graph._precomputed import (
    check_distances,
    dense_neighbors,
    sparse_neighbors,
    without_self,
)

__all__ = ["NONE", "Pairs", "pairs_of_distances", "pairs_of_points"]

NONE = np.empty((0, 0))  # no volume densities: all of them are one
# Relative to the radius of curvature: nearer to the cut locus a pair has no weight.
_CUT_LOCUS = 1e-8


class Pairs(NamedTuple):
    """Pairs (i, indices[i, j]), or all pairs where `indices` is None."""

    distances: np.ndarray
    log_volume: np.ndarray
    indices: np.ndarray | None

    @property
    def own(self) -> bool:
        """Whether pairs (i, i) are among them."""
        return self.indices is None

    @property
    def n_neighbors(self) -> int:
        """Number of other samples in a row."""
        return self.distances.shape[1] - self.own


def pairs_of_points(
    X, manifold, k, with_volume, random_state, *, Y=None, n_jobs=None
) -> Pairs:
    """Return the pairs of valid points: k nearest ones, or all where k is None."""
    if k is None:
        table: Any = manifold.pairwise_distances(
            X, return_log_volume=with_volume, n_jobs=n_jobs
        )
        D, L = table if with_volume else (table, NONE)
        return Pairs(D, _without_cut_locus(manifold, D, L), None)
    if Y is None and needs_candidates(X, manifold):
        found = approximate_neighbors_of_points(
            X, manifold, k, with_volume, random_state, n_jobs
        )
    else:
        found = manifold.kneighbors(
            X, Y, n_neighbors=k, return_log_volume=with_volume, n_jobs=n_jobs
        )
    return _by_index(found[0], found[2] if with_volume else NONE, found[1])


def pairs_of_distances(D, L, k, *, square=True) -> Pairs:
    """Return the pairs of a table or graph of distances; L may be None."""
    D = check_distances(D, square=square)
    if sparse.issparse(D):
        D = without_self(D)
        least = int(np.diff(D.indptr).min())
        k = least if k is None else k
        distances, indices = sparse_neighbors(D, k)
    elif k is None:
        return Pairs(D, NONE if L is None else L, None)
    else:
        distances, indices = dense_neighbors(D, k, skip_self=square)
    volume = NONE if L is None else np.take_along_axis(L, indices, axis=1)
    return _by_index(distances, volume, indices)


def _by_index(distances, volume, indices):
    """Sort each row by index, as a CSR matrix holds it."""
    order = np.argsort(indices, axis=1)
    tables = [
        np.ascontiguousarray(np.take_along_axis(T, order, axis=1)) if T.size else T
        for T in (distances, volume, indices)
    ]
    return Pairs(*tables)


def _without_cut_locus(manifold, D, L):
    """Mark pairs within rounding of the cut locus by a density of zero."""
    low, high = manifold.sectional_curvature_bounds
    if L.size and low == high > 0.0:
        near = manifold.injectivity_radius - _CUT_LOCUS * manifold._length_scale
        L[near <= D] = -np.inf
    return L
