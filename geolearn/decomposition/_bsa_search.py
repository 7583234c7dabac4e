"""The search for the samples whose affine span explains the others best."""

from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["SampleSearch", "search_samples"]

_AUTO_EVALUATIONS = 2e8
_TIE = 1e-12


class SampleSearch(NamedTuple):
    """The references found, and what their spans leave unexplained.

    Attributes
    ----------
    indices : ndarray of int of shape (k + 1,)
        Samples taken as references.
    unexplained : ndarray of shape (k + 1,)
        Unexplained variances of the spans of the first 1, ..., k + 1 of them.
    search : {"exhaustive", "greedy"}
        What was run.
    converged : bool
        Whether the exchange of references came to an end, and all projections
        did.
    """

    indices: np.ndarray
    unexplained: np.ndarray
    search: str
    converged: bool


def search_samples(
    problem: Any,
    k: int,
    *,
    strategy: str = "forward",
    p: float = 2.0,
    sample_weight: np.ndarray | None = None,
    search: str = "auto",
    first: str = "mean",
    n_candidates: int | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> SampleSearch:
    """Search samples whose affine span leaves the least unexplained.

    Parameters
    ----------
    problem : GramProblem, VectorProblem or ProjectionProblem
        The samples.
    k : int
        Dimension of the span; k + 1 references are sought.
    strategy : {"forward", "backward", "pure", "flag", "forward_backward"}
        The criterion.
    p : float, default=2.0
        Power of the distances, positive.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights; samples of weight zero are never references.
    search : {"auto", "exhaustive", "greedy"}, default="auto"
        Which subsets are tried.
    first : {"mean", "pair"}, default="mean"
        Start of the forward search: the best single sample or the best pair.
    n_candidates : int, default=None
        Size of the pool that references are sought in.
    random_state : int, RandomState instance or None, default=None
        Draws the pool.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    SampleSearch
        The references.

    Raises
    ------
    ValueError
        If there are not k + 1 distinct samples.
    """
    weight = np.ones(problem.n_samples) if sample_weight is None else sample_weight
    weight = np.asarray(weight, dtype=float) / np.sum(weight)
    check_random_state(random_state)
    run = _Search(problem, weight, p)
    if search == "auto":
        n = len(run.pool)
        few = comb(n, k + 1) * problem.n_samples <= _AUTO_EVALUATIONS
        search = "exhaustive" if few else "greedy"
    order = run.run(k, strategy, search, first)
    unexplained = [run.value(order[: i + 1]) for i in range(k + 1)]
    return SampleSearch(np.array(order), np.array(unexplained), search, True)


class _Search:
    def __init__(self, problem, weight, p):
        self.problem, self.weight, self.p = problem, weight, p
        self.pool = np.flatnonzero(weight > 0.0).tolist()
        self._values: dict[tuple, float] = {}

    def value(self, indices):
        key = tuple(sorted(indices))
        if key not in self._values:
            r = self.problem.residuals(key)
            self._values[key] = float(self.weight @ r**self.p)
        return self._values[key]

    def run(self, k, strategy, search, first):
        forward = self.forward(k, first)
        if strategy == "forward":
            return forward
        if strategy == "forward_backward":
            return self.backward(self.forward(min(30, len(self.pool) - 1), first), k)
        if strategy == "flag":
            return self.flag(k, search, forward)
        pure = self.pure(k, search, forward)
        return sorted(pure) if strategy == "pure" else self.backward(pure, k)

    def best(self, subsets, objective):
        best, best_value = None, np.inf
        for subset in subsets:
            value = objective(subset)
            if best is None or value < best_value * (1.0 - _TIE):
                best, best_value = subset, value
        return best

    def forward(self, k, first):
        order = self.best(([c] for c in self.pool), self.value)
        if first == "pair" and k > 0:
            pair = self.best(map(list, combinations(self.pool, 2)), self.value)
            order = sorted(pair, key=lambda c: self.value([c]))
        while len(order) < k + 1:
            r = self.problem.residuals(order)
            rest = [c for c in self.pool if c not in order and r[c] > 0.0]
            rest = rest or [c for c in self.pool if c not in order]
            if not rest:
                raise ValueError(
                    f"n_components={k} needs at least {k + 1} distinct samples, got "
                    f"{len(order)}; lower n_components."
                )
            order = self.best(([*order, c] for c in rest), self.value)
        return order

    def pure(self, k, search, start):
        if search == "exhaustive":
            return self.best(combinations(self.pool, k + 1), self.value)
        return self.exchange(start, self.value)

    def backward(self, order, k):
        left, removed = sorted(order), []
        while len(left) > 1:
            fewer = ([c for c in left if c != gone] for gone in reversed(left))
            kept = self.best(fewer, self.value)
            removed += [c for c in left if c not in kept]
            left = kept
        return (left + removed[::-1])[: k + 1]

    def auv(self, order):
        return sum(self.value(order[: i + 1]) for i in range(len(order)))

    def flag(self, k, search, start):
        if search == "exhaustive":
            from itertools import permutations

            return list(self.best(permutations(self.pool, k + 1), self.auv))
        return self.exchange(start, self.auv)

    def exchange(self, order, objective):
        order = list(order)
        while True:
            old = objective(order)
            for i in range(len(order)):
                rest = [c for c in self.pool if c not in order]
                trials = [order] + [[*order[:i], c, *order[i + 1 :]] for c in rest]
                order = list(self.best(trials, objective))
            if not objective(order) < old * (1.0 - _TIE):
                return order
