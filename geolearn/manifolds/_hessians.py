"""Hessians of half the squared distance, and adjoints of differentials of log.

On a symmetric space both are functions of one operator, R(., v)v for the curvature R
and v = log_x(y). On an eigenvector of eigenvalue t^2 the Hessian is t cot(t) and the
differential of y -> log_x(y) is t / sin(t), up to transport; eigenvalues -t^2 give
t coth(t) and t / sinh(t).
"""

from typing import Any

import numpy as np

from geolearn.manifolds._frames import FrameOperations
from geolearn.manifolds._pointwise import finish
from geolearn.manifolds.special import cot_minus_inverse, coth_minus_inverse, sinc

__all__ = [
    "ADJOINT",
    "HESSIAN",
    "HessianOperations",
    "across",
    "identities",
    "low_rank",
    "negative_factors",
    "positive_factors",
    "scale_pairs",
    "units",
]

HESSIAN, ADJOINT = 0, 1  # which of the two factors of an eigenvector is wanted
_BEYOND = 2.5  # angle above which its gap to pi is the precise one


class HessianOperations(FrameOperations):
    """Give a manifold second derivatives of squared distances."""

    @property
    def has_hessian(self) -> bool:
        """Whether `hess_half_sqdist` is available, in closed form."""
        kind, default = type(self), HessianOperations
        return (
            self.is_flat
            or kind._hess_half_sqdist is not default._hess_half_sqdist
            or kind._scaled is not default._scaled
        )

    def hess_half_sqdist(self, x: Any, y: Any) -> np.ndarray:
        r"""Return Hessians of half the squared distance to a point.

        The gradient at x of half the squared distance to y is -log_x(y); this is
        its covariant derivative. The direction of y has the eigenvalue 1; the others
        are above 1 under negative curvature and below 1, possibly negative, under
        positive curvature.

        Parameters
        ----------
        x : array_like of shape (..., \*point_shape)
            Points at which the Hessian is taken.
        y : array_like of shape (..., \*point_shape)
            Points to which the distance is measured.

        Returns
        -------
        ndarray of shape (..., dim, dim)
            Symmetric matrices in the orthonormal frame of `tangent_to_vector` at x.

        Raises
        ------
        ValueError
            If the manifold has no closed form (`has_hessian` is False), or the
            shortest geodesic is not unique, where the manifold can tell.

        Notes
        -----
        With the distance t in units of the radius of curvature, the eigenvalues
        orthogonal to the geodesic are t cot(t) on the sphere and t coth(t) on
        hyperbolic space [1]_. On the other symmetric spaces t runs over the roots.

        References
        ----------
        .. [1] X. Pennec, "Barycentric subspace analysis on manifolds", Ann. Statist.
           46(6A), 2018, arXiv:1607.02833.

        Examples
        --------
        >>> from geolearn.manifolds import Sphere
        >>> east, north = np.eye(3)[0], np.eye(3)[2]
        >>> Sphere(2).hess_half_sqdist(east, north).round(12) + 0.0
        array([[0., 0.],
               [0., 1.]])
        """
        x, y, dtype = self._arrays(x, y)
        return finish(self._hess_half_sqdist(x, y), dtype)

    # Hooks: closed forms of the two, or the one from which both follow.

    def _scaled(self, x, y, w, which):
        """Multiply coordinates at x by a function of the curvature along log_x(y).

        On eigenvectors of the curvature operator the function is t cot(t), 1 or
        t coth(t) if `which` is HESSIAN, and t / sin(t), 1 or t / sinh(t) if ADJOINT.
        """
        raise ValueError(
            f"{self!r} has no closed form of the Hessian of squared distances "
            f"(has_hessian is False); take the identity in its place for a "
            f"quasi-Newton method, or another metric."
        )

    def _hess_half_sqdist(self, x, y):
        leading = self._leading(x, y)
        if self.is_flat:
            return identities(self.dim, leading)
        eye = np.eye(self.dim)[(slice(None), *(None,) * len(leading))]
        return _symmetric(np.moveaxis(self._scaled(x, y, eye, HESSIAN), 0, -2))

    def _log_adjoint(self, x, y, w):
        """Apply the adjoint of the differential of y -> log_x(y).

        It takes vectors w tangent at x to vectors tangent at y, such that
        <D log_x(y)[u], w> at x is <u, result> at y.
        """
        if not self.is_flat:
            w = self._scaled(x, y, self._tangent_to_vector(x, w), ADJOINT)
            w = self._vector_to_tangent(x, w)
        return self._transport(x, y, w)

    def _leading(self, *arrays):
        """Return the leading shape to which points broadcast."""
        n_axes = len(self.point_shape)
        return np.broadcast_shapes(*(a.shape[: a.ndim - n_axes] for a in arrays))


def identities(dim, leading):
    """Return a stack of identity matrices."""
    result = np.zeros((*leading, dim, dim))
    result[..., np.arange(dim), np.arange(dim)] = 1.0
    return result


def low_rank(base, vectors, values):
    """Return base I + sum_k values_k v_k v_k^T for vectors of shape (..., k, dim)."""
    result = _symmetric(np.swapaxes(vectors, -1, -2) @ (values[..., None] * vectors))
    diagonal = np.arange(vectors.shape[-1])
    result[..., diagonal, diagonal] += base[..., None]
    return result


def _symmetric(A):
    return (A + np.swapaxes(A, -1, -2)) / 2.0


def positive_factors(t, rest=None):
    """Return t cot(t) and t / sin(t) of angles in [0, pi).

    `rest` is pi - t with the digits that t has lost near pi.
    """
    rest = np.pi - t if rest is None else rest
    far = np.asarray(t > _BEYOND)
    near = np.where(far, 0.0, t)
    gap = np.where(far, rest, 1.0)
    hessian = np.where(far, -t / np.tan(gap), 1.0 + near * cot_minus_inverse(near))
    return hessian, np.where(far, t / np.sin(gap), 1.0 / sinc(near))


def negative_factors(t):
    """Return t coth(t) and t / sinh(t); nothing overflows."""
    t = np.abs(t)
    adjoint = 2.0 * t * np.exp(-t) / np.where(t > 0.0, -np.expm1(-2.0 * t), 1.0)
    return 1.0 + t * coth_minus_inverse(t), np.where(t > 0.0, adjoint, 1.0)


def units(vectors):
    """Return vectors over their lengths; zero stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0.0, lengths, 1.0)


def across(u, w):
    """Return the parts of vectors across unit vectors."""
    return w - np.sum(u * w, axis=-1, keepdims=True) * u


def scale_pairs(C, difference, total, single):
    """Multiply coefficients of outer products of singular vectors by their factors.

    Parameters
    ----------
    C : ndarray of shape (..., m, p)
        Coefficients of the products of left and right vectors.
    difference, total : ndarray of shape (..., r, r)
        Factors of the symmetric and of the antisymmetric part, r = min(m, p).
    single : ndarray of shape (..., r)
        Factors of the products with vectors that have no partner.
    """
    r = difference.shape[-1]
    square = C[..., :r, :r]
    turned = np.swapaxes(square, -1, -2)
    square = 0.5 * (difference * (square + turned) + total * (square - turned))
    if C.shape[-2] > r:
        return np.concatenate([square, single[..., None, :] * C[..., r:, :]], axis=-2)
    return np.concatenate([square, single[..., :, None] * C[..., :, r:]], axis=-1)
