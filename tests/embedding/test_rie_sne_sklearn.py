"""RieSNE as an estimator: checks of scikit-learn, output, copies, pipelines."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from geolearn.covariance import Covariances
from geolearn.embedding import RieSNE
from geolearn.manifolds import SPD, Sphere
from tests.covariance.common import disguise, make_matrices, make_trials

QUICK = {"perplexity": 2.0, "max_iter": 20, "early_exaggeration_iter": 10}


class OfDistances(RieSNE):
    """RieSNE with the attribute by which the checks know distances from kernels."""

    metric = "precomputed"


@parametrize_with_checks(
    [
        OfDistances("precomputed", target="sphere", random_state=0, **QUICK),
        disguise(RieSNE("spd", random_state=0, **QUICK), "matrices"),
    ]
)
def test_estimator_of_distances_and_of_matrices(estimator, check):
    check(estimator)


def points(n=30, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4))


@pytest.mark.parametrize(
    ("target", "n_columns"), [("euclidean", 2), ("sphere", 3), ("hyperboloid", 3)]
)
def test_columns_have_names(target, n_columns):
    pandas = pytest.importorskip("pandas")
    names = [f"riesne{i}" for i in range(n_columns)]
    frame = pandas.DataFrame(points(), columns=list("abcd"))
    sne = RieSNE(target=target, random_state=0, **QUICK).set_output(transform="pandas")
    out = sne.fit_transform(frame)
    assert list(out.columns) == names == list(sne.get_feature_names_out())
    assert list(sne.transform(frame[:3]).columns) == names
    assert list(sne.feature_names_in_) == list("abcd")


def test_global_pandas_output_does_not_reach_inside():
    pytest.importorskip("pandas")
    X = points()
    expected = RieSNE(random_state=0, **QUICK).fit_transform(X)
    with sklearn.config_context(transform_output="pandas"):
        out = RieSNE(random_state=0, **QUICK).fit_transform(X)
    np.testing.assert_array_equal(out.to_numpy(), expected)


def test_copies_answer_alike_and_hold_no_compiled_code():
    X, manifold = Sphere(3).random_point(30, random_state=0), Sphere(3)
    sne = RieSNE(manifold, target="sphere", random_state=0, **QUICK).fit(X)
    copy = pickle.loads(pickle.dumps(sne))
    new = manifold.random_point(5, random_state=1)
    np.testing.assert_array_equal(copy.transform(new), sne.transform(new))
    assert clone(sne).manifold is manifold
    assert "numba" not in {type(v).__module__.split(".")[0] for v in vars(sne).values()}


def test_parameters_stay_as_they_were_given():
    sne = RieSNE(kernel_scale="auto", learning_rate="auto", **QUICK)
    before = sne.get_params()
    assert sne.fit(points()).get_params() == before


def test_refit_leaves_nothing_over():
    X = points()
    twice = RieSNE(random_state=0, **QUICK).fit(X[:20]).fit(X)
    once = RieSNE(random_state=0, **QUICK).fit(X)
    assert vars(twice).keys() == vars(once).keys()
    np.testing.assert_array_equal(twice.embedding_, once.embedding_)


def test_pipeline_from_trials_to_plane():
    X, _ = make_trials(24)
    line = make_pipeline(Covariances(), RieSNE("spd", random_state=0, **QUICK))
    assert line.fit_transform(X).shape == (24, 2)
    assert line.transform(X[:3]).shape == (3, 2)


def test_grid_search_over_manifolds():
    X, y = make_matrices(30, 3)
    line = make_pipeline(RieSNE(random_state=0, **QUICK), KNeighborsClassifier(3))
    manifolds = [SPD(3), SPD(3, "log_euclidean")]
    search = GridSearchCV(line, {"riesne__manifold": manifolds}, cv=2).fit(X, y)
    assert search.best_params_["riesne__manifold"] in manifolds


def test_metadata_routing_brings_the_density():
    manifold = Sphere(2)
    X = manifold.random_point(20, random_state=0)
    D, L = manifold.pairwise_distances(X, return_log_volume=True)
    with sklearn.config_context(enable_metadata_routing=True):
        sne = RieSNE("precomputed", random_state=0, **QUICK)
        sne.set_fit_request(log_volume_density=True)
        sne.set_transform_request(log_volume_density=True)
        line = make_pipeline(sne, PCA(2)).fit(D, log_volume_density=L)
    assert line[0].volume_correction_ == "parametrix"


def test_matrices_in_rows_are_matrices():
    X, _ = make_matrices(20, 3)
    stack = RieSNE(SPD(3), random_state=0, **QUICK).fit_transform(X)
    rows = RieSNE(SPD(3), random_state=0, **QUICK).fit_transform(X.reshape(20, 9))
    np.testing.assert_array_equal(stack, rows)


def test_tags():
    tags = sklearn.utils.get_tags
    assert tags(RieSNE("spd")).input_tags.three_d_array
    assert not tags(RieSNE(SPD(3))).input_tags.two_d_array
    assert tags(RieSNE()).input_tags.two_d_array
    assert tags(RieSNE("precomputed")).input_tags.pairwise
    assert not tags(RieSNE()).input_tags.pairwise


def test_questions_before_fit_are_refused():
    for call in (
        lambda: RieSNE().transform(points()),
        lambda: RieSNE("precomputed").transform(np.zeros((2, 4))),
        lambda: RieSNE().embedding_coordinates(),
    ):
        with pytest.raises(NotFittedError):
            call()
