"""One level of numba parallelism at a time, with the caller's thread count."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from numbers import Integral

import numba
from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

_PARALLEL_REGION = threading.RLock()


def _renew_lock() -> None:
    # A fork copies the lock as it is, but not the thread that holds it.
    global _PARALLEL_REGION
    _PARALLEL_REGION = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def resolve_threads(n_jobs: int | None) -> int:
    """Return the number of numba threads that `n_jobs` asks for.

    Parameters
    ----------
    n_jobs : int or None
        None means 1, or what an enclosing `joblib.parallel_config` grants, and
        1 inside a worker of joblib; -1 means all cores, -2 all but one.

    Returns
    -------
    int
        At least 1 and at most the size of numba's pool, above which numba raises.

    Raises
    ------
    TypeError
        If `n_jobs` is neither None nor an integer.
    ValueError
        If `n_jobs` is 0.
    """
    if n_jobs is not None and (
        isinstance(n_jobs, bool) or not isinstance(n_jobs, Integral)
    ):
        raise TypeError(
            f"n_jobs must be an int or None, got {n_jobs!r}; use n_jobs=-1 for all "
            "cores."
        )
    if n_jobs == 0:
        raise ValueError(
            "n_jobs=0 asks for no thread at all; use n_jobs=None or 1 for one "
            "thread, n_jobs=-1 for all cores."
        )
    pool = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]  # set at import
    return max(1, min(effective_n_jobs(n_jobs), pool))


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
    """Run the parallel kernels of the block on the threads that `n_jobs` names.

    Blocks may be nested in one Python thread. A block must not wait for another
    Python thread that enters such a block: where numba's threading layer is
    "workqueue", or is not known yet, the blocks take turns.

    Parameters
    ----------
    n_jobs : int or None
        As in `resolve_threads`.

    Yields
    ------
    int
        The number of threads.
    """
    n_threads = resolve_threads(n_jobs)
    with _guard():
        before = numba.get_num_threads()
        numba.set_num_threads(n_threads)
        try:
            yield n_threads
        finally:
            numba.set_num_threads(before)


@cache
def _controller() -> ThreadpoolController:
    # Finding the libraries takes milliseconds. SciPy's LAPACK, which numba calls,
    # must be loaded by then.
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()


@contextmanager
def matrix_threads(n_jobs: int | None) -> Iterator[int]:
    """Run parallel kernels over many small matrices, BLAS on one thread each.

    BLAS threads do not help on small matrices, and multiply with numba's.

    Parameters
    ----------
    n_jobs : int or None
        As in `resolve_threads`.

    Yields
    ------
    int
        The number of numba threads.
    """
    with (
        _controller().limit(limits=1, user_api="blas"),
        numba_threads(n_jobs) as n_threads,
    ):
        yield n_threads
