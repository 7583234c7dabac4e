"""Barycentric subspaces: cost of fits and of projections, and what they explain."""

import numpy as np

from geolearn.datasets import load_hand_shapes
from geolearn.decomposition import BarycentricSubspaceAnalysis
from geolearn.manifolds import SPD, Hyperboloid, PlanarShapes, Sphere

SPACES = {"sphere": Sphere(9), "hyperboloid": Hyperboloid(9), "spd": SPD(3)}


def points(space, n):
    """Return points around the origin of a space."""
    return SPACES[space].random_normal(n, scale=0.3, random_state=0)


def model(space, k, **options):
    """Return the estimator on a space; one thread."""
    return BarycentricSubspaceAnalysis(k, manifold=SPACES[space], **options)


class Forward:
    """Time and peak memory of six references, forward."""

    params = (("sphere", "hyperboloid"), (500, 2000, 20_000))
    param_names = ("space", "n")
    timeout = 300

    def setup(self, space, n):
        self.X = points(space, n)
        model(space, 5).fit(self.X[:50])

    def time_fit(self, space, n):
        model(space, 5, random_state=0).fit(self.X)

    def peakmem_fit(self, space, n):
        model(space, 5, random_state=0).fit(self.X)


class Strategies:
    """Time of three references of 100 points of a sphere."""

    params = (
        ("forward", "pure", "flag", "backward", "forward_backward"),
        ("sample", "free"),
    )
    param_names = ("strategy", "references")
    timeout = 300

    def setup(self, strategy, references):
        if (strategy, references) == ("forward_backward", "free"):
            raise NotImplementedError  # how asv leaves out a combination
        self.model = model(
            "sphere", 2, strategy=strategy, references=references, random_state=0
        )
        self.X = points("sphere", 100)
        self.model.fit(self.X[:20])

    def time_fit(self, strategy, references):
        self.model.fit(self.X)


class Matrices:
    """Time of three references of SPD(3) matrices, where spans are curved."""

    params = (30, 100)
    param_names = ("n",)
    timeout = 300

    def setup(self, n):
        self.X = points("spd", n)
        model("spd", 2).fit(self.X[:10])

    def time_fit(self, n):
        model("spd", 2).fit(self.X)


class Transform:
    """Time to project on the span of four given points."""

    params = (("sphere", "hyperboloid", "spd"), (1000, 100_000))
    param_names = ("space", "n")
    timeout = 300

    def setup(self, space, n):
        if (space, n) == ("spd", 100_000):
            raise NotImplementedError  # a minute
        X = points(space, n + 4)
        self.X = X[4:]
        self.model = model(space, 3, references=X[:4]).fit(X[:10])

    def time_transform(self, space, n):
        self.model.transform(self.X)


class Hands:
    """Share of the variance of hand shapes that two more references explain."""

    params = ("forward", "flag")
    param_names = ("strategy",)
    timeout = 600

    def setup(self, strategy):
        self.X = np.ascontiguousarray(load_hand_shapes().planar)

    def track_explained(self, strategy):
        bsa = BarycentricSubspaceAnalysis(
            2, manifold=PlanarShapes(22), strategy=strategy, search="greedy"
        )
        return float(bsa.fit(self.X).explained_variance_ratio_.sum())
