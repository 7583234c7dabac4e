import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from geolearn.graph import check_affinity, degrees, graph_laplacian
from tests.reference import graph as reference


def random_affinity(n, seed=0, density=0.3):
    rng = np.random.default_rng(seed)
    W = rng.uniform(size=(n, n)) * (rng.uniform(size=(n, n)) < density)
    W = np.triu(W, 1)
    return W + W.T


def cycle(n):
    return np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)


W = random_affinity(20)


@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        np.ndarray.tolist,
        sparse.csr_array,
        sparse.csr_matrix,
        sparse.csc_matrix,
        sparse.coo_array,
        sparse.lil_matrix,
        sparse.dok_array,
    ],
)
def test_every_container(container):
    found = check_affinity(container(W))
    assert isinstance(found, sparse.csr_array)
    assert found.dtype == np.float64
    assert found.has_sorted_indices
    assert_array_equal(found.toarray(), W)


@pytest.mark.parametrize("dtype", [np.int64, np.float32, bool])
def test_every_dtype(dtype):
    found = check_affinity((cycle(6) * 2).astype(dtype))
    assert found.dtype == np.float64
    assert_array_equal(found.toarray(), cycle(6) * (1 if dtype is bool else 2))


def test_int64_indices():
    wide = sparse.csr_array(W)
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    found = check_affinity(wide)
    assert found.indices.dtype == found.indptr.dtype == np.int32
    assert wide.indices.dtype == np.int64
    assert_array_equal(found.toarray(), W)


def test_the_input_is_not_changed():
    given_ = sparse.csr_array(W + np.eye(20))
    before = given_.copy()
    check_affinity(given_)
    graph_laplacian(given_)
    assert_array_equal(given_.data, before.data)
    assert_array_equal(given_.indices, before.indices)


def test_diagonal_duplicates_and_zeros_disappear():
    entries = ([5.0, 1.0, 1.0, 2.0, 0.0, 0.0], ([0, 0, 0, 1, 1, 2], [0, 1, 1, 0, 2, 1]))
    found = check_affinity(sparse.coo_array(entries, shape=(3, 3)))
    assert_array_equal(found.toarray(), [[0, 2, 0], [2, 0, 0], [0, 0, 0]])
    assert found.nnz == 2


def test_rounding_is_symmetrised():
    noisy = W * (1 + 1e-12 * np.random.default_rng(1).normal(size=W.shape))
    found = check_affinity(noisy).toarray()
    assert_array_equal(found, found.T)
    assert_allclose(found, W, rtol=1e-11)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (np.nan, "NaN"),
        (np.inf, "infinite"),
        (-1e-3, r"W\[1, 4\] = -.* is negative"),
        (0.5, r"not symmetric: \|W\[1, 4\] - W\[4, 1\]\|"),
    ],
)
def test_errors_name_the_problem(fault, message, scale):
    wrong = (cycle(6) * 0.2) * scale
    wrong[1, 4] = fault * scale
    for container in (np.asarray, sparse.csr_array):
        with pytest.raises(ValueError, match=message):
            check_affinity(container(wrong))


@pytest.mark.parametrize("wrong", [np.zeros((2, 3)), sparse.csr_array((2, 3))])
def test_not_square(wrong):
    with pytest.raises(ValueError, match=r"square, got shape \(2, 3\)"):
        check_affinity(wrong)


def test_not_a_matrix():
    with pytest.raises(ValueError, match="must be a matrix"):
        check_affinity(np.zeros(3))


def test_empty_graph():
    assert check_affinity(np.zeros((3, 3))).nnz == 0
    assert graph_laplacian(np.zeros((3, 3))).nnz == 0


@pytest.mark.parametrize("normalization", ["normalized", "combinatorial"])
@given(seed=st.integers(0, 1000), density=st.sampled_from([0.05, 0.3, 1.0]))
def test_agree_with_the_definition(normalization, seed, density):
    affinity = random_affinity(12, seed, density)  # sparse ones have isolated nodes
    L = graph_laplacian(affinity, normalization)
    expected = reference.laplacian(affinity, normalization == "normalized")
    assert_allclose(L.toarray(), expected, rtol=1e-13, atol=1e-15)
    assert_array_equal(L.toarray(), L.toarray().T)
    assert L.has_sorted_indices
    eigenvalues = np.linalg.eigvalsh(L.toarray())
    assert eigenvalues.min() > -1e-13
    if normalization == "normalized":
        assert eigenvalues.max() < 2 + 1e-13


def test_closed_spectra():
    n = 9
    complete = np.ones((n, n)) - np.eye(n)
    waves = 2 - 2 * np.cos(2 * np.pi * np.arange(n) / n)
    path = np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    cosines = 2 - 2 * np.cos(np.pi * np.arange(n) / n)
    for affinity, normalization, expected in (
        (complete, "combinatorial", [0] + [n] * (n - 1)),
        (complete, "normalized", [0] + [n / (n - 1)] * (n - 1)),
        (cycle(n), "combinatorial", np.sort(waves)),
        (cycle(n), "normalized", np.sort(waves) / 2),
        (path, "combinatorial", cosines),
    ):
        L = graph_laplacian(affinity, normalization).toarray()
        assert_allclose(np.linalg.eigvalsh(L), expected, atol=1e-13)


def test_null_space():
    d = degrees(check_affinity(W))
    assert_allclose(d, W.sum(axis=1), rtol=1e-14)
    assert_allclose(graph_laplacian(W) @ np.sqrt(d), 0, atol=1e-14)
    assert_allclose(graph_laplacian(W, "combinatorial") @ np.ones(20), 0, atol=1e-14)


@pytest.mark.parametrize("scale", [1e-15, 1e15, 1e-200])
def test_scaled_weights(scale):
    L = graph_laplacian(W)
    assert_allclose(graph_laplacian(W * scale).toarray(), L.toarray(), rtol=1e-13)
    C = graph_laplacian(W, "combinatorial").toarray()
    scaled = graph_laplacian(W * scale, "combinatorial").toarray()
    assert_allclose(scaled, C * scale, rtol=1e-13)


def test_unknown_normalization():
    with pytest.raises(ValueError, match=r"'normalized' or 'combinatorial', got 'sym'"):
        graph_laplacian(W, "sym")
