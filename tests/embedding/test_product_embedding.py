"""Product-space embeddings against slow references, exact data and bad input."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from geolearn.embedding import ProductSpaceEmbedding, select_signature
from geolearn.embedding._product_loss import (
    FullLoss,
    SampledLoss,
    component_table,
    mean_distortion,
)
from geolearn.manifolds._signature import product_space
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


def test_threads_and_pickling(fitted):
    D = binary_tree(3)
    two = ProductSpaceEmbedding([(-1.0, 2), (1.0, 1)], n_jobs=2, **FAST).fit(D)
    assert_array_equal(two.embedding_, fitted.embedding_)
    new = D[:3] + 0.5
    assert_array_equal(two.transform(new), fitted.transform(new))
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
