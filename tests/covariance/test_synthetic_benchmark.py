"""The kernel machine on trials that plain covariances cannot tell apart.

The other classifiers are in tests/datasets/test_benchmarks.py.
"""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from geolearn.covariance import AugmentedCovariances, RiemannianSVC
from geolearn.datasets import make_autoregressive_trials


@pytest.fixture(scope="module")
def trials():
    return make_autoregressive_trials(random_state=0)


# Section 6 of the specification: a linear machine on tangent vectors.
@pytest.mark.parametrize(
    ("order", "lag", "accuracy"),
    [
        (1, 1, 0.500),
        (2, 1, 0.990),
        (3, 1, 1.000),
        (4, 1, 1.000),
        (2, 2, 0.970),
        (3, 3, 0.935),
    ],
)
def test_accuracy_is_that_of_the_specification(trials, order, lag, accuracy):
    X, y = trials
    model = make_pipeline(AugmentedCovariances(order, lag), RiemannianSVC())
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    correct = np.sum(cross_val_predict(model, X, y, cv=folds) == y)
    assert abs(correct - 200 * accuracy) <= 2.0 + 1e-9  # two trials
