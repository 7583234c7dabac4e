"""Surfaces that pinch or cross: a torus with a pinch, two planes."""

import numpy as np
from sklearn.utils import check_random_state

from geolearn.datasets._frame import answer, check_real
from geolearn.datasets._singular import check_singular, halves, label

_BORDER = 0.7  # coordinates of the crossing planes beyond which the edge is near


def make_pinched_torus(
    n_samples: int = 4000,
    *,
    radius: float = 10.0,
    noise: float = 0.0,
    n_features: int | None = None,
    singular_within: float = 0.3,
    regular_beyond: float = 3.0,
    random_state=None,
    return_X_y: bool = True,
):
    """Make a torus that is pinched to a point.

    With R = `radius` and r = cos(phi / 2) a point lies at
    ((R + r cos theta) cos phi, (R + r cos theta) sin phi, r sin theta). The tube
    has radius 1 at phi = 0 and none at phi = pi: at (-R, 0, 0) the surface is a
    double cone. The angles theta and phi are uniform, so the density grows towards
    the pinch.

    Parameters
    ----------
    n_samples : int, default=4000
        Number of points, at least 1.
    radius : float, default=10.0
        Distance R of the middle of the tube from the axis, above 1.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate of
        the ambient space.
    n_features : int or None, default=None
        Dimension of the ambient space, at least 3, which None means. Above it
        the set is placed there by a random isometry, before the noise is added.
    singular_within : float, default=0.3
        Distance from the pinch, not negative, up to which a point is labelled
        singular.
    regular_beyond : float, default=3.0
        Distance from the pinch beyond which a point is labelled regular, at
        least `singular_within`.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Points.
    y : ndarray of shape (n_samples,)
        1 for singular points, 0 for regular ones, -1 for those in between; it
        tells of the points without noise.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`,
        `y`, `clean` (`X` without noise), `distance` of shape (n_samples,), the
        Euclidean distance of each clean point from the pinch, `angles` of
        shape (n_samples, 2), theta and phi, and `basis` of shape (3,
        n_features), the images of the axes.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_crossing_planes : Singular points along a line.

    Notes
    -----
    The example of [1]_, with 10 000 or more points there.

    References
    ----------
    .. [1] J. von Rohrscheidt, B. Rieck, "Topological Singularity Detection at
       Multiple Scales", ICML 2023, arXiv:2210.00069.

    Examples
    --------
    >>> from geolearn.datasets import make_pinched_torus
    >>> X, y = make_pinched_torus(1000, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((1000, 3), [-1, 0, 1])
    """
    check_real(radius, "radius")
    if radius <= 1.0:
        raise ValueError(f"radius={radius} must be above 1, the radius of the tube.")
    radii = (singular_within, regular_beyond)
    n_features = check_singular(n_samples, noise, n_features, 3, radii)
    rng = check_random_state(random_state)
    theta, phi = 2.0 * np.pi * rng.uniform(size=(2, n_samples))
    tube = np.cos(0.5 * phi)
    from_axis = radius + tube * np.cos(theta)
    points = np.column_stack(
        (from_axis * np.cos(phi), from_axis * np.sin(phi), tube * np.sin(theta))
    )
    distance = np.linalg.norm(points - [-radius, 0.0, 0.0], axis=1)
    data = label(points, distance, radii, noise, n_features, rng)
    data.angles = np.column_stack((theta, phi))
    return answer(data, return_X_y)


def make_crossing_planes(
    n_samples: int = 2000,
    *,
    noise: float = 0.0,
    n_features: int | None = None,
    singular_within: float = 0.05,
    regular_beyond: float = 0.3,
    random_state=None,
    return_X_y: bool = True,
):
    """Make two squares that cross at a right angle.

    The squares [-1, 1]^2 in the plane z = 0 and in the plane y = 0, half of the
    points uniform on each. They cross along the x axis, where the union is no
    manifold.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of points, at least 2. Of an odd number, the second square gets
        one more.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate of
        the ambient space.
    n_features : int or None, default=None
        Dimension of the ambient space, at least 3, which None means. Above it
        the set is placed there by a random isometry, before the noise is added.
    singular_within : float, default=0.05
        Distance from the x axis, not negative, up to which a point is labelled
        singular.
    regular_beyond : float, default=0.3
        Distance from the x axis beyond which a point is labelled regular, at
        least `singular_within`.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Points; the first square comes first.
    y : ndarray of shape (n_samples,)
        1 for singular points, 0 for regular ones, -1 for those in between and
        for those with a coordinate beyond 0.7, near the edges; it tells of the
        points without noise.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`,
        `y`, `clean` (`X` without noise), `distance` of shape (n_samples,), the
        Euclidean distance of each clean point from the x axis, `piece` of
        shape (n_samples,), 0 or 1, the square of each point, and `basis` of
        shape (3, n_features), the images of the axes.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_pinched_torus : One singular point.

    Examples
    --------
    >>> from geolearn.datasets import make_crossing_planes
    >>> X, y = make_crossing_planes(1000, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((1000, 3), [-1, 0, 1])
    """
    radii = (singular_within, regular_beyond)
    n_features = check_singular(n_samples, noise, n_features, 3, radii, least=2)
    rng = check_random_state(random_state)
    sizes = halves(n_samples)
    points = np.zeros((n_samples, 3))
    points[:, 0], points[:, 1] = rng.uniform(-1.0, 1.0, size=(2, n_samples))
    points[sizes[0] :] = points[sizes[0] :, [0, 2, 1]]
    distance = np.linalg.norm(points[:, 1:], axis=1)
    inner = np.abs(points).max(axis=1) < _BORDER
    data = label(points, distance, radii, noise, n_features, rng, inner)
    data.piece = np.repeat(np.arange(2), sizes)
    return answer(data, return_X_y)
