"""Affine spans of points on manifolds: projections, barycentres and weights."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from geolearn.decomposition._affine_span_barycenter import (
    barycenters,
    negative_directions,
)
from geolearn.decomposition._affine_span_convex import project_hull
from geolearn.decomposition._affine_span_frames import unfold
from geolearn.decomposition._affine_span_local import Local
from geolearn.decomposition._affine_span_null import least_null_weights, null_spaces
from geolearn.decomposition._affine_span_project import (
    AffineSpanProjection,
    project_points,
)
from geolearn.decomposition._affine_span_references import check_references
from geolearn.manifolds import Manifold, get_manifold
from geolearn.utils.validation import (
    check_points,
    check_positive,
    check_sample_weight,
)

__all__ = [
    "AffineSpanProjection",
    "affine_span_index",
    "affine_span_project",
    "barycenter",
    "barycentric_weights",
    "log_matrix",
    "unexplained_variance",
]

_OFF_SPAN = 1e-6  # smallest singular value of logarithms at points off the span
_NULL = 1e-9  # singular values below are zero; also that of points near the span


def affine_span_project(
    manifold: str | Manifold, X: Any, references: Any, *, convex: bool = False
) -> AffineSpanProjection:
    r"""Project points onto the affine span of references [1]_.

    The affine span holds the points x at which some weights of sum one satisfy
    ``sum(weights[i] * log(x, references[i])) = 0``: all barycentres of the references,
    also with negative weights, and the limits of these. One reference spans itself,
    two span a geodesic. In spaces of constant curvature the spans are the totally
    geodesic subspaces and projections have closed forms; elsewhere Newton steps on
    weights of unit norm find a critical point of the distance, from the nearest
    reference first and from the other references and their mean where that fails.

    Parameters
    ----------
    manifold : str or Manifold
        Name that `geolearn.manifolds.get_manifold` knows, or an instance.
    X : array_like of shape (n_samples, \*point_shape)
        Points to project.
    references : array_like of shape (n_references, \*point_shape)
        Points of the manifold, affinely independent: at each of them the logarithms
        of the others are linearly independent.
    convex : bool, default=False
        Whether to allow no negative weights: the nearest point of the geodesic hull
        of the references where the curvature is constant. References enter one by
        one where they lower the distance, as in non-negative least squares, which is
        exact where squared distances to a span are convex.

    Returns
    -------
    AffineSpanProjection
        Named tuple of `projection`, of shape (n_samples, \*point_shape), `distance`,
        of shape (n_samples,), `weights`, of shape (n_samples, n_references), whose
        rows sum to one and are NaN where weights lie at infinity, and `converged`,
        of shape (n_samples,).

    Raises
    ------
    ValueError
        If the shapes do not fit, a point is off the manifold, or references are
        affinely dependent or on one another's cut locus; the message names them.

    Warns
    -----
    UserWarning
        If projections are not unique, weights lie at infinity, or the references are
        so many that they span the whole manifold.
    ConvergenceWarning
        If iterations end before a projection is found.

    See Also
    --------
    barycenter : Points from weights.

    References
    ----------
    .. [1] X. Pennec, "Barycentric subspace analysis on manifolds", Ann. Statist.
       46(6A), 2018, arXiv:1607.02833.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.manifolds import Sphere
    >>> equator = np.eye(3)[:2]
    >>> result = affine_span_project(Sphere(2), [[1 / 3, 2 / 3, 2 / 3]], equator)
    >>> result.distance.round(6), result.weights.round(6)
    (array([0.729728]), array([[0.295167, 0.704833]]))
    """
    space, X, references = _prepare(manifold, X, references)
    project = project_hull if convex else project_points
    result = project(space, X, references)
    _warn(space, result, convex)
    return result


def barycenter(manifold: str | Manifold, references: Any, weights: Any) -> np.ndarray:
    r"""Return barycentres of references under weights of any sign [1]_.

    These are critical points of the weighted variance ``sum(weights[i] * dist(x,
    references[i])**2)`` for weights divided by their sum: local minima where there
    are any. With negative weights, or under positive curvature, several may exist;
    starts at the references select one, that of the least variance.

    Parameters
    ----------
    manifold : str or Manifold
        Name that `geolearn.manifolds.get_manifold` knows, or an instance.
    references : array_like of shape (n_references, \*point_shape)
        Points of the manifold, affinely independent: at each of them the logarithms
        of the others are linearly independent.
    weights : array_like of shape (..., n_references)
        Weights of any sign and of nonzero sum; only their ratios matter.

    Returns
    -------
    ndarray of shape (..., \*point_shape)
        Barycentres; NaN where none was found.

    Raises
    ------
    ValueError
        If the shapes do not fit, a point is off the manifold, or references are
        affinely dependent or on one another's cut locus; the message names them.

    Warns
    -----
    ConvergenceWarning
        If a barycentre was not found.

    References
    ----------
    .. [1] X. Pennec, "Barycentric subspace analysis on manifolds", Ann. Statist.
       46(6A), 2018, arXiv:1607.02833.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.manifolds import SPD
    >>> references = np.array([np.eye(2), [[2.0, 1.0], [1.0, 2.0]]])
    >>> barycenter(SPD(2), references, [0.5, 0.5]).round(6)
    array([[1.366025, 0.366025],
           [0.366025, 1.366025]])
    """
    space, _, references = _prepare(manifold, None, references)
    weights = _check_weights(weights, len(references))
    leading = weights.shape[:-1]
    rows = weights.reshape(-1, len(references))
    points, found = barycenters(space, references, rows)
    if not found.all():
        warnings.warn(
            f"{int(np.sum(~found))} of {len(found)} barycentres were not found and "
            f"are NaN: the weighted variance may have no critical point.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return points.reshape(*leading, *space.point_shape)


def log_matrix(manifold: str | Manifold, x: Any, references: Any) -> np.ndarray:
    r"""Return the logarithms of references at points as matrices.

    Parameters
    ----------
    manifold : str or Manifold
        Name that `geolearn.manifolds.get_manifold` knows, or an instance.
    x : array_like of shape (..., \*point_shape)
        Points at which logarithms are taken.
    references : array_like of shape (n_references, \*point_shape)
        Points of the manifold, affinely independent: at each of them the logarithms
        of the others are linearly independent.

    Returns
    -------
    ndarray of shape (..., dim, n_references)
        Column i holds log(x, references[i]) in the orthonormal frame of
        `tangent_to_vector` at x; NaN where x is on the cut locus of a reference.

    Raises
    ------
    ValueError
        If the shapes do not fit, a point is off the manifold, or references are
        affinely dependent or on one another's cut locus; the message names them.

    Examples
    --------
    >>> log_matrix("euclidean", [1.0, 1.0], [[1.0, 0.0], [3.0, 1.0]])
    array([[ 0.,  2.],
           [-1.,  0.]])
    """
    space, x, references = _prepare(manifold, x, references, many=True)
    shape = tuple(space.point_shape)
    leading = x.shape[: x.ndim - len(shape)]
    x = x.reshape(-1, *shape)
    Z = Local(space, references[None]).logs(x, np.zeros(len(x), dtype=np.intp))
    return Z.reshape(*leading, space.dim, len(references))


def barycentric_weights(
    manifold: str | Manifold, x: Any, references: Any
) -> np.ndarray:
    r"""Return the barycentric weights of points of an affine span.

    Weights are null vectors of `log_matrix` that sum to one; where there are several,
    for instance with more references than dimensions, those of least norm.

    Parameters
    ----------
    manifold : str or Manifold
        Name that `geolearn.manifolds.get_manifold` knows, or an instance.
    x : array_like of shape (..., \*point_shape)
        Points of the span, as `affine_span_project` returns.
    references : array_like of shape (n_references, \*point_shape)
        Points of the manifold, affinely independent: at each of them the logarithms
        of the others are linearly independent.

    Returns
    -------
    ndarray of shape (..., n_references)
        Weights; NaN where they lie at infinity.

    Raises
    ------
    ValueError
        If the shapes do not fit, a point is off the manifold, or references are
        affinely dependent or on one another's cut locus; the message names them.

    Examples
    --------
    >>> barycentric_weights("euclidean", [2.0, 0.0], [[0.0, 0.0], [4.0, 0.0]])
    array([0.5, 0.5])
    """
    space, x, references = _prepare(manifold, x, references, many=True)
    Z = log_matrix(space, x, references)
    flat = Z.reshape(-1, *Z.shape[-2:])
    values, _ = null_spaces(flat)
    off = values[:, -1] > _OFF_SPAN * values[:, 0]
    if off.any():
        row = int(np.argmax(off))
        raise ValueError(
            f"x has {int(off.sum())} point(s) off the affine span of the references, "
            f"which have no barycentric weights; the first is point {row}, with "
            f"smallest singular value {values[row, -1] / values[row, 0]:.1e} of the "
            f"largest (tolerance {_OFF_SPAN:g}). Call affine_span_project first."
        )
    small = np.minimum(np.maximum(values[:, -1:], _NULL * values[:, :1]), values)
    nullity = np.sum(values <= small, axis=1)
    weights = least_null_weights(flat, nullity)
    return weights.reshape(*Z.shape[:-2], Z.shape[-1])


def affine_span_index(
    manifold: str | Manifold, x: Any, references: Any, weights: Any
) -> np.ndarray:
    r"""Count the directions in which the weighted variance falls from a barycentre.

    Index 0 marks a local minimum of the variance, from which `barycenter` can
    recover the point.

    Parameters
    ----------
    manifold : str or Manifold
        Name that `geolearn.manifolds.get_manifold` knows, or an instance.
    x : array_like of shape (..., \*point_shape)
        Points of the span.
    references : array_like of shape (n_references, \*point_shape)
        Points of the manifold, affinely independent: at each of them the logarithms
        of the others are linearly independent.
    weights : array_like of shape (..., n_references)
        Barycentric weights of the points.

    Returns
    -------
    ndarray of int of shape (...)
        Numbers of negative eigenvalues of the Hessian.

    Raises
    ------
    ValueError
        If the shapes do not fit, a point is off the manifold, or references are
        affinely dependent or on one another's cut locus; the message names them.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.manifolds import Sphere
    >>> near = np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)
    >>> affine_span_index(Sphere(2), [near, -near], np.eye(3)[:2], [0.5, 0.5])
    array([0, 1])
    """
    space, x, references = _prepare(manifold, x, references, many=True)
    weights = _check_weights(weights, len(references))
    shape = tuple(space.point_shape)
    leading = np.broadcast_shapes(x.shape[: x.ndim - len(shape)], weights.shape[:-1])
    x = np.broadcast_to(x, (*leading, *shape)).reshape(-1, *shape)
    weights = np.broadcast_to(weights, (*leading, len(references)))
    weights = weights.reshape(-1, len(references))
    which = np.zeros(len(x), dtype=np.intp)
    _, H = Local(space, references[None]).at(x, weights, which)
    return negative_directions(H).reshape(leading)[()]


def unexplained_variance(
    manifold: str | Manifold,
    X: Any,
    references: Any,
    *,
    p: float = 2.0,
    sample_weight: Any = None,
) -> float:
    r"""Return the weighted mean of powers of distances to an affine span.

    Parameters
    ----------
    manifold : str or Manifold
        Name that `geolearn.manifolds.get_manifold` knows, or an instance.
    X : array_like of shape (n_samples, \*point_shape)
        Points.
    references : array_like of shape (n_references, \*point_shape)
        Points of the manifold, affinely independent: at each of them the logarithms
        of the others are linearly independent.
    p : float, default=2.0
        Power, positive. Below 1 the criterion is not convex and favours spans
        through many samples.
    sample_weight : array_like of shape (n_samples,), default=None
        Non-negative weights; None weighs all samples alike.

    Returns
    -------
    float
        Mean of ``distance**p``.

    Raises
    ------
    ValueError
        If the shapes do not fit, a point is off the manifold, or references are
        affinely dependent or on one another's cut locus; the message names them.

    Examples
    --------
    >>> X = [[0.0, 1.0], [5.0, 3.0]]
    >>> unexplained_variance("euclidean", X, [[0.0, 0.0], [1.0, 0.0]])
    5.0
    """
    p = check_positive(p, "p")
    space, X, references = _prepare(manifold, X, references)
    weight = check_sample_weight(sample_weight, len(X))
    result = project_points(space, X, references)
    _warn(space, result)
    return float(weight @ result.distance**p)


def _prepare(manifold, X, references, many=False):
    references = np.asarray(references)
    manifold = get_manifold(manifold, references.shape[1:])
    if X is not None and many:
        shape = tuple(manifold.point_shape)
        X = np.asarray(X)
        leading = X.shape[: X.ndim - len(shape)]
        X = check_points(manifold, X.reshape(-1, *X.shape[X.ndim - len(shape) :]))
        X = X.reshape(*leading, *shape)
    elif X is not None:
        X = check_points(manifold, X)
    return manifold, X, check_references(manifold, references)


def _check_weights(weights, size):
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim == 0 or weights.shape[-1] != size:
        raise ValueError(
            f"weights has shape {weights.shape}, but there are {size} references: the "
            f"last axis must have length {size}."
        )
    total = weights.sum(axis=-1, keepdims=True)
    if not np.all(np.abs(total) > 1e-12 * np.abs(weights).sum(axis=-1, keepdims=True)):
        raise ValueError("weights must have a nonzero sum in every row.")
    return weights / total


def _warn(manifold, result, convex=False):
    """Warn once about projections that are not what they should be."""
    size = result.weights.shape[1]
    if size > manifold.dim and not convex:
        warnings.warn(
            f"{size} references span all of {manifold!r}, which has {manifold.dim} "
            f"dimensions: the subspace fills the manifold and every distance is 0. "
            f"Take fewer references.",
            UserWarning,
            stacklevel=3,
        )
    lost = np.isnan(result.weights).any(axis=1) & result.converged
    if lost.any():
        warnings.warn(
            f"{int(lost.sum())} of {len(lost)} projections on {manifold!r} have "
            f"barycentric weights at infinity, given as NaN: their sum vanishes. "
            f"Projections and distances are valid.",
            UserWarning,
            stacklevel=3,
        )
    n_open = int(np.sum(~result.converged))
    if not n_open:
        return
    if unfold(manifold) is not None and not convex:
        warnings.warn(
            f"{n_open} of {len(lost)} projections on {manifold!r} are not unique or "
            f"lie on the cut locus of a reference; distances are exact, and "
            f"`converged` is False there.",
            UserWarning,
            stacklevel=3,
        )
        return
    warnings.warn(
        f"{n_open} of {len(lost)} projections on {manifold!r} were not found: "
        f"the iterations ended at the best points on the way, where `converged` is "
        f"False. Take references that are closer together.",
        ConvergenceWarning,
        stacklevel=3,
    )
