"""Shortcuts to the exact nearest rows: a few candidates, then the metric's kernel.

Two shortcuts, both with the result of the full search to the last bit:

- A k-d tree in low dimension (Euclidean). It returns more neighbours than wanted. A row
  whose last wanted and last returned distances differ by less than `_TREE_MARGIN` is
  searched again with more of them, and by the full search in the end.
- A matrix product (Euclidean, sphere, hyperboloid, simplex). It gives for each pair a
  *key*, an increasing function of the distance for a fixed row, with a bound on the
  roundings of key and kernel together. All pairs that the bound does not exclude are
  candidates.

The bounds count roundings as in N. J. Higham, "Accuracy and Stability of Numerical
Algorithms", 2002, doi:10.1137/1.9780898718027, chapter 3: a sum of d products, in any
order, has an error of at most ``d u / (1 - d u)`` times the sum of their absolute
values, u = eps / 2. The constants are at least twice what the count gives.
"""

from dataclasses import dataclass

import numpy as np

from geolearn.metrics import _drivers
from geolearn.utils._threads import resolve_threads

_EPS = float(np.finfo(np.float64).eps)
_BLOCK_BYTES = 32 * 2**20

# Relative; the tree and the kernel agree to a few dozen eps.
_TREE_MARGIN = 1e-9
_TREE_MAX_COLUMNS = 10
_TREE_MIN_ROWS = 1000  # for up to 3 columns, doubled with each further one
_TREE_MIN_QUERIES = 500  # a smaller number does not pay for the tree
# Share of the rows of Y beyond which the tree does not pay for a query.
_TREE_SHARE = 16

_PRODUCT_MIN_ROWS = 256
_PRODUCT_SHARE = 8
_LARGEST = 1e150  # beyond, squares overflow
_SMALLEST = 1e-140  # below, the roundings of squares are not relative any more


@dataclass(frozen=True)
class _Keys:
    # keys[i, j] = offset[j] - left[i] @ right[j], off by slack_x[i] + slack_y[j].
    left: np.ndarray
    right: np.ndarray
    offset: np.ndarray
    slack_x: np.ndarray
    slack_y: np.ndarray


def _squares(X):
    return np.einsum("ij,ij->i", X, X)


def _in_range(*squares):
    # Rows of zeros are harmless; other tiny rows are not.
    low = min(np.min(s, where=s > 0.0, initial=np.inf) for s in squares)
    high = max(np.max(s) for s in squares)
    return high < _LARGEST**2 and low > _SMALLEST**2


def _euclidean_keys(X, Y, params):
    # Key |y|^2 - 2 <x, y> = d^2 - |x|^2 of centred rows. Its error and those of the
    # centring and of the kernel are below (2 d + 16) u (|x| + |y|)^2.
    centre = Y.mean(axis=0)
    A, B = X - centre, Y - centre
    aa, bb = _squares(A), _squares(B)
    if not _in_range(aa, bb):
        return None
    bound = 4.0 * (X.shape[1] + 8) * _EPS
    return _Keys(2.0 * A, B, bb, bound * aa, bound * bb)


def _sphere_keys(X, Y, params):
    # The kernel computes the angle phi with cos phi = 2 <x, y> / (|x|^2 + |y|^2). The
    # cosine -key of the normalised rows is off by (|x| - |y|)^2 / (|x|^2 + |y|^2) at
    # most, and key and kernel add some (2 d + 12) u.
    norm_x, norm_y = np.sqrt(_squares(X)), np.sqrt(_squares(Y))
    if not _in_range(norm_x, norm_y) or min(norm_x.min(), norm_y.min()) == 0.0:
        return None
    low, high = min(norm_x.min(), norm_y.min()), max(norm_x.max(), norm_y.max())
    spread = (high - low) / low
    bound = 4.0 * (X.shape[1] + 8) * _EPS + spread * spread
    zeros = np.zeros(Y.shape[0])
    return _Keys(
        X / norm_x[:, None],
        Y / norm_y[:, None],
        zeros,
        np.full(X.shape[0], bound),
        zeros,
    )


def _simplex_keys(X, Y, params):
    return _sphere_keys(np.sqrt(np.maximum(X, 0)), np.sqrt(np.maximum(Y, 0)), params)


def _hyperboloid_keys(X, Y, params):
    # Key x0 y0 - <a, b> = cosh d. The kernel's q has, through D_perp, an error of
    # (2 d + 8) u (|a|^2 + |b|^2) as long as this is below 1/4; asinh adds some 200 u
    # cosh d, and the key (d + 4) u 2 x0 y0, where 2 x0 y0 <= x0^2 + y0^2.
    scale = np.sqrt(-params[0])
    a, b = scale * X[:, 1:], scale * Y[:, 1:]
    xx, yy = 1.0 + _squares(a), 1.0 + _squares(b)
    bound = 8.0 * (X.shape[1] + 40) * _EPS
    if bound * max(xx.max(), yy.max()) > 0.25:
        return None
    return _Keys(
        np.column_stack([-np.sqrt(xx), a]),
        np.column_stack([np.sqrt(yy), b]),
        np.zeros(Y.shape[0]),
        bound * xx,
        bound * yy,
    )


# Builder of the keys, and the smallest number of columns for which the product pays:
# Euclidean rows cost little more than the product itself.
_PRODUCTS = {
    "euclidean": (_euclidean_keys, 192),
    "sphere": (_sphere_keys, 1),
    "hyperboloid": (_hyperboloid_keys, 1),
    "fisher_rao": (_simplex_keys, 1),
}


def nearest(resolved, X, Y, skip, distances, indices, n_jobs) -> None:
    """Fill distances and indices with the nearest rows, by the cheapest exact way.

    Parameters
    ----------
    resolved : KernelMetric
        The metric.
    X, Y : ndarray of shape (n, n_columns)
        Valid points; `Y` is those among which is searched.
    skip : ndarray of shape (n_x,)
        Row of `Y` that is left out for each row of `X`, or -1.
    distances, indices : ndarray of shape (n_x, n_neighbors)
        Results.
    n_jobs : int or None
        Number of threads.
    """
    name = resolved.metric.name
    if name == "euclidean" and _tree_pays(X, Y, distances.shape[1]):
        _by_tree(resolved, X, Y, skip, distances, indices, n_jobs)
        return
    if name in _PRODUCTS and _product_pays(X, Y, distances.shape[1], name):
        keys = _PRODUCTS[name][0](X, Y, resolved.params)
        if keys is not None:
            _by_product(resolved, X, Y, keys, skip, distances, indices, n_jobs)
            return
    _by_full_search(resolved, X, Y, skip, distances, indices, n_jobs)


def _by_full_search(resolved, X, Y, skip, distances, indices, n_jobs):
    rows = max(1, _BLOCK_BYTES // (8 * Y.shape[0]))
    _drivers.nearest(
        *(resolved.row, X, Y, resolved.params, skip),
        *(distances, indices, n_jobs, rows),
    )


def _tree_pays(X, Y, k):
    n_columns = X.shape[1]
    enough = _TREE_MIN_ROWS * 2 ** max(n_columns - 3, 0)
    return (
        n_columns <= _TREE_MAX_COLUMNS
        and X.shape[0] >= _TREE_MIN_QUERIES
        and Y.shape[0] >= enough
        and _TREE_SHARE * (k + 2) <= Y.shape[0]
    )


def _by_tree(resolved, X, Y, skip, distances, indices, n_jobs):
    from scipy.spatial import KDTree

    tree = KDTree(Y)
    open_rows = np.arange(X.shape[0])
    n_asked = distances.shape[1] + 2  # the row itself, and one beyond the wanted
    while open_rows.size and _TREE_SHARE * n_asked <= Y.shape[0]:
        step = max(1, _BLOCK_BYTES // (16 * n_asked))
        unsettled = [
            _ask_tree(
                *(tree, n_asked, resolved, X, Y, open_rows[start : start + step]),
                *(skip, distances, indices, n_jobs),
            )
            for start in range(0, open_rows.size, step)
        ]
        open_rows = np.concatenate(unsettled)
        n_asked *= 4
    if open_rows.size:
        d, j = distances[open_rows], indices[open_rows]
        _by_full_search(resolved, X[open_rows], Y, skip[open_rows], d, j, n_jobs)
        distances[open_rows], indices[open_rows] = d, j


def _ask_tree(tree, n_asked, resolved, X, Y, rows, skip, distances, indices, n_jobs):
    # Returns the rows for which a row of Y that the tree did not return could belong
    # to the result.
    points = X[rows]
    reach, found = tree.query(points, n_asked, workers=resolve_threads(n_jobs))
    found = np.ascontiguousarray(found, dtype=np.intp)
    d, j = distances[rows], indices[rows]
    _drivers.rank(resolved.row, points, Y, resolved.params, found, skip[rows], d, j)
    distances[rows], indices[rows] = d, j
    return rows[~(d[:, -1] < reach[:, -1] * (1.0 - _TREE_MARGIN))]


def _product_pays(X, Y, k, name):
    return (
        X.shape[1] >= _PRODUCTS[name][1]
        and X.shape[0] * Y.shape[0] >= _PRODUCT_MIN_ROWS**2
        and _PRODUCT_SHARE * k <= Y.shape[0]
    )


def _by_product(resolved, X, Y, keys, skip, distances, indices, n_jobs):
    step = max(1, _BLOCK_BYTES // (8 * Y.shape[0]))
    scratch = np.empty((min(step, X.shape[0]), Y.shape[0]))
    right = keys.right.T
    for start in range(0, X.shape[0], step):
        rows = slice(start, min(start + step, X.shape[0]))
        table = scratch[: rows.stop - start]
        np.matmul(keys.left[rows], right, out=table)
        np.subtract(keys.offset, table, out=table)
        _drivers.filtered(
            *(resolved.row, X[rows], Y, resolved.params, skip[rows], table),
            *(keys.slack_x[rows], keys.slack_y, distances[rows], indices[rows]),
            n_jobs,
        )
