"""Distance on the hyperboloid of curvature ``-c``, time coordinate first.

With the spatial parts a, b of two points scaled by ``sqrt(c)``, ``D = a - b``,
``S = a + b`` and the times ``x0 = sqrt(1 + |a|**2)``, ``y0 = sqrt(1 + |b|**2)``
recomputed from the spatial parts (column 0 is not read), the distance is
``2 asinh(sqrt(q)) / sqrt(c)``, where q is a quotient or a sum of non-negative terms:

- ``(|D|**2 + |S|**2 |D_perp|**2 / 4) / (2 (1 + x0 y0 + <a, b>))`` for
  ``<a, b> >= 0``, D_perp the part of D orthogonal to S;
- ``((x0 - 1)(y0 - 1) + (x0 - 1) + (y0 - 1) - <a, b>) / 2`` otherwise, with
  ``x0 - 1 = |a|**2 / (1 + x0)``.

The error is of the order of ``eps cosh(r)`` for points at radius r, which is how far
one rounding of the coordinates moves a point; ``arccosh(-<x, y>)`` and the chord
form ``2 asinh(|x - y| / 2)`` have errors of ``eps exp(2 r)``.
"""

import math

import numpy as np

from geolearn.metrics._jit import kernel

__all__ = ["distance", "distance_row"]


@kernel
def _orthogonal_square(a, b, slope):
    # Compiled without "reassoc": the order of these operations matters.
    delta = (a - b) - slope * (a + b)
    return delta * delta


# The order of the terms of a sum does not change the bound of its error: "reassoc" lets
# the loops use vector registers.
@kernel(fastmath={"reassoc", "contract"})
def _sums(x, y):
    aa = 0.0
    bb = 0.0
    ab = 0.0
    dd = 0.0
    ds = 0.0
    ss = 0.0
    for k in range(1, x.shape[0]):
        a = np.float64(x[k])
        b = np.float64(y[k])
        aa += a * a
        bb += b * b
        ab += a * b
        dd += (a - b) * (a - b)
        ds += (a - b) * (a + b)
        ss += (a + b) * (a + b)
    return aa, bb, ab, dd, ds, ss


@kernel(fastmath={"reassoc", "contract"})
def _orthogonal_sum(x, y, slope):
    total = 0.0
    for k in range(1, x.shape[0]):
        total += _orthogonal_square(np.float64(x[k]), np.float64(y[k]), slope)
    return total


@kernel
def distance(x, y, curvature=-1.0):
    """Return the hyperbolic distance of two points, computed in float64."""
    c = -curvature  # the sums are scaled by c after the subtractions
    aa, bb, ab, dd, ds, ss = _sums(x, y)
    x0 = math.sqrt(1.0 + c * aa)
    y0 = math.sqrt(1.0 + c * bb)
    if ab < 0.0:
        x1 = c * aa / (1.0 + x0)  # x0 - 1 without cancellation
        y1 = c * bb / (1.0 + y0)
        q = 0.5 * (x1 * y1 + (x1 + y1) - c * ab)
    else:
        slope = ds / ss if ss > 0.0 else 0.0
        perp = _orthogonal_sum(x, y, slope)
        q = (c * dd + 0.25 * (c * ss) * (c * perp)) / (2.0 * (1.0 + x0 * y0 + c * ab))
    return 2.0 / math.sqrt(c) * math.asinh(math.sqrt(q))


@kernel
def distance_row(X, i, Y, params, out):
    """Fill out[i] with the distances of X[i] to all rows of Y."""
    curvature = params[0]
    for j in range(Y.shape[0]):
        out[i, j] = distance(X[i], Y[j], curvature)
