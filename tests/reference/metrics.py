"""Slow distances from the mathematics: NumPy pair by pair, and 50 digits by mpmath."""

import mpmath
import numpy as np

DIGITS = 50


def euclidean(x, y):
    return np.linalg.norm(x - y)


def sphere(x, y, radius=1.0):
    # The angle between two vectors from the two sides of its right triangle.
    x, y = x / radius, y / radius
    return radius * np.arctan2(np.linalg.norm(y - (x @ y) * x), x @ y)


def hyperboloid(x, y, curvature=-1.0):
    root = np.sqrt(-curvature)
    return np.arccosh(max(root**2 * (x[0] * y[0] - x[1:] @ y[1:]), 1.0)) / root


def poincare(x, y, curvature=-1.0):
    # Through the Moebius difference: d = 2 artanh(|(-x) + y|), curvature -1.
    root = np.sqrt(-curvature)
    x, y = root * x, root * y
    top = (1 - 2 * x @ y + y @ y) * -x + (1 - x @ x) * y
    return (
        2 * np.arctanh(np.linalg.norm(top) / (1 - 2 * x @ y + x @ x * (y @ y))) / root
    )


def fisher_rao(x, y):
    return 2 * np.arccos(min(np.sqrt(x * y).sum(), 1.0))


def torus(x, y):
    shifts = 2 * np.pi * np.arange(-3, 4)
    return np.linalg.norm(np.abs((x - y)[:, None] + shifts).min(axis=1))


def product(x, y, factors, scales):
    total, start = 0.0, 0
    for (name, n_columns, params), scale in zip(factors, scales, strict=True):
        part = slice(start, start + n_columns)
        total += scale * globals()[name](x[part], y[part], **params) ** 2
        start += n_columns
    return np.sqrt(total)


def table(name, X, Y, params):
    distance = globals()[name]
    return np.array([[distance(x, y, **params) for y in Y] for x in X])


def neighbors(D, k, *, within):
    """Return the k smallest entries of each row, ties by index."""
    D = D.copy()
    if within:
        np.fill_diagonal(D, np.inf)
    order = np.argsort(D, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(D, order, axis=1), order


def rank_rows(table):
    """Return average ranks, one row after the other."""
    ranks = np.empty(table.shape)
    for i, row in enumerate(table):
        for j, value in enumerate(row):
            ranks[i, j] = np.sum(row < value) + (np.sum(row == value) + 1) / 2
    return ranks


def _mp(vector):
    return [mpmath.mpf(float(v)) for v in vector]


def _dot(a, b):
    return mpmath.fsum(p * q for p, q in zip(a, b, strict=True))


def exact(name, x, y, value=1.0):
    """Return the distance of the stored numbers to 50 digits as an mpf.

    For the sphere and the hyperboloid the rows are first put exactly on the surface:
    scaled to the radius, and with the time coordinate recomputed.
    """
    with mpmath.workdps(DIGITS):
        value = mpmath.mpf(value)
        x, y = _mp(x), _mp(y)
        if name == "sphere":
            a = [p / mpmath.sqrt(_dot(x, x)) for p in x]
            b = [p / mpmath.sqrt(_dot(y, y)) for p in y]
            chord = mpmath.sqrt(_dot(_minus(a, b), _minus(a, b)))
            return 2 * value * mpmath.asin(chord / 2)
        if name == "hyperboloid":
            a, b = x[1:], y[1:]
            x0 = mpmath.sqrt(-1 / value + _dot(a, a))
            y0 = mpmath.sqrt(-1 / value + _dot(b, b))
            return mpmath.acosh(-value * (x0 * y0 - _dot(a, b))) / mpmath.sqrt(-value)
        if name == "poincare":
            delta = _minus(x, y)
            conformal = (1 + value * _dot(x, x)) * (1 + value * _dot(y, y))
            ratio = 1 - 2 * value * _dot(delta, delta) / conformal
            return mpmath.acosh(ratio) / mpmath.sqrt(-value)
        if name == "fisher_rao":
            total = mpmath.sqrt(mpmath.fsum(x) * mpmath.fsum(y))
            inner = mpmath.fsum(mpmath.sqrt(p * q) for p, q in zip(x, y, strict=True))
            return 2 * mpmath.acos(inner / total)
        raise ValueError(name)


def _minus(a, b):
    return [p - q for p, q in zip(a, b, strict=True)]
