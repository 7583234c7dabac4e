"""Growth of the manifold operations with the number of points."""

import numpy as np

from geolearn.manifolds import (
    Hyperboloid,
    PoincareBall,
    ProductManifold,
    Sphere,
    Torus,
)

DIM = 5
MANIFOLDS = {
    "sphere": Sphere(DIM),
    "hyperboloid": Hyperboloid(DIM),
    "poincare": PoincareBall(DIM),
    "torus": Torus(DIM),
    "product": ProductManifold([Sphere(2), Hyperboloid(3)], scales=[1.0, 2.0]),
}
SIZES = (100, 10_000, 200_000)


def cloud(manifold, n):
    """Return points within one unit of the origin."""
    return manifold.random_normal(n, scale=0.3, random_state=0)


class Pointwise:
    """Time and memory of one vectorised call on n points."""

    params = (tuple(MANIFOLDS), SIZES)
    param_names = ("manifold", "n")

    def setup(self, name, n):
        self.manifold = MANIFOLDS[name]
        self.x, self.y = cloud(self.manifold, n), cloud(self.manifold, n)[::-1].copy()
        self.v = self.manifold.log(self.x, self.y)

    def time_exp(self, name, n):
        self.manifold.exp(self.x, self.v)

    def time_log(self, name, n):
        self.manifold.log(self.x, self.y)

    def time_dist(self, name, n):
        self.manifold.dist(self.x, self.y)

    def time_transport(self, name, n):
        self.manifold.transport(self.x, self.y, self.v)

    def peakmem_log(self, name, n):
        self.manifold.log(self.x, self.y)


class Mean:
    """Time, steps and accuracy of the Fréchet mean."""

    params = (tuple(MANIFOLDS), (100, 10_000, 100_000))
    param_names = ("manifold", "n")

    def setup(self, name, n):
        self.manifold = MANIFOLDS[name]
        self.X = cloud(self.manifold, n)

    def time_mean(self, name, n):
        self.manifold.frechet_mean(self.X)

    def track_steps(self, name, n):
        return self.manifold.frechet_mean(self.X, return_result=True).n_iter

    def track_gradient_norm(self, name, n):
        mean = self.manifold.frechet_mean(self.X)
        gradient = self.manifold.log(mean, self.X).mean(axis=0)
        return float(self.manifold.norm(mean, gradient))


class SpreadMean:
    """Steps of the mean of hyperbolic data as their spread grows."""

    params = ((1.0, 3.0, 6.0, 10.0),)
    param_names = ("radius",)
    unit = "steps"

    def track_steps(self, radius):
        space = Hyperboloid(DIM)
        X = space.random_ball(200, radius, random_state=0)
        return space.frechet_mean(X, return_result=True).n_iter


class Tables:
    """Distance tables and neighbours with volume densities."""

    params = (("sphere", "hyperboloid", "product"), (1000, 4000))
    param_names = ("manifold", "n")

    def setup(self, name, n):
        self.manifold = MANIFOLDS[name]
        self.X = cloud(self.manifold, n)
        self.manifold.kneighbors(self.X[:50])  # load the compiled kernels
        self.manifold.pairwise_distances(self.X[:50])
        self.out = np.empty((n, n))

    def time_pairwise_distances(self, name, n):
        self.manifold.pairwise_distances(self.X, out=self.out)

    def time_pairwise_with_log_volume(self, name, n):
        self.manifold.pairwise_distances(self.X, out=self.out, return_log_volume=True)

    def time_kneighbors_with_log_volume(self, name, n):
        self.manifold.kneighbors(self.X, n_neighbors=30, return_log_volume=True)
