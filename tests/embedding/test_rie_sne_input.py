"""What RieSNE refuses, and in which words."""

import numpy as np
import pytest

from geolearn.embedding import RieSNE
from geolearn.embedding._rie_sne_input import choose_method, choose_target
from geolearn.manifolds import SPD, Hyperboloid, Sphere

QUICK = {"perplexity": 3.0, "max_iter": 5, "early_exaggeration_iter": 2}


def points(n=20, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def on_sphere(n=20):
    return Sphere(2).random_point(n, random_state=0)


def refused(match, X, *, error=ValueError, manifold="euclidean", **options):
    with pytest.raises(error, match=match):
        RieSNE(manifold, **(QUICK | options)).fit(X)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_and_infinite_values(value):
    X = points()
    X[3, 1] = value
    refused(r"NaN or infinity.*X\[3\]", X)


def test_points_off_the_manifold():
    X = on_sphere()
    X[4] *= 1.5
    refused(r"X\[4\] is not on Sphere\(2\): it is off by 5.0e-01", X, manifold="sphere")


def test_matrices_that_are_not_positive_definite():
    X = np.tile(np.eye(3), (20, 1, 1)) * np.arange(1, 21)[:, None, None]
    X[2, 0, 0] = -1.0
    refused("matrix 2 is not positive definite", X, manifold="spd")


def test_wrong_shapes():
    refused("point_shape", on_sphere(), manifold=Sphere(5))
    refused("square matrices", points(), manifold="spd")
    refused("manifold='spd'", np.tile(np.eye(3), (20, 1, 1)))
    refused("Unknown manifold 'torsu'", points(), manifold="torsu")


@pytest.mark.parametrize("perplexity", [20.0, 19.0, 1.0, 0.0, -3.0])
def test_perplexity_out_of_range(perplexity):
    words = r"must be greater than 1 and less than the number of neighbours \(19\)"
    refused(rf"perplexity \({perplexity}\) {words}", points(), perplexity=perplexity)


def test_perplexity_above_the_number_of_neighbours_given():
    match = r"perplexity \(8.0\) .* number of neighbours \(7\)"
    refused(match, points(), perplexity=8.0, n_neighbors=7)


def test_too_few_samples():
    refused("minimum of 4 is required", points(3), perplexity=2.0)
    RieSNE(**(QUICK | {"perplexity": 1.5})).fit(points(4))


def test_identical_samples():
    refused("all pairwise distances are zero", np.ones((20, 3)))


def test_given_distances_are_checked():
    D = np.abs(np.subtract.outer(np.arange(20.0), np.arange(20.0)))
    precomputed = {"manifold": "precomputed"}
    refused("square", D[:, :10], **precomputed)
    refused("symmetric", np.triu(D), **precomputed)
    refused("Negative", -D, **precomputed)
    refused("0; pass distances", D + np.eye(20), **precomputed)
    bad = D.copy()
    bad[0, 1] = bad[1, 0] = np.inf
    refused("infinity", bad, **precomputed)


def test_densities_go_with_given_distances():
    with pytest.raises(ValueError, match="precomputed"):
        RieSNE(**QUICK).fit(points(), log_volume_density=np.zeros((20, 20)))
    D = Sphere(2).pairwise_distances(on_sphere())
    with pytest.raises(ValueError, match="shape"):
        RieSNE("precomputed", **QUICK).fit(D, log_volume_density=np.zeros((3, 3)))
    sne = RieSNE("precomputed", volume_correction="parametrix", **QUICK)
    with pytest.raises(ValueError, match="log_volume_density"):
        sne.fit(D)
    sne.fit(D, log_volume_density=np.zeros((20, 20)))
    with pytest.raises(ValueError, match="log_volume_density"):
        sne.transform(D[:3])
    with pytest.raises(ValueError, match="features"):
        sne.transform(D[:3, :5])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kernel": "vmf"}, "not defined on the target Euclidean"),
        ({"kernel": "vmf", "target": "hyperboloid"}, "'brownian'"),
        ({"kernel": "brownian", "target": SPD(2)}, r"\['student'\]"),
        ({"target": Sphere(2, radius=2.0)}, "radius 1"),
        ({"target": Hyperboloid(2, curvature=-2.0)}, "curvature -1"),
        ({"method": "barnes_hut", "target": "hyperboloid"}, "method='exact'"),
        ({"method": "barnes_hut", "n_components": 4}, "method='exact'"),
        ({"method": "fft", "target": "sphere"}, "method='auto'"),
        ({"method": "fft", "n_components": 3}, "method='auto'"),
        ({"method": "fft", "kernel_scale": 2.0}, "method='auto'"),
        ({"init": np.zeros((7, 2))}, "init has 7 points, but X has 20"),
        ({"init": np.zeros((20, 3))}, "init has shape"),
        ({"init": np.ones((20, 3)), "target": "sphere"}, r"init\[0\] is not on"),
    ],
)
def test_options_that_do_not_go_together(options, match):
    refused(match, points(), **options)


def test_a_given_start_is_not_modified():
    start = points(20, 2)
    before = start.copy()
    RieSNE(init=start, **QUICK).fit(points())
    np.testing.assert_array_equal(start, before)


@pytest.mark.parametrize(
    ("target", "n", "method"),
    [
        ("euclidean", 5000, "exact"),
        ("euclidean", 5001, "barnes_hut"),
        ("sphere", 5001, "barnes_hut"),
        ("sphere", 100_000, "barnes_hut"),
        ("hyperboloid", 5001, "exact"),
        (SPD(2), 5001, "exact"),
        ("euclidean", 10**6, "barnes_hut"),
    ],
)
def test_automatic_method_without_openTSNE(target, n, method, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert choose_method("auto", choose_target(target, 2, "auto", "auto"), n) == method


def test_automatic_method_with_openTSNE(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    plane, space, sphere = (
        choose_target(target, dim, "auto", "auto")
        for target, dim in (("euclidean", 2), ("euclidean", 3), ("sphere", 2))
    )
    assert choose_method("auto", plane, 20_000) == "barnes_hut"
    assert choose_method("auto", plane, 20_001) == "fft"
    assert choose_method("auto", space, 20_001) == "barnes_hut"
    assert choose_method("auto", sphere, 20_001) == "barnes_hut"


@pytest.mark.parametrize("target", ["sphere", "hyperboloid"])
def test_too_many_samples_for_curved_targets_are_refused_unless_a_method_is_named(
    target,
):
    chosen = choose_target(target, 2, "auto", "auto")
    with pytest.raises(ValueError, match="random subset"):
        choose_method("auto", chosen, 100_001)
    assert choose_method("exact", chosen, 100_001) == "exact"


@pytest.mark.parametrize("manifold", ["spd", "planar_shapes", "sphere"])
def test_tags_say_whether_samples_have_two_axes(manifold):
    tags = RieSNE(manifold).__sklearn_tags__().input_tags
    assert tags.three_d_array == (manifold != "sphere")
    assert tags.two_d_array == (manifold == "sphere")
