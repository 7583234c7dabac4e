"""The search for the samples whose affine span explains the others best."""

import logging
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from geolearn.decomposition._bsa_search_curved import CurvedEngine
from geolearn.decomposition._bsa_search_pool import Pool
from geolearn.decomposition._bsa_search_problems import (
    GramProblem,
    ProjectionProblem,
    VectorProblem,
    sample_problem,
)
from geolearn.decomposition._bsa_search_projection import ProjectionEngine
from geolearn.decomposition._bsa_search_strategies import (
    backward,
    flag,
    forward,
    forward_backward,
    pad,
    pure,
)
from geolearn.utils._threads import matrix_threads
from geolearn.utils.validation import check_sample_weight

__all__ = [
    "GramProblem",
    "ProjectionProblem",
    "SampleSearch",
    "VectorProblem",
    "sample_problem",
    "search_samples",
]

GRAM_MAX = 5000  # samples up to which the table of all pairs is kept: 200 MB
_LONG = 30  # references from which "forward_backward" goes back
_LOGGER = logging.getLogger(__name__)


class SampleSearch(NamedTuple):
    """The references found, and what their spans leave unexplained.

    Attributes
    ----------
    indices : ndarray of int of shape (k + 1,)
        Samples taken as references.
    unexplained : ndarray of shape (k + 1,)
        Unexplained variances of the spans of the first 1, ..., k + 1 of them.
    search : {"exhaustive", "greedy"}
        What was run: "forward" and "forward_backward" are greedy.
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
        Dimension of the span; k + 1 references are sought. Where fewer span all
        samples, the lowest distinct samples are appended.
    strategy : {"forward", "backward", "pure", "flag", "forward_backward"}
        What is sought: references added one at a time; the order in which
        references of the "pure" optimum are given up, reversed; the k + 1 samples
        of least unexplained variance, in ascending order; the list whose nested
        spans have the least sum of unexplained variances; or as "backward", from
        30 references added one at a time.
    p : float, default=2.0
        Power of the distances, positive.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights; samples of weight zero are never references.
    search : {"auto", "exhaustive", "greedy"}, default="auto"
        Whether "backward", "pure" and "flag" try all subsets of the candidates, or
        start "forward" and exchange references one at a time until that improves
        nothing, which is a heuristic. "auto" tries all subsets up to 2e8
        evaluations of a subset at a sample, or 1e4 projections.
    first : {"mean", "pair"}, default="mean"
        Start of the forward search: the best single sample or the best pair.
    n_candidates : int, default=None
        Size of the pool that references are sought in; None takes all samples up
        to 2000 of them, else 1000. With a pool smaller than the samples the result
        is approximate; it is refined by the samples around each reference.
    random_state : int, RandomState instance or None, default=None
        Draws the pool.
    n_jobs : int, default=None
        Number of threads; -1 uses all. The result does not depend on it.

    Returns
    -------
    SampleSearch
        The references. Of equally good ones, those of lowest index.

    Raises
    ------
    ValueError
        If there are not k + 1 distinct samples.
    """
    weight = check_sample_weight(sample_weight, problem.n_samples)
    kept = np.flatnonzero(weight > 0.0)
    part = problem if len(kept) == len(weight) else problem.take(kept)
    weight = weight[kept]
    with matrix_threads(n_jobs):
        pool = Pool(part, weight, n_candidates, check_random_state(random_state))
        engine = _engine(part, weight, p)
        start = forward(engine, pool, k, first, search)
        rank = len(start) - 1
        order, search, converged = run(
            engine, pool, rank, start, (strategy, search, first)
        )
        order = pad(engine, order[: k + 1], k)
        unexplained = np.zeros(k + 1)
        for i in range(k + 1):
            distance, reliable = part.evaluate(order[: min(i, rank) + 1])
            unexplained[i] = weight @ distance**p
            converged &= reliable
    return SampleSearch(kept[order], unexplained, search, converged)


def _engine(problem, weight, p):
    if isinstance(problem, ProjectionProblem):
        return ProjectionEngine(problem, weight, p)
    if isinstance(problem, VectorProblem) and problem.n_samples <= GRAM_MAX:
        problem = problem.gram()
    return CurvedEngine(problem, weight, p)


def run(engine, pool, k, start, choice):
    """Return the order of the references, what was run and whether it ended."""
    strategy, search, first = choice
    if strategy == "forward":
        return start, "greedy", True
    if strategy == "forward_backward":
        order = forward_backward(engine, pool, k, first, search, _LONG)
        return order, "greedy", True
    if search == "auto":
        cost = engine.count(pool.samples, k, strategy == "flag")
        search = "exhaustive" if cost <= 1.0 else "greedy"
        _LOGGER.debug("%s search: %s, cost %.3g", strategy, search, cost)
    if strategy == "flag":
        order, converged = flag(engine, pool, k, search, start)
    else:
        order, converged = pure(engine, pool, k, search, start)
        if strategy == "backward":
            order = backward(engine, order)
    return order, search, converged
