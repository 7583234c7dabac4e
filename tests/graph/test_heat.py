"""Heat kernels against closed forms, high precision and their identities."""

import mpmath as mp
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.sparse import block_diag, csr_array, csr_matrix
from scipy.special import iv
from sklearn.exceptions import ConvergenceWarning

from geolearn.graph import graph_laplacian, heat_kernel
from geolearn.graph._heat import (
    chebyshev_weights,
    largest_eigenvalue_bound,
    poisson_weights,
)
from geolearn.graph._heat_columns import NARROW_BLOCK, WIDE_BLOCK
from tests.reference.heat import (
    affinity_of_example,
    dense_laplacian,
    exact_heat_columns,
)

pytestmark = pytest.mark.kernels
needs_speed = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="takes minutes without compilation"
)

SERIES = ("chebyshev", "uniformization")


def path(n):
    return csr_array(np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1))


def cycle(n):
    W = path(n).toarray()
    W[0, -1] = W[-1, 0] = 1.0
    return W


def random_graph(n, rng, *, degree=4):
    """A connected weighted graph: a path with random chords."""
    W = path(n).toarray() * rng.uniform(0.2, 1.0, (n, n))
    chords = rng.random((n, n)) < degree / n
    W = np.where(chords, rng.uniform(0.01, 1.0, (n, n)), W)
    W = (W + W.T) / 2
    np.fill_diagonal(W, 0.0)
    return W


@pytest.mark.parametrize("method", SERIES)
def test_two_nodes(method):
    w, t = 0.7, 1.3
    L = graph_laplacian(np.array([[0, w], [w, 0]]), "combinatorial")
    H = heat_kernel(L, t, method=method)
    far = np.exp(-2 * w * t)
    np.testing.assert_allclose(
        H, [[(1 + far) / 2, (1 - far) / 2], [(1 - far) / 2, (1 + far) / 2]], rtol=1e-12
    )


@pytest.mark.parametrize("method", SERIES)
@pytest.mark.parametrize("normalization", ["combinatorial", "normalized"])
def test_complete_graph(method, normalization):
    n, t = 5, 0.1
    L = graph_laplacian(np.ones((n, n)) - np.eye(n), normalization)
    rate = n if normalization == "combinatorial" else n / (n - 1)
    H = heat_kernel(L, t, method=method)
    expected = (1 - np.exp(-rate * t)) / n + np.exp(-rate * t) * np.eye(n)
    np.testing.assert_allclose(H, expected, rtol=1e-12)
    if normalization == "combinatorial":  # printed in the specification
        np.testing.assert_allclose(
            H[0, :2], [0.6852245278, 0.0786938681], rtol=1e-9, atol=0
        )


@pytest.mark.parametrize("method", SERIES)
@pytest.mark.parametrize("normalization", ["combinatorial", "normalized"])
def test_cycle(method, normalization):
    n, t = 8, 0.5
    H = heat_kernel(graph_laplacian(cycle(n), normalization), t, method=method)
    x = 2 * t if normalization == "combinatorial" else t
    hops = np.arange(n)
    images = sum(iv(np.abs(hops + m * n), x) for m in range(-6, 7))
    np.testing.assert_allclose(H[0], np.exp(-x) * images, rtol=1e-9)
    if normalization == "combinatorial":  # printed in the specification
        printed = [0.4657596809, 0.2079110057, 0.0499470501, 0.0082551735, 0.0020138605]
        np.testing.assert_allclose(H[0, :5], printed, rtol=0, atol=6e-11)


def test_path_and_euler_print_the_values_of_the_specification():
    L = graph_laplacian(path(4), "combinatorial")
    np.testing.assert_allclose(
        heat_kernel(L, 0.5)[0],
        [0.67367069, 0.25785806, 0.05820222, 0.01026903],
        atol=6e-9,
        rtol=0,
    )
    np.testing.assert_allclose(
        heat_kernel(L, 0.5, method="euler", euler_steps=10)[0],
        [0.68128818, 0.24951016, 0.05771819, 0.01148347],
        atol=6e-9,
        rtol=0,
    )


@pytest.mark.parametrize("method", [*SERIES, "exact"])
@pytest.mark.parametrize(
    ("t", "row"),
    [
        (
            0.5,
            [0.64088137, 0.19223998, 0.09916526, 0.02732569, 0.00820010, 0.01415277],
        ),
        (
            2.0,
            [0.30571186, 0.27370530, 0.19459168, 0.09789029, 0.05386032, 0.05503516],
        ),
    ],
)
def test_worked_example(method, t, row):
    H = heat_kernel(graph_laplacian(affinity_of_example()), t, method=method)
    np.testing.assert_allclose(H[0], row, atol=6e-9, rtol=0)


@pytest.mark.parametrize("method", SERIES)
def test_entries_down_to_1e_minus_200_are_relatively_accurate(method):
    # a path with a few chords: hop distances up to 55
    rng = np.random.default_rng(0)
    W = path(60).toarray() * rng.uniform(0.3, 1.0, (60, 60))
    W[3, 6], W[20, 24] = 0.5, 1e-3
    W = (W + W.T) / 2
    t = 0.02
    sources = [0, 31, 59]
    H = heat_kernel(graph_laplacian(W), t, sources=sources, method=method, tol=1e-8)
    smallest = 1.0
    for s, column in enumerate(exact_heat_columns(W, t, sources)):
        for i, value in enumerate(column):
            assert abs(mp.mpf(float(H[i, s])) / value - 1) < 1e-8
            smallest = min(smallest, float(value))
    assert 1e-250 < smallest < 1e-150


@needs_speed
@pytest.mark.parametrize("t", [0.3, 5.0, 40.0])
def test_chebyshev_agrees_with_uniformization_entry_by_entry(t):
    W = random_graph(150, np.random.default_rng(1), degree=0.5)
    L = graph_laplacian(W)
    np.testing.assert_allclose(
        heat_kernel(L, t, tol=1e-10),
        heat_kernel(L, t, method="uniformization", tol=1e-10),
        rtol=1e-9,
    )


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 30),
    t=st.floats(0.05, 20),
    normalization=st.sampled_from(["normalized", "combinatorial"]),
)
def test_matches_the_dense_exponential(seed, n, t, normalization):
    W = random_graph(n, np.random.default_rng(seed))
    H = heat_kernel(graph_laplacian(W, normalization), t)
    expected = expm(-t * dense_laplacian(W, normalization))
    np.testing.assert_allclose(H, expected, rtol=1e-7, atol=1e-13)
    assert (H > 0).all()
    np.testing.assert_array_equal(H, H.T)


@needs_speed
@given(seed=st.integers(0, 10**6), t=st.floats(0.5, 30))
def test_semigroup_trace_and_conservation(seed, t):
    W = random_graph(25, np.random.default_rng(seed))
    d = W.sum(axis=1)
    L = graph_laplacian(W)
    H, half = heat_kernel(L, t), heat_kernel(L, t / 2)
    np.testing.assert_allclose(half @ half, H, rtol=1e-7)
    eigenvalues = np.linalg.eigvalsh(dense_laplacian(W, "normalized"))
    np.testing.assert_allclose(np.trace(H), np.exp(-t * eigenvalues).sum(), rtol=1e-8)
    random_walk = H * np.sqrt(d) / np.sqrt(d)[:, None]
    np.testing.assert_allclose(random_walk.sum(axis=1), 1.0, rtol=1e-8)
    combinatorial = heat_kernel(graph_laplacian(W, "combinatorial"), t)
    np.testing.assert_allclose(combinatorial.sum(axis=1), 1.0, rtol=1e-8)


def test_tends_to_the_stationary_state():
    W = random_graph(12, np.random.default_rng(2))
    d = W.sum(axis=1)
    H = heat_kernel(graph_laplacian(W), 5000.0)
    np.testing.assert_allclose(H, np.sqrt(np.outer(d, d)) / d.sum(), rtol=1e-7)


def test_scale_of_the_weights():
    W = random_graph(20, np.random.default_rng(3))
    for c in (1e-15, 7.0, 1e15):
        np.testing.assert_allclose(
            heat_kernel(graph_laplacian(c * W), 2.0),
            heat_kernel(graph_laplacian(W), 2.0),
            rtol=1e-7,
        )
        np.testing.assert_allclose(
            heat_kernel(graph_laplacian(c * W, "combinatorial"), 2.0 / c),
            heat_kernel(graph_laplacian(W, "combinatorial"), 2.0),
            rtol=1e-7,
        )


def test_permuted_nodes_give_the_permuted_kernel():
    rng = np.random.default_rng(4)
    W = random_graph(90, rng)
    p = rng.permutation(90)
    np.testing.assert_allclose(
        heat_kernel(graph_laplacian(W[np.ix_(p, p)]), 3.0),
        heat_kernel(graph_laplacian(W), 3.0)[np.ix_(p, p)],
        rtol=1e-7,
    )


def test_components_and_isolated_nodes():
    rng = np.random.default_rng(5)
    A, B = random_graph(7, rng), random_graph(70, rng)
    W = block_diag([A, np.zeros((1, 1)), B], format="csr")
    shuffle = rng.permutation(78)
    H = heat_kernel(graph_laplacian(W[shuffle][:, shuffle]), 2.0)
    back = np.argsort(shuffle)
    H = H[np.ix_(back, back)]
    np.testing.assert_allclose(H[:7, :7], heat_kernel(graph_laplacian(A), 2.0), 1e-7)
    np.testing.assert_allclose(H[8:, 8:], heat_kernel(graph_laplacian(B), 2.0), 1e-7)
    assert H[7, 7] == pytest.approx(1.0, rel=1e-12)
    mask = np.zeros((78, 78), dtype=bool)
    mask[:7, :7] = mask[7, 7] = mask[8:, 8:] = True
    assert (H[~mask] == 0).all()
    assert (H[mask] > 0).all()


@pytest.mark.parametrize("n_sources", [1, NARROW_BLOCK, WIDE_BLOCK + 1])
def test_columns_are_those_of_the_whole(n_sources):
    rng = np.random.default_rng(6)
    L = graph_laplacian(random_graph(80, rng))
    sources = rng.permutation(80)[:n_sources]
    H = heat_kernel(L, 4.0, sources=sources)
    assert H.shape == (80, n_sources)
    np.testing.assert_allclose(H, heat_kernel(L, 4.0)[:, sources], rtol=1e-7)


@pytest.mark.parametrize("method", ["chebyshev", "uniformization", "euler", "exact"])
def test_several_times_are_pages(method):
    L = graph_laplacian(random_graph(30, np.random.default_rng(7)))
    times = [0.8, 3.0, 9.0]
    pages = heat_kernel(L, times, method=method)
    assert pages.shape == (3, 30, 30)
    for page, t in zip(pages, times, strict=True):
        np.testing.assert_allclose(page, heat_kernel(L, t, method=method), rtol=1e-7)


@needs_speed
def test_results_do_not_depend_on_threads_or_format():
    W = csr_array(random_graph(200, np.random.default_rng(8)))
    L = graph_laplacian(W)
    H = heat_kernel(L, 6.0)
    np.testing.assert_array_equal(H, heat_kernel(L, 6.0, n_jobs=2))
    np.testing.assert_array_equal(H, heat_kernel(csr_matrix(L), 6.0))
    np.testing.assert_array_equal(H, heat_kernel(L.toarray(), 6.0))
    L64 = csr_array((L.data, L.indices.astype(np.int64), L.indptr.astype(np.int64)))
    np.testing.assert_array_equal(H, heat_kernel(L64, 6.0))


def test_euler_error_is_that_of_the_specification_and_falls_with_steps():
    # |(1 + x/s)^-s - exp(-x)| <= 2 exp(-2) / s, attained near x = 2
    eigenvalue, t = 2.0, 1.0  # two nodes of weight 1: eigenvalue 2
    L = graph_laplacian(np.array([[0.0, 1.0], [1.0, 0.0]]), "combinatorial")
    exact = np.exp(-eigenvalue * t)
    errors = []
    for steps in (30, 60, 120):
        H = heat_kernel(L, t, method="euler", euler_steps=steps)
        errors.append(abs(H[0, 0] - H[0, 1] - exact))
    assert errors[0] == pytest.approx(0.0089, abs=2e-4)
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2.0, rtol=0.03)


def test_eigenvalue_bound_is_safe_and_tight():
    for seed in range(5):
        W = random_graph(40, np.random.default_rng(seed))
        for normalization in ("normalized", "combinatorial"):
            L = graph_laplacian(W, normalization)
            largest = np.linalg.eigvalsh(L.toarray())[-1]
            bound = largest_eigenvalue_bound(L)
            assert largest <= bound * (1 + 1e-12)
            if normalization == "normalized":
                assert bound == pytest.approx(2.0, rel=0.02)


def test_weights_of_the_series_sum_to_one_and_never_overflow():
    for x in (1e-3, 1.0, 22.3, 3000.0):
        np.testing.assert_allclose(chebyshev_weights([x], 4000).sum(), 1.0, rtol=1e-12)
        np.testing.assert_allclose(poisson_weights([x], 5000).sum(), 1.0, rtol=1e-9)


@needs_speed
def test_underflow_is_reported_and_stays_positive():
    L = graph_laplacian(path(400))
    with pytest.warns(RuntimeWarning, match="underflows at t=0.01.*increase t"):
        H = heat_kernel(L, 0.01)
    assert H.min() == np.finfo(float).tiny


def test_too_low_an_order_warns():
    with pytest.warns(ConvergenceWarning, match="max_order=8"):
        heat_kernel(graph_laplacian(path(40)), 5.0, max_order=8)


def test_exact_warns_where_it_has_no_digits():
    L = graph_laplacian(path(40))
    with pytest.warns(RuntimeWarning, match="below 1e-12.*chebyshev"):
        heat_kernel(L, 0.5, method="exact")
    with pytest.raises(ValueError, match="at most 2000 nodes, got 2001"):
        heat_kernel(graph_laplacian(path(2001)), 1.0, method="exact")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": 0.0}, "t=0.0 must be a positive"),
        ({"t": [1.0, np.nan]}, "must be a positive"),
        ({"method": "pygsp"}, "method='pygsp' is not one of chebyshev"),
        ({"tol": 0.0}, "tol=0.0 must be positive"),
        ({"phi": -1.0}, "phi=-1.0 must be"),
        ({"sources": [0, 99]}, r"integers in \[0, 10\)"),
        ({"sources": [0.5]}, r"integers in \[0, 10\)"),
        ({"method": "euler", "euler_steps": 0}, "euler_steps=0 must be at least 1"),
    ],
)
def test_bad_arguments(arguments, message):
    L = graph_laplacian(path(10))
    with pytest.raises(ValueError, match=message):
        heat_kernel(L, **{"t": 1.0, **arguments})


@pytest.mark.parametrize(
    ("L", "message"),
    [
        (np.ones((2, 3)), "square"),
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), "NaN"),
        (np.array([[1.0, -1.0], [-0.5, 1.0]]), r"\|L - L.T\| reaches 0.5"),
        (np.array([[1.0, 0.5], [0.5, 1.0]]), "graph_laplacian"),
    ],
)
def test_what_is_no_laplacian_is_refused(L, message):
    with pytest.raises(ValueError, match=message):
        heat_kernel(L, 1.0)
