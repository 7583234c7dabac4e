"""A principal subbundle: samples, tangent spaces, geodesics and their surface."""

from typing import Any

import numpy as np
from sklearn.base import clone

from geolearn.plotting._coloring import Coloring
from geolearn.plotting._coordinates import is_fitted
from geolearn.plotting._drawing import (
    check_scatter_params,
    equalise,
    point_style,
    prepare_axes,
)
from geolearn.plotting._subbundle_shapes import (
    directions,
    draw_curves,
    draw_surface,
    draw_tangents,
    spread_subset,
)
from geolearn.plotting._view import View, read_points
from geolearn.utils._sklearn import _safe_indexing
from geolearn.utils.validation import check_integer, check_positive

_N_TIMES = 41  # points of each curve
_TANGENT_SHARE = 0.04  # half length of tangents over the diameter of the points


class SubbundleDisplay:
    """Show samples with tangent spaces, geodesics and the surface that these sweep.

    Samples of the plane and of space are drawn as they are, others on their first two
    principal components, whose shares of the variance the axes tell. Make one with
    :meth:`from_estimator`, which also draws it.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples. The columns of a dataframe name the axes.
    positions : array-like of shape (n_positions, n_features) or None, default=None
        Points at which to draw tangent spaces.
    tangents : array-like of shape (n_positions, n_features, k) or None, default=None
        Orthonormal bases of the tangent spaces there, as columns. Planes with NaN are
        left out.
    curves : array-like of shape (n_curves, n_times, n_features) or None, default=None
        Curves from one base point; NaN from where they end. For k = 2 their directions
        go round the base point, and the surface is drawn between neighbours.
    labels : array-like of shape (n_samples,) or None, default=None
        What the samples are coloured by, as in :meth:`EmbeddingDisplay.plot`.
    feature_names : array-like of str of shape (n_features,) or None, default=None
        Names of the axes. None takes the columns of a dataframe, or "x0", "x1" and so
        on.
    name : str or None, default=None
        Title of the plot.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Figure of the last plot.
    scatter_ : matplotlib PathCollection or list of such
        The samples drawn, as in `EmbeddingDisplay`.
    tangents_ : matplotlib Collection or None
        Tangent spaces drawn.
    lines_ : list of matplotlib Line2D
        Curves drawn.
    surface_ : matplotlib Collection or None
        Surface drawn.
    legend_ : matplotlib Legend or None
        Legend of the categories or of the missing labels.
    colorbar_ : matplotlib Colorbar or None
        Scale of continuous labels.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    See Also
    --------
    EmbeddingDisplay : The chart of the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.plotting import SubbundleDisplay
    >>> t = np.linspace(0.0, 3.0, 40)
    >>> X = np.column_stack((t, np.sin(t)))
    >>> along = np.column_stack((np.ones(40), np.cos(t)))
    >>> along /= np.linalg.norm(along, axis=1, keepdims=True)
    >>> display = SubbundleDisplay(X, positions=X[::8], tangents=along[::8, :, None])
    >>> display.plot().tangents_ is None
    False
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        X,
        *,
        positions=None,
        tangents=None,
        curves=None,
        labels=None,
        feature_names=None,
        name=None,
    ):
        self.points, self.feature_names = read_points(X, feature_names)
        n_features = self.points.shape[1]
        if (positions is None) != (tangents is None):
            raise ValueError("give positions and tangents together, or neither.")
        self.positions = _of_shape(positions, (None, n_features), "positions")
        shape = (None if positions is None else len(positions), n_features, None)
        self.tangents = _of_shape(tangents, shape, "tangents")
        self.curves = _of_shape(curves, (None, None, n_features), "curves")
        self.labels = labels
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        n_tangents: int = 40,
        n_curves: int = 32,
        radius: float | None = None,
        name=None,
        **plot_params,
    ) -> "SubbundleDisplay":
        """Draw what a principal subbundle knows of samples.

        Parameters
        ----------
        estimator : PrincipalSubbundle
            Fitted or not; an unfitted one is cloned and the clone is fitted to `X` by
            `fit_transform`. It is never changed.
        X : array-like of shape (n_samples, n_features)
            Samples to draw.
        y : array-like of shape (n_samples,) or None, default=None
            Labels to colour the samples by.
        n_tangents : int, default=40
            Number of tangent spaces, at well-spread samples; 0 for none.
        n_curves : int, default=32
            Number of geodesics from the base point, in all directions of its tangent
            space; 0 for none. A line has two.
        radius : float or None, default=None
            Length of the geodesics, in units of the data, positive. None takes the
            largest distance of the chart `embedding_`, or, without one, the largest
            distance of a sample from the base point through space. They end before
            where they leave the data.
        name : str or None, default=None
            Title of the plot. None takes the class of the estimator; "" leaves it out.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        SubbundleDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `n_tangents` or `n_curves` is negative, `radius` not positive, or as
            in :meth:`plot`.
        TypeError
            If one of these is no number, or the estimator has no tangent spaces.
        """
        _check_options(estimator, n_tangents, n_curves, radius)
        if not is_fitted(estimator):
            estimator = clone(estimator)
            estimator.fit_transform(X)
        points, names = read_points(X)
        positions = tangents = curves = None
        if n_tangents:
            chosen = spread_subset(points, n_tangents)
            positions = points[chosen]
            # Rows of a dataframe keep the names that the estimator looks at.
            tangents = estimator.tangent_space(_safe_indexing(X, chosen))
        if n_curves:
            radius = _reach(estimator, points) if radius is None else radius
            velocities = radius * directions(estimator.n_components_, n_curves)
            curves = estimator.geodesic(velocities, t=_N_TIMES)
        display = cls(
            points,
            positions=positions,
            tangents=tangents,
            curves=curves,
            labels=y,
            feature_names=names,
            name=type(estimator).__name__ if name is None else name,
        )
        return display.plot(**plot_params)

    def plot(
        self,
        ax=None,
        *,
        components=None,
        tangents: bool = True,
        curves: bool = True,
        surface: bool = True,
        tangent_length: float | None = None,
        tangent_color="#d55e00",
        curve_color="#0072b2",
        surface_color="#56b4e9",
        surface_alpha: float = 0.35,
        kind: str = "auto",
        palette=None,
        cmap="viridis",
        percentiles=(0, 100),
        size: float | None = None,
        alpha: float | None = None,
        legend: bool = True,
        label_name: str | None = None,
        title: str | None = None,
        rasterized: bool | None = None,
        **scatter_params: Any,
    ) -> "SubbundleDisplay":
        """Draw samples and shapes.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on, of projection "3d" for three dimensions; None makes a new
            figure with pyplot.
        components : sequence of 2 or 3 int, or None, default=None
            Columns of `X` to draw. None draws all of two or three, else the first two
            principal components.
        tangents : bool, default=True
            Whether to draw tangent spaces: planes in space as squares, others by their
            basis vectors.
        curves : bool, default=True
            Whether to draw the curves.
        surface : bool, default=True
            Whether to draw the surface between the curves, if there are more than two
            and tangent spaces, where known, are planes.
        tangent_length : float or None, default=None
            Half the length of basis vectors, in units of the data. None takes 4 % of
            the diagonal of the samples' box.
        tangent_color : matplotlib colour, default="#d55e00"
            Colour of the tangent spaces.
        curve_color : matplotlib colour, default="#0072b2"
            Colour of the curves.
        surface_color : matplotlib colour, default="#56b4e9"
            Colour of the surface.
        surface_alpha : float, default=0.35
            Opacity of the surface from 0 to 1.
        kind : {"auto", "categorical", "continuous"}, default="auto"
            What the labels are, as in :meth:`EmbeddingDisplay.plot`.
        palette : str, sequence of colours, mapping or None, default=None
            Colours of the categories; samples without labels are grey.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of a continuous scale.
        percentiles : tuple of 2 float, default=(0, 100)
            Percentiles of continuous labels at the two ends of the scale.
        size : float or None, default=None
            Area of a point in square typographic points; None chooses.
        alpha : float or None, default=None
            Opacity of the points from 0 to 1; None chooses.
        legend : bool, default=True
            Whether to add the legend, or the colourbar of continuous labels.
        label_name : str or None, default=None
            Title of the legend or colourbar. None takes the name of the labels.
        title : str or None, default=None
            Title of the axes. None takes the name of the display.
        rasterized : bool or None, default=None
            Whether vector formats hold the points as an image. None does so above
            5000 points.
        **scatter_params : dict
            Further parameters of matplotlib's `Axes.scatter`.

        Returns
        -------
        SubbundleDisplay
            This display.

        Raises
        ------
        ValueError
            If there is one column only, `components` is not valid, `ax` has another
            number of dimensions, or as in :meth:`EmbeddingDisplay.plot`.
        TypeError
            If `scatter_params` has a colour or a size of the points.
        """
        n_samples = self.points.shape[0]
        view = View.of(self.points, self.feature_names, components)
        if palette is None and self.labels is None:
            palette = ["0.55"]
        coloring = Coloring.of(
            self.labels,
            n_samples,
            kind=kind,
            palette=palette,
            cmap=cmap,
            percentiles=percentiles,
        )
        check_scatter_params(scatter_params)
        self.ax_ = prepare_axes(ax, len(view.names))
        self.figure_ = self.ax_.figure
        style = point_style(self.ax_, n_samples, size, alpha, rasterized)
        self.scatter_, self.legend_, self.colorbar_ = coloring.draw(
            self.ax_,
            view.points(self.points),
            {**style, **scatter_params},
            legend=legend,
            label_name=label_name,
        )
        self._draw_curves(view, curve_color if curves else None)
        self._draw_surface(view, surface_color if surface else None, surface_alpha)
        self._draw_tangents(view, tangent_color if tangents else None, tangent_length)
        view.name_axes(self.ax_)
        title = self.name if title is None else title
        if title:
            self.ax_.set_title(title)
        equalise(self.ax_)
        return self

    def _sweeps_surface(self):
        """Tell whether the curves go round in a plane."""
        planes = self.tangents is None or self.tangents.shape[2] == 2
        return planes and self.curves.shape[0] > 2

    def _draw_curves(self, view, color):
        self.lines_ = []
        if color is not None and self.curves is not None:
            self.lines_ = draw_curves(self.ax_, view.points(self.curves), color)

    def _draw_surface(self, view, color, alpha):
        self.surface_ = None
        if color is None or self.curves is None:
            return
        if self._sweeps_surface():
            fan = view.points(self.curves)
            self.surface_ = draw_surface(self.ax_, fan, color, alpha)

    def _draw_tangents(self, view, color, length):
        self.tangents_ = None
        if color is None or self.tangents is None:
            return
        if length is None:
            length = _TANGENT_SHARE * np.linalg.norm(np.ptp(self.points, axis=0))
        known = np.isfinite(self.tangents).all(axis=(1, 2))
        bases = np.swapaxes(self.tangents[known], 1, 2)
        self.tangents_ = draw_tangents(
            self.ax_,
            view.points(self.positions[known]),
            np.swapaxes(view.vectors(bases), 1, 2),
            length,
            color,
        )


def _check_options(estimator, n_tangents, n_curves, radius):
    check_integer(n_tangents, "n_tangents", minimum=0)
    check_integer(n_curves, "n_curves", minimum=0)
    if radius is not None:
        check_positive(radius, "radius")
    if not hasattr(estimator, "tangent_space"):
        raise TypeError(
            f"{type(estimator).__name__} has no tangent spaces; pass a "
            f"PrincipalSubbundle, such as the last step of a pipeline with what the "
            f"steps before make of X."
        )


def _reach(estimator, points):
    """Return how far geodesics should go."""
    embedding = getattr(estimator, "embedding_", None)
    if embedding is not None:
        lengths = np.linalg.norm(np.asarray(embedding), axis=1)
        if np.isfinite(lengths).any():
            return float(np.nanmax(lengths))
    return float(np.linalg.norm(points - estimator.base_point_, axis=1).max())


def _of_shape(values, shape, name):
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    fits = array.ndim == len(shape) and all(
        wanted in (None, found)
        for wanted, found in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{name} has shape {array.shape}, wanted is ({wanted}).")
    return array
