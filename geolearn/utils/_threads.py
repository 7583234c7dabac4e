"""One level of numba parallelism at a time, with the caller's thread count."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numba
from joblib import effective_n_jobs

_PARALLEL_REGION = threading.RLock()


def resolve_threads(n_jobs: int | None) -> int:
    """Return the number of numba threads that `n_jobs` asks for.

    None means 1 (or what an enclosing joblib backend grants), a negative number
    counts from the last core as in joblib. The result never exceeds the size of
    numba's pool, above which numba raises.
    """
    return min(effective_n_jobs(n_jobs), numba.config.NUMBA_NUM_THREADS)


def _guard():
    # The workqueue layer aborts the process when two Python threads enter
    # parallel kernels; before the first kernel the layer is unknown.
    try:
        unsafe = numba.threading_layer() == "workqueue"
    except ValueError:
        unsafe = True
    return _PARALLEL_REGION if unsafe else nullcontext()


@contextmanager
def numba_threads(n_jobs: int | None) -> Iterator[int]:
    """Run the parallel kernels of the block on the threads that `n_jobs` names."""
    n_threads = resolve_threads(n_jobs)
    with _guard():
        before = numba.get_num_threads()
        numba.set_num_threads(n_threads)
        try:
            yield n_threads
        finally:
            numba.set_num_threads(before)
