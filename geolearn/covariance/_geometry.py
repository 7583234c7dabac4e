"""What estimators ask of an SPD geometry, by name or as a manifold."""

import numpy as np

from geolearn.linalg import cholesky
from geolearn.manifolds import SPD, FrechetMean, Manifold

__all__ = [
    "check_spd",
    "distances_between",
    "distances_to",
    "fit_mean",
    "from_tangent",
    "metric_name",
    "require_tangent_space",
    "resolve_geometry",
    "tangent_vectors",
]

# Metrics whose distances extend to singular matrices.
_SEMIDEFINITE = ("bures_wasserstein", "euclidean")

_SPD_PARAMETERS = ("alpha", "beta", "power", "metric_matrix")


def resolve_geometry(metric, n, metric_params=None):
    """Return the manifold of n x n matrices that `metric` names.

    Parameters
    ----------
    metric : str or Manifold
        Name or alias of a metric of `SPD`, or a manifold of n x n matrices.
    n : int
        Size of the matrices.
    metric_params : dict or None
        Further parameters of `SPD`, e.g. ``{"power": 0.5}``; names only.

    Returns
    -------
    Manifold
        Manifold with ``point_shape == (n, n)``.
    """
    if isinstance(metric, Manifold):
        if tuple(metric.point_shape) != (n, n):
            raise ValueError(
                f"metric={metric!r} has points of shape {tuple(metric.point_shape)}, "
                f"but X holds {n} x {n} matrices."
            )
        if metric_params:
            raise ValueError(
                f"metric_params={metric_params!r} cannot be combined with the "
                f"manifold metric={metric!r}: give the parameters to the manifold."
            )
        return metric
    if not isinstance(metric, str):
        raise TypeError(f"metric must be a name or a manifold, got {metric!r}.")
    unknown = [key for key in metric_params or {} if key not in _SPD_PARAMETERS]
    if unknown:
        raise ValueError(
            f"metric_params has the key {unknown[0]!r}; the parameters of a metric are "
            f"{', '.join(_SPD_PARAMETERS)}."
        )
    return SPD(n, metric, **(metric_params or {}))


def metric_name(geometry) -> str | None:
    """Return the canonical name of a metric of `SPD`, None for other manifolds."""
    return getattr(geometry, "metric", None) if isinstance(geometry, SPD) else None


def check_spd(geometry, X, *, for_distances=False) -> np.ndarray:
    """Return matrices that are valid points, or raise and name the first bad one.

    Parameters
    ----------
    geometry : Manifold
        Geometry of n x n matrices.
    X : ndarray of shape (n_matrices, n, n)
        Finite and exactly symmetric matrices, as `check_matrices` returns them.
    for_distances : bool, default=False
        Whether only distances are wanted: then some metrics take singular matrices.

    Returns
    -------
    ndarray of shape (n_matrices, n, n)
        The matrices.
    """
    if not isinstance(geometry, SPD):
        return geometry.check_points(X)
    singular = np.flatnonzero(cholesky(X)[1])
    if singular.size == 0:
        return X
    if for_distances and metric_name(geometry) in _SEMIDEFINITE:
        bound = -X.shape[1] * np.finfo(float).eps * np.abs(X[singular]).max(axis=(1, 2))
        if (np.linalg.eigvalsh(X[singular])[:, 0] >= bound).all():
            return X
    return geometry.check_points(X)  # names the matrix and the remedy


def require_tangent_space(geometry, X) -> None:
    """Raise, before work is spent, if the metric has no logarithm."""
    geometry.log_vector(X[0], X[:1])


def fit_mean(
    geometry, X, sample_weight=None, *, init=None, tol=1e-8, max_iter=50, n_jobs=None
) -> FrechetMean:
    """Return the weighted Fréchet mean of matrices with its diagnostics."""
    return geometry.frechet_mean(
        X,
        sample_weight,
        init=init,
        tol=tol,
        max_iter=max_iter,
        return_result=True,
        **_thread_option(geometry, n_jobs),
    )


def distances_between(geometry, X, *, n_jobs=None) -> np.ndarray:
    """Return the distances (n, n) between all pairs of matrices."""
    return geometry.pairwise_distances(X, n_jobs=n_jobs)


def distances_to(geometry, X, references, *, n_jobs=None) -> np.ndarray:
    """Return the distances (n, n_references) of matrices to references."""
    return geometry.pairwise_distances(X, references, n_jobs=n_jobs)


def tangent_vectors(geometry, reference, X, *, n_jobs=None) -> np.ndarray:
    """Return orthonormal coordinates (n, dim) of the logarithms at a reference."""
    return geometry.log_vector(reference, X, **_thread_option(geometry, n_jobs))


def from_tangent(geometry, reference, vectors, *, n_jobs=None) -> np.ndarray:
    """Return the matrices (n, n, n) with given coordinates; undo `tangent_vectors`."""
    return geometry.exp_vector(reference, vectors, **_thread_option(geometry, n_jobs))


def _thread_option(geometry, n_jobs):
    """Return the argument n_jobs for methods that have it on `SPD` alone."""
    return {"n_jobs": n_jobs} if isinstance(geometry, SPD) else {}
