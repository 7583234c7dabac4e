"""The estimators that the common checks run on, and the checks they may fail.

One entry for each estimator and each variant that takes another path through
the code. Parameters are small, because some checks fit one feature or a handful
of samples. `HeatGeodesicEmbedding(affinity="precomputed")` is not here: it has no
`transform`, which these checks ask of every transformer.
"""

from geolearn.decomposition import (
    BarycentricSubspaceAnalysis,
    LocalPCA,
    PrincipalGeodesicAnalysis,
    PrincipalSubbundle,
    TangentPCA,
)
from geolearn.embedding import (
    HeatGeodesicEmbedding,
    HyperbolicDiffusionDistance,
    HyperbolicMDS,
    MetricMDS,
    ProductSpaceEmbedding,
    RieSNE,
    TreeEmbedding,
)
from geolearn.ensemble import (
    HyperbolicExtraTreesClassifier,
    HyperbolicExtraTreesRegressor,
    HyperbolicHistGradientBoostingClassifier,
    HyperbolicHistGradientBoostingRegressor,
    HyperbolicRandomForestClassifier,
    HyperbolicRandomForestRegressor,
    ProductSpaceRandomForestClassifier,
    ProductSpaceRandomForestRegressor,
)
from geolearn.linear_model import ProductSpacePerceptron
from geolearn.preprocessing import AxialCoordinates
from geolearn.topology import Euclidicity, PersistentDimension
from geolearn.tree import (
    HyperbolicDecisionTreeClassifier,
    HyperbolicDecisionTreeRegressor,
    ProductSpaceDecisionTreeClassifier,
    ProductSpaceDecisionTreeRegressor,
)

ESTIMATORS = [
    HeatGeodesicEmbedding(n_neighbors=3, random_state=0),
    HeatGeodesicEmbedding(n_neighbors=3, n_landmarks=5, random_state=0),
    HeatGeodesicEmbedding(metric="precomputed", n_neighbors=3, random_state=0),
    HeatGeodesicEmbedding(
        affinity="umap", n_neighbors=3, t="relaxation", random_state=0
    ),
    HeatGeodesicEmbedding(
        affinity="gaussian_knn",
        n_neighbors=3,
        t=[5.0, 20.0],
        denoising=0.5,
        mds_weights="heat",
        mds_tol=1e-4,
        disconnected="connect",
        random_state=0,
    ),
    MetricMDS(random_state=0),
    MetricMDS(metric="precomputed", random_state=0),
    MetricMDS(n_landmarks=5, weights="inverse_distance", random_state=0),
    MetricMDS(metric="cityblock", solver="smacof", random_state=0),
    ProductSpaceEmbedding(learning_rate=0.05, burn_in=0.0, tol=1e-3, random_state=0),
    ProductSpaceEmbedding(
        [(0.0, 1), (1.0, 1)],
        init="random",
        learning_rate=0.05,
        burn_in=0.0,
        tol=1e-3,
        random_state=0,
    ),
    # one component: data of one feature have no more positive eigenvalues
    HyperbolicMDS(n_components=1),
    HyperbolicMDS(n_components=1, metric="euclidean"),
    HyperbolicMDS(
        n_components=1,
        scale=0.5,
        metric="cityblock",
        n_landmarks=5,
        eigen_solver="arpack",
        random_state=0,
    ),
    TreeEmbedding(),
    HyperbolicDiffusionDistance(),
    HyperbolicDiffusionDistance(affinity="distance"),
    HyperbolicDiffusionDistance(
        affinity="distance", metric="euclidean", n_landmarks=3, random_state=0
    ),
    RieSNE(perplexity=2.0, max_iter=20, early_exaggeration_iter=10, random_state=0),
    RieSNE(
        target="hyperboloid",
        perplexity=2.0,
        affinity="knn",
        init="random",
        max_iter=20,
        early_exaggeration_iter=10,
        random_state=0,
    ),
    RieSNE(
        perplexity=2.0,
        method="barnes_hut",
        max_iter=20,
        early_exaggeration_iter=10,
        random_state=0,
    ),
    LocalPCA(n_neighbors=3),
    LocalPCA(1, n_neighbors=None, radius=3.0, weights="gaussian"),
    TangentPCA(n_components=1),
    PrincipalGeodesicAnalysis(n_components=1),
    BarycentricSubspaceAnalysis(n_components=1),
    BarycentricSubspaceAnalysis(n_components=1, p=1.0, strategy="flag"),
    BarycentricSubspaceAnalysis(n_components=1, references="free", random_state=0),
    # metric="precomputed": the checks of outlier detectors pass no distances
    Euclidicity(n_neighbors=5, n_steps=3, random_state=0),
    Euclidicity(
        n_neighbors=5,
        intrinsic_dim=1,
        n_steps=3,
        model="interval",
        combine="pooled",
        contamination=0.1,
        random_state=0,
    ),
    Euclidicity(
        radii=(0.1, 1.0, 1.0, 5.0),
        n_neighbors=5,
        n_steps=2,
        max_points=5,
        null_correction=True,
        contamination=0.2,
        random_state=0,
    ),
    PersistentDimension(n_neighbors=5, n_steps=3),
    PersistentDimension(n_neighbors=5, n_steps=3, metric="precomputed"),
    PrincipalSubbundle(),
    PrincipalSubbundle(
        n_components="auto",
        bandwidth=2.0,
        kernel="tapered",
        center_base="mean",
        init="fan",
        n_directions=8,
        store_jacobian=False,
    ),
]

# Of tables whose rows are hyperbolic points; tests/hyperbolic.py lifts the rows of
# the checks to such points, tests/test_common_hyperbolic.py runs them.
HYPERBOLIC_ESTIMATORS = [
    AxialCoordinates(),
    HyperbolicDecisionTreeClassifier(random_state=0),
    HyperbolicDecisionTreeRegressor(random_state=0),
    HyperbolicRandomForestClassifier(n_estimators=3, random_state=0),
    HyperbolicRandomForestRegressor(n_estimators=3, random_state=0),
    HyperbolicExtraTreesClassifier(n_estimators=3, random_state=0),
    HyperbolicExtraTreesRegressor(n_estimators=3, random_state=0),
    HyperbolicHistGradientBoostingClassifier(
        max_iter=5, min_samples_leaf=5, random_state=0
    ),
    HyperbolicHistGradientBoostingRegressor(
        max_iter=5, min_samples_leaf=5, random_state=0
    ),
]

# Of tables whose rows are points of a product space; tests/product_space.py lifts
# the rows of the checks there, tests/test_common_product.py runs them.
PRODUCT_ESTIMATORS = [
    ProductSpaceDecisionTreeClassifier(random_state=0),
    ProductSpaceDecisionTreeClassifier(
        criterion="entropy", max_leaf_nodes=20, planes="all", random_state=0
    ),
    ProductSpaceDecisionTreeRegressor(random_state=0),
    ProductSpaceDecisionTreeRegressor(
        special_dims=True, ccp_alpha=1e-4, random_state=0
    ),
    ProductSpaceRandomForestClassifier(n_estimators=5, random_state=0),
    ProductSpaceRandomForestRegressor(n_estimators=5, random_state=0),
    ProductSpaceRandomForestRegressor(
        n_estimators=5, max_samples=0.7, max_features=1, random_state=0
    ),
    ProductSpacePerceptron(),
]

_BOOTSTRAP = {
    "check_sample_weight_equivalence_on_dense_data": (
        "bootstrap samples of repeated rows are not those of weighted rows; "
        "scikit-learn's forests fail it too"
    )
}
_BINS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "bins and leaf sizes count rows, not weights; scikit-learn's histogram "
        "boosting fails it too"
    )
}
_DISCONNECTED = dict.fromkeys(
    (
        "check_estimator_sparse_tag",
        "check_estimator_sparse_array",
        "check_estimator_sparse_matrix",
        "check_fit2d_1feature",
    ),
    "the check passes a graph in pieces; that trees are connected is the point",
)
_LEFT_OUT = {
    "check_estimators_nan_inf": "infinite distances are left out with a warning"
}
# {class: {check: reason}}. Strict: a check that starts to pass fails the test
# and must be taken off this list.
EXPECTED_FAILED_CHECKS: dict[type, dict[str, str]] = {
    TreeEmbedding: _DISCONNECTED,
    ProductSpaceEmbedding: _LEFT_OUT,
    HyperbolicRandomForestClassifier: _BOOTSTRAP,
    HyperbolicRandomForestRegressor: _BOOTSTRAP,
    ProductSpaceRandomForestClassifier: _BOOTSTRAP,
    ProductSpaceRandomForestRegressor: _BOOTSTRAP,
    HyperbolicHistGradientBoostingClassifier: _BINS,
    HyperbolicHistGradientBoostingRegressor: _BINS,
}


def expected_failed_checks(estimator):
    """Return {check: reason} for an estimator, as scikit-learn wants it."""
    for cls in type(estimator).__mro__:  # the class itself, or of a disguise
        if cls in EXPECTED_FAILED_CHECKS:
            return EXPECTED_FAILED_CHECKS[cls]
    return {}
