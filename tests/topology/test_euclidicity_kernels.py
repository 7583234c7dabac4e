"""Slices of lists of neighbours, with and without compilation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.topology import Euclidicity
from geolearn.topology._euclidicity_bank import N_BINS, ModelBank, needed_keys
from geolearn.topology._euclidicity_compare import bin_of
from geolearn.topology._euclidicity_kernels import count_and_mark, members, slices
from geolearn.topology._euclidicity_lists import AnnulusGrid, grid_lists, levels
from tests.reference import euclidicity as reference

pytestmark = pytest.mark.kernels


@pytest.fixture(scope="module")
def queries():
    """Lists of two queries with ties, one of them empty between the two."""
    rng = np.random.default_rng(0)
    first = np.sort(rng.integers(1, 12, 30) / 4.0)
    second = np.sort(rng.uniform(0.1, 3.0, 17))
    indptr = np.array([0, 30, 30, 47])
    priority = np.concatenate([rng.permutation(60)[:30], rng.permutation(60)[:17]])
    inner = np.tile([0.25, 0.75, 1.25], (3, 1))
    outer = np.tile([1.0, 1.25, 2.5], (3, 1))
    return indptr, np.concatenate([first, second]), priority, inner, outer


@pytest.mark.parametrize(("min_points", "max_points"), [(1, 100), (4, 6), (2, 1)])
def test_counts_marks_and_slices(queries, min_points, max_points):
    indptr, distances, priority, inner, outer = queries
    counts = np.zeros((3, 9), dtype=np.intp)
    used = np.zeros(47, dtype=np.bool_)
    count_and_mark(*queries, min_points, max_points, counts, used)
    owner = np.empty((3, 9), dtype=np.intp)
    found = slices(indptr, distances, inner, outer, counts, min_points, owner)
    expected = np.zeros(47, dtype=bool)
    for q in range(3):
        part = slice(indptr[q], indptr[q + 1])
        near, order = distances[part], priority[part]
        for cell in range(9):
            r, s = inner[q, cell // 3], outer[q, cell % 3]
            inside, kept = reference.annulus(near, r, s, max_points, order)
            n = len(inside) if r < s else 0
            assert counts[q, cell] == n
            if n < min_points:
                assert owner[q, cell] == -1
                continue
            query, low, high = found[owner[q, cell]]
            assert query == q
            assert_array_equal(np.arange(low, high), inside)
            assert_array_equal(low + members(order[low:high], max_points), kept)
            expected[indptr[q] + kept] = True
    assert_array_equal(used, expected)
    assert len(np.unique(found, axis=0)) == len(found)


def test_levels_are_those_of_linspace():
    first, last = np.array([0.1, 0.3]), np.array([0.7, 0.3])
    for n in (1, 2, 6):
        expected = np.linspace(first, last, n, axis=-1)
        assert_allclose(levels(first, last, n), expected, rtol=1e-15)
    # the last one to the last bit, since a point is at that distance
    last = np.random.default_rng(0).uniform(1.0, 2.0, 200)
    assert_array_equal(levels(last / 3.0, last, 7)[:, -1], last)


def test_bins():
    assert [bin_of(r, 1.0, 32) for r in (0.0, 0.4999, 0.51, 0.99)] == [0, 16, 16, 31]
    assert bin_of(0.999999, 1.0, 32) == 31


def test_two_shells():
    angles = [2.0 * np.pi * np.arange(n) / n for n in (6, 12)]
    rings = [
        r * np.column_stack([np.cos(a), np.sin(a)])
        for r, a in zip((1.0, 2.0), angles, strict=True)
    ]
    X = np.concatenate([np.zeros((1, 2)), *rings])
    model = Euclidicity(
        intrinsic_dim=2,
        radii=(0.8, 1.2, 1.2, 2.4),
        n_steps=2,
        model="interval",
        normalize=False,
    ).fit(X)
    expected = np.mean([0.5, 2.4 - np.sqrt(3.0), 2.0 * np.sqrt(3.0) - 2.4])
    assert_allclose(model.euclidicity_[0], expected, rtol=1e-12)


def test_scores_of_few_points():
    X = np.random.default_rng(0).uniform(size=(14, 2))
    model = Euclidicity(
        8, intrinsic_dim=2, n_steps=2, null_correction=True, n_model_samples=2
    )
    model.set_params(random_state=0, combine="pooled", max_points=5).fit(X)
    found = reference.score(
        X,
        X[3],
        n_neighbors=8,
        grid=None,
        n_steps=2,
        dim=2,
        max_degree=1,
        n_draws=2,
        seed=model._bank.seed,
        priority=model._priority,
        max_points=5,
        null_correction=True,
        combine="pooled",
    )
    assert_allclose(model.euclidicity_[3], found[0], rtol=1e-10)


def test_banks_do_not_depend_on_their_history():
    keys = np.array([[3, 4], [5, 0], [7, 31], [5, 9]])

    def bank():
        return ModelBank.empty(7, 2, 1, 2, True, True)

    def serial(function, arguments):
        return [function(argument) for argument in arguments]

    whole = bank().extended(keys, serial)
    grown = bank().extended(keys[2:], serial)
    before = grown.keys.copy()
    larger = grown.extended(keys, serial)
    assert_array_equal(grown.keys, before)
    assert larger.extended(keys, serial) is larger
    for n, b in keys:
        i, j = whole.places(0)[n, b], larger.places(0)[n, b]
        assert_array_equal(whole.null[i], larger.null[j])
        for m in range(2):
            one, two = (
                x.models.pairs[slice(*x.models.starts[2 * (2 * k + m) :][:2])]
                for x, k in ((whole, i), (larger, j))
            )
            assert len(one) == n - 1
            assert_array_equal(one, two)


def test_keys_are_those_of_the_cells():
    from geolearn.graph import NeighborIndex

    X = np.random.default_rng(0).uniform(size=(40, 2))
    grid = AnnulusGrid(12, None, 4, 2, 6)
    lists = grid_lists(NeighborIndex.build(X), X, grid, np.arange(40), None)
    expected = set()
    for q in range(40):
        for cell in range(16):
            if lists.counts[q, cell] >= 2:
                r, s = lists.inner[q, cell // 4], lists.outer[q, cell % 4]
                b = bin_of(r, s, N_BINS)
                expected.add((min(int(lists.counts[q, cell]), 6), int(b)))
    assert {tuple(map(int, key)) for key in needed_keys(lists, 2, 6)} == expected
