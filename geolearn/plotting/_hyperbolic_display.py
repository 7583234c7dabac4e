"""Decision regions in the Poincaré disk."""

from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from geolearn.plotting._coordinates import final_estimator
from geolearn.plotting._drawing import (
    add_colorbar,
    add_legend,
    check_scatter_params,
    point_style,
    prepare_axes,
    scatter_categories,
    scatter_values,
)
from geolearn.plotting._hyperbolic_geometry import geometry_of, split_curves, trees_of
from geolearn.plotting._labels import read_labels
from geolearn.plotting._palette import category_styles

_MARGIN = 1.03  # of the axes, in radii of the disk
_EDGE = 1.0 - 1e-5  # where pixels outside of the disk are evaluated
_INK = "#303030"


class HyperbolicDecisionDisplay:
    """Show what an estimator predicts on the hyperbolic plane.

    The plane is drawn as the Poincaré disk of radius 1/sqrt(-curvature): regions of
    predictions, splits of trees as the geodesics that they are, arcs of circles at
    right angles to the boundary, each within the cell that it splits, and points on
    top. Make one with :meth:`from_estimator`.

    Parameters
    ----------
    response : ndarray of shape (n_pixels, n_pixels) or (n_pixels, n_pixels, n_classes)
        Predictions on a square grid over the disk, rows from below: positions in
        `classes` or numbers, or probabilities of the classes.
    radius : float, default=1.0
        Radius of the disk.
    classes : sequence or None, default=None
        Labels of the classes; None if `response` has numbers.
    points : array-like of shape (n_samples, 2) or None, default=None
        Points of the disk to draw.
    labels : array-like of shape (n_samples,) or None, default=None
        Labels or numbers of the points.
    splits : sequence of ndarray of shape (n, 2), default=()
        Arcs of geodesics in the disk.
    name : str or None, default=None
        Title of the plot.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Figure of the last plot.
    image_ : matplotlib AxesImage
        The regions.
    splits_ : matplotlib LineCollection or None
        The geodesics.
    scatter_ : matplotlib PathCollection, list of such or None
        The points.
    legend_ : matplotlib Legend or None
        Legend of the classes.
    colorbar_ : matplotlib Colorbar or None
        Scale of numbers.

    See Also
    --------
    EmbeddingDisplay : Points alone, in two or three dimensions.
    geolearn.tree.HyperbolicDecisionTreeClassifier : What is typically drawn.

    Examples
    --------
    >>> from geolearn.manifolds import Hyperboloid
    >>> from geolearn.plotting import HyperbolicDecisionDisplay
    >>> from geolearn.tree import HyperbolicDecisionTreeClassifier
    >>> X = Hyperboloid(2).random_point(100, random_state=0)
    >>> y = X[:, 1] > X[:, 2]
    >>> tree = HyperbolicDecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    >>> display = HyperbolicDecisionDisplay.from_estimator(tree, X, y)
    >>> len(display.splits)
    5
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        response,
        *,
        radius=1.0,
        classes=None,
        points=None,
        labels=None,
        splits=(),
        name=None,
    ):
        self.response = np.asarray(response)
        shape = self.response.shape
        if len(shape) not in (2, 3) or shape[0] != shape[1]:
            raise ValueError(
                f"response has shape {shape}; expected (n_pixels, n_pixels), or "
                f"(n_pixels, n_pixels, n_classes) for probabilities."
            )
        self.radius = radius
        self.classes = None if classes is None else list(classes)
        if len(shape) == 3 and shape[2] != len(self.classes or ()):
            raise ValueError(
                f"response has probabilities of {shape[2]} classes, but classes="
                f"{self.classes}; pass one label for each."
            )
        self.points = points
        self.labels = labels
        self.splits = list(splits)
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        response_method: str = "predict",
        grid_resolution: int = 300,
        splits: bool | str = "auto",
        model: str | None = None,
        curvature: float | None = None,
        time_axis: int | None = None,
        name: str | None = None,
        **plot_params,
    ) -> "HyperbolicDecisionDisplay":
        """Evaluate a fitted estimator on the disk and draw it.

        Parameters
        ----------
        estimator : estimator object
            Fitted classifier or regressor of points of the hyperbolic plane: one of
            the hyperbolic estimators of geolearn, a product-space tree or forest of
            signature ``[(curvature, 2)]``, a pipeline that begins with
            `AxialCoordinates`, or a search over these. Any other one, if `model` and
            `curvature` say what points it takes.
        X : array-like of shape (n_samples, n_columns) or None, default=None
            Points to draw on top, in the model of the estimator.
        y : array-like of shape (n_samples,) or None, default=None
            Labels or numbers that the points are coloured by.
        response_method : {"predict", "predict_proba"}, default="predict"
            Whether regions show predictions, or classes by colours that are mixed by
            their probabilities.
        grid_resolution : int, default=300
            Number of pixels along the diameter.
        splits : bool or "auto", default="auto"
            Whether to draw the splits of trees; "auto" does so for a single tree.
            The trees of histogram boosting are not drawn.
        model : {"hyperboloid", "poincare", "klein"} or None, default=None
            Model of the points; None asks the estimator.
        curvature : float or None, default=None
            Sectional curvature; None asks the estimator.
        time_axis : int or None, default=None
            Column of the time coordinate; None asks the estimator.
        name : str or None, default=None
            Title of the plot. None takes the class of the estimator; "" leaves it
            out.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        HyperbolicDecisionDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the points are not of two dimensions or off the model, the estimator
            has several outputs or no such response, or it does not say what points it
            takes.
        """
        check_is_fitted(estimator)
        if splits not in (True, False, "auto"):
            raise ValueError(f"splits={splits!r} must be True, False or 'auto'.")
        geometry = geometry_of(estimator, model, curvature, time_axis)
        n_columns = 3 if geometry.model == "hyperboloid" else 2
        shapes = [np.shape(X)[1:]] if X is not None else []
        if hasattr(estimator, "n_features_in_"):
            shapes.append((estimator.n_features_in_,))
        if any(shape != (n_columns,) for shape in shapes):
            raise ValueError(
                f"points of the hyperbolic plane in the {geometry.model} model have "
                f"{n_columns} columns, not {shapes[0][0] if shapes[0] else 'none'}; "
                f"other dimensions cannot be drawn. Fit on two of them."
            )
        response, classes = _respond(
            estimator, geometry, response_method, grid_resolution
        )
        trees = trees_of(estimator) if splits else []
        if splits == "auto" and len(trees) > 1:
            trees = []
        if name is None:
            name = type(final_estimator(estimator)).__name__
        display = cls(
            response,
            radius=geometry.radius,
            classes=classes,
            points=None if X is None else geometry.to_disk(X),
            labels=y,
            splits=[c for tree in trees for c in split_curves(tree, geometry.radius)],
            name=name,
        )
        return display.plot(**plot_params)

    def plot(
        self,
        ax=None,
        *,
        palette=None,
        cmap="viridis",
        region_alpha: float = 0.4,
        split_params: dict | None = None,
        size: float | None = None,
        alpha: float | None = None,
        legend: bool = True,
        label_name: str | None = None,
        title: str | None = None,
        **scatter_params: Any,
    ) -> "HyperbolicDecisionDisplay":
        """Draw the disk.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure with pyplot.
        palette : str, sequence of colours, mapping or None, default=None
            Colours of the classes, as in :meth:`EmbeddingDisplay.plot`.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of numbers.
        region_alpha : float, default=0.4
            Strength from 0 to 1 of the colours of classes in the regions.
        split_params : dict or None, default=None
            Parameters of matplotlib's `LineCollection` for the geodesics, such as
            ``{"linewidths": 0.5}``.
        size : float or None, default=None
            Area of a point in square typographic points; None chooses.
        alpha : float or None, default=None
            Opacity of the points from 0 to 1; None chooses.
        legend : bool, default=True
            Whether to add the legend of the classes, or the colourbar.
        label_name : str or None, default=None
            Title of the legend or colourbar. None takes the name of the labels, if
            they have one.
        title : str or None, default=None
            Title of the axes. None takes the name of the display.
        **scatter_params : dict
            Further parameters of matplotlib's `Axes.scatter`.

        Returns
        -------
        HyperbolicDecisionDisplay
            This display.

        Raises
        ------
        ValueError
            If labels do not fit the points, or `palette` lacks a class.
        TypeError
            If `scatter_params` has a colour or a size of the points.
        """
        check_scatter_params(scatter_params)
        n_points = 0 if self.points is None else len(self.points)
        kind = "continuous" if self.classes is None else "categorical"
        labels = read_labels(self.labels, n_points, kind)
        label_name = labels.name if label_name is None else label_name
        categories = self._categories(labels)
        styles = category_styles(categories, palette)
        self.ax_ = prepare_axes(ax, 2)
        self.figure_ = self.ax_.figure
        self.scatter_ = self.splits_ = self.legend_ = self.colorbar_ = None
        limits = self._draw_regions(styles, labels, cmap, region_alpha)
        self._draw_splits(split_params or {})
        if n_points:
            style = point_style(self.ax_, n_points, size, alpha, None)
            style.update({"linewidths": 0.5, "edgecolors": "white", "zorder": 3})
            style.update(scatter_params)
            self._draw_points(labels, categories, styles, cmap, limits, style)
        if legend and self.classes is not None:
            self.legend_ = add_legend(self.ax_, categories, styles, False, label_name)
        elif legend:
            self.colorbar_ = add_colorbar(self.image_, "neither", label_name)
        self._finish(title)
        return self

    def _categories(self, labels):
        """Return the classes, and labels of points that are no class of them."""
        if self.classes is None:
            return []
        classes = read_labels(self.classes, len(self.classes), "categorical")
        known = [classes.categories[k] for k in classes.codes]
        return known + [c for c in labels.categories if c not in known]

    def _draw_regions(self, styles, labels, cmap, region_alpha):
        from matplotlib.colors import Normalize, to_rgb
        from matplotlib.patches import Circle

        extent = (-self.radius, self.radius, -self.radius, self.radius)
        options = {"extent": extent, "origin": "lower", "zorder": 1}
        limits = None
        if self.classes is None:
            numbers = self.response[np.isfinite(self.response)]
            if labels.values is not None:
                numbers = np.append(numbers, labels.values[~np.isnan(labels.values)])
            limits = (numbers.min(), numbers.max()) if numbers.size else (0.0, 1.0)
            options.update({"cmap": cmap, "norm": Normalize(*limits)})
            pixels = self.response
        else:
            colors = np.array([to_rgb(color) for color, _ in styles])
            colors = colors[: len(self.classes)]
            pixels = (
                colors[self.response.astype(np.intp)]
                if (self.response.ndim == 2)
                else self.response @ colors
            )
            pixels = np.clip(1.0 - region_alpha * (1.0 - pixels), 0.0, 1.0)
        self.image_ = self.ax_.imshow(pixels, interpolation="nearest", **options)
        disk = Circle((0.0, 0.0), self.radius, fill=False, edgecolor=_INK, zorder=4)
        self.ax_.add_patch(disk)
        self.image_.set_clip_path(disk)
        return limits

    def _draw_splits(self, split_params):
        from matplotlib.collections import LineCollection

        if not self.splits:
            return
        params = {"colors": _INK, "linewidths": 1.0, "zorder": 2, **split_params}
        self.splits_ = LineCollection(self.splits, **params)
        self.ax_.add_collection(self.splits_, autolim=False)

    def _draw_points(self, labels, categories, styles, cmap, limits, style):
        points = np.asarray(self.points, dtype=np.float64)
        if labels.values is not None:
            self.scatter_, _, _ = scatter_values(
                self.ax_, points, labels.values, cmap, limits, style
            )
            return
        if labels.codes is None:  # without labels: dark points
            codes, styles = np.zeros(len(points), np.intp), [(_INK, "o")]
        else:
            places = [categories.index(c) for c in labels.categories]
            codes = np.append(places, -1).astype(np.intp)[labels.codes]
        self.scatter_, _ = scatter_categories(self.ax_, points, codes, styles, style)

    def _finish(self, title):
        reach = _MARGIN * self.radius
        self.ax_.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        self.ax_.set_axis_off()
        title = self.name if title is None else title
        if title:
            self.ax_.set_title(title)


def _named(X, estimator):
    """Return a table with the names of columns that the estimator knows, if it does."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return X
    try:
        import pandas as pd
    except ImportError:  # scikit-learn will warn that names are missing
        return X
    return pd.DataFrame(X, columns=names)


def _respond(estimator, geometry, response_method, grid_resolution):
    """Return the responses on the grid and the classes."""
    if response_method not in ("predict", "predict_proba"):
        raise ValueError(
            f"response_method={response_method!r} must be 'predict' or 'predict_proba'."
        )
    if response_method == "predict_proba" and not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no predict_proba; use "
            f"response_method='predict'."
        )
    m = int(grid_resolution)
    if m < 2:
        raise ValueError(f"grid_resolution={grid_resolution} must be at least 2.")
    steps = (np.arange(m) + 0.5) * (2.0 / m) - 1.0
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    # Pixels that the boundary cuts show what is predicted at its inside.
    norm = np.linalg.norm(grid, axis=1, keepdims=True)
    grid *= np.minimum(1.0, _EDGE / np.maximum(norm, _EDGE))
    X = _named(geometry.from_disk(geometry.radius * grid), estimator)
    result = getattr(estimator, response_method)(X)
    if isinstance(result, list) or (response_method == "predict" and result.ndim > 1):
        raise ValueError(
            "the estimator has several outputs; fit one of them to draw it."
        )
    if not is_classifier(estimator):
        return result.reshape(m, m), None
    classes = np.asarray(estimator.classes_)
    if response_method == "predict_proba":
        return result.reshape(m, m, -1), classes
    return np.searchsorted(classes, result).reshape(m, m), classes
