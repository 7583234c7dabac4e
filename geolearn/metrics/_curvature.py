"""Curvature of a metric from triangles: the parallelogram law at midpoints."""

import warnings
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numba import prange, types
from sklearn.utils import check_random_state

from geolearn.metrics._distance_table import check_distance_table, check_graph
from geolearn.utils._jit import POINTS, first_class, kernel
from geolearn.utils._threads import numba_threads

_INDEX = types.Array(types.intp, 1, "C", readonly=True)
_TRIANGLES = types.Array(types.intp, 2, "C", readonly=True)
_VECTOR = types.float64[::1]


@kernel
def _sine_square(side, other, opposite):
    """Return sin^2 of the flat angle between two sides, from Heron's product."""
    longest = max(side, other, opposite)
    shortest = min(side, other, opposite)
    middle = side + other + opposite - longest - shortest
    # Kahan's order of the factors keeps the digits of flat triangles.
    area = (
        (longest + (middle + shortest))
        * (shortest - (longest - middle))
        * (shortest + (longest - middle))
        * (longest + (middle - shortest))
    )
    square = (side * other) ** 2
    if area <= 0.0 or square == 0.0:
        return 0.0
    return min(area / (4.0 * square), 1.0)


@kernel(parallel=True)
def _triangle_values(D, triangles, references, normalize, out):
    """Fill out[t] with the mean statistic of triangle t, NaN where there is none."""
    for t in prange(triangles.shape[0]):
        m = triangles[t, 0]
        b = triangles[t, 1]
        c = triangles[t, 2]
        total = 0.0
        weight = 0.0
        for r in range(references.shape[0]):
            a = references[r]
            side = D[m, a]
            if a == m or side == 0.0:
                continue
            ab = D[b, a]
            ac = D[c, a]
            # side^2 - (ab^2 + ac^2) / 2, without squares that cancel
            law = (side - ab) * (side + ab) + (side - ac) * (side + ac)
            value = (0.5 * law + 0.25 * D[b, c] * D[b, c]) / (2.0 * side)
            total += value
            if normalize:
                arm = D[m, b]
                weight += side * arm * arm * _sine_square(side, arm, ab) / 6.0
            else:
                weight += 1.0
        out[t] = total / weight if weight > 0.0 else np.nan


def curvature_statistic(
    D,
    graph=None,
    *,
    n_neighbors: int = 5,
    normalize: bool = False,
    references: int | Sequence[int] | None = None,
    n_triangles: int | None = None,
    return_triangles: bool = False,
    random_state: Any = None,
    n_jobs: int | None = None,
):
    r"""Compare medians of triangles with those of flat ones [1]_.

    For a point m, two of its neighbours b, c and a reference point a,

    xi = (d_am^2 + d_bc^2 / 4 - (d_ab^2 + d_ac^2) / 2) / (2 d_am)

    vanishes by the parallelogram law if m is the midpoint of b and c in flat space.
    On graphs, trees give xi <= 0, cycles xi >= 0 and lines 0.

    Parameters
    ----------
    D : array-like of shape (n, n)
        Distances, for a graph those of its shortest paths.
    graph : array-like or sparse matrix of shape (n, n), default=None
        Undirected graph whose edges, the non-zero entries, define the neighbours.
        None takes the nearest points.
    n_neighbors : int, default=5
        Number of nearest points, at least 2, where `graph` is None.
    normalize : bool, default=False
        Whether to estimate sectional curvature, in inverse squared units of `D`:
        6 xi / (d_am d_mb^2 sin^2), with the flat angle at m of the triangle a, m, b.
        Meaningful on smooth spaces, for small triangles whose m lies near the middle
        of b and c. Of several references the sum of xi is divided by the sum of the
        denominators, so that flat angles do no harm.
    references : int or sequence of int, default=None
        Points a to average over; None takes all. The points that coincide with m are
        left out.
    n_triangles : int or None, default=None
        Number of triples (m, b, c) that are drawn; None takes all.
    return_triangles : bool, default=False
        Whether to return the triples as well.
    random_state : int, RandomState instance or None, default=None
        Draws the triples. Pass an int for reproducible results.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. The result does not depend
        on it.

    Returns
    -------
    values : ndarray of shape (n_triangles,)
        Mean of xi over the references, a length, for each triple; with `normalize`
        a curvature. NaN, with a warning, where no reference can be used.
    triangles : ndarray of shape (n_triangles, 3)
        Indices m, b < c of the triples, in order. Only if `return_triangles` is True.

    Raises
    ------
    TypeError
        If `references` are no integers.
    ValueError
        If `D` is not a table of finite symmetric distances, the shapes differ, no
        point has two neighbours, or a number is out of its range.

    See Also
    --------
    delta_hyperbolicity : A global measure of tree-likeness.

    Notes
    -----
    On a space of sectional curvature K, xi is about K d_am d_mb^2 sin^2 / 6 for small
    triangles: it is a length, not a curvature. The mean of `values` over a graph and
    its sign tell which factors a product embedding needs.

    References
    ----------
    .. [1] A. Gu, F. Sala, B. Gunel, C. Ré, "Learning mixed-curvature representations
       in product spaces", ICLR 2019.

    Examples
    --------
    The centre of a star, and a cycle of eight nodes:

    >>> import numpy as np
    >>> from geolearn.metrics import curvature_statistic
    >>> D = 2.0 * (1.0 - np.eye(4))
    >>> D[0, 1:] = D[1:, 0] = 1.0
    >>> curvature_statistic(D, D == 1.0, references=[3]).round(3)
    array([-1.,  0.,  0.])
    >>> steps = np.abs(np.arange(8)[:, None] - np.arange(8))
    >>> cycle = np.minimum(steps, 8 - steps)
    >>> round(float(curvature_statistic(cycle, cycle == 1).mean()), 6)
    0.142857
    """
    D = check_distance_table(D, "D")
    if graph is None:
        edges = _nearest(D, n_neighbors)
    else:
        edges = check_graph(graph, "graph", len(D))
    triangles = _triangles(edges, n_triangles, check_random_state(random_state))
    values = np.empty(len(triangles))
    with numba_threads(n_jobs):
        types_ = (POINTS, _TRIANGLES, _INDEX, types.boolean, _VECTOR)
        first_class(_triangle_values, *types_)(
            D, triangles, _references(references, len(D)), bool(normalize), values
        )
    n_missing = int(np.isnan(values).sum())
    if n_missing:
        warnings.warn(
            f"{n_missing} of {len(values)} triples have no reference point apart from "
            f"their middle{' that spans a plane with it' if normalize else ''}; their "
            f"value is NaN. Pass other references or merge duplicate points.",
            UserWarning,
            stacklevel=2,
        )
    return (values, triangles) if return_triangles else values


def _nearest(D, n_neighbors):
    """Return, for each point, the sorted indices of the nearest other points."""
    n = len(D)
    if (
        not isinstance(n_neighbors, Integral)
        or isinstance(n_neighbors, bool)
        or not 2 <= n_neighbors < n
    ):
        raise ValueError(
            f"n_neighbors={n_neighbors!r} must be an integer from 2 to {n - 1}, one "
            f"less than the number of points."
        )
    neighbors = np.empty((n, int(n_neighbors)), dtype=np.intp)
    for i in range(n):
        order = np.argsort(D[i], kind="stable")
        neighbors[i] = np.sort(order[order != i][:n_neighbors])
    return neighbors


def _triangles(edges, n_triangles, rng):
    """List the triples (m, b, c), b < c neighbours of m, or draw some of them."""
    if isinstance(edges, np.ndarray):
        counts = np.full(len(edges), edges.shape[1])
        indptr, indices = np.arange(len(edges)) * edges.shape[1], edges.ravel()
    else:
        counts, indptr, indices = np.diff(edges.indptr), edges.indptr, edges.indices
    pairs = counts * (counts - 1) // 2
    ends = np.cumsum(pairs, dtype=np.intp)
    total = int(ends[-1])
    if total == 0:
        raise ValueError(
            "No point has two neighbours, so there is no triangle; pass a graph with a "
            "node of degree two, or graph=None for the nearest points."
        )
    chosen = np.arange(total)
    if n_triangles is not None:
        if not isinstance(n_triangles, Integral) or n_triangles < 1:
            raise ValueError(
                f"n_triangles={n_triangles!r} must be a positive integer or None."
            )
        if n_triangles < total:
            chosen = np.sort(rng.randint(total, size=n_triangles))
    m = np.searchsorted(ends, chosen, side="right")
    b, c = _pair(chosen - (ends[m] - pairs[m]), counts[m])
    start = indptr[m]
    triangles = np.column_stack([m, indices[start + b], indices[start + c]])
    return np.ascontiguousarray(triangles, dtype=np.intp)


def _pair(rank, count):
    """Return the pair b < c of the given rank in the order (0, 1), (0, 2), ..."""
    # The last pairs count backwards in triangular numbers.
    back = count * (count - 1) // 2 - 1 - rank
    row = ((np.sqrt(8.0 * back + 1.0) - 1.0) / 2.0).astype(np.intp)
    row += ((row + 1) * (row + 2) // 2 <= back).astype(np.intp)  # rounding of the root
    row -= (row * (row + 1) // 2 > back).astype(np.intp)
    b = count - 2 - row
    c = count - 1 - (back - row * (row + 1) // 2)
    return b, c


def _references(references, n):
    if references is None:
        return np.arange(n, dtype=np.intp)
    listed = [references] if not isinstance(references, Iterable) else references
    if isinstance(listed, str) or not all(isinstance(a, Integral) for a in listed):
        raise TypeError(f"references={references!r} must be row numbers or None.")
    points = np.asarray(listed, dtype=np.intp)
    if points.size == 0 or points.min() < 0 or points.max() >= n:
        raise ValueError(
            f"references={references!r} must be rows of D, 0 ... {n - 1}, at least one "
            f"of them."
        )
    return np.ascontiguousarray(points)
