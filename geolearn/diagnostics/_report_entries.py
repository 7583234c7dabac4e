"""What a report measures, and how to read each number."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from geolearn.diagnostics._aggregate import aggregate_dimension
from geolearn.diagnostics._alpha_req import alpha_req
from geolearn.diagnostics._centroid_nuclear_norm import centroid_nuclear_norm
from geolearn.diagnostics._curvature import second_order_curvature
from geolearn.diagnostics._effective_rank import participation_ratio, rankme
from geolearn.diagnostics._feature_split import feature_split_stability
from geolearn.diagnostics._local_dimension import local_intrinsic_dimension
from geolearn.diagnostics._local_pca_dimension import local_pca_dimension
from geolearn.diagnostics._manifold_capacity import manifold_capacity
from geolearn.diagnostics._mst_uniformity import mst_uniformity
from geolearn.diagnostics._neighborhoods import distinct_sample
from geolearn.diagnostics._neural_collapse import neural_collapse
from geolearn.diagnostics._two_nn import two_nn_dimension

# Rows of the diagnostics whose cost a row is high.
_SPLIT_ROWS = 600
_CURVATURE_ROWS = 500
# A quadratic fit with more neighbours is no longer local.
_MOST_CURVATURE_NEIGHBORS = 200


class Inputs(NamedTuple):
    """What the measures work on.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        All rows.
    y : ndarray of shape (n_samples,) or None
        Classes.
    rows : ndarray of shape (n_rows, n_features)
        The rows that neighbours are searched among.
    dimensions : ndarray of shape (n_rows,) or None
        Local dimensions of `rows`; None if there are none.
    intrinsic_dim : float or None
        Dimension of the whole; None if unknown.
    n_neighbors, random_state, n_jobs
        As given to the report.
    """

    Z: np.ndarray
    y: Any
    rows: np.ndarray
    dimensions: Any
    intrinsic_dim: Any
    n_neighbors: int
    random_state: Any
    n_jobs: Any


class Entry(NamedTuple):
    """Numbers that one function measures.

    Parameters
    ----------
    readings : dict of str to str
        How to read each number, by its name.
    measure : callable
        Returns the numbers of `Inputs`, in that order.
    needs_classes : bool
        Whether labels are needed.
    """

    readings: dict[str, str]
    measure: Callable
    needs_classes: bool = False


def _over_rows(average, values):
    """Average over the rows that have a value; NaN without any."""
    known = values[~np.isnan(values)]
    return float(average(known)) if known.size else np.nan


def _repeats(data):
    return (1.0 - distinct_sample(data.Z).rows.size / data.Z.shape[0],)


def local_dimensions(rows, n_neighbors, n_jobs):
    """Return the dimension around each row, and their geometric mean."""
    values = local_intrinsic_dimension(rows, n_neighbors=n_neighbors, n_jobs=n_jobs)
    return values, aggregate_dimension(values)


def _local_dimension(data):
    if data.dimensions is None:  # raises with the reason
        values, _ = local_dimensions(data.rows, data.n_neighbors, data.n_jobs)
    else:
        values = data.dimensions
    return aggregate_dimension(values), float(np.exp(np.nanstd(np.log(values))))


def _two_nn(data):
    return (two_nn_dimension(data.rows, n_jobs=data.n_jobs),)


def _local_pca(data):
    values = local_pca_dimension(
        data.rows, n_neighbors=data.n_neighbors, n_jobs=data.n_jobs
    )
    return (_over_rows(np.mean, values),)


def _ranks(data):
    seed = data.random_state
    return (
        rankme(data.Z, random_state=seed),
        rankme(data.Z, centered=True, spectrum_of="eigenvalues", random_state=seed),
    )


def _participation(data):
    return (participation_ratio(data.Z, random_state=data.random_state),)


def _alpha(data):
    return (alpha_req(data.Z, random_state=data.random_state),)


def _dimension_of(data):
    if data.intrinsic_dim is None:
        raise ValueError(
            "the intrinsic dimension could not be estimated; pass intrinsic_dim."
        )
    return max(1.0, float(data.intrinsic_dim))


def _curvature(data):
    d = min(round(_dimension_of(data)), data.rows.shape[1])
    least = 2 * (d + d * (d + 1) // 2)
    if least > _MOST_CURVATURE_NEIGHBORS:
        raise ValueError(
            f"with dimension {d} the quadratic fit needs {least} neighbours, which is "
            "hardly local; call second_order_curvature if you want it."
        )
    found = second_order_curvature(
        data.rows,
        queries=data.rows[:_CURVATURE_ROWS],
        intrinsic_dim=d,
        n_jobs=data.n_jobs,
    )
    return tuple(_over_rows(np.median, values) for values in found[:3])


def _stability(data):
    options = {"random_state": data.random_state, "n_jobs": data.n_jobs}
    return (feature_split_stability(data.Z, max_samples=_SPLIT_ROWS, **options),)


def _uniformity(data):
    d = _dimension_of(data)
    return (mst_uniformity(data.rows, intrinsic_dim=d, n_jobs=data.n_jobs),)


def _collapse(data):
    return neural_collapse(data.Z, data.y)


def _nuclear(data):
    return (centroid_nuclear_norm(data.Z, data.y, normalize=True),)


def _capacity(data):
    return (manifold_capacity(data.Z, data.y).capacity,)


ENTRIES = (
    Entry(
        {"repeated_share": "share of repeated rows; 0 is good, they hide the geometry"},
        _repeats,
    ),
    Entry(
        {
            "local_dimension": "intrinsic dimension, geometric mean; bad if far below "
            "what the task needs (local collapse)",
            "local_dimension_spread": "factor by which local dimensions differ; about "
            "1.2 is sampling noise, 1.5 and more pieces of different dimension",
        },
        _local_dimension,
    ),
    Entry(
        {
            "two_nn_dimension": "dimension at the finest scale; far above "
            "local_dimension means noise"
        },
        _two_nn,
    ),
    Entry(
        {
            "local_pca_dimension": "directions with 95 % of the local variance, mean; "
            "far above local_dimension means curvature or noise"
        },
        _local_pca,
    ),
    Entry(
        {
            "rankme": "effective rank, 1 to the number of features; higher is better "
            "among models of one size, low means dimensional collapse",
            "rankme_eigenvalues": "the same of the eigenvalues of the covariance; far "
            "below rankme means a few dominant directions",
        },
        _ranks,
    ),
    Entry(
        {
            "participation_ratio": "effective rank that ignores weak directions; 1 "
            "means that one direction dominates"
        },
        _participation,
    ),
    Entry(
        {
            "alpha_req": "decay of the eigenvalues; about 1 is good, above 2 a few "
            "directions dominate, near 0 the spectrum is noise"
        },
        _alpha,
    ),
    Entry(
        {
            "curvature_mean": "principal curvature over all normals, median, in 1/unit "
            "of the data; near 0 linear methods suffice",
            "curvature_max_normal": "the same along the most curved normal; not "
            "diluted by empty features",
            "curvature_norm": "norm of all principal curvatures; its inverse is the "
            "scale up to which the data look flat",
        },
        _curvature,
    ),
    Entry(
        {
            "feature_split_stability": "agreement of distances from two halves of the "
            "features; near 1 redundant and stable, near 0 noise"
        },
        _stability,
    ),
    Entry(
        {
            "mst_uniformity": "scaled length of the spanning tree; higher is more "
            "even, low means clusters; compare data of one scale and dimension"
        },
        _uniformity,
    ),
    Entry(
        {
            "collapse_within_class": "NC1, scatter within over between classes; 0 is "
            "collapsed: good for these classes, bad for others",
            "collapse_unequal_norms": "NC2, variation of the lengths of class means; "
            "0 for a simplex",
            "collapse_unequal_angles": "NC2, deviation of the angles of class means "
            "from a simplex; 0 for a simplex",
        },
        _collapse,
        True,
    ),
    Entry(
        {
            "centroid_nuclear_norm": "as a share of the largest value possible; near 1 "
            "classes are tight and point in all directions"
        },
        _nuclear,
        True,
    ),
    Entry(
        {
            "manifold_capacity": "linearly separable classes for each feature; 2 is "
            "the most, near 0 classes overlap"
        },
        _capacity,
        True,
    ),
)
