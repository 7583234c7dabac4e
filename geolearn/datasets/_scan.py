"""A face as a scanner sees it: an open, bumpy surface, unevenly covered."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from geolearn.datasets._ambient import place
from geolearn.datasets._frame import answer, check_real

_SEMI_AXES = (0.75, 1.0)  # of the outline, an ellipse
_DOME = (0.6, 1.2)  # height of the head; its semi-axes over those of the outline
# Bumps: height, centre (x, y), widths along x and y; the second half mirrors.
_BUMPS = np.array(
    [
        (0.28, 0.0, -0.08, 0.11, 0.17),  # tip of the nose
        (0.10, 0.0, 0.15, 0.08, 0.22),  # its bridge
        (0.07, 0.0, 0.50, 0.45, 0.16),  # forehead
        (0.08, 0.0, -0.48, 0.20, 0.06),  # lips
        (0.10, 0.0, -0.76, 0.22, 0.12),  # chin
        (-0.12, 0.28, 0.22, 0.14, 0.09),  # eye sockets
        (-0.12, -0.28, 0.22, 0.14, 0.09),
        (0.07, 0.38, -0.14, 0.17, 0.15),  # cheeks
        (0.07, -0.38, -0.14, 0.17, 0.15),
    ]
)
# Ellipses left out: centre (x, y) and semi-axes along x and y.
_HOLES = np.array(
    [(0.28, 0.22, 0.13, 0.07), (-0.28, 0.22, 0.13, 0.07), (0.0, -0.48, 0.18, 0.05)]
)


def make_scan(
    n_samples: int = 2000,
    *,
    noise: float = 0.0,
    unevenness: float = 4.0,
    holes: bool = False,
    random_state=None,
    return_X_y: bool = True,
):
    """Make a scan of a mask whose normals are known.

    The surface is the graph z = f(x, y) over the ellipse
    (x / 0.75)^2 + y^2 <= 1: a dome with Gaussian bumps for nose, brow, eye sockets,
    cheeks, lips and chin. It is open, its curvature radii reach from 0.1 to several
    units, and its parts are covered unequally, as in scans of heads.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of points, at least 1.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate.
    unevenness : float, default=4.0
        Ratio of the largest to the smallest density of points per area, at least 1.
        The logarithm of the density is linear in x, and largest on the right; 1 is
        uniform.
    holes : bool, default=False
        Whether eyes and mouth are left out.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, 3)
        Points.
    y : ndarray of shape (n_samples, 3)
        Unit normals at the points without noise, towards the viewer: z > 0.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`, `y`,
        `clean` (`X` without noise), and two functions of positions ``xy`` of shape
        (n, 2): ``height(xy)`` returns f, of shape (n,), and ``normals(xy)`` the unit
        normals, of shape (n, 3). A point p near the surface is
        ``|p_z - height(p_xy)|`` times the third entry of the normal from it, up to
        terms of second order.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_s_surface : An open surface that unrolls without distortion.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.datasets import make_scan
    >>> scan = make_scan(500, noise=0.01, random_state=0, return_X_y=False)
    >>> off = scan.X[:, 2] - scan.height(scan.X[:, :2])
    >>> off = off * scan.normals(scan.X[:, :2])[:, 2]
    >>> round(float(off.std()), 2)
    0.01
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_real(noise, "noise")
    check_real(unevenness, "unevenness")
    if unevenness < 1.0:
        raise ValueError(f"unevenness={unevenness} must be at least 1, even density.")
    check_scalar(holes, "holes", (bool, np.bool_))
    rng = check_random_state(random_state)
    xy = _draw(n_samples, unevenness, holes, rng)
    data = place(np.column_stack((xy, _height(xy))), noise, 3, rng)
    del data["basis"]
    data.y = _normals(xy)
    data.height, data.normals = _height, _normals
    return answer(data, return_X_y)


def _draw(n_samples, unevenness, holes, rng):
    """Draw positions of the wanted density per area of the surface, by rejection."""
    kept, n_kept = [], 0
    semi_axes = np.array(_SEMI_AXES)
    steepest = _steepest()
    while n_kept < n_samples:
        xy = semi_axes * rng.uniform(-1.0, 1.0, size=(4 * n_samples, 2))
        inside = np.sum((xy / semi_axes) ** 2, axis=1) <= 1.0
        if holes:
            for x, y, a, b in _HOLES:
                inside &= np.sum(((xy - (x, y)) / (a, b)) ** 2, axis=1) > 1.0
        share = np.sqrt(1.0 + np.sum(_gradient(xy) ** 2, axis=1)) / steepest
        share *= unevenness ** (0.5 * xy[:, 0] / semi_axes[0] - 0.5)
        accepted = xy[inside & (rng.uniform(size=xy.shape[0]) < share)]
        kept.append(accepted)
        n_kept += accepted.shape[0]
    return np.concatenate(kept)[:n_samples]


def _steepest():
    """Bound the area of the surface per area of the viewing plane."""
    axis = np.linspace(-1.0, 1.0, 201)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    grid = grid[np.sum(grid**2, axis=1) <= 1.0] * _SEMI_AXES
    slope = np.sum(_gradient(grid) ** 2, axis=1).max()
    return 1.1 * np.sqrt(1.0 + slope)  # the maximum may lie between grid points


def _height(xy):
    """Return f at positions of shape (n, 2)."""
    xy = np.asarray(xy, dtype=np.float64)
    return _dome(xy) + _bumps(xy).sum(axis=1)


def _gradient(xy):
    """Return the two partial derivatives of f, of shape (n, 2)."""
    top, _ = _DOME
    dome = -(top**2) * xy / _squares() / _dome(xy)[:, None]
    towards = (_BUMPS[:, 1:3] - xy[:, None, :]) / _BUMPS[:, 3:5] ** 2
    return dome + np.einsum("nb,nbi->ni", _bumps(xy), towards)


def _normals(xy):
    """Return unit normals with positive third entry, of shape (n, 3)."""
    xy = np.asarray(xy, dtype=np.float64)
    normals = np.column_stack((-_gradient(xy), np.ones(xy.shape[0])))
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _squares():
    """Return the squared semi-axes of the dome, which ends beyond the outline."""
    return (_DOME[1] * np.array(_SEMI_AXES)) ** 2


def _dome(xy):
    top, _ = _DOME
    # Noisy points may leave the dome; there it has no height and a finite slope.
    rest = np.maximum(1.0 - np.sum(xy**2 / _squares(), axis=1), 1e-3)
    return top * np.sqrt(rest)


def _bumps(xy):
    """Return the heights of all bumps, of shape (n, n_bumps)."""
    offsets = (xy[:, None, :] - _BUMPS[:, 1:3]) / _BUMPS[:, 3:5]
    return _BUMPS[:, 0] * np.exp(-0.5 * np.sum(offsets**2, axis=2))
