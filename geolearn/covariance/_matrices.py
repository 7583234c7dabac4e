"""The arguments of the functions of SPD geometry."""

import numpy as np

from geolearn.covariance._scan import asymmetry, refuse_asymmetric
from geolearn.manifolds import SPD
from geolearn.manifolds.spd._forms import symmetrise

__all__ = ["prepare", "square_manifold"]


def square_manifold(X, metric, metric_params, name):
    """Return the manifold of matrices of the size of X, or say that X has none."""
    shape = np.shape(X)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(
            f"{name} has shape {shape}; expected square matrices (..., n, n), such as "
            f"those of Covariances().fit_transform(trials)."
        )
    return SPD(shape[-1], metric, **metric_params)


def prepare(metric, metric_params, **matrices):
    """Return the manifold, and the matrices made exactly symmetric.

    The primitives of manifolds trust their arguments; factorisations would read one
    triangle of a matrix that is not symmetric, and return a wrong number.

    Parameters
    ----------
    metric : str
        Name or alias of a metric of `SPD`.
    metric_params : dict
        Further parameters of `SPD`.
    **matrices : array_like of shape (..., n, n) or None
        Arguments by their names; the first sets the size.

    Returns
    -------
    manifold : SPD
        Manifold of n x n matrices.
    *matrices : ndarray of shape (..., n, n) or None
        The arguments, None as it is.

    Raises
    ------
    ValueError
        If the first is not square, or a matrix is complex or not symmetric.
    """
    name, first = next(iter(matrices.items()))
    manifold = square_manifold(first, metric, metric_params, name)
    return manifold, *(_symmetric(A, name, manifold) for name, A in matrices.items())


def _symmetric(A, name, manifold):
    if A is None:
        return None
    A = np.asarray(A)
    if A.dtype.kind == "c":
        raise ValueError(f"{name} is complex; the matrices of SPD geometry are real.")
    if A.shape[-2:] != manifold.point_shape:
        return A  # the manifold names both sizes
    stack = np.ascontiguousarray(A, dtype=np.float64).reshape(-1, *manifold.point_shape)
    off, largest = asymmetry(stack)
    label, part = f"{name}: matrix {{}}", "(A + np.swapaxes(A, -1, -2)) / 2"
    refuse_asymmetric(off, largest, label, part)
    return symmetrise(A) if off.any() else A
