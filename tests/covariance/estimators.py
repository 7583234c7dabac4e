"""The estimators of geolearn.covariance that the common checks run on.

One entry for each estimator and each variant that takes another path through the
code, in the list of what it eats. Defaults where they work on the small data of
`tests.covariance.common`: matrices are 4 x 4, trials have 3 channels and 120
samples; scikit-learn's own checks see rows lifted by that module, with as few as
1 feature and 1 sample. Labels, where an estimator needs them, are two classes.
"""

from geolearn.covariance import MDM, TangentSpace

# X of shape (n_matrices, n, n), symmetric positive definite.
MATRIX_ESTIMATORS = [
    TangentSpace(),
    TangentSpace("log_cholesky", metric_mean="log_euclidean"),
    MDM(),
    MDM("bures_wasserstein"),
    MDM({"mean": "log_euclidean", "distance": "stein"}, proba="raw"),
]

# X of shape (n_trials, n_channels, n_times).
TRIAL_ESTIMATORS: list = []

# {class: {check of scikit-learn or test of tests/test_common_3d.py: reason}}.
# Strict: what starts to pass must be taken off.
EXPECTED_FAILED_CHECKS: dict[type, dict[str, str]] = {}
