"""Kernels of the search: inverse sines, bounds, sums against plain NumPy."""

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.decomposition import _bsa_search_kernels as kernels
from geolearn.decomposition._bsa_search_curved import binomials

pytestmark = pytest.mark.kernels

FORMS = [
    (sign, code, p)
    for sign in (1.0, 0.0, -1.0)
    for code, p in ((2.0, 2.0), (1.0, 1.0), (0.5, 0.5), (0.0, 0.3))
]


def test_inverse_sines_against_forty_digits():
    rng = np.random.default_rng(0)
    s = np.concatenate(
        [rng.uniform(0.0, 1.0, 300), 10.0 ** rng.uniform(-300, 0, 50), [0.0, 0.5, 1.0]]
    )
    found = s.copy()
    kernels._arcsines(found)
    with mpmath.workdps(40):
        expected = [float(mpmath.asin(mpmath.sqrt(v))) for v in s]
    assert_allclose(found, expected, rtol=7e-16)


@pytest.mark.parametrize("top", [9300.0, 1e12])
def test_inverse_hyperbolic_sines_against_forty_digits(top):
    rng = np.random.default_rng(0)
    s = np.concatenate([top * 10.0 ** rng.uniform(-20, 0, 300), [0.0, 1e-300, top]])
    found = s.copy()
    kernels._hyperbolic_arcsines(found)
    with mpmath.workdps(40):
        expected = [float(mpmath.asinh(mpmath.sqrt(v))) for v in s]
    assert_allclose(found, expected, rtol=1e-15)


def plain_costs(s, sign, p, unit):
    d = np.sqrt(s)
    if sign != 0.0:
        d = np.arcsin(d) if sign > 0.0 else np.arcsinh(d)
    return (unit * d) ** p


@pytest.mark.parametrize(("sign", "code", "p"), FORMS)
def test_costs_and_their_bounds(sign, code, p):
    top = 1.0 if sign > 0.0 else 1e6
    s = np.concatenate([[0.0, top], np.geomspace(1e-20, top, 100)])
    form = np.array([sign, code, p, 0.7])
    found = s.copy()
    kernels.costs(found, form)
    assert_allclose(found, plain_costs(s, sign, p, 0.7), rtol=1e-14)
    if sign != 0.0 and code in (kernels.SQUARE, kernels.LINEAR):
        bound = np.empty_like(s)
        kernels._lower_bounds(s, form, bound)
        assert np.all(bound <= found * (1.0 + 1e-14))
        assert np.all(bound[2:50] > 0.9 * found[2:50])


def table_of(sign, n=150, dim=3, seed=0):
    """Return half chords squared of random points, around 1 in size."""
    X = np.random.default_rng(seed).normal(size=(n, dim))
    if sign > 0.0:
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        return np.sum((X[:, None] - X) ** 2, axis=2) / 4.0, X, X @ X.T
    if sign < 0.0:
        t = np.sqrt(1.0 + np.sum(X**2, axis=1))
        K = X @ X.T - np.outer(t, t)
        return np.maximum((-1.0 - K) / 2.0, 0.0), X, K
    return np.sum((X[:, None] - X) ** 2, axis=2) / 4.0, X, X @ X.T


def base_of(h, sign):
    s = 4.0 * h[0] * (1.0 - sign * h[0])
    s[0] = 0.0
    return s


@pytest.mark.parametrize(("sign", "code", "p"), FORMS)
def test_additions(sign, code, p):
    h, _, K = table_of(sign)
    n = len(h)
    w = np.random.default_rng(1).uniform(size=n)
    s = base_of(h, sign)
    if sign == 0.0:
        R = K - K[0] - K[:, :1] + K[0, 0]
    else:
        R = K - sign * np.outer(K[0], K[0])
    floor = 64.0 * np.finfo(float).eps * s
    form = np.array([sign, code, p, 1.3])
    candidates = np.array([0, 5, 60, 149, 1, 2])
    out = np.empty(len(candidates))
    kernels.additions(
        h, candidates, h[0], np.empty((0, n)), -1.0, s, 1e-12, w, floor, form, out
    )
    assert out[0] == np.inf  # the base depends on itself
    for c, value in zip(candidates[1:], out[1:], strict=True):
        left = np.clip(np.diag(R) - R[:, c] ** 2 / R[c, c], 0.0, None)
        left[[0, c]] = 0.0
        assert_allclose(value, w @ plain_costs(left, sign, p, 1.3), rtol=1e-6)
    again = np.empty(len(candidates))
    kernels.additions(
        h, candidates, h[0], np.empty((0, n)), -1.0, s, 1e-12, w, floor, form, again
    )
    assert_array_equal(out, again)


@pytest.mark.parametrize("sign", [1.0, 0.0, -1.0])
def test_stored_values_do_not_depend_on_the_bound(sign):
    h, _, _ = table_of(sign, n=14)
    w = np.full(14, 1.0 / 14.0)
    form = np.array([sign, kernels.SQUARE, 2.0, 1.0])
    empty, columns = np.empty(0), np.arange(14)
    store = np.full(364, np.inf)
    values, best = np.full(12, np.inf), np.zeros((12, 3), dtype=np.intp)
    table = binomials(14, 3)
    kernels.subsets(
        h, columns, 0, 2, np.inf, w, form, (table, empty, store), values, best
    )
    assert np.isfinite(store).all()
    kernels.subsets(
        h, columns, 0, 2, np.inf, w, form, (table, empty, empty), values, best
    )
    assert values.min() == store.min()
    kernels.subsets(
        h, columns, 0, 2, store.min(), w, form, (table, empty, empty), values, best
    )
    assert_array_equal(values, np.inf)
