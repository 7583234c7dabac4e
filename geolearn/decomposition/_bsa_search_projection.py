"""Unexplained variances on any manifold, where each residual is a projection.

Projections are dear, so subsets are ranked first by the Euclidean formula on the
tangent vectors at the mean, the best ones are evaluated, and an evaluation stops
once its partial sum is beaten.
"""

import warnings
from math import comb

import numpy as np

from geolearn.decomposition._affine_span_project import project_pairs, project_points
from geolearn.decomposition._bsa_search_curved import TIE, CurvedEngine, first_of_least
from geolearn.decomposition._bsa_search_engine import SampleEngine
from geolearn.decomposition._bsa_search_problems import GramProblem, VectorProblem
from geolearn.manifolds import Euclidean

_SUBSETS = 10_000_000  # ranked at most, 80 MB
_DEPENDENT = 1e-6  # relative distance below which a candidate lies in the span
_BLOCK = 2**20  # distances in one table
_FIRST = 8  # sets evaluated before there is a value to beat
_PAIRS = 2048  # of a sample and a set of references that are projected at once
_TOL = 1e-7  # of gradients; distances are then right to its square
_SLACK = 1.0 + 1e-9  # between two ways of rounding one value


class ProjectionEngine(SampleEngine):
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

    unasked = 1e4

    def __init__(self, problem, weight, p):
        self.problem, self.weight, self.p = problem, weight, p
        self.n_samples = problem.n_samples
        default = max(200, 5 * self.n_samples)
        self.n_screen = problem.n_screen if problem.n_screen else default
        self._screen = CurvedEngine(_flattened(problem, weight), weight, p)
        self._values = {}
        self._parents = ((), None)
        self._seen_from = {}

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
        key = tuple(sorted(int(i) for i in indices))
        if key not in self._values:
            *parents, last = key
            self._values[key] = float(self.additions(parents, np.array([last]))[0])
        return self._values[key]

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
        sets = [(*parents, int(candidates[i])) for i in ranked]
        values[ranked] = self._evaluate(sets, order, weights, np.inf, prune)
        return values

    def _prepare(self, parents):
        """Return what one more reference starts from, and which may be that."""
        if self._parents[0] != parents:
            X, indices = self.problem.X, list(parents)
            found = project_points(self.problem.manifold, X, X[indices])
            independent = independent_of(self.problem, parents)
            self._parents = parents, (found.weights, found.distance, independent)
        return self._parents[1]

    def _evaluate(self, sets, order, weights, limit, prune):
        """Return the unexplained variances of spans, or inf where above `limit`.

        With `prune`, the limit falls to the least value found. Samples are projected
        in the given order, and start from their weights for the span without the
        last reference.
        """
        values = np.full(len(sets), np.inf)
        done, size = 0, _FIRST
        while done < len(sets):
            block = range(done, min(done + size, len(sets)))
            fresh = [i for i in block if tuple(sorted(sets[i])) not in self._values]
            if fresh:
                self._project([sets[i] for i in fresh], order, weights, limit)
            for i in block:
                values[i] = self._values.get(tuple(sorted(sets[i])), np.inf)
            if prune:
                limit = min(limit, values[block.start : block.stop].min() * (1.0 + TIE))
            done, size = block.stop, max(_FIRST, _PAIRS // self.n_samples)
        return values

    def _project(self, sets, order, weights, limit):
        """Remember the values of sets of references that do not exceed `limit`."""
        X, manifold = self.problem.X, self.problem.manifold
        references = X[np.array(sets)]
        totals = np.zeros(len(sets))
        step = len(order) if limit == np.inf else max(16, -(-len(order) // 4))
        for i in range(0, len(order), step):
            alive = np.flatnonzero(totals <= limit)
            rows = np.tile(order[i : i + step], len(alive))
            which = np.repeat(np.arange(len(alive)), len(rows) // max(len(alive), 1))
            if not len(rows):
                return
            starts = weights
            if starts is not None:
                starts = np.column_stack([weights[rows], np.zeros(len(rows))])
            found = project_pairs(
                manifold,
                X[rows],
                references[alive],
                which,
                start_weights=starts,
                tol=_TOL,
            )
            sizes = self._floors(np.array(sets)[alive, 0])[which, rows]
            spanned = (np.array(sets)[alive][which] == rows[:, None]).any(axis=1)
            spanned |= found.distance < sizes
            terms = np.where(spanned, 0.0, self.weight[rows] * found.distance**self.p)
            totals[alive] += terms.reshape(len(alive), -1).sum(axis=1)
        for key, total in zip(sets, totals, strict=True):
            if total <= limit:
                self._values[tuple(sorted(key))] = float(total)

    def _floors(self, bases):
        """Return the distances that are rounding, seen from first references."""
        return np.stack([self.problem.floors(int(c)) for c in bases])

    def _spans(self, subset):
        """Tell whether the elements of a subset are independent."""
        *parents, last = subset
        key = tuple(parents)
        if key not in self._seen_from:
            self._seen_from[key] = independent_of(self.problem, parents)
        return bool(self._seen_from[key][last])

    def best_subset(self, pool, k, start):
        """Return the best k + 1 samples of the pool, or `start` if that is better."""
        value = self.value(start)
        found = [(tuple(sorted(start)), value)]
        sets = [s for s in self._promising(pool, k, False) if self._spans(s)]
        order = np.argsort(-self.problem.residuals(start), kind="stable")
        values = self._evaluate(sets, order, None, value * _SLACK, True)
        found = sorted([*found, *zip(sets, values.tolist(), strict=True)])
        best = first_of_least(np.array([value for _, value in found]))
        return np.array(found[best][0])

    def best_flag(self, pool, k, start):
        """Return the k + 1 samples, in order, of least accumulated value."""
        sets = [s for s in self._promising(pool, k, True) if self._spans(s)]
        self._evaluate(sets, np.arange(self.n_samples), None, np.inf, False)
        sets.append(tuple(sorted(int(c) for c in start)))
        found = [(self._accumulated(s)[0], s) for s in sets]
        found = sorted(found, key=lambda pair: pair[1])
        best = first_of_least(np.array([value for value, _ in found]))
        return np.array(self._accumulated(found[best][1])[1])

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


def independent_of(problem, parents):
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
