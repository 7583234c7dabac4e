"""Free references on manifolds without closed forms: gradient steps, experimental.

Samples are projected on the span, and the references moved along the gradient at fixed
projections, which by the envelope theorem is that of the distances:
d(1/2 d^2(y, span)) / d x_i = -lambda_i (D log_pi x_i)^* H^-1 log_pi y,
with pi the projection of y, its weights lambda and the Hessian H of the weighted
variance.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from geolearn.decomposition._affine_span import affine_span_project

__all__ = ["GeneralFit", "fit_general", "span_gradient"]

_ARMIJO = 1e-4
_MAX_HALVINGS = 20
_LEAST_GAIN = 1e-8  # relative gain of a step that is not worth another
_NEAR = 1e-6  # of the spread: powers below 2 pull no harder than from there


class GeneralFit(NamedTuple):
    """References, their nested unexplained variances, and how they were reached."""

    references: np.ndarray
    unexplained: np.ndarray
    n_iter: int
    converged: bool


def span_gradient(manifold, X, references, weight, p, near=0.0):
    """Return an unexplained variance and its gradient in the references.

    Parameters
    ----------
    manifold : Manifold
        Any with Hessians.
    X : ndarray of shape (n_samples, ...)
        Points.
    references : ndarray of shape (k + 1, ...)
        Independent points.
    weight : ndarray of shape (n_samples,)
        Weights that sum to one.
    p : float
        Power of the distances.
    near : float, default=0.0
        Distance below which samples pull as if they were so far away.

    Returns
    -------
    value : float
        Weighted mean of the powers of distances.
    gradient : ndarray of shape (k + 1, ...)
        Tangent vectors at the references.
    """
    gradient = np.zeros(references.shape)
    if len(references) == 1:
        d = manifold._dist(references[0], X)
        pull = weight * _pulls(d, p, near)
        logs = manifold._log(references[0], X)
        gradient[0] = -np.tensordot(pull, logs, axes=1)
        return float(weight @ d**p), gradient
    with warnings.catch_warnings():
        # Samples without a projection do not pull.
        warnings.simplefilter("ignore", (UserWarning))
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = affine_span_project(manifold, X, references)
    d, value = found.distance, float(weight @ found.distance**p)
    good = found.converged & np.isfinite(found.weights).all(axis=1)
    pull = (weight * _pulls(d, p, near))[good]
    at, share = found.projection[good], found.weights[good]
    v = manifold._tangent_to_vector(at, manifold._log(at, X[good]))
    H = sum(
        share[:, i, None, None] * manifold._hess_half_sqdist(at, x)
        for i, x in enumerate(references)
    )
    w = np.linalg.solve(H, v[:, :, None])[:, :, 0]
    for i, x in enumerate(references):
        scaled = (pull * share[:, i])[:, None] * w
        here = manifold._log_adjoint(at, x, manifold._vector_to_tangent(at, scaled))
        gradient[i] = -np.sum(here, axis=0)
    return value, gradient


def _pulls(d, p, near):
    return np.full(len(d), 2.0) if p == 2.0 else p * np.maximum(d, near) ** (p - 2.0)


class _Problem:
    """Sum some nested levels, with some references held."""

    def __init__(self, manifold, X, weight, p, near, max_iter, tol):
        self.manifold, self.X, self.weight, self.p = manifold, X, weight, p
        self.near, self.max_iter, self.tol = near, max_iter, tol

    def evaluate(self, references, levels, free):
        value, gradient = 0.0, np.zeros(references.shape)
        for level in levels:
            part = references[: level + 1]
            more, slopes = span_gradient(
                self.manifold, self.X, part, self.weight, self.p, self.near
            )
            value += more
            gradient[: level + 1] += slopes
        vectors = self.manifold._tangent_to_vector(references, gradient)
        return value, np.where(
            np.isin(np.arange(len(vectors)), free)[:, None], vectors, 0
        )

    def descend(self, references, levels, free):
        """Descend by gradient steps of the lengths of Barzilai and Borwein."""
        value, g = self.evaluate(references, levels, free)
        step, n_iter = 0.5, 0
        while n_iter < self.max_iter and np.any(g):
            n_iter += 1
            found = self._search(references, value, g, step, levels, free)
            if found is None:
                return references, n_iter, True
            moved, lower, slopes, step = found
            change = slopes - g
            curvature = -step * np.sum(g * change)
            gain = value - lower
            size = step**2 * np.sum(g**2)
            references, value, g = moved, lower, slopes
            if gain <= max(_LEAST_GAIN, self.tol) * value:
                return references, n_iter, True
            step = min(size / curvature, 10.0 * step) if curvature > 0.0 else 2.0 * step
        return references, n_iter, not np.any(g)

    def _search(self, references, value, g, step, levels, free):
        manifold = self.manifold
        for _ in range(_MAX_HALVINGS):
            tangents = manifold._vector_to_tangent(references, -step * g)
            moved = manifold._exp(references, tangents)
            try:
                lower, slopes = self.evaluate(moved, levels, free)
            except ValueError:  # dependent references, or beyond a cut locus
                lower = np.inf
            if lower <= value - _ARMIJO * step * np.sum(g**2):
                return moved, lower, slopes, step
            step /= 2.0
        return None


def fit_general(
    manifold: Any,
    X: np.ndarray,
    k: int,
    strategy: str,
    p: float,
    weight: np.ndarray,
    max_iter: int,
    tol: float,
) -> GeneralFit:
    """Fit free references on any manifold with Hessians; see `free_references`."""
    if not manifold.has_hessian:
        raise ValueError(
            f"references='free' needs Hessians of squared distances, which "
            f"{manifold!r} does not have; pass references='sample'."
        )
    start, spread = _principal_references(manifold, X, weight, k)
    problem = _Problem(manifold, X, weight, p, _NEAR * spread, max_iter, tol)
    references, n_iter, converged = start, 0, True
    stages: list[tuple] = [([m], [m]) for m in range(k + 1)]
    if strategy in ("pure", "backward"):
        stages.append(([k], range(k + 1)))
    elif strategy == "flag":
        stages.append((range(k + 1), range(k + 1)))
    for levels, free in stages:
        size = max(levels) + 1
        part, steps, ended = problem.descend(references[:size], levels, list(free))
        references = np.concatenate([part, references[size:]])
        n_iter, converged = n_iter + steps, converged and ended
    if strategy in ("pure", "backward"):
        references = _without_least(problem, references)
    unexplained = [problem.evaluate(references, [m], [])[0] for m in range(k + 1)]
    return GeneralFit(references, np.array(unexplained), n_iter, converged)


def _principal_references(manifold, X, weight, k):
    """Return the mean and points in the principal directions from it."""
    mean = manifold.frechet_mean(X, sample_weight=weight)
    rows = np.sqrt(weight)[:, None] * manifold.log_vector(mean, X)
    _, sizes, basis = np.linalg.svd(rows, full_matrices=True)
    lengths = np.zeros(manifold.dim)
    lengths[: len(sizes)] = sizes
    spread = float(np.sqrt(np.sum(sizes**2)))
    lengths = np.maximum(lengths, 1e-3 * spread if spread > 0.0 else 1.0)
    lengths = np.minimum(lengths, 0.5 * manifold.injectivity_radius)
    others = manifold.exp_vector(mean, lengths[:k, None] * basis[:k])
    return np.concatenate([mean[None], others]), spread


def _without_least(problem, references):
    """Order references by what their removal leaves unexplained."""
    left, removed = list(range(len(references))), []
    while len(left) > 1:
        trials = [[i for i in left if i != gone] for gone in left]
        values = [problem.evaluate(references[t], [len(t) - 1], [])[0] for t in trials]
        kept = trials[int(np.argmin(values))]
        removed += [i for i in left if i not in kept]
        left = kept
    return references[left + removed[::-1]]
