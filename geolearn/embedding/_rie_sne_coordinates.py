"""Coordinates in which embeddings on the sphere and the hyperboloid are drawn."""

import numpy as np

from geolearn.manifolds import (
    Euclidean,
    Hyperboloid,
    Sphere,
    hyperboloid_to_poincare,
)

__all__ = ["chart"]


def chart(target, Y):
    """Return coordinates of points of a target.

    Parameters
    ----------
    target : Manifold
        Target of an embedding.
    Y : ndarray of shape (n, ...)
        Points of it.

    Returns
    -------
    ndarray of shape (n, dim)
        The points themselves in flat space; the angle on the circle; longitude and
        latitude on the sphere; the Poincaré ball of hyperbolic space.

    Raises
    ------
    ValueError
        If there are no such coordinates.
    """
    if isinstance(target, Euclidean):
        return np.array(Y)
    if isinstance(target, Hyperboloid):
        return hyperboloid_to_poincare(Y)
    if isinstance(target, Sphere) and target.dim <= 2:
        angles = [np.arctan2(Y[:, 1], Y[:, 0])]
        if target.dim == 2:
            angles.append(np.arctan2(Y[:, 2], np.hypot(Y[:, 0], Y[:, 1])))
        return np.column_stack(angles)
    raise ValueError(
        f"The target {target!r} has no coordinates to draw; take the points of "
        f"embedding_, or manifold.log_vector of them at a point of your choice."
    )
