"""Logarithms of some points at some bases, through the samples between them."""

import numpy as np

from geolearn.decomposition._subbundle_graph import Graph, continue_logs
from geolearn.decomposition._subbundle_log import LogResult, log_from_models
from geolearn.decomposition._subbundle_model import Model
from geolearn.decomposition._subbundle_types import LEFT_SUPPORT, OK


class Reach:
    """Continue logarithms along shortest paths of the graph of all samples.

    Only samples on paths to the wanted points are visited, unless these fail.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    targets : ndarray of shape (m, d)
        Points to reach. The others decide through which samples the logarithm of one
        is continued, and so change it within `tol`.
    options : dict
        `max_iter`, `tol` and `flow` of the search.
    """

    def __init__(self, field, targets, options):
        self.field, self.targets, self.options = field, targets, options
        self.n_jobs = options["flow"].n_jobs
        self.graph = Graph(field, field.points, self.n_jobs)
        lengths, nearest = self.graph.index.query(targets, 1, n_jobs=self.n_jobs)
        self.lengths, self.nearest = lengths[:, 0], nearest[:, 0]
        limit = 2.0 * max(field.bandwidth, field.spacing)
        self.here = self.lengths <= limit

    def logs(self, bases, frames) -> LogResult:
        """Return the b m logarithms at bases (b, d), those of the first base first.

        The status is 1 where the data do not lead from the base to the target.
        """
        known = self._samples(bases, frames)
        b, n = len(bases), len(self.graph.targets)
        rows = (np.arange(b)[:, None] * n + self.nearest).ravel()
        found = LogResult(*(part[rows] for part in known))
        found.status[~np.tile(self.here, b)] = LEFT_SUPPORT
        # A target that is a sample is done already.
        left = (found.status == OK) & (np.tile(self.lengths, b) > 0.0)
        left = np.flatnonzero(left)
        if len(left):
            base, target = np.divmod(left, len(self.targets))
            solved = log_from_models(
                self.field,
                bases[0] if b == 1 else bases[base],
                frames[0] if b == 1 else frames[base],
                self.targets[target],
                Model(found.v, found.points, found.jacobian, found.hessian).take(left),
                **self.options,
            )
            for whole, part in zip(found, solved, strict=True):
                whole[left] = part
        lost = (found.status != OK) & (found.status != 2)
        for part in (found.v, found.points, found.residual):
            part[lost] = np.nan
        return found

    def _samples(self, bases, frames):
        """Return logarithms of the samples next to the targets."""
        graph, b, n = self.graph, len(bases), len(self.graph.targets)
        wanted = np.zeros(n, dtype=bool)
        wanted[self.nearest[self.here]] = True
        roots = graph.roots(bases, self.n_jobs)
        allowed = np.array([graph.ancestors(root[0], wanted) for root in roots])
        first = [
            root[own[root] | (root == root[0])]
            for root, own in zip(roots, allowed, strict=True)
        ]
        known = continue_logs(
            self.field, bases, frames, graph, first, allowed, **self.options
        )
        # What the shortest paths do not lead to may be reached by others.
        inside = graph.components == graph.components[[r[0] for r in roots]][:, None]
        status = known.status.reshape(b, n)
        again = np.flatnonzero(((status != OK) & inside & wanted).any(axis=1))
        again = again[(inside & ~allowed)[again].any(axis=1)]
        if len(again):
            wide = continue_logs(
                self.field,
                bases[again],
                frames[again],
                graph,
                [roots[i] for i in again],
                inside[again],
                **self.options,
            )
            rows = (again[:, None] * n + np.arange(n)).ravel()
            for whole, part in zip(known, wide, strict=True):
                whole[rows] = part
        return known
