"""Each kernel against slow formulas, 50 digits, worked values and invariances."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.metrics import (
    euclidean,
    fisher_rao,
    get_metric,
    hyperboloid,
    metric_names,
    pairwise_distances,
    poincare,
    product,
    sphere,
    torus,
)
from tests.metrics.samples import CASES, FACTORS, IDS, SCALES, points
from tests.reference import metrics as reference

pytestmark = pytest.mark.kernels
EPS = np.finfo(float).eps
SEEDS = st.integers(0, 2**32 - 1)


def at_radius(r, direction, curvature=-1.0):
    """Point of the hyperboloid at distance r from the origin."""
    root = np.sqrt(-curvature)
    direction = np.asarray(direction) / np.linalg.norm(direction)
    return np.concatenate([[np.cosh(root * r)], np.sinh(root * r) * direction]) / root


def relative_error(computed, true):
    with mpmath.workdps(reference.DIGITS):
        return float(abs(mpmath.mpf(float(computed)) - true) / true)


def absolute_error(computed, true):
    with mpmath.workdps(reference.DIGITS):
        return float(abs(mpmath.mpf(float(computed)) - true))


def test_the_cases_cover_the_registry():
    assert {name for name, _ in CASES} == set(metric_names())


@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
@pytest.mark.parametrize("dim", [1, 2, 7, 40])
def test_against_the_slow_formula(name, params, dim):
    rng = np.random.default_rng(dim)
    X, Y = points(name, 9, dim, rng, **params), points(name, 5, dim, rng, **params)
    D = pairwise_distances(X, Y, metric=name, metric_params=params)
    # The reference loses half of the digits at small distances, which are rare here.
    assert_allclose(D, reference.table(name, X, Y, params), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
def test_scalar_kernel_and_row_kernel_agree(name, params):
    rng = np.random.default_rng(1)
    X = points(name, 6, 4, rng, **params)
    metric = get_metric(name)
    packed = metric.pack(metric.options(params))
    arguments = (packed,) if name == "product" else tuple(packed)
    D = pairwise_distances(X, X, metric=name, metric_params=params)
    by_pair = [[metric.distance(x, y, *arguments) for y in X] for x in X]
    assert_allclose(by_pair, D, rtol=1e-14, atol=1e-300)
    out = np.empty((6, 6))
    metric.distance_row(X, 2, X, packed, out)
    assert_array_equal(out[2], D[2])


@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
def test_metric_axioms(name, params):
    rng = np.random.default_rng(2)
    X = points(name, 25, 3, rng, **params)
    D = pairwise_distances(X, X.copy(), metric=name, metric_params=params)
    assert_array_equal(np.diag(D), 0.0)
    assert_array_equal(D, D.T)
    assert (D[~np.eye(25, dtype=bool)] > 0).all()
    detour = (D[:, :, None] + D[None]).min(axis=1)
    assert (detour + 1e-13 >= D).all()


@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
def test_float32_is_computed_in_float64(name, params):
    rng = np.random.default_rng(3)
    X = points(name, 5, 4, rng, **params).astype(np.float32)
    X.flags.writeable = False
    metric = get_metric(name)
    packed = metric.pack(metric.options(params))
    arguments = (packed,) if name == "product" else tuple(packed)
    for x in X:
        for y in X:
            wide = metric.distance(x.astype(float), y.astype(float), *arguments)
            assert metric.distance(x, y, *arguments) == wide


# --- The ends of the ranges, against 50 digits ---------------------------------------


@pytest.mark.parametrize("radius", [1.0, 3.7, 1e-15, 1e15])
@pytest.mark.parametrize("angle", [1e-12, 1e-8, 1e-4, 1.0, 3.0])
def test_sphere_keeps_its_digits(angle, radius):
    rng = np.random.default_rng(4)
    for _ in range(10):
        x, v = np.linalg.qr(rng.standard_normal((5, 2)))[0].T
        y = np.cos(angle) * x + np.sin(angle) * v
        x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
        true = reference.exact("sphere", x, y, radius)
        # Rounded coordinates miss the sphere by eps, at a right angle to the chord;
        # scaling rounds them once more, in all directions.
        computed = sphere.distance(radius * x, radius * y, radius)
        tolerance = 1e-14 + 8 * (EPS / angle) ** 2
        if radius != 1.0:
            tolerance += 8 * EPS / angle
        assert relative_error(computed, true) < tolerance


def test_sphere_near_the_antipode():
    x = np.array([1.0, 0.0, 0.0])
    gap = 1e-8
    y = np.array([-np.cos(gap), np.sin(gap), 0.0])
    true = reference.exact("sphere", x, y)
    assert relative_error(sphere.distance(x, y), true) < 4e-16
    assert sphere.distance(x, -x) == np.pi


@pytest.mark.parametrize(
    ("radius", "step", "factor"),
    [(0.5, 1e-6, 1), (0.5, 1e-3, 1), (10.0, 1.0, 1), (15.0, 3.0, 1), (15.0, 1e-3, 1)],
)
def test_hyperboloid_error_is_that_of_the_coordinates(radius, step, factor):
    rng = np.random.default_rng(5)
    for _ in range(10):
        u, v = np.linalg.qr(rng.standard_normal((4, 2)))[0].T
        x = at_radius(radius, u)
        along = at_radius(max(radius - step, 0.0), u)
        # Hyperbolic law of cosines: the angle that moves the point by `step`.
        angle = 2 * np.arcsin(min(np.sinh(step / 2) / np.sinh(radius), 1.0))
        across = at_radius(radius, np.cos(angle) * u + np.sin(angle) * v)
        for y in (along, across):
            true = reference.exact("hyperboloid", x, y, -1.0)
            bound = 20 * EPS * np.cosh(radius)
            assert absolute_error(hyperboloid.distance(x, y), true) < factor * bound


def test_hyperboloid_near_pair_beats_the_table():
    # The precision table: radius 0.5, d = 1e-6, absolute error 2e-22 wanted; the
    # chord and arccosh forms give 7e-10.
    x = at_radius(0.5, [1.0, 0.0])
    y = at_radius(0.5 + 1e-6, [1.0, 0.0])
    true = reference.exact("hyperboloid", x, y, -1.0)
    assert absolute_error(hyperboloid.distance(x, y), true) < 2e-21


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-5, 1e-2])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_hyperboloid_near_the_origin(size, sign):
    # On opposite sides of the origin, x0 y0 - <a, b> - 1 would cancel to nothing.
    a = size * np.array([1.0, 0.3])
    b = sign * size * np.array([0.9, 0.4])
    x, y = (np.concatenate([[np.hypot(1, np.linalg.norm(s))], s]) for s in (a, b))
    true = reference.exact("hyperboloid", x, y, -1.0)
    assert relative_error(hyperboloid.distance(x, y), true) < 1e-14


@pytest.mark.parametrize("separation", [1e-6, 1e-7, 1e-12])
@pytest.mark.parametrize("curvature", [-1.0, -0.37])
def test_poincare_close_pair(separation, curvature):
    x = np.array([0.3, -0.2, 0.1])
    y = x + separation * np.array([0.6, 0.0, 0.8])
    true = reference.exact("poincare", x, y, curvature)
    assert relative_error(poincare.distance(x, y, curvature), true) < 1e-15


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_poincare_near_the_boundary(gap):
    x = np.array([1.0 - gap, 0.0])
    y = (1.0 - 2.0 * gap) * np.array([np.cos(1.0), np.sin(1.0)])
    true = reference.exact("poincare", x, y, -1.0)
    assert relative_error(poincare.distance(x, y), true) < 4 * EPS / gap


def test_poincare_outside_is_infinitely_far():
    x = np.array([1.0, 0.0])
    assert poincare.distance(x, np.zeros(2)) == np.inf
    assert poincare.distance(np.array([3.0, 0.0]), np.zeros(2)) == np.inf
    assert poincare.distance(x, x) == 0.0


@pytest.mark.parametrize("step", [1e-10, 1e-7, 1e-3])
def test_fisher_rao_close_pair(step):
    x = np.array([0.25, 0.25, 0.5])
    y = np.array([0.25 + step, 0.25 - step, 0.5])
    true = reference.exact("fisher_rao", x, y)
    # The stored y has a sum that is off by eps, which the exact form divides out.
    assert relative_error(fisher_rao.distance(x, y), true) < 1e-14 + EPS / step**2 * EPS


def test_fisher_rao_on_the_faces():
    corners = np.eye(3)
    assert_allclose(fisher_rao.distance(corners[0], corners[1]), np.pi, rtol=1e-15)
    assert fisher_rao.distance(corners[0], corners[0]) == 0.0
    rounded = np.array([1.0, -1e-17, 0.0])
    assert fisher_rao.distance(rounded, corners[0]) == 0.0
    assert fisher_rao.distance(np.zeros(2), np.zeros(2)) == 0.0


# --- Worked values --------------------------------------------------------------------


def test_worked_values():
    # manifolds specification, section 8, ten digits from 40-digit arithmetic.
    x = np.array([np.cosh(1), np.sinh(1), 0.0])
    y = np.array([np.cosh(2), 0.0, np.sinh(2)])
    assert_allclose(hyperboloid.distance(x, y), 2.4444289499, rtol=1e-10)
    d = poincare.distance(np.array([0.5, 0.0]), np.array([0.0, 0.5]))
    assert_allclose(d, 1.6806997724, rtol=1e-10)


def test_closed_forms():
    e = np.eye(3)
    assert_allclose(sphere.distance(2 * e[0], 2 * e[1], 2.0), np.pi, rtol=1e-15)
    assert euclidean.distance(np.array([3.0, 0.0]), np.array([0.0, 4.0])) == 5.0
    x, y = np.array([0.1, 3.0]), np.array([2 * np.pi - 0.1, 3.0 + 4 * np.pi])
    assert_allclose(torus.distance(x, y), 0.2, rtol=1e-13)
    half = np.array([np.pi]), np.array([0.0])
    assert torus.distance(*half) == torus.distance(*half[::-1]) == np.pi


def test_product_of_one_factor_is_the_factor():
    rng = np.random.default_rng(6)
    for name, width, params in FACTORS:
        extra = get_metric(name).extra_columns
        X = points(name, 8, width - extra, rng, **params)
        whole = {"factors": [(name, width, params)], "scales": [4.0]}
        D = pairwise_distances(X, metric="product", metric_params=whole)
        expected = 2.0 * pairwise_distances(X, metric=name, metric_params=params)
        assert_allclose(D, expected, rtol=1e-15)


def test_nested_product_is_flattened():
    inner = {"factors": FACTORS[1:3], "scales": SCALES[1:3]}
    width = FACTORS[1][1] + FACTORS[2][1]
    nested = product.signature([FACTORS[0], ("product", width, inner)], [1.0, 2.0])
    flat = product.signature(FACTORS[:3], [1.0, 2 * SCALES[1], 2 * SCALES[2]])
    assert_array_equal(nested, flat)


# --- Invariances ----------------------------------------------------------------------


def random_rotation(rng, n):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def random_boost(rng, n):
    """Lorentz transformation of n space dimensions: rotation, boost, rotation."""
    rapidity = rng.uniform(0, 2)
    boost = np.eye(n + 1)
    boost[:2, :2] = [
        [np.cosh(rapidity), np.sinh(rapidity)],
        [np.sinh(rapidity), np.cosh(rapidity)],
    ]
    turns = [np.eye(n + 1), np.eye(n + 1)]
    for turn in turns:
        turn[1:, 1:] = random_rotation(rng, n)
    return turns[0] @ boost @ turns[1]


@given(SEEDS, st.integers(2, 8))
def test_sphere_is_invariant_under_rotations(seed, dim):
    rng = np.random.default_rng(seed)
    X = points("sphere", 6, dim, rng)
    turned = X @ random_rotation(rng, dim + 1)
    D, E = (pairwise_distances(Z, metric="sphere") for Z in (X, turned))
    assert_allclose(E, D, rtol=1e-12, atol=1e-14)


@given(SEEDS, st.integers(2, 8), st.floats(0.1, 10.0))
def test_hyperboloid_is_invariant_under_boosts(seed, dim, c):
    rng = np.random.default_rng(seed)
    X = points("hyperboloid", 6, dim, rng, curvature=-c)
    moved = X @ random_boost(rng, dim)
    moved[:, 0] = np.sqrt(1 / c + (moved[:, 1:] ** 2).sum(axis=1))
    D, E = (
        pairwise_distances(Z, metric="hyperboloid", metric_params={"curvature": -c})
        for Z in (X, moved)
    )
    # The boost multiplies the roundings of the coordinates by exp(rapidity).
    largest = np.sqrt(c) * np.abs(moved).max()
    assert_allclose(E, D, rtol=0, atol=1e3 * EPS * largest**2 / np.sqrt(c))


@given(SEEDS, st.integers(1, 8), st.floats(0.1, 10.0))
def test_hyperboloid_and_ball_agree(seed, dim, c):
    rng = np.random.default_rng(seed)
    root = np.sqrt(c)
    ball = points("poincare", 6, dim, rng, curvature=-c)
    inside = root * ball
    scale = 1 - (inside**2).sum(axis=1, keepdims=True)
    spatial = 2 * inside / scale
    X = np.column_stack([np.sqrt(1 + (spatial**2).sum(axis=1)), spatial]) / root
    D = pairwise_distances(X, metric="hyperboloid", metric_params={"curvature": -c})
    E = pairwise_distances(ball, metric="poincare", metric_params={"curvature": -c})
    tolerance = 100 * EPS / scale.min()
    assert_allclose(D, E, rtol=tolerance, atol=tolerance / root)


@given(SEEDS, st.integers(1, 8))
def test_torus_is_invariant_under_shifts_and_turns(seed, dim):
    rng = np.random.default_rng(seed)
    X = points("torus", 6, dim, rng)
    moved = X + rng.uniform(-3, 3, dim) + 2 * np.pi * rng.integers(-4, 5, X.shape)
    D, E = (pairwise_distances(Z, metric="torus") for Z in (X, moved))
    assert_allclose(E, D, rtol=0, atol=1e-13)


@given(SEEDS, st.integers(1, 8))
def test_fisher_rao_is_invariant_under_splitting(seed, dim):
    # Splitting an outcome in fixed proportions is a congruent embedding (Chentsov).
    rng = np.random.default_rng(seed)
    X = points("fisher_rao", 6, dim, rng)
    share = rng.uniform(0.1, 0.9)
    split = np.column_stack([share * X[:, 0], (1 - share) * X[:, 0], X[:, 1:]])
    D, E = (pairwise_distances(Z, metric="fisher_rao") for Z in (X, split))
    assert_allclose(E, D, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("unit", [1e-15, 1e15])
def test_scaled_units(unit):
    rng = np.random.default_rng(7)
    X = points("euclidean", 20, 3, rng)
    assert_allclose(
        pairwise_distances(unit * X), unit * pairwise_distances(X), rtol=1e-14
    )
    cases = [
        ("sphere", "radius", 1.0, unit),
        ("hyperboloid", "curvature", -1.0, -1 / unit**2),
        ("poincare", "curvature", -1.0, -1 / unit**2),
    ]
    for name, key, base, scaled in cases:
        X = points(name, 20, 3, rng)
        D = pairwise_distances(X, metric=name, metric_params={key: base})
        E = pairwise_distances(unit * X, metric=name, metric_params={key: scaled})
        assert_allclose(E, unit * D, rtol=1e-12)
