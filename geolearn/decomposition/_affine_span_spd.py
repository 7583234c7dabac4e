"""Logarithms and Hessians under the affine-invariant metric, fused.

One eigendecomposition gives both. Coordinates are those after whitening by the
Cholesky factor of the point, an orthonormal frame as good as that of the manifold.
"""

import numpy as np

from geolearn import linalg
from geolearn.decomposition._affine_span_kernels import weighted_hessians
from geolearn.decomposition._affine_span_local import Local
from geolearn.manifolds.spd._affine import stretch, unstretch
from geolearn.manifolds.spd._forms import gram, scale_columns, unvec, vec
from geolearn.manifolds.spd._spectral import factor

__all__ = ["AffineInvariantLocal"]


class AffineInvariantLocal(Local):
    """Evaluate the affine-invariant metrics.

    Parameters
    ----------
    manifold : SPD
        Affine-invariant, without deformation.
    references : ndarray of shape (n_sets, k + 1, n, n)
        SPD matrices.
    """

    def __init__(self, manifold, references):
        super().__init__(manifold, references)
        geometry = manifold._geometry
        self.geometry, self.n = geometry, geometry.n
        family = (geometry.alpha, geometry.beta)
        basis = unvec(np.eye(self.dim), self.n)
        self.plain = family == (1.0, 0.0)
        self.stretching = vec(stretch(basis, *family))
        self.shrinking = vec(unstretch(basis, *family))

    def _both(self, x, others, weights):
        """Return logarithms of (..., k + 1) points as columns beside Hessians."""
        _, _, U, mu = self.geometry._pencil(x[:, None], others)
        out = np.empty((len(x), self.dim, U.shape[1] + self.dim))
        weighted_hessians(
            np.ascontiguousarray(U), np.ascontiguousarray(mu), weights, out
        )
        if not self.plain:
            size = U.shape[1]
            out[:, :, :size] = self.stretching.T @ out[:, :, :size]
        return out

    def at(self, x, weights, which):
        """Return Z and the Hessian of the weighted variance."""
        out = self._rows(
            (self.dim, self.size + self.dim),
            lambda x, weights, which: self._both(
                x, self.others(which), np.ascontiguousarray(weights)
            ),
            x,
            weights,
            which,
        )
        return out[:, :, : self.size], out[:, :, self.size :]

    def logs(self, x, which):
        """Return Z; `at` costs little more."""
        return self.at(x, np.zeros((len(x), self.size)), which)[0]

    def target(self, x, y):
        """Return the logarithm of y at x, and the Hessian of its half square."""
        out = self._rows(
            (self.dim, 1 + self.dim),
            lambda x, y: self._both(x, y[:, None], np.ones((len(x), 1))),
            x,
            y,
        )
        return out[:, :, 0], out[:, :, 1:]

    def _exponentials(self, x, w):
        if not self.plain:
            w = w @ self.shrinking
        s, U = linalg.eigh(unvec(w, self.n))
        with np.errstate(over="ignore", invalid="ignore"):
            y = gram(scale_columns(factor(x) @ U, np.exp(0.5 * s)))
        y[~np.isfinite(y).all(axis=(1, 2))] = np.nan
        return y

    def move(self, x, w):
        """Return exponentials of tangent coordinates."""
        return self._rows((self.n, self.n), self._exponentials, x, w)
