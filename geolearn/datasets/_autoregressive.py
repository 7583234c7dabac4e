"""Trials whose classes differ in their delayed correlations only."""

from numbers import Integral

import numpy as np
from sklearn.utils import Bunch, check_scalar

from geolearn.datasets._frame import answer, check_real

_MIXING_SHIFT = 2.0  # added to the diagonal of the mixing: far from singular


def make_autoregressive_trials(
    n_trials_per_class: int = 100,
    n_channels: int = 4,
    n_times: int = 120,
    *,
    angles=(0.20 * np.pi, 0.23 * np.pi),
    radius: float = 0.8,
    burn_in: int = 200,
    random_state=None,
    return_X_y: bool = True,
):
    r"""Make trials that plain covariances cannot tell apart.

    In class c every channel is a mixture of independent autoregressive sources

    .. math:: s_t = 2 r \cos(\theta_c) s_{t-1} - r^2 s_{t-2} + e_t,

    noise that rings at the angle :math:`\theta_c` a sample. The innovations
    e are scaled so that the sources have variance 1 in every class, and one
    mixing matrix A serves all classes: the covariance of a trial is
    :math:`A A^\top` in each of them, up to the randomness of a finite trial, and
    only delayed correlations tell the classes apart.

    Parameters
    ----------
    n_trials_per_class : int, default=100
        Number of trials of each class, at least 1.
    n_channels : int, default=4
        Number of channels and of sources, at least 1.
    n_times : int, default=120
        Number of samples of a trial, at least 1.
    angles : sequence of float, default=(0.2 * pi, 0.23 * pi)
        Angle :math:`\theta_c` of each class in radians a sample, in (0, pi);
        their number is the number of classes. At f samples a second the
        sources ring at :math:`f \theta_c / (2 \pi)` hertz.
    radius : float, default=0.8
        Modulus r of the poles, in [0, 1). The nearer to 1, the sharper the
        resonance; at 0 the sources are white and the classes the same.
    burn_in : int, default=200
        Number of samples between the start at rest and the first sample that
        is kept, not negative. The start is forgotten like `radius` to this
        power.
    random_state : int, Generator, RandomState or None, default=None
        Draws mixing and sources. An int s means ``numpy.random.default_rng(s)``
        and gives reproducible trials; None draws fresh entropy.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_trials, n_channels, n_times)
        Trials, float32, class after class;
        n_trials = len(`angles`) * `n_trials_per_class`.
    y : ndarray of shape (n_trials,)
        Classes 0, 1, ...
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`,
        `y`, `mixing` (A, of shape (n_channels, n_channels)), `coefficients` of
        shape (n_classes, 2), whose rows are :math:`(2 r \cos\theta_c, -r^2)`,
        and `noise_scale` of shape (n_classes,), the standard deviations of the
        innovations.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    load_emg_gestures : Real trials, in two sessions.
    load_basic_motions : Real trials, of a smart watch.

    Notes
    -----
    With the default sizes and ``random_state=0`` the accuracy of tangent space
    and logistic regression, by stratified 5-fold cross-validation, is .50 with
    the plain covariance, .975 with order 2 and 1.0 from order 3 on, at lag 1.
    An augmented covariance of order 3 holds all coefficients of the sources.

    References
    ----------
    .. [1] I. Carrara, T. Papadopoulo, "Classification of BCI-EEG based on
       augmented covariance matrix", 2023, arXiv:2302.04508.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.datasets import make_autoregressive_trials
    >>> X, y = make_autoregressive_trials(random_state=0)
    >>> X.shape
    (200, 4, 120)
    >>> trials = make_autoregressive_trials(random_state=0, return_X_y=False)
    >>> expected = trials.mixing @ trials.mixing.T
    >>> covariance = np.mean([np.cov(x, ddof=0) for x in trials.X], axis=0)
    >>> bool(np.abs(covariance - expected).max() < 0.1 * np.abs(expected).max())
    True
    """
    check_scalar(n_trials_per_class, "n_trials_per_class", Integral, min_val=1)
    check_scalar(n_channels, "n_channels", Integral, min_val=1)
    check_scalar(n_times, "n_times", Integral, min_val=1)
    check_scalar(burn_in, "burn_in", Integral, min_val=0)
    check_real(radius, "radius")
    if radius >= 1.0:
        raise ValueError(f"radius={radius} must be below 1: the process explodes.")
    angles = _check_angles(angles)
    rng = _generator(random_state)

    mixing = rng.standard_normal((n_channels, n_channels))
    mixing += _MIXING_SHIFT * np.eye(n_channels)
    coefficients = np.column_stack(
        (2.0 * radius * np.cos(angles), np.full(angles.size, -(radius**2)))
    )
    noise_scale = _noise_scale(*coefficients.T)
    shape = (n_trials_per_class, n_channels, burn_in + n_times)
    X = np.empty((angles.size * n_trials_per_class, n_channels, n_times), np.float32)
    for c, scale in enumerate(noise_scale):
        noise = scale * rng.standard_normal(shape)
        sources = _filter(coefficients[c], noise)[..., burn_in:]
        X[c * n_trials_per_class : (c + 1) * n_trials_per_class] = mixing @ sources
    trials = Bunch(
        X=X,
        y=np.repeat(np.arange(angles.size), n_trials_per_class),
        mixing=mixing,
        coefficients=coefficients,
        noise_scale=noise_scale,
    )
    return answer(trials, return_X_y)


def _check_angles(angles):
    try:
        values = np.asarray(angles, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"angles={angles!r} must be a sequence of numbers.") from error
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"angles={angles!r} must be a sequence of one number a class.")
    if not ((values > 0.0) & (values < np.pi)).all():
        raise ValueError(f"angles={angles!r} must lie strictly between 0 and pi.")
    return values


def _generator(random_state):
    if isinstance(random_state, np.random.Generator | np.random.RandomState):
        return random_state  # both draw by standard_normal(shape)
    if random_state is None or isinstance(random_state, Integral):
        return np.random.default_rng(random_state)
    raise ValueError(
        f"random_state={random_state!r} must be an int, a Generator, a RandomState "
        "or None."
    )


def _noise_scale(phi_1, phi_2):
    """Return the innovations' standard deviation of AR(2) processes of variance 1."""
    precision = (1.0 - phi_2) / ((1.0 + phi_2) * ((1.0 - phi_2) ** 2 - phi_1**2))
    return 1.0 / np.sqrt(precision)


def _filter(coefficients, noise):
    """Run the recursion along the last axis, from rest."""
    from scipy.signal import lfilter

    return lfilter([1.0], [1.0, *-coefficients], noise, axis=-1)
