"""Stress majorisation (SMACOF), every row of an iteration at the same time.

Write V for the Laplacian of the weights, V_ij = -w_ij, V_ii = sum_j w_ij, and
B(Y) for the Laplacian of w_ij D_ij / |y_i - y_j| (0 where points coincide).
By the Cauchy-Schwarz inequality -D |z_i - z_j| <= -D <z_i - z_j, y_i - y_j> /
|y_i - y_j|, hence for all Z

    stress(Z) <= q(Z) = sum w D^2 + tr Z'VZ - 2 tr Z'B(Y)Y,  stress(Y) = q(Y).

Any Z with q(Z) <= q(Y) lowers the stress. With unit weights and centred Y the
minimum of q is Z = B(Y)Y / n. With general weights q is lowered by conjugate
gradients on VZ = B(Y)Y, started from Z = Y and preconditioned by diag(V): each
of their steps lowers q, however early they stop, so that no pseudo-inverse is
needed. (Updating all points at once by the single-point formula, Jacobi's
iteration, may raise q: only V <= 2 diag(V) holds. One point after the other is
safe but serial.) All sums over j are made row by row: the number of threads
does not change a bit.
"""

import numpy as np
from numba import prange

from geolearn.utils._jit import kernel
from geolearn.utils._threads import numba_threads

# Columns handled together; the buffers of a block stay in the first-level cache.
_BLOCK = 256

# Sums are split over vector lanes, which bounds their rounding no worse than
# one running sum; NaN and infinity keep their meaning.
_SUMS = {"reassoc", "contract"}

# The quadratic bound is minimised until its gradient has fallen by this factor
# or for this many conjugate gradient steps; more precision is lost again in
# the next majorisation.
_GRADIENT_FALL = 0.1
_MAX_CG = 20


@kernel(parallel=True, fastmath=_SUMS)
def _pull_rows(D, W, weighted, Y, tiny, pull, loss):
    """Fill pull = (B(Y) - V) Y and loss[i] = sum_j w_ij (|y_i - y_j| - D_ij)^2.

    Y and pull have shape (p, n).
    """
    p, n = Y.shape
    for i0 in prange(n):
        i = np.intp(i0)
        w = np.ones(_BLOCK)
        g = np.empty(_BLOCK)
        total = 0.0
        for c in range(p):
            pull[c, i] = 0.0
        for j in range(0, n, _BLOCK):
            m = min(_BLOCK, n - j)
            d = D[i, j : j + m]
            for k in range(m):
                g[k] = 0.0
            for c in range(p):
                yi = Y[c, i]
                yj = Y[c, j : j + m]
                for k in range(m):
                    g[k] += (yi - yj[k]) * (yi - yj[k])
            if weighted:
                w[:m] = W[i, j : j + m]
            inside = j <= i < j + m
            if inside:
                w[i - j] = 0.0  # whatever the diagonal of the weights holds
            for k in range(m):
                r = np.sqrt(g[k])
                total += w[k] * (r - d[k]) * (r - d[k])
                g[k] = w[k] * (d[k] / r - 1.0 if r > tiny else -1.0)
            if inside:
                w[i - j] = 1.0
            for c in range(p):
                yi = Y[c, i]
                yj = Y[c, j : j + m]
                s = 0.0
                for k in range(m):
                    s += g[k] * (yi - yj[k])
                pull[c, i] += s
        loss[i] = total


@kernel(parallel=True, fastmath=_SUMS)
def _laplacian_rows(W, Z, out):
    """Fill out = V Z for the Laplacian V of the weights; shapes (p, n)."""
    p, n = Z.shape
    for i0 in prange(n):
        i = np.intp(i0)
        for c in range(p):
            zi = Z[c, i]
            before = W[i, :i]
            z = Z[c, :i]
            s = 0.0
            for k in range(i):
                s += before[k] * (zi - z[k])
            after = W[i, i + 1 :]
            z = Z[c, i + 1 :]
            for k in range(n - i - 1):
                s += after[k] * (zi - z[k])
            out[c, i] = s


@kernel(parallel=True, fastmath=_SUMS)
def _degree_rows(W, out):
    """Fill out[i] with the sum of the weights of row i off the diagonal."""
    n = W.shape[0]
    for i0 in prange(n):
        i = np.intp(i0)
        s = 0.0
        for k in range(i):
            s += W[i, k]
        for k in range(i + 1, n):
            s += W[i, k]
        out[i] = s


def _degrees(W):
    out = np.empty(W.shape[0])
    _degree_rows(W, out)
    return out


def _solve_bound(W, degrees, pull):
    """Return the step X that lowers tr X'VX / 2 - tr X'pull by conjugate gradients.

    The rows of X, one for each coordinate, are independent systems.
    """
    step = np.zeros_like(pull)
    image = np.empty_like(pull)
    residual = pull.copy()
    scaled = residual / degrees
    energy = np.sum(residual * scaled, axis=1)
    goal = _GRADIENT_FALL**2 * energy
    direction = scaled.copy()
    for _ in range(_MAX_CG):
        active = energy > goal
        if not active.any():
            break
        _laplacian_rows(W, direction, image)
        curvature = np.sum(direction * image, axis=1)
        active &= curvature > 0.0
        length = np.divide(energy, curvature, out=np.zeros_like(energy), where=active)
        step += length[:, None] * direction
        residual -= length[:, None] * image
        scaled = residual / degrees
        before, energy = energy, np.sum(residual * scaled, axis=1)
        ratio = np.divide(energy, before, out=np.zeros_like(energy), where=active)
        direction = scaled + ratio[:, None] * direction
        direction[~active] = 0.0
        energy = np.where(active, energy, 0.0)
    return step


def raw_stress(D, W, Y, *, tiny, n_jobs=None):
    """Return sum_{i<j} w_ij (|y_i - y_j| - D_ij)^2 for Y of shape (n, p)."""
    Yt = np.ascontiguousarray(Y.T, dtype=np.float64)
    pull, loss = np.empty_like(Yt), np.empty(Yt.shape[1])
    with numba_threads(n_jobs):
        _pull_rows(D, D if W is None else W, W is not None, Yt, tiny, pull, loss)
    return 0.5 * float(loss.sum())


def smacof(D, W, Y, *, max_iter, tol, total, tiny, n_jobs=None, progress=None):
    """Lower the stress of `Y` until an iteration gains at most `tol * total`.

    Returns the layout (n, p), its stress, the number of steps and how much the
    last step gained, at most `tol * total` on convergence. The stress of a layout
    comes with the pass that computes the next one, so that each iteration reads
    `D` once (and `W` a few times more).
    """
    weighted = W is not None
    Yt = np.ascontiguousarray((Y - Y.mean(axis=0)).T, dtype=np.float64)
    pull, loss = np.empty_like(Yt), np.empty(Yt.shape[1])
    previous = np.inf
    with numba_threads(n_jobs):
        degrees = _degrees(W) if weighted else float(Yt.shape[1])
        for iteration in range(max_iter + 1):
            _pull_rows(D, W if weighted else D, weighted, Yt, tiny, pull, loss)
            stress = 0.5 * float(loss.sum())
            if progress is not None:
                progress("SMACOF %d: stress %.8g", iteration, stress, level=2)
            gain, previous = previous - stress, stress
            if gain <= tol * total or iteration == max_iter:
                break
            Yt += _solve_bound(W, degrees, pull) if weighted else pull / degrees
    return Yt.T.copy(), stress, iteration, gain
