"""Gromov's delta and the curvature statistic of triangles."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from geolearn.manifolds import Hyperboloid, Sphere
from geolearn.metrics import (
    curvature_statistic,
    delta_hyperbolicity,
    pairwise_distances,
)
from geolearn.metrics._curvature import _pair
from tests.reference import hyperbolicity as reference

pytestmark = pytest.mark.kernels


def cloud(seed, n=14, d=3):
    X = np.random.default_rng(seed).standard_normal((n, d))
    return np.linalg.norm(X[:, None] - X, axis=2)


# Closed forms: n / 4 rounded to the next half below, less 1/2 for n = 4 k + 1.
CYCLES = {4: 1.0, 5: 0.5, 6: 1.0, 7: 1.0, 8: 2.0, 9: 1.5, 12: 3.0}


@pytest.mark.parametrize(("n", "delta"), CYCLES.items())
def test_cycles(n, delta):
    D = reference.cycle(n)
    assert delta_hyperbolicity(D) == delta
    assert delta_hyperbolicity(D, base_points="all") == delta
    relative = delta_hyperbolicity(D, relative=True)
    assert relative == pytest.approx(2.0 * delta / (n // 2), rel=1e-15)


def test_trees_have_none():
    D, _ = reference.random_tree(40, np.random.default_rng(0))
    assert delta_hyperbolicity(D, base_points="all") < 1e-13
    assert delta_hyperbolicity(np.zeros((3, 3)), relative=True) == 0.0
    assert delta_hyperbolicity([[0.0]]) == 0.0


def test_ideal_square_of_the_hyperbolic_plane():
    r = 12.0
    angle = np.arange(4) * np.pi / 2
    X = np.column_stack(
        [np.full(4, np.cosh(r)), np.sinh(r) * np.cos(angle), np.sinh(r) * np.sin(angle)]
    )
    D = pairwise_distances(X, metric="hyperboloid")
    assert_allclose(delta_hyperbolicity(D), 0.69314718, atol=5e-9)


@given(st.integers(0, 2**32 - 1))
def test_delta_against_the_definitions(seed):
    D = cloud(seed, n=9)
    per_point = [reference.delta_at(D, p) for p in range(9)]
    computed = [delta_hyperbolicity(D, base_points=p) for p in range(9)]
    assert_allclose(computed, per_point, rtol=1e-12)
    four_point = reference.four_point_delta(D)
    exact = delta_hyperbolicity(D, base_points="all")
    assert_allclose(exact, four_point, rtol=1e-12)
    assert_allclose(max(per_point), four_point, rtol=1e-12)
    default = delta_hyperbolicity(D)
    assert exact / 2 <= min(per_point) * (1 + 1e-12)
    assert exact / 2 <= default * (1 + 1e-12) <= exact * (1 + 1e-9)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_delta_is_a_length_of_the_metric(seed, scale):
    D = cloud(seed)
    order = np.random.default_rng(seed).permutation(len(D))
    shuffled = D[np.ix_(order, order)]
    assert_allclose(delta_hyperbolicity(shuffled), delta_hyperbolicity(D), rtol=1e-12)
    assert_allclose(
        delta_hyperbolicity(scale * D), scale * delta_hyperbolicity(D), rtol=1e-9
    )


# Around the sizes of the blocks and tiles, and those of the unrolled loop.
@pytest.mark.parametrize("n", [15, 16, 17, 18, 19, 257])
def test_blocks_of_the_product(n):
    D = cloud(n, n=n)
    A = (D[:, :1] + D[0] - D) / 2
    square = np.array([np.minimum(row[:, None], A).max(axis=0) for row in A])
    expected = (square - A).max()
    assert_allclose(delta_hyperbolicity(D, base_points=0), expected, rtol=1e-12)


def test_subsets():
    D = cloud(0, n=50)
    whole = delta_hyperbolicity(D, return_std=True)
    assert whole == (delta_hyperbolicity(D), 0.0)
    options = {"max_points": 30, "return_std": True, "random_state": 3}
    mean, deviation = delta_hyperbolicity(D, **options)
    assert delta_hyperbolicity(D, **options) == (mean, deviation)
    assert 0.0 < deviation < mean <= delta_hyperbolicity(D, base_points="all")
    values = [
        delta_hyperbolicity(D, max_points=30, n_draws=1, random_state=seed)
        for seed in range(3)
    ]
    assert len(set(values)) > 1
    assert delta_hyperbolicity(D, max_points=None) == whole[0]
    kept = delta_hyperbolicity(D, max_points=30, base_points=[5, 7], random_state=0)
    both = delta_hyperbolicity(D, base_points=[5, 7])
    assert 0.0 < kept <= both


def test_number_of_threads_and_inputs_do_not_matter():
    D = cloud(1, n=70)
    before = D.copy()
    one = delta_hyperbolicity(D), curvature_statistic(D)
    two = delta_hyperbolicity(D, n_jobs=2), curvature_statistic(D, n_jobs=2)
    assert one[0] == two[0]
    assert_array_equal(one[1], two[1])
    assert_array_equal(D, before)
    D.flags.writeable = False
    assert delta_hyperbolicity(D) == one[0]
    assert_array_equal(curvature_statistic(D), one[1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"base_points": "every"}, TypeError, "base_points='every'"),
        ({"base_points": 0.5}, TypeError, "base_points=0.5"),
        ({"base_points": 6}, ValueError, r"rows of D, 0 \.\.\. 5"),
        ({"base_points": []}, ValueError, "at least one of them"),
        ({"max_points": 3}, ValueError, "max_points=3"),
        ({"n_draws": 0}, ValueError, "n_draws=0"),
    ],
)
def test_bad_options_of_delta(options, error, message):
    with pytest.raises(error, match=message):
        delta_hyperbolicity(reference.cycle(6), **options)


def test_disconnected():
    D = reference.cycle(6)
    D[:2, 2:] = D[2:, :2] = np.inf
    for measure in (delta_hyperbolicity, curvature_statistic):
        with pytest.raises(ValueError, match="2 components"):
            measure(D)


def star(m):
    D = 2.0 * (1.0 - np.eye(m + 1))
    D[0, 1:] = D[1:, 0] = 1.0
    return D


def test_xi_of_a_star():
    D = star(4)
    values, triples = curvature_statistic(
        D, D == 1, references=3, return_triangles=True
    )
    expected = [0.0 if 3 in triple[1:] else -1.0 for triple in triples.tolist()]
    assert_allclose(values, expected, atol=1e-15)
    assert len(values) == 6


def test_xi_of_cycles():
    C8, C7 = reference.cycle(8), reference.cycle(7)
    assert_allclose(curvature_statistic(C8, C8 == 1), 1 / 7, rtol=1e-14)
    for D, expected in (
        (C8, [0, 0, 0, 1, 0, 0, 0]),
        (C7, [0, 0, 7 / 12, 7 / 12, 0, 0]),
    ):
        middle = np.zeros_like(D)
        middle[0, [1, -1]] = 1.0  # triangles at node 0 only
        values = [
            curvature_statistic(D, middle, references=a)[0] for a in range(1, len(D))
        ]
        assert_allclose(values, expected, atol=1e-14)


def test_xi_of_a_line_and_of_trees():
    x = np.arange(9.0)
    line = np.abs(x[:, None] - x)
    assert_allclose(curvature_statistic(line, line == 1), 0.0, atol=1e-14)
    _, A = reference.random_tree(40, np.random.default_rng(1))
    steps = pairwise_steps(A > 0)
    assert (curvature_statistic(steps, A) <= 1e-14).all()


def pairwise_steps(A):
    from scipy.sparse.csgraph import shortest_path

    return shortest_path(csr_array(A.astype(float)), unweighted=True)


@given(st.integers(0, 2**32 - 1))
def test_curvature_against_the_definition(seed):
    D = cloud(seed)
    A = np.triu(np.random.default_rng(seed).random(D.shape) < 0.4, 1)
    A[0, 1] = A[0, 2] = True
    A = A | A.T
    values, triples = curvature_statistic(D, A, return_triangles=True)
    expected, expected_triples = reference.curvature_values(D, A)
    assert_array_equal(triples, expected_triples)
    assert_allclose(values, expected, rtol=1e-10, atol=1e-12)
    scaled = curvature_statistic(3.0 * D, csr_array(A))
    assert_allclose(scaled, 3.0 * values, rtol=1e-10, atol=1e-12)


def test_nearest_neighbours():
    D = cloud(5, n=20)
    D[3, 4] = D[4, 3] = D[3, 5] = D[5, 3] = D[3].max()
    _, triples = curvature_statistic(D, n_neighbors=3, return_triangles=True)
    assert triples.shape == (60, 3)
    for m in range(20):
        near = np.sort(np.argsort(D[m], kind="stable")[1:4])
        expected = [(m, b, c) for b, c in itertools.combinations(near, 2)]
        assert_array_equal(triples[triples[:, 0] == m], expected)


def perpendicular(space, arm):
    """Distances of m, two opposite neighbours and a reference across."""
    v = arm * np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    X = space.exp_vector(space.origin, v)
    return space.pairwise_distances(X)


@pytest.mark.parametrize(
    ("space", "expected"),
    [(Hyperboloid(2), -0.00016644), (Sphere(2), 0.00016689)],
)
def test_curved_surfaces(space, expected):
    D = perpendicular(space, 0.1)
    graph = np.zeros((4, 4))
    graph[0, 1] = graph[0, 2] = 1.0
    xi = curvature_statistic(D, graph, references=3)
    assert_allclose(xi, [expected], atol=5e-9)
    curvature = curvature_statistic(D, graph, references=3, normalize=True)
    assert_allclose(curvature, [6e3 * expected], rtol=2e-3)
    # The error falls with the square of the size of the triangle.
    errors = [
        curvature_statistic(
            perpendicular(space, arm), graph, references=3, normalize=True
        )[0]
        - np.sign(expected)
        for arm in (0.2, 0.1)
    ]
    assert_allclose(errors[0] / errors[1], 4.0, rtol=0.05)


def test_normalised_statistic_against_the_formula():
    D = cloud(4, n=12)
    graph = np.zeros((12, 12))
    graph[0, [3, 8]] = 1.0
    numerator = denominator = 0.0
    for a in range(1, 12):
        side, arm, opposite = D[0, a], D[0, 3], D[a, 3]
        cosine = (side**2 + arm**2 - opposite**2) / (2 * side * arm)
        numerator += 6 * reference.xi(D, 0, 3, 8, a)
        denominator += side * arm**2 * (1 - cosine**2)
    values = curvature_statistic(D, graph, normalize=True)
    assert_allclose(values, [numerator / denominator], rtol=1e-10)


@pytest.mark.parametrize("curvature", [-2.0, 3.0])
def test_normalised_statistic_over_several_references(curvature):
    radius = abs(curvature) ** -0.5
    space = Hyperboloid(2, curvature) if curvature < 0 else Sphere(2, radius)
    turn = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    ring = 0.02 * np.column_stack([np.cos(turn), np.sin(turn)])
    X = space.exp_vector(space.origin, np.vstack([[0.0, 0.0], ring]))
    graph = np.zeros((13, 13))
    graph[0, [1, 7]] = 1.0  # opposite; these two are flat references
    value = curvature_statistic(space.pairwise_distances(X), graph, normalize=True)
    assert_allclose(value, [curvature], rtol=1e-2)


def test_no_usable_reference_is_nan_with_a_warning():
    line = np.abs(np.arange(5.0)[:, None] - np.arange(5.0))
    with pytest.warns(UserWarning, match="spans a plane"):
        values = curvature_statistic(line, line == 1, normalize=True)
    assert np.isnan(values).all()
    with pytest.warns(UserWarning, match="1 of 3 triples"):
        values = curvature_statistic(line, line == 1, references=2)
    assert_array_equal(np.isnan(values), [False, True, False])


def test_drawn_triangles():
    D = cloud(2, n=40)
    values, triples = curvature_statistic(D, return_triangles=True)
    some, drawn = curvature_statistic(
        D, n_triangles=25, random_state=0, return_triangles=True
    )
    table = {
        tuple(triple): v for triple, v in zip(triples.tolist(), values, strict=True)
    }
    assert_array_equal(some, [table[tuple(triple)] for triple in drawn.tolist()])
    again = curvature_statistic(D, n_triangles=25, random_state=0)
    assert_array_equal(some, again)
    assert len(curvature_statistic(D, n_triangles=10**6)) == len(values)


def test_pairs_of_a_hub():
    D = star(40)
    _, triples = curvature_statistic(
        D, D == 1, references=[1, 2], return_triangles=True
    )
    expected = [(0, b, c) for b, c in itertools.combinations(range(1, 41), 2)]
    assert_array_equal(triples, expected)


def test_ranks_of_pairs_of_large_hubs():
    count = 100_000  # the root of the rank has lost digits
    total = count * (count - 1) // 2
    rank = np.concatenate([np.arange(300), np.arange(total - 300, total)])
    b, c = _pair(rank, np.full(600, count))
    assert ((b >= 0) & (b < c) & (c < count)).all()
    assert_array_equal(b * (2 * count - b - 1) // 2 + c - b - 1, rank)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_neighbors": 1}, ValueError, "n_neighbors=1 must be an integer from 2"),
        ({"n_neighbors": 6}, ValueError, "n_neighbors=6"),
        ({"references": "all"}, TypeError, "references='all'"),
        ({"references": [6]}, ValueError, r"0 \.\.\. 5"),
        ({"n_triangles": 0}, ValueError, "n_triangles=0"),
        ({"graph": np.eye(6, k=3)}, ValueError, "no triangle"),
        ({"graph": np.eye(5)}, ValueError, "graph has shape"),
    ],
)
def test_bad_options_of_the_statistic(options, error, message):
    with pytest.raises(error, match=message):
        curvature_statistic(reference.cycle(6), **options)
