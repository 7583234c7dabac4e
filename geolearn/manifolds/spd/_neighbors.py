"""Pairs of matrices under affine-invariant metrics, for neighbours and tables."""

import numpy as np

from geolearn import linalg
from geolearn.linalg._stacks import flat_stack
from geolearn.manifolds._search import Tangents
from geolearn.manifolds.spd._affine import AffineInvariant
from geolearn.manifolds.spd._chunks import pieces
from geolearn.manifolds.spd._deformation import PulledBack
from geolearn.manifolds.spd._forms import unvec
from geolearn.manifolds.spd._neighbor_kernels import log_volume_of
from geolearn.metrics._spd_pairs import LogEigenvalues
from geolearn.utils._threads import matrix_threads

__all__ = ["AffinePairs", "affine_tables", "affine_tangents", "is_affine"]

_EPS = float(np.finfo(np.float64).eps)
# Whitened matrices of larger condition are taken by singular values.
_LARGEST_CONDITION = 1e5
_BASE_STEPS = 3
_BASE_TOLERANCE = 0.1


def is_affine(geometry):
    """Tell whether a geometry is affine-invariant, up to a deformation."""
    if isinstance(geometry, PulledBack):
        geometry = geometry.base
    return isinstance(geometry, AffineInvariant)


def _image(geometry, X, n_jobs):
    """Return the affine-invariant metric, images of the points, and their scale."""
    if isinstance(geometry, PulledBack):
        X = geometry.map.forward(X, n_jobs)
        return geometry.base, flat_stack(X), abs(geometry.map.scale)
    return geometry, flat_stack(X), 1.0


class AffinePairs:
    """Evaluate distances, and volume densities, of pairs of two stacks.

    The values are those of the table of distances, to the last bit.

    Parameters
    ----------
    geometry : Geometry
        A metric that `is_affine`.
    X : ndarray of shape (n_x, n, n)
        SPD matrices.
    Y : ndarray of shape (n_y, n, n)
        SPD matrices; may be `X` itself.
    with_volume : bool
        Whether to return log volume densities too.
    n_jobs : int or None
        Number of threads.
    """

    def __init__(self, geometry, X, Y, with_volume, n_jobs):
        self.base, first, self.scale = _image(geometry, X, n_jobs)
        second = first if Y is X else _image(geometry, Y, n_jobs)[1]
        self.with_volume, self.n_jobs = with_volume, n_jobs
        self._swapped = len(second) < len(first)  # the smaller stack is factored
        stacks, names = (first, second), ("X", "Y")
        if self._swapped:
            stacks, names = stacks[::-1], names[::-1]
        with matrix_threads(n_jobs):
            self._logarithms = LogEigenvalues(*stacks, names, n_jobs)

    def __call__(self, i, j):
        """Return arrays of shape (pairs,); the second one is empty if not wanted."""
        distances = np.empty(len(i))
        volumes = np.empty(len(i) if self.with_volume else 0)
        if self._swapped:
            i, j = j, i
        i, j = np.ascontiguousarray(i), np.ascontiguousarray(j)
        with matrix_threads(self.n_jobs):
            for rows in pieces(len(i), 8 * self.base.n):
                mu = self._logarithms(i[rows], j[rows])
                distances[rows] = self._distance(mu)
                if self.with_volume:
                    volumes[rows] = log_volume_of(mu, self.n_jobs)
        return distances, volumes

    def _distance(self, mu):
        if self._swapped:
            mu = -mu
        squares = self.base.alpha * np.sum(mu**2, axis=-1)
        if self.base.beta:
            squares = squares + self.base.beta * np.sum(mu, axis=-1) ** 2
        return np.divide(np.sqrt(squares), self.scale)


def affine_tables(geometry, X, Y, n_jobs, out=None):
    """Return the tables of distances and log volume densities; Y=None stands for X."""
    others = X if Y is None else Y
    evaluate = AffinePairs(geometry, X, others, True, n_jobs)
    shape = (len(X), len(others))
    distances = np.empty(shape) if out is None else out
    volumes = np.zeros(shape)
    for rows in pieces(len(X), 8 * (evaluate.base.n + 8) * len(others)):
        wanted = np.ones((rows.stop - rows.start, len(others)), dtype=bool)
        if Y is None:  # the upper triangle
            wanted = np.triu(wanted, rows.start + 1)
        i, j = np.nonzero(wanted)
        i += rows.start
        values = evaluate(i, j)
        distances[i, j], volumes[i, j] = values
        if Y is None:
            distances[j, i], volumes[j, i] = values
    if Y is None:
        np.fill_diagonal(distances, 0.0)
    return distances, volumes


def affine_tangents(geometry, sample, X, n_jobs):
    """Return logarithms at a rough mean of a sample, and bounds of their errors.

    Whitening by a base point g multiplies roundings by the condition number of g, and
    the smallest eigenvalue of a whitened matrix loses its condition number once more
    (once the root of both by singular values); distances lose likewise. Condition
    numbers are those after scaling to unit diagonal, which changes no rounding.
    """
    metric, sample, scale = _image(geometry, sample, n_jobs)
    X = _image(geometry, X, n_jobs)[1]
    weight = np.full(len(sample), 1.0 / len(sample))
    options = {"init": None, "tol": _BASE_TOLERANCE, "max_iter": _BASE_STEPS}
    with matrix_threads(n_jobs):
        base = metric.mean(sample, weight, n_jobs=n_jobs, **options).mean
        vectors = np.concatenate(
            [
                metric.log_vector(base, X[rows], n_jobs)
                for rows in pieces(len(X), X[0].nbytes)
            ]
        )
        spread = np.ptp(linalg.eigvalsh(unvec(vectors, metric.n), n_jobs=n_jobs), -1)
        own = _condition(X, n_jobs) + _condition(base[None], n_jobs)
    with np.errstate(over="ignore"):
        whitened = np.exp(spread / np.sqrt(metric.alpha))
        loss = np.minimum(whitened, _LARGEST_CONDITION) * own
        loss = np.maximum(loss, np.sqrt(whitened * own))
    size = np.sqrt(metric.alpha + metric.n * max(metric.beta, 0.0))
    slack = size * 4.0 * metric.n * _EPS * loss / scale
    return Tangents(vectors / scale, np.minimum(slack, 1e300))


def _condition(X, n_jobs):
    """Return condition numbers after scaling to unit diagonal."""
    d = np.sqrt(np.diagonal(X, axis1=-2, axis2=-1))
    values = linalg.eigvalsh(X / (d[:, :, None] * d[:, None]), n_jobs=n_jobs)
    return values[:, -1] / np.maximum(values[:, 0], _EPS)
