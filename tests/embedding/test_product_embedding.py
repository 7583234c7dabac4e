"""Product-space embeddings against slow references, exact data and bad input."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from geolearn.embedding import (
    ProductSpaceEmbedding,
    _product_space,
    select_signature,
)
from geolearn.embedding._product_loss import (
    FullLoss,
    SampledLoss,
    component_table,
    mean_distortion,
)
from geolearn.embedding._product_placement import place
from geolearn.manifolds._signature import product_space
from geolearn.metrics import pairwise_distances
from tests.reference.hyperbolic_embedding import karate_club, star
from tests.reference.product_embedding import embedding_gradient, embedding_loss

SIGNATURES = {
    "hyperbolic": ((-1.0, 2),),
    "flat": ((0.0, 3),),
    "sphere": ((1.0, 2),),
    "mixed": ((-0.5, 2), (0.0, 1), (2.0, 3)),
}
FAST = {"learning_rate": 0.05, "burn_in": 0.0, "tol": 1e-3, "random_state": 0}


def problem(signature, n=9):
    """Return a product, points of it, and distances of other points."""
    manifold = product_space(signature)
    X = manifold.random_point(n, random_state=0)
    D = manifold.pairwise_distances(manifold.random_point(n, random_state=1))
    D[0, 1] = D[1, 0] = np.inf
    D[2, 3] = D[3, 2] = 0.0
    return manifold, X, D


def cycle(n=24):
    steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return np.minimum(steps, n - steps) / (n // 2)


def binary_tree(depth=4):
    """Return the path lengths between the nodes of a complete binary tree."""
    n = 2 ** (depth + 1) - 1
    D = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            a, b = i + 1, j + 1
            while a != b:
                a, b = (a // 2, b) if a > b else (a, b // 2)
                D[i, j] += 1.0
    return D


@pytest.mark.kernels
@pytest.mark.parametrize("name", SIGNATURES)
def test_loss_and_gradient_against_slow_numpy(name):
    manifold, X, D = problem(SIGNATURES[name])
    loss, G = FullLoss(D, 1.0, component_table(SIGNATURES[name]), None)(X)
    assert_allclose(loss, embedding_loss(manifold, X, D), rtol=1e-11)
    expected = embedding_gradient(manifold, X, D)
    assert_allclose(G, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())


@pytest.mark.kernels
@pytest.mark.parametrize("name", SIGNATURES)
def test_gradient_against_finite_differences(name):
    manifold, X, D = problem(SIGNATURES[name])
    objective = FullLoss(D, 1.0, component_table(SIGNATURES[name]), None)
    rng = np.random.default_rng(2)
    V = manifold.project_tangent(X, rng.normal(size=X.shape))
    h = 1e-5
    forth, back = (objective(manifold.exp(X, s * h * V))[0] for s in (1.0, -1.0))
    slope = float(np.sum(manifold.inner(X, objective(X)[1], V)))
    assert_allclose((forth - back) / (2.0 * h), slope, rtol=1e-6)


@pytest.mark.kernels
def test_samples_of_pairs_are_right_on_average():
    _, X, D = problem(SIGNATURES["mixed"], n=40)
    table = component_table(SIGNATURES["mixed"])
    loss, G = FullLoss(D, 1.0, table, None)(X)
    sampled = SampledLoss(D, 1.0, table, None, np.random.RandomState(0))
    draws = [sampled(X) for _ in range(400)]
    losses = np.array([draw[0] for draw in draws])
    assert abs(losses.mean() - loss) < 4.0 * losses.std() / 20.0
    gradients = np.array([draw[1] for draw in draws])
    error = np.abs(gradients.mean(axis=0) - G)
    assert np.all(error < 5.5 * gradients.std(axis=0) / 20.0 + 1e-9)


def test_cycle_on_a_sphere_from_a_random_start():
    sphere = ProductSpaceEmbedding(
        [(np.pi**2, 2)], init="random", learning_rate=0.05, random_state=1
    ).fit(cycle())
    assert sphere.distortion_ < 1e-3
    assert sphere.manifold_.belongs(sphere.embedding_, atol=1e-12).all()


def test_scaling_is_exact_for_the_cycle():
    sphere = ProductSpaceEmbedding([(np.pi**2, 2)]).fit(cycle())
    assert sphere.distortion_ < 1e-9


def test_trees_prefer_the_hyperbolic_plane():
    D = binary_tree()
    plane = ProductSpaceEmbedding([(-1.0, 2)], **FAST).fit(D)
    flat = ProductSpaceEmbedding([(0.0, 2)], **FAST).fit(D)
    assert plane.distortion_ < 0.7 * flat.distortion_


@pytest.fixture(scope="module")
def fitted():
    return ProductSpaceEmbedding([(-1.0, 2), (1.0, 1)], **FAST).fit(binary_tree(3))


def test_attributes(fitted):
    D = binary_tree(3)
    d = fitted.manifold_.pairwise_distances(fitted.embedding_)
    upper = np.triu_indices(len(D), 1)
    expected = np.mean(np.abs(d[upper] / D[upper] - 1.0))
    assert_allclose(fitted.distortion_, expected, rtol=1e-9)
    assert_allclose(
        fitted.loss_curve_.min(),
        embedding_loss(fitted.manifold_, fitted.embedding_, D),
        rtol=1e-9,
    )
    assert fitted.n_iter_ == len(fitted.loss_curve_)
    assert fitted.embedding_.shape == (15, 5)


def test_training_rows_and_near_copies_find_their_place(fitted):
    D = binary_tree(3)
    assert_array_equal(fitted.transform(D), fitted.embedding_)
    near = fitted.manifold_.pairwise_distances(fitted.embedding_) + 1e-9
    placed = fitted.transform(near)
    assert np.max(fitted.manifold_.dist(placed, fitted.embedding_)) < 1e-2
    assert_array_equal(fitted.transform(near[4:5]), placed[4:5])


def test_units_scale_along():
    D = binary_tree(3)
    one = ProductSpaceEmbedding([(-1.0, 2)], **FAST).fit(D)
    small = ProductSpaceEmbedding([(-(4.0**20), 2)], **FAST).fit(D / 2.0**20)
    assert_allclose(small.embedding_ * 2.0**20, one.embedding_, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_threads_and_pickling(fitted):
    D = binary_tree(3)
    one, two = (
        ProductSpaceEmbedding(
            [(-1.0, 2), (1.0, 1)], max_iter=10, random_state=0, n_jobs=n_jobs
        ).fit(D)
        for n_jobs in (1, 2)
    )
    assert_array_equal(two.embedding_, one.embedding_)
    new = D[:3] + 0.5
    assert_array_equal(two.transform(new), one.transform(new))
    copy = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(copy.transform(new), fitted.transform(new))


def test_infinite_distances_are_left_out():
    D = binary_tree(2)
    D[5, 6] = D[6, 5] = np.inf
    with pytest.warns(UserWarning, match="2 infinite entries"):
        estimator = ProductSpaceEmbedding([(-1.0, 2)], **FAST).fit(D)
    assert np.isfinite(estimator.embedding_).all()
    expected = mean_distortion(
        estimator.embedding_, D, 1.0, component_table(((-1.0, 2),)), None
    )
    assert_allclose(estimator.distortion_, expected, rtol=1e-9)


def test_unfinished_descent_warns():
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        ProductSpaceEmbedding(max_iter=3).fit(binary_tree(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda D: D[:, :-1], "square"),
        (lambda D: np.triu(D), "symmetric"),
        (lambda D: -D, "non-negative"),
        (lambda D: D + 1.0, "of a sample from itself is 0"),
        (lambda D: np.where(D == 1.0, np.nan, D), "contains NaN"),
        (lambda D: np.where(D > 0.0, np.inf, D), "no finite distance"),
    ],
)
def test_bad_distances(change, message):
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        ProductSpaceEmbedding().fit(change(binary_tree(2)))


def test_coincident_samples_stay_together():
    estimator = ProductSpaceEmbedding().fit(np.zeros((3, 3)))
    assert_array_equal(estimator.embedding_, [[1.0, 0.0, 0.0]] * 3)


def test_selection_finds_the_sphere_and_tells_losses():
    sphere = product_space(((1.0, 2),))
    D = sphere.pairwise_distances(sphere.random_point(12, random_state=0))
    result = select_signature(D, max_components=1, **FAST)
    assert result.signature == ((1.0, 2),)
    assert result.embedding.distortion_ < 1e-6
    assert len(result.losses) == 3


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_order_of_samples_does_not_matter(seed):
    manifold = product_space(SIGNATURES["mixed"])
    D = manifold.pairwise_distances(manifold.random_point(8, random_state=seed))
    order = np.random.default_rng(seed).permutation(8)
    table = np.ix_(order, order)
    one = ProductSpaceEmbedding([(-1.0, 2)], **FAST).fit(D)
    two = ProductSpaceEmbedding([(-1.0, 2)], **FAST).fit(D[table])
    # The descent of a loss with kinks magnifies rounding: the loss agrees, not digits.
    assert_allclose(two.loss_curve_[0], one.loss_curve_[0], rtol=1e-6)
    assert_allclose(two.distortion_, one.distortion_, rtol=0.05, atol=1e-6)


def test_both_optimizers_and_starts_agree_on_the_loss():
    D = binary_tree(3)
    losses = [
        ProductSpaceEmbedding([(-1.0, 2)], optimizer=optimizer, init=init, **FAST)
        .fit(D)
        .loss_curve_.min()
        for optimizer in ("radam", "ramsgrad")
        for init in ("hmds", "random")
    ]
    assert max(losses) < 1.5 * min(losses)
    assert len(set(losses)) == 4  # four different ways


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "callable", "manifold"])
def test_other_metrics(metric):
    X = np.random.default_rng(0).normal(size=(12, 2))
    metric = {
        "callable": lambda a, b: float(np.abs(a - b).max()),
        "manifold": product_space(((0.0, 2),)),
    }.get(metric, metric)
    options = FAST | {"signature": [(0.0, 2)]}
    own = ProductSpaceEmbedding(metric=metric, **options).fit(X)
    D = pairwise_distances(X, metric=metric)
    table = ProductSpaceEmbedding(**options).fit(D)
    assert_array_equal(own.embedding_, table.embedding_)
    new = X[:3] + 0.1
    across = pairwise_distances(new, X, metric=metric)
    assert_array_equal(own.transform(new), table.transform(across))
    assert_array_equal(own.transform(X), own.embedding_)
    placed = own.transform(new)
    assert_array_equal(own.set_params(n_jobs=2).transform(new), placed)


# New samples of exact distances are found to many digits, within the training
# samples and, in flat space and on spheres, anywhere.
@pytest.mark.parametrize("name", SIGNATURES)
def test_new_points_among_exact_ones(name):
    signature = SIGNATURES[name]
    manifold = product_space(signature)
    fixed = manifold.random_point(40, random_state=0)
    new = manifold.random_point(10, random_state=1)
    scale = float(manifold.pairwise_distances(fixed).max())
    scaled = tuple((K * scale**2, dim) for K, dim in signature)
    space, table = product_space(scaled), component_table(scaled)
    arguments = space, space.project(fixed / scale)
    for factor in (1.0, 5.0) if name in ("flat", "sphere") else (1.0,):
        if name == "flat":
            new = factor * new
        D = manifold.pairwise_distances(new, fixed)
        placed = place(*arguments, D, scale, table, None)
        error = manifold.dist(manifold.project(placed * scale), new)
        assert np.max(error) < 1e-9
        alone = place(*arguments, D[3:4], scale, table, 2)
        assert_array_equal(alone[0], placed[3])


@pytest.mark.parametrize("curvature", [-1.0, 0.0])
def test_new_samples_far_out(curvature):
    """Steps of fixed length used to leave them on the way."""
    plane = product_space(((curvature, 2),))
    near = plane.random_point(30, random_state=0)
    D = plane.pairwise_distances(near)
    model = ProductSpaceEmbedding([(curvature, 2)], **FAST).fit(D)
    assert model.distortion_ < 1e-9
    tangent = plane.vector_to_tangent(plane.origin, [[12.0, 0.0], [0.0, -9.0]])
    across = plane.pairwise_distances(plane.exp(plane.origin, tangent), near)
    placed = model.transform(across)
    found = plane.pairwise_distances(placed, model.embedding_)
    assert np.mean(np.abs(found / across - 1.0)) < 0.02


def test_new_samples_of_inexact_distances_are_near_the_optimum(fitted):
    D = binary_tree(3)
    new = (D[:6] + 0.7) * np.exp(0.1 * np.random.default_rng(0).normal(size=(6, 15)))
    placed = fitted.transform(new)
    space = fitted.manifold_

    def losses(points):
        d = space.pairwise_distances(points, fitted.embedding_)
        return np.abs(d**2 / new**2 - 1.0).sum(axis=1)

    lowest = losses(placed)
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-2, 0.1, 0.3):
        for _ in range(40):
            step = space.project_tangent(placed, size * rng.normal(size=placed.shape))
            assert (losses(space.exp(placed, step)) > 0.998 * lowest).all()


def test_new_samples_far_beyond_the_range_are_finite(fitted):
    for distance in (1e3, 1e6, 1e100):
        assert np.isfinite(fitted.transform(np.full((1, 15), distance))).all()
    some = np.full((1, 15), np.inf)
    some[0, 3:6] = 1.0
    with pytest.warns(UserWarning, match="12 infinite entries"):
        assert np.isfinite(fitted.transform(some)).all()


@pytest.mark.parametrize("curvature", [1e-20, -1e-20, 1e-10, -1e-10])
def test_nearly_flat_components_are_flat(curvature):
    """They used to start, and stay, with all points in one place."""
    X = np.random.default_rng(0).normal(size=(15, 2))
    D = pairwise_distances(X)
    model = ProductSpaceEmbedding([(curvature, 2)], **FAST).fit(D)
    assert model.distortion_ < 1e-4


@pytest.mark.parametrize("init", ["hmds", "random"])
def test_strongly_curved_components(init):
    D = binary_tree(3) / 6.0
    for reach in (30.0, 59.0):
        model = ProductSpaceEmbedding([(-(reach**2), 2)], init=init, **FAST).fit(D)
        assert np.isfinite(model.embedding_).all()
        assert model.distortion_ < 0.6
    with pytest.raises(ValueError, match=r"61 radii .* curvature of -256 or closer"):
        ProductSpaceEmbedding([(-(61.0**2), 2)], init=init).fit(D)


@pytest.mark.parametrize("unit", [1e-150, 1e150])
def test_units_out_of_range(unit):
    with pytest.raises(ValueError, match="rescale the distances"):
        ProductSpaceEmbedding([(0.0, 2)]).fit(unit * binary_tree(2))


@pytest.mark.parametrize(
    "signature", [[], [(-1.0,)], [(1.0, 0)], [(1.0, 1.5)], [(np.nan, 2)], [(1.0, True)]]
)
def test_bad_signatures(signature):
    with pytest.raises(ValueError, match="signature"):
        ProductSpaceEmbedding(signature).fit(binary_tree(2))
    if signature:
        with pytest.raises(ValueError, match="signature"):
            select_signature(binary_tree(2), signature)


def test_bad_new_samples(fitted):
    new = np.ones((2, 15))
    for value, message in ((np.nan, "NaN"), (-1.0, "non-negative"), (np.inf, "row 1")):
        spoilt = new.copy()
        spoilt[1] = value
        with pytest.raises(ValueError, match=message):
            fitted.transform(spoilt)
    with pytest.raises(ValueError, match="14 features"):
        fitted.transform(new[:, :14])
    with pytest.raises(NotFittedError):
        ProductSpaceEmbedding().transform(new)


def test_progress_is_logged(caplog):
    with caplog.at_level("INFO", logger="geolearn"):
        ProductSpaceEmbedding(verbose=1, **FAST).fit(binary_tree(2))
    lines = [record.getMessage() for record in caplog.records]
    assert "step 1, loss" in lines[0]
    assert "step 101, loss" in lines[1]
    caplog.clear()
    with caplog.at_level("INFO", logger="geolearn"):
        ProductSpaceEmbedding(**FAST).fit(binary_tree(2))
    assert not caplog.records


def test_names_and_copies(fitted):
    assert list(fitted.get_feature_names_out()) == [
        f"productspaceembedding{i}" for i in range(5)
    ]
    again = clone(fitted).fit(binary_tree(3))
    assert_array_equal(again.embedding_, fitted.embedding_)
    D = binary_tree(3)
    D.flags.writeable = False
    assert_array_equal(clone(fitted).fit(D).embedding_, fitted.embedding_)


def test_many_samples_take_pairs(monkeypatch):
    """The estimate of the loss ends near the loss of all pairs."""
    manifold = product_space(SIGNATURES["hyperbolic"])
    D = manifold.pairwise_distances(manifold.random_point(150, random_state=0))
    D *= np.exp(0.1 * np.random.default_rng(0).normal(size=D.shape))
    D = (D + D.T) / 2.0
    full = ProductSpaceEmbedding(**FAST).fit(D)
    monkeypatch.setattr(_product_space, "_ALL_PAIRS_UP_TO", 100)
    sampled = ProductSpaceEmbedding(**FAST).fit(D)
    assert sampled.distortion_ < 1.05 * full.distortion_
    pairs = len(D) * (len(D) - 1) / 2
    assert abs(sampled.loss_curve_[-1] - full.loss_curve_[-1]) < 0.05 * pairs


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_threads_do_not_change_samples_of_pairs(monkeypatch):
    monkeypatch.setattr(_product_space, "_ALL_PAIRS_UP_TO", 10)
    one, two = (
        ProductSpaceEmbedding(max_iter=10, random_state=0, n_jobs=n_jobs)
        .fit(binary_tree(3))
        .embedding_
        for n_jobs in (1, 2)
    )
    assert_array_equal(one, two)


def test_karate_club_is_hyperbolic_rather_than_spherical():
    _, D = karate_club()
    distortion = {
        K: ProductSpaceEmbedding([(K, 2)], **FAST).fit(D).distortion_
        for K in (-1.0, 0.0, 1.0)
    }
    assert distortion[-1.0] < 0.95 * distortion[0.0] < 0.7 * distortion[1.0]


def test_star_is_found_as_a_tree():
    plane = ProductSpaceEmbedding([(-4.0, 2)], **FAST).fit(star(3))
    flat = ProductSpaceEmbedding([(0.0, 2)], **FAST).fit(star(3))
    assert plane.distortion_ < 0.6 * flat.distortion_


def test_selection_takes_several_components():
    signature = ((-1.0, 2), (1.0, 2))
    space = product_space(signature)
    D = space.pairwise_distances(space.random_point(20, random_state=0))
    result = select_signature(D, max_components=2, **FAST)
    assert len(result.signature) == 2
    assert result.losses[result.signature] == min(result.losses.values())
    assert result.embedding.signature == result.signature
    singles = [s for s in result.losses if len(s) == 1]
    pairs = [s for s in result.losses if len(s) == 2]
    assert sorted(singles) == [((-1.0, 2),), ((0.0, 2),), ((1.0, 2),)]
    best = min(singles, key=result.losses.get)
    assert all(s[:1] == best for s in pairs)
    assert len(pairs) == 3
    assert result.losses[result.signature] < result.losses[best]
    # Duplicates among the candidates are tried once, and one may be taken again.
    again = select_signature(D, [(0.0, 1), (0.0, 1)], max_components=3, **FAST)
    assert list(again.losses) == [
        ((0.0, 1),) * k for k in range(1, len(again.losses) + 1)
    ]
    assert again.signature in (((0.0, 1),) * 2, ((0.0, 1),) * 3)


def test_selection_stops_where_nothing_improves():
    D = binary_tree(2)
    stuck = FAST | {"max_iter": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        result = select_signature(D, [(0.0, 6)], **stuck)
    assert result.signature == ((0.0, 6),)
    assert len(result.losses) == 2
    exact = select_signature(pairwise_distances(np.eye(3)), [(0.0, 2)], **FAST)
    assert list(exact.losses) == [((0.0, 2),)]  # rounding is not improved


def test_bad_selections():
    D = binary_tree(2)
    with pytest.raises(ValueError, match="max_components must be at least 1, got 0"):
        select_signature(D, max_components=0)
    with pytest.raises(TypeError, match="max_components"):
        select_signature(D, max_components=1.5)
    with pytest.raises(TypeError, match="n_steps"):
        select_signature(D, n_steps=3)
    with pytest.raises(ValueError, match="square"):
        select_signature(D[:3])
