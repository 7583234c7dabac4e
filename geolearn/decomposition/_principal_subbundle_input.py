"""What PrincipalSubbundle checks of data and parameters before it starts."""

import math
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from geolearn.manifolds import Euclidean, Hyperboloid, Sphere, get_manifold
from geolearn.utils.validation import (
    check_integer,
    check_points,
    check_sample_weight,
)

__all__ = [
    "DistinctSamples",
    "check_base",
    "check_bases",
    "check_coordinates",
    "check_new",
    "check_size",
    "check_times",
    "check_training",
    "data_dimension",
    "distinct_samples",
    "known_rows",
]

_NAMES = ("euclidean", "sphere", "hyperboloid")
# Singular values below this share of the largest are rounding of the data.
_RANK_TOL = 1e-10
_LARGEST = 1e152  # coordinates whose squared distances can be added


class DistinctSamples(NamedTuple):
    """Hold the samples without repetition, in an order that is theirs alone.

    Repeated rows are one sample with their summed weight. The order does not
    depend on that of the rows, so that what is fitted does not either.
    """

    points: np.ndarray  # (n_distinct, d), sorted
    weight: np.ndarray | None  # (n_distinct,), or None if all are alike
    rows: np.ndarray  # (n_samples,) row of `points`, -1 for samples of weight 0


def check_training(estimator, X) -> tuple[np.ndarray, Any]:
    """Return the training samples and their manifold."""
    _check_name(estimator.manifold)
    X = validate_data(estimator, X, dtype=np.float64, order="C", ensure_min_samples=2)
    manifold = get_manifold(estimator.manifold, X.shape[1])
    return _on_manifold(X, manifold, "X"), manifold


def _on_manifold(X, manifold, name):
    """Refuse points that are not on the manifold, or that have no distances."""
    if not isinstance(manifold, Euclidean):
        return check_points(manifold, X, name=name)
    far = np.abs(X).max(axis=1, initial=0.0) > _LARGEST
    if far.any():
        raise ValueError(
            f"{name}[{int(far.argmax())}] has entries above {_LARGEST:g}, whose "
            f"squares are no numbers; leave it out, or measure in other units."
        )
    return X


def _check_name(manifold):
    if isinstance(manifold, str):
        known = manifold in _NAMES
    else:
        known = isinstance(manifold, Euclidean | Sphere | Hyperboloid)
    if not known:
        raise ValueError(
            f"manifold={manifold!r} is not supported: principal subbundles are "
            f"computed for {', '.join(map(repr, _NAMES))} and for instances of "
            f"Euclidean, Sphere and Hyperboloid. Map other data to vectors first, "
            f"for example to tangent vectors at their mean."
        )


def check_new(estimator, X, name="X") -> np.ndarray:
    """Return new samples of the manifold of the training samples."""
    X = validate_data(estimator, X, dtype=np.float64, order="C", reset=False)
    return _on_manifold(X, estimator.manifold_, name)


def check_base(base, manifold) -> np.ndarray:
    """Return one point of the manifold."""
    base = np.asarray(base, dtype=np.float64)
    shape = tuple(manifold.point_shape)
    if base.shape != shape:
        raise ValueError(
            f"base has shape {base.shape}, but one point has shape {shape}; pass a "
            f"single point, or None for the fitted base point."
        )
    if isinstance(manifold, Euclidean):
        _on_manifold(base[None], manifold, "base")
    return check_points(manifold, base[None], name="base")[0]


def check_bases(estimator, bases) -> np.ndarray:
    """Return points of the manifold; unlike samples, they need no feature names."""
    bases = check_array(bases, dtype=np.float64, order="C", input_name="bases")
    wanted = estimator.n_features_in_
    if bases.shape[1] != wanted:
        raise ValueError(
            f"bases has {bases.shape[1]} features, but {wanted} features are those of "
            f"the samples; pass rows such as base_point_[None]."
        )
    return _on_manifold(bases, estimator.manifold_, "bases")


def check_coordinates(V, k, name="V") -> np.ndarray:
    """Return coordinates of shape (n, k), whose rows may hold NaN."""
    V = np.asarray(V, dtype=np.float64)
    if V.ndim != 2 or V.shape[1] != k:
        raise ValueError(
            f"{name} has shape {V.shape}, but n_components={k} coordinates have shape "
            f"(n, {k}); pass rows such as those of transform."
        )
    infinite = np.isinf(V).any(axis=1)
    if infinite.any():
        raise ValueError(
            f"{name}[{int(infinite.argmax())}] is infinite; pass finite rows, or NaN "
            f"for points that are unknown."
        )
    return np.ascontiguousarray(V)


def check_times(t) -> np.ndarray:
    """Return an array of times; an int counts equal ones from 0 to 1."""
    if isinstance(t, Integral):
        return np.linspace(0.0, 1.0, check_integer(t, "t", minimum=2))
    t = np.asarray(t, dtype=np.float64)
    if t.ndim != 1 or not np.isfinite(t).all():
        raise ValueError(
            f"t must be an int or a one-dimensional array of finite times, got {t!r}."
        )
    return t


def distinct_samples(X, sample_weight) -> DistinctSamples:
    """Merge equal rows, and leave out those of weight zero."""
    weight = None
    heavy = np.ones(len(X), dtype=bool)
    if sample_weight is not None:
        weight = check_sample_weight(sample_weight, len(X)) * len(X)
        heavy = weight > 0.0
    # Adding zero makes -0.0 and 0.0 the same number.
    points, inverse = np.unique(X[heavy] + 0.0, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    rows = np.full(len(X), -1)
    rows[heavy] = inverse
    masses = np.bincount(inverse, None if weight is None else weight[heavy])
    alike = bool((masses == masses[0]).all())
    return DistinctSamples(
        np.ascontiguousarray(points), None if alike else masses / masses.mean(), rows
    )


def known_rows(X, points) -> np.ndarray:
    """Return for each row of X the equal row of sorted points, or -1."""
    each = np.arange(len(X))
    low, high = np.zeros(len(X), dtype=np.intp), np.full(len(X), len(points))
    while (low < high).any():  # a binary search for all rows at once
        middle = np.minimum((low + high) // 2, len(points) - 1)
        found = points[middle]
        column = (found != X).argmax(axis=1)  # the first that differs decides
        before = (found[each, column] < X[each, column]) & (low < high)
        low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
    low = np.minimum(low, len(points) - 1)
    return np.where((points[low] == X).all(axis=1), low, -1)


def check_size(k, points, manifold) -> None:
    """Refuse a rank that the data cannot have."""
    n, dim = len(points), manifold.dim
    if k > dim:
        raise ValueError(
            f"n_components={k} must be at most {dim}, the dimension of {manifold!r} "
            f"(n_features={points.shape[1]}); lower n_components."
        )
    if n < k + 2:
        raise ValueError(
            f"n_components={k} needs at least {k + 2} distinct samples of positive "
            f"weight, got n_samples={n}; lower n_components or add samples."
        )
    rank = data_dimension(points, manifold)
    if k > rank:
        raise ValueError(
            f"rank n_components={k} exceeds the dimension of the data: they lie in a "
            f"subspace of dimension {rank}. Set n_components={max(rank, 1)} or less."
        )


def data_dimension(points, manifold) -> int:
    """Return the dimension of the smallest flat or geodesic subspace of the data.

    Geodesic subspaces of spheres and hyperboloids are cut out by linear subspaces
    of one dimension more.
    """
    flat = isinstance(manifold, Euclidean)
    rows = points - points.mean(axis=0) if flat else points
    scale = np.abs(rows).max()
    if scale == 0.0:
        return 0
    rows = rows / scale
    if len(rows) > rows.shape[1]:
        rows = np.linalg.qr(rows, mode="r")
    singular = np.linalg.svd(rows, compute_uv=False)
    # Centring leaves the rounding of the coordinates before it.
    offset = np.abs(points).max() / scale if flat else 1.0
    tol = max(_RANK_TOL, 4.0 * offset * math.sqrt(len(points)) * np.finfo(float).eps)
    rank = int(np.sum(singular > tol * singular[0]))
    return rank if flat else rank - 1
