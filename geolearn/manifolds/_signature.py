"""Signatures of products of spaces of constant curvature: (curvature, dim) pairs."""

import math
from numbers import Integral, Real
from typing import Any

from geolearn.manifolds.base import Manifold
from geolearn.manifolds.euclidean import Euclidean
from geolearn.manifolds.hyperboloid import Hyperboloid
from geolearn.manifolds.product import ProductManifold
from geolearn.manifolds.sphere import Sphere

__all__ = [
    "check_signature",
    "component_columns",
    "component_space",
    "product_space",
]

_EXAMPLE = "[(-1.0, 2), (0.0, 3), (1.0, 2)]"


def check_signature(
    signature: Any, n_columns: int | None = None
) -> tuple[tuple[float, int], ...]:
    """Return a signature as a tuple of (float, int) pairs.

    Parameters
    ----------
    signature : sequence of (curvature, dim) pairs
        Components. Negative curvature is a hyperboloid and positive curvature a
        sphere, of dim + 1 columns each; zero is flat space of dim columns.
    n_columns : int, default=None
        Number of columns of the data, which must match; None skips this check.

    Returns
    -------
    tuple of (float, int)
        The components.

    Raises
    ------
    ValueError
        If there is no component, one is not such a pair, or the columns do not
        match.
    """
    if signature is None and n_columns is not None:
        raise ValueError(
            f"signature=None: say which columns are which space by (curvature, dim) "
            f"pairs, such as [(-1.0, 2), (0.0, 3)], or [(0.0, {n_columns})] for flat "
            f"space."
        )
    try:
        pairs = [tuple(pair) for pair in signature]
    except TypeError:
        raise ValueError(
            f"signature={signature!r} must be a sequence of (curvature, dim) pairs, "
            f"such as {_EXAMPLE}."
        ) from None
    if not pairs:
        raise ValueError(
            f"signature={signature!r} has no component; pass (curvature, dim) pairs, "
            f"such as {_EXAMPLE}."
        )
    for k, pair in enumerate(pairs):
        valid = (
            len(pair) == 2
            and isinstance(pair[0], Real)
            and math.isfinite(pair[0])
            and isinstance(pair[1], Integral)
            and not isinstance(pair[1], bool)
            and int(pair[1]) >= 1
        )
        if not valid:
            raise ValueError(
                f"signature[{k}]={pair!r} must be a pair of a finite curvature and "
                f"an integer dimension of at least 1, such as (-1.0, 2)."
            )
    components = tuple((float(K), int(dim)) for K, dim in pairs)
    expected = component_columns(components)[-1][1]
    if n_columns is not None and n_columns != expected:
        raise ValueError(
            f"X has {n_columns} columns, but signature={list(components)} needs "
            f"{expected}: dim for flat components and dim + 1 for curved ones."
        )
    return components


def component_space(curvature: float, dim: int) -> Manifold:
    """Return the space of one checked component."""
    if curvature < 0.0:
        return Hyperboloid(dim, curvature=curvature)
    if curvature > 0.0:
        return Sphere(dim, radius=curvature**-0.5)
    return Euclidean(dim)


def product_space(components: tuple[tuple[float, int], ...]) -> ProductManifold:
    """Return the product manifold of checked (curvature, dim) pairs."""
    return ProductManifold([component_space(K, dim) for K, dim in components])


def component_columns(
    components: tuple[tuple[float, int], ...],
) -> list[tuple[int, int]]:
    """Return the first column of each component and the one after its last."""
    ranges, start = [], 0
    for curvature, dim in components:
        stop = start + dim + (curvature != 0.0)
        ranges.append((start, stop))
        start = stop
    return ranges
