"""The slowest mode of diffusion on a graph."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geolearn.graph._heat import (
    _check_laplacian,
    _shifted,
    chebyshev_weights,
    diagonal_array,
)

DENSE_EIGEN_NODES = 64
# Diffusion times that the relaxation rule may choose.
RELAXATION_RANGE = (20.0, 2000.0)
# Subspace iteration: columns, first filter time, and when it stops.
BLOCK_COLUMNS = 8
FIRST_TIME = 5.0
MAX_FILTERS = 500
MAX_SUPPRESSION = 15.0
FILTER_TAIL = 1e-4
RESIDUAL = 1e-6


def relaxation_time(L, *, at_most=None) -> tuple[float, float]:
    r"""Compute half the relaxation time of the largest component of a graph.

    Parameters
    ----------
    L : array or sparse array of shape (n, n)
        Graph Laplacian, normalised or combinatorial.
    at_most : float, default=None
        Stop as soon as the time is known to be larger, and return a lower bound
        of it that is. Saves most of the work for large, slow graphs.

    Returns
    -------
    time : float
        :math:`1 / (2\lambda_2)` with the smallest non-zero eigenvalue of the
        *normalised* Laplacian; infinity for a component of one node.
    mean_degree : float
        Mean degree of the component if `L` is combinatorial, else 1: divide by
        it to get the time in the units of `L`.

    Raises
    ------
    ValueError
        If `L` is not a graph Laplacian.

    Notes
    -----
    Subspace iteration with the heat operator as a filter, evaluated by its
    Chebyshev series. The Ritz values bound the eigenvalue from above, hence the
    time from below.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import graph_laplacian, relaxation_time
    >>> W = np.ones((5, 5)) - np.eye(5)
    >>> time, _ = relaxation_time(graph_laplacian(W))
    >>> round(time, 6)
    0.4
    """
    L = _check_laplacian(L)
    _, labels = connected_components(L, directed=False)
    members = np.flatnonzero(labels == np.bincount(labels).argmax())
    L = csr_array(L[members][:, members])
    n = L.shape[0]
    if n == 1:
        return np.inf, 1.0
    degrees = L.diagonal()
    mean_degree = 1.0
    if np.abs(L.sum(axis=1)).max() <= 1e-9 * degrees.max():  # combinatorial
        mean_degree = float(degrees.mean())
        scale = diagonal_array(1.0 / np.sqrt(degrees))
        L = csr_array(scale @ L @ scale)
    if n <= DENSE_EIGEN_NODES:
        second = float(np.linalg.eigvalsh(L.toarray())[1])
    else:
        bound = 0.0 if at_most is None else 1.0 / (2.0 * at_most)
        second = _second_eigenvalue(L, bound)
    return 1.0 / (2.0 * max(second, np.finfo(np.float64).tiny)), mean_degree


def clip_relaxation(time) -> float:
    """Return the diffusion time that the relaxation rule chooses."""
    low, high = RELAXATION_RANGE
    return min(high, max(low, time))


def _second_eigenvalue(L, bound):
    """Return the second eigenvalue of a normalised Laplacian, or one below `bound`."""
    M = _shifted(L, 1.0)
    V = np.random.default_rng(0).standard_normal((L.shape[0], BLOCK_COLUMNS + 1))
    time = FIRST_TIME
    for _ in range(MAX_FILTERS):
        V, _ = np.linalg.qr(_filtered(M, V, time))
        LV = L @ V
        # the first Ritz value belongs to the stationary state, eigenvalue 0
        ritz, mix = np.linalg.eigh(V.T @ LV)
        residual = np.linalg.norm(LV @ mix[:, 1] - ritz[1] * (V @ mix[:, 1]))
        if residual <= RESIDUAL * ritz[1] or ritz[1] < bound:
            break
        V = V @ mix
        # a longer filter separates more, until the columns differ by too much
        spread = max(ritz[-1] - ritz[0], np.finfo(np.float64).tiny)
        time = min(2.0 * time, max(MAX_SUPPRESSION / spread, FIRST_TIME))
    return float(ritz[1])


def _filtered(M, V, time):
    """Apply exp(-time (I - M)) to the columns of V, up to a relative tail."""
    weights = chebyshev_weights([time], max_order=200_000)[0]
    tail = np.cumsum(weights[::-1])[::-1]
    weights = weights[: max(2, np.count_nonzero(tail > FILTER_TAIL))]
    before, now = V, M @ V
    total = weights[0] * before + weights[1] * now
    for weight in weights[2:]:
        before, now = now, 2.0 * (M @ now) - before
        total += weight * now
    return total
