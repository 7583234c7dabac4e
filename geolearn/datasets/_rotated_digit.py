"""One image turned through a full circle."""

from numbers import Integral

import numpy as np
from sklearn.utils import Bunch, check_random_state, check_scalar

from geolearn.datasets._frame import answer, check_real

_SIDE = 12  # pixels; the corners of an 8 x 8 image, turned, stay in the frame


def make_rotated_digit(
    n_samples: int = 360,
    *,
    digit: int = 5,
    index: int = 0,
    angles: str = "even",
    noise: float = 0.0,
    random_state=None,
    return_X_y: bool = True,
):
    """Turn the image of a handwritten digit through a full circle.

    The images of one digit, turned by angles from 0 to 2 pi, lie on a closed curve
    in the space of pixels: real grey values, a known circle. The image has 8 x 8
    pixels, from :func:`sklearn.datasets.load_digits`; it is put into the middle of
    12 x 12 empty ones, so that nothing is cut off, and turned by cubic splines.

    Parameters
    ----------
    n_samples : int, default=360
        Number of images, at least 1.
    digit : int, default=5
        Digit from 0 to 9.
    index : int, default=0
        Which of the images of that digit to take, from 0; there are about 180 of
        each.
    angles : {"even", "random"}, default="even"
        Whether the angles are 2 pi i / `n_samples` in this order, or uniform on
        [0, 2 pi).
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every pixel. Grey values
        reach from 0 to 1, up to some overshooting of the splines.
    random_state : int, RandomState instance or None, default=None
        Draws angles and noise. Pass an int for reproducible results.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, 144)
        Images, row after row of pixels.
    y : ndarray of shape (n_samples,)
        Angles in radians, counter-clockwise, in [0, 2 pi).
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`, `y`,
        `clean` (`X` without noise) and `images` of shape (n_samples, 12, 12), a
        view of `X`.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_noisy_sphere : With ``dim=1``, a round circle.

    Notes
    -----
    The curve is not run through with constant speed, and a digit that looks alike
    upside down, such as 0 or 8, nearly closes after half a turn.

    Examples
    --------
    >>> from geolearn.datasets import make_rotated_digit
    >>> X, angles = make_rotated_digit(120)
    >>> X.shape, round(float(angles[30]), 3)
    ((120, 144), 1.571)
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(digit, "digit", Integral, min_val=0, max_val=9)
    check_real(noise, "noise")
    if angles not in ("even", "random"):
        raise ValueError(f"angles={angles!r} must be 'even' or 'random'.")
    image = _image(digit, index)
    rng = check_random_state(random_state)
    if angles == "even":
        y = 2.0 * np.pi * np.arange(n_samples) / n_samples
    else:
        y = 2.0 * np.pi * rng.uniform(size=n_samples)
    clean = _turn(image, y)
    # Drawn for noise=0 too: the stream is used up alike for every noise level.
    X = clean + noise * rng.standard_normal(size=clean.shape)
    images = X.reshape(n_samples, _SIDE, _SIDE)
    return answer(Bunch(X=X, y=y, clean=clean, images=images), return_X_y)


def _image(digit, index):
    """Return an image of that digit in an empty frame, grey values in [0, 1]."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    found = np.flatnonzero(digits.target == digit)
    check_scalar(index, "index", Integral, min_val=0, max_val=found.shape[0] - 1)
    return np.pad(digits.images[found[index]] / 16.0, (_SIDE - 8) // 2)


def _turn(image, angles):
    """Return the image turned counter-clockwise, of shape (n, _SIDE**2)."""
    from scipy.ndimage import map_coordinates, spline_filter

    centre = 0.5 * (_SIDE - 1)
    row, column = np.indices(image.shape).reshape(2, -1) - centre
    coefficients = spline_filter(image)
    turned = np.empty((angles.shape[0], image.size))
    for i, (sine, cosine) in enumerate(
        zip(np.sin(angles), np.cos(angles), strict=True)
    ):
        # Rows grow downwards: this is where the pixel came from.
        source = (cosine * row + sine * column, cosine * column - sine * row)
        turned[i] = map_coordinates(
            coefficients, np.stack(source) + centre, mode="constant", prefilter=False
        )
    return turned
