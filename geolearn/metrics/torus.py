"""Distance on the flat torus of angles in radians, period ``2 pi`` in each column.

``d(x, y) = |wrap(x - y)|``, where wrap brings each difference to ``[-pi, pi]``; the
angles themselves may lie in any interval.
"""

import math

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["distance", "distance_row"]

_PERIOD = 2.0 * math.pi


# The terms of the sum are non-negative: "reassoc" costs no accuracy.
@kernel(fastmath={"reassoc", "contract"})
def distance(x, y):
    """Return the distance of two vectors of angles, computed in float64."""
    total = 0.0
    for k in range(x.shape[0]):
        # The absolute value first: both orders of the pair round alike.
        delta = abs(np.float64(x[k]) - np.float64(y[k]))
        delta -= _PERIOD * np.floor(delta / _PERIOD + 0.5)
        total += delta * delta
    return math.sqrt(total)


@kernel
def distance_row(X, i, Y, params, out):
    """Fill out[i] with the distances of X[i] to all rows of Y."""
    for j in range(Y.shape[0]):
        out[i, j] = distance(X[i], Y[j])
