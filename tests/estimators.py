"""The estimators that the common checks run on, and the checks they may fail.

One entry for each estimator and each variant that takes another path through
the code. Parameters are small, because some checks fit one feature or a handful
of samples.
"""

from geolearn.embedding import HeatGeodesicEmbedding, MetricMDS

ESTIMATORS = [
    HeatGeodesicEmbedding(n_neighbors=3, random_state=0),
    HeatGeodesicEmbedding(n_neighbors=3, n_landmarks=5, random_state=0),
    HeatGeodesicEmbedding(metric="precomputed", n_neighbors=3, random_state=0),
    MetricMDS(random_state=0),
]

# {class: {check: reason}}. Strict: a check that starts to pass fails the test
# and must be taken off this list.
EXPECTED_FAILED_CHECKS: dict[type, dict[str, str]] = {}


def expected_failed_checks(estimator):
    """Return {check: reason} for an estimator, as scikit-learn wants it."""
    return EXPECTED_FAILED_CHECKS.get(type(estimator), {})
