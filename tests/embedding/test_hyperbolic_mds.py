"""HyperbolicMDS: exact recovery, worked numbers, new samples, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.embedding import HyperbolicMDS
from geolearn.metrics import average_distortion, pairwise_distances
from tests.reference import hyperbolic_embedding as reference


def hyperbolic(X):
    return pairwise_distances(X, metric="hyperboloid")


def cloud(n, dim, diameter, seed=0):
    """Distances of points in a ball of hyperbolic space."""
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(n, dim))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    r = rng.uniform(0.0, diameter / 2.0, size=(n, 1))
    return hyperbolic(np.hstack([np.cosh(r), np.sinh(r) * v]))


@pytest.mark.parametrize("solver", ["dense", "arpack"])
@pytest.mark.parametrize("diameter", [4.0, 12.0])
@pytest.mark.parametrize("dim", [2, 5])
def test_exact_distances_are_recovered_and_extended(dim, diameter, solver):
    D = cloud(60, dim, diameter)
    mds = HyperbolicMDS(dim, scale=1.0, eigen_solver=solver).fit(D[:50, :50])
    assert_allclose(hyperbolic(mds.embedding_), D[:50, :50], atol=1e-12)
    new = mds.transform(D[50:, :50])
    found = pairwise_distances(new, mds.embedding_, metric="hyperboloid")
    assert_allclose(found, D[50:, :50], atol=1e-12)
    assert_allclose(mds.transform(D[:50, :50]), mds.embedding_, rtol=1e-9, atol=1e-9)
    assert_array_equal(mds.transform(D[50:51, :50]), new[:1])
    time, space = mds.embedding_[:, 0], mds.embedding_[:, 1:]
    assert_allclose(space.T @ time / (np.abs(space.T) @ time), 0.0, atol=1e-9)
    _, values = reference.h_mds(D[:50, :50], dim)
    assert_allclose(mds.eigenvalues_, values, rtol=1e-9)


@pytest.mark.parametrize(("m", "wanted"), [(3, 1.11273530), (4, 1.16062670)])
def test_star(m, wanted):
    D = reference.star(m)
    mds = HyperbolicMDS(m - 1, scale=1.0).fit(D)
    found = hyperbolic(mds.embedding_)
    assert_allclose(found[0, 1:], wanted, rtol=1e-8)
    assert_allclose(found[1:, 1:], D[1:, 1:], atol=1e-12)
    assert_allclose(mds.distortion_, average_distortion(found, D), rtol=1e-9)


def test_automatic_scale_is_the_best_and_follows_the_units():
    D = reference.star(4)
    auto = HyperbolicMDS().fit(D)
    for reach in (1.0, 2.0, 4.0, 8.0, 16.0):
        assert HyperbolicMDS(scale=reach / 2.0).fit(D).distortion_ >= auto.distortion_
    for unit in (1e-15, 1e15):
        assert_allclose(HyperbolicMDS().fit(D * unit).scale_ * unit, auto.scale_)


def test_landmarks_are_exact_on_exact_distances():
    D = cloud(80, 2, 4.0)
    mds = HyperbolicMDS(scale=1.0, n_landmarks=20, random_state=0).fit(D)
    assert mds.landmark_indices_.size == 20
    assert_allclose(hyperbolic(mds.embedding_), D, atol=1e-11)


def test_missing_eigenvalues_and_large_scales_warn():
    line = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    with pytest.warns(UserWarning, match="1 positive eigenvalues"):
        mds = HyperbolicMDS(3, scale=0.5).fit(line)
    assert_array_equal(mds.embedding_[:, 2:], 0.0)
    with pytest.warns(UserWarning, match="precision does not resolve"):
        HyperbolicMDS(1, scale=5.0).fit(line)
    with pytest.raises(ValueError, match="overflows"):
        HyperbolicMDS(scale=200.0).fit(line)


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ((0, 1), 3.0, "differ"),
        ((1, 1), 1.0, "from itself"),
        ((0, 1), -1.0, "Negative"),
        ((0, 1), np.nan, "NaN"),
    ],
)
def test_bad_distances(entry, value, message):
    D = reference.star(3)
    D[entry] = value
    with pytest.raises(ValueError, match=message):
        HyperbolicMDS().fit(D)


def test_disconnected_points_are_counted():
    D = np.where(np.kron(np.eye(2), np.ones((2, 2))) > 0, 1.0, np.inf)
    np.fill_diagonal(D, 0.0)
    with pytest.raises(ValueError, match="2 connected components"):
        HyperbolicMDS().fit(D)
    with pytest.raises(ValueError, match="square"):
        HyperbolicMDS().fit(np.ones((3, 2)))
