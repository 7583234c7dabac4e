"""Domains through pipelines and cross-validation by metadata routing."""

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_validate
from sklearn.pipeline import make_pipeline

from geolearn.covariance import MDM, SPDAligner, SPDNormalizer, TangentSpace
from tests.covariance.test_aligner import make_sessions

X, Y, SESSION = make_sessions(4, 30)
WITH_DOMAINS = [
    SPDAligner(),
    SPDNormalizer(whitening="symmetric"),
]


@pytest.fixture(autouse=True)
def _routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def routed(transformer):
    transformer = sklearn.clone(transformer)
    transformer.set_fit_request(sample_domain=True)
    return transformer.set_transform_request(sample_domain=True)


def make_model(transformer=WITH_DOMAINS[0]):
    return make_pipeline(
        routed(transformer),
        TangentSpace(reference="identity"),
        LogisticRegression(),
    )


@pytest.mark.parametrize("transformer", WITH_DOMAINS, ids=lambda t: type(t).__name__)
def test_pipeline_is_the_steps_by_hand(transformer):
    model = make_model(transformer).fit(X, Y, sample_domain=SESSION)
    Z = sklearn.clone(transformer).fit_transform(X, Y, sample_domain=SESSION)
    vectors = TangentSpace(reference="identity").fit_transform(Z)
    expected = LogisticRegression().fit(vectors, Y)
    np.testing.assert_array_equal(
        model.predict(X, sample_domain=SESSION), expected.predict(vectors)
    )
    np.testing.assert_array_equal(
        model[:-1].transform(X, sample_domain=SESSION), vectors
    )


def test_leave_one_session_out_centres_the_new_session():
    params = {"groups": SESSION, "sample_domain": SESSION}
    with_domains = cross_validate(
        make_model(), X, Y, cv=LeaveOneGroupOut(), params=params, error_score="raise"
    )["test_score"]
    # by hand, without routing
    for k, d in enumerate(np.unique(SESSION)):
        test = d == SESSION
        aligner = SPDAligner().fit(X[~test], sample_domain=SESSION[~test])
        train_vectors, test_vectors = (
            TangentSpace(reference="identity").fit_transform(
                aligner.transform(X[rows], sample_domain=SESSION[rows])
            )
            for rows in (~test, test)
        )
        model = LogisticRegression().fit(train_vectors, Y[~test])
        assert with_domains[k] == model.score(test_vectors, Y[test])
    plain = cross_validate(
        make_pipeline(TangentSpace(), LogisticRegression()),
        *(X, Y),
        cv=LeaveOneGroupOut(),
        params={"groups": SESSION},
    )["test_score"]
    assert with_domains.mean() > plain.mean() + 0.1


def test_grid_search_routes_domains():
    search = GridSearchCV(
        make_pipeline(routed(SPDAligner()), MDM()),
        {
            "spdaligner__metric": ["affine_invariant", "log_euclidean"],
            "spdaligner__scale": [False, True],
        },
        cv=LeaveOneGroupOut(),
        error_score="raise",
    )
    search.fit(X, Y, groups=SESSION, sample_domain=SESSION)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    # `predict` of the search takes no metadata
    best = search.best_estimator_.predict(X, sample_domain=SESSION)
    assert np.mean(best == Y) == search.score(X, Y, sample_domain=SESSION)
    assert search.score(X, Y, sample_domain=SESSION) > 0.7


def test_weights_and_domains_travel_together():
    weight = np.random.default_rng(0).random(len(X))
    aligner = routed(SPDAligner()).set_fit_request(
        sample_domain=True, sample_weight=True
    )
    model = make_pipeline(aligner, MDM().set_fit_request(sample_weight=True))
    model.fit(X, Y, sample_domain=SESSION, sample_weight=weight)
    expected = SPDAligner().fit(X, sample_domain=SESSION, sample_weight=weight)
    for d in expected.domains_:
        np.testing.assert_array_equal(model[0].means_[d], expected.means_[d])


def test_unrequested_domains_are_refused_by_the_pipeline():
    model = make_pipeline(SPDAligner(), MDM())
    with pytest.raises(
        sklearn.exceptions.UnsetMetadataPassedError, match="sample_domai"
    ):
        model.fit(X, Y, sample_domain=SESSION)


def test_global_pandas_output_does_not_matter():
    model = make_model()
    with sklearn.config_context(transform_output="pandas"):
        predicted = model.fit(X, Y, sample_domain=SESSION).predict(
            X, sample_domain=SESSION
        )
        Z = model[0].transform(X, sample_domain=SESSION)
    assert isinstance(Z, np.ndarray)
    np.testing.assert_array_equal(
        predicted,
        make_model().fit(X, Y, sample_domain=SESSION).predict(X, sample_domain=SESSION),
    )
