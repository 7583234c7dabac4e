"""Distance on the hyperboloid of curvature ``-c``, time coordinate first.

With the spatial parts a, b of two points scaled by ``sqrt(c)``, ``D = a - b``, the
shorter part s of the two, and the times ``x0 = sqrt(1 + |a|**2)``,
``y0 = sqrt(1 + |b|**2)`` recomputed from them (column 0 is not read), the distance is
``2 asinh(sqrt(q)) / sqrt(c)``, where q is a quotient or a sum of non-negative terms:

- ``(|D|**2 + |s|**2 |D_perp|**2) / (2 (1 + x0 y0 + <a, b>))`` for
  ``<a, b> >= 0``, D_perp the part of D orthogonal to s;
- ``((x0 - 1)(y0 - 1) + (x0 - 1) + (y0 - 1) - <a, b>) / 2`` otherwise, with
  ``x0 - 1 = |a|**2 / (1 + x0)``.

The error is of the order of ``eps cosh(r)`` for points at radius r, which is how far
one rounding of the coordinates moves a point; ``arccosh(-<x, y>)`` and the chord
form ``2 asinh(|x - y| / 2)`` have errors of ``eps exp(2 r)``.
"""

import math

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["distance", "distance_row"]


@kernel
def _orthogonal_square(a, b, slope, shorter):
    # Compiled without "reassoc": the order of these operations matters.
    delta = (a - b) - slope * shorter
    return delta * delta


# The order of the terms of a sum does not change the bound of its error: "reassoc" lets
# the loops use vector registers.
@kernel(fastmath={"reassoc", "contract"})
def _sums(x, y):
    aa = 0.0
    bb = 0.0
    ab = 0.0
    dd = 0.0
    da = 0.0
    db = 0.0
    for k in range(1, x.shape[0]):
        a = np.float64(x[k])
        b = np.float64(y[k])
        aa += a * a
        bb += b * b
        ab += a * b
        dd += (a - b) * (a - b)
        da += (a - b) * a
        db += (a - b) * b
    return aa, bb, ab, dd, da, db


@kernel(fastmath={"reassoc", "contract"})
def _orthogonal_sum(x, y, slope, shorter):
    total = 0.0
    for k in range(1, x.shape[0]):
        total += _orthogonal_square(
            np.float64(x[k]), np.float64(y[k]), slope, np.float64(shorter[k])
        )
    return total


@kernel
def _wedge(x, y, aa, bb, da, db):
    """Return |a ^ b|^2: the long part may be huge, only the short one is squared."""
    if aa == 0.0 or bb == 0.0:
        return 0.0
    if aa < bb:
        return aa * _orthogonal_sum(x, y, da / aa, x)
    return bb * _orthogonal_sum(x, y, db / bb, y)


@kernel
def distance(x, y, curvature=-1.0):
    """Return the hyperbolic distance of two points, computed in float64."""
    c = -curvature  # the sums are scaled by c after the subtractions
    aa, bb, ab, dd, da, db = _sums(x, y)
    x0 = math.sqrt(1.0 + c * aa)
    y0 = math.sqrt(1.0 + c * bb)
    if ab < 0.0:
        x1 = c * aa / (1.0 + x0)  # x0 - 1 without cancellation
        y1 = c * bb / (1.0 + y0)
        q = 0.5 * (x1 * y1 + (x1 + y1) - c * ab)
    else:
        wedge = c * (c * _wedge(x, y, aa, bb, da, db))
        q = (c * dd + wedge) / (2.0 * (1.0 + x0 * y0 + c * ab))
    return 2.0 / math.sqrt(c) * math.asinh(math.sqrt(q))


@kernel
def distance_row(X, i, Y, params, out):
    """Fill out[i] with the distances of X[i] to all rows of Y."""
    curvature = params[0]
    for j in range(Y.shape[0]):
        out[i, j] = distance(X[i], Y[j], curvature)
