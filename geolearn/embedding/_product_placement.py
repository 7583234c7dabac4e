"""New points among fixed ones in a product space."""

import math

import numpy as np

from geolearn.embedding._product_loss import row_losses, unit_model
from geolearn.manifolds import Sphere

_STEPS = 100
_PATIENCE = 8  # steps without progress after which a point is at rest
_PROGRESS = 1e-6  # relative fall of the loss that counts
_STARTS = 8  # nearest fixed points, and spread ones, that are tried for a start
_SAMPLE = 50  # fixed points among which the middle is found
# Radii of curvature that a start may be away from the middle, and that a step may
# be long.
_FARTHEST, _LONGEST = 30.0, 2.0

_ANTIPODAL = 1e-6  # relative to the largest distance on a sphere

_BLOCK_VALUES = 2**20  # coordinates of logarithms that are in memory at a time

# Damping of the normal equations, relative to their mean diagonal.
_DAMPING, _LEAST, _MOST = 1e-3, 1e-12, 1e6


def place(manifold, fixed, D, scale, components, n_jobs):
    """Return points whose distances from the fixed ones are near D / scale.

    The sum of |d^2 / D^2 - 1| is minimised by reweighted least squares: each
    residual is linear in a step to first order, its weight is the inverse of its
    size, and steps that do not lower the loss are taken back and damped.

    Parameters
    ----------
    manifold : ProductManifold
        Space of the divided distances.
    fixed : ndarray of shape (n_fixed, n_columns)
        Points that stay.
    D : ndarray of shape (n_new, n_fixed)
        Distances; those that are infinite count for nothing. A point at distance
        zero from a fixed one takes its place.
    scale : float
        Distances are divided by it.
    components : ndarray of shape (n_components, 3)
        Description of the manifold to the kernels.
    n_jobs : int or None
        Number of threads for the choice of a start.

    Returns
    -------
    ndarray of shape (n_new, n_columns)
        Points of least loss that the descent met; each depends on its own row only.
    """
    models = unit_model(fixed, components)
    places = np.empty((len(D), fixed.shape[1]))
    directions = _Directions(manifold, fixed, components)
    step = max(1, _BLOCK_VALUES // fixed.size)
    for start in range(0, len(D), step):
        rows = D[start : start + step]

        def losses(X, rows=rows):
            return row_losses(X, models, rows, scale, components, n_jobs)

        nearest = np.argsort(rows, axis=1, kind="stable")[:, :_STARTS]
        best = fixed[nearest[:, 0]]
        lowest = losses(best)
        for X in _candidates(fixed, nearest, rows / scale, directions):
            _keep_better(best, lowest, X, losses(X))
        same = rows[np.arange(len(rows)), nearest[:, 0]] == 0.0
        counts = np.isfinite(rows) & (rows > 0.0)
        weights = np.zeros(rows.shape)
        np.divide(scale, rows, out=weights, where=counts)
        moving = ~same & counts.any(axis=1)
        if moving.any():
            best[moving] = _descend(
                manifold, best[moving], fixed, weights[moving] ** 2, directions.stride
            )
        best[same] = fixed[nearest[same, 0]]
        places[start : start + step] = best
    return places


class _Directions:
    """Geodesics from the middle of the fixed points to others, far apart.

    Samples beyond the fixed points lie on such geodesics rather than near a fixed
    point; in hyperbolic space they do not find the way around.
    """

    def __init__(self, manifold, fixed, components):
        self.manifold, self.fixed = manifold, fixed
        sample = fixed[:: -(-len(fixed) // _SAMPLE)]
        to_sample = manifold.pairwise_distances(fixed, sample)
        self.middle = int(to_sample.max(axis=1).argmin())
        gaps = manifold.pairwise_distances(fixed[[self.middle]], fixed)[0]
        self.lengths = gaps.copy()
        self.spread = []
        for _ in range(min(_STARTS, len(fixed) - 1)):
            self.spread.append(int(gaps.argmax()))
            new = manifold.pairwise_distances(fixed[[self.spread[-1]]], fixed)[0]
            gaps = np.minimum(gaps, new)
        steepest = float(components[:, 2].min())
        radius = (-steepest) ** -0.5 if steepest < 0.0 else np.inf
        self.reach, self.stride = _FARTHEST * radius, _LONGEST * radius

    def beyond(self, targets, distances):
        """Return points at given distances from the middle, on the way to targets.

        Negative distances lead away from them.
        """
        origin = self.fixed[self.middle]
        reach = np.where(np.isfinite(distances), distances, 0.0)
        reach = np.clip(reach, -self.reach, self.reach)
        lengths = self.lengths[targets]
        shares = np.zeros(len(targets))
        np.divide(reach, lengths, out=shares, where=lengths > 0.0)
        logs = _logarithms(self.manifold, origin, self.fixed[targets])[1]
        return self.manifold.exp(origin, shares[:, None] * self.manifold.join(logs))


def _candidates(fixed, nearest, distances, directions):
    """Yield starts for all new points: near fixed points, and beyond them."""
    reach = distances[:, directions.middle]
    for column in nearest.T[1:]:
        yield fixed[column]
    for column in nearest.T:
        yield directions.beyond(column, reach)
    for target in directions.spread:
        for sign in (1.0, -1.0):
            yield directions.beyond(np.full(len(distances), target), sign * reach)


def _keep_better(best, lowest, X, loss):
    better = loss < lowest
    best[better] = X[better]
    lowest[better] = loss[better]


def _logarithms(manifold, X, Y):
    """Return squared distances, and logarithms for each factor of the product.

    Those of antipodes on a sphere, which have no direction, are zero.
    """
    squares, logs = 0.0, []
    for factor, x, y in zip(
        manifold.manifolds, manifold.split(X), manifold.split(Y), strict=True
    ):
        if isinstance(factor, Sphere):
            farthest = math.pi * factor.radius
            opposite = factor.dist(x, y) > (1.0 - _ANTIPODAL) * farthest
            squares = squares + np.where(opposite, farthest**2, 0.0)
            y = np.where(opposite[..., None], x, y)
        logs.append(factor.log(x, y))
        squares = squares + factor.inner(x, logs[-1], logs[-1])
    return squares, logs


def _residuals(manifold, X, fixed, weights):
    """Return d^2 / D^2 - 1 and the logarithms in orthonormal coordinates."""
    squares, logs = _logarithms(manifold, X[:, None], fixed[None])
    V = manifold.tangent_to_vector(X[:, None], manifold.join(logs))
    return np.where(weights > 0.0, squares * weights - 1.0, 0.0), V


def _newton_step(residuals, V, weights, floor, damping):
    """Return the least-squares step of each point, residual sizes being at least floor.

    Sums run row by row, so that no point sees another one.
    """
    J = (-2.0 * weights)[:, :, None] * V
    sizes = np.maximum(np.abs(residuals), floor[:, None])
    weighted = J / sizes[:, :, None]
    normal = np.einsum("ijk,ijl->ikl", weighted, J)
    slope = np.einsum("ijk,ij->ik", weighted, residuals)
    dim = normal.shape[1]
    level = np.einsum("ikk->i", normal) / dim
    # a point amid its targets at no distance at all has no slope
    level = np.where(level > 0.0, level, 1.0)
    normal += (damping * level)[:, None, None] * np.eye(dim)
    return -np.linalg.solve(normal, slope[:, :, None])[:, :, 0]


@np.errstate(over="ignore", invalid="ignore")
def _descend(manifold, X, fixed, weights, longest):
    """Return points of lower loss, each until it is at rest.

    The loss of a point that ran away is no number, and its step is taken back.
    """
    out = X.copy()
    active = np.arange(len(X))
    residuals, V = _residuals(manifold, X, fixed, weights)
    loss = np.abs(residuals).sum(axis=1)
    n_pairs = np.count_nonzero(weights, axis=1)
    damping = np.full(len(X), _DAMPING)
    floor = loss / n_pairs
    idle = np.zeros(len(X), dtype=int)
    for _ in range(_STEPS):
        if not active.size:
            break
        floor = np.maximum(0.7 * np.minimum(floor, loss / n_pairs), 1e-14)
        steps = _newton_step(residuals, V, weights, floor, damping)
        lengths = np.sqrt(np.einsum("ij,ij->i", steps, steps))
        steps /= np.maximum(lengths / longest, 1.0)[:, None]
        new = manifold.exp(X, manifold.vector_to_tangent(X, steps))
        new_residuals, new_V = _residuals(manifold, new, fixed, weights)
        new_loss = np.abs(new_residuals).sum(axis=1)
        better = new_loss < loss
        idle = np.where(new_loss < (1.0 - _PROGRESS) * loss, 0, idle + 1)
        X = np.where(better[:, None], new, X)
        residuals = np.where(better[:, None], new_residuals, residuals)
        V = np.where(better[:, None, None], new_V, V)
        loss = np.where(better, new_loss, loss)
        damping = np.clip(np.where(better, 0.2, 5.0) * damping, _LEAST, _MOST)
        out[active] = X
        keep = (idle < _PATIENCE) & (loss > 1e-14 * n_pairs)
        active, X, residuals, V, weights = (
            array[keep] for array in (active, X, residuals, V, weights)
        )
        loss, n_pairs, damping, floor, idle = (
            array[keep] for array in (loss, n_pairs, damping, floor, idle)
        )
    return out
