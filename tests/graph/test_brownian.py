import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from geolearn.graph import brownian_affinities, brownian_affinities_to
from geolearn.graph._brownian_kernels import fill_weights
from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    PoincareBall,
    ProductManifold,
    Sphere,
    Torus,
)
from tests.reference import brownian as reference

pytestmark = pytest.mark.kernels
RNG = np.random.default_rng(0)
FLAT = RNG.normal(size=(40, 3))
FIVE = np.array(
    [
        [1.0, 0.0, 0.0],
        [np.cos(0.3), np.sin(0.3), 0.0],
        [np.cos(1.0), 0.0, np.sin(1.0)],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
    ]
)
NO_VOLUME = np.empty((0, 0))


def entropies(P):
    P = P.toarray() if sparse.issparse(P) else P
    return np.array([reference.entropy(row) for row in P])


def check_valid(A, perplexity):
    P, J = A.conditional, A.joint
    assert_allclose(P.sum(axis=1), 1.0, rtol=1e-13)
    assert_allclose(P.diagonal(), 0.0, atol=0.0)
    assert_allclose(entropies(P)[A.attainable], np.log(perplexity), rtol=0, atol=1e-8)
    assert abs(J.sum() - 1.0) < 1e-14
    assert abs(J - J.T).max() == 0.0
    if sparse.issparse(J):
        assert isinstance(J, sparse.csr_array)
        assert J.has_sorted_indices


# Closed forms.


@pytest.mark.parametrize(
    ("correction", "time", "row", "joint"),
    [
        (
            "none",
            [0.458633586, 0.3886726349, 0.2547835709, 0.2126037611, 0.5341026534],
            [0.0, 0.6576475723, 0.2438593970, 0.0492465153, 0.0492465153],
            None,
        ),
        (
            "parametrix",
            [0.423353682, 0.3634455873, 0.2437499041, 0.2041398648, 0.4860207191],
            [0.0, 0.6581234712, 0.2430872214, 0.0493946537, 0.0493946537],
            [0.0, 0.1336085371, 0.0418262627, 0.0145318019, 0.0145318019],
        ),
    ],
)
def test_five_points_of_the_sphere(correction, time, row, joint):
    # Computed with 40 digits.
    A = brownian_affinities(
        FIVE, "sphere", perplexity=2.5, volume_correction=correction
    )
    assert_allclose(A.diffusion_time, time, rtol=1e-9)
    assert_allclose(A.conditional[0], row, rtol=0, atol=6e-11)
    if joint is not None:
        assert_allclose(A.joint[0], joint, rtol=0, atol=6e-11)
    assert A.attainable.all()
    assert A.volume_correction == correction


def test_automatic_correction_where_attainable():
    A = brownian_affinities(FIVE, "sphere", perplexity=2.5)
    B = brownian_affinities(
        FIVE, "sphere", perplexity=2.5, volume_correction="parametrix"
    )
    assert A.volume_correction == "parametrix"
    assert_array_equal(A.conditional, B.conditional)


def test_euclidean_is_gaussian():
    A = brownian_affinities(FLAT, perplexity=7.0)
    D = np.linalg.norm(FLAT[:, None] - FLAT, axis=-1)
    P, time = reference.conditional(D, 7.0)
    assert_allclose(A.conditional, P, rtol=1e-9, atol=1e-300)
    assert_allclose(A.diffusion_time, time, rtol=1e-9)
    assert A.volume_correction == "none"
    check_valid(A, 7.0)


def test_agree_with_sklearn():
    from sklearn.manifold._utils import _binary_search_perplexity

    squares = np.sum((FLAT[:, None] - FLAT) ** 2, axis=-1)
    theirs = _binary_search_perplexity(squares.astype(np.float32), 7.0, 0)
    ours = brownian_affinities(FLAT, perplexity=7.0).conditional
    assert_allclose(ours, theirs, rtol=0, atol=1e-5)  # theirs stops at 1e-5 nats


def test_agree_with_opentsne():
    affinity = pytest.importorskip("openTSNE.affinity")
    theirs = affinity.PerplexityBasedNN(FLAT, perplexity=7, method="exact").P
    ours = brownian_affinities(FLAT, perplexity=7.0, affinity="knn").joint
    assert_allclose(ours.toarray(), theirs.toarray(), rtol=0, atol=1e-6)


def test_exact_on_hyperbolic_space_of_dimension_three():
    # There the parametrix is the heat kernel, up to a factor of the time.
    manifold = Hyperboloid(3)
    X = manifold.random_point(12, random_state=0)
    A = brownian_affinities(X, manifold, perplexity=3, volume_correction="parametrix")
    D = manifold.pairwise_distances(X)
    np.fill_diagonal(D, np.inf)
    for d, t, p in zip(D, A.diffusion_time, A.conditional, strict=True):
        others = np.isfinite(d)
        r = d[others]
        exact = r / np.sinh(r) * np.exp(-(r**2) / (2.0 * t))
        assert_allclose(p[others], exact / exact.sum(), rtol=1e-10)


@pytest.mark.parametrize(
    ("manifold", "kernel", "t", "radii", "with_density", "without"),
    [
        (
            Sphere(2),
            reference.heat_kernel_sphere,
            0.2,
            [0.6, 1.0, 1.5, 2.0, 2.5],
            [0.9998, 0.9994, 0.9983, 0.9962, 0.9902],
            [0.9699, 0.9167, 0.8141, 0.6717, 0.4845],
        ),
        (
            Hyperboloid(2),
            reference.heat_kernel_plane,
            1.0,
            [0.5, 1.0, 2.0, 4.0],
            [0.9994, 0.9978, 0.9930, 0.9839],
            [1.020, 1.082, 1.337, 2.570],
        ),
    ],
    ids=["sphere", "hyperbolic plane"],
)
def test_ratio_to_the_heat_kernel(manifold, kernel, t, radii, with_density, without):
    # Points at the radii along one geodesic; the ratio is one at radius 0.
    radii = np.array([1e-5, *radii])
    line = manifold.exp_vector(manifold.origin, np.outer(radii, [1.0, 0.0]))
    X = np.concatenate([manifold.origin[None], line])
    D, L = manifold.pairwise_distances(X, return_log_volume=True)
    exact = kernel(radii, t)
    beta = np.full(len(X), 0.5 / t)
    for volume, ratios in ((L, with_density), (NO_VOLUME, without)):
        scaled = beta * 2.0 ** (2 * np.frexp(D.max(axis=1))[1])
        p = fill_weights(D, volume, True, scaled, None)[0, 1:]
        ratio = p / exact / (p[0] / exact[0])
        assert_allclose(ratio[1:], ratios, rtol=0, atol=6e-4 * max(ratios))


# Invariances.


@pytest.mark.parametrize(
    "manifold",
    [Euclidean(3), Torus(2), SPD(3, "log_euclidean"), SPD(3, "log_cholesky")],
    ids=repr,
)
def test_flat_manifolds_need_no_correction(manifold):
    X = manifold.random_point(20, random_state=0)
    forced, none = (
        brownian_affinities(X, manifold, perplexity=5, volume_correction=c)
        for c in ("parametrix", "none")
    )
    assert_array_equal(forced.conditional, none.conditional)
    assert_array_equal(forced.diffusion_time, none.diffusion_time)
    assert brownian_affinities(X, manifold, perplexity=5).volume_correction == "none"


def rotation(n):
    return np.linalg.qr(np.random.default_rng(1).normal(size=(n, n)))[0]


def boost(X):
    c, s = np.cosh(0.8), np.sinh(0.8)
    B = np.eye(X.shape[1])
    B[:2, :2] = [[c, s], [s, c]]
    return X @ B


def congruence(X):
    G = np.eye(3) + 0.4 * np.random.default_rng(1).normal(size=(3, 3))
    return G @ X @ G.T


@pytest.mark.parametrize(
    ("manifold", "move"),
    [
        (Sphere(2), lambda X: X @ rotation(3)),
        (Hyperboloid(2), boost),
        (SPD(3), congruence),
        (SPD(3), np.linalg.inv),
    ],
    ids=["rotation", "boost", "congruence", "inversion"],
)
def test_isometries_change_nothing(manifold, move):
    X = manifold.random_point(25, random_state=0)
    options = {"perplexity": 4, "volume_correction": "parametrix"}
    A = brownian_affinities(X, manifold, **options)
    B = brownian_affinities(move(X), manifold, **options)
    assert_allclose(A.conditional, B.conditional, rtol=0, atol=1e-10)
    assert_allclose(A.diffusion_time, B.diffusion_time, rtol=1e-9)
    check_valid(A, 4)


def test_models_of_hyperbolic_space_agree():
    X = Hyperboloid(2).random_point(25, random_state=0)
    ball = X[:, 1:] / (1.0 + X[:, :1])
    A = brownian_affinities(X, Hyperboloid(2), perplexity=4)
    B = brownian_affinities(ball, PoincareBall(2), perplexity=4)
    assert A.volume_correction == B.volume_correction == "parametrix"
    assert_allclose(A.conditional, B.conditional, rtol=0, atol=1e-11)


def test_radius_of_the_sphere_scales_times():
    X = Sphere(3).random_point(30, random_state=0)
    A = brownian_affinities(X, Sphere(3), perplexity=5)
    B = brownian_affinities(100.0 * X, Sphere(3, radius=100.0), perplexity=5)
    assert_allclose(A.conditional, B.conditional, rtol=0, atol=1e-12)
    assert_allclose(1e4 * A.diffusion_time, B.diffusion_time, rtol=1e-10)


@given(st.integers(-50, 50), st.randoms(use_true_random=False))
def test_units_and_order_of_samples(exponent, random):
    X = FLAT[:15]
    order = list(range(15))
    random.shuffle(order)
    A = brownian_affinities(X, perplexity=4)
    B = brownian_affinities(X[order] * 2.0**exponent, perplexity=4)
    assert_allclose(B.conditional, A.conditional[np.ix_(order, order)], atol=1e-12)
    expected = A.diffusion_time[order] * 4.0**exponent
    assert_allclose(B.diffusion_time, expected, rtol=1e-10)


@pytest.mark.parametrize("unit", [1e-140, 1e-15, 1e15, 1e140])
def test_any_unit(unit):
    A = brownian_affinities(FLAT, perplexity=5)
    D = unit * np.linalg.norm(FLAT[:, None] - FLAT, axis=-1)
    B = brownian_affinities(D, "precomputed", perplexity=5)
    assert_allclose(A.conditional, B.conditional, rtol=1e-9, atol=1e-300)
    assert B.attainable.all()
    assert_allclose(B.diffusion_time / unit / unit, A.diffusion_time, rtol=1e-9)


def test_threads_change_no_bit():
    X = Sphere(4).random_point(60, random_state=0)
    for options in ({}, {"affinity": "knn"}):
        A, B = (
            brownian_affinities(X, "sphere", perplexity=9, n_jobs=n, **options)
            for n in (1, 2)
        )
        assert abs(A.conditional - B.conditional).max() == 0.0
        assert_array_equal(A.diffusion_time, B.diffusion_time)


# Duplicates and ties.


def test_duplicates_share_the_weight():
    X = np.concatenate([np.zeros((6, 2)), np.eye(2), [[3.0, 3.0]]])
    A = brownian_affinities(X, perplexity=3)
    assert_allclose(A.conditional[0], [0, *5 * [0.2], 0, 0, 0], atol=0)
    assert A.attainable.all()
    assert_allclose(A.diffusion_time[:6], 5e-301, rtol=1e-12)  # beta = 1e300
    # Six samples are nearest to the next two rows as well, which are no duplicates.
    assert_allclose(entropies(A.conditional)[6:], np.log([6, 6, 3]), atol=1e-8)


def test_few_duplicates_are_calibrated():
    X = np.concatenate([FLAT, FLAT[:2]])
    A = brownian_affinities(X, perplexity=6)
    check_valid(A, 6)
    assert A.conditional[0, 40] == A.conditional[0].max()


def test_equal_distances_are_uniform():
    # The corners of a simplex, turned: distances differ by roundings.
    X = np.eye(6) @ rotation(6)
    A = brownian_affinities(X, perplexity=3)
    assert_allclose(A.conditional, (1 - np.eye(6)) / 5, rtol=1e-12)
    assert A.attainable.all()


@pytest.mark.parametrize("correction", ["none", "parametrix"])
def test_antipodes(correction):
    X = np.concatenate([FIVE, -FIVE[:1], [[-1.0, 1e-9, 0.0]]])
    A = brownian_affinities(X, "sphere", perplexity=2.5, volume_correction=correction)
    check_valid(A, 2.5)
    near = A.conditional[0, 5:]
    assert (near > 0).all() if correction == "none" else (near == 0).all()


# Unattainable perplexities.


def wide_matrices():
    manifold = SPD(4)
    vectors = 3.0 * np.random.default_rng(0).normal(size=(30, manifold.dim))
    return manifold, manifold.exp_vector(np.eye(4), vectors)


def test_fall_back_for_all_samples():
    manifold, X = wide_matrices()
    none = brownian_affinities(X, manifold, perplexity=12, volume_correction="none")
    with pytest.warns(ConvergenceWarning, match="not attainable"):
        forced = brownian_affinities(
            X, manifold, perplexity=12, volume_correction="parametrix"
        )
    n_bad = int((~forced.attainable).sum())
    assert n_bad > 0
    message = (
        r"Brownian volume correction is not applicable: the requested perplexity is "
        rf"unattainable for {n_bad} of 30 points \(dimension 10\); falling back to "
        r"volume_correction='none'"
    )
    with pytest.warns(UserWarning, match=message):
        A = brownian_affinities(X, manifold, perplexity=12)
    assert A.volume_correction == "none"
    assert_array_equal(A.conditional, none.conditional)
    assert A.attainable.all()
    check_valid(A, 12)
    assert_array_equal(np.isinf(forced.diffusion_time), ~forced.attainable)
    D, L = manifold.pairwise_distances(X, return_log_volume=True)
    for i in np.flatnonzero(~forced.attainable)[:5]:
        others = np.arange(30) != i
        assert reference.largest_root(D[i, others], L[i, others], 12.0) is None
        expected = reference.weights(0.0, D[i, others], L[i, others])
        assert_allclose(forced.conditional[i, others], expected, rtol=1e-9)
    check_valid(forced, 12)


def test_divergences_have_no_correction():
    manifold = SPD(3, "stein")
    X = manifold.random_point(12, random_state=0)
    assert brownian_affinities(X, manifold, perplexity=4).volume_correction == "none"


# Neighbours and precomputed input.


@pytest.mark.parametrize(
    "manifold",
    [Sphere(4), Hyperboloid(3), SPD(3), ProductManifold([Sphere(2), Euclidean(1)])],
)
def test_neighbors_restrict_all_pairs(manifold):
    X = manifold.random_point(60, random_state=0)
    options = {"perplexity": 6.5, "volume_correction": "parametrix"}
    A = brownian_affinities(X, manifold, affinity="knn", **options)
    assert A.conditional.nnz == 60 * 19  # three times the perplexity, rounded down
    check_valid(A, 6.5)
    D, L = manifold.pairwise_distances(X, return_log_volume=True)
    np.fill_diagonal(D, np.inf)
    far = np.sort(D, axis=1)[:, 18:19] < D
    B = brownian_affinities(
        np.where(far, np.inf, D), "precomputed", log_volume_density=L, **options
    )
    assert_allclose(A.conditional.toarray(), B.conditional, rtol=0, atol=1e-10)
    assert_allclose(A.diffusion_time, B.diffusion_time, rtol=1e-9)
    assert A.conditional.indices.dtype == np.int32


def test_precomputed_distances():
    manifold = Sphere(2)
    X = manifold.random_point(30, random_state=0)
    D, L = manifold.pairwise_distances(X, return_log_volume=True)
    none = brownian_affinities(X, manifold, perplexity=5, volume_correction="none")
    A = brownian_affinities(X, manifold, perplexity=5)
    before = D.copy()
    B = brownian_affinities(D, "precomputed", perplexity=5)
    C = brownian_affinities(D, "precomputed", perplexity=5, log_volume_density=L)
    assert_allclose(B.conditional, none.conditional, rtol=0, atol=1e-12)
    assert_allclose(C.conditional, A.conditional, rtol=0, atol=1e-12)
    assert (B.volume_correction, C.volume_correction) == ("none", "parametrix")
    assert_array_equal(D, before)
    knn, again = (
        brownian_affinities(T, m, perplexity=5, affinity="knn", log_volume_density=V)
        for T, m, V in ((X, manifold, None), (D, "precomputed", L))
    )
    assert_allclose(knn.conditional.toarray(), again.conditional.toarray(), atol=1e-12)


def test_precomputed_graph():
    D = np.linalg.norm(FLAT[:, None] - FLAT, axis=-1)
    far = np.sort(D, axis=1)[:, 12:13] < D  # twelve neighbours and the sample
    graph = sparse.csr_array(np.where(far, 0.0, D))
    A = brownian_affinities(graph, "precomputed", perplexity=5)
    B = brownian_affinities(FLAT, perplexity=5, n_neighbors=12)
    assert_allclose(A.conditional.toarray(), B.conditional.toarray(), atol=1e-12)
    few = brownian_affinities(graph, "precomputed", perplexity=2)
    assert few.conditional.nnz == 40 * 6


def test_pickle():
    A = brownian_affinities(FLAT, perplexity=5, affinity="knn")
    B = pickle.loads(pickle.dumps(A))
    assert abs(A.conditional - B.conditional).max() == 0.0


# New points.


def test_new_points_like_a_row_of_all():
    manifold = Sphere(3)
    X = manifold.random_point(51, random_state=0)
    options = {"perplexity": 5, "volume_correction": "parametrix"}
    A = brownian_affinities(X, manifold, n_neighbors=15, **options)
    P = brownian_affinities_to(X[:1], X[1:], manifold, **options)
    assert P.shape == (1, 50)
    assert_allclose(P.toarray()[0], A.conditional.toarray()[0, 1:], rtol=1e-9)


def test_new_points_do_not_see_each_other():
    X_new = RNG.normal(size=(7, 3))
    P = brownian_affinities_to(X_new, FLAT).toarray()
    assert_allclose(entropies(P), np.log(5), atol=1e-8)
    assert (np.count_nonzero(P, axis=1) == 15).all()
    one = brownian_affinities_to(X_new[3:4], FLAT).toarray()
    assert_array_equal(one[0], P[3])
    D = np.linalg.norm(X_new[:, None] - FLAT, axis=-1)
    Q = brownian_affinities_to(D, None, "precomputed").toarray()
    assert_allclose(P, Q, rtol=0, atol=1e-12)


def test_new_point_on_a_sample():
    P = brownian_affinities_to(FLAT[:2], FLAT).toarray()
    assert_array_equal(P.argmax(axis=1), [0, 1])


def test_few_samples_for_new_points():
    P = brownian_affinities_to(FLAT[:1], FLAT[1:8])
    assert P.nnz == 7
    with pytest.raises(ValueError, match=r"perplexity \(5.0\) .* neighbours \(5\)"):
        brownian_affinities_to(FLAT[:1], FLAT[1:6])


def test_new_point_that_is_too_far():
    manifold, X = wide_matrices()
    with pytest.warns(ConvergenceWarning, match="1 points"):
        P = brownian_affinities_to(
            X[:1], X[1:], manifold, perplexity=12, volume_correction="parametrix"
        )
    assert_allclose(P.sum(axis=1), 1.0)


# Errors.


@pytest.mark.parametrize("perplexity", [1.0, 39.0, 50.0, -3.0, np.nan])
def test_perplexity_out_of_range(perplexity):
    message = r"perplexity \(.*\) must be greater than 1 and less than the number of "
    with pytest.raises(ValueError, match=message + r"neighbours \(39\)"):
        brownian_affinities(FLAT, perplexity=perplexity)
    with pytest.raises(ValueError, match=message + r"neighbours \(12\)"):
        brownian_affinities(FLAT, perplexity=12.5, n_neighbors=12)


def test_too_few_or_equal_samples():
    with pytest.raises(ValueError, match=r"3 sample\(s\), but .* at least 4"):
        brownian_affinities(FLAT[:3], perplexity=1.5)
    for affinity in ("exact", "knn"):
        with pytest.raises(ValueError, match="all pairwise distances are zero"):
            brownian_affinities(np.ones((9, 2)), perplexity=2, affinity=affinity)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (FLAT, {"manifold": "sphere"}, r"X\[0\] is not on Sphere\(2\)"),
        (FLAT * np.nan, {}, "NaN or infinity"),
        (FLAT, {"volume_correction": "paper"}, "volume_correction must be one of"),
        (FLAT, {"affinity": "all"}, "affinity must be one of"),
        (FLAT, {"n_neighbors": 40}, "at most n_samples - 1 = 39"),
        (FLAT, {"n_neighbors": 10, "affinity": "exact"}, "use affinity='knn'"),
        (FLAT, {"log_volume_density": np.eye(40)}, "'precomputed' only"),
        (FLAT, {"manifold": "precomputed"}, r"\(n_samples, n_samples\), got \(40, 3"),
        (np.eye(5), {"manifold": "precomputed", "log_volume_density": FLAT}, "shape"),
        (-np.eye(5), {"manifold": "precomputed", "perplexity": 2}, "non-negative"),
        (
            np.ones((5, 5)),
            {"manifold": "precomputed", "volume_correction": "parametrix"},
            "needs log_volume_density",
        ),
        (
            np.ones((5, 5)),
            {"manifold": "precomputed", "log_volume_density": np.full((5, 5), np.nan)},
            "contains NaN",
        ),
        (
            sparse.eye_array(5).tocsr(),
            {"manifold": "precomputed", "affinity": "exact"},
            "a sparse graph",
        ),
    ],
)
def test_errors(X, options, message):
    with pytest.raises(ValueError, match=message):
        brownian_affinities(X, **{"perplexity": 5, **options})


def test_errors_of_new_points():
    with pytest.raises(ValueError, match="volume_correction must be one of"):
        brownian_affinities_to(FLAT, FLAT, volume_correction="auto")
    with pytest.raises(ValueError, match="needs log_volume_density"):
        brownian_affinities_to(
            np.ones((2, 9)), None, "precomputed", volume_correction="parametrix"
        )
    with pytest.raises(ValueError, match="point_shape"):
        brownian_affinities_to(FLAT[:, :2], FLAT)
