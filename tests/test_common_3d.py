"""The checks that every estimator of trials and of matrices must pass.

scikit-learn's own suite runs one check on estimators of 3-D data. Here are the
checks of it that need no data, the whole suite in the disguise of
`tests.covariance.common`, and our own versions for 3-D data.
"""

import importlib
import inspect
import pickle
import warnings

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, clone, is_classifier, is_outlier_detector
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import has_fit_parameter

from geolearn.covariance import MDM, SPDKNeighborsClassifier
from tests.covariance.common import disguise, kind_of, make_data
from tests.covariance.estimators import (
    EXPECTED_FAILED_CHECKS,
    MATRIX_ESTIMATORS,
    TRIAL_ESTIMATORS,
    expected_failures,
    name_of,
)

ESTIMATORS = [*MATRIX_ESTIMATORS, *TRIAL_ESTIMATORS]
DATA_FREE_CHECKS = [
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_mixin_order",
    "check_do_not_raise_errors_in_init_or_set_param",
]
# Other classifiers refuse a single class.
MAY_FIT_ONE_CLASS = (MDM, SPDKNeighborsClassifier)
# Methods that answer for each sample, in the order in which they are compared.
ANSWERS = (
    "transform",
    "predict",
    "predict_proba",
    "decision_function",
    "score_samples",
)
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)


@pytest.fixture(autouse=True)
def mark_expected_failures(request):
    """Mark our own tests that are on the list of an estimator."""
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    listed = expected_failures(parameters.get("estimator"))
    reason = listed.get(request.node.originalname)
    if reason:
        request.node.add_marker(pytest.mark.xfail(reason=reason))


def fitted(estimator, X, y, **options):
    return clone(estimator).fit(X, y, **options)


def answers(estimator, X):
    """Return {method: result} of a fitted estimator."""
    return {m: np.asarray(getattr(estimator, m)(X)) for m in answering(estimator)}


def answering(estimator):
    return [m for m in ANSWERS if hasattr(estimator, m)]


def assert_same(first, second, *, rtol=1e-7, atol=1e-9):
    assert first.keys() == second.keys()
    for method, value in first.items():
        if value.dtype.kind in "fc":
            np.testing.assert_allclose(
                value, second[method], rtol=rtol, atol=atol, err_msg=method
            )
        else:
            np.testing.assert_array_equal(value, second[method], err_msg=method)


# scikit-learn's checks.


def failures_of_disguised(estimator):
    """Return {check: reason} for a disguised estimator."""
    original = type(estimator).__mro__[1](**estimator.get_params(deep=False))
    return expected_failures(original)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:y holds only the class:UserWarning")
@pytest.mark.filterwarnings("ignore:The .* clean matrices are all:UserWarning")
@parametrize_with_checks(
    [disguise(e) for e in ESTIMATORS], expected_failed_checks=failures_of_disguised
)
def test_disguised_estimator(estimator, check):
    check(estimator)


@every_estimator
@pytest.mark.parametrize("check", DATA_FREE_CHECKS)
def test_data_free_check(estimator, check):
    if not hasattr(estimator_checks, check):
        pytest.skip("not in this version of scikit-learn")
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


def test_every_3d_estimator_is_checked():
    module = importlib.import_module("geolearn.covariance")
    public = {
        value
        for value in (getattr(module, name) for name in module.__all__)
        if inspect.isclass(value) and issubclass(value, BaseEstimator)
    }
    assert public == {type(e) for e in ESTIMATORS}


def test_the_list_of_failures_names_checked_estimators():
    known = {type(e) for e in ESTIMATORS} | {name_of(e) for e in ESTIMATORS}
    assert set(EXPECTED_FAILED_CHECKS) <= known


# Our own checks.


@every_estimator
def test_tags_declare_three_axes(estimator):
    tags = sklearn.utils.get_tags(estimator)
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.two_d_array
    assert not tags.input_tags.pairwise


@every_estimator
def test_clone_and_pickle_answer_alike(estimator):
    X, y = make_data(estimator)
    first = fitted(estimator, X, y)
    expected = answers(first, X)
    assert_same(expected, answers(fitted(first, X, y), X), rtol=0, atol=0)
    copy = pickle.loads(pickle.dumps(first))
    assert_same(expected, answers(copy, X), rtol=0, atol=0)
    assert "numba" not in {
        type(v).__module__.split(".")[0] for v in vars(copy).values()
    }


@every_estimator
def test_fit_transform_and_fit_predict_equal_two_calls(estimator):
    X, y = make_data(estimator)
    for joint, single in (("fit_transform", "transform"), ("fit_predict", "predict")):
        if hasattr(estimator, joint):
            once = np.asarray(getattr(clone(estimator), joint)(X, y))
            twice = np.asarray(getattr(fitted(estimator, X, y), single)(X))
            np.testing.assert_allclose(once, twice, rtol=1e-12, atol=1e-12)


@every_estimator
def test_unfitted_estimators_say_so(estimator):
    if not sklearn.utils.get_tags(estimator).requires_fit:
        pytest.skip("stateless")
    X, _ = make_data(estimator)
    for method in answering(estimator):
        with pytest.raises(NotFittedError):
            getattr(clone(estimator), method)(X)


@every_estimator
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_by_index(estimator, value):
    X, y = make_data(estimator)
    bad = X.copy()
    bad[5, 1, 1] = value
    bad[8, 0, 0] = value
    with pytest.raises(ValueError, match=r"NaN or infinity.*X\[5\]"):
        clone(estimator).fit(bad, y)
    model = fitted(estimator, X, y)
    for method in answering(estimator):
        with pytest.raises(ValueError, match=r"NaN or infinity.*X\[5\]"):
            getattr(model, method)(bad)


@every_estimator
def test_wrong_shapes_are_refused(estimator):
    X, y = make_data(estimator)
    model = fitted(estimator, X, y)
    for wrong in (X[0], X[0, 0], X[None], X[:0]):
        with pytest.raises(ValueError, match=r"[Xx]|array|sample"):
            clone(estimator).fit(wrong, y)
    for method in answering(estimator):
        with pytest.raises(ValueError, match=r"X\[np.newaxis\]|2D array|three axes"):
            getattr(model, method)(X[0])
        smaller = X[:, 1:, 1:] if kind_of(estimator) == "matrices" else X[:, 1:]
        n = X.shape[1]
        with pytest.raises(ValueError, match=rf"{n - 1} features.*{n} features"):
            getattr(model, method)(smaller)
    if sklearn.utils.get_tags(estimator).target_tags.required:
        with pytest.raises(ValueError, match=r"inconsistent|samples"):
            clone(estimator).fit(X, y[:-1])


@every_estimator
def test_indefinite_and_asymmetric_matrices_are_refused(estimator):
    if kind_of(estimator) != "matrices":
        pytest.skip("takes trials")
    X, y = make_data(estimator)
    bad = X.copy()
    bad[7, 0, 1] += 1e-3
    with pytest.raises(ValueError, match=r"X\[7\] is not symmetric"):
        clone(estimator).fit(bad, y)
    bad = X.copy()
    bad[7] -= 100.0 * np.eye(X.shape[1])
    with pytest.raises(ValueError, match=r"matrix 7 is not positive (semi)?definite"):
        clone(estimator).fit(bad, y)
    model = fitted(estimator, X, y)
    for method in answering(estimator):
        with pytest.raises(
            ValueError, match=r"matrix 7 is not positive (semi)?definite"
        ):
            getattr(model, method)(bad)


@every_estimator
def test_input_is_not_modified_and_may_be_read_only(estimator, tmp_path):
    X, y = make_data(estimator)
    expected = answers(fitted(estimator, X, y), X)
    before = X.copy()
    X.setflags(write=False)
    assert_same(expected, answers(fitted(estimator, X, y), X), rtol=0, atol=0)
    np.testing.assert_array_equal(X, before)
    joblib.dump(before, tmp_path / "X.joblib")
    mapped = joblib.load(tmp_path / "X.joblib", mmap_mode="r")
    assert_same(expected, answers(fitted(estimator, mapped, y), mapped), rtol=0, atol=0)
    np.testing.assert_array_equal(mapped, before)


@every_estimator
def test_layout_and_lists_do_not_matter(estimator):
    X, y = make_data(estimator)
    expected = answers(fitted(estimator, X, y), X)
    F = np.asfortranarray(X)
    assert_same(expected, answers(fitted(estimator, F, y), F), rtol=0, atol=0)
    strided = np.repeat(X, 2, axis=0)[::2]
    assert_same(expected, answers(fitted(estimator, strided, y), strided), rtol=0)
    lists = X.tolist()
    found = answers(fitted(estimator, lists, y.tolist()), lists)
    assert_same(expected, found, rtol=0, atol=0)


@every_estimator
def test_float32_is_computed_in_float64(estimator):
    X, y = make_data(estimator)
    single = X.astype(np.float32)
    if kind_of(estimator) == "matrices":
        single = 0.5 * (single + np.swapaxes(single, 1, 2))
    double = single.astype(np.float64)
    expected = answers(fitted(estimator, double, y), double)
    found = answers(fitted(estimator, single, y), single)
    assert_same(expected, found, rtol=1e-6, atol=1e-6)


@every_estimator
def test_integers_are_taken(estimator):
    X, y = make_data(estimator)
    whole = np.round(1000.0 * X).astype(np.int64)
    expected = answers(fitted(estimator, whole.astype(float), y), whole.astype(float))
    assert_same(expected, answers(fitted(estimator, whole, y), whole), rtol=0, atol=0)


@every_estimator
def test_order_and_subsets_of_samples_do_not_matter(estimator):
    X, y = make_data(estimator)
    model = fitted(estimator, X, y)
    expected = answers(model, X)
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = {m: v[order] for m, v in expected.items()}
    assert_same(shuffled, answers(model, X[order]), atol=1e-12)
    # Solvers that stop at a tolerance leave a trace of the order.
    refitted = fitted(estimator, X[order], y[order])
    assert_same(shuffled, answers(refitted, X[order]), rtol=1e-6, atol=1e-6)
    few = {m: v[3:5] for m, v in expected.items()}
    assert_same(few, answers(model, X[3:5]), atol=1e-12)
    one = {m: v[3:4] for m, v in expected.items()}
    assert_same(one, answers(model, X[3:4]), atol=1e-12)


@every_estimator
def test_result_does_not_depend_on_threads(estimator):
    if "n_jobs" not in estimator.get_params():
        pytest.skip("has no n_jobs")
    X, y = make_data(estimator)
    found = [
        answers(fitted(clone(estimator).set_params(n_jobs=n), X, y), X) for n in (1, 2)
    ]
    assert_same(*found, rtol=0, atol=0)


@every_estimator
def test_one_sample(estimator):
    X, y = make_data(estimator)
    try:
        model = fitted(estimator, X[:1], y[:1])
    except ValueError as error:
        assert any(  # noqa: PT017
            word in str(error)
            for word in ("1 sample", "n_samples=1", "1 class", "at least 2")
        )
    except UserWarning:  # the tests turn warnings into errors
        pass
    else:
        for value in answers(model, X).values():
            assert value.dtype.kind not in "fc" or np.isfinite(value).all()


@every_estimator
def test_one_class(estimator):
    X, _ = make_data(estimator)
    y = np.zeros(len(X), dtype=int)
    if not is_classifier(estimator):
        pytest.skip("is no classifier")
    if type(estimator) in MAY_FIT_ONE_CLASS:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = fitted(estimator, X, y)
        assert (model.predict(X) == 0).all()
        found = ["only the class 0" in str(w.message) for w in caught]
        assert found == ([True] if type(estimator) is MDM else [])
    else:
        with pytest.raises(ValueError, match=r"[1o]n?e? class"):
            fitted(estimator, X, y)


@every_estimator
def test_labels_may_be_strings(estimator):
    if not is_classifier(estimator):
        pytest.skip("is no classifier")
    X, y = make_data(estimator)
    names = np.array(["left", "right"])
    model = fitted(estimator, X, names[y])
    assert set(model.predict(X)) <= set(names)
    expected = names[fitted(estimator, X, y).predict(X)]
    np.testing.assert_array_equal(model.predict(X), expected)


@every_estimator
def test_weights(estimator):
    if not has_fit_parameter(estimator, "sample_weight"):
        pytest.skip("takes no weights")
    X, y = make_data(estimator)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
    weight[::7] = 0.0
    kept = weight > 0.0
    model = fitted(estimator, X, y, sample_weight=weight.tolist())
    without = fitted(estimator, X[kept], y[kept], sample_weight=weight[kept])
    assert_same(answers(model, X), answers(without, X), rtol=1e-6, atol=1e-6)
    unweighted = fitted(estimator, X, y)
    ones = fitted(estimator, X, y, sample_weight=np.ones(len(X)))
    assert_same(answers(unweighted, X), answers(ones, X))
    wrong = weight.copy()
    wrong[4] = -1.0
    for bad, words in (
        (wrong, r"sample_weight\[4\]"),
        (0.0 * weight, "zero"),
        (weight[1:], "shape"),
        (np.where(weight == weight[2], np.nan, weight), "sample_weight"),
    ):
        with pytest.raises(ValueError, match=words):
            clone(estimator).fit(X, y, sample_weight=bad)


@every_estimator
def test_in_a_pipeline_and_cross_validation(estimator):
    X, y = make_data(estimator)
    steps = [FunctionTransformer(), clone(estimator)]
    if not is_classifier(estimator) and not is_outlier_detector(estimator):
        steps.append(DummyClassifier())
    pipeline = make_pipeline(*steps)
    if is_outlier_detector(estimator):
        assert set(pipeline.fit(X).predict(X)) <= {-1, 1}
        return
    scores = cross_val_score(pipeline, X, y, cv=3, error_score="raise")
    assert scores.shape == (3,)
    if is_classifier(estimator):
        assert scores.mean() > 0.6


@pytest.mark.filterwarnings("ignore:kernel='gaussian' with metric:UserWarning")
@every_estimator
def test_grid_search_over_metrics(estimator):
    if "metric" not in estimator.get_params() or not is_classifier(estimator):
        pytest.skip("has no metric to choose")
    X, y = make_data(estimator)
    grid = {"metric": ["riemann", "log-euclidean", "log_cholesky"]}
    search = GridSearchCV(clone(estimator), grid, cv=2, error_score="raise")
    search.fit(X, y)
    assert search.best_score_ > 0.6


@every_estimator
@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_global_output_containers(estimator, container):
    pytest.importorskip(container)
    X, y = make_data(estimator)
    expected = answers(fitted(estimator, X, y), X)
    with sklearn.config_context(transform_output=container):
        model = fitted(estimator, X, y)
        assert_same(expected, answers(model, X), rtol=0, atol=0)
        if "transform" not in expected:
            return
        result = model.transform(X)
        if expected["transform"].ndim == 3:
            assert isinstance(result, np.ndarray)
        else:
            names = list(model.get_feature_names_out())
            assert list(result.columns) == names
            assert len(set(names)) == expected["transform"].shape[1]
            assert list(clone(estimator).fit_transform(X, y).columns) == names


@every_estimator
def test_weights_are_routed(estimator):
    if not has_fit_parameter(estimator, "sample_weight"):
        pytest.skip("takes no weights")
    X, y = make_data(estimator)
    weight = np.random.default_rng(0).uniform(0.1, 3.0, len(X))
    expected = answers(fitted(estimator, X, y, sample_weight=weight), X)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(estimator).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(FunctionTransformer(), routed)
        pipeline.fit(X, y, sample_weight=weight)
    found = answers(pipeline[-1], X)
    assert_same(expected, found, rtol=0, atol=0)


@every_estimator
def test_units_of_volts(estimator):
    X, y = make_data(estimator)
    scale = 1e-29 if kind_of(estimator) == "matrices" else 1e-15
    model = fitted(estimator, scale * X, y)
    for value in answers(model, scale * X).values():
        assert value.dtype.kind not in "fc" or np.isfinite(value).all()
    if is_classifier(estimator):
        same = model.predict(scale * X) == fitted(estimator, X, y).predict(X)
        assert same.all()


@every_estimator
def test_duplicates(estimator):
    X, y = make_data(estimator)
    model = fitted(estimator, np.concatenate([X, X]), np.concatenate([y, y]))
    result = answers(model, np.concatenate([X, X]))
    assert_same(
        {m: v[: len(X)] for m, v in result.items()},
        {m: v[len(X) :] for m, v in result.items()},
        rtol=1e-12,
        atol=1e-12,
    )


@every_estimator
def test_parameters_are_validated(estimator):
    X, y = make_data(estimator)
    for name in estimator.get_params(deep=False):
        wrong = clone(estimator).set_params(**{name: object()})
        with pytest.raises((ValueError, TypeError), match=name):
            wrong.fit(X, y)
