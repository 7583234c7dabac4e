"""What metric multidimensional scaling costs, and how good it is."""

import time

import numpy as np
from sklearn.manifold import smacof as sklearn_smacof

from geolearn.embedding import MetricMDS
from geolearn.optimize import classical_mds, metric_mds, place_points


def sheet(n, noise=0.5):
    """Return distances of points near a long sheet, as after unrolling a roll."""
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(n, 3)) * [90.0, 20.0, noise * 20.0]
    squares = (X**2).sum(axis=1)
    D = np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * X @ X.T, 0.0))
    D = 0.5 * (D + D.T)
    np.fill_diagonal(D, 0.0)
    return D


class Scaling:
    """Time, memory and stress of each solver."""

    params = ((500, 1000, 3000), ("auto", "sgd", "smacof", "classical"))
    param_names = ("n", "solver")
    timeout = 120

    def setup(self, n, solver):
        self.D = sheet(n)
        metric_mds(self.D[:50, :50], solver=solver, random_state=0)

    def time_metric_mds(self, n, solver):
        metric_mds(self.D, solver=solver, random_state=0)

    def peakmem_metric_mds(self, n, solver):
        metric_mds(self.D, solver=solver, random_state=0)

    def track_stress(self, n, solver):
        return metric_mds(self.D, solver=solver, random_state=0).stress

    def track_sweeps(self, n, solver):
        return metric_mds(self.D, solver=solver, random_state=0).n_iter


class Weights:
    """Uneven weights, 1 / D to a power, where majorisation alone was slow."""

    params = ((1000,), (1.0, 2.0, 4.0), ("auto", "sgd", "smacof"))
    param_names = ("n", "power", "solver")
    timeout = 120

    def setup(self, n, power, solver):
        self.D = sheet(n)
        self.W = (self.D + np.eye(n)) ** -power
        metric_mds(self.D[:50, :50], weights=self.W[:50, :50], random_state=0)

    def time_metric_mds(self, n, power, solver):
        metric_mds(self.D, weights=self.W, solver=solver, random_state=0)

    def track_stress(self, n, power, solver):
        run = {"weights": self.W, "solver": solver, "random_state": 0}
        return metric_mds(self.D, **run).stress


class Epoch:
    """One sweep of the pair updates: nanoseconds a pair."""

    params = ((1000, 3000), (2, 3, 10), ("float32", "float64"))
    param_names = ("n", "p", "dtype")

    def setup(self, n, p, dtype):
        from geolearn.optimize._sgd import _sgd_epoch, diagonals

        rng = np.random.default_rng(0)
        R = diagonals(sheet(n).astype(dtype), rng.permutation(n))
        offsets = 1 + rng.permutation(n // 2)
        self.run = lambda: _sgd_epoch(self.Y, R, R, False, offsets, 0.01, 1e-9)
        self.Y = rng.normal(size=(p, n))
        self.run()

    def time_epoch(self, n, p, dtype):
        self.run()

    def track_nanoseconds_a_pair(self, n, p, dtype):
        best = np.inf
        for _ in range(10):
            start = time.perf_counter()
            self.run()
            best = min(best, time.perf_counter() - start)
        return best / (n * (n - 1) / 2) * 1e9

    track_nanoseconds_a_pair.unit = "ns"


class Classical:
    """Leading eigenpairs to nine digits."""

    params = ((1000, 3000), (2, 10))
    param_names = ("n", "p")

    def setup(self, n, p):
        self.D = sheet(n)
        classical_mds(self.D[:50, :50], p)

    def time_classical_mds(self, n, p):
        classical_mds(self.D, p)


class Placement:
    """New points among landmarks, 50 steps each."""

    params = ((1000, 20_000), (300, 1000), (1, 2))
    param_names = ("n_new", "n_landmarks", "n_jobs")

    def setup(self, n_new, n_landmarks, n_jobs):
        rng = np.random.default_rng(0)
        self.landmarks = rng.normal(size=(n_landmarks, 2))
        self.start = rng.normal(size=(n_new, 2))
        self.D = rng.uniform(0.1, 3.0, (n_new, n_landmarks))
        place_points(self.D[:5], self.landmarks, self.start[:5], n_jobs=n_jobs)

    def time_place_points(self, n_new, n_landmarks, n_jobs):
        place_points(self.D, self.landmarks, self.start, n_jobs=n_jobs)


class Estimator:
    """The estimator from samples; landmarks above 10 000 of them."""

    params = (1000, 5000, 20_000)
    param_names = ("n",)
    timeout = 300

    def setup(self, n):
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(n, 10)) * np.arange(10, 0, -1)
        MetricMDS(random_state=0).fit(self.X[:50])
        MetricMDS(n_landmarks=20, random_state=0).fit(self.X[:50])

    def time_fit(self, n):
        MetricMDS(random_state=0).fit(self.X)

    def peakmem_fit(self, n):
        MetricMDS(random_state=0).fit(self.X)


class AgainstScikitLearn:
    """Ratios to scikit-learn's SMACOF with one start, both from the same D."""

    params = (500, 1000)
    param_names = ("n",)
    timeout = 300

    def setup(self, n):
        self.D = sheet(n)
        metric_mds(self.D[:50, :50], random_state=0)

    def peer(self):
        options = {"n_init": 1, "normalized_stress": False, "random_state": 0}
        return sklearn_smacof(self.D, n_components=2, **options)

    def track_time_ratio(self, n):
        start = time.perf_counter()
        metric_mds(self.D, random_state=0)
        middle = time.perf_counter()
        self.peer()
        return (time.perf_counter() - middle) / (middle - start)

    def track_stress_ratio(self, n):
        Y = metric_mds(self.D, random_state=0).embedding
        r = np.sqrt(((Y[:, None] - Y) ** 2).sum(axis=-1))
        return self.peer()[1] / (0.5 * ((r - self.D) ** 2).sum())
