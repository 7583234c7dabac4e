"""Growth of Euclidicity with the neighbours, the samples and the scales."""

from sklearn.metrics import roc_auc_score

from geolearn.datasets import (
    make_crossing_planes,
    make_pinched_torus,
    make_wedged_spheres,
)
from geolearn.topology import Euclidicity, PersistentDimension


def model(n_neighbors=49, **options):
    """Return the estimator of surfaces with a fixed seed; one thread."""
    return Euclidicity(n_neighbors, intrinsic_dim=2, random_state=0, **options)


def warm_up():
    """Load the compiled kernels."""
    X, _ = make_wedged_spheres(100, random_state=0)
    model(20, n_steps=2).fit(X)
    PersistentDimension(20, n_steps=2).fit(X)


class Neighbors:
    """Time of 1000 queries, 100 cells each, as the number of neighbours grows."""

    params = ((19, 49, 99), (0, 1))
    param_names = ("n_neighbors", "max_degree")
    timeout = 300

    def setup(self, n_neighbors, max_degree):
        warm_up()
        self.X, _ = make_wedged_spheres(1000, random_state=0)
        self.model = model(n_neighbors, max_degree=max_degree).fit(self.X)

    def time_score(self, n_neighbors, max_degree):
        self.model.score_samples(self.X)

    def time_fit(self, n_neighbors, max_degree):
        model(n_neighbors, max_degree=max_degree).fit(self.X)


class Samples:
    """Time and peak memory as the sample grows, on a coarse grid."""

    params = ((1000, 4000, 16_000),)
    param_names = ("n",)
    timeout = 300

    def setup(self, n):
        warm_up()
        self.X, _ = make_wedged_spheres(n, random_state=0)

    def time_fit(self, n):
        model(n_steps=4, max_degree=0).fit(self.X)

    def peakmem_fit(self, n):
        model(n_steps=4, max_degree=0).fit(self.X)

    def time_dimension(self, n):
        PersistentDimension(n_steps=3, max_degree=1).fit(self.X)


class Thinning:
    """Time of 600 queries with annuli of a hundred points and more."""

    params = ((40, 80, 160),)
    param_names = ("max_points",)
    timeout = 300

    def setup(self, max_points):
        warm_up()
        self.X, _ = make_crossing_planes(600, random_state=0)

    def time_fit(self, max_points):
        radii = (0.2, 0.5, 0.5, 1.0)
        model(max_points=max_points, radii=radii, n_steps=4).fit(self.X)


class Singularities:
    """AUROC of singular against regular points."""

    params = (("pinched torus", "crossing planes"),)
    param_names = ("data",)
    timeout = 300

    def setup(self, data):
        make = make_pinched_torus if data == "pinched torus" else make_crossing_planes
        self.X, self.y = make(2000, random_state=0)

    def track_auroc(self, data):
        known = self.y >= 0
        scores = model(n_steps=6).fit(self.X).euclidicity_
        return roc_auc_score(self.y[known], scores[known])

    track_auroc.unit = "AUROC"
