"""scikit-learn's common checks over the estimators of product spaces."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.estimators import PRODUCT_ESTIMATORS, expected_failed_checks
from tests.product_space import disguise


@parametrize_with_checks(
    [disguise(estimator) for estimator in PRODUCT_ESTIMATORS],
    expected_failed_checks=expected_failed_checks,
)
def test_estimator_of_lifted_rows(estimator, check):
    check(estimator)
