"""Families of SPD metrics, their names and parameters."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.base import clone

from geolearn import manifolds
from geolearn.manifolds import SPD, Sphere, get_manifold
from geolearn.manifolds.spd import kernel_inner
from geolearn.manifolds.spd._names import ALIASES, METRICS
from tests.manifolds.spd_cases import (
    COMPLETE,
    cloud,
    seeds,
)
from tests.reference import spd as reference

# Families.


@seeds
@given(seed=st.integers(0, 2**31), beta=st.floats(-0.2, 3.0))
def test_trace_family(seed, beta):
    P, Q = cloud(2, 4, seed)
    alpha = 1.5
    mu = np.array([float(m) for m in reference.log_eigenvalues(P, Q)])
    expected = np.sqrt(alpha * np.sum(mu**2) + beta * np.sum(mu) ** 2)
    manifold = SPD(4, alpha=alpha, beta=beta)
    assert_allclose(manifold.dist(P, Q), expected, rtol=1e-11)
    assert_allclose(np.linalg.norm(manifold.log_vector(P, Q)), expected, rtol=1e-11)
    assert_allclose(manifold.norm(P, manifold.log(P, Q)), expected, rtol=1e-11)
    assert_allclose(manifold.exp_vector(P, manifold.log_vector(P, Q)), Q, 1e-9, 1e-11)
    flat = SPD(4, "log_euclidean", alpha=alpha, beta=beta)
    S = reference.spectral(np.log, Q) - reference.spectral(np.log, P)
    expected = np.sqrt(alpha * np.sum(S**2) + beta * np.trace(S) ** 2)
    assert_allclose(flat.dist(P, Q), expected, rtol=1e-11)
    assert_allclose(flat.norm(P, flat.log(P, Q)), expected, rtol=1e-10)


@pytest.mark.parametrize("theta", [-1.0, -0.5, 0.5, 2.0])
@pytest.mark.parametrize(
    "metric", ["affine_invariant", "log_cholesky", "bures_wasserstein"]
)
def test_power_deformation(metric, theta):
    matrices = cloud(5, 3, scale=0.2)
    powers = np.stack([reference.spectral(lambda a: a**theta, M) for M in matrices])
    base, manifold = SPD(3, metric), SPD(3, metric, power=theta)
    P, Q = matrices[:2]
    expected = base.dist(powers[0], powers[1]) / abs(theta)
    assert_allclose(manifold.dist(P, Q), expected, rtol=1e-11)
    assert_allclose(np.linalg.norm(manifold.log_vector(P, Q)), expected, rtol=1e-11)
    assert_allclose(manifold.exp(P, manifold.log(P, Q)), Q, rtol=1e-9, atol=1e-10)
    mean = manifold.frechet_mean(matrices, tol=1e-11)
    inner = base.frechet_mean(powers, tol=1e-12)
    expected = reference.spectral(lambda a: a ** (1 / theta), inner)
    assert_allclose(mean, expected, rtol=1e-9, atol=1e-10)
    table = manifold.pairwise_distances(matrices, squared=True)
    assert_allclose(table[0, 1], manifold.dist(P, Q) ** 2, rtol=1e-10)


def test_small_powers_tend_to_log_euclidean():
    P, Q = cloud(2, 3)
    expected = SPD(3, "log_euclidean").dist(P, Q)
    for metric, factor in {
        "affine_invariant": 1.0,
        "power_euclidean": 1.0,
        "bures_wasserstein": 0.5,
    }.items():
        errors = [
            abs(SPD(3, metric, power=theta).dist(P, Q) - factor * expected)
            for theta in (0.1, 0.01)
        ]
        assert errors[1] < 0.11 * errors[0] < 0.1 * expected


def test_metric_matrix_is_a_congruence():
    G = cloud(1, 3, seed=7)[0]
    P, Q = cloud(2, 3)
    root = reference.spectral(lambda a: a**-0.5, G)
    plain, manifold = (
        SPD(3, "bures_wasserstein"),
        SPD(3, "bures_wasserstein", metric_matrix=G),
    )
    whitened = [root @ M @ root for M in (P, Q)]
    assert_allclose(manifold.dist(P, Q), plain.dist(*whitened), rtol=1e-12)
    w = manifold.log_vector(P, Q)
    assert_allclose(np.abs(w), np.abs(plain.log_vector(*whitened)), rtol=1e-9)
    identity = SPD(3, "bures_wasserstein", metric_matrix=np.eye(3))
    assert_allclose(identity.dist(P, Q), plain.dist(P, Q), rtol=1e-13)


@pytest.mark.parametrize(
    ("kernel", "manifold"),
    [
        ("affine_invariant", SPD(3)),
        ("polar_affine", SPD(3, "polar_affine")),
        ("bures_wasserstein", SPD(3, "bures_wasserstein")),
        ("log_euclidean", SPD(3, "log_euclidean")),
        ("euclidean", SPD(3, "euclidean")),
        (("power_euclidean", 0.7), SPD(3, "power_euclidean", power=0.7)),
        (("power_affine", 0.7), SPD(3, power=0.7)),
        ("bogoliubov_kubo_mori", SPD(3, "bkm")),
    ],
    ids=repr,
)
def test_kernel_metrics_contain_the_named_ones(kernel, manifold):
    name, power = kernel if isinstance(kernel, tuple) else (kernel, None)
    P = cloud(4, 3)
    U, V = (manifold.random_tangent(P, random_state=k) for k in (0, 1))
    expected = manifold.inner(P, U, V)
    assert_allclose(kernel_inner(P, U, V, name, power=power), expected, rtol=1e-10)


def test_kernel_metrics_by_definition():
    P = cloud(1, 3)[0]
    U, V = np.diag([1.0, 2.0, 3.0]), np.ones((3, 3))
    # Bogoliubov-Kubo-Mori is the Hessian of tr(A log A): <U, V> = tr(Dlog[U] V)
    expected = np.sum(reference.differential(np.log, P, U) * V)
    bkm = SPD(3, "bogoliubov-kubo-mori")
    assert_allclose(bkm.inner(P, U, V), expected, rtol=1e-8)
    assert_allclose(bkm.norm(P, U) ** 2, bkm.inner(P, U, U), rtol=1e-13)
    w = bkm.tangent_to_vector(P, U)
    assert_allclose(bkm.vector_to_tangent(P, w), U, atol=1e-13)
    custom = kernel_inner(P, U, V, lambda x, y: np.sqrt(x * y))
    values, vectors = np.linalg.eigh(P)
    rotated = [vectors.T @ W @ vectors for W in (U, V)]
    expected = np.sum(rotated[0] * rotated[1] / np.sqrt(np.outer(values, values)))
    assert_allclose(custom, expected, rtol=1e-12)
    pulled = reference.pulled_back(np.log, P, U, V)
    assert_allclose(kernel_inner(P, U, V, "logeuclid"), pulled, rtol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "kernel='nonsense' is not known"),
        (("power_affine",), "needs power"),
        ((lambda x, y: x - y,), "positive"),
    ],
)
def test_kernels_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        kernel_inner(np.eye(2), np.eye(2), np.eye(2), *arguments)


def test_kernel_refuses_a_power_of_no_use():
    with pytest.raises(ValueError, match="power has no meaning"):
        kernel_inner(np.eye(2), np.eye(2), np.eye(2), "euclidean", power=2.0)
    with pytest.raises(TypeError, match="name or a function"):
        kernel_inner(np.eye(2), np.eye(2), np.eye(2), 3)


# Names and parameters.


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases_name_equal_objects(alias):
    name = ALIASES[alias]
    assert SPD(3, alias) == SPD(3, name) == SPD(3, name.replace("_", "-"))
    assert hash(SPD(3, alias)) == hash(SPD(3, name))


def test_members_of_families_are_equal_objects():
    assert SPD(2, "harmonic") == SPD(2, "power_euclidean", power=-1)
    assert SPD(2, "polar_affine") == SPD(2, power=2.0)
    assert SPD(2, power=1.0) == SPD(2)
    assert SPD(2, "power_euclidean") == SPD(2, "poweuclid", power=0.5)


VALUES = [
    SPD(3),
    SPD(3, "log_euclidean", alpha=2.0, beta=-0.1),
    SPD(2, "bures_wasserstein", power=0.5, metric_matrix=np.diag([1.0, 0.1])),
    SPD(2, "stein"),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_value_semantics(value):
    assert eval(repr(value), vars(manifolds)) == value
    for same in (copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert same == value
        assert hash(same) == hash(value)
    value.dist(np.eye(value.n), 2 * np.eye(value.n))
    assert pickle.loads(pickle.dumps(value)) == value
    assert clone(value) is value
    assert type(value)(**value.get_params()) == value
    assert value.set_params(**value.get_params()) is value
    with pytest.raises(AttributeError, match="immutable"):
        value.metric = "stein"
    assert len(set(VALUES)) == len(VALUES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "nonsense"}, "known names are affine_invariant"),
        ({"alpha": 0.0}, "alpha must be positive"),
        ({"beta": -0.5}, "beta=-0.5 must be above -alpha / n = -0.5"),
        ({"metric": "stein", "alpha": 2.0}, "alpha has no meaning for metric='stein'"),
        ({"metric": "euclid", "beta": 0.1}, "beta has no meaning for metric='euclid'"),
        ({"metric": "log_euclidean", "power": 2.0}, "power has no meaning"),
        ({"metric": "harmonic", "power": 2.0}, "power has no meaning"),
        ({"metric": "power_euclidean", "power": 0}, "metric='log_euclidean'"),
        ({"power": float("nan")}, "power must be finite"),
        ({"metric_matrix": np.eye(2)}, "metric_matrix has no meaning"),
        ({"metric": "wasserstein", "metric_matrix": np.eye(3)}, r"shape \(2, 2\)"),
        ({"metric": "wasserstein", "metric_matrix": -np.eye(2)}, "positive definite"),
        ({"metric": "wasserstein", "metric_matrix": [[1, 1], [0, 1]]}, "symmetric"),
        ({"metric": "wasserstein", "metric_matrix": [[1, np.inf], [0, 1]]}, "infinity"),
    ],
)
def test_parameters_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        SPD(2, **options)


def test_types_of_parameters_are_checked():
    with pytest.raises(TypeError, match="metric must be the name"):
        SPD(2, 3)
    with pytest.raises(TypeError, match="power must be a number"):
        SPD(2, power="a")
    with pytest.raises(ValueError, match="n must be at least 1"):
        SPD(0)


def test_flags():
    assert SPD(3).sectional_curvature_bounds == (-0.5, 0.0)
    assert SPD(3, alpha=2.0).sectional_curvature_bounds == (-0.25, 0.0)
    assert SPD(3, power=2.0).sectional_curvature_bounds == (-2.0, 0.0)
    assert SPD(3, "bures_wasserstein").sectional_curvature_bounds == (0.0, np.inf)
    flat = {m for m in METRICS if SPD(3, m).is_flat}
    assert flat == {
        "log_euclidean",
        "log_cholesky",
        "cholesky",
        "euclidean",
        "power_euclidean",
        "harmonic",
    }
    assert {m for m in METRICS if SPD(3, m).is_hadamard} == set(COMPLETE)
    assert SPD(3).dim == 6
    assert SPD(3).injectivity_radius == np.inf


def test_get_manifold():
    assert get_manifold("spd", (4, 4)) == SPD(4)
    assert get_manifold(SPD(4, "stein"), (4, 4)) == SPD(4, "stein")
    assert get_manifold("sphere", (3,)) == Sphere(2)
    for manifold, shape in ((SPD(4), (3, 3)), (SPD(4), 4)):
        with pytest.raises(ValueError, match=r"point_shape \(4, 4\)"):
            get_manifold(manifold, shape)
    with pytest.raises(ValueError, match="square matrices"):
        get_manifold("spd", 4)
    with pytest.raises(ValueError, match="are vectors"):
        get_manifold("sphere", (4, 4))
