"""Checks of distances and of the scale at the door of HyperbolicMDS."""

import warnings

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from geolearn.utils._tables import worst_asymmetry

ASYMMETRY = 1e-8  # tolerated, relative to the largest distance
OVERFLOW_DIAMETER = 700.0  # cosh(710) is infinite
PRECISE_DIAMETER = 18.0  # eps cosh(18) = 7e-9, the square root of eps is 1.5e-8
_FLAT_DIAMETER = 1e-7  # cosh of less is 1 to rounding
_SMALLEST = 1e-290  # largest distance whose inverse is far from overflow


def check_square(D):
    """Raise if given distances are not those of a connected set of points.

    No temporary is as large as the table.
    """
    n = D.shape[0]
    lowest, largest = float(D.min()), float(D.max())
    if np.isnan(lowest):
        i, j = np.argwhere(np.isnan(D))[0]
        raise ValueError(
            f"Input X contains NaN, first at X[{i}, {j}]; distances must be known."
        )
    if np.isinf(lowest) or (np.isinf(largest) and D.shape[1] != n):
        raise ValueError("Input X contains infinity (inf); distances are finite.")
    if lowest < 0.0:
        raise ValueError(
            f"Negative values in data: the smallest entry of X is {lowest:.3g}, but "
            "distances must be non-negative."
        )
    if D.shape[1] != n:
        raise ValueError(
            "X must be a square matrix of distances for metric='precomputed'; got "
            f"shape {D.shape}."
        )
    if np.isinf(largest):
        raise_disconnected(D)
    tolerance = ASYMMETRY * largest
    diagonal = np.abs(np.diagonal(D))
    if diagonal.max() > tolerance:
        i = int(diagonal.argmax())
        raise ValueError(
            f"X[{i}, {i}]={diagonal[i]:.3g}, but the distance of a point from itself "
            "is 0; pass distances, not similarities."
        )
    gap, i, j = worst_asymmetry(D, tolerance)
    if gap > tolerance:
        raise ValueError(
            f"X[{i}, {j}] and X[{j}, {i}] differ by {gap:.3g}; distances are "
            "symmetric. Pass (X + X.T) / 2."
        )


def raise_disconnected(D):
    """Name the number of pieces between which distances are infinite."""
    n_components, labels = csgraph.connected_components(
        sparse.csr_array(np.isfinite(D)), directed=False
    )
    largest = int(np.bincount(labels).max())
    if n_components == 1:
        i, j = np.argwhere(np.isinf(D))[0]
        raise ValueError(
            f"Input X contains infinite (inf) distances, first at X[{i}, {j}], though "
            "finite ones connect all points; complete them by shortest paths, for "
            "example with scipy.sparse.csgraph.shortest_path(X)."
        )
    raise ValueError(
        f"Input X contains infinite (inf) distances: the points fall into "
        f"{n_components} connected components. Embed each by itself, for example the "
        f"largest with {largest} points, or replace the infinite distances."
    )


def check_diameter(diameter):
    """Raise if no scale brings the largest distance to order one."""
    if 0.0 < diameter < _SMALLEST:
        raise ValueError(
            f"The largest distance is {diameter:.3g}; below {_SMALLEST:g}, double "
            "precision has no scale for it. Multiply the distances."
        )


def check_scale(scale, diameter):
    """Raise or warn where cosh(scale * diameter) costs digits."""
    reach = scale * diameter
    if 0.0 < reach < _FLAT_DIAMETER:
        raise ValueError(
            f"scale={scale:.6g} shrinks the largest distance {diameter:.6g} to "
            f"{reach:.4g}; below {_FLAT_DIAMETER:g} its cosh is 1 to rounding. Take "
            f"scale at least {1e-3 / diameter:.6g}, or MetricMDS for a flat embedding."
        )
    if reach > OVERFLOW_DIAMETER:
        raise ValueError(
            f"scale={scale:.6g} times the largest distance {diameter:.6g} is "
            f"{reach:.4g}; its cosh overflows above {OVERFLOW_DIAMETER:g}. Take scale "
            f"at most {PRECISE_DIAMETER / diameter:.6g}, or 'auto'."
        )
    if reach > PRECISE_DIAMETER:
        warnings.warn(
            f"scale={scale:.6g} stretches the largest distance to {reach:.4g}; above "
            f"{PRECISE_DIAMETER:g}, double precision does not resolve near points. "
            f"Take scale at most {PRECISE_DIAMETER / diameter:.6g}.",
            UserWarning,
            stacklevel=4,
        )
