"""HyperbolicMDS: exact recovery, worked numbers, new samples, bad input."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from geolearn.embedding import HyperbolicMDS, _hyperbolic_mds
from geolearn.manifolds import Hyperboloid
from geolearn.metrics import average_distortion, graph_map, pairwise_distances
from tests.reference import hyperbolic_embedding as reference


def hyperbolic(X):
    return pairwise_distances(X, metric="hyperboloid")


def cloud(n, dim, diameter, seed=0):
    """Distances of points in a ball of hyperbolic space."""
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(n, dim))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    r = rng.uniform(0.0, diameter / 2.0, size=(n, 1))
    return hyperbolic(np.hstack([np.cosh(r), np.sinh(r) * v]))


@pytest.mark.parametrize("solver", ["dense", "arpack"])
@pytest.mark.parametrize("diameter", [4.0, 12.0])
@pytest.mark.parametrize("dim", [2, 5])
def test_exact_distances_are_recovered_and_extended(dim, diameter, solver):
    D = cloud(60, dim, diameter)
    mds = HyperbolicMDS(dim, scale=1.0, eigen_solver=solver).fit(D[:50, :50])
    assert_allclose(hyperbolic(mds.embedding_), D[:50, :50], atol=1e-12)
    new = mds.transform(D[50:, :50])
    found = pairwise_distances(new, mds.embedding_, metric="hyperboloid")
    assert_allclose(found, D[50:, :50], atol=1e-12)
    assert_allclose(mds.transform(D[:50, :50]), mds.embedding_, rtol=1e-9, atol=1e-9)
    assert_array_equal(mds.transform(D[50:51, :50]), new[:1])
    time, space = mds.embedding_[:, 0], mds.embedding_[:, 1:]
    assert_allclose(space.T @ time / (np.abs(space.T) @ time), 0.0, atol=1e-9)
    _, values = reference.h_mds(D[:50, :50], dim)
    assert_allclose(mds.eigenvalues_, values, rtol=1e-9)


@pytest.mark.parametrize(("m", "wanted"), [(3, 1.11273530), (4, 1.16062670)])
def test_star(m, wanted):
    D = reference.star(m)
    mds = HyperbolicMDS(m - 1, scale=1.0).fit(D)
    found = hyperbolic(mds.embedding_)
    assert_allclose(found[0, 1:], wanted, rtol=1e-8)
    assert_allclose(found[1:, 1:], D[1:, 1:], atol=1e-12)
    assert_allclose(mds.distortion_, average_distortion(found, D), rtol=1e-9)


def test_automatic_scale_is_the_best_and_follows_the_units():
    D = reference.star(4)
    auto = HyperbolicMDS().fit(D)
    for reach in (1.0, 2.0, 4.0, 8.0, 16.0):
        assert HyperbolicMDS(scale=reach / 2.0).fit(D).distortion_ >= auto.distortion_
    for unit in (1e-15, 1e15):
        assert_allclose(HyperbolicMDS().fit(D * unit).scale_ * unit, auto.scale_)


def test_landmarks_are_exact_on_exact_distances():
    D = cloud(80, 2, 4.0)
    mds = HyperbolicMDS(scale=1.0, n_landmarks=20, random_state=0).fit(D)
    assert mds.landmark_indices_.size == 20
    assert_allclose(hyperbolic(mds.embedding_), D, atol=1e-11)


def test_missing_eigenvalues_and_large_scales_warn():
    line = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    with pytest.warns(UserWarning, match="1 positive eigenvalues"):
        mds = HyperbolicMDS(3, scale=0.5).fit(line)
    assert_array_equal(mds.embedding_[:, 2:], 0.0)
    with pytest.warns(UserWarning, match="precision does not resolve"):
        HyperbolicMDS(1, scale=5.0).fit(line)
    with pytest.raises(ValueError, match="overflows"):
        HyperbolicMDS(scale=200.0).fit(line)


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ((0, 1), 3.0, "differ"),
        ((1, 1), 1.0, "from itself"),
        ((0, 1), -1.0, "Negative"),
        ((0, 1), np.nan, "NaN"),
    ],
)
def test_bad_distances(entry, value, message):
    D = reference.star(3)
    D[entry] = value
    with pytest.raises(ValueError, match=message):
        HyperbolicMDS().fit(D)


def test_disconnected_points_are_counted():
    D = np.where(np.kron(np.eye(2), np.ones((2, 2))) > 0, 1.0, np.inf)
    np.fill_diagonal(D, 0.0)
    with pytest.raises(ValueError, match="2 connected components"):
        HyperbolicMDS().fit(D)
    with pytest.raises(ValueError, match="square"):
        HyperbolicMDS().fit(np.ones((3, 2)))


def disturbed(seed, n=12, dim=2):
    """Distances of a ball of hyperbolic space, each changed by a tenth or so."""
    rng = np.random.default_rng(seed)
    noise = np.triu(np.exp(0.1 * rng.normal(size=(n, n))), 1)
    return cloud(n, dim, 3.0, seed) * (noise + noise.T)


@given(st.integers(0, 2**32 - 1))
def test_order_of_samples_does_not_matter(seed):
    D = disturbed(seed)
    order = np.random.default_rng(seed).permutation(len(D))
    one = HyperbolicMDS(scale=1.0).fit(D)
    two = HyperbolicMDS(scale=1.0).fit(D[np.ix_(order, order)])
    assert_allclose(two.eigenvalues_, one.eigenvalues_, rtol=1e-9)
    # isometric: signs may differ where two entries of a column are equally large
    found = hyperbolic(two.embedding_)
    wanted = hyperbolic(one.embedding_)[np.ix_(order, order)]
    assert_allclose(found, wanted, atol=1e-7)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_scaling_distances_scales_the_factor(seed, unit):
    D = disturbed(seed)
    one = HyperbolicMDS(scale=1.0).fit(D)
    two = HyperbolicMDS(scale=1.0 / unit).fit(unit * D)
    assert_allclose(hyperbolic(two.embedding_), hyperbolic(one.embedding_), atol=1e-7)
    assert_allclose(two.distortion_, one.distortion_, rtol=1e-7)


@given(st.integers(0, 2**32 - 1))
def test_training_rows_go_home_and_rows_do_not_see_each_other(seed):
    D = disturbed(seed)
    mds = HyperbolicMDS(scale=0.7).fit(D)
    home = mds.transform(D)
    assert_allclose(home, mds.embedding_, atol=1e-9)
    strongest = np.abs(home[:, 1:]).argmax(axis=0)
    assert (home[strongest, [1, 2]] > 0.0).all()
    new = D[:5] + 0.3
    placed = mds.transform(new)
    assert_array_equal(mds.transform(new[::-1]), placed[::-1])
    assert_array_equal(mds.transform(new[2:3]), placed[2:3])


def test_every_automatic_scale_is_tried_and_ties_take_the_first():
    D = reference.star(3)
    distortions = {
        reach: HyperbolicMDS(scale=reach / 2.0).fit(D).distortion_
        for reach in (1.0, 2.0, 4.0, 8.0, 16.0)
    }
    best = min(distortions, key=distortions.get)
    auto = HyperbolicMDS().fit(D)
    assert auto.scale_ == best / 2.0
    assert auto.distortion_ == distortions[best]
    with pytest.warns(UserWarning, match="0 positive eigenvalues"):
        nothing = HyperbolicMDS().fit(np.zeros((3, 3)))
    assert (nothing.scale_, nothing.distortion_) == (1.0, 0.0)
    assert_array_equal(nothing.embedding_, [[1.0, 0.0, 0.0]] * 3)


def test_karate_club():
    A, D = reference.karate_club()
    mds = HyperbolicMDS().fit(D)
    space, values = reference.h_mds(mds.scale_ * D, 2)
    assert_allclose(mds.eigenvalues_, values, rtol=1e-9)
    assert_allclose(np.abs(mds.embedding_[:, 1:]), np.abs(space), atol=1e-9)
    found = hyperbolic(mds.embedding_)
    assert_allclose(mds.distortion_, average_distortion(found / mds.scale_, D))
    # The instructor (0) and the president (33) led the two halves of the club.
    members = mds.embedding_[[0, 33]]
    apart = pairwise_distances(members, metric="hyperboloid")[0, 1]
    assert apart > np.median(found)
    assert graph_map(found, A) > 0.5


def test_other_metrics_and_threads():
    X = np.random.default_rng(0).normal(size=(40, 3))
    D = pairwise_distances(X)
    table = HyperbolicMDS(scale=0.5).fit(D)
    own = HyperbolicMDS(scale=0.5, metric="euclidean").fit(X)
    two = HyperbolicMDS(scale=0.5, metric="euclidean", n_jobs=2).fit(X)
    by_hand = HyperbolicMDS(scale=0.5, metric=lambda a, b: np.linalg.norm(a - b))
    assert_array_equal(own.embedding_, table.embedding_)
    assert_array_equal(two.embedding_, own.embedding_)
    assert_allclose(by_hand.fit(X).embedding_, own.embedding_, atol=1e-7)
    new = X[:4] + 0.1
    assert_array_equal(two.transform(new), own.transform(new))
    assert_allclose(own.transform(new), table.transform(pairwise_distances(new, X)))
    points = HyperbolicMDS(2, scale=2.0, metric=Hyperboloid(2, curvature=-4.0))
    truth = Hyperboloid(2, curvature=-4.0).random_point(30, random_state=0)
    assert points.fit(truth).distortion_ < 1e-12


@pytest.mark.parametrize("options", [{}, {"n_landmarks": 20}])
def test_copies_behave_alike(options):
    D = cloud(40, 2, 4.0)
    mds = HyperbolicMDS(scale=1.0, random_state=0, **options).fit(D)
    copy = pickle.loads(pickle.dumps(mds))
    again = clone(mds).fit(D)
    for other in (copy, again):
        assert_array_equal(other.embedding_, mds.embedding_)
        assert_array_equal(other.transform(D[:3]), mds.transform(D[:3]))
    assert list(mds.get_feature_names_out()) == [f"hyperbolicmds{i}" for i in range(3)]
    before = D.copy()
    D.flags.writeable = False
    assert_array_equal(clone(mds).fit(D).embedding_, mds.embedding_)
    assert_array_equal(D, before)


def test_landmarks_are_drawn_above_a_size(monkeypatch):
    D = cloud(60, 2, 4.0)
    monkeypatch.setattr(_hyperbolic_mds, "_ALL_UP_TO", 50)
    monkeypatch.setattr(_hyperbolic_mds, "_N_LANDMARKS", 25)
    auto = HyperbolicMDS(scale=1.0, random_state=0).fit(D)
    assert auto.landmark_indices_.size == 25
    whole = HyperbolicMDS(scale=1.0, n_landmarks=None).fit(D)
    assert_array_equal(whole.landmark_indices_, np.arange(60))
    # only the landmarks' columns count for new samples
    new = D[:5].copy()
    others = np.setdiff1d(np.arange(60), auto.landmark_indices_)
    new[:, others] = 123.0
    assert_array_equal(auto.transform(new), auto.transform(D[:5]))
    monkeypatch.setattr(_hyperbolic_mds, "_ROWS", 7)  # blocks
    assert_array_equal(auto.transform(D), auto.transform(D[::-1])[::-1])
    with pytest.raises(ValueError, match="n_landmarks=61 must be at most"):
        HyperbolicMDS(n_landmarks=61).fit(D)


def test_far_and_near_scales():
    D = reference.star(3)
    with pytest.warns(UserWarning, match="stretches the largest distance to 600"):
        far = HyperbolicMDS(scale=300.0).fit(D)
    assert np.isfinite(far.embedding_).all()
    assert far.distortion_ == np.inf  # distances of such points overflow
    with pytest.raises(ValueError, match=r"scale=1e-08 shrinks .* scale at least"):
        HyperbolicMDS(scale=1e-8).fit(D)
    for factor in (1e-6, 1e-3):  # flat: the star of three leaves is 7.7 % off
        flat = HyperbolicMDS(scale=factor).fit(D)
        assert_allclose(flat.distortion_, 0.07735027, rtol=1e-4)
    with pytest.raises(ValueError, match="Multiply the distances"):
        HyperbolicMDS().fit(1e-310 * D)
    for unit in (1e-280, 1e280):
        mds = HyperbolicMDS().fit(unit * D)
        assert_allclose(mds.embedding_, HyperbolicMDS().fit(D).embedding_, rtol=1e-9)


def test_bad_new_samples():
    D = reference.star(3)
    mds = HyperbolicMDS(scale=1.0).fit(D)
    with pytest.raises(ValueError, match="overflows above 700"):
        mds.transform([[800.0] * 4])
    with pytest.raises(ValueError, match="Negative"):
        mds.transform(-D)
    with pytest.raises(ValueError, match="infinity"):
        mds.transform([[np.inf] * 4])
    with pytest.raises(ValueError, match="3 features"):
        mds.transform(D[:, :3])
    with pytest.raises(NotFittedError):
        HyperbolicMDS().transform(D)


def test_infinite_distances_among_connected_points():
    D = reference.star(3)
    D[1, 2] = D[2, 1] = np.inf
    with pytest.raises(ValueError, match=r"X\[1, 2\], though .* shortest paths"):
        HyperbolicMDS().fit(D)


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf])
def test_metrics_that_are_none(value):
    """They used to give NaN, or an embedding of anything."""
    with pytest.raises(ValueError, match="gave a distance of"):
        HyperbolicMDS(metric=lambda a, b: value).fit(np.eye(4))
    far = HyperbolicMDS(
        1, scale=1.0, metric=lambda a, b: abs(a[0] - b[0]) if a[0] < 9.0 else value
    ).fit([[0.0], [1.0], [3.0]])
    with pytest.raises(ValueError, match="gave a distance of"):
        far.transform([[9.0]])
