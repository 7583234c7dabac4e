"""What a gradient of stochastic neighbour embedding costs, and how far trees err."""

import numpy as np
from scipy import sparse

from geolearn.embedding._sne_objective import SNEObjective
from geolearn.manifolds import Euclidean, Hyperboloid, Sphere

TARGETS = {
    "plane": Euclidean(2),
    "sphere": Sphere(2),
    "hyperboloid": Hyperboloid(2),
}


def clusters(manifold, n):
    """Return points in ten clusters, and affinities to 90 random points each."""
    rng = np.random.default_rng(0)
    centre = manifold.random_point(10, random_state=0)[rng.integers(10, size=n)]
    if manifold == TARGETS["plane"]:
        centre = 30.0 * centre
    Y = manifold.exp(centre, 0.3 * manifold.random_tangent(centre, random_state=1))
    rows = np.repeat(np.arange(n), 90)
    columns = (rows + rng.integers(1, n, size=rows.size)) % n
    P = sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(n, n))
    P = sparse.csr_array(P + P.T)
    return Y, P / P.sum()


class Gradient:
    """Time of one gradient over all pairs."""

    params = (
        tuple(TARGETS),
        ("student", "student_chordal", "brownian"),
        (1000, 4000),
    )
    param_names = ("target", "kernel", "n")

    def setup(self, target, kernel, n):
        self.Y, P = clusters(TARGETS[target], n)
        self.objective = SNEObjective(P, target=TARGETS[target], kernel=kernel)
        self.objective(self.Y)

    def time_gradient(self, target, kernel, n):
        self.objective(self.Y, want_kl=False)


class Tree:
    """Time and relative error of one gradient by the tree."""

    params = (("plane", "sphere"), (5000, 20_000))
    param_names = ("target", "n")
    timeout = 120

    def setup(self, target, n):
        self.manifold = TARGETS[target]
        self.Y, self.P = clusters(self.manifold, n)
        self.tree = self.objective("barnes_hut")
        self.tree(self.Y)

    def objective(self, method):
        return SNEObjective(
            self.P, target=self.manifold, kernel="student_chordal", method=method
        )

    def time_gradient(self, target, n):
        self.tree(self.Y, want_kl=False)

    def peakmem_gradient(self, target, n):
        self.tree(self.Y, want_kl=False)

    def track_error(self, target, n):
        exact = self.objective("exact")(self.Y).gradient
        difference = np.linalg.norm(self.tree(self.Y).gradient - exact)
        return difference / np.linalg.norm(exact)
