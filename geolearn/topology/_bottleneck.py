"""The bottleneck distance between two persistence diagrams."""

from typing import Any

import numpy as np

from geolearn.topology._bottleneck_kernels import (
    PAIRS,
    bottleneck_deaths,
    bottleneck_pairs,
)
from geolearn.utils._jit import first_class

__all__ = ["bottleneck_distance"]


def bottleneck_distance(diagram_a: Any, diagram_b: Any) -> float:
    r"""Compute the exact bottleneck distance between two persistence diagrams.

    It is the smallest t for which the points of both diagrams can be paired with
    each other or with the diagonal so that no pair is farther apart than t in the
    maximum norm [1]_. A point (b, d) is at distance (d - b) / 2 from the diagonal.
    Points that never die are paired among themselves, at the difference of their
    births.

    The value is one of the distances between points, not an approximation.

    Parameters
    ----------
    diagram_a, diagram_b : array-like of shape (n_points, 2)
        Births and deaths, a death at least its birth; deaths may be inf.

    Returns
    -------
    float
        The distance; inf if the diagrams have different numbers of points that
        never die.

    Raises
    ------
    ValueError
        If a diagram has not two columns, has NaN or a death before its birth.

    See Also
    --------
    vietoris_rips_persistence : Compute the diagrams of a point cloud.

    References
    ----------
    .. [1] D. Cohen-Steiner, H. Edelsbrunner, J. Harer, "Stability of persistence
       diagrams", Discrete Comput. Geom. 37, 2007, doi:10.1007/s00454-006-1276-5.

    Examples
    --------
    >>> from geolearn.topology import bottleneck_distance
    >>> one = [(0.0, 1.0), (0.25, 0.5), (0.25, 1.0)]
    >>> other = [(0.0, 0.875), (0.125, 0.25)]
    >>> bottleneck_distance(one, other)
    0.375
    """
    P, infinite_p = _split(diagram_a, "diagram_a")
    Q, infinite_q = _split(diagram_b, "diagram_b")
    if infinite_p.shape != infinite_q.shape:
        return float("inf")
    distance = 0.0
    if infinite_p.size:  # in sorted order, as for any points of the line
        distance = float(np.max(np.abs(infinite_p - infinite_q)))
    if not P[:, 0].any() and not Q[:, 0].any():
        finite = bottleneck_deaths(_decreasing(P[:, 1]), _decreasing(Q[:, 1]))
    else:
        finite = first_class(bottleneck_pairs, *PAIRS.args)(P, Q)
    return max(distance, float(finite))


def _decreasing(values):
    return np.sort(values)[::-1].copy()


def _split(diagram, name):
    """Return the points that die, and the sorted births of those that do not."""
    try:
        diagram = np.asarray(diagram, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} is no table of numbers; give one row (birth, death) a point, of "
            "one degree."
        ) from error
    if diagram.size == 0:
        diagram = np.empty((0, 2))
    if diagram.ndim != 2 or diagram.shape[1] != 2:
        raise ValueError(
            f"{name} has shape {diagram.shape}; give one row (birth, death) a point."
        )
    bad = ~((diagram[:, 0] <= diagram[:, 1]) & np.isfinite(diagram[:, 0]))
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"{name} has the point {tuple(diagram[row].tolist())} in row {row}; births "
            "must be finite and deaths at least births."
        )
    endless = np.isinf(diagram[:, 1])
    finite = np.ascontiguousarray(diagram[~endless])
    return finite, np.sort(diagram[endless, 0])
