import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.neighbors import kneighbors_graph

from geolearn.graph import (
    NeighborIndex,
    alpha_decay_affinity,
    alpha_decay_weights,
    check_affinity,
    degrees,
    gaussian_knn_affinity,
    graph_laplacian,
)
from geolearn.graph import _affinity as module
from geolearn.metrics import pairwise_distances
from tests.reference import graph as reference

RNG = np.random.default_rng(0)
FLAT = RNG.normal(size=(70, 2))
WIDE = RNG.normal(size=(70, 11))
LINE = np.array([[0.0], [1.0], [3.0], [6.0], [10.0], [15.0]])


def digits(count):
    return {"rtol": 0, "atol": 0.5001 * 10.0**-count}


# Worked example of the specification, every printed digit valid.
def test_worked_example():
    W, bandwidths = alpha_decay_affinity(LINE, 2, decay=2, threshold=1e-4)
    assert_array_equal(bandwidths, [3, 2, 3, 4, 5, 9])
    row = [0, 0.83682005, 0.36787944, 0.06185743, 0.00915782, 0.03108826]
    assert_allclose(W.toarray()[0], row, **digits(8))
    expected = [1.306803, 1.511175, 1.498336, 1.271150, 1.100077, 0.898333]
    assert_allclose(degrees(W), expected, **digits(6))
    for normalization, expected in (
        (
            "normalized",
            [0, 0.36605381, 1.01993727, 1.38921639, 1.60040148, 1.62439104],
        ),
        (
            "combinatorial",
            [0, 0.43195656, 1.22317398, 1.62653421, 2.01471548, 2.28949330],
        ),
    ):
        L = graph_laplacian(W, normalization).toarray()
        assert_allclose(np.linalg.eigvalsh(L), expected, **digits(8))


def test_worked_example_with_a_steep_kernel():
    W, _ = alpha_decay_affinity(LINE, 2, decay=40)
    row = [0, 0, 0.68393469, 0, 0.68387326, 0.18393972]
    assert_allclose(W.toarray()[3], row, **digits(8))


@pytest.mark.parametrize("X", [FLAT, WIDE], ids=["tree", "all pairs"])
@pytest.mark.parametrize("decay", [0.7, 2.0, 10.0, 40.0])
@pytest.mark.parametrize("k", [1, 4, 69])
def test_agree_with_the_definition(X, decay, k):
    W, bandwidths = alpha_decay_affinity(X, k, decay=decay)
    expected, eps = reference.alpha_decay(reference.distances(X), k, decay)
    assert_allclose(bandwidths, eps, rtol=1e-12)
    assert_allclose(W.toarray(), expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("theta", [0.0, 1e-12, 0.01, 0.18])
@pytest.mark.parametrize("anisotropy", [0.0, 0.4, 1.0])
def test_thresholds_and_anisotropy(theta, anisotropy):
    W, _ = alpha_decay_affinity(
        FLAT, 5, decay=3, threshold=theta, anisotropy=anisotropy
    )
    D = reference.distances(FLAT)
    expected, _ = reference.alpha_decay(D, 5, 3, theta, anisotropy)
    assert_allclose(W.toarray(), expected, rtol=1e-10, atol=1e-300)
    if theta == 0 and anisotropy == 0:
        assert (degrees(W) > 0).all()


def test_anisotropy_does_not_empty_a_graph_of_many_neighbours():
    # An absolute second threshold left 860 of 111362 entries here; relative to the
    # largest entry it dropped 1 %, which depends on the densest and loosest points.
    X = np.random.default_rng(0).normal(size=(500, 3))
    X[0] = 1e3
    plain, _ = alpha_decay_affinity(X, 150)
    even, _ = alpha_decay_affinity(X, 150, anisotropy=1.0)
    assert plain.nnz > 60_000
    assert even.nnz == plain.nnz


def test_the_weight_at_one_bandwidth():
    # Mutual k-th neighbours: both halves are exp(-1).
    X = np.array([[0.0], [1.0]])
    W, _ = alpha_decay_affinity(X, 1)
    assert_allclose(W.toarray(), np.exp(-1) * (1 - np.eye(2)), rtol=1e-15)


@pytest.mark.parametrize("extra", [0, 1, 100])
def test_size_of_the_first_search_does_not_matter(monkeypatch, extra):
    W, _ = alpha_decay_affinity(FLAT, 5, decay=4)
    monkeypatch.setattr(module, "_EXTRA_NEIGHBORS", extra)
    found, _ = alpha_decay_affinity(FLAT, 5, decay=4)
    assert_array_equal(found.indices, W.indices)
    assert_allclose(found.data, W.data, rtol=1e-12)


@pytest.mark.parametrize("X", [FLAT, WIDE], ids=["tree", "all pairs"])
@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_units(X, scale):
    W, bandwidths = alpha_decay_affinity(X, 5, anisotropy=0.5)
    found, scaled = alpha_decay_affinity(X * scale, 5, anisotropy=0.5)
    assert_allclose(scaled, bandwidths * scale, rtol=1e-12)
    assert_array_equal(found.indices, W.indices)
    assert_allclose(found.data, W.data, rtol=1e-10)


@given(seed=st.integers(0, 1000), decay=st.sampled_from([2.0, 40.0]))
def test_permutation_rotation_translation(seed, decay):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 3))
    order = rng.permutation(30)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    W = alpha_decay_affinity(X, 4, decay=decay)[0].toarray()
    moved = X[order] @ rotation + rng.normal(size=3)
    found = alpha_decay_affinity(moved, 4, decay=decay)[0].toarray()
    assert_allclose(found, W[np.ix_(order, order)], rtol=1e-9, atol=2e-4)
    assert_array_equal(found, found.T)
    # Entries away from the threshold agree closely.
    kept = (found > 2e-4) & (W[np.ix_(order, order)] > 2e-4)
    assert_allclose(found[kept], W[np.ix_(order, order)][kept], rtol=1e-9)


def test_form_of_the_result():
    W, bandwidths = alpha_decay_affinity(FLAT, 5)
    assert isinstance(W, sparse.csr_array)
    assert W.dtype == np.float64
    assert W.has_sorted_indices
    assert W.diagonal().max() == 0
    assert W.data.min() >= 1e-4
    assert_array_equal(check_affinity(W).toarray(), W.toarray())
    assert bandwidths.shape == (70,)
    for n_jobs in (1, 2):
        other, _ = alpha_decay_affinity(FLAT, 5, n_jobs=n_jobs)
        assert_array_equal(other.data, W.data)


@pytest.mark.parametrize("decay", [4.0, 40.0])
def test_precomputed_dense_and_sparse_agree_with_features(decay):
    W, bandwidths = alpha_decay_affinity(FLAT, 5, decay=decay)
    D = pairwise_distances(FLAT)
    G = kneighbors_graph(FLAT, 40, mode="distance")
    for distances in (D, G, sparse.csr_array(G), sparse.csr_array(D)):
        found, eps = alpha_decay_affinity(
            distances, 5, decay=decay, metric="precomputed"
        )
        assert_allclose(eps, bandwidths, rtol=1e-12)
        assert_array_equal(found.indices, W.indices)
        assert_allclose(found.data, W.data, rtol=1e-9)


def test_curved_metric():
    H = reference.hyperboloid(FLAT)
    D = pairwise_distances(H, metric="hyperboloid")
    W, bandwidths = alpha_decay_affinity(H, 5, metric="hyperboloid", decay=5)
    expected, eps = reference.alpha_decay(D, 5, 5)
    assert_allclose(bandwidths, eps, rtol=1e-12)
    assert_allclose(W.toarray(), expected, rtol=1e-10)


def test_duplicates_name_the_remedy():
    X = np.repeat(FLAT[:10], 6, axis=0)
    with pytest.raises(ValueError, match=r"60 bandwidth.*row 0.*Collapse identical"):
        alpha_decay_affinity(X, 5)
    assert alpha_decay_affinity(X, 6)[1].min() > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decay": 0}, "decay must be positive"),
        ({"decay": np.inf}, "decay must be positive and finite"),
        ({"threshold": -0.1}, "threshold must lie in"),
        ({"threshold": 0.2}, "loses its nearest neighbours"),
        ({"threshold": np.nan}, "threshold"),
        ({"anisotropy": 1.5}, "anisotropy must lie"),
        ({"knn_method": "fast"}, "method must be"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        alpha_decay_affinity(FLAT, **options)


def test_too_many_neighbours_warn():
    with pytest.warns(UserWarning, match="n_neighbors=6"):
        W, _ = alpha_decay_affinity(LINE, 6)
    assert_array_equal(W.toarray(), alpha_decay_affinity(LINE, 5)[0].toarray())


@pytest.mark.parametrize("width", [1, 2, 3, 12])
@pytest.mark.parametrize("k", [1, 5, 69])
def test_gaussian_graph(width, k):
    X = np.random.default_rng(1).normal(size=(70, width)) * 7
    expected = reference.gaussian_knn(X, k)
    W = gaussian_knn_affinity(X, k)
    assert_allclose(W.toarray(), expected, rtol=1e-9, atol=1e-300)
    for other in (X * 1e15, X * 1e-15, X - 3.0):
        found = gaussian_knn_affinity(other, k, n_jobs=2)
        assert_allclose(found.toarray(), W.toarray(), rtol=1e-9, atol=1e-300)


def test_gaussian_graph_is_euclidean():
    for metric in ("precomputed", "cityblock", "hyperboloid"):
        with pytest.raises(ValueError, match=r"needs Euclidean points.*alpha_decay"):
            gaussian_knn_affinity(FLAT, metric=metric)
    with pytest.raises(ValueError, match="coincide"):
        gaussian_knn_affinity(np.ones((5, 2)), 2)
    far = np.vstack([FLAT, [[1e9, 0.0]]])
    assert np.isfinite(gaussian_knn_affinity(far, 3).data).all()


def extension(X, new, k, decay, theta=1e-4, **options):
    _, bandwidths = alpha_decay_affinity(X, k, decay=decay, **options)
    index = NeighborIndex.build(X, **options)
    found = alpha_decay_weights(new, index, bandwidths, k, decay=decay, threshold=theta)
    return found, bandwidths


@pytest.mark.parametrize("X", [FLAT, WIDE], ids=["tree", "all pairs"])
@pytest.mark.parametrize("decay", [1.0, 4.0, 40.0])
@pytest.mark.parametrize("theta", [0.0, 1e-4, np.exp(-1) / 2])
def test_weights_of_new_points(X, decay, theta):
    # A loose training point, whose wide bandwidth reaches into the cloud.
    X = np.vstack([X, X[:1] + 20])
    rng = np.random.default_rng(2)
    new = np.vstack([rng.normal(size=(30, X.shape[1])), X[:3], X[-1:] + 0.1])
    (pi, eps_x, neighbors), eps = extension(X, new, 4, decay, theta)
    D = reference.distances(new, X)
    expected = reference.alpha_decay_weights(D, eps, 4, decay, theta)
    assert_allclose(pi.toarray(), expected, rtol=1e-9, atol=1e-12)
    assert_allclose(eps_x, np.sort(D, axis=1)[:, 3], rtol=1e-12, atol=1e-15)
    assert_array_equal(neighbors, np.argsort(D, axis=1)[:, :4])
    assert_allclose(pi.sum(axis=1), 1, rtol=1e-14)


@given(seed=st.integers(0, 10_000), k=st.integers(1, 6), far=st.sampled_from([0, 1e8]))
def test_no_row_of_weights_is_empty(seed, k, far):
    rng = np.random.default_rng(seed)
    X = rng.standard_cauchy(size=(20, 2))
    new = rng.normal(size=(5, 2)) + far
    (pi, _, _), _ = extension(X, new, k, 40.0, np.exp(-1) / 2)
    assert np.isfinite(pi.data).all()
    assert_allclose(pi.sum(axis=1), 1, rtol=1e-14)


@pytest.mark.parametrize("copies", [1, 5])
def test_coinciding_points_share_the_weight(copies):
    X = np.vstack([FLAT, np.repeat(FLAT[:1], copies - 1, axis=0)])
    _, bandwidths = alpha_decay_affinity(X, 6)
    for options in ({}, {"metric": "precomputed"}):
        D = pairwise_distances(X)
        index = NeighborIndex.build(D if options else X, **options)
        rows = [0, 5]
        new = D[rows] if options else X[rows]
        pi, eps_x, _ = alpha_decay_weights(new, index, bandwidths, 4)
        expected = np.zeros((2, X.shape[0]))
        expected[0, [0, *range(70, 70 + copies - 1)]] = 1 / copies
        expected[1, 5] = 1
        assert_allclose(pi.toarray(), expected, rtol=1e-14)
        assert (eps_x[0] == 0) == (copies == 5)


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
@pytest.mark.parametrize("X", [FLAT, WIDE], ids=["tree", "all pairs"])
def test_weights_are_row_by_row(X, scale):
    index = NeighborIndex.build(X[:50] * scale)
    _, bandwidths = alpha_decay_affinity(X[:50] * scale, 5, decay=3)
    new = X[50:] * scale
    whole, _, _ = alpha_decay_weights(new, index, bandwidths, 5, decay=3, n_jobs=2)
    copy = pickle.loads(pickle.dumps(index))
    alone = [
        alpha_decay_weights(row[None], copy, bandwidths, 5, decay=3)[0] for row in new
    ]
    assert_array_equal(sparse.vstack(alone).toarray(), whole.toarray())
    (unscaled, _, _), _ = extension(X[:50], X[50:], 5, 3.0)
    assert_allclose(whole.toarray(), unscaled.toarray(), rtol=1e-9, atol=1e-12)


def test_weights_from_precomputed_and_curved_distances():
    H = reference.hyperboloid(FLAT)
    D = pairwise_distances(H, metric="hyperboloid")
    (a, _, _), _ = extension(H[:50], H[50:], 5, 10.0, metric="hyperboloid")
    (b, _, _), _ = extension(D[:50, :50], D[50:, :50], 5, 10.0, metric="precomputed")
    assert_allclose(a.toarray(), b.toarray(), rtol=1e-12)


def test_weights_errors():
    index = NeighborIndex.build(FLAT)
    with pytest.raises(ValueError, match=r"bandwidths must have shape \(70,\)"):
        alpha_decay_weights(FLAT, index, np.ones(3))
    with pytest.raises(ValueError, match="threshold"):
        alpha_decay_weights(FLAT, index, np.ones(70), threshold=0.3)
    with pytest.warns(UserWarning, match="n_neighbors=71"):
        alpha_decay_weights(FLAT, index, np.ones(70), 71)
