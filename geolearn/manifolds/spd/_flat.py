"""Flat metrics: isometric to vectors through a chart."""

import numpy as np

from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds.spd._chunks import in_chunks
from geolearn.manifolds.spd._geometry import Geometry

__all__ = ["Flat"]


class Flat(Geometry):
    """Do everything on straight lines of coordinates.

    Parameters
    ----------
    name : str
        Name of the metric.
    chart : object
        Has `coordinates(A)`, its inverse `matrix(z)`, and the differentials of the
        two at A, `push(A, V)` and `pull(A, w)`.
    """

    curvature = (0.0, 0.0)
    charted = True

    def __init__(self, name, chart):
        super().__init__(name)
        self.chart = chart
        self.complete = chart.complete
        self.needs_definite = chart.needs_definite

    def coordinates(self, X, n_jobs=None):
        """Return vectors with the same distances."""
        return in_chunks(lambda A: self.chart.embed(A, n_jobs), [X], [2])

    def distance(self, A, B, squared=False, n_jobs=None):
        """Return distances of matrices paired by broadcasting."""
        difference = self.chart.difference(A, B, n_jobs)
        if squared:
            return np.sum(difference**2, axis=-1)
        return np.linalg.norm(difference, axis=-1)

    def table(self, X, Y, squared=False, n_jobs=None, out=None):
        """Return all distances between X and Y."""
        from geolearn.metrics import pairwise_distances  # numba loads when needed

        X = self.coordinates(X, n_jobs)
        Y = None if Y is None else self.coordinates(Y, n_jobs)
        result = pairwise_distances(X, Y, metric="euclidean", n_jobs=n_jobs, out=out)
        return np.square(result, out=result) if squared else result

    def exp(self, P, V):
        """Follow the straight line of coordinates."""
        chart = self.chart
        return chart.matrix(chart.coordinates(P) + chart.push(P, V))

    def log(self, P, Q):
        """Return the direction of the straight line of coordinates."""
        return self.chart.pull(P, self.log_vector(P, Q))

    def transport(self, P, Q, V):
        """Keep the coordinates."""
        return self.chart.pull(Q, self.chart.push(P, V))

    def log_volume(self, P, Q):
        """Return zeros."""
        return np.zeros(np.broadcast_shapes(P.shape[:-2], Q.shape[:-2]))

    def to_vector(self, P, V):
        """Return the differential of the chart."""
        return self.chart.push(P, V)

    def from_vector(self, P, w):
        """Return the differential of the inverse chart."""
        return self.chart.pull(P, w)

    def log_vector(self, P, Q, n_jobs=None):
        """Return differences of coordinates."""
        return self.chart.difference(P, Q, n_jobs)

    def exp_vector(self, P, w, n_jobs=None):
        """Add to coordinates."""
        return self.chart.matrix(self.chart.coordinates(P) + w, n_jobs)

    def mean(self, X, weight, *, init, tol, max_iter, n_jobs):
        """Return the average of coordinates, a closed form."""
        z = in_chunks(lambda A: self.chart.coordinates(A, n_jobs), [X], [2])
        center = weight @ z
        variance = float(weight @ np.sum((z - center) ** 2, axis=-1))
        mean = self.chart.matrix(center, inside=True)  # the domains are convex
        return FrechetMean(mean, variance, 0, 0.0, True)
