"""Where the descent of RieSNE starts."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from geolearn.embedding import _rie_sne_start as start
from geolearn.embedding._rie_sne_start import principal_coordinates, start_embedding
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, Sphere, Torus


def draw():
    return np.random.RandomState(0)


def normal(n=60, d=5):
    return np.random.default_rng(0).normal(size=(n, d)) * np.arange(d, 0, -1.0) ** 2


def components(X, k, *, centred=True):
    """Return principal coordinates by a singular value decomposition."""
    X = X - X.mean(axis=0) if centred else X
    U, s, _ = np.linalg.svd(X, full_matrices=False)
    return (U * s)[:, :k]


def assert_equal_shapes(Y, Z, rtol=1e-6):
    """Compare up to the unit and signs."""
    Y, Z = pdist(Y), pdist(Z)
    np.testing.assert_allclose(Y / Y.max(), Z / Z.max(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("shape", [(60, 5), (12, 30)])
def test_flat_data_take_principal_coordinates(unit, shape):
    X = normal(*shape)
    Y = principal_coordinates(unit * X, Euclidean(shape[1]), 2, rng=draw())
    assert_equal_shapes(Y, components(X, 2))


def test_spheres_take_coordinates_that_are_not_centred():
    X = Sphere(4).random_normal(40, scale=0.5, random_state=0)
    Y = principal_coordinates(X, Sphere(4), 3, centred=False, rng=draw())
    assert_equal_shapes(Y, components(X, 3, centred=False))


def test_matrices_take_tangent_vectors_at_the_mean():
    X = SPD(3).random_normal(40, scale=0.4, random_state=0)
    Y = principal_coordinates(X, SPD(3), 2, rng=draw())
    T = SPD(3).log_vector(SPD(3).frechet_mean(X), X)
    assert_equal_shapes(Y, components(T, 2), rtol=1e-3)  # of a looser mean


def test_distances_take_classical_scaling():
    X = normal()
    Y = principal_coordinates(cdist(X, X), "precomputed", 2, rng=draw())
    assert_equal_shapes(Y, components(X, 2))


def test_other_samples_are_added_to_landmarks(monkeypatch):
    X = normal(300, 2)
    monkeypatch.setattr(start, "_N_LANDMARKS", 50)
    Y = principal_coordinates(cdist(X, X), "precomputed", 2, rng=draw())
    assert_equal_shapes(Y, X, rtol=1e-5)


def test_manifolds_with_cut_points_take_classical_scaling():
    angles = 0.1 * normal(40, 2)
    Y = principal_coordinates(angles % (2 * np.pi), Torus(2), 2, rng=draw())
    assert_equal_shapes(Y, angles, rtol=1e-5)


def test_missing_coordinates_are_noise():
    X = np.linspace(0.0, 1.0, 30)[:, None] @ [[1.0, 2.0]]
    Y = principal_coordinates(X, Euclidean(2), 4, rng=draw())
    size = Y.std(axis=0)
    assert np.all(size[1:] > 0.001 * size[0])
    assert np.all(size[1:] < 0.1 * size[0])


@pytest.mark.parametrize(
    ("target", "spread"), [(Euclidean(2), 1e-4), (Hyperboloid(2), 1e-2), (SPD(2), 1e-2)]
)
def test_starts_are_small(target, spread):
    Y = start_embedding("pca", normal(), Euclidean(5), target, rng=draw())
    T = target.log_vector(target.origin, Y)
    assert T[:, 0].std() == pytest.approx(spread, rel=1e-6)
    Y = start_embedding("random", normal(), Euclidean(5), target, rng=draw())
    T = target.log_vector(target.origin, Y)
    assert T.std() == pytest.approx(spread, rel=0.3)


def test_samples_at_the_centre_go_anywhere_on_the_sphere():
    X = normal()
    X[:2] = -X[2:].sum(axis=0) / (len(X) - 2)  # then the mean is not there
    X -= X.mean(axis=0)
    X = np.vstack([X, -X, np.zeros((3, 5))])
    Y = start_embedding("pca", X, Euclidean(5), Sphere(2), rng=draw())
    np.testing.assert_allclose(np.linalg.norm(Y, axis=1), 1.0)
    assert pdist(Y[-3:]).min() > 1e-3


def test_random_starts_cover_the_sphere():
    Y = start_embedding("random", normal(500), Euclidean(5), Sphere(2), rng=draw())
    assert np.abs(Y.mean(axis=0)).max() < 0.1
