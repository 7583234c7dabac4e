"""Landmark mode of HeatGeodesicEmbedding: columns, placement, quality, memory."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.datasets import make_swiss_roll
from geolearn.embedding import HeatGeodesicEmbedding
from geolearn.metrics import distance_correlation_score
from tests.reference import heat_geodesic as reference
from tests.reference import mds

N = 60


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).uniform(size=(N, 3)) * [4.0, 2.0, 1.0]


def fitted(X, **options):
    options = {"n_neighbors": 6, "t": 5.0, "random_state": 0, **options}
    return HeatGeodesicEmbedding(**options).fit(X)


def all_heat(X, **options):
    """The whole heat kernel, from a full fit of at most 300 samples."""
    embedder = fitted(X, **options)
    assert_array_equal(embedder.landmark_indices_, np.arange(len(X)))
    return embedder.landmark_heat_


@pytest.mark.parametrize("t", [5.0, [2.0, 7.0]], ids=str)
@pytest.mark.parametrize("method", ["random", "kmeans++", "farthest"])
def test_columns_are_those_of_the_whole_kernel(X, t, method):
    embedder = fitted(X, t=t, n_landmarks=12, landmark_method=method)
    landmarks = embedder.landmark_indices_
    assert landmarks.shape == (12,)
    assert np.all(np.diff(landmarks) > 0)
    H = all_heat(X, t=t)
    assert_allclose(embedder.landmark_heat_, H[..., landmarks], rtol=1e-7)
    assert embedder.dissimilarity_.shape == (12, 12)
    assert_array_equal(embedder.landmark_embedding_, embedder.embedding_[landmarks])
    expected = fitted(X, t=t).dissimilarity_[np.ix_(landmarks, landmarks)]
    assert_allclose(embedder.dissimilarity_, expected, atol=2e-6)


def test_the_diagonal_is_interpolated_by_heat(X):
    embedder = fitted(X, n_landmarks=12)
    landmarks, H = embedder.landmark_indices_, all_heat(X)
    C = H[:, landmarks] / H[:, landmarks].sum(axis=1, keepdims=True)
    expected = np.exp(C @ np.log(H.diagonal()[landmarks]))
    expected[landmarks] = H.diagonal()[landmarks]
    assert_allclose(embedder.heat_diagonal_, expected, rtol=1e-7)


@pytest.mark.parametrize("kind", [None, "heat", "inverse_distance", "given"])
@pytest.mark.parametrize("denoising", [0.0, 0.4])
def test_other_samples_are_placed_by_their_stress(X, kind, denoising):
    given = np.random.default_rng(1).uniform(0.5, 1.0, size=(N, N))
    given = (given + given.T) / 2
    weights = given if kind == "given" else kind
    options = {"n_landmarks": 12, "denoising": denoising, "mds_weights": weights}
    embedder = fitted(X, mds_max_iter=3000, **options)
    landmarks, H = embedder.landmark_indices_, all_heat(X)
    D = embedder.dissimilarity()
    if not denoising:
        kept = embedder.heat_diagonal_
        raw = reference.raw_rows([H], [kept], [kept], np.array([5.0]))[:, landmarks]
        raw[landmarks, np.arange(12)] = 0.0
        assert_allclose(D, raw, atol=2e-6)
    w = np.ones_like(D)
    if kind == "given":
        w = given[:, landmarks]
    elif kind is not None:
        w = reference.weights(kind, D, H[:, landmarks])
    C = H[:, landmarks] / H[:, landmarks].sum(axis=1, keepdims=True)
    expected = reference.placed(
        D, embedder.landmark_embedding_, C @ embedder.landmark_embedding_, w
    )
    expected[landmarks] = embedder.landmark_embedding_
    assert_allclose(embedder.embedding_, expected, atol=1e-4 * D.max())
    among = D[landmarks]
    assert_allclose(among, embedder.dissimilarity_, atol=2e-6)
    stress = mds.stress_1(
        embedder.dissimilarity_, embedder.landmark_embedding_, w[landmarks]
    )
    assert_allclose(embedder.stress_, stress, rtol=1e-6)


def test_average_extension(X):
    embedder = fitted(X, n_landmarks=12, extension="average")
    landmarks, H = embedder.landmark_indices_, all_heat(X)
    C = H[:, landmarks] / H[:, landmarks].sum(axis=1, keepdims=True)
    expected = C @ embedder.landmark_embedding_
    expected[landmarks] = embedder.landmark_embedding_
    assert_allclose(embedder.embedding_, expected, rtol=1e-6, atol=1e-9)


def test_a_roll_by_landmarks_is_as_good_as_by_all_pairs():
    X, _, G = make_swiss_roll(
        n_samples=600, noise=0.1, random_state=0, return_geodesics=True
    )
    scores = []
    for n_landmarks in (None, 150):
        embedder = fitted(X, n_neighbors=10, t=20.0, n_landmarks=n_landmarks)
        Y = embedder.embedding_
        scores.append(distance_correlation_score(mds.distances(Y), G))
    assert scores[0] > 0.98
    assert scores[1] > scores[0] - 0.005


def test_as_many_landmarks_as_samples_are_a_full_fit(X):
    for m in (N, N + 1):
        assert_array_equal(
            fitted(X, n_landmarks=m).embedding_, fitted(X, n_landmarks=None).embedding_
        )


@pytest.mark.filterwarnings("ignore:The neighbour graph has")
def test_every_component_has_a_landmark(X):
    Z = np.vstack([X + 100.0 * i for i in range(4)])
    for seed in range(5):
        embedder = fitted(Z, n_landmarks=5, random_state=seed)
        labels = embedder.component_labels_[embedder.landmark_indices_]
        assert set(labels) == {0, 1, 2, 3}
        assert np.isfinite(embedder.embedding_).all()
        assert np.isfinite(embedder.dissimilarity()).all()
    with pytest.raises(ValueError, match=r"n_landmarks=3 .*components, 4"):
        fitted(Z, n_landmarks=3)


def test_few_landmarks_fill_fewer_dimensions(X):
    embedder = fitted(X, n_landmarks=3, n_components=4)
    assert embedder.embedding_.shape == embedder.transform(X).shape == (N, 4)
    assert not embedder.embedding_[:, 2:].any()


def test_a_sample_without_weight_to_any_landmark(X):
    landmarks = fitted(X, n_landmarks=12).landmark_indices_
    other = np.setdiff1d(np.arange(N), landmarks)[0]
    W = np.ones((N, N))
    W[other, landmarks] = W[landmarks, other] = 0.0
    with pytest.raises(ValueError, match=r"mds_weights .* landmark; raise n_landmarks"):
        fitted(X, n_landmarks=12, mds_weights=W)


def mib(n_values):
    return 8.0 * n_values / 2**20


def test_landmarks_replace_all_pairs_that_do_not_fit(X):
    with pytest.warns(UserWarning, match="Embedding all pairs of 60 samples would"):
        embedder = fitted(X, working_memory=mib(1.5 * N * N))
    assert embedder.dissimilarity_.shape == (N, N)  # as many landmarks as samples


def test_landmarks_are_reduced_to_what_fits(X):
    with (
        pytest.warns(UserWarning, match="Embedding all pairs"),
        pytest.warns(UserWarning, match="20 landmarks instead of 60 .* working_memory"),
    ):
        embedder = fitted(X, working_memory=mib(20.5 * N))
    assert embedder.landmark_indices_.shape == (20,)


@pytest.mark.parametrize(
    ("n_landmarks", "columns", "message"),
    [
        (
            None,
            60,
            "all pairs of 60 samples .* set n_landmarks .* raise working_memory",
        ),
        (30, 20.5, "n_landmarks=30 needs .* working_memory; at most 20 landmarks"),
        (100, 60, "all pairs of 60 samples .* set n_landmarks"),
    ],
)
def test_what_was_asked_for_and_does_not_fit(X, n_landmarks, columns, message):
    with pytest.raises(MemoryError, match=message):
        fitted(X, n_landmarks=n_landmarks, working_memory=mib(columns * N))


def test_no_landmark_fits(X):
    with (
        pytest.warns(UserWarning, match="Embedding all pairs"),
        pytest.raises(MemoryError, match=r"60 samples need .* 3 landmarks"),
    ):
        fitted(X, working_memory=mib(2 * N))


def test_spreading_landmarks_needs_distances(X):
    W = np.ones((N, N))
    with pytest.raises(ValueError, match=r"landmark_method='farthest'.*\"random\""):
        fitted(
            W, affinity="precomputed", n_landmarks=9, landmark_method="farthest", t=0.1
        )
