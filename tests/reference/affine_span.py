"""Affine spans by definition: slow, and in many digits where spaces are hyperbolic."""

import mpmath
import numpy as np
from scipy.optimize import minimize


def descend_to_barycenter(manifold, references, weights, start, n_iter=3000):
    """Follow the gradient of the weighted variance with small constant steps."""
    x = start
    for _ in range(n_iter):
        step = np.tensordot(weights, manifold.log(x, references), axes=1)
        if manifold.norm(x, step) < 1e-13:
            break
        x = manifold.exp(x, 0.5 * step)
    return x


def nearest_barycenter(manifold, y, references, weights):
    """Return the least distance over weights near given ones, by direct search."""
    start = descend_to_barycenter(manifold, references, weights, references[0])

    def distance(free):
        trial = np.append(free, 1.0 - free.sum())
        return manifold.dist(
            descend_to_barycenter(manifold, references, trial, start), y
        )

    options = {"xatol": 1e-8, "fatol": 1e-13, "maxiter": 200}
    return minimize(distance, weights[:-1], method="Nelder-Mead", options=options).fun


def hyperbolic_projection(y, references, digits=60):
    """Return distance and weights on the hyperboloid from the Gram matrix."""
    with mpmath.workdps(digits):

        def lift(point):
            space = [mpmath.mpf(float(s)) for s in point[1:]]
            return [mpmath.sqrt(1 + sum(s * s for s in space)), *space]

        def product(a, b):
            return -a[0] * b[0] + sum(s * t for s, t in zip(a[1:], b[1:], strict=True))

        y, X = lift(y), [lift(x) for x in references]
        gram = mpmath.matrix([[product(a, b) for b in X] for a in X])
        a = mpmath.lu_solve(gram, mpmath.matrix([product(x, y) for x in X]))
        inside = [sum(a[i] * X[i][j] for i in range(len(X))) for j in range(len(y))]
        size = mpmath.sqrt(-product(inside, inside))
        angles = [mpmath.acosh(-product(inside, x) / size) for x in X]
        terms = [a[i] * mpmath.sinh(t) / t for i, t in enumerate(angles)]
        total = sum(terms)
        return float(mpmath.acosh(size)), np.array([float(t / total) for t in terms])
