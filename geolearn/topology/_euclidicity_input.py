"""What Euclidicity and PersistentDimension check of parameters and samples."""

import warnings

import numpy as np
from sklearn.utils.validation import validate_data

from geolearn.graph import NeighborIndex
from geolearn.graph._neighbors import check_points, row_metric
from geolearn.graph._precomputed import is_precomputed
from geolearn.graph._samples import takes_matrices, unflattened
from geolearn.utils._tables import worst_asymmetry

__all__ = [
    "FEWEST_NEIGHBORS",
    "check_n_neighbors",
    "check_new",
    "check_radii",
    "check_training",
    "set_pairwise_tags",
    "warn_undefined",
]

FEWEST_NEIGHBORS = 4
_ROUNDING = 1e-8  # asymmetry of distances, relative to the largest
# scikit-learn takes their parameters from whatever rows a call compares.
_OF_THE_DATA = {
    "mahalanobis": "whiten the features",
    "seuclidean": "divide the features by their standard deviations",
}


def check_training(estimator, X) -> NeighborIndex:
    """Validate the sample; return what searches it."""
    _check_metric(estimator.metric)
    X = _validate(estimator, X, ensure_min_samples=2)
    if is_precomputed(estimator.metric):
        _check_square(X)
    index = NeighborIndex.build(X, metric=estimator.metric)
    if is_precomputed(estimator.metric):
        return index
    rows = row_metric(estimator.metric)
    if rows["metric"] is estimator.metric:
        return index
    return NeighborIndex.build(index.points, **rows)  # coordinates of a flat chart


def check_new(estimator, X) -> np.ndarray:
    """Validate queries against the sample."""
    X = _validate(estimator, X, reset=False)
    if not is_precomputed(estimator.metric):
        X = check_points(X, estimator.metric)
    return estimator._index.check_queries(X)


def _validate(estimator, X, **options):
    precomputed = is_precomputed(estimator.metric)
    X = validate_data(
        estimator,
        X,
        dtype=np.float64,
        order="C",
        allow_nd=takes_matrices(estimator.metric),
        ensure_non_negative=precomputed,
        **options,
    )
    return unflattened(estimator.metric, X)


def _check_metric(metric):
    if isinstance(metric, str) and metric in _OF_THE_DATA:
        raise ValueError(
            f"metric={metric!r} would differ from call to call, as its parameters are "
            f"taken from the rows that are compared; {_OF_THE_DATA[metric]} and pass "
            "metric='euclidean'."
        )


def _check_square(D):
    n = D.shape[0]
    if D.shape != (n, n):
        raise ValueError(
            f"X must be a square matrix of distances for metric='precomputed', got "
            f"shape {D.shape}."
        )
    if D.diagonal().any():
        i = int(np.argmax(D.diagonal() != 0.0))
        raise ValueError(
            f"X[{i}, {i}]={D[i, i]:.6g}, but the distance of a point to itself is 0, "
            "else it would be its own neighbour; np.fill_diagonal(X, 0) mends rounding."
        )
    limit = _ROUNDING * D.max()
    gap, i, j = worst_asymmetry(D, limit)
    if gap > limit:
        raise ValueError(
            f"Distances must be symmetric, but X[{i}, {j}]={D[i, j]:.6g} and "
            f"X[{j}, {i}]={D[j, i]:.6g}; pass (X + X.T) / 2 if that is what you mean."
        )


def check_n_neighbors(n_neighbors, n_samples, warn=True) -> int:
    """Return the number of neighbours, at most all other samples."""
    if n_neighbors < FEWEST_NEIGHBORS:
        raise ValueError(
            f"n_neighbors must be at least {FEWEST_NEIGHBORS}, got {n_neighbors}."
        )
    if n_neighbors >= n_samples and warn:
        warnings.warn(
            f"n_neighbors={n_neighbors} is not less than n_samples={n_samples}; "
            f"n_neighbors={n_samples - 1} is used.",
            UserWarning,
            stacklevel=4,
        )
    return min(int(n_neighbors), n_samples - 1)


def check_radii(radii) -> np.ndarray | None:
    """Return the four radii (r_min, r_max, s_min, s_max), or None."""
    if radii is None:
        return None
    wanted = "radii=(r_min, r_max, s_min, s_max), or None for radii of each point"
    try:
        values = np.array(radii, dtype=np.float64)
    except (TypeError, ValueError):  # strings, lists in lists, complex numbers
        values = np.empty(0)
    if values.shape != (4,):
        raise ValueError(f"radii={radii!r} must be four numbers: pass {wanted}.")
    r_min, r_max, s_min, s_max = values
    if not np.isfinite(values).all():
        raise ValueError(f"radii={radii!r} must be finite: pass {wanted}.")
    if not 0.0 <= r_min <= r_max:
        raise ValueError(
            f"radii: the inner radii r_min={r_min:g}, r_max={r_max:g} must satisfy "
            "0 <= r_min <= r_max."
        )
    if not 0.0 < s_min <= s_max:
        raise ValueError(
            f"radii: the outer radii s_min={s_min:g}, s_max={s_max:g} must satisfy "
            "0 < s_min <= s_max."
        )
    if not r_min < s_max:
        raise ValueError(
            f"radii: r_min={r_min:g} must be less than s_max={s_max:g}, else no "
            "annulus has its inner radius inside its outer one."
        )
    return values


def set_pairwise_tags(tags, metric):
    """Set the tags of input for a metric; return them."""
    precomputed = is_precomputed(metric)
    tags.input_tags.pairwise = precomputed
    tags.input_tags.positive_only = precomputed
    tags.input_tags.three_d_array = takes_matrices(metric)
    return tags


def warn_undefined(n_few, n_void, n_queries, min_points):
    """Warn once of points without any annulus, whatever their reasons."""
    reasons = []
    if n_few:
        reasons.append(
            f"{n_few} of {n_queries} points have fewer than {FEWEST_NEIGHBORS} "
            "distinct other points as neighbours"
        )
    if n_void:
        reasons.append(
            f"{n_void} of {n_queries} points have no annulus with >= {min_points} "
            "points"
        )
    if reasons:
        warnings.warn(
            " and ".join(reasons) + ": their result is NaN. Drop repeated points, or "
            "take more neighbours or larger radii.",
            UserWarning,
            stacklevel=4,
        )
