"""Tables, blocks and nearest rows, for every metric of the registry."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import geolearn.metrics._candidates as candidates
import geolearn.utils._memory as memory
from geolearn.metrics import (
    kneighbors,
    pairwise_distances,
    pairwise_distances_blocks,
    sphere,
)
from geolearn.metrics._resolve import resolve_metric
from tests.metrics.samples import CASES, IDS, points
from tests.reference import metrics as reference

# Small enough to run without JIT, where they measure the coverage.
kernels = pytest.mark.kernels


def brute(X, Y, k, metric, params=None):
    D = pairwise_distances(X, X if Y is None else Y, metric, metric_params=params)
    return reference.neighbors(D, k, within=Y is None)


def assert_neighbors_equal(found, expected):
    assert_array_equal(found[1], expected[1])
    assert_array_equal(found[0], expected[0])
    assert found[1].dtype == np.intp
    assert found[0].dtype == np.float64


class Plain:
    """A manifold without a kernel: Euclidean space, or matrices of one shape."""

    def __init__(self, kernel=None):
        self.kernel = kernel

    def kernel_metric(self):
        return self.kernel

    def dist(self, x, y):
        axes = tuple(range(2, max(np.ndim(x), np.ndim(y))))
        return np.sqrt(((x - y) ** 2).sum(axis=axes))


@pytest.fixture
def eager_shortcuts(monkeypatch):
    """Take the shortcuts for any size."""
    monkeypatch.setattr(candidates, "_TREE_MIN_ROWS", 1)
    monkeypatch.setattr(candidates, "_TREE_MIN_QUERIES", 1)
    monkeypatch.setattr(candidates, "_TREE_SHARE", 2)
    monkeypatch.setattr(candidates, "_PRODUCT_MIN_ROWS", 1)
    monkeypatch.setattr(candidates, "_PRODUCT_SHARE", 1)


# --- Tables ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
@pytest.mark.parametrize(
    "n", [pytest.param(1, marks=kernels), pytest.param(9, marks=kernels), 128, 129, 300]
)
def test_symmetric_table_equals_the_full_one(name, params, n):
    X = points(name, n, 3, np.random.default_rng(n), **params)
    D = pairwise_distances(X, metric=name, metric_params=params)
    full = pairwise_distances(X, X.copy(), name, metric_params=params)
    assert_array_equal(D, full)
    assert_array_equal(D, D.T)
    assert_array_equal(np.diag(D), 0.0)


def test_parallel_tables_have_the_same_bits():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((900, 5)), rng.standard_normal((700, 5))
    assert X.size * len(Y) > 2_000_000  # above the threshold of the threads
    assert_array_equal(pairwise_distances(X, Y), pairwise_distances(X, Y, n_jobs=2))
    assert_array_equal(pairwise_distances(X), pairwise_distances(X, n_jobs=-1))


@kernels
@pytest.mark.usefixtures("eager_shortcuts")
@pytest.mark.parametrize("name", ["euclidean", "torus", "sphere"])
def test_parallel_loops_on_few_rows(monkeypatch, name):
    X = points(name, 40, 3, np.random.default_rng(17))
    calls = [
        lambda n_jobs: pairwise_distances(X, metric=name, n_jobs=n_jobs),
        lambda n_jobs: pairwise_distances(X, X[:9], metric=name, n_jobs=n_jobs),
        lambda n_jobs: kneighbors(X, n_neighbors=3, metric=name, n_jobs=n_jobs)[1],
    ]
    serial = [call(2) for call in calls]
    monkeypatch.setattr("geolearn.metrics._drivers._PARALLEL_WORK", 0)
    for call, expected in zip(calls, serial, strict=True):
        assert_array_equal(call(2), expected)


@kernels
@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize(
    "metric",
    ["euclidean", "torus", "cityblock", "mahalanobis", Plain()],
    ids=["euclidean", "torus", "cityblock", "mahalanobis", "plain"],
)
def test_blocks_stack_to_the_table(metric, within):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((37, 3))
    Y = None if within or metric == "mahalanobis" else rng.standard_normal((11, 3))
    within = Y is None  # scikit-learn wants the covariance where Y is given
    whole = pairwise_distances(X, Y, metric)
    rows = []
    parts = []
    for part, block in pairwise_distances_blocks(X, Y, metric, block_mib=3e-3):
        rows.extend(range(part.start, part.stop))
        parts.append(block)
    assert len(parts) > 1
    assert rows == list(range(37))
    assert_allclose(np.vstack(parts), whole, rtol=1e-13, atol=0)
    if within:
        assert_array_equal(np.diag(np.vstack(parts)), 0.0)


@kernels
def test_blocks_are_bounded():
    X = np.zeros((100, 2))
    sizes = [b.nbytes for _, b in pairwise_distances_blocks(X, block_mib=5e-3)]
    assert max(sizes) <= 5e-3 * 2**20
    assert len(sizes) == 17


def test_blocks_check_their_input_at_once():
    with pytest.raises(ValueError, match="NaN"):
        pairwise_distances_blocks(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="block_mib=0"):
        pairwise_distances_blocks(np.zeros((2, 2)), block_mib=0)


def test_out_is_filled_and_returned():
    X = np.random.default_rng(2).standard_normal((5, 2))
    out = np.empty((5, 5))
    assert pairwise_distances(X, out=out) is out
    assert_array_equal(out, pairwise_distances(X))


@pytest.mark.parametrize(
    "out",
    [
        np.empty((5, 4)),
        np.empty((5, 5), dtype=np.float32),
        np.empty((5, 5), order="F"),
        [[0.0] * 5] * 5,
    ],
)
def test_unusable_out_is_refused(out):
    with pytest.raises(ValueError, match=r"out must be .* shape \(5, 5\)"):
        pairwise_distances(np.zeros((5, 2)), out=out)


def test_input_of_any_layout():
    X = np.random.default_rng(3).standard_normal((20, 6))
    expected = pairwise_distances(np.ascontiguousarray(X[:, ::2]))
    frozen = np.asfortranarray(X[:, ::2])
    frozen.flags.writeable = False
    assert_array_equal(pairwise_distances(X[:, ::2]), expected)
    assert_array_equal(pairwise_distances(frozen), expected)
    assert_array_equal(pairwise_distances(X[:, ::2].tolist()), expected)
    whole = np.arange(6).reshape(3, 2)
    assert_array_equal(pairwise_distances(whole), pairwise_distances(whole * 1.0))


def test_a_table_that_does_not_fit_is_refused_before_it_is_allocated():
    X = np.zeros((3_000_000, 1))
    with pytest.raises(
        MemoryError, match=r"6\.71e\+04 GiB .* pairwise_distances_block"
    ):
        pairwise_distances(X)


@pytest.mark.parametrize("known", [True, False])
def test_memory_error_of_the_allocation_itself(monkeypatch, known):
    monkeypatch.setattr(memory, "available_bytes", lambda: 2**70 if known else None)
    with pytest.raises(MemoryError, match=r"f needs .* GiB .* Do less\."):
        memory.allocate((2**30, 2**30), "f", "Do less.")


def test_available_memory(monkeypatch, tmp_path):
    assert memory.available_bytes() > 2**20
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.available_bytes() > 2**20  # the physical memory
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 5 kB\n")
    assert memory.available_bytes() == 5 * 1024
    (tmp_path / "memory.max").write_text("4096\n")
    (tmp_path / "memory.current").write_text("1024\n")
    assert memory.available_bytes() == 3072
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_bytes() == 5 * 1024


# --- Nearest rows ---------------------------------------------------------------------


@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("k", [1, 4, 29])
@kernels
def test_neighbors_of_few_rows(name, params, within, k):
    rng = np.random.default_rng(4)
    X = points(name, 30, 3, rng, **params)
    Y = None if within else points(name, 29, 3, rng, **params)
    found = kneighbors(X, Y, k, name, metric_params=params)
    assert_neighbors_equal(found, brute(X, Y, k, name, params))


# Data for the shortcuts: what the tree, the product and their fallbacks see.
def _cloud(n, d, rng):
    return rng.standard_normal((n, d))


def _grid(n, d, rng):
    return rng.integers(0, 6, (n, d)).astype(float)


def _duplicates(n, d, rng):
    return np.repeat(rng.standard_normal((n // 3 + 1, d)), 3, axis=0)[:n]


def _identical(n, d, rng):
    return np.ones((n, d))


def _far_clusters(n, d, rng):
    return 1e6 * rng.integers(0, 2, (n, 1)) + 1e-3 * rng.standard_normal((n, d))


def _shell(n, d, rng):
    X = rng.standard_normal((n, d))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    X[0] = 0.0  # all others are equally far from it, up to rounding
    return X


DATA = [_cloud, _grid, _duplicates, _identical, _far_clusters, _shell]


@kernels
@pytest.mark.usefixtures("eager_shortcuts")
@pytest.mark.parametrize("make", DATA)
@pytest.mark.parametrize("k", [1, 3, 8])
@pytest.mark.parametrize("name", ["euclidean", "wide", "sphere", "hyperboloid"])
def test_shortcuts_on_few_rows(monkeypatch, make, name, k):
    rng = np.random.default_rng(16)
    if name == "wide":
        monkeypatch.setattr(candidates, "_TREE_MAX_COLUMNS", 0)
        keys = candidates._euclidean_keys
        monkeypatch.setitem(candidates._PRODUCTS, "euclidean", (keys, 1))
        name = "euclidean"
    X = make(40, 3, rng) if name == "euclidean" else _surface(name, make, 2, rng)[:40]
    for Y in (None, X[25:].copy()):
        found = kneighbors(X, Y, k, name)
        assert_neighbors_equal(found, brute(X, Y, k, name))


@pytest.mark.parametrize("make", DATA)
@pytest.mark.parametrize("unit", [1.0, 1e-15, 1e15, 1e-165])
@pytest.mark.parametrize("d", [2, 3, 200])
def test_euclidean_shortcuts_are_exact(make, unit, d):
    rng = np.random.default_rng(5)
    X = unit * make(1100 if d < 10 else 330, d, rng)
    assert candidates._tree_pays(X, X, 7) == (d < 10)
    assert candidates._product_pays(X, X, 7, "euclidean") == (d > 10)
    assert_neighbors_equal(kneighbors(X, n_neighbors=7), brute(X, None, 7, "euclidean"))
    Y = unit * make(1050 if d < 10 else 320, d, rng)
    assert_neighbors_equal(kneighbors(X, Y, 7), brute(X, Y, 7, "euclidean"))


def _surface(name, make, d, rng):
    X = make(330, d, rng)
    if name == "sphere":
        X = X + 1e-3
        return X / np.linalg.norm(X, axis=1, keepdims=True)
    if name == "fisher_rao":
        X = np.abs(X) + 1e-3
        return X / X.sum(axis=1, keepdims=True)
    X = X / (1.0 + np.abs(X).max() / 10.0)
    return np.column_stack([np.sqrt(1 + (X**2).sum(axis=1)), X])


@pytest.mark.parametrize("make", DATA)
@pytest.mark.parametrize("d", [2, 5, 60])
@pytest.mark.parametrize("name", ["sphere", "fisher_rao", "hyperboloid"])
def test_curved_shortcuts_are_exact(name, make, d):
    X = _surface(name, make, d, np.random.default_rng(6))
    assert candidates._product_pays(X, X, 7, name)
    assert_neighbors_equal(
        kneighbors(X, n_neighbors=7, metric=name), brute(X, None, 7, name)
    )
    Y = X[::-1][:300]
    assert_neighbors_equal(kneighbors(X, Y, 7, name), brute(X, Y, 7, name))


@pytest.mark.parametrize("radius", [1.0, 5.0, 9.0, 14.0, 20.0])
def test_far_hyperbolic_points(radius):
    # The product loses exp(2 r) eps; beyond its reach the full search takes over.
    rng = np.random.default_rng(7)
    directions = rng.standard_normal((300, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    r = radius * rng.uniform(size=(300, 1)) ** 0.1
    X = np.column_stack([np.cosh(r), np.sinh(r) * directions])
    used = candidates._hyperboloid_keys(X, X, np.array([-1.0])) is not None
    assert used == (radius < 15)
    found = kneighbors(X, n_neighbors=5, metric="hyperboloid")
    assert_neighbors_equal(found, brute(X, None, 5, "hyperboloid"))


def test_sphere_rows_within_the_tolerance():
    rng = np.random.default_rng(8)
    X = points("sphere", 400, 3, rng) * (1 + 5e-7 * rng.uniform(-1, 1, (400, 1)))
    X[1::2] = X[::2] * (1 + 4e-7)
    assert np.abs(np.linalg.norm(X, axis=1) - 1).max() < 1e-6
    found = kneighbors(X, n_neighbors=6, metric="sphere")
    assert_neighbors_equal(found, brute(X, None, 6, "sphere"))


@pytest.mark.parametrize("d", [3, 200])
def test_bounds_are_needed(monkeypatch, d):
    # Without its margin each shortcut is wrong on this data: the tests above can fail.
    rng = np.random.default_rng(9)
    X = _grid(1100, 3, rng) if d == 3 else _far_clusters(330, d, rng)
    expected = brute(X, None, 7, "euclidean")
    monkeypatch.setattr(candidates, "_TREE_MARGIN", -1.0)
    monkeypatch.setattr(candidates, "_EPS", 0.0)
    found = kneighbors(X, n_neighbors=7)
    assert not np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("name", ["euclidean", "torus", "hyperboloid"])
@pytest.mark.parametrize("d", [3, 200])
def test_neighbors_do_not_depend_on_threads(name, d):
    rng = np.random.default_rng(10)
    X = points(name, 1500, d, rng)
    one = kneighbors(X, n_neighbors=6, metric=name)
    two = kneighbors(X, n_neighbors=6, metric=name, n_jobs=2)
    assert_neighbors_equal(two, one)


def test_neighbors_in_several_blocks(monkeypatch):
    rng = np.random.default_rng(11)
    monkeypatch.setattr(candidates, "_BLOCK_BYTES", 8 * 1500 * 16)
    for name, d in [("euclidean", 3), ("euclidean", 200), ("poincare", 2)]:
        X = points(name, 1500, d, rng)
        found = kneighbors(X, n_neighbors=3, metric=name)
        assert_neighbors_equal(found, brute(X, None, 3, name))


@kernels
def test_duplicates_are_found_but_not_the_row_itself():
    X = np.array([[0.0], [1.0], [0.0], [0.0]])
    distances, indices = kneighbors(X, n_neighbors=3)
    assert indices.tolist() == [[2, 3, 1], [0, 2, 3], [0, 3, 1], [0, 2, 1]]
    assert distances[0].tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("n_neighbors", [0, -1, 4])
def test_number_of_neighbors_out_of_range(n_neighbors):
    with pytest.raises(ValueError, match=rf"n_neighbors={n_neighbors} .* 1 and 3"):
        kneighbors(np.zeros((4, 2)), n_neighbors=n_neighbors)


def test_number_of_neighbors_must_be_an_integer():
    with pytest.raises(TypeError, match=r"n_neighbors=2\.0"):
        kneighbors(np.zeros((4, 2)), n_neighbors=2.0)
    found = kneighbors(np.zeros((4, 2)), np.zeros((3, 2)), np.int64(3))
    assert found[1].tolist() == [[0, 1, 2]] * 4


# --- Metrics of others ----------------------------------------------------------------


@kernels
@pytest.mark.parametrize(
    ("metric", "params"),
    [
        ("cityblock", None),
        ("cosine", None),
        ("minkowski", {"p": 3}),
        ("seuclidean", {"V": np.array([1.0, 2.0, 3.0])}),
        (lambda x, y, power=1.0: np.abs(x - y).max() ** power, {"power": 0.5}),
    ],
)
def test_delegation_to_scikit_learn(metric, params):
    from sklearn.metrics import pairwise_distances as sklearn_distances

    rng = np.random.default_rng(12)
    X, Y = rng.standard_normal((40, 3)), rng.standard_normal((15, 3))
    for other in (None, Y):
        D = sklearn_distances(X, other, metric=metric, **(params or {}))
        assert_allclose(
            pairwise_distances(X, other, metric, metric_params=params), D, rtol=1e-13
        )
        d, j = kneighbors(X, other, 4, metric, metric_params=params)
        expected = reference.neighbors(D, 4, within=other is None)
        assert_allclose(d, expected[0], rtol=1e-12)
        assert_array_equal(j, expected[1])


@kernels
def test_kernel_as_callable_runs_compiled():
    X = points("sphere", 10, 2, np.random.default_rng(13), radius=2.0)
    params = {"radius": 2.0}
    D = pairwise_distances(X, metric=sphere.distance, metric_params=params)
    assert_array_equal(D, pairwise_distances(X, metric="sphere", metric_params=params))
    assert resolve_metric(sphere.distance).metric.name == "sphere"


@kernels
def test_manifold_with_a_kernel():
    X = points("hyperboloid", 20, 2, np.random.default_rng(14), curvature=-2.0)
    manifold = Plain(("hyperboloid", {"curvature": -2.0}))
    D = pairwise_distances(X, metric=manifold)
    expected = pairwise_distances(
        X, metric="hyperboloid", metric_params={"curvature": -2.0}
    )
    assert_array_equal(D, expected)


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_manifold_without_a_kernel(monkeypatch, shape):
    monkeypatch.setattr("geolearn.metrics._pairwise._MANIFOLD_BYTES", 2000)
    rng = np.random.default_rng(15)
    X, Y = rng.standard_normal((30, *shape)), rng.standard_normal((12, *shape))
    flat_x, flat_y = X.reshape(30, -1), Y.reshape(12, -1)
    D = pairwise_distances(X, metric=Plain())
    assert_allclose(D, pairwise_distances(flat_x), rtol=1e-14)
    assert_array_equal(D, D.T)
    E = pairwise_distances(X, Y, metric=Plain())
    assert_allclose(E, pairwise_distances(flat_x, flat_y), rtol=1e-14)
    found = kneighbors(X, Y, 3, Plain())
    expected = kneighbors(flat_x, flat_y, 3)
    assert_array_equal(found[1], expected[1])


def test_manifold_errors():
    class Scalar(Plain):
        def dist(self, x, y):
            return 0.0

    X = np.zeros((4, 2))
    with pytest.raises(ValueError, match="must broadcast over the leading axes"):
        pairwise_distances(X, metric=Scalar())
    with pytest.raises(ValueError, match="the manifold carries its parameters"):
        pairwise_distances(X, metric=Plain(), metric_params={"radius": 1.0})
    with pytest.raises(ValueError, match=r"points of shape \(2,\) and Y of shape"):
        pairwise_distances(X, np.zeros((4, 3)), metric=Plain())
    with pytest.raises(ValueError, match="X contains NaN"):
        pairwise_distances(np.full((2, 2), np.inf), metric=Plain())
    with pytest.raises(TypeError, match="not a class"):
        pairwise_distances(X, metric=Plain)
