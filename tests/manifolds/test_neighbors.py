"""Exact neighbours by tangent lower bounds, against sorting all distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import config
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.manifolds import (
    SPD,
    Euclidean,
    Grassmann,
    Hyperboloid,
    ProductManifold,
    SiegelBall,
)
from geolearn.manifolds import _search as search
from geolearn.manifolds.special import log_sinhc
from geolearn.metrics import kneighbors

pytestmark = pytest.mark.kernels
RNG = np.random.default_rng(0)
SIZE = 24 if config.DISABLE_JIT else 80


def sorted_neighbors(D, k, *, within=True):
    """Sort whole rows, ties by index."""
    D = D.copy()
    if within:
        np.fill_diagonal(D, np.inf)
    indices = np.argsort(D, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(D, indices, axis=1), indices


def check_same(manifold, X, k, Y=None, **options):
    """Compare with the table of distances, bit for bit."""
    D, L = manifold.pairwise_distances(X, Y, return_log_volume=True)
    distances, indices = sorted_neighbors(D, k, within=Y is None)
    found = manifold.kneighbors(X, Y, k, return_log_volume=True, **options)
    assert_array_equal(found[1], indices)
    assert_array_equal(found[0], distances)
    assert_array_equal(found[2], np.take_along_axis(L, indices, axis=1))
    assert found[1].dtype == np.intp
    others = kneighbors(X, Y, k, metric=manifold)
    assert_array_equal(others[0], distances)
    assert_array_equal(others[1], indices)


def cloud(manifold, n, scale, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, manifold.dim))
    return manifold.exp_vector(manifold.origin, scale * vectors)


def evaluations(monkeypatch):
    """Count the pairs that are evaluated."""
    counts = []
    call = search.Unordered.__call__

    def counted(self, i, j):
        counts.append(len(i))
        return call(self, i, j)

    monkeypatch.setattr(search.Unordered, "__call__", counted)
    return counts


@pytest.mark.parametrize("n", [1, 2, 6])
@pytest.mark.parametrize("scale", [1e-9, 0.3, 4.0])
def test_same_as_sorting(n, scale):
    if config.DISABLE_JIT and n > 2:
        pytest.skip("takes half a minute without JIT")
    manifold = SPD(n)
    X = cloud(manifold, SIZE, scale)
    if n == 6 and scale == 4.0:
        X = manifold.project(X)  # condition numbers near 1e17
    check_same(manifold, X, 7)
    check_same(manifold, X, SIZE - 1)
    check_same(manifold, X[:15], 5, X[15:])
    check_same(manifold, X[15:], 5, X[:15])


@pytest.mark.parametrize(
    "manifold",
    [
        SPD(3, alpha=2.5, beta=0.7),
        SPD(3, alpha=2.0, beta=-0.6),
        SPD(3, power=0.5),
        SPD(3, power=-2.0),
    ],
    ids=repr,
)
def test_families(manifold):
    X = cloud(SPD(3), SIZE // 2, 0.4)
    check_same(manifold, X, 6)
    check_same(manifold, X[:9], 3, X[9:])


def clusters():
    """Tight clusters far apart: bounds and distances differ by large factors."""
    manifold = SPD(3)
    centres = cloud(manifold, 6, 3.0)
    near = 1e-3 * RNG.normal(size=(6, SIZE // 8, manifold.dim))
    return manifold.exp_vector(centres[:, None], near).reshape(-1, 3, 3)


def outliers():
    X = cloud(SPD(3), SIZE, 0.2)
    far = RNG.normal(size=(len(X[::10]), 1, 1))
    X[::10] *= np.exp(12.0 * far)
    return X


def correlated():
    """Nearly singular: whitening loses six digits."""
    F = RNG.normal(size=(SIZE, 3, 4))
    F[:, 2] = F[:, 0] + F[:, 1] + 1e-3 * F[:, 2]
    return F @ np.swapaxes(F, 1, 2)


def units():
    S = np.diag([1e-9, 1.0, 1e9])
    return S @ cloud(SPD(3), SIZE, 0.5) @ S


def ties():
    X = cloud(SPD(3), SIZE // 4, 0.5)
    return np.concatenate([X, X[::-1], np.eye(3)[None], X])


def commuting():
    # Bounds are distances here; many are equal.
    grid = np.stack(np.meshgrid(*3 * [np.arange(3.0)]), axis=-1).reshape(-1, 3)
    return np.exp(grid)[:, :, None] * np.eye(3)


@pytest.mark.parametrize(
    "points", [clusters, outliers, correlated, units, ties, commuting]
)
def test_adversarial_spreads(points):
    X = points()
    check_same(SPD(3), X, 1)
    check_same(SPD(3), X, 9)
    check_same(SPD(3), X[::2], 9, X[1::2])


@settings(max_examples=5 if config.DISABLE_JIT else 40)
@given(st.integers(0, 10**6), st.floats(0.01, 3.0), st.integers(1, 15))
def test_any_cloud(seed, scale, k):
    check_same(SPD(2), cloud(SPD(2), 20, scale, seed), k)


def test_few_pairs_are_evaluated(monkeypatch):
    manifold = SPD(2)
    X = cloud(manifold, 8 * SIZE, 0.5)
    counts = evaluations(monkeypatch)
    manifold.kneighbors(X, n_neighbors=10)
    assert sum(counts) < 60 * len(X)  # of 8 SIZE - 1
    assert sum(counts) >= 10 * len(X)


def test_blocks_and_threads_change_no_bit(monkeypatch):
    manifold = SPD(3)
    X = cloud(manifold, SIZE, 0.5)
    expected = manifold.kneighbors(X, n_neighbors=8, return_log_volume=True)
    again = manifold.kneighbors(X, n_neighbors=8, return_log_volume=True, n_jobs=2)
    monkeypatch.setattr(search, "_BLOCK_BYTES", 8 * SIZE * 7)
    blocks = manifold.kneighbors(X, n_neighbors=8, return_log_volume=True)
    for a, b, c in zip(expected, again, blocks, strict=True):
        assert_array_equal(a, b)
        assert_array_equal(a, c)


def test_margins_cover_the_errors():
    # Bounds without margins would exclude pairs whose distance they equal.
    X = commuting()
    manifold = SPD(3)
    tangents = manifold._tangents(X, X, None)
    gaps = tangents.vectors[:, None] - tangents.vectors
    bounds = np.linalg.norm(gaps, axis=-1)
    margin = tangents.slack[:, None] + tangents.slack
    D = manifold.pairwise_distances(X)
    assert (bounds > D).any()
    assert (bounds - margin <= D).all()


@pytest.mark.parametrize("points", [clusters, outliers, correlated, units])
def test_bounds_are_below_distances(points):
    X, manifold = points(), SPD(3)
    tangents = manifold._tangents(X, X, None)
    gaps = tangents.vectors[:, None] - tangents.vectors
    margin = tangents.slack[:, None] + tangents.slack
    D = manifold.pairwise_distances(X)
    assert (np.linalg.norm(gaps, axis=-1) - margin <= D).all()


@pytest.mark.parametrize(
    "manifold",
    [
        SiegelBall(2),
        ProductManifold([SPD(2), Hyperboloid(2), Euclidean(2)], [1.0, 2.0, 0.5]),
    ],
    ids=["Siegel", "product"],
)
def test_other_hadamard_manifolds(manifold, monkeypatch):
    assert manifold.is_hadamard
    X = manifold.random_point(SIZE, random_state=0)
    counts = evaluations(monkeypatch)
    D, L = manifold.pairwise_distances(X, return_log_volume=True)
    distances, indices = sorted_neighbors(D, 5)
    found = manifold.kneighbors(X, n_neighbors=5, return_log_volume=True)
    assert_array_equal(found[1], indices)
    assert_allclose(found[0], distances, rtol=1e-12)
    expected = np.take_along_axis(L, indices, axis=1)
    assert_allclose(found[2], expected, rtol=1e-9, atol=1e-11)
    assert 0 < sum(counts) < SIZE * (SIZE - 1)
    D = manifold.pairwise_distances(X[:9], X[9:])
    distances, indices = sorted_neighbors(D, 5, within=False)
    found = manifold.kneighbors(X[:9], X[9:], n_neighbors=5)
    assert_array_equal(found[1], indices)
    assert_allclose(found[0], distances, rtol=1e-12)


@pytest.mark.parametrize(
    "manifold",
    [
        SPD(3, "bures_wasserstein"),
        SPD(3, "log_euclidean"),
        SPD(3, "stein"),
        Grassmann(4, 2),
    ],
    ids=repr,
)
def test_manifolds_without_bounds(manifold):
    X = manifold.random_point(40, random_state=0)
    D = manifold.pairwise_distances(X)
    distances, indices = sorted_neighbors(D, 5)
    found = manifold.kneighbors(X, n_neighbors=5)
    assert_array_equal(found[1], indices)
    assert_allclose(found[0], distances, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 0.5, 5.0, 60.0])
def test_volume_of_log_eigenvalues(scale):
    from geolearn.manifolds.spd._neighbor_kernels import log_volume_of

    mu = scale * np.random.default_rng(0).normal(size=(50, 7))
    i, j = np.triu_indices(7, 1)
    expected = np.sum(log_sinhc(0.5 * (mu[:, i] - mu[:, j])), axis=1)
    assert_allclose(log_volume_of(mu, None), expected, rtol=1e-13)


def test_volume_of_far_pairs():
    from geolearn.manifolds.spd._neighbor_kernels import log_volume_of

    mu = np.array([[-650.0, 0.0, 650.0], [0.0, 0.0, 0.0]])
    expected = log_sinhc(650.0) + 2.0 * log_sinhc(325.0)
    assert_allclose(log_volume_of(mu, None), [expected, 0.0], rtol=1e-14)


def test_tables_with_volumes():
    manifold = SPD(4)
    X = cloud(manifold, 30, 0.6)
    D, L = manifold.pairwise_distances(X, return_log_volume=True)
    assert_array_equal(D, manifold.pairwise_distances(X))
    expected = manifold.log_volume_density(X[:, None], X[None])
    assert_allclose(L, expected, rtol=1e-10, atol=1e-13)
    assert_array_equal(L, L.T)
    out = np.empty((30, 30))
    assert manifold.pairwise_distances(X, return_log_volume=True, out=out)[0] is out
    D, L = manifold.pairwise_distances(X[:9], X[9:], return_log_volume=True)
    assert_array_equal(D, manifold.pairwise_distances(X[:9], X[9:]))
    assert_allclose(L, expected[:9, 9:], rtol=1e-10, atol=1e-13)


def test_errors():
    X = cloud(SPD(3), 10, 0.3)
    with pytest.raises(ValueError, match="n_neighbors=10 must lie between 1 and 9"):
        SPD(3).kneighbors(X, n_neighbors=10)
    with pytest.raises(ValueError, match="not positive definite"):
        SPD(3).kneighbors(X - 5.0 * np.eye(3), n_neighbors=2)
    with pytest.raises(ValueError, match="NaN"):
        SPD(3).kneighbors(X * np.nan, n_neighbors=2)
