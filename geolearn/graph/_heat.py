"""The heat kernel exp(-t L) of a graph, by four methods."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csc_array, csr_array, issparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu
from scipy.special import gammaln, ive
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from geolearn.graph._heat_columns import SMALLEST_NORMAL, columns_of_series
from geolearn.utils._progress import Progress
from geolearn.utils._threads import numba_threads

METHODS = ("chebyshev", "uniformization", "euler", "exact")
MAX_EXACT_NODES = 2000
# Eigendecomposition has absolute accuracy only: smaller entries are noise.
SMALLEST_EXACT_ENTRY = 1e-12
# The last Poisson term may stand for a tail of several like it.
UNIFORMIZATION_SAFETY = 1 / 16
# Share of underflowed entries above which the user is told.
UNDERFLOW_SHARE = 1e-3
EULER_BLOCK = 64
# T_{k+1} = 2 M T_k - T_{k-1}
CHEBYSHEV_STEP = (2.0, -1.0)


@dataclass(frozen=True)
class HeatColumns:
    """Heat from some sources: ``values[a, s]`` is row ``sources[s]`` of H at t_a."""

    values: np.ndarray
    order: int


def heat_kernel(
    L,
    t,
    *,
    sources=None,
    method="chebyshev",
    tol=1e-8,
    phi=None,
    euler_steps=30,
    max_order=5000,
    n_jobs=None,
    verbose=0,
):
    r"""Compute the heat kernel :math:`e^{-tL}` of a graph, or columns of it.

    The default method is accurate entry by entry: values of 1e-100 carry as many
    correct digits as values near 1, as logarithms of heat need. Entries within a
    connected component are strictly positive, entries between components are
    exactly zero.

    Parameters
    ----------
    L : array or sparse array of shape (n, n)
        Graph Laplacian, symmetric with non-positive off-diagonal entries, see
        :func:`graph_laplacian`.
    t : float or array-like of shape (n_times,)
        Diffusion times, positive, in units of the inverse eigenvalues of `L`.
        Several times share one recurrence.
    sources : array-like of shape (m,), default=None
        Nodes whose columns are wanted; all nodes by default.
    method : {"chebyshev", "uniformization", "euler", "exact"}, default="chebyshev"
        - "chebyshev": Chebyshev series [1]_ of adaptive order, summed until every
          entry has a relative error below `tol`;
        - "uniformization": the Poisson series of powers of a non-negative
          matrix, as accurate and slower, a check on the first;
        - "euler": `euler_steps` backward Euler steps, positive, with far entries
          too large by orders of magnitude;
        - "exact": dense eigendecomposition, absolute accuracy only, at most
          2000 nodes.
    tol : float, default=1e-8
        Relative accuracy of every entry for the two series.
    phi : float, default=None
        Half of an upper bound of the largest eigenvalue of `L`, 1 for a
        normalised Laplacian; a guaranteed bound is computed by default.
    euler_steps : int, default=30
        Number of backward Euler steps.
    max_order : int, default=5000
        Largest degree of the two series.
    n_jobs : int, default=None
        Number of threads of the two series; None is 1, -1 all cores. The result
        does not depend on it.
    verbose : int, default=0
        1 reports the progress.

    Returns
    -------
    ndarray of shape (n, m) or (n_times, n, m)
        Columns `sources` of the heat kernel; an axis of times comes first if `t`
        is an array. Symmetric when `sources` is None.

    Raises
    ------
    ValueError
        If `L` is not a graph Laplacian or a parameter is out of range.

    Warns
    -----
    ConvergenceWarning
        If `max_order` is reached before every entry has converged.
    RuntimeWarning
        If more than 0.1 % of the entries underflow and are raised to 2.2e-308,
        or if "exact" is asked for entries below 1e-12.

    References
    ----------
    .. [1] S. Marcotte, A. Barbe, R. Gribonval, T. Vayer, M. Sebban, P. Borgnat,
       P. Gonçalves, "Fast Multiscale Diffusion on Graphs", 2021,
       arXiv:2104.14652.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import graph_laplacian, heat_kernel
    >>> W = np.ones((5, 5)) - np.eye(5)
    >>> L = graph_laplacian(W, "combinatorial")
    >>> heat_kernel(L, 0.1, sources=[0]).ravel().round(10)
    array([0.68522453, 0.07869387, 0.07869387, 0.07869387, 0.07869387])
    """
    columns = heat_columns(
        L,
        t,
        sources=sources,
        method=method,
        tol=tol,
        phi=phi,
        euler_steps=euler_steps,
        max_order=max_order,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    H = columns.values
    if sources is None:
        for page in H:
            _symmetrize(page)
    H = H.swapaxes(1, 2)
    return H if np.ndim(t) else H[0]


def heat_columns(
    L,
    t,
    *,
    sources=None,
    method="chebyshev",
    tol=1e-8,
    phi=None,
    euler_steps=30,
    max_order=5000,
    n_jobs=None,
    verbose=0,
) -> HeatColumns:
    """Compute `heat_kernel` as rows by source, with the order that was needed."""
    L = _check_laplacian(L)
    times = _check_times(t)
    n = L.shape[0]
    sources = np.arange(n) if sources is None else _check_sources(sources, n)
    if method not in METHODS:
        raise ValueError(f"method={method!r} is not one of {', '.join(METHODS)}.")
    if method == "exact":
        return _exact(L, times, sources)
    if method == "euler":
        return _euler(L, times, sources, euler_steps)
    if not tol > 0:
        raise ValueError(f"tol={tol!r} must be positive.")
    if phi is None:
        phi = largest_eigenvalue_bound(L) / 2
    if not phi > 0:
        raise ValueError(f"phi={phi!r} must be a positive number.")
    progress = Progress(verbose, __name__)
    with numba_threads(n_jobs):
        result = _series(L, times, sources, method, tol, phi, max_order, progress)
    _warn_of_series(result, times, tol, max_order)
    return HeatColumns(result.values, result.n_terms)


def _series(L, times, sources, method, tol, phi, max_order, progress):
    """Sum the Chebyshev or the Poisson series."""
    if method == "chebyshev":
        M = _shifted(L, phi)
        weights = chebyshev_weights(times * phi, max_order)
        step = CHEBYSHEV_STEP
    else:
        # Pi = I - L / q is non-negative for q >= max_i L_ii.
        q = max(L.diagonal().max(), np.finfo(np.float64).tiny)
        M = _shifted(L, q)
        weights = poisson_weights(times * q, max_order)
        step = (1.0, 0.0)
        tol = tol * UNIFORMIZATION_SAFETY
    return columns_of_series(
        M,
        weights,
        sources,
        step=step,
        tol=tol,
        # a series that ends before max_order has underflowed: nothing is missing
        complete=weights.shape[1] <= max_order,
        report=lambda share: progress("heat kernel: %3.0f %%", 100 * share),
    )


def diagonal_array(values) -> csr_array:
    """Return the diagonal matrix of `values`; SciPy 1.11 has no `diags_array`."""
    nodes = np.arange(len(values))
    return csr_array((values, (nodes, nodes)), shape=(len(values), len(values)))


def _shifted(L, scale):
    """Return I - L / scale without explicit zeros."""
    M = csr_array(diagonal_array(np.ones(L.shape[0])) - L / scale)
    M.eliminate_zeros()
    return M


def chebyshev_weights(x, max_order) -> np.ndarray:
    r"""Return the weights of :math:`e^{-x(1 - M)} = \sum_k c_k T_k(M)`, by row of x."""
    k = np.arange(max_order + 1)
    weights = 2 * ive(k, np.asarray(x)[:, None])
    weights[:, 0] /= 2
    return _cut(weights)


def poisson_weights(x, max_order) -> np.ndarray:
    """Return the Poisson probabilities of 0, 1, ... at mean x, by row of x."""
    k = np.arange(max_order + 1)
    x = np.asarray(x)[:, None]
    return _cut(np.exp(k * np.log(x) - x - gammaln(k + 1)))


def _cut(weights):
    """Drop subnormal weights and the columns in which every weight is zero."""
    weights[weights < SMALLEST_NORMAL] = 0.0
    last = np.flatnonzero(weights.any(axis=0))[-1]
    return np.ascontiguousarray(weights[:, : last + 1])


def largest_eigenvalue_bound(L, n_iter=50) -> float:
    """Bound the largest eigenvalue of a graph Laplacian from above.

    For every positive vector v the spectral radius of the entrywise modulus |L|
    is at most ``max_i (|L| v)_i / v_i`` (Collatz-Wielandt), and power iteration
    tightens the bound; for a normalised Laplacian it tends to 2.

    Parameters
    ----------
    L : csr_array of shape (n, n)
        Graph Laplacian.
    n_iter : int, default=50
        Number of power iterations.

    Returns
    -------
    float
        Upper bound, positive.
    """
    modulus = abs(L)
    v = np.ones(L.shape[0])
    bound = np.inf
    for _ in range(n_iter):
        image = modulus @ v
        bound = min(bound, float(np.max(image / v)))
        # half a step keeps v positive where a node is isolated
        v = v + image / max(bound, SMALLEST_NORMAL)
        v /= v.max()
        if v.min() < np.sqrt(SMALLEST_NORMAL):
            break
    return max(bound, SMALLEST_NORMAL)


def _warn_of_series(result, times, tol, max_order):
    if not result.converged:
        warnings.warn(
            f"The heat series stopped at max_order={max_order} before the last term "
            f"of every entry fell below tol={tol:g}; reduce t if it is far above the "
            "relaxation time, else increase max_order or use a larger n_neighbors, "
            "which shortens the graph.",
            ConvergenceWarning,
            stacklevel=4,
        )
        return  # entries that were not reached are no underflows
    share = result.n_underflows / max(result.values.size, 1)
    if share > UNDERFLOW_SHARE:
        warnings.warn(
            f"{100 * share:.2g} % of the heat kernel underflows at t={times.min():g} "
            "and is set to 2.2e-308; increase t.",
            RuntimeWarning,
            stacklevel=4,
        )


def _exact(L, times, sources):
    """Evaluate the eigendecomposition, and warn of entries that are noise."""
    n = L.shape[0]
    if n > MAX_EXACT_NODES:
        raise ValueError(
            f'method="exact" takes at most {MAX_EXACT_NODES} nodes, got {n}; use '
            '"chebyshev".'
        )
    eigenvalues, vectors = eigh(L.toarray())
    values = np.empty((times.shape[0], len(sources), n))
    for a, t in enumerate(times):
        # eigenvalues are >= 0 up to rounding, which exp would magnify
        decay = np.exp(-t * np.maximum(eigenvalues, 0.0))
        values[a] = (vectors[sources] * decay) @ vectors.T
    reachable = _reachable(L, sources)
    n_noise = np.count_nonzero(values[:, reachable] < SMALLEST_EXACT_ENTRY)
    if n_noise:
        warnings.warn(
            f'{n_noise} entries of the heat kernel are below 1e-12, where "exact" has '
            'no correct digits; use method="chebyshev".',
            RuntimeWarning,
            stacklevel=4,
        )
    values[:, ~reachable] = 0.0
    values[:, reachable] = np.maximum(values[:, reachable], SMALLEST_NORMAL)
    return HeatColumns(values, n)


def _euler(L, times, sources, n_steps):
    """Take `n_steps` backward Euler steps with one sparse factorisation a time."""
    if n_steps < 1:
        raise ValueError(f"euler_steps={n_steps!r} must be at least 1.")
    n = L.shape[0]
    values = np.empty((times.shape[0], len(sources), n))
    identity = diagonal_array(np.ones(n))
    for a, t in enumerate(times):
        # symmetric positive definite: a symmetric ordering without pivoting
        factor = splu(
            csc_array(identity + (t / n_steps) * L),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        # SuperLU calls BLAS on tiny blocks, which threads slow down 20 times
        with threadpool_limits(1, user_api="blas"):
            for low in range(0, len(sources), EULER_BLOCK):
                block = sources[low : low + EULER_BLOCK]
                heat = np.zeros((n, len(block)), order="F")
                heat[block, np.arange(len(block))] = 1.0
                for _ in range(n_steps):
                    heat = factor.solve(heat)
                values[a, low : low + EULER_BLOCK] = heat.T
    reachable = _reachable(L, sources)
    values[:, ~reachable] = 0.0
    values[:, reachable] = np.maximum(values[:, reachable], SMALLEST_NORMAL)
    return HeatColumns(values, n_steps)


def _reachable(L, sources):
    """Tell which nodes share a component with each source."""
    _, labels = connected_components(L, directed=False)
    return labels[sources][:, None] == labels[None, :]


def _symmetrize(H):
    """Replace H by (H + H^T) / 2 in blocks, in place."""
    n = H.shape[0]
    for low in range(0, n, 512):
        high = min(low + 512, n)
        mean = (H[low:high, low:] + H[low:, low:high].T) / 2
        H[low:high, low:] = mean
        H[low:, low:high] = mean.T


def _check_laplacian(L):
    """Return `L` as a float64 CSR array, or say why it is no graph Laplacian."""
    L = (
        csr_array(L, dtype=np.float64)
        if issparse(L)
        else csr_array(np.asarray(L, float))
    )
    if L.shape[0] != L.shape[1] or L.shape[0] == 0:
        raise ValueError(f"L must be a non-empty square array, got shape {L.shape}.")
    if not np.isfinite(L.data).all():
        raise ValueError("L contains NaN or infinity.")
    scale = np.abs(L.data).max(initial=0.0)
    gap = np.abs((L - L.T).data).max(initial=0.0)
    if gap > 1e-10 * scale:
        raise ValueError(f"L must be symmetric; |L - L.T| reaches {gap:.3g}.")
    off_diagonal = L - diagonal_array(L.diagonal())
    if off_diagonal.data.max(initial=0.0) > 1e-14 * scale or L.diagonal().min() < 0:
        raise ValueError(
            "L must be a graph Laplacian: off-diagonal entries <= 0 and diagonal "
            ">= 0; build it with graph_laplacian."
        )
    return L


def _check_times(t):
    times = np.atleast_1d(np.asarray(t, dtype=np.float64))
    if times.ndim != 1 or times.size == 0 or not np.all((times > 0) & (times < np.inf)):
        raise ValueError(f"t={t!r} must be a positive number or a 1-D array of them.")
    return times


def _check_sources(sources, n):
    sources = np.asarray(sources)
    if (
        sources.ndim != 1
        or sources.size == 0
        or sources.dtype.kind not in "iu"
        or sources.min() < 0
        or sources.max() >= n
    ):
        raise ValueError(
            f"sources must be a non-empty 1-D array of integers in [0, {n}), "
            f"got {sources!r}."
        )
    return sources
