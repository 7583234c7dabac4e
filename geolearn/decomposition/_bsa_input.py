"""What BarycentricSubspaceAnalysis checks of samples, references and parameters."""

import math

import numpy as np

from geolearn.decomposition._affine_span_references import check_references
from geolearn.graph._precomputed import is_precomputed
from geolearn.graph._samples import unflattened, validate_samples
from geolearn.manifolds import get_manifold
from geolearn.utils._tables import worst_asymmetry
from geolearn.utils.validation import check_points

__all__ = [
    "check_choices",
    "check_distinct",
    "check_new",
    "check_training",
    "given_references",
]

_ROUNDING = 1e-8  # of distances, relative to the largest one
_PREFIX = 100  # times as many samples as references are looked at first


def check_choices(estimator):
    """Raise where parameters contradict one another."""
    free = isinstance(estimator.references, str) and estimator.references == "free"
    precomputed = is_precomputed(estimator.manifold)
    if estimator.curvature is not None and not precomputed:
        raise ValueError(
            f"curvature={estimator.curvature} is that of manifold='precomputed'; "
            f"manifold={estimator.manifold!r} has its own. Leave curvature=None, or "
            f"pass an instance such as Sphere(2, radius=2.0)."
        )
    if free and precomputed:
        raise ValueError(
            "references='free' needs points, not distances; pass references='sample', "
            "or samples and their manifold."
        )
    if precomputed and estimator.convex and isinstance(estimator.references, str):
        raise ValueError(
            "convex=True looks for references among points, not distances; pass "
            "samples and their manifold, or references as indices of samples."
        )
    if free and estimator.strategy == "forward_backward":
        raise ValueError(
            "strategy='forward_backward' is a search among samples; pass strategy="
            "'backward' for references='free'."
        )
    if free and estimator.convex:
        raise ValueError(
            "convex=True projects between references, where free ones have no place: "
            "only their span is determined. Pass references='sample' or points."
        )


def check_training(estimator, X):
    """Return points and their manifold, or distances and None."""
    X = validate_samples(estimator, X)
    if is_precomputed(estimator.manifold):
        _check_table(X, estimator.curvature or 0.0)
        return X, None
    manifold = get_manifold(estimator.manifold, X.shape[1:])
    return check_points(manifold, X), manifold


def check_new(estimator, X, manifold):
    """Return points of a manifold, or distances from the training samples."""
    X = validate_samples(estimator, X, reset=False)
    if manifold is not None:
        return check_points(manifold, X)
    _check_range(X, estimator.curvature or 0.0)
    return X


def _check_table(D, curvature):
    n = len(D)
    if D.shape != (n, n):
        raise ValueError(
            f"X must be a square matrix of distances for manifold='precomputed'; got "
            f"shape {D.shape}."
        )
    tolerance = _ROUNDING * float(D.max())
    worst = int(np.argmax(np.diagonal(D)))
    if D[worst, worst] > tolerance:
        raise ValueError(
            f"X[{worst}, {worst}]={D[worst, worst]:.3g}, but the distance of a sample "
            f"from itself is 0; pass distances, not similarities."
        )
    gap, i, j = worst_asymmetry(D, tolerance)
    if gap > tolerance:
        raise ValueError(
            f"X must be symmetric, but X[{i}, {j}]={D[i, j]:.6g} and X[{j}, {i}]="
            f"{D[j, i]:.6g}. Pass (X + X.T) / 2 if that is what you mean."
        )
    _check_range(D, curvature)


def _check_range(D, curvature):
    if curvature <= 0.0:
        return
    longest = math.pi / math.sqrt(curvature)
    if D.max() > longest * (1.0 + _ROUNDING):
        i, j = np.unravel_index(int(D.argmax()), D.shape)
        raise ValueError(
            f"X[{i}, {j}]={D[i, j]:.6g}, but distances on a sphere of curvature "
            f"{curvature:g} are at most {longest:.6g}; lower curvature, or pass "
            f"distances in its units."
        )


def check_distinct(estimator, X, weight, manifold):
    """Raise where there are too few samples for the references."""
    wanted = estimator.n_components + 1
    heavy = X[weight > 0.0]
    for rows in (heavy[: _PREFIX * wanted], heavy):
        if manifold is None:
            columns = np.flatnonzero(weight > 0.0)[: len(rows)]
            first = np.argmax(rows[:, columns] == 0.0, axis=1)
            n_distinct = int(np.sum(first == np.arange(len(rows))))
        else:
            n_distinct = len(np.unique(rows.reshape(len(rows), -1), axis=0))
        if n_distinct >= wanted:
            return
    raise ValueError(
        f"n_components={estimator.n_components} needs at least {wanted} distinct "
        f"samples of positive weight, got {n_distinct} (n_samples={len(X)}); lower "
        f"n_components."
    )


def given_references(estimator, X, manifold):
    """Return references that the user gave, and their indices or None."""
    given = np.asarray(estimator.references)
    if given.ndim == 1 and given.dtype.kind in "iu":
        indices = _check_indices(given, len(X))
        if manifold is None:
            return None, indices
        return check_references(manifold, X[indices]), indices
    if manifold is None:
        raise ValueError(
            "references of manifold='precomputed' are indices of samples: pass a list "
            "of integers, or references='sample'."
        )
    return check_references(manifold, unflattened(manifold, given)), None


def _check_indices(indices, n):
    bad = np.flatnonzero((indices < 0) | (indices >= n))
    if bad.size or not indices.size:
        wrong = f"references[{bad[0]}]={indices[bad[0]]}" if bad.size else "none"
        raise ValueError(
            f"references must be indices from 0 to n_samples - 1 = {n - 1}, got "
            f"{wrong}."
        )
    if len(np.unique(indices)) < len(indices):
        raise ValueError(f"references={indices.tolist()} names a sample twice.")
    return indices.astype(np.intp)
