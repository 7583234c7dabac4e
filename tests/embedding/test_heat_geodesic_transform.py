"""New samples in a HeatGeodesicEmbedding: transform, scores, dissimilarities."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from geolearn.datasets import make_swiss_roll
from geolearn.embedding import HeatGeodesicEmbedding
from geolearn.metrics import distance_correlation_score
from tests.reference import graph

N = 150


@pytest.fixture(scope="module")
def roll():
    return make_swiss_roll(n_samples=N, noise=0.1, random_state=0)[0]


@pytest.fixture(scope="module")
def queries(roll):
    return roll[:12] + 0.1 * np.random.default_rng(1).standard_normal((12, 3))


def fitted(X, **options):
    defaults = {"n_neighbors": 8, "t": 10.0, "mds_max_iter": 3000, "random_state": 0}
    return HeatGeodesicEmbedding(**{**defaults, **options}).fit(X)


VARIANTS = [
    {},
    {"n_landmarks": 20},
    {"extension": "average"},
    {"extension": "average", "n_landmarks": 20},
    {"denoising": 0.5},
    {"denoising": 0.5, "n_landmarks": 20, "volume_correction": 0.0},
    {"t": [3.0, 9.0, 30.0]},
    {"t": [3.0, 9.0, 30.0], "mds_weights": "heat"},
    {"mds_weights": "inverse_distance"},
    {"mds_weights": "gaussian", "n_landmarks": 20},
    {"affinity": "umap"},
    {"affinity": "gaussian_knn"},
    {"laplacian": "combinatorial", "t": 1.0},
    {"metric": "cityblock"},
    {"kernel_threshold": 0.0, "decay": 4.0},
]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_rows_by_themselves_and_training_rows(roll, queries, options):
    embedder = fitted(roll, **options)
    before = embedder.embedding_.copy()
    assert_array_equal(embedder.transform(roll), before)
    together = embedder.transform(queries)
    assert np.isfinite(together).all()
    alone = np.vstack([embedder.transform(row[None]) for row in queries])
    assert_array_equal(alone, together)
    assert_array_equal(embedder.transform(queries[::-1]), together[::-1])
    mixed = embedder.transform(np.vstack([roll[:5], queries, roll[5:]]))
    assert_array_equal(mixed[5 : 5 + len(queries)], together)
    for method in (embedder.score_samples, embedder.dissimilarity):
        rows = np.vstack([np.atleast_2d(method(row[None]).T).T for row in queries])
        assert_array_equal(rows.squeeze(), method(queries))
    assert_array_equal(embedder.embedding_, before)


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_dissimilarities_of_training_rows(roll, options):
    embedder = fitted(roll, **options)
    D, landmarks = embedder.dissimilarity(), embedder.landmark_indices_
    assert D.shape == (N, landmarks.size)
    assert_allclose(embedder.dissimilarity(roll), D, atol=1e-6)
    among = embedder.dissimilarity_
    if among.shape[0] == N:
        among = among[np.ix_(landmarks, landmarks)]
    assert_allclose(D[landmarks], among, rtol=1e-6, atol=1e-5)
    if not options.get("denoising"):
        assert_array_equal(D[landmarks].diagonal(), 0.0)


def test_a_zero_dissimilarity_does_not_weigh_by_its_neighbours(roll):
    # the weight 1 / D of a pair at distance 0 was the largest of the whole call
    with pytest.warns(UserWarning, match="volume_correction=1.4"):
        embedder = fitted(roll, mds_weights="inverse_distance", volume_correction=1.4)
    Q = roll + 0.05 * np.random.default_rng(0).standard_normal(roll.shape)
    assert (embedder.dissimilarity(Q) == 0).any(axis=1).sum() > 10
    alone = np.vstack([embedder.transform(row[None]) for row in Q])
    assert_array_equal(alone, embedder.transform(Q))


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_training_rows_are_known_although_their_distance_is_not_0(metric):
    # d(x, x) = 1e-16 in these metrics, and d(x, 2 x) = 0 for different rows
    X = np.random.default_rng(0).uniform(0.1, 1.0, size=(80, 6))
    X = np.vstack([X, 2 * X[:10], -0.0 * X[:1] + X[:1]])
    embedder = fitted(X, metric=metric)
    assert_array_equal(embedder.node_indices_[-1], 0)
    assert_array_equal(embedder.transform(X), embedder.embedding_)
    landmarks = embedder.landmark_indices_
    assert_allclose(
        embedder.dissimilarity(X)[:90], embedder.dissimilarity_[:, landmarks], atol=1e-6
    )


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "precomputed"])
def test_training_rows_are_known_after_rounding(roll, metric):
    # as PCA.transform differs from PCA.fit_transform
    moved = roll * (1 + 1e-7 * np.random.default_rng(0).standard_normal(roll.shape))
    assert not (moved == roll).all(axis=1).any()
    embedder = fitted(roll, metric=metric) if metric != "precomputed" else None
    if embedder is None:
        embedder = fitted(graph.distances(roll), metric=metric)
        moved = graph.distances(moved, roll)
    assert_array_equal(embedder.transform(moved), embedder.embedding_)
    near = roll + 0.01 * embedder.bandwidths_[:, None]
    if metric != "precomputed":
        assert (embedder.transform(near) != embedder.embedding_).any(axis=1).all()


@pytest.mark.parametrize("extension", ["stress", "average"])
def test_held_out_rows_of_a_roll(extension):
    n, held = 700, 120
    X, _, G = make_swiss_roll(
        n_samples=n, noise=0.1, random_state=0, return_geodesics=True
    )
    embedder = fitted(X[held:], n_neighbors=10, t=20.0, extension=extension)
    Y = embedder.transform(X[:held])
    between = graph.distances(Y, embedder.embedding_)
    assert np.mean(
        [np.corrcoef(a, b)[0, 1] for a, b in zip(between, G[:held, held:], strict=True)]
    ) > 0.98  # fmt: skip
    both = graph.distances(np.vstack([Y, embedder.embedding_]))
    assert distance_correlation_score(both, G) > 0.98


def test_one_type_in_the_same_type_out(roll, queries):
    single = roll.astype(np.float32)
    embedder = fitted(single)
    assert embedder.embedding_.dtype == np.float32
    assert embedder.transform(queries.astype(np.float32)).dtype == np.float32
    assert_array_equal(embedder.transform(single), embedder.embedding_)
    # computed in float64: the same as of the rounded data
    double = fitted(single.astype(np.float64))
    assert double.embedding_.dtype == np.float64
    assert_array_equal(double.embedding_.astype(np.float32), embedder.embedding_)
    assert_array_equal(
        double.transform(queries.astype(np.float32).astype(float)).astype(np.float32),
        embedder.transform(queries.astype(np.float32)),
    )


def test_far_outliers_are_placed_within_the_embedding(roll):
    for options in ({}, {"n_landmarks": 20}):
        embedder = fitted(roll, **options)
        far = np.array([[1e3, 0, 0], [0, 1e6, 0], [-1e12, 1e12, 0]])
        Y = embedder.transform(far)
        assert np.isfinite(Y).all()
        assert np.abs(Y).max() <= 2 * np.abs(embedder.embedding_).max()
        scores = embedder.score_samples(far)
        assert np.all(np.diff(scores) < 0)
        assert scores[0] < embedder.score_samples(roll).min()


def test_precomputed_distances_of_training_rows(roll, queries):
    D = graph.distances(roll)
    embedder = fitted(D, metric="precomputed")
    assert_array_equal(embedder.transform(D), embedder.embedding_)
    with pytest.raises(ValueError, match="X has 149 features"):
        embedder.transform(D[:, :-1])
    with pytest.raises(ValueError, match="Negative"):
        embedder.transform(-D)


def test_precomputed_distances_with_copies(roll, queries):
    X = np.vstack([roll[:7], roll, roll[3:4]])
    by_features = fitted(X)
    by_distances = fitted(graph.distances(X), metric="precomputed")
    nodes = [*range(7), *range(N), 3]
    assert_array_equal(by_features.node_indices_, nodes)
    assert_array_equal(by_distances.node_indices_, nodes)
    assert_array_equal(by_features.embedding_, by_features.embedding_[7:-1][nodes])
    assert_allclose(by_distances.embedding_, by_features.embedding_, atol=1e-7)
    assert_allclose(
        by_distances.transform(graph.distances(queries, X)),
        by_features.transform(queries),
        atol=1e-6,
    )
    assert by_distances.dissimilarity().shape == (len(X), N)


@pytest.mark.parametrize("method", ["transform", "dissimilarity", "score_samples"])
def test_affinities_alone_do_not_locate_new_points(roll, method):
    W, _ = graph.alpha_decay(graph.distances(roll[:40]), 6)
    embedder = fitted(W, affinity="precomputed")
    assert not hasattr(embedder, method)
    with pytest.raises(AttributeError, match="has no attribute"):
        getattr(embedder, method)
    assert hasattr(HeatGeodesicEmbedding(), method)
    assert not hasattr(HeatGeodesicEmbedding(affinity="precomputed"), method)


@pytest.mark.parametrize("method", ["transform", "dissimilarity", "score_samples"])
def test_not_fitted(roll, method):
    with pytest.raises(NotFittedError):
        getattr(HeatGeodesicEmbedding(), method)(roll)
    with pytest.raises(NotFittedError):
        HeatGeodesicEmbedding().dissimilarity()


def test_scores_are_the_log_bandwidth_over_that_of_the_neighbours(roll, queries):
    embedder = fitted(roll)
    eps = embedder.bandwidths_
    for row, score in zip(queries, embedder.score_samples(queries), strict=True):
        d = np.linalg.norm(roll - row, axis=1)
        near = np.argsort(d)[:8]
        expected = -np.log(d[near[-1]]) + np.log(eps[near]).mean()
        assert_allclose(score, expected, rtol=1e-10, atol=1e-12)
    # a training sample keeps its bandwidth, which leaves the sample out
    d = np.linalg.norm(roll - roll[5], axis=1)
    near = np.argsort(d)[:8]
    expected = -np.log(eps[5]) + np.log(eps[near]).mean()
    assert_allclose(embedder.score_samples(roll[5:6]), expected, rtol=1e-10)


def test_scores_find_points_beside_the_roll():
    X, _ = make_swiss_roll(n_samples=1000, noise=0.1, random_state=0)
    rng = np.random.default_rng(0)
    box = rng.uniform(X.min(axis=0), X.max(axis=0), size=(200, 3))
    embedder = fitted(X[200:], n_neighbors=10, mds_solver="classical")
    scores = embedder.score_samples(np.vstack([X[:200], box]))
    assert roc_auc_score(np.repeat([1, 0], 200), scores) >= 0.85
