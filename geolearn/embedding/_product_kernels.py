"""Loss of product-space embeddings and its Riemannian gradient.

The loss is the sum over pairs of |d(x_i, x_j)^2 / D_ij^2 - 1|, d^2 the sum over the
components c of R_c^2 delta_c^2, delta_c the distance in the unit model. Kernels take
the points as `prepare` makes them: unit coordinates U, and for hyperbolic components
the direction N of the spatial part, with its length in the first column. Then
q = sinh(delta / 2)^2 is a sum of two positive terms,

    q = (rho - sigma)^2 / (2 (1 + x_0 y_0 + rho sigma)) + rho sigma |n - m|^2 / 4,

without transcendental functions and without cancellation. The gradient of d^2 at x
is -2 log_x(y), and the logarithm in the unit model, with f = delta / sinh(delta) or
delta / sin(delta) and h = cosh(delta) - 1 or cos(delta) - 1, is f (y - x - h x).

One point x of direction n meets many at a time, the columns of V and M from a on:
loops over contiguous points become vector instructions.
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

_LARGE = 1e17  # to which adding 1 changes nothing

_BLOCK = 64  # points whose parts of the gradient are added up together


@kernel
def prepare(X, components, U, N):
    """Fill rows of U and N from points; time coordinates are recomputed."""
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
def _add_square(x, y, out):
    """Add (x - y)^2 to out."""
    for j in range(out.shape[0]):
        out[j] += (x - y[j]) * (x - y[j])


@kernel
def _log1p(values):
    """Replace non-negative values by log(1 + value).

    The logarithm of the rounded sum, and the first order of what was rounded off:
    exact to two units in the last place, and a third of the time of math.log1p.
    """
    for j in range(values.shape[0]):
        total = 1.0 + values[j]
        lost = (values[j] - (total - 1.0)) / total if total < _LARGE else 0.0
        values[j] = math.log(total) + lost


@kernel
def _hyperbolic(x, n, V, M, a, start, stop, delta, f, h):
    """Fill delta, f and h of one component."""
    rho, time = n[start], x[start]
    times, lengths = V[start, a:], M[start, a:]
    h[:] = 0.0
    for k in range(start + 1, stop):
        _add_square(n[k], M[k, a:], h)
    for j in range(h.shape[0]):
        sigma = lengths[j]
        product = rho * sigma
        radial = (rho - sigma) * (rho - sigma)
        q = radial / (2.0 * (1.0 + time * times[j] + product))
        q += 0.25 * product * h[j]
        f[j] = math.sqrt(q * (1.0 + q))  # sinh(delta) / 2
        h[j] = 2.0 * q
        delta[j] = 2.0 * (q + f[j])
    _log1p(delta)
    for j in range(h.shape[0]):
        f[j] = 0.5 * delta[j] / f[j] if f[j] > 0.0 else 1.0


@kernel
def _spherical(x, V, a, start, stop, delta, f, h):
    """Fill delta, f and h of one component; f = 0 at antipodes."""
    h[:] = 0.0
    f[:] = 0.0
    for k in range(start, stop):
        _add_square(x[k], V[k, a:], h)
        _add_square(-x[k], V[k, a:], f)
    for j in range(h.shape[0]):
        delta[j] = math.sqrt(h[j] / f[j]) if f[j] > 0.0 else np.inf  # tan(delta / 2)
    for j in range(h.shape[0]):  # alone: a call, which would keep the rest scalar
        delta[j] = 2.0 * math.atan(delta[j])
    for j in range(h.shape[0]):
        both = math.sqrt(h[j]) * math.sqrt(f[j])  # 2 sin(delta)
        if f[j] <= _ANTIPODAL * _ANTIPODAL:
            f[j] = 0.0
        else:
            f[j] = 2.0 * delta[j] / both if both > 0.0 else 1.0
        h[j] *= -0.5


@kernel
def _meet(x, n, V, M, a, components, squares, delta, f, h):
    """Fill squares with d^2 of x and others; rows c of f and h for component c."""
    squares[:] = 0.0
    for c in range(components.shape[0]):
        start = int(components[c, 0])
        stop = int(components[c, 1])
        curvature = components[c, 2]
        if curvature == 0.0:
            for k in range(start, stop):
                _add_square(x[k], V[k, a:], squares)
            f[c] = 1.0
            h[c] = 0.0
            continue
        if curvature < 0.0:
            _hyperbolic(x, n, V, M, a, start, stop, delta, f[c, a:], h[c, a:])
        else:
            _spherical(x, V, a, start, stop, delta, f[c, a:], h[c, a:])
        scale = 1.0 / abs(curvature)
        for j in range(delta.shape[0]):
            squares[j] += scale * (delta[j] * delta[j])


@kernel
def _weigh(d, scale, weights):
    """Fill weights with (scale / d)^2, or 0 for a distance that counts for nothing."""
    for j in range(weights.shape[0]):
        ratio = scale / d[j] if d[j] > 0.0 else 0.0
        weights[j] = ratio * ratio if d[j] < np.inf else 0.0


@kernel
def _judge(squares, weights, sizes):
    """Turn squares into losses of pairs; fill sizes with the factor of logarithms."""
    for j in range(squares.shape[0]):
        w = weights[j]
        error = squares[j] * w - 1.0
        sign = 1.0 if error > 0.0 else 0.0
        sign = -1.0 if error < 0.0 else sign
        sizes[j] = -2.0 * w * sign
        squares[j] = abs(error) if w > 0.0 else 0.0


@kernel(fastmath={"reassoc"})
def _sum(values):
    """Return the sum."""
    total = 0.0
    for j in range(values.shape[0]):
        total += values[j]
    return total


@kernel(fastmath={"reassoc"})
def _dot(sizes, others):
    """Return the sum of products."""
    total = 0.0
    for j in range(sizes.shape[0]):
        total += sizes[j] * others[j]
    return total


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
def _pull(x, V, a, components, sizes, away, f, h, out):
    """Add the sum of sizes times the logarithms at x to out; f is multiplied."""
    for c in range(components.shape[0]):
        forces, bends = f[c, a:], h[c, a:]
        for j in range(forces.shape[0]):
            forces[j] *= sizes[j]
        for k in range(int(components[c, 0]), int(components[c, 1])):
            y = V[k, a:]
            for j in range(forces.shape[0]):
                away[j] = (y[j] - x[k]) - bends[j] * x[k]
            out[k] += _dot(forces, away)


@kernel
def _push(x, V, a, components, f, h, out):
    """Add the logarithms at the others of x, as `_pull` left f, to columns of out."""
    for c in range(components.shape[0]):
        forces, bends = f[c, a:], h[c, a:]
        for k in range(int(components[c, 0]), int(components[c, 1])):
            y, pushed = V[k, a:], out[k, a:]
            for j in range(forces.shape[0]):
                pushed[j] += forces[j] * ((x[k] - y[j]) - bends[j] * y[j])


@kernel
def _part_of_full(b, U, N, V, M, D, scale, components, part):
    """Fill the b-th part of the gradient and return that of the loss."""
    n = U.shape[0]
    f = np.empty((components.shape[0], n))
    h = np.empty(f.shape)
    work = np.empty((4, n))
    pulled = np.empty(U.shape[1])
    part[:] = 0.0
    loss = 0.0
    for i in range(b, n, N_PARTS):
        a = i + 1
        squares, delta = work[0, a:], work[1, a:]
        weights, sizes = work[2, a:], work[3, a:]
        _meet(U[i], N[i], V, M, a, components, squares, delta, f, h)
        _weigh(D[i, a:], scale, weights)
        _judge(squares, weights, sizes)
        loss += _sum(squares)
        pulled[:] = 0.0
        _pull(U[i], V, a, components, sizes, delta, f, h, pulled)
        _push(U[i], V, a, components, f, h, part)
        for k in range(pulled.shape[0]):
            part[k, i] += pulled[k]
    return loss


@kernel
def _add_parts(sums, first, U, components, G):
    """Fill a block of rows of G with the gradient, from its parts."""
    last = min(first + _BLOCK, U.shape[0])
    total = np.empty(last - first)
    for k in range(U.shape[1]):
        total[:] = 0.0
        for b in range(sums.shape[0]):
            part = sums[b, k, first:last]
            for j in range(total.shape[0]):
                total[j] += part[j]
        for j in range(total.shape[0]):
            G[first + j, k] = total[j]
    for i in range(first, last):
        _finish(G, U, i, components)


@kernel(parallel=True)
def full_loss(U, N, V, M, D, scale, components, losses, sums, G):
    """Fill G with the gradient and losses[b] with the loss of the b-th part.

    V and M are U and N transposed; sums is of shape (N_PARTS, n_columns, n).
    """
    for b in prange(N_PARTS):
        losses[b] = _part_of_full(np.intp(b), U, N, V, M, D, scale, components, sums[b])
    for block in prange((U.shape[0] + _BLOCK - 1) // _BLOCK):
        _add_parts(sums, np.intp(block) * _BLOCK, U, components, G)


@kernel
def _cross_row(i, U, N, V, M, D, scale, components):
    """Return the loss of new point i among fixed points."""
    f = np.empty((components.shape[0], V.shape[1]))
    h = np.empty(f.shape)
    work = np.empty((4, V.shape[1]))
    squares, delta, weights, sizes = work[0], work[1], work[2], work[3]
    _meet(U[i], N[i], V, M, 0, components, squares, delta, f, h)
    _weigh(D[i], scale, weights)
    _judge(squares, weights, sizes)
    return _sum(squares)


@kernel(parallel=True)
def cross_loss(U, N, V, M, D, scale, components, losses):
    """Fill losses with those of new points among fixed ones, columns of V and M."""
    for i in prange(U.shape[0]):
        losses[i] = _cross_row(np.intp(i), U, N, V, M, D, scale, components)


@kernel
def _gather(i, near, draws, U, N, D, V, M, d, shares):
    """Fill columns of V and M with a sample of points, d with their distances.

    The points near[i] have the share 1; draws that repeat them or i itself 0.
    """
    n_near, n_draws = near.shape[1], draws.shape[1]
    for a in range(n_near + n_draws):
        j = near[i, a] if a < n_near else draws[i, a - n_near]
        shares[a] = 1.0 if a < n_near else U.shape[0] / n_draws
        if a >= n_near:
            for e in range(n_near):
                if near[i, e] == j:
                    shares[a] = 0.0
        if j == i:
            shares[a] = 0.0
        d[a] = D[i, j]
        for k in range(U.shape[1]):
            V[k, a] = U[j, k]
            M[k, a] = N[j, k]


@kernel
def _sampled_row(i, U, N, D, scale, components, near, draws, G):
    """Fill row i of G with the estimate of the gradient and return that of the loss."""
    size = near.shape[1] + draws.shape[1]
    f = np.empty((components.shape[0], size))
    h = np.empty(f.shape)
    V = np.empty((U.shape[1], size))
    M = np.empty(V.shape)
    work = np.empty((6, size))
    squares, delta, weights, sizes = work[0], work[1], work[2], work[3]
    d, shares = work[4], work[5]
    _gather(i, near, draws, U, N, D, V, M, d, shares)
    _meet(U[i], N[i], V, M, 0, components, squares, delta, f, h)
    _weigh(d, scale, weights)
    _judge(squares, weights, sizes)
    for a in range(size):
        sizes[a] *= shares[a]
    G[i] = 0.0
    _pull(U[i], V, 0, components, sizes, delta, f, h, G[i])
    _finish(G, U, i, components)
    return 0.5 * _dot(shares, squares)


@kernel(parallel=True)
def sampled_loss(U, N, D, scale, components, near, draws, losses, G):
    """Fill row i with estimates of its part of the loss, and of its gradient.

    The pairs with near[i] count once, the other pairs among draws[i], each column
    drawn with equal probability, n over the number of draws times. Loss of row i:
    half of that of its pairs, so that rows add up to the loss.
    """
    for i in prange(U.shape[0]):
        losses[i] = _sampled_row(np.intp(i), U, N, D, scale, components, near, draws, G)


@kernel
def _distortion_row(i, U, N, V, M, D, scale, components):
    """Return the sum of |d / D - 1| over the pairs (i, j), j > i, and their number."""
    a, n = i + 1, U.shape[0]
    f = np.empty((components.shape[0], n))
    h = np.empty(f.shape)
    work = np.empty((3, n))
    squares, delta, weights = work[0, a:], work[1, a:], work[2, a:]
    _meet(U[i], N[i], V, M, a, components, squares, delta, f, h)
    _weigh(D[i, a:], scale, weights)
    total, count = 0.0, 0
    for j in range(weights.shape[0]):
        if weights[j] > 0.0:
            total += abs(math.sqrt(squares[j] * weights[j]) - 1.0)
            count += 1
    return total, count


@kernel(parallel=True)
def distortions(U, N, V, M, D, scale, components, sums, counts):
    """Fill sums[i], counts[i] with |d / D - 1| over the pairs (i, j), j > i.

    V and M are U and N transposed.
    """
    for i in prange(U.shape[0]):
        sums[i], counts[i] = _distortion_row(
            np.intp(i), U, N, V, M, D, scale, components
        )
