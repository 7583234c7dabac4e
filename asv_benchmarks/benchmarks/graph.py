"""Growth of neighbour search, affinities and their use with the samples."""

import numpy as np

from geolearn.graph import (
    NeighborIndex,
    alpha_decay_affinity,
    alpha_decay_weights,
    connect_components,
    fuzzy_affinity,
    gaussian_knn_affinity,
    graph_laplacian,
    nearest_neighbors,
    select_landmarks,
)

SIZES = (1000, 4000, 16_000, 64_000)


def roll(n, seed=0):
    """Return points of a Swiss roll of width 21 with a little noise."""
    rng = np.random.default_rng(seed)
    s = 1.5 * np.pi * (1 + 2 * rng.random(n))
    X = np.column_stack([s * np.cos(s), 21 * rng.random(n), s * np.sin(s)])
    return X + 0.1 * rng.normal(size=X.shape)


class Neighbors:
    """Exact search: a KD-tree up to 10 features, all pairs above."""

    params = ((1000, 4000, 16_000), (3, 10, 50))
    param_names = ("n", "d")
    timeout = 300

    def setup(self, n, d):
        self.X = np.random.default_rng(0).normal(size=(n, d))
        nearest_neighbors(self.X[:100], 10, method="exact")

    def time_exact(self, n, d):
        nearest_neighbors(self.X, 10, method="exact")

    def peakmem_exact(self, n, d):
        nearest_neighbors(self.X, 10, method="exact")


class ApproximateNeighbors:
    """pynndescent with distances in float64; its compilation is not timed."""

    params = ((4000, 16_000), (16, 50))
    param_names = ("n", "d")
    timeout = 600

    def setup(self, n, d):
        # 8 latent dimensions, as in data that is worth a neighbour graph.
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(n, 8)) @ rng.normal(size=(8, d))
        self.X += 0.1 * rng.normal(size=self.X.shape)
        self.search(500)

    def search(self, n=None):
        options = {"method": "approximate", "random_state": 0}
        return nearest_neighbors(self.X[:n], 10, **options)[1]

    def time_approximate(self, n, d):
        self.search()

    def track_recall(self, n, d):
        exact = nearest_neighbors(self.X, 10, method="exact")[1]
        pairs = zip(self.search(), exact, strict=True)
        return float(np.mean([np.intersect1d(*pair).size / 10 for pair in pairs]))


class Affinity:
    """The three graphs on a Swiss roll."""

    params = (SIZES, ("alpha_decay", "alpha_decay_soft", "gaussian_knn", "fuzzy"))
    param_names = ("n", "affinity")
    timeout = 300

    def setup(self, n, affinity):
        self.X = roll(n)
        self.build = {
            "alpha_decay": alpha_decay_affinity,
            # Radius 1.74 bandwidths: rows are completed by radius queries.
            "alpha_decay_soft": lambda X: alpha_decay_affinity(X, decay=4.0),
            "gaussian_knn": gaussian_knn_affinity,
            "fuzzy": fuzzy_affinity,
        }[affinity]
        self.build(self.X[:200])

    def time_build(self, n, affinity):
        self.build(self.X)

    def peakmem_build(self, n, affinity):
        self.build(self.X)


class Use:
    """What follows once the graph is there."""

    params = (SIZES,)
    param_names = ("n",)
    timeout = 300

    def setup(self, n):
        self.X = roll(n)
        self.W, self.bandwidths = alpha_decay_affinity(self.X)
        self.index = NeighborIndex.build(self.X)
        self.new = roll(1000, seed=1)
        self.halves = np.arange(n) % 2
        self.split = self.X + 100.0 * self.halves[:, None]
        self.split_W, _ = alpha_decay_affinity(self.split)
        select_landmarks(3, X=self.X, method="farthest")  # loads the kernels

    def time_laplacian(self, n):
        graph_laplacian(self.W)

    def time_weights_of_1000_new_points(self, n):
        alpha_decay_weights(self.new, self.index, self.bandwidths)

    def time_connect_two_halves(self, n):
        connect_components(self.split_W, None, self.split)

    def time_landmarks(self, n):
        select_landmarks(300, X=self.X, method="farthest", random_state=0)
