"""Trees and forests on product spaces: time, memory, and time beside scikit-learn."""

import time

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from geolearn.ensemble import ProductSpaceRandomForestClassifier
from geolearn.manifolds import axial_coordinates
from geolearn.tree import ProductSpaceDecisionTreeClassifier

PRODUCT = [(-1.0, 2), (1.0, 2), (0.0, 2)]


def hyperbolic_points(n, dim, n_classes=3):
    """Return points, their axial coordinates and noisy labels."""
    rng = np.random.default_rng(0)
    V = rng.standard_normal((n, dim))
    X = np.column_stack([np.sqrt(1.0 + np.sum(V**2, axis=1)), V])
    S = axial_coordinates(X)
    score = S[:, 0] + S[:, 1] ** 2 + 0.5 * rng.standard_normal(n)
    edges = np.quantile(score, np.arange(1, n_classes) / n_classes)
    return X, S, np.digitize(score, edges)


def product_points(n):
    """Return points of PRODUCT and labels."""
    rng = np.random.default_rng(0)
    V = rng.standard_normal((n, 2))
    W = rng.standard_normal((n, 3))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    time_axis = np.sqrt(1.0 + np.sum(V**2, axis=1))
    X = np.column_stack([time_axis, V, W, rng.standard_normal((n, 2))])
    return X, (X[:, 1] > 0.0) + 2 * (X[:, 4] > 0.3 * rng.standard_normal(n))


def best_time(function, repeats=5):
    """Return the least CPU time of some calls."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


class Trees:
    """Time and memory of one tree of depth three, as the sample grows."""

    params = ((800, 12_800, 204_800),)
    param_names = ("n_samples",)

    def setup(self, n):
        self.X, self.S, self.y = hyperbolic_points(n, 4)
        self.tree = ProductSpaceDecisionTreeClassifier([(-1.0, 4)], max_depth=3)
        self.peer = DecisionTreeClassifier(max_depth=3)
        self.tree.fit(self.X, self.y)

    def time_fit(self, n):
        self.tree.fit(self.X, self.y)

    def time_predict(self, n):
        self.tree.predict(self.X)

    def peakmem_fit(self, n):
        self.tree.fit(self.X, self.y)

    def track_time_over_sklearn(self, n):
        own = best_time(lambda: self.tree.fit(self.X, self.y))
        return own / best_time(lambda: self.peer.fit(self.S, self.y))


class ProductTrees:
    """Time of a tree with a spherical component."""

    params = ((800, 100_000), ("axis", "all"))
    param_names = ("n_samples", "planes")

    def setup(self, n, planes):
        self.X, self.y = product_points(n)
        self.tree = ProductSpaceDecisionTreeClassifier(
            PRODUCT, max_depth=3, planes=planes
        )
        self.tree.fit(self.X, self.y)

    def time_fit(self, n, planes):
        self.tree.fit(self.X, self.y)


class Forests:
    """Time of 100 trees of unlimited depth, and beside scikit-learn."""

    params = ((4, 16, 64),)
    param_names = ("dim",)

    def setup(self, dim):
        self.X, self.S, self.y = hyperbolic_points(800, dim, 8)
        self.forest = ProductSpaceRandomForestClassifier([(-1.0, dim)], random_state=0)
        self.peer = RandomForestClassifier(random_state=0).fit(self.S, self.y)
        self.forest.fit(self.X, self.y)

    def time_fit(self, dim):
        self.forest.fit(self.X, self.y)

    def time_predict(self, dim):
        self.forest.predict(self.X)

    def track_time_over_sklearn(self, dim):
        own = best_time(lambda: self.forest.fit(self.X, self.y), 3)
        return own / best_time(lambda: self.peer.fit(self.S, self.y), 3)

    def track_predict_time_over_sklearn(self, dim):
        own = best_time(lambda: self.forest.predict(self.X))
        return own / best_time(lambda: self.peer.predict(self.S))

    def track_accuracy_minus_sklearn(self, dim):
        half = len(self.X) // 2
        own = self.forest.fit(self.X[:half], self.y[:half])
        peer = self.peer.fit(self.S[:half], self.y[:half])
        return own.score(self.X[half:], self.y[half:]) - peer.score(
            self.S[half:], self.y[half:]
        )
