"""Principal angles of all pairs of two sets of subspaces."""

import numpy as np

from geolearn import linalg
from geolearn.manifolds._orthonormal import Reflector
from geolearn.manifolds._rotations import transpose

__all__ = ["fill_tables"]

_CLOSE = 0.02  # squared distance per angle below which 1 - cos^2 has lost digits
_STEEP = 1e-3  # squared cosine below which its root has lost digits
_TILE_NUMBERS = 2**18  # float64 in the products of a tile, 2 MiB


def fill_tables(manifold, X, Y, functions, tables, n_jobs):
    """Fill symmetric or rectangular tables with functions of principal angles.

    All products X_i^T Y_j of a tile are one product of matrices, and the squares of
    its singular values are the squared cosines. Pairs for which these have lost
    digits are evaluated again.

    Parameters
    ----------
    manifold : Grassmann
        Manifold of the points.
    X : ndarray of shape (n_x, n, p)
        Points.
    Y : ndarray of shape (n_y, n, p) or None
        Points; None stands for `X` and halves the work.
    functions : list of callable
        Take angles and their complements, of shape (..., min(p, n - p)).
    tables : list of ndarray of shape (n_x, n_y)
        Receive the values; diagonals are zero when `Y` is None.
    n_jobs : int or None
        Number of threads.
    """
    from geolearn.utils._threads import matrix_threads  # numba loads when needed

    symmetric = Y is None
    others = X if symmetric else Y
    left = _smaller(manifold, X)
    right = left if symmetric else _smaller(manifold, Y)
    step = max(1, int(_TILE_NUMBERS**0.5) // left.shape[-1])
    with matrix_threads(n_jobs):
        for i in range(0, len(X), step):
            rows = slice(i, i + step)
            for j in range(i if symmetric else 0, len(others), step):
                columns = slice(j, j + step)
                angles = _angles(left[rows], right[columns], n_jobs)
                _mend(manifold, X[rows], others[columns], *angles)
                for function, table in zip(functions, tables, strict=True):
                    values = function(*angles)
                    if symmetric:
                        if i == j:
                            values = (values + values.T) / 2.0
                        table[columns, rows] = values.T
                    table[rows, columns] = values
    for table in tables if symmetric else ():
        np.fill_diagonal(table, 0.0)


def _smaller(manifold, X):
    """Return the subspaces or their complements, which have the same angles."""
    if 2 * manifold.p <= manifold.n:
        return X
    return Reflector.at(X).apply(np.eye(manifold.n)[:, manifold.p :])


def _angles(X, Y, n_jobs):
    n, p = X.shape[1:]
    flat_x, flat_y = (np.moveaxis(Z, 1, 0).reshape(n, -1) for Z in (X, Y))
    products = (flat_x.T @ flat_y).reshape(len(X), p, len(Y), p).swapaxes(1, 2)
    if p == 1:
        cosines = np.abs(products[..., 0])
        squares = cosines**2
    else:
        squares = linalg.eigvalsh(transpose(products) @ products, n_jobs=n_jobs)
        squares = np.clip(squares, 0.0, 1.0)
        cosines = np.sqrt(squares)
        steep = squares[..., 0] < _STEEP
        exact = np.linalg.svd(products[steep], compute_uv=False)
        cosines[steep] = np.minimum(exact[..., ::-1], 1.0)
    sines = np.sqrt(np.maximum(1.0 - squares, 0.0))
    return np.arctan2(sines, cosines), np.arctan2(cosines, sines)


def _mend(manifold, X, Y, angles, complements):
    """Evaluate close pairs in the way that keeps their digits."""
    squared = np.sum(angles**2, axis=-1)
    i, j = np.nonzero(squared < _CLOSE * angles.shape[-1])
    step = max(1, _TILE_NUMBERS // (manifold.n * manifold.p))
    for k in range(0, len(i), step):
        r, c = i[k : k + step], j[k : k + step]
        angles[r, c], complements[r, c] = manifold._angles(X[r], Y[c])
