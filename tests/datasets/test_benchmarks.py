"""Accuracies on data where plain covariances fail, and on a real set."""

import importlib.util
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from geolearn.covariance import MDM, AugmentedCovariances, FgMDM, TangentSpace
from geolearn.datasets import load_basic_motions, make_autoregressive_trials
from tests.source import ROOT

CLASSIFIERS = {
    "MDM": MDM(),
    "FgMDM": FgMDM(),
    "logistic": make_pipeline(TangentSpace(), LogisticRegression(C=1.0)),
    "SVM": make_pipeline(TangentSpace(), SVC(kernel="linear")),
}
# Specification of the method, section 6: (order, lag) -> accuracy of the four.
SYNTHETIC = {
    (1, 1): (0.495, 0.490, 0.500, 0.500),
    (2, 1): (0.920, 0.995, 0.975, 0.990),
    (3, 1): (0.995, 0.990, 1.0, 1.0),
    (4, 1): (1.0, 1.0, 1.0, 1.0),
    (2, 2): (0.900, 0.975, 0.955, 0.970),
    (3, 3): (0.940, 0.945, 0.935, 0.935),
}
ONE_TRIAL = 1 / 200
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def trials():
    return make_autoregressive_trials(random_state=0)


@pytest.mark.parametrize(("order", "lag"), SYNTHETIC)
def test_synthetic_benchmark(trials, order, lag):
    X, y = trials
    C = AugmentedCovariances(order=order, lag=lag).fit_transform(X)
    found = [cross_val_score(m, C, y, cv=FOLDS).mean() for m in CLASSIFIERS.values()]
    np.testing.assert_allclose(found, SYNTHETIC[order, lag], atol=1.01 * ONE_TRIAL)


def test_basic_motions_plain_and_augmented():
    # Shrunk covariances: 100 samples are few for 18 x 18 matrices.
    X, y = load_basic_motions(return_X_y=True)
    scores = {
        order: cross_val_score(
            make_pipeline(
                AugmentedCovariances(order=order, lag=1, estimator="oas"),
                TangentSpace(),
                LogisticRegression(),
            ),
            X,
            y,
            cv=FOLDS,
        ).mean()
        for order in (1, 3)
    }
    assert scores[1] > 0.95
    assert scores[3] > 0.95


def test_moabb_example_needs_neither_moabb_nor_pyriemann(monkeypatch):
    for name in ("moabb", "pyriemann"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails
    path = ROOT / "examples" / "moabb_pipelines.py"
    spec = importlib.util.spec_from_file_location("moabb_pipelines", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    X, c = make_autoregressive_trials(30, random_state=0)
    y = np.array(["left_hand", "right_hand"])[c]  # moabb's labels are words
    models = {**example.pipelines(), "search": example.searched(4, 120, [1, 3], [1])}
    scores = {
        name: cross_val_score(model, X, y, cv=FOLDS, scoring="roc_auc").mean()
        for name, model in models.items()
    }
    assert scores["MDM"] < 0.7
    assert scores["TS+LR"] < 0.7
    assert scores["ACM(4, 1)+TS+SVM"] > 0.9
    assert scores["search"] > 0.9
