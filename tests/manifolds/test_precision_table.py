"""The distances that textbook formulas get wrong, against a truth of 60 digits.

One test for each kind of pair that is named in the targets: close, far out, close to
the cut locus or to the boundary, ill-conditioned. The bounds are the errors reached
by stable formulas on other draws, times 2 to 4; the general targets (1e-13 relative,
1e-12 + 40 eps kappa for matrices of condition kappa, 20 eps cosh(r) on the
hyperboloid) are in `test_precision.py` and `test_spd_precision.py`.
"""

import math

import mpmath as mp
import numpy as np
import pytest

from geolearn.manifolds import (
    SPD,
    Grassmann,
    Hyperboloid,
    PoincareBall,
    SpecialOrthogonal,
    Sphere,
)
from tests.manifolds.test_spd_precision import conditioned
from tests.reference import manifolds as reference
from tests.reference import rotations
from tests.reference import spd as spd_reference

PAIRS = 8


@pytest.fixture(autouse=True)
def _sixty_digits():
    with mp.workdps(60):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def errors(manifold, pairs, oracle):
    """Return the largest relative errors, of `dist` and of distance tables."""
    worst = [0.0, 0.0]
    for x, y in pairs:
        exact = oracle(x, y)
        table = manifold.pairwise_distances(x[None], y[None])[0, 0]
        for k, value in enumerate([manifold.dist(x, y), table]):
            error = float(abs(mp.mpf(float(value)) - exact) / exact)
            worst[k] = max(worst[k], error)
    return worst


def unit(v):
    return v / np.linalg.norm(v)


@pytest.mark.parametrize(
    ("angle", "bound"), [(1e-8, 1e-15), (1e-4, 1e-15), (math.pi - 1e-8, 1e-16)]
)
def test_sphere(angle, bound, rng):
    sphere = Sphere(4)
    x = np.stack([unit(v) for v in rng.standard_normal((PAIRS, 5))])
    v = sphere.random_tangent(x, random_state=0)
    y = sphere.exp(x, angle * v / sphere.norm(x, v)[:, None])
    pairs = zip(x, y, strict=True)
    assert max(errors(sphere, pairs, reference.sphere_dist)) < bound


@pytest.mark.parametrize(
    ("radius", "distance", "bound"),
    [(10.0, 1.0, 2e-15), (15.0, 3.0, 5e-15), (0.5, 1e-6, 1e-15)],
)
def test_hyperboloid(radius, distance, bound, rng):
    pairs = [reference.hyperboloid_pair(rng, 3, radius, distance) for _ in range(PAIRS)]
    worst = max(errors(Hyperboloid(3), pairs, reference.hyperboloid_dist))
    assert worst < bound


def test_close_points_of_the_poincare_ball(rng):
    pairs = []
    for v, w in rng.standard_normal((PAIRS, 2, 3)):
        x = 0.5 * unit(v)
        pairs.append((x, x + 1e-6 * unit(w)))
    assert max(errors(PoincareBall(3), pairs, reference.poincare_dist)) < 1e-15


def test_points_at_the_boundary_of_the_poincare_ball(rng):
    pairs = [
        ((1 - 1e-9) * unit(v), 0.5 * unit(w))
        for v, w in rng.standard_normal((PAIRS, 2, 3))
    ]
    # one rounding of a coordinate changes 1 - |x| by eps / 1e-9
    assert max(errors(PoincareBall(3), pairs, reference.poincare_dist)) < 5e-8


@pytest.mark.parametrize(
    ("metric", "kappa", "distance", "bound"),
    [
        ("affine_invariant", 10.0, 1e-5, 2e-15),
        ("affine_invariant", 10.0, 1e-10, 2e-15),
        ("affine_invariant", 1e6, 1e-5, 3e-11),
        ("bures_wasserstein", 10.0, 1e-5, 5e-15),
        ("bures_wasserstein", 1e6, 1e-5, 1e-10),
    ],
)
def test_close_matrices(metric, kappa, distance, bound, rng):
    manifold = SPD(4, metric)
    pairs = []
    for _ in range(PAIRS):
        A = conditioned(kappa, 4, rng)
        B = manifold.exp_vector(A, distance * unit(rng.standard_normal(10)))
        pairs.append((A, (B + B.T) / 2))
    assert max(errors(manifold, pairs, spd_reference.DISTANCES[metric])) < bound


@pytest.mark.parametrize(("kappa", "bound"), [(1e8, 2e-10), (1e12, 2e-6)])
def test_unrelated_ill_conditioned_matrices(kappa, bound, rng):
    pairs = [(conditioned(kappa, 8, rng), conditioned(kappa, 8, rng)) for _ in range(3)]
    oracle = spd_reference.DISTANCES["affine_invariant"]
    assert max(errors(SPD(8), pairs, oracle)) < bound


def subspace_dist(x, y):
    """Return the distance of spans: sines of the part of Y that X lacks."""
    x, y = (mp.qr(rotations.matrix(a), mode="skinny")[0] for a in (x, y))
    residual = y - x * (x.T * y)
    sines = mp.svd_r(residual, compute_uv=False)
    return mp.sqrt(mp.fsum(mp.asin(s) ** 2 for s in sines))


@pytest.mark.parametrize(
    ("n", "p", "angles", "bound"),
    [
        (5, 2, [1e-8, 1e-8], 1e-7),
        (6, 3, [1e-4, 1e-6, 1e-8], 1e-11),
        (5, 2, [0.3, 1.1], 1e-13),
    ],
)
def test_subspaces(n, p, angles, bound, rng):
    pairs = []
    for _ in range(PAIRS):
        Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
        x = Q[:, :p]
        y = x * np.cos(angles)
        y += Q[:, p : 2 * p] * np.sin(angles)
        pairs.append((x, y @ np.linalg.qr(rng.standard_normal((p, p)))[0]))
    assert max(errors(Grassmann(n, p), pairs, subspace_dist)) < bound


@pytest.mark.parametrize(
    ("angle", "bound"),
    [(1e-10, 1e-15), (1e-6, 1e-15), (1.0, 1e-13), (math.pi - 1e-8, 1e-15)],
)
def test_rotations(angle, bound, rng):
    pairs = [rotations.pair(3, [angle], rng) for _ in range(PAIRS)]
    assert max(errors(SpecialOrthogonal(3), pairs, rotations.dist)) < bound
