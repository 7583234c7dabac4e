"""Put a set into a space of more dimensions, and blur it there."""

import numpy as np
from sklearn.utils import Bunch

from geolearn.datasets._rotation import random_rotation


def place(points, noise, n_features, rng):
    """Embed points by a random isometry, then add noise to every coordinate.

    Parameters
    ----------
    points : ndarray of shape (n_samples, dim)
        Points without noise.
    noise : float
        Standard deviation of the Gaussian noise.
    n_features : int
        Dimension of the space, at least dim. Points that fill it are left where
        they are; others are turned by a random rotation.
    rng : RandomState instance
        Draws the rotation, if there is one, then the noise.

    Returns
    -------
    data : Bunch
        `X` with and `clean` without noise, of shape (n_samples, n_features), and
        `basis` of shape (dim, n_features): ``clean = points @ basis``.
    """
    n_samples, dim = points.shape
    if n_features == dim:
        basis, clean = np.eye(dim), points
    else:
        basis = np.ascontiguousarray(random_rotation(n_features, rng)[:dim])
        clean = points @ basis
    # Drawn for noise=0 too: the stream is used up alike for every noise level.
    X = clean + noise * rng.standard_normal(size=(n_features, n_samples)).T
    return Bunch(X=np.ascontiguousarray(X), clean=clean, basis=basis)
