"""Swiss rolls: a flat rectangle rolled up, so its geodesics are straight lines."""

from numbers import Integral

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import Bunch, check_random_state, check_scalar

from geolearn.datasets._frame import answer, check_real
from geolearn.datasets._rotation import random_rotation

_CLUSTER_CENTRES = (7.0, 12.0)  # roll parameters s of the two clusters


def make_swiss_roll(
    n_samples: int = 1000,
    *,
    noise: float = 0.0,
    width: float = 5.0,
    n_ambient: int = 3,
    rotate: bool | str = "auto",
    target: str = "position",
    n_bins: int = 5,
    random_state=None,
    return_geodesics: bool = False,
    return_X_y: bool = True,
):
    """Make a Swiss roll with known geodesic distances.

    A point has a roll parameter s, uniform on [3 pi / 2, 9 pi / 2], and a
    height h, uniform on [0, `width`]; it lies at (s cos s, h, s sin s). With
    u(s) = (s sqrt(s^2 + 1) + arcsinh s) / 2, the arc length of the spiral, the
    map (s, h) -> (u(s), h) unrolls the surface without distortion onto a
    rectangle, so the geodesic distance of two points is the Euclidean distance
    of their images.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points, at least 1.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate of
        the ambient space. The sheets of the roll are about 6 apart.
    width : float, default=5.0
        Width of the rolled sheet, positive. scikit-learn's roll has width 21.
    n_ambient : int, default=3
        Dimension of the ambient space, at least 3.
    rotate : bool or "auto", default="auto"
        Whether to turn the roll by a random rotation of the ambient space
        before the noise is added. "auto" rotates when `n_ambient` is above 3;
        False then pads with columns of zeros (before the noise).
    target : {"position", "bins", "digitize"}, default="position"
        What `y` holds. "position" is the roll parameter s; "bins" cuts the
        range of s into `n_bins` intervals of equal length, labelled
        0 ... `n_bins` - 1; "digitize" is the labelling of the published
        benchmark, see Notes.
    n_bins : int, default=5
        Number of bins of s for "bins", at least 2; for "digitize" the number
        of bin edges.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.
    return_geodesics : bool, default=False
        Whether to return the true geodesic distances as well. They take
        8 n_samples^2 bytes.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_ambient)
        Points.
    y : ndarray of shape (n_samples,)
        Target, see `target`.
    geodesics : ndarray of shape (n_samples, n_samples)
        Geodesic distances between the points without noise. Only if
        `return_geodesics` is True.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields
        `X`, `y`, `geodesics` (if asked for), `clean` (`X` without noise),
        `position` (roll parameter s) and `unrolled` of shape (n_samples, 2),
        the flat coordinates (u(s), h), whose Euclidean distances are the
        geodesic ones.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_clustered_roll : The same surface with two dense regions.
    make_branching_tree : Random walks joined to a tree.

    Notes
    -----
    The numbers are drawn from the legacy stream of `numpy.random.RandomState`
    in the order of the benchmark of [1]_ (positions, heights, rotation, noise),
    so an integer seed gives the input of that benchmark; the published runs
    have seeds 42 to 51, 2000 points and 3, 10 or 50 ambient dimensions. The
    rotation is the one that SciPy drew at that time, under any version of
    SciPy; coordinates after a rotation agree to rounding.

    The benchmark labels are ``digitize(s, linspace(s.min(), s.max(), 5))``. This
    makes four bins of equal length, labelled 1 to 4, and a fifth label for the
    single point of largest s. Use "digitize" to compare with published
    clustering scores and "bins" for anything else.

    References
    ----------
    .. [1] G. Huguet, A. Tong, E. De Brouwer, Y. Zhang, G. Wolf, I. Adelstein,
       S. Krishnaswamy, "A Heat Diffusion Perspective on Geodesic Preserving
       Dimensionality Reduction", NeurIPS 2023, arXiv:2305.19043.

    Examples
    --------
    >>> from geolearn.datasets import make_swiss_roll
    >>> X, y = make_swiss_roll(500, noise=0.1, random_state=0)
    >>> X.shape, y.shape
    ((500, 3), (500,))

    The true distances, to score an embedding with:

    >>> X, y, geodesics = make_swiss_roll(500, random_state=0, return_geodesics=True)
    >>> geodesics.shape
    (500, 500)

    Above some ten thousand points, take rows of them from the flat coordinates:

    >>> from scipy.spatial.distance import cdist
    >>> roll = make_swiss_roll(50_000, random_state=0, return_X_y=False)
    >>> cdist(roll.unrolled[:10], roll.unrolled).shape
    (10, 50000)
    """
    _check_roll(n_samples, noise, width, n_ambient, rotate, n_bins)
    _check_target(target, ("position", "bins", "digitize"))
    rng = check_random_state(random_state)
    s = 1.5 * np.pi * (1.0 + 2.0 * rng.rand(n_samples))
    roll = _roll_up(s, noise, width, n_ambient, rotate, rng)
    roll.y = _target(target, s, n_bins)
    if return_geodesics:
        roll.geodesics = cdist(roll.unrolled, roll.unrolled)
    return answer(roll, return_X_y)


def make_clustered_roll(
    n_samples: int = 1000,
    *,
    noise: float = 0.0,
    width: float = 5.0,
    n_ambient: int = 3,
    rotate: bool | str = "auto",
    target: str = "cluster",
    n_bins: int = 5,
    random_state=None,
    return_geodesics: bool = False,
    return_X_y: bool = True,
):
    """Make a Swiss roll with two clusters and known geodesic distances.

    As :func:`make_swiss_roll`, but the roll parameter s is normal with standard
    deviation 1 around 7 for the first half of the points, around 12 for the
    second half. The clusters differ along the roll only; straight through the
    ambient space they are neighbours.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points, at least 2. Of an odd number, the second cluster
        gets one more.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every coordinate of
        the ambient space.
    width : float, default=5.0
        Width of the rolled sheet, positive.
    n_ambient : int, default=3
        Dimension of the ambient space, at least 3.
    rotate : bool or "auto", default="auto"
        Whether to turn the roll by a random rotation of the ambient space
        before the noise is added. "auto" rotates when `n_ambient` is above 3;
        False then pads with columns of zeros (before the noise).
    target : {"cluster", "position", "bins", "digitize"}, default="cluster"
        What `y` holds. "cluster" is 0 or 1, the component that the point was
        drawn from; the others are those of :func:`make_swiss_roll`. The
        published clustering scores use "digitize": four bins and a singleton.
    n_bins : int, default=5
        Number of bins of s for "bins", at least 2; for "digitize" the number
        of bin edges.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.
    return_geodesics : bool, default=False
        Whether to return the true geodesic distances as well. They take
        8 n_samples^2 bytes.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_ambient)
        Points; the first cluster comes first.
    y : ndarray of shape (n_samples,)
        Target, see `target`.
    geodesics : ndarray of shape (n_samples, n_samples)
        Geodesic distances between the points without noise. Only if
        `return_geodesics` is True.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields
        of :func:`make_swiss_roll` and `cluster`.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_swiss_roll : The same surface, evenly covered along s.

    Notes
    -----
    The order of the draws is that of the benchmark of [1]_: positions of the
    first and the second cluster, heights, rotation, noise.

    References
    ----------
    .. [1] G. Huguet, A. Tong, E. De Brouwer, Y. Zhang, G. Wolf, I. Adelstein,
       S. Krishnaswamy, "A Heat Diffusion Perspective on Geodesic Preserving
       Dimensionality Reduction", NeurIPS 2023, arXiv:2305.19043.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.datasets import make_clustered_roll
    >>> X, y = make_clustered_roll(7, random_state=0)
    >>> np.bincount(y)
    array([3, 4])
    """
    _check_roll(n_samples, noise, width, n_ambient, rotate, n_bins, least=2)
    _check_target(target, ("cluster", "position", "bins", "digitize"))
    rng = check_random_state(random_state)
    sizes = (n_samples // 2, n_samples - n_samples // 2)
    s = np.concatenate(
        [
            centre + rng.normal(size=size)
            for centre, size in zip(_CLUSTER_CENTRES, sizes, strict=True)
        ]
    )
    roll = _roll_up(s, noise, width, n_ambient, rotate, rng)
    roll.cluster = np.repeat(np.arange(2), sizes)
    roll.y = roll.cluster if target == "cluster" else _target(target, s, n_bins)
    if return_geodesics:
        roll.geodesics = cdist(roll.unrolled, roll.unrolled)
    return answer(roll, return_X_y)


def _check_roll(n_samples, noise, width, n_ambient, rotate, n_bins, least=1):
    check_scalar(n_samples, "n_samples", Integral, min_val=least)
    check_real(noise, "noise")
    check_real(width, "width", include_boundaries="neither")
    check_scalar(n_ambient, "n_ambient", Integral, min_val=3)
    check_scalar(n_bins, "n_bins", Integral, min_val=2)
    if not isinstance(rotate, bool | np.bool_) and rotate != "auto":
        raise ValueError(f"rotate={rotate!r} must be True, False or 'auto'.")


def _check_target(target, choices):
    if target not in choices:
        raise ValueError(f"target={target!r} must be one of {list(choices)}.")


def _roll_up(s, noise, width, n_ambient, rotate, rng):
    """Place the points of parameter s, drawing heights, rotation and noise."""
    n_samples = s.shape[0]
    height = width * rng.rand(n_samples)
    clean = np.zeros((n_samples, n_ambient))
    clean[:, 0] = s * np.cos(s)
    clean[:, 1] = height
    clean[:, 2] = s * np.sin(s)
    if n_ambient > 3 if rotate == "auto" else rotate:
        clean = clean[:, :3] @ random_rotation(n_ambient, rng)[:3]
    # Drawn for noise=0 too: the stream is used up alike for every noise level.
    X = clean + noise * rng.randn(n_samples, n_ambient)
    unrolled = np.column_stack((_arc_length(s), height))
    return Bunch(X=X, clean=clean, position=s, unrolled=unrolled)


def _arc_length(s):
    """Length of the spiral s -> (s cos s, s sin s) from 0 to s, signed."""
    return 0.5 * (s * np.sqrt(s * s + 1.0) + np.arcsinh(s))


def _target(target, s, n_bins):
    if target == "position":
        return s
    if target == "digitize":
        return np.digitize(s, np.linspace(s.min(), s.max(), n_bins))
    inner = np.linspace(s.min(), s.max(), n_bins + 1)[1:-1]
    return np.digitize(s, inner)
