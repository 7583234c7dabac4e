"""Searches by projections: closed forms, other manifolds, screening, cut loci."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.decomposition import unexplained_variance
from geolearn.decomposition._bsa_search import (
    GramProblem,
    ProjectionProblem,
    VectorProblem,
    search_samples,
)
from geolearn.decomposition._bsa_search_projection import unrank
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, PlanarShapes, Sphere
from tests.reference import barycentric_search as slow

STRATEGIES = ("forward", "backward", "pure", "flag", "forward_backward")


class Spans(slow.Table):
    """Unexplained variances by the public function."""

    def __call__(self, indices):
        key = tuple(sorted(indices))
        if key not in self.known:
            self.known[key] = unexplained_variance(
                self.manifold,
                self.X,
                self.X[list(key)],
                p=self.p,
                sample_weight=self.weight,
            )
        return self.known[key]


@pytest.mark.parametrize("search", ["greedy", "exhaustive"])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("manifold", [Euclidean(3), Sphere(3), Hyperboloid(3)], ids=str)
def test_closed_forms(manifold, strategy, search):
    X = manifold.random_normal(9, scale=0.6, random_state=0)
    for k, p in ((1, 2.0), (2, 1.0)):
        one, two = (
            search_samples(problem, k, strategy=strategy, search=search, p=p)
            for problem in (ProjectionProblem(manifold, X), VectorProblem(X, manifold))
        )
        assert_array_equal(one.indices, two.indices)
        assert_allclose(one.unexplained, two.unexplained, rtol=1e-8)
        assert one.converged


@pytest.mark.parametrize("strategy", STRATEGIES[:4])
@pytest.mark.parametrize("manifold", [SPD(2), PlanarShapes(4)], ids=str)
def test_brute_force(manifold, strategy):
    X = manifold.random_normal(7, scale=0.3, random_state=1)
    weight = np.array([1.0, 2.0, 1.0, 0.0, 1.0, 3.0, 1.0])
    for p in (2.0, 0.5):
        found = search_samples(
            ProjectionProblem(manifold, X),
            1,
            strategy=strategy,
            search="exhaustive",
            p=p,
            sample_weight=weight,
        )
        table = Spans(manifold, X, weight, p)
        expected = getattr(slow, strategy)(table, 1)
        assert found.indices.tolist() == expected
        assert_allclose(found.unexplained, table.nested(expected), rtol=1e-6)


def test_commuting_matrices_are_their_logarithms():
    v = np.random.default_rng(0).normal(size=(8, 3)) * 0.5
    X = np.exp(v)[:, :, None] * np.eye(3)
    for strategy in STRATEGIES[:4]:
        one = search_samples(ProjectionProblem(SPD(3), X), 1, strategy=strategy)
        two = search_samples(VectorProblem(v, Euclidean(3)), 1, strategy=strategy)
        assert_array_equal(one.indices, two.indices)
        assert_allclose(one.unexplained, two.unexplained, rtol=1e-7)


def test_triangles_are_a_sphere_of_half_the_radius():
    manifold = PlanarShapes(3)
    X = manifold.random_normal(8, scale=0.25, random_state=0)
    distances = manifold.pairwise_distances(X)
    for strategy in STRATEGIES[:4]:
        one = search_samples(ProjectionProblem(manifold, X), 1, strategy=strategy)
        two = search_samples(
            GramProblem.from_distances(distances, 4.0), 1, strategy=strategy
        )
        assert_array_equal(one.indices, two.indices)
        assert_allclose(one.unexplained, two.unexplained, rtol=1e-7)


def test_screening_finds_the_best_pair_of_moderate_data():
    X = SPD(2).random_normal(14, scale=0.5, random_state=3)
    full = search_samples(ProjectionProblem(SPD(2), X), 1, strategy="pure")
    some = search_samples(ProjectionProblem(SPD(2), X, n_screen=10), 1, strategy="pure")
    assert full.search == "exhaustive"
    assert_array_equal(full.indices, some.indices)


def test_more_subsets_than_memory_holds_are_refused():
    X = Sphere(5).random_point(80, random_state=0)
    problem = ProjectionProblem(Sphere(5), X)
    with pytest.raises(ValueError, match="use search='greedy', or lower n_candidates"):
        search_samples(problem, 4, strategy="pure", search="exhaustive")


def test_no_reference_on_the_cut_locus_of_another():
    X = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0.6, 0.8], [0.8, 0, 0.6]])
    for strategy in STRATEGIES[:4]:
        problem = ProjectionProblem(Sphere(2), X)
        found = search_samples(problem, 1, strategy=strategy)
        assert sorted(found.indices) != [0, 1]
        assert np.isfinite(found.unexplained).all()


def test_duplicates_and_full_spans():
    X = SPD(2).random_normal(5, scale=0.5, random_state=0)[[0, 0, 1, 2, 2, 3, 4]]
    found = search_samples(ProjectionProblem(SPD(2), X), 3)
    assert len({(0, 0, 1, 2, 2, 3, 4)[i] for i in found.indices}) == 4
    assert found.unexplained[3] == 0.0
    with pytest.raises(ValueError, match="needs at least 7 distinct samples"):
        search_samples(ProjectionProblem(SPD(2), X), 6)


def test_places_in_colexicographic_order():
    subsets = [unrank(rank, 3) for rank in range(20)]
    assert subsets[:4] == [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    assert sorted(subsets, key=lambda s: s[::-1]) == subsets
