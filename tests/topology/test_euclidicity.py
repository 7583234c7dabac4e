"""Euclidicity: closed forms, its definition, invariances, laws and singularities."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score

from geolearn.datasets import (
    make_circle_and_sphere,
    make_crossing_planes,
    make_pinched_torus,
)
from geolearn.manifolds import SPD, Sphere
from geolearn.metrics import pairwise_distances
from geolearn.topology import Euclidicity
from tests.reference import euclidicity as reference


def polygon(n, radius=1.0):
    angle = 2.0 * np.pi * np.arange(n) / n
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


SHELLS = np.concatenate([np.zeros((1, 2)), polygon(6), polygon(12, 2.0)])


@pytest.fixture(scope="module")
def cloud():
    return np.random.default_rng(0).normal(size=(150, 3)) * [1.0, 1.0, 0.1]


def estimator(**options):
    defaults = {"n_neighbors": 20, "intrinsic_dim": 2, "n_steps": 4, "random_state": 0}
    return Euclidicity(**{**defaults, **options})


@pytest.mark.parametrize("combine", ["max", "pooled"])
def test_two_shells(combine):
    model = estimator(
        model="interval",
        radii=(0.8, 1.2, 1.2, 2.4),
        n_steps=2,
        normalize=False,
        combine=combine,
    ).fit(SHELLS)
    profile = model.profile(np.zeros((1, 2)))
    assert_array_equal(profile.n_points, [[6, 18, 0, 12]])
    half = np.sin(np.pi / 12) * 2  # half a side of the 12-gon
    assert_allclose(profile.distance[0, :, 0], [0.5, half, np.nan, half], rtol=1e-12)
    # the diagonal for the hexagon, (1, sqrt 3) with (0.8, 2.4), the death 2 sqrt 3
    loops = [(np.sqrt(3) - 1) / 2, 2.4 - np.sqrt(3), np.nan, 2 * np.sqrt(3) - 2.4]
    assert_allclose(profile.distance[0, :, 1], loops, rtol=1e-12)
    combined = np.fmax(profile.distance[0, :, 0], profile.distance[0, :, 1])
    assert_allclose(profile.combined[0], combined, rtol=1e-12)
    assert_array_equal(profile.top_degree, [[1, 1, -1, 1]])
    assert_allclose(-model.score_samples(np.zeros((1, 2))), np.nanmean(combined))
    assert model.n_valid_cells_[0] == 3


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"normalize": False, "null_correction": True},
        {"combine": "pooled", "null_correction": True, "n_model_samples": 3},
        {"intrinsic_dim": 3, "max_degree": 2, "n_model_samples": 2},
        {"intrinsic_dim": 1, "min_points": 1},
        {"radii": (0.3, 0.8, 0.7, 1.5), "max_points": 12, "combine": "pooled"},
        {"radii": (0.0, 0.5, 0.4, 1.0), "max_points": 15, "min_points": 5},
        {"n_steps": 1, "max_points": 5, "n_model_samples": 1},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*their result is NaN:UserWarning")
def test_definition(cloud, options):
    model = estimator(**options).fit(cloud)
    queries = np.concatenate([cloud[:2], [[0.1, 0.2, 0.05]]])
    found = -model.score_samples(queries)
    profile = model.profile(queries)
    for i, q in enumerate(queries):
        expected, n_cells, distances = reference.score(
            cloud,
            q,
            n_neighbors=model.n_neighbors,
            grid=model.radii,
            n_steps=model.n_steps,
            dim=model.intrinsic_dim_,
            max_degree=profile.distance.shape[2] - 1,
            n_draws=model.n_model_samples,
            seed=model._bank.seed,
            priority=model._priority,
            **{
                name: getattr(model, name)
                for name in (
                    *("min_points", "max_points", "normalize"),
                    *("null_correction", "combine"),
                )
            },
        )
        assert_allclose(found[i], expected, rtol=1e-10)
        assert_allclose(profile.distance[i], distances, rtol=1e-10)
        assert (profile.top_degree[i] >= 0).sum() == n_cells
        if i < 2:
            assert model.n_valid_cells_[i] == n_cells


@pytest.mark.parametrize("combine", ["max", "pooled"])
def test_interval_of_the_reference(cloud, combine):
    model = estimator(model="interval", combine=combine, intrinsic_dim=3, max_degree=2)
    profile = model.fit(cloud).profile(cloud[:3])
    for i in range(3):
        to_sample = np.linalg.norm(cloud - cloud[i], axis=1)
        order = np.argsort(to_sample)[1:21]
        D = np.linalg.norm(cloud[order, None] - cloud[order], axis=2)
        for c in np.flatnonzero(profile.top_degree[i] >= 0):
            r, s = profile.inner_radius[i, c], profile.outer_radius[i, c]
            kept = (to_sample[order] > r) & (to_sample[order] <= s)
            found = reference.diagrams(D[np.ix_(kept, kept)], 2)
            flat = [np.empty((0, 2)), np.empty((0, 2)), np.array([[r, s]])]
            each = reference.degree_distances(found, flat)
            assert_allclose(profile.distance[i, c], each, rtol=1e-12)
            pooled = reference.pooled_distance(found, flat)
            expected = pooled if combine == "pooled" else each.max()
            assert_allclose(profile.combined[i, c], expected, rtol=1e-12)


def test_interval_of_a_line_has_degree_one():
    X = np.linspace(0.0, 1.0, 30)[:, None]
    found = Euclidicity(8, intrinsic_dim=1, model="interval", n_steps=3).fit(X)
    assert found.profile(X[:2]).distance.shape == (2, 9, 1)


def test_profile_explains_the_score(cloud):
    for normalize in (True, False):
        model = estimator(normalize=normalize).fit(cloud)
        profile = model.profile(cloud[:5])
        scale = profile.outer_radius if normalize else 1.0
        mean = np.nanmean(profile.combined / scale, axis=1)
        assert_allclose(mean, model.euclidicity_[:5], rtol=1e-12)
        assert profile.inner_radius.shape == (5, 16)
        assert (np.diff(profile.inner_radius[:, ::4]) > 0).all()
        assert (np.diff(profile.outer_radius[:, :4]) > 0).all()


def test_radii_of_each_point(cloud):
    profile = estimator(n_neighbors=49).fit(cloud).profile(cloud[:4])
    distances = np.sort(np.linalg.norm(cloud[:4, None] - cloud, axis=2), axis=1)[:, 1:]
    # round(50 / 3) + 1 = 18
    expected = distances[:, [0, 17, 17, 48]]
    found = [
        *(profile.inner_radius[:, 0], profile.inner_radius[:, -1]),
        *(profile.outer_radius[:, 0], profile.outer_radius[:, -1]),
    ]
    assert_allclose(np.column_stack(found), expected, rtol=1e-14)
    last = profile.n_points[:, 3]  # smallest inner, largest outer radius
    assert_array_equal(last, 48)


def test_sample_and_queries_agree(cloud):
    for options in ({}, {"radii": (0.0, 0.6, 0.6, 3.0), "max_points": 20}):
        model = estimator(**options).fit(cloud)
        assert_array_equal(model.score_samples(cloud), -model.euclidicity_)
        assert_array_equal(
            model.score_samples(cloud[40:43]), -model.euclidicity_[40:43]
        )


def test_isometries_and_units(cloud):
    expected = estimator().fit(cloud).euclidicity_
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))
    padded = np.column_stack([cloud, np.zeros((150, 2))]) @ turn + 3.0
    assert_allclose(estimator().fit(padded).euclidicity_, expected, rtol=1e-7)
    order = np.random.default_rng(2).permutation(150)
    found = estimator().fit(cloud[order]).euclidicity_
    assert_allclose(found, expected[order], rtol=1e-12)
    raw = estimator(normalize=False).fit(cloud).euclidicity_
    for unit in (1e-15, 1e15):
        scaled = estimator().fit(unit * cloud).euclidicity_
        assert_allclose(scaled, expected, rtol=1e-7)
        scaled = estimator(normalize=False).fit(unit * cloud).euclidicity_
        assert_allclose(scaled, unit * raw, rtol=1e-7)
    grid = np.array([0.0, 0.8, 0.8, 3.0])
    expected = estimator(radii=grid).fit(cloud).euclidicity_
    found = estimator(radii=1e-15 * grid).fit(1e-15 * cloud).euclidicity_
    assert_allclose(found, expected, rtol=1e-7)


def test_any_metric_gives_the_same(cloud):
    expected = estimator(n_steps=3).fit(cloud)
    D = pairwise_distances(cloud)
    found = estimator(n_steps=3, metric="precomputed").fit(D)
    assert_allclose(found.euclidicity_, expected.euclidicity_, rtol=1e-12)
    assert_array_equal(found.score_samples(D), -found.euclidicity_)
    new = cloud[:2] + 0.1
    assert_allclose(
        found.score_samples(pairwise_distances(new, cloud)),
        expected.score_samples(new),
        rtol=1e-12,
    )

    def distance(x, y):
        return np.sqrt(((x - y) ** 2).sum())

    few = estimator(n_steps=2, n_neighbors=8)
    found = few.set_params(metric=distance).fit(cloud[:40]).euclidicity_
    expected = few.set_params(metric="minkowski").fit(cloud[:40]).euclidicity_
    assert_allclose(found, expected, rtol=1e-12)
    expected = few.set_params(metric="euclidean").fit(cloud[:40]).euclidicity_
    assert_allclose(found, expected, rtol=1e-12)


def test_manifolds(cloud):
    X = cloud / np.linalg.norm(cloud, axis=1, keepdims=True)
    expected = estimator(metric="sphere").fit(X)
    found = estimator(metric=Sphere(2)).fit(X)
    assert_array_equal(found.euclidicity_, expected.euclidicity_)
    D = pairwise_distances(X, metric="sphere")
    matrix = estimator(metric="precomputed").fit(D).euclidicity_
    assert_allclose(matrix, found.euclidicity_, rtol=1e-10)


@pytest.mark.parametrize("metric", ["affine_invariant", "log_euclidean"])
def test_matrices(metric):
    # of these distances, that of a point from itself is round-off, not 0
    spd = SPD(2, metric=metric)
    X = spd.random_point(40, random_state=0)
    model = estimator(n_neighbors=10, metric=spd, n_steps=2).fit(X)
    assert_array_equal(model.score_samples(X[:5]), -model.euclidicity_[:5])
    D = spd.dist(X[:, None], X[None])
    np.fill_diagonal(D, 0.0)
    D = np.triu(D) + np.triu(D).T
    matrix = estimator(n_neighbors=10, metric="precomputed", n_steps=2).fit(D)
    assert_allclose(matrix.euclidicity_, model.euclidicity_, rtol=1e-8)
    flat = estimator(n_neighbors=10, metric=spd, n_steps=2).fit(X.reshape(40, 4))
    assert_array_equal(flat.euclidicity_, model.euclidicity_)


def test_thinning_keeps_the_same_points_for_every_query(cloud):
    options = {"radii": (0.0, 0.5, 1.0, 2.0), "n_steps": 3}
    wide = estimator(**options, max_points=200).fit(cloud)
    thin = estimator(**options, max_points=149).fit(cloud)
    assert wide.profile(cloud).n_points.max() < 149
    assert_array_equal(thin.euclidicity_, wide.euclidicity_)
    thin = estimator(**options, max_points=30).fit(cloud)
    assert not np.allclose(thin.euclidicity_, wide.euclidicity_)
    assert_array_equal(thin.profile(cloud).n_points, wide.profile(cloud).n_points)
    # a subset of queries, in another order
    assert_array_equal(thin.score_samples(cloud[[9, 3]]), -thin.euclidicity_[[9, 3]])


def test_degrees_beyond_two_take_gudhi(cloud):
    pytest.importorskip("gudhi")
    options = {"n_neighbors": 10, "n_steps": 2, "n_model_samples": 2}
    low = estimator(**options, max_degree=2).fit(cloud).profile(cloud[:5])
    high = estimator(**options, max_degree=3).fit(cloud).profile(cloud[:5])
    assert high.distance.shape == (5, 4, 4)
    assert_allclose(high.distance[:, :, :3], low.distance, rtol=1e-10)
    assert_array_equal(high.n_points, low.n_points)


@pytest.fixture(scope="module")
def square():
    return np.random.default_rng(0).uniform(size=(3000, 2))


def test_flat_space_is_its_own_model(square):
    inside = square[(np.abs(square - 0.5) < 0.35).all(axis=1)][:120]
    model = Euclidicity(
        49, intrinsic_dim=2, n_steps=5, n_model_samples=16, random_state=0
    )
    model.set_params(null_correction=True, max_degree=0)
    # Conditional on its radii an annulus is a draw of the model.
    score = -model.fit(square[:200]).score_samples(inside[:1])
    assert np.isfinite(score).all()
    model.fit(square)
    found = -model.score_samples(inside)
    assert abs(found.mean()) < 0.006  # standard error 0.002
    assert model.euclidicity_.std() > 0.02


def test_the_right_dimension_fits_best(square):
    inside = square[(np.abs(square - 0.5) < 0.1).all(axis=1)][:40]
    sample = square[(np.abs(square - 0.5) < 0.2).all(axis=1)]
    sample = np.column_stack([sample, np.zeros(len(sample))])
    means = []
    for dim in (1, 2, 3):
        model = Euclidicity(49, intrinsic_dim=dim, n_steps=6, max_degree=1)
        model.set_params(random_state=0).fit(sample)
        means.append(-model.score_samples(np.insert(inside, 2, 0.0, axis=1)).mean())
    # 500 pairs of 8000 points of a square with n_steps=10
    assert_allclose(means, [0.417, 0.181, 0.263], atol=0.03)


def auroc(X, y, n_queries, **options):
    rng = np.random.default_rng(0)
    few = [rng.permutation(np.flatnonzero(y == c))[:n_queries] for c in (0, 1)]
    rows = np.concatenate(few)
    model = Euclidicity(intrinsic_dim=2, n_steps=6, random_state=0, **options)
    model.fit(X[np.concatenate([rows, np.setdiff1d(np.arange(len(X)), rows)])])
    return roc_auc_score(y[rows], model.euclidicity_[: len(rows)])


def test_singularities_are_seen():
    X, y = make_crossing_planes(1200, random_state=0)
    assert auroc(X, y, 80, n_neighbors=49) > 0.9
    X, y = make_circle_and_sphere(1200, random_state=0)
    assert auroc(X, y, 80, n_neighbors=59) > 0.8


def test_scores_without_normalization_reverse_the_ranking():
    X, y = make_pinched_torus(1500, random_state=0)
    assert auroc(X, y, 80, n_neighbors=49) > 0.95
    assert auroc(X, y, 80, n_neighbors=49, normalize=False) < 0.2


def test_boundaries_score_high(square):
    X = square[:1000]
    depth = 0.5 - np.abs(X - 0.5).max(axis=1)
    model = Euclidicity(49, intrinsic_dim=2, n_steps=4, random_state=0).fit(X)
    seen = (depth < 0.03) | (depth > 0.15)
    assert roc_auc_score(depth[seen] < 0.03, model.euclidicity_[seen]) > 0.9


@pytest.mark.parametrize("combine", ["max", "pooled"])
def test_automatic_dimension(cloud, combine):
    plane = np.column_stack([cloud[:, :2], cloud[:, :2].sum(axis=1)])
    model = Euclidicity(20, n_steps=2, combine=combine, random_state=0).fit(plane)
    assert model.intrinsic_dim_ == 2
    line = Euclidicity(20, n_steps=2, random_state=0).fit(cloud[:, :1])
    assert line.intrinsic_dim_ == 1
    assert line.profile(cloud[:1, :1]).distance.shape[2] == 1
