"""The bottleneck distance: all matchings, closed forms, properties, peers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config

from geolearn.topology import bottleneck_distance
from geolearn.topology._bottleneck_kernels import bottleneck_deaths, bottleneck_pairs
from tests.reference import persistence as reference

pytestmark = pytest.mark.kernels

# Both diagrams of four points for which gudhi.bottleneck_distance 3.9 to 3.13 is
# wrong: 0.1067 or, with e=0, 0.1338.
FOUR = [
    (0.70397526, 0.79022667),
    (0.69355458, 0.90329183),
    (0.68416141, 0.68976975),
    (0.29932685, 0.30385603),
]
OTHER_FOUR = [
    (0.85007542, 0.87380572),
    (0.67254669, 0.88601738),
    (0.43301993, 0.45848575),
    (0.39310125, 0.43762493),
]


def diagram(rng, n, ties=False):
    births = rng.random(n)
    lives = rng.random(n) * rng.choice([0.05, 0.5, 1.0])
    points = np.stack([births, births + lives], axis=1)
    return points.round(1) if ties else points


@pytest.mark.parametrize("ties", [False, True])
def test_all_matchings(ties):
    rng = np.random.default_rng(0)
    for _ in range(150):
        P, Q = (diagram(rng, rng.integers(0, 6), ties) for _ in range(2))
        assert bottleneck_pairs(P, Q) == reference.bottleneck(P, Q)
        assert bottleneck_distance(P, Q) == bottleneck_pairs(P, Q)


def test_prefixes_suffice_when_births_are_zero():
    rng = np.random.default_rng(0)
    for k in range(100):
        P, Q = (diagram(rng, rng.integers(0, 6), k % 2 == 0) for _ in range(2))
        P[:, 0] = Q[:, 0] = 0.0
        a, b = (np.sort(D[:, 1])[::-1].copy() for D in (P, Q))
        assert bottleneck_deaths(a, b) == reference.bottleneck(P, Q)
        assert bottleneck_distance(P, Q) == bottleneck_deaths(a, b)


def test_many_deaths_as_any_points():
    rng = np.random.default_rng(0)
    for n_a, n_b in ((30, 30), (30, 12), (5, 30)):
        a, b = (np.sort(rng.random(n))[::-1].copy() for n in (n_a, n_b))
        P, Q = (np.stack([np.zeros(x.size), x], axis=1) for x in (a, b))
        assert bottleneck_deaths(a, b) == bottleneck_pairs(P, Q)


def test_worked_examples():
    one, other = [(0, 5), (0, 2), (0, 1)], [(0, 4), (0, 2.5), (0, 1.5)]
    assert bottleneck_distance(one, other) == 1.0
    one, other = [(0, 1), (0.2, 0.5), (0.3, 1.1)], [(0.05, 0.9), (0.1, 0.3)]
    np.testing.assert_allclose(bottleneck_distance(one, other), 0.4, rtol=1e-12)
    one = [(0, 0.9), (0, 0.3), (0, 0.2), (0, 0.1)]
    other = [(0, 0.35), (0, 0.15), (0, 0.1)]
    np.testing.assert_allclose(bottleneck_distance(one, other), 0.45, rtol=1e-12)
    np.testing.assert_allclose(
        bottleneck_distance(FOUR, OTHER_FOUR), 0.043125705, rtol=1e-12
    )
    assert bottleneck_distance(FOUR, OTHER_FOUR) == reference.bottleneck(
        FOUR, np.array(OTHER_FOUR)
    )


def test_points_that_never_die():
    endless = [(0.0, np.inf), (1.0, np.inf)]
    later = [(1.25, np.inf), (0.5, np.inf)]
    assert bottleneck_distance(endless, later) == 0.5
    assert bottleneck_distance([*endless, (0.0, 2.0)], later) == 1.0
    assert bottleneck_distance(endless, later[:1]) == np.inf
    assert bottleneck_distance([], []) == 0.0
    assert bottleneck_distance(np.empty((0, 2)), [(1.0, 4.0)]) == 1.5


def test_augmenting_paths_may_be_long():
    # Each point takes the partner on its right; the last one moves all of them.
    n = 200 if config.DISABLE_JIT else 1500
    births = 10.0 * np.arange(n)
    P = np.stack([births, births + 1000.0], axis=1)
    Q = P[::-1] - 5.0
    assert bottleneck_pairs(P, Q) == 5.0
    assert bottleneck_pairs(Q, P) == 5.0


@given(st.integers(0, 10**6))
def test_properties(seed):
    rng = np.random.default_rng(seed)
    P, Q, R = (diagram(rng, rng.integers(0, 12)) for _ in range(3))
    distance = bottleneck_distance(P, Q)
    assert distance == bottleneck_distance(Q, P)
    assert distance == bottleneck_distance(rng.permutation(P), rng.permutation(Q))
    assert bottleneck_distance(P, P) == 0.0
    around = bottleneck_distance(P, R) + bottleneck_distance(R, Q)
    assert distance <= around * (1 + 1e-12)
    on_diagonal = np.repeat(rng.random((3, 1)), 2, axis=1)
    assert distance == bottleneck_distance(np.concatenate([P, on_diagonal]), Q)
    scaled = bottleneck_distance(1e-15 * P, 1e-15 * Q)
    np.testing.assert_allclose(scaled, 1e-15 * distance, rtol=1e-10)
    moved = P + rng.uniform(-0.1, 0.1, size=P.shape)
    moved[:, 1] = np.maximum(moved[:, 0], moved[:, 1])
    assert bottleneck_distance(P, moved) <= 0.1 * (1 + 1e-12)


def test_hera():
    hera = pytest.importorskip("gudhi.hera")
    rng = np.random.default_rng(0)
    for n in (3, 8, 20, 60):
        P, Q = diagram(rng, n), diagram(rng, n + 2)
        expected = hera.bottleneck_distance(P, Q, delta=1e-9)
        np.testing.assert_allclose(bottleneck_distance(P, Q), expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([1.0, 2.0], "shape"),
        ([(1.0, 2.0, 3.0)], "shape"),
        ([(0.0, 1.0), (2.0, 1.0)], r"row 1.*deaths"),
        ([(np.nan, 1.0)], r"row 0"),
        ([(0.0, np.nan)], r"row 0"),
        ([(-np.inf, 1.0)], r"row 0"),
        ([np.ones((1, 2)), np.ones((3, 2))], "one degree"),  # all degrees at once
        ([("a", 1.0)], "table of numbers"),
    ],
)
def test_bad_diagrams(bad, message):
    with pytest.raises(ValueError, match=f"diagram_a.*{message}"):
        bottleneck_distance(bad, [(0.0, 1.0)])
    with pytest.raises(ValueError, match=f"diagram_b.*{message}"):
        bottleneck_distance([(0.0, 1.0)], bad)
