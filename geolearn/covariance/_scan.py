"""One pass over a stack of matrices for what would spoil the computations."""

import numpy as np
from numba import types

from geolearn.manifolds.spd._forms import ASYMMETRY
from geolearn.utils._jit import first_class, kernel

__all__ = ["asymmetry", "refuse_asymmetric"]

_STACK = types.Array(types.float64, 3, "C", readonly=True)


def asymmetry(X):
    """Return how far matrices are from their mirror images, and their sizes.

    Parameters
    ----------
    X : ndarray of shape (n_matrices, n, n)
        C-contiguous float64 matrices.

    Returns
    -------
    off : ndarray of shape (n_matrices,)
        Largest difference between an entry and its mirror image; NaN if an entry
        is NaN or infinite.
    largest : ndarray of shape (n_matrices,)
        Largest modulus of an entry.
    """
    off, largest = np.empty(len(X)), np.empty(len(X))
    vector = types.float64[::1]
    scan = first_class(_asymmetry, _STACK, vector, vector)
    with np.errstate(invalid="ignore"):  # uncompiled, NumPy would warn of infinity
        scan(X, off, largest)
    return off, largest


def refuse_asymmetric(off, largest, label, symmetric_part):
    """Raise if a matrix is further from its mirror image than rounding takes it.

    Parameters
    ----------
    off, largest : ndarray of shape (n_matrices,)
        What `asymmetry` returns.
    label : str
        Name of a matrix in the message, with ``{}`` for its position.
    symmetric_part : str
        Code that returns the symmetric parts, for the message.
    """
    wrong = off > ASYMMETRY * largest
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"{label.format(first)} is not symmetric: entries differ from their mirror "
            f"images by up to {off[first]:.3g}; {int(wrong.sum())} of {len(off)} "
            f"matrices are affected. Pass {symmetric_part} if that is rounding."
        )


@kernel
def _asymmetry(X, off, largest):
    n = X.shape[1]
    for k in range(X.shape[0]):
        worst = 0.0
        size = 0.0
        spoilt = 0.0  # stays zero over finite entries only
        for i in range(n):
            for j in range(i + 1):
                a, b = X[k, i, j], X[k, j, i]
                worst = max(worst, abs(a - b))
                size = max(size, max(abs(a), abs(b)))
                spoilt += 0.0 * a + 0.0 * b
        off[k] = worst + spoilt
        largest[k] = size
