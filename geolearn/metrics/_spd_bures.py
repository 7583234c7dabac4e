"""Bures-Wasserstein distances of pairs of matrices by index."""

import numpy as np

from geolearn.linalg import cholesky, congruence, eigh, recompose
from geolearn.linalg._tasks import run
from geolearn.metrics._spd_kernels import pencil_eigenvalues
from geolearn.metrics._spd_pairs import blocks
from geolearn.utils._threads import matrix_threads

__all__ = ["BuresSquares"]

_EPS = np.finfo(np.float64).eps
# Relative error of the squared distance up to which the trace formula is used: this,
# and 40 rounding units times the condition number.
_TOLERANCE = 1e-12
# Above it pairs take the stable form, whatever their condition number.
_LARGEST_TOLERANCE = 1e-9
# Below this part of the root of the trace the displacement form is more accurate than
# the polar factor, and above it as well if A B is well conditioned; it is also faster.
_NEAR = 1e-3
_WELL_CONDITIONED = 1e4


def _transposed(A):
    return np.swapaxes(A, -1, -2)


def square_roots(X, used, name):
    """Return G with G G^T = X[used], and which of them Cholesky can factor.

    Raises ValueError where an eigenvalue is negative beyond rounding.
    """
    X = X[used]
    G, status = cholesky(X)
    singular = np.flatnonzero(status)
    if singular.size:
        with matrix_threads(None):
            values, vectors = np.linalg.eigh(X[singular])
        n = X.shape[-1]
        bound = -n * _EPS * np.abs(values).max(axis=1)
        bad = np.flatnonzero(values[:, 0] < bound)
        if bad.size:
            raise ValueError(
                f"{name}: matrix {used[singular[bad[0]]]} is not positive semidefinite "
                f"(smallest eigenvalue {values[bad[0], 0]:.3g}); use estimator='oas' "
                "or 'lwf', shrinkage or ridge, or reduce order."
            )
        G[singular] = vectors * np.sqrt(np.maximum(values, 0.0))[:, None]
    return G, status == 0


def _displacements(A, B, L, n_jobs):
    # |X A^-1/2| with C X + X A = A^1/2 (B - A) A^1/2, C = (A^1/2 B A^1/2)^1/2,
    # in the eigenbases of C and A: nothing cancels for near matrices. Given factors
    # B = L L^T, singular values of L^T A^1/2 keep the digits of small ones in C.
    values, V = eigh(A, n_jobs=n_jobs)
    values = np.maximum(values, 0.0)
    root = recompose(np.sqrt(values), V, n_jobs=n_jobs)
    with matrix_threads(None):
        if L is None:
            squares, U = eigh(congruence(root, B, n_jobs=n_jobs), n_jobs=n_jobs)
            roots, Ut = np.sqrt(np.maximum(squares, 0.0)), _transposed(U)
        else:
            _, roots, Ut = np.linalg.svd(_transposed(L) @ root)
        R = Ut @ root @ (B - A) @ V
    total = roots[:, :, None] + values[:, None]
    return np.sum((R / np.where(total > 0.0, total, 1.0)) ** 2, axis=(-2, -1))


class BuresSquares:
    """Squared distances: by eigenvalues where they keep the digits, else stably."""

    def __init__(self, X, Y, names, n_jobs):
        self.X, self.Y, self.names, self.n_jobs = X, Y, names, n_jobs
        # W lower triangular with W^T W = X: the factor of X in reversed order.
        L, status = cholesky(X[:, ::-1, ::-1], n_jobs=n_jobs)
        W = _transposed(L)[:, ::-1, ::-1].copy()
        W[status > 0] = 0.0
        self._factored = status == 0
        self._inverses_and_matrices = np.concatenate([W, np.zeros_like(W)])
        self._traces = [np.trace(Z, axis1=1, axis2=2) for Z in (X, Y)]
        self._norms = [np.sqrt(np.sum(Z**2, axis=(1, 2))) for Z in (X, Y)]

    def __call__(self, a, b):
        """Return an array of shape (pairs,)."""
        n = self.X.shape[1]
        squares = np.empty((len(a), n))
        unused = np.empty((0, 0, 0))
        work = 3 * len(a) * n**3
        run(
            *(pencil_eigenvalues, self._inverses_and_matrices, a, self.Y, b),
            *(unused, squares, self.n_jobs, work),
        )
        smallest, largest = squares.min(axis=1), squares.max(axis=1)
        roots = np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares)
        values, good = self._from_roots(roots, smallest, largest, a, b)
        well = _WELL_CONDITIONED * smallest > largest
        for which, form in (
            (~good & well & self._factored[a], self._by_displacements),
            (~good & ~(well & self._factored[a]), self._by_polar_factors),
        ):
            others = np.flatnonzero(which)
            for part in blocks(len(others), n):
                r = others[part]
                values[r] = form(a[r], b[r])
        return values

    def _from_roots(self, roots, smallest, largest, a, b):
        n = roots.shape[1]
        traces = self._traces[0][a] + self._traces[1][b]
        values = traces - 2.0 * roots.sum(axis=1)
        # Rounding changes a squared root by some units of the product of the norms.
        error = self._norms[0][a] * self._norms[1][b] / n
        error = 4.0 * _EPS * np.maximum(error, largest)
        limit = np.sqrt(error)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = np.sum(error[:, None] / np.maximum(roots, limit[:, None]), axis=1)
            condition = np.sqrt(largest / smallest)
        total = total + 2.0 * np.sqrt(n) * _EPS * traces
        tolerance = np.minimum(_TOLERANCE + 40.0 * _EPS * condition, _LARGEST_TOLERANCE)
        good = (smallest > 0.0) & (total <= tolerance * values)
        return values, good & self._factored[a]

    def _by_displacements(self, a, b):
        return _displacements(self.X[a], self.Y[b], None, self.n_jobs)

    def _by_polar_factors(self, a, b):
        used_a, place_a = np.unique(a, return_inverse=True)
        used_b, place_b = np.unique(b, return_inverse=True)
        K, definite = square_roots(self.X, used_a, self.names[0])
        L, definite_too = square_roots(self.Y, used_b, self.names[1])
        K, L = K[place_a], L[place_b]
        A, B = self.X[a], self.Y[b]
        with matrix_threads(None):
            P, _, Qt = np.linalg.svd(_transposed(L) @ K)
            values = np.sum((K - L @ (P @ Qt)) ** 2, axis=(-2, -1))
        near = values < _NEAR**2 * self._traces[0][a]
        near &= definite[place_a] & definite_too[place_b]
        if near.any():
            values[near] = _displacements(A[near], B[near], L[near], self.n_jobs)
        values[(A == B).all(axis=(1, 2))] = 0.0
        return values
