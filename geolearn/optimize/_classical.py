"""Classical (Torgerson) multidimensional scaling by block Lanczos iteration."""

import warnings

import numpy as np
import scipy.linalg
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from geolearn.optimize._checks import check_dissimilarity, check_n_components

# Up to this many points LAPACK on the dense matrix is as fast as Lanczos.
_DENSE_UP_TO = 200

# Rows of D that are squared at a time: 64 * n float64 stay in a 2 MiB cache.
_ROWS = 64

# Passes over D before the iteration gives up; clean data need 5 to 15.
_MAX_PASSES = 300

# Relative residual of the eigenpairs of `classical_mds`. The eigenvalues'
# error is of the order of its square.
_ACCURATE = 1e-9


def _apply_gram(D, V):
    """Return -1/2 J D^2 J V, with D^2 entrywise, without an n x n temporary."""
    n = D.shape[0]
    V = V - V.mean(axis=0)
    out = np.empty_like(V)
    squares = np.empty((min(_ROWS, n), n))
    for start in range(0, n, _ROWS):
        rows = D[start : start + _ROWS]
        block = squares[: rows.shape[0]]
        np.multiply(rows, rows, out=block, dtype=np.float64)
        np.matmul(block, V, out=out[start : start + _ROWS])
    out *= -0.5
    out -= out.mean(axis=0)
    return out


def _dense_pairs(D, k):
    """Return the k algebraically largest eigenpairs from the whole spectrum."""
    n = D.shape[0]
    gram = _apply_gram(D, np.eye(n))
    gram = 0.5 * (gram + gram.T)
    values, vectors = scipy.linalg.eigh(gram)
    return values[::-1][:k], vectors[:, ::-1][:, :k]


def _orthonormal_block(block, basis, rng):
    """Return an orthonormal basis of `block` made orthogonal to `basis`.

    Directions that the basis already holds are replaced by random ones, so that
    an invariant subspace does not end the iteration early.
    """
    for _ in range(2):  # "twice is enough" for orthogonality to rounding
        lengths = np.linalg.norm(block, axis=0)
        block = block - basis @ (basis.T @ block)
        lost = np.linalg.norm(block, axis=0) <= 1e-10 * lengths
        if lost.any():
            fresh = rng.standard_normal((block.shape[0], int(lost.sum())))
            block[:, lost] = fresh - basis @ (basis.T @ fresh)
        block /= np.linalg.norm(block, axis=0)
    q, r = np.linalg.qr(block)
    lost = np.abs(np.diagonal(r)) <= 1e-10
    if lost.any():
        held = np.hstack([basis, q[:, ~lost]])
        fresh = rng.standard_normal((block.shape[0], int(lost.sum())))
        for _ in range(2):
            fresh = fresh - held @ (held.T @ fresh)
        q[:, lost] = np.linalg.qr(fresh)[0]
    return q


def _lanczos_pairs(D, k, tol, rng):
    """Return the k largest eigenpairs by restarted block Lanczos iteration.

    The basis is kept orthogonal in full and the projected matrix is computed
    from it (Rayleigh-Ritz), which is cheap beside a pass over D. Blocks find
    repeated eigenvalues, which a single start vector misses.
    """
    n = D.shape[0]
    width = k + 2
    capacity = max(12 * width, 40)
    start = rng.standard_normal((n, width))
    basis = np.empty((n, 0))
    images = np.empty((n, 0))
    block = _orthonormal_block(start - start.mean(axis=0), basis, rng)
    gap = np.inf
    for _ in range(_MAX_PASSES):
        basis = np.hstack([basis, block])
        images = np.hstack([images, _apply_gram(D, block)])
        projected = basis.T @ images
        values, weights = np.linalg.eigh(0.5 * (projected + projected.T))
        values, weights = values[::-1], weights[:, ::-1]
        ritz = basis @ weights[:, :width]
        residual = images @ weights[:, :width] - ritz * values[:width]
        scale = max(np.abs(values).max(), np.finfo(float).tiny)
        gap = np.linalg.norm(residual[:, :k], axis=0).max() / scale
        if gap <= tol:
            break
        if basis.shape[1] + width > capacity:  # thick restart from the best half
            kept = weights[:, : capacity // 2]
            basis, images = basis @ kept, images @ kept
            block = residual
        else:
            block = images[:, -width:]
        block = _orthonormal_block(block, basis, rng)
    return values[:k], ritz[:, :k], gap


def top_gram_pairs(D, k, *, tol, rng):
    """Return the k largest eigenpairs of -1/2 J D^2 J and the relative residual."""
    n = D.shape[0]
    if n <= _DENSE_UP_TO or 20 * (k + 2) > n:
        return (*_dense_pairs(D, k), 0.0)
    return _lanczos_pairs(D, k, tol, rng)


def coordinates(values, vectors):
    """Scale eigenvectors to coordinates; negative eigenvalues give zeros."""
    Y = vectors * np.sqrt(np.maximum(values, 0.0))
    pivots = np.take_along_axis(Y, np.abs(Y).argmax(axis=0)[None], axis=0)
    return np.where(pivots < 0.0, -Y, Y)


def classical_mds(
    D, n_components=2, *, random_state=None
) -> tuple[np.ndarray, np.ndarray]:
    """Embed points by the leading eigenvectors of their doubly centred squares.

    With J = I - 11'/n, the matrix -1/2 J D^2 J (squares entrywise) is the Gram
    matrix of the centred points if D is Euclidean; its leading eigenpairs give
    the best approximation of that matrix of rank `n_components` [1]_ [2]_. The
    squared distances are reproduced in the mean (strain), not the distances
    themselves: see `metric_mds` for those.

    Parameters
    ----------
    D : array-like of shape (n, n)
        Symmetric, non-negative dissimilarities with zero diagonal; float32 or
        float64, read only.
    n_components : int, default=2
        Number of coordinates, between 1 and n - 1.
    random_state : int, RandomState instance or None, default=None
        Draws the start vectors of the Lanczos iteration (n > 200). None uses a
        fixed start as well: the result is always reproducible.

    Returns
    -------
    Y : ndarray of shape (n, n_components)
        Centred coordinates along the principal axes; the entry of largest
        modulus in each column is positive. Columns whose eigenvalue is not
        positive are zero.
    eigenvalues : ndarray of shape (n_components,)
        Largest eigenvalues, in decreasing order, in squared units of `D`.
        Negative ones show that `D` is not Euclidean.

    Raises
    ------
    ValueError
        If `D` is not a symmetric, finite, non-negative square matrix with zero
        diagonal or if `n_components` is not in [1, n - 1].

    Warns
    -----
    ConvergenceWarning
        If the Lanczos iteration stops before the eigenvectors are accurate,
        which needs several eigenvalues equal to about nine digits.

    References
    ----------
    .. [1] W. S. Torgerson, "Multidimensional scaling: I. Theory and method",
       Psychometrika 17, 1952, doi:10.1007/BF02288916.
    .. [2] J. C. Gower, "Some distance properties of latent root and vector
       methods used in multivariate analysis", Biometrika 53, 1966,
       doi:10.1093/biomet/53.3-4.325.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.optimize import classical_mds
    >>> x = np.array([0.0, 1.0, 4.0])
    >>> Y, eigenvalues = classical_mds(np.abs(x[:, None] - x), n_components=1)
    >>> (Y.ravel() * 3).round(6)
    array([-5., -2.,  7.])
    """
    D, extent = check_dissimilarity(D)
    n_components = check_n_components(n_components, D.shape[0])
    if extent.largest == 0.0:
        return np.zeros((D.shape[0], n_components)), np.zeros(n_components)
    rng = check_random_state(0 if random_state is None else random_state)
    values, vectors, gap = top_gram_pairs(D, n_components, tol=_ACCURATE, rng=rng)
    if gap > _ACCURATE:
        warnings.warn(
            f"classical_mds: relative residual {gap:.2g} after {_MAX_PASSES} passes, "
            f"wanted {_ACCURATE:g}; neighbouring eigenvalues are nearly equal, so "
            "that their axes are arbitrary. Change n_components to end in a gap of "
            "the spectrum.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return coordinates(values, vectors), values
