"""Logarithms of principal subbundles and the models they are found with."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from geolearn.decomposition import _subbundle_model as model_module
from geolearn.decomposition._subbundle_curved import curved_field
from geolearn.decomposition._subbundle_field import euclidean_field
from geolearn.decomposition._subbundle_log import log_map
from geolearn.decomposition._subbundle_logarithm import principal_subbundle_log
from geolearn.decomposition._subbundle_model import (
    Flow,
    Model,
    minimise,
    model_at,
    origin_model,
)
from geolearn.manifolds import Hyperboloid, Sphere
from tests.reference.subbundle import exponential

SIGMA = 0.4
RNG_SEED = 0


@pytest.fixture(scope="module")
def saddle():
    """Return a field of rank 2 on the grid of the saddle, base and frame."""
    a, b = np.meshgrid(np.arange(-4, 5) / 4, np.arange(-4, 5) / 4, indexing="ij")
    a, b = a.ravel(), b.ravel()
    X = np.column_stack([a, b, a**2 / 2 - b**2 / 4])
    return euclidean_field(X, n_components=2, bandwidth=SIGMA)


@pytest.fixture(scope="module")
def solid():
    """Return a field of rank 3 in five dimensions."""
    x, y, z = np.random.default_rng(RNG_SEED).uniform(-1, 1, size=(3, 300))
    X = np.column_stack([x, y, z, 0.3 * (x**2 - y * z), 0.2 * z**2])
    return euclidean_field(X, n_components=3, bandwidth=0.5)


@pytest.fixture(scope="module")
def arc():
    """Return a field of rank 1 on a parabola."""
    t = np.linspace(-1, 1, 60)
    return euclidean_field(np.column_stack([t, t**2]), n_components=1, bandwidth=0.2)


def _curved(manifold):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-0.8, 0.8, size=(2, 60))
    Z = np.column_stack([x, y, 0.3 * x**2 - 0.4 * x * y])
    origin = np.broadcast_to(manifold._origin(), (60, 4))
    X = manifold.exp(origin, manifold.vector_to_tangent(origin, Z))
    return curved_field(X, manifold, n_components=2, bandwidth=0.5)


def _start(field, base=None):
    base = np.zeros(field.dim) if base is None else base
    return base, field.frame(base[None])[0]


def _ends(field, base, frame, v, step=0.25):
    return Flow(step).shoot(field, base, frame, v)


def test_logarithm_on_the_saddle(saddle):
    """Compare with numbers computed to the tolerance by another search."""
    base, frame = np.zeros(3), np.eye(3)[:, :2]
    result = log_map(saddle, base, frame, np.array([[0.55, 0.25, 0.12]]))
    assert result.status[0] == 0
    np.testing.assert_allclose(result.v[0], [0.570446308, 0.245138831], atol=3e-7)
    np.testing.assert_allclose(result.residual, 0.015934769, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(result.v), 0.620888104, atol=3e-7)


def test_logarithm_is_the_least_squares_solution_of_the_reference(saddle):
    """Follow curves by plain NumPy, and let SciPy minimise."""
    target = np.array([0.3, -0.4, 0.15])

    def gap(v):
        eta = np.append(v, 0.0)
        return exponential(saddle.points, np.zeros(3), eta, SIGMA, 2, 12)[0] - target

    expected = least_squares(gap, target[:2], "3-point", xtol=1e-12, gtol=1e-12).x
    start = np.zeros(3), np.eye(3)[:, :2]
    result = log_map(saddle, *start, target[None], tol=1e-8, step=0.1)
    np.testing.assert_allclose(result.v[0], expected, atol=3e-7)


@pytest.mark.parametrize("name", ["saddle", "solid", "arc"])
def test_logarithm_inverts_the_exponential_map(name, request):
    field = request.getfixturevalue(name)
    base, frame = _start(field)
    v = np.random.default_rng(2).normal(size=(6, field.rank))
    v *= (
        np.array([0.05, 0.3, 0.5, 0.7, 0.9, 1.0])[:, None]
        * 0.8
        / np.linalg.norm(v, axis=1, keepdims=True)
    )
    shot = _ends(field, base, frame, v)
    result = log_map(field, base, frame, shot.points)
    np.testing.assert_array_equal(result.status, 0)
    np.testing.assert_allclose(result.v, v, atol=1e-5)
    assert result.residual.max() < 1e-5


@pytest.mark.parametrize("name", ["saddle", "solid", "arc"])
def test_models_err_by_the_third_power(name, request):
    """Halve the distance: the error falls by eight, at the base and elsewhere."""
    field = request.getfixturevalue(name)
    base, frame = _start(field)
    k = field.rank
    rng = np.random.default_rng(3)
    v = rng.normal(size=(4, k)) * 0.3
    flow = Flow(0.1)
    there, status = model_at(
        field, base, frame, v, flow.shoot(field, base, frame, v), flow
    )
    here = origin_model(field, base[None], frame[None])
    here = Model(*(np.repeat(part, 4, axis=0) for part in here))
    np.testing.assert_array_equal(status, 0)
    u = rng.normal(size=(4, k))
    u *= 0.2 / np.linalg.norm(u, axis=1, keepdims=True)
    for model in (there, here):
        error = []
        for shrink in (1.0, 0.5, 0.25):
            moved = model.moved(shrink * u)
            exact = flow.shoot(field, base, frame, moved.v).points
            error.append(np.linalg.norm(moved.points - exact, axis=1).max())
        assert error[0] / error[1] > 6.0
        assert error[1] / error[2] > 5.0
        assert error[0] < 1e-2


def test_result_is_stationary_whatever_derivatives_were_carried(saddle):
    """Differentiate anew at the solution, with targets far from the surface."""
    base, frame = _start(saddle)
    targets = np.array([[0.5, 0.2, 0.35], [-0.6, 0.4, -0.1], [0.1, -0.7, 0.1]])
    result = log_map(saddle, base, frame, targets)
    assert result.residual.min() > 0.05
    far = log_map(saddle, base, frame, targets, v0=np.full((3, 2), -0.3))
    np.testing.assert_allclose(far.v, result.v, atol=2e-5 * SIGMA)
    delta = 1e-3
    ends = [
        _ends(saddle, base, frame, result.v + s * delta * axis, step=0.02).points
        for axis in np.eye(2)
        for s in (1, -1)
    ]
    J = np.stack([ends[0] - ends[1], ends[2] - ends[3]], axis=2) / (2 * delta)
    np.testing.assert_allclose(result.jacobian, J, atol=2e-4)
    slope = np.einsum("mik,mi->mk", J, targets - result.points)
    np.testing.assert_allclose(slope, 0.0, atol=2e-5 * SIGMA)


@pytest.mark.parametrize("manifold", [Sphere(3, radius=2.0), Hyperboloid(3, -0.5)])
def test_logarithm_on_a_curved_space(manifold):
    field = _curved(manifold)
    base, frame = _start(field, field.points[0])
    v = np.array([[0.4, -0.3], [-0.2, 0.1]])
    shot = _ends(field, base, frame, v)
    # Off the surface the result is the nearest point in the manifold's distance.
    normal = field.local_pca(shot.points).vectors[:, :, 2]
    targets = np.concatenate(
        [shot.points, manifold.exp(shot.points, 0.2 * np.ascontiguousarray(normal))]
    )
    result = log_map(field, base, frame, targets)
    np.testing.assert_array_equal(result.status, 0)
    np.testing.assert_allclose(result.v[:2], v, atol=1e-5)
    expected = manifold.dist(result.points, targets)
    np.testing.assert_allclose(result.residual, expected, atol=1e-7)
    away = manifold.log(result.points[2:], targets[2:])
    for a in range(2):
        side = np.ascontiguousarray(result.jacobian[2:, :, a])
        side = manifold.project_tangent(result.points[2:], side)
        slope = manifold.inner(result.points[2:], side, away)
        np.testing.assert_allclose(slope, 0.0, atol=1e-5)


def test_flat_data_are_exact():
    rng = np.random.default_rng(4)
    X = np.column_stack([rng.uniform(-1, 1, size=(40, 2)), np.zeros(40)])
    field = euclidean_field(X, n_components=2, bandwidth=0.5)
    base = np.array([0.1, 0.0, 0.3])
    frame = field.frame(base[None])[0]
    targets = np.column_stack([rng.uniform(-0.7, 0.7, size=(5, 2)), np.full(5, 0.5)])
    result = log_map(field, base, frame, targets)
    np.testing.assert_allclose(result.v, (targets - base) @ frame, atol=1e-8)
    np.testing.assert_allclose(result.residual, 0.2, atol=1e-8)


def test_rank_of_the_space_is_euclidean_geometry():
    rng = np.random.default_rng(5)
    X = rng.uniform(-1, 1, size=(30, 2))
    field = euclidean_field(X, n_components=2, bandwidth=0.5)
    base, frame = _start(field)
    result = log_map(field, base, frame, X[:4])
    np.testing.assert_allclose(result.v, X[:4] @ frame, atol=1e-8)


def test_rows_do_not_depend_on_each_other(saddle):
    base, frame = _start(saddle)
    targets = saddle.points[10:30:4] + 0.02
    one = log_map(saddle, base, frame, targets)
    two = log_map(saddle, base, frame, targets[::-1], n_jobs=2)
    np.testing.assert_allclose(two.v[::-1], one.v, atol=1e-9)
    again = log_map(saddle, base, frame, targets, n_jobs=2)
    np.testing.assert_array_equal(again.v, one.v)
    each = log_map(saddle, np.tile(base, (5, 1)), np.tile(frame, (5, 1, 1)), targets)
    np.testing.assert_allclose(each.v, one.v, atol=1e-9)


def test_first_guess_outside_the_data_starts_at_the_base(saddle):
    base, frame = _start(saddle)
    target = _ends(saddle, base, frame, np.array([[0.5, -0.2]])).points
    result = log_map(saddle, base, frame, target, v0=np.array([[9.0, 9.0]]))
    np.testing.assert_allclose(result.v, [[0.5, -0.2]], atol=1e-5)


def test_target_beyond_the_edge_is_told(saddle):
    """The nearest point would lie outside of the support."""
    base, frame = _start(saddle)
    result = log_map(saddle, base, frame, np.array([[6.0, 0.0, 0.5]]))
    assert result.status[0] == 1
    assert np.isnan(result.v).all()
    assert np.isnan(result.points).all()
    assert np.isnan(result.residual).all()


def test_too_few_iterations_are_told(saddle):
    base, frame = _start(saddle)
    target = _ends(saddle, base, frame, np.array([[0.7, 0.4]])).points
    far = np.array([[-0.5, 0.5]])
    result = log_map(saddle, base, frame, target, v0=far, max_iter=1)
    assert result.status[0] == 2
    assert np.isfinite(result.v).all()
    assert result.n_iter[0] == 1


def test_base_as_target(saddle):
    base, frame = _start(saddle)
    result = log_map(saddle, base, frame, base[None])
    np.testing.assert_array_equal(result.v, [[0.0, 0.0]])
    np.testing.assert_allclose(result.jacobian[0], frame)


def test_minimum_of_a_model_stays_in_its_radius():
    rng = np.random.default_rng(6)
    flat = euclidean_field(rng.uniform(size=(20, 2)), n_components=1, bandwidth=0.3)
    model = Model(
        np.zeros((2, 1)),
        np.zeros((2, 2)),
        np.array([[[1.0], [0.0]]] * 2),
        np.array([[[[0.0]], [[1.0]]]] * 2),
    )
    # The parabola (u, u^2 / 2) and points beside and above it.
    targets = np.array([[1.0, 0.5], [0.0, 3.0]])
    u, inside = minimise(flat, model, targets, np.array([0.3, 4.0]), 1e-12)
    np.testing.assert_allclose(u[0], 0.3, rtol=1e-12)
    assert not inside[0]
    # Stationary by symmetry, though not a minimum: no step, and no NaN.
    np.testing.assert_allclose(u[1], 0.0, atol=1e-12)
    u, inside = minimise(flat, model, targets, np.array([4.0, 4.0]), 1e-12)
    np.testing.assert_allclose(u[0], 1.0, rtol=1e-9)
    assert inside[0]


def test_directions_that_leave_the_data_leave_one_sided_derivatives(
    saddle, monkeypatch
):
    """Stop the geodesics that are turned to one side."""
    base, frame = _start(saddle)
    flow = Flow()
    v = np.array([[0.5, 0.2]])
    shot = flow.shoot(saddle, base, frame, v)
    exact, _ = model_at(saddle, base, frame, v, shot, flow)
    shoot = Flow.shoot

    def half(self, *args, **options):
        found = shoot(self, *args, **options)
        found.points[0] = np.nan
        found.status[0] = 1
        return found

    monkeypatch.setattr(model_module.Flow, "shoot", half)
    model, status = model_at(saddle, base, frame, v, shot, flow)
    assert status[0] == 0
    np.testing.assert_allclose(model.jacobian, exact.jacobian, atol=2e-2)

    def none(self, *args, **options):
        found = half(self, *args, **options)
        found.points[:] = np.nan
        found.status[:] = 3
        return found

    monkeypatch.setattr(model_module.Flow, "shoot", none)
    _, status = model_at(saddle, base, frame, v, shot, flow)
    assert status[0] == 3


def test_function_agrees_with_its_parts(saddle):
    options = {"n_components": 2, "bandwidth": SIGMA}
    base, frame = _start(saddle)
    targets = np.array([[0.55, 0.25, 0.12], [0.5, -0.5, 0.1]])
    expected = log_map(saddle, base, frame, targets).v
    for init in ("graph", "tangent", "fan"):
        found = principal_subbundle_log(
            saddle.points, base, targets, init=init, **options
        )
        np.testing.assert_allclose(found.v, expected, atol=1e-5)
        np.testing.assert_array_equal(found.status, 0)
    all_samples = principal_subbundle_log(saddle.points, base, **options)
    few = principal_subbundle_log(saddle.points, base, saddle.points[30:34], **options)
    np.testing.assert_allclose(few.v, all_samples.v[30:34], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"init": "best"}, "init must be one of"),
        ({"base": [[0.0, 0.0, 0.0]]}, "base must be one point"),
        ({"base": [0.0, 0.0]}, "has shape"),
        ({"X": [0.0, 0.0]}, "X must have shape"),
        ({"Y": [[np.nan, 0.0, 0.0]]}, "Y"),
        ({"integrator": "euler"}, "integrator must be one of"),
        ({"tol": 0.0}, "tol must be positive"),
        ({"step": -1.0}, "step must be positive"),
        ({"bandwidth": 0.0}, "bandwidth must be positive"),
        ({"manifold": "poincare"}, "Sphere or Hyperboloid"),
    ],
)
def test_wrong_input_is_refused(saddle, change, message):
    options = {
        "X": saddle.points,
        "base": np.zeros(3),
        "n_components": 2,
        "bandwidth": SIGMA,
    }
    with pytest.raises((ValueError, TypeError), match=message):
        principal_subbundle_log(**(options | change))
