"""The momentum steps of neighbour embeddings, without the estimator."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from geolearn.embedding._sne_objective import SNEObjective
from geolearn.embedding._sne_optimizer import ScaleSteps, Schedule, descend
from geolearn.embedding._sne_optimizer_steps import (
    CurvedSteps,
    HyperboloidSteps,
    PlaneSteps,
    boost_to_origin,
    steps_for,
)
from geolearn.graph import brownian_affinities
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, Sphere, Torus

TARGETS = [Euclidean(2), Sphere(2), Hyperboloid(2), SPD(2), Torus(2)]
by_name = pytest.mark.parametrize("target", TARGETS, ids=repr)


class Value(NamedTuple):
    kl: float
    gradient: np.ndarray
    dkl_dlogscale: float


def joint(n=40, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, 3))
    return brownian_affinities(X, perplexity=8.0).joint


def objective_on(target, P):
    kernel = "student_chordal" if isinstance(target, Sphere) else "student"
    return SNEObjective(P, target=target, kernel=kernel)


# Steps.


def test_plane_steps_follow_the_rule_written_out():
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(6, 2))
    G = rng.normal(size=(3, 6, 2))
    steps, velocity, gains = PlaneSteps(), np.zeros((6, 2)), np.ones((6, 2))
    expected = Y
    for g in G:
        for i in range(6):
            for c in range(2):
                if velocity[i, c] * g[i, c] < 0.0:
                    gains[i, c] += 0.2
                else:
                    gains[i, c] = max(0.8 * gains[i, c], 0.01)
        velocity = 0.8 * velocity - 2.5 * gains * g
        for i in range(6):
            length = np.sqrt(velocity[i] @ velocity[i])
            if length > 5.0:
                velocity[i] *= 5.0 / length
        expected = expected + velocity
        expected = expected - expected.mean(axis=0)
        Y = steps(Y, g, 2.5, 0.8)
    np.testing.assert_allclose(Y, expected, rtol=1e-12, atol=1e-12)


@by_name
def test_steps_stay_on_the_target_and_do_not_change_their_input(target):
    Y = target.random_normal(20, scale=0.3, random_state=0)
    G = target.random_tangent(Y, random_state=1)
    before = Y.copy()
    steps = steps_for(target)
    for _ in range(3):
        Y2 = steps(Y, G, 0.3, 0.5, 1.0)
        target.check_points(Y2, atol=1e-12 if not isinstance(target, SPD) else 1e-6)
    np.testing.assert_array_equal(Y, before)


@pytest.mark.parametrize("target", [Sphere(2), SPD(2), Torus(2)], ids=repr)
def test_a_first_curved_step_is_the_exponential_of_the_gradient(target):
    Y = target.random_normal(10, scale=0.3, random_state=0)
    G = target.random_tangent(Y, scale=0.1, random_state=1)
    moved = CurvedSteps(target)(Y, G, 0.5, 0.5, 1.0)
    # the gain of a first step, which does not yet descend, is 0.8
    np.testing.assert_allclose(moved, target.exp(Y, -0.4 * G), atol=1e-12)


@pytest.mark.parametrize("target", [Sphere(2), Hyperboloid(2), SPD(2)], ids=repr)
def test_velocity_is_carried_along_the_geodesic(target):
    """Without a gradient, a point goes on along its geodesic, slowed by momentum."""
    Y = target.random_normal(1, scale=0.2, random_state=0)
    G = target.random_tangent(Y, scale=0.2, random_state=1)
    steps = CurvedSteps(target)
    first = steps(Y, G, 1.0, 1.0, 1.0)
    second = steps(first, np.zeros_like(G), 1.0, 1.0, 1.0)
    np.testing.assert_allclose(second, target.exp(Y, -1.6 * G), atol=1e-10)


@pytest.mark.parametrize("scale", [0.01, 4.0])
def test_curved_steps_are_capped(scale):
    target = Sphere(2)
    Y = target.random_point(10, random_state=0)
    G = target.random_tangent(Y, scale=100.0, random_state=1)
    moved = CurvedSteps(target)(Y, G, 1.0, 0.5, scale)
    cap = min(5.0 * np.sqrt(scale), 1.0)
    np.testing.assert_allclose(target.dist(Y, moved), cap, rtol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_curved_steps_commute_with_rotations(seed):
    rng = np.random.default_rng(seed)
    target, Q = Sphere(2), np.linalg.qr(rng.normal(size=(3, 3)))[0]
    Y = target.random_point(8, random_state=seed)
    first, turned = CurvedSteps(target), CurvedSteps(target)
    Z = Y @ Q
    for _ in range(3):
        G = target.project_tangent(Y, rng.normal(size=Y.shape))
        Z = turned(Z, G @ Q, 0.1, 0.5, 1.0)
        Y = first(Y, G, 0.1, 0.5, 1.0)
    np.testing.assert_allclose(Z, Y @ Q, atol=1e-12)


def test_boost_is_an_isometry_to_the_origin():
    plane = Hyperboloid(3)
    X = plane.random_normal(6, scale=1.0, random_state=0)
    B = boost_to_origin(X[0])
    np.testing.assert_allclose(X[0] @ B, plane.origin, atol=1e-12)
    np.testing.assert_allclose(
        plane.pairwise_distances(X @ B), plane.pairwise_distances(X), rtol=1e-9
    )


def test_hyperbolic_steps_centre_and_stay_within_the_radius():
    plane = Hyperboloid(2)
    Y = plane.random_normal(20, scale=0.5, random_state=0)
    far = plane.exp(plane.origin, plane.vector_to_tangent(plane.origin, [3.0, 0.0]))
    Y[0] = far
    moved = HyperboloidSteps(plane)(Y, np.zeros_like(Y), 1.0, 0.5, 1.0)
    np.testing.assert_allclose(moved.mean(axis=0)[1:], 0.0, atol=1e-9)
    np.testing.assert_allclose(
        plane.pairwise_distances(moved), plane.pairwise_distances(Y), rtol=1e-8
    )
    out = plane.exp(plane.origin, plane.vector_to_tangent(plane.origin, [14.0, 0.0]))
    both = np.stack([out, out * [1.0, -1.0, -1.0]])
    moved = HyperboloidSteps(plane)(both, np.zeros_like(both), 1.0, 0.5, 1.0)
    np.testing.assert_allclose(plane.dist(plane.origin, moved), 12.0, rtol=1e-9)


def test_scale_steps_follow_the_rule_and_are_capped():
    steps = ScaleSteps()
    scale = steps(2.0, 0.3)
    assert scale == pytest.approx(2.0 * np.exp(-0.03), rel=1e-14)
    assert steps(scale, 0.1) == pytest.approx(scale * np.exp(-0.025), rel=1e-14)
    assert ScaleSteps()(1.0, -50.0) == pytest.approx(np.exp(0.1), rel=1e-14)


# The descent.


@by_name
def test_descent_lowers_the_divergence(target):
    P = joint()
    evaluate = objective_on(target, P)
    Y = target.random_normal(40, scale=0.1, random_state=0)
    schedule = Schedule(exaggeration_iter=30, max_iter=120)
    found = descend(evaluate, Y, steps_for(target), schedule=schedule)
    assert found.kl < 0.7 * evaluate(Y).kl
    assert found.n_iter == 120
    assert found.kl == pytest.approx(evaluate(found.embedding).kl, rel=1e-12)


def test_the_automatic_rate_is_a_quarter_of_n_over_the_exaggeration():
    P, target = joint(), Euclidean(2)
    Y = target.random_normal(40, scale=0.1, random_state=0)
    evaluate = objective_on(target, P)
    for part, rate in ((Schedule(12.0, 20, 20), 40 / 48), (Schedule(1.0, 0, 20), 10.0)):
        first = descend(evaluate, Y, PlaneSteps(), schedule=part)
        second = descend(
            evaluate, Y, PlaneSteps(), schedule=part._replace(learning_rate=rate)
        )
        np.testing.assert_allclose(first.embedding, second.embedding, rtol=1e-9)


def test_a_learned_scale_ends_where_its_derivative_vanishes():
    P, target = joint(), Sphere(2)
    Y = target.random_point(40, random_state=0)
    evaluate = objective_on(target, P)
    schedule = Schedule(exaggeration_iter=50, max_iter=1500, learn_scale=True)
    found = descend(evaluate, Y, CurvedSteps(target), schedule=schedule)
    at_end = evaluate(found.embedding, found.scale)
    assert found.scale != 1.0
    assert abs(at_end.dkl_dlogscale) < 0.01  # some steps of 0.1 of it remain
    fixed = descend(
        evaluate, Y, CurvedSteps(target), schedule=schedule._replace(learn_scale=False)
    )
    assert found.kl < fixed.kl
    assert fixed.scale == 1.0


def test_the_scale_rests_while_exaggerated():
    Y = Sphere(2).random_point(40, random_state=0)
    schedule = Schedule(exaggeration_iter=30, max_iter=30, learn_scale=True)
    evaluate = objective_on(Sphere(2), joint())
    found = descend(evaluate, Y, CurvedSteps(Sphere(2)), schedule=schedule)
    assert found.scale == 1.0


def test_descent_stops_at_rest():
    """At a minimum of a bowl there is nothing to do before max_iter."""

    def bowl(Y, scale, exaggeration, want_kl):
        return Value(np.sum((Y - [[1.0], [-1.0]]) ** 2), 2 * (Y - [[1.0], [-1.0]]), 0.0)

    start = np.array([[3.0], [-3.0]])
    schedule = Schedule(1.0, 0, 10_000, learning_rate=0.1)
    found = descend(bowl, start, PlaneSteps(), schedule=schedule)
    assert found.n_iter < 1000
    np.testing.assert_allclose(found.embedding, [[1.0], [-1.0]], atol=1e-7)


def test_descent_stops_without_progress_after_the_exaggeration():
    def flat(Y, scale, exaggeration, want_kl):
        return Value(1.0, np.ones_like(Y), 0.0)

    schedule = Schedule(
        exaggeration_iter=500, max_iter=5000, n_iter_without_progress=100
    )
    found = descend(flat, np.eye(2), PlaneSteps(), schedule=schedule)
    assert 600 <= found.n_iter <= 700


def test_collapsed_points_are_not_at_rest():
    """Uniform affinities draw all points to one while exaggerated."""
    n = 30
    P = np.full((n, n), 1.0 / (n * (n - 1)))
    np.fill_diagonal(P, 0.0)
    Y = Sphere(2).random_point(n, random_state=0)
    evaluate = objective_on(Sphere(2), P)
    schedule = Schedule(exaggeration_iter=1000, max_iter=1200)
    found = descend(evaluate, Y, CurvedSteps(Sphere(2)), schedule=schedule)
    assert Sphere(2).pairwise_distances(found.embedding).max() > 1.0
    assert found.n_iter > 1000 or found.kl < evaluate(Y).kl


def test_points_near_each_other_are_not_at_rest():
    """Their gradient is tiny, but grows with them."""
    Y = Euclidean(2).random_normal(40, scale=1e-9, random_state=0)
    schedule = Schedule(exaggeration_iter=0, max_iter=120, learning_rate=0.1)
    evaluate = objective_on(Euclidean(2), joint())
    assert np.linalg.norm(evaluate(Y).gradient) < schedule.min_grad_norm
    assert descend(evaluate, Y, PlaneSteps(), schedule=schedule).n_iter == 120


def test_overflow_goes_back_one_step_and_halves_the_rate():
    seen = []
    downhill = np.array([[1.0], [-1.0]])

    def fails_once(Y, scale, exaggeration, want_kl):
        seen.append(Y.ravel())
        return Value(1.0, downhill * (np.nan if len(seen) == 2 else 1.0), 0.0)

    schedule = Schedule(1.0, 0, 1, learning_rate=2.0)
    start = np.array([[10.0], [-10.0]])
    descend(fails_once, start, PlaneSteps(), schedule=schedule._replace(max_iter=2))
    # the gain of a first step is 0.8; the lost step counts as an iteration
    path = [10.0, 8.4, 10.0, 9.2]
    np.testing.assert_allclose([x[0] for x in seen], path, rtol=1e-12)
    np.testing.assert_allclose([x[1] for x in seen], np.negative(path), rtol=1e-12)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_overflow_again_is_warned_of_and_the_last_finite_points_are_kept():
    P = joint()
    Y = Euclidean(2).random_normal(40, scale=0.1, random_state=0)
    schedule = Schedule(learning_rate=1e306, exaggeration_iter=5, max_iter=60)

    def overflowing(Y, scale, exaggeration, want_kl):
        value = objective_on(Euclidean(2), P)(Y, scale, exaggeration, want_kl)
        return value._replace(gradient=1e5 * value.gradient)

    with pytest.warns(ConvergenceWarning, match="again after the learning rate"):
        found = descend(overflowing, Y, PlaneSteps(), schedule=schedule)
    assert np.isfinite(found.embedding).all()
    assert np.isfinite(found.kl)


def test_overflow_in_the_last_step_is_warned_of():
    def steep(Y, scale, exaggeration, want_kl):
        return Value(1.0, np.full_like(Y, 1e300), 0.0)

    schedule = Schedule(1.0, 0, 1, learning_rate=1e300)
    with pytest.warns(ConvergenceWarning, match="in the last step"):
        found = descend(steep, np.eye(2), PlaneSteps(), schedule=schedule)
    np.testing.assert_array_equal(found.embedding, np.eye(2))


def test_progress_is_reported_every_fifty_iterations():
    said = []
    descend(
        objective_on(Euclidean(2), joint()),
        Euclidean(2).random_normal(40, scale=0.1, random_state=0),
        PlaneSteps(),
        schedule=Schedule(exaggeration_iter=50, max_iter=120),
        progress=lambda message, *args: said.append(args[0]),
    )
    assert said == [50, 100]
