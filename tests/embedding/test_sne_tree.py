"""The tree of the repulsion against the sum over all pairs."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolearn.embedding import _sne_tree as tree
from geolearn.embedding._sne_objective import SNEObjective
from geolearn.embedding._sne_objective_sums import CODES, curvature_sign
from geolearn.manifolds import Euclidean, Sphere
from tests.reference import sne as reference

TARGETS = [Euclidean(1), Euclidean(2), Euclidean(3), Sphere(1), Sphere(2)]
PAIRS = [(M, kernel) for M in TARGETS for kernel in CODES[curvature_sign(M)]]


def clusters(manifold, n, seed=0):
    """Return points in dense clusters, with repeated points."""
    rng = np.random.default_rng(seed)
    d = manifold.point_shape[0]
    centres = rng.normal(size=(6, d)) * (1.0 if isinstance(manifold, Sphere) else 8.0)
    spread = 0.1 if isinstance(manifold, Sphere) else 1.0
    Y = centres[rng.integers(6, size=n)] + spread * rng.normal(size=(n, d))
    Y[: n // 20] = Y[0]
    return manifold.project(Y)


def chain(n):
    """Return joint probabilities of neighbours in a chain."""
    P = np.zeros((n, n))
    P[np.arange(n - 1), np.arange(1, n)] = 1.0
    return (P + P.T) / (2 * n - 2)


def values(manifold, kernel, Y, scale, angles):
    P = chain(len(Y))
    exact = SNEObjective(P, target=manifold, kernel=kernel)(Y, scale)
    approximate = [
        SNEObjective(
            P, target=manifold, kernel=kernel, method="barnes_hut", angle=angle
        )(Y, scale)
        for angle in angles
    ]
    return exact, approximate


def table(Y):
    T = np.zeros((3, len(Y)))
    T[: Y.shape[1]] = Y.T
    return T


@pytest.mark.kernels
@given(
    seed=st.integers(0, 2**20),
    n=st.integers(1, 120),
    d=st.integers(1, 3),
    size=st.sampled_from([1e-100, 1e-9, 1.0, 1e15]),
)
def test_cells_are_nested_ranges_of_points(seed, n, d, size):
    rng = np.random.default_rng(seed)
    Y = size * rng.normal(size=(n, d)) ** 5  # crowded, with outliers
    Y[rng.integers(n, size=n // 3)] = Y[0]
    order, T, ranges, nodes = tree.build(table(Y), d)
    assert np.array_equal(np.sort(order), np.arange(n))
    assert np.array_equal(T, table(Y)[:, order])
    assert tuple(ranges[0]) == (0, n, len(ranges))
    covered = []
    for k, (start, stop, after) in enumerate(ranges):
        points = T[:, start:stop].T
        np.testing.assert_allclose(nodes[k, :3], points.mean(axis=0), atol=1e-14 * size)
        assert np.array_equal(nodes[k, 3:6], points.min(axis=0))
        assert np.array_equal(nodes[k, 6:9], points.max(axis=0))
        reach = np.linalg.norm(points - nodes[k, :3], axis=1).max()
        assert 4.0 * reach**2 <= nodes[k, 9] * (1 + 1e-12)
        if after == k + 1:
            covered += range(start, stop)
            assert stop - start <= tree._LEAF or np.ptp(points, axis=0).max() <= (
                2.0**-19 * np.ptp(T, axis=1).max()
            )
        else:
            children, child = [], k + 1
            while child < after:
                children.append(tuple(ranges[child, :2]))
                child = ranges[child, 2]
            assert child == after
            assert len(children) > 1
            assert children[0][0] == start
            assert children[-1][1] == stop
            assert all(a[1] == b[0] for a, b in pairwise(children))
    assert covered == list(range(n))


@pytest.mark.kernels
@pytest.mark.parametrize(("manifold", "kernel"), PAIRS, ids=str)
def test_angle_zero_is_exact(manifold, kernel):
    Y = clusters(manifold, 50)
    for scale in (1.0, 1e-3):
        exact, (value,) = values(manifold, kernel, Y, scale, [0.0])
        size = np.abs(exact.gradient).max()
        np.testing.assert_allclose(value.gradient, exact.gradient, atol=1e-12 * size)
        np.testing.assert_allclose(value.kl, exact.kl, rtol=1e-13)
        np.testing.assert_allclose(
            value.dkl_dlogscale, exact.dkl_dlogscale, rtol=1e-9, atol=1e-12
        )


def relative_error(value, exact):
    difference = np.linalg.norm(value.gradient - exact.gradient)
    return difference / np.linalg.norm(exact.gradient)


@pytest.mark.parametrize(("manifold", "kernel"), PAIRS, ids=str)
def test_error_falls_with_the_angle(manifold, kernel):
    Y = clusters(manifold, 400)
    angles = [1.0, 0.5, 0.25, 0.1, 0.03]
    exact, approximate = values(manifold, kernel, Y, 0.1, angles)
    errors = [relative_error(value, exact) for value in approximate]
    few = 1e-2 if manifold.dim == 1 else 5e-3  # on a line, no directions average out
    assert errors[0] > 1e-6  # the tree is in use
    assert errors[1] < few
    assert errors[3] < 5e-4
    assert errors[4] < 1e-4
    assert abs(approximate[1].kl / exact.kl - 1.0) < 5e-3
    assert abs(approximate[4].kl / exact.kl - 1.0) < 1e-4


@pytest.mark.parametrize("kernel", ["student", "brownian"])
def test_cells_near_the_antipode_are_opened(kernel):
    # These kernels are not smooth there: a cell must not count as one point.
    rng = np.random.default_rng(0)
    side = np.repeat([1.0, -1.0], 100)[:, None]
    Y = np.array([0.0, 0.0, 1.0]) * side + 0.02 * rng.normal(size=(200, 3))
    Y = Sphere(2).project(Y)
    exact, (value,) = values(Sphere(2), kernel, Y, 1.0, [0.3])
    assert relative_error(value, exact) < 2e-3


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_error_does_not_depend_on_the_unit(scale):
    Y = clusters(Euclidean(2), 300)
    exact, (value,) = values(Euclidean(2), "student", Y * scale, scale**2, [0.5])
    assert relative_error(value, exact) < 5e-3


def test_repeated_points():
    for Y in (np.zeros((50, 2)), np.repeat([[0.0, 1.0], [3.0, 0.0]], 40, axis=0)):
        exact, (value,) = values(Euclidean(2), "student", Y, 1.0, [0.5])
        np.testing.assert_allclose(value.gradient, exact.gradient, atol=1e-15)
        np.testing.assert_allclose(value.kl, exact.kl, rtol=1e-13)


@pytest.mark.kernels
def test_few_points_and_a_far_one():
    Y = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1e12]])
    exact, (value,) = values(Euclidean(2), "student", Y, 1.0, [0.5])
    np.testing.assert_allclose(value.gradient, exact.gradient, atol=1e-15)


@pytest.mark.kernels
def test_a_cell_never_repels_its_own_points():
    # At angle 1 the centre of a lopsided cell may be far from a leaf inside it.
    Y = np.concatenate([np.zeros((40, 2)), [[1.0, 0.0]] * 20, [[1.0, 1e-3]] * 20])
    Y = Y + 1e-9 * np.random.default_rng(0).normal(size=Y.shape)
    exact, (value,) = values(Euclidean(2), "student", Y, 1e-4, [1.0])
    assert relative_error(value, exact) < 1e-2


def test_more_cells_than_the_list_holds():
    Y = np.random.default_rng(0).normal(size=(600, 2))
    exact, (value,) = values(Euclidean(2), "brownian", Y, 0.05, [0.05])
    assert relative_error(value, exact) < 1e-3


def test_the_sum_is_that_of_the_definition():
    Y = clusters(Sphere(2), 60)
    _, (value,) = values(Sphere(2), "vmf", Y, 0.2, [0.2])
    wanted = reference.divergence(Y, chain(60), Sphere(2), "vmf", 0.2, 1)
    np.testing.assert_allclose(value.kl, wanted, atol=1e-3)
