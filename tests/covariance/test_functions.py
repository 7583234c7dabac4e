"""The functions of SPD geometry are calls of the manifold."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geolearn import covariance
from geolearn.covariance import (
    is_spd,
    nearest_spd,
    spd_distance,
    spd_exp,
    spd_geodesic,
    spd_inner,
    spd_kernel,
    spd_log,
    spd_mean,
    spd_pairwise_distances,
    spd_tangent,
    spd_transport,
    spd_untangent,
)
from geolearn.manifolds import SPD

X = SPD(3).random_normal(8, scale=0.3, random_state=0)
Y = SPD(3).random_normal(5, scale=0.3, random_state=1)
P, Q = X[:2]
V = SPD(3).random_tangent(P, scale=0.1, random_state=2)
CASES = [
    ("riemann", {}),
    ("log-euclidean", {"alpha": 2.0, "beta": 0.5}),
    ("wasserstein", {"power": 0.5}),
    ("logchol", {}),
    ("poweuclid", {"power": 0.3}),
]


@pytest.mark.parametrize(("metric", "params"), CASES)
def test_functions_equal_methods(metric, params):
    manifold = SPD(3, metric, **params)
    pairs = [
        (spd_distance(P, Y, metric, **params), manifold.dist(P, Y)),
        (spd_distance(P, Q, metric, True, **params), manifold.dist(P, Q) ** 2),
        (spd_pairwise_distances(X, Y, metric, **params), manifold.dist(X[:, None], Y)),
        (
            spd_pairwise_distances(X, metric=metric, squared=True, **params),
            manifold.pairwise_distances(X, squared=True),
        ),
        (
            spd_mean(X, metric, np.arange(8), **params),
            manifold.frechet_mean(X, np.arange(8)),
        ),
        (spd_log(P, Y, metric, **params), manifold.log(P, Y)),
        (spd_exp(P, V, metric, **params), manifold.exp(P, V)),
        (
            spd_geodesic(P, Q, [0.2, 0.7], metric, **params),
            manifold.geodesic(P, Q, [0.2, 0.7]),
        ),
        (spd_transport(P, Q, V, metric, **params), manifold.transport(P, Q, V)),
        (spd_inner(P, V, Y, metric, **params), manifold.inner(P, V, Y)),
        (spd_tangent(Y, P, metric, **params), manifold.log_vector(P, Y)),
    ]
    for actual, expected in pairs:
        assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
    vectors = spd_tangent(Y, P, metric, n_jobs=2, **params)
    assert_allclose(spd_untangent(vectors, P, metric, **params), Y, rtol=1e-9)


def test_functions_broadcast():
    assert spd_distance(X[:, None], Y[None]).shape == (8, 5)
    assert spd_distance(P, Q).shape == ()
    assert spd_geodesic(P, Q, np.linspace(0, 1, 4)).shape == (4, 3, 3)
    assert spd_tangent(X, X[::-1]).shape == (8, 6)
    assert spd_log(X, P).shape == (8, 3, 3)


def test_mean_reports():
    info = spd_mean(X, return_info=True, tol=1e-10)
    assert info.converged
    assert info.gradient_norm <= 1e-10
    again = spd_mean(X, init=info.mean, return_info=True)
    assert again.n_iter == 0
    with pytest.raises(ValueError, match="sample_weight"):
        spd_mean(X, sample_weight=-np.ones(8))


def test_inner_products_of_kernels():
    for name in ("affine_invariant", "bures_wasserstein", "log_euclidean"):
        expected = spd_inner(P, V, V, name)
        assert_allclose(spd_inner(P, V, V, kernel=name), expected, rtol=1e-11)
    actual = spd_inner(P, V, V, kernel=lambda x, y: x * y)
    assert_allclose(actual, spd_inner(P, V, V), rtol=1e-11)
    power = spd_inner(P, V, V, "power_euclidean", power=0.3)
    actual = spd_inner(P, V, V, kernel="power_euclidean", power=0.3)
    assert_allclose(actual, power, rtol=1e-11)
    with pytest.raises(ValueError, match="alpha has no meaning with kernel"):
        spd_inner(P, V, V, kernel="euclidean", alpha=2.0)


def test_linear_kernel():
    reference = spd_mean(X)
    K = spd_kernel(X, Y)
    root = np.linalg.inv(np.linalg.cholesky(reference))

    def logs(Z):
        values, vectors = np.linalg.eigh(root @ Z @ root.T)
        return (vectors * np.log(values)[:, None]) @ np.swapaxes(vectors, 1, 2)

    expected = np.einsum("aij,bij->ab", logs(X), logs(Y))
    assert_allclose(K, expected, rtol=1e-8, atol=1e-10)
    assert_allclose(spd_kernel(X, Y, reference=reference), K, rtol=1e-12)
    own = spd_kernel(X, metric="log_euclidean")
    assert np.linalg.eigvalsh(own)[0] > -1e-12
    assert_allclose(own.sum(axis=0), 0.0, atol=1e-10)  # centred at the mean


def test_gaussian_kernel():
    for metric in ("log_euclidean", "stein", "affine_invariant"):
        squares = spd_pairwise_distances(X, Y, metric, squared=True)
        K = spd_kernel(X, Y, "gaussian", metric, gamma=0.7)
        assert_allclose(K, np.exp(-0.7 * squares), rtol=1e-12)
        default = spd_kernel(X, Y, "gaussian", metric)
        assert_allclose(default, np.exp(-squares / 6), rtol=1e-12)
    K = spd_kernel(X, kind="gaussian", metric="log_euclidean", gamma=3.0)
    assert np.linalg.eigvalsh(K)[0] > 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cubic"}, "kind='cubic' must be 'linear' or 'gaussian'"),
        ({"gamma": 1.0}, "gamma=1.0 has no meaning"),
        ({"kind": "gaussian", "reference": P}, "reference has no meaning"),
        ({"kind": "gaussian", "gamma": -1.0}, "gamma must be positive"),
        ({"metric": "stein"}, "has no logarithm"),
    ],
)
def test_kernel_parameters_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        spd_kernel(X, **options)


def test_positive_definiteness():
    stack = np.stack([P, np.ones((3, 3)), -P, np.triu(P), np.full((3, 3), np.nan)])
    assert is_spd(stack).tolist() == [True, False, False, False, False]
    assert is_spd(P) == True  # noqa: E712  # a NumPy bool
    assert is_spd(1e-29 * P)
    assert is_spd(nearest_spd(stack[:4])).all()


def test_nearest():
    assert np.array_equal(nearest_spd(P), P)
    skewed = np.array([[2.0, 1.0], [0.0, 2.0]])
    assert_allclose(nearest_spd(skewed), [[2.0, 0.5], [0.5, 2.0]])
    rng = np.random.default_rng(0)
    A = rng.standard_normal((5, 4, 4))
    near = nearest_spd(A, eps=1e-3)
    values, vectors = np.linalg.eigh((A + np.swapaxes(A, 1, 2)) / 2)
    floor = 1e-3 * np.abs(values).max(axis=1, keepdims=True)
    raised = np.maximum(values, floor)
    expected = (vectors * raised[:, None]) @ np.swapaxes(vectors, 1, 2)
    assert_allclose(near, expected, atol=1e-13)
    assert_allclose(nearest_spd(near, eps=1e-3), near, rtol=1e-12)
    for eps in (0.0, 2.0):
        with pytest.raises(ValueError, match="eps"):
            nearest_spd(P, eps)


@pytest.mark.parametrize("function", [spd_mean, is_spd, nearest_spd, spd_kernel])
def test_wrong_shapes(function):
    with pytest.raises(ValueError, match="expected square matrices"):
        function(np.ones((4, 3, 2)))


def test_unknown_metric_and_parameter():
    with pytest.raises(ValueError, match="known names"):
        spd_distance(P, Q, "nonsense")
    with pytest.raises(TypeError, match="nonsense"):
        spd_distance(P, Q, nonsense=1)


def test_all_functions_are_exported():
    named = [
        n for n in covariance.__all__ if n.startswith("spd_") or n.endswith("_spd")
    ]
    assert len(named) == 13
    assert all(inspect.isfunction(getattr(covariance, name)) for name in named)


def test_asymmetric_matrices_are_refused_not_read_by_half():
    # A factorisation reads one triangle: the distance of Z and P was 0.
    Z, tilted = P.copy(), V.copy()
    Z[0, 1] += 0.1
    tilted[0, 1] += 0.1
    pair = np.stack([P, Z])
    for call in (
        lambda: spd_distance(P, Z),
        lambda: spd_pairwise_distances(X, pair),
        lambda: spd_mean(pair),
        lambda: spd_log(Z, P),
        lambda: spd_exp(P, tilted),
        lambda: spd_geodesic(P, Z, 0.5),
        lambda: spd_transport(P, Q, tilted),
        lambda: spd_inner(P, V, tilted),
        lambda: spd_inner(Z, V, V, kernel="affine_invariant"),
        lambda: spd_tangent(pair, Q),
        lambda: spd_untangent(np.zeros(6), Z),
        lambda: spd_kernel(X, reference=Z),
    ):
        with pytest.raises(ValueError, match="not symmetric: entries differ"):
            call()
    with pytest.raises(ValueError, match="B is complex"):
        spd_distance(P, Q + 0j)


def test_rounding_of_the_input_is_symmetrised():
    Z = P.copy()
    Z[0, 1] *= 1.0 + 1e-12
    assert_allclose(spd_distance(Z, Q), spd_distance(Z.T, Q), rtol=1e-15)
    assert Z[0, 1] != Z[1, 0]
