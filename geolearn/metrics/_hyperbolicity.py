"""Gromov hyperbolicity: how far a metric is from that of a tree."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numba import prange, types
from sklearn.utils import check_random_state

from geolearn.metrics._distance_table import check_distance_table
from geolearn.utils._jit import POINTS, first_class, kernel
from geolearn.utils._threads import numba_threads

_VECTOR = types.float64[::1]
_BLOCK = 16  # rows that share each load of the product
_TILE = 256  # columns: 16 rows of them, 32 KiB, stay near the processor
_MAX_POINTS = 3000


@kernel
def _smaller(a, b):
    return a if a < b else b


@kernel
def _larger(a, b):
    return a if a > b else b


@kernel
def _max_min_tile(A, x0, x1, z0, z1, best):
    """Set best[x - x0, z - z0] to max over y of min(A[x, y], A[y, z])."""
    best[:, :] = -np.inf
    n = A.shape[0]
    # Four terms for each load and store of the best so far.
    for y in range(0, n - 3, 4):
        a = A[y, z0:z1]
        b = A[y + 1, z0:z1]
        c = A[y + 2, z0:z1]
        d = A[y + 3, z0:z1]
        for x in range(x0, x1):
            row = best[x - x0]
            p = A[x, y]
            q = A[x, y + 1]
            r = A[x, y + 2]
            s = A[x, y + 3]
            for z in range(z1 - z0):
                left = _larger(_smaller(p, a[z]), _smaller(q, b[z]))
                right = _larger(_smaller(r, c[z]), _smaller(s, d[z]))
                row[z] = _larger(row[z], _larger(left, right))
    for y in range(n - n % 4, n):
        a = A[y, z0:z1]
        for x in range(x0, x1):
            row = best[x - x0]
            p = A[x, y]
            for z in range(z1 - z0):
                row[z] = _larger(row[z], _smaller(p, a[z]))


@kernel(parallel=True)
def _largest_defects(A, out):
    """Fill out[b] with the largest excess of the max-min square over A in block b.

    A is symmetric, and so is its square: columns before the block are left out. Long
    and short blocks take turns, so that threads with adjacent blocks share the work.
    """
    n = A.shape[0]
    n_blocks = out.shape[0]
    for t in prange(n_blocks):
        b = t // 2 if t % 2 == 0 else n_blocks - 1 - t // 2
        x0 = b * _BLOCK
        x1 = min(x0 + _BLOCK, n)
        best = np.empty((_BLOCK, _TILE))
        largest = 0.0
        for z0 in range(x0, n, _TILE):
            z1 = min(z0 + _TILE, n)
            _max_min_tile(A, x0, x1, z0, z1, best)
            for x in range(x0, x1):
                for z in range(z0, z1):
                    excess = best[x - x0, z - z0] - A[x, z]
                    largest = max(largest, excess)
        out[b] = largest


def _delta_at(D, p):
    """Return the hyperbolicity with respect to the base point p."""
    A = D[:, p, None] + D[p]
    A -= D
    A *= 0.5
    out = np.zeros(-(-len(D) // _BLOCK))
    first_class(_largest_defects, POINTS, _VECTOR)(A, out)
    return float(out.max())


def delta_hyperbolicity(
    D,
    *,
    base_points: int | Sequence[int] | str | None = None,
    relative: bool = False,
    max_points: int | None = _MAX_POINTS,
    n_draws: int = 5,
    return_std: bool = False,
    random_state: Any = None,
    n_jobs: int | None = None,
):
    """Measure how far a metric is from a tree metric: Gromov's delta.

    With the products (x|y)_p = (d_xp + d_yp - d_xy) / 2, the hyperbolicity at a base
    point p is the maximum over x, y, z of min((x|y)_p, (y|z)_p) - (x|z)_p. The
    four-point constant delta, half the largest difference between the largest and the
    second of the sums d_xy + d_zw, d_xz + d_yw, d_xw + d_yz, is its maximum over p,
    and each of them is at least delta / 2 [1]_. Trees have 0, the hyperbolic plane of
    curvature -1 has log 2.

    Parameters
    ----------
    D : array-like of shape (n, n)
        Distances.
    base_points : int, sequence of int, "all" or None, default=None
        Base points p; the largest value is returned. "all" gives the four-point
        constant, for n times the work of one. None takes three: the most central
        point, the point farthest from it, and the point farthest from both.
    relative : bool, default=False
        Whether to return 2 delta / diameter, between 0 and 1, which does not depend on
        the units.
    max_points : int or None, default=3000
        Number of points above which random subsets of this size are measured. Such a
        value is a lower bound that grows with the size. None never draws.
    n_draws : int, default=5
        Number of subsets, over which the result is averaged.
    return_std : bool, default=False
        Whether to return the standard deviation over the subsets as well.
    random_state : int, RandomState instance or None, default=None
        Draws the subsets. Pass an int for reproducible results.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. The result does not depend
        on it.

    Returns
    -------
    delta : float
        Hyperbolicity in the units of `D`, or relative to half the diameter.
    std : float
        Standard deviation over the subsets, 0 without subsets. Only if `return_std`
        is True.

    Raises
    ------
    TypeError
        If `base_points` are no integers.
    ValueError
        If `D` is not a table of finite symmetric distances, a base point is not one
        of its rows, or a number is out of its range.

    See Also
    --------
    curvature_statistic : A local measure, with sign.

    Notes
    -----
    Time grows with the cube of the number of points for each base point, some 0.04 s
    at n = 1000 and 1.4 s at n = 3000, on one thread; memory is one further table.
    The default for more points takes five subsets of three base points each, some
    20 s; lower `max_points` for a quick look. With subsets, `base_points` other than
    None and "all" are kept in every subset.

    References
    ----------
    .. [1] M. Gromov, "Hyperbolic groups", in Essays in group theory, Springer 1987,
       doi:10.1007/978-1-4613-9586-7_3.
    .. [2] H. Fournier, A. Ismail, A. Vigneron, "Computing the Gromov hyperbolicity of
       a discrete metric space", Information Processing Letters 115, 2015,
       arXiv:1210.3323.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import delta_hyperbolicity
    >>> steps = np.abs(np.arange(12)[:, None] - np.arange(12))
    >>> cycle = np.minimum(steps, 12 - steps)
    >>> delta_hyperbolicity(cycle)
    3.0
    >>> delta_hyperbolicity(cycle, relative=True)
    1.0
    """
    D = check_distance_table(D, "D")
    given = _base_points(base_points, len(D))
    limit = len(D) if max_points is None else _at_least(max_points, "max_points", 4)
    _at_least(n_draws, "n_draws", 1)
    rng = check_random_state(random_state)
    with numba_threads(n_jobs):
        if len(D) <= limit:
            values = [_delta(D, given, relative)]
        else:
            values = [
                _delta_of_subset(D, given, limit, relative, rng) for _ in range(n_draws)
            ]
    if return_std:
        return float(np.mean(values)), float(np.std(values))
    return float(np.mean(values))


def _delta(D, given, relative):
    if isinstance(given, str):
        given = range(len(D))
    elif given is None:
        given = _spread_points(D)
    delta = max(_delta_at(D, p) for p in given)
    diameter = float(D.max())
    if relative:
        return 2.0 * delta / diameter if diameter > 0.0 else 0.0
    return delta


def _delta_of_subset(D, given, size, relative, rng):
    fixed = np.array([] if given is None or isinstance(given, str) else given, np.intp)
    others = np.setdiff1d(np.arange(len(D)), fixed)
    n_drawn = max(size - len(fixed), 0)
    drawn = rng.choice(others, size=n_drawn, replace=False)
    rows = np.concatenate([fixed, np.sort(drawn)])
    inside = range(len(fixed)) if len(fixed) else given
    return _delta(np.ascontiguousarray(D[np.ix_(rows, rows)]), inside, relative)


def _spread_points(D):
    """Return the most central point, and twice the point farthest from the others."""
    chosen = [int(np.argmin(D.max(axis=1)))]
    nearest = D[chosen[0]]
    for _ in range(min(2, len(D) - 1)):
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, D[chosen[-1]])
    return chosen


def _base_points(base_points, n):
    """Return None, "all" or a list of row numbers."""
    if base_points is None or (isinstance(base_points, str) and base_points == "all"):
        return base_points
    listed = [base_points] if not isinstance(base_points, Iterable) else base_points
    if isinstance(listed, str) or not all(isinstance(p, Integral) for p in listed):
        raise TypeError(
            f"base_points={base_points!r} must be row numbers, 'all' or None."
        )
    points = list(dict.fromkeys(int(p) for p in listed))
    if not points or min(points) < 0 or max(points) >= n:
        raise ValueError(
            f"base_points={base_points!r} must be rows of D, 0 ... {n - 1}, at least "
            f"one of them."
        )
    return points


def _at_least(value, name, minimum):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{name}={value!r} must be an integer of at least {minimum}.")
    return int(value)
