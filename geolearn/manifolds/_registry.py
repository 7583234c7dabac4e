"""Manifolds by name."""

from typing import Any

from geolearn.manifolds.base import Manifold
from geolearn.manifolds.euclidean import Euclidean
from geolearn.manifolds.hyperboloid import Hyperboloid
from geolearn.manifolds.poincare import PoincareBall
from geolearn.manifolds.sphere import Sphere
from geolearn.manifolds.torus import Torus
from geolearn.utils.validation import check_integer

__all__ = ["get_manifold"]

# Name: class, and how many more coordinates than dimensions a point has.
_NAMED: dict[str, tuple[Any, int]] = {
    "euclidean": (Euclidean, 0),
    "hyperboloid": (Hyperboloid, 1),
    "poincare": (PoincareBall, 0),
    "sphere": (Sphere, 1),
    "torus": (Torus, 0),
}


def get_manifold(manifold: str | Manifold, n_features: int) -> Manifold:
    """Return the manifold of points with a given number of coordinates.

    Parameters
    ----------
    manifold : {"euclidean", "sphere", "hyperboloid", "poincare", "torus"} or Manifold
        Name of a manifold, taken with unit radius or curvature -1; or an instance,
        which is returned as it is.
    n_features : int
        Number of coordinates of a point, the columns of a data matrix. It is one
        more than the dimension for the sphere and the hyperboloid.

    Returns
    -------
    Manifold
        Manifold with ``point_shape == (n_features,)``.

    Raises
    ------
    TypeError
        If `manifold` is neither a name nor a manifold instance.
    ValueError
        If the name is unknown, or the manifold does not have points with that many
        coordinates.

    Examples
    --------
    >>> get_manifold("sphere", 3)
    Sphere(2)
    """
    n_features = check_integer(n_features, "n_features")
    if isinstance(manifold, Manifold):
        if tuple(manifold.point_shape) != (n_features,):
            raise ValueError(
                f"Points of {manifold!r} have point_shape "
                f"{tuple(manifold.point_shape)}, but the data have {n_features} "
                f"features."
            )
        return manifold
    if not isinstance(manifold, str):
        hint = ""
        if isinstance(manifold, type) and issubclass(manifold, Manifold):
            hint = f" Create an instance first, e.g. {manifold.__name__}(...)."
        raise TypeError(
            f"manifold must be a name or a Manifold instance, got {manifold!r}.{hint}"
        )
    if manifold not in _NAMED:
        raise ValueError(
            f"Unknown manifold {manifold!r}; known names are {sorted(_NAMED)}. Other "
            f"manifolds are passed as instances."
        )
    kind, extra = _NAMED[manifold]
    if n_features <= extra:
        raise ValueError(
            f"Points of {manifold!r} have at least {extra + 1} coordinates, but the "
            f"data have n_features={n_features}."
        )
    return kind(n_features - extra)
