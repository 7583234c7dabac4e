"""The dimension around each point."""

import numpy as np
import pytest

from geolearn.diagnostics import (
    aggregate_dimension,
    local_intrinsic_dimension,
    local_pca_dimension,
    mst_uniformity,
    two_nn_dimension,
)
from geolearn.manifolds import SPD, Sphere
from tests.reference import diagnostics as reference

METHODS = ("mle", "mle_biased", "ldreg", "mom", "mom_all")


@pytest.fixture(scope="module")
def plane():
    X = np.random.default_rng(0).uniform(size=(300, 2))
    return np.column_stack([X, X.sum(axis=1), X[:, 0] ** 2])


@pytest.fixture(scope="module")
def D(plane):
    return reference.distances(plane, plane)


@pytest.mark.parametrize("method", METHODS)
def test_methods_follow_their_formulas(plane, D, method):
    expected = [
        reference.local_dimension(delta, method)
        for delta in reference.neighbor_distances(D, 20)
    ]
    found = local_intrinsic_dimension(plane, method=method, n_neighbors=20)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("method", "d", "k", "expected"),
    [
        ("mle", 5, 50, 5.0),
        ("mle", 8, 50, 8.0),
        ("mle", 5, 100, 5.0),
        ("mle_biased", 5, 100, 5.0 * 99 / 98),  # 5.05
        ("ldreg", 5, 50, 5.0 * 50 / 48),  # 5.21
        ("ldreg", 8, 50, 8.0 * 50 / 48),
        ("ldreg", 5, 100, 5.0 * 100 / 98),  # 5.10
        ("mom_all", 5, 50, 5.21),
        ("mom", 5, 50, 5.09),
    ],
)
def test_means_at_the_centre_of_a_uniform_ball(method, d, k, expected):
    # The radii of uniform points in the d-ball are u^(1/d): one query a row.
    radii = np.random.default_rng(0).uniform(size=(4000, 200)) ** (1 / d)
    sample = np.ones((200, 200)) - np.eye(200)
    found = local_intrinsic_dimension(
        sample, queries=radii, method=method, n_neighbors=k, metric="precomputed"
    )
    error = found.std() / np.sqrt(found.size)
    assert abs(found.mean() - expected) < 3.5 * error


def test_two_nn_around_a_point_pools_the_ratios_of_its_neighbours(plane, D):
    log_mu = reference.log_ratio(D)
    order = np.argsort(D, axis=1)[:, 1:21]
    expected = [19 / log_mu[near].sum() for near in order]
    found = local_intrinsic_dimension(plane, method="twonn", n_neighbors=20)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("method", [*METHODS, "twonn", "pca"])
def test_queries_of_the_sample_have_the_dimension_of_its_rows(plane, method):
    options = {"method": method, "n_neighbors": 20}
    alone = local_intrinsic_dimension(plane, **options)
    asked = local_intrinsic_dimension(plane, queries=plane[40:60], **options)
    np.testing.assert_allclose(asked, alone[40:60], rtol=1e-12)


def test_precomputed_distances_and_graphs_give_the_same(plane, D):
    from sklearn.neighbors import kneighbors_graph

    expected = local_intrinsic_dimension(plane, n_neighbors=20)
    for sample in (D, kneighbors_graph(plane, 20, mode="distance")):
        found = local_intrinsic_dimension(sample, n_neighbors=20, metric="precomputed")
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    asked = local_intrinsic_dimension(
        D, queries=D[:30], n_neighbors=20, metric="precomputed"
    )
    np.testing.assert_allclose(asked, expected[:30], rtol=1e-10)


def test_metrics_take_their_parameters_from_the_sample():
    X = np.random.default_rng(0).normal(size=(60, 3)) * [1.0, 10.0, 0.0]
    X = np.vstack(
        [X, X + np.array([99.0, 0.0, 0.0])]
    )  # clusters: the tree searches between
    factor = np.linalg.cholesky(np.linalg.inv(np.cov(X[:, :2].T)))
    flat = {
        "seuclidean": X[:, :2] / X[:, :2].std(axis=0, ddof=1),
        "mahalanobis": X[:, :2] @ factor,
    }
    for metric, Y in flat.items():
        for queries in (None, slice(4)):
            found = local_intrinsic_dimension(
                X,
                queries=None if queries is None else X[queries],
                n_neighbors=9,
                metric=metric,
            )
            expected = local_intrinsic_dimension(Y, n_neighbors=9)
            np.testing.assert_allclose(found, expected[queries or slice(None)], 1e-8)
        tree = mst_uniformity(X, metric=metric, intrinsic_dim=2)
        assert tree == pytest.approx(mst_uniformity(Y, intrinsic_dim=2), rel=1e-9)


def test_manifolds_and_queries_outside_the_sample():
    sphere, spd = Sphere(2), SPD(2)
    X = sphere.random_point(600, random_state=0)
    found = local_intrinsic_dimension(
        X[100:], queries=X[:100], n_neighbors=30, metric=sphere
    )
    assert aggregate_dimension(found) == pytest.approx(2.0, abs=0.1)
    X = spd.random_normal(400, scale=0.3, random_state=0)
    found = local_intrinsic_dimension(X, n_neighbors=30, metric=spd)
    assert aggregate_dimension(found) == pytest.approx(2.7, abs=0.3)


@pytest.mark.parametrize("method", [*METHODS, "twonn", "pca"])
def test_repeated_rows_change_nothing(plane, method):
    options = {"method": method, "n_neighbors": 10}
    expected = local_intrinsic_dimension(plane, **options)
    again = np.vstack([plane, plane[:20], plane[:20], np.tile(plane[5], (30, 1))])
    found = local_intrinsic_dimension(again, **options)
    np.testing.assert_allclose(found[:300], expected, rtol=1e-12)
    np.testing.assert_allclose(found[300:320], expected[:20], rtol=1e-12)
    np.testing.assert_allclose(found[340:], expected[5], rtol=1e-12)


def test_repeated_points_of_precomputed_distances_count_once(plane, D):
    rows = np.append(np.arange(300), [3, 3, 7])
    found = local_intrinsic_dimension(
        D[np.ix_(rows, rows)], n_neighbors=10, metric="precomputed"
    )
    expected = local_intrinsic_dimension(plane, n_neighbors=10)
    np.testing.assert_allclose(found, expected[rows], rtol=1e-10)


def test_too_few_distinct_neighbours_give_nan_and_one_warning():
    # Row 4 of the graph keeps two neighbours at a positive distance.
    D = np.abs(np.subtract.outer(np.arange(6.0) ** 2, np.arange(6.0) ** 2))
    from scipy import sparse

    rows, columns = np.nonzero(~np.eye(6, dtype=bool))
    values = D[rows, columns]
    values[(rows == 4) & (columns < 3)] = 0.0
    G = sparse.csr_array((values, (rows, columns)), shape=(6, 6))
    with pytest.warns(UserWarning, match="1 of 6 points .* the first is 4") as caught:
        found = local_intrinsic_dimension(G, n_neighbors=5, metric="precomputed")
    assert len(caught) == 1
    assert np.isnan(found).tolist() == [False] * 4 + [True, False]


@pytest.mark.parametrize("method", METHODS)
def test_neighbours_that_are_equally_far_give_nan(method):
    simplex = np.eye(6)
    with pytest.warns(UserWarning, match="6 of 6 points"):
        found = local_intrinsic_dimension(simplex, n_neighbors=5, method=method)
    assert np.isnan(found).all()


@pytest.mark.parametrize("unit", [1e-150, 1e-15, 1e15, 1e150])
def test_the_unit_of_the_data_does_not_matter(plane, unit):
    for method in ("mle", "mom", "twonn", "ldreg"):
        options = {"method": method, "n_neighbors": 20}
        expected = local_intrinsic_dimension(plane, **options)
        found = local_intrinsic_dimension(unit * plane, **options)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_threads_and_order_do_not_matter(plane):
    wide = np.hstack([plane] * 4)  # compared in blocks instead of by a tree
    order = np.random.default_rng(1).permutation(300)
    for X in (plane, wide):
        for method in ("mle", "twonn", "pca"):
            one = local_intrinsic_dimension(X, method=method, n_neighbors=9)
            two = local_intrinsic_dimension(X, method=method, n_neighbors=9, n_jobs=2)
            np.testing.assert_array_equal(one, two)
            shuffled = local_intrinsic_dimension(X[order], method=method, n_neighbors=9)
            np.testing.assert_allclose(shuffled, one[order], rtol=1e-9)


def test_invalid_parameters_are_named(plane):
    with pytest.raises(ValueError, match="method='mlle' is unknown"):
        local_intrinsic_dimension(plane, method="mlle")
    with pytest.raises(ValueError, match="n_neighbors must be an int of at least 3"):
        local_intrinsic_dimension(plane, n_neighbors=2)
    with pytest.raises(ValueError, match="method='pca' needs coordinates"):
        local_intrinsic_dimension(plane, method="pca", metric="cityblock")
    with pytest.raises(ValueError, match=r"metric_params=.* has no use"):
        local_intrinsic_dimension(plane, method="pca", metric_params={"p": 3})
    with pytest.warns(UserWarning, match="n_neighbors=50 is more than the 9"):
        local_intrinsic_dimension(plane[:10])


def test_the_function_serves_in_a_pipeline(plane):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    transformer = FunctionTransformer(
        lambda X: local_intrinsic_dimension(X, n_neighbors=20)[:, None]
    )
    assert make_pipeline(StandardScaler(), transformer).fit_transform(plane).shape == (
        300,
        1,
    )


def test_two_nn_follows_its_formulas(plane, D):
    log_mu = reference.log_ratio(D)
    assert two_nn_dimension(plane) == pytest.approx(
        reference.two_nn_fit(log_mu, 0.1), rel=1e-10
    )
    assert two_nn_dimension(plane, discard_fraction=0.4) == pytest.approx(
        reference.two_nn_fit(log_mu, 0.4), rel=1e-10
    )
    assert two_nn_dimension(plane, method="mle") == pytest.approx(
        299 / log_mu.sum(), rel=1e-10
    )
    whole = two_nn_dimension(plane, discard_fraction=0.0)
    assert np.isfinite(whole)
    again = two_nn_dimension(np.vstack([plane, plane[:50]]))
    assert again == pytest.approx(two_nn_dimension(plane), rel=1e-12)
    assert two_nn_dimension(D, metric="precomputed") == pytest.approx(
        two_nn_dimension(plane), rel=1e-9
    )


def test_two_nn_without_periodic_borders_is_unbiased():
    flat = np.random.default_rng(0).uniform(size=(4000, 3)) * 2.0 * np.pi
    from geolearn.manifolds import Torus

    found = two_nn_dimension(flat[:3000], metric=Torus(3), method="mle")
    assert found == pytest.approx(3.0, abs=3.5 * 3.0 / np.sqrt(3000 / 1.5))


def test_two_nn_refuses_lattices_and_tiny_samples():
    lattice = np.stack(np.meshgrid(range(5), range(5)), axis=-1).reshape(-1, 2)
    with pytest.raises(ValueError, match="lattice"):
        two_nn_dimension(lattice)
    with pytest.raises(ValueError, match="2 distinct points"):
        two_nn_dimension([[0.0], [1.0], [1.0]])
    with pytest.raises(ValueError, match="discard_fraction"):
        two_nn_dimension(lattice, discard_fraction=1.0)
    X = np.random.default_rng(0).uniform(size=(5, 2))
    with pytest.raises(ValueError, match="leaves none of 5 ratios"):
        two_nn_dimension(X, discard_fraction=0.9)


@pytest.mark.parametrize("criterion", ["share", "ratio", "participation"])
def test_local_spectra_are_counted(plane, criterion):
    found = local_pca_dimension(plane, n_neighbors=15, criterion=criterion)
    for i in range(0, 300, 30):
        s = np.maximum(reference.local_spectrum(plane, plane[i], 15), 0.0)
        expected = {
            "share": 1 + np.count_nonzero(np.cumsum(s) < 0.95 * s.sum()),
            "ratio": np.count_nonzero(s > 0.05 * s[0]),
            "participation": s.sum() ** 2 / (s @ s),
        }[criterion]
        assert found[i] == pytest.approx(expected, rel=1e-9)


def test_the_threshold_of_the_local_spectrum_counts(plane):
    assert local_pca_dimension(plane, threshold=0.3).max() == 1
    assert local_pca_dimension(plane, threshold=1 - 1e-9).min() == 3
    assert local_pca_dimension(plane, criterion="ratio", threshold=0.9).max() <= 2
    with pytest.raises(ValueError, match="no meaning"):
        local_pca_dimension(plane, criterion="participation", threshold=0.5)


def test_averages_of_dimensions():
    values = np.array([1.0, 2.0, 4.0, np.nan, 8.0, 32.0])
    assert aggregate_dimension(values) == pytest.approx(2048 ** (1 / 5), rel=1e-14)
    harmonic = 5 / (1 + 1 / 2 + 1 / 4 + 1 / 8 + 1 / 32)
    assert aggregate_dimension(values, "harmonic") == pytest.approx(harmonic)
    assert aggregate_dimension(values, "median") == 4.0
    assert aggregate_dimension(values, "mean") == pytest.approx(47 / 5)
    with pytest.raises(ValueError, match="all estimates are NaN"):
        aggregate_dimension([np.nan])
    with pytest.raises(ValueError, match="must be positive"):
        aggregate_dimension([1.0, 0.0])


def test_dimensions_of_a_circle_that_touches_a_sphere():
    rng = np.random.default_rng(0)
    t = rng.uniform(0.0, 2.0 * np.pi, 700)
    circle = np.column_stack([np.cos(t), np.sin(t), 0.0 * t])
    sphere = Sphere(2).random_point(700, random_state=0) + 2.0 * np.eye(3)[0]
    X = np.vstack([circle, sphere])
    far = np.linalg.norm(X - [1.0, 0.0, 0.0], axis=1) > 0.7
    for method in ("mle", "mom", "twonn", "pca"):
        found = local_intrinsic_dimension(X, method=method)
        assert found[:700][far[:700]].mean() == pytest.approx(1.0, abs=0.08)
        assert found[700:][far[700:]].mean() == pytest.approx(2.0, abs=0.1)
