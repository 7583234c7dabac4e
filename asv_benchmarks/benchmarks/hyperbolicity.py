"""Hyperbolicity, curvature and distortion of tables of distances, and mixtures."""

import numpy as np

from geolearn.datasets import make_product_mixture, make_wrapped_normal_mixture
from geolearn.manifolds import WrappedNormal
from geolearn.metrics import (
    average_distortion,
    curvature_statistic,
    delta_hyperbolicity,
    graph_map,
    pairwise_distances,
)

SIZES = (300, 1000)
SIGNATURE = [(-1.0, 2), (0.0, 3), (1.0, 2)]


def hyperbolic_table(n):
    """Return distances of points of the hyperbolic plane, and of a projection."""
    X, _ = make_wrapped_normal_mixture(n, 3, 4, noise=2.0, random_state=0)
    plane = np.hstack(
        [np.sqrt(1.0 + np.sum(X[:, 1:3] ** 2, axis=1))[:, None], X[:, 1:3]]
    )
    return (
        pairwise_distances(X, metric="hyperboloid"),
        pairwise_distances(plane, metric="hyperboloid"),
    )


class Measures:
    """Time of each measure as the number of points grows."""

    params = (SIZES,)
    param_names = ("n",)

    def setup(self, n):
        """Make the tables and compile."""
        self.D, self.flat = hyperbolic_table(n)
        self.graph = np.sort(self.D, axis=1)[:, 5:6] >= self.D
        for name in dir(self):
            if name.startswith("time_"):
                getattr(self, name)(n)

    def time_delta_of_one_base_point(self, n):
        """Take one max-min product."""
        delta_hyperbolicity(self.D, base_points=0)

    def time_delta(self, n):
        """Take the three default base points."""
        delta_hyperbolicity(self.D)

    def time_curvature_statistic(self, n):
        """Take all triangles of five neighbours."""
        curvature_statistic(self.D)

    def time_average_distortion(self, n):
        """Compare two tables."""
        average_distortion(self.flat, self.D)

    def time_graph_map(self, n):
        """Rank the neighbours of every point."""
        graph_map(self.flat, self.graph)

    def peakmem_delta(self, n):
        """Measure the tables and one copy."""
        delta_hyperbolicity(self.D)


class Mixtures:
    """Time of drawing, and of the density of a wrapped normal."""

    params = ((1000, 100_000),)
    param_names = ("n",)

    def setup(self, n):
        """Draw the points whose density is taken."""
        self.normal = WrappedNormal([1.0, 0.0, 0.0], [0.5, 0.2])
        self.X = self.normal.rvs(n, random_state=0)

    def time_wrapped_normal_mixture(self, n):
        """Draw from eight classes."""
        make_wrapped_normal_mixture(n, 8, 4, random_state=0)

    def time_product_mixture(self, n):
        """Draw on a product of three components."""
        make_product_mixture(SIGNATURE, n, 3, random_state=0)

    def time_logpdf(self, n):
        """Evaluate the log density."""
        self.normal.logpdf(self.X)
