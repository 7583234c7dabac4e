"""Logarithms and Hessians at points, in orthonormal frames, for stacks of points.

Rows for which an operation is not defined (cut loci, domains of metrics that are
not complete) become NaN, so that one sample does not stop the others.
"""

import numpy as np

from geolearn.manifolds._hessians import identities

__all__ = ["Local", "solve_rows"]


class Local:
    """Evaluate a manifold around references.

    Parameters
    ----------
    manifold : Manifold
        Any manifold.
    references : ndarray of shape (k + 1, ...)
        Points x_0, ..., x_k.
    """

    def __init__(self, manifold, references):
        self.manifold, self.references = manifold, references
        self.dim = manifold.dim
        self.size = len(references)
        self.exact = manifold.has_hessian

    def _rows(self, shape, function, *arrays):
        """Apply a function to rows; those that raise, or hold NaN, are NaN."""
        n = len(arrays[0])
        out = np.full((n, *shape), np.nan)
        finite = np.ones(n, dtype=bool)
        for a in arrays:
            finite &= np.isfinite(a).all(axis=tuple(range(1, a.ndim)))
        _fill(out, np.flatnonzero(finite), function, arrays)
        return out

    def logs(self, x):
        """Return Z of shape (n, dim, k + 1), the logarithms of the references."""
        manifold, others = self.manifold, self.references

        def evaluate(x):
            x = np.expand_dims(x, 1)
            return manifold._tangent_to_vector(x, manifold._log(x, others))

        return np.swapaxes(self._rows((self.size, self.dim), evaluate, x), 1, 2)

    def at(self, x, weights):
        """Return Z and the Hessian of the weighted variance."""
        Z = self.logs(x)
        total = weights.sum(axis=1)
        if not self.exact:
            return Z, identities(self.dim, (len(x),)) * total[:, None, None]
        manifold, others = self.manifold, self.references

        def evaluate(x, weights):
            H = manifold._hess_half_sqdist(np.expand_dims(x, 1), others)
            return np.einsum("nk,nkij->nij", weights, H)

        return Z, self._rows((self.dim, self.dim), evaluate, x, weights)

    def target(self, x, y):
        """Return the logarithm of y at x, and the Hessian of its half square."""
        manifold = self.manifold
        v = self._rows(
            (self.dim,),
            lambda x, y: manifold._tangent_to_vector(x, manifold._log(x, y)),
            x,
            y,
        )
        if not self.exact:
            return v, identities(self.dim, (len(x),))
        H = self._rows((self.dim, self.dim), manifold._hess_half_sqdist, x, y)
        return v, H

    def move(self, x, w):
        """Return exponentials of tangent coordinates."""
        manifold = self.manifold
        return self._rows(
            manifold.point_shape,
            lambda x, w: manifold._exp(x, manifold._vector_to_tangent(x, w)),
            x,
            w,
        )


def _fill(out, rows, function, arrays):
    """Fill rows of `out`, halving the stack around rows that raise."""
    if not len(rows):
        return
    try:
        out[rows] = function(*(a[rows] for a in arrays))
    except ValueError:
        if len(rows) > 1:
            half = len(rows) // 2
            _fill(out, rows[:half], function, arrays)
            _fill(out, rows[half:], function, arrays)


def solve_rows(A, b):
    """Solve stacks of linear equations; singular ones give NaN."""
    try:
        return np.linalg.solve(A, b)
    except np.linalg.LinAlgError:
        out = np.full(b.shape, np.nan)
        for i in range(len(A)):
            try:
                out[i] = np.linalg.solve(A[i], b[i])
            except np.linalg.LinAlgError:
                continue
        return out
