"""Loss of product-space embeddings and its Riemannian gradient.

The loss is the sum over pairs of |d(x_i, x_j)^2 / D_ij^2 - 1|, d^2 the sum over the
components c of R_c^2 delta_c^2, delta_c the distance in the unit model. Kernels take
the points twice, as `prepare` makes them: unit coordinates U, and for hyperbolic
components the direction N of the spatial part, with its length in the first column.
Then q = sinh(delta / 2)^2 is a sum of two positive terms,

    q = (rho - sigma)^2 / (2 (1 + x_0 y_0 + rho sigma)) + rho sigma |n - m|^2 / 4,

without transcendental functions and without cancellation. The gradient of d^2 at x
is -2 log_x(y), and the logarithm in the unit model, with f = delta / sinh(delta) or
delta / sin(delta) and h = cosh(delta) - 1 or cos(delta) - 1, is f (y - x - h x).
"""

import math

import numpy as np
from numba import prange

from geolearn.utils._jit import kernel

# The pairs of the full loss are summed in this many parts, whatever the number of
# threads, so that the sums are always the same.
N_PARTS = 32

# Half the chord between a point and the antipode of the other below which there is
# no direction.
_ANTIPODAL = 1e-12


@kernel
def prepare(X, components, U, N):
    """Fill U and N from points; time coordinates are recomputed."""
    for i in range(X.shape[0]):
        for c in range(components.shape[0]):
            start = int(components[c, 0])
            stop = int(components[c, 1])
            curvature = components[c, 2]
            root = math.sqrt(abs(curvature)) if curvature != 0.0 else 1.0
            square = 0.0
            for k in range(start, stop):
                U[i, k] = root * X[i, k]
                if k > start:
                    square += U[i, k] * U[i, k]
            if curvature < 0.0:
                rho = math.sqrt(square)
                U[i, start] = math.sqrt(1.0 + square)
                N[i, start] = rho
                for k in range(start + 1, stop):
                    N[i, k] = U[i, k] / rho if rho > 0.0 else 0.0


@kernel
def _hyperbolic(U, N, i, V, M, j, start, stop):
    """Return delta^2, f and h of one component."""
    rho = N[i, start]
    sigma = M[j, start]
    apart = 0.0
    for k in range(start + 1, stop):
        apart += (N[i, k] - M[j, k]) * (N[i, k] - M[j, k])
    product = rho * sigma
    radial = (rho - sigma) * (rho - sigma)
    q = radial / (2.0 * (1.0 + U[i, start] * V[j, start] + product))
    q += 0.25 * product * apart
    half_sinh = math.sqrt(q * (1.0 + q))  # sinh(delta) / 2
    delta = math.log1p(2.0 * (q + half_sinh))
    factor = 0.5 * delta / half_sinh if half_sinh > 0.0 else 1.0
    return delta * delta, factor, 2.0 * q


@kernel
def _spherical(U, i, V, j, start, stop):
    """Return delta^2, f and h of one component; f = 0 at antipodes."""
    chord = 0.0
    cochord = 0.0
    for k in range(start, stop):
        chord += (U[i, k] - V[j, k]) * (U[i, k] - V[j, k])
        cochord += (U[i, k] + V[j, k]) * (U[i, k] + V[j, k])
    apart = math.sqrt(chord)
    together = math.sqrt(cochord)
    delta = 2.0 * math.atan2(apart, together)
    factor = 1.0
    if together <= _ANTIPODAL:
        factor = 0.0
    elif apart > 0.0:
        factor = 2.0 * delta / (apart * together)
    return delta * delta, factor, -0.5 * chord


@kernel
def _pair(U, N, i, V, M, j, components, work):
    """Return d^2 of two points; fill work with f and h of each component."""
    total = 0.0
    for c in range(components.shape[0]):
        start = int(components[c, 0])
        stop = int(components[c, 1])
        curvature = components[c, 2]
        if curvature < 0.0:
            square, work[c, 0], work[c, 1] = _hyperbolic(U, N, i, V, M, j, start, stop)
            total -= square / curvature
        elif curvature > 0.0:
            square, work[c, 0], work[c, 1] = _spherical(U, i, V, j, start, stop)
            total += square / curvature
        else:
            for k in range(start, stop):
                total += (U[i, k] - V[j, k]) * (U[i, k] - V[j, k])
            work[c, 0] = 1.0
            work[c, 1] = 0.0
    return total


@kernel
def _pull(G, i, U, V, j, components, work, size):
    """Add size times the unit logarithm at U[i] of V[j] to G[i]; U[i] may follow G."""
    for c in range(components.shape[0]):
        s = size * work[c, 0]
        h = 1.0 + work[c, 1]
        for k in range(int(components[c, 0]), int(components[c, 1])):
            if h == 1.0:
                G[i, k] += s * (V[j, k] - U[i, k])
            else:
                G[i, k] += s * ((V[j, k] - U[i, k]) - work[c, 1] * U[i, k])


@kernel
def _finish(G, U, i, components):
    """Scale a sum of unit logarithms to the component's radius; make it tangent."""
    for c in range(components.shape[0]):
        start = int(components[c, 0])
        stop = int(components[c, 1])
        curvature = components[c, 2]
        if curvature == 0.0:
            continue
        radius = 1.0 / math.sqrt(abs(curvature))
        along = 0.0
        for k in range(start, stop):
            G[i, k] *= radius
            if curvature > 0.0 or k > start:
                along += U[i, k] * G[i, k]
        if curvature < 0.0:
            G[i, start] = along / U[i, start]
        else:
            for k in range(start, stop):
                G[i, k] -= along * U[i, k]


@kernel
def _inverse_square(d, scale):
    """Return (scale / d)^2, or 0 for a distance that counts for nothing."""
    if d > 0.0 and d < np.inf:
        return (scale / d) * (scale / d)
    return 0.0


@kernel(parallel=True)
def full_loss(U, N, D, scale, components, losses, sums, G):
    """Fill G with the gradient and losses[b] with the loss of the b-th part."""
    n = U.shape[0]
    for b in prange(N_PARTS):
        work = np.empty((components.shape[0], 2))
        part = sums[b]
        part[:] = 0.0
        loss = 0.0
        for i in range(np.intp(b), n, N_PARTS):
            for j in range(i + 1, n):
                weight = _inverse_square(D[i, j], scale)
                if weight > 0.0:
                    square = _pair(U, N, i, U, N, j, components, work)
                    error = square * weight - 1.0
                    loss += abs(error)
                    size = -2.0 * weight * np.sign(error)
                    _pull(part, i, U, U, j, components, work, size)
                    _pull(part, j, U, U, i, components, work, size)
        losses[b] = loss
    for i in prange(n):
        for k in range(U.shape[1]):
            total = 0.0
            for b in range(N_PARTS):
                total += sums[b, i, k]
            G[i, k] = total
        _finish(G, U, i, components)


@kernel(parallel=True)
def cross_loss(U, N, V, M, D, scale, components, losses, G):
    """Fill row i with loss and gradient of new point i among fixed points V."""
    for i in prange(U.shape[0]):
        work = np.empty((components.shape[0], 2))
        losses[i] = 0.0
        G[i] = 0.0
        for j in range(V.shape[0]):
            weight = _inverse_square(D[i, j], scale)
            if weight > 0.0:
                square = _pair(U, N, i, V, M, j, components, work)
                error = square * weight - 1.0
                losses[i] += abs(error)
                size = -2.0 * weight * np.sign(error)
                _pull(G, i, U, V, j, components, work, size)
        _finish(G, U, i, components)


@kernel(parallel=True)
def sampled_loss(U, N, D, scale, components, near, draws, losses, G):
    """Fill row i with estimates of its part of the loss, and of its gradient.

    The pairs with near[i] count once, the other pairs among draws[i], each column
    drawn with equal probability, n over the number of draws times. Loss of row i:
    half of that of its pairs, so that rows add up to the loss.
    """
    n = U.shape[0]
    n_near = near.shape[1]
    for i in prange(n):
        work = np.empty((components.shape[0], 2))
        losses[i] = 0.0
        G[i] = 0.0
        for a in range(n_near + draws.shape[1]):
            share = 1.0
            j = near[i, a] if a < n_near else draws[i, a - n_near]
            if a >= n_near:
                share = n / draws.shape[1]
                for e in range(n_near):
                    if near[i, e] == j:
                        share = 0.0
            weight = _inverse_square(D[i, j], scale)
            if weight > 0.0 and share > 0.0 and j != i:
                square = _pair(U, N, i, U, N, j, components, work)
                error = square * weight - 1.0
                losses[i] += 0.5 * share * abs(error)
                size = -2.0 * share * weight * np.sign(error)
                _pull(G, i, U, U, j, components, work, size)
        _finish(G, U, i, components)


@kernel(parallel=True)
def distortions(U, N, D, scale, components, sums, counts):
    """Fill sums[i], counts[i] with |d / D - 1| over the pairs (i, j), j > i."""
    n = U.shape[0]
    for i in prange(n):
        work = np.empty((components.shape[0], 2))
        sums[i] = 0.0
        counts[i] = 0
        for j in range(np.intp(i) + 1, n):
            weight = _inverse_square(D[i, j], scale)
            if weight > 0.0:
                square = _pair(U, N, i, U, N, j, components, work)
                sums[i] += abs(math.sqrt(square * weight) - 1.0)
                counts[i] += 1
