"""Hyperboloid decision trees by exhaustive search, in the angles of the paper.

Chlenski et al., ICLR 2024: a split is the half-space sin(t) x_d - cos(t) x_0 <= 0, and
its angle t is the hyperbolic midpoint of the angles of two neighbouring points. No
axial coordinates appear.
"""

import itertools
import math

import numpy as np


def angle(x, d):
    """Return the angle of a hyperboloid point in the plane of time and axis d."""
    return math.atan2(x[0], x[d + 1])


def midpoint_angle(a, b):
    """Return the angle of the point equidistant from two, by the paper's formula."""
    if abs(a + b - math.pi) < 1e-12:
        return math.pi / 2.0
    V = math.sin(2 * a - 2 * b) / (math.sin(a + b) * math.sin(b - a))
    sign = -1.0 if a + b < math.pi else 1.0
    return math.atan2(2.0, -V + sign * math.sqrt(V * V - 4.0))


def goes_left(x, d, t):
    """Tell on which side of the hyperplane of angle t a point lies."""
    return math.sin(t) * x[d + 1] - math.cos(t) * x[0] <= 0.0


def impurity(y, w, criterion):
    """Return the impurity of weighted targets."""
    W = w.sum()
    if criterion == "squared_error":
        return float(np.sum(w * (y - np.sum(w * y) / W) ** 2) / W)
    p = np.array([w[y == c].sum() / W for c in np.unique(y)])
    p = p[p > 0.0]
    if criterion == "gini":
        return float(1.0 - np.sum(p**2))
    return float(-np.sum(p * np.log2(p)))


def grow(X, y, w, criterion, max_depth, min_leaf):
    """Return nested (axis, angle, gain, left, right), or None for a leaf."""
    if max_depth == 0 or len(y) < 2 * min_leaf:
        return None
    whole, best = impurity(y, w, criterion), None
    if whole <= 1e-12:
        return None
    for d in range(X.shape[1] - 1):
        angles = sorted({angle(x, d) for x in X})
        for a, b in itertools.pairwise(angles):
            t = midpoint_angle(a, b)
            left = np.array([goes_left(x, d, t) for x in X])
            if min(left.sum(), (~left).sum()) < min_leaf:
                continue
            share = w[left].sum() / w.sum()
            gain = (
                whole
                - share * impurity(y[left], w[left], criterion)
                - (1.0 - share) * impurity(y[~left], w[~left], criterion)
            )
            if best is None or gain > best[0]:
                best = (gain, d, t, left)
    if best is None:
        return None
    gain, d, t, left = best
    sides = [
        grow(X[m], y[m], w[m], criterion, max_depth - 1, min_leaf)
        for m in (left, ~left)
    ]
    return (d, t, gain, *sides)
