import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.sparse.csgraph import dijkstra
from sklearn.datasets import make_swiss_roll as sklearn_roll
from sklearn.neighbors import radius_neighbors_graph

from geolearn.datasets import make_clustered_roll, make_swiss_roll
from geolearn.datasets._rotation import random_rotation
from tests.reference import datasets as reference

ROLLS = [make_swiss_roll, make_clustered_roll]

# First (of the clusters: last) point of the benchmark's own scripts, run with
# seed 42, n=2000, width 5, noise 0.1 under SciPy 1.15.
GOLDEN_ROLL = [-2.9883105746281577, 1.3398468660660279, 7.567884485139478]
GOLDEN_ROTATED = [0.14151331253750457, 1.7277433321524898, 1.7325334862765236]
GOLDEN_CLUSTERED = [2.9463787604385714, 3.04097805281388, -10.798341904004001]


@pytest.mark.parametrize("dim", [3, 4, 10])
@pytest.mark.parametrize("make", ROLLS)
def test_roll_matches_reference(make, dim):
    X, y, G = make(
        51,
        noise=0.3,
        width=4.0,
        n_ambient=dim,
        target="position",
        random_state=7,
        return_geodesics=True,
    )
    clustered = make is make_clustered_roll
    X_ref, s, h = reference.roll(7, 51, 0.3, 4.0, dim, clustered, rotate=dim > 3)
    assert X.flags.c_contiguous
    assert_allclose(X, X_ref, rtol=1e-12, atol=1e-12)
    assert_allclose(y, s, rtol=1e-15)
    arc = [quad(lambda v: np.hypot(1.0, v), 0, end)[0] for end in s]
    expected = np.hypot(np.subtract.outer(arc, arc), np.subtract.outer(h, h))
    assert_allclose(G, expected, rtol=1e-9, atol=1e-9)


def test_published_input():
    # Equal bit for bit where sin and cos are; they may differ in the last place.
    X, _ = make_swiss_roll(2000, noise=0.1, random_state=42)
    assert_allclose(X[0], GOLDEN_ROLL, rtol=1e-13)
    X, _ = make_swiss_roll(2000, noise=0.1, n_ambient=10, random_state=42)
    assert_allclose(X[0, :3], GOLDEN_ROTATED, rtol=1e-12)
    X, _ = make_clustered_roll(2000, noise=0.1, random_state=42)
    assert_allclose(X[-1], GOLDEN_CLUSTERED, rtol=1e-13)


def test_geodesics_are_the_limit_of_graph_distances():
    # Shortest paths over ever more points come from above to the closed form.
    roll = make_swiss_roll(
        4000, width=5.0, random_state=0, return_X_y=False, return_geodesics=True
    )
    graph = radius_neighbors_graph(roll.clean, 1.5, mode="distance")
    paths = dijkstra(graph, indices=np.arange(20), directed=False)
    truth = roll.geodesics[:20]
    far = truth > 5.0
    ratio = paths[far] / truth[far]
    assert ratio.min() > 0.99  # chords are shorter than arcs
    assert ratio.max() < 1.05
    assert abs(np.median(ratio) - 1.0) < 0.01


def test_width_21_covers_the_roll_of_scikit_learn():
    X, t = make_swiss_roll(50, width=21.0, random_state=3)
    X_sk, t_sk = sklearn_roll(50, random_state=3)
    assert_allclose(X, X_sk, rtol=1e-12, atol=1e-12)
    assert_allclose(t, t_sk, rtol=1e-14)


def test_bunch_fields():
    roll = make_clustered_roll(
        40, noise=0.2, n_ambient=5, random_state=0, return_X_y=False
    )
    assert set(roll) == {"X", "y", "clean", "position", "unrolled", "cluster"}
    # The rotation is an isometry: the height and the radius survive it.
    assert_allclose(
        np.linalg.norm(roll.clean, axis=1),
        np.hypot(roll.position, roll.unrolled[:, 1]),
        rtol=1e-12,
    )
    X, y = make_clustered_roll(40, noise=0.2, n_ambient=5, random_state=0)
    assert_array_equal(roll.X, X)
    assert_array_equal(roll.y, y)


def test_rotate_choices():
    padded, _ = make_swiss_roll(30, n_ambient=6, rotate=False, random_state=1)
    flat, _ = make_swiss_roll(30, random_state=1)
    assert_array_equal(padded[:, :3], flat)
    assert not padded[:, 3:].any()
    turned, _ = make_swiss_roll(30, rotate=True, random_state=1)
    assert not np.allclose(turned, flat)
    assert_allclose(turned @ turned.T, flat @ flat.T, rtol=1e-9, atol=1e-9)


def test_targets():
    kwargs = {"n_samples": 300, "random_state": 0}
    _, s = make_swiss_roll(**kwargs)
    _, script = make_swiss_roll(target="digitize", **kwargs)
    assert_array_equal(np.unique(script), [1, 2, 3, 4, 5])
    assert np.flatnonzero(script == 5) == [np.argmax(s)]  # the singleton
    _, bins = make_swiss_roll(target="bins", n_bins=4, **kwargs)
    width = (s.max() - s.min()) / 4
    assert_array_equal(bins, np.minimum((s - s.min()) // width, 3))
    keep = script < 5
    assert_array_equal(bins[keep] + 1, script[keep])
    _, cluster = make_clustered_roll(301, random_state=0)
    assert_array_equal(np.bincount(cluster), [150, 151])


def test_cluster_means():
    roll = make_clustered_roll(4000, random_state=0, return_X_y=False)
    for cluster, centre in enumerate((7.0, 12.0)):
        s = roll.position[roll.cluster == cluster]
        # Five standard errors of mean and deviation at 2000 points.
        assert abs(s.mean() - centre) < 0.12
        assert abs(s.std() - 1.0) < 0.08


@pytest.mark.parametrize("make", ROLLS)
def test_random_state_kinds(make):
    X, _ = make(20, noise=0.1, n_ambient=4, random_state=5)
    again, _ = make(20, noise=0.1, n_ambient=4, random_state=np.random.RandomState(5))
    other, _ = make(20, noise=0.1, n_ambient=4, random_state=6)
    free, _ = make(20)
    assert_array_equal(X, again)
    assert not np.allclose(X, other)
    assert free.shape == (20, 3)


def test_noise_level_does_not_move_the_points():
    rng = np.random.RandomState(0)
    still = make_swiss_roll(20, random_state=rng, return_X_y=False)
    after_still = rng.rand()
    rng = np.random.RandomState(0)
    noisy = make_swiss_roll(20, noise=2.0, random_state=rng, return_X_y=False)
    assert_array_equal(still.clean, noisy.clean)
    assert rng.rand() == after_still


@pytest.mark.parametrize(
    ("kwargs", "error", "match"),
    [
        ({"n_samples": 0}, ValueError, "n_samples"),
        ({"n_samples": 10.0}, TypeError, "n_samples"),
        ({"noise": -1.0}, ValueError, "noise"),
        ({"noise": np.nan}, ValueError, "noise"),
        ({"width": 0.0}, ValueError, "width"),
        ({"width": np.inf}, ValueError, "width"),
        ({"n_ambient": 2}, ValueError, "n_ambient"),
        ({"rotate": "yes"}, ValueError, "rotate"),
        ({"target": "labels"}, ValueError, "target='labels'"),
        ({"n_bins": 1}, ValueError, "n_bins"),
        ({"random_state": "seed"}, ValueError, "seed"),
    ],
)
@pytest.mark.parametrize("make", ROLLS)
def test_errors(make, kwargs, error, match):
    with pytest.raises(error, match=match):
        make(**{"n_samples": 10, **kwargs})


def test_one_cluster_needs_two_points():
    with pytest.raises(ValueError, match="n_samples"):
        make_clustered_roll(1)
    with pytest.raises(ValueError, match="cluster"):
        make_swiss_roll(10, target="cluster")


@pytest.mark.parametrize("dim", [2, 3, 7])
def test_rotation_is_uniform_on_the_sphere(dim):
    rng = np.random.RandomState(0)
    columns = np.empty((2000, dim))
    for k in range(2000):
        R = random_rotation(dim, rng)
        columns[k] = R[:, 0]
        if k < 20:
            assert_allclose(R @ R.T, np.eye(dim), atol=1e-12)
            assert_allclose(np.linalg.det(R), 1.0, rtol=1e-12)
    # Uniform: mean 0, covariance I/dim; five standard errors at 2000 draws.
    assert_allclose(columns.mean(axis=0), 0.0, atol=5 / np.sqrt(2000 * dim))
    assert_allclose(columns.T @ columns / 2000, np.eye(dim) / dim, atol=0.06)


def test_rotation_matches_reference():
    R = random_rotation(6, np.random.RandomState(4))
    expected = reference.householder_rotation(6, np.random.RandomState(4))
    assert_allclose(R, expected, atol=1e-13)
