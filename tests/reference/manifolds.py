"""Manifold formulas from the textbook, in arithmetic of 50 digits.

They take the doubles that the library takes as exact numbers, so that what they
return is the truth for that input. Points are lists of mpmath numbers.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 50


def exact(x):
    """Return the doubles of an array as mpmath numbers."""
    return [mp.mpf(float(value)) for value in np.ravel(x)]


def dot(x, y):
    return mp.fsum(a * b for a, b in zip(x, y, strict=True))


def norm(x):
    return mp.sqrt(dot(x, x))


def doubles(x):
    return np.array([float(value) for value in x])


# Sphere: angles between directions, so that rounded norms do not matter.


def sphere_dist(x, y, radius=1.0):
    x, y = exact(x), exact(y)
    cosine = dot(x, y) / (norm(x) * norm(y))
    return mp.mpf(radius) * mp.acos(max(min(cosine, mp.mpf(1)), mp.mpf(-1)))


def sphere_log(x, y):
    """Return the logarithm on the unit sphere as doubles."""
    x, y = exact(x), exact(y)
    x = [a / norm(x) for a in x]
    y = [b / norm(y) for b in y]
    cosine = dot(x, y)
    angle = mp.acos(cosine)
    return [angle / mp.sin(angle) * (b - cosine * a) for a, b in zip(x, y, strict=True)]


# Hyperboloid: the time coordinate follows from the spatial ones.


def lift(x, curvature=-1.0):
    space = exact(np.ravel(x)[1:])
    return [mp.sqrt(dot(space, space) - 1 / mp.mpf(curvature)), *space]


def lorentz(x, y):
    return dot(x[1:], y[1:]) - x[0] * y[0]


def hyperboloid_dist(x, y, curvature=-1.0):
    c = -mp.mpf(curvature)
    x, y = lift(x, curvature), lift(y, curvature)
    return mp.acosh(-c * lorentz(x, y)) / mp.sqrt(c)


def hyperboloid_log(x, y):
    """Return the logarithm at curvature -1."""
    x, y = lift(x), lift(y)
    cosh = -lorentz(x, y)
    ratio = mp.acosh(cosh) / mp.sqrt(cosh**2 - 1)
    return [ratio * (b - cosh * a) for a, b in zip(x, y, strict=True)]


def hyperboloid_transport(x, y, v):
    """Return the parallel vector at curvature -1; only space is read of each."""
    x, y, v = lift(x), lift(y), exact(v)
    v[0] = sum(a * b for a, b in zip(x[1:], v[1:], strict=True)) / x[0]
    factor = lorentz(y, v) / (1 - lorentz(x, y))
    return [c + factor * (a + b) for a, b, c in zip(x, y, v, strict=True)]


def hyperboloid_frame(x, v):
    """Return the coordinates of a vector transported from x to the origin."""
    x, v = lift(x), exact(v)
    along = sum(a * b for a, b in zip(x[1:], v[1:], strict=True))
    factor = along / (x[0] * (1 + x[0]))
    return [b - factor * a for a, b in zip(x[1:], v[1:], strict=True)]


def hyperboloid_pair(rng, dim, radius, distance):
    """Return doubles near two points `distance` apart, one at hyperbolic `radius`."""
    a = rng.standard_normal(dim)
    u = exact(a / np.linalg.norm(a))
    u = [value / norm(u) for value in u]
    x = [mp.cosh(radius), *(mp.sinh(radius) * value for value in u)]
    v = exact(rng.standard_normal(dim + 1))
    product = lorentz(x, v)
    v = [b + product * a for a, b in zip(x, v, strict=True)]
    length = mp.sqrt(lorentz(v, v))
    ratio = mp.sinh(distance) / length
    y = [mp.cosh(distance) * a + ratio * b for a, b in zip(x, v, strict=True)]
    x, y = doubles(x), doubles(y)
    for point in (x, y):
        point[0] = float(lift(point)[0])
    return x, y


# Poincaré ball.


def poincare_dist(x, y, curvature=-1.0):
    c = -mp.mpf(curvature)
    x, y = exact(x), exact(y)
    difference = [a - b for a, b in zip(x, y, strict=True)]
    gaps = (1 - c * dot(x, x)) * (1 - c * dot(y, y))
    return mp.acosh(1 + 2 * c * dot(difference, difference) / gaps) / mp.sqrt(c)


def poincare_log(x, y):
    """Return the logarithm at curvature -1, through the Möbius difference."""
    x, y = exact(x), exact(y)
    xx, yy, xy = dot(x, x), dot(y, y), -dot(x, y)
    denominator = 1 + 2 * xy + xx * yy
    w = [
        (-(1 + 2 * xy + yy) * a + (1 - xx) * b) / denominator
        for a, b in zip(x, y, strict=True)
    ]
    ratio = (1 - xx) * mp.atanh(norm(w)) / norm(w)
    return [ratio * value for value in w]
