"""Growth of PrincipalSubbundle with samples and features, on the S-surface."""

import warnings

import numpy as np

from geolearn.datasets import make_s_surface
from geolearn.decomposition import PrincipalSubbundle
from geolearn.manifolds import Sphere


def model(**options):
    """Return the estimator with the base point in the middle; one thread."""
    return PrincipalSubbundle(2, **({"bandwidth": 0.25} | options))


def surface(n, n_features=3):
    """Return a noisy S-surface."""
    return make_s_surface(n, noise=0.03, n_features=n_features, random_state=0)[0]


class Fit:
    """Time of `fit` with and without a search for the bandwidth, and memory."""

    params = ((600, 3000, 20_000), ("auto", 0.25))
    param_names = ("n", "bandwidth")
    timeout = 300

    def setup(self, n, bandwidth):
        self.X = surface(n)
        model(bandwidth=bandwidth).fit(self.X[:300])

    def time_fit(self, n, bandwidth):
        model(bandwidth=bandwidth).fit(self.X)

    def peakmem_fit(self, n, bandwidth):
        model(bandwidth=bandwidth).fit(self.X)


class Chart:
    """Time of the chart of all samples."""

    params = ((600, 3000), ("gaussian", "tapered"))
    param_names = ("n", "kernel")
    timeout = 600

    def setup(self, n, kernel):
        self.X = surface(n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            model(kernel=kernel).fit_transform(self.X[:300])

    def time_fit_transform(self, n, kernel):
        model(kernel=kernel).fit_transform(self.X)


class HighDimension:
    """Time of curves in many features."""

    params = (3, 20, 100)
    param_names = ("n_features",)
    timeout = 600

    def setup(self, n_features):
        self.model = model(bandwidth=0.35).fit(surface(1000, n_features))
        angle = np.linspace(0.0, 2.0 * np.pi, 8, endpoint=False)
        self.V = np.column_stack([np.cos(angle), np.sin(angle)])
        self.model.exp(self.V)

    def time_exp(self, n_features):
        self.model.exp(self.V)


class Queries:
    """Time of questions to a fitted model of 600 samples."""

    timeout = 300

    def setup(self):
        X = surface(650)
        self.new = X[600:]
        self.model = model().fit(X[:600])
        self.model.transform(self.new)
        self.model.distance(self.new[:2], self.new[2:4])
        self.model.reconstruct(radius=1.0, n_points=100)

    def time_transform(self):
        self.model.transform(self.new)

    def time_distance(self):
        self.model.distance(self.new[:4], self.new[4:8])

    def time_graph_distance(self):
        self.model.distance(self.new, method="graph")

    def time_reconstruct(self):
        self.model.reconstruct(radius=1.0, n_points=2000)


class KnownManifold:
    """Time of curves along a latitude of the sphere."""

    timeout = 300

    def setup(self):
        angle = np.linspace(0.0, 2.0 * np.pi, 500, endpoint=False)
        X = 0.8 * np.column_stack([np.cos(angle), np.sin(angle), np.full(500, 0.75)])
        self.model = PrincipalSubbundle(1, manifold=Sphere(2), bandwidth=0.1).fit(X)
        self.V = np.linspace(-1.0, 1.0, 20)[:, None]
        self.model.exp(self.V)

    def time_exp(self):
        self.model.exp(self.V)


class Quality:
    """Errors of chart and distances on surfaces whose truth is known."""

    timeout = 300

    def setup(self):
        self.data = make_s_surface(600, noise=0.03, random_state=0, return_X_y=False)
        self.model = model(base_point=[0.0, 1.0, 0.0])

    def track_error_of_lengths(self):
        V = self.model.fit_transform(self.data.X)
        true = np.linalg.norm(self.data.y - [0.0, 1.0], axis=1)
        return float(np.nanmedian(abs(np.linalg.norm(V, axis=1) - true)))

    def track_share_charted(self):
        self.model.fit_transform(self.data.X)
        return float(np.mean(self.model.status_ == 0))
