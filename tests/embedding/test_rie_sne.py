"""What RieSNE finds: structure, attributes, invariances, methods."""

import logging

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import pdist
from sklearn.base import clone

from geolearn.embedding import RieSNE, sne_objective
from geolearn.embedding._rie_sne_fft import Watch
from geolearn.embedding._sne_optimizer import Schedule
from geolearn.graph import brownian_affinities
from geolearn.manifolds import (
    SPD,
    Hyperboloid,
    Manifold,
    PoincareBall,
    ProductManifold,
    Sphere,
    Torus,
    hyperboloid_to_poincare,
)

QUICK = {"perplexity": 6.0, "max_iter": 80, "early_exaggeration_iter": 40}
TARGETS = ["euclidean", "sphere", "hyperboloid"]


def clusters(manifold, n_each=15, *, scale=0.15, seed=0):
    """Return points around three random centres, and their labels."""
    centres = manifold.random_normal(3, scale=7.0 * scale, random_state=seed)
    centres = np.repeat(centres, n_each, axis=0)
    X = manifold.exp(
        centres, manifold.random_tangent(centres, scale=scale, random_state=seed)
    )
    return manifold.project(X), np.repeat(np.arange(3), n_each)


def nearest_label_agreement(D, y):
    D = D + np.diag(np.full(len(D), np.inf))
    return np.mean(y[D.argmin(axis=1)] == y)


def distances(sne):
    return sne.target_manifold_.pairwise_distances(sne.embedding_)


DATA = [
    Sphere(5),
    Hyperboloid(4),
    PoincareBall(3),
    SPD(3),
    SPD(3, "bures_wasserstein"),
    Torus(3),
    ProductManifold([Sphere(2), Hyperboloid(2)]),
]


@pytest.mark.parametrize("manifold", DATA, ids=repr)
def test_clusters_of_any_manifold_stay_together(manifold):
    scale = 0.02 if "bures" in repr(manifold) else 0.15
    X, y = clusters(manifold, scale=scale)
    sne = RieSNE(manifold, random_state=0, **QUICK).fit(X)
    assert sne.embedding_.shape == (45, 2)
    assert nearest_label_agreement(distances(sne), y) == 1.0


@pytest.mark.parametrize("target", [*TARGETS, SPD(2), Torus(2), Sphere(3)], ids=repr)
@pytest.mark.parametrize("init", ["pca", "random"])
def test_clusters_on_any_target_stay_together(target, init):
    X, y = clusters(Sphere(5))
    sne = RieSNE(Sphere(5), target=target, init=init, random_state=0, **QUICK).fit(X)
    sne.target_manifold_.check_points(sne.embedding_, atol=1e-9)
    assert nearest_label_agreement(distances(sne), y) > 0.95


@pytest.mark.parametrize("target", TARGETS)
def test_attributes_agree_with_the_public_functions(target):
    manifold = Sphere(4)
    X, _ = clusters(manifold)
    sne = RieSNE(manifold, target=target, random_state=0, **QUICK).fit(X)
    P = brownian_affinities(X, manifold, perplexity=6.0)
    assert sparse.issparse(sne.affinities_)
    np.testing.assert_allclose(sne.affinities_.toarray(), P.joint, atol=1e-9)
    assert sne.affinities_.sum() == pytest.approx(1.0, abs=1e-12)
    # the estimator has projected the points once more
    np.testing.assert_allclose(sne.diffusion_time_, P.diffusion_time, rtol=1e-9)
    assert sne.volume_correction_ == P.volume_correction
    kernel = "student_chordal" if target == "sphere" else "student"
    kl, _, _ = sne_objective(
        sne.embedding_,
        sne.affinities_,
        target=target,
        kernel=kernel,
        scale=sne.kernel_scale_,
    )
    assert sne.kl_divergence_ == pytest.approx(kl, rel=1e-10)
    assert (sne.n_iter_, sne.method_, sne.n_samples_fit_) == (80, "exact", 45)
    assert isinstance(sne.target_manifold_, Manifold)


def test_scales_of_the_kernel():
    X, _ = clusters(Sphere(4))

    def scale(**options):
        return (
            RieSNE(Sphere(4), random_state=0, **QUICK, **options).fit(X).kernel_scale_
        )

    assert scale() == 1.0
    assert scale(target="hyperboloid") == 0.1
    assert scale(target="sphere") < 0.9
    assert scale(target="sphere", kernel_scale=0.5) == 0.5
    assert scale(target="sphere", kernel="vmf", kernel_scale=1.0) == 1.0
    assert scale(target="hyperboloid", kernel_scale="learn") != 0.1


# A prime number of rows, so that the last block is short.
@pytest.mark.parametrize("target", TARGETS)
def test_threads_do_not_change_a_bit(target):
    X, _ = clusters(Hyperboloid(3), 13)
    one, two = (
        RieSNE(Hyperboloid(3), target=target, random_state=0, n_jobs=k, **QUICK).fit(X)
        for k in (1, 2)
    )
    np.testing.assert_array_equal(one.embedding_, two.embedding_)
    new = Hyperboloid(3).random_normal(7, scale=0.3, random_state=1)
    np.testing.assert_array_equal(one.transform(new), two.transform(new))


def test_the_seed_decides_random_starts():
    X, _ = clusters(Sphere(3))
    fits = [
        RieSNE(Sphere(3), init="random", random_state=s, **QUICK).fit_transform(X)
        for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert np.abs(fits[0] - fits[2]).max() > 0.1


def few(manifold, X, **options):
    """Return distances in an embedding of few steps, before rounding has grown."""
    settings = {"perplexity": 6.0, "max_iter": 20, "early_exaggeration_iter": 10}
    return distances(RieSNE(manifold, random_state=0, **settings, **options).fit(X))


@pytest.mark.parametrize("target", ["euclidean", "sphere"])
def test_rotated_data_give_the_same_shape(target):
    X, _ = clusters(Sphere(3))
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    first, second = (few(Sphere(3), Z, target=target) for Z in (X, X @ Q))
    np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-9)


def test_congruent_and_inverted_matrices_give_the_same_shape():
    X, _ = clusters(SPD(3))
    A = np.random.default_rng(0).normal(size=(3, 3)) + 2 * np.eye(3)
    first = few(SPD(3), X)
    for Z in (A @ X @ A.T, np.linalg.inv(X)):
        Z = (Z + np.swapaxes(Z, 1, 2)) / 2
        np.testing.assert_allclose(few(SPD(3), Z), first, rtol=1e-4, atol=1e-9)


def test_models_of_hyperbolic_space_give_the_same_shape():
    X, _ = clusters(Hyperboloid(3))
    first, second = (
        few(Hyperboloid(3), X),
        few(PoincareBall(3), hyperboloid_to_poincare(X)),
    )
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_units_do_not_matter(factor):
    X, _ = clusters(Sphere(3))
    first, second = few("euclidean", X), few("euclidean", factor * X)
    np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-9)


def test_order_of_samples_does_not_matter():
    X, _ = clusters(Sphere(3))
    order = np.random.default_rng(0).permutation(len(X))
    first, second = few(Sphere(3), X), few(Sphere(3), X[order])
    np.testing.assert_allclose(
        second, first[np.ix_(order, order)], rtol=1e-6, atol=1e-9
    )


def test_given_distances_and_densities_are_those_of_the_points():
    manifold = Sphere(3)
    X, _ = clusters(manifold)
    D, L = manifold.pairwise_distances(X, return_log_volume=True)
    start = np.random.default_rng(0).normal(size=(45, 2))
    points = RieSNE(manifold, init=start, **QUICK).fit(X)
    given = RieSNE("precomputed", init=start, **QUICK).fit(D, log_volume_density=L)
    assert given.volume_correction_ == "parametrix"
    np.testing.assert_allclose(
        given.affinities_.toarray(), points.affinities_.toarray()
    )
    without = RieSNE("precomputed", init=start, **QUICK).fit(D)
    assert without.volume_correction_ == "none"
    flat = RieSNE(manifold, init=start, volume_correction="none", **QUICK).fit(X)
    np.testing.assert_allclose(
        without.affinities_.toarray(), flat.affinities_.toarray()
    )


def test_fallback_of_the_correction_is_warned_of_and_recorded():
    X = SPD(6).random_normal(40, scale=3.0, random_state=0)
    settings = QUICK | {"perplexity": 25.0}
    with pytest.warns(UserWarning, match=r"unattainable for \d+ of 40 points \(dim"):
        sne = RieSNE("spd", random_state=0, **settings).fit(X)
    assert sne.volume_correction_ == "none"


@pytest.mark.parametrize("target", ["euclidean", "sphere"])
def test_tree_and_exact_sums_find_the_same_layout(target):
    X, _ = clusters(Sphere(4), 20)
    start = RieSNE(Sphere(4), target=target, random_state=0, **QUICK).fit(X).embedding_
    settings = QUICK | {"max_iter": 10, "early_exaggeration_iter": 0}
    exact, tree, zero = (
        RieSNE(Sphere(4), target=target, init=start, method=m, angle=a, **settings).fit(
            X
        )
        for m, a in (("exact", 0.5), ("barnes_hut", 0.2), ("barnes_hut", 0.0))
    )
    assert tree.method_ == "barnes_hut"
    np.testing.assert_allclose(zero.embedding_, exact.embedding_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(tree.embedding_, exact.embedding_, atol=0.2)
    assert tree.kl_divergence_ == pytest.approx(exact.kl_divergence_, abs=0.01)


@pytest.fixture(scope="module")
def fft():
    """Return a layout of openTSNE, which takes 10 ms an iteration at least."""
    pytest.importorskip("openTSNE")
    X, y = clusters(Sphere(4), 25)
    options = {"max_iter": 200, "early_exaggeration_iter": 100, "perplexity": 6.0}
    return RieSNE(Sphere(4), method="fft", n_jobs=1, **options).fit(X), X, y


def test_fft_is_as_good_as_exact_sums(fft):
    sne, X, y = fft
    exact = clone(sne).set_params(method="exact").fit(X)
    assert (sne.method_, sne.n_iter_) == ("fft", 200)
    assert nearest_label_agreement(distances(sne), y) == 1.0
    assert sne.kl_divergence_ == pytest.approx(exact.kl_divergence_, abs=0.1)
    assert sne.transform(X[:2]).shape == (2, 2)


def test_fft_reports_the_divergence_of_the_others(fft):
    kl = sne_objective(fft[0].embedding_, fft[0].affinities_).kl
    assert fft[0].kl_divergence_ == pytest.approx(kl, abs=1e-3)


def test_fft_stops_without_progress():
    watch = Watch(Schedule(n_iter_without_progress=100), lambda *args: None)
    assert not any(watch(i, 1.0, None) for i in (50, 100, 150, 200, 250))
    watch.end(260)
    assert watch.n_iter == 260
    watch.begin_plain()
    errors = [3.0, 2.0, 2.0, 2.0, 2.0]
    stops = [watch(50 * (i + 1), e, None) for i, e in enumerate(errors)]
    assert stops == [False, False, False, False, True]
    watch.end(1000)
    assert watch.n_iter == 510


def test_fft_without_openTSNE_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"geolearn\[opentsne\]"):
        RieSNE(method="fft", **QUICK).fit(np.random.default_rng(0).normal(size=(20, 3)))


def test_duplicates_are_embedded():
    X, _ = clusters(Sphere(3))
    X[:10] = X[0]
    Y = RieSNE(Sphere(3), random_state=0, **QUICK).fit_transform(X)
    assert np.isfinite(Y).all()
    assert pdist(Y[:10]).max() < 0.5 * pdist(Y).max()


def test_data_on_a_line_leave_the_line():
    """The second principal coordinate is rounding; the start fills it with noise."""
    X = np.linspace(0.0, 1.0, 30)[:, None] @ [[1.0, 2.0]]
    Y = RieSNE(random_state=0, **QUICK).fit_transform(X)
    assert np.linalg.matrix_rank(Y, tol=1e-3) == 2


def test_coordinates_to_draw():
    X, _ = clusters(Sphere(4))

    def fitted(**options):
        return RieSNE(Sphere(4), random_state=0, **QUICK, **options).fit(X)

    plane = fitted()
    np.testing.assert_array_equal(plane.embedding_coordinates(), plane.embedding_)
    sphere = fitted(target="sphere")
    longitude, latitude = sphere.embedding_coordinates().T
    again = np.stack(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ],
        axis=1,
    )
    np.testing.assert_allclose(again, sphere.embedding_, atol=1e-12)
    np.testing.assert_allclose(
        sphere.embedding_coordinates([[0.0, 0.6, 0.8]]), [[np.pi / 2, np.arcsin(0.8)]]
    )
    disk = fitted(target="hyperboloid")
    np.testing.assert_allclose(
        disk.embedding_coordinates(), hyperboloid_to_poincare(disk.embedding_)
    )
    circle = fitted(target="sphere", n_components=1)
    assert circle.embedding_coordinates().shape == (45, 1)
    with pytest.raises(ValueError, match="no coordinates to draw"):
        fitted(target="sphere", n_components=3).embedding_coordinates()


def test_verbose_logs(caplog):
    X, _ = clusters(Sphere(3))
    with caplog.at_level(logging.INFO, logger="geolearn"):
        RieSNE(Sphere(3), random_state=0, verbose=1, **QUICK).fit(X)
    assert "iteration   50, KL" in caplog.text
