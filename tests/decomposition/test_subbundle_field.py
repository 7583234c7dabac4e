"""The Euclidean field of principal subbundles: worked numbers and closed forms."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ive

from geolearn.decomposition import (
    principal_subbundle_exp,
    principal_subbundle_hamiltonian,
)
from geolearn.decomposition._subbundle_field import euclidean_field
from tests.reference import subbundle as reference
from tests.reference.subbundle import fibonacci_sphere

# Worked numbers have 12 digits; they were computed without the kernels.
DIGITS = {"rtol": 0, "atol": 2e-12}


def parabola():
    x = np.arange(-1.5, 1.51, 0.25)
    return np.column_stack([x, x**2 / 2])


def saddle():
    a, b = np.meshgrid(np.arange(-1, 1.1, 0.25), np.arange(-1, 1.1, 0.25))
    return np.column_stack([a.ravel(), b.ravel(), (a**2 / 2 - b**2 / 4).ravel()])


def test_worked_numbers_of_the_parabola():
    field = euclidean_field(parabola(), n_components=1, bandwidth=0.5)
    points, eta = [[0, 0], [0.5, 0.1]], [[1, 0.5], [1, 0.5]]
    local = field.local_pca(points)
    means = [[0, 0.098696308136], [0.404767453402, 0.174860362044]]
    values = [[0.197392616273, 0.016530240826], [0.209893324469, 0.01369559012]]
    assert_allclose(local.mean, means, **DIGITS)
    assert_allclose(local.eigenvalues, values, **DIGITS)
    assert_allclose(local.n_eff[0], 6.432183054376, **DIGITS)
    F = field.frame(points)[1]
    P = [[0.877627069477, 0.327716030121], [0.327716030121, 0.122372930523]]
    assert_allclose(F @ F.T, P, **DIGITS)
    energy, velocity, force = field.hamiltonian(points, eta)
    assert_allclose(energy, [0.5, 0.617968166114], **DIGITS)
    assert_allclose(velocity[1], [1.041485084537, 0.388902495383], **DIGITS)
    forces = [[-0.365587166151, 0], [-0.080816826823, -0.022533686495]]
    assert_allclose(force, forces, **DIGITS)


def test_worked_numbers_of_the_tapered_kernel():
    options = {"n_components": 1, "bandwidth": 0.5, "kernel": "tapered"}
    local = euclidean_field(parabola(), **options).local_pca([[0.5, 0.1]])
    assert_allclose(local.eigenvalues[0], [0.15390287555, 0.006947523372], **DIGITS)
    assert_allclose(local.n_eff, 5.215293831529, **DIGITS)
    result = principal_subbundle_hamiltonian(
        parabola(), [0.5, 0.1], [1.0, 0.5], **options
    )
    assert_allclose(result.energy, 0.620647578094, **DIGITS)
    assert_allclose(result.force[0], [-0.066354804201, -0.021236077185], **DIGITS)


@pytest.mark.parametrize("integrator", ["rk4", "dop853"])
def test_worked_numbers_of_a_curve_on_the_parabola(integrator):
    e1 = np.array([0.935303763606, 0.353845827705])
    options = {"step": 0.005, "integrator": integrator, "n_records": 2}
    result = principal_subbundle_exp(
        parabola(), [0.5, 0.125], 0.8 * e1, n_components=1, bandwidth=0.5, **options
    )
    tol = {"rtol": 0, "atol": 1e-9 if integrator == "dop853" else 5e-11}
    half, end = [0.854225877722, 0.308998961165], [1.167846154995, 0.556635750471]
    assert_allclose(result.path[0], [[0.5, 0.125], half, end], **tol)
    assert_allclose(result.points[0], end, **tol)
    assert_allclose(result.covectors[0], [0.800087911181, 0.310120256074], **tol)
    assert_array_equal(result.status, [0])
    # Rank 1: the same curve as a line of the field, without momentum.
    field = euclidean_field(parabola(), n_components=1, bandwidth=0.5)
    back = field.shoot([0.5, 0.125], 0.8 * e1, step=0.01)
    assert_allclose(back.points[0], end, **tol)
    assert_allclose(np.linalg.norm(back.covectors), 0.8, rtol=1e-12)


def test_worked_numbers_of_the_saddle():
    field = euclidean_field(saddle(), n_components=2, bandwidth=0.4)
    point, eta = [[0.1, -0.2, 0.02]], [[0.3, 0.4, -0.2]]
    local = field.local_pca(point)
    values = [0.923049913197, 0.877563797014, 0.063583509268]
    assert_allclose(local.eigenvalues[0] / 0.16, values, **DIGITS)
    assert_allclose(local.n_eff, 29.619527403874, **DIGITS)
    energy, _, force = field.hamiltonian(point, eta)
    assert_allclose(energy, 0.112496753343, **DIGITS)
    wanted = [0.055646156997, -0.038701624305, 0.001064373524]
    assert_allclose(force[0], wanted, **DIGITS)
    shot = field.shoot([0, 0, 0], [[0.6, 0.3, 0], [0, 0.7, 0]], step=0.01)
    ends = [
        [0.584237967424, 0.304288446369, 0.11100975609],
        [0, 0.691767514383, -0.094022162321],
    ]
    assert_allclose(shot.points, ends, atol=5e-11)
    eta = [0.643146976482, 0.287290868993, 0.008049662096]
    assert_allclose(shot.covectors[0], eta, atol=5e-11)


@pytest.mark.parametrize("rho", [0.9, 1.0, 1.05])
def test_equispaced_circle(rho):
    angle = 2 * np.pi * np.arange(2000) / 2000
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    field = euclidean_field(X, n_components=1, bandwidth=0.25, support=9.0)
    local = field.local_pca([[rho, 0.0]])
    kappa = rho / 0.25**2
    first, second = ive(1, kappa) / ive(0, kappa), ive(2, kappa) / ive(0, kappa)
    tol = {"rtol": 0, "atol": 1e-14}
    assert_allclose(local.mean[0], [first, 0.0], **tol)
    values = [0.5 * (1 - second), 0.5 * (1 + second) - first**2]
    assert_allclose(local.eigenvalues[0], values, **tol)


def test_uniform_sphere():
    X = fibonacci_sphere(20_000)
    field = euclidean_field(X, n_components=2, bandwidth=0.3, support=9.0)
    for rho in (0.9, 1.0):
        local = field.local_pca([[0.0, rho, 0.0]])
        kappa = rho / 0.09
        mean = 1 / np.tanh(kappa) - 1 / kappa
        normal = kappa**-2 - np.sinh(kappa) ** -2
        tol = {"rtol": 0, "atol": 1e-8}
        assert_allclose(np.linalg.norm(local.mean), mean, **tol)
        assert_allclose(
            local.eigenvalues[0], [mean / kappa, mean / kappa, normal], **tol
        )


# Errors of the lattice, from the specification of the method.
@pytest.mark.parametrize(
    ("n", "sigma", "rho", "error"),
    [(500, 0.3, 1.0, 1e-4), (2000, 0.3, 1.0, 2e-5), (3000, 0.25, 0.9, 2e-5)],
)
def test_geodesics_of_a_sphere_are_great_circles(n, sigma, rho, error):
    field = euclidean_field(fibonacci_sphere(n), n_components=2, bandwidth=sigma)
    base = np.array([rho, 0.0, 0.0])
    v = rho * np.array([[0.6, 0.8], [-0.8, 0.6]]) @ field.frame(base)[0].T
    shot = field.shoot(base, np.pi / 2 * v, step=rho * np.pi / 2 / sigma / 40)
    assert_allclose(shot.points, v, atol=error)
    assert (shot.drift < 1e-6).all()


@pytest.mark.parametrize("kernel", ["gaussian", "tapered"])
def test_geodesics_of_a_cylinder_are_helices(kernel):
    angle, height = 2 * np.pi * np.arange(60) / 60, np.arange(-2.5, 2.51, 0.1)
    A, H = (x.ravel() for x in np.meshgrid(angle, height))
    X = np.column_stack([np.cos(A), np.sin(A), H])
    field = euclidean_field(X, n_components=2, bandwidth=0.3, kernel=kernel)
    shot = field.shoot([1.0, 0.0, 0.0], [[0.0, 0.8, 0.5]], step=0.05)
    wanted = [np.cos(0.8), np.sin(0.8), 0.5]
    assert_allclose(shot.points[0], wanted, atol=1e-7)
    assert_allclose(np.hypot(*shot.points[0, :2]), 1.0, atol=1e-7)


@pytest.mark.parametrize("d", [3, 30])
@pytest.mark.parametrize("kernel", ["gaussian", "tapered"])
def test_affine_data_have_straight_curves(kernel, d):
    rng = np.random.default_rng(0)
    A, _ = np.linalg.qr(rng.normal(size=(d, 2)))
    X = rng.normal(size=(60, 2)) @ A.T + 5.0
    field = euclidean_field(X, n_components=2, bandwidth=1.0, kernel=kernel)
    p = 5.0 + 0.05 * rng.normal(size=d)  # off the plane
    eta = 0.3 * rng.normal(size=(3, d))
    shot = field.shoot(p, eta)
    assert_array_equal(shot.status, 0)
    assert_allclose(shot.points, p + eta @ A @ A.T, atol=1e-12)
    assert_allclose(shot.covectors, eta, atol=1e-11)
    assert_allclose(field.local_pca(p).eigenvalues[0, 2], 0.0, atol=1e-14)


def test_full_rank_is_euclidean():
    X = np.random.default_rng(0).normal(size=(50, 3))
    shot = euclidean_field(X, n_components=3, bandwidth=1.0).shoot(
        X[0], [[0.1, 0.2, 0.3]]
    )
    assert_allclose(shot.points[0], X[0] + [0.1, 0.2, 0.3], atol=1e-14)


@pytest.fixture(scope="module")
def noisy_sphere():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 3))
    X /= np.linalg.norm(X, axis=1)[:, None]
    field = euclidean_field(
        X + 0.03 * rng.normal(size=X.shape), n_components=2, bandwidth=0.2
    )
    base = X[:6]
    return field, base, field.frame(base)[:, :, 0] * 1.08


def test_energy_is_conserved(noisy_sphere):
    field, base, eta = noisy_sphere
    fine = field.shoot(base, eta, step=0.02)
    energies = [[], []]
    for kernel, c, drift in (("gaussian", 6.0, 1e-5), ("tapered", 4.0, 2e-5)):
        cut = euclidean_field(
            field.points, n_components=2, bandwidth=0.2, kernel=kernel, support=c
        )
        coarse, finer = cut.shoot(base, eta), cut.shoot(base, eta, step=0.125)
        assert (coarse.drift < drift).all()
        # Order 4: halving the step divides the change by 16 where nothing is cut off.
        assert np.median(finer.drift / coarse.drift) < 1 / 10
        start, _, _ = cut.hamiltonian(base, eta)
        end, _, _ = cut.hamiltonian(coarse.points, coarse.covectors)
        assert_allclose(end, start, rtol=1e-9)
        energies.append(start)
    assert_allclose(field.shoot(base, eta).points, fine.points, atol=5e-6)


def test_a_curve_whose_energy_changes_is_followed_with_half_the_step(noisy_sphere):
    field, base, eta = noisy_sphere
    coarse = field.shoot(base, eta, step=2.0)  # the fewest steps, 4
    halved = field.shoot(base, eta, step=0.7)  # 8 steps
    changed = np.all(coarse.points == halved.points, axis=1)
    assert changed.any()
    assert_array_equal(coarse.drift[changed], halved.drift[changed])
    assert (coarse.drift[~changed] <= 1e-3).all()


def test_integrators_agree(noisy_sphere):
    field, base, eta = noisy_sphere
    base, eta = base[:2], eta[:2]
    fine = field.shoot(base, eta, step=0.02, record=3)
    best = field.shoot(base, eta, integrator="dop853", record=3)
    assert_allclose(best.points, fine.points, atol=1e-8)
    assert_allclose(best.path, fine.path, atol=1e-6)  # dense output is of order 7
    errors = [
        np.abs(
            field.shoot(base, eta, integrator="symplectic_euler", step=h).points
            - fine.points
        ).max()
        for h in (0.1, 0.05)
    ]
    assert errors[0] < 0.05
    assert 1.6 < errors[0] / errors[1] < 2.4  # of order 1


def test_results_do_not_depend_on_n_jobs_order_or_copy(noisy_sphere):
    field, base, eta = noisy_sphere
    one = field.shoot(base, eta, record=4)
    two = pickle.loads(pickle.dumps(field)).shoot(base, eta, record=4, n_jobs=2)
    for a, b in zip(one, two, strict=True):
        assert_array_equal(a, b)
    alone = field.shoot(base[2], eta[2:3], record=4)
    assert_array_equal(alone.points[0], one.points[2])


@pytest.mark.parametrize("d", [4, 30])
def test_isometric_embedding_changes_nothing(noisy_sphere, d):
    field, base, eta = noisy_sphere
    Q, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(d, 3)))
    rows = field.points[:600]
    small = euclidean_field(rows, n_components=2, bandwidth=0.35)
    large = euclidean_field(rows @ Q.T + 2.0, n_components=2, bandwidth=0.35)
    a = small.shoot(base, eta)
    b = large.shoot(base @ Q.T + 2.0, eta @ Q.T)
    assert_allclose(b.points, a.points @ Q.T + 2.0, atol=1e-10)
    assert_allclose(b.covectors, a.covectors @ Q.T, atol=1e-9)
    assert_allclose(b.drift, a.drift, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("unit", [1e-15, 1e15])
def test_units(unit):
    X, base, eta = saddle(), np.zeros(3), np.array([[0.6, 0.3, 0.0]])
    plain = euclidean_field(X, n_components=2, bandwidth=0.4)
    scaled = euclidean_field(X * unit, n_components=2, bandwidth=0.4 * unit)
    a, b = plain.shoot(base, eta), scaled.shoot(base, eta * unit)
    assert_allclose(b.points / unit, a.points, rtol=1e-10, atol=1e-12)
    assert_allclose(
        scaled.local_pca(X * unit).eigenvalues / unit**2,
        plain.local_pca(X).eigenvalues,
        rtol=1e-9,
    )


@pytest.mark.parametrize("d", [3, 30])
def test_duplicates_are_weights(d):
    X = np.pad(saddle(), ((0, 0), (0, d - 3)))
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 3, len(X))
    options = {"n_components": 2, "bandwidth": 0.4}
    repeated = euclidean_field(np.repeat(X, counts, axis=0), **options)
    weighted = euclidean_field(X, sample_weight=counts, **options)
    eta = np.zeros((1, d))
    eta[0, 0] = 0.5
    a, b = repeated.shoot(X[40], eta), weighted.shoot(X[40], eta)
    assert_allclose(a.points, b.points, atol=1e-10)


def test_degenerate_block_is_harmless():
    grid = np.stack(np.meshgrid(*[np.arange(-3.0, 4)] * 2, [0.0]), -1).reshape(-1, 3)
    local = euclidean_field(grid, n_components=2, bandwidth=1.0).local_pca([0, 0, 0.2])
    assert_allclose(local.eigenvalues[0, 0], local.eigenvalues[0, 1], rtol=1e-12)
    P = local.vectors[0, :, :2] @ local.vectors[0, :, :2].T
    assert_allclose(P, np.diag([1.0, 1, 0]), atol=1e-14)


@pytest.mark.parametrize("momentum", [False, True])
@pytest.mark.parametrize("integrator", ["rk4", "dop853", "symplectic_euler"])
def test_curves_stop_where_the_data_end(integrator, momentum):
    x = np.linspace(-1, 1, 41)
    X = np.column_stack([x, 0.1 * x**2])
    field = euclidean_field(X, n_components=1, bandwidth=0.2)
    options = {"integrator": integrator, "record": 10, "momentum": momentum}
    shot = field.shoot([0.0, 0.0], [[5.0, 0.0], [0.5, 0.0]], **options)
    assert_array_equal(shot.status, [1, 0])
    assert np.isnan(shot.points[0]).all()
    assert np.isnan(shot.covectors[0]).all()
    # 0.4 beyond the end, at a distance of 1.4 from the base
    assert 1.2 < 5 * shot.reached[0] < 1.6
    assert_array_equal(
        np.isnan(shot.path[0, :, 0]), np.arange(11) * 0.5 > 5 * shot.reached[0]
    )
    assert shot.reached[1] == 1.0
    assert not np.isnan(shot.path[1]).any()


@pytest.mark.parametrize("d", [2, 30])
def test_singular_points_and_far_points_are_told(d):
    angle = 2 * np.pi * np.arange(12) / 12
    X = np.zeros((12, d))
    X[:, 0], X[:, 1] = np.cos(angle), np.sin(angle)
    field = euclidean_field(X, n_components=1, bandwidth=1.0)
    eta = np.zeros((4, d))
    eta[:, 0] = 0.1
    base = np.zeros((4, d))  # the centre, where the eigenvalues agree
    base[1, 0] = 1e3
    base[2, 0] = np.nan
    base[3, 0] = 1.0
    eta[3] = 0.0
    for momentum in (False, True):
        shot = field.shoot(base, eta, momentum=momentum)
        assert_array_equal(shot.status, [3, 1, 3, 0])
        assert_array_equal(np.isnan(shot.points[:, 0]), [True, True, True, False])
    assert_allclose(field.local_pca(base[1]).nearest, 999.0)
    far = euclidean_field(X, n_components=1, bandwidth=1.0, kernel="tapered")
    assert_array_equal(far.local_pca(base[1]).n_eff, 0.0)


def test_energy_that_is_not_conserved_is_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    result = None
    with pytest.warns(UserWarning, match="lower step=4"):
        result = principal_subbundle_exp(
            X, X[:20], rng.normal(size=(20, 3)), bandwidth=0.8, step=4.0
        )
    assert (result.status == 2).any()


def test_bad_input():
    X = saddle()
    for options, message in (
        ({"n_components": 4}, "at most the number of features"),
        ({"bandwidth": 0.0}, "bandwidth must be positive"),
        ({"bandwidth": np.inf}, "bandwidth must be positive"),
        ({"kernel": "box"}, "kernel must be one of"),
        ({"support": -1.0}, "support must be positive"),
        ({"sample_weight": np.ones(3)}, "sample_weight must have shape"),
        ({"integrator": "euler"}, "integrator must be one of"),
        ({"step": 0.0}, "step must be positive"),
        ({"manifold": "poincare"}, "must be 'euclidean'"),
        ({"n_records": 0}, "n_records must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            principal_subbundle_exp(X, X[0], X[:2], **({"bandwidth": 0.4} | options))
    line = np.outer(np.arange(6.0), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="exceeds the dimension of the data"):
        euclidean_field(line, n_components=2, bandwidth=1.0)
    with pytest.raises(ValueError, match="at least 4 samples"):
        euclidean_field(X[:3], n_components=2, bandwidth=1.0)
    with pytest.raises(ValueError, match="covectors must be finite"):
        principal_subbundle_exp(X, X[0], [np.nan, 0, 0], bandwidth=0.4)
    with pytest.raises(ValueError, match="base has 3 rows and covectors 2"):
        principal_subbundle_exp(X, X[:3], X[:2], bandwidth=0.4)


def test_reference_gradient_by_differences():
    X, p, eta = saddle(), np.array([0.1, -0.2, 0.02]), np.array([0.3, 0.4, -0.2])
    _, _, force = reference.hamiltonian(X, p, eta, 0.4, 2)
    for a in range(3):
        shift = 1e-5 * np.eye(3)[a]
        up = reference.hamiltonian(X, p + shift, eta, 0.4, 2)[0]
        down = reference.hamiltonian(X, p - shift, eta, 0.4, 2)[0]
        assert_allclose(-(up - down) / 2e-5, force[a], rtol=1e-7)
