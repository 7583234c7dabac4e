"""What a picture in the Poincaré disk needs to know of an estimator and of splits."""

import math
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from geolearn.manifolds import convert_hyperbolic
from geolearn.manifolds._hyperbolic_points import check_hyperbolic_points
from geolearn.plotting._coordinates import final_estimator

_CURVE_POINTS = 129


class Geometry(NamedTuple):
    """The model of the points that an estimator of the hyperbolic plane takes."""

    model: str
    curvature: float
    time_axis: int

    @property
    def radius(self):
        return 1.0 / math.sqrt(-self.curvature)

    def to_disk(self, X):
        """Return points of the model in the Poincaré disk."""
        X = np.asarray(X)
        dtype, X = X.dtype, X.astype(np.float64)
        check_hyperbolic_points(
            X, self.model, self.curvature, time_axis=self.time_axis, dtype=dtype
        )
        if self.model == "hyperboloid":
            time = self.time_axis % 3
            X = np.concatenate([X[:, [time]], np.delete(X, time, axis=1)], axis=1)
        return convert_hyperbolic(X, self.model, "poincare", self.curvature)

    def from_disk(self, points):
        """Return points of the Poincaré disk in the model."""
        X = convert_hyperbolic(points, "poincare", self.model, self.curvature)
        if self.model == "hyperboloid":
            X = np.insert(X[:, 1:], self.time_axis % 3, X[:, 0], axis=1)
        return X


def geometry_of(estimator, model=None, curvature=None, time_axis=None) -> Geometry:
    """Find the model of the points that an estimator takes.

    Parameters
    ----------
    estimator : estimator object
        Hyperbolic estimator, tree or forest of a single hyperbolic component, or a
        pipeline or search with one of these or with `AxialCoordinates` inside.
    model, curvature, time_axis : optional
        Take the place of what is found.

    Returns
    -------
    Geometry
        The model.

    Raises
    ------
    ValueError
        If nothing is found and not all is given.
    """
    source = _described(estimator)
    found: dict[str, Any] = {}
    if hasattr(source, "curvature"):
        found = {n: getattr(source, n, None) for n in Geometry._fields}
    elif getattr(source, "signature", None) is not None:
        components = list(source.signature)
        if len(components) != 1 or not components[0][0] < 0.0:
            raise ValueError(
                f"signature={components} is not that of a hyperbolic plane; only "
                f"[(curvature, 2)] with a negative curvature can be drawn in the disk."
            )
        found = {"model": "hyperboloid", "curvature": components[0][0]}
    given = {"model": model, "curvature": curvature, "time_axis": time_axis}
    merged = {"time_axis": 0, **{k: v for k, v in found.items() if v is not None}}
    merged.update({k: v for k, v in given.items() if v is not None})
    missing = [name for name in ("model", "curvature") if name not in merged]
    if missing:
        raise ValueError(
            f"{type(final_estimator(estimator)).__name__} does not say which points it "
            f"takes; pass {' and '.join(missing)} to the display."
        )
    return Geometry(**merged)


def _described(estimator):
    """Return the part of an estimator that says what its points are."""
    if hasattr(estimator, "best_estimator_"):
        return _described(estimator.best_estimator_)
    if isinstance(estimator, Pipeline):
        # Points enter the first step.
        return _described(estimator.steps[0][1])
    return estimator


def trees_of(estimator, axial=False):
    """Return the trees whose thresholds are axial coordinates, as Split tables.

    Parameters
    ----------
    estimator : estimator object
        Fitted.
    axial : bool, default=False
        Whether its features are axial coordinates; else those are left out that do
        not make them themselves.

    Returns
    -------
    list of tuple
        (left, right, axis, threshold) of each tree, arrays over its nodes; `axis` is
        -1 at leaves and at splits that are not thresholds of axial coordinates. Empty
        if the estimator has no trees with public nodes, or other features.
    """
    if hasattr(estimator, "best_estimator_"):
        return trees_of(estimator.best_estimator_, axial)
    if isinstance(estimator, Pipeline):
        first, last = estimator.steps[0][1], estimator.steps[-1][1]
        if len(estimator.steps) == 1:
            return trees_of(last, axial)
        plain = len(estimator.steps) == 2 and type(first).__name__ == "AxialCoordinates"
        return trees_of(last, axial=True) if plain else []
    axial = axial or hasattr(estimator, "feature_scale_")
    scale = getattr(estimator, "feature_scale_", 1.0)
    if hasattr(estimator, "tree_"):
        known = axial or hasattr(estimator.tree_, "base_axis")
        return [_nodes(estimator.tree_, scale)] if known else []
    members = getattr(estimator, "estimators_", [])
    if isinstance(members, np.ndarray):  # of gradient boosting, one row a stage
        members = members.ravel()
    columns = getattr(estimator, "estimators_features_", [None] * len(members))
    return [
        (left, right, _columns_of(axis, own), threshold / scale)
        for member, own in zip(members, columns, strict=True)
        for left, right, axis, threshold in trees_of(member, axial)
    ]


def _columns_of(axis, columns):
    """Return the axes of a tree that was fitted to some of the columns."""
    if columns is None:
        return axis
    return np.where(axis >= 0, np.asarray(columns)[np.maximum(axis, 0)], -1)


def _nodes(tree, scale):
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    axis = np.where(left >= 0, tree.feature, -1)
    if hasattr(tree, "base_axis"):  # of a product: other features are possible
        axial = (tree.base_axis == 0) & (tree.axis > 0) & ~np.asarray(tree.circular)
        axis = np.where((left >= 0) & axial, np.asarray(tree.axis) - 1, -1)
    return left, right, axis, np.asarray(tree.threshold) / scale


def split_curves(tree, radius):
    """Return the splits of a tree in the Poincaré disk, each within its node's cell.

    Parameters
    ----------
    tree : tuple
        (left, right, axis, threshold), see `trees_of`.
    radius : float
        Radius of curvature, and of the disk.

    Returns
    -------
    list of ndarray of shape (n_points, 2)
        Arcs of geodesics, parents before children.
    """
    left, right, axes, thresholds = tree
    curves = []
    stack = [(0, np.full(2, -np.inf), np.full(2, np.inf))]
    while stack:
        node, lower, upper = stack.pop()
        if left[node] < 0:
            continue
        axis, t = axes[node], thresholds[node] / radius
        low_side, high_side = lower.copy(), upper.copy()
        if axis >= 0 and np.isfinite(t):
            other = 1 - axis
            curve = geodesic(axis, t, lower[other], upper[other])
            if curve is not None:
                curves.append(radius * curve)
            high_side[axis], low_side[axis] = min(t, upper[axis]), max(t, lower[axis])
        stack.append((right[node], low_side, upper))
        stack.append((left[node], lower, high_side))
    return curves


def geodesic(axis, t, lower, upper):
    """Return the part of {s_axis = t} with the other axial coordinate in an interval.

    Parameters
    ----------
    axis : {0, 1}
        Axis that the geodesic is perpendicular to.
    t : float
        Where it meets the axis, in radii of curvature.
    lower, upper : float
        Interval of the other axial coordinate; may be infinite.

    Returns
    -------
    ndarray of shape (n_points, 2) or None
        Points of the unit disk; None if the interval does not meet the geodesic.
    """
    # At the length a from the axis the other coordinate is artanh(tanh(a) / cosh(t)).
    ends = np.tanh([lower, upper]) * math.cosh(min(abs(t), 700.0))
    if ends[0] >= 1.0 or ends[1] <= -1.0:
        return None
    # b = tanh(a / 2) runs over the whole geodesic in (-1, 1).
    b_low, b_high = np.tanh(np.arctanh(np.clip(ends, -1.0 + 1e-16, 1.0 - 1e-16)) / 2.0)
    b_low, b_high = (
        (-1.0 if ends[0] <= -1.0 else b_low),
        (1.0 if ends[1] >= 1.0 else b_high),
    )
    b = np.linspace(b_low, b_high, _CURVE_POINTS)
    # (sinh t cosh a, sinh a) / (1 + cosh t cosh a), times (1 - b^2) and 1 / cosh(t)
    gap, total = (1.0 - b**2) / math.cosh(min(abs(t), 700.0)), 1.0 + b**2
    points = np.empty((_CURVE_POINTS, 2))
    points[:, axis] = math.tanh(t) * total / (gap + total)
    points[:, 1 - axis] = 2.0 * b / math.cosh(min(abs(t), 700.0)) / (gap + total)
    return points
