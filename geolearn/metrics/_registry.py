"""The metrics of the package: names, parameters, flags, and where the kernels live."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

__all__ = ["Metric", "Parameter", "get_metric", "metric_names"]

_CONSTRAINTS: dict[str, Callable[[float], bool]] = {
    "positive": lambda value: value > 0,
    "negative": lambda value: value < 0,
}


@dataclass(frozen=True)
class Parameter:
    """Describe one numeric parameter of a metric.

    Parameters
    ----------
    name : str
        Name of the argument.
    default : float
        Value when it is not given.
    constraint : {"positive", "negative"}
        Sign that the value must have.
    description : str
        What it means, one sentence.
    """

    name: str
    default: float
    constraint: str
    description: str

    def check(self, value: Any, metric: str) -> float:
        """Return `value` as a float or raise an error that names the remedy.

        Parameters
        ----------
        value : object
            Value to check.
        metric : str
            Name of the metric, for the message.

        Returns
        -------
        float
            The value.
        """
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(
                f"{self.name}={value!r} of metric {metric!r} must be a number, "
                f"got {type(value).__name__}."
            )
        number = float(value)
        if not isfinite(number) or not _CONSTRAINTS[self.constraint](number):
            raise ValueError(
                f"{self.name}={value!r} of metric {metric!r} must be {self.constraint} "
                f"and finite; the default is {self.default}."
            )
        return number


@dataclass(frozen=True)
class Metric:
    """Describe one metric; the kernels are looked up by name at each use.

    Parameters
    ----------
    name : str
        Name for ``metric=``.
    aliases : tuple of str
        Other names that are understood.
    module : str
        Module with the kernels `distance` and `distance_row`.
    parameters : tuple of Parameter
        Numeric parameters in the order in which the kernels take them.
    is_riemannian : bool
        Whether it is the geodesic distance of a Riemannian manifold.
    is_flat : bool
        Whether that manifold has zero curvature.
    extra_columns : int or None
        Number of columns of a point minus the dimension of its space, None when it
        depends on the parameters.
    min_columns : int
        Smallest number of columns of a point.
    membership : {"none", "sphere", "hyperboloid", "poincare", "simplex", "product"}
        Condition on the rows.
    description : str
        What the metric is, one sentence.
    """

    name: str
    aliases: tuple[str, ...]
    module: str
    parameters: tuple[Parameter, ...]
    is_riemannian: bool
    is_flat: bool
    extra_columns: int | None
    min_columns: int
    membership: str
    description: str

    @property
    def distance(self) -> Any:
        """Pairwise kernel ``distance(x, y, *parameters)``."""
        return import_module(self.module).distance

    @property
    def distance_row(self) -> Any:
        """Row kernel ``distance_row(X, i, Y, params, out)``."""
        return import_module(self.module).distance_row

    def options(self, metric_params: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return all parameters, the given ones checked and the others by default.

        Parameters
        ----------
        metric_params : mapping or None
            Parameters by name.

        Returns
        -------
        dict
            Parameters by name, complete.
        """
        given = dict(metric_params or {})
        if self.membership == "product":
            return _product_options(given)
        known = [parameter.name for parameter in self.parameters]
        for key in given:
            if key not in known:
                takes = f"it takes {known}" if known else "it takes none"
                raise ValueError(
                    f"metric {self.name!r} has no parameter {key!r}; {takes}."
                )
        return {
            parameter.name: parameter.check(
                given.get(parameter.name, parameter.default), self.name
            )
            for parameter in self.parameters
        }

    def pack(self, options: Mapping[str, Any]) -> np.ndarray:
        """Return the float64 vector `params` that the row kernel takes.

        Parameters
        ----------
        options : mapping
            Complete parameters as returned by `options`.

        Returns
        -------
        ndarray of shape (n_numbers,)
            Parameters in the order of the kernel.
        """
        if self.membership == "product":
            module = import_module(self.module)
            return module.signature(options["factors"], options["scales"])
        return np.array([options[p.name] for p in self.parameters], dtype=np.float64)


_RADIUS = Parameter("radius", 1.0, "positive", "Radius of the sphere.")
_CURVATURE = Parameter("curvature", -1.0, "negative", "Sectional curvature.")


def _metric(name, description, *, aliases=(), parameters=(), **fields) -> Metric:
    defaults: dict[str, Any] = {
        "is_riemannian": True,
        "is_flat": False,
        "extra_columns": 0,
        "min_columns": 1,
        "membership": "none",
    }
    return Metric(
        name=name,
        aliases=tuple(aliases),
        module=f"geolearn.metrics.{name}",
        parameters=tuple(parameters),
        description=description,
        **(defaults | fields),
    )


_METRICS = (
    _metric(
        "euclidean",
        "Straight-line distance.",
        aliases=("l2",),
        is_flat=True,
    ),
    _metric(
        "sphere",
        "Great-circle distance of rows of norm `radius`.",
        aliases=("great_circle",),
        parameters=(_RADIUS,),
        extra_columns=1,
        min_columns=2,
        membership="sphere",
    ),
    _metric(
        "hyperboloid",
        "Hyperbolic distance in the Lorentz model, time coordinate first.",
        aliases=("lorentz",),
        parameters=(_CURVATURE,),
        extra_columns=1,
        min_columns=2,
        membership="hyperboloid",
    ),
    _metric(
        "poincare",
        "Hyperbolic distance in the Poincaré ball.",
        aliases=("poincare_ball",),
        parameters=(_CURVATURE,),
        membership="poincare",
    ),
    _metric(
        "fisher_rao",
        "Geodesic distance of probability vectors under the Fisher information.",
        aliases=("fisher",),
        extra_columns=1,
        membership="simplex",
    ),
    _metric(
        "torus",
        "Flat distance of vectors of angles in radians.",
        is_flat=True,
    ),
    _metric(
        "product",
        "Square root of the weighted sum of squared distances of the factors.",
        extra_columns=None,
        membership="product",
    ),
)
_BY_NAME = {
    name: metric for metric in _METRICS for name in (metric.name, *metric.aliases)
}


def metric_names() -> list[str]:
    """List the names of the metrics of this package.

    Returns
    -------
    list of str
        Names without aliases, in alphabetical order.

    Examples
    --------
    >>> from geolearn.metrics import metric_names
    >>> metric_names()[:3]
    ['euclidean', 'fisher_rao', 'hyperboloid']
    """
    return sorted(metric.name for metric in _METRICS)


def get_metric(name: str) -> Metric:
    """Return the record of a metric of this package.

    Parameters
    ----------
    name : str
        Name or alias.

    Returns
    -------
    Metric
        Name, parameters, flags, and the kernels as attributes `distance` and
        `distance_row`.

    Raises
    ------
    ValueError
        If there is no metric of that name.

    Examples
    --------
    >>> from geolearn.metrics import get_metric
    >>> sphere = get_metric("great_circle")
    >>> sphere.name, sphere.parameters[0].name
    ('sphere', 'radius')
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = get_close_matches(str(name), _BY_NAME, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"metric={name!r} is not a metric of geolearn; choose from "
        f"{metric_names()}.{hint}"
    )


def _factor(factor: Any, position: int) -> tuple[str, int, dict[str, Any]]:
    # One factor of a product: (name, n_columns) or (name, n_columns, parameters).
    if isinstance(factor, str) or not 2 <= len(factor) <= 3:
        raise TypeError(
            f"factors[{position}]={factor!r} of metric 'product' must be a tuple "
            "(name, n_columns) or (name, n_columns, parameters)."
        )
    metric = get_metric(factor[0])
    n_columns = int(factor[1])
    if n_columns < metric.min_columns or n_columns != factor[1]:
        raise ValueError(
            f"factors[{position}]={factor!r} of metric 'product': a point of "
            f"{metric.name!r} has at least {metric.min_columns} columns."
        )
    options = metric.options(factor[2] if len(factor) == 3 else None)
    inner = sum(factor[1] for factor in options.get("factors", ()))
    if inner not in (0, n_columns):
        raise ValueError(
            f"factors[{position}] of metric 'product' has {n_columns} columns, but its "
            f"own factors have {inner} in all."
        )
    return metric.name, n_columns, options


def _product_options(given: dict[str, Any]) -> dict[str, Any]:
    for key in given:
        if key not in ("factors", "scales"):
            raise ValueError(
                f"metric 'product' has no parameter {key!r}; "
                "it takes ['factors', 'scales']."
            )
    factors = given.get("factors")
    if factors is None or len(factors) == 0:
        raise ValueError(
            "metric 'product' needs metric_params={'factors': [(name, n_columns, "
            "parameters), ...]} with at least one factor."
        )
    checked = [_factor(factor, k) for k, factor in enumerate(factors)]
    scales = given.get("scales")
    if scales is None:
        scales = [1.0] * len(checked)
    if len(scales) != len(checked):
        raise ValueError(
            f"metric 'product' has {len(checked)} factors but {len(scales)} scales; "
            "give one scale for each factor, or scales=None."
        )
    for k, scale in enumerate(scales):
        Parameter(f"scales[{k}]", 1.0, "positive", "").check(scale, "product")
    return {"factors": checked, "scales": [float(scale) for scale in scales]}
