"""The decorator under which every kernel is compiled, and the kernel types."""

import threading

import numba
from numba import config, njit, types

POINT = types.Array(types.float64, 1, "C", readonly=True)
POINTS = types.Array(types.float64, 2, "C", readonly=True)
TABLE = types.float64[:, ::1]
# Row kernels: distance_row(X, i, Y, params, out) fills out[i] with the
# distances of X[i] to all rows of Y; params holds the metric's numbers.
ROW = types.void(POINTS, types.intp, POINTS, POINT, TABLE)

_COMPILING = threading.RLock()


def kernel(function=None, **options):
    """Compile lazily and cache on disk; without a writable cache, only compile.

    Parameters
    ----------
    function : callable, optional
        Module-level function; None when used as ``@kernel(parallel=True)``.
    **options
        Options of `numba.njit`. ``error_model`` is "numpy" unless given.

    Returns
    -------
    Dispatcher or decorator
        The jitted function.
    """
    if function is None:
        return lambda f: kernel(f, **options)
    options.setdefault("error_model", "numpy")
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no writable cache directory
        return njit(**options)(function)


def first_class(function, *arguments):
    """Compile `function` for one signature so that it can be passed or called."""
    # A user may have called the kernel with other types before.
    if not config.DISABLE_JIT and tuple(arguments) not in function.signatures:
        with _COMPILING:  # another Python thread may have compiled it meanwhile
            if tuple(arguments) not in function.signatures:
                function.compile(arguments)
                function.disable_compile()
    return function


__all__ = ["POINT", "POINTS", "ROW", "TABLE", "first_class", "kernel", "numba"]
