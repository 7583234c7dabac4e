"""Manifolds by name."""

from typing import Any

from geolearn.manifolds.base import Manifold
from geolearn.manifolds.euclidean import Euclidean
from geolearn.manifolds.hyperboloid import Hyperboloid
from geolearn.manifolds.klein import KleinBall
from geolearn.manifolds.planar_shapes import PlanarShapes
from geolearn.manifolds.poincare import PoincareBall
from geolearn.manifolds.spd import SPD
from geolearn.manifolds.sphere import Sphere
from geolearn.manifolds.torus import Torus
from geolearn.utils.validation import check_integer

__all__ = ["get_manifold"]

# Name: class, and how many more coordinates than dimensions a point has.
_NAMED: dict[str, tuple[Any, int]] = {
    "euclidean": (Euclidean, 0),
    "hyperboloid": (Hyperboloid, 1),
    "klein": (KleinBall, 0),
    "poincare": (PoincareBall, 0),
    "sphere": (Sphere, 1),
    "torus": (Torus, 0),
}


def get_manifold(
    manifold: str | Manifold, n_features: int | tuple[int, ...]
) -> Manifold:
    """Return the manifold of points of a given shape.

    Parameters
    ----------
    manifold : str or Manifold
        Name of a manifold of vectors ("euclidean", "sphere", "hyperboloid",
        "poincare", "klein" or "torus", taken with unit radius or curvature -1) or of
        matrices ("spd", taken with the affine-invariant metric, or "planar_shapes");
        or an instance, which is returned as it is.
    n_features : int or tuple of int
        Shape of one point, ``X.shape[1:]`` of a data set `X`, or only the number of
        coordinates of a vector, the columns of a data matrix. It is one more than
        the dimension for the sphere and the hyperboloid.

    Returns
    -------
    Manifold
        Manifold with that `point_shape`.

    Raises
    ------
    TypeError
        If `manifold` is neither a name nor a manifold instance.
    ValueError
        If the name is unknown, or the manifold does not have points of that shape.

    Examples
    --------
    >>> import numpy as np
    >>> get_manifold("sphere", 3)
    Sphere(2)
    >>> X = np.tile(np.eye(4), (10, 1, 1))
    >>> get_manifold("spd", X.shape[1:])
    SPD(4)
    """
    shape = _check_shape(n_features)
    if isinstance(manifold, Manifold):
        if tuple(manifold.point_shape) != shape:
            raise ValueError(
                f"Points of {manifold!r} have point_shape "
                f"{tuple(manifold.point_shape)}, but the data have "
                f"{_describe(shape)}."
            )
        return manifold
    if not isinstance(manifold, str):
        hint = ""
        if isinstance(manifold, type) and issubclass(manifold, Manifold):
            hint = f" Create an instance first, e.g. {manifold.__name__}(...)."
        raise TypeError(
            f"manifold must be a name or a Manifold instance, got {manifold!r}.{hint}"
        )
    if manifold == "spd":
        return _symmetric(shape)
    if manifold == "planar_shapes":
        return _planar(shape)
    if manifold not in _NAMED:
        raise ValueError(
            f"Unknown manifold {manifold!r}; known names are "
            f"{sorted([*_NAMED, 'planar_shapes', 'spd'])}. Other manifolds are "
            f"passed as instances."
        )
    if len(shape) != 1:
        raise ValueError(
            f"Points of {manifold!r} are vectors, but the data have "
            f"{_describe(shape)}. Reshape them to (n_samples, n_features), or pass "
            f"manifold='spd' for symmetric positive definite matrices."
        )
    kind, extra = _NAMED[manifold]
    if shape[0] <= extra:
        raise ValueError(
            f"Points of {manifold!r} have at least {extra + 1} coordinates, but the "
            f"data have n_features={shape[0]}."
        )
    return kind(shape[0] - extra)


def _check_shape(n_features):
    if isinstance(n_features, tuple):
        return tuple(check_integer(k, "each of n_features") for k in n_features)
    return (check_integer(n_features, "n_features"),)


def _describe(shape):
    return f"{shape[0]} features" if len(shape) == 1 else f"points of shape {shape}"


def _symmetric(shape):
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(
            f"Points of 'spd' are square matrices, but the data have "
            f"{_describe(shape)}. Pass data of shape (n_samples, n, n), such as those "
            f"of Covariances().fit_transform(trials)."
        )
    return SPD(shape[0])


def _planar(shape):
    if len(shape) != 2 or shape[1] != 2:
        raise ValueError(
            f"Points of 'planar_shapes' are landmarks in the plane, but the data have "
            f"{_describe(shape)}. Pass data of shape (n_samples, n_landmarks, 2)."
        )
    return PlanarShapes(shape[0])
