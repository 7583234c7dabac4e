"""What product-space embeddings check of distances, and where units go."""

import warnings

import numpy as np

from geolearn.utils._tables import worst_asymmetry

_ROUNDING = 1e-8  # asymmetry and diagonal, relative to the largest distance
_FARTHEST = 60.0  # radii of curvature; beyond, double precision loses directions
_ADVISED = 16.0  # radii of curvature of the largest distance that are safe

# Squares of distances inside this range neither overflow nor lose digits.
_SMALLEST, _LARGEST = 1e-140, 1e140


def check_numbers(D):
    """Raise if distances are NaN or negative."""
    if np.isnan(D).any():
        i, j = np.argwhere(np.isnan(D))[0]
        raise ValueError(
            f"Input X contains NaN, first at X[{i}, {j}]. Distances that are not "
            f"known may be infinite: their pairs are left out."
        )
    if D.size and D.min() < 0.0:
        raise ValueError(
            f"Negative values in data: the smallest entry of X is {D.min():.3g}; "
            f"distances must be non-negative."
        )


def check_distances(D):
    """Raise unless `D` holds distances between samples, possibly infinite ones."""
    n = D.shape[0]
    if D.shape != (n, n):
        raise ValueError(
            f"X must be a square matrix of distances for metric='precomputed'; got "
            f"shape {D.shape}."
        )
    check_numbers(D)
    largest = largest_finite(D)
    diagonal = np.diagonal(D)
    if diagonal.max() > _ROUNDING * largest:
        i = int(diagonal.argmax())
        what = "infinity (inf)" if np.isinf(diagonal[i]) else f"{diagonal[i]:.3g}"
        raise ValueError(
            f"Input X contains {what} at X[{i}, {i}], but the distance of a sample "
            f"from itself is 0; pass distances, not similarities."
        )
    gap, i, j = worst_asymmetry(D, _ROUNDING * largest)
    if gap > _ROUNDING * largest:
        raise ValueError(
            f"X must be symmetric, but X[{i}, {j}]={D[i, j]:.6g} and X[{j}, {i}]="
            f"{D[j, i]:.6g}. Pass (X + X.T) / 2 if that is what you mean."
        )


def largest_finite(D):
    """Return the largest finite entry, 0 if there is none."""
    return max(float(np.max(row, where=np.isfinite(row), initial=0.0)) for row in D)


def warn_skipped(D):
    """Warn of infinite distances, whose pairs are left out."""
    n_infinite = int(np.isinf(D).sum())
    if n_infinite:
        warnings.warn(
            f"X has {n_infinite} infinite entries; their pairs are left out, so that "
            f"nothing keeps apart samples that only they connect. Replace them, or "
            f"embed each connected component by itself.",
            UserWarning,
            stacklevel=3,
        )


def check_range(signature, largest):
    """Raise where squares or hyperbolic components leave the range of doubles."""
    if largest > _LARGEST or 0.0 < largest < _SMALLEST:
        raise ValueError(
            f"The largest distance is {largest:.3g}, outside [{_SMALLEST:g}, "
            f"{_LARGEST:g}], where squares over- or underflow; rescale the distances."
        )
    steepest = min(curvature for curvature, _ in signature)
    if steepest < 0.0 and (-steepest) ** 0.5 * largest > _FARTHEST:
        raise ValueError(
            f"The largest distance {largest:.4g} is {(-steepest) ** 0.5 * largest:.3g} "
            f"radii of the curvature {steepest:g} in the signature; beyond "
            f"{_FARTHEST:g}, double precision loses positions. Take a curvature of "
            f"{-((_ADVISED / largest) ** 2):.3g} or closer to 0, or divide the "
            f"distances."
        )
