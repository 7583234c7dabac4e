"""PersistentDimension: definition, and dimensions that are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.datasets import make_circle_and_sphere
from geolearn.metrics import pairwise_distances
from geolearn.topology import PersistentDimension
from tests.reference import euclidicity as reference


@pytest.fixture(scope="module")
def wedge():
    """A circle and a sphere that share a point."""
    X, _ = make_circle_and_sphere(1200, random_state=0)
    far = np.linalg.norm(X - [1.0, 0.0, 0.0], axis=1) > 0.6
    on_circle = np.arange(1200) < 600
    return X, far, on_circle


@pytest.fixture(scope="module")
def dimension(wedge):
    return PersistentDimension(49).fit(wedge[0])


def test_circle_and_sphere(wedge, dimension):
    X, far, on_circle = wedge
    local = dimension.local_dimension_
    assert_array_equal(local[far & on_circle], 1.0)
    assert np.mean(local[far & ~on_circle]) == pytest.approx(2.0, abs=0.04)
    assert_array_equal(dimension.transform(X[:5])[:, 0], local[:5])
    assert dimension.dimension_ == np.median(local)


def test_noise_counts_without_a_threshold(wedge):
    X, far, on_circle = wedge
    sphere, near = X[~on_circle], far[~on_circle]
    loose = PersistentDimension(49, threshold=0.0).fit(sphere)
    assert 2.3 < loose.transform(sphere[near][:100]).mean() < 2.8
    mean = PersistentDimension(49, threshold=0.0, aggregate="mean").fit(sphere)
    found = mean.transform(sphere[near][:100])
    assert found.mean() == pytest.approx(2.03, abs=0.06)
    assert len(np.unique(found)) > 5


@pytest.mark.parametrize("aggregate", ["max", "mean"])
@pytest.mark.parametrize("radii", [None, (0.2, 0.6, 0.5, 2.5)], ids=str)
def test_definition(aggregate, radii):
    X = np.random.default_rng(0).normal(size=(80, 3))
    model = PersistentDimension(
        20, radii=radii, n_steps=3, aggregate=aggregate, max_points=12
    ).fit(X)
    for i in range(4):
        to_sample = np.linalg.norm(X - X[i], axis=1)
        order = np.argsort(to_sample)[1:]
        if radii is None:
            order = order[:20]
        near = to_sample[order]
        grid = reference.radii(near) if radii is None else radii
        tops = []
        for r in np.linspace(*grid[:2], 3):
            for s in np.linspace(*grid[2:], 3):
                inside, kept = reference.annulus(near, r, s, 12, model._priority[order])
                if r >= s or len(inside) < 2:
                    continue
                points = X[order[kept]]
                D = np.linalg.norm(points[:, None] - points, axis=2)
                lives = [np.diff(P).max(initial=0.0) for P in reference.diagrams(D, 2)]
                tops.append(3 if lives[2] > 0.1 * s else 2 if lives[1] > 0.1 * s else 1)
        expected = max(tops) if aggregate == "max" else np.mean(tops)
        assert_allclose(model.local_dimension_[i], expected, rtol=1e-14)


def test_highest_degree(wedge):
    X, _, on_circle = wedge
    for degree in (0, 1):
        found = PersistentDimension(49, max_degree=degree).fit(X[~on_circle][:300])
        assert found.dimension_ == degree + 1


def test_queries_metrics_and_workers(wedge):
    X = wedge[0][::6]
    model = PersistentDimension(20, n_steps=3).fit(X)
    found = model.fit_transform(X)
    assert found.shape == (200, 1)
    assert_array_equal(found, model.transform(X))
    assert_array_equal(model.get_feature_names_out(), ["persistentdimension0"])
    assert_array_equal(
        PersistentDimension(20, n_steps=3, n_jobs=2).fit_transform(X), found
    )
    D = pairwise_distances(X)
    matrix = PersistentDimension(20, n_steps=3, metric="precomputed")
    assert_array_equal(matrix.fit_transform(D), found)
    new = X[:3] + 0.05
    assert_array_equal(
        matrix.transform(pairwise_distances(new, X)), model.transform(new)
    )
