"""Samples of estimators with a parameter `manifold`: points, or rows of distances."""

import math

import numpy as np
from sklearn.utils.validation import validate_data

from geolearn.graph._precomputed import is_precomputed
from geolearn.manifolds import Manifold

_OF_MATRICES = ("spd", "planar_shapes")  # names whose points have two axes


def takes_matrices(manifold) -> bool:
    """Tell whether a sample has two axes."""
    if isinstance(manifold, Manifold):
        return len(manifold.point_shape) == 2
    return isinstance(manifold, str) and manifold in _OF_MATRICES


def validate_samples(estimator, X, **options):
    """Return samples as scikit-learn validates them, matrices in their own shape.

    Membership is left to `check_points`, which says which sample is off.
    """
    precomputed = is_precomputed(estimator.manifold)
    X = validate_data(
        estimator,
        X,
        dtype=np.float64,
        order="C",
        allow_nd=not precomputed,
        ensure_all_finite=precomputed,
        ensure_non_negative=precomputed,
        **options,
    )
    return unflattened(estimator.manifold, X)


def unflattened(manifold, X):
    """Return points whose rows are flattened matrices in their own shape."""
    if isinstance(manifold, Manifold) and X.ndim == 2:
        shape = tuple(manifold.point_shape)
        if X.shape[1] == math.prod(shape):
            return X.reshape(-1, *shape)
    return X
