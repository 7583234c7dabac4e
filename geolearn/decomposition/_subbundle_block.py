"""Leading eigenpairs of a covariance by iteration from a guess, and its resolvent.

Along a curve the subspace of one point is a good guess for the next. The covariance
of weighted rows B is B'B; it is formed while it is small, otherwise applied as two
products, so that no array of d x d numbers is needed for many features.
"""

import math

import numpy as np

from geolearn.utils._jit import kernel

GUARDS = 2  # columns beyond the rank, for speed and to know the next eigenvalue
_DENSE_FEATURES = 200  # up to it products with the d x d matrix are cheaper
_ITERATIONS = 60
_LANCZOS = 60
_TOLERANCE = 1e-12
_SWEEPS = 2  # of orthogonalisation: twice is enough
_LOST = 1e-8  # share of a column that survives a sweep, below which it is noise


@kernel
def covariance(B):
    """Return B'B, or an empty array where it is not formed."""
    if B.shape[1] <= _DENSE_FEATURES:
        return np.dot(B.T, B)
    return np.empty((0, 0))


@kernel
def _apply(S, B, V):
    """Return the covariance times the columns of V."""
    if S.shape[0] > 0:
        return np.dot(S, V)
    return np.dot(B.T, np.dot(B, V))


@kernel
def _copy(X, V):
    for i in range(V.shape[0]):
        for a in range(V.shape[1]):
            V[i, a] = X[i, a]


@kernel
def _refill(V, a):
    """Put a fixed irregular vector in column a."""
    for i in range(V.shape[0]):
        V[i, a] = math.sin(1.0 + 12.9898 * (i + 1) + 78.233 * (a + 1) * (i + 2))


@kernel
def orthonormalise(V):
    """Orthonormalise columns in place; a dependent one is replaced."""
    d, b = V.shape
    for a in range(b):
        for attempt in range(3):
            before = 0.0
            for i in range(d):
                before += V[i, a] * V[i, a]
            lost = not (0.0 < before < np.inf)
            if lost:
                _refill(V, a)
                continue
            scale = 1.0 / math.sqrt(before)
            for i in range(d):
                V[i, a] *= scale
            for _ in range(_SWEEPS):
                for c in range(a):
                    s = 0.0
                    for i in range(d):
                        s += V[i, c] * V[i, a]
                    for i in range(d):
                        V[i, a] -= s * V[i, c]
                after = 0.0
                for i in range(d):
                    after += V[i, a] * V[i, a]
                if after < _LOST * _LOST:
                    lost = True
                    break
                scale = 1.0 / math.sqrt(after)
                for i in range(d):
                    V[i, a] *= scale
            if not lost or attempt == 2:
                break
            _refill(V, a)


@kernel
def leading(eigenpairs, S, B, k, V, values):
    """Improve the columns of V to eigenvectors, decreasing; False if it fails.

    The first k columns are accurate, the guards beyond only roughly.
    """
    d, b = V.shape
    orthonormalise(V)
    U = np.empty((b, b))
    for _ in range(_ITERATIONS):
        W = _apply(S, B, V)
        T = np.dot(V.T, W)
        for a in range(b):
            for c in range(a + 1):
                if not math.isfinite(T[a, c]):
                    return False
                T[a, c] = T[c, a] = 0.5 * (T[a, c] + T[c, a])
        eigenpairs(T, values, U)
        X = np.dot(V, U)
        W = np.dot(W, U)
        worst = 0.0
        for a in range(k):
            s = 0.0
            for i in range(d):
                r = W[i, a] - values[a] * X[i, a]
                s += r * r
            worst = max(worst, math.sqrt(s))
        if worst <= _TOLERANCE * values[0]:
            _copy(X, V)
            return True
        _copy(W, V)
        orthonormalise(V)
    return False


@kernel
def _solve_shifted(diagonal, off, n, shift, right, y):
    """Solve (shift - T) y = right e_1 for the leading n x n part of tridiagonal T."""
    pivot = np.empty(n)
    pivot[0] = shift - diagonal[0]
    y[0] = right
    for i in range(1, n):
        if pivot[i - 1] == 0.0:
            return False
        ratio = -off[i - 1] / pivot[i - 1]
        pivot[i] = shift - diagonal[i] + ratio * off[i - 1]
        y[i] = -ratio * y[i - 1]
    if pivot[n - 1] == 0.0:
        return False
    y[n - 1] /= pivot[n - 1]
    for i in range(n - 2, -1, -1):
        y[i] = (y[i] + off[i] * y[i + 1]) / pivot[i]
    return True


@kernel
def _length(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i, 0] * x[i, 0]
    return math.sqrt(total)


@kernel
def _remove(Q, n, x):
    """Subtract from a column its part in the first n rows of Q, twice."""
    for _ in range(_SWEEPS):
        for c in range(n):
            s = 0.0
            for i in range(x.shape[0]):
                s += Q[c, i] * x[i, 0]
            for i in range(x.shape[0]):
                x[i, 0] -= s * Q[c, i]


@kernel
def resolvent(S, B, values, V, k, eta, G):
    """Fill column a of G with (lambda_a - S)^-1 of eta beyond the first k vectors.

    One Krylov space serves all shifts. False if it grows too large.
    """
    d = eta.shape[0]
    most = min(_LANCZOS, d - k)
    Q = np.empty((k + most + 1, d))
    for a in range(k):
        for i in range(d):
            Q[a, i] = V[i, a]
    x = np.empty((d, 1))
    for i in range(d):
        x[i, 0] = eta[i]
        for a in range(k):
            G[i, a] = 0.0
    before = _length(x)
    _remove(Q, k, x)
    beta = _length(x)
    if beta <= 1e-15 * before:
        return True
    diagonal, off, y = np.empty(most), np.empty(most), np.empty(most)
    size = beta
    for n in range(1, most + 1):
        for i in range(d):
            Q[k + n - 1, i] = x[i, 0] / size
            x[i, 0] = Q[k + n - 1, i]
        x = _apply(S, B, x)
        diagonal[n - 1] = 0.0
        for i in range(d):
            diagonal[n - 1] += x[i, 0] * Q[k + n - 1, i]
        _remove(Q, k + n, x)
        off[n - 1] = size = _length(x)
        if not _solve_shifted(diagonal, off, n, values[k - 1], 1.0, y):
            return False
        if off[n - 1] * abs(y[n - 1]) <= _TOLERANCE or n == d - k:
            for a in range(k):
                _solve_shifted(diagonal, off, n, values[a], beta, y)
                for j in range(n):
                    for i in range(d):
                        G[i, a] += y[j] * Q[k + j, i]
            return True
        if not size > 0.0:
            return False
    return False
