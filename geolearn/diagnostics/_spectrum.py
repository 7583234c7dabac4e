"""Singular values of a table of any size."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import qr, svdvals
from sklearn.utils import check_array, check_random_state

from geolearn.diagnostics._checks import check_boolean

# Above this many rows and columns the exact spectrum takes minutes.
MAX_EXACT = 5000
# Singular values that are computed then; the rest is known by its sum of squares.
N_LEADING = 1000
# Rows of a block of the QR decomposition: a few times the columns.
_MIN_BLOCK_ROWS = 2000


class Spectrum(NamedTuple):
    """Singular values of a table, scaled so that the largest is 1.

    Parameters
    ----------
    values : ndarray of shape (min(n_samples, n_features),)
        Singular values in decreasing order.
    n_exact : int
        How many of them are computed; the others share what is left of the sum of
        squares equally.
    tolerance : float
        Values below it are rounding errors.
    """

    values: np.ndarray
    n_exact: int
    tolerance: float


def check_representation(Z, min_samples=2) -> np.ndarray:
    """Validate a table of features: finite, float64."""
    return check_array(
        Z, dtype=np.float64, ensure_min_samples=min_samples, input_name="Z"
    )


def spectrum(Z, *, centered, random_state=None) -> Spectrum:
    """Return the scaled singular values of a validated table.

    A table that is small in one direction is reduced to a triangle block by block,
    which keeps small singular values as the covariance matrix would not.
    """
    center = Z.mean(axis=0) if check_boolean("centered", centered) else 0.0
    size = max(Z.max(), -Z.min())
    if centered:
        size = max(float(np.abs(Z - center).max()), 0.0) if size > 0.0 else 0.0
        if size <= 8 * np.finfo(float).eps * np.abs(center).max():
            size = 0.0  # what is left of a constant table is rounding
    if not size > 0.0:
        what = "all rows are equal" if centered else "all entries are 0"
        raise ValueError(f"Z has no spectrum: {what}.")
    smaller = min(Z.shape)
    if smaller > MAX_EXACT:
        values, n_exact = _leading((Z - center) / size, random_state)
    else:
        values, n_exact = svdvals(_triangle(Z, center, size)), smaller
    values = values / values[0]
    return Spectrum(values, n_exact, max(Z.shape) * np.finfo(float).eps)


def _triangle(Z, center, size):
    """Return a small matrix with the singular values of (Z - center) / size."""
    tall = Z.shape[0] >= Z.shape[1]
    long, short = max(Z.shape), min(Z.shape)
    step = max(_MIN_BLOCK_ROWS, 2 * short)
    R = np.empty((0, short))
    for start in range(0, long, step):
        part = slice(start, start + step)
        if tall:
            block = (Z[part] - center) / size
        else:
            own = center[part] if np.ndim(center) else center
            block = ((Z[:, part] - own) / size).T
        block = np.vstack([R, block])
        if long <= step:
            return block
        (R,) = qr(block, mode="r", overwrite_a=True, check_finite=False)
        R = R[:short]
    return R


def _leading(Z, random_state):
    """Return the leading singular values and a flat tail with the right energy."""
    from sklearn.utils.extmath import randomized_svd

    _, leading, _ = randomized_svd(
        Z, N_LEADING, n_iter=4, random_state=check_random_state(random_state)
    )
    n_rest = min(Z.shape) - N_LEADING
    rest = max(float(np.einsum("ij,ij->", Z, Z)) - float(leading @ leading), 0.0)
    tail = min(np.sqrt(rest / n_rest), leading[-1])
    return np.concatenate([leading, np.full(n_rest, tail)]), N_LEADING
