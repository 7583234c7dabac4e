"""Kernels of the product-space loss: identities, far points, limits, threads."""

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.embedding._product_kernels import _log1p
from geolearn.embedding._product_loss import (
    FullLoss,
    SampledLoss,
    component_table,
    mean_distortion,
    nearest_columns,
    row_losses,
    unit_model,
)
from geolearn.manifolds._signature import product_space
from tests.reference.product_embedding import embedding_gradient, embedding_loss

pytestmark = pytest.mark.kernels

MIXED = ((-0.5, 2), (0.0, 1), (2.0, 3))
FAR = 30.0


def problem(signature, n, seed=0):
    """Return points of a product, and distances of others, some of which are out."""
    manifold = product_space(signature)
    X = manifold.random_point(n, random_state=seed)
    D = manifold.pairwise_distances(manifold.random_point(n, random_state=seed + 1))
    D[0, -1] = D[-1, 0] = np.inf
    if n > 3:
        D[1, 2] = D[2, 1] = 0.0
    return manifold, X, D


components = st.tuples(st.sampled_from([-4.0, -1.0, 0.0, 0.3, 1.0]), st.integers(1, 3))
signatures = st.lists(components, min_size=1, max_size=3).map(tuple)


@given(st.lists(st.floats(0.0, 1e308), min_size=1), st.floats(-40.0, 40.0))
def test_logarithms_against_forty_digits(values, exponent):
    values = np.array([*values, 0.0, np.exp(exponent), np.inf])
    found = values.copy()
    _log1p(found)
    with mpmath.workdps(40):
        expected = [float(mpmath.log1p(v)) for v in values[:-1]]
    assert_allclose(found[:-1], expected, rtol=4.5e-16, atol=0.0)
    assert found[-1] == np.inf


@given(signatures, st.integers(2, 7), st.integers(0, 100))
def test_any_signature_against_slow_numpy(signature, n, seed):
    manifold, X, D = problem(signature, n, seed)
    loss, G = FullLoss(D, 1.0, component_table(signature), None)(X)
    assert_allclose(loss, embedding_loss(manifold, X, D), rtol=1e-10)
    expected = embedding_gradient(manifold, X, D)
    size = np.abs(expected).max(initial=1e-300)
    assert_allclose(G, expected, rtol=1e-8, atol=1e-9 * size)


@given(signatures, st.floats(0.1, 10.0), st.integers(0, 100))
def test_only_ratios_of_distances_to_the_scale_count(signature, scale, seed):
    _, X, D = problem(signature, 6, seed)
    table = component_table(signature)
    one, two = FullLoss(D, 1.0, table, None)(X), FullLoss(D * scale, scale, table, 1)(X)
    assert_allclose(two[0], one[0], rtol=1e-12)
    assert_allclose(two[1], one[1], rtol=1e-9, atol=1e-9 * np.abs(one[1]).max())


def test_rows_among_all_points_add_up_to_the_full_loss():
    _, X, D = problem(MIXED, 9)
    table = component_table(MIXED)
    losses = row_losses(X, unit_model(X, table), D, 2.0, table, None)
    loss = FullLoss(D, 2.0, table, None)(X)[0]
    assert_allclose(losses.sum() / 2.0, loss, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 70])  # within one block of rows, and beyond
def test_samples_in_which_every_point_is_near_are_the_full_loss(n):
    _, X, D = problem(MIXED, n)
    table = component_table(MIXED)
    loss, G = FullLoss(D, 2.0, table, None)(X)
    np.fill_diagonal(D, 1e-9)  # which is rounding, and counts for nothing
    sampled = SampledLoss(D, 2.0, table, None, np.random.RandomState(0))
    sampled.near = nearest_columns(D, n)  # draws can only repeat them
    estimate, rows = sampled(X)
    assert_allclose(estimate, loss, rtol=1e-12)
    assert_allclose(rows, G, rtol=1e-9, atol=1e-12 * np.abs(G).max())


def test_samples_count_draws_that_are_new_and_no_others():
    rng = np.random.RandomState(0)
    manifold, X, D = problem(MIXED, 13)
    sampled = SampledLoss(D, 1.0, component_table(MIXED), None, rng)
    sampled.near = sampled.near[:, :2]
    state = rng.get_state()
    losses = sampled(X)[0]
    rng.set_state(state)
    draws = rng.randint(0, 13, size=(13, 50), dtype=np.int64)
    expected = 0.0
    for i in range(13):
        shares = dict.fromkeys(sampled.near[i], 1.0)
        for j in draws[i]:
            if j not in sampled.near[i] and j != i:
                shares[j] = shares.get(j, 0.0) + 13 / 50
        for j, share in shares.items():
            if 0.0 < D[i, j] < np.inf:
                ratio = manifold.dist(X[i], X[j]) / D[i, j]
                expected += 0.5 * share * abs(ratio**2 - 1.0)
    assert_allclose(losses, expected, rtol=1e-10)


@given(st.floats(-3.0, 3.0), st.floats(0.0, 1e-3), st.floats(0.1, FAR))
def test_far_points_against_fifty_digits(apart, angle, radius):
    r, s = radius, max(radius + apart, 0.0)
    plane = np.array([[0.0, r, 0.0], [0.0, s * np.cos(angle), s * np.sin(angle)]])
    X = product_space(((-1.0, 2),)).exp(np.array([1.0, 0.0, 0.0]), plane)
    D = np.array([[0.0, 1e-8], [1e-8, 0.0]])  # so that the loss is d^2 / D^2 - 1
    loss, G = FullLoss(D, 1.0, component_table(((-1.0, 2),)), None)(X)
    with mpmath.workdps(60):
        space = [[mpmath.mpf(float(x)) for x in row[1:]] for row in X]
        times = [mpmath.sqrt(1 + a * a + b * b) for a, b in space]
        lorentz = times[0] * times[1] - sum(a * b for a, b in zip(*space, strict=True))
        d = mpmath.acosh(max(lorentz, 1))
        expected = float(d * d * mpmath.mpf(10) ** 16)
        slope = float(2 * d * mpmath.mpf(10) ** 16)
    assume(expected > 2.0)
    # directions are rounded by eps / 2, which is eps e^r / 4 apart at radius r
    rounding = 3e-16 * np.exp(max(r, s)) + 1e-14
    assert abs(np.sqrt(loss + 1.0) - np.sqrt(expected)) <= rounding * 1e8
    # the gradient has the length 2 d / D^2, its coordinates the size of d e^r
    factor = X[1, 1:] @ G[1, 1:] / (X[1, 0] * (1.0 + X[1, 0]))
    length = np.linalg.norm(G[1, 1:] - factor * X[1, 1:])
    assert abs(length - slope) <= rounding * (2e16 + slope)


def test_exact_distances_have_no_loss_and_no_slope():
    X = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    D = np.array([[0.0, 3.0, 5.0], [3.0, 0.0, 4.0], [5.0, 4.0, 0.0]])
    loss, G = FullLoss(D, 1.0, component_table(((0.0, 2),)), None)(X)
    assert loss < 1e-15
    exact = FullLoss(np.where(D == 5.0, 5.0, 0.0), 5.0, component_table(((0.0, 2),)), 1)
    assert exact(X / 5.0)[0] < 1e-15
    assert_array_equal(G[1] * (loss == 0.0), 0.0)


@pytest.mark.parametrize("signature", [((-1.0, 2),), ((0.0, 3),), ((4.0, 2),)])
def test_points_in_one_place_have_a_finite_loss(signature):
    manifold = product_space(signature)
    X = np.tile(manifold.random_point(random_state=0), (3, 1))
    loss, G = FullLoss(np.ones((3, 3)), 1.0, component_table(signature), None)(X)
    assert loss == 3.0
    assert_allclose(G, 0.0, atol=1e-15)


@pytest.mark.parametrize("tilt", [0.0, 5e-13])
def test_antipodes_have_their_distance_but_no_direction(tilt):
    X = np.array([[1.0, 0.0, 0.0], [-1.0, tilt, 0.0]])
    D = np.array([[0.0, 1.0], [1.0, 0.0]])
    loss, G = FullLoss(D, 1.0, component_table(((1.0, 2),)), None)(X)
    assert_allclose(loss, np.pi**2 - 1.0, rtol=1e-12)
    assert_array_equal(G, 0.0)


def test_results_do_not_depend_on_threads():
    _, X, D = problem(MIXED, 70)
    table = component_table(MIXED)
    models = unit_model(X, table)
    results = []
    for n_jobs in (1, 2):
        sampled = SampledLoss(D, 1.0, table, n_jobs, np.random.RandomState(0))
        results.append(
            [
                *FullLoss(D, 1.0, table, n_jobs)(X),
                *sampled(X),
                row_losses(X, models, D, 1.0, table, n_jobs),
                mean_distortion(X, D, 1.0, table, n_jobs),
            ]
        )
    for one, two in zip(*results, strict=True):
        assert_array_equal(one, two)


def test_points_among_fixed_ones_do_not_see_each_other():
    _, X, D = problem(MIXED, 40)
    table = component_table(MIXED)
    models = unit_model(X, table)
    together = row_losses(X, models, D, 1.0, table, None)
    for i in (0, 7, 39):
        row = slice(i, i + 1)
        alone = row_losses(X[row], models, D[row], 1.0, table, None)
        assert_array_equal(alone, together[row])
