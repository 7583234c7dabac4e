"""The pass over matrices that finds NaN, infinity and asymmetry."""

import numpy as np
import pytest

from geolearn.covariance._scan import asymmetry

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize("n", [1, 2, 5])
def test_asymmetry_and_size(n):
    X = np.random.default_rng(0).normal(size=(7, n, n))
    X[3] += X[3].T
    off, largest = asymmetry(X)
    np.testing.assert_array_equal(
        off, np.abs(X - np.swapaxes(X, 1, 2)).max(axis=(1, 2))
    )
    np.testing.assert_array_equal(largest, np.abs(X).max(axis=(1, 2)))
    assert off[3] == 0.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (2, 1), (1, 2), (2, 2)])
def test_spoilt_matrices_are_nan(value, place):
    X = np.zeros((4, 3, 3))
    X[2][place] = value
    np.testing.assert_array_equal(np.isnan(asymmetry(X)[0]), [0, 0, 1, 0])
    X[2] = value  # infinities meet
    np.testing.assert_array_equal(np.isnan(asymmetry(X)[0]), [0, 0, 1, 0])


def test_extreme_numbers_are_not_spoilt():
    X = np.array([[[1e308, -1e308], [-1e308, 5e-324]]])
    X.setflags(write=False)
    off, largest = asymmetry(X)
    assert (off[0], largest[0]) == (0.0, 1e308)
