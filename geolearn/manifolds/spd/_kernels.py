"""Kernel metrics: entries in the eigenbasis divided by a function of two values."""

import numpy as np

from geolearn import linalg
from geolearn.manifolds.spd._geometry import Geometry
from geolearn.manifolds.spd._spectral import (
    divided_log,
    divided_power,
    eigen,
    rotate,
    unvec,
    vec,
)

__all__ = ["KERNELS", "KernelMetric", "kernel_factors"]


def _means(d):
    return d[..., :, None], d[..., None, :]


def _polar_affine(d, power):
    x, y = _means(d)
    return (2.0 * x * (y / (x + y))) ** 2


# 1 / phi(d_i, d_j) at all pairs of eigenvalues, as functions of d and of the power.
KERNELS = {
    "affine_invariant": lambda d, power: _product(d, power),
    "bogoliubov_kubo_mori": lambda d, power: divided_log(d),
    "bures_wasserstein": lambda d, power: 0.5 / np.add(*_means(d)),
    "euclidean": lambda d, power: np.ones((*d.shape, d.shape[-1])),
    "log_euclidean": lambda d, power: divided_log(d) ** 2,
    "polar_affine": lambda d, power: 1.0 / _polar_affine(d, power),
    "power_euclidean": lambda d, power: (divided_power(d, power) / power) ** 2,
}


def _product(d, power):
    x, y = _means(d)
    if power is None or power == 1.0:
        return 1.0 / x / y
    return (divided_power(d, power) / power) ** 2 * (x * y) ** -power


def kernel_factors(kernel, d, power=None):
    """Return 1 / phi at all pairs of eigenvalues, for a name or a function phi."""
    if not callable(kernel):
        return KERNELS[kernel](d, power)
    values = np.asarray(kernel(*_means(d)), dtype=np.float64)
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
