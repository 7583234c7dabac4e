"""HeatGeodesicEmbedding against the dense version of the method, option by option."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import expm
from scipy.sparse import csr_array
from sklearn.neighbors import kneighbors_graph

from geolearn.embedding import HeatGeodesicEmbedding
from geolearn.manifolds import Sphere
from tests.reference import graph, mds
from tests.reference import heat_geodesic as reference

N, K = 40, 5
TIMES = [2.0, 5.0, 9.0]


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).uniform(size=(N, 3)) * [4.0, 2.0, 1.0]


@pytest.fixture(scope="module")
def queries(X):
    rng = np.random.default_rng(1)
    return X[:8] + 0.1 * rng.standard_normal((8, 3))


def fitted(X, **options):
    # a few flat stresses take more steps than the default
    defaults = {"n_neighbors": K, "t": 5.0, "mds_max_iter": 3000, "random_state": 0}
    options = {**defaults, **options}
    return HeatGeodesicEmbedding(**options).fit(X)


def check_stress(embedder, D, W=None):
    """The stress that is told is that of these weights and dissimilarities."""
    Y = embedder.embedding_
    assert_allclose(embedder.stress_, mds.stress_1(D, Y, W), rtol=1e-7)
    rng = np.random.default_rng(0)
    for _ in range(5):  # and the layout is a minimum of it
        step = 0.02 * Y.std() * rng.standard_normal(Y.shape)
        assert mds.stress_1(D, Y + step, W) > embedder.stress_


def test_the_reference_kernel_is_the_matrix_exponential(X):
    W, _ = graph.alpha_decay(graph.distances(X), K)
    for kind in ("normalized", "combinatorial"):
        L = graph.laplacian(W, normalized=kind == "normalized")
        assert_allclose(reference.heat(W, 3.0, kind), expm(-3.0 * L), atol=1e-14)


FORMULAS = [
    {},
    {"laplacian": "combinatorial", "t": 0.7},
    {"volume_correction": 0.0},
    {"volume_correction": 0.4, "volume_mean": "geometric"},
    {"power": 2.0, "volume_correction": 0.5},
    {"kernel_floor": 1e-4},
    {"kernel_floor": 1e-3, "volume_mean": "geometric", "power": 0.5},
    {"denoising": 0.3},
    {"denoising": 1.0, "volume_correction": 0.0, "power": 2.0},
    {"t": TIMES},
    {"t": TIMES, "denoising": 0.5, "power": 1.5, "laplacian": "combinatorial"},
    {"decay": 2.0},
    {"anisotropy": 0.7},
    {"decay": 5.0, "kernel_threshold": 0.05},
    {"heat_method": "uniformization"},
    {"heat_method": "euler", "euler_steps": 7},
]


def dense_heats(W, options):
    times = np.atleast_1d(options.get("t", 5.0))
    kind = options.get("laplacian", "normalized")
    if options.get("heat_method") == "euler":
        return times, [reference.euler(W, t, options["euler_steps"]) for t in times]
    return times, [reference.heat(W, t, kind) for t in times]


def formula_of(options):
    names = {
        "volume_correction": "sigma",
        "volume_mean": "mean",
        "kernel_floor": "floor",
        "power": "power",
        "denoising": "denoising",
    }
    return {names[k]: v for k, v in options.items() if k in names}


@pytest.mark.parametrize("options", FORMULAS, ids=str)
def test_dissimilarities_and_new_points(X, queries, options):
    D0 = graph.distances(X)
    alpha, theta = options.get("decay", 40.0), options.get("kernel_threshold", 1e-4)
    W, eps = graph.alpha_decay(D0, K, alpha, theta, options.get("anisotropy", 0.0))
    times, heats = dense_heats(W, options)
    raw, D = reference.dissimilarity(heats, times, **formula_of(options))
    embedder = fitted(X, **options)
    assert_allclose(embedder.affinity_matrix_.toarray(), W, atol=1e-14)
    assert_allclose(embedder.bandwidths_, eps, rtol=1e-12)
    assert_allclose(embedder.degrees_, W.sum(axis=1), rtol=1e-12)
    # heat_tol=1e-8 means errors of 8 t 1e-8 in the squares
    assert_allclose(embedder.dissimilarity_, D, atol=2e-6, rtol=1e-7)
    check_stress(embedder, embedder.dissimilarity_)
    heat = np.array(heats)[:, :, embedder.landmark_indices_]
    own = embedder.landmark_heat_
    assert_allclose(own if own.ndim == 3 else own[None], heat, rtol=1e-7)

    pi = graph.alpha_decay_weights(graph.distances(queries, X), eps, K, alpha, theta)
    rows = reference.new_rows(
        pi, heats, embedder.landmark_indices_, times, raw, **formula_of(options)
    )
    assert_allclose(embedder.dissimilarity(queries), rows, atol=2e-6, rtol=1e-7)
    assert_allclose(
        embedder.dissimilarity(), D[:, embedder.landmark_indices_], atol=2e-6
    )
    start = pi @ embedder.embedding_
    expected = reference.placed(rows, embedder.landmark_embedding_, start)
    assert_allclose(embedder.transform(queries), expected, atol=1e-4 * D.max())


@pytest.mark.parametrize("kind", ["heat", "inverse_distance", "gaussian"])
@pytest.mark.parametrize("beta", [1.0, 2.5])
def test_weights_reach_the_scaling_and_the_placement(X, queries, kind, beta):
    embedder = fitted(X, mds_weights=kind, mds_weights_param=beta)
    W, eps = graph.alpha_decay(graph.distances(X), K)
    H, D = reference.heat(W, 5.0), embedder.dissimilarity_
    check_stress(embedder, D, reference.weights(kind, D, H, beta))

    pi = graph.alpha_decay_weights(graph.distances(queries, X), eps, K)
    rows = embedder.dissimilarity(queries)
    landmarks = embedder.landmark_indices_
    if kind == "gaussian":
        scaled = rows / D.max()
        w = np.exp(-(scaled**2) / beta)
    else:
        w = reference.weights(kind, rows, (pi @ H)[:, landmarks], beta)
    start = pi @ embedder.embedding_
    expected = reference.placed(rows, embedder.landmark_embedding_, start, w)
    assert_allclose(embedder.transform(queries), expected, atol=1e-4 * D.max())


def test_heat_weights_of_several_times_are_their_mean(X):
    embedder = fitted(X, mds_weights="heat", t=TIMES)
    W, _ = graph.alpha_decay(graph.distances(X), K)
    shares = reference.shares_of_times(np.array(TIMES))
    H = sum(s * reference.heat(W, t) for s, t in zip(shares, TIMES, strict=True))
    check_stress(embedder, embedder.dissimilarity_, H + 1e-5)


def test_given_weights(X):
    rng = np.random.default_rng(2)
    W = rng.uniform(0.1, 1.0, size=(N, N))
    W = (W + W.T) / 2
    check_stress(fitted(X, mds_weights=W), fitted(X).dissimilarity_, W)
    Z = np.vstack([X[:3], X])  # copies do not shift the rows of the weights
    nodes = np.array([0, 1, 2, *range(N)])
    with_copies = fitted(Z, mds_weights=W[np.ix_(nodes, nodes)]).embedding_
    assert_array_equal(with_copies[3:], fitted(X, mds_weights=W).embedding_)


@pytest.mark.parametrize("affinity", ["gaussian_knn", "umap"])
def test_other_graphs(X, queries, affinity):
    D0 = graph.distances(X)
    W = graph.gaussian_knn(X, K) if affinity == "gaussian_knn" else graph.fuzzy(D0, K)
    embedder = fitted(X, affinity=affinity)
    assert_allclose(embedder.affinity_matrix_.toarray(), W, rtol=1e-9, atol=1e-12)
    heats = [reference.heat(W, 5.0)]
    raw, D = reference.dissimilarity(heats, [5.0])
    assert_allclose(embedder.dissimilarity_, D, atol=2e-6)
    # new points enter by alpha-decay weights, whatever the graph
    eps = graph.neighbors(D0, K)[0][:, -1]
    assert_allclose(embedder.bandwidths_, eps, rtol=1e-12)
    pi = graph.alpha_decay_weights(graph.distances(queries, X), eps, K)
    rows = reference.new_rows(pi, heats, embedder.landmark_indices_, [5.0], raw)
    assert_allclose(embedder.dissimilarity(queries), rows, atol=2e-6)


def test_precomputed_distances_are_the_features(X, queries):
    by_features = fitted(X)
    by_distances = fitted(graph.distances(X), metric="precomputed")
    assert_allclose(by_distances.embedding_, by_features.embedding_, atol=1e-8)
    D = graph.distances(queries, X)
    assert_allclose(
        by_distances.transform(D), by_features.transform(queries), atol=1e-6
    )
    assert_allclose(
        by_distances.score_samples(D), by_features.score_samples(queries), rtol=1e-9
    )


def test_a_sparse_distance_graph_is_the_features(X):
    # twice the neighbours: every pair within 1.06 bandwidths is stored
    G = kneighbors_graph(X, 2 * K, mode="distance")
    by_graph = fitted(G, metric="precomputed")
    assert_allclose(by_graph.embedding_, fitted(X).embedding_, atol=1e-8)
    with pytest.raises(ValueError, match="sparse distance graph"):
        by_graph.transform(graph.distances(X))


@pytest.mark.parametrize(
    "form", [np.asarray, csr_array, lambda W: csr_array(W).tocoo()]
)
def test_precomputed_affinities_are_the_features(X, form):
    W, _ = graph.alpha_decay(graph.distances(X), K)
    expected = fitted(X)
    np.fill_diagonal(W, 3.0)  # ignored
    embedder = fitted(form(W), affinity="precomputed")
    assert_allclose(embedder.dissimilarity_, expected.dissimilarity_, atol=2e-6)
    assert not hasattr(embedder, "bandwidths_")


def test_a_callable_affinity_sees_the_distinct_rows(X, queries):
    seen = []

    def affinity(Z):
        seen.append(Z)
        return graph.alpha_decay(graph.distances(Z), K)[0]

    embedder = fitted(np.vstack([X, X[:4]]), affinity=affinity)
    assert_array_equal(seen[0], X)
    expected = fitted(X)
    assert_allclose(embedder.dissimilarity_, expected.dissimilarity_, atol=2e-6)
    assert_allclose(embedder.transform(queries), expected.transform(queries), atol=1e-5)


def test_a_manifold_is_its_registered_metric():
    rng = np.random.default_rng(0)
    S = rng.standard_normal((N + 5, 3))
    S /= np.linalg.norm(S, axis=1)[:, None]
    by_name = fitted(S[:N], metric="sphere")
    by_manifold = fitted(S[:N], metric=Sphere(2))
    assert_array_equal(by_manifold.embedding_, by_name.embedding_)
    assert_array_equal(by_manifold.transform(S[N:]), by_name.transform(S[N:]))
    D = np.arccos(np.clip(S @ S.T, -1, 1))
    np.fill_diagonal(D, 0.0)
    by_distances = fitted(D[:N, :N], metric="precomputed")
    assert_allclose(by_distances.embedding_, by_name.embedding_, atol=1e-6)
    assert_allclose(
        by_distances.transform(D[N:, :N]), by_name.transform(S[N:]), atol=1e-5
    )


def test_exact_eigenvectors_agree_where_they_can(X):
    assert_allclose(
        fitted(X, heat_method="exact").dissimilarity_,
        fitted(X).dissimilarity_,
        rtol=1e-6,
        atol=1e-6,
    )


def test_far_entries_of_a_long_chain_keep_their_digits():
    gaps = np.random.default_rng(0).uniform(1.0, 1.5, size=60)
    X = np.cumsum(gaps)[:, None]
    W, _ = graph.alpha_decay(graph.distances(X), 2)
    H = reference.heat(W, 0.5)
    assert 0 < H.min() < 1e-40
    _, D = reference.dissimilarity([H], [0.5])
    embedder = fitted(X, t=0.5, n_neighbors=2)
    assert_allclose(embedder.dissimilarity_, D, rtol=1e-7, atol=1e-6)


@pytest.mark.filterwarnings("ignore:The neighbour graph has")
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_components_are_put_apart(X, power):
    Z = np.vstack([X[:20], X[:15] + 1e3])
    W, _ = graph.alpha_decay(graph.distances(Z), K)
    _, D = reference.dissimilarity([reference.heat(W, 5.0)], [5.0], power=power)
    embedder = fitted(Z, power=power)
    assert_allclose(embedder.dissimilarity_, D, rtol=1e-7, atol=2e-6)
    assert np.ptp(D[:20, 20:]) == 0
    assert D[0, 20] >= 1.1 * D[:20, :20].max() * (1 - 1e-12)
    rows = embedder.dissimilarity(Z[:3] + 0.01)
    apart = embedder.component_labels_[embedder.landmark_indices_] == 1
    assert_allclose(rows[:, apart], D[0, 20], rtol=1e-12)
