"""Square tables: where they differ from their transposes."""

import numpy as np
import pytest

from geolearn.utils._tables import read_only, worst_asymmetry


def symmetric(n):
    A = np.random.default_rng(0).normal(size=(n, n))
    return A + A.T


@pytest.mark.parametrize("n", [1, 3, 256, 257, 700])
def test_worst_place_is_the_first_of_the_largest(n):
    A = symmetric(n)
    assert worst_asymmetry(A) == (0.0, 0, 0)
    assert worst_asymmetry(np.triu(np.ones((n, n)), 1))[0] == (0.0 if n == 1 else 1.0)
    if n < 3:
        return
    A[n - 1, 1] += 0.5
    A[2, 0] -= 0.25
    gap, i, j = worst_asymmetry(A)
    assert gap == pytest.approx(0.5)
    assert (i, j) == (1, n - 1)
    # the search may end with the first block of rows that holds enough
    assert worst_asymmetry(A, 0.3) == (gap, i, j)
    A[n - 1, n - 2] += 1.0
    assert worst_asymmetry(A)[1:] == (n - 2, n - 1)
    assert worst_asymmetry(A, 0.1)[1:] == ((1, n - 1) if n > 257 else (n - 2, n - 1))


def test_infinities_and_nan():
    A = np.full((4, 4), np.inf)
    np.fill_diagonal(A, np.nan)
    assert worst_asymmetry(A) == (0.0, 0, 0)
    A[1, 2] = 3.0
    assert worst_asymmetry(A) == (np.inf, 1, 2)
    A[1, 2] = -np.inf
    assert worst_asymmetry(A) == (np.inf, 1, 2)


def test_read_only_is_a_view():
    A = symmetric(3)
    view = read_only(A)
    assert np.shares_memory(A, view)
    assert A.flags.writeable
    assert not view.flags.writeable
