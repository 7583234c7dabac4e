"""Points of product spaces and targets without ties."""

import numpy as np

from geolearn.manifolds import axial_coordinates

SIGNATURES = {
    "hyperbolic": [(-1.0, 3)],
    "steep": [(-4.0, 2)],
    "spherical": [(1.0, 2)],
    "circle": [(1.0, 1)],
    "small_sphere": [(4.0, 3)],
    "flat": [(0.0, 3)],
    "mixed": [(-0.25, 2), (1.0, 2), (0.0, 2)],
    "twice": [(-1.0, 2), (-2.0, 1), (0.5, 1)],
}


def points(signature, n, *, seed=0, spread=1.0):
    """Return n points; the tangent vectors at the origin are normal."""
    rng = np.random.default_rng(seed)
    blocks = []
    for curvature, dim in signature:
        radius = 1.0 if curvature == 0.0 else 1.0 / np.sqrt(abs(curvature))
        if curvature > 0.0:
            v = rng.normal(size=(n, dim + 1))
            blocks.append(radius * v / np.linalg.norm(v, axis=1, keepdims=True))
        else:
            v = spread * rng.normal(size=(n, dim))
            if curvature < 0.0:
                blocks.append(np.sqrt(radius**2 + np.sum(v**2, axis=1))[:, None])
            blocks.append(v)
    return np.hstack(blocks)


def targets(kind, n, n_outputs, *, seed=1, n_classes=3):
    """Return labels or numbers of shape (n,) or (n, n_outputs), and weights."""
    rng = np.random.default_rng(seed)
    if kind == "squared_error":
        y = rng.normal(size=(n, n_outputs))
    else:
        y = rng.integers(0, n_classes, size=(n, n_outputs))
    weight = rng.uniform(0.5, 2.0, size=n)
    return (y[:, 0] if n_outputs == 1 else y), weight


def linear_features(X, signature):
    """Return the matrix on which scikit-learn grows the same tree; no spheres."""
    blocks, start = [], 0
    for curvature, dim in signature:
        stop = start + dim + (curvature != 0.0)
        block = X[:, start:stop]
        blocks.append(
            axial_coordinates(block, curvature=curvature) if curvature else block
        )
        start = stop
    return np.hstack(blocks)
