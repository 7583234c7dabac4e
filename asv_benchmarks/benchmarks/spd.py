"""Distances and means of SPD matrices, as their size and their number grow."""

import numpy as np

from geolearn.manifolds import SPD

FEW = {8: 300, 22: 150, 88: 40}  # for distance tables
COUNTS = {8: 2000, 22: 500, 88: 100}  # order of the matrices -> how many
ORDERS = tuple(COUNTS)
DISTANCES = (
    "affine_invariant",
    "log_euclidean",
    "log_cholesky",
    "bures_wasserstein",
    "stein",
)
MEANS = ("affine_invariant", "log_euclidean", "bures_wasserstein", "stein")


def matrices(n, count, seed=0):
    """Return sample covariances of 3 n samples with a shared mixing."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((n, n)) / np.sqrt(n) + 2.0 * np.eye(n)
    X = np.empty((count, n, n))
    for i in range(count):  # one by one: all samples at once would fill the memory
        samples = mixing @ rng.standard_normal((n, 3 * n))
        X[i] = samples @ samples.T / (3 * n)
    return X


class SPDDistances:
    """Time of the distances to one matrix and of a distance table."""

    params = (DISTANCES, ORDERS)
    param_names = ("metric", "n")

    def setup(self, metric, n):
        self.space = SPD(n, metric)
        self.X = matrices(n, COUNTS[n])
        self.few = self.X[: FEW[n]]
        self.space.dist(self.X[0], self.X[:20])  # load the compiled kernels
        self.space.pairwise_distances(self.X[:20])

    def time_to_one(self, metric, n):
        self.space.dist(self.X[0], self.X)

    def time_pairwise(self, metric, n):
        self.space.pairwise_distances(self.few)


class SPDDistanceAccuracy:
    """Relative error of the affine distance of ill-conditioned matrices."""

    params = ((1e4, 1e8, 1e10, 1e12),)
    param_names = ("condition",)
    unit = "relative error"

    def setup(self, condition):
        rng = np.random.default_rng(0)
        spectrum = np.geomspace(1.0, condition, 8)
        bases = np.linalg.qr(rng.standard_normal((6, 8, 8)))[0]
        X = (bases * spectrum) @ bases.transpose(0, 2, 1)
        X = 0.5 * (X + X.transpose(0, 2, 1))
        self.A, self.B = X[:3], X[3:]
        self.truth = [
            exact_distance(*pair) for pair in zip(self.A, self.B, strict=True)
        ]

    def track_worst_error(self, condition):
        found = SPD(8).dist(self.A, self.B)
        return float(np.max(np.abs(found / self.truth - 1.0)))


def exact_distance(A, B, digits=60):
    """Return the affine-invariant distance of the given float64 matrices."""
    import mpmath

    with mpmath.workdps(digits):
        inverse = mpmath.inverse(mpmath.cholesky(mpmath.matrix(A.tolist())))
        whitened = inverse * mpmath.matrix(B.tolist()) * inverse.T
        eigenvalues = mpmath.eigsy(whitened, eigvals_only=True)
        return float(mpmath.sqrt(sum(mpmath.log(value) ** 2 for value in eigenvalues)))


class SPDMeans:
    """Time and steps of the Fréchet mean."""

    params = (MEANS, ORDERS)
    param_names = ("metric", "n")

    def setup(self, metric, n):
        self.space = SPD(n, metric)
        self.X = matrices(n, COUNTS[n])
        self.space.frechet_mean(self.X[:20])

    def time_mean(self, metric, n):
        self.space.frechet_mean(self.X)

    def track_steps(self, metric, n):
        return self.space.frechet_mean(self.X, return_result=True).n_iter


class SPDThreads:
    """Time with one and with two threads."""

    params = (ORDERS, (1, 2))
    param_names = ("n", "n_jobs")

    def setup(self, n, n_jobs):
        self.space = SPD(n)
        self.X = matrices(n, COUNTS[n])
        self.few = self.X[: FEW[n]]
        self.space.pairwise_distances(self.X[:20], n_jobs=n_jobs)

    def time_pairwise(self, n, n_jobs):
        self.space.pairwise_distances(self.few, n_jobs=n_jobs)


class SPDGrowth:
    """Memory and time as the number of 22 x 22 matrices grows."""

    params = ((1000, 5000, 20_000),)
    param_names = ("n_matrices",)

    def setup(self, n_matrices):
        self.space = SPD(22)
        # A thousand different ones, repeated: drawing is not what is measured.
        self.X = np.tile(matrices(22, 1000), (n_matrices // 1000, 1, 1))
        self.space.frechet_mean(self.X[:20])

    def peakmem_input(self, n_matrices):
        pass  # what setup holds: subtract it from the others

    def peakmem_to_one(self, n_matrices):
        self.space.dist(self.X[0], self.X)

    def peakmem_mean(self, n_matrices):
        self.space.frechet_mean(self.X)

    def time_mean(self, n_matrices):
        self.space.frechet_mean(self.X)
