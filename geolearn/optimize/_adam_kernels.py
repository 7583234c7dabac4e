"""One step of Riemannian Adam on products of spaces of constant curvature.

A row of the points is the concatenation of its components: columns start[c] to
stop[c] belong to a space of curvature[c], a hyperboloid, flat space or a sphere.
"""

import math

from numba import prange

from geolearn.utils._jit import kernel

_SMALL = 1e-4  # below, the next term of the series of sin(s) / s is below eps


@kernel
def _sinhc(s):
    return math.sinh(s) / s if s > _SMALL else 1.0 + s * s / 6.0


@kernel
def _sinc(s):
    return math.sin(s) / s if s > _SMALL else 1.0 - s * s / 6.0


@kernel
def _square(X, G, i, start, stop, curvature):
    """Return the squared length of the tangent vector G[i] at X[i].

    On the hyperboloid through the coordinates at the origin: the Lorentz product
    of large vectors cancels.
    """
    total = 0.0
    if curvature >= 0.0:
        for k in range(start, stop):
            total += G[i, k] * G[i, k]
        return total
    square = 0.0
    along = 0.0
    for k in range(start + 1, stop):
        square += X[i, k] * X[i, k]
        along += X[i, k] * G[i, k]
    time = math.sqrt(1.0 - curvature * square)
    factor = -curvature * along / (time * (1.0 + time))
    for k in range(start + 1, stop):
        w = G[i, k] - factor * X[i, k]
        total += w * w
    return total


@kernel
def _restore_hyperboloid(X, M, i, start, stop, curvature):
    """Recompute the time coordinates of a point and of a vector tangent at it."""
    square = 0.0
    along = 0.0
    for k in range(start + 1, stop):
        square += X[i, k] * X[i, k]
        along += X[i, k] * M[i, k]
    X[i, start] = math.sqrt(square - 1.0 / curvature)
    M[i, start] = along / X[i, start]


@kernel
def _restore_sphere(X, M, i, start, stop, curvature):
    """Put a point back on the sphere and a vector into the tangent space there."""
    square = 0.0
    along = 0.0
    for k in range(start, stop):
        square += X[i, k] * X[i, k]
        along += X[i, k] * M[i, k]
    scale = 1.0 / math.sqrt(curvature * square)
    for k in range(start, stop):
        M[i, k] -= along / square * X[i, k]
        X[i, k] *= scale


@kernel
def _move(X, M, i, start, stop, curvature, c):
    """Move X[i] to exp(-c M[i]) and transport M[i] along that geodesic.

    The vector is parallel to the velocity, so that its transport is the rotation,
    hyperbolic or circular, of the plane that it spans with the point.
    """
    if curvature == 0.0:
        for k in range(start, stop):
            X[i, k] -= c * M[i, k]
        return
    square = _square(X, M, i, start, stop, curvature)
    s = c * math.sqrt(abs(curvature) * square)
    if curvature < 0.0:
        along, across = math.cosh(s), c * _sinhc(s)
    else:
        along, across = math.cos(s), c * _sinc(s)
    turn = curvature * square * across
    for k in range(start, stop):
        x, m = X[i, k], M[i, k]
        X[i, k] = along * x - across * m
        M[i, k] = along * m + turn * x
    if curvature < 0.0:
        _restore_hyperboloid(X, M, i, start, stop, curvature)
    else:
        _restore_sphere(X, M, i, start, stop, curvature)


@kernel(parallel=True)
def step(X, G, M, V, largest, components, numbers, amsgrad):
    """Move all rows of X in place and bring the moments M, V and largest up to date.

    Row c of `components` holds first column, last column + 1, curvature and scale;
    `numbers` are the step size over the bias of the first moment, beta_1, beta_2,
    the bias of the second moment, and epsilon.
    """
    rate, beta1, beta2, bias, epsilon = numbers
    for i in prange(X.shape[0]):
        for c in range(components.shape[0]):
            start = int(components[c, 0])
            stop = int(components[c, 1])
            curvature = components[c, 2]
            square = components[c, 3] * _square(X, G, i, start, stop, curvature)
            V[i, c] = beta2 * V[i, c] + (1.0 - beta2) * square
            second = V[i, c]
            if amsgrad:
                largest[i, c] = max(largest[i, c], second)
                second = largest[i, c]
            for k in range(start, stop):
                M[i, k] = beta1 * M[i, k] + (1.0 - beta1) * G[i, k]
            size = rate / (math.sqrt(second / bias) + epsilon)
            _move(X, M, i, start, stop, curvature, size)
