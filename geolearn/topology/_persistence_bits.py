"""Sets of points as bits of int64 words, and arrays that grow.

63 bits a word: signs stay out of the way.
"""

import numpy as np

from geolearn.utils._jit import kernel

__all__ = ["BITS", "grown", "lowest"]

BITS = 63
# 2**k modulo 67 differs for all k < 66.
_BIT_INDEX = np.zeros(67, dtype=np.int64)
for _k in range(BITS):
    _BIT_INDEX[2**_k % 67] = _k


@kernel(nogil=True)
def lowest(word):
    """Return the index of the lowest bit of a positive word."""
    return _BIT_INDEX[(word & -word) % 67]


@kernel(nogil=True)
def grown(array):
    """Return a copy with twice the rows."""
    larger = np.empty((2 * array.shape[0], array.shape[1]), dtype=array.dtype)
    for i in range(array.shape[0]):
        for j in range(array.shape[1]):
            larger[i, j] = array[i, j]
    return larger
