"""From the parameters of `SPD` to a geometry."""

import numpy as np

from geolearn.manifolds.spd._affine import AffineInvariant
from geolearn.manifolds.spd._bures import BuresWasserstein
from geolearn.manifolds.spd._charts import (
    CholeskyChart,
    LinearChart,
    LogChart,
    PowerChart,
)
from geolearn.manifolds.spd._deformation import CongruenceMap, PowerMap, PulledBack
from geolearn.manifolds.spd._divergences import Divergence, Reversed, Stein
from geolearn.manifolds.spd._flat import Flat
from geolearn.manifolds.spd._kernels import KernelMetric

__all__ = ["build_geometry"]


def build_geometry(n, metric, alpha, beta, power, metric_matrix):
    """Return the geometry that canonical parameters describe."""
    geometry = _base(n, metric, alpha, beta, power)
    if metric_matrix is not None:
        geometry = PulledBack(geometry, CongruenceMap(np.array(metric_matrix)))
    if power is not None and metric != "power_euclidean":
        geometry = PulledBack(geometry, PowerMap(power))
    return geometry


def _base(n, metric, alpha, beta, power):
    if metric == "affine_invariant":
        return AffineInvariant(n, alpha, beta)
    if metric == "bures_wasserstein":
        return BuresWasserstein(n)
    if metric == "stein":
        return Stein(n)
    if metric == "kullback_leibler_reversed":
        return Reversed(n)
    if metric == "bogoliubov_kubo_mori":
        return KernelMetric(metric, metric)
    charts = {
        "cholesky": lambda: CholeskyChart(n, logarithmic=False),
        "euclidean": lambda: LinearChart(n),
        "log_cholesky": lambda: CholeskyChart(n, logarithmic=True),
        "log_euclidean": lambda: LogChart(n, alpha, beta),
        "power_euclidean": lambda: PowerChart(n, power),
    }
    if metric in charts:
        return Flat(metric, charts[metric]())
    return Divergence(metric, n)
