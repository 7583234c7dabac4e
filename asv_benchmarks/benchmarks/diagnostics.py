"""Growth of the diagnostics with samples and features."""

import numpy as np

from geolearn import diagnostics


def surface(n, n_features):
    """Return points of a curved surface of dimension 3."""
    rng = np.random.default_rng(0)
    u = rng.uniform(-1.0, 1.0, size=(n, 3))
    bent = np.hstack([u, 0.3 * u**2])
    return bent @ np.linalg.qr(rng.normal(size=(n_features, 6)))[0].T


class LocalDimension:
    """Time and peak memory of the local dimensions; a tree up to 10 features."""

    params = ((1000, 10_000), (8, 64), ("mle", "twonn", "pca"))
    param_names = ("n", "n_features", "method")
    timeout = 300

    def setup(self, n, n_features, method):
        self.X = surface(n, n_features)
        diagnostics.local_intrinsic_dimension(self.X[:100], method=method)

    def time_dimension(self, n, n_features, method):
        diagnostics.local_intrinsic_dimension(self.X, method=method)

    def peakmem_dimension(self, n, n_features, method):
        diagnostics.local_intrinsic_dimension(self.X, method=method)


class LocalDimensionError:
    """Relative error of the mean dimension away from borders."""

    params = (2, 5, 8)
    param_names = ("dim",)

    def setup(self, dim):
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(5000, dim + 1))
        self.X /= np.linalg.norm(self.X, axis=1)[:, None]

    def track_error(self, dim):
        found = diagnostics.local_intrinsic_dimension(self.X)
        return abs(diagnostics.aggregate_dimension(found, "harmonic") / dim - 1.0)


class Curvature:
    """Time of the quadratic fits."""

    params = ((1000, 5000), (8, 256))
    param_names = ("n", "n_features")
    timeout = 300

    def setup(self, n, n_features):
        self.X = surface(n, n_features)
        self.queries = self.X[:1000]

    def time_curvature(self, n, n_features):
        diagnostics.second_order_curvature(
            self.X, queries=self.queries, intrinsic_dim=3
        )


class Spectrum:
    """Time and peak memory of the effective rank."""

    params = ((1000, 20_000), (64, 512))
    param_names = ("n", "n_features")
    timeout = 300

    def setup(self, n, n_features):
        self.Z = np.random.default_rng(0).normal(size=(n, n_features))

    def time_rankme(self, n, n_features):
        diagnostics.rankme(self.Z)

    def peakmem_rankme(self, n, n_features):
        diagnostics.rankme(self.Z)


class SpanningTree:
    """Time and peak memory of the spanning tree of even and of clustered points."""

    params = ((2000, 20_000, 100_000), ("even", "clusters"))
    param_names = ("n", "points")
    timeout = 300

    def setup(self, n, points):
        rng = np.random.default_rng(0)
        self.X = rng.uniform(size=(n, 3))
        if points == "clusters":
            self.X += 10.0 * rng.integers(10, size=(n, 1))

    def time_uniformity(self, n, points):
        diagnostics.mst_uniformity(self.X, intrinsic_dim=3)

    def peakmem_uniformity(self, n, points):
        diagnostics.mst_uniformity(self.X, intrinsic_dim=3)


class FeatureSplit:
    """Time of 30 halvings of the features."""

    params = (400, 1600)
    param_names = ("n",)
    timeout = 300

    def setup(self, n):
        self.Z = np.random.default_rng(0).normal(size=(n, 64))

    def time_stability(self, n):
        diagnostics.feature_split_stability(self.Z, random_state=0)


class Report:
    """Time and peak memory of all diagnostics at once."""

    params = (1000, 10_000)
    param_names = ("n",)
    timeout = 300

    def setup(self, n):
        self.Z = surface(n, 64)
        self.y = np.arange(n) % 10

    def time_report(self, n):
        diagnostics.RepresentationReport(self.Z, self.y, random_state=0)

    def peakmem_report(self, n):
        diagnostics.RepresentationReport(self.Z, self.y, random_state=0)
