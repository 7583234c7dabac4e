"""Affinities of Brownian motion: neighbours, calibration, and both together."""

import numpy as np

from geolearn.graph import brownian_affinities
from geolearn.graph._brownian_kernels import calibrate
from geolearn.manifolds import SPD, Hyperboloid, Sphere

PERPLEXITY, NEIGHBORS = 30.0, 90


def cloud(manifold, n):
    """Return points around the origin, of scale one half."""
    rng = np.random.default_rng(0)
    return manifold.exp_vector(
        manifold.origin, 0.5 * rng.normal(size=(n, manifold.dim))
    )


class ExactNeighbors:
    """Ninety neighbours with volume densities: tangent bounds, matrix products."""

    params = ((2000, 10_000), ("SPD(4)", "SPD(8)", "Hyperboloid(10)"))
    param_names = ("n", "manifold")
    timeout = 300

    def setup(self, n, manifold):
        self.manifold = eval(manifold, {"SPD": SPD, "Hyperboloid": Hyperboloid})
        self.X = cloud(self.manifold, n)
        self.search(self.X[:300])

    def search(self, X):
        return self.manifold.kneighbors(
            X, n_neighbors=NEIGHBORS, return_log_volume=True
        )

    def time_search(self, n, manifold):
        self.search(self.X)

    def peakmem_search(self, n, manifold):
        self.search(self.X)


class Calibration:
    """Times of given perplexity, distances known."""

    params = ((2000, 10_000), (NEIGHBORS, 1999))
    param_names = ("n", "n_neighbors")

    def setup(self, n, n_neighbors):
        n = min(n, 20_000_000 // n_neighbors)
        rng = np.random.default_rng(0)
        self.D = np.sqrt(rng.chisquare(10, size=(n, n_neighbors)))
        self.L = -0.3 * self.D**2
        self.time_calibrate(n, n_neighbors)

    def time_calibrate(self, n, n_neighbors):
        calibrate(self.D, self.L, False, np.log(PERPLEXITY), None)


class Affinities:
    """The whole, all pairs up to 2000 samples and neighbours above."""

    params = ((2000, 10_000), ("sphere", "spd"))
    param_names = ("n", "manifold")
    timeout = 300

    def setup(self, n, manifold):
        self.manifold = Sphere(10) if manifold == "sphere" else SPD(8)
        self.X = cloud(self.manifold, n)
        brownian_affinities(self.X[:300], self.manifold)

    def time_affinities(self, n, manifold):
        _ = brownian_affinities(self.X, self.manifold).joint

    def peakmem_affinities(self, n, manifold):
        _ = brownian_affinities(self.X, self.manifold).joint
