"""Unexplained variances in spaces of constant curvature, many subsets at a time."""

from math import comb

import numpy as np

from geolearn.decomposition._bsa_search_engine import SampleEngine
from geolearn.decomposition._bsa_search_kernels import (
    LINEAR,
    POWER,
    ROOT,
    SQUARE,
    additions,
    singles,
    subsets,
)

TIE = 1e-12  # relative difference below which two values count as equal
_SLACK = 1.0 + 1e-9  # between two ways of rounding the value of one subset
_TINY = 1e-300  # above an unexplained variance of zero
_BASES = 8  # least elements searched under one bound, whatever the threads
_TABLE = 2**22  # numbers in one block of half chords
_KEPT = 3  # spans remembered


def first_of_least(values):
    """Return the first place whose value is the least up to rounding."""
    return int(np.flatnonzero(values * (1.0 - TIE) <= np.min(values))[0])


class CurvedEngine(SampleEngine):
    """Evaluate subsets of samples of a space of constant curvature.

    Parameters
    ----------
    problem : GramProblem or VectorProblem
        The samples.
    weight : ndarray of shape (n_samples,)
        Positive weights.
    p : float
        Power of the distances.
    """

    unasked = 2e8

    def __init__(self, problem, weight, p):
        self.problem, self.weight = problem, weight
        self.n_samples = problem.n_samples
        farthest = problem.distances(0).max() / problem.scale
        code = {2.0: SQUARE, 1.0: LINEAR, 0.5: ROOT}.get(p, POWER)
        unit = 1.0 / farthest if farthest > 0.0 else 1.0
        self._form = np.array([problem.sign, code, p, unit])
        self._spans = {}

    def singles(self, candidates):
        """Return the unexplained variances of single samples."""
        values = np.empty(len(candidates))
        step = max(1, _TABLE // self.n_samples)
        for i in range(0, len(candidates), step):
            part = candidates[i : i + step]
            chords = self.problem.half_chords(part)
            singles(chords, self.weight, self._form, values[i : i + step])
        return values

    def additions(self, parents, candidates, prune=False):
        """Return the values of spans with one more sample; inf where it depends."""
        if not parents:
            return self.singles(candidates)
        span = self._span(tuple(parents))
        values = np.empty(len(candidates))
        additions(
            self.problem.table,
            candidates,
            span.base,
            span.factors,
            1.0 if span.base.shape[0] == 0 else -1.0,
            span.squares,
            span.dependent,
            self.weight,
            span.floor,
            self._form,
            values,
        )
        return values

    def value(self, indices):
        """Return the value of one subset."""
        *parents, last = indices
        return float(self.additions(parents, np.array([last]))[0])

    def _span(self, parents):
        if parents not in self._spans:
            shorter = parents[:-1]
            span = self.problem.start(parents[0]) if not shorter else None
            if span is None:
                span = self.problem.extend(self._span(shorter), parents[-1])
            while len(self._spans) >= _KEPT:
                self._spans.pop(next(iter(self._spans)))
            self._spans[parents] = span
        return self._spans[parents]

    def best_subset(self, pool, k, start):
        """Return the best k + 1 samples of the pool, or `start` if that is better.

        Of equally good subsets, it is the one of lowest indices.
        """
        bound = self.value(start) * _SLACK + _TINY
        chords = self.problem.half_chords(pool)
        found = self._search(chords, pool, k, bound, np.empty(0))
        return start if found is None else pool[found]

    def best_flag(self, pool, k, start):
        """Return the k + 1 samples, in order, of least accumulated value."""
        bound = sum(self.value(start[: i + 1]) for i in range(k + 1)) * _SLACK + _TINY
        chords = self.problem.half_chords(pool)
        levels = [self.singles(pool)]
        for size in range(2, k + 1):
            levels.append(self._table(chords, pool, size, levels[-1]))
        found = self._search(chords, pool, k, bound, levels[-1])
        return start if found is None else pool[order_of(found, levels)]

    def ranking(self, pool, k, flag):
        """Return the values of all subsets of k + 1, in colexicographic order.

        With `flag`, these are the accumulated values of their best orders.
        """
        chords = self.problem.half_chords(pool)
        values = self.singles(pool)
        for size in range(2 if flag else k + 1, k + 2):
            parents = values if flag else np.empty(0)
            values = self._table(chords, pool, size, parents)
        return values

    def _table(self, chords, pool, size, parents):
        store = np.full(comb(len(pool), size), np.inf)
        n_bases = len(pool) - size + 1
        self._run(chords, pool, 0, n_bases, size - 1, np.inf, parents, store)
        return store

    def _search(self, chords, pool, k, bound, parents):
        best, winner = np.inf, None
        for start in range(0, len(pool) - k, _BASES):
            n_bases = min(_BASES, len(pool) - k - start)
            limit = min(bound, best * (1.0 - TIE))
            values, found = self._run(
                chords, pool, start, n_bases, k, limit, parents, np.empty(0)
            )
            for value, subset in zip(values, found, strict=True):
                if value < best * (1.0 - TIE):
                    best, winner = value, subset
        return winner

    def _run(self, chords, pool, start, n_bases, k, limit, parents, store):
        values = np.full(n_bases, np.inf)
        found = np.zeros((n_bases, k + 1), dtype=np.intp)
        subsets(
            chords,
            pool,
            start,
            k,
            limit,
            self.weight,
            self._form,
            (binomials(len(pool), k + 1), parents, store),
            values,
            found,
        )
        return values, found


def binomials(n, k):
    """Return the table of i choose j up to n and k, zero where j exceeds i."""
    return np.array([[comb(i, j) for j in range(k + 1)] for i in range(n + 1)])


def order_of(subset, levels):
    """Order a subset so that its accumulated value is the least.

    `levels` holds, by size of the subset, values in colexicographic order. Of equal
    ones, the highest index is put last.
    """
    left, last = list(subset), []
    while len(left) > 1:
        values = levels[len(left) - 2]
        fewer = [[c for c in left if c != gone] for gone in reversed(left)]
        ranks = [sum(comb(c, i + 1) for i, c in enumerate(s)) for s in fewer]
        kept = fewer[first_of_least(values[ranks])]
        last += [c for c in left if c not in kept]
        left = kept
    return left + last[::-1]
