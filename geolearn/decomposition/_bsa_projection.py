"""Projections of samples on the fitted subspace, and what is told about them."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from geolearn.decomposition._affine_span_convex import project_hull
from geolearn.decomposition._affine_span_frames import unfold
from geolearn.decomposition._affine_span_project import project_points
from geolearn.decomposition._bsa_search_problems import length_scale

__all__ = ["project", "warn_of_projections"]

_IN_SPAN = 64.0 * np.finfo(float).eps  # share of a length that is rounding


def project(manifold, X, references, *, convex=False, tol=1e-10, max_iter=100):
    """Project points; those that lie in the span up to rounding are at distance 0.

    Powers below one would make a residual of a rounding error seen.
    """
    if convex:
        result = project_hull(manifold, X, references)
    else:
        result = project_points(manifold, X, references, tol=tol, max_iter=max_iter)
    if len(references) > 1 and unfold(manifold) is not None:
        rounding = _rounding(manifold, X, references[0])
        result.distance[result.distance <= rounding] = 0.0
    return result


def _rounding(manifold, X, first):
    """Return distances to a span that are only rounding, by those from x_0."""
    curvature = float(manifold.sectional_curvature_bounds[0])
    scale = length_scale(curvature)
    d = manifold._dist(first, X)
    if curvature < 0.0:
        return scale * np.arcsinh(_IN_SPAN * np.sinh(d / scale))
    return _IN_SPAN * d


def warn_of_projections(manifold, result):
    """Tell once how many projections failed, and of which kind."""
    n = len(result.converged)
    infinite = int(np.sum(np.isnan(result.weights).any(axis=1)))
    if infinite:
        warnings.warn(
            f"{infinite} of {n} projections lie at infinity in barycentric "
            f"coordinates, where the weights sum to 0; their rows are NaN. "
            f"reconstruct and distance are valid; impute or leave out these rows.",
            UserWarning,
            stacklevel=5,
        )
    failed = ~result.converged & ~np.isnan(result.weights).any(axis=1)
    n_failed = int(np.sum(failed))
    if not n_failed:
        return
    if unfold(manifold) is not None or result.weights.shape[1] == 1:
        warnings.warn(
            f"{n_failed} of {n} projections are not unique or lie on the cut locus of "
            f"a reference; distances are exact, one of the nearest points is taken.",
            UserWarning,
            stacklevel=5,
        )
        return
    warnings.warn(
        f"{n_failed} of {n} projections did not converge to tol; the best points found "
        f"are taken. Raise max_iter, or choose references nearer to one another.",
        ConvergenceWarning,
        stacklevel=5,
    )
