r"""Reflection coefficients of block-Toeplitz matrices, and back.

Let x_0, x_1, ... be a stationary series with lagged covariances
:math:`\Gamma(k) = E[x_{t+k} x_t^\top]`. The step l of the recursion keeps the
coefficients a that predict x_0 from x_1, ..., x_l, those b that predict x_{l+1} from
the same, and the covariances F and K of the two errors. The errors' covariance D is
the one number that the next Gamma adds; its normalised form
:math:`\Omega = F^{-1/2} D K^{-1/2}` has singular values below one if and only if
the matrix is positive definite, whatever the earlier values were.
"""

import numpy as np

from geolearn import linalg

__all__ = ["blocks_to_matrix", "from_reflections", "matrix_to_blocks", "to_reflections"]


def _transpose(A):
    return np.swapaxes(A, -1, -2)


def matrix_to_blocks(X, p, d):
    """Return the means over the block diagonals, Gamma(0), ..., Gamma(p - 1).

    Parameters
    ----------
    X : ndarray of shape (..., p * d, p * d)
        Matrices; block (i, j) estimates Gamma(i - j).
    p, d : int
        Number of blocks, and their size.

    Returns
    -------
    ndarray of shape (..., p, d, d)
        Blocks; Gamma(0) is symmetric.
    """
    B = X.reshape(*X.shape[:-2], p, d, p, d)
    blocks = np.empty((*X.shape[:-2], p, d, d))
    for k in range(p):
        below = sum(B[..., j + k, :, j, :] for j in range(p - k))
        above = sum(B[..., j, :, j + k, :] for j in range(p - k))
        blocks[..., k, :, :] = (below + _transpose(above)) / (2.0 * (p - k))
    return blocks


def blocks_to_matrix(blocks):
    """Return the matrices of given blocks; undo `matrix_to_blocks`."""
    p, d = blocks.shape[-3], blocks.shape[-1]
    X = np.empty((*blocks.shape[:-3], p, d, p, d))
    for i in range(p):
        for j in range(i + 1):
            X[..., i, :, j, :] = blocks[..., i - j, :, :]
            X[..., j, :, i, :] = _transpose(blocks[..., i - j, :, :])
    return X.reshape(*blocks.shape[:-3], p * d, p * d)


class _Root:
    """The symmetric square root of covariances, its inverse and its derivative."""

    def __init__(self, A, derivative=None):
        values, self.vectors = linalg.eigh(A)
        self.valid = values[..., 0] > A.shape[-1] * 2.0**-52 * values[..., -1]
        # Invalid matrices go on as the identity, so that nothing breaks.
        self.roots = np.sqrt(np.where(self.valid[..., None], values, 1.0))
        self.root = self._compose(self.roots)
        self.inverse = self._compose(1.0 / self.roots)
        self.derivative = None
        if derivative is not None:
            V = self.vectors
            inner = _transpose(V) @ derivative @ V
            inner = inner / (self.roots[..., :, None] + self.roots[..., None, :])
            self.derivative = V @ inner @ _transpose(V)

    def _compose(self, values):
        return (self.vectors * values[..., None, :]) @ _transpose(self.vectors)


class _Predictors:
    """The coefficients of step l with the covariances of the errors."""

    def __init__(self, gamma0, moved=None):
        self.a, self.b = [], []
        self.da, self.db = [], []
        self.F = self.K = gamma0
        self.dF = self.dK = moved
        self.left = self.right = _Root(gamma0, moved)

    @property
    def valid(self):
        return self.left.valid & self.right.valid

    def predicted(self, blocks):
        """Return the part of the next Gamma^T that earlier ones determine."""
        lags = range(len(self.a) - 1, -1, -1)  # x_{j+1} to x_{l+1}: lag l - j
        return sum(self.a[j] @ _transpose(blocks[k]) for j, k in enumerate(lags))

    def predicted_derivative(self, blocks, moved):
        lags = range(len(self.a) - 1, -1, -1)
        return sum(
            self.da[j] @ _transpose(blocks[k]) + self.a[j] @ _transpose(moved[k])
            for j, k in enumerate(lags)
        )

    def update(self, D, omega, dD=None):
        """Add one sample to the predictors."""
        G, H = self.left, self.right
        last = G.root @ omega @ H.inverse
        first = H.root @ _transpose(omega) @ G.inverse
        if dD is not None:
            dlast = (dD - last @ self.dK) @ H.inverse @ H.inverse
            dfirst = (_transpose(dD) - first @ self.dF) @ G.inverse @ G.inverse
            self._update_derivatives(D, dD, last, first, dlast, dfirst)
        a, b = self.a, self.b
        self.a = [x - last @ y for x, y in zip(a, b, strict=True)] + [last]
        self.b = [first] + [y - first @ x for x, y in zip(a, b, strict=True)]
        eye = np.eye(omega.shape[-1])
        self.F = G.root @ (eye - omega @ _transpose(omega)) @ G.root
        self.K = H.root @ (eye - _transpose(omega) @ omega) @ H.root
        self.left, self.right = _Root(self.F, self.dF), _Root(self.K, self.dK)

    def _update_derivatives(self, D, dD, last, first, dlast, dfirst):
        pairs = list(zip(self.a, self.b, self.da, self.db, strict=True))
        self.da = [dx - dlast @ y - last @ dy for x, y, dx, dy in pairs] + [dlast]
        self.db = [dfirst] + [dy - dfirst @ x - first @ dx for x, y, dx, dy in pairs]
        dF = self.dF - dlast @ _transpose(D) - last @ _transpose(dD)
        dK = self.dK - dfirst @ D - first @ dD
        self.dF = 0.5 * (dF + _transpose(dF))
        self.dK = 0.5 * (dK + _transpose(dK))


def to_reflections(blocks, moved=None):
    """Return the reflection matrices of lagged covariances.

    Parameters
    ----------
    blocks : ndarray of shape (..., p, d, d)
        Gamma(0), ..., Gamma(p - 1).
    moved : ndarray of shape (..., p, d, d), default=None
        Derivatives of the blocks.

    Returns
    -------
    omega : ndarray of shape (..., p - 1, d, d)
        Reflection matrices.
    derivative : ndarray of shape (..., p - 1, d, d) or None
        Their derivatives.
    valid : ndarray of bool of shape (...)
        Whether the matrix is positive definite; the rest is meaningless elsewhere.
    """
    gamma = list(np.moveaxis(blocks, -3, 0))
    dgamma = None if moved is None else list(np.moveaxis(moved, -3, 0))
    state = _Predictors(gamma[0], None if dgamma is None else dgamma[0])
    valid = state.valid
    omegas, domegas = [], []
    for k in range(1, len(gamma)):
        G, H = state.left, state.right
        known = gamma[1:k]
        D = _transpose(gamma[k]) - state.predicted(known)
        omega = G.inverse @ D @ H.inverse
        dD = None
        if dgamma is not None:
            dD = _transpose(dgamma[k]) - state.predicted_derivative(known, dgamma[1:k])
            inner = dD - G.derivative @ omega @ H.root - G.root @ omega @ H.derivative
            domegas.append(G.inverse @ inner @ H.inverse)
        omegas.append(omega)
        if k + 1 < len(gamma):
            state.update(D, omega, dD)
            valid = valid & state.valid
        else:
            valid = valid & _inside(omega)
    omega = _stacked(omegas, blocks)
    derivative = None if dgamma is None else _stacked(domegas, moved)
    return omega, derivative, valid


def _inside(omega):
    """Tell which matrices have singular values below one."""
    left = np.eye(omega.shape[-1]) - omega @ _transpose(omega)
    return linalg.cholesky(left)[1] == 0


def from_reflections(gamma0, omega, dgamma0=None, domega=None):
    """Return the lagged covariances of reflection matrices; undo `to_reflections`.

    Parameters
    ----------
    gamma0 : ndarray of shape (..., d, d)
        Positive definite matrices.
    omega : ndarray of shape (..., p - 1, d, d)
        Reflection matrices.
    dgamma0 : ndarray of shape (..., d, d), default=None
        Derivatives of `gamma0`.
    domega : ndarray of shape (..., p - 1, d, d), default=None
        Derivatives of `omega`.

    Returns
    -------
    blocks : ndarray of shape (..., p, d, d)
        Gamma(0), ..., Gamma(p - 1).
    derivative : ndarray of shape (..., p, d, d) or None
        Their derivatives.
    """
    omegas = list(np.moveaxis(omega, -3, 0))
    gamma, dgamma = [gamma0], [dgamma0]
    state = _Predictors(gamma0, dgamma0)
    for k, reflection in enumerate(omegas):
        G, H = state.left, state.right
        D = G.root @ reflection @ H.root
        dD = None
        if dgamma0 is not None:
            dD = (
                G.derivative @ reflection @ H.root
                + G.root @ domega[..., k, :, :] @ H.root
                + G.root @ reflection @ H.derivative
            )
            known = state.predicted_derivative(gamma[1:], dgamma[1:])
            dgamma.append(_transpose(dD + known))
        gamma.append(_transpose(D + state.predicted(gamma[1:])))
        if k + 1 < len(omegas):
            state.update(D, reflection, dD)
    derivative = None if dgamma0 is None else _joined(dgamma)
    return _joined(gamma), derivative


def _joined(parts):
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    return np.stack([np.broadcast_to(part, shape) for part in parts], axis=-3)


def _stacked(parts, blocks):
    if parts:
        return _joined(parts)
    return np.zeros((*blocks.shape[:-3], 0, *blocks.shape[-2:]))
