"""Membership of rows, checked once at the door of the public functions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from geolearn.metrics._registry import Metric, get_metric

_TOLERANCE = 1e-6  # relative, as in the checks of the manifolds


def _offence(name, rows, deviation, what, remedy) -> None:
    # Raise for the first row whose deviation exceeds the tolerance (or is NaN).
    wrong = np.flatnonzero(~(deviation <= _TOLERANCE))
    if wrong.size:
        first = wrong[0]
        raise ValueError(
            f"{name}[{first}] {what(first)} (relative deviation "
            f"{deviation[first]:.1e}; {wrong.size} of {rows.shape[0]} rows are off). "
            f"{remedy}"
        )


def _check_sphere(X, options, name):
    radius = options["radius"]
    norms = np.linalg.norm(X, axis=1)
    _offence(
        name,
        X,
        np.abs(norms - radius) / radius,
        lambda i: (
            f"is not on the sphere of radius {radius:g}: its norm is {norms[i]:g}"
        ),
        "Divide the rows by their norms and multiply by the radius, or give the "
        "radius in metric_params or by a manifold instance.",
    )


def _check_hyperboloid(X, options, name):
    curvature = options["curvature"]
    spatial = np.linalg.norm(X[:, 1:], axis=1)
    times = np.hypot(1.0 / np.sqrt(-curvature), spatial)
    _offence(
        name,
        X,
        np.abs(X[:, 0] - times) / times,
        lambda i: (
            f"is not on the hyperboloid of curvature {curvature:g}: its time "
            f"coordinate (column 0) is {X[i, 0]:g} but should be {times[i]:g}"
        ),
        "Set column 0 to sqrt(-1 / curvature + sum of the squares of the others), or "
        "give the curvature in metric_params or by a manifold instance.",
    )


def _check_poincare(X, options, name):
    curvature = options["curvature"]
    bound = 1.0 / np.sqrt(-curvature)
    norms = np.linalg.norm(X, axis=1)
    # The boundary is infinitely far away: there is no tolerance.
    inside = -curvature * np.einsum("ij,ij->i", X, X) < 1.0
    _offence(
        name,
        X,
        np.where(inside, 0.0, np.maximum(norms / bound - 1.0, 2 * _TOLERANCE)),
        lambda i: (
            f"is not inside the Poincaré ball of curvature {curvature:g}: its norm "
            f"{norms[i]:.17g} is not below {bound:g}"
        ),
        "Scale the rows into the ball, or give the curvature in metric_params or by a "
        "manifold instance.",
    )


def _check_simplex(X, options, name):
    lowest = X.min(axis=1)
    _offence(
        name,
        X,
        -np.minimum(lowest, 0.0),
        lambda i: f"is not a probability vector: its smallest entry is {lowest[i]:g}",
        "Clip the rows at zero and divide them by their sums.",
    )
    sums = X.sum(axis=1)
    _offence(
        name,
        X,
        np.abs(sums - 1.0),
        lambda i: f"is not a probability vector: its sum is {sums[i]:g}",
        "Divide the rows by their sums.",
    )


def _check_product(X, options, name):
    factors = options["factors"]
    total = sum(n_columns for _, n_columns, _ in factors)
    if X.shape[1] != total:
        raise ValueError(
            f"{name} has {X.shape[1]} columns, but the factors of metric 'product' "
            f"have {total} in all; change metric_params['factors']."
        )
    start = 0
    for k, (factor, n_columns, values) in enumerate(factors):
        columns = X[:, start : start + n_columns]
        check_rows(get_metric(factor), values, columns, f"factor {k} of {name}")
        start += n_columns


_CHECKS = {
    "sphere": _check_sphere,
    "hyperboloid": _check_hyperboloid,
    "poincare": _check_poincare,
    "simplex": _check_simplex,
    "product": _check_product,
}


def check_rows(
    metric: Metric, options: Mapping[str, Any], X: np.ndarray, name: str
) -> None:
    """Raise ValueError if a row of `X` is not a point of the space of `metric`.

    Parameters
    ----------
    metric : Metric
        Record of the metric.
    options : mapping
        Its complete parameters.
    X : ndarray of shape (n, n_columns)
        Finite rows.
    name : str
        Name of the array for the message, which gives the first offending row, its
        relative deviation and the remedy.
    """
    if X.shape[1] < metric.min_columns:
        raise ValueError(
            f"{name} has {X.shape[1]} column(s), but points of metric "
            f"{metric.name!r} have at least {metric.min_columns}."
        )
    if metric.membership in _CHECKS:
        _CHECKS[metric.membership](X, options, name)
