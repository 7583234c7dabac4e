import io
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm, to_rgba
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.manifold import Isomap, SpectralEmbedding
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from geolearn.plotting import EmbeddingDisplay
from geolearn.plotting._palette import COLORS, MISSING

draw = EmbeddingDisplay.from_embedding


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(30, 5))


def legend_texts(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def color_of(display, point):
    """Colour of the drawn point that lies at `point`."""
    display.figure_.canvas.draw()
    offsets = np.asarray(display.scatter_.get_offsets())
    (k,) = np.flatnonzero((offsets == point).all(axis=1))
    return tuple(display.scatter_.get_facecolors()[k])


def test_import_leaves_matplotlib_out():
    code = (
        "import sys, geolearn.plotting as p; p.EmbeddingDisplay([[0, 1], [1, 0]]);"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_drawing_leaves_pyplot_alone(points):
    figure, (left, right) = plt.subplots(1, 2)
    plt.sca(right)
    display = draw(points[:, :2], points[:, 4], ax=left)
    assert plt.get_fignums() == [figure.number]
    assert plt.gca() is right
    assert display.ax_ is left
    assert display.figure_ is figure
    own = draw(points[:, :2])
    assert own.figure_ is not figure
    assert len(plt.get_fignums()) == 2


def test_every_point_has_the_color_of_its_category(points):
    labels = np.array(["a", "b", "c"])[np.arange(30) % 3].astype(object)
    labels[5] = None
    X = points[:, :2]
    display = draw(X, labels, alpha=1.0)
    assert display.scatter_.get_offsets().shape == (30, 2)
    for i in range(30):
        expected = MISSING if i == 5 else COLORS[i % 3]
        assert_allclose(color_of(display, X[i]), to_rgba(expected))
    assert legend_texts(display) == ["a", "b", "c", "missing"]
    assert display.colorbar_ is None
    # What has no label lies below.
    assert_array_equal(display.scatter_.get_offsets()[0], X[5])


def test_categories_are_drawn_in_mixed_order(points):
    X = np.column_stack((np.arange(200.0), np.zeros(200)))
    display = draw(X, np.repeat(["a", "b"], 100))
    second_half = display.scatter_.get_offsets()[100:, 0] >= 100
    assert 20 < second_half.sum() < 80
    again = draw(X, np.repeat(["a", "b"], 100))
    assert_array_equal(display.scatter_.get_offsets(), again.scatter_.get_offsets())


def test_no_labels(points):
    display = draw(points[:, :2], alpha=1.0)
    assert display.legend_ is None
    assert display.colorbar_ is None
    assert_allclose(color_of(display, points[3, :2]), to_rgba(COLORS[0]))


def test_legend_handles_match(points):
    display = draw(points[:, :2], np.arange(30) % 3, label_name="group")
    assert display.legend_.get_title().get_text() == "group"
    for handle, color in zip(display.legend_.legend_handles, COLORS, strict=False):
        assert handle.get_color() == color
    assert draw(points[:, :2], np.arange(30) % 3, legend=False).legend_ is None


def test_labels_that_matplotlib_would_hide_or_typeset(points):
    labels = np.array(["_rest", "$cost", "$x$", "None"])[np.arange(30) % 4]
    display = draw(points[:, :2], labels)
    display.figure_.canvas.draw()
    assert legend_texts(display) == ["$cost", "$x$", "None", "_rest"]
    assert not any(t.get_parse_math() for t in display.legend_.get_texts())


def test_many_categories_use_markers():
    X = np.random.default_rng(0).normal(size=(96, 2))
    display = draw(X, [f"type {i % 24:02d}" for i in range(96)])
    assert len(display.scatter_) == 3  # 10 + 10 + 4
    assert sum(len(s.get_offsets()) for s in display.scatter_) == 96
    assert len(legend_texts(display)) == 24
    styles = {
        (handle.get_color(), handle.get_marker())
        for handle in display.legend_.legend_handles
    }
    assert len(styles) == 24


def test_long_legends_are_cut():
    X = np.random.default_rng(0).normal(size=(120, 2))
    display = draw(X, [f"{i:03d}" for i in range(120)])
    assert legend_texts(display)[-2:] == ["039", "and 80 more"]


def test_palettes(points):
    X, labels = points[:, :2], np.arange(30) % 2
    display = draw(X, labels, palette={0: "red", 1: "navy"}, alpha=1.0)
    assert_allclose(color_of(display, X[1]), to_rgba("navy"))
    display = draw(X, labels, palette="tab10", alpha=1.0)
    assert_allclose(color_of(display, X[1]), to_rgba("tab:orange"))
    display = draw(X, labels, palette="viridis", alpha=1.0)
    assert_allclose(color_of(display, X[1]), plt.get_cmap("viridis")(1.0))
    display = draw(X, palette=["red"], alpha=1.0)
    assert_allclose(color_of(display, X[1]), to_rgba("red"))
    with pytest.raises(ValueError, match="no colour for"):
        draw(X, labels, palette={0: "red"})


@pytest.mark.parametrize("n_columns", [2, 3])
def test_continuous_labels(points, n_columns):
    X, values = points[:, :n_columns], points[:, 4].copy()
    values[7] = np.nan
    display = draw(X, values, alpha=1.0, label_name="depth")
    assert_allclose(display.scatter_.get_clim(), (np.nanmin(values), np.nanmax(values)))
    assert display.colorbar_.ax.get_ylabel() == "depth"
    assert display.colorbar_.extend == "neither"
    assert legend_texts(display) == ["missing"]
    assert display.scatter_.get_array().mask.sum() == 1
    assert len(display.scatter_.get_array()) == 30
    if n_columns == 2:
        cmap = plt.get_cmap("viridis")
        assert_allclose(color_of(display, X[7]), to_rgba(MISSING))
        assert_allclose(color_of(display, X[np.nanargmax(values)]), cmap(1.0))
        assert_allclose(color_of(display, X[np.nanargmin(values)]), cmap(0.0))


@pytest.mark.parametrize(
    ("percentiles", "extend"),
    [((0, 100), "neither"), ((10, 100), "min"), ((0, 90), "max"), ((5, 95), "both")],
)
def test_percentiles(points, percentiles, extend):
    values = points[:, 4]
    display = draw(points[:, :2], values, percentiles=percentiles)
    assert_allclose(display.scatter_.get_clim(), np.percentile(values, percentiles))
    assert display.colorbar_.extend == extend


def test_own_norm(points):
    values = np.exp(points[:, 4])
    display = draw(points[:, :2], values, norm=LogNorm(0.5, 100.0))
    assert_allclose(display.scatter_.get_clim(), (0.5, 100.0))
    assert display.colorbar_.extend == "min"


def test_degenerate_values(points):
    X = points[:, :2]
    display = draw(X, np.full(30, 0.5), kind="continuous")
    display.figure_.canvas.draw()
    display = draw(X, np.full(30, np.nan), kind="continuous")
    display.figure_.canvas.draw()
    assert legend_texts(display) == ["missing"]
    display = draw(X, [None] * 30)
    assert legend_texts(display) == ["missing"]
    display = draw(X[:1], ["a"])
    display.figure_.canvas.draw()
    display = draw(np.zeros((4, 3)), [1, 2, 3, 4])
    display.figure_.canvas.draw()


def test_three_dimensions(points):
    display = draw(points[:, :3], np.arange(30) % 12, title="cloud")
    assert display.ax_.name == "3d"
    assert display.ax_.get_zlabel() == "component 2"
    assert display.ax_.get_title() == "cloud"
    lengths = np.ptp(
        [display.ax_.get_xlim(), display.ax_.get_ylim(), display.ax_.get_zlim()], axis=1
    )
    box = np.asarray(display.ax_._box_aspect)
    assert_allclose(lengths / lengths[0], box / box[0], rtol=1e-9)
    display.figure_.canvas.draw()
    axes = plt.figure().add_subplot(projection="3d")
    assert draw(points, components=(0, 1, 4), ax=axes).ax_ is axes


def test_units_have_the_same_length(points):
    display = draw(points[:, :2] * [10.0, 0.1])
    assert display.ax_.get_aspect() == 1.0
    assert draw(points[:, :2], equal_aspect=False).ax_.get_aspect() == "auto"
    _, axes = plt.subplots(1, 2, sharex=True, sharey=True)
    for ax in axes:
        draw(points[:, :2], ax=ax)
    axes[0].figure.canvas.draw()
    assert axes[0].get_adjustable() == "box"


def test_style_follows_the_number_of_points():
    rng = np.random.default_rng(0)
    small, large = (draw(rng.normal(size=(n, 2))).scatter_ for n in (100, 20_000))
    assert small.get_sizes()[0] > 5 * large.get_sizes()[0]
    assert small.get_alpha() > large.get_alpha()
    assert not small.get_rasterized()
    assert large.get_rasterized()
    _, axes = plt.subplots(4, 4)
    tiny = draw(rng.normal(size=(1000, 2)), ax=axes[0, 0]).scatter_
    alone = draw(rng.normal(size=(1000, 2))).scatter_
    assert tiny.get_sizes()[0] < 0.3 * alone.get_sizes()[0]
    display = draw(
        rng.normal(size=(10, 2)), size=7.0, alpha=0.25, rasterized=True, edgecolors="k"
    )
    assert display.scatter_.get_sizes() == [7.0]
    assert display.scatter_.get_alpha() == 0.25
    assert display.scatter_.get_rasterized()
    assert_allclose(display.scatter_.get_edgecolors()[0], to_rgba("k", 0.25))


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_saving(points, suffix):
    display = draw(points[:, :2], np.arange(30) % 25, kind="categorical")
    display.figure_.savefig(io.BytesIO(), format=suffix)


def test_plot_again(points):
    display = draw(points[:, :2], points[:, 3])
    first = display.ax_
    assert display.plot(kind="continuous", cmap="magma") is display
    assert display.ax_ is not first
    assert display.scatter_.get_cmap().name == "magma"


def test_dataframes_name_axes_and_legend(points):
    frame = pd.DataFrame(points[:, :2], columns=["east", "north"])
    display = draw(frame, pd.Series(["a", "b"] * 15, name="side", index=range(30, 60)))
    assert display.ax_.get_xlabel() == "east"
    assert display.ax_.get_ylabel() == "north"
    assert display.legend_.get_title().get_text() == "side"
    display = draw(frame, feature_names=["u", "v"], components=[1, 0])
    assert display.ax_.get_xlabel() == "v"


@pytest.mark.parametrize(
    ("n_columns", "kwargs", "match"),
    [
        (1, {}, r"1 column\(s\); a plot needs at least two"),
        (5, {}, r"5 column\(s\); choose .* components=\(0, 1\)"),
        (5, {"components": (0, 5)}, "0 ... 4"),
        (5, {"components": (-1, 0)}, "0 ... 4"),
        (5, {"components": (1, 1)}, "different"),
        (5, {"components": (0, 1, 2, 3)}, "two or three"),
        (2, {"labels": ["a"] * 29}, r"shape \(29,\), but the embedding has 30"),
        (2, {"labels": np.arange(30.0), "percentiles": (90, 10)}, "percentiles"),
        (2, {"feature_names": ["x"]}, "feature_names"),
        (2, {"kind": "colours"}, "kind"),
    ],
)
def test_errors(points, n_columns, kwargs, match):
    with pytest.raises(ValueError, match=match):
        draw(points[:, :n_columns], **kwargs)
    assert not plt.get_fignums()


@pytest.mark.parametrize("n_columns", [2, 3])
def test_axes_of_the_wrong_dimension(points, n_columns):
    figure = plt.figure()
    ax = figure.add_subplot(projection="3d" if n_columns == 2 else None)
    with pytest.raises(ValueError, match="projection='3d'"):
        draw(points[:, :n_columns], ax=ax)


@pytest.mark.parametrize("name", ["c", "color", "s", "facecolors"])
def test_own_parameters_are_refused(points, name):
    with pytest.raises(TypeError, match=f"{name} is set by the display"):
        draw(points[:, :2], **{name: 1})


def test_bad_points():
    with pytest.raises(ValueError, match="NaN"):
        draw([[0.0, np.nan], [1.0, 2.0]])
    with pytest.raises(ValueError, match="dim"):
        draw(np.zeros((3, 2, 2)))


# ---------------------------------------------------------------- from_estimator


def drawn(display):
    offsets = np.asarray(display.scatter_.get_offsets())
    return offsets[np.lexsort(offsets.T)]


def in_order(points):
    points = np.asarray(points)
    return points[np.lexsort(points.T)]


def test_embedding_of_the_fit(points):
    isomap = Isomap(n_neighbors=5).fit(points)
    display = EmbeddingDisplay.from_estimator(isomap, y=np.arange(30) % 2)
    assert_array_equal(display.embedding, isomap.embedding_)
    assert_array_equal(drawn(display), in_order(isomap.embedding_))
    assert display.ax_.get_xlabel() == "isomap0"
    assert display.ax_.get_title() == "Isomap"
    display = EmbeddingDisplay.from_estimator(isomap, name="", palette=["k"])
    assert display.ax_.get_title() == ""


def test_transform_of_new_samples(points):
    isomap = Isomap(n_neighbors=5).fit(points)
    new = points[:7] + 0.1
    display = EmbeddingDisplay.from_estimator(isomap, new)
    assert_array_equal(display.embedding, isomap.transform(new))


def test_unfitted_estimators_are_cloned(points):
    pca = PCA(n_components=2)
    display = EmbeddingDisplay.from_estimator(pca, points)
    assert not hasattr(pca, "components_")
    assert_allclose(
        np.abs(display.embedding), np.abs(PCA(2).fit_transform(points)), rtol=1e-9
    )
    spectral = SpectralEmbedding(n_neighbors=5, random_state=0)
    display = EmbeddingDisplay.from_estimator(spectral, points)
    assert display.embedding.shape == (30, 2)
    assert not hasattr(spectral, "embedding_")


def test_pipelines_and_searches(points):
    pipeline = make_pipeline(StandardScaler(), Isomap(n_neighbors=5))
    display = EmbeddingDisplay.from_estimator(pipeline, points)
    assert display.ax_.get_title() == "Isomap"
    assert display.ax_.get_ylabel() == "isomap1"
    pipeline.fit(points)
    display = EmbeddingDisplay.from_estimator(pipeline)
    assert_array_equal(display.embedding, pipeline[-1].embedding_)
    search = GridSearchCV(PCA(), {"n_components": [2]}, cv=2).fit(points)
    display = EmbeddingDisplay.from_estimator(search, points)
    assert display.ax_.get_title() == "PCA"
    assert_array_equal(display.embedding, search.transform(points))


def test_pandas_output(points):
    pca = PCA(n_components=2).set_output(transform="pandas").fit(points)
    display = EmbeddingDisplay.from_estimator(pca, points)
    assert isinstance(display.embedding, np.ndarray)
    assert display.ax_.get_xlabel() == "pca0"


class FirstTwo(TransformerMixin, BaseEstimator):
    """Stateless, without names of its output."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X)[:, :2]

    def __sklearn_is_fitted__(self):
        return True


class OnlyFit(BaseEstimator):
    """Keeps its embedding and has no transform at all."""

    def fit(self, X, y=None):
        self.embedding_ = np.asarray(X)[:, :2]
        return self


def test_simple_estimators(points):
    display = EmbeddingDisplay.from_estimator(FirstTwo(), points)
    assert display.ax_.get_xlabel() == "component 0"
    display = EmbeddingDisplay.from_estimator(OnlyFit(), points)
    assert_array_equal(display.embedding, points[:, :2])


def test_from_estimator_errors(points):
    with pytest.raises(NotFittedError):
        EmbeddingDisplay.from_estimator(Isomap())
    with pytest.raises(ValueError, match="PCA keeps no embedding_; pass X"):
        EmbeddingDisplay.from_estimator(PCA(2).fit(points))
    spectral = SpectralEmbedding(n_neighbors=5, random_state=0).fit(points)
    with pytest.raises(ValueError, match="no transform for X; pass X=None"):
        EmbeddingDisplay.from_estimator(spectral, points)
    display = EmbeddingDisplay.from_estimator(spectral)
    assert_array_equal(display.embedding, spectral.embedding_)
