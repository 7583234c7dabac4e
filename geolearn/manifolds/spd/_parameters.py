"""The parameters of `SPD`, checked and in canonical form."""

import math
from numbers import Real

import numpy as np

from geolearn.manifolds.spd._forms import ASYMMETRY, symmetrise
from geolearn.manifolds.spd._names import canonical_name
from geolearn.utils.validation import check_positive

__all__ = ["canonical_parameters"]

_FAMILY = ("affine_invariant", "log_euclidean")
_POWERS = ("affine_invariant", "bures_wasserstein", "log_cholesky", "power_euclidean")
_MATRICES = ("bures_wasserstein",)
# Names of members of a family: family and power.
_MEMBERS = {
    "harmonic": ("power_euclidean", -1.0),
    "polar_affine": ("affine_invariant", 2.0),
}


def canonical_parameters(n, metric, alpha, beta, power, metric_matrix):
    """Return the checked parameters by name, in the form that compares equal."""
    name = canonical_name(metric)
    if name in _MEMBERS:
        _refuse("power", power is not None, metric, (_MEMBERS[name][0],))
        name, power = _MEMBERS[name]
    alpha = check_positive(alpha, "alpha")
    beta = _number(beta, "beta")
    if name not in _FAMILY:
        _refuse("alpha", alpha != 1.0, metric, _FAMILY)
        _refuse("beta", beta != 0.0, metric, _FAMILY)
    if not beta > -alpha / n:
        raise ValueError(
            f"beta={beta:g} must be above -alpha / n = {-alpha / n:g}, or the metric "
            f"is not positive; raise beta."
        )
    return {
        "metric": name,
        "alpha": alpha,
        "beta": beta,
        "power": _power(name, metric, power),
        "metric_matrix": _matrix(name, metric, metric_matrix, n),
    }


def _refuse(parameter, given, metric, users):
    if given:
        raise ValueError(
            f"{parameter} has no meaning for metric={metric!r}; it belongs to "
            f"{', '.join(users)}. Leave it at its default."
        )


def _number(value, name):
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}.")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}.")
    return float(value)


def _power(name, metric, power):
    if name == "power_euclidean" and power is None:
        return 0.5
    if power is None:
        return None
    _refuse("power", name not in _POWERS, metric, _POWERS)
    power = _number(power, "power")
    if power == 0.0:
        raise ValueError(
            "power must not be 0; the limit of power_euclidean and affine_invariant "
            "as power tends to 0 is metric='log_euclidean'."
        )
    return None if power == 1.0 and name != "power_euclidean" else power


def _matrix(name, metric, matrix, n):
    if matrix is None:
        return None
    _refuse("metric_matrix", name not in _MATRICES, metric, _MATRICES)
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.shape != (n, n):
        raise ValueError(
            f"metric_matrix must have shape ({n}, {n}), got {matrix.shape}."
        )
    if not np.isfinite(matrix).all():
        raise ValueError("metric_matrix contains NaN or infinity.")
    off = np.abs(matrix - matrix.T).max()
    if off > ASYMMETRY * np.abs(matrix).max():
        raise ValueError(f"metric_matrix is not symmetric: it is off by {off:.3g}.")
    matrix = symmetrise(matrix)
    smallest = np.linalg.eigvalsh(matrix)[0]
    if not smallest > n * np.finfo(float).eps * np.diag(matrix).max():
        raise ValueError(
            f"metric_matrix is not positive definite (smallest eigenvalue "
            f"{smallest:.3g})."
        )
    return tuple(tuple(row) for row in matrix.tolist())
