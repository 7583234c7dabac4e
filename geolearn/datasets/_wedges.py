"""Pieces joined at one point: two spheres, a circle and a sphere."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from geolearn.datasets._frame import answer
from geolearn.datasets._noisy_sphere import unit_vectors
from geolearn.datasets._singular import check_singular, halves, label


def make_wedged_spheres(
    n_samples: int = 2000,
    *,
    dim: int = 2,
    noise: float = 0.0,
    n_features: int | None = None,
    singular_within: float = 0.15,
    regular_beyond: float = 0.5,
    random_state=None,
    return_X_y: bool = True,
):
    """Make two spheres that touch at a point.

    Two unit spheres with centres at the origin and at (2, 0, ..., 0), half of the
    points uniform on each. At (1, 0, ..., 0), where they touch, the union is no
    manifold; both have the same tangent space there, so that at small scales the
    place looks like one thick sheet.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of points, at least 2. Of an odd number, the second sphere gets
        one more.
    dim : int, default=2
        Dimension of the spheres, at least 1.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate of
        the ambient space.
    n_features : int or None, default=None
        Dimension of the ambient space, at least dim + 1, which None means. Above it
        the set is placed there by a random isometry, before the noise is added.
    singular_within : float, default=0.15
        Distance from the touching point, not negative, up to which a point is labelled
        singular.
    regular_beyond : float, default=0.5
        Distance from the touching point beyond which a point is labelled regular, at
        least `singular_within`.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Points; the first sphere comes first.
    y : ndarray of shape (n_samples,)
        1 for singular points, 0 for regular ones, -1 for those in between; it
        tells of the points without noise.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`,
        `y`, `clean` (`X` without noise), `distance` of shape (n_samples,), the
        Euclidean distance of each clean point from the touching point, `piece`
        of shape (n_samples,), 0 or 1, the sphere of each point, and `basis` of
        shape (dim + 1, n_features), the images of the axes.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_circle_and_sphere : A wedge of different dimensions.
    make_noisy_sphere : One sphere.

    Notes
    -----
    A standard example of singularity detection; [1]_ has 10 000 points on each
    sphere and dimensions 2 to 5.

    References
    ----------
    .. [1] J. von Rohrscheidt, B. Rieck, "Topological Singularity Detection at
       Multiple Scales", ICML 2023, arXiv:2210.00069.

    Examples
    --------
    >>> from geolearn.datasets import make_wedged_spheres
    >>> X, y = make_wedged_spheres(1000, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((1000, 3), [-1, 0, 1])
    """
    check_scalar(dim, "dim", Integral, min_val=1)
    radii = (singular_within, regular_beyond)
    n_features = check_singular(n_samples, noise, n_features, dim + 1, radii, least=2)
    rng = check_random_state(random_state)
    points = unit_vectors(n_samples, dim + 1, rng)
    sizes = halves(n_samples)
    points[sizes[0] :, 0] += 2.0
    data = label(points, _from_wedge(points), radii, noise, n_features, rng)
    data.piece = np.repeat(np.arange(2), sizes)
    return answer(data, return_X_y)


def make_circle_and_sphere(
    n_samples: int = 2000,
    *,
    noise: float = 0.0,
    n_features: int | None = None,
    singular_within: float = 0.1,
    regular_beyond: float = 0.5,
    random_state=None,
    return_X_y: bool = True,
):
    """Make a circle and a sphere that touch at a point.

    The unit circle about the origin in the plane of the first two axes and the
    unit sphere with centre (2, 0, 0), half of the points uniform on each. At
    (1, 0, 0), where they touch, the dimension jumps from 1 to 2.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of points, at least 2. Of an odd number, the sphere gets one more.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate of
        the ambient space.
    n_features : int or None, default=None
        Dimension of the ambient space, at least 3, which None means. Above it
        the set is placed there by a random isometry, before the noise is added.
    singular_within : float, default=0.1
        Distance from the touching point, not negative, up to which a point is labelled
        singular.
    regular_beyond : float, default=0.5
        Distance from the touching point beyond which a point is labelled regular, at
        least `singular_within`.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Points; the circle comes first.
    y : ndarray of shape (n_samples,)
        1 for singular points, 0 for regular ones, -1 for those in between; it
        tells of the points without noise.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`,
        `y`, `clean` (`X` without noise), `distance` of shape (n_samples,), the
        Euclidean distance of each clean point from the touching point, `piece`
        of shape (n_samples,), 0 on the circle and 1 on the sphere, `local_dim`
        of shape (n_samples,), the dimension 1 or 2 of the piece, and `basis`
        of shape (3, n_features), the images of the axes.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_wedged_spheres : A wedge of equal dimensions.

    Notes
    -----
    An example of [1]_ for estimates of the dimension at each point.

    References
    ----------
    .. [1] J. von Rohrscheidt, B. Rieck, "Topological Singularity Detection at
       Multiple Scales", ICML 2023, arXiv:2210.00069.

    Examples
    --------
    >>> from geolearn.datasets import make_circle_and_sphere
    >>> data = make_circle_and_sphere(1000, random_state=0, return_X_y=False)
    >>> data.X.shape, data.local_dim[[0, -1]].tolist()
    ((1000, 3), [1, 2])
    """
    radii = (singular_within, regular_beyond)
    n_features = check_singular(n_samples, noise, n_features, 3, radii, least=2)
    rng = check_random_state(random_state)
    sizes = halves(n_samples)
    angle = 2.0 * np.pi * rng.uniform(size=sizes[0])
    circle = np.column_stack((np.cos(angle), np.sin(angle), np.zeros(sizes[0])))
    sphere = unit_vectors(sizes[1], 3, rng)
    sphere[:, 0] += 2.0
    points = np.concatenate((circle, sphere))
    data = label(points, _from_wedge(points), radii, noise, n_features, rng)
    data.piece = np.repeat(np.arange(2), sizes)
    data.local_dim = data.piece + 1
    return answer(data, return_X_y)


def _from_wedge(points):
    """Return the distances from (1, 0, ..., 0)."""
    return np.linalg.norm(points - np.eye(points.shape[1])[0], axis=1)
