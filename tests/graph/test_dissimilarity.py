"""Dissimilarities of heat against the formulas and the printed example."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolearn.graph import (
    denoise_dissimilarity,
    graph_laplacian,
    heat_geodesic_dissimilarity,
    heat_kernel,
)
from tests.reference.heat import (
    affinity_of_example,
    dense_dissimilarity,
    dense_triplet,
)

pytestmark = pytest.mark.kernels


@pytest.fixture(scope="module")
def heat():
    return heat_kernel(graph_laplacian(affinity_of_example()), 2.0)


@pytest.mark.parametrize(
    ("t", "sigma", "row"),
    [
        (0.5, 0, [1.81604560, 2.14986861, 2.68325472, 3.09955114, 2.91816550]),
        (0.5, 1, [1.55375270, 1.92831775, 2.50891994, 2.95298032, 2.75961924]),
        (2.0, 1, [1.06567251, 1.79997762, 2.92967286, 3.72913387, 3.63861348]),
    ],
)
def test_worked_example(t, sigma, row):
    H = heat_kernel(graph_laplacian(affinity_of_example()), t)
    D = heat_geodesic_dissimilarity(H, t, volume_correction=sigma)
    np.testing.assert_allclose(D[0, 1:], row, atol=6e-9, rtol=0)
    np.testing.assert_array_equal(np.diag(D), 0.0)


def test_worked_triplet_distance(heat):
    T = denoise_dissimilarity(heat_geodesic_dissimilarity(heat, 2.0), 1.0)
    printed = [0.62647005, 1.24003685, 2.11803180, 2.66787410, 2.60976363]
    np.testing.assert_allclose(T[0, 1:], printed, atol=6e-9, rtol=0)


def test_complete_graph_distance_of_the_specification():
    H = heat_kernel(graph_laplacian(np.ones((5, 5)) - np.eye(5), "combinatorial"), 0.1)
    assert heat_geodesic_dissimilarity(H, 0.1)[0, 1] == pytest.approx(
        0.9304152461, abs=6e-11
    )


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 12),
    sigma=st.floats(0, 1),
    mean=st.sampled_from(["arithmetic", "geometric"]),
    floor=st.sampled_from([0.0, 1e-16, 1e-3]),
    power=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_matches_the_slow_formula(seed, n, sigma, mean, floor, power):
    A = np.random.default_rng(seed).random((n, n)) + 0.01
    H = A @ A.T
    H /= H.max() * 1.01
    options = {"volume_mean": mean, "floor": floor, "power": power}
    D = heat_geodesic_dissimilarity(H, 1.7, volume_correction=sigma, **options)
    expected = dense_dissimilarity(H, 1.7, sigma, mean, floor, power)
    np.testing.assert_allclose(D, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(D, D.T)


def test_rows_are_those_of_the_square(heat):
    square = heat_geodesic_dissimilarity(heat, 2.0)
    own = np.diag(heat)
    rows = heat_geodesic_dissimilarity(
        heat[:4, 2:], 2.0, row_diagonal=own[:4], column_diagonal=own[2:]
    )
    off = ~np.eye(6, dtype=bool)[:4, 2:]
    np.testing.assert_allclose(rows[off], square[:4, 2:][off], rtol=1e-12)


def test_heat_phate_is_the_triplet_distance_of_squared_dissimilarities(heat):
    # || log H_i - log H_j || = || D_i^2 - D_j^2 || / 4t, diagonal kept
    t = 2.0
    ones = np.ones(6)
    squared = heat_geodesic_dissimilarity(
        heat,
        t,
        row_diagonal=ones,
        column_diagonal=ones,
        volume_correction=0.0,
        power=2.0,
    )
    np.testing.assert_allclose(
        denoise_dissimilarity(squared, 1.0) * np.sqrt(6) / (4 * t),
        dense_triplet(np.log(heat)),
        rtol=1e-9,
        atol=1e-12,
    )


def test_several_times_are_averaged():
    L = graph_laplacian(affinity_of_example())
    times = np.array([0.5, 2.0, 4.0])
    D = heat_geodesic_dissimilarity(heat_kernel(L, times), times)
    weights = 1 - times / times.sum()
    weights /= weights.sum()
    expected = sum(
        w * heat_geodesic_dissimilarity(heat_kernel(L, t), t)
        for w, t in zip(weights, times, strict=True)
    )
    np.testing.assert_allclose(D, expected, rtol=1e-12)


def test_components_are_infinitely_far_without_a_floor():
    H = np.array([[0.5, 0.0], [0.0, 0.5]])
    assert heat_geodesic_dissimilarity(H, 1.0)[0, 1] == np.inf
    far = heat_geodesic_dissimilarity(H, 1.0, floor=1e-16, volume_correction=0.0)[0, 1]
    assert far == pytest.approx(np.sqrt(147.4), rel=1e-3)


def test_overwrite_saves_memory_and_the_default_does_not_touch_its_input(heat):
    before = heat.copy()
    D = heat_geodesic_dissimilarity(heat, 2.0)
    np.testing.assert_array_equal(heat, before)
    H = heat.copy()
    result = heat_geodesic_dissimilarity(H, 2.0, overwrite=True)
    assert np.shares_memory(H, result)
    np.testing.assert_array_equal(D, result)


def test_threads_do_not_change_the_result():
    H = heat_kernel(graph_laplacian(np.ones((41, 41)) - np.eye(41)), 0.3)
    np.testing.assert_array_equal(
        heat_geodesic_dissimilarity(H, 0.3),
        heat_geodesic_dissimilarity(H, 0.3, n_jobs=2),
    )


@given(seed=st.integers(0, 10**6), n=st.integers(2, 15), rho=st.floats(0, 1))
def test_denoising_matches_the_slow_triplet_distance(seed, n, rho):
    X = np.random.default_rng(seed).random((n, 3))
    D = np.linalg.norm(X[:, None] - X, axis=2)
    expected = (1 - rho) * D + rho * dense_triplet(D) / np.sqrt(n)
    np.testing.assert_allclose(
        denoise_dissimilarity(D, rho), expected, rtol=1e-7, atol=1e-9
    )


def test_triplet_distance_of_close_profiles_is_accurate():
    # the Gram form alone would return 0 or noise of the order 1e-8
    x = np.array([0.0, 1e-11, 1.0, 2.0])
    D = np.abs(x[:, None] - x)
    T = denoise_dissimilarity(D, 1.0) * 2.0
    assert T[0, 1] == pytest.approx(2e-11, rel=1e-4)


def test_triplet_distance_is_at_most_a_metric():
    X = np.random.default_rng(0).random((50, 2))
    D = np.linalg.norm(X[:, None] - X, axis=2)
    assert (denoise_dissimilarity(D, 1.0) <= D + 1e-12).all()


def test_rows_denoise_against_the_reference():
    X = np.random.default_rng(1).random((9, 2))
    D = np.linalg.norm(X[:, None] - X, axis=2)
    np.testing.assert_allclose(
        denoise_dissimilarity(D[:4], 0.3, reference=D),
        denoise_dissimilarity(D, 0.3)[:4],
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": [1.0, 2.0]}, "one page for each time"),
        ({"t": -1.0}, "must be positive"),
        ({"volume_correction": -1.0}, "volume_correction=-1.0 must be >= 0"),
        ({"volume_mean": "harmonic"}, "volume_mean='harmonic' is not one of"),
        ({"floor": -1.0}, "floor=-1.0"),
        ({"power": 0.0}, "power=0.0"),
        ({"H": -np.eye(2)}, "non-negative"),
        ({"H": np.full((2, 2), np.nan)}, "NaN"),
        ({"H": np.ones((2, 3))}, "needs row_diagonal and column_diagonal"),
        ({"row_diagonal": np.ones(2)}, "or neither"),
        (
            {"row_diagonal": np.ones(3), "column_diagonal": np.ones(2)},
            r"row_diagonal must have shape \(2,\)",
        ),
        ({"denoising": 1.5}, r"denoising=1.5 must lie in \[0, 1\]"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        heat_geodesic_dissimilarity(
            **{"H": np.full((2, 2), 0.5), "t": 1.0, **arguments}
        )


def test_bad_input_of_denoising():
    with pytest.raises(ValueError, match="finite"):
        denoise_dissimilarity(np.array([[0.0, np.inf], [np.inf, 0.0]]), 0.5)
    with pytest.raises(ValueError, match="needs reference"):
        denoise_dissimilarity(np.ones((2, 3)), 0.5)


def test_a_large_volume_correction_warns_and_is_clipped():
    H = np.array([[0.9, 0.5], [0.5, 0.2]])
    with pytest.warns(UserWarning, match="volume_correction=2 is above 1"):
        D = heat_geodesic_dissimilarity(H, 1.0, volume_correction=2.0)
    assert D[0, 1] == 0.0
