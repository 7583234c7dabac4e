"""Threads: the count is the caller's, and two callers never collide."""

import numba
import pytest
from joblib import Parallel, delayed, parallel_config

from geolearn.utils._threads import numba_threads, resolve_threads

POOL = numba.config.NUMBA_NUM_THREADS

# A parallel kernel, small and uncached, entered by several Python threads.
TWO_CALLERS = """
import threading
import numba, numpy as np
from geolearn.utils._threads import numba_threads

@numba.njit(parallel=True)
def fill(out):
    for i in numba.prange(out.shape[0]):
        for k in range(2000):
            out[i] += np.sqrt(i + k)

def work():
    for _ in range(40):
        with numba_threads(2):
            fill(np.zeros(500))

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(numba.threading_layer())
"""


def test_caps_and_restores():
    before = numba.get_num_threads()
    with numba_threads(10_000) as n_threads:
        assert n_threads == numba.get_num_threads() == POOL
    assert numba.get_num_threads() == before
    with numba_threads(1):
        assert numba.get_num_threads() == 1
    assert numba.get_num_threads() == before


def test_restores_after_an_error():
    before = numba.get_num_threads()
    with pytest.raises(RuntimeError, match="inside"), numba_threads(1):
        raise RuntimeError("inside")
    assert numba.get_num_threads() == before


def test_nested_blocks():
    with numba_threads(-1):
        outer = numba.get_num_threads()
        with numba_threads(1):
            assert numba.get_num_threads() == 1
        assert numba.get_num_threads() == outer


def test_none_means_one_or_what_joblib_grants():
    assert resolve_threads(None) == 1
    assert resolve_threads(-1) == POOL
    with parallel_config(backend="threading", n_jobs=2):
        assert resolve_threads(None) == min(2, POOL)


def test_negative_counts_from_the_last_core():
    assert resolve_threads(-10_000) == 1


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_worker_of_joblib_gets_no_second_level(backend):
    counts = Parallel(n_jobs=2, backend=backend)(
        delayed(resolve_threads)(None) for _ in range(2)
    )
    assert counts == [1, 1]


def test_zero_jobs_names_the_remedy():
    with pytest.raises(ValueError, match=r"n_jobs=0 .* use n_jobs=None or 1"):
        resolve_threads(0)


@pytest.mark.parametrize("n_jobs", [1.0, "all", True])
def test_other_types_are_refused(n_jobs):
    with pytest.raises(TypeError, match=r"n_jobs must be an int or None"):
        resolve_threads(n_jobs)


@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_two_python_threads_do_not_abort(layer, fresh_python):
    environment = {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    used = fresh_python(TWO_CALLERS, NUMBA_DISABLE_JIT="0", **environment)
    assert used == layer or layer == "default"


def test_two_python_threads_embed_at_once(fresh_python):
    code = """
import threading
import numpy as np
from geolearn.metrics import kneighbors, pairwise_distances

X = np.random.default_rng(0).normal(size=(700, 5))
D, indices = pairwise_distances(X), kneighbors(X, n_neighbors=4)[1]
equal = []

def work():
    for _ in range(5):
        found = kneighbors(X, n_neighbors=4, n_jobs=2)[1]
        equal.append((pairwise_distances(X, n_jobs=2) == D).all())
        equal.append((found == indices).all())

threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(equal), all(equal))
"""
    environment = {"NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "2"}
    assert fresh_python(code, NUMBA_DISABLE_JIT="0", **environment) == "20 True"


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_fork_inside_a_block_does_not_hang(fresh_python):
    code = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore")
from geolearn.utils._threads import numba_threads

inside, leave = threading.Event(), threading.Event()
def hold():
    with numba_threads(1):
        inside.set()
        leave.wait()
thread = threading.Thread(target=hold)
thread.start()
inside.wait()
child = os.fork()
if child == 0:
    with numba_threads(1):
        os._exit(7)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
leave.set()
thread.join()
print(status)
"""
    assert fresh_python(code, timeout=60) == "7"
