"""Detection of artefacts by the distance from a robust mean."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from geolearn.covariance import Potato
from geolearn.manifolds import SPD
from tests.peers import pyriemann


def clean_and_artefacts(n_samples=60, n=4, n_bad=5):
    rng = np.random.default_rng(0)
    trials = rng.normal(size=(n_samples, n, 50))
    trials[:n_bad] *= rng.uniform(3.0, 8.0, (n_bad, 1, 1))
    return trials @ np.swapaxes(trials, 1, 2) / 50


def reference_rounds(X, threshold, rounds, weight):
    """Reject and refit, slowly."""
    manifold = SPD(X.shape[1])
    kept = weight > 0.0
    for _ in range(rounds):
        mean = manifold.frechet_mean(X[kept], weight[kept])
        logs = np.log(manifold.dist(X, mean))
        m = np.average(logs[kept], weights=weight[kept])
        s = np.sqrt(np.average((logs[kept] - m) ** 2, weights=weight[kept]))
        z = (logs - m) / s
        if not (kept & (z > threshold)).any():
            return mean, m, s, kept, z
        kept = kept & (z <= threshold)
    raise AssertionError("not stable")


@pytest.mark.parametrize("weighted", [False, True])
def test_definition(weighted):
    X = clean_and_artefacts()
    weight = np.random.default_rng(1).uniform(0.0, 2.0, len(X)) if weighted else None
    potato = Potato(threshold=2.0).fit(X, sample_weight=weight)
    used = np.ones(len(X)) if weight is None else weight
    mean, m, s, kept, z = reference_rounds(X, 2.0, 100, used)
    assert potato.n_iter_ > 1
    np.testing.assert_array_equal(potato.support_, kept)
    np.testing.assert_allclose(potato.mean_, mean, rtol=1e-6, atol=1e-8)
    assert potato.log_mean_ == pytest.approx(m, rel=1e-6)
    assert potato.log_std_ == pytest.approx(s, rel=1e-6)
    np.testing.assert_allclose(potato.score_samples(X), -z, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(potato.decision_function(X), 2.0 - z, atol=1e-5)
    np.testing.assert_array_equal(potato.predict(X) == -1, z > 2.0)
    assert not kept[:5].any()


@pytest.mark.parametrize("metric", ["stein", "log_euclidean", "bures_wasserstein"])
def test_artefacts_are_found_under_other_metrics(metric):
    X = clean_and_artefacts()
    labels = Potato(metric).fit_predict(X)
    assert (labels[:5] == -1).all()
    assert (labels[5:] == 1).mean() > 0.95


@pytest.mark.parametrize("metric", ["affine_invariant", "euclidean"])
@pytest.mark.parametrize("unit", [1e-29, 1e25])
def test_units_do_not_matter(metric, unit):
    X = clean_and_artefacts()
    expected = Potato(metric).fit(X).score_samples(X)
    found = Potato(metric).fit(unit * X).score_samples(unit * X)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_samples", [1, 2, 5])
def test_without_spread_everything_farther_is_an_outlier(n_samples):
    X = np.array([np.diag([1.0, 4.0]), np.diag([4.0, 1.0])])
    X = X if n_samples == 2 else np.repeat(X[:1], n_samples, axis=0)
    with pytest.warns(UserWarning, match="all at the same distance"):
        potato = Potato().fit(X)
    assert potato.log_std_ < 1e-6
    assert (potato.predict(X) == 1).all()
    assert potato.predict([np.diag([50.0, 1.0])]).tolist() == [-1]
    assert np.isfinite(potato.score_samples([np.diag([50.0, 1.0]), X[0]])).all()


def test_too_few_rounds_warn():
    X = clean_and_artefacts()
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        potato = Potato(threshold=2.0, max_iter=1).fit(X)
    assert potato.n_iter_ == 1
    assert potato.support_.all()  # the round that the mean comes from


def test_agrees_with_pyriemann():
    module = pyriemann("artifact_detection")
    X = clean_and_artefacts()
    peer = module.Potato(metric="riemann", threshold=2.5).fit(X)
    potato = Potato(threshold=2.5).fit(X)
    np.testing.assert_array_equal(potato.predict(X) == 1, peer.predict(X) == 1)
    np.testing.assert_allclose(-potato.score_samples(X), peer.transform(X), atol=1e-5)
