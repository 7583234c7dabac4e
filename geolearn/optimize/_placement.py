"""Placement of new points among fixed ones by single-point majorisation."""

import numpy as np
from numba import prange

from geolearn.optimize._checks import as_matrix
from geolearn.utils._jit import kernel
from geolearn.utils._tables import read_only
from geolearn.utils._threads import numba_threads

# A landmark nearer than this share of a point's largest distance gives it no
# direction.
_COINCIDENT = 1e-12

# A point rests when a step moves it by less than this share of its mean distance.
_AT_REST = 1e-14

_SUMS = {"reassoc", "contract"}


@kernel(parallel=True, fastmath=_SUMS)
def _place_rows(D, W, weighted, L, n_iter, Y, loss):
    """Move each row of Y by majorisation steps; L (p, m) holds the fixed points."""
    p, m = L.shape
    for a0 in prange(Y.shape[0]):
        a = np.intp(a0)
        d = D[a]
        w = np.ones(m)
        if weighted:
            w[:] = W[a]
        g = np.empty(m)
        mass, reach, farthest = 0.0, 0.0, 0.0
        for k in range(m):
            mass += w[k]
            reach += w[k] * d[k]
            farthest = max(farthest, d[k])
        rest = _AT_REST * reach / mass
        tiny = _COINCIDENT * farthest
        for _ in range(n_iter):
            g[:] = 0.0
            for c in range(p):
                yc, row = Y[a, c], L[c]
                for k in range(m):
                    g[k] += (yc - row[k]) * (yc - row[k])
            for k in range(m):
                r = np.sqrt(g[k])
                g[k] = w[k] * (d[k] / r - 1.0 if r > tiny else -1.0)
            moved = 0.0
            for c in range(p):
                yc, row = Y[a, c], L[c]
                s = 0.0
                for k in range(m):
                    s += g[k] * (yc - row[k])
                Y[a, c] = yc + s / mass
                moved = max(moved, abs(s / mass))
            if moved <= rest:
                break
        g[:] = 0.0
        for c in range(p):
            yc, row = Y[a, c], L[c]
            for k in range(m):
                g[k] += (yc - row[k]) * (yc - row[k])
        total = 0.0
        for k in range(m):
            total += w[k] * (np.sqrt(g[k]) - d[k]) ** 2
        loss[a] = total


def _check_rows(A, name, shape):
    A = as_matrix(A, name)
    if A.shape != shape:
        raise ValueError(
            f"{name} must have shape (n_new, n_landmarks)={shape}; got {A.shape}."
        )
    if not np.isfinite(A).all():
        raise ValueError(f"{name} must be finite; it holds NaN or infinite entries.")
    if A.size and A.min() < 0.0:
        raise ValueError(
            f"{name} must be non-negative; its smallest entry is {A.min():.3g}."
        )
    return read_only(A)


def _check_points(Y, name):
    Y = as_matrix(Y, name)
    if not np.isfinite(Y).all():
        raise ValueError(f"{name} must be finite; it holds NaN or infinite entries.")
    return np.array(Y, dtype=np.float64)


def placement(D, Y_landmarks, init, *, weights=None, n_iter=50, n_jobs=None):
    """Return the placed points and the weighted squared error of each."""
    landmarks, Y = (
        _check_points(Y_landmarks, "Y_landmarks"),
        _check_points(init, "init"),
    )
    if landmarks.shape[0] == 0:
        raise ValueError("Y_landmarks holds no point; at least 1 is required.")
    if Y.shape[1] != landmarks.shape[1]:
        raise ValueError(
            f"init has {Y.shape[1]} columns and Y_landmarks {landmarks.shape[1]}; both "
            "must have one column a coordinate."
        )
    if (
        isinstance(n_iter, bool)
        or not isinstance(n_iter, int | np.integer)
        or n_iter < 0
    ):
        raise ValueError(f"n_iter={n_iter!r} must be an integer of at least 0.")
    shape = (Y.shape[0], landmarks.shape[0])
    D = _check_rows(D, "D", shape)
    weighted = weights is not None
    W = _check_rows(weights, "weights", shape) if weighted else D
    if weighted and not W.any(axis=1).all():
        row = int(np.flatnonzero(~W.any(axis=1))[0])
        raise ValueError(
            f"weights[{row}] has no positive entry, so that the place of that point "
            "is arbitrary; give it a weight or leave it out."
        )
    loss = np.zeros(Y.shape[0])
    rows = np.ascontiguousarray(landmarks.T)
    with numba_threads(n_jobs):
        _place_rows(D, W, weighted, rows, n_iter, Y, loss)
    return Y, loss


def place_points(
    D, Y_landmarks, init, *, weights=None, n_iter=50, n_jobs=None
) -> np.ndarray:
    """Place points by their distances from fixed landmarks.

    For each new point, alone, lowers ``sum_l w_l (|y - Y_l| - D_l)^2`` by the steps
    ``y <- sum_l w_l [Y_l + D_l (y - Y_l) / |y - Y_l|] / sum_l w_l``, none of which
    raises it. A landmark on which the point lies exerts no push.

    Parameters
    ----------
    D : array-like of shape (n_new, n_landmarks)
        Non-negative distances of the new points from the landmarks; float32 or
        float64, never written to.
    Y_landmarks : array-like of shape (n_landmarks, n_components)
        Coordinates of the landmarks.
    init : array-like of shape (n_new, n_components)
        Where the new points start. They reach a local minimum near it.
    weights : array-like of shape (n_new, n_landmarks) or None, default=None
        Non-negative weights w; None weighs all landmarks alike.
    n_iter : int, default=50
        Largest number of steps of a point; it stops earlier when it rests to
        rounding precision.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Points are independent and the
        result does not depend on it.

    Returns
    -------
    ndarray of shape (n_new, n_components)
        Coordinates of the new points, float64.

    Raises
    ------
    ValueError
        If the shapes do not match, an entry is not finite, a distance or a
        weight is negative, or a point has no positive weight.

    References
    ----------
    .. [1] J. de Leeuw, "Applications of convex analysis to multidimensional
       scaling", Recent Developments in Statistics, 1977.

    Examples
    --------
    >>> from geolearn.optimize import place_points
    >>> landmarks = [[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]]
    >>> place_points([[3.0, 3.0, 2.0]], landmarks, [[1.0, 1.0]], n_iter=500).round(6)
    array([[1.929274, 2.257947]])
    """
    return placement(
        D, Y_landmarks, init, weights=weights, n_iter=n_iter, n_jobs=n_jobs
    )[0]
