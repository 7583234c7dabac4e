"""The augmented covariance method as one estimator."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from geolearn.covariance import (
    MDM,
    AugmentedCovarianceClassifier,
    AugmentedCovariances,
    TangentSpace,
)
from geolearn.datasets import make_autoregressive_trials
from geolearn.manifolds import BlockToeplitz


@pytest.fixture(scope="module")
def trials():
    return make_autoregressive_trials(n_trials_per_class=30, random_state=0)


def test_it_equals_the_explicit_pipeline(trials):
    X, y = trials
    model = AugmentedCovarianceClassifier(3, 1, classifier=SVC(kernel="linear"))
    pipeline = make_pipeline(
        AugmentedCovariances(3, 1), TangentSpace(), SVC(kernel="linear")
    )
    half = np.arange(len(X)) % 2 == 0
    model.fit(X[half], y[half])
    pipeline.fit(X[half], y[half])
    np.testing.assert_array_equal(model.predict(X), pipeline.predict(X))
    np.testing.assert_allclose(
        model.decision_function(X), pipeline.decision_function(X), rtol=1e-12
    )
    assert (model.order_, model.lag_, model.best_params_) == (3, 1, {})
    assert np.isnan(model.best_score_)
    assert model.cv_results_ == {}


def test_the_search_equals_a_grid_search(trials):
    X, y = trials
    cv = StratifiedKFold(3, shuffle=True, random_state=1)
    grid = {"C": [0.1, 10.0], "kernel": ["linear", "rbf"]}
    model = AugmentedCovarianceClassifier([1, 2], [1, 3], param_grid=grid, cv=cv)
    model.fit(X, y)
    search = GridSearchCV(
        make_pipeline(AugmentedCovariances(), TangentSpace(), SVC()),
        {
            "augmentedcovariances__order": [1, 2],
            "augmentedcovariances__lag": [1, 3],
            "svc__C": [0.1, 10.0],
            "svc__kernel": ["linear", "rbf"],
        },
        cv=cv,
    ).fit(X, y)
    wanted = {
        (
            params["augmentedcovariances__order"],
            params["augmentedcovariances__lag"],
            params["svc__C"],
            params["svc__kernel"],
        ): score
        for params, score in zip(
            search.cv_results_["params"],
            search.cv_results_["mean_test_score"],
            strict=True,
        )
    }
    results = model.cv_results_
    for order, lag, params, score in zip(
        results["order"],
        results["lag"],
        results["params"],
        results["mean_test_score"],
        strict=True,
    ):
        assert score == pytest.approx(
            wanted[order, lag, params["C"], params["kernel"]], abs=1e-12
        )
    assert model.best_score_ == pytest.approx(search.best_score_)
    np.testing.assert_allclose(
        model.score_surface_,
        [
            [
                max(wanted[p, t, c, k] for c in grid["C"] for k in grid["kernel"])
                for t in (1, 3)
            ]
            for p in (1, 2)
        ],
    )
    assert results["rank_test_score"].min() == 1


def test_augmentation_finds_what_plain_covariances_cannot(trials):
    X, y = trials
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    plain = AugmentedCovarianceClassifier(1, 1, random_state=0)
    augmented = AugmentedCovarianceClassifier([1, 2, 4], 1, random_state=0)
    assert cross_val_score(plain, X, y, cv=cv).mean() < 0.7
    assert cross_val_score(augmented, X, y, cv=cv).mean() > 0.9


def test_the_first_of_equal_scores_is_the_cheapest(trials):
    X, y = trials
    model = AugmentedCovarianceClassifier([4, 3, 5], 1, classifier="mdm", cv=2)
    model.fit(X[::2], y[::2])
    scores = model.cv_results_["mean_test_score"]
    best = np.flatnonzero(scores == scores.max())
    assert model.order_ == model.cv_results_["order"][best].min()


def test_mdm_and_probabilities(trials):
    X, y = trials
    model = AugmentedCovarianceClassifier(3, 1, classifier="mdm").fit(X, y)
    pipeline = make_pipeline(AugmentedCovariances(3, 1), MDM()).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), pipeline.predict_proba(X))
    assert not hasattr(AugmentedCovarianceClassifier(), "predict_proba")
    assert hasattr(AugmentedCovarianceClassifier(), "decision_function")


def test_block_toeplitz(trials):
    X, y = trials
    model = AugmentedCovarianceClassifier(
        3, 1, classifier="mdm", metric="block_toeplitz"
    ).fit(X, y)
    pipeline = make_pipeline(
        AugmentedCovariances(3, 1, toeplitz=True), MDM(BlockToeplitz(3, X.shape[1]))
    ).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), pipeline.predict(X))


@pytest.mark.parametrize(
    ("order", "lag"), [("cao", "mutual_information"), ("mdop", "mdop")]
)
def test_rules_choose_as_the_covariances_do(trials, order, lag):
    X, y = trials
    X, y = X[::6], y[::6]
    model = AugmentedCovarianceClassifier(
        order, lag, estimator="oas", classifier=LogisticRegression()
    ).fit(X, y)
    covariances = AugmentedCovariances(order, lag, estimator="oas").fit(X)
    assert (model.order_, model.lag_) == (covariances.order_, covariances.lag_)


def test_a_rule_for_the_lag_and_a_grid_of_orders(trials):
    X, y = trials
    model = AugmentedCovarianceClassifier(
        [1, 2], "mutual_information", random_state=0
    ).fit(X, y)
    assert len(model.lags_) == 1
    assert list(model.orders_) == [1, 2]


def test_an_order_rule_with_a_grid_of_lags_is_refused(trials):
    with pytest.raises(ValueError, match=r"order='cao'.*lag=\[1, 2\]"):
        AugmentedCovarianceClassifier("cao", [1, 2]).fit(*trials)


@pytest.mark.parametrize("bad", [0, [0, 1], [1.5], [], [[1, 2]], "no rule"])
def test_bad_orders(trials, bad):
    with pytest.raises(ValueError, match="order"):
        AugmentedCovarianceClassifier(bad, 1).fit(*trials)


def test_grids_leave_out_what_is_too_long(trials):
    X, y = trials
    model = AugmentedCovarianceClassifier([1, 2, 9], [1, 7], random_state=0)
    model.fit(X[..., :40], y)  # order 9: 36 rows, more than half of 40
    assert 9 not in model.orders_
    with pytest.raises(ValueError, match="order"):
        AugmentedCovarianceClassifier([9, 10], [7, 8]).fit(X[..., :40], y)


def test_singular_covariances_are_named(trials):
    X, y = trials
    X = X.copy()
    X[7, 3] = X[7, 2]
    with pytest.raises(ValueError, match=r"7.*not positive definite.*oas"):
        AugmentedCovarianceClassifier(2, 1).fit(X, y)
    # By its place among the trials, not among the training trials of a fold.
    with pytest.raises(ValueError, match="matrix 7 is not positive definite"):
        AugmentedCovarianceClassifier([1, 2], 1, random_state=0).fit(X, y)
    AugmentedCovarianceClassifier(2, 1, estimator="oas").fit(X, y)


def test_a_grid_without_candidates_is_refused(trials):
    # Not "zero-size array to reduction operation maximum which has no identity".
    with pytest.raises(ValueError, match=r"param_grid=\[\] holds no candidate"):
        AugmentedCovarianceClassifier(2, 1, param_grid=[]).fit(*trials)


def test_hyphens_are_underscores_in_block_toeplitz(trials):
    model = AugmentedCovarianceClassifier(
        2, 1, metric="block-toeplitz", classifier="mdm"
    ).fit(*trials)
    assert isinstance(model.pipeline_[-1].manifold_, BlockToeplitz)


def test_one_class_and_bad_labels(trials):
    X, y = trials
    with pytest.raises(ValueError, match="one class"):
        AugmentedCovarianceClassifier(1, 1).fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="continuous"):
        AugmentedCovarianceClassifier(1, 1).fit(X, np.linspace(0.1, 1, len(X)))
    with pytest.raises(ValueError, match="inconsistent"):
        AugmentedCovarianceClassifier(1, 1).fit(X, y[:-1])


def test_channels_are_compared_and_lengths_are_not(trials):
    X, y = trials
    model = AugmentedCovarianceClassifier(2, 1).fit(X, y)
    with pytest.raises(ValueError, match=r"4 features|4 channels"):
        model.predict(X[:, :3])
    assert model.predict(X[..., :-10]).shape == y.shape


def test_groups_reach_the_splitter(trials):
    X, y = trials
    sessions = np.arange(len(X)) % 3
    model = AugmentedCovarianceClassifier([1, 2], 1, cv=LeaveOneGroupOut())
    model.fit(X, y, groups=sessions)
    assert "split2_test_score" in model.cv_results_


def test_weights_are_repetitions(trials):
    X, y = trials
    X, y = X[::3], y[::3]
    weight = np.where(np.arange(len(X)) % 2, 2.0, 1.0)
    weighted = AugmentedCovarianceClassifier(2, 1, classifier="mdm")
    repeated = clone(weighted).fit(
        np.repeat(X, weight.astype(int), axis=0), np.repeat(y, weight.astype(int))
    )
    weighted.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(
        weighted.decision_function(X), repeated.decision_function(X), rtol=1e-6
    )
    with pytest.raises(ValueError, match="sample_weight"):
        weighted.fit(X, y, sample_weight=-weight)


def test_seed_threads_pickle_and_global_pandas(trials):
    X, y = trials
    model = AugmentedCovarianceClassifier([1, 2, 3], 1, random_state=3)
    scores = clone(model).fit(X, y).cv_results_["mean_test_score"]
    again = clone(model).set_params(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(again.cv_results_["mean_test_score"], scores)
    with sklearn.config_context(
        transform_output="pandas", enable_metadata_routing=True
    ):
        framed = clone(model).fit(X, y, sample_weight=np.ones(len(X)))
    np.testing.assert_array_equal(framed.cv_results_["mean_test_score"], scores)
    copy = pickle.loads(pickle.dumps(again))
    np.testing.assert_array_equal(copy.predict(X), again.predict(X))


def test_progress_and_scoring(trials, caplog):
    X, y = trials
    model = AugmentedCovarianceClassifier(
        [1, 2], 1, scoring="roc_auc", random_state=0, verbose=1
    )
    with caplog.at_level("INFO", logger="geolearn"):
        model.fit(X, y)
    assert caplog.text.count("best score") == 2
