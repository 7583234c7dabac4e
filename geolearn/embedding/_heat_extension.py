"""New points in a heat-geodesic embedding."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from geolearn.embedding._heat_layout import HeatSolver, LandmarkFrame, row_blocks
from geolearn.graph import NeighborIndex, alpha_decay_weights
from geolearn.graph._heat import diagonal_array
from geolearn.graph._neighbors import is_euclidean
from geolearn.graph._precomputed import is_precomputed

# A point this near to a node, in its bandwidths, is the node. It covers what float32
# arithmetic leaves between fit_transform and transform of the steps before.
ROUNDING = 1e-5
# Far outliers enter at many nodes: bound the rows of one block of new points.
MOST_ROWS = 1024


@dataclass(frozen=True)
class Entry:
    """How a block of new points enters the graph.

    `weights` are the row-stochastic weights of the first step, `twins` the node with
    which a point coincides or -1, `log_isolation` the log of its bandwidth over the
    geometric mean of those of its neighbours.
    """

    weights: object
    twins: np.ndarray
    log_isolation: np.ndarray


@dataclass(frozen=True)
class Extension:
    """Place and measure new points by the heat of the nodes around them.

    `heat` (n_times, n_nodes, m) and `diagonal` (n_times, n_nodes) belong to the
    training nodes, `embedding` (n_nodes, p) are their coordinates.
    """

    index: NeighborIndex
    bandwidths: np.ndarray
    n_neighbors: int
    decay: float
    threshold: float
    solver: HeatSolver
    frame: LandmarkFrame
    heat: np.ndarray
    diagonal: np.ndarray
    embedding: np.ndarray

    def place(self, X) -> np.ndarray:
        """Return the coordinates of new points, those of the node for a twin."""
        Y = np.empty((X.shape[0], self.embedding.shape[1]))
        for block in self._blocks(X):
            entry = self.enter(X[block])
            heat, diagonal = self.entering_heat(entry)
            start = entry.weights @ self.embedding
            placed = self.solver.place(heat, diagonal, self.frame, start)
            known = entry.twins >= 0
            placed[known] = self.embedding[entry.twins[known]]
            Y[block] = placed
        return Y

    def dissimilarity(self, X) -> np.ndarray:
        """Return the dissimilarities of new points to the landmarks."""
        D = np.empty((X.shape[0], self.frame.indices.size))
        for block in self._blocks(X):
            entry = self.enter(X[block])
            landmarks = entry.twins[:, None] == self.frame.indices
            D[block] = self.solver.rows(
                *self.entering_heat(entry), self.frame, landmarks
            )
        return D

    def node_dissimilarity(self) -> np.ndarray:
        """Return the dissimilarities of all training nodes to the landmarks."""
        n = self.heat.shape[1]
        D = np.empty((n, self.frame.indices.size))
        for block in row_blocks(n, D.shape[1]):
            heat = np.array(self.heat[:, block], order="C")
            nodes = np.arange(block.start, block.stop)
            landmarks = nodes[:, None] == self.frame.indices
            D[block] = self.solver.rows(
                heat, self.diagonal[:, block], self.frame, landmarks
            )
        return D

    def score(self, X) -> np.ndarray:
        """Return minus the log isolation of new points."""
        scores = np.empty(X.shape[0])
        for block in self._blocks(X):
            scores[block] = -self.enter(X[block]).log_isolation
        return scores

    def _blocks(self, X):
        return row_blocks(X.shape[0], self.frame.indices.size, most=MOST_ROWS)

    def enter(self, X) -> Entry:
        """Locate new points, or their distances to the nodes, in the graph."""
        weights, own, neighbors = alpha_decay_weights(
            X,
            self.index,
            self.bandwidths,
            min(self.n_neighbors, self.index.n_samples),
            decay=self.decay,
            threshold=self.threshold,
            n_jobs=self.solver.n_jobs,
        )
        twins = self._twins(X, neighbors)
        known = twins >= 0
        # the bandwidth of a training point leaves the point itself out
        own = np.where(known, self.bandwidths[twins], own)
        local = np.log(self.bandwidths[neighbors]).mean(axis=1)
        return Entry(_only_twins(weights, twins), twins, np.log(own) - local)

    def _twins(self, X, neighbors):
        """Return the node that a point coincides with, -1 for none.

        Equal rows come first, since distances do not tell them: some metrics have
        d(x, x) > 0 by rounding, or d(x, y) = 0 for different rows. Then the nearest
        node, if only rounding of an earlier step can have parted the two.
        """
        twins = np.full(X.shape[0], -1)
        if not is_precomputed(self.index.metric):
            for nearest in neighbors.T:
                open_ = np.flatnonzero(twins < 0)
                same = (X[open_] == self.index.points[nearest[open_]]).all(axis=1)
                twins[open_[same]] = nearest[open_[same]]
        open_ = np.flatnonzero(twins < 0)
        if open_.size:
            nearest = neighbors[open_, 0]
            gaps = self._gaps(X[open_], nearest)
            same = gaps <= ROUNDING * self.bandwidths[nearest]
            twins[open_[same]] = nearest[same]
        return twins

    def _gaps(self, X, nearest):
        """Return the distances of new points to their nearest nodes."""
        metric, params = self.index.metric, self.index.metric_params
        if is_precomputed(metric):
            return X[np.arange(X.shape[0]), nearest]
        if is_euclidean(metric, params):
            return np.linalg.norm(X - self.index.points[nearest], axis=1)
        return self.index.query(X, 1, n_jobs=self.solver.n_jobs)[0][:, 0]

    def entering_heat(self, entry) -> tuple[np.ndarray, np.ndarray]:
        """Average the heat, and the log of the heat that stays, over the first step."""
        used, place = np.unique(entry.weights.indices, return_inverse=True)
        shape = (entry.weights.shape[0], used.size)
        first = type(entry.weights)(
            (entry.weights.data, place.ravel(), entry.weights.indptr), shape=shape
        )
        heat = np.stack([first @ page[used] for page in self.heat])
        diagonal = np.stack([np.exp(first @ np.log(d[used])) for d in self.diagonal])
        return heat, diagonal


def _only_twins(weights, twins):
    """Let points that coincide with a node enter the graph at this node alone."""
    known = np.flatnonzero(twins >= 0)
    at_node = csr_array((np.ones(known.size), (known, twins[known])), weights.shape)
    kept = diagonal_array((twins < 0).astype(np.float64))
    result = csr_array(kept @ weights + at_node)
    result.eliminate_zeros()
    result.sort_indices()
    return result
