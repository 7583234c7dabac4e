"""Whether rows of a table are points of a model of hyperbolic space."""

import math
import warnings

import numpy as np

from geolearn.manifolds.axial import time_column
from geolearn.manifolds.hyperboloid import negative_curvature
from geolearn.utils._hyperbolic_models import HYPERBOLIC_MODELS

__all__ = ["check_hyperbolic_points"]

_TOLERANCE = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-3}
_UNRESOLVED = 1e-12  # share of the radius within which a ball resolves no radius


def check_hyperbolic_points(X, model, curvature, *, time_axis=0, dtype=np.float64):
    """Refuse rows that are not points of a model of hyperbolic space.

    Tests are relative to the size of the point, so that far points pass. Rows with
    NaN are tested by what can be known of them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Points in float64; NaN is allowed, infinity is not.
    model : {"hyperboloid", "poincare", "klein"}
        Coordinates of `X`.
    curvature : float
        Sectional curvature, negative.
    time_axis : int, default=0
        Column of the time coordinate of hyperboloid points.
    dtype : dtype, default=float64
        Type that the coordinates had; float32 is given a wider tolerance.

    Raises
    ------
    ValueError
        If a point is off the model; the message has the largest error and what
        parameters would fit.

    Warns
    -----
    UserWarning
        If a point is so near to the boundary of a ball that its distance from the
        origin is not resolved.
    """
    radius = 1.0 / math.sqrt(-negative_curvature(curvature))
    if model == "hyperboloid":
        tolerance = _TOLERANCE.get(np.dtype(dtype), 1e-6)
        _check_hyperboloid(X, radius, curvature, time_axis, tolerance)
    elif model in HYPERBOLIC_MODELS:
        _check_ball(X, radius, model, curvature)


def _check_hyperboloid(X, radius, curvature, time_axis, tolerance):
    if X.shape[1] < 2:
        raise ValueError(
            f"X has {X.shape[1]} column(s), but points of the hyperboloid have the "
            f"time coordinate and at least one more: n_features=1 is too few. Choose "
            f"model='poincare' or model='klein' for points of a ball."
        )
    column = time_column(time_axis, X.shape[1])
    if column == 0 and radius > 1e-150 and _are_plainly_points(X, radius, tolerance):
        return
    below = X[:, column] <= 0.0
    if below.any():
        raise ValueError(
            f"{below.sum()} of {len(X)} points are on the lower sheet of the "
            f"hyperboloid: X[{np.argmax(below)}, {column}] is "
            f"{X[np.argmax(below), column]:g} and must be positive. Reflect them, or "
            f"set time_axis, now {time_axis}, to the column of time."
            f"{_remedy(X, radius)}"
        )
    error = _relative_error(X, radius, column)
    off = error > tolerance
    if off.any():
        raise ValueError(
            f"{off.sum()} of {len(X)} points are not on the hyperboloid of curvature "
            f"{curvature:g} (largest relative error {error[off].max():.1e} of the time "
            f"coordinate, tolerance {tolerance:g}; the first such row is X["
            f"{np.argmax(off)}]). Set curvature, time_axis or model to those of the "
            f"data, or recompute the time coordinate with Hyperboloid.project."
            f"{_remedy(X, radius)}"
        )


def _are_plainly_points(X, radius, tolerance):
    """Tell whether all rows are complete points of moderate size, in a few steps."""
    time, space = X[:, 0], X[:, 1:]
    with np.errstate(over="ignore", invalid="ignore"):
        expected = np.sqrt(np.einsum("ij,ij->i", space, space) + radius**2)
        return bool((np.abs(time - expected) <= tolerance * time).all())


def _relative_error(X, radius, column):
    """Return |x_0 - sqrt(R^2 + |x|^2)| / x_0; with NaN, what it is at least."""
    time = X[:, column]
    space = X[:, 1:] if column == 0 else np.delete(X, column, axis=1)
    unit = max(radius, float(np.nanmax(np.abs(space), initial=0.0)))
    if unit > 1e150 or unit < 1e-150:  # squares would overflow or vanish
        time, space, radius = time / unit, space / unit, radius / unit
    square = np.einsum("ij,ij->i", space, space)
    with np.errstate(invalid="ignore"):
        error = np.abs(time - np.sqrt(radius**2 + square)) / time
    rows = np.flatnonzero(np.isnan(square) & ~np.isnan(time))
    if rows.size:
        known = np.sqrt(radius**2 + np.nansum(space[rows] ** 2, axis=1))
        error[rows] = np.maximum(known / time[rows] - 1.0, 0.0)
    return np.where(np.isnan(error), 0.0, error)


def _remedy(X, radius):
    """Look for parameters under which all complete rows are points."""
    X = X[~np.isnan(X).any(axis=1)]
    if not len(X):
        return ""
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.einsum("ij,ij->i", X, X)
        for column in range(X.shape[1]):
            if not (X[:, column] > 0.0).all():
                continue
            if (_relative_error(X, radius, column) <= 1e-6).all():
                return f" They fit time_axis={column}."
            product = 2.0 * X[:, column] ** 2 - square
            lowest, highest = product.min(), product.max()
            if lowest > 0.0 and highest <= lowest * (1.0 + 1e-4):
                return f" They fit time_axis={column}, curvature={-1.0 / lowest:.6g}."
        if (square < radius**2).all():
            return " They fit the balls: model='poincare' or model='klein'."
    return ""


def _check_ball(X, radius, model, curvature):
    scaled = X / radius
    square = np.einsum("ij,ij->i", scaled, scaled)
    incomplete = np.isnan(square)
    if incomplete.any():
        square[incomplete] = np.nansum(scaled[incomplete] ** 2, axis=1)
    norm = np.sqrt(square)
    outside = norm >= 1.0
    if outside.any():
        raise ValueError(
            f"{outside.sum()} of {len(X)} points are not inside the {model} ball of "
            f"radius {radius:g}, the radius of curvature {curvature:g}: the farthest "
            f"has norm {norm.max() * radius:g}; the first such row is X["
            f"{np.argmax(outside)}]. Set curvature or model to those of the data, or "
            f"scale the points into the ball."
        )
    close = norm > 1.0 - _UNRESOLVED
    if close.any():
        warnings.warn(
            f"{close.sum()} of {len(X)} points are within a relative {_UNRESOLVED:g} "
            f"of the boundary of the {model} ball, where double precision does not "
            f"resolve their distance from the origin. Keep such points in hyperboloid "
            f"coordinates.",
            UserWarning,
            stacklevel=4,
        )
