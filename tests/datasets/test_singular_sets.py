"""Sets with singular points: where the points lie and how they are labelled."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.datasets import (
    make_circle_and_sphere,
    make_crossing_planes,
    make_pinched_torus,
    make_wedged_spheres,
)

ALL = [
    make_circle_and_sphere,
    make_crossing_planes,
    make_pinched_torus,
    make_wedged_spheres,
]


def test_wedged_spheres():
    for dim in (1, 3):
        data = make_wedged_spheres(2001, dim=dim, random_state=0, return_X_y=False)
        assert data.X.shape == (2001, dim + 1)
        assert_array_equal(np.bincount(data.piece), [1000, 1001])
        touch = np.eye(dim + 1)[0]
        for piece in range(2):
            sphere = data.clean[data.piece == piece] - 2.0 * piece * touch
            assert_allclose(np.linalg.norm(sphere, axis=1), 1.0, rtol=1e-13)
            assert np.abs(sphere.mean(axis=0)).max() < 0.08
        assert_allclose(data.distance, np.linalg.norm(data.clean - touch, axis=1))


def test_circle_and_sphere():
    data = make_circle_and_sphere(1001, random_state=0, return_X_y=False)
    circle, sphere = (data.clean[data.piece == piece] for piece in range(2))
    assert circle.shape[0] == 500
    assert_array_equal(circle[:, 2], 0.0)
    assert_allclose(np.linalg.norm(circle, axis=1), 1.0, rtol=1e-14)
    assert_allclose(np.linalg.norm(sphere - [2.0, 0.0, 0.0], axis=1), 1.0, rtol=1e-13)
    assert np.abs(circle.mean(axis=0)).max() < 0.1
    assert_array_equal(data.local_dim, 1 + data.piece)
    touch = np.array([1.0, 0.0, 0.0])
    assert_allclose(data.distance, np.linalg.norm(data.clean - touch, axis=1))


def test_pinched_torus():
    data = make_pinched_torus(3000, radius=5.0, random_state=0, return_X_y=False)
    from_axis = np.hypot(data.clean[:, 0], data.clean[:, 1])
    tube = np.hypot(from_axis - 5.0, data.clean[:, 2])
    longitude = np.arctan2(data.clean[:, 1], data.clean[:, 0])
    assert_allclose(tube, np.abs(np.cos(0.5 * longitude)), atol=1e-13)
    theta, phi = data.angles.T
    assert_allclose(np.cos(phi), np.cos(longitude), atol=1e-13)
    assert_allclose(np.cos(0.5 * phi) * np.sin(theta), data.clean[:, 2], atol=1e-14)
    assert np.abs(np.exp(1j * data.angles).mean(axis=0)).max() < 0.05
    pinch = np.array([-5.0, 0.0, 0.0])
    assert_allclose(data.distance, np.linalg.norm(data.clean - pinch, axis=1))


def test_crossing_planes():
    data = make_crossing_planes(2001, random_state=0, return_X_y=False)
    assert_array_equal(np.bincount(data.piece), [1000, 1001])
    for piece, (own, other) in enumerate(((1, 2), (2, 1))):
        square = data.clean[data.piece == piece]
        assert_array_equal(square[:, other], 0.0)
        assert_array_equal(data.distance[data.piece == piece], np.abs(square[:, own]))
        assert_allclose(square[:, [0, own]].std(axis=0), 1 / np.sqrt(3), rtol=0.05)
        assert 0.98 < np.abs(square).max() <= 1.0
    edge = np.abs(data.clean).max(axis=1) >= 0.7
    assert (data.y[edge] != 0).all()  # neither singular nor inside
    assert (data.y[~edge & (data.distance > 0.3)] == 0).all()


@pytest.mark.parametrize("make", ALL)
def test_labels_follow_the_distance(make):
    data = make(
        2000,
        singular_within=0.2,
        regular_beyond=0.4,
        noise=0.05,
        random_state=0,
        return_X_y=False,
    )
    assert_array_equal(data.y == 1, data.distance <= 0.2)
    assert (data.distance[data.y == 0] > 0.4).all()
    assert (data.y[(data.distance > 0.2) & (data.distance <= 0.4)] == -1).all()
    assert {-1, 0, 1} == set(data.y.tolist())
    X, y = make(
        2000, singular_within=0.2, regular_beyond=0.4, noise=0.05, random_state=0
    )
    assert_array_equal(X, data.X)
    assert_array_equal(y, data.y)


@pytest.mark.parametrize("make", ALL)
def test_embedding_is_isometric(make):
    low = make(200, random_state=0, return_X_y=False)
    high = make(200, n_features=9, noise=0.1, random_state=0, return_X_y=False)
    assert_allclose(high.basis @ high.basis.T, np.eye(3), atol=1e-14)
    assert_allclose(high.clean, low.clean @ high.basis, atol=1e-14)
    assert_array_equal(high.y, low.y)
    noise = high.X - high.clean
    assert_allclose(noise.std(), 0.1, rtol=0.06)
    assert noise.std(axis=0).min() > 0.07


@pytest.mark.parametrize("make", ALL)
def test_bad_parameters_are_named(make):
    with pytest.raises(ValueError, match=r"regular_beyond=0\.1 must be at least"):
        make(singular_within=0.2, regular_beyond=0.1)
    with pytest.raises(ValueError, match="n_features"):
        make(n_features=2)
    with pytest.raises(ValueError, match="n_samples"):
        make(0)
    with pytest.raises(ValueError, match="noise"):
        make(noise=-1.0)
    with pytest.raises(TypeError, match="n_features"):
        make(n_features=4.5)


def test_torus_needs_room_for_its_tube():
    with pytest.raises(ValueError, match=r"radius=1\.0 must be above 1"):
        make_pinched_torus(radius=1.0)
    with pytest.raises(ValueError, match="dim"):
        make_wedged_spheres(dim=0)
