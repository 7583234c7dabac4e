"""Tangent vectors: orthonormal coordinates, their inverse and their names."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from geolearn.covariance import AugmentedCovariances, TangentSpace
from geolearn.manifolds import SPD, BlockToeplitz, Euclidean
from tests.covariance.common import make_matrices, make_trials
from tests.peers import pyriemann

A = np.array([[2.0, 1.0], [1.0, 2.0]])
B = np.diag([1.0, 3.0])
WITH_TANGENT_SPACE = [
    "affine_invariant",
    "log_euclidean",
    "log_cholesky",
    "cholesky",
    "bures_wasserstein",
    "euclidean",
    "power_euclidean",
]
every_metric = pytest.mark.parametrize("metric", WITH_TANGENT_SPACE)


# Section 6 of the specification, 12 digits.
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("affine_invariant", [-0.520688918745, -0.850281443764, 0.520688918745]),
        ("log_euclidean", [-0.549306144334, -0.776836199212, 0.549306144334]),
        ("bures_wasserstein", [0.336306209562, 0.534522483825, -0.343320657910]),
        ("log_cholesky", [-0.346573590280, 0.346573590280, -0.707106781187]),
    ],
)
def test_worked_numbers(metric, expected):
    v = TangentSpace(metric, reference=A).fit([B]).transform([B])[0]
    if metric == "bures_wasserstein":  # signs and order of eigenvectors are free
        v, expected = np.sort(np.abs(v)), np.sort(np.abs(expected))
    np.testing.assert_allclose(v, expected, rtol=1e-10)


@every_metric
def test_length_is_the_distance_from_the_reference(metric):
    X, _ = make_matrices(20, 5)
    ts = TangentSpace(metric).fit(X)
    distances = SPD(5, metric).dist(ts.reference_, X)
    np.testing.assert_allclose(
        np.linalg.norm(ts.transform(X), axis=1), distances, rtol=1e-9
    )


@every_metric
def test_inverse_transform(metric):
    X, _ = make_matrices(20, 5)
    ts = TangentSpace(metric)
    V = ts.fit_transform(X)
    assert V.shape == (20, 15)
    np.testing.assert_allclose(ts.inverse_transform(V), X, rtol=1e-9, atol=1e-12)


@every_metric
def test_weighted_vectors_sum_to_zero(metric):
    X, _ = make_matrices(20, 5)
    weight = np.random.default_rng(1).uniform(size=20)
    V = TangentSpace(metric).fit(X, sample_weight=weight).transform(X)
    assert np.linalg.norm(weight @ V) / weight.sum() < 2e-8  # tol of the mean


def test_coordinates_are_those_of_symmetric_matrices_row_by_row():
    # At the identity the affine logarithm is the matrix logarithm.
    S = np.array([[0.1, 0.2, 0.3], [0.2, 0.4, 0.5], [0.3, 0.5, 0.6]])
    values, vectors = np.linalg.eigh(S)
    X = (vectors * np.exp(values)) @ vectors.T
    ts = TangentSpace(reference="identity").fit([X])
    r = np.sqrt(2.0)
    expected = [0.1, 0.2 * r, 0.3 * r, 0.4, 0.5 * r, 0.6]
    np.testing.assert_allclose(ts.transform([X])[0], expected, rtol=1e-12)
    names = ["ts_0_0", "ts_0_1", "ts_0_2", "ts_1_1", "ts_1_2", "ts_2_2"]
    assert ts.get_feature_names_out().tolist() == names


@pytest.mark.parametrize("metric", ["logchol", "cholesky"])
def test_names_follow_the_cholesky_coordinates(metric):
    # Scaling row i of the factor by e^c moves the coordinate of entry (i, j) alone.
    L = np.array([[1.0, 0.0, 0.0], [0.3, 1.1, 0.0], [0.2, -0.4, 0.9]])
    ts = TangentSpace(metric, reference=L @ L.T).fit([L @ L.T])
    names = ts.get_feature_names_out().tolist()
    for i in range(3):
        for j in range(i + 1):
            K = L.copy()
            K[i, j] += 0.1
            v = ts.transform([K @ K.T])[0]
            moved = np.flatnonzero(np.abs(v) > 1e-10)
            assert [names[k] for k in moved] == [f"ts_{i}_{j}"]


def test_feature_names_check_the_number_of_channels():
    X, _ = make_matrices(5, 3)
    ts = TangentSpace().fit(X)
    assert len(ts.get_feature_names_out(["Fz", "Cz", "Pz"])) == 6
    with pytest.raises(ValueError, match="length equal to number of features"):
        ts.get_feature_names_out(["Fz"])


def test_metric_of_the_mean():
    X, _ = make_matrices(20, 4)
    ts = TangentSpace("riemann", metric_mean="logeuclid").fit(X)
    expected = SPD(4, "log_euclidean").frechet_mean(X)
    np.testing.assert_allclose(ts.reference_, expected, rtol=1e-12)
    assert ts.n_iter_ == 0
    np.testing.assert_allclose(
        np.linalg.norm(ts.transform(X), axis=1), SPD(4).dist(expected, X), rtol=1e-9
    )


def test_metric_parameters_and_manifolds():
    X, _ = make_matrices(20, 4)
    by_name = TangentSpace("affine_invariant", metric_params={"power": 0.5})
    by_manifold = TangentSpace(SPD(4, power=0.5))
    np.testing.assert_allclose(by_name.fit_transform(X), by_manifold.fit_transform(X))
    other = Euclidean(16)
    with pytest.raises(ValueError, match=r"16,.*4 x 4"):
        TangentSpace(other).fit(X)
    with pytest.raises(ValueError, match="cannot be combined"):
        TangentSpace(SPD(4), metric_params={"power": 0.5}).fit(X)
    with pytest.raises(ValueError, match=r"5, 5.*4 x 4"):
        TangentSpace(SPD(5)).fit(X)


def test_manifolds_of_fewer_dimensions():
    trials, _ = make_trials(10, 2)
    X = AugmentedCovariances(3, toeplitz=True).fit_transform(trials)
    manifold = BlockToeplitz(3, 2)
    ts = TangentSpace(manifold)
    V = ts.fit_transform(X)
    assert ts.get_feature_names_out().tolist() == [f"ts_{k}" for k in range(11)]
    np.testing.assert_allclose(
        np.linalg.norm(V, axis=1), manifold.dist(ts.reference_, X), rtol=1e-8
    )
    np.testing.assert_allclose(ts.inverse_transform(V), X, atol=1e-9)


@pytest.mark.parametrize("metric", ["stein", "thompson", "kullback"])
def test_metrics_without_tangent_space_are_refused_at_fit(metric):
    X, _ = make_matrices(5, 3)
    with pytest.raises(ValueError, match=r"has no logarithm.*affine_invariant"):
        TangentSpace(metric, reference="identity").fit(X)


def test_vectors_outside_the_domain_of_bures_wasserstein_are_refused():
    X, _ = make_matrices(5, 3)
    ts = TangentSpace("bures_wasserstein").fit(X)
    with pytest.raises(ValueError, match="leaves the SPD matrices"):
        ts.inverse_transform(-10.0 * np.ones((1, 6)))
    with pytest.raises(ValueError, match=r"7 columns.*6 coordinates"):
        ts.inverse_transform(np.ones((1, 7)))


def test_wrong_references():
    X, _ = make_matrices(5, 3)
    with pytest.raises(ValueError, match=r"reference has shape \(2, 2\)"):
        TangentSpace(reference=np.eye(2)).fit(X)
    with pytest.raises(ValueError, match="reference is not a valid matrix"):
        TangentSpace(reference=np.diag([1.0, 1.0, -1.0])).fit(X)
    given = np.diag([1.0, 2.0, 3.0])
    ts = TangentSpace(reference=given).fit(X)
    assert (ts.n_iter_, ts.grad_norm_) == (0, 0.0)
    assert ts.reference_ is not given


def test_unconverged_means_warn():
    X, _ = make_matrices(20, 4, spread=1.5)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        ts = TangentSpace(max_iter=1).fit(X)
    assert ts.grad_norm_ > 1e-8
    assert TangentSpace().fit(X).grad_norm_ <= 1e-8


def test_grid_search_over_metrics_and_manifolds():
    X, y = make_matrices(30, 4)
    pipeline = make_pipeline(TangentSpace(), LogisticRegression())
    grid = {"tangentspace__metric": ["riemann", SPD(4, "log_cholesky")]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.7


def test_ill_conditioned_matrices_keep_their_lengths():
    # Orthogonal rotations of graded spectra of condition 1e10.
    rng = np.random.default_rng(0)
    d = np.logspace(-10, 0, 6)
    X = np.array([np.diag(np.roll(d, i)) for i in range(6)])
    Q = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    X = Q @ X @ Q.T
    V = TangentSpace().fit_transform(0.5 * (X + np.swapaxes(X, 1, 2)))
    # They commute: the mean is the geometric one and lengths are those of logs.
    expected = np.linalg.norm(np.log(d) - np.log(d).mean())
    np.testing.assert_allclose(np.linalg.norm(V, axis=1), expected, rtol=1e-4)


def test_agrees_with_pyriemann():
    peer = pyriemann("tangentspace")
    X, _ = make_matrices(30, 6)
    expected = peer.TangentSpace(metric="riemann").fit(X).transform(X)
    np.testing.assert_allclose(TangentSpace().fit_transform(X), expected, atol=1e-7)
