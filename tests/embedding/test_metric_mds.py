"""MetricMDS: placement of new samples, landmarks."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from geolearn.embedding import MetricMDS
from geolearn.manifolds import Sphere
from geolearn.metrics import pairwise_distances
from geolearn.optimize import metric_mds, place_points
from tests.reference import mds as reference


def plane(n=80, noise=0.05, seed=0):
    """Samples near a plane in five dimensions."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n, 5))
    X[:, :2] = rng.normal(size=(n, 2)) * [3.0, 1.5]
    return X + noise * rng.normal(size=X.shape)


def test_fit_is_metric_mds_of_the_distances():
    X = plane()
    mds = MetricMDS(random_state=0).fit(X)
    assert_allclose(mds.dissimilarity_, reference.distances(X), rtol=1e-10)
    wanted = metric_mds(mds.dissimilarity_, random_state=np.random.RandomState(0))
    assert_array_equal(mds.embedding_, wanted.embedding)
    assert mds.stress_ == wanted.stress
    assert mds.n_iter_ == wanted.n_iter
    assert_array_equal(mds.landmark_indices_, np.arange(80))
    assert_array_equal(MetricMDS(random_state=0).fit_transform(X), mds.embedding_)


def test_precomputed_distances_give_the_same():
    X = plane()
    D, new = pairwise_distances(X), plane(9, seed=1)
    a = MetricMDS(random_state=0).fit(X)
    b = MetricMDS(metric="precomputed", random_state=0).fit(D)
    assert_array_equal(b.embedding_, a.embedding_)
    assert_array_equal(b.transform(pairwise_distances(new, X)), a.transform(new))
    single = MetricMDS(metric="precomputed", random_state=0).fit(D.astype(np.float32))
    assert single.dissimilarity_.dtype == np.float32
    assert_allclose(single.stress_, a.stress_, rtol=1e-3)


def test_training_samples_are_transformed_to_their_places():
    X = plane(noise=0.5)
    mds = MetricMDS(random_state=0).fit(X)
    assert_allclose(mds.transform(X), mds.embedding_, atol=1e-12)


def test_new_samples_near_training_samples_come_near_them():
    X = plane(noise=0.3)
    mds = MetricMDS(random_state=0).fit(X)
    new = mds.transform(X + 1e-6)
    # The solution is stationary to the tolerance of the stress only.
    assert_allclose(new, mds.embedding_, atol=0.05 * mds.embedding_.std())


def test_new_samples_of_a_plane_are_placed_exactly():
    X, new = plane(noise=0.0), plane(20, noise=0.0, seed=1)
    mds = MetricMDS(random_state=0).fit(X)
    got = np.vstack([mds.embedding_, mds.transform(new)])
    both = np.vstack([X, new])[:, :2]
    assert_allclose(reference.aligned(got, both), both, atol=1e-6)


def test_a_sample_is_placed_without_regard_to_the_others():
    X, new = plane(), plane(20, seed=1)
    mds = MetricMDS(random_state=0).fit(X)
    together = mds.transform(new)
    alone = np.vstack([mds.transform(row[None]) for row in new])
    # The start is a matrix product, which rounds by its shape.
    assert_allclose(alone, together, atol=1e-9)


def test_placement_takes_the_better_of_two_starts():
    # On a line the error of one point has many local minima.
    X, new = plane(noise=1.0), plane(30, noise=1.0, seed=1)
    mds = MetricMDS(n_components=1, random_state=0).fit(X)
    D = pairwise_distances(new, X)
    Y = mds.embedding_

    def error(y):
        return ((np.abs(y - Y.T) - D) ** 2).sum(axis=1)

    nearest = place_points(D, Y, Y[D.argmin(axis=1)])
    linear = 0.5 * ((Y**2).sum(axis=1) - D**2) @ np.linalg.pinv(Y).T
    linear = place_points(D, Y, linear)
    best = np.minimum(error(nearest), error(linear))
    assert (error(nearest) > 1.001 * best).any()
    assert (error(linear) > 1.001 * best).any()
    assert_allclose(error(mds.transform(new)), best, rtol=1e-6)


def test_landmarks_and_the_rest():
    X = plane(200)
    every = MetricMDS(random_state=0).fit(X)
    few = MetricMDS(n_landmarks=40, random_state=0).fit(X)
    chosen = few.landmark_indices_
    assert chosen.shape == (40,)
    assert few.dissimilarity_.shape == (40, 40)
    assert_allclose(few.dissimilarity_, pairwise_distances(X[chosen]))
    moved = reference.aligned(few.embedding_, every.embedding_)
    assert_allclose(moved, every.embedding_, atol=0.2)
    D = pairwise_distances(X)
    ratio = reference.stress_1(D, few.embedding_) / every.stress_
    assert ratio < 1.2
    rest = np.setdiff1d(np.arange(200), chosen)
    assert_allclose(few.transform(X)[rest], few.embedding_[rest], atol=1e-9)
    given = MetricMDS(n_landmarks=40, metric="precomputed", random_state=0).fit(D)
    assert_allclose(given.embedding_, few.embedding_, atol=1e-9)
    assert_allclose(given.transform(D[:5]), few.transform(X[:5]), atol=1e-9)


def test_many_samples_use_landmarks_without_a_square_array():
    X = plane(10_001)
    mds = MetricMDS(random_state=0).fit(X)
    assert mds.dissimilarity_.shape == (1000, 1000)
    assert mds.embedding_.shape == (10_001, 2)
    pairs = np.random.default_rng(0).integers(0, 10_001, (500, 2))
    true = np.linalg.norm(X[pairs[:, 0]] - X[pairs[:, 1]], axis=1)
    got = mds.embedding_[pairs[:, 0]] - mds.embedding_[pairs[:, 1]]
    assert np.corrcoef(true, np.linalg.norm(got, axis=1))[0, 1] > 0.999


def test_inverse_distance_weights():
    X = plane(60, noise=0.8)
    X[1] = X[0]  # a distance of zero counts as the smallest positive one
    D = pairwise_distances(X)
    low = D[D > 0].min()
    W = 1.0 / np.maximum(D, low)
    by_name = MetricMDS(weights="inverse_distance", random_state=0).fit(X)
    by_array = MetricMDS(weights=W, random_state=0).fit(X)
    assert_allclose(by_name.embedding_, by_array.embedding_, rtol=1e-12)
    assert by_name.stress_ == pytest.approx(
        reference.stress_1(D, by_name.embedding_, W), rel=1e-9
    )
    # New samples: weights by name follow them, weights of an array do not.
    new = plane(5, noise=0.8, seed=1)
    assert not np.allclose(by_name.transform(new), by_array.transform(new), atol=1e-6)


def test_weights_of_landmarks_are_picked_from_the_array():
    X = plane(50, noise=0.5)
    W = np.random.default_rng(0).uniform(1.0, 2.0, (50, 50))
    W = W + W.T
    mds = MetricMDS(weights=W, n_landmarks=20, random_state=0).fit(X)
    chosen = mds.landmark_indices_
    Y = mds.embedding_[chosen]
    W = W[np.ix_(chosen, chosen)]
    assert mds.stress_ == pytest.approx(
        reference.stress_1(mds.dissimilarity_, Y, W), rel=1e-9
    )


def test_start_and_solver_reach_the_optimiser():
    X = plane()
    mds = MetricMDS(solver="classical").fit(X)
    assert mds.n_iter_ == 0
    start = mds.embedding_
    polished = MetricMDS(init=start, solver="smacof", random_state=0).fit(X)
    assert polished.stress_ < mds.stress_
    few = MetricMDS(init=start, n_landmarks=30, solver="smacof", random_state=0)
    assert few.fit(X).embedding_.shape == (80, 2)
    assert MetricMDS(solver="sgd", n_epochs=7, random_state=0).fit(X).n_iter_ == 7


@pytest.mark.parametrize("metric", ["cityblock", lambda a, b: np.abs(a - b).max()])
def test_metrics_of_scikit_learn_and_callables(metric):
    X = plane(25)
    mds = MetricMDS(metric=metric, random_state=0).fit(X)
    assert mds.stress_ < 0.1
    assert mds.transform(plane(3, seed=1)).shape == (3, 2)


def test_manifolds_are_metrics():
    X = np.random.default_rng(0).normal(size=(40, 3))
    X[:, 2] = 10.0  # a small cap, nearly flat
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    by_manifold = MetricMDS(metric=Sphere(2), random_state=0).fit(X)
    by_name = MetricMDS(metric="sphere", random_state=0).fit(X)
    assert_array_equal(by_manifold.embedding_, by_name.embedding_)
    assert by_manifold.stress_ < 0.01
    assert by_manifold.transform(X[:3]).shape == (3, 2)


@pytest.mark.parametrize("n_landmarks", ["auto", 30])
def test_threads_copies_and_repetition_give_the_same_bits(n_landmarks):
    X, new = plane(120, noise=0.5), plane(11, seed=1)
    a = MetricMDS(n_landmarks=n_landmarks, random_state=0, n_jobs=1).fit(X)
    b = clone(a).set_params(n_jobs=2).fit(X)
    assert_array_equal(b.embedding_, a.embedding_)
    assert_array_equal(b.transform(new), a.transform(new))
    copy = pickle.loads(pickle.dumps(a))
    assert_array_equal(copy.transform(new), a.transform(new))


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_units_do_not_matter(scale):
    X, new = plane(), plane(7, seed=1)
    a = MetricMDS(random_state=0).fit(X)
    b = MetricMDS(random_state=0).fit(X * scale)
    assert_allclose(b.stress_, a.stress_, rtol=1e-6)
    assert_allclose(b.embedding_ / scale, a.embedding_, atol=1e-4)
    assert_allclose(b.transform(new * scale) / scale, a.transform(new), atol=1e-4)


def test_duplicates_and_constant_features():
    X = plane(30)
    X = np.hstack([np.vstack([X, X]), np.full((60, 1), 3.0)])
    Y = MetricMDS(random_state=0).fit_transform(X)
    assert_allclose(Y[:30], Y[30:], atol=0.02)
    same = MetricMDS(weights="inverse_distance").fit(np.ones((6, 3)))
    assert_array_equal(same.embedding_, np.zeros((6, 2)))
    assert_array_equal(same.transform(np.ones((2, 3))), np.zeros((2, 2)))


def test_works_in_a_pipeline_with_data_frames():
    pipe = make_pipeline(StandardScaler(), MetricMDS(random_state=0))
    frame = pipe.set_output(transform="pandas").fit_transform(plane())
    assert list(frame.columns) == ["metricmds0", "metricmds1"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 80}, r"n_components=80 .*\[1, 79\]"),
        ({"n_landmarks": 81}, "n_landmarks=81 must be at most n_samples=80"),
        ({"n_landmarks": 2}, r"n_components=2 .*\[1, 1\]"),
        ({"metric": "precomputed"}, r"square matrix of distances"),
        ({"weights": np.ones((3, 3))}, r"weights must have shape .*\(80, 80\)"),
        ({"init": np.ones((3, 2))}, r"init must have shape .*\(80, 2\)"),
        ({"solver": "adam"}, "'solver' parameter"),
    ],
)
def test_relations_between_parameters_and_data_are_checked(parameters, message):
    X = np.abs(plane())
    with pytest.raises(ValueError, match=message):
        MetricMDS(**parameters).fit(X)


def test_precomputed_distances_must_be_distances():
    D = pairwise_distances(plane())
    D[3, 4] += 1.0
    with pytest.raises(ValueError, match="symmetric"):
        MetricMDS(metric="precomputed").fit(D)
