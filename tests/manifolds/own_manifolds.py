"""Manifolds as a user would write them: points are matrices, few primitives.

They are slow and plain. What the base class derives for them (transport by the
pole ladder, volume density by differences, coordinates by Gram matrices) is
compared with closed forms.
"""

import numpy as np
from scipy.linalg import solve_sylvester, sqrtm

from geolearn.manifolds import Manifold


def spectral(function, A):
    values, vectors = np.linalg.eigh((A + np.swapaxes(A, -1, -2)) / 2)
    return (vectors * function(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def symmetric(A):
    return (A + np.swapaxes(A, -1, -2)) / 2


class AffineInvariant(Manifold):
    """Symmetric positive definite matrices, <U, V>_A = tr(A^-1 U A^-1 V)."""

    def __init__(self, n):
        self.n = n
        self.dim = n * (n + 1) // 2
        self.point_shape = (n, n)
        self.sectional_curvature_bounds = (-0.5, 0.0)

    def _roots(self, A):
        return spectral(np.sqrt, A), spectral(lambda a: a**-0.5, A)

    def _exp(self, x, v):
        root, inverse = self._roots(x)
        return symmetric(root @ spectral(np.exp, inverse @ v @ inverse) @ root)

    def _log(self, x, y):
        root, inverse = self._roots(x)
        return symmetric(root @ spectral(np.log, inverse @ y @ inverse) @ root)

    def _inner(self, x, u, v):
        inverse = np.linalg.inv(x)
        return np.trace(inverse @ u @ inverse @ v, axis1=-2, axis2=-1)

    def _project(self, x):
        return spectral(lambda a: np.maximum(a, 1e-12), x)

    def _project_tangent(self, x, v):
        return symmetric(v) + np.zeros_like(x)

    def _random_point(self, n_samples, rng):
        vectors = rng.standard_normal((n_samples, self.n, self.n))
        return spectral(np.exp, 0.5 * vectors)


class BuresWasserstein(Manifold):
    """Symmetric positive definite 2 x 2 matrices; not a symmetric space."""

    def __init__(self):
        self.dim = 3
        self.point_shape = (2, 2)
        self.injectivity_radius = 1.0  # of the points drawn below
        self.sectional_curvature_bounds = (0.0, np.inf)

    def _solve(self, x, v):
        x, v = np.broadcast_arrays(x, v)
        flat = zip(x.reshape(-1, 2, 2), v.reshape(-1, 2, 2), strict=True)
        return np.array([solve_sylvester(a, a, b) for a, b in flat]).reshape(v.shape)

    def _exp(self, x, v):
        step = np.eye(2) + self._solve(x, v)
        return step @ x @ step

    def _log(self, x, y):
        x, y = np.broadcast_arrays(x, y)
        flat = zip(x.reshape(-1, 2, 2), y.reshape(-1, 2, 2), strict=True)
        roots = np.array([np.real(sqrtm(a @ b)) for a, b in flat]).reshape(x.shape)
        return roots + np.swapaxes(roots, -1, -2) - 2 * x

    def _inner(self, x, u, v):
        return 0.5 * np.trace(self._solve(x, u) @ v, axis1=-2, axis2=-1)

    def _project(self, x):
        return spectral(lambda a: np.maximum(a, 1e-12), x)

    def _project_tangent(self, x, v):
        return symmetric(v) + np.zeros_like(x)

    def _random_point(self, n_samples, rng):
        return 3 * np.eye(2) + symmetric(rng.uniform(-0.5, 0.5, (n_samples, 2, 2)))


class PlainSphere(Manifold):
    """The unit sphere with nothing but the four primitives."""

    def __init__(self, dim):
        self.dim = dim
        self.point_shape = (dim + 1,)
        self.injectivity_radius = np.pi
        self.sectional_curvature_bounds = (1.0, 1.0)

    def _project(self, x):
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    def _project_tangent(self, x, v):
        return v - np.sum(x * v, axis=-1, keepdims=True) * x

    def _exp(self, x, v):
        r = np.linalg.norm(v, axis=-1, keepdims=True)
        return self._project(np.cos(r) * x + np.sinc(r / np.pi) * v)

    def _log(self, x, y):
        w = self._project_tangent(x, y - x)
        norm = np.linalg.norm(w, axis=-1, keepdims=True)
        angle = np.arctan2(norm, np.sum(x * y, axis=-1, keepdims=True))
        return angle / np.where(norm > 0, norm, 1.0) * w
