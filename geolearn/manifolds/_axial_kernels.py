"""Kernels of the axial coordinates, apart, so that manifolds load without numba."""

import math

from geolearn.utils._jit import kernel

__all__ = ["axial_from_ball", "sinh_of_axial"]

_LARGE = 1e150  # squares of larger numbers may overflow


@kernel(nogil=True)
def _axial_row(x, offset, squared_radius, out):
    """Fill out with x_d / sqrt(R^2 + the other squares), summed apart."""
    n = out.shape[0]
    before = squared_radius
    for d in range(n):
        out[d] = before
        before += x[offset + d] * x[offset + d]
    after = 0.0
    for d in range(n - 1, -1, -1):
        value = x[offset + d]
        out[d] = value / math.sqrt(out[d] + after)
        after += value * value


@kernel(nogil=True)
def _extreme_row(x, offset, radius, out):
    """Fill out as `_axial_row` does, for sizes whose squares overflow or vanish.

    Each sum has a unit of its own: beside a far point on an axis, R would vanish.
    """
    n = out.shape[0]
    for d in range(n):
        unit = radius
        for e in range(n):
            if e != d:
                unit = max(unit, abs(x[offset + e]))
        total = (radius / unit) ** 2
        for e in range(n):
            if e != d:
                total += (x[offset + e] / unit) ** 2
        out[d] = x[offset + d] / unit / math.sqrt(total)


@kernel(nogil=True)
def sinh_of_axial(X, offset, radius, out):
    """Fill out (n, D) with sinh(s / R), from columns offset, ... of the points.

    NumPy takes the inverse: with vector instructions, ten times faster than here.
    """
    for i in range(out.shape[0]):
        largest = radius
        for d in range(out.shape[1]):
            largest = max(largest, abs(X[i, offset + d]))
        if largest < _LARGE and radius > 1.0 / _LARGE:
            _axial_row(X[i], offset, radius * radius, out[i])
        else:
            _extreme_row(X[i], offset, radius, out[i])


@kernel(nogil=True)
def axial_from_ball(X, radius, out):
    """Fill out (n, D) from points of the Poincaré ball of the given radius."""
    n_axes = out.shape[1]
    for i in range(out.shape[0]):
        before = 0.0
        for d in range(n_axes):
            out[i, d] = before
            before += (X[i, d] / radius) ** 2
        after = 0.0
        for d in range(n_axes - 1, -1, -1):
            p = X[i, d] / radius
            gap = (1.0 - abs(p)) ** 2 + out[i, d] + after
            s = 0.5 * radius * math.log1p(4.0 * abs(p) / gap) if p != 0.0 else 0.0 * gap
            out[i, d] = math.copysign(s, p)
            after += p * p
