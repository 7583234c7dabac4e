"""Growth of the distance tables and of the exact neighbour search."""

import numpy as np

from geolearn.metrics import (
    distance_correlation_score,
    kneighbors,
    pairwise_distances,
    pairwise_distances_blocks,
)

METRICS = ("euclidean", "sphere", "hyperboloid", "poincare", "fisher_rao", "torus")


def points(metric, n, dim):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, dim))
    if metric == "sphere":
        return X / np.linalg.norm(X, axis=1, keepdims=True)
    if metric == "hyperboloid":
        return np.column_stack([np.sqrt(1 + (X**2).sum(axis=1)), X])
    if metric == "poincare":
        norms = np.linalg.norm(X, axis=1, keepdims=True)
        return np.tanh(norms / 2) * X / norms
    if metric == "fisher_rao":
        return rng.dirichlet(np.ones(dim), n)
    return X


class Pairwise:
    """All distances within n points."""

    params = ((1000, 4000), (3, 32), METRICS)
    param_names = ("n", "d", "metric")

    def setup(self, n, d, metric):
        self.X = points(metric, n, d)
        pairwise_distances(self.X[:10], metric=metric)

    def time_pairwise(self, n, d, metric):
        pairwise_distances(self.X, metric=metric)

    def peakmem_pairwise(self, n, d, metric):
        pairwise_distances(self.X, metric=metric)


class Blocks:
    """The same distances in bounded memory."""

    params = ((4000, 16_000),)
    param_names = ("n",)

    def setup(self, n):
        self.X = points("euclidean", n, 3)
        next(pairwise_distances_blocks(self.X[:10]))

    def time_blocks(self, n):
        for _ in pairwise_distances_blocks(self.X, block_mib=16):
            pass

    def peakmem_blocks(self, n):
        for _ in pairwise_distances_blocks(self.X, block_mib=16):
            pass


class Neighbors:
    """Ten exact neighbours of each of n points."""

    params = ((1000, 4000, 16_000), (3, 32), METRICS)
    param_names = ("n", "d", "metric")
    timeout = 300

    def setup(self, n, d, metric):
        self.X = points(metric, n, d)
        kneighbors(self.X[:600], n_neighbors=10, metric=metric)
        kneighbors(self.X[:20], n_neighbors=10, metric=metric)

    def time_kneighbors(self, n, d, metric):
        kneighbors(self.X, n_neighbors=10, metric=metric)

    def peakmem_kneighbors(self, n, d, metric):
        kneighbors(self.X, n_neighbors=10, metric=metric)


class Precision:
    """Relative error of the distance of two points of the sphere at a small angle."""

    params = ((1e-8, 1e-4, 1.0),)
    param_names = ("angle",)
    unit = "relative error"

    def track_error(self, angle):
        X = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
        return abs(pairwise_distances(X, metric="sphere")[0, 1] / angle - 1.0)


class Score:
    """Comparison of two distance tables."""

    params = ((1000, 3000), ("pearson", "spearman"))
    param_names = ("n", "method")

    def setup(self, n, method):
        X = points("euclidean", n, 3)
        self.D, self.G = pairwise_distances(X[:, :2]), pairwise_distances(X)

    def time_score(self, n, method):
        distance_correlation_score(self.D, self.G, method=method)

    def peakmem_score(self, n, method):
        distance_correlation_score(self.D, self.G, method=method)
