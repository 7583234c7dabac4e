"""The S-surface: a flat rectangle bent into two half turns of opposite sense."""

from numbers import Integral

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import check_random_state, check_scalar

from geolearn.datasets._ambient import place
from geolearn.datasets._frame import answer, check_real


def make_s_surface(
    n_samples: int = 1000,
    *,
    noise: float = 0.0,
    width: float = 2.0,
    n_features: int = 3,
    random_state=None,
    return_geodesics: bool = False,
    return_X_y: bool = True,
):
    """Make an S-surface with its isometric coordinates.

    A point has a position t, uniform on [-3 pi / 2, 3 pi / 2], and a height h,
    uniform on [0, `width`]; it lies at (sin t, h, sign(t) (cos t - 1)). The
    letter S is run through with unit speed, so the map to (t, h) unrolls the
    surface without distortion onto a rectangle: the geodesic distance of two
    points is the Euclidean distance of their coordinates.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points, at least 1.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate of
        the ambient space. The arcs of the S have radius 1 and its sheets are 2
        apart.
    width : float, default=2.0
        Width of the sheet, positive.
    n_features : int, default=3
        Dimension of the ambient space, at least 3. Above 3 the surface is
        placed there by a random isometry, before the noise is added.
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
        Points.
    y : ndarray of shape (n_samples, 2)
        Isometric coordinates (t, h) of the points without noise.
    geodesics : ndarray of shape (n_samples, n_samples)
        Geodesic distances between the points without noise. Only if
        `return_geodesics` is True.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields
        `X`, `y`, `geodesics` (if asked for), `clean` (`X` without noise),
        `tangents` of shape (n_samples, 2, n_features), the orthonormal tangent
        vectors along t and h at the points without noise, and `basis` of shape
        (3, n_features), the images of the three axes above.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_swiss_roll : A rectangle rolled up, with sheets further apart.
    make_noisy_sphere : A surface that no chart unrolls without distortion.

    Notes
    -----
    With `width` 2 and `n_features` 3 a seed gives the points of
    :func:`sklearn.datasets.make_s_curve`.

    Examples
    --------
    >>> from geolearn.datasets import make_s_surface
    >>> X, y = make_s_surface(500, noise=0.05, random_state=0)
    >>> X.shape, y.shape
    ((500, 3), (500, 2))

    In 50 dimensions, with noise in all of them:

    >>> X, y = make_s_surface(500, noise=0.03, n_features=50, random_state=0)
    >>> X.shape
    (500, 50)
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_real(noise, "noise")
    check_real(width, "width", include_boundaries="neither")
    check_scalar(n_features, "n_features", Integral, min_val=3)
    rng = check_random_state(random_state)
    t = 3.0 * np.pi * (rng.uniform(size=n_samples) - 0.5)
    height = width * rng.uniform(size=n_samples)
    bend = np.sign(t)
    points = np.column_stack((np.sin(t), height, bend * (np.cos(t) - 1.0)))
    data = place(points, noise, n_features, rng)
    data.y = np.column_stack((t, height))
    if not return_X_y:
        along = np.column_stack((np.cos(t), np.zeros_like(t), -bend * np.sin(t)))
        across = np.broadcast_to([0.0, 1.0, 0.0], along.shape)
        data.tangents = np.stack((along, across), axis=1) @ data.basis
    if return_geodesics:
        data.geodesics = cdist(data.y, data.y)
    return answer(data, return_X_y)
