"""Scalar functions of curved geometry, evaluated without loss of digits.

Logarithms of ``sin(t) / t`` and its hyperbolic twin are the building blocks of
every volume density, ``t coth(t)`` bounds the Hessian of squared distances, and
`wrap` is the geometry of the circle.
"""

import numpy as np

__all__ = [
    "cot_minus_inverse",
    "coth_minus_inverse",
    "log_sinc",
    "log_sinc_to_pi",
    "log_sinhc",
    "sinc",
    "sinhc",
    "wrap",
]

# log(sin(t)/t) = -sum_k c_k t^(2k); the hyperbolic series alternates in sign.
_LOG_SINC = (
    1 / 6,
    1 / 180,
    1 / 2835,
    1 / 37800,
    1 / 467775,
    691 / 3831077250,
)
# coth(t) - 1/t = sum_k (-1)^(k+1) c_k t^(2k-1), from the Bernoulli numbers.
_COTH = (
    1 / 3,
    1 / 45,
    2 / 945,
    1 / 4725,
    2 / 93555,
    1382 / 638512875,
    4 / 18243225,
    3617 / 162820783125,
)
_SWITCH = 0.25  # below it the series, above it the direct form; both < 2e-14
BEYOND = 2.5  # angle above which its gap to pi is the precise one
_OVERFLOW = 18.0  # exp(-2 * 18) is below half a unit in the last place of 1


def _even_series(square, coefficients):
    """Evaluate sum_k c_k s^k, k = 0, 1, ..., by Horner's rule."""
    value = np.full_like(square, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * square + coefficient
    return value


def _alternate(coefficients):
    return tuple(c if k % 2 == 0 else -c for k, c in enumerate(coefficients))


def _nonzero(t):
    """Return `t` with zeros replaced by one, for divisions that are masked."""
    return np.where(t == 0.0, 1.0, t)


def sinc(t):
    """Return ``sin(t) / t``, 1 at zero (without the factor pi of NumPy).

    Parameters
    ----------
    t : array_like of float
        Angles in radians.

    Returns
    -------
    ndarray or float
        Values in [-0.218, 1], of the shape of `t`.
    """
    t = np.asarray(t, dtype=np.float64)
    return np.where(t == 0.0, 1.0, np.sin(t) / _nonzero(t))[()]


def sinhc(t):
    """Return ``sinh(t) / t``, 1 at zero.

    Parameters
    ----------
    t : array_like of float
        Arguments; the result overflows to infinity beyond about 710.

    Returns
    -------
    ndarray or float
        Values of at least 1, of the shape of `t`.
    """
    t = np.asarray(t, dtype=np.float64)
    return np.where(t == 0.0, 1.0, np.sinh(t) / _nonzero(t))[()]


def log_sinc(t):
    """Return ``log(sin(t) / t)`` with a relative error below 2e-14.

    Parameters
    ----------
    t : array_like of float
        Angles in radians, ``|t| < pi``.

    Returns
    -------
    ndarray or float
        Values of at most 0, of the shape of `t`.

    Examples
    --------
    >>> float(log_sinc(0.0))
    0.0
    >>> bool(abs(log_sinc(1e-9) / (-1e-18 / 6) - 1) < 1e-14)
    True
    """
    t = np.abs(np.asarray(t, dtype=np.float64))
    small = np.where(t < _SWITCH, t, 0.0) ** 2
    large = np.where(t < _SWITCH, 1.0, t)
    series = 0.0 - small * _even_series(small, _LOG_SINC)  # not -0.0
    return np.where(t < _SWITCH, series, np.log(np.sin(large) / large))[()]


def log_sinc_to_pi(t, gap):
    """Return ``log(sin(t) / t)`` of angles up to pi, whose gap to pi is known.

    Next to pi the sine is that of the gap, which ``pi - t`` would round away.

    Parameters
    ----------
    t : array_like of float
        Angles in radians, ``0 <= t <= pi``.
    gap : array_like of float
        Their differences from pi; used above 2.5 only.

    Returns
    -------
    ndarray
        Values of at most 0; minus infinity where the gap is 0.

    Examples
    --------
    >>> float(log_sinc_to_pi(np.pi - 1e-20, 1e-20).round(6))
    -47.196432
    """
    beyond = np.asarray(t > BEYOND)
    with np.errstate(divide="ignore"):
        far = np.log(np.sin(gap) / np.where(beyond, t, 1.0))
    return np.where(beyond, far, log_sinc(np.where(beyond, 1.0, t)))


def log_sinhc(t):
    """Return ``log(sinh(t) / t)`` with a relative error below 2e-14.

    Parameters
    ----------
    t : array_like of float
        Any real numbers; nothing overflows.

    Returns
    -------
    ndarray or float
        Values of at least 0, of the shape of `t`.

    Examples
    --------
    >>> float(round(log_sinhc(1000.0), 9))
    992.39909754
    """
    t = np.abs(np.asarray(t, dtype=np.float64))
    small = np.where(t < _SWITCH, t, 0.0) ** 2
    series = small * _even_series(small, _alternate(_LOG_SINC))
    middle = np.clip(t, _SWITCH, _OVERFLOW)
    direct = np.log(np.sinh(middle) / middle)
    large = np.maximum(t, _OVERFLOW)
    asymptotic = large - np.log(2.0 * large) + np.log1p(-np.exp(-2.0 * large))
    return np.select([t < _SWITCH, t <= _OVERFLOW], [series, direct], asymptotic)[()]


def coth_minus_inverse(t):
    """Return ``coth(t) - 1/t``, the Langevin function.

    Parameters
    ----------
    t : array_like of float
        Any real numbers.

    Returns
    -------
    ndarray or float
        Values in (-1, 1), ``t / 3`` to first order, of the shape of `t`.
    """
    t = np.asarray(t, dtype=np.float64)
    near = np.abs(t) < _SWITCH
    small = np.where(near, t, 0.0)
    large = np.where(near, 1.0, t)
    series = small * _even_series(small**2, _alternate(_COTH))
    return np.where(near, series, 1.0 / np.tanh(large) - 1.0 / large)[()]


def cot_minus_inverse(t):
    """Return ``cot(t) - 1/t``.

    Parameters
    ----------
    t : array_like of float
        Angles in radians, ``|t| < pi``.

    Returns
    -------
    ndarray or float
        Values, ``-t / 3`` to first order, of the shape of `t`.
    """
    t = np.asarray(t, dtype=np.float64)
    near = np.abs(t) < _SWITCH
    small = np.where(near, t, 0.0)
    large = np.where(near, 1.0, t)
    series = 0.0 - small * _even_series(small**2, _COTH)
    return np.where(near, series, 1.0 / np.tan(large) - 1.0 / large)[()]


def wrap(t):
    """Move angles to [-pi, pi] by multiples of 2 pi.

    Parameters
    ----------
    t : array_like of float
        Angles in radians.

    Returns
    -------
    ndarray or float
        Equivalent angles, of the shape of `t`; small angles are returned bit for
        bit.
    """
    t = np.asarray(t, dtype=np.float64)
    turn = 2.0 * np.pi
    return (t - turn * np.round(t / turn))[()]
