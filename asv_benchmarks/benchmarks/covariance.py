"""Covariance estimators and classifiers of trials: time, memory, accuracy."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from benchmarks.spd import COUNTS, ORDERS, matrices
from geolearn.covariance import (
    MDM,
    AugmentedCovariances,
    Covariances,
    TangentSpace,
)
from geolearn.datasets import load_emg_gestures, make_autoregressive_trials

SHAPES = {8: (1000, 8, 200), 22: (200, 22, 500), 88: (50, 88, 500)}


class CovarianceEstimators:
    """Time of the covariances of all trials."""

    params = (("scm", "lwf", "oas"), ORDERS)
    param_names = ("estimator", "n_channels")

    def setup(self, estimator, n_channels):
        self.X = np.random.default_rng(0).standard_normal(SHAPES[n_channels])
        self.model = Covariances(estimator)
        self.model.fit_transform(self.X[:2])

    def time_fit_transform(self, estimator, n_channels):
        self.model.fit_transform(self.X)


class AugmentedGrowth:
    """Time and memory as the order grows: the embedded series is never formed."""

    params = ((1, 2, 4, 8),)
    param_names = ("order",)

    def setup(self, order):
        self.X = np.random.default_rng(0).standard_normal((500, 8, 300))
        self.model = AugmentedCovariances(order=order, lag=1)
        self.model.fit_transform(self.X[:2])

    def time_fit_transform(self, order):
        self.model.fit_transform(self.X)

    def peakmem_fit_transform(self, order):
        self.model.fit_transform(self.X)


class TangentVectors:
    """Time of the tangent vectors, with the mean that they start from."""

    params = (("affine_invariant", "log_euclidean", "bures_wasserstein"), ORDERS)
    param_names = ("metric", "n")

    def setup(self, metric, n):
        self.X = matrices(n, COUNTS[n])
        self.model = TangentSpace(metric).fit(self.X[:20])
        self.model.transform(self.X[:20])

    def time_fit_transform(self, metric, n):
        TangentSpace(metric).fit_transform(self.X)

    def time_transform(self, metric, n):
        self.model.transform(self.X)


class MinimumDistance:
    """Time of MDM with two classes."""

    params = (ORDERS,)
    param_names = ("n",)

    def setup(self, n):
        self.X = matrices(n, COUNTS[n])
        self.y = np.arange(COUNTS[n]) % 2
        self.model = MDM().fit(self.X, self.y)
        self.model.predict(self.X[:20])

    def time_fit(self, n):
        MDM().fit(self.X, self.y)

    def time_predict(self, n):
        self.model.predict(self.X)


class MinimumDistanceGrowth:
    """Memory and time of MDM as the number of 22 x 22 matrices grows."""

    params = ((1000, 5000, 20_000),)
    param_names = ("n_matrices",)

    def setup(self, n_matrices):
        self.X = np.tile(matrices(22, 1000), (n_matrices // 1000, 1, 1))
        self.y = np.arange(n_matrices) % 2
        MDM().fit(self.X[:20], self.y[:20])

    def peakmem_input(self, n_matrices):
        pass

    def peakmem_fit_predict(self, n_matrices):
        MDM().fit(self.X, self.y).predict(self.X)

    def time_fit_predict(self, n_matrices):
        MDM().fit(self.X, self.y).predict(self.X)


class SyntheticAccuracy:
    """Cross-validated accuracy where plain covariances are at chance."""

    params = ((1, 2, 3, 4),)
    param_names = ("order",)
    unit = "accuracy"

    def track_accuracy(self, order):
        X, y = make_autoregressive_trials(random_state=0)
        model = make_pipeline(
            AugmentedCovariances(order=order, lag=1),
            TangentSpace(),
            LogisticRegression(),
        )
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        return float(cross_val_score(model, X, y, cv=folds).mean())


class GestureTransfer:
    """Accuracy and time of a gesture classifier in a session it has not seen."""

    params = ((1, 3),)
    param_names = ("order",)

    def setup(self, order):
        self.train = load_emg_gestures(session="mg_s1")
        self.test = load_emg_gestures(session="mg_s2")
        self.model = make_pipeline(
            AugmentedCovariances(order=order, lag=1, estimator="lwf"), MDM()
        )

    def time_fit(self, order):
        self.model.fit(self.train.data, self.train.target)

    def track_accuracy(self, order):
        self.model.fit(self.train.data, self.train.target)
        return float(self.model.score(self.test.data, self.test.target))
