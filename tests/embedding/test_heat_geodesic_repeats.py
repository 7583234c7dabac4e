"""HeatGeodesicEmbedding gives the same numbers again: threads, seeds, units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.datasets import make_swiss_roll
from geolearn.embedding import HeatGeodesicEmbedding
from geolearn.graph import NeighborIndex
from tests.reference import graph, mds

N = 130


@pytest.fixture(scope="module")
def X():
    return make_swiss_roll(n_samples=N, noise=0.1, random_state=0)[0]


def fitted(X, **options):
    defaults = {"n_neighbors": 8, "mds_max_iter": 2000, "random_state": 0}
    return HeatGeodesicEmbedding(**{**defaults, **options}).fit(X)


VARIANTS = [
    {},
    {"n_landmarks": 30},
    {"n_landmarks": 30, "landmark_method": "kmeans++", "t": "relaxation"},
    {"mds_weights": "heat", "denoising": 0.3},
    {"t": [3.0, 9.0], "n_landmarks": 30, "mds_weights": "inverse_distance"},
    {"affinity": "umap", "heat_method": "uniformization"},
    {"affinity": "gaussian_knn", "mds_solver": "smacof"},
]


def numbers(embedder, X):
    Q = X[:20] + 0.1
    return [
        embedder.embedding_,
        embedder.dissimilarity_,
        embedder.landmark_heat_,
        embedder.transform(Q),
        embedder.dissimilarity(Q),
        embedder.score_samples(Q),
    ]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_same_bits_for_any_number_of_threads(X, options):
    one = numbers(fitted(X, n_jobs=1, **options), X)
    for again in (fitted(X, n_jobs=2, **options), fitted(X, **options)):
        for a, b in zip(one, numbers(again, X), strict=True):
            assert_array_equal(a, b)


@pytest.mark.parametrize("options", [{}, {"n_landmarks": 30}], ids=str)
def test_seeds(X, options):
    def embed(seed):
        return fitted(X, random_state=seed, **options).embedding_

    assert_array_equal(embed(7), embed(7))
    assert_array_equal(embed(np.random.RandomState(7)), embed(np.random.RandomState(7)))
    assert np.abs(embed(7) - embed(8)).max() > 0
    generator = np.random.RandomState(7)
    assert np.abs(embed(generator) - embed(generator)).max() > 0


def test_a_second_process_gives_the_same_bits(X, fresh_python):
    code = """
import hashlib
from geolearn.datasets import make_swiss_roll
from geolearn.embedding import HeatGeodesicEmbedding
X = make_swiss_roll(n_samples=130, noise=0.1, random_state=0)[0]
for m in (None, 30):
    embedder = HeatGeodesicEmbedding(
        n_neighbors=8, mds_max_iter=2000, random_state=0, n_landmarks=m
    ).fit(X)
    print(embedder.transform(X + 0.1).tobytes().hex()[:4000])
"""
    here = [
        fitted(X, n_landmarks=m).transform(X + 0.1).tobytes().hex()[:4000]
        for m in (None, 30)
    ]
    assert fresh_python(code).split() == here


@pytest.mark.parametrize("unit", [1e-15, 1e15, 2.0**-60])
@pytest.mark.parametrize(
    "options",
    [{}, {"affinity": "umap"}, {"affinity": "gaussian_knn"}, {"n_landmarks": 30}],
    ids=str,
)
def test_units_of_the_data(X, unit, options):
    base, scaled = fitted(X, **options), fitted(unit * X, **options)
    assert_allclose(scaled.dissimilarity_, base.dissimilarity_, rtol=1e-6, atol=1e-6)
    assert_allclose(scaled.bandwidths_, unit * base.bandwidths_, rtol=1e-9)
    Q = X[:20] + 0.1
    assert_allclose(
        scaled.dissimilarity(unit * Q), base.dissimilarity(Q), rtol=1e-6, atol=1e-6
    )
    assert_allclose(scaled.score_samples(unit * Q), base.score_samples(Q), atol=1e-6)
    apart = mds.distances(scaled.embedding_) - mds.distances(base.embedding_)
    assert np.abs(apart).max() < 1e-3 * base.dissimilarity_.max()


def test_units_of_precomputed_distances(X):
    D = graph.distances(X)
    base = fitted(D, metric="precomputed").dissimilarity_
    for unit in (1e-15, 1e15):
        scaled = fitted(unit * D, metric="precomputed").dissimilarity_
        assert_allclose(scaled, base, rtol=1e-6, atol=1e-6)


def test_a_constant_feature_changes_nothing(X):
    wide = np.c_[X, np.full(N, 7.0), np.zeros(N)]
    assert_allclose(fitted(wide).dissimilarity_, fitted(X).dissimilarity_, atol=1e-6)


def test_shuffled_samples_have_shuffled_embeddings(X):
    order = np.random.default_rng(0).permutation(N)
    for options in ({"mds_solver": "smacof"}, {"mds_solver": "classical"}):
        a, b = fitted(X, **options), fitted(X[order], **options)
        assert_allclose(b.stress_, a.stress_, rtol=1e-3)
        gap = mds.distances(b.embedding_) - mds.distances(a.embedding_[order])
        assert np.abs(gap).max() < 0.02 * a.dissimilarity_.max()


@pytest.mark.parametrize("n_components", [1, 3, 5])
def test_other_dimensions(X, n_components):
    embedder = fitted(X, n_components=n_components)
    assert embedder.embedding_.shape == (N, n_components)
    assert_allclose(
        embedder.stress_,
        mds.stress_1(embedder.dissimilarity_, embedder.embedding_),
        rtol=1e-7,
    )
    Y = embedder.embedding_
    assert_allclose(Y.mean(axis=0), 0.0, atol=1e-10 * np.abs(Y).max())
    covariance = Y.T @ Y
    np.testing.assert_array_less(-1e-9, -np.diff(np.atleast_1d(covariance.diagonal())))
    off = covariance - np.diag(covariance.diagonal())
    assert np.abs(off).max() <= 1e-9 * covariance.max()
    assert (np.take_along_axis(Y, np.abs(Y).argmax(axis=0)[None], 0) > 0).all()
    assert embedder.transform(X[:5] + 0.1).shape == (5, n_components)


def test_more_dimensions_have_less_stress(X):
    stresses = [fitted(X, n_components=p).stress_ for p in (1, 2, 3)]
    assert stresses[0] > stresses[1] > stresses[2]


def test_a_full_fit_keeps_300_columns(X):
    Z = make_swiss_roll(n_samples=420, random_state=0)[0]
    embedder = fitted(Z, mds_solver="classical", t=20.0)
    assert embedder.landmark_indices_.shape == (300,)
    assert embedder.landmark_heat_.shape == (420, 300)
    assert embedder.dissimilarity_.shape == (420, 420)
    assert_array_equal(embedder.transform(Z), embedder.embedding_)
    assert isinstance(embedder._index, NeighborIndex)
