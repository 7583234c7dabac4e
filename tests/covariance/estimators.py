"""The estimators of geolearn.covariance that the common checks run on.

One entry for each estimator and each variant that takes another path through the
code, in the list of what it eats. Defaults where they work on the small data of
`tests.covariance.common`: matrices are 4 x 4, trials have 3 channels and 120
samples; scikit-learn's own checks see rows lifted by that module, with as few as
1 feature and 1 sample. Labels, where an estimator needs them, are two classes.
"""

from geolearn.covariance import (
    MDM,
    AugmentedCovarianceClassifier,
    AugmentedCovariances,
    Covariances,
    DelayEmbedding,
    FgMDM,
    Potato,
    RiemannianSVC,
    SPDAligner,
    SPDKNeighborsClassifier,
    SPDNormalizer,
    TangentSpace,
)

# X of shape (n_matrices, n, n), symmetric positive definite.
MATRIX_ESTIMATORS = [
    TangentSpace(),
    TangentSpace("log_cholesky", metric_mean="log_euclidean"),
    MDM(),
    MDM("bures_wasserstein"),
    MDM({"mean": "log_euclidean", "distance": "stein"}, proba="raw"),
    FgMDM(),
    FgMDM("log_euclidean"),
    SPDKNeighborsClassifier(n_neighbors=2),
    SPDKNeighborsClassifier(3, metric="log_cholesky", weights="distance"),
    RiemannianSVC(tol=1e-7),  # the default leaves traces of the order of samples
    RiemannianSVC(
        "log_euclidean", kernel="gaussian", class_weight="balanced", tol=1e-7
    ),
    Potato(threshold=1.2),  # so that it finds outliers in a few blobs
    Potato("log_euclidean", threshold=1.5),
    SPDNormalizer(),
    SPDNormalizer("bures_wasserstein", scale=0.1, power=0.5, eps=1e-18),
    SPDNormalizer("log_cholesky", with_mean=False),
    SPDAligner(),
    SPDAligner("log_euclidean", center=False),
]

# X of shape (n_trials, n_channels, n_times).
TRIAL_ESTIMATORS: list = [
    DelayEmbedding(),
    DelayEmbedding(2, "autocorrelation_zero"),
    DelayEmbedding("cao", "mutual_information", max_lag=9),
    DelayEmbedding("mdop", "mdop", max_lag=9),
    Covariances(),
    Covariances("lwf", ridge=0.1),
    AugmentedCovariances(2),
    AugmentedCovariances(3, 2, estimator="oas"),
    AugmentedCovariances(2, toeplitz=True),
    AugmentedCovariances(2, "mutual_information", max_lag=9),
    AugmentedCovarianceClassifier(2, 1, classifier="mdm"),
    AugmentedCovarianceClassifier([1, 2], 1, cv=2, random_state=0),
]

# {class: {check of scikit-learn or test of tests/test_common_3d.py: reason}}.
# Strict: what starts to pass must be taken off. Instead of a class, the
# `name_of` an entry of the lists above.
EXPECTED_FAILED_CHECKS: dict[type | str, dict[str, str]] = {
    "TangentSpace(metric='log_cholesky', metric_mean='log_euclidean')": {
        "check_transformer_n_iter": "closed forms take no iteration",
    },
    "SPDNormalizer(metric='log_cholesky', with_mean=False)": {
        "check_transformer_n_iter": "closed forms take no iteration",
    },
    "SPDAligner(center=False, metric='log_euclidean')": {
        "check_transformer_n_iter": "closed forms take no iteration",
    },
    "RiemannianSVC(class_weight='balanced', kernel='gaussian', "
    "metric='log_euclidean', tol=1e-07)": {
        "check_sample_weight_equivalence_on_dense_data": (
            "class_weight='balanced' counts samples, not their weights"
        ),
    },
    "AugmentedCovarianceClassifier(cv=2, lag=1, order=[1, 2], random_state=0)": {
        "check_sample_weight_equivalence_on_dense_data": (
            "the folds of the search count samples, not their weights"
        ),
        "test_weights": "the folds of the search count samples of weight zero",
        "test_order_and_subsets_of_samples_do_not_matter": (
            "the folds of the search depend on the order"
        ),
    },
    FgMDM: {
        "check_sample_weight_equivalence_on_dense_data": (
            "a class of its data has one sample of positive weight, and two are needed"
        ),
    },
}


def name_of(estimator):
    """Return the repr of an estimator on one line."""
    return " ".join(repr(estimator).split())


def expected_failures(estimator):
    """Return {check: reason} for an entry of the lists."""
    by_class = EXPECTED_FAILED_CHECKS.get(type(estimator), {})
    return {**by_class, **EXPECTED_FAILED_CHECKS.get(name_of(estimator), {})}
