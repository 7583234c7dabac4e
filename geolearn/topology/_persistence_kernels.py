"""Kernels that return the Vietoris-Rips persistence of small distance matrices."""

# kernels: _persistence_edges=ec8354e7 _persistence_loops=b82ea0f4
# kernels: _persistence_voids=b4303a93

import numpy as np

from geolearn.topology._persistence_edges import (
    enclosing_radius,
    merge_lengths,
    sorted_edges,
)
from geolearn.topology._persistence_loops import low_degrees
from geolearn.topology._persistence_voids import void_pairs
from geolearn.utils._jit import kernel

__all__ = [
    "enclosing_radius",
    "merge_lengths",
    "rips_diagrams",
    "rips_diagrams_below",
    "rips_slice",
    "sorted_edges",
]


# Ties leave pairs of the size of rounding errors.
_ROUNDING = 1.0 + 1e-12


@kernel(nogil=True)
def _lasting(pairs):
    """Return the pairs that live longer than rounding errors."""
    kept = 0
    out = np.empty_like(pairs)
    for k in range(pairs.shape[0]):
        if pairs[k, 1] > pairs[k, 0] * _ROUNDING:
            out[kept] = pairs[k]
            kept += 1
    return out[:kept]


@kernel(nogil=True)
def diagrams_of_edges(n, heads, tails, lengths, max_degree):
    """Return (merges decreasing, loops, voids) of sorted edges on n points."""
    merges, loops, births = low_degrees(n, heads, tails, lengths, max_degree > 1)
    voids = void_pairs(n, heads, tails, lengths, births)
    return merges[::-1].copy(), _lasting(loops), _lasting(voids)


@kernel(nogil=True)
def rips_diagrams(D, max_degree):
    """Return the persistence of a finite metric space in degrees 0 to 2.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances, symmetric; any strides.
    max_degree : int
        0, 1 or 2. Diagrams of higher degrees are empty.

    Returns
    -------
    merges : ndarray of shape (n - 1,)
        Deaths in degree 0, decreasing, without the component that never dies.
    loops, voids : ndarray of shape (k, 2)
        Births and deaths in degrees 1 and 2, births increasing.
    """
    if max_degree < 1 or D.shape[0] < 3:
        return merge_lengths(D), np.empty((0, 2)), np.empty((0, 2))
    return rips_diagrams_below(D, enclosing_radius(D), max_degree)


@kernel(nogil=True)
def rips_diagrams_below(D, cap, max_degree):
    """Return the diagrams of the complex without edges longer than `cap`.

    As `rips_diagrams`, but components that never merge are missing from the first
    array, and what never dies below the enclosing radius has death inf.
    """
    cap = min(cap, enclosing_radius(D))
    heads, tails, lengths = sorted_edges(D, cap)
    return diagrams_of_edges(D.shape[0], heads, tails, lengths, max_degree)


@kernel(nogil=True)
def rips_slice(D, heads, tails, lengths, start, stop, max_degree):
    """Return the diagrams of the points start, ..., stop - 1.

    Sorting is most of the work on small clouds: slices share it.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances.
    heads, tails, lengths : ndarray of shape (m,)
        ``sorted_edges(D, np.inf)``.
    start, stop : int
        The slice.
    max_degree : int
        0, 1 or 2.

    Returns
    -------
    tuple of ndarray
        As `rips_diagrams`.
    """
    n = stop - start
    block = D[start:stop, start:stop]
    if max_degree < 1 or n < 3:
        return merge_lengths(block), np.empty((0, 2)), np.empty((0, 2))
    cap = enclosing_radius(block)
    size = n * (n - 1) // 2
    u, v = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    length = np.empty(size)
    m = 0
    for k in range(lengths.size):
        if lengths[k] > cap:
            break
        if start <= heads[k] and tails[k] < stop:
            u[m], v[m], length[m] = heads[k] - start, tails[k] - start, lengths[k]
            m += 1
    return diagrams_of_edges(n, u[:m], v[:m], length[:m], max_degree)
