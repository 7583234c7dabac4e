"""Growth of RieSNE with the samples, on the plane and on curved targets."""

import numpy as np

from geolearn.embedding import RieSNE
from geolearn.manifolds import SPD, Sphere
from geolearn.metrics import trustworthiness

SPD8 = SPD(8)


def clusters(n):
    """Return SPD(8) matrices around ten random centres."""
    centres = SPD8.random_normal(10, scale=0.3, random_state=0)
    centres = centres[np.random.default_rng(0).integers(10, size=n)]
    return SPD8.exp(centres, SPD8.random_tangent(centres, scale=0.1, random_state=0))


def model(**options):
    """Return the estimator with a fixed seed; one thread."""
    return RieSNE(SPD8, random_state=0, **options)


class Fit:
    """Time and peak memory of `fit`; the tree sums the repulsion above 5000."""

    params = ((500, 2000, 10_000), ("euclidean", "sphere"))
    param_names = ("n", "target")
    timeout = 600

    def setup(self, n, target):
        self.X = clusters(n)
        method = "exact" if n <= 5000 else "barnes_hut"
        model(target=target, max_iter=5, method=method).fit(self.X[:300])

    def time_fit(self, n, target):
        model(target=target).fit(self.X)

    def peakmem_fit(self, n, target):
        model(target=target).fit(self.X)


class Transform:
    """Time to place new points in an embedding of 2000 points."""

    params = (10, 100, 1000)
    param_names = ("n_new",)
    timeout = 300

    def setup(self, n_new):
        X = clusters(2000 + n_new)
        self.new = X[2000:]
        self.model = model(max_iter=100).fit(X[:2000])
        self.model.transform(self.new[:5])

    def time_transform(self, n_new):
        self.model.transform(self.new)


class Quality:
    """Trustworthiness of noisy points of a sphere in the five-dimensional sphere."""

    params = ("euclidean", "sphere")
    param_names = ("target",)
    timeout = 300

    def setup(self, target):
        rng = np.random.default_rng(0)
        X = np.zeros((600, 6))
        X[:, :3] = Sphere(2).random_point(600, random_state=0)
        self.X = Sphere(5).project(X + 0.03 * rng.normal(size=X.shape))
        self.D = Sphere(5).pairwise_distances(self.X)

    def track_trustworthiness(self, target):
        sne = RieSNE(Sphere(5), target=target, random_state=0).fit(self.X)
        D = sne.target_manifold_.pairwise_distances(sne.embedding_)
        return trustworthiness(self.D, D, n_neighbors=15)
