"""Whether an embedding invents neighbours or loses them, by ranks of distances."""

from typing import Any

import numpy as np

from geolearn.metrics._distance_table import check_distance_table
from geolearn.utils.validation import check_integer

# Bytes of one block of rows in float64; a handful of arrays of this size exist at once.
_BLOCK_BYTES = 8 * 2**20


def trustworthiness(D_X: Any, D_Y: Any, n_neighbors: int = 5) -> float:
    """Measure whether neighbours in the embedding are neighbours in the data [1]_.

    With r(i, j) the rank of j among the points nearest to i in the data, 1 for the
    nearest, and U(i) the k nearest in the embedding, it is
    ``1 - 2 / (n k (2 n - 3 k - 1)) sum_i sum_{j in U(i)} max(0, r(i, j) - k)``: 1 when
    all neighbours are true ones, 0 when each point has the k farthest.

    Parameters
    ----------
    D_X : array-like of shape (n_samples, n_samples)
        Distances of the data, by any metric; only their order within rows counts.
    D_Y : array-like of shape (n_samples, n_samples)
        Distances of the embedding, by any metric, points in the same order.
    n_neighbors : int, default=5
        Number k of neighbours, at least 1 and less than n_samples / 2.

    Returns
    -------
    float
        Score in [0, 1].

    Raises
    ------
    TypeError
        If `n_neighbors` is not an integer.
    ValueError
        If a table is not square, finite, symmetric, non-negative and zero on its
        diagonal, the tables differ in size, or `n_neighbors` is out of range.

    See Also
    --------
    continuity : Whether neighbours in the data stay neighbours.
    sklearn.manifold.trustworthiness : The same for Euclidean embeddings.

    Notes
    -----
    Among equal distances the point with the lower index is the nearer one. Time grows
    like n^2 log n for every `n_neighbors`, and memory is bounded but for the tables,
    which are copied if they are not float64.

    References
    ----------
    .. [1] J. Venna, S. Kaski, "Neighborhood preservation in nonlinear projection
       methods: an experimental study", ICANN 2001, doi:10.1007/3-540-44668-0_68.

    Examples
    --------
    A circle that is cut open and laid on a line: no neighbour is invented but those
    that points near the cut need in place of the lost ones.

    >>> import numpy as np
    >>> from geolearn.metrics import continuity, trustworthiness
    >>> gap = np.abs(np.subtract.outer(np.arange(20.0), np.arange(20.0)))
    >>> circle, line = np.minimum(gap, 20.0 - gap), gap
    >>> round(trustworthiness(circle, line, n_neighbors=4), 4)
    0.988
    >>> round(continuity(circle, line, n_neighbors=4), 4)
    0.9185
    """
    D_X, D_Y, k = _checked(D_X, D_Y, n_neighbors)
    return _score(D_X, D_Y, k)


def continuity(D_X: Any, D_Y: Any, n_neighbors: int = 5) -> float:
    """Measure whether neighbours in the data stay neighbours in the embedding [1]_.

    It is `trustworthiness` with the two tables exchanged: 1 when no neighbour is
    lost, 0 when each point is farthest from its k neighbours.

    Parameters
    ----------
    D_X : array-like of shape (n_samples, n_samples)
        Distances of the data, by any metric; only their order within rows counts.
    D_Y : array-like of shape (n_samples, n_samples)
        Distances of the embedding, by any metric, points in the same order.
    n_neighbors : int, default=5
        Number k of neighbours, at least 1 and less than n_samples / 2.

    Returns
    -------
    float
        Score in [0, 1].

    Raises
    ------
    TypeError
        If `n_neighbors` is not an integer.
    ValueError
        As `trustworthiness`.

    See Also
    --------
    trustworthiness : Whether neighbours in the embedding are true ones.

    References
    ----------
    .. [1] J. Venna, S. Kaski, "Local multidimensional scaling", Neural Networks 19,
       2006, doi:10.1016/j.neunet.2006.05.014.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import continuity
    >>> x = np.arange(6.0)
    >>> D = np.abs(x[:, None] - x)
    >>> continuity(D, D**2, n_neighbors=2)
    1.0
    """
    D_X, D_Y, k = _checked(D_X, D_Y, n_neighbors)
    return _score(D_Y, D_X, k)


def _checked(D_X, D_Y, n_neighbors):
    k = check_integer(n_neighbors, "n_neighbors")
    D_X = check_distance_table(D_X, "D_X")
    n = len(D_X)
    D_Y = check_distance_table(D_Y, "D_Y", n)
    if 2 * k >= n:
        raise ValueError(
            f"n_neighbors={k} must be less than n_samples / 2 = {n / 2:g}; lower "
            f"n_neighbors or pass more samples."
        )
    return D_X, D_Y, k


def _score(D_true, D_shown, k):
    """Return 1 minus the normalised excess of the true ranks of shown neighbours."""
    n = len(D_true)
    step = max(1, _BLOCK_BYTES // (8 * n))
    excess = 0
    for start in range(0, n, step):
        near = _nearest(_others(D_shown, start, step), k)
        ranks = _ranks(_others(D_true, start, step), near)
        excess += int(np.maximum(ranks - k, 0).sum())
    return 1.0 - 2.0 * excess / (n * k * (2 * n - 3 * k - 1))


def _others(D, start, step):
    """Return a copy of some rows in which each point is farthest from itself."""
    block = D[start : start + step].copy()
    rows = np.arange(len(block))
    block[rows, start + rows] = np.inf
    return block


def _nearest(block, k):
    """Return (n_rows, k) columns of the smallest entries; the first of equal ones."""
    largest = np.partition(block, k - 1, axis=1)[:, k - 1 : k]
    chosen = block < largest
    equal = block == largest
    missing = k - np.count_nonzero(chosen, axis=1)[:, None]
    chosen |= equal & (np.cumsum(equal, axis=1) <= missing)
    return np.nonzero(chosen)[1].reshape(-1, k)


def _ranks(block, columns):
    """Return the ranks from 1 of entries in their rows; of equal ones by columns."""
    values = np.take_along_axis(block, columns, axis=1)
    below, up_to = np.empty(columns.shape, int), np.empty(columns.shape, int)
    for i, row in enumerate(np.sort(block, axis=1)):
        below[i] = np.searchsorted(row, values[i], side="left")
        up_to[i] = np.searchsorted(row, values[i], side="right")
    for i, j in np.argwhere(up_to - below > 1):
        below[i, j] += np.count_nonzero(block[i, : columns[i, j]] == values[i, j])
    return below + 1
