"""Checks of dissimilarity and weight matrices in one pass, without temporaries."""

from typing import NamedTuple

import numpy as np
from numba import prange

from geolearn.utils._jit import kernel
from geolearn.utils._tables import read_only, worst_asymmetry
from geolearn.utils._threads import numba_threads

# Side of the square tiles in which an entry is compared with its mirror image:
# two float64 tiles fill half of a 256 KiB cache.
_TILE = 128

# Asymmetry and diagonal below this share of the largest entry are rounding.
_ROUNDING = {np.dtype(np.float64): 1e-8, np.dtype(np.float32): 1e-5}

# Squares of entries inside this range neither overflow nor lose digits.
_SMALLEST, _LARGEST = 1e-140, 1e140


class Extent(NamedTuple):
    """Range of the entries off the diagonal of a checked matrix."""

    smallest: float
    smallest_positive: float
    largest: float


@kernel(parallel=True)
def _scan(A, out):
    """Fill out[b] for tile row b: asymmetry, min, positive min, max, non-finite."""
    n = A.shape[0]
    for b in prange(out.shape[0]):
        i0 = np.intp(b) * _TILE
        i1 = min(n, i0 + _TILE)
        asymmetry, low, positive, high, bad = 0.0, np.inf, np.inf, -np.inf, 0
        for j0 in range(0, n, _TILE):
            j1 = min(n, j0 + _TILE)
            for i in range(i0, i1):
                for j in range(j0, j1):
                    if i != j:
                        a = np.float64(A[i, j])
                        if not np.isfinite(a):
                            bad += 1
                        asymmetry = max(asymmetry, abs(a - A[j, i]))
                        low = min(low, a)
                        high = max(high, a)
                        if a > 0.0:
                            positive = min(positive, a)
        out[b, 0] = asymmetry
        out[b, 1] = low
        out[b, 2] = positive
        out[b, 3] = high
        out[b, 4] = bad


def as_matrix(A, name):
    """Return `A` as a C-contiguous float32 or float64 2-D array."""
    A = np.asarray(A)
    if A.ndim != 2:
        raise ValueError(f"{name} must be a 2-D array; got {A.ndim} dimension(s).")
    if A.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers; got dtype {A.dtype}.")
    dtype = np.float32 if A.dtype == np.float32 else np.float64
    # A square matrix in Fortran order is symmetric or refused: no copy needed.
    if A.flags.f_contiguous and A.shape[0] == A.shape[1]:
        A = A.T
    return np.ascontiguousarray(A, dtype=dtype)


def _check_square(A, name):
    if A.shape[0] != A.shape[1]:
        raise ValueError(
            f"{name} must be square, one row and one column a point; got shape "
            f"{A.shape}."
        )
    if A.shape[0] < 2:
        raise ValueError(f"{name} has {A.shape[0]} sample(s); at least 2 are required.")


def _scan_extent(A, name, n_jobs):
    """Return the extent of a square matrix that is finite, symmetric and >= 0."""
    out = np.empty((-(-A.shape[0] // _TILE), 5))
    with numba_threads(n_jobs):
        _scan(A, out)
    n_bad = int(out[:, 4].sum())
    if n_bad:
        raise ValueError(
            f"{name} must be finite; {n_bad} entries off the diagonal are NaN or "
            "infinite. Replace them"
            + (
                " (an infinite distance usually means a disconnected graph)."
                if name == "D"
                else "; a weight of 0 leaves a pair out."
            )
        )
    low, high = float(out[:, 1].min()), float(out[:, 3].max())
    if low < 0.0:
        raise ValueError(
            f"{name} must be non-negative; its smallest entry is {low:.3g}."
        )
    if out[:, 0].max() > _ROUNDING[A.dtype] * high:
        gap, i, j = worst_asymmetry(A)
        raise ValueError(
            f"{name} must be symmetric; {name}[{i}, {j}]={A[i, j]:.6g} and "
            f"{name}[{j}, {i}]={A[j, i]:.6g} differ by {gap:.3g}. Pass "
            f"({name} + {name}.T) / 2 if that is what you mean."
        )
    if high > _LARGEST or 0.0 < high < _SMALLEST:
        raise ValueError(
            f"{name} has largest entry {high:.3g}, outside [{_SMALLEST:g}, "
            f"{_LARGEST:g}], where squares over- or underflow; rescale {name}."
        )
    return Extent(low, float(out[:, 2].min()), high)


def check_dissimilarity(D, n_jobs=None) -> tuple[np.ndarray, Extent]:
    """Return `D` as a read-only contiguous array and the range of its entries."""
    D = as_matrix(D, "D")
    _check_square(D, "D")
    extent = _scan_extent(D, "D", n_jobs)
    diagonal = np.diagonal(D)
    if not np.all(np.abs(diagonal) <= _ROUNDING[D.dtype] * extent.largest):
        i = int(np.argmax(~(np.abs(diagonal) <= _ROUNDING[D.dtype] * extent.largest)))
        raise ValueError(
            f"D must have a zero diagonal; D[{i}, {i}]={diagonal[i]:.6g}. "
            "If D holds similarities, turn them into distances first."
        )
    return read_only(D), extent


def check_weights(weights, n, n_jobs=None) -> tuple[np.ndarray, Extent]:
    """Return (n, n) `weights` as a read-only array and the range of its entries."""
    W = as_matrix(weights, "weights")
    if W.shape != (n, n):
        raise ValueError(
            f"weights must have the shape of D, ({n}, {n}); got {W.shape}."
        )
    extent = _scan_extent(W, "weights", n_jobs)
    # The diagonal is ignored, whatever it holds (1 / D has infinities there).
    lonely = [i for i in range(n) if not (W[i, :i].any() or W[i, i + 1 :].any())]
    if lonely:
        raise ValueError(
            f"weights leave point {lonely[0]} without any positive weight, so that "
            "its place is arbitrary; leave the point out or give it a weight."
        )
    return read_only(W), extent


def check_n_components(n_components, n) -> int:
    """Return `n_components` as an int in 1..n-1."""
    if (
        isinstance(n_components, bool)
        or not isinstance(n_components, int | np.integer)
        or not 1 <= n_components <= n - 1
    ):
        raise ValueError(
            f"n_components={n_components!r} must be an integer in [1, {n - 1}] for "
            f"n_samples={n}; n points span at most n - 1 dimensions."
        )
    return int(n_components)
