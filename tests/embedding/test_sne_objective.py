"""The objective of stochastic neighbour embedding against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from geolearn.embedding import _sne_kernels as kernels
from geolearn.embedding import sne_objective
from geolearn.embedding._sne_objective import SNEObjective
from geolearn.embedding._sne_objective_sums import CODES, curvature_sign
from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    PoincareBall,
    Sphere,
    Torus,
)
from tests.reference import sne as reference

pytestmark = pytest.mark.kernels

TARGETS = [
    Euclidean(1),
    Euclidean(2),
    Euclidean(3),
    Euclidean(5),
    Sphere(1),
    Sphere(2),
    Sphere(4),
    Hyperboloid(1),
    Hyperboloid(2),
    Hyperboloid(4),
]
PAIRS = [(M, kernel) for M in TARGETS for kernel in CODES[curvature_sign(M)]]
SURFACES = [(M, kernel) for M, kernel in PAIRS if M.dim == 2]


def case(manifold, n=6, seed=0):
    rng = np.random.default_rng(seed)
    Y = manifold.random_point(n, random_state=seed)
    return np.asarray(Y), reference.joint(n, rng)


# The worked example of the design: three points, checked with 40 digits.
P3 = np.array([[0.0, 0.2, 0.1], [0.2, 0.0, 0.2], [0.1, 0.2, 0.0]])
ON_SPHERE = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.6, 0.8]]
ON_HYPERBOLOID = [
    [1.0, 0.0, 0.0],
    [np.cosh(1.0), np.sinh(1.0), 0.0],
    [np.cosh(0.5), 0.0, np.sinh(0.5)],
]


def test_three_points_of_the_plane():
    kl, gradient, _ = sne_objective([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], P3)
    np.testing.assert_allclose(kl, 0.1178292308, atol=5e-11)
    expected = [
        [0.1769230769, 0.0246153846],
        [-0.1076923077, -0.1384615385],
        [-0.0692307692, 0.1138461538],
    ]
    np.testing.assert_allclose(gradient, expected, atol=5.1e-11)


@pytest.mark.parametrize(
    ("kernel", "kl", "slope", "first"),
    [
        ("student", 0.3670967286, -0.1585039604, (-0.2216801049, 0.589619292)),
        ("student_chordal", 0.3047251209, -0.1356072351, (-0.1525581395, 0.5085271318)),
        ("brownian", 0.7055477495, -1.1560744728, (-0.7947969943, 0.6625006534)),
        ("vmf", 0.5642577165, -0.8197691533, (-0.5123557208, 0.614826865)),
    ],
)
def test_three_points_of_the_sphere(kernel, kl, slope, first):
    value = sne_objective(ON_SPHERE, P3, target="sphere", kernel=kernel, scale=0.5)
    np.testing.assert_allclose(value.kl, kl, atol=5.1e-11)
    np.testing.assert_allclose(value.dkl_dlogscale, slope, atol=5.1e-11)
    np.testing.assert_allclose(value.gradient[0], [*first, 0.0], atol=5.1e-11)


def test_three_points_of_the_hyperboloid():
    value = sne_objective(ON_HYPERBOLOID, P3, target="hyperboloid", scale=0.5)
    np.testing.assert_allclose(value.kl, 0.2258222138, atol=5.1e-11)
    np.testing.assert_allclose(value.dkl_dlogscale, -0.11883648, atol=5.1e-11)
    expected = [0.0, -0.1843979963, 0.4312040073]
    np.testing.assert_allclose(value.gradient[0], expected, atol=5.1e-11)


@pytest.mark.parametrize("scale", [0.6, 0.02])
@pytest.mark.parametrize(("manifold", "kernel"), PAIRS, ids=str)
def test_derivatives_are_those_of_the_definition(manifold, kernel, scale):
    sign = curvature_sign(manifold)
    Y, P = case(manifold)
    value = sne_objective(Y, P, target=manifold, kernel=kernel, scale=scale)
    problem = (P, manifold, kernel, scale, sign)
    kl = reference.divergence(Y, *problem)
    np.testing.assert_allclose(value.kl, kl, rtol=1e-12)
    found = manifold.tangent_to_vector(Y, value.gradient)
    wanted = reference.gradient(Y, *problem)
    # differences of step 1e-5: third derivatives grow like scale^(-3/2)
    atol = 1e-6 * np.abs(wanted).max()
    np.testing.assert_allclose(found, wanted, atol=atol)
    slope = reference.scale_derivative(Y, *problem)
    np.testing.assert_allclose(value.dkl_dlogscale, slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("manifold", "kernel"), PAIRS, ids=str)
def test_gradients_are_tangent(manifold, kernel):
    Y, P = case(manifold)
    gradient = sne_objective(Y, P, target=manifold, kernel=kernel).gradient
    tangent = manifold.project_tangent(Y, gradient)
    np.testing.assert_allclose(gradient, tangent, atol=1e-14)


@pytest.mark.parametrize("kernel", ["student", "brownian"])
def test_forces_cancel_in_the_plane(kernel):
    Y, P = case(Euclidean(2), n=20)
    gradient = sne_objective(Y, P, kernel=kernel).gradient
    np.testing.assert_allclose(gradient.sum(axis=0), 0.0, atol=1e-16)


@pytest.mark.parametrize(("manifold", "kernel"), SURFACES, ids=str)
def test_descends_against_the_gradient(manifold, kernel):
    Y, P = case(manifold, n=12)
    value = sne_objective(Y, P, target=manifold, kernel=kernel, scale=0.5)
    norm = np.sum(manifold.norm(Y, value.gradient) ** 2)
    step = 1e-4
    moved = manifold.exp(Y, -step * value.gradient)
    after = sne_objective(moved, P, target=manifold, kernel=kernel, scale=0.5).kl
    np.testing.assert_allclose(after - value.kl, -step * norm, rtol=1e-2)


def isometry(manifold, rng):
    """Return the matrix of a random motion of ambient coordinates."""
    d = manifold.point_shape[0]
    if isinstance(manifold, Hyperboloid):
        rotation = np.eye(d)
        rotation[1:, 1:] = np.linalg.qr(rng.normal(size=(d - 1, d - 1)))[0]
        boost = np.eye(d)
        r = rng.uniform(0.0, 3.0)
        boost[:2, :2] = [[np.cosh(r), np.sinh(r)], [np.sinh(r), np.cosh(r)]]
        return rotation @ boost
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


@given(seed=st.integers(0, 2**20), log_scale=st.floats(-3.0, 2.0))
@pytest.mark.parametrize(("manifold", "kernel"), SURFACES, ids=str)
def test_motions_move_the_gradient_only(manifold, kernel, seed, log_scale):
    Y, P = case(manifold, seed=seed)
    A = isometry(manifold, np.random.default_rng(seed))
    options = {"kernel": kernel, "scale": np.exp(log_scale), "target": manifold}
    value = sne_objective(Y, P, **options)
    moved = sne_objective(manifold.project(Y @ A.T), P, **options)
    size = np.abs(value.gradient).max()
    np.testing.assert_allclose(moved.kl, value.kl, rtol=1e-9)
    np.testing.assert_allclose(moved.dkl_dlogscale, value.dkl_dlogscale, atol=1e-8)
    np.testing.assert_allclose(moved.gradient, value.gradient @ A.T, atol=1e-8 * size)


@given(seed=st.integers(0, 2**20))
def test_shuffled_points_have_shuffled_gradients(seed):
    Y, P = case(Sphere(2), n=9, seed=seed)
    order = np.random.default_rng(seed).permutation(9)
    value = sne_objective(Y, P, target="sphere", kernel="vmf")
    other = sne_objective(
        Y[order], P[np.ix_(order, order)], target="sphere", kernel="vmf"
    )
    np.testing.assert_allclose(other.kl, value.kl, rtol=1e-13)
    np.testing.assert_allclose(other.gradient, value.gradient[order], atol=1e-14)


def test_matches_scikit_learn_in_the_plane():
    from scipy.spatial.distance import squareform
    from sklearn.manifold import _t_sne

    Y, P = case(Euclidean(2), n=30)
    kl, gradient = _t_sne._kl_divergence(Y.ravel(), squareform(2.0 * P) / 2.0, 1, 30, 2)
    value = sne_objective(Y, P)
    np.testing.assert_allclose(value.gradient.ravel(), gradient, atol=1e-15)
    np.testing.assert_allclose(value.kl, kl, rtol=1e-13)


@pytest.mark.parametrize(("manifold", "kernel"), SURFACES, ids=str)
def test_sparse_and_dense_affinities_agree(manifold, kernel):
    Y, P = case(manifold, n=40)
    dense = sne_objective(Y, P, target=manifold, kernel=kernel)
    thin = sne_objective(Y, sparse.csr_array(P), target=manifold, kernel=kernel)
    np.testing.assert_allclose(thin.kl, dense.kl, rtol=1e-13)
    np.testing.assert_allclose(thin.dkl_dlogscale, dense.dkl_dlogscale, rtol=1e-11)
    size = np.abs(dense.gradient).max()
    np.testing.assert_allclose(thin.gradient, dense.gradient, atol=1e-13 * size)


@pytest.mark.parametrize(
    ("manifold", "kernel", "method"),
    [(*pair, "exact") for pair in SURFACES]
    + [(*pair, "barnes_hut") for pair in SURFACES if curvature_sign(pair[0]) >= 0],
    ids=str,
)
def test_threads_do_not_change_a_bit(manifold, kernel, method):
    Y, P = case(manifold, n=40)  # more than one task
    for table in (P, sparse.csr_array(P)):
        one, two = (
            SNEObjective(
                table, target=manifold, kernel=kernel, method=method, n_jobs=n_jobs
            )(Y, 0.3)
            for n_jobs in (1, 2)
        )
        assert one.kl == two.kl
        assert one.dkl_dlogscale == two.dkl_dlogscale
        assert np.array_equal(one.gradient, two.gradient)


@pytest.mark.parametrize("kernel", ["student", "brownian"])
def test_chunks_add_up(kernel):
    # more points than one chunk holds; the nearest ones come last
    n = kernels.WIDTH + 5
    Y = np.linspace(1.0, 0.0, n)[:, None] ** 2 * [30.0, 10.0]
    P = np.zeros((n, n))
    P[np.arange(n - 1), np.arange(1, n)] = 1.0
    P = (P + P.T) / (2 * n - 2)
    value = sne_objective(Y, sparse.csr_array(P), kernel=kernel, scale=0.01)
    problem = (P, Euclidean(2), kernel, 0.01, 0)
    np.testing.assert_allclose(value.kl, reference.divergence(Y, *problem), rtol=1e-12)
    square = np.sum((Y[:, None] - Y[None]) ** 2, axis=2)
    q = np.exp(reference.log_kernel(np.sqrt(square), 0.0, kernel, 0.01, 0))
    np.fill_diagonal(q, 0.0)
    slope = 1.0 / 0.01 if kernel == "brownian" else 2.0 / (0.01 + square)
    weight = (P - q / q.sum()) * slope
    wanted = 2.0 * (weight.sum(axis=1)[:, None] * Y - weight @ Y)
    np.testing.assert_allclose(
        value.gradient, wanted, atol=1e-12 * np.abs(wanted).max()
    )


@pytest.mark.parametrize("manifold", [SPD(2), Sphere(2, radius=2.0), Torus(2)], ids=str)
def test_student_kernel_on_other_manifolds(manifold):
    Y, P = case(manifold, n=5)
    value = sne_objective(Y, P, target=manifold, scale=0.7)
    problem = (P, manifold, "student", 0.7, 0)
    found = manifold.tangent_to_vector(Y, value.gradient)
    wanted = reference.gradient(Y, *problem)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-8)
    slope = reference.scale_derivative(Y, *problem)
    np.testing.assert_allclose(value.dkl_dlogscale, slope, rtol=1e-7)
    np.testing.assert_allclose(value.kl, reference.divergence(Y, *problem), rtol=1e-12)
    thin = sne_objective(Y, sparse.csr_array(P), target=manifold, scale=0.7)
    np.testing.assert_allclose(thin.gradient, value.gradient, atol=1e-15)


def test_models_of_hyperbolic_space_agree():
    Y, P = case(Hyperboloid(2), n=8)
    ball = PoincareBall(2)
    X = Y[:, 1:] / (1.0 + Y[:, :1])
    value = sne_objective(Y, P, target="hyperboloid")
    other = sne_objective(X, P, target=ball)
    np.testing.assert_allclose(other.kl, value.kl, rtol=1e-12)
    np.testing.assert_allclose(
        ball.norm(X, other.gradient),
        Hyperboloid(2).norm(Y, value.gradient),
        rtol=1e-9,
    )


def test_exaggeration_pulls_harder_and_leaves_the_divergence():
    Y, P = case(Sphere(2))
    values = [
        sne_objective(Y, P, target="sphere", exaggeration=e) for e in (1.0, 2.0, 12.0)
    ]
    assert values[0].kl == values[1].kl == values[2].kl
    for part in ("gradient", "dkl_dlogscale"):
        a, b, c = (getattr(value, part) for value in values)
        np.testing.assert_allclose(c - a, 11.0 * (b - a), atol=1e-13)
        assert np.abs(b - a).max() > 1e-3


def test_divergence_only_where_wanted():
    Y, P = case(Hyperboloid(2))
    objective = SNEObjective(P, target=Hyperboloid(2), kernel="brownian")
    value, cheap = objective(Y), objective(Y, want_kl=False)
    assert cheap.kl == 0.0
    assert np.array_equal(cheap.gradient, value.gradient)


@pytest.mark.parametrize(("manifold", "kernel"), PAIRS, ids=str)
@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e8])
def test_coincident_points_and_any_scale_are_finite(manifold, kernel, scale):
    Y, P = case(manifold, n=8)
    Y[1] = Y[0]
    Y[2] = manifold.exp(Y[0], 1e-160 * manifold.random_tangent(Y[0], random_state=1))
    Y[3] = manifold.exp(Y[0], 1e-9 * manifold.random_tangent(Y[0], random_state=1))
    value = sne_objective(Y, P, target=manifold, kernel=kernel, scale=scale)
    assert np.isfinite(value.kl)
    assert np.isfinite(value.dkl_dlogscale)


@pytest.mark.parametrize("kernel", CODES[1])
@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-7, 1e-3])
def test_antipodes_are_finite(kernel, apart):
    Y, P = case(Sphere(2), n=5)
    Y[0], Y[1] = [0.0, 0.0, 1.0], [np.sin(apart), 0.0, -np.cos(apart)]
    value = sne_objective(Y, P, target="sphere", kernel=kernel)
    assert np.isfinite(value.kl)
    if apart and kernel != "brownian":
        wanted = reference.divergence(Y, P, Sphere(2), kernel, 1.0, 1)
        np.testing.assert_allclose(value.kl, wanted, rtol=1e-12)
    if apart > 1e-4:
        problem = (P, Sphere(2), kernel, 1.0, 1)
        found = Sphere(2).tangent_to_vector(Y, value.gradient)
        wanted = reference.gradient(Y, *problem, step=1e-6)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_logarithms_keep_their_digits_near_antipodes():
    # on a great circle the logarithm is the angle; x - y would lose nine digits
    angle = np.array([0.0, np.pi - 1e-7, 1.0])
    Y = np.column_stack([np.sin(angle), np.zeros(3), np.cos(angle)])
    Y[1] = [np.sin(1e-7), 0.0, -np.cos(1e-7)]
    value = sne_objective(Y, P3, target="sphere", scale=0.5)
    log = angle[None] - angle[:, None]
    q = 1.0 / (1.0 + log**2 / 0.5) - np.eye(3)
    weight = (P3 - q / q.sum()) * 2.0 / (0.5 + log**2)
    wanted = -2.0 * np.sum(weight * log, axis=1)
    ahead = np.column_stack([np.cos(angle), np.zeros(3), -np.sin(angle)])
    np.testing.assert_allclose(value.gradient, wanted[:, None] * ahead, atol=1e-14)


@pytest.mark.parametrize("kernel", CODES[-1])
def test_far_hyperbolic_points_keep_their_digits(kernel):
    # The rounding of coordinates moves a point at radius 12 by eps * cosh(12) = 2e-11.
    manifold = Hyperboloid(2)
    Y, P = case(manifold, n=4)
    boost = np.eye(3)
    boost[:2, :2] = [[np.cosh(11.0), np.sinh(11.0)], [np.sinh(11.0), np.cosh(11.0)]]
    Y = manifold.project(manifold.geodesic(manifold.origin, Y, 0.5) @ boost.T)
    assert np.arccosh(Y[:, 0]).max() > 11.0
    value = sne_objective(Y, P, target=manifold, kernel=kernel, scale=0.5)
    kl, gradient = precise(Y[:, 1:], P, kernel, 0.5)
    np.testing.assert_allclose(value.kl, kl, rtol=1e-9)
    found = manifold.tangent_to_vector(Y, value.gradient)
    np.testing.assert_allclose(found, gradient, atol=1e-9 * np.abs(gradient).max())
    out = manifold.exp(manifold.origin, 12.0 * directions(4))
    value = sne_objective(out, P, target=manifold, kernel=kernel, scale=0.5)
    assert np.isfinite(value.gradient).all()
    assert np.isfinite(value.kl)


def precise(space, P, kernel, scale):
    """Return objective and gradient in the frames of `Hyperboloid`, to 40 digits."""
    from mpmath import acosh, diff, exp, log, mp, mpf, sinh, sqrt

    def phi(d):
        if kernel == "brownian":
            return d**2 / (2 * scale) + log(sinh(d) / d) / 2
        s = d if kernel == "student" else 2 * sinh(d / 2)
        return log(1 + s**2 / scale)

    def objective(X):
        X = [[sqrt(1 + x[0] ** 2 + x[1] ** 2), *x] for x in X]
        pairs = [(i, j) for i in range(len(X)) for j in range(i)]
        F = {}
        for i, j in pairs:
            x, y = X[i], X[j]
            F[i, j] = phi(acosh(x[0] * y[0] - x[1] * y[1] - x[2] * y[2]))
        log_z = log(2 * sum(exp(-f) for f in F.values()))
        return sum(
            2 * P[pair] * (log(mpf(P[pair])) + F[pair] + log_z)
            for pair in pairs
            if P[pair] > 0.0
        )

    with mp.workdps(40):
        X = [[mpf(float(a)) for a in x] for x in space]
        gradient = np.empty((len(X), 2))
        for i, x in enumerate(X):
            time = sqrt(1 + x[0] ** 2 + x[1] ** 2)
            for c in range(2):
                # the axis at the origin, transported to x
                axis = [x[c] / (1 + time) * a + (b == c) for b, a in enumerate(x)]

                def along(t, i=i, x=x, axis=axis):
                    moved = [a + t * b for a, b in zip(x, axis, strict=True)]
                    return objective([*X[:i], moved, *X[i + 1 :]])

                gradient[i, c] = float(diff(along, 0, h=mpf("1e-12")))
        return float(objective(X)), gradient


def directions(n):
    angle = 2.0 * np.pi * np.arange(n) / n
    return np.column_stack([np.zeros(n), np.cos(angle), np.sin(angle)])


def test_rows_far_from_all_others_do_not_underflow():
    # exp(-d^2 / (2 tau)) is zero in floating point for every pair
    Y = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    kl, gradient, slope = sne_objective(Y, P3, kernel="brownian", scale=1e-4)
    # the pair 0, 1 takes all of q: log q is (1 - d^2) / (2 tau) - log 2
    entropy = np.sum(P3[P3 > 0.0] * np.log(P3[P3 > 0.0]))
    wanted = entropy + (0.2 * 3.0 + 0.4 * 4.0) * 5e3 + np.log(2.0)
    np.testing.assert_allclose(kl, wanted, rtol=1e-12)
    np.testing.assert_allclose(slope, -(0.2 * 3.0 + 0.4 * 4.0) * 5e3, rtol=1e-12)
    np.testing.assert_allclose(gradient.sum(axis=0), 0.0, atol=1e-9)


def test_exponential_logarithm_and_arcs_are_accurate():
    m = kernels.WIDTH
    work, other = np.empty(m), np.empty(m)
    for stop in (1e-12, 1.0, 700.0, 800.0):
        v = np.linspace(0.0, stop, m)
        wanted = np.exp(-v)
        wanted[v > 708.0] = 0.0
        kernels._exponential(v, 0.0, work, m)
        np.testing.assert_allclose(v, wanted, rtol=2e-15)
    y = np.geomspace(1e-300, 1e300, m)
    value = y.copy()
    kernels._logarithm(value, (y - 1.0) / (y + 1.0), work, m)
    np.testing.assert_allclose(value, np.log(y), rtol=1e-15)
    t = np.concatenate(
        [np.geomspace(1e-150, 1.0, m // 2), np.linspace(1.0, 3.14159, m // 2)]
    )
    kernels._arc(4.0 * np.sin(t / 2) ** 2, 4.0 * np.cos(t / 2) ** 2, work, m)
    np.testing.assert_allclose(work, t, rtol=2e-15)
    q = np.geomspace(1e-300, 1e12, m)
    kernels._distance(q, work, other, m, value)
    np.testing.assert_allclose(work, 2.0 * np.arcsinh(np.sqrt(q)), rtol=2e-15)


@given(st.floats(-0.25, 0.25))
def test_series_of_the_cotangent(z):
    from mpmath import cot, coth, mp, mpf, sqrt

    with mp.workdps(40):
        d = sqrt(abs(mpf(z))) + mpf("1e-12")
        direct = (1 / d - cot(d)) / d if z > 0 else (coth(d) - 1 / d) / d
        found = kernels._cotangent(float(d * d) if z > 0 else -float(d * d))
        assert abs(found / float(direct) - 1.0) < 1e-15


def test_inputs_stay_as_they_are_and_lists_will_do():
    Y, P = case(Euclidean(2))
    table = sparse.csr_array(P)
    wide = sparse.csr_array(
        (table.data, table.indices.astype(np.int64), table.indptr.astype(np.int64))
    )
    for array in (Y, P, table.data):
        array.setflags(write=False)
    value = sne_objective(Y, P)
    for other in (P.tolist(), table, wide, sparse.coo_matrix(P), P.astype(np.float32)):
        result = sne_objective(Y.tolist(), other)
        np.testing.assert_allclose(result.gradient, value.gradient, atol=1e-7)


ON_PLANE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": 2.0 * P3}, "P must sum to 1, but sums to 2; pass P / P.sum"),
        ({"P": P3[:2]}, r"P has shape \(2, 3\), but Y has 3 samples"),
        ({"P": P3 + 0.01}, "zero diagonal"),
        ({"P": np.triu(P3) * 2.0}, r"symmetric.*transpose by up to 4\.00e-01"),
        ({"P": P3 * [[1, -1, 1]]}, "non-negative, but its smallest entry is -0.2"),
        ({"P": P3 * np.nan}, "NaN or infinity"),
        ({"P": P3.astype(str)}, "real numbers"),
        ({"kernel": "gauss"}, "kernel='gauss' is unknown; choose one of"),
        ({"kernel": "vmf"}, r"spheres only.*use one of \('student'"),
        ({"scale": 0.0}, "scale must be positive and finite, got 0.0"),
        ({"scale": -1.0}, "scale must be positive"),
        ({"exaggeration": 0.0}, "exaggeration must be positive"),
        ({"scale": 1e-310}, "overflows at scale=1e-310.*take a scale near"),
        ({"target": Torus(2), "kernel": "brownian"}, "use kernel='student', or a"),
        ({"target": "plane"}, "Unknown manifold 'plane'"),
        ({"target": "sphere"}, r"Y\[0\] is not on Sphere\(1\).*project"),
        ({"Y": ON_PLANE[:1], "P": [[0.0]]}, "at least 2"),
        ({"Y": ON_PLANE * np.nan}, "NaN"),
    ],
)
def test_bad_input_is_explained(change, message):
    arguments = {"Y": ON_PLANE, "P": P3} | change
    with pytest.raises(ValueError, match=f"(?s){message}"):
        sne_objective(**arguments)


@pytest.mark.parametrize(
    ("target", "change", "message"),
    [
        (Euclidean(2), {"method": "fft"}, "method='fft' is unknown"),
        (Euclidean(2), {"angle": -0.1}, "angle=-0.1 must be between 0 and 1"),
        (Hyperboloid(2), {"method": "barnes_hut"}, "use method='exact'"),
        (Euclidean(4), {"method": "barnes_hut"}, "at most 3 coordinates"),
    ],
)
def test_bad_choices_are_explained(target, change, message):
    with pytest.raises(ValueError, match=message):
        SNEObjective(P3, target=target, kernel="student", **change)
