"""Distances of principal subbundles, fans and reconstructions."""

import numpy as np
import pytest
from scipy.sparse import csgraph

from geolearn.decomposition import _subbundle_reach as reach_module
from geolearn.decomposition._subbundle_curved import curved_field
from geolearn.decomposition._subbundle_distances import (
    graph_distances,
    pairwise_log_distances,
)
from geolearn.decomposition._subbundle_fan import (
    directions,
    reconstruct,
    shoot_fan,
    spread_bases,
)
from geolearn.decomposition._subbundle_field import euclidean_field
from geolearn.manifolds import Sphere
from tests.reference.subbundle import fibonacci_sphere


@pytest.fixture(scope="module")
def ball():
    """Return a field on points spread evenly over the sphere."""
    return euclidean_field(fibonacci_sphere(250), n_components=2, bandwidth=0.35)


def _angles(A, B):
    return np.arccos(np.clip(A @ B.T, -1.0, 1.0))


def _curve(n=80, noise=0.02):
    rng = np.random.default_rng(0)
    t = np.linspace(0.0, 3.0, n)
    X = np.column_stack([np.cos(t), np.sin(t)])
    return X + noise * rng.normal(size=X.shape), t


def test_distances_on_the_sphere_are_angles(ball):
    A = ball.points[[0, 60, 120]]
    D = pairwise_log_distances(ball, A)
    np.testing.assert_allclose(D, _angles(A, A), atol=5e-4)
    np.testing.assert_array_equal(D, D.T)
    np.testing.assert_array_equal(np.diag(D), 0.0)


def test_distances_of_new_points(ball):
    """Rows do not depend on each other, and batches of bases do not matter."""
    A = ball.points[[5, 90]] @ np.diag([1.01, 1.0, 0.99])
    B = ball.points[[30, 91, 150]] * 1.02
    D = pairwise_log_distances(ball, A, B)
    np.testing.assert_allclose(D, _angles(A, B), rtol=0.08)
    one = pairwise_log_distances(ball, A[1:], B[::-1])
    np.testing.assert_allclose(one, D[1:, ::-1], atol=1e-5)
    back = pairwise_log_distances(ball, B, A)
    np.testing.assert_allclose(back, D.T, atol=1e-5)


def test_distance_is_the_length_of_the_logarithm():
    X, _ = _curve()
    field = euclidean_field(X, n_components=1, bandwidth=0.2)
    base = X[40]
    frame = field.frame(base[None])[0]
    v = np.array([[0.7], [-0.4], [0.1]])
    ends = field.shoot(base, v @ frame.T).points
    D = pairwise_log_distances(field, base[None], ends, symmetric=False)
    np.testing.assert_allclose(D[0], np.abs(v[:, 0]), atol=1e-5)
    beside = ends + 0.05 * field.local_pca(ends).vectors[:, :, 1]
    plain = pairwise_log_distances(field, base[None], beside, False)
    full = pairwise_log_distances(field, base[None], beside, False, with_residual=True)
    np.testing.assert_allclose(full**2 - plain**2, 0.05**2, rtol=0.2)


def test_directions_differ_and_are_averaged():
    X, _ = _curve(noise=0.06)
    field = euclidean_field(X, n_components=1, bandwidth=0.25)
    A = X[[5, 30, 70]]
    ways = pairwise_log_distances(field, A, symmetric=False)
    assert np.abs(ways - ways.T).max() > 1e-3
    D = pairwise_log_distances(field, A)
    np.testing.assert_allclose(D, (ways + ways.T) / 2.0, atol=1e-12)
    threads = pairwise_log_distances(field, A, n_jobs=2)
    np.testing.assert_array_equal(threads, D)


def test_parts_without_connection_are_infinitely_far():
    X, _ = _curve(40)
    both = np.concatenate([X, X + np.array([50.0, 0.0])])
    field = euclidean_field(both, n_components=1, bandwidth=0.3)
    with pytest.warns(UserWarning, match="4 of 9 distances are infinite"):
        D = pairwise_log_distances(field, both[[3, 50, 60]])
    assert np.isinf(D[0, 1])
    assert np.isfinite(D[1, 2])


def test_other_paths_are_tried(monkeypatch):
    """Let the shortest paths miss: all samples are visited then."""
    X, _ = _curve(50)
    field = euclidean_field(X, n_components=1, bandwidth=0.2)
    D = pairwise_log_distances(field, X[[2, 45]])
    ancestors = reach_module.Graph.ancestors

    def none(self, root, wanted):
        found = ancestors(self, root, wanted)
        return found & wanted

    monkeypatch.setattr(reach_module.Graph, "ancestors", none)
    np.testing.assert_allclose(pairwise_log_distances(field, X[[2, 45]]), D, atol=1e-5)


def _brute_graph(field, k, epsilon):
    """Return shortest paths by plain loops over projectors."""
    X = field.points
    n = len(X)
    F = field.frame(X)
    P = F @ F.transpose(0, 2, 1)
    gaps = np.linalg.norm(X[:, None] - X, axis=2)
    W = np.full((n, n), np.inf)
    for i in range(n):
        for j in np.argsort(gaps[i])[1 : k + 1]:
            mean = np.linalg.eigh((P[i] + P[j]) / 2.0)[1][:, -field.rank :]
            along = mean @ (mean.T @ (X[j] - X[i]))
            across = X[j] - X[i] - along
            W[i, j] = W[j, i] = np.sqrt(along @ along + across @ across / epsilon)
    return csgraph.dijkstra(csgraph.csgraph_from_dense(W, null_value=np.inf))


@pytest.mark.parametrize("epsilon", [1.0, 0.05])
def test_graph_distances_by_brute_force(epsilon):
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.uniform(-1, 1, size=(40, 2)), np.zeros(40)])
    X[:, 2] = X[:, 0] ** 2 + 0.05 * rng.normal(size=40)
    field = euclidean_field(X, n_components=2, bandwidth=0.4)
    D = graph_distances(field, X, n_neighbors=5, epsilon=epsilon)
    np.testing.assert_allclose(D, _brute_graph(field, 5, epsilon), rtol=1e-10)
    few = graph_distances(field, X[3:6], X[10:20], n_neighbors=5, epsilon=epsilon)
    np.testing.assert_allclose(few, D[3:6, 10:20], rtol=1e-10)


def test_graph_distances_in_batches(ball, monkeypatch):
    X = ball.points[:7]
    D = graph_distances(ball, X)
    name = "geolearn.decomposition._subbundle_distances._MAX_ENTRIES"
    monkeypatch.setattr(name, 3 * len(ball.points))
    np.testing.assert_array_equal(graph_distances(ball, X), D)


def test_graph_distances_of_new_points(ball):
    """Others of the call change nothing, and neighbours are joined directly."""
    A = ball.points[[0, 100]] + 0.01
    B = np.concatenate([A[:1] + 1e-4, ball.points[[30, 200]] * 1.01])
    D = graph_distances(ball, A, B, n_neighbors=6)
    np.testing.assert_allclose(D[0, 0], np.linalg.norm(A[0] - B[0]), rtol=1e-12)
    np.testing.assert_allclose(D[:, 1:], _angles(A, B[1:]), rtol=0.15, atol=0.05)
    alone = graph_distances(ball, A[1:], B[2:], n_neighbors=6)
    np.testing.assert_array_equal(alone, D[1:, 2:])
    np.testing.assert_allclose(graph_distances(ball, B, A, n_neighbors=6), D.T)
    with pytest.raises(ValueError, match=r"epsilon must be in \(0, 1\]"):
        graph_distances(ball, A, epsilon=2.0)


def test_steps_across_the_subspaces_are_longer():
    """Two parallel sheets that a graph of neighbours joins."""
    x, y = np.meshgrid(np.linspace(0, 2, 15), np.linspace(0, 1, 8))
    sheet = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    X = np.concatenate([sheet, sheet + np.array([0.0, 0.0, 0.2])])
    field = euclidean_field(X, n_components=2, bandwidth=0.3)
    ends = X[[60, 60 + len(sheet)]]
    near = graph_distances(field, ends)[0, 1]
    far = graph_distances(field, ends, epsilon=0.01)[0, 1]
    np.testing.assert_allclose([near, far], [0.2, 2.0], rtol=1e-6)


def test_distances_on_a_curved_space():
    """Points of a circle of latitude: all distances run along it."""
    angle = np.linspace(0.0, 2.0 * np.pi, 60, endpoint=False)
    z = 0.4
    r = np.sqrt(1.0 - z**2)
    X = np.column_stack([r * np.cos(angle), r * np.sin(angle), np.full(60, z)])
    field = curved_field(X, Sphere(2), n_components=1, bandwidth=0.3)
    D = pairwise_log_distances(field, X[:12:3])
    gap = np.abs(np.subtract.outer(angle[:12:3], angle[:12:3])) * r
    np.testing.assert_allclose(D, gap, atol=1e-6)
    G = graph_distances(field, X[:12:3], epsilon=0.1, n_neighbors=2)
    np.testing.assert_allclose(G, gap, rtol=1e-2)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_directions_are_spread(k):
    U = directions(k, 200)
    np.testing.assert_allclose(np.linalg.norm(U, axis=1), 1.0)
    np.testing.assert_allclose(U.mean(axis=0), 0.0, atol=0.2 if k == 4 else 0.01)
    np.testing.assert_array_equal(U, directions(k, 200))
    if k == 4:
        assert np.abs(directions(k, 200, seed=1) - U).max() > 0.1


def test_fan_is_the_exponential_map(ball):
    base = ball.points[17]
    frame = ball.frame(base[None])[0]
    fan = shoot_fan(ball, base, frame, 1.2, 8, n_records=3, step=0.1)
    assert fan.points.shape == (25, 3)
    np.testing.assert_array_equal(fan.points[0], base)
    ends = ball.shoot(base, fan.v[1:] @ frame.T, step=0.1).points
    np.testing.assert_allclose(fan.points[1:], ends, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(fan.points, axis=1), 1.0, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(fan.v[3::3], axis=1), 1.2)


def test_fan_ends_where_the_data_end():
    X, _ = _curve()
    field = euclidean_field(X, n_components=1, bandwidth=0.2)
    fan = shoot_fan(field, X[40], field.frame(X[40:41])[0], 4.0, n_records=8)
    gone = np.isnan(fan.points).any(axis=1)
    assert gone.any()
    assert not gone.all()
    np.testing.assert_array_equal(fan.status[~gone], 0)
    np.testing.assert_array_equal(fan.status[gone], 1)


def test_bases_cover_the_samples(ball):
    bases = spread_bases(ball, 0.8, ball.points[3])
    np.testing.assert_array_equal(bases[0], ball.points[3])
    gaps = np.linalg.norm(ball.points[:, None] - bases, axis=2)
    assert gaps.min(axis=1).max() <= 0.8
    between = np.linalg.norm(bases[:, None] - bases, axis=2)
    assert between[np.triu_indices(len(bases), 1)].min() > 0.8


def test_reconstruction_covers_the_sphere(ball):
    found = reconstruct(ball, spacing=0.8, n_points=600)
    assert 500 < len(found.points) < 800
    np.testing.assert_allclose(np.linalg.norm(found.points, axis=1), 1.0, atol=2e-3)
    gaps = np.linalg.norm(ball.points[:, None] - found.points, axis=2)
    assert gaps.min(axis=1).max() < 0.35
    base = found.bases[found.base[40]]
    frame = ball.frame(base[None])[0]
    end = ball.shoot(base, found.v[40:41] @ frame.T).points[0]
    np.testing.assert_allclose(end, found.points[40], atol=1e-5)
    np.testing.assert_array_equal(found.status, 0)
    one = reconstruct(ball, ball.points[:1], radius=0.5, n_directions=4)
    np.testing.assert_array_equal(np.unique(one.base), [0])


def test_averaging_overlaps_narrows_the_spread():
    """Leaves through noisy bases keep their offset."""
    rng = np.random.default_rng(2)
    X = fibonacci_sphere(300) + 0.06 * rng.normal(size=(300, 3))
    field = euclidean_field(X, n_components=2, bandwidth=0.4)
    spread = [
        np.linalg.norm(
            reconstruct(field, spacing=0.9, n_points=300, overlap=overlap).points,
            axis=1,
        ).std()
        for overlap in ("union", "average")
    ]
    assert spread[1] < 0.85 * spread[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"overlap": "sum"}, "overlap must be"),
        ({"spacing": 0.0}, "spacing must be positive"),
        ({"radius": np.inf, "spacing": 1.0}, "radius must be positive"),
    ],
)
def test_wrong_reconstructions_are_refused(ball, change, message):
    with pytest.raises(ValueError, match=message):
        reconstruct(ball, **change)
