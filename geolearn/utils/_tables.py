"""Square tables, such as those of distances, read block by block."""

import numpy as np

_ROWS = 256  # rows of a block: temporaries stay small beside the table


def read_only(A):
    """Return a read-only view, so that kernels see one array type, not two."""
    A = A.view()
    A.flags.writeable = False
    return A


def worst_asymmetry(A, tolerance=-1.0):
    """Return the place (i, j) where a square table differs most from its transpose.

    Parameters
    ----------
    A : ndarray of shape (n, n)
        Table; two infinities of one sign do not differ, and NaN counts for nothing.
    tolerance : float, default=-1.0
        If it is not negative, the search ends with the first block of rows that
        holds a larger difference.

    Returns
    -------
    gap : float
        Largest difference of the blocks that were read.
    i, j : int
        The first place that has it.
    """
    worst = (-1.0, 0, 0)
    for start in range(0, A.shape[0], _ROWS):
        rows, columns = A[start : start + _ROWS], A[:, start : start + _ROWS].T
        alike = rows == columns  # also where both are infinite
        gap = np.abs(np.subtract(rows, columns, out=np.zeros(rows.shape), where=~alike))
        gap[np.isnan(gap)] = 0.0
        i, j = np.unravel_index(int(gap.argmax()), gap.shape)
        if gap[i, j] > worst[0]:
            worst = (float(gap[i, j]), start + int(i), int(j))
        if 0.0 <= tolerance < worst[0]:
            break
    return worst
