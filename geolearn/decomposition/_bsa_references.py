"""The references of a fit: given, sought among the samples, or free."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from geolearn.decomposition._affine_span_frames import unfold
from geolearn.decomposition._affine_span_references import check_references
from geolearn.decomposition._bsa_hull import search_hulls
from geolearn.decomposition._bsa_input import check_distinct, given_references
from geolearn.decomposition._bsa_search import search_samples
from geolearn.decomposition._bsa_search_problems import (
    GramProblem,
    ProjectionProblem,
    VectorProblem,
)

__all__ = ["References", "find_references"]


class References(NamedTuple):
    """Hold the references and how they were found.

    Attributes
    ----------
    points : ndarray of shape (k + 1, ...) or None
        Points; None for distances.
    indices : ndarray of shape (k + 1,) or None
        Samples that they are.
    unexplained : ndarray of shape (k + 1,) or None
        Unexplained variances of the nested spans, where the search knows them.
    search : {"exhaustive", "greedy", "free", "given"}
        What was run.
    n_iter : int
        Steps of the descent, 1 without one.
    converged : bool
        Whether the search came to an end.
    """

    points: np.ndarray | None
    indices: np.ndarray | None
    unexplained: np.ndarray | None
    search: str
    n_iter: int
    converged: bool


def find_references(estimator, X, manifold, weight):
    """Return the references that the parameters ask for."""
    if not isinstance(estimator.references, str):
        points, indices = given_references(estimator, X, manifold)
        return References(points, indices, None, "given", 1, True)
    check_distinct(estimator, X, weight, manifold)
    _check_backward(estimator, manifold)
    find = _free if estimator.references == "free" else _search
    found = find(estimator, X, manifold, weight)
    if not found.converged and found.search != "free":  # which warns itself
        warnings.warn(
            f"The search for references ended before it settled; the best of "
            f"n_components + 1={estimator.n_components + 1} references found are "
            f"taken. Raise max_iter={estimator.max_iter} or tol={estimator.tol:g}.",
            ConvergenceWarning,
            stacklevel=3,
        )
    return found


def _check_backward(estimator, manifold):
    k = estimator.n_components
    if estimator.strategy == "backward" and manifold is not None and k >= manifold.dim:
        raise ValueError(
            f"strategy='backward' needs n_components below the dimension "
            f"{manifold.dim} of {manifold!r}, got n_components={k}: every span is "
            f"everything there. Lower n_components, or pass strategy='forward'."
        )


def _search(estimator, X, manifold, weight):
    k = estimator.n_components
    options = {
        "strategy": estimator.strategy,
        "p": estimator.p,
        "search": estimator.search,
        "first": estimator.first,
        "n_candidates": estimator.n_candidates,
        "random_state": estimator.random_state,
    }
    if estimator.convex:
        found = search_hulls(manifold, X, k, weight=weight, **options)
    else:
        found = search_samples(
            _problem(estimator, X, manifold),
            k,
            sample_weight=weight,
            n_jobs=estimator.n_jobs,
            **options,
        )
    points = None if manifold is None else X[found.indices]
    if points is not None and len(points) <= manifold.dim + 1:
        _check_independent(manifold, points)
    return References(
        points, found.indices, found.unexplained, found.search, 1, found.converged
    )


def _check_independent(manifold, points):
    try:
        check_references(manifold, points)
    except ValueError as error:
        raise ValueError(
            f"The samples do not hold {len(points)} independent references of "
            f"{manifold!r}: lower n_components={len(points) - 1}. ({error})"
        ) from error


def _problem(estimator, X, manifold):
    """Return the form in which the search is cheapest."""
    if manifold is None:
        return GramProblem.from_distances(X, estimator.curvature or 0.0)
    if unfold(manifold) is None:
        return ProjectionProblem(manifold, X, estimator.n_screen)
    return VectorProblem(X, manifold)


def _free(estimator, X, manifold, weight):
    from geolearn.decomposition._bsa_free import free_references

    fit = free_references(
        manifold,
        X,
        estimator.n_components,
        strategy=estimator.strategy,
        p=estimator.p,
        sample_weight=weight,
        n_init=estimator.n_init,
        max_iter=estimator.max_iter,
        tol=estimator.tol,
        random_state=estimator.random_state,
    )
    n_iter = max(1, int(fit.n_iter))
    return References(
        fit.references, None, fit.unexplained, "free", n_iter, bool(fit.converged)
    )
