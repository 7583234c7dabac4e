"""Bad and degenerate input of HeatGeodesicEmbedding, and what the user is told."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import kneighbors_graph

from geolearn.embedding import HeatGeodesicEmbedding
from tests.reference import graph

N = 40


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).uniform(size=(N, 3)) * [4.0, 2.0, 1.0]


def fitted(X, **options):
    defaults = {"n_neighbors": 6, "t": 5.0, "mds_max_iter": 3000, "random_state": 0}
    return HeatGeodesicEmbedding(**{**defaults, **options}).fit(X)


def affinity_of(X):
    return graph.alpha_decay(graph.distances(X), 6)[0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(X, value):
    bad = X.copy()
    bad[3, 1] = value
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        fitted(bad)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        fitted(X).transform(bad)
    W = affinity_of(X)
    W[3, 1] = W[1, 3] = value
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        fitted(W, affinity="precomputed")


def test_wrong_shapes(X):
    with pytest.raises(ValueError, match="Expected 2D array"):
        fitted(X[:, 0])
    with pytest.raises(TypeError, match="Sparse data was passed"):
        fitted(csr_array(X))
    with pytest.raises(ValueError, match=r"2 sample.* minimum of 3 is required"):
        fitted(X[:2])
    for name in ("affinity", "metric"):
        with pytest.raises(ValueError, match=r"must be a square matrix.*\(10, 40\)"):
            fitted(affinity_of(X)[:10], **{name: "precomputed"})
    with pytest.raises(ValueError, match="exclude each other"):
        fitted(affinity_of(X), affinity="precomputed", metric="precomputed")


def test_three_samples_are_enough(X):
    Y = fitted(X[:3], n_neighbors=2, t=0.5).embedding_
    assert Y.shape == (3, 2)
    assert np.ptp(Y) > 0


@pytest.mark.parametrize(
    ("affinity", "n_warnings"), [("alpha_decay", 1), ("umap", 1), ("gaussian_knn", 1)]
)
def test_more_neighbours_than_samples(X, affinity, n_warnings):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        embedder = fitted(X[:9], n_neighbors=20, affinity=affinity, t=0.3)
    messages = [str(w.message) for w in caught]
    assert len(messages) == n_warnings
    assert "n_neighbors=20 is more than the 8 other points" in messages[0]
    expected = fitted(X[:9], n_neighbors=8, affinity=affinity, t=0.3)
    assert_array_equal(embedder.embedding_, expected.embedding_)


def test_ten_copies_of_twenty_points(X):
    copies = np.repeat(X[:20], 10, axis=0)
    embedder = fitted(copies)
    Y = embedder.embedding_.reshape(20, 10, 2)
    assert_array_equal(Y, Y[:, :1].repeat(10, axis=1))
    assert_array_equal(Y[:, 0], fitted(X[:20]).embedding_)
    assert_array_equal(embedder.node_indices_, np.repeat(np.arange(20), 10))
    assert_array_equal(embedder.transform(copies), embedder.embedding_)
    assert embedder.bandwidths_.min() > 0
    by_landmarks = fitted(copies, n_landmarks=8)
    assert_array_equal(by_landmarks.transform(copies), by_landmarks.embedding_)


def test_zeros_of_either_sign_are_the_same(X):
    Z = np.vstack([X, X])
    Z[:N, 0], Z[N:, 0] = 0.0, -0.0
    embedder = fitted(Z)
    assert_array_equal(embedder.node_indices_[N:], np.arange(N))
    assert_array_equal(embedder.transform(Z), embedder.embedding_)


@pytest.mark.parametrize("distinct", [1, 2])
def test_fewer_than_three_distinct_samples(X, distinct):
    copies = np.repeat(X[:distinct], 5, axis=0)
    if distinct == 1:
        copies = np.repeat(copies, 2, axis=0)
    embedder = HeatGeodesicEmbedding(n_components=3)
    with pytest.warns(UserWarning, match=f"Only {distinct} of 10 samples are distinct"):
        embedder.fit(copies)
    assert_array_equal(embedder.embedding_, np.zeros((10, 3)))
    assert_array_equal(embedder.transform(X), np.zeros((N, 3)))
    with pytest.raises(ValueError, match=r"Fewer than three .* fit on three"):
        embedder.score_samples(X)


def test_isolated_nodes_are_components(X):
    W = affinity_of(X)
    W[5] = W[:, 5] = 0.0
    with pytest.warns(UserWarning, match="2 connected components of sizes 39, 1"):
        embedder = fitted(W, affinity="precomputed")
    assert embedder.n_connected_components_ == 2
    assert embedder.degrees_[5] == 0
    assert np.isfinite(embedder.embedding_).all()
    others = np.delete(embedder.dissimilarity_[5], 5)
    assert_allclose(others, others[0], rtol=1e-14)
    assert others[0] >= np.sqrt(147.4 * 5.0) * (1 - 1e-14)


def test_no_edge_at_all():
    for laplacian in ("normalized", "combinatorial"):
        with (
            pytest.warns(UserWarning, match="6 connected components"),
            pytest.warns(RuntimeWarning, match="homogenised"),
        ):
            embedder = fitted(
                np.zeros((6, 6)), affinity="precomputed", laplacian=laplacian
            )
        assert np.isfinite(embedder.embedding_).all()


@pytest.mark.parametrize("n_landmarks", [None, 15])
def test_disconnected_graphs(X, n_landmarks):
    Z = np.vstack([X, X[:30] + 1e4])
    options = {"n_landmarks": n_landmarks}
    message = "2 connected components of sizes 40, 30"
    with pytest.raises(ValueError, match=message + ".*raise n_neighbors"):
        fitted(Z, disconnected="error", **options)
    with pytest.warns(UserWarning, match=message):
        apart = fitted(Z, **options)
    assert_array_equal(apart.component_labels_, np.repeat([0, 1], [40, 30]))
    assert np.isfinite(apart.transform(Z + 0.01)).all()
    gap = np.linalg.norm(
        apart.embedding_[:40].mean(axis=0) - apart.embedding_[40:].mean(axis=0)
    )
    assert gap > np.std(apart.embedding_[:40], axis=0).max()
    joined = fitted(Z, disconnected="connect", **options)
    assert joined.n_connected_components_ == 1
    assert joined.affinity_matrix_.nnz == apart.affinity_matrix_.nnz + 2
    D = graph.distances(Z)
    ((i, j),) = graph.bridges(D, np.repeat([0, 1], [40, 30]))
    assert_allclose(joined.affinity_matrix_[[i]].toarray()[0, j], np.exp(-1))
    by_distances = fitted(D, metric="precomputed", disconnected="connect", **options)
    assert_allclose(by_distances.embedding_, joined.embedding_, atol=1e-6)


def test_affinities_cannot_be_connected():
    W = np.kron(np.eye(2), np.ones((4, 4)))
    with pytest.raises(ValueError, match=r"disconnected=.*needs distances"):
        fitted(W, affinity="precomputed", disconnected="connect")


@pytest.mark.filterwarnings("ignore:The neighbour graph has")
def test_constant_entropy():
    with (
        pytest.warns(RuntimeWarning, match="entropy .* is constant"),
        pytest.warns(RuntimeWarning, match="homogenised"),
    ):
        embedder = fitted(np.zeros((5, 5)), affinity="precomputed", t="auto")
    assert embedder.t_ == embedder.t_grid_[0]


@pytest.mark.parametrize("n_landmarks", [None, 8])
@pytest.mark.parametrize("t", [200.0, [200.0, 400.0]], ids=str)
def test_homogenised_diffusion(n_landmarks, t):
    # a weighted complete graph: D would show the degrees and nothing else
    X = np.random.default_rng(0).uniform(size=(12, 2))
    message = "homogenised.* reduce t or n_neighbors"
    with pytest.warns(RuntimeWarning, match=message):
        fitted(X, n_neighbors=11, decay=2, t=t, n_landmarks=n_landmarks)
    with pytest.warns(RuntimeWarning, match=message):
        embedder = fitted(
            np.ones((12, 12)), affinity="precomputed", t=t, n_landmarks=n_landmarks
        )
    assert np.abs(embedder.embedding_).max() < 1e-3


def test_equal_dissimilarities_are_homogenised():
    with pytest.warns(RuntimeWarning, match="homogenised"):
        fitted(np.ones((9, 9)), affinity="precomputed", t=0.1)


def test_a_volume_correction_above_1_warns_once(X):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        embedder = fitted(X, volume_correction=1.2, t=[2.0, 5.0])
        embedder.transform(X + 0.01)
    assert ["volume_correction=1.2 is above 1" in str(w.message) for w in caught] == [
        True
    ]
    assert embedder.dissimilarity_.min() == 0.0
    with (
        pytest.warns(UserWarning, match="volume_correction=9"),
        pytest.warns(RuntimeWarning, match="or volume_correction"),
    ):
        embedder = fitted(X, volume_correction=9.0, t=20.0)
    assert not embedder.embedding_.any()


BAD_PARAMETERS = [
    ("t", [0, -1.0, np.nan, np.inf, None, "slow"]),
    ("t", [[], [1, -1], [[1.0]], ["a"], [np.nan]]),
    ("t_grid", [[1, 1], [0, 1], [3.0], [1, np.inf], [1, np.nan], [[1, 2]], ["a", "b"]]),
    ("denoising", [-0.1, 1.1, np.nan]),
    ("n_components", [0, 1.5, N, N + 1]),
    ("n_neighbors", [0, -1, 2.5]),
    ("kernel_threshold", [-0.1, 0.2, 1.0]),
    ("decay", [0.0, -1.0, np.inf]),
    ("anisotropy", [-0.1, 1.1]),
    ("volume_correction", [-1.0, np.inf]),
    ("power", [0.0, np.inf]),
    ("kernel_floor", [-1e-3]),
    ("heat_tol", [0.0, 1.0]),
    ("euler_steps", [0]),
    ("n_landmarks", [2, 0, "some", 5.5]),
    ("n_jobs", [0]),
    ("metric", ["bogus", 3]),
    ("mds_weights", ["bogus", np.ones((3, 3)), np.ones(N), np.full((N, N), np.nan)]),
    ("mds_weights", [-np.ones((N, N)), np.triu(np.ones((N, N)))]),
    ("mds_weights", [np.full((N, N), np.inf)]),
    ("working_memory", [0, -1]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, bad in BAD_PARAMETERS for value in bad]
)
@pytest.mark.parametrize("affinity", ["alpha_decay", "umap"])
def test_bad_parameters_are_named(X, name, value, affinity):
    options = {"t": "auto"} if name == "t_grid" else {}
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        fitted(X, affinity=affinity, **{**options, name: value})


def test_bad_affinities(X):
    W = affinity_of(X)
    bad = W.copy()
    bad[1, 3] += 0.5
    with pytest.raises(ValueError, match=r"W is not symmetric.*pass \(W \+ W.T\) / 2"):
        fitted(bad, affinity="precomputed")
    with pytest.raises(ValueError, match="Negative values"):
        fitted(-W, affinity="precomputed")
    with pytest.raises(ValueError, match="Negative values"):
        fitted(csr_array(-W), affinity="precomputed")
    with pytest.raises(ValueError, match=r"3 nodes for 40 distinct samples"):
        fitted(X, affinity=lambda Z: np.ones((3, 3)))
    with pytest.raises(ValueError, match="not symmetric"):
        fitted(X, affinity=lambda Z: bad)
    with pytest.raises(ValueError, match="needs Euclidean points"):
        fitted(graph.distances(X), affinity="gaussian_knn", metric="precomputed")


def test_a_distance_graph_with_too_few_neighbours(X):
    G = kneighbors_graph(X, 3, mode="distance")
    with pytest.raises(ValueError, match=r"stores .* but n_neighbors=6"):
        fitted(G, metric="precomputed")


def test_short_scaling_names_the_parameters_of_the_estimator(X):
    with pytest.warns(ConvergenceWarning, match=r"mds_max_iter=1 .*mds_tol=1e-07") as w:
        fitted(X, mds_solver="smacof", mds_max_iter=1)
    assert 'mds_solver="auto"' in str(w[0].message)
    with pytest.warns(ConvergenceWarning, match="mds_max_iter=2") as w:
        fitted(X, n_landmarks=20, mds_max_iter=2, mds_tol=0.0)
    assert "mds_solver" not in str(w[0].message)


@pytest.mark.parametrize("kind", ["heat", "inverse_distance", "gaussian"])
def test_uneven_weights_converge_by_default(kind):
    # 60 epochs for uneven weights leave little to the majorisation
    s = np.random.default_rng(0).uniform(3, 12, size=200)
    X = np.c_[s * np.cos(s), s * np.sin(s), np.random.default_rng(1).uniform(size=200)]
    embedder = HeatGeodesicEmbedding(mds_weights=kind, random_state=0).fit(X)
    assert embedder.n_iter_ < 300


def test_underflow_is_told():
    X = np.cumsum(np.random.default_rng(0).uniform(1, 1.3, size=150))[:, None]
    with pytest.warns(RuntimeWarning, match="underflows at t=0.001 .* increase t"):
        embedder = fitted(X, n_neighbors=2, t=1e-3)
    assert np.isfinite(embedder.embedding_).all()
    assert embedder.dissimilarity_.max() <= np.sqrt(2834 * 1e-3)


def test_times_far_too_long_are_told():
    with (
        pytest.warns(ConvergenceWarning, match="reduce t"),
        pytest.warns(RuntimeWarning, match="homogenised"),
    ):
        fitted(np.ones((4, 4)), affinity="precomputed", t=1e9)


def test_a_refit_leaves_nothing_of_the_last_fit(X):
    embedder = HeatGeodesicEmbedding(n_neighbors=6, random_state=0).fit(X)
    assert {"entropies_", "dissimilarity_"} <= vars(embedder).keys()
    embedder.set_params(t=5.0, store_dissimilarity=False).fit(X)
    assert not {"entropies_", "t_grid_", "dissimilarity_"} & vars(embedder).keys()
    with pytest.warns(UserWarning, match="Only 1 of 5"):
        embedder.fit(np.ones((5, 3)))
    assert not hasattr(embedder, "stress_")


def test_the_data_and_the_times_are_not_written_to(X):
    W, t = affinity_of(X), np.array([2.0, 5.0])
    for data in (X, W, t):
        data.flags.writeable = False
    fitted(W, affinity="precomputed", t=t, mds_weights=W + 0.1)
    embedder = fitted(X, t=t)
    assert embedder.t_ is not t
    embedder.transform(X)
