"""Rotations from the textbook, in arithmetic of 60 digits.

Doubles are exactly orthogonal only by luck. The truth for two of them is taken at
the nearest rotations, which exact arithmetic finds by Newton's iteration.
"""

import mpmath as mp
import numpy as np

DIGITS = 60


def matrix(x):
    return mp.matrix([[mp.mpf(float(v)) for v in row] for row in np.asarray(x)])


def doubles(x):
    return np.array([[float(x[i, j]) for j in range(x.cols)] for i in range(x.rows)])


def nearest(x):
    """Return the orthogonal factor of a matrix close to a rotation."""
    with mp.workdps(DIGITS):
        x = matrix(x)
        for _ in range(5):  # errors 1e-15, 1e-30, 1e-60
            x = (x + (x**-1).T) / 2
        return x


def relative_rotation(x, y):
    with mp.workdps(DIGITS):
        return nearest(x).T * nearest(y)


def angles(x, y):
    """Return the floor(n / 2) angles of X^T Y, descending, from its symmetric part."""
    with mp.workdps(DIGITS):
        q = relative_rotation(x, y)
        cosines = mp.eigsy((q + q.T) / 2, eigvals_only=True)
        values = sorted((mp.acos(min(max(c, -1), 1)) for c in cosines), reverse=True)
        return values[0 : q.rows // 2 * 2 : 2]


def dist(x, y):
    with mp.workdps(DIGITS):
        return mp.sqrt(mp.fsum(a * a for a in angles(x, y)))


def log(x, y):
    """Return X log(X^T Y), spectrally: log Q = (angle / sin angle)(C) S."""
    with mp.workdps(DIGITS):
        q = relative_rotation(x, y)
        cosines, v = mp.eigsy((q + q.T) / 2)
        factors = []
        for c in cosines:
            angle = mp.acos(min(max(c, -1), 1))
            factors.append(angle / mp.sin(angle) if angle > mp.mpf(10) ** -25 else 1)
        skew = v * mp.diag(factors) * v.T * (q - q.T) / 2
        return nearest(x) * (skew - skew.T) / 2


def log_density(x, y):
    """Return the sum over the roots of log(sin(t) / t)^2, t half their values."""
    with mp.workdps(DIGITS):
        a = angles(x, y)
        halves = []
        for i, first in enumerate(a):
            for second in a[i + 1 :]:
                halves += [(first - second) / 2, (first + second) / 2]
        if np.shape(x)[0] % 2:
            halves += [first / 2 for first in a]
        return 2 * mp.fsum(mp.log(mp.sin(t) / t) for t in halves if t)


def pair(n, wanted, rng):
    """Return doubles near two rotations that differ by given angles."""
    with mp.workdps(DIGITS):
        x, frame = (
            nearest(np.linalg.qr(rng.standard_normal((n, n)))[0]) for _ in range(2)
        )
        turn = mp.eye(n)
        for k, angle in enumerate(wanted):
            c, s = mp.cos(mp.mpf(angle)), mp.sin(mp.mpf(angle))
            i = 2 * k
            turn[i, i], turn[i, i + 1], turn[i + 1, i], turn[i + 1, i + 1] = c, -s, s, c
        y = x * frame * turn * frame.T
        x, y = doubles(x), doubles(y)
    if np.linalg.det(x) < 0:
        x[:, 0], y[:, 0] = -x[:, 0], -y[:, 0]
        # both reflected alike: X^T Y changes by a conjugation, its angles do not
    return x, y
