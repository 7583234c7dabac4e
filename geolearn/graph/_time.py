"""Choice of the diffusion time from the graph."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from geolearn.graph._heat import (
    CHEBYSHEV_STEP,
    _check_laplacian,
    _shifted,
    chebyshev_weights,
    largest_eigenvalue_bound,
)
from geolearn.graph._heat_columns import columns_of_series
from geolearn.graph._relaxation import (
    RELAXATION_RANGE,
    clip_relaxation,
    relaxation_time,
)
from geolearn.utils._threads import numba_threads

TIME_METHODS = ("entropy", "relaxation")
# The authors' grid: ten times from 0.05 to 200.
DEFAULT_GRID = (0.05, 200.0, 10)
ENTROPY_COLUMNS = 200
ENTROPY_TAIL = 1e-12
ENTROPY_VALUES = 2**25  # entries held at once: 256 MiB


class DiffusionTime(NamedTuple):
    """A chosen diffusion time and how it was chosen.

    Parameters
    ----------
    t : float
        Chosen time.
    grid : ndarray of shape (n_times,) or None
        Times that were compared, for the entropy rule.
    entropies : ndarray of shape (n_times,) or None
        Entropy of the heat kernel at each time of the grid.
    """

    t: float
    grid: np.ndarray | None
    entropies: np.ndarray | None


def select_diffusion_time(
    L,
    grid=None,
    method="entropy",
    *,
    phi=None,
    n_columns=ENTROPY_COLUMNS,
    random_state=None,
    n_jobs=None,
) -> DiffusionTime:
    r"""Choose a diffusion time for a graph.

    "entropy" is the rule of the heat-geodesic paper [1]_: the knee [2]_ of
    :math:`S(t) = -\sum_{ij} H_t(i,j) \log H_t(i,j)` on a grid. Since S grows like
    :math:`\log t` on most graphs, the grid decides more than the data do: with
    the default grid the answer is 22.27 almost always. "relaxation" is half the
    relaxation time, :math:`1 / (2\lambda_2)`, clipped to [20, 2000].

    Parameters
    ----------
    L : array or sparse array of shape (n, n)
        Graph Laplacian, normalised or combinatorial.
    grid : array-like of shape (n_times,), default=None
        Increasing times of the entropy rule; ``linspace(0.05, 200, 10)`` by
        default.
    method : {"entropy", "relaxation"}, default="entropy"
        Rule of choice.
    phi : float, default=None
        Half of an upper bound of the largest eigenvalue of `L`, see
        :func:`heat_kernel`.
    n_columns : int, default=200
        Number of random columns from which the entropy is estimated.
    random_state : int, RandomState instance or None, default=None
        Draws the columns when the graph has more than `n_columns` nodes.
    n_jobs : int, default=None
        Number of threads; None is 1, -1 all cores.

    Returns
    -------
    DiffusionTime
        Named tuple (t, grid, entropies).

    Raises
    ------
    ValueError
        If `L` is no graph Laplacian, the grid is not increasing and positive, or
        the method is unknown.

    References
    ----------
    .. [1] G. Huguet et al., "A Heat Diffusion Perspective on Geodesic Preserving
       Dimensionality Reduction", NeurIPS 2023, arXiv:2305.19043.
    .. [2] V. Satopää, J. Albrecht, D. Irwin, B. Raghavan, "Finding a 'Kneedle' in a
       Haystack", ICDCSW 2011, doi:10.1109/ICDCSW.2011.20.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import graph_laplacian, select_diffusion_time
    >>> W = np.diag(np.ones(99), 1)
    >>> L = graph_laplacian(W + W.T)
    >>> round(select_diffusion_time(L).t, 2)
    22.27
    """
    L = _check_laplacian(L)
    if method not in TIME_METHODS:
        raise ValueError(f"method={method!r} is not one of {', '.join(TIME_METHODS)}.")
    if method == "relaxation":
        time, mean_degree = relaxation_time(L, at_most=RELAXATION_RANGE[1])
        return DiffusionTime(clip_relaxation(time) / mean_degree, None, None)
    grid = np.linspace(*DEFAULT_GRID) if grid is None else np.asarray(grid, dtype=float)
    if grid.ndim != 1 or grid.size < 2 or grid[0] <= 0 or not np.all(np.diff(grid) > 0):
        raise ValueError(
            f"The grid of times must be 1-D, positive and increasing, got {grid!r}."
        )
    if phi is None:
        phi = largest_eigenvalue_bound(L) / 2
    n = L.shape[0]
    n_columns = min(n, n_columns)
    rng = check_random_state(random_state)
    sources = np.sort(rng.permutation(n)[:n_columns])
    with numba_threads(n_jobs):
        entropies = _entropies(L, grid, sources, phi) * (n / n_columns)
    # the entropy of n columns has an error of about n tails
    if np.ptp(entropies) <= 10 * ENTROPY_TAIL * max(n, np.abs(entropies).max()):
        warnings.warn(
            f"The entropy of the heat kernel is constant on the grid of times; "
            f"t={grid[0]:g}, its first, is taken. Set t by hand.",
            RuntimeWarning,
            stacklevel=2,
        )
        return DiffusionTime(float(grid[0]), grid, entropies)
    return DiffusionTime(float(grid[knee(grid, entropies)]), grid, entropies)


def knee(x, y) -> int:
    """Return the index of the knee of an increasing concave curve (Kneedle)."""
    x = (x - x.min()) / np.ptp(x)
    y = (y - y.min()) / np.ptp(y)
    return int(np.argmax(y - x))


def _entropies(L, grid, sources, phi):
    """Sum -h log h over the columns `sources` for every time of the grid."""
    # An entropy needs absolute accuracy only: cut the series where its tail is
    # negligible for every time.
    weights = chebyshev_weights(grid * phi, max_order=5000)
    tail = weights[:, ::-1].cumsum(axis=1)[:, ::-1].max(axis=0)
    weights = np.ascontiguousarray(weights[:, : np.count_nonzero(tail > ENTROPY_TAIL)])
    M = _shifted(L, phi)
    chunk = max(1, ENTROPY_VALUES // (grid.size * L.shape[0]))
    total = np.zeros(grid.size)
    for low in range(0, sources.size, chunk):
        heat = columns_of_series(
            M, weights, sources[low : low + chunk], step=CHEBYSHEV_STEP, tol=0.0
        ).values
        positive = heat > 0
        terms = np.zeros_like(heat)
        np.log(heat, out=terms, where=positive)
        terms *= heat
        total -= terms.sum(axis=(1, 2))
    return total
