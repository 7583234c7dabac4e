"""New samples in an embedding that stays as it is."""

import numpy as np
import pytest

from geolearn.embedding import RieSNE
from geolearn.manifolds import Euclidean, Sphere

QUICK = {"perplexity": 8.0, "max_iter": 200, "early_exaggeration_iter": 60}


def clusters(n=90, seed=0):
    """Return points of a sphere around three centres, and their labels."""
    sphere, y = Sphere(4), np.arange(n) % 3
    centres = sphere.random_point(3, random_state=3)[y]
    tangent = sphere.random_tangent(centres, scale=0.15, random_state=seed)
    return sphere.exp(centres, tangent), y


@pytest.fixture(scope="module", params=["euclidean", "sphere", "hyperboloid"])
def fitted(request):
    X, y = clusters()
    return RieSNE(Sphere(4), target=request.param, random_state=0, **QUICK).fit(X), X, y


def test_new_samples_join_their_cluster(fitted):
    sne, _, y = fitted
    new, labels = clusters(30, seed=7)
    D = sne.target_manifold_.pairwise_distances(sne.transform(new), sne.embedding_)
    assert np.mean(y[D.argmin(axis=1)] == labels) == 1.0


def test_samples_near_training_samples_land_near_them(fitted):
    sne, X, _ = fitted
    moved = Sphere(4).exp(X, Sphere(4).random_tangent(X, scale=1e-3, random_state=1))
    target = sne.target_manifold_
    off = target.dist(sne.transform(moved), sne.embedding_)
    spread = np.median(target.pairwise_distances(sne.embedding_))
    assert np.median(off) < 0.05 * spread


def test_training_samples_get_their_points(fitted):
    sne, X, _ = fitted
    np.testing.assert_array_equal(sne.transform(X), sne.embedding_)
    np.testing.assert_array_equal(sne.transform(X[[4]]), sne.embedding_[[4]])


def test_rows_do_not_see_each_other_and_fit_stays(fitted):
    sne, _, _ = fitted
    before = sne.embedding_.copy()
    new, _ = clusters(12, seed=5)
    together = sne.transform(new)
    single = np.concatenate([sne.transform(new[i : i + 1]) for i in range(12)])
    np.testing.assert_allclose(together, single, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(sne.embedding_, before)


def test_given_distances_place_like_points():
    sphere = Sphere(4)
    X, _ = clusters()
    new, _ = clusters(12, seed=5)
    D, L = sphere.pairwise_distances(X, return_log_volume=True)
    D_new, L_new = sphere.pairwise_distances(new, X, return_log_volume=True)
    start = Euclidean(2).random_normal(90, random_state=0)
    points = RieSNE(sphere, init=start, **QUICK).fit(X)
    given = RieSNE("precomputed", init=start, **QUICK).fit(D, log_volume_density=L)
    given._frame = points._frame  # rounding has grown in the descent
    np.testing.assert_allclose(
        given.transform(D_new, log_volume_density=L_new),
        points.transform(new),
        rtol=1e-5,
        atol=1e-5,
    )
    np.testing.assert_array_equal(
        given.transform(D, log_volume_density=L), given.embedding_
    )


@pytest.mark.parametrize("n", [4, 9])
def test_few_training_samples(n):
    X, _ = clusters(n)
    sne = RieSNE(Sphere(4), perplexity=2.0, max_iter=20, random_state=0).fit(X)
    assert np.isfinite(sne.transform(clusters(3, seed=8)[0])).all()
