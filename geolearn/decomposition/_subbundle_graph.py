"""Continuation of logarithms along a graph of neighbours, for many bases at once."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from geolearn.decomposition._subbundle_log import LogResult, log_from_models
from geolearn.decomposition._subbundle_model import (
    Model,
    empty_model,
    origin_model,
)
from geolearn.decomposition._subbundle_space import metric_of
from geolearn.decomposition._subbundle_types import LEFT_SUPPORT, OK
from geolearn.graph import NeighborIndex

N_NEIGHBORS = 8
_ATTEMPTS = 3  # neighbours from which a logarithm is tried


class Graph:
    """Symmetric graph of nearest neighbours of targets."""

    def __init__(self, field, targets, n_jobs=None):
        n = len(targets)
        self.targets = targets
        self.index = NeighborIndex.build(targets, metric=metric_of(field))
        k = min(N_NEIGHBORS, n - 1)
        if k:
            lengths, columns = self.index.neighbors(k, n_jobs=n_jobs)
        else:
            lengths, columns = np.empty((n, 0)), np.empty((n, 0), dtype=np.intp)
        rows = np.repeat(np.arange(n), k)
        ends = np.concatenate([rows, columns.ravel()])
        starts = np.concatenate([columns.ravel(), rows])
        lengths = np.concatenate([lengths.ravel()] * 2)
        # An edge found from both ends is kept once, sorted by its far end.
        _, first = np.unique(ends * n + starts, return_index=True)
        self.ends, self.starts = ends[first], starts[first]
        self.lengths = lengths[first]
        pattern = sparse.csr_array(
            (np.ones(len(first)), (self.ends, self.starts)), shape=(n, n)
        )
        self.components = csgraph.connected_components(pattern, directed=False)[1]
        self.pattern = pattern

    def roots(self, bases, n_jobs=None):
        """Return, for each base, the nearest targets of one component."""
        k = min(N_NEIGHBORS, len(self.targets))
        _, found = self.index.query(bases, k, n_jobs=n_jobs)
        labels = self.components[found]
        return [row[own == own[0]] for row, own in zip(found, labels, strict=True)]

    def ancestors(self, root, wanted):
        """Return which targets lie on shortest paths of few edges to the wanted."""
        order, parents = csgraph.breadth_first_order(
            self.pattern, root, directed=False, return_predecessors=True
        )
        needed = np.zeros(len(self.targets), dtype=bool)
        needed[order] = wanted[order]
        for node in order[:0:-1]:
            if needed[node]:
                needed[parents[node]] = True
        return needed


class _Front:
    """Which logarithms are known, and from which neighbours others were tried."""

    def __init__(self, graph, n_bases, allowed):
        self.graph, self.n = graph, len(graph.targets)
        self.known = np.zeros((n_bases, self.n), dtype=bool)
        self.attempts = np.zeros((n_bases, self.n), dtype=np.int8)
        self.open = (
            np.repeat(allowed[None], n_bases, axis=0)
            if allowed.ndim == 1
            else (allowed.copy())
        )
        self.tried = np.zeros((n_bases, len(graph.ends)), dtype=bool)

    def next(self):
        """Return bases, targets and the nearest known neighbours to start from."""
        graph = self.graph
        use = self.known[:, graph.starts] & self.open[:, graph.ends] & ~self.tried
        base, edge = np.nonzero(use)
        order = np.lexsort((graph.lengths[edge], base * self.n + graph.ends[edge]))
        base, edge = base[order], edge[order]
        _, first = np.unique(base * self.n + graph.ends[edge], return_index=True)
        base, edge = base[first], edge[first]
        self.tried[base, edge] = True
        return base, graph.ends[edge], graph.starts[edge]

    def record(self, base, target, ok):
        self.known[base[ok], target[ok]] = True
        self.attempts[base, target] += 1
        self.open[base, target] = ~ok & (self.attempts[base, target] < _ATTEMPTS)


def continue_logs(
    field, bases, frames, graph, roots, allowed, *, max_iter, tol, flow, report=None
) -> LogResult:
    """Continue logarithms breadth first along the edges of a graph.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    bases : ndarray of shape (b, d)
        Where geodesics start.
    frames : ndarray of shape (b, d, k)
        Orthonormal frames there.
    graph : Graph
        Graph of n targets.
    roots : list of b ndarrays of int
        Targets to start with, near each base.
    allowed : ndarray of bool of shape (n,) or (b, n)
        Targets that may be visited.
    max_iter, tol, flow
        As in `log_map`; `flow` holds the options of the integrator.
    report : callable, default=None
        Called with the number of finished targets after each level.

    Returns
    -------
    result : LogResult
        b n rows, those of the first base first. Targets that were not reached have
        status 1.
    """
    b, n = len(bases), len(graph.targets)
    k, d = frames.shape[2], bases.shape[1]
    front = _Front(graph, b, allowed)
    origins = origin_model(field, bases, frames, flow.n_jobs)
    models = empty_model(b * n, d, k)
    residual = np.full(b * n, np.nan)
    status = np.full(b * n, LEFT_SUPPORT, dtype=np.int8)
    n_iter = np.zeros(b * n, dtype=np.intp)
    base = np.repeat(np.arange(b), [len(r) for r in roots])
    target = np.concatenate(roots)
    starts = origins.take(base)
    while len(target):
        found = log_from_models(
            field,
            bases[0] if b == 1 else bases[base],
            frames[0] if b == 1 else frames[base],
            graph.targets[target],
            starts,
            max_iter=max_iter,
            tol=tol,
            flow=flow,
        )
        rows, ok = base * n + target, found.status == OK
        models.put(rows, Model(found.v, found.points, found.jacobian, found.hessian))
        residual[rows], status[rows] = found.residual, found.status
        n_iter[rows] += found.n_iter
        front.record(base, target, ok)
        if report is not None:
            report(int(front.known.sum()))
        base, target, parent = front.next()
        starts = models.take(base * n + parent)
    return LogResult(
        models.v,
        models.points,
        residual,
        status,
        n_iter,
        models.jacobian,
        models.hessian,
    )
