"""Distortion of distances and precision of neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.sparse import coo_matrix, csr_array

from geolearn.metrics import average_distortion, graph_map, worst_case_distortion
from tests.reference import hyperbolicity as reference

pytestmark = pytest.mark.kernels


def random_tables(seed, n=17):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4))
    G = np.linalg.norm(X[:, None] - X, axis=2)
    D = np.linalg.norm(X[:, None, :2] - X[:, :2], axis=2)
    A = np.triu(rng.random((n, n)) < 0.2, 1)
    A[0, 1] = True
    return D, G, A | A.T


@given(st.integers(0, 2**32 - 1))
def test_against_the_definitions(seed):
    D, G, A = random_tables(seed)
    average, worst = reference.distortions(D, G)
    assert_allclose(average_distortion(D, G), average, rtol=1e-12)
    assert_allclose(worst_case_distortion(D, G), worst, rtol=1e-12)
    connected = A.any(axis=1)
    A, D = A[connected][:, connected], D[connected][:, connected]
    expected = reference.mean_average_precision(D, A)
    assert_allclose(graph_map(D, A), expected, rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_invariances(seed):
    D, G, A = random_tables(seed)
    order = np.random.default_rng(seed).permutation(len(D))
    table = np.ix_(order, order)
    assert_allclose(
        average_distortion(D[table], G[table]), average_distortion(D, G), rtol=1e-12
    )
    assert_allclose(
        worst_case_distortion(7.0 * D, G), worst_case_distortion(D, G), rtol=1e-12
    )
    A[np.arange(17), (np.arange(17) + 1) % 17] = True  # no isolated node
    assert graph_map(np.sqrt(D), A) == graph_map(D, A)  # only the order counts
    assert_allclose(graph_map(D[table], A[table]), graph_map(D, A), rtol=1e-12)


def test_perfect_and_collapsed_embeddings():
    _, G, _ = random_tables(0)
    assert average_distortion(G, G) == 0.0
    assert worst_case_distortion(0.01 * G, G) == pytest.approx(1.0, rel=1e-14)
    assert average_distortion(0.0 * G, G) == 1.0
    assert worst_case_distortion(0.0 * G, G) == np.inf
    # All nodes come at once: of n - 1 others, `degree` are neighbours.
    ring = reference.cycle(9) == 1
    assert graph_map(np.zeros((9, 9)), ring) == pytest.approx(2 / 8)
    assert graph_map(reference.cycle(9), ring) == 1.0


def test_coincident_points_count_unless_ignored():
    D, G, _ = random_tables(1)
    D[2] = D[:, 2] = D[5].copy()
    D = (D + D.T) / 2
    np.fill_diagonal(D, 0.0)
    D[2, 5] = D[5, 2] = 0.0
    average, worst = reference.distortions(D, G)
    assert worst == np.inf == worst_case_distortion(D, G)
    assert_allclose(average_distortion(D, G), average, rtol=1e-12)
    average, worst = reference.distortions(D, G, ignore_zero=True)
    assert_allclose(average_distortion(D, G, ignore_zero=True), average, rtol=1e-12)
    assert_allclose(worst_case_distortion(D, G, ignore_zero=True), worst, rtol=1e-12)


def test_number_of_threads_and_inputs_do_not_matter():
    D, G, A = random_tables(2, n=150)
    before = D.copy(), G.copy(), A.copy()
    assert average_distortion(D, G, n_jobs=2) == average_distortion(D, G)
    assert worst_case_distortion(D, G, n_jobs=2) == worst_case_distortion(D, G)
    assert graph_map(D, A, n_jobs=2) == graph_map(D, A)
    for table, copy in zip((D, G, A), before, strict=True):
        assert (table == copy).all()
        table.flags.writeable = False
    assert average_distortion(D, G) == average_distortion(
        D.tolist(), np.asfortranarray(G)
    )


@pytest.mark.parametrize("form", [csr_array, coo_matrix, np.triu, np.tril])
def test_forms_of_graphs(form):
    D, _, A = random_tables(3, n=30)
    A = A | np.eye(30, k=1, dtype=bool) | np.eye(30, k=-1, dtype=bool)
    looped = A + 3.0 * np.eye(30)  # a node is no neighbour of itself
    assert graph_map(D, form(looped)) == graph_map(D, A)


def test_isolated_nodes_are_reported():
    D, _, _ = random_tables(4)
    A = np.zeros((17, 17))
    A[0, 1] = 1.0
    with pytest.warns(UserWarning, match="15 of 17 nodes have no neighbour"):
        value = graph_map(D, A)
    assert value == pytest.approx(reference.mean_average_precision(D, A + A.T))
    with pytest.raises(ValueError, match="graph has no edge"):
        graph_map(D, np.eye(17))


def spoilt(kind):
    G = reference.cycle(6)
    if kind == "shape":
        return G[:5]
    if kind == "diagonal":
        return G + np.eye(6)
    if kind == "infinite":
        G[:3, 3:] = G[3:, :3] = np.inf
    if kind == "nan":
        G[0, 1] = np.nan
    if kind == "negative":
        G[0, 1] = G[1, 0] = -1.0
    if kind == "asymmetric":
        G[0, 1] = 1.1
    if kind == "duplicate":
        G[0, 1] = G[1, 0] = 0.0
    return G


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("shape", r"G must be a square table of distances, got shape \(5, 6\)"),
        ("diagonal", r"zero on its diagonal, but G\[0, 0\]=1"),
        ("infinite", "2 components"),
        ("nan", "G contains NaN"),
        ("negative", r"negative distances, the lowest G\[0, 1\]=-1"),
        ("asymmetric", r"not symmetric: G\[0, 1\] .* differ by 0.1"),
        ("duplicate", "zero for 1 pairs of different points"),
    ],
)
def test_bad_tables(kind, message):
    D, G = reference.cycle(6), spoilt(kind)
    for measure in (average_distortion, worst_case_distortion):
        with pytest.raises(ValueError, match=message):
            measure(D, G)


def test_other_bad_input():
    D = reference.cycle(6)
    with pytest.raises(ValueError, match="D has 5 rows, but 6 are needed"):
        average_distortion(reference.cycle(5), D)
    with pytest.raises(ValueError, match="at least two points"):
        worst_case_distortion([[0.0]], [[0.0]])
    with pytest.raises(ValueError, match="has collapsed"):
        average_distortion(0.0 * D, D, ignore_zero=True)
    with pytest.raises(ValueError, match=r"graph has shape \(5, 5\)"):
        graph_map(D, np.eye(5))
    with pytest.raises(ValueError, match="graph contains NaN"):
        graph_map(D, np.full((6, 6), np.nan))
