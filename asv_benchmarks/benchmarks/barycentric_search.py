"""Searches for the samples that span a barycentric subspace."""

import numpy as np

from geolearn.decomposition._bsa_search import (
    ProjectionProblem,
    VectorProblem,
    search_samples,
)
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, Sphere

SPACES = {
    "euclidean": Euclidean(5),
    "sphere": Sphere(5),
    "hyperboloid": Hyperboloid(5),
}


def problem(space, n):
    """Return random samples of a space of constant curvature."""
    manifold = SPACES[space]
    X = manifold.random_normal(n, scale=0.5, random_state=0)
    return VectorProblem(X, manifold)


class Forward:
    """Time to add five references one at a time, all samples being candidates."""

    params = (("euclidean", "sphere", "hyperboloid"), (500, 2000))
    param_names = ("space", "n")

    def setup(self, space, n):
        self.problem = problem(space, n)
        search_samples(problem(space, 20), 2)

    def time_forward(self, space, n):
        search_samples(self.problem, 5)

    def peakmem_forward(self, space, n):
        search_samples(self.problem, 5)


class Exhaustive:
    """Time to try all pairs and all triples, by the power of the distances."""

    params = (("euclidean", "sphere", "hyperboloid"), (2.0, 1.0, 0.1))
    param_names = ("space", "p")
    timeout = 300

    def setup(self, space, p):
        self.pairs, self.triples = problem(space, 500), problem(space, 120)
        for k in (1, 2):
            search_samples(problem(space, 20), k, strategy="pure", p=p)

    def time_pairs(self, space, p):
        search_samples(self.pairs, 1, strategy="pure", p=p, search="exhaustive")

    def time_triples(self, space, p):
        search_samples(self.triples, 2, strategy="pure", p=p, search="exhaustive")


class Pool:
    """Time and memory where candidates are drawn and no table is kept."""

    timeout = 600

    def setup(self):
        self.problem = problem("sphere", 100_000)
        search_samples(problem("sphere", 20), 2)

    def time_forward(self):
        search_samples(self.problem, 2, n_candidates=200, random_state=0)

    def peakmem_forward(self):
        search_samples(self.problem, 2, n_candidates=200, random_state=0)


class Projections:
    """Time of searches on SPD matrices, where each residual is a projection."""

    params = (1, 2)
    param_names = ("k",)

    def setup(self, k):
        X = SPD(3).random_normal(30, scale=0.5, random_state=0)
        self.problem = ProjectionProblem(SPD(3), X)
        search_samples(ProjectionProblem(SPD(3), X[:6]), k)

    def time_forward(self, k):
        search_samples(self.problem, k)


class Clusters:
    """Successes at finding three clusters among outliers, by the power."""

    params = (2.0, 0.5)
    param_names = ("p",)

    def track_successes(self, p):
        found = 0
        for seed in range(20):
            rng = np.random.default_rng(seed)
            near = np.repeat(np.eye(6)[:3], 10, axis=0)
            X = np.vstack(
                [near + rng.normal(0.0, 0.12, (30, 6)), rng.normal(size=(30, 6))]
            )
            X /= np.linalg.norm(X, axis=1, keepdims=True)
            search = search_samples(VectorProblem(X, Sphere(5)), 2, p=p)
            found += sorted(search.indices // 10) == [0, 1, 2]
        return found
