import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from geolearn.graph import select_landmarks
from geolearn.metrics import pairwise_distances
from tests.reference import graph as reference

X = np.random.default_rng(0).normal(size=(80, 3))
METHODS = ["random", "kmeans++", "farthest"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("m", [1, 2, 17, 80])
def test_sorted_distinct_and_seeded(method, m):
    chosen = select_landmarks(m, X=X, method=method, random_state=3)
    assert chosen.shape == (m,)
    assert (np.diff(chosen) > 0).all()
    assert chosen.dtype.kind == "i"
    again = select_landmarks(m, X=X, method=method, random_state=3, n_jobs=2)
    assert_array_equal(chosen, again)
    if m == 17:
        other = select_landmarks(m, X=X, method=method, random_state=4)
        assert not np.array_equal(chosen, other)


@pytest.mark.parametrize("method", METHODS)
def test_every_component_has_one(method):
    labels = np.array(["a"] * 70 + ["b", "c"] + ["d"] * 8)
    for m in (4, 5, 30):
        for seed in range(5):
            chosen = select_landmarks(
                m, X=X, labels=labels, method=method, random_state=seed
            )
            assert set(labels[chosen]) == {"a", "b", "c", "d"}
            assert np.unique(chosen).size == m


@pytest.mark.parametrize("method", METHODS)
def test_precomputed_and_other_metrics(method):
    H = reference.hyperboloid(X)
    D = pairwise_distances(H, metric="hyperboloid")
    options = {"method": method, "random_state": 0}
    assert_array_equal(
        select_landmarks(9, X=H, metric="hyperboloid", **options),
        select_landmarks(9, X=D, metric="precomputed", **options),
    )


def test_random_is_uniform():
    counts = np.zeros(10)
    for seed in range(2000):
        counts[select_landmarks(3, n_samples=10, random_state=seed)] += 1
    # Mean 600, standard deviation sqrt(2000 * .3 * .7) = 20.5: five of them.
    assert np.abs(counts - 600).max() < 103


def test_farthest_points_cover():
    chosen = select_landmarks(12, X=X, method="farthest", random_state=0)
    D = pairwise_distances(X)
    radius = D[:, chosen].min(axis=1).max()
    between = D[np.ix_(chosen, chosen)] + np.diag(np.full(12, np.inf))
    assert between.min() >= radius  # greedy: no two closer than the covering radius


def test_kmeans_plusplus_draws_by_squared_distance():
    D = pairwise_distances(np.array([[0.0], [1.0], [3.0]]))
    counts = np.zeros((3, 3))
    for seed in range(2000):
        rng = np.random.RandomState(seed)
        first = rng.permutation(3)[0]  # what the function draws first
        pair = select_landmarks(
            2, X=D, metric="precomputed", method="kmeans++", random_state=seed
        )
        counts[first, np.setdiff1d(pair, [first])[0]] += 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    # From 0: 1 and 9 of 10; from 1: 1 and 4 of 5; from 3: 9 and 4 of 13.
    expected = np.array([[0, 0.1, 0.9], [0.2, 0, 0.8], [9 / 13, 4 / 13, 0]])
    assert np.abs(shares - expected).max() < 0.05


@pytest.mark.parametrize("scale", [1e-200, 1e-15, 1e15])
@pytest.mark.parametrize("method", METHODS)
def test_units(method, scale):
    options = {"method": method, "random_state": 0}
    D = pairwise_distances(X)
    assert_array_equal(
        select_landmarks(9, X=D * scale, metric="precomputed", **options),
        select_landmarks(9, X=D, metric="precomputed", **options),
    )


@pytest.mark.parametrize("method", METHODS)
def test_duplicates_and_infinite_distances(method):
    same = np.zeros((20, 2))
    chosen = select_landmarks(7, X=same, method=method, random_state=0)
    assert np.unique(chosen).size == 7
    D = np.full((20, 20), np.inf)
    np.fill_diagonal(D, 0)
    chosen = select_landmarks(7, X=D, metric="precomputed", method=method)
    assert np.unique(chosen).size == 7


def test_errors():
    with pytest.raises(ValueError, match="method must be"):
        select_landmarks(3, X=X, method="grid")
    with pytest.raises(ValueError, match="needs X"):
        select_landmarks(3, n_samples=9, method="farthest")
    with pytest.raises(ValueError, match="needs X"):
        select_landmarks(3)
    for m in (0, 81, 2.5):
        with pytest.raises(ValueError, match=f"n_landmarks={m}"):
            select_landmarks(m, X=X)
    with pytest.raises(ValueError, match="components, 80"):
        select_landmarks(3, X=X, labels=np.arange(80))
    with pytest.raises(ValueError, match=r"labels must have shape \(80,\)"):
        select_landmarks(3, X=X, labels=np.arange(8))
    G = sparse.csr_array((5, 5))
    with pytest.raises(ValueError, match="pass dense ones"):
        select_landmarks(3, X=G, metric="precomputed", method="farthest")
    assert select_landmarks(3, X=G, metric="precomputed").size == 3
