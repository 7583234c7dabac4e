"""RieSNE on data whose shape is known: divergences and trustworthiness."""

import numpy as np
import pytest

from geolearn.embedding import RieSNE
from geolearn.manifolds import SPD, Sphere
from geolearn.metrics import trustworthiness

pytestmark = pytest.mark.slow


def sphere_in_sphere(n=600, seed=1):
    """Return noisy points of S^2 in S^5."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n, 6))
    X[:, :3] = Sphere(2).project(rng.normal(size=(n, 3)))
    return Sphere(5).project(X + 0.03 * rng.normal(size=X.shape))


def window_covariances(n=400, seed=0):
    """Return covariances of ten series in a sliding window."""
    rng = np.random.default_rng(seed)
    common, own, loading = 0.0, np.zeros(10), rng.uniform(0.5, 1.0, size=10)
    returns = np.empty((n + 19, 10))
    for row in returns:
        common = 0.98 * common + 0.15 * rng.normal()
        own = 0.97 * own + 0.15 * rng.normal(size=10)
        row[:] = np.exp(common) * loading * rng.normal()
        row += np.exp(own) * rng.normal(size=10)
    return np.stack([np.cov(0.03 * returns[i : i + 20].T) for i in range(n)])


def rated(sne, manifold, X):
    D = sne.target_manifold_.pairwise_distances(sne.embedding_)
    return sne.kl_divergence_, trustworthiness(manifold.pairwise_distances(X), D, 15)


# Bounds: the values of an independent prototype, 0.01 above its divergence and 0.003
# below its trustworthiness; the plane must tear the sphere, which depends on the data.
@pytest.mark.parametrize(
    ("options", "kl", "trust"),
    [
        ({}, 0.61, 0.995),
        ({"target": "sphere"}, 0.517, 0.9958),
        ({"target": "sphere", "kernel": "brownian"}, 0.022, 0.9969),
        (
            {"target": "sphere", "kernel": "vmf", "kernel_scale": 1.0},
            2.19,
            0.9961,
        ),
    ],
)
def test_a_sphere_is_found_in_a_sphere(options, kl, trust):
    X = sphere_in_sphere()
    sne = RieSNE(Sphere(5), random_state=0, **options).fit(X)
    found = rated(sne, Sphere(5), X)
    assert found[0] < kl
    assert found[1] > trust


def test_time_is_seen_in_covariances_and_the_correction_falls_back():
    X = window_covariances()
    with pytest.warns(UserWarning, match="falling back"):
        sne = RieSNE("spd", random_state=0).fit(X)
    assert sne.volume_correction_ == "none"
    kl, trust = rated(sne, SPD(10), X)
    assert kl < 0.3
    assert trust > 0.995


def test_both_starts_reach_the_same_divergence():
    X = sphere_in_sphere()
    values = [
        RieSNE(Sphere(5), target="sphere", kernel="brownian", init=init, random_state=0)
        .fit(X)
        .kl_divergence_
        for init in ("pca", "random")
    ]
    assert np.ptp(values) < 0.01
