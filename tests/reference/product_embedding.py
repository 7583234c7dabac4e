"""Riemannian Adam and the loss of product-space embeddings, written slowly."""

import numpy as np

from geolearn.manifolds import ProductManifold


def adam_on_a_line(x, gradients, *, rate, betas=(0.9, 0.999), eps=1e-8, amsgrad=False):
    """Return the points after plain Adam, each coordinate for itself."""
    b1, b2 = betas
    m, v, top = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for t, g in enumerate(gradients, start=1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        top = np.maximum(top, v)
        second = top if amsgrad else v
        x = x - rate * (m / (1 - b1**t)) / (np.sqrt(second / (1 - b2**t)) + eps)
    return x


def flat_factors(manifold):
    """Return (factor, columns, scale) of a product, also of nested ones."""
    if not isinstance(manifold, ProductManifold):
        return [(manifold, int(np.prod(manifold.point_shape)), 1.0)]
    scales = manifold.scales or (1.0,) * len(manifold.manifolds)
    return [
        (factor, size, scale * own)
        for part, scale in zip(manifold.manifolds, scales, strict=True)
        for factor, size, own in flat_factors(part)
    ]


def riemannian_adam(
    manifold, X, gradient, n_steps, rate, *, betas=(0.9, 0.999), amsgrad=False
):
    """Return the points after Riemannian Adam, point by point, factor by factor."""
    b1, b2 = betas
    factors = flat_factors(manifold)
    X, shape = X.copy(), X.shape
    m = np.zeros((len(X), X[0].size))
    v, top = np.zeros((2, len(X), len(factors)))
    for t in range(1, n_steps + 1):
        G = gradient(X, t - 1).reshape(m.shape)
        rows = X.reshape(m.shape).copy()
        for i in range(len(X)):
            start = 0
            for c, (factor, size, scale) in enumerate(factors):
                columns = slice(start, start + size)
                start += size
                x, g, mean = (
                    array[i, columns].reshape(factor.point_shape)
                    for array in (rows, G, m)
                )
                mean = b1 * mean + (1 - b1) * g
                v[i, c] = b2 * v[i, c] + (1 - b2) * scale * factor.inner(x, g, g)
                top[i, c] = max(top[i, c], v[i, c])
                second = top[i, c] if amsgrad else v[i, c]
                root = np.sqrt(second / (1 - b2**t)) + 1e-8
                y = factor.exp(x, -rate * mean / (1 - b1**t) / root)
                m[i, columns] = factor.transport(x, y, mean).ravel()
                rows[i, columns] = factor.project(y).ravel()
        X = rows.reshape(shape)
    return X


def embedding_loss(manifold, X, D):
    """Return the sum over pairs of |d^2 / D^2 - 1|, pair by pair."""
    total = 0.0
    for i in range(len(X)):
        for j in range(i):
            if 0.0 < D[i, j] < np.inf:
                total += abs(manifold.dist(X[i], X[j]) ** 2 / D[i, j] ** 2 - 1.0)
    return total


def embedding_gradient(manifold, X, D):
    """Return the Riemannian gradient of that sum, by the logarithms of each pair."""
    G = np.zeros(X.shape)
    for i in range(len(X)):
        for j in range(len(X)):
            if i != j and 0.0 < D[i, j] < np.inf:
                sign = np.sign(manifold.dist(X[i], X[j]) ** 2 / D[i, j] ** 2 - 1.0)
                G[i] -= 2.0 * sign / D[i, j] ** 2 * manifold.log(X[i], X[j])
    return G
