"""Great-circle distance on the sphere of radius R, ``|x| = |y| = R``.

``d(x, y) = 2 R atan2(|x - y|, |x + y|)`` keeps its full relative precision from
coincident to antipodal points, where ``R arccos(<x, y> / R**2)`` loses half of
the digits. The formula takes the rows as they are: a row that misses the sphere
by a relative error e adds up to ``R e`` to its small distances.
"""

import math

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["distance", "distance_row"]


# Both sums have non-negative terms: "reassoc" costs no accuracy.
@kernel(fastmath={"reassoc", "contract"})
def distance(x, y, radius=1.0):
    """Return the great-circle distance of two points, computed in float64."""
    chord = 0.0
    cochord = 0.0
    for k in range(x.shape[0]):
        a = np.float64(x[k])
        b = np.float64(y[k])
        chord += (a - b) * (a - b)
        cochord += (a + b) * (a + b)
    return 2.0 * radius * math.atan2(math.sqrt(chord), math.sqrt(cochord))


@kernel
def distance_row(X, i, Y, params, out):
    """Fill out[i] with the distances of X[i] to all rows of Y."""
    radius = params[0]
    for j in range(Y.shape[0]):
        out[i, j] = distance(X[i], Y[j], radius)
