"""Growth of HeatGeodesicEmbedding and of the heat kernel with the samples."""

import numpy as np
from scipy.spatial.distance import cdist

from geolearn.datasets import make_branching_tree, make_swiss_roll
from geolearn.embedding import HeatGeodesicEmbedding
from geolearn.graph import alpha_decay_affinity, graph_laplacian, heat_kernel
from geolearn.metrics import distance_correlation_score

N_NEIGHBORS = 10
N_SCORED = 1000
WIDE = 21.0  # at n = 4000 and more: the usual roll, not a ribbon


def roll(n):
    """Return the Bunch of a Swiss roll with a little noise."""
    width = WIDE if n > 3000 else 5.0
    return make_swiss_roll(n, noise=0.1, width=width, random_state=42, return_X_y=False)


def model(**options):
    """Return the estimator with a fixed seed; one thread."""
    return HeatGeodesicEmbedding(n_neighbors=N_NEIGHBORS, random_state=0, **options)


def warm_up():
    """Load the compiled kernels, with and without landmarks."""
    X = roll(200).X
    model().fit(X).transform(X[:5])
    model(n_landmarks=50).fit(X).transform(X[:5])


class Fit:
    """Time and peak memory of `fit`; landmarks by default above n = 3000."""

    params = ((500, 1000, 2000, 4000, 20_000), (10.0, "auto"))
    param_names = ("n", "t")
    timeout = 600

    def setup(self, n, t):
        warm_up()
        self.X = roll(n).X

    def time_fit(self, n, t):
        model(t=t).fit(self.X)

    def peakmem_fit(self, n, t):
        model(t=t).fit(self.X)


class Landmarks:
    """Time of `fit` at one n as the number of landmarks grows."""

    params = ((100, 300, 1000),)
    param_names = ("n_landmarks",)
    timeout = 600

    def setup(self, n_landmarks):
        warm_up()
        self.X = roll(4000).X

    def time_fit(self, n_landmarks):
        model(t=50.0, n_landmarks=n_landmarks).fit(self.X)

    def peakmem_fit(self, n_landmarks):
        model(t=50.0, n_landmarks=n_landmarks).fit(self.X)


class Transform:
    """Time to place new points in an embedding of 2000 points."""

    params = ((10, 100, 1000), ("stress", "average"))
    param_names = ("n_new", "extension")
    timeout = 300

    def setup(self, n_new, extension):
        X = roll(2000 + n_new).X
        self.new = X[2000:]
        self.model = model(t=20.0, extension=extension).fit(X[:2000])
        self.model.transform(self.new[:5])

    def time_transform(self, n_new, extension):
        self.model.transform(self.new)


class Quality:
    """Correlation of the embedding's distances with the true geodesic ones."""

    params = (("roll 1000", "roll 4000", "roll 20000", "tree 1000"),)
    param_names = ("data",)
    timeout = 600

    def setup(self, data):
        kind, n = data.split()
        if kind == "roll":
            bunch = roll(int(n))
            self.X = bunch.X
            rows = np.random.default_rng(0).permutation(int(n))[:N_SCORED]
            self.geodesics = cdist(bunch.unrolled[rows], bunch.unrolled[rows])
            self.rows = rows
        else:
            self.X, _, self.geodesics = make_branching_tree(
                5, int(n) // 5, noise=0.1, random_state=42, return_geodesics=True
            )
            self.rows = np.arange(int(n))

    def track_distance_correlation(self, data):
        Y = model(t="relaxation").fit_transform(self.X)[self.rows]
        return distance_correlation_score(cdist(Y, Y), self.geodesics)

    track_distance_correlation.unit = "Pearson"


class HeatKernel:
    """Time of 100 columns of the heat kernel of a Swiss roll's graph."""

    params = ((1000, 4000, 20_000), (10.0, 100.0))
    param_names = ("n", "t")
    timeout = 300

    def setup(self, n, t):
        W, _ = alpha_decay_affinity(roll(n).X, N_NEIGHBORS)
        self.L = graph_laplacian(W)
        self.sources = np.arange(0, n, n // 100)[:100]
        heat_kernel(self.L, t, sources=self.sources[:2])

    def time_columns(self, n, t):
        heat_kernel(self.L, t, sources=self.sources)
