"""Principal subbundles on spheres and hyperboloids."""

import pickle

import numpy as np
import pytest

from geolearn.decomposition._subbundle_curved import curved_field
from geolearn.decomposition._subbundle_field import euclidean_field
from geolearn.manifolds import Hyperboloid, Sphere
from tests.reference.subbundle_curved import slope

SPACES = [Sphere(3, radius=2.0), Hyperboloid(3, curvature=-0.5)]
SIGMA = 0.35  # of the radius of curvature


def vectors(n=60, seed=0):
    """Flat coordinates of points near a curved surface, over the radius."""
    x, y, noise = np.random.default_rng(seed).uniform(-1.0, 1.0, (3, n))
    return np.column_stack([0.7 * x, 0.6 * y, 0.2 * x**2 - 0.1 * y**2 + 0.03 * noise])


def on(manifold, v):
    """Map flat coordinates over the radius into a space, about its origin."""
    origin = manifold.origin
    tangent = manifold.vector_to_tangent(origin, manifold._length_scale * v)
    return manifold.exp(origin, tangent)


def build(manifold, v=None, *, k=2, **options):
    X = on(manifold, vectors() if v is None else v)
    sigma = SIGMA * manifold._length_scale
    return curved_field(X, manifold, n_components=k, bandwidth=sigma, **options)


@pytest.fixture(scope="module", params=SPACES, ids=["sphere", "hyperboloid"])
def field(request):
    return build(request.param)


def state(manifold):
    """Return a point near the data and a momentum there."""
    R = manifold._length_scale
    p = on(manifold, np.array([0.05, 0.1, 0.03]))
    return p, manifold.vector_to_tangent(p, R * np.array([0.3, 0.4, -0.2]))


@pytest.mark.kernels
def test_the_force_is_that_of_the_reference(field):
    M = field.manifold
    p, eta = state(M)
    H, velocity, force = field.hamiltonian(p, eta)
    # The reference does not cut the Gaussian, which is exp(-15) there.
    h, v, f = slope(M, field.points, field.weights, p, eta, 2, field.bandwidth)
    np.testing.assert_allclose(H[0], h, rtol=1e-6)
    np.testing.assert_allclose(M.tangent_to_vector(p, velocity[0]), v, rtol=1e-5)
    tangent = M.project_tangent(p, force[0])
    np.testing.assert_allclose(M.tangent_to_vector(p, tangent), f, rtol=1e-4)


@pytest.mark.kernels
def test_the_tapered_force_is_that_of_the_reference():
    M = SPACES[0]
    field = build(M, kernel="tapered", support=3.0)
    p, eta = state(M)
    H, _, force = field.hamiltonian(p, eta)
    h, _, f = slope(M, field.points, field.weights, p, eta, 2, field.bandwidth, 3.0)
    np.testing.assert_allclose(H[0], h, rtol=1e-12)
    tangent = M.tangent_to_vector(p, M.project_tangent(p, force[0]))
    np.testing.assert_allclose(tangent, f, rtol=1e-10)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("manifold", SPACES, ids=["sphere", "hyperboloid"])
def test_the_force_is_minus_the_gradient(manifold, k):
    """Difference H along geodesics, with the momentum transported."""
    M, R = manifold, manifold._length_scale
    # With all weights in the kernel H is smooth; elsewhere its third derivative jumps.
    field = build(M, k=k, support=12.0)
    p, eta = state(M)
    h = 7e-4 * R
    stencil = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
    weights = np.array([-1.0, 9.0, -45.0, 45.0, -9.0, 1.0]) / 60.0
    gradient = np.empty(3)
    for a, e in enumerate(np.eye(3)):
        q = M.exp(p, h * stencil[:, None] * M.vector_to_tangent(p, e))
        moved = M.transport(p, q, eta)
        gradient[a] = weights @ field.hamiltonian(q, moved)[0] / h
    _, velocity, force = field.hamiltonian(p, eta)
    tangent = M.project_tangent(p, force[0])
    size = np.linalg.norm(gradient)
    error = M.tangent_to_vector(p, tangent) + gradient
    assert np.linalg.norm(error) < 1e-10 * max(size, 1.0)
    # The rest of the force keeps the momentum tangent.
    turn = M.inner(p, eta, velocity[0]) * (-M._curvature) * p
    np.testing.assert_allclose(force[0] - tangent, turn, atol=1e-12 * R)


def test_curves_conserve_energy_and_converge_at_order_four(field):
    p, eta = state(field.manifold)
    exact = field.shoot(p, 2 * eta, integrator="dop853")
    errors = []
    for step in (0.4, 0.2, 0.1):
        shot = field.shoot(p, 2 * eta, step=step)
        assert shot.status[0] == 0
        errors.append(field.manifold.dist(shot.points, exact.points)[0])
    assert exact.drift[0] < 1e-9
    assert shot.drift[0] < 1e-7
    assert min(errors[0] / errors[1], errors[1] / errors[2]) > 10.0
    assert errors[2] < 1e-6
    np.testing.assert_allclose(shot.covectors, exact.covectors, atol=1e-5)
    first = field.shoot(p, 2 * eta, step=0.01, integrator="symplectic_euler")
    assert 1e-5 < field.manifold.dist(first.points, exact.points)[0] < 1e-1


def test_a_latitude_circle_is_followed():
    angle = np.linspace(0.0, 2.0 * np.pi, 400, endpoint=False)
    height, rho = 0.6, 0.8
    X = np.column_stack(
        [rho * np.cos(angle), rho * np.sin(angle), np.full(400, height)]
    )
    field = curved_field(X, "sphere", n_components=1, bandwidth=0.2)
    shot = field.shoot(X[0], [[0.0, 1.0, 0.0]], step=0.01, record=4)
    t = np.linspace(0.0, 1.0, 5) / rho
    circle = np.column_stack([rho * np.cos(t), rho * np.sin(t), np.full(5, height)])
    assert shot.status[0] == 0
    np.testing.assert_allclose(shot.path[0], circle, atol=1e-11)
    # A sign, or more momentum across the circle, changes nothing else.
    back = field.shoot(X[0], [[0.0, -1.0, 0.0]], step=0.01)
    np.testing.assert_allclose(back.points[0], circle[-1] * [1, -1, 1], atol=1e-11)
    full = field.shoot(X[0], [[0.0, 1.0, 0.0]], integrator="dop853")
    np.testing.assert_allclose(full.points[0], circle[-1], atol=1e-11)
    np.testing.assert_allclose(full.points[0, 2], height, atol=1e-12)
    with_momentum = field.shoot(X[0], [[0.0, 1.0, 0.0]], step=0.02, momentum=True)
    np.testing.assert_allclose(with_momentum.points[0], circle[-1], atol=1e-8)


@pytest.mark.parametrize("manifold", SPACES, ids=["sphere", "hyperboloid"])
def test_data_on_a_geodesic_subspace_give_its_geodesics(manifold):
    """The third normal eigenvalue is zero, and curves are those of the space."""
    v = vectors()
    v[:, 2] = 0.0
    field = build(manifold, v)
    p = on(manifold, np.array([0.1, -0.05, 0.0]))
    F = field.frame(p)[0]
    np.testing.assert_allclose(F[-1], 0.0, atol=1e-12)
    gram = [[manifold.inner(p, F[:, a], F[:, b]) for b in (0, 1)] for a in (0, 1)]
    np.testing.assert_allclose(gram, np.eye(2), atol=1e-12)
    u = F @ (0.5 * manifold._length_scale * np.array([0.6, -0.8]))
    shot = field.shoot(p, u)
    assert shot.drift[0] < 1e-6
    off = manifold.dist(shot.points[0], manifold.exp(p, u))
    assert off < 1e-5 * manifold._length_scale
    full = build(manifold, v, k=3)
    off = manifold.dist(full.shoot(p, u, step=0.05).points[0], manifold.exp(p, u))
    assert off < 1e-8 * manifold._length_scale


def test_the_limit_of_no_curvature():
    """On a huge sphere and in weak curvature the flat field comes out."""
    v = vectors()
    flat = euclidean_field(v, n_components=2, bandwidth=SIGMA)
    p, u = np.array([0.05, 0.1, 0.03]), np.array([[0.3, 0.4, -0.2]])
    expected = flat.shoot(p, u)
    for M in (Sphere(3, radius=1e4), Hyperboloid(3, curvature=-1e-8)):
        X = on(M, v / 1e4)
        base = on(M, p / 1e4)
        field = curved_field(X, M, n_components=2, bandwidth=SIGMA)
        shot = field.shoot(base, M.vector_to_tangent(base, u))
        end = M.log_vector(M.origin, shot.points[0])
        np.testing.assert_allclose(end, expected.points[0], atol=1e-6)
        np.testing.assert_allclose(shot.drift, expected.drift, rtol=1e-2)


def test_isometries_and_units_change_nothing(field):
    M = field.manifold
    p, eta = state(M)
    shot = field.shoot(p, eta)
    rng = np.random.default_rng(1)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    if M._curvature < 0.0:  # a rotation after a boost
        rotation = np.eye(4)
        rotation[1:, 1:] = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        boost = np.eye(4)
        boost[:2, :2] = [[np.cosh(3), np.sinh(3)], [np.sinh(3), np.cosh(3)]]
        Q = boost @ rotation
    Q = Q * 1.0 if M._curvature < 0.0 or (Q @ p)[0] < 0.0 else -Q  # far hemisphere
    turned = curved_field(
        field.points @ Q.T, M, n_components=2, bandwidth=field.bandwidth
    )
    end = turned.shoot(Q @ p, Q @ eta).points
    np.testing.assert_allclose(end, shot.points @ Q.T, rtol=1e-9, atol=1e-9)
    unit = Sphere(3) if M._curvature > 0.0 else Hyperboloid(3)
    R = M._length_scale
    small = build(unit).shoot(p / R, eta / R)
    np.testing.assert_allclose(small.points * R, shot.points, rtol=1e-12, atol=1e-12)


def test_threads_copies_and_records(field):
    M = field.manifold
    p, eta = state(M)
    eta = np.stack([eta, 0.5 * eta, -eta])
    one, two = field.shoot(p, eta, record=3), field.shoot(p, eta, record=3, n_jobs=2)
    copy = pickle.loads(pickle.dumps(field)).shoot(p, eta, record=3)
    for a, b, c in zip(one, two, copy, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(one.path[:, -1], one.points)
    assert M._deviation(one.path.reshape(-1, 4)).max() < 1e-12
    third = field.shoot(p, eta / 3.0, step=0.01)
    assert M.dist(third.points, one.path[:, 1]).max() < 1e-5


@pytest.mark.kernels
def test_curves_stop_where_data_end(field):
    M = field.manifold
    p, eta = state(M)
    shot = field.shoot(p, np.stack([12 * eta, np.nan * eta, 0 * eta]), record=4)
    assert shot.status.tolist() == [1, 3, 0]
    assert np.isnan(shot.points[:2]).all()
    assert 0.0 < shot.reached[0] < 1.0
    assert np.isfinite(shot.path[0, 0]).all()
    np.testing.assert_allclose(shot.points[2], p, atol=1e-14)
    far = field.local_pca(on(M, np.array([[0.0, 0.0, 2.5]])))
    assert np.isfinite(far.eigenvalues).all()


def test_paths_are_known_up_to_where_they_stop():
    t = np.linspace(0.0, 1.5, 60)
    X = np.column_stack([np.cos(t), np.sin(t), np.zeros(60)])
    field = curved_field(X, Sphere(2), n_components=1, bandwidth=0.1)
    for integrator in ("rk4", "dop853"):
        shot = field.shoot(X[0], [[0.0, 3.0, 0.0]], integrator=integrator, record=30)
        known = np.isfinite(shot.path[0]).all(axis=1)
        assert shot.status[0] == 1
        assert 0.5 < shot.reached[0] < 0.65  # the data end at half the way
        assert known[: known.sum()].all()
        assert abs(known.sum() - 30 * shot.reached[0]) < 2.0


def test_antipodes_have_no_weight():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    X /= np.linalg.norm(X, axis=1)[:, None]
    X = np.concatenate([X, -X])
    field = curved_field(X, "sphere", n_components=2, bandwidth=0.4)
    v = np.array([0.0, 0.3, 0.4])
    p = np.array([1.0, 0.0, 0.0])
    end = field.shoot(p, v, step=0.05).points[0]
    np.testing.assert_allclose(end, Sphere(2).exp(p, v), atol=1e-8)  # k = dim
    assert np.isfinite(field.local_pca(X).eigenvalues).all()
    with pytest.raises(ValueError, match="third of the injectivity radius"):
        field.with_bandwidth(1.1)


def test_spectra_and_differences(field):
    M = field.manifold
    spectra = field.local_pca(field.points[:5], n_jobs=2)
    for p, e, V, mean in zip(
        field.points, spectra.eigenvalues, spectra.vectors, spectra.mean, strict=False
    ):
        L = M.log_vector(p, field.points)
        w = np.exp(-0.5 * np.sum(L**2, axis=1) / field.bandwidth**2)
        w /= w.sum()
        Z = L - w @ L
        np.testing.assert_allclose(
            e, np.linalg.eigvalsh(Z.T @ (w[:, None] * Z))[::-1], rtol=1e-5
        )
        np.testing.assert_allclose(M.log_vector(p, mean), w @ L, atol=1e-6)
        np.testing.assert_allclose(M.project_tangent(p, V.T), V.T, atol=1e-12)
    np.testing.assert_allclose(spectra.nearest, 0.0, atol=1e-7)
    gaps = field.difference(field.points[:4], field.points[4])
    np.testing.assert_allclose(
        np.linalg.norm(gaps, axis=1), M.dist(field.points[:4], field.points[4])
    )
    lengths, indices = field.neighbors(field.points[:4], 2)
    np.testing.assert_array_equal(indices[:, 0], np.arange(4))
    assert field.neighbors(None, 3)[1].shape == (60, 3)
    assert np.quantile(lengths[:, 1], 0.0) > 0.0


def test_a_bump_of_weights(field):
    """A weight of two is a sample twice."""
    X, M = field.points, field.manifold
    weight = np.ones(60)
    weight[:7] = 2.0
    options = {"n_components": 2, "bandwidth": field.bandwidth}
    weighted = curved_field(X, M, sample_weight=weight, **options)
    doubled = curved_field(np.concatenate([X, X[:7]]), M, **options)
    p, eta = state(M)
    np.testing.assert_allclose(
        weighted.hamiltonian(p, eta)[2], doubled.hamiltonian(p, eta)[2], rtol=1e-9
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"manifold": "poincare"}, "must be a Sphere"),
        ({"bandwidth": 4.0}, "injectivity"),
        ({"bandwidth": -1.0}, "positive"),
        ({"kernel": "box"}, "kernel must be"),
        ({"n_components": 3}, "at most the dimension"),
        ({"X": np.eye(3)}, "at least 4 samples"),
    ],
)
def test_wrong_arguments(change, message):
    X = np.random.default_rng(0).standard_normal((20, 3))
    given = {"X": X / np.linalg.norm(X, axis=1)[:, None], "manifold": "sphere"}
    given |= {"n_components": 2, "bandwidth": 0.3} | change
    with pytest.raises(ValueError, match=message):
        curved_field(given.pop("X"), given.pop("manifold"), **given)
    field = build(SPACES[0])
    with pytest.raises(ValueError, match="integrator"):
        field.shoot(field.points[0], field.points[:1], integrator="euler")
