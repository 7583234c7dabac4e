"""What steps of Riemannian Adam and product-space embeddings cost."""

import numpy as np

from geolearn.embedding import ProductSpaceEmbedding
from geolearn.manifolds import Hyperboloid
from geolearn.optimize import RiemannianAdam


def distances(n):
    """Return distances of random points of the hyperbolic plane."""
    plane = Hyperboloid(2)
    return plane.pairwise_distances(plane.random_point(n, random_state=0))


class Embedding:
    """Time of 350 steps, and the distortion of a full descent."""

    params = ((200, 1000), ("hyperbolic", "mixed"))
    param_names = ("n", "signature")
    timeout = 120

    def setup(self, n, signature):
        mixed = [(-1.0, 2), (0.0, 2), (1.0, 2)]
        self.signature = mixed if signature == "mixed" else mixed[:1]
        self.D = distances(n)
        self.fit(10.0)

    def fit(self, tol):
        return ProductSpaceEmbedding(
            self.signature, burn_in=0.0, tol=tol, init="random", random_state=0
        ).fit(self.D)

    def time_350_steps(self, n, signature):
        self.fit(10.0)  # at rest after every 50 steps, at each of 7 rates

    def track_distortion(self, n, signature):
        return self.fit(1e-3).distortion_


class Steps:
    """Time of the optimizer alone."""

    params = (200, 10_000)
    param_names = ("n",)

    def setup(self, n):
        plane = Hyperboloid(2)
        rng = np.random.default_rng(0)
        self.X = plane.random_point(n, random_state=0)
        self.G = plane.project_tangent(self.X, rng.normal(size=self.X.shape))
        self.adam = RiemannianAdam(plane)
        self.adam.step(self.X, self.G)

    def time_step(self, n):
        self.adam.reset()
        self.adam.step(self.X, self.G)
