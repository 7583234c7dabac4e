"""Choice of the diffusion time against closed forms and dense computation."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.sparse import block_diag

from geolearn.graph import (
    graph_laplacian,
    heat_kernel,
    relaxation_time,
    select_diffusion_time,
)
from geolearn.graph._time import knee
from tests.graph.test_heat import cycle, path, random_graph
from tests.reference.heat import affinity_of_example, dense_laplacian


def test_knee_of_the_logarithm_on_the_default_grid():
    grid = np.linspace(0.05, 200.0, 10)
    assert grid[knee(grid, np.log1p(grid))] == pytest.approx(44.48333, abs=1e-5)
    x = (grid - grid[0]) / np.ptp(grid)
    y = np.log1p(grid)
    gap = (y - y[0]) / np.ptp(y) - x
    assert gap.max() == pytest.approx(0.494981, abs=1e-6)


def test_entropies_of_the_worked_example():
    result = select_diffusion_time(graph_laplacian(affinity_of_example()), [0.5, 2.0])
    np.testing.assert_allclose(result.entropies, [6.66431344, 9.89513426], atol=6e-9)
    assert result.t == 0.5


@pytest.mark.parametrize("normalization", ["normalized", "combinatorial"])
def test_entropies_match_the_dense_exponential(normalization):
    W = random_graph(40, np.random.default_rng(0))
    grid = np.array([0.1, 1.0, 5.0, 60.0])
    result = select_diffusion_time(graph_laplacian(W, normalization), grid)
    for t, entropy in zip(grid, result.entropies, strict=True):
        H = np.maximum(expm(-t * dense_laplacian(W, normalization)), 1e-300)
        np.testing.assert_allclose(entropy, -(H * np.log(H)).sum(), rtol=1e-9)


def test_automatic_time_is_the_second_of_the_default_grid_almost_always():
    for W in (path(300), random_graph(300, np.random.default_rng(1))):
        assert select_diffusion_time(graph_laplacian(W)).t == pytest.approx(
            22.2667, 1e-5
        )


def test_few_columns_find_the_same_time():
    L = graph_laplacian(random_graph(400, np.random.default_rng(2), degree=1))
    exact = select_diffusion_time(L, n_columns=400)
    estimate = select_diffusion_time(L, n_columns=60, random_state=0, n_jobs=2)
    assert estimate.t == exact.t
    np.testing.assert_allclose(estimate.entropies, exact.entropies, rtol=0.1)
    again = select_diffusion_time(L, n_columns=60, random_state=0)
    np.testing.assert_array_equal(again.entropies, estimate.entropies)


def test_constant_entropy_takes_the_first_time_and_warns():
    L = graph_laplacian(np.ones((6, 6)) - np.eye(6))
    with pytest.warns(RuntimeWarning, match="constant on the grid"):
        result = select_diffusion_time(L, [400.0, 500.0, 600.0])
    assert result.t == 400.0


def test_relaxation_time_of_cycle_and_both_laplacians():
    n = 200
    gap = 1 - np.cos(2 * np.pi / n)
    time, mean_degree = relaxation_time(graph_laplacian(cycle(n)))
    assert time == pytest.approx(1 / (2 * gap), rel=1e-6)
    W = 3.0 * cycle(n)
    time, mean_degree = relaxation_time(graph_laplacian(W, "combinatorial"))
    assert time == pytest.approx(1 / (2 * gap), rel=1e-6)
    assert mean_degree == pytest.approx(6.0)


@pytest.mark.parametrize("n", [20, 150])
def test_relaxation_time_matches_dense_eigenvalues(n):
    W = random_graph(n, np.random.default_rng(n), degree=1)
    second = np.linalg.eigvalsh(dense_laplacian(W, "normalized"))[1]
    for normalization in ("normalized", "combinatorial"):
        time, _ = relaxation_time(graph_laplacian(W, normalization))
        assert time == pytest.approx(1 / (2 * second), rel=1e-7)


def test_a_bound_of_the_relaxation_time_saves_work_and_is_a_bound():
    L = graph_laplacian(path(2000))
    exact, _ = relaxation_time(L)
    bound, _ = relaxation_time(L, at_most=5000.0)
    assert exact == pytest.approx(1 / (2 * (1 - np.cos(np.pi / 1999))), rel=1e-6)
    assert 5000.0 < bound <= exact * (1 + 1e-9)


def test_relaxation_uses_the_largest_component():
    W = random_graph(80, np.random.default_rng(3))
    both = block_diag([cycle(5), W, np.zeros((1, 1))])
    assert relaxation_time(graph_laplacian(both))[0] == pytest.approx(
        relaxation_time(graph_laplacian(W))[0], rel=1e-7
    )
    assert relaxation_time(np.zeros((1, 1)))[0] == np.inf


def test_relaxation_rule_is_clipped_and_in_the_units_of_the_laplacian():
    L = graph_laplacian(np.ones((6, 6)) - np.eye(6))
    assert select_diffusion_time(L, method="relaxation").t == 20.0
    assert select_diffusion_time(
        graph_laplacian(path(500)), method="relaxation"
    ).t == pytest.approx(2000.0)
    W = random_graph(60, np.random.default_rng(4))
    normalized = select_diffusion_time(graph_laplacian(W), method="relaxation")
    combinatorial = select_diffusion_time(
        graph_laplacian(W, "combinatorial"), method="relaxation"
    )
    assert combinatorial.t * W.sum(axis=1).mean() == pytest.approx(normalized.t)


def test_bad_arguments():
    L = graph_laplacian(path(10))
    with pytest.raises(ValueError, match="method='knee' is not one of"):
        select_diffusion_time(L, method="knee")
    for grid in ([1.0], [2.0, 1.0], [0.0, 1.0], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match="positive and increasing"):
            select_diffusion_time(L, grid)


def test_entropy_is_that_of_the_kernel():
    L = graph_laplacian(random_graph(30, np.random.default_rng(5)))
    H = heat_kernel(L, [1.0, 7.0])
    expected = -(H * np.log(H)).sum(axis=(1, 2))
    result = select_diffusion_time(L, [1.0, 7.0])
    np.testing.assert_allclose(result.entropies, expected, rtol=1e-10)
