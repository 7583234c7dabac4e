import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from geolearn.plotting import EuclidicityProfileDisplay, SingularityDisplay

X = np.random.default_rng(0).normal(size=(30, 2))
INNER, OUTER = np.array([0.1, 0.2, 0.3]), np.array([0.25, 0.35])
R, S = (grid.ravel() for grid in np.meshgrid(INNER, OUTER, indexing="ij"))


class Euclidicity(BaseEstimator):
    """Score by the distance from the origin; no score on the left of -1."""

    def fit(self, X, y=None):
        self.n_seen_ = len(X)
        return self

    def score_samples(self, X):
        check_is_fitted(self)
        X = np.asarray(X)
        return np.where(X[:, 0] < -1.0, np.nan, -np.linalg.norm(X, axis=1))

    def predict(self, X):
        return np.where(self.score_samples(X) < -1.5, -1, 1) * np.where(
            np.asarray(X)[:, 0] < -1.0, -1, 1
        )

    def profile(self, Q):
        check_is_fitted(self)
        Q = np.asarray(Q)
        size = np.linalg.norm(Q, axis=1)[:, None]
        combined = np.where(R < S, size * (S - R), np.nan)
        return Bunch(
            inner_radius=np.tile(R, (len(Q), 1)),
            outer_radius=np.tile(S, (len(Q), 1)),
            n_points=np.tile(np.arange(6), (len(Q), 1)),
            distance=np.stack((combined, 2.0 * combined), axis=2),
            combined=combined,
            top_degree=np.tile([0, 1, -1, 0, -1, 1], (len(Q), 1)),
        )


def place_of(display, value):
    """Return where the point of a score was drawn, and its colour value."""
    drawn = np.ma.filled(display.scatter_.get_array(), np.nan)
    i = int(np.nanargmin(np.abs(drawn - value)))
    return np.asarray(display.scatter_.get_offsets())[i], drawn[i]


def test_scores_are_large_where_points_are_singular():
    detector = Euclidicity().fit(X)
    display = SingularityDisplay.from_estimator(detector, X)
    size = np.where(X[:, 0] < -1.0, np.nan, np.linalg.norm(X, axis=1))
    assert_array_equal(display.scores, size)
    for i in np.flatnonzero(np.isfinite(size))[:5]:
        place, value = place_of(display, size[i])
        assert_allclose(place, X[i])
        assert_allclose(value, size[i])
    assert display.colorbar_.ax.get_ylabel() == "Euclidicity"
    assert display.ax_.get_title() == "Euclidicity"
    assert_allclose(
        display.scatter_.get_clim(), np.nanpercentile(size, (2, 98)), rtol=1e-12
    )


def test_rings_mark_outliers_that_have_a_score():
    display = SingularityDisplay.from_estimator(Euclidicity(), X, ring_color="red")
    expected = (X[:, 0] >= -1.0) & (np.linalg.norm(X, axis=1) > 1.5)
    assert expected.any()
    assert_array_equal(display.outliers, expected)
    assert_allclose(np.asarray(display.rings_.get_offsets()), X[expected])
    assert_allclose(display.rings_.get_edgecolor()[0], to_rgba("red"))
    plain = SingularityDisplay.from_estimator(Euclidicity(), X, mark=False)
    assert plain.outliers is None
    assert plain.rings_ is None


def test_points_without_a_score_are_listed_as_missing():
    display = SingularityDisplay.from_estimator(Euclidicity(), X)
    assert np.isnan(display.scores).any()
    assert display.legend_.get_texts()[0].get_text() == "missing"


def test_unfitted_detectors_are_cloned_and_pipelines_taken():
    detector = Euclidicity()
    pipeline = make_pipeline(StandardScaler(), detector)
    display = SingularityDisplay.from_estimator(pipeline, X, name="mine")
    assert display.ax_.get_title() == "mine"
    assert not hasattr(detector, "n_seen_")
    assert_array_equal(display.points, X)  # drawn as given, not as scaled
    scaled = StandardScaler().fit_transform(X)
    assert_allclose(display.scores, -Euclidicity().fit(X).score_samples(scaled))


def test_other_dimensions():
    rng = np.random.default_rng(1)
    space = SingularityDisplay.from_scores(rng.normal(size=(20, 3)), np.arange(20.0))
    assert space.ax_.name == "3d"
    wide = rng.normal(size=(40, 6)) * [9.0, 1.0, 5.0, 0.1, 0.1, 0.1]
    display = SingularityDisplay.from_scores(wide, np.arange(40.0))
    label = display.ax_.get_xlabel()
    assert label.startswith("principal component 0 (")
    share = np.cov(wide.T).trace()
    top = np.linalg.eigvalsh(np.cov(wide.T))[-1] / share
    assert label.endswith(f"({100 * top:.0f} %)")
    spread = np.asarray(display.scatter_.get_offsets()).var(axis=0, ddof=1)
    assert_allclose(spread, np.linalg.eigvalsh(np.cov(wide.T))[::-1][:2], rtol=1e-9)
    chosen = SingularityDisplay.from_scores(wide, np.arange(40.0), components=(3, 1))
    assert chosen.ax_.get_xlabel() == "x3"
    assert_allclose(place_of(chosen, 7.0)[0], wide[7, [3, 1]])


def test_columns_name_the_axes():
    frame = pd.DataFrame(X, columns=["here", "there"])
    display = SingularityDisplay.from_scores(frame, np.arange(30.0))
    assert display.ax_.get_xlabel() == "here"


def test_bad_scores_and_detectors():
    before = plt.get_fignums()
    with pytest.raises(ValueError, match=r"scores has shape \(29,\), but X has 30"):
        SingularityDisplay.from_scores(X, np.arange(29.0))
    with pytest.raises(ValueError, match="outliers has shape"):
        SingularityDisplay.from_scores(X, np.arange(30.0), outliers=[True])
    with pytest.raises(ValueError, match="no score_samples; take a detector"):
        SingularityDisplay.from_estimator(FunctionTransformer(), X)
    with pytest.raises(ValueError, match="1 feature; a plot needs"):
        SingularityDisplay.from_scores(X[:, :1], np.arange(30.0))
    with pytest.raises(ValueError, match="components="):
        SingularityDisplay.from_scores(X, np.arange(30.0), components=(0, 2))
    assert plt.get_fignums() == before


def test_profile_is_a_table_of_radii():
    detector = Euclidicity().fit(X)
    display = EuclidicityProfileDisplay.from_estimator(detector, [3.0, 4.0])
    assert_allclose(display.radii[0], INNER)
    assert_allclose(display.radii[1], OUTER)
    expected = 5.0 * (OUTER - INNER[:, None]) / OUTER
    expected[INNER[:, None] >= OUTER] = np.nan
    assert_allclose(display.table, expected)
    drawn = np.ma.filled(display.mesh_.get_array(), np.nan).reshape(3, 2)
    assert_allclose(drawn, expected)
    corners = display.mesh_.get_coordinates()
    assert_allclose(corners[0, :, 0], [0.2, 0.3, 0.4])  # outer radius goes right
    assert_allclose(corners[:, 0, 1], [0.05, 0.15, 0.25, 0.35])
    assert display.ax_.get_title() == "Euclidicity 5"
    assert (
        display.colorbar_.ax.get_ylabel()
        == "distance from the flat model / outer radius"
    )


def test_cells_may_come_in_any_order():
    values = np.arange(6.0)
    order = np.random.default_rng(0).permutation(6)
    display = EuclidicityProfileDisplay(R[order], S[order], values[order])
    assert_array_equal(display.table, values.reshape(3, 2))


def test_quantities_of_a_profile():
    profile = Euclidicity().fit(X).profile([[3.0, 4.0], [0.6, 0.8]])
    draw = EuclidicityProfileDisplay.from_profile
    second = draw(profile, 1, quantity="combined")
    assert_allclose(np.nanmax(second.table), 0.25)
    assert second.colorbar_.ax.get_ylabel() == "distance from the flat model"
    assert_allclose(draw(profile, 1).table, second.table / OUTER)
    assert_allclose(
        draw(profile, quantity="distance", degree=1).table, 10.0 * second.table
    )
    assert_array_equal(
        draw(profile, quantity="n_points").table, np.arange(6.0).reshape(3, 2)
    )
    tops = draw(profile, quantity="top_degree")
    assert_array_equal(tops.table, [[0, 1], [np.nan, 0], [np.nan, 1]])
    assert tops.colorbar_.ax.get_ylabel() == "highest degree"
    assert set(tops.colorbar_.get_ticks()) <= {-1.0, 0.0, 1.0, 2.0}
    profile.inner_radius, profile.outer_radius = R, S  # the same for all points
    assert_allclose(draw(profile, 1).table, second.table / OUTER)


def test_numbers_in_the_cells():
    display = EuclidicityProfileDisplay(R, S, np.arange(6.0), name="p").plot(
        annotate=".1f", limits=(0.0, 10.0)
    )
    texts = {text.get_position(): text for text in display.texts_}
    assert texts[0.25, 0.3].get_text() == "4.0"
    assert len(texts) == 6
    assert display.mesh_.get_clim() == (0.0, 10.0)
    dark = display.plot(annotate=True, cmap="gray", limits=(4.0, 5.0)).texts_
    assert [text.get_color() for text in dark] == ["0.95"] * 5 + ["0.1"]
    assert display.plot(legend=False).colorbar_ is None


def test_one_radius_has_a_cell_of_some_width():
    display = EuclidicityProfileDisplay([0.5], [1.0], [2.0]).plot()
    assert_allclose(display.mesh_.get_coordinates()[0, :, 0], [0.5, 1.5])


def test_bad_profiles():
    draw = EuclidicityProfileDisplay
    with pytest.raises(NotFittedError):
        draw.from_estimator(Euclidicity(), X[0])
    with pytest.raises(ValueError, match=r"x has shape \(30, 2\); give one point"):
        draw.from_estimator(Euclidicity().fit(X), X)
    with pytest.raises(ValueError, match="give one row of a profile each"):
        draw(R, S, np.arange(5.0))
    with pytest.raises(ValueError, match="same inner and outer radius"):
        draw([1.0, 1.0], [2.0, 2.0], [0.0, 1.0])
    profile = Euclidicity().fit(X).profile(X[:2])
    with pytest.raises(ValueError, match="quantity='mean' must be one of"):
        draw.from_profile(profile, quantity="mean")
    with pytest.raises(ValueError, match=r"degree=2 is not among 0 \.\.\. 1"):
        draw.from_profile(profile, quantity="distance", degree=2)
    with pytest.raises(ValueError, match="index=2 is not among 2"):
        draw.from_profile(profile, 2)
    with pytest.raises(ValueError, match="two increasing numbers"):
        draw(R, S, np.arange(6.0)).plot(limits=(1.0, 1.0))
