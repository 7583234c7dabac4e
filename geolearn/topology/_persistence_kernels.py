"""Vietoris-Rips persistence of small distance matrices, put together from its parts.

The parts are compiled once each and called by address: inlined, the largest would
be compiled again in every kernel that uses them.
"""

from functools import cache

import numpy as np
from numba import types

from geolearn.topology._persistence_edges import (
    EDGES,
    enclosing_radius,
    no_edges,
    sorted_edges,
)
from geolearn.topology._persistence_loops import LOW, low_degrees, lowest_degree
from geolearn.topology._persistence_voids import VOIDS, no_voids, void_pairs
from geolearn.utils._jit import first_class, kernel
from geolearn.utils._tables import read_only

__all__ = ["PARTS", "engine", "lasts", "rips_diagrams"]

# Ties leave pairs of the size of rounding errors.
_ROUNDING = 1.0 + 1e-12

# The types of what `engine` returns.
PARTS = tuple(types.FunctionType(part) for part in (EDGES, LOW, VOIDS))


@cache
def engine(max_degree):
    """Return the kernels that the degrees 0 to 2 need, to be passed to others."""
    return (
        first_class(sorted_edges if max_degree > 0 else no_edges, *EDGES.args),
        first_class(low_degrees if max_degree > 0 else lowest_degree, *LOW.args),
        first_class(void_pairs if max_degree > 1 else no_voids, *VOIDS.args),
    )


@kernel(nogil=True)
def lasts(birth, death):
    """Tell whether a pair lives longer than rounding errors."""
    return death > birth * _ROUNDING


def rips_diagrams(D, max_degree, cap=np.inf):
    """Return the persistence of a metric space in degrees 0 to 2.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances, symmetric, C-contiguous.
    max_degree : int
        0, 1 or 2. Diagrams of higher degrees are empty.
    cap : float, default=inf
        Longest edge of the complexes; what never dies below it and the enclosing
        radius has death inf. Not looked at if `max_degree` is 0.

    Returns
    -------
    merges : ndarray of shape (k,)
        Deaths in degree 0, decreasing, without the component that never dies. With
        `max_degree` above 0, those above `cap` are missing.
    loops, voids : ndarray of shape (k, 2)
        Births and deaths in degrees 1 and 2, births increasing.
    """
    edges, low_degrees, void_pairs = engine(max_degree)
    D, n = read_only(D), D.shape[0]
    if max_degree > 0:
        cap = min(cap, enclosing_radius(D, 0, n))
    found = edges(D, float(cap))
    merges, loops, births = low_degrees(D, 0, n, *found, max_degree > 1)
    voids = void_pairs(n, *found, births)
    loops, voids = (P[P[:, 1] > P[:, 0] * _ROUNDING] for P in (loops, voids))
    return merges[::-1].copy(), loops, voids
