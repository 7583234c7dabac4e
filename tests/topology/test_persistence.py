"""Persistent homology: brute force, closed forms, invariances, peers."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolearn.manifolds import Hyperboloid, Sphere
from geolearn.metrics import pairwise_distances
from geolearn.topology import sample_annulus, vietoris_rips_persistence
from geolearn.topology._persistence_edges import slice_edges, sorted_edges
from geolearn.topology._persistence_kernels import engine
from tests.reference import persistence as reference

pytestmark = pytest.mark.kernels


def check(found, expected, rtol=1e-12):
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.dtype == np.float64
        theirs = np.reshape(theirs, (-1, 2))
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=rtol)


def polygon(m):
    angles = 2 * np.pi * np.arange(m) / m
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def lattice(side, dim):
    return np.stack(np.meshgrid(*dim * [np.arange(float(side))]), -1).reshape(-1, dim)


def cloud(kind, n, dim, rng):
    if kind == "lattice":  # many ties, and some points more than once
        return rng.integers(0, 3, size=(n, dim)).astype(float)
    if kind == "annulus":
        return sample_annulus(n, 0.5, 1.0, dim, random_state=rng.integers(1000))
    return rng.normal(size=(n, dim))


@pytest.mark.parametrize("kind", ["normal", "annulus", "lattice"])
@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_reduction_of_the_whole_matrix(kind, dim):
    rng = np.random.default_rng(dim)
    for n in (1, 2, 3, 5, 8, 11):
        X = cloud(kind, n, dim, rng)
        expected = reference.rips(reference.distances(X), 2)
        check(vietoris_rips_persistence(X, max_degree=2), expected)
        check(vietoris_rips_persistence(X, max_degree=1), expected[:2])
        check(vietoris_rips_persistence(X, max_degree=0), expected[:1])


def test_voids_of_a_random_metric():
    # Without a geometry there are many voids, and edges whose lune has no apex.
    rng = np.random.default_rng(0)
    n_voids = 0
    for _ in range(6):
        D = np.triu(rng.uniform(1, 2, size=(11, 11)), 1)
        D += D.T
        found = vietoris_rips_persistence(D, max_degree=2, metric="precomputed")
        check(found, reference.rips(D, 2))
        n_voids += len(found[2])
    assert n_voids > 5


@pytest.mark.parametrize("m", [5, 6, 7, 8, 9, 10, 20])
def test_regular_polygon(m):
    side = 2 * np.sin(np.pi / m)
    third = 2 * np.sin(np.pi * np.ceil(m / 3) / m)
    voids = {6: [(np.sqrt(3), 2)], 9: 2 * [(np.sqrt(3), 2 * np.sin(4 * np.pi / 9))]}
    expected = [(m - 1) * [(0, side)] + [(0, np.inf)], [(side, third)]]
    if m < 20:
        expected.append(voids.get(m, []))
    found = vietoris_rips_persistence(polygon(m), max_degree=len(expected) - 1)
    check(found, expected)


def test_polyhedra():
    root = np.sqrt(2)
    octahedron = np.concatenate([np.eye(3), -np.eye(3)])
    _, loops, voids = vietoris_rips_persistence(octahedron, max_degree=2)
    check([loops, voids], [[], [(root, 2)]])
    _, loops, voids = vietoris_rips_persistence(lattice(2, 3), max_degree=2)
    check([loops, voids], [5 * [(1, root)], []])
    _, loops = vietoris_rips_persistence(lattice(3, 2))
    check([loops], [4 * [(1, root)]])
    _, loops = vietoris_rips_persistence(np.delete(lattice(3, 2), 4, axis=0))
    check([loops], [[(1, 2)]])
    golden = (1 + np.sqrt(5)) / 2
    faces = [(0, i, j * golden) for i in (-1, 1) for j in (-1, 1)]
    icosahedron = np.array([np.roll(p, k) for p in faces for k in range(3)])
    _, loops, voids = vietoris_rips_persistence(icosahedron, max_degree=2)
    check([loops, voids], [[], [(2, 2 * golden)]])


@pytest.mark.parametrize("ratio", [1.002, 1.6])
def test_more_loops_than_bits_in_a_word(ratio):
    # 70 squares with no edge between: all loops alive at once, or one by one.
    sides = ratio ** np.arange(70)
    D = np.full((280, 280), np.inf)
    square = reference.distances(np.array([[0, 0], [0, 1], [1, 1], [1, 0]]))
    for k, side in enumerate(sides):
        D[4 * k : 4 * k + 4, 4 * k : 4 * k + 4] = side * square
    components, loops = vietoris_rips_persistence(D, metric="precomputed")
    np.testing.assert_allclose(loops, np.outer(sides, [1, np.sqrt(2)]))
    assert components.shape == (280, 2)
    assert np.isinf(components[:, 1]).sum() == 70


def test_loops_that_merge_across_words():
    # A strip of squares whose diagonals enter one by one: relations of many loops.
    X = np.stack(np.meshgrid(np.arange(10.0), np.arange(8.0)), -1).reshape(-1, 2)
    D = reference.distances(X)
    keep = D <= 1.0
    edge = np.triu(~keep & (D < 1.5))
    rng = np.random.default_rng(0)
    D[:] = np.where(keep, D, np.inf)
    D[edge] = rng.uniform(1.1, 2.0, edge.sum())
    D = np.minimum(D, D.T)
    # The square of corner k has two diagonals; the shorter one fills it.
    corners = [i for i in range(80) if i % 10 < 9 and i < 70]
    deaths = sorted(min(D[i, i + 11], D[i + 1, i + 10]) for i in corners)
    _, loops = vietoris_rips_persistence(D, metric="precomputed")
    np.testing.assert_allclose(loops, [(1.0, death) for death in deaths])


def test_slices_share_the_sorted_edges():
    X = np.random.default_rng(0).normal(size=(14, 3))
    D = reference.distances(X)
    edges, _, _ = engine(1)
    everything = edges(D, np.inf)
    for start, stop in ((0, 14), (3, 11), (5, 7), (6, 7)):
        part = np.ascontiguousarray(D[start:stop, start:stop])
        cap = np.median(part)
        found = slice_edges(*everything, start, stop, cap)
        for mine, theirs in zip(found, edges(part, cap), strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("case", ["random", "ties", "clusters", "equal", "tiny"])
def test_sorted_edges(case):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    if case == "ties":
        X = X.round()
    elif case == "clusters":  # all but a few lengths fall into one bucket
        X[:38] *= 1e-9
    elif case == "equal":
        X[:] = 1.0
    elif case == "tiny":
        X *= 5e-324
    D = reference.distances(X)
    cap = np.inf if case == "clusters" else np.median(D)
    i, j = np.triu_indices(40, 1)
    keep = D[i, j] <= cap
    i, j = i[keep], j[keep]
    order = np.lexsort([j, i, D[i, j]])
    heads, tails, lengths = sorted_edges(D, cap)
    np.testing.assert_array_equal(heads, i[order])
    np.testing.assert_array_equal(tails, j[order])
    np.testing.assert_array_equal(lengths, D[i, j][order])


def test_longest_edge():
    X = polygon(8)
    D = reference.distances(X)
    for longest in (0.0, 0.5, 0.9, 1.5, 1.9, 3.0):
        expected = reference.rips(D, 2, longest)
        for degree in (0, 1, 2):
            found = vietoris_rips_persistence(
                X, max_degree=degree, max_edge_length=longest
            )
            check(found, expected[: degree + 1])
    octahedron = np.concatenate([np.eye(3), -np.eye(3)])
    found = vietoris_rips_persistence(octahedron, max_degree=2, max_edge_length=1.5)
    check(found[2:], [[(np.sqrt(2), np.inf)]])


def test_rounding_of_asymmetric_distances_leaves_no_hole_open():
    D = reference.distances(np.random.default_rng(0).normal(size=(9, 2)))
    D[np.tril_indices(9, -1)] *= 1 - 1e-15
    _, loops = vietoris_rips_persistence(D, metric="precomputed")
    components, _ = vietoris_rips_persistence(D, metric="precomputed")
    assert np.isfinite(loops).all()
    assert np.isinf(components[:, 1]).sum() == 1


def test_metrics():
    rng = np.random.default_rng(0)
    sphere, hyperboloid = Sphere(2), Hyperboloid(2, curvature=-0.5)
    X = sphere.project(rng.normal(size=(12, 3)))
    Y = hyperboloid.exp_vector(hyperboloid.origin, rng.normal(size=(12, 2)))
    for points, metric in (
        (X, "sphere"),
        (X, "cityblock"),
        (X, sphere),
        (Y, hyperboloid),
    ):
        D = pairwise_distances(points, metric=metric)
        found = vietoris_rips_persistence(points, max_degree=2, metric=metric)
        check(found, reference.rips(D, 2))
        given_distances = vietoris_rips_persistence(
            D, max_degree=2, metric="precomputed"
        )
        check(given_distances, found)


@given(st.integers(0, 10**6))
def test_invariances(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 3))
    expected = vietoris_rips_persistence(X, max_degree=2)
    check(vietoris_rips_persistence(X[rng.permutation(12)], max_degree=2), expected)
    scale = 10.0 ** rng.integers(-15, 15)
    scaled = vietoris_rips_persistence(scale * X, max_degree=2)
    check([diagram / scale for diagram in scaled], expected, rtol=1e-10)
    Q, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    moved = np.pad(X, ((0, 0), (0, 2))) @ Q + rng.normal(size=5)
    check(vietoris_rips_persistence(moved, max_degree=2), expected, rtol=1e-10)
    repeated = np.concatenate([X, X[:3]])
    check(vietoris_rips_persistence(repeated, max_degree=2), expected)


def test_ripser():
    ripser = pytest.importorskip("ripser").ripser
    rng = np.random.default_rng(0)
    for k in range(30):
        n = int(rng.integers(4, 60))
        X = rng.normal(size=(n, 1 + k % 4))
        if k % 3 == 0:
            X = np.unique((2 * X).round(), axis=0)
        degree = 2 if k % 2 else 1
        D = reference.distances(X)
        found = vietoris_rips_persistence(D, max_degree=degree, metric="precomputed")
        expected = ripser(D, maxdim=degree, distance_matrix=True)["dgms"]
        for mine, theirs in zip(found, expected, strict=True):
            compare_in_single_precision(mine, theirs)


def compare_in_single_precision(found, expected):
    """Compare births and deaths each for themselves: ties hide the pairs."""
    expected = expected[expected[:, 1] > expected[:, 0] * (1 + 1e-5)]
    found = found[found[:, 1] > found[:, 0] * (1 + 1e-5)]
    assert found.shape == expected.shape
    for column in (0, 1):
        np.testing.assert_allclose(
            np.sort(found[:, column]), np.sort(expected[:, column]), rtol=1e-5
        )


def test_gudhi():
    gudhi = pytest.importorskip("gudhi")
    for n, dim, degree in ((30, 2, 2), (40, 3, 2), (120, 2, 1), (400, 2, 1)):
        X = sample_annulus(n, 0.3, 1.0, dim, random_state=n)
        D = reference.distances(X)
        tree = gudhi.RipsComplex(distance_matrix=D).create_simplex_tree(1)
        tree.collapse_edges()
        tree.expansion(degree + 1)
        tree.compute_persistence(homology_coeff_field=2)
        expected = [
            tree.persistence_intervals_in_dimension(i).reshape(-1, 2)
            for i in range(degree + 1)
        ]
        found = vietoris_rips_persistence(X, max_degree=degree)
        check(found, [e[np.lexsort((e[:, 1], e[:, 0]))] for e in expected], rtol=1e-10)


def test_degree_three():
    pytest.importorskip("gudhi")
    cross = np.concatenate([np.eye(4), -np.eye(4)])
    found = vietoris_rips_persistence(cross, max_degree=3)
    root = np.sqrt(2)
    check(found, [7 * [(0, root)] + [(0, np.inf)], [], [], [(root, 2)]])
    X = np.random.default_rng(0).normal(size=(9, 3))
    D = reference.distances(X)
    check(vietoris_rips_persistence(X, max_degree=3), reference.rips(D, 3))
    short = vietoris_rips_persistence(X, max_degree=3, max_edge_length=1.5)
    check(short, reference.rips(D, 3, 1.5))
    gaps = np.where(D > 1.5, np.inf, D)
    check(vietoris_rips_persistence(gaps, max_degree=3, metric="precomputed"), short)


def test_degree_three_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "gudhi", None)
    with pytest.raises(ImportError, match=r"geolearn\[topology\].*max_degree"):
        vietoris_rips_persistence(np.eye(4), max_degree=3)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.eye(3), {"max_degree": -1}, "max_degree must be at least 0"),
        (np.eye(3), {"max_edge_length": -1.0}, "max_edge_length=-1.0"),
        (np.eye(3), {"max_edge_length": np.nan}, "max_edge_length=nan"),
        (np.eye(3), {"metric": "no such"}, "no such"),
        ([[0.0, np.nan]], {}, "NaN"),
        (np.empty((0, 2)), {}, "0 sample"),
        ([1.0, 2.0], {}, "2D|two-dimensional|1-D|1D"),
        (np.zeros((2, 3)), {"metric": "precomputed"}, "square"),
        ([[0.0, -1.0], [-1.0, 0.0]], {"metric": "precomputed"}, r"X\[0, 1\]=-1.0"),
        ([[0.0, np.nan], [1.0, 0.0]], {"metric": "precomputed"}, r"X\[0, 1\]=nan"),
        ([[0.0, 1.0], [2.0, 0.0]], {"metric": "precomputed"}, "symmetric"),
        ([[0.0, np.inf], [2.0, 0.0]], {"metric": "precomputed"}, "symmetric"),
        ([[0.0, 1.0], [1.0, 0.5]], {"metric": "precomputed"}, "diagonal"),
    ],
)
def test_bad_values(X, options, message):
    with pytest.raises(ValueError, match=message):
        vietoris_rips_persistence(X, **options)


@pytest.mark.parametrize(
    "options", [{"max_degree": 1.0}, {"max_edge_length": "1"}, {"metric": 3}]
)
def test_bad_types(options):
    with pytest.raises(TypeError, match=next(iter(options))):
        vietoris_rips_persistence(np.eye(3), **options)


def test_inputs_stay_as_they_are():
    X = np.arange(12).reshape(6, 2) % 5
    before = X.copy()
    found = vietoris_rips_persistence(X)
    np.testing.assert_array_equal(X, before)
    check(vietoris_rips_persistence(X.astype(np.float32)), found)
    D = reference.distances(X)
    D.setflags(write=False)
    check(vietoris_rips_persistence(D, metric="precomputed"), found)
