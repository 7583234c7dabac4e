"""Kernel metrics: entries in the eigenbasis divided by a function of two values."""

from collections.abc import Callable

import numpy as np

from geolearn import linalg
from geolearn.manifolds.spd._forms import (
    divided_log,
    divided_power,
    unvec,
    vec,
)
from geolearn.manifolds.spd._geometry import Geometry
from geolearn.manifolds.spd._spectral import (
    eigen,
    rotate,
)

__all__ = ["KERNELS", "WITH_POWER", "KernelMetric", "kernel_factors"]


WITH_POWER = ("power_affine", "power_euclidean")


def _pairs(d):
    return d[..., :, None], d[..., None, :]


def _polar_affine(d, power):
    x, y = _pairs(d)
    return (0.5 / x + 0.5 / y) ** 2


def _affine(d, power):
    return 1.0 / d[..., :, None] / d[..., None, :]


def _power_euclidean(d, power):
    return (divided_power(d, power) / power) ** 2


def _power_affine(d, power):
    x, y = _pairs(d)
    return (
        divided_power(d, power) / power * x ** (-power / 2) * y ** (-power / 2)
    ) ** 2


# 1 / phi(d_i, d_j) at all pairs of eigenvalues d, given the power.
KERNELS: dict[str, Callable] = {
    "affine_invariant": _affine,
    "bogoliubov_kubo_mori": lambda d, power: divided_log(d),
    "bures_wasserstein": lambda d, power: 0.5 / np.add(*_pairs(d)),
    "euclidean": lambda d, power: np.ones((*d.shape, d.shape[-1])),
    "log_euclidean": lambda d, power: divided_log(d) ** 2,
    "polar_affine": _polar_affine,
    "power_affine": _power_affine,
    "power_euclidean": _power_euclidean,
}


def kernel_factors(kernel, d, power=None):
    """Return 1 / phi at all pairs of eigenvalues, for a name or a function phi."""
    if not callable(kernel):
        return KERNELS[kernel](d, power)
    values = np.asarray(kernel(*_pairs(d)), dtype=np.float64)
    values = np.broadcast_to(values, (*d.shape, d.shape[-1]))
    if not (values > 0.0).all():
        raise ValueError(
            "kernel must return positive numbers phi(x, y) for positive x and y, got "
            f"a smallest value of {values.min()}."
        )
    return 1.0 / values


class KernelMetric(Geometry):
    """A kernel metric without known geodesics: inner products only.

    Parameters
    ----------
    name : str
        Name of the kernel or of the metric.
    kernel : str or callable
        Name in `KERNELS`, or function phi(x, y), symmetric and positive.
    power : float or None
        Parameter of some kernels.
    """

    def __init__(self, name, kernel, power=None):
        super().__init__(name)
        self.kernel, self.power = kernel, power

    def to_vector(self, P, V):
        """Return vec of V_ij / sqrt(phi(d_i, d_j)) in the eigenbasis of P."""
        d, U = eigen(P)
        return vec(rotate(U, V) * np.sqrt(kernel_factors(self.kernel, d, self.power)))

    def from_vector(self, P, w):
        """Undo `to_vector`."""
        d, U = eigen(P)
        roots = np.sqrt(kernel_factors(self.kernel, d, self.power))
        return linalg.congruence(U, unvec(w, P.shape[-1]) / roots)
