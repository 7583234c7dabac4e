"""Unexplained variances on any manifold, where each residual is a projection.

Projections are dear, so subsets are ranked first by the Euclidean formula on the
tangent vectors at the mean, the best ones are evaluated, and an evaluation stops
once its partial sum is beaten.
"""

import warnings
from math import comb

import numpy as np

from geolearn.decomposition._affine_span_project import project_points
from geolearn.decomposition._bsa_search_curved import TIE, CurvedEngine, first_of_least
from geolearn.decomposition._bsa_search_problems import GramProblem, VectorProblem
from geolearn.manifolds import Euclidean

_PROJECTIONS = 1e4  # spent unasked
_SUBSETS = 10_000_000  # ranked at most, 80 MB
_DEPENDENT = 1e-6  # relative distance below which a candidate lies in the span
_BLOCK = 2**20  # distances in one table
_SLACK = 1.0 + 1e-9  # between two ways of rounding one value


class ProjectionEngine:
    """Evaluate subsets of samples of any manifold by projections.

    Parameters
    ----------
    problem : ProjectionProblem
        The samples.
    weight : ndarray of shape (n_samples,)
        Positive weights.
    p : float
        Power of the distances.
    """

    def __init__(self, problem, weight, p):
        self.problem, self.weight, self.p = problem, weight, p
        self.n_samples = problem.n_samples
        default = max(200, 5 * self.n_samples)
        self.n_screen = problem.n_screen if problem.n_screen else default
        self._screen = CurvedEngine(_flattened(problem, weight), weight, p)
        self._values = {}
        self._parents = ((), None)

    def count(self, pool, k, flag):
        """Return the cost of trying all subsets; up to 1 it is spent unasked."""
        sizes = range(2, k + 2) if flag else [k + 1]
        return sum(comb(len(pool), r) for r in sizes) * self.n_samples / _PROJECTIONS

    def nearest(self, index, count):
        """Return the samples nearest to one, itself among them."""
        d = self.problem.distances(index)
        return np.sort(np.argpartition(d, count - 1)[:count])

    def coincident(self, index):
        """Return which samples are duplicates of one."""
        return self.problem.distances(index) == 0.0

    def singles(self, candidates):
        """Return the unexplained variances of single samples."""
        manifold, X = self.problem.manifold, self.problem.X
        step = max(1, _BLOCK // self.n_samples)
        blocks = (candidates[i : i + step] for i in range(0, len(candidates), step))
        return np.concatenate(
            [
                manifold.pairwise_distances(X[block], X) ** self.p @ self.weight
                for block in blocks
            ]
        )

    def value(self, indices):
        """Return the value of one subset, whatever the order of its elements."""
        *parents, last = sorted(indices)
        return float(self.additions(parents, np.array([last]))[0])

    def additions(self, parents, candidates, prune=False):
        """Return the values of spans with one more sample; inf where it depends.

        Also inf are candidates outside the best `n_screen` by the formula in the
        tangent space and, with `prune`, those that are not the best.
        """
        if not parents:
            return self.singles(candidates)
        values = np.full(len(candidates), np.inf)
        weights, residuals, independent = self._prepare(tuple(parents))
        ranked = np.argsort(self._screen.additions(parents, candidates), kind="stable")
        ranked = ranked[independent[candidates[ranked]]][: self.n_screen]
        order = np.argsort(-self.weight * residuals**self.p, kind="stable")
        limit = np.inf
        for i in ranked:
            indices = [*parents, int(candidates[i])]
            values[i] = self._evaluate(indices, weights, order, limit)
            if prune:
                limit = min(limit, values[i] * (1.0 + TIE))
        return values

    def _prepare(self, parents):
        """Return what one more reference starts from, and which may be that."""
        if self._parents[0] != parents:
            X, indices = self.problem.X, list(parents)
            found = project_points(self.problem.manifold, X, X[indices])
            independent = _independent(self.problem, parents)
            self._parents = parents, (found.weights, found.distance, independent)
        return self._parents[1]

    def _evaluate(self, indices, weights, order, limit):
        """Return the unexplained variance of a span, or inf if above `limit`."""
        key = tuple(sorted(indices))
        if key in self._values:
            return self._values[key]
        X, references = self.problem.X, self.problem.X[list(indices)]
        rest = order[~np.isin(order, indices)]
        step = max(32, -(-len(rest) // 4)) if np.isfinite(limit) else self.n_samples
        total = 0.0
        for i in range(0, len(rest), step):
            rows = rest[i : i + step]
            starts = np.column_stack([weights[rows], np.zeros(len(rows))])
            found = project_points(
                self.problem.manifold, X[rows], references, start_weights=starts
            )
            total += float(self.weight[rows] @ found.distance**self.p)
            if total > limit:
                return np.inf
        self._values[key] = total
        return total

    def best_subset(self, pool, k, start):
        """Return the best k + 1 samples of the pool, or `start` if that is better."""
        value = self.value(start)
        found, limit = [(tuple(sorted(start)), value)], value * _SLACK
        for subset in self._promising(pool, k, False):
            *parents, last = subset
            weights, residuals, independent = self._prepare(parents)
            if independent[last]:
                order = np.argsort(-self.weight * residuals**self.p, kind="stable")
                value = self._evaluate(subset, weights, order, limit)
                limit = min(limit, value * (1.0 + TIE))
                found.append((subset, value))
        found = sorted(found)
        best = first_of_least(np.array([value for _, value in found]))
        return np.array(found[best][0])

    def best_flag(self, pool, k, start):
        """Return the k + 1 samples, in order, of least accumulated value."""
        found = [(self._accumulated(tuple(sorted(start)))[0], tuple(sorted(start)))]
        for subset in self._promising(pool, k, True):
            if self._may_beat(subset, min(found)[0]):
                found.append((self._accumulated(subset)[0], subset))
        found = sorted(found, key=lambda pair: pair[1])
        best = first_of_least(np.array([value for value, _ in found]))
        return np.array(self._accumulated(found[best][1])[1])

    def _may_beat(self, subset, best):
        singles = min(self.value([c]) for c in subset)
        return singles + self.value(subset) <= best

    def _accumulated(self, subset):
        """Return the least accumulated value of a set, and the order that has it."""
        if len(subset) == 1:
            return self.value(subset), subset
        fewer = [tuple(c for c in subset if c != gone) for gone in reversed(subset)]
        parts = [self._accumulated(s) for s in fewer]
        best = first_of_least(np.array([value for value, _ in parts]))
        last = next(c for c in subset if c not in fewer[best])
        return parts[best][0] + self.value(subset), (*parts[best][1], last)

    def _promising(self, pool, k, flag):
        """Yield the best subsets by the formula in the tangent space."""
        n_subsets = comb(len(pool), k + 1)
        if n_subsets > _SUBSETS:
            raise ValueError(
                f"search='exhaustive' with {len(pool)} candidates has to rank "
                f"{n_subsets} subsets of {k + 1}; use search='greedy', or lower "
                f"n_candidates."
            )
        values = self._screen.ranking(pool, k, flag)
        best = np.argsort(values, kind="stable")[: self.n_screen]
        for rank in best:
            yield tuple(int(pool[c]) for c in unrank(int(rank), k + 1))


def unrank(rank, size):
    """Return the ascending subset at a place of the colexicographic order."""
    subset = []
    for i in range(size, 0, -1):
        c = i - 1
        while comb(c + 1, i) <= rank:
            c += 1
        rank -= comb(c, i)
        subset.append(c)
    return subset[::-1]


def _independent(problem, parents):
    """Return which samples are outside the span, seen from the first reference."""
    manifold, X = problem.manifold, problem.X
    first, *others = parents
    Z = _logarithms(manifold, X[first], X).T
    usable = np.isfinite(Z).all(axis=0)
    Z = np.where(usable, Z, 0.0)
    sizes = np.linalg.norm(Z, axis=0)
    basis = np.linalg.qr(Z[:, others])[0]
    rest = np.linalg.norm(Z - basis @ (basis.T @ Z), axis=0)
    return usable & (rest > _DEPENDENT * sizes.max())


def _logarithms(manifold, base, X):
    """Return tangent coordinates as rows; NaN on the cut locus of the base."""
    try:
        return manifold.log_vector(base, X)
    except ValueError:
        if len(X) == 1:
            return np.full((1, manifold.dim), np.nan)
    half = len(X) // 2
    parts = [_logarithms(manifold, base, part) for part in (X[:half], X[half:])]
    return np.concatenate(parts)


def _flattened(problem, weight):
    """Return the problem of the tangent vectors at the mean."""
    manifold, X = problem.manifold, problem.X
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mean = manifold.frechet_mean(X, sample_weight=weight)
            vectors = manifold.log_vector(mean, X)
    except ValueError:  # no mean, or a sample on its cut locus
        return GramProblem.from_distances(manifold.pairwise_distances(X), 0.0)
    return VectorProblem(vectors, Euclidean(manifold.dim))
