import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from geolearn.decomposition import PrincipalSubbundle
from geolearn.plotting import SubbundleDisplay
from geolearn.plotting._subbundle_shapes import (
    directions,
    quads,
    spread_subset,
    squares,
)

RNG = np.random.default_rng(0)
FLAT = RNG.uniform(-1.0, 1.0, size=(80, 3)) * [1.0, 1.0, 0.0]


class Coordinates(BaseEstimator):
    """The first k axes as principal subbundle; curves end at distance `reach`."""

    def __init__(self, n_components=2, reach=np.inf):
        self.n_components = n_components
        self.reach = reach

    def fit(self, X, y=None):
        self.base_point_ = np.zeros(X.shape[1])
        self.n_components_ = self.n_components
        return self

    def fit_transform(self, X, y=None):
        self.fit(X)
        self.embedding_ = X[:, : self.n_components].copy()
        self.embedding_[0] = np.nan  # a sample that was not reached
        return self.embedding_

    def tangent_space(self, X):
        frame = np.eye(X.shape[1])[:, : self.n_components]
        frames = np.tile(frame, (X.shape[0], 1, 1))
        frames[X[:, 0] > 0.9] = np.nan  # off the support
        return frames

    def geodesic(self, v, t):
        frame = np.eye(self.base_point_.shape[0])[:, : self.n_components]
        times = np.linspace(0.0, 1.0, t)
        curves = times[:, None] * (v @ frame.T)[:, None]
        far = np.linalg.norm(curves, axis=2) > self.reach
        curves[far] = np.nan
        return curves


def test_curves_reach_as_far_as_the_chart():
    model = Coordinates()
    display = SubbundleDisplay.from_estimator(model, FLAT, n_curves=12)
    assert not hasattr(model, "embedding_")  # a clone was fitted
    longest = np.linalg.norm(FLAT[1:, :2], axis=1).max()
    assert display.curves.shape == (12, 41, 3)
    assert_allclose(np.linalg.norm(display.curves[:, -1], axis=1), longest)
    fitted = Coordinates().fit(FLAT)
    display = SubbundleDisplay.from_estimator(fitted, FLAT)
    through_space = np.linalg.norm(FLAT, axis=1).max()
    assert_allclose(np.linalg.norm(display.curves[:, -1], axis=1), through_space)
    display = SubbundleDisplay.from_estimator(fitted, FLAT, radius=0.25)
    assert_allclose(np.linalg.norm(display.curves[:, -1], axis=1), 0.25)
    assert display.ax_.get_title() == "Coordinates"


def test_planes_in_space_are_squares_of_the_wanted_size():
    positions = FLAT[:5]
    frames = np.linalg.qr(RNG.normal(size=(5, 3, 2)))[0]
    corners = squares(positions, frames, 0.1)
    assert_allclose(corners.mean(axis=1), positions, atol=1e-15)
    away = corners - positions[:, None]
    assert_allclose(np.linalg.norm(away, axis=2), 0.1)
    assert_allclose(
        away @ np.cross(*np.moveaxis(frames, 2, 0))[..., None], 0, atol=1e-15
    )
    sides = corners - np.roll(corners, 1, axis=1)
    assert_allclose(np.linalg.norm(sides, axis=2), 0.1 * np.sqrt(2.0))


def test_planes_that_are_not_known_are_left_out():
    model = Coordinates().fit(FLAT)
    display = SubbundleDisplay.from_estimator(model, FLAT, components=(0, 1))
    beyond = display.positions[:, 0] > 0.9
    assert beyond.any()
    segments = display.tangents_.get_segments()
    assert len(segments) == 2 * (~beyond).sum()
    lost = FLAT + np.array([5.0, 0.0, 0.0])  # no plane is known, no curve starts
    display = SubbundleDisplay.from_estimator(Coordinates(reach=-1.0).fit(FLAT), lost)
    assert display.surface_ is None
    display.figure_.canvas.draw()


def test_lines_are_segments_along_the_tangent():
    plane = FLAT[:, :2]
    display = SubbundleDisplay.from_estimator(
        Coordinates(1), plane, n_tangents=10, n_curves=9, tangent_length=0.2
    )
    segments = np.array(display.tangents_.get_segments())
    assert_allclose(segments[:, 1] - segments[:, 0], [[0.4, 0.0]] * len(segments))
    assert display.surface_ is None
    assert len(display.lines_) == 2  # forwards and backwards
    ends = sorted(line.get_xdata()[-1] for line in display.lines_)
    assert ends[0] == -ends[1] < 0.0


def test_surface_lies_between_curves_and_ends_where_they_end():
    model = Coordinates(reach=0.5).fit(FLAT)
    display = SubbundleDisplay.from_estimator(model, FLAT, radius=1.0, n_curves=8)
    patches = quads(display.curves)
    # Of 40 steps of 1/40, 20 stay within 0.5.
    assert patches.shape == (8 * 20, 4, 3)
    a, b, c, d = np.moveaxis(patches[..., :2], 1, 0)

    def cross(u, v):
        return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]

    area = 0.5 * np.abs(cross(c - a, d - b)).sum()
    assert_allclose(area, 0.5 * 8 * np.sin(np.pi / 4) * 0.25)  # an octagon
    bare = SubbundleDisplay.from_estimator(
        model, FLAT, radius=1.0, surface=False, curves=False, tangents=False
    )
    assert bare.surface_ is None
    assert bare.lines_ == []
    assert bare.tangents_ is None


def test_more_dimensions_are_flattened_with_their_shapes():
    wide = RNG.normal(size=(60, 7)) * [1.0, 3.0, 0.1, 0.1, 0.1, 0.1, 0.1]
    display = SubbundleDisplay.from_estimator(
        Coordinates(), wide, n_curves=4, n_tangents=6, radius=2.0
    )
    assert display.ax_.name == "rectilinear"
    assert "principal component 0 (" in display.ax_.get_xlabel()
    # The plane of the first two axes is nearly that of the view.
    for line in display.lines_:
        start, *_, end = line.get_xydata()
        assert_allclose(np.linalg.norm(end - start), 2.0, rtol=0.01)
    assert len(display.surface_.get_paths()) == 4 * 40
    drawn = np.asarray(display.scatter_.get_offsets())
    assert_allclose(drawn.mean(axis=0), 0.0, atol=1e-12)
    middles = np.mean(display.tangents_.get_segments(), axis=1)
    gaps = np.linalg.norm(middles[:, None] - drawn, axis=2)
    assert_allclose(gaps.min(axis=1), 0.0, atol=1e-12)  # at samples
    space = display.plot(components=(0, 1, 4))
    assert space.ax_.name == "3d"


def test_display_of_arrays():
    t = np.linspace(0.0, 1.0, 30)
    line = np.column_stack((t, t))
    display = SubbundleDisplay(line, curves=line[None], labels=t).plot()
    assert len(display.lines_) == 1
    assert display.surface_ is None
    assert display.colorbar_ is not None
    assert display.tangents_ is None
    volume = Coordinates(3).fit(FLAT)
    display = SubbundleDisplay.from_estimator(volume, FLAT, n_curves=20)
    assert display.surface_ is None
    assert len(display.lines_) == 20


def test_directions_are_spread():
    for dim in (2, 3, 5):
        V = directions(dim, 64)
        assert_allclose(np.linalg.norm(V, axis=1), 1.0)
        assert np.linalg.norm(V.mean(axis=0)) < 0.3
        assert_array_equal(V, directions(dim, 64))
    ring = directions(2, 16)
    steps = np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1)
    assert_allclose(steps, 2.0 * np.sin(np.pi / 16))


def test_spread_subset_has_gaps_of_one_size():
    X = RNG.uniform(size=(3000, 2))
    chosen = spread_subset(X, 25)
    assert np.unique(chosen).shape == (25,)
    gaps = np.linalg.norm(X[chosen][:, None] - X[chosen], axis=2)
    assert gaps[np.triu_indices(25, 1)].min() > 0.12  # of 25 random ones: 0.02
    assert_array_equal(spread_subset(X[:7], 25), np.arange(7))


def test_fewer_than_three_curves_sweep_no_surface():
    display = SubbundleDisplay.from_estimator(Coordinates(), FLAT, n_curves=1)
    assert display.surface_ is None
    plt.close(display.figure_)


def test_names_of_the_samples_reach_the_estimator():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(FLAT, columns=["a", "b", "c"])
    model = PrincipalSubbundle(bandwidth=0.5, base_point=[0.0, 0.0, 0.0]).fit(frame)
    display = SubbundleDisplay.from_estimator(model, frame, n_curves=0, n_tangents=3)
    assert display.tangents.shape == (3, 3, 2)
    plt.close(display.figure_)


def test_bad_arguments():
    model = Coordinates().fit(FLAT)
    before = plt.get_fignums()
    with pytest.raises(ValueError, match="n_curves must be at least 0, got -1"):
        SubbundleDisplay.from_estimator(model, FLAT, n_curves=-1)
    with pytest.raises(ValueError, match="radius must be positive"):
        SubbundleDisplay.from_estimator(model, FLAT, radius=0.0)
    with pytest.raises(TypeError, match="n_tangents must be an integer"):
        SubbundleDisplay.from_estimator(model, FLAT, n_tangents=2.5)
    with pytest.raises(TypeError, match="Pipeline has no tangent spaces"):
        SubbundleDisplay.from_estimator(make_pipeline(Coordinates()), FLAT)
    with pytest.raises(ValueError, match="together, or neither"):
        SubbundleDisplay(FLAT, positions=FLAT)
    with pytest.raises(ValueError, match=r"wanted is \(80, 3, any\)"):
        SubbundleDisplay(FLAT, positions=FLAT, tangents=np.zeros((79, 3, 2)))
    with pytest.raises(ValueError, match=r"curves has shape \(80, 3\)"):
        SubbundleDisplay(FLAT, curves=FLAT)
    with pytest.raises(ValueError, match="feature_names has 2 entries"):
        SubbundleDisplay(FLAT, feature_names=["a", "b"])
    assert plt.get_fignums() == before
