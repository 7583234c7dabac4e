"""Uniform points of a sphere, blurred in the space around it."""

from numbers import Integral

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import check_random_state, check_scalar

from geolearn.datasets._ambient import place
from geolearn.datasets._frame import answer, check_real


def make_noisy_sphere(
    n_samples: int = 1000,
    *,
    dim: int = 2,
    noise: float = 0.0,
    radius: float = 1.0,
    n_features: int | None = None,
    random_state=None,
    return_geodesics: bool = False,
    return_X_y: bool = True,
):
    """Make points near a sphere with known geodesic distances.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points, at least 1.
    dim : int, default=2
        Dimension of the sphere, at least 1: 1 is a circle.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate of
        the ambient space.
    radius : float, default=1.0
        Radius of the sphere, positive.
    n_features : int or None, default=None
        Dimension of the ambient space, at least `dim` + 1, which None means.
        Above it the sphere is placed there by a random isometry, before the
        noise is added.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.
    return_geodesics : bool, default=False
        Whether to return the true geodesic distances as well. They take
        8 n_samples^2 bytes.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Points; the sphere has its centre at the origin.
    y : ndarray of shape (n_samples, dim + 1)
        Unit vectors, uniform on the sphere, that point to the points without
        noise. Two of them at angle a have the geodesic distance `radius` a.
    geodesics : ndarray of shape (n_samples, n_samples)
        Geodesic distances between the points without noise. Only if
        `return_geodesics` is True.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields
        `X`, `y`, `geodesics` (if asked for), `clean` (`X` without noise) and
        `basis` of shape (dim + 1, n_features): ``clean = radius * y @ basis``.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_s_surface : A surface that unrolls without distortion.
    make_wedged_spheres : Two spheres that touch.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.datasets import make_noisy_sphere
    >>> X, y = make_noisy_sphere(500, noise=0.05, random_state=0)
    >>> X.shape
    (500, 3)
    >>> round(float(np.linalg.norm(X, axis=1).mean()), 2)
    1.0
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(dim, "dim", Integral, min_val=1)
    check_real(noise, "noise")
    check_real(radius, "radius", include_boundaries="neither")
    if n_features is None:
        n_features = dim + 1
    check_scalar(n_features, "n_features", Integral, min_val=dim + 1)
    rng = check_random_state(random_state)
    directions = unit_vectors(n_samples, dim + 1, rng)
    data = place(radius * directions, noise, n_features, rng)
    data.y = directions
    if return_geodesics:
        # Half the chord keeps all digits of small angles; round-off may pass 1.
        half = np.minimum(0.5 * cdist(directions, directions), 1.0)
        data.geodesics = 2.0 * radius * np.arcsin(half)
    return answer(data, return_X_y)


def unit_vectors(n_samples, n_axes, rng):
    """Draw directions uniformly, of shape (n_samples, n_axes)."""
    vectors = rng.standard_normal(size=(n_samples, n_axes))
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / norms
