"""References that need not be samples."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from geolearn.decomposition._affine_span_frames import unfold
from geolearn.decomposition._bsa_free_flag import Cloud
from geolearn.decomposition._bsa_free_general import fit_general
from geolearn.decomposition._bsa_free_strategies import Solver
from geolearn.manifolds import Euclidean, Hyperboloid, Sphere
from geolearn.utils._threads import matrix_threads
from geolearn.utils.validation import check_sample_weight

__all__ = ["FreeFit", "FreeFlag", "free_flag", "free_references"]

_STRATEGIES = ("forward", "backward", "pure", "flag")
_FARTHEST = 0.5  # of the injectivity radius: where references are set
_NEAREST = 1e-3  # of the spread of the data, where they do not spread


class FreeFit(NamedTuple):
    """The references of a span that was fitted freely.

    Attributes
    ----------
    references : ndarray of shape (k + 1, ...)
        Points, in the order of the flag: x_0, and one on a geodesic from x_0 in
        each direction, as far as the samples spread there.
    unexplained : ndarray of shape (k + 1,)
        Unexplained variances of the spans of the first 1, ..., k + 1 of them.
    n_iter : int
        Number of steps.
    converged : bool
        Whether the tolerance was reached.
    """

    references: np.ndarray
    unexplained: np.ndarray
    n_iter: int
    converged: bool


class FreeFlag(NamedTuple):
    """A flag in the model space of a manifold.

    Attributes
    ----------
    model : Euclidean, Sphere or Hyperboloid
        Model space.
    base : ndarray of shape (n_coordinates,)
        Point x_0 of it.
    basis : ndarray of shape (k, n_coordinates)
        Orthonormal tangent vectors at it, in the order of the flag.
    spread : ndarray of shape (k,)
        Root mean squares of the samples' coordinates at x_0.
    unexplained : ndarray of shape (k + 1,)
        Unexplained variances of the nested spans.
    n_iter : int
        Number of steps.
    converged : bool
        Whether the tolerance was reached.
    """

    model: Any
    base: np.ndarray
    basis: np.ndarray
    spread: np.ndarray
    unexplained: np.ndarray
    n_iter: int
    converged: bool


def free_references(
    manifold: Any,
    X: np.ndarray,
    k: int,
    *,
    strategy: str = "forward",
    p: float = 2.0,
    sample_weight: np.ndarray | None = None,
    n_init: int = 4,
    max_iter: int = 100,
    tol: float = 1e-10,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> FreeFit:
    r"""Fit references, any points, whose affine span leaves little unexplained.

    In spaces of constant curvature the span alone matters [1]_, and the references
    are set on geodesics from the first. On other manifolds the references themselves
    are moved along the gradient from the principal directions at the mean. That is
    experimental: slow, to a local minimum, and only where there are Hessians.

    Parameters
    ----------
    manifold : Manifold
        Manifold that the samples lie on.
    X : ndarray of shape (n_samples, \*point_shape)
        Points.
    k : int
        Dimension of the span; k + 1 references are returned.
    strategy : {"forward", "backward", "pure", "flag"}, default="forward"
        "forward": x_0 has the least unexplained variance, and each further direction
        the least given those before; this is exact principal geodesic analysis.
        "pure" and "backward": the span of dimension k is the best, and in it each
        span of lower dimension the best inside the one above. "flag": the sum of
        the unexplained variances of all spans is the least.
    p : float, default=2.0
        Power of the distances, positive.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights.
    n_init : int, default=4
        Number of further starts, through samples, where minima may be local.
    max_iter : int, default=100
        Largest number of steps of each descent.
    tol : float, default=1e-10
        Square root of the relative decrease of the criterion that the last step may
        still promise.
    random_state : int, RandomState instance or None, default=None
        Draws samples for starts, where there are more than 64.
    n_jobs : int, default=None
        Number of threads; present for the interface. Results do not depend on it.

    Returns
    -------
    FreeFit
        References, unexplained variances, number of steps and whether it converged.

    Raises
    ------
    ValueError
        If the strategy is unknown, k is above the dimension of the manifold, or the
        manifold has neither closed forms nor Hessians.

    Warns
    -----
    ConvergenceWarning
        If the tolerance is not reached.

    References
    ----------
    .. [1] X. Pennec, "Barycentric subspace analysis on manifolds", Ann. Statist.
       46(6A), 2018, arXiv:1607.02833.
    """
    if strategy not in _STRATEGIES:
        raise ValueError(
            f"strategy={strategy!r} is not one for free references; choose from "
            f"{', '.join(map(repr, _STRATEGIES))}."
        )
    if k > manifold.dim:
        raise ValueError(
            f"n_components={k} must be at most the dimension {manifold.dim} of "
            f"{manifold!r}; lower n_components."
        )
    if unfold(manifold) is None:
        weight = check_sample_weight(sample_weight, len(X))
        heavy = weight > 0.0
        general = fit_general(
            manifold, X[heavy], k, strategy, p, weight[heavy], max_iter, tol
        )
        _warn(general, strategy, max_iter, tol)
        return FreeFit(*general)
    flag = free_flag(
        manifold,
        X,
        k,
        strategy=strategy,
        p=p,
        sample_weight=sample_weight,
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        random_state=random_state,
    )
    restore = unfold(manifold)[2]
    lengths = np.maximum(flag.spread, _NEAREST * np.max(flag.spread, initial=0.0))
    farthest = _FARTHEST * flag.model.injectivity_radius
    lengths = np.minimum(np.where(lengths > 0.0, lengths, 1.0), farthest)
    others = flag.model._exp(flag.base, lengths[:, None] * flag.basis)
    references = restore(np.concatenate([flag.base[None], others]))
    return FreeFit(references, flag.unexplained, flag.n_iter, flag.converged)


def free_flag(
    manifold: Any,
    X: np.ndarray,
    k: int,
    *,
    strategy: str,
    p: float,
    sample_weight: np.ndarray | None,
    n_init: int,
    max_iter: int,
    tol: float,
    random_state: Any,
) -> FreeFlag:
    """Fit a flag in a space of constant curvature; see `free_references`."""
    model, unfolded, _ = unfold(manifold)
    weight = check_sample_weight(sample_weight, len(X))
    points, weight = unfolded(X)[weight > 0.0], weight[weight > 0.0]
    unit, shift, scale = _unit_space(model, points, weight)
    cloud = Cloud(unit, (points - shift) / scale, weight, p)
    rng = check_random_state(random_state)
    with matrix_threads(1):
        fit = Solver(cloud, n_init, max_iter, tol, rng).run(k, strategy)
    _warn(fit, strategy, max_iter, tol)
    flag = fit.flag
    base = shift + scale * flag.base
    frame = _signed(unit, flag.base, flag.frame[:, :k])
    basis = model._vector_to_tangent(base, frame.T)
    distance, sn, _ = cloud.distances(flag.Y, 0)
    ratio = np.where(sn > 0.0, distance / np.where(sn > 0.0, sn, 1.0), 1.0)
    coordinates = ratio[:, None] * flag.Y[:, 1 : k + 1]
    spread = scale * np.sqrt(weight @ coordinates**2)
    unexplained = [scale**p * cloud.unexplained(flag, i) for i in range(k + 1)]
    return FreeFlag(
        model,
        base,
        basis,
        spread,
        np.array(unexplained),
        fit.n_iter,
        bool(fit.converged),
    )


def _unit_space(model, points, weight):
    """Return the same space in natural units: model, shift and scale."""
    if isinstance(model, Euclidean):
        shift = weight @ points
        size = np.linalg.norm(points - shift, axis=1)
        scale = float(np.max(size))
        if scale > 0.0:
            scale *= float(np.sqrt(weight @ (size / scale) ** 2))
        return model, shift, scale if scale > 0.0 else 1.0
    kind = Sphere if isinstance(model, Sphere) else Hyperboloid
    return kind(model.dim), np.zeros(points.shape[1]), model._length_scale


def _signed(model, base, frame):
    """Turn directions so that their largest ambient coordinate is positive."""
    tangents = model._vector_to_tangent(base, frame.T)
    rows = np.arange(len(tangents))
    largest = tangents[rows, np.argmax(np.abs(tangents), axis=1)]
    return frame * np.where(largest < 0.0, -1.0, 1.0)


def _warn(fit, strategy, max_iter, tol):
    if not fit.converged:
        warnings.warn(
            f"The search for free references (strategy={strategy!r}) did not reach "
            f"tol={tol:g} within max_iter={max_iter} steps of a descent, "
            f"{fit.n_iter} in all. Raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=4,
        )
