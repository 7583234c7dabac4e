"""How well one table of distances reproduces another."""

import warnings

import numpy as np

# Bytes of one block of rows in float64; a handful of arrays of this size exist at once.
_BLOCK_BYTES = 8 * 2**20


def distance_correlation_score(D, G, *, method: str = "pearson") -> float:
    """Average over the rows the correlation of predicted and true distances.

    For each row i the correlation of ``D[i, :]`` and ``G[i, :]`` is taken, the zeros
    of the diagonal included, and the mean over the rows is returned: 1 is perfect up
    to an increasing affine (Pearson) or monotone (Spearman) change of each row.

    A row that is constant in `G` has nothing to predict and is left out. A row that is
    constant in `D` only predicts nothing and counts as 0, so that a collapsed embedding
    is not rewarded. Both are reported by a warning.

    Parameters
    ----------
    D : array-like of shape (n, m)
        Predicted distances, finite. Any real type; the arithmetic is in float64.
    G : array-like of shape (n, m)
        True distances, finite.
    method : {"pearson", "spearman"}, default="pearson"
        Correlation of the values, or of their ranks (ties have their average rank).

    Returns
    -------
    float
        Score in [-1, 1].

    Raises
    ------
    ValueError
        If the shapes differ, a value is NaN or infinite, all rows of `G` are constant,
        or `method` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import distance_correlation_score
    >>> x = np.arange(4.0)
    >>> G = np.abs(x[:, None] - x)
    >>> round(distance_correlation_score(2.0 * G, G), 6)
    1.0
    >>> round(distance_correlation_score(G**2, G), 4)
    0.9506
    >>> round(distance_correlation_score(G**2, G, method="spearman"), 6)
    1.0
    """
    if method not in ("pearson", "spearman"):
        raise ValueError(
            f"method={method!r} is unknown; choose 'pearson' or 'spearman'."
        )
    D = np.asarray(D)
    G = np.asarray(G)
    if D.ndim != 2 or D.shape != G.shape or D.size == 0:
        raise ValueError(
            "D and G must be tables of the same shape, got shapes "
            f"{D.shape} and {G.shape}."
        )
    step = max(1, _BLOCK_BYTES // (8 * D.shape[1]))
    total = 0.0
    n_silent = n_skipped = 0
    for start in range(0, D.shape[0], step):
        d = _block(D, start, step, "D")
        g = _block(G, start, step, "G")
        wanted = g.max(axis=1) > g.min(axis=1)
        telling = wanted & (d.max(axis=1) > d.min(axis=1))
        n_skipped += int(np.count_nonzero(~wanted))
        n_silent += int(np.count_nonzero(wanted & ~telling))
        total += float(_row_correlations(d[telling], g[telling], method).sum())
    n_rows = D.shape[0] - n_skipped
    if n_rows == 0:
        raise ValueError("All rows of G are constant: there is nothing to predict.")
    _report(n_skipped, n_silent, D.shape[0])
    return total / n_rows


def _block(table, start, step, name):
    block = table[start : start + step].astype(np.float64)
    if not np.isfinite(block).all():
        raise ValueError(
            f"{name} contains NaN or infinity; leave out the pairs of points in "
            "different components, or connect the graph."
        )
    return block


def _row_correlations(d, g, method):
    if method == "spearman" and d.size:
        from scipy.stats import rankdata

        d, g = rankdata(d, axis=1), rankdata(g, axis=1)
    # Divided by their largest entry, the squares neither overflow nor underflow.
    d, g = _standardised(d), _standardised(g)
    products = np.einsum("ij,ij->i", d, g)
    norms = np.sqrt(np.einsum("ij,ij->i", d, d) * np.einsum("ij,ij->i", g, g))
    return np.clip(products / norms, -1.0, 1.0)


def _standardised(rows):
    if rows.size:
        rows = rows / np.abs(rows).max(axis=1, keepdims=True)
        rows -= rows.mean(axis=1, keepdims=True)
        rows /= np.abs(rows).max(axis=1, keepdims=True)
    return rows


def _report(n_skipped, n_silent, n):
    if n_skipped:
        warnings.warn(
            f"{n_skipped} of {n} rows of G are constant and were left out.",
            UserWarning,
            stacklevel=3,
        )
    if n_silent:
        warnings.warn(
            f"{n_silent} of {n} rows of D are constant; their correlation counts as 0.",
            UserWarning,
            stacklevel=3,
        )
