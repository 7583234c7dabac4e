"""Affinities of more points than an exact search is made for."""

import numpy as np
import pytest
from numba import config
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.graph import _brownian_candidates as candidates
from geolearn.graph import brownian_affinities
from geolearn.manifolds import SPD, Grassmann, SpecialOrthogonal, Sphere


@pytest.mark.skipif(config.DISABLE_JIT, reason="pynndescent needs minutes without JIT")
@pytest.mark.parametrize(
    "manifold",
    [SPD(3), SPD(3, "bures_wasserstein"), Grassmann(4, 2), SpecialOrthogonal(3)],
    ids=repr,
)
def test_candidates_of_many_points(manifold, monkeypatch):
    monkeypatch.setattr(candidates, "_MOST_EXACT", 100)
    X = manifold.random_point(250, random_state=0)
    options = {"perplexity": 4, "affinity": "knn", "random_state": 0}
    A = brownian_affinities(X, manifold, **options)
    assert_allclose(A.conditional.sum(axis=1), 1.0, rtol=1e-13)
    monkeypatch.setattr(candidates, "_MOST_EXACT", 1000)
    B = brownian_affinities(X, manifold, **options)
    assert A.volume_correction == B.volume_correction
    # Approximate neighbours are nearly the exact ones, their affinities exact.
    distance = 0.5 * abs(A.conditional - B.conditional).sum(axis=1)
    assert np.mean(distance) < 0.02
    same = (A.conditional > 0).toarray() == (B.conditional > 0).toarray()
    rows = same.all(axis=1)
    assert rows.mean() > 0.7
    assert_allclose(
        A.conditional.toarray()[rows], B.conditional.toarray()[rows], atol=1e-12
    )


class FailingIndex:
    """A search that finds too few, itself, and the same point twice."""

    def __init__(self, X, width, metric, **options):
        self.neighbor_graph = (np.tile(np.arange(width) // 3, (len(X), 1)) - 1,)


@pytest.mark.parametrize("with_volume", [False, True])
def test_rows_without_candidates_are_searched(monkeypatch, with_volume):
    monkeypatch.setattr(candidates, "build_index", FailingIndex)
    manifold = SPD(3)
    X = manifold.random_point(30, random_state=0)
    found = candidates.approximate_neighbors_of_points(X, manifold, 9, with_volume)
    expected = manifold.kneighbors(X, n_neighbors=9, return_log_volume=with_volume)
    assert len(found) == len(expected)
    assert_array_equal(found[1], expected[1])
    for ours, theirs in zip(found, expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)


def test_only_slow_metrics_need_candidates():
    X = np.empty((20_001, 4))
    assert not candidates.needs_candidates(X, Sphere(3))
    assert not candidates.needs_candidates(X, SPD(2, "log_euclidean"))
    assert candidates.needs_candidates(X, SPD(2))
    assert not candidates.needs_candidates(X[1:], SPD(2))
