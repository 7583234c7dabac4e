"""PrincipalSubbundle by closed forms: charts, curves, distances, surfaces."""

import logging

import numpy as np
import pytest

from geolearn.datasets import make_noisy_sphere
from geolearn.decomposition import PrincipalSubbundle
from geolearn.manifolds import Hyperboloid, Sphere

ANGLES, HEIGHTS = np.linspace(0.0, np.pi, 21), np.linspace(0.0, 1.2, 9)
MIDDLE = 4 * 21 + 10  # row of the sample in the middle
SIGMA = 0.25


def half_cylinder():
    """Return points of half a cylinder, and their flat coordinates."""
    t, h = (a.ravel() for a in np.meshgrid(ANGLES, HEIGHTS))
    return np.column_stack([np.cos(t), np.sin(t), h]), np.column_stack([t, h])


def fibonacci(n):
    i = np.arange(n) + 0.5
    z, angle = 1.0 - 2.0 * i / n, np.pi * (1.0 + np.sqrt(5.0)) * i
    r = np.sqrt(1.0 - z**2)
    return np.column_stack([r * np.cos(angle), r * np.sin(angle), z])


def tilted_plane(n=60, seed=0):
    """Return points of a plane in space and an orthonormal basis of it."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(3, 2)))[0]
    return 2.0 + rng.uniform(-1.0, 1.0, (n, 2)) @ basis.T, basis


@pytest.fixture(scope="module")
def cylinder():
    X, flat = half_cylinder()
    model = PrincipalSubbundle(2, bandwidth=SIGMA, base_point=MIDDLE)
    return model, model.fit_transform(X), X, flat


def test_chart_of_a_cylinder_unrolls_it(cylinder):
    model, V, _, flat = cylinder
    np.testing.assert_array_equal(model.status_, 0)
    np.testing.assert_array_equal(V, model.embedding_)
    gap = np.linalg.norm(V[:, None] - V[None], axis=2)
    true = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    # near the edges the local mean lies inside and the planes tilt
    assert np.median(abs(gap - true)) < 0.01
    assert abs(gap - true).max() < 0.12


def test_frame_and_base_point(cylinder):
    model, V, X, _ = cylinder
    F = model.base_frame_
    np.testing.assert_array_equal(model.base_point_, X[MIDDLE])
    np.testing.assert_allclose(F.T @ F, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(F, [[1, 0], [0, 0], [0, 1]], atol=1e-8)
    np.testing.assert_array_equal(V[MIDDLE], 0.0)


def test_exp_ends_at_the_foot_of_each_sample(cylinder):
    model, V, X, _ = cylinder
    ends = model.inverse_transform(V)
    np.testing.assert_allclose(
        np.linalg.norm(ends - X, axis=1), model.residuals_, atol=2e-6
    )
    # the foot is nearest: the residual is orthogonal to the surface
    step = 1e-4 * np.array([[1.0, 0.0], [0.0, 1.0]])
    for e in step:
        slope = np.sum((ends - X) * (model.exp(V + e) - model.exp(V - e)), axis=1)
        assert np.nanmax(abs(slope)) < 4e-7


def test_transform_inverts_exp(cylinder):
    model, *_ = cylinder
    rng = np.random.default_rng(0)
    V = rng.uniform(-1.0, 1.0, (12, 2)) * [0.4, 1.1]
    np.testing.assert_allclose(model.transform(model.exp(V)), V, atol=1e-5 * SIGMA)


def test_training_rows_get_their_coordinates_to_the_last_bit(cylinder):
    model, V, X, _ = cylinder
    rows = [3, 150, 17]
    np.testing.assert_array_equal(model.transform(X[rows]), V[rows])
    np.testing.assert_array_equal(model.transform(X[[17]]), V[[17]])
    near = model.transform(X[rows] + 1e-9)
    np.testing.assert_allclose(near, V[rows], atol=1e-5)
    assert not np.array_equal(near, V[rows])


def test_fit_charts_when_it_is_asked(cylinder):
    model, V, X, _ = cylinder
    late = PrincipalSubbundle(2, bandwidth=SIGMA, base_point=MIDDLE).fit(X)
    for name in ("embedding_", "residuals_", "status_"):
        assert not hasattr(late, name)
    np.testing.assert_array_equal(late.transform(X), V)
    np.testing.assert_array_equal(late.residuals(X), model.residuals_)
    assert late.n_iter_ == model.n_iter_ >= 1


def test_refit_forgets_the_chart():
    X, _ = tilted_plane()
    model = PrincipalSubbundle(2, bandwidth=0.6)
    model.fit_transform(X)
    assert not hasattr(model.fit(X), "embedding_")


@pytest.mark.parametrize("init", ["graph", "fan"])
def test_starts_agree(cylinder, init):
    _, V, X, _ = cylinder
    model = PrincipalSubbundle(
        2,
        bandwidth=SIGMA,
        base_point=MIDDLE,
        init=init,
        n_directions=24,
        store_jacobian=False,
    )
    np.testing.assert_allclose(model.fit_transform(X), V, atol=1e-5)
    new = X[[40, 122]] + [0.0, 0.0, 0.02]
    full = PrincipalSubbundle(2, bandwidth=SIGMA, base_point=MIDDLE).fit(X)
    np.testing.assert_allclose(model.transform(new), full.transform(new), atol=1e-5)


def test_flat_data_have_flat_coordinates_and_distances():
    X, basis = tilted_plane()
    model = PrincipalSubbundle(2, bandwidth=0.5)
    V = model.fit_transform(X)
    np.testing.assert_allclose(model.residuals_, 0.0, atol=1e-9)
    np.testing.assert_allclose(model.exp(V), X, atol=1e-9)
    np.testing.assert_allclose(
        V, (X - model.base_point_) @ model.base_frame_, atol=1e-9
    )
    true = np.linalg.norm(X[:5, None] - X[None, 5:9], axis=2)
    np.testing.assert_allclose(model.distance(X[:5], X[5:9]), true, atol=1e-9)
    D = model.distance(X[:5])
    np.testing.assert_allclose(D, D.T, atol=0)
    np.testing.assert_array_equal(np.diag(D), 0.0)
    frames = model.tangent_space(X[:4] + 0.1)
    np.testing.assert_allclose(
        frames @ frames.transpose(0, 2, 1),
        np.tile(basis @ basis.T, (4, 1, 1)),
        atol=1e-9,
    )


def test_rank_of_the_whole_space_is_euclidean_geometry():
    X = np.random.default_rng(0).normal(size=(40, 2))
    model = PrincipalSubbundle(2, bandwidth=1.0)
    V = model.fit_transform(X)
    np.testing.assert_allclose(
        np.linalg.norm(V, axis=1), np.linalg.norm(X - model.base_point_, axis=1)
    )
    np.testing.assert_allclose(model.residuals_, 0.0, atol=1e-9)


def test_logarithm_in_a_saddle():
    # worked number: 9 x 9 grid, sigma = .4, log_0 (.55, .25, .12)
    grid = np.linspace(-1.0, 1.0, 9)
    a, b = (c.ravel() for c in np.meshgrid(grid, grid))
    X = np.column_stack([a, b, 0.5 * a**2 - 0.25 * b**2])
    model = PrincipalSubbundle(2, bandwidth=0.4, base_point=np.zeros(3)).fit(X)
    v = model.transform([[0.55, 0.25, 0.12]])
    axes = (model.base_frame_ @ v[0])[:2]
    np.testing.assert_allclose(axes, [0.570446308, 0.245138831], atol=1e-5)
    assert np.linalg.norm(v) == pytest.approx(0.620888104, abs=1e-5)
    residual = model.residuals([[0.55, 0.25, 0.12]])
    np.testing.assert_allclose(residual, 0.015934769, atol=1e-7)
    end = model.exp([model.base_frame_.T @ [0.6, 0.3, 0.0]])
    np.testing.assert_allclose(
        end, [[0.584237967424, 0.304288446369, 0.11100975609]], atol=1e-6
    )


@pytest.fixture(scope="module")
def sphere():
    X = fibonacci(500)
    return PrincipalSubbundle(2, bandwidth=0.3, base_point=X[250]).fit(X), X


def test_distances_on_a_sphere_are_angles(sphere):
    model, X = sphere
    A, B = X[[0, 100, 250]], X[[120, 260]]
    angles = np.arccos(np.clip(A @ B.T, -1.0, 1.0))
    np.testing.assert_allclose(model.distance(A, B), angles, rtol=1e-4)
    np.testing.assert_allclose(model.distance(A, B, symmetric=False), angles, rtol=1e-4)
    graph = model.distance(A, B, method="graph")
    assert (graph > angles).all()
    assert (graph < 1.2 * angles).all()
    with pytest.raises(ValueError, match="method='chord' must be 'log' or 'graph'"):
        model.distance(A, B, method="chord")


def test_a_small_epsilon_punishes_steps_across(sphere):
    model, X = sphere
    A, B = X[:2], X[[120, 260]]
    plain = model.distance(A, B, method="graph")
    punished = PrincipalSubbundle(2, bandwidth=0.3, epsilon=0.01).fit(X)
    assert (punished.distance(A, B, method="graph") > plain).all()
    coarse = PrincipalSubbundle(2, bandwidth=0.3, n_neighbors=5).fit(X)
    assert (coarse.distance(A, B, method="graph") >= plain).all()


def test_logarithms_at_other_bases(sphere):
    model, X = sphere
    Y = X[[150, 300]]
    v = model.log(Y, base=X[200])
    angles = np.arccos(Y @ X[200])
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), angles, rtol=1e-4)
    np.testing.assert_allclose(model.exp(v, base=X[200]), Y, atol=1e-4)
    np.testing.assert_array_equal(model.log(Y), model.transform(Y))
    frame = model.tangent_space(X[200:201])[0]
    great = np.cos(angles[0]) * X[200] + np.sin(angles[0]) * frame @ (v[0] / angles[0])
    np.testing.assert_allclose(great, Y[0], atol=1e-3)


def test_geodesics_are_great_circles(sphere):
    model, X = sphere
    v = np.array([[1.5, 0.0], [0.0, -0.8]])
    times = np.linspace(0.0, 1.0, 7)
    equal = model.geodesic(v, t=7)
    assert equal.shape == (2, 7, 3)
    # The lengths are whole numbers of steps: rounding decides on one step more.
    np.testing.assert_allclose(model.geodesic(v, t=times), equal, atol=3e-6)
    x, F = model.base_point_, model.base_frame_
    true = np.cos(1.5 * times)[:, None] * x + np.sin(1.5 * times)[:, None] * F[:, 0]
    np.testing.assert_allclose(equal[0], true, atol=2e-4)
    np.testing.assert_allclose(model.geodesic(v[0], t=7), equal[0], atol=1e-12)
    back = model.geodesic(v[0], t=[-0.5])
    np.testing.assert_allclose(back[0], model.exp(-0.5 * v[:1])[0], atol=1e-12)
    assert model.geodesic(v[0], base=X[3], t=2)[0] == pytest.approx(X[3], abs=1e-12)


@pytest.mark.parametrize("center_base", ["mean", "ridge"])
def test_centred_bases_bring_the_reconstruction_to_the_middle_of_the_noise(center_base):
    X, _ = make_noisy_sphere(1500, noise=0.08, random_state=0)
    spread = {}
    for choice in (False, center_base):
        model = PrincipalSubbundle(2, bandwidth=0.35, center_base=choice).fit(X)
        P = model.reconstruct(radius=0.8, n_points=600)
        assert len(P) > 400
        spread[choice] = np.linalg.norm(P, axis=1).std()
    # The leaf through a noisy sample keeps its distance from the sphere.
    assert spread[center_base] < 0.4 * spread[False]


def test_reconstruction_is_the_sphere(sphere):
    model, _ = sphere
    P = model.reconstruct(radius=0.8, n_points=400)
    np.testing.assert_allclose(np.linalg.norm(P, axis=1), 1.0, atol=1e-3)
    assert 200 <= len(P) <= 900
    result = model.reconstruct(
        0.8, bases=model.base_point_[None], return_result=True, overlap="average"
    )
    assert set(result.base) == {0}
    np.testing.assert_allclose(
        result.points[::40], model.exp(result.v[::40]), atol=1e-6
    )
    for bad in ({"radius": -1.0}, {"n_points": 0}, {"overlap": "sum"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            model.reconstruct(**bad)


def test_local_pca_is_that_of_the_weights(sphere):
    model, X = sphere
    Q = np.array([[0.0, 0.0, 1.2], [0.6, 0.0, 0.6]])
    found = model.local_pca(Q)
    for i, q in enumerate(Q):
        w = np.exp(-0.5 * ((X - q) ** 2).sum(axis=1) / 0.3**2)
        w /= w.sum()
        Z = X - w @ X
        lam = np.linalg.eigvalsh((w[:, None] * Z).T @ Z)[::-1]
        np.testing.assert_allclose(found.eigenvalues[i], lam, atol=1e-6)
        np.testing.assert_allclose(found.mean[i], w @ X, atol=1e-6)
        assert found.n_eff[i] == pytest.approx(1.0 / np.sum(w**2), rel=1e-5)
    # A = coth(kappa) - 1 / kappa, kappa = 1 / sigma^2 for points of the sphere
    assert model.spectrum_[:2] == pytest.approx(0.91, abs=0.01)
    assert model.spectrum_[2] == pytest.approx(0.09, abs=0.01)


def test_project_finds_the_ridge(sphere):
    model, X = sphere
    P = model.project(1.1 * X[:5])
    np.testing.assert_allclose(model.project(P), P, atol=1e-6)
    radius = np.linalg.norm(P, axis=1)
    np.testing.assert_allclose(radius, radius[0], atol=2e-3)
    # coth(kappa) - 1 / kappa = r with kappa = r / sigma^2
    r = radius.mean()
    assert 1.0 / np.tanh(r / 0.09) - 0.09 / r == pytest.approx(r, abs=1e-3)


def test_scores_are_finite_and_fall_off_the_surface(sphere):
    model, X = sphere
    rows = X[[255, 260]]
    on, off = model.score_samples(rows), model.score_samples(1.1 * rows)
    np.testing.assert_allclose(on, 0.0, atol=1e-6)
    np.testing.assert_allclose(off, -0.01, rtol=0.02)
    np.testing.assert_allclose(model.residuals(1.1 * rows) ** 2, -off, rtol=1e-12)
    far = np.array([[9.0, 0.0, 0.0]])
    assert np.isnan(model.transform(far)).all()
    assert np.isnan(model.residuals(far)).all()
    gap = far[0] - model.base_point_
    np.testing.assert_allclose(model.score_samples(far), -(gap @ gap))
    assert model.score(rows) == pytest.approx(on.mean())


def test_center_base_moves_towards_the_centre_of_curvature(sphere):
    _, X = sphere
    for value, radius in [("mean", 0.91), (True, 0.91), ("ridge", 0.9)]:
        model = PrincipalSubbundle(
            2, bandwidth=0.3, base_point=X[250], center_base=value
        ).fit(X)
        assert np.linalg.norm(model.base_point_) == pytest.approx(radius, abs=0.02)
    near = PrincipalSubbundle(
        2, bandwidth=0.3, base_point=250, center_base=True, base_bandwidth=0.1
    ).fit(X)
    assert np.linalg.norm(near.base_point_) == pytest.approx(0.99, abs=0.005)


def test_central_base_point():
    X, flat = half_cylinder()
    model = PrincipalSubbundle(2, bandwidth=SIGMA).fit(X)
    t, h = flat[(model.base_point_ == X).all(axis=1)][0]
    assert abs(t - np.pi / 2) < 0.15
    assert abs(h - 0.6) < 0.15


@pytest.mark.parametrize(
    "manifold", ["sphere", Sphere(2), Sphere(2, radius=2.0)], ids=str
)
def test_curve_on_a_sphere_follows_a_latitude(manifold):
    radius = getattr(manifold, "radius", 1.0)
    angle = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    z = 0.6
    X = radius * np.column_stack(
        [0.8 * np.cos(angle), 0.8 * np.sin(angle), np.full(200, z)]
    )
    model = PrincipalSubbundle(
        1, manifold=manifold, bandwidth=0.1 * radius, base_point=0
    )
    V = model.fit_transform(X)
    signed = np.where(angle > np.pi, angle - 2 * np.pi, angle)
    ok = abs(signed) < 2.5
    np.testing.assert_allclose(abs(V[ok, 0]), 0.8 * radius * abs(signed[ok]), rtol=1e-5)
    path = model.geodesic([1.0], t=[0.0, 0.4, 1.0])
    np.testing.assert_allclose(path[:, 2], z * radius, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), radius, atol=1e-12)
    ends = model.distance(X[:1], X[[10]])
    np.testing.assert_allclose(ends, 0.8 * radius * angle[10], rtol=1e-5)


def test_geodesic_surface_in_hyperbolic_space():
    plane = Hyperboloid(2).random_ball(150, 1.0, random_state=0)
    X = np.column_stack([plane, np.zeros(150)])
    model = PrincipalSubbundle(
        2, manifold=Hyperboloid(3), bandwidth=0.4, base_point=[1.0, 0.0, 0.0, 0.0]
    ).fit(X)
    V = model.transform(X)
    ok = np.isfinite(V).all(axis=1)
    assert ok.mean() > 0.95
    true = Hyperboloid(3).dist(model.base_point_, X[ok])
    # tol = 1e-5 bandwidths
    np.testing.assert_allclose(np.linalg.norm(V[ok], axis=1), true, atol=4e-6)
    np.testing.assert_allclose(model.inverse_transform(V[ok]), X[ok], atol=1e-5)


def test_rank_and_bandwidth_are_chosen():
    X, _ = half_cylinder()
    X = X + 0.02 * np.random.default_rng(0).normal(size=X.shape)
    model = PrincipalSubbundle("auto").fit(X)
    assert model.n_components_ == 2
    sigma, score = model.bandwidth_scores_.T
    assert np.all(np.diff(sigma) > 0)
    assert model.bandwidth_ == sigma[np.argmin(score)]
    given = PrincipalSubbundle("auto", bandwidth=0.25).fit(X)
    assert given.n_components_ == 2
    assert given.bandwidth_ == 0.25
    assert given.bandwidth_scores_ is None
    assert given.spectrum_.shape == (3,)


def test_units_and_rigid_motions(cylinder):
    _, V, X, _ = cylinder
    rng = np.random.default_rng(1)
    Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    Y = 1e3 * X @ Q + [5.0, -3.0, 1.0]
    moved = PrincipalSubbundle(2, bandwidth=250.0, base_point=MIDDLE)
    W = moved.fit_transform(Y)
    np.testing.assert_allclose(
        np.linalg.norm(W, axis=1), 1e3 * np.linalg.norm(V, axis=1), atol=1e-1 * 0.2
    )
    np.testing.assert_allclose(abs(W), 1e3 * abs(V), atol=1e-1 * 0.2)


def test_results_do_not_depend_on_threads(cylinder):
    model, V, X, _ = cylinder
    two = PrincipalSubbundle(2, bandwidth=SIGMA, base_point=MIDDLE, n_jobs=2)
    np.testing.assert_array_equal(two.fit_transform(X), V)
    np.testing.assert_array_equal(two.project(X[:9]), model.project(X[:9]))
    new = X[:9] + 0.01
    np.testing.assert_array_equal(two.transform(new), model.transform(new))


def test_progress_goes_to_the_log(caplog):
    X, _ = tilted_plane()
    with caplog.at_level(logging.INFO, logger="geolearn"):
        PrincipalSubbundle(2, bandwidth=0.6).fit_transform(X)
        assert not caplog.messages
        PrincipalSubbundle(2, bandwidth=0.6, verbose=1).fit_transform(X)
    text = "\n".join(caplog.messages)
    assert "60 samples, 2 components, bandwidth 0.6" in text
    assert "chart: 60 of 60 converged" in text
