"""Fisher-Rao distance of probability vectors (rows of the simplex).

The map ``p -> 2 sqrt(p)`` carries the Fisher information metric of the categorical
distributions to the sphere of radius 2, so that
``d(p, q) = 2 arccos(sum(sqrt(p q)))``, at most pi. With ``a = sqrt(p)`` and
``b = sqrt(q)`` the kernel computes ``4 atan2(|a - b|, |a + b|)``, where
``a - b = (p - q) / (a + b)``, which keeps the digits of close pairs.
"""

import math

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["distance", "distance_row"]


# All terms are non-negative: "reassoc" costs no accuracy.
@kernel(fastmath={"reassoc", "contract"})
def distance(x, y):
    """Return the Fisher-Rao distance of two rows, computed in float64."""
    chord = 0.0
    cochord = 0.0
    for k in range(x.shape[0]):
        pk = max(np.float64(x[k]), 0.0)  # rounding may leave -1e-17
        qk = max(np.float64(y[k]), 0.0)
        total = math.sqrt(pk) + math.sqrt(qk)
        # Both are zero where the sum is, and nothing is added.
        delta = (pk - qk) / (total if total > 0.0 else 1.0)
        chord += delta * delta
        cochord += total * total
    return 4.0 * math.atan2(math.sqrt(chord), math.sqrt(cochord))


@kernel
def distance_row(X, i, Y, params, out):
    """Fill out[i] with the distances of X[i] to all rows of Y."""
    for j in range(Y.shape[0]):
        out[i, j] = distance(X[i], Y[j])
