"""Kernels of principal subbundles: eigenpairs, search, weights, local covariance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.decomposition import _subbundle_block, _subbundle_shoot
from geolearn.decomposition._subbundle_block import leading, resolvent
from geolearn.decomposition._subbundle_eigen import eigenpairs
from geolearn.decomposition._subbundle_kernels import gradient, local_pca, make_room
from geolearn.decomposition._subbundle_law import Law
from geolearn.decomposition._subbundle_search import build_tree, nearest, within
from geolearn.decomposition._subbundle_slope_high import slope_high
from geolearn.decomposition._subbundle_weights import (
    GAUSSIAN,
    PULL,
    R2,
    SKIN,
    TAPERED,
    Samples,
    W,
    list_samples,
    make_list,
    padded,
    weigh,
)
from tests.reference import subbundle as reference

pytestmark = pytest.mark.kernels


def solve(S):
    values, E = np.empty(len(S)), np.empty(S.shape)
    eigenpairs(len(S))(S.copy(), values, E)
    return values, E


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize(
    "spectrum",
    [
        [2.0],
        [3.0, 0.0],
        [1.0, 1.0, 1.0],
        [2.0, 2.0, 1e-9],
        [1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
        [5.0, 1.0, 1.0, 1e-12, 0.0],
        list(range(8, 0, -1)),
        [4.0, 3.0, 3.0, *[0.5] * 7],
    ],
)
def test_eigenpairs_with_equal_and_zero_values(spectrum, unit):
    values = np.array(spectrum) * unit
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(len(values),) * 2))
    S = (Q * values) @ Q.T
    S = 0.5 * (S + S.T)
    found, E = solve(S)
    scale = values[0] if values[0] > 0 else 1.0
    assert_allclose(found / scale, values / scale, atol=5e-15)
    assert_allclose(E.T @ E, np.eye(len(values)), atol=5e-15)
    assert_allclose((E * found) @ E.T / scale, S / scale, atol=5e-15)
    assert (np.diff(found) <= 0).all()
    assert (found >= 0).all()


def test_eigenpairs_leave_a_diagonal_matrix_alone():
    values, E = solve(np.diag([1.0, 3.0, 2.0]))
    assert_array_equal(values, [3.0, 2.0, 1.0])
    assert_array_equal(abs(E), np.eye(3)[:, [1, 2, 0]])


@pytest.mark.parametrize("d", [1, 3, 16])
def test_search_finds_what_a_full_pass_finds(d):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, d))
    X[:40] = X[0]  # duplicates fill whole leaves
    order, bounds, boxes = build_tree(X)
    assert_array_equal(np.sort(order), np.arange(150))
    found = np.empty(150, dtype=np.int64)
    for p in rng.normal(size=(60, d)):
        r2 = ((X - p) ** 2).sum(axis=1)
        assert_allclose(nearest(X[order], bounds, boxes, p), r2.min(), rtol=1e-12)
    for p in [*X[38:44], *rng.normal(size=(5, d)) * 3]:
        r2 = ((X - p) ** 2).sum(axis=1)
        assert_allclose(
            nearest(X[order], bounds, boxes, p), r2.min(), rtol=1e-12, atol=1e-30
        )
        for radius2 in (0.0, *np.quantile(r2, [0.1, 0.5]) + 1e-9, 1e9):
            count = within(X[order], bounds, boxes, p, radius2, found)
            assert set(order[found[:count]]) == set(np.flatnonzero(r2 <= radius2))


def listed(samples, p, kind, c, skin, few=True):
    """Return the list that serves all points within `skin` of p."""
    n, d = samples.points.shape
    near = make_list(n, d, d, d, padded(n)) if few else make_list(n, d, 0, n, d)
    list_samples(samples, near, p, kind, c, skin)
    return near


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, 3)) * [4.0, 4.0, 0.3]
    order, bounds, boxes = build_tree(X)
    return Samples(X[order], rng.uniform(0.5, 2, 120), bounds, boxes)


@pytest.mark.parametrize(("kind", "c"), [(GAUSSIAN, 3.0), (TAPERED, 4.0)])
def test_a_list_serves_all_points_within_its_skin(samples, kind, c):
    rng = np.random.default_rng(2)
    room, again = make_room(3, 3), make_room(3, 3)
    for anchor in rng.normal(size=(5, 3)) * 3:
        near = listed(samples, anchor, kind, c, SKIN)
        move = rng.normal(size=3)
        p = anchor + SKIN * move / np.linalg.norm(move)
        local_pca(eigenpairs(len(p)), near, p, kind, c, room)
        fresh = listed(samples, p, kind, c, 0.0)
        local_pca(eigenpairs(len(p)), fresh, p, kind, c, again)
        assert_allclose(room.mean, again.mean, rtol=1e-12, atol=1e-13)
        assert_allclose(room.values, again.values, rtol=1e-12, atol=1e-13)
        assert_allclose(room.facts, again.facts, rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "c"), [(GAUSSIAN, 6.0), (GAUSSIAN, 1.5), (TAPERED, 4.0)]
)
def test_weights_fall_smoothly_and_pull_is_their_derivative(kind, c):
    r = np.linspace(0.0, c * 1.05, 4001)
    X = np.column_stack([r, np.zeros_like(r)])
    order, bounds, boxes = build_tree(X)
    data = Samples(X[order], np.ones(len(r)), bounds, boxes)
    near = listed(data, np.zeros(2), kind, c, 1.0)
    m = near.rows[-1]
    near.columns[R2, :m] = near.coordinates[0, :m] ** 2
    facts = np.empty(2)
    assert weigh(near, kind, c, facts)
    sort = np.argsort(near.columns[R2, :m])
    r2, w, pull = (near.columns[row, sort] for row in (R2, W, PULL))
    assert_allclose(w.sum(), 1.0, rtol=1e-13)
    assert_allclose(facts, [0.0, 1 / (w**2).sum()], rtol=1e-12)
    middle = 0.5 * (pull[1:] + pull[:-1])
    assert_allclose(-2 * np.diff(w) / np.diff(r2), middle, atol=1e-2 * w[0])
    assert (w[r2 >= c * c] == 0).all()
    assert_allclose(pull[r2 >= c * c], 0.0, atol=1e-15)
    if kind == GAUSSIAN:
        inner = r2 < 0.83 * c * c
        assert_allclose(w[inner] / w[0], np.exp(-r2[inner] / 2), rtol=1e-14)


def field_of(X):
    order, bounds, boxes = build_tree(X)
    samples = Samples(X[order], np.ones(len(X)), bounds, boxes)
    for array in samples:  # as a slope takes them that was compiled as a pointer
        array.flags.writeable = False
    return samples


def slopes_of(X, p, eta, k, kind, c, high):
    d = len(p)
    samples = field_of(X)
    near = listed(samples, p, kind, c, 0.0, not high)
    velocity, force = np.empty(d), np.empty(d)
    if high:
        V = np.zeros((d, k + 2))
        room = make_room(0, d)
        law = Law(kind, c, k, np.inf, 0.0)
        at = (p, eta, False, V, room, velocity, force)
        assert slope_high(eigenpairs(d), samples, near, law, *at) == 0
    else:
        room = make_room(d, d)
        assert local_pca(eigenpairs(len(p)), near, p, kind, c, room)
        gradient(near, room, eta, k, True, velocity, force)
    return velocity, force


@pytest.mark.parametrize("high", [False, True], ids=["loops", "products"])
@pytest.mark.parametrize(("d", "k"), [(2, 1), (3, 1), (3, 2), (5, 3), (9, 2), (12, 2)])
def test_gradient_agrees_with_the_reference(d, k, high):
    rng = np.random.default_rng(d + k)
    X = rng.normal(size=(40, d)) * np.where(np.arange(d) < k, 1.0, 0.3)
    X += 0.2 * X[:, :1] ** 2
    p, eta = 0.3 * rng.normal(size=d), rng.normal(size=d)
    for kind, c, options in (
        (GAUSSIAN, 30.0, {}),
        (TAPERED, 4.0, {"kernel": "tapered"}),
    ):
        velocity, force = slopes_of(X, p, eta, k, kind, c, high)
        _, v, f = reference.hamiltonian(X, p, eta, 1.0, k, **options)
        assert_allclose(velocity, v, rtol=1e-9, atol=1e-11)
        assert_allclose(force, f, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("kind", "c"), [(GAUSSIAN, 2.0), (TAPERED, 3.0)])
def test_force_is_the_derivative_where_the_kernel_is_cut(kind, c):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3)) * [2.0, 2.0, 0.4]
    p, eta = np.array([0.2, -0.1, 0.1]), np.array([0.3, 0.5, -0.4])
    _, force = slopes_of(X, p, eta, 2, kind, c, False)
    h = 1e-5
    for a in range(3):
        shift = h * np.eye(3)[a]
        up, _ = slopes_of(X, p + shift, eta, 2, kind, c, False)
        down, _ = slopes_of(X, p - shift, eta, 2, kind, c, False)
        slope = (up @ up - down @ down) / (4 * h)
        assert_allclose(force[a], -slope, rtol=1e-6, atol=1e-8)


@given(st.integers(0, 1000))
def test_leading_vectors_and_resolvent(seed):
    rng = np.random.default_rng(seed)
    B = rng.normal(size=(15, 12)) * 0.1
    B[:, :2] *= 20
    S = B.T @ B
    V, values, G = np.zeros((12, 4)), np.zeros(4), np.empty((12, 2))
    empty = np.empty((0, 0))
    eta = rng.normal(size=12)
    assert leading(eigenpairs(4), S, B, 2, V, values)
    assert resolvent(S, B, values, V, 2, eta, G)
    lam, E = np.linalg.eigh(S)
    assert_allclose(values[:2], lam[::-1][:2], rtol=1e-10)
    top = E[:, -2:]
    assert_allclose(V[:, :2] @ V[:, :2].T, top @ top.T, atol=1e-9)
    rest = eta - top @ (top.T @ eta)
    for a in range(2):
        wanted = np.linalg.solve(values[a] * np.eye(12) - S + 1e3 * top @ top.T, rest)
        assert_allclose(G[:, a], wanted - top @ (top.T @ wanted), rtol=1e-6, atol=1e-9)
    V2, values2 = np.zeros((12, 4)), np.zeros(4)
    assert leading(eigenpairs(4), empty, B, 2, V2, values2)  # as products, not formed
    assert_allclose(values2[:2], values[:2], rtol=1e-10)


def test_rank_deficient_rows_have_leading_vectors():
    B = np.outer(np.arange(1.0, 6), np.ones(10)) / 7
    B[:, 0] += [1, -1, 1, -1, 1]
    V, values = np.zeros((10, 4)), np.zeros(4)
    assert leading(eigenpairs(4), B.T @ B, B, 2, V, values)
    assert_allclose(values[2:], 0.0, atol=1e-12)
    assert_allclose(V.T @ V, np.eye(4), atol=1e-12)


def test_curves_keep_as_many_columns_as_the_block_iterates():
    assert _subbundle_shoot.GUARDS == _subbundle_block.GUARDS
