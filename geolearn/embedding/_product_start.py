"""Where product-space embeddings start: one component after the other."""

import math
import warnings

import numpy as np
import scipy.sparse.linalg

from geolearn.embedding._hyperbolic_mds import HyperbolicMDS
from geolearn.optimize import classical_mds

# Largest product of scale and diameter given to hyperbolic scaling, where cosh
# still tells near points apart.
_REACH = 16.0

# Radii of curvature that random starts keep to in the mean.
_START_RADII = 4.0

# Curvature in units of the largest distance, which is 1, below which a hyperbolic
# or spherical component starts flat: cosh and cos have lost half their digits.
_NEARLY_FLAT = 1e-8

# Share of the largest distance below which the spread of a component counts as
# none; random vectors of that length part the points.
_NO_SPREAD = 1e-2

# Infinite distances count as this many times the largest finite one.
_BEYOND = 1.5

_DENSE_UP_TO = 300  # points up to which all eigenpairs are computed


def random_start(manifold, signature, n, rng):
    """Return points whose tangent vectors at the origin are normal.

    Their variance is one over the dimension, distances being at most one; less in
    hyperbolic components so curved that such points could not be resolved.
    """
    vectors = rng.standard_normal((n, manifold.dim)) / math.sqrt(manifold.dim)
    start = 0
    for curvature, dim in signature:
        if curvature < 0.0:
            radius = (-curvature) ** -0.5
            vectors[:, start : start + dim] *= min(1.0, _START_RADII * radius)
        start += dim
    return manifold.exp(
        manifold.origin, manifold.vector_to_tangent(manifold.origin, vectors)
    )


def scaling_start(manifold, signature, D, rng):
    """Return points by multidimensional scaling of distances of at most one.

    Each component is scaled to what the ones before it leave of the squared
    distances; a component for which nothing is left gets small random vectors.
    """
    D = np.where(np.isfinite(D), D, _BEYOND)
    left = np.square(D)
    parts = []
    for (curvature, dim), factor in zip(signature, manifold.manifolds, strict=True):
        rest = np.sqrt(left)
        points = _scale(rest, curvature, dim, factor)
        if parts and _spread(points, factor) < _NO_SPREAD:
            vectors = _NO_SPREAD * rng.standard_normal((len(D), dim))
            points = factor.exp(
                factor.origin, factor.vector_to_tangent(factor.origin, vectors)
            )
        parts.append(points)
        left -= np.square(factor.pairwise_distances(points))
        np.maximum(left, 0.0, out=left)
        np.fill_diagonal(left, 0.0)
    return manifold.join(parts)


def _spread(points, factor):
    return float(np.sqrt(np.mean(factor.dist(factor.origin, points) ** 2)))


def _scale(D, curvature, dim, factor):
    """Return points of one component for distances D."""
    n = D.shape[0]
    if D.max() < 1e-6:
        return np.tile(factor.origin, (n, 1))
    if curvature > _NEARLY_FLAT:
        return _spherical(D, math.sqrt(curvature), dim, factor)
    kept = min(dim, n - 1)
    if abs(curvature) <= _NEARLY_FLAT:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # arbitrary axes are fine for a start
            Y = classical_mds(D, kept)[0]
    else:
        scale = min(math.sqrt(-curvature), _REACH / D.max())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zero columns are fine for a start
            mds = HyperbolicMDS(kept, scale=scale, n_landmarks=None).fit(D)
        Y = _lengths(mds.embedding_) / scale
    vectors = np.zeros((n, dim))
    vectors[:, :kept] = Y
    return factor.exp(factor.origin, factor.vector_to_tangent(factor.origin, vectors))


def _lengths(X):
    """Return the logarithms at the origin of points of the unit hyperboloid."""
    radius = np.linalg.norm(X[:, 1:], axis=1, keepdims=True)
    return X[:, 1:] * (np.arcsinh(radius) / np.where(radius > 0.0, radius, 1.0))


def _spherical(D, root, dim, factor):
    """Return points by the leading eigenvectors of the Gram matrix cos(root D).

    Angles beyond pi, which the sphere does not have, count as pi.
    """
    gram = np.cos(np.minimum(root * D, math.pi))
    n = len(gram)
    k = min(dim + 1, n)
    if n <= _DENSE_UP_TO or k >= n - 1:
        values, vectors = np.linalg.eigh(gram)
    else:
        start = np.linspace(1.0, 2.0, n)  # fixed: the result is reproducible
        values, vectors = scipy.sparse.linalg.eigsh(gram, k=k, which="LA", v0=start)
    order = np.argsort(values)[::-1][:k]
    X = np.zeros((n, dim + 1))
    X[:, :k] = vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0))
    # Signs that do not depend on the eigensolver.
    pivots = np.take_along_axis(X, np.abs(X).argmax(axis=0)[None], axis=0)
    X = np.where(pivots < 0.0, -X, X)
    lost = np.linalg.norm(X, axis=1) < 1e-9
    X[lost] = factor.origin
    return factor.project(X)
