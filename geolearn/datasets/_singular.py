"""Label the points of a set by their distance from where it is no manifold."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from geolearn.datasets._ambient import place
from geolearn.datasets._frame import check_real


def check_singular(n_samples, noise, n_features, dim, radii, least=1):
    """Check what all singular sets share; return the number of features."""
    check_scalar(n_samples, "n_samples", Integral, min_val=least)
    check_real(noise, "noise")
    singular_within, regular_beyond = radii
    check_real(singular_within, "singular_within")
    check_real(regular_beyond, "regular_beyond")
    if regular_beyond < singular_within:
        raise ValueError(
            f"regular_beyond={regular_beyond} must be at least singular_within="
            f"{singular_within}; a point cannot be both."
        )
    if n_features is None:
        return dim
    return check_scalar(n_features, "n_features", Integral, min_val=dim)


def halves(n_samples):
    """Return the sizes of two pieces; of an odd number the second gets one more."""
    return n_samples // 2, n_samples - n_samples // 2


def label(points, distance, radii, noise, n_features, rng, inner=True):
    """Place the points and label them: 1 singular, 0 regular, -1 neither.

    `distance` is that of each point from the singular set; `inner` says which
    points are far enough from a border to be regular.
    """
    singular_within, regular_beyond = radii
    data = place(points, noise, n_features, rng)
    data.y = np.full(points.shape[0], -1)
    data.y[(distance > regular_beyond) & inner] = 0
    data.y[distance <= singular_within] = 1
    data.distance = distance
    return data
