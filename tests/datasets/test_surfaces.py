"""S-surface, noisy sphere, scan and turned digit: the truth that they return."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse.csgraph import dijkstra
from sklearn.datasets import load_digits, make_s_curve
from sklearn.neighbors import radius_neighbors_graph

from geolearn.datasets import (
    make_noisy_sphere,
    make_rotated_digit,
    make_s_surface,
    make_scan,
)

STEP = 1e-6  # of central differences


def test_s_surface_has_the_points_of_scikit_learn():
    X, y = make_s_surface(40, noise=0.1, random_state=3)
    X_sk, t_sk = make_s_curve(40, noise=0.1, random_state=3)
    assert_allclose(X, X_sk, rtol=1e-14)
    assert_array_equal(y[:, 0], t_sk)


@pytest.mark.parametrize("n_features", [3, 12])
def test_s_surface_is_unrolled_isometrically(n_features):
    data = make_s_surface(
        2000, width=2.5, n_features=n_features, random_state=0, return_X_y=False
    )
    assert data.X.shape == (2000, n_features)
    assert_array_equal(data.X, data.clean)
    assert_allclose(data.basis @ data.basis.T, np.eye(3), atol=1e-14)
    assert 4.6 < np.abs(data.y[:, 0]).max() <= 1.5 * np.pi
    assert data.y[:, 1].min() >= 0.0
    assert 2.4 < data.y[:, 1].max() <= 2.5
    # Next to each other, straight and geodesic distance agree to third order.
    graph = radius_neighbors_graph(data.X, 0.3, mode="distance").tocoo()
    flat = np.linalg.norm(data.y[graph.row] - data.y[graph.col], axis=1)
    assert_array_less_or_equal(graph.data, flat)
    assert_allclose(graph.data, flat, rtol=0.3**2 / 24 + 1e-3)


def assert_array_less_or_equal(a, b):
    assert np.max(a - b) <= 1e-12


def test_geodesics_of_the_s_surface_are_the_limit_of_graph_distances():
    data = make_s_surface(3000, random_state=0, return_geodesics=True, return_X_y=False)
    graph = radius_neighbors_graph(data.X, 0.3, mode="distance")
    paths = dijkstra(graph, indices=np.arange(10), directed=False)
    truth = data.geodesics[:10]
    far = truth > 1.0
    ratio = paths[far] / truth[far]
    assert ratio.min() > 0.99  # chords are shorter than arcs
    assert ratio.max() < 1.05


@pytest.mark.parametrize("n_features", [3, 6])
def test_tangents_of_the_s_surface(n_features):
    data = make_s_surface(60, n_features=n_features, random_state=1, return_X_y=False)
    gram = data.tangents @ np.swapaxes(data.tangents, 1, 2)
    assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-13)
    t, h = data.y.T

    def point(t, h):
        curve = np.column_stack((np.sin(t), h, np.sign(t) * (np.cos(t) - 1.0)))
        return curve @ data.basis

    assert_allclose(point(t, h), data.clean, atol=1e-14)
    along = (point(t + STEP, h) - point(t - STEP, h)) / (2.0 * STEP)
    assert_allclose(data.tangents[:, 0], along, atol=1e-9)
    across = (point(t, h + 1.0) - point(t, h - 1.0)) / 2.0
    assert_allclose(data.tangents[:, 1], across, atol=1e-14)


@pytest.mark.parametrize("make", [make_s_surface, make_noisy_sphere])
def test_noise_fills_the_ambient_space(make):
    data = make(4000, noise=0.2, n_features=8, random_state=0, return_X_y=False)
    noise = data.X - data.clean
    assert_allclose(noise.std(axis=0), 0.2, rtol=0.05)
    covariance = np.cov(noise.T)
    assert np.abs(covariance - 0.04 * np.eye(8)).max() < 0.004
    still = make(4000, n_features=8, random_state=0, return_X_y=False)
    assert_array_equal(still.clean, data.clean)  # noise does not move the points


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_sphere_is_uniform_with_known_distances(dim):
    data = make_noisy_sphere(
        600,
        dim=dim,
        radius=3.0,
        n_features=dim + 3,
        random_state=0,
        return_geodesics=True,
        return_X_y=False,
    )
    assert_allclose(np.linalg.norm(data.y, axis=1), 1.0, rtol=1e-14)
    assert_allclose(np.linalg.norm(data.clean, axis=1), 3.0, rtol=1e-13)
    assert_allclose(data.clean, 3.0 * data.y @ data.basis, atol=1e-14)
    angles = np.arccos(np.clip(data.y @ data.y.T, -1.0, 1.0))
    # arccos keeps half of the digits of small angles.
    assert_allclose(data.geodesics, 3.0 * angles, atol=1e-6)
    assert np.linalg.norm(data.y.mean(axis=0)) < 3.0 / np.sqrt(600)
    second = data.y.T @ data.y / 600
    assert_allclose(second, np.eye(dim + 1) / (dim + 1), atol=0.06)


def test_directions_prefer_no_axis():
    X, _ = make_noisy_sphere(20_000, dim=1, random_state=0)
    # Of directions to a uniform square the mean is 3 - pi.
    fourfold = (X @ [1.0, 1.0j]) ** 4
    assert abs(fourfold.mean()) < 0.02


def test_antipodes_are_half_a_circle_apart():
    data = make_noisy_sphere(
        300, dim=1, random_state=0, return_geodesics=True, return_X_y=False
    )
    angle = np.arctan2(data.y[:, 1], data.y[:, 0])
    difference = np.abs(np.subtract.outer(angle, angle))
    arc = np.minimum(difference, 2.0 * np.pi - difference)
    # A chord near the diameter says as little of the angle as arccos near 1.
    assert_allclose(data.geodesics, arc, atol=1e-6)


def test_scan_lies_on_its_surface():
    scan = make_scan(800, random_state=0, return_X_y=False)
    assert_array_equal(scan.X, scan.clean)
    xy = scan.X[:, :2]
    assert_allclose(scan.X[:, 2], scan.height(xy), rtol=1e-15)
    assert np.sum((xy / (0.75, 1.0)) ** 2, axis=1).max() <= 1.0
    slope = [
        (scan.height(xy + e) - scan.height(xy - e)) / (2.0 * STEP)
        for e in STEP * np.eye(2)
    ]
    expected = np.column_stack((*(-s for s in slope), np.ones(800)))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert_allclose(scan.y, expected, atol=1e-8)
    assert_array_equal(scan.normals(xy), scan.y)
    # The nose: higher than the straight line between the cheeks.
    nose, cheeks = scan.height([(0.0, -0.08)]), scan.height([(0.3, -0.08)])
    assert nose - cheeks > 0.2
    assert_allclose(scan.height([(0.3, 0.1)]), scan.height([(-0.3, 0.1)]), rtol=1e-15)
    assert_array_equal(pickle.loads(pickle.dumps(scan)).height(xy), scan.X[:, 2])


@pytest.mark.parametrize("unevenness", [1.0, 8.0])
def test_density_of_a_scan_is_per_area(unevenness):
    scan = make_scan(20_000, unevenness=unevenness, random_state=0, return_X_y=False)
    # Weighting by the inverse density must give the area, computed on a grid.
    axis = (np.arange(400) + 0.5) / 200.0 - 1.0
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    grid = grid[np.sum(grid**2, axis=1) <= 1.0] * (0.75, 1.0)
    area = 1.0 / scan.normals(grid)[:, 2]
    weights = unevenness ** (-0.5 * scan.X[:, 0] / 0.75)
    for test in (lambda p: p[:, 0] < -0.3, lambda p: np.hypot(*p.T) < 0.2):
        share = weights[test(scan.X[:, :2])].sum() / weights.sum()
        expected = area[test(grid)].sum() / area.sum()
        assert_allclose(share, expected, rtol=0.06)


def test_scan_with_holes_for_eyes_and_mouth():
    whole = make_scan(3000, random_state=0)[0]
    holed = make_scan(3000, holes=True, random_state=0)[0]
    for x, y in ((0.28, 0.22), (-0.28, 0.22), (0.0, -0.48)):
        assert np.linalg.norm(whole[:, :2] - (x, y), axis=1).min() < 0.05
        assert np.linalg.norm(holed[:, :2] - (x, y), axis=1).min() >= 0.05


def test_height_is_finite_off_the_mask():
    scan = make_scan(10, random_state=0, return_X_y=False)
    far = [(2.0, 0.0), (0.0, -5.0)]
    assert np.isfinite(scan.height(far)).all()
    assert np.isfinite(scan.normals(far)).all()


def test_quarter_turns_of_a_digit_move_pixels_only():
    data = make_rotated_digit(4, digit=3, index=7, return_X_y=False)
    assert_allclose(data.y, np.arange(4) * np.pi / 2.0)
    digits = load_digits()
    image = digits.images[np.flatnonzero(digits.target == 3)[7]] / 16.0
    for quarter in range(4):
        expected = np.pad(np.rot90(image, quarter), 2)
        assert_allclose(data.images[quarter], expected, atol=1e-12)


def test_turned_digits_form_a_closed_curve():
    X, y = make_rotated_digit(180)
    steps = np.linalg.norm(X - np.roll(X, 1, axis=0), axis=1)
    assert steps.max() < 1.6 * steps.min()
    apart = np.linalg.norm(X - X[0], axis=1)[30:150]
    assert apart.min() > 10.0 * steps.max()
    random, angles = make_rotated_digit(50, angles="random", random_state=0)
    assert angles.min() >= 0.0
    assert angles.max() < 2.0 * np.pi
    near = np.abs(np.subtract.outer(angles, y)).argmin(axis=1)
    gap = np.linalg.norm(random - X[near], axis=1)
    assert gap[near > 0].max() < steps.max()
    noisy = make_rotated_digit(180, noise=0.1, random_state=0)[0]
    assert_allclose((noisy - X).std(), 0.1, rtol=0.02)


@pytest.mark.parametrize(
    ("make", "parameters", "error", "match"),
    [
        (make_s_surface, {"n_samples": 0}, ValueError, "n_samples"),
        (make_s_surface, {"n_features": 2}, ValueError, "n_features"),
        (make_s_surface, {"width": 0.0}, ValueError, "width"),
        (make_s_surface, {"noise": np.inf}, ValueError, "finite"),
        (make_noisy_sphere, {"dim": 0}, ValueError, "dim"),
        (make_noisy_sphere, {"dim": 3, "n_features": 3}, ValueError, "n_features"),
        (make_noisy_sphere, {"radius": -1.0}, ValueError, "radius"),
        (make_scan, {"unevenness": 0.5}, ValueError, "unevenness=0.5 must be"),
        (make_scan, {"holes": "eyes"}, TypeError, "holes"),
        (make_rotated_digit, {"digit": 10}, ValueError, "digit"),
        (make_rotated_digit, {"index": 500}, ValueError, "index"),
        (make_rotated_digit, {"angles": "odd"}, ValueError, "angles='odd' must"),
    ],
)
def test_bad_parameters_are_named(make, parameters, error, match):
    with pytest.raises(error, match=match):
        make(**parameters)
