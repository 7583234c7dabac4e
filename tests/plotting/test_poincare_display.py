import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator

from geolearn.embedding import HyperbolicMDS, TreeEmbedding
from geolearn.manifolds import Hyperboloid, convert_hyperbolic
from geolearn.metrics import hyperbolic_distances
from geolearn.plotting import PoincareDisplay

draw = PoincareDisplay.from_embedding
X = Hyperboloid(2).random_normal(25, scale=1.0, random_state=0)
EDGES = np.array([[(k - 1) // 2, k] for k in range(1, 15)])
TREE = np.zeros((15, 15))
TREE[EDGES[:, 0], EDGES[:, 1]] = 1.0


def test_points_are_those_of_the_disk_in_every_model():
    disk = convert_hyperbolic(X, "hyperboloid", "poincare")
    for model in ("hyperboloid", "poincare", "klein"):
        for curvature in (-1.0, -4.0):
            H = X / np.sqrt(-curvature)
            Z = convert_hyperbolic(H, "hyperboloid", model, curvature)
            display = draw(Z, model=model, curvature=curvature)
            assert_allclose(display.points_, disk, rtol=1e-10, atol=1e-14)
    drawn = np.asarray(display.scatter_.get_offsets())
    assert_allclose(np.sort(drawn, axis=0), np.sort(disk, axis=0), atol=1e-14)


def test_centring_is_an_isometry_that_brings_the_row_to_the_middle():
    far = np.vstack([X, Hyperboloid(2).exp([1.0, 0, 0], [0.0, 20.0, 3.0])])
    for center in (3, -1):
        display = draw(far, center=center)
        assert_allclose(display.points_[center], 0.0, atol=1e-6)
    moved = draw(X, center=4).points_
    assert_allclose(
        hyperbolic_distances(moved, model="poincare"),
        hyperbolic_distances(X),
        rtol=1e-10,
        atol=1e-12,
    )
    mean = Hyperboloid(2).frechet_mean(X)
    centred = draw(np.vstack([X, mean]), center="mean").points_
    assert_allclose(centred[-1], 0.0, atol=1e-9)


def test_edges_are_geodesics():
    embedding = TreeEmbedding(scale=1.5).fit(TREE)
    display = PoincareDisplay.from_estimator(embedding, edges=EDGES, center=2)
    paths = display.edges_.get_paths()
    assert len(paths) == 14
    for (start, end), path in zip(EDGES, paths, strict=True):
        arc = path.vertices
        assert_allclose(arc[[0, -1]], display.points_[[start, end]], atol=1e-12)
        # Lengths along a geodesic add up to the distance, and are equally spaced.
        steps = np.diag(hyperbolic_distances(arc[:-1], arc[1:], model="poincare"))
        assert_allclose(steps, 1.5 / len(steps), rtol=1e-8)


def test_estimators_tell_their_curvature():
    D = hyperbolic_distances(X)
    fitted = HyperbolicMDS(2, scale=1.0).fit(D)
    display = PoincareDisplay.from_estimator(fitted, y=X[:, 1])
    assert display.ax_.get_title() == "HyperbolicMDS"
    assert_allclose(
        hyperbolic_distances(display.points_, model="poincare"), D, atol=1e-8
    )

    class Curved(BaseEstimator):
        embedding_ = X / 2.0

        def fit(self, X):
            return self

        def __sklearn_is_fitted__(self):
            return True

    def curved(**attributes):
        estimator = Curved()
        estimator.__dict__.update(attributes)
        return estimator

    disk = convert_hyperbolic(X, "hyperboloid", "poincare")
    for known in ({"signature": [(-4.0, 2)]}, {"target_manifold_": Hyperboloid(2, -4)}):
        display = PoincareDisplay.from_estimator(curved(**known))
        assert_allclose(display.points_, disk, rtol=1e-12, atol=1e-15)
    with pytest.raises(ValueError, match=r"not on"):
        PoincareDisplay.from_estimator(curved())
    display = PoincareDisplay.from_estimator(curved(), curvature=-4.0)
    assert_allclose(display.points_, disk, rtol=1e-12, atol=1e-15)


def test_labels_and_axes():
    figure, ax = plt.subplots()
    labels = np.where(X[:, 1] > 0, "right", "left")
    display = draw(X, labels, ax=ax, name="plane")
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]
    assert [t.get_text() for t in display.legend_.get_texts()] == ["left", "right"]
    assert ax.get_title() == "plane"
    assert display.edges_ is None


def test_bad_input():
    with pytest.raises(ValueError, match=r"has 2 columns; .* 3 with model='hyperb"):
        PoincareDisplay(X[:, :2])
    with pytest.raises(ValueError, match=r"not on"):
        PoincareDisplay(X * [2.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"curvature"):
        PoincareDisplay(X, curvature=1.0)
    with pytest.raises(ValueError, match=r"model"):
        PoincareDisplay(X[:, :2], model="halfplane")
    for edges in ([[0, 1, 2]], [[0.5, 1.0]], [0, 1]):
        with pytest.raises(ValueError, match=r"edges must be pairs of rows"):
            PoincareDisplay(X, edges=edges)
    with pytest.raises(ValueError, match=r"edges name rows from 0 to 25"):
        PoincareDisplay(X, edges=[[0, 25]])
    for center, message in ((25, "is no row"), ("top", "must be"), (True, "must be")):
        with pytest.raises(ValueError, match=message):
            draw(X, center=center)
    assert plt.get_fignums() == []
