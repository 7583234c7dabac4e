"""Statistics of delays for long trials, and for few threads against many."""

import tracemalloc

import numpy as np
from numpy.testing import assert_array_equal

from geolearn.covariance import cao_statistic, mdop, select_delays

RNG = np.random.default_rng(0)


def test_neighbours_need_no_table_of_pairs():
    X = RNG.normal(size=(1, 1, 3000))
    for search in (lambda X: cao_statistic(X, 1, 1), lambda X: mdop(X, max_cycles=1)):
        search(X[:, :, :200])  # loads the code
        tracemalloc.start()
        search(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * X.nbytes  # a table of all pairs is 3000 times the input


def test_circle():
    X = np.sin(np.arange(3000) / 6.1)[None, None]
    E1 = cao_statistic(X, 9, 4)
    assert E1[0] < 0.01
    assert (E1[1:] > 0.94).all()


def test_threads_do_not_matter():
    X = RNG.normal(size=(5, 2, 700))
    for order, lag in [("cao", "mutual_information"), ("mdop", "mdop")]:
        one, two = (select_delays(X, order, lag, max_lag=10, n_jobs=n) for n in (1, 2))
        assert one[:2] == two[:2]
        for a, b in zip(one[2:5], two[2:5], strict=True):
            assert_array_equal(a, b)
