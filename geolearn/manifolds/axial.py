"""Axial coordinates of hyperbolic points: where perpendiculars meet the axes."""

import math
from typing import Any

import numpy as np

from geolearn.manifolds.hyperboloid import negative_curvature
from geolearn.utils._hyperbolic_models import HYPERBOLIC_MODELS

__all__ = ["axial_coordinates", "from_axial_coordinates"]


def axial_coordinates(
    X: Any,
    model: str = "hyperboloid",
    curvature: float = -1.0,
    *,
    time_axis: int = 0,
) -> np.ndarray:
    """Return the signed feet of the perpendiculars on the coordinate axes [1]_.

    The d-th coordinate is the position, a signed length from the origin, of the
    point of the d-th axis that is nearest to x; its level sets are totally geodesic
    hyperplanes. The forms used have no cancellation at any radius.

    Parameters
    ----------
    X : array_like of shape (n_samples, n_columns)
        Points, which are not checked: n_columns is dim + 1 for the hyperboloid
        and dim for the balls of radius 1/sqrt(-curvature). Of complete hyperboloid
        points only the spatial columns are read.
    model : {"hyperboloid", "poincare", "klein"}, default="hyperboloid"
        Coordinates of `X`.
    curvature : float, default=-1.0
        Sectional curvature, negative.
    time_axis : int, default=0
        Column of the time coordinate of hyperboloid points.

    Returns
    -------
    ndarray of shape (n_samples, dim)
        Axial coordinates, geodesic lengths. Where a spatial column of a hyperboloid
        point is NaN, so is its axial coordinate, and the others follow from the time
        coordinate; in the Klein ball columns stand for themselves; a point of the
        Poincaré ball with a NaN has NaN axial coordinates.

    Raises
    ------
    ValueError
        If the model is unknown, the curvature is not negative, or there is no
        column `time_axis`.

    See Also
    --------
    from_axial_coordinates : The inverse.

    References
    ----------
    .. [1] P. Chlenski, E. Turok, A. Moretti, I. Pe'er, "Fast hyperboloid decision
       tree algorithms", ICLR 2024, arXiv:2310.13841. Axial coordinates are the
       arguments of the hyperbolic tangent of the ratios used there.

    Examples
    --------
    >>> from geolearn.manifolds import axial_coordinates
    >>> axial_coordinates([[2.5, 1.0, 2.0, -0.5]]).round(8)
    array([[ 0.42364893,  1.09861229, -0.20273255]])
    """
    radius = 1.0 / math.sqrt(-negative_curvature(curvature))
    X = np.ascontiguousarray(X, dtype=np.float64)
    if model == "hyperboloid":
        return _from_hyperboloid(X, radius, time_axis)
    if model == "poincare":
        from geolearn.manifolds._axial_kernels import axial_from_ball  # loads numba

        out = np.empty(X.shape)
        axial_from_ball(X, radius, out)
        return out
    if model == "klein":
        return radius * np.arctanh(X / radius)
    raise ValueError(_unknown(model))


def _from_hyperboloid(X, radius, time_axis):
    from geolearn.manifolds._axial_kernels import sinh_of_axial  # loads numba

    out = np.empty((X.shape[0], X.shape[1] - 1))
    if time_column(time_axis, X.shape[1]) == 0:
        sinh_of_axial(X, 1, radius, out)
    else:
        space = np.ascontiguousarray(np.delete(X, time_axis, axis=1))
        sinh_of_axial(space, 0, radius, out)
    np.arcsinh(out, out=out)
    out *= radius
    incomplete = np.isnan(out).any(axis=1)
    if incomplete.any():
        rows = X[incomplete]
        time = rows[:, time_axis][:, None]
        space = np.delete(rows, time_axis, axis=1)
        # x_0^2 - x_d^2 would square what can overflow and cancel. A point within
        # rounding of the light cone keeps a finite coordinate.
        gap = np.maximum(time - np.abs(space), np.finfo(float).tiny)
        across = np.sqrt(gap) * np.sqrt(time + np.abs(space))
        out[incomplete] = np.where(
            np.isfinite(time), radius * np.arcsinh(space / across), out[incomplete]
        )
    return out


def time_column(time_axis, n_columns):
    """Return the column of time counted from 0, or explain what there is."""
    if not -n_columns <= time_axis < n_columns:
        raise ValueError(
            f"time_axis={time_axis} is not among the {n_columns} columns; choose one "
            f"of 0 ... {n_columns - 1}, the column of the largest coordinate."
        )
    return time_axis % n_columns


def from_axial_coordinates(
    S: Any,
    model: str = "hyperboloid",
    curvature: float = -1.0,
    *,
    time_axis: int = 0,
) -> np.ndarray:
    """Return the points that have the given axial coordinates.

    Parameters
    ----------
    S : array_like of shape (n_samples, dim)
        Axial coordinates, geodesic lengths.
    model : {"hyperboloid", "poincare", "klein"}, default="hyperboloid"
        Coordinates of the result.
    curvature : float, default=-1.0
        Sectional curvature, negative.
    time_axis : int, default=0
        Column of the time coordinate of hyperboloid points.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)
        Points; n_columns is dim + 1 for the hyperboloid and dim for the balls. A row
        with a NaN is NaN throughout, but for the Klein ball.

    Raises
    ------
    ValueError
        If the model is unknown, the curvature is not negative, or perpendiculars
        from these positions do not meet in one point: the squares of tanh(s / R)
        must sum to less than one.

    See Also
    --------
    axial_coordinates : The inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.manifolds import from_axial_coordinates
    >>> from_axial_coordinates([[0.5 * np.log(7 / 3), np.log(3)]]).round(8)
    array([[2.23606798, 0.89442719, 1.78885438]])
    """
    radius = 1.0 / math.sqrt(-negative_curvature(curvature))
    S = np.asarray(S, dtype=np.float64) / radius
    if model not in HYPERBOLIC_MODELS:
        raise ValueError(_unknown(model))
    u = np.tanh(S)
    # 1 - |u|^2 with the largest term taken from cosh, so that points far out
    # along an axis keep their digits.
    rows, largest = np.arange(len(S)), np.argmax(np.abs(S), axis=1)
    others = u.copy()
    others[rows, largest] = 0.0
    with np.errstate(over="ignore"):
        gap = np.cosh(S[rows, largest]) ** -2.0 - np.sum(others**2, axis=1)
    bad = np.flatnonzero(~(gap > 0.0) & np.isfinite(S).all(axis=1))
    if bad.size:
        raise ValueError(
            f"S[{bad[0]}] is not the row of axial coordinates of a point: the sum of "
            f"tanh(s / R)^2 is {np.sum(u[bad[0]] ** 2):.6g} and must be less than 1; "
            f"{bad.size} of {len(S)} rows are off. Shrink them towards 0."
        )
    if model == "klein":
        return radius * u
    time = 1.0 / np.sqrt(gap)[:, None]
    space = time * u
    if model == "poincare":
        return radius * space / (1.0 + time)
    column = time_column(time_axis, S.shape[1] + 1)
    return radius * np.insert(space, column, time[:, 0], axis=1)


def _unknown(model):
    return f"model={model!r} is unknown; choose one of {', '.join(HYPERBOLIC_MODELS)}."
