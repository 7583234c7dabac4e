"""The estimator of barycentric subspaces: worked numbers, strategies, identities."""

import itertools

import numpy as np
import pytest
from sklearn.decomposition import PCA

from geolearn.decomposition import (
    BarycentricSubspaceAnalysis,
    affine_span_index,
    unexplained_variance,
)
from geolearn.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    PlanarShapes,
    PoincareBall,
    Sphere,
)

BSA = BarycentricSubspaceAnalysis
STRATEGIES = ("forward", "backward", "pure", "flag", "forward_backward")
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def of_degrees(pairs):
    """Return points of the sphere from longitude and latitude."""
    longitude, latitude = np.radians(np.array(pairs, dtype=float)).T
    flat = np.cos(latitude)
    return np.column_stack(
        [flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)]
    )


# Worked number 7 of the specification.
SIX = of_degrees([(0, 0), (20, 10), (45, -5), (80, 5), (100, -15), (60, 40)])
SIX_ALONE = [
    *(1.189602163, 0.708460473, 0.479534867),
    *(0.691757577, 1.27201996, 0.755461031),
]


def cloud(manifold, n=25, scale=0.4, seed=0):
    """Return points around the origin of a manifold."""
    return np.asarray(manifold.random_normal(n, scale=scale, random_state=seed))


def spanned(references, manifold, **options):
    """Return a model of given references, fitted to them."""
    return BSA(manifold=manifold, references=references, **options).fit(references)


# Worked numbers of the specification; all digits that it prints.


def test_great_circle_through_two_axes():
    model = spanned(np.eye(3)[:2], "sphere")
    y = np.array([[1.0, 2.0, 2.0]]) / 3.0
    np.testing.assert_allclose(
        model.transform(y), [[0.295167235301, 0.704832764699]], atol=1e-12
    )
    np.testing.assert_allclose(model.distance(y), [0.729727656227], atol=1e-12)
    np.testing.assert_allclose(
        model.reconstruct(y), [[1.0, 2.0, 0.0] / np.sqrt(5.0)], atol=1e-14
    )


@pytest.mark.parametrize(
    ("angle", "expected", "returns"),
    [
        (2.0, (-0.273239544735, 1.273239544735), True),
        (4.0, (0.515493029823, 0.484506970177), False),  # the far arc, index 1
    ],
)
def test_points_of_a_great_circle(angle, expected, returns):
    y = np.array([[np.cos(angle), np.sin(angle), 0.0]])
    model = BSA(manifold="sphere", references=np.eye(3)[:2]).fit(y)
    np.testing.assert_allclose(model.embedding_, [expected], atol=1e-12)
    assert model.hessian_index_[0] == (0 if returns else 1)
    back = model.inverse_transform(model.embedding_)
    np.testing.assert_allclose(model.reconstruct(y), y, atol=1e-14)
    assert np.allclose(back, y, atol=1e-9) == returns


def test_three_axes_fill_the_sphere():
    y = np.array([[1.0, 2.0, 2.0]]) / 3.0
    with pytest.warns(UserWarning, match="fills the manifold"):
        model = BSA(manifold="sphere", references=np.eye(3)).fit(y)
    expected = [[0.177676645244, 0.411161677378, 0.411161677378]]
    np.testing.assert_allclose(model.embedding_, expected, atol=1e-12)
    np.testing.assert_allclose(model.residuals_, 0.0, atol=1e-14)


def test_geodesic_of_the_hyperbolic_plane():
    model = spanned([[1.0, 0.0, 0.0], [np.cosh(1.0), np.sinh(1.0), 0.0]], "hyperboloid")
    r, t = 1.2, 0.5
    y = [[np.cosh(r), np.sinh(r) * np.cos(t), np.sinh(r) * np.sin(t)]]
    np.testing.assert_allclose(model.distance(y), [0.671953468791], atol=1e-12)
    np.testing.assert_allclose(
        model.transform(y), [[0.067837040169, 0.932162959831]], atol=1e-12
    )


def test_matrices_of_order_two():
    first, second, third, y = np.array(
        [
            [[1.0, 0.0], [0.0, 1.0]],
            [[2.0, 1.0], [1.0, 2.0]],
            [[1.0, -0.5], [-0.5, 2.0]],
            [[3.0, 0.5], [0.5, 1.0]],
        ]
    )
    model = spanned([first, second], "spd")
    np.testing.assert_allclose(
        model.transform(y[None]), [[0.318618535623, 0.681381464377]], atol=1e-11
    )
    projection = [[1.556991715887, 0.556991715887], [0.556991715887, 1.556991715887]]
    np.testing.assert_allclose(model.reconstruct(y[None]), [projection], atol=1e-11)
    np.testing.assert_allclose(model.distance(y[None]), [0.847875093152], atol=1e-11)
    model = spanned([first, second, third], "spd")
    weights = [[0.690140731538, 0.632194506086, -0.322335237624]]
    np.testing.assert_allclose(model.transform(y[None]), weights, atol=1e-10)
    np.testing.assert_allclose(model.distance(y[None]), [0.807982184489], atol=1e-11)
    mean = [[1.178173923017, 0.07924283503], [0.07924283503, 1.480505310184]]
    np.testing.assert_allclose(
        model.inverse_transform([[1.0, 1.0, 1.0]]), [mean], atol=1e-11
    )


def triangles():
    apexes = np.array([[0.5, 0.8], [0.2, 0.6], [0.9, 1.2]])
    X = np.array([[[0.0, 0.0], [1.0, 0.0], apex] for apex in apexes])
    return PlanarShapes(3).project(X)


def test_triangles():
    X = triangles()
    model = BSA(manifold="planar_shapes", references=[0, 1]).fit(X)
    expected = [1.971048005141, -0.971048005141]
    np.testing.assert_allclose(model.embedding_[2], expected, atol=1e-11)
    np.testing.assert_allclose(model.residuals_[2], 0.143890651778, atol=1e-11)
    assert list(model.reference_indices_) == [0, 1]
    np.testing.assert_allclose(model.embedding_[:2], np.eye(2), atol=1e-12)


@pytest.mark.parametrize(
    ("strategy", "p", "indices", "top"),
    [
        ("forward", 2.0, [2, 0], 0.125709333423),
        ("flag", 2.0, [2, 0], 0.125709333423),
        ("pure", 2.0, [1, 3], 0.080558280744),
        ("backward", 2.0, [3, 1], 0.080558280744),
        ("forward", 1.0, [2, 0], 0.227875958039),
        ("pure", 1.0, [1, 3], 0.209413937716),
        ("backward", 1.0, [1, 3], 0.209413937716),
    ],
)
def test_six_points(strategy, p, indices, top):
    model = BSA(1, manifold="sphere", strategy=strategy, p=p).fit(SIX)
    assert list(model.reference_indices_) == indices
    np.testing.assert_allclose(model.unexplained_variance_[1], top, atol=1e-12)
    np.testing.assert_allclose(model.references_, SIX[indices], rtol=1e-15)
    if p == 2.0:
        alone = SIX_ALONE[indices[0]]
        np.testing.assert_allclose(model.unexplained_variance_[0], alone, atol=1e-9)


def test_accumulated_variance_of_six_points():
    model = BSA(1, manifold="sphere", strategy="flag").fit(SIX)
    np.testing.assert_allclose(model.auv_, 0.605244200575, atol=1e-12)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("forward", (0.436263309389, 0.081924923952)),
        ("pure", (None, 0.080384828772)),
        ("flag", (0.436643344561, 0.080860792146)),
    ],
)
def test_free_references_of_six_points(strategy, expected):
    model = BSA(1, manifold="sphere", references="free", strategy=strategy).fit(SIX)
    for value, known in zip(model.unexplained_variance_, expected, strict=True):
        if known is not None:
            np.testing.assert_allclose(value, known, atol=1e-10)
    assert model.search_ == "free"
    assert model.reference_indices_ is None
    assert model.n_iter_ > 1


# Strategies.


def brute_force(X, manifold, k, p, objective):
    """Return the best ordered list by plain enumeration and public functions."""
    value = {
        rows: unexplained_variance(manifold, X, X[list(rows)], p=p)
        for size in range(1, k + 2)
        for rows in itertools.combinations(range(len(X)), size)
    }

    def nested(order):
        return [value[tuple(sorted(order[: i + 1]))] for i in range(k + 1)]

    orders = itertools.permutations(range(len(X)), k + 1)
    return min((objective(nested(order)), order) for order in orders)


@pytest.mark.parametrize("p", [2.0, 1.0, 0.5])
@pytest.mark.parametrize(
    ("strategy", "objective"), [("pure", lambda u: u[-1]), ("flag", sum)]
)
def test_exhaustive_searches_find_the_optimum(strategy, objective, p):
    X = cloud(Sphere(3), n=7)
    model = BSA(2, manifold="sphere", strategy=strategy, p=p, search="exhaustive")
    model.fit(X)
    best, order = brute_force(X, Sphere(3), 2, p, objective)
    rtol = 1e-9 if p >= 1.0 else 1e-6  # the root of a rounding error
    np.testing.assert_allclose(objective(model.unexplained_variance_), best, rtol=rtol)
    assert set(model.reference_indices_) == set(order)
    assert model.search_ == "exhaustive"


@pytest.mark.parametrize("manifold", [Sphere(3), Hyperboloid(3), Euclidean(3)], ids=str)
@pytest.mark.parametrize("p", [2.0, 1.0])
def test_strategies_keep_their_order(manifold, p):
    X = cloud(manifold, n=14, scale=0.7)
    fits = {s: BSA(2, manifold=manifold, strategy=s, p=p).fit(X) for s in STRATEGIES}
    top = {s: fit.unexplained_variance_[-1] for s, fit in fits.items()}
    slack = 1.0 + 1e-9
    assert all(top["pure"] <= value * slack for value in top.values())
    np.testing.assert_allclose(top["backward"], top["pure"], rtol=1e-9)
    assert set(fits["backward"].reference_indices_) == set(
        fits["pure"].reference_indices_
    )
    assert all(fits["flag"].auv_ <= fit.auv_ * slack for fit in fits.values())
    for fit in fits.values():
        assert (np.diff(fit.unexplained_variance_) <= 1e-12).all()


@every_strategy
@pytest.mark.parametrize("p", [2.0, 0.1])
def test_attributes_agree(strategy, p):
    X = cloud(Sphere(4), n=10)
    model = BSA(2, manifold="sphere", strategy=strategy, p=p).fit(X)
    U = model.unexplained_variance_
    np.testing.assert_allclose(np.mean(model.residuals_**p), U[-1], rtol=1e-9)
    np.testing.assert_allclose(
        [
            unexplained_variance("sphere", X, model.references_[: i + 1], p=p)
            for i in range(2)
        ],
        U[:2],
        rtol=1e-7 if p == 2.0 else 0.02,  # rounding to the power 0.1
    )
    np.testing.assert_allclose(model.auv_, U.sum())
    np.testing.assert_allclose(model.explained_variance_ratio_, -np.diff(U) / U[0])
    np.testing.assert_allclose(
        model.references_, X[model.reference_indices_], rtol=1e-15, atol=1e-16
    )
    np.testing.assert_array_equal(model.residuals_[model.reference_indices_], 0.0)
    np.testing.assert_allclose(
        model.embedding_[model.reference_indices_], np.eye(3), atol=1e-12
    )
    np.testing.assert_allclose(model.score_samples(X), -(model.residuals_**p))
    np.testing.assert_allclose(model.score(X), -U[-1], rtol=1e-9)
    assert model.converged_.all()
    assert model.n_iter_ == 1


def test_pairs_may_come_first():
    alone = BSA(1, manifold="sphere").fit(SIX)
    pair = BSA(1, manifold="sphere", first="pair").fit(SIX)
    assert set(pair.reference_indices_) == {1, 3}
    assert pair.unexplained_variance_[1] < alone.unexplained_variance_[1]


def test_no_component_is_the_medoid_or_the_mean():
    medoid = BSA(0, manifold="sphere").fit(SIX)
    assert list(medoid.reference_indices_) == [2]
    np.testing.assert_array_equal(medoid.embedding_, np.ones((6, 1)))
    assert medoid.explained_variance_ratio_.shape == (0,)
    mean = BSA(0, manifold="sphere", references="free").fit(SIX)
    expected = Sphere(2).frechet_mean(SIX)
    np.testing.assert_allclose(mean.references_, [expected], atol=1e-7)


def test_robust_powers_find_the_clusters():
    rng = np.random.default_rng(3)
    clusters = [np.eye(6)[i] + 0.02 * rng.normal(size=(10, 6)) for i in range(3)]
    X = Sphere(5).project(np.concatenate([*clusters, rng.normal(size=(30, 6))]))
    found = BSA(2, manifold="sphere", strategy="pure", p=0.5).fit(X)
    assert sorted(found.reference_indices_ // 10) == [0, 1, 2]


def test_given_references_have_nested_variances():
    model = BSA(manifold="sphere", references=[1, 3, 4], p=1.0)
    X = Sphere(4).random_normal(12, scale=0.5, random_state=0)
    U = model.fit(X).unexplained_variance_
    spans = [X[[1]], X[[1, 3]], X[[1, 3, 4]]]
    expected = [unexplained_variance("sphere", X, span, p=1.0) for span in spans]
    np.testing.assert_allclose(U, expected, rtol=1e-9)


def test_pools_of_candidates_are_drawn_by_the_seed():
    X = cloud(Sphere(3), n=40)
    options = {"manifold": "sphere", "strategy": "pure", "search": "exhaustive"}
    full = BSA(1, **options).fit(X).unexplained_variance_[-1]
    drawn = [
        BSA(1, n_candidates=3, random_state=seed, **options).fit(X)
        for seed in (0, 0, 1, 2, 3)
    ]
    assert list(drawn[0].reference_indices_) == list(drawn[1].reference_indices_)
    values = [model.unexplained_variance_[-1] for model in drawn]
    assert min(values) >= full * (1.0 - 1e-12)


# Weights of samples.


@pytest.mark.parametrize(
    ("manifold", "references"),
    [(Sphere(3), "sample"), (Sphere(3), "free"), (SPD(2), "sample")],
    ids=str,
)
def test_weights_count_repetitions(manifold, references):
    X = cloud(manifold, n=8)
    count = np.array([1, 3, 2, 1, 1, 2, 4, 1])
    options = {"manifold": manifold, "references": references, "random_state": 0}
    weighted = BSA(1, **options).fit(X, sample_weight=count)
    repeated = BSA(1, **options).fit(np.repeat(X, count, axis=0))
    np.testing.assert_allclose(
        weighted.unexplained_variance_, repeated.unexplained_variance_, rtol=1e-8
    )
    np.testing.assert_allclose(weighted.references_, repeated.references_, atol=1e-6)


def test_samples_of_weight_zero_are_no_references():
    weight = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 1.0])
    model = BSA(1, manifold="sphere", strategy="pure").fit(SIX, sample_weight=weight)
    other = BSA(1, manifold="sphere", strategy="pure").fit(SIX[weight > 0.0])
    np.testing.assert_array_equal(model.references_, other.references_)
    assert len(model.embedding_) == 6
    np.testing.assert_allclose(
        model.unexplained_variance_, other.unexplained_variance_, rtol=1e-12
    )


def test_duplicates_are_not_chosen_together():
    X = np.repeat(cloud(Euclidean(4), n=5), 4, axis=0)
    for strategy in STRATEGIES:
        model = BSA(2, strategy=strategy, search="greedy").fit(X)
        assert len(set(model.reference_indices_ // 4)) == 3


# Identities.


@pytest.mark.parametrize("strategy", ["forward", "pure", "flag", "backward"])
def test_free_euclidean_references_span_principal_components(strategy):
    X = np.random.default_rng(0).normal(size=(60, 4)) * [3.0, 2.0, 1.0, 0.5] + 5.0
    model = BSA(2, references="free", strategy=strategy, random_state=0).fit(X)
    pca = PCA(n_components=2).fit(X)
    values = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    tails = [values[i:].sum() for i in range(3)]
    np.testing.assert_allclose(model.unexplained_variance_, tails, rtol=1e-9)
    expected = pca.inverse_transform(pca.transform(X))
    np.testing.assert_allclose(model.reconstruct(X), expected, atol=1e-7)


def test_given_references_of_flat_space_are_affine_coordinates():
    X = cloud(Euclidean(3), n=12)
    W = np.random.default_rng(0).dirichlet(np.ones(3), size=12) * 2.0 - 1.0 / 3.0
    model = BSA(references=[0, 1, 2]).fit(X)
    np.testing.assert_allclose(model.transform(W @ X[:3]), W, atol=1e-12)
    np.testing.assert_allclose(model.inverse_transform(W), W @ X[:3], atol=1e-12)
    np.testing.assert_allclose(model.inverse_transform(5.0 * W), W @ X[:3], atol=1e-12)


def test_commuting_matrices_are_their_logarithms():
    rng = np.random.default_rng(0)
    logs = rng.normal(size=(12, 3)) * [1.0, 0.5, 0.2]
    Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    X = np.einsum("ij,nj,kj->nik", Q, np.exp(logs), Q)
    flat = BSA(1).fit(logs)
    for manifold in (SPD(3), SPD(3, metric="log-euclidean")):
        model = BSA(1, manifold=manifold).fit(X)
        np.testing.assert_array_equal(model.reference_indices_, flat.reference_indices_)
        np.testing.assert_allclose(model.embedding_, flat.embedding_, atol=1e-9)
        np.testing.assert_allclose(model.residuals_, flat.residuals_, atol=1e-9)


@pytest.mark.parametrize(
    ("manifold", "scaled"),
    [
        (Sphere(3), Sphere(3, radius=3.0)),
        (Hyperboloid(3), Hyperboloid(3, curvature=-1.0 / 9.0)),
        (Euclidean(3), Euclidean(3)),
    ],
    ids=str,
)
@pytest.mark.parametrize("references", ["sample", "free"])
def test_units_of_distance(manifold, scaled, references):
    X = cloud(manifold, n=12)
    options = {"p": 1.5, "references": references, "random_state": 0}
    one = BSA(1, manifold=manifold, **options).fit(X)
    three = BSA(1, manifold=scaled, **options).fit(3.0 * X)
    rtol = 1e-9 if references == "sample" else 1e-6
    np.testing.assert_allclose(
        three.unexplained_variance_, 3.0**1.5 * one.unexplained_variance_, rtol=rtol
    )
    if references == "sample":
        np.testing.assert_allclose(three.embedding_, one.embedding_, atol=1e-10)


def test_models_of_hyperbolic_space_agree():
    X = cloud(Hyperboloid(3), n=12, scale=0.8)
    ball = PoincareBall(3)
    one = BSA(2, manifold="hyperboloid").fit(X)
    two = BSA(2, manifold=ball).fit(ball.project(X[:, 1:] / (1.0 + X[:, :1])))
    np.testing.assert_array_equal(one.reference_indices_, two.reference_indices_)
    np.testing.assert_allclose(one.embedding_, two.embedding_, atol=1e-9)


@pytest.mark.parametrize(
    ("manifold", "move"),
    [
        (Sphere(3), "rotation"),
        (SPD(2), "congruence"),
        (PlanarShapes(4), "turn"),
    ],
    ids=str,
)
def test_isometries_leave_the_coordinates_alone(manifold, move):
    X = cloud(manifold, n=9, scale=0.3)
    rng = np.random.default_rng(1)
    A = rng.normal(size=(X.shape[-1],) * 2)
    if move == "congruence":
        moved = A @ X @ A.T
        moved = 0.5 * (moved + np.swapaxes(moved, 1, 2))
    else:
        Q = np.linalg.qr(A)[0]
        Q[:, 0] *= np.linalg.det(Q)
        moved = X @ Q
    one, two = (BSA(1, manifold=manifold).fit(points) for points in (X, moved))
    np.testing.assert_array_equal(one.reference_indices_, two.reference_indices_)
    np.testing.assert_allclose(one.embedding_, two.embedding_, atol=1e-8)
    np.testing.assert_array_equal(one.hessian_index_, two.hessian_index_)


def test_permuting_references_permutes_the_coordinates():
    X = cloud(SPD(2), n=8)
    one = BSA(manifold="spd", references=X[[0, 1]]).fit(X)
    two = BSA(manifold="spd", references=X[[1, 0]]).fit(X)
    np.testing.assert_allclose(two.embedding_[:, ::-1], one.embedding_, atol=1e-9)
    np.testing.assert_allclose(two.residuals_, one.residuals_, atol=1e-10)


def test_round_trip_where_the_index_is_zero():
    X = cloud(Sphere(3), n=60, scale=0.8)
    model = BSA(2, manifold="sphere").fit(X)
    regular = model.hessian_index_ == 0
    back = model.inverse_transform(model.embedding_[regular])
    np.testing.assert_allclose(back, model.reconstruct(X)[regular], atol=1e-7)
    assert 0.5 < regular.mean() <= 1.0


def test_the_index_is_that_of_the_whole_space():
    manifold = Sphere(4)
    X = manifold.random_point(200, random_state=0)
    model = BSA(2, manifold=manifold).fit(X)
    rows = np.isfinite(model.embedding_).all(axis=1)
    expected = affine_span_index(
        manifold, model.reconstruct(X)[rows], model.references_, model.embedding_[rows]
    )
    np.testing.assert_array_equal(model.hessian_index_[rows], expected)
    assert len(np.unique(expected)) > 2
