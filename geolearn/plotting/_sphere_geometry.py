"""Longitude and latitude, rotations of the sphere, and its grid in space."""

import math

import numpy as np

_NO_DIRECTION = 1e-8  # norm of a mean of unit vectors that has no direction
_SPACING = 30  # degrees between the lines of the globe's grid
_FRONT, _BACK = "0.6", "0.88"


def longitude_latitude(X):
    """Return angles in radians, shape (n, 2), of unit vectors."""
    longitude = np.arctan2(X[:, 1], X[:, 0])
    latitude = np.arctan2(X[:, 2], np.hypot(X[:, 0], X[:, 1]))
    return np.column_stack([longitude, latitude])


def check_center(center, X):
    """Return longitude and latitude in radians, or None."""
    if center is None:
        return None
    if isinstance(center, str) and center == "mean":
        mean = X.mean(axis=0)
        if np.linalg.norm(mean) < _NO_DIRECTION:
            raise ValueError(
                "center='mean': the mean of the points is the middle of the sphere and "
                "has no direction; pass center=(longitude, latitude)."
            )
        return tuple(longitude_latitude(mean[None])[0])
    try:
        longitude, latitude = (float(angle) for angle in center)
    except (TypeError, ValueError):
        longitude = latitude = math.nan
    if not (math.isfinite(longitude) and abs(latitude) <= 90.0):
        raise ValueError(
            f"center={center!r} must be 'mean', None, or longitude and latitude in "
            f"degrees, the latter between -90 and 90."
        )
    return math.radians(longitude), math.radians(latitude)


def rotation_to(longitude, latitude):
    """Return the rotation that brings a direction to the x axis, north up."""
    a, b = math.cos(longitude), math.sin(longitude)
    c, s = math.cos(latitude), math.sin(latitude)
    return np.array([[c * a, c * b, s], [-b, a, 0.0], [-s * a, -s * b, c]])


def draw_globe(ax, center):
    """Draw the grid of a globe in 3-D axes, its far half fainter."""
    if center is not None:
        longitude, latitude = np.degrees(center)
        ax.view_init(elev=latitude, azim=longitude)
    azim, elev = math.radians(ax.azim), math.radians(ax.elev)
    towards = rotation_to(azim, elev)[0]
    for line in _grid_lines():
        hidden = line @ towards < 0.0
        for side, color in ((hidden, _BACK), (~hidden, _FRONT)):
            # NaN breaks the line where it passes to the other side.
            part = np.where(side[:, None], line, np.nan)
            if side.any():
                ax.plot(*part.T, color=color, linewidth=0.6)
    ax.set_box_aspect((1.0, 1.0, 1.0), zoom=1.25)
    ax.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
    ax.set_axis_off()


def _grid_lines():
    """Return meridians and parallels, each an array of shape (n, 3)."""
    turn = np.radians(np.linspace(0.0, 360.0, 145))
    half = np.radians(np.linspace(-90.0, 90.0, 73))
    lines = []
    for degrees in range(0, 360, _SPACING):
        a = math.radians(degrees)
        flat = np.cos(half)
        lines.append(
            np.column_stack([flat * math.cos(a), flat * math.sin(a), np.sin(half)])
        )
    for degrees in range(-90 + _SPACING, 90, _SPACING):
        b = math.radians(degrees)
        height = np.full_like(turn, math.sin(b))
        lines.append(
            np.column_stack(
                [math.cos(b) * np.cos(turn), math.cos(b) * np.sin(turn), height]
            )
        )
    return lines
