"""From the argument `metric=` to what the drivers need."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geolearn.metrics._points import check_rows
from geolearn.metrics._registry import _METRICS, Metric, get_metric, metric_names


@dataclass(frozen=True)
class KernelMetric:
    """A metric of this package with its parameters.

    Parameters
    ----------
    metric : Metric
        Record of the metric.
    options : dict
        Complete parameters by name.
    """

    metric: Metric
    options: dict[str, Any]
    params: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "params", self.metric.pack(self.options))

    @property
    def row(self):
        """Row kernel of the metric."""
        return self.metric.distance_row

    def validate(self, X, Y):
        """Return X and Y (None stays None) as C-contiguous float64 points."""
        X, Y = check_tables(X, Y)
        check_rows(self.metric, self.options, X, "X")
        if Y is not None:
            check_rows(self.metric, self.options, Y, "Y")
        return X, Y


@dataclass(frozen=True)
class ManifoldMetric:
    """The distance of a manifold without a kernel, computed by broadcasting.

    Parameters
    ----------
    manifold : object
        Has a method `dist(x, y)` that broadcasts over the leading axes. A manifold
        that computes whole tables faster has a method
        `_distance_table(X, Y, n_jobs=..., out=...)`, where Y=None stands for X.
    """

    manifold: Any

    @property
    def fills(self):
        """Whether the manifold computes tables by itself."""
        return hasattr(self.manifold, "_distance_table")

    def validate(self, X, Y):
        """Return X and Y (None stays None) as finite float64 arrays of points."""
        X = _finite(X, "X")
        Y = None if Y is None else _finite(Y, "Y")
        if Y is not None and X.shape[1:] != Y.shape[1:]:
            raise ValueError(
                f"X has points of shape {X.shape[1:]} and Y of shape {Y.shape[1:]}; "
                "both must come from the same manifold."
            )
        return X, Y

    def fill(self, X, Y, out, n_jobs=None):
        """Let the manifold fill a table; Y=None stands for X."""
        self.manifold._distance_table(X, Y, n_jobs=n_jobs, out=out)

    def table(self, X, Y, n_jobs=None):
        """Return the distances of all points of X to all points of Y."""
        if self.fills:
            D = np.empty((X.shape[0], Y.shape[0]))
            self.fill(X, Y, D, n_jobs)
            return D
        D = np.asarray(self.manifold.dist(X[:, None], Y[None]), dtype=np.float64)
        if D.shape != (X.shape[0], Y.shape[0]):
            raise ValueError(
                f"{self.manifold!r}.dist(X[:, None], Y[None]) returned an array of "
                f"shape {D.shape} instead of {(X.shape[0], Y.shape[0])}; `dist` must "
                "broadcast over the leading axes."
            )
        return D


@dataclass(frozen=True)
class FlatMetric(KernelMetric):
    """The Euclidean distance of coordinates, for a manifold with a flat chart.

    Parameters
    ----------
    manifold : object
        The manifold.
    coordinates : callable
        Takes points and returns vectors with the same distances.
    """

    manifold: Any = None
    coordinates: Any = None

    def validate(self, X, Y):
        """Return the coordinates of X and Y (None stays None)."""
        X, Y = ManifoldMetric(self.manifold).validate(X, Y)
        Y = None if Y is None else self.coordinates(Y)
        return super().validate(self.coordinates(X), Y)


@dataclass(frozen=True)
class SklearnMetric:
    """A metric name of scikit-learn, or a callable, delegated to scikit-learn.

    Parameters
    ----------
    metric : str or callable
        What scikit-learn takes.
    options : dict
        Its keyword arguments.
    """

    metric: str | Callable
    options: dict[str, Any]

    def validate(self, X, Y):
        """Return X and Y with floats in float64; scikit-learn checks the rest."""
        return _as_float64(X), None if Y is None else _as_float64(Y)


def check_tables(X, Y):
    """Return X and Y (None stays None) as finite C-contiguous float64 tables."""
    from sklearn.utils import check_array

    X = check_array(X, dtype=np.float64, order="C", input_name="X")
    if Y is None:
        return X, None
    Y = check_array(Y, dtype=np.float64, order="C", input_name="Y")
    if X.shape[1] != Y.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} columns and Y has {Y.shape[1]}; both must hold points "
            "of the same space."
        )
    return X, Y


def _finite(X, name):
    X = np.ascontiguousarray(X, dtype=np.float64)
    if X.ndim < 2 or X.shape[0] == 0:
        raise ValueError(
            f"{name} must hold at least one point along its first axis, got an array "
            f"of shape {X.shape}."
        )
    if not np.isfinite(X).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return X


def _as_float64(X):
    from scipy.sparse import issparse

    if issparse(X):
        return X.astype(np.float64)
    X = np.asarray(X)
    return X.astype(np.float64) if X.dtype.kind == "f" else X


def _registered(function) -> Metric | None:
    # The record whose kernel `function` is, so that metric=sphere.distance runs the
    # compiled loops instead of one Python call a pair.
    for metric in _METRICS:
        module = sys.modules.get(metric.module)
        if module is not None and module.distance is function:
            return metric
    return None


def resolve_metric(
    metric: Any, metric_params: Mapping[str, Any] | None = None
) -> KernelMetric | ManifoldMetric | SklearnMetric:
    """Return what computes the distances that `metric` asks for.

    Parameters
    ----------
    metric : str, manifold or callable
        Registry name or alias, a manifold (an object with the method `dist`), a metric
        name of scikit-learn or a callable ``d(x, y)``.
    metric_params : mapping or None
        Keyword arguments of the metric; a manifold carries its own.

    Returns
    -------
    KernelMetric, ManifoldMetric or SklearnMetric
        The distances, with a method `validate`.

    Raises
    ------
    ValueError
        If the name is unknown or a parameter is out of its range.
    TypeError
        If `metric` is none of the above.
    """
    if metric_params is not None and not isinstance(metric_params, Mapping):
        raise TypeError(
            f"metric_params={metric_params!r} must be a dictionary of keyword "
            "arguments or None."
        )
    options = dict(metric_params or {})
    if isinstance(metric, str):
        return _resolve_name(metric, options)
    if not isinstance(metric, type) and hasattr(metric, "dist"):
        return _resolve_manifold(metric, options)
    if callable(metric) and not isinstance(metric, type):
        record = _registered(metric)
        if record is not None and "signature" not in options:
            return KernelMetric(record, record.options(options))
        return SklearnMetric(metric, options)
    raise TypeError(
        f"metric={metric!r} must be a metric name, an instance of a manifold (not a "
        "class) or a callable d(x, y)."
    )


def _resolve_name(name, options):
    if name == "precomputed":
        raise ValueError(
            "metric='precomputed' has no distances to compute: use the matrix itself, "
            "or pass it with metric='precomputed' to an estimator or to "
            "geolearn.graph.nearest_neighbors."
        )
    try:
        record = get_metric(name)
    except ValueError:
        record = None
    if record is not None:
        return KernelMetric(record, record.options(options))
    from sklearn.neighbors import VALID_METRICS

    theirs = sorted(set(VALID_METRICS["brute"]) - {"precomputed", *metric_names()})
    if name in theirs:
        return SklearnMetric(name, options)
    raise ValueError(
        f"metric={name!r} is unknown. Metrics of geolearn: {metric_names()}; metrics "
        f"of scikit-learn: {theirs}; or pass a manifold or a callable d(x, y)."
    )


def _resolve_manifold(manifold, options):
    if options:
        raise ValueError(
            f"metric_params={options!r} cannot be combined with metric={manifold!r}: "
            "the manifold carries its parameters; construct it with them."
        )
    described = getattr(manifold, "kernel_metric", lambda: None)()
    if described is None:
        coordinates = getattr(manifold, "_flat_coordinates", lambda: None)()
        if coordinates is not None:
            return FlatMetric(get_metric("euclidean"), {}, manifold, coordinates)
        return ManifoldMetric(manifold)
    name, params = described
    record = get_metric(name)
    return KernelMetric(record, record.options(params))
