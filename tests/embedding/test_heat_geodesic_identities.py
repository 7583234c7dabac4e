"""Identities and printed numbers that HeatGeodesicEmbedding must reproduce."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import special_ortho_group

from geolearn.embedding import HeatGeodesicEmbedding
from tests.reference import graph, mds
from tests.reference import heat_geodesic as reference

N = 40
CHAIN = np.array([[0.0], [1.0], [3.0], [6.0], [10.0], [15.0]])
# Specification of the method, section 7, worked example: all digits shown are valid.
CHAIN_OPTIONS = {"n_neighbors": 2, "decay": 2, "random_state": 0}
BANDWIDTHS = [3.0, 2.0, 3.0, 4.0, 5.0, 9.0]
DEGREES = [1.306803, 1.511175, 1.498336, 1.271150, 1.100077, 0.898333]
HEAT_ROWS = {
    0.5: [0.64088137, 0.19223998, 0.09916526, 0.02732569, 0.00820010, 0.01415277],
    2.0: [0.30571186, 0.27370530, 0.19459168, 0.09789029, 0.05386032, 0.05503516],
}
DISSIMILARITY_ROWS = {
    (0.5, 0.0): [1.81604560, 2.14986861, 2.68325472, 3.09955114, 2.91816550],
    (0.5, 1.0): [1.55375270, 1.92831775, 2.50891994, 2.95298032, 2.75961924],
    (2.0, 1.0): [1.06567251, 1.79997762, 2.92967286, 3.72913387, 3.63861348],
}
TRIPLET_ROW = [0.62647005, 1.24003685, 2.11803180, 2.66787410, 2.60976363]


def cloud(seed=0):
    return np.random.default_rng(seed).uniform(size=(N, 3)) * [3.0, 2.0, 1.0]


def dissimilarity(X, **options):
    options = {"n_neighbors": 6, "t": 6.0, "mds_solver": "classical", **options}
    return HeatGeodesicEmbedding(random_state=0, **options).fit(X).dissimilarity_


@pytest.mark.parametrize(("t", "sigma"), DISSIMILARITY_ROWS, ids=str)
def test_worked_example(t, sigma):
    embedder = HeatGeodesicEmbedding(t=t, volume_correction=sigma, **CHAIN_OPTIONS)
    embedder.fit(CHAIN)
    assert_allclose(embedder.bandwidths_, BANDWIDTHS, rtol=1e-14)
    assert_allclose(embedder.degrees_, DEGREES, atol=5.1e-7)
    assert_allclose(embedder.landmark_heat_[0], HEAT_ROWS[t], atol=5.1e-9)
    assert_allclose(embedder.heat_diagonal_[0], HEAT_ROWS[t][0], atol=5.1e-9)
    row = DISSIMILARITY_ROWS[t, sigma]
    assert_allclose(embedder.dissimilarity_[0], [0.0, *row], atol=5.1e-9)


def test_worked_example_to_its_smallest_stress():
    embedder = HeatGeodesicEmbedding(t=2.0, mds_solver="smacof", **CHAIN_OPTIONS)
    embedder.set_params(mds_tol=1e-14, mds_max_iter=10_000).fit(CHAIN)
    assert_allclose(embedder.stress_, 0.068786, atol=5.1e-7)
    stress = mds.stress(embedder.dissimilarity_, embedder.embedding_)
    assert_allclose(stress, 0.492768, atol=5.1e-7)


def test_worked_example_of_the_triplet_distance():
    embedder = HeatGeodesicEmbedding(t=2.0, denoising=1.0, **CHAIN_OPTIONS)
    D = embedder.fit(CHAIN).dissimilarity_
    assert_allclose(D[0], [0.0, *TRIPLET_ROW], atol=5.1e-9)


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3))
def test_motions_and_units_of_the_data_change_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    X = cloud(seed)
    moved = scale * (X @ special_ortho_group.rvs(3, random_state=seed).T)
    moved += 3.0 * scale * rng.standard_normal(3)
    assert_allclose(dissimilarity(moved), dissimilarity(X), rtol=1e-7, atol=1e-6)


@settings(max_examples=8)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_samples_does_not_matter(seed):
    X, order = cloud(seed), np.random.default_rng(seed).permutation(N)
    D = dissimilarity(X)
    assert_allclose(
        dissimilarity(X[order]), D[np.ix_(order, order)], rtol=1e-7, atol=1e-6
    )


@pytest.mark.parametrize("c", [1e-6, 0.3, 1e6])
def test_a_factor_of_the_affinities(c):
    W, _ = graph.alpha_decay(graph.distances(cloud()), 6)
    options = {"affinity": "precomputed", "t": 4.0}
    assert_allclose(
        dissimilarity(c * W, **options), dissimilarity(W, **options), rtol=1e-7
    )
    # combinatorial: D_t(c W) = D_{c t}(W) / sqrt(c)
    options = {"affinity": "precomputed", "laplacian": "combinatorial"}
    assert_allclose(
        dissimilarity(c * W, t=0.5 / c, **options),
        dissimilarity(W, t=0.5, **options) / np.sqrt(c),
        rtol=1e-6,
    )


def test_squared_distances_fully_denoised_are_phate_with_a_heat_kernel():
    # |log H_i - log H_j| = |D^2_i - D^2_j| / 4t with the true diagonal of D^2, which
    # the estimator sets to 0: the identity holds up to that diagonal.
    X, t = cloud(), 6.0
    H = reference.heat(graph.alpha_decay(graph.distances(X), 6)[0], t)
    logs = np.log(H)
    np.fill_diagonal(logs, 0.0)
    expected = 4 * t * graph.distances(logs) / np.sqrt(N)
    D = dissimilarity(X, power=2.0, denoising=1.0, volume_correction=0.0)
    assert_allclose(D, expected, rtol=1e-7, atol=1e-6)
    phate = graph.distances(np.log(H))
    assert np.corrcoef(D.ravel(), phate.ravel())[0, 1] > 0.98


def test_automatic_time_of_the_authors_grid():
    embedder = HeatGeodesicEmbedding(n_neighbors=6, random_state=0).fit(cloud())
    assert_allclose(embedder.t_grid_, np.linspace(0.05, 200, 10))
    assert_allclose(embedder.t_, embedder.t_grid_[1])
    W = embedder.affinity_matrix_.toarray()
    for t, S in zip(embedder.t_grid_[:3], embedder.entropies_, strict=False):
        H = reference.heat(W, t)
        assert_allclose(S, -(H * np.log(H)).sum(), rtol=1e-6)


def test_a_grid_of_ones_own():
    grid = [1.0, 2.0, 3.0, 40.0]
    embedder = HeatGeodesicEmbedding(n_neighbors=6, t_grid=grid, random_state=0)
    embedder.fit(cloud())
    assert embedder.t_ in grid
    assert_allclose(embedder.t_grid_, grid)


@pytest.mark.parametrize("laplacian", ["normalized", "combinatorial"])
def test_relaxation_time(laplacian):
    X = np.c_[np.linspace(0, 30, 60), np.random.default_rng(0).uniform(size=60)]
    options = {"n_neighbors": 5, "laplacian": laplacian, "random_state": 0}
    embedder = HeatGeodesicEmbedding(t="relaxation", **options).fit(X)
    W = embedder.affinity_matrix_.toarray()
    second = np.linalg.eigvalsh(graph.laplacian(W, normalized=True))[1]
    unit = W.sum(axis=1).mean() if laplacian == "combinatorial" else 1.0
    assert_allclose(embedder.relaxation_time_, 0.5 / second / unit, rtol=1e-6)
    assert 20.0 < 0.5 / second < 2000.0
    assert_allclose(embedder.t_, embedder.relaxation_time_)
    assert not hasattr(embedder, "entropies_")


@pytest.mark.parametrize("laplacian", ["normalized", "combinatorial"])
def test_short_relaxation_times_are_raised_to_20(laplacian):
    # 20 in the units of the normalised Laplacian
    embedder = HeatGeodesicEmbedding(
        t="relaxation", n_neighbors=16, laplacian=laplacian, random_state=0
    ).fit(cloud())
    unit = embedder.degrees_.mean() if laplacian == "combinatorial" else 1.0
    assert embedder.relaxation_time_ * unit < 20.0
    assert_allclose(embedder.t_ * unit, 20.0, rtol=1e-12)
