"""Euclidicity and PersistentDimension: bad input, and places without annuli."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from geolearn.metrics import pairwise_distances
from geolearn.topology import Euclidicity, PersistentDimension

BOTH = pytest.mark.parametrize(
    "estimator",
    [
        Euclidicity(10, intrinsic_dim=2, n_steps=3, random_state=0),
        PersistentDimension(10, n_steps=3),
    ],
    ids=["Euclidicity", "PersistentDimension"],
)


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).uniform(size=(60, 2))


def score(estimator, X, queries=None):
    """Return the numbers of a fitted sample, or of queries."""
    estimator.fit(X)
    if isinstance(estimator, Euclidicity):
        if queries is None:
            return estimator.euclidicity_
        return -estimator.score_samples(queries)
    if queries is None:
        return estimator.local_dimension_
    return estimator.transform(queries)[:, 0]


def with_parameters(estimator, **options):
    return type(estimator)(**{**estimator.get_params(), **options})


@BOTH
@pytest.mark.parametrize(
    ("radii", "message"),
    [
        ((0.1, 0.2, 0.3), "must be four numbers"),
        (((0.1, 0.2), (0.3, 0.4)), "must be four numbers"),
        ((0.2, 0.1, 0.3, 0.4), "r_min=0.2, r_max=0.1"),
        ((-0.2, 0.1, 0.3, 0.4), "r_min=-0.2, r_max=0.1"),
        ((0.0, 0.1, 0.0, 0.4), "s_min=0, s_max=0.4"),
        ((0.0, 0.1, 0.5, 0.4), "s_min=0.5, s_max=0.4"),
        ((0.4, 0.5, 0.3, 0.4), "r_min=0.4 must be less than s_max=0.4"),
        ((0.0, 0.1, 0.3, np.inf), "must be finite"),
        ((0.0, 0.1, 0.3, np.nan), "must be finite"),
        (("a", 0.1, 0.3, 0.4), "must be four numbers"),
        (([0.0], 0.1, 0.3, 0.4), "must be four numbers"),
    ],
    ids=str,
)
def test_radii(X, estimator, radii, message):
    with pytest.raises(ValueError, match=message):
        with_parameters(estimator, radii=radii).fit(X)


@BOTH
def test_radii_of_any_container(X, estimator):
    radii = (0.05, 0.2, 0.2, 0.5)
    expected = score(with_parameters(estimator, radii=radii), X)
    for same in (list(radii), np.array(radii), pd.Series(radii)):
        assert_array_equal(score(with_parameters(estimator, radii=same), X), expected)


@BOTH
def test_number_of_neighbors(X, estimator):
    with pytest.raises(ValueError, match="n_neighbors must be at least 4, got 3"):
        with_parameters(estimator, n_neighbors=3).fit(X)
    with pytest.warns(UserWarning, match=r"n_neighbors=60 .* n_neighbors=59 is used"):
        most = score(with_parameters(estimator, n_neighbors=60), X)
    assert_array_equal(most, score(with_parameters(estimator, n_neighbors=59), X))
    # radii for all points: the number of neighbours decides nothing
    radii = (0.05, 0.2, 0.2, 0.5)
    score(with_parameters(estimator, n_neighbors=60, radii=radii), X)


@BOTH
def test_bad_data(X, estimator):
    bad = X.copy()
    for value in (np.nan, np.inf):
        bad[3, 1] = value
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            estimator.fit(bad)
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            score(estimator, X, bad)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        estimator.fit(csr_array(X))
    with pytest.raises(ValueError, match="1D array"):
        estimator.fit(X[:, 0])
    with pytest.raises(ValueError, match="has 1 features, but"):
        score(estimator, X, X[:, :1])
    with pytest.raises(TypeError):
        estimator.fit(X, sample_weight=np.ones(60))


@BOTH
def test_distances(X, estimator):
    precomputed = with_parameters(estimator, metric="precomputed")
    D = pairwise_distances(X)
    with pytest.raises(ValueError, match="square matrix"):
        precomputed.fit(D[:, :9])
    with pytest.raises(ValueError, match="Negative values"):
        precomputed.fit(-D)
    D[4, 4] = 1e-9  # it would be a neighbour of its own
    with pytest.raises(ValueError, match=r"X\[4, 4\]=1e-09, .* np.fill_diagonal"):
        precomputed.fit(D)
    D[4, 4] = 0.0
    D[3, 5] += 1.0
    with pytest.raises(ValueError, match=r"symmetric, but X\[3, 5\]"):
        precomputed.fit(D)


@BOTH
@pytest.mark.parametrize("metric", ["mahalanobis", "seuclidean"])
def test_metrics_of_the_rows_compared(X, estimator, metric):
    with pytest.raises(ValueError, match=r"would differ .* pass metric='euclidean'"):
        with_parameters(estimator, metric=metric).fit(X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"intrinsic_dim": 3}, "intrinsic_dim=3 must be at most"),
        ({"intrinsic_dim": 0}, "'intrinsic_dim' parameter"),
        ({"null_correction": True, "n_model_samples": 1}, "must be at least 2"),
        ({"null_correction": True, "model": "interval"}, "pass model='annulus'"),
        ({"contamination": 0.6}, "'contamination' parameter"),
        ({"contamination": 0.0}, "'contamination' parameter"),
        ({"metric": "nonsense"}, "metric='nonsense' is unknown"),
        ({"model": "disc"}, "'model' parameter"),
        ({"min_points": 0}, "'min_points' parameter"),
        ({"max_points": 1}, "'max_points' parameter"),  # all scores would be 0
    ],
    ids=str,
)
def test_parameters(X, options, message):
    with pytest.raises(ValueError, match=message):
        Euclidicity(10, **options).fit(X)


@BOTH
def test_high_degrees_without_gudhi(X, estimator, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gudhi", None)
    with pytest.raises(ImportError, match=r"geolearn\[topology\]"):
        with_parameters(estimator, max_degree=3).fit(X)


# of two points, copies are most of the neighbours
@pytest.mark.filterwarnings("ignore:2 of 90 points have fewer than 4:UserWarning")
@BOTH
def test_duplicates_are_no_neighbors(X, estimator):
    # 30 copies of a point: more than the neighbours that are asked for first
    copies = np.concatenate([X, np.tile(X[7], (30, 1))])
    found = score(estimator, copies)
    assert np.isfinite(found).sum() == 88
    assert_array_equal(found[60:], found[7])
    # all its neighbours are the other points, as without the copies
    assert_allclose(found[7], score(estimator, X)[7], rtol=1e-12)
    if isinstance(estimator, Euclidicity):
        profile = estimator.fit(copies).profile(X[7:8])
        alone = estimator.fit(X).profile(X[7:8])
        assert_array_equal(profile.n_points, alone.n_points)


@BOTH
def test_duplicates_count_in_an_annulus(estimator):
    angle = np.repeat(np.arange(8) * np.pi / 4, 3)
    radius = np.repeat([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7], 3)
    ring = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    X = np.concatenate([np.zeros((1, 2)), ring])
    model = Euclidicity(24, intrinsic_dim=2, n_steps=3, random_state=0).fit(X)
    profile = model.profile(np.zeros((1, 2)))
    assert set(profile.n_points[0][profile.n_points[0] > 0] % 3) == {0}
    assert np.isfinite(model.euclidicity_).all()
    assert np.isfinite(score(with_parameters(estimator, n_neighbors=24), X)).all()


@BOTH
def test_few_distinct_points(estimator):
    rng = np.random.default_rng(0)
    X = np.repeat(rng.uniform(size=(4, 2)), 5, axis=0)  # 3 distinct others
    with pytest.warns(UserWarning, match="20 of 20 points have fewer than 4 distinct"):
        assert np.isnan(score(estimator, X)).all()
    X = np.repeat(rng.uniform(size=(5, 2)), 4, axis=0)  # 4 distinct others
    few = with_parameters(estimator, n_neighbors=16)
    assert np.isfinite(score(few, X)).all()
    if isinstance(estimator, Euclidicity):
        X = np.concatenate([X[:1], X[4:8], X[8:12], X[12:16]])
        few.set_params(intrinsic_dim="auto")
        with pytest.warns(UserWarning, match="13 of 13 points"):
            few.set_params(n_neighbors=12).fit(X)
        assert np.isnan(few.offset_)
        with pytest.warns(UserWarning, match="2 of 2 points"):
            assert_array_equal(few.predict(X[:2]), [-1, -1])


@BOTH
def test_constant_data(estimator):
    with pytest.warns(UserWarning, match="30 of 30 points have fewer than 4") as told:
        assert np.isnan(score(estimator, np.ones((30, 2)))).all()
    assert len(told) == 1
    assert "no annulus" not in str(told[0].message)  # one reason is enough
    if isinstance(estimator, Euclidicity):
        one = {"euclidean": np.ones((9, 2)), "precomputed": np.zeros((9, 9))}
        for metric, X in one.items():
            auto = Euclidicity(5, metric=metric)
            with pytest.warns(UserWarning, match="9 of 9 points"):
                assert auto.fit(X).intrinsic_dim_ == 1


@BOTH
@pytest.mark.parametrize("n", [2, 4])
def test_tiny_samples(estimator, n):
    X = np.random.default_rng(0).uniform(size=(n, 2))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_neighbors=")
        with pytest.warns(UserWarning, match=f"{n} of {n} points"):
            assert np.isnan(score(estimator, X)).all()


@BOTH
def test_equidistant_neighbors(estimator):
    angle = np.arange(12) * np.pi / 6
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    # quarter turns: the distances of these four are equal to the last bit
    X = np.concatenate([ring[[0, 3, 6, 9]].round(), 9.0 * ring])
    few = with_parameters(estimator, n_neighbors=4)
    few.fit(X)
    with pytest.warns(UserWarning, match="1 of 1 points have no annulus"):
        assert np.isnan(score_of(few, np.zeros((1, 2))))


def score_of(estimator, X):
    if isinstance(estimator, Euclidicity):
        return estimator.score_samples(X)[0]
    return estimator.transform(X)[0, 0]


@BOTH
def test_void_annuli_are_nan_and_told_once(X, estimator):
    far = np.concatenate([X, [[50.0, 50.0], [-50.0, 0.0]]])
    radii = with_parameters(estimator, radii=(0.05, 0.2, 0.2, 0.5))
    with pytest.warns(UserWarning, match="2 of 62 points have no annulus") as told:
        found = score(radii, far)
    assert len(told) == 1
    assert_array_equal(np.isnan(found), [False] * 60 + [True] * 2)
    assert_allclose(found[:60], score(radii, X), rtol=1e-12)
    if isinstance(estimator, Euclidicity):
        assert_array_equal(radii.fit(X).n_valid_cells_ > 0, True)
        with pytest.warns(UserWarning, match="1 of 1 points"):
            profile = radii.profile(far[60:61])
        assert_array_equal(profile.n_points, 0)
        assert_array_equal(profile.top_degree, -1)
        assert np.isnan(profile.distance).all()
        assert np.isnan(profile.combined).all()


def test_void_points_are_outliers(X):
    far = np.concatenate([X, [[50.0, 50.0]]])
    model = Euclidicity(10, radii=(0.05, 0.2, 0.2, 0.5), n_steps=3, random_state=0)
    with pytest.warns(UserWarning, match="1 of 61 points"):
        labels = model.fit_predict(far)
    assert labels[60] == -1
    assert labels[:60].max() == 1
    assert model.n_valid_cells_[60] == 0
    assert np.isfinite(model.offset_)
    with pytest.warns(UserWarning, match="1 of 61 points"):
        assert_array_equal(model.predict(far), labels)


def test_an_annulus_of_one_point_is_like_its_model():
    X = np.array([[0.0], [1.0], [2.0], [3.5], [5.0], [7.0]])
    model = Euclidicity(
        5, intrinsic_dim=1, radii=(0.5, 0.5, 1.0, 1.2), n_steps=2, min_points=1
    )
    with pytest.warns(UserWarning, match="3 of 6 points"):
        model.fit(X)
    assert model.euclidicity_[0] == 0.0


@BOTH
def test_one_scale(X, estimator):
    one = with_parameters(estimator, n_steps=1)
    assert np.isfinite(score(one, X)).all()
    if isinstance(estimator, Euclidicity):
        profile = one.profile(X[:3])
        distances = np.sort(np.linalg.norm(X[:3, None] - X, axis=2), axis=1)[:, 1:]
        # round(11 / 3) + 1 = 5
        assert_allclose(profile.inner_radius[:, 0], distances[:, 0], rtol=1e-14)
        assert_allclose(profile.outer_radius[:, 0], distances[:, 4], rtol=1e-14)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_other_types_are_computed_in_float64(X, estimator, dtype):
    Z = (1000 * X).astype(dtype)
    assert_array_equal(score(estimator, Z), score(estimator, Z.astype(np.float64)))


@BOTH
def test_input_stays_and_may_be_read_only(X, estimator):
    Z = X.copy()
    Z.flags.writeable = False
    score(estimator, Z, Z[:3])
    assert_array_equal(Z, X)
