"""Persistence diagrams of small clouds and the distance between them."""

import numpy as np

from geolearn.metrics import pairwise_distances
from geolearn.topology import sample_annulus, vietoris_rips_persistence
from geolearn.topology._bottleneck_kernels import bottleneck_deaths, bottleneck_pairs
from geolearn.topology._persistence_edges import enclosing_radius, slice_edges
from geolearn.topology._persistence_kernels import engine, rips_diagrams

RADIUS = 0.3


def annulus(n, dim, seed=0):
    """Return the distances within an annulus."""
    return pairwise_distances(sample_annulus(n, RADIUS, 1.0, dim, random_state=seed))


class Diagrams:
    """Time of the diagrams of one annulus, without and with voids."""

    params = ((20, 50, 100, 200, 500), (2, 3), (0, 1, 2))
    param_names = ("n", "dim", "max_degree")

    def setup(self, n, dim, max_degree):
        self.D = annulus(n, dim)
        self.time_kernel(n, dim, max_degree)

    def time_kernel(self, n, dim, max_degree):
        rips_diagrams(self.D, max_degree)


class PublicFunction:
    """Checks, distances and sorting beside the kernel, and peak memory."""

    params = (50, 2000)
    param_names = ("n",)

    def setup(self, n):
        self.X = sample_annulus(n, RADIUS, 1.0, 2, random_state=0)
        vietoris_rips_persistence(self.X[:10])

    def time_persistence(self, n):
        vietoris_rips_persistence(self.X)

    def peakmem_persistence(self, n):
        vietoris_rips_persistence(self.X)


class Slices:
    """Nested annuli of one neighbourhood, which share their sorted edges."""

    params = (50, 100)
    param_names = ("n",)

    def setup(self, n):
        self.D = annulus(n, 2)
        self.time_slices(n)

    def time_slices(self, n):
        sorted_edges, low_degrees, _ = engine(1)
        edges = sorted_edges(self.D, np.inf)
        for start in range(0, n // 2, 5):
            cap = enclosing_radius(self.D, start, n)
            part = slice_edges(*edges, start, n, cap)
            low_degrees(self.D, start, n, *part, False)


class Bottleneck:
    """Distance of two diagrams of annuli."""

    params = ((50, 200, 500), (0, 1))
    param_names = ("n", "degree")

    def setup(self, n, degree):
        self.pair = [rips_diagrams(annulus(n, 2, s), 1)[degree] for s in (0, 1)]
        self.distance = bottleneck_pairs if degree else bottleneck_deaths
        self.time_distance(n, degree)

    def time_distance(self, n, degree):
        self.distance(*self.pair)
