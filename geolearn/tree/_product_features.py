"""Features of points of product spaces whose thresholds are geodesic hyperplanes."""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np

from geolearn.manifolds import axial_coordinates
from geolearn.manifolds._signature import component_columns

_TOLERANCE = 1e-6  # relative
_SINGLE_TOLERANCE = 1e-3  # of single precision
_FAR = 1e150  # squares of larger coordinates may overflow


class SplitFeatures(NamedTuple):
    """What the features of a signature are; one entry a feature."""

    component: np.ndarray  # positions in the signature
    base: np.ndarray  # the axis from which angles are measured, -1 if none
    axis: np.ndarray  # the axis along which a split moves
    circular: np.ndarray  # angles modulo 2 pi rather than lengths


def split_features(components, planes, special_dims):
    """List the features of a signature.

    Parameters
    ----------
    components : tuple of (float, int)
        Signature.
    planes : {"axis", "all"}
        Whether to add the angles in the planes of two axes of a component.
    special_dims : bool
        Whether to add the heights over the origin of curved components.

    Returns
    -------
    SplitFeatures
        Axes count from 1, 0 being the one through the origin of curved components.
    """
    rows: list[tuple[int, int, int, bool]] = []
    for k, (curvature, dim) in enumerate(components):
        base = -1 if curvature == 0.0 else 0
        rows += [(k, base, d, curvature > 0.0) for d in range(1, dim + 1)]
        if planes == "all":
            pairs = combinations(range(1, dim + 1), 2)
            rows += [(k, i, j, True) for i, j in pairs]
    if special_dims:
        curved = [k for k, (curvature, _) in enumerate(components) if curvature != 0.0]
        rows += [(k, -1, 0, False) for k in curved]
    component, base_axis, axis, circular = zip(*rows, strict=True)
    return SplitFeatures(
        np.array(component), np.array(base_axis), np.array(axis), np.array(circular)
    )


def half_angles(x, y):
    """Return the angles of (x, y) modulo pi, negative where they are negative.

    The sign, which zero has too, tells the half-circle: angles in (-pi, 0) and pi
    itself get it.
    """
    # Adding 0 turns a negative zero into a positive one.
    angle = np.arctan2(y + 0.0, x + 0.0)
    halves = np.where(angle < 0.0, -(angle + math.pi), angle)
    return np.where(angle == math.pi, -0.0, halves)


def features_of(X, components, features):
    """Return the features of points.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Points, checked.
    components : tuple of (float, int)
        Signature.
    features : SplitFeatures
        Features.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Values.
    """
    columns = component_columns(components)
    Z = np.empty((len(X), len(features.axis)))
    for k, (curvature, _) in enumerate(components):
        points = X[:, slice(*columns[k])]
        axial = (
            axial_coordinates(points, "hyperboloid", curvature)
            if (curvature < 0.0)
            else points
        )
        for f in np.flatnonzero(features.component == k):
            base, axis = features.base[f], features.axis[f]
            if features.circular[f]:
                offset = 0 if curvature != 0.0 else 1
                Z[:, f] = half_angles(
                    points[:, base - offset], points[:, axis - offset]
                )
            elif axis == 0:
                Z[:, f] = points[:, 0]
            else:
                Z[:, f] = axial[:, axis - 1]
    return Z


def check_components(X, components, single):
    """Check that points lie on the components of a signature.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Points, finite.
    components : tuple of (float, int)
        Signature.
    single : bool
        Whether the points come from single precision.

    Raises
    ------
    ValueError
        If a point is off by more than 1e-6 of its size (1e-3 in single precision),
        or on the lower sheet.
    """
    tolerance = _SINGLE_TOLERANCE if single else _TOLERANCE
    for k, (start, stop) in enumerate(component_columns(components)):
        curvature = components[k][0]
        if curvature == 0.0:
            continue
        points = X[:, start:stop]
        radius = 1.0 / math.sqrt(abs(curvature))
        if curvature < 0.0:
            _check_sheet(points, k, start, curvature)
            size, space = points[:, 0], points[:, 1:]
            if size.max() > _FAR:
                radius, space = radius / size, space / size[:, None]
                size = np.ones(len(size))
            squares = np.einsum("ij,ij->i", space, space)
            error = np.abs(size - np.sqrt(radius**2 + squares)) / size
        else:
            squares = np.einsum("ij,ij->i", points, points)
            error = np.abs(np.sqrt(squares) - radius) / radius
        worst = int(np.argmax(error))
        if not error[worst] <= tolerance:
            space_name = "hyperboloid" if curvature < 0.0 else "sphere"
            class_name = "Hyperboloid" if curvature < 0.0 else "Sphere"
            raise ValueError(
                f"The points in columns {start} to {stop - 1} of X are not on the "
                f"{space_name} of curvature {curvature:g} (largest relative error "
                f"{error[worst]:.1e}, in row {worst}; tolerance {tolerance:.0e}). "
                f"Check the curvature and the order of columns in signature[{k}], "
                f"or move them there by geolearn.manifolds.{class_name}"
                f"({stop - start - 1}, {curvature:g}).project."
            )


def _check_sheet(points, k, start, curvature):
    lower = np.flatnonzero(points[:, 0] <= 0.0)
    if lower.size:
        raise ValueError(
            f"X[{lower[0]}] is on the lower sheet of the hyperboloid of curvature "
            f"{curvature:g}: column {start}, the first one of signature[{k}], is "
            f"{points[lower[0], 0]:g} and must be positive. Put the time coordinate "
            f"first, or reverse the sign of these points."
        )
