"""Principal components of neighbourhoods."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone

from geolearn.decomposition import LocalPCA
from geolearn.decomposition import _local_pca_search as search
from geolearn.graph._neighbors import NeighborIndex

pytestmark = pytest.mark.kernels


def cloud(n=80, d=3, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def slow(X, q, *, k=None, radius=None, sigma=None):
    """Return mean, eigenvalues, vectors, n_eff and radius from the definition."""
    r = np.linalg.norm(X - q, axis=1)
    near = np.argsort(r, kind="stable")[:k]
    if radius is not None:
        near = near[r[near] <= radius]
    r = r[near]
    if sigma is None:
        w = np.ones(len(near))
    else:
        s = sigma if sigma > 0.0 else -sigma * r.max()
        w = np.exp(-0.5 * (r / s) ** 2)
    w /= w.sum()
    mean = w @ X[near]
    Z = X[near] - mean
    values, vectors = np.linalg.eigh(Z.T @ (w[:, None] * Z))
    return mean, values[::-1], vectors[:, ::-1].T, 1.0 / np.sum(w**2), r.max()


NEIGHBORHOODS = [
    ({"n_neighbors": 12}, {"k": 12}),
    ({"n_neighbors": None, "radius": 1.5}, {"radius": 1.5}),
    ({"n_neighbors": 9, "radius": 1.2}, {"k": 9, "radius": 1.2}),
    ({"n_neighbors": 12, "weights": "gaussian"}, {"k": 12, "sigma": -1.0 / 3.0}),
    (
        {"n_neighbors": None, "radius": 1.5, "weights": "gaussian"},
        {"radius": 1.5, "sigma": 0.5},
    ),
    (
        {"n_neighbors": 20, "weights": "gaussian", "bandwidth": 0.7},
        {"k": 20, "sigma": 0.7},
    ),
]


@pytest.mark.parametrize(("options", "plain"), NEIGHBORHOODS)
@pytest.mark.parametrize("d", [3, 12])  # a tree and blocks, Jacobi and LAPACK
def test_components_are_their_definition(options, plain, d):
    X = cloud(60, d) * (1.0 if d == 3 else 0.4)
    pca = LocalPCA(2, **options).fit(X)
    for i in range(0, 60, 7):
        mean, values, vectors, n_eff, radius = slow(X, X[i], **plain)
        np.testing.assert_allclose(pca.means_[i], mean, atol=1e-13)
        known = pca.eigenvalues_.shape[1]
        np.testing.assert_allclose(
            pca.eigenvalues_[i], np.maximum(values[:known], 0.0), atol=1e-12
        )
        np.testing.assert_allclose(pca.n_eff_[i], n_eff)
        np.testing.assert_allclose(pca.radii_[i], radius)
        rank = pca.ranks_[i]
        V = pca.components_[i, :rank]
        np.testing.assert_allclose(
            V.T @ V, vectors[:rank].T @ vectors[:rank], atol=1e-7
        )
        assert (V[np.arange(rank), np.abs(V).argmax(axis=1)] > 0.0).all()
        assert not pca.components_[i, rank:].any()
    q = cloud(3, d, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # empty neighbourhoods for d=12
        new = pca.local_pca(q)
    mean, values, *_ = slow(X, q[0], **plain) if new.n_eff[0] else (np.nan, np.nan)
    np.testing.assert_allclose(new.means[0], mean, atol=1e-13)


@pytest.mark.parametrize("n_neighbors", [5, 8])
def test_few_neighbours_of_many_features(n_neighbors):
    """Products of samples take the place of the covariance."""
    X = cloud(40, 30)
    pca = LocalPCA(3, n_neighbors=n_neighbors).fit(X)
    assert pca.eigenvalues_.shape == (40, n_neighbors)
    assert (pca.eigenvalues_[:, -1] == 0.0).all()  # centred
    for i in range(0, 40, 9):
        _, values, vectors, *_ = slow(X, X[i], k=n_neighbors)
        np.testing.assert_allclose(
            pca.eigenvalues_[i], values[:n_neighbors], atol=1e-12 * values[0]
        )
        V = pca.components_[i]
        np.testing.assert_allclose(V @ V.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(V.T @ V, vectors[:3].T @ vectors[:3], atol=1e-8)


def test_a_circle():
    """Equispaced: the arc of angle a has variance 1/2 + sin(2a)/4a - sinc(a)^2."""
    t = np.linspace(0.0, 2.0 * np.pi, 600, endpoint=False)
    X = np.column_stack([np.cos(t), np.sin(t)])
    pca = LocalPCA(n_neighbors=121).fit(X)
    a = 60.5 * t[1]
    along = 0.5 - np.sin(2 * a) / (4 * a)
    across = 0.5 + np.sin(2 * a) / (4 * a) - (np.sin(a) / a) ** 2
    np.testing.assert_allclose(pca.eigenvalues_, [[along, across]] * 600, rtol=2e-3)
    assert (pca.ranks_ == 1).all()
    tangent = np.column_stack([-np.sin(t), np.cos(t)])
    cosine = np.sum(pca.components_[:, 0] * tangent, axis=1)
    np.testing.assert_allclose(np.abs(cosine), 1.0, rtol=1e-12)


def test_gaussian_weights_on_a_circle():
    """Von Mises weights: Bessel functions give the moments."""
    from scipy.special import ive

    t = np.linspace(0.0, 2.0 * np.pi, 500, endpoint=False)
    X = np.column_stack([np.cos(t), np.sin(t)])
    rho, sigma = 1.1, 0.4
    pca = LocalPCA(1, n_neighbors=500, weights="gaussian", bandwidth=sigma).fit(X)
    local = pca.local_pca([[rho, 0.0]])
    kappa = rho / sigma**2
    first, second = ive(1, kappa) / ive(0, kappa), ive(2, kappa) / ive(0, kappa)
    np.testing.assert_allclose(local.means, [[first, 0.0]], atol=1e-13)
    expected = [[0.5 * (1.0 - second), 0.5 * (1.0 + second) - first**2]]
    np.testing.assert_allclose(local.eigenvalues, expected, rtol=1e-11)
    np.testing.assert_allclose(local.components, [[[0.0, 1.0]]], atol=1e-12)
    assert local.bandwidths[0] == sigma


def test_gaussian_weights_on_a_sphere():
    """The spectrum of section 6: A/kappa twice, then 1/kappa^2 - 1/sinh(kappa)^2."""
    n, sigma = 20_000, 0.3
    i = np.arange(n)
    z = 1.0 - 2.0 * (i + 0.5) / n
    angle = np.pi * (1.0 + np.sqrt(5.0)) * (i + 0.5)
    r = np.sqrt(1.0 - z**2)
    X = np.column_stack([r * np.cos(angle), r * np.sin(angle), z])
    # All samples, but of a few points only.
    near = search.Neighborhood(None, 2.1, True, sigma)
    index = NeighborIndex.build(X)
    local = search.components_in_blocks(index, X[5000:5003], near, "auto", 3, None)
    kappa = 1.0 / sigma**2
    A = 1.0 / np.tanh(kappa) - 1.0 / kappa
    expected = [A / kappa, A / kappa, kappa**-2 - np.sinh(kappa) ** -2]
    # The lattice integrates to six digits at a point of its own.
    np.testing.assert_allclose(local.eigenvalues, [expected] * 3, rtol=5e-6)
    assert (local.ranks == 2).all()


def surface(n, seed=0):
    X = np.random.default_rng(seed).standard_normal((n, 3))
    return X / np.linalg.norm(X, axis=1)[:, None]


def test_ranks():
    rng = np.random.default_rng(0)
    X = surface(800) + 0.02 * rng.standard_normal((800, 3))
    assert np.mean(LocalPCA().fit(X).ranks_ == 2) > 0.97
    wide = {"n_neighbors": None, "radius": 1.0, "weights": "gaussian"}
    assert np.mean(LocalPCA(bandwidth=0.25, **wide).fit(X).ranks_ == 2) > 0.97
    cube = rng.uniform(size=(500, 3))
    assert np.mean(LocalPCA().fit(cube).ranks_ == 3) > 0.9
    curve = np.outer(rng.uniform(size=200), np.ones(4))
    pca = LocalPCA().fit(curve)
    assert (pca.ranks_ == 1).all()
    assert pca.components_.shape == (200, 1, 4)
    scaled = LocalPCA().fit(1e-14 * X)
    np.testing.assert_array_equal(scaled.ranks_, LocalPCA().fit(X).ranks_)
    # The fewest components that explain more than the share.
    share = LocalPCA(0.9).fit(X)
    explained = np.cumsum(share.eigenvalues_, axis=1)
    explained /= explained[:, -1:]
    last = np.take_along_axis(explained, share.ranks_[:, None] - 1, 1)
    before = np.take_along_axis(
        np.column_stack([np.zeros(800), explained]), share.ranks_[:, None] - 1, 1
    )
    assert (last > 0.9).all()
    assert (before <= 0.9).all()


def test_the_largest_gap():
    """A tenth of the largest eigenvalue is added: 1.1/0.2 and 0.2/0.1 in row one."""
    lam = np.array([[1.0, 0.1, 0.0], [1.0, 0.9, 0.8], [0.0, 0.0, 0.0], [1.0, 0.5, 0.3]])
    np.testing.assert_array_equal(search.largest_gap(lam)[[0, 1, 3]], [1, 3, 3])


def test_bandwidths_of_uniform_weights():
    pca = LocalPCA(2, n_neighbors=20).fit(cloud())
    np.testing.assert_allclose(
        pca.bandwidths_, np.sqrt(pca.eigenvalues_[:, :2].mean(axis=1))
    )


def test_degenerate_neighbourhoods():
    X = np.concatenate([np.tile([1.0, 2.0, 3.0], (15, 1)), cloud(30) + 20.0])
    for weights in ("uniform", "gaussian"):
        pca = LocalPCA(2, n_neighbors=10, weights=weights).fit(X)
        assert (pca.eigenvalues_[:15] == 0.0).all()
        assert (pca.ranks_[:15] == 0).all()
        assert not pca.components_[:15].any()
        assert (pca.ranks_[15:] == 2).all()
        np.testing.assert_array_equal(pca.means_[:15], X[:15])
        assert np.isfinite(pca.bandwidths_).all()
    line = np.linspace(0.0, 1.0, 40)[:, None] * [1.0, 2.0, 2.0] + 1e9
    pca = LocalPCA(2, n_neighbors=8).fit(line)
    assert (pca.ranks_ == 1).all()  # the offset's rounding is no spread
    np.testing.assert_allclose(
        pca.components_[:, 0], [[1 / 3, 2 / 3, 2 / 3]] * 40, 1e-6
    )


def test_empty_neighbourhoods():
    pca = LocalPCA(n_neighbors=None, radius=0.8).fit(cloud())
    Q = np.array([[50.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 50.0, 0.0]])
    with pytest.warns(UserWarning, match=r"2 of 3 points, X\[0\].*radius=0.8") as seen:
        lam = pca.transform(Q)
    assert len(seen) == 1
    assert np.isnan(lam[[0, 2]]).all()
    assert np.isfinite(lam[1]).all()
    with pytest.warns(UserWarning, match="radius"):
        local = pca.local_pca(Q)
    np.testing.assert_array_equal(local.ranks[[0, 2]], 0)
    np.testing.assert_array_equal(local.n_eff[[0, 2]], 0.0)
    assert np.isnan(local.means[[0, 2]]).all()
    assert np.isnan(local.bandwidths[0])
    assert np.isnan(local.radii[0])
    assert not local.components[[0, 2]].any()


@pytest.mark.parametrize("k", ["auto", 2, 0.8])
def test_blocks_threads_rows_and_copies(monkeypatch, k):
    X = np.concatenate([cloud(60), 4.0 + cloud(60) * [1.0, 1.0, 0.0]])
    pca = LocalPCA(k, n_neighbors=9, n_jobs=2).fit(X)
    one = clone(pca).set_params(n_jobs=None).fit(X)
    monkeypatch.setattr(search, "_BLOCK", 50)
    parts = clone(pca).fit(X)
    copy = pickle.loads(pickle.dumps(pca))
    new = copy.local_pca(X)
    for name in search.LocalComponents._fields:
        whole = getattr(pca, name + "_")
        for other in (getattr(one, name + "_"), getattr(parts, name + "_")):
            np.testing.assert_array_equal(whole, other)
        np.testing.assert_array_equal(whole, getattr(new, name))
    np.testing.assert_array_equal(pca.transform(X), pca.eigenvalues_)
    order = np.random.default_rng(0).permutation(120)
    shuffled = clone(pca).fit(X[order])
    np.testing.assert_allclose(
        shuffled.eigenvalues_, pca.eigenvalues_[order], 1e-9, 1e-14
    )
    assert pca.fit_transform(X) is not pca.eigenvalues_
    with config_context(transform_output="pandas"):
        assert list(pca.transform(X).columns) == ["localpca0", "localpca1", "localpca2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 4}, "at most n_features=3"),
        ({"n_components": 3, "n_neighbors": 3}, "at least 4 neighbours"),
        ({"n_neighbors": None}, "set one of them"),
        ({"bandwidth": 1.0}, "weights='gaussian'"),
        ({"n_components": 1.5}, "n_components"),
        ({"radius": 0.0}, "radius"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        LocalPCA(**options).fit(cloud())


def test_more_neighbours_than_samples():
    with pytest.warns(UserWarning, match="n_neighbors=30 is above n_samples=10"):
        pca = LocalPCA().fit(cloud(10))
    assert pca.n_neighbors_ == 10
    np.testing.assert_allclose(pca.means_, [cloud(10).mean(axis=0)] * 10)
