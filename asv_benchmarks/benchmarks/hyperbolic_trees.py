"""Hyperbolic estimators against scikit-learn's on the same features: time, accuracy.

`track_*_ratio` divides the CPU time of a composition by that of the wrapped class on
axial coordinates that were computed before, so that it is the price of reading points.
"""

import time

import numpy as np
from sklearn.metrics import mean_squared_error

from geolearn.ensemble import (
    HyperbolicHistGradientBoostingClassifier,
    HyperbolicRandomForestClassifier,
)
from geolearn.preprocessing import AxialCoordinates
from geolearn.tree import (
    HyperbolicDecisionTreeClassifier,
    HyperbolicDecisionTreeRegressor,
)

ESTIMATORS = {
    "tree": (HyperbolicDecisionTreeClassifier, {"max_depth": 3}),
    "full_tree": (HyperbolicDecisionTreeClassifier, {}),
    "forest": (HyperbolicRandomForestClassifier, {"n_estimators": 20, "max_depth": 3}),
    "boosting": (HyperbolicHistGradientBoostingClassifier, {"max_iter": 10}),
}
SIZES = (800, 6400, 51200)


def make_points(n_samples, dim=4, radius=2.0):
    """Return hyperboloid points of three noisy classes."""
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(n_samples, dim))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    r = radius * rng.uniform(size=(n_samples, 1))
    X = np.hstack([np.cosh(r), np.sinh(r) * direction])
    score = X[:, 1] + np.abs(X[:, -1]) + 0.3 * rng.normal(size=n_samples)
    return X, np.digitize(score, np.quantile(score, [1 / 3, 2 / 3]))


def cpu_time(function, repeat):
    """Return the least CPU time of a call."""
    best = np.inf
    for _ in range(repeat):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


class Compositions:
    """Time and price of the compositions."""

    params = (tuple(ESTIMATORS), SIZES)
    param_names = ("estimator", "n_samples")
    timeout = 300

    def setup(self, estimator, n_samples):
        cls, params = ESTIMATORS[estimator]
        self.X, self.y = make_points(n_samples)
        self.Z = AxialCoordinates().fit_transform(self.X)
        self.model = cls(random_state=0, **params).fit(self.X, self.y)
        self.wrapped = cls._wrapped(random_state=0, **params).fit(self.Z, self.y)
        self.repeat = 20 if n_samples < 10000 else 3

    def time_fit(self, estimator, n_samples):
        self.model.fit(self.X, self.y)

    def time_predict(self, estimator, n_samples):
        self.model.predict(self.X)

    def track_fit_ratio(self, estimator, n_samples):
        own = cpu_time(lambda: self.model.fit(self.X, self.y), self.repeat)
        return own / cpu_time(lambda: self.wrapped.fit(self.Z, self.y), self.repeat)


class Coordinates:
    """Time and memory of the coordinates themselves."""

    params = (("hyperboloid", "poincare", "klein"),)
    param_names = ("model",)

    def setup(self, model):
        X, _ = make_points(10**6, dim=8)
        if model == "poincare":
            X = X[:, 1:] / (1.0 + X[:, :1])
        elif model == "klein":
            X = X[:, 1:] / X[:, :1]
        self.X = np.ascontiguousarray(X)
        self.axial = AxialCoordinates(model=model).fit(self.X[:2])

    def time_transform(self, model):
        self.axial.transform(self.X)

    def peakmem_transform(self, model):
        self.axial.transform(self.X)


class Radius:
    """Error of sin(s) from points at s in [0, radius] on an axis."""

    params = ((10.0, 15.0, 20.0, 30.0),)
    param_names = ("radius",)

    def track_squared_error(self, radius):
        s = np.random.default_rng(0).uniform(0.0, radius, size=400)
        X = np.column_stack([np.cosh(s), np.sinh(s), np.zeros(400)])
        y = np.sin(s)
        tree = HyperbolicDecisionTreeRegressor(random_state=0).fit(X[:300], y[:300])
        return mean_squared_error(y[300:], tree.predict(X[300:]))
