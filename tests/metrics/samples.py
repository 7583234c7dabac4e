"""Random points of every metric's space, for tests over the whole registry."""

import numpy as np

FACTORS = [
    ("euclidean", 2, {}),
    ("sphere", 3, {"radius": 2.0}),
    ("hyperboloid", 3, {"curvature": -0.5}),
    ("poincare", 2, {"curvature": -2.0}),
    ("fisher_rao", 3, {}),
    ("torus", 2, {}),
]
SCALES = [1.0, 0.5, 2.0, 1.5, 3.0, 0.25]

# Name, parameters: every metric of the registry, with and without the defaults.
CASES = [
    ("euclidean", {}),
    ("sphere", {}),
    ("sphere", {"radius": 2.5}),
    ("hyperboloid", {}),
    ("hyperboloid", {"curvature": -0.3}),
    ("poincare", {}),
    ("poincare", {"curvature": -4.0}),
    ("fisher_rao", {}),
    ("torus", {}),
    ("product", {"factors": FACTORS, "scales": SCALES}),
]
IDS = [f"{name}-{k}" for k, (name, _) in enumerate(CASES)]


def points(name, n, dim, rng, **params):
    """Draw n points of a space of dimension dim (the product has its own)."""
    X = rng.standard_normal((n, dim))
    if name == "sphere":
        X = np.column_stack([X, rng.standard_normal(n)])
        return params.get("radius", 1.0) * X / np.linalg.norm(X, axis=1, keepdims=True)
    if name == "hyperboloid":
        c = -params.get("curvature", -1.0)
        return np.column_stack([np.sqrt(1 / c + (X**2).sum(axis=1)), X])
    if name == "poincare":
        c = -params.get("curvature", -1.0)
        return np.tanh(np.linalg.norm(X, axis=1, keepdims=True) / 2) * (
            X / np.linalg.norm(X, axis=1, keepdims=True) / np.sqrt(c)
        )
    if name == "fisher_rao":
        return rng.dirichlet(np.ones(dim + 1), n)
    if name == "torus":
        return rng.uniform(-np.pi, np.pi, (n, dim))
    if name == "product":
        extra = {"sphere": 1, "hyperboloid": 1, "fisher_rao": 1}
        return np.ascontiguousarray(
            np.column_stack(
                [
                    points(factor, n, width - extra.get(factor, 0), rng, **values)
                    for factor, width, values in params["factors"]
                ]
            )
        )
    return X
