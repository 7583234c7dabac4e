"""scikit-learn's common checks over the estimators of hyperbolic points."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.estimators import HYPERBOLIC_ESTIMATORS, expected_failed_checks
from tests.hyperbolic import disguise


@parametrize_with_checks(
    [disguise(estimator) for estimator in HYPERBOLIC_ESTIMATORS],
    expected_failed_checks=expected_failed_checks,
)
def test_estimator_of_lifted_rows(estimator, check):
    check(estimator)
