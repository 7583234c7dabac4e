"""The search for samples between which the others lie, for `convex=True`."""

from itertools import combinations, permutations

import numpy as np
from sklearn.utils import check_random_state

from geolearn.decomposition._bsa_projection import project
from geolearn.decomposition._bsa_search import SampleSearch, run
from geolearn.decomposition._bsa_search_curved import first_of_least
from geolearn.decomposition._bsa_search_engine import SampleEngine
from geolearn.decomposition._bsa_search_pool import Pool
from geolearn.decomposition._bsa_search_problems import ProjectionProblem
from geolearn.decomposition._bsa_search_projection import independent_of
from geolearn.decomposition._bsa_search_strategies import forward, pad

__all__ = ["search_hulls"]


def search_hulls(
    manifold,
    X,
    k,
    *,
    strategy,
    p,
    weight,
    search,
    first,
    n_candidates,
    random_state,
):
    """Search samples whose convex hull leaves the least unexplained.

    Parameters
    ----------
    manifold : Manifold
        The manifold.
    X : ndarray of shape (n_samples, ...)
        Points on it.
    k : int
        k + 1 references are sought.
    strategy, p, search, first, n_candidates, random_state
        As in `search_samples`.
    weight : ndarray of shape (n_samples,)
        Weights of sum one; samples of weight zero are no references.

    Returns
    -------
    SampleSearch
        The references.
    """
    kept = np.flatnonzero(weight > 0.0)
    engine = HullEngine(ProjectionProblem(manifold, X[kept]), weight[kept], p)
    rng = check_random_state(random_state)
    pool = Pool(engine.problem, weight[kept], n_candidates, rng)
    start = forward(engine, pool, k, first, search)
    found = run(engine, pool, len(start) - 1, start, (strategy, search, first))
    order, search, converged = found
    order = pad(engine, order[: k + 1], k)
    unexplained = [engine.value(order[: i + 1]) for i in range(k + 1)]
    return SampleSearch(kept[order], np.array(unexplained), search, converged)


class HullEngine(SampleEngine):
    """Evaluate convex hulls of samples, as the strategies ask for.

    Parameters
    ----------
    problem : ProjectionProblem
        The samples.
    weight : ndarray of shape (n_samples,)
        Positive weights.
    p : float
        Power of the distances.
    """

    unasked = 1e5

    def __init__(self, problem, weight, p):
        self.problem, self.weight, self.p = problem, weight, p
        self.n_samples = problem.n_samples
        self._values = {}

    def value(self, indices):
        """Return the value of one subset, whatever the order of its elements."""
        key = tuple(sorted(int(i) for i in indices))
        if key not in self._values:
            X, rows = self.problem.X, list(key)
            d = project(self.problem.manifold, X, X[rows], convex=True).distance
            d[rows] = 0.0
            self._values[key] = float(self.weight @ d**self.p)
        return self._values[key]

    def additions(self, parents, candidates, prune=False):
        """Return the values of hulls with one more sample; inf where it depends."""
        parents = [int(c) for c in parents]
        free = np.ones(self.n_samples, dtype=bool)
        for c in parents:
            free &= ~self.coincident(c)
        if 0 < len(parents) <= self.problem.manifold.dim:
            free &= independent_of(self.problem, parents)
        return np.array(
            [self.value([*parents, c]) if free[c] else np.inf for c in candidates]
        )

    def best_subset(self, pool, k, start):
        """Return the best k + 1 samples of the pool."""
        sets = [s for s in combinations(pool.tolist(), k + 1) if self._free(s)]
        return np.array(sets[first_of_least(np.array([*map(self.value, sets)]))])

    def best_flag(self, pool, k, start):
        """Return the k + 1 samples, in order, of least accumulated value."""
        orders = [s for s in permutations(pool.tolist(), k + 1) if self._free(s)]
        totals = [sum(self.value(s[: i + 1]) for i in range(k + 1)) for s in orders]
        return np.array(orders[first_of_least(np.array(totals))])

    def _free(self, subset):
        *parents, last = subset
        return np.isfinite(self.additions(parents, np.array([last]))[0])
