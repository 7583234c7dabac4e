"""The problems that a search for references can be posed on."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from geolearn.decomposition._affine_span_frames import SpanFrame, unfold
from geolearn.decomposition._affine_span_project import project_points

__all__ = ["GramProblem", "ProjectionProblem", "VectorProblem", "sample_problem"]

# The kernels hold the same two numbers.
_ZERO = 64.0 * np.finfo(float).eps  # relative squares below are rounding
_DEPENDENT = 1e-12  # relative square below which a reference lies in the span


@dataclass(frozen=True)
class Span:
    """What the references so far leave of each sample, in units of curvature.

    Attributes
    ----------
    base : ndarray of shape (n_samples,) or (0,)
        Half chords squared to the first reference, beside a table.
    factors : ndarray of shape (n_factors, n_samples)
        Rows whose products are taken from those of the table, or residual vectors.
    squares : ndarray of shape (n_samples,)
        Squares of sn of the distances to the span.
    along : ndarray of shape (n_samples,)
        On the sphere, squares of the cosines of these distances.
    floor : ndarray of shape (n_samples,)
        Squares below are zero.
    dependent : float
        Samples of this square or less are in the span as far as can be told.
    """

    base: np.ndarray
    factors: np.ndarray
    squares: np.ndarray
    along: np.ndarray
    floor: np.ndarray
    dependent: float


def length_scale(curvature):
    """Return the length that a unit of the kernels stands for."""
    return 1.0 if curvature == 0.0 else 1.0 / math.sqrt(abs(curvature))


class _CurvedProblem(ABC):
    """Hold samples of a space of constant curvature.

    Attributes
    ----------
    curvature : float
        Sectional curvature.
    sign : float
        Its sign.
    scale : float
        Length that is a unit of curvature.
    n_samples : int
        Number of samples.
    table : ndarray of shape (n_samples, n_samples) or (0, 0)
        Squares of sn(d / 2), d in units of curvature, where they are kept. They
        tell small distances better than products of the points, as 1 - cos(d)
        cancels.
    """

    table = np.empty((0, 0))

    def _define(self, n_samples, curvature):
        self.n_samples = n_samples
        self.curvature = float(curvature)
        self.sign = float(np.sign(curvature))
        self.scale = length_scale(self.curvature)

    @abstractmethod
    def take(self, rows: np.ndarray) -> "_CurvedProblem":
        """Return the problem of some samples.

        Parameters
        ----------
        rows : ndarray of int
            The samples.

        Returns
        -------
        GramProblem or VectorProblem
            The problem.
        """

    @abstractmethod
    def half_chords(self, rows: np.ndarray) -> np.ndarray:
        """Return squares of sn(d / 2) of some samples to all.

        Parameters
        ----------
        rows : ndarray of int of shape (m,)
            Samples.

        Returns
        -------
        ndarray of shape (m, n_samples)
            Squares, d in units of curvature.
        """

    @abstractmethod
    def start(self, first: int) -> Span:
        """Return the span of one reference.

        Parameters
        ----------
        first : int
            The reference.

        Returns
        -------
        Span
            What it leaves.
        """

    @abstractmethod
    def extend(self, span: Span, c: int) -> Span:
        """Return the span of one more reference.

        Parameters
        ----------
        span : Span
            Span so far.
        c : int
            The reference.

        Returns
        -------
        Span
            The same where c depends on the others.
        """

    def distances(self, index: int) -> np.ndarray:
        """Return the distances of all samples to one, up to pi on the sphere.

        Parameters
        ----------
        index : int
            The sample.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distances.
        """
        root = np.sqrt(self.half_chords(np.array([index]))[0])
        if self.sign > 0.0:
            return 2.0 * self.scale * np.arcsin(np.minimum(root, 1.0))
        return 2.0 * self.scale * (root if self.sign == 0.0 else np.arcsinh(root))

    def residuals(self, indices: Any) -> np.ndarray:
        """Return the distances of all samples to the span of some.

        Parameters
        ----------
        indices : sequence of int
            The references.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distances, zero at the references.
        """
        first, *others = indices
        if not others:
            return self.distances(first)
        span = self.start(first)
        for c in others:
            span = self.extend(span, c)
        d = np.sqrt(span.squares)
        if self.sign > 0.0:
            d = np.arctan2(d, np.sqrt(span.along))
        elif self.sign < 0.0:
            d = np.arcsinh(d)
        return self.scale * d

    def evaluate(self, indices: Any) -> tuple[np.ndarray, bool]:
        """Return `residuals` and whether they are reliable.

        Parameters
        ----------
        indices : sequence of int
            The references.

        Returns
        -------
        distances : ndarray of shape (n_samples,)
            Distances.
        converged : bool
            True.
        """
        return self.residuals(indices), True


class GramProblem(_CurvedProblem):
    """Hold samples of constant curvature by their inner products.

    Parameters
    ----------
    K : ndarray of shape (n_samples, n_samples)
        Products of the samples in units of curvature: cos(d) on the unit sphere,
        -cosh(d) on the unit hyperboloid; for curvature 0 any products whose
        polarisation gives the squared distances.
    curvature : float
        Sectional curvature.

    Notes
    -----
    Where the distances are at hand, `from_distances` is more precise.
    """

    def __init__(self, K: np.ndarray, curvature: float):
        if curvature == 0.0:
            diagonal = np.diag(K)
            h = 0.25 * (diagonal[:, None] + diagonal - 2.0 * K)
        else:
            h = 0.5 * (1.0 - K if curvature > 0.0 else -1.0 - K)
        np.fill_diagonal(h, 0.0)
        self._store(h, curvature)

    @classmethod
    def from_distances(cls, D: np.ndarray, curvature: float) -> "GramProblem":
        """Keep the digits of small distances, which their cosines lose.

        Parameters
        ----------
        D : ndarray of shape (n_samples, n_samples)
            Distances.
        curvature : float
            Sectional curvature.

        Returns
        -------
        GramProblem
            The problem.
        """
        self = cls.__new__(cls)
        half = 0.5 * D / length_scale(curvature)
        if curvature != 0.0:
            half = np.sin(half) if curvature > 0.0 else np.sinh(half)
        self._store(half**2, curvature)
        return self

    def _store(self, h, curvature):
        self._define(len(h), curvature)
        self.table = np.clip(h, 0.0, 1.0 if curvature > 0.0 else None)

    def take(self, rows: np.ndarray) -> "GramProblem":
        """Return the problem of some samples."""
        other = GramProblem.__new__(GramProblem)
        other._store(self.table[np.ix_(rows, rows)], self.curvature)
        return other

    def half_chords(self, rows: np.ndarray) -> np.ndarray:
        """Return squares of sn(d / 2) of some samples to all, from the table."""
        return self.table[rows]

    def start(self, first: int) -> Span:
        """Return the span of one reference, in products of the samples."""
        h = self.table[first]
        squares = np.maximum(4.0 * h * (1.0 - self.sign * h), 0.0)
        return Span(
            base=h,
            factors=np.empty((0, self.n_samples)),
            squares=squares,
            along=(1.0 - 2.0 * self.sign * h) ** 2,
            floor=_ZERO * squares,
            dependent=_DEPENDENT * float(squares.max()),
        )

    def extend(self, span: Span, c: int) -> Span:
        """Return the span of one more reference, by a Schur complement."""
        if span.squares[c] <= span.dependent:
            return span
        own = span.base[c]
        slope = 1.0 - 2.0 * self.sign * own
        row = 2.0 * (own - self.table[c] + slope * span.base)
        row -= span.factors[:, c] @ span.factors
        row /= math.sqrt(span.squares[c])
        squares = span.squares - row**2
        squares[squares < span.floor] = 0.0
        squares[c] = 0.0
        return Span(
            base=span.base,
            factors=np.vstack([span.factors, row]),
            squares=squares,
            along=span.along + row**2,
            floor=span.floor,
            dependent=span.dependent,
        )


class VectorProblem(_CurvedProblem):
    """Hold points of a space of constant curvature.

    Parameters
    ----------
    points : ndarray of shape (n_samples, ...)
        Points.
    manifold : Manifold
        Euclidean space, a sphere, hyperbolic space in any model, or SPD matrices
        with a flat metric.

    Raises
    ------
    ValueError
        If the manifold is none of these.
    """

    def __init__(self, points: np.ndarray, manifold: Any):
        unfolded = unfold(manifold)
        if unfolded is None:
            raise ValueError(
                f"manifold={manifold!r} has no closed form for spans; pose the search "
                f"as ProjectionProblem(manifold, X)."
            )
        self.model, unfolding, _ = unfolded
        self._store(np.ascontiguousarray(unfolding(points)))

    def _store(self, points):
        self.points = points
        self._define(len(points), self.model.sectional_curvature_bounds[0])

    def take(self, rows: np.ndarray) -> "VectorProblem":
        """Return the problem of some samples."""
        return VectorProblem(self.points[rows], self.model)

    def gram(self, n_jobs: int | None = None) -> GramProblem:
        """Return the same problem by its table of distances.

        Parameters
        ----------
        n_jobs : int, default=None
            Number of threads.

        Returns
        -------
        GramProblem
            The problem; its memory is 8 n_samples^2 bytes.
        """
        D = self.model.pairwise_distances(self.points, n_jobs=n_jobs)
        return GramProblem.from_distances(D, self.curvature)

    def half_chords(self, rows: np.ndarray) -> np.ndarray:
        """Return squares of sn(d / 2) of some samples to all, from the points."""
        D = self.model.pairwise_distances(self.points[rows], self.points)
        half = 0.5 * D / self.scale
        if self.sign != 0.0:
            half = np.sin(half) if self.sign > 0.0 else np.sinh(half)
        return half**2

    def start(self, first: int) -> Span:
        """Return the span of one reference, in residual vectors."""
        frame = SpanFrame(self.model, self.points[[first]])
        c, q = frame.coordinates(self.points)
        factors = np.ascontiguousarray(q.T)
        factors[:, first] = 0.0
        squares = np.sum(factors**2, axis=0)
        return Span(
            base=np.empty(0),
            factors=factors,
            squares=squares,
            along=c**2,
            floor=_ZERO * squares,
            dependent=_DEPENDENT * float(squares.max()),
        )

    def extend(self, span: Span, c: int) -> Span:
        """Return the span of one more reference, by projecting residual vectors."""
        if span.squares[c] <= span.dependent:
            return span
        direction = span.factors[:, c] / math.sqrt(span.squares[c])
        along = direction @ span.factors
        factors = span.factors - direction[:, None] * along
        factors[:, c] = 0.0
        squares = np.sum(factors**2, axis=0)
        inside = squares < span.floor
        squares[inside] = 0.0
        factors[:, inside] = 0.0
        return Span(
            base=span.base,
            factors=factors,
            squares=squares,
            along=span.along + along**2,
            floor=span.floor,
            dependent=span.dependent,
        )


class ProjectionProblem:
    """Hold samples of any manifold; each distance to a span is a projection.

    Parameters
    ----------
    manifold : Manifold
        The manifold.
    X : ndarray of shape (n_samples, ...)
        Points on it.
    n_screen : int, default=None
        How many subsets are evaluated, the best ones by the Euclidean formula on
        the tangent vectors at the mean; None takes max(200, 5 n_samples).
    """

    def __init__(self, manifold: Any, X: np.ndarray, n_screen: int | None = None):
        self.manifold = manifold
        self.X = X
        self.n_samples = len(X)
        self.n_screen = n_screen

    def take(self, rows: np.ndarray) -> "ProjectionProblem":
        """Return the problem of some samples."""
        return ProjectionProblem(self.manifold, self.X[rows], self.n_screen)

    def distances(self, index: int) -> np.ndarray:
        """Return the distances of all samples to one."""
        return self.manifold.dist(self.X[index], self.X)

    def floors(self, index: int) -> np.ndarray:
        """Return the distances to spans through one sample that are rounding.

        Parameters
        ----------
        index : int
            The sample.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distances.
        """
        return math.sqrt(_ZERO) * self.distances(index)

    def residuals(self, indices: Any) -> np.ndarray:
        """Return the distances of all samples to the span of some."""
        return self.evaluate(indices)[0]

    def evaluate(self, indices: Any) -> tuple[np.ndarray, bool]:
        """Return `residuals` and whether all projections are unique and were found."""
        indices = list(indices)
        if len(indices) == 1:
            return self.distances(indices[0]), True
        found = project_points(self.manifold, self.X, self.X[indices])
        spanned = found.distance < self.floors(indices[0])
        distance = np.where(spanned, 0.0, found.distance)
        distance[indices] = 0.0
        return distance, bool(np.all(found.converged))


def sample_problem(manifold: Any, X: np.ndarray) -> VectorProblem | ProjectionProblem:
    """Pose the search on points by the fastest means that the manifold has.

    Parameters
    ----------
    manifold : Manifold
        The manifold.
    X : ndarray of shape (n_samples, ...)
        Points on it.

    Returns
    -------
    VectorProblem or ProjectionProblem
        The problem.
    """
    if unfold(manifold) is None:
        return ProjectionProblem(manifold, X)
    return VectorProblem(X, manifold)
