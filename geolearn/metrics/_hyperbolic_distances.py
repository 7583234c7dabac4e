"""Hyperbolic distances in any of three models."""

import math
from numbers import Real
from typing import Any

import numpy as np

from geolearn.metrics import _drivers
from geolearn.metrics._pairwise import pairwise_distances
from geolearn.utils._hyperbolic_models import HYPERBOLIC_MODELS
from geolearn.utils._jit import kernel
from geolearn.utils._memory import allocate


# All terms but the scalar product are non-negative, and it is one of a difference:
# the order of the sums does not change the bound of their error.
@kernel(fastmath={"reassoc", "contract"})
def _klein_sums(x, y):
    xx = 0.0
    yy = 0.0
    ww = 0.0
    wy = 0.0
    for k in range(x.shape[0]):
        w = y[k] - x[k]
        xx += x[k] * x[k]
        yy += y[k] * y[k]
        ww += w * w
        wy += w * y[k]
    return xx, yy, ww, wy


@kernel
def _klein_distance(x, y, c):
    """Return the distance from sinh(d), a sum of squares times Lorentz factors."""
    xx, yy, ww, wy = _klein_sums(x, y)
    if ww == 0.0:
        return 0.0
    x_norm = math.sqrt(c * xx)
    y_norm = math.sqrt(c * yy)
    x_gap = (1.0 - x_norm) * (1.0 + x_norm)
    y_gap = (1.0 - y_norm) * (1.0 + y_norm)
    if x_gap <= 0.0 or y_gap <= 0.0:
        return np.inf
    sinh = math.sqrt((c * ww + c * wy * (c * wy) / y_gap) / x_gap)
    return math.asinh(sinh) / math.sqrt(c)


@kernel
def _klein_row(X, i, Y, params, out):
    """Fill out[i] with the distances of X[i] to all rows of Y."""
    c = -params[0]
    for j in range(Y.shape[0]):
        out[i, j] = _klein_distance(X[i], Y[j], c)


def hyperbolic_distances(
    X,
    Y=None,
    *,
    model: str = "hyperboloid",
    curvature: float = -1.0,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Compute hyperbolic distances between points of one of three models.

    Parameters
    ----------
    X : array-like of shape (n_x, n_columns)
        Points: n_columns is dim + 1 on the hyperboloid, time first, and dim in the
        balls of radius 1 / sqrt(-curvature). Computed in float64 whatever the type.
    Y : array-like of shape (n_y, n_columns), default=None
        Other points. None computes the distances within `X`.
    model : {"hyperboloid", "poincare", "klein"}, default="hyperboloid"
        Coordinates of the points.
    curvature : float, default=-1.0
        Sectional curvature, negative.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. The result does not depend
        on it.

    Returns
    -------
    ndarray of shape (n_x, n_y)
        Distances.

    Raises
    ------
    TypeError
        If the curvature is not a number.
    ValueError
        If the model is unknown, the curvature is not negative, or a row is not a
        finite point of the model.
    MemoryError
        If the result does not fit in the available memory.

    See Also
    --------
    pairwise_distances : The same for the metrics "hyperboloid" and "poincare".

    Notes
    -----
    The hyperboloid keeps points apart that the balls cannot: at hyperbolic radius r
    a rounding of the coordinates moves a point by some 1e-16 exp(r) along the sphere
    of that radius on the hyperboloid and in every direction in the Poincaré ball, and
    by 1e-16 exp(2 r) in the Klein ball. The formulas add little to that: distances
    between points of the hyperboloid in different directions, at radius 24, are exact
    to 1e-14.

    Examples
    --------
    >>> from geolearn.metrics import hyperbolic_distances
    >>> hyperbolic_distances([[0.0, 0.0], [0.6, 0.0]], model="klein").round(6)
    array([[0.      , 0.693147],
           [0.693147, 0.      ]])
    """
    if model not in HYPERBOLIC_MODELS:
        raise ValueError(
            f"model={model!r} is unknown; choose one of {HYPERBOLIC_MODELS}."
        )
    if model != "klein":
        options = {"curvature": curvature}
        return pairwise_distances(
            X, Y, metric=model, metric_params=options, n_jobs=n_jobs
        )
    if not isinstance(curvature, Real):
        raise TypeError(f"curvature must be a number, got {curvature!r}.")
    if not -math.inf < curvature < 0.0:
        raise ValueError(f"curvature={curvature} must be negative and finite.")
    X = _klein_points(X, curvature, "X")
    params = np.array([curvature], dtype=np.float64)
    other = X if Y is None else _klein_points(Y, curvature, "Y")
    if other.shape[1] != X.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} columns and Y has {other.shape[1]}; pass points of "
            f"one space."
        )
    remedy = "Compute the distances in blocks of rows."
    out = allocate((len(X), len(other)), "hyperbolic_distances", remedy)
    if Y is None:
        _drivers.fill_symmetric(_klein_row, X, params, out, n_jobs)
    else:
        _drivers.fill(_klein_row, X, other, params, out, n_jobs)
    return out


def _klein_points(X: Any, curvature: float, name: str) -> np.ndarray:
    X = np.ascontiguousarray(X, dtype=np.float64)
    if X.ndim != 2 or X.size == 0:
        raise ValueError(
            f"{name} must have shape (n_samples, dim), got {X.shape}; reshape one "
            f"point with {name}.reshape(1, -1)."
        )
    if not np.isfinite(X).all():
        raise ValueError(f"{name} contains NaN or infinity; leave out those points.")
    norms = math.sqrt(-curvature) * np.linalg.norm(X, axis=1)
    n_outside = int(np.sum(norms >= 1.0))
    if n_outside:
        raise ValueError(
            f"{n_outside} points of {name} are not inside the Klein ball of radius "
            f"{1.0 / math.sqrt(-curvature):g}; the farthest is at {norms.max():.6g} "
            f"radii. Scale them into the ball, or pass their curvature."
        )
    return X
