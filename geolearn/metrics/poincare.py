"""Distance in the Poincaré ball of curvature ``-c``, radius ``1 / sqrt(c)``.

``d(x, y) = 2 / sqrt(c) asinh(sqrt(c) |x - y| / sqrt((1 - c|x|**2)(1 - c|y|**2)))``;
the difference is taken before the scaling, which keeps all digits of close pairs.
The relative error grows as ``eps / (1 - sqrt(c) |x|)`` towards the boundary: this is
how far one rounding of the coordinates moves a point, and no formula avoids it. Norms
are never clipped: points on or outside the boundary are infinitely far from all others.
"""

import math

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["distance", "distance_row"]


# All terms are non-negative: "reassoc" costs no accuracy.
@kernel(fastmath={"reassoc", "contract"})
def _sums(x, y):
    xx = 0.0
    yy = 0.0
    dd = 0.0
    for k in range(x.shape[0]):
        a = np.float64(x[k])
        b = np.float64(y[k])
        xx += a * a
        yy += b * b
        dd += (a - b) * (a - b)
    return xx, yy, dd


@kernel
def distance(x, y, curvature=-1.0):
    """Return the hyperbolic distance of two points, computed in float64."""
    c = -curvature
    xx, yy, dd = _sums(x, y)
    if dd == 0.0:
        return 0.0
    x1 = 1.0 - c * xx
    y1 = 1.0 - c * yy
    if x1 <= 0.0 or y1 <= 0.0:
        return np.inf
    ratio = math.sqrt(c * dd) / math.sqrt(x1 * y1)
    return 2.0 / math.sqrt(c) * math.asinh(ratio)


@kernel
def distance_row(X, i, Y, params, out):
    """Fill out[i] with the distances of X[i] to all rows of Y."""
    curvature = params[0]
    for j in range(Y.shape[0]):
        out[i, j] = distance(X[i], Y[j], curvature)
