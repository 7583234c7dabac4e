"""scikit-learn's common checks over every estimator of 2-D data."""

import importlib
import inspect
import pkgutil

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

import geolearn
from tests.covariance.estimators import MATRIX_ESTIMATORS, TRIAL_ESTIMATORS
from tests.estimators import (
    ESTIMATORS,
    EXPECTED_FAILED_CHECKS,
    HYPERBOLIC_ESTIMATORS,
    PRODUCT_ESTIMATORS,
    expected_failed_checks,
)


# xfail_strict = true in pyproject.toml makes the list strict. The checks fit tiny
# and separated clouds, of which the estimators rightly warn.
@pytest.mark.filterwarnings("ignore:The neighbour graph has:UserWarning")
@pytest.mark.filterwarnings("ignore:The graph has cycles:UserWarning")
@pytest.mark.filterwarnings("ignore:The subspace fills the manifold:UserWarning")
@pytest.mark.filterwarnings("ignore:.*their result is NaN:UserWarning")
@pytest.mark.filterwarnings("ignore:n_neighbors=5 is not less than:UserWarning")
@pytest.mark.filterwarnings("ignore:bandwidth=:UserWarning")
@pytest.mark.filterwarnings("ignore:The samples have an effective number:UserWarning")
@pytest.mark.filterwarnings("ignore:.*not connected with the base point:UserWarning")
@pytest.mark.filterwarnings("ignore:The energy of .* curves changes:UserWarning")
@pytest.mark.filterwarnings("ignore:.* samples get no coordinates:UserWarning")
@pytest.mark.filterwarnings("ignore:The coordinates of .* samples:UserWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failed_checks)
def test_estimator(estimator, check):
    check(estimator)


def test_every_estimator_is_checked():
    modules = [
        importlib.import_module(f"geolearn.{m.name}")
        for m in pkgutil.iter_modules(geolearn.__path__)
        if m.ispkg
    ]
    public = {
        value
        for module in modules
        for value in (getattr(module, name) for name in module.__all__)
        if inspect.isclass(value) and issubclass(value, BaseEstimator)
        if value.__module__.startswith("geolearn")
    }
    # Those of 3-D data are checked in tests/test_common_3d.py, those of points on
    # a manifold in tests/test_common_hyperbolic.py and tests/test_common_product.py.
    checked = [*ESTIMATORS, *HYPERBOLIC_ESTIMATORS, *PRODUCT_ESTIMATORS]
    checked += [*MATRIX_ESTIMATORS, *TRIAL_ESTIMATORS]
    assert public == {type(estimator) for estimator in checked}


def test_the_list_of_failures_names_checked_estimators():
    checked = [*ESTIMATORS, *HYPERBOLIC_ESTIMATORS, *PRODUCT_ESTIMATORS]
    assert set(EXPECTED_FAILED_CHECKS) <= {type(e) for e in checked}
