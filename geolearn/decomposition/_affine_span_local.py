"""Logarithms and Hessians at points, in orthonormal frames, for stacks of points.

Rows for which an operation is not defined (cut loci, domains of metrics that are
not complete) become NaN, so that one sample does not stop the others.
"""

from typing import NamedTuple

import numpy as np

from geolearn.manifolds import SPD

__all__ = ["Local", "SpanLengths", "local_of", "solve_rows", "span_lengths"]

_DIFFERENCE = 1e-4  # step of numerical derivatives, in units of curvature


class Local:
    """Evaluate a manifold around sets of references.

    Parameters
    ----------
    manifold : Manifold
        Any manifold.
    references : ndarray of shape (n_sets, k + 1, ...)
        Points x_0, ..., x_k of each set. Rows say by `which` what set they refer to.
    """

    def __init__(self, manifold, references):
        self.manifold, self.references = manifold, references
        self.dim = manifold.dim
        self.size = references.shape[1]
        self.exact = manifold.has_hessian
        self.step = _DIFFERENCE * manifold._length_scale

    def _rows(self, shape, function, *arrays):
        """Apply a function to rows; those that raise, or hold NaN, are NaN."""
        n = len(arrays[0])
        out = np.full((n, *shape), np.nan)
        finite = np.ones(n, dtype=bool)
        for a in arrays:
            finite &= np.isfinite(a).all(axis=tuple(range(1, a.ndim)))
        _fill(out, np.flatnonzero(finite), function, arrays)
        return out

    def others(self, which):
        """Return the references of rows."""
        if len(self.references) == 1:
            return self.references
        return self.references[which]

    def logs(self, x, which):
        """Return Z of shape (n, dim, k + 1), the logarithms of the references."""
        manifold = self.manifold

        def evaluate(x, which):
            x = np.expand_dims(x, 1)
            return manifold._tangent_to_vector(x, manifold._log(x, self.others(which)))

        return np.swapaxes(self._rows((self.size, self.dim), evaluate, x, which), 1, 2)

    def at(self, x, weights, which):
        """Return Z and the Hessian of the weighted variance."""
        Z = self.logs(x, which)

        def evaluate(x, weights, which):
            H = self.hessians(np.expand_dims(x, 1), self.others(which))
            return np.einsum("nk,nkij->nij", weights, H)

        return Z, self._rows((self.dim, self.dim), evaluate, x, weights, which)

    def target(self, x, y):
        """Return the logarithm of y at x, and the Hessian of its half square."""
        manifold = self.manifold
        v = self._rows(
            (self.dim,),
            lambda x, y: manifold._tangent_to_vector(x, manifold._log(x, y)),
            x,
            y,
        )
        return v, self._rows((self.dim, self.dim), self.hessians, x, y)

    def hessians(self, x, y):
        """Return Hessians at x of half the squared distance to y."""
        if self.exact:
            return self.manifold._hess_half_sqdist(x, y)
        # Polarisation of second derivatives along geodesics needs no transport.
        i, j = np.triu_indices(self.dim)
        basis = np.eye(self.dim)
        directions = np.where((i == j)[:, None], basis[i], basis[i] + basis[j])
        second = np.stack([self._second(x, y, w) for w in directions], axis=-1)
        H = np.zeros((*second.shape[:-1], self.dim, self.dim))
        H[..., i, j] = second
        own = np.diagonal(H, axis1=-2, axis2=-1)
        mixed = (second - own[..., i] - own[..., j]) / 2.0
        H[..., i, j] = H[..., j, i] = np.where(i == j, second, mixed)
        return H

    def _second(self, x, y, w):
        """Differentiate half the squared distance twice along a geodesic."""
        manifold, h = self.manifold, self.step
        slopes = []
        for t in (-h, h):
            moved = manifold._exp(x, t * manifold._vector_to_tangent(x, w))
            velocity = manifold._log(moved, x) / -t
            towards = manifold._log(moved, y)
            slopes.append(-manifold._inner(moved, velocity, towards))
        return (slopes[1] - slopes[0]) / (2.0 * h)

    def move(self, x, w):
        """Return exponentials of tangent coordinates."""
        manifold = self.manifold
        return self._rows(
            manifold.point_shape,
            lambda x, w: manifold._exp(x, manifold._vector_to_tangent(x, w)),
            x,
            w,
        )


def local_of(manifold, references):
    """Return the `Local` that suits a manifold."""
    if isinstance(manifold, SPD):
        from geolearn.decomposition._affine_span_spd import AffineInvariantLocal
        from geolearn.manifolds.spd._affine import AffineInvariant

        if isinstance(manifold._geometry, AffineInvariant):
            return AffineInvariantLocal(manifold, references)
    return Local(manifold, references)


class SpanLengths(NamedTuple):
    """Lengths that set tolerances and step sizes.

    Parameters
    ----------
    spread : ndarray of shape (n_sets,)
        Sizes of the sets of references, the unit of residuals.
    target : float
        Longest step of a descent; infinite where no curvature is positive.
    correction : ndarray of shape (n_sets,)
        Longest step towards the span.
    """

    spread: np.ndarray
    target: float
    correction: np.ndarray


def span_lengths(local):
    """Return the `SpanLengths` of sets of references."""
    manifold, references = local.manifold, local.references
    spread = np.max(manifold._dist(references[:, :1], references), axis=1)
    scale = manifold._length_scale
    reach = manifold.injectivity_radius
    if np.isfinite(reach):  # on the unit sphere 0.7 and 0.3
        return SpanLengths(
            spread, min(reach / 3.0, 0.7 * scale), np.full(len(spread), 0.3 * scale)
        )
    return SpanLengths(spread, np.inf, np.maximum(spread, 0.3 * scale))


def _fill(out, rows, function, arrays):
    """Fill rows of `out`, halving the stack around rows that raise."""
    if not len(rows):
        return
    try:
        if len(rows) == len(out):
            out[...] = function(*arrays)
        else:
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
