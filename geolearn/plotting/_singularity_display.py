"""Points coloured by how singular their neighbourhoods are."""

from typing import Any

import numpy as np
from sklearn.base import clone

from geolearn.plotting._coloring import Coloring
from geolearn.plotting._coordinates import final_estimator, is_fitted
from geolearn.plotting._drawing import (
    check_scatter_params,
    equalise,
    point_style,
    prepare_axes,
)
from geolearn.plotting._view import View, read_points


class SingularityDisplay:
    """Show which points of a data set are singular.

    Points of the plane and of space are drawn as they are, others on their first two
    principal components, whose shares of the variance the axes tell. Make one with
    :meth:`from_estimator` or :meth:`from_scores`, which also draw it.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Points. The columns of a dataframe name the axes.
    scores : array-like of shape (n_samples,)
        What the points are coloured by: the larger, the more singular. NaN, where a
        point has no score, is grey.
    outliers : array-like of bool of shape (n_samples,) or None, default=None
        Points to mark by a ring.
    feature_names : array-like of str of shape (n_features,) or None, default=None
        Names of the axes. None takes the columns of a dataframe, or "x0", "x1" and so
        on.
    score_name : str, default="score"
        Title of the colourbar.
    name : str or None, default=None
        Title of the plot.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Figure of the last plot.
    scatter_ : matplotlib PathCollection
        The points drawn.
    rings_ : matplotlib PathCollection or None
        Rings around the points marked.
    colorbar_ : matplotlib Colorbar or None
        Scale of the scores.
    legend_ : matplotlib Legend or None
        Legend of points without a score.

    Raises
    ------
    ValueError
        If `scores` or `outliers` do not fit the points.

    See Also
    --------
    EuclidicityProfileDisplay : What happens around one point at each scale.
    EmbeddingDisplay : Points with any labels.

    Examples
    --------
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from geolearn.datasets import make_crossing_planes
    >>> from geolearn.plotting import SingularityDisplay
    >>> X, _ = make_crossing_planes(300, random_state=0)
    >>> detector = LocalOutlierFactor(novelty=True).fit(X)
    >>> display = SingularityDisplay.from_estimator(detector, X)
    >>> display.ax_.name
    '3d'
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        X,
        scores,
        *,
        outliers=None,
        feature_names=None,
        score_name="score",
        name=None,
    ):
        self.points, self.feature_names = read_points(X, feature_names)
        self.scores = _one_each(scores, self.points, "scores").astype(np.float64)
        self.outliers = None
        if outliers is not None:
            self.outliers = _one_each(outliers, self.points, "outliers").astype(bool)
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator, X, *, mark=True, name=None, **plot_params
    ) -> "SingularityDisplay":
        """Score points with a detector and draw them.

        Parameters
        ----------
        estimator : estimator object
            Detector with `score_samples`, of which the larger values are the more
            normal: :class:`~geolearn.topology.Euclidicity`, or a detector of
            scikit-learn; or a pipeline that ends with one. A fitted one scores `X`; an
            unfitted one is cloned and the clone fitted to `X`. It is never changed.
        X : array-like of shape (n_samples, n_features)
            Points to score and to draw.
        mark : bool, default=True
            Whether to put rings around the points that the estimator's `predict`
            takes for singular.
        name : str or None, default=None
            Title of the plot. None takes the class of the estimator; "" leaves it out.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        SingularityDisplay
            The display, drawn. Its scores are those of `score_samples` with their
            signs changed.

        Raises
        ------
        ValueError
            If the estimator has no `score_samples`, or as in :meth:`plot`.
        """
        final = final_estimator(estimator)
        label = type(final).__name__
        if not is_fitted(estimator):
            estimator = clone(estimator).fit(X)
        if not hasattr(estimator, "score_samples"):
            raise ValueError(
                f"{label} has no score_samples; take a detector such as Euclidicity, "
                "or draw scores of your own by SingularityDisplay.from_scores."
            )
        scores = -np.asarray(estimator.score_samples(X))
        outliers = np.asarray(estimator.predict(X)) == -1 if mark else None
        if outliers is not None:
            outliers &= ~np.isnan(scores)  # points without a score are grey already
        display = cls(
            X,
            scores,
            outliers=outliers,
            score_name="Euclidicity" if label == "Euclidicity" else f"{label} score",
            name=label if name is None else name,
        )
        return display.plot(**plot_params)

    @classmethod
    def from_scores(
        cls, X, scores, *, outliers=None, score_name="score", name=None, **plot_params
    ) -> "SingularityDisplay":
        """Draw points that have scores already.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.
        scores : array-like of shape (n_samples,)
            What they are coloured by: the larger, the more singular.
        outliers : array-like of bool of shape (n_samples,) or None, default=None
            Points to mark by a ring.
        score_name : str, default="score"
            Title of the colourbar.
        name : str or None, default=None
            Title of the plot.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        SingularityDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As the class, and as :meth:`plot`.
        """
        display = cls(X, scores, outliers=outliers, score_name=score_name, name=name)
        return display.plot(**plot_params)

    def plot(
        self,
        ax=None,
        *,
        components=None,
        cmap="viridis",
        percentiles=(2, 98),
        size: float | None = None,
        alpha: float | None = None,
        ring_color="#d55e00",
        legend: bool = True,
        title: str | None = None,
        rasterized: bool | None = None,
        **scatter_params: Any,
    ) -> "SingularityDisplay":
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on, of projection "3d" for three dimensions; None makes a new
            figure with pyplot.
        components : sequence of 2 or 3 int, or None, default=None
            Columns of `X` to draw. None draws all of two or three, else the first two
            principal components.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the scores.
        percentiles : tuple of 2 float, default=(2, 98)
            Percentiles of the scores at the two ends of the scale.
        size : float or None, default=None
            Area of a point in square typographic points; None chooses.
        alpha : float or None, default=None
            Opacity of the points from 0 to 1; None chooses.
        ring_color : matplotlib colour, default="#d55e00"
            Colour of the rings.
        legend : bool, default=True
            Whether to add the colourbar.
        title : str or None, default=None
            Title of the axes. None takes the name of the display.
        rasterized : bool or None, default=None
            Whether vector formats hold the points as an image. None does so above
            5000 points.
        **scatter_params : dict
            Further parameters of matplotlib's `Axes.scatter`.

        Returns
        -------
        SingularityDisplay
            This display.

        Raises
        ------
        ValueError
            If there is one column only, `components` or `percentiles` are not valid,
            or `ax` has another number of dimensions.
        TypeError
            If `scatter_params` has a colour or a size of the points.
        """
        n_samples = self.points.shape[0]
        view = View.of(self.points, self.feature_names, components)
        coloring = Coloring.of(
            self.scores,
            n_samples,
            kind="continuous",
            palette=None,
            cmap=cmap,
            percentiles=percentiles,
        )
        check_scatter_params(scatter_params)
        self.ax_ = prepare_axes(ax, len(view.names))
        self.figure_ = self.ax_.figure
        style = point_style(self.ax_, n_samples, size, alpha, rasterized)
        seen = view.points(self.points)
        self.scatter_, self.legend_, self.colorbar_ = coloring.draw(
            self.ax_,
            seen,
            {**style, **scatter_params},
            legend=legend,
            label_name=self.score_name,
        )
        self.rings_ = self._draw_rings(seen, style, ring_color)
        view.name_axes(self.ax_)
        title = self.name if title is None else title
        if title:
            self.ax_.set_title(title)
        equalise(self.ax_)
        return self

    def _draw_rings(self, seen, style, color):
        if self.outliers is None or not self.outliers.any():
            return None
        return self.ax_.scatter(
            *seen[self.outliers].T,
            s=4.0 * style["s"],
            facecolors="none",
            edgecolors=color,
            linewidths=0.8,
            rasterized=style["rasterized"],
        )


def _one_each(values, points, name):
    array = np.asarray(values)
    if array.shape != points.shape[:1]:
        raise ValueError(
            f"{name} has shape {array.shape}, but X has {points.shape[0]} rows; give "
            "one value for each."
        )
    return array
