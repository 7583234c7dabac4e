"""Free references: worked numbers, derivatives, invariances and limits."""

import numpy as np
import pytest

from geolearn.decomposition._bsa_free import free_references
from geolearn.manifolds import Euclidean, Sphere

STRATEGIES = ["forward", "backward", "pure", "flag"]


def six_points():
    """Return six points of the sphere by longitude and latitude in degrees."""
    table = [(0, 0), (20, 10), (45, -5), (80, 5), (100, -15), (60, 40)]
    lon, lat = np.radians(np.array(table)).T
    columns = [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    return np.column_stack(columns)


# Computed once with independent optimisers from many starts, to the printed digits.
GOLDEN = {
    "forward": (0.436263309389, 0.081924923952),
    "flag": (0.436643344561, 0.080860792146),
}


@pytest.mark.parametrize("strategy", GOLDEN)
def test_six_points(strategy):
    fit = free_references(Sphere(2), six_points(), 1, strategy=strategy)
    np.testing.assert_allclose(fit.unexplained, GOLDEN[strategy], rtol=0, atol=6e-13)
    assert fit.converged


@pytest.mark.parametrize("strategy", ["pure", "backward"])
def test_best_great_circle_of_six_points(strategy):
    fit = free_references(Sphere(2), six_points(), 1, strategy=strategy)
    assert abs(fit.unexplained[1] - 0.080384828772) < 6e-13


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_euclidean_flags_are_those_of_principal_components(strategy):
    X = np.random.default_rng(0).normal(size=(50, 5)) * [3, 2, 1, 0.5, 0.2] + 7.0
    values = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    fit = free_references(Euclidean(5), X, 4, strategy=strategy)
    tails = [values[i:].sum() for i in range(5)]
    np.testing.assert_allclose(fit.unexplained, tails, rtol=1e-10)
