"""Scalar helpers against 50-digit values, on both sides of every switch."""

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geolearn.manifolds import special

mp.mp.dps = 50
POINTS = [
    1e-300,
    1e-9,
    1e-3,
    0.05,
    0.2499,
    0.25,
    0.2501,
    0.35,
    0.49,
    1.0,
    2.0,
    3.0,
    3.14,
]
FAR = [5.0, 17.9, 18.0, 18.1, 300.0]
CASES = {
    "log_sinc": (lambda t: mp.log(mp.sin(t) / t), POINTS),
    "log_sinhc": (lambda t: mp.log(mp.sinh(t) / t), [*POINTS, *FAR, 1000.0]),
    "sinc": (lambda t: mp.sin(t) / t, POINTS),
    "sinhc": (lambda t: mp.sinh(t) / t, [*POINTS, *FAR]),
    "coth_minus_inverse": (lambda t: mp.coth(t) - 1 / t, [*POINTS, *FAR, 1000.0]),
    "cot_minus_inverse": (lambda t: mp.cot(t) - 1 / t, POINTS),
}


@pytest.mark.parametrize("name", CASES)
def test_relative_error(name):
    exact, points = CASES[name]
    # 60 digits at 1e-300 do not resolve the differences
    with mp.workdps(700):
        expected = [float(exact(mp.mpf(t))) for t in points]
    function = getattr(special, name)
    # cot near pi amplifies the rounding of its argument by 1 / (pi - t)
    assert_allclose(function(np.array(points)), expected, rtol=2e-14)
    even = name in ("log_sinc", "log_sinhc", "sinc", "sinhc")
    mirrored = function(-np.array(points))
    assert_allclose(mirrored, np.array(expected) * (1 if even else -1), rtol=2e-14)


@pytest.mark.parametrize("name", CASES)
def test_zero_and_scalars(name):
    function = getattr(special, name)
    at_zero = 1.0 if name in ("sinc", "sinhc") else 0.0
    assert function(0.0) == at_zero
    assert np.ndim(function(0.5)) == 0
    assert function([0.0, 0.5]).shape == (2,)


def test_wrap():
    assert special.wrap(0.1) == 0.1
    assert_allclose(
        special.wrap([2 * np.pi, 4.0, -4.0]), [0, 4 - 2 * np.pi, 2 * np.pi - 4]
    )
    assert np.all(np.abs(special.wrap(np.linspace(-50, 50, 999))) <= np.pi)
