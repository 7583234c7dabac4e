"""Validated affinities, their degrees and their Laplacians."""

import numpy as np
from scipy import sparse

# W and its transpose may differ by this share of max(W): rounding of a
# symmetrisation in another library, not an asymmetric graph.
_SYMMETRY_TOL = 1e-8


def _as_csr(W) -> sparse.csr_array:
    """Return a float64 csr_array copy with the smallest index type that fits."""
    if not sparse.issparse(W):
        W = np.asarray(W, dtype=np.float64)
        if W.ndim != 2:
            raise ValueError(f"W must be a matrix, got an array of shape {W.shape}.")
    W = sparse.csr_array(W).astype(np.float64, copy=True)
    if W.shape[0] != W.shape[1]:
        raise ValueError(f"W must be square, got shape {W.shape}.")
    if max(W.shape[0], W.nnz) < np.iinfo(np.int32).max:
        W.indices = W.indices.astype(np.int32, copy=False)
        W.indptr = W.indptr.astype(np.int32, copy=False)
    W.sum_duplicates()
    return W


def check_affinity(W) -> sparse.csr_array:
    """Validate a symmetric affinity matrix and return it as a CSR array.

    Parameters
    ----------
    W : array-like or sparse matrix of shape (n_samples, n_samples)
        Non-negative symmetric weights; 0 (or absent) means no edge. A non-zero
        diagonal is ignored. Sparse arrays and matrices of any format and index
        type are accepted.

    Returns
    -------
    W : csr_array of shape (n_samples, n_samples)
        A float64 copy, exactly symmetric, with sorted indices, without explicit
        zeros and with an empty diagonal. Indices are int32 where they fit.

    Raises
    ------
    ValueError
        If `W` is not a square matrix, or holds NaN, an infinite or a negative
        value, or if W and its transpose differ by more than 1e-8 times the
        largest weight.

    Examples
    --------
    >>> from geolearn.graph import check_affinity
    >>> check_affinity([[9.0, 0.5], [0.5, 9.0]]).toarray()
    array([[0. , 0.5],
           [0.5, 0. ]])
    """
    W = _as_csr(W)
    data = W.data
    if not np.isfinite(data).all():
        name = "NaN" if np.isnan(data).any() else "infinite"
        raise ValueError(f"W contains {name} weights; an affinity must be finite.")
    if data.size and data.min() < 0:
        entry = int(np.argmin(data))
        row = int(np.searchsorted(W.indptr, entry, side="right")) - 1
        raise ValueError(
            f"W[{row}, {W.indices[entry]}] = {data[entry]:.3g} is negative; an "
            "affinity must be non-negative."
        )
    return _without_diagonal(_symmetrised(W))


def _symmetrised(W):
    transposed = sparse.csr_array(W.T)
    gap = W - transposed
    if gap.nnz:
        gap = sparse.coo_array(gap)
        worst = int(np.argmax(np.abs(gap.data)))
        size = float(np.abs(gap.data[worst]))
        if size > _SYMMETRY_TOL * W.data.max():
            i, j = sorted((int(gap.row[worst]), int(gap.col[worst])))
            raise ValueError(
                f"W is not symmetric: |W[{i}, {j}] - W[{j}, {i}]| = {size:.3g}; "
                "pass (W + W.T) / 2."
            )
        if size > 0:
            W = sparse.csr_array((W + transposed) * 0.5)
    return W


def _without_diagonal(W):
    """Drop the diagonal and the explicit zeros of a CSR array, in place."""
    rows = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    W.data[rows == W.indices] = 0.0
    W.eliminate_zeros()
    W.sort_indices()
    return W


def degrees(W) -> np.ndarray:
    """Compute the degree of every node, the sum of its weights.

    Parameters
    ----------
    W : sparse matrix of shape (n_samples, n_samples)
        Affinity with zero diagonal, as returned by `check_affinity`.

    Returns
    -------
    d : ndarray of shape (n_samples,)
        Row sums of `W`; 0 for an isolated node.

    Examples
    --------
    >>> from geolearn.graph import check_affinity, degrees
    >>> degrees(check_affinity([[0, 1, 1], [1, 0, 0], [1, 0, 0]]))
    array([2., 1., 1.])
    """
    return np.asarray(W.sum(axis=1), dtype=np.float64).ravel()


def graph_laplacian(W, normalization="normalized") -> sparse.csr_array:
    r"""Build the Laplacian of a weighted graph.

    With the degrees :math:`\Delta = \mathrm{diag}(d_i)`, the normalised Laplacian
    is :math:`L = I - \Delta^{-1/2} W \Delta^{-1/2}` (spectrum in [0, 2]) and the
    combinatorial one :math:`L = \Delta - W`. Rows of isolated nodes are zero in
    both, so that the heat kernel keeps their heat in place.

    Parameters
    ----------
    W : array-like or sparse matrix of shape (n_samples, n_samples)
        Symmetric non-negative affinity; its diagonal is ignored.
    normalization : {"normalized", "combinatorial"}, default="normalized"
        Which Laplacian. The normalised one has no unit: it does not change when
        all weights are multiplied by a number. The combinatorial one has the unit
        of the weights.

    Returns
    -------
    L : csr_array of shape (n_samples, n_samples)
        Symmetric positive semi-definite Laplacian with sorted indices. Every row
        of a node that has an edge stores its diagonal entry.

    Raises
    ------
    ValueError
        If `normalization` is unknown or `W` is not an affinity.

    Examples
    --------
    >>> from geolearn.graph import graph_laplacian
    >>> graph_laplacian([[0, 2], [2, 0]], "combinatorial").toarray()
    array([[ 2., -2.],
           [-2.,  2.]])
    >>> graph_laplacian([[0, 2], [2, 0]]).toarray()
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    if normalization not in ("normalized", "combinatorial"):
        raise ValueError(
            "normalization must be 'normalized' or 'combinatorial', got "
            f"{normalization!r}."
        )
    W = check_affinity(W)
    d = degrees(W)
    if normalization == "combinatorial":
        off_diagonal, diagonal = W, d
    else:
        # s_i s_j is formed first: the product with W_ij is then bitwise symmetric.
        s = np.zeros_like(d)
        s[d > 0] = 1.0 / np.sqrt(d[d > 0])
        rows = np.repeat(np.arange(d.size), np.diff(W.indptr))
        weights = W.data * (s[rows] * s[W.indices])
        off_diagonal = sparse.csr_array((weights, W.indices, W.indptr), shape=W.shape)
        diagonal = (d > 0).astype(np.float64)
    nodes = np.flatnonzero(d > 0).astype(W.indices.dtype)
    delta = sparse.csr_array((diagonal[nodes], (nodes, nodes)), shape=W.shape)
    L = sparse.csr_array(delta - off_diagonal)
    L.sort_indices()
    return L


__all__ = ["check_affinity", "degrees", "graph_laplacian"]
