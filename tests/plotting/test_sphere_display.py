import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from geolearn.manifolds import Sphere
from geolearn.plotting import SphereDisplay
from geolearn.plotting._sphere_geometry import longitude_latitude, rotation_to

draw = SphereDisplay.from_embedding
X = Sphere(2).random_point(40, random_state=0)


def offsets(display):
    return np.sort(np.asarray(display.scatter_.get_offsets()), axis=0)


class Directions(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.embedding_ = X / np.linalg.norm(X, axis=1, keepdims=True)
        return self

    def transform(self, X):
        return X / np.linalg.norm(X, axis=1, keepdims=True)


def test_coordinates_are_longitude_and_latitude():
    points = [[1, 0, 0], [0, 1, 0], [0, 0, -1], [-1, 0, 0], [1, 1, np.sqrt(2)]]
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    display = SphereDisplay(3.0 * np.array(points) / norms)
    expected = [[0, 0], [90, 0], [0, -90], [180, 0], [45, 45]]
    assert_allclose(display.coordinates, expected, atol=1e-12)


def test_map_shows_radians_of_geographic_axes_and_degrees_of_plain_ones():
    angles = longitude_latitude(X)
    for projection in ("mollweide", "hammer", "aitoff", "lambert"):
        display = draw(X, projection=projection)
        assert display.ax_.name == projection
        assert_allclose(offsets(display), np.sort(angles, axis=0))
    display = draw(X, projection="plate_carree")
    assert_allclose(offsets(display), np.sort(np.degrees(angles), axis=0))
    assert display.ax_.get_xlim() == (-180.0, 180.0)


@pytest.mark.parametrize("center", [(0.0, 0.0), (100.0, -35.0), (-170.0, 89.0)])
def test_center_is_turned_to_the_middle_with_north_above(center):
    longitude, latitude = np.radians(center)
    R = rotation_to(longitude, latitude)
    direction = [
        np.cos(latitude) * np.cos(longitude),
        np.cos(latitude) * np.sin(longitude),
        np.sin(latitude),
    ]
    assert_allclose(R @ R.T, np.eye(3), atol=1e-15)
    assert_allclose(np.linalg.det(R), 1.0)
    assert_allclose(R @ direction, [1.0, 0.0, 0.0], atol=1e-15)
    north = R @ [0.0, 0.0, 1.0]
    assert abs(north[1]) < 1e-15
    assert north[2] > 0.0
    display = draw(np.vstack([X, direction]), center=center)
    points = np.asarray(display.scatter_.get_offsets())
    assert np.linalg.norm(points, axis=1).min() < 1e-14


def test_mean_is_turned_to_the_middle():
    cap = X[X @ [0.6, 0.0, 0.8] > 0.3]
    display = draw(cap, center="mean")
    points = np.asarray(display.scatter_.get_offsets())
    longitude, latitude = points.T
    turned = np.column_stack(
        [np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    ).mean(axis=0)
    assert_allclose(turned, 0.0, atol=1e-12)


def test_globe_faces_the_center():
    display = draw(X, projection="3d", center=(40.0, 10.0))
    assert display.ax_.name == "3d"
    assert_allclose([display.ax_.azim, display.ax_.elev], [40.0, 10.0])
    display.figure_.canvas.draw()
    lines = display.ax_.get_lines()
    assert len(lines) > 20
    for line in lines:
        xyz = np.array(line.get_data_3d()).T
        xyz = xyz[np.isfinite(xyz).all(axis=1)]
        assert_allclose(np.linalg.norm(xyz, axis=1), 1.0)


def test_labels_are_drawn_as_in_other_displays():
    labels = np.where(X[:, 2] > 0, "north", "south")
    display = draw(X, labels, label_name="half")
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["north", "south"]
    assert display.legend_.get_title().get_text() == "half"
    scale = draw(X, X[:, 2], label_name="height")
    assert scale.colorbar_.ax.get_ylabel() == "height"
    assert draw(X, labels, legend=False).legend_ is None


def test_estimators_and_pipelines():
    Z = 2.0 * X + 0.1
    display = SphereDisplay.from_estimator(Directions(), Z)
    assert display.ax_.get_title() == "Directions"
    fitted = make_pipeline(FunctionTransformer(), Directions()).fit(Z)
    again = SphereDisplay.from_estimator(fitted, name="mine")
    assert again.ax_.get_title() == "mine"
    assert_allclose(again.coordinates, display.coordinates)


def test_axes_of_the_user():
    figure, ax = plt.subplots(subplot_kw={"projection": "mollweide"})
    display = draw(X, ax=ax)
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(ValueError, match=r"projection='3d', but ax has 'mollweide'"):
        draw(X, ax=ax, projection="3d")
    _, polar = plt.subplots(subplot_kw={"projection": "polar"})
    with pytest.raises(ValueError, match=r"ax has projection 'polar'"):
        draw(X, ax=polar)
    _, plain = plt.subplots()
    assert draw(X, ax=plain).ax_.get_xlabel() == "longitude"


def test_bad_input():
    with pytest.raises(ValueError, match=r"has 2 columns; points of a sphere"):
        SphereDisplay(X[:, :2])
    wrong = X.copy()
    wrong[7] *= 1.1
    with pytest.raises(ValueError, match=r"embedding\[7\] has norm 1.1"):
        SphereDisplay(wrong)
    with pytest.raises(ValueError, match=r"lie on no sphere"):
        SphereDisplay(np.zeros((3, 3)))
    with pytest.raises(ValueError, match=r"projection='mercator' is unknown"):
        draw(X, projection="mercator")
    for center in ("middle", (10.0,), (0.0, 100.0), (np.nan, 0.0), 3):
        with pytest.raises(ValueError, match=r"center=.* must be 'mean', None, or"):
            draw(X, center=center)
    with pytest.raises(ValueError, match=r"no direction"):
        draw(np.vstack([X, -X]), center="mean")
    with pytest.raises(TypeError, match=r"use size instead"):
        draw(X, s=3)
    with pytest.raises(ValueError, match=r"labels"):
        draw(X, [1, 2])
    assert plt.get_fignums() == []
